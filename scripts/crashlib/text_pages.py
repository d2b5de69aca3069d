"""text_pages.py - which pages of code were not in memory what the kernel's ELF file says, by the
checksums of a record's TEXT.
"""

from __future__ import annotations

from crashlib.crc32c import crc32c
from crashlib.elf import KernelElf
from crashlib.system import TextPage
from crashlib.x86 import PAGE

PAGES_MAX = 16384  # 64 MiB of code


def find_changed(elf: KernelElf, pages: list[TextPage]) -> list[tuple[int, int]]:
    """[start, end) of each stretch that differs.  What is no code in the file is left out."""
    runs: list[tuple[int, int]] = []
    known = {page.address: page for page in pages if page.length <= PAGE}
    for address in sorted(known)[:PAGES_MAX]:
        end = address + known[address].length
        if _linked_crc(elf, address, end) in (None, known[address].crc):
            continue
        if runs and runs[-1][1] == address:
            address = runs.pop()[0]
        runs.append((address, end))
    return runs


def _linked_crc(elf: KernelElf, start: int, end: int) -> int | None:
    section = elf.section_at(start)
    if section is None or end > section.end or not section.data:
        return None
    return crc32c(section.data[start - section.start:end - section.start])
