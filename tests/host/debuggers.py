"""debuggers.py - the frames of a record's every context, as GDB, LLDB, drgn and an unwinder of our
own see them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from cfi_unwinder import Unwinder
from crashlib.contexts import contexts_of
from crashlib.debugger import FrameQuery
from crashlib.evidence import Evidence

HERE = Path(__file__).resolve().parent
CRASH = HERE.parents[1] / "scripts/crash.py"
MARK = "FRAMES "

Frames = dict[int, list[int]]  # pcs by a debugger's thread number, inlined frames left out


def frames_in_gdb(evidence: Evidence) -> Frames:
    answer = FrameQuery(evidence, []).finish()
    assert not answer.problem, answer.problem
    return {lwp: [frame.pc for frame in walk.frames if not frame.inline and frame.pc]
            for lwp, walk in answer.walks.items()}


def frames_by_cfi(evidence: Evidence) -> Frames:
    unwinder = Unwinder(evidence.symbols.elf.path)
    return {context.lwp: unwinder.walk(context.registers, evidence.memory.read_word)
            for context in contexts_of(evidence)}


def frames_in_lldb(record: Path, elf: Path) -> Frames:
    return _ask(["lldb", record, "--elf", elf, "--", "-b", "-o",
                 f"command script import {HERE}/frames_in_lldb.py"])


def frames_in_drgn(record: Path, elf: Path) -> Frames:
    return _ask(["drgn", record, "--elf", elf, "--", HERE / "frames_in_drgn.py"])


def _ask(arguments: list) -> Frames:
    done = subprocess.run([CRASH, *map(str, arguments)], stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said = [line for line in done.stdout.splitlines() if line.startswith(MARK)]
    assert said, f"no frames from {arguments[0]}:\n{done.stdout}"
    answer = json.loads(said[-1].removeprefix(MARK))
    assert answer["selected"] == 1, f"{arguments[0]} shows thread {answer['selected']} first"
    return {int(lwp): pcs for lwp, pcs in answer["frames"].items()}

