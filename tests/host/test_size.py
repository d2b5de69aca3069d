"""test_size.py - the libraries stay small: their code as the kernel has it, and the least stub."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from elftools.elf.constants import SH_FLAGS
from elftools.elf.elffile import ELFFile

from guest import BUILD

KIB = 1024


def code_of(path: Path) -> int:
    with path.open("rb") as file:
        return sum(section["sh_size"] for section in ELFFile(file).iter_sections()
                   if section["sh_flags"] & SH_FLAGS.SHF_EXECINSTR)


@pytest.mark.parametrize("folder, limit", [
    ("obj/gdbstub", 24 * KIB),
    ("small/gdbstub", 12 * KIB),
    ("obj/crashdump", 6 * KIB),
])
def test_the_code_is_at_most_so_much(folder, limit):
    sizes = {path.name: code_of(path) for path in sorted((BUILD / folder).glob("*.o"))}
    assert 0 < sum(sizes.values()) <= limit, sizes


def test_the_smallest_stub_asks_for_the_four_functions_only():
    linked = BUILD / "small/gdbstub.o"
    subprocess.run(["ld", "-r", "-o", linked, *(BUILD / "small/gdbstub").glob("*.o")], check=True)
    undefined = subprocess.run(["nm", "-u", "--format=just-symbols", linked], check=True,
                               capture_output=True, text=True).stdout.split()
    assert set(undefined) <= {"memcpy", "memmove", "memset", "memcmp"}


def test_the_smallest_stub_does_what_gdb_needs():
    done = subprocess.run([BUILD / "small/test_stub"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
