"""test_calls.py - `print function(arguments)`: functions of the stopped program, called by GDB."""

from __future__ import annotations

import pytest

from debugger import GdbError


@pytest.mark.parametrize("call, value", [
    ("add(2, 3)", "5"),
    ("add(-1, factorial(4))", "23"),
    ("factorial(10)", "3628800"),
    ("scale(1.5, 3)", "4.5"),
    ("third(9)", "3"),
    ("swap(1, 2)", "{first = 2, second = 1}"),
    ("heavier(parcel, 0.5).weight", "3"),
    ("add(values[6], values[7])", "150"),
])
def test_a_call_gives_the_function_s_value(gdb_main, call, value):
    assert gdb_main.evaluate(call) == value


def test_a_call_leaves_the_program_where_and_as_it_was(gdb_main):
    before = gdb_main("info registers")
    gdb_main("print factorial(5)")
    assert gdb_main("info registers") == before
    assert gdb_main.functions() == ["main"]
    gdb_main.resume("next")
    assert gdb_main.evaluate("sum") == "30"


def test_a_call_changes_what_the_function_changes(gdb_main):
    gdb_main("call count_to(4)")
    assert gdb_main.number("total") == 10


def test_a_breakpoint_in_a_called_function_stops_there(gdb_main):
    gdb_main("break add")
    with pytest.raises(GdbError, match="The program being debugged stopped while in a function"):
        gdb_main("print add(5, 6)")
    assert gdb_main.functions()[0] == "add"
    assert gdb_main.evaluate("a") == "5"
    assert gdb_main.resume("finish")["return-value"] == "11"


def test_a_fault_in_a_called_function_stops_there(gdb_main):
    with pytest.raises(GdbError, match="signaled while in a function called from GDB"):
        gdb_main("print poke(0)")
    assert gdb_main.functions()[0] == "poke"


def test_a_call_that_faulted_is_undone_when_gdb_is_told_so(gdb_main):
    gdb_main("set unwindonsignal on")
    with pytest.raises(GdbError, match="signaled while in a function called from GDB"):
        gdb_main("print poke(0)")
    assert gdb_main.functions() == ["main"]
    gdb_main.resume("next")
    assert gdb_main.evaluate("sum") == "30"


def test_a_call_in_a_watchpoint_s_condition_leaves_the_debug_registers_alone(gdb_main):
    gdb_main("watch total if add(1, 2) == 3")
    assert gdb_main.resume()["reason"] == "watchpoint-trigger"
    assert gdb_main.evaluate("total") != "0"


def test_many_calls_in_a_row_all_work(gdb_main):
    assert [gdb_main.evaluate(f"add({n}, {n})") for n in range(5)] == ["0", "2", "4", "6", "8"]


@pytest.mark.parametrize("call, value", [
    ("mix(1, 2)", "384"),
    ("arch_is_text(kernel_main)", "true"),
    ("arch_is_text(0)", "false"),
    ("arch_cpu_count()", "1"),
])
def test_a_kernel_function_is_called(gdb_kernel, call, value):
    assert gdb_kernel.evaluate(call) == value


def test_a_kernel_function_that_prints_is_called(waiting, attach):
    guest = waiting()
    debugger = attach(guest)
    debugger("call beat(5)")
    guest.wait_for("heartbeat 1: ")


def test_a_call_from_a_breakpoint_in_the_kernel_leaves_it_running(waiting, attach):
    guest = waiting()
    debugger = attach(guest)
    debugger("tbreak take_sample")
    debugger.resume()
    assert debugger.evaluate("mix(0, 1)") == "128"
    debugger.start()
    guest.wait_for("heartbeat 2: ")


def test_a_call_from_a_fault_still_lets_the_fault_be_reported(waiting, attach):
    guest = waiting("run=provoke:null-read")
    debugger = attach(guest)
    assert debugger.resume()["signal-name"] == "SIGSEGV"
    assert debugger.evaluate("mix(0, 1)") == "128"
    debugger.start()
    assert "read of 0x18 " in guest.wait_for("to decode this console's log")


def test_detach_after_a_call_leaves_the_kernel_running(waiting, attach):
    guest = waiting()
    debugger = attach(guest)
    assert debugger.evaluate("mix(0, 1)") == "128"
    debugger("detach")
    guest.wait_for("heartbeat 2: ")


def test_detach_after_a_call_from_a_fault_records_the_fault(waiting, attach):
    guest = waiting("run=provoke:null-read")
    debugger = attach(guest)
    debugger.resume()
    assert debugger.evaluate("mix(0, 1)") == "128"
    debugger("detach")
    assert "read of 0x18 " in guest.wait_for("to decode this console's log")


def test_a_debugger_that_dies_after_a_call_leaves_nothing_to_the_next(waiting, attach):
    """Which takes what the call ended with for a fault, and passes it on."""
    guest = waiting()
    first = attach(guest)
    assert first.evaluate("mix(0, 1)") == "128"
    first.kill()
    attach(guest).start()
    guest.wait_for("heartbeat 2: ")
