"""A link over time, without a pipe: every line is somewhere, in order unless that was drawn, and never before its time."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.cable import link as module
from lib.cable.faults import Faults
from lib.cable.link import ASIDE, Link
from tests.cable.test_faults import ROUGH

ROOM = 10**9
GAPS = st.lists(st.floats(0, 2), min_size=1, max_size=60)  # seconds between one line and the next


def balanced(link: Link) -> bool:
    counts = link.counts
    gone = counts.delivered + counts.lost + counts.cut + counts.overflowed + counts.untaken
    return counts.read + counts.doubled == gone + link.waiting


def carried(link: Link, gaps: list[float]) -> list[tuple[float, int]]:
    """Numbers, one a line, sent with these gaps through a link that is looked at whenever it wants: when each came out."""
    now, came = 0.0, []

    def look(until: float) -> None:
        nonlocal now
        while link.deadline <= until:
            now = max(now, link.deadline)
            came.extend((now, int(line)) for line in link.release(now, ROOM))
            assert balanced(link)
        now = max(now, until)

    for number, gap in enumerate(gaps):
        look(now + gap)
        link.take([b"%d" % number], now)
        assert balanced(link)
    look(now + 1000.0)
    assert link.waiting == 0 and link.deadline == math.inf
    return came


def sent_at(gaps: list[float]) -> list[float]:
    return [sum(gaps[: number + 1]) for number in range(len(gaps))]


@given(ROUGH, GAPS, GAPS)
def test_the_same_seed_does_the_same_whatever_the_timing(faults, gaps, others):
    gaps, others = gaps[: len(others)], others[: len(gaps)]
    first, second = Link("a->b", faults), Link("a->b", faults)
    came, came_otherwise = carried(first, gaps), carried(second, others)
    assert sorted(number for _, number in came) == sorted(number for _, number in came_otherwise)
    assert (first.counts.lost, first.counts.doubled) == (second.counts.lost, second.counts.doubled)
    assert first.counts.overtaken == second.counts.overtaken


@given(st.floats(0, 500), st.floats(0, 500), GAPS)
def test_lines_that_are_only_late_keep_their_order_and_their_time(delay, jitter, gaps):
    link = Link("a->b", Faults(delay=delay, jitter=jitter))
    came = carried(link, gaps)
    assert [number for _, number in came] == list(range(len(gaps)))
    for (at, number), sent in zip(came, sent_at(gaps), strict=True):
        assert at >= sent + delay / 1000 - 1e-6, number
        assert at <= sent + (delay + jitter) / 1000 + 1e-6, "no longer than the longest"


@given(st.floats(0, 1), GAPS)
def test_only_those_that_are_set_aside_are_overtaken_and_not_for_long(reorder, gaps):
    faults = Faults(reorder=reorder)
    came = carried(Link("a->b", faults), gaps)
    assert sorted(number for _, number in came) == list(range(len(gaps)))
    others = [number for _, number in came if not faults.fate("a->b", number + 1).overtaken]
    assert others == sorted(others)
    sent = sent_at(gaps)
    assert all(at <= sent[number] + ASIDE + 1e-6 for at, number in came)


def test_who_is_set_aside_lets_the_next_ones_pass():
    """The dice of the name `x`: the second of these lines is set aside for one other, the first and third go on."""
    name, faults = next(
        (name, faults)
        for name in map(str, range(1000))
        if [(faults := Faults(reorder=0.3)).fate(name, n).overtaken for n in (1, 2, 3, 4)] == [0, 1, 0, 0]
    )
    link = Link(name, faults)
    link.take([b"1", b"2", b"3", b"4"], 0.0)
    assert link.release(0.0, ROOM) == [b"1", b"3", b"2", b"4"]
    assert link.counts.overtaken == 1


def test_the_last_of_a_conversation_arrives_too():
    link = Link("a->b", Faults(reorder=1))
    link.take([b"bye"], 10.0)
    assert link.release(10.0, ROOM) == [] and link.waiting == 1
    assert link.deadline == 10.0 + ASIDE
    assert link.release(10.0 + ASIDE, ROOM) == [b"bye"]


def test_of_a_line_that_comes_twice_the_copy_may_be_overtaken():
    link = Link("a->b", Faults(repeat=1, reorder=1))
    link.take([b"1"], 0.0)
    assert link.release(0.0, ROOM) == [b"1"]
    link.take([b"2", b"3", b"4"], 0.1)
    assert link.release(5.0, ROOM).count(b"1") == 1
    assert link.counts.doubled == 4


def test_a_rate_is_bytes_a_second_newlines_counted():
    link = Link("a->b", Faults(rate=100))
    link.take([b"x" * 49] * 4, 0.0)
    assert [len(link.release(now, ROOM)) for now in (0.49, 0.5, 0.99, 1.0, 10.0)] == [0, 1, 0, 1, 2]
    link.take([b"x" * 49], 20.0)  # an idle link saves nothing up
    assert (link.release(20.49, ROOM), link.release(20.5, ROOM)) == ([], [b"x" * 49])


def test_no_more_is_released_than_there_is_room_for():
    link = Link("a->b", Faults())
    link.take([b"abc", b"de", b"f"], 0.0)
    assert link.release(0.0, 3) == []
    assert link.release(0.0, 7) == [b"abc", b"de"]
    assert link.release(0.0, 2) == [b"f"]


def test_a_cut_loses_what_comes_and_lets_arrive_what_was_on_its_way():
    link = Link("a->b", Faults(delay=100))
    link.take([b"1"], 0.0)
    link.cut()
    link.take([b"2", b"3"], 0.01)
    assert link.release(1.0, ROOM) == [b"1"]
    link.mend()
    link.take([b"4"], 1.0)
    assert link.release(2.0, ROOM) == [b"4"]
    assert (link.counts.read, link.counts.cut, link.counts.delivered) == (4, 2, 2)


def test_lines_that_a_cut_has_lost_count_for_the_dice():
    """The fifth line has the fate of the fifth, whatever happened to the others."""
    faults = Faults(loss=0.5)
    link = Link("a->b", faults)
    link.cut()
    link.take([b"x"] * 4, 0.0)
    link.mend()
    link.take([b"%d" % n for n in range(5, 50)], 0.0)
    expected = [b"%d" % n for n in range(5, 50) if faults.fate("a->b", n).copies]
    assert link.release(0.0, ROOM) == expected


def test_a_pause_holds_everything_and_steps_let_one_line_pass_each():
    link = Link("a->b", Faults(delay=1000))
    link.take([b"1"], 0.0)
    link.pause()
    link.take([b"2", b"3", b"4"], 0.0)
    assert link.release(5.0, ROOM) == [] and link.deadline == math.inf
    assert link.step() == b"1" and link.step() == b"2"
    assert link.deadline < math.inf
    assert link.release(0.1, ROOM) == [b"1", b"2"], "even before their time"
    assert link.release(5.0, ROOM) == []
    link.step()
    link.resume()
    assert link.release(5.0, ROOM) == [b"3", b"4"]
    link.take([b"5"], 5.0)
    link.pause()
    assert link.release(9.0, ROOM) == [], "a step that was not used is forgotten"


def test_a_step_needs_a_pause_and_a_line():
    link = Link("a->b", Faults())
    link.take([b"1"], 0.0)
    assert link.step() is None
    link.pause()
    assert link.step() == b"1" and link.step() is None


def test_other_faults_are_for_what_comes_from_then_on():
    link = Link("a->b", Faults(delay=1000))
    link.take([b"1"], 0.0)
    link.set(Faults(delay=5000, loss=1), 0.5)
    link.take([b"2"], 0.5)
    assert link.release(0.9, ROOM) == []
    assert link.release(1.0, ROOM) == [b"1"], "what was on its way keeps its time"
    assert link.counts.lost == 1


@pytest.mark.parametrize("before", [Faults(rate=1), Faults(delay=60_000), Faults(jitter=60_000, rate=10)])
def test_a_link_that_is_healed_lets_go_what_waited_in_its_order(before):
    link = Link("a->b", before)
    lines = [b"%d" % n * 100 for n in range(10)]
    link.take(lines, 0.0)
    assert link.release(2.0, ROOM) == []
    link.set(Faults(), 2.0)
    link.take([b"new"], 2.0)
    assert link.release(2.0, ROOM) == [*lines, b"new"]


def test_a_slow_link_that_is_made_faster_passes_what_waits_at_the_new_rate():
    link = Link("a->b", Faults(rate=1))
    link.take([b"x" * 99] * 3, 0.0)
    link.set(Faults(rate=100), 10.0)
    link.take([b"y" * 99], 10.0)
    assert [len(link.release(10.0 + second, ROOM)) for second in range(6)] == [0, 1, 1, 1, 1, 0]


def test_what_is_too_much_is_lost_and_counted(monkeypatch):
    """A queue is bounded by what it costs in memory: empty lines too. Who feeds it is told to stop well before."""
    monkeypatch.setattr(module, "LIMIT", 10_000)
    for line in (b"", b"x" * 1000):
        link = Link("a->b", Faults(delay=1000))
        before = 0
        while not link.is_full:
            link.take([line], 0.0)
            before += 1
        assert link.counts.overflowed == 0 and before * (len(line) + 100) < 12_000
        link.take([line] * 2000, 0.0)
        assert link.counts.overflowed > 0 and balanced(link)
        assert link.release(2.0, ROOM) and not link.is_full


def test_the_report_names_what_is_rare_only_when_it_happened():
    link = Link("a->b", Faults(loss=1))
    link.take([b"1", b"2"], 0.0)
    assert link.report.fr == "2 lues, 0 livrées, 2 perdues, 0 doublées, 0 dépassées, 0 retardées"
    assert link.report.en == "2 read, 0 delivered, 2 lost, 0 doubled, 0 overtaken, 0 delayed"
    link.cut()
    link.take([b"3"], 0.0)
    assert link.report.fr.endswith("0 retardées, 1 arrêtées par la coupure")
