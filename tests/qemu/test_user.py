"""test_user.py - user mode: programs run, call the kernel, get memory when they touch it, and take
nothing but themselves down.

faults.def has what programs try.  All of it runs in one machine, as children of `attack`; cases
whose report matters have a machine of their own.
"""

from __future__ import annotations

import re
import shutil

import pytest

import programs
from guest import Guest
from programs import ROOT, symbols_of
from qemu import GRUB_ROOM

CASES = (ROOT / "kernel/user/faults.def").read_text()
CASE_COUNT = len(re.findall(r"^(?:PRIVILEGED|FAULT)\(", CASES, re.MULTILINE))
TEXT = 0xffffffff80101000  # of the kernel, as faults.c has it


def run(boot, program: str, *arguments: str, options: str = "", deadline: float = 60) -> str:
    """Run a user program to its end; it must end with status 0.  What the console said."""
    guest = boot(f"run=user:{program} {options}", *arguments)
    assert guest.wait(deadline) == 0, guest.said
    return guest.said


def status_of(said: str, program: str) -> int:
    found = re.search(rf"^program {program} ended with status (\d+)\r?$", said, re.MULTILINE)
    assert found, f"the end of {program} was not announced:\n{said}"
    return int(found[1])


@pytest.fixture(scope="module")
def attack(request, tmp_path_factory) -> str:
    """What the console said while `attack` ran all cases."""
    guest = Guest(tmp_path_factory.mktemp("attack"),
                  ["--kernel", str(ROOT / "build/kernel.elf"), "--append", "run=user:attack"])
    request.addfinalizer(guest.end)
    status = guest.wait(120)
    assert status == 0, guest.said
    return guest.said


# ---- Programs, system calls ----

def test_both_ways_into_the_kernel_give_the_same_results(boot):
    said = run(boot, "hello")
    lines = said.replace("\r", "").split("\n")
    assert lines[:3] == ["hello by int 0x80", "hello by SYSCALL", "the results are equal"]


def test_the_emulator_exits_with_the_programs_status(boot):
    guest = boot("run=user:hello:42")
    assert guest.wait() == 42
    assert status_of(guest.said, "hello") == 42


def test_a_program_gets_its_argument(boot):
    guest = boot("run=user:hello:7-and-more")
    assert guest.wait() == 7
    assert "argument: 7-and-more" in guest.said


@pytest.mark.parametrize("name", ["none", "", "hell", "hello2"])
def test_a_program_that_there_is_not_is_said(boot, name):
    guest = boot(f"run=user:{name}")
    assert guest.wait() == 1
    assert f"run=user:{name}: there is no such program" in guest.said


@pytest.mark.parametrize("program", ["calls", "churn", "compute", "share"])
def test_a_program_that_checks_itself_is_content(boot, program):
    run(boot, program, "--smp", "2")


@pytest.mark.parametrize("smp", ["1", "4", "8"])
def test_all_programs_are_content_at_once(boot, smp):
    said = run(boot, "together", "--smp", smp, deadline=120)
    assert " 0 wrong" in said


def test_floating_point_state_survives_other_threads(boot):
    assert "floats: 300 rounds" in run(boot, "floats:300", "--smp", "2")


def test_a_module_of_the_boot_loader_is_a_program(boot, kernel_elf, tmp_path):
    """Its command line names it; here it is `faults`, with all of its symbols."""
    folder = tmp_path / "iso/boot/grub"
    folder.mkdir(parents=True)
    shutil.copy(kernel_elf, folder.parent / "kernel.elf")
    shutil.copy(ROOT / "build/user/faults.elf", folder.parent / "mine.elf")
    menu = (ROOT / "scripts/grub.cfg").read_text().replace("@APPEND@", " " * GRUB_ROOM)
    (folder / "grub.cfg").write_text(
        menu.replace("    boot\n", "    module2 /boot/mine.elf mine\n    boot\n"))
    iso = tmp_path / "kernel.iso"
    programs.run(["grub-mkrescue", "-o", str(iso), str(tmp_path / "iso")])
    guest = boot("run=user:mine:int3", "--iso", str(iso))
    guest.wait()
    assert status_of(guest.said, "mine") == 133


# ---- Memory ----

def test_no_frames_are_lost_when_programs_end(boot):
    """Each of the children would lose at least one; threads' stacks are kept for the next."""
    said = run(boot, "attack", options="loglevel=debug")
    used, before = map(int, re.search(r"(\d+) frames in use, before it (\d+)", said).groups())
    assert used - before < 40, said
    assert CASE_COUNT > 100


def test_programs_are_linked_apart(kernel_elf):
    """So that a debugger can have the symbols of all of them."""
    ranges = []
    for elf in sorted((ROOT / "build/user").glob("*.elf")):
        symbols = symbols_of(elf)
        ranges.append((symbols["_start"] >> 22, elf.name))
    assert len({place for place, _ in ranges}) == len(ranges) > 5, ranges


# ---- Faults ----

def test_all_that_user_code_may_not_do_ends_it_alone(attack):
    found = re.search(r"^attack: (\d+) survived, (\d+) killed alone, 0 wrong", attack, re.MULTILINE)
    assert found, attack
    assert int(found[1]) + int(found[2]) == CASE_COUNT


def test_each_end_is_reported_in_one_line(attack):
    killed = int(re.search(r"(\d+) killed alone", attack)[1])
    assert len(re.findall(r"program faults \(\d+\) ended at pc 0x", attack)) == killed


@pytest.mark.parametrize("case, status, report", [
    ("null-read", 139, "page fault: read of 0x0 by user code: no page there"),
    ("null-call", 139, "at pc 0x0: page fault: instruction fetch from 0x0 by user code"),
    ("kernel-read", 139, f"page fault: read of {TEXT:#x} by user code: the page forbids it"),
    ("kernel-write", 139, f"page fault: write to {TEXT:#x} by user code: the page forbids it"),
    ("kernel-call", 139, f"at pc {TEXT:#x}: page fault: instruction fetch from {TEXT:#x}"),
    ("divide", 136, "divide error"),
    ("divide-x87", 136, "x87 floating-point error"),
    ("undefined", 132, "invalid opcode"),
    ("int3", 133, "breakpoint"),
    ("single-step", 133, "debug exception"),
    ("cli", 139, "general protection"),
    ("int-14", 139, "general protection: selector 0x"),
    ("sgdt", 139, "general protection"),
    ("stack-overflow", 139, "page fault: write to 0x7"),
])
def test_a_fault_ends_the_program_with_a_report(boot, case, status, report):
    guest = boot(f"run=user:faults:{case}")
    assert guest.wait() == 127  # what is left of larger ones
    assert status_of(guest.said, "faults") == status
    assert re.search(rf"program faults \(1\) ended {re.escape(report)}" if report.startswith("at")
                     else rf"program faults \(1\) ended at pc 0x[0-9a-f]+: {re.escape(report)}",
                     guest.said), guest.said


def test_a_fault_in_a_thread_ends_all_of_its_program(boot):
    guest = boot("run=user:faults:thread-fault", "--smp", "2")
    guest.wait()
    assert status_of(guest.said, "faults") == 139
    assert guest.said.count("ended at pc") == 1


def test_a_program_without_memory_left_ends_alone(boot):
    guest = boot("run=user:hungry", "--memory", "64")
    assert guest.wait() == 0
    assert "memory is short" in guest.said
