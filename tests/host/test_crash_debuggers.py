"""Whoever unwinds a core, the frames are the same: GDB, LLDB, drgn, and an unwinder of our own."""

import subprocess

import pytest

import debuggers
from crash_records import build_victim
from crashlib.evidence import Evidence
from crashlib.record import load
from crashlib.symbols import Symbols
from system_records import busy_system
from test_crash_explain import SCENARIOS

# A pc outside of any function: how far a debugger gets from there is its own affair.
NOWHERE = {"null_call", "exec_data", "wild_call", "smashed", "user_code", "non_canonical_call",
           "uninitialised_call"}
MADE = [busy_system, *(row[0] for row in SCENARIOS if row[0].__name__ not in NOWHERE)]
THOROUGH = [make for make in MADE if make.__name__ in ("busy_system", "overflow", "panicked")]
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Capstone's distutils


def names(rows):
    return [row.__name__ for row in rows]


@pytest.fixture(scope="module")
def elf(tmp_path_factory):
    return build_victim(tmp_path_factory.mktemp("victim"))


@pytest.mark.parametrize("make", MADE, ids=names(MADE))
def test_gdb_finds_the_frames_that_the_tables_tell(elf, make):
    record, = load(make(elf).make())
    evidence = Evidence(record, Symbols(elf, True, ""))
    expected = debuggers.frames_by_cfi(evidence)
    seen = debuggers.frames_in_gdb(evidence)
    assert {lwp: show(elf, pcs) for lwp, pcs in seen.items()} == {
        lwp: show(elf, pcs) for lwp, pcs in expected.items()}


@pytest.mark.parametrize("make", THOROUGH, ids=names(THOROUGH))
def test_lldb_and_drgn_find_them_too_and_show_the_crashed_context_first(elf, make, tmp_path):
    raw = tmp_path / "raw"
    raw.write_bytes(make(elf).make())
    record, = load(raw)
    expected = debuggers.frames_by_cfi(Evidence(record, Symbols(elf, True, "")))
    assert max(map(len, expected.values())) > 1
    assert debuggers.frames_in_lldb(raw, elf.path) == expected
    assert debuggers.frames_in_drgn(raw, elf.path) == expected


def test_unsaved_memory_is_unavailable_everywhere_and_constants_are_there(elf, tmp_path):
    """`counter` is 7 in the ELF file, which nobody may take for its value at the crash."""
    raw = tmp_path / "raw"
    raw.write_bytes(busy_system(elf).make())
    ask = {"lldb": ["-b", "-o", "print fixed_table[2]", "-o", "print counter"],
           "gdb": ["-batch", "-ex", "print fixed_table[2]", "-ex", "print counter"],
           "drgn": [str(tmp_path / "ask.py")]}
    (tmp_path / "ask.py").write_text("print('=', prog['fixed_table'][2].value_())\n"
                                     "try:\n    print('=', prog['counter'].value_())\n"
                                     "except FaultError as error:\n    print('error:', error)\n")
    for tool, arguments in ask.items():
        done = subprocess.run([debuggers.CRASH, tool, raw, "--elf", elf.path, "--", *arguments],
                              stdin=subprocess.DEVNULL, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        said = done.stdout.lower()
        assert "= 3" in said, f"{tool}: {done.stdout}"
        assert "= 7" not in said and ("error" in said or "cannot access" in said), (
            f"{tool}: {done.stdout}")


def test_gdb_names_every_thread(elf, tmp_path):
    raw = tmp_path / "raw"
    raw.write_bytes(busy_system(elf).make())
    done = subprocess.run([debuggers.CRASH, "gdb", raw, "--elf", elf.path, "--", "-batch", "-ex",
                           "info threads"], stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    for name in ("CPU0 main [crashed]", "CPU1 idle 1", "reader", "sender", "pool 7"):
        assert f'"{name}"' in done.stdout, done.stdout + done.stderr


def show(elf, pcs):
    return [f"{elf.symbol_at(pc - 1).name if elf.symbol_at(pc - 1) else '?'} {pc:#x}" for pc in pcs]
