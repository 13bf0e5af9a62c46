"""A client's window at work in a ring of real programs: `gch -> c1 (the window) -> c2 -> gch`.

Most tests have the window in their own process, so that they can look at it; its neighbours are programs. The last ones
start the program itself, and use it as a person does, with keys and mouse from outside.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from tkinter import ttk
from typing import Any

import pytest

from tests.processes.ring import CLIENT, GUICHET, ROOT, Watched, timetable, until
from tests.windows.living import Living, cells
from tests.windows.person import click, press, write

TRAINS = (
    "990001,2027-03-15T06:12,Compiègne,Paris Gare du Nord,14.90,6",
    "990002,2027-03-15T07:12,Noyon,Creil,9.90,1",
    "990003,2027-03-16T08:12,Saint-Étienne,Lyon Part-Dieu,22.50,60",
)
STRANGE = ("L'Haÿ-les-Roses", "[exit] $env(HOME)", "{ouvert", "fermé}", "a;destroy .", "Œuf `ls` $(ls) !x", "n" * 200)


class Town:
    """The window of `c1` and its neighbours `gch` and `c2`, whose options are `guichet`; c2 confirms nothing by itself."""

    def __init__(self, display: str, folder: Path, rows: Iterable[str] = TRAINS, guichet: Iterable[str] = (), **more: Any):
        self.living = Living(display, folder, "client", **more)
        tickets = f"--billets={timetable(folder, rows)}"
        self.gch = Watched(folder, "gch", GUICHET, [tickets, *guichet])
        self.c2 = Watched(folder, "c2", CLIENT, ["--confirmation=manuelle"])
        self.last_link = os.pipe()
        self.c2.start(self.living._downstream, self.last_link[1])
        self.gch.start(self.last_link[0], self.living.upstream)
        self.window, self.root, self.site = self.living.window, self.living.window.root, self.living.site
        self.until = self.living.until
        self.until(lambda: self.site.peers.get("gch"), "the guichet's welcome")

    def end(self) -> None:
        for site in (self.gch, self.c2):
            site.close()
        for fd in self.last_link:
            os.close(fd)
        self.living.end()

    @property
    def booking(self) -> Any:
        return self.window.booking

    @property
    def card(self) -> Any:
        return self.booking.card

    def found(self) -> list[tuple[str, ...]]:
        """The tickets found that are in sight."""
        return cells(self.booking.found)

    def requests(self) -> list[tuple[str, ...]]:
        return cells(self.booking.requests)

    def state(self, number: int) -> str:
        """The state of a request as it is shown."""
        return next((row[1] for row in self.requests() if row[0] == str(number)), "")

    def shows(self, number: int, state: str) -> None:
        """Wait until a request is shown to be in that state."""
        self.until(lambda: self.state(number).startswith(state), f"request {number}: {state}; seen: {self.requests()}")

    def consult(self) -> None:
        """Have the first tickets of all listed, by the keyboard."""
        press(self.booking.search.departure, "Return")
        self.until(lambda: len(self.found()) > 2, "tickets")

    def offered(self) -> None:
        """Wait for a card that one has had time to read."""
        self.until(lambda: self.card.winfo_viewable() and self.card._seen(), "an offer")

    def bought(self, count: int = 1) -> None:
        """Have tickets, as a user gets them."""
        for number in range(1, count + 1):
            click(self.booking.search.reserve_button)
            self.offered()
            click(self.card.confirm_button)
            self.shows(number, "vendu")

    def hear(self, site: Watched, **fields: Any) -> dict[str, Any]:
        """An event of a neighbour's, waited for while the window lives: what the others say passes through it."""
        found: dict[str, Any] = self.until(lambda: site.find(**fields), f"{fields} at {site.name}")[0]
        return found

    def status(self) -> str:
        return str(self.window._status.cget("text"))

    def titles(self) -> list[str]:
        notebook = self.window._notebook
        return [notebook.tab(tab, "text") for tab in notebook.tabs()]

    def type(self, entry: Any, text: str) -> None:
        """Click into an entry, and type."""
        click(entry)
        write(entry, text)

    def tab(self, number: int) -> None:
        press(self.root, f"Control-{number}")
        self.living.pump()


