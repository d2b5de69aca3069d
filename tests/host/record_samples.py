"""record_samples.py - records that the C library itself wrote, and what a reader may say of them.

record_fixture/sample.c holds the values; here they are compiled, run, and kept for the session.
"""

from __future__ import annotations

import base64
import functools
import re
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from crashlib import cstruct
from crashlib.chains import LOST_TEXT
from crashlib.crc32c import crc32c
from crashlib.payload import padded
from crashlib.payloads import End, Header, SectionHeader
from crashlib.images import HEADER_CHECKED
from crashlib.record import Record, load
from crashlib.sections import section_crc

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ["tests/host/record_fixture/sample.c", "tests/host/fake_sink.c",
           *(str(path) for path in sorted((ROOT / "crashdump").glob("*.c")))]

# sample.c's values.
STACK_START, STACK_BYTES = 0xffffc00000010000, 8 * 1024
STACK_ZERO, ZERO_BYTES = 0x600, 3 * 512
STACK_HOLE, HOLE_BYTES = 0x1000, 2048
CODE_START = 0xffffffff80101000


def stack_byte(offset: int) -> int:
    if STACK_ZERO <= offset < STACK_ZERO + ZERO_BYTES:
        return 0
    return offset * 7 + offset // 256 + 1 & 0xff


@functools.cache
def sample(size: str, form: str) -> bytes:
    """sample("small" or "full", "raw" or "lines")"""
    return subprocess.run([_program(), size, form], check=True, stdout=subprocess.PIPE).stdout


@functools.cache
def _program() -> Path:
    program = Path(_folder().name, "sample")
    subprocess.run(["gcc", "-std=c11", "-O1", "-I.", *SOURCES, "-o", program], cwd=ROOT, check=True)
    return program


@functools.cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="trapline-")


@functools.cache
def whole(size: str) -> Record:
    """What a sample decodes to when nothing has happened to it."""
    return load(sample(size, "raw"))[0]


def lines_of(size: str, parity: bool = False) -> list[bytes]:
    """The sample's lines, without their line ends; those that restore others on demand."""
    lines = [line for line in sample(size, "lines").split(b"\r\n") if line]
    return [line for line in lines if parity or line[9:12] != b":P:"]


# ---- Records that no kernel wrote ----

def build(*sections: tuple[bytes, bytes, int], major: int = 1, address: int = 0) -> bytes:
    """A raw record of (tag, payload, flags) and ENDS, with every checksum right."""
    header = cstruct.decode(Header, sample("small", "raw"))
    header.major = major
    header.crc = crc32c(cstruct.encode(header)[:HEADER_CHECKED])
    record, headers = cstruct.encode(header), []
    for tag, payload, flags in sections:
        headers.append(_seal(tag, payload, flags, address))
        record += cstruct.encode(headers[-1]) + payload + bytes(padded(len(payload)) - len(payload))
    crcs = crc32c(b"".join(head.crc.to_bytes(4, "little") for head in headers))
    end = cstruct.encode(End(len(headers), 0, len(record), 0, crcs, len(headers)))
    end += b"".join(cstruct.encode(head) for head in headers)
    return record + cstruct.encode(_seal(b"ENDS", end, 0)) + end


def _seal(tag: bytes, payload: bytes, flags: int, address: int = 0) -> SectionHeader:
    header = SectionHeader(tag, 1, flags, len(payload), len(payload), address, 0, 0)
    header.crc = section_crc(header, payload)
    return header


def frame(text: bytes) -> bytes:
    """A line whose checksum holds; `text` is all that it covers, with the last colon."""
    return b"~" + text + b"%08x" % crc32c(text)


def as_lines(raw: bytes) -> list[bytes]:
    """A record's data lines."""
    to_ours = bytes.maketrans(b"+/", b"._")
    return [frame(b"1a2b3c4d:D:%06x:%s:" % (
        offset, base64.b64encode(raw[offset:offset + 96]).translate(to_ours).rstrip(b"=")))
        for offset in range(0, len(raw), 96)]


# ---- What a record says, in pieces so small that each is either right or wrong ----

def facts(record: Record) -> Iterator[Any]:
    """Everything but the log's texts, which may have gaps."""
    if record.header is not None:
        yield "header", *_items(record.header)
    for section in record.sections:
        for fact in _facts_of(section.payload):
            yield section.tag, fact
    yield from (("memory", address + index, byte)
                for address, data in record.memory for index, byte in enumerate(data))


def _facts_of(payload: Any) -> Iterator[Any]:
    if isinstance(payload, dict):
        yield from payload.items()
    elif isinstance(payload, list):
        for item in payload:
            yield _items(item, "text" if hasattr(item, "length") else "values")
            yield from ((type(item).__name__, _id_of(item), index, value)
                        for index, value in enumerate(getattr(item, "values", ()))
                        if value is not None)
    elif isinstance(payload, bytes):
        yield payload
    elif hasattr(payload, "values"):
        yield from ((index, value) for index, value in enumerate(payload.values)
                    if value is not None)
    elif hasattr(payload, "pc_offset"):
        yield payload.pc_offset, payload.length
        yield from ((address + index, byte) for address, data in payload.pieces
                    for index, byte in enumerate(data))
    elif hasattr(payload, "holes"):
        yield from (("hole", address + index) for address, length in payload.holes
                    for index in range(0, length, 512))
    elif hasattr(payload, "headers"):
        yield payload.section_count, payload.length, payload.sections_crc
    elif payload is not None:
        yield _items(payload)


def _id_of(item: Any) -> int:
    return item.id if hasattr(item, "id") else item.cpu


def _items(struct: Any, but: str = "") -> tuple[tuple[str, Any], ...]:
    return tuple((name, value) for name, value in asdict(struct).items() if name != but)


@functools.cache
def facts_of_whole(size: str) -> frozenset[Any]:
    return frozenset(facts(whole(size)))


def assert_all_is_true(record: Record, size: str) -> None:
    """Whatever the record says, the undamaged sample says too."""
    false = set(facts(record)) - facts_of_whole(size)
    assert not false, f"the damaged record says what the whole one does not: {sorted(false)[:5]}"
    texts = {entry.sequence: entry.text for entry in whole(size).log}
    for entry in record.log:
        pattern = ".*".join(map(re.escape, entry.text.split(LOST_TEXT)))
        assert re.fullmatch(pattern, texts[entry.sequence]), (
            f"message {entry.sequence} is {texts[entry.sequence]!r}, not {entry.text!r}")


def assert_bytes_are_true(record: Record, size: str) -> None:
    """Each byte that the record claims to know is the sample's."""
    raw = sample(size, "raw")
    for offset, data in record.pieces:
        assert data == raw[offset:offset + len(data)], f"wrong bytes at offset {offset}"


def is_whole(record: Record, size: str) -> bool:
    return record.complete and frozenset(facts(record)) == facts_of_whole(size) and (
        record.log == whole(size).log)


def header_of(record: Record) -> Header:
    assert record.header is not None, f"no header: {record.problems}"
    return record.header
