"""guest.py - a machine under test: its console as text, its debug line, its exit status.

Waits for what the machine says, under a deadline; ends only what it started.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from select import select

import pytest

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build"
CHUNK_BYTES = 1 << 16
DEADLINE = 120  # seconds: never reached unless something is wrong


def wait_until(what: Callable[[], bool], complaint: str) -> None:
    """For what nobody tells of."""
    deadline = time.monotonic() + DEADLINE
    while not what():
        assert time.monotonic() < deadline, complaint


class Guest:
    """With `shared`, the console's line is GDB's, too; all that went over it is in that file."""

    def __init__(self, folder: Path, arguments: list[str], shared: Path | None = None) -> None:
        self.gdb = folder / "gdb"  # a socket: `target remote` takes its path
        self._said = ""
        self._ended = False
        self._more = threading.Condition()
        command = [ROOT / "scripts/qemu.py"]
        if shared:
            command = [ROOT / "scripts/share_line.py", "--raw", shared, "--gdb",
                       f"unix:{self.gdb}", "--", *command]
        else:
            command += ["--gdb", f"unix:{self.gdb}"]
        self._process = subprocess.Popen(
            [*command, *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self._output = self._process.stdout.fileno()
        os.set_blocking(self._output, False)
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    @property
    def said(self) -> str:
        """All that the console has said by now, and QEMU if it had to complain."""
        self._take()
        return self._said

    def _read(self) -> None:
        while not self._ended:
            select([self._output], [], [])
            self._take()

    def _take(self) -> None:
        """What a machine has sent is in the pipe, before it does anything else."""
        with self._more, contextlib.suppress(BlockingIOError):
            while not self._ended:
                data = os.read(self._output, CHUNK_BYTES)
                self._said += data.decode(errors="replace")
                self._ended = not data
                self._more.notify_all()

    def wait_for(self, text: str, count: int = 1, deadline: float = DEADLINE) -> str:
        """Wait until the console has said `text` (`count` times); return all that it said."""
        with self._more:
            self._more.wait_for(lambda: self._ended or self._said.count(text) >= count, deadline)
            if self._said.count(text) < count:
                pytest.fail(f"the console never said {text!r} ({count} times), but:\n{self._said}")
            return self._said

    @contextlib.contextmanager
    def unread(self, room: int) -> Iterator[None]:
        """Nobody reads the console, of which so many bytes are taken.  From the start on."""
        with self._more:
            fcntl.fcntl(self._output, fcntl.F_SETPIPE_SZ, room)
            yield

    def runs(self) -> bool:
        """Has it not ended yet?"""
        return self._process.poll() is None

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
        self._process.terminate()
        self._process.wait()
        self._reader.join()
        self._process.stdin.close()
        self._process.stdout.close()
