"""The client's role (contract, 4): its errands, its tickets, and what it says again until it is answered."""

from __future__ import annotations

import random
from collections.abc import Iterable
from itertools import pairwise, product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.core import buying
from lib.core import commands as ask
from lib.core import messages as say
from lib.core.buying import DECLINED, FIRST_PAUSE, LONGEST_PAUSE, TRANSITIONS, Client
from lib.core.commands import CommandRefused
from lib.core.facts import (
    ASKED,
    CONFIRMING,
    CONSULT,
    EXPIRED,
    LISTED,
    OFFERED,
    OWNED,
    REFUSED,
    RESERVE,
    RETURN,
    RETURNED,
    UNREACHABLE,
    Effect,
    Errand,
    ErrandForgotten,
    ErrandMoved,
    Holding,
    Say,
    StateTold,
    TicketKept,
    TicketLeft,
)
from lib.core.messages import TicketNotice
from lib.core.selling import Guichet
from lib.core.tickets import FREE, HELD, SOLD, Search
from tests.core.examples import journey, tickets

HOLDING = Holding("B0001", journey(), "gch")
MINE = Holding("B0001", journey(), "c1")


def notice(status: str, request: int = 1, ticket: str = "B0001", **more: Any) -> TicketNotice:
    if status in (say.LISTED, say.OFFERED, say.SOLD):
        more = {"journey": journey(), "holder": "c1" if status == say.SOLD else "gch", **more}
    return TicketNotice("c1", request, status, ticket, **more)


def offer(request: int = 1, ticket: str = "B0001", expires_in: float = 30.0) -> TicketNotice:
    return notice(say.OFFERED, request, ticket, expires_in=expires_in)


def listed(position: int, total: int, ticket: str = "") -> TicketNotice:
    return notice(say.LISTED, 1, ticket or f"B{position:04d}", position=position, total=total)


def refused(reason: str, request: int = 1) -> TicketNotice:
    return notice(say.REFUSED, request, reason=reason)


def hear(client: Client, body: say.Body, now: float = 0.0) -> list[Effect]:
    return list(client.receive("gch", body, now))


def want(client: Client, command: ask.Command, now: float = 0.0) -> list[Effect]:
    return list(client.command(command, now))


def said(effects: Iterable[Effect]) -> list[say.Body]:
    found = [effect for effect in effects if isinstance(effect, Say)]
    assert all(one.to == "gch" for one in found)
    return [one.body for one in found]


def moves(effects: Iterable[Effect]) -> list[str]:
    return [effect.errand.state for effect in effects if isinstance(effect, ErrandMoved)]


def accepted(request: int = 1, ticket: str = "B0001", yes: bool = True) -> say.Acknowledgement:
    return say.Acknowledgement("c1", request, ticket, yes)


def owner(automatic: bool = True) -> Client:
    """A client that has bought B0001 by request 1."""
    client = Client("c1", automatic=automatic)
    want(client, ask.Reserve(Search()))
    hear(client, offer())
    if not automatic:
        want(client, ask.Confirm(1))
    hear(client, notice(say.SOLD))
    assert list(client.tickets) == ["B0001"]
    return client


# ---------------------------------------------------------------------------------------------- the table, and its rows


def states_of(kind: str) -> list[str]:
    return {
        CONSULT: [ASKED, LISTED, REFUSED, UNREACHABLE],
        RESERVE: [ASKED, OFFERED, CONFIRMING, OWNED, REFUSED, EXPIRED, UNREACHABLE],
        RETURN: [ASKED, RETURNED, REFUSED, UNREACHABLE],
    }[kind]


def errand_in(kind: str, state: str, is_pending: bool | None = None) -> Errand:
    """An errand as it stands in `state`; `is_pending`: it is still being said again."""
    asking = state in (ASKED, CONFIRMING) if is_pending is None else is_pending
    knows_its_ticket = kind == RETURN or state in (OFFERED, CONFIRMING, OWNED, EXPIRED) or (state == UNREACHABLE and asking)
    return Errand(
        1,
        kind,
        state,
        Search(),
        limit=10,
        holding=HOLDING if knows_its_ticket else None,
        deadline=1000.0,
        give_up=60.0,
        next_try=1.0 if asking else 0.0,
        pause=1.0,
    )


