"""system.py - the structs of crashdump/record.h about the rest of the system: CPUs, threads, locks,
events, pages of code.

Declares only, like payloads.py, which has those of the crashed context.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, IntFlag

from crashlib.cstruct import text, u16, u32, u64
from crashlib.payloads import named_values


class CpuState(IntEnum):
    CRASHED = 1
    STOPPED = 2
    SILENT = 3


class ThreadState(IntEnum):
    RUNNING = 1
    RUNNABLE = 2
    SLEEPING = 3
    WAITING = 4
    ENDED = 5


class ThreadFlags(IntFlag):
    IDLE = 1
    USER = 2


class LockKind(IntEnum):
    SPIN = 1
    MUTEX = 2


class EventKind(IntEnum):
    TRAP = 1
    SWITCH = 2
    SYSCALL = 3
    SYSCALL_END = 4


@dataclass
class Cpu:
    cpu: int = u32()
    state: int = u32()  # CpuState
    thread: int = u32()
    count: int = u32()
    valid: tuple[int, ...] = u64(2)
    ticks: int = u64()
    tick_us: int = u64()
    values: list[int | None] = field(default_factory=list)  # as in Registers

    def by_name(self, machine: int) -> dict[str, int]:
        return named_values(machine, self.values)


@dataclass
class Thread:
    id: int = u32()
    cpu: int = u32()
    state: int = u32()  # ThreadState
    flags: int = u32()  # ThreadFlags
    process: int = u32()
    priority: int = u32()
    count: int = u32()
    since_ms: int = u32()  # 0: not known
    valid: tuple[int, ...] = u64(2)
    stack_bottom: int = u64()
    stack_top: int = u64()
    wait_object: int = u64()
    wake_us: int = u64()
    name: str = text(32)
    wait: str = text(32)
    values: list[int | None] = field(default_factory=list)  # as in Registers

    def by_name(self, machine: int) -> dict[str, int]:
        return named_values(machine, self.values)


@dataclass
class Lock:
    address: int = u64()
    kind: int = u32()  # LockKind
    owner_thread: int = u32()
    owner_cpu: int = u32()
    waiters: int = u32()
    site: int = u64()
    name: str = text(32)


@dataclass
class Event:
    time_us: int = u64()
    pc: int = u64()
    argument: int = u64()
    kind: int = u16()  # EventKind
    cpu: int = u16()
    number: int = u32()


@dataclass
class TextPage:
    address: int = u64()
    length: int = u32()
    crc: int = u32()
