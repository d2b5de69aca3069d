"""record.py - crash records, found in any bytes and taken apart: load() is the door.

Total: any bytes give a list, never an exception, in memory bounded by the records' size.  Bytes
whose checksum does not hold are never handed on.  Knows no symbols and draws no conclusions.
"""

from __future__ import annotations

import dataclasses
import struct
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

from crashlib import cstruct, images, problems
from crashlib.copies import join_copies
from crashlib.crc32c import crc32c
from crashlib.images import HEADER_BYTES, header_is_good
from crashlib.inputs import Bytes, open_input
from crashlib.lines import LINE_BYTES, Transmission, find_transmissions
from crashlib.payloads import (FORMAT_MAJOR, MAGIC, Cause, Code, End, Frame, Header, LogEntry,
                               MapEntry, MemoryUnits, Nested, Registers, Walk)
from crashlib.pieces import Pieces
from crashlib.sections import UNKNOWN_TAG, Section, SectionFinder, Status
from crashlib.system import Cpu, Event, Lock, TextPage, Thread

LONGEST_DAMAGED = 1 << 20  # looked at for sections when a record has no good beginning
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
    by_line: bool = False  # each known byte came with a line's or a section's checksum
    copies: int = 1  # in the input, joined


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
    """Every record in a file or in bytes.  Raises OSError if a file cannot be read, InputRefused
    if it is of a kind that hides its contents, and nothing else."""
    if isinstance(source, bytes):
        return find_records(source)
    with open_input(source) as data:
        return find_records(data)


def find_records(data: Bytes) -> list[Record]:
    """Raw records, found by their header's magic and checksum at any offset, and records sent as
    lines; one of each, however many copies there are.  Never raises."""
    raw = _find_raw(data)
    raw = sorted(raw + _find_headerless(data, raw), key=lambda record: record.provenance.offset)
    inside = [(place.start, place.end) for place in _places(raw)]
    records = raw + [_from_lines(part) for part in find_transmissions(data, inside)]
    return join_copies(records, _from_copies) or _find_damaged(data)


def _parse(known: Pieces, length: int, provenance: Provenance, checked: bool) -> Record:
    """`checked`: every known byte came with a line's checksum."""
    data = known.read(0, HEADER_BYTES)
    header = cstruct.decode(Header, data) if data and header_is_good(data) else None
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
        bytes_missing=sum(end - start for start, end in lost), by_line=True)
    record = _parse(known, length, provenance, checked=True)
    record.record_id = part.record_id
    record.problems = problems.of_lines(part) + problems.of_record(record)
    return record


# ---- Raw records ----

def _find_raw(data: Bytes) -> list[Record]:
    """Those whose header's checksum holds."""
    records: list[Record] = []
    done = 0
    for place in images.find_records(data):
        if place.start >= done:  # else it is memory that the record before has captured
            records.append(_from_raw(data, place.start, place.end))
            done = place.start + records[-1].length
    return records


def _find_headerless(data: Bytes, known: list[Record]) -> list[Record]:
    """Those that have lost their header, or never got one.  One that is the beginning of a known
    record gets that one's name."""
    names = {_first_crcs(record): record.record_id for record in known}
    found = [_from_raw(data, place.start, place.end)
             for place in images.find_headerless(data, _places(known))]
    for record in found:
        crcs = _first_crcs(record)
        record.record_id = names.get(crcs) if crcs else None
    return found


def _first_crcs(record: Record) -> tuple[int, ...]:
    """Of CAUS and REGS: no two crashes have them in common."""
    found = [record.section(tag) for tag in ("CAUS", "REGS")]
    return tuple(section.header.crc for section in found if section and section.header)


def _places(records: list[Record]) -> list[images.Place]:
    return [images.Place(place.offset, place.offset + record.length)
            for record in records for place in [record.provenance]]


def _from_raw(data: Bytes, start: int, end: int) -> Record:
    known = Pieces([(0, data[start:end])])
    record = _parse(known, end - start, Provenance("raw record", start), checked=False)
    _drop_strangers(record)
    record.length = min(end - start, _end_of(record))
    record.pieces = list(known.within(0, record.length))
    record.provenance.bytes_missing = max(0, _end_of(record) - record.length)
    record.problems = problems.of_record(record)
    return record


def _drop_strangers(record: Record) -> None:
    """What follows the record in the input is not of it, and what another record left behind it
    may well be good: without an end that vouches for more, a record in an image reaches as far as
    one good section leads to the next."""
    if record.end is None and record.provenance.offset > 0:
        good = takewhile(lambda section: section.status is Status.GOOD, record.sections)
        record.sections = list(good)
    while record.sections and record.sections[-1].tag == UNKNOWN_TAG:
        del record.sections[-1]
    told = record.annotations.get("boot_id")
    if record.header is not None and told not in (None, record.boot_id):
        record.header = record.record_id = None  # the next record's, and no more than that


def _end_of(record: Record) -> int:
    last = record.sections[-1] if record.sections else None
    return last.offset + last.length if last else HEADER_BYTES


def _find_damaged(data: Bytes) -> list[Record]:
    """When nothing else was found: a raw record whose header and first section are damaged."""
    found = data.find(MAGIC)
    for place in (found, 0) if found > 0 else (0,):
        record = _from_raw(data, place, min(len(data), place + LONGEST_DAMAGED))
        if any(section.status is Status.GOOD for section in record.sections):
            return [record]
    told = problems.of_transfer(data)
    return [Record(Provenance("raw record"), None, None, [], told, False, [], 0)] if told else []


# ---- Several copies of one record ----

def _from_copies(copies: list[Record], vouched: list[tuple[int, bytes]]) -> Record:
    """`copies`: the best first; `vouched`: what their checksums answer for."""
    best, known = copies[0], Pieces(vouched)
    length = max(known.end, *(copy.length for copy in copies))
    lost = known.lost(0, length)
    provenance = dataclasses.replace(best.provenance, by_line=True, copies=len(copies),
                                     bytes_missing=sum(end - start for start, end in lost))
    record = _parse(known, length, provenance, checked=True)
    record.record_id = best.record_id
    record.problems = problems.of_record(record)
    return record