def happen(client: Client, happens: str) -> list[Effect]:
    """Let something happen to request 1."""
    if happens == "confirm":
        return want(client, ask.Confirm(1))
    if happens == "decline":
        return want(client, ask.Decline(1))
    if happens == "give up":
        return list(client.tick(60.0))
    told = {
        "list": listed(1, 1),
        "refuse": refused(say.FULL),
        "expire": refused(say.EXPIRED),
        "offer": offer(),
        "sell": notice(say.SOLD),
        "take back": notice(say.TAKEN_BACK),
    }
    return hear(client, told[happens])


HAPPENINGS = ["list", "refuse", "expire", "offer", "sell", "take back", "confirm", "decline", "give up"]
ALL_STATES = [(kind, state) for kind in (CONSULT, RESERVE, RETURN) for state in states_of(kind)]


def test_the_table_speaks_of_states_and_happenings_that_are() -> None:
    """Contract, 9: `state` is "asked/listed/offered/confirming/owned/refused/expired/returned/unreachable"."""
    assert {(kind, state) for kind, state, _ in TRANSITIONS} <= set(ALL_STATES)
    assert {happens for _, _, happens in TRANSITIONS} == set(HAPPENINGS)
    assert all(after in states_of(kind) for (kind, _, _), after in TRANSITIONS.items())


@pytest.mark.parametrize(("row", "after"), list(TRANSITIONS.items()), ids=lambda row: " ".join(row) * isinstance(row, tuple))
def test_every_row_of_the_table_happens(row: tuple[str, str, str], after: str) -> None:
    """`buying.py`: "(kind, state, what happens) -> state"."""
    kind, state, happens = row
    for is_pending in (True, False) if state == UNREACHABLE else (None,):
        client = Client("c1", errands=[errand_in(kind, state, is_pending)])
        effects = happen(client, happens)
        assert client.errands[1].state == after
        assert moves(effects) == [after]


@pytest.mark.parametrize(
    ("kind", "state", "happens"),
    [
        (kind, state, happens)
        for (kind, state), happens in product(ALL_STATES, HAPPENINGS)
        if (kind, state, happens) not in TRANSITIONS
    ],
)
def test_nothing_happens_that_is_not_in_the_table(kind: str, state: str, happens: str) -> None:
    """`buying.py`: "What is not in the table does not happen: such a message is an echo"."""
    for is_pending in (True, False) if state == UNREACHABLE else (None,):
        client = Client("c1", errands=[errand_in(kind, state, is_pending)])
        before = client.errands[1]
        if happens in ("confirm", "decline"):
            with pytest.raises(CommandRefused):
                happen(client, happens)
            assert client.errands[1] == before
        else:
            happen(client, happens)
            assert client.errands[1].state == state


@pytest.mark.parametrize("state", [state for state in states_of(RESERVE) if state != OWNED])
def test_told_that_it_is_sold_a_client_keeps_the_ticket_whatever_it_believed(state: str) -> None:
    """Contract, 4: "A client that is told `vendu` for a ticket keeps it"."""
    client = Client("c1", errands=[errand_in(RESERVE, state)])
    assert TicketKept(MINE, 1) in happen(client, "sell")
    assert client.errands[1].state == OWNED
    assert client.errands[1].next_try == 0.0


def test_an_expired_offer_answers_a_request_even_when_the_offer_was_never_heard() -> None:
    """Contract, 4: a client repeats "until it is answered". Its offers were lost, the hold is over, and the guichet
    answers every repetition with `refus motif~expire`: this is an answer, and the guichet is not unreachable."""
    client, guichet = Client("c1"), Guichet("gch", 0.5, tickets(1))
    (request,) = said(want(client, ask.Reserve(Search())))
    list(guichet.receive("c1", request, 0.0))  # the offer is lost
    (again,) = said(client.tick(1.0))
    for effect in guichet.receive("c1", again, 1.0):
        if isinstance(effect, Say):
            hear(client, effect.body, 1.0)
    assert client.errands[1].state == EXPIRED
    assert client.deadline is None


# -------------------------------------------------------------------------------------------------- what the user wants


