"""Messages that nobody of ours said, each with what it does: whoever can write on a pipe can lie, at a bounded price.

The law is docs/protocole.md, "La confiance": a lie is dropped and logged where it can be seen, made good by the next true
word where it cannot; never a crash, never a ticket in two of the guichet's books, never memory without end.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

import pytest

from lib.core import belief, facts, intervals, snapshot, wire
from lib.core import commands as ask
from lib.core import messages as say
from lib.core.buying import Client
from lib.core.facts import Dropped
from lib.core.relay import CROWD, IN_OUR_NAME, LIFE
from lib.core.selling import Guichet
from lib.core.site import CHOKED, EARLIER_LIFE, LATER_LIFE, MAX_SAID, ROUND, STAMP
from lib.core.sites import ClientSite, GuichetSite
from lib.core.tickets import FREE, HELD, SOLD, Search
from tests.core.examples import journey, message
from tests.core.test_snapshot import NOW, System, sealed
from tests.fuzz.test_lines import fingerprint, is_sound

BUY = ask.Reserve(Search())
FAR = 10**wire.MAX_DIGITS - 1  # the largest number that a line can carry


def forged(body: say.Body, *, sender: str, number: int = 9_000, **envelope: Any) -> bytes:
    """A line that pretends to come from `sender`, in its first life, and from nowhere near."""
    fields = {"timestamp": 20, "receiver_life": 1, **envelope}
    return wire.encode(message(body, sender=sender, sequence=number, **fields), "c9")


def tell(system: System, name: str, *lines: bytes) -> list[facts.Fact]:
    """One site alone reads these lines; what it says reaches the others. What came of it there."""
    since = len(system.events[name])
    system.take(name, system.sites[name].hear(lines, NOW))
    return system.events[name][since:]


def reasons(happened: Iterable[facts.Fact]) -> list[tuple[str, bool]]:
    """Why lines were dropped, and whether people hear of it."""
    return [(fact.reason, not fact.is_routine) for fact in happened if isinstance(fact, Dropped)]


def counts(system: System) -> tuple[int, int, int]:
    stock = system.sites["gch"].role.stock  # type: ignore[union-attr]
    return len(stock.book(FREE)), len(stock.book(HELD)), len(stock.book(SOLD))


def tickets_of(system: System, name: str) -> list[str]:
    return list(system.sites[name].role.tickets)  # type: ignore[union-attr]


def later(system: System, seconds: int = 200) -> None:
    """Time passes, and everything that wants to be said again is."""
    for now in (NOW + second for second in range(5, seconds, 5)):
        for name, site in system.sites.items():
            system.take(name, site.tick(now))
        while busy := [name for name, lines in system.inbox.items() if lines]:
            lines, system.inbox[busy[0]] = system.inbox[busy[0]], []
            system.take(busy[0], system.sites[busy[0]].hear(lines, now))


# ------------------------------------------------------------------------------------------------- numbers beyond belief


def is_dropped_and_said(system: System, name: str, line: bytes, reason: str) -> None:
    before = fingerprint(system.sites[name])
    assert reasons(tell(system, name, line)) == [(reason, True)]
    assert fingerprint(system.sites[name]) == before


def test_a_huge_timestamp_is_dropped() -> None:
    system = System()
    is_dropped_and_said(system, "gch", forged(say.Presence("client", say.ALIVE), sender="c1", timestamp=FAR), STAMP)


def test_a_great_timestamp_carries_a_clock_only_as_far_as_time_can_have() -> None:
    """Far from the end of the digits; and from there on the system goes on, for what is believed grows with time."""
    system = System()
    greatest = int(belief.MAX_RATE * (NOW + belief.MARGIN))
    is_dropped_and_said(system, "gch", forged(say.Presence("client", say.ALIVE), sender="c1", timestamp=greatest + 1), STAMP)
    tell(system, "gch", forged(say.Presence("client", say.ALIVE), sender="c1", timestamp=greatest, number=9_001))
    assert greatest < system.sites["gch"].clock.time < FAR / 10
    system.order("c2", BUY)
    later(system)
    assert len(tickets_of(system, "c2")) == 1


@pytest.mark.parametrize("field", ["round", "epoch"])
def test_a_huge_round_or_epoch_is_dropped(field: str) -> None:
    system = System()
    for name, sender, body in (
        ("gch", "c1", say.Presence("client", say.ARRIVAL)),
        ("c1", "gch", say.RestoreState(1, 1, "{}")),
        ("c1", "c2", say.SnapshotCall(FAR)),
    ):
        is_dropped_and_said(system, name, forged(body, sender=sender, to=name, **{field: FAR}), ROUND)


def test_a_great_round_is_a_snapshot_like_any_other() -> None:
    system = System()
    number = int(NOW + belief.MARGIN)
    tell(system, "gch", forged(say.SnapshotCall(number), sender="c2", round=number))
    later(system)
    assert [(document["round"], document["complete"]) for document in system.documents] == [(number, True)]
    system.order("c1", ask.TakeSnapshot())
    later(system)
    assert system.documents[-1]["round"] == number + 1 and system.documents[-1]["complete"]


def test_an_epoch_that_nobody_began_costs_open_requests_and_no_ticket() -> None:
    """The guichet enters it, for it may have lost its store; each client's next sign of life brings it there as well."""
    system = System()
    for name in ("c1", "c2"):
        system.order(name, BUY)
    system.run()
    owned = {name: tickets_of(system, name) for name in ("c1", "c2")}
    happened = tell(system, "gch", forged(say.Presence("client", say.ALIVE, sold=1), sender="c1", epoch=7))
    assert [fact.reason for fact in happened if isinstance(fact, facts.RestoreMoved)] == ["c1:1.9000"], "it is in the trace"
    later(system)
    assert {site.epoch for site in system.sites.values()} == {7}
    assert {name: tickets_of(system, name) for name in ("c1", "c2")} == owned
    system.order("c1", BUY)
    system.run()
    assert len(tickets_of(system, "c1")) == 2


