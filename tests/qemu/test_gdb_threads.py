"""test_gdb_threads.py - threads as GDB sees them: all, in every state, to their first frames."""

from __future__ import annotations

import re

import pytest

from bench import Row, bench, raw, rows_of, run_to, thread
from crashlib.record import load
from debugger import Debugger, GdbError

STATES = {"main": "running", "idle 0": "runnable", "idle 1": "runnable", "sleeper": "sleeping",
          "waiter": "waiting: an event of the bench", "owner": "waiting: the end",
          "spinner": "running", "starving": "runnable", "debuggee": "waiting: sleep"}
ENTRIES = {"long_mode", "ap_long_mode", "thread_begin", "_start", "arch_run_on_stack"}
MARK = 0x1234567


@pytest.fixture(scope="module")
def gdb(threads_elf):
    """Two CPUs, threads in all states, a user program that waits in a system call."""
    with bench(threads_elf, 2, "nothing", "sleep") as (_, debugger):
        debugger("set backtrace past-main on")
        debugger("set backtrace past-entry on")
        yield debugger


def select(gdb: Debugger, name: str) -> Row:
    row = thread(gdb, name)
    gdb(f"thread {row.number}")
    return row


def test_every_thread_is_listed_with_its_state(gdb):
    rows = {row.name: row for row in rows_of(gdb)}
    assert {name: rows[name].state for name in STATES} == STATES
    assert rows["wanter"].state == f"wants bench mutex, thread {rows['owner'].id}'s"
    assert {rows[name].cpu for name in ("idle 1", "spinner", "starving")} == {1}


def test_every_backtrace_ends_where_its_thread_begins(gdb):
    text = gdb("thread apply all backtrace")
    last = {}
    for part in text.split("\nThread ")[1:]:
        name = re.search(r'\(Thread 1\.\d+ "([^"]+)"', "Thread " + part)[1]
        last[name] = re.findall(r"^#\d+ +(?:0x\w+ in )?([\w.?]+)", part, re.MULTILINE)[-1]
    assert set(last) == {row.name for row in rows_of(gdb)}
    assert {name: frame for name, frame in last.items() if frame not in ENTRIES} == {}
    assert "corrupt" not in text and "Cannot access" not in text, text


def test_a_waiting_thread_shows_who_waits_and_for_what(gdb):
    select(gdb, "wanter")
    names = gdb.functions()
    assert names[-5:] == ["wait_in", "mutex_lock", "wanter", "begin", "thread_begin"]


def test_a_program_in_a_system_call_is_seen_through_to_its_first_frame(gdb):
    select(gdb, "debuggee")
    text = gdb("backtrace")
    assert text.count("<signal handler called>") == 1, text
    names = gdb.functions()
    assert names.index("call_sleep") < names.index("call_by_syscall")
    assert names[-4:] == ["sleep_us", "sleep_marked", "main", "_start"]
    assert 'main (argument=0x7ff' in text and '"sleep")' in text


def test_the_registers_of_a_parked_thread_are_its_own(gdb):
    select(gdb, "sleeper")
    assert gdb.number("$xmm7.v2_int64[0]") == MARK
    assert gdb.evaluate("$st0").startswith("3.14159265358979")
    assert gdb.number("$fs_base") == MARK
    assert gdb.number("$ds") == 0
    assert gdb.number("$fctrl") == 0x37f
    select(gdb, "debuggee")
    assert gdb.number("$xmm3.v2_int64[0]") == 0x5eed
    assert gdb.evaluate("$st0") == "1"
    assert gdb.evaluate("$st1").startswith("3.14159265358979")


def test_what_a_parked_thread_does_not_have_is_not_invented(gdb):
    select(gdb, "sleeper")
    for register in ("cr0", "cr2", "cr3", "cr8", "gs_base", "k_gs_base"):
        assert gdb.evaluate(f"${register}") == "<unavailable>", register
    select(gdb, "main")
    assert gdb.evaluate("$cr0") != "<unavailable>"


def test_the_registers_of_another_cpu_are_read_there(gdb):
    gs_bases = []
    for name in ("main", "spinner"):
        select(gdb, name)
        gs_bases.append(gdb.number("$gs_base"))
        assert gdb.number("$cr0") >> 31 == 1
    assert gs_bases[0] != gs_bases[1]


def test_code_at_the_pc_of_any_thread_is_shown(gdb):
    for row in rows_of(gdb):
        gdb(f"thread {row.number}")
        assert gdb("x/i $pc").startswith("=> "), row


