"""What the guichet's user sees of 100,000 tickets, kept up to date by events: always what a walk over all of them shows."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.core import commands as ask
from lib.core import messages as say
from lib.core.facts import Effect, Event, Say, TicketMoved
from lib.core.selling import Guichet
from lib.core.tickets import FREE, HELD, SOLD, Journey, Search, Ticket, fold
from lib.texts import Text
from lib.windows.view.guichet import Account, Choice, Office, natural
from lib.windows.view.guichet_forms import (
    EMPTY,
    NO_DATE,
    NO_FILE,
    NO_NUMBER,
    NO_PRICE,
    file_problem,
    journey_problem,
    number_problem,
    optional,
    price_problem,
    same_station,
)
from lib.windows.view.guichet_rows import (
    LEFT,
    LITTLE,
    SILENT,
    Rows,
    advice,
    attendance,
    clients,
    counters,
    described,
    held_row,
    how_many,
    question_of_dismissal,
    sold_row,
    ticket_row,
)
from lib.windows.widgets.bars import bar
from tests.windows.view.small_ring import SmallRing

STATIONS = ("Compiègne", "Saint-Quentin", "SAINT QUENTIN", "L'Isle-d'Abeau", "[exit]", "$env(HOME)", "{ouvert", "Œuilly")
COLUMNS = ("id", "train", "date", "from", "to", "price", "holder", "state")


class Desk:
    """A guichet and what its window knows of it, by its events alone."""

    def __init__(self, *tickets: Ticket) -> None:
        self.role = Guichet("gch", 30.0, tickets, next_number=len(tickets) + 1)
        self.office = Office(self.role)
        self.now = 1000.0

    def happens(self, effects: Iterable[Effect]) -> None:
        for effect in effects:
            if not isinstance(effect, Say):
                self.office.take(Event(self.now, 1, effect))

    def do(self, command: ask.Command) -> None:
        self.happens(self.role.command(command, self.now))

    def hear(self, client: str, body: say.Body) -> None:
        self.happens(self.role.receive(client, body, self.now))

    def add(self, journey: Journey, count: int = 1) -> None:
        self.do(ask.AddTickets(((journey, count),)))

    def sell(self, client: str, request: int, ticket: str) -> None:
        self.hold(client, request, ticket)
        self.hear(client, say.Acknowledgement(client, request, ticket, True))

    def hold(self, client: str, request: int, ticket: str) -> None:
        self.hear(client, say.Request(client, request, True, Search(ticket=ticket), 1))

    def shown(self, name: str = "all") -> list[str]:
        self.office.settle()
        return list(getattr(self.office, name))


def journey(**changes: object) -> Journey:
    usual = {"train": "1", "date": "2027-03-15T07:10", "departure": "Compiègne", "destination": "Creil", "cents": 980}
    return Journey(**(usual | changes))  # type: ignore[arg-type]


# ------------------------------------------------------------------------------------------------ what a walk would show


def wanted(choice: Choice, ticket: Ticket, office: str) -> bool:
    """Whether the choice is meant to take the ticket, as simply as it can be said."""
    trip = ticket.journey
    parts = (ticket.id, trip.train, trip.date, trip.date[11:], trip.departure, trip.destination)
    return (
        all(any(fold(word) in fold(part) for part in parts) for word in choice.text.split())
        and choice.state in ("", ticket.state)
        and (not choice.holder or choice.holder in (ticket.client, ticket.client if ticket.state == SOLD else office))
        and choice.since <= trip.date
        and (not choice.until or trip.date[: len(choice.until)] <= choice.until)
    )


def naive(desk: Desk, column: str, is_descending: bool) -> list[str]:
    """The identifiers that a walk over all tickets shows."""
    keys = {
        "id": lambda t: 0,
        "train": lambda t: natural(t.journey.train),
        "date": lambda t: t.journey.date,
        "from": lambda t: fold(t.journey.departure),
        "to": lambda t: fold(t.journey.destination),
        "price": lambda t: t.journey.cents,
        "holder": lambda t: natural(t.client),
        "state": lambda t: [FREE, HELD, SOLD].index(t.state),
    }
    taken = [ticket for ticket in desk.role.stock if wanted(desk.office.choice, ticket, desk.role.name)]
    taken.sort(key=lambda t: (keys[column](t), len(t.id), t.id), reverse=is_descending)
    return [ticket.id for ticket in taken]


def accounts(desk: Desk) -> dict[str, Account]:
    told: dict[str, Account] = {}
    for ticket in desk.role.stock:
        if ticket.state != FREE:
            account = told.setdefault(ticket.client, Account())
            account.held += ticket.state == HELD
            account.sold += ticket.state == SOLD
            account.cents += ticket.journey.cents * (ticket.state == SOLD)
    return told


def assert_as_naive(desk: Desk) -> None:
    column, is_descending = desk.office.orders["all"]
    expected = naive(desk, column, is_descending)
    assert desk.shown() == expected
    assert [desk.office.all.index_of(name) for name in expected] == list(range(len(expected)))
    assert all(desk.office.all.index_of(t.id) is None for t in desk.role.stock if t.id not in expected)
    held = sorted(desk.role.stock.book(HELD).values(), key=lambda t: (t.deadline, len(t.id), t.id))
    assert desk.shown("held") == [ticket.id for ticket in held]
    assert sorted(desk.shown("sold")) == sorted(desk.role.stock.book(SOLD))
    assert {name: account for name, account in desk.office.accounts.items() if account != Account()} == accounts(desk)
    assert desk.office.takings == sum(ticket.journey.cents for ticket in desk.role.stock.book(SOLD).values())


# --------------------------------------------------------------------------------------------------------- the same list


choices = st.builds(
    Choice,
    text=st.sampled_from(["", "quentin", "isle 07:", "b00", "[EXIT]", "$env", "oeuilly", "2027-03-16", "12 compie", " - "]),
    state=st.sampled_from(["", FREE, HELD, SOLD]),
    holder=st.sampled_from(["", "gch", "c1", "c2"]),
    since=st.sampled_from(["", "2027-03-15", "2027-03-16T07:10"]),
    until=st.sampled_from(["", "2027-03-15", "2027-03-16T07:10"]),
)
journeys = st.builds(
    Journey,
    train=st.sampled_from(["9", "10", "12", "TER 7"]),
    date=st.sampled_from(["2027-03-15T07:10", "2027-03-16T07:10", "2027-03-17T23:59"]),
    departure=st.sampled_from(STATIONS),
    destination=st.sampled_from(STATIONS),
    cents=st.integers(0, 3),
)


def random_move(desk: Desk, draw: random.Random, trips: list[Journey]) -> None:
    """One thing that happens at a guichet."""
    client, request, trip = draw.choice(["c1", "c2", "c10"]), draw.randrange(1, 9), draw.choice(trips)
    names = [ticket.id for ticket in desk.role.stock] or ["B0001"]
    name = draw.choice(names)
    free = sorted(desk.role.stock.book(FREE))
    move = draw.randrange(9)
    if move < 3:
        desk.hear(client, say.Request(client, request, True, Search(ticket=draw.choice(["", name])), 1))
    elif move == 3:
        desk.hear(client, say.Acknowledgement(client, request, name, draw.random() < 0.7))
    elif move == 4:
        desk.hear(client, say.Return(client, request, name))
    elif move == 5:
        desk.add(trip, draw.randrange(1, 4))
    elif move == 6 and free:
        desk.do(ask.ChangeTicket(draw.choice(free), trip.train, trip.date, trip.departure, trip.destination, trip.cents))
    elif move == 7 and free:
        desk.do(ask.WithdrawTicket(draw.choice(free)))
    else:
        desk.now += draw.choice([1.0, 40.0])
        desk.happens(desk.role.tick(desk.now))


@settings(max_examples=150, deadline=None)
@given(st.lists(journeys, min_size=1, max_size=6), st.lists(choices, min_size=1, max_size=3), st.integers(0, 2**32))
def test_after_every_event_the_lists_are_those_of_a_walk_over_all_tickets(trips, wishes, seed) -> None:
    draw = random.Random(seed)
    desk = Desk()
    for trip in trips:
        desk.add(trip, 3)
    recorded = None
    for step in range(40):
        random_move(desk, draw, trips)
        if step % 13 == 5:
            desk.office.choose(draw.choice(wishes))
        if step % 11 == 7:
            desk.office.sort("all", draw.choice(COLUMNS), draw.random() < 0.5)
        if step == 15:
            recorded = desk.role.record(desk.now)
        if step == 30 and recorded is not None:
            desk.happens(desk.role.restore(recorded, (), desk.now))
        if draw.random() < 0.7:  # several events may have come since the last drawing
            assert_as_naive(desk)
    assert_as_naive(desk)


@pytest.mark.parametrize("many", [0, 10**9], ids=["sorted again", "one by one"])
def test_few_changes_and_many_at_once_give_the_same(many: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lib.windows.view.guichet._MANY", many)
    desk, draw = Desk(), random.Random(7)
    trips = [journey(train=str(n), departure=STATIONS[n % 8], cents=n % 5) for n in range(30)]
    for trip in trips:
        desk.add(trip, 2)
    desk.office.sort("all", "price", True)
    for _ in range(60):
        for _ in range(5):
            random_move(desk, draw, trips)
        assert_as_naive(desk)


def test_a_hundred_thousand_tickets_filtered_and_sorted() -> None:
    draw = random.Random(1)
    desk = Desk()
    offers = [
        (journey(train=str(draw.randrange(10**5)), departure=draw.choice(STATIONS), cents=draw.randrange(9999),
                 date=f"2027-03-{draw.randrange(1, 29):02}T{draw.randrange(24):02}:00"), 10)
        for _ in range(10_000)
    ]  # fmt: skip
    desk.do(ask.AddTickets(tuple(offers)))
    for number, name in enumerate(draw.sample(sorted(desk.role.stock.book(FREE)), 3000), 1):
        (desk.sell if number % 2 else desk.hold)(f"c{number % 7}", number, name)
    for choice in (Choice(), Choice("quentin 07"), Choice(state=HELD, holder="c2"), Choice("b1", since="2027-03-20")):
        desk.office.choose(choice)
        for column in COLUMNS:
            desk.office.sort("all", column, column == "date")
            assert desk.shown() == naive(desk, column, column == "date")
    assert desk.office.newest == ("B0001", "B100000", 100_000)


def test_a_change_walks_over_no_other_ticket() -> None:
    desk = Desk()
    desk.add(journey(), 50)
    desk.shown()

    def source() -> Iterable[Ticket]:
        raise AssertionError("walked over")

    for listing in (desk.office.all, desk.office.held, desk.office.sold):
        listing._source = source
    desk.sell("c1", 1, "B0007")
    desk.do(ask.WithdrawTicket("B0008"))
    desk.office.sort("all", "id", True)
    assert len(desk.shown()) == 49 and desk.shown()[0] == "B0050" and desk.shown("sold") == ["B0007"]


def test_both_ends_of_a_period_are_included() -> None:
    desk = Desk()
    for minute in ("06:59", "07:00", "07:01"):
        desk.add(journey(date=f"2027-03-15T{minute}"))
    desk.office.choose(Choice(since="2027-03-15T07:00", until="2027-03-15T07:00"))
    assert desk.shown() == ["B0002"]
    desk.office.choose(Choice(since="2027-03-15", until="2027-03-15"))
    assert desk.shown() == ["B0001", "B0002", "B0003"]


def test_a_changed_ticket_is_found_by_its_new_names() -> None:
    desk = Desk()
    desk.add(journey())
    desk.office.choose(Choice("compiegne"))
    assert desk.shown() == ["B0001"]
    desk.do(ask.ChangeTicket("B0001", departure="Noyon"))
    assert desk.shown() == []
    desk.office.choose(Choice("noyon"))
    assert desk.shown() == ["B0001"]


def test_a_restoration_replaces_everything() -> None:
    desk = Desk()
    desk.add(journey(), 3)
    desk.sell("c1", 1, "B0001")
    before = desk.role.record(desk.now)
    desk.shown()
    desk.hear("c1", say.Return("c1", 2, "B0001"))
    desk.sell("c2", 1, "B0002")
    desk.do(ask.WithdrawTicket("B0003"))
    desk.happens(desk.role.restore(before, (), desk.now))
    assert desk.shown() == ["B0001", "B0002", "B0003"] and desk.shown("sold") == ["B0001"]
    assert desk.office.accounts == {"c1": Account(sold=1, cents=980)}
    assert desk.office.sold_at("B0001") == 0.0, "when that was is not in the snapshot"


def test_sales_stand_in_the_order_in_which_they_were_made() -> None:
    desk = Desk(Ticket("B0001", journey(), SOLD, "c9", 1))
    desk.add(journey(), 4)
    for request, name in enumerate(("B0004", "B0002"), 1):
        desk.now += 60
        desk.sell("c1", request, name)
    assert desk.shown("sold") == ["B0002", "B0004", "B0001"]
    sold_at = desk.office.sold_at("B0002")
    desk.happens([TicketMoved(desk.role.stock.forget_request("B0002"))])
    assert desk.office.sold_at("B0002") == sold_at, "its client forgot the request, not the ticket"
    desk.hear("c1", say.Return("c1", 9, "B0002"))
    assert desk.shown("sold") == ["B0004", "B0001"] and desk.office.sold_at("B0002") == 0.0


def test_names_are_sorted_as_people_count() -> None:
    assert sorted(["c10", "c2", "C1", "TER 9", "TER 10", "10", "9"], key=natural) == [
        "9", "10", "C1", "c2", "c10", "TER 9", "TER 10"
    ]  # fmt: skip


def test_who_may_hold_a_ticket() -> None:
    desk = Desk()
    desk.add(journey(), 3)
    desk.hold("c10", 1, "B0001")
    desk.sell("c2", 1, "B0002")
    desk.shown()
    assert desk.office.holders() == ["gch", "c2", "c10"]
    assert desk.office.stations().like("") == ["Compiègne", "Creil"]


# ------------------------------------------------------------------------------------------------------ rows and words


@pytest.fixture
def desk() -> Desk:
    made = Desk()
    made.add(journey(train="848362", departure="L'Isle-d'Abeau", destination="{$[Creil]", cents=1540), 3)
    made.hold("c1", 4, "B0002")
    made.sell("c2", 1, "B0003")
    made.shown()
    return made


def test_a_ticket_with_all_that_the_subject_wants(desk: Desk) -> None:
    rows = Rows(desk.office, desk.office.all, lambda ticket: ticket_row(desk.office, ticket, "fr"))
    common = ("848362", "2027-03-15 07:10", "L'Isle-d'Abeau", "{$[Creil]")
    assert [row.cells for row in rows[0:3]] == [  # type: ignore[union-attr]
        ("B0001", *common, "gch", "15,40\u00a0€", "libre"),
        ("B0002", *common, "gch → c1", "15,40\u00a0€", "retenu"),
        ("B0003", *common, "c2", "15,40\u00a0€", "vendu"),
    ]
    assert len(rows) == 3 and rows[1].key == "B0002" and rows[1].tag == HELD  # type: ignore[union-attr]
    assert rows.index_of("B0003") == 2 and rows.index_of("B0009") is None


def test_a_hold_counts_down(desk: Desk) -> None:
    ticket = desk.role.stock.book(HELD)["B0002"]

    def row(after: float) -> tuple[str, str]:
        made = held_row(desk.office, ticket, "fr", desk.now + after, bar)
        return made.cells[2], made.tag

    assert row(0) == ("▰▰▰▰▰▰▰▰▰▰ 30 s", "")
    assert row(15.2) == ("▰▰▰▰▰▱▱▱▱▱ 15 s", "")
    assert row(25) == ("▰▰▱▱▱▱▱▱▱▱ 5 s", LITTLE)
    assert row(99) == ("▱▱▱▱▱▱▱▱▱▱ 0 s", LITTLE)
    assert held_row(desk.office, ticket, "en", desk.now, bar).cells == (
        "B0002", "c1", "▰▰▰▰▰▰▰▰▰▰ 30 s", "L'Isle-d'Abeau → {$[Creil] · 2027-03-15 07:10", "€15.40"
    )  # fmt: skip


def test_a_sale_says_when(desk: Desk) -> None:
    row = sold_row(desk.office, desk.role.stock.book(SOLD)["B0003"], "fr")
    assert row.cells[0].count(":") == 2 and row.cells[1:3] == ("B0003", "c2") and row.cells[-1] == "15,40\u00a0€"
    before = Desk(Ticket("B0001", journey(), SOLD, "c9", 1))
    assert sold_row(before.office, before.role.stock.book(SOLD)["B0001"], "fr").cells[0] == "avant"


@pytest.mark.parametrize(
    ("name", "fr", "en"),
    [
        ("B0002", "retenu pour c1, encore 29 s : ni modifiable ni supprimable", "held for c1, 29 s left: neither"),
        ("B0003", "vendu à c2 : ni modifiable ni supprimable", "sold to c2: neither"),
    ],
)
def test_a_whole_ticket_in_a_sentence(desk: Desk, name: str, fr: str, en: str) -> None:
    ticket = desk.role.stock.get(name)
    assert ticket is not None
    beginning = f"{name} · train 848362 · 2027-03-15 07:10 · L'Isle-d'Abeau → {{$[Creil] · "
    assert described(desk.office, ticket, "fr", desk.now + 1).startswith(f"{beginning}15,40\u00a0€ · {fr}")
    assert described(desk.office, ticket, "en", desk.now + 1).startswith(f"{beginning}€15.40 · {en}")
    free = desk.role.stock.book(FREE)["B0001"]
    assert described(desk.office, free, "fr", desk.now).endswith("{$[Creil] · 15,40\u00a0€")


def test_the_counters(desk: Desk) -> None:
    assert counters(desk.office, "fr") == "1 libre · 1 retenu · 1 vendu (15,40\u00a0€)"
    assert counters(desk.office, "en") == "1 free · 1 held · 1 sold (€15.40)"
    desk.add(journey(), 9_999)
    desk.office.settle()
    assert counters(desk.office, "fr").startswith("10\u202f000 libres · ")
    assert counters(desk.office, "en").startswith("10,000 free · ")


def test_how_many_are_shown() -> None:
    assert how_many(0, 0) == Text("0 billet", "0 tickets")
    assert how_many(1200, 1200) == Text("1\u202f200 billets", "1,200 tickets")
    assert how_many(1, 1200) == Text("1 sur 1\u202f200", "1 of 1,200")


# -------------------------------------------------------------------------------------------------------------- clients


def test_clients_with_their_tickets_and_their_signs_of_life() -> None:
    ring = SmallRing("c1", "c2", "c10")
    ring.do("c1", ask.Reserve(Search()))
    (request,) = [event.fact.errand.number for event in ring.events["c1"] if hasattr(event.fact, "errand")][-1:]
    ring.do("c1", ask.Confirm(request))
    ring.do("c1", ask.Reserve(Search()))
    ring.take("c10", ring.sites["c10"].leave(ring.now))
    ring.deliver()
    office = Office(ring.guichet.role)
    office.settle()
    ring.guichet.peers["c2"].last_heard -= 400
    lines = clients(ring.guichet, office, ring.now + 12, ("name", False))
    assert [line.row("fr").cells for line in lines] == [
        ("c1", "présent", "il y a 10 s", "1", "1", "15,40\u00a0€", "1"),
        ("c2", "silencieux", "il y a 6 min", "0", "0", "0,00\u00a0€", "1"),
        ("c10", "parti", "il y a 10 s", "0", "0", "0,00\u00a0€", "1"),
    ]
    assert [line.tag for line in lines] == ["", SILENT, LEFT]
    assert attendance(lines) == Text(
        "Clients présents : 2, dont 1 sans signe de vie", "Clients present: 2, 1 of them silent"
    )
    by_bought = clients(ring.guichet, office, ring.now, ("sold", True))
    assert [line.name for line in by_bought] == ["c1", "c2", "c10"]
    assert [line.name for line in clients(ring.guichet, office, ring.now, ("name", True))] == ["c10", "c2", "c1"]


def test_a_client_that_is_known_by_its_tickets_alone() -> None:
    ring = SmallRing("c1")
    ring.guichet.role.stock.put_many([Ticket("B0900", journey(), SOLD, "c7", 1)])
    office = Office(ring.guichet.role)
    office.settle()
    line = clients(ring.guichet, office, ring.now, ("name", False))[1]
    assert line.row("en").cells == ("c7", "left", "not yet", "0", "1", "€9.80", "—")


def test_what_a_dismissal_does_is_told_before_and_after() -> None:
    ring = SmallRing("c1", "c2")
    ring.do("c1", ask.Reserve(Search()))
    office = Office(ring.guichet.role)
    office.settle()
    here, other = clients(ring.guichet, office, ring.now, ("name", False))
    assert question_of_dismissal(here).fr.startswith("Attention : c1 est là, entendu à l'instant.")
    assert "retenu pour lui (1 billet) redevient libre" in question_of_dismissal(here).fr
    assert "held for it (0 tickets) is free" in question_of_dismissal(other).en
    told = {advice(None), advice(here)}
    ring.do("gch", ask.Dismiss("c1"), deliver=False)
    gone = clients(ring.guichet, office, ring.now, ("name", False))[0]
    assert gone.is_dismissed and gone.row("fr").cells[1] == "congédié" and "libres" in advice(gone).fr
    assert not question_of_dismissal(gone).fr.startswith("Attention")
    assert len(told | {advice(gone)}) == 3


# ---------------------------------------------------------------------------------------------------------------- forms


@pytest.mark.parametrize("text", ["848362", "Paris Gare du Nord", "L'Isle-d'Abeau", "[exit] $x {"])
def test_what_the_core_takes_is_no_problem(text: str) -> None:
    for field in ("train", "departure", "destination"):
        assert journey_problem(field, text) is None


def test_what_is_wrong_is_said() -> None:
    assert journey_problem("train", "") == EMPTY
    assert "60" in journey_problem("train", "8" * 61).fr  # type: ignore[union-attr]
    assert "200" in journey_problem("departure", "é" * 200).fr  # type: ignore[union-attr]
    assert "gare" in journey_problem("destination", "--").fr  # type: ignore[union-attr]
    assert journey_problem("date", "2027-03-15") == NO_DATE and journey_problem("date", "demain") == NO_DATE
    assert journey_problem("date", "2027-03-15T07:10") is None
    assert [price_problem(text) for text in ("15,40", "15.4", "0", "", "cher", "-1", "1,234")] == [
        None, None, None, EMPTY, NO_PRICE, NO_PRICE, NO_PRICE
    ]  # fmt: skip
    assert [number_problem(text) for text in ("1", "100000", "0", "", "-3", "²", "1.5")] == [None, None] + [NO_NUMBER] * 5
    assert optional(number_problem)("") is None and optional(number_problem)("x") == NO_NUMBER


def test_a_file_is_there_or_it_is_not(tmp_path) -> None:
    assert file_problem(str(tmp_path)) is None and file_problem("~") is None
    assert file_problem(str(tmp_path / "absent.csv")) == NO_FILE and file_problem("") == EMPTY
    assert file_problem("a\0b") == NO_FILE


def test_a_train_does_not_go_to_where_it_is() -> None:
    assert same_station("Saint-Quentin", "SAINT QUENTIN")
    assert not same_station("Creil", "Compiègne") and not same_station("", "")
