"""rules_stack.py - stacks that ran out, stack pointers gone astray, return addresses overwritten.

Each rule looks at the evidence and gives a verdict, or None if it has nothing to say.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from crashlib.evidence import Evidence
from crashlib.maps import Range, stack_name
from crashlib.verdict import Verdict, access_words, canonical_words, value_words
from crashlib.x86 import MASK64, is_canonical

RECURSION_FRAMES = 8


def stack_overflow(evidence: Evidence) -> Verdict | None:
    """A fault could not even be delivered, because the stack had run into its guard page."""
    if evidence.kind != "DOUBLE":
        return None
    guard, proof = _guard_hit(evidence)
    if guard is None:
        return None
    guarded = evidence.book.stack_above(guard)
    what = stack_name(guarded or guard)
    size = f" ({(guarded.end - guarded.start) // 1024} KiB)" if guarded else ""
    reasons = [f"{proof} is in the guard page of {what}{size}, which has no room left.",
               "The page fault that this made could not be delivered on that stack: hence the "
               "double fault, which has one of its own.",
               *recursion_words(evidence)]
    return Verdict("stack-overflow", f"stack overflow: {what} ran into its guard page", reasons)


def _guard_hit(evidence: Evidence) -> tuple[Range | None, str]:
    """The guard page that was touched, and what touched it."""
    for access in evidence.accesses():
        guard = evidence.book.guard_at(access.address) if access.address is not None else None
        if guard is not None:
            verb = "writes to" if access.writes else "reads"
            return guard, (f"`{evidence.instruction.text}` {verb} {access.address:#x}, which")
    for name, offset in (("rsp", 0), ("rsp", -8), ("cr2", 0)):
        value = evidence.registers.get(name)
        guard = evidence.book.guard_at(value + offset & MASK64) if value is not None else None
        if guard is not None:
            return guard, f"{name} = {value:#x}{' - 8' if offset else ''}"
    return None, ""


def recursion_words(evidence: Evidence) -> list[str]:
    """Who fills the stack: the function that most frames belong to, if many do."""
    frames = [frame for frame in evidence.frames if frame.function]
    if not frames:
        return []
    (name, times), = Counter(frame.function for frame in frames).most_common(1)
    if times < RECURSION_FRAMES:
        return []
    stacks = sorted(frame.stack for frame in frames if frame.function == name and frame.stack)
    sizes = Counter(outer - inner for inner, outer in pairwise(stacks))
    each = sizes.most_common(1)[0][0] if len(stacks) == times else 0  # the innermost may be less
    size = f", {each:#x} bytes of stack each" if each else ""
    most = f"all {times}" if times == len(frames) else f"{times} of the {len(frames)}"
    return [f"{name} calls itself without an end: it has {most} frames{size}."]


def bad_stack_pointer(evidence: Evidence) -> Verdict | None:
    if evidence.kind != "DOUBLE" or "rsp" not in evidence.registers:
        return None
    sp = evidence.registers["rsp"]
    if not evidence.ranges or evidence.book.stack_at(sp) is not None:
        return None
    pushes = next((access for access in evidence.accesses() if access.base == "rsp"), None)
    reasons = [f"rsp = {value_words(evidence, sp)} is in no stack that the kernel has.",
               canonical_words(sp), access_words(evidence, pushes) if pushes else "",
               "The processor could not push the frame of a fault or an interrupt there: hence the "
               "double fault, which has a stack of its own."]
    return Verdict("bad-stack-pointer", f"bad stack pointer: rsp = {sp:#x}",
                   [reason for reason in reasons if reason])


def double_fault(evidence: Evidence) -> Verdict | None:
    if evidence.kind != "DOUBLE":
        return None
    reasons = ["The processor met a second fault while it delivered a first one, whose vector it "
               "does not tell (SDM 3A, table 6-5)."]
    found = evidence.instruction
    if found is not None:
        reasons.append(f"The first came from `{found.text}`, or from an interrupt before it.")
    sp = evidence.registers.get("rsp")
    if sp is not None and evidence.book.stack_at(sp) is not None:
        reasons.append(f"rsp = {value_words(evidence, sp)} is a good stack: look at the IDT, the "
                       "GDT and the TSS that the first fault went through.")
    return Verdict("double-fault", "double fault", reasons)


def non_canonical_return(evidence: Evidence) -> Verdict | None:
    """#GP at a `ret`, whose stack word is no address (or at its target, as some machines do)."""
    if evidence.kind != "PROTECTION" or evidence.error:
        return None
    found = evidence.instruction
    if found is not None and found.mnemonic in ("ret", "retf", "iretq"):
        target = evidence.memory.read_word(evidence.registers.get("rsp", 0))
        if target is not None and not is_canonical(target):
            return corrupted_return(evidence, target)
    arrival = evidence.arrival
    if not is_canonical(evidence.pc) and (arrival is None or arrival.way == "return"):
        return corrupted_return(evidence, evidence.pc)
    return None


def corrupted_return(evidence: Evidence, target: int) -> Verdict:
    """A `ret` went, or was about to go, to a target that cannot be right."""
    if evidence.pc == target and evidence.arrival is None:
        return _unexplained_jump(evidence, target)
    place, words = _returning_function(evidence, target)
    reasons = [f"The return address is {value_words(evidence, target)}: no code is there.",
               canonical_words(target), *words,
               "The stack was overwritten: look for a buffer overrun in the function that was "
               "returning, or in what it called."]
    return Verdict("corrupted-return", f"corrupted return address {target:#x}",
                   [reason for reason in reasons if reason],
                   "in" if place is None else "returning from", place)


def _unexplained_jump(evidence: Evidence, target: int) -> Verdict:
    reasons = [f"No code is at {value_words(evidence, target)}.", canonical_words(target),
               "The stack is not known, so whether a call or a return led there cannot be told."]
    return Verdict("wild-jump", f"jump to a bad address: pc = {target:#x}",
                   [reason for reason in reasons if reason])


def _returning_function(evidence: Evidence, target: int) -> tuple[int | None, list[str]]:
    """A pc inside the function that executed the `ret`, and how that is known."""
    if evidence.pc != target:
        return evidence.pc, [f"`{evidence.instruction.text}` takes it from [rsp]."]
    words = ["No call led there, for the word at rsp is not the return address of one: a `ret` "
             "took it from the stack."]
    call = evidence.returned_to
    if call is None:
        return None, words
    name = evidence.book.symbol(call.function) or hex(call.function)
    said = f"It should have gone back to {name}, by the frame that rbp points at"
    if call.target is None:
        return call.function, [*words, said + "."]
    callee = evidence.book.symbol(call.target) or hex(call.target)
    return call.target, [*words, f"{said}; {name} makes one call only, of {callee}: that is what "
                         "was returning."]


RULES = (stack_overflow, bad_stack_pointer, double_fault, non_canonical_return)
