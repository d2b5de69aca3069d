"""instructions.py - how many instructions the kernel's debugger and crash path take, from outside.

One function for each story; each boots a machine of its own and returns {what: instructions}.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from guest import ROOT
from packets import Line, packet
from stopwatch import Stopwatch, instructions_of, stopwatch

COM2_DATA = 0x2F8
QUIET = packet("QStartNoAckMode") + b"+"


class DebugLine:
    """COM2, seen from the instructions that touch it."""

    def __init__(self, watch: Stopwatch, elf: Path) -> None:
        self._watch = watch
        self._line = Line(watch.guest.gdb)
        self._reads = instructions_of(elf, "arch_line_read", "in".__eq__)
        self._writes = instructions_of(elf, "arch_line_write", "out".__eq__)

    def send(self, *packets: bytes) -> int:
        """The count when the machine reads the last byte."""
        data = b"".join(packets)
        self._line.send(data)
        for _ in data:
            read = self._watch.run_to_port(self._reads, COM2_DATA)
        return read

    def first_byte_of_reply(self) -> int:
        return self._watch.run_to_port(self._writes, COM2_DATA)

    def close(self) -> None:
        self._line.close()


def debugging(elf: Path) -> dict[str, int]:
    """Boot, a reply, a breakpoint, a resumption."""
    with stopwatch(elf, "run=heartbeat gdbwait") as watch:
        symbols = watch.symbols
        line = DebugLine(watch, elf)
        try:
            watch.run_to(symbols["kernel_main"])
            start = watch.now()
            watch.run_to(symbols["arch_line_read"])
            waiting = watch.now()
            asked = line.send(packet("?"))
            replied = line.first_byte_of_reply()
            line.send(b"+", QUIET, packet(f"Z0,{symbols['beat']:x},1"), packet("vCont;c"))
            watch.run_to(symbols["beat"])
            hit = watch.now()
            told = line.first_byte_of_reply()
            resumed = line.send(packet(f"z0,{symbols['beat']:x},1"), packet("vCont;c"))
            watch.run_to(symbols["beat"])
            running = watch.now()
        finally:
            line.close()
    return {
        "`kernel_main` to its wait for GDB (`gdbwait`)": waiting - start,
        "last byte of `?` to the first byte of its reply": replied - asked,
        "breakpoint instruction to the first byte of the stop reply": told - hit,
        "last byte of `vCont;c` to the kernel's next instruction": running - resumed,
    }


def crashing(elf: Path, crash: str) -> dict[str, int]:
    """A fault, and the record of it."""
    report = json.loads(report_of(elf, crash))
    fault = int(report["event"]["pc"], 16)
    with stopwatch(elf, f"run=provoke:{crash}") as watch:
        handler = watch.symbols["crash_handle"]
        while watch.run_to(fault, handler) != handler:
            faulted = watch.now()
        handled = watch.now()
        in_memory = watch.run_to_end_of("ram_commit")
        sent = watch.run_to_end_of("lines_commit")
    return {
        "fault to the crash handler": handled - faulted,
        "fault to the record in memory": in_memory - faulted,
        "fault to the record's last byte on the console": sent - faulted,
    }


def console_of(elf: Path, crash: str) -> bytes:
    """What a crash leaves on the console."""
    done = subprocess.run([ROOT / "scripts/qemu.py", "--kernel", elf, "--append",
                           f"run=provoke:{crash}"], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, check=False)
    return done.stdout


def report_of(elf: Path, crash: str) -> bytes:
    return subprocess.run([ROOT / "scripts/crash.py", "--json", "--elf", elf, "-"],
                          input=console_of(elf, crash), stdout=subprocess.PIPE, check=True).stdout
