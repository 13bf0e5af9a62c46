"""A running system: its folder, pipes, processes and traces under one roof."""

from __future__ import annotations

import compileall
import math
import signal
import sys
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from lib.launch.folder import Folder
from lib.launch.options import Options
from lib.launch.processes import Pipes, Processes, last_words
from lib.launch.signals import Signals
from lib.launch.traces import Event, Follower, end_last_line
from lib.launch.wiring import GUICHET, Wiring

ROOT = Path(__file__).resolve().parent.parent.parent
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
    """What a look at the run brought: new events, deaths with their status, and whether there is input to read."""

    events: list[Event]
    ended: dict[str, int]
    input: bool


class Run:
    """The sites of one run. `stop` has to be called whatever happens; what ends a run early is an exception."""

    def __init__(self, options: Options, wiring: Wiring, folder: Folder, signals: Signals) -> None:
        self.wiring = wiring
        self.folder = folder
        self._options = options
        self._signals = signals
        self._pipes = Pipes(folder, wiring)
        self._processes = Processes(folder, wiring)
        self._log_starts: dict[str, int] = {}
        traces = {site: folder.trace(site) for site in wiring.sites}
        self._starts = Follower(traces)  # apart, so that `look` tells everything since the start
        self._follower = Follower(traces)

    @property
    def living(self) -> list[str]:
        return self._processes.living

    def start_all(self, tell_slow: Callable[[Collection[str]], None]) -> dict[str, int]:
        """Starts every site and waits until each has said so in its trace; those that ended since, with their status.

        `tell_slow` is told once whom it still waits for. Raises `FailedStart` when a site ends instead of starting.
        """
        compileall.compile_dir(ROOT / "lib", quiet=2)  # or each of 200 sites does it
        for site in self.wiring.sites:
            self._signals.check()
            self.start(site)
        return self._wait_for_starts(tell_slow)

    def _wait_for_starts(self, tell_slow: Callable[[Collection[str]], None]) -> dict[str, int]:
        awaited = set(self.wiring.sites)
        ended: dict[str, int] = {}
        patience = time.monotonic() + _SLOW
        while awaited:
            ended |= self.wait_for_deaths(_LOOK)
            awaited -= {event.site for event in self._starts.new_events(("start",))}
            for site in sorted(awaited & ended.keys()):
                raise FailedStart(site, ended[site], self.last_words(site))
            if awaited and time.monotonic() > patience:
                tell_slow(sorted(awaited))
                patience = math.inf
        return ended

    def start(self, site: str) -> None:
        """Starts one site, the first time or again."""
        end_last_line(self.folder.trace(site))
        log = self.folder.log(site)
        self._log_starts[site] = log.stat().st_size if log.exists() else 0
        self._processes.start(site, command_line(self._options, self.wiring, self.folder, site))

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

    def last_words(self, site: str) -> str:
        """The last line that `site` wrote into its log since it was started."""
        return last_words(self.folder.log(site), self._log_starts[site])

    def look(self, kinds: Collection[str], files: Sequence[int] = ()) -> Happened:
        """Waits a moment, and tells what happened. Raises `Interrupted` when a signal has come."""
        has_input = self._signals.wait(_LOOK, files)
        ended = self._ended()  # first: whoever is dead has written all of its trace
        return Happened(self._follower.new_events(kinds), ended, has_input)

    def wait_for_deaths(self, seconds: float | None = None) -> dict[str, int]:
        """Waits, at no cost, until a site ends. Raises `Interrupted` when a signal has come."""
        self._signals.wait(seconds)
        return self._ended()

    def _ended(self) -> dict[str, int]:
        self._signals.check()
        return self._processes.ended()

    def stop(self) -> None:
        """Ends every site: SIGTERM, then SIGKILL after the grace, or at once when a second signal asks for it."""
        # Counted from here: the second one may come while the first of many sites are only just told to end.
        enough = min(1, len(self._signals.received)) + 1
        self._processes.signal_all(signal.SIGTERM)
        self._wait_for_all(enough)
        self._processes.signal_all(signal.SIGKILL)
        self._wait_for_all()
        self._pipes.close()

    def _wait_for_all(self, enough: float = math.inf) -> None:
        """Wait for the end of all, no longer than the grace, and no longer once `enough` signals have come."""
        deadline = time.monotonic() + GRACE
        while self._any_living() and len(self._signals.received) < enough:
            left = deadline - time.monotonic()
            if left <= 0:
                return
            self._signals.wait(left)

    def _any_living(self) -> bool:
        self._processes.ended()
        return bool(self._processes.living)


def command_line(options: Options, wiring: Wiring, folder: Folder, site: str) -> list[str]:
    """How `site` is started. What the user wants comes last, and so wins."""
    is_guichet = site == GUICHET
    own = [
        sys.executable,
        "-S",  # sites need the standard library alone, and looking for more takes from 1 to 25 ms each
        str(ROOT / ("guichet.py" if is_guichet else "client.py")),
        f"--ident={site}",
        f"--voisins={','.join(wiring.neighbours(site))}",
        f"--donnees={folder.stores}",
        f"--instantanes={folder.snapshots}",
        f"--commandes={folder.commands(site)}",
        f"--trace={folder.trace(site)}",
    ]
    own += ["--notk"] if options.notk else []
    own += [f"--lang={options.language}"] if options.language else []
    return [*own, *options.everyone, *(options.guichet if is_guichet else options.client)]
