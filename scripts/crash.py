#!/usr/bin/python3
"""crash.py - from the bytes that a dying kernel sent to the cause.

Input is a console log with anything around the record's lines, or a raw record.  Refuses symbols
of another build unless forced.  Any input gives a defined exit status.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from crashlib.elf import ElfError  # noqa: E402  (the line above finds it)
from crashlib.evidence import Evidence  # noqa: E402
from crashlib.payloads import RecordFlags, TrapKind, name_of  # noqa: E402
from crashlib.record import Record, load  # noqa: E402
from crashlib.symbols import SymbolsRefused, find_symbols  # noqa: E402
from crashlib.tables import TableError  # noqa: E402

EXIT_COMPLETE, EXIT_UNUSABLE, EXIT_PARTIAL = 0, 1, 2
STANDARD_INPUT = "-"

EPILOG = """\
exit status:
  0  complete: the record is whole and its kernel's ELF file was found
  1  unusable: no record, a file that cannot be read or written, symbols
     refused, or wrong usage
  2  partial: something of the record is lost or damaged, or there are no
     (matching) symbols; what is known is still given
  `gdb` ends with GDB's own status.

examples:
  crash.py console.log               what happened, in words
  crash.py gdb console.log           GDB on the crashed frame
  crash.py gdb console.log -- -batch -ex bt
