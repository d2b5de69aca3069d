"""record.py - crash records, found in any bytes and taken apart: load() is the door.

Total: any input gives a list, never an exception, in memory bounded by the input's size.  Bytes
whose checksum does not hold are never handed on.  Knows no symbols and draws no conclusions.
"""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crashlib import cstruct, problems
from crashlib.crc32c import crc32c
from crashlib.lines import LINE_BYTES, Transmission, find_transmissions
from crashlib.payload import padded
from crashlib.payloads import (FORMAT_MAJOR, MAGIC, Cause, Code, End, Frame, Header, LogEntry,
                               MapEntry, MemoryUnits, Nested, Registers, SectionHeader, Walk)
from crashlib.pieces import Pieces
from crashlib.sections import UNKNOWN_TAG, Section, SectionFinder, Status
from crashlib.system import Cpu, Event, Lock, TextPage, Thread

HEADER_BYTES = cstruct.size_of(Header)
HEADER_CHECKED = next(place.offset for place in cstruct.places(Header) if place.name == "crc")
LONGEST_ZEROS = 1 << 26  # zero memory that is spelled out: more comes from no kernel


@dataclass
class Provenance:
    source: str  # "console lines" or "raw record"
    offset: int = 0  # raw record: where in the input it begins
    frames_good: int = 0  # lines whose checksum held, repetitions included
    frames_bad: int = 0  # lines whose checksum did not hold
    frames_contradicted: int = 0  # lines that were good, but contradicted by others: not used
    frames_restored: int = 0  # lines that were lost, and follow from others
    frames_missing: int = 0  # lines' worth of the record that no line brought
    bytes_missing: int = 0  # as far as is known


@dataclass
class Record:
    provenance: Provenance
    header: Header | None  # None: lost or damaged
    record_id: int | None
    sections: list[Section]
    problems: list[str]  # what is lost, damaged or not understood, in sentences for people
    complete: bool  # it has its end, and no section is lost or damaged (they may be cut short)
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
        """(address, bytes) of every memory section, zeros spelled out."""
        units, zeros = self._memory(), 0
        found = [piece for part in units for piece in part.pieces]
        for address, length in (run for part in units for run in part.zeros):
            zeros += length
            if zeros <= LONGEST_ZEROS:
                found.append((address, bytes(length)))
        return sorted(found, key=lambda piece: piece[0])

    @property
    def holes(self) -> list[tuple[int, int]]:
        """(address, length) that the kernel could not read."""
        return [hole for part in self._memory() for hole in part.holes]

    @property
    def cpus(self) -> list[Cpu]:
        return self._all("CPUS")

    @property
    def threads(self) -> list[Thread]:
        return self._all("THRD")

    @property
    def locks(self) -> list[Lock]:
        return self._all("LOCK")

    @property
    def events(self) -> list[Event]:
        """As recorded: each CPU's oldest first, one CPU after another."""
        return self._all("FLIT")

    @property
    def text_pages(self) -> list[TextPage]:
        return self._all("TEXT")

    @property
    def log(self) -> list[LogEntry]:
        return self._all("LOGR")

    @property
    def maps(self) -> list[MapEntry]:
        return self._all("MAPS")

    @property
    def annotations(self) -> dict[str, str]:
        return {key: value for part in self.payloads("ANNO") for key, value in part.items()}

    @property
    def nested(self) -> list[Nested]:
        """What went wrong inside the crash writer."""
        return self._all("NEST")

    @property
    def end(self) -> End | None:
        return self._one("ENDS")

    def extract(self) -> tuple[bytes, list[tuple[int, int]]]:
        """The raw record, lost stretches [start, end) filled with zeros, and those stretches."""
        image = bytearray(self.pieces[-1][0] + len(self.pieces[-1][1]) if self.pieces else 0)
        for offset, data in self.pieces:
            image[offset:offset + len(data)] = data
        return bytes(image), Pieces(self.pieces).lost(0, max(self.length, len(image)))

    def _one(self, tag: str) -> Any:
        found = self.section(tag)
        return found.payload if found else None

    def _all(self, tag: str) -> list[Any]:
        return [item for part in self.payloads(tag) for item in part]

    def _memory(self) -> list[MemoryUnits]:
        return [s.payload for s in self.sections if isinstance(s.payload, MemoryUnits)]


def load(source: Path | str | bytes) -> list[Record]:
    """Every record in a file or in bytes: raw records, found by their magic at any offset, and
    records sent as lines.  Raises OSError if a file cannot be read, and nothing else."""
    data = source if isinstance(source, bytes) else _read(Path(source))
    raw = _find_raw(data)
    records = raw + [_from_lines(part) for part in find_transmissions(_outside(data, raw))]
    return records or _find_damaged(data)


def _read(path: Path) -> bytes:
    """A disk image is a large file of which little was ever written: not what follows that."""
    with path.open("rb") as file:
        return file.read(_end_of_data(file.fileno()) if path.is_file() else -1)


