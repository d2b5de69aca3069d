"""test_shared_line.py - gdb=com1: console and debugger on one line, and no text lost or doubled.

On the line is scripts/share_line.py, as people have it: it prints the console's text, and GDB
connects to it.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import DECODE_HINT
from debugger import Debugger, run_gdb
from programs import BEATING, ROOT, line_of, make_kernel

CPUS = 4
LINES = 15  # that each of them prints to GDB, at the least
SAID = re.compile(r"CPU (\d) says (\d+): the \+ and - and } of a line\r?\n")


def beats(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"heartbeat (\d+): ", text)]


def counted(numbers: list[int]) -> int:
    """How far from 1 on; nothing is lost or doubled."""
    assert numbers == list(range(1, len(numbers) + 1))
    return len(numbers)


def cause_in(log: Path) -> str:
    """What a crash record in the file says, if nothing of it is lost."""
    done = subprocess.run([ROOT / "scripts/crash.py", "report", "--json", log], text=True,
                          stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)["cause"]


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """All that the machine sends, as it goes over the line."""
    return tmp_path / "raw"


@pytest.fixture
def share(boot, raw: Path) -> Callable:
    """share("run=...") is a machine with one line for console and GDB."""
    return lambda append="", *arguments, kernel=None: boot(f"gdb=com1 {append}", *arguments,
                                                           kernel=kernel, shared=raw)


@pytest.fixture
def beating(share):
    guest = share("run=heartbeat")
    guest.wait_for(BEATING)
    return guest


@pytest.fixture(scope="module")
def chatter_elf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A kernel that runs chatter.c."""
    return make_kernel(tmp_path_factory.mktemp("chatter") / "chatter.elf",
                       Path(__file__).with_name("chatter.c"))


# ---- Nobody attached ----

def test_the_boot_log_says_who_is_on_the_line(beating, raw):
    assert "gdb: on com1, with the console\r\n" in beating.said
    said = beating.said.replace("\r\n", "\n").rstrip("\r")
    assert raw.read_text()[:len(said)] == said


def test_with_gdb_off_nothing_typed_has_any_effect(boot):
    guest = boot("gdb=off run=heartbeat")
    guest.wait_for(BEATING)
    guest.type("\x03+$?#3f$qSupported#37$g#67\r\r\r")
    said = guest.wait_for("heartbeat 3: ")
    assert counted(beats(said)) >= 3
    assert "$" not in said


# ---- Attached ----

def test_text_goes_to_gdb_while_the_machine_runs_and_to_people_afterwards(beating, attach, raw):
    debugger = attach(beating)
    debugger.start()
    beating.wait_for(f"heartbeat {beats(beating.said)[-1] + 2}: ")
    debugger.interrupt()
    assert "heartbeat_run" in debugger.functions()
    debugger("detach")
    last = beats(beating.said)[-1]
    said = beating.wait_for(f"heartbeat {last + 1}: ")
    told = beats(debugger.said)
    assert told == list(range(told[0], last + 1)) and len(told) >= 2
    assert counted(beats(said)) >= last + 1
    on_the_line = beats(raw.read_text())
    assert on_the_line == [n for n in range(1, on_the_line[-1] + 1) if n not in told]


def test_all_cpus_print_and_no_line_is_lost_or_torn(share, attach, chatter_elf):
    """GDB comes in the middle of it; each line holds what GDB takes for an acknowledgement."""
    guest = share("", "--smp", str(CPUS), kernel=chatter_elf)
    guest.wait_for("CPU 0 says 3:")
    debugger = attach(guest, chatter_elf)
    debugger("break all_said")
    debugger("set scheduler-locking step")
    for cpu in range(CPUS):
        debugger(f"set var left[{cpu}] = {LINES}")
    for _ in range(2):
        debugger("tbreak say")
        debugger.resume()
        debugger.resume("stepi 20")
        debugger.resume("finish")
    assert debugger.resume()["func"] == "all_said"
    counts = [debugger.number(f"said[{cpu}]") for cpu in range(CPUS)]
    for cpu, count in enumerate(counts):
        guest.wait_for(f"CPU {cpu} says {count - 1}: the + and - and }} of a line")
    lines = SAID.findall(guest.said)
    for cpu, count in enumerate(counts):
        assert [int(line) for who, line in lines if int(who) == cpu] == list(range(count))
    told = SAID.findall(debugger.said)
    assert told == lines[-len(told):]
    log = SAID.findall(debugger("monitor log 40"))
    assert len(log) == 40 and set(log) <= set(told)


