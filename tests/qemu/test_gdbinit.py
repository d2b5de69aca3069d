"""test_gdbinit.py - the repository's .gdbinit: GDB says the same with it, in fewer round trips."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import bench
from debugger import DEADLINE, Debugger, GdbError
from guest import ROOT

SENT = re.compile(r"^w ", re.MULTILINE)  # a packet, in GDB's remotelogfile
COMMANDS = ("break summarize", "continue", "backtrace", "x/20i $pc", "x/64xb &command_line",
            "stepi", "stepi", "print mix(1, 2)", "print/x $cr0", "print newest->beat")

LISTS = ("", "-gid", "2-4 1", "99", "1.2")  # arguments of `info threads`


def session(guest, elf: Path, log: Path, *options: str) -> tuple[str, int]:
    """What GDB says once it is attached, and how many packets that took."""
    words = [word for command in (f"set remotelogfile {log}", f"target remote {guest.gdb}",
                                  "echo ATTACHED\\n", *COMMANDS) for word in ("-ex", command)]
    done = subprocess.run(["gdb", "-nx", "-q", "-batch", *options, elf, *words], cwd=ROOT,
                          timeout=DEADLINE, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    return done.stdout.partition("ATTACHED\n")[2], len(SENT.findall(log.read_text()))


def test_the_same_is_said_in_fewer_packets(waiting, kernel_elf, tmp_path):
    """Of two machines that wait in the same place."""
    plain, many = session(waiting(), kernel_elf, tmp_path / "many")
    helped, few = session(waiting(), kernel_elf, tmp_path / "few", "-x", str(ROOT / ".gdbinit"))
    assert "$1 = 384" in plain and helped == plain
    assert few < many * 3 / 4, f"{few} packets with .gdbinit, {many} without"


def test_what_is_below_the_kernel_can_still_be_read(waiting, attach):
    gdb = attach(waiting())
    first_page = gdb("x/4xb 0xffff800000000000")
    gdb(f"source {ROOT}/.gdbinit")
    assert gdb("x/4xb 0xffff800000000000") == first_page
    assert first_page.count("0x") == 5, first_page


def test_it_connects_by_one_word(attach, waiting):
    gdb = attach(waiting())
    gdb(f"source {ROOT}/.gdbinit")
    assert "target remote localhost:1234" in gdb("show user trapline")


@pytest.fixture(scope="module")
def threads(threads_elf) -> Iterator[Debugger]:
    """GDB at four CPUs with threads in every state; the selected frame is not the innermost."""
    with bench(threads_elf, cpus=4, task="sleep") as (_, gdb):
        gdb("tbreak thread_sleep_us")
        gdb.resume()
        gdb("up")
        yield gdb


@pytest.fixture(scope="module")
def stock_words(threads) -> dict[str, str]:
    """What GDB's own `info threads` says; then .gdbinit replaces it."""
    words = {arguments: threads(f"info threads {arguments}") for arguments in LISTS}
    threads(f"cd {ROOT}")
    threads("source .gdbinit")
    return words


@pytest.mark.parametrize("arguments", LISTS)
def test_threads_are_listed_as_by_gdb_itself(threads, stock_words, arguments):
    before = threads("frame")
    assert threads(f"info threads {arguments}") == stock_words[arguments]
    assert threads("frame") == before, "it selects another frame"


def test_a_list_of_wrong_threads_is_refused_as_by_gdb_itself(threads, stock_words):
    with pytest.raises(GdbError, match="Invalid thread ID: nobody"):
        threads("info threads nobody")

