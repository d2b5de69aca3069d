"""memory.py - what is known of the crashed machine's memory, as pieces that do not overlap.

The first source that claims an address keeps it, so callers add the most trustworthy first.
What nobody added is unknown: reads of it return None, never zeros.
"""

from __future__ import annotations

import bisect


ADDRESS_SPACE = 1 << 64


class Memory:
    def __init__(self) -> None:
        self._starts: list[int] = []
        self._pieces: list[bytes] = []

    def add(self, address: int, data: bytes) -> None:
        """Add the parts of `data` that nobody has claimed yet."""
        end = min(address + len(data), ADDRESS_SPACE)
        for start, stop in self._gaps(address, end):
            index = bisect.bisect(self._starts, start)
            self._starts.insert(index, start)
            self._pieces.insert(index, data[start - address:stop - address])

    def read(self, address: int, length: int) -> bytes | None:
        """All `length` bytes, or None if one of them is unknown."""
        known = self.read_prefix(address, length)
        return known if len(known) == length else None

    def read_prefix(self, address: int, length: int) -> bytes:
        """The bytes from `address` up to the first unknown one, `length` at most."""
        parts: list[bytes] = []
        while length > 0:
            index = bisect.bisect(self._starts, address) - 1
            offset = address - self._starts[index] if index >= 0 else -1
            if offset < 0 or offset >= len(self._pieces[index]):
                break
            parts.append(self._pieces[index][offset:offset + length])
            address += len(parts[-1])
            length -= len(parts[-1])
        return b"".join(parts)

    def read_word(self, address: int) -> int | None:
        data = self.read(address, 8)
        return None if data is None else int.from_bytes(data, "little")

    def extents(self) -> list[tuple[int, bytes]]:
        """Every piece, in address order, neighbours joined."""
        joined: list[tuple[int, bytearray]] = []
        for start, piece in zip(self._starts, self._pieces):
            if joined and joined[-1][0] + len(joined[-1][1]) == start:
                joined[-1][1].extend(piece)
            else:
                joined.append((start, bytearray(piece)))
        return [(start, bytes(data)) for start, data in joined]

    def _gaps(self, start: int, end: int) -> list[tuple[int, int]]:
        gaps: list[tuple[int, int]] = []
        index = max(bisect.bisect(self._starts, start) - 1, 0)
        while start < end and index < len(self._starts):
            piece_start = self._starts[index]
            piece_end = piece_start + len(self._pieces[index])
            if piece_start >= end:
                break
            if piece_end > start:
                if piece_start > start:
                    gaps.append((start, piece_start))
                start = piece_end
            index += 1
        if start < end:
            gaps.append((start, end))
        return gaps
