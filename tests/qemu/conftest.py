"""conftest.py - machines in the states that tests begin with, and what is connected to them.

Ends every GDB and every connection that a test has opened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from crashes import CRASHES
from crashlib.elf import read_elf
from crashlib.evidence import Evidence
from crashlib.record import Record, load
from crashlib.report import Report, make_report
from crashlib.symbols import Symbols
from debugger import Debugger
from guest import Guest
from packets import Line
from programs import BEATING, DEBUGGEE, WAITING, make_app, make_kernel, symbols_of

# What the kernel says about its records.
DECODE_HINT = "to decode this console's log"
KEPT_RECORD = "crash: memory has kept record"
SENT_AGAIN = "was sent again"


@dataclass(frozen=True)
class CrashCopies:
    """One crash, as each sink has it."""
    log: Path    # the console's, until the reset
    again: Path  # the console's of the boot after that, as far as the record is sent again
    disk: Path


@pytest.fixture(scope="session")
def crash_copies(kernel_elf: Path,
                 tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], CrashCopies]:
    """crash_copies(name) is what that crash leaves; each is made once, in one run of QEMU."""
    folder = tmp_path_factory.mktemp("crashes")
    made: dict[str, CrashCopies] = {}

    def copies(name: str) -> CrashCopies:
        if name not in made:
            made[name] = make_copies(kernel_elf, name, folder / name)
        return made[name]

    return copies


def make_copies(kernel_elf: Path, name: str, folder: Path, *arguments: str) -> CrashCopies:
    """Of a machine with these arguments of qemu.py."""
    folder.mkdir(exist_ok=True)
    copies = CrashCopies(folder / "log", folder / "again", folder / "disk")
    crash = CRASHES[name]
    last = SENT_AGAIN if crash.sent_again else DECODE_HINT
    guest = Guest(folder, ["--kernel", str(kernel_elf), "--disk", str(copies.disk), "--append",
                           f"run=provoke:{name} oncrash=reboot {crash.options}", *arguments])
    try:
        said = guest.wait_for(last)
    finally:
        guest.end()
    before, _, after = said.partition(KEPT_RECORD)
    copies.log.write_text(before)
    copies.again.write_text(after.partition(last)[0])
    return copies


@pytest.fixture(scope="session")
def crash_log(crash_copies) -> Callable[[str], Path]:
    """crash_log(name) is the console's log of that crash."""
    return lambda name: crash_copies(name).log


@pytest.fixture(scope="session")
def report_of(kernel_elf: Path) -> Callable[[Record], Report]:
    """report_of(record) is what the decoder says of it."""
    symbols = Symbols(read_elf(kernel_elf), True, "")
    return lambda record: make_report(Evidence(record, symbols))


@pytest.fixture(scope="session")
def decoded(crash_log, report_of) -> Callable[[str], Report]:
    """decoded(name) is the decoder's report of that crash."""
    reports: dict[str, Report] = {}

    def report(name: str) -> Report:
        if name not in reports:
            [record] = load(crash_log(name))
            reports[name] = report_of(record)
        return reports[name]

    return report


@pytest.fixture(scope="session")
def debuggee_elf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A kernel that runs debuggee.c."""
    return make_app(tmp_path_factory.mktemp("debuggee") / "debuggee.elf", DEBUGGEE)


@pytest.fixture(scope="session")
def symbols(kernel_elf: Path) -> dict[str, int]:
    """The addresses of the kernel's functions and objects."""
    return symbols_of(kernel_elf)


@pytest.fixture
def attach(kernel_elf: Path) -> Iterator[Callable[..., Debugger]]:
    """attach(guest, elf=...) is a stock GDB, attached to a machine."""
    debuggers: list[Debugger] = []

    def start(guest, elf: Path | None = None) -> Debugger:
        debuggers.append(Debugger(elf or kernel_elf))
        debuggers[-1](f"target remote {guest.gdb}")
        return debuggers[-1]

    yield start
    for debugger in debuggers:
        debugger.end()


@pytest.fixture
def connect() -> Iterator[Callable[..., Line]]:
    """connect(guest) is a machine's debug line, raw."""
    lines: list[Line] = []

    def start(guest) -> Line:
        lines.append(Line(guest.gdb))
        return lines[-1]

    yield start
    for line in lines:
        line.close()


@pytest.fixture
def beating(boot):
    """A machine that runs the heartbeat, without a debugger."""
    guest = boot("run=heartbeat")
    guest.wait_for(BEATING)
    return guest


@pytest.fixture
def waiting(boot) -> Callable:
    """waiting("run=...") is a machine that waits for its debugger."""

    def start(append: str = "", *arguments: str, **options):
        guest = boot(f"gdbwait {append}", *arguments, **options)
        guest.wait_for(WAITING)
        return guest

    return start


@pytest.fixture
def line(waiting, connect) -> Line:
    """The raw line of a machine that waits for its debugger."""
    return connect(waiting())


@pytest.fixture
def gdb_kernel(waiting, attach) -> Debugger:
    """GDB, attached to a machine that waits with nothing but the kernel."""
    return attach(waiting())


@pytest.fixture
def debuggee(waiting, debuggee_elf: Path):
    """A machine that waits with debuggee.c."""
    return waiting(kernel=debuggee_elf)


@pytest.fixture
def gdb_main(debuggee, attach, debuggee_elf: Path) -> Debugger:
    """GDB, stopped in the main() of debuggee.c."""
    debugger = attach(debuggee, debuggee_elf)
    debugger("tbreak main")
    debugger.resume()
    return debugger


@pytest.fixture
def program(boot, tmp_path: Path) -> Callable:
    """program("C text", ...) is a machine that runs it; print.h is included."""

    def start(text: str, *arguments: str, cflags: str = ""):
        source = tmp_path / "program.c"
        source.write_text('#include "tests/qemu/print.h"\n' + text)
        elf = make_app(tmp_path / "program.elf", source, cflags=cflags)
        return boot(*arguments, kernel=elf)

    return start


@pytest.fixture(scope="session")
def threads_elf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A kernel that runs threads.c."""
    return make_kernel(tmp_path_factory.mktemp("threads") / "threads.elf",
                       Path(__file__).with_name("threads.c"))
