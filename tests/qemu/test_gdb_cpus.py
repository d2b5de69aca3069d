"""test_gdb_cpus.py - several CPUs under GDB: what is to stand still does, what runs misses nothing.
"""

from __future__ import annotations

import random
import re
import struct
from collections import Counter
from collections.abc import Callable

import pytest

from bench import bench, do, line_of, raw, rows_of, run_to, thread
from debugger import Debugger
from packets import Line, packet

CPUS = 4
BREAK_INS = 200
TRAP_FLAG, RESUME_FLAG = 1 << 8, 1 << 16
EFLAGS = 17 * 8  # in a g reply
CR8 = 64
STEPS = 2000  # more than a round of any loop here has


def fields_of(stop: str) -> dict[str, str]:
    return dict(field.partition(":")[::2] for field in stop[3:].split(";"))


def pc_of(stop: str) -> int:
    return int.from_bytes(bytes.fromhex(fields_of(stop)["10"]), "little")


class Session:
    """The raw line of a machine whose threads all run, and what is asked of it."""

    def __init__(self, line: Line, symbols: dict[str, int]) -> None:
        self.line, self.symbols = line, symbols
        self.plant("do_nothing")
        self.line.request("vCont;c")
        self.take("do_nothing")
        self.names = self.read_names()

    def ask(self, request: str) -> str:
        reply = self.line.request(request)
        assert reply == "OK", (request, reply)
        return reply

    def plant(self, name: str, kind: int = 0) -> None:
        self.ask(f"Z{kind},{self.symbols[name]:x},1")

    def take(self, name: str, kind: int = 0) -> None:
        self.ask(f"z{kind},{self.symbols[name]:x},1")

    def read_names(self) -> dict[str, str]:
        """Which thread is "spinner, CPU 2"?"""
        listed, reply = [], self.line.request("qfThreadInfo")
        while reply != "l":
            listed += reply[1:].split(",")
            reply = self.line.request("qsThreadInfo")
        texts = {id: bytes.fromhex(self.line.request(f"qThreadExtraInfo,{id}")).decode()
                 for id in listed}
        return {re.sub(": .*,", ",", text): id for id, text in texts.items()}

    def counters(self) -> list[int]:
        memory = self.line.request(f"m{self.symbols['counters']:x},{8 * CPUS:x}")
        return list(struct.unpack(f"<{CPUS}Q", bytes.fromhex(memory)))

    def registers(self, thread: str) -> str:
        self.ask(f"Hg{thread}")
        return self.line.request("g")

    def flags(self, thread: str) -> int:
        return struct.unpack_from("<I", bytes.fromhex(self.registers(thread)), EFLAGS)[0]

    def spinners(self) -> list[str]:
        return [self.names[f"spinner, CPU {cpu}"] for cpu in range(1, CPUS)]


@pytest.fixture(scope="module")
def session(threads_elf):
    with raw(threads_elf, CPUS) as (_, line, symbols):
        yield Session(line, symbols)


# ---- What is not named stays where it is ----

def test_a_step_of_one_thread_moves_no_other_cpu(session: Session):
    before = session.counters(), [session.registers(id) for id in session.spinners()]
    for _ in range(50):
        assert session.line.request("vCont;s:p1.1").startswith("T05")
    assert (session.counters(), [session.registers(id) for id in session.spinners()]) == before


def test_a_step_with_the_others_running_lets_them_run(session: Session):
    """Into a breakpoint, in the end."""
    session.plant("hit_here")
    while fields_of(stop := session.line.request("vCont;s:p1.1;c"))["thread"] == "p1.1":
        pass
    assert fields_of(stop)["thread"] in session.spinners()
    session.take("hit_here")


def test_another_cpu_than_the_one_that_stopped_steps_alone(session: Session):
    before = session.counters(), session.registers("p1.1")
    id = session.names["spinner, CPU 2"]
    pcs = []
    while len(pcs) < STEPS and (session.counters()[2] == before[0][2] or len(set(pcs)) <= 3):
        stop = session.line.request(f"vCont;s:{id}")
        assert fields_of(stop)["thread"] == id
        pcs.append(pc_of(stop))
    assert len(set(pcs)) > 3
    assert session.registers("p1.1") == before[1]
    moved = [now - then for now, then in zip(session.counters(), before[0])]
    assert moved[2] > 0 and moved[1] == moved[3] == 0


