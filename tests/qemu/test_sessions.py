"""test_sessions.py - attach, interrupt, detach, and debuggers that die before the kernel does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from debugger import Debugger, run_gdb
from packets import packet
from programs import ECHO, line_of, make_app

SPINNING = line_of("SPINNING")
HALF_PACKETS = {"a command": b"$mffffffff80100000,4", "one letter": b"$m", "nothing": b"$",
                "a write": b"$X1000,10:abc", "the checksum": packet("g")[:-1],
                "the answer": packet("g"), "the stop": packet("vCont;c")}


@pytest.fixture(scope="session")
def echo_elf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A kernel that runs echo.c."""
    return make_app(tmp_path_factory.mktemp("echo") / "echo.elf", ECHO)


@pytest.fixture
def echo(waiting, echo_elf: Path):
    """A machine that waits with echo.c."""
    return waiting(kernel=echo_elf)


@pytest.fixture
def gdb_echo(echo, attach, echo_elf: Path) -> Debugger:
    """GDB, with echo.c running, and a breakpoint at echo() for the next byte."""
    debugger = attach(echo, echo_elf)
    debugger("break echo")
    debugger.resume()
    debugger.start()
    echo.wait_for("<!>")
    return debugger


@pytest.fixture
def spinning(gdb_main: Debugger, debuggee) -> Callable[..., Debugger]:
    """spinning() is GDB, with debuggee.c running in its endless loop."""

    def start(quiet: bool = False) -> Debugger:
        gdb_main(f"set var quiet = {int(quiet)}")
        gdb_main.start(f"jump {SPINNING}")
        wait_until_it_spins(debuggee)
        return gdb_main

    return start


def wait_until_it_spins(guest) -> None:
    """A GDB that is interrupted before it has resumed the machine forgets about it."""
    guest.wait_for(".", guest.said.count(".") + 2)


# ---- Attach and Ctrl-C ----

def test_gdb_attaches_to_a_running_kernel(beating, attach):
    assert {"heartbeat_run", "kernel_main"} <= set(attach(beating).functions())


def test_ctrl_c_stops_a_running_kernel(beating, attach):
    debugger = attach(beating)
    debugger.start()
    beating.wait_for("heartbeat 2: ")
    assert debugger.interrupt()["signal-name"] == "SIGINT"
    assert "heartbeat_run" in debugger.functions()


@pytest.mark.parametrize("quiet", [False, True], ids=["on", "off"])
def test_ctrl_c_stops_an_endless_loop_with_interrupts(spinning, quiet):
    debugger = spinning(quiet)
    assert debugger.interrupt()["signal-name"] == "SIGINT"
    assert debugger.functions()[-2:] == ["spin", "main"]
    assert ("IF" in debugger.evaluate("$eflags").split()) != quiet


def test_ctrl_c_works_again_and_again(spinning, debuggee):
    debugger = spinning()
    for _ in range(10):
        assert debugger.interrupt()["signal-name"] == "SIGINT"
        debugger.start()
        wait_until_it_spins(debuggee)


def test_ctrl_c_ends_a_step_over_an_endless_function(gdb_main, debuggee):
    gdb_main(f"tbreak {SPINNING}")
    gdb_main.resume(f"jump {SPINNING}")
    gdb_main.start("next")
    wait_until_it_spins(debuggee)
    assert gdb_main.interrupt()["signal-name"] == "SIGINT"
    assert gdb_main.functions()[-2:] == ["spin", "main"]


def test_ctrl_c_that_comes_between_two_steps_stops_the_next_resume(line):
    """As when GDB watches in software: its user hits Ctrl-C while the machine stands still."""
    line.request("qSupported:swbreak+")
    assert line.request("vCont;s").startswith("T05")
    line.send(b"\x03")
    assert line.request("vCont;c").startswith("T02")


