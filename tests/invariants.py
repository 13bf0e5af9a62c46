"""What must always be true of the whole system, by name. Each takes the simulated world and says what it saw.

An invariant raises `Violation` with the facts; it never looks at how the program came to them.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from lib.core.buying import Client
from lib.core.facts import ASKED, CONFIRMING, OFFERED, RESERVE, UNREACHABLE
from lib.core.tickets import HELD, SOLD, fold

if TYPE_CHECKING:
    from tests.simulator import World


class Violation(AssertionError):
    """An invariant does not hold."""


def require(condition: bool, what: str) -> None:
    """Raise a `Violation` that says what was seen, unless the condition holds."""
    if not condition:
        raise Violation(what)


def every_ticket_is_in_one_place(world: World) -> None:
    """Every ticket that was ever put on sale and not withdrawn is in exactly one of the guichet's three books."""
    seen = Counter(ticket.id for ticket in world.guichet.stock)
    twice = [name for name, count in seen.items() if count > 1]
    require(not twice, f"in several books: {twice}")
    require(set(seen) == world.on_sale, f"lost: {world.on_sale - set(seen)}, invented: {set(seen) - world.on_sale}")


def a_ticket_has_one_holder(world: World) -> None:
    """A client that believes that a ticket is its own is the one to which the guichet sold it: so there is one at most."""
    for client in world.clients():
        if world.is_behind(client.name):  # restored later than the guichet: it knows that it knows nothing yet
            continue
        for ticket_id in client.tickets:
            ticket = world.guichet.stock.get(ticket_id)
            require(
                ticket is not None and ticket.state == SOLD and ticket.client == client.name,
                f"{client.name} believes that it has {ticket_id}, the guichet says {ticket}",
            )


def nothing_told_is_forgotten(world: World) -> None:
    """What a client with a store was told is its own stays its own until it gives it back."""
    for name, told in world.told.items():
        client = world.role(name)
        if isinstance(client, Client) and not world.is_behind(name):
            lost = [ticket for ticket in told if ticket not in client.tickets]
            require(not lost, f"{name} was told that {lost} are its own, and has them no more")


def clocks_never_go_back(world: World) -> None:
    """C(i) grows with every event of a site, over its lives when it has a store (Lamport 1978, IR1)."""
    for name, site in world.sites.items():
        require(site.clock.time >= world.latest_clock[name], f"{name}: {world.latest_clock[name]} -> {site.clock.time}")
        world.latest_clock[name] = site.clock.time


def what_is_offered_was_asked_for(world: World) -> None:
    """No request is answered with the ticket of another one, not even of an earlier life's of the same number."""
    for client in world.clients():
        for errand in client.errands.values():
            if errand.kind == RESERVE and errand.holding:
                search, journey = errand.search, errand.holding.journey
                asked = (search.ticket or errand.holding.ticket_id, fold(search.departure), fold(search.destination))
                got = (
                    errand.holding.ticket_id,
                    fold(journey.departure) if search.departure else "",
                    fold(journey.destination) if search.destination else "",
                )
                require(asked == got, f"{client.name} asked for {search}, got {errand.holding}")


AT_EVERY_STEP = (
    every_ticket_is_in_one_place,
    a_ticket_has_one_holder,
    nothing_told_is_forgotten,
    clocks_never_go_back,
    what_is_offered_was_asked_for,
)


def nobody_waits_for_ever(world: World) -> None:
    """Once the links are whole and time has passed, every request has found its end."""
    for client in world.clients():
        open_states = (ASKED, OFFERED, CONFIRMING, UNREACHABLE)
        waiting = [e for e in client.errands.values() if e.state in open_states and (e.next_try or e.state == OFFERED)]
        require(not waiting, f"{client.name} still waits: {waiting}")


def no_hold_outlives_its_deadline(world: World) -> None:
    """A late ticket is taken back."""
    held = list(world.guichet.stock.book(HELD).values())
    require(not held, f"still held: {held}")


def both_sides_agree(world: World) -> None:
    """What the guichet has sold is what the clients have, ticket by ticket."""
    sold = {(ticket.id, ticket.client) for ticket in world.guichet.stock.book(SOLD).values()}
    kept = {(ticket_id, client.name) for client in world.clients() for ticket_id in client.tickets}
    require(sold == kept, f"sold, not kept: {sold - kept}; kept, not sold: {kept - sold}")


AFTER_HEALING = (nobody_waits_for_ever, no_hold_outlives_its_deadline, both_sides_agree)