def test_what_was_said_before_a_restoration_is_not_heard_after_it() -> None:
    system = System()
    system.order("c1", BUY)
    system.order("gch", ask.TakeSnapshot())
    system.run()
    system.order("gch", ask.Restore(sealed(system.documents[-1])))
    system.run()
    ticket = next(iter(system.sites["gch"].role.stock.book(SOLD)))  # type: ignore[union-attr]
    for name, body, sender in (
        ("gch", say.Return("c1", 9, ticket), "c1"),
        ("c1", say.TicketNotice("c1", 9, say.SOLD, "B0099", journey(), "c1"), "gch"),
    ):
        before = fingerprint(system.sites[name])
        line = forged(body, sender=sender, to=name, rank=9, epoch=0)
        assert reasons(tell(system, name, line)) == [("earlier epoch", False)]
        assert fingerprint(system.sites[name]) == before


@pytest.mark.parametrize("rank", ["-1", "0", "", "1e3", str(10**15)])
def test_a_rank_that_is_none_is_a_fault_of_the_line(rank: str) -> None:
    system = System()
    line = forged(say.Return("c1", 5, "B0001"), sender="c1", rank=4).replace(b"rang~4", b"rang~" + rank.encode())
    before = fingerprint(system.sites["gch"])
    assert reasons(tell(system, "gch", line)) == [("bad rang", True)]
    assert fingerprint(system.sites["gch"]) == before


def test_a_huge_rank_shows_in_every_snapshot_until_ranks_begin_anew() -> None:
    """A receipt without its send is what a forgery looks like in a snapshot: it is named, and the file cannot be loaded."""
    system = System()
    tell(system, "gch", forged(say.Return("c1", 5, "B0099"), sender="c1", rank=FAR))
    system.run()
    system.order("gch", ask.TakeSnapshot())
    system.run()
    [document] = system.documents
    assert document["checks"] == {"tickets": 6, "conserved": True, "coherent": False}
    with pytest.raises(ask.CommandRefused, match="incoherent c1 -> gch"):
        system.sites["gch"].command(ask.Restore(sealed(document)), NOW)
    system.order("gch", ask.Dismiss("c1"))  # or it is started again: either is a new life
    system.run()
    system.order("gch", ask.TakeSnapshot())
    system.run()
    assert system.documents[-1]["checks"]["coherent"] and system.documents[-1]["complete"]


# ---------------------------------------------------------------------------------------------------------- lives, names


def test_a_life_beyond_belief_is_dropped_and_said() -> None:
    system = System()
    line = forged(say.Presence("client", say.ARRIVAL), sender="c1", life=FAR)
    is_dropped_and_said(system, "gch", line, LIFE)
    line = forged(say.Presence("guichet", say.WELCOME), sender="gch", to="c1", receiver_life=FAR)
    is_dropped_and_said(system, "c1", line, LIFE)


