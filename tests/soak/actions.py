"""actions.py - what people do with GDB to a kernel under stress, and what they must see then.

An action begins and ends with the machine stopped, and leaves nothing inserted.  One that ends a
session leaves nothing but the machine.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from noise import DAMAGE
from session import GIVEN_UP, Session, expect

CPUS = 4
PLACES = ["heap_alloc", "heap_free", "frames_take", "frames_give", "mutex_lock", "mutex_unlock",
          "thread_yield", "thread_sleep_us", "schedule_tick", "schedule_next", "wait_in",
          "stress_random", "wake_one", "wake_all", "program_resolve", "stress_is_over"]
COUNTERS = {"mutex turns": 0, "sleeps": 4, "heap blocks": 7, "frames": 8}  # rows of `kinds`
STEPS = ["stepi", "nexti", "step", "next", "finish", "until", "stepi 20", "next 3", "step 5",
         "advance schedule_tick"]
STEPPED = {"end-stepping-range", "function-finished", "location-reached", "signal-received",
           "breakpoint-hit", GIVEN_UP}
LOOKS = ["info threads", "info registers", "info all-registers", "backtrace 20", "info locals",
         "info os threads", "x/20i $pc", "x/64xg $sp", "monitor cpus", "monitor threads",
         "monitor log 20", "monitor stats", "monitor idt 14", "info breakpoints", "print stress",
         "find /b &heap_alloc, +0x8000, 0x0f, 0x05", "thread apply 1-4 backtrace 5"]
REFUSABLE = {"x/64xg $sp", "x/20i $pc", "backtrace 20", "thread apply 1-4 backtrace 5",
             "info locals"}


def check(session: Session) -> None:
    """Nothing is left of others, nothing is broken."""
    planted = session("monitor breakpoints")
    expect(planted.startswith("none") or session.has_given_up(),
           "no breakpoint of another session", planted)
    sections = session("compare-sections -r")
    expect("MIS-MATCHED" not in sections and ".text" in sections, "code as it was built", sections)
    said = session("monitor selftest")
    expect(said.count("unchanged") == 2 and "NOT" not in said, "the self-test to pass", said)
    silent = session("monitor cpus")
    expect("answer" not in silent, "CPUs that answer", silent)


def hit_a_breakpoint(session: Session) -> None:
    place, kind = session.chance.choice(PLACES), session.chance.choice(
        ["break", "tbreak", "hbreak", "thbreak"])
    session(f"{kind} {place}")
    for _ in range(session.chance.randint(1, 6) if kind in ("break", "hbreak") else 1):
        stop = session.resume()
        expect((stop.get("reason"), stop.get("func")) == ("breakpoint-hit", place),
               f"the {kind} at {place} to be hit", stop)
    session("delete")


def hit_one_of_many(session: Session) -> None:
    places = session.chance.sample(PLACES, session.chance.randint(2, 6))
    for place in places:
        session(f"break {place}")
    for _ in range(session.chance.randint(1, 10)):
        stop = session.resume()
        expect(stop.get("func") in places, f"one of {places} to be hit", stop)
    session("delete")


def hit_a_condition(session: Session) -> None:
    cpu = session.chance.randrange(CPUS)
    session(f"break schedule_tick if trap->cpu == {cpu}")
    for _ in range(session.chance.randint(1, 3)):
        stop = session.resume()
        expect(stop.get("func") == "schedule_tick" and session.number("trap->cpu") == cpu,
               f"a tick of CPU {cpu}", stop)
    session("delete")


def never_hit_a_condition(session: Session) -> None:
    session(f"break {session.chance.choice(PLACES)} if stress.jobs[0][0].cpu == 99")
    stop = session.resume_for("continue", session.chance.uniform(0, 1))
    expect(stop.get("signal-name") == "SIGINT", "no hit", stop)
    session("delete")


def watch(session: Session) -> None:
    counter = f"stress.jobs[{session.chance.randrange(CPUS)}]" \
              f"[{session.chance.choice(list(COUNTERS.values()))}].done"
    before = session.number(counter)
    session(f"watch {counter}")
    for _ in range(session.chance.randint(1, 3)):
        stop = session.resume()
        expect(stop.get("reason") == "watchpoint-trigger", f"{counter} to be written", stop)
        old, new = int(stop["old"]), int(stop["new"])
        expect(old == before < new, f"{counter} to grow from {before}", stop)
        before = new
    session("delete")


def step(session: Session) -> None:
    if session.chance.random() < 0.5:
        hit_a_breakpoint(session)
    for _ in range(session.chance.randint(1, 5)):
        command = session.chance.choice(STEPS)
        stop = session.resume_for(command, session.chance.uniform(0.1, 3))
        finished = command == "finish" and "reason" not in stop  # out of code without symbols
        expect(not stop or finished or stop.get("reason") in STEPPED,
               f"{command!r} to come to an end", stop)


def is_in_a_program(session: Session) -> bool:
    return session.number("$cs & 3") != 0


def step_alone(session: Session) -> None:
    """The others stand still meanwhile.  What the kernel does for a program in one step of it may
    wait for a lock that one of them has."""
    if is_in_a_program(session):
        return
    session("set scheduler-locking on")
    here = session.number("debugger.machine.cpu")
    ticks = "'kernel/schedule.c'::cpus[{}].shown.ticks".format((here + 1) % CPUS)
    before = session.number(ticks)
    stop = session.resume_alone(f"stepi {session.chance.randint(1, 30)}")
    expect(stop.get("reason") in ("end-stepping-range", GIVEN_UP), "the steps to end", stop)
    expect(session.number(ticks) == before, "the other CPUs to stand still", session.number(ticks))
    session("set scheduler-locking off")


def call(session: Session) -> None:
    if is_in_a_program(session) or session.has_given_up():
        return  # the call would be refused what was refused before
    session("set scheduler-locking on")  # GDB gives a call up when another thread has a signal
    count = session.call("arch_cpu_count()")
    expect(count == CPUS, f"a call to say {CPUS}", count)
    expect(session.call("stress_is_over()") in (0, 1), "a truth value", "another")
    session("set scheduler-locking off")


def break_in(session: Session) -> None:
    for _ in range(session.chance.randint(1, 5)):
        stop = session.resume_for("continue", session.chance.uniform(0, 0.3))
        expect(stop.get("signal-name") == "SIGINT", "Ctrl-C to stop it", stop)


def print_on_the_way(session: Session) -> None:
    """Until the kernel has printed."""
    mark = f"soak {session.chance.randrange(10 ** 9)}"
    session("set dprintf-style agent")
    session(f'dprintf schedule_tick,"{mark}, CPU %d\\n",trap->cpu')
    session.start()
    deadline = time.monotonic() + 60
    while session.gdb.said.count(mark) < 5 and time.monotonic() < deadline:
        if (stop := session.gdb.stop_within(0.05)) is not None:
            session.look(stop)  # a Ctrl-C that came late
            session.start()
    session.interrupt()
    expect(mark in session.gdb.said, "dprintf to print", session.gdb.said[-500:])
    session("delete")


def catch_a_system_call(session: Session) -> None:
    session("catch syscall 1")
    stop = session.resume_for("continue", 5)
    expect(stop.get("reason", "").startswith("sys") or stop.get("signal-name") == "SIGINT",
           "a system call", stop)
    session("delete")


def look(session: Session) -> None:
    for command in session.chance.sample(LOOKS, 3):
        if command in REFUSABLE:
            session.try_to(command)
        else:
            session(command)


def look_at_a_thread(session: Session) -> None:
    rows = re.findall(r"^([* ]) +(\d+) +Thread", session("info threads"), re.MULTILINE)
    session(f"thread {session.chance.choice(rows)[1]}")
    session.try_to("backtrace 20")
    session("info registers")
    session(f"thread {dict(rows)['*']}")


def write_what_is_there(session: Session) -> None:
    for what in ("$rax", "$eflags", "stress.jobs[0][0].cpu", "$xmm0.v2_int64[0]"):
        session.try_to(f"set var {what} = {what}")


def bear_noise(session: Session) -> None:
    """Between two requests, and while the machine runs."""
    for _ in range(3):
        session.tap.inject(session.chance.choice(list(DAMAGE.values()))(session.chance))
        session("maintenance packet qC")
    session.start()
    session.tap.inject(session.chance.choice(list(DAMAGE.values()))(session.chance))
    session.interrupt()


ACTIONS: dict[Callable[[Session], None], int] = {  # and how often, in proportion
    hit_a_breakpoint: 8, hit_one_of_many: 4, hit_a_condition: 4, never_hit_a_condition: 2,
    watch: 5, step: 8, step_alone: 2, call: 3, break_in: 6, print_on_the_way: 1,
    catch_a_system_call: 2, look: 4, look_at_a_thread: 3, write_what_is_there: 2, bear_noise: 3,
    check: 2,
}


# ---- Ends of a session ----

def detach(session: Session) -> None:
    session("detach")


def be_killed_while_stopped(session: Session) -> None:
    session(f"break {session.chance.choice(PLACES)}")
    session.kill()


def be_killed_while_running(session: Session) -> None:
    """Breakpoints are planted, and will be hit with nobody there.  When is chance: no event is
    awaited.  A place that is inlined elsewhere takes two of the four debug registers."""
    for n, place in enumerate(session.chance.sample(PLACES, session.chance.randint(0, 3))):
        kind = session.chance.choice(["break", "hbreak"]) if n < 2 else "break"
        session(f"{kind} {place} if stress.jobs[0][0].cpu == {session.chance.randrange(2)}")
    session.give("continue")
    time.sleep(session.chance.uniform(0, 0.5))
    session.kill()


def be_killed_in_the_middle(session: Session) -> None:
    """Of packets that come and go: anywhere, and so no event is awaited."""
    session.give(session.chance.choice(
        ["stepi 10000", "info threads", "x/20000xb &heap_alloc", "next 100", "finish",
         "compare-sections -r", "watch stress.jobs[0][0].done", "monitor idt"]))
    time.sleep(session.chance.uniform(0, 0.3))
    session.kill()


ENDS: dict[Callable[[Session], None], int] = {
    detach: 4, be_killed_while_stopped: 2, be_killed_while_running: 3, be_killed_in_the_middle: 3,
}


def choose(chance, table: dict[Callable, int]) -> Callable:
    return chance.choices(list(table), list(table.values()))[0]