def test_a_consultation_asks() -> None:
    """Contract, 3: `demande` carries the search and `limite`; `reservation` is 0."""
    search = Search(departure="Creil", since="2025-03-17")
    effects = want(Client("c1"), ask.Consult(search, 5))
    assert said(effects) == [say.Request("c1", 1, False, search, 5)]
    assert moves(effects) == [ASKED]


def test_a_reservation_asks_for_one_ticket() -> None:
    """house.md: "Reservation takes every match" was an earlier attempt's mistake."""
    assert said(want(Client("c1"), ask.Reserve(Search()))) == [say.Request("c1", 1, True, Search(), 1)]


def test_request_numbers_grow_and_go_on_after_a_restart() -> None:
    """Contract, 3: `demande` is a "request number, chosen by the client"; `buying.py`: "Numbers grow"."""
    client = Client("c1", next_number=7)
    for _ in range(3):
        want(client, ask.Reserve(Search()))
    assert sorted(client.errands) == [7, 8, 9]
    assert client.next_number == 10


def test_an_offer_waits_for_the_user() -> None:
    """Contract, 7: `--confirmation=manuelle`; 4: "The client ... shows it as "en attente" before"."""
    client = Client("c1")
    want(client, ask.Reserve(Search()))
    effects = hear(client, offer(expires_in=12.0), now=3.0)
    assert said(effects) == [] and moves(effects) == [OFFERED]
    assert (client.errands[1].holding, client.errands[1].deadline, client.tickets) == (HOLDING, 15.0, {})
    assert said(want(client, ask.Confirm(1), 4.0)) == [accepted()]
    assert client.tickets == {}


def test_an_offer_is_confirmed_at_once_when_so_told() -> None:
    """Contract, 7: `--confirmation=auto`."""
    client = Client("c1", automatic=True)
    want(client, ask.Reserve(Search()))
    effects = hear(client, offer())
    assert said(effects) == [accepted()] and moves(effects) == [OFFERED, CONFIRMING]
    assert client.tickets == {}


def test_a_declined_offer_is_over_for_the_user_and_said_until_it_is_heard() -> None:
    """Contract, 4: "retenu --accuse accepte=0--> libre"; everything can be lost."""
    client = Client("c1")
    want(client, ask.Reserve(Search()))
    hear(client, offer())
    effects = want(client, ask.Decline(1))
    assert said(effects) == [accepted(yes=False)] and moves(effects) == [REFUSED]
    assert client.errands[1].reason == DECLINED
    assert said(client.tick(FIRST_PAUSE)) == [accepted(yes=False)]
    hear(client, notice(say.TAKEN_BACK), 1.5)
    assert client.deadline is None


def test_a_decline_that_nobody_hears_ends_with_patience_and_tells_nobody() -> None:
    client = Client("c1", patience=5.0)
    want(client, ask.Reserve(Search()))
    hear(client, offer())
    want(client, ask.Decline(1))
    for now in (1.0, 3.0, 5.0):
        list(client.tick(now))
    assert client.deadline is None
    assert client.errands[1].state == REFUSED


def test_an_offer_ends_by_the_clients_own_time() -> None:
    """Contract, 4: the deadline; the client's user is told without a message."""
    client = Client("c1")
    want(client, ask.Reserve(Search()))
    hear(client, offer(expires_in=30.0))
    assert client.deadline == 30.0
    assert list(client.tick(29.9)) == []
    assert moves(client.tick(30.0)) == [EXPIRED]
    with pytest.raises(CommandRefused) as late:
        want(client, ask.Confirm(1), 31.0)
    assert late.value.code == "offer_expired"


