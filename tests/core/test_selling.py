"""The guichet's role (contract, 4): it holds the tickets, and answers whatever comes, however often or late."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from lib.core import commands as ask
from lib.core import messages as say
from lib.core import selling
from lib.core.commands import CommandRefused
from lib.core.facts import Answered, ClientForgot, Effect, Say, StateTold, TicketMoved, TicketsAdded, TicketWithdrawn
from lib.core.messages import TicketNotice
from lib.core.selling import Guichet
from lib.core.tickets import FREE, HELD, SOLD, Search, Ticket
from tests.core.examples import journey, tickets

CREIL = Search(destination="Creil")


def office(count: int = 1, delay: float = 30.0, **more: Any) -> Guichet:
    return Guichet("gch", delay, tickets(count), next_number=count + 1, **more)


def hear(guichet: Guichet, client: str, body: say.Body, now: float = 0.0) -> list[Effect]:
    return list(guichet.receive(client, body, now))


def notices(effects: Iterable[Effect], client: str = "c1") -> list[TicketNotice]:
    said = [effect for effect in effects if isinstance(effect, Say)]
    assert all(isinstance(one.body, TicketNotice) and one.body.requester == one.to for one in said)
    return [one.body for one in said if one.to == client]  # type: ignore[misc]


def answer(guichet: Guichet, client: str, body: say.Body, now: float = 0.0) -> tuple[str, str, str]:
    """Status, ticket and reason of the one notice with which the guichet answers this very sentence."""
    found = [n for n in notices(hear(guichet, client, body, now), client) if n.request == body.request]  # type: ignore[union-attr]
    assert len(found) == 1
    return found[0].status, found[0].ticket, found[0].reason


def reserve(client: str, number: int, search: Search | None = None) -> say.Request:
    return say.Request(client, number, True, search or Search(), 1)


def consult(client: str, number: int, search: Search | None = None, limit: int = 10) -> say.Request:
    return say.Request(client, number, False, search or Search(), limit)


def accept(client: str, number: int, ticket: str = "B0001") -> say.Acknowledgement:
    return say.Acknowledgement(client, number, ticket, True)


def leave(client: str, number: int, ticket: str = "B0001") -> say.Acknowledgement:
    return say.Acknowledgement(client, number, ticket, False)


def give_back(client: str, number: int, ticket: str = "B0001") -> say.Return:
    return say.Return(client, number, ticket)


def buy(guichet: Guichet, client: str, number: int, now: float = 0.0) -> str:
    status, ticket, _ = answer(guichet, client, reserve(client, number), now)
    assert status == say.OFFERED
    assert answer(guichet, client, accept(client, number, ticket), now) == (say.SOLD, ticket, "")
    return ticket


def counts(guichet: Guichet) -> tuple[int, int, int]:
    return len(guichet.stock.book(FREE)), len(guichet.stock.book(HELD)), len(guichet.stock.book(SOLD))


# -------------------------------------------------------------------------------------------------------- a good ending


def test_consulting_shows_the_matches_one_ticket_a_message_and_holds_nothing() -> None:
    """Contract, 3: "one ticket a message", `rang_liste` and `total`."""
    guichet = office(5)
    told = notices(hear(guichet, "c1", consult("c1", 1, limit=3)))
    assert [(n.status, n.ticket, n.position, n.total, n.holder) for n in told] == [
        (say.LISTED, f"B000{position}", position, 5, "gch") for position in (1, 2, 3)
    ]
    assert counts(guichet) == (5, 0, 0)


def test_a_reservation_is_offered_with_the_seconds_left_then_sold() -> None:
    """Contract, 4: "libre --demande--> retenu(client, demande, échéance) --accuse accepte=1--> vendu(client)"."""
    guichet = office()
    held, offer = hear(guichet, "c1", reserve("c1", 4), now=100.0)
    assert isinstance(held, TicketMoved) and (held.ticket.state, held.ticket.deadline) == (HELD, 130.0)
    assert offer == Say("c1", TicketNotice("c1", 4, say.OFFERED, "B0001", journey(), "gch", expires_in=30.0))
    sold, told = hear(guichet, "c1", accept("c1", 4), now=129.9)
    assert isinstance(sold, TicketMoved) and (sold.ticket.state, sold.ticket.client) == (SOLD, "c1")
    assert told == Say("c1", TicketNotice("c1", 4, say.SOLD, "B0001", journey(), "c1"))


def test_what_happened_comes_before_what_is_said_of_it() -> None:
    """house.md: "The edge makes the facts durable first, then speaks"."""
    guichet = office()
    talk = [reserve("c1", 1), accept("c1", 1), give_back("c1", 2), reserve("c1", 3), leave("c1", 3), reserve("c1", 4)]
    for body in talk:
        kinds = [isinstance(effect, Say) for effect in hear(guichet, "c1", body)]
        assert kinds == sorted(kinds) and kinds.count(True) == 1


def test_a_declined_offer_is_free_for_the_next() -> None:
    """Contract, 4: "retenu --accuse accepte=0 ... --> libre"."""
    guichet = office()
    hear(guichet, "c1", reserve("c1", 1))
    assert answer(guichet, "c1", leave("c1", 1)) == (say.TAKEN_BACK, "B0001", "")
    assert answer(guichet, "c2", reserve("c2", 1)) == (say.OFFERED, "B0001", "")


def test_a_returned_ticket_is_free_for_the_next() -> None:
    """Contract, 4: "vendu --retour--> libre"; `repris` (return accepted)."""
    guichet = office()
    buy(guichet, "c1", 1)
    assert answer(guichet, "c1", give_back("c1", 2)) == (say.TAKEN_BACK, "B0001", "")
    assert buy(guichet, "c2", 1) == "B0001"


def test_a_reservation_takes_one_ticket_and_not_every_match() -> None:
    """house.md: "Reservation takes every match" was an earlier attempt's mistake."""
    guichet = office(3)
    hear(guichet, "c1", reserve("c1", 1))
    assert counts(guichet) == (2, 1, 0)