"""


class Unusable(Exception):
    """Ends the program with this one line."""


@dataclass(frozen=True)
class Choice:
    """A record out of an input."""
    record: Record
    number: int  # from 1
    total: int


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> None:
        raise Unusable(f"{message} (see --help)")


def main(arguments: list[str]) -> int:
    try:
        options = parse_arguments(arguments)
        return options.run(options)
    except (Unusable, ElfError, SymbolsRefused, TableError) as error:
        return fail(str(error))
    except BrokenPipeError:
        raise
    except OSError as error:
        name = f"{error.filename}: " if error.filename else ""
        return fail(f"{name}{error.strerror or error}")
    except KeyboardInterrupt:
        return fail("interrupted")


def fail(text: str) -> int:
    print(f"crash.py: {text}", file=sys.stderr)
    return EXIT_UNUSABLE


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    rest: list[str] = []
    if "--" in arguments:
        split = arguments.index("--")
        arguments, rest = arguments[:split], arguments[split + 1:]
    if not arguments or arguments[0] not in (*COMMANDS, "-h", "--help"):
        arguments = ["report", *arguments]
    options = make_parser().parse_args(arguments)
    options.gdb_arguments = rest
    if rest and options.command != "gdb":
        raise Unusable("arguments after -- are for gdb alone")
    return options


def make_parser() -> Parser:
    parser = Parser(prog="crash.py", description=__doc__.split("\n\n")[0], epilog=EPILOG,
                    formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, (run, text) in COMMANDS.items():
        command = commands.add_parser(name, help=text, description=text, epilog=EPILOG,
                                      formatter_class=argparse.RawDescriptionHelpFormatter)
        command.set_defaults(run=run)
        several = name in ("report", "list")
        command.add_argument("file", nargs="+" if several else None, metavar="FILE",
                             help="a console log or a raw record; - reads standard input")
        if name != "list":
            command.add_argument("--record", metavar="N|ID", help="which one, if the input holds "
                                 "several: its number or id as `list` shows them (default: the "
                                 "last one, but a full record rather than a minimal one)")
        if name in ("report", "core", "gdb"):
            command.add_argument("--elf", type=Path, metavar="FILE", help="the crashed kernel's "
                                 "ELF (default: found by its build id)")
            command.add_argument("--force", action="store_true",
                                 help="use --elf even if its build id is another")
        if name in ("core", "extract"):
            command.add_argument("-o", "--output", type=Path, metavar="FILE", required=True,
                                 help="where to write it; - is standard output")
    report = commands.choices["report"]
    report.add_argument("--json", action="store_true", help="the report as JSON")
    report.add_argument("--color", choices=("auto", "always", "never"), default="auto",
                        help="default: on a terminal")
    return parser


# ---- The commands -------------------------------------------------------------------------------

def run_report(options: argparse.Namespace) -> int:
    from crashlib.report import make_report

    statuses, bodies = [], []
    for file in options.file:
        choice = choose(file, options.record)
        report = make_report(Evidence(choice.record, symbols_for(choice.record, options)))
        report.go_on = next_steps(file, choice, options)
        statuses.append(EXIT_COMPLETE if report.complete else EXIT_PARTIAL)
        if options.json:
            bodies.append(report.as_json())
        else:
            print_report(report, choice, file, options)
    if options.json:
        json.dump(bodies[0] if len(bodies) == 1 else bodies, sys.stdout, indent=2)
        print()
    return max(statuses)


def print_report(report, choice: Choice, file: str, options: argparse.Namespace) -> None:
    from crashlib.text import print_lines, render

    lines = render(report)
    if choice.total > 1:
        note = (f"record {choice.number} of {choice.total} in {file}: `crash.py list` shows them, "
                "--record chooses")
        lines = [[(note, "dim")], *lines]
    if len(options.file) > 1:
        lines = [[(f"==== {file}", "heading")], *lines, [("", "")]]
    colour = options.color == "always" or (options.color == "auto" and sys.stdout.isatty())
    print_lines(lines, colour)


def run_list(options: argparse.Namespace) -> int:
    status = EXIT_COMPLETE
    for file in options.file:
        for number, record in enumerate(read_records(file), 1):
            prefix = f"{file}: " if len(options.file) > 1 else ""
            print(prefix + list_line(number, record))
            status = status if record.complete else EXIT_PARTIAL
    return status


def run_core(options: argparse.Namespace) -> int:
    from crashlib.core import make_core

    choice = choose(options.file, options.record)
    symbols = symbols_for(choice.record, options)
    write(options.output, make_core(Evidence(choice.record, symbols)))
    if symbols.problem:
        print(f"crash.py: {symbols.problem}", file=sys.stderr)
    return EXIT_COMPLETE if choice.record.complete and symbols.matched else EXIT_PARTIAL


def run_extract(options: argparse.Namespace) -> int:
    choice = choose(options.file, options.record)
    data, lost = choice.record.extract()
    write(options.output, data)
    for start, end in lost:
        print(f"crash.py: bytes {start:#x} to {end:#x} are lost and zero in the output",
              file=sys.stderr)
    return EXIT_COMPLETE if choice.record.complete else EXIT_PARTIAL


def run_gdb(options: argparse.Namespace) -> int:
    from crashlib.debugger import run_gdb as start_gdb

    choice = choose(options.file, options.record)
    symbols = symbols_for(choice.record, options)
    if symbols.problem:
        print(f"crash.py: {symbols.problem}", file=sys.stderr)
    return start_gdb(Evidence(choice.record, symbols), options.gdb_arguments)


COMMANDS = {
    "report": (run_report, "say what happened, in words (the default)"),
    "core": (run_core, "write an ELF core for gdb, lldb or drgn"),
    "extract": (run_extract, "write the raw record"),
    "list": (run_list, "one line per record in the input"),
    "gdb": (run_gdb, "start GDB on the crash; what follows -- is for GDB"),
}


# ---- Their parts --------------------------------------------------------------------------------

def read_records(file: str) -> list[Record]:
    records = load(sys.stdin.buffer.read() if file == STANDARD_INPUT else Path(file))
    if not records:
        raise Unusable(f"{name_of_input(file)}: no crash record in it")
    return records


def choose(file: str, wanted: str | None) -> Choice:
    records = read_records(file)
    if wanted is None:
        index = default_record(records)
    else:
        index = find_record(records, wanted)
        if index is None:
            raise Unusable(f"{name_of_input(file)}: no record {wanted}; `crash.py list` shows "
                           f"all {len(records)}")
    return Choice(records[index], index + 1, len(records))


def default_record(records: list[Record]) -> int:
    """The last one; if that is the minimal record of a writer that failed, the full one of the
    same boot before it, whose end is lost but which holds more."""
    last = len(records) - 1
    if not is_minimal(records[last]):
        return last
    same = [index for index, record in enumerate(records)
            if record.boot_id == records[last].boot_id and not is_minimal(record)
            and record.cause is not None and record.registers is not None]
    return same[-1] if same else last


def is_minimal(record: Record) -> bool:
    return record.header is not None and bool(record.header.flags & RecordFlags.MINIMAL)


def find_record(records: list[Record], wanted: str) -> int | None:
    for index, record in enumerate(records):
        if record.record_id is not None and f"{record.record_id:08x}" == wanted.lower():
            return index
    if wanted.isdecimal() and 1 <= int(wanted) <= len(records):
        return int(wanted) - 1
    return None


def symbols_for(record: Record, options: argparse.Namespace):
    build_id = bytes.fromhex(record.build_id or "")
    return find_symbols(build_id, options.elf, options.force)


def list_line(number: int, record: Record) -> str:
    cause = record.cause
    identity = "--------" if record.record_id is None else f"{record.record_id:08x}"
    boot = (record.boot_id or "?")[:8]
    what = "cause lost"
    if cause is not None:
        name = cause.name or name_of(TrapKind, cause.kind)
        what = f"{cause.uptime_us / 1e6:.3f} s  {name} at {cause.pc:#x}"
    state = "" if record.complete else "  incomplete"
    state += "  minimal" if is_minimal(record) else ""
    return f"{number:3d}  {identity}  boot {boot} #{record.sequence or '?'}  {what}{state}"


def next_steps(file: str, choice: Choice, options: argparse.Namespace) -> list[tuple[str, str]]:
    from shlex import quote

    source = "LOG" if file == STANDARD_INPUT else quote(file)
    extra = f" --record {choice.number}" if choice.total > 1 else ""
    extra += f" --elf {quote(str(options.elf))}" if options.elf else ""
    extra += " --force" if options.force else ""
    program = quote(sys.argv[0])
    return [(f"{program} gdb {source}{extra}", "in GDB"),
            (f"{program} core -o FILE {source}{extra}", "as a core")]


def write(path: Path, data: bytes) -> None:
    if str(path) == STANDARD_INPUT:
        sys.stdout.buffer.write(data)
    else:
        path.write_bytes(data)


def name_of_input(file: str) -> str:
    return "standard input" if file == STANDARD_INPUT else file


if __name__ == "__main__":
    try:
        STATUS = main(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:  # the reader of the pipe, `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        STATUS = EXIT_COMPLETE
    sys.exit(STATUS)
