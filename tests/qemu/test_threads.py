"""test_threads.py - threads, one property at a time: run=threads checks from inside, GDB and the
console from outside.
"""

from __future__ import annotations

import re

import pytest

from crashes import STATUS
from programs import WAITING

CHECKS = ["round robin", "preemption", "priorities", "wake order", "timeout", "sleep order",
          "mutex", "join", "stacks", "floats", "console"]
LINES = 40  # that each processor prints
LINE = "line %u of CPU %u: the quick brown fox jumps over the lazy dog"

MISUSES = {
    "spin-twice": 'spin lock "outer" is taken a second time, first at pc 0x',
    "spin-out-of-order": 'spin lock "outer" is not the last that this CPU took',
    "spin-unlock-free": 'spin lock "outer" is not the last that this CPU took',
    "mutex-twice": 'mutex "misused" is taken a second time, first at pc 0x',
    "mutex-unlock-free": 'mutex "misused" is not the caller\'s',
    "wait-with-spin": "waiting with 2 spin locks held",
    "sleep-with-spin": "waiting with 1 spin locks held",
    "yield-with-spin": 'yielding with spin lock "outer" held',
    "end-with-mutex": 'thread 1 (main) ends with mutex "misused" held',
    "overflow": "double fault",
}


@pytest.mark.parametrize("cpus", [1, 4])
def test_threads_run_wait_and_end_as_they_should(boot, cpus):
    guest = boot("run=threads", "--smp", str(cpus))
    assert guest.wait() == 0, guest.said
    assert re.findall(r"threads: (.*): as it should be", guest.said) == CHECKS


def test_lines_that_several_processors_print_stay_whole(boot):
    guest = boot("run=threads", "--smp", "4")
    assert guest.wait() == 0, guest.said
    lines = guest.said.partition("floats: as it should be\r\n")[2].split("\r\n")[:-2]
    expected = {LINE.replace("%u", "{}").format(line, cpu)
                for line in range(LINES) for cpu in range(4)}
    assert [line for line in lines if line not in expected] == []
    assert len(lines) == len(expected)


@pytest.mark.parametrize("name", MISUSES)
def test_misuse_is_noticed_in_words(boot, name):
    guest = boot(f"run=threads:{name}")
    assert guest.wait() == STATUS, guest.said
    assert f"*** kernel crash: panic: {MISUSES[name]}" in guest.said or \
        (name == "overflow" and f"*** kernel crash: {MISUSES[name]}" in guest.said), guest.said


def test_a_stack_overflow_names_the_thread(boot):
    guest = boot("run=threads:overflow")
    assert guest.wait() == STATUS
    assert re.search(r"stack +0x\w+  in the guard page of the digger", guest.said), guest.said


@pytest.fixture
def ticked(boot, attach):
    """ticked(run, origin) is GDB, where the timer has interrupted code of that origin."""

    def start(run: str, origin: str):
        guest = boot(f"gdbwait run={run}")
        guest.wait_for(WAITING)
        debugger = attach(guest)
        debugger(f"break schedule_tick if trap->origin == {origin}")
        debugger.resume()
        return debugger

    return start


@pytest.mark.parametrize("run, origin", [("heartbeat", "TRAP_FROM_KERNEL"),
                                         ("user:compute:1000", "TRAP_FROM_USER")])
def test_the_timer_comes_by_the_common_path_and_says_whom_it_interrupted(ticked, run, origin):
    debugger = ticked(run, origin)
    kind, klass, name = (debugger(f"output trap->{field}") for field in ("kind", "class", "name"))
    assert (kind, klass) == ("TRAP_INTERRUPT", "TRAP_CLASS_INTERRUPT")
    assert "timer" in name
    assert (debugger.number("trap->pc") >> 63 == 0) == (origin == "TRAP_FROM_USER")


def test_the_flight_recorder_has_the_tick_with_its_vector_and_pc(ticked):
    debugger = ticked("heartbeat", "TRAP_FROM_KERNEL")
    debugger("set print elements 0")
    debugger("set print repeats unlimited")
    events = debugger("output rings[0].events")
    tick = (str(debugger.number("trap->pc")), str(debugger.number("trap->vector")))
    assert tick in re.findall(r"pc = (\d+),[^}]*number = (\d+)", events), events
