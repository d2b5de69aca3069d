"""payloads.py - the structs of crashdump/record.h, and what each section of a record holds; those
about all CPUs and threads are in system.py.

Declares only: sections.py decodes them.  The fields with a width are C's, in C's order (a test
compares them with the compiler's DWARF); the others hold what follows the struct.  Numbers with
a vocabulary stay plain ints, because a newer kernel may use words that this reader has not met:
name_of() gives the word.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, IntFlag

from crashlib.cstruct import raw, text, u8, u16, u32, u64

MAGIC = b"TRAP\xf1\r\n\x1a"
FORMAT_MAJOR = 1  # readers refuse a higher one
MACHINE_X86_64 = 62

# REGS on each machine: the values' names, in their order (FORMAT.md, "REGS").
REGISTER_NAMES = {
    MACHINE_X86_64: (
        "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp", "r8", "r9", "r10", "r11", "r12",
        "r13", "r14", "r15", "rip", "eflags", "cs", "ss", "ds", "es", "fs", "gs", "fs_base",
        "gs_base", "k_gs_base", "cr0", "cr2", "cr3", "cr4", "cr8", "efer"),
}


class RecordFlags(IntFlag):
    MINIMAL = 1


class SectionFlags(IntFlag):
    COMPRESSED = 1
    TRUNCATED = 2
    FAULTED = 4
    REDACTED = 8


class WalkPurpose(IntEnum):
    ADDRESS = 1
    PC = 2
    STACK = 3


class Trust(IntEnum):
    CONTEXT = 1
    FRAME = 2
    SCAN = 3


class UnitFlags(IntFlag):
    HOLE = 1
    ZERO = 2
    SECRET = 4


class MapKind(IntEnum):
    TEXT = 1
    RODATA = 2
    DATA = 3
    STACK = 4
    GUARD = 5
    HEAP = 6
    DIRECT = 7
    DEVICE = 8
    PHYSICAL = 9


class Captured(IntEnum):
    NO = 0
    YES = 1
    PARTLY = 2
    IN_FILE = 3
    SECRET = 4


class MapPermissions(IntFlag):
    READ = 1
    WRITE = 2
    EXECUTE = 4


class TrapKind(IntEnum):
    """record.h's enum crash_kind."""
    INTERRUPT = 0
    NMI = 1
    BREAKPOINT = 2
    DEBUG = 3
    ARITHMETIC = 4
    INSTRUCTION = 5
    PAGE_FAULT = 6
    PROTECTION = 7
    MACHINE = 8
    DOUBLE = 9
    PANIC = 10
    SYSCALL = 11


class TrapOrigin(IntEnum):
    KERNEL = 0
    USER = 1


class TrapAccess(IntFlag):
    PRESENT = 1
    WRITE = 2
    USER = 4
    RESERVED = 8
    EXECUTE = 16
    OTHER = 32


LOG_LEVELS = ("error", "warning", "notice", "debug")


def name_of(vocabulary: type[IntEnum], value: int) -> str:
    """ "PAGE_FAULT", or "unknown (77)" """
    try:
        return vocabulary(value).name
    except ValueError:
        return f"unknown ({value})"


def named_values(machine: int, values: list[int | None]) -> dict[str, int]:
    """The known ones, by the machine's names for them; empty for an unknown machine."""
    pairs = zip(REGISTER_NAMES.get(machine, ()), values)
    return {name: value for name, value in pairs if value is not None}


@dataclass
class Header:
    magic: bytes = raw(8)
    major: int = u16()
    minor: int = u16()
    header_length: int = u32()
    machine: int = u16()
    cpu_count: int = u16()
    sequence: int = u32()
    boot_id: bytes = raw(16)
    build_id: bytes = raw(20)
    build_id_length: int = u32()
    flags: int = u32()
    record_id: int = u32()
    reserved: bytes = raw(52)
    crc: int = u32()


@dataclass
class SectionHeader:
    tag: bytes = raw(4)
    version: int = u16()
    flags: int = u16()
    stored_length: int = u32()
    raw_length: int = u32()
    address: int = u64()
    index: int = u32()
    crc: int = u32()


@dataclass
class Cause:
    kind: int = u32()  # TrapKind
    vector: int = u32()
    error: int = u64()
    pc: int = u64()
    address: int = u64()
    access: int = u32()  # TrapAccess
    origin: int = u32()  # TrapOrigin
    cpu: int = u32()
    thread: int = u32()
    nesting: int = u32()
    reserved: int = u32()
    uptime_us: int = u64()
    arguments: tuple[int, ...] = u64(4)
    name: str = text(32)
    thread_name: str = text(32)
    text: str = text(128)


@dataclass
class Registers:
    cpu: int = u32()
    count: int = u32()
    valid: tuple[int, ...] = u64(2)
    values: list[int | None] = field(default_factory=list)  # None: not read, or lost

    def by_name(self, machine: int) -> dict[str, int]:
        return named_values(machine, self.values)


@dataclass
class Code:
    pc_offset: int = u32()
    length: int = u32()
    valid: int = u64()
    address: int = 0  # of the first byte
    pieces: list[tuple[int, bytes]] = field(default_factory=list)  # (address, readable bytes)


@dataclass
class Walk:
    address: int = u64()
    purpose: int = u32()  # WalkPurpose
    levels: int = u8()
    read: int = u8()
    mapped: int = u8()
    canonical: int = u8()
    root: int = u64()
    physical: int = u64()
    entries: tuple[int, ...] = u64(5)


@dataclass
class Frame:
    pc: int = u64()
    frame: int = u64()
    trust: int = u32()  # Trust
    reserved: int = u32()


@dataclass
class Unit:
    address: int = u64()
    length: int = u32()
    flags: int = u32()  # UnitFlags


@dataclass
class MemoryUnits:
    """A section of memory.  In none of the lists are neighbours joined."""
    pieces: list[tuple[int, bytes]] = field(default_factory=list)  # (address, bytes)
    zeros: list[tuple[int, int]] = field(default_factory=list)  # (address, length), all zero
    holes: list[tuple[int, int]] = field(default_factory=list)  # (address, length), unreadable


@dataclass
class LogEntry:
    sequence: int = u64()
    time_us: int = u64()
    level: int = u16()  # index of LOG_LEVELS
    length: int = u16()
    cpu: int = u32()
    text: str = ""


@dataclass
class MapEntry:
    start: int = u64()
    end: int = u64()
    kind: int = u16()  # MapKind
    permissions: int = u16()  # MapPermissions
    captured: int = u32()  # Captured
    name: str = text(32)


@dataclass
class Nested:
    tag: bytes = raw(4)
    kind: int = u32()  # TrapKind
    vector: int = u32()
    reserved: int = u32()
    error: int = u64()
    pc: int = u64()
    address: int = u64()
    text: str = text(64)


@dataclass
class End:
    section_count: int = u32()
    faulted: int = u32()
    length: int = u64()
    time_used_us: int = u64()
    sections_crc: int = u32()
    header_count: int = u32()
    headers: list[SectionHeader] = field(default_factory=list)  # of the sections before
