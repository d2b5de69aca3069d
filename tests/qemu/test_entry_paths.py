"""test_entry_paths.py - the ways into the kernel and out, seen from outside: stacks, GS, NMIs.

QEMU's own stub stops the machine at any instruction; its monitor injects the NMI.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench import PROGRAM, booted, raw
from debugger import Debugger
from monitor import Monitor, wait_for_socket
from packets import packet

KERNEL_HALF = 1 << 63
HIGHEST_PRIORITY = 15
LEAST_STEPS = 4  # two tests, the write, the note of it
STACK_BYTES = 16 << 10
SAVED = "rax rcx rdx rsi rdi r8 r9 r10 r11 eflags rsp rip".split()


@contextmanager
def outside(elf: Path, append: str, folder: Path, cpus: int = 1
            ) -> Iterator[tuple[object, Debugger, Monitor]]:
    """GDB at QEMU's stub, and QEMU's monitor: the kernel takes no part in it."""
    stub = folder / "stub"
    options = [*Monitor.options(folder / "qmp"), "-S", "-gdb", "chardev:outside",
               "-chardev", f"socket,id=outside,path={stub},server=on,wait=off"]
    with booted(elf, cpus, append, *options) as guest:
        wait_for_socket(stub)
        wait_for_socket(folder / "qmp")
        gdb, monitor = Debugger(elf), Monitor(folder / "qmp")
        try:
            gdb("set confirm off")
            gdb(f"target remote {stub}")
            gdb(f"add-symbol-file {PROGRAM}")
            yield guest, gdb, monitor
        finally:
            gdb.end()
            monitor.close()


def let_go(gdb: Debugger) -> None:
    """For good.  No "detach": the machine may have ended before QEMU's stub hears all of that."""
    gdb("delete")
    gdb.start("continue")


def run_to(gdb: Debugger, place: str, condition: str = "1") -> int:
    gdb(f"thbreak *({place}) if {condition}")
    gdb.resume()
    return gdb.number("$pc")


def instructions(gdb: Debugger, place: str, count: int) -> list[tuple[int, str]]:
    rows = re.findall(r"(0x[0-9a-f]+)[^:]*:\t(.*)", gdb(f"x/{count}i {place}"))
    return [(int(address, 16), text) for address, text in rows]


def gs_bases(gdb: Debugger) -> tuple[int, int]:
    return gdb.number("$gs_base"), gdb.number("$k_gs_base")


def begin(gdb: Debugger, function: str, *arguments: str) -> int:
    """As if the next instruction were a call; returns the stack pointer behind that.  GDB's own
    calls put CR8 back to what it was."""
    sp = (gdb.number("$sp") - 512) // 16 * 16 - 8
    gdb(f"set var *(long *){sp:#x} = $pc")
    for register, value in zip(["rdi", "rsi", "rdx"], arguments):
        gdb(f"set var ${register} = {value}")
    gdb(f"set var $sp = {sp:#x}")
    gdb(f"set var $pc = {function}")
    return sp + 8


def interrupt_by(gdb: Debugger, function: str, *arguments: str) -> None:
    """A call that the interrupted code does not see."""
    saved = {register: gdb.number(f"${register} + 0") for register in SAVED}
    sp = begin(gdb, function, *arguments)
    run_to(gdb, f"{saved['rip']:#x}", f"$sp == {sp:#x}")
    for register, value in saved.items():
        gdb(f"set var ${register} = {value}")


def frame_of_nmi(gdb: Debugger) -> int:
    """Of the one that is injected now: where it is handled."""
    gdb("monitor nmi")
    run_to(gdb, "(char *)trap_stubs + 32")
    run_to(gdb, "arch_trap")
    return gdb.number("$rdi")


def test_an_nmi_at_any_instruction_of_the_system_call_s_entry_leaves_gs_alone(kernel_elf, tmp_path):
    """Before the swap, between the two, behind them; and at the iretq."""
    with outside(kernel_elf, "run=user:calls:400", tmp_path) as (guest, gdb, monitor):
        run_to(gdb, "syscall_entry")
        rows = instructions(gdb, "syscall_entry", 20)
        [end] = [n for n, (_, text) in enumerate(rows) if "<trap_common>" in text]
        places = [address for address, _ in rows[:end + 1]] + [gdb.number("&trap_return")]
        wrong = []
        for place in places:
            run_to(gdb, f"{place:#x}")
            before, sp = gs_bases(gdb), gdb.number("$sp")
            gdb("monitor nmi")
            run_to(gdb, "(char *)trap_stubs + 32")
            assert gs_bases(gdb) == before
            run_to(gdb, f"{place:#x}", f"$sp == {sp:#x}")
            if gs_bases(gdb) != before:
                wrong.append(hex(place))
        assert wrong == []
        let_go(gdb)
        assert guest.wait() == 0, guest.said


