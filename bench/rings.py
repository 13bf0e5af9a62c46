"""A ring, or a graph, of real sites: started by the launcher, commanded through its FIFOs, watched through its traces."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from bench.driver import write_timetable
from bench.machine import ROOT, pss
from bench.processes import LIMIT, TooLong, end
from bench.table import Row, figure, spread

SCRIPTS = ROOT / "scripts"
PAUSE = 0.003  # seconds between two looks at the traces
LONG_PAUSE = 0.03  # while all sites start: looking costs time that they need, and the traces know when things happened
# The events that the measures look at; all others are passed over unparsed.
_WATCHED = re.compile(rb'"ev":"(?:start|request|snapshot|stop)"|"type":"presence"')

Event = dict[str, Any]


class Ring:
    """A launched ring of `clients` clients in `folder`, selling `tickets` tickets, from the launch on.

    With a file for `graph` it is that graph instead, whose guichet is gch and whose clients are c1 to c<`clients`>;
    `options` are more of the launcher's.
    `pump` reads what is new in the traces and hands each event to the `listeners`.
    """

    def __init__(
        self, folder: Path, clients: int, tickets: int, graph: Path | None = None, options: Sequence[str] = ()
    ) -> None:
        self.folder = folder
        self.clients = [f"c{number}" for number in range(1, clients + 1)]
        self.sites = ["gch", *self.clients]
        self.listeners: list[Callable[[Event], None]] = []
        self._traces: dict[str, int] = {}
        self._rest = dict.fromkeys(self.sites, b"")
        self._pipes: dict[str, int] = {}
        timetable = write_timetable(folder.with_suffix(".csv"), tickets)
        wired = [SCRIPTS / "launch_graph.sh", graph] if graph else [SCRIPTS / "launch_ring.sh", "-c", str(clients)]
        command = [*wired, "--notk", "--dossier", folder, "--guichet", f"--billets={timetable}", *options]
        self.launched_at = time.time()
        with folder.with_suffix(".log").open("wb") as log:
            self.launcher = subprocess.Popen(
                [*command, "--", "--verbose=0"], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def close(self) -> None:
        """End the launcher, which ends its sites."""
        end(self.launcher, patience=30.0)
        for file in [*self._traces.values(), *self._pipes.values()]:
            os.close(file)

    def command(self, site: str, line: str) -> None:
        """Give a site a command."""
        if site not in self._pipes:
            self._pipes[site] = os.open(self.folder / f"{site}.cmd", os.O_WRONLY | os.O_NONBLOCK)
        os.write(self._pipes[site], f"{line}\n".encode())

    def trace(self, site: str) -> Path:
        """Where a site's events are written."""
        return self.folder / f"{site}.trace.jsonl"

    def pump(self) -> None:
        """Look at the traces once."""
        for site in self.sites:
            for line in self._new_lines(site):
                if _WATCHED.search(line):
                    event = json.loads(line)
                    for listener in self.listeners:
                        listener(event)

    def _new_lines(self, site: str) -> list[bytes]:
        if site not in self._traces:
            try:
                self._traces[site] = os.open(self.trace(site), os.O_RDONLY)
            except FileNotFoundError:
                return []
        data = os.read(self._traces[site], 2**20)
        if not data:
            return []
        lines = (self._rest[site] + data).split(b"\n")
        self._rest[site] = lines.pop()
        return lines

    def wait_for(self, happened: Callable[[], bool], what: str, limit: float = LIMIT, pause: float = PAUSE) -> None:
        """Pump until it has happened. Raises `TooLong`."""
        deadline = time.monotonic() + limit
        while not happened():
            if time.monotonic() > deadline or self.launcher.poll() is not None:
                raise TooLong(f"{what}, in {self.folder}")
            self.pump()
            time.sleep(pause)

    def pump_for(self, seconds: float) -> None:
        """Pump for so long."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.pump()
            time.sleep(PAUSE)


class Start:
    """When the sites of a ring were up and welcome, and with which process id."""

    def __init__(self, ring: Ring) -> None:
        self._ring = ring
        self.pids: dict[str, int] = {}
        self.up_at = 0.0
        self._welcomes: dict[str, str] = {}  # client -> the identity of what the guichet said to it
        self.welcome: set[str] = set()
        ring.listeners.append(self._note)

    def _note(self, event: Event) -> None:
        site = event["site"]
        if event["ev"] == "start":
            self.pids[site] = event["pid"]
            self.up_at = max(self.up_at, event["t"])
        elif event["ev"] == "send" and site == "gch":
            self._welcomes[event["id"]] = event["peer"]
        elif event["ev"] == "recv" and event["peer"] == "gch" and self._welcomes.get(event["id"]) == site:
            self.welcome.add(site)

    def wait_for_all(self) -> None:
        """Until every site runs, and every client is welcome."""
        wait, clients = self._ring.wait_for, self._ring.clients
        wait(lambda: len(self.pids) == len(self._ring.sites), "not all sites start", 120, LONG_PAUSE)
        wait(lambda: len(self.welcome) == len(clients), "not all clients are welcome", 120, LONG_PAUSE)


@contextmanager
def ring(
    folder: Path, clients: int, tickets: int = 1000, graph: Path | None = None, options: Sequence[str] = ()
) -> Iterator[tuple[Ring, Start]]:
    """A ring or graph, with all its clients welcome; ended in any case."""
    made = Ring(folder, clients, tickets, graph, options)
    try:
        start = Start(made)
        start.wait_for_all()
        yield made, start
    finally:
        made.close()


def crowds(folder: Path, sizes: tuple[int, ...], repeat: int) -> list[Row]:
    """Item (d): many clients, from the launch to a reservation of the farthest; and the memory that they take."""
    rows = []
    for size in sizes:
        runs = [_crowd(folder / f"crowd-{size}-{number}", size) for number in range(repeat)]
        times, up, memory = (list(column) for column in zip(*runs, strict=True))
        aimed = size == 100
        rows += [
            Row(
                f"{size} clients : lancés, accueillis, une réservation du plus lointain faite (s)",
                spread(times),
                median(times),
                f"dont tous démarrés : {figure(median(up))}",
                target="≤ 6 s" if aimed else "",
                held=median(times) <= 6 if aimed else None,
            ),
            Row(
                "  mémoire par site (PSS, Mo)",
                spread(memory),
                median(memory),
                target="≤ 10 Mo",
                held=median(memory) <= 10,
            ),
        ]
    return rows


def _crowd(folder: Path, size: int) -> tuple[float, float, float]:
    """Seconds until the reservation was made, and until all sites were up; MB a site."""
    with ring(folder, size) as (made, start):
        owned: list[float] = []
        made.listeners.append(lambda event: owned.append(event["t"]) if event.get("state") == "owned" else None)
        made.command(made.clients[-1], "reserver billet=B0001")
        made.wait_for(lambda: bool(owned), "the farthest client gets no ticket")
        memory = [pss(pid) for pid in start.pids.values()]
        return owned[0] - made.launched_at, start.up_at - made.launched_at, sum(memory) / len(memory)
