"""Tickets and the stock: the transition table, the search, and what a journey may be."""

from __future__ import annotations

import calendar
from datetime import datetime
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from lib.core.tickets import (
    FREE,
    HELD,
    MAX_CENTS,
    MAX_STATION_BYTES,
    MAX_TRAIN_BYTES,
    SOLD,
    TRANSITIONS,
    BadField,
    Journey,
    Search,
    Stock,
    Ticket,
    cents_of,
    euros,
    fits,
    fold,
    is_date,
)
from tests.core.examples import journey, nasty_text, tickets

STATIONS = ["Compiègne", "Creil", "Saint-Quentin", "Noyon"]
WAYS_TO_WRITE = [*STATIONS, "COMPIEGNE", "creil", "saint  quentin", "Saint Quentin", "Nulle part", ""]
DAYS = ["2025-03-16", "2025-03-17", "2025-03-18"]
MINUTES = [f"{day}T{time}" for day in DAYS for time in ("00:00", "07:10", "07:11", "23:59")]

some_journeys = st.builds(
    Journey,
    st.just("848362"),
    st.sampled_from(MINUTES),
    st.sampled_from(STATIONS),
    st.sampled_from(STATIONS),
    st.just(1),
)
some_searches = st.builds(
    Search,
    departure=st.sampled_from(WAYS_TO_WRITE),
    destination=st.sampled_from(WAYS_TO_WRITE),
    since=st.sampled_from(["", *DAYS, *MINUTES]),
    until=st.sampled_from(["", *DAYS, *MINUTES]),
)


def walk(stock: Stock, search: Search) -> list[str]:
    """What `Stock.find` has to find, by looking at every ticket."""

    def matches(ticket: Ticket) -> bool:
        where = ticket.journey
        return (
            ticket.state == FREE
            and fold(search.departure) in ("", fold(where.departure))
            and fold(search.destination) in ("", fold(where.destination))
            and where.date[: len(search.since)] >= search.since
            and (not search.until or where.date[: len(search.until)] <= search.until)
        )

    return [t.id for t in sorted(filter(matches, stock), key=lambda t: (t.journey.date, int(t.id[1:])))]


# ----------------------------------------------------------------------------------------------------------- the search


@given(st.lists(some_journeys, max_size=25), some_searches, st.integers(1, 6))
def test_the_index_finds_what_a_walk_over_all_tickets_finds(journeys: list[Journey], search: Search, limit: int) -> None:
    """Issue 2, 1: "names compared without accents, case, hyphens or doubled spaces; by index, not by a walk"."""
    # Numbers around 9999: B10000 comes after B9999, though its letters do not.
    stock = Stock(Ticket(f"B{number:04d}", what) for number, what in enumerate(journeys, 9990))
    found, total = stock.find(search, limit)
    expected = walk(stock, search)
    assert [ticket.id for ticket in found] == expected[:limit]
    assert total == len(expected)


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        ("", "", 3),
        ("2025-03-17", "2025-03-17", 2),
        ("2025-03-17T07:10", "2025-03-17T07:10", 1),
        ("2025-03-17T07:11", "", 2),
        ("", "2025-03-17T23:58", 1),
        ("2025-03-18", "2025-03-17", 0),
    ],
)
def test_both_ends_of_a_period_are_included_and_a_day_is_meant_whole(since: str, until: str, expected: int) -> None:
    """`Search`: "both ends are included, a day is meant whole"."""
    when = ["2025-03-17T07:10", "2025-03-17T23:59", "2025-03-18T00:00"]
    stock = Stock(Ticket(f"B{n}", journey(date=date)) for n, date in enumerate(when))
    assert stock.find(Search(since=since, until=until), 10)[1] == expected


def test_tickets_of_one_train_come_in_the_order_of_their_numbers() -> None:
    """`_Entry`: "B10000 comes after B9999"."""
    names = ["B10000", "B9999", "B0002", "B10001"]
    found, _ = Stock(Ticket(name, journey()) for name in names).find(Search(), 4)
    assert [ticket.id for ticket in found] == ["B0002", "B9999", "B10000", "B10001"]


