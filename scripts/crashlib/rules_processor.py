"""rules_processor.py - the processor's own rules: division, opcodes, protection, machine checks.

Each rule looks at the evidence and gives a verdict, or None if it has nothing to say.
"""

from __future__ import annotations

from crashlib.disasm import Instruction
from crashlib.evidence import Evidence
from crashlib.verdict import (Verdict, access_words, arrival_words, canonical_words, field_words,
                              value_words)
from crashlib.x86 import SELECTOR_VECTORS, is_canonical, selector_words

DIVIDE, INVALID_OPCODE, NO_FPU, GENERAL_PROTECTION, X87, ALIGNMENT, SIMD = 0, 6, 7, 13, 16, 17, 19
ALIGNED_SSE = ("movaps", "movapd", "movdqa", "movntps", "movntpd", "movntdq", "movntdqa")
SEGMENT_LOADS = ("mov", "pop", "ltr", "lldt", "lds", "les", "lfs", "lgs", "lss", "ljmp", "lcall",
                 "retf", "retfq", "iretq", "iret")


def divide_by_zero(evidence: Evidence) -> Verdict | None:
    found = evidence.instruction
    if evidence.vector != DIVIDE or evidence.kind != "ARITHMETIC":
        return None
    if found is None or found.mnemonic not in ("div", "idiv") or not found.operands:
        return Verdict("divide", "divide error", [])
    divisor, name = _divisor(evidence, found)
    text = f"`{found.text}` divides by {name}"
    if divisor is None:
        return Verdict("divide", "divide error: divisor 0 or quotient too large",
                       [f"{text}, whose value is not known."])
    if divisor:
        return Verdict("divide-overflow", "divide error: the quotient does not fit",
                       [f"{text} = {divisor:#x}, not 0: the dividend in the rdx and rax registers "
                        "is too large for it."])
    return Verdict("divide-by-zero", f"division by zero: {name} = 0", [f"{text}, and {name} = 0."])


def _divisor(evidence: Evidence, found: Instruction) -> tuple[int | None, str]:
    operand = found.operands[0]
    if operand.access is None:
        return operand.value, operand.text
    if operand.access.address is None:
        return None, operand.text
    data = evidence.memory.read(operand.access.address, operand.size)
    symbol = evidence.book.symbol(operand.access.address)
    name = f"{operand.text} ({symbol})" if symbol else operand.text
    return None if data is None else int.from_bytes(data, "little"), name


def invalid_opcode(evidence: Evidence) -> Verdict | None:
    if evidence.vector != INVALID_OPCODE or evidence.kind != "INSTRUCTION":
        return None
    found = evidence.instruction
    if found is None:
        data = evidence.memory.read_prefix(evidence.pc, 8)
        what = f"bytes {data.hex(' ')}" if data else "bytes that are not known"
        reasons = [f"At the pc are {what}: no instruction.", arrival_words(evidence)]
        return Verdict("invalid-opcode", "invalid opcode", [text for text in reasons if text])
    if found.mnemonic in ("ud2", "ud1", "ud0"):
        return Verdict("invalid-opcode", f"invalid opcode: {found.mnemonic}",
                       [f"`{found.text}` is the instruction that is always invalid: a deliberate "
                        "trap, __builtin_trap() or code the compiler held for unreachable."])
    return Verdict("invalid-opcode", f"invalid opcode: `{found.text}`",
                   [f"`{found.text}` exists, but this processor has it not, it is switched off in "
                    "CR0, CR4 or XCR0, or its operands or a prefix are not allowed."])


def bad_selector(evidence: Evidence) -> Verdict | None:
    if evidence.vector not in SELECTOR_VECTORS or not evidence.error:
        return None
    found = evidence.instruction
    words = selector_words(evidence.error)
    reasons = [f"Error code {evidence.error:#x}: {words}."]
    if found is not None and found.mnemonic in SEGMENT_LOADS:
        reasons.insert(0, _selector_load_words(evidence, found))
    elif found is not None and found.mnemonic.startswith("int"):
        reasons.insert(0, f"`{found.text}` goes through an IDT entry that does not allow it.")
    what = "bad IDT entry" if evidence.error & 2 else "bad segment selector"
    number = evidence.error >> 3 if evidence.error & 2 else evidence.error & 0xFFFC
    return Verdict("bad-selector", f"{what} {number:#x}", reasons)


def _selector_load_words(evidence: Evidence, found: Instruction) -> str:
    source = next((operand for operand in reversed(found.operands)
                   if operand.value is not None and operand.text not in ("fs", "gs")), None)
    value = f"; {source.text} = {source.value:#x}" if source else ""
    return f"`{found.text}` loads a segment register{value}."