def test_what_an_earlier_life_said_is_not_heard_after_the_later_one() -> None:
    system = System()
    for name, sender, role in (("gch", "c1", "client"), ("c1", "gch", "guichet")):
        tell(
            system, name, forged(say.Presence(role, say.ARRIVAL), sender=sender, to=name, life=5, number=1, receiver_life=0)
        )
        system.run()
        before = fingerprint(system.sites[name])
        body = say.Request("c1", 9, True, Search(), 1) if name == "gch" else sold()
        line = forged(body, sender=sender, to=name, rank=1)
        assert reasons(tell(system, name, line)) == [(EARLIER_LIFE, False)]
        assert fingerprint(system.sites[name]) == before


def test_a_newcomer_is_told_of_its_later_life_by_a_welcome_alone() -> None:
    site = ClientSite(Client("c1"), 1, watched=True)
    site.start(NOW)
    before = fingerprint(site)
    happened = site.hear([forged(sold(), sender="gch", to="c1", rank=1, receiver_life=7)], NOW).events
    assert reasons(event.fact for event in happened) == [(LATER_LIFE, True)]
    assert fingerprint(site) == before


@pytest.mark.parametrize("phase", [say.ARRIVAL, say.WELCOME, say.DEPARTURE, say.DISMISSAL])
def test_the_presence_of_another_than_the_guichet_moves_no_client(phase: str) -> None:
    site = ClientSite(Client("c1"), 1, watched=True)
    site.start(NOW)
    before = site.deadline, site.life, site.epoch, site.presence.is_welcome
    reaction = site.hear([forged(say.Presence("guichet", phase), sender="c2", to="c1", epoch=3)], NOW)
    assert reaction.lines == []
    assert (site.deadline, site.life, site.epoch, site.presence.is_welcome) == before


def test_what_another_says_in_our_name_is_said_to_people_and_goes_no_further() -> None:
    system = System()
    since = len(system.said("c1"))
    line = forged(say.SnapshotCall(1), sender="c1", to="tous", round=1)
    is_dropped_and_said(system, "c1", line, IN_OUR_NAME)
    assert len(system.said("c1")) == since


def test_a_later_life_of_a_client_mutes_it_until_it_is_started_again() -> None:
    """With its store or without: the guichet names the life that it believes in, and the client goes on after that one."""
    system = System()
    tell(system, "gch", forged(say.Presence("client", say.ARRIVAL), sender="c1", life=900_000, receiver_life=0))
    system.run()
    system.order("c1", BUY)
    system.run()
    assert tickets_of(system, "c1") == [], "it is not heard"
    for life, remembers in ((2, True), (3, False)):
        client = Client("c1", automatic=True)
        system.sites["c1"] = ClientSite(client, life, remembers=remembers, watched=True)
        system.take("c1", system.sites["c1"].start(NOW))
        system.run()
        assert system.sites["c1"].life > 900_000
    system.order("c1", BUY)
    system.run()
    assert len(tickets_of(system, "c1")) == 1


def test_a_later_life_of_the_guichet_mutes_it_until_it_is_started_again() -> None:
    """It hears from the clients' answers which life they believe in, says so, and its store counts from there."""
    system = System()
    for name in ("c1", "c2"):
        tell(system, name, forged(say.Reset(1, True), sender="gch", to="tous", life=900_000, receiver_life=0))
    since = len(system.events["gch"])
    system.order("c1", BUY)
    system.run()
    assert tickets_of(system, "c1") == []
    assert (LATER_LIFE, True) in reasons(system.events["gch"][since:])
    office = system.sites["gch"]
    assert (office.life, office.latest_life) == (1, 900_000)
    system.sites["gch"] = GuichetSite(office.role, office.latest_life + 1, watched=True)  # type: ignore[arg-type]
    system.take("gch", system.sites["gch"].start(NOW))
    later(system)
    assert len(tickets_of(system, "c1")) == 1, "what was asked in vain is asked again, and answered"


