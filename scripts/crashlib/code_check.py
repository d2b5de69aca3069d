"""code_check.py - whether the code in memory was what the ELF file says: byte by byte around
the pc, by checksums elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass

from crashlib.evidence import Evidence

DIFFERENCES_SHOWN = 3


@dataclass(frozen=True)
class CodeDifference:
    """Live code bytes that are not those of the ELF."""
    address: int
    live: bytes
    linked: bytes

    @property
    def is_breakpoint(self) -> bool:
        return self.live == b"\xcc"


def find_code_warnings(evidence: Evidence) -> list[str]:
    found = [_difference_words(evidence, difference)
             for difference in find_differences(evidence)[:DIFFERENCES_SHOWN]]
    return found + _text_warnings(evidence)


def find_differences(evidence: Evidence) -> list[CodeDifference]:
    """Where the recorded code bytes contradict the ELF's text."""
    elf, differences = evidence.symbols.elf, []
    for start, live in evidence.code_pieces:
        section = elf.section_at(start) if elf else None
        if section is None or section.writable or not section.data:
            continue
        linked = section.data[start - section.start:][:len(live)]
        differences += _differences(start, live[:len(linked)], linked)
    return differences


def _differences(start: int, live: bytes, linked: bytes) -> list[CodeDifference]:
    runs: list[list[int]] = []
    for offset, pair in enumerate(zip(live, linked)):
        if pair[0] == pair[1]:
            continue
        if runs and runs[-1][1] == offset:
            runs[-1][1] = offset + 1
        else:
            runs.append([offset, offset + 1])
    return [CodeDifference(start + a, live[a:b], linked[a:b]) for a, b in runs]


def _difference_words(evidence: Evidence, difference: CodeDifference) -> str:
    at = evidence.book.symbol(difference.address) or hex(difference.address)
    if difference.is_breakpoint:
        return f"A breakpoint (int3) was planted at {at}: a debugger's, or a stray write."
    why = ("the kernel's text was overwritten" if evidence.symbols.matched
           else "the ELF is another kernel's, or the text was overwritten")
    return (f"The code at {at} was {difference.live.hex(' ')}, the ELF has "
            f"{difference.linked.hex(' ')}: {why}.")


def _text_warnings(evidence: Evidence) -> list[str]:
    symbol = evidence.book.symbol
    return [f"The code in memory differs from the ELF at {start:#x} to {end - 1:#x} (from "
            f"{symbol(start)} to {symbol(end - 1)}): it was overwritten, or patched."
            for start, end in evidence.changed_code[:DIFFERENCES_SHOWN]]
