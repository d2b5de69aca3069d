"""test_queries.py - what GDB asks of the live kernel beyond registers, memory and breakpoints.

Scans, tables, files, a core of it, a new start, and what attaching costs."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from debugger import DEADLINE, Debugger, GdbError
from guest import ROOT

FREE = 0xffff800008000000  # memory that nobody uses, by the direct map
PACKET = re.compile(r"^([wr]) (.*)$", re.MULTILINE)


def traffic(log: Path) -> tuple[int, int]:
    """Requests and bytes in GDB's remotelogfile."""
    packets = PACKET.findall(log.read_text())
    return sum(way == "w" for way, _ in packets), sum(len(text) for _, text in packets)


def requests(gdb: Debugger, command: str) -> tuple[str, int]:
    """What GDB says to a command, and in how many round trips."""
    def seen() -> int:
        return int(gdb("monitor stats").split()[0])

    before = seen()
    said = gdb(command)
    return said, seen() - before - 1


def test_attaching_with_gdbinit_takes_few_bytes(beating, kernel_elf, tmp_path):
    log = tmp_path / "remote.log"
    subprocess.run(["gdb", "-nx", "-q", "-batch", "-x", ROOT / ".gdbinit", kernel_elf,
                    "-ex", f"set remotelogfile {log}", "-ex", f"target remote {beating.gdb}",
                    "-ex", "set remotelogfile /dev/null", "-ex", "detach"], cwd=ROOT, check=True,
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=DEADLINE)
    count, size = traffic(log)
    assert count <= 20 and size <= 5000, f"{count} requests, {size} bytes"


def test_the_description_in_the_repository_is_the_kernel_s(line):
    line.request("qSupported:swbreak+")
    text, piece = "", "m"
    while piece.startswith("m"):
        piece = line.request(f"qXfer:features:read:target.xml:{len(text):x},ffb")
        text += piece[1:]
    assert text == (ROOT / "scripts/gdb/target.xml").read_text()


def test_constant_sections_match_the_file_with_breakpoints_in_them(gdb_kernel):
    gdb_kernel("set breakpoint always-inserted on")
    gdb_kernel("break summarize")
    said = gdb_kernel("compare-sections -r")
    assert "Section .text" in said and "MIS-MATCHED" not in said, said


def test_code_that_was_changed_is_found(gdb_kernel):
    gdb_kernel("set var *(char *)summarize = 0x90")
    assert re.search(r"\.text.*MIS-MATCHED", gdb_kernel("compare-sections .text"))
    assert "CHANGED since the kernel began" in gdb_kernel("monitor selftest")


def test_a_search_of_64_kib_is_one_round_trip(gdb_kernel):
    gdb_kernel(f"x/x {FREE:#x}")  # GDB has read the memory map
    said, count = requests(gdb_kernel, f"find /b {FREE:#x}, +0x10000, 1, 2, 3, 4, 5")
    assert "Pattern not found" in said and count == 1
    gdb_kernel(f"set var {{char [4]}}{FREE + 0xfffc:#x} = {{0x23, 0x24, 0x7d, 0x2a}}")
    said, count = requests(gdb_kernel, f"find /b {FREE:#x}, +0x10000, 0x23, 0x24, 0x7d")
    assert f"{FREE + 0xfffc:#x}" in said and count == 2  # found, and looked for more


def test_a_search_does_not_leave_what_can_be_read(line):
    assert line.request("qSearch:memory:1000;100000;x") == "E14"


@pytest.mark.parametrize("table, cells", [
    ("threads", ["main", "running"]), ("cpus", ["serves the debugger"]), ("irqs", ["masked"]),
    ("pages", ["kernel text", "r-x"]), ("traps", ["breakpoint"]), ("log", []),
    ("modules", [])])
def test_there_is_a_table_of(gdb_kernel, table, cells):
    assert re.search(rf"^{table} ", gdb_kernel("info os"), re.MULTILINE)
    shown = gdb_kernel(f"info os {table}")
    for cell in cells:
        assert cell in shown, shown


def test_a_table_longer_than_a_packet_arrives(program, attach):
    guest = program("""
        int main(void) {
            for (int i = 0; i < 100; i++)
                __asm__("int3");
            kapp_putc('!');
            for (;;);
        }""", "loglevel=error")
    guest.wait_for("!")
    rows = attach(guest)("info os log").splitlines()
    assert len([row for row in rows if "no debugger, going on" in row]) == 100


