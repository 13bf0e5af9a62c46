"""Tickets and the stock of the ticket office: free, held, sold.

The law of this room, and the only table by which a ticket moves:

    free --hold--> held --sell--> sold --give_back--> free
                   held --release--> free

Whoever holds a ticket holds it alone: a ticket is in exactly one of the three states, and `Stock._move` is the one place
that changes it.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

FREE, HELD, SOLD = "free", "held", "sold"

# (state, transition) -> state. Nothing else may happen to a ticket; docs and slides draw their picture from this table.
TRANSITIONS: dict[tuple[str, str], str] = {
    (FREE, "hold"): HELD,
    (HELD, "sell"): SOLD,
    (HELD, "release"): FREE,
    (SOLD, "give_back"): FREE,
}

# A `billet` carries two station names and a train number beside some 700 bytes of envelope and figures, and its copy in a
# snapshot says where it was besides; with these limits, counted as they are written on the wire, both always fit into the
# 1440 bytes of a line (contract, section 1).
MAX_STATION_BYTES = 200
MAX_TRAIN_BYTES = 60
MAX_CENTS = 99_999_999  # 999,999.99 euros: more is a slip of the keyboard

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}\Z", re.ASCII)
_DAYS = (0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


class BadField(ValueError):
    """A field of a journey that cannot be: `field` is its English name, `value` what was given."""

    def __init__(self, field: str, value: object) -> None:
        super().__init__(f"impossible {field}: {value!r}")
        self.field = field
        self.value = value


@lru_cache(maxsize=4096)  # some thousand stations; each name comes back with every ticket that moves
def fold(name: str) -> str:
    """The key by which station names are compared: no accents, no case, no hyphens, no doubled blanks.

    >>> fold("  Saint-Quentin ") == fold("SAINT QUENTIN")
    True
    """
    # casefold knows ß but not the French ligatures, which NFKD leaves alone as well.
    plain = name.casefold().replace("œ", "oe").replace("æ", "ae").replace("’", "'")
    letters = (c for c in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(c))
    return " ".join("".join(" " if c in "-\u2010\u2011\u2013" else c for c in letters).split())


def is_date(text: str) -> bool:
    """Whether `text` is a real local date and time to the minute, `2025-03-17T07:10` (ISO 8601)."""
    if not _DATE.match(text):
        return False
    year, month, day = int(text[:4]), int(text[5:7]), int(text[8:10])
    if not (year and 1 <= month <= 12 and int(text[11:13]) < 24 and int(text[14:]) < 60):
        return False
    leap = month == 2 and year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return 1 <= day <= _DAYS[month] + leap


def cents_of(price: str) -> int:
    """`"15.40"`, `"15,4"` or `"15"` (euros) as cents. Raises `BadField` for anything else, negative or absurd prices too."""
    match = re.fullmatch(r"(\d{1,7})(?:[.,](\d{1,2}))?", price.strip(), re.ASCII)
    cents = int(match[1]) * 100 + int((match[2] or "").ljust(2, "0")) if match else -1
    if not 0 <= cents <= MAX_CENTS:
        raise BadField("price", price)
    return cents


def euros(cents: int) -> str:
    """Cents as euros with two decimals: 1540 is `"15.40"`."""
    return f"{cents // 100}.{cents % 100:02d}"


@dataclass(frozen=True, slots=True)
class Journey:
    """What a ticket is good for: one train on one day between two stations, at a price in cents.

    Raises `BadField` when built from something that cannot be; once built, it fits into one AIRPLUG line.
    """

    train: str
    date: str
    departure: str
    destination: str
    cents: int

    def __post_init__(self) -> None:
        for field, limit in (
            ("train", MAX_TRAIN_BYTES),
            ("departure", MAX_STATION_BYTES),
            ("destination", MAX_STATION_BYTES),
        ):
            value = getattr(self, field)
            if not fits(value, limit) or not (value.isalnum() or fold(value)):
                raise BadField(field, value)
        if not is_date(self.date):
            raise BadField("date", self.date)
        if not 0 <= self.cents <= MAX_CENTS:
            raise BadField("price", self.cents)


# What AIRPLUG's libraries would take for syntax or code: on the wire, `%` and two hex digits (contract, section 2).
UNSAFE = re.compile("[%^~'\"\\\\\x00-\x1f\x7f]")


def fits(text: str, limit: int) -> bool:
    """Whether `text` takes at most `limit` bytes on the wire, where some characters are written as three (contract, 2)."""
    if 3 * len(text) <= limit and text.isascii():  # nearly always
        return True
    try:
        return len(text.encode()) + 2 * len(UNSAFE.findall(text)) <= limit
    except UnicodeEncodeError:  # a lone surrogate is not a character: it cannot be said
        return False


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket as the ticket office knows it.

    `client` and `request` say for whom it is held or to whom it is sold, and by which of the client's requests;
    `deadline` (Unix seconds) is when a hold ends.
    """

    id: str
    journey: Journey
    state: str = FREE
    client: str = ""
    request: int = 0
    deadline: float = 0.0

    def holder(self, office: str) -> str:
        """Who has the ticket: its buyer once it is sold, the ticket office `office` until then."""
        return self.client if self.state == SOLD else office


