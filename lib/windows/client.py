"""The client's window."""

from __future__ import annotations

from collections.abc import Callable
from tkinter import ttk
from typing import Any

from lib.core.buying import Client
from lib.core.facts import Event
from lib.windows.client_booking import BookingPanel
from lib.windows.client_search import Wishes
from lib.windows.client_tickets import TicketsPanel
from lib.windows.house import House
from lib.windows.view.banner import ROLES
from lib.windows.view.client import Notes, offers
from lib.windows.window import Window


class ClientWindow(Window):
    """What a client's user sees and does."""

    role = ROLES["client"]

    def __init__(self, name: str, **more: Any) -> None:
        super().__init__(name, **more)
        self.notes = Notes()
        self._wishes = Wishes(self.root)
        acts = {
            "c": lambda: self.booking.card.confirm(),
            "r": lambda: self.booking.card.decline(),
            "p": lambda: self.booking.search.reserve_button.invoke(),
        }
        for key, act in acts.items():
            self.root.bind(f"<Alt-Key-{key}>", lambda _, act=act: self._built(lambda: self._in_sight(act)))  # type: ignore[misc]

    def take(self, event: Event) -> None:
        """Something happened."""
        super().take(event)
        news = self.notes.take(event)
        if news is not None and self._panels:
            self.say(news.text.in_language(self._language), good=news.is_good)

    def make_panels(self, parent: ttk.Notebook, house: House) -> list[tuple[str, ttk.Frame]]:
        """The tabs that only this window has."""
        self._house = house
        self.notes.catch_up(self._client)
        self.booking = BookingPanel(parent, house, self.notes, self._wishes)
        self.tickets = TicketsPanel(parent, house, self.notes, self._wishes)
        return [(self._booking_title, self.booking), (self._tickets_title, self.tickets)]

    @property
    def _client(self) -> Client:
        role = self._house.process.site.role
        assert isinstance(role, Client)
        return role

    def _draw(self) -> float | None:
        """An offer must not be missed, whichever tab is open."""
        for panel, title in ((self.booking, self._booking_title), (self.tickets, self._tickets_title)):
            if self._notebook.tab(panel, "text") != title:
                self._notebook.tab(panel, text=title)
        return super()._draw()

    @property
    def _booking_title(self) -> str:
        count = len(offers(self._client, self.notes, 0.0))
        title = self._t("Réserver", "Book")
        return f"{title} ● {count} {self._t('offre', 'offer')}{'s' if count > 1 else ''}" if count else title

    @property
    def _tickets_title(self) -> str:
        return f"{self._t('Mes billets', 'My tickets')} ({len(self._client.tickets)})"

    def _in_sight(self, act: Callable[[], object]) -> None:
        """Do by the keyboard what a button of the first tab does: but only while one sees what it is about."""
        if self._current is self.booking:
            act()
        else:
            self._notebook.select(self.booking)
