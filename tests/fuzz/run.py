#!/usr/bin/python3
"""run.py - all fuzzers, one after the other: a line for each, and failure if one finds something.

A libFuzzer target begins with its corpus, NAME.corpus here: inputs as hex, one on each line.  What
a run adds stays in build/fuzz/ and is begun with the next time; --keep writes what is worth it back
to the corpus.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
RECORDS = "fuzz_records"
RECORDS_SHARE = 10  # Python is slower: of --inputs it tries one in so many


@dataclass(frozen=True)
class Result:
    name: str
    status: int
    inputs: str
    reached: str
    output: str


@contextmanager
def corpus_of(name: str) -> Iterator[Path]:
    """The kept inputs as the files that libFuzzer wants."""
    file = corpus_file(name)
    with tempfile.TemporaryDirectory(prefix="trapline-") as folder:
        for number, line in enumerate(file.read_text().split() if file.exists() else []):
            Path(folder, str(number)).write_bytes(bytes.fromhex(line))
        yield Path(folder)


def corpus_file(name: str) -> Path:
    return HERE / f"{name}.corpus"


def added_by(program: Path) -> Path:
    folder = program.with_suffix(".corpus")
    folder.mkdir(exist_ok=True)
    return folder


def run(command: list[str | Path]) -> tuple[int, str]:
    done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace")
    return done.returncode, done.stdout


def last(pattern: str, text: str) -> str:
    found = re.findall(pattern, text)
    return found[-1] if found else "?"


def run_program(program: Path, arguments: argparse.Namespace) -> Result:
    limit = (f"-runs={arguments.inputs}" if arguments.inputs
             else f"-max_total_time={arguments.seconds}")
    with corpus_of(program.name) as corpus:
        status, said = run([program, limit, f"-artifact_prefix={program}.", "-print_final_stats=1",
                            *([f"-seed={arguments.seed}"] if arguments.seed else []),
                            added_by(program), corpus])
    return Result(program.name, status, last(r"number_of_executed_units: (\d+)", said),
                  last(r"cov: (\d+)", said) + " branches", said)


def run_records(arguments: argparse.Namespace) -> Result:
    limit = (["--inputs", max(arguments.inputs // RECORDS_SHARE, 1)] if arguments.inputs
             else ["--seconds", arguments.seconds])
    seed = ["--seed", arguments.seed] if arguments.seed else []
    status, said = run([HERE / f"{RECORDS}.py", *limit, *seed, "--findings", arguments.build])
    return Result(RECORDS, status, last(r"(\d+) inputs", said),
                  last(r"(\d+) different", said) + " answers", said)


def keep(program: Path) -> None:
    """The fewest inputs that reach every branch."""
    with corpus_of(program.name) as corpus, tempfile.TemporaryDirectory() as chosen:
        status, said = run([program, "-merge=1", "-use_counters=0", chosen, corpus,
                            added_by(program)])
        if status != 0:
            sys.exit(f"run.py: {program.name} cannot merge:\n{said}")
        lines = sorted({path.read_bytes().hex() for path in Path(chosen).iterdir()})
    corpus_file(program.name).write_text("".join(f"{line}\n" for line in lines if line))
    print(f"{corpus_file(program.name).relative_to(ROOT)}: {len(lines)} inputs")


def main() -> int:
    parser = argparse.ArgumentParser(description="Run every fuzzer, and say what came of it.")
    parser.add_argument("programs", type=Path, nargs="+", metavar="PROGRAM",
                        help="the libFuzzer targets: build/fuzz/fuzz_... (make fuzz builds them)")
    parser.add_argument("--seconds", type=int, default=60, help="how long each runs (60)")
    parser.add_argument("--inputs", type=int, help="how many inputs each tries, instead "
                        "(the records' reader a tenth)")
    parser.add_argument("--seed", type=int, help="of the random numbers (another each time)")
    parser.add_argument("--keep", action="store_true", help="run none: write what earlier runs "
                        "have found worth keeping to the corpora")
    arguments = parser.parse_args()
    arguments.build = arguments.programs[0].parent
    if arguments.keep:
        for program in arguments.programs:
            keep(program)
        return 0
    failed = False
    for result in (*(run_program(program, arguments) for program in arguments.programs),
                   run_records(arguments)):
        failed = failed or result.status != 0
        if result.status != 0:
            print(result.output[-8000:])
        print(f"{result.name:16} {result.inputs:>10} inputs  {result.reached:>16}  "
              f"{'A FINDING' if result.status else 'nothing found'}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
