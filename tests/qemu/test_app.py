"""test_app.py - programs linked into the kernel, by make and by hand, run as kernel/app.h says."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from guest import BUILD, ROOT
from programs import make_app

COMPILE = ["gcc", "-I", str(ROOT), "-fno-pic", "-mcmodel=kernel", "-mno-red-zone", "-c"]
HAND = ["-T", str(BUILD / "app.ld"), str(BUILD / "app-kernel.o")]
SAY = """
#include "kernel/app.h"
static void say(const char *text) { while (*text) kapp_putc(*text++); }
"""
USES_EVERYTHING = SAY + """
struct big { char bytes[500]; } one, two = {{1, 2, 3}};
double half(double x) { return x * 0.5; }
int answer(void);
int main(int argc, char **argv)
{
    unsigned long size;
    char *heap = kapp_heap(&size);
    long before = kapp_ticks();

    if (argc != 1 || argv[0][0] == 0 || argv[1]) return 1;
    one = two; /* a compiler makes memcpy of it */
    if (one.bytes[2] != 3) return 2;
    if (size != 16ul << 20 || heap[0] || heap[size - 1]) return 3;
    heap[0] = heap[size - 1] = 1;
    if (half(answer()) != 21.0) return 4;
    while (kapp_ticks() == before) { }
    say("type: ");
    while (kapp_getc() != 'x') { }
    kapp_exit(77);
}
"""
# Names that the kernel has too, and sections that it has not.
SAME_NAMES = SAY + """
int panic, log_print = 1, kernel_main, printf_buffer[4], trap_stubs, arch_copy = 2;
void start(void) { say("mine "); }
void trap_dispatch(void) { start(); }
void *memcpy(void *to, const void *from, unsigned long len)
{
    for (unsigned long i = 0; i < len; i++) ((char *)to)[i] = ((const char *)from)[i];
    say("copied ");
    return to;
}
__attribute__((constructor)) static void never_called(void) { panic = 1; }
int main(void)
{
    volatile unsigned long len = 3;
    char text[4] = "";
    trap_dispatch();
    __builtin_memcpy(text, "yes", len);
    say(text);
    return log_print + arch_copy + panic;
}
"""


@pytest.fixture
def source(tmp_path: Path) -> Callable[..., Path]:
    """source("a.c", text) is that file."""

    def write(name: str, text: str) -> Path:
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return write


def compiled(source: Path, *flags: str) -> Path:
    output = source.with_suffix(".o")
    subprocess.run([*COMPILE, *flags, "-o", output, source], check=True)
    return output


def test_make_app_links_sources_and_objects(boot, source, tmp_path):
    answer = compiled(source("answer.c", "int answer(void) { return 42; }"), "-O2")
    elf = make_app(tmp_path / "app.elf", source("a.c", USES_EVERYTHING), answer, cflags="-O2")
    guest = boot(kernel=elf)
    guest.wait_for("type: ")
    guest.type("abx")
    assert guest.wait() == 77
    assert "application exited with status 77" in guest.said


def test_kapp_start_is_entered_instead_of_main(boot, source, tmp_path):
    text = SAY + 'void kapp_start(void) { say("started"); }\nint main(void) { return 9; }'
    guest = boot(kernel=make_app(tmp_path / "app.elf", source("a.c", text)))
    assert guest.wait() == 0
    assert "started" in guest.said


@pytest.mark.parametrize("link", [
    ["ld", *HAND],
    ["gcc", "-nostdlib", "-static", "-no-pie", f"-Wl,{HAND[0]},{HAND[1]}", HAND[2]]],
    ids=["ld", "gcc"])
def test_a_program_linked_by_hand_may_have_any_name(boot, source, tmp_path, link):
    program = compiled(source("a.c", SAME_NAMES), "-O1", "-ffunction-sections", "-fdata-sections",
                       "-fcommon")
    elf = tmp_path / "hand.elf"
    done = subprocess.run([*link, "-o", elf, program], cwd=tmp_path, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    assert (done.returncode, done.stdout) == (0, "")
    guest = boot(kernel=elf)
    assert guest.wait() == 3, guest.said
    assert "mine copied yes" in guest.said


def test_the_kernel_object_has_no_names_but_the_interface():
    with (BUILD / "app-kernel.o").open("rb") as file:
        elf = ELFFile(file)
        sections = [section.name for section in elf.iter_sections()]
        symbols = [symbol for symbol in elf.get_section_by_name(".symtab").iter_symbols()
                   if symbol.name and symbol["st_info"]["type"] not in ("STT_SECTION", "STT_FILE")]
    defined = [symbol for symbol in symbols if symbol["st_shndx"] != "SHN_UNDEF"]
    open_names = {symbol.name for symbol in defined if symbol["st_info"]["bind"] != "STB_LOCAL"
                  and not symbol.name.startswith("kernel.")}
    assert open_names == {"kapp_putc", "kapp_getc", "kapp_exit", "kapp_ticks", "kapp_heap",
                          "multiboot2_start"}
    assert [symbol.name for symbol in defined if symbol["st_info"]["bind"] == "STB_LOCAL"
            and not symbol.name.startswith("kernel.")] == []
    assert [name for name in sections if ".debug_" in name] == []
    assert ".eh_frame" in sections


def test_what_the_kernel_object_needs_is_in_the_linker_script():
    undefined = subprocess.run(["nm", "-u", BUILD / "app-kernel.o"], check=True,
                               capture_output=True, text=True).stdout.split()[1::2]
    provided = re.findall(r"^\s*(?:PROVIDE_HIDDEN\()?(\w+) = ", (BUILD / "app.ld").read_text(),
                          re.MULTILINE)
    assert set(undefined) - set(provided) == {"main", "kapp_start"}
