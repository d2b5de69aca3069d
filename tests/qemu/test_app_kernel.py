"""test_app_kernel.py - app-kernel.o and app.ld: what linkers and debuggers see of the kernel."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from guest import BUILD

HAND = ["-T", str(BUILD / "app.ld"), str(BUILD / "app-kernel.o")]
# Sections and symbols that the kernel itself does not have.
UNUSUAL = """
int common[100];
static int zero_until_called;
_Thread_local int unused = 5;
__attribute__((constructor)) static void never_called(void) { zero_until_called = 1; }
__attribute__((section(".odd"))) int odd = 40;
int main(void) { return odd + zero_until_called + common[99] + 2; }
"""


@pytest.mark.parametrize("link", [
    ["ld", *HAND],
    ["gcc", "-nostdlib", "-static", "-no-pie", f"-Wl,{HAND[0]},{HAND[1]}", HAND[2]]],
    ids=["ld", "gcc"])
def test_an_object_with_sections_of_its_own_is_linked_without_a_word(boot, tmp_path: Path, link):
    (tmp_path / "a.c").write_text(UNUSUAL)
    subprocess.run(["gcc", "-fno-pic", "-mcmodel=kernel", "-mno-red-zone", "-fcommon",
                    "-ffunction-sections", "-fdata-sections", "-c", "a.c"], cwd=tmp_path,
                   check=True)
    done = subprocess.run([*link, "-o", "hand.elf", "a.o"], cwd=tmp_path, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    assert (done.returncode, done.stdout) == (0, "")
    guest = boot(kernel=tmp_path / "hand.elf")
    assert guest.wait() == 42, guest.said


def test_every_name_of_the_kernels_own_says_so():
    with (BUILD / "app-kernel.o").open("rb") as file:
        symbols = list(ELFFile(file).get_section_by_name(".symtab").iter_symbols())
    own = [symbol.name for symbol in symbols if symbol["st_info"]["bind"] == "STB_LOCAL"
           and symbol["st_info"]["type"] not in ("STT_SECTION", "STT_FILE") and symbol.name]
    assert len(own) > 100
    assert [name for name in own if not name.startswith("kernel.")] == []


def test_what_the_kernel_needs_is_in_the_linker_script():
    listing = subprocess.run(["nm", "--format=posix", "-u", BUILD / "app-kernel.o"], check=True,
                             capture_output=True, text=True).stdout
    needed = {line.split()[0] for line in listing.splitlines()}
    provided = re.findall(r"^\s*(?:PROVIDE_HIDDEN\()?(\w+) = ", (BUILD / "app.ld").read_text(),
                          re.MULTILINE)
    assert needed - set(provided) == {"main", "kapp_start"}