def test_thousands_of_forged_names_are_a_crowd() -> None:
    """Ten thousand are told apart, and take part as far as anybody knows; those that come after are not even passed on."""
    site = GuichetSite(Guichet("gch"), 1)
    lines = [forged(say.Presence("client", say.ARRIVAL), sender=f"f{number}", receiver_life=0) for number in range(12_000)]
    dropped = [reason for line in lines for reason in reasons(event.fact for event in site.hear([line], NOW).events)]
    assert set(dropped) == {(CROWD, True)} and len(dropped) >= 2_000
    assert len(site.peers.all()) <= 10_000
    known = facts.PeerMet("c1", "client", 1)
    restarted = GuichetSite(Guichet("gch"), 2, peers=[known, *(facts.PeerMet(f"f{n}", "client", 1) for n in range(9_999))])
    stranger = forged(say.Presence("client", say.ARRIVAL), sender="g1", receiver_life=0)
    assert reasons(event.fact for event in restarted.hear([stranger], NOW).events) == [(CROWD, True)]
    friend = forged(say.Presence("client", say.ARRIVAL), sender="c1", receiver_life=0)
    assert restarted.hear([friend], NOW).lines, "who was known before is heard"


def test_holes_in_the_ranks_of_forged_names_share_their_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intervals, "MAX_HOLES", 500)
    system = System()
    office = system.sites["gch"]
    for number in range(1, 6_000):
        name, body = f"f{number % 30}", say.Return(f"f{number % 30}", number, "B0001")
        office.hear([forged(body, sender=name, number=number, rank=2 * number, receiver_life=office.life)], NOW)
    kept = sum(len(peer.received.as_list()) for peer in office.peers.all())
    assert 30 * intervals.LEAST_HOLES < kept < 500 * 5


def test_clients_that_are_none_are_waited_for_until_they_are_dismissed() -> None:
    system = System()
    for name in ("f1", "f2"):
        tell(system, "gch", forged(say.Presence("client", say.ARRIVAL), sender=name, receiver_life=0))
    system.order("gch", ask.TakeSnapshot())
    later(system, 60)
    assert system.documents[-1]["missing"] == ["f1", "f2"]
    for name in ("f1", "f2"):
        system.order("gch", ask.Dismiss(name))
    system.order("gch", ask.TakeSnapshot())
    system.run()
    assert system.documents[-1]["complete"]


def test_sixteen_later_lives_of_a_name_keep_its_true_one_from_being_passed_on() -> None:
    system = System()
    arrival = say.Presence("client", say.ARRIVAL)
    lives = range(2, 18)
    tell(system, "gch", *[forged(arrival, sender="c1", life=life, number=1, receiver_life=0) for life in lives])
    system.order("c1", BUY)
    later(system)
    assert tickets_of(system, "c1") == []
    system.order("gch", ask.Dismiss("c1"))
    site = ClientSite(Client("c1b", automatic=True), 1, watched=True)
    system.sites["c1b"], system.inbox["c1b"], system.events["c1b"] = site, [], []
    system.take("c1b", site.start(NOW))
    system.order("c1b", BUY)
    system.run()
    assert len(tickets_of(system, "c1b")) == 1, "under another name it takes part"


def test_numbers_that_a_site_has_not_come_to_yet_cost_it_as_many_messages() -> None:
    system = System()
    ahead = range(1, 6)
    call = say.Presence("client", say.ALIVE)
    tell(system, "gch", *[forged(call, sender="c1", number=system.sites["c1"]._sequence + n) for n in ahead])
    system.order("c1", BUY)
    system.run()
    assert tickets_of(system, "c1") == [], "taken for what was seen already"
    later(system, 60)
    assert len(tickets_of(system, "c1")) == 1


# ------------------------------------------------------------------------------------------------- tickets and requests


def sold(ticket: str = "B0077", request: int = 0) -> say.TicketNotice:
    return say.TicketNotice("c1", request, say.SOLD, ticket, journey(), "c1")


def test_a_sale_that_nobody_made_shows_in_the_next_snapshot_and_ends_with_a_few_signs_of_life() -> None:
    """The client believes it (contract, 4: "A client that is told `vendu` for a ticket keeps it"); the guichet does not."""
    system = System()
    tell(system, "c1", forged(sold(), sender="gch", to="c1"))
    assert tickets_of(system, "c1") == ["B0077"] and counts(system) == (6, 0, 0)
    system.order("gch", ask.TakeSnapshot())
    system.run()
    assert not system.documents[-1]["checks"]["conserved"]
    later(system)
    assert tickets_of(system, "c1") == [] and counts(system) == (6, 0, 0)
    system.order("gch", ask.TakeSnapshot())
    system.run()
    assert system.documents[-1]["checks"]["conserved"]


def test_a_ticket_that_nobody_sold_is_refused_when_it_is_given_back() -> None:
    system = System()
    tell(system, "c1", forged(sold(), sender="gch", to="c1"))
    system.order("c1", ask.GiveBack("B0077"))
    system.run()
    assert tickets_of(system, "c1") == [] and counts(system) == (6, 0, 0)


