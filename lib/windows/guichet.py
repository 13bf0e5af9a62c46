"""The guichet's window."""

from __future__ import annotations

from tkinter import ttk
from typing import Any

from lib.core.facts import Event
from lib.core.selling import Guichet
from lib.texts import Text
from lib.windows.guichet_clients import ClientsPanel
from lib.windows.guichet_filters import Typed
from lib.windows.guichet_sales import SalesPanel
from lib.windows.guichet_tickets import TicketsPanel
from lib.windows.house import House
from lib.windows.view.banner import ROLES
from lib.windows.view.guichet import Office
from lib.windows.window import Window


class GuichetWindow(Window):
    """What the guichet's user sees and does."""

    role = ROLES["guichet"]
    own_keys = (
        ("Inser", Text("créer des billets, depuis leur tableau", "create tickets, from their table")),
        ("Entrée", Text("modifier le billet choisi", "change the selected ticket")),
        ("Suppr", Text("supprimer les billets choisis", "delete the selected tickets")),
        ("Maj + ↑ ↓, clic", Text("choisir plusieurs billets", "select several tickets")),
    )

    def __init__(self, name: str, **more: Any) -> None:
        super().__init__(name, **more)
        self._office: Office | None = None
        self._typed = Typed(self.root)

    def take(self, event: Event) -> None:
        """Something happened."""
        super().take(event)
        if self._office is not None:
            self._office.take(event)

    def make_panels(self, parent: ttk.Notebook, house: House) -> list[tuple[str, ttk.Frame]]:
        """The tabs that only this window has."""
        if self._office is None:
            role = house.process.site.role
            assert isinstance(role, Guichet)
            self._office = Office(role)
        self.tickets = TicketsPanel(parent, house, self._office, self._typed)
        self.sales = SalesPanel(parent, house, self._office)
        self.clients = ClientsPanel(parent, house, self._office)
        return [
            (house.t("Billets", "Tickets"), self.tickets),
            (house.t("Retenus et ventes", "Held and sold"), self.sales),
            (house.t("Clients", "Clients"), self.clients),
        ]

    def progress(self, label: str, done: int, total: int) -> None:
        """A long import has come so far."""
        if self._panels and self.tickets.importing is not None:
            self.tickets.importing.show_progress(label, done, total)
        super().progress(label, done, total)

    def note(self, text: Text) -> None:
        """Something to know of the timetable that is imported."""
        if self._panels and self.tickets.importing is not None:
            self.tickets.importing.note(text)
