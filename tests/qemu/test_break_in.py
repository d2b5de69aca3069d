"""test_break_in.py - Ctrl-C at any moment: a stop each time, and never inside the debugger."""

from __future__ import annotations

import random

import pytest

from monitor import Monitor, wait_for_socket
from packets import Line, packet

TIMES = 400
SEED = 20


@pytest.fixture
def session(beating, connect) -> Line:
    """GDB's side of the line, the machine stopped."""
    line = connect(beating)
    line.request("qSupported:multiprocess+;swbreak+;hwbreak+;vContSupported+")
    line.request("QStartNoAckMode")
    line.acknowledges = False
    return line


def pc_of(stop: str) -> int:
    fields = dict(field.partition(":")[::2] for field in stop[3:].split(";"))
    return int.from_bytes(bytes.fromhex(fields["10"]), "little")


def storm(line: Line, resume: str) -> list[str]:
    """Resume and interrupt, again and again, at moments that differ."""
    moments = random.Random(SEED)
    stops = []
    for _ in range(TIMES):
        line.send(packet(resume))
        for _ in range(moments.choice([0, 0, 1, 10, 100])):
            line.send(b"+")  # noise that takes its time on the line
        line.send(b"\x03")
        stops.append(line.reply())
    return stops


RESUMES = {"running": "vCont;c:p1.-1",
           "stepping through a range": "vCont;rffffffff80000000,ffffffffffffffff:p1.1"}


@pytest.mark.parametrize("resume", RESUMES.values(), ids=RESUMES)
def test_every_break_in_is_one_sigint(session: Line, resume: str):
    stops = storm(session, resume)
    assert {stop[:3] for stop in stops} == {"T02"}


def test_no_break_in_shows_the_way_into_or_out_of_a_stop(session: Line, symbols):
    ways = [range(symbols[name], symbols[name] + 0x40)
            for name in ("trap_common", "arch_trap", "trap_dispatch", "debugger_handle")]
    places = [pc_of(stop) for stop in storm(session, "vCont;c:p1.-1")]
    assert [hex(pc) for pc in places if any(pc in way for way in ways)] == []


def test_what_is_sent_before_the_kernel_boots_is_answered(boot, connect, tmp_path):
    guest = boot("run=heartbeat", *Monitor.options(tmp_path / "qmp"), "-S")
    wait_for_socket(guest.gdb)
    wait_for_socket(tmp_path / "qmp")
    line, monitor = connect(guest), Monitor(tmp_path / "qmp")
    line.send(packet("qSupported:multiprocess+"))
    monitor.go_on()
    assert line.reply().startswith("PacketSize=")
    monitor.close()
