"""test_crash_guard.py - a crash's watchdog takes what is slow for what stands still nowhere."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from crashes import STATUS
from crashlib.record import Record, load
from guest import wait_until
from monitor import Monitor
from programs import addresses_of

PATIENCE, LINE_PATIENCE, DISK_PATIENCE = 20, 60, 60  # ticks
LONGER_THAN_DISK_S = 2.5
PAGE = 4096
SLOW = ["--", "-icount", "shift=9"]  # two million instructions a second


@pytest.fixture
def ticks_left(kernel_elf: Path) -> Callable[[Monitor], int]:
    [ticks] = addresses_of(kernel_elf, ["'kernel/crash_guard.c'::guard.ticks"])
    return lambda monitor: int.from_bytes(monitor.kernel_memory(ticks, 4), "little", signed=True)


def is_whole(record: Record) -> bool:
    return record.complete and record.problems == [] and record.nested == []


def test_a_slow_machine_loses_nothing(boot, tmp_path):
    """Megabytes of zeros, say, are one section."""
    guest = boot("run=provoke:null-read", "--disk", str(tmp_path / "disk"), *SLOW)
    assert guest.wait() == STATUS
    for [record] in (load(guest.said.encode()), load(tmp_path / "disk")):
        assert is_whole(record)


@pytest.mark.parametrize("room", [PAGE, 2 * PAGE])
def test_a_slow_reader_loses_nothing(boot, ticks_left, tmp_path, room):
    """Of the report, or of the record: the line has more patience."""
    guest = boot("run=provoke:null-read crashdump=serial", *Monitor.options(tmp_path / "qmp"))
    with guest.unread(room):
        monitor = Monitor.when_ready(tmp_path / "qmp")
        wait_until(lambda: PATIENCE < ticks_left(monitor) < LINE_PATIENCE - PATIENCE,
                   "it never waits for longer than others may")
    monitor.close()
    assert guest.wait() == STATUS
    [record] = load(guest.said.encode())
    assert "serial written" in guest.said and is_whole(record)


def test_a_machine_that_is_held_up_keeps_its_disk(boot, ticks_left, tmp_path):
    """Neither has had that time."""
    disk = tmp_path / "disk"
    guest = boot("run=provoke:null-read crashdump=disk", "--disk", str(disk),
                 *Monitor.options(tmp_path / "qmp"),
                 "-set", "drive.disk.throttling.bps-write=20000")
    monitor = Monitor.when_ready(tmp_path / "qmp")
    wait_until(lambda: PATIENCE < ticks_left(monitor) < DISK_PATIENCE - 5, "it never waits")
    [thread] = monitor.host_threads()
    os.kill(thread, signal.SIGSTOP)
    time.sleep(LONGER_THAN_DISK_S)  # the subject itself: nobody is left to tell of its passing
    os.kill(thread, signal.SIGCONT)
    monitor.close()
    assert guest.wait() == STATUS
    assert "disk written" in guest.said
    assert is_whole(*load(disk))
