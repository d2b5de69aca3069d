"""test_budgets.py - each row of the budgets is kept, byte by byte."""

from __future__ import annotations

import pytest

from budgets import OPERATIONS, SOURCE, Operation, rig
from programs import make_kernel
from tap import Cost


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
