"""backtrace.py - one list of frames out of GDB's and the kernel's own, each with a trust mark.

GDB's come first, by DWARF's rules.  Where GDB had to stop, the kernel's own backtrace, which
follows frame pointers and scans the stack, goes on as far as it adds something.
"""

from __future__ import annotations

import linecache
import os
from dataclasses import dataclass, field, replace
from pathlib import Path

from crashlib.contexts import Context
from crashlib.debugger import GdbAnswer, GdbFrame, GdbPlace, Variable
from crashlib.evidence import Evidence, is_user_address
from crashlib.payloads import Frame as RecordedFrame, Trust
from crashlib.symbols import ROOT

# How a frame was found, surest first.
TRUST_CONTEXT = "context"  # the saved registers
TRUST_CFI = "cfi"  # unwound by DWARF's rules
TRUST_FRAME = "frame"  # a frame-pointer chain
TRUST_SCAN = "scan"  # a word on the stack that points into text: a guess
TRUST_BY_NUMBER = {Trust.CONTEXT: TRUST_CONTEXT, Trust.FRAME: TRUST_FRAME, Trust.SCAN: TRUST_SCAN}

POINTED_FRAMES_MAX = 64
SITES_MAX = 256  # of locks

# How the kernel fails on purpose: never the place that a verdict names.
MACHINERY = ("panic", "assert_failed", "__stack_chk_fail", "trap_raise", "arch_panic", "arch_trap",
             "ask_handlers", "trap_dispatch", "trap_dispatch_ordinary", "trap_common", "trap_stubs")
MACHINERY_PREFIXES = ("crash_", "panic_", "assert_")


@dataclass(frozen=True)
class Frame:
    pc: int
    trust: str
    stack: int = 0  # the stack pointer in it
    function: str = ""
    offset: int | None = None  # of the pc in the symbol
    file: str = ""
    line: int = 0
    source: str = ""  # that line's text
    inline: bool = False
    signal: bool = False  # a trap's entry: what is below it was interrupted
    arguments: list[Variable] = field(default_factory=list)
    locals: list[Variable] = field(default_factory=list)

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line}" if self.file else ""

    @property
    def is_of_user(self) -> bool:
        """A user program's, of which no symbols are at hand.  Where the kernel itself went astray
        is no program, whatever the address."""
        return (self.trust != TRUST_CONTEXT and not self.function
                and is_user_address(self.pc))


def make_backtrace(evidence: Evidence, answer: GdbAnswer) -> list[Frame]:
    frames = [_from_gdb(evidence, frame, TRUST_CFI if index else TRUST_CONTEXT)
              for index, frame in enumerate(answer.crashed.frames)]
    if frames and evidence.pc_is_after and evidence.pc - 1 in answer.places:
        place = answer.places[evidence.pc - 1]
        frames[0] = replace(frames[0], file=_short_path(place), line=place.line,
                            source=_source_line(evidence, place))
    _drop_what_is_none(evidence, frames)
    if answer.callers:
        return frames[:1] + [_from_gdb(evidence, frame, TRUST_FRAME) for frame in answer.callers]
    return frames + _kernel_frames(evidence, answer, frames)


def other_backtrace(evidence: Evidence, answer: GdbAnswer, context: Context) -> list[Frame]:
    """Of a context that did not crash."""
    pc, walk = context.registers["rip"], answer.walks.get(context.lwp)
    if walk is None:
        return _by_frame_pointers(evidence, answer, context)
    frames = [_from_gdb(evidence, frame, TRUST_CONTEXT if frame.pc == pc else TRUST_CFI)
              for frame in walk.frames]
    _drop_what_is_none(evidence, frames)
    return frames


def _drop_what_is_none(evidence: Evidence, frames: list[Frame]) -> None:
    """What GDB reads past the end of a chain is no frame; what a user program was doing when it
    entered the kernel is the outermost one."""
    while len(frames) > 1 and not evidence.is_text(frames[-1].pc):
        if frames[-2].signal and frames[-1].is_of_user:
            break
        frames.pop()


def _by_frame_pointers(evidence: Evidence, answer: GdbAnswer, context: Context) -> list[Frame]:
    """For want of GDB."""
    sp, frame = context.registers["rsp"], context.registers.get("rbp", 0)
    frames = [frame_at(evidence, answer, context.registers["rip"], TRUST_CONTEXT, sp)]
    while frame >= sp and len(frames) < POINTED_FRAMES_MAX:
        outer, back = (evidence.memory.read_word(frame + offset) for offset in (0, 8))
        if outer is None or back is None or not evidence.is_text(back):
            break
        frames.append(frame_at(evidence, answer, back - 1, TRUST_FRAME, frame + 16, back))
        sp, frame = frame + 16, outer
    return frames