def test_a_ticket_is_given_back_once_and_is_ours_no_more() -> None:
    """`buying.py`: "it is ours no more from the moment that we say that we give it back"."""
    client = owner()
    effects = want(client, ask.GiveBack("B0001"))
    assert TicketLeft("B0001", 1) in effects
    assert said(effects) == [say.Return("c1", 2, "B0001")]
    assert client.tickets == {}
    with pytest.raises(CommandRefused) as again:
        want(client, ask.GiveBack("B0001"))
    assert again.value.code == "not_mine"
    assert moves(hear(client, notice(say.TAKEN_BACK, 2))) == [RETURNED]


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (ask.Confirm(9), "unknown_request"),
        (ask.Decline(9), "unknown_request"),
        (ask.Confirm(1), "not_offered"),
        (ask.Decline(1), "not_offered"),
        (ask.GiveBack("B0009"), "not_mine"),
        (ask.AddTickets(()), "not_for_client"),
        (ask.WithdrawTicket("B0001"), "not_for_client"),
    ],
)
def test_what_cannot_be_carried_out_is_refused_and_changes_nothing(command: ask.Command, code: str) -> None:
    """Contract, 8: "A command that cannot be carried out is answered ... with its reason; the site goes on"."""
    client = owner()
    before = dict(client.errands), dict(client.tickets), client.next_number, client.deadline
    with pytest.raises(CommandRefused) as refusal:
        want(client, command)
    assert refusal.value.code == code
    assert (client.errands, client.tickets, client.next_number, client.deadline) == before


def test_the_state_tells_tickets_and_open_requests() -> None:
    """Contract, 5: the form of a client in the snapshot file."""
    client = owner(automatic=False)
    want(client, ask.Reserve(Search()))
    hear(client, offer(2, "B0002"))
    want(client, ask.Consult(Search()))
    hear(client, refused(say.FULL, 3))
    (told,) = want(client, ask.TellState())
    assert isinstance(told, StateTold)
    ((ticket,), (request,)) = told.state["tickets"], told.state["requests"]
    assert (ticket["id"], ticket["holder"], ticket["request"]) == ("B0001", "c1", 1)
    assert (request["request"], request["state"], request["ticket"]) == (2, "offered", "B0002")


# ----------------------------------------------------------------------------------------------------------- said again


def times_of(client: Client, until: float) -> list[float]:
    """When the client, woken at its deadlines and not answered, says something again."""
    times = []
    while (at := client.deadline) is not None and at <= until:
        times += [at for _ in said(client.tick(at))]
    return times


@pytest.mark.parametrize("command", [ask.Consult(Search()), ask.Reserve(Search())])
def test_what_is_not_answered_is_said_again_at_growing_intervals_until_patience_is_over(command: ask.Command) -> None:
    """Contract, 4: "a client repeats ... with the same request number (growing interval) until it is answered or
    `--patience` (default 60 s) is over and the user is told that the guichet does not answer"."""
    client = Client("c1")
    first = said(want(client, command))
    assert said(client.tick(FIRST_PAUSE - 0.1)) == []
    assert said(client.tick(FIRST_PAUSE)) == first
    assert times_of(client, 59.9) == [3.0, 7.0, 15.0, 30.0, 45.0]
    effects = list(client.tick(60.0))
    assert said(effects) == [] and moves(effects) == [UNREACHABLE]
    assert client.deadline is None


@pytest.mark.parametrize("patience", [0.5, 1.0, 2.0])
def test_patience_may_be_shorter_than_a_pause(patience: float) -> None:
    client = Client("c1", patience=patience)
    want(client, ask.Reserve(Search()))
    while (at := client.deadline) is not None and at < patience:
        list(client.tick(at))
    assert client.deadline == patience
    assert moves(client.tick(patience)) == [UNREACHABLE]


@pytest.mark.parametrize("is_return", [False, True], ids=["confirm", "return"])
def test_only_the_guichet_knows_the_end_of_a_confirmation_or_a_return_so_we_go_on_asking(is_return: bool) -> None:
    """`buying.py`: "once we have confirmed an offer or given a ticket back, only the guichet knows the end"."""
    if is_return:
        client, number = owner(), 2
        sentence: list[say.Body] = said(want(client, ask.GiveBack("B0001")))
    else:
        client, number = Client("c1"), 1
        want(client, ask.Reserve(Search()))
        hear(client, offer())
        sentence = said(want(client, ask.Confirm(1)))
    times_of(client, 59.9)
    effects = list(client.tick(60.0))
    assert moves(effects) == [UNREACHABLE] and said(effects) == sentence
    later = times_of(client, 3600.0)
    assert {after - before for before, after in pairwise(later)} == {LONGEST_PAUSE}
    assert client.errands[number].state == UNREACHABLE
    happen_late = notice(say.TAKEN_BACK, 2) if is_return else notice(say.SOLD)
    assert moves(hear(client, happen_late, 4000.0)) == [RETURNED if is_return else OWNED]
    assert client.deadline is None


