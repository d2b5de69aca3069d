"""elf.py - the kernel's ELF file: identity, sections, symbols, constant bytes.

Knows no crash record.  Reads no DWARF: what needs it is asked of GDB (frames.py).
"""

from __future__ import annotations

import bisect
import struct
from dataclasses import dataclass, field
from pathlib import Path

SYMBOL_ENTRY = struct.Struct("<IBBHQQ")  # Elf64_Sym
STT_NOTYPE, STT_FUNC = 0, 2
SHN_UNDEF, SHN_LORESERVE = 0, 0xFF00
SHF_WRITE, SHF_ALLOC, SHF_EXECINSTR = 1, 2, 4
EM_X86_64 = 62


class ElfError(Exception):
    """The file cannot serve as a kernel's ELF; the text says why."""


@dataclass(frozen=True)
class Section:
    name: str
    start: int
    end: int
    flags: int
    data: bytes = field(repr=False)  # empty for .bss and its like

    @property
    def writable(self) -> bool:
        return bool(self.flags & SHF_WRITE)

    @property
    def executable(self) -> bool:
        return bool(self.flags & SHF_EXECINSTR)


@dataclass(frozen=True)
class Symbol:
    name: str
    start: int
    size: int
    kind: int


@dataclass
class KernelElf:
    path: Path
    build_id: bytes
    entry: int
    sections: list[Section] = field(repr=False)  # the ones in memory, by address
    symbols: list[Symbol] = field(repr=False)  # by address, the best name last among equals

    def __post_init__(self) -> None:
        self._symbol_starts = [symbol.start for symbol in self.symbols]

    def section_at(self, address: int) -> Section | None:
        return next((s for s in self.sections if s.start <= address < s.end), None)

    def symbol_at(self, address: int) -> Symbol | None:
        """The symbol that contains the address, else the last unsized label before it."""
        section = self.section_at(address)
        if section is None:
            return None
        index = bisect.bisect(self._symbol_starts, address)
        label = None
        for symbol in reversed(self.symbols[max(index - 64, 0):index]):
            if symbol.start < section.start:
                break
            if symbol.size and address < symbol.start + symbol.size:
                return symbol
            if not symbol.size and label is None:
                label = symbol
        return label

    def constant_sections(self) -> list[Section]:
        """What cannot have changed since the file was linked."""
        return [s for s in self.sections if s.data and not s.writable]

    def is_text(self, address: int) -> bool:
        section = self.section_at(address)
        return section is not None and section.executable


def read_elf(path: Path) -> KernelElf:
    """Raises ElfError for whatever is wrong with the file."""
    from elftools.elf.elffile import ELFFile  # late: costs more than all the rest of the start

    try:
        with open(path, "rb") as stream:
            elf = ELFFile(stream)
            if elf.elfclass != 64 or not elf.little_endian or elf["e_machine"] != "EM_X86_64":
                raise ElfError(f"{path}: not an x86-64 ELF file")
            _check_extent(elf, path)
            build_id = _find_build_id(elf)
            return KernelElf(path, build_id, elf["e_entry"], _read_sections(elf),
                             _read_symbols(elf))
    except OSError as error:
        raise ElfError(f"{path}: {error.strerror}") from error
    except ElfError:
        raise
    except Exception as error:  # a damaged file makes pyelftools raise nearly anything
        raise ElfError(f"{path}: not a usable ELF file ({error})") from error


def _check_extent(elf, path: Path) -> None:
    """pyelftools believes any count and any length: a damaged file could keep it busy for ever."""
    size = path.stat().st_size
    if elf["e_shoff"] + elf.num_sections() * elf["e_shentsize"] > size:
        raise ElfError(f"{path}: cut short: its section headers are missing")
    for section in elf.iter_sections():
        stored = 0 if section["sh_type"] == "SHT_NOBITS" else section["sh_size"]
        if section["sh_offset"] + stored > size:
            raise ElfError(f"{path}: cut short: section {section.name} is missing")


def read_build_id(path: Path) -> bytes | None:
    """The build id alone, without pyelftools: cheap enough to try every candidate."""
    try:
        with open(path, "rb") as stream:
            return _scan_notes(stream)
    except (OSError, struct.error, ValueError, OverflowError):
        return None


def _scan_notes(stream) -> bytes | None:
    ident = stream.read(64)
    if ident[:6] != b"\x7fELF\x02\x01":
        return None
    section_offset, = struct.unpack_from("<Q", ident, 0x28)
    entry_size, count = struct.unpack_from("<HH", ident, 0x3A)
    for index in range(count):
        stream.seek(section_offset + index * entry_size)
        _, kind, _, _, offset, size = struct.unpack("<IIQQQQ", stream.read(40))
        if kind == 7 and size < 4096:  # SHT_NOTE
            stream.seek(offset)
            found = _build_id_among(stream.read(size))
            if found is not None:
                return found
    return None


def _build_id_among(notes: bytes) -> bytes | None:
    position = 0
    while position + 12 <= len(notes):
        name_size, size, kind = struct.unpack_from("<III", notes, position)
        name_start = position + 12
        start = name_start + (name_size + 3 & ~3)
        if kind == 3 and notes[name_start:start] == b"GNU\0":  # NT_GNU_BUILD_ID
            return notes[start:start + size]
        position = start + (size + 3 & ~3)
    return None


def _find_build_id(elf) -> bytes:
    for section in elf.iter_sections(type="SHT_NOTE"):
        found = _build_id_among(section.data())
        if found is not None:
            return found
    return b""


def _read_sections(elf) -> list[Section]:
    sections = []
    for section in elf.iter_sections():
        if section["sh_flags"] & SHF_ALLOC and section["sh_size"]:
            start = section["sh_addr"]
            data = b"" if section["sh_type"] == "SHT_NOBITS" else section.data()
            sections.append(Section(section.name, start, start + section["sh_size"],
                                    section["sh_flags"], data))
    return sorted(sections, key=lambda section: section.start)


def _read_symbols(elf) -> list[Symbol]:
    table = elf.get_section_by_name(".symtab")
    if table is None:
        return []
    names = elf.get_section(table["sh_link"]).data()
    symbols = []
    for name, info, _, section, value, size in SYMBOL_ENTRY.iter_unpack(table.data()):
        kind = info & 15
        if not name or kind > STT_FUNC or not SHN_UNDEF < section < SHN_LORESERVE:
            continue
        text = names[name:names.index(b"\0", name)].decode("ascii", "replace")
        if kind != STT_NOTYPE or not text.startswith("__"):  # not the linker script's borders
            symbols.append(Symbol(text, value, size, kind))
    return sorted(symbols, key=lambda symbol: (symbol.start, symbol.size > 0, symbol.kind))
