"""conftest.py - what tests share: the built kernel, a machine that runs it, GDB attached to it.

Waits for what the machine says, under a deadline; ends only what it started.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build"
DEADLINE = 60  # seconds: never reached unless something is wrong
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "tests/host")]


class Guest:
    """A running machine: its console as text, its debug line as a socket, its exit status."""

    def __init__(self, folder: Path, arguments: list[str]) -> None:
        self.gdb = folder / "gdb"  # `target remote` takes the path of a socket
        self.said = ""
        self._more = threading.Condition()
        self._process = subprocess.Popen(
            [ROOT / "scripts/qemu.py", "--gdb", f"unix:{self.gdb}", *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        while data := self._process.stdout.read1():
            self._add(data.decode(errors="replace"))
        self._add(None)

    def _add(self, text: str | None) -> None:
        with self._more:
            self.said += text or ""
            self._ended = text is None
            self._more.notify_all()

    _ended = False

    def wait_for(self, text: str, count: int = 1, deadline: float = DEADLINE) -> str:
        """Wait until the console has said `text` (`count` times); return all that it said."""
        with self._more:
            self._more.wait_for(lambda: self._ended or self.said.count(text) >= count, deadline)
            if self.said.count(text) < count:
                pytest.fail(f"the console never said {text!r} ({count} times), but:\n{self.said}")
            return self.said

    def type(self, text: str) -> None:
        """Send to the console."""
        self._process.stdin.write(text.encode())
        self._process.stdin.flush()

    def wait(self, deadline: float = DEADLINE) -> int:
        """Wait until the machine has ended; return the kernel's status."""
        try:
            status = self._process.wait(deadline)
        except subprocess.TimeoutExpired:
            pytest.fail(f"the machine is still running; its console:\n{self.said}")
        self._reader.join()
        return status

    def end(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait()
        self._reader.join()
        self._process.stdin.close()
        self._process.stdout.close()


@pytest.fixture(scope="session")
def kernel_elf() -> Path:
    return built("kernel.elf")


@pytest.fixture(scope="session")
def kernel_iso() -> Path:
    return built("kernel.iso")


def built(name: str) -> Path:
    path = BUILD / name
    if not path.exists():
        pytest.fail(f"{path} is not there: run make")
    return path


@pytest.fixture
def boot(kernel_elf: Path) -> Iterator[Callable[..., Guest]]:
    """boot(command_line="", *more arguments of qemu.py, kernel=...) starts a machine."""
    guests: list[Guest] = []
    with tempfile.TemporaryDirectory(prefix="trapline-") as folder:  # short: it holds sockets

        def start(append: str = "", *arguments: str, kernel: Path | None = None) -> Guest:
            place = Path(folder, str(len(guests)))
            place.mkdir()
            source = [] if "--iso" in arguments else ["--kernel", str(kernel or kernel_elf)]
            guests.append(Guest(place, [*source, "--append", append, *arguments]))
            return guests[-1]

        yield start
        for guest in guests:
            guest.end()


@pytest.fixture
def gdb(kernel_elf: Path) -> Callable[..., str]:
    """gdb(guest, *commands, elf=...) attaches, runs the commands, returns what GDB printed."""

    def run(guest: Guest, *commands: str, elf: Path | None = None) -> str:
        words = [word for command in (f"target remote {guest.gdb}", *commands)
                 for word in ("-ex", command)]
        done = subprocess.run(
            ["gdb", "-nx", "-q", "-batch", elf or kernel_elf, *words], timeout=DEADLINE,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return done.stdout

    return run
