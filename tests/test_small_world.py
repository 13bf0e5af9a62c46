"""Two sites, every schedule: what the random runs may miss, the small world cannot hide (tigerbeetle's exhaustigen).

The guichet has one ticket; the client reserves it and confirms by itself; one of them, or both, take a snapshot at any
moment. Every order in which lines can arrive and users can act is run, and both judges look at every snapshot.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from lib.core import commands as ask
from lib.core.facts import OWNED
from lib.core.tickets import Journey, Search
from tests.simulator import OFFICE, World

GENTLE = {
    "clients": 1,
    "topology": "ring",
    "loss": 0.0,
    "repeat": 0.0,
    "reorder": 0.0,
    "crash": 0.0,
    "amnesiacs": (),
    "delay": 30.0,
    "automatic": True,
}
MOST = 200_000  # schedules: a world that has more is not small


class Choices:
    """Every sequence of choices, one after the other: each run asks `pick` as often as it likes."""

    def __init__(self) -> None:
        self._picked: list[int] = []
        self._limits: list[int] = []
        self._at = 0

    def runs(self) -> Iterator[None]:
        """One step for each sequence, until all were made."""
        while True:
            self._at = 0
            yield
            while self._picked and self._picked[-1] + 1 == self._limits[-1]:
                self._picked.pop()
                self._limits.pop()
            if not self._picked:
                return
            self._picked[-1] += 1

    def pick(self, count: int) -> int:
        """A number below `count`."""
        if self._at == len(self._picked):
            self._picked.append(0)
            self._limits.append(count)
        assert self._limits[self._at] == count, "the world is not the same twice"
        self._at += 1
        return self._picked[self._at - 1]


def a_world() -> World:
    """A guichet with one ticket, and a client that it has welcomed."""
    world = World(1, **GENTLE)
    for ticket_id in sorted(world.on_sale):
        world.order(OFFICE, ask.WithdrawTicket(ticket_id))
    journey = Journey("990001", "2027-03-15T07:10", "Compiègne", "Creil", 540)
    world.order(OFFICE, ask.AddTickets(((journey, 1),)))
    world.drain()
    return world


def play(choices: Choices, wishes: dict[str, list[ask.Command]]) -> World:
    """One schedule: at every step a line of some link arrives, or a user acts."""
    world = a_world()
    waiting = {name: list(commands) for name, commands in wishes.items()}
    while steps := possible(world, waiting):
        steps[choices.pick(len(steps))]()
        world.check()
    return world


def possible(world: World, waiting: dict[str, list[ask.Command]]) -> list[Callable[[], None]]:
    """What can happen next."""
    arrivals = [lambda edge=edge: world.deliver_one(edge) for edge, lines in world.links.items() if lines]
    acts = [lambda name=name: world.order(name, waiting[name].pop(0)) for name in waiting if waiting[name]]
    return arrivals + acts  # type: ignore[return-value]


SNAP = ask.TakeSnapshot()
BUY = ask.Reserve(Search())


@pytest.mark.parametrize(
    ("wishes", "something_crosses"),
    [
        ({"c1": [BUY], OFFICE: [SNAP]}, True),
        ({"c1": [BUY, SNAP]}, True),
        ({"c1": [SNAP, BUY]}, False),  # over links that keep their order, the call goes before all else
        ({"c1": [BUY, SNAP], OFFICE: [SNAP]}, True),
    ],
    ids=["guichet", "client after", "client before", "both"],
)
def test_every_schedule_of_two_sites(wishes: dict[str, list[ask.Command]], something_crosses: bool) -> None:
    """Whatever the order: the ticket is sold once, and every snapshot is complete, coherent and conserves it."""
    choices, count, in_channels = Choices(), 0, 0
    for _ in choices.runs():
        world = play(choices, wishes)
        count += 1
        assert count < MOST
        [errand] = [e for client in world.clients() for e in client.errands.values()]
        assert errand.state == OWNED
        assert world.documents, "no snapshot was completed"
        assert all(document["complete"] for document in world.documents)
        in_channels += sum(bool(document["channels"]) for document in world.documents)
    assert count > 10, f"{count} schedules are not every schedule"
    assert (in_channels > 0) == something_crosses, f"{in_channels} snapshots with messages in the channels"


def test_every_moment_of_loading_it_back() -> None:
    """A snapshot with the `vendu` in the channel is loaded back: it is delivered again, and the ticket has one holder."""
    choices, with_sale = Choices(), 0
    for _ in choices.runs():
        world = play(choices, {"c1": [BUY, SNAP]})
        document = world.documents[-1]
        world.loaded[1] = document
        world.order(OFFICE, ask.Restore(document))
        world.drain()
        world.converge()
        sold = [m for c in document["channels"] for m in c["messages"] if m["fields"].get("statut") == "vendu"]
        with_sale += bool(sold)
    assert with_sale > 0, "the sale was never in the channel"
