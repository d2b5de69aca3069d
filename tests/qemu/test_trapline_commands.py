"""test_trapline_commands.py - GDB's `trapline ...` commands: true of the machine, and the same for
a live kernel and for its crash."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from bench import bench, rows_of
from crashlib.record import load
from debugger import Debugger, GdbError
from guest import ROOT, Guest

COMMANDS = f"{ROOT}/scripts/gdb/trapline_commands.py"
CRASHED = 70
# What a record has as well: the log, the walks of what mattered, the map.
SHARED = ("trapline log 3", "trapline pagewalk 0x18", "trapline pagewalk $pc",
          "trapline whatis kernel_main", "trapline whatis $sp", "trapline whatis 0x18",
          "trapline whatis 0xdfdfdfdfdfdfdfdf", "trapline whatis &boot_stack")


@pytest.fixture
def gdb(gdb_kernel):
    gdb_kernel(f"source {COMMANDS}")
    return gdb_kernel


def without_mapping(said: str) -> list[str]:
    """How an address is mapped is in a record for few of them."""
    return [line for line in said.splitlines() if "page," not in line and "mapped is" not in line]


def test_a_crash_looks_the_same_live_and_afterwards(waiting, attach, kernel_elf, tmp_path):
    guest = waiting("run=provoke:null-read")
    live = attach(guest)
    live(f"source {COMMANDS}")
    live.resume()
    said_live = [live(command) for command in SHARED]
    live.start()
    assert guest.wait() == CRASHED
    (tmp_path / "log").write_text(guest.said)
    words = [word for command in SHARED for word in ("-ex", "echo ----\\n", "-ex", command)]
    done = subprocess.run([ROOT / "scripts/crash.py", "gdb", tmp_path / "log", "--elf", kernel_elf,
                           "--", "-batch", *words], stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    said_later = done.stdout.split("----\n")[1:]
    assert "provoke: null-read" in said_live[0] and "not mapped: PML4[0]" in said_live[1]
    for command, now, later in zip(SHARED, said_live, said_later, strict=True):
        assert without_mapping(later) == without_mapping(now), command


def test_log_shows_what_the_console_showed(waiting, attach):
    guest = waiting("run=provoke:null-read")
    debugger = attach(guest)
    debugger(f"source {COMMANDS}")
    debugger.resume()
    printed = re.findall(r"^\[ *([\d.]+)\] (.*?)\r?$", guest.said, re.MULTILINE)
    shown = re.findall(r"^\[ *([\d.]+)\] cpu 0 notice  (.*)$", debugger("trapline log"),
                       re.MULTILINE)
    assert printed and shown[-len(printed):] == printed
    assert len(debugger("trapline log 1").splitlines()) == 1


def test_pagewalk_agrees_with_the_regions(gdb):
    assert "4 KiB page, read-only, executable, kernel only" in gdb("trapline pagewalk kernel_main")
    assert "writable, no-execute" in gdb("trapline pagewalk $sp")
    assert "not mapped" in gdb("trapline pagewalk 0")
    assert "not canonical" in gdb("trapline pagewalk 0x1234567812345678")


def test_pagewalk_finds_the_physical_address(gdb):
    """The image is at its virtual address less KERNEL_BASE."""
    address = gdb.number("(unsigned long)kernel_main")
    assert f"physical {address - 0xffffffff80000000:#x}" in gdb("trapline pagewalk kernel_main")


def test_whatis_names_symbols_stacks_and_guard_pages(gdb):
    assert "kernel_main+0x4" in gdb("trapline whatis (char *)kernel_main + 4")
    assert "the boot stack, 0x" in gdb("trapline whatis $sp")
    assert "guard page of the boot stack" in gdb("trapline whatis (char *)boot_stack - 8")
    assert "not a canonical address" in gdb("trapline whatis 0x1234567812345678")


def test_idt_names_every_exceptions_stub(gdb):
    said = gdb("trapline idt")
    assert re.search(r"^ 14 #PF page fault +\S+ +interrupt gate, selector 0x8, DPL 0$", said,
                     re.MULTILINE), said
    assert re.search(r"^  3 #BP breakpoint .*DPL 3, IST 5$", said, re.MULTILINE), said
    assert len(said.splitlines()) >= 33
    assert "IST 2" in gdb("trapline idt 8")


def test_gdt_and_tss(gdb):
    said = gdb("trapline gdt")
    assert re.search(r"^0x0008 \w{16} code, DPL 0, 64 bits$", said, re.MULTILINE), said
    assert re.search(r"^0x0030 \w{16} TSS, busy, at tables\+0x\w+$", said, re.MULTILINE), said
    assert "ist2" in gdb("trapline tss") and "top of the double fault stack" in gdb("trapline tss")


def test_without_a_kernel_nothing_is_made_up(kernel_elf):
    """The ELF file has an empty log, and all tables are zero."""
    for command in ("trapline log", "trapline idt", "trapline whatis kernel_main"):
        done = subprocess.run(["gdb", "-nx", "-batch", kernel_elf, "-ex", f"source {COMMANDS}",
                               "-ex", command], stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert "no kernel" in done.stderr and done.stdout == "", command


@pytest.mark.parametrize("command, words", [
    ("trapline whatis", "which address?"), ("trapline whatis no_such", "No symbol"),
    ("trapline idt 300", "there are 256 vectors"), ("trapline gdt 99", "CPUs at most")])
def test_what_cannot_be_shown_is_one_line(gdb, command, words):
    with pytest.raises(GdbError, match=words):
        gdb(command)


# ---- Threads, CPUs, locks, traps, the heap: a machine with something of each --------------------

SYSTEM = ("trapline threads", "trapline cpus", "trapline locks", "trapline traps 8")
HEAP = ("trapline heap", "trapline heap $block", "trapline heap $freed + 20",
        "trapline heap $block - 8", "trapline heap &started")


@dataclass(frozen=True)
class Standing:
    """A machine that stands still, and the record that it wrote then."""
    guest: Guest
    gdb: Debugger
    elf: Path
    log: Path
    disk: Path
    known: dict[str, str]  # what GDB has said while all was whole

    def said(self, command: str) -> str:
        if command not in self.known:
            self.known[command] = self.gdb(command)
        return self.known[command]

    def said_of(self, record: Path, commands: Iterable[str]) -> list[str]:
        """By GDB on the record's core."""
        convenience = [f"set ${name} = {self.gdb.number('$' + name):#x}"
                       for name in ("block", "freed")]
        words = [word for command in commands for word in ("-ex", "echo ----\\n", "-ex", command)]
        done = subprocess.run(
            [ROOT / "scripts/crash.py", "gdb", record, "--elf", self.elf, "--", "-batch",
             *(word for command in convenience for word in ("-ex", command)), *words],
            stdin=subprocess.DEVNULL, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return done.stdout.split("----\n")[1:]


@pytest.fixture(scope="module")
def standing(threads_elf, tmp_path_factory):
    """Threads in all states, a user program, a lock that is wanted, blocks of the heap."""
    folder = tmp_path_factory.mktemp("standing")
    with bench(threads_elf, 2, "nothing", "sleep", "--disk", str(folder / "disk")) as (guest, gdb):
        gdb("set remotetimeout 60")  # a record takes its time
        gdb(f"source {COMMANDS}")
        gdb("set $block = (unsigned long)heap_alloc(40)")
        gdb("set $freed = (unsigned long)heap_alloc(100)")
        gdb("call (void)heap_free((void *)$freed)")
        gdb("monitor crash")
        (folder / "log").write_text(guest.said)
        gdb("info threads")  # what is new to GDB it says in the middle of anything
        yield Standing(guest, gdb, threads_elf, folder / "log", folder / "disk", {})


def test_the_system_looks_the_same_live_and_in_its_record(standing):
    """The log's record has the sections only, the disk's the kernel's memory as well."""
    live = [standing.said(command) for command in SYSTEM]
    assert standing.said_of(standing.log, SYSTEM) == live
    live += [standing.said(command) for command in HEAP]
    assert standing.said_of(standing.disk, (*SYSTEM, *HEAP)) == live


@pytest.mark.parametrize("command, words", [
    ("threads", r"^ +\d+   0 sleeping normal   sleeper, sleeps, since \d+\.\d{3} s, until 1\d+"),
    ("threads", r"^ +\d+   0 waiting  high     owner, waits for the end, since \d"),
    ("threads", r'wanter, waits for bench mutex, held by \d+ "owner", since \d'),
    ("threads", r"debuggee, user program 1, sleeps, "),
    ("threads", r"^  1   0 running  normal   main, since \d"),
    ("cpus", r'^  0 has the machine +\d+ +\d+\.\d{6}  1 "main"'),
    ("cpus", r'^  1 stopped +\d+ +\d+\.\d{6}  \d+ "spinner"; \d+ "starving" could run$'),
    ("locks", r'^bench mutex: mutex lock at 0x\w+, held by thread \d+ "owner" of CPU 0, taken in '
              r'owner at \S+threads\.c:\d+; wanted by \d+ "wanter"$'),
    ("traps 60", r"^ +\d+\.\d{6} cpu 0 #BP breakpoint at main"),
    ("traps 60", r'cpu 0 switch to thread \d+ "\w+" from \d+ "'),
    ("heap", r"^heap: 65536 bytes from 0x\w+ to 0x\w+$"),
    ("heap", r"^  1 block, 40 bytes: allocated$"),
    ("heap", r"^  1 block, 100 bytes: freed, kept back"),
    ("heap", r"^all headers, red zones and free bytes are intact$"),
    ("heap $freed + 20", r": 20 bytes into a block of 100 bytes at 0x\w+\n  allocated by thread 1"),
    ("heap $freed + 20", r"freed by thread 1 in .*\n  its header, red zones and poison are int"),
    ("heap &started", r"is not in the heap, which is from 0x")])
def test_what_is_whole_is_told(standing, command, words):
    said = standing.said(f"trapline {command}")
    assert re.search(words, said, re.MULTILINE), said


@contextmanager
def spoiled(gdb: Debugger, place: str, value: str) -> Iterator[None]:
    before = gdb.number(place)
    gdb(f"set var {place} = {value}")
    try:
        yield
    finally:
        gdb(f"set var {place} = {before:#x}")


@pytest.mark.parametrize("command, place, value, words", [
    ("threads", "table.threads[3].state", "(enum thread_state)77", "there is no state 77"),
    ("threads", "*(long *)&table.threads[3].wait_reason", "0x10", "no text at 0x10"),
    ("threads", "*(long *)&table.threads[3].process", "0x18", "its program: 0x18 cannot be read"),
    ("threads", "table.threads[3].cpu", "9", "there is no CPU 9"),
    ("locks", "*(long *)&mutex.next", "0x10", "of a list that ends there: 0x10 cannot be read"),
    ("locks", "*(long *)&mutex.next", "(long)&mutex", "the list of held mutexes is a circle"),
    ("locks", "*(long *)&mutex.owner", "0x20", 'the owner of mutex "bench mutex": 0x20 cannot'),
    ("cpus", "*(long *)&'kernel/schedule.c'::cpus[1].shown.current", "0x30",
     "the current thread of CPU 1: 0x30 cannot be read"),
    ("heap", "((char *)$block)[42]", "65",
     "the red zone behind: 1 byte overwritten, from offset 42"),
    ("heap $freed + 20", "((char *)$freed)[7]", "1",
     "freed bytes: 1 byte overwritten, from offset 7"),
    ("heap", "*(long *)($freed - 80)", "0", "its header is overwritten: 00 00 00")])
def test_what_is_destroyed_is_told_behind_what_is_whole(standing, command, place, value, words):
    whole = standing.said(f"trapline {command}").splitlines()
    with spoiled(standing.gdb, place, value):
        said = standing.gdb(f"trapline {command}").splitlines()
    assert any("not intact: " in line and words in line for line in said), said
    assert len(set(whole) & set(said)) >= len(whole) - 3, said


DESTROYED = {
    "*(long *)&table.threads[3].wait_reason": "0x10",
    "table.threads[3].state": "(enum thread_state)77",
    "*(long *)&table.threads[3].process": "0x18",
    "*(long *)&mutex.owner": "0x28",
    "*(long *)&table.threads[3].wants": "0x20",
    "table.threads[3].cpu": "9",
}


def test_what_is_destroyed_costs_no_thread_in_gdb_s_list_or_in_a_record(standing):
    whole = {row.id for row in rows_of(standing.gdb)}
    before = len(standing.guest.said)
    with ExitStack() as all_of_it:
        for place, value in DESTROYED.items():
            all_of_it.enter_context(spoiled(standing.gdb, place, value))
            assert {row.id for row in rows_of(standing.gdb)} == whole, place
        standing.gdb("monitor crash")
    [record] = load(standing.guest.said[before:].encode())
    assert record.complete and {thread.id for thread in record.threads} == whole
