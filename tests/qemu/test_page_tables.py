"""test_page_tables.py - who may do what where, as the processor sees it: QEMU walks the tables.

What the kernel says of itself counts only for where its stacks are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from monitor import PAGE, Monitor, Page
from programs import BEATING, KERNEL_BASE, WAITING

HALF = 1 << 63


@pytest.fixture
def pages(boot, tmp_path: Path) -> Iterator[list[Page]]:
    """Every page that is mapped while the kernel runs."""
    guest = boot("", *Monitor.options(tmp_path / "qmp"))
    guest.wait_for(BEATING)
    monitor = Monitor(tmp_path / "qmp")
    yield monitor.pages()
    monitor.close()


def small_pages(start: int, end: int) -> set[int]:
    return set(range(start & -PAGE, end, PAGE))


def test_no_page_is_both_writable_and_executable(pages):
    assert [page for page in pages if page.writable and page.executable] == []


def test_exactly_the_text_is_executable(pages, symbols):
    executable = {page.address for page in pages if page.executable}
    assert executable == small_pages(symbols["__text_start"], symbols["__text_end"])


def test_text_and_constants_are_not_writable(pages, symbols):
    constant = small_pages(symbols["__text_start"], symbols["__rodata_end"])
    found = {page.address: page.writable for page in pages if page.address in constant}
    assert set(found) == constant, "some of it is not mapped"
    assert [hex(address) for address, writable in found.items() if writable] == []


def test_text_and_constants_are_not_writable_through_any_other_address(pages, symbols):
    start, end = symbols["__text_start"] - KERNEL_BASE, symbols["__rodata_end"] - KERNEL_BASE
    aliases = [page for page in pages if page.physical < end and page.physical + page.size > start
               and page.address < KERNEL_BASE]
    assert aliases, "the direct map does not show it"
    assert [page for page in aliases if page.writable] == []


def test_nothing_is_mapped_in_the_lower_half(pages):
    assert [page for page in pages if page.address < HALF] == []


def test_nothing_is_open_to_ring_3(pages):
    assert [page for page in pages if page.user] == []


def length_down(top: int, mapped: set[int]) -> int:
    """Bytes from a stack's top down to the first page that is not mapped."""
    bottom = top
    while bottom - PAGE in mapped:
        bottom -= PAGE
    return top - bottom


@pytest.fixture
def machine(boot, attach, tmp_path: Path) -> Iterator[Callable]:
    """machine(elf) waits for its debugger: GDB and the monitor, attached to it."""
    monitors: list[Monitor] = []

    def start(elf: Path):
        guest = boot("gdbwait", *Monitor.options(tmp_path / "qmp"), kernel=elf)
        guest.wait_for(WAITING)
        monitors.append(Monitor(tmp_path / "qmp"))
        return attach(guest, elf), monitors[-1]

    yield start
    for monitor in monitors:
        monitor.close()


def test_each_stack_of_the_task_state_segment_ends_at_a_page_that_is_not_mapped(
        machine, kernel_elf):
    _, monitor = machine(kernel_elf)
    mapped = {page.address for page in monitor.pages()}
    tops = [top for top in monitor.interrupt_stacks(KERNEL_BASE) if top]
    assert len(tops) >= 5, "NMI, double fault, machine check, debug, breakpoint"
    assert len(set(tops)) == len(tops)
    lengths = {hex(top): length_down(top, mapped) for top in tops}
    assert all(PAGE <= length <= 64 * 1024 for length in lengths.values()), lengths


def test_each_stack_that_the_kernel_lists_has_an_unmapped_page_below(machine, kernel_elf):
    debugger, monitor = machine(kernel_elf)
    mapped = {page.address for page in monitor.pages()}
    debugger("set print elements 0")
    rows = re.findall(r'start = (\d+), end = (\d+), kind = CRASH_MAP_STACK, [^"]*"([^"]*)"',
                      debugger("output regions.list[0]@regions.count"))
    assert {"boot stack", "NMI stack", "double fault stack", "debugger stack",
            "fatal stack"} <= {name for _, _, name in rows}
    found = {name: length_down(int(end), mapped) for _, end, name in rows}
    assert found == {name: int(end) - int(start) for start, end, name in rows}


def test_a_program_has_a_stack_of_1_mib_with_an_unmapped_page_below(machine, debuggee_elf):
    debugger, monitor = machine(debuggee_elf)
    debugger("tbreak main")
    debugger.resume()
    mapped = {page.address for page in monitor.pages()}
    sp = debugger.number("$rsp")
    top = sp & -PAGE
    while top in mapped:
        top += PAGE
    assert length_down(top, mapped) == 1 << 20
    assert top - sp < PAGE, "main() is not at the top of its stack"