def click_row(table: Any, number: int, times: int = 1) -> None:
    """Click on a row in sight, where it is."""
    table.update()
    x, y, width, height = table.tree.bbox(table.tree.get_children()[number])
    click(table.tree, x + width // 3, y + height // 2, times)


def button(parent: Any, text: str) -> ttk.Button:
    found = [child for child in below(parent) if isinstance(child, ttk.Button) and child.cget("text") == text]
    assert found, f"no button {text}"
    return found[0]


def below(widget: Any) -> Iterator[Any]:
    for child in widget.winfo_children():
        yield child
        yield from below(child)


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
    assert "invalid command name" not in capfd.readouterr().err


Build = Callable[..., Town]

# ----------------------------------------------------------------------------------------------------------- consulting


def test_the_user_types_completes_and_consults(town: Build) -> None:
    here = town()
    here.consult()
    search = here.booking.search
    here.type(search.departure, "sain")
    assert search.departure.choices == ("Saint-Étienne",)
    press(search.departure, "Down", "Return")
    assert search.departure.get() == "Saint-Étienne"
    press(search.departure, "Return")
    here.until(lambda: here.found()[0][2] == "Saint-Étienne", "the list of that station")
    assert here.booking._answer.cget("text").startswith("50 billets sur 60 libres à ")
    click(here.booking.more_button)
    here.until(lambda: here.booking._answer.cget("text").startswith("60 billets libres à "), "all of them")
    assert not here.booking.more_button.winfo_viewable()


def test_tickets_found_are_sorted_by_any_column(town: Build) -> None:
    here = town()
    here.type(here.booking.search.until.entry, "2027-03-15")
    press(here.booking.search.until.entry, "Return")
    here.until(lambda: here.booking._answer.cget("text").startswith("7 billets libres"), "seven tickets")
    here.booking.found.focus_table()
    here.living.pump()
    press(here.booking.found.tree, "5")
    here.until(lambda: here.found()[0][4] == "9,90\u00a0€", "the cheapest first")
    press(here.booking.found.tree, "5", "End")
    here.until(lambda: here.found()[-1][4] == "9,90\u00a0€", "the dearest first")


@pytest.mark.parametrize(
    ("since", "until", "complaint"),
    [
        ("2027-02-31", "", "une date est attendue"),
        ("", "17/3", "une date est attendue"),
        ("2027-03-16", "15/03/2027", "finit avant de commencer"),
    ],
)
def test_a_date_that_cannot_be_is_said_and_nothing_is_asked(town: Build, since: str, until: str, complaint: str) -> None:
    here = town()
    here.type(here.booking.search.since.entry, since)
    here.type(here.booking.search.until.entry, until)
    click(here.booking.search.consult_button)
    assert complaint in here.status() and here.status().startswith("✗")
    click(here.booking.search.reserve_button)
    assert here.site.role.errands == {}


# ------------------------------------------------------------------------------------------------- reserve, and confirm


def test_a_ticket_is_looked_for_by_its_identifier(town: Build) -> None:
    here = town()
    search = here.booking.search
    here.type(search.ticket, "B0002")
    assert search.departure.instate(["disabled"]) and search.until.entry.instate(["disabled"]), "nothing else counts"
    press(search.ticket, "Return")
    here.until(lambda: [row[-1] for row in here.found()] == ["B0002"], "that ticket alone")
    click(search.reserve_button)
    here.offered()
    assert "B0002" in here.card._what.cget("text")
    for key in ("Control-a", "BackSpace"):
        press(search.ticket, key)
    search._wishes.ticket.set("")
    here.living.pump()
    assert search.departure.instate(["!disabled"]) and search.until.entry.instate(["!disabled"])


def test_what_is_no_identifier_is_said_and_nothing_is_asked(town: Build) -> None:
    here = town()
    here.type(here.booking.search.ticket, "B 2")
    press(here.booking.search.ticket, "Return")
    assert "un identifiant de billet est attendu : B0001" in here.status() and not here.site.role.errands


@pytest.mark.parametrize(
    "since, until, count",
    [("15/03/2027 06:12", "15/03/2027 06:12", True), ("15/03/2027 06:13", "15/03/2027 06:13", False)],
)
def test_an_hour_may_follow_a_day(town: Build, since: str, until: str, count: bool) -> None:
    here = town(rows=["990001,2027-03-15T06:12,Compiègne,Creil,14.90,1"])
    search = here.booking.search
    here.type(search.since.entry, since)
    here.type(search.until.entry, until)
    press(search.until.entry, "Return")
    here.until(lambda: ":" in here.booking._answer.cget("text"), "an answer, with its hour")
    assert bool(here.found()) is count


def test_a_period_may_begin_within_the_day_at_which_it_ends(town: Build) -> None:
    here = town()
    search = here.booking.search
    here.type(search.since.entry, "15/03/2027 06:12")
    here.type(search.until.entry, "15/03/2027")
    press(search.until.entry, "Return")
    here.until(lambda: here.site.role.errands, "the request")
    found = here.site.role.errands[1].search
    assert (found.since, found.until) == ("2027-03-15T06:12", "2027-03-15")


def test_reserve_and_confirm_before_the_end_of_the_count_down(town: Build) -> None:
    here = town(guichet=["--delai=60"])
    here.consult()
    click_row(here.booking.found, 1)
    assert "disabled" not in here.booking.reserve_button.state()
    click(here.booking.reserve_button)
    here.offered()
    assert "B0002" in here.card._what.cget("text") and "train 990001" in here.card._what.cget("text")
    assert here.card.count_down.text in ("60 s", "59 s")
    assert here.titles()[0] == "Réserver ● 1 offre" and here.titles()[1] == "Mes billets (0)"
    here.shows(2, "offert, encore ")
    click(here.card.confirm_button)
    here.shows(2, "vendu")
    assert here.hear(here.gch, ev="ticket", ticket="B0002", state="sold")["client"] == "c1"
    here.until(lambda: here.titles()[:2] == ["Réserver", "Mes billets (1)"], "the titles")
    assert not here.card.winfo_viewable()
    assert here.status() == "✓ Le billet B0002 est vendu : il est à vous"
    assert here.found()[1][5] == "✓ B0002"


def test_while_the_guichet_has_not_answered_nothing_looks_sold(town: Build) -> None:
    here = town()
    click(here.booking.search.reserve_button)
    here.offered()
    here.gch.signal(signal.SIGSTOP)
    click(here.card.confirm_button)
    here.shows(1, "en attente de confirmation")
    here.until(lambda: not here.card.winfo_viewable(), "the card to go")
    assert here.titles()[1] == "Mes billets (0)" and "vendu" not in here.status()
    assert "vendu" not in str(here.requests())
    here.until(lambda: here.booking._silence.winfo_viewable(), "the warning")
    assert "Le guichet ne répond pas (1 demande) : le client redemande tout seul" in here.booking._silence.cget("text")
    here.gch.signal(signal.SIGCONT)
    here.shows(1, "vendu")
    here.until(lambda: not here.booking._silence.winfo_viewable(), "the warning to go")


def test_an_offer_that_is_not_confirmed_expires(town: Build) -> None:
    here = town(guichet=["--delai=1"])
    click(here.booking.search.reserve_button)
    here.shows(1, "expiré")
    assert here.status() == "✗ Demande n°1 — expiré"
    assert here.titles()[1] == "Mes billets (0)"
    here.until(lambda: not here.card.winfo_viewable(), "the card to go")
    here.hear(here.gch, ev="ticket", ticket="B0001", state="free")


def test_an_offer_is_refused(town: Build) -> None:
    here = town()
    click(here.booking.search.reserve_button)
    here.offered()
    press(here.root, "Alt-r")
    here.shows(1, "refusé par vous")
    here.hear(here.gch, ev="ticket", ticket="B0001", state="free")


def test_the_second_click_does_not_confirm_the_next_offer(town: Build) -> None:
    here = town()
    for _ in range(3):
        click(here.booking.search.reserve_button)
    here.until(lambda: "(1 sur 3)" in here.card._title.cget("text"), "three offers")
    here.offered()
    click(here.card.confirm_button, times=2)
    here.shows(1, "vendu")
    assert here.state(2).startswith("offert") and here.state(3).startswith("offert")
    click(here.card.next_button)
    assert "n°3 (2 sur 2)" in here.card._title.cget("text")
    click_row(here.booking.requests, 0)
    assert "n°2 (1 sur 2)" in here.card._title.cget("text")


def test_an_offer_is_announced_on_another_tab_and_confirmed_only_in_sight(town: Build) -> None:
    here = town()
    here.tab(2)
    here.living.process.order("reserver depart=Compiègne")
    here.until(lambda: here.titles()[0] == "Réserver ● 1 offre", "the announcement")
    press(here.root, "Alt-c")
    here.living.pump()
    here.offered()
    assert here.state(1).startswith("offert"), "what one does not see is not confirmed"
    press(here.root, "Alt-c")
    here.shows(1, "vendu")


def test_the_first_that_suits_is_reserved_by_a_key(town: Build) -> None:
    here = town()
    here.type(here.booking.search.departure, "noyon")
    here.tab(2)
    press(here.root, "Alt-p")
    assert here.site.role.errands == {}, "what one does not see is not asked for"
    press(here.root, "Alt-p")
    here.offered()
    assert "Noyon → Creil" in here.card._what.cget("text")


def test_two_clients_and_one_last_ticket(town: Build) -> None:
    here = town(rows=[TRAINS[1]])
    press(here.booking.search.departure, "Return")
    here.until(lambda: here.found(), "the last ticket")
    here.c2.command("reserver billet=B0001")
    here.hear(here.c2, ev="request", state="offered")
    click_row(here.booking.found, 0, times=2)
    here.shows(2, "refusé : billet retenu ou vendu à un autre")
    click(here.booking.search.reserve_button)
    here.shows(3, "refusé : complet, aucun billet ne convient")
    here.c2.command("confirmer demande=1")
    assert here.hear(here.gch, ev="ticket", ticket="B0001", state="sold")["client"] == "c2"
    assert here.site.role.tickets == {}


# ------------------------------------------------------------------------------------------------------------ give back


def test_a_ticket_is_given_back_after_a_question(town: Build) -> None:
    here = town()
    here.bought(2)
    here.tab(2)
    panel = here.window.tickets
    here.until(lambda: len(cells(panel.table)) == 2, "two tickets")
    assert panel._total.cget("text") == "2 billets · 29,80\u00a0€"
    assert "disabled" in panel.give_back_button.state()
    click_row(panel.table, 0)
    here.living.answer(lambda dialog: click(button(dialog, "Garder")))
    click(panel.give_back_button)
    assert list(here.site.role.tickets) == ["B0001", "B0002"]
    here.gch.signal(signal.SIGSTOP)
    here.living.answer(lambda dialog: click(button(dialog, "Rendre")))
    click_row(panel.table, 0)
    press(panel.table.tree, "Return")
    here.until(lambda: "↩ B0001" in str(cells(panel.table)), "the return")
    assert panel._total.cget("text") == "1 billet · 14,90\u00a0€"
    assert panel._pending.cget("text") == "↩ 1 en cours de retour, pas encore accepté par le guichet"
    assert "disabled" in panel.give_back_button.state(), "it is given back once"
    here.gch.signal(signal.SIGCONT)
    here.until(lambda: len(cells(panel.table)) == 1, "the guichet to take it back")
    assert panel._pending.cget("text") == "" and here.status() == "✓ Le guichet a repris le billet B0001"
    here.hear(here.gch, ev="ticket", ticket="B0001", state="free")


# --------------------------------------------------------------------------------------------------- a silent guichet


def test_a_consultation_that_nobody_answers(town: Build) -> None:
    here = town()
    here.site.role.patience = 2.0
    here.gch.signal(signal.SIGSTOP)
    press(here.booking.search.departure, "Return")
    here.until(lambda: "le client redemande tout seul" in here.booking._silence.cget("text"), "the warning")
    here.shows(1, "le guichet n'a pas répondu")
    assert here.booking._answer.cget("text") == "Sans réponse : à redemander"
    here.gch.signal(signal.SIGCONT)
    here.consult()


# -------------------------------------------------------------------------------------------------------- strange names


@pytest.mark.parametrize("name", STRANGE)
def test_no_name_is_ever_taken_for_something_else(town: Build, name: str) -> None:
    here = town(rows=[f'\'{name[:9]},2027-03-15T06:12,"{name}",Paris,10,2', TRAINS[0]])
    here.consult()
    search = here.booking.search
    click(search.departure)
    search.departure.insert("end", name[:3].rstrip())  # a keyboard knows more signs than Tk's names of keys
    search.departure.propose()
    press(search.departure, *["Down"] * (search.departure.choices.index(name) + 1), "Return", "Return")
    assert search.departure.get() == name
    here.until(lambda: [row[2] for row in here.found()] == [name, name], "its tickets")
    click_row(here.booking.found, 0, times=2)
    here.offered()
    assert name[:40] in here.card._what.cget("text")
    press(here.root, "Alt-r")
    here.shows(3, "refusé par vous")
    click(search.reserve_button)
    here.offered()
    press(here.root, "Alt-c")
    here.shows(4, "vendu")
    assert here.hear(here.gch, ev="ticket", state="sold")["client"] == "c1"
    here.tab(2)
    here.until(lambda: [row[2] for row in cells(here.window.tickets.table)] == [name], "the ticket")
    here.living.answer(lambda dialog: dialog.accept())
    click_row(here.window.tickets.table, 0, times=2)
    here.until(lambda: not here.site.role.tickets, "the return")


# ------------------------------------------------------------------------------------------------- language, theme, size


def test_another_language_theme_or_size_keeps_what_the_user_did(town: Build) -> None:
    here = town()
    here.consult()
    here.booking.found.focus_table()
    here.living.pump()
    press(here.booking.found.tree, "4", "Down", "Down")
    selected = here.booking.found.selected
    here.type(here.booking.search.departure, "compi")
    here.type(here.booking.search.since.entry, "2027-0")
    press(here.root, "Control-l", "Control-d", "Control-plus", "Control-plus")
    assert here.booking.search.departure.get() == "compi" and here.booking.search.since.variable.get() == "2027-0"
    here.until(lambda: "tickets of 67 free at" in here.booking._answer.cget("text"), "English")
    assert here.booking.found.selected == selected and selected is not None
    assert here.found()[0][3] == "Creil", "still sorted by the destination"
    assert here.found()[0][4] == "€9.90"
    click(here.booking.reserve_button)
    here.offered()
    here.shows(2, "offered, ")
    press(here.root, "Control-l")
    here.until(lambda: here.state(2).startswith("offert"), "French again")
    assert here.card.winfo_viewable()


@pytest.mark.parametrize("geometry", ["640x400+0+0", "960x540+0+0"])
def test_everything_that_is_needed_is_in_sight(town: Build, geometry: str) -> None:
    here = town(geometry=geometry)
    here.consult()

    def whole(widget: Any) -> bool:
        right = widget.winfo_rootx() - here.root.winfo_rootx() + widget.winfo_width()
        bottom = widget.winfo_rooty() - here.root.winfo_rooty() + widget.winfo_height()
        is_within = right <= here.root.winfo_width() and bottom <= here.root.winfo_height()
        return bool(widget.winfo_viewable() and is_within and widget.winfo_width() >= widget.winfo_reqwidth() * 0.9)

    search = here.booking.search
    assert len(here.found()) >= 3
    for widget in (search.departure, search.until._button, search.consult_button, here.booking.reserve_button):
        assert whole(widget), f"{widget} is cut off at {geometry}"
    click(search.reserve_button)
    here.offered()
    for widget in (here.card.confirm_button, here.card.decline_button, here.card.count_down, here.card._what):
        assert whole(widget), f"{widget} is cut off at {geometry}"
    assert here.found()
    press(here.root, "Alt-c")
    here.shows(2, "vendu")
    assert whole(here.booking.requests) and len(here.found()) >= 2
    press(here.root, "Control-plus", "Control-plus", "Control-plus")
    here.living.pump()
    assert whole(search.until._button) and whole(search.consult_button), "with larger text"


# ------------------------------------------------------------------------------------------- the program, from outside


class Seat(Watched):
    """The client as a program with its window on `display`."""

    def __init__(self, folder: Path, name: str, display: str) -> None:
        super().__init__(folder, name, CLIENT, ["--geometry=640x400+0+0", "--lang=fr"])
        self._display = display

    def argv(self) -> list[str]:
        own = [f"--ident={self.name}", f"--trace={self.trace_path}", f"--commandes={self.commands_path}"]
        return ["env", f"DISPLAY={self._display}", sys.executable, str(ROOT / self.program), *own, *self.options]


@pytest.fixture
def seat(display: str, tmp_path: Path) -> Iterator[tuple[Watched, Watched, Callable[..., None]]]:
    """A guichet, a client with its window, and `hands(...)`, which are xdotool's."""
    if not shutil.which("xdotool"):
        pytest.skip("no xdotool: apt install xdotool")
    gch = Watched(tmp_path, "gch", GUICHET, [f"--billets={timetable(tmp_path, TRAINS)}"])
    c1 = Seat(tmp_path, "c1", display)
    there, back = os.pipe(), os.pipe()
    environment = {**os.environ, "DISPLAY": display}

    def hands(*what: str) -> None:
        subprocess.run(["xdotool", *what], env=environment, check=True, timeout=60)

    try:
        gch.start(back[0], there[1])
        c1.start(there[0], back[1])
        c1.wait(ev="recv", type="presence")  # its welcome
        hands("search", "--sync", "--onlyvisible", "--name", "^c1 ")
        hands("mousemove", "300", "20")  # without a window manager the keyboard is the mouse's
        yield gch, c1, hands
    finally:
        gch.close()
        c1.close()
        for fd in (*there, *back):
            os.close(fd)
    assert "Traceback" not in c1.log()


def ask_until_listed(client: Watched, hands: Callable[..., None], *what: str) -> None:
    """Nobody can tell from outside when a window is ready for its user: one who sees nothing happen tries again."""

    def is_listed() -> bool:
        hands(*what, "sleep", "0.3")
        return bool(client.find(ev="request", kind="consult", state="listed"))

    until(is_listed, "a list")


def test_by_the_keyboard_alone_a_ticket_is_found_bought_and_given_back(
    seat: tuple[Watched, Watched, Callable[..., None]],
) -> None:
    gch, c1, hands = seat
    ask_until_listed(c1, hands, "key", "Return")
    # Destination, Billet, Consulter, Du, Au, Réserver le premier, En voir…, the table; then its second row.
    hands("key", "--delay", "60", *["Tab"] * 8, "Down", "Down", "Return")
    ticket = c1.wait(ev="request", kind="reserve", state="offered", limit=60)["ticket"]
    assert ticket == "B0002"
    hands("sleep", "0.6", "key", "alt+c")
    c1.wait(ev="request", kind="reserve", state="owned", ticket=ticket, limit=60)
    hands("key", "--delay", "60", "ctrl+2", "Tab", "Down", "Return")
    hands("sleep", "0.5", "key", "Return")
    c1.wait(ev="request", kind="return", state="returned", ticket=ticket, limit=60)
    gch.wait(ev="ticket", ticket=ticket, state="free")
    hands("key", "ctrl+q")
    assert c1.ended() == 0


def test_by_the_mouse_a_ticket_is_found_and_asked_for(seat: tuple[Watched, Watched, Callable[..., None]]) -> None:
    _, c1, hands = seat
    ask_until_listed(c1, hands, "mousemove", "545", "127", "click", "1")  # Consulter
    hands("mousemove", "200", "262", "sleep", "0.3", "click", "--repeat", "2", "--delay", "40", "1")
    c1.wait(ev="request", kind="reserve", state="offered", ticket="B0001", limit=60)
    hands("mousemove", "545", "160", "click", "1")  # Réserver le premier
    c1.wait(ev="request", kind="reserve", state="offered", ticket="B0002", limit=60)
