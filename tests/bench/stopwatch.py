"""stopwatch.py - counts the instructions that a machine executes between two places in its code.

QEMU counts (-icount), its own debug stub stops at the places, its monitor tells the count.  The
kernel and its own stub know nothing of it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from capstone import CS_ARCH_X86, CS_MODE_64, Cs
from elftools.elf.elffile import ELFFile

from guest import Guest
from monitor import Monitor
from packets import Line
from programs import symbols_of

RDX, RSP, RIP = 3, 7, 16  # numbers of QEMU's registers
WORD = 8
ASK_FOR_DESCRIPTION = "qXfer:features:read:target.xml:0,10"  # QEMU's stub has `p` after this only


@dataclass(frozen=True)
class Stopwatch:
    guest: Guest
    symbols: dict[str, int]
    _peer: Line
    _monitor: Monitor

    def now(self) -> int:
        """Instructions since power on."""
        return self._monitor.instructions()

    def run_to(self, *addresses: int) -> int:
        """Until one of them is to be executed, once more if it is there; returns which."""
        if self._pc() in addresses:
            self._peer.request("s")
        for address in addresses:
            self._expect_ok(f"Z0,{address:x},1")
        self._peer.request("c")
        for address in addresses:
            self._expect_ok(f"z0,{address:x},1")
        return self._pc()

    def run_to_end_of(self, function: str) -> int:
        """Until it begins and returns to its caller; the count then."""
        self.run_to(self.symbols[function])
        self.run_to(self._word_at(self._register(RSP)))
        return self.now()

    def run_to_port(self, instructions: list[int], port: int) -> int:
        """Until one of these `in` or `out` is about to touch that port; the count then."""
        while True:
            self.run_to(*instructions)
            if self._register(RDX) & 0xFFFF == port:
                return self.now()

    def _pc(self) -> int:
        return self._register(RIP)

    def _register(self, number: int) -> int:
        return int.from_bytes(bytes.fromhex(self._peer.request(f"p{number:x}")), "little")

    def _word_at(self, address: int) -> int:
        return int.from_bytes(bytes.fromhex(self._peer.request(f"m{address:x},{WORD:x}")), "little")

    def _expect_ok(self, request: str) -> None:
        reply = self._peer.request(request)
        assert reply == "OK", f"QEMU's stub answers {request} with {reply!r}"


@contextmanager
def stopwatch(elf: Path, append: str) -> Iterator[Stopwatch]:
    """A machine that has not yet executed anything."""
    with tempfile.TemporaryDirectory(prefix="trapline-") as name:
        folder = Path(name)
        guest = Guest(folder, ["--kernel", str(elf), "--append", append, "--icount",
                               *Monitor.options(folder / "monitor"), "-S", "-gdb",
                               f"unix:{folder / 'peer'},server=on,wait=off"])
        try:
            monitor = Monitor.when_ready(folder / "monitor")
            peer = Line(folder / "peer")
            try:
                peer.request(ASK_FOR_DESCRIPTION)
                yield Stopwatch(guest, symbols_of(elf), peer, monitor)
            finally:
                peer.close()
                monitor.close()
        finally:
            guest.end()


def instructions_of(elf: Path, function: str, wanted: Callable[[str], bool]) -> list[int]:
    """Where a function has instructions with such a mnemonic."""
    with elf.open("rb") as file:
        image = ELFFile(file)
        [symbol] = image.get_section_by_name(".symtab").get_symbol_by_name(function)
        start, size = symbol["st_value"], symbol["st_size"]
        section = image.get_section(symbol["st_shndx"])
        at = start - section["sh_addr"]
        code = section.data()[at:at + size]
    return [instruction.address for instruction in Cs(CS_ARCH_X86, CS_MODE_64).disasm(code, start)
            if wanted(instruction.mnemonic)]
