"""crc32c.py - CRC32C (Castagnoli, reflected), as crashdump/crc32c.c computes it.

Python steps through bytes slowly, but translates and XORs long strings fast.  A checksum is linear:
so a long input is cut into blocks, and each block is added to the next one as what its four-byte
words become STRIDE bytes later, all words at once.  What is left is one block for the slow way.
"""

from __future__ import annotations

import functools

POLYNOMIAL = 0x82F63B78  # 0x1EDC6F41, bits reversed
STRIDE = 1024  # bytes of a block, a power of two
WORTH_IT = 3 * STRIDE  # the shortest input that is faster in blocks

Planes = list[int]  # the first bytes of many words as one number, their second bytes, ...


def _entry(index: int) -> int:
    for _ in range(8):
        index = index >> 1 ^ (POLYNOMIAL if index & 1 else 0)
    return index


_TABLE = tuple(_entry(index) for index in range(256))


def crc32c(data: bytes, crc: int = 0) -> int:
    """The checksum of `data`, continuing from `crc`."""
    crc ^= 0xFFFFFFFF
    if len(data) >= WORTH_IT:
        head = len(data) % STRIDE
        crc, data = 0, _fold(data, head, _step(data[:head], crc))
    return _step(data, crc) ^ 0xFFFFFFFF


def _step(data: bytes, crc: int) -> int:
    table = _TABLE
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc


def _fold(data: bytes, start: int, crc: int) -> bytes:
    """One block with the checksum that `data` has from `start` on, whole blocks, after `crc`."""
    tables = _advance_tables()
    planes = _planes_of(data, start)
    for byte in range(4):  # the state is added to the first word
        planes[byte] ^= crc >> 8 * byte & 0xFF
    for place in range(start + STRIDE, len(data), STRIDE):
        following = _planes_of(data, place)
        for plane, row in zip(planes, tables):
            old = plane.to_bytes(STRIDE // 4, "little")
            for index, table in enumerate(row):
                following[index] ^= int.from_bytes(old.translate(table), "little")
        planes = following
    block = bytearray(STRIDE)
    for index, plane in enumerate(planes):
        block[index::4] = plane.to_bytes(STRIDE // 4, "little")
    return bytes(block)


def _planes_of(data: bytes, start: int) -> Planes:
    return [int.from_bytes(data[start + index:start + STRIDE:4], "little") for index in range(4)]


@functools.cache
def _advance_tables() -> list[list[bytes]]:
    """[i][k]: what byte i of a word adds to byte k of it STRIDE bytes later, for each value."""
    columns = [_step(bytes(1), 1 << bit) for bit in range(32)]  # each bit, a zero byte later
    for _ in range(STRIDE.bit_length() - 1):
        columns = [_apply(columns, column) for column in columns]  # twice as many later
    tables = []
    for byte in range(4):
        words = b"".join(_apply(columns, value << 8 * byte).to_bytes(4, "little")
                         for value in range(256))
        tables.append([words[index::4] for index in range(4)])
    return tables


def _apply(columns: list[int], value: int) -> int:
    result = 0
    while value:
        low = value & -value
        result ^= columns[low.bit_length() - 1]
        value ^= low
    return result
