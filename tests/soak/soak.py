#!/usr/bin/python3
"""soak.py - debugs a kernel under stress for a long time, as carelessly as can be.

One machine after the other runs run=stress; stock GDB attaches, breaks, steps, watches, calls,
detaches, is killed; noise comes over the line.  All of it is random, and follows from a seed.  The
kernel must come to its end and find all well; what is wrong on the way there ends the run with
status 1, and is left in build/soak/ with all that was said.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests/qemu"), str(ROOT / "scripts")]

import pytest  # noqa: E402

import debugger  # noqa: E402
import guest  # noqa: E402
import noise  # noqa: E402
import packets  # noqa: E402
from actions import ACTIONS, COUNTERS, CPUS, ENDS, check, choose, detach  # noqa: E402
from bench import booted  # noqa: E402
from cycles import Cycles, heap_place, tick_place  # noqa: E402
from image import Image  # noqa: E402
from session import PATIENCE, Ended, Finding, Left, Session, expect  # noqa: E402

BEGUN, WELL = "stress: seed", "stress: all is well"
FOLDER = ROOT / "build/soak"
REPORT_EVERY = 10  # seconds
CYCLES_A_TURN = 100
GDBS_OWN = "internal-error"  # says a GDB that has found itself broken
GRACE = 20  # seconds, for QEMU to be gone after the kernel has told it to


@dataclass
class Counts:
    rounds: int = 0
    sessions: int = 0
    actions: int = 0
    killed: int = 0
    noises: int = 0
    crashes_of_gdb: int = 0

    def __str__(self) -> str:
        return ", ".join(f"{count} {name}" for name, count in vars(self).items()).replace("_", " ")


class Progress:
    """A line now and then; the same one on a terminal."""

    def __init__(self, counts: Counts, seconds: float) -> None:
        self._counts, self._seconds = counts, seconds
        self._began = self._told = time.monotonic()

    def left(self) -> float:
        return self._began + self._seconds - time.monotonic()

    def tell(self, at_once: bool = False) -> None:
        now = time.monotonic()
        if not at_once and now - self._told < REPORT_EVERY:
            return
        self._told = now
        passed = int(now - self._began)
        print(f"soak: {passed // 60}:{passed % 60:02} of {self._seconds / 60:g} min: "
              f"{self._counts}", end="\r" if sys.stdout.isatty() else "\n", flush=True)


class Round:
    """One machine, from its boot to its end."""

    def __init__(self, elf: Path, folder: Path, append: str, chance: random.Random,
                 counts: Counts, progress: Progress) -> None:
        self.elf, self.folder, self.chance, self.counts = elf, folder, chance, counts
        self.progress = progress
        self.steps: list[str] = []
        self.line = ""  # the last packets
        self.guest = guest.Guest(folder, [
            "--kernel", str(elf), "--smp", str(CPUS), "--append", append,
            *Image.options(folder)])

    def run(self) -> None:
        """Sessions until the machine has ended, or the time is over and the last was detached."""
        self._note("boot")
        self.guest.wait_for(BEGUN)
        self.image = Image(self.elf, self.folder, CPUS)
        with contextlib.suppress(Ended):
            while self.guest.runs() and (self.progress.left() > 0 or self.steps[-1] != "detach"):
                self._one_session()
                self._between()
        self._note("the end")
        status = self.guest.wait(PATIENCE)
        expect((status, WELL in self.guest.said) == (0, True), f"status 0 and {WELL!r}",
               f"status {status}")

    def _note(self, text: str) -> None:
        self.steps.append(text)
        self.progress.tell()

    def _one_session(self) -> None:
        with tempfile.TemporaryDirectory(prefix="soak-") as folder:
            try:
                session = Session(self.elf, self.guest.gdb, Path(folder), self.chance)
            except OSError:
                self._expect_nobody()
            try:
                self._attach_and_act(session)
            except Left:
                self._note("GDB has left")
            except (OSError, pytest.fail.Exception) as error:
                self.line = session.packets()
                if session.gdb.has_crashed() or GDBS_OWN in session.gdb.said + str(error):
                    self._note("GDB's own end")
                    self.counts.crashes_of_gdb += 1
                elif isinstance(error, OSError):
                    self._expect_nobody()
                else:
                    raise
            except BaseException:
                self.line = session.packets()
                raise
            finally:
                session.close()

    def _attach_and_act(self, session: Session) -> None:
        self.counts.sessions += 1
        self._note(f"session {self.counts.sessions}: attach")
        self._attach(session)
        check(session)
        for _ in range(self.chance.randint(1, 12)):
            action = choose(self.chance, ACTIONS)
            self._note(action.__name__)
            action(session)
            self.counts.actions += 1
            if self.progress.left() <= 0:
                break
        end = choose(self.chance, ENDS) if self.progress.left() > 0 else detach
        self._note(end.__name__)
        end(session)
        self.counts.killed += end.__name__ != "detach"

    def _attach(self, session: Session) -> None:
        try:
            session.attach()
        except Finding:
            self._expect_nobody()

    def _expect_nobody(self) -> NoReturn:
        """The machine has ended in the meantime."""
        self.guest.wait(GRACE)
        raise Ended from None

    def _between(self) -> None:
        """Nobody is there; then somebody is who should not be."""
        if self.steps[-1] == "detach":
            self._expect_a_sound_machine()
        if self.progress.left() <= 0:
            return
        kind = self.chance.choice(["silence", "babble", "requests"])
        self._note(kind)
        if kind == "silence" or not self.guest.runs():
            return
        self.counts.noises += 1
        with self.image.while_it_runs(self.guest), contextlib.closing(
                packets.Line(self.guest.gdb)) as line:
            if kind == "babble":
                noise.babble(line, self.image.monitor, self.chance)
            else:
                noise.ask_and_go(line, self.chance)

    def _expect_a_sound_machine(self) -> None:
        """Seen from outside: no byte of code is another than it was, and all processors tick."""
        with self.image.while_it_runs(self.guest):
            expect(self.image.changes() == [], "no byte of code changed", self.image.changes())
            self.image.wait_for_ticks()


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition(".")[0].partition("- ")[2],
                                     epilog="Exit status: 0, or 1 with a finding.")
    parser.add_argument("--time", type=float, default=1800, metavar="S", help="seconds (1800)")
    parser.add_argument("--seed", default=str(random.randrange(10 ** 6)), help="(random)")
    parser.add_argument("--round", type=int, metavar="N", help="only the N-th machine")
    parser.add_argument("--cycles", type=int, metavar="N",
                        help="only go on from a breakpoint N times, and count")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="for findings (build/soak)")
    parser.add_argument("--append", default="", metavar="TEXT",
                        help="the kernel's command line (run=stress:S)")
    parser.add_argument("--kernel", type=Path, default=ROOT / "build/kernel.elf", metavar="FILE")
    return parser.parse_args()


def report(round_: Round, number: int, error: BaseException, arguments: argparse.Namespace) -> None:
    folder = arguments.folder.resolve() / f"{arguments.seed}-{number}"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (("console.log", round_.guest.said), ("packets.txt", round_.line),
                       ("steps.txt", "\n".join(round_.steps))):
        (folder / name).write_text(text + "\n")
    # It may have ended, or not begun.
    with contextlib.suppress(OSError, ValueError, AssertionError, AttributeError):
        round_.image.monitor.dump_guest_memory(folder / "memory", paging=True)
    print(f"\nsoak: FINDING in round {number}, step {len(round_.steps)}, {round_.steps[-1]!r}, "
          f"seed {arguments.seed}:\n{error}\n"
          f"    console.log, packets.txt and steps.txt are in {folder}, and the memory of a\n"
          f"    machine that has not ended: gdb build/kernel.elf {folder}/memory\n"
          f"    again: tests/soak/soak.py --seed {arguments.seed} --round {number}",
          file=sys.stderr)


def count_cycles(arguments: argparse.Namespace) -> int:
    """Nothing but going on from a breakpoint, in turns of a handler's and two of a thread's."""
    done, told = 0, Counter()
    with booted(arguments.kernel, CPUS, "run=stress:1000000") as machine:
        machine.wait_for(BEGUN)
        cycles = Cycles(packets.Line(machine.gdb))
        heap = heap_place(arguments.kernel, CPUS, COUNTERS["heap blocks"])
        tick = tick_place(arguments.kernel, CPUS)
        turns = itertools.cycle([(tick, 0), (heap, 0), (heap, 1)])
        while done < arguments.cycles:
            place, kind = next(turns)
            try:
                turn = cycles.run(place, kind, CYCLES_A_TURN)
                assert place is not tick or min(turn) > 0, f"a CPU does not tick: {turn}"
                told.update(dict(enumerate(turn)))
            except (AssertionError, pytest.fail.Exception) as error:
                print(f"soak: FINDING after {done} cycles: {error}", file=sys.stderr)
                return 1
            done += CYCLES_A_TURN
            print(f"soak: {done} cycles, told of each CPU: "
                  f"{[told[cpu] for cpu in range(CPUS)]}", flush=True)
    return 0


def soak(arguments: argparse.Namespace) -> int:
    counts = Counts()
    progress = Progress(counts, arguments.time)
    print(f"soak: seed {arguments.seed}", flush=True)
    number = arguments.round or 1
    while progress.left() > 0:
        chance = random.Random(f"{arguments.seed}/{number}")
        with tempfile.TemporaryDirectory(prefix="soak-") as folder:
            seconds = max(1, min(chance.randint(10, 60), int(progress.left())))
            append = arguments.append or f"run=stress:{seconds}"
            round_ = Round(arguments.kernel, Path(folder), append, chance, counts, progress)
            try:
                round_.run()
            except (Finding, AssertionError, debugger.GdbError, pytest.fail.Exception) as error:
                report(round_, number, error, arguments)
                return 1
            finally:
                round_.guest.end()
        counts.rounds += 1
        number += 1
        if arguments.round:
            break
    progress.tell(at_once=True)
    print("\nsoak: no finding")
    return 0


def main() -> int:
    arguments = parse_arguments()
    if not arguments.kernel.is_file():
        print(f"soak.py: {arguments.kernel}: no such file: say make", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # and its machine
    debugger.DEADLINE = guest.DEADLINE = packets.DEADLINE = PATIENCE
    return count_cycles(arguments) if arguments.cycles else soak(arguments)


if __name__ == "__main__":
    sys.exit(main())
