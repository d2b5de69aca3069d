"""test_record_lines.py - a record's lines in whatever a console log makes of them."""

from __future__ import annotations

import re
import struct

import pytest

from crashlib.crc32c import crc32c
from crashlib.record import Record, Status, load
from record_samples import (as_lines, assert_all_is_true, assert_bytes_are_true, build, frame,
                            is_whole, lines_of, sample, whole)


def load_one(data: bytes) -> Record:
    records = load(data)
    assert len(records) == 1, f"one record was expected, {len(records)} were found"
    return records[0]


def data_lines(size: str) -> list[bytes]:
    """The data lines, each once, in order."""
    return [line for line in lines_of(size) if line[9:12] == b":D:"]


def test_crc32c_of_the_reader() -> None:
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(b"6789", crc32c(b"12345")) == 0xE3069283


# ---- Lines that restore others ----

@pytest.mark.parametrize("burst", [1, 2, 3, 4])
def test_any_few_neighbouring_lines_may_be_lost(burst) -> None:
    lines = lines_of("full", parity=True)
    for index in range(1, len(lines) - burst, 1 if burst == 4 else 3):
        record = load_one(b"\n".join(lines[:index] + lines[index + burst:]))
        parity = sum(line[9:12] == b":P:" for line in lines[index:index + burst])
        if parity == 0 or burst == 1:
            assert is_whole(record, "full"), f"lines {index} to {index + burst - 1}"
        assert_all_is_true(record, "full")


def test_restored_lines_are_counted() -> None:
    lines = lines_of("full", parity=True)
    assert load_one(b"\n".join(lines[:5] + lines[7:])).provenance.frames_restored == 2


def test_two_lost_lines_of_a_group_are_not_made_up() -> None:
    lines = lines_of("full", parity=True)
    record = load_one(b"\n".join(lines[:5] + lines[6:9] + lines[10:]))
    assert record.extract()[1] == [(4 * 96, 5 * 96), (8 * 96, 9 * 96)]
    assert_all_is_true(record, "full")


def test_lines_of_another_record_restore_nothing() -> None:
    """Same id, same place, other bytes: two records, and each its own lines."""
    lines = lines_of("full", parity=True)
    parity = next(line for line in lines if line[9:12] == b":P:")
    forged = frame(parity[1:19] + b"A" * 131 + b":")
    record = load_one(b"\n".join(lines[:5] + lines[6:] + [forged]))
    assert_all_is_true(record, "full")
    assert record.extract()[1] == [(4 * 96, 5 * 96)] or is_whole(record, "full")


# ---- What happens to lines ----


@pytest.mark.parametrize("change", [
    lambda data: data.replace(b"\r\n", b"\n"),
    lambda data: data.replace(b"\r\n", b"\r"),
    lambda data: data.replace(b"\r\n", b"\r\r\n"),
    lambda data: data.replace(b"\r\n", b"\0\r\n\0"),
    lambda data: data.replace(b"\n~", b"\n[   12.345678] ~"),
    lambda data: data.replace(b"\n~", b"\n2024-01-01T00:00:00Z console: ~"),
    lambda data: data.replace(b"\n~", b"\n\x1b[31m~"),
    lambda data: data.replace(b"\r\n", b"   \r\n"),
    lambda data: data.replace(b"\r\n", b" trailing words\r\n"),
    lambda data: data.replace(b"\r\n", b""),
    lambda data: re.sub(rb"(.{80})", rb"\1\r\n", data),
    lambda data: re.sub(rb"(.{1,40})", rb"\1\n    ", data.replace(b"\r\n", b"")),
    lambda data: b"\xff\xfe\x80" * 1000 + data + b"~" * 1000,
    lambda data: data.replace(b"\r\n", b"\r\nAnother CPU says: ~/path~ :::: $OK#9a\r\n"),
    lambda data: b"\r\n".join(reversed(data.split(b"\r\n"))),
    lambda data: data + data,
], ids=["LF", "CR", "CR CR LF", "NUL", "kernel time", "log prefix", "colour", "spaces", "trailer",
        "no line ends", "wrapped at 80", "wrapped at 40", "noise", "other output", "backwards",
        "twice"])
def test_what_logs_do_to_lines_does_no_harm(change) -> None:
    record = load_one(change(sample("full", "lines")))
    assert is_whole(record, "full"), record.problems
    assert record.problems == []


def test_line_that_is_not_at_a_lines_place_is_not_used() -> None:
    lines = lines_of("full")
    forged = frame(lines[1][1:12] + b"000001:" + b"A" * 128 + b":")
    assert is_whole(load_one(b"\n".join([*lines[:50], forged, *lines[50:]])), "full")


