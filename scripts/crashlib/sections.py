"""sections.py - where a record's sections lie, and what their checksums say.

ENDS repeats the header of every section, so a record that has an end has a table of contents.
Without it each header leads to the next, and where one is lost the search goes on at the next
section whose checksum holds.  Never raises; the searching is bounded by the record's size.
"""

from __future__ import annotations

import bisect
import dataclasses
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from itertools import takewhile
from typing import Any

from crashlib import cstruct
from crashlib.compression import decompress
from crashlib.contents import decode
from crashlib.crc32c import crc32c
from crashlib.payload import ALIGNMENT, Payload, padded
from crashlib.payloads import End, SectionFlags, SectionHeader
from crashlib.pieces import Pieces

UNKNOWN_TAG = "????"
HEADER_BYTES = cstruct.size_of(SectionHeader)
LONGEST_SECTION = 1 << 24  # of those that came in lines
SEARCH_FACTOR, SEARCH_LEAST, SEARCH_MOST = 4, 1 << 16, 1 << 26  # bytes to be checksummed at most

# A tag, a version below 256, flags below 4096: what a header begins with.
_PLAUSIBLE = re.compile(rb"(?=[A-Z][A-Z0-9]{3}[\x00-\xff]\x00[\x00-\xff][\x00-\x0f])")


class Status(Enum):
    GOOD = "good"              # its checksum holds
    DAMAGED = "damaged"        # its checksum does not: nothing of it is used
    INCOMPLETE = "incomplete"  # bytes are lost; what is left is used only if it came in lines
    MISSING = "missing"        # nothing of it is left but its place


@dataclass
class Section:
    tag: str  # "CAUS"; UNKNOWN_TAG if its header is lost
    status: Status
    offset: int  # of its header in the record
    length: int  # with its header and padding
    header: SectionHeader | None = None
    lost: list[tuple[int, int]] = field(default_factory=list)  # payload bytes [start, end)
    # What it holds, decoded by the row of contents.DECODERS; bytes for a tag that this reader does
    # not know; None if nothing is usable.
    payload: Any = None

    @property
    def truncated(self) -> bool:
        return bool(self.header and self.header.flags & SectionFlags.TRUNCATED)

    @property
    def faulted(self) -> bool:
        return bool(self.header and self.header.flags & SectionFlags.FAULTED)

    @property
    def lost_bytes(self) -> int:
        return sum(end - start for start, end in self.lost)


