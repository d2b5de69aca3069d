"""pagewalk.py - a page-table walk that the kernel recorded, in words (SDM 3A 4.5).

Refuses to guess: it says what the recorded entries say, and nothing of entries not read.
"""

from __future__ import annotations

from dataclasses import dataclass

from crashlib import payloads
from crashlib.x86 import MASK64

LEVEL_NAMES = ("PML5", "PML4", "PDPT", "PD", "PT")
PAGE_SIZES = {3: "4 KiB", 2: "2 MiB", 1: "1 GiB"}  # by the index of the last level of four
PURPOSES = {1: "fault address", 2: "pc", 3: "stack pointer"}
PRESENT, WRITABLE, USER, LARGE, NO_EXECUTE = 1, 2, 4, 1 << 7, 1 << 63


@dataclass(frozen=True)
class Step:
    level: str  # "PML4"
    index: int
    entry: int

    @property
    def present(self) -> bool:
        return bool(self.entry & PRESENT)


@dataclass(frozen=True)
class Walk:
    address: int
    purpose: str
    canonical: bool
    mapped: bool
    physical: int
    steps: list[Step]
    page: str  # "2 MiB", or "" if not mapped

    @property
    def writable(self) -> bool:
        return self._all(WRITABLE)

    @property
    def user(self) -> bool:
        return self._all(USER)

    @property
    def executable(self) -> bool:
        return self.mapped and not any(step.entry & NO_EXECUTE for step in self.steps)

    def _all(self, bit: int) -> bool:
        return self.mapped and all(step.entry & bit for step in self.steps)

    def summary(self) -> str:
        """One line: where the walk ended and what it found."""
        if not self.canonical:
            return "not canonical: no page table can map it"
        if not self.steps:
            return "no page-table entry could be read"
        last = self.steps[-1]
        where = f"{last.level}[{last.index}]"
        if not last.present:
            return f"not mapped: {where} = {last.entry:#x} is not present"
        if not self.mapped:
            return f"unfinished: {where} = {last.entry:#x} is present, the next entry is not known"
        return f"{self.page} page, {self.permissions()}, physical {self.physical:#x}"

    def permissions(self) -> str:
        words = ["writable" if self.writable else "read-only",
                 "executable" if self.executable else "no-execute",
                 "user" if self.user else "kernel only"]
        return ", ".join(words)

    def path(self) -> str:
        """ "PML4[511] > PDPT[510] > PD[0]" """
        return " > ".join(f"{step.level}[{step.index}]" for step in self.steps)


def decode_walk(recorded: payloads.Walk) -> Walk:
    """From a record's PTWK row, whose numbers may be rubbish."""
    levels = min(max(recorded.levels, 1), 5)
    read = min(recorded.read, levels, len(recorded.entries))
    names = LEVEL_NAMES[5 - levels:]
    steps = []
    for depth in range(read):
        shift = 12 + 9 * (levels - 1 - depth)
        index = (recorded.address & MASK64) >> shift & 511
        steps.append(Step(names[depth], index, recorded.entries[depth]))
    mapped = bool(recorded.mapped) and bool(steps)
    size = PAGE_SIZES.get(read - 1 + 4 - levels, "") if mapped else ""
    purpose = PURPOSES.get(recorded.purpose, "address")
    return Walk(recorded.address, purpose, bool(recorded.canonical), mapped, recorded.physical,
                steps, size)
