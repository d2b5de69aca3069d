"""test_sanitizer.py - a kernel made with SAN=ubsan: nothing undefined happens, unless asked for."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from crashes import STATUS
from crashlib.record import load
from guest import ROOT


@pytest.fixture(scope="module")
def sanitized(tmp_path_factory: pytest.TempPathFactory) -> Path:
    build = tmp_path_factory.mktemp("ubsan")
    subprocess.run(["make", "-j2", f"BUILD={build}", "SAN=ubsan", f"{build}/kernel.elf"], cwd=ROOT,
                   check=True, stdout=subprocess.PIPE)
    return build / "kernel.elf"


@pytest.mark.parametrize("run", ["provoke:panic", "provoke:stack-overflow"])
def test_a_crash_does_nothing_undefined_on_its_way(boot, sanitized, tmp_path, run):
    guest = boot(f"run={run} crashscope=all", "--disk", str(tmp_path / "disk"), "--memory", "24",
                 kernel=sanitized)
    assert guest.wait() == STATUS
    for record in (*load(guest.said.encode()), *load(tmp_path / "disk")):
        assert record.complete and record.nested == []
        assert record.cause.name in ("panic", "double fault")


def test_something_undefined_ends_in_a_crash_where_it_happens(boot, sanitized):
    guest = boot("run=provoke:undefined", kernel=sanitized)
    assert guest.wait() == STATUS
    [record] = load(guest.said.encode())
    assert record.cause.name == "invalid opcode"
    assert "provoke: undefined:" in record.log[-1].text
