"""test_port.py - both libraries in a kernel that has nothing else of this one: tests/port/."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from debugger import GdbError
from guest import ROOT
from programs import symbols_of

CRASHED = 70  # what kernel.c leaves QEMU with
READY = "ready: "
PORT_LINES = 150


@pytest.fixture
def elf(request):
    """With all of the stub, unless a test asks for others."""
    return request.getfixturevalue(getattr(request, "param", "port_elf"))


BOTH = pytest.mark.parametrize("elf", ["port_elf", "smallest_elf"], indirect=True)


@pytest.fixture
def running(boot, elf):
    """The second kernel, counting keys."""
    guest = boot(kernel=elf)
    guest.wait_for(READY)
    return guest


@pytest.fixture
def gdb(running, attach, elf):
    """GDB at the second kernel, which it has stopped."""
    return attach(running, elf)


def crash(*arguments: str | Path) -> str:
    done = subprocess.run([ROOT / "scripts/crash.py", *arguments], text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    assert done.returncode in (0, 2), done.stdout
    return done.stdout


def report_of(log: str, elf: Path, folder: Path) -> dict:
    file = folder / "console.log"
    file.write_text(log)
    return json.loads(crash("--json", "--elf", elf, file))


def test_the_ports_are_short():
    lines = (ROOT / "tests/port/port.c").read_text().splitlines()
    assert len(lines) <= PORT_LINES


# ---- gdbstub ----

@BOTH
def test_a_breakpoint_stops_and_steps_go_on(gdb, running):
    gdb("break count_key")
    gdb.start()
    running.type("b")
    assert gdb.stop()["func"] == "count_key"
    assert gdb.functions()[:3] == ["count_key", "take_turn", "kernel_main"]
    before = gdb.number("$pc")
    gdb.resume("stepi")
    assert 0 < gdb.number("$pc") - before < 16
    gdb("tbreak find_counter")
    gdb.resume()
    assert gdb.evaluate("counters[1].presses") == "0"
    gdb.resume("finish")
    gdb.resume("next")
    assert gdb.evaluate("counters[1].presses") == "1"


@BOTH
def test_registers_and_memory_are_read_and_written(gdb):
    gdb("set var $r12 = 0x1122334455667788")
    gdb("set var counters[2].presses = 77")
    gdb("maintenance flush register-cache")
    assert gdb.number("$r12") == 0x1122334455667788
    assert gdb.evaluate("counters[2].presses") == "77"
    assert gdb.number("$cs") == 8
    assert gdb.evaluate("$fctrl") == "<unavailable>"


@BOTH
def test_what_is_not_mapped_is_an_error(gdb):
    for address in "0x18", "0x1ffffc", "0x4000000", "0xffffffffffffffff":
        with pytest.raises(GdbError, match="Cannot access memory"):
            gdb(f"x/4xb {address}")
    gdb("x/4xb 0x200000")


def test_a_bad_address_is_an_e_reply(running, connect):
    line = connect(running)
    assert line.request("qSupported").startswith("PacketSize=")
    assert line.request("m18,4") == "E14"
    assert line.request("M18,1:00") == "E14"
    assert len(line.request("m3fffffe,4")) == 4  # two bytes, and the end


def test_a_watchpoint_stops_behind_the_write(gdb, running):
    gdb("watch counters[0].presses")
    gdb.start()
    running.type("a")
    stop = gdb.stop()
    assert stop["reason"] == "watchpoint-trigger" and stop["func"] == "count_key"
    assert gdb.evaluate("counters[0].presses") == "1"
    gdb("delete")
    gdb.start()
    running.wait_for("a")


def test_steps_over_a_watched_write_see_it_once(gdb, running):
    gdb("break count_key")
    gdb.start()
    running.type("c")
    gdb.stop()
    gdb("watch counters[2].presses")
    reasons: list[str] = []
    while gdb.evaluate("counters[2].presses") == "0" and len(reasons) < 64:
        reasons.append(gdb.resume("stepi")["reason"])
    assert reasons[-1] == "watchpoint-trigger"
    assert reasons.count("watchpoint-trigger") == 1


def test_an_execute_point_stops_each_time(gdb, running):
    gdb("hbreak count_key")
    for key in "ab":
        gdb.start()
        running.type(key)
        assert gdb.stop()["func"] == "count_key"


def test_a_false_condition_does_not_stop(gdb, running):
    gdb("break count_key if key == 98")
    gdb.start()
    running.type("aab")
    gdb.stop()
    assert gdb.number("key") == ord("b")
    assert gdb.evaluate("counters[0].presses") == "2"


@BOTH
def test_ctrl_c_stops_it_and_functions_can_be_called(gdb):
    gdb.start()
    assert gdb.interrupt()["signal-name"] == "SIGINT"
    assert gdb.evaluate("find_counter(98) == &counters[1]") == "1"
    assert gdb.evaluate("find_counter(33)") == "(struct counter *) 0x0"


def test_no_breakpoint_stands_in_the_debugger(running, connect, port_elf):
    line, symbols = connect(running), symbols_of(port_elf)
    line.request("qSupported:error-message+")
    for name in "trap", "memcpy", "gdbstub_receive", "entries":
        assert line.request(f"Z0,{symbols[name]:x},1") == "E.in the debugger itself"


@BOTH
def test_it_goes_on_when_gdb_has_left(gdb, running):
    gdb("break count_key")
    gdb("detach")
    running.type("abc")
    running.wait_for("abc")


# ---- crashdump ----

def test_its_record_is_decoded_with_its_symbols(running, port_elf, tmp_path):
    running.type("abx")
    assert running.wait() == CRASHED
    report = report_of(running.said, port_elf, tmp_path)
    assert report["rule"] == "null-pointer"
    assert [frame["function"] for frame in report["frames"]][:3] == \
        ["count_key", "take_turn", "kernel_main"]


def test_gdb_opens_its_core(running, port_elf, tmp_path):
    running.type("x")
    assert running.wait() == CRASHED
    log, core = tmp_path / "log", tmp_path / "core"
    log.write_text(running.said)
    crash("core", "-o", core, "--elf", port_elf, log)
    said = subprocess.run(["gdb", "-nx", "-q", "-batch", "-ex", "bt", "-ex", "print key", port_elf,
                           core], text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT).stdout
    assert "in take_turn ()" in said and "in kernel_main ()" in said
    assert "= 120 'x'" in said


def test_a_fault_is_gdb_s_first_and_then_the_record_s(gdb, running, port_elf, tmp_path):
    gdb.start()
    running.type("x")
    assert gdb.stop()["signal-name"] == "SIGSEGV"
    assert gdb.evaluate("counter") == "(struct counter *) 0x0"
    gdb.start()
    assert running.wait() == CRASHED
    assert report_of(running.said, port_elf, tmp_path)["rule"] == "null-pointer"
