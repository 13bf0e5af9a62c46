"""The diagram: past and future tinted, life lines, messages, events, cuts.

The colours are told apart by those who do not see red or green (after Okabe and Ito); no difference rests on colour alone.
"""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Iterable
from itertools import pairwise
from xml.etree.ElementTree import Element

from lib.diagram import svg
from lib.diagram.causality import Arrow, Cut
from lib.diagram.layout import WIDTH
from lib.diagram.legend import FUTURE, MARGIN, PASTS, Foot
from lib.diagram.scene import DEATH, INK, PALE, SERVICE, WRONG, Scene, Style, symbol, symbol_of
from lib.diagram.svg import Point
from lib.diagram.traces import RECEIVE, REDELIVER, RESTORE, SEND, SNAPSHOT, START, STOP, Event
from lib.texts import Text


def draw(scene: Scene) -> Element:
    """The picture as an SVG document."""
    layout = scene.layout
    width = max(layout.right, WIDTH) + MARGIN
    foot = Foot(scene, width)
    root = svg.picture(width, layout.bottom + 62 + foot.height)
    _title(root, scene)
    _tints(root, scene)
    for name in scene.shown.sites:
        _life_lines(root, scene, name)
    for number, cut in scene.shown.cuts.items():
        _cut(root, scene, number, cut)
    _messages(root, scene)
    for last, at in scene.deaths.items():
        _death(root, scene, last, at)
    for event, at in _numbers(scene).items():
        _event(root, scene, event, at)
    _ticks(root, scene)
    foot.draw(root, layout.bottom + 62)
    return root


# -------------------------------------------------------------------------------------------------------- behind it all


def _title(root: Element, scene: Scene) -> None:
    times = [event.time for event in scene.shown.events]
    begun = time.strftime("%H:%M:%S", time.localtime(min(times)))
    seconds, events, messages = f"{max(times) - min(times):.1f}", len(times), len(scene.shown.arrows)
    words = scene.say(
        f"Diagramme espace-temps : {seconds.replace('.', ',')} s depuis {begun}, {events} événements, {messages} messages",
        f"Space-time diagram: {seconds} s from {begun} on, {events} events, {messages} messages",
    )
    svg.text(root, (MARGIN, 32.0), words, 17.0, PALE)


def _tints(root: Element, scene: Scene) -> None:
    """What came before a cut in blue, what came after all of them in yellow; without a cut there is neither."""
    layout = scene.layout
    edges = (layout.right, layout.top), (layout.right, layout.bottom)
    if scene.shown.cuts:
        svg.polygon(svg.group(root, "future", scene.say("futur", "future")), [*_left_edge(scene), *edges[::-1]], FUTURE)
    newest_first = reversed(list(scene.shown.cuts.items()))
    for depth, (number, cut) in enumerate(newest_first):
        title = scene.say(f"passé de la coupe du tour {number}", f"past of the cut of round {number}")
        area = [*_left_edge(scene), *reversed(_through(scene, cut))]
        svg.polygon(svg.group(root, "past", title), area, PASTS[min(depth, len(PASTS) - 1)])


def _left_edge(scene: Scene) -> list[Point]:
    return [(scene.layout.left, scene.layout.top), (scene.layout.left, scene.layout.bottom)]


def _through(scene: Scene, cut: Cut) -> list[Point]:
    """The way of a cut from top to bottom, through the record of every site that is shown and made one."""
    layout = scene.layout
    points = [(layout.x(cut[name]), layout.rows[name]) for name in scene.shown.sites if name in cut]
    return [(points[0][0], layout.top), *points, (points[-1][0], layout.bottom)]


def _cut(root: Element, scene: Scene, number: int, cut: Cut) -> None:
    name = scene.say(f"coupe du tour {number}", f"cut of round {number}")
    drawn, points = svg.group(root, "cut", name), _through(scene, cut)
    svg.polyline(drawn, points, INK, 3.0, "12 6")
    svg.text(drawn, (points[0][0], scene.layout.top - 8), name, 16.0, INK, "middle", "bold")


