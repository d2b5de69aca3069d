"""conftest.py - what all tests share: the built kernel, and machines that run it."""

from __future__ import annotations

import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from guest import BUILD, ROOT, Guest

sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "tests/host")]
# A shell may have its background jobs ignore Ctrl-C, and what they start: some tests press it.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--golden", action="store_true",
                     help="write what tests/golden/crashes keeps anew, instead of comparing")


def built(name: str) -> Path:
    path = BUILD / name
    if not path.exists():
        pytest.fail(f"{path} is not there: run make")
    return path


@pytest.fixture(scope="session")
def kernel_elf() -> Path:
    return built("kernel.elf")


@pytest.fixture(scope="session")
def kernel_iso() -> Path:
    return built("kernel.iso")


@pytest.fixture(scope="session")
def port_elf() -> Path:
    return built("port/kernel.elf")


@pytest.fixture(scope="session")
def smallest_elf() -> Path:
    """The second kernel, with what gdbstub/config.h cannot leave out."""
    return built("port-small/kernel.elf")


@pytest.fixture
def boot(kernel_elf: Path) -> Iterator[Callable[..., Guest]]:
    """boot(command_line="", *more arguments of qemu.py, kernel=...) starts a machine."""
    guests: list[Guest] = []
    with tempfile.TemporaryDirectory(prefix="trapline-") as folder:  # short: it holds sockets

        def start(append: str = "", *arguments: str, kernel: Path | None = None,
                  shared: Path | None = None) -> Guest:
            place = Path(folder, str(len(guests)))
            place.mkdir()
            source = [] if "--iso" in arguments else ["--kernel", str(kernel or kernel_elf)]
            guests.append(Guest(place, [*source, "--append", append, *arguments], shared))
            return guests[-1]

        yield start
        for guest in guests:
            guest.end()
