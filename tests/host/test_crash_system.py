"""The report of a crash with several CPUs and threads, its signature, its core."""

import json
import struct
import tracemalloc
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings, strategies

from crash_records import Crash, build_victim
from crashlib import cstruct
from crashlib.core import make_core
from crashlib.evidence import Evidence
from crashlib.html import render_html
from crashlib.record import load
from crashlib.report import Report, make_report
from crashlib.symbols import Symbols
from crashlib.system import ThreadState
from crashlib.text import render
from crashlib.text_lines import WIDTH
from system_records import (CRASH_US, busy_system, stack_top, standing, text_pages, thread, unit,
                            with_registers)
from test_crash_core import notes, run_gdb

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Capstone's distutils


@pytest.fixture(scope="module")
def elf(tmp_path_factory):
    return build_victim(tmp_path_factory.mktemp("victim"))


def evidence_of(crash: Crash, matched: bool = True) -> Evidence:
    record, = load(crash.make())
    assert record.complete, record.problems
    return Evidence(record, Symbols(crash.elf, matched, ""))


@pytest.fixture(scope="module")
def report(elf) -> Report:
    return make_report(evidence_of(busy_system(elf)))


@pytest.fixture(scope="module")
def said(report) -> str:
    return "\n".join("".join(text for text, _ in line) for line in render(report))


def section(said: str, name: str) -> str:
    """The words of one heading, spaces joined."""
    begin = said.index(f"\n{name}")
    end = said.find("\n\n", begin)
    return " ".join(said[begin:end].split())


def test_each_cpu_that_was_stopped_has_its_frames(report, said):
    assert [(cpu.cpu, cpu.state, cpu.thread_name) for cpu in report.cpus] == [
        (0, "crashed", "main"), (1, "stopped", "idle 1"), (2, "silent", "")]
    assert [(f.function, f.trust) for f in report.cpus[1].frames] == [
        ("victim_divide", "context"), ("kernel_main", "cfi")]
    assert report.cpus[1].frames[0].file.endswith("victim.c")
    words = section(said, "OTHER CPUS")
    assert 'CPU 1 stopped by the crash, in thread 2 "idle 1"; last timer tick 0.005000 s' in words
    assert "#0 victim_divide" in words and "victim.c:" in words
    assert "CPU 2 did not answer: no registers; last timer tick 1.100000 s before" in words


def test_threads_with_the_same_stack_are_told_once(said):
    words = section(said, "THREADS")
    assert '5 "pool 5", 6 "pool 6", 7 "pool 7" sleeping' in words, words
    assert words.count("victim_call victim.c:") == 1, words
    assert '1 "main" crashed, CPU 0' in words and '2 "idle 1" running, CPU 1' in words
    assert ('3 "reader" waiting for mutex disk, held by thread 4, for 0.002000 s victim_smash'
            in words
            and "< victim_careless victim.c:" in words), words


def test_locks_name_owner_and_waiters(said):
    words = section(said, "LOCKS")
    assert ('log spin, held by thread 1 "main" of CPU 0, taken in kernel_main at tests/host/'
            in words)
    assert 'disk mutex, held by thread 4 "sender" of CPU 1' in words
    assert 'wanted by thread 3 "reader"' in words


def test_a_deadlock_is_named_at_the_top(report, said):
    cycle, = report.deadlocks
    assert 'thread 3 "reader" waits for mutex disk, held by thread 4 "sender"' in cycle
    assert 'thread 4 "sender" waits for net, held by thread 3 "reader"' in cycle
    assert "! Deadlock: thread 3" in "\n".join(said.splitlines()[:8])


def test_a_thread_that_waits_for_its_own_lock_is_a_deadlock(elf):
    crash = busy_system(elf)
    own = thread(4, "sender", ThreadState.WAITING, wait_object=0x5000)
    lock = struct.pack("<QIIIIQ32s", 0x5000, 2, 4, 1, 1, 0, b"own")
    crash.more = [(b"LOCK", lock, 0), (b"THRD", cstruct.encode(own), 0)]
    assert make_report(evidence_of(crash)).deadlocks == [
        'thread 4 "sender" waits for own, which it holds itself']


