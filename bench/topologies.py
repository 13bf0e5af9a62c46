"""What flooding costs on each ready graph: lines on the wire, against the fewest that would do, and processor time a line.

Real sites and cables, without windows, as the launcher starts them; the lines are counted in the traces: every line that a
site says or passes on is read by each site that hears it, and so is on the wire as many times.
"""

from __future__ import annotations

import heapq
import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import NamedTuple

from bench.machine import ROOT, cpu
from bench.processes import Piped, piped
from bench.relaying import seconds_for, write_lines
from bench.rings import Event, Ring, Start, ring
from bench.table import Row, figure
from lib.launch import graph
from lib.launch.processes import program
from lib.launch.wiring import Wiring
from lib.launch.wiring import ring as circle

READY = ("anneau", "anneau_double", "ligne", "etoile", "y", "arbre", "grille", "complet", "hasard")
EVERYONE = "tous"
SALE = ("demande", "billet", "accuse")
SNAPSHOT = ("snapshot", "reset")
QUIET = 0.4  # seconds without a new line in any trace: everything that was said has been passed on


class Cost(NamedTuple):
    """Lines on the wire: by flooding, by the best learned routes, and with every message on its shortest path alone."""

    flooded: float
    routed: float
    shortest: float

    def per(self, number: int) -> Cost:
        return Cost(*(lines / number for lines in self))


def topologies(folder: Path, names: tuple[str, ...], sales: int, lines: int, ends: int) -> list[Row]:
    """A snapshot and `sales` reservations of every client on each graph; `lines` lines through a cable of `ends` ends."""
    rows = [row for name in names for row in _measured(folder / name, name, sales)]
    return [*rows, _cable_row(folder, lines, ends)]


def _measured(folder: Path, name: str, sales: int) -> list[Row]:
    file = ROOT / "topologies" / f"{name}.txt"
    wiring = graph.read(file) if file.exists() else circle(["gch", *(f"c{number}" for number in range(1, 6))])
    with ring(folder, len(wiring.clients), graph=file if file.exists() else None) as (made, start):
        _photograph(made)
        _settle(made)
        taken = _cost(made, wiring, SNAPSHOT)
        before = _used(made, start)
        _sell(made, sales)
        _settle(made)
        used = _used(made, start) - before
        sold = _cost(made, wiring, SALE)
    number = sales * len(wiring.clients)
    what = f"{name}, {len(wiring.sites)} sites, {len(wiring.edges)} liens"
    return [
        _row(f"{what} : lignes par réservation", sold.per(number)),
        _row("  lignes par instantané", taken),
        Row(
            "  processeur par réservation, de tous ensemble (ms)",
            figure(used / number * 1e3),
            used / number * 1e3,
            f"par ligne : {figure(used / sold.flooded * 1e6)} µs",
        ),
    ]


def _row(what: str, cost: Cost) -> Row:
    reference = f"au plus court : {figure(cost.shortest)} ; routes apprises : {figure(cost.routed)}"
    return Row(what, figure(cost.flooded), cost.flooded, reference, f"× {figure(cost.flooded / cost.shortest)}")


# --------------------------------------------------------------------------------------------------- what the sites do


def _sell(made: Ring, sales: int) -> None:
    """Every client reserves so many tickets, one after the other; one client at a time."""
    owned: Counter[str] = Counter()

    def note(event: Event) -> None:
        owned[event["site"]] += event.get("state") == "owned"

    made.listeners.append(note)
    for client in made.clients:
        for number in range(1, sales + 1):
            made.command(client, "reserver")
            made.wait_for(lambda c=client, n=number: owned[c] >= n, f"{client} gets no ticket")  # type: ignore[misc]


def _photograph(made: Ring) -> None:
    """The last client takes a snapshot."""
    closed: list[Event] = []
    made.listeners.append(lambda event: closed.append(event) if event.get("phase") == "complete" else None)
    made.command(made.clients[-1], "instantane")
    made.wait_for(lambda: bool(closed), "the snapshot does not end")


def _settle(made: Ring) -> None:
    """Wait until nobody has anything more to pass on."""
    sizes: list[int] = []
    while sizes != (sizes := [made.trace(site).stat().st_size for site in made.sites]):
        made.pump_for(QUIET)


def _used(made: Ring, start: Start) -> float:
    """Seconds of processor time of all sites and cables so far."""
    launcher = made.launcher.pid
    children = Path(f"/proc/{launcher}/task/{launcher}/children").read_text().split()
    return sum(map(cpu, {*start.pids.values(), *map(int, children)}))


# ------------------------------------------------------------------------------------------------------- what it costs


def _cost(made: Ring, wiring: Wiring, kinds: tuple[str, ...]) -> Cost:
    """The lines of all messages of these types that were said so far."""
    hearers = Counter(edge.source for edge in wiring.edges)
    said: dict[str, Event] = {}
    written: Counter[str] = Counter()
    for site in made.sites:
        for event in _spoken(made.trace(site)):
            written[event["id"]] += hearers[site]
            if event["ev"] == "send" and event["type"] in kinds:
                said[event["id"]] = event
    shortest, routed = _lengths(wiring, lambda site: 1), _lengths(wiring, lambda site: hearers[site])
    total = Cost(0, 0, 0)
    for name, event in said.items():
        source, target, flooded = event["site"], event["peer"], written[name]
        if target == EVERYONE:  # once to each other site, at the least; learned routes change nothing about it
            cost = Cost(flooded, flooded, len(wiring.sites) - 1)
        else:
            cost = Cost(flooded, routed(source)[target], shortest(source)[target])
        total = Cost(*map(sum, zip(total, cost, strict=True)))
    return total


def _spoken(trace: Path) -> Iterator[Event]:
    """What a site has said or passed on."""
    with trace.open("rb") as file:
        for line in file:
            if b'"ev":"send"' in line or b'"ev":"relay"' in line:
                yield json.loads(line)


def _lengths(wiring: Wiring, price: Callable[[str], int]) -> Callable[[str], dict[str, int]]:
    """How to ask for the cheapest ways from a site to all others, when each site on the way but the last pays its price."""

    @cache
    def lengths(source: str) -> dict[str, int]:
        found: dict[str, int] = {}
        ahead = [(0, source)]
        while ahead:
            paid, site = heapq.heappop(ahead)
            if site not in found:
                found[site] = paid
                for edge in wiring.edges:
                    if edge.source == site:
                        heapq.heappush(ahead, (paid + price(site), edge.target))
        return found

    return lengths


# ---------------------------------------------------------------------------------------------------------- the cable


def _cable_row(folder: Path, lines: int, ends: int) -> Row:
    """Processor time of a cable for each line that it writes, to its stdout and to ends that are /dev/null."""
    path = folder / "lines"
    write_lines(path, lines, 1)
    with ExitStack() as stack:
        targets = ["--vers=sortie tube=/dev/stdout", *(f"--vers=e{number} tube=/dev/null" for number in range(1, ends))]
        relay: Piped = stack.enter_context(piped([_cable(*targets)], folder / "errors"))
        before = cpu(relay.pid)
        seconds_for(relay, path, 1, lines)
        used = (cpu(relay.pid) - before) / (lines * ends) * 1e6
    return Row(f"Câble à {ends} bouts : processeur par ligne écrite (µs)", figure(used), used + 1e-9)


def _cable(*options: str) -> tuple[str, ...]:
    """The command line of a cable, with Python as the launcher starts it."""
    return (*program("cable.py"), *options)
