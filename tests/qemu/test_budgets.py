"""test_budgets.py - each row of the budgets is kept, and docs/benchmarks.md tells it as counted."""

from __future__ import annotations

import re

import pytest

from budgets import OPERATIONS, SOURCE, Operation, rig
from guest import ROOT
from programs import make_kernel
from tap import Cost

REPEATS_WITHIN = 0.02  # of the figure; what threads and stacks hold is not the same each time
PUBLISHED = ROOT / "docs/benchmarks.md"


@pytest.fixture(scope="module")
def costs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Cost]:
    """All of them, of one session: {name: cost}."""
    elf = make_kernel(tmp_path_factory.mktemp("budgets") / "budgets.elf", SOURCE)
    with rig(elf) as rigged:
        return {operation.name: rigged.cost_of(operation) for operation in OPERATIONS}


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_the_budget_is_kept_by(costs, operation: Operation):
    cost = costs[operation.name]
    assert cost.round_trips <= operation.round_trips, cost
    assert cost.bytes <= operation.bytes, cost


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_what_is_published_is_counted_again_of(costs, operation: Operation):
    """If not: `make bench`."""
    row = re.search(rf"^\| {re.escape(operation.name)} \| (\d+) / \d+ \| ([\d,]+) /",
                    PUBLISHED.read_text(), re.MULTILINE)
    assert int(row[1]) == costs[operation.name].round_trips
    assert int(row[2].replace(",", "")) == pytest.approx(costs[operation.name].bytes,
                                                         rel=REPEATS_WITHIN)
