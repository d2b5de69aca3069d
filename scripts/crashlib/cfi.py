"""cfi.py - unwinding by the ELF's own rules: .eh_frame, read without GDB.

Knows x86-64 alone and what compilers and this kernel's stubs use of DWARF's call frame
information; a rule that is an expression ends the walk.  Never raises, trusts no length.
"""

from __future__ import annotations

import bisect
import copy
import struct
from collections.abc import Callable
from dataclasses import dataclass, field

from crashlib.elf import KernelElf
from crashlib.x86 import MASK64

# DWARF's numbers for the registers (System V ABI, AMD64, 3.6.2).
NAMES = ("rax", "rdx", "rcx", "rbx", "rsi", "rdi", "rbp", "rsp", "r8", "r9", "r10", "r11", "r12",
         "r13", "r14", "r15", "rip")
RSP, RETURN_ADDRESS = 7, 16
FRAMES_MAX = 256

# How a pointer is written: the low nibble; the bit for "relative to its own place".
ENCODINGS = {0x00: "Q", 0x03: "I", 0x04: "Q", 0x0B: "i", 0x0C: "q"}
RELATIVE_TO_PLACE = 0x10

Registers = dict[str, int]
ReadWord = Callable[[int], int | None]


@dataclass(frozen=True)
class Step:
    """One frame on the way out."""
    pc: int
    stack: int
    is_call: bool  # pc is behind a call, not at an instruction that was interrupted


@dataclass(frozen=True)
class Walk:
    steps: list[Step]
    ended: bool  # at the outermost frame; else because something was not known


