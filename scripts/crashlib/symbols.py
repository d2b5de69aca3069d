"""symbols.py - find the ELF file that a record's build id names.

Refuses a file whose build id differs, unless forced; then every output says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from crashlib.elf import ElfError, KernelElf, read_build_id, read_elf

ROOT = Path(__file__).resolve().parents[2]
SYSTEM_DEBUG = Path("/usr/lib/debug")  # GDB's debug-file-directory
FILES_MOST = 4096  # looked at in a folder that was given


class SymbolsRefused(Exception):
    """The file given is not the one that the record names; the text says how they differ."""


@dataclass(frozen=True)
class Symbols:
    elf: KernelElf | None
    matched: bool  # the build ids are equal
    problem: str  # "" or, in one line, why `elf` is None or not to be trusted


def find_symbols(build_id: bytes, given: Path | None, force: bool, beside: Path,
                 debug_folders: Sequence[Path] = ()) -> Symbols:
    """The ELF for this build id: `given`, a file or a folder; else in build/, in `beside`, which is
    the record's folder, in .build-id trees of `debug_folders` and the system, or from debuginfod.
    Raises SymbolsRefused, or ElfError for a bad `given`."""
    if given is not None and not given.is_dir():
        return _check_given(build_id, given, force)
    if not build_id:
        return Symbols(None, False, "the record names no build id: give the ELF with --elf")
    places = candidates(build_id, beside, debug_folders) if given is None else _below(given)
    for path in places:
        elf = _read_if_it_is(build_id, path)
        if elf is not None:
            return Symbols(elf, True, "")
    if given is not None:
        return Symbols(None, False, f"no ELF with build id {build_id.hex()} in {given}")
    return _ask_debuginfod(build_id)


def candidates(build_id: bytes, beside: Path, debug_folders: Sequence[Path]) -> Iterator[Path]:
    """Where that file may be, likeliest first."""
    seen: set[Path] = set()
    name = f".build-id/{build_id[:1].hex()}/{build_id[1:].hex()}"
    for build in (Path("build"), ROOT / "build"):
        yield from _new_files(sorted(build.glob("*.elf")), seen)
        yield from _new_files([build / f"{name}.debug"], seen)
    yield from _new_files(sorted(beside.glob("*.elf")), seen)
    for folder in (beside, *debug_folders, SYSTEM_DEBUG):
        yield from _new_files([folder / f"{name}.debug", folder / name], seen)


def _below(folder: Path) -> Iterator[Path]:
    """Every file in a folder that was given, of whatever name: .build-id trees have their own."""
    files = (path for path in folder.rglob("*") if path.is_file())
    for _, path in zip(range(FILES_MOST), files):
        yield path


def _read_if_it_is(build_id: bytes, path: Path) -> KernelElf | None:
    try:
        return read_elf(path) if read_build_id(path) == build_id else None
    except ElfError:
        return None  # damaged: another copy may do


def _ask_debuginfod(build_id: bytes) -> Symbols:
    from crashlib import debuginfod  # late: few need its HTTP

    why = ""
    if debuginfod.is_configured():
        try:
            return Symbols(read_elf(debuginfod.fetch(build_id)), True, "")
        except (debuginfod.NotFetched, ElfError) as error:
            why = f" ({error})"
    return Symbols(None, False,
                   f"no ELF with build id {build_id.hex()} found{why}: give it with --elf")


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
