"""signature.py - one short name for all crashes that have the same cause, so that they can be
counted together.

Made of the rule that explains the crash and of the innermost functions, without addresses or lines:
it outlives a rebuild that leaves the failing path alone.  A name that rests on guesses is marked
weak and never equals a good one; where nothing is known there is none.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from crashlib.backtrace import TRUST_SCAN, Frame, is_machinery

FUNCTIONS = 5  # innermost ones that make the name
DIGITS = 12  # of a hash
# Where a crash shows, but whose fault it never is.
BYSTANDERS = ("memcpy", "memmove", "memset", "memcmp", "memchr", "strlen", "strcmp", "strncmp",
              "string_equal")
WORDED_RULES = ("panic", "assert")  # the words tell such crashes apart
NUMBER = re.compile(r"0x[0-9a-fA-F]+|\d+")


@dataclass(frozen=True)
class Signature:
    id: str = ""  # the same for the same cause; empty: nothing to go by, merge with no other
    strict: str = ""  # the same only for the same instructions of the same functions
    weak: bool = True  # rests on guesses
    text: str = ""  # "null-pointer in next_parcel < provoke_null_read"


def make_signature(rule: str, cause: str, place: str, frames: list[Frame],
                   trusted: bool) -> Signature:
    """`place`: the function that the verdict names, which may be in no frame.  `trusted`: the cause
    is known and the symbols are the crashed kernel's."""
    kept = _functions(frames)
    is_place = place and not is_machinery(place) and place not in BYSTANDERS
    names = list(dict.fromkeys([*([place] if is_place else []), *kept]))
    if not names:
        return Signature()
    weak = not trusted or any(frame.trust == TRUST_SCAN for frame in list(kept.values())[:1])
    words = NUMBER.sub("#", cause) if rule in WORDED_RULES else ""
    names = names[:FUNCTIONS]
    parts = [rule, words, *names, "weak" if weak else ""]
    offsets = [str(frame.offset) for frame in kept.values()]
    return Signature(_hash(parts), _hash(parts + offsets), weak,
                     f"{rule} in {' < '.join(names)}")


def _functions(frames: list[Frame]) -> dict[str, Frame]:
    """The innermost functions, each once: how deep a recursion went is chance.  Behind a guess
    there are only guesses."""
    kept: dict[str, Frame] = {}
    for frame in frames:
        if kept and frame.trust == TRUST_SCAN:
            break
        if frame.function and not is_machinery(frame.function) and not frame.signal:
            kept.setdefault(frame.function, frame)
    strangers = {name: frame for name, frame in kept.items() if name not in BYSTANDERS} or kept
    return dict(list(strangers.items())[:FUNCTIONS])


def _hash(parts: list[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()[:DIGITS]
