"""demo_programs.py - the programs that demo.py runs: QEMU with the kernel, and stock GDB.

Reads what they print line by line, under a deadline.  Judges nothing but that they answer.
"""

from __future__ import annotations

import json
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build"
LOG = BUILD / "demo.console"
DEADLINE = 60  # seconds for any one event: never reached unless something is wrong


class Failed(Exception):
    """Something did not do what it should; the text says what was expected, and what was seen."""


class Child:
    """A program, with its output as lines.  Linux ends it if this process dies first."""

    def __init__(self, name: str, command: list[str | Path], stop: signal.Signals) -> None:
        self.name = name
        self._stop = stop
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._process = subprocess.Popen(
            ["setpriv", "--pdeathsig", stop.name[3:], *command], cwd=ROOT, start_new_session=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            errors="replace")
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        for line in self._process.stdout:
            self.take(line)
            self._lines.put(line)
        self._lines.put(None)

    def take(self, line: str) -> None:
        """For those who want every line at once."""

    def write(self, line: str) -> None:
        try:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # it has ended, which reading will tell

    def read_until(self, awaited: str, is_it: Callable[[str], bool]) -> tuple[str, str]:
        """What comes before the next line of that kind, and that line."""
        before, end = "", time.monotonic() + DEADLINE
        try:
            while (line := self._lines.get(timeout=max(end - time.monotonic(), 0))) is not None:
                if is_it(line):
                    return before, line
                before += line
        except queue.Empty:
            raise Failed(f"expected {awaited} within {DEADLINE} seconds\nsaw: {before}") from None
        raise Failed(f"expected {awaited}\nsaw: {before}{self.name} ended, status {self.wait()}")

    def wait(self) -> int:
        """The exit status, once it has ended and all its lines are taken."""
        try:
            status = self._process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            raise Failed(f"expected {self.name} to end\nsaw: it still runs") from None
        self._reader.join()
        return status

    def end(self) -> None:
        self._process.send_signal(self._stop)
        self._process.wait()
        self._reader.join()


class Machine(Child):
    """QEMU: COM1 is its output, kept in a file; COM2 is a socket."""

    def __init__(self, socket: str) -> None:
        self._log = LOG.open("w")
        super().__init__("QEMU", [
            ROOT / "scripts/qemu.py", "--iso", BUILD / "kernel.iso", "--append", "run=heartbeat",
            "--console", "stdio", "--gdb", f"unix:{socket}"], stop=signal.SIGTERM)

    def take(self, line: str) -> None:
        self._log.write(line)
        self._log.flush()

    def end(self) -> None:
        super().end()
        self._log.close()


@dataclass(frozen=True)
class Answer:
    """What a command of GDB did."""
    output: str
    frames: list[dict]  # innermost first: {"function", "line"}
    error: str = ""
    breakpoints: list[int] = field(default_factory=list)  # that were hit
    signal: str = ""
    ended: bool = False  # the program has

    def __str__(self) -> str:
        function, line = self.place
        return f"{self.output}{self.error}\n(now in {function or 'nothing'}, line {line})"

    @property
    def functions(self) -> list[str]:
        return [frame["function"] for frame in self.frames]

    @property
    def place(self) -> tuple[str, int]:
        return (self.frames[0]["function"], self.frames[0]["line"]) if self.frames else ("", 0)


class Debugger(Child):
    """Stock GDB, without anybody's settings."""

    def __init__(self) -> None:
        super().__init__("GDB", ["gdb", "-nx", "-q", "-batch", BUILD / "kernel.elf",
                                 "-x", ROOT / "scripts/gdb/answers.py"], stop=signal.SIGKILL)

    def ask(self, command: str) -> Answer:
        self.write(command)
        output, answer = self.read_until(f"an answer to `{command}`",
                                         lambda line: line.startswith('{"'))
        return Answer(output, **json.loads(answer))
