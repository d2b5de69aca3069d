"""test_watchdog.py - a processor that no longer ticks is caught by another one, where it stands."""

from __future__ import annotations

import json
import re
import subprocess

import pytest

from crashes import STATUS
from guest import ROOT
from programs import WAITING

CAUGHT = re.compile(r"panic: watchdog: CPU (\d) has not ticked for (\d+\.\d) s, seen by CPU (\d)")
STEPS = 200  # of GDB: most take longer together than the watchdog waits


def test_a_processor_that_spins_with_interrupts_off_is_caught(boot):
    guest = boot("watchdog=1 run=provoke:spin", "--smp", "2")
    assert guest.wait() == STATUS, guest.said
    assert CAUGHT.search(guest.said).groups() == ("0", "1.0", "1")


def test_two_processors_that_wait_for_each_other_are_caught_by_a_third(boot):
    guest = boot("watchdog=1 run=provoke:deadlock", "--smp", "3")
    assert guest.wait() == STATUS, guest.said
    caught, _, by = CAUGHT.search(guest.said).groups()
    assert (caught, by) == ("0", "2")


def test_the_record_is_about_the_stuck_code(boot, tmp_path):
    guest = boot("watchdog=1 run=provoke:spin", "--smp", "2")
    assert guest.wait() == STATUS
    log = tmp_path / "console.log"
    log.write_text(guest.said)
    report = json.loads(subprocess.run(
        [ROOT / "scripts/crash.py", "report", "--json", log], check=True, text=True,
        stdout=subprocess.PIPE).stdout)
    assert report["place"]["function"] == "provoke_spin"
    assert report["event"]["cpu"] == 0


def test_a_debugger_gets_the_stuck_processor_first(boot, attach):
    guest = boot("gdbwait watchdog=1 run=provoke:spin", "--smp", "2")
    guest.wait_for(WAITING)
    debugger = attach(guest)
    stop = debugger.resume()
    assert (stop["signal-name"], stop["func"]) == ("SIGABRT", "provoke_spin")
    assert "kernel crash" not in guest.said
    debugger("set var counter.parcel_count = 1")
    debugger.start("signal 0")
    guest.wait_for("provoke: spin did not fail")


def test_time_in_the_debugger_is_no_standstill(boot, attach):
    """One processor steps, with interrupts held back; the others run on between the steps."""
    guest = boot("gdbwait watchdog=1 run=heartbeat", "--smp", "3")
    guest.wait_for(WAITING)
    debugger = attach(guest)
    debugger("break heartbeat_run")
    debugger.resume()
    stop = debugger.resume(f"stepi {STEPS}")
    assert stop["reason"] == "end-stepping-range"
    debugger("delete")
    debugger.start()
    guest.wait_for("heartbeat 2:")
    assert not CAUGHT.search(guest.said)


@pytest.mark.parametrize("options", ["watchdog=0 run=provoke:spin", "watchdog=1 run=threads"])
def test_nobody_is_caught(boot, options):
    """With the option off; and while all tick."""
    guest = boot(options, "--smp", "2", "--timeout", "5")
    guest.wait()
    assert not CAUGHT.search(guest.said)
