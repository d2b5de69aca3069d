"""guest.py - a machine under test: its console as text, its debug line, its exit status.

Waits for what the machine says, under a deadline; ends only what it started.
"""

from __future__ import annotations

import subprocess
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build"
DEADLINE = 60  # seconds: never reached unless something is wrong


class Guest:
    """With `shared`, the console's line is GDB's, too; all that went over it is in that file."""

    def __init__(self, folder: Path, arguments: list[str], shared: Path | None = None) -> None:
        self.gdb = folder / "gdb"  # a socket: `target remote` takes its path
        self.said = ""             # by the console, and by QEMU if it has to complain
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
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        while data := self._process.stdout.read1():
            self._note(data.decode(errors="replace"), ended=False)
        self._note("", ended=True)

    def _note(self, text: str, ended: bool) -> None:
        with self._more:
            self.said += text
            self._ended = ended
            self._more.notify_all()

    def wait_for(self, text: str, count: int = 1, deadline: float = DEADLINE) -> str:
        """Wait until the console has said `text` (`count` times); return all that it said."""
        with self._more:
            self._more.wait_for(lambda: self._ended or self.said.count(text) >= count, deadline)
            if self.said.count(text) < count:
                pytest.fail(f"the console never said {text!r} ({count} times), but:\n{self.said}")
            return self.said

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
