"""monitor.py - QEMU's monitor: the machine as the hardware sees it, whatever the kernel says.

Changes nothing in the machine, but can start one that waits.
"""

from __future__ import annotations

import json
import re
import socket
import struct
from dataclasses import dataclass
from pathlib import Path

from guest import DEADLINE, wait_until
from programs import KERNEL_BASE

PAGE = 4096
LARGE_PAGE = 2 << 20
LISTENING = "00010000"  # __SO_ACCEPTCON


@dataclass(frozen=True)
class Page:
    """A page table entry that maps something, a large page being many pages."""
    address: int
    physical: int
    size: int
    writable: bool
    executable: bool
    user: bool


def listens(path: Path) -> bool:
    """Does somebody at that socket?  It is there before."""
    sockets = [line.split() for line in Path("/proc/net/unix").read_text().splitlines()]
    return any(words[3] == LISTENING and words[-1] == str(path) for words in sockets)


def wait_for_socket(path: Path) -> None:
    """Until QEMU listens: nothing else tells of that before the kernel speaks."""
    wait_until(lambda: listens(path), f"QEMU never listens at {path}")


class Monitor:
    """A connection to a machine that was started with options(path)."""

    @staticmethod
    def options(path: Path) -> list[str]:
        return ["--", "-qmp", f"unix:{path},server=on,wait=off"]

    def __init__(self, path: Path) -> None:
        self._events: list[str] = []
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(DEADLINE)
        self._socket.connect(str(path))
        self._file = self._socket.makefile("rw")
        self._file.readline()  # the greeting
        self._execute("qmp_capabilities")

    @classmethod
    def when_ready(cls, path: Path) -> Monitor:
        """Of a machine that may not have made its socket yet."""
        wait_for_socket(path)
        return cls(path)

    def close(self) -> None:
        self._file.close()
        self._socket.close()

    def instructions(self) -> int:
        """How many a machine with -icount has executed."""
        return self._execute("query-replay")["icount"]

    def go_on(self) -> None:
        """Start a machine that QEMU began with -S."""
        self._execute("cont")

    def wait_for_event(self, name: str, count: int = 1) -> None:
        """Wait until the machine has told of an event, that many times from now on or before."""
        while self._events.count(name) < count:
            self._note(json.loads(self._file.readline()))
        for _ in range(count):
            self._events.remove(name)

    def save_physical_memory(self, address: int, length: int, path: Path) -> None:
        self._execute("pmemsave", val=address, size=length, filename=str(path))

    def dump_guest_memory(self, path: Path, paging: bool = False) -> None:
        """All of it, as an ELF file of physical memory; with `paging` as the processors see it,
        for GDB."""
        self._execute("dump-guest-memory", paging=paging, protocol=f"file:{path}")

    def send_break(self) -> None:
        """On the debugger's line, as a plug that is pulled out does."""
        self._execute("chardev-send-break", id="debugger")

    def inject_machine_check(self) -> None:
        """One that cannot be corrected, in bank 0 of the first processor (SDM 3B 15.3.2.2)."""
        self._command("mce 0 0 0xbd00000000000000 0x5 0 0")

    def host_threads(self) -> list[int]:
        """The host's thread of each processor."""
        return [cpu["thread-id"] for cpu in self._execute("query-cpus-fast")]

    def pages(self) -> list[Page]:
        """Every page that the current page tables map."""
        rows = re.findall(r"^([0-9a-f]+): ([0-9a-f]+) (\S{9})$", self._command("info tlb"),
                          re.MULTILINE)
        return [Page(int(address, 16), int(physical, 16), LARGE_PAGE if "P" in flags else PAGE,
                     "W" in flags, "X" not in flags, "U" in flags)
                for address, physical, flags in rows]

    def physical_memory(self, address: int, length: int) -> bytes:
        text = self._command(f"xp /{length}xb {address:#x}")
        return bytes(int(byte, 16) for byte in re.findall(r"0x([0-9a-f]{2})\b", text))

    def kernel_memory(self, address: int, length: int) -> bytes:
        """Of its image."""
        return self.physical_memory(address - KERNEL_BASE, length)

    def control_register(self, number: int) -> int:
        text = self._command("info registers")
        return int(re.search(rf"\bCR{number}=([0-9a-f]+)", text)[1], 16)

    def interrupt_stacks(self, kernel_base: int, cpu: int = 0) -> list[int]:
        """The seven stack pointers of the task state segment that is loaded (SDM 3A 8.7)."""
        registers = self._command("info registers", cpu)
        base = re.search(r"^TR *=\w+ (\w+)", registers, re.MULTILINE)[1]
        return list(struct.unpack("<7Q", self.physical_memory(
            int(base, 16) - kernel_base + 36, 7 * 8)))

    def mode(self, cpu: int) -> dict[str, str]:
        """The registers that say how a processor runs."""
        found = re.findall(r"\b(CR0|CR3|CR4|EFER|IDT) *=([ 0-9a-f]+)",
                           self._command("info registers", cpu))
        return {name: value.strip() for name, value in found}

    def _command(self, text: str, cpu: int = 0) -> str:
        reply = self._execute("human-monitor-command",
                              **{"command-line": text, "cpu-index": cpu})
        return reply.replace("\r\n", "\n")

    def _note(self, message: dict) -> None:
        if "event" in message:
            self._events.append(message["event"])

    def _execute(self, command: str, **arguments: str | int | bool):
        self._file.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self._file.flush()
        while "return" not in (reply := json.loads(self._file.readline())):
            assert "error" not in reply, reply
            self._note(reply)
        return reply["return"]
