"""test_faults.py - a fault stops in GDB first, and goes on to the crash record when GDB lets it."""

from __future__ import annotations

import pytest

from crashlib.record import load
from debugger import Debugger

# Each failure of run=provoke:NAME: the signal that GDB sees, and the function that it is in (as
# GDB shows frame 0; None if the pc is nowhere).
FAULTS = {
    "divide": ("SIGFPE", "provoke_divide"),
    "invalid-opcode": ("SIGILL", "provoke_invalid_opcode"),
    "null-read": ("SIGSEGV", "provoke_null_read"),
    "null-write": ("SIGSEGV", "provoke_null_write"),
    "null-call": ("SIGSEGV", None),
    "wild-read": ("SIGSEGV", "provoke_wild_read"),
    "write-text": ("SIGSEGV", "provoke_write_text"),
    "write-rodata": ("SIGSEGV", "provoke_write_rodata"),
    "exec-data": ("SIGSEGV", "received"),
    "stack-overflow": ("SIGSEGV", "sort_parcels"),
    "smashed-return-address": ("SIGSEGV", None),
    "gp-segment": ("SIGSEGV", "arch_provoke_bad_selector"),
    "gp-msr": ("SIGSEGV", "arch_provoke_bad_register"),
    "double-fault": ("SIGSEGV", "arch_provoke_lost_stack"),
    "panic": ("SIGABRT", "panic"),
    "assert": ("SIGABRT", "panic"),
    "heap-overflow": ("SIGABRT", "panic"),
    "heap-use-after-free": ("SIGABRT", "panic"),
    "heap-read-after-free": ("SIGSEGV", "provoke_heap_read_after_free"),
    "heap-double-free": ("SIGABRT", "panic"),
    "out-of-memory": ("SIGABRT", "panic"),
}
CRASHED = 70


@pytest.mark.parametrize("name", FAULTS)
def test_gdb_stops_first_and_continue_writes_the_record(waiting, attach, name):
    guest = waiting(f"run=provoke:{name}")
    debugger = attach(guest)
    signal, function = FAULTS[name]
    stop = debugger.resume()
    assert (stop["reason"], stop["signal-name"]) == ("signal-received", signal)
    assert stop["func"] == (function or "??")
    assert "kernel crash" not in guest.said
    debugger.start()
    assert guest.wait() == CRASHED
    assert "*** kernel crash" in guest.said and "to decode this console's log" in guest.said


@pytest.mark.parametrize("name", ["divide", "null-read", "null-call", "exec-data", "stack-overflow",
                                  "gp-msr", "panic", "assert"])
def test_the_backtrace_of_a_fault_reaches_the_boot_code(waiting, attach, name):
    debugger = attach(waiting(f"run=provoke:{name}"))
    debugger.resume()
    outermost = debugger("backtrace -5")
    assert "provoke_run" in outermost and "kernel_main" in outermost, outermost
    assert "long_mode" in outermost.splitlines()[-1]


def test_a_fault_is_mended_and_the_program_goes_on(gdb_main: Debugger):
    gdb_main("tbreak poke")
    while gdb_main.resume()["func"] != "poke":
        pass
    gdb_main("set var address = (long *)8")
    assert gdb_main.resume()["signal-name"] == "SIGSEGV"
    gdb_main("set var address = &values[5]")
    gdb_main("set var $rax = address")
    gdb_main("tbreak spin")
    assert gdb_main.resume("signal 0")["func"] == "spin"
    assert gdb_main.number("values[5]") == 1


def test_a_fault_that_is_stepped_into_stops_at_once(waiting, attach):
    debugger = attach(waiting("run=provoke:null-read"))
    debugger("tbreak provoke_null_read")
    debugger.resume()
    stop = debugger.resume("next")
    while stop.get("signal-name") is None:
        stop = debugger.resume("next")
    assert stop["signal-name"] == "SIGSEGV"


def test_detach_at_a_fault_writes_the_record(waiting, attach):
    guest = waiting("run=provoke:null-read")
    debugger = attach(guest)
    debugger.resume()
    debugger("detach")
    assert guest.wait() == CRASHED
    assert "to decode this console's log" in guest.said


def test_without_a_debugger_the_record_is_written_at_once(boot):
    guest = boot("run=provoke:null-read")
    assert guest.wait() == CRASHED
    assert "to decode this console's log" in guest.said


def test_a_debugger_that_died_before_the_fault_leaves_the_next_one_the_fault(waiting, attach):
    guest = waiting("run=provoke:null-read")
    first = attach(guest)
    first("tbreak provoke_null_read")
    first.resume()
    first.kill()
    second = attach(guest)
    assert second.functions()[0] == "provoke_null_read"
    assert second.resume()["signal-name"] == "SIGSEGV"


def test_breakpoints_in_the_way_of_the_record_cost_nothing_of_it(waiting, attach):
    """They are GDB's no longer: nobody can be told."""
    guest = waiting("run=provoke:null-read")
    gdb = attach(guest)
    assert gdb.resume()["signal-name"] == "SIGSEGV"
    for place in ("crash_sinks_write", "crash_gather_threads", "crash_sinks_report"):
        assert "Breakpoint" in gdb(f"break {place}")
    gdb.start()
    assert guest.wait() == CRASHED
    [record] = load(guest.said.encode())
    assert record.complete and record.threads and not record.nested
    assert "no debugger" not in guest.said
