"""Widgets side by side, on as many lines as a window of this width needs."""

from __future__ import annotations

import tkinter as tk
from tkinter import ttk
from typing import Any

_GAP = 6  # pixels between two widgets, and between two lines


class Flow(ttk.Frame):
    """A row of widgets that goes on in the next line where it would be cut off, with narrow windows or large text.

    Make the widgets its children, then `add` them from left to right; one that may `grow` takes what is left of its line.
    """

    def __init__(self, parent: tk.Misc, **options: Any) -> None:
        super().__init__(parent, width=1, height=1, **options)
        self._items: list[tuple[tk.Widget, bool]] = []
        self._pending: str | None = None
        self.bind("<Configure>", lambda _: self._flow_soon())

    def add(self, widget: tk.Widget, grow: bool = False) -> None:
        """The next widget of the row."""
        self._items.append((widget, grow))
        widget.bind("<Configure>", lambda _: self._flow_soon(), add="+")
        widget.place(x=0, y=0)
        self._flow_soon()

    def destroy(self) -> None:
        """With its window, also when something was still to be laid out."""
        if self._pending is not None:
            self.after_cancel(self._pending)
            self._pending = None
        super().destroy()

    def _flow_soon(self) -> None:
        if self._pending is None:
            self._pending = self.after_idle(self._flow)

    def _flow(self) -> None:
        self._pending = None
        width = self.winfo_width()
        if width <= 1:
            return  # not seen yet
        top = 0
        for line in self._lines(width):
            height = max(widget.winfo_reqheight() for widget, _ in line)
            self._place(line, width, top, height)
            top += height + _GAP
        self.configure(height=max(1, top - _GAP))

    def _lines(self, width: int) -> list[list[tuple[tk.Widget, bool]]]:
        """What fits into each line; at least one widget."""
        lines: list[list[tuple[tk.Widget, bool]]] = []
        used = 0
        for item in self._items:
            needed = item[0].winfo_reqwidth()
            if not lines or used + _GAP + needed > width:
                lines.append([item])
                used = needed
            else:
                lines[-1].append(item)
                used += _GAP + needed
        return lines

    def _place(self, line: list[tuple[tk.Widget, bool]], width: int, top: int, height: int) -> None:
        needed = sum(widget.winfo_reqwidth() + _GAP for widget, _ in line) - _GAP
        growing = sum(grow for _, grow in line)
        left = 0
        for widget, grow in line:
            asked = widget.winfo_reqwidth()
            own = min(asked + ((width - needed) // growing if grow else 0), width)
            # Left free to be as wide as it asks for, it tells us when it asks for more.
            widget.place(x=left, y=top + (height - widget.winfo_reqheight()) // 2, width=own if own != asked else "")
            left += own + _GAP
