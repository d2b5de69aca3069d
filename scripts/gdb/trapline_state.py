"""trapline_state.py - imported by trapline_commands.py: what the kernel in GDB holds, read from its
memory; for a crash also what only its record tells.

A live kernel and a core look alike from here.  What cannot be read is a gdb.GdbError with one line
of words, never a guess.
"""

import json
import os
import re
from pathlib import Path

import gdb
from crashlib.maps import AddressBook, Range
from crashlib.payloads import Captured, LogEntry, MapKind, name_of
from crashlib.payloads import Walk as RecordedWalk
from crashlib.pagewalk import PRESENT, LARGE, decode_walk
from crashlib.x86 import MASK64, is_canonical

ROOT = Path(__file__).resolve().parents[2]
FRAME_BITS = 0x000FFFFFFFFFF000
LA57 = 1 << 12  # of CR4: five levels of page tables


def facts():
    """What `crash.py gdb` knows of the record beyond the core; empty for a live kernel."""
    path = os.environ.get("TRAPLINE_CORE_FACTS")
    if path is None:
        return {}
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def read_bytes(address, length):
    """Raises gdb.MemoryError."""
    return bytes(gdb.selected_inferior().read_memory(address & MASK64, length))


def read_word(address):
    return int.from_bytes(read_bytes(address, 8), "little")


def variable(file, name):
    """A variable of the kernel, static ones of a file included; its bytes are read when asked for,
    as there may be many."""
    try:
        value = gdb.parse_and_eval(f"'{file}'::{name}")
        read_bytes(address_of(value), 1)
        return value
    except gdb.MemoryError as error:
        raise gdb.GdbError(f"{name}, of {file}, was not saved in this core") from error
    except gdb.error as error:
        raise gdb.GdbError(f"{name}, of {file}, cannot be read: {error}") from error


def address_of(value):
    return int(value.address) & MASK64


def elements(array):
    """(index, value) of each element; None for the value of one that cannot be read."""
    for index in range(array.type.range()[1] + 1):
        try:
            value = array[index]
            value.fetch_lazy()  # at once
            yield index, value
        except gdb.MemoryError:
            yield index, None


def struct_at(address, tag):
    """None if it cannot be read."""
    try:
        pointer = gdb.Value(address & MASK64).cast(gdb.lookup_type(f"struct {tag}").pointer())
        value = pointer.dereference()
        value.fetch_lazy()
        return value
    except gdb.MemoryError:
        return None


def target_of(pointer, problems, what):
    """What a pointer points at; None for NULL, and, with a line in problems, if that cannot be
    read."""
    if not int(pointer):
        return None
    try:
        value = pointer.dereference()
        value.fetch_lazy()
        return value
    except gdb.MemoryError:
        problems.append(f"{what}: {int(pointer) & MASK64:#x} cannot be read")
        return None


def characters(array):
    """The text in an array of char, up to its NUL, whatever else the bytes are."""
    data = bytes(int(array[n]) & 0xFF for n in range(array.type.range()[1] + 1))
    return data.split(b"\0")[0].decode("utf-8", "replace")


def text_at(pointer, most, problems, what):
    """The string that a char * points at; "" for NULL, and, with a line in problems, if it cannot
    be read."""
    if not int(pointer):
        return ""
    try:
        return pointer.string("utf-8", "replace", length=-1)[:most]
    except gdb.MemoryError:
        problems.append(f"{what}: no text at {int(pointer) & MASK64:#x}")
        return ""


def place(address):
    """ "function at file:line", of any number """
    address &= MASK64
    line = gdb.find_pc_line(address)
    at = f" at {line.symtab.filename}:{line.line}" if line.symtab is not None else ""
    return (symbol(address).partition("+")[0] or hex(address)) + at


def register(name):
    """Of the selected thread; for a crash also what a core has no place for, or None."""
    value = gdb.parse_and_eval(f"${name}")
    if value.type.code == gdb.TYPE_CODE_VOID:
        return None
    return int(value.cast(gdb.lookup_type("unsigned long long")))  # flags types, too


