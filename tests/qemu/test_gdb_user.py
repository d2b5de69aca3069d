"""test_gdb_user.py - user programs under GDB: breakpoints, steps over system calls, memory."""

from __future__ import annotations

import pytest

from bench import PROGRAM, bench, do, rows_of, run_to, thread
from debugger import GdbError


@pytest.fixture(scope="module")
def calling(threads_elf):
    """A program that calls the kernel by both ways, stopped where it begins to."""
    with bench(threads_elf, 1, "sleep", "call") as (_, gdb):
        gdb("break call")
        assert gdb.resume()["func"] == "call"
        gdb("delete")
        yield gdb


def test_a_breakpoint_in_a_program_that_has_not_begun_is_hit(calling):
    assert calling.functions() == ["call", "call_for_ever", "main", "_start"]
    assert calling.number("$cs") & 3 == 3


@pytest.mark.parametrize("function, instruction, after", [
    ("call_by_syscall", "syscall", "ret"), ("call_by_interrupt", "int", "ret")])
def test_a_system_call_is_one_step(calling, function, instruction, after):
    run_to(calling, function)
    while calling("x/i $pc").split("\t")[1].split()[0] != instruction:
        calling.resume("stepi")
    before = calling.number("$pc")
    calling.resume("stepi")
    assert calling.number("$pc") == before + 2
    assert calling("x/i $pc").split("\t")[1].split()[0] == after
    assert calling.number("$rax") == thread(calling, "debuggee").id
    assert "TF" not in calling.evaluate("$eflags")


def test_next_goes_over_system_calls(calling):
    run_to(calling, "call")
    lines = [int(calling.resume("next")["line"]) for _ in range(3)]
    assert lines == sorted(lines) and len(set(lines)) == 3


def test_finish_returns_from_a_program_s_function(calling):
    run_to(calling, "call_by_syscall")
    stop = calling.resume("finish")
    assert stop["func"] == "call"
    assert int(stop["return-value"]) == thread(calling, "debuggee").id


def test_a_step_over_a_breakpoint_at_a_system_call(calling):
    run_to(calling, "call_by_interrupt")
    while calling("x/i $pc").split("\t")[1].split()[0] != "int":
        calling.resume("stepi")
    calling("break *$pc")
    place = calling.number("$pc")
    rounds = calling.number("'debuggee.c'::rounds")
    for _ in range(3):
        calling.resume()
        assert calling.number("$pc") == place
    assert calling.number("'debuggee.c'::rounds") == rounds + 3
    calling("delete")


def test_a_breakpoint_in_the_handler_of_a_system_call_sees_who_calls(calling):
    run_to(calling, "syscall_handle")
    names = calling.functions()
    assert names[0] == "syscall_handle" and names[-2:] == ["main", "_start"], names


def test_variables_of_a_program_are_read_and_written(calling):
    run_to(calling, "call")
    calling("set var limit = 0")
    calling("set var 'debuggee.c'::rounds = 1000")
    calling("watch *(long *)&'debuggee.c'::rounds")
    stop = calling.resume()
    assert (stop["reason"], stop["old"], stop["new"]) == ("watchpoint-trigger", "1000", "1001")
    calling("delete")


def test_pages_that_are_not_the_programs_own_are_not_written(threads_elf):
    """Those are the kernel's zeros, and the file from which other instances are made."""
    with bench(threads_elf, 1, "sleep", "call") as (_, gdb):
        run_to(gdb, "call")
        before = gdb("x/4xb &tasks")
        with pytest.raises(GdbError):
            gdb("set var *(char *)&tasks = 1")
        assert gdb("x/4xb &tasks") == before


def test_a_breakpoint_stops_every_instance_and_is_gone_for_all_afterwards(threads_elf):
    """Threads on several CPUs; then GDB detaches, and the program runs to its end."""
    with bench(threads_elf, 3, "sleep", "threads") as (guest, gdb):
        gdb("break debuggee.c:hit")
        stopped = {gdb.resume()["thread-id"] for _ in range(40)}
        rows = [row for row in rows_of(gdb) if str(row.number) in stopped]
        assert {row.name for row in rows} == {"debuggee"}
        assert len({row.cpu for row in rows}) > 1
        gdb("set var limit = 'debuggee.c'::rounds + 1000")
        gdb("tbreak space_destroy")
        gdb("disable 2")
        assert gdb.resume()["func"] == "space_destroy"
        gdb("enable 2")  # planted in the file, from which nothing is mapped any more
        run_to(gdb, "do_sleep")
        gdb("delete")
        assert run_to(gdb, "do_sleep")["func"] == "do_sleep"
        assert gdb.number("*(unsigned char *)'debuggee.c'::hit") != 0xcc


def test_a_program_s_own_breakpoint_reaches_gdb_and_ends_it_otherwise(threads_elf):
    with bench(threads_elf, 1, "sleep", "trap") as (guest, gdb):
        assert gdb.functions() == ["trap", "main", "_start"]
        stop = gdb.resume()
        while stop["func"] == "main" and "signal-name" not in stop:
            stop = gdb.resume()
        assert (stop["signal-name"], stop["func"]) == ("SIGTRAP", "trap")
        gdb("detach")
        guest.wait_for(": breakpoint")


def test_a_program_s_own_step_reaches_gdb_and_it_goes_on(threads_elf):
    with bench(threads_elf, 1, "sleep", "step") as (_, gdb):
        assert gdb.functions() == ["step", "main", "_start"]
        assert "SIGTRAP" in gdb.said
        gdb("delete")
        assert run_to(gdb, "process_exit_thread")["func"] == "process_exit_thread"


def test_a_bad_pc_of_a_program_ends_the_program_alone(threads_elf):
    with bench(threads_elf, 1, "sleep", "call") as (guest, gdb):
        run_to(gdb, "call")
        with pytest.raises(GdbError):
            gdb("set var $pc = 0x800000000000")
        gdb("set var $pc = trap_common")
        stop = gdb.resume()
        assert stop["signal-name"] == "SIGSEGV"
        gdb("tbreak do_sleep")
        gdb.start("signal SIGSEGV")
        assert gdb.stop()["func"] == "do_sleep"
        assert "program debuggee" in guest.said


def test_ctrl_c_while_the_kernel_ends_a_program_that_runs_alone(threads_elf):
    """Which cannot come to its end: another CPU has the scheduler, and stands still."""
    with bench(threads_elf, 2, "nothing", "count") as (_, gdb):
        run_to(gdb, "debuggee.c:hit")
        program = thread(gdb, "debuggee")
        do(gdb, "sleep")
        gdb("thread 1")
        gdb("set scheduler-locking on")
        run_to(gdb, "schedule_sleep_until")
        assert (gdb.number("schedule_lock.holder"), program.cpu) == (1, 1)
        gdb(f"thread {program.number}")
        gdb("find /1b (long)$pc & ~0xfff, +0x1000, (char)0xfa")
        gdb("set var $pc = $_")  # `cli`, which it may not
        assert gdb.resume()["signal-name"] == "SIGSEGV"
        gdb.start("signal SIGSEGV")
        assert gdb.interrupt()["signal-name"] == "SIGINT"
        gdb("set scheduler-locking off")
        assert run_to(gdb, "do_sleep")["func"] == "do_sleep"
