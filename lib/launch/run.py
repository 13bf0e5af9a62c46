"""A running system: its folder, pipes, processes and traces under one roof."""

from __future__ import annotations

import compileall
import math
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lib.launch.folder import Folder
from lib.launch.links import Links, Orders, named
from lib.launch.options import Options
from lib.launch.processes import ROOT, Pipes, Processes, last_words, program
from lib.launch.signals import Signals
from lib.launch.traces import Event, Follower, Tail, end_last_line
from lib.launch.wiring import GUICHET, Edge, Wiring
from lib.texts import Problem

GRACE = 5.0  # seconds between SIGTERM and SIGKILL
# How often traces are looked at. Python's library has no inotify; this costs 2 % of a core with 500 sites.
_LOOK = 0.05
_SLOW = 3.0  # seconds after which a start is called slow: a long timetable, or many sites


class FailedStart(Exception):
    """`site` ended with `status` before it could start; `words` are the last of its log."""

    def __init__(self, site: str, status: int, words: str) -> None:
        super().__init__(site)
        self.site = site
        self.status = status
        self.words = words


@dataclass(frozen=True, slots=True)
class Happened:
    """What a look at the run brought: new events, what the cables say, deaths with their status, and whether there is
    input to read."""

    events: list[Event]
    told: list[str]
    ended: dict[str, int]
    input: bool


