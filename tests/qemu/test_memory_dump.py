"""test_memory_dump.py - what QEMU dumps of a crashed machine's memory tells of the crash."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from debugger import DEADLINE
from guest import ROOT
from monitor import Monitor

CRASH = str(ROOT / "scripts/crash.py")


@pytest.fixture
def dump(boot, tmp_path) -> Path:
    """The memory of a machine that has crashed and halted, as an ELF core."""
    guest = boot("oncrash=halt run=provoke:null-read", *Monitor.options(tmp_path / "qmp"))
    guest.wait_for("to decode this console's log")
    monitor = Monitor(tmp_path / "qmp")
    monitor.dump_guest_memory(tmp_path / "memory")
    monitor.close()
    return tmp_path / "memory"


def test_the_record_is_found_in_memory_once_and_explained(dump):
    listed = subprocess.run([CRASH, "list", str(dump)], text=True, capture_output=True,
                            timeout=DEADLINE)
    assert len(listed.stdout.splitlines()) == 1, listed.stdout + listed.stderr
    done = subprocess.run([CRASH, "report", "--json", str(dump)], text=True, capture_output=True,
                          timeout=DEADLINE)
    report = json.loads(done.stdout)
    assert report["rule"] == "null-pointer" and report["place"]["function"] == "next_parcel"
