"""holding.py - a processor of a machine that the host holds up, as a busy one does.

QEMU has a thread of the host for each processor.  A tracer stops a single one of them (ptrace(2)):
in the middle of the machine's own code, where it has none of QEMU's locks.
"""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

from guest import wait_until

LIBC = ctypes.CDLL(None, use_errno=True)
PTRACE_DETACH, PTRACE_SEIZE, PTRACE_INTERRUPT = 17, 0x4206, 0x4207
WAIT_FOR_THREADS = 0x40000000  # __WALL


def trace(request: int, thread: int) -> None:
    if LIBC.ptrace(request, thread, None, None) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def is_in_translated_code(thread: int) -> bool:
    """Of one that stands still.  QEMU has written that code into memory that is no file's."""
    pc = int(Path(f"/proc/{thread}/syscall").read_text().split()[-1], 16)
    for line in Path(f"/proc/{thread}/maps").read_text().splitlines():
        addresses, permissions, *_, inode = line.split()[:5]
        start, end = (int(address, 16) for address in addresses.split("-"))
        if start <= pc < end:
            return "x" in permissions and inode == "0"
    return False


class Hold:
    """Of one processor, by its thread: it stands still from here on, until release()."""

    def __init__(self, thread: int) -> None:
        self._thread = thread
        self._holds = False
        wait_until(self._stops_well, "it never runs code of the machine")

    def release(self) -> None:
        if self._holds:
            trace(PTRACE_DETACH, self._thread)
        self._holds = False

    def _stops_well(self) -> bool:
        """Else it goes on, and may do better the next time."""
        trace(PTRACE_SEIZE, self._thread)
        trace(PTRACE_INTERRUPT, self._thread)
        os.waitpid(self._thread, WAIT_FOR_THREADS)
        self._holds = is_in_translated_code(self._thread)
        if not self._holds:
            trace(PTRACE_DETACH, self._thread)
        return self._holds
