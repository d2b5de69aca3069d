"""start.py - start a debugger on a record for a person: GDB, LLDB or drgn, each the way it needs.

Makes the core in a folder that lasts as long as the debugger runs.  Ctrl-C is the debugger's.
"""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Callable
from glob import glob
from pathlib import Path

from crashlib.contexts import contexts_of
from crashlib.core import make_core
from crashlib.debugger import QUIET, SCRIPTS, open_commands
from crashlib.evidence import Evidence
from crashlib.symbols import ROOT
from crashlib.x86 import PRSTATUS_REGISTERS

LLDB_MODULES = "/usr/lib/llvm-*/lib/python3.*/dist-packages"  # Debian's lldb looks elsewhere

Command = tuple[list[str], dict[str, str]]  # what to run, and what to add to the environment


def start_debugger(tool: str, evidence: Evidence, arguments: list[str]) -> int:
    """`tool`: a key of STARTS.  Returns its exit status."""
    with tempfile.TemporaryDirectory(prefix="trapline-") as folder:
        core = Path(folder, "core")
        core.write_bytes(make_core(evidence))
        elf = evidence.symbols.elf
        command, environment = STARTS[tool](evidence, core, elf.path if elf else None)
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            return subprocess.run([*command, *arguments], env={**os.environ, **environment},
                                  check=False, preexec_fn=_restore_interrupt).returncode
        finally:
            signal.signal(signal.SIGINT, before)


def _gdb(evidence: Evidence, core: Path, elf: Path | None) -> Command:
    facts = core.with_name("facts.json")
    facts.write_text(json.dumps(_core_facts(evidence)), encoding="utf-8")
    command = ["gdb", "-q", *QUIET, *open_commands(core, elf), "-x",
               str(SCRIPTS / "crash_open.py")]
    return command, {"TRAPLINE_CORE_FACTS": str(facts)}


def _lldb(_evidence: Evidence, core: Path, elf: Path | None) -> Command:
    modules = sorted(glob(LLDB_MODULES))[-1:]
    known = [path for path in (os.environ.get("PYTHONPATH"),) if path]
    environment = {"PYTHONPATH": os.pathsep.join(modules + known)} if modules else {}
    sources = ["-O", f'settings set target.source-map . "{ROOT}"']
    return ["lldb", *sources, "-c", str(core), *([str(elf)] if elf else [])], environment


def _drgn(_evidence: Evidence, core: Path, elf: Path | None) -> Command:
    return ["drgn", "-q", "-c", str(core), *(["-s", str(elf)] if elf else [])], {}


STARTS: dict[str, Callable[[Evidence, Path, Path | None], Command]] = {
    "gdb": _gdb, "lldb": _lldb, "drgn": _drgn}


def _core_facts(evidence: Evidence) -> dict:
    variables = {name: value for name, value in evidence.registers.items()
                 if name not in PRSTATUS_REGISTERS}
    return {
        "names": {context.lwp: context.name for context in contexts_of(evidence)},
        "variables": {**variables, "error": evidence.error, "vector": evidence.vector},
        "log": [dataclasses.asdict(entry) for entry in evidence.record.log],
        "walks": [dataclasses.asdict(walk) for walk in evidence.record.walks],
        "ranges": [dataclasses.astuple(row) for row in evidence.ranges],
        "cpus": [dataclasses.asdict(row) for row in evidence.record.cpus],
        "threads": [dataclasses.asdict(row) for row in evidence.record.threads],
        "locks": [dataclasses.asdict(row) for row in evidence.record.locks],
        "events": [dataclasses.asdict(row) for row in evidence.record.events]}


def _restore_interrupt() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
