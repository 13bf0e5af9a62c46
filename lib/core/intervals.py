"""Sets of positive integers as closed intervals: cheap where numbers come in order, whatever their number.

Used for the sequence numbers that a relay has seen and for the ranks that a site has received: memory grows with the holes
(what was lost), not with what was said.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

# Ten thousand messages lost between two sites, each on its own: far more than any test of ours, and 1 MB of memory.
# Beyond it somebody forges numbers; the oldest hole is then closed, as if what is missing there had come.
MAX_INTERVALS = 10_000
# Holes in all sets that are alike together: one that comes late has room for fewer, but always for some. Whoever forges
# names, lives and numbers makes us keep some hundred MB at most.
MAX_HOLES, LEAST_HOLES = 100_000, 4


def room_for(sets: int) -> int:
    """How many intervals the last of so many sets may have."""
    return max(LEAST_HOLES, min(MAX_INTERVALS, MAX_HOLES // max(1, sets)))


class Intervals:
    """A set of integers, kept as ascending, disjoint, non-adjacent closed intervals, at most `limit` of them (0: many)."""

    __slots__ = ("_ends", "_limit", "_starts")

    def __init__(self, intervals: Iterable[Iterable[int]] = (), limit: int = 0) -> None:
        self._limit = limit or MAX_INTERVALS
        self._starts: list[int] = []
        self._ends: list[int] = []
        for start, end in intervals:
            if start > end or (self._ends and start <= self._ends[-1] + 1):
                raise ValueError("intervals ascend and do not touch")
            self._starts.append(start)
            self._ends.append(end)

    def __contains__(self, number: int) -> bool:
        at = bisect_right(self._starts, number) - 1
        return at >= 0 and number <= self._ends[at]

    def __bool__(self) -> bool:
        return bool(self._starts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Intervals) and self.as_list() == other.as_list()

    def __repr__(self) -> str:
        return f"Intervals({self.as_list()})"

    __hash__ = None  # type: ignore[assignment]  # it changes

    def as_list(self) -> list[list[int]]:
        """The intervals as `[[first, last], ...]`, ascending: the form of the snapshot file (contract, section 5)."""
        return [[start, end] for start, end in zip(self._starts, self._ends, strict=True)]

    def add(self, number: int) -> bool:
        """Put `number` in; False when it was there already."""
        ends = self._ends
        if ends and number == ends[-1] + 1:  # the next one in order: nearly always
            ends[-1] = number
            return True
        return self._insert(number)

    def _insert(self, number: int) -> bool:
        starts, ends = self._starts, self._ends
        at = bisect_right(starts, number)  # the interval before is at - 1, the one after is at
        if at and number <= ends[at - 1]:
            return False
        joins_before = at > 0 and ends[at - 1] + 1 == number
        joins_after = at < len(starts) and starts[at] == number + 1
        if joins_before and joins_after:
            ends[at - 1] = ends.pop(at)
            del starts[at]
        elif joins_before:
            ends[at - 1] = number
        elif joins_after:
            starts[at] = number
        else:
            starts.insert(at, number)
            ends.insert(at, number)
        if len(starts) > self._limit:
            del starts[1], ends[0]
        return True

    def missing_up_to(self, last: int) -> list[list[int]]:
        """The holes between 1 and `last`, as closed intervals."""
        holes, expected = [], 1
        for start, end in zip(self._starts, self._ends, strict=True):
            if expected > last:
                break
            if start > expected:
                holes.append([expected, min(start - 1, last)])
            expected = max(expected, end + 1)
        if expected <= last:
            holes.append([expected, last])
        return holes
