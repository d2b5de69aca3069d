#!/usr/bin/python3
"""qemu.py - the one way to start QEMU: a machine for the kernel, and its answer as exit status.

Exits with what the kernel told isa-debug-exit (0 to 127; 70 means it crashed), 124 after
--timeout, 125 if QEMU itself failed, 128+N if ended by signal N, 2 for bad usage.  Leaves neither
process nor file behind, but the disk that was asked for.  Always TCG: the tests must not depend on
the host's processor.

As a module: command_line(Machine(...)) is the command, run(command) the exit status.
"""

from __future__ import annotations

import argparse
import contextlib
import shlex
import signal
import subprocess
import sys
import tempfile
import termios
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NoReturn

PROGRAM = "qemu-system-x86_64"
KERNEL = Path(__file__).resolve().parents[1] / "build/kernel.elf"
FIRMWARE = Path("/usr/share/ovmf/OVMF.fd")
GRUB_LINE, GRUB_ROOM = b"multiboot2 /boot/kernel.elf ", 1024  # as the Makefile fills grub.cfg
DISK_BYTES = 1 << 30  # of a disk that is made
EXIT_USAGE, EXIT_TIMEOUT, EXIT_QEMU, EXIT_SIGNAL = 2, 124, 125, 128


class QemuError(Exception):
    """The machine cannot be started; the text says why."""


@dataclass(frozen=True)
class Machine:
    """What to boot, with what around it.  One of `iso` and `kernel` is given."""
    iso: Path | None = None
    kernel: Path | None = None
    append: str | None = None
    smp: int = 1
    memory: int = 256      # MiB
    console: str = "stdio"  # COM1's endpoint
    gdb: str = "null"       # COM2's endpoint
    disk: Path | None = None
    icount: bool = False
    uefi: bool = False
    more: list[str] = field(default_factory=list)  # for QEMU, as they are


def command_line(machine: Machine) -> list[str]:
    """The command that starts the machine (an ISO keeps the command line it was made with)."""
    if machine.console == machine.gdb == "stdio":
        raise QemuError("only one of --console and --gdb can be stdio")
    command = [
        PROGRAM, "-nodefaults", "-no-user-config", "-display", "none", "-accel", "tcg",
        "-machine", "pc", "-cpu", "max", "-smp", str(machine.smp), "-m", f"{machine.memory}M",
        "-device", "isa-debug-exit,iobase=0xf4,iosize=4",
        *uart("console", machine.console), *uart("debugger", machine.gdb)]
    if machine.kernel:
        command += ["-kernel", str(machine.kernel)]
        if machine.append:
            command += ["-append", machine.append]
    if machine.iso:
        command += ["-drive", f"if=ide,index=2,media=cdrom,format=raw,file={escape(machine.iso)}",
                    "-boot", "d"]
    if machine.disk:
        command += ["-drive", f"if=none,id=disk,format=raw,file={escape(machine.disk)}",
                    "-device", "virtio-blk-pci,drive=disk,disable-legacy=on"]
    if machine.icount:
        command += ["-icount", "shift=0"]
    if machine.uefi:
        command += ["-bios", str(FIRMWARE)]
    return command + machine.more


def make_disk(path: Path) -> None:
    """A blank disk, unless there is one: without holes filled in, it takes no room."""
    if not path.exists():
        with path.open("xb") as file:
            file.truncate(DISK_BYTES)


def uart(name: str, endpoint: str) -> list[str]:
    """The next serial port: QEMU counts those that are not there, too."""
    if endpoint == "none":
        return ["-serial", "none"]
    return ["-chardev", chardev(name, endpoint), "-serial", f"chardev:{name}"]


def chardev(name: str, endpoint: str) -> str:
    """QEMU's words for an endpoint: stdio, null, file:PATH, unix:PATH, tcp:PORT."""
    kind, _, value = endpoint.partition(":")
    if endpoint == "stdio":
        return f"stdio,id={name}"
    if endpoint == "null":
        return f"null,id={name}"
    if kind == "file" and value:
        return f"file,id={name},path={escape(value)}"
    if kind == "unix" and value:
        return f"socket,id={name},path={escape(value)},server=on,wait=off"
    if kind == "tcp" and value.isdecimal() and 0 < int(value) < 65536:
        return f"socket,id={name},host=127.0.0.1,port={value},server=on,wait=off,nodelay=on"
    raise QemuError(f"{endpoint!r} is none of stdio, null, none, file:PATH, unix:PATH, tcp:PORT")


def escape(path: Path | str) -> str:
    return str(path).replace(",", ",,")


@contextlib.contextmanager
def with_command_line(machine: Machine) -> Iterator[Machine]:
    """An ISO has its command line inside: for as long as this lasts, a copy with another one."""
    if not machine.iso or machine.append is None:
        yield machine
        return
    with tempfile.TemporaryDirectory(prefix="trapline-") as folder:
        copy = Path(folder, "kernel.iso")
        copy.write_bytes(replace_command_line(machine.iso.read_bytes(), machine.append))
        yield replace(machine, iso=copy)


