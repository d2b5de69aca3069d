"""conftest.py - machines in the states that tests of the debugger begin with.

Ends every GDB and every connection that a test has opened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from debugger import Debugger
from packets import Line

BEATING = "heartbeat 1: "
WAITING = "waiting for debugger"


@pytest.fixture
def debug(kernel_elf: Path) -> Iterator[Callable[..., Debugger]]:
    """debug(guest, elf=...) attaches a stock GDB to a machine."""
    debuggers: list[Debugger] = []

    def attach(guest, elf: Path | None = None) -> Debugger:
        debuggers.append(Debugger(elf or kernel_elf))
        debuggers[-1](f"target remote {guest.gdb}")
        return debuggers[-1]

    yield attach
    for debugger in debuggers:
        debugger.end()


@pytest.fixture
def connect() -> Iterator[Callable[..., Line]]:
    """connect(guest) is the machine's debug line, raw."""
    lines: list[Line] = []

    def open_line(guest) -> Line:
        lines.append(Line(guest.gdb))
        return lines[-1]

    yield open_line
    for line in lines:
        line.close()


@pytest.fixture
def beating(boot):
    """A machine that runs the heartbeat."""
    guest = boot("run=heartbeat")
    guest.wait_for(BEATING)
    return guest


@pytest.fixture
def gdb_beating(beating, debug) -> Debugger:
    """GDB, attached to a machine that ran the heartbeat."""
    return debug(beating)


@pytest.fixture
def line(beating, connect) -> Line:
    """The raw line of a machine that runs the heartbeat."""
    return connect(beating)


@pytest.fixture
def gdb_waited(boot, debug) -> Callable[..., Debugger]:
    """gdb_waited("run=...") boots a machine that waits, and attaches GDB to it."""

    def start(append: str) -> Debugger:
        guest = boot(f"gdbwait {append}")
        guest.wait_for(WAITING)
        return debug(guest)

    return start