@pytest.mark.parametrize(
    ("name", "sender", "body"),
    [
        ("gch", "c1", sold()),
        ("gch", "c1", say.Reset(1, True)),
        ("gch", "c1", say.RestoreState(1, 1, "{}")),
        ("gch", "c1", say.RestoreRefused(1, "x")),
        ("c1", "gch", say.Request("c1", 1, True, Search(), 1)),
        ("c1", "gch", say.Acknowledgement("c1", 1, "B0001", True)),
        ("c1", "gch", say.Return("c1", 1, "B0001")),
        ("c1", "gch", say.SnapshotState(1, False, 1, 1, "{}")),
        ("c1", "gch", say.RestoreRequest(1, "x")),
        ("c1", "gch", say.RestoreDone()),
    ],
)
def test_what_the_other_role_says_is_not_heard_from_this_one(name: str, sender: str, body: say.Body) -> None:
    system = System()
    before = fingerprint(system.sites[name])
    line = forged(body, sender=sender, to=name, rank=int(isinstance(body, say.APPLICATION)))
    assert reasons(tell(system, name, line)) == [("not for this role", False)]
    assert fingerprint(system.sites[name]) == before


@pytest.mark.parametrize("sender", ["c2", "c9"])
def test_a_sale_by_anybody_but_the_guichet_is_not_heard(sender: str) -> None:
    system = System()
    tell(system, "c1", forged(sold(), sender=sender, to="c1"))
    assert tickets_of(system, "c1") == []


def test_a_client_has_only_so_many_tickets(monkeypatch: pytest.MonkeyPatch) -> None:
    from lib.core import buying

    monkeypatch.setattr(buying, "MAX_OWNED", 3)
    system = System()
    tell(system, "c1", *[forged(sold(f"B9{n:03d}"), sender="gch", to="c1", number=9_000 + n) for n in range(9)])
    assert len(tickets_of(system, "c1")) == 3


def test_another_can_give_back_what_a_client_has_and_the_client_learns_that_it_has_it_no_more() -> None:
    """In its name everything can be said. There is one holder all the same: the guichet's word counts, and is said to it."""
    system = System()
    system.order("c1", BUY)
    system.run()
    [ticket] = tickets_of(system, "c1")
    tell(system, "gch", forged(say.Return("c1", 50, ticket), sender="c1", rank=9))
    system.run()
    assert counts(system) == (6, 0, 0)
    later(system)
    assert tickets_of(system, "c1") == [], "it says twice that it has more than it should, and begins anew"


def test_a_dismissal_that_the_guichet_did_not_say_costs_open_requests_and_no_ticket() -> None:
    system = System()
    system.order("c1", BUY)
    system.run()
    owned = tickets_of(system, "c1")
    happened = tell(system, "c1", forged(say.Presence("guichet", say.DISMISSAL), sender="gch", to="c1"))
    assert [fact for fact in happened if isinstance(fact, facts.BegunAnew)] and tickets_of(system, "c1") == []
    system.run()
    assert tickets_of(system, "c1") == owned, "it is told again at once"


def test_what_was_kept_aside_for_a_life_that_is_over_is_for_nobody() -> None:
    system = System()
    tell(system, "c1", forged(sold(), sender="gch", to="c1", epoch=1), forged(sold("B0078"), sender="gch", to="c1", epoch=1))
    system.sites["gch"]._enter_epoch(1)  # type: ignore[union-attr]
    system.order("gch", ask.Dismiss("c1"))
    system.run()
    assert system.sites["c1"].epoch == 1 and tickets_of(system, "c1") == []


def test_nobody_can_speak_for_another_in_a_request() -> None:
    system = System()
    before = fingerprint(system.sites["gch"])
    happened = tell(system, "gch", forged(say.Return("c1", 5, "B0001"), sender="c2", rank=9))
    assert reasons(happened) == [("not for this role", False)]
    assert fingerprint(system.sites["gch"]) == before


def test_reservations_of_a_forger_hold_tickets_for_as_long_as_any_offer() -> None:
    system = System()
    request = [say.Request("f1", n, True, Search(), 1) for n in range(1, 10)]
    tell(system, "gch", *[forged(body, sender="f1", number=n, receiver_life=0) for n, body in enumerate(request, 1)])
    assert counts(system) == (0, 6, 0)
    system.tick(30.0)
    assert counts(system) == (6, 0, 0)


