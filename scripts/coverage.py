#!/usr/bin/python3
"""coverage.py - how many lines the unit tests run: a table by file, and which lines they do not.

Runs programs that gcc --coverage has made (`make coverage` does it all), and fails if a leaf has
less than it must.  Counts what can be tested on the host alone: the leaves, and what else of the
project the tests have compiled into them.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LEAVES = ("crashdump", "gdbstub", "trap")
FOLDERS = (*LEAVES, "arch/x86_64", "kernel")
PROGRAM_SECONDS = 120

Lines = dict[str, dict[int, int]]  # by file: how often each line has run


class CoverageError(Exception):
    """Nothing can be counted; the text says why."""


def run_tests(build: Path) -> None:
    programs = [path for path in sorted((build / "tests/host").glob("test_*"))
                if path.suffix == "" and os.access(path, os.X_OK)]
    if not programs:
        raise CoverageError(f"{build}: no test programs: make coverage builds them")
    for counts in build.rglob("*.gcda"):
        counts.unlink()
    for program in programs:
        done = subprocess.run([program], cwd=ROOT, stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=PROGRAM_SECONDS)
        if done.returncode != 0:
            raise CoverageError(f"{program.name} failed:\n{done.stdout}")


def read_counts(build: Path) -> Lines:
    files = sorted(build.rglob("*.gcda"))
    done = subprocess.run(["gcov", "--json-format", "--stdout", *files], cwd=ROOT, check=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    lines: Lines = defaultdict(lambda: defaultdict(int))
    for unit in map(json.loads, done.stdout.splitlines()):
        for file in unit["files"]:
            for line in file["lines"]:
                lines[file["file"]][line["line_number"]] += line["count"]
    return lines


def is_counted(name: str) -> bool:
    return str(Path(name).parent) in FOLDERS and name.endswith(".c")


def percent(run: int, of: int) -> str:
    return f"{100 * run / of if of else 100:6.1f}"


def ranges(numbers: list[int]) -> str:
    """1, 2, 3, 7 as "1-3 7"."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and parts[-1][1] == number - 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return " ".join(str(a) if a == b else f"{a}-{b}" for a, b in parts)


def print_table(lines: Lines) -> dict[str, float]:
    """A line for each file and folder; the folders' percentages."""
    shares: dict[str, float] = {}
    for folder in FOLDERS:
        counts = {name: of for name, of in sorted(lines.items())
                  if is_counted(name) and str(Path(name).parent) == folder}
        for name, of in counts.items():
            missed = sorted(number for number, count in of.items() if count == 0)
            print(f"{percent(len(of) - len(missed), len(of))} % of {len(of):4}  {name:32} "
                  f"{ranges(missed)}".rstrip())
        total = sum(map(len, counts.values()))
        run = sum(count > 0 for of in counts.values() for count in of.values())
        print(f"{percent(run, total)} % of {total:4}  {folder}/\n")
        shares[folder] = 100 * run / total if total else 0
    return shares


def main() -> int:
    parser = argparse.ArgumentParser(
        description="Run the unit tests, and show how many lines of which file they run; the "
        "numbers behind a file are the lines that they do not.")
    parser.add_argument("build", type=Path, metavar="BUILD",
                        help="where the programs are that were made with --coverage")
    parser.add_argument("--least", type=float, default=95, metavar="PERCENT",
                        help="fail if one of the leaves has less (95)")
    arguments = parser.parse_args()
    try:
        run_tests(arguments.build)
        shares = print_table(read_counts(arguments.build))
    except (CoverageError, OSError, subprocess.SubprocessError) as error:
        print(f"coverage.py: {error}", file=sys.stderr)
        return 1
    low = [folder for folder in LEAVES if shares[folder] < arguments.least]
    for folder in low:
        print(f"coverage.py: {folder}/ has less than {arguments.least:g} %", file=sys.stderr)
    return 1 if low else 0


if __name__ == "__main__":
    sys.exit(main())
