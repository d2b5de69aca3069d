"""trapline_state_system.py - the kernel's threads, CPUs, locks and last events, as rows of a crash
record: read from the kernel's own structs, else from the record.

Each function returns (rows, problems): a struct that is destroyed is a problem in words, and the
others are rows all the same.  Lists are followed for a bounded number of steps.
"""

from operator import attrgetter

import gdb
import trapline_state as state
from crashlib.payloads import name_of
from crashlib.system import Cpu, CpuState, Event, Lock, LockKind, Thread, ThreadFlags, ThreadState

NAME_BYTES = 32  # CRASH_NAME_BYTES
MUTEXES_MAX = 64  # held at a time: more are not believed
IDLE_PRIORITY = 3
NOBODY = 0


def or_recorded(kind, row_type, order):
    """Makes of a function that reads the kernel's memory one that asks the record if that was not
    saved.  `order`: the field that rows are sorted by."""
    def decorate(function):
        def read():
            try:
                rows, problems = function()
            except (gdb.GdbError, gdb.MemoryError):
                if kind not in state.facts():
                    raise
                rows, problems = [row_type(**row) for row in state.facts()[kind]], []
            return sorted(rows, key=attrgetter(order)), problems
        return read
    return decorate


# ---- Threads ------------------------------------------------------------------------------------

@or_recorded("threads", Thread, "id")
def threads():
    table = state.variable("kernel/thread.c", "table")
    last_id, running = int(table["last_id"]), _running()
    rows, problems = [], []
    for place, thread in _places(table["threads"], last_id):
        if thread is None:
            problems.append(f"place {place} of the table of threads cannot be read")
        else:
            row, wrong = _thread_row(thread, running)
            wrong += [f"id {row.id} was never given"] if row.id > last_id else []
            problems += [f"thread in place {place} of the table: {words}" for words in wrong]
            if wrong or _is_told(thread, row, running):
                rows.append(row)
    return rows, problems


def _places(table, last_id):
    """Those in use: each id that was ever given has taken the first place that was free."""
    for place in range(min(table.type.range()[1] + 1, last_id)):
        thread = table[place]
        try:
            if int(thread["id"]):
                thread.fetch_lazy()
                yield place, thread
        except gdb.MemoryError:
            yield place, None


def _running():
    """The address of each CPU's current thread."""
    shown = [cpu["shown"] for _, cpu in state.elements(state.variable("kernel/schedule.c", "cpus"))
             if cpu is not None]
    return [int(cpu["current"]) & state.MASK64 for cpu in shown]


def _is_told(thread, row, running):
    """As in a record: idle threads that have never run are not worth it."""
    return (state.address_of(thread) in running or bool(thread["has_run"])
            or row.priority != IDLE_PRIORITY)


def _thread_row(thread, running):
    wrong = []
    process = state.target_of(thread["process"], wrong, "its program")
    priority, wants = int(thread["priority"]), int(thread["wants"])
    row = Thread(
        id=int(thread["id"]), cpu=int(thread["cpu"]), state=int(thread["state"]),
        flags=(ThreadFlags.IDLE if priority == IDLE_PRIORITY else 0)
        | (ThreadFlags.USER if int(thread["process"]) else 0),
        process=int(process["id"]) if process is not None else 0, priority=priority, count=0,
        since_ms=int(thread["since_us"]) // 1000 & 0xFFFFFFFF, valid=(0, 0),
        stack_bottom=int(thread["stack"]) & state.MASK64,
        stack_top=int(thread["stack_top"]) & state.MASK64,
        wait_object=(wants or int(thread["queue"])) & state.MASK64,
        wake_us=int(thread["wake_us"]), name=state.characters(thread["name"]),
        wait=state.text_at(thread["wait_reason"], NAME_BYTES - 1, wrong, "what it waits for"))
    if state.address_of(thread) in running:
        row.state = int(ThreadState.RUNNING)
    if not name_of(ThreadState, row.state).isalpha():
        wrong.append(f"there is no state {row.state}")
    if row.cpu >= len(running):
        wrong.append(f"there is no CPU {row.cpu}")
    if row.stack_bottom > row.stack_top:
        wrong.append(f"its stack ends at {row.stack_top:#x}, before it begins")
    return row, wrong


# ---- CPUs ---------------------------------------------------------------------------------------