def test_a_reservation_by_identifier_takes_that_ticket() -> None:
    assert answer(office(3), "c1", reserve("c1", 1, Search(ticket="B0002"))) == (say.OFFERED, "B0002", "")


# ------------------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize("ask_for", [reserve, consult])
def test_nothing_matches_complet(ask_for: Any) -> None:
    """Contract, 4: "`complet` (nothing matches)"."""
    assert answer(office(), "c1", ask_for("c1", 1, CREIL)) == (say.REFUSED, "", "complet")


@pytest.mark.parametrize("ask_for", [reserve, consult])
def test_no_such_ticket_inconnu(ask_for: Any) -> None:
    """Contract, 4: "`inconnu` (no such ticket)"."""
    assert answer(office(), "c1", ask_for("c1", 1, Search(ticket="B0009")))[::2] == (say.REFUSED, "inconnu")


@pytest.mark.parametrize("ask_for", [reserve, consult])
@pytest.mark.parametrize("is_sold", [False, True])
def test_held_or_sold_indisponible(ask_for: Any, is_sold: bool) -> None:
    """Contract, 4: "`indisponible` (held or sold)"."""
    guichet = office()
    hear(guichet, "c1", reserve("c1", 1))
    if is_sold:
        hear(guichet, "c1", accept("c1", 1))
    assert answer(guichet, "c2", ask_for("c2", 1, Search(ticket="B0001")))[::2] == (say.REFUSED, "indisponible")


@pytest.mark.parametrize("late", [30.0, 31.0, 10_000.0])
def test_a_late_confirmation_is_refused_explicitly(late: float) -> None:
    """Contract, 4: "An `accuse` after it gets `refus motif~expire`, explicitly, never silence"."""
    guichet = office()
    hear(guichet, "c1", reserve("c1", 1))
    told = notices(hear(guichet, "c1", accept("c1", 1), now=late))
    assert told and all((n.request, n.status, n.reason) == (1, say.REFUSED, "expire") for n in told)
    assert answer(guichet, "c1", accept("c1", 1), now=late)[::2] == (say.REFUSED, "expire")
    assert counts(guichet) == (1, 0, 0)


def test_a_confirmation_just_in_time_is_good() -> None:
    guichet = office()
    hear(guichet, "c1", reserve("c1", 1))
    assert answer(guichet, "c1", accept("c1", 1), now=29.999)[0] == say.SOLD


def test_a_late_confirmation_does_not_take_the_ticket_from_the_next_client() -> None:
    """Contract, 4: "One holder, always"."""
    guichet = office()
    hear(guichet, "c1", reserve("c1", 1))
    assert answer(guichet, "c2", reserve("c2", 1), now=30.0)[0] == say.OFFERED
    assert answer(guichet, "c1", accept("c1", 1), now=31.0)[::2] == (say.REFUSED, "expire")
    assert answer(guichet, "c2", accept("c2", 1), now=31.0)[0] == say.SOLD


def test_a_late_confirmation_is_expired_even_when_the_ticket_is_withdrawn_meanwhile() -> None:
    """Contract, 4: "An `accuse` after it gets `refus motif~expire`", and "answers a repeated message as it did the
    first one"."""
    guichet = office()
    hear(guichet, "c1", reserve("c1", 1))
    list(guichet.tick(30.0))
    list(guichet.command(ask.WithdrawTicket("B0001"), 30.0))
    assert answer(guichet, "c1", accept("c1", 1), now=31.0)[::2] == (say.REFUSED, "expire")


