"""maps.py - what an address is: symbol, stack, guard page, small number, text that went astray.

Works on a record's MAPS and the ELF's symbols; says nothing when it knows nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from crashlib.elf import KernelElf
from crashlib.poison import poison_of
from crashlib.x86 import MASK64, PAGE, is_canonical

# Of several maps that hold an address the most particular one speaks; physical ranges never do.
KIND_ORDER = ("GUARD", "STACK", "TEXT", "RODATA", "HEAP", "DEVICE", "DATA", "DIRECT")
KIND_WORDS = {
    "TEXT": "kernel text", "RODATA": "read-only data", "DATA": "data", "STACK": "stack",
    "GUARD": "guard page", "HEAP": "heap", "DIRECT": "direct map", "DEVICE": "device",
    "PHYSICAL": "physical memory"}
CLONE_SUFFIX = re.compile(r"\.(constprop|isra|part|cold|lto_priv)\b.*")  # GCC's, of copies
MAPS_MAX = 4096  # a kernel has fewer, rubbish may have more
NEAR = 4 * PAGE  # how far outside a range still counts as running past its end


@dataclass(frozen=True)
class Range:
    """A row of MAPS, its numbers in words."""
    start: int
    end: int
    kind: str  # "STACK"
    permissions: str  # "rw-"
    captured: str  # "YES", "PARTLY", "NO", ...
    name: str


class AddressBook:
    def __init__(self, maps: list[Range], elf: KernelElf | None) -> None:
        self.maps = [m for m in maps if m.kind in KIND_ORDER and m.start < m.end][:MAPS_MAX]
        self._elf = elf

    def map_at(self, address: int) -> Range | None:
        """The most particular map that holds the address, or None."""
        holders = [m for m in self.maps if m.start <= address < m.end]
        return min(holders, key=lambda m: KIND_ORDER.index(m.kind), default=None)

    def guard_at(self, address: int) -> Range | None:
        found = self.map_at(address)
        return found if found is not None and found.kind == "GUARD" else None

    def stack_at(self, address: int) -> Range | None:
        """The stack that the address is in; one past its last byte is where an empty one is."""
        return next((m for m in self.maps if m.kind == "STACK" and m.start <= address <= m.end),
                    None)

    def stack_above(self, guard: Range) -> Range | None:
        """The stack that a guard page guards."""
        return next((m for m in self.maps if m.kind == "STACK" and m.start == guard.end), None)

    def symbol(self, address: int) -> str:
        """ "function+0x12", or "" """
        found = self._elf.symbol_at(address) if self._elf else None
        if found is None:
            return ""
        name, offset = CLONE_SUFFIX.sub("", found.name), address - found.start
        return f"{name}+{offset:#x}" if offset else name

    def describe(self, value: int) -> str:
        """What a register's value may mean, in a few words; "" for a plain number."""
        if value < PAGE:
            return ""
        if poison_of(value) is not None:
            return poison_of(value).words
        if not is_canonical(value):
            return _describe_text(value) or "not a canonical address"
        held = self.map_at(value)
        if held is not None and held.kind in ("STACK", "GUARD"):
            return self._describe_stack(value, held)
        return self.symbol(value) or self._describe_map(value, held)

    def _describe_stack(self, value: int, held: Range | None) -> str:
        if held.kind == "GUARD":
            guarded = self.stack_above(held)
            return f"guard page of {stack_name(guarded or held)}"
        return f"{stack_name(held)}, {held.end - value:#x} below its top"

    def _describe_map(self, value: int, held: Range | None) -> str:
        if held is not None and held.kind == "DIRECT":
            return f"direct map of physical {value - held.start:#x}"
        if held is not None:
            return f"{range_name(held)} + {value - held.start:#x}"
        stack = self.stack_at(value)
        if stack is not None:
            return f"top of {stack_name(stack)}"
        return _describe_text(value) or (self.near(value) if self.maps else "")

    def near(self, address: int) -> str:
        """ "0x10 past the end of heap kernel", or "" if no range is near."""
        for m in self.maps:
            if m.end <= address < m.end + NEAR:
                return f"{address - m.end:#x} past the end of {range_name(m)}"
        for m in self.maps:
            if m.start - NEAR <= address < m.start:
                return f"{m.start - address:#x} before {range_name(m)}"
        return ""


def range_name(m: Range) -> str:
    return stack_name(m) if m.kind == "STACK" else m.name or KIND_WORDS[m.kind]


def stack_name(m: Range) -> str:
    """ "the boot stack", whether or not the kernel's name for it says that it is one."""
    words = m.name.replace("guard page", "").replace("guard", "").replace("of", "").split()
    name = " ".join(word for word in words if word != "stack")
    return f"the {name} stack" if name else "a stack without a name"


def _describe_text(value: int) -> str:
    data = (value & MASK64).to_bytes(8, "little")
    if all(32 <= byte < 127 for byte in data):
        return f'not an address: the text "{data.decode("ascii")}"'
    return ""
