"""test_crash_inputs.py - whatever is given to crash.py: it is told apart by its contents, and what
cannot be used is one line that says what to do.
"""

from __future__ import annotations

import gzip
import importlib.util
import lzma
import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies

from crashlib import report as report_module
from crashlib.debugger import GdbAnswer
from crashlib.images import MAGIC
from crashlib.record import load
from record_samples import is_whole, lines_of, sample

PROGRAM = Path(__file__).resolve().parents[2] / "scripts/crash.py"
spec = importlib.util.spec_from_file_location("crash_program", PROGRAM)
program = importlib.util.module_from_spec(spec)
spec.loader.exec_module(program)

COMPLETE, UNUSABLE, PARTIAL = 0, 1, 2
GOLDEN = Path(__file__).resolve().parents[1] / "golden/null-read.log"
COMMANDS = (["report"], ["list"], ["triage"], ["extract", "-o", "/dev/null"],
            ["core", "-o", "/dev/null"])


def run(*arguments) -> int:
    return program.main([str(argument) for argument in arguments])


@pytest.fixture(autouse=True)
def show_tracebacks(monkeypatch):
    monkeypatch.setenv(program.DEBUG_VARIABLE, "1")


# ---- Told apart ----

def pasted(lines: list[bytes]) -> bytes:
    """As a terminal shows it, with a colour and a time before each line."""
    return b"".join(b"\x1b[2m[%8.3f]\x1b[0m \x1b[36m%s\x1b[0m\n" % (number / 7, line)
                    for number, line in enumerate(lines))


def coloured_within(lines: list[bytes]) -> bytes:
    return b"\n".join(line[:10] + b"\x1b[1m" + line[10:11] + b"\x1b[0m" + line[11:]
                      for line in lines)


def wrapped(lines: list[bytes]) -> bytes:
    """As a narrow terminal has broken them."""
    return b"\r\n".join(line[at:at + 70] for line in lines for at in range(0, len(line), 70))


def quoted(lines: list[bytes]) -> bytes:
    """As a mail has it."""
    return b"\n".join(b"> " + line for line in lines)


@pytest.mark.parametrize("form", [pasted, coloured_within, wrapped, quoted])
def test_a_log_is_read_however_it_was_copied(form):
    record, = load(form(lines_of("full")))
    assert is_whole(record, "full"), record.problems


def test_a_record_sent_again_after_a_reboot_completes_the_first_copy(tmp_path, capsys):
    lines = lines_of("full")
    path = tmp_path / "log"
    path.write_bytes(b"\n".join([*lines[:20], *lines[25:], b"booting again", *lines[:60]]))
    assert run("list", path) == COMPLETE
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_a_log_inside_an_image_of_a_disk_is_read(tmp_path, capsys):
    path = tmp_path / "disk"
    path.write_bytes(bytes(1 << 20) + GOLDEN.read_bytes() + bytes(1 << 20))
    assert run("list", path) == COMPLETE
    assert "page fault" in capsys.readouterr().out


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress])
def test_a_packed_log_is_reported(pack, tmp_path, capsys):
    path = tmp_path / "log.packed"
    path.write_bytes(pack(GOLDEN.read_bytes()))
    assert run(path) == PARTIAL  # that build's ELF is not kept
    assert "at offset 0x18" in capsys.readouterr().out


# ---- What cannot be used ----

@pytest.mark.parametrize("content, words", [
    (b"", "no crash record in its 0 bytes: give the whole log"),
    (b"[    0.1] all is well\n", "give the whole log"),
    (b"\x7fELF\2\1\1" + bytes(9) + b"\2\0\x3e\0" + bytes(40), "it is a program: give the console"),
    (b"QFI\xfb" + bytes(100), "qemu-img convert"),
    (b"\x28\xb5\x2f\xfd" + bytes(100), "zstd -d"),
], ids=["empty", "a log without a crash", "an ELF file", "qcow2", "zstd"])
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_an_input_that_cannot_be_used_is_one_line(command, content, words, tmp_path, capsys):
    path = tmp_path / "input"
    path.write_bytes(content)
    assert run(*command, path) == UNUSABLE
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and said.startswith("crash.py: "), said
    assert command == ["triage"] or words in said, said


def test_a_folder_is_for_triage(tmp_path, capsys):
    assert run(tmp_path) == UNUSABLE
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "crash.py triage" in said, said


# ---- Any bytes ----

class NoGdb:
    """In place of FrameQuery: thousands of runs cannot wait for GDB."""

    def __init__(self, evidence, pcs):
        pass

    def finish(self):
        return GdbAnswer(problem="not asked")


@pytest.fixture
def no_gdb(monkeypatch):
    monkeypatch.setattr(report_module, "FrameQuery", NoGdb)


PIECES = strategies.one_of(
    strategies.binary(max_size=60),
    strategies.sampled_from([MAGIC, b"\x1f\x8b\x08\0", b"\xfd7zXZ\0", b"QFI\xfb", b"\x7fELF\2\1\1",
                             b"KDUMP   ", b"CAUS\1\0\0\0\x20\1\0\0\x20\1\0\0", b"\n~", b"\0" * 40,
                             sample("small", "raw"), sample("small", "raw")[:300],
                             sample("small", "lines"), gzip.compress(sample("small", "raw")),
                             gzip.compress(sample("small", "raw"))[:-40],
                             lzma.compress(sample("small", "lines"))[:-9]]))


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
@settings(max_examples=120, deadline=None, derandomize=True, database=None,
          suppress_health_check=list(HealthCheck))
@given(data=strategies.lists(PIECES, max_size=5).map(b"".join))
def test_any_bytes_give_a_defined_status(command, no_gdb, tmp_path, capsys, data):
    path = tmp_path / "input"
    path.write_bytes(data)
    status = run(*command, path)
    said = capsys.readouterr()
    assert status in (COMPLETE, UNUSABLE, PARTIAL)
    assert status != UNUSABLE or said.err.count("\n") == 1, said.err


def test_40_bytes_of_anything_give_a_defined_status(no_gdb, tmp_path, capsys):
    path = tmp_path / "input"
    heads = (b"", MAGIC, b"\x1f\x8b\x08\0\0\0\0\0\0\3", b"\xfd7zXZ\0\0\4", b"CAUS\1\0\0\0",
             b"~1a2b3c4d:D:000000:")
    for seed in range(300):
        draw = random.Random(seed)
        path.write_bytes((draw.choice(heads) + draw.randbytes(40))[:40])
        assert run(path) in (UNUSABLE, PARTIAL), f"seed {seed}"
        assert capsys.readouterr().err.count("\n") <= 1, f"seed {seed}"
