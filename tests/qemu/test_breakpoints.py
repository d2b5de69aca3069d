"""test_breakpoints.py - breakpoints stand where they are put, seen by nobody, and stop there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from debugger import Debugger, GdbError
from monitor import Monitor
from programs import WAITING, line_of, symbols_of

INT3 = 0xcc


# ---- Planted, one packet at a time ----

def test_a_breakpoint_in_read_only_text_is_planted_and_removed(boot, connect, symbols,
                                                               tmp_path: Path):
    guest = boot("gdbwait", *Monitor.options(tmp_path / "qmp"))
    guest.wait_for(WAITING)
    line, monitor = connect(guest), Monitor(tmp_path / "qmp")
    address = symbols["heartbeat_run"]

    def memory() -> bytes:
        return monitor.kernel_memory(address, 4)

    before = memory()
    assert line.request(f"Z0,{address:x},1") == "OK"
    assert memory() == bytes([INT3]) + before[1:]
    assert line.request(f"z0,{address:x},1") == "OK"
    assert memory() == before
    monitor.close()


@pytest.mark.parametrize("packet", ["m{:x},1", "m{:x},10", "x{:x},10"])
def test_a_planted_breakpoint_is_hidden_from(line, symbols, packet):
    address = symbols["heartbeat_run"]
    before = line.request(packet.format(address))
    assert line.request(f"Z0,{address:x},1") == "OK"
    assert line.request(packet.format(address)) == before


def test_what_is_written_over_a_breakpoint_is_there_when_it_is_removed(line, symbols):
    address = symbols["heartbeat_run"]
    line.request(f"Z0,{address:x},1")
    assert line.request(f"M{address:x},2:9090") == "OK"
    assert line.request(f"m{address:x},2") == "9090"
    assert line.request(f"z0,{address:x},1") == "OK"
    assert line.request(f"m{address:x},2") == "9090"


def test_planting_and_removing_twice_is_the_same_as_once(line, symbols):
    address = symbols["heartbeat_run"]
    before = line.request(f"m{address:x},4")
    for packet in "Z0", "Z0", "z0", "z0":
        assert line.request(f"{packet},{address:x},1") == "OK"
    assert line.request(f"m{address:x},4") == before


@pytest.mark.parametrize("address", [0, 0x1000, 0x800000000000, 0xfffffffffffff000])
def test_a_breakpoint_where_there_is_no_memory_is_an_error(line, address):
    assert line.request(f"Z0,{address:x},1")[0] == "E"


@pytest.mark.parametrize("name", [
    "gdbstub_receive", "gdbstub_stopped", "stub_dispatch", "debugger_handle", "debugger_break_in",
    "trap_stubs", "trap_common", "arch_trap", "trap_dispatch", "arch_recover", "arch_copy",
    "arch_patch", "arch_line_read", "arch_line_write", "arch_register_read", "memcpy",
    "call_on_stack", "guarded_call",
])
def test_a_breakpoint_in_the_stub_s_own_code_is_refused_with_a_reason(line, symbols, name):
    reply = line.request(f"Z0,{symbols[name]:x},1")
    assert reply.startswith("E."), reply
    assert "debugger" in reply


def test_a_breakpoint_that_is_refused_costs_gdb_nothing_else(gdb_kernel: Debugger):
    gdb_kernel("break *gdbstub_receive")
    with pytest.raises(GdbError):
        gdb_kernel.resume()
    assert "Cannot insert breakpoint 1" in gdb_kernel.said
    gdb_kernel("delete")
    gdb_kernel("break heartbeat_run")
    assert gdb_kernel.resume()["func"] == "heartbeat_run"


def test_breakpoints_at_100_adjacent_instructions_are_all_hit(debuggee, connect, debuggee_elf):
    line, start = connect(debuggee), symbols_of(debuggee_elf)["nops"]
    line.request("qSupported:swbreak+")
    for n in range(100):
        assert line.request(f"Z0,{start + n:x},1") == "OK"
    hits = []
    for n in range(100):
        pc = re.search(r"^T05swbreak:;.*10:(\w{16});", line.request("vCont;c"))[1]
        hits.append(int.from_bytes(bytes.fromhex(pc), "little") - start)
        line.request(f"z0,{start + n:x},1")
    assert hits == list(range(100))


# ---- Hit, with GDB ----

def test_a_breakpoint_stops_at_its_line_before_it_has_run(gdb_main: Debugger):
    gdb_main(f"break {line_of('ADDING')}")
    stop = gdb_main.resume()
    assert (stop["reason"], stop["func"]) == ("breakpoint-hit", "add")
    assert (gdb_main.evaluate("a"), gdb_main.evaluate("b")) == ("10", "20")
    assert gdb_main.functions() == ["add", "main"]


def test_the_stop_says_swbreak_with_the_pc_at_the_breakpoint(line, symbols):
    address = symbols["heartbeat_run"]
    line.request("qSupported:swbreak+")
    line.request(f"Z0,{address:x},1")
    reply = line.request("vCont;c")
    assert reply.startswith("T05swbreak:;"), reply
    assert f"10:{address.to_bytes(8, 'little').hex()};" in reply


def test_a_client_that_does_not_know_swbreak_is_not_told(line, symbols):
    line.request("qSupported:xmlRegisters=i386")
    line.request(f"Z0,{symbols['heartbeat_run']:x},1")
    assert "swbreak" not in line.request("vCont;c")


def test_a_breakpoint_is_hit_again_and_again(gdb_main: Debugger):
    gdb_main("break factorial")
    seen = [gdb_main.resume() and gdb_main.evaluate("n") for _ in range(5)]
    assert seen == ["5", "4", "3", "2", "1"]
    assert gdb_main.functions() == ["factorial"] * 5 + ["main"]


def test_a_temporary_breakpoint_is_hit_once(gdb_main: Debugger):
    gdb_main("tbreak factorial")
    assert gdb_main.resume()["func"] == "factorial"
    gdb_main("break swap")
    assert gdb_main.resume()["func"] == "swap"


def test_a_condition_stops_at_the_one_hit_of_many(gdb_main: Debugger):
    gdb_main(f"break {line_of('COUNTING')} if i == 100")
    gdb_main.resume()
    assert gdb_main.evaluate("i") == "100"
    assert gdb_main.number("total") == sum(range(100))


def test_ignored_hits_are_counted(gdb_main: Debugger):
    gdb_main(f"break {line_of('COUNTING')}")
    gdb_main("ignore $bpnum 50")
    gdb_main.resume()
    assert gdb_main.evaluate("i") == "51"
    assert "already hit 51 times" in gdb_main("info breakpoints")


def test_a_disabled_breakpoint_is_not_hit(gdb_main: Debugger):
    gdb_main("break factorial")
    gdb_main("disable")
    gdb_main("break swap")
    assert gdb_main.resume()["func"] == "swap"


def test_a_breakpoint_at_the_pc_does_not_stop_the_step_from_it(gdb_main: Debugger):
    gdb_main("tbreak nops")
    gdb_main.resume()
    start = gdb_main.number("$pc")
    gdb_main("break *$pc")
    gdb_main.resume("stepi")
    assert gdb_main.number("$pc") == start + 1


def test_catching_forks_and_execs_that_never_come_is_possible(gdb_main: Debugger):
    for event in ("fork", "vfork", "exec"):
        gdb_main(f"catch {event}")
    gdb_main("tbreak nops")
    assert gdb_main.resume()["func"] == "nops"
    assert "Error inserting" not in gdb_main.said


def test_commands_of_a_breakpoint_run_at_each_hit(gdb_main: Debugger, tmp_path: Path):
    (tmp_path / "script").write_text("break factorial\ncommands\nsilent\n"
                                     "printf \"n is %ld\\n\", n\ncontinue\nend\n")
    gdb_main(f"source {tmp_path}/script")
    gdb_main("break swap")
    gdb_main.start()
    stops = [gdb_main.stop() for _ in range(6)]
    assert stops[-1]["func"] == "swap"
    assert [f"n is {n}" for n in (5, 4, 3, 2, 1)] == re.findall(r"n is \d", gdb_main.said)


def test_a_breakpoint_in_code_that_the_kernel_runs_is_hit(beating, attach):
    debugger = attach(beating)
    debugger("break take_sample")
    assert debugger.resume()["func"] == "take_sample"
    assert debugger.functions()[:3] == ["take_sample", "beat", "heartbeat_run"]
    assert debugger.resume()["func"] == "take_sample"


# ---- The kernel's own breakpoint instruction ----

def test_the_program_s_own_int3_stops_and_goes_on(gdb_main: Debugger):
    stop = gdb_main.resume()
    assert (stop["reason"], stop["signal-name"]) == ("signal-received", "SIGTRAP")
    assert stop["func"] == "main"
    assert gdb_main.number("*(unsigned char *)($pc - 1)") == INT3, "GDB goes on behind it"
    gdb_main("tbreak poke")
    assert gdb_main.resume()["func"] == "poke"


def test_the_kernel_s_own_int3_stops_and_goes_on(waiting, attach):
    guest = waiting("run=provoke:int3")
    debugger = attach(guest)
    assert debugger.resume()["func"] == "arch_breakpoint"
    assert debugger.functions()[:3] == ["arch_breakpoint", "provoke_int3", "provoke_run"]
    debugger.start()
    assert "int3: went on" in guest.wait_for("int3: went on")


def test_without_a_debugger_the_kernel_s_int3_is_logged_and_goes_on(boot):
    guest = boot("run=provoke:int3")
    assert guest.wait() == 0
    assert re.search(r"breakpoint at pc 0xffffffff8\w+, sp 0xffffffff8\w+, .*going on", guest.said)
    assert guest.said.index("going on") < guest.said.index("int3: went on")


def test_a_hit_that_comes_after_its_point_was_removed_is_not_told(program, attach, tmp_path):
    """DR6 of such a hit, and the exception; without hits it is the program's own."""
    guest = program("""
        void done(void) { __asm__ volatile(""); }
        static void hit(unsigned long dr6)
        {
            __asm__ volatile("mov %0, %%dr6; int $1" : : "r"(dr6));
        }
        int main(void)
        {
            hit(0xffff0ff1);
            done();
            hit(0xffff0ff0);
            return 0;
        }""", "gdbwait")
    guest.wait_for(WAITING)
    gdb = attach(guest, tmp_path / "program.elf")
    gdb("break done")
    assert gdb.resume()["func"] == "done"
    stop = gdb.resume()
    assert (stop["signal-name"], stop["func"]) == ("SIGTRAP", "hit")
