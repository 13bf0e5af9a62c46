"""What of all tickets is to be seen: the fields above the guichet's table."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from tkinter import ttk

from lib.core.tickets import FREE, HELD, SOLD
from lib.windows.house import House
from lib.windows.view.guichet import Choice, Office
from lib.windows.widgets.date_field import DateField
from lib.windows.widgets.flow import Flow

_PAUSE = 150  # milliseconds without a key before what is typed is looked for: it may take as long


class Typed:
    """What the user has typed and chosen; it stays when the window is made anew, in another language say.

    `on_change()` is called at every change.
    """

    def __init__(self, root: tk.Misc) -> None:
        self.text, self.state, self.holder, self.since, self.until = (tk.StringVar(root) for _ in range(5))
        self.on_change: Callable[[], None] = lambda: None
        for variable in self._all:
            variable.trace_add("write", lambda *_: self.on_change())

    def clear(self) -> None:
        """Every ticket is wanted."""
        for variable in self._all:
            variable.set("")

    @property
    def _all(self) -> tuple[tk.StringVar, ...]:
        return self.text, self.state, self.holder, self.since, self.until


class FilterBar(Flow):
    """Text, state, holder, from one date to another. `on_choose(choice)` is called when the user has stopped typing."""

    def __init__(
        self, parent: tk.Misc, house: House, office: Office, typed: Typed, on_choose: Callable[[Choice], None]
    ) -> None:
        super().__init__(parent)
        self._house, self._office, self._typed, self._on_choose = house, office, typed, on_choose
        self._waiting = ""
        t = house.t
        self.search = _SearchEntry(self, typed.text, t("chercher", "search"))
        self.states = _ChoiceBox(self, typed.state, t("état", "state"), self._states, width=7)
        self.holders = _ChoiceBox(self, typed.holder, t("détenteur", "holder"), self._holders, width=8)
        self.add(self.search, grow=True)
        self.add(self.states)
        self.add(self.holders)
        self.since = self._add_date(t("du", "since"), typed.since)
        self.until = self._add_date(t("au", "until"), typed.until)
        self.clear_button = ttk.Button(self, text="✕", width=2, style="Tool.TButton", command=self.clear)
        self.add(self.clear_button)
        typed.on_change = self._wait

    def _add_date(self, words: str, variable: tk.StringVar) -> DateField:
        frame = ttk.Frame(self)
        ttk.Label(frame, text=words).pack(side="left", padx=(0, 4))
        field = DateField(frame, variable, time=True, language=self._house.language)
        field.entry.configure(width=9)
        field.pack(side="left")
        self.add(frame)
        return field

    def _states(self) -> list[tuple[str, str]]:
        t = self._house.t
        plural = ((FREE, t("libres", "free")), (HELD, t("retenus", "held")), (SOLD, t("vendus", "sold")))
        return [("", t("tous", "all")), *plural]

    def _holders(self) -> list[tuple[str, str]]:
        return [("", self._house.t("tous", "all")), *((name, name) for name in self._office.holders())]

    def destroy(self) -> None:
        """With its window, also when something was still to be looked for."""
        self._typed.on_change = lambda: None
        self._wait_no_more()
        super().destroy()

    def clear(self) -> None:
        """Every ticket is wanted, at once."""
        self._typed.clear()
        self._choose()

    def _wait(self) -> None:
        self._wait_no_more()
        self._waiting = self.after(_PAUSE, self._choose)

    def _wait_no_more(self) -> None:
        if self._waiting:
            self.after_cancel(self._waiting)
            self._waiting = ""

    def _choose(self) -> None:
        """Hand over what is wanted. A date that is none (yet) leaves things as they were."""
        self._wait_no_more()
        typed, before, since, until = self._typed, self._office.choice, self.since.value, self.until.value
        self._on_choose(
            Choice(
                text=typed.text.get(),
                state=typed.state.get(),
                holder=typed.holder.get(),
                since=before.since if since is None else since,
                until=before.until if until is None else until,
            )
        )


class _SearchEntry(ttk.Entry):
    """An entry that says what it is for while it is empty."""

    def __init__(self, parent: tk.Misc, variable: tk.StringVar, hint: str) -> None:
        super().__init__(parent, textvariable=variable, width=4, style="Checked.TEntry")
        self._variable = variable
        self._hint = ttk.Label(self, text=hint, style="Empty.TLabel", cursor="xterm")
        self._hint.bind("<Button-1>", lambda _: self.focus_set())
        self._trace = variable.trace_add("write", lambda *_: self._show())
        self._show()

    def destroy(self) -> None:
        """The variable lives longer, and must not call this entry then."""
        self._variable.trace_remove("write", self._trace)
        super().destroy()

    def _show(self) -> None:
        if self._variable.get():
            self._hint.place_forget()
        else:
            self._hint.place(x=8, rely=0.5, anchor="w")


class _ChoiceBox(ttk.Combobox):
    """A list of words to choose from; `variable` has the code of the chosen one. `choices()` gives codes and words; `title`
    stands there while nothing is chosen."""

    def __init__(
        self,
        parent: tk.Misc,
        variable: tk.StringVar,
        title: str,
        choices: Callable[[], list[tuple[str, str]]],
        width: int,
    ) -> None:
        super().__init__(parent, state="readonly", width=width, postcommand=self._list)
        self._variable, self._title, self._choices = variable, title, choices
        self._trace = variable.trace_add("write", lambda *_: self._show())
        self.bind("<<ComboboxSelected>>", lambda _: self._chosen())
        self._list()
        self._show()

    def destroy(self) -> None:
        """The variable lives longer, and must not call this box then."""
        self._variable.trace_remove("write", self._trace)
        super().destroy()

    def _list(self) -> None:
        self._offered = self._choices()
        self.configure(values=[words for _, words in self._offered])

    def _show(self) -> None:
        code = self._variable.get()
        self.set(dict(self._offered).get(code, code) if code else self._title)

    def _chosen(self) -> None:
        self._variable.set(self._offered[self.current()][0])
        self.selection_clear()
