"""tables.py - the kernel's .def tables, read where they stand: vectors, registers, sections.

A row is one macro call on one line.  No table is typed a second time here, and nothing needs to
be built first.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ARGUMENT = re.compile(r'\s*("[^"]*"|[^,()"]+(?:\([^()]*\))?)\s*(?:,|$)')


class TableError(Exception):
    """A .def file is not as expected; the text says where."""


@dataclass(frozen=True)
class Vector:
    number: int
    mnemonic: str   # "PF"
    name: str       # "page fault"
    has_error: bool
    class_: str     # TRAP_CLASS_ of trap.h: "FAULT"
    kind: str       # TRAP_ of trap.h: "PAGE_FAULT"
    ist: str        # IST_ of descriptors.h: "NONE"


@dataclass(frozen=True)
class Register:
    name: str
    bits: int
    type: str          # of GDB's target description
    group: str | None  # likewise
    feature: str       # "CORE"
    place: str         # "FRAME(rax)"
    recorded: bool     # has a value in REGS


@dataclass(frozen=True)
class Section:
    tag: str
    version: int
    holds: str


@cache
def vectors() -> tuple[Vector, ...]:
    return tuple(Vector(int(number), mnemonic, name, has_error == "1", class_, kind, ist)
                 for number, mnemonic, name, has_error, class_, kind, ist
                 in rows(ROOT / "arch/x86_64/vectors.def", "VECTOR", 7))


@cache
def registers() -> tuple[Register, ...]:
    """In GDB's numbering; the recorded ones of these are REGS, in order."""
    return tuple(Register(name, int(bits), type_, None if group == "NULL" else group, feature,
                          place, record == "RECORD")
                 for name, bits, type_, group, feature, place, record
                 in rows(ROOT / "arch/x86_64/registers.def", "REGISTER", 7))


@cache
def sections() -> tuple[Section, ...]:
    """In the order in which they are written."""
    return tuple(Section(tag, int(version), holds) for tag, version, holds
                 in rows(ROOT / "crashdump/sections.def", "SECTION", 3))


def rows(path: Path, macro: str, columns: int) -> list[list[str]]:
    """The arguments of each line that calls `macro`, strings without their quotes."""
    try:
        lines = path.read_text().splitlines()
    except OSError as error:
        raise TableError(f"{path}: {error.strerror}") from error
    found = []
    for number, line in enumerate(lines, 1):
        if not line.startswith(macro + "("):
            continue
        arguments = ARGUMENT.findall(line[len(macro) + 1:line.rindex(")")])
        if len(arguments) != columns:
            raise TableError(f"{path}:{number}: {len(arguments)} columns where there are {columns}")
        found.append([argument.strip('"') for argument in arguments])
    if not found:
        raise TableError(f"{path}: no row of {macro}")
    return found