def test_memory_is_that_of_the_selected_thread(gdb):
    select(gdb, "debuggee")
    assert gdb.number("initialised") == 7
    select(gdb, "sleeper")
    with pytest.raises(GdbError, match="Cannot access memory"):
        gdb("print initialised")


def expect_to_end(gdb: Debugger, name: str) -> None:
    for _ in range(5):
        run_to(gdb, "do_sleep")
    assert name not in {row.name for row in rows_of(gdb) if row.state != "ended"}


def test_what_is_written_to_a_parked_thread_takes_effect(threads_elf):
    """And a thread that ends while it is selected is an error, not the end of the session."""
    with bench(threads_elf, 1, "sleep") as (_, gdb):
        select(gdb, "napper")
        gdb("frame function napper")
        gdb("set var $rbx = 0x99")
        select(gdb, "main")
        gdb("watch woken if woken != 0x77")
        assert gdb.resume()["new"] == str(0x99)
        gdb("delete")
        ended = select(gdb, "ender")
        gdb("set var may_end = 1")
        expect_to_end(gdb, "ender")
        with pytest.raises(GdbError):
            gdb(f"thread {ended.number}")
            gdb("maint flush register-cache")
            gdb("print $rip")
        select(gdb, "main")
        assert gdb.functions()[0] == "do_sleep"


def test_finish_out_of_what_the_trap_table_asks(threads_elf):
    with bench(threads_elf, 2) as (_, gdb):
        spinner = thread(gdb, "spinner", 1).number  # nobody ever takes its turn
        run_to(gdb, f"schedule_tick thread {spinner}")
        for caller in "tick", "interrupt", "ask_handlers":
            assert gdb.resume("finish")["func"] == caller
        assert gdb.functions()[1] == "trap_dispatch_ordinary"
        assert gdb.resume("finish")["func"] == "trap_dispatch_ordinary"


def test_a_thread_that_ends_while_it_runs_alone_says_so(threads_elf):
    """Or GDB would wait for a machine in which nothing moves."""
    with bench(threads_elf, 2, "sleep") as (_, gdb):
        gdb("set var may_end = 1")
        run_to(gdb, f"thread_exit thread {thread(gdb, 'ender').number}")
        gdb("set scheduler-locking on")
        assert gdb.resume()["signal-name"] == "SIGTRAP"
        assert gdb.functions()[-3:] == ["thread_exit", "begin", "thread_begin"]
        gdb("set scheduler-locking off")
        expect_to_end(gdb, "ender")


def test_threads_in_raw_packets(threads_elf):
    with raw(threads_elf, 2) as (_, line, symbols):
        assert line.request(f"Z0,{symbols['do_nothing']:x},1") == "OK"
        assert line.request("vCont;c") .startswith("T05swbreak:;")
        listed = []
        reply = line.request("qfThreadInfo")
        while reply != "l":
            assert reply[0] == "m"
            listed += reply[1:].split(",")
            reply = line.request("qsThreadInfo")
        assert len(listed) == len(set(listed)) > 10
        extra = [bytes.fromhex(line.request(f"qThreadExtraInfo,{id}")).decode() for id in listed]
        assert "sleeper: sleeping, CPU 0" in extra, extra
        assert line.request("qC") == "QCp1.1"
        gone = "p1.ffff"
        for id in listed:
            assert line.request(f"T{id}") == "OK"
            assert line.request(f"Hg{id}") == "OK"
            assert len(line.request("g")) >= 164 * 2
        assert line.request(f"T{gone}")[0] == "E"
        assert line.request(f"Hg{gone}")[0] == "E"
        assert line.request(f"qThreadExtraInfo,{gone}")[0] == "E"
        assert line.request(f"vCont;s:{gone}")[0] == "E"
        assert line.request("Hgp1.1") == "OK"


def test_a_kernel_application_has_one_thread(gdb_main):
    """So GDB's stops do not name it."""
    assert len(rows_of(gdb_main)) == 1
    run_to(gdb_main, "add")
    assert "breakpoint 2, add" in gdb_main.said
    assert 'hit' not in gdb_main.said


def test_a_thread_that_is_still_being_made_is_not_listed(waiting, attach):
    """It has no registers yet; a crash record tells of it without."""
    guest = waiting("run=user:hello")
    gdb = attach(guest)
    gdb("break thread_run if thread->process != 0")
    gdb.resume()
    assert "hello" in gdb("print thread->name") and "hello" not in gdb("info threads")
    gdb("monitor crash")
    [record] = load(guest.said.encode())
    assert record.complete and {row.name: row.count for row in record.threads}["hello"] == 0
    gdb("delete")
    gdb.resume("finish")
    assert "hello" in gdb("info threads")
