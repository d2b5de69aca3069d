"""disasm.py - the faulting instruction and its neighbours: text, operands, addresses touched.

Capstone decodes; this file adds up effective addresses from the crashed registers.  Refuses to
guess: an operand with an unknown register has no address.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field, replace

from crashlib.elf import KernelElf
from crashlib.memory import Memory
from crashlib.x86 import MASK64

INSTRUCTION_BYTES = 15  # the longest there is
LISTED_BEFORE, LISTED_AFTER = 5, 4
SYNC_BYTES = 64 * 1024  # decode a function from its start if it starts this close

# What touches the stack without naming it: mnemonic, base register, displacement, bytes, writes.
IMPLICIT_ACCESSES = {
    "push": ("rsp", -8, 8, True),
    "pushfq": ("rsp", -8, 8, True),
    "call": ("rsp", -8, 8, True),
    "pop": ("rsp", 0, 8, False),
    "popfq": ("rsp", 0, 8, False),
    "ret": ("rsp", 0, 8, False),
    "retf": ("rsp", 0, 16, False),
    "iretq": ("rsp", 0, 40, False),
    "leave": ("rbp", 0, 8, False),
}


@dataclass(frozen=True)
class Access:
    """One memory operand of an instruction, with the registers it was computed from."""
    text: str  # "[rdi + 0x18]"
    base: str  # "" if none
    index: str
    scale: int
    displacement: int
    segment: str  # "fs" or "gs", else ""
    size: int
    reads: bool
    writes: bool
    address: int | None
    implicit: bool = False  # by push, call, ret: no operand names it

    def touches(self, address: int) -> bool:
        return self.address is not None and (address - self.address) & MASK64 < max(self.size, 1)


@dataclass(frozen=True)
class Operand:
    """One operand as it stands: a register, an immediate, or memory."""
    kind: str  # "register", "immediate", "memory"
    text: str
    value: int | None  # of a register or an immediate
    size: int
    access: Access | None = None


@dataclass(frozen=True)
class Instruction:
    address: int
    data: bytes
    mnemonic: str  # without a prefix: "movsb" for "rep movsb"
    operand_text: str
    prefix: str = ""
    operands: list[Operand] = field(default_factory=list)
    accesses: list[Access] = field(default_factory=list)

    @property
    def text(self) -> str:
        return " ".join(part for part in (self.prefix, self.mnemonic, self.operand_text) if part)

    @property
    def end(self) -> int:
        return self.address + len(self.data)


@dataclass(frozen=True)
class ListedLine:
    address: int
    data: bytes
    text: str
    target: int | None = None  # of a direct call or jump
    at_pc: bool = False
    mention: tuple[str, int] | None = None  # a piece of the text, and the address it stands for


class Disassembler:
    """The instructions around one pc, with that moment's registers."""

    def __init__(self, memory: Memory, elf: KernelElf | None, registers: dict[str, int]) -> None:
        capstone = self._capstone = _load_capstone()
        self._engine = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)
        self._engine.detail = True
        self._lister = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)
        self._memory, self._elf, self._registers = memory, elf, registers

    def decode(self, address: int) -> Instruction | None:
        """The instruction at `address`, or None if its bytes are unknown or not code."""
        data = self._memory.read_prefix(address, INSTRUCTION_BYTES)
        for decoded in self._engine.disasm(data, address, 1):
            prefix, _, mnemonic = decoded.mnemonic.rpartition(" ")
            operands = [self._operand(decoded, operand) for operand in decoded.operands]
            accesses = [operand.access for operand in operands if operand.access is not None]
            accesses += self._implicit(mnemonic, operands)
            return Instruction(address, bytes(decoded.bytes), mnemonic, decoded.op_str, prefix,
                               operands, accesses)
        return None

    def before(self, address: int) -> Instruction | None:
        """The instruction that ends at `address`, as a call before a return address does."""
        start = self._sync_point(address)
        if start is not None:
            for line in self._list(start, address):
                if line.address + len(line.data) == address:
                    return self.decode(line.address)
            return None
        for length in range(2, INSTRUCTION_BYTES + 1):  # no symbols: accept a call only
            found = self.decode(address - length)
            if found is not None and found.end == address and found.mnemonic == "call":
                return found
        return None

    def listing(self, pc: int) -> list[ListedLine]:
        """The lines around `pc`; empty if the bytes there are unknown."""
        start = self._sync_point(pc)
        before = [] if start is None else self._list(start, pc)
        if before and before[-1].address + len(before[-1].data) != pc:
            before = []  # pc is inside an instruction of the proper sequence
        data = self._memory.read_prefix(pc, self._listed_bytes(pc))
        after = self._lines(data, pc, LISTED_AFTER + 1)
        if not after and data:
            after = [ListedLine(pc, data[:8], "(not an instruction)")]
        shown = before[-LISTED_BEFORE:] + after
        return [replace(line, at_pc=line.address == pc, mention=self._mention(line))
                for line in shown]

    def _mention(self, line: ListedLine) -> tuple[str, int] | None:
        """What a reader would look up: a jump's target, a variable's or a constant's address."""
        if line.target is not None:
            return hex(line.target), line.target
        found = self.decode(line.address)
        for operand in found.operands if found else []:
            access = operand.access
            if access is not None and access.base == "rip" and access.address is not None:
                return access.text, access.address
            if operand.kind == "immediate" and operand.value >> 63:
                return f"-{(1 << 64) - operand.value:#x}", operand.value
        return None

    def _listed_bytes(self, pc: int) -> int:
        """From pc on, no further than its function goes: padding says nothing."""
        symbol = self._elf.symbol_at(pc) if self._elf else None
        most = INSTRUCTION_BYTES * (LISTED_AFTER + 1)
        return min(most, symbol.start + symbol.size - pc) if symbol and symbol.size else most

    def calls_in(self, function: int) -> list[Instruction]:
        """The calls of the function that begins at `function`."""
        calls = [line for line in self._body(function) if line.text.startswith("call ")]
        return [call for call in map(self.decode, (line.address for line in calls)) if call]

    def jumps_away(self, function: int) -> bool:
        """Whether that function has a jump to an address it computes or reads: a tail call."""
        return any(line.text.startswith("jmp ") and line.target is None
                   for line in self._body(function))

    def _body(self, function: int) -> list[ListedLine]:
        symbol = self._elf.symbol_at(function) if self._elf else None
        if symbol is None or symbol.start != function or symbol.size > SYNC_BYTES:
            return []
        return self._list(function, function + symbol.size)

    def _sync_point(self, address: int) -> int | None:
        """Where to start decoding so as to arrive at `address` in step."""
        symbol = self._elf.symbol_at(address - 1) if self._elf else None
        if symbol is None or address - symbol.start > SYNC_BYTES:
            return None
        return symbol.start if self._elf.is_text(symbol.start) else None

    def _list(self, start: int, end: int) -> list[ListedLine]:
        return self._lines(self._memory.read_prefix(start, end - start), start, 0)

    def _lines(self, data: bytes, address: int, count: int) -> list[ListedLine]:
        lines = []
        for start, size, mnemonic, text in self._lister.disasm_lite(data, address, count):
            direct = mnemonic[:1] == "j" or mnemonic == "call"
            target = int(text, 16) if direct and text.startswith("0x") else None
            raw = data[start - address:start - address + size]
            lines.append(ListedLine(start, raw, f"{mnemonic} {text}".rstrip(), target))
        return lines

    def _operand(self, decoded, operand) -> Operand:
        cs = self._capstone.x86
        if operand.type == cs.X86_OP_REG:
            name = decoded.reg_name(operand.reg)
            return Operand("register", name, self.register(name), operand.size)
        if operand.type == cs.X86_OP_IMM:
            return Operand("immediate", hex(operand.imm), operand.imm & MASK64, operand.size)
        access = self._access(decoded, operand)
        return Operand("memory", access.text, None, operand.size, access)

    def _access(self, decoded, operand) -> Access:
        memory, write, read = operand.mem, 2, 1  # CS_AC_WRITE, CS_AC_READ
        base = decoded.reg_name(memory.base) or "" if memory.base else ""
        index = decoded.reg_name(memory.index) or "" if memory.index else ""
        segment = decoded.reg_name(memory.segment) if memory.segment else ""
        segment = segment if segment in ("fs", "gs") else ""
        parts = self._address_parts(decoded, base, index, segment, memory)
        address = None if None in parts else sum(parts) & MASK64
        touches = decoded.mnemonic not in ("lea", "nop")
        return Access(_memory_text(base, index, memory.scale, memory.disp, segment), base, index,
                      memory.scale, memory.disp, segment, operand.size,
                      touches and bool(operand.access & read),
                      touches and bool(operand.access & write), address)

    def _address_parts(self, decoded, base, index, segment, memory) -> list[int | None]:
        parts: list[int | None] = [memory.disp]
        if base == "rip":
            parts.append(decoded.address + decoded.size)
        elif base:
            parts.append(self.register(base))
        if index:
            value = self.register(index)
            parts.append(None if value is None else value * memory.scale)
        if segment:
            parts.append(self.register(segment + "_base"))
        return parts

    def _implicit(self, mnemonic: str, operands: list[Operand]) -> list[Access]:
        row = IMPLICIT_ACCESSES.get(mnemonic)
        if row is None:
            return []
        base, displacement, size, writes = row
        value = self.register(base)
        address = None if value is None else value + displacement & MASK64
        return [Access(_memory_text(base, "", 1, displacement, ""), base, "", 1, displacement, "",
                       size, not writes, writes, address, True)]

    def register(self, name: str) -> int | None:
        """The value of a register or of a part of one: ecx, cx, cl, ch, r8d."""
        if name in self._registers:
            return self._registers[name]
        for whole, shift, bits in _parts_of(name):
            if whole in self._registers:
                return self._registers[whole] >> shift & (1 << bits) - 1
        return None


