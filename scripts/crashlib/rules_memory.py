"""rules_memory.py - page faults: why the page tables refused an access.

Each rule looks at the evidence and gives a verdict, or None if it has nothing to say.
"""

from __future__ import annotations

from crashlib.evidence import Evidence
from crashlib.maps import range_name, stack_name
from crashlib.rules_stack import corrupted_return
from crashlib.verdict import (Verdict, access_words, arrival_words, field_words, is_null_like,
                              value_words)
from crashlib.x86 import PAGE, PF_FETCH, PF_PRESENT, PF_RESERVED, PF_VECTOR, PF_WRITE

WRITE_RULES = {"kernel text": "write-text", "read-only data": "write-rodata"}
NULL_REACH = 1 << 20  # a field this far into a structure may still be "null plus an offset"


def is_page_fault(evidence: Evidence) -> bool:
    return evidence.vector == PF_VECTOR and evidence.kind == "PAGE_FAULT"


def is_fetch(evidence: Evidence) -> bool:
    """Without no-execute the processor leaves the bit clear: the address then is the pc."""
    return bool(evidence.error & PF_FETCH) or evidence.address == evidence.pc


def verb(evidence: Evidence) -> str:
    return "write" if evidence.error & PF_WRITE else "read"


def malformed_tables(evidence: Evidence) -> Verdict | None:
    if not is_page_fault(evidence) or not evidence.error & PF_RESERVED:
        return None
    return Verdict("page-tables", f"corrupted page table: reserved bit set for "
                   f"{evidence.address:#x}",
                   ["The error code has RSVD: an entry of the page walk has a bit that must be 0."])


def null_call(evidence: Evidence) -> Verdict | None:
    if not is_page_fault(evidence) or not is_fetch(evidence) or not is_null_like(evidence.pc):
        return None
    if evidence.arrival is not None and evidence.arrival.way == "return":
        return corrupted_return(evidence, evidence.pc)
    what = f"{evidence.pc:#x}" if evidence.pc else "0"
    return Verdict("null-call", f"call through a null function pointer: pc = {what}",
                   _non_empty(arrival_words(evidence)), "called from")


def execute_data(evidence: Evidence) -> Verdict | None:
    if not is_page_fault(evidence) or not is_fetch(evidence) or not evidence.error & PF_PRESENT:
        return None
    walk, held = evidence.walk_of(evidence.address), evidence.book.map_at(evidence.pc)
    if walk is not None and walk.user and walk.executable:
        return Verdict("execute-user", f"kernel executed user memory at {evidence.pc:#x} (SMEP)",
                       ["The page belongs to user code, and CR4.SMEP forbids that."])
    if evidence.arrival is not None and evidence.arrival.way == "return":
        return corrupted_return(evidence, evidence.pc)
    where = evidence.book.describe(evidence.pc) or hex(evidence.pc)
    kind = range_name(held) if held else "memory"
    return Verdict("execute-data", f"execution of no-execute memory: {where}",
                   _non_empty(f"{value_words(evidence, evidence.pc)} is in {kind}, which is mapped "
                              "no-execute.", arrival_words(evidence)), "called from")


def jump_to_nowhere(evidence: Evidence) -> Verdict | None:
    if not is_page_fault(evidence) or not is_fetch(evidence):
        return None
    if evidence.arrival is None or evidence.arrival.way == "return":
        return corrupted_return(evidence, evidence.pc)
    return Verdict("wild-call", f"call through a bad function pointer: pc = {evidence.pc:#x}",
                   _non_empty(f"Nothing is mapped at {value_words(evidence, evidence.pc)}.",
                              arrival_words(evidence)), "called from")


def null_pointer(evidence: Evidence) -> Verdict | None:
    """An operand computed from a pointer that is 0, or an address in page 0."""
    if not is_page_fault(evidence) or is_fetch(evidence) or evidence.error & PF_PRESENT:
        return None
    access, address = evidence.access_to(evidence.address), evidence.address
    signed = address - (1 << 64) if address >> 63 else address
    base = evidence.disassembler.register(access.base) if access and access.base else None
    from_null = base is not None and is_null_like(base) and abs(signed) < NULL_REACH
    if not is_null_like(address) and not from_null:
        return None
    offset = f"-{-signed:#x}" if signed < 0 else f"{signed:#x}"
    reasons = _access_reasons(evidence, access)
    return Verdict("null-pointer", f"null pointer: {verb(evidence)} at offset {offset}", reasons)


