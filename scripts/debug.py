#!/usr/bin/python3
"""debug.py - boot a kernel that waits for its debugger, and be that debugger, interactively.

What the kernel prints goes to a file beside it.  Ends the machine when GDB ends.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
WAITING = b"waiting for debugger"


class Machine:
    """QEMU, out of reach of the terminal's Ctrl-C, which is GDB's."""

    def __init__(self, arguments: list[str], log: Path) -> None:
        self.waits = False
        self._log = log
        self._told = threading.Event()
        self._process = subprocess.Popen(
            [HERE / "qemu.py", *arguments], start_new_session=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE)
        self._copier = threading.Thread(target=self._copy_console)
        self._copier.start()

    def _copy_console(self) -> None:
        with self._log.open("wb", buffering=0) as log:
            for line in self._process.stdout:
                log.write(line)
                if WAITING in line:
                    self.waits = True
                    self._told.set()
        self._told.set()

    def wait_until_it_waits(self) -> bool:
        """False if it ended before."""
        self._told.wait()
        return self.waits

    def end(self) -> None:
        self._process.terminate()
        self._process.wait()
        self._copier.join()


def attach(elf: Path, socket: str) -> int:
    """Run GDB in the foreground; Ctrl-C is for it alone."""
    gdb = subprocess.Popen(["gdb", "-q", "-iex", f"add-auto-load-safe-path {ROOT}/.gdbinit",
                            elf, "-ex", f"target remote {socket}",
                            "-ex", "frame function kernel_main"])
    while True:
        try:
            return gdb.wait()
        except KeyboardInterrupt:
            continue


def main() -> int:
    parser = argparse.ArgumentParser(description="Boot the kernel and attach GDB to it.",
                                     epilog="Further arguments are qemu.py's.")
    parser.add_argument("elf", type=Path, help="the kernel, with its symbols")
    parser.add_argument("--append", default="", help="more of the kernel's command line")
    arguments, more = parser.parse_known_args()

    log = arguments.elf.with_suffix(".console")
    boot = more or ["--kernel", str(arguments.elf)]
    with tempfile.TemporaryDirectory(prefix="trapline-") as folder:
        machine = Machine([*boot, "--append", f"gdbwait {arguments.append}",
                           "--gdb", f"unix:{folder}/gdb"], log)
        try:
            if not machine.wait_until_it_waits():
                print(f"debug.py: the kernel never waited: see {log}", file=sys.stderr)
                return 1
            print(f"The kernel's console goes to {log}.", flush=True)
            return attach(arguments.elf, f"{folder}/gdb")
        except KeyboardInterrupt:
            return 130
        finally:
            machine.end()


if __name__ == "__main__":
    sys.exit(main())