@pytest.mark.parametrize("base", [0, 8, 0xffffffff80000000, 0x7ffffffff000], ids=hex)
def test_whatever_gs_base_user_code_has_the_kernel_goes_its_way(kernel_elf, tmp_path, base):
    """Through a system call, a tick and an NMI; and user code has it again."""
    with outside(kernel_elf, "run=user:calls:400", tmp_path) as (guest, gdb, _):
        run_to(gdb, "syscall_entry")
        gdb(f"set var $gs_base = {base:#x}")
        run_to(gdb, "schedule_tick")
        gdb("monitor nmi")
        run_to(gdb, "(char *)trap_stubs + 32")
        for _ in range(3):
            run_to(gdb, "syscall_entry")
            assert gs_bases(gdb)[0] == base
        let_go(gdb)
        assert guest.wait() == 0, guest.said


def test_the_kernel_has_its_own_gs_in_every_handler(kernel_elf, tmp_path):
    with outside(kernel_elf, "run=user:calls:50", tmp_path) as (guest, gdb, _):
        for _ in range(12):
            run_to(gdb, "arch_trap")
            if gdb.number("((struct trap_frame *)$rdi)->cs") & 3 == 0:
                continue
            assert gdb.number("$gs_base") >= KERNEL_HALF
        let_go(gdb)
        assert guest.wait() == 0, guest.said


def test_both_system_calls_make_equal_frames_on_the_threads_own_stack(threads_elf, tmp_path):
    """The frame is at the very top of the stack of the thread that calls: rsp0 follows threads."""
    with outside(threads_elf, "run=user:calls:200", tmp_path) as (_, gdb, _):
        frames: dict[str, dict[str, int]] = {}
        names = "cs ss vector error".split()
        while len(frames) < 2:
            run_to(gdb, "syscall_handle")
            frame = "((struct trap *)$rdi)->frame"
            user = gdb.number(f"{frame}->rip")
            kind = "syscall" if gdb.number(f"*(unsigned short *)({user} - 2)") == 0x050f else "int"
            frames[kind] = {name: gdb.number(f"{frame}->{name}") for name in names}
            assert gdb.number(f"(char *)({frame} + 1)") == gdb.number(
                "cpus[0].shown.current->stack_top")
            assert gdb.number(f"{frame}->rflags") & 1 << 9
        assert frames["syscall"] == frames["int"]


def test_frames_of_different_threads_are_on_their_own_stacks(kernel_elf, tmp_path):
    with outside(kernel_elf, "run=user:share:3", tmp_path) as (guest, gdb, _):
        tops = {}
        for _ in range(30):
            run_to(gdb, "syscall_handle")
            id = gdb.number("cpus[0].shown.current->id")
            tops[id] = gdb.number("((struct trap *)$rdi)->frame + 1")
            assert tops[id] == gdb.number("cpus[0].shown.current->stack_top")
        assert len(set(tops.values())) == len(tops) > 1
        let_go(gdb)
        assert guest.wait() == 0, guest.said


def test_a_frame_that_iretq_refuses_ends_the_program_alone(kernel_elf, tmp_path):
    with outside(kernel_elf, "run=user:calls:2000", tmp_path) as (guest, gdb, _):
        run_to(gdb, "syscall_entry")
        run_to(gdb, "trap_return", "(((unsigned long *)$rsp)[1] & 3) == 3")  # to the program
        gdb("set var *(unsigned long *)$rsp = 0x800000000000")
        let_go(gdb)
        said = guest.wait_for("program calls ended with status 139")
        assert "ended at pc 0x800000000000: general protection" in said, said


def test_an_nmi_in_a_debug_exception_comes_back(kernel_elf, tmp_path):
    """At each instruction of the way into it; the trap goes on as if it had not been."""
    with outside(kernel_elf, "run=provoke:int3", tmp_path) as (guest, gdb, _):
        run_to(gdb, "(char *)trap_stubs + 3 * 16")
        for _ in range(24):
            place, sp = gdb.number("$pc"), gdb.number("$sp")
            frame = gdb(f"x/5xg {sp:#x}")
            gdb("monitor nmi")
            run_to(gdb, "(char *)trap_stubs + 32")
            run_to(gdb, f"{place:#x}", f"$sp == {sp:#x}")
            assert gdb(f"x/5xg {sp:#x}") == frame
            if "call" in gdb("x/i $pc"):
                break
            gdb.resume("stepi")
        let_go(gdb)
        guest.wait_for("breakpoint at pc")


