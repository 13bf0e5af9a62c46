"""How much is left."""

from __future__ import annotations

import pytest

from lib.windows.widgets.bars import CountDown, bar


@pytest.mark.parametrize(
    ("fraction", "filled"), [(-1, 0), (0, 0), (0.001, 1), (0.1, 1), (0.11, 2), (0.5, 5), (0.99, 10), (1, 10), (7, 10)]
)
def test_only_nothing_looks_like_nothing(fraction, filled):
    assert bar(fraction) == "▰" * filled + "▱" * (10 - filled)


def test_a_bar_has_as_many_cells_as_asked_for():
    assert bar(0.5, 4) == "▰▰▱▱"


def test_the_count_down_says_the_seconds_that_have_begun_and_warns_at_the_end(window):
    count = CountDown(window)
    shown = []
    for left in (60, 30.2, 15, 0.1, 0, -3):
        count.show(left, 60)
        shown.append((count.text, str(count._bar.cget("style")).startswith("Warning")))
    assert shown == [("60 s", False), ("31 s", False), ("15 s", True), ("1 s", True), ("0 s", True), ("0 s", True)]


def test_no_time_at_all_is_no_division_by_zero(window):
    count = CountDown(window)
    count.show(5, 0)
    assert count.text == "5 s"
