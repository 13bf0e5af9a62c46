"""Who watches over the dead: says that they are, and starts them again if that is wanted.

A site that ended well (status 0: its window was closed, it was told to) stays ended. Any other is started again after
half a second, then 1, 2, 4 and 8; when it dies once more within a minute, it is left alone.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from lib.launch import phrases
from lib.launch.run import Run
from lib.launch.screen import Screen
from lib.texts import Problem, Text

PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)  # seconds
MINUTE = 60.0  # seconds for which a start again is held against a site


class Relaunches:
    """When the dead are to be started again. Times are seconds of a clock that is handed in."""

    def __init__(self) -> None:
        self._starts: dict[str, list[float]] = {}
        self._due: dict[str, float] = {}

    def died(self, site: str, now: float) -> float | None:
        """How long `site` stays dead; None when it has died too often."""
        recent = [start for start in self._starts.get(site, ()) if now - start < MINUTE]
        if len(recent) >= len(PAUSES):
            return None
        pause = PAUSES[len(recent)]
        self._due[site] = now + pause
        self._starts[site] = [*recent, self._due[site]]
        return pause

    def take_due(self, now: float) -> list[str]:
        """Who is to be started now; each is told once."""
        due = [site for site, moment in self._due.items() if moment <= now]
        for site in due:
            del self._due[site]
        return due

    def forget(self, site: str) -> None:
        """It is started by somebody else."""
        self._due.pop(site, None)

    @property
    def next(self) -> float | None:
        """When the next one is to be started, None when nobody is."""
        return min(self._due.values(), default=None)


class Keeper:
    """Tells each death and, when `relaunches` are given, starts the dead again."""

    def __init__(self, run: Run, screen: Screen, relaunches: Relaunches | None) -> None:
        self._run = run
        self._screen = screen
        self._relaunches = relaunches

    @property
    def has_wards(self) -> bool:
        """Whether a site lives, or is to live again."""
        return bool(self._run.living) or self._next is not None

    @property
    def patience(self) -> float | None:
        """Seconds after which `keep` wants to be called even if nobody dies; None: never."""
        return None if self._next is None else max(0.0, self._next - time.monotonic())

    @property
    def _next(self) -> float | None:
        return self._relaunches.next if self._relaunches else None

    def keep(self, ended: Mapping[str, int]) -> None:
        """These have ended, with their status; and time has passed."""
        for name, status in ended.items():
            self._screen.say(phrases.death(name, status, self._run.last_words(name)), "bad" if status else "")
            if status:
                self._plan(name)
        if self._relaunches:
            for name in self._relaunches.take_due(time.monotonic()):
                self._start(name)

    def start_again(self, name: str) -> None:
        """Start this one now, whatever was planned for it."""
        if self._relaunches:
            self._relaunches.forget(name)
        self._start(name)

    def _plan(self, name: str) -> None:
        if self._relaunches is None:
            return
        pause = self._relaunches.died(name, time.monotonic())
        if pause is None:
            times = len(PAUSES)
            self._screen.say(
                Text(
                    f"{name} est mort trop souvent ({times} relances en une minute) : je ne le relance plus",
                    f"{name} has died too often (started again {times} times in a minute): I leave it alone",
                ),
                "bad",
            )
        else:
            french = f"{pause:g}".replace(".", ",")
            text = Text(f"{name} sera relancé dans {french} s", f"{name} will be started again in {pause:g} s")
            self._screen.say(text)

    def _start(self, name: str) -> None:
        try:
            self._run.start(name)
            self._screen.say(Text(f"{name} est relancé", f"{name} is started again"))
        except Problem as problem:
            self._screen.say(problem.text, "bad")
            self._plan(name)
