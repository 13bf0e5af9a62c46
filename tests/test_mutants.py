"""The suite must catch these wrongs, or it proves nothing: each mutant of `tests/mutants.py` falls within some runs."""

from __future__ import annotations

from collections import Counter

import pytest

from tests import simulator
from tests.mutants import MUTANTS

RUNS = 400  # many more than any of them survives


@pytest.mark.parametrize("name", MUTANTS)
def test_the_simulation_catches(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mutant that survived would be a hole in the judges."""
    for owner, attribute, wrong in MUTANTS[name]():
        monkeypatch.setattr(owner, attribute, wrong)
    # More snapshots and restorations than the seeds would draw: most of these wrongs are theirs.
    runs = simulator.failures(range(1, RUNS + 1), Counter(), snapshots=0.4, restores=0.4, steps=200)
    caught = next(runs, None)
    assert caught is not None, f"{name} survived {RUNS} runs"
