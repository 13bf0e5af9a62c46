"""The panel of the client's own tickets: what they are, what they cost together, and giving one back."""

from __future__ import annotations

import tkinter as tk
from tkinter import ttk
from typing import Any

from lib.core.buying import Client
from lib.windows.client_search import Wishes
from lib.windows.house import House, command_line
from lib.windows.view.client import LEAVING, Notes, TicketRows, belongings, in_order
from lib.windows.view.rows import date_and_time, price, route
from lib.windows.widgets.dialog import ask
from lib.windows.widgets.table import Column, Table


class TicketTable(Table):
    """A table of `TicketRows`; `more` is what a `Table` takes besides."""

    def __init__(self, parent: tk.Misc, house: House, **more: Any) -> None:
        t = house.t
        columns = [
            Column("date", "date", 15),
            Column("train", "train", 7, spare=True),
            Column("from", t("départ", "from"), 14, stretch=True),
            Column("to", t("destination", "to"), 14, stretch=True),
            Column("price", t("prix", "price"), 8, "e"),
            Column("id", t("billet", "ticket"), 8),
        ]
        super().__init__(parent, columns, **more)


class TicketsPanel(ttk.Frame):
    """Shows what the client of `house` has; `wishes` remembers how it is sorted."""

    def __init__(self, parent: tk.Misc, house: House, notes: Notes, wishes: Wishes) -> None:
        super().__init__(parent, padding=8)
        self._house, self._notes, self._wishes = house, notes, wishes
        self._shown: tuple[object, ...] = ()
        t = house.t
        self.table = TicketTable(
            self, house, on_select=lambda _: self._enable(), on_open=lambda _: self._give_back(),
            on_sort=self._sort, empty=t("Ce client n'a aucun billet", "This client has no ticket"),
        )  # fmt: skip
        self.table.grid(row=0, column=0, columnspan=2, sticky="nsew")
        self._total = ttk.Label(self, style="Heading.TLabel")
        self._total.grid(row=1, column=0, sticky="w", pady=(6, 0))
        self.give_back_button = ttk.Button(
            self, text=t("Rendre ce billet…", "Give this ticket back…"), command=self._give_back
        )
        self.give_back_button.grid(row=1, column=1, rowspan=2, sticky="e", pady=(6, 0))
        self._pending = ttk.Label(self, style="Warning.TLabel")
        self._pending.grid(row=2, column=0, sticky="w")
        self.rowconfigure(0, weight=1)
        self.columnconfigure(0, weight=1)
        self.restyle()

    def restyle(self) -> None:
        """Take the colours of the theme."""
        self.table.tag_configure(LEAVING, foreground=self._house.theme.palette.warning)

    def refresh(self) -> float | None:
        """Show what there is, if it has changed."""
        version = (self._notes.version, self._wishes.tickets_sort)
        if version != self._shown:
            self._shown = version
            self._show()
        return None

    def _show(self) -> None:
        house = self._house
        assert isinstance(house.process.site.role, Client)
        mine = belongings(house.process.site.role)
        leaving = {holding.ticket_id for holding in mine.leaving}
        holdings = in_order([*mine.owned, *mine.leaving], self._wishes.tickets_sort)
        rows = TicketRows(holdings, house.language, lambda ticket_id: LEAVING if ticket_id in leaving else "")
        self.table.show(rows, self._wishes.tickets_sort)
        self._total.configure(text=mine.total(house.language))
        self._pending.configure(text=house.words(mine.pending) if mine.pending else "")
        self._enable()

    def _sort(self, key: str, descending: bool) -> None:
        self._wishes.tickets_sort = (key, descending)
        self.refresh()

    # ------------------------------------------------------------------------------------------------ what the user does

    @property
    def _tickets(self) -> Client:
        role = self._house.process.site.role
        assert isinstance(role, Client)
        return role

    def _enable(self) -> None:
        """Only what is ours can be given back, and only once."""
        is_ours = self.table.selected in self._tickets.tickets
        self.give_back_button.state(["!disabled" if is_ours else "disabled"])

    def _give_back(self) -> None:
        house, kept = self._house, self._tickets.tickets.get(self.table.selected or "")
        if kept is None:
            return
        ticket_id, journey = kept.holding.ticket_id, kept.holding.journey
        what = f"{route(journey)}\n{date_and_time(journey.date)} · {price(journey.cents, house.language)}"
        question = house.t(
            f"{what}\n\nLe billet n'est plus à vous dès maintenant, et redevient libre quand le guichet l'a repris. "
            "Un autre client peut alors l'acheter.",
            f"{what}\n\nThe ticket is yours no more from now on, and free again once the ticket office has taken it back. "
            "Another client may buy it then.",
        )
        title = house.t(f"Rendre le billet {ticket_id} ?", f"Give ticket {ticket_id} back?")
        if ask(self, title, question, house.t("Rendre", "Give back"), house.t("Garder", "Keep it")):
            done = house.t(f"Retour du billet {ticket_id} demandé", f"Asked to give ticket {ticket_id} back")
            house.order(command_line("rendre", billet=ticket_id), done)
