"""verdict.py - what a rule of explain.py says, and the phrases that several rules share."""

from __future__ import annotations

from dataclasses import dataclass, field

from crashlib.disasm import Access
from crashlib.evidence import Evidence
from crashlib.x86 import PAGE, is_canonical


@dataclass(frozen=True)
class Verdict:
    rule: str  # "null-pointer": a word for machines
    cause: str  # "null pointer: read of address 0x18"
    reasons: list[str] = field(default_factory=list)  # why that is likely, a sentence each
    relation: str = "in"  # of the cause to the place: "in", "called from", "returning from"
    place_pc: int | None = None  # the place, if it is not the first frame that counts


def access_words(evidence: Evidence, access: Access) -> str:
    """ "`mov rax, [rdi + 0x18]` reads 8 bytes at rdi + 0x18, and rdi = 0." """
    verb = "writes" if access.writes else "reads"
    registers = evidence.register_words(access)
    where = "" if access.address is None else f" = {access.address:#x}"
    text = f"`{evidence.instruction.text}` {verb} {count(access.size, 'byte')} at "
    text += f"{access.text}{where}"
    return f"{text}; {registers}." if registers else f"{text}."


def field_words(evidence: Evidence, access: Access) -> str:
    """ "`node` is a null struct node *: offset 0x18 is its field `next`." or "" """
    base = evidence.disassembler.register(access.base) if access.base else None
    if base is None or access.index or access.displacement < 0:
        return ""
    for pointer in evidence.pointers:
        name = pointer.field_at(access.displacement)
        if pointer.value == base and name:
            state = "is null, a" if not base else f"= {base:#x}, a"
            return (f"`{pointer.name}` {state} {pointer.type} *; offset "
                    f"{access.displacement:#x} is its field `{name}`.")
    return ""


def value_words(evidence: Evidence, value: int) -> str:
    """The value, and what it may mean in brackets."""
    meaning = evidence.describe(value)
    return f"{value:#x} ({meaning})" if meaning else f"{value:#x}"


def arrival_words(evidence: Evidence) -> str:
    """How control got to a pc that is no code; "" if the stack does not tell."""
    arrival = evidence.arrival
    if arrival is None or arrival.call is None:
        return ""
    at = evidence.book.symbol(arrival.call.address) or hex(arrival.call.address)
    operand = arrival.call.operands[0]
    if arrival.way == "jump":
        return (f"A function that `{arrival.call.text}` at {at} called jumped there: its return "
                "address is on top of the stack.")
    words = f"`{arrival.call.text}` at {at} went there: its return address is on top of the stack"
    if operand.kind == "register":
        return f"{words}; {operand.text} = {hex(operand.value) if operand.value else 0}."
    if operand.access is not None and operand.access.address is not None:
        return f"{words}; it read the pointer from {value_words(evidence, operand.access.address)}."
    return words + "."


def canonical_words(value: int) -> str:
    """Why an address is not canonical; "" if it is."""
    if is_canonical(value):
        return ""
    return f"{value:#x} is not canonical: its bits 63 to 47 are not all equal."


def is_null_like(value: int) -> bool:
    return value < PAGE


def count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