def test_events_of_all_cpus_are_one_time_line_before_the_crash(report, said):
    assert [event.since_crash_us for event in report.events] == [-900, -700, -500, -300, -200, -10]
    words = section(said, "TIME LINE")
    for expected in ("-0.000900 cpu 0 interrupt 0x20 at victim_call",
                     '-0.000700 cpu 1 switch to thread 2 "idle 1" from 3 "reader"',
                     "-0.000500 cpu 0 system call 4(0x1) at 0x401000",
                     "-0.000300 cpu 0 system call 4 returns -2",
                     "-0.000200 cpu 1 event 99: 7, 0x0 at victim_call",
                     "-0.000010 cpu 0 #PF page fault of 0x18 at list_next"):
        assert expected.replace("list_next", "victim_null_read") in words, words


def test_every_line_has_80_columns_at_most(said):
    assert [line for line in said.splitlines() if len(line) > WIDTH] == []


def test_the_first_25_lines_still_hold_verdict_reasons_and_backtrace(said):
    head = "\n".join(said.splitlines()[:25])
    assert "null pointer" in head and "field `next`" in head and "#0   list_next" in head


def test_a_silent_cpu_is_missing_and_the_others_are_not(report):
    assert "registers of CPU 2: no answer in time" in report.missing


def test_other_cpus_without_a_section_are_missing(elf):
    crash = busy_system(elf)
    crash.more = []
    missing = make_report(evidence_of(crash)).missing
    assert "CPUS (registers of the other 2 CPUs) is absent" in missing


def test_code_pages_that_match_say_nothing_and_others_are_named(elf, report):
    assert not any("differs" in text for text in report.warnings)
    crash = busy_system(elf)
    page = text_pages(elf)[0]
    crash.more[-1] = (b"TEXT", cstruct.encode(replace(page, crc=page.crc ^ 1)), 0)
    evidence = evidence_of(crash)
    warning, = [text for text in make_report(evidence).warnings if "differs" in text]
    assert warning.startswith(f"The code in memory differs from the ELF at {page.address:#x}")
    assert evidence.memory.read(crash.pc, 4) is not None, "the bytes in CODE are true"
    assert evidence.memory.read(page.address + page.length - 4, 4) is None, "stale"


