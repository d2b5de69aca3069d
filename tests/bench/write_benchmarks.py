#!/usr/bin/python3
"""write_benchmarks.py - measures, and writes docs/benchmarks.md with its pictures.  `make bench`.

Builds kernels with a test's file in them, and runs them in QEMU; the tables are made of what was
counted, nothing is typed in.
"""

from __future__ import annotations

import argparse
import platform
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / folder) for folder in ("tests/qemu", "tests", "scripts")]

import budgets  # noqa: E402  (the line above finds it)
import instructions  # noqa: E402
import pictures  # noqa: E402
import rates  # noqa: E402
import records  # noqa: E402
import sizes  # noqa: E402
from guest import BUILD  # noqa: E402
from programs import make_kernel  # noqa: E402
from tap import Cost  # noqa: E402

CRASH = "null-read"
LIBRARIES = ("gdbstub", "crashdump")


@dataclass(frozen=True)
class Wire:
    """What one operation cost, of three pairs of debugger and stub."""
    operation: budgets.Operation
    helped: Cost       # this stub, with .gdbinit
    stock: Cost        # this stub, stock GDB
    peer: Cost | None  # QEMU's stub, stock GDB


@dataclass(frozen=True)
class Figures:
    wire: list[Wire]
    counts: dict[str, int]       # instructions
    ticks: dict[str, float]      # of the host
    executed: dict[str, float]   # the same in instructions
    attached: list[int]          # paths with nobody attached: gdb=com2
    off: list[int]               # gdb=off
    sizes: dict[str, sizes.Size]
    record: records.RecordCost


# ---- Measuring ----

def say(words: str) -> None:
    print(f"bench: {words}", file=sys.stderr, flush=True)


def measure() -> Figures:
    kernel = BUILD / "kernel.elf"
    with tempfile.TemporaryDirectory(prefix="trapline-") as folder:
        wire_elf = make_kernel(Path(folder, "budgets.elf"), budgets.SOURCE)
        rates_elf = make_kernel(Path(folder, "ceiling.elf"), rates.SOURCE)
        wire = measure_wire(wire_elf)
        say("instructions")
        counts = instructions.debugging(kernel) | instructions.crashing(kernel, CRASH)
        say("rates")
        return Figures(wire, counts, rates.ticks(rates_elf), rates.ticks(rates_elf, "--icount"),
                       rates.paths(rates_elf, "com2"), rates.paths(rates_elf, "off"),
                       {name: sizes.size_of(name) for name in LIBRARIES},
                       records.cost_of(kernel, CRASH))


def measure_wire(elf: Path) -> list[Wire]:
    helped, stock, peer = (costs(elf, *rig) for rig in
                           ((False, True), (False, False), (True, False)))
    return [Wire(operation, helped[operation.name], stock[operation.name],
                 peer.get(operation.name)) for operation in budgets.OPERATIONS]


def costs(elf: Path, peer: bool, init_file: bool) -> dict[str, Cost]:
    say(f"the line: {'QEMU' if peer else 'this'} stub, {'.gdbinit' if init_file else 'stock GDB'}")
    with budgets.rig(elf, peer, init_file) as rig:
        return {operation.name: rig.cost_of(operation) for operation in budgets.OPERATIONS
                if operation.on_peer or not peer}


# ---- Writing ----

def table(head: list[str], rows: list[list[str]]) -> list[str]:
    return ["| " + " | ".join(head) + " |", "|---|" + "--:|" * (len(head) - 1),
            *("| " + " | ".join(row) + " |" for row in rows), ""]


def count(value: float) -> str:
    return f"{value:,.0f}"


def ratio(more: float, less: float) -> str:
    return f"{more / less:,.1f}" if less else "-"


