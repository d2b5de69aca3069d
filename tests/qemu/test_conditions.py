"""test_conditions.py - conditions and commands of breakpoints, evaluated in the kernel."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from debugger import Debugger
from programs import ROOT, make_app
from tap import Tap

SOURCE = Path(__file__).with_name("conditions.c")
CALLS = 1001
HOT = f"{SOURCE.name}:{SOURCE.read_text().partition('/* HOT')[0].count(chr(10)) + 1}"
TOTAL = f"total {sum(range(CALLS))}"


@pytest.fixture(scope="session")
def elf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_app(tmp_path_factory.mktemp("conditions") / "conditions.elf", SOURCE)


@pytest.fixture(scope="session")
def optimised_elf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_app(tmp_path_factory.mktemp("conditions") / "optimised.elf", SOURCE, cflags="-O2")


@pytest.fixture
def guest(waiting, elf: Path):
    return waiting(kernel=elf)


@pytest.fixture
def gdb(guest, attach, elf: Path) -> Debugger:
    debugger = attach(guest, elf)
    debugger("set breakpoint always-inserted on")
    return debugger


@pytest.fixture
def tap(guest, tmp_path: Path) -> Iterator[Tap]:
    line = Tap(tmp_path / "tap", guest.gdb)
    yield line
    line.close()


@pytest.fixture
def tapped(tap: Tap, elf: Path) -> Iterator[Debugger]:
    """GDB behind the tap."""
    debugger = Debugger(elf)
    debugger(f"target remote {tap.path}")
    debugger("set breakpoint always-inserted on")
    yield debugger
    debugger.end()


# ---- What stops, and what it costs ----

def test_a_condition_stops_where_it_is_true(gdb):
    gdb("break hot if i == 300")
    assert gdb.resume()["func"] == "hot"
    assert gdb.evaluate("i") == "300"
    assert "target evals" in gdb("info breakpoints")


def test_a_thousand_false_conditions_cost_no_byte(tap, tapped):
    tapped("break hot if i == 5000")
    tapped("break done")
    assert tapped.resume()["func"] == "done"
    assert tapped.number("total") == sum(range(CALLS))
    assert re.fullmatch(rb"\$T05swbreak:[^$#]*#..", tap.after(b"$vCont;c")), tap.passed[-9:]


@pytest.mark.parametrize("condition, value", [
    ("i == 300 || i == 1000", 300),
    ("i > 10 && item->level == 250", 12),
    ("twice == 84", 42),
    ("item->delta < -5", 0),
    ("item->delta == 9", 1),
    ("item->port > 64999 && i", 2),
    ("item->tag == 98 && i > 4", 6),
    ("item->count < 0", 1),
    ("item->next && item->next->level > 200u", 1),
    ("item->next == &second", 1),
    ("item->big == 0xfedcba9876543210", 0),
    ("item->big > 0x8000000000000000", 0),
    ("item->name[0] == 102", 1),
    ("*item->name == 115 && i / 100 == 7", 700),
    ("i % 97 == 96", 96),
    ("(i & 0x1ff) == 0x1ff", 511),
    ("(i << 3 ^ 8) == 0", 1),
    ("-i == -13", 13),
    ("~i == -15", 14),
    ("!(i < 20)", 20),
    ("(unsigned char)i == 4 && i > 4", 260),
    ("(signed char)i == -1", 255),
    ("$rdi == 17 && $rsi != 0", 17),
    ("$rsp > 0 && total == 10", 5),
    ("i == 4 ? 1 : 0", 4),
    ("item == &first && i >= 8", 9),
])
def test_a_condition_on(gdb, condition, value):
    """GDB makes no agent expression of a character's literal, nor of $sp and $pc."""
    gdb(f"break {HOT} if {condition}")
    assert gdb.resume()["func"] == "hot"
    assert gdb.evaluate("i") == str(value)
    assert "target evals" in gdb("info breakpoints")