def bad_msr(evidence: Evidence) -> Verdict | None:
    found = evidence.instruction
    if not _is_protection(evidence) or found is None or found.mnemonic not in ("rdmsr", "wrmsr"):
        return None
    number, low, high = (evidence.disassembler.register(name) for name in ("ecx", "eax", "edx"))
    name = "an unknown number" if number is None else f"{number:#x}"
    if found.mnemonic == "rdmsr":
        return Verdict("bad-msr", f"read of a bad model-specific register: {name}",
                       [f"`rdmsr` with ecx = {name}: the processor has no such register."])
    value = "a value" if low is None or high is None else f"edx:eax = {high << 32 | low:#x}"
    return Verdict("bad-msr", f"bad write of a model-specific register: {name}",
                   [f"`wrmsr` with ecx = {name} and {value}: the processor has no such register, "
                    "or the register does not allow that value."])


def non_canonical_pointer(evidence: Evidence) -> Verdict | None:
    """#GP, or #SS through rsp and rbp: no CR2 tells the address, the operands do."""
    if evidence.vector not in (12, GENERAL_PROTECTION) or evidence.error:
        return None
    for access in evidence.accesses():
        if access.address is not None and not is_canonical(access.address):
            verb = "write" if access.writes else "read"
            meaning = evidence.book.describe(access.address)
            reasons = [access_words(evidence, access), canonical_words(access.address),
                       f"It is {meaning}." if '"' in meaning else "",
                       field_words(evidence, access)]
            return Verdict("non-canonical", f"wild pointer: {verb} of non-canonical address "
                           f"{access.address:#x}", [text for text in reasons if text])
    return None


def non_canonical_jump(evidence: Evidence) -> Verdict | None:
    if not _is_protection(evidence) or evidence.error:
        return None
    found = evidence.instruction
    if not is_canonical(evidence.pc):
        reasons = [canonical_words(evidence.pc), arrival_words(evidence)]
        return Verdict("non-canonical-jump", f"jump to non-canonical address {evidence.pc:#x}",
                       [text for text in reasons if text], "called from")
    if found is None or found.mnemonic not in ("call", "jmp") or not found.operands:
        return None
    target = found.operands[0].value
    if target is None or is_canonical(target):
        return None
    return Verdict("non-canonical-jump", f"{found.mnemonic} to non-canonical address {target:#x}",
                   [f"`{found.text}`; {found.operands[0].text} = {target:#x}.",
                    canonical_words(target)])


def misaligned_vector(evidence: Evidence) -> Verdict | None:
    found = evidence.instruction
    if not _is_protection(evidence) or found is None:
        return None
    if found.mnemonic.removeprefix("v") not in ALIGNED_SSE:
        return None
    for access in evidence.accesses():
        if access.address is not None and access.size and access.address % access.size:
            return Verdict("misaligned", f"misaligned vector access: {access.address:#x}",
                           [access_words(evidence, access),
                            f"The address must be a multiple of {access.size}: a stack that is "
                            "not aligned to 16 at a call, or a pointer cast too far."])
    return None


def forbidden_instruction(evidence: Evidence) -> Verdict | None:
    """What is left of #GP: name the instruction and what usually makes it fail."""
    if not _is_protection(evidence):
        return None
    found = evidence.instruction
    if found is None:
        return Verdict("protection", "general protection",
                       [f"No instruction is known at pc = {value_words(evidence, evidence.pc)}."])
    reasons = [f"`{found.text}` broke a rule that the error code 0 does not name."]
    control = next((operand.text for operand in found.operands if operand.text[:2] == "cr"), "")
    if control:
        reasons.append(f"It loads {control}: a reserved bit, or bits that do not go together.")
    if evidence.from_user:
        reasons.append("User code must not execute it.")
    return Verdict("protection", f"general protection at `{found.text}`", reasons)


def _is_protection(evidence: Evidence) -> bool:
    return evidence.vector == GENERAL_PROTECTION and evidence.kind == "PROTECTION"


# What needs no operand to be explained: vector, rule, cause, reason.
SIMPLE = (
    (NO_FPU, "no-fpu", "x87 or SSE instruction while CR0.TS or CR0.EM is set", ""),
    (X87, "x87", "x87 floating-point error", "An unmasked x87 exception was pending."),
    (ALIGNMENT, "alignment", "alignment check", "EFLAGS.AC and CR0.AM ask for aligned accesses."),
    (SIMD, "simd", "SIMD floating-point exception", "An exception unmasked in MXCSR was raised."),
    (18, "machine-check", "machine check: the hardware reports an error of its own",
     "Look at the machine-check banks; the pc may have nothing to do with it."),
    (2, "nmi", "non-maskable interrupt", "Hardware or another CPU raised it; the pc is where this "
     "CPU happened to be."),
    (3, "breakpoint", "breakpoint instruction", ""),
    (1, "debug", "debug exception", ""),
)


def simple_vector(evidence: Evidence) -> Verdict | None:
    if evidence.kind == "PANIC":
        return None
    for vector, rule, cause, reason in SIMPLE:
        if vector == evidence.vector:
            found = evidence.instruction
            at = [f"The instruction at the pc is `{found.text}`."] if found else []
            return Verdict(rule, cause, [text for text in (reason, *at) if text])
    return None


RULES = (divide_by_zero, invalid_opcode, bad_selector, bad_msr, non_canonical_pointer,
         non_canonical_jump, misaligned_vector, forbidden_instruction, simple_vector)