class StockAgainstAWalk(RuleBasedStateMachine):
    """Whatever happens to tickets, each is in one book, and the index finds the free ones and no other."""

    @initialize(journeys=st.lists(some_journeys, min_size=1, max_size=8))
    def open(self, journeys: list[Journey]) -> None:
        self.model = {f"B{n:04d}": (FREE, what) for n, what in enumerate(journeys, 1)}
        self.stock = Stock(Ticket(name, what) for name, (_, what) in self.model.items())
        self.next = len(journeys) + 1

    def any_ticket(self, data: st.DataObject) -> str:
        return data.draw(st.sampled_from(sorted(self.model)))

    @precondition(lambda self: self.model)
    @rule(data=st.data(), transition=st.sampled_from(["hold", "sell", "release", "give_back"]))
    def move(self, data: st.DataObject, transition: str) -> None:
        name = self.any_ticket(data)
        state, what = self.model[name]
        arguments = ("c1", 4, 99.0) if transition == "hold" else ()
        if (state, transition) in TRANSITIONS:
            moved = getattr(self.stock, transition)(name, *arguments)
            self.model[name] = (TRANSITIONS[state, transition], what)
            assert (moved.id, moved.state, moved.journey) == (name, *self.model[name])
            assert bool(moved.client) == (moved.state != FREE) and bool(moved.deadline) == (moved.state == HELD)
        else:
            with pytest.raises(AssertionError):
                getattr(self.stock, transition)(name, *arguments)

    @precondition(lambda self: any(state == FREE for state, _ in self.model.values()))
    @rule(data=st.data(), what=some_journeys)
    def change(self, data: st.DataObject, what: Journey) -> None:
        name = data.draw(st.sampled_from(sorted(n for n, (state, _) in self.model.items() if state == FREE)))
        self.stock.replace_free(Ticket(name, what))
        self.model[name] = (FREE, what)

    @precondition(lambda self: any(state == FREE for state, _ in self.model.values()))
    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(n for n, (state, _) in self.model.items() if state == FREE)))
        self.stock.remove_free(name)
        del self.model[name]

    @rule(journeys=st.lists(some_journeys, max_size=3))
    def add(self, journeys: list[Journey]) -> None:
        new = [Ticket(f"B{n:04d}", what) for n, what in enumerate(journeys, self.next)]
        self.next += len(new)
        self.stock.put_many(new)
        self.model |= {ticket.id: (FREE, ticket.journey) for ticket in new}

    @invariant()
    def every_ticket_is_in_one_book(self) -> None:
        if hasattr(self, "stock"):
            assert {t.id: (t.state, t.journey) for t in self.stock} == self.model
            assert len(self.stock) == len(self.model)
            assert all(t.state == state for state in (FREE, HELD, SOLD) for t in self.stock.book(state).values())

    @invariant()
    def the_index_finds_the_free_ones(self) -> None:
        if hasattr(self, "stock"):
            places = ["", STATIONS[0]]
            for search in (
                Search(departure=a, destination=b, until=c) for a, b, c in product(places, places, ["", DAYS[1]])
            ):
                found, total = self.stock.find(search, 1000)
                assert [ticket.id for ticket in found] == walk(self.stock, search)
                assert total == len(found)


TestStockAgainstAWalk = StockAgainstAWalk.TestCase
TestStockAgainstAWalk.settings = settings(max_examples=60, stateful_step_count=25)


# ------------------------------------------------------------------------------------------------------ a ticket's life


def test_the_life_of_a_ticket_is_the_contracts() -> None:
    """Contract, 4: "libre --demande--> retenu; retenu --accuse accepte=1--> vendu; retenu --accuse accepte=0, or
    échéance passed--> libre; vendu --retour--> libre", and nothing else."""
    assert TRANSITIONS == {
        (FREE, "hold"): HELD,
        (HELD, "sell"): SOLD,
        (HELD, "release"): FREE,
        (SOLD, "give_back"): FREE,
    }


