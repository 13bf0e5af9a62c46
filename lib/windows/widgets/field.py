"""A label, an entry and what is wrong with it; and forms made of them."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Mapping
from tkinter import ttk

from lib.texts import Text
from lib.windows.widgets.date_field import DateField

Check = Callable[[str], Text | None]
Input = ttk.Entry | DateField  # a CompletionEntry and a ttk.Combobox are ttk.Entry
MakeInput = Callable[[tk.Misc, tk.StringVar], Input]


def plain_entry(parent: tk.Misc, variable: tk.StringVar) -> ttk.Entry:
    """The usual input of a field."""
    return ttk.Entry(parent, textvariable=variable, style="Checked.TEntry")


class Field(ttk.Frame):
    """A label above an input, and a line beneath that says what is wrong.

    `check(text)` gives the problem of what stands there, or None. It runs at every change, and complains from the first edit
    on. `make(parent, variable)` makes another input than a plain entry: a CompletionEntry, a DateField, a ttk.Combobox.
    """

    def __init__(
        self,
        parent: tk.Misc,
        label: str,
        check: Check | None = None,
        initial: str = "",
        make: MakeInput = plain_entry,
        language: str = "fr",
        on_change: Callable[[], None] | None = None,
    ) -> None:
        super().__init__(parent)
        self._check, self._language, self._on_change = check, language, on_change
        self.variable = tk.StringVar(self, initial)
        ttk.Label(self, text=label).pack(anchor="w")
        self.input = make(self, self.variable)
        self.input.pack(fill="x", pady=(2, 0))
        self._message = ttk.Label(self, style="Bad.TLabel")  # always there: a form must not jump under the hand
        self._message.pack(fill="x")
        self.bind("<Configure>", lambda event: self._message.configure(wraplength=event.width))
        self._edited = False
        self.entry.bind("<FocusOut>", lambda _: self._left(), add="+")
        self.variable.trace_add("write", lambda *_: self._changed())

    @property
    def entry(self) -> ttk.Entry:
        """What has the keyboard when one types here."""
        return self.input.entry if isinstance(self.input, DateField) else self.input

    @property
    def value(self) -> str:
        """What stands there, without blanks around; a DateField's date in ISO form."""
        date = self.input.value if isinstance(self.input, DateField) else None
        return date if date is not None else self.variable.get().strip()

    @property
    def problem(self) -> Text | None:
        """What is wrong with what stands there, whether it was already said or not."""
        problem = self._check(self.value) if self._check else None  # knows more of what is wanted than the input
        return problem or (self.input.problem if isinstance(self.input, DateField) else None)

    @property
    def message(self) -> str:
        """What is said beneath the input."""
        return str(self._message.cget("text"))

    def complain(self) -> bool:
        """Says what is wrong, if anything is; whether something is."""
        self.show_problem(self.problem)
        return self.problem is not None

    def show_problem(self, problem: Text | None) -> None:
        """Says `problem` until the next edit; None takes it back."""
        self._message.configure(text=problem.in_language(self._language) if problem else "")
        self.entry.state(["invalid" if problem else "!invalid"])

    def _left(self) -> None:
        if self._edited:
            self.complain()

    def _changed(self) -> None:
        self._edited = True
        unfinished = isinstance(self.input, DateField) and self.input.is_unfinished
        self.show_problem(None if unfinished else self.problem)
        if self._on_change:
            self._on_change()


class Form(ttk.Frame):
    """Fields in a grid of `columns`. Return submits when all is well, else goes to the first field that is not.

    Escape cancels. `on_submit(values)` gets what `values()` gives, `on_change()` follows every edit: a button may depend on
    `is_valid`.
    """

    def __init__(
        self,
        parent: tk.Misc,
        columns: int = 1,
        on_submit: Callable[[dict[str, str]], None] | None = None,
        on_cancel: Callable[[], None] | None = None,
        on_change: Callable[[], None] | None = None,
        language: str = "fr",
    ) -> None:
        super().__init__(parent)
        self.fields: dict[str, Field] = {}
        self._places = 0  # of the grid that are taken
        self._columns, self._language = columns, language
        self._on_submit, self._on_cancel, self._on_change = on_submit, on_cancel, on_change

    def add(
        self,
        name: str,
        label: str,
        check: Check | None = None,
        initial: str = "",
        make: MakeInput = plain_entry,
        wide: bool = False,
    ) -> Field:
        """Adds a field at the next place of the grid, or (`wide`) over a whole row; `name` is its key in `values()`."""
        field = Field(self, label, check, initial, make, self._language, self._on_change)
        if wide:
            self._places += -self._places % self._columns
        row, column = divmod(self._places, self._columns)
        span = self._columns if wide else 1
        self._places += span
        field.grid(row=row, column=column, columnspan=span, sticky="new", padx=(0 if column == 0 else 12, 0), pady=(0, 4))
        self.columnconfigure(column, weight=1, uniform="fields")
        self.fields[name] = field
        field.entry.bind("<Return>", lambda _: self._return(), add="+")
        field.entry.bind("<KP_Enter>", lambda _: self._return(), add="+")
        field.entry.bind("<Escape>", lambda _: self._escape(), add="+")
        return field

    @property
    def is_valid(self) -> bool:
        """Whether no field has a problem."""
        return all(field.problem is None for field in self.fields.values())

    def values(self) -> dict[str, str]:
        """What stands in each field, by name."""
        return {name: field.value for name, field in self.fields.items()}

    def submit(self) -> bool:
        """As Return: hands the values over if all is well, else says what is not and goes there; whether it was."""
        wrong = [field for field in self.fields.values() if field.complain()]
        if wrong:
            wrong[0].entry.focus_set()
        elif self._on_submit:
            self._on_submit(self.values())
        return not wrong

    def show_problems(self, problems: Mapping[str, Text]) -> None:
        """Says what only the submission has shown to be wrong, field by field, and goes to the first."""
        for name, problem in problems.items():
            self.fields[name].show_problem(problem)
        if problems:
            self.fields[next(iter(problems))].entry.focus_set()

    def focus_first(self) -> None:
        """Gives the first field the keyboard."""
        next(iter(self.fields.values())).entry.focus_set()

    def _return(self) -> str:
        self.submit()
        return "break"

    def _escape(self) -> str | None:
        if not self._on_cancel:
            return None  # then it is meant for the dialog around
        self._on_cancel()
        return "break"
