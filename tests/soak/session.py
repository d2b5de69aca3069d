"""session.py - GDB at a machine that is to end well, on a line that is watched.

Knows which of GDB's answers are no finding: the end of the program, Ctrl-C that comes late, and
commands that make no sense where the machine has happened to stop.
"""

from __future__ import annotations

import itertools
import random
import re
from pathlib import Path

from debugger import Debugger, GdbError, last_number
from tap import Tap

CTRL_C = re.compile(rb"\x03")
PATIENCE = 180  # seconds: never reached unless something is wrong
AGAIN = 10      # seconds after which a Ctrl-C counts as not sent
CALLS = 10      # that Ctrl-C may end
LAST_PACKETS = 100
LAST_WORDS = 2000
PASSED = "handle SIGFPE SIGSEGV SIGILL nostop noprint pass"  # programs end by them
REFUSALS = re.compile("|".join([
    "not meaningful in the outermost frame", "Cannot find bounds of current function",
    "Cannot access memory", "Cannot insert breakpoint", "not within the current function",
    "No line number", "has no line number", "unavailable", "optimized out", "Unable to",
    "No symbol table info", "No caller", "Command aborted",
    "not within a known function"]))

# GDB's own breakpoint, of a command that it has given up: it is gone with the next.
LEFT_OVER = "Cannot insert breakpoint 0"
GIVEN_UP = "refused"
PASSES_ON = re.compile(rb"vCont;[CS]")
# The last: a step into a function that is inlined where the machine stands runs nothing.
HARMLESS = {"SIGINT", "SIGTRAP", "0"}
HELD = "it does not run, and what its CPU runs is to stay stopped"  # says the kernel of a step

# GDB's question to somebody who presses Ctrl-C twice; with no terminal it answers by itself.
IMPATIENT = "not responding to interrupt requests"


class Ended(Exception):
    """The program has come to its end, and GDB has been told."""


class Left(Exception):
    """GDB has left the machine by itself."""


class Finding(Exception):
    """Something is wrong: the text says what."""


def expect(held: bool, what: str, saw: object) -> None:
    if not held:
        raise Finding(f"expected {what}; saw: {saw}")


