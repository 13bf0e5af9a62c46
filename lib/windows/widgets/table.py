"""A table that holds only the rows that are seen, refilled from a sequence: its length costs nothing.

The ttk.Treeview in it has as many items as there is room for; item number n shows row number `top + n`. What is selected is
a key, not an item: it survives any refilling, wherever its row went.
"""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from tkinter import font, ttk
from typing import Any, Literal, Protocol

Anchor = Literal["w", "center", "e"]

_WHEEL = 3  # rows for a click of the mouse wheel, as browsers do
_EDGE = 2  # pixels around a Treeview
_CONTROL_OR_ALT = 0x4 | 0x8
_NARROWEST = 4  # characters of a column that can shrink


@dataclass(frozen=True, slots=True)
class Column:
    """A column: `key` names it, `width` is in characters, a column that can `stretch` shares what is left of the width."""

    key: str
    title: str
    width: int
    anchor: Anchor = "w"
    stretch: bool = False
    sortable: bool = True


class Row(Protocol):
    """What a row must have: a key that is its own, a text for each column, and a tag (or "") that colours it."""

    @property
    def key(self) -> str: ...
    @property
    def cells(self) -> tuple[str, ...]: ...
    @property
    def tag(self) -> str: ...


class Rows(Protocol):
    """What can be shown: a list or a tuple, or anything that makes its rows when asked for a slice of them.

    Where a selected row went is asked of the method `index_of(key) -> int | None`, if there is one; a list or a tuple is
    searched. Without either, a selection is kept until its row is seen again.
    """

    def __len__(self) -> int: ...
    def __getitem__(self, index: Any, /) -> Any: ...


