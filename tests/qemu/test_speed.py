"""test_speed.py - breakpoints and steps that GDB need not hear of are nearly as fast as the traps
that they are made of; without a debugger, traps cost what they would cost without the stub.

Counts instructions: times depend on what else the host does.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from guest import Guest
from programs import make_kernel
from speed import SOURCE, figures, figures_with_gdb, ratios

ASKING = 25  # instructions that one of the debugger's rows may take to find that nobody is there


@pytest.fixture(scope="session")
def speed_elf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_kernel(tmp_path_factory.mktemp("speed") / "speed.elf", SOURCE)


@pytest.fixture
def counted(boot, speed_elf: Path) -> Callable[[str], Guest]:
    return lambda append: boot(append, "--icount", kernel=speed_elf)


def test_false_conditions_and_steps_of_a_range_are_near_the_ceiling(counted, speed_elf):
    found = figures_with_gdb(counted("gdbwait"), speed_elf)
    condition, step = ratios(found)
    assert condition >= 0.60 and step >= 0.80, found


def test_without_a_debugger_a_trap_costs_no_more_than_asking(counted):
    found = figures(counted(""))
    for name, rows in ("int3", 2), ("step", 2), ("ud2", 1):
        assert found[name] - found[f"{name}, not asked"] <= rows * ASKING, found
