"""debuggers.py - the frames of a record's every context, as GDB, LLDB, drgn and an unwinder of our
own see them."""

from __future__ import annotations

import json
import os
import subprocess
from functools import cache
from pathlib import Path

from cfi_unwinder import Unwinder
from crashlib.contexts import contexts_of
from crashlib.debugger import FrameQuery
from crashlib.evidence import Evidence
from crashlib.start import STARTS

HERE = Path(__file__).resolve().parent
CRASH = HERE.parents[1] / "scripts/crash.py"
MARK = "FRAMES "

Frames = dict[int, list[int]]  # pcs by a debugger's thread number, inlined frames left out


def frames_in_gdb(evidence: Evidence) -> Frames:
    answer = FrameQuery(evidence, []).finish()
    assert not answer.problem, answer.problem
    return {lwp: [frame.pc for frame in walk.frames if not frame.inline and frame.pc]
            for lwp, walk in answer.walks.items()}


unwinder_of = cache(Unwinder)  # a file of this session: it does not change


def frames_by_cfi(evidence: Evidence) -> Frames:
    unwinder = unwinder_of(evidence.symbols.elf.path)
    return {context.lwp: unwinder.walk(context.registers, evidence.memory.read_word)
            for context in contexts_of(evidence)}


def frames_in_lldb(record: Path, elf: Path) -> Frames:
    return _ask(["lldb", record, "--elf", elf, "--", "-b", "-o",
                 f"command script import {HERE}/frames_in_lldb.py"])


def frames_in_drgn(record: Path, elf: Path) -> Frames:
    return _ask(["drgn", record, "--elf", elf, "--", HERE / "frames_in_drgn.py"])


def _ask(arguments: list) -> Frames:
    [frames] = _answers([CRASH, *map(str, arguments)], {})
    return frames


# ---- Of many cores by one start, which is what takes time ----

def frames_of_cores_in_lldb(cores: list[Path], elf: Path) -> list[Frames]:
    command, environment = STARTS["lldb"](None, cores[0], elf)
    command = [*command[:command.index("-c")], "-b", "-o",
               f"command script import {HERE}/frames_in_lldb.py"]
    wanted = {"elf": str(elf), "cores": list(map(str, cores))}
    return _answers(command, {**environment, "TRAPLINE_CORES": json.dumps(wanted)})


def frames_of_cores_in_drgn(cores: list[Path], elf: Path) -> list[Frames]:
    return _answers(["/usr/bin/python3", HERE / "frames_in_drgn.py", elf, *cores], {})


def _answers(command: list, environment: dict[str, str]) -> list[Frames]:
    done = subprocess.run(list(map(str, command)), stdin=subprocess.DEVNULL, text=True,
                          env={**os.environ, **environment}, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    said = [json.loads(line.removeprefix(MARK)) for line in done.stdout.splitlines()
            if line.startswith(MARK)]
    assert said, f"no frames by {command}:\n{done.stdout}"
    for answer in said:
        assert answer["selected"] == 1, f"thread {answer['selected']} is shown first: {command}"
    return [{int(lwp): pcs for lwp, pcs in answer["frames"].items()} for answer in said]