def _life_lines(root: Element, scene: Scene, name: str) -> None:
    """A line for each life of a site; between two lives nobody is there."""
    layout, y, lives = scene.layout, scene.layout.rows[name], scene.lives(name)
    site = svg.group(root, "site", name)
    svg.text(site, (layout.left - 14, y + 7), name, 20.0, INK, "end", "bold")
    for life in lives:
        first, last = layout.x(life[0]), layout.x(life[-1]) if scene.has_ended(life) else layout.right
        last = scene.deaths.get(life[-1], (last, y))[0]
        if first < layout.right and last > layout.left:
            svg.line(site, (first, y), (last, y), INK, 2.2)
    for before, after in pairwise(lives):
        svg.line(site, (layout.x(before[-1]), y), (layout.x(after[0]), y), PALE, 1.5, "2 6")


def _death(root: Element, scene: Scene, last: Event, at: Point) -> None:
    title = scene.say(f"la vie {last.life} de {last.site} s'interrompt", f"life {last.life} of {last.site} breaks off")
    symbol(svg.group(root, "death", title), DEATH, at)


# ------------------------------------------------------------------------------------------------------------- messages


def _messages(root: Element, scene: Scene) -> None:
    """Every message; what matters most lies on top of the others, and is the first to get room for its name."""
    for arrow, style in scene.messages:
        _message(root, scene, arrow, style)
    labels = _Labels(_numbers(scene).values())
    for arrow, style in reversed(scene.messages):
        labels.write(root, *_ends(scene, arrow), arrow.known.type, style)


def _message(root: Element, scene: Scene, arrow: Arrow, style: Style) -> None:
    drawn = svg.group(root, f"message {style.name}", _description(scene, arrow, style))
    start, end = _ends(scene, arrow)
    if arrow.receipt:
        svg.arrow(drawn, start, end, style.colour, style.width, style.dash, 7.0)
    else:
        svg.line(drawn, start, end, style.colour, style.width, style.dash)
        svg.cross(drawn, end, style.colour, 6.0)


