"""test_soak.py - the soak itself: a short one finds nothing, and a finding can be had again."""

from __future__ import annotations

import subprocess

from guest import ROOT

SOAK = ROOT / "tests/soak/soak.py"


def test_a_short_soak_finds_nothing(tmp_path):
    done = subprocess.run([SOAK, "--time", "5", "--seed", "1", "--folder", tmp_path], text=True,
                          capture_output=True)
    assert (done.returncode, list(tmp_path.iterdir())) == (0, []), done.stdout + done.stderr
    assert "no finding" in done.stdout


def test_a_finding_ends_it_and_says_how_to_have_it_again(tmp_path):
    """Here: the kernel is another than it was told to be."""
    done = subprocess.run([SOAK, "--time", "5", "--seed", "7", "--folder", tmp_path, "--append",
                           "run=provoke:null-read"], text=True, capture_output=True)
    assert done.returncode == 1, done.stdout
    assert "--seed 7 --round 1" in done.stderr
    said = (tmp_path / "7-1/console.log").read_text()
    assert "kernel crash" in said