@given(st.sampled_from([CONSULT, RESERVE]), st.floats(0, 100), st.integers(1, 20))
def test_the_deadline_is_never_in_the_past_once_the_time_was_told(kind: str, step: float, steps: int) -> None:
    """A loop that sleeps until `deadline` must neither spin nor oversleep."""
    client, now = Client("c1"), 0.0
    want(client, ask.Consult(Search()) if kind == CONSULT else ask.Reserve(Search()))
    for _ in range(steps):
        now += step
        list(client.tick(now))
        assert client.deadline is None or client.deadline > now


def test_a_number_that_the_guichet_answers_is_not_used_again() -> None:
    """A client whose store is an old copy has forgotten requests: a new one under such a number would get the old answer."""
    client = Client("c1")
    hear(client, notice(say.SOLD, 7))
    assert said(want(client, ask.Reserve(Search())))[0].request == 8  # type: ignore[union-attr]
    hear(client, notice(say.SOLD, 10**15 - 1, "B0002"))
    assert client.next_number == 9, "nor can a forged one carry the numbers to their end"


@pytest.mark.parametrize("status", [say.REFUSED, say.TAKEN_BACK])
def test_what_is_said_of_another_ticket_does_not_end_a_return(status: str) -> None:
    """A `retour` that was cut off on its way is refused for the ticket that it seemed to name; ours is still to be taken."""
    client = owner()
    want(client, ask.GiveBack("B0001"), 0.0)
    reason = say.UNKNOWN if status == say.REFUSED else ""
    assert hear(client, notice(status, 2, "B0", reason=reason)) == []
    assert client.errands[2].state == ASKED and client.errands[2].next_try > 0
    assert moves(hear(client, notice(say.TAKEN_BACK, 2))) == [RETURNED]


def test_when_the_guichet_is_there_again_everything_open_is_said_at_once_with_new_patience() -> None:
    """Contract, 3: a site that comes back: "what it said before is simply said again"."""
    client = owner()
    want(client, ask.GiveBack("B0001"), 0.0)
    want(client, ask.Consult(Search()), 0.0)
    times_of(client, 40.0)
    assert said(client.resume(41.0)) == [say.Return("c1", 2, "B0001"), say.Request("c1", 3, False, Search(), 10)]
    assert client.deadline == 41.0 + FIRST_PAUSE
    assert client.errands[3].give_up == 101.0


def test_after_a_restart_with_a_store_open_errands_go_on() -> None:
    """Issue 2, 2: a client killed and started again "takes part again"."""
    before = Client("c1")
    for _ in range(3):
        want(before, ask.Reserve(Search()))
    hear(before, offer(2))
    hear(before, refused(say.FULL, 3))
    after = Client("c1", errands=before.errands.values(), next_number=before.next_number)
    assert said(after.resume(10.0)) == [say.Request("c1", 1, True, Search(), 1)]
    assert said(want(after, ask.Confirm(2), 10.0)) == [accepted(2)]
    assert after.errands[3].state == REFUSED


# --------------------------------------------------------------------------------------------------- echoes, late words


def test_the_echo_of_a_sale_is_ignored_once_the_ticket_was_given_back() -> None:
    """`buying.py`: what comes late is settled by the purchase that it speaks of; contract, 4: "One holder, always"."""
    client = owner()
    want(client, ask.GiveBack("B0001"))
    for _ in range(2):
        effects = hear(client, notice(say.SOLD))
        assert not [effect for effect in effects if isinstance(effect, TicketKept)]
        assert client.tickets == {}
        hear(client, notice(say.TAKEN_BACK, 2))


def test_a_ticket_that_was_given_back_can_be_bought_again() -> None:
    client = owner()
    want(client, ask.GiveBack("B0001"))
    hear(client, notice(say.TAKEN_BACK, 2))
    want(client, ask.Reserve(Search()))
    hear(client, offer(3))
    assert TicketKept(MINE, 3) in hear(client, notice(say.SOLD, 3))
    hear(client, notice(say.SOLD, 1))  # the old echo, now later still
    hear(client, notice(say.TAKEN_BACK, 2))
    assert client.tickets["B0001"].request == 3


