"""The snapshot: what it costs in messages and time, in a quiet ring and a busy one, and what it takes from others."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from bench.processes import TooLong
from bench.rings import Event, Ring, ring
from bench.table import Row, figure, spread

BUSY = 100  # reservations under way together, whatever the number of clients
MOST_A_CLIENT = 20
_SAID = re.compile(rb'"ev":"send","id":"([^"]*)".*"type":"(?:snapshot|reset)","round":(\d+)')
_PASSED = re.compile(rb'"ev":"relay","id":"([^"]*)"')


class Load:
    """Clients that reserve and give back without pause: each has some tickets of its own for that.

    `busy` reservations are under way together; of more clients than that, some do nothing.
    """

    def __init__(self, ring: Ring, busy: int = BUSY) -> None:
        self._ring = ring
        clients = ring.clients[:: max(1, len(ring.clients) // busy)]
        each = max(1, min(MOST_A_CLIENT, busy // len(clients)))
        numbers = iter(range(1, each * len(clients) + 1))
        self._tickets = {client: [f"B{next(numbers):04d}" for _ in range(each)] for client in clients}
        self.done = 0  # reservations that were completed
        self.waiting = sum(map(len, self._tickets.values()))
        self._goes_on = True
        ring.listeners.append(self._note)

    def start(self) -> None:
        """Every client asks for its tickets."""
        for client, tickets in self._tickets.items():
            for ticket in tickets:
                self._ring.command(client, f"reserver billet={ticket}")

    def stop(self) -> None:
        """Let what is under way end."""
        self._goes_on = False
        self._ring.wait_for(lambda: not self.waiting, "the load does not end")

    def _note(self, event: Event) -> None:
        if event["ev"] != "request" or event["site"] not in self._tickets:
            return
        if event["state"] == "owned":
            self.done += 1
            self._ring.command(event["site"], f"rendre billet={event['ticket']}")
        elif event["state"] in ("returned", "refused"):
            if self._goes_on:
                self._ring.command(event["site"], f"reserver billet={event['ticket']}")
            else:
                self.waiting -= 1


@dataclass(slots=True)
class Rounds:
    """The snapshots of a run: seconds from the command to the closed file, and messages in the channels."""

    ring: Ring
    seconds: list[float] = field(default_factory=list)
    in_channels: list[int] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    open_sites: set[str] = field(default_factory=set)
    _ends: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ring.listeners.append(self._note)

    def _note(self, event: Event) -> None:
        if event["ev"] != "snapshot":
            return
        if event["phase"] == "recorded":
            self.open_sites.add(event["site"])
        else:
            self.open_sites.discard(event["site"])
            if event["site"] == "gch":
                self._ends.append(event)

    def take(self, initiator: str) -> None:
        """Take one, and wait until its file is there and everyone is white again."""
        seen, began = len(self._ends), time.time()
        self.ring.command(initiator, "instantane")
        self.ring.wait_for(lambda: len(self._ends) > seen, "a snapshot is not closed")
        event = self._ends[-1]
        if event["phase"] != "complete":
            raise TooLong(f"snapshot {event['round']} misses {event['missing']}")
        # The file gets its name as the last thing: that moment is the inode's change, whenever we come to look at it.
        self.seconds.append(Path(event["file"]).stat().st_ctime - began)
        self.in_channels.append(event["messages"])
        self.numbers.append(event["round"])
        self.ring.wait_for(lambda: not self.open_sites, "not everyone is white again")

    def take_some(self, count: int) -> None:
        """Take several, asked for in turns by the first client, the guichet, and a client in the middle."""
        clients = self.ring.clients
        initiators = (clients[0], "gch", clients[len(clients) // 2])
        for number in range(count):
            self.take(initiators[number % len(initiators)])


def snapshots(folder: Path, sizes: tuple[int, ...], count: int, window: float, repeat: int) -> list[Row]:
    """Quiet and loaded, for rings of several sizes."""
    return [row for size in sizes for row in _of_ring(folder / f"ring-{size}", size, count, window, repeat)]


def _of_ring(folder: Path, size: int, count: int, window: float, repeat: int) -> list[Row]:
    with ring(folder, size) as (made, _):
        quiet = Rounds(made)
        quiet.take_some(count)
        load = Load(made)
        load.start()
        made.wait_for(lambda: load.done > 2 * load.waiting, "the load does not begin")
        busy = Rounds(made)
        pairs = [_slow_down(made, load, busy, window, count) for _ in range(repeat)]
        load.stop()
        messages, hops = _counted(made)
    return [
        _row(f"Instantané, {size} clients au repos : de la commande au fichier (ms)", quiet, messages, hops, size),
        _row(f"Instantané, {size} clients sous charge (ms)", busy, messages, hops, size),
        _slow_down_row(pairs),
    ]


@dataclass(frozen=True, slots=True)
class _Pair:
    """Reservations a second without any round (just before and just after), and with a round always open."""

    without: float
    during: float


def _slow_down(made: Ring, load: Load, busy: Rounds, window: float, count: int) -> _Pair:
    """Rates without a round (before and after) and while rounds follow each other without pause."""
    before = _rate(load, lambda: made.pump_for(window))
    during = _rate(load, lambda: _rounds_for(busy, window, count))
    after = _rate(load, lambda: made.pump_for(window))
    return _Pair((before + after) / 2, during)


def _rate(load: Load, act: Callable[[], None]) -> float:
    done, began = load.done, time.monotonic()
    act()
    return (load.done - done) / (time.monotonic() - began)


def _rounds_for(busy: Rounds, window: float, least: int) -> None:
    deadline = time.monotonic() + window
    taken = 0
    while taken < least or time.monotonic() < deadline:
        busy.take_some(min(3, least))
        taken += min(3, least)


def _counted(made: Ring) -> tuple[Counter[int], Counter[int]]:
    """By round: the messages that it cost, and how often they were written on a pipe (their hops)."""
    rounds: dict[bytes, int] = {}
    for site in made.sites:
        for line in made.trace(site).read_bytes().split(b"\n"):
            if found := _SAID.search(line):
                rounds[found[1]] = int(found[2])
    hops = Counter(rounds.values())
    for site in made.sites:
        for found in _PASSED.finditer(made.trace(site).read_bytes()):
            if found[1] in rounds:
                hops[rounds[found[1]]] += 1
    return Counter(rounds.values()), hops


def _row(what: str, taken: Rounds, messages: Counter[int], hops: Counter[int], size: int) -> Row:
    times = [seconds * 1000 for seconds in taken.seconds]
    said = median(messages[number] for number in taken.numbers)
    passed = median(hops[number] for number in taken.numbers)
    aimed = size == 100 and "charge" in what
    in_channels = f", {median(taken.in_channels):.0f} dans les canaux" if any(taken.in_channels) else ""
    return Row(
        what,
        spread(times),
        median(times),
        f"{said:.0f} messages ({passed:.0f} sauts){in_channels}",
        f"{figure(said / (size + 1))} message par site",
        "< 3 s" if aimed else "",
        max(times) < 3000 if aimed else None,
    )


def _slow_down_row(pairs: list[_Pair]) -> Row:
    losses = [100 * (1 - pair.during / pair.without) for pair in pairs]
    return Row(
        "  ralentissement des réservations, tours enchaînés sans pause",
        f"{figure(median(pair.during for pair in pairs))}/s",
        median(losses),
        f"sans tour : {figure(median(pair.without for pair in pairs))}/s",
        f"{spread(losses)} %",
        "< 20 %",
        median(losses) < 20,
    )
