"""The panel of what is held, with the time that is left, and of what is sold."""

from __future__ import annotations

import tkinter as tk
from tkinter import ttk

from lib.core.tickets import HELD, Ticket
from lib.windows.house import House
from lib.windows.view.guichet import Office
from lib.windows.view.guichet_rows import LITTLE, Rows, held_row, sold_row
from lib.windows.view.rows import Row, price, thousands
from lib.windows.widgets.bars import bar
from lib.windows.widgets.table import Column, Table

_BEAT = 0.5  # seconds between two looks at the time that is left: no second is passed over


class SalesPanel(ttk.Frame):
    """Shows what of `office` is held and what is sold."""

    def __init__(self, parent: tk.Misc, house: House, office: Office) -> None:
        super().__init__(parent, padding=8)
        self._house, self._office = house, office
        panes = ttk.PanedWindow(self, orient="vertical")
        panes.pack(fill="both", expand=True)
        self._held_title, self.held = self._add(panes, "held", self._held_columns(), house.t(
            "Aucun billet n'est retenu", "No ticket is held"))  # fmt: skip
        self._sold_title, self.sold = self._add(panes, "sold", self._sold_columns(), house.t(
            "Aucun billet n'est vendu", "No ticket is sold"))  # fmt: skip
        self.restyle()

    def _add(self, panes: ttk.PanedWindow, name: str, columns: list[Column], empty: str) -> tuple[ttk.Label, Table]:
        """A table with its title."""
        frame = ttk.Frame(panes)
        title = ttk.Label(frame, style="Heading.TLabel")
        title.pack(anchor="w", pady=(2, 4))
        table = Table(frame, columns, on_sort=lambda *order: self._sort(name, *order), empty=empty, height=3)
        table.pack(fill="both", expand=True)
        panes.add(frame, weight=1)
        return title, table

    def _held_columns(self) -> list[Column]:
        t = self._house.t
        return [
            Column("id", t("billet", "ticket"), 7),
            Column("holder", "client", 7),
            Column("left", t("temps restant", "time left"), 16),
            *self._journey_columns(),
        ]

    def _sold_columns(self) -> list[Column]:
        t = self._house.t
        return [
            Column("sold_at", t("vendu à", "sold at"), 9),
            Column("id", t("billet", "ticket"), 7),
            Column("holder", "client", 7),
            *self._journey_columns(),
        ]

    def _journey_columns(self) -> list[Column]:
        t = self._house.t
        return [
            Column("from", t("trajet", "journey"), 30, stretch=True),
            Column("price", t("prix", "price"), 7, "e"),
        ]

    def restyle(self) -> None:
        """Take the colours of the theme."""
        self.held.tag_configure(LITTLE, foreground=self._house.theme.palette.warning)

    def refresh(self) -> float | None:
        """Show how things stand. While something is held, its seconds want to be seen."""
        office = self._office
        office.settle()
        self._held_title.configure(text=self._held_words())
        self._sold_title.configure(text=self._sold_words())
        self.held.show(Rows(office, office.held, self._held_row), sort=office.orders["held"])
        self.sold.show(Rows(office, office.sold, self._sold_row), sort=office.orders["sold"])
        return _BEAT if len(office.held) else None

    def _held_words(self) -> str:
        count = len(self._office.held)
        total = price(sum(ticket.journey.cents for ticket in self._office.stock.book(HELD).values()), self._house.language)
        number = self._house.words(thousands(count))
        return self._house.t(f"Retenus : {number} ({total})", f"Held: {number} ({total})")

    def _sold_words(self) -> str:
        number = self._house.words(thousands(len(self._office.sold)))
        total = price(self._office.takings, self._house.language)
        return self._house.t(f"Ventes : {number} · recette {total}", f"Sales: {number} · takings {total}")

    def _held_row(self, ticket: Ticket) -> Row:
        return held_row(self._office, ticket, self._house.language, self._house.process.now(), bar)

    def _sold_row(self, ticket: Ticket) -> Row:
        return sold_row(self._office, ticket, self._house.language)

    def _sort(self, name: str, column: str, is_descending: bool) -> None:
        self._office.sort(name, column, is_descending)
        self.refresh()
