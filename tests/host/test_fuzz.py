"""test_fuzz.py - a short run of every fuzzer; `make fuzz TIME=...` is a long one."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from guest import BUILD, DEADLINE, ROOT

RUN, RECORDS = ROOT / "tests/fuzz/run.py", ROOT / "tests/fuzz/fuzz_records.py"
FUZZERS = sorted(path.stem for path in RUN.parent.glob("fuzz_*.c"))
INPUTS = "2000"


def run(*command: object) -> subprocess.CompletedProcess:
    return subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=DEADLINE)


def test_no_fuzzer_finds_anything(tmp_path: Path):
    programs = [tmp_path / name for name in FUZZERS]  # not where long runs leave their inputs
    for program in programs:
        program.symlink_to(BUILD / "fuzz" / program.name)
    done = run(RUN, "--inputs", INPUTS, "--seed", "1", *programs)
    assert done.returncode == 0, done.stdout
    for name in (*FUZZERS, "fuzz_records"):
        assert re.search(rf"^{name} +[0-9]+ inputs .* nothing found$", done.stdout, re.MULTILINE), \
            done.stdout


def test_a_finding_is_a_failure(tmp_path: Path):
    program = tmp_path / "fuzz_that_fails"
    program.write_text("#!/bin/sh\necho 'the finding'\nexit 77\n")
    program.chmod(0o755)
    done = run(RUN, "--inputs", "1", program)
    assert done.returncode == 1
    assert "the finding" in done.stdout
    assert re.search("^fuzz_that_fails .*A FINDING$", done.stdout, re.MULTILINE), done.stdout


def test_an_input_alone_is_tried_again(tmp_path: Path):
    log = tmp_path / "log"
    log.write_bytes((ROOT / "tests/golden/null-read.log").read_bytes())
    assert run(RECORDS, log).returncode == 0
