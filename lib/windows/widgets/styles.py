"""How the widgets look where ttk has no style for it: made from a palette, upon the styles of the theme.

Colours and text size change by calling `configure_styles` again; no widget keeps a colour of its own.
"""

from __future__ import annotations

from tkinter import font, ttk
from typing import Any, Protocol


class Palette(Protocol):
    """The colours that are needed here, each as Tk understands them (`#rrggbb`)."""

    @property
    def background(self) -> str: ...
    @property
    def surface(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def muted(self) -> str: ...
    @property
    def accent(self) -> str: ...
    @property
    def on_accent(self) -> str: ...
    @property
    def border(self) -> str: ...
    @property
    def bad(self) -> str: ...


def configure_styles(style: ttk.Style, palette: Palette) -> None:
    """Gives the widgets' styles the colours of `palette` and the measures of the named fonts as they are now.

    To be called after the theme's own styles (made from `clam`: other themes do not take all colours), whenever the palette
    or the size of the text changes. Of the theme's it uses `Bad.TLabel`, `Heading.TLabel`, `Accent.TButton`,
    `Warning.Horizontal.TProgressbar`.
    """
    line = int(font.nametofont("TkDefaultFont", root=style.master).metrics("linespace"))
    _configure_tables(style, palette, line)
    _configure_entries(style, palette)
    _configure_choices(style, palette, line)
    _configure_calendar(style, palette, line // 4)
    style.configure("Dialog.TFrame", borderwidth=1, relief="solid", bordercolor=palette.muted)


def _configure_tables(style: ttk.Style, palette: Palette, line: int) -> None:
    edge: dict[str, Any] = {"borderwidth": 1, "bordercolor": palette.border}
    style.configure("Table.Treeview", rowheight=line * 3 // 2, lightcolor=palette.surface, **edge)
    style.map("Table.Treeview", bordercolor=[("focus", palette.accent)])
    flat: dict[str, Any] = {"lightcolor": palette.background, "darkcolor": palette.background}
    style.configure("Table.Treeview.Heading", relief="flat", padding=(line // 3, line // 4), **edge, **flat)
    style.configure("Empty.TLabel", background=palette.surface, foreground=palette.muted)
    style.configure("Tip.TLabel", background=palette.text, foreground=palette.background, padding=(line // 3, line // 6))


def _configure_entries(style: ttk.Style, palette: Palette) -> None:
    for name in ("Checked.TEntry", "Checked.TCombobox"):
        edges = [("invalid", palette.bad), ("focus", palette.accent)]
        style.configure(name, lightcolor=palette.surface)
        style.map(name, bordercolor=edges, lightcolor=edges)


def _configure_choices(style: ttk.Style, palette: Palette, line: int) -> None:
    style.configure("Popup.TFrame", background=palette.accent)
    style.configure("Choices.Treeview", font="TkTextFont", rowheight=line * 3 // 2)
    style.layout("Choices.Treeview", [("Treeview.treearea", {"sticky": "nswe"})])


def _configure_calendar(style: ttk.Style, palette: Palette, padding: int) -> None:
    style.configure("Calendar.TFrame", background=palette.surface)
    looks = {
        "Day.TLabel": (palette.surface, palette.text, "TkDefaultFont"),
        "Outside.Day.TLabel": (palette.surface, palette.muted, "TkDefaultFont"),
        "Today.Day.TLabel": (palette.surface, palette.accent, "TkHeadingFont"),
        "Chosen.Day.TLabel": (palette.accent, palette.on_accent, "TkHeadingFont"),
        "Month.Day.TLabel": (palette.surface, palette.text, "TkHeadingFont"),
    }
    for name, (background, foreground, text) in looks.items():
        style.configure(name, background=background, foreground=foreground, font=text, padding=padding)
    style.map("Day.TLabel", background=[("active", palette.border)])
    style.map("Chosen.Day.TLabel", background=[("active", palette.accent)])
