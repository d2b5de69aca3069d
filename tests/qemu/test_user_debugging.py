"""test_user_debugging.py - GDB and user programs: breakpoints that are there before the program is,
steps through system calls, faults that GDB sees first."""

from __future__ import annotations

import re

import pytest

from debugger import GdbError
from programs import ROOT


@pytest.fixture
def gdb_before(waiting, attach):
    """gdb_before("hello", "name:argument") is GDB at a kernel that will run a program of hello.elf,
    and the machine."""

    def start(program: str, spec: str):
        guest = waiting(f"run=user:{spec}")
        gdb = attach(guest)
        gdb("set confirm off")
        gdb(f"add-symbol-file {ROOT}/build/user/{program}.elf")
        return gdb, guest

    return start


def test_a_breakpoint_waits_for_its_program(gdb_before):
    gdb, _ = gdb_before("hello", "hello")
    gdb("break say_hello")
    stop = gdb.resume()
    assert (stop["reason"], stop["func"]) == ("breakpoint-hit", "say_hello")
    assert gdb.functions() == ["say_hello", "main"]
    assert gdb.number("$cs & 3") == 3


def test_every_instance_of_a_program_meets_a_breakpoint(gdb_before):
    gdb, guest = gdb_before("churn", "churn:4")
    gdb("break main")
    seen = []
    for _ in range(5):
        gdb.resume()
        seen.append((gdb.number("$_thread"), gdb.evaluate("argument[0]")))
    assert sum("'-'" in argument for _, argument in seen) == 4, seen
    gdb("delete")
    gdb.start()
    assert guest.wait() == 0


def test_a_step_is_one_instruction_of_user_code(gdb_before):
    gdb, _ = gdb_before("hello", "hello")
    gdb("break *say_hello")
    gdb.resume()
    for _ in range(5):
        before = gdb.number("$pc")
        after = int(re.findall(r"^\s+(0x[0-9a-f]+)", gdb("x/2i $pc"), re.MULTILINE)[-1], 0)
        gdb.resume("stepi")
        assert (gdb.number("$pc"), gdb.number("$cs & 3")) == (after, 3), hex(before)


@pytest.mark.parametrize("function", ["call_by_interrupt", "call_by_syscall"])
def test_a_step_over_a_system_call_stays_in_user_code(gdb_before, function):
    """It ends an instruction later: what restores TF does not trap (SDM 3B 17.3.1.4)."""
    gdb, _ = gdb_before("hello", "hello")
    gdb(f"break {function}")
    gdb.resume()
    gdb("delete")
    while not re.search(r":\s+(int|syscall)\b", gdb("x/i $pc")):
        gdb.resume("stepi")
    gdb.resume("stepi")
    assert gdb.number("$cs & 3") == 3
    assert gdb.functions()[0] in (function, "write")


def test_finish_returns_from_a_function_that_calls_the_kernel(gdb_before):
    gdb, guest = gdb_before("hello", "hello")
    gdb("tbreak say_hello")
    gdb.resume()
    stop = gdb.resume("finish")
    assert (stop["func"], stop["return-value"]) == ("main", "0")
    assert "hello by int 0x80" in guest.said


def test_gdb_sees_a_fault_of_user_code_before_it_ends_the_program(gdb_before):
    gdb, guest = gdb_before("faults", "faults:null-read")
    stop = gdb.resume()
    assert stop["signal-name"] == "SIGSEGV"
    assert gdb.functions()[-1] == "main"
    gdb.start()
    guest.wait()
    assert "program faults ended with status 139" in guest.said


def test_a_breakpoint_instruction_of_user_code_stops_and_goes_on(gdb_before):
    gdb, guest = gdb_before("faults", "faults:int3")
    stop = gdb.resume()
    assert (stop["signal-name"], stop["func"]) == ("SIGTRAP", "int3")
    gdb.start()
    guest.wait()
    assert "program faults ended with status 0" in guest.said


def test_data_can_be_written_once_the_program_has_its_own(gdb_before):
    """Before, its pages are everybody's: the file's, or the one of zeros."""
    gdb, guest = gdb_before("share", "share:1")
    gdb("break share.c:wait_for_all")
    with pytest.raises(GdbError):
        gdb("set var shared.rounds = 7")
    gdb.resume()
    gdb("set var shared.rounds = 2")
    assert gdb.evaluate("shared.rounds") == "2"
    gdb("delete")
    gdb.start()
    assert guest.wait() == 0


def test_code_is_read_from_the_image_before_the_program_runs(gdb_before):
    gdb, _ = gdb_before("hello", "hello")
    assert "push" in gdb("x/2i main")
    with pytest.raises(GdbError):
        gdb("x/x 0x10000")


def test_points_are_hit_in_what_the_kernel_does_about_a_page_fault_of_a_program(gdb_before):
    gdb, guest = gdb_before("hello", "hello")
    gdb("hbreak program_resolve if trap->origin == TRAP_FROM_USER")
    stop = gdb.resume()
    assert (stop["reason"], stop["func"]) == ("breakpoint-hit", "program_resolve")
    gdb("watch 'kernel/frames.c'::frames.counts.free")
    before = gdb.number("'kernel/frames.c'::frames.counts.free")
    stop = gdb.resume()
    assert (stop["reason"], int(stop["old"])) == ("watchpoint-trigger", before)
    assert "program_resolve" in gdb.functions()
    gdb("delete")
    gdb.start()
    assert guest.wait() == 0


def test_a_caught_system_call_stops_where_it_begins_and_where_it_has_ended(gdb_before):
    gdb, guest = gdb_before("hello", "hello")
    gdb("catch syscall 1")
    stops = []
    for _ in range(4):
        stops.append((gdb.resume()["reason"], gdb.number("$cs & 3")))
    assert stops == [("syscall-entry", 3), ("syscall-return", 3)] * 2
    assert gdb.number("$rax") > 0  # what write() says
    gdb("delete")
    gdb.start()
    assert guest.wait() == 0


def test_what_the_debugger_itself_reads_while_a_system_call_is_caught_is_no_access(gdb_before):
    gdb, guest = gdb_before("hello", "hello")
    gdb("set breakpoint always-inserted on")
    gdb("awatch *(int *)'kernel/thread.c'::table.threads[0].name")
    gdb("catch syscall 1")
    assert gdb.resume()["reason"] == "syscall-entry"
    assert '"main"' in gdb("info threads")
    assert gdb.resume()["reason"] == "syscall-return"
    gdb("delete")
    gdb.start()
    assert guest.wait() == 0
    assert "no debugger" not in guest.said


def test_system_calls_that_are_not_caught_do_not_stop(gdb_before):
    gdb, guest = gdb_before("hello", "hello")
    gdb("catch syscall 77")
    gdb.start()
    assert guest.wait() == 0
