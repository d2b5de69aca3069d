"""test_coverage.py - coverage.py counts lines, names those that did not run, refuses too few."""

from __future__ import annotations

import subprocess
from pathlib import Path

from guest import DEADLINE, ROOT

PROGRAM = """\
#include "trap/trap.h"

int main(void)
{
    trap_init((void *)0, 0);
    return 0;
}
"""


def coverage(build: Path) -> subprocess.CompletedProcess:
    return subprocess.run([ROOT / "scripts/coverage.py", build], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=DEADLINE)


def test_without_programs_there_is_nothing_to_count(tmp_path: Path):
    done = coverage(tmp_path)
    assert done.returncode == 1 and done.stdout == ""
    assert "no test programs" in done.stderr


def test_lines_that_no_test_runs_are_named_and_too_many_of_them_are_refused(tmp_path: Path):
    folder = tmp_path / "tests/host"
    folder.mkdir(parents=True)
    source = folder / "test_little.c"
    source.write_text(PROGRAM)
    subprocess.run(["gcc", "--coverage", "-O0", "-I.", "-o", folder / "test_little", source,
                    "trap/trap.c"], cwd=ROOT, check=True)
    done = coverage(tmp_path)
    [line] = [line for line in done.stdout.splitlines() if "trap/trap.c" in line]
    percent, missed = float(line.split()[0]), line.partition("trap/trap.c")[2].split()
    assert 0 < percent < 95 and missed
    assert done.returncode == 1
    assert "coverage.py: trap/ has less than 95 %" in done.stderr