@pytest.mark.parametrize("ticket", ["B0001", "B0002", "B0009"])
def test_confirming_what_was_never_offered_gives_nothing(ticket: str) -> None:
    guichet = office(2)
    hear(guichet, "c1", reserve("c1", 1))
    assert answer(guichet, "c2", accept("c2", 1, ticket))[0] == say.REFUSED
    assert answer(guichet, "c1", accept("c1", 2, ticket))[0] == say.REFUSED
    assert counts(guichet) == (1, 1, 0)


@pytest.mark.parametrize("ticket", ["B0001", "B0002", "B0009"])
def test_nobody_else_can_leave_or_return_a_ticket(ticket: str) -> None:
    """Contract, 4: the guichet is "the one authority"."""
    guichet = office(3)
    buy(guichet, "c1", 1)
    hear(guichet, "c1", reserve("c1", 2))
    hear(guichet, "c2", leave("c2", 1, ticket))
    hear(guichet, "c2", leave("c2", 2, ticket))
    assert answer(guichet, "c2", give_back("c2", 3, ticket))[0] == say.REFUSED
    assert counts(guichet) == (1, 1, 1)


def test_the_race_for_the_last_ticket() -> None:
    """Contract, 4: "Two clients after the last ticket: exactly one gets it, the other `refus motif~complet`"."""
    guichet = office(1)
    assert answer(guichet, "c2", reserve("c2", 1))[0] == say.OFFERED
    assert answer(guichet, "c1", reserve("c1", 1))[::2] == (say.REFUSED, "complet")
    assert answer(guichet, "c2", accept("c2", 1))[0] == say.SOLD


# ---------------------------------------------------------------------------------------------------------- idempotence


def test_a_repeated_request_is_offered_the_same_ticket_with_what_is_left() -> None:
    """Contract, 4: "the guichet answers a repeated message as it did the first one"; the deadline "is absolute"."""
    guichet = office(3)
    for now in (0.0, 1.0, 29.0):
        (told,) = notices(hear(guichet, "c1", reserve("c1", 1), now))
        assert (told.status, told.ticket, told.expires_in) == (say.OFFERED, "B0001", 30.0 - now)
    assert counts(guichet) == (2, 1, 0)


def test_a_repeated_request_after_the_sale_is_told_of_the_sale() -> None:
    """Contract, 4: the ledger line is there "so that it can say `vendu` again to a client that did not hear"."""
    guichet = office(3)
    buy(guichet, "c1", 1)
    for body in (reserve("c1", 1), accept("c1", 1), reserve("c1", 1), leave("c1", 1)):
        assert answer(guichet, "c1", body, now=99.0) == (say.SOLD, "B0001", "")
    assert counts(guichet) == (2, 0, 1)


def test_a_refused_request_stays_refused_even_when_a_ticket_comes_free() -> None:
    """Contract, 4: "the guichet answers a repeated message as it did the first one"."""
    guichet = office(1)
    buy(guichet, "c2", 1)
    assert answer(guichet, "c1", reserve("c1", 1))[::2] == (say.REFUSED, "complet")
    hear(guichet, "c2", give_back("c2", 2))
    assert answer(guichet, "c1", reserve("c1", 1))[::2] == (say.REFUSED, "complet")
    assert answer(guichet, "c1", reserve("c1", 2))[0] == say.OFFERED


def test_an_expired_request_stays_expired() -> None:
    guichet = office(1)
    hear(guichet, "c1", reserve("c1", 1))
    list(guichet.tick(30.0))
    assert answer(guichet, "c1", reserve("c1", 1), now=31.0)[::2] == (say.REFUSED, "expire")


def test_a_declined_request_is_not_held_again_by_a_late_repetition() -> None:
    guichet = office(1)
    hear(guichet, "c1", reserve("c1", 1))
    for body in (leave("c1", 1), leave("c1", 1), reserve("c1", 1), accept("c1", 1)):
        assert answer(guichet, "c1", body)[0] == say.TAKEN_BACK
    assert counts(guichet) == (1, 0, 0)


def test_a_repeated_return_is_taken_back_again_even_when_another_has_bought_the_ticket() -> None:
    """Contract, 4: "Everything can be lost or come twice or late, so every step is idempotent"."""
    guichet = office(1)
    buy(guichet, "c1", 1)
    assert answer(guichet, "c1", give_back("c1", 2))[0] == say.TAKEN_BACK
    buy(guichet, "c2", 1)
    assert answer(guichet, "c1", give_back("c1", 2))[0] == say.TAKEN_BACK
    assert guichet.stock.get("B0001").client == "c2"  # type: ignore[union-attr]


