"""Widgets side by side: on one line where there is room, on more where there is not, and never cut off."""

from __future__ import annotations

import tkinter
from tkinter import ttk

import pytest

from lib.windows.widgets.flow import Flow


@pytest.fixture
def flow(window: tkinter.Tk) -> Flow:
    made = Flow(window)
    made.pack(fill="x")
    return made


def settled(flow: Flow) -> list[tuple[int, int]]:
    """Where the widgets stand: line by line, from left to right."""
    for _ in range(3):  # the height of the whole follows that of the lines
        flow.update()
    return [(widget.winfo_y(), widget.winfo_x()) for widget, _ in flow._items]


def buttons(flow: Flow, count: int) -> list[ttk.Button]:
    made = [ttk.Button(flow, text=f"Bouton n°{number}") for number in range(count)]
    for button in made:
        flow.add(button)
    return made


def test_what_fits_stands_on_one_line(flow: Flow) -> None:
    made = buttons(flow, 3)
    places = settled(flow)
    assert len({y for y, _ in places}) == 1 and places == sorted(places)
    assert flow.winfo_height() == made[0].winfo_height()


def test_what_does_not_fit_goes_on_in_the_next_line(flow: Flow, window: tkinter.Tk) -> None:
    made = buttons(flow, 8)
    for width in (900, 400, 250, 120):
        window.geometry(f"{width}x600")
        places = settled(flow)
        assert places == sorted(places), "in the order in which they were added"
        assert all(button.winfo_x() + button.winfo_width() <= width for button in made)
        assert max(y for y, _ in places) + made[0].winfo_height() <= flow.winfo_height()
    assert len({y for y, _ in places}) == 8


def test_one_that_grows_takes_what_is_left(flow: Flow, window: tkinter.Tk) -> None:
    entry = ttk.Entry(flow, width=5)
    flow.add(entry, grow=True)
    (button,) = buttons(flow, 1)
    for width in (600, 300):
        window.geometry(f"{width}x600")
        settled(flow)
        assert button.winfo_x() + button.winfo_width() == width
        assert entry.winfo_width() > width // 2


def test_a_text_that_becomes_longer_is_not_cut_off(flow: Flow, window: tkinter.Tk) -> None:
    window.geometry("400x600")
    label = ttk.Label(flow, text="1")
    flow.add(label)
    (button,) = buttons(flow, 1)
    assert len({y for y, _ in settled(flow)}) > 0 and label.winfo_y() < button.winfo_height()
    label.configure(text="100 000 billets sur 100 000, et encore davantage")
    settled(flow)
    assert label.winfo_width() == label.winfo_reqwidth()
    assert button.winfo_y() > label.winfo_y(), "no room beside it any more"


def test_it_may_end_while_something_is_still_to_be_laid_out(flow: Flow, window: tkinter.Tk) -> None:
    buttons(flow, 2)
    flow.destroy()
    window.update()
