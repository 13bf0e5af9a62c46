"""What must be true, whoever tells it: the books of all sites agree, and Lamport's condition holds on every message.

Both are judged from the outside, by what the sites wrote into their traces; no site is asked whether it was right.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lib.launch.traces import Event
from lib.texts import Text


@dataclass(frozen=True, slots=True)
class Entry:
    """One ticket that is not free: its state by the guichet's word, for whom, and who says that they hold it."""

    ticket: str
    journey: str
    state: str
    client: str
    holders: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        """A sold ticket is held by its buyer alone, any other by no client."""
        return self.holders == ((self.client,) if self.state == "sold" else ())


@dataclass(frozen=True, slots=True)
class Books:
    """The books of the guichet beside those of the clients."""

    free: int
    entries: tuple[Entry, ...]

    @property
    def total(self) -> int:
        return self.free + len(self.entries)

    def count(self, state: str) -> int:
        return sum(entry.state == state for entry in self.entries)

    @property
    def disagreements(self) -> list[Entry]:
        return [entry for entry in self.entries if not entry.agrees]


def balance(guichet: Event, clients: Iterable[Event]) -> Books:
    """The books by all answers to `etat`. A ticket that only a client knows of is an entry of state `free`."""
    holders: dict[str, list[str]] = {}
    for client in clients:
        for ticket in client.objects("tickets"):
            holders.setdefault(str(ticket.get("id")), []).append(client.site)
    entries = [_entry(ticket, holders.pop(str(ticket.get("id")), [])) for ticket in guichet.objects("tickets")]
    strays = [Entry(ticket, "", "free", "", tuple(names)) for ticket, names in holders.items()]
    entries = sorted([*entries, *strays], key=lambda entry: (len(entry.ticket), entry.ticket))
    return Books(guichet.count("free") - len(strays), tuple(entries))


def photographed(document: Mapping[str, Any]) -> Books:
    """The books as a snapshot file has them: the same as those by all answers to `etat` in that instant."""
    office = document["collector"]
    tickets = document["sites"][office]["tickets"]
    taken = [ticket for ticket in tickets if ticket["state"] != "free"]
    books = {"free": len(tickets) - len(taken), "tickets": taken}
    clients = [Event(name, "state", 0, 0, 0.0, site) for name, site in document["sites"].items() if name != office]
    return balance(Event(office, "state", 0, 0, 0.0, books), clients)


def redelivered_once(document: Mapping[str, Any], events: Iterable[Event]) -> bool:
    """Whether, by these events, each message of the file's channels came to its receiver again, once, and no other did."""
    recorded = Counter(
        (channel["to"], channel["from"], message["id"])
        for channel in document["channels"]
        for message in channel["messages"]
    )
    seen = (event for event in events if event.kind == "redeliver")
    return Counter((event.site, event.text("peer"), event.text("id")) for event in seen) == recorded


def _entry(ticket: Mapping[str, object], holders: Iterable[str]) -> Entry:
    journey = f"{ticket.get('date', '')} {ticket.get('from', '')} -> {ticket.get('to', '')}".replace("T", " ", 1)
    return Entry(str(ticket.get("id")), journey, str(ticket.get("state")), str(ticket.get("client")), tuple(holders))


@dataclass(frozen=True, slots=True)
class Exchange:
    """One message: its send, and its receipt."""

    send: Event
    receipt: Event


def exchanges(events: Sequence[Event], moment: int = 0) -> list[Exchange]:
    """Each receipt after `moment` with its send, where that is known, in the order of the sends."""
    sends = {event.text("id"): event for event in events if event.kind == "send"}
    receipts = [event for event in events[moment:] if event.kind == "recv" and event.text("id") in sends]
    known = [Exchange(sends[receipt.text("id")], receipt) for receipt in receipts]
    return sorted(known, key=lambda exchange: (exchange.send.lamport, exchange.send.site))


def lamport_faults(events: Sequence[Event]) -> list[Text]:
    """Every message received no later than it was sent, and every clock that went back."""
    late = [exchange for exchange in exchanges(events) if exchange.send.lamport >= exchange.receipt.lamport]
    return [*map(_not_after, late), *_clocks_gone_back(events)]


def _not_after(exchange: Exchange) -> Text:
    name, sent, received = exchange.send.text("id"), exchange.send.lamport, exchange.receipt.lamport
    return Text(f"{name} : envoi H={sent}, réception H={received}", f"{name}: sent H={sent}, received H={received}")


def _clocks_gone_back(events: Iterable[Event]) -> list[Text]:
    faults = []
    clocks: dict[str, int] = {}
    for event in (event for event in events if event.kind in ("start", "send", "recv")):
        before = clocks.get(event.site, 0)
        clocks[event.site] = event.lamport
        if event.lamport < before:
            step = f"{before} -> {event.lamport}"
            faults.append(Text(f"{event.site} : l'horloge recule, {step}", f"{event.site}: the clock goes back, {step}"))
    return faults
