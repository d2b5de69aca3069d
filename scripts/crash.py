#!/usr/bin/python3
"""crash.py - from the bytes that a dying kernel sent to the cause.

Input is a console log with anything around the record's lines, a raw record, or an image of memory
or of a disk with records somewhere in it.  Refuses symbols of another build unless forced.  Any
input gives a defined exit status.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from shlex import quote
from types import ModuleType

sys.path.insert(0, str(Path(__file__).resolve().parent))

from crashlib.core import make_core  # noqa: E402  (the line above finds it)
from crashlib.elf import ElfError  # noqa: E402
from crashlib.evidence import Evidence, build_id_of  # noqa: E402
from crashlib.report import Report, make_report  # noqa: E402
from crashlib.selection import (  # noqa: E402
    STANDARD_INPUT, Choice, Unusable, choose, list_line, read_records)
from crashlib.start import STARTS, start_debugger  # noqa: E402
from crashlib.status import EXIT_COMPLETE, EXIT_PARTIAL, EXIT_UNUSABLE, worst  # noqa: E402
from crashlib.symbols import Symbols, SymbolsRefused, find_symbols  # noqa: E402
from crashlib.tables import TableError  # noqa: E402
from crashlib.text import render  # noqa: E402
from crashlib.text_lines import print_lines  # noqa: E402

DEBUG_VARIABLE = "TRAPLINE_DEBUG"
COLLECT_AFTER = 100_000  # new objects: a report makes few that it can do without again

EPILOG = """\
exit status:
  0  complete: the record is whole and its kernel's ELF file was found
  1  unusable: no record, a file that cannot be read or written, symbols
     refused, or wrong usage
  2  partial: something of the record is lost or damaged, or there are no
     (matching) symbols; what is known is still given
  `gdb`, `lldb` and `drgn` end with the debugger's own status; `triage --help`
  and `watch --help` say more about theirs.

examples:
  crash.py console.log               what happened, in words
  crash.py gdb console.log           GDB on the crashed frame
  crash.py gdb console.log -- -batch -ex bt
  crash.py triage logs/              which bugs there are in a thousand logs
  crash.py watch unix:console.sock   follow a console, report what happens