class Run:
    """The sites of one run, and the processes of its links. `stop` has to be called whatever happens; what ends a run
    early is an exception.

    `geometries` are the places of the windows, by site, as X has them.
    """

    def __init__(
        self,
        options: Options,
        wiring: Wiring,
        links: Links,
        folder: Folder,
        signals: Signals,
        geometries: Mapping[str, str] | None = None,
    ) -> None:
        self.wiring = wiring
        self.folder = folder
        self._options = options
        self._links = links
        self._signals = signals
        self._geometries = geometries or {}
        self._pipes = Pipes(folder, [*wiring.sites, *links.helpers], links.pipes)
        self._processes = Processes(folder)
        self._log_starts: dict[str, int] = {}
        self._orders = Orders()
        self._lives: Counter[str] = Counter()
        self._reports: dict[str, list[str]] = {}  # what they said when they were ended
        self._helpers_say = {name: Tail(folder.log(name)) for name in links.helpers}
        traces = {site: folder.trace(site) for site in wiring.sites}
        self._starts = Follower(traces)  # apart, so that `look` tells everything since the start
        self._follower = Follower(traces)

    @property
    def living(self) -> list[str]:
        """The sites that live."""
        return [name for name in self._processes.living if name not in self._links.helpers]

    @property
    def dead_helpers(self) -> list[str]:
        """The processes of links that do not live."""
        return [name for name in self._links.helpers if not self.lives(name)]

    def is_known(self, name: str) -> bool:
        """Whether this is a site, or a process of a link."""
        return name in self.wiring.sites or name in self._links.helpers

    def lives(self, name: str) -> bool:
        """Whether this site, or this process of a link, lives."""
        return name in self._processes.living

    @property
    def suspended(self) -> list[str]:
        """Those of them that were told to stand still."""
        return self._processes.suspended

    def start_all(self, tell_slow: Callable[[Collection[str]], None]) -> dict[str, int]:
        """Starts every site and waits until each has said so in its trace; those that ended since, with their status.

        `tell_slow` is told once whom it still waits for. Raises `FailedStart` when a site ends instead of starting.
        """
        compileall.compile_dir(ROOT / "lib", quiet=2)  # or each of 200 sites does it
        for name in (*self._links.helpers, *self.wiring.sites):
            self._signals.check()
            self.start(name)
        return self._wait_for_starts(tell_slow)

    def _wait_for_starts(self, tell_slow: Callable[[Collection[str]], None]) -> dict[str, int]:
        awaited = set(self.wiring.sites)
        ended: dict[str, int] = {}
        patience = time.monotonic() + _SLOW
        while awaited:
            ended |= self.wait_for_deaths(_LOOK)
            awaited -= {event.site for event in self._starts.new_events(("start",))}
            for name in sorted(ended.keys() & (awaited | self._links.helpers.keys())):
                raise FailedStart(name, ended[name], self.last_words(name))
            if awaited and time.monotonic() > patience:
                tell_slow(sorted(awaited))
                patience = math.inf
        return ended

    def start(self, name: str) -> None:
        """Starts one site, or one process of a link, the first time or again."""
        self._lives[name] += 1
        log = self.folder.log(name)
        self._log_starts[name] = log.stat().st_size if log.exists() else 0
        if name in self._links.helpers:
            self._processes.start(name, self._links.helpers[name], Path(os.devnull))
            for order in self._orders.to(edge for edge, cable in self._links.cables.items() if cable == name):
                self.command(name, order)
            return
        end_last_line(self.folder.trace(name))
        geometry = self._geometries.get(name, "")
        command = command_line(self._options, self.wiring, self.folder, name, geometry, self._links.options.get(name, ()))
        self._processes.start(name, command, self._links.outputs[name])

    def kill(self, site: str) -> None:
        self._processes.kill(site)

    def suspend(self, site: str) -> None:
        """Has `site` stand still (SIGSTOP), from the return of this call on; what it is written waits in its pipes."""
        self._processes.suspend(site)

    def resume(self, site: str) -> None:
        """Lets `site` go on, if it stands still and lives."""
        self._processes.resume(site)

    def command(self, site: str, line: str) -> None:
        """Gives `site` a command (contract section 8). Raises `Problem` when it cannot be written."""
        self._pipes.command(site, line)

    def last_words(self, name: str) -> str:
        """The last line that a process wrote into its log since it was started."""
        return last_words(self.folder.log(name), self._log_starts[name])

    # --------------------------------------------------------------------------------------------------------- its links

    def cabled(self, name: str) -> list[Edge]:
        """The links that people mean by `name`, and that can be acted upon. Raises `Problem` when there is none."""
        edges = [edge for edge in named(self.wiring, name) if edge in self._links.cables]
        if not edges and self._options.mqtt:
            raise Problem(f"{name} : passe par le courtier, non par un câble", f"{name}: goes by the broker, not by a cable")
        if not edges:
            raise Problem(
                f'{name} : pas de câble à cet endroit ; relancez avec --cable "{name}"',
                f'{name}: no cable there; start again with --cable "{name}"',
            )
        return edges

    def tell_cable(self, edge: Edge, verb: str, settings: Sequence[str] = ()) -> None:
        """Has the cable of `edge` do something to it, such as `couper`, or `regler` with settings. Raises `Problem` when it
        cannot be told."""
        cable = self._links.cables[edge]
        if not self.lives(cable):
            raise Problem(
                f"{edge} : {cable} ne tourne plus ; relancer {cable}",
                f"{edge}: {cable} does not run any more; relancer {cable}",
            )
        self.command(cable, " ".join((verb, str(edge), *settings)))
        self._orders.note(edge, verb, settings)

    def was_started_again(self, edge: Edge) -> bool:
        """Whether the cable of `edge` has had more than one life: it counts, and draws, from 1 in each."""
        return self._lives[self._links.cables.get(edge, "")] > 1

    def report(self, edge: Edge) -> str:
        """What the cable of `edge` said of it when it was ended; empty when there is none, or it did not live till then."""
        lines = self._reports.get(self._links.cables.get(edge, ""), [])
        return next((line for line in reversed(lines) if line.startswith((f"{edge} :", f"{edge}:"))), "")

    # -------------------------------------------------------------------------------------------------------- its course

    def look(self, kinds: Collection[str], files: Sequence[int] = ()) -> Happened:
        """Waits a moment, and tells what happened. Raises `Interrupted` when a signal has come."""
        has_input = self._signals.wait(_LOOK, files)
        ended = self._ended()  # first: whoever is dead has written all of its trace
        said = [line for lines in self._new_words().values() for line in lines]
        return Happened(self._follower.new_events(kinds), said, ended, has_input)

    def _new_words(self) -> dict[str, list[str]]:
        """What the processes of the links have said since the last time."""
        return {
            name: [line.decode(errors="replace") for line in tail.new_lines()] for name, tail in self._helpers_say.items()
        }

    def wait_for_deaths(self, seconds: float | None = None) -> dict[str, int]:
        """Waits, at no cost, until a site ends. Raises `Interrupted` when a signal has come."""
        self._signals.wait(seconds)
        return self._ended()

    def _ended(self) -> dict[str, int]:
        self._signals.check()
        return self._processes.ended()

    def stop(self) -> None:
        """Ends all sites, then the links: SIGTERM, and SIGKILL after the grace, or at once when a second signal wants it."""
        # Counted from here: the second one may come while the first of many sites are only just told to end.
        enough = min(1, len(self._signals.received)) + 1
        for site in self.suspended:  # or it could not take its leave
            self.resume(site)
        self._end(self.wiring.sites, signal.SIGTERM, enough)
        self._new_words()
        self._end(self._links.helpers, signal.SIGTERM, enough)  # they have carried the last words of the sites
        self._reports = self._new_words()
        self._end(self._processes.living, signal.SIGKILL)
        self._pipes.close()

    def _end(self, names: Iterable[str], number: signal.Signals, enough: float = math.inf) -> None:
        """Signal these, and wait for their end; no longer than the grace, nor once `enough` signals have come to us."""
        self._processes.signal(names, number)
        deadline = time.monotonic() + GRACE
        while self._any_living(names) and len(self._signals.received) < enough:
            left = deadline - time.monotonic()
            if left <= 0:
                return
            self._signals.wait(left)

    def _any_living(self, names: Iterable[str]) -> bool:
        self._processes.ended()
        return not set(names).isdisjoint(self._processes.living)


def command_line(
    options: Options, wiring: Wiring, folder: Folder, site: str, geometry: str = "", link: Sequence[str] = ()
) -> list[str]:
    """How `site` is started; `link` are the options that its link wants. What the user wants comes last, and so wins."""
    is_guichet = site == wiring.guichet
    own = [
        *program("guichet.py" if is_guichet else "client.py"),
        f"--ident={site}",
        f"--voisins={','.join(wiring.neighbours(site))}",
        f"--donnees={folder.stores}",
        f"--instantanes={folder.snapshots}",
        f"--commandes={folder.commands(site)}",
        f"--trace={folder.trace(site)}",
    ]
    own += [f"--guichet={wiring.guichet}"] if not is_guichet and wiring.guichet != GUICHET else []
    own += ["--notk"] if options.notk else []
    own += [f"--geometry={geometry}"] if geometry else []
    own += [f"--lang={options.language}"] if options.language else []
    return [*own, *link, *options.everyone, *(options.guichet if is_guichet else options.client)]