def test_the_holder_is_the_office_until_the_ticket_is_sold() -> None:
    """Contract, 4: "One holder, always. The client holds the ticket from the `billet statut~vendu` on"."""
    stock = Stock(tickets(1))
    holders = [stock.get("B0001").holder("gch")]  # type: ignore[union-attr]
    holders.append(stock.hold("B0001", "c1", 4, 30.0).holder("gch"))
    holders.append(stock.sell("B0001").holder("gch"))
    holders.append(stock.give_back("B0001").holder("gch"))
    assert holders == ["gch", "gch", "c1", "gch"]


def test_a_held_ticket_and_its_sale_remember_client_and_request() -> None:
    """Contract, 4: the guichet "keeps a ledger line (ticket, client, request)"."""
    stock = Stock(tickets(1))
    held = stock.hold("B0001", "c1", 4, 30.0)
    assert (held.client, held.request, held.deadline) == ("c1", 4, 30.0)
    sold = stock.sell("B0001")
    assert (sold.client, sold.request, sold.deadline) == ("c1", 4, 0.0)
    forgotten = stock.forget_request("B0001")
    assert (forgotten.client, forgotten.request, forgotten.state) == ("c1", 0, SOLD)
    assert stock.get("B0001") == forgotten


def test_an_identifier_stands_for_one_ticket() -> None:
    stock = Stock(tickets(1))
    with pytest.raises(AssertionError):
        stock.put_many(tickets(1))
    stock.hold("B0001", "c1", 4, 30.0)
    with pytest.raises(AssertionError):
        stock.put_many(tickets(1))
    assert "B0001" in stock and "B0002" not in stock


def test_tickets_taken_in_as_held_or_sold_are_not_for_sale() -> None:
    first, second, third = tickets(3)
    held = Ticket(first.id, first.journey, HELD, "c1", 1, 30.0)
    sold = Ticket(second.id, second.journey, SOLD, "c1", 2)
    stock = Stock([held, sold, third])
    assert stock.find(Search(), 10) == ([third], 1)


# ---------------------------------------------------------------------------------------------------- names of stations


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Compiègne", "COMPIEGNE"),
        ("Saint-Quentin", "saint quentin"),
        ("  Saint   Quentin ", "SAINT\u2010QUENTIN"),
        ("Saint\u2011Quentin", "Saint\u2013Quentin"),
        ("Sacré-Cœur", "SACRE COEUR"),
        ("Œuilly", "oeuilly"),
        ("L’Haÿ-les-Roses", "l'hay les roses"),
        ("Straße", "STRASSE"),
        ("Compie\u0300gne", "Compiègne"),
        ("Gare\u00a0du\tNord", "gare du nord"),
        ("Lætitia", "laetitia"),
    ],
)
def test_names_are_compared_without_accents_case_hyphens_or_doubled_spaces(one: str, other: str) -> None:
    """Issue 2, 1."""
    assert fold(one) == fold(other) != ""


@pytest.mark.parametrize(("one", "other"), [("Creil", "Creill"), ("Saint-Quentin", "Saintquentin"), ("Lyon", "Noyon")])
def test_other_names_stay_apart(one: str, other: str) -> None:
    assert fold(one) != fold(other)


@given(st.text("abcéÈçÀœŒæßïÜ -’'\u2010", max_size=20))
def test_folding_twice_is_folding_once_and_knows_no_case(name: str) -> None:
    assert fold(fold(name)) == fold(name) == fold(name.upper()) == fold(f" {name.lower()} ")


# ---------------------------------------------------------------------------------------------------------------- dates


@pytest.mark.parametrize("year", [1900, 2000, 2023, 2024, 2025, 2100, 2400])
@pytest.mark.parametrize("month", range(1, 13))
def test_months_have_the_days_that_they_have_leap_years_included(year: int, month: int) -> None:
    last = calendar.monthrange(year, month)[1]
    assert is_date(f"{year}-{month:02d}-{last}T00:00")
    assert not is_date(f"{year}-{month:02d}-{last + 1}T00:00")
    assert not is_date(f"{year}-{month:02d}-00T00:00")


@given(st.datetimes())
def test_every_minute_is_a_date(at: datetime) -> None:
    """Contract, 3: `date` is "ISO 8601, local time, minutes"."""
    assert is_date(at.isoformat(timespec="minutes"))


