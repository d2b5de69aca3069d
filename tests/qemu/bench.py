"""bench.py - machines that run threads.c, perhaps with a user program, and GDB at them.

A machine is stopped in main() when all of its threads have begun; GDB knows the symbols of the
user program, too.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from debugger import Debugger
from guest import BUILD, Guest
from packets import Line
from programs import WAITING, symbols_of

SOURCE = Path(__file__).with_name("threads.c")
PROGRAM = BUILD / "user/debuggee.elf"
TASKS = ["nothing", "sleep", "yield", "lock", "wait_for_ticks", "fault", "write", "idle", "print",
         "lose_a_cpu"]
TRAP_FLAG = 1 << 8
ROW = re.compile(r'^[* ] +(\d+) +Thread 1\.(\d+) "([^"]*)" \((.*?)(?: on CPU (\d+))?\) +(.*)$',
                 re.MULTILINE)
NOWHERE = -1  # where a thread is that neither runs nor could


def line_of(mark: str) -> str:
    lines = SOURCE.read_text().splitlines()
    [number] = [n for n, line in enumerate(lines, 1) if f"/* {mark} */" in line]
    return f"{SOURCE.name}:{number}"


@dataclass(frozen=True)
class Row:
    """Of `info threads`."""
    number: int  # GDB's
    id: int      # the kernel's
    name: str
    state: str
    cpu: int     # or NOWHERE
    frame: str


def rows_of(gdb: Debugger) -> list[Row]:
    return [Row(int(number), int(id), name, state, int(cpu or NOWHERE), frame) for
            number, id, name, state, cpu, frame in ROW.findall(gdb("info threads"))]


def thread(gdb: Debugger, name: str, cpu: int | None = None) -> Row:
    [row] = [row for row in rows_of(gdb) if row.name == name and cpu in (None, row.cpu)]
    return row


def set_text(gdb: Debugger, variable: str, text: str) -> None:
    gdb(f'set var *(char (*)[{len(text) + 1}])&{variable} = "{text}"')


@contextmanager
def booted(elf: Path, cpus: int, append: str = "gdbwait", *more: str) -> Iterator[Guest]:
    with tempfile.TemporaryDirectory(prefix="trapline-") as folder:
        guest = Guest(Path(folder), ["--kernel", str(elf), "--append", append, "--smp", str(cpus),
                                     *more])
        try:
            yield guest
        finally:
            guest.end()


@contextmanager
def bench(elf: Path, cpus: int = 1, task: str = "nothing", program: str = "", *more: str
          ) -> Iterator[tuple[Guest, Debugger]]:
    """`program`: the argument of the user program; "": there is none."""
    with booted(elf, cpus, "gdbwait", *more) as guest:
        guest.wait_for(WAITING)
        gdb = Debugger(elf)
        try:
            gdb("set confirm off")
            gdb("set width 0")
            gdb(f"target remote {guest.gdb}")
            begin(gdb, task, program)
            yield guest, gdb
        finally:
            gdb.end()


def begin(gdb: Debugger, task: str, program: str) -> None:
    gdb(f"tbreak {line_of('TASK')}")
    gdb(f"add-symbol-file {PROGRAM}")
    gdb(f"set var task = {TASKS.index(task)}")
    if program:
        set_text(gdb, "program", "debuggee")
        set_text(gdb, "program_argument", program)
    stop = gdb.resume()
    assert stop["func"] in ("main", program), stop  # some programs stop by themselves


def do(gdb: Debugger, task: str) -> None:
    """What main() does from its next turn on."""
    gdb(f"set var task = {TASKS.index(task)}")


def run_to(gdb: Debugger, place: str) -> dict[str, str]:
    gdb(f"tbreak {place}")
    return gdb.resume()


@contextmanager
def raw(elf: Path, cpus: int = 1) -> Iterator[tuple[Guest, Line, dict[str, int]]]:
    """The same without GDB: the machine is stopped where it waits for it."""
    with booted(elf, cpus) as guest:
        guest.wait_for(WAITING)
        line = Line(guest.gdb)
        try:
            line.request("qSupported:multiprocess+;swbreak+;hwbreak+;vContSupported+")
            line.request("QStartNoAckMode")
            line.acknowledges = False
            yield guest, line, symbols_of(elf)
        finally:
            line.close()