@pytest.mark.parametrize("limit", ["0", "1001", "999999999999999", "-1"])
def test_a_request_for_everything_is_a_fault_of_the_line(limit: str) -> None:
    system = System()
    line = forged(say.Request("c1", 5, False, Search(), 7), sender="c1", rank=4)
    line = line.replace(b"limite~7", b"limite~" + limit.encode())
    assert reasons(tell(system, "gch", line)) == [("bad limite", True)]


def consultations(count: int) -> list[bytes]:
    bodies = [say.Request("c1", number, False, Search(), wire.MAX_LIST) for number in range(1, count + 1)]
    return [forged(body, sender="c1", number=n, rank=n, receiver_life=0) for n, body in enumerate(bodies, 1)]


def test_what_is_said_in_answer_to_one_read_has_an_end() -> None:
    """A request of 200 bytes asks for 1,000 lines; 64 KiB of them would ask for 100 MB."""
    office = GuichetSite(Guichet("gch"), 1)
    office.command(ask.AddTickets(((journey(), wire.MAX_LIST),)), NOW)
    reaction = office.hear(consultations(100), NOW)
    assert MAX_SAID < len(reaction.lines) <= MAX_SAID + wire.MAX_LIST
    assert set(reasons(event.fact for event in reaction.events)) == {(CHOKED, True)}


def test_who_cannot_speak_passes_on_and_hears_nothing() -> None:
    """Contract, 1: a queue that is full: "stop *creating*, never stop *reading*" (measured.md)."""
    office = GuichetSite(Guichet("gch"), 1)
    office.is_choked = True
    call = forged(say.SnapshotCall(1), sender="c1", to="tous", round=1)
    for_another = forged(say.Reset(1, True), sender="c3", to="c1")
    reaction = office.hear([*consultations(2), call, for_another], NOW)
    assert [b"type~snapshot" in line or b"type~reset" in line for line in reaction.lines] == [True, True]
    assert reasons(event.fact for event in reaction.events) == [(CHOKED, True)] * 3 and office.round == 0


def test_closed_requests_of_forged_clients_are_remembered_only_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    from lib.core import selling

    monkeypatch.setattr(selling, "MAX_ALL_ANSWERS", 1_000)
    office = Guichet("gch")
    for client in range(200):
        for request in range(1, 60):
            list(office.receive(f"f{client}", say.Return(f"f{client}", request, "B0001"), 0.0))
    assert sum(map(len, office._answers.values())) < 1_000 * 5


# -------------------------------------------------------------------------------------------- snapshots and restorations


@pytest.mark.parametrize("sender", ["c2", "c9"])
def test_an_end_of_round_or_a_state_by_anybody_but_the_guichet_is_not_heard(sender: str) -> None:
    system = System()
    system.hold("gch")
    system.order("c1", ask.TakeSnapshot())
    assert system.sites["c1"].snapshots.is_open
    tell(system, "c1", forged(say.Reset(1, True), sender=sender, to="c1", round=1))
    assert system.sites["c1"].snapshots.is_open
    before = fingerprint(system.sites["c1"])
    happened = tell(system, "c1", forged(say.RestoreState(1, 1, "{}"), sender=sender, to="c1", number=9_001, epoch=1))
    assert reasons(happened) == [("not for this role", False)]
    assert fingerprint(system.sites["c1"]) == before


def test_an_end_of_round_that_the_guichet_did_not_say_ends_nothing_but_the_wait_of_who_hears_it() -> None:
    system = System()
    system.hold("gch")
    system.order("c1", ask.TakeSnapshot())
    tell(system, "c1", forged(say.Reset(1, True), sender="gch", to="tous", round=1))
    assert not system.sites["c1"].snapshots.is_open
    system.let_go("gch")
    system.run()
    assert [document["complete"] for document in system.documents] == [True]


def test_a_restoration_that_the_guichet_did_not_begin_brings_everyone_into_its_epoch_with_what_is_sold_to_them() -> None:
    """The client that hears it takes the state up, invented ticket and all; its next sign of life tells the guichet."""
    system = System()
    for name in ("c1", "c2"):
        system.order(name, BUY)
    system.run()
    owned = {name: tickets_of(system, name) for name in ("c1", "c2")}
    state = '{"state":{"role":"client","tickets":[],"requests":[],"given_back":[]},"channel":[]}'
    tell(system, "c1", forged(say.RestoreState(1, 1, state), sender="gch", to="c1", epoch=3))
    assert tickets_of(system, "c1") == [] and system.sites["c1"].epoch == 3
    later(system)
    assert {site.epoch for site in system.sites.values()} == {3}
    assert {name: tickets_of(system, name) for name in ("c1", "c2")} == owned


