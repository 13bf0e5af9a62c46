"""What can be wrong in the guichet's forms, said while one types. What is right is the core's own judgement."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from lib.core.tickets import BadField, Journey, cents_of, fold
from lib.texts import Text

EMPTY = Text("à remplir", "to be filled in")
SAME_STATION = Text("c'est aussi la gare de départ", "that is the departure too")
NO_DATE = Text("date et heure : 17/03/2025 07:10", "date and time: 17/03/2025 07:10")
NO_PRICE = Text("un prix en euros : 15,40", "a price in euros: 15.40")
NO_NUMBER = Text("un nombre entier, 1 ou plus", "a whole number, 1 or more")
NO_FILE = Text("il n'y a rien de ce nom", "there is nothing of this name")
BACKWARDS = Text("c'est avant le premier jour", "that is before the first day")

# What a field of a journey must be; the core says whether it is.
_EXPECTED = {
    "train": Text("un numéro ou un nom de train, de 60 octets au plus", "a train's number or name, of 60 bytes at most"),
    "date": NO_DATE,
    "departure": Text("un nom de gare, de 200 octets au plus", "a station's name, of 200 bytes at most"),
    "destination": Text("un nom de gare, de 200 octets au plus", "a station's name, of 200 bytes at most"),
}
_ANY = Journey("1", "2000-01-01T00:00", "A", "B", 0)


def journey_problem(field: str, text: str) -> Text | None:
    """What is wrong with `text` as the train, date, departure or destination of a ticket."""
    if not text:
        return EMPTY
    try:
        replace(_ANY, **{field: text})  # type: ignore[arg-type]
    except BadField as bad:
        return _EXPECTED[bad.field]
    return None


def price_problem(text: str) -> Text | None:
    """What is wrong with `text` as a price in euros."""
    try:
        cents_of(text)
    except BadField:
        return NO_PRICE if text else EMPTY
    return None


def number_problem(text: str) -> Text | None:
    """What is wrong with `text` as a number of tickets; how many are too many is the guichet's to say."""
    return None if text.isascii() and text.isdigit() and int(text[:16]) > 0 else NO_NUMBER


def optional(check: Callable[[str], Text | None]) -> Callable[[str], Text | None]:
    """The same check for a field that may be empty."""
    return lambda text: check(text) if text else None


def file_problem(text: str) -> Text | None:
    """What is wrong with `text` as a file or a folder."""
    if not text:
        return EMPTY
    return None if path_of(text).exists() else NO_FILE


def path_of(text: str) -> Path:
    """The file that a person means; `~` is their own folder."""
    return Path(text).expanduser()


def same_station(departure: str, destination: str) -> bool:
    """Whether a train would go from a station to itself."""
    return bool(fold(departure)) and fold(departure) == fold(destination)
