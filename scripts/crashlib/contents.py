"""contents.py - what a section's payload says, decoded into the dataclasses of payloads.py.

A payload may have lost bytes: what they would have said is left out (None, or a shorter list),
and the rest is decoded all the same.  Never raises; believes no length that leads outside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from crashlib import cstruct
from crashlib.payloads import (Cause, Code, End, Frame, LogEntry, MapEntry, MemoryUnits, Nested,
                               Registers, SectionHeader, Unit, UnitFlags, Walk)
from crashlib.pieces import Pieces

T = TypeVar("T")

ALIGNMENT = 8
LONGEST_UNIT = 512  # CRASH_UNIT_BYTES
LONGEST_RUN = 16 * 1024 * 1024  # CRASH_MEMORY_BYTES: of zeros, or of a hole
MOST_REGISTERS = 128
LONGEST_CODE = 64
HIGHEST_CPU = 1 << 16
LOST_TEXT = "[…]"


@dataclass(frozen=True)
class Payload:
    """[start, start + length) of the record, as far as it is known."""
    known: Pieces
    start: int
    length: int
    address: int  # as the section's header says

    def read(self, offset: int, length: int) -> bytes | None:
        if offset + length > self.length:
            return None
        return self.known.read(self.start + offset, length)

    def pieces(self, offset: int, length: int) -> Iterator[tuple[int, bytes]]:
        """The known stretches of a range, as (offset in the payload, bytes)."""
        end = min(offset + length, self.length)
        for place, data in self.known.within(self.start + offset, self.start + end):
            yield place - self.start, data

    def next_known(self, offset: int) -> int:
        """The first aligned place from `offset` on that is not lost; `length` if there is none."""
        places = (padded(place) for place, _ in self.pieces(offset, self.length))
        return next(places, self.length)

    def struct(self, cls: type[T], offset: int = 0) -> T | None:
        data = self.read(offset, cstruct.size_of(cls))
        return None if data is None else cstruct.decode(cls, data)

    def array(self, cls: type[T], offset: int = 0, count: int | None = None) -> list[T]:
        """The structs from `offset` on, without those of which a byte is lost."""
        size = cstruct.size_of(cls)
        room = max(min(self.length, self.known.end - self.start) - offset, 0) // size
        places = range(offset, offset + size * min(room, room if count is None else count), size)
        found = (self.struct(cls, place) for place in places)
        return [item for item in found if item is not None]


def padded(length: int) -> int:
    return length + -length % ALIGNMENT


def decode(tag: str, payload: Payload) -> Any:
    """The payload as its section's type; None if nothing of it is usable, and bytes for a tag
    that is not known."""
    decoder = DECODERS.get(tag)
    return decoder(payload) if decoder else payload.read(0, payload.length)


# ---- Sections that are one struct, or an array of one ----

def _one(cls: type[T]) -> Callable[[Payload], T | None]:
    return lambda payload: payload.struct(cls)


def _many(cls: type[T]) -> Callable[[Payload], list[T] | None]:
    """None if all of it is lost; an empty section is an empty list."""
    return lambda payload: payload.array(cls) or (None if payload.length else [])


def _registers(payload: Payload) -> Registers | None:
    registers = payload.struct(Registers)
    if registers is None:
        return None
    start = cstruct.size_of(Registers)
    for index in range(min(registers.count, MOST_REGISTERS)):
        data = payload.read(start + 8 * index, 8)
        was_read = registers.valid[index // 64] >> index % 64 & 1
        registers.values.append(int.from_bytes(data, "little") if data and was_read else None)
    return registers


def _code(payload: Payload) -> Code | None:
    code = payload.struct(Code)
    if code is None:
        return None
    code.address = payload.address
    for index in range(min(code.length, LONGEST_CODE)):
        byte = payload.read(cstruct.size_of(Code) + index, 1)
        if byte is None or not code.valid >> index & 1:
            continue
        address, run = code.pieces[-1] if code.pieces else (0, b"")
        if run and address + len(run) == code.address + index:
            code.pieces[-1] = (address, run + byte)
        else:
            code.pieces.append((code.address + index, byte))
    return code


def _end(payload: Payload) -> End | None:
    end = payload.struct(End)
    if end is not None:
        end.headers = payload.array(SectionHeader, cstruct.size_of(End), end.header_count)
    return end


def _annotations(payload: Payload) -> dict[str, str] | None:
    found: dict[str, str] = {}
    for offset, data in payload.pieces(0, payload.length):
        lines = data.split(b"\n")
        if offset > 0 and payload.read(offset - 1, 1) is None:
            lines = lines[1:]  # its beginning is lost
        if offset + len(data) < payload.length:
            lines = lines[:-1]  # its end is lost
        for line in lines:
            key, equals, value = line.decode("utf-8", "replace").partition("=")
            if equals:
                found[key] = value
    return found or (None if payload.length else {})


# ---- Sections that are a chain: structs, each followed by bytes whose number it tells ----

class Rule(Protocol):
    """Whether a chain may go on with `head` after a struct was lost."""

    def __call__(self, before: Any, span: int, head: Any, after: Any) -> bool:
        """`before`: the last good struct, or None.  `span`: payload bytes between where the lost
        one began and `head`.  `after`: the struct that `head` leads to, or None."""


def _chain(payload: Payload, cls: type[T], body_of: Callable[[T], int],
           may_resume: Rule) -> Iterator[tuple[int, T]]:
    """(offset of its body, struct) of every link."""
    size, offset, before = cstruct.size_of(cls), 0, None
    lost_at: int | None = None
    while offset + size <= payload.length:
        head = payload.struct(cls, offset)
        if head is not None and lost_at is not None:
            after = payload.struct(cls, offset + size + padded(body_of(head)))
            if not may_resume(before, offset - lost_at, head, after):
                head = None
        if head is None:
            lost_at = offset if lost_at is None else lost_at
            offset = payload.next_known(offset + ALIGNMENT)
            continue
        yield offset + size, head
        before, lost_at = head, None
        offset += size + padded(body_of(head))


def _unit_body(unit: Unit) -> int:
    return 0 if unit.flags & (UnitFlags.HOLE | UnitFlags.ZERO) else unit.length


def _unit_is_sane(unit: Unit) -> bool:
    longest = LONGEST_RUN if unit.flags else LONGEST_UNIT
    return 0 < unit.length <= longest and unit.flags in (
        0, UnitFlags.ZERO, UnitFlags.HOLE, UnitFlags.HOLE | UnitFlags.SECRET)


def _is_one_plain_unit(address: int, span: int, following: int) -> bool:
    """Whether `span` lost payload bytes, between a unit that ended at `address` and one that
    begins at `following`, were one unit of plain bytes: only then do the addresses fit."""
    length = span - cstruct.size_of(Unit)
    return following - address == length and address % LONGEST_UNIT + length <= LONGEST_UNIT


def _unit_rule(first_address: int) -> Rule:
    def may_resume(before: Unit | None, span: int, head: Unit, after: Unit | None) -> bool:
        """Units follow each other in memory: an address that fits exactly is no coincidence."""
        expected = before.address + before.length if before else first_address
        if not _unit_is_sane(head) or head.address < expected:
            return False
        if _is_one_plain_unit(expected, span, head.address):
            return True
        return after is not None and _unit_is_sane(after) and (
            after.address == head.address + head.length)

    return may_resume


def _memory(payload: Payload) -> MemoryUnits | None:
    units = MemoryUnits()
    next_head, next_address = 0, payload.address
    for body, unit in _chain(payload, Unit, _unit_body, _unit_rule(payload.address)):
        span = body - cstruct.size_of(Unit) - next_head
        if span > 0 and _is_one_plain_unit(next_address, span, unit.address):
            lost = Unit(next_address, unit.address - next_address, 0)
            _add_unit(units, payload, next_head + cstruct.size_of(Unit), lost)
        _add_unit(units, payload, body, unit)
        next_head, next_address = body + padded(_unit_body(unit)), unit.address + unit.length
    found = units.pieces or units.zeros or units.holes
    return units if found or payload.length == 0 else None


def _add_unit(units: MemoryUnits, payload: Payload, body: int, unit: Unit) -> None:
    if unit.flags & UnitFlags.HOLE:
        units.holes.append((unit.address, unit.length))
    elif unit.flags & UnitFlags.ZERO:
        units.zeros.append((unit.address, unit.length))
    else:
        units.pieces += [(unit.address + place - body, data)
                         for place, data in payload.pieces(body, unit.length)]


def _log_body(entry: LogEntry) -> int:
    return entry.length


def _log_rule(before: LogEntry | None, span: int, head: LogEntry, after: LogEntry | None) -> bool:
    """Messages are numbered: those lost lie between, and each takes up room."""
    most = 1 + span // cstruct.size_of(LogEntry)
    if head.cpu >= HIGHEST_CPU:
        return False
    if before is not None:
        return 0 < head.sequence - before.sequence <= most and head.time_us >= before.time_us
    return after is not None and after.sequence == head.sequence + 1


def _log(payload: Payload) -> list[LogEntry] | None:
    entries: list[LogEntry] = []
    for body, entry in _chain(payload, LogEntry, _log_body, _log_rule):
        entry.text = _text_with_gaps(payload, body, entry.length)
        entries.append(entry)
    return entries or (None if payload.length else [])


def _text_with_gaps(payload: Payload, offset: int, length: int) -> str:
    text, end = "", offset
    for place, data in payload.pieces(offset, length):
        text += (LOST_TEXT if place > end else "") + data.decode("utf-8", "replace")
        end = place + len(data)
    return text + (LOST_TEXT if end < offset + length else "")


DECODERS: dict[str, Callable[[Payload], Any]] = {
    "CAUS": _one(Cause),
    "REGS": _registers,
    "CODE": _code,
    "PTWK": _many(Walk),
    "BTRC": _many(Frame),
    "STAK": _memory,
    "LOGR": _log,
    "MAPS": _many(MapEntry),
    "MEMR": _memory,
    "ANNO": _annotations,
    "NEST": _many(Nested),
    "ENDS": _end,
}