@dataclass(frozen=True, slots=True)
class Search:
    """What a client looks for; an empty field matches everything.

    `since` and `until` are ISO dates, to the day or to the minute; both ends are included, a day is meant whole.
    """

    ticket: str = ""
    departure: str = ""
    destination: str = ""
    since: str = ""
    until: str = ""


# One entry of an index: the date, then the identifier by length and letters, so that B10000 comes after B9999.
_Entry = tuple[str, int, str]


def _entry(ticket: Ticket) -> _Entry:
    return ticket.journey.date, len(ticket.id), ticket.id


class _FreeIndex:
    """The free tickets by station pair, each list in the order of departure: a search never walks over the tickets.

    A ticket stands in four lists: its pair, its departure, its destination, and all. A search is two bisections in one
    of them, so its cost grows with the logarithm of the stock.
    """

    def __init__(self) -> None:
        self._lists: dict[tuple[str, str], list[_Entry]] = {}

    @staticmethod
    def _keys(journey: Journey) -> tuple[tuple[str, str], ...]:
        departure, destination = fold(journey.departure), fold(journey.destination)
        return (departure, destination), (departure, ""), ("", destination), ("", "")

    def add_many(self, tickets: Iterable[Ticket]) -> None:
        touched: dict[tuple[str, str], None] = {}
        for ticket in tickets:
            entry = _entry(ticket)
            for key in self._keys(ticket.journey):
                self._lists.setdefault(key, []).append(entry)
                touched[key] = None
        for key in touched:
            self._lists[key].sort()

    def add(self, ticket: Ticket) -> None:
        for key in self._keys(ticket.journey):
            insort(self._lists.setdefault(key, []), _entry(ticket))

    def remove(self, ticket: Ticket) -> None:
        entry = _entry(ticket)
        for key in self._keys(ticket.journey):
            entries = self._lists[key]
            del entries[bisect_left(entries, entry)]
            if not entries:
                del self._lists[key]

    def find(self, search: Search, limit: int) -> tuple[list[str], int]:
        """The identifiers of the first `limit` matches by date, and how many match in all."""
        # A name of nothing but hyphens folds to nothing, which would match everything.
        departure, destination = (fold(name) or name for name in (search.departure, search.destination))
        entries = self._lists.get((departure, destination), [])
        low = bisect_left(entries, (search.since, 0, ""))
        # "~" sorts after every character of a date: a day without its hour includes all its hours.
        high = bisect_right(entries, (search.until + "~", 0, "")) if search.until else len(entries)
        return [name for _, _, name in entries[low : min(high, low + limit)]], max(0, high - low)


