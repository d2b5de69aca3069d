"""compression.py - payloads that were compressed (FORMAT.md, "Compression"), spelled out again.

Total: any bytes give some bytes, never an exception, and never more than were asked for.
"""

from __future__ import annotations

MATCH_LEAST = 4
NIBBLE, BYTE = 15, 255


def decompress(data: bytes, length: int) -> bytes:
    """The first `length` bytes that `data` stands for; fewer if it is cut short or damaged."""
    raw, place = bytearray(), 0
    while place < len(data) and len(raw) < length:
        token = data[place]
        count, place = _length(data, place + 1, token >> 4)
        if count < 0:
            break
        raw += data[place:place + count]
        place += count
        distance = int.from_bytes(data[place:place + 2], "little")
        if place + 2 > len(data) or not 0 < distance <= len(raw):
            break
        count, place = _length(data, place + 2, token & NIBBLE)
        if count < 0:
            break
        _copy(raw, distance, min(count + MATCH_LEAST, length - len(raw)))
    return bytes(raw[:length])


def _length(data: bytes, place: int, nibble: int) -> tuple[int, int]:
    """A length that began in a token, and where it ends; -1 if it is cut short."""
    length = nibble
    while nibble == NIBBLE:
        if place >= len(data):
            return -1, place
        length += data[place]
        place += 1
        if data[place - 1] != BYTE:
            break
    return length, place


def _copy(raw: bytearray, distance: int, count: int) -> None:
    """Bytes from `distance` before the end, which may be bytes that this very copy makes."""
    start = len(raw) - distance
    pattern = bytes(raw[start:start + count])
    if pattern:
        raw += (pattern * (count // len(pattern) + 1))[:count]
