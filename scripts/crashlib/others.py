"""others.py - what a report says of the rest of the system: the CPUs and threads that did not
crash, the locks and who waits for them, the last events before the crash.

Plain values, addresses hex strings, like report.py.  Each list may be empty: an older kernel, or
one without threads, records nothing of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

from crashlib.backtrace import Frame, frame_at, other_backtrace
from crashlib.contexts import Context, contexts_of, thread_name
from crashlib.debugger import GdbAnswer
from crashlib.event_words import Names, event_words
from crashlib.evidence import Evidence
from crashlib.maps import stack_name
from crashlib.payloads import name_of
from crashlib.system import (Cpu, CpuState, Event, EventKind, Lock, LockKind, Thread, ThreadFlags,
                             ThreadState)

CYCLE_MAX = 64  # threads in a deadlock that is worth naming
CIRCLES_MAX = 8
ROWS_MAX = 4096  # of each kind: a kernel has fewer, rubbish may have more


@dataclass(frozen=True)
class CpuPart:
    cpu: int
    state: str  # "crashed", "stopped", "silent"
    thread: int  # id; 0: none
    thread_name: str
    ticks: int
    since_tick_us: int | None  # from its last timer tick to the crash
    registers: dict[str, str]  # those that were recorded, if it did not crash itself
    frames: list[Frame]


@dataclass(frozen=True)
class ThreadPart:
    id: int
    name: str
    state: str  # "running", "runnable", "sleeping", "waiting", "ended"
    cpu: int
    crashed: bool
    idle: bool
    process: int  # the id of its user program, 0: none
    priority: int
    waits_for: str  # in words; empty: nothing
    wait_object: str
    held_by: int  # the thread that holds what it waits for, 0: none, or not known
    wakes_in_us: int | None  # from the crash on
    for_us: int | None  # how long it had run, or not run, when the kernel crashed
    stack: str  # in words
    stack_bottom: str
    stack_top: str
    registers: dict[str, str]  # those that were recorded
    frames: list[Frame]


@dataclass(frozen=True)
class LockPart:
    name: str
    kind: str  # "spin", "mutex"
    address: str
    owner: int  # thread's id, 0: none
    owner_name: str
    owner_cpu: int
    site: str  # where it was taken: "disk_read at kernel/disk.c:50"
    waiters: int
    waiting: list[int]  # ids of those that are known


@dataclass(frozen=True)
class EventPart:
    since_crash_us: int | None  # negative: before it
    time_us: int
    cpu: int
    kind: str  # "trap", "switch", "syscall", "syscall_end"
    number: int
    argument: str
    pc: str
    text: str  # in words


@dataclass
class Others:
    cpus: list[CpuPart] = field(default_factory=list)
    threads: list[ThreadPart] = field(default_factory=list)
    locks: list[LockPart] = field(default_factory=list)
    deadlocks: list[str] = field(default_factory=list)
    events: list[EventPart] = field(default_factory=list)


def describe_others(evidence: Evidence, answer: GdbAnswer) -> Others:
    record, _, *others = evidence.record, *contexts_of(evidence)
    of_cpu = {context.cpu: context for context in others if context.cpu is not None}
    of_thread = {context.thread: context for context in others if context.cpu is None}
    crashed = evidence.cause.cpu if evidence.cause else None
    return Others(
        [_cpu(evidence, answer, row, of_cpu.get(row.cpu) if row.cpu != crashed else None)
         for row in sorted(record.cpus, key=lambda row: row.cpu)[:ROWS_MAX]],
        [_thread(evidence, answer, row, of_thread.get(row.id))
         for row in sorted(record.threads, key=lambda row: row.id)[:ROWS_MAX]],
        _locks(evidence, answer), find_deadlocks(evidence), _events(evidence))


# ---- CPUs and threads ---------------------------------------------------------------------------

def _cpu(evidence: Evidence, answer: GdbAnswer, row: Cpu, context: Context | None) -> CpuPart:
    crash_us = evidence.cause.uptime_us if evidence.cause else None
    return CpuPart(
        row.cpu, _word(CpuState, row.state), row.thread,
        thread_name(evidence, row.thread) if row.thread else "", row.ticks,
        crash_us - row.tick_us if crash_us is not None and row.ticks else None,
        _hex_values(row.by_name(evidence.machine)),
        other_backtrace(evidence, answer, context) if context else [])


def _thread(evidence: Evidence, answer: GdbAnswer, row: Thread,
            context: Context | None) -> ThreadPart:
    cause, owner = evidence.cause, _owner_of(evidence, row.wait_object)
    wakes = row.wake_us - cause.uptime_us if row.wake_us and cause else None
    since = cause.uptime_us - row.since_ms * 1000 if row.since_ms and cause else None
    held = evidence.book.stack_at(row.stack_bottom)
    return ThreadPart(
        row.id, thread_name(evidence, row.id), _word(ThreadState, row.state), row.cpu,
        cause is not None and row.id == cause.thread, bool(row.flags & ThreadFlags.IDLE),
        row.process, row.priority, _wait_words(evidence, row), hex(row.wait_object), owner, wakes,
        since, stack_name(held) if held else "", hex(row.stack_bottom), hex(row.stack_top),
        _hex_values(row.by_name(evidence.machine)),
        other_backtrace(evidence, answer, context) if context else [])


def _wait_words(evidence: Evidence, row: Thread) -> str:
    """What it waits for: the kernel's own words, else the lock's name, else the symbol's."""
    if row.state != ThreadState.WAITING and not row.wait_object:
        return ""
    lock = evidence.locks.get(row.wait_object)
    if row.wait:
        return row.wait
    if lock is not None and lock.name:
        return lock.name
    return evidence.describe(row.wait_object) or hex(row.wait_object)