class Symbols:
    """The symbol table, as AddressBook wants it."""

    class Found:
        def __init__(self, name, start):
            self.name, self.start = name, start

    def symbol_at(self, address):
        words = gdb.execute(f"info symbol {address:#x}", to_string=True)
        found = re.match(r"(\S+)(?: \+ (\d+))? in section", words)
        return self.Found(found[1], address - int(found[2] or 0)) if found else None


def address_book():
    return AddressBook(ranges(), Symbols())


def ranges():
    """What memory there is: the kernel's own list, else the record's."""
    try:
        regions = variable("arch/x86_64/regions.c", "regions")
        regions.fetch_lazy()  # at once
        rows = [regions["list"][n] for n in range(int(regions["count"]))]
        return [Range(int(row["start"]), int(row["end"]), name_of(MapKind, int(row["kind"])),
                      permission_letters(int(row["permissions"])), name_of(Captured, 0),
                      row["name"].string()) for row in rows]
    except (gdb.GdbError, gdb.error):
        return [Range(*row) for row in facts().get("ranges", [])]


def permission_letters(bits):
    return "".join(letter if bits >> n & 1 else "-" for n, letter in enumerate("rwx"))


def symbol(address):
    """ "function+0x12", or "" """
    return AddressBook([], Symbols()).symbol(address)


def log_entries(most):
    """The last messages, oldest first: those in the kernel's ring, else the record's."""
    try:
        return _ring_entries(most)
    except (gdb.GdbError, gdb.MemoryError):
        if "log" not in facts():
            raise
        return [LogEntry(**row) for row in facts()["log"]][-most:]


def _ring_entries(most):
    ring = variable("kernel/log.c", "ring")
    slots, following = ring["slots"], int(ring["next"])
    count = slots.type.range()[1] + 1
    found = []
    for sequence in range(following - 1, max(following - count, 0) - 1, -1):
        slot = slots[sequence % count]
        slot.fetch_lazy()  # at once
        if int(slot["state"]) == 2 * sequence + 2 and len(found) < most:  # log.c's complete()
            found.append(_log_entry(sequence, slot["entry"]))
    return found[::-1]


def _log_entry(sequence, entry):
    length = int(entry["length"])
    text = entry["text"].string("latin-1", length=length).encode("latin-1")
    return LogEntry(sequence, int(entry["time_us"]), int(entry["level"]), length,
                    int(entry["cpu"]), text.decode("utf-8", "replace"))


def direct_map():
    """Where physical memory is mapped: memory_layout.h says it."""
    text = (ROOT / "arch/x86_64/memory_layout.h").read_text(encoding="utf-8")
    return int(re.search(r"#define DIRECT_MAP\s+(0x[0-9a-f]+)", text)[1], 16)


def walk(address):
    """The page-table walk of an address, read now, else the one that the record has."""
    root = register("cr3")
    if root is None:
        raise gdb.GdbError("CR3 is not known: neither a live kernel nor `crash.py gdb`")
    levels = 5 if (register("cr4") or 0) & LA57 else 4
    try:
        return decode_walk(_walk(address & MASK64, root & FRAME_BITS, levels))
    except gdb.MemoryError as error:
        for row in facts().get("walks", []):
            if row["address"] == address:
                return decode_walk(RecordedWalk(**row))
        raise gdb.GdbError(f"the page tables were not saved: {error}") from error


def _walk(address, root, levels):
    entries, table, depth = [], root, 0
    canonical = is_canonical(address)
    while canonical and depth < levels:
        shift = 12 + 9 * (levels - 1 - depth)
        entries.append(read_word(direct_map() + table + 8 * (address >> shift & 511)))
        table, depth = entries[-1] & FRAME_BITS, depth + 1
        if not entries[-1] & PRESENT or (entries[-1] & LARGE and depth > 1) or depth == levels:
            break
    mapped = bool(entries) and bool(entries[-1] & PRESENT)
    size = 1 << 12 + 9 * (levels - depth)
    physical = (table & -size) + (address & size - 1) if mapped else 0
    return RecordedWalk(address, 0, levels, len(entries), int(mapped), int(canonical), root,
                        physical, tuple(entries + [0] * (5 - len(entries))))


# ---- What a person has typed -------------------------------------------------------------------

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
