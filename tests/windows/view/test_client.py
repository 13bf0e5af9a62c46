"""What a client's window shows, without a display."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from lib.core import commands as ask
from lib.core.buying import Client
from lib.core.facts import (
    ASKED,
    CONFIRMING,
    CONSULT,
    OFFERED,
    OWNED,
    RESERVE,
    UNREACHABLE,
    BegunAnew,
    Errand,
    ErrandMoved,
    Event,
    Holding,
)
from lib.core.sites import DISMISSED, OUTLIVED
from lib.core.tickets import Journey, Search
from lib.core.wire import MAX_LIST
from lib.windows.view import client as view
from lib.windows.view.client import Listing, Notes, TicketRows
from lib.windows.view.rows import Names, route
from tests.windows.view.small_ring import JOURNEY, SmallRing


class Seen:
    """What the window of `c1` sees in a small ring."""

    def __init__(self, *clients: str, tickets: int = 5) -> None:
        self.ring = SmallRing("c1", *clients, tickets=tickets)
        self.notes = Notes()
        self.news: list[tuple[str, bool | None]] = []
        self._taken = 0
        self.look()

    @property
    def role(self) -> Client:
        role: Client = self.ring.sites["c1"].role
        return role

    def do(self, command: ask.Command, deliver: bool = True, site: str = "c1") -> None:
        self.ring.do(site, command, deliver)
        self.look()

    def look(self) -> None:
        """Note down what has happened since the last look."""
        events = self.ring.events["c1"]
        for event in events[self._taken :]:
            told = self.notes.take(event)
            if told:
                self.news.append((told.text.fr, told.is_good))
        self._taken = len(events)

    def deliver(self) -> None:
        self.ring.deliver()
        self.look()

    def pass_time(self, seconds: float, deliver: bool = False) -> None:
        """Seconds go by, one after the other; without `deliver`, nothing of what is said arrives."""
        for _ in range(round(seconds)):
            self.ring.now += 1.0
            for name, site in self.ring.sites.items():
                self.ring.take(name, site.tick(self.ring.now))
            if deliver:
                self.ring.deliver()
            else:
                self.ring._mail.clear()
        self.look()

    def states(self, language: str = "fr", apart: bool = True) -> list[tuple[str, str]]:
        """State and tag of every request in sight."""
        return [(row.cells[1], row.tag) for row in view.requests(self.role, self.notes, self.ring.now, language, apart)]

    def answer(self) -> str:
        return view.answer(self.role, self.notes).text.fr


@pytest.fixture
def seen() -> Iterator[Seen]:
    yield Seen("c2")


def journey(**changes: object) -> Journey:
    values = {"train": "1", "date": "2027-03-15T07:10", "departure": "Creil", "destination": "Noyon", "cents": 100} | changes
    return Journey(**values)  # type: ignore[arg-type]


# ----------------------------------------------------------------------------------------------------------------- names


def test_names_are_proposed_whatever_their_accents_the_best_first() -> None:
    names = Names()
    for departure, destination in (("Saint-Étienne", "Étampes"), ("Bétaille", "Ancien-Étang"), ("Crépy", "étampes")):
        names.add([journey(departure=departure, destination=destination)])
    assert names.like("eta") == ["Étampes", "Ancien-Étang", "Bétaille"]
    assert names.like("SAINT E") == ["Saint-Étienne"]
    assert names.like("taï") == ["Bétaille"]
    assert len(names.like("")) == 5, "one name however it is spelt"
    assert names.like("xyz") == []


def test_names_are_learnt_from_lists_offers_and_tickets(seen: Seen) -> None:
    assert seen.notes.names.like("") == []
    seen.do(ask.Consult(Search()))
    assert seen.notes.names.like("") == ["Compiègne", "Paris Gare du Nord"]
    offered = Seen()
    offered.do(ask.Reserve(Search()))
    assert offered.notes.names.like("par") == ["Paris Gare du Nord"]
    offered.do(ask.Confirm(1))
    later = Notes()
    later.catch_up(offered.role)
    assert later.names.like("par") == ["Paris Gare du Nord"], "a client that lives again knows its tickets"


# --------------------------------------------------------------------------------------------------------- consultations


def test_an_answered_consultation_is_a_photograph_with_its_time(seen: Seen) -> None:
    assert seen.answer() == "Dites ce que vous cherchez, puis « Consulter »"
    seen.do(ask.Consult(Search(), 50))
    at = time.strftime("%H:%M:%S", time.localtime(1000.0))
    assert seen.answer() == f"5 billets libres à {at}"
    seen.do(ask.Reserve(Search()), site="c2")
    assert seen.answer() == f"5 billets libres à {at}", "what was true then is said of then"
    seen.ring.now += 5.0
    seen.do(ask.Consult(Search(), 50))
    assert seen.answer() == f"4 billets libres à {time.strftime('%H:%M:%S', time.localtime(1005.0))}"


def test_a_longer_list_says_how_many_there_are_and_offers_more() -> None:
    seen = Seen(tickets=120)
    seen.do(ask.Consult(Search(), 10))
    answer = view.answer(seen.role, seen.notes)
    assert answer.text.fr.startswith("10 billets sur 120 libres à ") and answer.text.en.startswith(
        "10 tickets of 120 free at "
    )
    assert (answer.more, answer.ask_more.fr) == (40, "En voir 40")
    seen.do(ask.Consult(Search(), answer.more))
    answer = view.answer(seen.role, seen.notes)
    assert (answer.more, answer.ask_more.fr, answer.ask_more.en) == (120, "Voir les 120", "See all 120")
    seen.do(ask.Consult(Search(), answer.more))
    assert view.answer(seen.role, seen.notes).more == 0


def test_no_more_is_offered_than_can_be_asked_for() -> None:
    listing = {place: Holding(f"B{place:04}", JOURNEY) for place in range(1, MAX_LIST + 1)}
    errand = Errand(1, CONSULT, "listed", Search(), MAX_LIST, total=3859, listing=listing)
    notes = Notes()
    notes.listing = Listing(errand, 0.0)
    answer = view.answer(Client("c1"), notes)
    assert (
        answer.more == 0
        and "1\u202f000 billets sur 3\u202f859" in answer.text.fr
        and "1,000 tickets of 3,859" in answer.text.en
    )


def test_nothing_that_matches_is_said_and_shows_no_list(seen: Seen) -> None:
    seen.do(ask.Consult(Search()))
    seen.do(ask.Consult(Search(departure="Nulle-Part")))
    assert seen.answer().startswith("Aucun billet libre ne convient (à ")
    assert seen.notes.listing is not None and seen.notes.listing.holdings == []
    assert seen.states() == [], "it is answered: it is no request under way"


def test_the_answer_to_an_earlier_consultation_does_not_replace_a_later_one() -> None:
    notes = Notes()
    for number in (4, 3):
        holding = Holding(f"B000{number}", JOURNEY)
        notes.take(Event(9.0, 1, ErrandMoved(Errand(number, CONSULT, "listed", Search(), total=1, listing={1: holding}))))
    assert notes.listing is not None and notes.listing.errand.number == 4


def test_a_consultation_without_an_answer_is_said_and_the_old_list_keeps_its_time(seen: Seen) -> None:
    seen.do(ask.Consult(Search()))
    at = time.strftime("%H:%M:%S", time.localtime(1000.0))
    seen.ring.now += 9.0
    seen.do(ask.Consult(Search()), deliver=False)
    assert seen.answer() == f"Consultation… (ci-dessous : à {at})"
    assert seen.states() == [("demandé", "open")]
    seen.pass_time(3)
    assert seen.states() == [("demandé, sans réponse", "bad")]
    seen.pass_time(60)
    assert seen.answer() == f"Sans réponse : à redemander (ci-dessous : à {at})"
    assert seen.states() == [("le guichet n'a pas répondu", "bad")]
    assert view.silence(seen.role) is None, "it does not ask again by itself any more"


# ----------------------------------------------------------------------------------------------------------- reservations


def test_what_is_not_confirmed_never_looks_confirmed(seen: Seen) -> None:
    """Contract, 4: "The client holds the ticket from the `billet statut~vendu` on"."""
    seen.do(ask.Reserve(Search()), deliver=False)
    assert seen.states() == [("demandé", "open")]
    seen.deliver()
    assert seen.states() == [("offert, encore 30 s pour confirmer", "offer")]
    seen.do(ask.Confirm(1), deliver=False)
    assert seen.states() == [("en attente de confirmation", "open")]
    assert view.belongings(seen.role).owned == [] and view.offers(seen.role, seen.notes, seen.ring.now) == []
    assert not any(is_good for _, is_good in seen.news)
    seen.deliver()
    assert seen.states() == [("vendu", "good")]
    assert [holding.ticket_id for holding in view.belongings(seen.role).owned] == ["B0001"]
    assert seen.news[-1] == ("Le billet B0001 est vendu : il est à vous", True)
    assert seen.states("en") == [("sold", "good")]


def test_only_a_sale_is_called_sold() -> None:
    for state in (ASKED, OFFERED, CONFIRMING, UNREACHABLE):
        for again in (0.0, 5.0):
            errand = Errand(1, RESERVE, state, Search(), next_try=again, pause=4.0)
            words = view.state_of(errand)
            assert "vendu" not in words.fr and "sold" not in words.en and view.TAGS.get(state) != "good"
    assert view.state_of(Errand(1, RESERVE, OWNED, Search())).fr == "vendu"


def test_an_offer_counts_down_and_expires(seen: Seen) -> None:
    seen.do(ask.Reserve(Search()))
    (offer,) = view.offers(seen.role, seen.notes, seen.ring.now + 10.0)
    assert (offer.ticket_id, round(offer.left), round(offer.whole)) == ("B0001", 20, 30)
    seen.pass_time(31, deliver=True)
    assert view.offers(seen.role, seen.notes, seen.ring.now) == []
    assert seen.states() == [("expiré", "bad")]
    assert seen.news[-1] == ("Demande n°1 — expiré", False)
    assert view.belongings(seen.role).owned == []


def test_the_offer_that_ends_first_comes_first(seen: Seen) -> None:
    seen.do(ask.Reserve(Search()))
    seen.ring.now += 4.0
    seen.do(ask.Reserve(Search()))
    seen.do(ask.Reserve(Search(departure="Compiègne")), deliver=False)
    assert [offer.number for offer in view.offers(seen.role, seen.notes, seen.ring.now)] == [1, 2]
    rows = view.requests(seen.role, seen.notes, seen.ring.now, "fr")
    assert [row.key for row in rows] == ["1", "2", "3"]
    assert rows[0].cells[1] == "offert, encore 26 s pour confirmer"


def test_refusals_say_who_refused_and_why(seen: Seen) -> None:
    seen.do(ask.Reserve(Search()))
    seen.do(ask.Decline(1))
    seen.do(ask.Reserve(Search(departure="Nulle-Part")))
    assert seen.states() == [("refusé : complet, aucun billet ne convient", "bad"), ("refusé par vous", "closed")]
    assert seen.news[-1] == ("Demande n°2 — refusé : complet, aucun billet ne convient", False)
    assert [news for news, _ in seen.news if "n°1" in news] == [], "who refuses knows it"


def test_two_clients_and_one_last_ticket() -> None:
    seen = Seen("c2", tickets=1)
    seen.do(ask.Consult(Search()))
    seen.do(ask.Reserve(Search()), site="c2")
    seen.do(ask.Reserve(Search(ticket="B0001")))
    assert seen.states() == [("refusé : billet retenu ou vendu à un autre", "bad")]


def test_what_is_over_stands_apart_the_latest_first(seen: Seen) -> None:
    seen.do(ask.Reserve(Search()))
    seen.do(ask.Confirm(1))
    seen.do(ask.Reserve(Search(departure="Nulle-Part")))
    assert [row.key for row in view.requests(seen.role, seen.notes, 0.0, "fr")] == ["2", "1"], "nothing to be apart from"
    seen.do(ask.Reserve(Search()))
    assert [row.key for row in view.requests(seen.role, seen.notes, 0.0, "fr")] == ["3", "closed", "2", "1"]
    assert [row.key for row in view.requests(seen.role, seen.notes, 0.0, "fr", apart=False)] == ["3", "2", "1"]


def test_the_list_of_requests_is_bounded(seen: Seen) -> None:
    for _ in range(view.MAX_CLOSED + 5):
        seen.do(ask.Reserve(Search(departure="Nulle-Part")))
    rows = view.requests(seen.role, seen.notes, 0.0, "fr")
    assert len(rows) == view.MAX_CLOSED and rows[0].key == str(view.MAX_CLOSED + 5)
    for _ in range(view.MAX_OPEN + 7):
        seen.do(ask.Reserve(Search()), deliver=False)
    rows = view.requests(seen.role, seen.notes, 0.0, "fr")
    assert rows[view.MAX_OPEN].cells[1] == "… et 7 autres en cours"
    assert len(rows) == view.MAX_OPEN + 1 + 1 + view.MAX_CLOSED


def test_the_memory_of_times_is_bounded() -> None:
    notes = Notes()
    for number in range(view.MAX_MOVES + 10):
        notes.take(Event(1.0, 1, ErrandMoved(Errand(number, RESERVE, "refused", Search(), reason="complet"))))
    assert len(notes.moved) == view.MAX_MOVES and min(notes.moved) == 10


def test_what_a_request_is_about_is_said() -> None:
    def said(**search: str) -> str:
        return view.sought(Search(**search)).fr

    assert said() == "n'importe où"
    assert said(ticket="B0007") == "billet B0007"
    assert said(departure="Creil", since="2027-03-15") == "Creil → …, du 2027-03-15"
    assert said(destination="L'Haÿ [$x] {", until="2027-03-15T07:10") == "… → L'Haÿ [$x] {, au 2027-03-15 07:10"
    english = view.sought(Search(departure="a", since="2027-03-15", until="2027-03-16")).en
    assert english == "a → …, from 2027-03-15, to 2027-03-16"
    assert len(said(departure="x" * 200, destination="y" * 200)) < 110


# ------------------------------------------------------------------------------------------------------------- the silence


def test_a_silent_guichet_is_said_and_that_the_client_asks_again(seen: Seen) -> None:
    seen.do(ask.Reserve(Search()), deliver=False)
    assert view.silence(seen.role) is None, "an answer takes its time"
    seen.pass_time(3)
    silent = view.silence(seen.role)
    assert silent is not None and silent.fr == "Le guichet ne répond pas (1 demande) : le client redemande tout seul"
    seen.pass_time(60)
    assert seen.states() == [("le guichet n'a pas répondu", "bad")] and view.silence(seen.role) is None
    assert seen.news[-1] == ("Demande n°1 — le guichet n'a pas répondu", False)


def test_a_confirmation_without_an_answer_is_asked_for_again_for_ever(seen: Seen) -> None:
    seen.do(ask.Reserve(Search()))
    seen.do(ask.Confirm(1), deliver=False)
    seen.pass_time(3)
    assert seen.states() == [("en attente de confirmation, sans réponse", "bad")]
    seen.pass_time(70)
    assert seen.states() == [("le guichet ne répond pas", "bad")] and view.silence(seen.role) is not None
    seen.pass_time(20, deliver=True)
    assert seen.states() == [("expiré", "bad")] and view.silence(seen.role) is None


# ------------------------------------------------------------------------------------------------------------- my tickets


def test_a_ticket_that_is_given_back_stays_in_sight_until_it_is_taken_back(seen: Seen) -> None:
    for number in (1, 2):
        seen.do(ask.Reserve(Search()))
        seen.do(ask.Confirm(number))
    mine = view.belongings(seen.role)
    assert (mine.total("fr"), mine.total("en"), mine.pending) == ("2 billets · 30,80\u00a0€", "2 tickets · €30.80", None)
    version = seen.notes.version
    seen.do(ask.GiveBack("B0001"), deliver=False)
    assert seen.notes.version > version
    mine = view.belongings(seen.role)
    assert [h.ticket_id for h in mine.owned] == ["B0002"] and [h.ticket_id for h in mine.leaving] == ["B0001"]
    assert mine.total("fr") == "1 billet · 15,40\u00a0€"
    assert mine.pending is not None and mine.pending.fr == "↩ 1 en cours de retour, pas encore accepté par le guichet"
    assert seen.states()[0] == ("demandé", "open")
    version = seen.notes.version
    seen.deliver()
    assert seen.notes.version > version and view.belongings(seen.role).leaving == []
    assert seen.states()[0] == ("rendu", "good")
    assert seen.news[-1] == ("Le guichet a repris le billet B0001", True)


def test_a_return_that_nobody_answers_is_still_shown_after_patience_is_over(seen: Seen) -> None:
    seen.do(ask.Reserve(Search()))
    seen.do(ask.Confirm(1))
    seen.do(ask.GiveBack("B0001"), deliver=False)
    seen.pass_time(70)
    assert [h.ticket_id for h in view.belongings(seen.role).leaving] == ["B0001"]
    assert seen.states()[0] == ("le guichet ne répond pas", "bad")


def test_who_begins_anew_is_told_what_it_lost() -> None:
    for reason, words in ((DISMISSED, "Le guichet a libéré"), (OUTLIVED, "Un autre client de ce nom")):
        news = Notes().take(Event(1.0, 1, BegunAnew(reason, ("B0001", "B0002"), ())))
        assert news is not None and news.text.fr.startswith(words) and "2 billets" in news.text.fr and news.is_good is False


# -------------------------------------------------------------------------------------------------------- rows of tickets

HOLDINGS = [
    Holding("B10", journey(date="2027-03-15T07:10", cents=900, departure="Étampes", train="9")),
    Holding("B9", journey(date="2027-03-16T07:10", cents=1540, departure="Creil", train="88")),
    Holding("B8", journey(date="2027-03-15T07:10", cents=10000, departure="Zuydcoote", train="848362")),
]


@pytest.mark.parametrize(
    ("key", "order"),
    [("date", "B8 B10 B9"), ("price", "B10 B9 B8"), ("id", "B8 B9 B10"), ("from", "B9 B10 B8"), ("train", "B10 B9 B8")],
)
def test_tickets_are_sorted_by_what_they_mean(key: str, order: str) -> None:
    assert [holding.ticket_id for holding in view.in_order(HOLDINGS, (key, False))] == order.split()
    assert [holding.ticket_id for holding in view.in_order(HOLDINGS, (key, True))] == order.split()[::-1]


def test_rows_are_made_when_they_are_seen() -> None:
    asked: list[str] = []

    def mark(ticket_id: str) -> str:
        asked.append(ticket_id)
        return view.MINE if ticket_id == "B9" else ""

    rows = TicketRows(HOLDINGS, "fr", mark)
    assert (len(rows), rows.index_of("B8"), rows.index_of("B7"), asked) == (3, 2, None, [])
    assert [row.key for row in rows[1:3]] == ["B9", "B8"] and asked == ["B9", "B8"]
    assert rows[1] == ("B9", ("2027-03-16 07:10", "88", "Creil", "Noyon", "15,40\u00a0€", "✓ B9"), "mine")
    assert TicketRows(HOLDINGS, "en")[2].cells[4:] == ("€100.00", "B8")


def test_names_go_through_as_they_are() -> None:
    name = '[exit] $env(HOME) {ouvert \\ "b" L\'Haÿ'
    row = TicketRows([Holding("B1", journey(departure=name, destination="Œuf" * 20))], "fr")[0]
    assert row.cells[2:4] == (name, "Œuf" * 20)
    assert route(journey(departure=name)) == f"{name} → Noyon"


def test_wanted_tickets_are_those_asked_for_by_name_or_offered(seen: Seen) -> None:
    seen.do(ask.Reserve(Search(ticket="B0003")), deliver=False)
    assert view.wanted(seen.role) == {"B0003"}
    seen.deliver()
    seen.do(ask.Reserve(Search()))
    assert view.wanted(seen.role) == {"B0001", "B0003"}
    seen.do(ask.Confirm(1))
    assert view.wanted(seen.role) == {"B0001"}
