"""test_break_cycles.py - all CPUs run into one breakpoint under stress: each hit is told, once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench import booted
from cycles import Cycles, heap_place, tick_place
from packets import Line

CPUS = 4
HEAP_BLOCKS = 7  # its row in the kernel's `kinds`
SOFTWARE, HARDWARE = 0, 1


@contextmanager
def stressed(elf: Path) -> Iterator[Cycles]:
    with booted(elf, CPUS, "run=stress:1000") as guest:
        guest.wait_for("stress: seed")
        line = Line(guest.gdb)
        yield Cycles(line)
        line.close()


@pytest.fixture(scope="module")
def cycles(kernel_elf):
    with stressed(kernel_elf) as found:
        yield found


@pytest.fixture
def one_host_processor():
    """For what is started from here on."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    yield
    os.sched_setaffinity(0, before)


@pytest.mark.parametrize("kind", [SOFTWARE, HARDWARE])
def test_each_hit_is_told_once(cycles, kernel_elf, kind):
    cycles.run(heap_place(kernel_elf, CPUS, HEAP_BLOCKS), kind, 80)


def test_no_cpu_starves_where_only_one_runs_at_a_time(one_host_processor, kernel_elf):
    """The one that has just been told of its hit, and is let go, is always the first to be there
    again; the others have been on their way for longer."""
    with stressed(kernel_elf) as cycles:
        told = cycles.run(tick_place(kernel_elf, CPUS), SOFTWARE, 32)
    assert min(told) > 0, told
