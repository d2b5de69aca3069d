"""signature.py - which crashes are the same bug: a name that survives a rebuild.

The kind of failure, and the innermost functions on the way to it: no addresses, lines, or numbers.
Inlined functions count as frames, so that an optimizer's mood changes nothing; the machinery of
failing does not count.  A signature whose parts are not all known is weak, and equals no other.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import dataclass

from crashlib.backtrace import is_machinery
from crashlib.evidence import Evidence
from crashlib.explain import ASSERTION
from crashlib.frames import Trace, trace
from crashlib.maps import CLONE_SUFFIX
from crashlib.payloads import TrapAccess
from crashlib.tables import vectors
from crashlib.verdict import is_null_like
from crashlib.x86 import PF_VECTOR

VERSION = 1  # of what is hashed: signatures of two versions are not to be compared
FUNCTIONS = 3  # that count
RECURRING = 3  # times that a function must come for the chain to be a recursion
DIGITS = 16
# What fails in these was handed to them.
HELPERS = {"memcpy", "memmove", "memset", "memcmp", "memchr", "strlen", "strnlen", "strcmp",
           "strncmp", "strcpy", "strncpy", "strchr"}

_NUMBER = re.compile(r"\b0x[0-9a-fA-F]+\b|\b[0-9a-fA-F]{8,}\b|\d+")


@dataclass(frozen=True)
class Signature:
    digest: str  # "9f86d081884c7d65"
    kind: str  # "#PF read of null"
    functions: tuple[str, ...]  # innermost first
    weak: str  # "", or why it must never be taken to equal another

    @property
    def text(self) -> str:
        chain = " < ".join(self.functions)
        return f"{self.kind} in {chain}" if chain else self.kind


def make_signature(evidence: Evidence, traced: Trace | None = None) -> Signature:
    """`traced`: trace(evidence), if it is at hand."""
    traced = traced or trace(evidence)
    names = _names(traced)
    counted, recursive = _counted(names)
    kind = _kind(evidence)
    weak = _weakness(evidence, counted, traced.ended or recursive)
    hashed = "\n".join((f"trapline {VERSION}", kind, *counted))
    return Signature(hashlib.sha256(hashed.encode("utf-8", "replace")).hexdigest()[:DIGITS], kind,
                     counted, weak)


def _names(traced: Trace) -> list[str]:
    names = [CLONE_SUFFIX.sub("", name) for frame in traced.frames for name in frame.functions]
    return [name for name in names if not is_machinery(name) and name not in HELPERS] or names


def _counted(names: list[str]) -> tuple[tuple[str, ...], bool]:
    """The first names, each once; and whether they recur: then no others count, because how deep
    a recursion went says nothing, and where in it the end came says little."""
    first = tuple(dict.fromkeys(names))[:FUNCTIONS]
    loop = {name for name, times in Counter(names).items() if times >= RECURRING}
    if loop.intersection(first):
        return tuple(sorted(loop)[:FUNCTIONS]), True
    return first, False


def _kind(evidence: Evidence) -> str:
    cause = evidence.cause
    if cause is None:
        return "unknown"
    if evidence.kind == "PANIC":
        return f"panic: {_normal_text(cause.text)}"
    row = next((row for row in vectors() if row.number == cause.vector), None)
    name = f"#{row.mnemonic}" if row else f"vector {cause.vector}"
    if cause.vector != PF_VECTOR:
        return name
    access = ("execute" if cause.access & TrapAccess.EXECUTE else
              "write" if cause.access & TrapAccess.WRITE else "read")
    return f"{name} {access} of null" if is_null_like(cause.address) else f"{name} {access}"


def _normal_text(text: str) -> str:
    """Without what differs from one time to the next: numbers, and an assertion's line."""
    assertion = ASSERTION.fullmatch(text)
    if assertion is not None:
        return f"assertion failed: {assertion[1]}"
    return _NUMBER.sub("#", text)


def _weakness(evidence: Evidence, counted: tuple[str, ...], whole: bool) -> str:
    if evidence.cause is None:
        return "its cause is lost"
    if evidence.symbols.elf is None:
        return "no symbols"
    if not evidence.symbols.matched:
        return "symbols of another build"
    if evidence.from_user:
        return "in a user program"
    if not evidence.registers:
        return "its registers are lost"
    if not counted:
        return "no function is known"
    if not whole and len(counted) < FUNCTIONS:
        return "its backtrace is cut short"
    return ""
