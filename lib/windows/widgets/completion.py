"""An entry that proposes what one may be typing."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Sequence
from tkinter import font, ttk
from typing import Any

from lib.windows.widgets.popup import Popup


class CompletionEntry(ttk.Entry):
    """An entry with the candidates beneath it as one types; only a choice ever changes what was typed.

    `candidates(text)` gives what to propose for `text`, best first; `limit` of them are shown. Down opens the list; Up and
    Down choose in it, Return, Tab or a click takes the choice, Escape closes. `on_choose(text)` is called when one is taken.
    """

    def __init__(
        self,
        parent: tk.Misc,
        candidates: Callable[[str], Sequence[str]],
        limit: int = 8,
        on_choose: Callable[[str], None] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(parent, **({"style": "Checked.TEntry"} | options))
        self._candidates, self._limit, self._on_choose = candidates, limit, on_choose
        self._typed = self.get()  # what stood here before the last key
        self._choices: tuple[str, ...] = ()
        self._chosen = -1
        self._popup: Popup | None = None
        self._list: ttk.Treeview | None = None
        self.bind("<FocusIn>", lambda _: self._remember())
        self.bind("<Key>", lambda _: self._remember())
        self.bind("<KeyRelease>", lambda _: self._follow())
        self.bind("<Down>", lambda _: self._down())
        self.bind("<Up>", lambda _: self._move(-1))
        self.bind("<Escape>", lambda _: self._escape())
        self.bind("<Tab>", lambda _: self._take())
        for event in ("<Return>", "<KP_Enter>"):
            self.bind(event, lambda _: "break" if self._take() else None)

    @property
    def choices(self) -> tuple[str, ...]:
        """What is proposed at this moment; nothing while the list is closed."""
        return self._choices if self._popup and self._popup.is_open else ()

    def propose(self) -> None:
        """Opens the list for what stands in the entry, or closes it if there is nothing to propose."""
        self._typed, self._chosen = self.get(), -1
        self._choices = tuple(self._candidates(self._typed))[: self._limit]
        if self._choices and self._choices != (self._typed,):
            self._show()
        else:
            self._close()

    def _remember(self) -> None:
        self._typed = self.get()

    def _follow(self) -> None:
        """After a key: it may have changed the text, or been meant for something else."""
        if self.get() == self._typed:
            return
        if self.get():
            self.propose()
        else:
            self._close()

    def _down(self) -> str:
        if self.choices:
            return self._move(1)
        self.propose()
        return "break"

    def _move(self, step: int) -> str:
        """From the entry (-1) through the choices, and round."""
        if self.choices:
            self._chosen = (self._chosen + 1 + step) % (len(self._choices) + 1) - 1
            self._mark()
        return "break"

    def _escape(self) -> str | None:
        if not self.choices:
            return None  # then it is meant for the dialog around
        self._close()
        return "break"

    def _take(self) -> bool:
        """Takes what is chosen; whether anything was."""
        taken = bool(self.choices) and self._chosen >= 0
        if taken:
            text = self._choices[self._chosen]
            self.delete(0, "end")
            self.insert(0, text)
            self.icursor("end")
            self._remember()
        self._close()
        if taken and self._on_choose:
            self._on_choose(text)
        return taken

    def _close(self) -> None:
        if self._popup:
            self._popup.close()

    def _show(self) -> None:
        if not self._popup or not self._list:
            self._popup = Popup(self)
            self._list = self._make_list(self._popup)
        self._list.delete(*self._list.get_children())
        for number, choice in enumerate(self._choices):
            # Straight to Tcl, as a list of one value: a name's spaces and braces are no list of their own.
            self.tk.call(self._list, "insert", "", "end", "-id", str(number), "-values", (choice,))
        measure = font.nametofont("TkTextFont", root=self).measure
        self._list.configure(height=len(self._choices))
        self._list.column("choice", width=max(measure(choice) for choice in self._choices) + 2 * measure("0"))
        self._popup.open()

    def _make_list(self, popup: Popup) -> ttk.Treeview:
        listed = ttk.Treeview(
            popup.body, columns=["choice"], show="", selectmode="none", takefocus=False, style="Choices.Treeview"
        )
        listed.bind("<Motion>", self._point)
        listed.bind("<Button-1>", self._point)
        listed.bind("<ButtonRelease-1>", lambda _: self._take())
        listed.pack(fill="both", expand=True)
        return listed

    def _point(self, event: tk.Event[tk.Misc]) -> None:
        item = self._list.identify_row(event.y) if self._list else ""
        if item:
            self._chosen = int(item)
            self._mark()

    def _mark(self) -> None:
        if self._list:
            self._list.selection_set((str(self._chosen),) if self._chosen >= 0 else ())
