"""test_record_format.py - FORMAT.md tells the truth: its example is what the library writes."""

from __future__ import annotations

import re

import pytest

from crashlib.cstruct import places
from crashlib.payloads import (REGISTER_NAMES, Cause, Code, End, Frame, Header, LogEntry, MapEntry,
                               Nested, Registers, SectionHeader, Unit, Walk)
from crashlib.record import load
from crashlib.system import Cpu, Event, Lock, TextPage, Thread
from record_samples import ROOT, lines_of, sample

FORMAT = (ROOT / "crashdump/FORMAT.md").read_text()
STRUCTS = (Header, SectionHeader, Cause, Registers, Code, Walk, Frame, Unit, Cpu, Lock, Thread,
           Event, LogEntry, MapEntry, TextPage, Nested, End)  # in the order of FORMAT.md's tables
ROW = re.compile(r"([0-9a-f]{3})  ((?:[0-9a-f]{2} )*[0-9a-f]{2}(?: x\d+)?)(?:  .*)?")


def block(kind: str) -> str:
    found = re.search(rf"^```{kind}\n(.*?)^```$", FORMAT, re.MULTILINE | re.DOTALL)
    assert found, f"FORMAT.md has no block of kind {kind!r}"
    return found[1]


def dumped() -> bytes:
    """The bytes of the annotated dump; each row must stand at its own offset."""
    data = b""
    for line in filter(None, block("dump").splitlines()):
        row = ROW.fullmatch(line)
        assert row, f"not a row of a dump: {line!r}"
        assert int(row[1], 16) == len(data), f"this row is at {len(data):03x}: {line!r}"
        byte, times, count = row[2].partition(" x")
        data += bytes.fromhex(byte) * (int(count) if times else 1)
    return data


def test_annotated_dump_is_what_the_library_writes() -> None:
    assert dumped().hex(" ", 8) == sample("small", "raw").hex(" ", 8)


def test_annotated_dump_decodes() -> None:
    (record,) = load(dumped())
    assert record.complete and record.problems == []
    assert record.annotations == {"version": "1.2.3"}
    assert record.holes == [(0xffffc00000011000, 2048)]
    assert [frame.pc for frame in record.frames] == [0xffffffff8010102b]


def test_example_line_is_what_the_library_prints() -> None:
    assert block("line").strip().encode() == lines_of("small")[1]


def test_registers_are_listed_in_their_order() -> None:
    listed = re.search(r"33 values, in this order:\n\n((?:    .*\n)+)", FORMAT)
    assert listed and tuple(listed[1].split()) == REGISTER_NAMES[62]


@pytest.mark.parametrize("header", ["record.h", "sections.def"])
def test_every_section_is_specified(header: str) -> None:
    text = (ROOT / "crashdump" / header).read_text()
    tags = set(re.findall(r"^SECTION\((\w{4})," if header == "sections.def"
                          else r"^/\* ([A-Z]{4})[.: ]", text, re.MULTILINE))
    assert tags and tags <= set(re.findall(r"^### (\w{4}):", FORMAT, re.MULTILINE))


def test_tables_of_fields_have_the_readers_layout() -> None:
    """Which a test of its own compares with the compiler's."""
    tables = re.findall(r"^\| offset \| size \| field \| \|\n\|[-:| ]+\|\n((?:\|.*\n)+)", FORMAT,
                        re.MULTILINE)
    assert len(tables) == len(STRUCTS)
    for table, struct in zip(tables, STRUCTS):
        rows = [[cell.strip() for cell in row.split("|")[1:4]] for row in table.splitlines()]
        written = [(name, int(offset), size_of(size)) for offset, size, name in rows]
        assert written == [(p.name, p.offset, p.size) for p in places(struct)], struct.__name__


def size_of(cell: str) -> int:
    """ "8", or "4×8" """
    count, _, size = cell.rpartition("×")
    return int(size) * int(count or 1)
