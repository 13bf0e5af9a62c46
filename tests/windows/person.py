"""What a person does with a window: keys go to what has the keyboard, clicks to what is under the mouse."""

from __future__ import annotations

import tkinter
from itertools import count

_TIMES = count(1000, 1000)  # milliseconds: two clicks of a person who takes their time are not a double click
# Signs by their X names; a letter or a digit without an accent is its own name.
_NAMES = {" ": "space", "-": "minus", "/": "slash", ":": "colon", ",": "comma", ".": "period", "'": "apostrophe"}
_NAMES |= {"é": "eacute", "è": "egrave", "É": "Eacute", "ç": "ccedilla", "[": "bracketleft", "{": "braceleft", "$": "dollar"}


def press(window: tkinter.Misc, *keys: str) -> None:
    """Presses and releases keys by their Tk names (`Down`, `Return`, `Alt-Down`), one after the other."""
    for key in keys:
        modifiers, _, name = key.rpartition("-")
        before = f"{modifiers}-" if modifiers else ""
        window.event_generate(f"<{before}KeyPress-{name}>")
        if window.winfo_exists():
            window.event_generate(f"<{before}KeyRelease-{name}>")
            window.update()


def write(window: tkinter.Misc, text: str) -> None:
    """Types `text`, sign by sign."""
    for sign in text:
        press(window, _NAMES.get(sign, sign))


def click(widget: tkinter.Misc, x: int | None = None, y: int | None = None, times: int = 1) -> None:
    """Clicks on a widget, in its middle unless said otherwise."""
    widget.update()
    at = {"x": widget.winfo_width() // 2 if x is None else x, "y": widget.winfo_height() // 2 if y is None else y}
    at["time"] = next(_TIMES)
    widget.event_generate("<Enter>", **at)
    widget.event_generate("<Motion>", **at)
    for _ in range(times):
        widget.event_generate("<Button-1>", **at)
        if widget.winfo_exists():
            widget.event_generate("<ButtonRelease-1>", **at)
    if widget.winfo_exists():
        widget.update()
