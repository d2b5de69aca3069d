"""test_late_cpus.py - a processor that its host holds up, for longer than anybody waits for it."""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import booted
from cycles import Cycles, fields_of, tick_place
from guest import Guest, wait_until
from holding import Hold
from monitor import Monitor
from packets import Line, packet
from programs import BEATING, addresses_of

CPUS = 4
SOFTWARE = 0
LONGER_THAN_PATIENCE = 1.2  # seconds
LOOKS = 20  # of the one that waits
RUNNING, ASKED, STOPPED = range(3)  # enum stop_state


class Machine:
    """Stopped, a breakpoint in what each processor does at a tick."""

    def __init__(self, elf: Path, guest: Guest, monitor: Monitor) -> None:
        self.guest, self.monitor = guest, monitor
        self.threads = monitor.host_threads()
        self.line = Line(guest.gdb)
        self.cycles = Cycles(self.line)
        self._holds: list[Hold] = []
        self.place = tick_place(elf, CPUS)
        self.point = f"{SOFTWARE},{self.place.address:x},1"
        self._waiting, self._owner, self._rip, *places = addresses_of(elf, [
            "stop.waiting", "stop.owner", "((struct trap_frame *)0)->rip",
            *(f"stop.cpus[{cpu}].{field}" for field in ("state", "lost", "frame")
              for cpu in range(CPUS))])
        self._states, self._lost, self._frames = (places[n:n + CPUS] for n in (0, CPUS, 2 * CPUS))

    def hold(self, cpu: int) -> Hold:
        self._holds.append(Hold(self.threads[cpu]))
        return self._holds[-1]

    def close(self) -> None:
        """It could not end, held up."""
        for hold in self._holds:
            hold.release()
        self.line.close()

    def seen(self, address: int, length: int = 4) -> int:
        """From outside, also while it runs."""
        return int.from_bytes(self.monitor.kernel_memory(address, length), "little")

    def state(self, cpu: int) -> int:
        return self.seen(self._states[cpu])

    def owner(self) -> int:
        """Who has the machine."""
        return self.seen(self._owner) - 1

    def is_lost(self, cpu: int) -> bool:
        return self.seen(self._lost[cpu], 1) != 0

    def has_hit(self, cpu: int) -> bool:
        """Is it behind the breakpoint, and waits until it can say so?"""
        return self.seen(self._waiting) >> cpu & 1 == 1 and self.state(cpu) == RUNNING

    def read(self, address: int) -> int:
        return struct.unpack("<Q", bytes.fromhex(self.line.request(f"m{address:x},8")))[0]

    def pc(self, cpu: int) -> int:
        """Of one that has stopped."""
        return self.read(self.read(self._frames[cpu]) + self._rip)

    def stopped_cpu(self) -> int:
        return self.seen(self.place.stopped_cpu)

    def ticks(self, cpu: int) -> int:
        return self.seen(self.place.counters[cpu], 8)

    def stop_behind(self) -> int:
        """Stops at the breakpoint on one processor while another, which is returned, is held up
        behind it and has not told of it."""
        assert self.line.request(f"Z{self.point}") == "OK"
        stop = self.line.request("vCont;c")
        while True:
            assert "swbreak" in stop, stop
            first, late = [cpu for cpu in range(CPUS) if cpu != self.stopped_cpu()][:2]
            self.cycles.step_over(self.point, fields_of(stop))
            hold = self.hold(first)  # who gives the machine back waits for it
            self.line.send(packet("vCont;c"))
            wait_until(lambda: self.has_hit(late) or self.line.come() != b"", "nobody hits it")
            self.held = self.hold(late)
            hold.release()
            if self.has_hit(late):
                break
            self.held.release()
            stop = self.line.reply()
        assert "swbreak" in self.line.reply()
        assert self.stopped_cpu() != late and self.state(late) == ASKED
        return late


@pytest.fixture
def machine(kernel_elf, tmp_path) -> Iterator[Machine]:
    with booted(kernel_elf, CPUS, "", *Monitor.options(tmp_path / "qmp")) as guest:
        guest.wait_for(BEATING)
        found = Machine(kernel_elf, guest, Monitor(tmp_path / "qmp"))
        yield found
        found.close()


def test_a_cpu_that_comes_when_its_breakpoint_is_lifted_goes_back_to_it(machine):
    """GDB lifts it so that another thread can step over it; then it is to be hit again."""
    late = machine.stop_behind()
    assert machine.line.request(f"z{machine.point}") == "OK"
    machine.held.release()
    wait_until(lambda: machine.state(late) == STOPPED, "it never joins")
    assert machine.pc(late) == machine.place.address
    told = machine.cycles.run(machine.place, SOFTWARE, 32)
    assert told[late] > 0


@pytest.mark.parametrize("leave", ["vCont;c", "D"])
def test_a_cpu_that_comes_when_its_breakpoint_is_gone_tells_nobody(machine, leave):
    late = machine.stop_behind()
    assert machine.line.request(f"z{machine.point}") == "OK"
    machine.line.send(packet(leave))
    other = (late + 1) % CPUS
    before = [machine.ticks(cpu) for cpu in range(CPUS)]
    wait_until(lambda: machine.ticks(other) > before[other], "the others stand still")
    machine.held.release()
    wait_until(lambda: machine.ticks(late) > before[late] + 1, "it does not go on")
    assert machine.line.come() == (b"$OK#9a" if leave == "D" else b"")
    assert "no debugger" not in machine.guest.said


def test_time_in_which_all_cpus_are_held_up_is_not_waited_for(machine):
    """Nobody has had it."""
    while True:
        machine.line.request("vCont;s")
        late = (machine.stopped_cpu() + 1) % CPUS
        machine.line.send(packet("vCont;c"))
        wait_until(lambda: machine.state(late) == RUNNING, "it never goes")
        hold = machine.hold(late)
        machine.line.send(b"\x03")
        wait_until(lambda: machine.state(late) == ASKED, "nobody asks it")
        waiting = machine.hold(owner := machine.owner())
        if not machine.is_lost(late):
            break
        hold.release()
        waiting.release()
        machine.line.reply()
    time.sleep(LONGER_THAN_PATIENCE)  # the subject itself: nobody is left to tell of its passing
    for _ in range(LOOKS):
        waiting.release()
        waiting = machine.hold(owner)
        assert not machine.is_lost(late)
    waiting.release()
    hold.release()
    assert "thread" in machine.line.reply()
    assert machine.state(late) == STOPPED
