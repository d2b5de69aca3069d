"""crc32c.py - CRC32C (Castagnoli, reflected), as crashdump/crc32c.c computes it."""

from __future__ import annotations

POLYNOMIAL = 0x82F63B78  # 0x1EDC6F41, bits reversed


def _entry(index: int) -> int:
    for _ in range(8):
        index = index >> 1 ^ (POLYNOMIAL if index & 1 else 0)
    return index


_TABLE = tuple(_entry(index) for index in range(256))


def crc32c(data: bytes, crc: int = 0) -> int:
    """The checksum of `data`, continuing from `crc`."""
    table = _TABLE
    crc ^= 0xFFFFFFFF
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF
