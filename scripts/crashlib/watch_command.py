"""watch_command.py - `crash.py watch`: follow a console and report each crash as it happens."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from crashlib.packets import Unpacker
from crashlib.record import Record
from crashlib.selection import Choice, Unusable
from crashlib.status import EXIT_COMPLETE, worst
from crashlib.watch import Collector, Source, SourceError, Splitter, open_source

DESCRIPTION = """\
Follow a console: print what it says, without the records' lines, and report
each crash once its record has come.  A record that stops coming is reported
as it is after --patience seconds, and once more if the rest comes later, as
after a reboot.
"""
EPILOG = """\
A pipe or a socket is followed to its end, a file until Ctrl-C; --crashes ends
it sooner.

exit status: the worst of the reports'; 0 if nothing crashed.
  0  complete    1  unusable: no such console, symbols refused
  2  partial: something of a record is lost, or no (matching) symbols

examples:
  crash.py watch console.log
  crash.py watch --log console.log unix:build/console.sock
  scripts/qemu.py --kernel build/kernel.elf | scripts/crash.py watch -
"""
TICK_S = 0.25  # how late a record that stopped coming may be noticed
HOLD_S = 0.25  # how long the beginning of what may be a record's line is not printed

Report = Callable[[Choice, argparse.Namespace], int]


def configure(command: argparse.ArgumentParser) -> None:
    command.description, command.epilog = DESCRIPTION, EPILOG
    command.add_argument("source", metavar="CONSOLE", help="a file that grows, unix:PATH, "
                         "tcp:[HOST:]PORT, or - for standard input")
    command.add_argument("--quiet", action="store_true", help="print the reports alone")
    command.add_argument("--log", type=Path, metavar="FILE", help="append all that comes to FILE, "
                         "the records' lines, too, for `crash.py gdb FILE` later")
    command.add_argument("--crashes", type=int, metavar="N", help="end after so many reports")
    command.add_argument("--patience", type=float, metavar="SECONDS", default=5.0,
                         help="how long to wait for the rest of a record (default: 5)")
    command.add_argument("--json", action="store_true", help="the reports as JSON")
    command.add_argument("--color", choices=("auto", "always", "never"), default="auto",
                         help="default: on a terminal")


def run(report: Report, options: argparse.Namespace) -> int:
    try:
        source = open_source(options.source)
    except SourceError as error:
        raise Unusable(str(error)) from error
    log = options.log.open("ab", buffering=0) if options.log else None
    watcher = Watcher(report, options, log)
    try:
        watcher.follow(source)
    except KeyboardInterrupt:
        watcher.finish()  # the usual way to end it
    return worst(watcher.statuses) if watcher.statuses else EXIT_COMPLETE


class Watcher:
    def __init__(self, report: Report, options: argparse.Namespace, log: BinaryIO | None) -> None:
        self._report, self._options, self._log = report, options, log
        self._unpacker, self._splitter, self._collector = Unpacker(), Splitter(), Collector()
        self._last_line = self._last_data = time.monotonic()
        self._reports = 0
        self.statuses: set[int] = set()

    def follow(self, source: Source) -> None:
        """Until its end, or until there were as many crashes as were asked for."""
        while not self._has_enough():
            data = source.read(TICK_S)
            if data == b"":
                self.finish()
                return
            if data:
                self._take(data)
            elif time.monotonic() - self._last_data >= HOLD_S:
                self._print_what_is_held()
            if time.monotonic() - self._last_line >= self._options.patience:
                self._tell(self._collector.ready(whatever_there_is=True))

    def finish(self) -> None:
        self._print_what_is_held()
        self._tell(self._collector.ready(whatever_there_is=True))

    def _print_what_is_held(self) -> None:
        self._take_text(self._unpacker.flush())
        self._print(self._splitter.flush())

    def _has_enough(self) -> bool:
        return self._options.crashes is not None and self._reports >= self._options.crashes

    def _take(self, data: bytes) -> None:
        self._last_data = time.monotonic()
        if self._log is not None:
            self._log.write(data)
        self._take_text(self._unpacker.feed(data))

    def _take_text(self, text: bytes) -> None:
        for item in self._splitter.feed(text):
            if isinstance(item, bytes):
                self._print(item)
                continue
            frame, line = item
            self._last_line = time.monotonic()
            self._collector.add(frame, line)
            if frame.type == "E":
                self._tell(self._collector.ready(whatever_there_is=False))
            if self._has_enough():
                return

    def _print(self, text: bytes) -> None:
        if text and not self._options.quiet:
            sys.stdout.buffer.write(text)
            sys.stdout.buffer.flush()

    def _tell(self, records: list[Record]) -> None:
        for record in records:
            file = self._options.log or self._options.source.removeprefix("file:")
            kept = self._options.log or Path(file).is_file()
            self.statuses.add(self._report(Choice(str(file) if kept else "-", record, 1, 1),
                                           self._options))
            self._reports += 1
            sys.stdout.flush()
