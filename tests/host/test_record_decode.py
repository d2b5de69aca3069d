"""test_record_decode.py - what the C library writes is what the reader reads, value by value."""

from __future__ import annotations

from pathlib import Path

import pytest

from crashlib.contents import DECODERS
from crashlib.payloads import REGISTER_NAMES, Captured, MapKind, SectionFlags, Trust, WalkPurpose
from crashlib.record import Record, Status, load
from crashlib.system import CpuState, EventKind, LockKind, ThreadFlags, ThreadState
from record_samples import (CODE_START, HOLE_BYTES, ROOT, STACK_BYTES, STACK_HOLE, STACK_START,
                            build, header_of, lines_of, sample, stack_byte)


@pytest.fixture(params=["raw", "lines"])
def record(request: pytest.FixtureRequest) -> Record:
    records = load(sample("full", request.param))
    assert len(records) == 1, f"one record was written, {len(records)} were read"
    return records[0]


def test_whole_record_is_complete_without_problems(record: Record) -> None:
    assert record.problems == []
    assert record.complete
    assert [section.status for section in record.sections] == [Status.GOOD] * 19


def test_sections_are_in_the_order_they_were_written(record: Record) -> None:
    assert [section.tag for section in record.sections] == [
        "CAUS", "REGS", "CODE", "PTWK", "BTRC", "STAK", "CPUS", "LOCK", "THRD", "TSTK", "FLIT",
        "LOGR", "MAPS", "MEMR", "ANNO", "TEXT", "NEST", "XTRA", "ENDS"]


def test_header(record: Record) -> None:
    header = header_of(record)
    assert (header.major, header.machine, header.cpu_count, header.flags) == (1, 62, 4, 0)
    assert record.sequence == 7
    assert record.boot_id == bytes(range(0xb0, 0xc0)).hex()
    assert record.build_id == bytes(range(0x10, 0x24)).hex()
    assert record.record_id == header.record_id


def test_cause(record: Record) -> None:
    cause = record.cause
    assert cause is not None
    assert (cause.kind, cause.vector, cause.error, cause.access) == (6, 14, 2, 2)
    assert (cause.pc, cause.address) == (CODE_START + 43, 0x18)
    assert (cause.origin, cause.cpu, cause.thread, cause.nesting) == (0, 1, 5, 0)
    assert cause.uptime_us == 1234567
    assert cause.arguments == (1, 2, 3, 2**64 - 1)
    assert (cause.name, cause.thread_name, cause.text) == ("page fault", "main", "write to 0x18")


def test_registers_that_were_not_read_have_no_value(record: Record) -> None:
    registers = record.registers
    assert registers is not None and registers.cpu == 1
    assert registers.values == [None if index == 5 else 0x0101010101010101 * index
                                for index in range(33)]


def test_registers_by_name(record: Record) -> None:
    named = record.registers.by_name(62)
    assert "rdi" not in named
    assert named["rax"] == 0 and named["efer"] == 0x2020202020202020
    assert record.registers.by_name(9999) == {}


def test_code_has_its_readable_bytes_only(record: Record) -> None:
    code = record.code
    assert code is not None and code.pc_offset == 43
    assert code.pieces == [(CODE_START + 16, bytes(range(16, 64)))]


def test_walks(record: Record) -> None:
    first, second = record.walks
    assert (first.address, first.purpose, first.levels, first.read, first.mapped) == (
        0x18, WalkPurpose.ADDRESS, 4, 1, 0)
    assert (second.purpose, second.read, second.mapped, second.canonical, second.root,
            second.physical) == (WalkPurpose.PC, 4, 1, 1, 0x1000, 0x10102b)
    assert second.entries == (0x2003, 0x3003, 0x4003, 0x101121, 0)


def test_backtrace(record: Record) -> None:
    assert [frame.pc for frame in record.frames] == [CODE_START + 43 + 16 * i for i in range(20)]
    assert record.frames[0].trust == Trust.CONTEXT and record.frames[1].trust == Trust.FRAME
    assert record.frames[2].frame == STACK_START + 128


def test_memory_is_that_of_the_kernel_and_its_holes_are_named(record: Record) -> None:
    known = {address + i: byte for address, data in record.memory for i, byte in enumerate(data)}
    readable = [offset for offset in range(STACK_BYTES)
                if not STACK_HOLE <= offset < STACK_HOLE + HOLE_BYTES]
    assert known == {STACK_START + offset: stack_byte(offset) for offset in readable}
    assert record.holes == [(STACK_START + STACK_HOLE, HOLE_BYTES)]


