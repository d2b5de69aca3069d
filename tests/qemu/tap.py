"""tap.py - stands on the line between GDB and a machine, remembers what goes by, and counts it."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from select import select

GDB, MACHINE = "gdb", "machine"  # who has sent something
START_OF_PACKET = b"$"           # nowhere else: inside of a packet it is escaped
BITS_PER_BYTE, LINE_BITS_PER_SECOND = 10, 115200  # eight bits, a start bit and a stop bit


@dataclass(frozen=True)
class Cost:
    """What an operation took: requests of GDB's, each with its reply, and all bytes of both."""
    round_trips: int
    sent: int      # by GDB
    received: int

    def __sub__(self, other: Cost) -> Cost:
        return Cost(self.round_trips - other.round_trips, self.sent - other.sent,
                    self.received - other.received)

    @property
    def bytes(self) -> int:
        return self.sent + self.received

    @property
    def seconds(self) -> float:
        """On a serial line, if nobody has to think: one side waits while the other sends."""
        return self.bytes * BITS_PER_BYTE / LINE_BITS_PER_SECOND


class Tap:
    """Listens at `path` for one GDB, and passes all to and from the socket `target`."""

    def __init__(self, path: Path, target: Path) -> None:
        self.path = path
        self.passed: list[tuple[str, bytes]] = []  # who has sent what, in order
        self._target = socket.socket(socket.AF_UNIX)
        self._target.connect(str(target))
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(path))
        self._server.listen(1)
        self._ask, self._asked = socket.socketpair()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def after(self, packet: bytes) -> bytes:
        """What the machine has sent between the first such packet of GDB's and GDB's next."""
        numbers = [n for n, (who, data) in enumerate(self.passed) if who == GDB]
        start = next(n for n in numbers if packet in self.passed[n][1])
        end = next((n for n in numbers if n > start), len(self.passed))
        return b"".join(data for _, data in self.passed[start + 1:end])

    @contextlib.contextmanager
    def counting(self, costs: list[Cost]) -> Iterator[None]:
        """Append what goes by meanwhile."""
        self._settle()
        start = len(self.passed)
        yield
        self._settle()
        sent, received = (b"".join(data for by, data in self.passed[start:] if by == who)
                          for who in (GDB, MACHINE))
        costs.append(Cost(sent.count(START_OF_PACKET), len(sent), len(received)))

    def inject(self, data: bytes) -> None:
        """Noise, as if it came from GDB."""
        self.passed.append(("noise", data))
        self._target.sendall(data)

    def close(self) -> None:
        self._ask.close()
        self._thread.join()
        for end in (self._asked, self._target, self._server):
            end.close()

    def _settle(self) -> None:
        """Until all has passed that has been sent before."""
        self._ask.send(b"?")
        self._ask.recv(1)

    def _serve(self) -> None:
        """One thread for all: who asks is answered when nothing else is left to pass on."""
        client = None
        open_ends = {self._server, self._target, self._asked}
        while self._asked in open_ends:
            [ready, _, _] = select(open_ends, [], [])
            if self._server in ready:
                client, _ = self._server.accept()
                open_ends.remove(self._server)
                open_ends.add(client)
                if self._target not in open_ends:
                    self._tell_end(client)
            for end, who, other in ((client, GDB, self._target), (self._target, MACHINE, client)):
                if end in ready and not self._pass(who, end, other):
                    open_ends.remove(end)
                    if client is not None:
                        self._tell_end(client)
            if ready == [self._asked] and not self._answer():
                open_ends.remove(self._asked)
        if client is not None:
            client.close()

    @staticmethod
    def _tell_end(client: socket.socket) -> None:
        """GDB is told that the machine has ended, unless it has itself."""
        with contextlib.suppress(OSError):
            client.shutdown(socket.SHUT_WR)

    def _pass(self, who: str, end: socket.socket, other: socket.socket | None) -> bool:
        """False if `end` has gone."""
        with contextlib.suppress(OSError):
            if data := end.recv(65536):
                self.passed.append((who, data))
                if other is not None:
                    other.sendall(data)
                return True
        return False

    def _answer(self) -> bool:
        """False if nobody will ask again."""
        question = self._asked.recv(1)
        if question:
            self._asked.send(question)
        return bool(question)
