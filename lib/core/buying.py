"""The client's role: it consults, reserves, confirms and gives back (contract, section 4).

    An errand is one request of the user, and its states are one table. A ticket is ours from the guichet's `vendu` on, and
    no earlier; it is ours no more from the moment that we say that we give it back. What we said and what is not answered
    is said again, at growing intervals, with the same number; what was asked in vain for `patience` seconds is told to the
    user. But once we have confirmed an offer or given a ticket back, only the guichet knows the end: we go on asking it.

A purchase that was given back is remembered by its ticket and request: a `vendu` of it that comes late is an echo.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator

from lib.core import commands as ask
from lib.core import messages as say
from lib.core.commands import CommandRefused
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
    ClientRestored,
    Effect,
    Errand,
    ErrandForgotten,
    ErrandMoved,
    Holding,
    Say,
    StateTold,
    TicketKept,
    TicketLeft,
)
from lib.core.recording import (
    LARGEST,
    State,
    checked_number,
    checked_purchase,
    errand_as_json,
    errand_from_json,
    kept_as_json,
    kept_from_json,
    latest,
    read,
)
from lib.core.tickets import Search

# (kind, state, what happens) -> state. What is not in the table does not happen: such a message is an echo.
TRANSITIONS: dict[tuple[str, str, str], str] = {
    (CONSULT, ASKED, "list"): LISTED,
    (CONSULT, ASKED, "refuse"): REFUSED,
    (CONSULT, ASKED, "give up"): UNREACHABLE,
    (RESERVE, ASKED, "offer"): OFFERED,
    (RESERVE, ASKED, "refuse"): REFUSED,
    (RESERVE, ASKED, "expire"): EXPIRED,  # every offer was lost until the hold ended
    (RESERVE, ASKED, "give up"): UNREACHABLE,
    (RESERVE, OFFERED, "confirm"): CONFIRMING,
    (RESERVE, OFFERED, "decline"): REFUSED,
    (RESERVE, OFFERED, "refuse"): REFUSED,
    (RESERVE, OFFERED, "expire"): EXPIRED,
    (RESERVE, CONFIRMING, "refuse"): REFUSED,
    (RESERVE, CONFIRMING, "expire"): EXPIRED,
    (RESERVE, CONFIRMING, "give up"): UNREACHABLE,
    (RETURN, ASKED, "take back"): RETURNED,
    (RETURN, ASKED, "refuse"): REFUSED,
    (RETURN, ASKED, "give up"): UNREACHABLE,
    (RETURN, UNREACHABLE, "take back"): RETURNED,
    (RETURN, UNREACHABLE, "refuse"): REFUSED,
    # Told that it is sold, a client keeps the ticket, whatever it had come to believe.
    **{(RESERVE, state, "sell"): OWNED for state in (ASKED, OFFERED, CONFIRMING, REFUSED, EXPIRED, UNREACHABLE)},
    # Confirmed, then unreachable: the end may still come.
    (RESERVE, UNREACHABLE, "refuse"): REFUSED,
    (RESERVE, UNREACHABLE, "expire"): EXPIRED,
}

FIRST_PAUSE = 1.0  # seconds before a message is said again; doubled each time, up to:
LONGEST_PAUSE = 15.0
MAX_HISTORY = 1000  # closed errands that the user can still look up
MAX_OWNED = 100_000  # tickets of a client: as many as `wire.MAX_PARTS` of a state can name
DECLINED = "client"  # the reason of a refusal that is the user's own


class Client:
    """Client `name` of the ticket office `office`; `automatic` confirms every offer by itself."""

    role = "client"

    def __init__(
        self,
        name: str,
        office: str = "gch",
        patience: float = 60.0,
        automatic: bool = False,
        errands: Iterable[Errand] = (),
        tickets: Iterable[TicketKept] = (),
        given_back: Iterable[tuple[str, int]] = (),
        next_number: int = 1,
    ) -> None:
        self.name = name
        self.office = office
        self.patience = patience
        self.automatic = automatic
        self.next_number = next_number
        self._take_up(errands, tickets, given_back)

    def _take_up(
        self, errands: Iterable[Errand], tickets: Iterable[TicketKept], given_back: Iterable[tuple[str, int]]
    ) -> None:
        self.errands = {errand.number: errand for errand in errands}
        self.tickets = {kept.holding.ticket_id: kept for kept in tickets}
        self.given_back = dict.fromkeys(given_back)  # (ticket, request that bought it): purchases that are over
        self._closed = {number: None for number, errand in sorted(self.errands.items()) if not _is_open(errand)}
        self._wakings: list[tuple[float, int]] = []  # a heap; what an errand no longer waits for is passed over
        for errand in self.errands.values():
            self._note(errand)

    # ---------------------------------------------------------------------------------------------- what the user wants

    def command(self, command: ask.Command, now: float) -> Iterator[Effect]:
        """Carry out what the client's user asks. Raises `CommandRefused`; then nothing has changed."""
        if isinstance(command, ask.Consult):
            return self._ask(CONSULT, command.search, command.limit, now)
        if isinstance(command, ask.Reserve):
            return self._ask(RESERVE, command.search, 1, now)
        if isinstance(command, ask.Confirm):
            return self._confirm(self._offered(command.request), now)
        if isinstance(command, ask.Decline):
            return self._decline(self._offered(command.request), now)
        if isinstance(command, ask.GiveBack):
            return self._give_back(command.ticket_id, now)
        if isinstance(command, ask.TellState):
            return iter((StateTold(self.state(now)),))
        raise CommandRefused("not_for_client")

    def _ask(self, kind: str, search: Search, limit: int, now: float) -> Iterator[Effect]:
        yield from self._begin(Errand(self.take_number(), kind, ASKED, search, limit), now)

    def _begin(self, errand: Errand, now: float) -> Iterator[Effect]:
        yield from self._say(errand._replace(give_up=now + self.patience), now)

    def take_number(self) -> int:
        """A request number that was never used."""
        self.next_number += 1
        return self.next_number - 1

    def _offered(self, number: int) -> Errand:
        errand = self.errands.get(number)
        if errand is None:
            raise CommandRefused("unknown_request", str(number))
        if errand.state == EXPIRED:
            raise CommandRefused("offer_expired", str(number))
        if errand.state != OFFERED:
            raise CommandRefused("not_offered", str(number))
        return errand

    def _confirm(self, errand: Errand, now: float) -> Iterator[Effect]:
        yield from self._say(self._moved(errand, "confirm")._replace(give_up=now + self.patience, pause=0.0), now)

    def _decline(self, errand: Errand, now: float) -> Iterator[Effect]:
        # The user is done with it. What is left to do is to be heard: the ticket is free again for others the sooner.
        declined = self._moved(errand, "decline")._replace(reason=DECLINED, give_up=now + self.patience, pause=0.0)
        yield from self._say(declined, now)
        yield from self._close(errand.number)

    def _give_back(self, ticket_id: str, now: float) -> Iterator[Effect]:
        kept = self.tickets.get(ticket_id)
        if kept is None:
            raise CommandRefused("not_mine", ticket_id)
        errand = Errand(self.take_number(), RETURN, ASKED, Search(ticket=ticket_id), holding=kept.holding)
        del self.tickets[ticket_id]
        self.given_back[ticket_id, kept.request] = None
        yield TicketLeft(ticket_id, kept.request)
        yield from self._begin(errand, now)

    # ------------------------------------------------------------------------------------------ what the guichet says

    def receive(self, sender: str, body: say.Body, now: float) -> Iterator[Effect]:
        """Take in a sentence of the guichet's; the site lets nobody else's through."""
        if not isinstance(body, say.TicketNotice):
            return
        errand = self.errands.get(body.request)
        if self.next_number <= body.request < LARGEST:  # our store is an old copy: that number was ours
            self.next_number = body.request + 1
        if body.status == say.SOLD:
            yield from self._keep(body, errand)
        elif body.status == say.OFFERED:
            yield from self._be_offered(body, errand, now)
        elif errand is None or (errand.kind == RETURN and body.ticket != errand.ticket_id):
            return
        elif body.status == say.LISTED:
            yield from self._list(body, errand)
        elif body.status == say.TAKEN_BACK:
            yield from self._end(errand, "take back")
        else:
            happens = "expire" if body.reason == say.EXPIRED else "refuse"
            yield from self._end(errand, happens, reason=body.reason)

    def _keep(self, body: say.TicketNotice, errand: Errand | None) -> Iterator[Effect]:
        """Sold to us: ours, unless it is the echo of a sale that we have given back since."""
        assert body.journey is not None
        holding = Holding(body.ticket, body.journey, self.name)
        is_echo = (body.ticket, body.request) in self.given_back
        if not is_echo and body.ticket not in self.tickets and len(self.tickets) < MAX_OWNED:
            self.tickets[body.ticket] = TicketKept(holding, body.request)
            yield self.tickets[body.ticket]
        if errand is not None and errand.kind == RESERVE:
            yield from self._end(errand, "sell", holding=holding)

    def _be_offered(self, body: say.TicketNotice, errand: Errand | None, now: float) -> Iterator[Effect]:
        wanted = errand is not None and (errand.kind, errand.state, "offer") in TRANSITIONS
        if wanted and errand is not None:
            assert body.journey is not None
            holding = Holding(body.ticket, body.journey, body.holder)
            offered = self._moved(errand, "offer")._replace(holding=holding, deadline=now + body.expires_in, next_try=0.0)
            yield self._keep_in_mind(offered)
            if self.automatic:
                yield from self._confirm(offered, now)
        elif errand is None or not (_is_open(errand) or errand.next_try or body.ticket in self.tickets):
            # An offer that nobody waits for any more: leave the ticket, so that others get it the sooner.
            yield Say(self.office, say.Acknowledgement(self.name, body.request, body.ticket, accepted=False))

    def _list(self, body: say.TicketNotice, errand: Errand) -> Iterator[Effect]:
        wanted = min(body.total, errand.limit)
        if errand.kind != CONSULT or errand.state != ASKED or not body.journey or not 1 <= body.position <= wanted:
            return
        # The stock may have changed between two answers: a list with another total is another list.
        before = errand.listing if errand.total == body.total else {}
        others = {position: holding for position, holding in before.items() if holding.ticket_id != body.ticket}
        listing = others | {body.position: Holding(body.ticket, body.journey, body.holder)}
        errand = errand._replace(listing=listing, total=body.total)
        self.errands[errand.number] = errand
        if len(listing) == wanted:
            yield from self._end(errand, "list")

    # -------------------------------------------------------------------------------------------------- how errands move

    @staticmethod
    def _moved(errand: Errand, happens: str) -> Errand:
        return errand._replace(state=TRANSITIONS[errand.kind, errand.state, happens])

    def _end(self, errand: Errand, happens: str, **changes: object) -> Iterator[Effect]:
        """The errand is over, if that can happen to it now; in any case it need not be said again."""
        if (errand.kind, errand.state, happens) in TRANSITIONS:
            errand = self._moved(errand, happens)._replace(next_try=0.0, **changes)  # type: ignore[arg-type]
            yield self._keep_in_mind(errand)
            yield from self._close(errand.number)
        elif errand.next_try and not _is_open(errand):  # it was declined, and that has been heard
            yield self._keep_in_mind(errand._replace(next_try=0.0))

    def _keep_in_mind(self, errand: Errand) -> ErrandMoved:
        self.errands[errand.number] = errand
        self._note(errand)
        return ErrandMoved(errand)

    def _close(self, number: int) -> Iterator[Effect]:
        self._closed.pop(number, None)  # one that ends a second time (expired, yet sold) is as young as its latest end
        self._closed[number] = None
        if len(self._closed) > MAX_HISTORY:
            oldest = next(iter(self._closed))
            del self._closed[oldest]
            self.errands.pop(oldest, None)
            yield ErrandForgotten(oldest)

    # ------------------------------------------------------------------------------------------------ said, and said again

    def _say(self, errand: Errand, now: float) -> Iterator[Effect]:
        """Say what the errand needs said, and note when to say it again."""
        before = self.errands.get(errand.number)
        pause = min(max(FIRST_PAUSE, 2 * errand.pause), LONGEST_PAUSE)
        moved = self._keep_in_mind(errand._replace(pause=pause, next_try=now + pause))
        if before is None or before.state != errand.state:
            yield moved
        yield Say(self.office, self._sentence(errand))

    def _sentence(self, errand: Errand) -> say.Body:
        if errand.kind == RETURN:
            return say.Return(self.name, errand.number, errand.ticket_id)
        if errand.holding:
            accepted = errand.reason != DECLINED
            return say.Acknowledgement(self.name, errand.number, errand.ticket_id, accepted)
        return say.Request(self.name, errand.number, errand.kind == RESERVE, errand.search, errand.limit)

    # --------------------------------------------------------------------------------------------------------- the time

    @property
    def deadline(self) -> float | None:
        """When the next errand wants attention (Unix seconds), or None."""
        while self._wakings and not self._is_awaited(*self._wakings[0]):
            heapq.heappop(self._wakings)
        return self._wakings[0][0] if self._wakings else None

    def _is_awaited(self, at: float, number: int) -> bool:
        errand = self.errands.get(number)
        return errand is not None and _waking(errand) == at

    def _note(self, errand: Errand) -> None:
        at = _waking(errand)
        if at is not None:
            heapq.heappush(self._wakings, (at, errand.number))

    def tick(self, now: float) -> Iterator[Effect]:
        """Say again what is not answered, tell the user what was asked in vain, end the offers that are over."""
        while (deadline := self.deadline) is not None and deadline <= now:
            errand = self.errands[heapq.heappop(self._wakings)[1]]
            if errand.state == OFFERED:
                yield from self._end(errand, "expire", reason=say.EXPIRED)
            elif errand.state == UNREACHABLE or errand.give_up > now:
                yield from self._say(errand, now)
            else:
                yield from self._give_up(errand, now)

    def _give_up(self, errand: Errand, now: float) -> Iterator[Effect]:
        if errand.state == REFUSED:  # declined: the hold ends by itself, there is nothing to tell
            yield self._keep_in_mind(errand._replace(next_try=0.0))
        elif errand.state == CONFIRMING or errand.kind == RETURN:
            yield from self._say(self._moved(errand, "give up"), now)  # only the guichet knows the end: go on asking
        else:
            yield from self._end(errand, "give up")

    def resume(self, now: float) -> Iterator[Effect]:
        """The guichet is there (again): say at once, with new patience, whatever is not answered."""
        for errand in sorted(self.errands.values(), key=lambda errand: errand.number):
            if errand.next_try:
                yield from self._say(errand._replace(give_up=now + self.patience, pause=0.0), now)

    def open_requests(self) -> list[int]:
        """The numbers of the requests that the user still waits for."""
        return [number for number, errand in self.errands.items() if _is_open(errand)]

    def forget(self) -> Iterator[Effect]:
        """Nothing that it has or asked for counts any more; request numbers go on."""
        self._take_up((), (), ())
        yield ClientRestored((), (), ())

    # ------------------------------------------------------------------------------------------------------ what it has

    def state(self, now: float) -> dict[str, object]:
        """What the client has, ready for JSON: its tickets, and the errands that are not closed."""
        tickets = [kept_as_json(kept, self.name) for kept in self.tickets.values()]
        requests = [errand_as_json(errand, now) for errand in self.errands.values() if _is_open(errand)]
        return {"tickets": tickets, "requests": requests}

    def record(self, now: float) -> State:
        """Everything that a snapshot keeps of the client (contract, section 5); a consultation is not worth keeping."""
        errands = [e for e in self.errands.values() if e.kind != CONSULT and (_is_open(e) or e.next_try)]
        return {
            "role": self.role,
            "tickets": [kept_as_json(kept, self.name) for kept in self.tickets.values()],
            "requests": [errand_as_json(errand, now) for errand in errands],
            "given_back": [list(purchase) for purchase in latest(self.given_back)],
            "next_request": self.next_number,
        }

    def restore(self, state: State, now: float) -> Iterator[Effect]:
        """Be as recorded again; request numbers go on. Raises `Unreadable`; then nothing has changed."""
        errands = read(lambda: tuple(errand_from_json(row, now, self.patience) for row in state.get("requests", [])))
        tickets = read(lambda: tuple(kept_from_json(row) for row in state.get("tickets", [])))
        given_back = read(lambda: tuple(checked_purchase(*row) for row in state.get("given_back", [])))
        next_number = read(lambda: checked_number(state.get("next_request", 1)))
        self._take_up(errands, tickets, given_back)
        # A client without a store may be younger than the file: its numbers go on from those that it has used there. The
        # guichet remembers closed ones, too, and would answer from them.
        used = [*self.errands, *(kept.request for kept in tickets), *(request for _, request in given_back)]
        self.next_number = max([self.next_number, next_number, *(number + 1 for number in used)])
        yield ClientRestored(errands, tickets, given_back)


def _is_open(errand: Errand) -> bool:
    """Whether the user still waits for the end of this errand."""
    return errand.state in (ASKED, OFFERED, CONFIRMING) or (errand.state == UNREACHABLE and errand.next_try > 0)


def _waking(errand: Errand) -> float | None:
    """When this errand wants attention: its offer ends, its message is to be said again, or patience is over."""
    if errand.state == OFFERED:
        return errand.deadline
    if not errand.next_try:
        return None
    return errand.next_try if errand.state == UNREACHABLE else min(errand.next_try, errand.give_up)
