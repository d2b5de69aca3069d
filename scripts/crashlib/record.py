"""record.py - crash records, found in any bytes and taken apart: load() is the door.

Total: any input gives a list, never an exception, in memory bounded by the input's size.  Bytes
whose checksum does not hold are never handed on.  Knows no symbols and draws no conclusions.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from crashlib.payloads import (  # noqa: F401  (re-exported: users import from here)
    Captured, Cause, Code, End, Frame, Header, LogEntry, MapEntry, MapKind, MapPermissions,
    MemoryUnits, Nested, Registers, SectionFlags, SectionHeader, TrapKind, Trust, Walk,
    WalkPurpose, name_of)

UNKNOWN_TAG = "????"


class Status(Enum):
    GOOD = "good"              # its checksum holds
    DAMAGED = "damaged"        # its checksum does not: nothing of it is used
    INCOMPLETE = "incomplete"  # bytes are lost; the rest is good, each line by its own checksum
    MISSING = "missing"        # nothing of it is left but its place


@dataclass
class Section:
    tag: str  # "CAUS"; UNKNOWN_TAG if its header is lost
    status: Status
    offset: int  # of its header in the record
    length: int  # with its header and padding
    header: SectionHeader | None = None
    lost: list[tuple[int, int]] = field(default_factory=list)  # payload bytes [start, end)
    # What it holds, decoded: Cause, Registers, Code, list[Walk], list[Frame], MemoryUnits,
    # list[LogEntry], list[MapEntry], dict[str, str], list[Nested], End; bytes for a tag or
    # version that this reader does not know; None if nothing is usable.
    payload: Any = None

    @property
    def truncated(self) -> bool:
        return bool(self.header and self.header.flags & SectionFlags.TRUNCATED)

    @property
    def faulted(self) -> bool:
        return bool(self.header and self.header.flags & SectionFlags.FAULTED)


@dataclass
class Provenance:
    source: str  # "console lines" or "raw record"
    frames_good: int = 0
    frames_repeated: int = 0  # of the good ones: said again what others had said
    frames_bad: int = 0
    frames_missing: int = 0
    bytes_missing: int = 0  # as far as is known


@dataclass
class Record:
    provenance: Provenance
    header: Header | None  # None: lost or damaged
    record_id: int | None
    sections: list[Section]
    problems: list[str]  # what is wrong, in sentences for people
    complete: bool  # it ends, nothing is lost or damaged (but sections may be cut short: flags)
    pieces: list[tuple[int, bytes]]  # the record's bytes that are known, by offset
    length: int  # of the record, as far as is known

    @property
    def machine(self) -> int | None:
        return self.header.machine if self.header else None

    @property
    def boot_id(self) -> str | None:
        return self.header.boot_id.hex() if self.header else None

    @property
    def sequence(self) -> int | None:
        return self.header.sequence if self.header else None

    @property
    def build_id(self) -> str | None:
        """In hex; None if it is not known."""
        if self.header is None or self.header.build_id_length == 0:
            return None
        return self.header.build_id[:self.header.build_id_length].hex()

    def section(self, tag: str) -> Section | None:
        """The first section with this tag that holds something usable."""
        return next((s for s in self.sections if s.tag == tag and s.payload is not None), None)

    def payloads(self, tag: str) -> list[Any]:
        return [s.payload for s in self.sections if s.tag == tag and s.payload is not None]

    @property
    def cause(self) -> Cause | None:
        return self._one("CAUS")

    @property
    def registers(self) -> Registers | None:
        """Of the crashed context."""
        return self._one("REGS")

    @property
    def code(self) -> Code | None:
        return self._one("CODE")

    @property
    def walks(self) -> list[Walk]:
        return self._all("PTWK")

    @property
    def frames(self) -> list[Frame]:
        return self._all("BTRC")

    @property
    def memory(self) -> list[tuple[int, bytes]]:
        """(address, bytes) of every memory section, in the record's order."""
        return [piece for units in self._memory() for piece in units.pieces]

    @property
    def holes(self) -> list[tuple[int, int]]:
        """(address, length) that the kernel could not read."""
        return [hole for units in self._memory() for hole in units.holes]

    @property
    def log(self) -> list[LogEntry]:
        return self._all("LOGR")

    @property
    def maps(self) -> list[MapEntry]:
        return self._all("MAPS")

    @property
    def annotations(self) -> dict[str, str]:
        return {k: v for part in self.payloads("ANNO") for k, v in part.items()}

    @property
    def nested(self) -> list[Nested]:
        return self._all("NEST")

    @property
    def end(self) -> End | None:
        return self._one("ENDS")

    def extract(self) -> tuple[bytes, list[tuple[int, int]]]:
        """The raw record, lost ranges [start, end) filled with zeros, and those ranges."""
        raise NotImplementedError

    def _one(self, tag: str) -> Any:
        found = self.section(tag)
        return found.payload if found else None

    def _all(self, tag: str) -> list[Any]:
        return [item for part in self.payloads(tag) for item in part]

    def _memory(self) -> list[MemoryUnits]:
        return [s.payload for s in self.sections if isinstance(s.payload, MemoryUnits)]


def load(source: Path | str | bytes) -> list[Record]:
    """Every record in a file or in bytes: a console log with lines, or a raw record (found by
    its magic at any offset).  Raises OSError if a file cannot be read, and nothing else."""
    raise NotImplementedError
