"""What a snapshot document claims, checked from the document alone (contract, sections 5 and 6).

    coherent    no recorded receipt without its send: nothing from after the cut is in it
    complete    every rank sent before the cut is received before it, or is in the channel's record, or was settled
    conserved   every ticket is in exactly one place, and each sold one is at its client, or on its way to it

The same checks serve the guichet that closes a round, whoever loads a file, and `guichet.py --verifier`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any

from lib.core.intervals import Intervals

FORMAT = "airplug-billets-snapshot/1"

Document = dict[str, Any]

# A request in one of these states is not closed: the sale or the return that it stands for may still be on its way.
_OPEN = ("asked", "offered", "confirming", "unreachable")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that does not hold. `kind`: `shape`, `damaged`, `site`, `rank`, `incoherent` or `ticket`.

    `where` names the site, the pair or the ticket; `ranks` the ranks that are missing or have no send.
    """

    kind: str
    where: str
    ranks: tuple[tuple[int, int], ...] = ()


def seal(document: Document) -> str:
    """The sha256 (hex) of everything in the document but its seal, as canonical JSON: sorted keys, no spaces, UTF-8."""
    content = {key: value for key, value in document.items() if key != "sha256"}
    import hashlib  # here: a site that takes no snapshot starts without it

    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def examine(document: Document) -> list[Finding]:
    """Everything that does not hold in a document; empty when it can be believed and loaded."""
    if not has_shape(document):
        return [Finding("shape", FORMAT)]
    findings = [] if document.get("sha256") == seal(document) else [Finding("damaged", "sha256")]
    findings += missing(document["sites"], channels_of(document), document.get("expected", []))
    findings += incoherent(document["sites"], channels_of(document))
    return findings + unconserved(document["sites"], channels_of(document), document["collector"], document.get("left", ()))


def has_shape(document: Any) -> bool:
    """Whether the parts that the checks look at are there, and are what they should be."""
    return _holds(_check_document, document)


def is_state(state: Any, role: str) -> bool:
    """Whether this can be what a site of `role` recorded, as far as the checks look at it."""
    return _holds(_check_site, state) and state["role"] == role


def _holds(check: Callable[[Any], None], value: Any) -> bool:
    try:
        check(value)
    except (KeyError, TypeError, AttributeError, ValueError):
        return False
    return True


def _demand(condition: bool) -> None:
    """No assertion: what came from outside is checked by `python -O` as well."""
    if not condition:
        raise ValueError


def _check_document(document: Any) -> None:
    _demand(isinstance(document, dict) and document["format"] == FORMAT)
    sites, collector = document["sites"], document["collector"]
    _demand(_are(int, [document["round"], document["epoch"]]) and _are(str, [*sites, collector]))
    _demand(sites[collector]["role"] == "guichet" and document.get("complete") in (True, False, None))
    _demand(all(_are(str, document.get(key, [])) for key in ("expected", "left", "initiators")))
    for site in sites.values():
        _check_site(site)
    _demand(isinstance(document["channels"], list))
    for channel in document["channels"]:
        _demand(_are(str, [channel["from"], channel["to"]]))
        for message in channel["messages"]:
            _demand(_are(int, [message["rank"], message["timestamp"]]) and _are(str, [message["id"], message["type"]]))
            _demand(_are(str, [*message["fields"], *message["fields"].values()]))


def _check_site(site: Any) -> None:
    _demand(isinstance(site, dict) and site["role"] in ("guichet", "client") and _are(int, [site["life"], site["clock"]]))
    for book in (site["sent"], site.get("settled", {}), site.get("lives", {})):
        _demand(_are(str, list(book)) and _are(int, list(book.values())))
    for sender, intervals in site["received"].items():
        _demand(_are(str, [sender]) and all(_are(int, interval) for interval in intervals))
        Intervals(intervals)
    for request in site.get("requests", []):
        _demand(_are(str, [request["state"], request["ticket"]]) and _are(int, [request["request"]]))
    _demand(isinstance(site["tickets"], list) and isinstance(site.get("requests", []), list))
    for ticket in site["tickets"]:
        _demand(_are(str, [ticket["id"]]))
        _demand(site["role"] == "client" or ticket["state"] == "free" or _is_entry(ticket))


def _is_entry(ticket: Document) -> bool:
    """Whether this can be a ticket of the guichet's list that is set aside for a client."""
    return ticket["state"] in ("held", "sold") and _are(str, [ticket["client"]]) and _are(int, [ticket["request"]])


def _are(kind: type, values: Any) -> bool:
    """Whether this is a list of values of that very kind: a bool is no int."""
    return isinstance(values, list) and all(type(value) is kind for value in values)


def channels_of(document: Document) -> dict[tuple[str, str], dict[int, Document]]:
    """The recorded messages of each channel, by rank."""
    return {
        (channel["from"], channel["to"]): {message["rank"]: message for message in channel["messages"]}
        for channel in document["channels"]
    }


Sites = dict[str, Document]
Channels = dict[tuple[str, str], dict[int, Document]]
# By client: the tickets that are with it, and its open requests, whose tickets may be on their way.
_Accounts = dict[str, tuple[Collection[str], Collection[int]]]


def _pairs(sites: Sites) -> Iterator[tuple[str, str, Document, Document]]:
    """The ordered pairs of recorded sites that number their messages to each other: both know the other's present life."""
    for sender, state in sites.items():
        for receiver in state["sent"]:
            other = sites.get(receiver)
            if other is not None and _knows(state, receiver, other):
                yield sender, receiver, state, other


