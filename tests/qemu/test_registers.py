"""test_registers.py - the registers that the debugger sees are the program's, both ways."""

from __future__ import annotations

import pytest

from debugger import Debugger, GdbError

# By their places in the debuggee's arrays.
GENERAL = {name: place for place, name in enumerate(
    "rax rbx rcx rdx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15".split()) if name != "rsp"}


def pattern(n: int) -> int:
    return (n + 1) * 0x0123456789abcdef % (1 << 64)


@pytest.fixture
def gdb_loaded(gdb_main: Debugger) -> Debugger:
    """GDB, where the program has put a value of its own into each general register."""
    for place in GENERAL.values():
        gdb_main(f"set var loaded[{place}] = {pattern(place):#x}")
    gdb_main("tbreak *&registers_loaded")
    gdb_main.resume()
    return gdb_main


def test_the_program_s_values_are_read_from_the_general_registers(gdb_loaded):
    assert {name: hex(gdb_loaded.number(f"${name}")) for name in GENERAL} == \
        {name: hex(pattern(place)) for name, place in GENERAL.items()}


def test_values_written_to_the_general_registers_reach_the_program(gdb_loaded):
    for name, place in GENERAL.items():
        gdb_loaded(f"set var ${name} = {pattern(place + 100):#x}")
    gdb_loaded("tbreak count_to")
    gdb_loaded.resume()
    assert {name: hex(gdb_loaded.number(f"stored[{place}]")) for name, place in GENERAL.items()} \
        == {name: hex(pattern(place + 100)) for name, place in GENERAL.items()}


def test_pc_and_stack_pointer_are_where_the_program_is(gdb_main):
    assert "<main+" in gdb_main.evaluate("$pc")
    assert gdb_main.number("$rsp") <= gdb_main.number("$rbp")
    assert gdb_main.number("$rbp") - gdb_main.number("$rsp") < 1 << 10


def test_pc_can_be_written(gdb_main):
    gdb_main("tbreak nops")
    gdb_main.resume()
    gdb_main("set var $pc = nops + 50")
    gdb_main.resume("stepi")
    assert gdb_main.number("$pc") == gdb_main.number("&nops") + 51


def test_flags_are_shown_by_name_with_interrupts_on(gdb_main):
    flags = gdb_main.evaluate("$eflags")
    assert "IF" in flags.split() and "TF" not in flags.split(), flags


def test_a_flag_that_is_written_reaches_the_program(gdb_main):
    gdb_main("tbreak nops")
    gdb_main.resume()
    gdb_main("set var $eflags |= 1")
    gdb_main.resume("stepi 10")
    assert "CF" in gdb_main.evaluate("$eflags").split()
    gdb_main("set var $eflags &= ~1")
    gdb_main.resume("stepi 10")
    assert "CF" not in gdb_main.evaluate("$eflags").split()


def test_the_trap_flag_cannot_be_forced_into_the_program(gdb_main):
    gdb_main("set var $eflags |= 0x100")
    gdb_main("tbreak nops")
    assert gdb_main.resume()["func"] == "nops"


@pytest.mark.parametrize("name, flags", [("cr0", "PE WP PG"), ("cr4", "PAE OSFXSR"),
                                         ("efer", "LME LMA NXE")])
def test_control_registers_are_shown_by_flags(gdb_kernel, name, flags):
    assert set(flags.split()) <= set(gdb_kernel.evaluate(f"${name}").split())


def test_cr3_is_the_root_of_the_page_tables(gdb_kernel):
    assert gdb_kernel.number("$cr3") == gdb_kernel.number("paging.root")


@pytest.mark.parametrize("name, value", [("cr0", 0), ("cr3", 0), ("cr4", 0), ("efer", 0)])
def test_what_would_end_the_machine_is_refused(gdb_kernel, name, value):
    old = gdb_kernel.number(f"${name}")
    with pytest.raises(GdbError):
        gdb_kernel(f"set var ${name} = {value}")
    gdb_kernel("maintenance flush register-cache")
    assert gdb_kernel.number(f"${name}") == old


@pytest.mark.parametrize("name, value", [("rip", 1 << 60), ("cs", 0), ("ss", 0x33)])
def test_what_no_return_from_a_trap_takes_is_refused(line, name, value):
    number = {"rip": 0x10, "cs": 0x12, "ss": 0x13}[name]
    size = 8 if name == "rip" else 4
    old = line.request(f"p{number:x}")
    assert line.request(f"P{number:x}={value.to_bytes(size, 'little').hex()}")[0] == "E"
    assert line.request(f"p{number:x}") == old


@pytest.mark.parametrize("name", ["fs_base", "gs_base"])
def test_segment_bases_are_read_and_written(gdb_kernel, name):
    gdb_kernel(f"set var ${name} = 0xffffffff80001000")
    gdb_kernel("maintenance flush register-cache")
    assert gdb_kernel.number(f"${name}") == 0xffffffff80001000


