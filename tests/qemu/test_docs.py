"""test_docs.py - the documents are true: what they have people type is typed, what they point at is
there, and their tables name what the sources' tables do."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from docs import DEADLINE, DOCS, LLDB_MODULES, ROOT, Reader, at_socket, blocks, commands

RUN = [path for path in DOCS if blocks(path, "console")]
MANUAL = ROOT / "docs/debugging.md"


def names(paths: list[Path]) -> list[str]:
    return [path.name for path in paths]


@pytest.mark.parametrize("path", RUN, ids=names(RUN))
def test_what_is_typed_does_what_is_shown(path, tmp_path_factory):
    reader = Reader(tmp_path_factory.mktemp("d"))  # short: it holds a socket
    try:
        for block in blocks(path, "console"):
            for command in commands(block):
                reader.do(command)
    finally:
        reader.end()


# ---- What they point at ----

def anchor(heading: str) -> str:
    """As GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


@pytest.mark.parametrize("path", DOCS, ids=names(DOCS))
def test_links_lead_somewhere(path):
    for target, place in re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)", path.read_text()):
        file = path.parent / target if target else path
        assert file.exists(), target
        if place:
            headings = re.findall(r"^#+ (.*)$", file.read_text(), re.MULTILINE)
            assert place in map(anchor, headings), f"{target}#{place}"


@pytest.fixture(scope="session")
def sources() -> str:
    """All of the kernel's."""
    folders = ("arch", "crashdump", "gdbstub", "kernel", "trap")
    return "\n".join(path.read_text() for folder in folders
                     for path in (ROOT / folder).rglob("*") if path.suffix in (".c", ".h", ".asm"))


@pytest.mark.parametrize("path", DOCS, ids=names(DOCS))
def test_files_and_functions_that_are_named_exist(path, sources):
    text = path.read_text()
    folders = "arch|crashdump|docs|gdbstub|kernel|scripts|tests|trap"
    files = re.findall(rf"`((?:{folders})/[\w./-]*\w)`", text)
    assert [file for file in files if not (ROOT / file).exists()] == []
    functions = set(re.findall(r"\b([a-z]\w*_\w+)\(\)", text))
    assert [name for name in functions if not re.search(rf"\b{name}\b", sources)] == []


@pytest.mark.parametrize("path", DOCS, ids=names(DOCS))
def test_make_has_the_targets_that_are_named(path):
    named = set(re.findall(r"(?:`|\$ |^)make ([a-z][a-z-]*)", path.read_text(), re.MULTILINE))
    targets = set(re.findall(r"^([a-z-]+)(?: [a-z-]+)*:", (ROOT / "Makefile").read_text(),
                             re.MULTILINE))
    assert named - targets == set()


# ---- Tables ----

def rows(path: Path, heading: str) -> list[str]:
    """The first cells of the tables below a heading, without marks."""
    section = re.split(rf"^## {heading}$", path.read_text(), flags=re.MULTILINE)[1]
    section = re.split(r"^## ", section, flags=re.MULTILINE)[0].replace("\\|", "or")
    return re.findall(r"^\| *(`[^|]*?) *\|", section, re.MULTILINE)


def coded(cells: list[str]) -> list[str]:
    return [word for cell in cells for word in re.findall(r"`([^`]+)`", cell)]


def test_the_manual_has_every_packet_and_no_other():
    table = (ROOT / "gdbstub/packets.def").read_text()
    known = re.findall(r'^PACKET\("([^":]+)', table, re.MULTILINE)
    told = [re.match(r"[A-Za-z?!]+", word)[0] for word in coded(rows(MANUAL, "Packets"))]
    assert set(known) - set(told) == set()
    assert {word for word in told if word not in known and word != "O"} == set()


def test_what_the_manual_says_is_not_spoken_is_known_not_to_be():
    table = (ROOT / "tests/host/no_replies.def").read_text()
    told = [word.rstrip(".") for word in coded(rows(MANUAL, "Not spoken"))]
    assert told and [word for word in told if f'{{"{word}' not in table] == []


def test_the_manual_has_every_monitor_command_and_no_other():
    monitor = (ROOT / "kernel/debugger_monitor.c").read_text().partition("commands[] = {")[2]
    tables = (ROOT / "kernel/debugger_tables.c").read_text().partition("debugger_tables[] = {")[2]
    known = [name for text in (monitor, tables)
             for name in re.findall(r'^    \{"([^"]+)"', text.partition("};")[0], re.MULTILINE)]
    told = [word.split()[0] for word in coded(rows(MANUAL, "Monitor commands"))]
    assert len(known) > 15 and sorted(set(known)) == sorted(set(told))


def test_the_manual_has_every_setting_and_command_of_gdbinit():
    text = (ROOT / ".gdbinit").read_text()
    known = [line for line in text.splitlines() if re.match(r"set |mem |source ", line)]
    told = "\n".join(coded(rows(MANUAL, r"\.gdbinit")))
    assert [line for line in known if line not in told] == []
    members = re.search(r"^COMMANDS = \(([^)]*)\)",
                        (ROOT / "scripts/gdb/trapline_commands.py").read_text(), re.MULTILINE)[1]
    wanted = {f"trapline {word}" for word in re.findall(r"\w+", members)} | {"trapline"}
    told = {" ".join(word.split()[:2]) for word in coded(rows(MANUAL, r"\.gdbinit"))}
    assert wanted - told == set()


# ---- Editors ----

EDITORS = ROOT / "docs/editors.md"


@pytest.fixture
def configurations() -> list[dict]:
    """launch.json may have comments; these have none."""
    return [entry for block in blocks(EDITORS, "json")
            for entry in json.loads(block).get("configurations", [])]


def test_launch_json_has_what_each_extension_asks_for(configurations):
    by_type = {entry["type"]: entry for entry in configurations}
    assert set(by_type) == {"cppdbg", "lldb"}
    for entry in configurations:
        assert entry["name"] and entry["request"] == "launch"
    assert by_type["cppdbg"]["MIMode"] == "gdb"
    assert by_type["cppdbg"]["miDebuggerServerAddress"] == "localhost:1234"
    assert by_type["cppdbg"]["program"].endswith("/build/kernel.elf")
    for step in by_type["cppdbg"]["setupCommands"]:
        assert set(step) <= {"text", "description", "ignoreFailures"} and step["text"]


def test_the_commands_in_launch_json_attach(configurations, waiting):
    by_type = {entry["type"]: entry for entry in configurations}
    guest = waiting()

    def real(text: str) -> str:
        return at_socket(text.replace("${workspaceFolder}", str(ROOT)), guest.gdb)

    gdb = by_type["cppdbg"]
    words = [word for step in gdb["setupCommands"] for word in ("-ex", real(step["text"]))]
    done = subprocess.run(["gdb", "-nx", "-batch", real(gdb["program"]), *words, "-ex",
                           f"target remote {guest.gdb}", "-ex", "info symbol $pc"], cwd=ROOT,
                          text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=DEADLINE)
    assert "debugger_wait" in done.stdout or "arch_breakpoint" in done.stdout, done.stdout
    lldb = by_type["lldb"]
    words = [word for step in lldb["targetCreateCommands"] + lldb["processCreateCommands"]
             for word in ("-o", real(step))]
    done = subprocess.run(["lldb", "--no-lldbinit", "--batch", *words, "-o", "thread list"],
                          text=True, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=DEADLINE,
                          env={**os.environ, "PYTHONPATH": LLDB_MODULES})
    assert "name = 'main'" in done.stdout, done.stdout
