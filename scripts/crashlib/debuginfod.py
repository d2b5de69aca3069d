"""debuginfod.py - an ELF file by its build id, from the servers that DEBUGINFOD_URLS names.

The system's debuginfod-find if it is installed, else plain HTTP; both share elfutils' cache, and
both are given DEBUGINFOD_TIMEOUT seconds in all.  Asks nobody unless the environment says so, and
believes no server: what it sends must have that build id.
"""

from __future__ import annotations

import http.client
import os
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from crashlib.elf import read_build_id

URLS_VARIABLE, TIMEOUT_VARIABLE = "DEBUGINFOD_URLS", "DEBUGINFOD_TIMEOUT"
CACHE_VARIABLE = "DEBUGINFOD_CACHE_PATH"
TIMEOUT_S = 90  # elfutils' default
LONGEST_FILE = 1 << 31
CHUNK_BYTES = 1 << 16


class NotFetched(Exception):
    """No server gave the file; the text says why."""


def is_configured() -> bool:
    return bool(os.environ.get(URLS_VARIABLE, "").split())


def fetch(build_id: bytes) -> Path:
    """The file, in the cache.  Raises NotFetched."""
    cached = cache_folder() / build_id.hex() / "debuginfo"
    if read_build_id(cached) == build_id:
        return cached
    program = shutil.which("debuginfod-find")
    path = _ask_program(program, build_id) if program else _ask_servers(build_id, cached)
    if read_build_id(path) != build_id:
        raise NotFetched("debuginfod sent a file with another build id")
    return path


def cache_folder() -> Path:
    """As elfutils has it."""
    told = os.environ.get(CACHE_VARIABLE)
    base = os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
    return Path(told) if told else Path(base, "debuginfod_client")


def _timeout_s() -> float:
    try:
        return float(os.environ.get(TIMEOUT_VARIABLE, "")) or TIMEOUT_S
    except ValueError:
        return TIMEOUT_S


def _ask_program(program: str, build_id: bytes) -> Path:
    try:
        done = subprocess.run([program, "debuginfo", build_id.hex()], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              timeout=_timeout_s(), check=True)
        return Path(os.fsdecode(done.stdout.strip()))
    except subprocess.TimeoutExpired:
        raise NotFetched("debuginfod did not answer in time") from None
    except (OSError, subprocess.CalledProcessError):
        raise NotFetched("debuginfod does not have it") from None


def _ask_servers(build_id: bytes, cached: Path) -> Path:
    deadline = time.monotonic() + _timeout_s()
    why = "DEBUGINFOD_URLS names no http server"
    for server in os.environ[URLS_VARIABLE].split():
        if server.startswith(("http://", "https://")):
            try:
                return _download(f"{server.rstrip('/')}/buildid/{build_id.hex()}/debuginfo", cached,
                                 deadline)
            except urllib.error.HTTPError as error:
                why = ("debuginfod does not have it" if error.code == 404 else
                       f"debuginfod: {server} answers {error.code}")
            except TimeoutError:
                why = "debuginfod did not answer in time"
            except (OSError, ValueError, http.client.HTTPException) as error:
                why = f"debuginfod: {server}: {getattr(error, 'reason', error)}"
    raise NotFetched(why)


def _download(url: str, cached: Path, deadline: float) -> Path:
    """Into the cache, whole or not at all."""
    request = urllib.request.Request(url, headers={"User-Agent": "trapline-crash"})
    with urllib.request.urlopen(request, timeout=_left(deadline)) as answer:
        cached.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=cached.parent, delete=False) as file:
            try:
                _copy(answer, file, deadline)
                os.replace(file.name, cached)
            except BaseException:
                os.unlink(file.name)
                raise
    return cached


def _copy(answer, file, deadline: float) -> None:
    length = 0
    while chunk := answer.read1(CHUNK_BYTES):
        length += len(chunk)
        if length > LONGEST_FILE:
            raise ValueError("more than 2 GiB")
        _left(deadline)
        file.write(chunk)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
