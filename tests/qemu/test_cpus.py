"""test_cpus.py - several processors, their timers, messages and stacks, on machines of all kinds.

run=cpus checks from inside that all tick, that each two hear each other, and that NMIs are handled
on stacks of their own; here it has to say so, and QEMU looks at the page tables.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest

from debugger import Debugger
from monitor import PAGE, Monitor
from programs import KERNEL_BASE, WAITING

CHECK = "run=cpus"
FINE = "cpus: all is well"
STACKS = {"NMI entry stack", "double fault stack", "machine check stack", "debug exception stack",
          "breakpoint stack", "debugger stack", "fatal stack", "exception stack", "NMI stack"}
INTERRUPT_STACKS = 5
LOW_MEMORY = range(0x400, 0x3000)  # BIOS data, and the pages that are looked at first


def check(guest, cpus: int) -> None:
    """The check must have been passed, by that many processors."""
    status = guest.wait()
    assert (status, FINE in guest.said) == (0, True), guest.said
    assert f"cpus: {cpus} run" in guest.said
    found = {int(cpu): [int(n) for n in counts] for cpu, *counts in re.findall(
        r"CPU (\d+): (\d+) ticks, (\d+) reschedules, (\d+) flushes, (\d+) NMIs", guest.said)}
    assert sorted(found) == list(range(cpus))
    assert {cpu: counts[1:] for cpu, counts in found.items()} == \
        {cpu: [cpus - 1] * 3 for cpu in range(cpus)}
    assert all(counts[0] >= 10 for counts in found.values()), found


@pytest.mark.parametrize("cpus", [1, 2, 4, 8])
def test_all_processors_tick_and_hear_each_other(boot, cpus):
    check(boot(CHECK, "--smp", str(cpus)), cpus)


def test_more_processors_than_the_kernel_knows_are_left_alone(boot):
    check(boot(CHECK, "--smp", "9"), 8)


def test_processors_start_where_grub_has_booted_by_bios(boot, kernel_iso):
    check(boot(CHECK, "--iso", str(kernel_iso), "--smp", "4"), 4)


def test_processors_start_where_grub_has_booted_by_uefi(boot, kernel_iso):
    check(boot(CHECK, "--iso", str(kernel_iso), "--uefi", "--smp", "4"), 4)


def test_processors_whose_numbers_have_gaps(boot):
    """Three cores in each of two sockets: the local APICs are 0, 1, 2, 4, 5 and 6."""
    check(boot(CHECK, "--", "-smp", "6,sockets=2,cores=3,threads=1"), 6)


@pytest.mark.parametrize("options", [
    ["-cpu", "qemu64"], ["-cpu", "max,-x2apic"], ["-machine", "q35"]], ids=" ".join)
def test_other_machines(boot, options):
    check(boot(CHECK, "--smp", "2", "--", *options), 2)


@pytest.mark.parametrize("options", [
    ["-cpu", "qemu64,-apic"], ["-machine", "pc,acpi=off"]], ids=" ".join)
def test_a_machine_that_names_no_processors_has_one_that_ticks(boot, options):
    check(boot(CHECK, "--smp", "1", "--", *options), 1)


def test_without_acpi_the_others_are_not_started(boot):
    check(boot(CHECK, "--smp", "4", "--", "-machine", "pc,acpi=off"), 1)


def test_a_message_keeps_its_destination_when_an_nmi_sends_another(boot):
    """Emulating single instructions, QEMU lets NMIs in between any two."""
    check(boot(CHECK, "--smp", "3", "--", "-singlestep"), 3)


@pytest.fixture
def wait_to_check(boot, attach) -> Callable:
    """wait_to_check(...) is a machine that waits for GDB to let it run the check, and that GDB."""

    def start(*arguments: str):
        guest = boot(f"gdbwait {CHECK}", *arguments)
        guest.wait_for(WAITING)
        return guest, attach(guest)

    return start


def test_without_a_timer_of_their_own_all_tick_by_the_interval_timer(wait_to_check):
    guest, debugger = wait_to_check("--smp", "4")
    assert debugger.number("local_apic.timer_hz") > 0
    debugger("set var local_apic.timer_hz = 0")
    debugger("detach")
    check(guest, 4)


def test_a_processor_that_does_not_answer_is_left_out(wait_to_check):
    guest, debugger = wait_to_check("--smp", "4")
    debugger("set var smp.found[1] = 99")
    debugger("detach")
    check(guest, 3)


@pytest.fixture
def running_three(wait_to_check, tmp_path) -> Iterator[tuple[Debugger, Monitor, bytes]]:
    """Three processors run; and what was in low memory before two of them did."""
    _, debugger = wait_to_check("--smp", "3", *Monitor.options(tmp_path / "qmp"))
    monitor = Monitor(tmp_path / "qmp")
    before = monitor.physical_memory(LOW_MEMORY.start, len(LOW_MEMORY))
    debugger("tbreak cpus_check.c:report")
    debugger.resume()
    yield debugger, monitor, before
    monitor.close()


def test_each_processor_has_stacks_of_its_own_with_unmapped_pages_below(running_three):
    debugger, monitor, _ = running_three
    rows = listed_stacks(debugger)
    expected = STACKS | {"boot stack", "idle 0", "check"}  # those two are threads
    for cpu in (1, 2):
        expected |= {f"CPU {cpu} {name}" for name in STACKS | {"start stack"}}
    assert set(rows) == expected
    mapped = {page.address for page in monitor.pages()}
    assert [name for name, (start, end) in rows.items()
            if not set(range(start, end, PAGE)) <= mapped or start - PAGE in mapped] == []
    tops = {top for cpu in range(3) for top in monitor.interrupt_stacks(KERNEL_BASE, cpu) if top}
    assert len(tops) == 3 * INTERRUPT_STACKS
    assert tops <= {end for _, end in rows.values()}


def listed_stacks(debugger) -> dict[str, tuple[int, int]]:
    debugger("set print elements 0")
    rows = re.findall(r'start = (\d+), end = (\d+), kind = CRASH_MAP_STACK, [^"]*"([^"]*)"',
                      debugger("output regions.list[0]@regions.count"))
    return {name: (int(start), int(end)) for start, end, name in rows}


def test_all_processors_are_in_the_same_mode(running_three):
    """The page tables too: those on the way there had the lower half, writable and executable."""
    _, monitor, _ = running_three
    modes = [monitor.mode(cpu) for cpu in range(3)]
    assert len(modes[0]) == 5
    assert modes[1:] == modes[:1] * 2


def test_low_memory_is_as_it_was_when_all_processors_run(running_three):
    _, monitor, before = running_three
    assert monitor.physical_memory(LOW_MEMORY.start, len(LOW_MEMORY)) == before
