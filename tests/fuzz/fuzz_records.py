#!/usr/bin/python3
"""fuzz_records.py - any bytes as a crash record: the reader comes to an end, with an answer.

Inputs are mutated: the lines of a log, or a record's sections, sealed again with right checksums
so that what they hold is decoded.  An input that shows something new (a complaint, a rule that
explains the crash) is mutated further.  No exception may leave the reader, the core's writer or the
report; and what it calls complete must say the same again when it is read as raw bytes.

Stops at a finding, and leaves the input in a file.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "scripts")]

from crashlib import cstruct  # noqa: E402  (the line above finds it)
from crashlib.core import make_core  # noqa: E402
from crashlib.crc32c import crc32c  # noqa: E402
from crashlib.evidence import Evidence  # noqa: E402
from crashlib.payload import padded  # noqa: E402
from crashlib.payloads import End, Header, SectionHeader  # noqa: E402
from crashlib.record import Record, load  # noqa: E402
from crashlib.report import make_report  # noqa: E402
from crashlib.sections import HEADER_BYTES  # noqa: E402
from crashlib.symbols import Symbols  # noqa: E402
from crashlib.text import render  # noqa: E402

HEADER_LENGTH, HEADER_CHECKED = 128, 124
KEPT_INPUTS = 500  # that are mutated further
NO_SYMBOLS = Symbols(None, False, "none are given")
TELLING = (0, 1, 2, 7, 8, 0x7f, 0x80, 0xff, 0xffff, 1 << 31, (1 << 32) - 1, 1 << 47, 1 << 63,
           (1 << 64) - 1)


@dataclass(frozen=True)
class Part:
    header: SectionHeader
    payload: bytes  # as it is stored


@dataclass
class State:
    random: random.Random
    logs: list[list[bytes]]
    records: list[list[Part]]
    seen: set[str] = field(default_factory=set)


# ---- Inputs ----

def parts_of(record: Record) -> list[Part]:
    image, _ = record.extract()
    return [Part(section.header,
                 image[section.offset + HEADER_BYTES:][:section.header.stored_length])
            for section in record.sections if section.header and section.tag != "ENDS"]


def seal(parts: list[Part]) -> bytes:
    """A raw record of these, and ENDS, with every checksum right."""
    header = Header(b"TRAP\xf1\r\n\x1a", 1, 0, HEADER_LENGTH, 62, 2, 1, b"boot" * 4, b"id" * 10,
                    20, 0, 0, bytes(52), 0)
    header.crc = crc32c(cstruct.encode(header)[:HEADER_CHECKED])
    raw, heads = cstruct.encode(header), []
    for part in parts:
        heads.append(sealed_header(part))
        raw += heads[-1] + part.payload + bytes(padded(len(part.payload)) - len(part.payload))
    crcs = crc32c(b"".join(head[-4:] for head in heads))
    end = cstruct.encode(End(len(heads), 0, len(raw), 0, crcs, len(heads))) + b"".join(heads)
    last = Part(SectionHeader(b"ENDS", 1, 0, 0, len(end), 0, 0, 0), end)
    return raw + sealed_header(last) + end


def sealed_header(part: Part) -> bytes:
    head = SectionHeader(**{**vars(part.header), "stored_length": len(part.payload), "crc": 0})
    head.crc = crc32c(cstruct.encode(head) + part.payload)
    return cstruct.encode(head)


# ---- Mutations ----

def spoil(data: bytes, rng: random.Random) -> bytes:
    """A few bytes are others, too many, or gone."""
    image = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        at = rng.randrange(len(image) + 1)
        size = rng.choice((1, 2, 4, 8))
        value = (rng.choice(TELLING) & (1 << 8 * size) - 1).to_bytes(size, "little")
        kind = rng.randrange(5)
        if kind == 0:
            image[at:at + 1] = bytes([rng.randrange(256)])
        elif kind == 1:
            image[at & -size:(at & -size) + size] = value
        elif kind == 2:
            del image[at:at + rng.choice((1, 8, 64))]
        elif kind == 3:
            image[at:at] = value
        else:
            start = rng.randrange(len(image) + 1)
            image[at:at] = image[start:start + rng.choice((1, 8, 64))]
    return bytes(image)


def change_line(lines: list[bytes], rng: random.Random) -> None:
    at = rng.randrange(len(lines))
    kind = rng.randrange(5)
    if kind == 0:
        lines[at] = spoil(lines[at], rng)
    elif kind == 1:
        del lines[at:at + rng.choice((1, 2, 8, 32))]
    elif kind == 2:
        lines.insert(rng.randrange(len(lines)), lines[at])
    elif kind == 3:
        lines[at:at + 2] = [b"".join(lines[at:at + 2])]
    else:
        lines.append(lines.pop(at))


def change_part(parts: list[Part], others: list[Part], rng: random.Random) -> None:
    at = rng.randrange(len(parts))
    header, kind = SectionHeader(**vars(parts[at].header)), rng.randrange(5)
    if kind <= 1:
        parts[at] = Part(header, spoil(parts[at].payload, rng))
    elif kind == 2:
        name = rng.choice(("version", "flags", "raw_length", "address", "index"))
        width = {"version": 8, "flags": 4, "address": 64}.get(name, 32)
        setattr(header, name, rng.choice(TELLING) & (1 << width) - 1)
        parts[at] = Part(header, parts[at].payload)
    elif kind == 3:
        del parts[at]
    else:
        parts.insert(at, rng.choice(others))


def next_input(state: State) -> tuple[bytes, Callable[[], None]]:
    """An input, and what keeps it to be mutated further."""
    rng = state.random
    if rng.random() < 0.3:
        lines = list(rng.choice(state.logs))
        for _ in range(rng.choice((1, 2, 8))):
            change_line(lines, rng)
            lines = lines or [b""]
        return b"\n".join(lines), lambda: state.logs.append(lines)
    parts = list(rng.choice(state.records))
    for _ in range(rng.choice((1, 1, 2, 4))):
        change_part(parts, rng.choice(state.records), rng)
        parts = parts or list(state.records[0])
    return seal(parts), lambda: state.records.append(parts)


# ---- What must hold ----

def check(data: bytes) -> set[str]:
    """Read it, all of it; what was seen, in words."""
    seen = set()
    for record in load(data):
        again = [other for other in load(record.extract()[0]) if other.complete]
        if record.complete:
            assert again, "what was complete is not, as raw bytes"
            assert tags(again[0]) == tags(record), "as raw bytes it has other sections"
        evidence = Evidence(record, NO_SYMBOLS)
        report = make_report(evidence)
        json.dumps(report.as_json())
        render(report)
        make_core(evidence)
        words = [report.rule, *record.problems, *report.warnings, *report.backtrace_notes]
        seen |= {re.sub(r"(0x)?[0-9a-f]*[0-9][0-9a-f]*", "N", word) for word in words}
    return seen


def tags(record: Record) -> list[str]:
    return [section.tag for section in record.sections]


def fuzz(state: State, arguments: argparse.Namespace) -> int:
    """Returns how many inputs were tried; ends the program at a finding."""
    start, tried = time.monotonic(), 0
    while tried < (arguments.inputs or sys.maxsize):
        if not arguments.inputs and time.monotonic() - start >= arguments.seconds:
            break
        data, keep = next_input(state)
        tried += 1
        try:
            seen = check(data)
        except Exception:  # whatever it is: it is what this program looks for
            file = arguments.findings / f"finding-{crc32c(data):08x}"
            file.write_bytes(data)
            traceback.print_exc()
            sys.exit(f"fuzz_records.py: {file} shows it, after {tried} inputs")
        if not seen <= state.seen and len(state.logs) + len(state.records) < KEPT_INPUTS:
            keep()
        state.seen |= seen
    return tried


def main() -> int:
    parser = argparse.ArgumentParser(description="Read mutated crash records until one is a "
                                     "finding.")
    parser.add_argument("files", type=Path, nargs="*", metavar="FILE",
                        help="try these inputs, once, and no others")
    parser.add_argument("--seconds", type=float, default=60, help="how long (60)")
    parser.add_argument("--inputs", type=int, help="how many, instead")
    parser.add_argument("--seed", type=int, help="of the random numbers (by the time)")
    parser.add_argument("--findings", type=Path, default=Path(), metavar="DIR",
                        help="where an input that is a finding goes (here)")
    arguments = parser.parse_args()
    if arguments.files:
        for file in arguments.files:
            check(file.read_bytes())
        return 0
    seed = time.time_ns() % (1 << 32) if arguments.seed is None else arguments.seed
    logs = [path.read_bytes() for path in sorted((ROOT / "tests/golden").glob("*.log"))]
    state = State(random.Random(seed), [log.splitlines() for log in logs],
                  [parts_of(record) for log in logs for record in load(log)])
    tried = fuzz(state, arguments)
    print(f"seed {seed}: {tried} inputs, {len(state.seen)} different answers")
    return 0


if __name__ == "__main__":
    sys.exit(main())
