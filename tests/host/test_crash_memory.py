"""Memory of a crashed machine: what was saved reads back, what was not is unknown."""

import sys
from pathlib import Path

from hypothesis import given, strategies

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

from crashlib.memory import Memory  # noqa: E402

PIECE = strategies.tuples(strategies.integers(0, 64), strategies.binary(max_size=24))
PIECES = strategies.lists(PIECE, max_size=12)


def test_unknown_bytes_read_as_none_not_as_zeros():
    memory = Memory()
    memory.add(0x1000, b"abcd")
    assert memory.read(0x1000, 5) is None
    assert memory.read(0xFFF, 2) is None
    assert memory.read_prefix(0x1002, 8) == b"cd"


def test_a_read_crosses_neighbouring_pieces():
    memory = Memory()
    memory.add(0x1004, b"efgh")
    memory.add(0x1000, b"abcd")
    assert memory.read(0x1002, 4) == b"cdef"
    assert memory.extents() == [(0x1000, b"abcdefgh")]


def test_the_first_claim_of_an_address_stands():
    memory = Memory()
    memory.add(0x1002, b"XY")
    memory.add(0x1000, b"abcdef")
    assert memory.read(0x1000, 6) == b"abXYef"


def test_bytes_past_the_end_of_the_address_space_are_dropped():
    memory = Memory()
    memory.add((1 << 64) - 2, b"abcd")
    assert memory.extents() == [((1 << 64) - 2, b"ab")]


@given(PIECES)
def test_any_pieces_read_back_as_a_byte_by_byte_model_does(pieces):
    memory, model = Memory(), {}
    for start, data in pieces:
        memory.add(start, data)
        for offset, byte in enumerate(data):
            model.setdefault(start + offset, byte)
    for address in range(96):
        expected = bytes([model[address]]) if address in model else None
        assert memory.read(address, 1) == expected, f"at {address}"
    ends = [start + len(data) for start, data in memory.extents()]
    starts = [start for start, _ in memory.extents()]
    assert all(end < start for end, start in zip(ends, starts[1:])), "extents touch or overlap"
