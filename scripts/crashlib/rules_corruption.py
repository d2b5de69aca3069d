"""rules_corruption.py - pointers that were good once: taken out of memory that the heap has filled,
or changed in one bit.

Each rule looks at the evidence and gives a verdict, or None if it has nothing to say.
"""

from __future__ import annotations

from crashlib.disasm import Access
from crashlib.evidence import Evidence
from crashlib.maps import range_name
from crashlib.poison import Poison, poison_near, poison_of
from crashlib.rules_memory import is_fetch, is_page_fault
from crashlib.verdict import (Verdict, access_words, arrival_words, canonical_words, field_words,
                              is_null_like)
from crashlib.x86 import MASK64

ADDRESS_BITS = range(64)
FLIPS_TOLD = 2  # with more candidates, none of them means anything
TARGETS = ("TEXT", "RODATA", "DATA", "STACK", "HEAP")  # where a flipped pointer may have led
ADVICE = {
    "use-after-free": "The pointer itself was read out of memory that had been freed: look for who "
                      "kept a pointer to that object.",
    "red-zone": "The pointer was read from behind the end, or from before the start, of a heap "
                "block: look for an index that is too large.",
    "uninitialised": "The pointer was read out of heap memory that nobody has written to since it "
                     "was allocated.",
}


def poisoned_pointer(evidence: Evidence) -> Verdict | None:
    """An operand, or a pc, computed from a value that the heap fills memory with."""
    if not (is_page_fault(evidence) or evidence.kind == "PROTECTION"):
        return None
    if poison_of(evidence.pc) is not None:
        return _verdict(poison_of(evidence.pc), "call",
                        [canonical_words(evidence.pc), arrival_words(evidence)], "called from")
    for access in evidence.accesses():
        found = _poison_of(evidence, access)
        if found is not None:
            verb = "write" if access.writes else "read"
            return _verdict(found, verb,
                            [access_words(evidence, access), field_words(evidence, access)])
    return _poisoned_target(evidence)


def _poisoned_target(evidence: Evidence) -> Verdict | None:
    """`call rax` with a value that is no address: #GP at the call itself."""
    found = evidence.instruction
    if found is None or found.mnemonic not in ("call", "jmp") or not found.operands:
        return None
    value = found.operands[0].value
    poison = poison_of(value) if value is not None else None
    if poison is None:
        return None
    return _verdict(poison, "call",
                    [f"`{found.text}`; {found.operands[0].text} = {value:#x}."])


def _poison_of(evidence: Evidence, access: Access) -> Poison | None:
    for name in (access.base, access.index):
        value = evidence.disassembler.register(name) if name else None
        if value is not None and poison_of(value) is not None:
            return poison_of(value)
    return poison_near(access.address) if access.address is not None else None


def _verdict(poison: Poison, what: str, reasons: list[str], relation: str = "in") -> Verdict:
    value = f"{poison.byte:#x}" + f"{poison.byte:x}" * 7
    reasons = [*reasons, f"{value} is {poison.words}.", ADVICE[poison.rule]]
    return Verdict(poison.rule, poison.cause.format(what=what), [text for text in reasons if text],
                   relation)


def flip_words(evidence: Evidence) -> list[str]:
    """For a pointer that leads nowhere: the one good address that it differs from in one bit."""
    if not evidence.ranges or (is_page_fault(evidence) and is_fetch(evidence)):
        return []
    for access in evidence.accesses():
        base = evidence.disassembler.register(access.base) if access.base else None
        if base is None or access.base == "rip" or access.address is None or is_null_like(base):
            continue
        if _is_good(evidence, access.address) or evidence.book.near(access.address):
            return []
        offset = access.address - base
        flips = [(bit, base ^ 1 << bit) for bit in ADDRESS_BITS
                 if _is_good(evidence, (base ^ 1 << bit) + offset & MASK64)]
        if 0 < len(flips) <= FLIPS_TOLD:
            return [_flip(evidence, access.base, base, *flips[0])]
    return []


def _flip(evidence: Evidence, name: str, value: int, bit: int, good: int) -> str:
    meaning = evidence.describe(good)
    known = ", which is also in " + " and ".join(
        register for register, other in evidence.registers.items() if other == good)
    known = "" if known.endswith(" in ") else known
    return (f"With bit {bit} the other way {name} = {value:#x} would be {good:#x}"
            + (f" ({meaning})" if meaning else "") + f"{known}: a flipped bit, in memory or by a "
            "stray operation on bits.")


def _is_good(evidence: Evidence, address: int) -> bool:
    held = evidence.book.map_at(address)
    return held is not None and held.kind in TARGETS and bool(range_name(held))


RULES = (poisoned_pointer,)