def test_without_gdb_the_frame_pointers_are_followed(elf, monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    report = make_report(evidence_of(busy_system(elf)))
    assert [(f.function, f.trust) for f in report.threads[2].frames] == [
        ("victim_smash", "context"), ("kernel_main", "frame")]  # a leaf hides its caller


TAGS = strategies.sampled_from([b"CPUS", b"THRD", b"LOCK", b"FLIT", b"TEXT", b"TSTK", b"MEMR"])
SMALL = strategies.integers(0, 9).map(lambda n: n.to_bytes(4, "little"))
PAYLOAD = strategies.lists(strategies.one_of(SMALL, strategies.binary(min_size=4, max_size=4),
                                             strategies.just(bytes(8))), max_size=200)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(sections=strategies.lists(strategies.tuples(TAGS, PAYLOAD), max_size=5))
def test_any_bytes_in_the_sections_give_a_report(elf, monkeypatch, sections):
    monkeypatch.setenv("PATH", "/nonexistent")  # without GDB: this is not about frames
    crash = busy_system(elf)
    crash.more = [(tag, b"".join(words), 0) for tag, words in sections]
    record, = load(crash.make())
    report = make_report(Evidence(record, Symbols(elf, True, "")))
    assert render(report) and render_html(report)
    json.dumps(report.as_json())
    make_core(Evidence(record, Symbols(elf, True, "")))


def test_thirty_thousand_threads_in_a_circle_can_be_told(elf, monkeypatch):
    """Whatever is looked up for a row must not be searched for in all the others: this test would
    take its time."""
    monkeypatch.setenv("PATH", "/nonexistent")
    crash, count = busy_system(elf), 30000
    rows = [cstruct.encode(thread(n, f"t{n}", ThreadState.WAITING, wait_object=0x1000 + n))
            for n in range(1, count)]
    locks = [struct.pack("<QIIIIQ32s", 0x1000 + n, 2, n % (count - 1) + 1, 0, 1, 0, b"lock")
             for n in range(1, count)]
    crash.more = [(b"THRD", b"".join(rows), 0), (b"LOCK", b"".join(locks), 0)]
    report = make_report(evidence_of(crash))
    assert len(report.threads) == 4096 and render(report)


def test_registers_have_words_for_stacks_of_threads_user_and_unmapped_addresses(elf):
    crash = busy_system(elf, registers={"rcx": 0xFFFFFFFFFFFFFFFE, "rdx": 0xFFFFFF0012345678,
                                        "rsi": 0x7FFFF000, "r8": stack_top(3) - 8})
    program = thread(1, "main", ThreadState.RUNNING, process=4)
    crash.maps = []
    crash.more = [(b"THRD", cstruct.encode(program)
                   + cstruct.encode(thread(3, "reader", ThreadState.RUNNABLE)), 0)]
    meanings = {row.name: row.meaning for row in make_report(evidence_of(crash)).registers}
    assert meanings["rcx"] == "-2" and meanings["rdx"] == "not mapped"
    assert meanings["rsi"] == "user address"
    assert meanings["r8"] == "the reader stack, 0x8 below its top"


def test_a_thousand_threads_are_unwound_by_one_gdb(elf):
    crash, rows = busy_system(elf), []
    registers, data, start = standing(crash, 3, "victim_smash", "victim_careless", "kernel_main")
    for number in range(2, 1002):
        rows.append(with_registers(thread(number, f"t{number}", ThreadState.RUNNABLE), registers))
    crash.more = [(b"THRD", b"".join(rows), 0), (b"TSTK", unit(start, data), start)]
    report = make_report(evidence_of(crash))
    assert {len(thread.frames) for thread in report.threads} == {3}
    assert 'and 994 more' in "".join(text for line in render(report) for text, _ in line)


@pytest.mark.parametrize("tag", [b"CPUS", b"THRD", b"LOCK", b"FLIT", b"TEXT", b"TSTK", b"MEMR"])
def test_absurd_counts_cost_no_memory(elf, tag):
    crash = busy_system(elf)
    crash.more = [(tag, b"\xff" * 160, 0)]
    tracemalloc.start()
    record, = load(crash.make())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert record.complete and peak < 1 << 22, f"{peak} bytes"


# ---- Signatures ---------------------------------------------------------------------------------

def test_a_signature_outlives_another_address_and_offset(elf, report):
    moved = make_report(evidence_of(busy_system(elf, registers={"rax": 7}, sequence=3)))
    assert report.signature.digest and moved.signature == report.signature
    assert not report.signature.weak
    assert report.signature.text == "#PF read of null in list_next < victim_null_read < kernel_main"


def test_another_function_has_another_signature(elf, report):
    crash = Crash(elf, error=2, address=0x18).at("victim_null_write", "48c74718")
    other = make_report(evidence_of(crash.called_by("victim_null_write", "kernel_main")))
    assert other.rule == report.rule and other.signature.digest != report.signature.digest


def test_without_matching_symbols_a_signature_is_weak_and_the_report_says_why(elf):
    report = make_report(evidence_of(busy_system(elf), matched=False))
    said = "".join(text for line in render(report) for text, _ in line)
    assert report.signature.weak == "symbols of another build"
    assert "(weak: symbols of another build)" in said, said


# ---- The core -----------------------------------------------------------------------------------

def test_the_core_has_a_thread_for_each_context_the_crashed_one_first(elf):
    core = make_core(evidence_of(busy_system(elf)))
    statuses = [data for name, kind, data in notes(core) if (name, kind) == ("CORE", 1)]
    assert [struct.unpack_from("<i", status, 32)[0] for status in statuses] == [1, *range(3, 9)]
    assert {struct.unpack_from("<H", status, 12)[0] for status in statuses} == {11}


def test_gdb_unwinds_every_thread_of_the_core(elf, tmp_path):
    said = run_gdb(make_core(evidence_of(busy_system(elf))), tmp_path, elf, "thread apply all bt")
    assert said.count("in kernel_main") == 7, said
    assert said.count("victim_call (") == 3 and said.count("victim_careless (") == 2, said


def test_events_after_the_crash_have_positive_times(elf):
    crash = busy_system(elf)
    crash.more = [(b"FLIT", struct.pack("<QQQHHI", CRASH_US + 5, 0, 0, 1, 0, 2), 0)]
    event, = make_report(evidence_of(crash)).events
    assert event.since_crash_us == 5 and event.text == "#NMI non-maskable interrupt"


def test_the_report_as_json_has_hex_addresses_everywhere(report):
    body = json.loads(json.dumps(report.as_json()))
    assert body["cpus"][1]["frames"][0]["pc"].startswith("0xffffffff801")
    assert body["threads"][2]["held_by"] == 4 and body["threads"][2]["wait_object"].startswith("0x")
