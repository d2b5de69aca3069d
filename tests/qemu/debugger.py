"""debugger.py - GDB as a person has it: one command after the other, by GDB/MI.

Stock GDB: no init file, no settings.  Waits for its answers under a deadline.
"""

from __future__ import annotations

import codecs
import contextlib
import re
import signal
import subprocess
import threading
from pathlib import Path

import pytest

from guest import DEADLINE

PAIR = re.compile(r'([\w-]+)="((?:[^"\\]|\\.)*)"')
TEXT = re.compile(r'[~@&]"(.*)"$')
STOP = r"\*stopped|\^error"
ENDED = "gdb has ended"
GDB = ["gdb", "-nx", "-q"]


class GdbError(Exception):
    """GDB refused a command; the text is its own."""


class Debugger:
    """A GDB.  `said` is all its text."""

    def __init__(self, elf: Path | None) -> None:
        self.said = ""
        self._lines: list[str] = []
        self._more = threading.Condition()
        self._process = subprocess.Popen(
            [*GDB, "--interpreter=mi3", *([str(elf)] if elf else [])], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            errors="replace")
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def __call__(self, command: str) -> str:
        """Give a command that does not resume the machine; return what GDB printed."""
        self.give(command)
        lines = self._until(r"\^")
        return self._answer(lines)

    def ask(self, command: str) -> str:
        """Give a command of GDB/MI; return its result."""
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()
        lines = self._until(r"\^")
        self._answer(lines)
        return lines[-1]

    def resume(self, command: str = "continue") -> dict[str, str]:
        """Give a command that does; return the stop that ends it: reason, func, line, ..."""
        self.start(command)
        return self.stop()

    def start(self, command: str = "continue") -> None:
        """Resume the machine, and leave it running."""
        self.give(command)
        self._answer(self._until(r"\^"))

    def give(self, command: str) -> None:
        """Give a command, and wait for nothing."""
        quoted = command.replace("\\", "\\\\").replace('"', '\\"')
        self._process.stdin.write(f'-interpreter-exec console "{quoted}"\n')
        self._process.stdin.flush()

    def answers_within(self, seconds: float) -> bool:
        """Is there an answer to what was given?"""
        return self._within(r"\^", seconds) is not None

    def stop(self) -> dict[str, str]:
        """Wait for the stop that is to come."""
        return self._stop(self._until(STOP))

    def stop_within(self, seconds: float) -> dict[str, str] | None:
        """The same, or None: it may come later."""
        lines = self._within(STOP, seconds)
        return self._stop(lines) if lines else None

    def interrupt(self) -> dict[str, str]:
        """Ctrl-C."""
        self.press_ctrl_c()
        return self.stop()

    def press_ctrl_c(self) -> None:
        self._process.send_signal(signal.SIGINT)

    def evaluate(self, expression: str) -> str:
        """The value as GDB prints it."""
        return self(f"print {expression}").partition(" = ")[2].strip()

    def number(self, expression: str) -> int:
        return last_number(self(f"output/d (long long)({expression})"))

    def functions(self) -> list[str]:
        """The function names of the backtrace, innermost first."""
        return re.findall(r"^#\d+ +(?:0x\w+ in )?([\w.?]+)", self("backtrace"), re.MULTILINE)

    def kill(self) -> None:
        """End GDB as a crash or an angry user does: the target hears nothing."""
        self._process.kill()
        self._process.wait()

    def has_crashed(self) -> bool:
        """Has a signal ended GDB itself?"""
        return (self._process.poll() or 0) < 0

    def end(self) -> None:
        self.kill()
        self._reader.join()
        with contextlib.suppress(BrokenPipeError):  # what it has not read
            self._process.stdin.close()
        self._process.stdout.close()

    def _stop(self, lines: list[str]) -> dict[str, str]:
        self._answer(lines)
        return dict(reversed(PAIR.findall(lines[-1])))  # of several with one name, the first

    def _answer(self, lines: list[str]) -> str:
        text = "".join(found.group(1) for line in lines if (found := TEXT.match(line))
                       and line[0] != "&")
        if lines[-1].startswith("^error"):
            raise GdbError(unescape(dict(PAIR.findall(lines[-1]))["msg"]))
        return unescape(text)

    def _read(self) -> None:
        for line in self._process.stdout:
            self._add(line.rstrip("\n"))
        self._add(ENDED)

    def _add(self, line: str) -> None:
        with self._more:
            self._lines.append(line)
            if found := TEXT.match(line):
                self.said += unescape(found.group(1))
            self._more.notify_all()

    def _until(self, pattern: str) -> list[str]:
        """Take the lines up to the first that begins with the pattern; the rest is for later."""
        lines = self._within(pattern, DEADLINE)
        if lines is None:
            pytest.fail(f"GDB never said {pattern!r}; its last words:\n"
                        + "\n".join(self._lines[-20:]))
        return lines

    def _within(self, pattern: str, seconds: float) -> list[str] | None:
        def place() -> int | None:
            return next((n for n, line in enumerate(self._lines) if re.match(pattern, line)), None)

        with self._more:
            self._more.wait_for(lambda: place() is not None or ENDED in self._lines, seconds)
            end = place()
            if end is None:
                return None
            lines, self._lines = self._lines[:end + 1], self._lines[end + 1:]
            return lines


def last_number(said: str) -> int:
    """What `output` has printed, perhaps behind threads that are new to GDB."""
    return int(said.rpartition("\n")[2]) % (1 << 64)


def unescape(text: str) -> str:
    return codecs.decode(text, "unicode_escape") if "\\" in text else text


def run_gdb(elf: Path, socket: Path, *commands: str) -> str:
    """Attach, give the commands, and quit: `gdb -batch`.  Return what GDB printed."""
    words = [word for command in (f"target remote {socket}", *commands)
             for word in ("-ex", command)]
    done = subprocess.run([*GDB, "-batch", str(elf), *words], text=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=DEADLINE)
    return done.stdout
