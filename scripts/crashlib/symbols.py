"""symbols.py - find the ELF file that a record's build id names.

Refuses a file whose build id differs, unless forced; then every output says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from crashlib.elf import ElfError, KernelElf, read_build_id, read_elf

ROOT = Path(__file__).resolve().parents[2]
SYSTEM_DEBUG = Path("/usr/lib/debug")


class SymbolsRefused(Exception):
    """The file given is not the one that the record names; the text says how they differ."""


@dataclass(frozen=True)
class Symbols:
    elf: KernelElf | None
    matched: bool  # the build ids are equal
    problem: str  # "" or, in one line, why `elf` is None or not to be trusted


def find_symbols(build_id: bytes, given: Path | None, force: bool, beside: Path) -> Symbols:
    """The ELF for this build id; `beside` is a folder to look in, too: the record's.  Raises
    SymbolsRefused, or ElfError for a bad `given`."""
    if given is not None:
        return _check_given(build_id, given, force)
    if not build_id:
        return Symbols(None, False, "the record names no build id: give the ELF with --elf")
    for path in candidates(build_id, beside):
        if read_build_id(path) == build_id:
            try:
                return Symbols(read_elf(path), True, "")
            except ElfError:
                continue  # damaged: another copy may do
    return Symbols(None, False, f"no ELF with build id {build_id.hex()} found: give it with --elf")


def candidates(build_id: bytes, beside: Path) -> Iterator[Path]:
    """Where that file may be, likeliest first."""
    seen: set[Path] = set()
    name = f"{build_id[:1].hex()}/{build_id[1:].hex()}.debug"
    for build in (Path("build"), ROOT / "build"):
        yield from _new_files(sorted(build.glob("*.elf")), seen)
        yield from _new_files([build / ".build-id" / name], seen)
    yield from _new_files(sorted(beside.glob("*.elf")), seen)
    yield from _new_files([SYSTEM_DEBUG / ".build-id" / name], seen)


def _new_files(paths: list[Path], seen: set[Path]) -> Iterator[Path]:
    for path in paths:
        real = path.resolve()
        if real not in seen and path.is_file():
            seen.add(real)
            yield path


def _check_given(build_id: bytes, given: Path, force: bool) -> Symbols:
    elf = read_elf(given)
    if build_id and elf.build_id == build_id:
        return Symbols(elf, True, "")
    theirs = elf.build_id.hex() or "none"
    problem = f"{given} has build id {theirs}, the record {build_id.hex() or 'none'}"
    if not build_id:
        problem = f"the record names no build id: {given} is taken on trust"
    if build_id and not force:
        raise SymbolsRefused(f"{problem}: not the crashed kernel (--force uses it anyway)")
    return Symbols(elf, False, problem)
