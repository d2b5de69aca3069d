"""docs.py - what the documents say, as data, and their commands, run.

A block marked ```console is a transcript.  `$ COMMAND` (`> ` begins its further lines) is run by
bash, in a folder that looks like the project's; what stands below it must be said, in that order:
lines may be left out, `...` stands for anything, and addresses, times and line numbers may differ.
`$ cat FILE` makes the file, if there is none.  A command with tcp:1234 is a machine: it runs until
the next one.  `(gdb) COMMAND` and `(lldb) COMMAND` are typed into the debugger that the `$` line
above them has started.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from guest import DEADLINE, ROOT, Guest
from monitor import wait_for_socket

DOCS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^( *)```(\w*)[^\n]*\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
PROMPT = re.compile(r"^\((?:gdb|lldb)\) ?(.*)")
MACHINE_PORT, GDB_PORT = "tcp:1234", "localhost:1234"
# What a debugger says, without ending, to what it cannot do.
REFUSED = re.compile(r"Python Exception.*|Undefined \w* ?command.*|No symbol .*|^error: .*",
                     re.MULTILINE)
# Debian's LLDB looks for its Python modules where there are none.
LLDB_MODULES = "/usr/lib/llvm-14/lib/python3.11/dist-packages"
# What differs from build to build, and from run to run.
BLURS = [(r"0x[0-9a-f]{5,}|\b[0-9a-f]{8,}\b", "ADDRESS"), (r"\b\d+\.\d+", "TIME"),
         (r"(\.(?:c|h|asm)(?::|, line ))\d+", r"\1LINE"),
         (r"(\w)\+(?:0x[0-9a-f]+|\d+)", r"\1+OFFSET"),
         (r"^\d+\t", "LINE "), (r"\s+", " ")]


def blocks(path: Path, language: str) -> list[str]:
    return [block for _, word, block in FENCE.findall(path.read_text()) if word == language]


@dataclass
class Command:
    """A `$` line, what is typed into it, and what must be said."""
    text: str
    typed: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)


def commands(block: str) -> list[Command]:
    found: list[Command] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append(Command(line[2:]))
        elif line.startswith("> ") and found and not found[-1].said:
            found[-1].text += "\n" + line[2:]
        elif prompt := PROMPT.match(line):
            found[-1].typed.append(prompt[1].partition("    #")[0].strip())
        else:
            found[-1].said.append(line)
    return found


def at_socket(text: str, socket: Path) -> str:
    """The same, for a machine whose line is a socket."""
    text = text.replace(f"gdb-remote {GDB_PORT}", f"process connect unix-connect://{socket}")
    return text.replace(GDB_PORT, str(socket))


def blurred(line: str) -> str:
    for pattern, word in BLURS:
        line = re.sub(pattern, word, line)
    return line.strip()


def missing(expected: list[str], said: str) -> str | None:
    """The first line that was not said behind those before it."""
    lines = iter([blurred(PROMPT.sub(r"\1", line)) for line in said.splitlines()])
    for line in filter(lambda line: line.strip(" ."), expected):
        pattern = ".*".join(map(re.escape, blurred(line).split("...")))
        if not any(re.search(pattern, seen) for seen in lines):
            return line
    return None


class Reader:
    """Somebody who does what a document says, in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._guest: Guest | None = None
        for path in ROOT.iterdir():
            if path.name not in (".git", ".gdbinit"):
                (folder / path.name).symlink_to(path)
        self._socket = folder / "gdb"
        text = (ROOT / ".gdbinit").read_text()
        (folder / ".gdbinit").write_text(at_socket(text, self._socket))

    def do(self, command: Command) -> None:
        file = command.text.removeprefix("cat ")
        if file != command.text and not (self._folder / file).exists():
            (self._folder / file).write_text("\n".join(command.said) + "\n")
        elif MACHINE_PORT in self._real(command.text):
            self._start(command)
        else:
            self._run(command)

    def end(self) -> None:
        if self._guest:
            self._guest.end()

    def _real(self, text: str) -> str:
        """`make run` is what the Makefile says it is."""
        if text != "make run":
            return text
        lines = subprocess.run(["make", "-n", "run"], cwd=ROOT, text=True, capture_output=True,
                               timeout=DEADLINE).stdout.splitlines()
        return next(line for line in lines if MACHINE_PORT in line)

    def _start(self, command: Command) -> None:
        self.end()
        self._socket.unlink(missing_ok=True)
        words = shlex.split(self._real(command.text).replace(f"--gdb {MACHINE_PORT}", ""))
        self._guest = Guest(self._folder, words[1:])
        wait_for_socket(self._socket)
        for line in filter(None, command.said):
            parts = re.split(r"\.\.\.|0x[0-9a-f]+|\[? *\d+\.\d+\]?", line)
            self._guest.wait_for(max(parts, key=len).strip())

    def _run(self, command: Command) -> None:
        text = at_socket(command.text, self._socket)
        text = re.sub(r"^make\b", "flock build make", text)
        text = re.sub(r"^gdb\b", "gdb -iex 'set width 0'", text)
        typed = at_socket("\n".join(command.typed), self._socket)
        if text.startswith("lldb"):  # which would not wait for stops
            text += " --batch" + "".join(f" -o {shlex.quote(line)}" for line in command.typed)
        done = subprocess.run(
            ["bash", "-c", text], cwd=self._folder, text=True, input=typed + "\n", errors="replace",
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=DEADLINE,
            env={**os.environ, "PYTHONPATH": LLDB_MODULES if text.startswith("lldb") else ""})
        if done.returncode != 0:
            pytest.fail(f"$ {command.text}\nended with {done.returncode}:\n{done.stdout}")
        if complaint := REFUSED.search(done.stdout):
            pytest.fail(f"$ {command.text}\n{complaint[0]}\nin\n{done.stdout}")
        if line := missing(command.said, done.stdout.replace(str(self._socket), GDB_PORT)):
            pytest.fail(f"$ {command.text}\nnever said, or too early,\n{line}\nbut\n{done.stdout}")
