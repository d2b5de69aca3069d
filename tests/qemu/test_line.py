"""test_line.py - damage and noise on the debug line cost what they hit, and nothing else."""

from __future__ import annotations

import pytest

from guest import wait_until
from monitor import Monitor
from packets import packet
from programs import addresses_of, symbols_of

EVERY_BYTE = bytes(range(256))
OVERSIZE = 5000  # more than the stub offers
READ = 1024  # bytes: a reply is longer than what the wire holds
COM2 = 1  # enum arch_line
NOISE = {
    "every byte": EVERY_BYTE * 4,
    "the beginning of a packet": b"$",
    "a packet without an end": b"$mffffffff80100000,4",
    "a packet with a wrong checksum": b"$?#00",
    "an endless packet": b"$" + b"a" * 20000,
    "Ctrl-C with nobody attached": b"\x03" * 20,
    "acknowledgements of nothing": b"+-+-" * 50,
    "a packet with a checksum that is none": b"$g#zz",
}


def test_a_wrong_checksum_is_asked_for_again(line):
    line.send(b"$qC#00")
    assert line.acknowledgement() == "-"
    assert line.request("qC") == "QC1"


def test_a_reply_is_repeated_when_asked_for(line):
    line.acknowledges = False
    assert line.request("qC") == "QC1"
    line.send(b"-")
    assert line.reply() == "QC1"


def test_a_packet_that_is_too_long_is_an_error_and_costs_nothing_else(line):
    assert line.request("m" + "0" * OVERSIZE + "1000,1")[0] == "E"
    assert line.request("qC") == "QC1"


@pytest.mark.parametrize("garbage", [b"+++---", b"\x00\xff\x03abc", b"#00#00", b"\r\n\r\n"])
def test_garbage_between_packets_is_skipped(line, garbage):
    line.request("?")
    line.send(garbage)
    assert line.request("qC") == "QC1"


def test_a_packet_whose_end_is_lost_ends_where_the_next_begins(line):
    line.send(b"$mffffffff80100000,4")
    assert line.request("qC") == "QC1"


def test_a_reply_is_whole_when_it_is_read_after_the_stub_s_patience(waiting, connect, kernel_elf,
                                                                    tmp_path):
    """The wire holds a part of it until then: nobody asks for the rest."""
    line = connect(waiting("", *Monitor.options(tmp_path / "qmp")))
    text = symbols_of(kernel_elf)["kernel_main"]
    whole = line.request(f"m{text:x},{READ:x}")
    monitor = Monitor(tmp_path / "qmp")
    [dead] = addresses_of(kernel_elf, [f"'arch/x86_64/uart.c'::lines[{COM2}].dead"])
    line.send(packet(f"m{text:x},{READ:x}"))
    wait_until(lambda: monitor.kernel_memory(dead, 1) != b"\0", "the stub never gives up")
    assert line.reply() == whole


@pytest.mark.parametrize("malformed", [
    "m", "mzz,4", "m1000", "m1000,", "m1000,4,4", "M1000,4", "M1000,4:12", "M1000,2:zzzz",
    "X1000,4:", "G00", "P", "P10", "P10=", "p", "pffff", "Pffff=00", "Z0", "Z0,1000", "Z0,1000,9",
    "z0,zz,1", "Hgzz", "Hg7", "T", "T7", "vCont;", "vCont;x", "vCont;c:p1.7", "vCont;S",
    "qXfer:features:read:nothing:0,100", "qXfer:features:read:target.xml:zz,10", "C", "Szz",
])
def test_a_packet_that_makes_no_sense_is_an_error(line, malformed):
    assert line.request(malformed)[0] == "E"
    assert line.request("qC") == "QC1"


@pytest.mark.parametrize("noise", NOISE.values(), ids=NOISE)
def test_the_running_kernel_does_not_stop_for(beating, connect, noise):
    connect(beating).send(noise)
    beating.wait_for("heartbeat 2: ")


@pytest.mark.parametrize("noise", NOISE.values(), ids=NOISE)
def test_a_debugger_attaches_after(beating, connect, noise):
    connection = connect(beating)
    connection.send(noise)
    assert connection.request("?").startswith("T02"), "stopped by a break-in"
    assert connection.request("qC") == "QC1"


@pytest.mark.parametrize("noise", [*NOISE.values(), packet("?"), packet("g") * 10],
                         ids=[*NOISE, "a good packet", "good packets"])
def test_with_gdb_off_no_byte_has_any_effect(boot, connect, noise):
    guest = boot("gdb=off run=heartbeat")
    guest.wait_for("heartbeat 1: ")
    connection = connect(guest)
    connection.send(noise)
    guest.wait_for("heartbeat 2: ")
    assert connection.come() == b""