def test_a_sale_is_kept_once() -> None:
    client = owner()
    assert hear(client, notice(say.SOLD)) == []


@pytest.mark.parametrize("request_number", [0, 77])
def test_a_ticket_of_a_forgotten_request_is_kept(request_number: int) -> None:
    """Contract, 4: "A client that is told `vendu` for a ticket keeps it, even when it has forgotten the request"."""
    client = Client("c1")
    assert hear(client, notice(say.SOLD, request_number)) == [TicketKept(MINE, request_number)]
    assert said(want(client, ask.GiveBack("B0001"))) == [say.Return("c1", request_number + 1, "B0001")]
    assert not hear(client, notice(say.SOLD, request_number))


def test_an_offer_that_nobody_waits_for_is_left_to_others() -> None:
    """`_be_offered`: "leave the ticket, so that others get it the sooner"."""
    client = Client("c1", patience=1.0)
    want(client, ask.Reserve(Search()))
    list(client.tick(1.0))
    assert client.errands[1].state == UNREACHABLE
    assert said(hear(client, offer(1))) == [accepted(yes=False)]
    assert said(hear(client, offer(77))) == [accepted(77, yes=False)]


@pytest.mark.parametrize("state", [OFFERED, CONFIRMING])
def test_a_repeated_offer_is_an_echo_while_the_first_one_is_open(state: str) -> None:
    client = Client("c1", errands=[errand_in(RESERVE, state)])
    assert hear(client, offer()) == []


def test_a_repeated_offer_of_a_ticket_that_is_ours_is_an_echo() -> None:
    assert hear(owner(), offer()) == []


@pytest.mark.parametrize("status", [say.LISTED, say.REFUSED, say.TAKEN_BACK])
def test_an_answer_to_a_forgotten_request_is_nothing(status: str) -> None:
    assert hear(Client("c1"), notice(status, 77, reason=say.FULL, position=1, total=1)) == []


def test_what_is_no_notice_is_nothing_to_a_client() -> None:
    assert hear(Client("c1"), say.Presence("guichet", say.ALIVE)) == []
    assert hear(Client("c1"), say.Return("c1", 1, "B0001")) == []


# -------------------------------------------------------------------------------------------------------------- history


def test_the_history_is_bounded_and_the_oldest_closed_errand_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """`MAX_HISTORY`: house.md, "a limit on everything"; an open errand is never forgotten."""
    monkeypatch.setattr(buying, "MAX_HISTORY", 3)
    client = Client("c1")
    for _ in range(7):
        want(client, ask.Reserve(Search()))
    forgotten = []
    for number in (2, 3, 4, 5, 6):
        forgotten += [e.number for e in hear(client, refused(say.FULL, number)) if isinstance(e, ErrandForgotten)]
    assert forgotten == [2, 3]
    assert sorted(client.errands) == [1, 4, 5, 6, 7]


def test_an_errand_that_is_closed_twice_counts_once_in_the_history(monkeypatch: pytest.MonkeyPatch) -> None:
    """Expired here, then sold after all: two ends of one errand. The history holds `MAX_HISTORY` errands, not ends."""
    monkeypatch.setattr(buying, "MAX_HISTORY", 3)
    client = Client("c1")
    for number in (1, 2, 3):
        want(client, ask.Reserve(Search()))
        hear(client, offer(number, f"B000{number}"), 0.0)
    list(client.tick(30.0))
    effects = [effect for number in (1, 2, 3) for effect in hear(client, notice(say.SOLD, number, f"B000{number}"), 31.0)]
    assert not [effect for effect in effects if isinstance(effect, ErrandForgotten)]
    assert {number: errand.state for number, errand in client.errands.items()} == {1: OWNED, 2: OWNED, 3: OWNED}


def test_the_history_is_bounded_after_a_restart_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buying, "MAX_HISTORY", 2)
    closed = [Errand(number, RESERVE, REFUSED, Search()) for number in (1, 2)]
    client = Client("c1", errands=closed, next_number=3)
    want(client, ask.Reserve(Search()))
    hear(client, refused(say.FULL, 3))
    assert sorted(client.errands) == [2, 3]


# ------------------------------------------------------------------------------------------------------------- listings


