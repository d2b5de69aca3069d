"""test_record_crc32c.py - the checksum in blocks is the checksum byte by byte."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crashlib.crc32c import STRIDE, WORTH_IT, _step, crc32c


def byte_by_byte(data: bytes, crc: int = 0) -> int:
    return _step(data, crc ^ 0xFFFFFFFF) ^ 0xFFFFFFFF


@pytest.mark.parametrize("data, expected", [
    (b"", 0), (b"123456789", 0xE3069283), (bytes(32), 0x8A9136AA), (b"\xff" * 32, 0x62A8AB43)])
def test_known_answers(data: bytes, expected: int) -> None:
    assert crc32c(data) == expected  # RFC 3720, B.4


@settings(deadline=None, max_examples=40)
@given(st.integers(WORTH_IT - 5, WORTH_IT + 2 * STRIDE), st.integers(0, 2**32 - 1))
def test_long_inputs_have_the_same_checksum_in_blocks(length: int, crc: int) -> None:
    data = random.Random(length).randbytes(length)
    assert crc32c(data, crc) == byte_by_byte(data, crc)


@given(st.binary(max_size=64), st.binary(max_size=64))
def test_a_checksum_goes_on_where_another_ended(first: bytes, second: bytes) -> None:
    assert crc32c(second, crc32c(first)) == crc32c(first + second)
