"""test_printers.py - the kernel's structs as GDB prints them with .gdbinit: in `print`, among local
variables, and as the children that an editor shows."""

from __future__ import annotations

import re

import pytest

from bench import bench, thread
from guest import ROOT
from test_trapline_commands import spoiled

PRINTERS = f"{ROOT}/scripts/gdb/trapline_printers.py"
THREADS = "'kernel/thread.c'::table.threads"


@pytest.fixture(scope="module")
def gdb(threads_elf):
    with bench(threads_elf) as (_, debugger):
        debugger(f"source {PRINTERS}")
        yield debugger


@pytest.mark.parametrize("expression, words", [
    (f"{THREADS}[0]", r'thread 1 "main", running, CPU 0 = \{id = 1, .* since_us = \d+\}$'),
    (f"{THREADS}[2]", r'thread 3 "sleeper", sleeping, CPU 0 = '),
    ("*mutex.waiters.first", r'thread \d+ "wanter", waiting, CPU 0, waits for "bench mutex" = '),
    (f"{THREADS}[200]", "no thread"),
    ("schedule_lock", 'spin lock "scheduler", free = '),
    ("mutex", r'mutex "bench mutex", held by thread \d+ "owner", taken in owner at \S+:\d+ = '
              r'\{\d+ "wanter" = 0x\w+ <table\+\d+>\}$'),
    ("queue", r'queue "bench", 2 waiting = \{\d+ "\w+" = 0x\w+ <table\+\d+>, \d+ "'),
    (f"*{THREADS}[2].frame", r"vector 0x81, at arch_yield\+0x2 = .*rip = 0x\w+ <arch_yield\+2>, "
                             r"cs = 8, rflags = 0x\w+ \[.*IF\]"),
    ("'kernel/schedule.c'::cpus[0].queues[3]", "run queue of 0")])
def test_print_says(gdb, expression, words):
    assert re.match(words, gdb.evaluate(expression)), gdb.evaluate(expression)


def test_a_local_variable_is_printed_so_too(gdb):
    gdb(f"thread {thread(gdb, 'waiter').number}")
    gdb(f"frame {gdb.functions().index('waiter')}")
    assert 'own = spin lock "of the waiter", free' in gdb("info locals")


def test_a_queues_children_are_its_threads(gdb):
    """As an editor asks: by GDB/MI."""
    gdb.ask("-enable-pretty-printing")
    assert 'type="struct mutex",dynamic="1"' in gdb.ask("-var-create m * mutex")
    children = gdb.ask("-var-list-children --all-values m")
    assert re.search(r'exp="\d+ \\"wanter\\"",.*type="struct thread \*"', children), children


@pytest.mark.parametrize("place, value, expression, words", [
    ("*(long *)&queue.first", "0x10", "queue", r'queue "bench", 1 waiting = \{not intact = 0x10\}'),
    ("*(long *)&queue.first->next", "(long)queue.first", "queue", "not intact = 0x"),
    ("*(long *)&mutex.owner", "0x20", "mutex", "held by 0x20, which cannot be read"),
    ("*(long *)&schedule_lock.name", "0x30", "schedule_lock", r"spin lock \?, free")])
def test_what_is_destroyed_is_printed_all_the_same(gdb, place, value, expression, words):
    with spoiled(gdb, place, value):
        assert re.search(words, gdb.evaluate(expression)), gdb.evaluate(expression)
