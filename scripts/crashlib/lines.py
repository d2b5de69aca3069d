"""lines.py - records sent as lines of text, found in any bytes (FORMAT.md, "On a serial line").

A line counts only if its own checksum holds; then its id and offset say where its bytes belong,
whatever came before it.  Knows nothing of what a record holds.  Never raises; memory and time
are bounded by the input's size.

Lines of one id that contradict each other: within one transmission (from one BEGIN to the next)
neither is believed.  Between transmissions the id was used twice, for records that differ: each
transmission joins the first record that it agrees with in every byte, or starts one of its own.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, pairwise

from crashlib.crc32c import crc32c
from crashlib.inputs import Bytes, search
from crashlib.packets import text_in_packets

Hidden = Sequence[tuple[int, int]]

LINE_BYTES = 96  # of the record, on each line but the last
PARITY_GROUPS = 4  # a group of lines is every fourth of them ...
PARITY_LINES = 16  # ... this many at most
FORMAT_VERSION = 1  # readers refuse a higher one
LONGEST_LINE = 512  # characters looked at, generously: terminals wrap lines, loggers add spaces
RECORDS_PER_ID = 16  # transmissions that contradict all of these join the last

_FRAME = re.compile(rb"(?P<checked>(?P<id>[0-9a-f]{8}):(?P<type>[A-Z]):(?P<offset>[0-9a-f]{6}):"
                    rb"(?P<data>[A-Za-z0-9._]*):)(?P<crc>[0-9a-f]{8})")
_START = re.compile(rb"~(?=[\s\0\x1b]{0,64}[0-9a-f[])")
_COLOUR = re.compile(rb"\x1b\[[0-9;]*[A-Za-z]")  # terminals' escape sequences
_CLAIMED_ID = re.compile(rb"([0-9a-f]{8}):")
_NOISE = b" \t\r\n\0"
_FROM_OURS = bytes.maketrans(b"._", b"+/")


@dataclass(frozen=True)
class Frame:
    """One good line."""
    record_id: int
    type: str  # "B", "D", "P", "E"; others are of later versions
    offset: int  # D: of the data in the record; P: of its group's first line; E: the length
    data: bytes


@dataclass(frozen=True)
class Parity:
    """What restores one lost line of a group."""
    combined: bytes  # all its lines, filled up with zeros, by exclusive or
    lines: int
    last_length: int  # bytes of the last one

    def restore(self, first: int, cells: dict[int, bytes]) -> tuple[int, bytes] | None:
        """The only line of the group at offset `first` that is not among `cells`."""
        offsets = [first + LINE_BYTES * PARITY_GROUPS * nth for nth in range(self.lines)]
        missing = [offset for offset in offsets if offset not in cells]
        if len(missing) != 1:
            return None
        data = int.from_bytes(self.combined, "little")
        for offset in offsets:
            data ^= int.from_bytes(cells.get(offset, b""), "little")
        length = self.last_length if missing[0] == offsets[-1] else LINE_BYTES
        return missing[0], data.to_bytes(LINE_BYTES, "little")[:length]


@dataclass
class Transmission:
    """What one kernel sent between one BEGIN and the next; or several of them, joined."""
    record_id: int
    version: int = FORMAT_VERSION
    cells: dict[int, bytes] = field(default_factory=dict)  # offset -> up to LINE_BYTES bytes
    contradicted: set[int] = field(default_factory=set)  # offsets that nobody is believed about
    lengths: set[int] = field(default_factory=set)  # as the ENDs tell
    parity: dict[int, Parity] = field(default_factory=dict)  # by the offset of a group's first line
    good: int = 0  # lines
    bad: int = 0  # lines whose checksum did not hold
    restored: int = 0  # lines that were lost, and follow from others

    @property
    def length(self) -> int | None:
        """The record's length, if the ENDs agree about it and no line lies beyond."""
        known_end = max((offset + len(data) for offset, data in self.cells.items()), default=0)
        told = next(iter(self.lengths)) if len(self.lengths) == 1 else None
        return None if told is None or told < known_end else told

    def pieces(self) -> list[tuple[int, bytes]]:
        """The known bytes, by offset, neighbours joined."""
        joined: list[tuple[int, bytearray]] = []
        for offset, data in sorted(self.cells.items()):
            if joined and joined[-1][0] + len(joined[-1][1]) == offset:
                joined[-1][1].extend(data)
            else:
                joined.append((offset, bytearray(data)))
        return [(offset, bytes(data)) for offset, data in joined]


def find_transmissions(data: Bytes, hidden: Hidden = ()) -> list[Transmission]:
    """One for each record whose lines are in `data`, in the order of their first lines; what
    went to a GDB that shares the line comes last.  What begins in `hidden`, stretches [start, end)
    in order, is not looked at."""
    runs: dict[int, list[Transmission]] = {}
    bad: dict[int, int] = {}
    last_id: int | None = None
    for item in chain(scan(data, hidden), scan(text_in_packets(data, hidden))):
        if isinstance(item, Frame):
            last_id = item.record_id
            _take(runs.setdefault(last_id, []), item)
        else:
            bad[item] = bad.get(item, 0) + 1
    records = {record_id: _join(parts) for record_id, parts in runs.items()}
    for claimed, count in bad.items():
        # A damaged id: the line belongs to the only record there is, or nobody can tell.
        owner = claimed if claimed in records else last_id if len(records) == 1 else None
        if owner is not None:
            records[owner][0].bad += count
    found = [record for joined in records.values() for record in joined]
    for record in found:
        _restore(record)
    return found


