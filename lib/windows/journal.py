"""The panel of messages: the journal with its filters, pause, search and copy, and the raw line on demand."""

from __future__ import annotations

import tkinter as tk
from tkinter import ttk

from lib.windows.house import House
from lib.windows.view.journal import DROPPED, KINDS, RELAYED, Journal
from lib.windows.view.rows import Row
from lib.windows.widgets.flow import Flow
from lib.windows.widgets.table import Column, Table


class _Rows:
    """The entries shown, the latest first, as rows that are made when they are seen."""

    def __init__(self, journal: Journal, language: str) -> None:
        self._entries = journal.shown()
        self._language = language
        self._latest = self._entries[-1].number if self._entries else 0

    def __len__(self) -> int:
        return len(self._entries)

    def __getitem__(self, index: int | slice) -> Row | list[Row]:
        if isinstance(index, slice):
            return [self._row(number) for number in range(*index.indices(len(self)))]
        return self._row(index)

    def _row(self, index: int) -> Row:
        return self._entries[len(self) - 1 - index].row(self._language)


class JournalPanel(ttk.Frame):
    """Shows `journal`."""

    def __init__(self, parent: tk.Misc, house: House, journal: Journal) -> None:
        super().__init__(parent, padding=8)
        self._house = house
        self._journal = journal
        self._chosen = {kind: tk.BooleanVar(self, kind in journal.kinds) for kind in KINDS}
        self._search = tk.StringVar(self, journal.search)
        self._search.trace_add("write", lambda *_: self._choose())
        self._columns = self._table_of_messages()
        self._tools().grid(row=0, column=0, sticky="ew", pady=(0, 6))
        self._table = Table(
            self, self._columns, on_select=self._show_line,
            empty=house.t("Aucun message pour l'instant", "No message so far"),
        )  # fmt: skip
        self._table.grid(row=1, column=0, sticky="nsew")
        self._line = tk.Text(
            self, height=3, wrap="char", font="TkFixedFont", relief="flat", state="disabled", takefocus=True
        )
        self._line.grid(row=2, column=0, sticky="ew", pady=(6, 0))
        self._line.grid_remove()
        self.rowconfigure(1, weight=1)
        self.columnconfigure(0, weight=1)
        self.restyle()

    def _table_of_messages(self) -> list[Column]:
        t = self._house.t
        return [
            Column("at", t("heure", "time"), 12, sortable=False),
            Column("lamport", "H", 6, "e", sortable=False),
            Column("way", t("sens", "way"), 9, sortable=False),
            Column("type", "type", 14, stretch=True, sortable=False),
            Column("from", t("de", "from"), 6, sortable=False),
            Column("to", t("à", "to"), 6, sortable=False),
            Column("stamp", t("estampille", "stamp"), 10, "e", sortable=False, spare=True),
            Column("identity", t("numéro / motif", "number / reason"), 18, stretch=True, sortable=False),
        ]

    def _tools(self) -> Flow:
        """Filters, search, pause, copy."""
        t, bar = self._house.t, Flow(self)
        for kind, words in KINDS.items():
            bar.add(ttk.Checkbutton(
                bar, text=self._house.words(words), variable=self._chosen[kind], command=self._choose
            ))  # fmt: skip
        search = ttk.Frame(bar)
        ttk.Label(search, text=t("chercher", "search")).pack(side="left", padx=(0, 4))
        self.search_entry = ttk.Entry(search, textvariable=self._search, width=14)
        self.search_entry.pack(side="left", fill="x", expand=True)
        bar.add(search, grow=True)
        self.pause_button = ttk.Button(bar, text=t("Pause", "Pause"), command=self._pause)
        copy = ttk.Button(bar, text=t("Copier", "Copy"), command=self._copy)
        clear = ttk.Button(bar, text=t("Vider", "Clear"), command=self._clear)
        for button in (self.pause_button, copy, clear):
            button.configure(style="Tool.TButton", width=0)
            bar.add(button)
        return bar

    def restyle(self) -> None:
        """Take the colours of the theme."""
        colours = self._house.theme.palette
        self._table.tag_configure(DROPPED, foreground=colours.bad)
        self._table.tag_configure(RELAYED, foreground=colours.muted)
        self._line.configure(background=colours.surface, foreground=colours.text, insertbackground=colours.text)

    def refresh(self) -> float | None:
        """Show what has come."""
        held_back = self._journal.held_back
        t = self._house.t
        if self._journal.is_paused:
            self.pause_button.configure(text=t(f"Reprendre ({held_back})", f"Go on ({held_back})"))
        self._table.show(_Rows(self._journal, self._house.language))
        return None

    # ------------------------------------------------------------------------------------------------ what the user does

    def _choose(self) -> None:
        kinds = [kind for kind, variable in self._chosen.items() if variable.get()]
        self._journal.choose(kinds, self._search.get())
        self.refresh()

    def _pause(self) -> None:
        self._journal.is_paused = not self._journal.is_paused
        self.pause_button.configure(text=self._house.t("Pause", "Pause"))
        self.refresh()

    def _clear(self) -> None:
        self._journal.clear()
        self.refresh()

    def _show_line(self, key: str | None) -> None:
        """The raw line of the message that is selected."""
        entry = self._journal.entry(key) if key else None
        if entry is None:
            self._line.grid_remove()
            return
        reason = self._house.words(entry.reason)
        self._line.configure(state="normal")
        self._line.delete("1.0", "end")
        self._line.insert("1.0", entry.line + (f"\n✗ {reason}" if reason else ""))
        self._line.configure(state="disabled")
        self._line.grid()

    def _copy(self) -> None:
        entry = self._journal.entry(self._table.selected or "")
        if entry is None:
            self._house.say(self._house.t("Choisissez d'abord un message", "Select a message first"), good=False)
            return
        self.clipboard_clear()
        self.clipboard_append(entry.line)
        self._house.say(self._house.t("Ligne copiée", "Line copied"), good=True)