NONSENSE = [
    "",
    "{}",
    "[]",
    "null",
    "NaN",
    '{"state":[],"channel":[]}',
    '{"state":{"tickets":5},"channel":[]}',
    '{"state":{"tickets":[{"id":5}]},"channel":[]}',
    '{"state":{"requests":[{"request":1,"state":"offered","expires_in":1e999}]},"channel":[]}',
    '{"state":{},"channel":5}',
    '{"state":{},"channel":[{"id":"a","type":[],"fields":{}}]}',
    '{"state":{},"channel":[{"id":"a","type":"billet","fields":{"billet":["x"]}}]}',
    '"\\ud800"',
    "[" * 800,
]


@pytest.mark.parametrize("text", NONSENSE)
def test_a_state_that_makes_no_sense_changes_nothing(text: str) -> None:
    system = System()
    line = forged(say.RestoreState(1, 1, text), sender="gch", to="c1", epoch=1)
    tell(system, "c1", line)
    assert system.sites["c1"].epoch == 0 and tickets_of(system, "c1") == []
    is_sound(system.sites["c1"])


@pytest.mark.parametrize("text", NONSENSE)
def test_a_report_that_makes_no_sense_is_as_none(text: str) -> None:
    """The round waits for the true one; at its end it says who is missing."""
    system = System()
    system.hold("c1")
    system.order("gch", ask.TakeSnapshot())
    system.run()
    tell(system, "gch", forged(say.SnapshotState(1, False, 1, 1, text), sender="c1", round=1))
    assert system.documents == []
    system.tick(30.0)
    assert system.documents[-1]["missing"] == ["c1"]
    is_sound(system.sites["gch"])


@pytest.mark.parametrize("more", ['"\\ud800"', "1e999", "[" * 800 + "]" * 800, "[" * 25 + "]" * 25])
def test_a_report_that_could_not_be_written_down_is_as_none(more: str) -> None:
    """Beside a state that is sound: what would only fail once the snapshot goes into its file."""
    system = System()
    system.hold("c1")
    system.order("gch", ask.TakeSnapshot())
    system.run()
    sound = next(body.text for body in map(said_by, system.held["c1"]) if isinstance(body, say.SnapshotState))
    parts = wire.in_parts(f'{sound[:-1]},"more":{more}}}')
    bodies = [say.SnapshotState(1, False, number, len(parts), part) for number, part in enumerate(parts, 1)]
    tell(system, "gch", *[forged(b, sender="c1", number=9_000 + n, round=1) for n, b in enumerate(bodies)])
    system.tick(30.0)
    assert system.documents[-1]["missing"] == ["c1"]


def test_a_report_that_makes_sense_and_is_none_shows_in_that_snapshot_alone() -> None:
    """What it says of tickets is compared with the guichet's list: the file cannot be loaded, and the next one is true."""
    system = System()
    system.order("c1", BUY)
    system.run()
    system.hold("c1")
    system.order("gch", ask.TakeSnapshot())
    system.run()
    sound = next(body.text for body in map(said_by, system.held["c1"]) if isinstance(body, say.SnapshotState))
    body = say.SnapshotState(1, False, 1, 1, sound)  # another's: it has not bought anything
    tell(system, "gch", forged(body, sender="c1", round=1))
    system.tick(30.0)
    assert not system.documents[-1]["checks"]["conserved"]
    with pytest.raises(ask.CommandRefused):
        system.sites["gch"].command(ask.Restore(sealed(system.documents[-1])), NOW)
    system.let_go("c1")
    system.run()
    system.order("gch", ask.TakeSnapshot())
    system.run()
    assert system.documents[-1]["complete"] and system.documents[-1]["checks"]["conserved"]


def said_by(line: bytes) -> say.Body:
    return wire.decode(line).body


def deep(depth: int) -> list[say.RestoreState]:
    parts = wire.in_parts('{"state":' + "[" * depth + "]" * depth + ',"channel":[]}')
    return [say.RestoreState(number, len(parts), part) for number, part in enumerate(parts, 1)]


