"""The bench still runs: every measure, in small, gives figures that can be. How fast is `bench/README.md`'s."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bench import __main__ as bench
from bench import plan, simulations, soak
from bench.relaying import WIDTH, line, write_lines
from bench.table import HEAD, Row, as_markdown, as_text, figure, spread
from lib.core import wire


@pytest.mark.parametrize("name", bench.MEASURES)
def test_a_measure_in_small_gives_plausible_figures(name: str) -> None:
    rows = bench.measure([name], quick=True)
    assert rows
    for row in rows:
        assert row.what and row.ours
        assert -100 < row.value < 10_000_000, row
        assert row.value > 0 or "ralentissement" in row.what or "n'est pas installé" in row.ours, row


@pytest.mark.parametrize("seed", range(20))
def test_a_plan_is_drawn_from_its_seed_and_its_graph_is_connected(seed: int) -> None:
    drawn = plan.draw(seed, 8, 300.0)
    assert drawn == plan.draw(seed, 8, 300.0) != plan.draw(seed + 1, 8, 300.0)
    for start in drawn.sites:
        reached = [start]
        for site in reached:
            reached += [b for a, b in drawn.links if a == site and b not in reached]
        assert sorted(reached) == sorted(drawn.sites)
    links = {"->".join(link) for link in drawn.links}
    for step in drawn.steps:
        assert 0 <= step.at < 300.0 - plan.QUIET
        assert step.who in (links if step.what == plan.CUT else drawn.sites)
        assert not (step.what == plan.KILL and step.who in drawn.spared)
        assert step.what not in plan.FAULTS or step.at % plan.MINUTE < plan.ROUGH
        assert step.who != plan.OFFICE or step.what in (plan.PHOTOGRAPH, plan.RESTORE, plan.FREEZE, plan.KILL)
    assert {step.what for step in drawn.steps} == set(plan.RATES)


def test_a_short_soak(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Three sites, one of which dies; all is right in the end, and nothing is left."""
    monkeypatch.setattr(plan, "QUIET", 2.0)
    monkeypatch.setattr(plan, "RATES", {**plan.RATES, plan.KILL: (1.0, 0.0, 1.0), plan.PHOTOGRAPH: (1.0, 0, 0)})
    monkeypatch.setattr(soak, "OPTIONS", ("--delai-instantane=3", "--delai=3", "--patience=5"))
    drawn, figures = soak.soak(3, 3, 8.0, tmp_path)
    assert not figures.problems
    assert figures.counts["kill"] > 0 and figures.counts["reserve owned"] > 0
    assert figures.counts["verified"] == figures.counts["snapshot complete"] > 0
    assert set(figures.samples) == set(drawn.sites)
    assert "| ce qui n'allait pas | rien |" in soak.report(drawn, figures)
    assert not list(tmp_path.iterdir())


def test_the_books_of_a_soak_do_not_balance_by_themselves() -> None:
    def states(**office: Any) -> dict[str, Any]:
        sold = [{"id": "B1", "client": "c1", "state": "sold"}]
        counts = {"free": soak.TICKETS - 1, "held": 0, "sold": 1}
        client = {"tickets": [{"id": "B1"}], "requests": [], "red": False}
        return {"gch": {**counts, "tickets": sold, "restoring": [], "red": False, **office}, "c1": client}

    assert soak.imbalance(states()) == ""
    assert "199 free" in soak.imbalance(states(sold=2))
    assert "held" in soak.imbalance(states(free=soak.TICKETS - 2, held=1))
    assert "not restored: ['c1']" in soak.imbalance(states(restoring=["c1"]))
    assert "red: ['gch']" in soak.imbalance(states(red=True))
    assert "the clients have []" in soak.imbalance(states() | {"c1": {"tickets": [], "requests": [], "red": False}})
    twice = states() | {"c2": {"tickets": [{"id": "B1"}], "requests": [], "red": False}}
    assert "('B1', 'c2')" in soak.imbalance(twice)


def test_quarters_are_the_medians_of_the_first_and_the_last() -> None:
    samples = [soak.Sample(float(at), 1, float(at), 1.0, 10) for at in range(1, 13)]
    assert soak.quarters(samples, lambda sample: sample.memory) == (2.0, 11.0)
    assert soak.quarters(samples[:1], lambda sample: sample.memory) == (1.0, 1.0)


def test_many_simulations_give_a_table_and_name_the_seeds_that_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    tally = simulations.simulate(range(1, 6))
    assert tally.runs == 5 and not tally.failed and "| invariants violés | 0 |" in tally.table()
    assert sum(tally.topologies.values()) == 5 and tally.counts["sent"] > 0

    def violated(seed: int) -> Any:
        raise AssertionError(f"seed {seed}")

    monkeypatch.setattr(simulations.simulator, "run", violated)
    assert simulations.simulate([7, 8]).failed == [7, 8]


def test_simulations_on_every_core_come_to_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulations, "SLICE", 2)
    assert simulations.simulate_everywhere(range(1, 6)) == simulations.simulate(range(1, 6))


def test_a_line_of_the_measures_is_one_of_ours_and_of_the_width_that_is_said() -> None:
    text = line("e1", 3, 123456)
    assert len(text) == WIDTH
    message = wire.decode(text.rstrip(b"\n"))
    assert (message.sender, message.life, message.sequence, message.to) == ("e1", 3, 123456, "z9")


def test_one_line_in_ten_was_seen_before(tmp_path: Path) -> None:
    fresh = write_lines(tmp_path / "lines", 1001, 1)
    lines = (tmp_path / "lines").read_bytes().splitlines()
    assert len(lines) == 1001
    assert len(set(lines)) == fresh == 901


def test_the_table_is_text_or_markdown() -> None:
    rows = [Row("a", "1", 1.0), Row("b", "2", 2.0, "c", "× 2", "≥ × 1", True), Row("d", "3", 3.0, held=False)]
    assert as_text(rows).count("\n") == 4
    markdown = as_markdown(rows).splitlines()
    assert markdown[0].count("|") == len(HEAD) + 1
    assert markdown[3] == "| b | 2 | c | × 2 | ≥ × 1 | oui |"


def test_figures_are_written_as_in_french() -> None:
    assert [figure(value) for value in (123456.7, 12.34, 1.234)] == ["123\u202f457", "12,3", "1,23"]
    assert spread([3, 1, 2]) == "2,00 [1,00 – 3,00]"
