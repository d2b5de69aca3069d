"""test_lldb.py - LLDB 14 at a live kernel, in batch mode."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
from pathlib import Path

import pytest

from debugger import DEADLINE

# Debian's LLDB looks for its Python modules where there are none.
MODULES = "/usr/lib/llvm-14/lib/python3.11/dist-packages"


@pytest.fixture
def lldb(waiting, debuggee_elf: Path):
    """lldb(COMMAND, ...) is what LLDB says, attached to a machine that waits with debuggee.c."""

    def run(*commands: str) -> str:
        guest = waiting(kernel=debuggee_elf)
        words = [word for command in (f"process connect unix-connect://{guest.gdb}", *commands)
                 for word in ("-o", command)]
        done = subprocess.run(
            ["lldb", "--no-lldbinit", "--batch", *words, debuggee_elf], timeout=DEADLINE,
            env={**os.environ, "PYTHONPATH": MODULES}, text=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace")
        return done.stdout

    return run


def after(said: str, command: str) -> str:
    """What was said to the last command of these words."""
    return said.rpartition(f"(lldb) {command}\n")[2].partition("(lldb) ")[0]


def test_it_lists_threads_by_name(lldb):
    assert re.search(r"thread #1: tid = 0x0001, .*name = 'main'",
                     after(lldb("thread list"), "thread list"))


def test_it_knows_the_machine(lldb):
    said = lldb("target list", "process status")
    assert "x86_64" in after(said, "target list"), said


def test_it_breaks_and_goes_on(lldb):
    said = lldb("breakpoint set --name factorial", "continue", "bt", "continue", "frame variable n")
    assert "stop reason = breakpoint 1.1" in after(said, "continue"), said
    frames = re.findall(r"frame #\d+: .*`(\w+)", after(said, "bt"))
    assert frames[:2] == ["factorial", "main"] and "kernel.start" in after(said, "bt"), said
    assert "(long) n = 4" in said


def test_it_steps(lldb):
    said = lldb("breakpoint set --name add", "continue", "thread step-inst", "thread step-over",
                "thread step-out", "register read rip")
    assert "stop reason = instruction step into" in said
    assert "stop reason = step out" in said
    assert re.search(r"rip = 0x\w+ .*`main", said), said


def test_it_reads_and_writes_registers_and_memory(lldb):
    said = lldb("register write rax 0x1234", "register read rax", "register read --all",
                "memory read --size 8 --format d --count 2 `&values[1]`", "memory write -s 8 "
                "`&values[0]` 77", "expression values[0]", "expression parcel.number + 1")
    assert "rax = 0x0000000000001234" in after(said, "register read rax")
    shown = after(said, "register read --all")
    for name in ("rip", "xmm15", "cr0", "dr7", "idtr_limit", "vector", "orig_rax"):
        assert re.search(rf"\b{name} = ", shown), f"{name}: {shown}"
    assert re.search(r"20\n?.*30", said)
    assert "= 119" in after(said, "expression values[0]"), said  # 77 was hexadecimal
    assert "= 8" in after(said, "expression parcel.number + 1"), said


def test_it_watches(lldb):
    said = lldb("watchpoint set variable total", "continue")
    assert "stop reason = watchpoint 1" in said, said


def test_it_knows_what_memory_is_what(lldb):
    said = lldb("memory region `&greeting`", "memory region `$rip`", "memory region 0x1000")
    assert re.search(r"r-- kernel constants", said), said
    assert re.search(r"r-x kernel text", said), said
    assert re.search(r"\[0x0000000000000000-0x0000\w+\) ---", said), said


def test_it_interrupts_and_detaches(waiting, debuggee_elf, attach):
    """As at a keyboard: Ctrl-C ends what "continue" has begun.  GDB finds the machine running."""
    guest = waiting(kernel=debuggee_elf)
    process = subprocess.Popen(
        ["lldb", "--no-lldbinit", debuggee_elf], env={**os.environ, "PYTHONPATH": MODULES},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        say(process, f"process connect unix-connect://{guest.gdb}", "stopped")
        say(process, "breakpoint set --one-shot true --name spin", "Breakpoint 1")
        say(process, "continue", "stop reason = signal SIGTRAP")  # the program's own int3
        say(process, "continue", "stop reason = one-shot breakpoint 1")
        say(process, "continue", "resuming")
        guest.wait_for("..........")
        process.send_signal(signal.SIGINT)
        say(process, "bt", "kernel.start")
        say(process, "detach", "detached")
        process.stdin.close()
        assert process.wait(DEADLINE) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    assert "spin" in attach(guest, debuggee_elf).functions()


def say(process: subprocess.Popen, command: str, until: str) -> None:
    """Give a command, and read until that is said."""
    process.stdin.write(f"{command}\n".encode())
    process.stdin.flush()
    said = b""
    while until.encode() not in said:
        assert select.select([process.stdout], [], [], DEADLINE)[0], said.decode(errors="replace")
        data = os.read(process.stdout.fileno(), 65536)
        assert data, said.decode(errors="replace")
        said += data
