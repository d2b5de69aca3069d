"""test_record_images.py - records in images of memory and disks: found wherever they lie, their
copies joined, and nothing else taken for one.

TRAPLINE_DAMAGED_IMAGES says how many random images are tried.
"""

from __future__ import annotations

import functools
import gzip
import io
import lzma
import mmap
import os
import random
import sys
from collections.abc import Callable
from os import environ
from pathlib import Path

import pytest

from crashlib import cstruct, images, inputs
from crashlib.crc32c import crc32c
from crashlib.images import HEADER_CHECKED
from crashlib.inputs import InputRefused, open_input
from crashlib.payloads import Header
from crashlib.record import Record, find_records, load
from record_samples import (assert_all_is_true, build, facts, facts_of_whole, is_whole, sample,
                            whole)

IMAGES = int(environ.get("TRAPLINE_DAMAGED_IMAGES", "20000"))
FIRST = 43 * 96  # bytes that the sink for lines keeps of a record, in memory
OTHER_BOOT = bytes(range(0x50, 0x60))


def one_of(data: bytes) -> Record:
    records = find_records(data)
    assert len(records) == 1, [(r.provenance, r.problems) for r in records]
    return records[0]


def full() -> bytes:
    return sample("full", "raw")


@functools.cache
def noise(length: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(length)


def of_boot(raw: bytes, boot_id: bytes) -> bytes:
    """The same record, from another boot."""
    header = cstruct.decode(Header, raw)
    header.boot_id = boot_id
    header.record_id = crc32c(cstruct.encode(header)[20:60])
    header.crc = crc32c(cstruct.encode(header)[:HEADER_CHECKED])
    return cstruct.encode(header) + raw[128:]


# ---- Where a record is found ----

@pytest.mark.parametrize("offset", [0, 8, 512, 4096 - 64, 100_003])
def test_a_record_is_found_at_any_offset(offset):
    record = one_of(noise(offset) + full() + noise(5000, 2))
    assert is_whole(record, "full") and record.provenance.offset == offset


def test_a_magic_without_a_header_is_passed_over():
    false = images.MAGIC + noise(120) + full()[:124] + b"oops"
    assert is_whole(one_of(false + noise(64) + full() + false), "full")


def test_a_record_that_another_one_has_captured_is_not_a_second_one():
    captured = of_boot(sample("small", "raw"), OTHER_BOOT)
    record = one_of(noise(64) + build((b"XTRA", captured, 0)) + noise(64))
    assert record.complete


@pytest.mark.parametrize("tail", [bytes(100_000), noise(100_000)], ids=["zeros", "noise"])
def test_what_the_lines_sink_keeps_in_memory_is_the_beginning_of_the_record(tail):
    record = one_of(noise(4096) + full()[:FIRST] + tail)
    assert record.record_id == whole("full").record_id and not record.complete
    assert record.cause == whole("full").cause and record.registers == whole("full").registers
    assert_all_is_true(record, "full")


def test_what_the_lines_sink_keeps_in_memory_is_not_presented_beside_the_record():
    for data in (full()[:FIRST] + bytes(800) + full(), full() + bytes(800) + full()[:FIRST]):
        assert is_whole(one_of(noise(64) + data), "full")


def test_a_record_whose_header_was_held_back_is_found_by_its_cause():
    record = one_of(noise(4096) + bytes(128) + full()[128:] + noise(4096))
    assert record.header is None and record.cause == whole("full").cause
    assert record.registers == whole("full").registers and record.end is not None


def test_a_record_whose_header_and_cause_are_damaged_is_found_by_its_end():
    """Beside whole ones, which have nothing of it and lose nothing."""
    before, behind = version(b"old", OTHER_BOOT), version(b"new", OTHER_BOOT[::-1])
    for record in (damaged(full(), 0, 130, 200), noise(1000) + full()[1000:]):
        image = before + noise(4096) + record + noise(512) + behind
        first, found, last = find_records(image)
        assert first.complete and last.complete and first.boot_id == OTHER_BOOT.hex()
        assert found.provenance.offset == len(before) + 4096 and found.header is None
        assert found.end == whole("full").end and found.threads == whole("full").threads
        assert_all_is_true(found, "full")


def test_an_end_that_is_damaged_finds_nothing():
    ends = full()[whole("full").end.length:]
    for place in range(0, len(ends) - 16, 5):
        assert not find_records(noise(20_000) + damaged(ends, place) + noise(64))


def test_the_beginning_completes_a_record_whose_header_was_held_back():
    data = bytes(128) + full()[128:] + noise(4096) + full()[:FIRST]
    assert is_whole(one_of(noise(512) + data), "full")


# ---- Copies ----

def damaged(raw: bytes, *places: int) -> bytes:
    data = bytearray(raw)
    for place in places:
        data[place:place + 16] = b"\xa5" * 16
    return bytes(data)


def test_two_damaged_copies_make_a_whole_record():
    early, late = damaged(full(), 200), damaged(full(), len(full()) // 2)
    assert not load(early)[0].complete and not load(late)[0].complete
    record = one_of(early + noise(512) + late)
    assert is_whole(record, "full") and record.provenance.copies == 2


def test_a_damaged_copy_and_lines_make_a_whole_record():
    lines = sample("full", "lines").split(b"\r\n")
    record = one_of(damaged(full(), 200) + b"\n" + b"\n".join(lines[:10]))
    assert is_whole(record, "full")


def test_copies_that_contradict_each_other_are_two_records():
    first = build((b"XTRA", b"one", 0))
    second = build((b"XTRA", b"two", 0))
    assert len(find_records(first + second)) == 2


def test_a_record_written_half_over_another_one_is_no_mixture_of_both():
    """Without a sink's care: each of the old one's sections is as long as the new one's."""
    old, new = version(b"old", OTHER_BOOT), version(b"new", OTHER_BOOT[::-1])
    for cut in range(128, len(new)):
        mixed = new[:cut] + old[cut:]
        for record in find_records(noise(64) + mixed) + find_records(bytes(128) + mixed[128:]):
            found = {s.payload[:3] for s in record.sections if isinstance(s.payload, bytes)}
            boots = {OTHER_BOOT.hex(): {b"old"}, OTHER_BOOT[::-1].hex(): {b"new"}}
            allowed = boots.get(record.boot_id)
            assert len(found) < 2 and (allowed is None or found <= allowed), (
                f"cut at {cut}: {found} in a record of boot {record.boot_id}")


def test_behind_an_end_nothing_belongs_to_a_record_that_has_lost_a_piece_before_it():
    """A disk on which an attempt that was given up reached further."""
    whole_one = build((b"XONE", b"one", 0), (b"XTWO", b"two", 0))
    lost = whole_one[:128] + whole_one[whole_one.index(b"XTWO"):]
    other = build((b"XOLD", b"old", 0))
    left = other[other.index(b"XOLD"):other.index(b"ENDS")]
    record = one_of(noise(64) + lost + bytes(400) + left)
    assert [s.payload for s in record.sections if isinstance(s.payload, bytes)] == [b"two"]


def test_of_a_record_written_half_over_another_one_what_was_written_counts():
    old, new = version(b"old", OTHER_BOOT), version(b"new", OTHER_BOOT[::-1])
    cut = new.index(b"XTWO")
    record = one_of(noise(64) + new[:cut] + old[cut:])
    assert record.boot_id == OTHER_BOOT[::-1].hex()
    assert [section.payload for section in record.sections] == [b"new 1"]


def version(name: bytes, boot_id: bytes) -> bytes:
    return of_boot(build((b"XONE", name + b" 1", 0), (b"XTWO", name + b" 2", 0),
                         (b"ANNO", b"boot_id=" + boot_id.hex().encode() + b"\n", 0)), boot_id)


# ---- Damage at random ----

@functools.cache
def samples() -> tuple[bytes, ...]:
    small = sample("small", "raw")
    return small, of_boot(small, OTHER_BOOT), sample("small", "lines")


def put(image: bytearray, at: int, data: bytes) -> None:
    image[at:at + len(data)] = data


def random_image(draw: random.Random) -> bytes:
    """Copies, beginnings and torn copies of two records, then cells of memory destroyed."""
    image = bytearray(draw.choice((bytes(6000), noise(6000))))
    small, other, lines = samples()
    for _ in range(draw.randint(1, 4)):
        at = draw.randrange(0, 5000, 8)
        raw = draw.choice((small, small, other, lines, bytes(128) + small[128:]))
        if draw.random() < 0.3:  # a reset while it was written
            raw = raw[:draw.randrange(len(raw))]
        put(image, at, raw)
    for _ in range(draw.choice((0, 1, 2, 8, 40))):
        put(image, draw.randrange(len(image)), draw.choice((bytes(8), noise(64), b"\xff" * 32)))
    return bytes(image[:draw.choice((6000, 6000, draw.randrange(6000)))])


def assert_nothing_is_false(data: bytes, seed: int) -> None:
    for record in find_records(data):
        false = set(facts(record)) - facts_of_both()
        assert not false, f"seed {seed}: {sorted(false, key=str)[:5]}"
        assert record.problems or record.complete, f"seed {seed}: incomplete, but does not say why"


@functools.cache
def facts_of_both() -> frozenset[object]:
    other, = load(samples()[1])
    return facts_of_whole("small") | frozenset(facts(other))


def test_random_cells_destroyed_and_resets_while_writing_present_nothing_wrong():
    for seed in range(IMAGES):
        assert_nothing_is_false(random_image(random.Random(seed)), seed)


@pytest.mark.parametrize("head", [b"", images.MAGIC, b"ENDS\1\0\0\0", b"CAUS\1\0\0\0\x20\1\0\0",
                                  b"~1a2b3c4d:D:000000:"])
def test_40_bytes_with_wild_lengths_cost_nothing(head):
    for fill in (b"\xff", b"\x7f", b"\0", b"A"):
        for record in find_records((head + fill * 40)[:40]):
            assert len(record.extract()[0]) <= 40 and not record.complete


def test_a_header_that_claims_wild_lengths_costs_nothing():
    raw = bytearray(sample("small", "raw"))
    for length in (0xFFFFFFFF, 0x7FFFFFF8, 1 << 26):
        raw[128 + 8:128 + 12] = length.to_bytes(4, "little")
        for record in find_records(bytes(raw)) + find_records(noise(64) + bytes(raw)):
            assert len(record.extract()[0]) <= len(raw) + 64


# ---- Inputs that are not plain files ----

@pytest.fixture
def small_windows(monkeypatch):
    """Every file is mapped, and searched in several windows."""
    monkeypatch.setattr(inputs, "READ_BYTES", 0)
    monkeypatch.setattr(inputs, "WINDOW_BYTES", 3 * mmap.PAGESIZE)


def test_a_mapped_file_is_searched_like_bytes(small_windows, tmp_path):
    border = 3 * mmap.PAGESIZE
    path = tmp_path / "image"
    for start in range(border - 20, border + 5):
        path.write_bytes(noise(start) + full() + noise(3 * border, 2))
        with open_input(path) as data:
            assert isinstance(data, mmap.mmap)
            assert is_whole(one_of(data), "full"), f"at {start}"


def test_lines_are_found_across_windows(small_windows, tmp_path):
    path = tmp_path / "log"
    for pad in range(0, 400, 7):
        path.write_bytes(b"x" * (3 * mmap.PAGESIZE - 200 + pad) + b"\n" + sample("full", "lines"))
        assert is_whole(load(path)[0], "full"), f"padded by {pad}"


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress], ids=["gzip", "xz"])
def test_a_packed_image_is_unpacked(pack: Callable[[bytes], bytes], tmp_path):
    path = tmp_path / "image.packed"
    path.write_bytes(pack(bytes(1 << 21) + full()))
    assert is_whole(load(path)[0], "full")