def test_a_fault_inside_an_nmi_lets_no_other_nmi_overwrite_it(threads_elf):
    """A debugger that has broken in reads what is not there, while bytes go on raising NMIs."""
    with raw(threads_elf, 3) as (_, line, _):
        for _ in range(50):
            line.send(packet("vCont;c"))
            line.send(b"\x03")
            assert line.reply().startswith("T02")
            for address in (0, 0x800000000000, 0xffffff0000000000):
                assert line.request(f"m{address:x},8")[0] == "E"


def test_an_nmi_that_a_fault_inside_another_lets_in_is_handled_below_it(kernel_elf, tmp_path):
    """Not at the top of the entry stack: there the next one begins.  In a handler, and anywhere on
    its way out, where a debugger may be asked for anew."""
    fault = ["arch_copy", "&'guard.c'::arch_keep_frame::kept", "0", "1"]
    with outside(kernel_elf, "run=heartbeat", tmp_path) as (guest, gdb, _):
        run_to(gdb, "heartbeat_run")
        place, sp = gdb.number("$pc"), gdb.number("$sp")
        first = frame_of_nmi(gdb)
        interrupt_by(gdb, *fault)
        second = frame_of_nmi(gdb)
        assert first - STACK_BYTES < second < first
        interrupt_by(gdb, *fault)
        assert first - STACK_BYTES < frame_of_nmi(gdb) < second
        run_to(gdb, "trap_return", f"(unsigned long)$sp > {second:#x}")
        interrupt_by(gdb, *fault)
        run_to(gdb, "trap_return", f"(unsigned long)$sp > {first:#x}")
        left = gdb.number("$sp")
        assert left - STACK_BYTES < frame_of_nmi(gdb) < left
        run_to(gdb, f"{place:#x}", f"$sp == {sp:#x}")
        let_go(gdb)
        guest.wait_for("heartbeat 2: ")


def test_each_cpu_has_interrupt_stacks_of_its_own(kernel_elf, tmp_path):
    with outside(kernel_elf, "run=cpus", tmp_path, 2) as (guest, gdb, monitor):
        run_to(gdb, "'cpus_check.c'::report")
        tops = [{top for top in monitor.interrupt_stacks(0xffffffff80000000, cpu) if top}
                for cpu in range(2)]
        assert tops[0] & tops[1] == set() and len(tops[0]) == len(tops[1]) >= 5
        let_go(gdb)
        assert guest.wait() == 0, guest.said


def test_an_nmi_that_nobody_has_sent_stops_nothing(kernel_elf, tmp_path):
    """Nor does the next one: it is the way a debugger's byte comes."""
    with outside(kernel_elf, "run=cpus", tmp_path, 2) as (guest, gdb, _):
        run_to(gdb, "cpus_check_run")
        for _ in range(3):
            gdb("monitor nmi")
            run_to(gdb, "(char *)trap_stubs + 32")
        let_go(gdb)
        assert guest.wait() == 0, guest.said


def test_a_step_inside_an_nmi_leaves_the_task_priority_as_it_was(kernel_elf, tmp_path):
    """It takes it at any instruction that gives it back, and gives it back behind the next one."""
    take = ["arch_frame_set_step", "&'guard.c'::arch_keep_frame::kept", "1"]
    give_back = ["step_end", "0", "0"]
    with outside(kernel_elf, "gdb=off", tmp_path) as (_, gdb, _):
        place, sp = run_to(gdb, "debugger_init"), gdb.number("$sp")
        steps, returned = 0, False
        while not returned:
            interrupt_by(gdb, *take)
            assert gdb.number("$cr8") == HIGHEST_PRIORITY
            begin(gdb, *give_back)
            steps += 1
            gdb.resume(f"stepi {steps}")
            interrupt_by(gdb, *take)
            gdb.resume("stepi")
            returned = gdb.number("$pc") == place
            interrupt_by(gdb, *give_back)
            if not returned:
                run_to(gdb, f"{place:#x}")
            assert gdb.number("$cr8") == 0, steps
            gdb(f"set var $sp = {sp:#x}")
        assert steps > LEAST_STEPS
