"""What a picture is made of: the styles of messages, the symbols of events, and what is true of the scene as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from xml.etree.ElementTree import Element

from lib.diagram import svg
from lib.diagram.causality import Arrow, is_in_channel
from lib.diagram.choice import View
from lib.diagram.layout import Layout
from lib.diagram.svg import Point
from lib.diagram.traces import REDELIVER, RESTORE, SNAPSHOT, START, STOP, Event, Run
from lib.diagram.witness import Finding
from lib.texts import Text

INK, PALE, WRONG = "#1a1a1a", "#6b6b6b", "#b3007d"
DEATH = "death"


@dataclass(frozen=True, slots=True)
class Style:
    """How a message is drawn, and what the legend calls it."""

    name: str
    colour: str
    width: float
    meaning: Text
    dash: str | None = None


APPLICATION = Style("application", "#0072b2", 2.4, Text("message de l'application", "message of the application"))
SERVICE = Style("service", PALE, 1.4, Text("message de service", "service message"))
CHANNEL = Style("channel", "#d55e00", 5.0, Text("dans le canal de la coupe", "in the channel of the cut"))
LOST = Style("lost", "#4a4a4a", 2.4, Text("jamais reçu", "never received"), "7 5")
INCOHERENT = Style("incoherent", WRONG, 4.0, Text("incohérence", "incoherence"), "3 4")
STYLES = (SERVICE, APPLICATION, LOST, CHANNEL, INCOHERENT)  # what matters most comes last, and lies on top


@dataclass(frozen=True)
class Scene:
    """All that a picture needs: what to show, where, and in which language."""

    run: Run
    shown: View
    layout: Layout
    findings: Sequence[Finding]
    language: str

    def say(self, fr: str, en: str) -> str:
        """The sentence in the language of the picture."""
        return Text(fr, en).in_language(self.language)

    @cached_property
    def events(self) -> list[Event]:
        """The shown events from left to right, and from top to bottom."""
        return sorted(self.shown.events, key=lambda event: (self.layout.columns[event], self.layout.rows[event.site]))

    @cached_property
    def wrong(self) -> frozenset[Event | Arrow]:
        """The events and messages that cannot be."""
        return frozenset(finding.at for finding in self.findings if finding.at)

    @cached_property
    def messages(self) -> list[tuple[Arrow, Style]]:
        """The shown messages with their styles, what lies below first."""
        styled = [(arrow, self._style(arrow)) for arrow in self.shown.arrows]
        return sorted(styled, key=lambda pair: STYLES.index(pair[1]))

    def _style(self, arrow: Arrow) -> Style:
        """What there is to say of a message above all."""
        if arrow in self.wrong:
            return INCOHERENT
        if not arrow.receipt:
            return LOST
        if any(is_in_channel(arrow, cut) for cut in self.shown.cuts.values()):
            return CHANNEL
        return APPLICATION if arrow.known.rank else SERVICE

    def lives(self, name: str) -> list[list[Event]]:
        """The events of a site, life by life."""
        return [list(events) for _, events in groupby(self.run.sites[name], key=lambda event: event.life)]

    def has_ended(self, life: Sequence[Event]) -> bool:
        """Whether this life of a site is over: by its own word, by the next one's start, or because all the others ended."""
        is_last = life[-1].life == self.run.sites[life[-1].site][-1].life
        return life[-1].kind == STOP or not is_last or self.run.is_over()

    @cached_property
    def deaths(self) -> dict[Event, Point]:
        """The last events of lives that broke off without a farewell, and where to show it."""
        layout = self.layout
        ends = [life[-1] for name in self.shown.sites for life in self.lives(name) if self.has_ended(life)]
        places = {end: (layout.x(end) + layout.pitch / 2, layout.y(end)) for end in ends if end.kind != STOP}
        return {end: (x, y) for end, (x, y) in places.items() if layout.left + layout.pitch < x < layout.right}


def symbol_of(event: Event) -> str:
    """The name of what stands for an event; the phases of snapshots and restorations have their own."""
    return event.phase if event.kind in (SNAPSHOT, RESTORE) else event.kind


def symbol(parent: Element, name: str, at: Point, colour: str = INK) -> None:
    """Draw the symbol of this name: a dot, or what stands for something rarer."""
    x, y = at
    match name:
        case "recorded":
            svg.polygon(parent, [(x - 10, y), (x, y - 10), (x + 10, y), (x, y + 10)], colour)
        case "restored":
            svg.polygon(parent, [(x - 9, y), (x + 6, y - 9), (x + 6, y + 9)], colour)
        case "complete" | "incomplete":
            svg.add(parent, "rect", x=x - 7, y=y - 7, width=14, height=14, fill="#ffffff", stroke=colour, stroke_width=2.5)
        case _ if name == REDELIVER:
            svg.add(parent, "circle", cx=x, cy=y, r=6.0, fill="#ffffff", stroke=colour, stroke_width=2.5)
        case _ if name in (START, STOP):
            svg.line(parent, (x, y - 11), (x, y + 11), colour, 4.0)
        case _ if name == DEATH:
            svg.cross(parent, at, colour)
        case _:
            svg.add(parent, "circle", cx=x, cy=y, r=5.5, fill=colour)
