"""What a client's user looks for: the fields of a search, and what of it outlives the widgets."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from tkinter import font, ttk

from lib.core.tickets import Search
from lib.core.wire import is_ticket_id
from lib.texts import Text
from lib.windows.house import House
from lib.windows.view.rows import Names
from lib.windows.widgets.completion import CompletionEntry
from lib.windows.widgets.date_field import DateField

_CRAMPED = 90  # characters of width beneath which words are shortened
_NO_TICKET = Text("un identifiant de billet est attendu : B0001", "a ticket's identifier is expected: B0001")
_BACKWARDS = Text("la période finit avant de commencer", "the period ends before it begins")


class Wishes:
    """What the user has typed and chosen: it stays when the window is made anew, in another language say."""

    def __init__(self, root: tk.Misc) -> None:
        self.departure, self.destination, self.ticket, self.since, self.until = (tk.StringVar(root) for _ in range(5))
        self.found_sort: tuple[str, bool] = ("date", False)
        self.found_selected: str | None = None
        self.tickets_sort: tuple[str, bool] = ("date", False)


class SearchBar(ttk.Frame):
    """From where, to where, from which day or minute to which; or which ticket: then the rest does not count, and says so.
    Return in a field, or the first button, is `on_consult(search)`; the second is `on_reserve(search)`."""

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
        self.ticket = ttk.Entry(self, textvariable=wishes.ticket, width=7, style="Checked.TEntry")
        self.consult_button = ttk.Button(self, text=t("Consulter", "Search"), style="Accent.TButton", command=self.consult)
        self.since = DateField(self, wishes.since, time=True, language=house.language)
        self.until = DateField(self, wishes.until, time=True, language=house.language)
        self.reserve_button = ttk.Button(self, text=t("Réserver le premier", "Pick the first"), command=self._reserve)
        self.reserve_button.configure(underline=self.reserve_button.cget("text").lower().index("p"))
        self._stations = ttk.Label(self), ttk.Label(self)
        self._lay_out()
        self.bind("<Configure>", lambda _: self._fit())
        self._trace = wishes.ticket.trace_add("write", lambda *_: self._follow_ticket())
        self._follow_ticket()
        for entry in (self.departure, self.destination, self.ticket, self.since.entry, self.until.entry):
            entry.bind("<Return>", lambda _: self.consult(), add="+")
            entry.bind("<KP_Enter>", lambda _: self.consult(), add="+")

    def _lay_out(self) -> None:
        t = self._house.t
        fields = (
            (self._stations[0], self.departure),
            (self._stations[1], self.destination),
            (ttk.Label(self, text=t("Billet", "Ticket")), self.ticket),
            (ttk.Label(self, text=t("Du", "Since")), self.since),
            (ttk.Label(self, text=t("Au", "Until")), self.until),
        )
        for number, (label, field) in enumerate(fields):
            row, column = divmod(number, 3)
            label.grid(row=row, column=2 * column, sticky="w", padx=(0 if column == 0 else 10, 4), pady=2)
            field.grid(row=row, column=2 * column + 1, sticky="ew")
        self.consult_button.grid(row=0, column=6, sticky="ew", padx=(10, 0), pady=2)
        self.reserve_button.grid(row=1, column=4, columnspan=3, sticky="ew", padx=(10, 0), pady=2)
        self.columnconfigure(1, weight=1, uniform="fields")
        self.columnconfigure(3, weight=1, uniform="fields")

    def _fit(self) -> None:
        """In a small window the stations' words are as short as those of the dates, for a date needs the room."""
        t, character = self._house.t, font.nametofont("TkDefaultFont", root=self).measure("0")
        is_cramped = self.winfo_width() < _CRAMPED * character
        words = (t("De", "From"), t("À", "To")) if is_cramped else (t("Départ", "From"), t("Destination", "To"))
        for label, text in zip(self._stations, words, strict=True):
            label.configure(text=text)

    def destroy(self) -> None:
        """The wishes live longer, and must not call this bar then."""
        self._wishes.ticket.trace_remove("write", self._trace)
        super().destroy()

    def _follow_ticket(self) -> None:
        """With a ticket, nothing else of a search counts."""
        state = "disabled" if self._ticket else "!disabled"
        for field in (self.departure, self.destination):
            field.state([state])
        for period in (self.since, self.until):
            period.enable(not self._ticket)

    @property
    def _ticket(self) -> str:
        return self._wishes.ticket.get().strip()

    def consult(self) -> None:
        """As a click on the first button."""
        self._submit(self._on_consult)

    def _reserve(self) -> None:
        self._submit(self._on_reserve)

    def _submit(self, act: Callable[[Search], None]) -> None:
        """Hand over what is looked for, or say what is wrong with it, and go there."""
        if self._ticket:
            if is_ticket_id(self._ticket):
                act(Search(ticket=self._ticket))
            else:
                self._complain(self.ticket, _NO_TICKET)
            return
        for field in (self.since, self.until):
            if field.problem is not None:
                self._complain(field.entry, field.problem)
                return
        since, until = self.since.value or "", self.until.value or ""
        if since and until and until + "~" < since:  # a day is meant whole: it ends after each of its minutes
            self._complain(self.until.entry, _BACKWARDS)
            return
        departure, destination = self._wishes.departure.get().strip(), self._wishes.destination.get().strip()
        act(Search(departure=departure, destination=destination, since=since, until=until))

    def _complain(self, entry: ttk.Entry, problem: Text) -> None:
        entry.focus_set()
        self._house.say(self._house.words(problem), good=False)