def write_protected(evidence: Evidence) -> Verdict | None:
    needed = PF_PRESENT | PF_WRITE
    if not is_page_fault(evidence) or evidence.error & needed != needed:
        return None
    where = evidence.book.symbol(evidence.address)
    kind = _read_only_kind(evidence)
    access = evidence.access_to(evidence.address)
    target = f": {where}" if where else f" at {evidence.address:#x}"
    reasons = [f"{value_words(evidence, evidence.address)} is in {kind}, which is mapped "
               "read-only.", *_access_reasons(evidence, access)]
    return Verdict(WRITE_RULES.get(kind, "write-protected"),
                   f"write to {_as_read_only(kind)}{target}", reasons)


def _read_only_kind(evidence: Evidence) -> str:
    elf = evidence.symbols.elf
    section = elf.section_at(evidence.address) if elf else None
    if section is not None and not section.writable:
        return "kernel text" if section.executable else "read-only data"
    held = evidence.book.map_at(evidence.address)
    return range_name(held) if held else "memory"


def _as_read_only(kind: str) -> str:
    return kind if kind.startswith("read-only") else f"read-only {kind}"


def user_memory(evidence: Evidence) -> Verdict | None:
    if not is_page_fault(evidence) or not evidence.error & PF_PRESENT:
        return None
    walk = evidence.walk_of(evidence.address)
    if walk is None or not walk.user:
        return None
    return Verdict("user-memory", f"kernel {verb(evidence)} of user memory at "
                   f"{evidence.address:#x} (SMAP)",
                   ["The page belongs to user code, and CR4.SMAP forbids the kernel to touch it "
                    "unless EFLAGS.AC is set.",
                    *_access_reasons(evidence, evidence.access_to(evidence.address))])


def other_permission(evidence: Evidence) -> Verdict | None:
    if not is_page_fault(evidence) or not evidence.error & PF_PRESENT:
        return None
    return Verdict("page-permission", f"forbidden {verb(evidence)} of "
                   f"{value_words(evidence, evidence.address)}",
                   _access_reasons(evidence, evidence.access_to(evidence.address)))


def guard_page(evidence: Evidence) -> Verdict | None:
    """A guard page touched while there was still a stack to report it on."""
    if not is_page_fault(evidence):
        return None
    guard = evidence.book.guard_at(evidence.address)
    if guard is None:
        return None
    guarded = evidence.book.stack_above(guard)
    sp = evidence.registers.get("rsp", 0)
    what = stack_name(guarded or guard)
    if guarded is not None and not guarded.start - 16 * PAGE <= sp < guarded.end:
        return Verdict("guard-page", f"{verb(evidence)} of the guard page of {what}",
                       [f"rsp = {value_words(evidence, sp)} is elsewhere: a wild pointer or an "
                        "overrun, not a stack that grew too deep.",
                        *_access_reasons(evidence, evidence.access_to(evidence.address))])
    return Verdict("stack-overflow", f"stack overflow: guard page of {what} hit",
                   _access_reasons(evidence, evidence.access_to(evidence.address)))


def wild_pointer(evidence: Evidence) -> Verdict | None:
    """Whatever is left: an address that nothing is mapped at."""
    if not is_page_fault(evidence):
        return None
    near = evidence.book.near(evidence.address)
    reasons = [f"Nothing is mapped at {value_words(evidence, evidence.address)}"
               + (f", {near}." if near else "."),
               *_access_reasons(evidence, evidence.access_to(evidence.address))]
    return Verdict("wild-pointer", f"wild pointer: {verb(evidence)} of {evidence.address:#x}",
                   reasons)


def _non_empty(*texts: str) -> list[str]:
    return [text for text in texts if text]


def _access_reasons(evidence: Evidence, access) -> list[str]:
    """The operand that did it; or that none of them did, which is worth knowing."""
    if access is not None:
        return _non_empty(access_words(evidence, access), field_words(evidence, access))
    if evidence.instruction is None:
        return ["The faulting instruction's bytes are not known."]
    if any(a.address is None for a in evidence.accesses()):
        return [f"The registers that `{evidence.instruction.text}` used are not known."]
    accesses = [f"{a.text} = {a.address:#x}" for a in evidence.accesses()]
    meant = "; ".join(accesses) or "no memory"
    return [f"`{evidence.instruction.text}` touches {meant}, which is not the fault's address: the "
            "registers or the code have changed since."]


RULES = (malformed_tables, null_call, execute_data, jump_to_nowhere, guard_page, null_pointer,
         write_protected, user_memory, other_permission, wild_pointer)
