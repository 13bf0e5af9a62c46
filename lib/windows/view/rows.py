"""A row of a table, and the words that all views share."""

from __future__ import annotations

from typing import NamedTuple

from lib.core.tickets import euros
from lib.texts import Text


class Row(NamedTuple):
    """One row: `key` tells it from all others, `tag` how it is coloured."""

    key: str
    cells: tuple[str, ...]
    tag: str = ""


def date_and_time(date: str) -> str:
    """`2025-03-17T07:10` as people read it: `2025-03-17 07:10`."""
    return date.replace("T", " ")


def price(cents: int, language: str) -> str:
    """`15,40 €` in French, `€15.40` in English."""
    return f"€{euros(cents)}" if language == "en" else f"{euros(cents).replace('.', ',')} €"


def ago(seconds: float) -> Text:
    """How long ago something was, no finer than people care for."""
    if seconds < 2:
        return Text("à l'instant", "just now")
    if seconds < 60:
        return Text(f"il y a {int(seconds)} s", f"{int(seconds)} s ago")
    if seconds < 3600:
        return Text(f"il y a {int(seconds / 60)} min", f"{int(seconds / 60)} min ago")
    return Text(f"il y a {int(seconds / 3600)} h", f"{int(seconds / 3600)} h ago")