def _hex_values(registers: dict[str, int]) -> dict[str, str]:
    return {name: hex(value) for name, value in registers.items()}


def _word(vocabulary: type, value: int) -> str:
    return name_of(vocabulary, value).lower()


# ---- Locks --------------------------------------------------------------------------------------

def _locks(evidence: Evidence, answer: GdbAnswer) -> list[LockPart]:
    waiting: dict[int, list[int]] = {}
    for thread in evidence.record.threads:
        if thread.wait_object:
            waiting.setdefault(thread.wait_object, []).append(thread.id)
    return [_lock(evidence, answer, row, waiting.get(row.address, []))
            for row in evidence.record.locks[:ROWS_MAX]]


def _lock(evidence: Evidence, answer: GdbAnswer, row: Lock, waiting: list[int]) -> LockPart:
    name = row.name or evidence.book.symbol(row.address) or hex(row.address)
    return LockPart(
        name, _word(LockKind, row.kind), hex(row.address), row.owner_thread,
        thread_name(evidence, row.owner_thread) if row.owner_thread else "", row.owner_cpu,
        _site_words(evidence, answer, row.site) if row.site else "", row.waiters, waiting)


def _site_words(evidence: Evidence, answer: GdbAnswer, site: int) -> str:
    """A kernel notes where the call that took the lock returns to: hence the byte before."""
    found = frame_at(evidence, answer, site - 1)
    if found.function and found.file:
        return f"{found.function} at {found.place}"
    return evidence.book.symbol(site) or hex(site)


def _owner_of(evidence: Evidence, address: int) -> int:
    lock = evidence.locks.get(address)
    return lock.owner_thread if lock is not None else 0


def find_deadlocks(evidence: Evidence) -> list[str]:
    """Threads that wait for each other in a circle, each circle once, in words."""
    waits = {row.id: (row, _owner_of(evidence, row.wait_object))
             for row in evidence.record.threads if row.wait_object}
    found: dict[frozenset[int], str] = {}
    for start in waits:
        path = [start]
        while (owner := waits.get(path[-1], (None, 0))[1]) and len(path) < CYCLE_MAX:
            if owner in path:
                circle = path[path.index(owner):]
                found.setdefault(frozenset(circle), _circle_words(evidence, circle, waits))
                break
            path.append(owner)
    return list(found.values())[:CIRCLES_MAX]


def _circle_words(evidence: Evidence, circle: list[int],
                  waits: dict[int, tuple[Thread, int]]) -> str:
    if len(circle) == 1:
        row = waits[circle[0]][0]
        return (f'thread {row.id} "{thread_name(evidence, row.id)}" waits for '
                f"{_wait_words(evidence, row)}, which it holds itself")
    steps = []
    for number in circle:
        row, owner = waits[number]
        steps.append(f'thread {number} "{thread_name(evidence, number)}" waits for '
                     f'{_wait_words(evidence, row)}, held by thread {owner} '
                     f'"{thread_name(evidence, owner)}"')
    return "; ".join(steps)


# ---- Events -------------------------------------------------------------------------------------

def _events(evidence: Evidence) -> list[EventPart]:
    """Of all CPUs, in the order of their times."""
    rows = sorted(evidence.record.events, key=lambda row: row.time_us)[-ROWS_MAX:]
    crash_us = evidence.cause.uptime_us if evidence.cause else None
    names = Names(evidence.book.symbol, evidence.describe, partial(thread_name, evidence))
    return [EventPart(None if crash_us is None else row.time_us - crash_us, row.time_us, row.cpu,
                      _word(EventKind, row.kind), row.number, hex(row.argument), hex(row.pc),
                      event_words(row, names)) for row in rows]
