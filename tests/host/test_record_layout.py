"""test_record_layout.py - the reader's structs and words are the compiler's, by its own DWARF."""

from __future__ import annotations

import subprocess
from enum import IntEnum
from pathlib import Path

import pytest
from elftools.dwarf.die import DIE
from elftools.elf.elffile import ELFFile

from crashlib import chains, cstruct, lines, payloads, system
from record_samples import ROOT

STRUCTS = {
    "crash_header": payloads.Header,
    "crash_section_header": payloads.SectionHeader,
    "crash_cause": payloads.Cause,
    "crash_registers": payloads.Registers,
    "crash_code": payloads.Code,
    "crash_walk": payloads.Walk,
    "crash_frame": payloads.Frame,
    "crash_unit": payloads.Unit,
    "crash_cpu": system.Cpu,
    "crash_thread": system.Thread,
    "crash_lock": system.Lock,
    "crash_event": system.Event,
    "crash_log_entry": payloads.LogEntry,
    "crash_map": payloads.MapEntry,
    "crash_text_page": system.TextPage,
    "crash_nested": payloads.Nested,
    "crash_end_section": payloads.End,
}

# C's enum, the prefix of its words, the reader's.
ENUMS = (
    ("crash_record_flags", "CRASH_RECORD_", payloads.RecordFlags),
    ("crash_section_flags", "CRASH_SECTION_", payloads.SectionFlags),
    ("crash_walk_purpose", "CRASH_WALK_", payloads.WalkPurpose),
    ("crash_trust", "CRASH_TRUST_", payloads.Trust),
    ("crash_unit_flags", "CRASH_UNIT_", payloads.UnitFlags),
    ("crash_map_kind", "CRASH_MAP_", payloads.MapKind),
    ("crash_map_captured", "CRASH_CAPTURED_", payloads.Captured),
    ("crash_map_permissions", "CRASH_MAP_", payloads.MapPermissions),
    ("crash_cpu_state", "CRASH_CPU_", system.CpuState),
    ("crash_thread_state", "CRASH_THREAD_", system.ThreadState),
    ("crash_thread_flags", "CRASH_THREAD_", system.ThreadFlags),
    ("crash_lock_kind", "CRASH_LOCK_", system.LockKind),
    ("crash_event_kind", "CRASH_EVENT_", system.EventKind),
    ("trap_origin", "TRAP_FROM_", payloads.TrapOrigin),
    ("trap_access", "TRAP_ACCESS_", payloads.TrapAccess),
)

CONSTANTS = {
    "CRASH_FORMAT_MAJOR": payloads.FORMAT_MAJOR,
    "CRASH_LINE_BYTES": lines.LINE_BYTES,
    "CRASH_LINES_VERSION": lines.FORMAT_VERSION,
    "CRASH_UNIT_BYTES": chains.LONGEST_UNIT,
    "CRASH_MEMORY_BYTES": chains.LONGEST_RUN,
}


@pytest.fixture(scope="module")
def types(tmp_path_factory: pytest.TempPathFactory) -> dict[str, DIE]:
    """Every struct and enum of the headers, by name."""
    out = tmp_path_factory.mktemp("layout") / "layout.o"
    subprocess.run(["gcc", "-std=c11", "-g", "-fno-eliminate-unused-debug-types", "-I.", "-x", "c",
                    "-c", "-o", out, "-"], cwd=ROOT, check=True, text=True,
                   input='#include "crashdump/crashdump.h"\n#include "trap/trap.h"\n')
    return read_types(out)


def read_types(path: Path) -> dict[str, DIE]:
    with path.open("rb") as file:
        unit = next(ELFFile(file).get_dwarf_info().iter_CUs())
        dies = [die for die in unit.get_top_DIE().iter_children()
                if die.tag in ("DW_TAG_structure_type", "DW_TAG_enumeration_type")]
        for die in dies:  # read while the file is open
            for child in die.iter_children():
                child.attributes["size"] = size_of_type(child)
        return {name_of(die): die for die in dies if "DW_AT_name" in die.attributes}


def name_of(die: DIE) -> str:
    return die.attributes["DW_AT_name"].value.decode()


def size_of_type(die: DIE) -> int:
    if "DW_AT_type" not in die.attributes:
        return 0
    target = die.get_DIE_from_attribute("DW_AT_type")
    if target.tag == "DW_TAG_array_type":
        count = next(child.attributes["DW_AT_upper_bound"].value + 1
                     for child in target.iter_children())
        return size_of_type(target) * count
    if "DW_AT_byte_size" in target.attributes:
        return target.attributes["DW_AT_byte_size"].value
    return size_of_type(target)


def words_of(enum: DIE, prefix: str) -> dict[str, int]:
    return {name_of(child).removeprefix(prefix): child.attributes["DW_AT_const_value"].value
            for child in enum.iter_children()}


@pytest.mark.parametrize("c_name", STRUCTS)
def test_struct_has_the_compilers_layout(types: dict[str, DIE], c_name: str) -> None:
    die, cls = types[c_name], STRUCTS[c_name]
    members = [(name_of(child), child.attributes["DW_AT_data_member_location"].value,
                child.attributes["size"]) for child in die.iter_children()]
    assert [(p.name, p.offset, p.size) for p in cstruct.places(cls)] == members
    assert cstruct.size_of(cls) == die.attributes["DW_AT_byte_size"].value


def test_every_struct_of_the_record_has_a_reader(types: dict[str, DIE]) -> None:
    header = (ROOT / "crashdump/record.h").read_text()
    in_record = {name for name in types if f"struct {name} {{" in header}
    assert in_record == set(STRUCTS)


@pytest.mark.parametrize("c_name, prefix, words", ENUMS)
def test_words_have_the_compilers_values(types: dict[str, DIE], c_name: str, prefix: str,
                                         words: type[IntEnum]) -> None:
    assert {word.name: word.value for word in words} == words_of(types[c_name], prefix)


def test_trap_kinds_have_the_compilers_values(types: dict[str, DIE]) -> None:
    kinds = words_of(types["trap_kind"], "TRAP_")
    del kinds["KINDS"]  # how many there are
    assert {kind.name: kind.value for kind in payloads.TrapKind} == kinds


def test_constants_have_the_compilers_values(types: dict[str, DIE]) -> None:
    values = {name: value for die in types.values() if die.tag == "DW_TAG_enumeration_type"
              for name, value in words_of(die, "").items()}
    assert {name: values[name] for name in CONSTANTS} == CONSTANTS


def test_what_a_struct_encodes_it_decodes() -> None:
    for cls in STRUCTS.values():
        data = bytes(range(1, 256)) * 2
        data = bytes(byte & 0x7f | 1 for byte in data[:cstruct.size_of(cls)])
        assert cstruct.encode(cstruct.decode(cls, data)) == data, cls.__name__