def missing(sites: Sites, channels: Channels, expected: list[str]) -> list[Finding]:
    """What the round still waits for: states, and ranks that were sent and are neither received nor in the channel."""
    findings = [Finding("site", name) for name in expected if name not in sites]
    for sender, receiver, state, other in _pairs(sites):
        accounted = Intervals(other["received"].get(sender, []) if _knows(other, sender, state) else [])
        for rank in channels.get((sender, receiver), {}):
            accounted.add(rank)
        settled = state.get("settled", {}).get(receiver, 0)
        holes = [(max(a, settled + 1), b) for a, b in accounted.missing_up_to(state["sent"][receiver]) if b > settled]
        if holes:
            findings.append(Finding("rank", f"{sender} -> {receiver}", tuple(holes)))
    return findings


def _knows(state: Document, name: str, other: Document) -> bool:
    """Whether what `state` counts of site `name` belongs to the life in which `other` is recorded."""
    return bool(state.get("lives", {}).get(name, other["life"]) == other["life"])


def incoherent(sites: Sites, channels: Channels) -> list[Finding]:
    """Receipts before the cut, or messages in a channel, whose send is after the cut."""
    findings = []
    for receiver, state in sites.items():
        for sender in sorted({*state["received"], *(a for a, b in channels if b == receiver)}):
            other = sites.get(sender)
            if other is None or not _knows(state, sender, other) or not _knows(other, receiver, state):
                continue
            ranks = [last for _, last in state["received"].get(sender, [])] + list(channels.get((sender, receiver), {}))
            sent = other["sent"].get(receiver, 0)
            beyond = max(ranks, default=0)
            if beyond > sent:
                findings.append(Finding("incoherent", f"{sender} -> {receiver}", ((sent + 1, beyond),)))
    return findings


def unconserved(sites: Sites, channels: Channels, collector: str, left: Collection[str] = ()) -> list[Finding]:
    """Tickets that are nowhere, or in two places; what clients that have `left` had bought went with them."""
    office = sites.get(collector)
    if office is None:
        return []
    tickets = {ticket["id"]: ticket for ticket in office["tickets"]}
    accounts = _accounts(sites, channels, collector)
    findings = [Finding("ticket", name) for name in _repeated(office["tickets"])]
    for name, site in sites.items():
        if site["role"] != "client":
            continue
        findings += [Finding("ticket", ticket) for ticket in _repeated(site["tickets"])]
        for held in site["tickets"]:
            ticket = tickets.get(held["id"])
            if ticket is None or ticket["state"] != "sold" or ticket["client"] != name:
                findings.append(Finding("ticket", held["id"]))
    return findings + [
        Finding("ticket", ticket["id"])
        for ticket in tickets.values()
        if ticket["state"] == "sold"
        and ticket["client"] not in left
        and not _is_with_its_client(ticket, accounts)
        and not _is_forgotten(ticket, sites, collector)
    ]


def _repeated(tickets: list[Document]) -> list[str]:
    counts = Counter(ticket["id"] for ticket in tickets)
    return [name for name, count in counts.items() if count > 1]


def _accounts(sites: Sites, channels: Channels, collector: str) -> _Accounts:
    """Made once for all tickets: a client may have, or say that it has, a hundred thousand.

    A request names a ticket by its number only within the life that the guichet knew when it was recorded: a later one may
    use the number again for something else.
    """
    accounts: _Accounts = {}
    for name, site in sites.items():
        # Confirmed and not heard of yet, or being given back.
        pending = [request for request in site.get("requests", []) if request["state"] in _OPEN]
        on_its_way = channels.get((collector, name), {}).values()
        with_it = {row["id"] for row in site["tickets"]} | {request["ticket"] for request in pending}
        with_it |= {message["fields"].get("billet", "") for message in on_its_way}
        is_known = _knows(sites[collector], name, site)
        accounts[name] = with_it, {request["request"] for request in pending if is_known}
    return accounts


def _is_with_its_client(ticket: Document, accounts: _Accounts) -> bool:
    """Whether a sold ticket is at its client, or its hand-over or return is still open."""
    tickets, requests = accounts.get(ticket["client"], ((), ()))
    return ticket["id"] in tickets or ticket["request"] in requests


def _is_forgotten(ticket: Document, sites: Sites, collector: str) -> bool:
    """Whether the client has forgotten this purchase with an earlier life: it is told of it again until it knows."""
    client = sites.get(ticket["client"])
    if client is None:
        return False
    return not ticket["request"] or not _knows(sites[collector], ticket["client"], client)


def forgotten(document: Document) -> list[str]:
    """The sold tickets that their clients have forgotten, or whose clients had left, and begin with nothing if they come
    back: the guichet owes it to them to tell them again, as purchases of no request of theirs."""
    sites, channels, collector = document["sites"], channels_of(document), document["collector"]
    accounts = _accounts(sites, channels, collector)
    return [
        ticket["id"]
        for ticket in sites[collector]["tickets"]
        if ticket["state"] == "sold"
        and not _is_with_its_client(ticket, accounts)
        and (ticket["client"] not in sites or _is_forgotten(ticket, sites, collector))
    ]


def reborn(document: Document) -> list[str]:
    """The clients that are recorded in another life than the one that the guichet knew: what is recorded of their requests
    there may be of others, under the same numbers."""
    sites = document["sites"]
    office = sites[document["collector"]]
    return [name for name, site in sites.items() if site["role"] == "client" and not _knows(office, name, site)]


def census(document: Document) -> dict[str, int]:
    """How many tickets the guichet has in each state: `free`, `held`, `sold`; and `messages` in the channels."""
    counts = {"free": 0, "held": 0, "sold": 0}
    for ticket in document["sites"][document["collector"]]["tickets"]:
        counts[ticket["state"]] += 1
    return counts | {"messages": sum(len(channel["messages"]) for channel in document["channels"])}
