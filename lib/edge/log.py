"""What a site says to people on stderr: one line a thing, never a flood."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable

from lib.texts import Text

RATE = 10  # lines of one kind in a period: a flood of bad lines must not become a flood of complaints
PERIOD = 10.0  # seconds


class _Rate(logging.Filter):
    """Lets `RATE` lines of a kind through in each `PERIOD`, and says how many it kept back.

    The kind is the message before its arguments are filled in.
    """

    def __init__(self) -> None:
        super().__init__()
        self._periods: dict[str, tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno >= logging.ERROR:
            return True
        kind, now = str(record.msg), time.monotonic()
        since, count = self._periods.get(kind, (now, 0))
        if now - since >= PERIOD:
            if count > RATE:
                record.msg = f"{kind} (… +{count - RATE})"
            since, count = now, 0
        self._periods[kind] = since, count + 1
        return count < RATE


class Log:
    """The stderr of site `name`, in one language. `verbosity`: 0 problems only, 1 what matters, 2 and more everything."""

    def __init__(self, name: str, language: str, verbosity: int) -> None:
        self._language = language
        self._logger = logging.getLogger(name)
        self._logger.propagate = False
        self._logger.setLevel({0: logging.WARNING, 1: logging.INFO}.get(verbosity, logging.DEBUG))
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter(f"{name} : %(message)s" if language == "fr" else f"{name}: %(message)s"))
        handler.addFilter(_Rate())
        self._logger.handlers = [handler]

    def error(self, text: Text, *values: object) -> None:
        """Something is wrong, and somebody must do something."""
        self._logger.error(text.in_language(self._language), *values)

    def warning(self, text: Text, *values: object) -> None:
        """Something is wrong, and the site goes on."""
        self._logger.warning(text.in_language(self._language), *values)

    def info(self, text: Text, *values: object) -> None:
        """Something that matters happened."""
        self._logger.info(text.in_language(self._language), *values)

    def debug(self, text: Text, *values: object) -> None:
        """Something happened."""
        self._logger.debug(text.in_language(self._language), *values)


def progress_on_terminal() -> Callable[[str, int, int], None] | None:
    """How far a long import has come, on one line of stderr that is written over; None when that is no terminal."""
    if not sys.stderr.isatty():
        return None

    def show(label: str, done: int, total: int) -> None:
        percent = 100 * done // total if total else 100
        sys.stderr.write(f"\r\033[K{label} {percent} %" if done < total else "\r\033[K")
        sys.stderr.flush()

    return show