@pytest.mark.parametrize("depth", [30, 900, 50_000])
def test_nests_within_nests_are_no_state(depth: int) -> None:
    assert depth < sys.getrecursionlimit() or depth > 1000
    system = System()
    bodies = enumerate(deep(depth))
    tell(system, "c1", *[forged(b, sender="gch", to="c1", number=9_000 + n, epoch=1) for n, b in bodies])
    assert system.sites["c1"].epoch == 0
    is_sound(system.sites["c1"])


def test_parts_of_states_that_never_end_take_only_so_much_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of every sender one text is gathered at a time, and of all of them together only so much."""
    monkeypatch.setattr(snapshot, "MAX_GATHERED", 50_000)
    system = System()
    system.hold("c1")
    system.order("gch", ask.TakeSnapshot())
    system.run()
    office = system.sites["gch"]
    text = "x" * 800
    for number in range(600):
        body = say.SnapshotState(1, False, 1 + number % 97, wire.MAX_PARTS - number % 5, text)
        office.hear([forged(body, sender=f"f{number % 40}", number=number + 1, round=1, receiver_life=0)], NOW)
    gathered = office.snapshots._gathered  # type: ignore[union-attr]
    held = sum(len(part) for parts in gathered.parts.values() for part in parts._texts.values())  # type: ignore[union-attr]
    assert held <= 50_000 + 800
    assert gathered.size == sum(parts.size for parts in gathered.parts.values())  # type: ignore[union-attr]


def test_parts_of_a_restoration_that_never_ends_are_of_one_state_at_a_time() -> None:
    system = System()
    site = system.sites["c1"]
    for number in range(400):
        body = say.RestoreState(1, 2 + number % 50, "x" * 800)
        tell(system, "c1", forged(body, sender="gch", to="c1", number=9_000 + number, epoch=1 + number % 300))
    assert site.taker._parts.size <= 800  # type: ignore[union-attr]
    true = forged(deep(1)[0], sender="gch", to="c1", number=9_999, epoch=300)
    tell(system, "c1", true.replace(b"[]", b"{}", 1))
    assert site.epoch == 300, "a state that is whole is taken up all the same"


def test_a_late_part_of_an_older_epoch_does_not_disturb_the_state_that_comes() -> None:
    system = System()
    text = '{"state":{"role":"client"},"channel":[]}'
    halves = [say.RestoreState(1, 2, text[:9]), say.RestoreState(2, 2, text[9:])]
    told = [(halves[0], 5), (say.RestoreState(1, 2, "x"), 3), (halves[1], 5)]
    lines = [forged(b, sender="gch", to="c1", number=9_000 + n, epoch=epoch) for n, (b, epoch) in enumerate(told)]
    tell(system, "c1", *lines)
    assert system.sites["c1"].epoch == 5


def test_messages_that_were_never_in_a_channel_are_recorded_only_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "MAX_CROSSING", 20)
    system = System()
    system.hold("c1")
    system.order("gch", ask.TakeSnapshot())
    system.run()
    for number in range(1, 60):
        crossing = message(say.Return("f1", number, "B0001"), sender=f"f{number}", to="c1", rank=number, receiver_life=0)
        body = say.SnapshotTransit(1, crossing)
        tell(system, "gch", forged(body, sender="c1", number=9_000 + number, round=1))
    system.tick(30.0)
    recorded = sum(len(channel["messages"]) for channel in system.documents[-1]["channels"])
    assert recorded <= 20 and not system.documents[-1]["complete"]


def test_a_round_is_looked_over_once_for_all_lines_that_were_read_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """However much was reported, and however many lines a forger adds to it: the guichet goes on selling meanwhile."""
    system = System()
    system.hold("gch")
    system.order("c1", BUY)
    system.order("c1", ask.TakeSnapshot())
    system.run()
    tell(system, "gch", *[line for line in system.held["gch"] if not isinstance(said_by(line), say.Request)])
    looks: list[object] = []
    missing = snapshot.audit.missing
    monkeypatch.setattr(snapshot.audit, "missing", lambda *states: looks.append(states) or missing(*states))
    crossing = message(say.Return("f1", 1, "B0001"), sender="f1", to="c1", rank=1, receiver_life=0)
    body = say.SnapshotTransit(1, crossing)
    tell(system, "gch", *[forged(body, sender="c1", number=9_000 + number, round=1) for number in range(300)])
    assert len(looks) == 1 and not system.documents
    system.let_go("gch")
    system.run()
    assert system.documents[-1]["complete"]
