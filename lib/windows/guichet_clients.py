"""The panel of clients: who is there, what each has, and what can be done about one that is gone for good."""

from __future__ import annotations

import tkinter as tk
from tkinter import ttk

from lib.core.sites import GuichetSite
from lib.windows.house import House, command_line
from lib.windows.view.guichet import Office
from lib.windows.view.guichet_rows import LEFT, SILENT, ClientLine, advice, attendance, clients, question_of_dismissal
from lib.windows.widgets.dialog import ask
from lib.windows.widgets.flow import Flow
from lib.windows.widgets.table import Column, Table


class ClientsPanel(ttk.Frame):
    """Shows the clients that the site of `house` knows, and what they have of `office`."""

    def __init__(self, parent: tk.Misc, house: House, office: Office) -> None:
        super().__init__(parent, padding=8)
        self._house, self._office = house, office
        self._lines: dict[str, ClientLine] = {}
        tools = Flow(self)
        self._title = ttk.Label(tools, style="Heading.TLabel")
        tools.add(self._title, grow=True)
        self.dismiss_button = ttk.Button(tools, text=house.t("Congédier…", "Dismiss…"), command=self.dismiss)
        tools.add(self.dismiss_button)
        tools.grid(row=0, column=0, sticky="ew", pady=(0, 6))
        self.table = self._make_table()
        self.table.grid(row=1, column=0, sticky="nsew")
        self._detail = ttk.Label(self, style="Muted.TLabel", justify="left")
        self._detail.grid(row=2, column=0, sticky="ew", pady=(4, 0))
        self._detail.bind("<Configure>", lambda event: self._detail.configure(wraplength=event.width))
        self.rowconfigure(1, weight=1)
        self.columnconfigure(0, weight=1)
        self.restyle()
        selected = office.selected_client
        self.refresh()
        self.table.select(selected)
        self._show_selected()

    def _make_table(self) -> Table:
        t = self._house.t
        columns = [
            Column("name", t("client", "client"), 10, stretch=True),
            Column("presence", t("présence", "presence"), 10),
            Column("heard", t("entendu", "heard"), 13),
            Column("held", t("retenus", "held"), 8, "e"),
            Column("sold", t("achetés", "bought"), 8, "e"),
            Column("spent", t("dépensé", "spent"), 10, "e"),
            Column("life", t("vie", "life"), 13, "e"),
        ]
        return Table(
            self, columns, on_select=self._select, on_sort=self._sort,
            empty=self._house.t("Aucun client ne s'est présenté", "No client has arrived"),
        )  # fmt: skip

    def restyle(self) -> None:
        """Take the colours of the theme."""
        self.table.tag_configure(SILENT, foreground=self._house.theme.palette.warning)
        self.table.tag_configure(LEFT, foreground=self._house.theme.palette.muted)

    def refresh(self) -> float | None:
        """Show who is there."""
        house, office = self._house, self._office
        office.settle()
        lines = clients(self._site, office, house.process.now(), office.orders["clients"])
        self._lines = {line.name: line for line in lines}
        self._title.configure(text=house.words(attendance(lines)))
        self.table.show([line.row(house.language) for line in lines], sort=office.orders["clients"])
        self._show_selected()
        return None

    @property
    def _site(self) -> GuichetSite:
        site = self._house.process.site
        assert isinstance(site, GuichetSite)
        return site

    def _select(self, name: str | None) -> None:
        self._office.selected_client = name
        self._show_selected()

    def _show_selected(self) -> None:
        line = self._lines.get(self.table.selected or "")
        self._detail.configure(text=self._house.words(advice(line)))
        self.dismiss_button.state(["disabled" if line is None or line.is_dismissed else "!disabled"])

    def _sort(self, column: str, is_descending: bool) -> None:
        self._office.orders["clients"] = column, is_descending
        self.refresh()

    def dismiss(self) -> None:
        """Free what the selected client has, after a question."""
        line, t = self._lines.get(self.table.selected or ""), self._house.t
        if line is None or line.is_dismissed:
            return
        title = t(f"Congédier {line.name} ?", f"Dismiss {line.name}?")
        question = self._house.words(question_of_dismissal(line))
        if not ask(self, title, question, t("Congédier", "Dismiss"), t("Annuler", "Cancel")):
            return
        if self._house.order(command_line("liberer", client=line.name)) is None:
            self._house.say(t(f"{line.name} est congédié", f"{line.name} is dismissed"), good=True)
            self.refresh()
