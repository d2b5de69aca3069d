"""crash.py as people and scripts meet it: what it prints, what it refuses, its exit statuses."""

import json
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies

from crash_records import PANIC_VECTOR, STACK_TOP, Crash, build_victim
import crash as program
from crashlib import report as report_module
from crashlib.crc32c import crc32c
from crashlib.debugger import GdbAnswer
from crashlib.evidence import Evidence
from crashlib.record import load
from crashlib.symbols import Symbols
from crashlib.text import render
from crashlib.text_lines import WIDTH

PROGRAM = Path(__file__).resolve().parents[2] / "scripts/crash.py"
COMPLETE, UNUSABLE, PARTIAL = 0, 1, 2
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Capstone's distutils


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("crashes")


@pytest.fixture(scope="module")
def elf(folder):
    return build_victim(folder)


def null_read(elf, **changes) -> Crash:
    made = Crash(elf, address=0x18, **changes)
    return made.at("victim_null_read", "488b4718").called_by("victim_null_read", "kernel_main")


@pytest.fixture(scope="module")
def raw(elf, folder) -> Path:
    path = folder / "raw"
    path.write_bytes(null_read(elf).make())
    return path


@pytest.fixture(scope="module")
def cut(raw, folder) -> Path:
    """The same record, but its last third is lost."""
    path = folder / "cut"
    data = raw.read_bytes()
    path.write_bytes(data[:len(data) * 2 // 3])
    return path


@pytest.fixture(autouse=True)
def show_tracebacks(monkeypatch):
    """A mistake in the program fails the test with its traceback."""
    monkeypatch.setenv(program.DEBUG_VARIABLE, "1")


def run(*arguments) -> int:
    return program.main([str(argument) for argument in arguments])


def test_a_report_does_not_load_what_only_triage_and_watch_need(elf, raw):
    done = subprocess.run([sys.executable, "-X", "importtime", PROGRAM, raw, "--elf", elf.path],
                          capture_output=True, text=True, check=True)
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "crashlib.report" in loaded
    unneeded = {"sqlite3", "rich", "http.client", "concurrent.futures", "multiprocessing",
                "crashlib.triage", "crashlib.watch"}
    assert not unneeded & loaded, unneeded & loaded


def test_report_is_the_default_and_its_first_line_is_the_verdict(elf, raw, capsys):
    assert run(raw, "--elf", elf.path) == COMPLETE
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "null pointer: read at offset 0x18", lines[0]
    assert lines[1].strip().startswith("in list_next at "), lines[1]
    assert max(map(len, lines[:-8])) <= WIDTH


def test_the_first_25_lines_hold_verdict_reasons_and_backtrace(elf, raw, capsys):
    run("report", raw, "--elf", elf.path)
    head = "\n".join(capsys.readouterr().out.splitlines()[:25])
    for words in ("#PF page fault", "field `next`", "P=0 the page is not present",
                  "PML4[0] = 0x0 is not present", "#0   list_next", "kernel_main", "inlined"):
        assert words in head, head


def test_json_is_the_same_report_as_data(elf, raw, capsys):
    assert run("report", "--json", raw, "--elf", elf.path) == COMPLETE
    body = json.loads(capsys.readouterr().out)
    assert (body["format"], body["version"], body["rule"]) == ("trapline-report", 1, "null-pointer")
    assert body["place"]["function"] == "list_next"
    assert body["frames"][0]["pc"] == hex(null_read(elf).pc)


def test_a_partial_record_is_still_reported_with_status_2(elf, cut, capsys):
    assert run(cut, "--elf", elf.path) == PARTIAL
    said = capsys.readouterr().out
    assert "null pointer" in said and "MISSING" in said and "the record has no end" in said, said


@pytest.mark.parametrize("place, words", [
    (20, "null pointer: read at offset 0x18"),  # in the header: ANNO names the build, too
    (128 + 32 + 24, "page fault"),  # in CAUS: ANNO names the cause, too
])
def test_what_a_lost_section_told_is_taken_from_where_else_it_stands(
        elf, raw, tmp_path, capsys, place, words):
    data = bytearray(raw.read_bytes())
    data[place] ^= 0xFF
    (path := tmp_path / "damaged").write_bytes(bytes(data))
    assert run(path, "--elf", elf.path) == PARTIAL
    said = " ".join(capsys.readouterr().out.split())
    assert said.startswith(words) and "in list_next" in said, said
    assert "taken on trust" not in said and "rdi = 0" in said, said
    assert "which kernel it is from is not" not in said, said


def test_a_record_of_an_unknown_machine_is_reported_without_registers(elf, raw, tmp_path, capsys):
    data = bytearray(raw.read_bytes())
    struct.pack_into("<H", data, 16, 183)
    struct.pack_into("<I", data, 124, crc32c(bytes(data[:124])))
    path = tmp_path / "arm"
    path.write_bytes(bytes(data))
    run(path, "--elf", elf.path)
    assert "ELF machine 183" in " ".join(capsys.readouterr().out.split())


def test_without_symbols_the_report_is_partial_and_says_so(raw, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "log").write_bytes(raw.read_bytes())
    assert run("log") == PARTIAL
    said = capsys.readouterr().out
    assert "No ELF with build id" in said and "null pointer" in said, said


def test_symbols_are_found_by_build_id_in_build_of_the_working_directory(
        elf, raw, capsys, monkeypatch, tmp_path):
    (tmp_path / "build").mkdir()
    (tmp_path / "build/kernel.elf").write_bytes(elf.path.read_bytes())
    (tmp_path / "log").write_bytes(raw.read_bytes())
    monkeypatch.chdir(tmp_path)
    assert run("log") == COMPLETE
    assert "in list_next" in capsys.readouterr().out


def test_symbols_are_found_beside_the_record(elf, raw, monkeypatch, tmp_path):
    (tmp_path / "log").write_bytes(raw.read_bytes())
    (tmp_path / "mine.elf").write_bytes(elf.path.read_bytes())
    monkeypatch.chdir("/")
    assert run(tmp_path / "log") == COMPLETE


def test_symbols_are_found_in_a_build_id_tree(elf, raw, monkeypatch, tmp_path):
    digits = elf.build_id.hex()
    tree = tmp_path / "build/.build-id" / digits[:2]
    tree.mkdir(parents=True)
    (tree / f"{digits[2:]}.debug").write_bytes(elf.path.read_bytes())
    (tmp_path / "log").write_bytes(raw.read_bytes())
    monkeypatch.chdir(tmp_path)
    assert run("log") == COMPLETE


@pytest.fixture(scope="module")
def foreign(elf, folder) -> Path:
    path = folder / "foreign"
    path.write_bytes(null_read(elf, build_id=bytes(20)).make())
    return path


def test_symbols_of_another_build_are_refused_in_one_line(elf, foreign, capsys):
    assert run(foreign, "--elf", elf.path) == UNUSABLE
    said = capsys.readouterr()
    assert said.out == "" and said.err.count("\n") == 1 and elf.build_id.hex() in said.err


def test_forced_symbols_of_another_build_are_marked(elf, foreign, capsys):
    assert run(foreign, "--force", "--elf", elf.path) == PARTIAL
    assert f"has build id {elf.build_id.hex()}" in " ".join(capsys.readouterr().out.split())


def test_core_is_written_and_complete(elf, raw, tmp_path):
    assert run("core", "-o", tmp_path / "core", raw, "--elf", elf.path) == COMPLETE
    assert (tmp_path / "core").read_bytes()[:4] == b"\x7fELF"


def test_extract_gives_the_raw_record_back(raw, tmp_path):
    assert run("extract", "-o", tmp_path / "out", raw) == COMPLETE
    assert (tmp_path / "out").read_bytes() == raw.read_bytes()


def test_list_has_one_line_for_each_record(elf, raw, tmp_path, capsys):
    both = tmp_path / "both"
    both.write_bytes(raw.read_bytes() + null_read(elf, sequence=2).make())
    assert run("list", both) == COMPLETE
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 and "page fault" in lines[0] and "#2" in lines[1], lines


def test_of_several_records_the_last_is_reported_and_the_others_are_mentioned(
        elf, raw, tmp_path, capsys):
    both, panic = tmp_path / "both", Crash(elf, vector=PANIC_VECTOR, text="second", sequence=2)
    both.write_bytes(raw.read_bytes() + panic.make())
    assert run(both, "--elf", elf.path) == COMPLETE
    said = capsys.readouterr().out
    assert "panic: second" in said and "Record 2 of 2" in said, said
    assert run(both, "--record", "1", "--elf", elf.path) == COMPLETE
    assert "null pointer" in capsys.readouterr().out


def test_a_full_record_is_preferred_to_the_minimal_one_that_followed_it(elf, raw, tmp_path, capsys):
    both = tmp_path / "both"
    minimal = Crash(elf, vector=PANIC_VECTOR, text="minimal", sequence=2, flags=1)
    both.write_bytes(raw.read_bytes() + minimal.make())
    run(both, "--elf", elf.path)
    assert "null pointer" in capsys.readouterr().out


def test_control_characters_of_a_panic_do_not_reach_the_terminal(elf, tmp_path, capsys):
    path = tmp_path / "escape"
    path.write_bytes(Crash(elf, vector=PANIC_VECTOR, text="\x1b[2Jgone\r").make())
    for command in ("report", "list"):
        run(command, path)
        said = capsys.readouterr().out
        assert "\x1b" not in said and "\r" not in said, repr(said)


def test_one_bad_file_among_several_does_not_hide_the_others(elf, raw, capsys):
    assert run("report", "/dev/null", raw, "--elf", elf.path) == UNUSABLE
    said = capsys.readouterr()
    assert "null pointer" in said.out and said.err.count("\n") == 1


def test_faults_inside_the_writer_are_told(elf, tmp_path, capsys):
    path = tmp_path / "nested"
    path.write_bytes(null_read(elf, nested=[(b"LOGR", "panic: twice")]).make())
    run(path, "--elf", elf.path)
    said = " ".join(capsys.readouterr().out.split())
    assert "The crash writer failed, too, writing LOGR: panic: twice" in said, said


def test_recursion_is_folded(elf, tmp_path, capsys):
    crash = Crash(elf, vector=8).at("victim_overflow", "e8")
    behind = crash.return_address("victim_overflow", "victim_overflow")
    frame = STACK_TOP - 100 * 0x50
    crash.registers.update(rsp=frame - 0x50, rbp=frame - 0x10)
    for _ in range(99):
        crash.stack[frame - 0x10], crash.stack[frame - 8] = frame + 0x40, behind
        frame += 0x50
    path = tmp_path / "deep"
    path.write_bytes(crash.make())
    run(path, "--elf", elf.path)
    said = capsys.readouterr().out
    assert "more frames of victim_overflow ..." in said and len(said.splitlines()) < 80, said


@pytest.mark.parametrize("arguments, words", [
    (["/nonexistent"], "No such file"),
    (["report", "--record", "9", "RAW"], "no record 9"),
    (["report", "--elf", "/nonexistent", "RAW"], "No such file"),
    (["report", "--elf", "RAW", "RAW"], "not a usable ELF file"),
    (["core", "RAW"], "required"),
    (["core", "-o", "/nonexistent/core", "RAW"], "No such file"),
    (["extract", "-o", "/nonexistent/raw", "RAW"], "No such file"),
    (["report"], "required"),
    (["report", "--no-such-option", "RAW"], "unrecognized"),
    (["list", "RAW", "--", "-ex"], "for debuggers alone"),
    (["/dev/null"], "no crash record"),
])
def test_what_cannot_be_done_is_one_line_and_status_1(raw, arguments, words, capsys):
    assert run(*(raw if argument == "RAW" else argument for argument in arguments)) == UNUSABLE
    said = capsys.readouterr()
    assert said.err.count("\n") == 1 and words in said.err, said.err


def test_a_console_log_comes_by_standard_input_and_a_closed_pipe_is_no_error(elf, raw):
    command = [sys.executable, str(PROGRAM), "-", "--elf", str(elf.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as child:
        child.stdin.write(raw.read_bytes())
        child.stdin.close()
        first = child.stdout.readline()
        child.stdout.close()
        assert child.stderr.read() == b"" and child.wait() == COMPLETE
    assert first.startswith(b"null pointer")


def test_gdb_is_started_on_the_crashed_frame_and_gets_the_arguments_after_the_dashes(elf, raw):
    done = subprocess.run([sys.executable, str(PROGRAM), "gdb", str(raw), "--elf", str(elf.path),
                           "--", "-nx", "-batch", "-ex", "bt", "-ex", "print $cr2",
                           "-ex", "info threads"], capture_output=True, text=True, check=True)
    assert "#0  list_next (node=" in done.stdout, done.stdout + done.stderr
    assert "$1 = 24" in done.stdout and '"CPU0 main [crashed]"' in done.stdout, done.stdout


def test_without_gdb_the_symbol_table_names_the_frames(elf, raw, capsys, monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    assert run(raw, "--elf", elf.path) == COMPLETE
    said = capsys.readouterr().out
    assert "gdb cannot be started" in said and "in victim_null_read" in said, said


def test_colour_is_for_terminals_and_for_those_who_ask(elf, raw, capsys):
    run(raw, "--elf", elf.path)
    assert "\x1b[" not in capsys.readouterr().out
    run(raw, "--elf", elf.path, "--color", "always")
    assert "\x1b[" in capsys.readouterr().out


# ---- Total: any bytes, any values ---------------------------------------------------------------

WORDS = strategies.one_of(
    strategies.sampled_from([0, 0x18, 0xDEADBEEFDEADBEEF, (1 << 64) - 1, 1 << 47, STACK_TOP - 8,
                             STACK_TOP, 0xFFFFFFFF80100000, 0xFFFFFFFF80100034]),
    strategies.integers(0, (1 << 64) - 1))
REGISTERS = strategies.dictionaries(
    strategies.sampled_from(["rax", "rcx", "rdx", "rdi", "rsi", "rsp", "rbp", "cr2"]), WORDS)


class NoGdb:
    """In place of FrameQuery: thousands of runs cannot wait for GDB."""

    def __init__(self, evidence, pcs):
        pass

    def finish(self):
        return GdbAnswer(problem="not asked")


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(vector=strategies.sampled_from([0, 6, 8, 13, 14, PANIC_VECTOR]), error=WORDS, pc=WORDS,
       address=WORDS, registers=REGISTERS, text=strategies.text(max_size=100),
       stack=strategies.dictionaries(strategies.integers(1, 32).map(lambda n: STACK_TOP - 8 * n),
                                     WORDS),
       backtrace=strategies.lists(strategies.tuples(WORDS, WORDS, strategies.integers(0, 5))),
       entries=strategies.lists(WORDS, max_size=5), mapped=strategies.booleans(),
       with_symbols=strategies.booleans())
def test_any_values_in_a_good_record_give_a_report(elf, with_symbols, entries, text, **values):
    crash = Crash(elf, entries=tuple(entries), text=text.encode()[:127].decode("utf-8", "ignore"),
                  **values)
    record, = load(crash.make())
    symbols = Symbols(elf, True, "") if with_symbols else Symbols(None, False, "none")
    original, report_module.FrameQuery = report_module.FrameQuery, NoGdb
    try:
        report = report_module.make_report(Evidence(record, symbols))
    finally:
        report_module.FrameQuery = original
    assert report.cause and render(report)
    json.dumps(report.as_json())


@settings(max_examples=150, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(cuts=strategies.lists(strategies.tuples(strategies.integers(0, 1 << 14),
                                               strategies.binary(max_size=40)), max_size=6),
       keep=strategies.floats(0, 1))
def test_any_damage_gives_a_defined_status(elf, raw, tmp_path, capsys, cuts, keep):
    data = bytearray(raw.read_bytes())
    for place, change in cuts:
        place %= len(data)
        data[place:place + len(change)] = change
    path = tmp_path / "damaged"
    path.write_bytes(bytes(data[:int(len(data) * keep)]))
    original, report_module.FrameQuery = report_module.FrameQuery, NoGdb
    try:
        status = run(path, "--elf", elf.path)
    finally:
        report_module.FrameQuery = original
    assert status in (COMPLETE, UNUSABLE, PARTIAL)
    capsys.readouterr()


def test_an_elf_that_claims_sections_without_end_is_refused(elf, raw, tmp_path, capsys):
    data = bytearray(elf.path.read_bytes())
    table, = struct.unpack_from("<Q", data, 0x28)
    struct.pack_into("<H", data, 0x3C, 0)  # e_shnum 0: the count is section 0's size
    struct.pack_into("<Q", data, table + 0x20, 1 << 60)
    path = tmp_path / "endless"
    path.write_bytes(bytes(data))
    assert run(raw, "--elf", path) == UNUSABLE
    assert "cut short" in capsys.readouterr().err


@given(data=strategies.binary(max_size=400), at=strategies.integers(0, 63))
@settings(max_examples=100, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_as_the_elf_are_refused_in_one_line(raw, tmp_path, capsys, data, at):
    path = tmp_path / "elf"
    header = bytearray(b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HHI", 2, 62, 1)
                       + bytes(40))
    header[at:at + 4] = data[:4]
    path.write_bytes(bytes(header[:64]) + data)
    assert run(raw, "--elf", path) == UNUSABLE
    assert capsys.readouterr().err.count("\n") == 1