def test_records_that_interleave_line_by_line_are_told_apart() -> None:
    full, small = lines_of("full"), lines_of("small")
    mixed = [line for pair in zip(full, small * 20) for line in pair] + full[len(small) * 20:]
    records = load(b"\n".join(mixed))
    assert [record.sequence for record in records] == [7, 1]
    assert is_whole(records[0], "full") and is_whole(records[1], "small")


def test_one_damaged_line_costs_that_line_only() -> None:
    """Even if nothing restores it."""
    lines, whole_record = lines_of("full"), whole("full")
    count = len(data_lines("full"))
    for index in range(1, count + 1):  # lines[0] is BEGIN
        damaged = lines[:index] + [lines[index][:30] + b"!" + lines[index][31:]] + lines[index + 1:]
        record = load_one(b"\r\n".join(damaged))
        start = 96 * (index - 1)
        assert_bytes_are_true(record, "full")
        assert_all_is_true(record, "full")
        assert record.extract()[1] == [(start, min(start + 96, record.length))]
        assert (record.provenance.frames_bad, record.provenance.frames_missing) == (1, 1)
        assert not record.complete
        check_other_sections(record, whole_record, start)


def check_other_sections(record: Record, whole_record: Record, start: int) -> None:
    """Sections that have no byte in the lost line are as good as before."""
    found = {section.offset: section for section in record.sections}
    for section in whole_record.sections:
        hit = section.offset < start + 96 and start < section.offset + section.length
        if hit and section.tag in ("XTRA", "ENDS"):
            break  # the table of contents is hit: sections around may be known by their places only
        if not hit:
            assert found[section.offset].status is Status.GOOD, f"{section.tag}, line at {start}"
            assert found[section.offset].payload == section.payload


def test_a_lost_section_header_costs_nothing_else() -> None:
    record, lines = whole("full"), lines_of("full")
    for section in record.sections[6:10]:
        index = 1 + section.offset // 96
        damaged = load_one(b"\n".join(lines[:index] + lines[index + 1:]))
        found = next(s for s in damaged.sections if s.offset == section.offset)
        assert found.tag == section.tag and found.header == section.header