class SectionFinder:
    """Finds the sections of one record.

    `checked`: each known byte came with a line's checksum, so it is good whatever becomes of its
    section.  `limit`: where the record ends at the latest.
    """

    def __init__(self, known: Pieces, limit: int, checked: bool) -> None:
        self._known, self._limit, self._checked = known, limit, checked
        self._work = min(SEARCH_FACTOR * known.end + SEARCH_LEAST, SEARCH_MOST)
        self._good: dict[int, bool] = {}

    def find(self, start: int) -> list[Section]:
        """All sections from `start` on, in order, with a place holder where headers are lost."""
        end = self._find_end()
        if end is None:
            return list(self._walk(start, self._limit))
        told = self._told(start, end)
        if any(self._is_good(offset) and self._header_at(offset) != header
               for offset, header in told.items()):  # one record was being written over another
            return list(takewhile(lambda section: section.status is Status.GOOD
                                  and section.header != told.get(section.offset),
                                  self._walk(start, self._limit)))
        return [*self._contents(start, end), end]

    # ---- The table of contents ----

    def _find_end(self) -> Section | None:
        """ENDS, if it is whole: it says where it lies itself, so no other record's will do."""
        for offset in reversed(self._plausible_places):
            header = self._header_at(offset)
            if header is None or header.tag != b"ENDS" or not self._search_finds(offset):
                continue
            section = self._judge(offset, header)
            if isinstance(section.payload, End) and section.payload.length == offset:
                return section
        return None

    def _contents(self, start: int, end: Section) -> Iterator[Section]:
        for offset, header in self._told(start, end).items():
            yield self._judge(offset, header)
            start = offset + HEADER_BYTES + padded(header.stored_length)
        yield from self._walk(start, end.offset)

    def _told(self, start: int, end: Section) -> dict[int, SectionHeader]:
        """The headers that the end repeats, by where their sections lie."""
        told: dict[int, SectionHeader] = {}
        for header in end.payload.headers:
            told[start] = header
            start += HEADER_BYTES + padded(header.stored_length)
        return told

    # ---- From header to header ----

    def _walk(self, offset: int, limit: int) -> Iterator[Section]:
        while offset < limit:
            header = self._header_at(offset)
            if header is not None and self._leads_on(offset, header, limit):
                section = self._judge(offset, header)
            else:
                section = self._gap(offset, self._next_good(offset + ALIGNMENT, limit))
            yield section
            offset += section.length

    def _leads_on(self, offset: int, header: SectionHeader, limit: int) -> bool:
        """Whether the header's length is to be believed."""
        payload = offset + HEADER_BYTES
        following = payload + padded(header.stored_length)
        if following == limit or self._is_good(offset) or self._is_good(following):
            return True
        if self._known.read(payload, header.stored_length) is None and self._checked:
            return header.stored_length <= LONGEST_SECTION
        return following > limit and self._next_good(offset + ALIGNMENT, limit) == limit

    # ---- The search ----

    @cached_property
    def _plausible_places(self) -> list[int]:
        return [offset + match.start()
                for offset, data in self._known.within(0, self._limit)
                for match in _PLAUSIBLE.finditer(data)
                if (offset + match.start()) % ALIGNMENT == 0]

    @cached_property
    def _good_places(self) -> list[int]:
        return [place for place in self._plausible_places if self._search_finds(place)]

    def _next_good(self, offset: int, limit: int) -> int:
        index = bisect.bisect_left(self._good_places, offset)
        return min(self._good_places[index], limit) if index < len(self._good_places) else limit

    def _search_finds(self, offset: int) -> bool:
        """_is_good(), until the search has cost too much."""
        header = self._header_at(offset)
        if header is None or self._work < 0:
            return False
        self._work -= HEADER_BYTES + header.stored_length
        return self._is_good(offset)

    # ---- One place ----

    def _header_at(self, offset: int) -> SectionHeader | None:
        data = self._known.read(offset, HEADER_BYTES)
        if data is None or not _PLAUSIBLE.match(data):
            return None
        return cstruct.decode(SectionHeader, data)

    def _is_good(self, offset: int) -> bool:
        """Whether a section begins here whose checksum holds."""
        if offset not in self._good:
            header = self._header_at(offset)
            self._good[offset] = header is not None and self._checksum_holds(offset, header)
        return self._good[offset]

    def _checksum_holds(self, offset: int, header: SectionHeader) -> bool:
        payload = self._known.read(offset + HEADER_BYTES, header.stored_length)
        return payload is not None and section_crc(header, payload) == header.crc

    def _gap(self, offset: int, end: int) -> Section:
        known = any(True for _ in self._known.within(offset, end))
        return Section(UNKNOWN_TAG, Status.DAMAGED if known else Status.MISSING, offset,
                       end - offset)

    def _judge(self, offset: int, header: SectionHeader) -> Section:
        """`header`: the section's own, or its copy in ENDS."""
        start, length = offset + HEADER_BYTES, header.stored_length
        section = Section(header.tag.decode("latin-1"), Status.GOOD, offset,
                          HEADER_BYTES + padded(length), header)
        section.lost = [(first - start, last - start)
                        for first, last in self._known.lost(start, start + length)]
        section.status = self._status(section)
        usable = section.status is Status.GOOD or (
            section.status is Status.INCOMPLETE and self._checked)
        if usable and not header.flags & SectionFlags.REDACTED:
            payload = self._payload(start, header)
            section.payload = decode(section.tag, payload) if payload else None
        return section

    def _payload(self, start: int, header: SectionHeader) -> Payload | None:
        if not header.flags & SectionFlags.COMPRESSED:
            return Payload(self._known, start, header.stored_length, header.address)
        # Each byte may stand for a repetition of those before it: up to the first that is lost.
        lost = self._known.lost(start, start + header.stored_length)
        end = lost[0][0] if lost else start + header.stored_length
        length = min(header.raw_length, LONGEST_SECTION)
        raw = decompress(self._known.read(start, end - start) or b"", length)
        if len(raw) < length and not lost:
            return None  # it was not compressed like this
        return Payload(Pieces([(0, raw)] if raw else []), 0, length, header.address)

    def _status(self, section: Section) -> Status:
        if not section.lost:
            held = self._checksum_holds(section.offset, section.header)
            return Status.GOOD if held else Status.DAMAGED
        everything = section.lost_bytes == section.header.stored_length
        return Status.MISSING if everything else Status.INCOMPLETE


def section_crc(header: SectionHeader, payload: bytes) -> int:
    blank = dataclasses.replace(header, crc=0)
    return crc32c(payload, crc32c(cstruct.encode(blank)))
