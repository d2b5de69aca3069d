#!/usr/bin/python3
"""share_line.py - one serial line for a person and for GDB: the console's text to standard output,
GDB's protocol to whoever connects.

Passes every byte on as it came; the text alone is taken out of GDB's packets.  Knows of GDB that it
comes and goes: when it goes without a word, the kernel is told, so that its text is plain again.
"""

from __future__ import annotations

import argparse
import os
import selectors
import signal
import socket
import subprocess
import sys
import termios
import tty
from pathlib import Path
from typing import BinaryIO

from crashlib.packets import Unpacker

CHUNK_BYTES = 1 << 16
HOLD_S = 0.25  # how long the beginning of what may be a packet is not printed
NOBODY_HERE = b"\r\r\r"  # as good as a detach: gdbstub/port.h, is_terminal
EXIT_USAGE = 2


class LineError(Exception):
    """There is no such line, or no such place for GDB; the text says why."""


class Line:
    """Two descriptors: what the machine sends, and what it gets."""

    def __init__(self, reads: int, writes: int) -> None:
        self.reads, self.writes = reads, writes


def open_line(name: str) -> Line:
    """unix:PATH, tcp:[HOST:]PORT, or a serial device."""
    try:
        descriptor = connect(name)
    except OSError as error:
        raise LineError(f"{name}: {error.strerror or error}") from error
    return Line(descriptor, descriptor)


def connect(name: str) -> int:
    kind, _, place = name.partition(":")
    if kind == "unix":
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(place)
        return connection.detach()
    if kind == "tcp":
        host, _, port = place.rpartition(":")
        if not port.isdecimal() or int(port) > 65535:
            raise LineError(f"{name}: no such port")
        return socket.create_connection((host or "localhost", int(port))).detach()
    return open_device(name)


def open_device(name: str) -> int:
    """Set to 115200 8N1, raw."""
    device = os.open(name, os.O_RDWR | os.O_NOCTTY)
    if not os.isatty(device):
        raise LineError(f"{name}: not a serial line")
    tty.setraw(device)
    settings = termios.tcgetattr(device)
    settings[tty.ISPEED] = settings[tty.OSPEED] = termios.B115200
    termios.tcsetattr(device, termios.TCSANOW, settings)
    return device


def listen(endpoint: str) -> socket.socket:
    """Where GDB connects: tcp:PORT, at localhost, or unix:PATH."""
    kind, _, place = endpoint.partition(":")
    if kind == "unix" and place:
        server = socket.socket(socket.AF_UNIX)
        server.bind(place)
        server.listen(1)
        return server
    if kind == "tcp" and place.isdecimal():
        return socket.create_server(("127.0.0.1", int(place)), backlog=1)
    raise LineError(f"{endpoint!r} is none of unix:PATH, tcp:PORT")


def close(server: socket.socket) -> None:
    name = server.getsockname()
    server.close()
    if isinstance(name, str):
        os.unlink(name)


class Relay:
    def __init__(self, line: Line, server: socket.socket, raw: BinaryIO | None) -> None:
        self._line, self._server, self._raw = line, server, raw
        self._gdb: socket.socket | None = None
        self._unpacker = Unpacker()
        self._events = selectors.DefaultSelector()
        self._events.register(line.reads, selectors.EVENT_READ, self._from_machine)
        self._events.register(server, selectors.EVENT_READ, self._welcome)

    def run(self) -> None:
        """Until the line ends."""
        while True:
            ready = self._events.select(HOLD_S)
            if not ready:
                show(self._unpacker.flush())
            for key, _ in ready:
                if not key.data():
                    show(self._unpacker.flush())
                    return

    def _from_machine(self) -> bool:
        try:
            data = os.read(self._line.reads, CHUNK_BYTES)
        except ConnectionResetError:  # it has ended, and left something unread
            data = b""
        if self._raw:
            self._raw.write(data)
        show(self._unpacker.feed(data))
        try:
            if self._gdb:
                self._gdb.sendall(data)
        except OSError:
            self._part()
        return bool(data)

    def _welcome(self) -> bool:
        """One GDB at a time: the others wait."""
        self._gdb, _ = self._server.accept()
        self._events.unregister(self._server)
        self._events.register(self._gdb, selectors.EVENT_READ, self._from_gdb)
        return True

    def _from_gdb(self) -> bool:
        try:
            data = self._gdb.recv(CHUNK_BYTES)
        except OSError:
            data = b""
        if data:
            self._to_machine(data)
        else:
            self._part()
        return True

    def _part(self) -> None:
        """After a detach nobody minds."""
        self._events.unregister(self._gdb)
        self._gdb.close()
        self._gdb = None
        self._events.register(self._server, selectors.EVENT_READ, self._welcome)
        self._to_machine(NOBODY_HERE)

    def _to_machine(self, data: bytes) -> None:
        """A machine that is gone says so where it is read, behind the last that it has sent."""
        try:
            while data:
                data = data[os.write(self._line.writes, data):]
        except (BrokenPipeError, ConnectionResetError):
            return


def show(text: bytes) -> None:
    sys.stdout.buffer.write(text)
    sys.stdout.buffer.flush()


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        usage="share_line.py [--gdb EP] [--raw FILE] (LINE | -- COMMAND ...)",
        description="Share one serial line: the console's text is printed, GDB connects to EP.",
        epilog="A kernel with gdb=com1 console=com1 is at its other end.  Ends when the line does, "
        "with the command's exit status.  Example: share_line.py -- scripts/qemu.py --append "
        "gdb=com1, and elsewhere: gdb build/kernel.elf -ex 'target remote localhost:1234'")
    parser.add_argument("--gdb", default="tcp:1234", metavar="EP",
                        help="tcp:PORT, at localhost, or unix:PATH (tcp:1234)")
    parser.add_argument("--raw", type=Path, metavar="FILE",
                        help="keep all that the machine sends in FILE, packets as they are")
    parser.add_argument("line", nargs="+", metavar="LINE", help="a serial device, unix:PATH, "
                        "tcp:[HOST:]PORT; or a command whose input and output are the line")
    arguments = parser.parse_args()
    arguments.is_command = "--" in sys.argv
    if len(arguments.line) > 1 and not arguments.is_command:
        parser.error("one line, or a command after --")
    return arguments


def main() -> int:
    arguments = parse_arguments()
    process = server = None
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        server = listen(arguments.gdb)
        raw = arguments.raw.open("wb", buffering=0) if arguments.raw else None
        if arguments.is_command:
            process = subprocess.Popen(arguments.line, stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE)
            line = Line(process.stdout.fileno(), process.stdin.fileno())
        else:
            line = open_line(arguments.line[0])
        Relay(line, server, raw).run()
        return process.wait() if process else 0
    except (LineError, OSError, OverflowError, termios.error) as error:
        print(f"share_line.py: {error}", file=sys.stderr)
        return EXIT_USAGE
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    finally:
        if server:
            close(server)
        if process:
            process.terminate()
            process.wait()


if __name__ == "__main__":
    sys.exit(main())
