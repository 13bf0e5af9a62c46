"""Questions, forms and errors; while one is open, the site goes on."""

from __future__ import annotations

import os
import tkinter
from contextlib import suppress

import pytest

from lib.texts import Text
from lib.windows.widgets.dialog import Dialog, FormDialog, ask, show_error
from tests.windows.person import click, press, write
from tests.windows.widgets.conftest import STRANGE_NAMES


def dialog_of(window) -> Dialog:
    (found,) = [child for child in window.winfo_children() if isinstance(child, Dialog)]
    return found


def buttons_of(dialog) -> dict[str, tkinter.Misc]:
    return {str(button.cget("text")): button for button in dialog._buttons.winfo_children()}


def texts_of(widget) -> list[str]:
    own = [str(widget.cget("text"))] if widget.winfo_class() == "TLabel" else []
    return own + [text for child in widget.winfo_children() for text in texts_of(child)]


def has_keyboard(dialog) -> bool:
    focus = dialog.focus_get()
    return dialog.grab_current() is dialog and focus is not None and focus.winfo_toplevel() is dialog


def meanwhile(window, act) -> None:
    """`act(dialog)` as soon as the dialog is there, with the keyboard; never mind how it fails, the dialog ends."""

    def look() -> None:
        dialogs = [child for child in window.winfo_children() if isinstance(child, Dialog)]
        if not dialogs or not has_keyboard(dialogs[0]):
            window.after(10, look)
            return
        try:
            act(dialogs[0])
        finally:
            with suppress(tkinter.TclError):  # the test may have ended all of it
                dialogs[0].destroy()

    window.after(0, look)


def question(window) -> bool:
    return ask(window, "Charger l'instantané ?", "Le système revient en arrière.", "Charger", "Annuler")


@pytest.mark.parametrize(
    ("keys", "answer"),
    [
        (["Return"], True),
        (["Escape"], False),
        (["Tab", "Return"], False),
        (["Tab", "Tab", "space"], True),
        (["space"], True),
    ],
)
def test_a_question_is_answered_by_keys(window, keys, answer):
    meanwhile(window, lambda dialog: press(dialog, *keys))
    assert question(window) is answer


@pytest.mark.parametrize(("button", "answer"), [("Charger", True), ("Annuler", False)])
def test_a_question_is_answered_by_a_click(window, button, answer):
    meanwhile(window, lambda dialog: click(buttons_of(dialog)[button]))
    assert question(window) is answer


def test_closing_is_no(window):
    meanwhile(window, lambda dialog: dialog.cancel())
    assert question(window) is False


def test_the_end_of_the_window_is_no(window):
    meanwhile(window, lambda _: window.destroy())
    assert question(window) is False


def test_it_says_what_it_asks_over_the_middle_of_its_window(window):
    seen = {}

    def look(dialog):
        dialog.update()
        seen.update(texts=texts_of(dialog), x=dialog.winfo_rootx() + dialog.winfo_width() // 2, y=dialog.winfo_rooty())
        seen.update(bottom=dialog.winfo_rooty() + dialog.winfo_height())

    meanwhile(window, look)
    question(window)
    assert seen["texts"] == ["Charger l'instantané ?", "Le système revient en arrière."]
    assert abs(seen["x"] - (window.winfo_rootx() + window.winfo_width() // 2)) <= 2
    assert window.winfo_rooty() < seen["y"] < seen["bottom"] < window.winfo_rooty() + window.winfo_height()


def test_the_keyboard_goes_back_to_where_it_was(window):
    entry = tkinter.Entry(window)
    entry.pack()
    window.update()
    entry.focus_force()
    window.update()
    meanwhile(window, lambda dialog: press(dialog, "Escape"))
    question(window)
    window.update()
    assert window.focus_get() is entry


def test_the_site_goes_on_meanwhile(window):
    reading, writing = os.pipe()
    read = []
    window.createfilehandler(reading, tkinter.READABLE, lambda fd, _: read.append(os.read(fd, 10)))

    def look(dialog):
        os.write(writing, b"ligne")
        dialog.update()
        assert read == [b"ligne"]

    meanwhile(window, look)
    question(window)
    window.deletefilehandler(reading)
    os.close(reading)
    os.close(writing)
    assert read == [b"ligne"]


def test_a_window_that_is_not_seen_can_ask_too(window):
    window.withdraw()
    window.update()
    meanwhile(window, lambda dialog: press(dialog, "Return"))
    assert question(window) is True


@pytest.mark.parametrize("name", STRANGE_NAMES)
def test_strange_names_are_asked_about_as_they_are(window, name):
    seen = []
    meanwhile(window, lambda dialog: seen.extend(texts_of(dialog)))
    ask(window, name, name, name[:100], name[:100])
    assert seen == [name, name] if len(name) < 600 else seen == ["x" * 599 + "…"] * 2


def test_a_very_long_question_can_still_be_answered(window):
    bottoms = []
    meanwhile(window, lambda dialog: bottoms.append(dialog.winfo_rooty() + dialog.winfo_height()))
    ask(window, "x" * 3000, "mot " * 3000, "Oui", "Non")
    assert 0 < bottoms[0] <= window.winfo_screenheight()


def test_an_error_can_be_copied(window):
    details = "Traceback\n  File «é» [exit] $x {\n" * 30
    copied = []

    def act(dialog):
        click(buttons_of(dialog)["Copier les détails"])
        copied.append(dialog.clipboard_get())
        assert "Détails copiés ✓" in buttons_of(dialog)
        press(dialog, "Return")

    meanwhile(window, act)
    show_error(window, "Une erreur", "Rien n'est perdu.", details)
    assert copied == [details]


def test_an_error_in_english(window):
    seen = []
    meanwhile(window, lambda dialog: seen.extend(buttons_of(dialog)))
    show_error(window, "An error", "Nothing is lost.", "details", language="en")
    assert sorted(seen) == ["Close", "Copy details"]


TAKEN = Text("ce nom est déjà pris", "this name is taken")


@pytest.fixture
def form_dialog(window):
    taken = []

    def submit(values):
        taken.append(values)
        return {"nom": TAKEN} if values["nom"] == "a" else {}

    dialog = FormDialog(window, "Créer", "Créer", "Annuler", submit)
    dialog.form.add("nom", "Nom", check=lambda text: None if text else Text("un nom est attendu", "a name is expected"))
    dialog.taken = taken
    return dialog


def test_a_form_is_confirmed_by_return_once_its_owner_takes_it(window, form_dialog):
    def act(dialog):
        assert dialog.confirm.instate(["disabled"])
        write(dialog, "a")
        assert dialog.confirm.instate(["!disabled"])
        press(dialog, "Return")
        assert dialog.winfo_exists() and dialog.form.fields["nom"].message == TAKEN.fr
        write(dialog, "b")
        press(dialog, "Return")

    meanwhile(window, act)
    assert form_dialog.ask() is True
    assert form_dialog.taken == [{"nom": "a"}, {"nom": "ab"}]


def test_a_form_is_left_by_escape(window, form_dialog):
    meanwhile(window, lambda dialog: press(dialog, "Escape"))
    assert form_dialog.ask() is False
    assert form_dialog.taken == []
