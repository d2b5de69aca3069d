"""trapline_show_processor.py - part of trapline_commands.py: what the processor reads from memory,
decoded: page tables, IDT, GDT, TSS.
"""

import gdb
import trapline_state as state
from crashlib.maps import range_name
from crashlib.tables import vectors

GATE_BYTES, SYSTEM_DESCRIPTOR = 16, 16
GATE_TYPES = {0xE: "interrupt", 0xF: "trap"}
SEGMENT_TYPES = ("data", "code")  # SDM 3A table 3-1, by bit 3 of the type
SYSTEM_TYPES = {0x2: "LDT", 0x9: "TSS, available", 0xB: "TSS, busy", 0xC: "call gate"}
TSS_RSP, TSS_IST, TSS_IST_SLOTS, TSS_BYTES = 4, 36, 7, 104  # SDM 3A figure 8-11



def pagewalk(argument):
    """The page tables' entries for an address.  trapline pagewalk ADDRESS"""
    found = state.walk(state.address(argument))
    lines = [f"{step.level}[{step.index}] = {step.entry:#018x}" for step in found.steps]
    return [*lines, f"{found.address:#x}: {found.summary()}"]


def idt(argument):
    """The interrupt descriptor table.  trapline idt [VECTOR]"""
    table = state.variable("arch/x86_64/descriptors.c", "idt")
    data = state.read_bytes(state.address_of(table), table.type.sizeof)
    gates = [data[at:at + GATE_BYTES] for at in range(0, len(data), GATE_BYTES)]
    if argument:
        vector = state.number(argument)
        if vector >= len(gates):
            raise gdb.GdbError(f"there are {len(gates)} vectors")
        return [gate_line(vector, gates[vector])]
    lines = [gate_line(vector, gate) for vector, gate in enumerate(gates[:32])]
    rest = {gate_words(gate)[1] for gate in gates[32:]}
    first, last = (state.symbol(gate_words(gate)[0]) for gate in (gates[32], gates[-1]))
    if len(rest) == 1:
        return [*lines, f" 32 to {len(gates) - 1}: {first} to {last}, {rest.pop()}"]
    return lines + [gate_line(n + 32, gate) for n, gate in enumerate(gates[32:])]


def gate_line(vector, gate):
    row = next((row for row in vectors() if row.number == vector), None)
    name = f"#{row.mnemonic} {row.name}" if row else "interrupt"
    handler, how = gate_words(gate)
    return f"{vector:>3} {name:<30} {state.symbol(handler) or hex(handler):<24} {how}"


def gate_words(gate):
    """SDM 3A figure 6-8: (the handler, the rest)."""
    offset = int.from_bytes(gate[0:2] + gate[6:12], "little")
    selector, ist, kind = int.from_bytes(gate[2:4], "little"), gate[4] & 7, gate[5]
    if not kind & 0x80:
        return offset, "not present"
    type_ = GATE_TYPES.get(kind & 15, f"type {kind & 15:#x}")
    stack = f", IST {ist}" if ist else ""
    return offset, f"{type_} gate, selector {selector:#x}, DPL {kind >> 5 & 3}{stack}"


def gdt(argument):
    """A CPU's global descriptor table.  trapline gdt [CPU]"""
    table = cpu_tables(argument)["gdt"]
    data = state.read_bytes(state.address_of(table), table.type.sizeof)
    lines, at = [], 0
    while at < len(data):
        value = int.from_bytes(data[at:at + 8], "little")
        system = value >> 47 & 1 and not value >> 44 & 1
        size = SYSTEM_DESCRIPTOR if system else 8
        high = int.from_bytes(data[at + 8:at + 16], "little") if system else 0
        lines.append(f"{at:#06x} {value:016x} {descriptor_words(value, high)}")
        at += size
    return lines


def descriptor_words(value, high):
    """SDM 3A 3.4.5 and 8.2.3."""
    if not value >> 47 & 1:
        return "null" if not value else "not present"
    type_, level = value >> 40 & 15, value >> 45 & 3
    base = value >> 16 & 0xFFFFFF | (value >> 56 & 0xFF) << 24 | (high & 0xFFFFFFFF) << 32
    if not value >> 44 & 1:
        name = SYSTEM_TYPES.get(type_, f"system type {type_:#x}")
        return f"{name}, at {state.symbol(base) or hex(base)}"
    wide = ", 64 bits" if value >> 53 & 1 else ""
    return f"{SEGMENT_TYPES[type_ >> 3 & 1]}, DPL {level}{wide}"


def tss(argument):
    """A CPU's task state segment: its stacks.  trapline tss [CPU]"""
    data = state.read_bytes(state.address_of(cpu_tables(argument)["tss"]), TSS_BYTES)
    book = state.address_book()
    names = [("rsp0", TSS_RSP)] + [(f"ist{n + 1}", TSS_IST + 8 * n) for n in range(TSS_IST_SLOTS)]
    lines = []
    for name, at in names:
        value = int.from_bytes(data[at:at + 8], "little")
        if value:
            held = book.stack_at(value)  # one past a stack's last byte is its top
            words = f"top of {range_name(held)}" if held and held.end == value else (
                book.describe(value))
            lines.append(f"{name} {value:#018x} {words}".rstrip())
    return lines


def cpu_tables(argument):
    tables = state.variable("arch/x86_64/descriptors.c", "tables")
    cpu = state.number(argument) if argument else 0
    if cpu > tables.type.range()[1]:
        raise gdb.GdbError(f"there are {tables.type.range()[1] + 1} CPUs at most")
    return tables[cpu]
