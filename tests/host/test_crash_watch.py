"""test_crash_watch.py - a live console: what is no record's line goes through, crashes are
reported once they are complete, or have stopped coming.
"""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies

from crashlib.watch import Collector, Splitter
from guest import DEADLINE
from record_samples import sample, whole

PROGRAM = Path(__file__).resolve().parents[2] / "scripts/crash.py"
COMPLETE, UNUSABLE, PARTIAL = 0, 1, 2
LOG = sample("small", "lines")
REPORTED = b"  record b80223f8, crash"  # how a report of the small sample ends


def split(data: bytes, size: int) -> tuple[bytes, list[bytes]]:
    """What goes through, and the lines, if the console says `size` bytes at a time."""
    splitter, text, lines = Splitter(), b"", []
    for start in range(0, len(data), size):
        for item in splitter.feed(data[start:start + size]):
            if isinstance(item, bytes):
                text += item
            else:
                lines.append(item[1])
    return text + splitter.flush(), lines


@pytest.mark.parametrize("size", [1, 2, 7, 64, 5000])
def test_lines_are_taken_out_however_they_come(size):
    text, lines = split(b"before\n" + LOG + b"after ~ that\n", size)
    assert text == b"before\n" + b"\r\n" * LOG.count(b":B:") + b"after ~ that\n"
    assert b"".join(lines).replace(b"\r\n", b"") == LOG.replace(b"\r\n", b"")


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=strategies.lists(strategies.one_of(
    strategies.binary(max_size=30), strategies.sampled_from([b"~", b"\n", LOG[:200], LOG])),
    max_size=12).map(b"".join), size=strategies.integers(1, 400))
def test_no_byte_is_lost_and_none_is_made_up(data, size):
    text, lines = split(data, size)
    assert len(text) + sum(map(len, lines)) == len(data)
    if not lines:
        assert text == data


def test_a_damaged_line_goes_through_as_text():
    damaged = LOG.splitlines(keepends=True)[1].replace(b"A", b"B", 1)
    assert split(damaged, 10) == (damaged, [])


def collect(data: bytes, collector: Collector) -> list[bool]:
    """Whether each record that became ready while `data` came is complete."""
    found = []
    for item in Splitter().feed(data):
        if not isinstance(item, bytes):
            collector.add(*item)
            if item[0].type == "E":
                found += [r.complete for r in collector.ready(whatever_there_is=False)]
    return found


def test_a_record_is_ready_once_it_is_complete_and_no_second_time():
    collector = Collector()
    assert collect(LOG + LOG, collector) == [True]
    assert collector.ready(whatever_there_is=True) == []


def test_a_record_that_lacks_lines_is_ready_at_its_end_and_again_when_completed():
    full = sample("full", "lines")
    lost = full[len(full) // 2:].index(b"~") + len(full) // 2
    collector = Collector()
    assert collect(full[:lost] + full[lost + 1100:], collector) == [False]
    assert collect(full, collector) == [True]


# ---- The command ----

@contextmanager
def watching(*arguments: object, stdin: int = subprocess.DEVNULL) -> Iterator[subprocess.Popen]:
    with subprocess.Popen([sys.executable, str(PROGRAM), "watch", *map(str, arguments)],
                          stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        guard = threading.Timer(DEADLINE, child.kill)
        guard.start()
        try:
            yield child
        finally:
            guard.cancel()
            child.kill()


def read_until(stream, words: bytes) -> bytes:
    said = b""
    for line in stream:
        said += line
        if words in line:
            return said
    raise AssertionError(f"{words!r} never came: {said!r}")


def test_a_pipe_is_followed_to_its_end():
    with watching("-", stdin=subprocess.PIPE) as child:
        said, errors = child.communicate(b"booting\n" + LOG + b"rebooting\n")
    assert child.returncode == PARTIAL and errors == b"", errors  # there are no symbols
    assert said.startswith(b"booting\n") and said.count(REPORTED) == 1 and b"~b80" not in said
    assert said.endswith(b"rebooting\n"), said


def test_quiet_prints_the_reports_alone():
    with watching("--quiet", "-", stdin=subprocess.PIPE) as child:
        said, _ = child.communicate(b"booting\n" + LOG)
    assert b"booting" not in said and said.count(REPORTED) == 1


def test_a_prompt_without_a_newline_is_shown_while_it_is_waited_for():
    with watching("-", stdin=subprocess.PIPE) as child:
        child.stdin.write(b"name? ~")
        child.stdin.flush()
        assert child.stdout.read(7) == b"name? ~"


def test_a_record_that_stops_coming_is_reported_as_it_is():
    with watching("--patience", "0.3", "-", stdin=subprocess.PIPE) as child:
        child.stdin.write(LOG[:400])
        child.stdin.flush()
        assert b"MISSING" in read_until(child.stdout, REPORTED)


@pytest.mark.parametrize("kind", ["unix", "tcp"])
def test_a_socket_is_followed_to_its_end(kind, tmp_path):
    path = tmp_path / "console"
    family, address = ((socket.AF_UNIX, str(path)) if kind == "unix" else
                       (socket.AF_INET, ("127.0.0.1", 0)))
    with socket.socket(family) as server:
        server.bind(address)
        server.listen()
        name = path if kind == "unix" else f"127.0.0.1:{server.getsockname()[1]}"
        with watching("--log", tmp_path / "log", f"{kind}:{name}") as child:
            connection, _ = server.accept()
            with connection:
                connection.sendall(b"booting\n" + LOG)
            said, errors = child.communicate()
    assert child.returncode == PARTIAL and said.count(REPORTED) == 1, (said, errors)
    assert (tmp_path / "log").read_bytes() == b"booting\n" + LOG
    assert f"gdb {tmp_path / 'log'}".encode() in said


def test_a_file_is_followed_while_it_grows_until_it_is_interrupted(tmp_path):
    path = tmp_path / "console.log"
    with watching(path) as child:
        assert b"waiting" in child.stderr.readline()
        with path.open("wb", buffering=0) as log:
            log.write(b"booting\n" + LOG[:700])
            read_until(child.stdout, b"booting")
            log.write(LOG[700:] + b"\nrebooting\n")
            said = read_until(child.stdout, b"rebooting")
        assert said.count(REPORTED) == 1
        path.write_bytes(b"a new log\n")
        read_until(child.stdout, b"a new log")
        child.send_signal(signal.SIGINT)
        assert child.wait() == PARTIAL and child.stderr.read() == b""


def test_crashes_ends_it_after_so_many(tmp_path):
    path = tmp_path / "console.log"
    path.write_bytes(LOG + sample("full", "lines"))
    with watching("--crashes", 2, "--quiet", path) as child:
        said, _ = child.communicate()
    assert said.count(b"\n  record ") == 2, said


def test_a_console_on_which_nothing_crashes_is_a_success():
    with watching("-", stdin=subprocess.PIPE) as child:
        assert child.communicate(b"all is well\n") == (b"all is well\n", b"")
    assert child.returncode == COMPLETE


@pytest.mark.parametrize("name, words", [
    ("unix:/nonexistent", b"No such file"), ("tcp:1", b"refused"), ("tcp:x", b"tcp:x"),
    ("/", b"not a file")])
def test_a_console_that_is_not_there_is_one_line_and_status_1(name, words):
    with watching(name) as child:
        said, errors = child.communicate()
    assert (child.returncode, said) == (UNUSABLE, b"")
    assert errors.count(b"\n") == 1 and words in errors, errors


def test_the_sample_is_what_these_tests_take_it_for():
    assert f"  record {whole('small').record_id:08x}, crash".encode() == REPORTED