def test_a_condition_sees_the_pc_at_the_breakpoint(gdb):
    gdb(f"tbreak {HOT}")
    gdb.resume()
    gdb(f"break {HOT} if $rip == {gdb.number('$pc')} && i == 7")
    gdb.resume()
    assert gdb.evaluate("i") == "7"
    assert "target evals" in gdb("info breakpoints")


def test_of_several_conditions_at_one_place_any_stops(gdb):
    gdb("break hot if i == 7")
    gdb("break hot if i == 4")
    gdb("break hot if i == 5000")
    seen = [(gdb.resume(), gdb.evaluate("i"))[1] for _ in range(2)]
    assert seen == ["4", "7"]


def test_a_condition_that_changes_holds_at_once(gdb):
    gdb("break hot if i == 7")
    gdb.resume()
    gdb("condition 1 i == 9")
    gdb.resume()
    assert gdb.evaluate("i") == "9"
    gdb("condition 1")
    gdb.resume()
    assert gdb.evaluate("i") == "10"


def test_a_hardware_breakpoint_has_a_condition(gdb):
    gdb("hbreak hot if i == 300")
    assert gdb.resume()["func"] == "hot"
    assert gdb.evaluate("i") == "300"


def test_the_program_runs_as_without_conditions(guest, gdb, elf):
    """A breakpoint at each instruction of the function, none of which is to stop."""
    code = gdb("disassemble hot")
    for address in re.findall(r"^\s+(0x\w+)", code, re.MULTILINE):
        gdb(f"break *{address} if i == 5000")
    assert gdb.resume()["exit-code"] == "05"
    guest.wait_for(TOTAL)


def test_the_program_runs_as_without_conditions_when_optimised(waiting, attach, optimised_elf):
    guest = waiting(kernel=optimised_elf)
    debugger = attach(guest, optimised_elf)
    for function in "hot", "main":
        for address in re.findall(r"^\s+(0x\w+)", debugger(f"disassemble {function}"),
                                  re.MULTILINE):
            debugger(f"break *{address} if $rip == 1")
    assert debugger.resume()["exit-code"] == "05"
    guest.wait_for(TOTAL)


def test_a_step_passes_over_a_false_condition(gdb):
    gdb("tbreak hot")
    gdb.resume()
    lines = re.findall(r"^(?:=>)?\s+(0x\w+)", gdb("disassemble hot"), re.MULTILINE)
    for address in lines:
        gdb(f"break *{address} if i == 5000")
    at = lines.index(hex(gdb.number("$pc")))
    seen = [(gdb.resume("stepi"), hex(gdb.number("$pc")))[1] for _ in range(3)]
    assert seen == lines[at + 1:at + 4]


def test_next_passes_over_false_conditions(gdb):
    gdb("break main")
    gdb.resume()
    gdb("break hot if i == 5000")
    stop = [gdb.resume("next") for _ in range(12)][-1]
    assert stop["func"] == "main"


def test_a_watchpoint_is_seen_in_a_step_over_a_breakpoint(gdb):
    """The instruction under the breakpoint writes what is watched."""
    writes = next(line for line in gdb("disassemble hot").splitlines()
                  if re.search(r"mov +%\w+,.*<total>", line))
    gdb(f"break *{re.search(r'0x[0-9a-f]+', writes).group()} if i == 5000")
    gdb("watch total")
    stop = gdb.resume()
    assert stop["reason"] == "watchpoint-trigger"
    assert (stop["old"], stop["new"]) == ("0", "1"), stop


def test_ctrl_c_stops_between_false_conditions(gdb):
    gdb("set var rounds = 4000000000")
    gdb("break hot if i == 5000")
    gdb.start()
    gdb.interrupt()
    assert gdb.number("rounds") == 4000000000
    gdb("delete")
    gdb("tbreak hot")
    assert gdb.resume()["func"] == "hot"


# ---- Errors ----

def test_a_condition_that_cannot_be_read_stops_and_says_so(gdb):
    gdb("break hot if item->next->count == 99")
    stop = gdb.resume()
    assert stop["func"] == "hot" and gdb.evaluate("item->next") == "(struct item *) 0x0"
    assert "there is no memory to read at 0x8" in gdb.said
    assert "Cannot access memory at address 0x8" in gdb.said


