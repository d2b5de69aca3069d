"""cycles.py - goes on from a breakpoint again and again, and compares what was told of it with what
the kernel has counted there itself.

Each CPU has a counter that the code behind the breakpoint moves, which nobody else moves.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from pathlib import Path

from packets import Line, packet
from programs import ROOT, addresses_of, symbols_of

HEAP = ROOT / "kernel/stress_memory.c"
COMPARE_EACH = 8  # cycles: memory takes longer to read than a stop to tell
STOPPED_CPU = "debugger.machine.cpu"
COUNTS = "if (++job->done % BLOCKS_PER_CHECK == 0)"


@dataclass(frozen=True)
class Place:
    """Where the breakpoint is, and each CPU's counter."""
    address: int
    counters: list[int]
    stopped_cpu: int  # where the kernel has the number of the CPU that stopped


def place(elf: Path, address: int, counters: list[str]) -> Place:
    *found, stopped_cpu = addresses_of(elf, [*counters, STOPPED_CPU])
    return Place(address, found, stopped_cpu)


def tick_place(elf: Path, cpus: int) -> Place:
    """In an interrupt's handler, on all CPUs a hundred times a second."""
    return place(elf, symbols_of(elf)["schedule_tick"], [
        f"'kernel/schedule.c'::cpus[{cpu}].shown.ticks" for cpu in range(cpus)])


def heap_place(elf: Path, cpus: int, kind: int) -> Place:
    """In a thread of each CPU, as often as it can.  `kind`: its row in the kernel's `kinds`."""
    [line] = [n for n, text in enumerate(HEAP.read_text().splitlines(), 1) if COUNTS in text]
    [address] = addresses_of(elf, [], f"info line {HEAP.name}:{line}")
    return place(elf, address, [f"stress.jobs[{cpu}][{kind}].done" for cpu in range(cpus)])


def compare(cpu: int, counted: dict[int, int], told: list[int]) -> None:
    """One CPU has stopped at its breakpoint, others perhaps between that and their counters."""
    assert counted[cpu] == told[cpu], (cpu, counted, told)
    assert all(told[other] - 1 <= n <= told[other] for other, n in counted.items()), (
        cpu, counted, told)


def fields_of(stop: str) -> dict[str, str]:
    """Of a stop reply."""
    return dict(field.partition(":")[::2] for field in stop[3:].split(";"))


class Cycles:
    """A raw line to a machine under stress, which is stopped."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self._ask("qSupported:multiprocess+;swbreak+;hwbreak+;vContSupported+")
        self._ask("?")
        self._ask("QStartNoAckMode")
        line.acknowledges = False

    def run(self, place: Place, kind: int, count: int) -> list[int]:
        """`kind`: 0 is a software breakpoint, 1 a hardware one.  Returns how often each CPU was
        told to have hit it."""
        told = [0] * len(place.counters)
        point = f"{kind},{place.address:x},1"
        self._ask(f"Z{point}", "OK")
        first: dict[int, int] = {}  # each CPU's counter when it was told for the first time
        for cycle in range(1, count + 1):
            stop = self._continue()
            assert stop["10"] == struct.pack("<Q", place.address).hex(), stop
            cpu = int(self._ask(f"m{place.stopped_cpu:x},1"), 16)
            if cpu not in first or cycle % COMPARE_EACH == 0 or cycle == count:
                now = self._counters(place)
                first.setdefault(cpu, now[cpu])
                compare(cpu, {other: now[other] - then for other, then in first.items()}, told)
            told[cpu] += 1
            if kind == 0:
                self.step_over(point, stop)
        self._ask(f"z{point}", "OK")
        return told

    def step_over(self, point: str, stop: dict[str, str]) -> None:
        """By the thread that has stopped there."""
        self._ask(f"z{point}", "OK")
        self._ask(f"vCont;s:{stop['thread']}")
        self._ask(f"Z{point}", "OK")

    def _ask(self, request: str, expected: str = "") -> str:
        reply = self.line.request(request)
        assert expected in ("", reply), (request, reply)
        return reply

    def _counters(self, place: Place) -> list[int]:
        first = min(place.counters)
        memory = bytes.fromhex(self._ask(f"m{first:x},{max(place.counters) + 8 - first:x}"))
        return [struct.unpack_from("<Q", memory, at - first)[0] for at in place.counters]

    def _continue(self) -> dict[str, str]:
        """To the next breakpoint: faults are the programs' own."""
        stop = self._ask("vCont;c")
        while "break:" not in stop:
            [signal, thread] = re.match(r"T(..).*thread:([^;]+)", stop).groups()
            stop = self._ask(f"vCont;C{signal}:{thread};c")
        return fields_of(stop)
