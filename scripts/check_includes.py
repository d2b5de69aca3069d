#!/usr/bin/python3
"""check_includes.py - who may include whom.

Prints each include that the rules below do not allow.  Looks at text only: it compiles nothing.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

FREESTANDING = {"limits.h", "stdarg.h", "stdbool.h", "stddef.h", "stdint.h"}
LEAF_HEADERS = {"trap/trap.h", "gdbstub/gdbstub.h", "crashdump/crashdump.h", "crashdump/record.h",
                "crashdump/sections.def", "crashdump/ram.h", "crashdump/disk.h"}
ARCH_HEADERS = {"arch/arch.h", "arch/memory.h", "arch/inspect.h", "arch/provoke.h"}

# A folder, and what it may include besides FREESTANDING and its own.
ALLOWED = {
    "trap": set(),
    "gdbstub": set(),
    "crashdump": set(),
    "arch": LEAF_HEADERS,
    "arch/x86_64": LEAF_HEADERS | ARCH_HEADERS | {"layout.inc"},
    "kernel": LEAF_HEADERS | ARCH_HEADERS | {"stdatomic.h", "programs.inc"},
    "kernel/user": {"kernel/user/library/user.h", "stdatomic.h"},
    "kernel/user/library": {"kernel/syscalls.def", "kernel/errors.def", "kernel/format.h"},
}
INCLUDE = re.compile(r'^\s*[#%]\s*include\s*(?:<([^>]+)>|"([^"]+)")', re.MULTILINE)
SOURCES = {".c", ".h", ".asm", ".inc", ".def"}


def findings(root: Path, path: Path) -> list[str]:
    folder = path.parent.relative_to(root)
    text = path.read_text()
    found = []
    for include in INCLUDE.finditer(text):
        name = include[1] or include[2]
        beside = include[2] and (Path(name).parent == folder or (path.parent / name).is_file())
        if beside and ".." not in name or name in FREESTANDING | ALLOWED[str(folder)]:
            continue
        line = text.count("\n", 0, include.start(include.lastindex)) + 1
        found.append(f"{path.relative_to(root)}:{line}: {folder}/ must not include {name}")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description="Check that folders include what they may.")
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parents[1],
                        help="the tree to look at (this one)")
    root = parser.parse_args().root
    found = [finding for folder in ALLOWED for path in sorted((root / folder).glob("*"))
             if path.suffix in SOURCES for finding in findings(root, path)]
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
