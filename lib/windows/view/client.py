"""What a client's user sees: tickets found, requests and how they stand, offers that run, tickets of their own.

The law here: what the guichet has not said is not so. A ticket is `vendu` from its word on, and one that is being given back
stays in sight until it has been taken back.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from itertools import islice
from typing import NamedTuple

from lib.core.buying import DECLINED, FIRST_PAUSE, Client
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
    BegunAnew,
    ClientRestored,
    Errand,
    ErrandMoved,
    Event,
    Holding,
    TicketKept,
    TicketLeft,
)
from lib.core.sites import DISMISSED
from lib.core.tickets import Journey, Search, fold
from lib.core.wire import MAX_LIST
from lib.texts import Text
from lib.windows.view.rows import Names, Row, clock, date_and_time, price, route, shortened, thousands
from lib.words import REASONS, counted

USUAL_LIMIT = 50  # tickets that a consultation asks for: more than fit into any window, and soon there
MORE = 4  # times as many, for whoever wants more
MAX_OPEN, MAX_CLOSED = 100, 20  # requests in sight
MAX_MOVES = 2000  # requests whose last time is remembered: beyond what a client itself remembers
_USUAL_HOLD = 30.0  # seconds: an offer's whole time, when it was made before this window lived

KINDS = {
    CONSULT: Text("consultation", "search"),
    RESERVE: Text("réservation", "reservation"),
    RETURN: Text("retour", "return"),
}

# How a row of tickets is marked, with the sign before its identifier.
MINE, WANTED, LEAVING = "mine", "wanted", "leaving"
SIGNS = {MINE: "✓ ", WANTED: "… ", LEAVING: "↩ ", "": ""}


# ------------------------------------------------------------------------------------------------- what is noted down


class Listing(NamedTuple):
    """A consultation as it was answered `at` (Unix seconds): a photograph, its tickets may have gone since."""

    errand: Errand
    at: float

    @property
    def holdings(self) -> list[Holding]:
        """What was found, the first to depart first."""
        return [holding for _, holding in sorted(self.errand.listing.items())]


class News(NamedTuple):
    """What just happened, in a sentence; good news, bad news, or neither."""

    text: Text
    is_good: bool | None = None


class Notes:
    """What a window notes down of what happens, because the site itself does not keep it.

    `listing` is the latest answered consultation; `moved` when each request changed last (Unix seconds), the latest last;
    `version` grows whenever the client's own tickets may have changed.
    """

    def __init__(self) -> None:
        self.names = Names()
        self.listing: Listing | None = None
        self.moved: dict[int, float] = {}
        self.version = 0

    def catch_up(self, role: Client) -> None:
        """Learn what was there before this window."""
        self.names.add(kept.holding.journey for kept in role.tickets.values())
        self.names.add(errand.holding.journey for errand in role.errands.values() if errand.holding)

    def take(self, event: Event) -> News | None:
        """This happened; what is to be said of it, if anything."""
        fact = event.fact
        if isinstance(fact, ErrandMoved):
            return self._move(fact.errand, event.at)
        if isinstance(fact, TicketKept):
            self.names.add((fact.holding.journey,))
        if isinstance(fact, TicketKept | TicketLeft | ClientRestored):
            self.version += 1
        return News(_begun_anew(fact), is_good=False) if isinstance(fact, BegunAnew) else None

    def _move(self, errand: Errand, at: float) -> News | None:
        self.moved.pop(errand.number, None)
        self.moved[errand.number] = at
        if len(self.moved) > MAX_MOVES:
            del self.moved[next(iter(self.moved))]
        if errand.kind == CONSULT:
            self._list(errand, at)
        elif errand.kind == RETURN:
            self.version += 1
        if errand.holding:
            self.names.add((errand.holding.journey,))
        return news(errand)

    def _list(self, errand: Errand, at: float) -> None:
        """Of two consultations at once, the answer to the later one counts."""
        is_answered = errand.state in (LISTED, REFUSED)
        if is_answered and (self.listing is None or self.listing.errand.number <= errand.number):
            self.listing = Listing(errand, at)
            self.names.add(holding.journey for holding in errand.listing.values())


def news(errand: Errand) -> News | None:
    """What is said of a request that has just come to this state."""
    ticket, number = errand.ticket_id, errand.number
    if errand.state == OFFERED:
        return News(
            Text(f"Le billet {ticket} vous est offert : confirmez-le", f"Ticket {ticket} is offered to you: confirm it")
        )
    if errand.state == OWNED:
        return News(Text(f"Le billet {ticket} est vendu : il est à vous", f"Ticket {ticket} is sold: it is yours"), True)
    if errand.state == RETURNED:
        return News(Text(f"Le guichet a repris le billet {ticket}", f"The ticket office has taken {ticket} back"), True)
    if errand.kind == CONSULT or errand.reason == DECLINED or errand.state not in (REFUSED, EXPIRED, UNREACHABLE):
        return None
    state = state_of(errand)
    return News(Text(f"Demande n°{number} — {state.fr}", f"Request no. {number} — {state.en}"), False)


def _begun_anew(fact: BegunAnew) -> Text:
    lost = counted(len(fact.tickets), "billet", "ticket")
    if fact.reason == DISMISSED:
        return Text(
            f"Le guichet a libéré ce qu'avait ce client ({lost.fr}) : il recommence à neuf",
            f"The ticket office has freed what this client had ({lost.en}): it begins anew",
        )
    return Text(
        f"Un autre client de ce nom a pris la suite ({lost.fr} perdus ici) : celui-ci recommence à neuf",
        f"Another client of this name has taken over ({lost.en} lost here): this one begins anew",
    )


# ------------------------------------------------------------------------------------------------------------- in words


def sought(search: Search) -> Text:
    """What a request looks for: `Compiègne → …, du 2025-03-17`."""
    if search.ticket:
        return Text(f"billet {search.ticket}", f"ticket {search.ticket}")
    ends = [shortened(name) or "…" for name in (search.departure, search.destination)]
    places = Text(*2 * [" → ".join(ends)]) if ends != ["…", "…"] else Text("n'importe où", "anywhere")
    since, until = date_and_time(search.since), date_and_time(search.until)
    fr = f"{', du ' + since if since else ''}{', au ' + until if until else ''}"
    en = f"{', from ' + since if since else ''}{', to ' + until if until else ''}"
    return Text(places.fr + fr, places.en + en)


def subject(errand: Errand, language: str) -> str:
    """What a request is about: its ticket, or what it looks for."""
    if errand.holding is None:
        return sought(errand.search).in_language(language)
    journey = errand.holding.journey
    return f"{errand.ticket_id} · {route(journey)} · {date_and_time(journey.date)}"


def is_repeated(errand: Errand) -> bool:
    """Whether the client says it again and again, for want of an answer."""
    return errand.next_try > 0 and errand.pause > FIRST_PAUSE


_SILENT = Text("le guichet ne répond pas", "the ticket office does not answer")
_WAS_SILENT = Text("le guichet n'a pas répondu", "the ticket office did not answer")
_AGAIN = Text("le client redemande tout seul", "the client asks again by itself")
_STATES = {
    ASKED: Text("demandé", "asked"),
    LISTED: Text("répondu", "answered"),
    OFFERED: Text("offert", "offered"),
    CONFIRMING: Text("en attente de confirmation", "waiting for confirmation"),
    OWNED: Text("vendu", "sold"),
    EXPIRED: Text("expiré", "expired"),
    RETURNED: Text("rendu", "given back"),
}


def state_of(errand: Errand) -> Text:
    """How a request stands, in words."""
    if errand.state == UNREACHABLE:
        return _SILENT if errand.next_try else _WAS_SILENT
    if errand.state == REFUSED and errand.reason == DECLINED:
        return Text("refusé par vous", "refused by you")
    if errand.state == REFUSED:
        reason = REASONS.get(errand.reason, Text(errand.reason, errand.reason))
        return Text(f"refusé : {reason.fr}", f"refused: {reason.en}")
    state = _STATES[errand.state]
    if is_repeated(errand):
        return Text(f"{state.fr}, sans réponse", f"{state.en}, no answer")
    return state


# ------------------------------------------------------------------------------------------------- tickets in a table


class TicketRows(Sequence[Row]):
    """Tickets as rows that are made when they are seen; `mark(identifier)` is one of `SIGNS`."""

    def __init__(self, holdings: Sequence[Holding], language: str, mark: Callable[[str], str] = lambda _: "") -> None:
        self._holdings = holdings
        self._language = language
        self.mark = mark

    def __len__(self) -> int:
        return len(self._holdings)

    def __getitem__(self, index):  # type: ignore[no-untyped-def]
        found = self._holdings[index]
        return [self._row(holding) for holding in found] if isinstance(index, slice) else self._row(found)

    def index_of(self, key: str) -> int | None:
        """Where the row of that ticket is."""
        return self._places.get(key)

    @cached_property
    def _places(self) -> dict[str, int]:
        return {holding.ticket_id: place for place, holding in enumerate(self._holdings)}

    def _row(self, holding: Holding) -> Row:
        ticket_id, journey = holding.ticket_id, holding.journey
        mark = self.mark(ticket_id)
        when, cost = date_and_time(journey.date), price(journey.cents, self._language)
        cells = (when, journey.train, journey.departure, journey.destination, cost, SIGNS[mark] + ticket_id)
        return Row(ticket_id, cells, mark)


def by_identifier(holding: Holding) -> tuple[int, str]:
    """B10000 comes after B9999."""
    return len(holding.ticket_id), holding.ticket_id


SORTS: dict[str, Callable[[Holding], tuple[object, ...]]] = {
    "date": lambda holding: (holding.journey.date, *by_identifier(holding)),
    "train": lambda holding: (len(holding.journey.train), holding.journey.train),
    "from": lambda holding: (fold(holding.journey.departure), holding.journey.date),
    "to": lambda holding: (fold(holding.journey.destination), holding.journey.date),
    "price": lambda holding: (holding.journey.cents, holding.journey.date),
    "id": by_identifier,
}


def in_order(holdings: Iterable[Holding], sort: tuple[str, bool]) -> list[Holding]:
    """In the order of one column, upwards or (True) downwards."""
    key, descending = sort
    return sorted(holdings, key=SORTS[key], reverse=descending)


# -------------------------------------------------------------------------------------------------------- consultations


class Answer(NamedTuple):
    """What is said above the list of tickets; `more` is how many one can ask for next (0: there are
    no more to be had), and whether that `is_all`."""

    text: Text
    more: int = 0
    is_all: bool = False

    @property
    def ask_more(self) -> Text:
        """The button that asks for more."""
        count = thousands(self.more)
        if self.is_all:
            return Text(f"Voir les {count.fr}", f"See all {count.en}")
        return Text(f"En voir {count.fr}", f"See {count.en}")


def answer(role: Client, notes: Notes) -> Answer:
    """How the latest consultation stands."""
    latest = max((errand for errand in role.errands.values() if errand.kind == CONSULT), key=_number, default=None)
    if latest is not None and latest.state == ASKED:
        return Answer(_before(_asking(latest), notes))
    if latest is not None and latest.state == UNREACHABLE:
        return Answer(_before(Text("Sans réponse : à redemander", "No answer: search again"), notes))
    if notes.listing is None:
        return Answer(Text("Dites ce que vous cherchez, puis « Consulter »", "Say what you look for, then 'Search'"))
    return _answered(notes.listing)


def _before(text: Text, notes: Notes) -> Text:
    """Until there is a newer one, the last answer is still shown: when was it true?"""
    if notes.listing is None:
        return text
    at = clock(notes.listing.at)
    return Text(f"{text.fr} (ci-dessous : à {at})", f"{text.en} (below: at {at})")


def _number(errand: Errand) -> int:
    return errand.number


def _asking(errand: Errand) -> Text:
    if errand.listing:
        there, wanted = len(errand.listing), min(errand.total, errand.limit)
        return Text(f"Consultation… {there} billets sur {wanted}", f"Searching… {there} tickets of {wanted}")
    return Text("Consultation…", "Searching…")


def _answered(listing: Listing) -> Answer:
    errand, at = listing.errand, clock(listing.at)
    there, total = len(errand.listing), thousands(errand.total)
    if not there:
        return Answer(Text(f"Aucun billet libre ne convient (à {at})", f"No free ticket matches (at {at})"))
    if there == errand.total:
        free = counted(there, "billet", "ticket")
        return Answer(Text(f"{free.fr} libre{'s' if there > 1 else ''} à {at}", f"{free.en} free at {at}"))
    shown = thousands(there)
    text = Text(f"{shown.fr} billets sur {total.fr} libres à {at}", f"{shown.en} tickets of {total.en} free at {at}")
    more = min(MORE * there, errand.total, MAX_LIST) if there < MAX_LIST else 0
    return Answer(text, more, is_all=more == errand.total)


def wanted(role: Client) -> set[str]:
    """The tickets that are asked for at this moment, and not yet had."""
    open_ones = (role.errands[number] for number in role.open_requests())
    return {errand.ticket_id for errand in open_ones if errand.kind == RESERVE and errand.ticket_id}


# --------------------------------------------------------------------------------------------------------------- offers


class Offer(NamedTuple):
    """A ticket that is held for this client's request `number`: `left` of `whole` seconds to confirm it."""

    number: int
    ticket_id: str
    journey: Journey
    left: float
    whole: float