class Stock:
    """All tickets of the ticket office, each in exactly one of three books: free, held, sold."""

    def __init__(self, tickets: Iterable[Ticket] = ()) -> None:
        self._books: dict[str, dict[str, Ticket]] = {FREE: {}, HELD: {}, SOLD: {}}
        self._index = _FreeIndex()
        self.put_many(tickets)

    def __len__(self) -> int:
        return sum(map(len, self._books.values()))

    def __iter__(self) -> Iterator[Ticket]:
        for book in self._books.values():
            yield from book.values()

    def __contains__(self, ticket_id: str) -> bool:
        return self.get(ticket_id) is not None

    def get(self, ticket_id: str) -> Ticket | None:
        """The ticket of that identifier, or None."""
        for book in self._books.values():
            if ticket_id in book:
                return book[ticket_id]
        return None

    def book(self, state: str) -> dict[str, Ticket]:
        """The tickets in `state`, by identifier. To be read only."""
        return self._books[state]

    def put_many(self, tickets: Iterable[Ticket]) -> None:
        """Take in new tickets, in whatever state they are. Their identifiers must be new."""
        free = []
        for ticket in tickets:
            assert ticket.id not in self, f"{ticket.id} exists already"
            self._books[ticket.state][ticket.id] = ticket
            if ticket.state == FREE:
                free.append(ticket)
        self._index.add_many(free)

    def find(self, search: Search, limit: int) -> tuple[list[Ticket], int]:
        """The first `limit` free tickets that match, by date, and how many match in all."""
        names, total = self._index.find(search, limit)
        return [self._books[FREE][name] for name in names], total

    def hold(self, ticket_id: str, client: str, request: int, deadline: float) -> Ticket:
        """Set a free ticket aside for a client's request until `deadline` (Unix seconds)."""
        return self._move(ticket_id, "hold", client=client, request=request, deadline=deadline)

    def sell(self, ticket_id: str) -> Ticket:
        """Give a held ticket up for good, to the client that it is held for."""
        return self._move(ticket_id, "sell", deadline=0.0)

    def release(self, ticket_id: str) -> Ticket:
        """Take a held ticket back: its client left it, or was late."""
        return self._move(ticket_id, "release", client="", request=0, deadline=0.0)

    def give_back(self, ticket_id: str) -> Ticket:
        """Take a sold ticket back from its client."""
        return self._move(ticket_id, "give_back", client="", request=0)

    def replace_free(self, ticket: Ticket) -> None:
        """Change what a free ticket is good for."""
        self.remove_free(ticket.id)
        self.put_many([ticket])

    def remove_free(self, ticket_id: str) -> None:
        """Withdraw a free ticket from sale for ever."""
        self._index.remove(self._books[FREE].pop(ticket_id))

    def shorten(self, ticket_id: str, deadline: float) -> Ticket:
        """A held ticket whose hold ends at `deadline`, earlier than it was said."""
        held = self._books[HELD]
        held[ticket_id] = replace(held[ticket_id], deadline=deadline)
        return held[ticket_id]

    def forget_request(self, ticket_id: str) -> Ticket:
        """A sold ticket whose client has forgotten the request by which it bought it."""
        sold = self._books[SOLD]
        sold[ticket_id] = replace(sold[ticket_id], request=0)
        return sold[ticket_id]

    def _move(self, ticket_id: str, transition: str, **changes: object) -> Ticket:
        before = self.get(ticket_id)
        assert before is not None, f"{ticket_id} does not exist"
        state = TRANSITIONS.get((before.state, transition))
        assert state is not None, f"{ticket_id} is {before.state}: no transition {transition!r}"
        after = replace(before, state=state, **changes)  # type: ignore[arg-type]
        del self._books[before.state][ticket_id]
        self._books[state][ticket_id] = after
        if before.state == FREE:
            self._index.remove(before)
        if state == FREE:
            self._index.add(after)
        return after
