"""test_monitor.py - `monitor COMMAND`: what each says, and what it says to wrong words."""

from __future__ import annotations

import re

import pytest

from crashlib.record import load

SHOWN = [
    ("help", r"pagewalk ADDRESS: .*\n(.*\n)*threads: "),
    ("", r"^help: this list"),
    ("pagewalk 0xffffffff80100000", r"PML4\[511\] = 0x\w+ present writable\n"
     r"PDPT\[510\].*\n.*\n.*\n0xffffffff80100000 is physical 0x100000"),
    ("pagewalk 0", r"absent\n0x0 is not mapped"),
    ("pagewalk 0x1000000000000000", r"not canonical"),
    ("phys 0x100000 20", r"^0x000100000: d6 50 52 e8( \w\w){12}\n0x000100010:( \w\w){4}\n$"),
    ("phys 0xfffffff0000", r"is no memory"),
    ("msr 0xc0000080", r"MSR 0xc0000080 = 0x[d5]01"),
    ("io 0x3fd", r"port 0x3fd = 0x[26]0"),
    ("io 0x3ff 1 write 0x5a", r"port 0x3ff <- 0x5a"),
    ("idt", r"^  0: 0x\w+, selector 0x8, stack 0, type 0xe, level 0  divide error\n(.*\n)+ 31: "),
    ("idt 128", r"^128: 0x\w+, .* level 3  system call\n$"),
    ("gdt", r"0x08: 0x00af9b000000ffff\n(.*\n)+0x30: 0x\w+ 0x00000000ffffffff\n$"),
    ("irqs", r"^Input\tVector.*\n0\t0\tfixed\tedge, high\tmasked\t0\n"),
    ("traps", r"3\tbreakpoint\t1"),
    ("log", r"^Number\tSeconds\tLevel\tCPU\tText\n"),
    ("log 0", r"^Number\tSeconds\tLevel\tCPU\tText\n$"),
    ("threads", r"1\tmain\trunning on CPU 0\t0\t0xffffffff8"),
    ("cpus", r"0\tserves the debugger"),
    ("modules", r"Start\tBytes\tName\n$"),
    ("pages", r"kernel text"),
    ("breakpoints", r"^none: "),
    ("stats", r"^\d+ requests, \d+ replies\n\d+ bytes received, \d+ sent\n1 stops, 0 damaged"),
    ("selftest", r"kernel text: unchanged.*\nkernel constants: unchanged.*\n"
     r"debugger stack: \d+ of 16384 bytes never used\nline: com2, "),
]
WRONG = [
    ("nonsense", 'there is no "nonsense": monitor help lists what there is'),
    ("pagewalk", "say: monitor pagewalk ADDRESS"),
    ("pagewalk xyz", "say: monitor pagewalk ADDRESS"),
    ("pagewalk 0x", "say: monitor pagewalk ADDRESS"),
    ("pagewalk 99999999999999999999", "say: monitor pagewalk ADDRESS"),
    ("phys 0 5000", "say: monitor phys ADDRESS [BYTES]"),
    ("phys 0 1 2", "say: monitor phys ADDRESS [BYTES]"),
    ("msr 0x100000000", "say: monitor msr NUMBER"),
    ("io 0x10000", "say: monitor io PORT [1|2|4 [write VALUE]]"),
    ("io 0x80 3", "say: monitor io PORT [1|2|4 [write VALUE]]"),
    ("io 0x80 1 0x5a", "say: monitor io PORT [1|2|4 [write VALUE]]"),
    ("io 0x80 1 write", "say: monitor io PORT [1|2|4 [write VALUE]]"),
    ("idt 256", "say: monitor idt [VECTOR]"),
    ("threads 1", "say: monitor threads"),
    ("help me", "say: monitor help"),
    ("a b c d e f g", "too many words, or too long: monitor help lists what there is"),
    ("a" * 100, "too many words, or too long: monitor help lists what there is"),
]


def monitor(line, command: str) -> str:
    """What it prints."""
    said = ""
    reply = line.request(f"qRcmd,{command.encode().hex()}")
    while reply.startswith("O") and reply != "OK":
        said += bytes.fromhex(reply[1:]).decode()
        reply = line.reply()
    assert reply == "OK", reply
    return said


@pytest.mark.parametrize("command, expected", SHOWN)
def test_it_shows(line, command, expected):
    line.request("qSupported")
    said = monitor(line, command)
    assert re.search(expected, said, re.MULTILINE if expected[0] != "^" else 0), said


@pytest.mark.parametrize("command, expected", WRONG)
def test_it_says_what_is_right(line, command, expected):
    assert monitor(line, command) == expected + "\n"


def test_inserted_points_are_listed(line, symbols):
    line.request(f"Z0,{symbols['summarize']:x},1")
    line.request(f"Z2,{symbols['heartbeat']:x},8")
    assert monitor(line, "breakpoints") == (
        f"{symbols['summarize']:#x}, 1 bytes: software breakpoint\n"
        f"{symbols['heartbeat']:#x}, 8 bytes: write watchpoint\n")


def test_a_trap_in_a_command_costs_only_the_command(line):
    """The page tables' root register is no model-specific register; TCG answers most of them."""
    assert monitor(line, "msr 0xc0000103").startswith("MSR 0xc0000103")
    assert "0 faults caught" in monitor(line, "stats")


def test_the_output_comes_in_full_packets(line):
    reply = line.request(f"qRcmd,{b'idt'.hex()}")
    assert len(reply) > 3000, len(reply)
    while line.reply() != "OK":
        pass


def test_a_record_is_written_and_the_kernel_goes_on(beating, attach):
    gdb = attach(beating)
    assert "goes on as before" in gdb("monitor crash")
    assert beating.said.count("the debugger asked for this record") <= 1
    gdb("break summarize")
    assert gdb.resume()["func"] == "summarize"


def test_each_record_that_is_asked_for_is_another_and_a_crash_still_has_its_own(waiting, attach,
                                                                                tmp_path):
    guest = waiting("run=provoke:null-read", "--disk", str(tmp_path / "disk"))
    gdb = attach(guest)
    for _ in range(2):
        gdb("monitor crash")
    assert gdb.resume()["signal-name"] == "SIGSEGV"
    gdb.start()
    assert guest.wait() == 70
    for records in load(guest.said.encode()), load(tmp_path / "disk"):
        assert [record.sequence for record in records] == [1, 3, 5]
        assert all(record.complete for record in records)
        assert [record.cause.name for record in records] == ["snapshot", "snapshot", "page fault"]


def test_the_machine_is_reset(beating, connect):
    line = connect(beating)
    line.request("qSupported")
    assert monitor(line, "reboot") == "rebooting: connect again\n"
    beating.wait_for("heartbeat 1: ", count=2)
