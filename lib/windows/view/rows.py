"""A row of a table, the words that all views share, and the stations that both windows propose."""

from __future__ import annotations

import time
from collections.abc import Iterable
from itertools import chain
from typing import NamedTuple

from lib.core.tickets import Journey, euros, fold
from lib.texts import Text

MAX_NAMES = 10_000  # stations: more than France has
_LONG_NAME = 48  # characters of a station's name in a sentence


class Row(NamedTuple):
    """One row: `key` tells it from all others, `tag` how it is coloured."""

    key: str
    cells: tuple[str, ...]
    tag: str = ""


def date_and_time(date: str) -> str:
    """`2025-03-17T07:10` as people read it: `2025-03-17 07:10`."""
    return date.replace("T", " ")


def price(cents: int, language: str) -> str:
    """`15,40 €` in French, `€15.40` in English. No line ends before the euro."""
    return f"€{euros(cents)}" if language == "en" else f"{euros(cents).replace('.', ',')}\u00a0€"


def ago(seconds: float) -> Text:
    """How long ago something was, no finer than people care for."""
    if seconds < 2:
        return Text("à l'instant", "just now")
    if seconds < 60:
        return Text(f"il y a {int(seconds)} s", f"{int(seconds)} s ago")
    if seconds < 3600:
        return Text(f"il y a {int(seconds / 60)} min", f"{int(seconds / 60)} min ago")
    return Text(f"il y a {int(seconds / 3600)} h", f"{int(seconds / 3600)} h ago")


def thousands(number: int) -> Text:
    """`3 859` in French, `3,859` in English."""
    english = f"{number:,}"
    return Text(english.replace(",", "\u202f"), english)


def clock(at: float) -> str:
    """`14:03:22`, local time."""
    return time.strftime("%H:%M:%S", time.localtime(at))


def shortened(name: str) -> str:
    """A station's name that leaves room for the rest of its sentence."""
    return name if len(name) <= _LONG_NAME else f"{name[: _LONG_NAME - 1]}…"


def route(journey: Journey) -> str:
    """`Compiègne → Paris Gare du Nord`."""
    return f"{shortened(journey.departure)} → {shortened(journey.destination)}"


class Names:
    """The stations seen so far: what is proposed to whoever types one."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def add(self, journeys: Iterable[Journey]) -> None:
        """Learn the stations of these journeys; the first spelling of a name stays."""
        for name in chain.from_iterable((journey.departure, journey.destination) for journey in journeys):
            if len(self._names) < MAX_NAMES:
                self._names.setdefault(fold(name), name)

    def like(self, text: str) -> list[str]:
        """The names with `text` in them, whatever its accents and case: first those that begin with it, then those of which
        a word does."""
        wanted = fold(text)
        found = sorted((_rank(folded, wanted), folded) for folded in self._names if wanted in folded)
        return [self._names[folded] for _, folded in found]


def _rank(folded: str, wanted: str) -> int:
    return 0 if folded.startswith(wanted) else 1 if f" {wanted}" in folded else 2