def wire_rows(wire: list[Wire]) -> Iterator[list[str]]:
    for row in wire:
        limit = row.operation
        yield [limit.name, f"{row.helped.round_trips} / {limit.round_trips}",
               f"{count(row.helped.bytes)} / {count(limit.bytes)}",
               f"{row.helped.seconds:.3f}",
               f"{row.stock.round_trips}", count(row.stock.bytes),
               *([f"{row.peer.round_trips}", count(row.peer.bytes), f"{row.peer.seconds:.3f}",
                  ratio(row.peer.bytes, row.helped.bytes)] if row.peer else ["", "", "", ""])]


def rate_rows(figures: Figures) -> Iterator[list[str]]:
    for name, bare, spent in operations(figures.ticks):
        [(was, executed)] = [(bare, spent) for other, bare, spent in
                             operations(figures.executed) if other == name]
        yield [name, f"{100 * bare / spent:.1f} %", count(executed), count(was)]


def operations(ticks: dict[str, float]) -> list[tuple[str, float, float]]:
    """(name, ticks of the bare exceptions, ticks spent)"""
    breakpoint, step = ticks["breakpoint_bare"], ticks["step_bare"]
    return [
        ("an instruction of a range (`next`)", step, ticks["steps_in_range"]),
        ("a false condition", breakpoint + step, ticks["calls_with_condition"] - ticks["calls"]),
    ]


def gdb_rate_rows(ticks: dict[str, float]) -> list[list[str]]:
    return [[name, f"1 / {count(ticks[spent] / ticks[bare])}"] for name, bare, spent in (
        ("`stepi N`, a step", "step_bare", "stepi"),
        ("`continue N`, a breakpoint hit", "breakpoint_bare", "stop"))]


def path_rows(figures: Figures) -> list[list[str]]:
    names = ("`int3`, logged, to the next instruction",
             "`arch_copy()` of unmapped memory: fault, mended, back",
             "`arch_yield()` with nobody else to run")
    return [[name, count(with_line), count(without)] for name, with_line, without in
            zip(names, figures.attached, figures.off)]


def size_rows(found: dict[str, sizes.Size]) -> list[list[str]]:
    return [[f"`{name}/`", count(size.text), count(size.data),
             f"`{sizes.STATE[name]}`: {count(size.state)}", count(size.frame)]
            for name, size in found.items()]


def record_rows(record: records.RecordCost) -> list[list[str]]:
    return [
        ["bytes captured, decompressed", count(record.captured)],
        ["bytes of the record", count(record.record)],
        ["bytes of its lines on the console", count(record.on_line)],
        ["bytes on the line for each captured", f"{record.on_line / record.captured:.2f}"],
        ["`crash.py` report, in times of `gdb -batch` on the same ELF file (timed)",
         f"{record.report_seconds / record.gdb_seconds:.1f}"],
    ]


