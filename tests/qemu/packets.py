"""packets.py - the debugger's end of the line without a debugger: packets as bytes.

Knows the framing (checksums, acknowledgements, run lengths) and no packet's meaning.  Waits under
a deadline.
"""

from __future__ import annotations

import contextlib
import re
import socket
from pathlib import Path

import pytest

from guest import DEADLINE


class Line:
    """One connection.  `acknowledges`: send '+' for each packet from the stub."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(path))
        self._received = b""
        self.acknowledges = True
        self.acknowledged = b""  # what came before the last reply

    def close(self) -> None:
        self._socket.close()

    def send(self, data: bytes) -> None:
        """Bytes as they are."""
        self._socket.sendall(data)

    def send_if_there_is_room(self, data: bytes) -> bool:
        """False if the other side has not read enough of what was sent before."""
        self._socket.setblocking(False)
        try:
            return self._socket.send(data) == len(data)
        except BlockingIOError:
            return False
        finally:
            self._socket.setblocking(True)

    def request(self, text: str | bytes) -> str:
        """Send a packet, take its acknowledgement; return the reply's contents."""
        self.send(packet(text))
        return self.reply()

    def reply(self) -> str:
        """The next packet from the stub, run lengths expanded."""
        while (found := self._take(rb"\A([+-]*)\$([^#]*)#(..)")) is None:
            self._receive()
        self.acknowledged, body, digits = found.groups()
        assert checksum(body) == digits, f"{body!r} has checksum {checksum(body)}, not {digits}"
        if self.acknowledges:
            self.send(b"+")
        return expand(body).decode("latin-1")

    def acknowledgement(self) -> str:
        """The next byte, which must be '+' or '-'."""
        while (found := self._take(rb"\A[+-]")) is None:
            self._receive()
        return found.group().decode()

    def come(self) -> bytes:
        """All that has come until now."""
        self._socket.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while data := self._socket.recv(65536):
                self._received += data
        self._socket.setblocking(True)
        return self._received

    def _take(self, pattern: bytes) -> re.Match[bytes] | None:
        found = re.match(pattern, self._received, re.DOTALL)
        if found:
            self._received = self._received[found.end():]
        return found

    def _receive(self) -> None:
        self._socket.settimeout(DEADLINE)
        try:
            data = self._socket.recv(65536)
        except TimeoutError:
            data = b""
        if not data:
            pytest.fail(f"the stub's answer is not complete: {self._received!r}")
        self._received += data


def checksum(body: bytes) -> bytes:
    return b"%02x" % (sum(body) % 256)


def packet(text: str | bytes) -> bytes:
    body = text.encode("latin-1") if isinstance(text, str) else text
    return b"$" + body + b"#" + checksum(body)


def expand(body: bytes) -> bytes:
    """Without run lengths: `X*n` is X and (n - 29) more of it."""
    return re.sub(rb"(?s)(.)\*(.)", lambda run: run[1] * (run[2][0] - 28), body)
