"""Fields that say what is wrong beside it, and forms made of them."""

from __future__ import annotations

from tkinter import ttk

import pytest

from lib.texts import Text
from lib.windows.widgets.completion import CompletionEntry
from lib.windows.widgets.date_field import DateField
from lib.windows.widgets.field import Field, Form
from tests.windows.person import press, write
from tests.windows.widgets.conftest import STRANGE_NAMES

NUMBER = Text("un nombre est attendu", "a number is expected")


def number(text):
    return None if text.isdigit() else NUMBER


@pytest.fixture
def heard():
    return []


@pytest.fixture
def form(window, heard):
    made = Form(
        window,
        columns=2,
        on_submit=lambda values: heard.append(values),
        on_cancel=lambda: heard.append("cancelled"),
        on_change=lambda: heard.append("changed"),
    )
    made.add("prix", "Prix", number, initial="15")
    made.add("gare", "Gare", make=lambda parent, variable: CompletionEntry(parent, lambda _: [], textvariable=variable))
    made.add("date", "Date", make=lambda parent, variable: DateField(parent, variable))
    made.pack(fill="both")
    window.update()
    made.focus_first()
    window.update()
    return made


def is_red(field):
    return field.entry.instate(["invalid"])


def test_a_field_complains_from_the_first_edit_on(window):
    field = Field(window, "Prix", number)
    field.pack()
    window.update()
    assert field.problem == NUMBER and field.message == "" and not is_red(field)
    field.entry.focus_set()
    write(window, "x")
    assert field.message == "un nombre est attendu" and is_red(field)
    press(window, "BackSpace")
    write(window, "7")
    assert field.message == "" and not is_red(field) and field.value == "7"


def test_a_field_speaks_the_language_it_was_made_for(window):
    field = Field(window, "Price", number, language="en")
    assert field.complain() and field.message == "a number is expected"


@pytest.mark.parametrize("name", STRANGE_NAMES)
def test_values_come_back_as_they_are(window, name):
    field = Field(window, "Gare", initial=name)
    assert field.value == name
    field.show_problem(Text(name, name))
    assert field.message == name


def test_blanks_around_do_not_count(window):
    assert Field(window, "Gare", initial="  Lyon ").value == "Lyon"


def test_a_form_is_prefilled_and_its_values_have_names(form):
    assert form.values() == {"prix": "15", "gare": "", "date": ""}
    assert form.is_valid


def test_return_submits_what_is_valid(form, heard):
    press(form, "Tab")
    write(form, "Lyon")
    press(form, "Tab")
    write(form, "17/03/2025")
    press(form, "Return")
    assert heard[-1] == {"prix": "15", "gare": "Lyon", "date": "2025-03-17"}
    assert heard[:-1] == ["changed"] * 14


def test_return_goes_to_what_is_not(form, heard):
    form.fields["prix"].variable.set("x")
    form.fields["date"].variable.set("hier")
    form.fields["gare"].entry.focus_set()
    press(form, "Return")
    assert form.focus_get() is form.fields["prix"].entry
    assert {name: bool(field.message) for name, field in form.fields.items()} == {"prix": True, "gare": False, "date": True}
    assert is_red(form.fields["date"])
    assert not any(isinstance(one, dict) for one in heard)


def test_an_unfinished_date_is_not_yet_wrong_to_look_at_but_not_valid(form):
    form.fields["date"].entry.focus_set()
    write(form, "2025-0")
    assert form.fields["date"].message == "" and not is_red(form.fields["date"]) and not form.is_valid


def test_escape_cancels(form, heard):
    press(form, "Escape")
    assert heard == ["cancelled"]


def test_escape_is_for_the_dialog_when_the_form_does_not_want_it(window):
    escapes = []
    window.bind("<Escape>", lambda _: escapes.append(1))
    form = Form(window)
    form.add("a", "A")
    form.pack()
    window.update()
    form.focus_first()
    press(form, "Escape")
    assert escapes == [1]


def test_what_only_the_submission_shows_is_said_in_its_place(form):
    form.show_problems({"gare": NUMBER})
    form.update()
    assert form.fields["gare"].message == NUMBER.fr and form.focus_get() is form.fields["gare"].entry
    write(form, "L")
    assert form.fields["gare"].message == ""


def test_a_form_does_not_jump_when_something_is_wrong(form):
    before = form.winfo_reqheight()
    form.fields["prix"].variable.set("x")
    form.update()
    assert form.winfo_reqheight() == before


def test_the_fields_of_a_form_are_aligned(form):
    form.update()
    prix, gare, date = form.fields.values()
    assert prix.winfo_y() == gare.winfo_y() < date.winfo_y()
    assert prix.winfo_x() == date.winfo_x() < gare.winfo_x()
    assert abs(prix.winfo_width() - gare.winfo_width()) <= 12


def test_a_combobox_is_an_input_too(window):
    field = Field(
        window,
        "Classe",
        initial="2",
        make=lambda parent, variable: ttk.Combobox(parent, textvariable=variable, values=["1", "2"]),
    )
    field.variable.set("1")
    assert field.value == "1" and field.entry.get() == "1"


def test_a_wide_field_has_a_row_of_its_own(window):
    form = Form(window, columns=2)
    form.pack(fill="both")
    for name, wide in (("a", False), ("b", True), ("c", False), ("d", False)):
        form.add(name, name, wide=wide)
    window.update()
    a, b, c, d = (form.fields[name] for name in "abcd")
    assert a.winfo_y() < b.winfo_y() < c.winfo_y() == d.winfo_y()
    assert b.winfo_width() > 1.8 * a.winfo_width() and c.winfo_x() == a.winfo_x() < d.winfo_x()


def test_the_owners_check_of_a_date_goes_before_the_fields_own(window):
    no_time = Text("il manque l'heure", "the time is missing")
    form = Form(window)
    field = form.add(
        "date", "Date", lambda text: None if "T" in text else no_time,
        make=lambda parent, variable: DateField(parent, variable, time=True),
    )  # fmt: skip
    for text, problem in (("demain", no_time), ("17/03/2025", no_time), ("17/03/2025 07:10", None)):
        field.variable.set(text)
        assert field.problem == problem
