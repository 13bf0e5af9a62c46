"""What follows from the traces alone: which receipt belongs to which sending, where the cuts pass, what came before what.

Vector clocks: Fidge 1988, Mattern 1989. Cuts: Mattern 1989. Nothing here looks at a Lamport time.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

from lib.diagram.traces import EVERYONE, RECEIVE, SEND, Event, Run

Cut = Mapping[str, Event]  # where each site recorded, for a round; a site that did not is not in it

# Heard whatever the epoch; they replace a state, or say who is there, and are no part of what a snapshot records.
_OUTSIDE_OF_CUTS = ("presence", "restauration")


@dataclass(frozen=True, slots=True, eq=False)
class Arrow:
    """A message on its way to one receiver, `to`. At least one end is there; without `receipt` it never arrived."""

    to: str
    send: Event | None
    receipt: Event | None

    @property
    def known(self) -> Event:
        """The end that is there; the sending, when both are."""
        event = self.send or self.receipt
        assert event is not None
        return event

    @property
    def sender(self) -> str:
        """Who sent it."""
        return self.send.site if self.send else self.known.peer


def sendings(run: Run) -> dict[str, Event]:
    """The sending of every message, by the message's identity: the first, should two claim it."""
    found: dict[str, Event] = {}
    for event in run.events():
        if event.kind == SEND:
            found.setdefault(event.id, event)
    return found


def arrows(run: Run) -> list[Arrow]:
    """Every message to every receiver. What was for a site without a trace is left out: nobody can say what became of it."""
    sends = sendings(run)
    received = [Arrow(event.site, sends.get(event.id), event) for event in run.events() if event.kind == RECEIVE]
    arrived = {(arrow.known.id, arrow.to) for arrow in received}
    alive = _Alive(run)
    lost = [
        Arrow(name, send, None)
        for send in sends.values()
        for name in (alive.hearers(send) if send.peer == EVERYONE else [send.peer])
        if (send.id, name) not in arrived and name in run.sites
    ]
    return received + lost


class _Alive:
    """Who could have heard what was said to everyone: the others whose life lasted from before it until after it."""

    def __init__(self, run: Run) -> None:
        lives: dict[tuple[str, int], list[float]] = defaultdict(list)
        for event in run.events():
            lives[event.site, event.life].append(event.time)
        self._lives = [(name, min(times), max(times)) for (name, _), times in lives.items()]

    def hearers(self, send: Event) -> list[str]:
        return [name for name, first, last in self._lives if first <= send.time < last and name != send.site]


def cuts(run: Run) -> dict[int, Cut]:
    """The cut of every round. Of a site that recorded twice, in two lives, the later record counts: the first is lost."""
    found: dict[int, dict[str, Event]] = {}
    for event in run.events():
        if event.is_recording:
            found.setdefault(event.round, {})[event.site] = event
    return dict(sorted(found.items()))


def is_in_channel(arrow: Arrow, cut: Cut) -> bool:
    """Whether the message was in the channel of the cut: sent before it, received after it.

    Messages without a rank are the network's own, which no snapshot counts. The snapshot's file may have fewer: it leaves
    out what was sent to a life that the emitter did not know yet, or by a life before the recorded one; no trace tells.
    """
    return bool(arrow.known.rank) and _crosses(arrow.send, cut, arrow.receipt)


def is_against(arrow: Arrow, cut: Cut) -> bool:
    """Whether the message makes the cut incoherent: sent after its emitter's record, received before its receiver's.

    What an earlier life received is no part of what a later one recorded: it may have had no memory of it.
    """
    if arrow.known.type in _OUTSIDE_OF_CUTS or not _crosses(arrow.receipt, cut, arrow.send):
        return False
    return arrow.receipt is not None and arrow.receipt.life == cut[arrow.to].life


def _crosses(before: Event | None, cut: Cut, after: Event | None) -> bool:
    """Whether `before` lies before the cut and `after` behind it."""
    if not (before and after and before.site in cut and after.site in cut):
        return False
    return before.place < cut[before.site].place and after.place > cut[after.site].place


def in_order(run: Run) -> list[Event]:
    """All events, by the clock on the wall, but never a receipt before its sending, nor a site's events out of their order.

    Where the traces contradict themselves (an effect that is its own cause), the earliest receipt is let through.
    """
    sends = sendings(run)
    said: set[str] = set()
    ready: list[tuple[float, str, int]] = []
    waiting: dict[str, list[Event]] = {}

    def put(event: Event) -> None:
        if event.kind == RECEIVE and event.id in sends and event.id not in said:
            waiting.setdefault(event.id, []).append(event)
        else:
            heapq.heappush(ready, (event.time, event.site, event.place))

    def release(identity: str) -> None:
        said.add(identity)
        for event in waiting.pop(identity, []):
            put(event)

    order = []
    for events in run.sites.values():
        put(events[0])
    while ready or waiting:
        if not ready:
            release(_earliest(waiting))
            continue
        _, name, place = heapq.heappop(ready)
        event = run.sites[name][place]
        order.append(event)
        if event.kind == SEND:
            release(event.id)
        if place + 1 < len(run.sites[name]):
            put(run.sites[name][place + 1])
    return order


def _earliest(waiting: Mapping[str, list[Event]]) -> str:
    """The message whose receipt has waited longest."""
    return min(waiting, key=lambda identity: min(event.time for event in waiting[identity]))


def vector_clocks(order: Sequence[Event], counted: Set[Event]) -> Iterator[tuple[Event, dict[str, int]]]:
    """The `counted` ones of the events in this order, each with its vector clock: how many of each site's it follows from.

    Knowledge travels with every message; only the counted events are numbered, so that a choice of them can stand alone.
    """
    clocks: dict[str, dict[str, int]] = defaultdict(dict)
    stamps: dict[str, dict[str, int]] = {}
    for event in order:
        clock = clocks[event.site]
        if event.kind == RECEIVE:
            for name, number in stamps.get(event.id, {}).items():
                clock[name] = max(number, clock.get(name, 0))
        if event in counted:
            clock[event.site] = clock.get(event.site, 0) + 1
            yield event, dict(clock)
        if event.kind == SEND:
            stamps.setdefault(event.id, dict(clock))
