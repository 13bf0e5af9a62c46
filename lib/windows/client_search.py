"""What a client's user looks for: the fields of a search, and what of it outlives the widgets."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from tkinter import ttk

from lib.core.tickets import Search
from lib.texts import Text
from lib.windows.house import House
from lib.windows.view.client import Names
from lib.windows.widgets.completion import CompletionEntry
from lib.windows.widgets.date_field import DateField

_BACKWARDS = Text("la période finit avant de commencer", "the period ends before it begins")


class Wishes:
    """What the user has typed and chosen: it stays when the window is made anew, in another language say."""

    def __init__(self, root: tk.Misc) -> None:
        self.departure, self.destination, self.since, self.until = (tk.StringVar(root) for _ in range(4))
        self.found_sort: tuple[str, bool] = ("date", False)
        self.found_selected: str | None = None
        self.tickets_sort: tuple[str, bool] = ("date", False)


class SearchBar(ttk.Frame):
    """From where, to where, from which day to which. Return in a field, or the first button, is `on_consult(search)`; the
    second is `on_reserve(search)`."""

    def __init__(
        self,
        parent: tk.Misc,
        house: House,
        names: Names,
        wishes: Wishes,
        on_consult: Callable[[Search], None],
        on_reserve: Callable[[Search], None],
    ) -> None:
        super().__init__(parent)
        self._house, self._wishes = house, wishes
        self._on_consult, self._on_reserve = on_consult, on_reserve
        t = house.t
        self.departure = CompletionEntry(self, names.like, textvariable=wishes.departure, width=8)
        self.destination = CompletionEntry(self, names.like, textvariable=wishes.destination, width=8)
        self.consult_button = ttk.Button(self, text=t("Consulter", "Search"), style="Accent.TButton", command=self.consult)
        self.since = DateField(self, wishes.since, language=house.language)
        self.until = DateField(self, wishes.until, language=house.language)
        self.reserve_button = ttk.Button(self, text=t("Réserver le premier", "Pick the first"), command=self._reserve)
        self.reserve_button.configure(underline=self.reserve_button.cget("text").lower().index("p"))
        self._lay_out()
        for entry in (self.departure, self.destination, self.since.entry, self.until.entry):
            entry.bind("<Return>", lambda _: self.consult(), add="+")
            entry.bind("<KP_Enter>", lambda _: self.consult(), add="+")

    def _lay_out(self) -> None:
        t = self._house.t
        fields = (
            ((t("Départ", "From"), self.departure), (t("Destination", "To"), self.destination), self.consult_button),
            ((t("Du", "Since"), self.since), (t("Au", "Until"), self.until), self.reserve_button),
        )
        for row, (left, right, button) in enumerate(fields):
            for column, (words, field) in ((0, left), (2, right)):
                ttk.Label(self, text=words).grid(
                    row=row, column=column, sticky="w", padx=(0 if column == 0 else 10, 4), pady=2
                )
                field.grid(row=row, column=column + 1, sticky="ew")
            button.grid(row=row, column=4, sticky="ew", padx=(10, 0), pady=2)
        self.columnconfigure(1, weight=1, uniform="fields")
        self.columnconfigure(3, weight=1, uniform="fields")

    def consult(self) -> None:
        """As a click on the first button."""
        self._submit(self._on_consult)

    def _reserve(self) -> None:
        self._submit(self._on_reserve)

    def _submit(self, act: Callable[[Search], None]) -> None:
        """Hand over what is looked for, or say what is wrong with it, and go there."""
        for field in (self.since, self.until):
            if field.problem is not None:
                self._complain(field, field.problem)
                return
        since, until = self.since.value or "", self.until.value or ""
        if since and until and until < since:
            self._complain(self.until, _BACKWARDS)
            return
        departure, destination = self._wishes.departure.get().strip(), self._wishes.destination.get().strip()
        act(Search(departure=departure, destination=destination, since=since, until=until))

    def _complain(self, field: DateField, problem: Text) -> None:
        field.entry.focus_set()
        self._house.say(self._house.words(problem), good=False)
