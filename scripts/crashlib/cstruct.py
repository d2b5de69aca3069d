"""cstruct.py - dataclasses that mirror C structs: each field is declared once, with its width.

    @dataclass
    class Pair:
        first: int = u32()
        rest: tuple[int, ...] = u64(2)
        name: str = text(32)

Little endian, no padding that is not a field.  Knows nothing of crash records.
"""

from __future__ import annotations

import dataclasses
import functools
import struct
from typing import Any, TypeVar

T = TypeVar("T")


def u8(count: int = 1) -> Any:
    return _layout("B", count)


def u16(count: int = 1) -> Any:
    return _layout("H", count)


def u32(count: int = 1) -> Any:
    return _layout("I", count)


def u64(count: int = 1) -> Any:
    return _layout("Q", count)


def raw(length: int) -> Any:
    """Bytes, as they are."""
    return _layout(f"{length}s", 1)


def text(length: int) -> Any:
    """Text, NUL-padded.  What is not UTF-8 shows as a replacement character."""
    return dataclasses.field(metadata={"format": f"{length}s", "count": 1, "text": True})


def _layout(format_: str, count: int) -> Any:
    return dataclasses.field(metadata={"format": format_, "count": count})


@dataclasses.dataclass(frozen=True)
class Place:
    """Where a field lies in its struct."""
    name: str
    offset: int
    size: int


@functools.cache
def size_of(cls: type) -> int:
    return sum(place.size for place in places(cls))


@functools.cache
def places(cls: type) -> tuple[Place, ...]:
    """The fields that have a layout, in order.  Others are of Python's side only."""
    found: list[Place] = []
    offset = 0
    for field in _fields(cls):
        size = struct.calcsize("<" + field.metadata["format"]) * field.metadata["count"]
        found.append(Place(field.name, offset, size))
        offset += size
    return tuple(found)


def decode(cls: type[T], data: bytes) -> T:
    """The struct at the beginning of `data`, which must be long enough."""
    values: dict[str, Any] = {}
    for field, place in zip(_fields(cls), places(cls)):
        format_, count = field.metadata["format"], field.metadata["count"]
        value = struct.unpack_from(f"<{format_ * count}", data, place.offset)
        values[field.name] = value if count > 1 else _scalar(value[0], field)
    return cls(**values)


def encode(value: Any) -> bytes:
    """The bytes of a struct."""
    parts: list[bytes] = []
    for field in _fields(type(value)):
        format_, count = field.metadata["format"], field.metadata["count"]
        item = getattr(value, field.name)
        item = item.encode() if field.metadata.get("text") else item
        parts.append(struct.pack(f"<{format_ * count}", *(item if count > 1 else (item,))))
    return b"".join(parts)


def decode_text(data: bytes) -> str:
    return data.split(b"\0", 1)[0].decode("utf-8", "replace")


def _scalar(value: Any, field: dataclasses.Field[Any]) -> Any:
    return decode_text(value) if field.metadata.get("text") else value


@functools.cache
def _fields(cls: type) -> tuple[dataclasses.Field[Any], ...]:
    return tuple(field for field in dataclasses.fields(cls) if "format" in field.metadata)
