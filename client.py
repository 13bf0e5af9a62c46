#!/usr/bin/env python3
"""A client of the ticket office: it consults, reserves, confirms, gives back. `./client.py --help` says how it is used."""

from __future__ import annotations

import sys

from lib.core.buying import Client
from lib.edge.assembly import Assembly, run
from lib.windows.opening import open_window


def live(assembly: Assembly) -> int:
    """Put a client together, and let it live."""
    options, store = assembly.options, assembly.store
    window = assembly.open_window(open_window)
    # Whoever has a window is asked; a client without one takes what it is offered.
    confirmation = options.confirmation or ("manuelle" if window else "auto")
    client = Client(
        options.name,
        options.office,
        options.patience,
        automatic=confirmation == "auto",
        errands=store.errands(),
        tickets=store.kept(),
        given_back=store.given_back(),
        next_number=store.number("next_number", 1),
    )
    return assembly.run(client, window=window)


if __name__ == "__main__":
    sys.exit(run("client", live))
