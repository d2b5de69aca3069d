"""payload.py - the bytes of one section, of which some may be lost.

Believes no length that leads outside.  Knows no section (contents.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

from crashlib import cstruct
from crashlib.pieces import Pieces

T = TypeVar("T")

ALIGNMENT = 8


@dataclass(frozen=True)
class Payload:
    """[start, start + length) of the record, as far as it is known."""
    known: Pieces
    start: int
    length: int
    address: int  # as the section's header says

    def read(self, offset: int, length: int) -> bytes | None:
        if offset + length > self.length:
            return None
        return self.known.read(self.start + offset, length)

    def pieces(self, offset: int, length: int) -> Iterator[tuple[int, bytes]]:
        """The known stretches of a range, as (offset in the payload, bytes)."""
        end = min(offset + length, self.length)
        for place, data in self.known.within(self.start + offset, self.start + end):
            yield place - self.start, data

    def next_known(self, offset: int) -> int:
        """The first aligned place from `offset` on that is not lost; `length` if there is none."""
        places = (padded(place) for place, _ in self.pieces(offset, self.length))
        return next(places, self.length)

    def struct(self, cls: type[T], offset: int = 0) -> T | None:
        data = self.read(offset, cstruct.size_of(cls))
        return None if data is None else cstruct.decode(cls, data)

    def array(self, cls: type[T], offset: int = 0, count: int | None = None) -> list[T]:
        """The structs from `offset` on, without those of which a byte is lost."""
        size = cstruct.size_of(cls)
        room = max(min(self.length, self.known.end - self.start) - offset, 0) // size
        places = range(offset, offset + size * min(room, room if count is None else count), size)
        found = (self.struct(cls, place) for place in places)
        return [item for item in found if item is not None]


def padded(length: int) -> int:
    return length + -length % ALIGNMENT
