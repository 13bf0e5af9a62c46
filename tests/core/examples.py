"""Tickets, sentences and nasty text, for the tests of the core: examples to build, and strategies to draw from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from lib.core import messages as say
from lib.core.messages import Body, Message
from lib.core.tickets import MAX_CENTS, MAX_STATION_BYTES, MAX_TRAIN_BYTES, Journey, Search, Ticket, fits, fold
from lib.core.wire import MAX_LIST, MAX_PARTS, WHAT, WHATWHO, WHATWHOWHERE, Header, in_parts

HEADERS = [Header(mode, "CLT", "ALL").text() for mode in (WHAT, WHATWHO, WHATWHOWHERE)]


def journey(**changes: Any) -> Journey:
    fields = {
        "train": "848362",
        "date": "2025-03-17T07:10",
        "departure": "Compiègne",
        "destination": "Paris Gare du Nord",
        "cents": 1540,
    }
    return Journey(**(fields | changes))


def tickets(count: int, **changes: Any) -> list[Ticket]:
    return [Ticket(f"B{number:04d}", journey(**changes)) for number in range(1, count + 1)]


def message(body: Body, **changes: Any) -> Message:
    fields: dict[str, Any] = {
        "sender": "c1",
        "life": 1,
        "sequence": 7,
        "to": "gch",
        "timestamp": 12,
        "round": 0,
        "epoch": 0,
        "rank": 3 if isinstance(body, say.APPLICATION) else 0,
        "receiver_life": 0,
        "body": body,
    }
    return Message(**(fields | changes))


# -------------------------------------------------------------------------------------------------------------- to draw

SPECIAL = "'^~%\"\\[]${}()` ;&|<>*?#=,.:-_\x00\x01\x07\t\n\r\x1f\x7f\x85\u2028\u00a0éÉèçœŒßİ€🚄👩‍🚀%25%5E"
LARGEST = 10**15 - 1

characters = st.sampled_from(SPECIAL) | st.characters(exclude_categories=["Cs"])
nasty_text = st.text(characters, max_size=40).filter(lambda text: fits(text, MAX_STATION_BYTES))
station_names = nasty_text.filter(fold)
train_names = st.text(characters, min_size=1, max_size=12).filter(lambda text: fits(text, MAX_TRAIN_BYTES) and fold(text))
dates = st.datetimes().map(lambda at: at.isoformat(timespec="minutes"))
days = st.dates().map(lambda day: day.isoformat())
period_ends = st.just("") | days | dates
site_names = st.from_regex(r"[A-Za-z0-9_-]{1,32}", fullmatch=True).filter(lambda name: name != "tous")
ticket_ids = st.from_regex(r"[A-Za-z0-9_-]{1,20}", fullmatch=True)
numbers = st.integers(1, 50) | st.integers(1, LARGEST)
counts = st.just(0) | numbers


def built(sentence: Callable[..., Any]) -> Callable[..., Any]:
    """What makes a sentence from just the parts that are given: hypothesis would invent the others from their types."""

    def build(*parts: Any, **named: Any) -> Any:
        return sentence(*parts, **named)

    return build


journeys = st.builds(Journey, train_names, dates, station_names, station_names, st.integers(0, MAX_CENTS))
searches = st.builds(Search, st.just("") | ticket_ids, nasty_text, nasty_text, period_ends, period_ends)
reasons = st.sampled_from([say.FULL, say.UNKNOWN, say.EXPIRED, say.UNAVAILABLE])
milliseconds = st.integers(0, 10**9).map(lambda number: number / 1000)

requests = st.builds(built(say.Request), site_names, numbers, st.booleans(), searches, st.integers(1, MAX_LIST))
offers = st.builds(
    built(say.TicketNotice),
    site_names,
    numbers,
    st.just(say.OFFERED),
    ticket=ticket_ids,
    journey=journeys,
    holder=site_names,
    expires_in=milliseconds,
)
tickets_told = st.builds(
    built(say.TicketNotice),
    site_names,
    counts,
    st.sampled_from([say.LISTED, say.SOLD]),
    ticket=ticket_ids,
    journey=journeys,
    holder=site_names,
    position=counts,
    total=counts,
)
refusals = st.builds(
    built(say.TicketNotice), site_names, numbers, st.just(say.REFUSED), st.just("") | ticket_ids, reason=reasons
)
taken_back = st.builds(built(say.TicketNotice), site_names, numbers, st.just(say.TAKEN_BACK), ticket_ids)
acknowledgements = st.builds(built(say.Acknowledgement), site_names, numbers, ticket_ids, st.booleans())
returns = st.builds(built(say.Return), site_names, numbers, ticket_ids)
presences = st.builds(
    built(say.Presence),
    st.sampled_from(["guichet", "client"]),
    st.sampled_from([say.ARRIVAL, say.WELCOME, say.DEPARTURE, say.ALIVE]),
    st.booleans(),
    counts,
    st.booleans(),
)
applications = st.one_of(requests, offers, tickets_told, refusals, taken_back, acknowledgements, returns)

long_text = st.text(characters, max_size=400).map(lambda text: in_parts(text)[0])
parts = st.integers(1, MAX_PARTS).flatmap(lambda parts: st.tuples(st.integers(1, parts), st.just(parts)))
states = st.builds(
    lambda round, initiates, part, text: say.SnapshotState(round, initiates, *part, text),
    numbers,
    st.booleans(),
    parts,
    long_text,
)
crossings = st.builds(
    Message, site_names, numbers, numbers, site_names, numbers, counts, counts, numbers, st.just(0), applications
)
controls = st.one_of(
    presences,
    st.builds(built(say.SnapshotCall), numbers),
    states,
    st.builds(built(say.SnapshotTransit), numbers, crossings),
    st.builds(built(say.Reset), numbers, st.booleans()),
    st.builds(built(say.RestoreRequest), numbers, nasty_text),
    st.builds(built(say.RestoreRefused), numbers, nasty_text),
    st.builds(lambda part, text: say.RestoreState(*part, text), parts, long_text),
    st.just(say.RestoreDone()),
)
bodies = applications | controls


@st.composite
def messages(draw: st.DrawFn) -> Message:
    """Any message. What a `transit` reports was received by who reports it, in the same epoch."""
    body = draw(bodies)
    if isinstance(body, say.SnapshotTransit):
        crossing = body.message
        return message(body)._replace(sender=crossing.to, epoch=crossing.epoch, sequence=draw(numbers))
    return Message(
        sender=draw(site_names),
        life=draw(numbers),
        sequence=draw(numbers),
        to=draw(site_names | st.just("tous")),
        timestamp=draw(numbers),
        round=draw(counts),
        epoch=draw(counts),
        rank=draw(numbers) if isinstance(body, say.APPLICATION) else 0,
        receiver_life=draw(counts),
        body=body,
    )
