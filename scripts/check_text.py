#!/usr/bin/python3
"""check_text.py - what every source file keeps: width, length, whitespace, and a first line that
says what it is for.

Knows no language beyond its comments.  Documents (.md) may be as wide as they like.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

WIDTH, LINES = 100, 400
FOLDERS = ("trap", "gdbstub", "crashdump", "arch", "kernel", "scripts", "tests", ".ci")
C_SUFFIXES = {".c", ".h", ".def", ".ld"}
SUFFIXES = C_SUFFIXES | {".asm", ".inc", ".py", ".cfg", ""}
LINE_COMMENT = re.compile(r"""^(?:[^"']|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')*?//""")
OPENING = ("/*", ";", "#", '"""')
RULES = (
    (lambda line: len(line) > WIDTH, f"is wider than {WIDTH} columns"),
    (lambda line: line != line.rstrip(), "ends in white space"),
    (lambda line: "\t" in line, "has a tab"),
)


def findings(path: Path, name: str) -> list[str]:
    text = path.read_text()
    lines = text.split("\n")
    found = [f"{name}:{number}: {says}" for number, line in enumerate(lines, 1)
             for breaks, says in RULES if breaks(line)]
    if path.suffix in C_SUFFIXES:
        found += [f"{name}:{number}: has a // comment" for number, line in enumerate(lines, 1)
                  if LINE_COMMENT.match(line)]
    if lines[-1]:
        found.append(f"{name}:{len(lines)}: has no newline at its end")
    if len(lines) - 1 > LINES:
        found.append(f"{name}: has {len(lines) - 1} lines, more than {LINES}")
    if lines[0].startswith("#!"):
        lines.pop(0)
    if lines[0] and not lines[0].startswith(OPENING):
        found.append(f"{name}:1: does not open with what it is for")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description="Check what every source file keeps.")
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parents[1],
                        help="the tree to look at (this one)")
    root = parser.parse_args().root
    files = [path for folder in FOLDERS for path in sorted((root / folder).rglob("*"))
             if path.suffix in SUFFIXES and path.is_file()
             and not any(part.startswith(".") for part in path.relative_to(root / folder).parts)]
    found = [finding for path in files
             for finding in findings(path, str(path.relative_to(root)))]
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
