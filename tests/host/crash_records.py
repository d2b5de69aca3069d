"""crash_records.py - made-up crashes of crash_fixture/victim.c, as the bytes of records.

A test says where the victim stands and with which registers; the stack is built from the calls
that the ELF really holds, so that unwinding it is unwinding a true chain.
"""

from __future__ import annotations

import struct
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "scripts"))

from crashlib import payloads  # noqa: E402
from crashlib.crc32c import crc32c  # noqa: E402
from crashlib.elf import KernelElf, read_elf  # noqa: E402

STACK_BOTTOM, STACK_TOP = 0xffffff8000011000, 0xffffff8000015000
FAULT_KINDS = {0: 4, 6: 5, 8: 9, 13: 7, 14: 6, 17: 7}  # trap kind by vector
NAMES = {0: "divide error", 6: "invalid opcode", 8: "double fault", 13: "general protection",
         14: "page fault", 17: "alignment check"}
PANIC_VECTOR, PANIC_KIND = 256, 10
COMPILE = ["gcc", "-std=c11", "-g", "-O2", "-ffreestanding", "-fno-pic", "-no-pie",
           "-mcmodel=kernel", "-mno-red-zone", "-mgeneral-regs-only", "-fno-omit-frame-pointer",
           "-fno-stack-protector", "-nostdlib", "-static", "-Wno-infinite-recursion",
           "-Wl,--build-id", "-Wl,-z,noexecstack", "-T", str(HERE / "crash_fixture/victim.ld"),
           str(HERE / "crash_fixture/victim.c")]


def build_victim(folder: Path) -> KernelElf:
    out = folder / "victim.elf"
    subprocess.run([*COMPILE, "-o", str(out)], check=True)
    return read_elf(out)


