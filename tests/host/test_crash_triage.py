"""test_crash_triage.py - signatures, and many crashes grouped by them."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import multiprocessing
import os
import random
import resource
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies

from crash_records import COMPILE, PANIC_VECTOR, Crash, build_victim
from crashlib.elf import KernelElf, read_elf
from crashlib.evidence import Evidence
from crashlib.record import load
from crashlib.signature import Signature, make_signature
from crashlib.symbols import Symbols
from crashlib.triage import SymbolOptions, decode_all, decode_file, find_files

PROGRAM = Path(__file__).resolve().parents[2] / "scripts/crash.py"
spec = importlib.util.spec_from_file_location("crash_program", PROGRAM)
program = importlib.util.module_from_spec(spec)
spec.loader.exec_module(program)

COMPLETE, UNUSABLE, PARTIAL = 0, 1, 2
MORE_TEXT = "/* a line */\nint more(int a) { return a / 3 + 1; }\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("triage")


@pytest.fixture(scope="module")
def elf(folder) -> KernelElf:
    return build_victim(folder)


@pytest.fixture(scope="module", params=[[], ["-O3"], ["-gdwarf-4"], ["-falign-functions=64"]],
                ids=lambda flags: " ".join(flags) or "as before")
def rebuilt(request, folder) -> KernelElf:
    """A build in which every address and line is another."""
    source = folder / "victim.c"
    source.write_text(MORE_TEXT + Path(COMPILE[-1]).read_text())
    out = folder / f"rebuilt{len(request.param)}{''.join(request.param)}.elf"
    subprocess.run([*COMPILE[:-1], *request.param, str(source), "-o", str(out)], check=True)
    return read_elf(out)


@pytest.fixture(autouse=True)
def show_tracebacks(monkeypatch):
    monkeypatch.setenv(program.DEBUG_VARIABLE, "1")


def null_read(elf: KernelElf, **changes) -> Crash:
    crash = Crash(elf, address=0x18, **changes).at("victim_null_read", "488b4718")
    return crash.called_by("victim_null_read", "kernel_main")


def divide(elf: KernelElf, **changes) -> Crash:
    crash = Crash(elf, vector=0, registers={"rsi": 0}, **changes).at("victim_divide", "f7fe")
    return crash.called_by("victim_divide", "kernel_main")


def panic(elf: KernelElf, text: str = "out of cheese: 3", **changes) -> Crash:
    crash = Crash(elf, vector=PANIC_VECTOR, text=text, **changes)
    crash.pc = crash.return_address("panic", "crash_panic_entry")
    return crash.called_by("panic", "victim_panic", "kernel_main", leaf=False)


def signature(crash: Crash, matched: bool = True, cut: int | None = None) -> Signature:
    record, = load(crash.make()[:cut])
    return make_signature(Evidence(record, Symbols(crash.elf, matched, "")))


# ---- Signatures ----

def test_a_signature_is_the_kind_and_the_innermost_functions_inlined_ones_included(elf):
    found = signature(null_read(elf))
    assert found.text == "#PF read of null in list_next < victim_null_read < kernel_main"
    assert not found.weak


@pytest.mark.parametrize("make", [null_read, divide, panic])
def test_a_signature_survives_a_rebuild(elf, rebuilt, make):
    assert elf.build_id != rebuilt.build_id
    before, after = signature(make(elf)), signature(make(rebuilt))
    assert (before.text, before.digest) == (after.text, after.digest)
    assert not before.weak and not after.weak


def test_different_failures_have_different_signatures(elf):
    crashes = [null_read(elf), divide(elf), panic(elf), panic(elf, "out of wine"),
               dataclasses.replace(null_read(elf), address=0xffffffffdead0000),
               dataclasses.replace(null_read(elf), error=2)]
    assert len({signature(crash).digest for crash in crashes}) == len(crashes)


def test_numbers_in_a_panics_words_do_not_count(elf):
    assert signature(panic(elf)).digest == signature(panic(elf, "out of cheese: 99")).digest


def test_the_line_of_an_assertion_does_not_count(elf):
    words = "assertion failed: n > 0, kernel/a.c:{}, take"
    first, second = panic(elf, words.format(10)), panic(elf, words.format(17))
    assert signature(first).kind == "panic: assertion failed: n > 0"
    assert signature(first).digest == signature(second).digest


def test_the_machinery_of_failing_is_no_part_of_a_signature(elf):
    assert signature(panic(elf)).functions == ("victim_panic", "kernel_main")


def test_how_deep_a_recursion_went_does_not_count(elf):
    found = {}
    for depth in (20, 60):
        crash = Crash(elf, vector=8).at("victim_overflow", "e8")
        crash.called_by("victim_overflow", *["victim_overflow"] * 30, "kernel_main")
        crash.stack = {address: word for address, word in crash.stack.items()
                       if address < crash.registers["rsp"] + depth * 0x40}
        found[depth] = signature(crash)
        assert found[depth].functions == ("victim_overflow",) and not found[depth].weak
    assert found[20].digest == found[60].digest


@pytest.mark.parametrize("words, change", [
    ("no symbols", {"elf": None}), ("another build", {"matched": False}),
    ("cut short", {"stack": False}), ("user program", {"origin": 1})])
def test_what_is_not_known_for_sure_makes_a_signature_weak(elf, words, change):
    crash = null_read(elf)
    if "stack" in change:
        crash.stack_start = crash.registers["rsp"] + 0x100
    record, = load(crash.make())
    if "origin" in change:
        record.section("CAUS").payload.origin = 1
    symbols = Symbols(change.get("elf", elf), change.get("matched", True), "")
    assert words in make_signature(Evidence(record, symbols)).weak


# ---- The command ----

def run(*arguments) -> int:
    return program.main([str(argument) for argument in arguments])


@pytest.fixture
def logs(elf, tmp_path) -> Path:
    """Three null reads, one of them twice; a division; a file without a record."""
    place = tmp_path / "logs/deep"
    place.mkdir(parents=True)
    for number in (1, 2, 3):
        (place / f"null{number}").write_bytes(null_read(elf, sequence=number).make())
        os.utime(place / f"null{number}", (number * 86400, number * 86400))
    (place.parent / "copy").write_bytes(b"again" + null_read(elf, sequence=2).make())
    (place.parent / "divide").write_bytes(divide(elf, sequence=4).make())
    (place.parent / "README").write_text("nothing\n")
    return place.parent


def test_crashes_are_grouped_by_signature_and_counted_once(elf, logs, capsys):
    assert run("triage", logs, "--elf", elf.path) == COMPLETE
    said = capsys.readouterr()
    rows = [line for line in said.out.splitlines() if line[:6].strip().isdigit()]
    assert [row.split()[0] for row in rows] == ["3", "1"], said.out
    assert "null pointer: read at offset 0x18" in rows[0] and "1970-01-02" in rows[0], rows[0]
    assert "4 crashes in 6 files: 2 signatures; 1 file holds no record" in said.out
    assert said.err == "" and max(map(len, said.out.splitlines())) <= 80


@pytest.mark.parametrize("make", [null_read, divide, panic])
@pytest.mark.parametrize("kept", [1, 0.8])
def test_a_report_tells_the_signature_that_triage_groups_by(elf, tmp_path, capsys, make, kept):
    log, data = tmp_path / "log", make(elf).make()
    log.write_bytes(data[:int(len(data) * kept)])
    run("report", log, "--elf", elf.path, "--json")
    told = json.loads(capsys.readouterr().out)["signature"]
    run("triage", log, "--elf", elf.path, "--jsonl", "-")
    row = json.loads(capsys.readouterr().out)
    assert told["digest"] and told == {"digest": row["signature"], "kind": row["kind"],
                                       "functions": row["functions"], "weak": row["weak"]}


def test_json_lines_are_the_crashes(elf, logs, tmp_path, capsys):
    assert run("triage", logs, "--elf", elf.path, "--jsonl", tmp_path / "out") == COMPLETE
    rows = [json.loads(line) for line in (tmp_path / "out").read_text().splitlines()]
    assert len(rows) == 4 and len({row["signature"] for row in rows}) == 2
    double, = (row for row in rows if row["copies"] == 2)
    assert double["sequence"] == 2 and double["functions"][0] == "list_next"
    capsys.readouterr()
    assert run("triage", logs, "--elf", elf.path, "--jsonl", "-") == COMPLETE
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == rows


def rows_of(path: Path, query: str) -> list[tuple]:
    database = sqlite3.connect(path)
    try:
        return database.execute(query).fetchall()
    finally:
        database.close()


def test_sqlite_has_each_crash_once_however_often_it_is_run(elf, logs, tmp_path, capsys):
    path = tmp_path / "crashes.db"
    for _ in range(2):
        assert run("triage", logs, "--elf", elf.path, "--sqlite", path) == COMPLETE
        assert rows_of(path, "SELECT count(*) FROM crashes") == [(4,)]
    assert rows_of(path, "SELECT count, first_seen FROM groups")[0] == (3, "1970-01-02T00:00:00Z")
    capsys.readouterr()


def test_sqlite_learns_more_of_a_crash_and_forgets_nothing(elf, tmp_path, capsys):
    path, log = tmp_path / "crashes.db", tmp_path / "log"
    query = "SELECT complete, weak FROM crashes"
    log.write_bytes(null_read(elf).make())
    assert run("triage", log, "--sqlite", path) == PARTIAL
    assert rows_of(path, query) == [(0, "no symbols")]
    for arguments in (("--elf", elf.path), ()):
        run("triage", log, "--sqlite", path, *arguments)
        assert rows_of(path, query) == [(1, "")]
    capsys.readouterr()


def test_weak_signatures_are_never_one_group(elf, tmp_path, capsys):
    for number in (1, 2):
        (tmp_path / str(number)).write_bytes(null_read(elf, sequence=number).make())
    assert run("triage", tmp_path) == PARTIAL
    said = capsys.readouterr().out
    assert "2 crashes in 2 files: 0 signatures, and 2 that cannot be compared" in said, said
    assert said.count("weak: no symbols") == 2, said


def test_several_processes_find_what_one_finds(elf, tmp_path, capsys):
    for number in range(20):
        make = (null_read, divide)[number % 2]
        (tmp_path / f"{number:02}").write_bytes(make(elf, sequence=number + 1).make())
    found = []
    for jobs in (1, 3):
        assert run("triage", tmp_path, "--elf", elf.path, "--jobs", jobs) == COMPLETE
        found.append(capsys.readouterr().out)
    assert found[0] == found[1] and "20 crashes in 20 files: 2 signatures" in found[0]


def processors_seconds(who: int) -> float:
    usage = resource.getrusage(who)
    return usage.ru_utime + usage.ru_stime


def test_processes_share_the_work_and_add_little_to_it(elf, tmp_path):
    """By processors' time, which does not depend on what else the machine does: what the first
    process has to do alone, and what all do, bound how much sooner more of them are done."""
    raw = null_read(elf).make()
    for number in range(200):
        (tmp_path / str(number)).write_bytes(raw)
    files, options = find_files([str(tmp_path)]), SymbolOptions(elf.path)
    before = processors_seconds(resource.RUSAGE_SELF)
    alone = len(list(decode_all(files, options, 1)))
    alone_s = processors_seconds(resource.RUSAGE_SELF) - before
    before, before_others = map(processors_seconds, (resource.RUSAGE_SELF,
                                                     resource.RUSAGE_CHILDREN))
    assert len(list(decode_all(files, options, 2))) == alone == len(files)
    for child in multiprocessing.active_children():
        child.join()
    serial_s = processors_seconds(resource.RUSAGE_SELF) - before
    shared_s = processors_seconds(resource.RUSAGE_CHILDREN) - before_others
    assert serial_s < alone_s / 5 and shared_s < alone_s * 2, (alone_s, serial_s, shared_s)


def test_an_image_and_a_log_of_one_crash_are_one_crash(elf, tmp_path, capsys):
    raw = null_read(elf).make()
    (tmp_path / "ram").write_bytes(bytes(4096) + raw + bytes(999))
    (tmp_path / "log").write_bytes(raw[:-200])
    assert run("triage", tmp_path, "--elf", elf.path) == COMPLETE
    assert "1 crash in 2 files" in capsys.readouterr().out


@pytest.mark.parametrize("arguments, words", [
    (["/nonexistent"], "No such file"), (["/dev/null"], "no crash record"), ([], "required"),
    (["LOG", "--sqlite", "/nonexistent/x"], "unable to open"),
    (["LOG", "--sqlite", "LOG"], "not a database"),
    (["LOG", "--jsonl", "/nonexistent/x"], "No such file")])
def test_what_cannot_be_done_is_one_line_and_status_1(elf, tmp_path, arguments, words, capsys):
    log = tmp_path / "log"
    log.write_bytes(null_read(elf).make())
    assert run("triage", *(log if word == "LOG" else word for word in arguments)) == UNUSABLE
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and words in said, said


def test_an_sqlite_file_of_another_program_is_left_alone(elf, tmp_path, capsys):
    path, log = tmp_path / "other.db", tmp_path / "log"
    log.write_bytes(null_read(elf).make())
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE mine (x)")
    assert run("triage", log, "--sqlite", path) == UNUSABLE
    assert "something else" in capsys.readouterr().err
    assert rows_of(path, "SELECT name FROM sqlite_master") == [("mine",)]


def test_no_progress_bar_goes_into_a_pipe(elf, logs):
    done = subprocess.run([sys.executable, str(PROGRAM), "triage", str(logs), "--elf",
                           str(elf.path)], capture_output=True)
    assert done.returncode == COMPLETE and done.stderr == b"" and b"\x1b" not in done.stdout


# ---- Total ----

WORDS = strategies.one_of(
    strategies.sampled_from([0, 0x18, (1 << 64) - 1, 0xffffff8000014ff8, 0xffffffff80100000,
                             0xffffffff80100034]), strategies.integers(0, (1 << 64) - 1))


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(vector=strategies.sampled_from([0, 6, 8, 13, 14, PANIC_VECTOR]), error=WORDS, pc=WORDS,
       address=WORDS, registers=strategies.dictionaries(
           strategies.sampled_from(["rsp", "rbp", "rdi", "rcx"]), WORDS),
       stack=strategies.dictionaries(strategies.integers(1, 60).map(
           lambda n: 0xffffff8000015000 - 8 * n), WORDS),
       text=strategies.text(max_size=30))
def test_any_values_in_a_good_record_give_a_signature(elf, text, **values):
    crash = Crash(elf, text=text.encode()[:127].decode("utf-8", "ignore"), **values)
    found = signature(crash)
    assert found.digest and found.text


def test_damaged_records_are_decoded_or_refused(elf, tmp_path):
    options, raw = SymbolOptions(given=elf.path), null_read(elf).make()
    path = tmp_path / "damaged"
    for seed in range(300):
        draw = random.Random(seed)
        data = bytearray(raw[:draw.randrange(len(raw))] if seed % 2 else raw)
        for _ in range(draw.randrange(6)):
            at = draw.randrange(len(data) + 1)
            data[at:at + 16] = draw.randbytes(draw.randrange(24))
        path.write_bytes(bytes(data))
        result = decode_file(str(path), options)
        assert not result.error, f"seed {seed}: {result.error}"