def offers(role: Client, notes: Notes, now: float) -> list[Offer]:
    """The offers that run, the one that ends first first."""
    running = [errand for errand in role.errands.values() if errand.state == OFFERED and errand.holding]
    return [_offer(errand, notes, now) for errand in sorted(running, key=lambda errand: errand.deadline)]


def _offer(errand: Errand, notes: Notes, now: float) -> Offer:
    assert errand.holding is not None
    began = notes.moved.get(errand.number, errand.deadline - _USUAL_HOLD)
    left, whole = max(0.0, errand.deadline - now), max(errand.deadline - began, 0.001)
    return Offer(errand.number, errand.ticket_id, errand.holding.journey, left, whole)


# ------------------------------------------------------------------------------------------------------------- requests

TAGS = {OWNED: "good", RETURNED: "good", REFUSED: "bad", EXPIRED: "bad", UNREACHABLE: "bad", OFFERED: "offer"}
CLOSED = "closed"  # how the row is tagged, and what it is called, that stands above those that are over


def requests(role: Client, notes: Notes, now: float, language: str, apart: bool = True) -> list[Row]:
    """The requests that the user waits for, offers first, then those that are over, the latest first; `apart`: with a row
    between them."""
    numbers = role.open_requests()
    waiting = sorted((role.errands[number] for number in numbers), key=_urgency)
    rows = [_request(errand, notes, language, _open_state(errand, now), _open_tag(errand)) for errand in waiting[:MAX_OPEN]]
    if len(waiting) > MAX_OPEN:
        rest = Text(f"… et {len(waiting) - MAX_OPEN} autres en cours", f"… and {len(waiting) - MAX_OPEN} more under way")
        rows.append(Row("more", ("", rest.in_language(language), "", "")))
    ended = _closed(role, notes, set(numbers))
    over = [_request(errand, notes, language, state_of(errand), _closed_tag(errand)) for errand in ended]
    if rows and over and apart:
        rows.append(Row(CLOSED, ("", Text("— terminées —", "— over —").in_language(language), "", ""), CLOSED))
    return rows + over


