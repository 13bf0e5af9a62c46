"""Putting a site together: what `guichet.py` and `client.py` have in common."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

from lib.core import commands as ask
from lib.core.buying import Client
from lib.core.facts import Event
from lib.core.selling import Guichet
from lib.core.sites import ClientSite, GuichetSite
from lib.edge import loop, streams, verify
from lib.edge.commands import Import
from lib.edge.log import Log
from lib.edge.options import Options, fail, parse
from lib.edge.process import Process
from lib.edge.snapshots import Folder
from lib.edge.sources import Sources, on_signals
from lib.edge.store import Store
from lib.edge.trace import Trace
from lib.texts import Problem

Role = Guichet | Client
W = TypeVar("W")
# With a window, a flood is read in slices, so that what its user does is never waited for long.
SLICE = 8192


class Window(Protocol):
    """What a site needs of its window."""

    def watch(self, events: Sequence[Event]) -> None:
        """This happened."""

    def progress(self, label: str, done: int, total: int) -> None:
        """A long import has come so far."""

    def live(self, sources: Sources) -> None:
        """Drive the site, and show it, until it ends."""


class Assembly:
    """The parts of one site, as the command line wants them."""

    def __init__(self, options: Options, role: str) -> None:
        self.options = options
        self.role = role
        self.signals = on_signals()
        self.log = Log(options.name, options.language, options.verbosity)
        for note in options.notes:
            self.log.info(note)
        self.store = Store(options.data, options.name, role)

    def open_window(self, open: Callable[..., W]) -> W | None:
        """The window that the options ask for; None when they want none, or there can be none: that is said."""
        options = self.options
        if not options.window:
            return None
        try:
            return open(
                self.role,
                options.name,
                language=options.language,
                geometry=options.geometry,
                neighbours=options.neighbours,
                link=options.link,
            )
        except Problem as problem:
            self.log.warning(problem.text)
            return None

    def run(
        self,
        role: Role,
        first_tickets: ask.AddTickets | None = None,
        load: Callable[[Import], ask.AddTickets] | None = None,
        window: Window | None = None,
    ) -> int:
        """Live as `role` until the end; the status for the shell."""
        options = self.options
        trace = Trace(options.trace, options.name) if options.trace else None
        commands = streams.open_commands(options.commands) if options.commands else None
        process = Process(
            self._site(role, is_watched=bool(trace or window)),
            self.store,
            streams.Output(1),
            self.log,
            trace=trace,
            load=load,
            watch=window.watch if window else None,
            folder=Folder(options.snapshots),
            # A broker holds everybody to the topology, and that may change while we run.
            neighbours=() if options.link else options.neighbours,
            safe_mode=options.safe_mode,
            language=options.language,
        )
        process.start(first_tickets)
        # Python's garbage collector would walk over what is here to stay again and again: with 100,000 tickets, 0.1 s in
        # which nobody is served.
        gc.freeze()
        if window is None:
            loop.run(Sources(process, self.log, self.signals, commands))
        else:
            window.live(Sources(process, self.log, self.signals, commands, stays=True, slice=SLICE))
        process.close()
        return process.status

    def _site(self, role: Role, is_watched: bool) -> GuichetSite | ClientSite:
        """The site, where its last life ended. The clock makes this life greater than those before, for a store may have
        been lost, come late, or be an old copy; and a store does, for a machine's clock may have been set back."""
        options, store = self.options, self.store
        lives_before = store.number("life")
        common: dict[str, Any] = {
            "life": max(lives_before + 1, int(time.time() * 1000)),
            "header": options.header,
            "clock": store.number("clock"),
            "round": store.number("round"),
            "epoch": store.number("epoch"),
            "peers": store.peers(),
            "delay": options.snapshot_delay,
            "transit": options.transit,
            "watched": is_watched,
        }
        if isinstance(role, Guichet):
            return GuichetSite(role, owed=store.owed(), **common)
        return ClientSite(role, remembers=lives_before > 0, **common)


def run(role: str, live: Callable[[Assembly], int]) -> int:
    """The whole of a program: read the options, put the parts together, live. Problems of the user's are one line."""
    streams.open_standard_streams()
    options = parse(role, sys.argv[1:])
    if options.verify or options.list_folder:
        return report(options)
    try:
        return live(Assembly(options, role))
    except Problem as problem:
        fail(role, problem, options.language)


def report(options: Options) -> int:
    """Say what snapshot files are worth. No site runs, so stdout is the user's."""
    if options.verify:
        status, lines = verify.verify(options.verify)
    else:
        assert options.list_folder is not None
        status, lines = verify.listing(options.list_folder)
    (sys.stderr if status == verify.NO_SNAPSHOT else sys.stdout).writelines(
        f"{line.in_language(options.language)}\n" for line in lines
    )
    return status
