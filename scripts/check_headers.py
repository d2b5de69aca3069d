#!/usr/bin/python3
"""check_headers.py - every header compiles alone, with gcc and clang, under strict flags.

Prints what the compilers say.  Headers of tests are none of its business.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from os import cpu_count
from pathlib import Path

FOLDERS = ("trap", "gdbstub", "crashdump", "arch", "arch/x86_64", "kernel", "kernel/user",
           "kernel/user/library")
COMPILERS = ("gcc", "clang")
FLAGS = ("-std=c11 -ffreestanding -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror "
         "-fsyntax-only -x c -").split()


def complaint(root: Path, compiler: str, header: str) -> str:
    """What the compiler says of a file that includes the header and nothing else; twice, to see
    its guard."""
    done = subprocess.run([compiler, "-I.", *FLAGS], cwd=root, capture_output=True, text=True,
                          input=f'#include "{header}"\n' * 2)
    return f"{header}: not alone with {compiler}:\n{done.stderr}" if done.returncode else ""


def main() -> int:
    parser = argparse.ArgumentParser(description="Check that each header compiles alone.")
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parents[1],
                        help="the tree to look at (this one)")
    root = parser.parse_args().root
    headers = [str(path.relative_to(root)) for folder in FOLDERS
               for path in sorted((root / folder).glob("*.h"))]
    with ThreadPoolExecutor(cpu_count()) as pool:
        said = list(pool.map(lambda pair: complaint(root, *pair), product(COMPILERS, headers)))
    print("".join(said), end="")
    return 1 if any(said) else 0


if __name__ == "__main__":
    sys.exit(main())
