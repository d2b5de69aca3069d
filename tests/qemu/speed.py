"""speed.py - runs speed.c, and says what breakpoints and steps cost in it.

Ticks are the time stamp counter's: instructions, if the machine was started with --icount.
"""

from __future__ import annotations

import re
from pathlib import Path

from debugger import Debugger
from guest import Guest
from programs import WAITING

SOURCE = Path(__file__).with_name("speed.c")
RANGE = f"{SOURCE.name}:{SOURCE.read_text().partition('/* RANGE')[0].count(chr(10)) + 1}"
FIGURE = re.compile(r"\] ([^\]:]+): (\d+) ticks")
DONE = "exited with status 0"


def figures(guest: Guest) -> dict[str, int]:
    """What the machine says, ticks by name."""
    return {name: int(ticks) for name, ticks in FIGURE.findall(guest.wait_for(DONE))}


def figures_with_gdb(guest: Guest, elf: Path) -> dict[str, int]:
    """The machine waits: GDB plants a condition that is never true, and steps over a long line."""
    guest.wait_for(WAITING)
    gdb = Debugger(elf)
    try:
        gdb(f"target remote {guest.gdb}")
        gdb("set breakpoint always-inserted on")
        gdb("break hot if i == 5000")
        gdb(f"tbreak {RANGE}")
        assert gdb.resume()["func"] == "walk_for_gdb"
        assert gdb.resume("next")["func"] == "walk_for_gdb"
        gdb.resume()
        return figures(guest)
    finally:
        gdb.end()


def ratios(found: dict[str, int], where: str = "") -> tuple[float, float]:
    """How near the ceiling are false conditions (an int3 and a step), and steps of a range?

    `where`: ", one row" has the ceiling's handler alone in the trap table, not in the debugger's
    place.
    """
    breakpoint, step = found["int3" + where], found["step" + where]
    return (breakpoint + step) / found["false condition"], step / found["range step"]
