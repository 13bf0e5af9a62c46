"""Item (f): from the start of a guichet that imports many tickets into its store, to its first answer."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median

from bench.driver import Driver, write_timetable
from bench.processes import guichet, piped
from bench.table import Row, figure, spread

LIMIT = 5.0


def imports(folder: Path, tickets: int, repeat: int) -> list[Row]:
    """The import, then a start that finds the tickets in the store."""
    timetable = write_timetable(folder / "large.csv", tickets)
    first = [_until_served(folder, f"first{number}", timetable) for number in range(repeat)]
    again = [_until_served(folder, f"first{number}", timetable) for number in range(repeat)]
    return [
        Row(
            f"Import de {figure(tickets)} billets (CSV, --donnees) jusqu'à la 1re réponse (s)",
            spread(first),
            median(first),
            target="< 5 s",
            held=median(first) < LIMIT,
        ),
        Row("  redémarrage sur la même mémoire, jusqu'à la 1re réponse (s)", spread(again), median(again)),
    ]


def _until_served(folder: Path, store: str, timetable: Path) -> float:
    began = time.perf_counter()
    command = guichet(f"--billets={timetable}", f"--donnees={folder / store}")
    with piped([command], folder / "errors") as office:
        driver = Driver(office, 1, 1)
        driver.arrive()
        driver.consult()
        return time.perf_counter() - began
