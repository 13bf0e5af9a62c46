"""Under the picture: the legend of what it shows, no more, and what is incoherent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from xml.etree.ElementTree import Element

from lib.diagram import svg
from lib.diagram.scene import (
    APPLICATION,
    CHANNEL,
    DEATH,
    INCOHERENT,
    INK,
    LOST,
    PALE,
    SERVICE,
    WRONG,
    Scene,
    Style,
    symbol,
    symbol_of,
)
from lib.diagram.svg import Point
from lib.diagram.traces import REDELIVER, SEND, START
from lib.texts import Text

FUTURE = "#fdf8d8"
PASTS = ("#d9edf9", "#c3e1f4", "#addaf0", "#98cbea")  # deeper for what came before several cuts
MARGIN = 30.0
_MOST_FINDINGS = 4  # stderr tells more
_SAMPLE, _GAP, _LINE = 52.0, 30.0, 30.0  # room for a sample, between two entries, for a line

_SYMBOLS = {
    SEND: Text("événement et son temps de Lamport", "event and its Lamport time"),
    "recorded": Text("état enregistré", "state recorded"),
    "complete": Text("instantané complet", "snapshot complete"),
    "incomplete": Text("instantané clos incomplet", "snapshot closed incomplete"),
    "restored": Text("état restauré", "state restored"),
    REDELIVER: Text("délivré de nouveau", "delivered again"),
    START: Text("début ou fin d'une vie", "begin or end of a life"),
    DEATH: Text("vie interrompue", "life broken off"),
}
_TINTS = {PASTS[0]: Text("passé de la coupe", "past of the cut"), FUTURE: Text("futur", "future")}


class Foot:
    """What stands under a picture of this width, and how high it is."""

    def __init__(self, scene: Scene, width: float) -> None:
        self._entries = list(_entries(scene))
        self._places = list(_places([words for _, words in self._entries], width))
        self._legend = self._places[-1][1] + 36
        self._findings = _worst(scene)
        self.height = self._legend + 26 * len(self._findings)

    def draw(self, root: Element, top: float) -> None:
        """Draw it, from this height downwards."""
        for (kind, words), (x, y) in zip(self._entries, self._places, strict=True):
            entry = svg.group(root, "legend")
            _sample(entry, kind, (x, top + y))
            svg.text(entry, (x + _SAMPLE, top + y + 5), words, 15.0, INK)
        for number, words in enumerate(self._findings):
            place = (MARGIN, top + self._legend + 26 * number)
            svg.text(svg.group(root, "finding"), place, words, 16.0, WRONG, weight="bold")


def _entries(scene: Scene) -> Iterator[tuple[Style | str, str]]:
    """The samples and what they mean: only what there is."""
    styles = [style for _, style in scene.messages]
    for style in (APPLICATION, SERVICE, CHANNEL, LOST, INCOHERENT):
        if style in styles:
            yield style, style.meaning.in_language(scene.language)
    there = {SEND, *map(symbol_of, scene.shown.events)} | ({DEATH} if scene.deaths else set())
    for name, meaning in _SYMBOLS.items():
        if name in there:
            yield name, meaning.in_language(scene.language)
    if scene.shown.cuts:
        for colour, meaning in _TINTS.items():
            yield colour, meaning.in_language(scene.language)


def _places(words: Sequence[str], width: float) -> Iterator[Point]:
    """Where the entries begin, line after line."""
    x, y = MARGIN, 0.0
    for each in words:
        wide = _SAMPLE + svg.width_of(each, 15.0)
        if x + wide > width - MARGIN and x > MARGIN:
            x, y = MARGIN, y + _LINE
        yield x, y
        x += wide + _GAP


def _sample(entry: Element, kind: Style | str, at: Point) -> None:
    x, y = at
    if kind is LOST:
        svg.line(entry, at, (x + 36, y), LOST.colour, LOST.width, LOST.dash)
        svg.cross(entry, (x + 36, y), LOST.colour, 6.0)
    elif isinstance(kind, Style):
        svg.arrow(entry, at, (x + 44, y), kind.colour, kind.width, kind.dash)
    elif kind in _TINTS:
        svg.add(entry, "rect", x=x + 4, y=y - 10, width=36, height=20, fill=kind, stroke=PALE)
    else:
        symbol(entry, kind, (x + 22, y))


def _worst(scene: Scene) -> list[str]:
    found = [finding.text.in_language(scene.language) for finding in scene.findings]
    lines = [scene.say(f"Incohérence : {words}", f"Incoherence: {words}") for words in found[:_MOST_FINDINGS]]
    more = len(found) - len(lines)
    return lines + ([scene.say(f"… et {more} autre(s)", f"... and {more} more")] if more else [])
