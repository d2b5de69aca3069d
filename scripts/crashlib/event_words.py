"""event_words.py - an event of the flight recorder in words.

Knows of names only what it is given: a report has a record's, GDB has the live kernel's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from crashlib.system import Event, EventKind
from crashlib.tables import vectors
from crashlib.x86 import PF_VECTOR


@dataclass(frozen=True)
class Names:
    symbol: Callable[[int], str]  # "function+0x12", or ""
    describe: Callable[[int], str]  # what an address is, or ""
    thread: Callable[[int], str]  # by its id


def event_words(row: Event, names: Names) -> str:
    at = f" at {names.symbol(row.pc) or hex(row.pc)}" if row.pc else ""
    if row.kind == EventKind.TRAP:
        return _trap_words(row, names) + at
    if row.kind == EventKind.SWITCH:
        return (f'switch to thread {row.number} "{names.thread(row.number)}" from {row.argument} '
                f'"{names.thread(row.argument)}"')
    if row.kind == EventKind.SYSCALL:
        return f"system call {row.number}({row.argument:#x}){at}"
    if row.kind == EventKind.SYSCALL_END:
        result = row.argument - (1 << 64) if row.argument >> 63 else row.argument
        return f"system call {row.number} returns {result}"
    return f"event {row.kind}: {row.number}, {row.argument:#x}{at}"


def _trap_words(row: Event, names: Names) -> str:
    vector = next((vector for vector in vectors() if vector.number == row.number), None)
    name = f"#{vector.mnemonic} {vector.name}" if vector else f"interrupt {row.number:#x}"
    if row.number == PF_VECTOR:
        meaning = names.describe(row.argument)
        return f"{name} of {row.argument:#x}" + (f" ({meaning})" if meaning else "")
    return f"{name}, error code {row.argument:#x}" if row.argument else name