class _Labels:
    """The names of the messages, along their arrows, where they cover neither each other nor a number.

    A name without room is left out: it is said by the title of its arrow.
    """

    _SHARES = (0.5, 0.38, 0.62, 0.28, 0.72)  # of the way, in the order in which they are tried
    _CLEARANCE = 19.0  # pixels between the points of two of them

    def __init__(self, taken: Iterable[Point]) -> None:
        self._taken: dict[tuple[int, int], list[Point]] = defaultdict(list)  # by square of a clearance's side
        self._take(taken)

    def write(self, root: Element, start: Point, end: Point, words: str, style: Style) -> None:
        """Write the name of the message that goes from `start` to `end`."""
        size = 13.0 if style is SERVICE else 15.0
        reach = svg.width_of(words, size) / 2
        for share in self._SHARES:
            if reach + 16 > min(share, 1 - share) * math.dist(start, end):
                continue
            middle = _between(start, end, share)
            covered = [_between(middle, end, step * reach / math.dist(middle, end)) for step in (-1.0, -0.5, 0.0, 0.5, 1.0)]
            if all(map(self._is_free, covered)):
                svg.plate(svg.group(root, "label"), middle, words, size, style.colour, svg.tilt(start, end))
                self._take(covered)
                return

    def _take(self, points: Iterable[Point]) -> None:
        for x, y in points:
            self._taken[int(x // self._CLEARANCE), int(y // self._CLEARANCE)].append((x, y))

    def _is_free(self, point: Point) -> bool:
        column, row = (int(each // self._CLEARANCE) for each in point)
        around = [(column + i, row + j) for i in (-1, 0, 1) for j in (-1, 0, 1)]
        near = (other for square in around for other in self._taken.get(square, ()))
        return all(math.dist(point, other) > self._CLEARANCE for other in near)


def _between(start: Point, end: Point, share: float) -> Point:
    return start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share


def _ends(scene: Scene, arrow: Arrow) -> tuple[Point, Point]:
    """From where to where. What never arrived ends half-way; what nobody sent comes from half-way."""
    layout = scene.layout
    if arrow.send and arrow.receipt:
        return (layout.x(arrow.send), layout.y(arrow.send)), (layout.x(arrow.receipt), layout.y(arrow.receipt))
    x, y = layout.x(arrow.known), layout.y(arrow.known)
    other = layout.rows[arrow.to if arrow.send else arrow.sender]
    way = layout.pitch * (1.1 if arrow.send else -1.1)
    half = (x + way, y + math.copysign(0.55 * layout.row, other - y))
    return ((x, y), half) if arrow.send else (half, (x, y))


def _description(scene: Scene, arrow: Arrow, style: Style) -> str:
    """`billet gch:1.31 de gch à c1, H=55 -> 57, rang 9, tour 0 : dans le canal de la coupe`"""
    event = arrow.known
    sent, received = (str(end.lamport) if end else "?" for end in (arrow.send, arrow.receipt))
    rank = scene.say(f", rang {event.rank}", f", rank {event.rank}") if event.rank else ""
    return scene.say(
        f"{event.type} {event.id} de {arrow.sender} à {arrow.to}, H={sent} -> {received}{rank}, tour {event.round}",
        f"{event.type} {event.id} from {arrow.sender} to {arrow.to}, H={sent} -> {received}{rank}, round {event.round}",
    ) + scene.say(f" : {style.meaning.fr}", f": {style.meaning.en}")


# --------------------------------------------------------------------------------------------------------------- events

_NAMES = {
    START: Text("commence une vie", "begins a life"),
    STOP: Text("s'arrête", "stops"),
    SEND: Text("envoie", "sends"),
    RECEIVE: Text("reçoit", "receives"),
    REDELIVER: Text("reçoit de nouveau, après la restauration,", "receives again, after the restoration,"),
    "recorded": Text("enregistre son état, tour", "records its state, round"),
    "complete": Text("clôt l'instantané complet du tour", "closes the complete snapshot of round"),
    "incomplete": Text("clôt l'instantané incomplet du tour", "closes the incomplete snapshot of round"),
    "restored": Text("a repris l'état d'un instantané, époque", "has taken up the state of a snapshot, epoch"),
}


def _event(root: Element, scene: Scene, event: Event, number_at: Point) -> None:
    """What stands for the event, and its Lamport time."""
    colour = WRONG if event in scene.wrong else INK
    drawn = svg.group(root, f"event {symbol_of(event)}", _told(scene, event))
    symbol(drawn, symbol_of(event), (scene.layout.x(event), scene.layout.y(event)), colour)
    svg.plate(drawn, number_at, str(event.lamport), 14.0, colour)


def _told(scene: Scene, event: Event) -> str:
    """`c1 reçoit billet gch:1.31, H=57, 12,345 s après le début`"""
    what = _NAMES[symbol_of(event)].in_language(scene.language)
    number = {SNAPSHOT: str(event.round), RESTORE: str(event.epoch)}.get(event.kind, f"{event.type} {event.id}".strip())
    after = f"{event.time - scene.run.begun():.3f}"
    moment = scene.say(f"{after.replace('.', ',')} s après le début", f"{after} s after the beginning")
    return " ".join(f"{event.site} {what} {number}".split()) + f", H={event.lamport}, {moment}"


def _numbers(scene: Scene) -> dict[Event, Point]:
    """Where the Lamport time of every shown event stands: above its dot, or below when only there no arrow passes."""
    layout = scene.layout
    ways: dict[Event, set[bool]] = defaultdict(set)  # whether arrows go up from here, or down
    for arrow in scene.shown.arrows:
        start, end = _ends(scene, arrow)
        for event, rises in ((arrow.send, end[1] < start[1]), (arrow.receipt, start[1] < end[1])):
            if event:
                ways[event].add(rises)
    return {event: _beside(layout.x(event), layout.y(event), event, ways[event]) for event in scene.events}


def _beside(x: float, y: float, event: Event, ways: set[bool]) -> Point:
    if event.is_recording:
        return x + 20, y - 18  # the cut passes above and below
    return x, y + 20 if ways == {True} else y - 20


def _ticks(root: Element, scene: Scene) -> None:
    """Seconds since the run began, wherever there is room: this is what `--de` and `--a` take."""
    layout, begun = scene.layout, scene.run.begun()
    free, last = 0.0, ""
    for event in scene.events:
        seconds = f"{event.time - begun:.2f} s"
        if layout.x(event) >= free and seconds != last:
            at = (layout.x(event), layout.bottom + 22)
            svg.text(root, at, scene.say(seconds.replace(".", ","), seconds), 13.0, PALE, "middle")
            free, last = layout.x(event) + 80, seconds
