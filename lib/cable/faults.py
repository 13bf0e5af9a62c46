"""What a bad link does to lines: its settings, and the fate of each line.

The fate of a line depends on the seed, the link's name and the number of the line alone: neither on what the line
says nor on when it comes. The same seed does the same again.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

from lib.texts import Problem, Text

MAX_DELAY = 60_000.0  # milliseconds: whoever waits for longer has given up (a client's patience is 60 s)
MAX_RATE = 1e9  # bytes a second: no pipe of ours carries as many
MAX_SEED = 2.0**53  # beyond, a number is not exact everywhere
MAX_OVERTAKEN = 3  # lines that pass one that is set aside: enough to break any order that somebody relied upon
_DIE = 5  # bytes of chance to a decision
_DECISIONS = 5


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as people give it: the field of `Faults` that it is, its greatest value, and what it means."""

    field: str
    most: float
    meaning: Text


SETTINGS = {
    "delai": Setting("delay", MAX_DELAY, Text("retard de chaque ligne, en millisecondes", "milliseconds a line takes")),
    "gigue": Setting(
        "jitter",
        MAX_DELAY,
        Text("retard de plus, tiré de 0 à N millisecondes ; l'ordre reste", "0 to N milliseconds more; the order stays"),
    ),
    "perte": Setting("loss", 1.0, Text("probabilité qu'une ligne se perde", "probability that a line is lost")),
    "doublon": Setting("repeat", 1.0, Text("probabilité qu'une ligne vienne deux fois", "probability that it comes twice")),
    "desordre": Setting(
        "reorder",
        1.0,
        Text(
            f"probabilité qu'une ligne (d'une double, la copie) soit dépassée par 1 à {MAX_OVERTAKEN} suivantes",
            f"probability that a line (of a double one, its copy) is overtaken by the next 1 to {MAX_OVERTAKEN}",
        ),
    ),
    "debit": Setting("rate", MAX_RATE, Text("octets par seconde (0 : sans limite)", "bytes a second (0: no limit)")),
    "graine": Setting("seed", MAX_SEED, Text("graine : la même donne le même sort (1)", "seed: the same does the same (1)")),
}


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of one line: how many copies (0: it is lost), how many seconds more, how many overtake the last copy."""

    copies: int = 1
    jitter: float = 0.0
    overtaken: int = 0


_UNTOUCHED = Fate()


@dataclass(frozen=True, slots=True)
class Faults:
    """The settings of a link: milliseconds, probabilities, bytes a second (0: no limit), and the seed of its dice."""

    delay: float = 0.0
    jitter: float = 0.0
    loss: float = 0.0
    repeat: float = 0.0
    reorder: float = 0.0
    rate: float = 0.0
    seed: float = 1.0

    def fate(self, link: str, number: int) -> Fate:
        """What becomes of the `number`-th line of the link of this name."""
        if not (self.jitter or self.loss or self.repeat or self.reorder):
            return _UNTOUCHED
        lost, repeated, moved, far, late = _dice(f"{self.seed:.0f}/{link}/{number}")
        if lost < self.loss:
            return Fate(copies=0)
        return Fate(
            copies=2 if repeated < self.repeat else 1,
            jitter=late * self.jitter / 1000,
            overtaken=1 + int(far * MAX_OVERTAKEN) if moved < self.reorder else 0,
        )


def _dice(key: str) -> list[float]:
    """Numbers from 0 up to 1, always the same for the same key. Ten times as fast as to seed a generator for each line."""
    digest = blake2b(key.encode(), digest_size=_DIE * _DECISIONS).digest()
    return [int.from_bytes(digest[at : at + _DIE], "big") / 256**_DIE for at in range(0, len(digest), _DIE)]


_NONE = Faults()


def parse(words: Iterable[str], before: Faults = _NONE) -> Faults:
    """The settings in words like `delai=300`, on top of those `before`; the last of two for the same thing counts. Raises
    `Problem`."""
    fields: dict[str, Any] = {}
    for word in words:
        key, _, value = word.partition("=")
        if key not in SETTINGS:
            raise Problem(
                f"{word} : réglage inconnu ; il y a {', '.join(SETTINGS)}",
                f"{word}: unknown setting; there are {', '.join(SETTINGS)}",
            )
        fields[SETTINGS[key].field] = _number(word, value, SETTINGS[key].most)
    return replace(before, **fields)


def told(faults: Faults) -> str:
    """The settings as people give them, but for the usual ones; empty for a good link."""
    values = ((key, getattr(faults, setting.field), getattr(_NONE, setting.field)) for key, setting in SETTINGS.items())
    return " ".join(
        f"{key}={int(value) if value == int(value) else value}" for key, value, usual in values if value != usual
    )


def _number(word: str, value: str, most: float) -> float:
    try:
        number = float(value.replace(",", "."))
    except ValueError:
        number = math.nan
    if not 0 <= number <= most:
        raise Problem(f"{word} : il faut un nombre de 0 à {most:.0f}", f"{word}: a number from 0 to {most:.0f} is needed")
    return number
