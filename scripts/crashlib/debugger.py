"""debugger.py - GDB on a generated core, asked for frames in the background.

GDB is the one that evaluates DWARF.  Nothing here depends on it: without GDB, or if it fails, the
answer is empty and says why.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from crashlib.contexts import CALLER_LWP, CRASHED_LWP
from crashlib.core import make_core
from crashlib.evidence import Evidence
from crashlib.symbols import ROOT

SCRIPTS = Path(__file__).resolve().parents[1] / "gdb"
ANSWER_TIMEOUT_S = 60  # a bound for a GDB that hangs, not a time that anything usually takes

# No settings of the user's, no network, nothing auto-loaded from the working directory.
QUIET = ["-iex", "set debuginfod enabled off", "-iex", "set auto-load local-gdbinit off"]


@dataclass(frozen=True)
class Variable:
    name: str
    value: str
    type: str


@dataclass(frozen=True)
class Pointer:
    """A variable that points to a struct, and the struct's fields: (offset, size, name)."""
    name: str
    value: int
    type: str
    fields: list[list]

    def field_at(self, offset: int) -> str:
        for start, size, name in self.fields:
            if start <= offset < start + max(size, 1):
                return name if offset == start else f"{name} (+{offset - start})"
        return ""


@dataclass(frozen=True)
class GdbFrame:
    pc: int
    stack: int
    function: str | None
    inline: bool
    signal: bool
    arguments: list[Variable]
    locals: list[Variable]
    file: str = ""
    path: str = ""
    line: int = 0


@dataclass(frozen=True)
class GdbPlace:
    """What a pc stands for, inlined functions included."""
    function: str | None
    file: str = ""
    path: str = ""
    line: int = 0


@dataclass(frozen=True)
class GdbWalk:
    frames: list[GdbFrame] = field(default_factory=list)
    stop: str = ""  # why the walk ended, if not at the outermost frame


@dataclass(frozen=True)
class GdbAnswer:
    walks: dict[int, GdbWalk] = field(default_factory=dict)  # by the context's lwp
    pointers: list[Pointer] = field(default_factory=list)
    places: dict[int, GdbPlace] = field(default_factory=dict)
    problem: str = ""  # why there is no answer

    @property
    def crashed(self) -> GdbWalk:
        return self.walks.get(CRASHED_LWP, GdbWalk())

    @property
    def callers(self) -> list[GdbFrame]:
        """From Evidence.caller on."""
        return self.walks.get(CALLER_LWP, GdbWalk()).frames


class FrameQuery:
    """One batch GDB, started at once and asked for its answer later."""

    def __init__(self, evidence: Evidence, pcs: list[int]) -> None:
        """`pcs`: where places are wanted besides the frames."""
        self._process = None
        self._problem = ""
        if evidence.symbols.elf is None:
            self._problem = "no symbols"
            return
        self._folder = tempfile.TemporaryDirectory(prefix="trapline-")
        self._out, self._said = (Path(self._folder.name, name) for name in ("frames.json", "said"))
        core, places = Path(self._folder.name, "core"), Path(self._folder.name, "places")
        core.write_bytes(make_core(evidence))
        places.write_text("\n".join(map(str, pcs)), encoding="ascii")
        command = ["gdb", "-batch", "-nx", *QUIET,
                   *open_commands(core, evidence.symbols.elf.path),
                   "-x", str(SCRIPTS / "crash_frames.py")]
        environment = {**os.environ, "TRAPLINE_FRAMES": str(self._out),
                       "TRAPLINE_PLACES": str(places)}
        try:
            with open(self._said, "wb") as said:
                self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said,
                                                 stderr=subprocess.STDOUT, env=environment)
        except OSError as error:
            self._problem = f"gdb cannot be started ({error.strerror})"
            self._folder.cleanup()

    def finish(self) -> GdbAnswer:
        if self._process is None:
            return GdbAnswer(problem=self._problem)
        try:
            self._process.wait(ANSWER_TIMEOUT_S)
            return _read_answer(self._out, self._said)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            return GdbAnswer(problem="gdb did not answer in time")
        finally:
            self._folder.cleanup()


def open_commands(core: Path, elf: Path | None) -> list[str]:
    """The core first: with `file` first, GDB would fill memory that was not saved with the
    initial values in the ELF file, silently."""
    commands = ["-ex", f"core-file {core}"]
    if elf is not None:
        quoted = str(elf).replace("\\", "\\\\").replace('"', '\\"')
        roots = f"{elf.resolve().parent.parent}:{ROOT}"  # what build/kernel.elf was built from
        commands += ["-ex", f'symbol-file "{quoted}"', "-ex", f"set directories {roots}:$cdir:$cwd"]
    return commands


def _read_answer(path: Path, said: Path) -> GdbAnswer:
    try:
        answer = json.loads(path.read_text(encoding="utf-8"))
        walks = {int(lwp): GdbWalk(_frames(walk["frames"]), walk["stop"])
                 for lwp, walk in answer["walks"].items()}
        return GdbAnswer(walks, [Pointer(**pointer) for pointer in answer["pointers"]],
                         {int(pc): GdbPlace(**row) for pc, row in answer["places"].items()})
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        last = said.read_text(encoding="utf-8", errors="replace").strip().rpartition("\n")[2]
        return GdbAnswer(problem=f"gdb gave no frames ({last or error})")


def _frames(rows: list[dict]) -> list[GdbFrame]:
    return [GdbFrame(**{**row, "arguments": _variables(row["arguments"]),
                        "locals": _variables(row["locals"])}) for row in rows]


def _variables(rows: list[dict]) -> list[Variable]:
    return [Variable(**row) for row in rows]