def listing(client: Client) -> list[str]:
    return [holding.ticket_id for _, holding in sorted(client.errands[1].listing.items())]


def consulting(limit: int = 10) -> Client:
    client = Client("c1")
    want(client, ask.Consult(Search(), limit))
    return client


@given(st.integers(1, 6), st.integers(1, 6), st.randoms(use_true_random=False), st.integers(0, 5))
def test_a_list_is_whole_when_every_position_was_heard_in_any_order_and_however_often(
    total: int, limit: int, draw: random.Random, repeated: int
) -> None:
    """Contract, 3: "one ticket a message", `rang_liste`, `total`; 4: everything can be lost, or come twice or late."""
    answers = [listed(position, total) for position in range(1, min(total, limit) + 1)]
    client, heard = consulting(limit), set()
    for one in draw.sample(answers * (1 + repeated), len(answers) * (1 + repeated)):
        hear(client, one)
        heard.add(one.position)
        assert (client.errands[1].state == LISTED) == (len(heard) == len(answers))
    assert listing(client) == [one.ticket for one in answers]
    assert client.errands[1].total == total


def test_a_list_with_a_hole_is_asked_for_again() -> None:
    client = consulting()
    for position in (1, 3):
        hear(client, listed(position, 3))
    assert client.errands[1].state == ASKED
    assert len(said(client.tick(FIRST_PAUSE))) == 1
    assert moves(hear(client, listed(2, 3))) == [LISTED]


def test_a_list_with_another_total_is_another_list() -> None:
    """`_list`: "The stock may have changed between two answers"."""
    client = consulting()
    hear(client, listed(1, 3, "B0001"))
    hear(client, listed(2, 2, "B0009"))
    assert client.errands[1].state == ASKED and listing(client) == ["B0009"]
    hear(client, listed(1, 2, "B0008"))
    assert client.errands[1].state == LISTED and listing(client) == ["B0008", "B0009"]


def test_a_list_never_shows_a_ticket_twice() -> None:
    """Two answers of the same length, each half lost; the stock has changed between them: B1 B2 B3, then B1 B3 B4."""
    client = consulting()
    hear(client, listed(1, 3, "B0001"))
    hear(client, listed(3, 3, "B0003"))
    hear(client, listed(2, 3, "B0003"))
    assert len(set(listing(client))) == len(listing(client))


@pytest.mark.parametrize(("position", "total"), [(0, 3), (4, 3), (11, 20), (1, 0)])
def test_impossible_positions_are_ignored(position: int, total: int) -> None:
    client = consulting()
    assert hear(client, listed(position, total, "B0001")) == []
    assert listing(client) == []


def test_a_closed_list_does_not_change() -> None:
    client = consulting()
    hear(client, listed(1, 1, "B0001"))
    hear(client, listed(1, 1, "B0002"))
    assert listing(client) == ["B0001"]


# ------------------------------------------------------------------------------------- the two roles, and a bad network


