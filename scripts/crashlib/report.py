"""report.py - one crash as data: everything that a report says, before any of it is printed.

Fields are plain values, addresses hex strings, so that the same object is printed (text.py) or
turned into JSON as it stands.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

from crashlib.backtrace import (Frame, first_that_counts, frame_at, make_backtrace,
                                wanted_places)
from crashlib.disasm import ListedLine
from crashlib.debugger import FrameQuery, GdbAnswer, Variable
from crashlib.evidence import Evidence, build_id_of
from crashlib.explain import explain
from crashlib.memory_picture import MemoryPart, StackPart, describe_memory, describe_stack
from crashlib.missing import find_missing, find_warnings
from crashlib.others import CpuPart, EventPart, LockPart, Others, ThreadPart, describe_others
from crashlib.payloads import LOG_LEVELS, name_of, TrapKind
from crashlib.signature import Signature, make_signature
from crashlib.tables import vectors
from crashlib.verdict import Verdict
from crashlib.x86 import (FLAG_REGISTERS, GENERAL_REGISTERS, PF_VECTOR, error_code_names,
                          flag_names, page_fault_bits)

FORMAT = "trapline-report"
FORMAT_VERSION = 1
LOG_LINES = 12
OPTIMIZED_OUT = "<optimized out>"
STOP_WORDS = {
    "memory error while unwinding": "the stack beyond is not in the record",
    "previous frame identical to this frame (corrupt stack?)": "the stack is corrupted"}


@dataclass(frozen=True)
class Event:
    """What the processor or the kernel reported."""
    exception: str  # "#PF", "panic"
    name: str  # "page fault"
    vector: int
    error: str
    error_names: str  # "P|W", for page faults
    error_words: list[str]
    address: str  # page faults: what was touched
    pc: str
    user: bool
    cpu: int
    thread: int
    thread_name: str
    uptime_us: int
    nesting: int


@dataclass(frozen=True)
class Place:
    function: str = ""
    file: str = ""
    line: int = 0
    relation: str = "in"


@dataclass(frozen=True)
class WalkLine:
    purpose: str
    address: str
    path: str
    summary: str
    expected: bool  # nothing to wonder about


@dataclass(frozen=True)
class RegisterLine:
    name: str
    value: str
    meaning: str


@dataclass(frozen=True)
class CodeLine:
    address: str
    data: str
    text: str  # with symbols in the place of addresses
    at_pc: bool


@dataclass(frozen=True)
class LogLine:
    time_us: int
    level: str
    text: str
    lost_before: int  # messages between this one and the one before


@dataclass(frozen=True)
class NestedLine:
    section: str
    name: str
    text: str
    pc: str
    symbol: str
    address: str


@dataclass
class Report:
    rule: str
    cause: str
    place: Place
    event: Event | None
    reasons: list[str]
    warnings: list[str]
    walks: list[WalkLine]
    frames: list[Frame]
    backtrace_notes: list[str]
    locals: list[Variable]  # of the frame that counts
    locals_of: int  # its number
    registers: list[RegisterLine]
    code_of: str  # "provoke_divide+0x10"
    code: list[CodeLine]
    stack: StackPart
    memory: list[MemoryPart]
    cpus: list[CpuPart]
    threads: list[ThreadPart]
    locks: list[LockPart]
    deadlocks: list[str]  # in words
    events: list[EventPart]  # of all CPUs, by time
    log: list[LogLine]
    nested: list[NestedLine]
    missing: list[str]
    annotations: dict[str, str]
    signature: Signature
    record_id: str
    sequence: int | None
    boot_id: str
    build_id: str
    elf: str
    elf_matches: bool
    complete: bool
    go_on: list[tuple[str, str]] = field(default_factory=list)  # (command, what it does)

    def as_json(self) -> dict:
        body = dataclasses.asdict(self)
        for part in (body, *body["cpus"], *body["threads"]):
            for frame in part["frames"]:
                frame["pc"], frame["stack"] = hex(frame["pc"]), hex(frame["stack"])
        return {"format": FORMAT, "version": FORMAT_VERSION, **body}


def make_report(evidence: Evidence) -> Report:
    query = FrameQuery(evidence, wanted_places(evidence))
    _ = evidence.instruction  # Capstone loads while GDB works
    signature = make_signature(evidence)  # likewise
    answer = query.finish()
    evidence.frames = make_backtrace(evidence, answer)
    evidence.pointers = answer.pointers
    verdict, counts = explain(evidence), first_that_counts(evidence.frames)
    others = describe_others(evidence, answer)
    record, elf = evidence.record, evidence.symbols.elf
    code_of, code = _code(evidence, counts)
    return Report(
        rule=verdict.rule, cause=verdict.cause,
        place=_place(evidence, answer, verdict), event=_event(evidence),
        reasons=verdict.reasons + _told_pcs(evidence, answer),
        warnings=find_warnings(evidence, answer) + _deadlock_warnings(others),
        walks=_walks(evidence), frames=evidence.frames,
        backtrace_notes=_backtrace_notes(evidence, answer),
        locals=[v for v in counts.locals if v.value != OPTIMIZED_OUT] if counts else [],
        locals_of=evidence.frames.index(counts) if counts else 0,
        registers=_registers(evidence), code_of=code_of, code=code,
        stack=describe_stack(evidence), memory=describe_memory(evidence), cpus=others.cpus,
        threads=others.threads, locks=others.locks, deadlocks=others.deadlocks,
        events=others.events, log=_log(evidence),
        nested=_nested(evidence), missing=find_missing(evidence), annotations=record.annotations,
        signature=signature,
        record_id="" if record.record_id is None else f"{record.record_id:08x}",
        sequence=record.sequence, boot_id=record.boot_id or "", build_id=build_id_of(record).hex(),
        elf=str(elf.path) if elf else "", elf_matches=evidence.symbols.matched,
        complete=record.complete and elf is not None and evidence.symbols.matched)


def _told_pcs(evidence: Evidence, answer: GdbAnswer) -> list[str]:
    """Where the calls are that the kernel's last words name by their pcs."""
    frames = [(pc, frame_at(evidence, answer, pc - 1)) for pc in evidence.told_pcs]
    return [f"{pc:#x} is in {frame.function} at {frame.place}"
            + (f": `{frame.source}`" if frame.source else "") + "."
            for pc, frame in frames if frame.function and frame.file]


