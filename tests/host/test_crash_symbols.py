"""test_crash_symbols.py - the ELF that a build id names: folders, trees, debuginfod."""

from __future__ import annotations

import http.server
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from crash_records import build_victim
from crashlib import debuginfod, symbols
from crashlib.elf import KernelElf
from crashlib.symbols import SymbolsRefused, find_symbols

OTHER = bytes(20)


@pytest.fixture(scope="module")
def elf(tmp_path_factory) -> KernelElf:
    return build_victim(tmp_path_factory.mktemp("victim"))


@pytest.fixture(autouse=True)
def nothing_around(monkeypatch, tmp_path):
    """No build/ in the way, no servers, no cache, no program of elfutils."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(symbols, "SYSTEM_DEBUG", tmp_path / "nothing")
    monkeypatch.setenv(debuginfod.CACHE_VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setenv(debuginfod.TIMEOUT_VARIABLE, "20")
    monkeypatch.delenv(debuginfod.URLS_VARIABLE, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))


def find(build_id: bytes, given: Path | None = None, force: bool = False,
         folders: tuple[Path, ...] = ()) -> symbols.Symbols:
    return find_symbols(build_id, given, force, Path("."), folders)


def put_in_tree(elf: KernelElf, tree: Path, suffix: str) -> None:
    digits = elf.build_id.hex()
    path = tree / ".build-id" / digits[:2] / f"{digits[2:]}{suffix}"
    path.parent.mkdir(parents=True)
    path.write_bytes(elf.path.read_bytes())


@pytest.mark.parametrize("suffix", [".debug", ""])
def test_a_debug_folder_has_a_tree_of_build_ids(elf, tmp_path, suffix):
    put_in_tree(elf, tmp_path / "debug", suffix)
    assert not find(elf.build_id).matched
    assert find(elf.build_id, folders=(tmp_path / "debug",)).matched


def test_the_systems_debug_folder_is_looked_into(elf, tmp_path):
    put_in_tree(elf, tmp_path / "nothing", ".debug")
    assert find(elf.build_id).matched


def test_a_folder_that_was_given_is_searched_at_any_depth(elf, tmp_path):
    folder = tmp_path / "builds/yesterday"
    folder.mkdir(parents=True)
    (folder / "kernel").write_bytes(elf.path.read_bytes())
    assert find(elf.build_id, tmp_path / "builds").matched
    missing = find(OTHER, tmp_path / "builds")
    assert missing.elf is None and OTHER.hex() in missing.problem


def test_a_file_of_another_build_is_refused_and_if_forced_marked(elf):
    with pytest.raises(SymbolsRefused, match="--force"):
        find(OTHER, elf.path)
    forced = find(OTHER, elf.path, force=True)
    assert forced.elf is not None and not forced.matched and elf.build_id.hex() in forced.problem


# ---- debuginfod ----

class Server(http.server.BaseHTTPRequestHandler):
    """Has one file, under the build id in its path."""
    files: dict[str, bytes] = {}
    asked: list[str] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        data = self.files.get(self.path)
        self.send_response(200 if data is not None else 404)
        self.send_header("Content-Length", str(len(data or b"")))
        self.end_headers()
        self.wfile.write(data or b"")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch) -> Iterator[type[Server]]:
    Server.files, Server.asked = {}, []
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server) as served:
        thread = threading.Thread(target=served.serve_forever)
        thread.start()
        monkeypatch.setenv(debuginfod.URLS_VARIABLE,
                           f"ftp://unknown http://127.0.0.1:{served.server_port}/")
        monkeypatch.setenv("no_proxy", "*")
        yield Server
        served.shutdown()
        thread.join()


def path_of(build_id: bytes) -> str:
    return f"/buildid/{build_id.hex()}/debuginfo"


def test_debuginfod_is_asked_once_and_its_answer_kept(elf, server):
    server.files[path_of(elf.build_id)] = elf.path.read_bytes()
    assert find(elf.build_id).matched and find(elf.build_id).matched
    assert server.asked == [path_of(elf.build_id)]
    assert debuginfod.cache_folder().joinpath(elf.build_id.hex(), "debuginfo").is_file()


def test_debuginfod_that_has_nothing_is_named_in_the_problem(server):
    found = find(OTHER)
    assert found.elf is None and "debuginfod does not have it" in found.problem, found.problem


def test_debuginfod_that_sends_another_build_is_not_believed(elf, server):
    server.files[path_of(OTHER)] = elf.path.read_bytes()
    found = find(OTHER)
    assert found.elf is None and "another build id" in found.problem, found.problem


def test_a_debuginfod_that_is_not_there_is_named_in_the_problem(monkeypatch):
    monkeypatch.setenv(debuginfod.URLS_VARIABLE, "http://127.0.0.1:1/")
    found = find(OTHER)
    assert found.elf is None and "127.0.0.1:1" in found.problem, found.problem


def test_a_debuginfod_that_never_answers_is_given_up(monkeypatch):
    with http.server.socketserver.TCPServer(("127.0.0.1", 0), None) as silent:
        monkeypatch.setenv(debuginfod.URLS_VARIABLE, f"http://127.0.0.1:{silent.server_address[1]}")
        monkeypatch.setenv(debuginfod.TIMEOUT_VARIABLE, "0.2")
        found = find(OTHER)
    assert found.elf is None and "in time" in found.problem, found.problem


def test_without_its_variable_debuginfod_is_not_asked(elf, server, monkeypatch):
    server.files[path_of(elf.build_id)] = elf.path.read_bytes()
    monkeypatch.delenv(debuginfod.URLS_VARIABLE)
    assert find(elf.build_id).elf is None and server.asked == []


def test_the_systems_program_is_preferred_to_plain_http(elf, server, tmp_path):
    program = tmp_path / "bin/debuginfod-find"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n[ \"$1 $2\" = 'debuginfo {elf.build_id.hex()}' ] && "
                       f"echo {elf.path}\n")
    os.chmod(program, 0o755)
    assert find(elf.build_id).matched and server.asked == []
    assert find(OTHER).elf is None
