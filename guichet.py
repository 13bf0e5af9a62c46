#!/usr/bin/env python3
"""The guichet: the ticket office of the system, which holds the tickets. `./guichet.py --help` says how it is used."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from lib.core.commands import AddTickets
from lib.core.selling import Guichet
from lib.edge.assembly import Assembly, run
from lib.edge.gtfs import read_gtfs
from lib.edge.log import progress_on_terminal
from lib.edge.options import Options
from lib.edge.timetables import Wanted, read_csv
from lib.texts import Text
from lib.windows.opening import open_window

EXAMPLE = Path(__file__).resolve().parent / "examples" / "billets.csv"


Progress = Callable[[str, int, int], None]


def load(assembly: Assembly, path: Path, is_gtfs: bool, progress: Progress | None) -> AddTickets:
    """The tickets of the timetable at `path`, as the options choose them. Raises `Problem`."""
    timetable = (read_gtfs if is_gtfs else read_csv)(path, wanted(assembly.options, progress))
    for note in timetable.notes:
        assembly.log.info(note)
    return AddTickets(tuple(timetable.offers))


def wanted(options: Options, progress: Progress | None) -> Wanted:
    """Which trains of a timetable are put on sale."""
    first, last = options.dates or (None, None)
    return Wanted(
        first=first,
        last=last,
        seats=options.seats,
        departure=options.departure,
        destination=options.destination,
        progress=progress,
    )


def first_tickets(assembly: Assembly, guichet: Guichet, progress: Progress | None) -> AddTickets | None:
    """What a new guichet sells; one that has sold before goes on with what it has."""
    options = assembly.options
    if guichet.next_number > 1:
        count = len(guichet.stock)
        assembly.log.info(Text("%d billets repris de la mémoire", "%d tickets taken up from the store"), count)
        return None
    return load(assembly, options.gtfs or options.tickets or EXAMPLE, options.gtfs is not None, progress)


def load_file(assembly: Assembly, file: str, progress: Progress | None) -> AddTickets:
    """What the command `importer` names: a GTFS feed is a folder or an archive."""
    path = Path(file)
    return load(assembly, path, path.is_dir() or path.suffix.lower() == ".zip", progress)


def live(assembly: Assembly) -> int:
    """Put a guichet together, and let it live."""
    options, store = assembly.options, assembly.store
    window = assembly.open_window(open_window)
    progress = window.progress if window else progress_on_terminal()
    guichet = Guichet(
        options.name,
        options.delay,
        tickets=store.tickets(),
        answers=store.answers(),
        next_number=store.number("next_number", 1),
    )
    return assembly.run(
        guichet,
        first_tickets(assembly, guichet, progress),
        load=lambda file: load_file(assembly, file, progress),
        window=window,
    )


if __name__ == "__main__":
    sys.exit(run("guichet", live))
