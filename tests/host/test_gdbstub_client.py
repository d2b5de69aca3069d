"""test_gdbstub_client.py - the stub as a real GDB sees it, through a pipe to the fake machine.

pipe_target runs a loop: 0x1000 nop, nop, nop; 0x1003 incl 0x3000; 0x100a nop; 0x100b jmp 0x1000.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from guest import BUILD, DEADLINE

TARGET = BUILD / "tests/host/pipe_target"
CATCHING = """
python
import gdb
for command in {commands!r}:
    try:
        gdb.execute(command)
    except gdb.error as error:
        print("error:", error)
end
"""


def gdb(tmp_path: Path, *commands: str, connect: str = "remote", before: list[str] = []) -> str:
    """What GDB says to these commands; errors do not end it."""
    script = tmp_path / "commands.gdb"
    script.write_text(CATCHING.format(commands=[*before, f"target {connect} | {TARGET}", *commands,
                                                "kill"]))
    done = subprocess.run(["gdb", "-nx", "-batch", "-x", script], timeout=DEADLINE, check=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    return done.stdout


def test_shows_memory_and_registers(tmp_path: Path) -> None:
    said = gdb(tmp_path, "x/2i 0x1003", "set $rax = 0x1234", "p/x $rax", "p $absent", "p $wide",
               "set var *(int *)0x3004 = 77", "p *(int *)0x3004", "p *(int *)0")
    for part in ("incl   0x3000", "$1 = 0x1234", "$2 = <unavailable>", "$3 = 0", "$4 = 77",
                 "error: Cannot access memory at address 0x0"):
        assert part in said


def test_breaks_steps_and_continues(tmp_path: Path) -> None:
    said = gdb(tmp_path, "break *0x100a", "continue", "stepi", "p $pc", "continue",
               "x/1xb 0x100a", "info breakpoints")
    assert said.count("hit Breakpoint 1") == 2
    assert "0x100b" in said
    assert re.search(r"0x100a:\s+0x90", said)  # the breakpoint is not seen
    assert "breakpoint already hit 2 times" in said


def test_refused_breakpoints_are_refused(tmp_path: Path) -> None:
    said = gdb(tmp_path, "break *0", "continue")
    assert "Cannot insert breakpoint 1" in said
    assert "error: Command aborted" in said


def test_watches_memory(tmp_path: Path) -> None:
    said = gdb(tmp_path, "watch *(int *)0x3000", "continue", "delete", "awatch *(int *)0x3000",
               "continue", "delete", "hbreak *0x1001", "continue")
    found = re.search(r"hit Hardware watchpoint 1.*?Old value = (\d+)\s+New value = (\d+)", said,
                      re.DOTALL)
    assert found and int(found[2]) == int(found[1]) + 1, said
    assert "hit Hardware access (read/write) watchpoint 2" in said
    assert "hit Breakpoint 3" in said


def test_knows_the_threads(tmp_path: Path) -> None:
    said = gdb(tmp_path, "info threads", "thread 2", "p $sp", "set scheduler-locking on", "stepi",
               "info threads")
    assert 'Thread 1.1 "thread-1" (running)' in said
    assert 'Thread 1.2 "thread-2" (sleeping)' in said
    assert "0x9000" in said


def test_knows_the_threads_without_their_list_as_xml(tmp_path: Path) -> None:
    said = gdb(tmp_path, "info threads", before=["set remote threads-packet off"])
    assert "Thread 1.1 (thread-1: running, CPU 0)" in said
    assert "Thread 1.2 (thread-2: sleeping, CPU 1)" in said


def test_names_the_thread_that_stops(tmp_path: Path) -> None:
    said = gdb(tmp_path, "break *0x100a thread 2", "continue")
    assert 'Thread 2 "thread-2" hit Breakpoint 1' in said


def test_compares_and_searches_memory(tmp_path: Path) -> None:
    said = gdb(tmp_path, "break *0x100a", "continue", "find /b 0x1000, 0x1fff, 0xff, 0x04",
               "find /b 0x1000, 0x1fff, 0xcc", "find /b 0x3000, 0x3fff, 0x77")
    assert "0x1003\n1 pattern found." in said
    assert said.count("Pattern not found.") == 2


def test_fetches_files(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    said = gdb(tmp_path, f"remote get counting {copy}", "remote get none /dev/null",
               f"remote put {copy} counting")
    assert copy.read_bytes() == bytes(n % 256 for n in range(10000))
    assert "Remote I/O error: No such file or directory" in said
    assert "Remote I/O error: Read-only file system" in said


def test_shows_the_machine_s_tables(tmp_path: Path) -> None:
    assert re.search(r"Type\s*\nnone", gdb(tmp_path, "info os"))


def test_runs_the_machine_anew(tmp_path: Path) -> None:
    said = gdb(tmp_path, "break *0x100a", *["continue"] * 4, "p *(int *)0x3000 > 2", "run",
               "p *(int *)0x3000", connect="extended-remote")
    assert said.count("hit Breakpoint 1") == 5
    assert "$1 = 1" in said and "$2 = 2" in said, said


def test_attaches_again_after_it_has_let_go(tmp_path: Path) -> None:
    said = gdb(tmp_path, "detach", "attach 1", "p $sp", "attach 2", connect="extended-remote")
    assert "error: Attaching to process 2 failed" in said, said
    assert "0x8800" in said


def test_runs_monitor_commands(tmp_path: Path) -> None:
    said = gdb(tmp_path, "monitor hello", "monitor nonsense")
    assert "hello there\n" in said
    assert "error: Target does not support this command." in said
