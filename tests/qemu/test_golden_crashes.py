"""test_golden_crashes.py - what the report says of each crash of run=provoke, as text and as JSON.

Kept in tests/golden/crashes, and reviewed like code: is the verdict right, does what happened say
why, do the frames lead there?  `pytest --golden` writes them anew.  What another build or another
run changes is masked, or left out.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import re
from typing import Any

import crashlib.text
import crashlib.text_lines
import pytest
from crashlib.backtrace import Frame
from crashlib.report import Report

from crashes import CRASHES
from guest import ROOT

FOLDER = ROOT / "tests/golden/crashes"
LINES_THAT_COUNT = 25
WIDE = 1000
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Capstone's distutils

# ---- What is masked -----------------------------------------------------------------------------

MASKS = (
    (r"\b(\w[\w./-]*\.(?:c|h|asm)):\d+", r"\1:LINE"),
    (r"\+0x[0-9a-f]+", "+OFFSET"), (r"<(\w+)\+\d+>", r"<\1+OFFSET>"),
    (r"0x[0-9a-f]{5,16}\b", "ADDRESS"), (r"\b[0-9a-f]{16}\b", "ADDRESS"),
    (r"-?\d+\.\d{3,6} s\b", "TIME s"), (r"\b\d+ (timer ticks)", r"N \1"),
    (r"\brecord [0-9a-f]{8}, crash \d+ of boot [0-9a-f]+, build id [0-9a-f]+", "record ID"),
    (r"0x[0-9a-f]+ below its top", "OFFSET below its top"),
    (r"\b\d+ stacks\b", "N stacks"), (r"\b(P[DT])\[\d+\]", r"\1[N]"), (r"=\d{5,}\b", "=NUMBER"),
)
# Of these sections a run or the compiler decides; tests/golden/reports has such with fixed records.
LEFT_OUT = ("REGISTERS", "CODE", "TIME LINE", "GO ON")
# All crashes have these; that they are there is another test's.
OUTER = ("provoke_run", "run", "kernel_main", "long_mode")
# Where a tick finds the kernel is chance, in its threads, too.
INTERRUPTED = {"interrupt": ("arch_pause", "provoke_interrupt")}
HEADING = re.compile(r"^[A-Z][A-Z ]+(?:  .*)?$")
# What the JSON shows of its parts; all else is in other tests.
SHOWN = ("rule", "cause", "place", "event", "reasons", "warnings", "frames", "backtrace_notes",
         "threads", "locks", "deadlocks", "nested", "missing", "signature", "complete",
         "elf_matches")
HIDDEN = {"line", "path", "pc", "stack", "text", "source", "uptime_us", "for_us", "wakes_in_us",
          "stack_bottom", "stack_top", "registers", "address", "wait_object", "arguments",
          "locals", "offset", "title"}


def mask(text: str, kept: str) -> str:
    """`kept`: words whose numbers the crash was made to show."""
    for pattern, words in MASKS:
        text = re.sub(pattern, lambda found, words=words: found[0] if found[0] in kept
                      else found.expand(words), text)
    return text


def masked_text(text: str, kept: str) -> str:
    lines, section = [], ""
    for line in text.splitlines():
        if HEADING.match(line):
            section = line.split("  ")[0].strip()
            line = section if section in LEFT_OUT else line
        elif section in LEFT_OUT and line:
            continue
        elif section == "LOG" and line and "provoke: " not in line:
            continue
        lines.append(re.sub(r"^ +\d+\.\d{6} ", "  TIME ", mask(line, kept)).rstrip())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)) + "\n"


def masked_json(value: Any, kept: str) -> Any:
    if isinstance(value, dict):
        return {key: masked_json(item, kept) for key, item in value.items() if key not in HIDDEN}
    if isinstance(value, list):
        return [masked_json(item, kept) for item in value]
    return mask(value, kept) if isinstance(value, str) else value


def golden(report: Report, name: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """By the endings of their names.  Nothing is wrapped: a digit more would move words."""
    monkeypatch.setattr(crashlib.text_lines, "WIDTH", WIDE)
    monkeypatch.setattr(crashlib.text, "WIDTH", WIDE)
    kept = CRASHES[name].words
    report = dataclasses.replace(report, frames=inner(report.frames, name))
    if name in INTERRUPTED:
        report.threads = [dataclasses.replace(row, frames=[]) for row in report.threads]
    whole = report.as_json()
    shown = masked_json({key: whole[key] for key in SHOWN}, kept)
    return {"txt": masked_text(text_of(report), kept), "json": json.dumps(shown, indent=1) + "\n"}


def inner(frames: list[Frame], name: str) -> list[Frame]:
    outer = (*OUTER, *INTERRUPTED.get(name, ()))
    return list(itertools.takewhile(lambda frame: frame.function not in outer, frames))


def text_of(report: Report) -> str:
    return "\n".join("".join(words for words, _ in line).rstrip()
                     for line in crashlib.text.render(report))


# ---- The tests ----------------------------------------------------------------------------------

@pytest.mark.parametrize("name", CRASHES)
def test_a_crash_is_told_as_it_was(decoded, name, request, monkeypatch):
    for ending, said in golden(decoded(name), name, monkeypatch).items():
        path = FOLDER / f"{name}.{ending}"
        if request.config.getoption("--golden"):
            path.write_text(said)
        assert said == path.read_text()


@pytest.mark.parametrize("name", CRASHES)
def test_the_cause_and_the_place_are_in_the_first_lines(decoded, name):
    said = " ".join(" ".join(text_of(decoded(name)).splitlines()[:LINES_THAT_COUNT]).split())
    crash = CRASHES[name]
    shown = [crash.code[:40]] if crash.span == 1 else []  # of more than one line, any may be it
    for words in (crash.words, crash.function, *shown):
        assert " ".join(words.split()) in said


def test_every_golden_report_has_its_crash():
    assert {path.stem for path in FOLDER.iterdir()} == set(CRASHES)
