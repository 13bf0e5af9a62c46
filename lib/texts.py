"""What the program says to people, in both languages, beside the place where it is said.

Every sentence for a person exists in French and in English (contract, preamble). They stand together in the code, as one
`Text`, so that neither can be forgotten and both can be found by searching for what was read on the screen.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

LANGUAGES = ("fr", "en")


@dataclass(frozen=True, slots=True)
class Text:
    """One sentence in French (`fr`) and in English (`en`)."""

    fr: str
    en: str

    def in_language(self, language: str) -> str:
        """The sentence in `language`, one of `LANGUAGES`."""
        return self.en if language == "en" else self.fr


def printable(text: str) -> str:
    """The text on one line, and harmless on a terminal, whatever stands in the file or the line that it speaks of."""
    return "".join(c if c.isprintable() or c in _BLANKS else "\ufffd" for c in text)


_BLANKS = "\u00a0\u202f"  # French typography's, which Python does not take for printable


class Problem(Exception):
    """Something that a person has to mend: one line that says what, where, and what to do.

    Raised by the edge for the user's files and options, never for our own mistakes (those are assertions, and stay on).
    """

    def __init__(self, fr: str, en: str) -> None:
        super().__init__(fr)
        self.text = Text(printable(fr), printable(en))


def language_of_environment(environment: dict[str, str] | os._Environ[str] = os.environ) -> str:
    """`fr` or `en`, as `LC_ALL`, `LC_MESSAGES` or `LANG` says; French when they say neither (contract, preamble)."""
    for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
        value = environment.get(variable, "")
        if value:
            return "en" if value.startswith("en") else "fr"
    return "fr"