"""


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> None:
        raise Unusable(f"{message} (see --help)")


def main(arguments: list[str]) -> int:
    gc.set_threshold(COLLECT_AFTER)
    sys.stdout.reconfigure(errors="replace")  # whatever the terminal's encoding cannot show
    return with_one_line_errors(partial(parse_and_run, arguments))


def parse_and_run(arguments: list[str]) -> int:
    options = parse_arguments(arguments)
    return options.run(options)


def with_one_line_errors(work: Callable[[], int]) -> int:
    try:
        return work()
    except (Unusable, ElfError, SymbolsRefused, TableError) as error:
        return fail(str(error))
    except BrokenPipeError:
        raise
    except OSError as error:
        name = f"{error.filename}: " if error.filename else ""
        return fail(f"{name}{error.strerror or error}")
    except KeyboardInterrupt:
        return fail("interrupted")
    except Exception as error:  # a mistake in this program, which must not hide what it cannot see
        if DEBUG_VARIABLE in os.environ:
            raise
        return fail(f"internal error: {error!r} ({DEBUG_VARIABLE}=1 shows where)")


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
    options = make_parser(arguments[0]).parse_args(arguments)
    options.debugger_arguments = rest
    if rest and options.command not in STARTS:
        raise Unusable("arguments after -- are for debuggers alone")
    return options


def make_parser(chosen: str) -> Parser:
    """`chosen`: the command whose own module is loaded, if it has one."""
    parser = Parser(prog="crash.py", description=__doc__.split("\n")[0], epilog=EPILOG,
                    formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, (run, text) in COMMANDS.items():
        command = commands.add_parser(name, help=text, description=text, epilog=EPILOG,
                                      formatter_class=argparse.RawDescriptionHelpFormatter)
        command.set_defaults(run=run)
        if name in ("report", "core", *STARTS, *MORE_COMMANDS):
            add_symbol_options(command)
        if name in MORE_COMMANDS:
            if name == chosen:
                more_of(name).configure(command)
            continue
        several = name in ("report", "list")
        command.add_argument("file", nargs="+" if several else None, metavar="FILE",
                             help="a console log, a raw record, or an image of memory or a disk, "
                             "perhaps packed by gzip or xz; - reads standard input")
        if name != "list":
            command.add_argument("--record", metavar="N|ID", help="which one, if the input holds "
                                 "several: its number or id as `list` shows them (default: the "
                                 "last one, but a full record rather than a minimal one)")
        if name in ("core", "extract"):
            command.add_argument("-o", "--output", type=Path, metavar="FILE", required=True,
                                 help="where to write it; - is standard output")
        if name in STARTS:
            usage = command.format_usage().removeprefix("usage: ").rstrip()
            command.usage = f"{usage} [-- ARGUMENT ...]"
    report = commands.choices["report"]
    report.add_argument("--json", action="store_true", help="the report as JSON, as "
                        "scripts/crashlib/report.schema.json specifies it")
    report.add_argument("--html", type=Path, metavar="FILE", help="write it as a page that needs "
                        "nothing else; - is standard output")
    report.add_argument("--color", choices=("auto", "always", "never"), default="auto",
                        help="default: on a terminal")
    return parser


def more_of(command: str) -> ModuleType:
    return import_module(f"crashlib.{command}_command")  # late: a report must not wait for it


def add_symbol_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--elf", type=Path, metavar="FILE", help="the crashed kernel's ELF, or a "
                         "folder that has it (default: found by its build id in build/, beside "
                         "the input, in .build-id trees, or by DEBUGINFOD_URLS)")
    command.add_argument("--force", action="store_true",
                         help="use --elf even if its build id is another")
    command.add_argument("--debug-dir", type=Path, action="append", default=[], metavar="DIR",
                         help="has a .build-id tree, as /usr/lib/debug does; may be repeated")


# ---- The commands -------------------------------------------------------------------------------

def run_report(options: argparse.Namespace) -> int:
    if options.html and len(options.file) > 1:
        raise Unusable("--html takes one record's page at a time")
    return for_each_file(options, report_file)


def report_file(file: str, options: argparse.Namespace) -> int:
    return report_choice(choose(file, options.record), options)


def report_choice(choice: Choice, options: argparse.Namespace) -> int:
    file = choice.file
    report = make_report(Evidence(choice.record, symbols_for(choice, options)))
    report.go_on = next_steps(choice, options)
    if choice.total > 1:
        report.warnings.append(f"Record {choice.number} of {choice.total} in {file}: `crash.py "
                               "list` shows them, --record chooses.")
    if options.html:
        from crashlib.html import render_html  # late: a text report does without

        write(options.html, render_html(report).encode("utf-8", "replace"))
    elif options.json:
        print(json.dumps(report.as_json(), indent=2))
    else:
        print_report(report, file, options)
    return EXIT_COMPLETE if report.complete else EXIT_PARTIAL


def report_watched(choice: Choice, options: argparse.Namespace) -> int:
    """With what `report` has for options that `watch` has not."""
    defaults = vars(make_parser("report").parse_args(["report", choice.file]))
    merged = argparse.Namespace(**{**defaults, **vars(options)})
    return with_one_line_errors(partial(report_choice, choice, merged))


def print_report(report: Report, file: str, options: argparse.Namespace) -> None:
    lines = render(report)
    if len(options.file) > 1:
        lines = [[(f"==== {file}", "heading")], *lines, [("", "")]]
    colour = options.color == "always" or (options.color == "auto" and sys.stdout.isatty())
    print_lines(lines, colour)


def run_list(options: argparse.Namespace) -> int:
    return for_each_file(options, list_file)


def list_file(file: str, options: argparse.Namespace) -> int:
    records = read_records(file)
    prefix = f"{file}: " if len(options.file) > 1 else ""
    for number, record in enumerate(records, 1):
        print(prefix + list_line(number, record))
    return EXIT_COMPLETE if all(record.complete for record in records) else EXIT_PARTIAL


def run_core(options: argparse.Namespace) -> int:
    choice = choose(options.file, options.record)
    symbols = symbols_for(choice, options)
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


def run_debugger(options: argparse.Namespace) -> int:
    choice = choose(options.file, options.record)
    symbols = symbols_for(choice, options)
    if symbols.problem:
        print(f"crash.py: {symbols.problem}", file=sys.stderr)
    return start_debugger(options.command, Evidence(choice.record, symbols),
                          options.debugger_arguments)


def run_triage(options: argparse.Namespace) -> int:
    return more_of("triage").run(options)


def run_watch(options: argparse.Namespace) -> int:
    return more_of("watch").run(report_watched, options)


COMMANDS = {
    "report": (run_report, "say what happened, in words (the default)"),
    "core": (run_core, "write an ELF core for gdb, lldb or drgn"),
    "extract": (run_extract, "write the raw record"),
    "list": (run_list, "one line per record in the input"),
    "gdb": (run_debugger, "start GDB on the crash; what follows -- is for GDB"),
    "lldb": (run_debugger, "start LLDB on it; what follows -- is for LLDB"),
    "drgn": (run_debugger, "start drgn, Python on the crashed kernel; -- likewise"),
    "triage": (run_triage, "group the crashes of many inputs by what went wrong"),
    "watch": (run_watch, "follow a live console, report each crash as it happens"),
}
MORE_COMMANDS = ("triage", "watch")  # that have their own options


# ---- Their parts --------------------------------------------------------------------------------

def for_each_file(options: argparse.Namespace,
                  work: Callable[[str, argparse.Namespace], int]) -> int:
    """All of them, whatever is wrong with one; the worst of their statuses."""
    return worst({with_one_line_errors(partial(work, file, options)) for file in options.file})


def symbols_for(choice: Choice, options: argparse.Namespace) -> Symbols:
    return find_symbols(build_id_of(choice.record), options.elf, options.force,
                        Path(choice.file).parent, options.debug_dir)


def next_steps(choice: Choice, options: argparse.Namespace) -> list[tuple[str, str]]:
    source = "LOG" if choice.file == STANDARD_INPUT else quote(choice.file)
    extra = f" --record {choice.number}" if choice.total > 1 else ""
    extra += f" --elf {quote(str(options.elf))}" if options.elf else ""
    extra += " --force" if options.force else ""
    extra += "".join(f" --debug-dir {quote(str(folder))}" for folder in options.debug_dir)
    program = quote(sys.argv[0])
    return [(f"{program} gdb {source}{extra}", "in GDB"),
            (f"{program} lldb {source}{extra}", "in LLDB"),
            (f"{program} drgn {source}{extra}", "in drgn"),
            (f"{program} core -o FILE {source}{extra}", "as a core")]


def write(path: Path, data: bytes) -> None:
    if str(path) == STANDARD_INPUT:
        sys.stdout.buffer.write(data)
    else:
        path.write_bytes(data)


if __name__ == "__main__":
    try:
        STATUS = main(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:  # the reader of the pipe, `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        STATUS = EXIT_COMPLETE
    sys.exit(STATUS)
