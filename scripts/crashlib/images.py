"""images.py - where in any bytes raw records lie: in files, RAM, disks, dumps of a machine.

Looks at places alone: what is in a record is record.py's.  A magic counts only with a header whose
checksum holds, at any offset.  `data` is bytes or a memory map, and is never copied whole; time is
linear in its size.  What looks like a record a million times is not looked at for ever.
"""

from __future__ import annotations

import re
import struct
from bisect import bisect
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from crashlib import cstruct
from crashlib.crc32c import crc32c
from crashlib.inputs import Bytes, search
from crashlib.payload import padded
from crashlib.payloads import MAGIC, Cause, End, Header, SectionHeader

HEADER_BYTES = cstruct.size_of(Header)
SECTION_BYTES = cstruct.size_of(SectionHeader)
HEADER_CHECKED = next(place.offset for place in cstruct.places(Header) if place.name == "crc")
LONGEST_RECORD = 1 << 26
STRAY_BYTES = 1 << 18  # looked at behind the last section of a record that has no end
RECORDS_MOST = 4096  # in one input
SECTIONS_MOST = 1 << 14  # of a record that has no end
BYTES_MOST = 1 << 30  # of all of them
CHECKS_MOST = 1 << 18  # of checksums, for things that look like a header

_MAGIC = re.compile(re.escape(MAGIC))
_HEADER_LENGTH = struct.Struct("<12xI")
_CRC = struct.Struct("<I")
_SECTION = struct.Struct("<4sHHIIQII")  # SectionHeader
_SECTION_CRC = SECTION_BYTES - _CRC.size
_END_LENGTH = struct.Struct("<8xQ")  # of End
_END_HEADERS = struct.Struct("<28xI")
_END_BYTES = cstruct.size_of(End)
_ENDS = re.compile(rb"ENDS[\x00-\xff]\x00[\x00-\xff][\x00-\x0f]", re.DOTALL)
_CAUSE = re.compile(rb"CAUS[\x00-\xff]\x00[\x00-\xff][\x00-\x0f]", re.DOTALL)
_TAG = re.compile(rb"[A-Z][A-Z0-9]{3}")
_CAUSE_BYTES = cstruct.size_of(Cause)


@dataclass(frozen=True)
class Place:
    """Where a record begins, and where it ends at the latest."""
    start: int
    end: int


def find_records(data: Bytes) -> Iterator[Place]:
    """Every record whose header is good, in order; those that another one has captured with the
    memory it saved are in it still, and the caller's to skip."""
    starts = _find_headers(data)
    ends = _told_ends(data, starts)
    taken = 0
    for start, following in zip(starts, [*starts[1:], len(data)]):
        end = ends.get(start) or _likely_end(data, start, following)
        taken += end - start
        if taken > BYTES_MOST:
            return
        yield Place(start, end)


def find_headerless(data: Bytes, known: list[Place]) -> list[Place]:
    """Records outside of the known ones whose header is lost, or was held back by a sink that was
    never told to commit.  A good CAUS follows where the header would end, or a good ENDS tells how
    far behind the start it lies."""
    starts = [place.start for place in known]

    def is_known(at: int) -> bool:
        index = bisect(starts, at) - 1
        return index >= 0 and at < known[index].end

    ends = _good_ends(data, is_known)
    found: list[Place] = []
    for start in sorted({*ends, *_before_causes(data, is_known)}):
        if is_known(start) or (found and start + HEADER_BYTES < found[-1].end):
            continue  # what has been written over it counts
        index = bisect(starts, start)
        following = starts[index] if index < len(starts) else len(data)
        found.append(Place(start, ends.get(start) or _likely_end(data, start, following)))
        if len(found) == RECORDS_MOST:
            break
    return found


def _before_causes(data: Bytes, is_known: Callable[[int], bool]) -> Iterator[int]:
    """Where records begin, as far as their CAUS can tell."""
    for match in _limited(search(_CAUSE, data)):
        at = match.start()
        if at >= HEADER_BYTES and not is_known(at) and _section_is_good(
                data, at, range(_CAUSE_BYTES, 4 * _CAUSE_BYTES + 1)):
            yield at - HEADER_BYTES


