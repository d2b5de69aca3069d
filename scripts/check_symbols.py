#!/usr/bin/python3
"""check_symbols.py - a leaf stands alone: linked by itself it asks for four functions, no more.

Prints each other undefined symbol of a folder's objects, and each writable global: a leaf has none.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

ALLOWED = {"memcpy", "memmove", "memset", "memcmp"}
UNDEFINED, WRITABLE = "Uwv", "BCDGS"  # nm's letters


def symbols(objects: list[Path]) -> list[tuple[str, str]]:
    """(kind, name) of each symbol of the objects linked into one."""
    with tempfile.TemporaryDirectory(prefix="trapline-") as folder:
        linked = Path(folder, "leaf.o")
        subprocess.run(["ld", "-r", "-o", linked, *objects], check=True)
        listing = subprocess.run(["nm", "--format=posix", linked], check=True,
                                 capture_output=True, text=True).stdout
    return [(line.split()[1], line.split()[0]) for line in listing.splitlines()]


def findings(folder: Path) -> list[str]:
    objects = sorted(folder.glob("*.o"))
    if not objects:
        return [f"{folder}: there are no objects"]
    found = []
    for kind, name in symbols(objects):
        if kind in UNDEFINED and name not in ALLOWED:
            found.append(f"{folder}: needs {name}")
        elif kind in WRITABLE:
            found.append(f"{folder}: has the writable global {name}")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description="Check that each leaf's objects stand alone.")
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER",
                        help="where one leaf's objects are: build/obj/trap")
    found = [finding for folder in parser.parse_args().folders for finding in findings(folder)]
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except subprocess.CalledProcessError as error:
        sys.exit(f"check_symbols.py: {error.cmd[0]} failed")
