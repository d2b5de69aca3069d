"""others_text.py - CPUs, threads, locks and events of a report, as text for people.

Threads that do the same are told once, each thread's stack as a line of function names: there may
be hundreds.
"""

from __future__ import annotations

from crashlib.backtrace import Frame
from crashlib.others import CpuPart, LockPart, ThreadPart
from crashlib.report import Report
from crashlib.text_lines import Line, heading, place_column, trust_mark, wrapped

EVENTS_SHOWN = 14
FRAMES_SHOWN = 12  # of a CPU that did not crash
CHAIN_SHOWN = 8  # functions of a thread
GROUPS_SHOWN = 24  # of threads
NAMES_SHOWN = 6


def render_others(report: Report) -> list[Line]:
    return [*_cpus(report), *_threads(report), *_locks(report), *_events(report)]


def _seconds(us: int) -> str:
    return f"{us / 1e6:.6f} s"


# ---- CPUs ---------------------------------------------------------------------------------------

def _cpus(report: Report) -> list[Line]:
    others = [cpu for cpu in report.cpus if cpu.state != "crashed"]
    if not others:
        return []
    lines = heading("OTHER CPUS")
    for cpu in others:
        lines += wrapped(_cpu_words(cpu), "warning" if cpu.state == "silent" else "", "  ", "  ")
        for number, frame in enumerate(cpu.frames[:FRAMES_SHOWN]):
            lines.append(_short_frame(number, frame))
        if len(cpu.frames) > FRAMES_SHOWN:
            lines.append([(f"       ... {len(cpu.frames) - FRAMES_SHOWN} more", "dim")])
    return lines


def _cpu_words(cpu: CpuPart) -> str:
    words = {"stopped": "stopped by the crash", "silent": "did not answer: no registers"}
    text = f"CPU {cpu.cpu}  {words.get(cpu.state, cpu.state)}"
    if cpu.thread:
        text += f', in thread {cpu.thread} "{cpu.thread_name}"'
    if cpu.since_tick_us is not None and cpu.since_tick_us >= 0:
        text += f"; last timer tick {_seconds(cpu.since_tick_us)} before the crash"
    return text


def _short_frame(number: int, frame: Frame) -> Line:
    name = (frame.function or hex(frame.pc)) + ("  inlined" if frame.inline else "")
    head = f"    {trust_mark(frame)}#{number:<2} {name}"
    return [(head, ""), *place_column(frame, len(head))]


# ---- Threads ------------------------------------------------------------------------------------

def _threads(report: Report) -> list[Line]:
    if not report.threads:
        return []
    running = sum(thread.state == "running" for thread in report.threads)
    lines = heading("THREADS", f"{len(report.threads)}, {running} of them on a CPU")
    groups: dict[tuple, list[ThreadPart]] = {}
    for thread in report.threads:
        groups.setdefault(_likeness(thread), []).append(thread)
    for group in list(groups.values())[:GROUPS_SHOWN]:
        lines += wrapped(_names(group) + _thread_words(group[0], len(group) > 1), "", "  ", "    ")
        chain = _chain(group[0].frames)
        lines += wrapped(chain, "dim", "      ", "  ") if chain else []
    if len(groups) > GROUPS_SHOWN:
        lines += wrapped(f"... and {len(groups) - GROUPS_SHOWN} more kinds of threads", "dim")
    return lines


def _likeness(thread: ThreadPart) -> tuple:
    """Threads in which this is equal are told together."""
    if thread.state == "running":
        return (thread.id,)
    chain = tuple((frame.function, frame.line) for frame in thread.frames)
    return thread.state, thread.waits_for, thread.held_by, bool(thread.process), chain


def _names(group: list[ThreadPart]) -> str:
    shown = ", ".join(f'{thread.id} "{thread.name}"' for thread in group[:NAMES_SHOWN])
    more = f" and {len(group) - NAMES_SHOWN} more" if len(group) > NAMES_SHOWN else ""
    return f"{shown}{more}  "


def _thread_words(thread: ThreadPart, several: bool) -> str:
    words = [thread.state]
    if thread.state == "running":
        words = ["crashed" if thread.crashed else "running", f"CPU {thread.cpu}"]
    if thread.waits_for:
        held = f", held by thread {thread.held_by}" if thread.held_by else ""
        words[0] = f"waiting for {thread.waits_for}{held}"
    if not several and thread.state != "running" and (thread.for_us or 0) > 0:
        words.append(f"for {_seconds(thread.for_us)}")
    if not several and thread.wakes_in_us is not None:
        late = thread.wakes_in_us < 0
        words.append(f"should have woken {_seconds(-thread.wakes_in_us)} before the crash" if late
                     else f"would wake {_seconds(thread.wakes_in_us)} after it")
    words += ["a CPU's idle thread"] if thread.idle else []
    if thread.process:
        words.append("in user programs" if several else f"user program {thread.process}")
    return ", ".join(words)


def _chain(frames: list[Frame]) -> str:
    parts = []
    for frame in frames[:CHAIN_SHOWN]:
        where = f" {frame.file.rsplit('/', 1)[-1]}:{frame.line}" if frame.file else ""
        mark = trust_mark(frame).strip()
        parts.append(f"{mark}{frame.function or hex(frame.pc)}{where}")
    parts += ["..."] if len(frames) > CHAIN_SHOWN else []
    return " < ".join(parts)


# ---- Locks and events ---------------------------------------------------------------------------

def _locks(report: Report) -> list[Line]:
    if not report.locks:
        return []
    lines = heading("LOCKS", "held or waited for")
    for lock in report.locks:
        contended = "warning" if lock.waiters or lock.waiting else ""
        lines += wrapped(_lock_words(lock, report), contended, "  ", "    ")
    return lines


def _lock_words(lock: LockPart, report: Report) -> str:
    text = f"{lock.name}  {lock.kind}"
    if lock.owner:
        text += f', held by thread {lock.owner} "{lock.owner_name}" of CPU {lock.owner_cpu}'
    elif lock.site:
        text += f", held by CPU {lock.owner_cpu}"
    text += f", taken in {lock.site}" if lock.site else ""
    names = {thread.id: thread.name for thread in report.threads}
    known = ", ".join(f'{number} "{names[number]}"' for number in lock.waiting[:NAMES_SHOWN])
    unknown = max(lock.waiters - min(len(lock.waiting), NAMES_SHOWN), 0)
    if known:
        text += f"; wanted by thread {known}" + (f" and {unknown} more" if unknown else "")
    elif unknown:
        text += f"; {unknown} waiting"
    return text


def _events(report: Report) -> list[Line]:
    if not report.events:
        return []
    shown = report.events[-EVENTS_SHOWN:]
    lines = heading("TIME LINE", "seconds before the crash: traps, switches, system calls")
    if len(report.events) > len(shown):
        lines.append([(f"  ... {len(report.events) - len(shown)} earlier ones", "dim")])
    for event in shown:
        when = event.time_us if event.since_crash_us is None else event.since_crash_us
        stamp = f"  {when / 1e6:+12.6f} cpu {event.cpu:<2} "
        lines += wrapped(stamp + event.text, "", "", " " * len(stamp))
    return lines
