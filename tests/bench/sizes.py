"""sizes.py - what the two libraries take of a kernel: text, data, state, stack; alone."""

from __future__ import annotations

import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from guest import BUILD, ROOT

FLAGS = ("-std=c11 -ffreestanding -O2 -fno-pic -mcmodel=kernel -mno-red-zone -mgeneral-regs-only "
         "-fno-stack-protector -fcf-protection=none -fno-omit-frame-pointer -I. -fstack-usage "
         "-c").split()
STATE = {"gdbstub": "struct gdbstub", "crashdump": "struct crash_writer"}


@dataclass(frozen=True)
class Size:
    text: int   # code and constants
    data: int   # writable
    state: int  # of the struct that its user owns
    frame: int  # the largest of one function, on the stack


def size_of(library: str) -> Size:
    objects = sorted((BUILD / "obj" / library).glob("*.o"))
    total = run("size", "--totals", *objects).splitlines()[-1].split()
    kind = STATE[library]
    state = run("gdb", "-nx", "-batch", "-ex", f"output sizeof({kind})", BUILD / "kernel.elf")
    return Size(int(total[0]), int(total[1]) + int(total[2]), int(state), largest_frame(library))


def largest_frame(library: str) -> int:
    with tempfile.TemporaryDirectory(prefix="trapline-") as folder:
        for source in sorted((ROOT / library).glob("*.c")):
            run("gcc", *FLAGS, source, "-o", Path(folder, source.stem + ".o"))
        usages = [path.read_text() for path in Path(folder).glob("*.su")]
    return max(int(size) for usage in usages for size in re.findall(r"\t(\d+)\t", usage))


def run(*command: str | Path) -> str:
    return subprocess.run(command, cwd=ROOT, text=True, check=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE).stdout
