"""chains.py - sections that are a chain: structs, each followed by bytes whose number it tells.

Where a struct is lost the chain goes on at the next one that can be told from rubbish: each kind
has its rule for that.  Never raises.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol, TypeVar

from crashlib import cstruct
from crashlib.payload import ALIGNMENT, Payload, padded
from crashlib.payloads import LogEntry, MemoryUnits, Registers, Unit, UnitFlags
from crashlib.system import Cpu, CpuState, Thread, ThreadState

T = TypeVar("T")

LONGEST_UNIT = 512  # CRASH_UNIT_BYTES
LONGEST_RUN = 16 * 1024 * 1024  # CRASH_MEMORY_BYTES: of zeros, or of a hole
MOST_REGISTERS = 128
HIGHEST_CPU = 1 << 16
LOST_TEXT = "[…]"


def register_values(payload: Payload, start: int,
                    told: Registers | Cpu | Thread) -> list[int | None]:
    """The registers that begin at `start`."""
    values: list[int | None] = []
    for index in range(min(told.count, MOST_REGISTERS)):
        data = payload.read(start + 8 * index, 8)
        was_read = told.valid[index // 64] >> index % 64 & 1
        values.append(int.from_bytes(data, "little") if data and was_read else None)
    return values


class Rule(Protocol):
    """Whether a chain may go on with `head` after a struct was lost."""

    def __call__(self, before: Any, span: int, head: Any, after: Any) -> bool:
        """`before`: the last good struct, or None.  `span`: payload bytes between where the lost
        one began and `head`.  `after`: the struct that `head` leads to, THE_END if it leads there
        exactly, or None."""


THE_END = object()  # of the payload


def _chain(payload: Payload, cls: type[T], body_of: Callable[[T], int],
           may_resume: Rule) -> Iterator[tuple[int, T]]:
    """(offset of its body, struct) of every link."""
    size, offset, before = cstruct.size_of(cls), 0, None
    lost_at: int | None = None
    while offset + size <= payload.length:
        head = payload.struct(cls, offset)
        if head is not None and lost_at is not None:
            following = offset + size + padded(body_of(head))
            after = THE_END if following == payload.length else payload.struct(cls, following)
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
        return isinstance(after, Unit) and _unit_is_sane(after) and (
            after.address == head.address + head.length)

    return may_resume


def decode_memory(payload: Payload) -> MemoryUnits | None:
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
    return isinstance(after, LogEntry) and after.sequence == head.sequence + 1


def decode_log(payload: Payload) -> list[LogEntry] | None:
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


def _values_body(told: Cpu | Thread) -> int:
    return 8 * told.count


def with_values(cls: type[T], is_sane: Callable[[T], bool]) -> Callable[[Payload], Any]:
    """A chain of structs, each followed by registers."""
    def may_resume(before: T | None, span: int, head: T, after: T | Any) -> bool:
        return is_sane(head) and (after is THE_END or isinstance(after, cls) and is_sane(after))

    def decode_chain(payload: Payload) -> list[T] | None:
        found: list[T] = []
        for body, told in _chain(payload, cls, _values_body, may_resume):
            told.values = register_values(payload, body, told)
            found.append(told)
        return found or (None if payload.length else [])

    return decode_chain


def _values_are_sane(told: Cpu | Thread) -> bool:
    bits = told.valid[0] | told.valid[1] << 64
    return told.count <= MOST_REGISTERS and told.cpu < HIGHEST_CPU and not bits >> told.count


def cpu_is_sane(cpu: Cpu) -> bool:
    return _values_are_sane(cpu) and cpu.state in tuple(CpuState)


def thread_is_sane(thread: Thread) -> bool:
    return (_values_are_sane(thread) and thread.state in tuple(ThreadState) and thread.id > 0
            and thread.stack_bottom <= thread.stack_top and thread.name.isprintable()
            and thread.wait.isprintable())