def _urgency(errand: Errand) -> tuple[int, float]:
    """Offers by their end, then everything else from the latest."""
    return (0, errand.deadline) if errand.state == OFFERED else (1, -errand.number)


def _open_state(errand: Errand, now: float) -> Text:
    state = state_of(errand)
    if errand.state != OFFERED:
        return state
    left = math.ceil(max(0.0, errand.deadline - now))
    return Text(f"{state.fr}, encore {left} s pour confirmer", f"{state.en}, {left} s left to confirm")


def _open_tag(errand: Errand) -> str:
    return "bad" if is_repeated(errand) else TAGS.get(errand.state, "open")


def _closed_tag(errand: Errand) -> str:
    return CLOSED if errand.reason == DECLINED else TAGS[errand.state]  # what one refused oneself is no bad news


def _closed(role: Client, notes: Notes, still_open: set[int]) -> Iterable[Errand]:
    """Those that ended lately; a consultation that was answered is seen elsewhere."""
    latest = (role.errands.get(number) for number in reversed(notes.moved) if number not in still_open)
    ended = (errand for errand in latest if errand and (errand.kind != CONSULT or errand.state == UNREACHABLE))
    return islice(ended, MAX_CLOSED)


def _request(errand: Errand, notes: Notes, language: str, state: Text, tag: str) -> Row:
    kind = KINDS[errand.kind].in_language(language)
    at = clock(notes.moved[errand.number]) if errand.number in notes.moved else ""
    cells = (str(errand.number), state.in_language(language), f"{kind} · {subject(errand, language)}", at)
    return Row(str(errand.number), cells, tag)


