"""What both windows have: the banner, the tabs, the status line, and the site that lives in it.

`ClientWindow` and `GuichetWindow` add the panels that only they have.
"""

from __future__ import annotations

import sys
import tkinter as tk
import traceback
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from tkinter import ttk
from types import TracebackType
from typing import Any, Protocol

from lib.core.facts import Event
from lib.texts import Text
from lib.windows import driver
from lib.windows.banner import BannerBar
from lib.windows.driver import Driver
from lib.windows.house import House, Process
from lib.windows.journal import JournalPanel
from lib.windows.snapshots import SnapshotPanel
from lib.windows.theme import Theme
from lib.windows.view.banner import banner
from lib.windows.view.journal import Journal
from lib.windows.widgets.dialog import show_error

MAX_STATUS = 300  # characters: a widget wider than X can draw would end the process
_BANNER_PAUSE = 5.0  # seconds after which the ages in the banner are looked at again
_LINK_PAUSE = 1.0  # seconds after which the file of `--liaison` is

_KEYS = (
    ("Ctrl + 1, 2, 3…", Text("changer d'onglet", "change the tab")),
    ("Tab, Maj + Tab", Text("passer d'un champ à l'autre", "go from field to field")),
    ("↑ ↓ ⇞ ⇟", Text("parcourir un tableau, Entrée pour agir", "move in a table, Return to act")),
    ("1 … 9", Text("trier un tableau par sa énième colonne", "sort a table by its nth column")),
    ("Ctrl + I", Text("prendre un instantané", "take a snapshot")),
    ("Ctrl + O", Text("charger l'instantané choisi", "load the selected snapshot")),
    ("Ctrl + F", Text("chercher dans les messages", "search in the messages")),
    ("Ctrl + +, −, 0", Text("grandir, réduire, rétablir le texte", "larger, smaller, usual text")),
    ("Ctrl + L", Text("français ou anglais", "French or English")),
    ("Ctrl + D", Text("clair ou sombre", "light or dark")),
    ("Ctrl + Q", Text("fermer : le site prend congé des autres", "close: the site takes leave of the others")),
)


class Sources(driver.Sources, Protocol):
    """What the window drives: a site's sources, with its process."""

    @property
    def process(self) -> Process: ...


class Panel(Protocol):
    """One tab of a window."""

    def refresh(self) -> float | None:
        """Show how things stand; in how many seconds to do so again even if nothing happens (None: not at all)."""

    def restyle(self) -> None:
        """The theme has changed: take its colours where styles do not."""


