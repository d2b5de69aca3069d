"""The words for error codes, page walks and addresses."""

import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

from crashlib import x86  # noqa: E402
from crashlib.maps import AddressBook, Range  # noqa: E402
from crashlib.pagewalk import decode_walk  # noqa: E402

STACK = Range(0x11000, 0x15000, "STACK", "rw-", "YES", "main stack")
GUARD = Range(0x10000, 0x11000, "GUARD", "---", "NO", "main stack")


@dataclass
class RecordedWalk:
    address: int = 0x18
    purpose: int = 1
    levels: int = 4
    read: int = 1
    mapped: int = 0
    canonical: int = 1
    root: int = 0x1000
    physical: int = 0
    entries: tuple = (0, 0, 0, 0, 0)


@pytest.mark.parametrize("error, expected", [
    (0x0, ["P=0 the page is not present", "W=0 read", "U=0 by kernel code"]),
    (0x3, ["P=1 the page is present: its permissions forbid this", "W=1 write"]),
    (0x4, ["U=1 by user code"]),
    (0x8, ["RSVD=1 a reserved bit is set in the page tables"]),
    (0x11, ["I=1 instruction fetch"]),
    (0x21, ["PK=1 forbidden by the page's protection key"]),
    (0x41, ["SS=1 shadow-stack access"]),
])
def test_page_fault_bits_have_words(error, expected):
    words = x86.page_fault_bits(error)
    assert [text for text in expected if text not in words] == [], words


@pytest.mark.parametrize("error, expected", [
    (0x7FF8, "GDT entry 4095 (selector 0x7ff8)"),
    (0x14, "LDT entry 2 (selector 0x14)"),
    (0x82, "IDT entry 16 (vector 0x10)"),
    (0x9, "GDT entry 1 (selector 0x8), met while delivering an interrupt or exception (EXT)"),
])
def test_selector_error_codes_have_words(error, expected):
    assert x86.selector_words(error) == expected


@pytest.mark.parametrize("walk, expected", [
    (RecordedWalk(), "not mapped: PML4[0] = 0x0 is not present"),
    (RecordedWalk(canonical=0, read=0), "not canonical: no page table can map it"),
    (RecordedWalk(read=0), "no page-table entry could be read"),
    (RecordedWalk(0xFFFFFFFF80000000, read=3, mapped=1, physical=0x200000,
                  entries=(0x3, 0x3, 0x8000000000000083, 0, 0)),
     "2 MiB page, writable, no-execute, kernel only, physical 0x200000"),
    (RecordedWalk(0x1000, read=4, mapped=1, physical=0x5000, entries=(0x7, 0x7, 0x5, 0x7, 0)),
     "4 KiB page, read-only, executable, user, physical 0x5000"),
    (RecordedWalk(0x1000, read=2, entries=(0x3, 0x3, 0, 0, 0)),
     "unfinished: PDPT[0] = 0x3 is present, the next entry is not known"),
])
def test_page_walks_have_words(walk, expected):
    assert decode_walk(walk).summary() == expected


def test_a_walk_with_rubbish_counts_is_still_decoded():
    walk = decode_walk(RecordedWalk(levels=255, read=255, mapped=1))
    assert len(walk.steps) == 5 and walk.steps[0].level == "PML5"


@pytest.mark.parametrize("value, expected", [
    (0x18, ""),
    (0x14F00, "the main stack, 0x100 below its top"),
    (0x15000, "top of the main stack"),
    (0x10FF8, "guard page of the main stack"),
    (0x4141414141414141, 'not an address: the text "AAAAAAAA"'),
    (0xDEADBEEFDEADBEEF, "not a canonical address"),
])
def test_addresses_are_described_by_what_they_hit(value, expected):
    assert AddressBook([STACK, GUARD], None).describe(value) == expected
