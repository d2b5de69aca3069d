"""test_crash_guard.py - a crash's watchdog takes what is slow for what stands still nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from crashes import STATUS
from crashlib.record import Record, load
from guest import wait_until
from monitor import Monitor
from programs import addresses_of

PATIENCE = 20  # ticks
PAGE = 4096
SLOW = ["--", "-icount", "shift=9"]  # two million instructions a second


def is_whole(record: Record) -> bool:
    return record.complete and record.problems == [] and record.nested == []


def test_a_slow_machine_loses_nothing(boot, tmp_path):
    """Megabytes of zeros, say, are one section."""
    guest = boot("run=provoke:null-read", "--disk", str(tmp_path / "disk"), *SLOW)
    assert guest.wait() == STATUS
    for [record] in (load(guest.said.encode()), load(tmp_path / "disk")):
        assert is_whole(record)


@pytest.mark.parametrize("room", [PAGE, 2 * PAGE])
def test_a_slow_reader_loses_nothing(boot, kernel_elf: Path, tmp_path, room):
    """Of the report, or of the record: the line has more patience."""
    [ticks] = addresses_of(kernel_elf, ["'kernel/crash_guard.c'::guard.ticks"])
    guest = boot("run=provoke:null-read crashdump=serial", *Monitor.options(tmp_path / "qmp"))

    def left() -> int:
        return int.from_bytes(monitor.kernel_memory(ticks, 4), "little", signed=True)

    with guest.unread(room):
        monitor = Monitor.when_ready(tmp_path / "qmp")
        wait_until(lambda: left() > PATIENCE, "it never writes")
        wait_until(lambda: left() < PATIENCE * 2, "it never waits")
    monitor.close()
    assert guest.wait() == STATUS
    [record] = load(guest.said.encode())
    assert "serial written" in guest.said and is_whole(record)
