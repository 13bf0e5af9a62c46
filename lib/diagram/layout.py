"""Where everything stands: events in columns from left to right, sites in rows from top to bottom.

The columns are even: what happened at the same moment is not squeezed, silence takes no room. They follow the clock on the
wall, but no receipt stands before its sending: an arrow that went to the left would be a lie of the clocks.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from lib.diagram.causality import sendings
from lib.diagram.choice import View
from lib.diagram.traces import RECEIVE, Event, Run

COLUMN, WIDEST_COLUMN = 54.0, 100.0  # pixels from one column to the next, at least and at most
ROW, HIGHEST_ROW = 116.0, 220.0  # from one site to the next
TOP, LEFT = 78.0, 34.0
WIDTH = 1070.0  # of a picture, to its right edge, which few events are spread over
_SLOPE = 0.4  # height of a picture for its width, as far as the rows allow
_DIGIT, _LETTER = 9.0, 12.5  # width of a digit of a Lamport time, of a letter of a site's name


@dataclass(frozen=True, slots=True)
class Layout:
    """The places of a view, in pixels. `columns` has every event of the run: those that are not shown stand between."""

    rows: dict[str, float]
    columns: dict[Event, float]
    pitch: float
    row: float
    left: float
    right: float
    top: float
    bottom: float

    def x(self, event: Event) -> float:
        """What came before the first column stands at the left edge, what came after the last one at the right edge."""
        return min(self.left + self.columns[event] * self.pitch, self.right)

    def y(self, event: Event) -> float:
        """The height of its site's line."""
        return self.rows[event.site]


def arrange(run: Run, order: Sequence[Event], shown: View) -> Layout:
    """The layout of a view of a run whose events are in this `order`."""
    columns, last = _columns(run, order, shown)
    digits = max(len(str(event.lamport)) for event in shown.events)
    left = LEFT + max(map(len, shown.sites)) * _LETTER
    pitch = max(COLUMN, (digits + 2) * _DIGIT, min((WIDTH - left) / (last + 1), WIDEST_COLUMN))
    width = (last + 1) * pitch
    row = min(max(ROW, _SLOPE * width / len(shown.sites)), HIGHEST_ROW)
    rows = {name: TOP + row * (index + 0.5) for index, name in enumerate(shown.sites)}
    return Layout(rows, columns, pitch, row, left, left + width, TOP, TOP + row * len(rows))


def _columns(run: Run, order: Sequence[Event], shown: View) -> tuple[dict[Event, float], int]:
    """Every event's column, and the last column. Events of two sites share one when neither is the other's cause."""
    sends = sendings(run)
    columns: dict[Event, float] = {}
    latest: dict[str, int] = defaultdict(int)
    current, remaining = 0, len(shown.events)
    for event in order:
        if event not in shown.events:
            columns[event] = current + _between(current, remaining)
            continue
        send = sends.get(event.id) if event.kind == RECEIVE else None
        after = columns.get(send, 0.0) if send else 0.0
        current = max(current, latest[event.site] + 1, int(after) + 1)
        latest[event.site] = current
        columns[event] = float(current)
        remaining -= 1
    return columns, current


def _between(column: int, remaining: int) -> float:
    """How far behind the current column an event stands that is not shown: at the edges, or half-way to the next one."""
    return (0.5 if column else 0.0) if remaining else 1.0
