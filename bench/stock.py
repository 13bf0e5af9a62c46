"""Item (e): what a consultation costs, against few tickets and against many. Only the core: no process, no line."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import cycle
from statistics import median

from bench.driver import PAIRS
from bench.table import Row, figure
from lib.core.messages import Request
from lib.core.selling import Guichet
from lib.core.tickets import Journey, Search, Ticket

SIZES = (1_000, 10_000, 100_000)
LIST = 10  # tickets that a consultation asks for


def consultations(sizes: Sequence[int], count: int, repeat: int) -> list[Row]:
    """Nanoseconds of a consultation of ten tickets, in turns over the stocks."""
    offices = {size: _office(size) for size in sizes}
    times: dict[int, list[float]] = {size: [] for size in sizes}
    for _ in range(repeat):
        for size, office in offices.items():
            times[size].append(_nanoseconds(office, count))
    smallest = median(times[sizes[0]])
    return [_row(size, median(times[size]), sizes[0], smallest) for size in sizes]


def _office(size: int) -> Guichet:
    journeys = (
        Journey(f"{number}", f"2027-03-{number // 90 % 28 + 1:02d}T07:{number % 60:02d}", *pair, 1540)
        for number, pair in zip(range(size), cycle(PAIRS), strict=False)
    )
    return Guichet("gch", tickets=(Ticket(f"B{number:04d}", journey) for number, journey in enumerate(journeys, 1)))


def _nanoseconds(office: Guichet, count: int) -> float:
    searches = [Search("", *PAIRS[number % len(PAIRS)], "2027-03-02", "2027-03-27") for number in range(count)]
    requests = [Request("c1", number, False, search, LIST) for number, search in enumerate(searches, 1)]
    began = time.perf_counter_ns()
    for request in requests:
        for _ in office.receive("c1", request, 0.0):
            pass
    return (time.perf_counter_ns() - began) / count


def _row(size: int, taken: float, smallest_size: int, smallest: float) -> Row:
    ratio = taken / smallest
    reference = "" if size == smallest_size else f"{figure(smallest_size)} billets : {figure(smallest)}"
    return Row(
        f"Consultation de {LIST} billets parmi {figure(size)}, cœur seul (ns)",
        figure(taken),
        taken,
        reference,
        f"× {figure(ratio)}" if reference else "",
        "constant" if reference else "",
        ratio < 1.5 if reference else None,
    )
