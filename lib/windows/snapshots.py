"""The panel of snapshots: take one, see the round run, open the saved ones, load one back."""

from __future__ import annotations

import tkinter as tk
from tkinter import font, ttk

from lib.core.facts import Event
from lib.texts import Problem, Text
from lib.windows.house import House, command_line
from lib.windows.view.snapshots import Outcome, Photograph, open_round, outcome, saved
from lib.windows.widgets.dialog import ask
from lib.windows.widgets.table import Column, Table

_TAKE = Text("Prendre un instantané", "Take a snapshot")
_LIST = 28  # characters: a round, and when it was saved
_QUIET = Text("Aucun tour en cours : le site est blanc.", "No round is open: the site is white.")


class SnapshotPanel(ttk.Frame):
    """What there is to do and to see of snapshots at one site."""

    def __init__(self, parent: tk.Misc, house: House) -> None:
        super().__init__(parent, padding=8)
        self._house = house
        self._outcome: Outcome | None = None
        self._must_list = True
        self._latest: str | None = None
        self._make_round().grid(row=0, column=0, sticky="ew")
        panes = ttk.PanedWindow(self, orient="horizontal")
        panes.add(self._make_saved(panes), weight=1)
        panes.add(self._make_contents(panes), weight=3)
        panes.grid(row=1, column=0, sticky="nsew", pady=(8, 0))
        panes.bind("<Configure>", lambda _: self.restyle())
        self._panes = panes
        self.rowconfigure(1, weight=1)
        self.columnconfigure(0, weight=1)
        self._open(None)

    # ----------------------------------------------------------------------------------------------------- what is shown

    def _list_width(self) -> int:
        """Pixels that the list takes: panes are made in a window without a size, and would share what it grows by."""
        return _LIST * font.nametofont("TkDefaultFont", root=self).measure("0")

    def _make_round(self) -> ttk.Frame:
        frame = ttk.Frame(self)
        self.take_button = ttk.Button(
            frame, text=self._house.words(_TAKE), style="Accent.TButton", command=lambda: self._house.order("instantane")
        )
        self.take_button.grid(row=0, column=0, rowspan=2, sticky="n", padx=(0, 12))
        self._headline = _wrapping(ttk.Label(frame))
        self._headline.grid(row=0, column=1, sticky="ew")
        self._bar = ttk.Progressbar(frame, mode="determinate", maximum=1.0)
        self._bar.grid(row=1, column=1, sticky="ew", pady=2)
        self._awaited = _wrapping(ttk.Label(frame, style="Muted.TLabel", justify="left"))
        self._awaited.grid(row=2, column=1, sticky="ew")
        self._last = _wrapping(ttk.Label(frame, justify="left"))
        self._last.grid(row=3, column=0, columnspan=2, sticky="ew", pady=(4, 0))
        frame.columnconfigure(1, weight=1)
        return frame

    def _make_saved(self, parent: tk.Misc) -> ttk.Frame:
        t, frame = self._house.t, ttk.Frame(parent, padding=(0, 0, 6, 0))
        self.saved = Table(
            frame,
            [
                Column("round", t("tour", "round"), 5, "e", sortable=False),
                Column("at", t("enregistré le", "saved at"), 19, stretch=True, sortable=False),
            ],
            on_select=self._open, on_open=lambda name: self.load(), height=3,
            empty=t("Aucun instantané ici", "No snapshot here"),
        )  # fmt: skip
        self.saved.grid(row=0, column=0, columnspan=2, sticky="nsew")
        self.load_button = ttk.Button(frame, text=t("Charger…", "Load…"), command=self.load)
        again = ttk.Button(frame, text="↻", width=3, command=self._list_again)
        for column, button in enumerate((self.load_button, again)):
            button.grid(row=1, column=column, sticky="ew", padx=(0, 4), pady=(4, 0))
        frame.rowconfigure(0, weight=1)
        frame.columnconfigure(0, weight=1)
        return frame

    def _make_contents(self, parent: tk.Misc) -> ttk.Frame:
        t, frame = self._house.t, ttk.Frame(parent)
        self._title = _wrapping(ttk.Label(frame, justify="left"))
        self._title.grid(row=0, column=0, sticky="ew", pady=(0, 4))
        self._tabs = ttk.Notebook(frame)
        self._tabs.grid(row=1, column=0, sticky="nsew")
        self._checks = ttk.Frame(self._tabs, padding=4)
        self._sites = Table(
            self._tabs,
            [
                Column("name", "site", 8, sortable=False),
                Column("role", t("rôle", "role"), 9, sortable=False),
                Column("clock", t("horloge", "clock"), 9, "e", sortable=False),
                Column("life", t("vie", "life"), 15, "e", sortable=False),
                Column("tickets", t("billets", "tickets"), 8, "e", sortable=False),
                Column("requests", t("demandes ouvertes", "open requests"), 17, "e", stretch=True, sortable=False),
            ],
        )
        self._messages = Table(
            self._tabs,
            [
                Column("from", t("de", "from"), 7, sortable=False),
                Column("to", t("à", "to"), 7, sortable=False),
                Column("rank", t("rang", "rank"), 6, "e", sortable=False),
                Column("type", "type", 18, stretch=True, sortable=False),
                Column("stamp", t("estampille", "stamp"), 10, "e", sortable=False),
                Column("ticket", t("billet", "ticket"), 9, sortable=False),
            ],
            empty=t("Les canaux étaient vides", "The channels were empty"),
        )
        self._tickets = Table(
            self._tabs,
            [
                Column("id", t("billet", "ticket"), 9, sortable=False),
                Column("state", t("état", "state"), 8, sortable=False),
                Column("holder", t("détenteur", "holder"), 10, sortable=False),
                Column("client", "client", 8, sortable=False),
                Column("train", "train", 9, sortable=False),
                Column("date", "date", 16, sortable=False),
                Column("from", t("départ", "from"), 16, stretch=True, sortable=False),
                Column("to", "destination", 16, stretch=True, sortable=False),
            ],
        )
        for widget, title in (
            (self._checks, t("Contrôles", "Checks")),
            (self._sites, "Sites"),
            (self._messages, t("Dans les canaux", "In the channels")),
            (self._tickets, t("Billets", "Tickets")),
        ):
            self._tabs.add(widget, text=title)
        frame.rowconfigure(1, weight=1)
        frame.columnconfigure(0, weight=1)
        return frame

    def restyle(self) -> None:
        """The list is as wide as its text wants, but never more than half of what there is."""
        self._panes.sashpos(0, min(self._list_width(), self._panes.winfo_width() // 2))  # type: ignore[no-untyped-call]

    def watch(self, event: Event) -> None:
        """Something happened to a round or a restoration."""
        news = outcome(event)
        if news is not None:
            self._outcome, self._must_list = news, True

    def refresh(self) -> float | None:
        """Show how the round stands, and which files there are. While a round runs, the seconds want to be seen."""
        process = self._house.process
        seen = open_round(process.site, process.now())
        words = self._house.words
        self._headline.configure(text=words(seen.headline if seen else _QUIET))
        self._show_awaited("\n".join(map(words, seen.awaited)) if seen else "")
        self._show_bar(seen.fraction if seen else 0.0)
        self.take_button.state(["disabled" if seen else "!disabled"])
        if self._outcome is not None:
            style = {True: "Good.TLabel", False: "Bad.TLabel", None: "TLabel"}[self._outcome.is_good]
            sign = {True: "✓ ", False: "✗ ", None: ""}[self._outcome.is_good]
            self._last.configure(text=sign + words(self._outcome.text), style=style)
        if self._must_list:
            self._list()
        return 1.0 if seen else None

    def _show_awaited(self, words: str) -> None:
        self._awaited.configure(text=words)
        if words:
            self._awaited.grid()
        else:
            self._awaited.grid_remove()

    def _show_bar(self, fraction: float | None) -> None:
        """A client does not know how far the guichet is: its bar says only that something goes on."""
        self._bar.configure(value=0.5 if fraction is None else fraction)
        if fraction == 0.0:
            self._bar.grid_remove()
        else:
            self._bar.grid()

    def _list_again(self) -> None:
        self._list()
        self._house.say(self._house.t("Dossier relu", "The folder was read again"), good=True)

    def _list(self) -> None:
        folder = self._house.process.folder
        rows = saved(folder.names()) if folder else []
        self._must_list = False
        is_at_latest = self.saved.selected in (None, self._latest)
        self._latest = rows[0].key if rows else None
        self.saved.show(rows)
        if is_at_latest and self._latest and self.saved.selected != self._latest:
            self.saved.select(self._latest)
            self._open(self._latest)

    # ------------------------------------------------------------------------------------------------ what the user does

    def _read(self, name: str) -> Photograph | None:
        folder = self._house.process.folder
        assert folder is not None
        try:
            return Photograph(folder.read(name))
        except Problem as problem:
            self._house.say(self._house.words(problem.text), good=False)
            return None

    def _open(self, name: str | None) -> None:
        """Show what is in a snapshot, or nothing."""
        photograph = self._read(name) if name else None
        self.load_button.state(["!disabled" if photograph else "disabled"])
        if photograph is None:
            self._show_nothing()
            return
        self._title.configure(text=self._house.words(photograph.headline))
        self._show_checks([(holds, self._house.words(text)) for holds, text in photograph.checks()])
        self._sites.show(photograph.sites())
        self._messages.show(photograph.messages())
        self._tickets.show(photograph.tickets(self._house.language))

    def _show_checks(self, checks: list[tuple[bool, str]]) -> None:
        for child in self._checks.winfo_children():
            child.destroy()
        for holds, words in checks:
            style = "Good.TLabel" if holds else "Bad.TLabel"
            sign = "✓" if holds else "✗"
            _wrapping(ttk.Label(self._checks, text=f"{sign}  {words}", style=style, justify="left")).pack(fill="x")

    def _show_nothing(self) -> None:
        words = Text("Choisissez un instantané pour voir ce qu'il contient.", "Select a snapshot to see what is in it.")
        self._title.configure(text=self._house.words(words))
        self._show_checks([])
        for table in (self._sites, self._messages, self._tickets):
            table.show(())

    def load(self) -> None:
        """Load the selected snapshot back, if the user says yes to what that means."""
        name = self.saved.selected
        photograph = self._read(name) if name else None
        if photograph is None or name is None:
            return
        t = self._house.t
        headline = self._house.words(photograph.headline)
        question = t(
            f"Charger {name} ?\n\n{headline}\n\nTout le système revient à cet instant : chaque site reprend l'état "
            "enregistré, les messages des canaux sont délivrés de nouveau, et ce qui s'est passé depuis (ventes, retours, "
            "nouveaux billets) est oublié. Une nouvelle époque commence.",
            f"Load {name}?\n\n{headline}\n\nThe whole system goes back to that instant: every site takes up its recorded "
            "state, the messages of the channels are delivered again, and what has happened since (sales, returns, new "
            "tickets) is forgotten. A new epoch begins.",
        )
        if ask(self, t("Charger un instantané", "Load a snapshot"), question, t("Charger", "Load"), t("Annuler", "Cancel")):
            self._house.order(command_line("charger", fichier=name))


def _wrapping(label: ttk.Label) -> ttk.Label:
    """The same label, which goes on in another line where it would be cut off."""
    label.bind("<Configure>", lambda event: label.configure(wraplength=event.width))
    return label
