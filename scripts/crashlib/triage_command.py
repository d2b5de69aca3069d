"""triage_command.py - `crash.py triage`: its options, its progress, its exit status."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from crashlib import triage, triage_output
from crashlib.selection import Unusable
from crashlib.status import EXIT_COMPLETE, EXIT_PARTIAL, EXIT_UNUSABLE, worst

DESCRIPTION = """\
Group the crashes of many inputs by signature: the kind of failure and the
innermost functions on the way to it, which a rebuild does not change unless
it changes them.  A crash whose signature is weak (no symbols, a lost
backtrace) is listed by itself and counted with no other.

A crash is counted once, however many copies of its record there are.  It was
seen when its input was last written to; among the records of one input, the
later one was seen later.
"""
EPILOG = """\
SQLite: table `crashes`, a row for each crash, keyed by `crash`; view
`groups`, a row for each signature, with count, first_seen, last_seen and an
example.  Further runs add to it, and update what is there already.
scripts/crashlib/triage_output.py describes the columns.

exit status:
  0  every input named had a record, and all of them are complete
  1  no record at all, an input that cannot be read or holds no record, or
     a result that cannot be written
  2  some records are incomplete, or there are no (matching) symbols

examples:
  crash.py triage logs/
  crash.py triage --sqlite crashes.db --jsonl - logs/ ram.img
"""


def configure(command: argparse.ArgumentParser) -> None:
    command.description, command.epilog = DESCRIPTION, EPILOG
    command.add_argument("file", nargs="+", metavar="DIR|FILE",
                         help="an input, or a folder with any number of them at any depth")
    command.add_argument("--jsonl", type=Path, metavar="FILE",
                         help="write each crash as a line of JSON; - is standard output, in place "
                         "of the table")
    command.add_argument("--sqlite", type=Path, metavar="FILE", help="add the crashes to this file")
    command.add_argument("--jobs", type=int, metavar="N", default=len(os.sched_getaffinity(0)),
                         help="decode so many at a time (default: one for each core)")
    command.add_argument("--color", choices=("auto", "always", "never"), default="auto",
                         help="default: on a terminal")


def run(options: argparse.Namespace) -> int:
    symbols = triage.SymbolOptions(options.elf, options.force, tuple(options.debug_dir))
    files = triage.find_files(options.file)
    results = list(_with_progress(triage.decode_all(files, symbols, options.jobs), len(files)))
    crashes = triage.join_copies(crash for result in results for crash in result.crashes)
    status = worst(set(_tell_errors(results, set(options.file))))
    _write(options, crashes)
    if str(options.jsonl) != "-":
        colour = options.color == "always" or (options.color == "auto" and sys.stdout.isatty())
        empty = sum(not result.crashes and not result.error for result in results)
        triage_output.print_groups(triage.group(crashes), len(files), empty, colour)
    if status != EXIT_COMPLETE or not crashes:
        return status or EXIT_UNUSABLE
    return EXIT_COMPLETE if all(crash.complete for crash in crashes) else EXIT_PARTIAL


def _tell_errors(results: list[triage.FileResult], named: set[str]) -> Iterator[int]:
    """Of those that were named in person, having no record is one."""
    for result in results:
        error = result.error
        if not error and not result.crashes and result.file in named:
            error = f"{result.file}: no crash record in it"
        if error:
            print(f"crash.py: {error}", file=sys.stderr)
        yield EXIT_UNUSABLE if error else EXIT_COMPLETE


def _write(options: argparse.Namespace, crashes: list[triage.Crash]) -> None:
    try:
        if options.jsonl is not None:
            triage_output.write_json_lines(options.jsonl, crashes)
        if options.sqlite is not None:
            triage_output.write_sqlite(options.sqlite, crashes)
    except triage_output.NotWritten as error:
        raise Unusable(str(error)) from error


def _with_progress(results: Iterable[triage.FileResult],
                   total: int) -> Iterable[triage.FileResult]:
    """A bar on a terminal, and nothing anywhere else."""
    if not sys.stderr.isatty():
        return results
    from rich.console import Console
    from rich.progress import track

    return track(results, "decoding", total, transient=True, console=Console(stderr=True))
