"""programs.py - what runs in the machines: the kernel's own words, and programs linked into it.

Builds programs the way users do, and writes only where it is told to.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

ROOT = Path(__file__).resolve().parents[2]
DEBUGGEE, ECHO = (Path(__file__).with_name(name) for name in ("debuggee.c", "echo.c"))
KERNEL_BASE = 0xffffffff80000000  # where physical address 0 is
BEATING = "heartbeat 1: "  # the kernel says so when all of it works
WAITING = "waiting for debugger"


MAKE = ("flock", "build", "make", "-s")  # one at a time: they may find the same to do


def make_app(elf: Path, *sources: Path, cflags: str = "") -> Path:
    """Link the files into a kernel."""
    words = [f"APP={' '.join(map(str, sources))}", f"OUT={elf}", f"APP_CFLAGS={cflags}"]
    run([*MAKE, "app", *words])
    return elf


def make_kernel(elf: Path, source: Path) -> Path:
    """Link a file into a kernel, all of whose functions it may call; its main() is run."""
    run([*MAKE, "kernel-with", f"WITH={source}", f"OUT={elf}"])
    return elf


def run(command: list[str], env: dict[str, str] | None = None) -> str:
    """Run a command in the project's folder; it must succeed."""
    done = subprocess.run(command, cwd=ROOT, text=True, stdin=subprocess.DEVNULL, env=env,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        pytest.fail(f"{' '.join(command)}\nended with {done.returncode}:\n{done.stdout}")
    return done.stdout


def symbols_of(elf: Path) -> dict[str, int]:
    """The addresses of its functions and objects."""
    with elf.open("rb") as file:
        table = ELFFile(file).get_section_by_name(".symtab")
        return {symbol.name: symbol["st_value"] for symbol in table.iter_symbols()}


def addresses_of(elf: Path, objects: list[str], *commands: str) -> list[int]:
    """What GDB knows without a machine: where each object is, and what else it prints."""
    given = [f"output/x (unsigned long)&{name}" for name in objects] + list(commands)
    words = [word for command in given for word in ("-ex", command, "-ex", r"echo \n")]
    said = run(["gdb", "-nx", "-q", "-batch", str(elf), *words])
    return [int(line.partition("0x")[2].split()[0], 16) for line in said.splitlines()
            if "0x" in line]


def line_of(mark: str) -> str:
    """Where the debuggee has this mark, as GDB wants it."""
    lines = DEBUGGEE.read_text().splitlines()
    [number] = [n for n, line in enumerate(lines, 1) if f"/* {mark} */" in line]
    return f"{DEBUGGEE.name}:{number}"