def silence(role: Client) -> Text | None:
    """That the guichet does not answer, if it does not, and what is done about it."""
    count = sum(is_repeated(role.errands[number]) for number in role.open_requests())
    if not count:
        return None
    waiting = counted(count, "demande", "request")
    return Text(
        f"Le guichet ne répond pas ({waiting.fr}) : {_AGAIN.fr}",
        f"The ticket office does not answer ({waiting.en}): {_AGAIN.en}",
    )


# ----------------------------------------------------------------------------------------------------------- my tickets


class Belongings(NamedTuple):
    """The client's tickets: those that are its own, and those that the guichet has not taken back yet."""

    owned: list[Holding]
    leaving: list[Holding]

    def total(self, language: str) -> str:
        """`3 billets · 46,20 €`: what is being given back does not count."""
        count = counted(len(self.owned), "billet", "ticket").in_language(language)
        return f"{count} · {price(sum(holding.journey.cents for holding in self.owned), language)}"

    @property
    def pending(self) -> Text | None:
        """What is to be said of those that are being given back."""
        count = len(self.leaving)
        return Text(
            f"↩ {count} en cours de retour, pas encore accepté par le guichet",
            f"↩ {count} being given back, not yet accepted by the ticket office",
        ) if count else None  # fmt: skip


def belongings(role: Client) -> Belongings:
    """What the client has."""
    returns = (role.errands[number] for number in role.open_requests())
    leaving = [errand.holding for errand in returns if errand.kind == RETURN and errand.holding]
    return Belongings([kept.holding for kept in role.tickets.values()], leaving)
