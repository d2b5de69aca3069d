"""test_c.py - the programs of tests/host/test_*.c: each of their cases is a test here.

Only a program that has run can say what its cases are, so they run while pytest collects; what
is asserted afterwards is what they said.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from os import environ
from pathlib import Path

import pytest

from guest import BUILD, DEADLINE

RESULT = re.compile(r"^(ok|not ok) \d+ - (\w+)", re.MULTILINE)


@dataclass(frozen=True)
class Run:
    name: str
    status: int | None  # None: it did not come to its end
    output: str

    def results(self) -> list[tuple[str, str]]:
        """(outcome, case)"""
        return RESULT.findall(self.output)


def run(source: Path) -> Run:
    program = BUILD / "tests/host" / source.stem
    try:
        done = subprocess.run([program], timeout=DEADLINE, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              env={**environ, "CMOCKA_MESSAGE_OUTPUT": "TAP"})
    except (OSError, subprocess.TimeoutExpired) as error:
        return Run(source.stem, None, f"{error} (make host-tests builds it)")
    return Run(source.stem, done.returncode, done.stdout)


RUNS = [run(source) for source in sorted(Path(__file__).parent.glob("test_*.c"))]


@pytest.mark.parametrize("outcome, output", [
    pytest.param(outcome, run.output, id=f"{run.name}-{case}")
    for run in RUNS for outcome, case in run.results()])
def test_case(outcome: str, output: str) -> None:
    assert outcome == "ok", output


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.name)
def test_program_ends_well_with_as_many_cases_as_it_announced(run: Run) -> None:
    announced = re.search(r"^1\.\.(\d+)$", run.output, re.MULTILINE)
    assert run.status == 0, run.output
    assert announced and len(run.results()) == int(announced[1]) > 0, run.output
