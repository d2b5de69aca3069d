"""tap.py - stands on the line between GDB and a machine, and remembers what goes by."""

from __future__ import annotations

import contextlib
import socket
import threading
from pathlib import Path


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
        self._client: socket.socket | None = None
        self._threads = [threading.Thread(target=self._serve, daemon=True)]
        self._threads[0].start()

    def after(self, packet: bytes) -> bytes:
        """What the machine has sent between the first such packet of GDB's and GDB's next."""
        numbers = [n for n, (who, data) in enumerate(self.passed) if who == "gdb"]
        start = next(n for n in numbers if packet in self.passed[n][1])
        end = next((n for n in numbers if n > start), len(self.passed))
        return b"".join(data for _, data in self.passed[start + 1:end])

    def close(self) -> None:
        for end in (self._target, self._client, self._server):
            with contextlib.suppress(OSError, AttributeError):
                end.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for end in (self._target, self._client, self._server):
            with contextlib.suppress(AttributeError):
                end.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            self._client, _ = self._server.accept()
            back = threading.Thread(target=self._back, daemon=True)
            self._threads.append(back)
            back.start()
            while data := self._client.recv(65536):
                self.passed.append(("gdb", data))
                self._target.sendall(data)

    def _back(self) -> None:
        with contextlib.suppress(OSError):
            while data := self._target.recv(65536):
                self.passed.append(("machine", data))
                self._client.sendall(data)
