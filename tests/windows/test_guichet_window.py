"""The guichet's window at work in a ring of real programs: `gch (the window) -> c1 -> c2 -> gch`.

Most tests have the window in their own process, so that they can look at it; its neighbours are programs. The last ones
start the program itself, and use it as a person does, with keys and mouse from outside.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import guichet
from lib.core.tickets import FREE, SOLD, Journey
from lib.edge.log import Log
from lib.edge.options import parse
from lib.windows import guichet_tickets
from lib.windows.widgets.dialog import Dialog
from tests.processes.ring import CLIENT, GUICHET, ROOT, Watched, timetable, until
from tests.windows.living import Living, cells
from tests.windows.person import click, press, write

FEED = Path(__file__).resolve().parents[3] / "shared/data/sncf/gtfs_sample"
needs_feed = pytest.mark.skipif(not FEED.exists(), reason="the sample of the SNCF's feed is not here")

MORNING = Journey("990001", "2027-03-15T06:12", "Compiègne", "Paris Gare du Nord", 1490)
NOON = Journey("990002", "2027-03-16T12:00", "Creil", "L'Isle-d'Abeau", 980)
STRANGE = ("L'Haÿ-les-Roses", "[exit] $env(HOME)", "{ouvert", "fermé}", "a;destroy .", 'dit "x" \\n', "n" * 200)


class Town:
    """The window of the guichet, and its neighbours `c1` and `c2`, who confirm nothing by themselves."""

    def __init__(self, display: str, folder: Path, delay: float = 60.0, **more: Any) -> None:
        more = {"tickets": ((MORNING, 3), (NOON, 2)), "load": self._load} | more
        self.log = Log("gch", "fr", 0)
        self.living = Living(display, folder, "guichet", **more)
        self.window, self.root, self.site = self.living.window, self.living.window.root, self.living.site
        self.site.role.delay = delay
        self.until = self.living.until
        self.clients = [Watched(folder, name, CLIENT, ["--confirmation=manuelle"]) for name in ("c1", "c2")]
        self._link = os.pipe()
        self.clients[1].start(self._link[0], self.living.upstream)
        self.clients[0].start(self.living._downstream, self._link[1])
        self.until(lambda: len(self.site.peers.present("client")) == 2, "the clients")

    def _load(self, asked: Any) -> Any:
        assembly: Any = SimpleNamespace(options=parse("guichet", []), log=self.log)
        return guichet.load_file(assembly, asked, self.window)

    def end(self) -> None:
        for client in self.clients:
            client.close()
        for fd in self._link:
            os.close(fd)
        self.living.end()

    # -------------------------------------------------------------------------------------------------- what is to be seen

    @property
    def tickets(self) -> Any:
        return self.window.tickets

    @property
    def stock(self) -> Any:
        return self.site.role.stock

    def rows(self, table: Any = None) -> list[tuple[str, ...]]:
        """What a table (of all tickets) shows."""
        self.living.pump()
        return cells(table or self.tickets.table)

    def ids(self) -> list[str]:
        return [row[0] for row in self.rows()]

    def marked(self) -> list[str]:
        tree = self.tickets.table.tree
        self.living.pump()
        return [str(tree.item(item, "values")[0]) for item in tree.selection()]

    def detail(self) -> str:
        return str(self.tickets._detail.cget("text"))

    def status(self) -> str:
        return str(self.window._status.cget("text"))

    # ------------------------------------------------------------------------------------------------- what a person does

    def choose(self, ticket: str) -> None:
        """Click on the row of a ticket."""
        self.until(lambda: ticket in self.ids(), f"{ticket} in sight")
        tree = self.tickets.table.tree
        item = tree.get_children()[self.ids().index(ticket)]
        x, y, _, height = tree.bbox(item)
        click(tree, x + 5, y + height // 2)
        assert self.marked() == [ticket]

    def form(self, act: Callable[[Any], object], kind: type | None = None) -> list[object]:
        """The next dialog (of a kind), once it has the keyboard: do something with it; what that gives. Should it fail, the
        dialog ends."""
        done: list[object] = []

        def carefully(dialog: Any) -> None:
            focus = dialog.focus_get()
            if (kind and type(dialog) is not kind) or focus is None or focus.winfo_toplevel() is not dialog:
                self.root.after(10, self.living.answer, carefully)
                return
            dialog.update()
            try:
                done.append(act(dialog))
            finally:
                if dialog.winfo_exists():
                    dialog.destroy()

        self.living.answer(carefully)
        return done

    def during(self, open: Callable[[], object], act: Callable[[Any], object]) -> Any:
        """Open a dialog, and do something with it; what that gives."""
        done = self.form(act)
        open()
        return done[0]

    def tab(self, number: int) -> None:
        press(self.root, f"Control-{number}")
        self.living.pump()

    def asks(self, client: int, line: str, **fields: Any) -> dict[str, Any]:
        """A neighbour asks for something; wait until its request is in a state."""
        watched = self.clients[client - 1]
        since = watched.command(line)
        event: dict[str, Any] = self.until(lambda: watched.find(since, ev="request", **fields), f"{line}: {fields}")[0]
        return event

    def bought(self, client: int, ticket: str) -> None:
        request = self.asks(client, f"reserver billet={ticket}", state="offered")["request"]
        self.asks(client, f"confirmer demande={request}", state="owned")


def fill(dialog: Any, **values: str) -> None:
    """Paste into the fields of a form, in place of what stands there."""
    for name, text in values.items():
        entry = dialog.form.fields[name].entry
        click(entry)
        entry.delete(0, "end")
        dialog.clipboard_clear()
        dialog.clipboard_append(text)
        entry.event_generate("<<Paste>>")
        dialog.update()


def message(dialog: Any, name: str) -> str:
    return str(dialog.form.fields[name].message)


def button(dialog: Any, text: str) -> Any:
    """The button of a dialog."""
    return next(each for each in dialog._buttons.winfo_children() if str(each.cget("text")) == text)


@pytest.fixture
def town(display: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Iterator[Callable[..., Town]]:
    """`town(...)` builds one; it is taken away at the end, and nothing may have been raised in its window: not even what
    Tk itself says on stderr, of a timer that outlives its widget say."""
    built: list[Town] = []

    def build(**more: Any) -> Town:
        built.append(Town(display, tmp_path, **more))
        return built[-1]

    yield build
    for each in built:
        each.end()
    said = capfd.readouterr().err
    assert "invalid command name" not in said and "Traceback" not in said, said


@pytest.fixture
def here(town: Callable[..., Town]) -> Town:
    return town()


# -------------------------------------------------------------------------------------------------------------- what is seen


def test_all_tickets_are_seen_with_what_the_subject_wants_of_them(here: Town) -> None:
    assert here.rows()[0] == (
        "B0001", "990001", "2027-03-15 06:12", "Compiègne", "Paris Gare du Nord", "gch", "14,90\u00a0€", "libre"
    )  # fmt: skip
    assert here.ids() == ["B0001", "B0002", "B0003", "B0004", "B0005"]
    here.bought(1, "B0002")
    here.asks(2, "reserver billet=B0004", state="offered")
    here.until(lambda: [row[5:] for row in here.rows()[1:4]] == [
        ("c1", "14,90\u00a0€", "vendu"), ("gch", "14,90\u00a0€", "libre"), ("gch → c2", "9,80\u00a0€", "retenu")
    ], "how they stand")  # fmt: skip
    counters = here.tickets._counters.cget("text")
    assert counters == "3 libres · 1 retenu · 1 vendu (14,90\u00a0€)"
    here.asks(1, "rendre billet=B0002", state="returned")
    here.until(lambda: here.rows()[1][5:] == ("gch", "14,90\u00a0€", "libre"), "the ticket come back")


def test_a_hold_counts_down_and_expires(town: Callable[..., Town]) -> None:
    here = town(delay=3.0)
    here.asks(1, "reserver billet=B0001", state="offered")
    here.tab(2)
    seen: list[tuple[str, str]] = []

    def watched() -> bool:
        seen.extend((row[1], row[2]) for row in here.rows(here.window.sales.held))
        return bool(here.stock.book(FREE).get("B0001"))

    here.until(watched, "the end of the hold")
    assert {client for client, _ in seen} == {"c1"}
    bars = [text.split()[0] for _, text in seen]
    left = [int(text.split()[1]) for _, text in seen]
    assert left == sorted(left, reverse=True) and left[0] == 3 and left[-1] <= 1
    assert bars[0].count("▰") > bars[-1].count("▰")
    here.until(lambda: not here.rows(here.window.sales.held), "an empty table")
    here.tab(1)
    assert here.rows()[0][-1] == "libre"


def test_the_seconds_of_a_selected_ticket_that_is_held_go_down(town: Callable[..., Town]) -> None:
    here = town(delay=4.0)
    here.choose("B0001")
    here.asks(1, "reserver billet=B0001", state="offered")
    for left in (4, 3, 2, 1):
        here.until(lambda left=left: f"encore {left} s" in here.detail(), f"{left} seconds")
    here.until(lambda: here.tickets.change_button.instate(["!disabled"]), "a free ticket")
    assert "retenu" not in here.detail()


def test_sales_takings_and_accounts(here: Town) -> None:
    here.bought(1, "B0001")
    here.bought(2, "B0004")
    here.bought(1, "B0002")
    here.tab(2)
    sold = here.until(lambda: len(rows := here.rows(here.window.sales.sold)) == 3 and rows, "the sales")
    assert [row[1:3] for row in sold] == [("B0002", "c1"), ("B0004", "c2"), ("B0001", "c1")], "the latest first"
    assert here.window.sales._sold_title.cget("text") == "Ventes : 3 · recette 39,60\u00a0€"
    here.tab(3)
    accounts = here.until(lambda: here.rows(here.window.clients.table), "the clients")
    assert [row[0:2] + row[3:6] for row in accounts] == [
        ("c1", "présent", "0", "2", "29,80\u00a0€"),
        ("c2", "présent", "0", "1", "9,80\u00a0€"),
    ]


@pytest.mark.parametrize("name", STRANGE)
def test_names_are_never_read_as_code(town: Callable[..., Town], name: str) -> None:
    here = town(tickets=((Journey(name[:20], "2027-03-15T06:12", name, "Creil", 100), 1),))
    assert here.rows()[0][1] == name[:20] and here.rows()[0][3] == name
    here.choose("B0001")
    assert name[:40] in here.detail()
    asked = here.form(lambda dialog: (fill(dialog, depart="Creil", destination=name, nombre="2"), press(dialog, "Return")))
    here.tickets.create()  # train, date and price are missing: it stays
    assert asked and len(here.stock) == 1
    done = here.form(lambda dialog: (fill(dialog, cout="2"), press(dialog.focus_get(), "Return")))
    here.tickets.change()
    assert done and here.stock.get("B0001").journey == Journey(name[:20], "2027-03-15T06:12", name, "Creil", 200)
    here.form(lambda dialog: press(dialog, "Return"))
    here.tickets.delete()
    assert len(here.stock) == 0


# ------------------------------------------------------------------------------------------------------------------ to find


def wait_for(here: Town, *ids: str) -> None:
    here.until(lambda: here.ids() == list(ids), f"{ids}; seen: {here.ids()}")


def test_the_list_is_filtered_as_one_types(here: Town) -> None:
    filters = here.tickets.filters
    click(filters.search)
    write(filters.search, "isle creil")
    wait_for(here, "B0004", "B0005")
    assert here.tickets._shown.cget("text") == "2 sur 5"
    write(filters.search, "x")
    wait_for(here)
    click(filters.clear_button)
    wait_for(here, "B0001", "B0002", "B0003", "B0004", "B0005")
    click(filters.since.entry)
    write(filters.since.entry, "16/03/2027")
    wait_for(here, "B0004", "B0005")
    filters.since.entry.delete(0, "end")
    click(filters.until.entry)
    write(filters.until.entry, "2027-03-15 06:12")
    wait_for(here, "B0001", "B0002", "B0003")


def test_the_list_is_filtered_by_state_and_holder(here: Town) -> None:
    here.bought(1, "B0002")
    here.asks(2, "reserver billet=B0004", state="offered")
    filters = here.tickets.filters

    def pick(box: Any, words: str) -> None:
        click(box)
        here.tickets.tk.call("ttk::combobox::Unpost", box)
        box.current(list(box.cget("values")).index(words))
        box.event_generate("<<ComboboxSelected>>")

    pick(filters.states, "vendus")
    wait_for(here, "B0002")
    pick(filters.states, "tous")
    pick(filters.holders, "c2")
    wait_for(here, "B0004")
    pick(filters.holders, "gch")
    wait_for(here, "B0001", "B0003", "B0004", "B0005")
    pick(filters.states, "retenus")
    wait_for(here, "B0004")
    assert (filters.states.get(), filters.holders.get()) == ("retenus", "gch")


def test_a_click_on_a_title_sorts_and_the_selection_stays(here: Town) -> None:
    here.choose("B0002")
    here.until(lambda: here.tickets.table.tree.winfo_ismapped(), "the table")
    here.tickets.table.focus_table()
    press(here.tickets.table.tree, "7")
    assert here.ids() == ["B0004", "B0005", "B0001", "B0002", "B0003"] and here.marked() == ["B0002"]
    press(here.tickets.table.tree, "7")
    assert here.ids() == ["B0003", "B0002", "B0001", "B0005", "B0004"] and here.marked() == ["B0002"]


def test_what_was_typed_sorted_and_selected_survives_another_language_and_theme(here: Town) -> None:
    click(here.tickets.filters.search)
    write(here.tickets.filters.search, "compiegne")
    wait_for(here, "B0001", "B0002", "B0003")
    here.tickets.table.sort_by("id")
    here.choose("B0003")
    press(here.root, "Control-d", "Control-l")
    here.until(lambda: here.tickets._shown.cget("text") == "3 of 5", "English")
    assert here.marked() == ["B0003"] and here.tickets.filters.search.get() == "compiegne"
    assert here.tickets.table.tree.heading("id", "text") == "ticket ▼"
    here.tickets.filters.clear()
    wait_for(here, "B0005", "B0004", "B0003", "B0002", "B0001")


# --------------------------------------------------------------------------------------------------------- to create, change


def test_tickets_are_created_by_the_keyboard_and_seen(here: Town) -> None:
    click(here.tickets.filters.search)
    write(here.tickets.filters.search, "nothing of the kind")
    wait_for(here)

    def act(dialog: Any) -> None:
        for text in ("848362", "17/03/2027 07:10", "cr"):
            write(dialog.focus_get(), text)
            if text != "cr":
                press(dialog.focus_get(), "Tab")
        press(dialog.focus_get(), "Down", "Return")  # what is proposed: Creil
        for text in ("Amiens", "12,5", "3"):
            press(dialog.focus_get(), "Tab")
            dialog.focus_get().delete(0, "end")
            write(dialog.focus_get(), text)
        assert dialog.confirm.instate(["!disabled"])
        press(dialog.focus_get(), "Return")

    here.form(act)
    click(here.tickets.create_button)
    created = [here.stock.get(f"B000{number}") for number in (6, 7, 8)]
    assert {ticket.journey for ticket in created} == {Journey("848362", "2027-03-17T07:10", "Creil", "Amiens", 1250)}
    assert here.marked() == ["B0006"] and here.tickets.filters.search.get() == ""
    assert here.status() == "✓ 3 billets en vente : B0006 à B0008"
    here.asks(1, "consulter depart=Creil destination=Amiens", state="listed")


def test_a_form_says_beside_each_field_what_is_wrong(here: Town) -> None:
    def act(dialog: Any) -> dict[str, str]:
        fill(dialog, train="9" * 70, date="31/02/2027 07:10", depart="--", destination="Creil", cout="cher", nombre="0")
        assert dialog.confirm.instate(["disabled"])
        said = {name: message(dialog, name) for name in dialog.form.fields}
        fill(dialog, train="9", date="17/03/2027", depart="CREIL", cout="1", nombre="1")
        said["no time"] = message(dialog, "date")
        fill(dialog, date="17/03/2027 07:10")
        assert dialog.confirm.instate(["!disabled"])
        click(dialog.confirm)
        said["same"] = message(dialog, "destination")
        fill(dialog, destination="Noyon", nombre="100001")
        press(dialog.focus_get(), "Return")
        said["too many"] = message(dialog, "nombre")
        press(dialog.focus_get(), "Escape")
        return said

    said = here.during(here.tickets.create, act)
    assert "60 octets" in said["train"] and "gare" in said["depart"] and said["destination"] == ""
    assert "date et heure" in said["date"] and "date et heure" in said["no time"]
    assert "15,40" in said["cout"] and "1 ou plus" in said["nombre"]
    assert "aussi la gare de départ" in said["same"] and "100000" in said["too many"]
    assert len(here.stock) == 5


def test_a_free_ticket_is_changed_and_the_others_say_why_not(here: Town) -> None:
    here.bought(1, "B0002")
    here.asks(2, "reserver billet=B0003", state="offered")
    for ticket, why in (("B0002", "vendu à c1 : ni modifiable ni supprimable"), ("B0003", "retenu pour c2, encore")):
        here.choose(ticket)
        assert why in here.detail()
        assert here.tickets.change_button.instate(["disabled"]) and here.tickets.delete_button.instate(["disabled"])
        press(here.tickets.table.tree, "Return", "Delete")  # nothing happens
    here.choose("B0001")

    def act(dialog: Any) -> None:
        assert dialog.form.values() == {
            "train": "990001", "date": "2027-03-15T06:12", "depart": "Compiègne", "destination": "Paris Gare du Nord",
            "cout": "14,90",
        }  # fmt: skip
        fill(dialog, cout="9,99", date="2027-04-01 00:00")
        press(dialog.focus_get(), "Return")

    here.form(act)
    press(here.tickets.table.tree, "Return")
    assert here.stock.get("B0001").journey == Journey("990001", "2027-04-01T00:00", "Compiègne", "Paris Gare du Nord", 999)
    assert here.marked() == ["B0001"] and here.rows()[0][6] == "9,99\u00a0€" and "B0001 modifié" in here.status()


def test_a_ticket_that_is_held_while_its_form_is_open_is_not_changed(here: Town) -> None:
    here.choose("B0001")

    def act(dialog: Any) -> str:
        here.asks(1, "reserver billet=B0001", state="offered")
        fill(dialog, cout="1")
        press(dialog.focus_get(), "Return")
        assert dialog.winfo_exists()
        return message(dialog, "train")

    said = here.during(lambda: click(here.tickets.change_button), act)
    assert "n'est pas libre" in said
    assert here.stock.get("B0001").journey.cents == 1490


def test_a_ticket_is_deleted_after_a_question(here: Town) -> None:
    here.choose("B0002")
    here.form(lambda dialog: press(dialog, "Escape"))
    click(here.tickets.delete_button)
    assert "B0002" in here.stock
    here.root.focus_force()  # there is no window manager to give the keyboard back
    here.choose("B0002")
    here.form(lambda dialog: click(button(dialog, "Supprimer")))
    press(here.tickets.table.tree, "Delete")
    assert "B0002" not in here.stock and here.marked() == ["B0003"], "the next one, for whoever deletes several"
    assert here.status() == "✓ Billet B0002 supprimé"
    here.asks(1, "reserver billet=B0002", state="refused")


# ------------------------------------------------------------------------------------------------------------- to import


def click_besides(here: Town, ticket: str) -> None:
    """Click on a row with Control."""
    tree = here.tickets.table.tree
    x, y, _, height = tree.bbox(tree.get_children()[here.ids().index(ticket)])
    tree.event_generate("<Control-Button-1>", x=x + 5, y=y + height // 2)
    here.living.pump()


def test_several_tickets_are_deleted_after_one_question(here: Town) -> None:
    here.asks(1, "reserver billet=B0003", state="offered")
    here.choose("B0001")
    for ticket in ("B0003", "B0004"):
        click_besides(here, ticket)
    assert here.marked() == ["B0001", "B0003", "B0004"]
    assert here.detail() == "3 billets choisis, dont 2 libres : les autres ne se suppriment pas."
    assert here.tickets.change_button.instate(["disabled"])
    seen = here.during(
        here.tickets.delete,
        lambda dialog: (
            dialog.title(),
            [str(child.cget("text")) for child in dialog.body.winfo_children()],
            press(dialog, "Escape"),
        ),
    )
    assert seen[0] == "Supprimer 2 billets" and "Supprimer ces 2 billets ?\n\nB0001, B0004\n" in seen[1][0]
    assert "Ce qui est retenu ou vendu parmi les choisis reste : 1 billet." in seen[1][0] and len(here.stock) == 5
    here.form(lambda dialog: press(dialog, "Return"))
    here.tickets.delete()
    here.until(lambda: "2 billets supprimés" in here.status(), "the end")
    assert sorted(here.ids()) == ["B0002", "B0003", "B0005"] and here.marked() == ["B0002"]


def test_a_ticket_that_is_held_meanwhile_is_not_deleted_with_the_others(here: Town) -> None:
    here.choose("B0001")
    click_besides(here, "B0002")

    def confirm(dialog: Any) -> None:
        here.asks(1, "reserver billet=B0002", state="offered")
        press(dialog, "Return")

    here.during(here.tickets.delete, confirm)
    here.until(
        lambda: "Billet B0001 supprimé, 1 non : le billet B0002 n'est pas libre" in here.status(), "what became of them"
    )
    assert "B0002" in here.ids() and "B0001" not in here.ids()


def test_between_deletions_the_window_is_served_and_may_be_made_anew(
    town: Callable[..., Town], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guichet_tickets, "_SLICE", 0.0)  # one ticket, then whoever waits
    here = town(tickets=((MORNING, 600),))
    here.tickets.table.focus_table()
    press(here.tickets.table.tree, "Control-a")
    here.form(lambda dialog: press(dialog, "Return"))
    here.tickets.delete()
    assert len(here.stock) == 599, "nobody would be served until all are deleted"
    panel = here.tickets
    here.root.event_generate("<Control-KeyPress-d>")
    assert here.tickets is not panel and len(here.stock) == 599, "it was made anew in the middle"
    here.until(lambda: len(here.stock) == 100 and "500 billets supprimés" in here.status(), "the end")


@needs_feed
def test_the_real_feed_is_imported(here: Town) -> None:
    told: list[str] = []

    def act(dialog: Any) -> None:
        fill(dialog, fichier=str(FEED), since="22/01/2025", until="23/01/2025", depart="Compiegne", places="2")
        here.root.after_idle(here.form, lambda notes: told.append(notes.body.winfo_children()[0].cget("text")), Dialog)
        press(dialog.focus_get(), "Return")

    here.form(act)
    click(here.tickets.import_button)
    imported = [ticket.journey for ticket in here.stock if int(ticket.id[1:]) > 5]
    assert len(imported) > 50 and {journey.departure for journey in imported} == {"Compiègne"}
    assert {journey.date[:10] for journey in imported} == {"2025-01-22", "2025-01-23"}
    assert len(imported) == 2 * len(set(imported)), "two tickets a train"
    assert here.marked() == ["B0006"] and here.status().endswith(f"en vente : B0006 à B{5 + len(imported):04}")
    assert told and "billets en vente" in told[0]


def test_a_malformed_file_says_where_and_can_be_chosen_again(here: Town, tmp_path: Path) -> None:
    bad = tmp_path / "mauvais [1] $x.csv"
    bad.write_text(
        "train,date,depart,destination,cout\n1,2027-03-15T07:10,Creil,Noyon,5\n2,2027-03-15T07:10,Creil,Noyon,cher\n"
    )

    def act(dialog: Any) -> list[str]:
        said = []
        for path in (tmp_path / "absent.csv", bad):
            fill(dialog, fichier=str(path))
            said.append(message(dialog, "fichier"))
            press(dialog.focus_get(), "Return")
            said.append(message(dialog, "fichier"))
        assert not dialog._progress.winfo_ismapped() and dialog.confirm.instate(["!disabled"])
        fill(dialog, fichier=str(timetable(tmp_path, ["7,2027-03-15T07:10,Creil,Noyon,5,4"])), since="", until="15/03/2027")
        press(dialog.focus_get(), "Return")
        said.append(message(dialog, "since"))
        fill(dialog, since="16/03/2027")
        press(dialog.focus_get(), "Return")
        said.append(message(dialog, "until"))
        fill(dialog, since="15/03/2027")
        press(dialog.focus_get(), "Return")
        return said

    said = here.during(lambda: click(here.tickets.import_button), act)
    assert said[0] == said[1] == "il n'y a rien de ce nom" and said[2] == ""
    assert f"{bad}, ligne 3, colonne cout : « cher »" in said[3]
    assert said[4] == "à remplir" and said[5] == "c'est avant le premier jour"
    assert here.marked() == ["B0006"] and len(here.stock) == 9


@pytest.mark.parametrize(("language", "words"), [("fr", "Ouvrir"), ("en", "Open")])
def test_a_file_is_chosen_in_a_dialog_in_the_windows_language(
    town: Callable[..., Town], tmp_path: Path, language: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = town(language=language)
    path = timetable(tmp_path, ["7,2027-03-15T07:10,Creil,Noyon,5,4"], "un [horaire] $x.csv")
    answers, spoken = [str(path), ""], []

    def chosen(**options: Any) -> str:
        spoken.append(here.root.tk.call("namespace", "eval", "::tk", "::msgcat::mc", "&Open").replace("&", ""))
        return answers.pop(0)

    monkeypatch.setattr("tkinter.filedialog.askopenfilename", chosen)

    def act(dialog: Any) -> None:
        file = button(dialog, "Fichier…" if language == "fr" else "File…")
        for _ in range(2):  # chosen, then left
            click(file)
            assert dialog.form.fields["fichier"].value == str(path)
        press(dialog.form.fields["fichier"].entry, "Return")

    here.form(act)
    click(here.tickets.import_button)
    assert here.marked() == ["B0006"] and len(here.stock) == 9 and spoken == [words, words]


def test_while_a_timetable_is_read_its_progress_is_seen_and_the_window_lives(here: Town, tmp_path: Path) -> None:
    """The site is served, what is ordered meanwhile is refused, and the dialog does not go away."""
    path = timetable(tmp_path, (f"{number},2027-03-15T07:10,Creil,Noyon,5,1" for number in range(60_000)))
    during: list[Any] = []
    progress: list[tuple[float, bool]] = []

    def look(dialog: Any) -> None:
        if not during:
            refusal = here.window.order("supprimer billet=B0001")
            dialog.cancel()
            during.append((refusal and refusal.fr, dialog.winfo_exists(), dialog.confirm.instate(["disabled"])))
        if dialog.winfo_exists():
            progress.append((float(dialog._bar.cget("value")), dialog._bar.winfo_ismapped()))
            here.root.after(1, look, dialog)

    def act(dialog: Any) -> None:
        fill(dialog, fichier=str(path))
        here.root.after(1, look, dialog)
        press(dialog.focus_get(), "Return")

    here.form(act)
    click(here.tickets.import_button)
    assert during == [("un import est en cours : attendez sa fin", 1, True)]
    seen = [value for value, is_seen in progress if is_seen]
    assert seen == sorted(seen) and len(set(seen)) > 1
    assert len(here.stock) == 60_005 and here.marked() == ["B0006"]


# -------------------------------------------------------------------------------------------------- clients, snapshots, end


def test_a_client_that_is_gone_is_dismissed(here: Town) -> None:
    here.bought(2, "B0001")
    here.clients[1].signal(signal.SIGKILL)
    here.tab(3)
    panel = here.window.clients
    assert panel.dismiss_button.instate(["disabled"])
    here.until(lambda: here.rows(panel.table), "the clients")
    panel.table.focus_table()
    press(panel.table.tree, "Down", "Down")
    assert panel.table.selected == "c2" and panel.dismiss_button.instate(["!disabled"])
    asked = here.form(lambda dialog: (dialog.body.winfo_children()[0].cget("text"), click(button(dialog, "Annuler"))))
    click(panel.dismiss_button)
    assert "1 billet, 14,90\u00a0€" in asked[0][0] and here.stock.get("B0001").state == SOLD  # type: ignore[index]
    here.form(lambda dialog: press(dialog, "Return"))
    click(panel.dismiss_button)
    assert here.stock.get("B0001").state == FREE and here.rows(panel.table)[1][1] == "congédié"
    assert panel.dismiss_button.instate(["disabled"]) and here.status() == "✓ c2 est congédié"


def test_a_selected_client_stays_selected_in_another_language(here: Town) -> None:
    here.tab(3)
    here.until(lambda: len(here.rows(here.window.clients.table)) == 2, "the clients")
    here.window.clients.table.focus_table()
    press(here.window.clients.table.tree, "Down", "Down", "Control-l")
    here.until(lambda: here.window.clients.dismiss_button.cget("text") == "Dismiss…", "English")
    assert here.window.clients.table.selected == "c2" and here.window.clients.dismiss_button.instate(["!disabled"])


def test_a_client_that_leaves_is_seen_to_leave(here: Town) -> None:
    here.tab(3)
    here.clients[0].command("quitter")
    here.until(lambda: [row[1] for row in here.rows(here.window.clients.table)] == ["parti", "présent"], "the departure")


def test_a_snapshot_that_is_loaded_replaces_all_that_is_seen(here: Town) -> None:
    here.bought(1, "B0001")
    here.window.order("instantane")
    here.until(lambda: not here.site.snapshots.is_open and here.site.round == 1, "the round")
    (name,) = here.living.process.folder.names()
    here.bought(2, "B0002")
    here.window.order("supprimer billet=B0005")
    wait_for(here, "B0001", "B0002", "B0003", "B0004")
    assert here.window.order(f"charger fichier={name.name}") is None
    wait_for(here, "B0001", "B0002", "B0003", "B0004", "B0005")
    assert [row[-1] for row in here.rows()] == ["vendu", *["libre"] * 4]
    assert here.tickets._counters.cget("text").endswith("1 vendu (14,90\u00a0€)")
    here.tab(2)
    sold = here.until(lambda: here.rows(here.window.sales.sold), "the sale")
    assert [row[:3] for row in sold] == [("avant", "B0001", "c1")]


def test_the_help_names_the_keys_that_only_the_guichet_has(here: Town) -> None:
    def read(dialog: Any) -> str:
        (frame,) = [each for each in dialog.body.winfo_children() if each.winfo_class() == "TFrame"]
        return str(frame.winfo_children()[0].get("1.0", "end"))

    words = here.during(lambda: press(here.root, "F1"), read)
    assert "supprimer les billets choisis" in words and "changer d'onglet" in words


@pytest.mark.parametrize("opening", ["create", "import_", "delete"])
def test_the_end_of_the_site_ends_whatever_is_asked(here: Town, opening: str) -> None:
    """SIGTERM while a form is open: nobody answers it any more."""
    here.choose("B0001")
    here.living.answer(lambda dialog: os.write(here.living._signal, b"\x0f"))
    getattr(here.tickets, opening)()
    assert here.living.sources.is_over and len(here.stock) == 5


@pytest.mark.parametrize("geometry", ["480x320+0+0", "640x400+0+0", "718x390+0+0", "960x700+0+0"])
@pytest.mark.parametrize("language", ["fr", "en"])
def test_nothing_is_cut_off(town: Callable[..., Town], geometry: str, language: str) -> None:
    here = town(geometry=geometry, language=language)
    width, height = map(int, geometry.partition("+")[0].split("x"))
    here.choose("B0001")
    panel, filters = here.tickets, here.tickets.filters
    for widget in (panel.create_button, panel.delete_button, filters.search, filters.until, filters.clear_button):
        x, y = widget.winfo_rootx() - here.root.winfo_rootx(), widget.winfo_rooty() - here.root.winfo_rooty()
        assert widget.winfo_viewable() and widget.winfo_width() >= min(widget.winfo_reqwidth(), 40)
        assert x + widget.winfo_width() <= width and y + widget.winfo_height() <= height, f"{widget} is cut off"
    assert here.rows(), "no ticket is seen"


# ------------------------------------------------------------------------------------------- the program, from outside


class Desk(Watched):
    """The guichet as a program with its window on `display`."""

    def __init__(self, folder: Path, display: str, *options: str) -> None:
        super().__init__(folder, "gch", GUICHET, ["--geometry=800x600+0+0", "--lang=fr", *options])
        self._display = display

    def argv(self) -> list[str]:
        own = [f"--ident={self.name}", f"--trace={self.trace_path}", f"--commandes={self.commands_path}"]
        return ["env", f"DISPLAY={self._display}", sys.executable, str(ROOT / self.program), *own, *self.options]


@pytest.fixture
def desk(display: str, tmp_path: Path) -> Iterator[tuple[Watched, Watched, Callable[..., None]]]:
    """A guichet with its window, a client, and `hands(...)`, which are xdotool's."""
    if not shutil.which("xdotool"):
        pytest.skip("no xdotool: apt install xdotool")
    gch = Desk(tmp_path, display, f"--billets={timetable(tmp_path, ['1,2027-03-15T07:10,Creil,Noyon,5,3'])}")
    c1 = Watched(tmp_path, "c1", CLIENT, ["--confirmation=manuelle"])
    there, back = os.pipe(), os.pipe()
    environment = {**os.environ, "DISPLAY": display}

    def hands(*what: str) -> None:
        subprocess.run(["xdotool", *what], env=environment, check=True, timeout=60)

    try:
        gch.start(back[0], there[1])
        c1.start(there[0], back[1])
        c1.wait(ev="recv", type="presence")  # its welcome
        hands("search", "--sync", "--onlyvisible", "--name", "^gch ")
        hands("mousemove", "300", "20")  # without a window manager the keyboard is the mouse's
        yield gch, c1, hands
    finally:
        gch.close()
        c1.close()
        for fd in (*there, *back):
            os.close(fd)
    assert "Traceback" not in gch.log()


