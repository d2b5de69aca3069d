"""trapline_show_system.py - part of trapline_commands.py: the log, threads, CPUs, locks and the
last traps, as lines.

What is destroyed is told behind what is whole.
"""

import gdb
import trapline_state as state
import trapline_state_system as system
from crashlib.event_words import Names, event_words
from crashlib.payloads import LOG_LEVELS, name_of
from crashlib.system import CpuState, LockKind, ThreadFlags, ThreadState

LOG_LINES, TRAP_LINES = 24, 24
PRIORITIES = ("high", "normal", "low", "idle")  # thread.h
CPU_WORDS = {"CRASHED": "has the machine", "STOPPED": "stopped", "SILENT": "does not answer",
             "RUNNING": "runs"}


def log(argument):
    """The kernel's last messages.  trapline log [COUNT]"""
    entries = state.log_entries(_count(argument, LOG_LINES))
    return [f"[{entry.time_us / 1e6:12.6f}] cpu {entry.cpu} {LOG_LEVELS[entry.level & 3]:<7} "
            f"{entry.text}" for entry in entries] or ["the log is empty"]


def threads(_argument):
    """All threads: what they do, what they wait for, since when.  trapline threads"""
    rows, problems = system.threads()
    if not rows and not problems:
        return ["there are no threads yet"]
    names, owners = _names(rows), _owners()
    lines = [" ID CPU STATE    PRIORITY NAME"]
    for row in rows:
        line = (f"{row.id:>3} {row.cpu:>3} {name_of(ThreadState, row.state).lower():<8} "
                f"{_priority(row):<8} {row.name}")
        lines.append(", ".join([line, *_thread_words(row, owners, names)]))
    return lines + _told(problems)


def _priority(row):
    return PRIORITIES[row.priority] if row.priority < len(PRIORITIES) else str(row.priority)


def _thread_words(row, owners, names):
    words = [f"user program {row.process}"] if row.process else []
    if row.state in (ThreadState.WAITING, ThreadState.SLEEPING) or row.wait_object:
        owner = owners.get(row.wait_object)
        held = f', held by {_thread(owner, names)}' if owner else ""
        words.append(f"{_wait_words(row)}{held}")
    if row.since_ms:
        words.append(f"since {row.since_ms / 1e3:.3f} s")
    if row.wake_us:
        words.append(f"until {row.wake_us / 1e6:.6f} s")
    return words


def _wait_words(row):
    if row.wait == "sleep":
        return "sleeps"
    return f"waits for {row.wait or state.symbol(row.wait_object) or hex(row.wait_object)}"


def _thread(number, names):
    return f'{number} "{names.get(number, "?")}"'


def _names(rows):
    return {row.id: row.name for row in rows}


def _thread_names():
    try:
        return _names(system.threads()[0])
    except gdb.GdbError:
        return {}


def _owners():
    """Threads by the addresses of what they hold."""
    try:
        return {row.address: row.owner_thread for row in system.locks()[0]}
    except gdb.GdbError:
        return {}


def cpus(_argument):
    """All CPUs: what they run, their ticks, who wants to run there.  trapline cpus"""
    rows, problems = system.cpus()
    threads_, _ = system.threads()
    names = _names(threads_)
    lines = ["CPU STATE           TICKS    LAST TICK  THREAD"]
    for row in rows:
        state_ = CPU_WORDS.get(name_of(CpuState, row.state), str(row.state))
        tick = f"{row.tick_us / 1e6:12.6f}" if row.ticks else f"{'none':>12}"
        line = (f"{row.cpu:>3} {state_:<15} {row.ticks:>5} {tick}  "
                f"{_thread(row.thread, names) if row.thread else 'none'}")
        ready = [_thread(thread.id, names) for thread in threads_ if thread.cpu == row.cpu
                 and thread.state == ThreadState.RUNNABLE and not thread.flags & ThreadFlags.IDLE]
        lines.append(line + (f"; {', '.join(ready)} could run" if ready else ""))
    return lines + _told(problems)


def locks(_argument):
    """Locks that are held: by whom, since which call, who waits.  trapline locks"""
    rows, problems = system.locks()
    threads_, _ = system.threads()
    names = _names(threads_)
    lines = []
    for row in rows:
        owner = f"thread {_thread(row.owner_thread, names)}" if row.owner_thread else "no thread"
        line = (f"{row.name}: {name_of(LockKind, row.kind).lower()} lock at {row.address:#x}, "
                f"held by {owner} of CPU {row.owner_cpu}")
        line += f", taken in {state.place(row.site - 1)}" if row.site else ""
        waiting = [_thread(thread.id, names) for thread in threads_
                   if thread.wait_object == row.address]
        lines.append(line + (f"; wanted by {', '.join(waiting)}" if waiting else ""))
    return (lines or ["no lock is held"]) + _told(problems)


def traps(argument):
    """The last traps, switches and system calls of all CPUs.  trapline traps [COUNT]"""
    rows, problems = system.events()
    names, book = _thread_names(), state.address_book()
    words = Names(book.symbol, book.describe, lambda number: names.get(number, f"thread {number}"))
    shown = rows[-_count(argument, TRAP_LINES):]
    return ([f"{row.time_us / 1e6:12.6f} cpu {row.cpu} {event_words(row, words)}" for row in shown]
            or ["nothing has happened yet"]) + _told(problems)


def _count(argument, usual):
    return max(state.number(argument), 1) if argument else usual


def _told(problems):
    return [f"not intact: {problem}" for problem in problems]