def test_a_lost_unit_header_does_not_cost_the_units_bytes() -> None:
    """But where a hole's header is lost with it, or nothing follows: those cost the unit."""
    lines, known = lines_of("full"), sum(len(data) for _, data in whole("full").memory)
    stack = whole("full").section("STAK")
    costly = []
    for index in range(44, 1 + (stack.offset + stack.length) // 96):
        record = load_one(b"\n".join(lines[:index] + lines[index + 1:]))
        assert_all_is_true(record, "full")
        lost = known - sum(len(data) for _, data in record.memory)
        assert lost <= 512 + 96, f"line {index} cost {lost} bytes of memory"
        costly += [index] if lost > 96 else []
    assert len(costly) <= 2, f"lines {costly} cost more memory than they carried"


def test_memory_that_looks_like_units_is_not_taken_for_units() -> None:
    """The captured memory holds units that would lie in the captured range."""
    start = 0xffffc00000010000
    fakes = b"".join(struct.pack("<QII", start + 0x8000 + index, 16, 0) for index in range(128))
    units = [struct.pack("<QII", start + 512 * index, 512, 0) + fakes[:512] for index in range(8)]
    lines = as_lines(build((b"STAK", b"".join(units), 0), address=start))
    for index in range(2, 45):
        record = load_one(b"\n".join(lines[:index] + lines[index + 1:]))
        for address, data in record.memory:
            offset = (address - start) % 512
            assert start <= address < start + 8 * 512, f"line {index}: memory at {address:#x}"
            assert data == fakes[offset:offset + len(data)], f"line {index}: {address:#x}"


def test_a_lost_line_costs_no_message_but_its_own() -> None:
    lines, log = lines_of("full"), whole("full").section("LOGR")
    ends, position = {}, log.offset + 32
    for entry in log.payload:
        ends[entry.sequence] = (position, position + 24 + -(-entry.length // 8) * 8)
        position = ends[entry.sequence][1]
    for index in range(1 + log.offset // 96, 2 + position // 96):
        start = 96 * (index - 1)
        record = load_one(b"\n".join(lines[:index] + lines[index + 1:]))
        safe = {n for n, (first, end) in ends.items() if end <= start or first >= start + 96}
        found = {entry.sequence for entry in record.log}
        # The first one cannot be told from chance without one that follows it.
        assert safe - found <= {100}, f"line {index} cost messages {safe - found}"


def test_annotations_are_whole_lines_or_absent() -> None:
    text = b"".join(b"key%d=%s=%d\n" % (index, b"ab=" * (index % 9), index) for index in range(60))
    lines = as_lines(build((b"ANNO", text, 0)))
    everything = load_one(b"\n".join(lines)).annotations
    assert len(everything) == 60
    for index in range(2, len(lines) - 2):
        found = load_one(b"\n".join(lines[:index] + lines[index + 1:])).annotations
        assert found.items() <= everything.items(), f"line {index}"
        assert len(found) > 60 - 12, f"line {index} cost {60 - len(found)} annotations"


def test_end_of_a_record_in_captured_memory_is_not_this_records_end() -> None:
    raw = build((b"MEM1", sample("small", "raw"), 0), (b"ANNO", b"outer=yes\n", 0))
    end = load(raw)[0].sections[-1].offset
    record = load_one(b"\n".join(as_lines(raw[:end])))
    assert record.annotations == {"outer": "yes"} and record.end is None


def test_lines_that_contradict_each_other_in_one_transmission_are_not_believed() -> None:
    lines = lines_of("full")
    index = 1 + 48
    forged = frame(lines[index][1:19] + b"A" * 128 + b":")
    for order in ([lines[index], forged], [forged, lines[index]]):
        record = load_one(b"\n".join(lines[:index] + order + lines[index + 1:]))
        assert_bytes_are_true(record, "full")
        assert record.provenance.frames_contradicted == 1
        assert record.extract()[1] == [((index - 1) * 96, index * 96)]
        assert any("different contents" in problem for problem in record.problems)


def test_an_id_that_is_used_twice_gives_two_records() -> None:
    first = lines_of("full")
    second = [first[0], *(frame(line[1:19] + line[19:100] + b"_" * 47 + b":")
                          for line in data_lines("full")[24:30]), first[-1]]
    records = load(b"\n".join(first + second))
    assert len(records) == 2
    assert is_whole(records[0], "full")
    assert records[1].record_id == records[0].record_id and not records[1].complete


def test_second_copy_completes_the_first() -> None:
    lines = lines_of("full")
    odd = [line for index, line in enumerate(lines) if index % 3]
    even = [line for index, line in enumerate(lines) if index % 3 != 1]
    assert is_whole(load_one(b"\n".join(odd + [b"rebooting"] + even)), "full")


def test_log_that_is_cut_off_keeps_its_beginning() -> None:
    lines = lines_of("full")
    record = load_one(b"\n".join(lines[:30]) + lines[30][:100])
    assert_all_is_true(record, "full")
    assert record.extract()[0] == sample("full", "raw")[:29 * 96]
    assert not record.complete and record.end is None
    assert record.cause == whole("full").cause
    assert "has no end" in record.problems[-1]


def test_record_without_begin_is_read() -> None:
    assert is_whole(load_one(b"\n".join(data_lines("full"))), "full")


def test_missing_tail_is_known_from_end() -> None:
    lines = lines_of("full")
    record = load_one(b"\n".join(lines[:1 + 60] + lines[-1:]))
    assert record.length == len(sample("full", "raw"))
    assert record.provenance.bytes_missing == record.length - 60 * 96
    assert record.provenance.frames_missing == -(-record.length // 96) - 60


def test_lines_of_a_newer_version_are_refused() -> None:
    lines = lines_of("full")
    newer = frame(lines[0][1:19] + b"Ag" + b":")
    record = load_one(b"\n".join([newer] + lines[1:100]))
    assert record.pieces == [] and not record.complete
    assert "format version 2" in record.problems[0]


@pytest.mark.parametrize("text", [
    b"1a2b3c4d:D:ffffc0:" + b"A" * 128 + b":",  # the last place there is
    b"1a2b3c4d:D:000001:" + b"A" * 128 + b":",  # not a line's place
    b"1a2b3c4d:D:000000:" + b"A" * 132 + b":",  # too long
    b"1a2b3c4d:D:000000:A:",  # not base64
    b"1a2b3c4d:E:ffffff::",
    b"1a2b3c4d:Z:000000:AAAA:",  # a type to come
    b"1a2b3c4d:B:000000::",
])
def test_odd_lines_cost_neither_time_nor_memory(text: bytes) -> None:
    for record in load(frame(text)):
        assert not record.complete
        assert len(record.extract()[0]) < (1 << 24) + 96