def test_by_the_keyboard_alone_tickets_are_created_and_deleted(
    desk: tuple[Watched, Watched, Callable[..., None]],
) -> None:
    gch, c1, hands = desk

    def is_created() -> bool:
        """Nobody can tell from outside when a window is ready for its user: one who sees nothing happen tries again."""
        hands("key", "--delay", "60", "Escape", "ctrl+1", "Tab", "space", "sleep", "0.4")
        hands("type", "--delay", "30", "848362\t17/03/2027 07:10\tNoyon\tAmiens\t12,5\t")
        hands("key", "--delay", "60", "BackSpace", "2", "Return", "sleep", "0.4")
        return bool(gch.find(ev="command", ok=True))

    until(is_created, "the tickets")
    lines = {event["line"] for event in gch.find(ev="command")}
    assert lines == {"ajouter train=848362 date=2027-03-17T07:10 depart=Noyon destination=Amiens cout=12.5 nombre=2"}
    assert c1.request("consulter depart=Noyon destination=Amiens", state="listed")

    def is_deleted() -> bool:
        """The first of the new ones is selected, and has the keyboard."""
        hands("key", "--delay", "60", "Escape", "Delete", "sleep", "0.4", "key", "Return", "sleep", "0.4")
        return any(event["line"].startswith("supprimer") for event in gch.find(ev="command", ok=True))

    until(is_deleted, "the withdrawal")
    done = [event["line"] for event in gch.find(ev="command", ok=True)]
    created, deleted = (filter(lambda line, verb=verb: line.startswith(verb), done) for verb in ("ajouter", "supprimer"))
    assert next(deleted) == f"supprimer billet=B{2 + 2 * len(list(created)):04}", "there were three before"


def test_by_the_mouse_a_ticket_is_changed(desk: tuple[Watched, Watched, Callable[..., None]]) -> None:
    gch, c1, hands = desk

    def is_changed() -> bool:
        hands("key", "Escape", "mousemove", "200", "240", "sleep", "0.3", "click", "--repeat", "2", "--delay", "40", "1")
        hands("sleep", "0.5", "key", "--delay", "60", *["Tab"] * 4)
        hands("type", "--delay", "30", "7,77")
        hands("key", "Return", "sleep", "0.4")
        return bool(gch.find(ev="command", ok=True))

    until(is_changed, "the change")
    listed = c1.request("consulter limite=5", state="listed")
    assert listed and "cout=7.77" in gch.find(ev="command", ok=True)[0]["line"]