@pytest.mark.parametrize("is_forgotten", [False, True])
def test_a_late_return_does_not_take_the_ticket_that_was_bought_again_since(is_forgotten: bool) -> None:
    """`_take_back`: "A late repetition: the client has bought this ticket again since, by a request with a greater
    number", even when the answer has left the book."""
    guichet = office(1)
    buy(guichet, "c1", 1)
    hear(guichet, "c1", give_back("c1", 2))
    buy(guichet, "c1", 3)
    if is_forgotten:
        guichet._answers.clear()
    assert answer(guichet, "c1", give_back("c1", 2))[0] == say.TAKEN_BACK
    assert guichet.stock.get("B0001").client == "c1"  # type: ignore[union-attr]
    assert answer(guichet, "c1", give_back("c1", 4))[0] == say.TAKEN_BACK
    assert counts(guichet) == (1, 0, 0)


@pytest.mark.parametrize("cut", ["B0", "B00012"])
def test_a_return_is_not_answered_from_another_tickets(cut: str) -> None:
    """A line that was cut off, or forged, names a wrong ticket under the same number: the ticket can still be given back."""
    guichet = office(1)
    buy(guichet, "c1", 1)
    assert answer(guichet, "c1", give_back("c1", 2, cut)) == (say.REFUSED, cut, say.UNKNOWN)
    assert answer(guichet, "c1", give_back("c1", 2))[0] == say.TAKEN_BACK
    assert counts(guichet) == (1, 0, 0)


def test_a_late_repetition_of_a_request_whose_ticket_was_returned_holds_nothing() -> None:
    """Contract, 4: "every step is idempotent": request 1 got its ticket and gave it back; it is closed, and nobody
    waits for another offer. Held again, the ticket would be kept from others until the hold expires."""
    guichet = office(1)
    buy(guichet, "c1", 1)
    hear(guichet, "c1", give_back("c1", 2))
    hear(guichet, "c1", reserve("c1", 1))
    assert counts(guichet) == (1, 0, 0)
    assert answer(guichet, "c2", reserve("c2", 1))[0] == say.OFFERED


def test_a_late_confirmation_of_a_ticket_returned_since_does_not_sell_it_again() -> None:
    guichet = office(1)
    buy(guichet, "c1", 1)
    hear(guichet, "c1", give_back("c1", 2))
    assert answer(guichet, "c1", accept("c1", 1))[0] != say.SOLD
    assert counts(guichet) == (1, 0, 0)


@pytest.mark.parametrize(("back", "left"), [(3600.0, 30.0), (12.0, 30.0), (0.0, 20.0), (-15.0, 5.0)])
def test_a_clock_set_back_between_two_lives_does_not_make_a_hold_last(back: float, left: float) -> None:
    """A deadline is the machine's time (contract, 4). In the next life no hold lasts longer than one that begins then."""
    first = office(2, delay=30.0)
    hear(first, "c1", reserve("c1", 1), now=10_000.0)
    now = 10_010.0 - back
    second = office(0)
    second._take_up(first.stock, ())
    moved = [effect.ticket.deadline for effect in second.resume(now) if isinstance(effect, TicketMoved)]
    assert second.deadline == now + left
    assert moved == ([now + left] if back > 0 else []), "and the store knows"
    assert list(second.tick(now + left - 0.1)) == [] and counts(second) == (1, 1, 0)
    assert notices(second.tick(now + left))[0].reason == say.EXPIRED and counts(second) == (2, 0, 0)


