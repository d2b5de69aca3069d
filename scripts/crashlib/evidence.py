"""evidence.py - everything known about one crash, gathered in one place for rules and reports.

Joins the record with the kernel's ELF.  Draws no conclusions: explain.py does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from crashlib.disasm import Access, Disassembler, Instruction
from crashlib.maps import AddressBook, Range
from crashlib.memory import Memory
from crashlib.pagewalk import Walk, decode_walk
from crashlib.payloads import (
    MACHINE_X86_64, Captured, MapEntry, MapKind, TrapKind, TrapOrigin, Trust, name_of)
from crashlib.record import Record
from crashlib.symbols import Symbols
from crashlib.system import Lock, Thread
from crashlib.tables import vectors
from crashlib.text_pages import find_changed
from crashlib.x86 import MASK64, PAGE

NO_VECTOR = -1
USER_LOWEST, USER_HIGHEST = 1 << 16, (1 << 47) - 1  # smaller numbers are rarely addresses
TEXT_SHORTEST, TEXT_SHOWN = 4, 40  # characters of a constant that pass for text
TOLD_PC = re.compile(r"\b0x([0-9a-f]{1,16})\b")
CALLEE_SAVED = ("rip", "rbx", "rbp", "r12", "r13", "r14", "r15")  # in the SysV ABI


@dataclass(frozen=True)
class Arrival:
    """How the processor came to a pc that holds no code."""
    way: str  # "call"; "jump": a function that was called jumped there; "return"
    call: Instruction | None


@dataclass(frozen=True)
class CallerContext:
    """A frame from which unwinding can go on, when it cannot start at the pc."""
    pc: int  # inside the call that was under way
    stack: int
    frame: int  # its frame pointer


@dataclass(frozen=True)
class Call:
    """A call that was under way."""
    function: int  # where the caller begins
    address: int | None  # of the call instruction, if it is the only one it can be
    target: int | None  # the callee, likewise


def build_id_of(record: Record) -> bytes:
    """Empty if it is not known: it is in the header and, for when that is lost, in ANNO."""
    try:
        return bytes.fromhex(record.build_id or record.annotations.get("build_id", ""))
    except ValueError:
        return b""


def is_user_address(address: int) -> bool:
    return USER_LOWEST <= address <= USER_HIGHEST


class Evidence:
    """One record and its symbols."""

    def __init__(self, record: Record, symbols: Symbols) -> None:
        self.record, self.symbols = record, symbols
        self.cause = record.cause  # None if that section is lost
        self.machine = record.machine if record.header else MACHINE_X86_64  # the only one there is
        self.registers: dict[str, int] = (
            record.registers.by_name(self.machine) if record.registers else {})
        self._read_cause()
        self.ranges = _with_threads([_range_of(row) for row in record.maps], record.threads)
        self.walks: list[Walk] = [decode_walk(walk) for walk in record.walks]
        self.book = AddressBook(self.ranges, symbols.elf)
        self.memory = self._gather_memory()
        self.frames: list = []  # of backtrace.py, once they are known
        self.pointers: list = []  # of debugger.py, likewise

    def _read_cause(self) -> None:
        """Without CAUS the registers still tell the place, and nothing tells the reason."""
        cause = self.cause
        self.kind = name_of(TrapKind, cause.kind) if cause else ""
        self.vector = cause.vector if cause else NO_VECTOR
        self.error = cause.error if cause else 0
        self.pc = cause.pc if cause else self.registers.get("rip", 0)
        self.address = cause.address if cause else self.registers.get("cr2", 0)

    @property
    def from_user(self) -> bool:
        return self.cause is not None and self.cause.origin == TrapOrigin.USER

    @cached_property
    def thread_names(self) -> dict[int, str]:
        names = {row.id: row.name for row in reversed(self.record.threads) if row.name}
        if self.cause is not None and self.cause.thread_name:
            names.setdefault(self.cause.thread, self.cause.thread_name)
        return names

    @cached_property
    def locks(self) -> dict[int, Lock]:
        """By their addresses."""
        return {row.address: row for row in reversed(self.record.locks) if row.address}

    def context_name(self) -> str:
        """ "CPU0 main" """
        if self.cause is None:
            return "CPU?"
        return f"CPU{self.cause.cpu} {self.cause.thread_name}".rstrip()

    @cached_property
    def disassembler(self) -> Disassembler:
        return Disassembler(self.memory, self.symbols.elf, self.registers)

    @property
    def pc_is_after(self) -> bool:
        """The pc is behind the instruction that it is about: after a trap, and after the call by
        which the kernel panicked."""
        if self.kind == "PANIC":
            return True
        return any(row.number == self.vector and row.class_ == "TRAP" for row in vectors())

    @cached_property
    def instruction(self) -> Instruction | None:
        """The one that the event is about: for a fault, the one that failed."""
        if self.pc_is_after:
            return self.disassembler.before(self.pc)
        return self.disassembler.decode(self.pc)

    def walk_of(self, address: int) -> Walk | None:
        return next((walk for walk in self.walks if walk.address == address), None)

    def accesses(self) -> list[Access]:
        """The memory that the faulting instruction meant to touch."""
        found = self.instruction
        return [a for a in found.accesses if a.reads or a.writes] if found else []

    def access_to(self, address: int) -> Access | None:
        """The operand that this address belongs to."""
        return next((access for access in self.accesses() if access.touches(address)), None)

    def register_words(self, access: Access) -> str:
        """ "rdi = 0" for each register of the operand. """
        names = [name for name in (access.base, access.index) if name and name != "rip"]
        if access.segment:
            names.append(access.segment + "_base")
        values = [(name, self.disassembler.register(name)) for name in names]
        return ", ".join(f"{name} = {hex(value) if value else value}"
                         for name, value in values if value is not None)

    @cached_property
    def arrival(self) -> Arrival | None:
        """How control got to a pc that holds no code, as the word at rsp tells.  None: it cannot.

        After a call that word is the return address, and the registers are still the call's.  The
        words below rsp tell nothing: the trap's own frame may have been pushed there.
        """
        back = self.memory.read_word(self.registers.get("rsp", 0))
        if back is None:
            return None
        call = self.disassembler.before(back) if self.is_text(back) else None
        if call is None or call.mnemonic != "call":
            return Arrival("return", None)
        target = self._call_target(call)
        if target is None or target == self.pc:
            return Arrival("call", call)
        if self.disassembler.jumps_away(target):
            return Arrival("jump", call)
        return Arrival("return", None)

    @cached_property
    def returned_to(self) -> Call | None:
        """After a `ret` to nowhere: the call whose callee should have been returned to."""
        for row in self.record.frames:
            call = self.disassembler.before(row.pc) if self.is_text(row.pc) else None
            if row.pc == self.pc or call is None or call.mnemonic != "call":
                continue
            target = self._call_target(call) if _kept_over_calls(call) else None
            return None if target is None else self._only_call_in(target)
        return None

    @cached_property
    def caller(self) -> CallerContext | None:
        """After a `ret` to nowhere: the first frame that the frame pointers lead to."""
        if self.is_text(self.pc) or (self.arrival is not None and self.arrival.way != "return"):
            return None
        for row in self.record.frames:
            saved = self.memory.read_word(row.frame)
            if row.trust == Trust.FRAME and saved is not None and self.is_text(row.pc):
                return CallerContext(row.pc - 1, row.frame + 16 & MASK64, saved)
        return None

    def _only_call_in(self, function: int) -> Call:
        """The one call that the function makes; if it makes more, none of them is known."""
        calls = self.disassembler.calls_in(function)
        if len(calls) != 1:
            return Call(function, None, None)
        direct = calls[0].operands[0].kind == "immediate"
        return Call(function, calls[0].address, self._call_target(calls[0]) if direct else None)

    def _call_target(self, call: Instruction) -> int | None:
        operand = call.operands[0] if call.operands else None
        if operand is None or operand.access is None:
            return operand.value if operand else None
        known = operand.access.address is not None
        return self.memory.read_word(operand.access.address) if known else None

    def describe(self, value: int) -> str:
        """What a value may mean; of constant text, its beginning."""
        words = self.book.describe(value)
        section = self.symbols.elf.section_at(value) if self.symbols.elf else None
        if section is None or section.writable or section.executable:
            return words
        text = self.memory.read_prefix(value, TEXT_SHOWN).split(b"\0")[0]
        if len(text) < TEXT_SHORTEST or not all(32 <= byte < 127 for byte in text):
            return words
        return f'"{text.decode("ascii")}"'

    def describe_unknown(self, value: int) -> str:
        """Of what describe() knows nothing about: is it a small negative number, a user's address,
        or one of the kernel's at which nothing is?"""
        if value > MASK64 - PAGE:
            return str(value - MASK64 - 1)
        if value >> 47 == 0x1FFFF and self.book.maps:
            return "not mapped"
        user = self.from_user or self.runs_program
        return "user address" if user and is_user_address(value) else ""

    @cached_property
    def runs_program(self) -> bool:
        """The crashed thread is a user program's."""
        thread = self.cause.thread if self.cause else 0
        return any(row.id == thread and row.process for row in self.record.threads)

    @cached_property
    def told_pcs(self) -> list[int]:
        """The pcs that the kernel's last words have: of calls, as their return addresses."""
        text = self.cause.text if self.kind == "PANIC" else ""
        pcs = [int(digits, 16) for digits in TOLD_PC.findall(text)]
        return [pc for pc in dict.fromkeys(pcs) if self.is_text(pc)]

    @property
    def code_is_elsewhere(self) -> bool:
        """The pc shows no code worth reading: there is none, or it is panic()'s."""
        return self.kind == "PANIC" or not self.is_text(self.pc)

    def is_text(self, address: int) -> bool:
        if self.symbols.elf is not None:
            return self.symbols.elf.is_text(address)
        held = self.book.map_at(address)
        return held is not None and held.kind == "TEXT"

    @property
    def code_pieces(self) -> list[tuple[int, bytes]]:
        return self.record.code.pieces if self.record.code else []

    def _gather_memory(self) -> Memory:
        """Live bytes first: where they contradict the ELF, they are what the processor saw."""
        memory = Memory()
        for start, data in [*self.code_pieces, *self.record.memory]:
            memory.add(start, data)
        for section in self.symbols.elf.constant_sections() if self.symbols.elf else []:
            start = section.start
            for changed, end in self.changed_code:  # there the file tells nothing
                if section.start <= changed < section.end:
                    memory.add(start, section.data[start - section.start:changed - section.start])
                    start = end
            memory.add(start, section.data[start - section.start:])
        return memory

    @cached_property
    def changed_code(self) -> list[tuple[int, int]]:
        """[start, end) of code that was not in memory what the ELF says."""
        if self.symbols.elf is None or not self.symbols.matched:
            return []
        return find_changed(self.symbols.elf, self.record.text_pages)


def _with_threads(ranges: list[Range], threads: list[Thread]) -> list[Range]:
    """Stacks of threads that MAPS does not list are added; the others have the kernel's names, as a
    debugger that looks at the live kernel says them."""
    listed = {(r.start, r.end) for r in ranges if r.kind == "STACK"}
    return ranges + [Range(row.stack_bottom, row.stack_top, "STACK", "rw-", "PARTLY", row.name)
                     for row in threads if row.name and row.stack_bottom < row.stack_top
                     and (row.stack_bottom, row.stack_top) not in listed]


def _kept_over_calls(call: Instruction) -> bool:
    """The callee must give back the registers that the call's operand was computed from."""
    names = []
    for operand in call.operands:
        if operand.kind == "register":
            names.append(operand.text)
        elif operand.access is not None:
            names += [operand.access.base, operand.access.index]
    return all(name in ("", *CALLEE_SAVED) for name in names)


def _range_of(row: MapEntry) -> Range:
    permissions = "".join(letter if row.permissions >> bit & 1 else "-"
                          for bit, letter in enumerate("rwx"))
    return Range(row.start, row.end, name_of(MapKind, row.kind), permissions,
                 name_of(Captured, row.captured), row.name)
