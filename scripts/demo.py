#!/usr/bin/python3
"""demo.py - the main job once, unattended, told as a story: boot, break in, step, crash, decode.

Drives the real things (GRUB in QEMU, stock GDB, crash.py) and believes only what it sees: each step
is checked, and the first that fails ends the story with exit status 1.  Leaves the console's log
behind, and no process.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.text import Text

from demo_programs import BUILD, DEADLINE, LOG, ROOT, Answer, Debugger, Failed, Machine

REPORT_LINES = 13
CRASHED = 70  # the kernel's exit status after a crash
BROKEN_FUNCTION = "summarize"  # of kernel/heartbeat.c: adds up a list, once a second


def expect(held: bool, what: str, saw: object) -> None:
    if not held:
        raise Failed(f"expected {what}\nsaw: {str(saw).strip() or 'nothing'}")


class Story:
    """What people read: plain in a pipe, with colours and a sign of life on a terminal."""

    def __init__(self) -> None:
        self._console = Console(highlight=False, soft_wrap=True)

    def say(self, text: str, style: str = "") -> None:
        self._console.print(Text(text.rstrip(), style))

    def show(self, text: str) -> None:
        """What a program printed: indented, without empty lines."""
        for line in filter(str.strip, text.splitlines()):
            self.say(f"    {line}")

    @contextmanager
    def waiting(self, what: str) -> Iterator[None]:
        with self._console.status(what):
            yield


class Demo:
    """The steps.  Each returns what it has seen, in a line."""

    def __init__(self, story: Story, folder: str) -> None:
        self._story, self._socket = story, f"{folder}/gdb"
        self._machine: Machine | None = None
        self._gdb: Debugger | None = None
        self._fault = Answer("", [])

    def end(self) -> None:
        for child in filter(None, (self._gdb, self._machine)):
            child.end()

    def _ask(self, command: str, wait_for: str = "") -> Answer:
        """Have GDB do it, and show it."""
        self._story.say(f"    (gdb) {command}", "cyan")
        with self._story.waiting(wait_for or "GDB works"):
            answer = self._gdb.ask(command)
        self._story.show(answer.output)
        expect(not answer.error, f"GDB to do `{command}`", answer.error)
        return answer

    def _hit(self, answer: Answer) -> None:
        expect(answer.breakpoints == [1] and answer.place[0] == BROKEN_FUNCTION,
               f"breakpoint 1 to be hit in {BROKEN_FUNCTION}", answer)

    def _heartbeats(self) -> int:
        answer = self._gdb.ask(r'printf "%lu\n", heartbeat.count')
        expect(answer.output.strip().isdecimal(), "a number of heartbeats", answer)
        return int(answer.output)

    def boot(self) -> str:
        with self._story.waiting("GRUB boots the kernel"):
            self._machine = Machine(self._socket)
            _, line = self._machine.read_until("a heartbeat on the console",
                                               lambda line: "heartbeat 1:" in line)
        self._story.show(line)
        return "the kernel runs: that came over COM1"

    def attach(self) -> str:
        self._gdb = Debugger()
        answer = self._ask(f"target remote {self._socket}")
        expect("kernel_main" in answer.functions, "a backtrace to kernel_main", answer)
        return f"it was running, and is stopped in {answer.place[0]}"

    def break_in(self) -> str:
        self._ask(f"break {BROKEN_FUNCTION}")
        self._hit(self._ask("continue", "the kernel runs on to its next heartbeat"))
        answer = self._ask("backtrace")
        expect("kernel_main" in answer.functions and "kernel_main" in answer.output,
               "a backtrace to kernel_main", answer)
        return f"hit in {BROKEN_FUNCTION}, {len(answer.frames)} frames, down to the boot code"

    def step_and_continue(self) -> str:
        old, before = self._gdb.ask("frame").place, self._heartbeats()
        answer = self._ask("step")
        expect(answer.place != old and answer.place[1] > 0, f"another line than {old[1]}", answer)
        self._hit(self._ask("continue", "the kernel runs on to its next heartbeat"))
        after = self._heartbeats()
        expect(after == before + 1, f"one heartbeat after {before}", after)
        return f"a line further, then a heartbeat further (from {before} to {after})"

    def corrupt(self) -> str:
        self._ask("print *newest")
        self._ask("set variable newest->older = 0x10")
        self._fault = self._ask("continue", "the kernel follows the pointer")
        expect(self._fault.signal == "SIGSEGV", "the page fault as SIGSEGV", self._fault)
        return f"the page fault came to GDB first, in {self._fault.place[0]}"

    def crash(self) -> str:
        answer = self._ask("continue", "the kernel writes its record")
        expect(answer.ended, "GDB to be told of the end", answer)
        status = self._machine.wait()
        expect(status == CRASHED, f"the kernel to end with status {CRASHED}", status)
        return f"GDB was told of the end, and QEMU ended with the kernel's status {status}"

    def decode(self) -> str:
        log = LOG.relative_to(ROOT)
        report = json.loads(run_decoder("report", "--json", log))
        loader = report["annotations"].get("loader", "")
        expect(loader.startswith("GRUB"), "a kernel that GRUB booted", loader or "no loader")
        expect(report["place"]["function"] == self._fault.place[0],
               f"the crash in {self._fault.place[0]}", report["place"])
        expect("null" in report["cause"], "a null pointer as the cause", report["cause"])
        self._story.say(f"    $ scripts/crash.py report {log} | head -n {REPORT_LINES}", "cyan")
        lines = run_decoder("report", log).splitlines()
        self._story.show("\n".join(lines[:REPORT_LINES]))
        return "the record is whole, and names the function, the line and the null pointer"


def run_decoder(*arguments: str | Path) -> str:
    """What crash.py prints."""
    try:
        done = subprocess.run([ROOT / "scripts/crash.py", *arguments], cwd=ROOT, text=True,
                              capture_output=True, timeout=DEADLINE)
    except subprocess.TimeoutExpired:
        raise Failed(f"expected crash.py to end within {DEADLINE} seconds") from None
    expect(done.returncode == 0, "crash.py to decode the whole record",
           done.stderr or f"exit status {done.returncode}")
    return done.stdout


STEPS: tuple[tuple[str, Callable[[Demo], str]], ...] = (
    ("Boot build/kernel.iso: GRUB loads the kernel, in QEMU", Demo.boot),
    ("Attach stock GDB to the running kernel, over COM2", Demo.attach),
    ("Break in kernel code: int3 goes into read-only text", Demo.break_in),
    ("Step, and go on", Demo.step_and_continue),
    ("Spoil a pointer of a list, and let the kernel follow it", Demo.corrupt),
    ("Pass the fault on: the kernel writes a crash record, and ends", Demo.crash),
    ("Decode the record that it left", Demo.decode),
)


def tell(story: Story, demo: Demo) -> int:
    """The exit status."""
    for number, (title, step) in enumerate(STEPS, 1):
        story.say(f"{number}. {title}", "bold")
        begun = time.monotonic()
        try:
            seen = step(demo)
        except Failed as failure:
            print(f"demo.py: step {number} failed ({title}): {failure}", file=sys.stderr)
            return 1
        story.say(f"    ok: {seen} ({time.monotonic() - begun:.1f} s)", "green")
    return 0


def main() -> int:
    argparse.ArgumentParser(description="Boot, debug, crash and decode a kernel, unattended.",
                            epilog=f"The console's log stays in {LOG.relative_to(ROOT)}."
                            ).parse_args()
    for name in ("kernel.elf", "kernel.iso"):
        if not (BUILD / name).is_file():
            print(f"demo.py: build/{name} is not there: run make", file=sys.stderr)
            return 1
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda ended_by, _frame: sys.exit(128 + ended_by))
    story, begun = Story(), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="trapline-") as folder:
        demo = Demo(story, folder)
        try:
            status = tell(story, demo)
        finally:
            demo.end()
    if status == 0:
        took = time.monotonic() - begun
        story.say(f"All {len(STEPS)} steps were seen to work, in {took:.0f} s.  GDB on that crash: "
                  f"scripts/crash.py gdb {LOG.relative_to(ROOT)}", "bold")
    return status


if __name__ == "__main__":
    sys.exit(main())