def test_a_division_by_zero_stops_and_says_so(gdb):
    gdb("break hot if 100 / (i - 3) == 1000")
    gdb.resume()
    assert gdb.evaluate("i") == "3"
    assert "division by zero" in gdb.said and "Division by zero" in gdb.said


def test_a_command_that_fails_stops_and_says_so(gdb):
    gdb("set dprintf-style agent")
    gdb(r'dprintf hot,"count %d\n", item->next->count')
    stop = gdb.resume()
    assert stop["signal-name"] == "SIGINT" and stop["func"] == "hot"
    assert "Command of the breakpoint at 0x" in gdb.said
    gdb("delete")
    assert gdb.resume()["exit-code"] == "05"


@pytest.mark.parametrize("expression, why", [
    ("X1,ff", "unknown"),
    ("X2,0127", "floating point"),
    ("X4,2c000127", "tracepoints"),
    ("X4,26ffff27", "register"),
    ("X3,220128", "end"),
    ("X1,27", "value"),
    ("cmds:0,Xd,22002200340000052566" + "20412700", ""),
])
def test_an_expression_that_makes_no_sense_is_refused(line, symbols, expression, why):
    reply = line.request(f"Z0,{symbols['heartbeat_run']:x},1;{expression}")
    assert reply[0] == "E" and why in reply
    assert line.request(f"m{symbols['heartbeat_run']:x},1") != "cc"


# ---- Commands ----

def test_dprintf_prints_to_gdb_and_to_the_log(guest, gdb):
    gdb("set dprintf-style agent")
    gdb(r'dprintf hot,"at %d: %s, %5u|%-4d|%#x %c %ld %lld %% %hu\n", i, item->name, '
        r'i, i, item->port, item->tag, (long)item->delta, item->big, item->level')
    gdb("condition 1 i < 2")
    gdb("break done")
    assert gdb.resume()["func"] == "done"
    lines = ["at 0: second,     0|0   |0xfde8 b -7 -81985529216486896 % 250",
             "at 1: first,     1|1   |0x50 a 9 1 % 3"]
    for line in lines:
        assert gdb.said.count(line) == 1, gdb.said
        guest.wait_for(line)
    assert "at 2" not in gdb.said


def test_dprintf_goes_on_when_gdb_has_detached(guest, gdb):
    gdb("set dprintf-style agent")
    gdb("set disconnected-dprintf on")
    gdb(r'dprintf hot,"detached %d\n", i')
    gdb("detach")
    for n in 0, 1, 500, CALLS - 1:
        guest.wait_for(f"detached {n}\r\n")
    guest.wait_for(TOTAL)


def test_dprintf_ends_with_gdb_if_that_is_wanted(guest, gdb):
    gdb("set dprintf-style agent")
    gdb("set disconnected-dprintf off")
    gdb(r'dprintf hot,"detached %d\n", i')
    gdb("detach")
    assert "detached" not in guest.wait_for(TOTAL)


def test_gdb_attaches_again_to_a_kernel_that_prints(guest, gdb, attach, elf):
    gdb("set dprintf-style agent")
    gdb("set var rounds = 4000000000")
    gdb(r'dprintf hot,"again\n"')
    gdb("condition 1 i == 1000")
    gdb("detach")
    gdb.end()
    guest.wait_for("again")
    other = attach(guest, elf)
    other("tbreak hot")
    assert other.resume()["func"] == "hot"
    assert other("x/16xb hot").count("0xcc") == 0


def test_gdbinit_has_the_kernel_print(gdb):
    gdb(f"source {ROOT}/.gdbinit")
    assert '"agent"' in gdb("show dprintf-style")


def test_a_breakpoint_where_the_log_is_written_is_refused(line, symbols):
    for name in "log_text", "console_write", "format_text_list":
        assert line.request(f"Z0,{symbols[name]:x},1").startswith("E."), name
    assert line.request(f"Z0,{symbols['log_print']:x},1") == "OK"