def test_what_is_written_while_stopped_counts_when_the_program_runs_on(spinning):
    debugger = spinning()
    debugger.interrupt()
    debugger("set var status = 3")
    debugger("set var stop_spinning = 1")
    stop = debugger.resume()
    assert (stop["reason"], stop["exit-code"]) == ("exited", "03")


# ---- Detach ----

def test_detach_leaves_the_kernel_running_and_attach_works_again(beating, attach):
    first = attach(beating)
    first("detach")
    beating.wait_for("heartbeat 2: ")
    second = attach(beating)
    assert "heartbeat_run" in second.functions()
    second("detach")
    beating.wait_for("heartbeat 3: ")


def test_detach_takes_the_breakpoints_away(gdb_echo, echo):
    echo.type("1")
    assert gdb_echo.stop()["func"] == "echo"
    gdb_echo("detach")
    echo.wait_for("<1>")
    echo.type("2")
    echo.wait_for("<2>")


def test_quitting_gdb_leaves_the_kernel_running(beating, kernel_elf):
    said = run_gdb(kernel_elf, beating.gdb, "break take_sample", "backtrace")
    assert "heartbeat_run" in said
    beating.wait_for("heartbeat 2: ")


def test_ten_debuggers_one_after_the_other_find_a_sound_kernel(debuggee, debuggee_elf):
    said = [run_gdb(debuggee_elf, debuggee.gdb, "print add(1, 2)") for _ in range(10)]
    assert ["= 3" in text for text in said] == [True] * 10, said[-1]


# ---- Debuggers that die ----

def test_a_debugger_killed_while_stopped_is_followed_by_another(beating, attach):
    attach(beating).kill()
    second = attach(beating)
    assert "heartbeat_run" in second.functions()
    second.start()
    beating.wait_for("heartbeat 2: ")


def test_a_debugger_killed_while_the_kernel_runs_is_followed_by_another(spinning, debuggee, attach,
                                                                        debuggee_elf):
    spinning().kill()
    second = attach(debuggee, debuggee_elf)
    assert second.functions()[-2:] == ["spin", "main"]
    second("tbreak *$pc")
    assert second.functions()[-2:] == ["spin", "main"]


@pytest.mark.parametrize("listening", [False, True], ids=["nobody", "a stranger"])
def test_a_breakpoint_hit_after_its_debugger_was_killed_does_no_harm(
        gdb_echo, echo, connect, attach, listening, echo_elf):
    """On the line is then nobody, or somebody who hears of the stop and goes away."""
    gdb_echo.kill()
    if listening:
        line = connect(echo)
        echo.type("1")
        assert line.reply().startswith("T05swbreak")
        line.close()
    else:
        echo.type("1")
    attach(echo, echo_elf).start()
    echo.wait_for("<1>")
    echo.type("2")
    echo.wait_for("<2>")


def test_a_breakpoint_of_a_killed_debugger_is_not_there_for_the_next_one(gdb_echo, echo, attach,
                                                                         echo_elf):
    gdb_echo.kill()
    attach(echo, echo_elf).start()
    echo.type("12")
    echo.wait_for("<1><2>")


@pytest.mark.parametrize("half", HALF_PACKETS.values(), ids=HALF_PACKETS)
def test_a_debugger_killed_before_the_end_of(debuggee, connect, attach, half, debuggee_elf):
    line = connect(debuggee)
    line.request("qSupported:swbreak+;multiprocess+")
    line.request("QStartNoAckMode")
    line.send(half)
    line.close()
    assert attach(debuggee, debuggee_elf).evaluate("add(3, 4)") == "7"


def test_a_debugger_that_asks_and_never_listens_holds_nothing_up(debuggee, connect, attach,
                                                                 debuggee_elf):
    line = connect(debuggee)
    line.request("QStartNoAckMode")
    while line.send_if_there_is_room(packet("g") * 100):
        pass
    line.close()
    assert attach(debuggee, debuggee_elf).evaluate("add(3, 4)") == "7"


def test_kill_ends_the_machine_at_once(beating, attach):
    attach(beating)("kill")
    assert beating.wait() == 0