def test_of_a_packed_file_that_is_cut_off_the_rest_is_read(tmp_path):
    path = tmp_path / "log.gz"
    path.write_bytes(gzip.compress(full() + noise(1 << 20))[:-5000])
    assert is_whole(load(path)[0], "full")


@pytest.mark.parametrize("head, words", [
    (b"QFI\xfb", "qemu-img convert"), (b"KDUMP   ", "dump-guest-memory"),
    (b"\x28\xb5\x2f\xfd", "zstd -d"), (b"QEVM", "dump-guest-memory")])
def test_a_container_that_scatters_its_contents_is_refused_with_what_to_do(head, words, tmp_path):
    path = tmp_path / "some image"
    path.write_bytes(head + full())
    with pytest.raises(InputRefused, match=words) as refused:
        load(path)
    assert "\n" not in str(refused.value)


def test_a_pipe_is_read_to_its_end(monkeypatch):
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.close(reader)
        with open(writer, "wb") as pipe:
            pipe.write(bytes(1 << 22) + full())
        os._exit(0)
    os.close(writer)
    with open(reader, "rb") as pipe:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(pipe))
        with open_input("-") as data:
            assert is_whole(one_of(data), "full")
    os.wait()


def test_an_endless_pipe_is_refused(monkeypatch):
    monkeypatch.setattr(inputs, "SPOOL_BYTES", 1 << 22)
    with pytest.raises(InputRefused, match="without an end"), open_input(Path("/dev/zero")):
        pass
