"""test_crash_cpus.py - a crash beside other CPUs: they are stopped, the record tells of them."""

from __future__ import annotations

import json
import re

import pytest

from conftest import make_copies
from crashes import CRASHES, STATUS
from crashlib.record import load
from guest import ROOT
from programs import run
from test_crash_sinks import read

CRASH = str(ROOT / "scripts/crash.py")
CPUS = 4
MIB = "64"  # less than usual is used up sooner
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Capstone's distutils
BUDGET = 24 << 10  # bytes on the line
# Of two-cpus:
BOTH_FAIL_IN = {"weigh", "weigh_together", "wait_for_parcels", "provoke_two_cpus"}


@pytest.fixture
def crash_beside_others(boot, tmp_path):
    """crash_beside_others(name, options) is what the console said, and the decoder's report."""
    def crash(name: str, options: str = "gdb=off") -> tuple[str, dict]:
        guest = boot(f"run=provoke:{name} {options}", "--smp", str(CPUS))
        assert guest.wait() == STATUS, guest.said
        log = tmp_path / "console.log"
        log.write_text(guest.said)
        return guest.said, json.loads(run([CRASH, "report", "--json", str(log)]))
    return crash


@pytest.mark.parametrize("name", [name for name, crash in CRASHES.items() if not crash.early])
def test_every_sink_has_a_record_that_tells_of_every_cpu(kernel_elf, report_of, tmp_path, name):
    crash = CRASHES[name]
    copies = make_copies(kernel_elf, name, tmp_path, "--smp", str(CPUS), "--memory", MIB)
    [line] = load(copies.log)
    records = [line, read(copies.disk)[0]] + load(copies.again)[:1] * crash.sent_again
    for record in records:
        report = report_of(record)
        assert report.complete and report.rule == crash.rule, (record.provenance, report.missing)
        assert sorted(cpu.state for cpu in report.cpus) == ["crashed"] + ["stopped"] * (CPUS - 1)
    assert {record.record_id for record in records} == {line.record_id}


def test_the_record_of_four_cpus_is_short_enough_for_a_serial_line(crash_beside_others):
    said, _ = crash_beside_others("locked")
    assert len(said.encode()) <= BUDGET


def test_a_cpu_that_crashes_too_is_shown_where_it_did(crash_beside_others):
    """Either may be the first, and have the record for itself; the other has failed, too, or is
    about to."""
    _, report = crash_beside_others("two-cpus")
    [other] = [cpu for cpu in report["cpus"]
               if cpu["cpu"] in (0, 1) and cpu["state"] != "crashed"]
    assert {frame["function"] for frame in other["frames"]} & BOTH_FAIL_IN, other


def test_a_cpu_that_hears_no_interrupt_is_stopped_all_the_same(crash_beside_others):
    _, report = crash_beside_others("beside-spin")
    assert any(frame["function"] == "spin"
               for cpu in report["cpus"] for frame in cpu["frames"][:2])


def test_locks_are_told_with_their_owners(crash_beside_others):
    """Another CPU may have been stopped in the middle of a tick."""
    _, report = crash_beside_others("locked")
    found = {(lock["name"], lock["kind"], lock["owner"]) for lock in report["locks"]}
    assert {lock for lock in found if lock[0] != "scheduler"} == \
        {("shelf", "spin", 1), ("counter", "spin", 1), ("ledger", "mutex", 1)}


def test_oncrash_gdb_lets_a_debugger_look_at_every_cpu(boot, attach):
    guest = boot("oncrash=gdb run=provoke:two-cpus", "--smp", str(CPUS))
    guest.wait_for("to decode this console's log")
    debugger = attach(guest)
    running = re.findall(r"^[* ] (\d+) .*\(running on CPU (\d)\)", debugger("info threads"),
                         re.MULTILINE)
    assert sorted(cpu for _, cpu in running) == ["0", "1", "2", "3"]
    for number in [number for number, cpu in running if cpu in "01"]:
        debugger(f"thread {number}")
        functions = set(debugger.functions())
        assert functions & BOTH_FAIL_IN, "the other is perhaps only on its way into its trap"
        assert "crash_handle" not in functions