def _restore(record: Transmission) -> None:
    for first, parity in record.parity.items():
        restored = parity.restore(first, record.cells)
        if restored is not None and restored[0] not in record.contradicted:
            record.cells[restored[0]] = restored[1]
            record.restored += 1


def scan(data: Bytes, hidden: Hidden = ()) -> Iterator[Frame | int]:
    """Every good line, and for each bad one the id that it claims (-1: not even that)."""
    for start, following in pairwise(chain(_starts(data, hidden), [len(data) + 1])):
        window = data[start:min(start + LONGEST_LINE, following - 1)]
        text = window.translate(None, _NOISE)
        frame = _decode(text)
        if frame is None:  # perhaps coloured by a terminal's logger
            frame = _decode(_COLOUR.sub(b"", text))
        if frame is not None:
            yield frame
        elif text.count(b":", 0, 32) >= 2:
            claimed = _CLAIMED_ID.match(text)
            yield int(claimed[1], 16) if claimed else -1


def _starts(data: Bytes, hidden: Hidden) -> Iterator[int]:
    visible = 0
    for start, end in (*hidden, (len(data), len(data))):
        yield from (match.end() for match in search(_START, data, visible, start))
        visible = max(visible, end)


def frame_at_start(text: bytes) -> tuple[Frame | None, int]:
    """The good line that `text` begins with, and its length; nothing is dropped from within it."""
    match = _FRAME.match(text, 1) if text[:1] == b"~" else None
    frame = _decode(match[0]) if match else None
    return frame, match.end() if frame else 0


def _decode(text: bytes) -> Frame | None:
    match = _FRAME.match(text)
    if match is None or crc32c(match["checked"]) != int(match["crc"], 16):
        return None
    digits = match["data"].translate(_FROM_OURS)
    try:
        data = base64.b64decode(digits + b"=" * (-len(digits) % 4), validate=True)
    except binascii.Error:
        return None
    offset = int(match["offset"], 16)
    if match["type"] == b"D" and (len(data) > LINE_BYTES or offset % LINE_BYTES):
        return None
    return Frame(int(match["id"], 16), match["type"].decode(), offset, data)


def _take(parts: list[Transmission], frame: Frame) -> None:
    """Add a line to the transmission that is under way, or start the next."""
    if frame.type == "B" or not parts:
        parts.append(Transmission(frame.record_id))
    part = parts[-1]
    part.good += 1
    if frame.type == "B" and frame.data:
        part.version = frame.data[0]
    elif frame.type == "E":
        part.lengths.add(frame.offset)
    elif frame.type == "D" and part.version <= FORMAT_VERSION:
        _place(part, frame.offset, frame.data)
    elif frame.type == "P" and len(frame.data) == LINE_BYTES + 2:
        _place_parity(part, frame.offset,
                      Parity(frame.data[:LINE_BYTES], frame.data[LINE_BYTES], frame.data[-1]))


def _place_parity(part: Transmission, offset: int, parity: Parity) -> None:
    """Believed as it stands, unless another one says otherwise: then none is."""
    if (parity.lines > PARITY_LINES or parity.last_length > LINE_BYTES
            or part.parity.setdefault(offset, parity) != parity):
        part.parity[offset] = Parity(b"", 0, 0)


def _place(part: Transmission, offset: int, data: bytes) -> None:
    if offset in part.contradicted:
        return
    if part.cells.setdefault(offset, data) != data:
        del part.cells[offset]
        part.contradicted.add(offset)


def _join(parts: list[Transmission]) -> list[Transmission]:
    records: list[Transmission] = []
    for part in parts:
        record = next((r for r in records if _agree(r, part)), None)
        if record is None and len(records) < RECORDS_PER_ID:
            records.append(part)
            continue
        _merge(record or records[-1], part)
    return records


def _agree(record: Transmission, part: Transmission) -> bool:
    lengths = record.lengths | part.lengths
    return (len(lengths) <= 1
            and all(record.cells.get(offset, data) == data for offset, data in part.cells.items())
            and all(record.parity.get(offset, parity) == parity
                    for offset, parity in part.parity.items()))


def _merge(record: Transmission, part: Transmission) -> None:
    record.good += part.good
    record.version = max(record.version, part.version)
    record.lengths |= part.lengths
    for offset in part.contradicted:
        record.cells.pop(offset, None)
    record.contradicted |= part.contradicted
    for offset, data in part.cells.items():
        _place(record, offset, data)
    for offset, parity in part.parity.items():
        _place_parity(record, offset, parity)