@dataclass
class Crash:
    """What a test makes up; make() turns it into a raw record."""
    elf: KernelElf
    vector: int = 14
    error: int = 0
    pc: int = 0
    address: int = 0
    text: str = ""
    registers: dict[str, int] = field(default_factory=dict)
    stack: dict[int, int] = field(default_factory=dict)  # words, by address
    stack_start: int = 0  # of what is saved; 0: 128 bytes below rsp
    code: bytes | None = None  # live bytes at the pc; None: those of the ELF
    backtrace: list[tuple[int, int, int]] = field(default_factory=list)  # pc, frame, trust
    entries: tuple[int, ...] = (0,)  # of the fault address's walk, from the root
    mapped: bool = False
    nested: list[tuple[bytes, str]] = field(default_factory=list)
    build_id: bytes | None = None
    flags: int = 0
    sequence: int = 1
    cpu_count: int = 1
    more: list[tuple[bytes, bytes, int]] = field(default_factory=list)  # sections, before LOGR
    maps: list[tuple[int, int, int, int, int, str]] = field(default_factory=list)  # more of MAPS

    def symbol(self, name: str) -> int:
        return next(symbol.start for symbol in self.elf.symbols if symbol.name == name)

    def at(self, function: str, code: str) -> "Crash":
        """Stand at the instruction with these bytes (hex) in the function."""
        start = self.symbol(function)
        size = next(s.size for s in self.elf.symbols if s.name == function)
        section = self.elf.section_at(start)
        body = section.data[start - section.start:][:size]
        self.pc = start + body.index(bytes.fromhex(code))
        return self

    def return_address(self, caller: str, callee: str) -> int:
        """Behind the first direct call of `callee` in `caller`."""
        start, target = self.symbol(caller), self.symbol(callee)
        section = self.elf.section_at(start)
        size = next(s.size for s in self.elf.symbols if s.name == caller)
        for after in range(start + 5, start + size + 1):
            offset = after - section.start
            call = section.data[offset - 5:offset]
            distance = struct.unpack("<i", call[1:])[0]
            if call[0] == 0xE8 and after + distance == target:
                return after
        raise ValueError(f"{caller} does not call {callee}")

    def called_by(self, callee: str, *callers: str, leaf: bool = True) -> "Crash":
        """Put the callers' frames on the stack, innermost first.  A `leaf` callee has pushed
        nothing; another one has its frame pointer set up."""
        frames = [STACK_TOP - 0x40 * (len(callers) - index) for index in range(len(callers))]
        slot = frames[0] - 0x20  # of the return address into the first caller
        self.registers["rsp"] = slot if leaf else slot - 0x10
        self.registers["rbp"] = frames[0] if leaf else slot - 8
        if not leaf:
            self.stack[slot - 8] = frames[0]
        for caller, frame, outer in zip(callers, frames, [*frames[1:], 0]):
            self.stack[slot] = self.return_address(caller, callee)
            self.stack[frame] = outer
            slot, callee = frame + 8, caller
        return self

    def make(self) -> bytes:
        self.registers.setdefault("rip", self.pc)
        self.registers.setdefault("rsp", STACK_TOP - 0x100)
        self.registers.setdefault("cr2", self.address)
        parts = [(b"CAUS", self._cause(), 0), (b"REGS", self._registers(), 0), self._code(),
                 (b"PTWK", self._walk(), 0), (b"BTRC", self._backtrace(), 0),
                 (b"STAK", self._stack(), 0), *self.more, (b"LOGR", self._log(), 0),
                 (b"MAPS", self._maps(), 0), (b"ANNO", self._annotations(), 0)]
        if self.nested:
            parts.append((b"NEST", self._nested(), 0))
        return self._join(parts)

    def _join(self, parts: list[tuple[bytes, bytes, int]]) -> bytes:
        record = self._header()
        headers = b""
        for tag, payload, address in parts:
            head = _section_header(tag, payload, address)
            headers += head
            record += head + payload + bytes(-len(payload) % 8)
        crcs = b"".join(headers[at + 28:at + 32] for at in range(0, len(headers), 32))
        payload = struct.pack("<IIQQII", len(parts), 0, len(record), 1500, crc32c(crcs),
                              len(parts)) + headers
        return record + _section_header(b"ENDS", payload, 0) + payload

    def _header(self) -> bytes:
        build_id = self.elf.build_id if self.build_id is None else self.build_id
        head = struct.pack("<8sHHIHHI16s20sIII52x", payloads.MAGIC, 1, 0, 128, 62,
                           self.cpu_count, self.sequence, bytes(range(16)), build_id,
                           len(build_id), self.flags, 0x1234abcd)
        return head + struct.pack("<I", crc32c(head))

    def _cause(self) -> bytes:
        panic = self.vector == PANIC_VECTOR
        kind = PANIC_KIND if panic else FAULT_KINDS[self.vector]
        name = "panic" if panic else NAMES[self.vector]
        return struct.pack("<IIQQQIIIIIIQ32x32s32s128s", kind, self.vector, self.error, self.pc,
                           self.address, self.error & 0x3F, 0, 0, 1, 0, 0, 1204000,
                           name.encode(), b"main", self.text.encode())

    def _registers(self) -> bytes:
        names = payloads.REGISTER_NAMES[payloads.MACHINE_X86_64]
        defaults = {"cs": 8, "ss": 16, "eflags": 0x246, "cr0": 0x80010033, "cr3": 0x1000}
        values = [self.registers.get(name, defaults.get(name, 0)) for name in names]
        valid = (1 << len(names)) - 1
        return struct.pack("<IIQQ", 0, len(names), valid, 0) + struct.pack(f"<{len(names)}Q",
                                                                           *values)

    def _code(self) -> tuple[bytes, bytes, int]:
        section = self.elf.section_at(self.pc)
        if self.code is not None:
            data, before = self.code, 0
        elif section is not None:
            before = min(self.pc - section.start, 32)
            offset = self.pc - section.start - before
            data = section.data[offset:offset + 64]
        else:
            data, before = b"", 0
        valid = (1 << len(data)) - 1
        payload = struct.pack("<IIQ", before, 64, valid) + data.ljust(64, b"\0")
        return b"CODE", payload, self.pc - before

    def _walk(self) -> bytes:
        if self.vector != 14:
            return b""
        canonical = self.address >> 47 in (0, 0x1FFFF)
        entries = (*self.entries, 0, 0, 0, 0, 0)[:5]
        return struct.pack("<QIBBBBQQ5Q", self.address, 1, 4, len(self.entries), self.mapped,
                           canonical, 0x1000, 0x2000 if self.mapped else 0, *entries)

    def _backtrace(self) -> bytes:
        rows = self.backtrace or [(self.pc, self.registers["rsp"], 1)]
        return b"".join(struct.pack("<QQII", *row, 0) for row in rows)

    def _stack(self) -> bytes:
        start = self.stack_start or max(self.registers["rsp"] - 128, STACK_BOTTOM)
        if not STACK_BOTTOM <= start < STACK_TOP:
            return b""
        words = [self.stack.get(address, 0) for address in range(start, STACK_TOP, 8)]
        data = struct.pack(f"<{len(words)}Q", *words)
        return struct.pack("<QII", start, len(data), 0) + data

    def _log(self) -> bytes:
        text = b"about to fail"
        return struct.pack("<QQHHI", 7, 1203000, 2, len(text), 0) + text.ljust(16, b"\0")

    def _maps(self) -> bytes:
        rows = [(STACK_BOTTOM, STACK_TOP, 4, 3, 2, "main stack"),
                (STACK_BOTTOM - 4096, STACK_BOTTOM, 5, 0, 0, "main stack")]
        kinds = {".text": (1, 5, 3), ".rodata": (2, 1, 3), ".data": (3, 3, 0)}
        for section in self.elf.sections:
            if section.name in kinds:
                end = section.start + 4096
                rows.append((section.start, end, *kinds[section.name], "kernel" + section.name))
        rows += self.maps
        return b"".join(struct.pack("<QQHHI32s", *row[:5], row[5].encode()) for row in rows)

    def _annotations(self) -> bytes:
        name = NAMES.get(self.vector, "panic")
        build_id = self.elf.build_id if self.build_id is None else self.build_id
        return f"version=victim 1\nbuild_id={build_id.hex()}\ncause={name}\n".encode()

    def _nested(self) -> bytes:
        return b"".join(struct.pack("<4sIIIQQQ64s", tag, PANIC_KIND, PANIC_VECTOR, 0, 0, self.pc, 0,
                                    text.encode()) for tag, text in self.nested)


def _section_header(tag: bytes, payload: bytes, address: int) -> bytes:
    head = struct.pack("<4sHHIIQI", tag, 1, 0, len(payload), len(payload), address, 0)
    return head + struct.pack("<I", crc32c(payload, crc32c(head + bytes(4))))
