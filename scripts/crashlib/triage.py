"""triage.py - many inputs to a list of crashes, and the crashes to groups that are one bug each.

Decodes in several processes, each of which reads an ELF file once.  Starts no debugger.  A file in
which something is wrong costs that file alone.  What is printed and stored is triage_output.py's.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import signal
import stat
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import partial
from itertools import chain
from pathlib import Path

from crashlib.backtrace import TRUST_CFI, Frame, is_machinery
from crashlib.elf import ElfError
from crashlib.evidence import Evidence, build_id_of
from crashlib.explain import explain
from crashlib.frames import Trace, line_of, trace
from crashlib.inputs import InputRefused, open_input
from crashlib.record import Record, find_records
from crashlib.signature import make_signature
from crashlib.symbols import ROOT, Symbols, SymbolsRefused, find_symbols

PARALLEL_FROM = 8  # files: fewer are not worth starting processes for
CHUNK_MOST = 16  # files given to a process at a time


@dataclass(frozen=True)
class SymbolOptions:
    given: Path | None = None
    force: bool = False
    debug_folders: tuple[Path, ...] = ()


@dataclass
class Crash:
    """One crash, however many copies of its record there are."""
    crash: str  # its name: the same for each copy, different for any two crashes
    record_id: str
    boot_id: str
    sequence: int | None  # of the boot's crashes, from 1
    build_id: str
    signature: str
    weak: str  # "", or why the signature must equal no other
    kind: str  # "#PF read of null"
    functions: list[str]  # that the signature counts, innermost first
    rule: str  # "null-pointer"
    cause: str  # "null pointer: read at offset 0x18"
    file_line: str  # "kernel/provoke.c:55", of the first function that counts
    cpu: int | None
    uptime_us: int | None  # when it crashed, since boot
    seen: str  # when the input was last written to, in UTC: "2026-11-21T12:55:01Z"
    input: str
    number: int  # of the record in the input, from 1
    complete: bool  # the record is, and its symbols were found
    problems: list[str]
    copies: int = 1


@dataclass
class Group:
    """Crashes with one signature; or one with a weak signature."""
    crashes: list[Crash] = field(default_factory=list)  # as they were seen

    @property
    def example(self) -> Crash:
        """The latest of the complete ones."""
        return max(self.crashes, key=lambda crash: (crash.complete, _when(crash)))


@dataclass
class FileResult:
    file: str
    crashes: list[Crash]
    error: str = ""  # one line


def find_files(names: list[str]) -> list[str]:
    """The files named, and every regular file in the folders named.  Raises OSError for a name
    that there is not."""
    return list(dict.fromkeys(chain.from_iterable(map(_below, names))))


def _below(name: str) -> Iterator[str]:
    if name == "-" or not stat.S_ISDIR(os.stat(name).st_mode):
        yield name
        return
    for folder, folders, files in os.walk(name):
        folders.sort()
        paths = (os.path.join(folder, file) for file in sorted(files))
        yield from (path for path in paths if os.path.isfile(path))


def decode_all(files: list[str], options: SymbolOptions, jobs: int) -> Iterator[FileResult]:
    """In the order of the files."""
    work = partial(decode_file, options=options)
    if jobs < 2 or len(files) < PARALLEL_FROM or "-" in files:
        yield from map(work, files)
        return
    chunk = max(1, min(CHUNK_MOST, len(files) // (4 * jobs)))
    executor = ProcessPoolExecutor(jobs, initializer=_ignore_interrupts)
    try:
        yield from executor.map(work, files, chunksize=chunk)
    except BrokenProcessPool:
        raise InputRefused("a decoding process was killed, perhaps for want of memory: --jobs 1 "
                           "needs less") from None
    finally:
        executor.shutdown(wait=False, cancel_futures=True)


def _ignore_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that started us


def decode_file(file: str, options: SymbolOptions) -> FileResult:
    try:
        with open_input(file) as data:
            records = find_records(data)
        seen = _time_of(file)
        return FileResult(file, [_decode(record, file, number, seen, options)
                                 for number, record in enumerate(records, 1)])
    except InputRefused as error:
        return FileResult(file, [], str(error))
    except OSError as error:
        return FileResult(file, [], f"{file}: {error.strerror or error}")
    except Exception as error:  # a mistake in this program must not cost the other files
        return FileResult(file, [], f"{file}: internal error: {error!r}")


def _time_of(file: str) -> str:
    when = datetime.now(timezone.utc).timestamp() if file == "-" else os.stat(file).st_mtime
    return datetime.fromtimestamp(when, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _decode(record: Record, file: str, number: int, seen: str, options: SymbolOptions) -> Crash:
    evidence = Evidence(record, _symbols_for(build_id_of(record), file, options))
    traced = trace(evidence)
    signature = make_signature(evidence, traced)
    evidence.frames = [Frame(frame.pc, TRUST_CFI, function=name)
                       for frame in traced.frames for name in frame.functions]
    verdict, cause, symbols = explain(evidence), evidence.cause, evidence.symbols
    return Crash(
        crash=_name_of(record),
        record_id="" if record.record_id is None else f"{record.record_id:08x}",
        boot_id=record.boot_id or "", sequence=record.sequence,
        build_id=build_id_of(record).hex(), signature=signature.digest, weak=signature.weak,
        kind=signature.kind, functions=list(signature.functions), rule=verdict.rule,
        cause=verdict.cause, file_line=_file_line(evidence, traced),
        cpu=cause.cpu if cause else None, uptime_us=cause.uptime_us if cause else None,
        seen=seen, input=file, number=number,
        complete=record.complete and symbols.matched,
        problems=record.problems + ([symbols.problem] if symbols.problem else []),
        copies=record.provenance.copies)


# Of this process; "" in place of a folder for those that were found.
_symbols: dict[tuple[SymbolOptions, bytes, str], Symbols] = {}


def _symbols_for(build_id: bytes, file: str, options: SymbolOptions) -> Symbols:
    folder = str(Path(file).parent)
    for name in ((options, build_id, ""), (options, build_id, folder)):
        if name in _symbols:
            return _symbols[name]
    try:
        found = find_symbols(build_id, options.given, options.force, Path(folder),
                             options.debug_folders)
    except (SymbolsRefused, ElfError) as error:
        found = Symbols(None, False, str(error))
    _symbols[options, build_id, "" if found.matched else folder] = found
    return found


def _name_of(record: Record) -> str:
    """The record's id is 32 bits: among many records it needs the boot and the number, too."""
    if record.record_id is None:
        content = b"".join(data for _, data in record.pieces)
        return "content-" + hashlib.sha256(content).hexdigest()[:16]
    if record.header is None:
        return f"{record.record_id:08x}"
    return f"{record.record_id:08x}-{record.boot_id}-{record.sequence}"


