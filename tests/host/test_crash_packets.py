"""test_crash_packets.py - a line that console and GDB share: text and records in GDB's packets."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, strategies

from crashlib.packets import Unpacker, text_in_packets
from crashlib.record import load
from record_samples import sample

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
LOG = sample("small", "lines")
USAGE = 2


def packet(data: bytes) -> bytes:
    return b"$" + data + b"#%02x" % (sum(data) % 256)


def told(text: bytes) -> bytes:
    """As the kernel tells GDB, a line each; run lengths where there is something to gain."""
    lines = text.replace(b"\r\n", b"\n").splitlines(keepends=True)
    return b"".join(packet(b"O" + line.hex().encode().replace(b"0000", b'0* ')) for line in lines)


LINE = (b"[    0.0] $5 and #1 of - + text\r\n" + packet(b"qSupported") + b"+" + packet(b"OK")
        + told(b"one\n@@@two\n") + packet(b"T05thread:1;") + b"three\r\n")
TEXT = b"[    0.0] $5 and #1 of - + text\r\none\n@@@two\nthree\r\n"


def unpack(data: bytes, size: int) -> bytes:
    unpacker = Unpacker()
    pieces = [unpacker.feed(data[start:start + size]) for start in range(0, len(data), size)]
    return b"".join(pieces) + unpacker.flush()


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_text_is_taken_out_of_packets_however_they_come(size):
    assert unpack(LINE, size) == TEXT


@given(strategies.text(alphabet="$#O+-*0a\n", max_size=60), strategies.integers(1, 9))
def test_of_text_without_packets_no_byte_is_lost(text, size):
    data = text.encode()
    if not any(packet(rest.partition(b"#")[0]) in data for rest in data.split(b"$")[1:]):
        assert unpack(data, size).replace(b"+", b"") == data.replace(b"+", b"")


def test_a_damaged_packet_is_shown_as_it_is():
    damaged = told(b"one\n").replace(b"#", b"0#")
    assert unpack(damaged, 5) == damaged
    assert text_in_packets(damaged + told(b"two\n")) == b"two\n"


def test_a_record_is_found_in_the_packets_that_carried_it():
    [record] = load(b"boot\r\n" + told(b"\r\n" + LOG))
    assert record.complete
    assert record.provenance.frames_bad == 0


def test_a_crash_on_a_shared_line_is_reported_as_it_happens():
    done = subprocess.run([SCRIPTS / "crash.py", "watch", "-"], input=told(b"before\n" + LOG),
                          stdout=subprocess.PIPE, check=False)
    assert done.stdout.startswith(b"before\n")
    assert b"record b80223f8, crash" in done.stdout
    assert b"$O" not in done.stdout


# ---- scripts/share_line.py ----

def share(*arguments: str | Path, **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run([SCRIPTS / "share_line.py", *arguments], text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=False, **options)


def test_a_shared_line_ends_with_its_command(tmp_path):
    done = share("--gdb", f"unix:{tmp_path}/gdb", "--raw", tmp_path / "raw", "--", "sh", "-c",
                 f"printf '%s' '{told(b'one').decode()}'; exit 7")
    assert (done.returncode, done.stdout, done.stderr) == (7, "one", "")
    assert (tmp_path / "raw").read_bytes() == told(b"one")
    assert not (tmp_path / "gdb").exists()


def test_what_gdb_says_to_a_machine_that_has_ended_costs_nothing(tmp_path):
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as gdb:
        server.bind(f"{tmp_path}/line")
        server.listen(1)
        with subprocess.Popen([SCRIPTS / "share_line.py", "--gdb", f"unix:{tmp_path}/gdb",
                               f"unix:{tmp_path}/line"], text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) as relay:
            machine, _ = server.accept()
            gdb.connect(f"{tmp_path}/gdb")
            gdb.sendall(b"?")
            assert machine.recv(1) == b"?"
            machine.shutdown(socket.SHUT_RD)
            gdb.sendall(b"+")
            for text in (b"one", b"two"):  # what came before "one" has been seen when "two" comes
                machine.sendall(told(text))
                assert gdb.recv(len(told(text)), socket.MSG_WAITALL) == told(text)
            machine.close()
            assert relay.communicate() == ("onetwo", "")
    assert relay.returncode == 0


@pytest.mark.parametrize(("arguments", "words"), [
    (["--gdb", "nowhere", "/dev/null"], "'nowhere' is none of unix:PATH, tcp:PORT"),
    (["--gdb", "unix:{}/gdb", "{}/nothing"], "{}/nothing: No such file or directory"),
    (["--gdb", "unix:{}/gdb", "unix:{}/none"], "unix:{}/none: No such file or directory"),
    (["--gdb", "unix:{}/gdb", "/dev/null"], "/dev/null: not a serial line"),
    (["--gdb", "unix:{}/gdb", "tcp:none"], "tcp:none: no such port"),
])
def test_what_cannot_be_shared_is_one_line_on_standard_error(tmp_path, arguments, words):
    done = share(*[word.format(tmp_path) for word in arguments])
    assert (done.returncode, done.stderr) == (USAGE, f"share_line.py: {words.format(tmp_path)}\n")
