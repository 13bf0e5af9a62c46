"""What a site says to people on stderr: one line a thing, never a flood.

Its own few lines instead of `logging`: a tenth of a site's memory and time to start, for a hundred sites on one machine.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import suppress

from lib.texts import Text, printable

RATE = 10  # lines of one kind in a period: a flood of bad lines must not become a flood of complaints
PERIOD = 10.0  # seconds

ESSENTIALS = 1  # --verbose: from here on what matters is said too, below it problems only


class Log:
    """The stderr of site `name`, in one language. `verbosity`: 0 problems only, 1 what matters, 2 and more everything."""

    def __init__(self, name: str, language: str, verbosity: int) -> None:
        self._head = f"{name} : " if language == "fr" else f"{name}: "
        self._language = language
        self._verbosity = verbosity
        self._periods: dict[Text, tuple[float, int]] = {}  # a kind -> when its period began, and the lines since

    def error(self, text: Text, *values: object) -> None:
        """Something is wrong, and somebody must do something."""
        self._write(text, values)

    def warning(self, text: Text, *values: object) -> None:
        """Something is wrong, and the site goes on."""
        kept_back = self._count(text)
        if kept_back is not None:
            self._write(text, values, f" (… +{kept_back})" if kept_back else "")

    def info(self, text: Text, *values: object) -> None:
        """Something that matters happened."""
        if self._verbosity >= ESSENTIALS:
            self._write(text, values)

    def _count(self, kind: Text) -> int | None:
        """None when this kind has said enough in its period; else how many of it were kept back in the one before."""
        now = time.monotonic()
        since, count = self._periods.get(kind, (now, 0))
        kept_back = 0
        if now - since >= PERIOD:
            kept_back, since, count = max(0, count - RATE), now, 0
        self._periods[kind] = since, count + 1
        return kept_back if count < RATE else None

    def _write(self, text: Text, values: tuple[object, ...], end: str = "") -> None:
        sentence = text.in_language(self._language)
        line = printable(f"{self._head}{sentence % values if values else sentence}{end}")
        with suppress(OSError):  # a full disk, or nobody who reads: what is said is lost, and the site lives
            sys.stderr.write(f"{line}\n")
            sys.stderr.flush()


def progress_on_terminal() -> Callable[[str, int, int], None] | None:
    """How far a long import has come, on one line of stderr that is written over; None when that is no terminal."""
    if not sys.stderr.isatty():
        return None

    def show(label: str, done: int, total: int) -> None:
        percent = 100 * done // total if total else 100
        sys.stderr.write(f"\r\033[K{label} {percent} %" if done < total else "\r\033[K")
        sys.stderr.flush()

    return show
