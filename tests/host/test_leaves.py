"""test_leaves.py - the leaves know no processor: they compile without a warning for any."""

from __future__ import annotations

import subprocess

import pytest

from guest import DEADLINE, ROOT

LEAVES = ("trap", "gdbstub", "crashdump")
WARNINGS = ("-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror")


@pytest.mark.parametrize("target", ["i386-elf", "aarch64-elf", "powerpc-elf"])
def test_the_leaves_compile_for(target: str):
    sources = [path for leaf in LEAVES for path in sorted((ROOT / leaf).glob("*.c"))]
    done = subprocess.run(["clang", f"--target={target}", "-std=c11", "-ffreestanding",
                           "-fsyntax-only", "-I.", *WARNINGS, *sources], cwd=ROOT, text=True,
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=DEADLINE)
    assert done.returncode == 0, done.stderr
