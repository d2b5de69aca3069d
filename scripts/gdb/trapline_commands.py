"""trapline_commands.py - GDB's commands `trapline ...`: what the kernel knows, shown alike for a
live one and for a crash.  .gdbinit and `crash.py gdb` load it.

Each command is a function of its argument that returns lines, and a row of COMMANDS: its first line
of documentation is the help.
"""

import sys
from pathlib import Path

import gdb

HERE = Path(__file__).resolve().parent
sys.path[:0] = [path for path in (str(HERE), str(HERE.parent)) if path not in sys.path]

import trapline_state as state  # noqa: E402  (the lines above find it)
from crashlib.maps import range_name  # noqa: E402
from crashlib.payloads import LOG_LEVELS  # noqa: E402
from crashlib.tables import vectors  # noqa: E402
from crashlib.x86 import MASK64, PAGE, is_canonical  # noqa: E402

LOG_LINES = 24
GATE_BYTES, SYSTEM_DESCRIPTOR = 16, 16
GATE_TYPES = {0xE: "interrupt", 0xF: "trap"}
SEGMENT_TYPES = ("data", "code")  # SDM 3A table 3-1, by bit 3 of the type
SYSTEM_TYPES = {0x2: "LDT", 0x9: "TSS, available", 0xB: "TSS, busy", 0xC: "call gate"}
TSS_RSP, TSS_IST, TSS_IST_SLOTS, TSS_BYTES = 4, 36, 7, 104  # SDM 3A figure 8-11


def log(argument):
    """The kernel's last messages.  trapline log [COUNT]"""
    entries = state.log_entries(max(number(argument), 1) if argument else LOG_LINES)
    return [f"[{entry.time_us / 1e6:12.6f}] cpu {entry.cpu} {LOG_LEVELS[entry.level & 3]:<7} "
            f"{entry.text}" for entry in entries] or ["the log is empty"]


def pagewalk(argument):
    """The page tables' entries for an address.  trapline pagewalk ADDRESS"""
    found = state.walk(address(argument))
    lines = [f"{step.level}[{step.index}] = {step.entry:#018x}" for step in found.steps]
    return [*lines, f"{found.address:#x}: {found.summary()}"]


def whatis(argument):
    """What an address is: symbol, stack, guard page, heap; and how it is mapped.
    trapline whatis ADDRESS"""
    value = address(argument)
    book = state.address_book()
    words = book.describe(value)
    lines = [f"{value:#x}" + (f": {words}" if words else ": nothing known by that address")]
    held = book.map_at(value)
    if held is not None:
        lines.append(f"  in {range_name(held)}, {held.start:#x} to {held.end:#x}, "
                     f"{held.permissions}")
    if value < PAGE or not is_canonical(value):
        return lines
    try:
        lines.append(f"  {state.walk(value).summary()}")
    except gdb.GdbError as error:
        lines.append(f"  how it is mapped is not known: {error}")
    return lines


def idt(argument):
    """The interrupt descriptor table.  trapline idt [VECTOR]"""
    table = state.variable("arch/x86_64/descriptors.c", "idt")
    data = state.read_bytes(state.address_of(table), table.type.sizeof)
    gates = [data[at:at + GATE_BYTES] for at in range(0, len(data), GATE_BYTES)]
    if argument:
        vector = number(argument)
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
    cpu = number(argument) if argument else 0
    if cpu > tables.type.range()[1]:
        raise gdb.GdbError(f"there are {tables.type.range()[1] + 1} CPUs at most")
    return tables[cpu]


# ---- The family ---------------------------------------------------------------------------------

COMMANDS = (log, whatis, pagewalk, idt, gdt, tss)


def number(argument):
    """An expression's value."""
    try:
        return int(gdb.parse_and_eval(argument))
    except (gdb.error, ValueError) as error:
        raise gdb.GdbError(f"{argument}: {error}") from error


def address(argument):
    if not argument:
        raise gdb.GdbError("which address?")
    try:
        value = gdb.parse_and_eval(argument)
        if value.type.strip_typedefs().code in (gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_ARRAY,
                                                gdb.TYPE_CODE_FUNC):
            value = value.address
        return int(value) & MASK64
    except (gdb.error, ValueError, TypeError) as error:
        raise gdb.GdbError(f"{argument}: {error}") from error


class Family(gdb.Command):
    """What the kernel knows: trapline log, whatis, pagewalk, idt, gdt, tss."""

    def __init__(self):
        super().__init__("trapline", gdb.COMMAND_DATA, prefix=True)

    def invoke(self, _argument, _from_tty):
        gdb.execute("help trapline")


class Member(gdb.Command):
    def __init__(self, function):
        self.__doc__ = function.__doc__
        self._function = function
        complete = gdb.COMPLETE_EXPRESSION if function in (whatis, pagewalk) else gdb.COMPLETE_NONE
        super().__init__(f"trapline {function.__name__}", gdb.COMMAND_DATA, complete)

    def invoke(self, argument, _from_tty):
        if not gdb.selected_inferior().threads():  # GDB would read the ELF file's initial values
            raise gdb.GdbError("no kernel: GDB is neither attached to one nor has a core")
        try:
            print("\n".join(self._function(argument.strip())))
        except gdb.MemoryError as error:
            raise gdb.GdbError(str(error)) from error
        except gdb.error as error:
            raise gdb.GdbError(str(error)) from error


def is_defined(command):
    try:
        gdb.execute(f"help {command}", to_string=True)
        return True
    except gdb.error:
        return False


def define():
    if not is_defined("trapline"):  # .gdbinit's, which connects
        Family()
    for function in COMMANDS:
        Member(function)


define()
