"""test_demo.py - scripts/demo.py: it tells the whole story, says where it breaks, and cleans up."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from guest import DEADLINE, ROOT

STORY_LINES = 60
STEPS = 7


@dataclass(frozen=True)
class Place:
    """A tree of its own, with the kernel that is built: its console log disturbs nobody."""
    root: Path

    @property
    def environment(self) -> dict[str, str]:
        """What marks the processes that are started here, too."""
        return {**os.environ, "TMPDIR": str(self.root), "TERM": "xterm",
                "PATH": f"{self.root}/bin:{os.environ['PATH']}"}

    def start(self, stdout: int = subprocess.PIPE) -> subprocess.Popen[str]:
        return subprocess.Popen([self.root / "scripts/demo.py"], env=self.environment, text=True,
                                stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE)

    def replace_gdb(self, script: str) -> None:
        (self.root / "bin").mkdir()
        gdb = self.root / "bin/gdb"
        gdb.write_text(f"#!/bin/sh\n{script}\n")
        gdb.chmod(0o755)

    def processes(self) -> list[int]:
        """Those that run here, with all that they have started."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if str(self.root).encode() in (process / "environ").read_bytes():
                    found.append(int(process.name))
            except OSError:
                continue  # it has ended, or is not ours
        return found


@pytest.fixture
def place(kernel_elf: Path, kernel_iso: Path) -> Iterator[Place]:
    with tempfile.TemporaryDirectory(prefix="trapline-") as folder:  # short: it holds a socket
        root = Path(folder)
        for entry in ROOT.iterdir():
            if entry.is_dir() and entry.name not in ("build", "scripts", ".git"):
                (root / entry.name).symlink_to(entry)
        shutil.copytree(ROOT / "scripts", root / "scripts")
        (root / "build").mkdir()
        for file in (kernel_elf, kernel_iso):
            (root / "build" / file.name).symlink_to(file)
        yield Place(root)


def test_all_steps_are_told_in_a_story_that_fits_a_screen(place: Place) -> None:
    demo = place.start()
    story, errors = demo.communicate(timeout=DEADLINE)
    lines = story.splitlines()
    assert (demo.returncode, errors) == (0, ""), story
    assert re.findall(r"^(\d)\. ", story, re.MULTILINE) == [str(n + 1) for n in range(STEPS)], story
    assert story.count("\n    ok: ") == STEPS, story
    assert len(lines) <= STORY_LINES, story
    assert "\x1b" not in story, f"escape codes in a pipe: {story!r}"
    assert place.processes() == []


def test_a_failing_step_is_named_with_what_was_seen(place: Place) -> None:
    place.replace_gdb("echo no such luck; exit 3")
    demo = place.start()
    story, errors = demo.communicate(timeout=DEADLINE)
    assert demo.returncode == 1, story
    assert "step 2 failed" in errors and "no such luck" in errors and "status 3" in errors, errors
    assert "All" not in story.splitlines()[-1], story
    assert place.processes() == []


def test_a_report_of_another_function_is_no_success(place: Place) -> None:
    decoder = place.root / "scripts/crash.py"
    decoder.write_text("""#!/bin/sh
echo '{"annotations": {"loader": "GRUB"}, "cause": "null", "place": {"function": "elsewhere"}}'
""")
    demo = place.start()
    story, errors = demo.communicate(timeout=DEADLINE)
    assert demo.returncode == 1, story
    assert "step 7 failed" in errors and "elsewhere" in errors, errors


def test_a_missing_kernel_is_one_line(place: Place) -> None:
    (place.root / "build/kernel.iso").unlink()
    demo = place.start()
    story, errors = demo.communicate(timeout=DEADLINE)
    assert (demo.returncode, story) == (1, "")
    assert errors == "demo.py: build/kernel.iso is not there: run make\n"


def test_a_terminal_gets_colours(place: Place) -> None:
    place.replace_gdb("exit 3")
    ours, theirs = pty.openpty()
    demo = place.start(stdout=theirs)
    os.close(theirs)
    shown = b""
    try:
        while data := os.read(ours, 4096):
            shown += data
    except OSError:  # that is how the end of a terminal shows
        pass
    demo.communicate(timeout=DEADLINE)
    os.close(ours)
    assert b"\x1b[1m1. " in shown, shown


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_whatever_ends_it_ends_all_it_has_started(place: Place, number: int) -> None:
    demo = place.start()
    while not demo.stdout.readline().startswith("3. "):
        assert demo.poll() is None, demo.stderr.read()
    waits = {pid: os.pidfd_open(pid) for pid in place.processes()}
    demo.send_signal(number)
    demo.communicate(timeout=DEADLINE)
    left = [pid for pid, ended in waits.items() if not select.select([ended], [], [], DEADLINE)[0]]
    for ended in waits.values():
        os.close(ended)
    assert len(waits) >= 4, f"only {waits} were running: demo, qemu.py, QEMU, GDB"
    assert left == []
    assert number == signal.SIGKILL or demo.returncode == 128 + number
