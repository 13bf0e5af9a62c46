"""The state of a role as the snapshot file holds it, and back (contract, section 5). Names are those of the file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from lib.core import facts
from lib.core.facts import Answered, Errand, Holding, TicketKept
from lib.core.tickets import FREE, HELD, SOLD, Journey, Search, Ticket, cents_of, euros

State = dict[str, Any]

# Closed requests and purchases given back that are recorded, for each client. They answer what comes again late; but after
# a restoration nothing of an older epoch comes any more, except the few messages that the snapshot found in the channels.
MAX_RECORDED = 256
T = TypeVar("T")


class Unreadable(ValueError):
    """A recorded state that cannot be taken up."""


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
    if row["state"] not in (FREE, HELD, SOLD):
        raise Unreadable(row["state"])
    deadline = now + float(row["expires_in"]) if row["state"] == HELD else 0.0
    return Ticket(row["id"], _journey(row), row["state"], row.get("client", ""), int(row.get("request", 0)), deadline)


def answer_as_json(answer: Answered) -> list[Any]:
    """A closed request of the guichet's book."""
    return [answer.client, answer.request, answer.ticket_id, answer.reason]


def kept_as_json(kept: TicketKept, owner: str) -> State:
    """A ticket that a client has."""
    holding = kept.holding
    return {"id": holding.ticket_id, **journey_as_json(holding.journey), "holder": owner, "request": kept.request}


def kept_from_json(row: State) -> TicketKept:
    """The ticket again."""
    return TicketKept(Holding(row["id"], _journey(row), row["holder"]), int(row["request"]))


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
    return Errand(
        number=int(row["request"]),
        kind=row["kind"],
        state=row["state"],
        search=Search(*row["search"]),
        limit=int(row["limit"]),
        holding=holding,
        reason=row["reason"],
        deadline=now + float(row["expires_in"]) if is_offered else 0.0,
        give_up=now + patience,
        next_try=now if row["pending"] else 0.0,
    )


def read(what: Callable[[], T]) -> T:
    """What a reader above gives; raises `Unreadable` for whatever is wrong with a recorded state."""
    try:
        return what()
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError) as error:
        raise Unreadable(str(error)) from error
