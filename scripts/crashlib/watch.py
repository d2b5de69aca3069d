"""watch.py - a live console, taken apart as it comes: records' lines, and everything else.

Knows where bytes come from and which of them are lines of a record; when a record is ready to be
reported is watch_command.py's.  Text that is no good line is passed on byte by byte, at once.
"""

from __future__ import annotations

import os
import select
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from crashlib.copies import COPIES_PER_ID
from crashlib.lines import LONGEST_LINE, Frame, frame_at_start
from crashlib.record import Record, find_records

CHUNK_BYTES = 1 << 16
POLL_S = 0.1  # a file cannot tell that it has grown
KEPT_BYTES = 1 << 26  # of lines that are not reported yet


class SourceError(Exception):
    """There is no such console; the text is one line."""


class Source(Protocol):
    def read(self, timeout_s: float) -> bytes | None:
        """What has come, b"" at the end, None if nothing came in that time."""


class Stream:
    """A pipe or a socket: it has an end."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def read(self, timeout_s: float) -> bytes | None:
        ready, _, _ = select.select([self._descriptor], [], [], timeout_s)
        try:
            return os.read(self._descriptor, CHUNK_BYTES) if ready else None
        except ConnectionError:
            return b""


class GrowingFile:
    """A log that another program writes: it has no end.  If it is replaced or cut, what stands
    there then is new."""

    def __init__(self, path: Path) -> None:
        self._path, self._file, self._position = path, None, 0
        if not path.exists():
            print(f"crash.py: waiting for {path}", file=sys.stderr)
        elif not path.is_file():
            raise SourceError(f"{path}: not a file: give unix:PATH or tcp:HOST:PORT for a socket, "
                              "- for a pipe")

    def read(self, timeout_s: float) -> bytes | None:
        deadline = time.monotonic() + timeout_s
        while True:
            found = self._read_now()
            if found:
                return found
            if time.monotonic() >= deadline:
                return None
            time.sleep(POLL_S)

    def _read_now(self) -> bytes:
        try:
            there = os.stat(self._path)
        except FileNotFoundError:
            return b""
        if self._file is None or not os.path.samestat(there, os.fstat(self._file.fileno())):
            self._file, self._position = open(self._path, "rb", buffering=0), 0
        elif there.st_size < self._position:
            self._position = 0
        self._file.seek(self._position)
        found = self._file.read(CHUNK_BYTES)
        self._position += len(found)
        return found


def open_source(name: str) -> Source:
    """-, unix:PATH, tcp:PORT, tcp:HOST:PORT, or a file.  Raises SourceError and OSError."""
    kind, _, place = name.partition(":")
    if name == "-":
        return Stream(sys.stdin.fileno())
    if kind == "unix":
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(place)
        except OSError as error:
            raise SourceError(f"{name}: {error.strerror or error}") from error
        return Stream(connection.detach())
    if kind == "tcp":
        host, _, port = place.rpartition(":")
        try:
            return Stream(socket.create_connection((host or "localhost", int(port))).detach())
        except (OSError, ValueError, OverflowError) as error:
            raise SourceError(f"{name}: {getattr(error, 'strerror', None) or error}") from error
    return GrowingFile(Path(place if kind == "file" else name))


class Splitter:
    """Tells lines of records from other text."""

    def __init__(self) -> None:
        self._held = b""  # begins with ~ and may become a line

    def feed(self, data: bytes) -> Iterator[bytes | tuple[Frame, bytes]]:
        """Text, or a good line and its bytes."""
        self._held += data
        while self._held:
            start = self._held.find(b"~")
            if start != 0:
                text, self._held = self._cut(start if start > 0 else len(self._held))
                yield text
                continue
            end = self._end_of_line()
            if end is None:
                return
            yield self._judge(end)

    def flush(self) -> bytes:
        """What is held will not become a line."""
        text, self._held = self._held, b""
        return text

    def _cut(self, length: int) -> tuple[bytes, bytes]:
        return self._held[:length], self._held[length:]

    def _end_of_line(self) -> int | None:
        following = self._held.find(b"~", 1)
        newline = self._held.find(b"\n") + 1
        ends = [end for end in (following, newline) if end > 0]
        if ends:
            return min(ends)
        return len(self._held) if len(self._held) > LONGEST_LINE else None

    def _judge(self, end: int) -> bytes | tuple[Frame, bytes]:
        frame, length = frame_at_start(self._held[:end])
        if frame is None:
            text, self._held = self._cut(end)
            return text
        while length < end and self._held[length:length + 1] in (b"\r", b"\n"):
            length += 1
        line, self._held = self._cut(length)
        return frame, line


@dataclass
class Collector:
    """The records that are under way, and those that were reported."""
    lines: bytearray = field(default_factory=bytearray)
    waiting: set[int] = field(default_factory=set)  # ids of which lines have come
    ends: set[int] = field(default_factory=set)  # ids of those whose last line has come
    done: dict[int, int] = field(default_factory=dict)  # reported, with so many bytes missing

    def add(self, frame: Frame, line: bytes) -> None:
        if self.done.get(frame.record_id) == 0:
            return  # the copy that is sent after the first says nothing new
        self.waiting.add(frame.record_id)
        if len(self.lines) < KEPT_BYTES:
            self.lines += line
        if frame.type == "E":
            self.ends.add(frame.record_id)

    def ready(self, whatever_there_is: bool) -> list[Record]:
        """Those that are complete, or of which nothing more comes before a reboot; or all."""
        if not self.waiting or not (whatever_there_is or self.ends):
            return []
        found = [record for record in find_records(bytes(self.lines))[:COPIES_PER_ID]
                 if record.record_id in self.waiting]
        return [record for record in found
                if (whatever_there_is or record.complete or record.record_id in self.ends)
                and self._is_news(record)]

    def _is_news(self, record: Record) -> bool:
        missing = 0 if record.complete else max(record.provenance.bytes_missing, 1)
        before = self.done.get(record.record_id)
        self.waiting.discard(record.record_id)
        self.ends.discard(record.record_id)
        if before is not None and missing >= before:
            return False
        self.done[record.record_id] = missing
        if not any(self.done.get(name) for name in self.done) and not self.waiting:
            self.lines.clear()
        return True
