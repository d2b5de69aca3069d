"""test_running.py - step, next, finish, until, watch, backtrace: run control as people use it."""

from __future__ import annotations

import re
from pathlib import Path

from debugger import Debugger
from programs import line_of, make_app


def number_of(mark: str) -> int:
    return int(line_of(mark).split(":")[1])


def run_to(debugger: Debugger, place: str) -> dict[str, str]:
    debugger(f"tbreak {place}")
    return debugger.resume()


def test_stepi_is_one_instruction(gdb_main):
    run_to(gdb_main, "nops")
    start = gdb_main.number("$pc")
    seen = [gdb_main.resume("stepi") and gdb_main.number("$pc") - start for _ in range(20)]
    assert seen == list(range(1, 21))


def test_stepi_with_a_count_is_that_many_instructions(gdb_main):
    run_to(gdb_main, "nops")
    start = gdb_main.number("$pc")
    gdb_main.resume("stepi 75")
    assert gdb_main.number("$pc") == start + 75


def test_stepi_follows_calls_and_returns(gdb_main):
    run_to(gdb_main, "*(nops + 99)")
    gdb_main.resume("stepi")  # the last nop
    gdb_main.resume("stepi")  # ret
    assert gdb_main.functions() == ["main"]
    while gdb_main.functions() == ["main"]:
        gdb_main.resume("stepi")
    assert gdb_main.functions()[0] == "exchange_registers"


def test_no_trap_flag_stays_in_the_program_after_steps(gdb_main):
    run_to(gdb_main, "nops")
    gdb_main.resume("stepi 3")
    run_to(gdb_main, "exchange_registers")
    assert "TF" not in gdb_main.evaluate("$eflags").split()


def test_next_goes_over_calls(gdb_main):
    lines = [int(gdb_main.resume("next")["line"]) for _ in range(3)]
    first = number_of("FIRST")
    assert lines == [first + 1, first + 2, first + 4]
    assert gdb_main.evaluate("sum") == "30"
    assert gdb_main.evaluate("scaled") == "5"


def test_next_goes_over_recursion(gdb_main):
    run_to(gdb_main, "factorial")
    gdb_main.resume("next")
    stop = gdb_main.resume("next")
    assert stop["func"] == "factorial"
    assert gdb_main.functions() == ["factorial", "main"]
    assert gdb_main.evaluate("n") == "5"


def test_step_goes_into_a_function_with_its_arguments(gdb_main):
    assert gdb_main.resume("step")["func"] == "add"
    assert gdb_main("info args").split("\n")[:2] == ["a = 10", "b = 20"]
    while (stop := gdb_main.resume("step"))["func"] == "add":
        pass
    assert (stop["func"], gdb_main.evaluate("$eax")) == ("main", "30")


def test_finish_returns_to_the_caller_and_tells_the_value(gdb_main):
    run_to(gdb_main, "add")
    stop = gdb_main.resume("finish")
    assert (stop["func"], stop["return-value"]) == ("main", "30")


def test_finish_tells_structures_and_floating_point_values(gdb_main):
    run_to(gdb_main, "scale")
    assert gdb_main.resume("finish")["return-value"] == "5"
    run_to(gdb_main, "swap")
    assert gdb_main.resume("finish")["return-value"] == "{first = 150, second = 1}"


def test_until_goes_to_a_line_behind_a_loop(gdb_main):
    run_to(gdb_main, "count_to")
    gdb_main.resume("next")
    gdb_main.resume("next")
    stop = gdb_main.resume(f"until {number_of('COUNTING') + 1}")
    assert stop["func"] == "count_to"
    assert gdb_main.number("total") == 1000 * 1001 // 2


def test_advance_goes_to_a_function(gdb_main):
    assert gdb_main.resume("advance swap")["func"] == "swap"
    assert gdb_main.evaluate("second") == "150"


def test_return_leaves_a_function_with_a_value_of_ones_own(gdb_main):
    run_to(gdb_main, "add")
    gdb_main("set confirm off")
    gdb_main("return 1000")
    gdb_main.resume("next")
    assert gdb_main.evaluate("sum") == "1000"


def test_jump_goes_on_somewhere_else(gdb_main):
    gdb_main(f"tbreak {line_of('SPINNING')}")
    stop = gdb_main.resume(f"jump {line_of('SPINNING')}")
    assert int(stop["line"]) == number_of("SPINNING")
    assert gdb_main.number("total") == 0, "the loop before it has run"


def test_locals_of_every_frame_are_shown(gdb_main):
    run_to(gdb_main, line_of("DEEPEST"))
    assert gdb_main.functions() == ["factorial"] * 5 + ["main"]
    gdb_main("frame 5")
    assert "sum = 30" in gdb_main("info locals")
    assert "scaled = 5" in gdb_main("info locals")


def test_a_backtrace_ends_at_the_beginning_of_the_thread(gdb_main):
    gdb_main("set backtrace past-main on")
    names = gdb_main.functions()
    assert names[0] == "main"
    assert len(names) <= 4, names
    assert "corrupt" not in gdb_main("backtrace")


def test_a_kernel_backtrace_ends_at_the_boot_code(gdb_kernel):
    gdb_kernel("set backtrace past-main on")
    run_to(gdb_kernel, "take_sample")
    assert gdb_kernel.functions()[:3] == ["take_sample", "beat", "heartbeat_run"]
    assert gdb_kernel.functions()[-2:] == ["kernel_main", "long_mode"]


def test_there_is_one_thread_with_a_name_and_a_processor(gdb_kernel):
    shown = gdb_kernel("info threads")
    assert "Thread 1.1" in shown and "main" in shown and "CPU 0" in shown, shown


def test_a_watchpoint_in_software_stops_after_the_write_and_tells_both_values(gdb_main):
    gdb_main("set can-use-hw-watchpoints 0")
    run_to(gdb_main, "heavier")
    gdb_main("watch ::parcel.weight")
    stop = gdb_main.resume()
    assert (stop["reason"], stop["old"], stop["new"]) == ("watchpoint-trigger", "2.5", "7.5")
    assert stop["func"] == "main"


def test_x_shows_instructions_and_memory(gdb_main):
    run_to(gdb_main, "nops")
    shown = gdb_main("x/3i $pc").splitlines()
    assert [row.split()[-1] for row in shown] == ["nop"] * 3
    assert shown[0].startswith("=> ")
    assert gdb_main("x/4dg values").split("\t")[1:2] == ["10"]


def test_a_backtrace_runs_through_the_trap_stubs(waiting, attach, tmp_path: Path):
    """From what an interrupt's handler calls to the function that it has interrupted."""
    (tmp_path / "program.c").write_text("""
        void raise_it(long mark) { __asm__ volatile("int $0x50"); (void)mark; }
        int main(void) { raise_it(0x1234); return 6; }""")
    elf = make_app(tmp_path / "program.elf", tmp_path / "program.c")
    debugger = attach(waiting(kernel=elf), elf)
    debugger("break *&'kernel.log_print'")
    debugger.resume()
    shown = debugger("backtrace")
    assert re.search(r"kernel\.arch_trap.*<signal handler called>.*raise_it \(mark=4660\).*main",
                     shown.replace("\n", " ")), shown
    assert debugger.resume()["exit-code"] == "06"
