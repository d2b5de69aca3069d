"""inlines.py - which functions a pc is in, inlined ones included, and on which line: from DWARF.

For many records of one kernel: what was read once is kept.  One report asks GDB instead, which
knows variables, too.  Never raises: what is damaged is not known, and the symbol table speaks.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from crashlib.elf import KernelElf
from crashlib.maps import CLONE_SUFFIX

T = TypeVar("T")

SUBPROGRAM, INLINED = "DW_TAG_subprogram", "DW_TAG_inlined_subroutine"
ORIGINS = ("DW_AT_abstract_origin", "DW_AT_specification")
ORIGINS_MOST = 8


@dataclass(frozen=True)
class Line:
    file: str = ""
    line: int = 0


@dataclass(frozen=True)
class Function:
    """A range of a function's code, or of an inlined copy's."""
    start: int
    end: int
    depth: int  # of inlining
    name: str


class Inlines:
    """The functions and lines of one ELF file.  A compilation unit is read when it is needed."""

    def __init__(self, elf: KernelElf) -> None:
        self._elf = elf
        self._functions: dict[int, list[Function]] = {}
        self._lines: dict[int, list[tuple[int, Line | None]]] = {}

    def functions_at(self, pc: int) -> list[str]:
        """Innermost first; of the symbol table if there is nothing better; [] for no code."""
        unit = self._unit_at(pc)
        found = [] if unit is None else _or(
            lambda: self._functions.setdefault(unit.cu_offset, []) or self._read_functions(unit),
            [])
        holding = sorted((f for f in found if f.start <= pc < f.end), key=lambda f: -f.depth)
        symbol = self._elf.symbol_at(pc) if self._elf.is_text(pc) else None
        names = [function.name for function in holding]
        return names or ([CLONE_SUFFIX.sub("", symbol.name)] if symbol else [])

    def line_at(self, pc: int) -> Line:
        unit = self._unit_at(pc)
        rows = [] if unit is None else _or(lambda: self._read_lines(unit), [])
        index = bisect.bisect(rows, pc, key=lambda row: row[0]) - 1
        return (rows[index][1] if index >= 0 else None) or Line()

    @cached_property
    def _dwarf(self) -> Any:
        import logging  # both late: they cost more than the rest of the start

        from elftools.elf.elffile import ELFFile

        logging.getLogger("elftools").setLevel(logging.CRITICAL)
        stream = open(self._elf.path, "rb")  # kept: pyelftools reads when asked
        return _or(lambda: ELFFile(stream).get_dwarf_info(), None)

    @cached_property
    def _index(self) -> list[tuple[int, int, int]]:
        """(start, end, the unit's offset), by address, of those units that .debug_aranges names."""
        table = _or(lambda: self._dwarf.get_aranges().entries, [])
        return sorted((row.begin_addr, row.begin_addr + row.length, row.info_offset)
                      for row in table)

    @cached_property
    def _units(self) -> list[tuple[int, int, int]]:
        """The same of all units."""
        return _or(lambda: sorted(self._read_units()), [])

    def _read_units(self) -> Iterator[tuple[int, int, int]]:
        for unit in self._dwarf.iter_CUs():
            for start, end in self._ranges(unit, unit.get_top_DIE()):
                yield start, end, unit.cu_offset

    def _unit_at(self, pc: int) -> Any:
        offset = _find(self._index, pc)
        offset = _find(self._units, pc) if offset is None else offset
        return None if offset is None else _or(lambda: self._dwarf.get_CU_at(offset), None)

    def _read_functions(self, unit: Any) -> list[Function]:
        found = self._functions[unit.cu_offset]
        pending = [(unit.get_top_DIE(), 0)]
        while pending:
            die, depth = pending.pop()
            if die.tag in (SUBPROGRAM, INLINED):
                name = _name(die)
                found += [Function(start, end, depth, name)
                          for start, end in self._ranges(unit, die) if name]
            pending += [(child, depth + (die.tag in (SUBPROGRAM, INLINED)))
                        for child in die.iter_children()
                        if child.has_children or child.tag in (SUBPROGRAM, INLINED)]
        return found

    def _ranges(self, unit: Any, die: Any) -> Iterator[tuple[int, int]]:
        low, high = (die.attributes.get(name) for name in ("DW_AT_low_pc", "DW_AT_high_pc"))
        if low is not None and high is not None:
            is_address = high.form.startswith("DW_FORM_addr")
            yield low.value, high.value if is_address else low.value + high.value
        elif "DW_AT_ranges" in die.attributes:
            yield from self._range_list(unit, die.attributes["DW_AT_ranges"].value)

    def _range_list(self, unit: Any, offset: int) -> Iterator[tuple[int, int]]:
        base = unit.get_top_DIE().attributes.get("DW_AT_low_pc")
        base = base.value if base is not None else 0
        for row in self._dwarf.range_lists().get_range_list_at_offset(offset, unit):
            if hasattr(row, "base_address"):
                base = row.base_address
            elif getattr(row, "is_absolute", False):
                yield row.begin_offset, row.end_offset
            else:
                yield base + row.begin_offset, base + row.end_offset

    def _read_lines(self, unit: Any) -> list[tuple[int, Line | None]]:
        if unit.cu_offset not in self._lines:
            program = self._dwarf.line_program_for_CU(unit)
            rows = [(entry.state.address, None if entry.state.end_sequence else
                     Line(_file_name(program, entry.state.file), entry.state.line))
                    for entry in program.get_entries() if entry.state is not None]
            self._lines[unit.cu_offset] = sorted(rows, key=lambda row: (row[0], row[1] is not None))
        return self._lines[unit.cu_offset]


def _find(table: list[tuple[int, int, int]], pc: int) -> int | None:
    index = bisect.bisect(table, pc, key=lambda row: row[0]) - 1
    start, end, offset = table[index] if index >= 0 else (0, 0, 0)
    return offset if start <= pc < end else None


def _or(read: Callable[[], T], otherwise: T) -> T:
    """A damaged file makes pyelftools raise nearly anything."""
    try:
        return read()
    except Exception:
        return otherwise


def _name(die: Any) -> str:
    """Its own, or that of what it is a copy of."""
    for _ in range(ORIGINS_MOST):
        if "DW_AT_name" in die.attributes:
            return die.attributes["DW_AT_name"].value.decode("utf-8", "replace")
        origin = next((name for name in ORIGINS if name in die.attributes), None)
        if origin is None:
            break
        die = die.get_DIE_from_attribute(origin)
    return ""


def _file_name(program: Any, number: int) -> str:
    header = program.header
    entry = header.file_entry[number - (header.version < 5)]
    folders = header.include_directory
    index = entry.dir_index - (header.version < 5)
    folder = folders[index] if 0 <= index < len(folders) else b""
    folder = getattr(folder, "DW_LNCT_path", folder) if not isinstance(folder, bytes) else folder
    return str(Path(folder.decode("utf-8", "replace"), entry.name.decode("utf-8", "replace")))