def document(figures: Figures) -> str:
    wire_head = ["operation", "RT / budget", "bytes / budget", "s at 115200", "stock GDB: RT",
                 "bytes", "QEMU's stub: RT", "bytes", "s at 115200", "bytes, times ours"]
    return "\n".join([
        "# Benchmarks", "",
        "Written by `make bench`, as a whole: change `tests/bench/`, not this file.", "",
        *(f"- {line}" for line in environment()), "",
        "What is counted (bytes, round trips, instructions) repeats on any machine with these "
        "versions; what is timed is only given as a ratio of figures of the same run.", "",
        "## On the line", "",
        "A proxy between GDB and the stub counts. RT is a request and its reply; bytes are both "
        "ways, framing and acknowledgements included; seconds are the bytes at 115200 baud, 8N1. "
        "The budgets are `tests/qemu/budgets.py`, which `tests/qemu/test_budgets.py` holds this "
        "stub to, with the project's `.gdbinit`. QEMU's own stub (`-gdb`) serves the same kernel "
        "to the same GDB in the same QEMU; it shows processors as threads. Where bytes depend on "
        "what is in memory (a stack, the names of threads), both stubs see the same memory.", "",
        *table(wire_head, list(wire_rows(figures.wire))),
        "![Bytes on the line](benchmarks-line.svg)", "",
        "A false condition costs nothing on the line; the two round trips of stock GDB plant the "
        "breakpoint. Linux 6.1's kgdb, measured apart from this command by the same kind of proxy: "
        "120 RT and 10 KB for `info threads` with 22 threads, 1,127 RT and 97 KB with 222; "
        "11,018 RT and 1.0 MB for 1000 false conditions.", "",
        "## Against the processor alone", "",
        "The ceiling is what the exceptions cost if their handler is `iretq`: a step is one #DB, "
        "a false condition one #BP and one #DB. Timed, in one run of one machine "
        "(`tests/bench/ceiling.c`); the instructions are of a second run, counted.", "",
        *table(["in the kernel, without GDB", "of the ceiling", "instructions executed",
                "of them for the ceiling"], list(rate_rows(figures))),
        *table(["with GDB on the line, which does most of the work", "of the ceiling"],
               gdb_rate_rows(figures.ticks)),
        "## Instructions", "",
        "Counted by QEMU (`-icount shift=0`) between places in the code where QEMU's own stub "
        "stops; the kernel knows nothing of it. Calibration of the clocks waits, and is most of "
        "the boot.", "",
        *table(["from, to", "instructions"], [[name, count(value)] for name, value in
                                              figures.counts.items()]),
        "![Instructions](benchmarks-instructions.svg)", "",
        "With no debugger attached, counted by the kernel itself:", "",
        *table(["path", "`gdb=com2`, nobody there", "`gdb=off`"], path_rows(figures)),
        "## Sizes", "",
        "Of the two libraries alone, with everything in them, in bytes. Text has the constants, "
        "too; frame is the largest of one function.", "",
        *table(["library", "text", "data", "state, owned by its user", "frame"],
               size_rows(figures.sizes)),
        f"## A record (`run=provoke:{CRASH}`)", "",
        *table(["", ""], record_rows(figures.record)),
        "## Repeat it", "",
        "`make bench` takes a few minutes and writes this file and its pictures; "
        "`/usr/bin/python3 -m pytest tests/qemu/test_budgets.py` asserts the budgets alone.", ""])


def environment() -> list[str]:
    processor = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return [f"host: {processor[1] if processor else platform.machine()}, Linux "
            f"{platform.release().partition('-')[0]}; the guest is emulated (TCG)",
            *(f"{first_line(program)}" for program in ("gdb", "qemu-system-x86_64", "gcc"))]


def first_line(program: str) -> str:
    done = subprocess.run([program, "--version"], stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.splitlines()[0]


def line_picture(wire: list[Wire]) -> str:
    rows = [(row.operation.name.replace("`", ""),
             [cost.bytes if cost else None for cost in (row.helped, row.stock, row.peer)])
            for row in wire]
    return pictures.bars("Bytes on the line", "bytes, both ways (logarithmic)",
                         ["with .gdbinit", "stock GDB", "QEMU's stub"], rows)


def instruction_picture(counts: dict[str, int]) -> str:
    return pictures.bars("Instructions", "instructions (logarithmic)", ["counted"],
                         [(name.replace("`", ""), [value]) for name, value in counts.items()])


def main() -> int:
    parser = argparse.ArgumentParser(
        description="Measure, and write benchmarks.md and its pictures.")
    parser.add_argument("--folder", type=Path, default=ROOT / "docs", help="where to (docs)")
    folder = parser.parse_args().folder
    try:
        figures = measure()
        folder.mkdir(exist_ok=True)
        (folder / "benchmarks.md").write_text(document(figures))
        (folder / "benchmarks-line.svg").write_text(line_picture(figures.wire))
        (folder / "benchmarks-instructions.svg").write_text(instruction_picture(figures.counts))
    except (OSError, subprocess.SubprocessError) as error:
        print(f"write_benchmarks.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
