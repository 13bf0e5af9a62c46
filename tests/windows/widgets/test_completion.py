"""An entry that proposes, and never changes what was typed unless asked to."""

from __future__ import annotations

import tkinter
from tkinter import ttk

import pytest

from lib.core.tickets import fold
from lib.windows.widgets.completion import CompletionEntry
from tests.windows.person import click, press, write
from tests.windows.widgets.conftest import STRANGE_NAMES

STATIONS = ("Compiègne", "Compans", "L'Isle-d'Abeau", "Paris Nord", "Paris Est", "Saint-Étienne")


def candidates(text):
    return [name for name in STATIONS if fold(name).startswith(fold(text))]


@pytest.fixture
def variable(window):
    return tkinter.StringVar(window)


@pytest.fixture
def entry(window, variable):
    made = CompletionEntry(window, candidates, textvariable=variable)
    made.pack(padx=50, pady=50)
    ttk.Entry(window, name="next").pack()
    window.update()
    made.focus_set()
    window.update()
    return made


def has_keyboard(widget):
    return widget.focus_get() is widget


def test_it_proposes_as_one_types_without_accents(entry):
    write(entry, "compie")
    assert entry.choices == ("Compiègne",)
    press(entry, "BackSpace", "BackSpace")
    assert entry.choices == ("Compiègne", "Compans")
    assert has_keyboard(entry)


def test_it_lies_beneath_what_is_typed(entry):
    write(entry, "c")
    popup = entry._popup
    assert popup.winfo_viewable()
    assert popup.winfo_rooty() >= entry.winfo_rooty() + entry.winfo_height()
    assert popup.winfo_rootx() == entry.winfo_rootx() and popup.winfo_width() >= entry.winfo_width()


def test_at_the_end_of_the_screen_it_lies_above(entry, window):
    window.geometry("300x120+980+680")
    window.update()
    entry.focus_force()  # without a window manager, a window that leaves the mouse may lose the keyboard
    window.update()
    write(entry, "c")
    popup = entry._popup
    assert popup.winfo_rooty() + popup.winfo_height() <= entry.winfo_rooty()
    assert popup.winfo_rootx() + popup.winfo_width() <= window.winfo_screenwidth()


def test_down_and_return_take_a_choice(entry, variable):
    write(entry, "par")
    press(entry, "Down", "Down", "Return")
    assert variable.get() == "Paris Est" and not entry.choices
    assert entry.index("insert") == len("Paris Est")


def test_up_comes_back_to_what_was_typed(entry, variable):
    write(entry, "par")
    press(entry, "Down", "Up", "Return")
    assert variable.get() == "par"
    write(entry, "i")
    press(entry, "Up", "Return")
    assert variable.get() == "Paris Est"


def test_return_is_for_the_form_unless_something_was_chosen(entry):
    returns = []
    entry.bind("<Return>", lambda _: returns.append(entry.get()), add="+")
    write(entry, "par")
    press(entry, "Down", "Return")
    assert returns == []
    press(entry, "Return")
    assert returns == ["Paris Nord"]


def test_escape_closes_and_only_the_next_one_is_for_the_dialog(entry, window):
    escapes = []
    window.bind("<Escape>", lambda _: escapes.append(1))
    write(entry, "par")
    press(entry, "Escape")
    assert not entry.choices and entry.get() == "par" and escapes == []
    press(entry, "Escape")
    assert escapes == [1]


def test_tab_takes_what_was_chosen_and_goes_on(entry, variable, window):
    write(entry, "sai")
    press(entry, "Down", "Tab")
    assert variable.get() == "Saint-Étienne"
    assert has_keyboard(window.nametowidget("next")) and not entry.choices


def test_leaving_changes_nothing(entry, variable, window):
    write(entry, "par")
    press(entry, "Tab")
    assert variable.get() == "par" and not entry.choices and has_keyboard(window.nametowidget("next"))


def test_the_real_mouse_may_enter_the_list(entry):
    write(entry, "par")
    entry._list.event_generate("<Motion>", x=20, y=8, warp=True)
    for _ in range(20):
        entry.update()
        entry.after(5)
    assert entry.choices and has_keyboard(entry)
    assert entry._list.selection() == ("0",)
    press(entry, "Down", "Return")
    assert entry.get() == "Paris Est"


def test_a_click_takes_a_choice_and_the_keyboard_stays(entry, variable):
    write(entry, "par")
    _, y, _, height = entry._list.bbox("1")
    click(entry._list, 10, y + height // 2)
    assert variable.get() == "Paris Est" and not entry.choices and has_keyboard(entry)


def test_down_opens_all_and_no_more_than_the_limit(window):
    entry = CompletionEntry(window, candidates, limit=4)
    entry.pack()
    window.update()
    entry.focus_set()
    press(entry, "Down")
    assert entry.choices == STATIONS[:4]


def test_what_is_typed_to_the_end_needs_no_list(entry):
    write(entry, "Paris Nord")
    assert not entry.choices


def test_a_variable_that_changes_opens_nothing(entry, variable, window):
    variable.set("par")
    window.update()
    assert not entry.choices
    press(entry, "End")  # a key that writes nothing, the first after the change
    assert not entry.choices
    write(entry, "i")
    assert entry.choices == ("Paris Nord", "Paris Est")


@pytest.mark.parametrize("name", [name for name in STRANGE_NAMES if name])
def test_names_are_proposed_and_taken_as_they_are(window, name):
    entry = CompletionEntry(window, lambda _: [name])
    entry.pack()
    window.update()
    entry.focus_set()
    press(entry, "Down")
    (shown,) = window.tk.splitlist(window.tk.call(entry._list, "item", "0", "-values"))
    assert str(shown) == name
    press(entry, "Down", "Return")
    assert entry.get() == name


@pytest.mark.parametrize("how", ["click elsewhere", "move", "unmap", "destroy"])
def test_the_list_goes_with_what_it_belongs_to(entry, window, how):
    write(entry, "par")
    popup = entry._popup
    if how == "click elsewhere":
        click(window, 2, 2)
    elif how == "move":
        window.geometry("+60+70")
    elif how == "unmap":
        window.withdraw()
    else:
        entry.destroy()
    window.update()
    assert not popup.winfo_exists() or not popup.winfo_viewable()
    window.deiconify()
    window.geometry("+90+70")
    click(window, 2, 2)
