"""budgets.py - what GDB's commands may cost on the line: the table, and a rig that counts it.

test_budgets.py asserts it; `make bench` writes what was counted beside the same of QEMU's own stub.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from debugger import Debugger
from guest import ROOT, Guest
from tap import Cost, Tap

SOURCE = Path(__file__).with_name("budgets.c")
LOOP = f"{SOURCE.name}:{SOURCE.read_text().partition('/* LOOP')[0].count(chr(10)) + 1}"
READY = "there is something to debug\r\n"
RESUMING = {"continue", "next", "stepi"}
AREA_BYTES = 64 * 1024
TO_READY = ("tbreak ready", "continue")
TO_CONDITIONS = (*TO_READY, "tbreak hit_all", "continue", "tbreak done")
DUMP = "dump binary memory /dev/null &{0} (char *)&{0} + 65536"


@dataclass(frozen=True)
class Operation:
    name: str
    commands: tuple[str, ...]        # what is counted
    round_trips: int                 # at most, with the project's .gdbinit
    bytes: int                       # both ways
    before: tuple[str, ...] = ()     # GDB's way there
    without: tuple[str, ...] = ()    # counted, too, and taken off
    on_peer: bool = True             # QEMU's stub shows a CPU as a thread: nothing to compare


OPERATIONS = (
    Operation("attach to a running kernel", ("target remote {line}",), 20, 5000),
    Operation("`break`, `continue`, hit, `delete`", ("break descend", "continue", "delete"),
              9, 700, ("set var may_begin = 1", *TO_READY)),
    Operation("`bt`, 9 frames, registers known", ("bt",), 4, 450,
              ("tbreak deepest", "continue", "info registers rax")),
    Operation("`stepi` as typed", ("stepi",), 3, 320,
              (f"tbreak {LOOP}", "continue", "stepi")),
    Operation("`stepi 100`", ("stepi 100",), 205, 20000),
    Operation("`next` over a loop of 1000 turns", ("next",), 8, 700,
              (*TO_READY, f"tbreak {LOOP}", "continue")),
    Operation("1000 false conditions", ("continue",), 0, 0,
              (*TO_CONDITIONS, "break hit if number == 5000"), ("continue",)),
    Operation("`dump` 64 KiB of zeros", (DUMP.format("zeros"),), 32, 5000),
    Operation("`dump` 64 KiB of noise", (DUMP.format("noise"),), 32, 132000),
    Operation("`find` in 64 KiB", ("find /b &zeros, +65536, 0x77",), 1, 60),
    Operation("`info threads`, 22 threads", ("info threads",), 8, 2000,
              ("set var wanted = 22", *TO_READY), on_peer=False),
    Operation("`info threads`, 222 threads", ("info threads",), 12, 14000,
              ("set var wanted = 222", *TO_READY), on_peer=False),
)


@dataclass(frozen=True)
class Rig:
    """GDB behind a tap, not yet attached."""
    gdb: Debugger
    tap: Tap

    def give(self, commands: tuple[str, ...]) -> None:
        for command in commands:
            resumes = command.split()[0] in RESUMING
            (self.gdb.resume if resumes else self.gdb)(command.format(line=self.tap.path))
        self.gdb("echo")  # when it has told of a stop, GDB still removes breakpoints

    def count(self, commands: tuple[str, ...]) -> Cost:
        costs: list[Cost] = []
        with self.tap.counting(costs):
            self.give(commands)
        return costs[0]

    def cost_of(self, operation: Operation) -> Cost:
        """The operations are done in their order, each once."""
        self.give(operation.before)
        cost = self.count(operation.commands)
        if not operation.without:
            return cost
        self.give(("delete", *TO_CONDITIONS))
        return cost - self.count(operation.without)


@contextmanager
def rig(elf: Path, peer: bool = False, init_file: bool = True) -> Iterator[Rig]:
    """`peer`: GDB is to attach to QEMU's own stub, at the same kernel."""
    with tempfile.TemporaryDirectory(prefix="trapline-") as name:
        folder = Path(name)
        guest = Guest(folder, ["--kernel", str(elf), "--", "-gdb",
                               f"unix:{folder / 'peer'},server=on,wait=off"])
        try:
            guest.wait_for(READY)
            tap = Tap(folder / "tap", folder / "peer" if peer else guest.gdb)
            gdb = Debugger(elf)
            try:
                prepare(gdb, peer, init_file)
                yield Rig(gdb, tap)
            finally:
                gdb.end()
                tap.close()
        finally:
            guest.end()


def prepare(gdb: Debugger, peer: bool, init_file: bool) -> None:
    gdb("set confirm off")
    gdb("set width 0")
    if init_file:
        gdb(f"cd {ROOT}")
        gdb("source .gdbinit")
    if init_file and peer:
        gdb("unset tdesc filename")  # it describes the registers of the kernel's own stub
