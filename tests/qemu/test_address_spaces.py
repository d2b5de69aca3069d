"""test_address_spaces.py - memory of user programs: whose it is, and who can see it.

The kernel's own check (run=memory) makes the spaces; the tables are read as the processor does.
"""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from debugger import GdbError
from monitor import Monitor
from programs import BEATING, WAITING

CR4 = {"PGE": 1 << 7, "UMIP": 1 << 11, "SMEP": 1 << 20, "SMAP": 1 << 21}
PRESENT, WRITE, USER, NX = 1, 2, 4, 1 << 63
MAP_WRITE, MAP_EXECUTE = 2, 4
FRAME = 0xffffffffff000
CHECKED = "memory: as it should be"
FIRST = 0x10000  # the lowest address that a program may have


@pytest.fixture
def machine(boot, attach, tmp_path: Path):
    """GDB and QEMU's monitor at a machine that is about to check its memory."""
    guest = boot("run=memory gdbwait", *Monitor.options(tmp_path / "qmp"))
    guest.wait_for(WAITING)
    monitor = Monitor(tmp_path / "qmp")
    yield attach(guest), monitor, guest
    monitor.close()


def test_the_memory_of_the_kernel_is_as_it_should_be(boot):
    guest = boot("run=memory")
    assert guest.wait() == 0
    assert CHECKED in guest.said


def test_memory_above_4_gib_is_handed_out(boot):
    guest = boot("run=memory", "--memory", "128", "--", "-machine", "max-ram-below-4g=64M")
    assert guest.wait() == 0
    assert "the highest at 0x103fff000" in guest.said


def test_a_processor_without_protections_runs_the_kernel_all_the_same(boot):
    guest = boot("run=memory", "--", "-cpu", "qemu64")
    assert guest.wait() == 0
    assert CHECKED in guest.said


@pytest.mark.parametrize("name", CR4)
def test_the_processor_is_told_to_protect(boot, tmp_path, name):
    guest = boot("", *Monitor.options(tmp_path / "qmp"))
    guest.wait_for(BEATING)
    monitor = Monitor(tmp_path / "qmp")
    assert monitor.control_register(4) & CR4[name]
    monitor.close()


def entries(monitor: Monitor, root: int, address: int) -> list[int]:
    """The page table entries on the way to a small page, from the root."""
    found = []
    for level in (3, 2, 1, 0):
        index = address >> (12 + 9 * level) & 511
        [entry] = struct.unpack("<Q", monitor.physical_memory((root & FRAME) + 8 * index, 8))
        found.append(entry)
        root = entry
    return found


def test_user_pages_are_the_users_and_have_the_permissions_asked_for(machine):
    debugger, monitor, _ = machine
    debugger("break arch_space_unmap")
    debugger("break check_partial_copies")
    seen = []
    while debugger.resume()["func"] == "arch_space_unmap":
        space, address = debugger.number("space"), debugger.number("address")
        debugger("up")
        wanted = debugger.number("wanted")
        path = entries(monitor, space, address)
        assert all(entry & PRESENT and entry & USER for entry in path), path
        assert bool(path[-1] & WRITE) == bool(wanted & MAP_WRITE)
        assert bool(path[-1] & NX) == (not wanted & MAP_EXECUTE)
        seen.append((address, wanted))
    assert len(seen) == len(set(seen)) == 18


def test_the_kernels_half_is_not_the_users_in_a_users_space(machine, symbols):
    debugger, monitor, _ = machine
    debugger("break visit")
    debugger.resume()
    pages = monitor.pages()
    assert [hex(page.address) for page in pages if page.user] == [hex(FIRST)]
    assert any(page.address == symbols["__text_start"] & -4096 for page in pages)


def test_a_debugger_reads_and_writes_the_memory_of_the_space_that_is_loaded(machine):
    debugger, _, _ = machine
    debugger("break visit")
    debugger.resume()
    assert '"what a user program wrote"' in debugger(f"x/s {FIRST:#x}")
    debugger(f"set var *(char *){FIRST:#x} = 'W'")
    assert '"What a user program wrote"' in debugger(f"x/s {FIRST:#x}")
    debugger.resume()  # the kernel's own space is loaded again
    with pytest.raises(GdbError, match="Cannot access memory"):
        debugger(f"x/2xb {FIRST:#x}")


def test_a_breakpoint_may_stand_in_a_user_program(machine):
    debugger, _, _ = machine
    debugger("break visit")
    debugger.resume()
    debugger(f"tbreak *{FIRST + 1:#x}")
    debugger("delete 1")
    debugger("tbreak arch_space_load")  # inserting fails if either is refused
    assert debugger.resume()["func"] == "arch_space_load"


def test_the_kernel_cannot_touch_user_memory_by_itself(machine):
    debugger, _, guest = machine
    debugger("break visit")
    debugger.resume()
    debugger(f"set var $rdi = {FIRST:#x}")
    debugger("set var $rip = strlen")  # a wild pointer of the kernel's, as any function has
    stop = debugger.resume()
    assert (stop["signal-name"], stop["func"]) == ("SIGSEGV", "strlen")
    debugger.start()
    assert guest.wait() == 70