def _deadlock_warnings(others: Others) -> list[str]:
    return [f"Deadlock: {words}." for words in others.deadlocks]


def _place(evidence: Evidence, answer: GdbAnswer, verdict: Verdict) -> Place:
    if verdict.place_pc in (None, evidence.pc):
        frame = first_that_counts(evidence.frames)
    else:
        frame = frame_at(evidence, answer, verdict.place_pc)
    if frame is None:
        return Place()
    return Place(frame.function, frame.file, frame.line, verdict.relation)


def _event(evidence: Evidence) -> Event | None:
    cause = evidence.cause
    if cause is None:
        return None
    row = next((row for row in vectors() if row.number == cause.vector), None)
    return Event(
        exception=f"#{row.mnemonic}" if row else "",
        name=cause.name or name_of(TrapKind, cause.kind), vector=cause.vector,
        error=hex(cause.error) if row and row.has_error else "",
        error_names=error_code_names(cause.error) if cause.vector == PF_VECTOR else "",
        error_words=page_fault_bits(cause.error) if cause.vector == PF_VECTOR else [],
        address=hex(cause.address) if cause.vector == PF_VECTOR else "", pc=hex(cause.pc),
        user=evidence.from_user, cpu=cause.cpu, thread=cause.thread,
        thread_name=cause.thread_name, uptime_us=cause.uptime_us, nesting=cause.nesting)


def _walks(evidence: Evidence) -> list[WalkLine]:
    """The walks, one for each address, and whether each shows what a healthy kernel's would."""
    lines, seen = [], set()
    for walk in evidence.walks:
        if walk.address in seen:
            continue
        seen.add(walk.address)
        expected = {"pc": walk.executable and not walk.writable,
                    "stack pointer": walk.writable}.get(walk.purpose, False)
        lines.append(WalkLine(walk.purpose, hex(walk.address), walk.path(), walk.summary(),
                              expected))
    return lines


def _backtrace_notes(evidence: Evidence, answer: GdbAnswer) -> list[str]:
    notes = []
    if answer.problem:
        notes.append(f"{answer.problem}: functions by the symbol table, no arguments, no lines")
    stop = answer.crashed.stop
    of_user = bool(evidence.frames) and evidence.frames[-1].is_of_user
    if stop and not answer.callers and not of_user:
        notes.append(f"GDB's frames end early: {STOP_WORDS.get(stop, stop)}")
    if any(frame.file and not frame.source for frame in evidence.frames):
        notes.append("source lines are left out where the file is not here or was changed since "
                     "the kernel was built")
    return notes


def _registers(evidence: Evidence) -> list[RegisterLine]:
    known = evidence.registers
    order = [name for name in GENERAL_REGISTERS if name in known]
    order += [name for name in known if name not in GENERAL_REGISTERS]
    return [RegisterLine(name, hex(known[name]), _register_meaning(evidence, name))
            for name in order]


def _register_meaning(evidence: Evidence, name: str) -> str:
    value = evidence.registers[name]
    if name in FLAG_REGISTERS:
        return flag_names(name, value)
    if name == "cr3":
        return ""
    return evidence.describe(value) or evidence.describe_unknown(value)


def _code(evidence: Evidence, counts: Frame | None) -> tuple[str, list[CodeLine]]:
    """The lines around the instruction that the event is about; where that is no code, or only
    the kernel's way of panicking, those around the call that led there."""
    pc = evidence.instruction.address if evidence.instruction else evidence.pc
    if counts is not None and evidence.code_is_elsewhere:
        call = evidence.disassembler.before(counts.pc)
        pc = call.address if call is not None else pc
    lines = [CodeLine(hex(line.address), line.data.hex(" "), _symbolic(evidence, line),
                      line.at_pc) for line in evidence.disassembler.listing(pc)]
    return evidence.book.symbol(pc), lines


def _symbolic(evidence: Evidence, line: ListedLine) -> str:
    if line.mention is None:
        return line.text
    text, address = line.mention
    name = evidence.describe(address)
    if not name or text not in line.text:
        return line.text
    return line.text.replace(text, f"[{name}]" if text.startswith("[") else name)


def _log(evidence: Evidence) -> list[LogLine]:
    lines, expected = [], None
    for entry in evidence.record.log:
        lost = 0 if expected is None else max(entry.sequence - expected, 0)
        level = LOG_LEVELS[entry.level] if entry.level < len(LOG_LEVELS) else str(entry.level)
        lines.append(LogLine(entry.time_us, level, entry.text, lost))
        expected = entry.sequence + 1
    return lines[-LOG_LINES:]


def _nested(evidence: Evidence) -> list[NestedLine]:
    return [NestedLine(row.tag.decode("ascii", "replace").strip("\0"),
                       name_of(TrapKind, row.kind).lower().replace("_", " "), row.text,
                       hex(row.pc), evidence.book.symbol(row.pc), hex(row.address))
            for row in evidence.record.nested]
