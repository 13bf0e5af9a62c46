"""The panel of all tickets: counted, filtered, sorted; created, changed, deleted, imported."""

from __future__ import annotations

import time
import tkinter as tk
from collections.abc import Callable
from dataclasses import dataclass, field
from tkinter import ttk

from lib.core.tickets import FREE, HELD, SOLD, Ticket
from lib.texts import Text
from lib.windows.guichet_filters import FilterBar, Typed
from lib.windows.guichet_forms import ImportDialog, TicketDialog
from lib.windows.house import House, command_line
from lib.windows.view.guichet import Choice, Office
from lib.windows.view.guichet_rows import (
    Rows,
    counters,
    deleted,
    described,
    how_many,
    marked,
    question_of_deletion,
    ticket_row,
)
from lib.windows.view.rows import Row
from lib.windows.widgets.dialog import ask
from lib.windows.widgets.flow import Flow
from lib.windows.widgets.table import Column, Table

_SLICE = 0.03  # seconds of deleting before the user is served again


@dataclass
class _Deletion:
    """Tickets that are being deleted: those that wait, those that are gone, why others are not; where the first stood."""

    waiting: list[str]
    place: int | None
    done: list[str] = field(default_factory=list)
    refusals: list[Text] = field(default_factory=list)


class TicketsPanel(ttk.Frame):
    """Shows all tickets of `office`, and what can be done with them."""

    def __init__(self, parent: tk.Misc, house: House, office: Office, typed: Typed) -> None:
        super().__init__(parent, padding=8)
        self._house, self._office = house, office
        self.importing: ImportDialog | None = None
        self._timer = self.winfo_toplevel()  # lives longer than this panel
        self._make_heading().grid(row=0, column=0, sticky="ew")
        self.filters = FilterBar(self, house, office, typed, self._choose)
        self.filters.grid(row=1, column=0, sticky="ew", pady=6)
        self.table = self._make_table()
        self.table.grid(row=2, column=0, sticky="nsew")
        self._make_foot().grid(row=3, column=0, sticky="ew", pady=(4, 0))
        self.rowconfigure(2, weight=1)
        self.columnconfigure(0, weight=1)
        self.restyle()
        selected = office.selected
        self.refresh()
        self.table.select(selected)

    # ------------------------------------------------------------------------------------------------------ how it is made

    def _make_heading(self) -> Flow:
        """How many tickets there are, and what can be done."""
        t, flow = self._house.t, Flow(self)
        self._counters = ttk.Label(flow, style="Heading.TLabel")
        flow.add(self._counters, grow=True)

        def add(text: str, command: Callable[[], object]) -> ttk.Button:
            button = ttk.Button(flow, text=text, command=command, style="Tool.TButton", width=0)
            flow.add(button)
            return button

        self.create_button = add(t("Créer…", "Create…"), self.create)
        self.import_button = add(t("Importer…", "Import…"), self.import_)
        self.change_button = add(t("Modifier…", "Change…"), self.change)
        self.delete_button = add(t("Supprimer…", "Delete…"), self.delete)
        return flow

    def _make_foot(self) -> ttk.Frame:
        """All of the selected ticket, for there may be little room in the table; how many tickets are shown."""
        foot = ttk.Frame(self)
        self._detail = ttk.Label(foot, anchor="w", justify="left")
        self._detail.grid(row=0, column=0, sticky="new")
        self._detail.bind("<Configure>", lambda event: self._detail.configure(wraplength=event.width))
        self._shown = ttk.Label(foot, style="Muted.TLabel")
        self._shown.grid(row=0, column=1, sticky="ne", padx=(12, 0))
        foot.columnconfigure(0, weight=1)
        return foot

    def _make_table(self) -> Table:
        t = self._house.t
        columns = [
            Column("id", t("billet", "ticket"), 8),
            Column("train", "train", 6, spare=True),
            Column("date", "date", 14),
            Column("from", t("départ", "from"), 14, stretch=True),
            Column("to", t("destination", "to"), 14, stretch=True),
            Column("holder", t("détenteur", "holder"), 10),
            Column("price", t("prix", "price"), 7, "e"),
            Column("state", t("état", "state"), 5),
        ]
        table = Table(
            self, columns, on_select=self._select, on_open=lambda _: self.change(), on_sort=self._sort,
            empty=t("Aucun billet ne convient", "No ticket matches"), several=True,
        )  # fmt: skip
        table.tree.bind("<Delete>", lambda _: self.delete())
        table.tree.bind("<Insert>", lambda _: self.create())
        return table

    def restyle(self) -> None:
        """Take the colours of the theme."""
        colours = self._house.theme.palette
        self.table.tag_configure(HELD, foreground=colours.warning)
        self.table.tag_configure(SOLD, foreground=colours.good)

    # ------------------------------------------------------------------------------------------------------ what is seen

    def refresh(self) -> float | None:
        """Show how the tickets stand. While the selected one is held, its seconds want to be seen."""
        office, language = self._office, self._house.language
        office.settle()
        self._counters.configure(text=counters(office, language))
        self._shown.configure(text=self._house.words(how_many(len(office.all), len(office.stock))))
        self.table.show(Rows(office, office.all, self._row), sort=office.orders["all"])
        self._show_selected()
        ticket = self._selected
        return 1.0 if ticket and ticket.state == HELD else None

    def _row(self, ticket: Ticket) -> Row:
        return ticket_row(self._office, ticket, self._house.language)

    @property
    def _selected(self) -> Ticket | None:
        return self._office.stock.get(self.table.selected) if self.table.selected else None

    @property
    def _marked(self) -> list[Ticket]:
        """The selected ticket, and those that are marked besides."""
        tickets = map(self._office.stock.get, self.table.marked)
        return [ticket for ticket in tickets if ticket is not None]

    def _show_selected(self) -> None:
        """All of the selected ticket, or how many are; what can be done with them."""
        t, ticket, tickets = self._house.t, self._selected, self._marked
        if len(tickets) > 1:
            words = self._house.words(marked(tickets))
        elif ticket is None:
            words = t("Choisissez un billet pour le modifier ou le supprimer.", "Select a ticket to change or delete it.")
        else:
            words = described(self._office, ticket, self._house.language, self._house.process.now())
        self._detail.configure(text=words, style="TLabel" if ticket else "Muted.TLabel")
        free = sum(ticket.state == FREE for ticket in tickets)
        self.change_button.state(["!disabled" if free == len(tickets) == 1 else "disabled"])
        self.delete_button.state(["!disabled" if free else "disabled"])

    def _select(self, key: str | None) -> None:
        self._office.selected = key
        self._show_selected()

    # ------------------------------------------------------------------------------------------------- what is looked for

    def _choose(self, choice: Choice) -> None:
        self._office.choose(choice)
        self.refresh()

    def _sort(self, column: str, is_descending: bool) -> None:
        self._office.sort("all", column, is_descending)
        self.refresh()

    def see(self, key: str) -> None:
        """Select that ticket, and scroll there; what hides it is cleared away."""
        self.refresh()
        if self._office.all.index_of(key) is None:
            self.filters.clear()
        self._office.selected = key
        self.table.select(key)
        self.refresh()

    # ------------------------------------------------------------------------------------------------ what the user does

    def create(self) -> None:
        """Ask for new tickets."""
        if TicketDialog(self, self._house, self._office.stations()).ask():
            self._see_newest()

    def change(self) -> None:
        """Ask what the selected ticket shall be, if it is free."""
        ticket = self._selected
        if ticket is None or ticket.state != FREE or len(self.table.marked) > 1:
            return
        if TicketDialog(self, self._house, self._office.stations(), ticket).ask():
            self._house.say(self._house.t(f"Billet {ticket.id} modifié", f"Ticket {ticket.id} changed"), good=True)
            self.see(ticket.id)

    def delete(self) -> None:
        """Withdraw the chosen tickets that are free from sale, after a question."""
        tickets, t = self._marked, self._house.t
        free = [ticket for ticket in tickets if ticket.state == FREE]
        if not free:
            return
        first = described(self._office, free[0], self._house.language, 0.0)
        question = self._house.words(question_of_deletion(free, len(tickets) - len(free), first))
        count = len(free)
        title = t("Supprimer un billet", "Delete a ticket") if count == 1 else t(
            f"Supprimer {count} billets", f"Delete {count} tickets")  # fmt: skip
        if ask(self, title, question, t("Supprimer", "Delete"), t("Annuler", "Cancel")):
            places = [place for ticket in free if (place := self._office.all.index_of(ticket.id)) is not None]
            self._withdraw(_Deletion([ticket.id for ticket in free], min(places, default=None)))

    def _withdraw(self, deletion: _Deletion) -> None:
        """Give the commands, a slice at a time: each of them is written to the disk, and the window shall not wait for all.

        The panel may be made anew meanwhile, in another language say: the commands go on.
        """
        until = time.monotonic() + _SLICE
        while deletion.waiting:
            name = deletion.waiting.pop(0)
            refusal = self._house.order(command_line("supprimer", billet=name))
            if refusal is None:
                deletion.done.append(name)
            else:
                deletion.refusals.append(refusal)
            if time.monotonic() >= until:
                break
        if deletion.waiting:
            self._timer.after(1, self._withdraw, deletion)
            return
        words = deleted(deletion.done, deletion.refusals)
        self._house.say(self._house.words(words), good=not deletion.refusals)
        if deletion.done and self.winfo_exists():
            self._select_at(deletion.place)

    def _select_at(self, place: int | None) -> None:
        """The ticket that has come to the place of one that is gone."""
        self._office.settle()
        count = len(self._office.all)
        if place is not None and count:
            self.see(self._office.all[min(place, count - 1)])

    def import_(self) -> None:
        """Ask for a timetable, put its tickets on sale, and tell what there is to know of them."""
        self.importing = dialog = ImportDialog(self, self._house, self._office.stations())
        is_done, self.importing = dialog.ask(), None
        if is_done:
            self._see_newest()
            dialog.show_notes(self._newest)

    def _see_newest(self) -> None:
        """The first ticket that came is selected, and keys act on it."""
        self._house.say(self._newest, good=True)
        self.see(self._office.newest[0])
        self.table.focus_table()

    @property
    def _newest(self) -> str:
        """Which tickets came last."""
        first, last, count = self._office.newest
        words = how_many(count, count)
        names = first if count == 1 else self._house.t(f"{first} à {last}", f"{first} to {last}")
        return self._house.t(f"{words.fr} en vente : {names}", f"{words.en} put on sale: {names}")
