"""test_steps.py - single steps of instructions that debuggers get wrong: a row for each."""

from __future__ import annotations

from pathlib import Path

import pytest

from debugger import Debugger, GdbError
from programs import make_app

TRAP_FLAG = 1 << 8
INTERRUPT_FLAG = 1 << 9

# label, steps to take from it, bytes that the pc has moved by then.  sti and its successor are
# one step (SDM 2B, STI: the next instruction runs first); rep is one step for each turn.
STEPS = [
    ("step_pushf", 1, 1),
    ("step_pushfw", 1, 2),
    ("step_popf", 2, 2),
    ("step_hlt", 1, 1),
    ("step_hlt_cli", 1, 1),
    ("step_rep", 3, 14),
    ("step_rep", 5, 14),
    ("step_rep", 6, 16),
    ("step_sti", 1, 2),
    ("step_sti_hlt", 1, 1),
    ("step_sti_hlt", 2, 2),
    ("step_syscall", 1, 2),
    ("step_int", 1, 2),
]


@pytest.fixture(scope="module")
def steps_elf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_app(tmp_path_factory.mktemp("steps") / "steps.elf",
                    Path(__file__).with_name("steps.c"))


@pytest.fixture
def gdb_program(waiting, attach, steps_elf: Path) -> Debugger:
    """GDB, stopped in the program's main()."""
    debugger = attach(waiting(kernel=steps_elf), steps_elf)
    debugger("tbreak main")
    debugger.resume()
    return debugger


@pytest.fixture
def gdb_steps(gdb_program: Debugger) -> Debugger:
    """GDB, stopped where the steps begin."""
    gdb_program("set var stepping = 1")
    gdb_program("tbreak *steps")
    gdb_program.resume()
    return gdb_program


@pytest.mark.parametrize("label, count, moved", STEPS)
def test_steps_move_by_whole_instructions(gdb_steps, label: str, count: int, moved: int):
    gdb_steps(f"set var $pc = &{label}")
    start = gdb_steps.number("$pc")
    gdb_steps.resume(f"stepi {count}")
    assert gdb_steps.number("$pc") - start == moved


@pytest.mark.parametrize("label, saved", [("step_pushf", "*(long *)$sp"),
                                          ("step_pushfw", "*(short *)$sp")])
def test_saved_flags_do_not_hold_the_debuggers_trap_flag(gdb_steps, label: str, saved: str):
    gdb_steps(f"set var $pc = &{label}")
    gdb_steps.resume("stepi")
    flags = gdb_steps.number(saved)
    assert flags & TRAP_FLAG == 0
    assert flags & INTERRUPT_FLAG != 0


def test_steps_through_all_of_it_end_where_running_ends(gdb_steps):
    place = gdb_steps.number("$pc")
    end = gdb_steps.number("(long)&steps_end")
    for _ in range(40):
        if place == end:
            break
        gdb_steps.resume("stepi")
        place = gdb_steps.number("$pc")
    assert place == end
    assert gdb_steps.resume()["reason"] == "exited-normally"


def test_steps_leave_what_is_below_the_stack_alone(gdb_main):
    """Where reverse execution finds the frames of functions that have returned."""
    gdb_main("tbreak nops")
    gdb_main.resume()
    below = "((long *)$rsp)[-{}]"
    for place in range(1, 60):
        gdb_main(f"set var {below.format(place)} = {place}")
    for _ in range(90):
        gdb_main.resume("stepi")
    assert [gdb_main.number(below.format(place)) for place in range(1, 60)] == list(range(1, 60))


def test_a_write_watchpoint_shows_old_and_new_values(gdb_program):
    gdb_program("watch watched")
    values = []
    for _ in range(3):
        stop = gdb_program.resume()
        values.append((stop["reason"], stop["old"], stop["new"]))
    assert values == [("watchpoint-trigger", "0", "1"), ("watchpoint-trigger", "1", "3"),
                      ("watchpoint-trigger", "3", "6")]


def test_a_watchpoint_covers_what_is_not_aligned(gdb_program):
    gdb_program("watch *(long *)((char *)unaligned + 5)")
    stop = gdb_program.resume()
    assert (stop["reason"], stop["new"]) == ("watchpoint-trigger", "7")


def test_an_access_watchpoint_stops_at_a_read(gdb_program):
    gdb_program("awatch watched")
    stop = gdb_program.resume()
    assert stop["reason"] == "access-watchpoint-trigger"


def test_a_watchpoint_is_noticed_while_stepping_over_a_call(gdb_program):
    gdb_program("watch watched")
    stop = gdb_program.resume("next")
    while stop["reason"] == "end-stepping-range":
        stop = gdb_program.resume("next")
    assert (stop["reason"], stop["new"]) == ("watchpoint-trigger", "1")


def test_a_watchpoint_deleted_after_its_hit_stops_nothing_more(gdb_program):
    gdb_program("watch watched")
    gdb_program.resume()
    gdb_program("delete")
    assert gdb_program.resume()["reason"] == "exited-normally"


def test_a_hardware_breakpoint_stops_at_its_address_and_lets_go_on(gdb_program):
    gdb_program("hbreak write_watched")
    stop = gdb_program.resume()
    assert (stop["reason"], stop["func"]) == ("breakpoint-hit", "write_watched")
    assert gdb_program.resume()["reason"] == "exited-normally"


def test_more_watched_bytes_than_registers_are_refused(gdb_program):
    gdb_program("watch watched")
    gdb_program("watch *(char (*)[40])unaligned")
    with pytest.raises(GdbError):
        gdb_program.resume()
    assert "Could not insert hardware watchpoint" in gdb_program.said
