"""image.py - the kernel's code and its clocks, seen from outside the machine.

What the debugger says of them is not believed here.
"""

from __future__ import annotations

import contextlib
import struct
import time
from collections.abc import Iterator
from pathlib import Path

from elftools.elf.elffile import ELFFile

from guest import DEADLINE, Guest
from monitor import Monitor
from programs import addresses_of
from session import expect


class Image:
    @staticmethod
    def options(folder: Path) -> list[str]:
        return Monitor.options(folder / "qmp")

    def __init__(self, elf: Path, folder: Path, cpus: int) -> None:
        """Of a machine that was started with options(folder)."""
        self.monitor = Monitor(folder / "qmp")
        self._dump = folder / "code"
        with elf.open("rb") as file:
            segment = next(ELFFile(file).iter_segments("PT_LOAD"))
            self._address, self._code = segment["p_paddr"], segment.data()
            base = segment["p_vaddr"] - segment["p_paddr"]
        self._ticks = [address - base for address in addresses_of(elf, [
            f"'kernel/schedule.c'::cpus[{cpu}].shown.ticks" for cpu in range(cpus)])]

    def changes(self) -> list[str]:
        """Where the code is another than it was built."""
        self.monitor.save_physical_memory(self._address, len(self._code), self._dump)
        now = self._dump.read_bytes()
        return [f"{self._address + n:#x}: {was:#x} is {byte:#x}"
                for n, (was, byte) in enumerate(zip(self._code, now)) if was != byte]

    def ticks(self) -> list[int]:
        return [struct.unpack("<Q", self.monitor.physical_memory(address, 8))[0]
                for address in self._ticks]

    def wait_for_ticks(self) -> None:
        before, deadline = self.ticks(), time.monotonic() + DEADLINE
        while not all(now > then for now, then in zip(self.ticks(), before)):
            expect(time.monotonic() < deadline, "each CPU to tick",
                   f"{before}, and a minute later {self.ticks()}")

    @contextlib.contextmanager
    def while_it_runs(self, guest: Guest) -> Iterator[None]:
        """The machine may end meanwhile: then there is nothing to see."""
        try:
            yield
        except (OSError, ValueError):
            expect(guest.wait(DEADLINE) == 0, "the machine to have ended", "no answer of QEMU's")