def _load_capstone():
    """Late, because it costs a good part of the report's time: it imports distutils, in whose
    place setuptools' hook, if left there, imports all of setuptools."""
    with contextlib.suppress(ImportError, AttributeError):
        import _distutils_hack

        _distutils_hack.remove_shim()
    import capstone

    return capstone


def _parts_of(name: str) -> list[tuple[str, int, int]]:
    """The registers that `name` may be a part of: (whole, shift, bits)."""
    if name.startswith("r") and name[-1:] in "dwb" and name[1:-1].isdigit():
        return [(name[:-1], 0, {"d": 32, "w": 16, "b": 8}[name[-1]])]
    found = []
    if name.startswith("e"):
        found.append(("r" + name[1:], 0, 32))
    if name.endswith("h"):
        found.append((f"r{name[:-1]}x", 8, 8))
    if name.endswith("l"):
        found += [(f"r{name[:-1]}x", 0, 8), (f"r{name[:-1]}", 0, 8)]
    found.append(("r" + name, 0, 16))
    return found


def _memory_text(base: str, index: str, scale: int, displacement: int, segment: str) -> str:
    terms = [base] if base else []
    if index:
        terms.append(index if scale == 1 else f"{index}*{scale}")
    text = " + ".join(terms)
    if displacement or not text:
        number = hex(displacement & MASK64 if not text else abs(displacement))
        sign = " - " if displacement < 0 else " + "
        text = text + sign + number if text else number
    return f"{segment}:[{text}]" if segment else f"[{text}]"