def replace_command_line(image: bytes, append: str) -> bytes:
    """The image with another command line, in the room that scripts/grub.cfg keeps for it."""
    text = append.encode()
    if len(text) > GRUB_ROOM:
        raise QemuError(f"the command line is longer than {GRUB_ROOM} bytes")
    start = image.find(GRUB_LINE) + len(GRUB_LINE)
    if image.count(GRUB_LINE) != 1 or image[start + GRUB_ROOM:start + GRUB_ROOM + 1] != b"\n":
        raise QemuError("--append: the ISO has no room for a command line: was it made here?")
    return image[:start] + text.ljust(GRUB_ROOM) + image[start + GRUB_ROOM:]


class Ended(Exception):
    """A signal (SIGALRM: the timeout) ended the machine; its number is the argument."""


def run(command: list[str], timeout: float | None = None) -> int:
    """Run QEMU to its end, which a signal or the timeout may bring about; return exit status."""

    def end(number: int, _frame: object) -> None:
        raise Ended(number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM):
        signal.signal(number, end)
    signal.setitimer(signal.ITIMER_REAL, timeout or 0)
    try:
        return run_to_its_end(command)
    except Ended as ended:
        number = ended.args[0]
        return EXIT_TIMEOUT if number == signal.SIGALRM else EXIT_SIGNAL + number
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def run_to_its_end(command: list[str]) -> int:
    # In a session of its own, so that a terminal's Ctrl-C comes by way of end() only; and killed
    # by Linux if this process dies without having done so.
    process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *command],
                               stderr=subprocess.PIPE, text=True, start_new_session=True)
    try:
        complained = False
        for line in process.stderr:
            sys.stderr.write(line)
            complained = complained or " warning: " not in line
        status = process.wait()
    finally:
        process.kill()
        process.wait()
    # A guest that says 0 ends QEMU with 1, and so does QEMU itself, but not without a word.
    return EXIT_QEMU if complained and status == 1 else guest_code(status)


def guest_code(status: int) -> int:
    """What the guest said: isa-debug-exit makes 2n+1 of n; 0 is a machine that was switched off."""
    if status < 0:
        return EXIT_SIGNAL - status
    return (status - 1) // 2 if status % 2 else status


@contextlib.contextmanager
def terminal_kept() -> Iterator[None]:
    """QEMU changes the terminal's settings: give them back however it ends."""
    settings = termios.tcgetattr(sys.stdin) if sys.stdin.isatty() else None
    try:
        yield
    finally:
        if settings:
            termios.tcsetattr(sys.stdin, termios.TCSANOW, settings)


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(EXIT_USAGE, f"qemu.py: {message}\n")


def parse_arguments() -> argparse.Namespace:
    parser = Parser(
        description="Start QEMU with the kernel; the exit status is the kernel's.",
        epilog="EP is stdio, null, none (no UART), file:PATH, unix:PATH or tcp:PORT; the last two "
        "listen, at localhost.  Exit status: the kernel's own (0 to 127; 70: it crashed), 124 "
        "after --timeout, 125 if QEMU failed, 128+N if ended by signal N.  Arguments after -- "
        "are QEMU's own.")
    boot = parser.add_mutually_exclusive_group()
    boot.add_argument("--iso", type=Path, metavar="FILE", help="boot by GRUB")
    boot.add_argument("--kernel", type=Path, metavar="FILE",
                      help="boot the ELF file directly (build/kernel.elf)")
    parser.add_argument("--append", metavar="TEXT", help="the kernel's command line")
    parser.add_argument("--smp", type=positive, default=1, metavar="N", help="processors (1)")
    parser.add_argument("--memory", type=positive, default=256, metavar="MIB", help="(256)")
    parser.add_argument("--console", default="stdio", metavar="EP", help="COM1 (stdio)")
    parser.add_argument("--gdb", default="null", metavar="EP", help="COM2 (null)")
    parser.add_argument("--disk", type=Path, metavar="FILE",
                        help="a raw disk image for crash records, made if it is not there")
    parser.add_argument("--icount", action="store_true", help="time counts instructions")
    parser.add_argument("--uefi", action="store_true", help="boot by UEFI instead of BIOS")
    parser.add_argument("--timeout", type=seconds, metavar="S", help="end after S seconds")
    parser.add_argument("--print", action="store_true", help="print the command, start nothing")
    parser.add_argument("more", nargs="*", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.iso is None and arguments.kernel is None:
        arguments.kernel = KERNEL
    return arguments


def positive(text: str) -> int:
    value = int(text)
    if value <= 0:
        raise ValueError(text)
    return value


def seconds(text: str) -> float:
    value = float(text)
    if not 0 < value < 1e6:
        raise ValueError(text)
    return value


def main() -> int:
    arguments = vars(parse_arguments())
    timeout, print_only = arguments.pop("timeout"), arguments.pop("print")
    machine = Machine(**arguments)
    try:
        for file in filter(None, (machine.iso, machine.kernel)):
            if not file.is_file():
                hint = ": say make" if file == KERNEL else ""
                raise QemuError(f"{file}: no such file{hint}")
        if print_only:
            print(shlex.join(command_line(machine)))
            return 0
        if machine.disk:
            make_disk(machine.disk)
        with with_command_line(machine) as machine, terminal_kept():
            status = run(command_line(machine), timeout)
    except (QemuError, OSError) as error:
        print(f"qemu.py: {error}", file=sys.stderr)
        return EXIT_USAGE
    if status == EXIT_TIMEOUT:
        print(f"qemu.py: still running after {timeout:g} seconds: ended", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
