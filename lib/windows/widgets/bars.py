"""How much is left: as text for a table's cell, and as a bar with its seconds."""

from __future__ import annotations

import math
import tkinter as tk
from tkinter import ttk

_SOON = 0.25  # of the whole: what is left then wants attention
_ENOUGH, _LITTLE = "Horizontal.TProgressbar", "Warning.Horizontal.TProgressbar"


def bar(fraction: float, cells: int = 10) -> str:
    """`fraction` (0 to 1; beyond is cut) of `cells` signs filled. Empty means that nothing at all is left.

    >>> bar(0.4)
    '▰▰▰▰▱▱▱▱▱▱'
    """
    filled = math.ceil(min(max(fraction, 0.0), 1.0) * cells)
    return "▰" * filled + "▱" * (cells - filled)


class CountDown(ttk.Frame):
    """A bar that shrinks, with the seconds that are left; its owner says when, there is no timer in it."""

    def __init__(self, parent: tk.Misc, length: int = 120) -> None:
        super().__init__(parent)
        self._bar = ttk.Progressbar(self, length=length, maximum=1.0, style=_ENOUGH)
        self._bar.pack(side="left", fill="x", expand=True)
        self._label = ttk.Label(self, anchor="e", width=7)
        self._label.pack(side="left", padx=(6, 0))

    @property
    def text(self) -> str:
        """What stands beside the bar."""
        return str(self._label.cget("text"))

    def show(self, left_seconds: float, of_seconds: float) -> None:
        """`left_seconds` of `of_seconds` are left."""
        left = max(left_seconds, 0.0)
        fraction = min(left / of_seconds, 1.0) if of_seconds > 0 else 0.0
        self._bar.configure(value=fraction, style=_LITTLE if fraction <= _SOON else _ENOUGH)
        self._label.configure(text=f"{math.ceil(left)} s")