def _good_ends(data: Bytes, is_known: Callable[[int], bool]) -> dict[int, int]:
    """From where a record begins to where it ends, as a good ENDS tells."""
    ends: dict[int, int] = {}
    for match in _limited(search(_ENDS, data)):
        at = match.start()
        told = data[at + SECTION_BYTES:at + SECTION_BYTES + _END_BYTES]
        if len(told) < _END_BYTES or is_known(at):
            continue
        length, headers = _END_LENGTH.unpack_from(told)[0], _END_HEADERS.unpack_from(told)[0]
        stored = _END_BYTES + headers * SECTION_BYTES
        if (headers <= SECTIONS_MOST and HEADER_BYTES <= length <= min(at, LONGEST_RECORD)
                and _section_is_good(data, at, range(stored, stored + 1))):
            ends[at - length] = at + SECTION_BYTES + padded(stored)
            if len(ends) == RECORDS_MOST:
                break
    return ends


def header_is_good(data: bytes) -> bool:
    if len(data) < HEADER_BYTES or not data.startswith(MAGIC):
        return False
    length, = _HEADER_LENGTH.unpack_from(data)
    if length < HEADER_BYTES or length % 8:
        return False
    return crc32c(data[:HEADER_CHECKED]) == _CRC.unpack_from(data, HEADER_CHECKED)[0]


def _find_headers(data: Bytes) -> list[int]:
    starts: list[int] = []
    for match in _limited(search(_MAGIC, data)):
        if header_is_good(data[match.start():match.start() + HEADER_BYTES]):
            starts.append(match.start())
            if len(starts) == RECORDS_MOST:
                break
    return starts


def _limited(matches: Iterator[re.Match[bytes]]) -> Iterator[re.Match[bytes]]:
    for _, match in zip(range(CHECKS_MOST), matches):
        yield match


def _told_ends(data: Bytes, starts: list[int]) -> dict[int, int]:
    """Where records end, as their ENDS tell: each says how far behind the start it lies."""
    ends: dict[int, int] = {}
    wanted = set(starts)
    last = starts[-1] + LONGEST_RECORD if starts else 0
    for match in search(_ENDS, data, starts[0] if starts else 0, last):
        at = match.start()
        told = data[at:at + SECTION_BYTES + _END_LENGTH.size]
        if len(told) < SECTION_BYTES + _END_LENGTH.size:
            continue
        length, = _END_LENGTH.unpack_from(told, SECTION_BYTES)
        end = at + SECTION_BYTES + padded(_SECTION.unpack_from(told)[3])
        if at - length in wanted and length <= LONGEST_RECORD and end <= len(data):
            ends.setdefault(at - length, end)
    return ends


def _likely_end(data: Bytes, start: int, following: int) -> int:
    """Where a record without an end can reach: as far as one section leads to the next, and a
    little further, but not into the record that follows."""
    at = start + HEADER_BYTES
    for _ in range(SECTIONS_MOST):
        header = data[at:at + SECTION_BYTES]
        if len(header) < SECTION_BYTES or not _TAG.match(header):
            break
        length = padded(_SECTION.unpack(header)[3])
        end = at + SECTION_BYTES + length
        if end > min(start + LONGEST_RECORD, len(data)):
            break
        if header.startswith(b"ENDS") and _has_its_crc(data, at):
            return end  # behind it may be what another attempt has left
        at = end
    return min(max(at, min(following, at + STRAY_BYTES)), len(data))


def _section_is_good(data: Bytes, at: int, lengths: range) -> bool:
    """Is it whole, as long as it may be, and not compressed?"""
    fields = _SECTION.unpack(data[at:at + SECTION_BYTES].ljust(SECTION_BYTES, b"\0"))
    length = fields[3]
    if length not in lengths or fields[4] != length or fields[6]:
        return False
    return _has_its_crc(data, at)


def _has_its_crc(data: Bytes, at: int) -> bool:
    header = data[at:at + SECTION_BYTES].ljust(SECTION_BYTES, b"\0")
    length, crc = _SECTION.unpack(header)[3::4]
    section = data[at:at + SECTION_BYTES + length]
    blank = section[:_SECTION_CRC] + bytes(_CRC.size)
    return (len(section) == SECTION_BYTES + length
            and crc32c(section[SECTION_BYTES:], crc32c(blank)) == crc)
