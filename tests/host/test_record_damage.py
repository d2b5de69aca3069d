"""test_record_damage.py - whatever happens to a record, nothing wrong is presented as good.

TRAPLINE_DAMAGED_INPUTS=20000 tries that many random damages of each kind instead of a few.
"""

from __future__ import annotations

import struct
from os import environ

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crashlib import sections
from crashlib.record import Record, load
from record_samples import (assert_all_is_true, assert_bytes_are_true, facts, facts_of_whole,
                            is_whole, lines_of, sample, whole)

INPUTS = int(environ.get("TRAPLINE_DAMAGED_INPUTS", "150"))
SIZES = ("full", "small")
many = settings(max_examples=INPUTS, deadline=None, derandomize=True, database=None,
                suppress_health_check=list(HealthCheck))


def assert_nothing_is_wrong(data: bytes) -> None:
    """Each record found in `data` says only what the sample with its id says."""
    for record in load(data):
        size = size_of(record)
        if record.provenance.source == "console lines":
            assert_bytes_are_true(record, size)
        assert_all_is_true(record, size)
        assert record.problems or record.complete


def size_of(record: Record) -> str:
    """Which sample this is: by its id, or by what it says if the id is lost."""
    if record.record_id is not None:
        return next(size for size in SIZES if record.record_id == whole(size).record_id)
    return next((size for size in SIZES if facts_of_whole(size) >= set(facts(record))), SIZES[0])


# ---- Lines ----

def interleaved() -> list[bytes]:
    full, small = lines_of("full"), lines_of("small")
    return [line for index, line in enumerate(full)
            for line in ([line, small[index]] if index < len(small) else [line])]


LINES = interleaved() if INPUTS else []
index = st.integers(0, len(LINES) - 1)
place = st.integers(0, 170)
noise = st.one_of(st.binary(max_size=12), st.text("~:0123456789abcdefBDE.\r\n", max_size=12).map(
    str.encode))


@st.composite
def damaged_lines(draw: st.DrawFn) -> bytes:
    """The lines of two records at once, after up to 30 accidents."""
    lines = list(LINES)
    for kind in draw(st.lists(st.sampled_from(sorted(ACCIDENTS)), min_size=1, max_size=30)):
        ACCIDENTS[kind](lines, draw)
        lines = lines or [b""]
    data = draw(st.sampled_from([b"\r\n", b"\n", b"\n[1.5] "])).join(lines)
    return data[:draw(st.one_of(st.none(), st.integers(0, len(data))))]


def at(lines: list[bytes], draw: st.DrawFn) -> int:
    return draw(index) % len(lines)


def drop(lines: list[bytes], draw: st.DrawFn) -> None:
    del lines[at(lines, draw)]


def drop_many(lines: list[bytes], draw: st.DrawFn) -> None:
    start = at(lines, draw)
    del lines[start:start + draw(st.integers(1, 40))]


def repeat(lines: list[bytes], draw: st.DrawFn) -> None:
    lines.insert(at(lines, draw), lines[at(lines, draw)])


def swap(lines: list[bytes], draw: st.DrawFn) -> None:
    first, second = at(lines, draw), at(lines, draw)
    lines[first], lines[second] = lines[second], lines[first]


def flip(lines: list[bytes], draw: st.DrawFn) -> None:
    number = at(lines, draw)
    line = bytearray(lines[number])
    if line:
        line[draw(place) % len(line)] ^= 1 << draw(st.integers(0, 7))
    lines[number] = bytes(line)


def overwrite(lines: list[bytes], draw: st.DrawFn) -> None:
    number, start, text = at(lines, draw), draw(place), draw(noise)
    lines[number] = lines[number][:start] + text + lines[number][start + len(text):]


def insert(lines: list[bytes], draw: st.DrawFn) -> None:
    number, start = at(lines, draw), draw(place)
    lines[number] = lines[number][:start] + draw(noise) + lines[number][start:]


def cut_out(lines: list[bytes], draw: st.DrawFn) -> None:
    number, start = at(lines, draw), draw(place)
    lines[number] = lines[number][:start] + lines[number][start + draw(st.integers(1, 20)):]


