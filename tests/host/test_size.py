"""test_size.py - the libraries stay small: their code as the kernel has it, and the least stub."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from elftools.elf.constants import SH_FLAGS
from elftools.elf.elffile import ELFFile

from guest import BUILD, ROOT

KIB = 1024
OPTIONS = {option: text for text, option in re.findall(
    r"^/\* ([^#]*?) \*/\n#ifndef GDBSTUB_WITH_(\w+)$",
    (ROOT / "gdbstub/config.h").read_text(), re.MULTILINE)}
NEED = {"THREADS": ["FILTER", "OBJECTS", "LLDB"], "CONSOLE": ["FILTER"]}  # what cannot be without


def code_of(path: Path) -> int:
    with path.open("rb") as file:
        return sum(section["sh_size"] for section in ELFFile(file).iter_sections()
                   if section["sh_flags"] & SH_FLAGS.SHF_EXECINSTR)


@pytest.mark.parametrize("folder, limit", [
    ("obj/gdbstub", 24 * KIB),
    ("small/gdbstub", 8 * KIB),
    ("obj/crashdump", 6 * KIB),
])
def test_the_code_is_at_most_so_much(folder, limit):
    sizes = {path.name: code_of(path) for path in sorted((BUILD / folder).glob("*.o"))}
    assert 0 < sum(sizes.values()) <= limit, sizes


def stands_alone(folder: Path) -> bool:
    """Its objects, linked by themselves, ask for the four functions only."""
    return subprocess.run([ROOT / "scripts/check_symbols.py", folder]).returncode == 0


def test_the_smallest_stub_asks_for_the_four_functions_only():
    assert stands_alone(BUILD / "small/gdbstub")


@pytest.mark.parametrize("option", OPTIONS)
def test_each_option_can_be_left_out_with_the_files_that_it_names(option, tmp_path):
    absent = [option, *NEED.get(option, [])]
    named = {file for name in absent for pattern in re.findall(r"[\w*]+\.c", OPTIONS[name])
             for file in (ROOT / "gdbstub").glob(pattern)}
    files = sorted(set((ROOT / "gdbstub").glob("*.c")) - named)
    defines = [f"-DGDBSTUB_WITH_{name}=0" for name in absent]
    subprocess.run(["gcc", "-std=c11", "-ffreestanding", "-fno-pic", "-Wall", "-Werror",
                    f"-I{ROOT}", *defines, "-c", *files],
                   check=True, cwd=tmp_path)
    assert stands_alone(tmp_path)


def test_the_smallest_stub_does_what_gdb_needs():
    done = subprocess.run([BUILD / "small/test_stub"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