def test_the_first_cpu_runs_alone_while_the_others_hold(session: Session):
    session.plant("do_nothing")
    before = session.counters()
    for _ in range(5):
        assert pc_of(session.line.request("vCont;c:p1.1")) == session.symbols["do_nothing"]
        session.take("do_nothing")
        session.line.request("vCont;s:p1.1")
        session.plant("do_nothing")
    session.take("do_nothing")
    assert session.counters() == before


def test_a_parked_thread_whose_cpu_is_held_cannot_step(session: Session):
    """Nothing moves, and GDB is told why."""
    before = session.counters()
    reply = session.line.request(f"vCont;s:{session.names['starving, CPU 3']}")
    assert reply.startswith("E.") and "CPU" in reply, reply
    assert session.counters() == before


def test_a_parked_thread_stops_after_a_step_when_it_has_had_its_turn(session: Session):
    id = session.names["napper, CPU 0"]
    stop = session.line.request(f"vCont;s:{id};c")
    assert (stop[:3], fields_of(stop)["thread"]) == ("T05", id)


# ---- Nothing is missed ----

def count_hits(session: Session, kind: int, hits: int,
               resume: Callable[[str], None]) -> Counter:
    """Go on until the instruction that counts was hit so often: whenever a thread stands at it,
    it has run as often as that has been told of this thread."""
    session.plant("hit_here", kind)
    before, told = session.counters(), Counter()
    cpus = {id: cpu for cpu, id in enumerate(session.spinners(), 1)}
    for _ in range(hits):
        stop = session.line.request("vCont;c")
        assert pc_of(stop) == session.symbols["hit_here"], stop
        id = fields_of(stop)["thread"]
        cpu = cpus[id]
        assert session.counters()[cpu] - before[cpu] == told[id], (stop, told)
        told[id] += 1
        resume(id)
    session.take("hit_here", kind)
    return told


def test_a_breakpoint_hit_by_all_cpus_is_reported_for_each(session: Session):
    def step_over(thread: str) -> None:
        session.take("hit_here")
        session.line.request(f"vCont;s:{thread}")
        session.plant("hit_here")

    reported = count_hits(session, 0, 150, step_over)
    assert len(reported) > 1, reported  # how often which one is first is the emulator's matter


def test_a_hardware_breakpoint_hit_by_all_cpus_is_reported_for_each(session: Session):
    reported = count_hits(session, 1, 150, lambda thread: None)
    assert len(reported) > 1, reported


def test_a_watchpoint_names_the_thread_on_the_cpu_that_has_written(session: Session):
    address = session.symbols["counters"] + 2 * 8
    session.ask(f"Z2,{address:x},8")
    before = session.counters()[2]
    for n in range(1, 30):
        fields = fields_of(session.line.request("vCont;c"))
        assert int(fields["watch"], 16) == address
        assert fields["thread"] == session.names["spinner, CPU 2"]
        assert session.counters()[2] == before + n
    session.ask(f"z2,{address:x},8")


def test_a_range_step_ends_at_a_hardware_breakpoint_inside(session: Session):
    start = session.symbols["hit"]
    session.plant("hit", 1)
    id = fields_of(session.line.request("vCont;c"))["thread"]
    place = pc_of(session.line.request(f"vCont;s:{id}"))
    session.take("hit", 1)
    behind = pc_of(session.line.request(f"vCont;s:{id}"))
    session.line.request(f"vCont;r{start:x},{start + 64:x}:{id}")
    session.ask(f"Z1,{behind:x},1")
    for _ in range(100):
        stop = session.line.request(f"vCont;r{start:x},{start + 64:x}:{id}")
        if pc_of(stop) == behind:
            break
        session.line.request(f"vCont;s:{id}")
    assert pc_of(stop) == behind and "hwbreak" in stop, stop
    session.ask(f"z1,{behind:x},1")
    assert start < place < behind