def test_segment_registers_are_the_kernel_s(gdb_main):
    assert gdb_main.number("$cs") == 0x08
    assert gdb_main.number("$ss") == 0x10


def test_sse_registers_hold_the_program_s_floating_point_values(gdb_main):
    gdb_main("tbreak *scale")
    gdb_main.resume()
    assert gdb_main.evaluate("$xmm0.v2_double[0]") == "2.5"
    assert gdb_main.evaluate("$xmm1.v4_float[0]") == "2"
    assert gdb_main.evaluate("$xmm1.v8_half[1]") == "2"  # both begin with the byte 0x40


def test_sse_registers_that_are_written_reach_the_program(gdb_main):
    gdb_main("tbreak *scale")
    gdb_main.resume()
    gdb_main("set var $xmm0.v2_double[0] = 10.5")
    stop = gdb_main.resume("finish")
    assert float(stop["return-value"]) == 21.0


def test_x87_registers_hold_the_program_s_long_doubles(gdb_main):
    gdb_main("tbreak third")
    gdb_main.resume()
    stop = gdb_main.resume("finish")
    assert float(stop["return-value"]) == pytest.approx(10 / 3)
    assert gdb_main.evaluate("$st0").startswith("3.33333")


def test_what_the_processor_does_not_save_of_the_x87_is_zero(gdb_main):
    """QEMU leaves the last opcode out; what was in memory there is not it."""
    assert [gdb_main.number("$fop") for _ in range(3)] == [0, 0, 0]


def test_info_float_tells_which_x87_registers_are_in_use(gdb_main):
    gdb_main("tbreak third")
    gdb_main.resume()
    gdb_main.resume("finish")
    shown = gdb_main("info float")
    assert "=>R7: Valid" in shown, shown
    assert "R6: Empty" in shown, shown


def test_info_registers_shows_all_of_them(gdb_main):
    shown = {row.split()[0] for row in gdb_main("info all-registers").splitlines() if row.strip()}
    assert {"rax", "rip", "eflags", "st0", "xmm15", "mxcsr", "cr0", "efer", "dr7", "idtr"} <= shown
    shown = {row.split()[0] for row in gdb_main("info registers system").splitlines()}
    assert {"fs_base", "gs_base", "orig_rax"} <= shown


def test_debug_registers_are_those_of_the_running_kernel(gdb_main):
    gdb_main("set breakpoint always-inserted on")
    gdb_main("hbreak nops")
    gdb_main.resume()
    assert gdb_main.number("$dr0") == gdb_main.number("$pc")
    assert "G0" in gdb_main.evaluate("$dr7").split()
    assert "B0" in gdb_main.evaluate("$dr6").split()
    with pytest.raises(GdbError):
        gdb_main("set var $dr0 = 1")


def test_the_stop_s_vector_and_error_code_are_registers(gdb_main):
    gdb_main.resume("stepi")
    assert gdb_main.number("$vector") == 1
    assert "BS" in gdb_main.evaluate("$dr6").split()
    assert gdb_main.number("$error") == 1 << 14
    gdb_main("set var $pc = 0x10")
    assert gdb_main.resume()["signal-name"] == "SIGSEGV"
    assert gdb_main.number("$vector") == 14 and gdb_main.number("$error") == 0x10


def test_descriptor_tables_are_registers(gdb_main):
    assert gdb_main.number("$idtr_limit") == 256 * 16 - 1
    assert gdb_main.number("$tr") == 0x30
    assert gdb_main.number("$gdtr") % 8 == 0 and gdb_main.number("$gdtr_limit") == 63


def test_a_control_register_changes_as_far_as_the_kernel_survives_it(gdb_main):
    gdb_main("set var $cr4 |= 4")
    gdb_main("maintenance flush register-cache")
    assert "TSD" in gdb_main.evaluate("$cr4").split()
    gdb_main("set var $cr4 &= ~4")
    gdb_main("tbreak nops")
    assert gdb_main.resume()["func"] == "nops"


def test_a_call_restores_the_registers_while_points_are_set(gdb_main):
    gdb_main("watch total")
    gdb_main.resume()
    before = gdb_main("info registers")
    gdb_main("print third(10)")
    assert gdb_main("info registers") == before


def test_execution_is_recorded_and_reversed(gdb_main):
    gdb_main("tbreak nops")
    gdb_main.resume()
    start = gdb_main.number("$pc")
    gdb_main("record full")
    gdb_main.resume("stepi 3")
    there = gdb_main.number("$pc")
    gdb_main.resume("reverse-stepi 3")
    assert gdb_main.number("$pc") == start
    gdb_main.resume("stepi 3")
    assert gdb_main.number("$pc") == there
