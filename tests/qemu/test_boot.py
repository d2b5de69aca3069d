"""test_boot.py - every way to boot reaches the kernel's work, with its command line."""

from __future__ import annotations

import pytest

from packets import Line
from programs import BEATING, WAITING

GIB = 1 << 30
MIB = 1 << 20
DIRECT_MAP = 0xffff800000000000


def test_qemu_boots_the_elf_file(boot):
    boot("").wait_for(BEATING)


def test_grub_boots_the_iso_by_bios(boot, kernel_iso):
    boot("run=heartbeat", "--iso", str(kernel_iso)).wait_for(BEATING)


def test_grub_boots_the_iso_by_uefi(boot, kernel_iso):
    boot("run=heartbeat", "--iso", str(kernel_iso), "--uefi").wait_for(BEATING)


def test_a_debugger_attaches_to_what_grub_has_booted(boot, attach, kernel_iso):
    guest = boot("run=heartbeat", "--iso", str(kernel_iso))
    guest.wait_for(BEATING)
    debugger = attach(guest)
    debugger("break take_sample")
    assert debugger.resume()["func"] == "take_sample"


def test_the_command_line_works_from_append(boot):
    guest = boot("run=provoke:list")
    assert guest.wait() == 0
    assert "stack-overflow" in guest.said


def test_the_command_line_works_from_grub(boot, kernel_iso):
    guest = boot("run=provoke:list", "--iso", str(kernel_iso))
    assert guest.wait() == 0
    assert "stack-overflow" in guest.said


def test_what_is_no_option_is_named_and_ignored(boot):
    guest = boot("rum=heartbeat")
    assert '"rum=heartbeat" is ignored' in guest.wait_for(BEATING)


@pytest.mark.parametrize("option", ["loglevel=error", "loglevel=0"])
def test_loglevel_keeps_the_log_from_the_console(boot, option):
    guest = boot(f"{option} run=provoke:int3")
    assert guest.wait() == 0
    assert "int3" not in guest.said


def test_the_kernel_runs_on_one_of_four_processors(boot):
    guest = boot("", "--smp", "4")
    guest.wait_for(BEATING)


@pytest.mark.parametrize("mib", [64, 128, 3500])
def test_all_memory_and_no_more_is_in_the_direct_map(boot, connect, mib):
    line = boot_with_memory(boot, connect, mib)
    assert is_readable(line, (mib - 1) * MIB - 8)
    assert not is_readable(line, mib * MIB)


def test_memory_above_4_gib_is_in_the_direct_map(boot, connect):
    line = boot_with_memory(boot, connect, 5 * 1024)
    # QEMU's PC has 3 GiB below 4 GiB, and the rest above.
    assert is_readable(line, 3 * GIB - MIB)
    assert not is_readable(line, 3 * GIB)
    assert is_readable(line, 4 * GIB)
    assert is_readable(line, 6 * GIB - 8)
    assert not is_readable(line, 6 * GIB)


def boot_with_memory(boot, connect, mib: int) -> Line:
    guest = boot("gdbwait", "--memory", str(mib))
    guest.wait_for(WAITING)
    return connect(guest)


def is_readable(line: Line, physical: int) -> bool:
    reply = line.request(f"m{DIRECT_MAP + physical:x},8")
    assert reply.startswith("E") or len(reply) == 16, reply
    return not reply.startswith("E")