# ---- Break-ins ----

STUB = ("gdbstub_", "stub_", "debugger_", "stop_", "serve", "receive", "guarded",
        "handle_exception", "take_machine", "leave")


def function_at(symbols: dict[str, int], address: int) -> str:
    return max((start, name) for name, start in symbols.items() if start <= address)[1]


def test_break_ins_at_random_never_show_the_debugger(session: Session):
    """On whatever the CPU that answers is: a loop, a switch of threads, a timer's interrupt."""
    moments = random.Random(7)
    shown = set()
    for _ in range(BREAK_INS):
        session.line.send(packet("vCont;c"))
        session.line.send(b"+" * moments.choice([0, 0, 1, 10, 100]))
        session.line.send(b"\x03")
        stop = session.line.reply()
        assert stop[:3] == "T02", stop
        shown.add(function_at(session.symbols, pc_of(stop)))
    assert {name for name in shown if name.startswith(STUB)} == set()


# ---- Nothing is left behind ----

def trap_flags(session: Session) -> list[str]:
    """The threads that are to step."""
    return [name for name, id in session.names.items() if session.flags(id) & TRAP_FLAG]


def test_no_step_leaves_a_flag_or_a_priority_behind(session: Session):
    assert trap_flags(session) == []
    for id in ["p1.1", *session.spinners()]:
        session.ask(f"Hg{id}")
        assert session.line.request(f"p{CR8:x}") in ("0" * 16, "x" * 16)  # x: it does not run


def test_a_debugger_that_dies_leaves_breakpoints_that_do_no_harm(threads_elf):
    """All CPUs run into one, and wait; the next debugger finds them as if there had been none."""
    with raw(threads_elf, CPUS) as (guest, line, symbols):
        session = Session(line, symbols)
        session.plant("hit_here")
        line.send(packet("vCont;c"))
        line.reply()
        line.send(packet("vCont;c"))
        line.close()
        gdb = Debugger(threads_elf)
        try:
            gdb("set remotetimeout 20")
            gdb(f"target remote {guest.gdb}")
            gdb("tbreak do_nothing")
            gdb.resume()
            before = gdb.evaluate("counters")
            gdb("break do_nothing")
            after = resume_until_all_have_gone_on(gdb, before)
            assert "int3" not in gdb("x/i hit_here")
            gdb("watch counters[1]")
            gdb("hbreak hit")
            gdb.resume()
            gdb("detach")
            gdb(f"target remote {guest.gdb}")
            gdb("break do_nothing")
            resume_until_all_have_gone_on(gdb, after)
        finally:
            gdb.end()


