"""pieces.py - bytes of which some are lost: what is known, by offset.  Never changes."""

from __future__ import annotations

import bisect
from collections.abc import Iterator


class Pieces:
    def __init__(self, pieces: list[tuple[int, bytes]]) -> None:
        """In order of their offsets, neither overlapping nor touching."""
        self._starts = [offset for offset, _ in pieces]
        self._pieces = pieces

    @property
    def end(self) -> int:
        """Behind the last known byte."""
        return self._pieces[-1][0] + len(self._pieces[-1][1]) if self._pieces else 0

    def read(self, offset: int, length: int) -> bytes | None:
        """All `length` bytes, or None if one of them is lost."""
        index = bisect.bisect(self._starts, offset) - 1
        if index < 0:
            return b"" if length == 0 else None
        start, data = self._pieces[index]
        found = data[offset - start:offset - start + length]
        return found if len(found) == length else None

    def within(self, start: int, end: int) -> Iterator[tuple[int, bytes]]:
        """(offset, bytes) of every known stretch of [start, end)."""
        index = max(bisect.bisect(self._starts, start) - 1, 0)
        while index < len(self._pieces) and self._starts[index] < end:
            offset, data = self._pieces[index]
            part = data[max(start - offset, 0):end - offset]
            if part:
                yield max(offset, start), part
            index += 1

    def lost(self, start: int, end: int) -> list[tuple[int, int]]:
        """Every stretch [first, last) of [start, end) that is not known."""
        found: list[tuple[int, int]] = []
        for offset, data in self.within(start, end):
            if offset > start:
                found.append((start, offset))
            start = offset + len(data)
        return found + ([(start, end)] if start < end else [])


def joined(first: list[tuple[int, bytes]],
           second: list[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    """Both together, neighbours made one; where they overlap, the bytes of `first`."""
    known = Pieces(first)
    parts = list(first)
    for offset, data in second:
        parts += [(start, data[start - offset:end - offset])
                  for start, end in known.lost(offset, offset + len(data))]
    whole: list[tuple[int, bytearray]] = []
    for offset, data in sorted(parts):
        if whole and whole[-1][0] + len(whole[-1][1]) == offset:
            whole[-1][1].extend(data)
        elif data:
            whole.append((offset, bytearray(data)))
    return [(offset, bytes(data)) for offset, data in whole]