class RepeatedAndLate(RuleBasedStateMachine):
    """Two clients say what clients may say; everything ever said may come again, at any time.

    A request takes one way only: offered, then sold or closed; sold, then given back; and what is closed stays closed
    with the same answer. Every ticket is in one place.
    """

    TICKETS = 2

    @initialize()
    def open(self) -> None:
        self.guichet = office(self.TICKETS)
        self.now = 0.0
        self.next = {"c1": 1, "c2": 1}
        self.said: list[tuple[str, say.Body]] = []
        self.offered: list[tuple[str, int, str]] = []
        self.owned: dict[str, tuple[str, int]] = {}  # ticket -> its client and request
        self.told: dict[tuple[str, int], tuple[str, str, str]] = {}
        self.returned: set[tuple[str, int]] = set()

    def tell(self, client: str, body: say.Body) -> None:
        for effect in hear(self.guichet, client, body, self.now):
            if isinstance(effect, Say):
                self.note(effect.body)  # type: ignore[arg-type]

    def note(self, told: TicketNotice) -> None:
        request = (told.requester, told.request)
        fresh = (told.status, told.ticket, told.reason)
        before = self.told.get(request)
        if before is None or before[0] == say.OFFERED:
            self.told[request] = fresh
            assert before is None or told.ticket == before[1]
        elif request in self.returned:
            assert told.status not in (say.OFFERED, say.SOLD), "a request that is over got a ticket again"
        elif before[0] == say.REFUSED and told.status == say.TAKEN_BACK:
            pass  # it left an offer that was over already: so be it
        else:
            assert before == fresh, "a request that is closed was answered otherwise"
        if told.status == say.OFFERED:
            self.offered.append((*request, told.ticket))
        if told.status == say.SOLD:
            self.owned[told.ticket] = request

    def begin(self, client: str) -> int:
        self.next[client] += 1
        return self.next[client] - 1

    @rule(client=st.sampled_from(["c1", "c2"]), ticket=st.sampled_from(["", "", "B0001", "B0002", "B0009"]))
    def ask(self, client: str, ticket: str) -> None:
        self.said.append((client, reserve(client, self.begin(client), Search(ticket=ticket))))
        self.tell(*self.said[-1])

    @precondition(lambda self: self.offered)
    @rule(data=st.data())
    def settle(self, data: st.DataObject) -> None:
        client, number, ticket = data.draw(st.sampled_from(self.offered))
        earlier = [body for _, body in self.said if isinstance(body, say.Acknowledgement)]
        same = [body for body in earlier if (body.requester, body.request) == (client, number)]
        body = same[0] if same else say.Acknowledgement(client, number, ticket, data.draw(st.booleans()))
        self.said.append((client, body))
        self.tell(client, body)

    @precondition(lambda self: self.owned)
    @rule(data=st.data())
    def return_it(self, data: st.DataObject) -> None:
        ticket = data.draw(st.sampled_from(sorted(self.owned)))
        client, number = self.owned.pop(ticket)
        self.returned.add((client, number))
        self.said.append((client, give_back(client, self.begin(client), ticket)))
        self.tell(*self.said[-1])

    @precondition(lambda self: self.said)
    @rule(data=st.data())
    def say_again(self, data: st.DataObject) -> None:
        self.tell(*data.draw(st.sampled_from(self.said)))

    @rule(seconds=st.sampled_from([1.0, 10.0, 30.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        for effect in self.guichet.tick(self.now):
            if isinstance(effect, Say):
                self.note(effect.body)  # type: ignore[arg-type]

    @invariant()
    def every_ticket_is_in_one_place(self) -> None:
        if hasattr(self, "guichet"):
            assert sum(counts(self.guichet)) == self.TICKETS
            sold = {t.id: (t.client, t.request) for t in self.guichet.stock.book(SOLD).values()}
            assert sold == self.owned
            assert {c: self.guichet.sold_to(c) for c in ("c1", "c2")} == {
                c: sum(client == c for client, _ in self.owned.values()) for c in ("c1", "c2")
            }

    @invariant()
    def the_deadline_is_that_of_the_first_hold(self) -> None:
        if hasattr(self, "guichet"):
            held = [ticket.deadline for ticket in self.guichet.stock.book(HELD).values()]
            assert self.guichet.deadline == min(held, default=None)


TestRepeatedAndLate = RepeatedAndLate.TestCase
TestRepeatedAndLate.settings = settings(max_examples=150, stateful_step_count=25)

any_body = st.one_of(
    st.builds(reserve, st.just("c1"), st.integers(1, 4), st.builds(Search, ticket=st.sampled_from(["", "B0001", "B0002"]))),
    st.builds(consult, st.just("c1"), st.integers(1, 4)),
    st.builds(say.Acknowledgement, st.just("c1"), st.integers(1, 4), st.sampled_from(["", "B0001", "B0002"]), st.booleans()),
    st.builds(give_back, st.just("c1"), st.integers(1, 4), st.sampled_from(["", "B0001", "B0002"])),
)


@given(st.lists(st.tuples(st.sampled_from(["c1", "c2"]), any_body, st.sampled_from([0.0, 0.0, 20.0])), max_size=25))
@settings(max_examples=200)
def test_whatever_a_foreign_client_says_is_answered_and_no_ticket_is_lost(
    talk: list[tuple[str, say.Body, float]],
) -> None:
    """Contract, 1: "Input is never trusted": numbers used twice, tickets never offered, returns out of the blue."""
    guichet, now = office(2), 0.0
    for client, body, wait in talk:
        now += wait
        effects = hear(guichet, client, body, now)
        assert any(isinstance(effect, Say) and effect.to == client for effect in effects)
        assert sum(counts(guichet)) == 2


def test_what_is_no_affair_of_a_guichet_is_nothing() -> None:
    guichet = office()
    assert hear(guichet, "c1", say.Presence("client", say.ALIVE)) == []
    assert hear(guichet, "c1", TicketNotice("c1", 1, say.REFUSED, reason=say.FULL)) == []


# ------------------------------------------------------------------------------------------------------------ deadlines


def test_holds_end_in_the_order_of_their_deadlines_and_their_clients_are_told() -> None:
    """Contract, 4: "retenu --échéance passed--> libre"."""
    guichet = office(3)
    for number, now in ((1, 0.0), (2, 5.0), (3, 10.0)):
        hear(guichet, f"c{number}", reserve(f"c{number}", 7), now)
    assert guichet.deadline == 30.0
    assert list(guichet.tick(29.9)) == []
    effects = list(guichet.tick(35.0))
    said = [(effect.to, effect.body.reason) for effect in effects if isinstance(effect, Say)]  # type: ignore[union-attr]
    assert said == [("c1", "expire"), ("c2", "expire")]
    assert guichet.deadline == 40.0
    assert counts(guichet) == (2, 1, 0)


@pytest.mark.parametrize("ending", [accept, leave])
def test_a_hold_that_ended_early_wakes_nobody(ending: Any) -> None:
    guichet = office()
    hear(guichet, "c1", reserve("c1", 1))
    hear(guichet, "c1", ending("c1", 1))
    assert guichet.deadline is None
    assert list(guichet.tick(1000.0)) == []


def test_a_ticket_held_again_keeps_its_new_deadline() -> None:
    guichet = office()
    hear(guichet, "c1", reserve("c1", 1), 0.0)
    hear(guichet, "c1", leave("c1", 1), 1.0)
    hear(guichet, "c2", reserve("c2", 1), 10.0)
    assert guichet.deadline == 40.0
    assert list(guichet.tick(30.0)) == []


def test_the_deadline_of_a_hold_that_ended_early_does_not_end_the_next_hold_of_its_ticket() -> None:
    """The old deadline lies in the heap beneath that of another ticket, and comes up when that one is sold."""
    guichet = office(2)
    hear(guichet, "c1", reserve("c1", 1), 0.0)
    hear(guichet, "c1", reserve("c1", 2), 1.0)
    hear(guichet, "c1", leave("c1", 2, "B0002"), 2.0)
    hear(guichet, "c2", reserve("c2", 1), 10.0)
    hear(guichet, "c1", accept("c1", 1), 11.0)
    assert guichet.deadline == 40.0
    assert list(guichet.tick(31.0)) == []


def test_the_heap_of_deadlines_does_not_grow_with_the_holds_that_ended_early() -> None:
    """house.md: "a limit on everything". The first hold keeps the heap's top; the others come and go beneath it."""
    guichet = office(2)
    hear(guichet, "c1", reserve("c1", 1), 0.0)
    for number in range(2, 3000):
        hear(guichet, "c1", reserve("c1", number), 1.0)
        hear(guichet, "c1", leave("c1", number, "B0002"), 1.0)
    assert len(guichet._deadlines) < 1100
    assert guichet.deadline == 30.0


# ----------------------------------------------------------------------------------------------------- answers: bounded


def test_the_answers_kept_for_a_client_are_bounded_and_the_oldest_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """`MAX_ANSWERS`: house.md, "a limit on everything"."""
    monkeypatch.setattr(selling, "MAX_ANSWERS", 3)
    guichet = office(0)
    for number in range(1, 6):
        hear(guichet, "c1", reserve("c1", number, CREIL))
    hear(guichet, "c2", reserve("c2", 1, CREIL))
    assert {client: list(book) for client, book in guichet._answers.items()} == {"c1": [3, 4, 5], "c2": [1]}


@given(st.integers(1, 8), st.integers(0, 8))
def test_a_consultation_is_answered_by_no_more_messages_than_it_asked_for(limit: int, count: int) -> None:
    """Contract, 3: `limite`."""
    told = notices(hear(office(count), "c1", consult("c1", 1, limit=limit)))
    assert len(told) == max(1, min(limit, count))
    assert all(n.total == count for n in told)


# ------------------------------------------------------------------------------------------------------- who comes back


def test_a_client_that_comes_back_is_told_again_what_was_sold_to_it() -> None:
    """Contract, 4: "When a client comes back in a new life, the guichet tells it again what it has sold to it"."""
    guichet = office(4)
    buy(guichet, "c1", 1)
    buy(guichet, "c2", 1)
    buy(guichet, "c1", 2)
    hear(guichet, "c1", reserve("c1", 3))
    told = notices(guichet.tell_again("c1"))
    assert [(n.status, n.ticket, n.request, n.holder) for n in told] == [
        (say.SOLD, "B0001", 1, "c1"),
        (say.SOLD, "B0003", 2, "c1"),
    ]
    assert guichet.sold_to("c1") == 2
    assert counts(guichet) == (0, 1, 3)
    assert answer(guichet, "c1", accept("c1", 3, "B0004"))[0] == say.SOLD


def test_a_client_without_memory_begins_anew_and_keeps_its_tickets() -> None:
    """Contract, 4: "nothing is lost with a client's memory"; its numbers mean nothing now, its offers are freed."""
    guichet = office(3)
    buy(guichet, "c1", 1)
    hear(guichet, "c1", reserve("c1", 2))
    hear(guichet, "c1", reserve("c1", 3, CREIL))
    effects = list(guichet.forget_requests("c1"))
    told = notices(guichet.tell_again("c1"))
    assert [(n.status, n.ticket, n.request) for n in told] == [(say.SOLD, "B0001", 0)]
    assert ClientForgot("c1") in effects
    assert counts(guichet) == (2, 0, 1)
    for number in (1, 2, 3):  # none of these numbers is answered from the life before
        assert answer(guichet, "c1", reserve("c1", number, CREIL))[::2] == (say.REFUSED, "complet")
    assert answer(guichet, "c1", give_back("c1", 4))[0] == say.TAKEN_BACK


def test_what_is_forgotten_is_a_fact_for_the_store_in_the_right_order() -> None:
    """The store replays facts: what `ClientForgot` wipes out must have been told before it."""
    guichet = office(2)
    buy(guichet, "c1", 1)
    hear(guichet, "c1", reserve("c1", 2))
    effects = list(guichet.forget_requests("c1"))
    moved = [effect.ticket for effect in effects if isinstance(effect, TicketMoved)]
    assert sorted((t.id, t.state, t.request) for t in moved) == [("B0001", SOLD, 0), ("B0002", FREE, 0)]
    places = [n for n, effect in enumerate(effects) if isinstance(effect, Answered)]
    assert all(place < effects.index(ClientForgot("c1")) for place in places)


def test_one_clients_lost_memory_is_nobody_elses() -> None:
    guichet = office(2)
    hear(guichet, "c2", reserve("c2", 1))
    hear(guichet, "c2", reserve("c2", 2, CREIL))
    assert list(guichet.forget_requests("c1")) == []
    assert answer(guichet, "c2", reserve("c2", 1))[0] == say.OFFERED
    assert answer(guichet, "c2", reserve("c2", 2))[0] == say.REFUSED


def test_a_guichet_that_comes_back_goes_on_where_it_was() -> None:
    """Issue 2, 2: killed and started again it "has lost nothing that it ever said, sells nothing twice"."""
    before = office(4)
    buy(before, "c1", 1)
    hear(before, "c1", reserve("c1", 2), 10.0)
    refused = hear(before, "c1", reserve("c1", 3, CREIL), 10.0)
    kept = [effect for effect in refused if isinstance(effect, Answered)]
    after = Guichet("gch", 30.0, list(before.stock), kept, before.next_number)
    assert after.deadline == before.deadline == 40.0
    assert after.sold_to("c1") == 1
    for number, status in ((1, say.SOLD), (2, say.OFFERED), (3, say.REFUSED)):
        assert answer(after, "c1", reserve("c1", number), 11.0)[0] == status
    assert counts(after) == (2, 1, 1)
    (added,) = after.command(ask.AddTickets(((journey(), 1),)), 11.0)
    assert [ticket.id for ticket in added.tickets] == ["B0005"]  # type: ignore[union-attr]


# ----------------------------------------------------------------------------------------------------------------- CRUD


def refusal(guichet: Guichet, command: ask.Command) -> str:
    before = sorted(guichet.stock, key=lambda ticket: ticket.id), guichet.next_number
    with pytest.raises(CommandRefused) as refused:
        list(guichet.command(command, 0.0))
    assert (sorted(guichet.stock, key=lambda ticket: ticket.id), guichet.next_number) == before, "something changed"
    return refused.value.code


def test_new_tickets_are_on_sale_at_once() -> None:
    """Contract, 4: "CRUD at the guichet: create ..."."""
    guichet = office(0)
    offers = ((journey(destination="Creil"), 2), (journey(destination="Noyon"), 0), (journey(), 1))
    (added,) = guichet.command(ask.AddTickets(offers), 0.0)
    assert isinstance(added, TicketsAdded)
    assert [(t.id, t.state, t.journey.destination) for t in added.tickets] == [
        ("B0001", FREE, "Creil"),
        ("B0002", FREE, "Creil"),
        ("B0003", FREE, "Paris Gare du Nord"),
    ]
    assert answer(guichet, "c1", reserve("c1", 1, CREIL)) == (say.OFFERED, "B0001", "")


def test_identifiers_are_never_used_twice_not_even_after_a_withdrawal() -> None:
    """Contract, 4: "identifiers never used twice, not even after a delete"."""
    guichet = office(0)
    seen: list[str] = []
    for _ in range(3):
        (added,) = guichet.command(ask.AddTickets(((journey(), 2),)), 0.0)
        seen += [ticket.id for ticket in added.tickets]  # type: ignore[union-attr]
        for ticket in list(guichet.stock):
            assert list(guichet.command(ask.WithdrawTicket(ticket.id), 0.0)) == [TicketWithdrawn(ticket.id)]
    assert len(set(seen)) == len(seen) == 6


def test_a_free_ticket_is_changed_and_found_as_it_is_now() -> None:
    """Contract, 4: "update"."""
    guichet = office(1)
    change = ask.ChangeTicket("B0001", destination="Creil", date="2025-04-01T09:00", cents=0)
    (moved,) = guichet.command(change, 0.0)
    changed = journey(destination="Creil", date="2025-04-01T09:00", cents=0)
    assert moved == TicketMoved(Ticket("B0001", changed))
    assert answer(guichet, "c1", reserve("c1", 1, Search(destination="Paris Gare du Nord")))[2] == "complet"
    assert answer(guichet, "c1", reserve("c1", 2, CREIL))[0] == say.OFFERED


@pytest.mark.parametrize("command", [ask.ChangeTicket("B0001", cents=5), ask.WithdrawTicket("B0001")])
@pytest.mark.parametrize("is_sold", [False, True])
def test_a_ticket_that_is_not_free_is_not_touched(command: ask.Command, is_sold: bool) -> None:
    """Contract, 4: "only of free tickets"."""
    guichet = office()
    hear(guichet, "c1", reserve("c1", 1))
    if is_sold:
        hear(guichet, "c1", accept("c1", 1))
    assert refusal(guichet, command) == "not_free"


@pytest.mark.parametrize("command", [ask.ChangeTicket("B0009", cents=5), ask.WithdrawTicket("B0009")])
def test_a_ticket_that_is_not_there_is_unknown(command: ask.Command) -> None:
    assert refusal(office(), command) == "unknown_ticket"


@pytest.mark.parametrize("change", [{"date": "2025-02-29T00:00"}, {"departure": ""}, {"cents": -1}, {"train": "x" * 61}])
def test_a_change_to_what_cannot_be_changes_nothing(change: dict[str, Any]) -> None:
    assert refusal(office(), ask.ChangeTicket("B0001", **change)) == "bad_field"


def test_too_many_tickets_are_refused_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selling, "MAX_TICKETS", 5)
    guichet = office(3)
    assert refusal(guichet, ask.AddTickets(((journey(), 1), (journey(), 2)))) == "too_many_tickets"
    assert len(list(guichet.command(ask.AddTickets(((journey(), 2),)), 0.0))) == 1


@pytest.mark.parametrize("command", [ask.Consult(Search()), ask.Reserve(Search()), ask.Confirm(1), ask.GiveBack("B0001")])
def test_a_clients_command_is_none_of_a_guichets(command: ask.Command) -> None:
    assert refusal(office(), command) == "not_for_guichet"


def test_the_state_tells_the_counts_and_every_ticket_that_is_not_free() -> None:
    """Contract, 5: the form of a ticket in the snapshot file."""
    guichet = office(3)
    buy(guichet, "c1", 1)
    hear(guichet, "c2", reserve("c2", 4), 10.0)
    (told,) = guichet.command(ask.TellState(), 27.5)
    assert isinstance(told, StateTold)
    where = {
        "train": "848362",
        "date": "2025-03-17T07:10",
        "from": "Compiègne",
        "to": "Paris Gare du Nord",
        "price": "15.40",
    }
    assert told.state == {
        "free": 1,
        "held": 1,
        "sold": 1,
        "tickets": [
            {
                "id": "B0002",
                **where,
                "state": "held",
                "holder": "gch",
                "client": "c2",
                "request": 4,
                "expires_in": 12.5,
            },
            {"id": "B0001", **where, "state": "sold", "holder": "c1", "client": "c1", "request": 1},
        ],
    }


def test_a_return_under_the_number_of_the_purchase_takes_nothing() -> None:
    """A return has a number of its own, and a greater one: this is no client's word."""
    guichet = office()
    buy(guichet, "c1", 5)
    assert answer(guichet, "c1", give_back("c1", 5)) == (say.TAKEN_BACK, "B0001", "")
    assert list(guichet.stock.book(SOLD)) == ["B0001"] and guichet.sold_to("c1") == 1
