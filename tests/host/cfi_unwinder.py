"""cfi_unwinder.py - an unwinder that shares no code with any debugger: pyelftools reads .eh_frame,
this file follows its rules (DWARF 4, 6.4) over a record's memory.

Knows the rules that compilers and entry stubs use for registers: undefined, same value, offset from
the CFA.  Anything else ends the walk, as does memory that was not saved.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from elftools.dwarf.callframe import CIE, FDE
from elftools.elf.elffile import ELFFile

# DWARF's numbers (System V ABI for AMD64, figure 3.36); 16 is the return address.
NUMBERS = ("rax", "rdx", "rcx", "rbx", "rsi", "rdi", "rbp", "rsp", "r8", "r9", "r10", "r11", "r12",
           "r13", "r14", "r15", "rip")
SP, RETURN_ADDRESS = NUMBERS.index("rsp"), NUMBERS.index("rip")
SAVED_BY_CALLEE = ("rbx", "rbp", "r12", "r13", "r14", "r15")
MASK64 = (1 << 64) - 1
FRAMES_MAX = 4096

ReadWord = Callable[[int], "int | None"]


class Unwinder:
    def __init__(self, elf: Path) -> None:
        with open(elf, "rb") as file:
            dwarf = ELFFile(file).get_dwarf_info()
            self._entries = [entry for entry in dwarf.EH_CFI_entries() if isinstance(entry, FDE)]
            for entry in self._entries:
                entry.get_decoded()  # while the file is open

    def walk(self, registers: dict[str, int], read_word: ReadWord) -> list[int]:
        """The pcs of the frames, innermost first; inlined functions are no frames of their own."""
        state = [registers.get(name) for name in NUMBERS]
        pcs: list[int] = []
        after_call = False
        while state[RETURN_ADDRESS] and len(pcs) < FRAMES_MAX:
            pcs.append(state[RETURN_ADDRESS])
            found = self._entry_for(pcs[-1] - after_call)
            if found is None:
                break
            state = self._caller(found, pcs[-1] - after_call, state, read_word)
            after_call = not is_signal_frame(found.cie)
        return pcs

    def _entry_for(self, pc: int) -> FDE | None:
        for entry in self._entries:
            start = entry["initial_location"]
            if start <= pc < start + entry["address_range"]:
                return entry
        return None

    def _caller(self, entry: FDE, pc: int, state: list[int | None],
                read_word: ReadWord) -> list[int | None]:
        rows = [row for row in entry.get_decoded().table if row["pc"] <= pc]
        row = rows[-1]
        base = state[row["cfa"].reg] if row["cfa"].expr is None else None
        if base is None:
            return [None] * len(NUMBERS)
        cfa = base + row["cfa"].offset & MASK64
        caller = [state[n] if name in SAVED_BY_CALLEE else None for n, name in enumerate(NUMBERS)]
        caller[SP] = cfa
        for number, rule in row.items():
            if number in ("pc", "cfa") or number >= len(NUMBERS):
                continue
            caller[number] = _value(rule, state[number], cfa, read_word)
        return caller


def _value(rule, value: int | None, cfa: int, read_word: ReadWord) -> int | None:
    if rule.type == "OFFSET":
        return read_word(cfa + rule.arg & MASK64)
    if rule.type == "SAME_VALUE":
        return value
    return None


def is_signal_frame(cie: CIE) -> bool:
    return b"S" in cie["augmentation"]
