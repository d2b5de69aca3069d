"""test_core_readers.py - the core of a real crash: GDB, LLDB, drgn and an unwinder that shares no
code with them find the same frames, through the entry stubs and down to the boot code."""

from __future__ import annotations

import pytest

import debuggers
from crashlib.contexts import CRASHED_LWP
from crashlib.elf import read_elf
from crashlib.evidence import Evidence
from crashlib.record import load
from crashlib.symbols import Symbols

NAMES = ("null-read", "divide", "panic", "stack-overflow", "double-fault",
         "write-text", "wild-read")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Capstone's distutils


@pytest.mark.parametrize("name", NAMES)
def test_all_readers_of_a_core_find_the_same_frames(name, crash_log, kernel_elf):
    log = crash_log(name)
    record, = load(log)
    evidence = Evidence(record, Symbols(read_elf(kernel_elf), True, ""))
    expected = debuggers.frames_by_cfi(evidence)
    assert expected[CRASHED_LWP]
    for reader, seen in (("gdb", debuggers.frames_in_gdb(evidence)),
                         ("lldb", debuggers.frames_in_lldb(log, kernel_elf)),
                         ("drgn", debuggers.frames_in_drgn(log, kernel_elf))):
        assert pcs(seen) == pcs(expected), reader


def pcs(frames):
    return {lwp: list(map(hex, rows)) for lwp, rows in frames.items()}
