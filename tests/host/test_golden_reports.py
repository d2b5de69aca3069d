"""test_golden_reports.py - what a report says of each scenario, word for word.

Kept in tests/golden/reports: a change of these files is reviewed like one of code.  Run as a
program this file writes them anew.  The ELF file is kept as well, so that another compiler changes
nothing.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "scripts")]

from crash_records import COMPILE, Crash  # noqa: E402  (the line above finds them)
from crashlib.elf import KernelElf, read_elf  # noqa: E402
from crashlib.evidence import Evidence  # noqa: E402
from crashlib.record import load  # noqa: E402
from crashlib.report import Report, make_report  # noqa: E402
from crashlib.symbols import ROOT, Symbols  # noqa: E402
from crashlib.text import render  # noqa: E402
from system_records import busy_system  # noqa: E402
from test_crash_explain import SCENARIOS  # noqa: E402

FOLDER = HERE.parent / "golden/reports"
ELF = FOLDER / "victim.elf"
MAKERS: dict[str, Callable[[KernelElf], Crash]] = {
    make.__name__.replace("_", "-"): make
    for make in (busy_system, *(row[0] for row in SCENARIOS))}
AS_JSON = ("busy-system", "null-read")
GO_ON = [("crash.py gdb LOG", "in GDB")]
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Capstone's distutils


def report_of(name: str, elf: KernelElf) -> Report:
    record, = load(MAKERS[name](elf).make())
    report = make_report(Evidence(record, Symbols(elf, True, "")))
    report.elf, report.go_on = ELF.name, GO_ON
    return report


def text_of(report: Report) -> str:
    lines = ("".join(text for text, _ in line).rstrip() for line in render(report))
    return "\n".join(lines) + "\n"


def json_of(report: Report) -> str:
    return json.dumps(report.as_json(), indent=1) + "\n"


def fresh_elf(folder: Path) -> KernelElf:
    """A copy that is newer than the sources, so that their lines are shown."""
    path = folder / ELF.name
    shutil.copyfile(ELF, path)
    return read_elf(path)


@pytest.fixture(scope="module")
def elf(tmp_path_factory):
    return fresh_elf(tmp_path_factory.mktemp("golden"))


@pytest.mark.parametrize("name", MAKERS)
def test_a_report_says_what_it_said(name, elf):
    assert text_of(report_of(name, elf)) == (FOLDER / f"{name}.txt").read_text()


@pytest.mark.parametrize("name", AS_JSON)
def test_a_report_as_json_says_what_it_said(name, elf):
    assert json.loads(json_of(report_of(name, elf))) == json.loads(
        (FOLDER / f"{name}.json").read_text())


def test_every_golden_report_has_its_scenario():
    kept = {path.stem for path in FOLDER.iterdir() if path != ELF}
    assert kept == set(MAKERS)


def write_anew() -> None:
    os.chdir(ROOT)
    if "--elf" in sys.argv:  # only if victim.c has changed
        command = [word.replace(f"{ROOT}/", "") for word in COMPILE]
        subprocess.run([*command, f"-fdebug-prefix-map={ROOT}=.", "-o", ELF], check=True)
    with tempfile.TemporaryDirectory() as folder:
        for name in MAKERS:
            report = report_of(name, fresh_elf(Path(folder)))
            (FOLDER / f"{name}.txt").write_text(text_of(report))
            if name in AS_JSON:
                (FOLDER / f"{name}.json").write_text(json_of(report))


if __name__ == "__main__":
    write_anew()
