"""missing.py - what a report cannot know and why, and what makes its words doubtful."""

from __future__ import annotations

from crashlib.code_check import find_code_warnings
from crashlib.debugger import GdbAnswer
from crashlib.evidence import Evidence
from crashlib.payloads import MACHINE_X86_64, RecordFlags
from crashlib.record import Record
from crashlib.system import CpuState

# What each section's absence costs the reader.
EXPECTED = {
    "CAUS": "cause", "REGS": "registers", "CODE": "code bytes at the pc",
    "PTWK": "page-table walks", "BTRC": "the kernel's own backtrace", "STAK": "stack",
    "LOGR": "log", "MAPS": "memory map", "ANNO": "annotations"}
NOT_SAVED = {"NO": "not saved", "SECRET": "withheld", "PARTLY": "saved in part"}
SAVEABLE = ("DATA", "STACK", "HEAP", "DIRECT")
STACKS_NAMED = 2  # more are counted


def find_warnings(evidence: Evidence, answer: GdbAnswer) -> list[str]:
    """What must stand at the top, because it changes how far the rest may be believed."""
    warnings = []
    if evidence.symbols.problem:
        warnings.append(_capital(evidence.symbols.problem) + ".")
    header = evidence.record.header
    if header is not None and header.machine != MACHINE_X86_64:
        warnings.append(f"The record is of a machine that this reader does not know (ELF machine "
                        f"{header.machine}): its registers are not shown.")
    if header is not None and header.flags & RecordFlags.MINIMAL:
        warnings.append("A minimal record: the crash writer itself failed over the full one, which "
                        "may be in the same log.")
    warnings += find_code_warnings(evidence)
    if answer.problem and evidence.symbols.elf is not None:
        warnings.append(_capital(answer.problem) + ".")
    return warnings


def find_missing(evidence: Evidence) -> list[str]:
    record = evidence.record
    missing = list(record.problems)
    met = {section.tag for section in record.sections}
    missing += [f"{tag} ({what}) is absent" for tag, what in EXPECTED.items() if tag not in met]
    missing += _missing_cpus(record)
    for section in record.sections:
        if section.faulted:
            missing.append(f"{section.tag} was cut short by a fault inside the crash writer")
        if section.truncated:
            missing.append(f"{section.tag} was truncated: there was more than the record holds")
    missing += [f"{length:#x} bytes at {start:#x} could not be read by the kernel"
                for start, length in record.holes]
    return missing + _unsaved_memory(evidence)


def _missing_cpus(record: Record) -> list[str]:
    count = record.header.cpu_count if record.header else 0
    silent = [str(cpu.cpu) for cpu in record.cpus if cpu.state == CpuState.SILENT]
    if count > 1 and not record.cpus:
        return [f"CPUS (registers of the other {count - 1} CPUs) is absent"]
    return [f"registers of CPU {', '.join(silent)}: no answer in time"] if silent else []


def _unsaved_memory(evidence: Evidence) -> list[str]:
    found = []
    for captured, why in NOT_SAVED.items():
        ranges = [r for r in evidence.ranges if r.captured == captured and r.kind in SAVEABLE]
        names = sorted({r.name or r.kind.lower() for r in ranges if r.kind != "STACK"})
        stacks = [r.name for r in ranges if r.kind == "STACK"]
        names += [f"{len(stacks)} stacks"] if len(stacks) > STACKS_NAMED else stacks
        if names:
            found.append(f"memory {why}: {', '.join(names)}")
    return found


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
