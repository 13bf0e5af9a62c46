"""What the guichet's user sees: the tickets, those that are held, those that are sold, and the clients.

Nobody walks over 100,000 tickets at each of twenty drawings a second: a list is made once, when a filter or an order is
chosen, and afterwards only the tickets that changed are looked at. What changed is told by events; how a ticket stands
now is asked of the stock.
"""

from __future__ import annotations

import re
from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from lib.core.facts import Event, OfficeRestored, TicketMoved, TicketsAdded, TicketWithdrawn
from lib.core.selling import Guichet
from lib.core.tickets import FREE, HELD, SOLD, Stock, Ticket, fold
from lib.windows.view.rows import Names

# With 100,000 tickets, to take one out and put it in again moves what stands behind it, some 0.02 ms; to go through all of
# them and sort them again, although they nearly are, takes some 40 ms. Beyond so many changes at once, the latter is less.
_MANY = 2000

# ------------------------------------------------------------------------------------------------------ lists of tickets


class Choice(NamedTuple):
    """Which tickets are wanted; what is empty is any. `text` are words of the identifier, the train, the date and the
    stations, without regard to accents or case; `holder` has the ticket, or is the client that it is held for; `since` and
    `until` are ISO dates, both included, a day is meant whole."""

    text: str = ""
    state: str = ""
    holder: str = ""
    since: str = ""
    until: str = ""


_Place = tuple[Any, int, str]  # the key by which a ticket stands, then the identifier by length and letters, as in the stock


class Listing:
    """The tickets of `source` that `takes` wants, in the order of their `key`: a sequence of identifiers.

    It is made at the first `settle`, and kept up to date by the others.
    """

    def __init__(
        self,
        source: Callable[[], Iterable[Ticket]],
        takes: Callable[[Ticket], bool],
        key: Callable[[Ticket], Any],
        is_descending: bool = False,
    ) -> None:
        self._source, self._takes, self._key, self.is_descending = source, takes, key, is_descending
        self._is_stale = True
        self._places: dict[str, _Place] = {}
        self._order: list[_Place] = []

    def forget(self) -> None:
        """Everything is otherwise: to be made anew."""
        self._is_stale = True

    def settle(self, changed: Mapping[str, Ticket | None]) -> None:
        """These tickets stand otherwise now; None: they are no more."""
        if self._is_stale:
            self._fill()
        elif changed:
            self._update(changed)

    def _fill(self) -> None:
        takes, key = self._takes, self._key
        self._places = {ticket.id: (key(ticket), len(ticket.id), ticket.id) for ticket in self._source() if takes(ticket)}
        self._order = sorted(self._places.values())
        self._is_stale = False

    def _update(self, changed: Mapping[str, Ticket | None]) -> None:
        gone = [place for name in changed if (place := self._places.pop(name, None))]
        come = [(self._key(ticket), len(name), name) for name, ticket in changed.items() if ticket and self._takes(ticket)]
        if len(changed) > _MANY:
            self._order = [place for place in self._order if place[2] in self._places]
            self._order += come
            self._order.sort()
        else:
            for place in gone:
                del self._order[bisect_left(self._order, place)]
            for place in come:
                insort(self._order, place)
        self._places |= {place[2]: place for place in come}

    def __len__(self) -> int:
        return len(self._order)

    def __getitem__(self, index: int) -> str:
        return self._order[self._turned(range(len(self))[index])][2]

    def index_of(self, ticket_id: str) -> int | None:
        """At which place the ticket stands, if it is wanted."""
        place = self._places.get(ticket_id)
        return None if place is None else self._turned(bisect_left(self._order, place))

    def _turned(self, index: int) -> int:
        return len(self._order) - 1 - index if self.is_descending else index


class Folds(dict[str, str]):
    """Names as they are compared, each folded once: as many as there are stations and trains."""

    def __missing__(self, name: str) -> str:
        self[name] = folded = fold(name)
        return folded


@lru_cache(maxsize=2**16)
def natural(text: str) -> str:
    """What to sort by, so that c2 comes before c10, and train 9 before train 10."""
    return text.zfill(20) if text.isdigit() else re.sub(r"\d+", lambda digits: digits[0].zfill(20), fold(text))


