"""The ELF core: laid out as gdb, lldb and drgn want it, and nothing in it that was not saved."""

import io
import struct
import subprocess

import pytest
from elftools.elf.elffile import ELFFile

from crash_records import STACK_TOP, Crash, build_victim
from crashlib.core import make_core
from crashlib.evidence import Evidence
from crashlib.record import load
from crashlib.symbols import Symbols
from crashlib.x86 import PRSTATUS_REGISTERS

REGISTERS_AT = 112  # in NT_PRSTATUS


@pytest.fixture(scope="module")
def elf(tmp_path_factory):
    return build_victim(tmp_path_factory.mktemp("victim"))


@pytest.fixture(scope="module")
def crash(elf):
    made = Crash(elf, address=0x18, registers={"rbx": 0x1122334455667788})
    return made.at("victim_null_read", "488b4718").called_by("victim_null_read", "kernel_main")


@pytest.fixture(scope="module")
def evidence(crash):
    record, = load(crash.make())
    return Evidence(record, Symbols(crash.elf, True, ""))


@pytest.fixture(scope="module")
def core(evidence):
    return make_core(evidence)


def notes(core: bytes) -> list[tuple[str, int, bytes]]:
    offset, = struct.unpack_from("<Q", core, 64 + 8)
    size, = struct.unpack_from("<Q", core, 64 + 32)
    found, data = [], core[offset:offset + size]
    while data:
        name_size, length, kind = struct.unpack_from("<III", data)
        start = 12 + (name_size + 3 & ~3)
        found.append((data[12:11 + name_size].decode(), kind, data[start:start + length]))
        data = data[start + (length + 3 & ~3):]
    return found


def test_the_file_is_a_core_with_the_linux_abi_which_lldb_insists_on(core):
    assert (core[:8], struct.unpack_from("<H", core, 16)[0]) == (b"\x7fELF\x02\x01\x01\x03", 4)


def test_the_notes_come_in_the_order_that_all_debuggers_accept(core):
    assert [(name, kind) for name, kind, _ in notes(core)] == [
        ("CORE", 1), ("CORE", 3), ("CORE", 0x53494749), ("CORE", 6), ("TRAPLINE", 0x50415254)]


def test_prstatus_has_336_bytes_and_the_registers_in_their_places(core, crash):
    _, _, status = notes(core)[0]
    values = dict(zip(PRSTATUS_REGISTERS, struct.unpack_from("<27Q", status, REGISTERS_AT)))
    assert len(status) == 336
    assert struct.unpack_from("<i", status, 32)[0] != 0, "the thread's id must not be 0"
    assert (values["rip"], values["rbx"]) == (crash.pc, 0x1122334455667788)
    assert values["orig_rax"] == (1 << 64) - 1


def test_siginfo_holds_the_fault_address(core):
    assert struct.unpack_from("<Q", notes(core)[2][2], 16)[0] == 0x18


def test_auxv_names_the_kernels_entry(core, elf):
    assert struct.pack("<QQ", 9, elf.entry) in notes(core)[3][2]


def test_the_raw_record_travels_in_the_core(core, crash):
    assert notes(core)[4][2] == crash.make()


def test_memory_is_what_was_saved_and_the_constant_sections(core, elf, crash):
    segments = [(s["p_vaddr"], s["p_filesz"], s["p_memsz"]) for s in
                ELFFile(io.BytesIO(core)).iter_segments() if s["p_type"] == "PT_LOAD"]
    covered = [(start, start + size) for start, size, _ in segments]
    text, data = elf.section_at(crash.pc), elf.section_at(crash.symbol("counter"))
    assert any(a <= text.start and text.end <= b for a, b in covered), covered
    assert any(a <= crash.registers["rsp"] and b == STACK_TOP for a, b in covered), covered
    assert not any(a < data.end and data.start < b for a, b in covered), ".data was not saved"
    assert all(filesz == memsz for _, filesz, memsz in segments), "a zero-filled segment"


def test_live_code_bytes_take_the_place_of_the_elfs(crash, elf):
    made = Crash(elf, address=0x18, code=bytes.fromhex("488b4818"))
    made.at("victim_null_read", "488b4718").called_by("victim_null_read", "kernel_main")
    record, = load(made.make())
    assert Evidence(record, Symbols(elf, True, "")).memory.read(made.pc, 4).hex() == "488b4818"


def run_gdb(core: bytes, folder, elf, *commands: str) -> str:
    path = folder / "core"
    path.write_bytes(core)
    extra = [part for command in commands for part in ("-ex", command)]
    done = subprocess.run(["gdb", "-batch", "-nx", "-ex", f"core-file {path}", "-ex",
                           f"symbol-file {elf.path}", *extra], capture_output=True, text=True,
                          check=True)
    return done.stdout + done.stderr


def test_gdb_opens_it_on_the_crashed_frame(core, tmp_path, elf):
    said = run_gdb(core, tmp_path, elf, "bt")
    assert "Program terminated with signal SIGSEGV" in said
    assert "#0  list_next (node=" in said and "#1  victim_null_read (head=" in said, said
    assert "in kernel_main" in said, said


def test_gdb_says_that_unsaved_data_is_unavailable(core, tmp_path, elf):
    said = run_gdb(core, tmp_path, elf, "print counter", "print fixed_table")
    assert "Cannot access memory" in said and "{1, 2, 3, 4}" in said, said


def test_after_a_return_to_nowhere_a_second_thread_unwinds_from_the_caller(tmp_path, elf):
    crash = Crash(elf, error=0x10, pc=0x414141414141, address=0x414141414141, code=b"")
    crash.called_by("victim_smash", "victim_careless", "kernel_main")
    frame = crash.registers["rbp"]
    crash.registers["rsp"] += 8
    caller = crash.return_address("kernel_main", "victim_careless")
    crash.backtrace = [(crash.pc, crash.registers["rsp"], 1), (caller, frame, 2)]
    record, = load(crash.make())
    core = make_core(Evidence(record, Symbols(elf, True, "")))
    said = run_gdb(core, tmp_path, elf, "thread 2", "bt")
    assert [kind for _, kind, _ in notes(core)] == [1, 3, 0x53494749, 6, 1, 0x50415254]
    assert "in kernel_main" in said, said