@given(st.from_regex(r"(00|20)\d\d-[01]\d-[0-3]\dT[0-2]\d:[0-6]\d", fullmatch=True).filter(lambda t: t[:4] != "0000"))
def test_is_date_agrees_with_datetime(text: str) -> None:
    try:
        expected = bool(datetime.fromisoformat(text))
    except ValueError:
        expected = False
    assert is_date(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2025-03-17",
        "2025-03-17 07:10",
        "2025-03-17T07:10:00",
        "2025-03-17T07:10\n",
        "2025-03-17T24:00",
        "2025-03-17T07:60",
        "2025-13-01T00:00",
        "2025-00-01T00:00",
        "25-03-17T07:10",
        "٢٠٢٥-03-17T07:10",
        "2025-3-17T07:10",
    ],
)
def test_what_is_no_minute_is_no_date(text: str) -> None:
    assert not is_date(text)


# --------------------------------------------------------------------------------------------------------------- prices


@pytest.mark.parametrize(
    ("price", "cents"),
    [
        ("15.40", 1540),
        ("15,4", 1540),
        ("15", 1500),
        ("0", 0),
        ("0.05", 5),
        (" 7,05 ", 705),
        ("007", 700),
        ("999999.99", MAX_CENTS),
    ],
)
def test_prices_are_read_as_people_write_them(price: str, cents: int) -> None:
    assert cents_of(price) == cents


@pytest.mark.parametrize(
    "price",
    [
        "",
        "-1",
        "+1",
        "1.234",
        "1.",
        ".5",
        "1e3",
        "nan",
        "inf",
        "15 €",
        "1 000",
        "1000000",
        "9999999.99",
        "12.3.4",
        "١٥",
        "1_0",
    ],
)
def test_what_is_no_price_is_refused(price: str) -> None:
    with pytest.raises(BadField) as bad:
        cents_of(price)
    assert (bad.value.field, bad.value.value) == ("price", price)


@given(st.integers(0, MAX_CENTS))
def test_a_price_written_is_a_price_read(cents: int) -> None:
    """Contract, 3: `cout` is "euros, two decimals"."""
    assert cents_of(euros(cents)) == cents
    assert len(euros(cents).split(".")[1]) == 2


# ------------------------------------------------------------------------------------------------------------- journeys


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("train", ""),
        ("train", "x" * (MAX_TRAIN_BYTES + 1)),
        ("departure", ""),
        ("departure", " - "),
        ("departure", "x" * (MAX_STATION_BYTES + 1)),
        ("destination", "é" * (MAX_STATION_BYTES // 2 + 1)),
        ("destination", "^" * (MAX_STATION_BYTES // 3 + 1)),
        ("destination", "\ud800"),
        ("date", "2025-02-29T07:10"),
        ("date", "2025-03-17"),
    ],
)
def test_a_journey_that_cannot_be_is_not_built(field: str, value: str) -> None:
    with pytest.raises(BadField) as bad:
        journey(**{field: value})
    assert (bad.value.field, bad.value.value) == (field, value)


@pytest.mark.parametrize("cents", [-1, MAX_CENTS + 1])
def test_a_price_that_cannot_be_is_not_built(cents: int) -> None:
    with pytest.raises(BadField) as bad:
        journey(cents=cents)
    assert bad.value.field == "price"


def test_names_may_be_as_long_as_the_line_takes() -> None:
    longest = journey(train="^" * 20, departure="'" * (MAX_STATION_BYTES // 3), destination="é" * (MAX_STATION_BYTES // 2))
    assert len(longest.departure) == MAX_STATION_BYTES // 3


@given(nasty_text, st.integers(0, 130))
def test_what_fits_is_what_takes_no_more_bytes_once_written(text: str, limit: int) -> None:
    """Contract, 2: some characters are written as "percent and two hex digits"."""
    written = "".join(f"%{ord(c):02X}" if c in "%^~'\"\\\x7f" or ord(c) < 32 else c for c in text)
    assert fits(text, limit) == (len(written.encode()) <= limit)
