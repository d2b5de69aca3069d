"""test_crash_frames.py - frames without GDB: the unwinding rules are those that pyelftools reads,
the functions and lines those that addr2line tells.
"""

from __future__ import annotations

import random
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from elftools.dwarf.callframe import FDE
from elftools.elf.elffile import ELFFile

from crash_records import COMPILE, build_victim
from crashlib.cfi import FrameInfo, Rules, unwind
from crashlib.elf import KernelElf, read_elf
from crashlib.inlines import Inlines


@pytest.fixture(scope="module", params=[[], ["-gdwarf-4"], ["-O1", "-fomit-frame-pointer"]],
                ids=["dwarf 5", "dwarf 4", "no frame pointers"])
def elf(request, tmp_path_factory) -> KernelElf:
    out = tmp_path_factory.mktemp("frames") / "victim.elf"
    subprocess.run([*COMPILE, *request.param, "-o", str(out)], check=True)
    return read_elf(out)


def test_the_rules_are_those_that_pyelftools_reads(elf):
    info = FrameInfo(elf)
    with open(elf.path, "rb") as file:
        rows = [(entry, row) for entry in ELFFile(file).get_dwarf_info().EH_CFI_entries()
                if isinstance(entry, FDE) for row in entry.get_decoded().table]
    assert len(rows) > 20
    for entry, row in rows:
        function = info.function_at(row["pc"])
        assert function is not None and function.start == entry["initial_location"]
        assert function.end == function.start + entry["address_range"]
        theirs = {number: ("offset", rule.arg) for number, rule in row.items()
                  if isinstance(number, int) and rule.type == "OFFSET"}
        rules = info.rules_at(function, row["pc"])
        ours = {number: rule for number, rule in rules.registers.items() if rule[0] == "offset"}
        assert (rules.cfa_register, rules.cfa_offset, ours) == (
            row["cfa"].reg, row["cfa"].offset, theirs), hex(row["pc"])


def test_functions_and_lines_are_those_that_addr2line_tells(elf):
    text = next(section for section in elf.sections if section.executable)
    inlines, compared = Inlines(elf), 0
    for pc, told in told_by_addr2line(elf.path, range(text.start, text.end)).items():
        names = inlines.functions_at(pc)
        if not names:  # padding: addr2line has a name for it all the same
            continue
        line = inlines.line_at(pc)
        assert names == told[0::2], hex(pc)
        assert f"{Path(line.file).name}:{line.line}" == told[1].split(" ")[0], hex(pc)
        compared += len(names) > 1
    assert compared > 0, "nothing was inlined"


def told_by_addr2line(path: Path, pcs: range) -> dict[int, list[str]]:
    done = subprocess.run(["addr2line", "-aifse", str(path)], input="\n".join(map(hex, pcs)),
                          text=True, capture_output=True, check=True)
    told: dict[int, list[str]] = {}
    for line in done.stdout.splitlines():
        if line.startswith("0x"):
            rows = told.setdefault(int(line, 16), [])
        else:
            rows.append(line)
    return told


def test_any_bytes_as_frame_information_give_rules_or_none(tmp_path):
    elf = build_victim(tmp_path)
    place = next(n for n, s in enumerate(elf.sections) if s.name == ".eh_frame")
    original = elf.sections[place]
    for seed in range(2000):
        draw = random.Random(seed)
        data = bytearray(original.data)
        for _ in range(draw.randint(1, 12)):
            data[draw.randrange(len(data))] = draw.randrange(256)
        elf.sections[place] = replace(original, data=bytes(data[:draw.randint(0, 2 * len(data))]))
        info = FrameInfo(elf)
        for pc in range(elf.sections[0].start, elf.sections[0].start + 300, 17):
            function = info.function_at(pc)
            assert function is None or isinstance(info.rules_at(function, pc), Rules)
        registers = {"rip": elf.sections[0].start + 20, "rsp": 0x1000, "rbp": 0x1000}
        assert len(unwind(info, registers, lambda address: address, False).steps) <= 256


def test_a_file_that_was_replaced_or_damaged_since_has_no_lines(tmp_path):
    elf = build_victim(tmp_path)
    whole = elf.path.read_bytes()
    pc = next(symbol.start for symbol in elf.symbols if symbol.name == "victim_null_read")
    for seed in range(40):
        data = bytearray(whole)
        draw = random.Random(seed)
        for _ in range(30):
            data[draw.randrange(len(data))] = draw.randrange(256)
        elf.path.write_bytes(bytes(data) if seed else b"")
        inlines = Inlines(elf)
        assert isinstance(inlines.functions_at(pc), list) and inlines.line_at(pc).line >= 0
