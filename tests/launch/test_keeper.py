"""Who is started again, when, and how often: by a clock that is handed in."""

from __future__ import annotations

import pytest

from lib.launch.keeper import MINUTE, PAUSES, Relaunches


def test_pauses_grow_and_after_five_in_a_minute_it_is_over():
    relaunches, now, pauses = Relaunches(), 100.0, []
    while (pause := relaunches.died("c1", now)) is not None:
        pauses.append(pause)
        assert relaunches.next == now + pause
        assert relaunches.take_due(now + pause - 0.01) == []
        assert relaunches.take_due(now + pause) == ["c1"]
        assert relaunches.take_due(now + pause) == [] and relaunches.next is None
        now += pause + 0.1
    assert pauses == [0.5, 1, 2, 4, 8]
    assert now - 100.0 < MINUTE


def test_who_lived_for_a_minute_starts_afresh():
    relaunches, now = Relaunches(), 0.0
    for _ in range(20):
        assert relaunches.died("c1", now) == PAUSES[0]
        now += PAUSES[0] + MINUTE


@pytest.mark.parametrize("gap", [0.0, 5.0, 11.0, 20.0, 59.0])
def test_never_more_than_five_in_any_minute(gap):
    relaunches, now, starts = Relaunches(), 0.0, []
    for _ in range(30):
        pause = relaunches.died("c1", now)
        if pause is None:
            break
        now += pause
        starts.append(now)
        relaunches.take_due(now)
        now += gap
    for start in starts:
        assert sum(start <= other < start + MINUTE for other in starts) <= len(PAUSES)


def test_one_site_s_deaths_are_not_another_s():
    relaunches = Relaunches()
    assert [relaunches.died("c1", 0.0), relaunches.died("c1", 1.0), relaunches.died("c2", 1.0)] == [0.5, 1.0, 0.5]
    assert relaunches.next == 1.5
    assert relaunches.take_due(1.9) == ["c2"]
    assert relaunches.take_due(2.0) == ["c1"]