class BadNetwork:
    """A guichet and clients; what they say may be lost, repeated, late, and overtaken."""

    def __init__(self, stock: int, draw: random.Random, automatic: bool) -> None:
        self.guichet = Guichet("gch", 30.0, tickets(stock))
        self.clients = {name: Client(name, automatic=automatic) for name in ("c1", "c2")}
        self.draw, self.now, self.stock = draw, 0.0, stock
        self.on_the_way: list[tuple[str, str, say.Body]] = []

    def take(self, sender: str, effects: Iterable[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Say):
                self.on_the_way.append((sender, effect.to, effect.body))

    def deliver(self, at: int, keep: bool = False) -> None:
        sender, to, body = self.on_the_way[at] if keep else self.on_the_way.pop(at)
        site = self.guichet if to == "gch" else self.clients[to]
        self.take(to, site.receive(sender, body, self.now))
        self.check()

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.take("gch", self.guichet.tick(self.now))
        for name, client in self.clients.items():
            self.take(name, client.tick(self.now))

    def user(self) -> None:
        name = self.draw.choice(sorted(self.clients))
        client = self.clients[name]
        wishes: list[ask.Command] = [ask.Reserve(Search()), ask.Reserve(Search(ticket="B0001")), ask.Consult(Search())]
        wishes += [ask.GiveBack(ticket) for ticket in sorted(client.tickets)] * 2
        offers = [number for number, errand in sorted(client.errands.items()) if errand.state == OFFERED]
        wishes += [wish(number) for number in offers for wish in (ask.Confirm, ask.Confirm, ask.Decline)]
        self.take(name, client.command(self.draw.choice(wishes), self.now))
        self.check()

    def step(self) -> None:
        kind = self.draw.random()
        at = self.draw.randrange(len(self.on_the_way)) if self.on_the_way else -1
        if kind < 0.25:
            self.user()
        elif at < 0 or kind < 0.35:
            self.wait(self.draw.choice([0.5, 2.0, 16.0, 40.0]))
        elif kind < 0.5:
            self.on_the_way.pop(at)
        else:
            self.deliver(at, keep=kind < 0.65)

    def check(self) -> None:
        """Every ticket is in one place, and nobody has what was not sold to it."""
        books = {state: self.guichet.stock.book(state) for state in (FREE, HELD, SOLD)}
        assert sum(map(len, books.values())) == self.stock
        for name, client in self.clients.items():
            for ticket in client.tickets:
                assert ticket in books[SOLD] and books[SOLD][ticket].client == name

    def heal(self) -> None:
        """From now on everything arrives; users confirm what they are offered."""
        for _ in range(40):
            while self.on_the_way:
                self.deliver(0)
            for name, client in self.clients.items():
                for number, errand in sorted(client.errands.items()):
                    if errand.state == OFFERED:
                        self.take(name, client.command(ask.Confirm(number), self.now))
            while self.on_the_way:
                self.deliver(0)
            self.wait(10.0)


@given(st.integers(1, 3), st.randoms(use_true_random=False), st.booleans())
@settings(max_examples=150)
def test_whatever_the_network_does_both_sides_agree_in_the_end(stock: int, draw: random.Random, automatic: bool) -> None:
    """Contract, 4: "Everything can be lost or come twice or late"; house.md: "first safety under faults, then heal
    and it must converge"."""
    world = BadNetwork(stock, draw, automatic)
    for _ in range(60):
        world.step()
    world.heal()
    sold = {ticket.id: ticket.client for ticket in world.guichet.stock.book(SOLD).values()}
    kept = {ticket: name for name, client in world.clients.items() for ticket in client.tickets}
    assert {t: c for t, c in kept.items() if sold.get(t) != c} == {}
    closed = (LISTED, OWNED, REFUSED, EXPIRED, RETURNED, UNREACHABLE)
    for name, client in world.clients.items():
        assert all(errand.state in closed for errand in client.errands.values())
        assert all(e.kind != RETURN or e.state == RETURNED for e in client.errands.values())
        assert client.deadline is None
        # What is sold and not known to its client waits for the client's sign of life (presence.py), and comes then.
        world.take("gch", world.guichet.tell_again(name))
    while world.on_the_way:
        world.deliver(0)
    assert {t: n for n, client in world.clients.items() for t in client.tickets} == sold
    assert len(world.guichet.stock.book(HELD)) == 0


def test_an_answer_that_cannot_be_does_not_silence_what_is_asked() -> None:
    client = Client("c1")
    want(client, ask.Reserve(Search()))
    before = client.errands[1]
    hear(client, notice(say.TAKEN_BACK))
    assert client.errands[1] == before and client.deadline is not None


def test_an_offer_that_comes_late_does_not_decline_what_is_still_being_asked() -> None:
    """It was given up as unreachable after it was declined, or confirmed, and is still said again by itself."""
    declined = Errand(1, RESERVE, "refused", Search(), holding=HOLDING, reason="client", next_try=9.0, give_up=60.0)
    client = Client("c1", errands=[declined], next_number=2)
    assert said(hear(client, offer())) == []


def test_what_is_unreachable_and_still_asked_is_said_at_once_when_the_guichet_is_there_again() -> None:
    lost = Errand(1, RESERVE, UNREACHABLE, Search(), holding=HOLDING, next_try=900.0, give_up=60.0)
    client = Client("c1", errands=[lost], next_number=2)
    assert said(client.resume(100.0)) == [say.Acknowledgement("c1", 1, "B0001", True)]
