"""The state of a role as the snapshot file holds it, and back (contract, section 5). Names are those of the file."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Collection, Iterator
from itertools import islice
from typing import Any, TypeVar

from lib.core import facts, wire
from lib.core.facts import Answered, Errand, Holding, PeerMet, RestoreOwed, TicketKept
from lib.core.messages import REASONS
from lib.core.tickets import FREE, HELD, MAX_STATION_BYTES, SOLD, Journey, Search, Ticket, cents_of, euros, fits

State = dict[str, Any]

# Closed requests and purchases given back that are recorded, for each client. They answer what comes again late; but after
# a restoration nothing of an older epoch comes any more, except the few messages that the snapshot found in the channels.
MAX_RECORDED = 256
LARGEST = 10**wire.MAX_DIGITS - 10**6  # number that is taken up: many more can still be counted on from there
MAX_WAIT = 1_000_000.0  # seconds that a hold or an offer has left: eleven days, as the options have it
MAX_DEPTH = 20  # of lists and objects within each other: a state has 5
_HALF = re.compile(r"\\u[dD][89a-fA-F]")  # of a character that was written as two escapes
T = TypeVar("T")


class Unreadable(ValueError):
    """A recorded state that cannot be taken up."""


def latest(book: Collection[Any]) -> Iterator[Any]:
    """What a snapshot keeps of a book that only grows, the oldest first, as the book has it."""
    return islice(book, max(0, len(book) - MAX_RECORDED), None)


def parse(text: str) -> Any:
    """What a JSON text says that may come from anywhere. Raises `ValueError` for what is none, and for what nobody could
    write down again: numbers that are none, halves of characters, nests within nests."""
    try:
        value = json.loads(text, parse_constant=_finite, parse_float=_finite)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not _is_shallow(value, MAX_DEPTH):
        raise ValueError("nested too deeply")
    if _HALF.search(text):
        json.dumps(value, ensure_ascii=False).encode()
    return value


def _finite(number: str) -> float:
    if not math.isfinite(value := float(number)):
        raise ValueError(f"{number} is no number")
    return value


def _is_shallow(value: Any, depth: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return depth > 0 and all(_is_shallow(each, depth - 1) for each in inner if isinstance(each, dict | list))


# ---------------------------------------------------------------------------- what comes back from a disk, or over the line


def _demand(condition: bool, what: object) -> None:
    if not condition:
        raise Unreadable(repr(what)[:200])


def _is_number(value: object, least: int = 0) -> bool:
    """Whether this is an integer that can be written on the line, and counted on from."""
    return isinstance(value, int) and type(value) is int and least <= value <= LARGEST


def _is_time(value: object) -> bool:
    return type(value) in (int, float) and math.isfinite(value)  # type: ignore[arg-type]


def _are_texts(*values: object) -> bool:
    return all(type(value) is str for value in values)


def checked_number(number: int) -> int:
    """The number, if it can be the next one of a request; raises `Unreadable` otherwise, as all of these do."""
    _demand(_is_number(number, 1), number)
    return number


def checked_ticket(ticket: Ticket) -> Ticket:
    """The ticket, if it can be one of the guichet's."""
    _check_journey(ticket.journey)
    _demand(wire.is_ticket_id(ticket.id) and ticket.state in (FREE, HELD, SOLD) and _is_time(ticket.deadline), ticket)
    is_set_aside = ticket.state != FREE and wire.is_site_name(ticket.client) and _is_number(ticket.request)
    _demand(is_set_aside or (ticket.state, ticket.client, ticket.request) == (FREE, "", 0), ticket)
    return ticket


def checked_answer(answer: Answered) -> Answered:
    """The closed request, if it can be one of the guichet's book."""
    _demand(wire.is_site_name(answer.client) and _is_number(answer.request), answer)
    _demand(_is_ticket_or_none(answer.ticket_id) and answer.reason in ("", *REASONS), answer)
    return answer


def checked_kept(kept: TicketKept) -> TicketKept:
    """The ticket, if a client can have it."""
    _check_holding(kept.holding)
    _demand(_is_number(kept.request), kept)
    return kept


def checked_errand(errand: Errand) -> Errand:
    """The request, if it can be one of a client's."""
    search, holding = errand.search, errand.holding
    if holding is not None:
        _check_holding(holding)
    _demand(_is_number(errand.number, 1) and errand.state in facts.STATES.get(errand.kind, ()), errand)
    _demand(_are_texts(search.ticket, search.since, search.until), search)
    _demand(_is_ticket_or_none(search.ticket) and all(map(wire.is_period_end, (search.since, search.until))), search)
    for text in (search.departure, search.destination, errand.reason):
        _demand(_are_texts(text) and fits(text, MAX_STATION_BYTES), errand)
    _demand(_is_number(errand.limit, 1) and errand.limit <= wire.MAX_LIST and _is_time(errand.deadline), errand)
    _demand(holding is not None or errand.state not in (facts.OFFERED, facts.CONFIRMING, facts.OWNED), errand)
    _demand(bool(errand.ticket_id) or errand.kind != facts.RETURN, errand)
    _demand(errand.next_try == 0 or errand.state in facts.SAID, errand)
    return errand


