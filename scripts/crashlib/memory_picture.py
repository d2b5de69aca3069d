"""memory_picture.py - memory as a report shows it: what there was, and the words of the crashed
stack with what they are.

Plain values, addresses hex strings, like report.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from crashlib.backtrace import Frame
from crashlib.evidence import Evidence
from crashlib.maps import Range, stack_name

WORD = 8
WORDS_NEAR = 40  # shown from the stack pointer on; of what is above, only return addresses ...
RETURNS_INNER, RETURNS_OUTER = 16, 8  # ... and of many those at both ends
NO_FRAME = -1


@dataclass(frozen=True)
class MemoryPart:
    start: str
    end: str  # the first address behind it
    kind: str  # "TEXT"
    permissions: str  # "r-x"
    captured: str  # "YES"
    name: str


@dataclass(frozen=True)
class StackWord:
    address: str
    value: str
    meaning: str
    role: str  # "return address", "saved rbp", or ""
    frame: int  # the backtrace's number of the frame that it belongs to, or -1


@dataclass(frozen=True)
class StackPart:
    """The crashed stack."""
    name: str = ""
    bottom: str = ""
    top: str = ""
    guard: str = ""  # where the guard page below it begins; empty: there is none
    pointer: str = ""
    saved: list[list[str]] = field(default_factory=list)  # [start, end) of what the record has
    words: list[StackWord] = field(default_factory=list)  # from the stack pointer up, with gaps


def describe_memory(evidence: Evidence) -> list[MemoryPart]:
    return [MemoryPart(hex(r.start), hex(r.end), r.kind, r.permissions, r.captured, r.name)
            for r in sorted(evidence.ranges, key=lambda r: (r.start, r.end))]


def describe_stack(evidence: Evidence) -> StackPart:
    sp = evidence.registers.get("rsp")
    held = _crashed_stack(evidence, sp) if sp is not None else None
    if held is None:
        return StackPart()
    guard = next((m for m in evidence.book.maps if m.kind == "GUARD" and m.end == held.start), None)
    saved = [[hex(max(start, held.start)), hex(min(start + len(data), held.end))]
             for start, data in evidence.memory.extents()
             if start < held.end and start + len(data) > held.start]
    return StackPart(stack_name(held), hex(held.start), hex(held.end),
                     hex(guard.start) if guard else "", hex(sp), saved,
                     _words(evidence, max(sp, held.start), held))


def _crashed_stack(evidence: Evidence, sp: int) -> Range | None:
    """An overflowed one's stack pointer is in its guard page."""
    guard = evidence.book.guard_at(sp)
    return evidence.book.stack_above(guard) if guard else evidence.book.stack_at(sp)


def _words(evidence: Evidence, start: int, held: Range) -> list[StackWord]:
    start -= start % WORD
    bases = _frame_bases(evidence.frames, held)
    slots = {base - WORD for base, _ in bases[1:]}
    near = set(range(start, min(start + WORD * WORDS_NEAR, held.end), WORD))
    far = sorted(slot for slot in slots if slot >= start and slot not in near)
    kept = near.union(far[:RETURNS_INNER], far[-RETURNS_OUTER:])
    found = []
    for address in sorted(kept):
        value = evidence.memory.read_word(address)
        if value is not None:
            found.append(StackWord(hex(address), hex(value), evidence.describe(value),
                                   _role(evidence, address, value, slots),
                                   _frame_of(bases, address)))
    return found


def _frame_bases(frames: list[Frame], held: Range) -> list[tuple[int, int]]:
    """(stack pointer, number) of the frames on this stack that are functions of their own."""
    return [(frame.stack, number) for number, frame in enumerate(frames)
            if held.start <= frame.stack <= held.end and not frame.inline]


def _frame_of(bases: list[tuple[int, int]], address: int) -> int:
    """A return address belongs to the callee, which will pop it."""
    return max(((base, number) for base, number in bases if base <= address),
               default=(0, NO_FRAME))[1]


def _role(evidence: Evidence, address: int, value: int, slots: set[int]) -> str:
    if address in slots:
        return "return address"
    if address + WORD in slots and evidence.book.stack_at(value) and value > address:
        return "saved rbp"
    return ""