@or_recorded("cpus", Cpu, "cpu")
def cpus():
    stop = state.variable("kernel/stop.c", "stop")
    count = max(int(state.variable("arch/x86_64/smp.c", "smp")["count"]), 1)
    owner, rows, problems = int(stop["owner"]), [], []
    scheduled = dict(state.elements(state.variable("kernel/schedule.c", "cpus")))
    if count > len(scheduled):
        problems.append(f"there cannot be {count} CPUs")
    for number in range(min(count, len(scheduled))):
        cpu = scheduled[number]
        if cpu is None:
            problems.append(f"CPU {number} cannot be read")
            continue
        shown = cpu["shown"]
        thread = state.target_of(shown["current"], problems, f"the current thread of CPU {number}")
        rows.append(Cpu(cpu=number, state=_cpu_state(stop["cpus"][number], number + 1 == owner),
                        thread=int(thread["id"]) if thread is not None else 0, count=0,
                        valid=(0, 0), ticks=int(shown["ticks"]), tick_us=int(shown["tick_us"])))
    return rows, problems


def _cpu_state(cpu, has_machine):
    """0: it runs, as far as stop.c knows."""
    if has_machine:
        return CpuState.CRASHED
    stopped = int(gdb.parse_and_eval("'kernel/stop.c'::STOPPED"))
    if int(cpu["state"]) == stopped:
        return CpuState.STOPPED
    return CpuState.SILENT if bool(cpu["lost"]) else 0


# ---- Locks --------------------------------------------------------------------------------------

@or_recorded("locks", Lock, "kind")
def locks():
    rows, problems = [], []
    running = _running()
    for cpu, held in state.elements(state.variable("kernel/lock.c", "held")):
        if held is None:
            problems.append(f"the locks of CPU {cpu} cannot be read")
            continue
        room = held["locks"].type.range()[1] + 1
        if int(held["count"]) > room:
            problems.append(f"CPU {cpu} cannot hold {int(held['count'])} spin locks")
        for n in range(min(int(held["count"]), room)):
            lock = state.target_of(held["locks"][n], problems, f"spin lock {n} of CPU {cpu}")
            if lock is not None:
                rows.append(_spin_row(lock, cpu, running[cpu], problems))
    return rows + _mutexes(problems), problems


def _spin_row(lock, cpu, thread, problems):
    current = state.struct_at(thread, "thread") if thread else None
    return Lock(state.address_of(lock), LockKind.SPIN,
                int(current["id"]) if current is not None else 0, cpu, 0, int(lock["site"]),
                state.text_at(lock["name"], NAME_BYTES - 1, problems, "a spin lock's name"))


def _mutexes(problems):
    rows, seen = [], set()
    pointer = state.variable("kernel/wait.c", "held")["first"]
    while int(pointer) and len(rows) < MUTEXES_MAX:
        if int(pointer) in seen:
            problems.append("the list of held mutexes is a circle")
            return rows
        seen.add(int(pointer))
        mutex = state.target_of(pointer, problems,
                                f"held mutex {len(seen)} of a list that ends there")
        if mutex is None:
            return rows
        rows += _mutex_row(mutex, problems)
        pointer = mutex["next"]
    return rows


def _mutex_row(mutex, problems):
    name = state.text_at(mutex["waiters"]["lock"]["name"], NAME_BYTES - 1, problems,
                         "a mutex's name")
    owner = state.target_of(mutex["owner"], problems, f'the owner of mutex "{name}"')
    if owner is None:
        problems.append(f'mutex "{name}" at {state.address_of(mutex):#x} is listed as held, and '
                        "nobody has it")
    return [Lock(state.address_of(mutex), LockKind.MUTEX,
                 int(owner["id"]) if owner is not None else 0,
                 int(owner["cpu"]) if owner is not None else 0, 0, int(mutex["site"]), name)]


# ---- Events -------------------------------------------------------------------------------------

@or_recorded("events", Event, "time_us")
def events():
    """Of all CPUs, merged by time."""
    rows, problems = [], []
    for cpu, ring in state.elements(state.variable("kernel/flight.c", "rings")):
        if ring is None:
            problems.append(f"the events of CPU {cpu} cannot be read")
            continue
        size = ring["events"].type.range()[1] + 1
        count = int(ring["count"])
        for n in range(max(count - size, 0), count):
            event = ring["events"][n % size]
            rows.append(Event(*(int(event[name]) for name in (
                "time_us", "pc", "argument", "kind", "cpu", "number"))))
    return rows, problems
