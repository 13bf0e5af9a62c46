#!/usr/bin/env python3
"""The guichet: the ticket office of the system, which holds the tickets. `./guichet.py --help` says how it is used."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from lib.core.commands import AddTickets
from lib.core.selling import Guichet
from lib.edge.assembly import Assembly, run
from lib.edge.commands import Import
from lib.edge.gtfs import read_gtfs
from lib.edge.log import progress_on_terminal
from lib.edge.options import Options
from lib.edge.timetables import Wanted, read_csv
from lib.texts import Text
from lib.windows.opening import open_window

if TYPE_CHECKING:
    from lib.windows.window import Window  # tkinter is wanted only with a window

EXAMPLE = Path(__file__).resolve().parent / "examples" / "billets.csv"


Progress = Callable[[str, int, int], None]


def load(assembly: Assembly, options: Options, path: Path, is_gtfs: bool, window: Window | None) -> AddTickets:
    """The tickets of the timetable at `path`, as the options choose them. Raises `Problem`."""
    progress = window.progress if window else progress_on_terminal()
    timetable = (read_gtfs if is_gtfs else read_csv)(path, wanted(options, progress))
    for note in timetable.notes:
        assembly.log.info(note)
        if window:
            window.note(note)
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


def first_tickets(assembly: Assembly, guichet: Guichet, window: Window | None) -> AddTickets | None:
    """What a new guichet sells; one that has sold before goes on with what it has."""
    options = assembly.options
    if guichet.next_number > 1:
        count = len(guichet.stock)
        assembly.log.info(Text("%d billets repris de la mémoire", "%d tickets taken up from the store"), count)
        return None
    return load(assembly, options, options.gtfs or options.tickets or EXAMPLE, options.gtfs is not None, window)


def load_file(assembly: Assembly, asked: Import, window: Window | None) -> AddTickets:
    """What the command `importer` names: a GTFS feed is a folder or an archive. Its keys go before the options."""
    path, choices = Path(asked.path), ("dates", "seats", "departure", "destination")
    given = {name: value for name in choices if (value := getattr(asked, name)) is not None}
    is_gtfs = path.is_dir() or path.suffix.lower() == ".zip"
    return load(assembly, replace(assembly.options, **given), path, is_gtfs, window)


def live(assembly: Assembly) -> int:
    """Put a guichet together, and let it live."""
    options, store = assembly.options, assembly.store
    window = assembly.open_window(open_window)
    guichet = Guichet(
        options.name,
        options.delay,
        tickets=store.tickets(),
        answers=store.answers(),
        next_number=store.number("next_number", 1),
    )
    return assembly.run(
        guichet,
        first_tickets(assembly, guichet, window),
        load=lambda asked: load_file(assembly, asked, window),
        window=window,
    )


if __name__ == "__main__":
    sys.exit(run("guichet", live))
