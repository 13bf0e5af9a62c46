"""The whole system, thousands of seeded runs: safety under faults at every step, then convergence (house.md, habits)."""

from __future__ import annotations

from collections import Counter

import pytest

from tests import simulator

RUNS, PARTS = 2000, 20


@pytest.mark.parametrize("part", range(PARTS))
def test_seeded_runs(part: int) -> None:
    """One holder, none lost, Lamport's condition, numbers never used twice; then everything converges."""
    size = RUNS // PARTS
    counts: Counter[str] = Counter()
    failed = list(simulator.failures(range(1 + part * size, 1 + (part + 1) * size), counts))
    assert not failed, f"replay: python3 -m tests.simulator --runs 1 --seed {failed[0][0]}: {failed[0][1]}"
    assert counts["bought"] > 0 and counts["received"] > 0, "nothing happened: the simulation proves nothing"


def test_the_faults_take_place() -> None:
    """A simulation that breaks nothing would prove nothing: each fault happens in the runs of the suite."""
    counts: Counter[str] = Counter()
    assert not list(simulator.failures(range(1, 61), counts))
    for fault in ("lost", "repeated", "died before it stored", "died before it spoke", "died after it spoke"):
        assert counts[fault] > 0, fault


def test_one_seed_replays_everything() -> None:
    """The same seed gives the same run, to the last count."""
    assert simulator.run(5).counts == simulator.run(5).counts