_STATE_ORDER = {FREE: 0, HELD: 1, SOLD: 2}


@dataclass
class Account:
    """What a client has: how many tickets are held for it, how many sold to it, for how many cents."""

    held: int = 0
    sold: int = 0
    cents: int = 0


class Office:
    """The tickets of the guichet as its user wants to see them: `all` by a choice and an order, `held` and `sold` too.

    `take` is told every event, and is cheap; `settle` brings everything up to date, and is called before anything is looked
    at. `newest` are the first and the last of the tickets that came last, and how many they are; `selected` is the ticket
    that the user has chosen in `all`, and `selected_client` a client.
    """

    def __init__(self, role: Guichet) -> None:
        self._role = role
        self._texts: dict[str, str] = {}
        self._folds = Folds()
        self._sold_at: dict[str, float] = {}
        self._changed: dict[str, None] = {}
        self._noted: dict[str, Ticket] = {}  # the tickets that are not free, as they are in the accounts
        self._is_new = True
        self.accounts: dict[str, Account] = {}
        self.newest = ("", "", 0)
        self.selected: str | None = None
        self.selected_client: str | None = None
        self.choice = Choice()
        self.orders = {"all": ("id", False), "held": ("left", False), "sold": ("sold_at", True), "clients": ("name", False)}
        self.all, self.held, self.sold = self._list_all(), self._list_held(), self._list_sold()

    @property
    def name(self) -> str:
        return self._role.name

    @property
    def stock(self) -> Stock:
        return self._role.stock

    @property
    def delay(self) -> float:
        """Seconds that a hold lasts."""
        return self._role.delay

    # ---------------------------------------------------------------------------------------------------- what is wanted

    def choose(self, choice: Choice) -> None:
        """Show these tickets in `all`."""
        if choice != self.choice:
            self.choice = choice
            self.all = self._list_all()

    def sort(self, listing: str, column: str, is_descending: bool) -> None:
        """Show the tickets of `all`, `held` or `sold` in the order of that column."""
        before, self.orders[listing] = self.orders[listing], (column, is_descending)
        if before[0] == column:
            getattr(self, listing).is_descending = is_descending
        else:
            setattr(self, listing, {"all": self._list_all, "held": self._list_held, "sold": self._list_sold}[listing]())

    def _list_all(self) -> Listing:
        checks = list(self._checks())
        takes = checks[0] if len(checks) == 1 else lambda ticket: all(check(ticket) for check in checks)
        return self._listing("all", lambda: self.stock, takes)

    def _list_held(self) -> Listing:
        return self._listing("held", lambda: self.stock.book(HELD).values(), lambda ticket: ticket.state == HELD)

    def _list_sold(self) -> Listing:
        return self._listing("sold", lambda: self.stock.book(SOLD).values(), lambda ticket: ticket.state == SOLD)

    def _listing(self, name: str, source: Callable[[], Iterable[Ticket]], takes: Callable[[Ticket], bool]) -> Listing:
        column, is_descending = self.orders[name]
        return Listing(source, takes, self._key(column), is_descending)

    def _checks(self) -> Iterator[Callable[[Ticket], bool]]:
        text, state, holder, since, until = self.choice
        if state:
            yield lambda ticket: ticket.state == state
        if holder:
            yield lambda ticket: holder in (ticket.client, ticket.holder(self.name))
        if since:
            yield lambda ticket: ticket.journey.date >= since
        if until:
            yield lambda ticket: ticket.journey.date <= until + "~"  # comes after every character of a date
        for word in filter(None, map(fold, text.split())):
            yield self._has(word)

    def _has(self, word: str) -> Callable[[Ticket], bool]:
        return lambda ticket: word in self._text(ticket)

    def _text(self, ticket: Ticket) -> str:
        """What the words of a choice are looked for in."""
        text = self._texts.get(ticket.id)
        if text is None:
            journey, folds = ticket.journey, self._folds
            day = journey.date.replace("-", " ")  # as a word is folded
            words = (ticket.id.casefold(), folds[journey.train], day, folds[journey.departure], folds[journey.destination])
            text = self._texts[ticket.id] = " ".join(words)
        return text

    def _key(self, column: str) -> Callable[[Ticket], Any]:
        """What to sort by; equals stand in the order of their identifiers."""
        keys: dict[str, Callable[[Ticket], Any]] = {
            "id": lambda ticket: 0,
            "train": lambda ticket: natural(ticket.journey.train),
            "date": lambda ticket: ticket.journey.date,
            "from": lambda ticket: self._folds[ticket.journey.departure],
            "to": lambda ticket: self._folds[ticket.journey.destination],
            "price": lambda ticket: ticket.journey.cents,
            "holder": lambda ticket: natural(ticket.client),
            "state": lambda ticket: _STATE_ORDER[ticket.state],
            "left": lambda ticket: ticket.deadline,
            "sold_at": lambda ticket: self._sold_at.get(ticket.id, 0.0),
        }
        return keys[column]

    # -------------------------------------------------------------------------------------------------- what has happened

    def take(self, event: Event) -> None:
        """Something happened."""
        fact = event.fact
        if isinstance(fact, TicketMoved):
            self._changed[fact.ticket.id] = None
            if fact.ticket.state == SOLD:
                self._sold_at.setdefault(fact.ticket.id, event.at)
            else:
                self._sold_at.pop(fact.ticket.id, None)
        elif isinstance(fact, TicketsAdded):
            self._changed |= dict.fromkeys(ticket.id for ticket in fact.tickets)
            if fact.tickets:
                self.newest = fact.tickets[0].id, fact.tickets[-1].id, len(fact.tickets)
        elif isinstance(fact, TicketWithdrawn):
            self._changed[fact.ticket_id] = None
        elif isinstance(fact, OfficeRestored):
            self._is_new = True
            self._sold_at.clear()

    def settle(self) -> None:
        """Bring the lists and the accounts up to date."""
        if self._is_new:
            self._begin_anew()
        changed = {name: self.stock.get(name) for name in self._changed}
        self._changed.clear()
        for name, ticket in changed.items():
            self._texts.pop(name, None)
            self._account(name, ticket)
        for listing in (self.all, self.held, self.sold):
            listing.settle(changed)

    def _begin_anew(self) -> None:
        """All tickets are others: at the beginning, and after a snapshot was loaded."""
        self._is_new = False
        for book in (self._changed, self._texts, self._noted, self.accounts):
            book.clear()
        for listing in (self.all, self.held, self.sold):
            listing.forget()
        for state in (HELD, SOLD):
            for ticket in self.stock.book(state).values():
                self._account(ticket.id, ticket)

    def _account(self, name: str, ticket: Ticket | None) -> None:
        """The ticket stands so now in its client's account."""
        before = self._noted.pop(name, None)
        if before is not None:
            self._enter(before, -1)
        if ticket is not None and ticket.state != FREE:
            self._noted[name] = ticket
            self._enter(ticket, 1)

    def _enter(self, ticket: Ticket, times: int) -> None:
        account = self.accounts.setdefault(ticket.client, Account())
        if ticket.state == HELD:
            account.held += times
        else:
            account.sold += times
            account.cents += times * ticket.journey.cents

    # ------------------------------------------------------------------------------------------------------ what is seen

    @property
    def takings(self) -> int:
        """The cents of all tickets that are sold."""
        return sum(account.cents for account in self.accounts.values())

    def sold_at(self, ticket_id: str) -> float:
        """When the ticket was sold (Unix seconds); 0 if that was before the window opened or a snapshot was loaded."""
        return self._sold_at.get(ticket_id, 0.0)

    def stations(self) -> Names:
        """The stations of all tickets. Walks over them."""
        names = Names()
        names.add(ticket.journey for ticket in self.stock)
        return names

    def holders(self) -> list[str]:
        """Who may have a ticket: the guichet, and the clients for which something was ever held."""
        return [self.name, *sorted((name for name in self.accounts if name != self.name), key=natural)]