class Window(ABC):
    """The window of site `name`. `watch` is told what happens; `live` drives the site until it ends.

    `language` is `fr` or `en`; `geometry` as X has it (`800x600+0+0`), or empty; `neighbours` are those of `--voisins`;
    `link` is the file of `--liaison`.
    Raises `tkinter.TclError` when there is no display.
    """

    role: Text
    size = "860x620"
    own_keys: tuple[tuple[str, Text], ...] = ()  # what only this window's keyboard does, for its help

    def __init__(
        self, name: str, *, language: str, geometry: str, neighbours: tuple[str, ...], link: str | None = None
    ) -> None:
        self.name = name
        self.root = tk.Tk(className="Billets")
        self.root.report_callback_exception = self._report
        self.root.geometry(geometry.removeprefix("=") or self.size)
        self.root.minsize(480, 320)
        self.root.protocol("WM_DELETE_WINDOW", self.close)
        self.theme = Theme(self.root)
        self.journal = Journal()
        self._language = language
        self._neighbours = neighbours
        self._link = None if link is None else Path(link)
        self._is_busy = False
        self._is_ordering = False
        self._is_closed_early = False
        self._driver: Driver | None = None
        self._notebook: Any = None
        self._panels: list[tuple[str, ttk.Frame]] = []
        self._sources: Sources | None = None
        self._content: ttk.Frame | None = None
        self.root.title(f"{name} — {self.role.in_language(language)}")
        self._bind_keys()
        self._splash()

    def _splash(self) -> None:
        """Something to see while a long timetable is read."""
        self._content = ttk.Frame(self.root)
        self._content.place(relwidth=1, relheight=1)
        centre = ttk.Frame(self._content)
        centre.place(relx=0.5, rely=0.5, anchor="center")
        ttk.Label(centre, text=self.name, style="Title.TLabel").pack()
        self._splash_words = ttk.Label(centre, text="…", style="Muted.TLabel")
        self._splash_words.pack(pady=8)
        self._splash_bar = ttk.Progressbar(centre, length=260, maximum=1.0)
        self._splash_bar.pack()
        self.root.update()

    # ----------------------------------------------------------------------------------------------------------- its life

    def begin(self, sources: Sources) -> Driver:
        """Show the site, which the driver given makes live."""
        self._sources = sources
        self._driver = Driver(self.root, sources, self._draw)
        self._build()
        self._driver.look()
        return self._driver

    def live(self, sources: Sources) -> None:
        """Drive the site, and show it, until it ends."""
        self.begin(sources).run()
        self.root.withdraw()
        self.root.update_idletasks()
        sources.say_the_rest()
        self.root.destroy()

    def close(self) -> None:
        """The user closes the window: the site says goodbye and ends."""
        if self._sources is None:
            self._is_closed_early = True
        else:
            self.order("quitter")

    def watch(self, events: Sequence[Event]) -> None:
        """This happened."""
        self.journal.add(events)
        for event in events:
            self.take(event)

    def take(self, event: Event) -> None:
        """Something happened: keep of it what will be shown. Called for every event: to be cheap."""
        if self._panels:
            self._snapshot_panel.watch(event)

    def order(self, line: str, done: str = "") -> Text | None:
        """Carry a command out, and say so in the status line, with the words `done` or the command itself; why it could
        not be (None: it was)."""
        assert self._sources is not None and self._driver is not None
        if self._is_busy:
            reason: Text | None = Text("un import est en cours : attendez sa fin", "an import is running: wait for its end")
        else:
            self._is_ordering = True
            reason = self._sources.process.order(line)
            self._is_ordering = False
        if reason is not None:
            self.say(reason.in_language(self._language), good=False)
        else:
            self.say(done or f"› {line}", good=None)
        self._driver.look()
        return reason

    def progress(self, label: str, done: int, total: int) -> None:
        """A long import has come so far: show it, and serve the pipes and the user meanwhile.

        But not when it was asked for by a line of the command pipe: what comes now must wait for what that pipe said before.
        """
        bar, words = (self._bar, self._status) if self._sources is not None else (self._splash_bar, self._splash_words)
        bar.configure(value=done / total if total else 1.0)
        words.configure(text=f"{label} {100 * done // total if total else 100} %")
        if self._sources is not None:
            self._bar.grid()
        self._is_busy = True
        if self._sources is None or self._is_ordering:
            self.root.update()
        else:
            self.root.update_idletasks()
        self._is_busy = False
        if self._is_closed_early:  # the timetable is still being read: nobody knows of this site yet
            sys.exit(0)
        if done >= total and self._sources is not None:
            self._bar.grid_remove()

    def note(self, text: Text) -> None:  # noqa: B027
        """Something to know of the timetable that is imported."""

    def say(self, words: str, good: bool | None = None) -> None:
        """A sentence in the status line: good news, bad news, or neither."""
        style = {True: "Good.TLabel", False: "Bad.TLabel", None: "TLabel"}[good]
        sign = {True: "✓ ", False: "✗ ", None: ""}[good]
        self._status.configure(text=(sign + words)[:MAX_STATUS], style=style)

    def _report(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        """A callback raised: our own mistake. It is told, on stderr and to the user, and the site goes on."""
        details = "".join(traceback.format_exception(kind, error, trace))
        sys.stderr.write(details)
        show_error(
            self.root,
            self._t("Erreur interne", "Internal error"),
            self._t(
                "Le programme a commis une erreur ; le site continue. Copiez les détails pour la signaler.",
                "The program made a mistake; the site goes on. Copy the details to report it.",
            ),
            details,
            self._language,
        )

    # ------------------------------------------------------------------------------------------------------ what is seen

    @abstractmethod
    def make_panels(self, parent: ttk.Notebook, house: House) -> list[tuple[str, ttk.Frame]]:
        """The tabs that only this window has, with their titles."""

    def _build(self) -> None:
        """Make everything anew, in the language of now: texts are set once, where the widgets are made."""
        assert self._sources is not None
        selected = self._notebook.index("current") if self._panels else 0
        focus, before = str(self.root.tk.call("focus")), str(self._content)
        if self._content is not None:
            self._content.destroy()
        house = House(self._sources.process, self.theme, self._language, self._neighbours, order=self.order, say=self.say)
        self._content = ttk.Frame(self.root)
        self._content.place(relwidth=1, relheight=1)
        self._banner = BannerBar(self._content, house)
        self._banner.grid(row=0, column=0, sticky="ew")
        self._notebook = ttk.Notebook(self._content)
        self._notebook.grid(row=1, column=0, sticky="nsew", padx=6, pady=(6, 0))
        self._make_status(self._content).grid(row=2, column=0, sticky="ew", padx=8, pady=4)
        self._content.rowconfigure(1, weight=1)
        self._content.columnconfigure(0, weight=1)
        self._journal_panel = JournalPanel(self._notebook, house, self.journal)
        self._snapshot_panel = SnapshotPanel(self._notebook, house)
        self._panels = [
            *self.make_panels(self._notebook, house),
            (self._t("Messages", "Messages"), self._journal_panel),
            (self._t("Instantanés", "Snapshots"), self._snapshot_panel),
        ]
        for title, panel in self._panels:
            self._notebook.add(panel, text=title)
        self._notebook.select(min(selected, len(self._panels) - 1))
        self._notebook.bind("<<NotebookTabChanged>>", lambda _: self._look_again())
        self.root.title(f"{self.name} — {self.role.in_language(self._language)}")
        if focus not in ("", "."):
            self._give_back(focus.replace(before, str(self._content), 1))

    def _give_back(self, focus: str) -> None:
        """The keyboard to the widget that stands where it was, or else to the window: the next key is meant for somebody."""
        self.root.update_idletasks()  # what is not there yet takes no key
        is_seen = self.root.getboolean(self.root.tk.call("winfo", "exists", focus)) and self.root.getboolean(
            self.root.tk.call("winfo", "viewable", focus)
        )
        self.root.tk.call("focus", focus if is_seen else self.root)

    def _make_status(self, parent: tk.Misc) -> ttk.Frame:
        frame = ttk.Frame(parent)
        self._status = ttk.Label(frame, anchor="w", text=self._t("F1 : aide", "F1: help"), style="Muted.TLabel")
        self._status.grid(row=0, column=0, sticky="ew")
        self._bar = ttk.Progressbar(frame, length=120, maximum=1.0)
        self._bar.grid(row=0, column=1, padx=6)
        self._bar.grid_remove()
        tools = (
            ("A−", lambda: self._resize(-1)),
            ("A+", lambda: self._resize(1)),
            ("☀" if self.theme.is_dark else "☾", self._toggle_theme),
            ("EN" if self._language == "fr" else "FR", self._toggle_language),
            ("?", self._help),
        )
        for column, (words, command) in enumerate(tools, 2):
            ttk.Button(frame, text=words, width=3, style="Tool.TButton", command=command, takefocus=False).grid(
                row=0, column=column, padx=(2, 0)
            )
        frame.columnconfigure(0, weight=1)
        return frame

    def _draw(self) -> float | None:
        """Show how the site stands; when to look again."""
        assert self._sources is not None
        process = self._sources.process
        self._banner.show(
            banner(
                process.site,
                process.now(),
                neighbours=self._neighbours,
                waiting=process.output.waiting,
                is_unread=process.output.is_broken,
                upstream_is_gone=self._sources.upstream_is_gone,
                link=self._read_link(),
            )
        )
        again, pause = self._current.refresh(), _BANNER_PAUSE if self._link is None else _LINK_PAUSE
        return min(pause, again if again is not None else pause)

    def _read_link(self) -> str:
        """How the link stands, in the words of `lib.words.LINK`; empty when nobody says so."""
        try:
            return self._link.read_text(encoding="utf-8").strip() if self._link else ""
        except (OSError, UnicodeDecodeError):
            return ""

    @property
    def _current(self) -> Any:
        return self._panels[self._notebook.index("current")][1]

    def _look_again(self) -> None:
        if self._driver is not None:
            self._driver.draw_soon()

    # ------------------------------------------------------------------------------------------------ what the user does

    def _bind_keys(self) -> None:
        bind = self.root.bind
        for number in range(1, 6):
            bind(f"<Control-Key-{number}>", lambda _, number=number: self._select_tab(number - 1))  # type: ignore[misc]
        for key, points in (("plus", 1), ("KP_Add", 1), ("equal", 1), ("minus", -1), ("KP_Subtract", -1), ("0", 0)):
            bind(f"<Control-Key-{key}>", lambda _, points=points: self._resize(points))  # type: ignore[misc]
        bind("<Control-Key-i>", lambda _: self._built(lambda: self.order("instantane")))
        bind("<Control-Key-o>", lambda _: self._built(self._load))
        bind("<Control-Key-f>", lambda _: self._built(self._search))
        bind("<Control-Key-l>", lambda _: self._built(self._toggle_language))
        bind("<Control-Key-d>", lambda _: self._built(self._toggle_theme))
        bind("<Control-Key-q>", lambda _: self.close())
        bind("<F1>", lambda _: self._built(self._help))
        for kind in ("TEntry", "TCombobox", "TSpinbox"):  # there it would delete a letter besides, as in Emacs
            self.root.unbind_class(kind, "<Control-Key-d>")

    def _built(self, act: object) -> None:
        """Keys do nothing before the window is there."""
        if self._panels and callable(act):
            act()

    def _select_tab(self, number: int) -> None:
        if number < len(self._panels):
            self._notebook.select(number)

    def _load(self) -> None:
        self._notebook.select(self._snapshot_panel)
        self._draw()  # the latest snapshot may not have been listed yet
        self._snapshot_panel.load()

    def _search(self) -> None:
        self._notebook.select(self._journal_panel)
        self._journal_panel.search_entry.focus_set()

    def _resize(self, points: int) -> None:
        self.theme.resize(points)
        self._restyle()

    def _toggle_theme(self) -> None:
        self.theme.toggle()
        self._build()
        self._look_again()

    def _restyle(self) -> None:
        for _, panel in self._panels:
            panel.restyle()  # type: ignore[attr-defined]
        self._look_again()

    def _toggle_language(self) -> None:
        self._language = "en" if self._language == "fr" else "fr"
        self._build()
        self._look_again()

    def _help(self) -> None:
        known = (*self.own_keys, *_KEYS)
        lines = "\n".join(f"{keys:<18}{words.in_language(self._language)}" for keys, words in known)
        show_error(self.root, self._t("Clavier", "Keyboard"), self._t("Tout se fait aussi au clavier :", "The keyboard "
                   "does everything too:"), lines, self._language)  # fmt: skip

    def _t(self, fr: str, en: str) -> str:
        return en if self._language == "en" else fr
