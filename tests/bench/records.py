"""records.py - what a crash record costs on the console, and its decoder on the host."""

from __future__ import annotations

import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from crashlib import record
from guest import ROOT
from instructions import console_of

LINE = b"~"
RUNS = 5


@dataclass(frozen=True)
class RecordCost:
    captured: int  # bytes that its sections hold, once they are decompressed
    record: int
    on_line: int
    report_seconds: float
    gdb_seconds: float  # GDB, with the same ELF file and nothing to do


def cost_of(elf: Path, crash: str) -> RecordCost:
    console = console_of(elf, crash)
    [found] = record.load(console)
    captured = sum(section.header.raw_length for section in found.sections)
    lines = [line for line in console.splitlines(keepends=True) if line.startswith(LINE)]
    with tempfile.TemporaryDirectory(prefix="trapline-") as folder:
        log = Path(folder, "log")
        log.write_bytes(console)
        report = best(["/usr/bin/python3", ROOT / "scripts/crash.py", "--elf", elf, log])
        gdb = best(["gdb", "-nx", "-batch", elf])
    return RecordCost(captured, found.length, sum(map(len, lines)), report, gdb)


def best(command: list[str | Path]) -> float:
    """The fastest of several runs: the others were disturbed."""
    return min(seconds(command) for _ in range(RUNS))


def seconds(command: list[str | Path]) -> float:
    begin = time.monotonic()
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    return time.monotonic() - begin