def test_memory_of_every_section_counts(record: Record) -> None:
    (stack,) = record.payloads("TSTK")
    (other,) = record.payloads("MEMR")
    assert stack.pieces[0][0] == STACK_START + 0x200 and other.pieces[-1][1][-1] == stack_byte(8191)
    assert set(stack.pieces + other.pieces) <= set(record.memory)


def test_cpus_that_were_stopped_have_registers(record: Record) -> None:
    assert [(cpu.cpu, cpu.state, cpu.thread) for cpu in record.cpus] == [
        (1, CpuState.CRASHED, 5), (0, CpuState.STOPPED, 1), (2, CpuState.STOPPED, 3),
        (3, CpuState.SILENT, 0)]
    crashed, first, second, silent = record.cpus
    assert (crashed.values, silent.values) == ([], [])
    assert second.values == [None if index == 7 else 2 + 0x0202020202020202 * index
                             for index in range(33)]
    assert first.by_name(62)["rbx"] == 0x0202020202020202 and "rsp" not in first.by_name(62)
    assert (silent.ticks, silent.tick_us) == (7, 70000)


def test_threads(record: Record) -> None:
    assert [thread.id for thread in record.threads] == [1, 2, 3, 4, 5]
    fourth = record.threads[3]
    assert (fourth.cpu, fourth.state, fourth.process, fourth.priority) == (
        2, ThreadState.WAITING, 9, 4)
    assert (fourth.stack_bottom, fourth.stack_top) == (0xffffd00000040000, 0xffffd00000044000)
    assert (fourth.wait_object, fourth.name, fourth.wait) == (
        0xffffffff80200200, "worker 4", "mutex disk")
    assert fourth.by_name(62)["rax"] == 0x4000 and record.threads[0].values == []
    assert record.threads[0].flags == ThreadFlags.IDLE and record.threads[1].wake_us == 2000000


def test_locks(record: Record) -> None:
    assert [(lock.name, lock.kind, lock.owner_thread, lock.waiters) for lock in record.locks] == [
        ("log", LockKind.SPIN, 5, 0), ("disk", LockKind.MUTEX, 4, 1)]
    assert (record.locks[1].address, record.locks[1].site) == (
        0xffffffff80200200, 0xffffffff80102222)


def test_events(record: Record) -> None:
    assert [event.cpu for event in record.events] == [0] * 6 + [1] * 6 + [2] * 6 + [3] * 6
    assert [event.kind for event in record.events[:4]] == list(EventKind)
    eighth = record.events[7]
    assert (eighth.time_us, eighth.pc, eighth.argument, eighth.number) == (
        1200070, CODE_START + 7, 7, 15)


def test_hashes_of_the_code(record: Record) -> None:
    assert [(page.address, page.length, page.crc) for page in record.text_pages] == [
        (CODE_START, 4096, 0x12345678), (CODE_START + 4096, 0x800, 0x9abcdef0)]


