"""contexts.py - whatever has registers in a record: the crashed context, the other CPUs, the
threads that were not running.  A debugger sees each of them as a thread.

Refuses contexts without a pc and a stack pointer: nothing can be unwound from those.
"""

from __future__ import annotations

from dataclasses import dataclass

from crashlib.evidence import Evidence
from crashlib.system import CpuState

CRASHED_LWP, CALLER_LWP = 1, 2  # a debugger's numbers for threads; others follow
CONTEXTS_MAX = 1024
NEEDED = ("rip", "rsp")


@dataclass(frozen=True)
class Context:
    lwp: int
    name: str  # "CPU1 worker"
    registers: dict[str, int]
    cpu: int | None = None  # the one that it ran on when the kernel crashed
    thread: int = 0  # id; 0: none, or not known


def contexts_of(evidence: Evidence) -> list[Context]:
    """The crashed one first."""
    cause = evidence.cause
    cpu, thread = (cause.cpu, cause.thread) if cause else (None, 0)
    name = evidence.context_name()
    found = [Context(CRASHED_LWP, f"{name} [crashed]", evidence.registers, cpu, thread)]
    if evidence.caller is not None:  # a second thread, from which a debugger can unwind
        registers = {**evidence.registers, "rip": evidence.caller.pc,
                     "rsp": evidence.caller.stack, "rbp": evidence.caller.frame}
        found.append(Context(CALLER_LWP, f"{name} [its caller]", registers, cpu, thread))
    others = [*_cpus(evidence), *_threads(evidence)]
    number = CALLER_LWP + 1
    for name, registers, cpu, thread in others[:CONTEXTS_MAX]:
        found.append(Context(number, name, registers, cpu, thread))
        number += 1
    return found


def thread_name(evidence: Evidence, thread: int) -> str:
    """ "worker", or "thread 3" if its name is not known """
    return evidence.thread_names.get(thread, f"thread {thread}")


def _cpus(evidence: Evidence) -> list[tuple[str, dict[str, int], int | None, int]]:
    crashed = evidence.cause.cpu if evidence.cause else None
    found = []
    for row in sorted(evidence.record.cpus, key=lambda row: row.cpu):
        registers = row.by_name(evidence.machine)
        if row.cpu == crashed or row.state == CpuState.CRASHED or not _is_usable(registers):
            continue
        name = thread_name(evidence, row.thread) if row.thread else ""
        found.append((f"CPU{row.cpu} {name}".rstrip(), registers, row.cpu, row.thread))
    return found


def _threads(evidence: Evidence) -> list[tuple[str, dict[str, int], int | None, int]]:
    found = []
    for row in sorted(evidence.record.threads, key=lambda row: row.id):
        registers = row.by_name(evidence.machine)
        if _is_usable(registers):
            found.append((thread_name(evidence, row.id), registers, None, row.id))
    return found


def _is_usable(registers: dict[str, int]) -> bool:
    return all(name in registers for name in NEEDED)
