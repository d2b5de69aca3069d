"""test_record_compression.py - compressed sections: as good as others, never more than is true."""

from __future__ import annotations

import random

import pytest

from crashlib.compression import decompress
from crashlib.payloads import SectionFlags
from crashlib.record import load
from record_samples import lines_of, sample, whole


def test_a_compressed_record_says_what_the_other_says() -> None:
    packed, plain = whole("packed"), whole("full")
    assert packed.complete and packed.problems == []
    assert len(sample("packed", "raw")) < len(sample("full", "raw"))
    assert [(s.tag, s.payload) for s in packed.sections if s.tag != "ENDS"] == \
        [(s.tag, s.payload) for s in plain.sections if s.tag != "ENDS"]


def test_short_sections_are_stored_as_they_are() -> None:
    flags = {s.tag: s.header.flags & SectionFlags.COMPRESSED for s in whole("packed").sections}
    assert {tag for tag, compressed in flags.items() if compressed} >= {"STAK", "LOGR"}
    assert not flags["CAUS"] and not flags["REGS"] and not flags["CODE"]


def test_of_a_compressed_section_all_before_the_first_lost_line_is_good() -> None:
    lines, everything = lines_of("packed"), {number: message.text for number, message in (
        (entry.sequence, entry) for entry in whole("packed").log)}
    log = whole("packed").section("LOGR")
    for index in range(2 + log.offset // 96, 1 + (log.offset + log.length) // 96):
        [record] = load(b"\n".join(lines[:index] + lines[index + 1:]))
        found = {entry.sequence: entry.text for entry in record.log}
        for number, text in found.items():
            assert everything[number].startswith(text.split("[")[0]), f"line {index}: {number}"
    assert found  # the last line costs the end only


@pytest.mark.parametrize("data", [
    b"", b"\x00", b"\xf0", b"\xf0\xff", b"\x10", b"\x10a\x01", b"\x10a\x00\x00", b"\x10a\x02\x00",
    b"\x1fa\x01\x00", b"\x1fa\x01\x00" + b"\xff" * 1000, b"\xff" * 1000])
def test_any_bytes_give_no_more_than_was_asked_for(data: bytes) -> None:
    assert len(decompress(data, 100)) <= 100


def test_random_bytes_give_bytes() -> None:
    chance = random.Random(1)
    for _ in range(2000):
        data = chance.randbytes(chance.randrange(60))
        assert len(decompress(data, 500)) <= 500


def test_repetitions_overlap() -> None:
    assert decompress(b"\x1fa\x01\x00\x05\x50bcdef", 30) == b"a" * 25 + b"bcdef"
