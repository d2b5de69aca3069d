"""test_records.py - each way to crash leaves a record that is complete, and says what and where."""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from crashes import CRASHES, STATUS
from debugger import DEADLINE, GDB
from guest import ROOT
from monitor import Monitor
from programs import run

SECTIONS = ["CAUS", "REGS", "CODE", "PTWK", "BTRC", "STAK", "CPUS", "LOCK", "THRD", "TSTK", "FLIT",
            "LOGR", "MAPS", "MEMR", "ANNO", "TEXT", "ENDS"]
CRASH = str(ROOT / "scripts/crash.py")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Capstone's distutils
COMPLETE, UNUSABLE, PARTIAL = 0, 1, 2
SIGNAL_HANDLERS = ("call_on_stack", "trap_common")  # as GDB calls them, without a name
FRAME = re.compile(r"^#\d+ +(?:0x\w+ in )?([\w.?]+) \(", re.MULTILINE)


@pytest.fixture(scope="session")
def crash_report(decoded) -> Callable[[str], dict]:
    """crash_report(name) is the decoder's report of it, as JSON."""
    return lambda name: json.loads(json.dumps(decoded(name).as_json()))


def decode(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([CRASH, *map(str, arguments)], text=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)


# ---- Each crash ----

@pytest.mark.parametrize("name", CRASHES)
def test_every_section_of_the_record_is_there_and_whole(crash_log, name):
    from crashlib.record import load
    from crashlib.sections import Status

    [record] = load(crash_log(name))
    tags = [section.tag for section in record.sections]
    odd = {"MEMR"} if CRASHES[name].early else set()  # nothing has been registered yet
    assert list(dict.fromkeys(tag for tag in tags if tag != "NEST")) == \
        [tag for tag in SECTIONS if tag not in odd]
    assert {section.tag: section.status for section in record.sections
            if section.status is not Status.GOOD} == {}
    assert record.complete and record.problems == []


@pytest.mark.parametrize("name", CRASHES)
def test_the_report_names_exception_function_file_and_line(crash_report, name):
    report, crash = crash_report(name), CRASHES[name]
    place = report["place"]
    assert (report["event"]["exception"], place["function"], place["file"]) == \
        (crash.exception, crash.function, crash.file)
    assert place["line"] in crash.lines


@pytest.mark.parametrize("name", CRASHES)
def test_the_report_explains(crash_report, name):
    report, crash = crash_report(name), CRASHES[name]
    assert report["rule"] == crash.rule
    assert crash.words in report["cause"]


@pytest.mark.parametrize("name", CRASHES)
def test_the_backtrace_of_the_report_reaches_the_end_of_the_stack(crash_report, name):
    names = [frame["function"] for frame in crash_report(name)["frames"]]
    if CRASHES[name].of_user:
        last = crash_report(name)["frames"][-1]
        assert names[-3:] == ["arch_trap", "trap_common", ""] and int(last["pc"], 0) < 1 << 47
        return
    assert names[-1] == "long_mode" and "kernel_main" in names
    assert ("provoke_early" if CRASHES[name].early else "provoke_run") in names


@pytest.mark.parametrize("name", CRASHES)
def test_gdb_on_the_core_shows_the_crashed_frame(crash_report, crash_log, name, tmp_path,
                                                 kernel_elf):
    """With nothing but the core and the kernel, as any other GDB would be started."""
    core, report = tmp_path / "core", crash_report(name)
    assert decode("core", "-o", core, crash_log(name)).returncode == COMPLETE
    said = run([*GDB, "-batch", "-ex", f"core-file {core}", "-ex", f"symbol-file {kernel_elf}",
                "-ex", 'printf "pc 0x%lx, sp 0x%lx\\n", $pc, $sp', "-ex", "backtrace 1"])
    crashed = report["frames"][0]
    where, _, frame = said.partition("pc ")[2].partition("\n")
    assert where == f"{report['event']['pc']}, sp {crashed['stack']}"
    assert not crashed["function"] or FRAME.findall(frame) == [crashed["function"]]


@pytest.mark.parametrize("name", CRASHES)
def test_crash_py_gdb_shows_the_frames_of_the_report(crash_report, crash_log, name):
    said = run([CRASH, "gdb", str(crash_log(name)), "--", "-batch", "-ex", "echo FRAMES\\n",
                "-ex", "backtrace"])
    found = FRAME.findall(said.partition("FRAMES\n")[2])
    told = [frame["function"] or "??" for frame in crash_report(name)["frames"]
            if frame["trust"] in ("context", "cfi")  # others are not GDB's to find
            and frame["function"] not in SIGNAL_HANDLERS]
    assert found[1:] == told[1:]
    assert told[0] in ("??", found[0])


# ---- The report for people ----

def test_the_verdict_comes_first(crash_log):
    said = run([CRASH, "report", str(crash_log("null-read"))])
    assert said.startswith(f"null pointer: read at offset 0x18, in next_parcel at "
                           f"kernel/provoke.c:{CRASHES['null-read'].lines[0]}")


@pytest.mark.parametrize("words", [
    "`parcel` is null, a const struct parcel *; offset 0x18 is its field `next`",
    "P=0 the page is not present; W=0 read; U=0 by kernel code",
    "not mapped: PML4[0]",
    "next_parcel(parcel=0x0)  inlined",
    "return parcel->next;",
    "provoke: null-read: read a member",
])
def test_the_report_of_a_null_pointer_has(crash_log, words):
    said = " ".join(run([CRASH, "report", str(crash_log("null-read"))]).split())
    assert " ".join(words.split()) in said


def test_what_failed_inside_the_writer_is_told(crash_report):
    text = json.dumps(crash_report("recursion-in-panic"))
    assert "LOGR" in text and "provoked inside the crash writer" in text


def test_the_console_says_how_to_decode_the_record(crash_log):
    assert "scripts/crash.py report LOG" in crash_log("divide").read_text()


def test_crash_py_gdb_opens_on_the_crashed_frame(crash_log):
    said = run([CRASH, "gdb", str(crash_log("null-read")), "--", "-batch", "-ex", "backtrace 2"])
    assert re.search(r"#0 .*next_parcel.*\n.*#1 .*provoke_null_read", said), said


def test_extract_gives_the_raw_record_which_says_the_same(crash_log, crash_report, tmp_path):
    raw = tmp_path / "record"
    assert decode("extract", "-o", raw, crash_log("divide")).returncode == COMPLETE
    report = json.loads(run([CRASH, "report", "--json", str(raw)]))
    assert report["cause"] == crash_report("divide")["cause"]
    assert report["frames"] == crash_report("divide")["frames"]


def test_list_has_a_line_for_each_record_of_a_log(crash_log, tmp_path):
    (tmp_path / "log").write_bytes(crash_log("divide").read_bytes()
                                   + crash_log("panic").read_bytes())
    rows = run([CRASH, "list", str(tmp_path / "log")]).splitlines()
    assert len(rows) == 2
    assert "divide error" in rows[0] and "panic" in rows[1]


# ---- Symbols and damage ----

def test_symbols_of_another_build_are_refused_in_one_line(crash_log, debuggee_elf):
    done = decode("report", crash_log("null-read"), "--elf", debuggee_elf)
    assert done.returncode == UNUSABLE and done.stdout == ""
    assert re.fullmatch(r"crash\.py: .*build id.*\n", done.stderr), done.stderr


def record_lines(log: bytes) -> list[bytes]:
    return re.findall(rb"^~.*\n", log, re.MULTILINE)


@pytest.mark.parametrize("nth", [0, 1, 5, 20, 30, -2, -1])
def test_a_line_that_is_lost_costs_nothing(crash_log, crash_report, tmp_path, nth):
    log = crash_log("null-read").read_bytes()
    (tmp_path / "log").write_bytes(log.replace(record_lines(log)[nth], b"", 1))
    done = decode("report", "--json", tmp_path / "log")
    assert done.returncode == COMPLETE, done.stdout
    assert json.loads(done.stdout)["frames"] == crash_report("null-read")["frames"]


@pytest.mark.parametrize("nth", [18, 24, 30])
def test_lines_that_nothing_restores_cost_themselves_only(crash_log, crash_report, tmp_path, nth):
    log = crash_log("stack-overflow").read_bytes()
    lines = record_lines(log)
    damaged = log.replace(lines[nth], b"").replace(lines[nth + 4], b"")
    (tmp_path / "log").write_bytes(damaged)
    done = decode("report", "--json", tmp_path / "log")
    assert done.returncode == PARTIAL
    assert json.loads(done.stdout)["rule"] == crash_report("stack-overflow")["rule"]


@pytest.mark.parametrize("nth", [18, 24, 30])
def test_a_changed_character_is_never_believed(crash_log, crash_report, tmp_path, nth):
    log = crash_log("stack-overflow").read_bytes()
    line = record_lines(log)[nth]
    place = line.index(b":", 12) + 20
    other = b"A" if line[place:place + 1] != b"A" else b"B"
    (tmp_path / "log").write_bytes(log.replace(line, line[:place] + other + line[place + 1:]))
    done = decode("report", "--json", tmp_path / "log")
    assert done.returncode == COMPLETE  # the line is restored from its group
    assert json.loads(done.stdout)["cause"] == crash_report("stack-overflow")["cause"]


def test_console_text_between_the_lines_does_no_harm(crash_log, crash_report, tmp_path):
    log = crash_log("null-read").read_bytes()
    (tmp_path / "log").write_bytes(log.replace(b"\n~", b"\n[  1.0] something else\r\n\r\n~"))
    report = json.loads(run([CRASH, "report", "--json", str(tmp_path / "log")]))
    assert report["cause"] == crash_report("null-read")["cause"] and report["complete"]


def test_a_log_without_a_record_is_unusable_in_one_line(tmp_path):
    (tmp_path / "log").write_text("heartbeat 1\n")
    done = decode("report", tmp_path / "log")
    assert done.returncode == UNUSABLE
    assert len(done.stderr.splitlines()) == 1


# ---- What follows a crash ----

def test_oncrash_reboot_boots_again(boot):
    guest = boot("oncrash=reboot run=provoke:divide", "--", "-no-reboot")
    assert guest.wait() == 0
    assert "divide error" in guest.said


@pytest.mark.parametrize("option", ["oncrash=halt", "oncrash=gdb"])
def test_a_crashed_machine_that_is_to_stay_does_not_end(boot, tmp_path, option):
    guest = boot(f"{option} run=provoke:divide", *Monitor.options(tmp_path / "qmp"))
    guest.wait_for("to decode this console's log")
    monitor = Monitor(tmp_path / "qmp")
    assert monitor.pages() != []
    monitor.close()


def test_oncrash_gdb_lets_a_debugger_look_at_the_crash(boot, attach):
    guest = boot("oncrash=gdb run=provoke:null-read")
    guest.wait_for("to decode this console's log")
    debugger = attach(guest)
    assert debugger.functions()[:3] == ["next_parcel", "provoke_null_read", "provoke_run"]
    assert debugger.number("$rax") == 0


# ---- What a report costs ----

GDB_STARTS = 6
TRIES = 7


def seconds_of(command: list[str], environment: dict[str, str]) -> float:
    """Of processors' time, which other work on the machine changes least."""
    def used() -> float:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    before = used()
    run(command, env=environment)
    return used() - before


def test_a_report_costs_no_more_than_some_starts_of_gdb(crash_log, tmp_path):
    """Python's files are compiled once, as for anybody who has run it before.  What slows the
    machine slows both of a pair; of the pairs the least disturbed one counts."""
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(tmp_path), "DEBUGINFOD_URLS": ""}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    report = [CRASH, "report", str(crash_log("null-read"))]
    seconds_of(report, environment)
    rows = [(seconds_of(report, environment),
             sum(seconds_of(["gdb", "-batch"], environment) for _ in range(GDB_STARTS)))
            for _ in range(TRIES)]
    told, starts = min(rows, key=lambda row: row[0] / row[1])
    assert told <= starts, f"a report takes {told:.3f} s, {GDB_STARTS} starts of GDB {starts:.3f} s"