def test_a_thread_whose_head_is_lost_costs_no_other() -> None:
    """Each line in turn is lost: no more than the one or two threads it told of are."""
    lines = lines_of("full")
    section = load(sample("full", "raw"))[0].section("THRD")
    for number in range(section.offset // 96, (section.offset + section.length) // 96 + 1):
        (record,) = load(b"\r\n".join(line for line in lines if b":D:%06x:" % (96 * number)
                                      not in line))
        assert len(record.threads) >= 3, f"line {number} cost all but {len(record.threads)}"


def test_log(record: Record) -> None:
    assert [entry.sequence for entry in record.log] == list(range(100, 140))
    entry = record.log[7]
    assert (entry.time_us, entry.level, entry.cpu) == (7000, 3, 1)
    assert entry.text == "message 7 of a kernel that runs: abcdefg"


def test_maps(record: Record) -> None:
    assert [entry.kind for entry in record.maps] == list(MapKind)
    third = record.maps[2]
    assert (third.start, third.end) == (CODE_START + 0x30000, CODE_START + 0x38000)
    assert (third.permissions, third.captured, third.name) == (3, Captured.IN_FILE, "map 3")


def test_annotations_keep_further_equal_signs(record: Record) -> None:
    assert record.annotations == {
        "version": "1.2.3", "command_line": "run=provoke:null-write gdb=off", "note": "café"}


def test_nested(record: Record) -> None:
    (nested,) = record.nested
    assert (nested.tag, nested.kind, nested.vector) == (b"STAK", 6, 14)
    assert (nested.pc, nested.address, nested.text) == (CODE_START + 0x500, 0x1000, "page fault")


def test_section_of_unknown_tag_is_kept_as_bytes(record: Record) -> None:
    section = record.section("XTRA")
    assert section is not None and section.payload == b"unknown"
    assert section.header.address == 0x1234


def test_end(record: Record) -> None:
    end = record.end
    assert end is not None
    assert (end.section_count, end.faulted, end.time_used_us) == (18, 0, 54321)
    assert end.length == record.sections[-1].offset
    assert end.headers == [section.header for section in record.sections[:-1]]


def test_lines_and_raw_extract_to_the_same_bytes() -> None:
    for form in ("raw", "lines"):
        assert load(sample("full", form))[0].extract() == (sample("full", "raw"), []), form


def test_a_file_is_read_like_bytes(tmp_path: Path) -> None:
    path = tmp_path / "record"
    path.write_bytes(sample("full", "raw"))
    assert load(path) == load(str(path)) == load(sample("full", "raw"))


def test_a_file_that_is_not_there_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        load(tmp_path / "nothing")


def test_raw_record_is_found_at_any_offset() -> None:
    raw = sample("full", "raw")
    for before in (b"x", b"\0" * 4096, b"TRAP" * 3):
        (record,) = load(before + raw + b"whatever follows" * 20)
        assert record.complete
        assert record.provenance.offset == len(before)
        assert record.extract() == (raw, [])


def test_several_raw_records_in_one_input() -> None:
    records = load(sample("full", "raw") + bytes(512) + sample("small", "raw"))
    assert [(record.sequence, record.complete) for record in records] == [(7, True), (1, True)]


def test_raw_record_in_the_memory_of_another_is_not_one_of_its_own() -> None:
    for inner in (sample("small", "raw"), sample("full", "raw")[:5000]):
        raw = build((b"MEM1", inner, 0), (b"ANNO", b"outer=yes\n", 0))
        (record,) = load(raw)
        assert record.complete and record.annotations == {"outer": "yes"}
        assert record.section("MEM1").payload == inner


def test_lines_in_the_memory_of_a_raw_record_are_not_a_record() -> None:
    lines = sample("small", "lines")
    assert len(load(build((b"MEM1", lines, 0)))) == 1
    assert len(load(build() + lines)) == 2


def test_newer_major_version_is_refused() -> None:
    (record,) = load(build((b"ANNO", b"a=b\n", 0), major=2))
    assert record.sections == [] and not record.complete
    assert "format version 2.0" in record.problems[0]


def test_flags_of_sections_are_shown() -> None:
    flags = SectionFlags.TRUNCATED | SectionFlags.FAULTED
    (record,) = load(build((b"ANNO", b"a=b\n", flags), (b"ANNO", b"c=d\n", 0)))
    assert record.sections[0].truncated and record.sections[0].faulted
    assert not record.sections[1].truncated and not record.sections[1].faulted
    assert record.annotations == {"a": "b", "c": "d"}


def test_compressed_section_is_not_decoded_but_named() -> None:
    (record,) = load(build((b"ANNO", b"a=b\n", SectionFlags.COMPRESSED)))
    assert record.annotations == {}
    assert record.problems == ["section ANNO is compressed in a way that this reader does not know"]


def test_end_that_tells_of_other_sections_is_not_complete() -> None:
    one, two = build((b"ANNO", b"a=b\n", 0)), build((b"ANNO", b"a=c\n", 0))
    end = load(one)[0].sections[-1].offset
    (record,) = load(one[:end] + two[end:])
    assert not record.complete


def test_absurd_lengths_cost_no_memory() -> None:
    unit = bytes(8) + (0xffffffff).to_bytes(4, "little") + (2).to_bytes(4, "little")
    (record,) = load(build((b"STAK", unit * 100, 0)))
    assert record.complete and len(record.section("STAK").payload.zeros) == 100
    assert sum(len(data) for _, data in record.memory) < 1 << 27


@pytest.mark.parametrize("magic, words", [
    (b"TRAP\xf1\n\x1a", "CR LF became LF"), (b"TRAPq\r\n\x1a", "eighth bit"),
    (b"TRAP\xc3\xb1\r\n\x1a", "UTF-8")])
def test_text_mode_damage_is_named(magic: bytes, words: str) -> None:
    (record,) = load(magic + b"the rest does not matter")
    assert not record.complete and words in record.problems[0]


def test_every_section_of_the_list_has_a_decoder() -> None:
    listed = {line[8:12] for line in (ROOT / "crashdump/sections.def").read_text().splitlines()
              if line.startswith("SECTION(")}
    assert listed - {"tag,"} == set(DECODERS)


def test_register_names_are_those_of_the_kernel() -> None:
    rows = (ROOT / "arch/x86_64/registers.def").read_text().splitlines()
    names = tuple(row[9:].split(",")[0] for row in rows
                  if row.startswith("REGISTER(") and row.endswith(" RECORD)"))
    assert names == REGISTER_NAMES[62]