def test_all_addresses_can_be_looked_at(gdb_kernel):
    gdb_kernel("x/x 0xffff800000000000")
    assert len(re.findall(r"^\d+ +y", gdb_kernel("info mem"), re.MULTILINE)) == 2
    with pytest.raises(GdbError):
        gdb_kernel("x/x 0x1000000000000000")


def test_a_core_of_the_live_kernel_can_be_fetched(gdb_kernel, kernel_elf, tmp_path):
    core = tmp_path / "core.elf"
    pc, root = gdb_kernel.number("$pc"), gdb_kernel.number("paging.root")
    gdb_kernel(f"remote get core.elf {core}")
    with core.open("rb") as file:
        elf = ELFFile(file)
        assert elf["e_type"] == "ET_CORE" and elf["e_ident"]["EI_OSABI"] == "ELFOSABI_LINUX"
        notes = [note["n_type"] for note in elf.get_segment(0).iter_notes()]
        assert notes == ["NT_PRSTATUS", "NT_PRPSINFO", "NT_AUXV"]
    after = Debugger(None)
    try:
        after(f"core-file {core}")
        after(f"symbol-file {kernel_elf}")
        assert after.number("$pc") == pc and after.number("paging.root") == root
        assert after.functions() == gdb_kernel.functions()
    finally:
        after.end()


def test_a_core_that_gdb_saves_has_the_stack_and_what_was_written(gdb_main, debuggee_elf,
                                                                  tmp_path):
    core = tmp_path / "saved"
    gdb_main("tbreak add")
    gdb_main.resume()
    gdb_main(f"gcore {core}")
    after = Debugger(debuggee_elf)
    try:
        assert "Core was generated by `/kernel.elf'" in after(f"core-file {core}")
        assert after.functions() == gdb_main.functions()
        for expression in ("a", "values", "$sp"):
            assert after.evaluate(expression) == gdb_main.evaluate(expression)
    finally:
        after.end()


def test_info_proc_shows_what_is_mapped(gdb_main):
    shown = gdb_main("info proc mappings")
    for permissions, name in (("r-xp", "kernel text"), ("rw-p", "kernel data"),
                              ("rw-p", "app stack")):
        assert re.search(rf"{permissions} +\[{name}\]", shown), shown


def test_lldb_opens_that_core(gdb_kernel, kernel_elf, tmp_path):
    core = tmp_path / "core.elf"
    gdb_kernel(f"remote get core.elf {core}")
    done = subprocess.run(["lldb", "--no-lldbinit", "-b", "-c", core, kernel_elf, "-o", "bt"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=DEADLINE,
                          stdin=subprocess.DEVNULL, text=True, errors="replace")
    assert re.search(r"frame #\d: 0x\w+ kernel.elf`kernel_main", done.stdout), done.stdout


def test_gdb_without_a_file_gets_it_from_the_kernel(boot, kernel_elf):
    guest = boot("run=heartbeat", "--", "-initrd", str(kernel_elf))
    guest.wait_for("heartbeat 1: ")
    gdb = Debugger(None)
    try:
        gdb(f"target remote {guest.gdb}")
        assert "kernel_main" in gdb.functions()
    finally:
        gdb.end()


def test_a_module_that_is_another_file_is_no_kernel(boot, debuggee_elf, connect):
    guest = boot("run=heartbeat", "--", "-initrd", str(debuggee_elf))
    guest.wait_for("heartbeat 1: ")
    line = connect(guest)
    assert "exec-file" not in line.request("qSupported:multiprocess+")
    assert line.request("vFile:open:6b65726e656c2e656c66,0,0") == "F-1,2"


def test_run_starts_the_kernel_anew(beating, kernel_elf):
    gdb = Debugger(kernel_elf)
    try:
        gdb("set confirm off")
        gdb(f"target extended-remote {beating.gdb}")
        gdb("break summarize")
        for count in range(3):
            assert gdb.resume("run")["func"] == "summarize"
            assert gdb.number("heartbeat.count") == 1, f"start {count}"
            assert gdb.resume()["func"] == "summarize"
            assert gdb.number("heartbeat.count") == 2
        gdb("kill")
        assert gdb.resume("run")["func"] == "summarize"
    finally:
        gdb.end()
    assert beating.said.count("heartbeat 1: ") >= 1


def test_a_kernel_that_was_started_for_nobody_waits_for_nobody(beating, connect):
    line = connect(beating)
    line.request("qSupported:multiprocess+")
    line.send(b"$R00#b2")
    beating.wait_for("heartbeat 1: ", count=2)
