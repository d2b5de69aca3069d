"""copies.py - several copies of one record, each perhaps damaged, made into one.

What is joined is what a checksum vouches for: of a raw copy its header and good sections, of lines
every line.  Copies that contradict each other in such bytes are not of one record, whatever their
ids say: each joins the first that it agrees with, or stays by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from crashlib.pieces import Pieces, joined
from crashlib.sections import HEADER_BYTES, Status

if TYPE_CHECKING:
    from crashlib.record import Record

COPIES_PER_ID = 16  # that contradict each other: more are left out

Vouched = list[tuple[int, bytes]]
# Makes a record of the copies, the best first, and of the bytes that they all vouch for.
Join = Callable[[list["Record"], Vouched], "Record"]


def join_copies(records: list[Record], join: Join) -> list[Record]:
    """One record for each that there are copies of, in the order of their first copies."""
    by_name: dict[object, list[Record]] = {}
    for number, record in enumerate(records):
        name = number if record.record_id is None else (record.record_id,)
        by_name.setdefault(name, []).append(record)
    return [whole for copies in by_name.values() for whole in _join_all(copies, join)]


def _join_all(copies: list[Record], join: Join) -> list[Record]:
    if len(copies) == 1:
        return copies
    groups: list[list[tuple[Record, Vouched]]] = []
    for copy in sorted(copies, key=_worth, reverse=True):
        vouched = _vouched(copy)
        group = next((group for group in groups
                      if all(_agree(vouched, other) for _, other in group)), None)
        if group is not None:
            group.append((copy, vouched))
        elif len(groups) < COPIES_PER_ID:
            groups.append([(copy, vouched)])
    order = {id(copy): number for number, copy in enumerate(copies)}
    groups.sort(key=lambda group: min(order[id(copy)] for copy, _ in group))
    return [_join_group(group, join) for group in groups]


def _join_group(group: list[tuple[Record, Vouched]], join: Join) -> Record:
    best = group[0][0]
    if best.complete or len(group) == 1:
        best.provenance.copies = len(group)
        return best
    pieces: Vouched = []
    for _, vouched in group:
        pieces = joined(pieces, vouched)
    return join([record for record, _ in group], pieces)


def _worth(record: Record) -> tuple[bool, bool, int]:
    known = sum(section.length - section.lost_bytes for section in record.sections
                if section.payload is not None)
    return record.complete, record.header is not None, known


def _vouched(record: Record) -> Vouched:
    if record.provenance.by_line:
        return record.pieces
    known = Pieces(record.pieces)
    pieces: Vouched = []
    if record.header is not None:
        pieces.append((0, known.read(0, record.header.header_length) or b""))
    for section in record.sections:
        if section.status is Status.GOOD:
            length = HEADER_BYTES + section.header.stored_length
            data = known.read(section.offset, length) or b""
            pieces.append((section.offset, data.ljust(section.length, b"\0")))
    return joined([], pieces)


def _agree(ours: Vouched, theirs: Vouched) -> bool:
    known = Pieces(theirs)
    return all(data[at - offset:at - offset + len(other)] == other
               for offset, data in ours
               for at, other in known.within(offset, offset + len(data)))
