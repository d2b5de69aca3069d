"""test_break_in.py - Ctrl-C at any moment: a stop each time, and never inside the debugger."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator

import pytest

from monitor import Monitor, wait_for_socket
from packets import Line, packet

TIMES = 400
SEED = 20
KERNEL_CS, KERNEL_SS = 0x08, 0x10
FIRST_INTERRUPT = 32


@pytest.fixture
def session(beating, connect) -> Line:
    """GDB's side of the line, the machine stopped."""
    line = connect(beating)
    line.request("qSupported:multiprocess+;swbreak+;hwbreak+;vContSupported+")
    line.request("QStartNoAckMode")
    line.acknowledges = False
    return line


def field_of(stop: str, register: str) -> int:
    fields = dict(field.partition(":")[::2] for field in stop[3:].split(";"))
    return int.from_bytes(bytes.fromhex(fields[register]), "little")


def storm(line: Line, resume: str) -> Iterator[str]:
    """Resume and interrupt, again and again, at moments that differ: the stops."""
    moments = random.Random(SEED)
    for _ in range(TIMES):
        line.send(packet(resume))
        for _ in range(moments.choice([0, 0, 1, 10, 100])):
            line.send(b"+")  # noise that takes its time on the line
        line.send(b"\x03")
        yield line.reply()


RESUMES = {"running": "vCont;c:p1.-1",
           "stepping through a range": "vCont;rffffffff80000000,ffffffffffffffff:p1.1"}


@pytest.mark.parametrize("resume", RESUMES.values(), ids=RESUMES)
def test_every_break_in_is_one_sigint(session: Line, resume: str):
    stops = storm(session, resume)
    assert {stop[:3] for stop in stops} == {"T02"}


def vector_behind(line: Line, stop: str) -> int:
    """Of the trap whose trap frame is the next on the stack: known by its kernel segments."""
    data = bytes.fromhex(line.request(f"m{field_of(stop, '07'):x},200"))
    words = [word for (word,) in struct.iter_unpack("<Q", data)]
    return next(words[at] for at in range(len(words) - 6)
                if (words[at + 3], words[at + 6]) == (KERNEL_CS, KERNEL_SS))


def test_no_break_in_shows_the_way_into_or_out_of_a_stop(session: Line, symbols):
    """An interrupt that was due while the machine stood may well be on its way."""
    ways = [range(symbols[name], symbols[name] + 0x40)
            for name in ("trap_common", "arch_trap", "trap_dispatch", "debugger_handle")]
    on_their_way = [vector_behind(session, stop) for stop in storm(session, "vCont;c:p1.-1")
                    if any(field_of(stop, "10") in way for way in ways)]
    assert all(vector >= FIRST_INTERRUPT for vector in on_their_way), on_their_way


def test_what_is_sent_before_the_kernel_boots_is_answered(boot, connect, tmp_path):
    guest = boot("run=heartbeat", *Monitor.options(tmp_path / "qmp"), "-S")
    wait_for_socket(guest.gdb)
    wait_for_socket(tmp_path / "qmp")
    line, monitor = connect(guest), Monitor(tmp_path / "qmp")
    line.send(packet("qSupported:multiprocess+"))
    monitor.go_on()
    assert line.reply().startswith("PacketSize=")
    monitor.close()
