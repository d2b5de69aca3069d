"""test_trapline_commands.py - GDB's `trapline ...` commands: true of the machine, and the same for
a live kernel and for its crash."""

from __future__ import annotations

import re
import subprocess

import pytest

from debugger import GdbError
from guest import ROOT

COMMANDS = f"{ROOT}/scripts/gdb/trapline_commands.py"
CRASHED = 70
# What a record has as well: the log, the walks of what mattered, the map.
SHARED = ("trapline log 3", "trapline pagewalk 0x18", "trapline pagewalk $pc",
          "trapline whatis kernel_main", "trapline whatis $sp", "trapline whatis 0x18",
          "trapline whatis 0xdfdfdfdfdfdfdfdf", "trapline whatis &boot_stack")


@pytest.fixture
def gdb(gdb_kernel):
    gdb_kernel(f"source {COMMANDS}")
    return gdb_kernel


def without_mapping(said: str) -> list[str]:
    """How an address is mapped is in a record for few of them."""
    return [line for line in said.splitlines() if "page," not in line and "mapped is" not in line]


def test_a_crash_looks_the_same_live_and_afterwards(waiting, attach, kernel_elf, tmp_path):
    guest = waiting("run=provoke:null-read")
    live = attach(guest)
    live(f"source {COMMANDS}")
    live.resume()
    said_live = [live(command) for command in SHARED]
    live.start()
    assert guest.wait() == CRASHED
    (tmp_path / "log").write_text(guest.said)
    words = [word for command in SHARED for word in ("-ex", "echo ----\\n", "-ex", command)]
    done = subprocess.run([ROOT / "scripts/crash.py", "gdb", tmp_path / "log", "--elf", kernel_elf,
                           "--", "-batch", *words], stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    said_later = done.stdout.split("----\n")[1:]
    assert "provoke: null-read" in said_live[0] and "not mapped: PML4[0]" in said_live[1]
    for command, now, later in zip(SHARED, said_live, said_later, strict=True):
        assert without_mapping(later) == without_mapping(now), command


def test_log_shows_what_the_console_showed(waiting, attach):
    guest = waiting("run=provoke:null-read")
    debugger = attach(guest)
    debugger(f"source {COMMANDS}")
    debugger.resume()
    printed = re.findall(r"^\[ *([\d.]+)\] (.*?)\r?$", guest.said, re.MULTILINE)
    shown = re.findall(r"^\[ *([\d.]+)\] cpu 0 notice  (.*)$", debugger("trapline log"),
                       re.MULTILINE)
    assert printed and shown[-len(printed):] == printed
    assert len(debugger("trapline log 1").splitlines()) == 1


def test_pagewalk_agrees_with_the_regions(gdb):
    assert "4 KiB page, read-only, executable, kernel only" in gdb("trapline pagewalk kernel_main")
    assert "writable, no-execute" in gdb("trapline pagewalk $sp")
    assert "not mapped" in gdb("trapline pagewalk 0")
    assert "not canonical" in gdb("trapline pagewalk 0x1234567812345678")


def test_pagewalk_finds_the_physical_address(gdb):
    """The image is at its virtual address less KERNEL_BASE."""
    address = gdb.number("(unsigned long)kernel_main")
    assert f"physical {address - 0xffffffff80000000:#x}" in gdb("trapline pagewalk kernel_main")


def test_whatis_names_symbols_stacks_and_guard_pages(gdb):
    assert "kernel_main+0x4" in gdb("trapline whatis (char *)kernel_main + 4")
    assert "the boot stack, 0x" in gdb("trapline whatis $sp")
    assert "guard page of the boot stack" in gdb("trapline whatis (char *)boot_stack - 8")
    assert "not a canonical address" in gdb("trapline whatis 0x1234567812345678")


def test_idt_names_every_exceptions_stub(gdb):
    said = gdb("trapline idt")
    assert re.search(r"^ 14 #PF page fault +\S+ +interrupt gate, selector 0x8, DPL 0$", said,
                     re.MULTILINE), said
    assert re.search(r"^  3 #BP breakpoint .*DPL 3, IST 5$", said, re.MULTILINE), said
    assert len(said.splitlines()) >= 33
    assert "IST 2" in gdb("trapline idt 8")


def test_gdt_and_tss(gdb):
    said = gdb("trapline gdt")
    assert re.search(r"^0x0008 \w{16} code, DPL 0, 64 bits$", said, re.MULTILINE), said
    assert re.search(r"^0x0030 \w{16} TSS, busy, at tables\+0x\w+$", said, re.MULTILINE), said
    assert "ist2" in gdb("trapline tss") and "top of the double fault stack" in gdb("trapline tss")


def test_without_a_kernel_nothing_is_made_up(kernel_elf):
    """The ELF file has an empty log, and all tables are zero."""
    for command in ("trapline log", "trapline idt", "trapline whatis kernel_main"):
        done = subprocess.run(["gdb", "-nx", "-batch", kernel_elf, "-ex", f"source {COMMANDS}",
                               "-ex", command], stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert "no kernel" in done.stderr and done.stdout == "", command


@pytest.mark.parametrize("command, words", [
    ("trapline whatis", "which address?"), ("trapline whatis no_such", "No symbol"),
    ("trapline idt 300", "there are 256 vectors"), ("trapline gdt 99", "CPUs at most")])
def test_what_cannot_be_shown_is_one_line(gdb, command, words):
    with pytest.raises(GdbError, match=words):
        gdb(command)
