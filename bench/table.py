"""What comes out: rows of a table, as text for a terminal or as Markdown for `bench/README.md`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

HEAD = ("Mesure", "Résultat", "Référence, même passe", "Rapport", "Objectif", "Tenu")


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. `held`: whether the target is met (None: there is none). `value` is the figure itself, for tests."""

    what: str
    ours: str
    value: float
    reference: str = ""
    ratio: str = ""
    target: str = ""
    held: bool | None = None

    def cells(self) -> tuple[str, ...]:
        """The row as the table shows it."""
        held = {True: "oui", False: "NON", None: ""}[self.held]
        return self.what, self.ours, self.reference, self.ratio, self.target, held


def figure(value: float) -> str:
    """A number as people read it in French: three digits that count, thousands apart."""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}".replace(",", "\u202f").replace(".", ",")


def spread(values: Sequence[float], unit: str = "") -> str:
    """The median, with the smallest and the greatest when there are several."""
    words = f"{figure(median(values))}{unit}"
    if len(values) < 2:
        return words
    return f"{words} [{figure(min(values))} – {figure(max(values))}]"


def as_text(rows: Sequence[Row]) -> str:
    """The table for a terminal."""
    lines = [HEAD, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
    shown = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    return "\n".join([shown[0], "-" * sum(widths, 2 * len(widths) - 2), *shown[1:]])


def as_markdown(rows: Sequence[Row]) -> str:
    """The table for the README."""
    lines = [HEAD, ("---",) * len(HEAD), *(row.cells() for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