@dataclass
class Rules:
    """How to find the caller's registers at one pc: CFA, and by number ("offset" from it,
    "same", "undefined")."""
    cfa_register: int = RSP
    cfa_offset: int = 0
    usable: bool = True  # no expression, nothing unknown
    registers: dict[int, tuple[str, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class Common:
    """A CIE."""
    code_factor: int
    data_factor: int
    encoding: int
    signal: bool
    instructions: tuple[int, int]


@dataclass(frozen=True)
class Function:
    """An FDE."""
    start: int
    end: int
    common: Common
    instructions: tuple[int, int]


class Reader:
    """Bytes, a position, and a hard end."""

    def __init__(self, data: bytes, position: int, end: int) -> None:
        self.data, self.position, self.end = data, position, min(end, len(data))

    def number(self, format_: str) -> int:
        size = struct.calcsize("<" + format_)
        if self.position + size > self.end:
            raise ValueError("cut short")
        value, = struct.unpack_from("<" + format_, self.data, self.position)
        self.position += size
        return value

    def leb(self, signed: bool = False) -> int:
        value = shift = 0
        while shift < 70:
            byte = self.number("B")
            value |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return value - (1 << shift) if signed and byte & 0x40 else value
        raise ValueError("endless number")

    def text(self) -> bytes:
        end = self.data.index(b"\0", self.position, self.end)
        found, self.position = self.data[self.position:end], end + 1
        return found


class FrameInfo:
    """The functions of one .eh_frame."""

    def __init__(self, elf: KernelElf) -> None:
        section = next((s for s in elf.sections if s.name == ".eh_frame"), None)
        self._data = section.data if section else b""
        self._base = section.start if section else 0
        self._common: dict[int, Common] = {}
        self._functions = sorted(self._read_all(), key=lambda function: function.start)
        self._starts = [function.start for function in self._functions]

    def function_at(self, pc: int) -> Function | None:
        index = bisect.bisect(self._starts, pc) - 1
        found = self._functions[index] if index >= 0 else None
        return found if found is not None and pc < found.end else None

    def rules_at(self, function: Function, pc: int) -> Rules:
        """Those in force just before the instruction at pc."""
        try:
            initial = self._run(function.common, function.common.instructions, Rules(), Rules(), 0,
                                MASK64)
            return self._run(function.common, function.instructions, initial, initial,
                             function.start, pc)
        except (ValueError, IndexError):
            return Rules(usable=False)

    def _read_all(self) -> list[Function]:
        found: list[Function] = []
        position = 0
        while position + 8 <= len(self._data):
            length, = struct.unpack_from("<I", self._data, position)
            start, end = position + 4, position + 4 + length
            if length == 0 or end > len(self._data):
                break
            try:
                self._read_one(start, end, found)
            except (ValueError, KeyError):
                pass  # an entry of a kind that no compiler of ours writes
            position = end
        return found

    def _read_one(self, start: int, end: int, found: list[Function]) -> None:
        reader = Reader(self._data, start, end)
        back = reader.number("I")
        if back == 0:
            self._common[start - 4] = self._read_common(reader, end)
            return
        common = self._common[start - back]
        first = self._pointer(reader, common.encoding)
        size = reader.number(ENCODINGS[common.encoding & 0xF])
        reader.position += reader.leb()  # augmentation data
        found.append(Function(first, first + size, common, (reader.position, end)))

    def _read_common(self, reader: Reader, end: int) -> Common:
        version, augmentation = reader.number("B"), reader.text()
        if version != 1 or augmentation[:1] != b"z" or set(augmentation) - set(b"zRS"):
            raise ValueError("an unknown augmentation")
        code_factor, data_factor = reader.leb(), reader.leb(signed=True)
        reader.number("B")  # the return address's register
        length = reader.leb()
        encoding = self._data[reader.position] if b"R" in augmentation else 0
        reader.position += length
        return Common(code_factor, data_factor, encoding, b"S" in augmentation,
                      (reader.position, end))

    def _pointer(self, reader: Reader, encoding: int) -> int:
        place = self._base + reader.position if encoding & 0x70 == RELATIVE_TO_PLACE else 0
        return place + reader.number(ENCODINGS[encoding & 0xF]) & MASK64

    def _run(self, common: Common, code: tuple[int, int], rules: Rules, initial: Rules,
             location: int, pc: int) -> Rules:
        """The instructions up to pc.  DWARF 4, 6.4.2."""
        reader, rules, stack = Reader(self._data, *code), copy.deepcopy(rules), []
        while reader.position < reader.end and rules.usable:
            byte = reader.number("B")
            high, low = byte & 0xC0, byte & 0x3F
            if high == 0x40 or byte in (0x02, 0x03, 0x04):  # advance_loc
                width = {0x02: "B", 0x03: "H", 0x04: "I"}.get(byte)
                location += (reader.number(width) if width else low) * common.code_factor
                if location > pc:
                    break
            elif high == 0x80:  # offset
                rules.registers[low] = ("offset", reader.leb() * common.data_factor)
            elif high == 0xC0 or byte == 0x06:  # restore
                number = low if high else reader.leb()
                rules.registers[number] = initial.registers.get(number, ("same", 0))
            elif byte == 0x0A:
                stack.append(copy.deepcopy(rules))
            elif byte == 0x0B:
                rules = stack.pop()
            else:
                _obey(byte, reader, rules, common)
        return rules


def _obey(byte: int, reader: Reader, rules: Rules, common: Common) -> None:
    """The instructions that change one rule."""
    if byte == 0x00:  # nop
        return
    if byte == 0x0C:  # def_cfa
        rules.cfa_register, rules.cfa_offset = reader.leb(), reader.leb()
    elif byte == 0x0D:  # def_cfa_register
        rules.cfa_register = reader.leb()
    elif byte == 0x0E:  # def_cfa_offset
        rules.cfa_offset = reader.leb()
    elif byte == 0x13:  # def_cfa_offset_sf
        rules.cfa_offset = reader.leb(signed=True) * common.data_factor
    elif byte == 0x05:  # offset_extended
        number = reader.leb()
        rules.registers[number] = ("offset", reader.leb() * common.data_factor)
    elif byte == 0x11:  # offset_extended_sf
        number = reader.leb()
        rules.registers[number] = ("offset", reader.leb(signed=True) * common.data_factor)
    elif byte in (0x07, 0x08):  # undefined, same_value
        rules.registers[reader.leb()] = ("undefined" if byte == 0x07 else "same", 0)
    elif byte == 0x2E:  # GNU_args_size
        reader.leb()
    else:  # an expression, or nothing that is known
        rules.usable = False


def unwind(info: FrameInfo, registers: Registers, read_word: ReadWord, is_call: bool) -> Walk:
    """From these registers outwards.  The first step is where they stand: behind a call, or at an
    instruction that was interrupted."""
    steps: list[Step] = []
    while len(steps) < FRAMES_MAX:
        pc, stack = registers.get("rip"), registers.get("rsp")
        if pc is None or stack is None:
            return Walk(steps, False)
        if pc == 0 and steps:
            return Walk(steps, True)
        function = info.function_at(pc - is_call)
        if function is None:
            # Behind a trap's entry stands what was interrupted, whatever it is.
            return Walk(steps if is_call else [*steps, Step(pc, stack, False)], False)
        steps.append(Step(pc, stack, is_call))
        rules = info.rules_at(function, pc - is_call)
        if rules.registers.get(RETURN_ADDRESS, ("same", 0))[0] == "undefined":
            return Walk(steps, True)
        outer = _outer(registers, rules, read_word)
        if outer is None or (not function.common.signal and outer.get("rsp", 0) <= stack):
            return Walk(steps, False)
        registers, is_call = outer, not function.common.signal
    return Walk(steps, False)


def _outer(registers: Registers, rules: Rules, read_word: ReadWord) -> Registers | None:
    base = registers.get(NAMES[rules.cfa_register]) if rules.cfa_register < len(NAMES) else None
    if base is None or not rules.usable:
        return None
    cfa = base + rules.cfa_offset & MASK64
    outer = {**registers, "rsp": cfa}
    outer.pop("rip", None)
    for number, (how, offset) in rules.registers.items():
        if number >= len(NAMES) or how == "same":
            continue
        value = read_word(cfa + offset & MASK64) if how == "offset" else None
        outer.pop(NAMES[number], None)
        if value is not None:
            outer[NAMES[number]] = value
    return outer if "rip" in outer else None
