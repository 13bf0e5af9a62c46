"""A table that holds only the rows that are seen, refilled from a sequence: its length costs nothing.

The ttk.Treeview in it has as many items as there is room for; item number n shows row number `top + n`. What is selected is
a key, not an item: it survives any refilling, wherever its row went.
"""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from tkinter import font, ttk
from typing import Any, Literal, Protocol

from lib.windows.widgets.cut import Cutter, Tip

Anchor = Literal["w", "center", "e"]

_WHEEL = 3  # rows for a click of the mouse wheel, as browsers do
_EDGE = 2  # pixels around a Treeview
_CONTROL_OR_ALT = 0x4 | 0x8
_NARROWEST = 4  # characters of a column that can shrink
_CELL = 8  # pixels of a cell that ttk leaves beside its text
MAX_MARKED = 500  # rows that can be marked at once: each key is asked for when they are
_SHIFT, _CONTROL = 0x1, 0x4


@dataclass(frozen=True, slots=True)
class Column:
    """A column: `key` names it, `width` is in characters, a column that can `stretch` shares what is left of the width. A
    `spare` one is shown where all the others have their width."""

    key: str
    title: str
    width: int
    anchor: Anchor = "w"
    stretch: bool = False
    sortable: bool = True
    spare: bool = False


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
    With `several`, rows can be marked besides the selected one, with Shift, Control and Control-A; `on_select` is told.
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
        several: bool = False,
    ) -> None:
        super().__init__(parent)
        self.columns = tuple(columns)
        self._on_select, self._on_open, self._on_sort = on_select, on_open, on_sort
        self._rows: Rows = ()
        self._top = 0
        self._selected: str | None = None
        self._several = several
        self._marked: dict[str, None] = {}  # with the selected one
        self._anchor: str | None = None  # the row at which the range begins that Shift marks
        self._index: int | None = None  # where the selected row is, or was when it was last seen
        self._sort: tuple[str, bool] | None = None
        self._drawn: list[tuple[tuple[str, ...], str]] = []
        self._drawn_keys: list[tuple[str, int]] = []  # a click means the row on the screen, not the one that will be
        self._pending: str | None = None
        self._drawn_titles = [column.title for column in self.columns]
        self._drawn_rows: Sequence[Row] = ()
        self._pointed: tuple[str, str] | None = None  # the item and the column beneath the mouse
        self._cutter = Cutter(font.nametofont("TkDefaultFont", root=self).measure)
        self._title_cutter = Cutter(font.nametofont("TkHeadingFont", root=self).measure)
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
        self._tip = Tip(self)
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
        bind("<ButtonRelease-1>", lambda _: self.redraw(), add="+")  # a column may have another width now
        bind("<Motion>", self._point)
        bind("<Leave>", lambda _: self._point_away())
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
            if self._several:
                bind(f"<Shift-{event[1:]}", lambda _, target=target: self._mark_to(target()))  # type: ignore[misc]
        if self._several:
            bind("<Control-a>", lambda _: self._mark_all())

    # What the owner says.

    def show(self, rows: Rows, sort: tuple[str, bool] | None = None) -> None:
        """Shows `rows`, of which only those in sight are asked for; `sort` (key, descending) marks a title with an arrow.

        The first row in sight keeps its number, what is selected stays selected wherever it went, and the arrow stays where
        it is when `sort` is None.
        """
        self._rows = rows
        if sort is not None:
            self._sort = sort
        if self._selected is not None:
            self._find_selected()
        self.redraw()

    def select(self, key: str | None, see: bool = True) -> None:
        """Selects the row of `key` (None: nothing), without a call of `on_select`, and scrolls so that one can `see` it."""
        self._selected, self._index = key, None
        self._marked = {} if key is None else {key: None}
        self._anchor = key
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
    def marked(self) -> list[str]:
        """The keys of the selected row and of those that are marked besides."""
        return list(self._marked)

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
        self.redraw()
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
        rooms = [int(self.tree.column(column.key, "width")) - _CELL for column in self.columns]
        for slot, row in enumerate(rows):
            self._fill(slot, tuple(map(self._cutter.cut, row.cells, rooms)), row.tag)
        self._drawn_rows = rows
        if self._tip.text and self._tip.text != self._cut_text():
            self._tip.hide()
        self._draw_titles(rooms)
        self._drawn_keys = [(row.key, self._top + slot) for slot, row in enumerate(rows)]
        self._mark_selected(rows)
        self._scrollbar.set(self._top / length if length else 0.0, min(1.0, (self._top + room) / length) if length else 1.0)
        if length or not self._empty.cget("text"):
            self._empty.place_forget()
        else:  # in the middle of where the rows would be: over the titles it would hide them
            self._empty.place(relx=0.5, y=(self._head() + self.tree.winfo_height()) // 2, anchor="center")

    def _resize(self, count: int) -> None:
        """As many items as there are rows in sight."""
        for slot in range(len(self._drawn), count):
            self.tree.insert("", "end", iid=str(slot))
            self._drawn.append(((), ""))
        if len(self._drawn) > count:
            self.tree.delete(*(str(slot) for slot in range(count, len(self._drawn))))
            del self._drawn[count:]

    def _fill(self, slot: int, cells: tuple[str, ...], tag: str) -> None:
        """What has not changed is not told to Tk again. The cells go as a tuple: Tcl never reads their text."""
        if self._drawn[slot] != (cells, tag):
            self._drawn[slot] = (cells, tag)
            self.tree.tk.call(self.tree, "item", str(slot), "-values", cells, "-tags", (tag,) if tag else ())

    def _mark_selected(self, rows: Sequence[Row]) -> None:
        slots = [slot for slot, row in enumerate(rows) if row.key in self._marked]
        self.tree.selection_set([str(slot) for slot in slots])
        self._index = next((self._top + slot for slot in slots if rows[slot].key == self._selected), self._index)

    def _draw_titles(self, rooms: Sequence[int]) -> None:
        """The titles as far as there is room, an arrow at that of the column by which the rows are sorted."""
        key, descending = self._sort or ("", False)
        padding = self.tk.splitlist(ttk.Style(self).lookup("Table.Treeview.Heading", "padding"))
        beside = _EDGE + 2 * (_EDGE + (int(str(padding[0])) if padding else 0))
        for number, (column, room) in enumerate(zip(self.columns, rooms, strict=True)):
            arrow = (" ▼" if descending else " ▲") if column.key == key else ""
            own = room + _CELL - beside - self._title_cutter.width(arrow)
            title = self._title_cutter.cut(column.title, own) + arrow
            if title != self._drawn_titles[number]:
                self._drawn_titles[number] = title
                self.tree.heading(column.key, text=title)

    def _fit_columns(self) -> None:
        """Widths for the font and the table as they are now: Tk lets columns run out of a table that is too narrow. A width
        that the user has dragged stays until one of both changes."""
        character = font.nametofont("TkDefaultFont", root=self).measure("0")
        measures = (character, self.tree.winfo_width())
        if measures != self._measures:
            self._measures = measures
            self._cutter.forget()
            self._title_cutter.forget()
            columns = self.columns
            if self._share(columns, *measures) < 1:
                columns = tuple(column for column in columns if not column.spare)
            share = self._share(columns, *measures)
            self.tree.configure(displaycolumns=[column.key for column in columns])
            for column in columns:
                wanted, narrowest = (column.width + 1) * character, min(column.width, _NARROWEST) * character
                width = max(int(wanted * share), narrowest) if column.stretch else wanted
                self.tree.column(column.key, width=width, minwidth=narrowest)
        self.redraw()

    @staticmethod
    def _share(columns: Iterable[Column], character: int, width: int) -> float:
        """How wide a column that stretches becomes, compared to what it asks for, so that all of these are seen."""
        wanted = {True: 0, False: 0}
        for column in columns:
            wanted[column.stretch] += column.width + 1
        elastic, fixed = wanted[True], wanted[False]
        return ((width - 2 * _EDGE) / character - fixed) / elastic if elastic and width > 1 else 1.0  # 1: not yet laid out

    def _room(self) -> int:
        """How many whole rows there is room for, at least one."""
        row = ttk.Style(self).lookup("Table.Treeview", "rowheight") or 20  # Tk's own when nothing was configured
        return max(1, (self.tree.winfo_height() - self._head() - _EDGE) // int(row))

    def _head(self) -> int:
        """Where the titles end, in pixels from the top."""
        regions = ((y, self.tree.identify_region(2 * _EDGE, y)) for y in range(_EDGE, self.tree.winfo_height()))
        return next((y for y, region in regions if region not in ("heading", "separator")), 0)

    # What is selected.

    def _find_selected(self) -> None:
        """Where the selected row went; if it went for good, nothing is selected any more, nor is a marked one that did."""
        assert self._selected is not None
        if not (hasattr(self._rows, "index_of") or isinstance(self._rows, list | tuple)):
            return
        self._index = self._place_of(self._selected)
        if self._index is None:
            self._choose(None, None)
        elif len(self._marked) > 1:
            self._choose(self._selected, self._index, [key for key in self._marked if self._place_of(key) is not None])

    def _place_of(self, key: str) -> int | None:
        """The number of the row of that key."""
        index_of: Callable[[str], int | None] | None = getattr(self._rows, "index_of", None)
        return index_of(key) if index_of is not None else self._search(key)

    def _search(self, key: str) -> int | None:
        near = self._index
        if near is not None and near < len(self._rows) and self._rows[near].key == key:
            return near
        return next((index for index in range(len(self._rows)) if self._rows[index].key == key), None)

    def _choose(self, key: str | None, index: int | None, marked: Iterable[str] | None = None) -> None:
        """Select a row, with those that are `marked`; None: it alone, and a range of marked ones would begin here."""
        if marked is None:
            marked, self._anchor = () if key is None else (key,), key
        marks = dict.fromkeys(marked)
        changed = key != self._selected or marks.keys() != self._marked.keys()
        self._selected, self._index, self._marked = key, index, marks
        self.redraw()
        if changed and self._on_select:
            self._on_select(key)

    def _mark_to(self, index: int) -> str:
        """Mark what stands from where one was before Shift to that row, and select it."""
        if len(self._rows):
            index = max(0, min(index, len(self._rows) - 1))
            begin = None if self._anchor is None else self._place_of(self._anchor)
            if begin is None:
                begin, self._anchor = index, self._rows[index].key
            index = max(begin - MAX_MARKED + 1, min(index, begin + MAX_MARKED - 1))
            first, last = sorted((begin, index))
            self._see(index)
            self._choose(self._rows[index].key, index, [row.key for row in self._rows[first : last + 1]])
        return "break"

    def _mark_all(self) -> str:
        """Mark as many of the first rows as can be marked."""
        keys = [row.key for row in self._rows[:MAX_MARKED]]
        if keys:
            place = 0 if self._selected not in keys else keys.index(self._selected)
            self._choose(keys[place], place, keys)
        return "break"

    def _toggle_mark(self, key: str, index: int) -> None:
        """Mark that row besides the others, or leave it out; what is selected is the last of those that are marked."""
        self._anchor = key
        keys = [other for other in self._marked if other != key]
        if key not in self._marked and len(keys) < MAX_MARKED:
            self._choose(key, index, [*keys, key])
        else:
            self._choose(keys[-1] if keys else None, self._place_of(keys[-1]) if keys else None, keys)

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
        if not item:
            return
        key, index = self._drawn_keys[int(item)]
        if self._several and int(event.state) & _SHIFT:
            self._mark_to(index)
        elif self._several and int(event.state) & _CONTROL:
            self._toggle_mark(key, index)
        else:
            self._choose(key, index)

    def _on_double_click(self, event: tk.Event[tk.Misc]) -> str | None:
        if not self.tree.identify_row(event.y):
            return None  # on a title: a second click sorts the other way round
        self._open_selected()
        return "break"

    def _point(self, event: tk.Event[tk.Misc]) -> None:
        """Over a cell that is cut, all of it is told."""
        pointed = self.tree.identify_row(event.y), self.tree.identify_column(event.x)
        if pointed == self._pointed:
            return
        self._point_away()
        self._pointed = pointed
        text = self._cut_text()
        if text:
            x, y, _, height = map(int, self.tree.bbox(*pointed))
            self._tip.tell(text, x, y, y + height)

    def _point_away(self) -> None:
        self._pointed = None
        if self._tip.text:
            self._tip.hide()

    def _cut_text(self) -> str:
        """All that stands in the cell beneath the mouse, if one does not see all of it."""
        item, place = self._pointed or ("", "")
        if not item or int(item) >= len(self._drawn_rows):
            return ""
        key = self.tree.column(place, "id")
        number = next(number for number, column in enumerate(self.columns) if column.key == key)
        whole = self._drawn_rows[int(item)].cells[number]
        return "" if whole == self._drawn[int(item)][0][number] else whole

    def _open_selected(self) -> None:
        if self._selected is not None and self._on_open:
            self._on_open(self._selected)

    def _on_digit(self, event: tk.Event[tk.Misc]) -> None:
        plain = event.char.isascii() and event.char.isdigit() and not int(event.state) & _CONTROL_OR_ALT
        number = int(event.char) if plain else 0
        if 1 <= number <= len(self.columns) and self.columns[number - 1].sortable:
            self.sort_by(self.columns[number - 1].key)
