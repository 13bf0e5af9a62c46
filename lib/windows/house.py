"""What a window is handed: the site that it shows, and the ways in which it may ask for something."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from lib.core.audit import Document
from lib.core.sites import ClientSite, GuichetSite
from lib.texts import Text
from lib.windows.theme import Theme


class Output(Protocol):
    """What waits to be written."""

    waiting: int
    is_broken: bool


class Folder(Protocol):
    """The saved snapshots."""

    path: Path

    def names(self) -> list[Path]:
        """The files that are there, the oldest first."""

    def read(self, name: str) -> Document:
        """The document of that name. Raises `Problem`."""


class Process(Protocol):
    """The site's process, as the edge has it."""

    @property
    def site(self) -> GuichetSite | ClientSite:
        """What is shown; never touched."""

    @property
    def output(self) -> Output:
        """Its output."""

    @property
    def folder(self) -> Folder | None:
        """Its snapshots."""

    def now(self) -> float:
        """Unix seconds."""

    def order(self, line: str) -> Text | None:
        """Carry out a command; why that could not be."""


@dataclass
class House:
    """What every panel of a window shares.

    `order` carries a command out, tells the user in the status line when it can't be, and says why (None: it was).
    `say` shows a sentence in the status line; `good` says which colour it takes.
    """

    process: Process
    theme: Theme
    language: str
    neighbours: tuple[str, ...]
    order: Callable[..., Text | None]
    say: Callable[..., None]

    def words(self, text: Text) -> str:
        """The sentence in the window's language."""
        return text.in_language(self.language)

    def t(self, fr: str, en: str) -> str:
        """One of two sentences, in the window's language."""
        return en if self.language == "en" else fr


def command_line(verb: str, **values: object) -> str:
    """The command as a user would type it (contract, section 8): `reserver depart=Compiègne`; empty values are left out.

    >>> command_line("reserver", depart="L'Haÿ", destination="", limite=3)
    'reserver "depart=L\\'Haÿ" limite=3'
    """
    words = [f"{key}={value}" for key, value in values.items() if value not in ("", None)]
    return " ".join([verb, *map(_quoted, words)])


def _quoted(word: str) -> str:
    """As `shlex.quote`, but with double quotes where they read better."""
    plain = shlex.quote(word)
    return f'"{word}"' if plain != word and not set(word) & set('"\\$`!') else plain