def numbers(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", text)]


def resume_until_all_have_gone_on(gdb: Debugger, before: str) -> str:
    """How often depends on when the emulator lets each of them run."""
    for _ in range(1000):
        gdb.resume()
        after = gdb.evaluate("counters")
        if all(now > then for then, now in list(zip(numbers(before), numbers(after)))[1:CPUS]):
            return after
    pytest.fail(f"a CPU has not gone on: {before}, {after}")


def test_a_cpu_that_answers_nothing_is_told_and_the_session_goes_on(threads_elf):
    with bench(threads_elf, 3, "lose_a_cpu") as (_, gdb):
        run_to(gdb, "do_nothing")
        row = next(row for row in rows_of(gdb) if row.state.endswith("does not answer"))
        assert row.state == "CPU 1 does not answer"
        gdb(f"thread {row.number}")
        assert gdb.evaluate("$rip") == "<unavailable>"
        gdb(f"thread {(other := thread(gdb, 'spinner', 2)).number}")
        if not other.state.endswith("does not answer"):  # a busy host's, in its second
            assert gdb.functions()[-2:] == ["begin", "thread_begin"]
        assert run_to(gdb, "do_nothing")["func"] == "do_nothing"


# ---- As people do it ----

@pytest.fixture(scope="module")
def gdb(threads_elf):
    with bench(threads_elf, 2) as (_, debugger):
        yield debugger


@pytest.mark.parametrize("task, turns", [("sleep", 4), ("lock", 4), ("yield", 4),
                                         ("wait_for_ticks", 8)])
def test_next_over_what_waits_comes_back_in_the_same_thread(gdb, task, turns):
    """A tick, a mutex that another thread has: what is held back during a step is let in."""
    gdb("thread 1")
    do(gdb, task)
    run_to(gdb, f"do_{task}")
    lines = [gdb.resume("next") for _ in range(turns)]
    assert {stop["thread-id"] for stop in lines} == {"1"}
    assert {stop["reason"] for stop in lines} <= {"end-stepping-range"}, lines
    assert "main" in [stop["func"] for stop in lines]


def test_finish_and_until_out_of_what_waits(gdb):
    gdb("thread 1")
    do(gdb, "sleep")
    run_to(gdb, "do_sleep")
    run_to(gdb, "thread_sleep_us thread 1")
    assert gdb.resume("finish")["func"] == "do_sleep"
    assert gdb.resume("until")["func"] in ("do_sleep", "main")
    assert gdb.resume(f"advance {line_of('TASK')}")["func"] == "main"


def test_scheduler_locking_keeps_the_other_threads(gdb):
    gdb("thread 1")
    do(gdb, "nothing")
    run_to(gdb, "do_nothing")
    gdb("set scheduler-locking on")
    before = gdb.number("counters[1]")
    for _ in range(5):
        gdb.resume("next")
    assert gdb.number("counters[1]") == before
    gdb("set scheduler-locking off")
    run_to(gdb, "threads.c:hit")
    assert gdb.number("cpu") == 1


def test_a_thread_that_runs_alone_goes_on_at_ticks_although_another_cpu_has_the_scheduler(gdb):
    gdb("thread 1")
    do(gdb, "sleep")
    gdb("break arch_switch if $_thread == 1")
    assert gdb.resume()["func"] == "arch_switch" and gdb.number("schedule_lock.holder") == 1
    gdb("delete")
    gdb(f"thread {thread(gdb, 'spinner', 1).number}")
    gdb("set scheduler-locking on")
    for _ in range(3):
        assert run_to(gdb, "schedule_tick")["func"] == "schedule_tick"
    gdb("set scheduler-locking off")
    run_to(gdb, "do_sleep")


def test_each_cpu_gets_over_false_conditions_by_itself_and_misses_none(threads_elf):
    """All of them hit it all the time; one hit is the one, and there it stops."""
    with bench(threads_elf, CPUS) as (_, gdb):
        gdb("set breakpoint always-inserted on")
        for cpu in range(1, CPUS):
            wanted = gdb.number(f"counters[{cpu}]") + 2000
            gdb(f"break hit if cpu == {cpu} && counters[{cpu}] == {wanted}")
            assert gdb.resume()["func"] == "hit"
            assert (gdb.number("cpu"), gdb.number(f"counters[{cpu}]")) == (cpu, wanted)
            gdb("delete")


def test_ctrl_c_ends_what_never_comes_back(gdb):
    gdb("thread 1")
    do(gdb, "idle")
    run_to(gdb, "do_idle")
    rounds = gdb.number("counters[1]")
    gdb.start("next")
    assert gdb.interrupt()["signal-name"] == "SIGINT"
    assert gdb.number("counters[1]") >= rounds


@pytest.mark.parametrize("place", [
    "tick", "schedule_tick", "schedule_next", "schedule_wake", "syscall_handle", "arch_switch",
    "thread_yield", "log_print", "trap_dispatch_ordinary"])
def test_a_breakpoint_may_stand_in(session, place):
    session.plant(place)
    session.take(place)


@pytest.mark.parametrize("place", [
    "thread_current", "thread_next", "schedule_cpu", "process_check", "cpus_serve_flush",
    "stop_join", "format_text", "arch_trap", "syscall_entry", "trap_return"])
def test_a_breakpoint_on_the_way_to_the_debugger_is_refused(session, place):
    reply = session.line.request(f"Z0,{session.symbols[place]:x},1")
    assert reply.startswith("E.") and "debugger" in reply
