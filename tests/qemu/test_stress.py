"""test_stress.py - run=stress: everything at once, for a few seconds.

It checks itself: any rule that is broken ends in a panic, whose words the console then shows.
"""

from __future__ import annotations

import re

import pytest

from guest import wait_until
from monitor import Monitor
from programs import WAITING, addresses_of

WELL = "stress: all is well"
KINDS = {"mutex turns", "items produced", "items consumed", "signals passed on", "sleeps",
         "computations", "threads", "heap blocks", "frames", "programs"}
BREAK_INS = 10
LEAVES = 5
PASSED = "handle SIGFPE SIGSEGV nostop noprint pass"  # programs end by them


def check(guest, cpus: int) -> None:
    status = guest.wait()
    assert (status, WELL in guest.said) == (0, True), guest.said
    assert f"{cpus} CPUs\r\n" in guest.said
    done = dict(re.findall(r"^    (\w[a-z ]*\w) +(\d+)\r$", guest.said, re.MULTILINE))
    assert set(done) == KINDS
    assert [kind for kind, count in done.items() if int(count) == 0] == []
    assert done["items produced"] == done["items consumed"]
    assert guest.said.count(" ticks, ") == cpus


@pytest.mark.parametrize("cpus", [1, 2, 4, 8])
def test_nothing_breaks_under_stress(boot, cpus):
    check(boot("run=stress:3", "--smp", str(cpus)), cpus)


def test_workers_that_come_too_late_do_their_part_all_the_same(boot, attach):
    """As on a host so busy that the time is over before each has had its first turn."""
    guest = boot("gdbwait run=stress:1", "--smp", "2")
    guest.wait_for(WAITING)
    debugger = attach(guest)
    debugger("tbreak start_job")
    assert debugger.resume()["func"] == "start_job"
    debugger("set var stress.over = 1")
    debugger("detach")
    check(guest, 2)


def test_nothing_breaks_while_gdb_breaks_in(boot, attach):
    """At moments that the machine's own speed chooses."""
    guest = boot("gdbwait run=stress:4", "--smp", "4")
    guest.wait_for(WAITING)
    debugger = attach(guest)
    debugger(PASSED)
    for _ in range(BREAK_INS):
        debugger.start()
        stop = debugger.interrupt()
        assert stop["signal-name"] == "SIGINT"
        assert debugger.number("debugger.machine.cpu") < 4
    debugger("detach")
    check(guest, 4)


def test_the_machine_goes_on_when_gdb_leaves_it_at_a_system_call(boot, attach, kernel_elf,
                                                                 tmp_path):
    """Another CPU may have been about to tell GDB of its own."""
    guest = boot("run=stress:1000", "--smp", "4", *Monitor.options(tmp_path / "qmp"))
    guest.wait_for("stress: seed")
    monitor = Monitor(tmp_path / "qmp")
    [clock] = addresses_of(kernel_elf, ["'kernel/schedule.c'::cpus[0].shown.ticks"])

    def ticks() -> bytes:
        return monitor.kernel_memory(clock, 8)

    for _ in range(LEAVES):
        debugger = attach(guest)
        debugger(PASSED)
        debugger("catch syscall 1")
        assert debugger.resume()["reason"].startswith("syscall")
        debugger("detach")
        before = ticks()
        wait_until(lambda: ticks() != before, "no tick comes any more")
    monitor.close()
