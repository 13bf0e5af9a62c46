"""Lines that nobody of ours wrote, or that came bent: a site drops them, or believes them at a bounded price.

"Input is never trusted" (contract, section 1). How to draw more examples: `tests/fuzz/__init__.py`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.core import commands as ask
from lib.core import facts, wire
from lib.core import messages as say
from lib.core.buying import Client
from lib.core.facts import Dropped, Errand, Holding, Reaction, TicketKept
from lib.core.sites import ClientSite, GuichetSite
from lib.core.tickets import Search
from lib.edge import trace
from tests.core.examples import journey, message
from tests.core.test_snapshot import NOW, System, sealed
from tests.fuzz import corpus, examples
from tests.fuzz.bend import bent_bytes, bent_json, bent_line

Site = GuichetSite | ClientSite
FIRST = 5_000  # numbers from here on were never used in the examples


def busy(red: bool = True, restoring: bool = False) -> System:
    """Sites that are in the middle of everything: sold and held tickets, open requests, a round, perhaps a restoration."""
    system = System(clients=2, tickets=6)
    system.order("c1", ask.Reserve(Search()))
    system.order("c2", ask.Reserve(Search()))
    system.run()
    system.order("gch", ask.TakeSnapshot())
    system.run()
    system.hold("c2")
    system.order("c2", ask.Reserve(Search()))
    system.order("c1", ask.Consult(Search()))
    system.run()
    if restoring:
        system.order("gch", ask.Restore(sealed(system.documents[-1])))
    if red:
        system.order("c1", ask.TakeSnapshot())
    system.run()
    return system


def said_in(system: System) -> list[bytes]:
    """Every line that was said."""
    return [fact.line for facts_of in system.events.values() for fact in facts_of if isinstance(fact, facts.Sent)]


SYSTEM = busy(restoring=True)
LINES = said_in(SYSTEM)
STATES = [json.loads(body.text) for line in LINES if isinstance(body := wire.decode(line).body, say.SnapshotState)]
NAMES = st.sampled_from(["gch", "c1"])

# What a client can be in the middle of, and no single moment has all of.
HOLDING = Holding("B0003", journey(), "gch")
ERRANDS = (
    Errand(11, facts.RESERVE, facts.ASKED, Search(departure="Creil"), next_try=NOW, give_up=NOW + 60),
    Errand(12, facts.RESERVE, facts.OFFERED, Search(), holding=HOLDING, deadline=NOW + 20),
    Errand(13, facts.RESERVE, facts.CONFIRMING, Search(), holding=HOLDING, next_try=NOW, give_up=NOW + 60),
    Errand(14, facts.RESERVE, facts.REFUSED, Search(), holding=HOLDING, reason="client", next_try=NOW, give_up=NOW + 60),
    Errand(15, facts.RESERVE, facts.UNREACHABLE, Search(), holding=HOLDING, next_try=NOW, give_up=NOW - 60),
    Errand(16, facts.RETURN, facts.ASKED, Search(ticket="B0003"), holding=HOLDING, next_try=NOW, give_up=NOW + 60),
)
KEPT = (TicketKept(Holding("B0004", journey(), "c1"), 3), TicketKept(Holding("B0005", journey(), "c1"), 0))
BUSY_CLIENT = Client("c1", errands=ERRANDS, tickets=KEPT, given_back=[("B0006", 2)], next_number=17)
STATES.append(STATES[-1] | BUSY_CLIENT.record(NOW))


def fingerprint(site: Site) -> str:
    """Everything that a line could change in a site, without what it counts and remembers of the network."""
    known = [peer for peer in site.peers.all() if peer.life]
    peers = [(peer.name, peer.role, peer.life, peer.present, peer.sent, peer.received) for peer in known]
    numbers = (site.life, site.clock.time, site.round, site.epoch, site.snapshots.is_open, site.role.next_number)
    return f"{site.role.record(NOW)} {numbers} {peers}"


def is_sound(site: Site) -> None:
    """The site lives: it can be asked, told the time, photographed, and what it says can be read."""
    assert math.isfinite(site.deadline)
    reactions = [site.command(ask.TellState(), NOW)]
    for later in (0.0, 1.0, 100.0, 1e6):
        reactions.append(site.tick(NOW + later))
        assert math.isfinite(site.deadline)
    said: Iterable[bytes] = (line for reaction in reactions for line in reaction.lines)
    for line in said:
        assert len(line) < wire.MAX_WRITTEN
        wire.decode(line)
    told = [event.fact.state for event in reactions[0].events if isinstance(event.fact, facts.StateTold)]
    json.dumps(told, allow_nan=False)
    json.dumps(site.capture(NOW), allow_nan=False)
    if isinstance(site, GuichetSite):
        books = [ticket.id for ticket in site.role.stock]
        assert len(set(books)) == len(books)


def is_a_refusal(reaction: Reaction) -> bool:
    """Whether nothing but dropping lines came of it."""
    return bool(reaction.events) and all(isinstance(event.fact, Dropped) for event in reaction.events)


def hear(site: Site, lines: Iterable[bytes]) -> None:
    """Feed the lines one by one; a line that is dropped has changed nothing."""
    for line in lines:
        before = fingerprint(site)
        reaction = site.hear([line], NOW)
        if is_a_refusal(reaction):
            assert fingerprint(site) == before, line
        for written in reaction.lines:
            assert len(written) < wire.MAX_READ
        for event in reaction.events:
            json.dumps(trace._row(event), ensure_ascii=False, allow_nan=False).encode()
    is_sound(site)


@pytest.mark.parametrize("name", ["gch", "c1"])
def test_the_corpus(name: str) -> None:
    hear(busy().sites[name], corpus("lines.txt"))


@given(NAMES, st.lists(st.binary(max_size=200).filter(lambda line: b"\n" not in line), max_size=5))
@examples(30)
def test_noise(name: str, lines: list[bytes]) -> None:
    hear(SYSTEM.sites[name], lines)


@given(NAMES, st.booleans(), st.booleans(), st.data())
@examples(60)
def test_bent_lines(name: str, red: bool, restoring: bool, data: st.DataObject) -> None:
    site = busy(red, restoring).sites[name]
    lines = st.sampled_from(LINES)
    bent = [data.draw(bent_line(data.draw(lines), FIRST + number)) for number in range(data.draw(st.integers(1, 6)))]
    hear(site, [line for line in bent if b"\n" not in line])


def forged(body: say.Body, number: int, **envelope: Any) -> bytes:
    """A line that pretends to be said by a site of the examples."""
    return wire.encode(message(body, sequence=FIRST + number, timestamp=50, **envelope), "c2")


@given(st.sampled_from(STATES), st.sampled_from(["c1", "c2", "c9"]), st.data())
@examples(60)
def test_bent_states_reported_to_the_guichet(state: dict[str, Any], sender: str, data: st.DataObject) -> None:
    """Whatever a client claims in a snapshot, the guichet closes the round and goes on."""
    site = busy().sites["gch"]
    text = json.dumps(data.draw(bent_json(state)), ensure_ascii=data.draw(st.booleans()))
    parts = wire.in_parts(text.encode("utf-8", "replace").decode())
    bodies = [say.SnapshotState(site.round, False, number, len(parts), part) for number, part in enumerate(parts, 1)]
    hear(site, [forged(body, number, sender=sender, round=site.round) for number, body in enumerate(bodies)])


@given(st.sampled_from(STATES), st.integers(1, 3), st.data())
@examples(60)
def test_bent_states_given_to_a_client(state: dict[str, Any], ahead: int, data: st.DataObject) -> None:
    """Whatever somebody in the guichet's name gives a client, it takes it up whole, or not at all, and goes on."""
    site = busy().sites["c1"]
    content = data.draw(bent_json({"state": state, "channel": []}))
    parts = wire.in_parts(json.dumps(content).encode("utf-8", "replace").decode())
    bodies = [say.RestoreState(number, len(parts), part) for number, part in enumerate(parts, 1)]
    epoch = site.epoch + ahead
    hear(site, [forged(body, n, sender="gch", to="c1", epoch=epoch, receiver_life=1) for n, body in enumerate(bodies)])


@given(st.lists(st.sampled_from(LINES), min_size=1, max_size=8), st.data())
@examples(30)
def test_pieces_of_lines_glued_together(lines: list[bytes], data: st.DataObject) -> None:
    """A pipe that several programs write to may tear lines apart, and put the pieces together."""
    site = busy().sites[data.draw(NAMES)]
    torn = data.draw(bent_bytes(b"\n".join(lines))).split(b"\n")
    hear(site, torn)
