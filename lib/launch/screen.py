"""What people read: one language, colours where they can be seen, aligned columns."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TextIO

from lib.launch.signals import Interrupted
from lib.texts import Text

_STYLES = {"title": "1;36", "good": "32", "bad": "1;31", "quiet": "2", "strong": "1"}
_SIGPIPE = 13


class Screen:
    """Standard output, in one language. Raises `Interrupted` once nobody reads it any more."""

    def __init__(self, language: str, stream: TextIO = sys.stdout, environment: Mapping[str, str] = os.environ) -> None:
        self.language = language
        self.is_terminal = stream.isatty()
        self._stream = stream
        self._colours = self.is_terminal and not environment.get("NO_COLOR")

    def say(self, text: Text, style: str = "") -> None:
        """A sentence on its own line."""
        self.line(self.words(text), style)

    def words(self, text: Text) -> str:
        """The sentence in the language of this screen."""
        return text.in_language(self.language)

    def line(self, line: str = "", style: str = "") -> None:
        """A line that is in no language, or in the right one already; at once, also when stdout is a pipe or a file."""
        try:
            print(self.paint(line, style), file=self._stream, flush=True)
        except OSError:  # the reader of a pipe has left, or the terminal is gone
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())
            raise Interrupted(_SIGPIPE) from None

    def paint(self, words: str, style: str) -> str:
        """`words` in a style of `_STYLES`, where colours are wanted."""
        return f"\033[{_STYLES[style]}m{words}\033[0m" if style and words and self._colours else words

    def table(self, headings: Sequence[Text], rows: Iterable[Sequence[str]], right: Iterable[int] = ()) -> None:
        """An aligned table; the columns of `right` are aligned on the right."""
        lines = align([[self.words(heading) for heading in headings], *rows], right)
        self.line(f"    {lines[0]}", "quiet")
        for line in lines[1:]:
            self.line(f"    {line}")


def align(rows: Sequence[Sequence[str]], right: Iterable[int] = ()) -> list[str]:
    """The rows as lines, every column as wide as its widest cell."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    to_the_right = set(right)

    def cell(column: int, words: str) -> str:
        return words.rjust(widths[column]) if column in to_the_right else words.ljust(widths[column])

    return ["  ".join(cell(column, words) for column, words in enumerate(row)).rstrip() for row in rows]
