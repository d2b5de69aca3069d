"""rates.py - what the debugger does again and again, against the processor alone (ceiling.c)."""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from debugger import Debugger
from guest import ROOT, Guest

SOURCE = Path(__file__).with_name("ceiling.c")
WALK = f"{SOURCE.name}:{SOURCE.read_text().partition('/* WALK')[0].count(chr(10)) + 1}"
READY = "there is something to debug"
GDB_ROUNDS = 50  # stops that GDB sees
PATHS = re.compile(r"paths: breakpoint (\d+), fault (\d+), yield (\d+)")


@contextmanager
def machine(elf: Path, append: str, *more: str) -> Iterator[Guest]:
    with tempfile.TemporaryDirectory(prefix="trapline-") as folder:
        guest = Guest(Path(folder), ["--kernel", str(elf), "--append", append, *more])
        try:
            yield guest
        finally:
            guest.end()


def ticks(elf: Path, *more: str) -> dict[str, float]:
    """Of one round of each, in ticks; with --icount a tick is an instruction.  By the way also
    stops per second, which GDB and this host have a part in."""
    with machine(elf, "", *more) as guest:
        guest.wait_for(READY)
        gdb = Debugger(elf)
        try:
            return measure(gdb, guest)
        finally:
            gdb.end()


def measure(gdb: Debugger, guest: Guest) -> dict[str, float]:
    gdb(f"cd {ROOT}")
    gdb("source .gdbinit")
    gdb(f"target remote {guest.gdb}")
    rounds = gdb.number("rounds")
    gdb("break hit if number == 1 << 30")
    gdb("set var may_begin = 1")
    gdb(f"break {WALK}")
    gdb("tbreak done")
    while gdb.resume()["func"] != "done":
        gdb.resume("next")
    gdb("delete")
    found = {name: gdb.number(name) / rounds for name in
             ("breakpoint_bare", "step_bare", "calls", "calls_with_condition", "steps_in_range")}
    found["second"] = gdb.number("ticks_per_second")
    gdb("break hit")
    gdb.resume()
    found["stop"] = seconds(gdb, f"continue {GDB_ROUNDS}") / GDB_ROUNDS * found["second"]
    gdb("delete")
    found["stepi"] = seconds(gdb, f"stepi {GDB_ROUNDS}") / GDB_ROUNDS * found["second"]
    return found


def seconds(gdb: Debugger, command: str) -> float:
    begin = time.monotonic()
    gdb.resume(command)
    return time.monotonic() - begin


def paths(elf: Path, gdb_option: str) -> list[int]:
    """Instructions of a breakpoint, a mended fault and a switch of threads, nobody attached."""
    with machine(elf, f"gdb={gdb_option} loglevel=error", "--icount") as guest:
        return [int(count) for count in PATHS.search(guest.wait_for("yield ")).groups()]