class Session:
    """From `target remote` to an end of some kind.  Between methods the machine stands still."""

    def __init__(self, elf: Path, socket: Path, folder: Path, chance: random.Random) -> None:
        self.chance = chance
        self.tap = Tap(folder / "tap", socket)
        self.gdb = Debugger(elf)
        self._late = 0  # Ctrl-C that something else has come before

    def attach(self) -> None:
        self(f"set remotetimeout {PATIENCE}")
        self(f"set breakpoint always-inserted {self.chance.choice(['on', 'off'])}")
        self(PASSED)
        self(f"target remote {self.tap.path}")

    def close(self) -> None:
        self.gdb.end()
        self.tap.close()

    def packets(self) -> str:
        """The last ones, with the commands that they came from, and GDB's own last words."""
        runs = itertools.groupby(self.tap.passed, lambda passed: passed[0])
        lines = [f"{who}: {b''.join(data for _, data in run)!r}" for who, run in runs]
        return "\n".join([*lines[-LAST_PACKETS:], self.gdb.said[-LAST_WORDS:]])

    def note(self, command: str) -> str:
        self.tap.passed.append(("command", command.encode()))
        return command

    def __call__(self, command: str) -> str:
        try:
            return self.gdb(self.note(command))
        except GdbError as error:
            if self._has_said(IMPATIENT):
                raise Left from error
            if "exited" in str(error) or "not being run" in str(error):
                raise Ended from error
            if LEFT_OVER in str(error):
                return ""  # it is said of each command that inserts some
            raise Finding(f"GDB refused {command!r}: {error}") from error

    def _has_said(self, text: str) -> bool:
        """GDB, of late."""
        return text in self.gdb.said[-LAST_WORDS:]

    def _has_sent(self, pattern: re.Pattern[bytes], since: int) -> bool:
        """GDB, in a piece that has passed since then."""
        return any(who == "gdb" and pattern.search(data) for who, data in self.tap.passed[since:])

    def has_given_up(self) -> bool:
        """Has GDB given a command up?  It may have left what it had planted for it, and plants the
        rest again with the next."""
        return LEFT_OVER in self.gdb.said

    def try_to(self, command: str) -> None:
        """One that may make no sense where the machine has stopped."""
        try:
            self.gdb(self.note(command))
        except GdbError as error:
            expect(REFUSALS.search(str(error)) is not None, f"GDB to do {command!r}", error)

    def number(self, expression: str) -> int:
        return last_number(self(f"output/d (long long)({expression})"))

    def call(self, expression: str) -> int:
        """The value of a function call.  A Ctrl-C that comes late ends it: it is made again."""
        self("set unwindonsignal on")
        for _ in range(CALLS):
            try:
                return self.number(expression)
            except Finding as finding:
                expect("was signaled while in a function" in str(finding), "a value", finding)
        raise Finding(f"{expression}: signaled {CALLS} times")

    def resume(self, command: str = "continue") -> dict[str, str]:
        """Until it stops by itself."""
        try:
            stop = self.look(self.gdb.resume(self.note(command)))
        except GdbError as error:
            if self._has_said(IMPATIENT):
                raise Left from error
            expect(LEFT_OVER in str(error), f"GDB to do {command!r}", error)
            stop = {"reason": GIVEN_UP}
        if stop.get("reason") == GIVEN_UP and command == "continue":
            stop = self.look(self.gdb.resume(self.note(command)))
        while self._late and stop.get("signal-name") == "SIGINT":
            self._late -= 1
            stop = self.look(self.gdb.resume())
        return stop

    def resume_alone(self, command: str) -> dict[str, str]:
        """One thread.  A signal that GDB passes on ends it: where it stops then says nothing."""
        before = len(self.tap.passed)
        self.gdb.start(self.note(command))
        stop = self.gdb.stop_within(AGAIN)
        stop = self.interrupt() if stop is None else self.look(stop)
        return {"reason": GIVEN_UP} if self._has_sent(PASSES_ON, before) else stop

    def resume_for(self, command: str, seconds: float) -> dict[str, str]:
        """Until it stops by itself, or has run so long and is interrupted; {}: the command makes
        no sense here."""
        try:
            self.gdb.start(self.note(command))
            stop = self.gdb.stop_within(seconds)
            return self.interrupt() if stop is None else self.look(stop)
        except GdbError as error:
            expect(REFUSALS.search(str(error)) is not None, f"GDB to do {command!r}", error)
            return {}

    def start(self) -> None:
        """Leave it running."""
        self.gdb.start(self.note("continue"))

    def give(self, command: str) -> None:
        """Wait for nothing."""
        self.gdb.give(self.note(command))

    def kill(self) -> None:
        self.note("SIGKILL")
        self.gdb.kill()

    def interrupt(self) -> dict[str, str]:
        """Ctrl-C, while it runs."""
        before = len(self.tap.passed)
        self.note("Ctrl-C")
        self.gdb.press_ctrl_c()
        stop = self.gdb.stop_within(AGAIN)
        sent = self._has_sent(CTRL_C, before)
        if stop is None and self._has_said(LEFT_OVER):
            self._late += 1  # nothing runs: sent by now or not, it ends what is resumed next
            return {"reason": GIVEN_UP}
        if stop is None and not sent:
            return self._recover()
        if stop is None:
            stop = self.gdb.stop()
        self._late += sent and stop.get("signal-name") != "SIGINT"
        return self.look(stop)

    def _recover(self) -> dict[str, str]:
        """GDB has not passed the Ctrl-C on.  The machine had stopped, and it broke off telling so;
        or it was busy, and has forgotten it."""
        self.gdb.give("echo")
        if self.gdb.answers_within(AGAIN):
            return {"reason": "signal-received", "signal-name": "SIGINT"}
        self.note("Ctrl-C again")
        stop = self.gdb.interrupt()
        expect(self.gdb.answers_within(PATIENCE), "GDB to answer", "nothing")
        return self.look(stop)

    def look(self, stop: dict[str, str]) -> dict[str, str]:
        if stop.get("reason", "").startswith("exited"):
            expect(stop["reason"] == "exited-normally", "the program to exit with status 0", stop)
            raise Ended
        if stop.get("signal-name") == "0" and self._has_said(HELD):
            return stop | {"reason": GIVEN_UP}
        if "reason" not in stop and self._has_said(LEFT_OVER):
            return stop | {"reason": GIVEN_UP}
        expect("reason" in stop or "frame" in stop or "addr" in stop, "a stop", stop)
        expect(stop.get("signal-name", "SIGINT") in HARMLESS, "no fault", stop)
        return stop
