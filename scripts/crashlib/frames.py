"""frames.py - the backtrace that can be trusted, without GDB: for signatures, and for thousands of
records of a few kernels.

The saved registers, unwound by the ELF's rules; where those end early, the kernel's own chain of
frame pointers.  Words that merely look like return addresses are left out.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

from crashlib.cfi import FrameInfo, Registers, Step, unwind
from crashlib.elf import KernelElf
from crashlib.evidence import Evidence
from crashlib.inlines import Inlines, Line
from crashlib.payloads import Trust

KERNELS_KEPT = 8


@dataclass(frozen=True)
class TracedFrame:
    pc: int
    functions: tuple[str, ...]  # innermost first: inlined ones are frames, too; () for no code
    looked_up: int  # the pc, or behind a call one byte before it: within the call


@dataclass(frozen=True)
class Trace:
    frames: list[TracedFrame]
    ended: bool  # at the outermost frame


class KernelCode:
    """What unwinding needs of one ELF file, read once."""

    def __init__(self, elf: KernelElf) -> None:
        self.frame_info, self.inlines = FrameInfo(elf), Inlines(elf)
        self.frame_at = functools.cache(self._frame_at)

    def _frame_at(self, pc: int, looked_up: int) -> TracedFrame:
        return TracedFrame(pc, tuple(self.inlines.functions_at(looked_up)), looked_up)


_kernels: dict[tuple[str, bytes], KernelCode] = {}


def code_of(elf: KernelElf) -> KernelCode:
    name = (str(elf.path), elf.build_id)
    if name not in _kernels:
        if len(_kernels) >= KERNELS_KEPT:
            _kernels.pop(next(iter(_kernels)))
        _kernels[name] = KernelCode(elf)
    return _kernels[name]


def trace(evidence: Evidence) -> Trace:
    elf = evidence.symbols.elf
    if elf is None or evidence.from_user:
        return Trace([], False)
    code = code_of(elf)
    start, is_call = _start(evidence)
    walk = unwind(code.frame_info, start, evidence.memory.read_word, is_call)
    steps = [step for step in walk.steps if evidence.is_text(step.pc - step.is_call)]
    if not walk.ended:
        steps += _kernel_steps(evidence, steps)
    return Trace([code.frame_at(step.pc, step.pc - (step.is_call or _is_after(evidence, number)))
                  for number, step in enumerate(steps)], walk.ended)


def line_of(evidence: Evidence, frame: TracedFrame) -> Line:
    """Of the innermost function of a frame of trace(): apart, because reading lines costs as much
    as all the rest."""
    elf = evidence.symbols.elf
    return code_of(elf).inlines.line_at(frame.looked_up) if elf is not None else Line()


def _is_after(evidence: Evidence, number: int) -> bool:
    return number == 0 and evidence.pc_is_after


def _start(evidence: Evidence) -> tuple[Registers, bool]:
    """The crashed context; where control went astray, the one that it left.  And whether its pc
    is behind a call."""
    registers = {**evidence.registers, "rip": evidence.pc}
    if evidence.is_text(evidence.pc):
        return registers, False
    if evidence.caller is not None:
        caller = evidence.caller
        return {**registers, "rip": caller.pc, "rsp": caller.stack, "rbp": caller.frame}, False
    if evidence.arrival is not None and evidence.arrival.call is not None:
        stack = registers["rsp"]
        return {**registers, "rip": evidence.memory.read_word(stack) or 0, "rsp": stack + 8}, True
    return registers, False


def _kernel_steps(evidence: Evidence, known: list[Step]) -> list[Step]:
    """Of the kernel's own backtrace, what lies beyond and was not guessed."""
    rows = evidence.record.frames
    pcs = {step.pc for step in known}
    last = max((index for index, row in enumerate(rows) if row.pc in pcs), default=-1)
    found = []
    for row in rows[last + 1:]:
        if row.trust not in (Trust.CONTEXT, Trust.FRAME):
            break
        found.append(Step(row.pc, row.frame, row.trust == Trust.FRAME))
    return [step for step in found if evidence.is_text(step.pc - step.is_call)]
