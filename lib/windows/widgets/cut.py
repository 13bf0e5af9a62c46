"""Texts that may be longer than their place: cut with an ellipsis, and whole beneath the mouse."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from functools import lru_cache
from tkinter import ttk

_KEPT = 4096  # texts of which it is remembered how they are cut: more than any table has cells in sight
_REST = 400  # milliseconds that the mouse rests somewhere before its user wants to know more
_GAP = 4  # pixels between the tip and what it is about, and the edge of its parent


class Cutter:
    """Cuts texts so that they are no wider than their place; `measure(text)` is how wide one is, in pixels."""

    def __init__(self, measure: Callable[[str], int]) -> None:
        self.width = lru_cache(maxsize=_KEPT)(measure)
        self.cut = lru_cache(maxsize=_KEPT)(self._cut)

    def forget(self) -> None:
        """The font has changed."""
        self.cut.cache_clear()
        self.width.cache_clear()

    def _cut(self, text: str, room: int) -> str:
        """`text`, or as much of its beginning as there is room for, with `…` behind it."""
        if len(text) <= room and self.width(text) <= room:  # no character is less than a pixel wide
            return text
        short, long = 0, min(len(text), max(room, 0))  # so many characters fit, so many don't: by halves
        while long - short > 1:
            middle = (short + long) // 2
            if self.width(text[:middle].rstrip() + "…") <= room:
                short = middle
            else:
                long = middle
        return text[:short].rstrip() + "…"


class Tip(ttk.Label):
    """A text that comes over its parent where the mouse rests, and goes when it moves on."""

    def __init__(self, parent: tk.Misc) -> None:
        super().__init__(parent, style="Tip.TLabel", justify="left")
        self._waiting = ""
        self.bind("<Button>", lambda _: self.hide())

    @property
    def text(self) -> str:
        """What is told, or will be when the mouse has rested; empty: nothing."""
        return str(self.cget("text"))

    def tell(self, text: str, x: int, top: int, bottom: int) -> None:
        """Tell `text` soon, at `x` beneath `bottom`, or above `top` where there is no room beneath."""
        self.hide()
        self.configure(text=text, wraplength=max(self.master.winfo_width() - 6 * _GAP, 1))
        self._waiting = self.after(_REST, self._show, x, top, bottom)

    def hide(self) -> None:
        """The mouse has gone on, or what it is about has."""
        if self._waiting:
            self.after_cancel(self._waiting)
            self._waiting = ""
        self.configure(text="")
        self.place_forget()

    def destroy(self) -> None:
        """With its window, also when something was still to be told."""
        self.hide()
        super().destroy()

    def _show(self, x: int, top: int, bottom: int) -> None:
        self._waiting = ""
        right, floor = self.master.winfo_width() - self.winfo_reqwidth(), self.master.winfo_height()
        below, above = bottom + _GAP, max(top - _GAP - self.winfo_reqheight(), 0)
        self.place(x=max(min(x, right - _GAP), 0), y=below if below + self.winfo_reqheight() <= floor else above)
        self.lift()