def _file_line(evidence: Evidence, traced: Trace) -> str:
    for frame in traced.frames:
        if frame.functions and not is_machinery(frame.functions[0]):
            line = line_of(evidence, frame)
            return f"{line.file.removeprefix(f'{ROOT}/')}:{line.line}" if line.line else ""
    return ""


# ---- Grouping ----

def join_copies(crashes: Iterable[Crash]) -> list[Crash]:
    """One for each crash: the best of its copies, with the earliest time that it was seen."""
    found: dict[str, Crash] = {}
    for crash in crashes:
        other = found.setdefault(crash.crash, crash)
        if other is not crash:
            found[crash.crash] = _better(other, crash)
    for name in [name for name in found if name == found[name].record_id]:  # no header: no boot
        same = [other for other in found if other.startswith(f"{name}-")]
        if len(same) == 1:
            found[same[0]] = _better(found[same[0]], found.pop(name))
    return list(found.values())


def _better(first: Crash, second: Crash) -> Crash:
    best = second if _worth(second) > _worth(first) else first
    return dataclasses.replace(best, seen=min(first.seen, second.seen),
                               copies=first.copies + second.copies)


def _worth(crash: Crash) -> tuple[bool, bool, int]:
    return crash.complete, not crash.weak, -len(crash.problems)


def group(crashes: list[Crash]) -> list[Group]:
    """The most frequent first, then the latest; a weak signature is a group by itself."""
    groups: dict[str, Group] = {}
    for crash in sorted(crashes, key=_when):
        name = f"weak {crash.crash}" if crash.weak else crash.signature
        groups.setdefault(name, Group()).crashes.append(crash)
    ordered = sorted(groups.values(), key=lambda g: _when(g.crashes[-1]), reverse=True)
    return sorted(ordered, key=lambda g: (bool(g.example.weak), -len(g.crashes)))


def _when(crash: Crash) -> tuple[str, str, int]:
    """Boots have no order but that of their inputs; within an input, that of its records."""
    return crash.seen, crash.input, crash.number