def _end_of_data(file: int) -> int:
    end = 0
    try:
        while True:
            end = os.lseek(file, os.lseek(file, end, os.SEEK_DATA), os.SEEK_HOLE)
    except OSError as error:
        if error.errno != errno.ENXIO:  # there is no more data
            return -1
    os.lseek(file, 0, os.SEEK_SET)
    return end


def _parse(known: Pieces, length: int, provenance: Provenance, checked: bool) -> Record:
    """`checked`: every known byte came with a line's checksum."""
    data = known.read(0, HEADER_BYTES)
    header = cstruct.decode(Header, data) if data and _header_is_good(data) else None
    record = Record(provenance, header, header.record_id if header else None, [], [], False,
                    list(known.within(0, length)), length)
    if header is None or header.major <= FORMAT_MAJOR:
        start = header.header_length if header else HEADER_BYTES
        record.sections = SectionFinder(known, length, checked).find(start)
    record.complete = _is_complete(record)
    return record


def _is_complete(record: Record) -> bool:
    end, before = record.end, record.sections[:-1]
    return (record.header is not None and end is not None
            and all(section.status is Status.GOOD for section in record.sections)
            and len(before) == end.section_count
            and crc32c(b"".join(struct.pack("<I", s.header.crc) for s in before if s.header))
            == end.sections_crc)


# ---- Records sent as lines ----

def _from_lines(part: Transmission) -> Record:
    known = Pieces(part.pieces())
    length = known.end if part.length is None else part.length
    lost = known.lost(0, length)
    provenance = Provenance(
        "console lines", frames_good=part.good, frames_bad=part.bad,
        frames_contradicted=len(part.contradicted), frames_restored=part.restored,
        frames_missing=sum(-(-(end - start) // LINE_BYTES) for start, end in lost),
        bytes_missing=sum(end - start for start, end in lost))
    record = _parse(known, length, provenance, checked=True)
    record.record_id = part.record_id
    record.problems = problems.of_lines(part) + problems.of_record(record)
    return record


# ---- Raw records ----

def _find_raw(data: bytes) -> list[Record]:
    """Those whose header's checksum holds."""
    starts = [place for place in _places_of(MAGIC, data)
              if _header_is_good(data[place:place + HEADER_BYTES])]
    ends = _told_ends(data, set(starts))
    records: list[Record] = []
    done = 0
    for start, following in zip(starts, starts[1:] + [len(data)]):
        if start >= done:  # else it is memory that the record before has captured
            records.append(_from_raw(data, start, ends.get(start, following)))
            done = start + records[-1].length
    return records


def _from_raw(data: bytes, start: int, end: int) -> Record:
    known = Pieces([(0, data[start:end])])
    record = _parse(known, end - start, Provenance("raw record", start), checked=False)
    if record.sections and record.sections[-1].tag == UNKNOWN_TAG:
        del record.sections[-1]  # whatever follows the record in the input
    record.length = min(end - start, _end_of(record))
    record.pieces = list(known.within(0, record.length))
    record.provenance.bytes_missing = max(0, _end_of(record) - record.length)
    record.problems = problems.of_record(record)
    return record


def _end_of(record: Record) -> int:
    last = record.sections[-1] if record.sections else None
    return last.offset + last.length if last else HEADER_BYTES


def _told_ends(data: bytes, starts: set[int]) -> dict[int, int]:
    """Where the records that begin at `starts` end, as their ENDS sections tell."""
    ends: dict[int, int] = {}
    fixed = cstruct.size_of(SectionHeader)
    for place in _places_of(b"ENDS", data):
        told = data[place:place + fixed + cstruct.size_of(End)]
        if len(told) < fixed + cstruct.size_of(End):
            continue
        start = place - cstruct.decode(End, told[fixed:]).length
        length = cstruct.decode(SectionHeader, told).stored_length
        if start in starts and place + fixed + length <= len(data):
            ends[start] = place + fixed + padded(length)
    return ends


def _find_damaged(data: bytes) -> list[Record]:
    """When nothing else was found: a raw record whose header is damaged."""
    places = [0] + list(_places_of(MAGIC, data))[:1]
    for place in reversed(places):
        record = _from_raw(data, place, len(data))
        if any(section.status is Status.GOOD for section in record.sections):
            return [record]
    told = problems.of_transfer(data)
    return [Record(Provenance("raw record"), None, None, [], told, False, [], 0)] if told else []


def _outside(data: bytes, raw: list[Record]) -> bytes:
    """The input without the raw records: lines inside one are memory that it captured."""
    parts, position = [], 0
    for record in raw:
        parts.append(data[position:record.provenance.offset])
        position = record.provenance.offset + record.length
    return b"\n".join(parts + [data[position:]]) if raw else data


def _places_of(pattern: bytes, data: bytes) -> Iterator[int]:
    place = data.find(pattern)
    while place >= 0:
        yield place
        place = data.find(pattern, place + 1)


def _header_is_good(data: bytes) -> bool:
    if len(data) < HEADER_BYTES or not data.startswith(MAGIC):
        return False
    return crc32c(data[:HEADER_CHECKED]) == cstruct.decode(Header, data).crc
