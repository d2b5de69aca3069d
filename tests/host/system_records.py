"""system_records.py - made-up crashes with several CPUs and threads, for the tests of crash.py.

The story: thread 1 "main" dies on CPU 0 holding `log`; CPU 1 runs thread 2; CPU 2 does not answer;
threads 3 and 4 each hold the lock that the other one wants; 5, 6 and 7 sleep in the same place.
"""

from __future__ import annotations

import struct

from crash_records import STACK_TOP, Crash
from crashlib import cstruct
from crashlib.crc32c import crc32c
from crashlib.elf import KernelElf
from crashlib.payloads import MACHINE_X86_64, REGISTER_NAMES
from crashlib.system import (Cpu, CpuState, Event, EventKind, Lock, LockKind, TextPage, Thread,
                             ThreadFlags, ThreadState)

CRASH_US = 1204000  # crash_records.py's
NAMES = REGISTER_NAMES[MACHINE_X86_64]
HEAP = 0xFFFFFF9000000000
LOG_LOCK, DISK_LOCK, NET_LOCK = HEAP + 0x100, HEAP + 0x200, HEAP + 0x300


def stack_top(thread: int) -> int:
    return STACK_TOP + 0x10000 * thread


def standing(crash: Crash, thread: int, function: str, *callers: str) -> tuple[dict, bytes, int]:
    """Registers at a function's first instruction, and the stack below: bytes and where."""
    top = stack_top(thread)
    frames = [top - 0x40 * (len(callers) - index) for index in range(len(callers))]
    slot, words, callee = frames[0] - 0x20, {}, function
    registers = {"rip": crash.symbol(function), "rsp": slot, "rbp": frames[0], "cs": 8, "ss": 16,
                 "eflags": 0x202}
    for caller, frame, outer in zip(callers, frames, [*frames[1:], 0]):
        words[slot], words[frame] = crash.return_address(caller, callee), outer
        slot, callee = frame + 8, caller
    start = registers["rsp"]
    data = b"".join(words.get(address, 0).to_bytes(8, "little")
                    for address in range(start, top, 8))
    return registers, data, start


def with_registers(part: Cpu | Thread, registers: dict[str, int]) -> bytes:
    part.count, part.valid = len(NAMES), ((1 << len(NAMES)) - 1, 0)
    return cstruct.encode(part) + struct.pack(f"<{len(NAMES)}Q",
                                              *(registers.get(name, 0) for name in NAMES))


def thread(number: int, name: str, state: int, cpu: int = 0, flags: int = 0, process: int = 0,
           wait_object: int = 0, wake_us: int = 0, wait: str = "") -> Thread:
    top = stack_top(number) if number > 1 else STACK_TOP
    return Thread(number, cpu, state, flags, process, 8, 0,
                  CRASH_US // 1000 - 2 if wait_object else 0, (0, 0), top - 0x4000, top,
                  wait_object, wake_us, name, wait)


def unit(start: int, data: bytes) -> bytes:
    return struct.pack("<QII", start, len(data), 0) + data


def events(crash: Crash) -> list[Event]:
    pc = crash.symbol("victim_call")
    return [
        Event(CRASH_US - 900, pc, 0, EventKind.TRAP, 0, 32),
        Event(CRASH_US - 500, 0x401000, 1, EventKind.SYSCALL, 0, 4),
        Event(CRASH_US - 300, 0, (1 << 64) - 2, EventKind.SYSCALL_END, 0, 4),
        Event(CRASH_US - 10, crash.pc, 0x18, EventKind.TRAP, 0, 14),
        Event(CRASH_US - 700, 0, 3, EventKind.SWITCH, 1, 2),
        Event(CRASH_US - 200, pc, 0, 99, 1, 7),
    ]


def busy_system(elf: KernelElf, **changes) -> Crash:
    crash = Crash(elf, address=0x18, cpu_count=3, **changes)
    crash.at("victim_null_read", "488b4718").called_by("victim_null_read", "kernel_main")
    working = standing(crash, 2, "victim_divide", "kernel_main")
    waiting = {n: standing(crash, n, "victim_smash", "victim_careless", "kernel_main")
               for n in (3, 4)}
    sleeping = {n: standing(crash, n, "victim_call", "kernel_main") for n in (5, 6, 7)}
    state = ThreadState
    cpus = (cstruct.encode(Cpu(0, CpuState.CRASHED, 1, 0, (0, 0), 120, CRASH_US - 4000))
            + with_registers(Cpu(1, CpuState.STOPPED, 2, 0, (0, 0), 119, CRASH_US - 5000),
                             working[0])
            + cstruct.encode(Cpu(2, CpuState.SILENT, 0, 0, (0, 0), 7, CRASH_US - 1100000)))
    threads = cstruct.encode(thread(1, "main", state.RUNNING)) + cstruct.encode(
        thread(2, "idle 1", state.RUNNING, 1, ThreadFlags.IDLE))
    threads += with_registers(thread(3, "reader", state.WAITING, 1, wait_object=DISK_LOCK,
                                     wait="mutex disk"), waiting[3][0])
    threads += with_registers(thread(4, "sender", state.WAITING, 1, process=9,
                                     flags=ThreadFlags.USER, wait_object=NET_LOCK), waiting[4][0])
    for n in (5, 6, 7):
        threads += with_registers(thread(n, f"pool {n}", state.SLEEPING, 0,
                                         wake_us=CRASH_US + 1000 * n), sleeping[n][0])
    locks = [Lock(LOG_LOCK, LockKind.SPIN, 1, 0, 0, crash.symbol("kernel_main") + 4, "log"),
             Lock(DISK_LOCK, LockKind.MUTEX, 4, 1, 1, crash.symbol("victim_careless") + 4, "disk"),
             Lock(NET_LOCK, LockKind.MUTEX, 3, 1, 1, 0, "net")]
    stacks = [working, *waiting.values(), *sleeping.values()]
    crash.more = [
        (b"CPUS", cpus, 0), (b"LOCK", b"".join(map(cstruct.encode, locks)), 0),
        (b"THRD", threads, 0),
        *((b"TSTK", unit(start, data), start) for _, data, start in stacks),
        (b"FLIT", b"".join(map(cstruct.encode, events(crash))), 0),
        (b"TEXT", b"".join(map(cstruct.encode, text_pages(elf))), 0)]
    crash.maps = [(top - 0x4000, top, 4, 3, 2, f"thread {number} stack")
                  for number, top in ((n, stack_top(n)) for n in range(2, 8))]
    crash.maps.append((HEAP, HEAP + 0x10000, 6, 3, 0, "kernel heap"))
    return crash


def text_pages(elf: KernelElf) -> list[TextPage]:
    section = next(section for section in elf.sections if section.executable)
    data = section.data
    return [TextPage(section.start + at, len(data[at:at + 4096]), crc32c(data[at:at + 4096]))
            for at in range(0, len(data), 4096)]
