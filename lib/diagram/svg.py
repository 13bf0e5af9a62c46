"""The strokes of a picture: shapes and texts as SVG elements, simple enough for every viewer: no markers, no style sheet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

Point = tuple[float, float]

FONT = "DejaVu Sans, Verdana, Arial, sans-serif"
_LETTER = 0.6  # mean width of a letter, in heights
_HEAD, _WING = 11.0, 4.5  # length and half of the width of an arrow's head


def picture(width: float, height: float) -> Element:
    """An empty picture on white."""
    size = {"width": _px(width), "height": _px(height), "viewBox": f"0 0 {_px(width)} {_px(height)}"}
    root = Element("svg", {"xmlns": "http://www.w3.org/2000/svg", "font-family": FONT, **size})
    add(root, "rect", width=width, height=height, fill="#ffffff")
    return root


def as_text(root: Element) -> str:
    """The picture as a file holds it."""
    ElementTree.indent(root, " ")
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=False) + "\n"


def add(parent: Element, name: str, /, **attributes: object) -> Element:
    """A new element; `stroke_width` becomes `stroke-width`, numbers lose what no eye sees, None is left out."""
    written = {key.replace("_", "-"): _px(value) for key, value in attributes.items() if value is not None}
    return ElementTree.SubElement(parent, name, written)


def _px(value: object) -> str:
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)


def group(parent: Element, kind: str, title: str = "") -> Element:
    """A group of strokes that are one thing, of a `class`; its title is shown by viewers when the pointer is above it."""
    made = add(parent, "g", **{"class": kind})
    if title:
        add(made, "title").text = title
    return made


def line(parent: Element, start: Point, end: Point, colour: str, width: float = 2.0, dash: str | None = None) -> None:
    """A straight line."""
    (x1, y1), (x2, y2) = start, end
    add(parent, "line", x1=x1, y1=y1, x2=x2, y2=y2, stroke=colour, stroke_width=width, stroke_dasharray=dash)


def polygon(parent: Element, points: Sequence[Point], colour: str, opacity: float | None = None) -> None:
    """A filled shape."""
    add(parent, "polygon", points=_points(points), fill=colour, fill_opacity=opacity)


def polyline(parent: Element, points: Sequence[Point], colour: str, width: float, dash: str | None = None) -> None:
    """A line through points."""
    add(
        parent,
        "polyline",
        points=_points(points),
        fill="none",
        stroke=colour,
        stroke_width=width,
        stroke_linejoin="round",
        stroke_dasharray=dash,
    )


def _points(points: Sequence[Point]) -> str:
    return " ".join(f"{_px(x)},{_px(y)}" for x, y in points)


def arrow(
    parent: Element, start: Point, end: Point, colour: str, width: float, dash: str | None = None, gap: float = 0.0
) -> None:
    """A line with a head whose tip stays `gap` away from the end, where a dot may be."""
    along = _direction(start, end)
    tip = _moved(end, along, -gap)
    neck = _moved(tip, along, -_HEAD)
    across = (-along[1], along[0])
    line(parent, start, neck, colour, width, dash)
    polygon(parent, [tip, _moved(neck, across, _WING + width / 2), _moved(neck, across, -_WING - width / 2)], colour)


def cross(parent: Element, centre: Point, colour: str, size: float = 7.0) -> None:
    """A saltire."""
    x, y = centre
    line(parent, (x - size, y - size), (x + size, y + size), colour, 3.0)
    line(parent, (x - size, y + size), (x + size, y - size), colour, 3.0)


def diamond(parent: Element, centre: Point, colour: str, size: float = 10.0) -> None:
    """A square on its corner."""
    x, y = centre
    polygon(parent, [(x - size, y), (x, y - size), (x + size, y), (x, y + size)], colour)


def text(
    parent: Element, at: Point, words: str, size: float, colour: str, anchor: str = "start", weight: str | None = None
) -> None:
    """A line of text whose base line begins, ends or has its middle at a point."""
    look = {"font_size": size, "fill": colour, "text_anchor": anchor, "font_weight": weight}
    add(parent, "text", x=at[0], y=at[1], **look).text = words


def width_of(words: str, size: float) -> float:
    """About how wide a text is."""
    return len(words) * size * _LETTER


def plate(parent: Element, at: Point, words: str, size: float, colour: str, degrees: float = 0.0) -> None:
    """A text around a point on a white ground, turned by an angle."""
    wide = width_of(words, size) + 4
    where = f"translate({_px(at[0])} {_px(at[1])})" + (f" rotate({_px(degrees)})" if degrees else "")
    label = add(parent, "g", transform=where)
    add(label, "rect", x=-wide / 2, y=-size * 0.62, width=wide, height=size * 1.24, fill="#ffffff", fill_opacity=0.8)
    text(label, (0.0, size * 0.36), words, size, colour, "middle")


def tilt(start: Point, end: Point) -> float:
    """The angle in degrees of a text along a line, never upside down."""
    angle = math.degrees(math.atan2(end[1] - start[1], end[0] - start[0]))
    return angle if abs(angle) <= 90 else angle - math.copysign(180, angle)


def _direction(start: Point, end: Point) -> Point:
    length = math.dist(start, end) or 1.0
    return (end[0] - start[0]) / length, (end[1] - start[1]) / length


def _moved(point: Point, along: Point, length: float) -> Point:
    return point[0] + along[0] * length, point[1] + along[1] * length