def splice(lines: list[bytes], draw: st.DrawFn) -> None:
    """Two lines, the middle of one in the other."""
    number, start = at(lines, draw), draw(place)
    lines[number] = lines[number][:start] + lines[at(lines, draw)][start:]


def print_between(lines: list[bytes], draw: st.DrawFn) -> None:
    lines.insert(at(lines, draw), draw(noise))


ACCIDENTS = {accident.__name__: accident for accident in (
    drop, drop_many, repeat, swap, flip, overwrite, insert, cut_out, splice, print_between)}


@many
@given(damaged_lines())
def test_damaged_lines_are_never_presented_as_good(data: bytes) -> None:
    assert_nothing_is_wrong(data)


def test_lines_cut_off_at_every_offset() -> None:
    data = sample("small", "lines")
    for end in range(len(data)):
        assert_nothing_is_wrong(data[:end])


def test_lines_with_any_one_bit_flipped_are_whole_or_say_what_is_missing() -> None:
    """The small record is sent twice in full, so a single flip does no harm at all."""
    data = sample("small", "lines")
    for bit in range(0, 8 * len(data), 11):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        (record,) = load(bytes(damaged))
        assert is_whole(record, "small"), f"bit {bit}: {record.problems}"


# ---- Raw records ----

@st.composite
def damaged_raw(draw: st.DrawFn) -> bytes:
    data = bytearray(sample(draw(st.sampled_from(["full", "small"])), "raw"))
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(data) - 1))
        junk = draw(st.one_of(st.binary(max_size=64), st.just(bytes(200)), st.just(b"\xff" * 100)))
        data[start:start + len(junk)] = junk
    prefix = draw(st.sampled_from([b"", b"\0" * 8, b"junk"]))
    return prefix + bytes(data[:draw(st.one_of(st.none(), st.integers(1, len(data))))])


@many
@given(damaged_raw())
def test_damaged_raw_records_are_never_presented_as_good(data: bytes) -> None:
    assert_nothing_is_wrong(data)


def test_raw_record_cut_off_at_every_offset() -> None:
    data = sample("small", "raw")
    for end in range(len(data)):
        assert_nothing_is_wrong(data[:end])
        assert not any(record.complete for record in load(data[:end]))


def test_raw_record_with_any_one_bit_flipped_loses_one_section_at_most() -> None:
    data = sample("small", "raw")
    good = len(whole("small").sections)
    for bit in range(8 * len(data)):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        (record,) = load(bytes(damaged))
        assert_all_is_true(record, "small")
        found = sum(section.status.value == "good" for section in record.sections)
        assert found >= good - 1, f"bit {bit} of the record cost {good - found} sections"


# ---- Anything at all ----

SHARDS = (b"TRAP\xf1\r\n\x1a", b"~1a2b3c4d:D:000000:", b"ENDS\1\0\0\0", b"STAK\1\0\0\0", b"CAUS",
          b"\0" * 8, b"\xff" * 8, b":00000000", b"~")


@many
@given(st.one_of(st.binary(max_size=2000),
                 st.lists(st.sampled_from(SHARDS), max_size=60).map(b"".join)))
def test_random_bytes_give_a_list(data: bytes) -> None:
    for record in load(data):
        assert not record.complete
        record.extract()


def test_search_for_sections_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands of places that claim to be long sections do not cost the square of that."""
    checked = 0

    def count(data: bytes, crc: int = 0) -> int:
        nonlocal checked
        checked += len(data)
        return ~crc & 0xffffffff

    monkeypatch.setattr(sections, "crc32c", count)
    for tag in (b"STAK", b"ENDS"):
        claims = b"".join(struct.pack("<4sHHIIQII", tag, 1, 0, 16 * left, 0, 0, 0, 0)
                          for left in range(3000, 0, -1))
        data = sample("full", "raw")[:128] + bytes(8) + claims
        assert load(data)[0].end is None
        assert checked < 16 * len(data), f"{checked} bytes were checksummed for {len(data)}"
        checked = 0
