"""poison.py - the bytes that the kernel's heap fills memory with, and what it means to meet them.

The one table of them on the host's side.
"""

from __future__ import annotations

from dataclasses import dataclass

from crashlib.x86 import MASK64

REACH = 4096  # how far from a poisoned pointer an access through it may lie


@dataclass(frozen=True)
class Poison:
    byte: int
    rule: str
    cause: str  # a verdict; {what}: "read", "write", "call"
    words: str  # of a value


POISONS = (
    Poison(0xDF, "use-after-free", "use after free: {what} through a pointer out of freed memory",
           "what freed heap memory is filled with"),
    Poison(0xFD, "red-zone", "heap overrun: {what} through a pointer out of a red zone",
           "what the red zone around a heap block is filled with"),
    Poison(0xCD, "uninitialised", "uninitialised pointer: {what} through what new memory holds",
           "what new heap memory is filled with"),
)


def poison_of(value: int) -> Poison | None:
    """The filling that a whole 64-bit value is made of."""
    data = (value & MASK64).to_bytes(8, "little")
    return next((row for row in POISONS if data == bytes([row.byte]) * 8), None)


def poison_near(address: int) -> Poison | None:
    """The filling of a pointer through which this address was computed."""
    for row in POISONS:
        pointer = int.from_bytes(bytes([row.byte]) * 8, "little")
        if abs(address - pointer) < REACH:
            return row
    return None