def test_single_steps_through_the_printing_of_a_line_leave_it_whole(share, attach, chatter_elf):
    """From where it is this CPU's turn to write, until it no longer is."""
    guest = share("gdbwait", kernel=chatter_elf)
    guest.wait_for("waiting for debugger")
    debugger = attach(guest, chatter_elf)
    debugger("tbreak say")
    debugger.resume()
    debugger("watch console.writer")
    assert debugger.resume()["reason"] == "watchpoint-trigger"
    debugger("delete")
    steps = 0
    while debugger.evaluate("console.writer") != "0" and steps < 1000:
        debugger.resume("stepi 40")
        steps += 40
    assert steps < 1000, "writing the line is one step of them"
    guest.wait_for("} of a line")
    assert SAID.findall(debugger.said) == SAID.findall(guest.said) == [("0", "0")]


def test_ctrl_c_and_the_end_of_a_program_with_interrupts_off(share, attach, debuggee_elf):
    guest = share("gdbwait", kernel=debuggee_elf)
    guest.wait_for("waiting for debugger")
    debugger = attach(guest, debuggee_elf)
    debugger("tbreak main")
    debugger.resume()
    debugger("set var quiet = 1")
    debugger.start(f"jump {line_of('SPINNING')}")
    guest.wait_for(".", guest.said.count(".") + 2)
    assert debugger.interrupt()["signal-name"] == "SIGINT"
    assert "IF" not in debugger.evaluate("$eflags").split()
    debugger("set var status = 3")
    debugger("set var stop_spinning = 1")
    stop = debugger.resume()
    assert (stop["reason"], stop["exit-code"]) == ("exited", "03")
    assert "application exited with status 3\n" in debugger.said


def test_what_dprintf_prints_comes_once(beating, attach):
    debugger = attach(beating)
    debugger("set dprintf-style agent")
    debugger('dprintf take_sample,"sample of a beat\\n"')
    debugger("tbreak summarize")
    debugger.resume()
    assert debugger.said.count("sample of a beat") == 1
    assert "sample of a beat" in debugger("monitor log 5")


# ---- GDB goes without a word ----

@pytest.mark.parametrize("stopped", [True, False], ids=["stopped", "running"])
def test_text_is_plain_again_when_gdb_was_killed(beating, attach, raw, stopped):
    debugger = attach(beating)
    if not stopped:
        debugger.start()
        beating.wait_for(f"heartbeat {beats(beating.said)[-1] + 1}: ")
    debugger.kill()
    last = beats(beating.said)[-1]
    said = beating.wait_for(f"heartbeat {last + 2}: ")
    assert counted(beats(said)) >= last + 2
    assert beats(raw.read_text())[-1] >= last + 2
    assert "heartbeat_run" in attach(beating).functions()


# ---- Crashes ----

def test_a_crash_is_decoded_from_what_gdb_showed_and_from_the_line(share, kernel_elf, raw,
                                                                   tmp_path):
    guest = share("gdbwait run=provoke:null-read")
    guest.wait_for("waiting for debugger")
    log = tmp_path / "gdb.log"
    said = run_gdb(kernel_elf, guest.gdb, f"set logging file {log}", "set logging enabled on",
                   "continue", "backtrace 1", "continue")
    assert "next_parcel" in said
    assert guest.wait() == 70
    assert cause_in(log) == cause_in(raw)
    assert "null" in cause_in(raw)


def test_a_record_that_gdb_asks_for_is_decoded_from_what_it_showed(beating, kernel_elf, tmp_path):
    log = tmp_path / "gdb.log"
    log.write_text(run_gdb(kernel_elf, beating.gdb, "monitor crash"))
    assert "the debugger asked" in cause_in(log)
    beating.wait_for(f"heartbeat {beats(beating.said)[-1] + 1}: ")


def test_gdb_attaches_after_a_panic(share, attach, raw):
    guest = share("oncrash=gdb run=provoke:null-read")
    guest.wait_for(DECODE_HINT)
    assert "null" in cause_in(raw)
    debugger = attach(guest)
    assert debugger.functions()[0] == "next_parcel"
    debugger.start()
    assert guest.wait() == 70
