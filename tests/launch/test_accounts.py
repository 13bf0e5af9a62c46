"""The judges of the demonstration: each must see the fault that it is there for."""

from __future__ import annotations

from lib.launch.accounts import balance, exchanges, lamport_faults, photographed, redelivered_once
from lib.launch.traces import Event


def event(site: str, kind: str, lamport: int = 1, **fields) -> Event:
    return Event(site, kind, 0, lamport, 0.0, fields)


def ticket(name: str, state: str = "sold", client: str = "c1") -> dict[str, object]:
    return {"id": name, "date": "2025-03-17T07:10", "from": "Creil", "to": "Paris", "state": state, "client": client}


def guichet(*tickets: dict[str, object], free: int = 10) -> Event:
    return event("gch", "state", free=free, tickets=list(tickets))


def client(site: str, *tickets: str) -> Event:
    return event(site, "state", tickets=[{"id": name} for name in tickets])


def test_books_that_agree():
    books = balance(guichet(ticket("B1"), ticket("B2", "held")), [client("c1", "B1"), client("c2")])
    assert (books.total, books.count("sold"), books.count("held"), books.disagreements) == (12, 1, 1, [])
    assert books.entries[0].journey == "2025-03-17 07:10 Creil -> Paris"


def wrong(guichet_state: Event, *clients: Event) -> list[str]:
    return [entry.ticket for entry in balance(guichet_state, clients).disagreements]


def test_a_ticket_that_two_clients_hold():
    assert wrong(guichet(ticket("B1")), client("c1", "B1"), client("c2", "B1")) == ["B1"]


def test_a_sold_ticket_that_its_buyer_has_not():
    assert wrong(guichet(ticket("B1")), client("c1"), client("c2")) == ["B1"]
    assert wrong(guichet(ticket("B1")), client("c1"), client("c2", "B1")) == ["B1"]


def test_a_held_ticket_that_a_client_takes_for_its_own():
    assert wrong(guichet(ticket("B1", "held")), client("c1", "B1")) == ["B1"]


def test_a_ticket_that_only_a_client_knows_of_is_not_counted_twice():
    books = balance(guichet(), [client("c1", "B7")])
    assert (books.total, [entry.ticket for entry in books.disagreements]) == (10, ["B7"])


def photograph() -> dict[str, object]:
    office = {"tickets": [ticket("B2", "held"), ticket("B10"), {"id": "B1", "state": "free"}]}
    channels = [{"from": "gch", "to": "c1", "messages": [{"id": "gch:1.3"}, {"id": "gch:1.4"}]}]
    sites = {"gch": office, "c1": {"tickets": [{"id": "B10"}]}, "c2": {"tickets": []}}
    return {"collector": "gch", "sites": sites, "channels": channels}


def test_the_books_of_a_photograph_are_those_that_the_sites_tell():
    told = balance(guichet(ticket("B10"), ticket("B2", "held"), free=1), [client("c2"), client("c1", "B10")])
    assert photographed(photograph()) == told
    assert [entry.ticket for entry in told.entries] == ["B2", "B10"]
    for other in (
        balance(guichet(ticket("B10"), ticket("B2"), free=1), [client("c1", "B10")]),
        balance(guichet(ticket("B10"), ticket("B2", "held", "c2"), free=1), [client("c1", "B10")]),
        balance(guichet(ticket("B10"), ticket("B2", "held"), free=1), [client("c1")]),
        balance(guichet(ticket("B10"), ticket("B2", "held"), free=2), [client("c1", "B10")]),
    ):
        assert photographed(photograph()) != other


def again(site: str, name: str) -> Event:
    return event(site, "redeliver", id=name, peer="gch")


def test_the_messages_of_the_channels_come_again_once():
    both = [again("c1", "gch:1.3"), event("c1", "recv", id="gch:1.4"), again("c1", "gch:1.4")]
    assert redelivered_once(photograph(), both)
    assert not redelivered_once(photograph(), both[:2]), "one did not come"
    assert not redelivered_once(photograph(), [*both, both[0]]), "one came twice"
    assert not redelivered_once(photograph(), [*both, again("c1", "gch:1.9")]), "one was in no channel"
    assert not redelivered_once(photograph(), [both[0], again("c2", "gch:1.4")]), "one came to another"


def test_lamport_holds():
    events = [event("c1", "send", 3, id="c1:1.1"), event("gch", "recv", 4, id="c1:1.1"), event("c2", "recv", 9, id="x")]
    assert lamport_faults(events) == []
    assert [exchange.receipt.site for exchange in exchanges(events)] == ["gch"]


def test_a_receipt_no_later_than_its_send_is_seen():
    for received in (2, 3):
        events = [event("c1", "send", 3, id="c1:1.1"), event("gch", "recv", received, id="c1:1.1")]
        assert [fault.fr for fault in lamport_faults(events)] == [f"c1:1.1 : envoi H=3, réception H={received}"]


def test_a_clock_that_goes_back_is_seen():
    assert len(lamport_faults([event("c1", "send", 3, id="a"), event("c1", "start", 1)])) == 1