def checked_purchase(ticket_id: Any, request: Any) -> tuple[str, int]:
    """A purchase that was given back: the ticket, and the request that bought it."""
    _demand(_are_texts(ticket_id) and wire.is_ticket_id(ticket_id) and _is_number(request), (ticket_id, request))
    return ticket_id, request


def checked_peer(met: PeerMet) -> PeerMet:
    """A site that was met."""
    _demand(wire.is_site_name(met.name) and met.role in ("guichet", "client") and _is_number(met.life), met)
    return met


def checked_debt(debt: RestoreOwed) -> RestoreOwed:
    """What a guichet owes a client."""
    _demand(wire.is_site_name(debt.client) and _is_number(debt.epoch, 1) and _are_texts(debt.text), debt)
    return debt


def _is_ticket_or_none(ticket_id: str) -> bool:
    return ticket_id == "" or wire.is_ticket_id(ticket_id)


def _check_holding(holding: Holding) -> None:
    _check_journey(holding.journey)
    is_held = holding.holder == "" or wire.is_site_name(holding.holder)
    _demand(wire.is_ticket_id(holding.ticket_id) and is_held, holding)


def _check_journey(journey: Journey) -> None:
    texts = (journey.train, journey.date, journey.departure, journey.destination)
    _demand(_are_texts(*texts) and type(journey.cents) is int, journey)


# ----------------------------------------------------------------------------------------------------- as the file holds it


def journey_as_json(journey: Journey) -> dict[str, str]:
    """A journey by the names of the file."""
    return {
        "train": journey.train,
        "date": journey.date,
        "from": journey.departure,
        "to": journey.destination,
        "price": euros(journey.cents),
    }


def _journey(row: State) -> Journey:
    return Journey(row["train"], row["date"], row["from"], row["to"], cents_of(row["price"]))


def ticket_as_json(ticket: Ticket, office: str, now: float) -> State:
    """A ticket of the guichet's list; a hold with the seconds that it has left."""
    row: State = {"id": ticket.id, **journey_as_json(ticket.journey), "state": ticket.state}
    row["holder"] = ticket.holder(office)
    if ticket.state != FREE:
        row |= {"client": ticket.client, "request": ticket.request}
    if ticket.state == HELD:
        row["expires_in"] = round(max(0.0, ticket.deadline - now), 3)
    return row


def ticket_from_json(row: State, now: float) -> Ticket:
    """The ticket again; a hold restarts with the time that it had left."""
    deadline = now + _seconds(row["expires_in"]) if row["state"] == HELD else 0.0
    client, request = (row["client"], row["request"]) if row["state"] != FREE else ("", 0)
    return checked_ticket(Ticket(row["id"], _journey(row), row["state"], client, request, deadline))


def _seconds(value: Any) -> float:
    _demand(_is_time(value) and 0 <= value <= MAX_WAIT, value)
    return float(value)


def answer_as_json(answer: Answered) -> list[Any]:
    """A closed request of the guichet's book."""
    return [answer.client, answer.request, answer.ticket_id, answer.reason]


def answer_from_json(row: list[Any]) -> Answered:
    """The closed request again."""
    client, request, ticket_id, reason = row
    return checked_answer(Answered(client, request, ticket_id, reason))


def kept_as_json(kept: TicketKept, owner: str) -> State:
    """A ticket that a client has."""
    holding = kept.holding
    return {"id": holding.ticket_id, **journey_as_json(holding.journey), "holder": owner, "request": kept.request}


def kept_from_json(row: State) -> TicketKept:
    """The ticket again."""
    return checked_kept(TicketKept(Holding(row["id"], _journey(row), row["holder"]), row["request"]))


def errand_as_json(errand: Errand, now: float) -> State:
    """A request of a client's; an offer with the seconds that it has left."""
    row: State = {"request": errand.number, "kind": errand.kind, "state": errand.state, "ticket": errand.ticket_id}
    search = errand.search
    row["search"] = [search.ticket, search.departure, search.destination, search.since, search.until]
    row |= {"limit": errand.limit, "reason": errand.reason, "pending": errand.next_try > 0}
    if errand.holding:
        row["details"] = {**journey_as_json(errand.holding.journey), "holder": errand.holding.holder}
    if errand.state == facts.OFFERED:
        row["expires_in"] = round(max(0.0, errand.deadline - now), 3)
    return row


def errand_from_json(row: State, now: float, patience: float) -> Errand:
    """The request again, with new patience; what was not answered is said again at once."""
    details = row.get("details")
    holding = Holding(row["ticket"], _journey(details), details["holder"]) if details else None
    is_offered = row["state"] == facts.OFFERED
    errand = Errand(
        number=row["request"],
        kind=row["kind"],
        state=row["state"],
        search=Search(*row["search"]),
        limit=row["limit"],
        holding=holding,
        reason=row["reason"],
        deadline=now + _seconds(row["expires_in"]) if is_offered else 0.0,
        give_up=now + patience,
        next_try=now if row["pending"] else 0.0,
    )
    return checked_errand(errand)


def read(what: Callable[[], T]) -> T:
    """What a reader above gives; raises `Unreadable` for whatever is wrong with a recorded state."""
    try:
        return what()
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError) as error:
        raise Unreadable(str(error)) from error
