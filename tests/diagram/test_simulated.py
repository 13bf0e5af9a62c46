"""The witness on the simulator's runs, with all their faults: what the program does is coherent; a wrong clock is seen."""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from pathlib import Path

import pytest

from lib.core.clock import LamportClock
from lib.core.facts import Event
from lib.diagram.causality import arrows, cuts
from lib.diagram.traces import read
from lib.diagram.witness import Finding, examine
from lib.edge.trace import Trace
from tests.simulator import World

SEEDS = range(1, 11)
ROUGH = {"clients": 4, "loss": 0.1, "repeat": 0.05, "reorder": 0.1, "crash": 0.03, "snapshots": 0.2, "restores": 0.1}


def findings(folder: Path, seed: int) -> tuple[list[Finding], int]:
    """What the witness says of a rough run, and of how many cuts there were."""
    told: dict[str, list[Event]] = defaultdict(list)

    class Watched(World):
        def _observe(self, name: str, event: Event) -> None:
            told[name].append(event)
            super()._observe(name, event)

    with suppress(AssertionError):  # the simulator's own judges may have seen it before
        Watched(seed, **ROUGH).run()
    for name, events in told.items():
        Trace(str(folder / f"{name}.trace.jsonl"), name).write(events)
    run = read(folder)
    return examine(run, arrows(run), cuts(run)), len(cuts(run))


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_incoherent_whatever_the_faults(tmp_path, seed):
    found, rounds = findings(tmp_path, seed)
    assert found == [] and rounds > 0


def test_a_clock_that_forgets_to_count_the_receipt_is_seen(tmp_path, monkeypatch):
    monkeypatch.setattr(LamportClock, "receive", lambda self, stamp: setattr(self, "time", max(self.time, stamp)))
    found, _ = findings(tmp_path, 1)
    assert {finding.name for finding in found} == {"backwards", "clock"}
