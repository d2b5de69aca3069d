"""test_unwind.py - at every instruction of the assembly an unwinder finds the way back.

GDB's unwinder, single-stepping through QEMU's own stub: the kernel takes no part in it.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from debugger import DEADLINE, GDB
from guest import ROOT
from monitor import wait_for_socket

SCRIPT = Path(__file__).with_name("unwind_in_gdb.py")
VECTORS = ROOT / "arch/x86_64/vectors.def"


@pytest.fixture
def unwind(boot, kernel_elf: Path, tmp_path: Path) -> Callable[..., dict]:
    """unwind("run=...", scenario, *arguments): how many instructions, and the mismatches."""

    def walk(append: str, scenario: str, *arguments: object) -> dict:
        socket = tmp_path / "qemu"
        boot(append, "--", "-S", "-gdb", "chardev:outside",
             "-chardev", f"socket,id=outside,path={socket},server=on,wait=off")
        wait_for_socket(socket)
        result = tmp_path / "result"
        settings = scenario, arguments, str(result)
        done = subprocess.run(
            [*GDB, "-batch", str(kernel_elf), "-ex", f"target remote {socket}",
             "-ex", f"python settings = {settings!r}", "-x", str(SCRIPT)],
            text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            timeout=DEADLINE)
        assert result.exists(), done.stdout
        return json.loads(result.read_text())

    return walk


def error_codes() -> dict[int, bool]:
    """Which vectors push an error code, by the table that the kernel is made of."""
    rows = re.findall(r'^VECTOR\((\d+), \w+, "[^"]*", ([01]),', VECTORS.read_text(), re.MULTILINE)
    return {int(vector): pushed == "1" for vector, pushed in rows}


# Instructions: at least so many are looked at.
STUB, SAVE, RESTORE, PANIC = 3, 21, 18, 12
THERE = STUB + SAVE
THERE_AND_BACK = THERE + RESTORE


@pytest.mark.parametrize("append, scenario, arguments, instructions", [
    ("run=provoke:int3", "breakpoint_trap", (), THERE_AND_BACK),
    ("run=provoke:int3", "step_trap", (), THERE_AND_BACK),
    ("run=provoke:int3", "page_fault_in_a_copy", (), THERE_AND_BACK - 1),
    ("run=heartbeat", "nmi", (), THERE_AND_BACK),
    ("run=provoke:divide", "fault", (0, False), THERE),
    ("run=provoke:invalid-opcode", "fault", (6, False), THERE),
    ("run=provoke:null-read", "fault", (14, True), THERE - 1),
    ("run=provoke:null-call", "fault", (14, True), THERE - 1),
    ("run=provoke:wild-read", "fault", (13, True), THERE - 1),
    ("run=provoke:double-fault", "fault", (8, True), THERE - 1),
    ("run=provoke:stack-overflow", "fault", (8, True), THERE - 1),
    ("run=provoke:panic", "panic", (), PANIC + SAVE),
    ("run=provoke:int3", "all_stubs", (), 256 * 3),
], ids=["a breakpoint", "a step", "a page fault that is mended", "an NMI", "a divide error",
        "an invalid opcode", "a page fault", "a call of nothing", "a general protection fault",
        "a lost stack", "an overflown stack", "a panic", "each of the 256 stubs"])
def test_the_interrupted_registers_are_found_at_every_instruction_from(
        unwind, append, scenario, arguments, instructions):
    if scenario == "all_stubs":
        arguments = (error_codes(),)
    found = unwind(append, scenario, *arguments)
    assert found["mismatches"] == []
    assert found["instructions"] >= instructions


@pytest.mark.parametrize("scenario, arguments, instructions", [
    ("call", ("call_on_stack",), 8), ("call", ("guarded_call",), 14),
    ("guarded_call_escape", (), 8), ("call", ("arch_copy",), 6),
    ("bottom_of_a_stack", (), 4), ("new_segments", (), 11)],
    ids=["call_on_stack", "guarded_call", "guarded_call_escape", "arch_copy",
         "arch_run_on_stack", "reload_segments"])
def test_the_caller_is_found_at_every_instruction_of(unwind, scenario, arguments, instructions):
    found = unwind("run=provoke:int3", scenario, *arguments)
    assert found["mismatches"] == []
    assert found["instructions"] >= instructions
