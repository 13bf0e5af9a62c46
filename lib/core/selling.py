"""The guichet's role: it holds the tickets, and is the one authority over them (contract, section 4).

    A client's request is answered once. Whatever comes again is answered as it was the first time: from the ticket that is
    held for it or sold to it, or from the book of closed requests. So every message may be lost, repeated or late.

The role sees no clock of Lamport's, no round, no rank and no neighbour: it is told a sentence and who said it, and yields
what it wants said (`Say`) and what happened (facts).
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from lib.core import commands as ask
from lib.core import messages as say
from lib.core.commands import CommandRefused
from lib.core.facts import (
    Answered,
    ClientForgot,
    Effect,
    OfficeRestored,
    Say,
    StateTold,
    TicketMoved,
    TicketsAdded,
    TicketWithdrawn,
)
from lib.core.messages import TicketNotice
from lib.core.recording import State, answer_as_json, answer_from_json, latest, read, ticket_as_json, ticket_from_json
from lib.core.tickets import FREE, HELD, SOLD, BadField, Search, Stock, Ticket
from lib.core.wire import MAX_DIGITS

# Closed requests that are remembered for each client, to answer a late repetition as the first time. A client repeats
# during its patience only (60 s). To forget one is safe: a client declines what it no longer asks for.
MAX_ANSWERS = 4096
MAX_ALL_ANSWERS = 250_000  # of all clients together, as far as the latest are concerned: names and requests can be forged
MAX_TICKETS = 5_000_000  # some 2 GB of memory: more is a slip in an import


class Guichet:
    """The ticket office `name`, which holds an offered ticket for `delay` seconds."""

    role = "guichet"

    def __init__(
        self,
        name: str,
        delay: float = 30.0,
        tickets: Iterable[Ticket] = (),
        answers: Iterable[Answered] = (),
        next_number: int = 1,
    ) -> None:
        self.name = name
        self.delay = delay
        self.next_number = next_number  # of a ticket: never used twice, not even after a withdrawal
        self._take_up(tickets, answers)

    def _take_up(self, tickets: Iterable[Ticket], answers: Iterable[Answered]) -> None:
        self.stock = Stock(tickets)
        self._answers: dict[str, dict[int, Answered]] = {}
        self._orders: dict[str, dict[int, str]] = {}  # client -> request -> the ticket held for it or sold to it
        self._bought: dict[str, dict[str, None]] = {}  # client -> the tickets sold to it
        self._deadlines: list[tuple[float, str]] = []  # a heap; entries of holds that ended early are passed over
        for answer in answers:
            self._remember(answer)
        for state in (HELD, SOLD):
            for ticket in self.stock.book(state).values():
                self._note(ticket)

    # ------------------------------------------------------------------------------------------- what the clients say

    def receive(self, sender: str, body: say.Body, now: float) -> Iterator[Effect]:
        """Answer the sentence `body` of client `sender`."""
        yield from self.tick(now)  # a hold that is over is over, even when its confirmation comes in the same instant
        if isinstance(body, say.Request):
            yield from self._reserve(sender, body, now) if body.reserve else self._list(sender, body)
        elif isinstance(body, say.Acknowledgement):
            yield from self._settle(sender, body)
        elif isinstance(body, say.Return):
            yield from self._take_back(sender, body)

    def _list(self, client: str, body: say.Request) -> Iterator[Effect]:
        found, total, reason = self._matches(body.search, body.limit)
        for position, ticket in enumerate(found, 1):
            yield Say(client, self._notice(client, body.request, say.LISTED, ticket, position=position, total=total))
        if not found:
            yield self._refusal(client, body.request, "", reason)

    def _matches(self, search: Search, limit: int) -> tuple[list[Ticket], int, str]:
        """The free tickets that match, how many there are in all, and why there are none."""
        if not search.ticket:
            found, total = self.stock.find(search, limit)
            return found, total, say.FULL
        ticket = self.stock.get(search.ticket)
        if ticket is None:
            return [], 0, say.UNKNOWN
        return ([ticket], 1, "") if ticket.state == FREE else ([], 0, say.UNAVAILABLE)

    def _reserve(self, client: str, body: say.Request, now: float) -> Iterator[Effect]:
        known = self._orders.get(client, {}).get(body.request)
        answer = self._answers.get(client, {}).get(body.request)
        if known:
            yield self._say_again(client, body.request, known, now)
        elif answer:
            yield self._say_closed(answer)
        else:
            yield from self._hold(client, body, now)

    def _hold(self, client: str, body: say.Request, now: float) -> Iterator[Effect]:
        found, _, reason = self._matches(body.search, 1)
        if not found:
            yield from self._refuse(client, body.request, body.search.ticket, reason)
            return
        ticket = self.stock.hold(found[0].id, client, body.request, now + self.delay)
        self._note(ticket)
        yield TicketMoved(ticket)
        yield self._say_again(client, body.request, ticket.id, now)

    def _say_again(self, client: str, request: int, ticket_id: str, now: float) -> Say:
        """The offer, or the sale, that answers this request."""
        ticket = self.stock.get(ticket_id)
        assert ticket is not None and ticket.state != FREE, f"{ticket_id} is noted for {client}, but is not set aside"
        if ticket.state == SOLD:
            return Say(client, self._notice(client, request, say.SOLD, ticket))
        left = max(0.0, ticket.deadline - now)
        return Say(client, self._notice(client, request, say.OFFERED, ticket, expires_in=left))

    def _settle(self, client: str, body: say.Acknowledgement) -> Iterator[Effect]:
        ticket = self.stock.get(body.ticket)
        answer = self._answers.get(client, {}).get(body.request)
        if ticket is not None and (ticket.client, ticket.request) == (client, body.request):
            yield from self._settle_order(ticket, body.accepted)
        elif not body.accepted:
            yield self._taken_back(client, body.request, body.ticket)
        elif answer:
            yield self._say_closed(answer)
        else:
            yield self._refusal(client, body.request, body.ticket, say.EXPIRED if ticket else say.UNKNOWN)

    def _settle_order(self, ticket: Ticket, accepted: bool) -> Iterator[Effect]:
        """The client takes or leaves the ticket that is held for it; or it has not heard yet that it is its own."""
        if ticket.state == SOLD:
            yield Say(ticket.client, self._notice(ticket.client, ticket.request, say.SOLD, ticket))
        elif accepted:
            yield from self._sell(ticket)
        else:
            yield from self._release(ticket, reason="")
            yield self._taken_back(ticket.client, ticket.request, ticket.id)

    def _sell(self, ticket: Ticket) -> Iterator[Effect]:
        sold = self.stock.sell(ticket.id)
        self._note(sold)
        yield TicketMoved(sold)
        yield Say(sold.client, self._notice(sold.client, sold.request, say.SOLD, sold))

    def _release(self, ticket: Ticket, reason: str) -> Iterator[Effect]:
        """End a hold; the request is closed with `reason` (nothing: its client left the ticket)."""
        self._forget_order(ticket)
        yield TicketMoved(self.stock.release(ticket.id))
        yield self._close(Answered(ticket.client, ticket.request, ticket.id, reason))

    def _take_back(self, client: str, body: say.Return) -> Iterator[Effect]:
        ticket = self.stock.get(body.ticket)
        answer = self._answers.get(client, {}).get(body.request)
        bought_by_it = ticket is not None and ticket.state == SOLD and ticket.client == client
        if answer and answer.ticket_id == body.ticket:  # else a line was cut off: it named another ticket
            yield self._say_closed(answer)
        elif ticket is None:
            yield from self._refuse(client, body.request, body.ticket, say.UNKNOWN)
        elif bought_by_it and ticket.request >= body.request:
            # A late repetition: the client has bought this ticket again since, by a request with a greater number.
            yield self._taken_back(client, body.request, body.ticket)
        elif bought_by_it:
            self._forget_order(ticket)
            yield TicketMoved(self.stock.give_back(ticket.id))
            yield self._close(Answered(client, body.request, ticket.id, ""))
            if ticket.request:  # a late repetition of the purchase must not buy it again
                yield self._close(Answered(client, ticket.request, ticket.id, ""))
            yield self._taken_back(client, body.request, ticket.id)
        else:
            yield from self._refuse(client, body.request, body.ticket, say.UNAVAILABLE)

    # --------------------------------------------------------------------------------------------------- what it says

    def _notice(self, client: str, request: int, status: str, ticket: Ticket, **more: float) -> TicketNotice:
        return TicketNotice(
            requester=client,
            request=request,
            status=status,
            ticket=ticket.id,
            journey=ticket.journey,
            holder=ticket.holder(self.name),
            **more,  # type: ignore[arg-type]
        )

    def _refusal(self, client: str, request: int, ticket_id: str, reason: str) -> Say:
        return Say(client, TicketNotice(client, request, say.REFUSED, ticket_id, reason=reason))

    def _taken_back(self, client: str, request: int, ticket_id: str) -> Say:
        return Say(client, TicketNotice(client, request, say.TAKEN_BACK, ticket_id))

    def _refuse(self, client: str, request: int, ticket_id: str, reason: str) -> Iterator[Effect]:
        yield self._close(Answered(client, request, ticket_id, reason))
        yield self._refusal(client, request, ticket_id, reason)

    def _say_closed(self, answer: Answered) -> Say:
        if answer.reason:
            return self._refusal(answer.client, answer.request, answer.ticket_id, answer.reason)
        return self._taken_back(answer.client, answer.request, answer.ticket_id)

    # ------------------------------------------------------------------------------------------------ what it remembers

    def _note(self, ticket: Ticket) -> None:
        """A ticket is held or sold: be able to find it by its client's request."""
        if ticket.request:
            self._orders.setdefault(ticket.client, {})[ticket.request] = ticket.id
        if ticket.state == SOLD:
            self._bought.setdefault(ticket.client, {})[ticket.id] = None
            return
        heapq.heappush(self._deadlines, (ticket.deadline, ticket.id))
        held = self.stock.book(HELD)
        if len(self._deadlines) > 2 * len(held) + 1024:  # mostly holds that ended early: start the heap anew
            self._deadlines = [(ticket.deadline, ticket.id) for ticket in held.values()]
            heapq.heapify(self._deadlines)

    def _forget_order(self, ticket: Ticket) -> None:
        self._orders.get(ticket.client, {}).pop(ticket.request, None)
        self._bought.get(ticket.client, {}).pop(ticket.id, None)

    def _close(self, answer: Answered) -> Answered:
        self._remember(answer)
        return answer

    def _remember(self, answer: Answered) -> None:
        book = self._answers.setdefault(answer.client, {})
        book[answer.request] = answer
        while len(book) > min(MAX_ANSWERS, MAX_ALL_ANSWERS // len(self._answers)):
            del book[next(iter(book))]

    # --------------------------------------------------------------------------------------------------------- the time

    @property
    def deadline(self) -> float | None:
        """When the next hold ends (Unix seconds), or None."""
        while self._deadlines and not self._is_held_until(*self._deadlines[0]):
            heapq.heappop(self._deadlines)
        return self._deadlines[0][0] if self._deadlines else None

    def _is_held_until(self, deadline: float, ticket_id: str) -> bool:
        ticket = self.stock.book(HELD).get(ticket_id)
        return ticket is not None and ticket.deadline == deadline

    def tick(self, now: float) -> Iterator[Effect]:
        """Take back every ticket whose client was late, and tell it so."""
        while (deadline := self.deadline) is not None and deadline <= now:
            ticket = self.stock.book(HELD)[heapq.heappop(self._deadlines)[1]]
            yield from self._release(ticket, say.EXPIRED)
            yield self._refusal(ticket.client, ticket.request, ticket.id, say.EXPIRED)

    def resume(self, now: float) -> Iterator[Effect]:
        """The ticket office lives again. The machine's clock may have been set back since: no hold lasts for longer than one
        that begins now."""
        for ticket in list(self.stock.book(HELD).values()):
            if ticket.deadline > now + self.delay:
                self._note(shorter := self.stock.shorten(ticket.id, now + self.delay))
                yield TicketMoved(shorter)

    # -------------------------------------------------------------------------------------------------- who comes back

    def sold_to(self, client: str) -> int:
        """How many tickets are sold to `client`."""
        return len(self._bought.get(client, {}))

    def tell_again(self, client: str) -> Iterator[Effect]:
        """Tell a client again of everything that was sold to it, so that nothing is lost with its memory."""
        for ticket_id in list(self._bought.get(client, {})):
            ticket = self.stock.book(SOLD)[ticket_id]
            yield Say(client, self._notice(client, ticket.request, say.SOLD, ticket))

    def forget_requests(self, client: str) -> Iterator[Effect]:
        """A client came back without its memory, and will use its request numbers again: nothing may be answered from
        what it asked before."""
        yield from self.forget_open(client)
        for request, ticket_id in list(self._orders.get(client, {}).items()):
            del self._orders[client][request]
            yield TicketMoved(self.stock.forget_request(ticket_id))

    def forget_open(self, client: str) -> Iterator[Effect]:
        """Release what is held for a client, and forget how its other requests were closed: what it asks under their numbers
        may be something else. What it has bought stays as it is."""
        held = self.stock.book(HELD)
        for ticket_id in list(self._orders.get(client, {}).values()):
            if ticket_id in held:
                yield from self._release(held[ticket_id], say.EXPIRED)
        if self._answers.pop(client, None) is not None:
            yield ClientForgot(client)

    def take_back_all(self, client: str) -> Iterator[Effect]:
        """A client has left for good: whatever is held for it or sold to it is free again."""
        for ticket_id in list(self._bought.get(client, {})):
            self._forget_order(self.stock.book(SOLD)[ticket_id])
            yield TicketMoved(self.stock.give_back(ticket_id))
        yield from self.forget_requests(client)

    # --------------------------------------------------------------------------------------------- what the user wants

    def command(self, command: ask.Command, now: float) -> Iterator[Effect]:
        """Carry out what the ticket office's user asks. Raises `CommandRefused`; then nothing has changed."""
        if isinstance(command, ask.AddTickets):
            return self._add(command)
        if isinstance(command, ask.ChangeTicket):
            return self._change(command)
        if isinstance(command, ask.WithdrawTicket):
            return self._withdraw(command)
        if isinstance(command, ask.TellState):
            return iter((StateTold(self.state(now)),))
        raise CommandRefused("not_for_guichet")

    def _add(self, command: ask.AddTickets) -> Iterator[Effect]:
        count = sum(seats for _, seats in command.offers)
        if len(self.stock) + count > MAX_TICKETS:
            raise CommandRefused("too_many_tickets", str(MAX_TICKETS))
        numbers = iter(range(self.next_number, self.next_number + count))
        tickets = tuple(Ticket(f"B{next(numbers):04d}", journey) for journey, seats in command.offers for _ in range(seats))
        self.next_number += count
        self.stock.put_many(tickets)
        yield TicketsAdded(tickets)

    def _change(self, command: ask.ChangeTicket) -> Iterator[Effect]:
        ticket = self._free_ticket(command.ticket_id)
        fields = ("train", "date", "departure", "destination", "cents")
        changes = {name: value for name in fields if (value := getattr(command, name)) is not None}
        try:
            changed = replace(ticket, journey=replace(ticket.journey, **changes))
        except BadField as bad:
            raise CommandRefused("bad_field", f"{bad.field} {bad.value}") from bad
        self.stock.replace_free(changed)
        yield TicketMoved(changed)

    def _withdraw(self, command: ask.WithdrawTicket) -> Iterator[Effect]:
        ticket = self._free_ticket(command.ticket_id)
        self.stock.remove_free(ticket.id)
        yield TicketWithdrawn(ticket.id)

    def _free_ticket(self, ticket_id: str) -> Ticket:
        ticket = self.stock.get(ticket_id)
        if ticket is None:
            raise CommandRefused("unknown_ticket", ticket_id)
        if ticket.state != FREE:
            raise CommandRefused("not_free", ticket_id)
        return ticket

    def state(self, now: float) -> dict[str, object]:
        """How things stand, ready for JSON: the counts, and every ticket that is not free."""
        books = (self.stock.book(state) for state in (HELD, SOLD))
        tickets = [ticket_as_json(ticket, self.name, now) for book in books for ticket in book.values()]
        counts = {state: len(self.stock.book(state)) for state in (FREE, HELD, SOLD)}
        return {**counts, "tickets": tickets}

    # ------------------------------------------------------------------------------------------- recorded, and restored

    def record(self, now: float) -> State:
        """Everything that a snapshot keeps of the guichet (contract, section 5)."""
        return {
            "role": self.role,
            "tickets": [ticket_as_json(ticket, self.name, now) for ticket in self.stock],
            "answers": [answer_as_json(answer) for book in self._answers.values() for answer in latest(book.values())],
        }

    def restore(self, state: State, forgotten: Collection[str], now: float) -> Iterator[Effect]:
        """Be as recorded again; identifiers of tickets go on. `forgotten` purchases are told to their clients again.

        Raises `Unreadable`; then nothing has changed.
        """
        recorded = read(lambda: [ticket_from_json(row, now) for row in state["tickets"]])
        tickets = tuple(replace(t, request=0) if t.id in forgotten else t for t in recorded)
        answers = read(lambda: tuple(map(answer_from_json, state.get("answers", []))))
        self._take_up(tickets, answers)
        # A file of another system may know identifiers that this one has not given out yet.
        numbers = [int(ticket.id[1:]) for ticket in tickets if ticket.id[1:].isdecimal() and len(ticket.id) <= MAX_DIGITS]
        self.next_number = max([self.next_number - 1, *numbers]) + 1
        yield OfficeRestored(tickets, answers)
