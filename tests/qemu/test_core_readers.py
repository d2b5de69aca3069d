"""test_core_readers.py - the cores of all crashes: GDB, LLDB, drgn and an unwinder that shares no
code with them find the same frames, through the entry stubs and down to the boot code."""

from __future__ import annotations

from pathlib import Path

import pytest

import debuggers
from crashes import CRASHES
from crashlib.contexts import CRASHED_LWP
from crashlib.core import make_core
from crashlib.elf import read_elf
from crashlib.evidence import Evidence
from crashlib.record import load
from crashlib.symbols import Symbols

STARTED = ("null-read", "double-fault")  # as people start the debuggers: it takes its time
# Their pc is in no code: there are no rules to unwind by, and each debugger guesses in its own way.
ASTRAY = ("null-call", "exec-data", "smashed-return-address")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Capstone's distutils


def evidence_of(log: Path, symbols: Symbols) -> Evidence:
    record, = load(log)
    return Evidence(record, symbols)


@pytest.fixture(scope="module")
def symbols(kernel_elf) -> Symbols:
    return Symbols(read_elf(kernel_elf), True, "")


def pcs(frames: debuggers.Frames) -> dict[int, list[str]]:
    return {lwp: list(map(hex, rows)) for lwp, rows in frames.items()}


@pytest.mark.parametrize("name", STARTED)
def test_all_readers_that_crash_py_starts_find_the_same_frames(
        name, crash_log, kernel_elf, symbols):
    log = crash_log(name)
    evidence = evidence_of(log, symbols)
    expected = debuggers.frames_by_cfi(evidence)
    assert expected[CRASHED_LWP]
    for reader, seen in (("gdb", debuggers.frames_in_gdb(evidence)),
                         ("lldb", debuggers.frames_in_lldb(log, kernel_elf)),
                         ("drgn", debuggers.frames_in_drgn(log, kernel_elf))):
        assert pcs(seen) == pcs(expected), reader


def test_all_readers_find_the_same_frames_of_every_crash(
        crash_log, kernel_elf, symbols, tmp_path):
    evidences = {name: evidence_of(crash_log(name), symbols) for name in CRASHES}
    cores = [tmp_path / name for name in CRASHES]
    for core, evidence in zip(cores, evidences.values(), strict=True):
        core.write_bytes(make_core(evidence))
    by_lldb = debuggers.frames_of_cores_in_lldb(cores, kernel_elf)
    by_drgn = debuggers.frames_of_cores_in_drgn(cores, kernel_elf)
    differ = {}
    for (name, evidence), *seen in zip(evidences.items(), by_lldb, by_drgn, strict=True):
        readers = dict(zip(("lldb", "drgn"), seen, strict=True))
        readers["gdb"] = debuggers.frames_in_gdb(evidence)
        expected = pcs(debuggers.frames_by_cfi(evidence))
        if name in ASTRAY:
            for frames in (expected, *readers.values()):
                del frames[CRASHED_LWP]
        else:
            assert expected[CRASHED_LWP], name
        differ |= {f"{name} in {reader}": (pcs(frames), expected)
                   for reader, frames in readers.items() if pcs(frames) != expected}
    assert differ == {}
