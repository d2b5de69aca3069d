"""contents.py - what a section's payload says, decoded into the dataclasses of payloads.py.

A payload may have lost bytes: what they would have said is left out (None, or a shorter list),
and the rest is decoded all the same.  Never raises; believes no length that leads outside.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from crashlib import cstruct
from crashlib.chains import (cpu_is_sane, decode_log, decode_memory, register_values,
                             thread_is_sane, with_values)
from crashlib.payload import Payload
from crashlib.payloads import (Cause, Code, End, Frame, MapEntry, Nested, Registers, SectionHeader,
                               Walk)
from crashlib.system import Cpu, Event, Lock, TextPage, Thread

T = TypeVar("T")

LONGEST_CODE = 64


def decode(tag: str, payload: Payload) -> Any:
    """The payload as its section's type; None if nothing of it is usable, and bytes for a tag
    that is not known."""
    decoder = DECODERS.get(tag)
    return decoder(payload) if decoder else payload.read(0, payload.length)


# ---- Sections that are one struct, or an array of one ----

def _one(cls: type[T]) -> Callable[[Payload], T | None]:
    return lambda payload: payload.struct(cls)


def _many(cls: type[T]) -> Callable[[Payload], list[T] | None]:
    """None if all of it is lost; an empty section is an empty list."""
    return lambda payload: payload.array(cls) or (None if payload.length else [])


def _registers(payload: Payload) -> Registers | None:
    registers = payload.struct(Registers)
    if registers is None:
        return None
    registers.values = register_values(payload, cstruct.size_of(Registers), registers)
    return registers


def _code(payload: Payload) -> Code | None:
    code = payload.struct(Code)
    if code is None:
        return None
    code.address = payload.address
    for index in range(min(code.length, LONGEST_CODE)):
        byte = payload.read(cstruct.size_of(Code) + index, 1)
        if byte is None or not code.valid >> index & 1:
            continue
        address, run = code.pieces[-1] if code.pieces else (0, b"")
        if run and address + len(run) == code.address + index:
            code.pieces[-1] = (address, run + byte)
        else:
            code.pieces.append((code.address + index, byte))
    return code


def _end(payload: Payload) -> End | None:
    end = payload.struct(End)
    if end is not None:
        end.headers = payload.array(SectionHeader, cstruct.size_of(End), end.header_count)
    return end


def _annotations(payload: Payload) -> dict[str, str] | None:
    found: dict[str, str] = {}
    for offset, data in payload.pieces(0, payload.length):
        lines = data.split(b"\n")
        if offset > 0 and payload.read(offset - 1, 1) is None:
            lines = lines[1:]  # its beginning is lost
        if offset + len(data) < payload.length:
            lines = lines[:-1]  # its end is lost
        for line in lines:
            key, equals, value = line.decode("utf-8", "replace").partition("=")
            if equals:
                found[key] = value
    return found or (None if payload.length else {})


DECODERS: dict[str, Callable[[Payload], Any]] = {
    "CAUS": _one(Cause),
    "REGS": _registers,
    "CODE": _code,
    "PTWK": _many(Walk),
    "BTRC": _many(Frame),
    "STAK": decode_memory,
    "CPUS": with_values(Cpu, cpu_is_sane),
    "LOCK": _many(Lock),
    "THRD": with_values(Thread, thread_is_sane),
    "TSTK": decode_memory,
    "FLIT": _many(Event),
    "LOGR": decode_log,
    "MAPS": _many(MapEntry),
    "MEMR": decode_memory,
    "ANNO": _annotations,
    "TEXT": _many(TextPage),
    "NEST": _many(Nested),
    "ENDS": _end,
}
