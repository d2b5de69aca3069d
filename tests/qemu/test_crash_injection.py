"""test_crash_injection.py - the crash path fails, too: at each of its points, in each way.  There
is a record all the same, and it says what was lost."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from crashes import STATUS
from crashlib.record import Record, load

CAUSE = "page fault"
HALTED = "no record could be written"
SECTIONS = ["CAUS", "REGS", "CODE", "PTWK", "BTRC", "STAK", "LOGR", "MAPS", "MEMR", "ANNO", "TEXT"]
WORDS = {"pointer": "general protection", "panic": "provoked inside the crash writer",
         "machine-check": "machine check", "spin": "stood still for a second"}
KINDS = list(WORDS)


class Crash:
    """What is left of a null pointer, with failures inside the crash path."""

    def __init__(self, boot, folder: Path, inject: str, options: str, provoke: str) -> None:
        guest = boot(f"run=provoke:{provoke} inject={inject} {options}",
                     "--disk", str(folder / "disk"))
        assert guest.wait() == STATUS
        self.said = guest.said
        told = re.search(r"\*\*\* crash record:(.*)", self.said)
        self.sinks = dict(re.findall(r" (\w+) ([a-z ]+);", told[1])) if told else {}
        self.line: list[Record] = load(self.said.encode())
        self.disk: list[Record] = load(folder / "disk")

    def nested(self, record: Record) -> str:
        return " | ".join(f"{nested.tag.decode()} {nested.text}" for nested in record.nested)


@pytest.fixture
def crash(boot, tmp_path):
    return lambda inject, options="", provoke="null-read": Crash(boot, tmp_path, inject, options,
                                                                 provoke)


# ---- In a section ----

@pytest.mark.parametrize("number, tag", enumerate(SECTIONS))
def test_a_failure_in_a_section_costs_that_section(crash, number, tag):
    kind = KINDS[number % 3]  # all but spin, which takes a second
    done = crash(f"{tag}:{kind}")
    for [record] in (done.line, done.disk):
        assert record.complete and record.problems == []
        assert [s.tag for s in record.sections if s.faulted] == [tag]
        assert f"{tag} {WORDS[kind]}" in done.nested(record).replace("panic: ", "")
        assert record.cause.name == CAUSE and record.registers is not None


@pytest.mark.parametrize("tag", ["CAUS", "STAK", "TEXT"])
def test_a_section_that_never_ends_is_given_up(crash, tag):
    done = crash(f"{tag}:spin", "crashdump=serial")
    [record] = done.line
    assert record.complete and [s.tag for s in record.sections if s.faulted] == [tag]
    assert WORDS["spin"] in done.nested(record)


def test_failures_in_all_sections_still_leave_a_record(crash):
    done = crash(",".join(f"{tag}:{KINDS[n % 3]}" for n, tag in enumerate(SECTIONS)))
    [record] = done.line
    assert record.complete and record.cause.name == CAUSE
    assert [s.tag for s in record.sections if s.faulted] == SECTIONS


def test_a_double_fault_in_the_writer_does_not_spoil_the_first(crash):
    """Both arrive on the same stack; the disk's record is gathered after the second."""
    done = crash("LOGR:double-fault", provoke="double-fault")
    for [record] in (done.line, done.disk):
        assert record.complete and [s.tag for s in record.sections if s.faulted] == ["LOGR"]
        assert record.cause.name == "double fault"
        assert record.registers.by_name(62)["rip"] == record.cause.pc
    assert done.line[0].registers == done.disk[0].registers


# ---- In a sink ----

@pytest.mark.parametrize("kind", [*KINDS, "refuse"])
@pytest.mark.parametrize("sink", ["ram", "disk", "serial"])
def test_a_sink_that_fails_hurts_no_other(crash, sink, kind):
    done = crash(f"{sink}:{kind}")
    assert done.sinks == {"ram": "written", "disk": "written", "serial": "written", sink: "failed"}
    assert len(done.line) == (sink != "serial") and len(done.disk) == (sink != "disk")
    for record in done.line + done.disk:
        assert record.complete and record.cause.name == CAUSE
        if sink == "ram" and kind != "refuse":  # the record came after it
            assert f"ram: " in done.nested(record) and WORDS[kind] in done.nested(record)


# ---- Outside of both ----

@pytest.mark.parametrize("kind", ["pointer", "panic", "spin"])
def test_a_failing_report_costs_no_record(crash, kind):
    done = crash(f"report:{kind}")
    assert set(done.sinks.values()) == {"written"} and done.line[0].complete


@pytest.mark.parametrize("kind", ["pointer", "panic", "machine-check"])
def test_what_nothing_recovers_from_leaves_minimal_records(crash, kind):
    done = crash(f"crash:{kind}")
    assert set(done.sinks.values()) == {"a minimal one"}
    for [record] in (done.line, done.disk):
        assert record.complete and record.cause.name == CAUSE and record.cause.nesting == 1
        assert [s.tag for s in record.sections] == ["CAUS", "REGS", "NEST", "ENDS"]
        assert WORDS[kind] in done.nested(record)


def test_after_that_only_a_line_is_printed(crash):
    done = crash("crash:panic,minimal:panic")
    assert done.line == done.disk == [] and HALTED in done.said


def test_the_memory_that_fails_leaves_the_full_record_to_the_line(crash):
    done = crash("ram:pointer,LOGR:panic")
    [record] = done.line
    assert record.complete and [s.tag for s in record.sections if s.faulted] == ["LOGR"]


def test_after_a_failure_memory_still_sends_the_record_at_the_next_boot(boot):
    guest = boot("run=provoke:null-read oncrash=reboot inject=serial:pointer,LOGR:panic")
    said = guest.wait_for("was sent again").partition("was sent again")[0]
    [record] = load(said.encode())
    assert record.complete and record.cause.name == CAUSE
    assert [s.tag for s in record.sections if s.faulted] == ["LOGR"]