class Table(ttk.Frame):
    """A sortable table of any length, used with the mouse or the keyboard alone.

    `on_select(key or None)` is called when the user, or the disappearance of the row, changes what is selected;
    `on_open(key)` for a double click or Return; `on_sort(key, descending)` for a click on a title, or the digit 1 to 9 of
    a column: its owner then shows the rows in that order. `empty` is said where there are no rows, `height` is in rows.
    """

    def __init__(
        self,
        parent: tk.Misc,
        columns: Sequence[Column],
        on_select: Callable[[str | None], None] | None = None,
        on_open: Callable[[str], None] | None = None,
        on_sort: Callable[[str, bool], None] | None = None,
        empty: str = "",
        height: int = 8,
    ) -> None:
        super().__init__(parent)
        self.columns = tuple(columns)
        self._on_select, self._on_open, self._on_sort = on_select, on_open, on_sort
        self._rows: Rows = ()
        self._top = 0
        self._selected: str | None = None
        self._index: int | None = None  # where the selected row is, or was when it was last seen
        self._sort: tuple[str, bool] | None = None
        self._drawn: list[tuple[tuple[str, ...], str]] = []
        self._drawn_keys: list[tuple[str, int]] = []  # a click means the row on the screen, not the one that will be
        self._pending: str | None = None
        self._measures = (0, 0)  # of a character and of the table, in pixels: what the columns were fitted to
        self._make_widgets(empty, height)
        self._bind_events()
        self._fit_columns()

    def _make_widgets(self, empty: str, height: int) -> None:
        keys = [column.key for column in self.columns]
        self.tree = ttk.Treeview(
            self, columns=keys, show="headings", selectmode="none", height=height, style="Table.Treeview"
        )
        self._scrollbar = ttk.Scrollbar(self, orient="vertical", command=self._on_scrollbar)
        self._empty = ttk.Label(self.tree, text=empty, style="Empty.TLabel")
        self.tree.grid(row=0, column=0, sticky="nsew")
        self._scrollbar.grid(row=0, column=1, sticky="ns")
        self.rowconfigure(0, weight=1)
        self.columnconfigure(0, weight=1)
        for column in self.columns:
            self.tree.column(column.key, anchor=column.anchor, stretch=column.stretch)
            self.tree.heading(column.key, text=column.title, anchor=column.anchor)
            if column.sortable:
                self.tree.heading(column.key, command=partial(self.sort_by, column.key))

    def _bind_events(self) -> None:
        bind = self.tree.bind
        bind("<Configure>", lambda _: self._fit_columns())
        bind("<<ThemeChanged>>", lambda _: self._fit_columns())
        bind("<Button-1>", self._on_click)
        bind("<Double-Button-1>", self._on_double_click)
        bind("<Return>", lambda _: self._open_selected())
        bind("<KP_Enter>", lambda _: self._open_selected())
        bind("<Key>", self._on_digit)
        for event, rows in (("<Button-4>", -_WHEEL), ("<Button-5>", _WHEEL)):
            bind(event, lambda _, rows=rows: self._scroll(rows))  # type: ignore[misc]
        bind("<MouseWheel>", lambda event: self._scroll(-_WHEEL if event.delta > 0 else _WHEEL))
        moves: dict[str, Callable[[], int]] = {
            "<Up>": lambda: self._here(-1),
            "<Down>": lambda: self._here(1),
            "<Prior>": lambda: self._here(-self._page()),
            "<Next>": lambda: self._here(self._page()),
            "<Home>": lambda: 0,
            "<End>": lambda: len(self._rows) - 1,
        }
        for event, target in moves.items():
            bind(event, lambda _, target=target: self._move_to(target()))  # type: ignore[misc]

    # What the owner says.

    def show(self, rows: Rows, sort: tuple[str, bool] | None = None) -> None:
        """Shows `rows`, of which only those in sight are asked for; `sort` (key, descending) marks a title with an arrow.

        The first row in sight keeps its number, what is selected stays selected wherever it went, and the arrow stays where
        it is when `sort` is None.
        """
        self._rows = rows
        if sort is not None and sort != self._sort:
            self._sort = sort
            self._mark_titles()
        if self._selected is not None:
            self._find_selected()
        self.redraw()

    def select(self, key: str | None, see: bool = True) -> None:
        """Selects the row of `key` (None: nothing), without a call of `on_select`, and scrolls so that one can `see` it."""
        self._selected, self._index = key, None
        if key is not None:
            self._find_selected()
        if see and self._index is not None:
            self._see(self._index)
        self.redraw()

    @property
    def selected(self) -> str | None:
        """The key of the selected row."""
        return self._selected

    @property
    def top(self) -> int:
        """The number of the first row in sight."""
        return self._top

    @property
    def seen(self) -> Sequence[Row]:
        """The rows in sight."""
        seen: Sequence[Row] = self._rows[self._top : self._top + self._room()]
        return seen

    def tag_configure(self, tag: str, **options: Any) -> None:
        """How the rows with `tag` look: `foreground`, `background`, `font`."""
        self.tree.tag_configure(tag, **options)

    def sort_by(self, key: str) -> None:
        """As a click on the title of column `key`: upwards first, then the other way round."""
        descending = self._sort == (key, False)
        self._sort = (key, descending)
        self._mark_titles()
        if self._on_sort:
            self._on_sort(key, descending)

    def focus_table(self) -> None:
        """Gives the table the keyboard."""
        self.tree.focus_set()

    # What is seen.

    def redraw(self) -> None:
        """Draws before Tk rests next: any number of changes at once are drawn once."""
        if self._pending is None:
            self._pending = self.after_idle(self._draw)

    def destroy(self) -> None:
        """With its window, also when something was still to be drawn."""
        if self._pending is not None:
            self.after_cancel(self._pending)
            self._pending = None
        super().destroy()

    def _draw(self) -> None:
        self._pending = None
        length, room = len(self._rows), self._room()
        self._top = max(0, min(self._top, length - room))
        rows = self.seen
        self._resize(len(rows))
        for slot, row in enumerate(rows):
            self._fill(slot, row)
        self._drawn_keys = [(row.key, self._top + slot) for slot, row in enumerate(rows)]
        self._mark_selected(rows)
        self._scrollbar.set(self._top / length if length else 0.0, min(1.0, (self._top + room) / length) if length else 1.0)
        if length:
            self._empty.place_forget()
        else:
            self._empty.place(relx=0.5, rely=0.5, anchor="center")

    def _resize(self, count: int) -> None:
        """As many items as there are rows in sight."""
        for slot in range(len(self._drawn), count):
            self.tree.insert("", "end", iid=str(slot))
            self._drawn.append(((), ""))
        if len(self._drawn) > count:
            self.tree.delete(*(str(slot) for slot in range(count, len(self._drawn))))
            del self._drawn[count:]

    def _fill(self, slot: int, row: Row) -> None:
        """What has not changed is not told to Tk again. The cells go as a tuple: Tcl never reads their text."""
        if self._drawn[slot] != (row.cells, row.tag):
            self._drawn[slot] = (row.cells, row.tag)
            self.tree.tk.call(self.tree, "item", str(slot), "-values", row.cells, "-tags", (row.tag,) if row.tag else ())

    def _mark_selected(self, rows: Sequence[Row]) -> None:
        slot = next((slot for slot, row in enumerate(rows) if row.key == self._selected), None)
        if slot is None:
            self.tree.selection_set(())
        else:
            self._index = self._top + slot
            self.tree.selection_set((str(slot),))

    def _mark_titles(self) -> None:
        key, descending = self._sort or ("", False)
        for column in self.columns:
            arrow = (" ▼" if descending else " ▲") if column.key == key else ""
            self.tree.heading(column.key, text=column.title + arrow)

    def _fit_columns(self) -> None:
        """Widths for the font and the table as they are now: Tk lets columns run out of a table that is too narrow. A width
        that the user has dragged stays until one of both changes."""
        character = font.nametofont("TkDefaultFont", root=self).measure("0")
        measures = (character, self.tree.winfo_width())
        if measures != self._measures:
            self._measures = measures
            share = self._share(*measures)
            for column in self.columns:
                wanted, narrowest = (column.width + 1) * character, min(column.width, _NARROWEST) * character
                width = max(int(wanted * share), narrowest) if column.stretch else wanted
                self.tree.column(column.key, width=width, minwidth=narrowest)
        self.redraw()

    def _share(self, character: int, width: int) -> float:
        """How wide a column that stretches becomes, compared to what it asks for, so that all are seen."""
        fixed = sum(column.width + 1 for column in self.columns if not column.stretch)
        elastic = sum(column.width + 1 for column in self.columns if column.stretch)
        return ((width - 2 * _EDGE) / character - fixed) / elastic if elastic and width > 1 else 1.0  # 1: not yet laid out

    def _room(self) -> int:
        """How many whole rows there is room for, at least one."""
        height = self.tree.winfo_height()
        regions = ((y, self.tree.identify_region(2 * _EDGE, y)) for y in range(_EDGE, height))
        top = next((y for y, region in regions if region not in ("heading", "separator")), 0)
        row = ttk.Style(self).lookup("Table.Treeview", "rowheight") or 20  # Tk's own when nothing was configured
        return max(1, (height - top - _EDGE) // int(row))

    # What is selected.

    def _find_selected(self) -> None:
        """Where the selected row went; if it went for good, nothing is selected any more."""
        assert self._selected is not None
        index_of = getattr(self._rows, "index_of", None)
        if index_of is not None:
            self._index = index_of(self._selected)
        elif isinstance(self._rows, list | tuple):
            self._index = self._search(self._selected)
        else:
            return
        if self._index is None:
            self._choose(None, None)

    def _search(self, key: str) -> int | None:
        near = self._index
        if near is not None and near < len(self._rows) and self._rows[near].key == key:
            return near
        return next((index for index in range(len(self._rows)) if self._rows[index].key == key), None)

    def _choose(self, key: str | None, index: int | None) -> None:
        changed = key != self._selected
        self._selected, self._index = key, index
        self.redraw()
        if changed and self._on_select:
            self._on_select(key)

    def _here(self, rows: int) -> int:
        """The number of the row that is `rows` from the selected one; the first in sight if none is selected."""
        return self._top if self._selected is None or self._index is None else self._index + rows

    def _move_to(self, index: int) -> str:
        if len(self._rows):
            index = max(0, min(index, len(self._rows) - 1))
            self._see(index)
            self._choose(self._rows[index].key, index)
        return "break"

    def _see(self, index: int) -> None:
        self._top = min(max(self._top, index - self._page()), index)

    def _page(self) -> int:
        return max(1, self._room() - 1)

    # What the user does.

    def _scroll(self, rows: int) -> str:
        self._top = max(0, self._top + rows)
        self.redraw()
        return "break"

    def _on_scrollbar(self, action: str, amount: str, unit: str = "") -> None:
        """Tk's scrolling protocol: `moveto FRACTION`, or `scroll N units|pages`."""
        if action == "moveto":
            self._scroll(round(float(amount) * len(self._rows)) - self._top)
        else:
            self._scroll(int(amount) * (self._page() if unit == "pages" else 1))

    def _on_click(self, event: tk.Event[tk.Misc]) -> None:
        self.tree.focus_set()
        item = self.tree.identify_row(event.y)
        if item:
            self._choose(*self._drawn_keys[int(item)])

    def _on_double_click(self, event: tk.Event[tk.Misc]) -> str | None:
        if not self.tree.identify_row(event.y):
            return None  # on a title: a second click sorts the other way round
        self._open_selected()
        return "break"

    def _open_selected(self) -> None:
        if self._selected is not None and self._on_open:
            self._on_open(self._selected)

    def _on_digit(self, event: tk.Event[tk.Misc]) -> None:
        plain = event.char.isascii() and event.char.isdigit() and not int(event.state) & _CONTROL_OR_ALT
        number = int(event.char) if plain else 0
        if 1 <= number <= len(self.columns) and self.columns[number - 1].sortable:
            self.sort_by(self.columns[number - 1].key)