def wanted_places(evidence: Evidence) -> list[int]:
    """The pcs that GDB is asked about, because it may not find them by unwinding."""
    pcs = [_looked_up(row) for row in evidence.record.frames]
    pcs += [evidence.pc - 1] if evidence.pc_is_after else []
    pcs += [pc - 1 for pc in evidence.told_pcs]
    pcs += [row.site - 1 for row in evidence.record.locks[:SITES_MAX] if row.site]
    if not evidence.is_text(evidence.pc) and evidence.returned_to is not None:
        call = evidence.returned_to
        pcs += [pc for pc in (call.function, call.target) if pc is not None]
    return sorted({pc for pc in pcs if evidence.is_text(pc)})


def first_that_counts(frames: list[Frame]) -> Frame | None:
    """The frame that a verdict names: the innermost one that is not failure machinery."""
    named = [frame for frame in frames if frame.function]
    return next((frame for frame in named if not is_machinery(frame.function)),
                named[0] if named else None)


def is_machinery(function: str) -> bool:
    return function in MACHINERY or function.startswith(MACHINERY_PREFIXES)


def frame_at(evidence: Evidence, answer: GdbAnswer, pc: int, trust: str = TRUST_SCAN,
             stack: int = 0, shown_pc: int | None = None) -> Frame:
    """A frame for a pc that GDB did not come to by unwinding."""
    place, found = answer.places.get(pc), None
    if evidence.symbols.elf is not None and evidence.is_text(pc):
        found = evidence.symbols.elf.symbol_at(pc)
    shown_pc = pc if shown_pc is None else shown_pc
    function = (place.function if place else None) or (found.name if found else "")
    offset = shown_pc - found.start if found else None
    if place is None or not place.line:
        return Frame(shown_pc, trust, stack, function, offset)
    return Frame(shown_pc, trust, stack, function, offset, _short_path(place), place.line,
                 _source_line(evidence, place))


def _looked_up(row: RecordedFrame) -> int:
    """A return address may be the first byte of the next line, or of the next function."""
    return row.pc if row.trust == Trust.CONTEXT else max(row.pc - 1, 0)


def _from_gdb(evidence: Evidence, frame: GdbFrame, trust: str) -> Frame:
    if frame.pc == evidence.pc:  # an inlined function and what it is in have one context
        trust = TRUST_CONTEXT
    elf = evidence.symbols.elf
    found = elf.symbol_at(frame.pc) if elf else None
    return Frame(
        pc=frame.pc, trust=trust, stack=frame.stack,
        function=frame.function if frame.function and evidence.is_text(frame.pc) else "",
        offset=None if found is None else frame.pc - found.start,
        file=_short_path(frame), line=frame.line,
        source=_source_line(evidence, frame), inline=frame.inline, signal=frame.signal,
        arguments=frame.arguments, locals=frame.locals)


def _kernel_frames(evidence: Evidence, answer: GdbAnswer, known: list[Frame]) -> list[Frame]:
    """The frames of BTRC that lie beyond the ones already known."""
    rows = evidence.record.frames
    pcs = {frame.pc for frame in known}
    last = max((index for index, row in enumerate(rows) if row.pc in pcs), default=-1)
    deepest = max((frame.stack for frame in known), default=0)
    beyond = [row for row in rows[last + 1:] if not row.frame or row.frame >= deepest]
    return [frame_at(evidence, answer, _looked_up(row), TRUST_BY_NUMBER.get(row.trust, TRUST_SCAN),
                     row.frame, row.pc) for row in beyond]


def _short_path(place: GdbFrame | GdbPlace) -> str:
    """Relative to the kernel's folder or the working directory, if it lies there."""
    for base in (ROOT, Path.cwd()):
        if place.path.startswith(str(base) + os.sep):
            return os.path.relpath(place.path, base)
    return place.file


def _source_line(evidence: Evidence, place: GdbFrame | GdbPlace) -> str:
    """Its text, unless the file was changed after the kernel was built: a wrong line misleads."""
    for path in (Path(place.path), ROOT / place.file):
        if place.line and path.is_file() and not is_newer(path, evidence.symbols.elf.path):
            return linecache.getline(str(path), place.line).strip()
    return ""


def is_newer(source: Path, elf: Path) -> bool:
    try:
        return source.stat().st_mtime > elf.stat().st_mtime
    except OSError:
        return False
