"""core.py - an ELF core that gdb, lldb and drgn open on the crashed context.

What was not saved is left out, never zero-filled: a debugger must say "unavailable".  The raw
record travels in a note of its own, so that nothing is lost.
"""

from __future__ import annotations

import struct
from pathlib import PurePath

from crashlib.contexts import contexts_of
from crashlib.evidence import Evidence
from crashlib.x86 import PRSTATUS_REGISTERS

ET_CORE, EM_X86_64, EI_OSABI_LINUX = 4, 62, 3  # lldb refuses other OS ABIs
PT_LOAD, PT_NOTE, PF_R = 1, 4, 4
NT_PRSTATUS, NT_PRPSINFO, NT_AUXV, NT_SIGINFO = 1, 3, 6, 0x53494749
NT_TRAPLINE_RECORD = 0x50415254  # "TRAP": away from the small numbers, which mean other things
AT_NULL, AT_PAGESZ, AT_ENTRY = 0, 6, 9

# The signal that a process would have been sent, by trap.h's kind.
SIGNALS = {
    "BREAKPOINT": 5, "DEBUG": 5, "ARITHMETIC": 8, "INSTRUCTION": 4, "PAGE_FAULT": 11,
    "PROTECTION": 11, "MACHINE": 7, "DOUBLE": 11, "PANIC": 6,
}
SIGNAL_DEFAULT = 6

EXTENTS_MAX = 0xFFF0  # e_phnum has 16 bits

FILE_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
PROGRAM_HEADER = struct.Struct("<IIQQQQQQ")


def make_core(evidence: Evidence) -> bytes:
    extents = evidence.memory.extents()[:EXTENTS_MAX]
    notes = b"".join(_notes(evidence))
    headers_end = FILE_HEADER.size + PROGRAM_HEADER.size * (1 + len(extents))
    position = headers_end + len(notes)
    headers = [PROGRAM_HEADER.pack(PT_NOTE, PF_R, headers_end, 0, 0, len(notes), 0, 4)]
    for address, data in extents:
        headers.append(PROGRAM_HEADER.pack(PT_LOAD, PF_R, position, address, 0, len(data),
                                           len(data), 1))
        position += len(data)
    return b"".join([_file_header(len(headers)), *headers, notes,
                     *(data for _, data in extents)])


def _file_header(header_count: int) -> bytes:
    ident = b"\x7fELF" + bytes([2, 1, 1, EI_OSABI_LINUX])
    return FILE_HEADER.pack(ident, ET_CORE, EM_X86_64, 1, 0, FILE_HEADER.size, 0, 0,
                            FILE_HEADER.size, PROGRAM_HEADER.size, header_count, 0, 0, 0)


def _notes(evidence: Evidence) -> list[bytes]:
    """In the order that all three debuggers accept: the crashed context first."""
    signal = SIGNALS.get(evidence.kind, SIGNAL_DEFAULT)
    crashed, *others = [
        _note(b"CORE", NT_PRSTATUS, _prstatus(context.registers, signal, context.lwp))
        for context in contexts_of(evidence)]
    return [
        crashed,
        _note(b"CORE", NT_PRPSINFO, _prpsinfo(evidence)),
        _note(b"CORE", NT_SIGINFO, _siginfo(evidence, signal)),
        _note(b"CORE", NT_AUXV, _auxv(evidence)),
        *others,
        _note(b"TRAPLINE", NT_TRAPLINE_RECORD, evidence.record.extract()[0]),
    ]


def _note(name: bytes, kind: int, data: bytes) -> bytes:
    name += b"\0"
    return (struct.pack("<III", len(name), len(data), kind) + _padded(name) + _padded(data))


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def _prstatus(registers: dict[str, int], signal: int, lwp: int) -> bytes:
    """struct elf_prstatus: exactly 336 bytes, or gdb finds no registers."""
    values = [registers.get(name, 0) for name in PRSTATUS_REGISTERS]
    values[PRSTATUS_REGISTERS.index("orig_rax")] = (1 << 64) - 1  # not in a system call
    return (struct.pack("<i8xH18xi76x", signal, signal, lwp) + struct.pack("<27Q", *values)
            + bytes(8))


def _prpsinfo(evidence: Evidence) -> bytes:
    elf = evidence.symbols.elf
    name = PurePath(elf.path).name if elf else "kernel"
    encoded = name.encode("utf-8", "replace")
    return struct.pack("<40x16s80s", encoded[:15], encoded[:79])


def _siginfo(evidence: Evidence, signal: int) -> bytes:
    """si_addr is CR2, where that has to do with the crash."""
    address = evidence.registers.get("cr2", 0) if evidence.kind == "DOUBLE" else evidence.address
    return struct.pack("<iiiiQ104x", signal, 0, 0, 0, address)


def _auxv(evidence: Evidence) -> bytes:
    """AT_ENTRY tells lldb where the kernel lies."""
    elf = evidence.symbols.elf
    entries = [(AT_PAGESZ, 4096)] + ([(AT_ENTRY, elf.entry)] if elf else []) + [(AT_NULL, 0)]
    return b"".join(struct.pack("<QQ", *entry) for entry in entries)
