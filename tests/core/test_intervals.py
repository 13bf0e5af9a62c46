"""Sets of integers as intervals, against a plain set."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.core import intervals
from lib.core.intervals import Intervals, room_for

positive = st.integers(1, 60)


def filled(members: list[int]) -> Intervals:
    numbers = Intervals()
    for member in members:
        numbers.add(member)
    return numbers


@given(st.lists(positive))
def test_it_is_a_set(members: list[int]) -> None:
    numbers, plain = Intervals(), set()
    for member in members:
        assert numbers.add(member) == (member not in plain)
        plain.add(member)
        assert all((number in numbers) == (number in plain) for number in range(62))


@given(st.lists(positive))
def test_intervals_are_closed_ascending_and_never_touch(members: list[int]) -> None:
    """Contract, 5: "`received` is a list of closed intervals of ranks, ascending"."""
    pairs = filled(members).as_list()
    assert [n for start, end in pairs for n in range(start, end + 1)] == sorted(set(members))
    assert all(before[1] + 1 < after[0] for before, after in pairwise(pairs))


@given(st.lists(positive), st.integers(0, 62))
def test_what_is_missing_is_the_rest(members: list[int], last: int) -> None:
    holes = filled(members).missing_up_to(last)
    assert [n for start, end in holes for n in range(start, end + 1)] == sorted(set(range(1, last + 1)) - set(members))


@given(st.lists(positive))
def test_written_down_and_read_again_it_is_the_same(members: list[int]) -> None:
    numbers = filled(members)
    assert Intervals(numbers.as_list()) == numbers


@given(st.permutations(range(1, 30)))
def test_in_any_order_without_loss_one_interval_is_left(order: list[int]) -> None:
    """Contract, 2: "memory grows with what was lost, not with what was said"."""
    assert filled(order).as_list() == [[1, 29]]


@pytest.mark.parametrize("pairs", [[[2, 1]], [[1, 2], [3, 4]], [[5, 6], [1, 2]], [[1, 4], [4, 5]]])
def test_what_is_no_set_of_intervals_is_not_taken(pairs: list[list[int]]) -> None:
    with pytest.raises(ValueError):
        Intervals(pairs)


@given(st.lists(st.integers(1, 400), max_size=120))
def test_memory_is_bounded_and_only_the_oldest_holes_are_closed(members: list[int]) -> None:
    """house.md: "a limit on everything". Beyond it the oldest holes count as come; what came is never forgotten."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(intervals, "MAX_INTERVALS", 5)
        numbers = Intervals()
        for member in members:
            numbers.add(member)
            assert len(numbers.as_list()) <= 5
        assert all(member in numbers for member in members)
        newest = filled(members).as_list()
        closed = numbers.as_list()
        assert closed[1:] == newest[len(newest) - len(closed) + 1 :] or not closed


def test_the_bound_is_reached_by_holes_alone() -> None:
    """Every second number is lost: one interval each, up to the limit and no further."""
    numbers = filled(list(range(1, 2 * intervals.MAX_INTERVALS + 20, 2)))
    assert len(numbers.as_list()) == intervals.MAX_INTERVALS
    assert numbers.as_list()[0] == [1, 21]
    assert 23 in numbers and 24 not in numbers


@pytest.mark.parametrize("sets", [0, 1, 30, 10_000, 160_000, 10**9])
def test_there_is_room_for_some_holes_in_every_set(sets: int) -> None:
    """And never for all of them: a limit of 0 would be none."""
    assert intervals.LEAST_HOLES <= room_for(sets) <= intervals.MAX_INTERVALS
    assert room_for(sets) * sets <= max(intervals.MAX_HOLES, intervals.LEAST_HOLES * sets)
