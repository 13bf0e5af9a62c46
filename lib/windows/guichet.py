"""The guichet's window."""

from __future__ import annotations

from tkinter import ttk

from lib.core.facts import Event
from lib.windows.house import House
from lib.windows.view.banner import ROLES
from lib.windows.window import Window


class GuichetWindow(Window):
    """What the guichet's user sees and does."""

    role = ROLES["guichet"]

    def take(self, event: Event) -> None:
        """Something happened."""
        super().take(event)

    def make_panels(self, parent: ttk.Notebook, house: House) -> list[tuple[str, ttk.Frame]]:
        """The tabs that only this window has."""
        return []
