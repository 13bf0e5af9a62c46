"""A date that is checked as one types, and its calendar."""

from __future__ import annotations

import tkinter
from datetime import date, timedelta

import pytest

from lib.windows.widgets.date_field import DateField, iso_date, may_become_date, month_name
from tests.windows.person import click, press, write

TODAY = date(2025, 3, 17)  # a Monday


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2025-03-17", "2025-03-17"),
        ("17/03/2025", "2025-03-17"),
        ("7/3/2025", "2025-03-07"),
        (" 2025-03-17 07:10 ", "2025-03-17T07:10"),
        ("17/03/2025 07:10", "2025-03-17T07:10"),
        ("2025-03-17T23:59", "2025-03-17T23:59"),
        ("29/02/2024", "2024-02-29"),
        ("29/02/2025", None),
        ("31/04/2025", None),
        ("0000-01-01", None),
        ("17/03/25", None),
        ("2025-03-17 24:00", None),
        ("2025-03-17  07:10", None),
        ("٢٠٢٥-03-17", None),
        ("demain", None),
        ("", None),
    ],
)
def test_dates_as_people_write_them(text, iso):
    assert iso_date(text) == iso


def test_a_time_may_be_out_of_place():
    assert iso_date("2025-03-17 07:10", time=False) is None


def test_every_beginning_of_a_date_may_become_one():
    day = date(2023, 12, 25)
    for _ in range(500):
        for text in (day.isoformat(), f"{day:%d/%m/%Y}", f"{day.day}/{day.month}/{day.year}", f"{day:%d/%m/%Y} 23:59"):
            assert all(may_become_date(text[:length]) for length in range(len(text) + 1)), text
        day += timedelta(1)


@pytest.mark.parametrize(
    "text", ["d", "2025-13", "2025-02-30", "32/", "31/04", "00/", "2025-03-17 25", "2025-03-17 07:60", "1/1/1/"]
)
def test_what_cannot_become_a_date_is_known_at_once(text):
    assert not may_become_date(text)


def test_months_in_both_languages():
    names = [(month_name(date(2025, month, 1), "fr"), month_name(date(2025, month, 1), "en")) for month in (1, 2, 8, 12)]
    assert names == [
        ("janvier 2025", "January 2025"),
        ("février 2025", "February 2025"),
        ("août 2025", "August 2025"),
        ("décembre 2025", "December 2025"),
    ]


@pytest.fixture
def heard():
    return []


@pytest.fixture
def field(window, heard):
    return made(window, on_change=heard.append, time=True)


def made(window, **options):
    field = DateField(window, today=lambda: TODAY, **options)
    field.pack(padx=50, pady=50)
    window.update()
    field.entry.focus_set()
    window.update()
    return field


def is_red(field):
    return field.entry.instate(["invalid"])


def test_it_follows_what_is_typed(field, heard):
    write(field, "17/03/2025")
    assert field.value == "2025-03-17" and not is_red(field)
    assert heard == [None] * 9 + ["2025-03-17"]


def test_it_turns_red_when_no_date_can_come_of_it(field):
    write(field, "31/0")
    assert not is_red(field)
    write(field, "4")
    assert is_red(field)
    press(field, "BackSpace")
    assert not is_red(field)


def test_it_turns_red_when_one_leaves_it_unfinished(field):
    write(field, "2025-0")
    assert not is_red(field)
    press(field, "Tab")
    field.winfo_toplevel().focus_set()
    field.update()
    assert is_red(field) and field.problem is not None


def test_nothing_is_a_date_or_not_as_one_likes(window):
    free, required = made(window), made(window, required=True)
    assert (free.value, free.problem, required.value) == ("", None, None)
    assert required.problem is not None


def test_the_arrows_choose_a_day(field):
    press(field, "Alt-Down")
    assert field.calendar.title_text == "mars 2025" and field.calendar.day == TODAY
    press(field, "Right", "Down", "Next", "Left", "Up", "Return")
    assert field.value == "2025-04-17" and field.calendar is None
    assert field.focus_get() is field.entry


def test_the_calendar_opens_at_the_date_and_keeps_its_time(field):
    write(field, "31/01/2024 07:10")
    press(field, "Alt-Down", "Next")
    assert field.calendar.day == date(2024, 2, 29)
    press(field, "Prior", "Return")
    assert field.value == "2024-01-29T07:10"


def test_escape_closes_the_calendar_and_not_the_dialog(field, window):
    escapes = []
    window.bind("<Escape>", lambda _: escapes.append(1))
    write(field, "17/03/2025")
    press(field, "Alt-Down", "Down", "Escape")
    assert field.calendar is None and field.value == "2025-03-17" and escapes == []
    press(field, "Escape")
    assert escapes == [1]


def test_the_mouse_can_do_it_alone(field):
    click(field._button)
    assert field.calendar
    arrows = [child for child in field.calendar.body.winfo_children() if child.cget("text") == "▶"]
    click(arrows[0])
    assert field.calendar.title_text == "avril 2025"
    click(field.calendar.days[0])
    assert field.value == "2025-03-31" and field.focus_get() is field.entry


def test_the_button_closes_what_it_opened(field):
    click(field._button)
    click(field._button)
    assert field.calendar is None


def test_weeks_begin_on_monday_and_days_are_marked(field):
    write(field, "05/03/2025")
    press(field, "Alt-Down")
    days = field.calendar.days
    assert [int(day.cget("text")) for day in days[:8]] == [24, 25, 26, 27, 28, 1, 2, 3]
    styles = {str(day.cget("style")): int(day.cget("text")) for day in days}
    assert styles["Chosen.Day.TLabel"] == 5 and styles["Today.Day.TLabel"] == 17
    assert str(days[0].cget("style")) == "Outside.Day.TLabel"
    assert [label.cget("text") for label in field.calendar.body.grid_slaves(row=1)][::-1] == [
        "lu",
        "ma",
        "me",
        "je",
        "ve",
        "sa",
        "di",
    ]


@pytest.mark.parametrize(
    ("text", "key"), [("9999-12-31", "Right"), ("9999-12-31", "Next"), ("0001-01-01", "Prior"), ("0001-01-01", "Up")]
)
def test_time_itself_has_ends(field, text, key):
    write(field, text)
    press(field, "Alt-Down", key, "Return")
    assert field.value == text


def test_typing_closes_the_calendar(field):
    press(field, "Alt-Down")
    write(field, "1")
    assert field.calendar is None and field.variable.get() == "1"


def test_english(window):
    field = made(window, language="en")
    field.toggle_calendar()
    assert field.calendar.title_text == "March 2025"


def test_the_variable_may_live_longer(window):
    variable = tkinter.StringVar(window)
    field = made(window, variable=variable)
    variable.set("2025-03-17")
    assert field.value == "2025-03-17"
    field.destroy()
    variable.set("2025-03-18")
