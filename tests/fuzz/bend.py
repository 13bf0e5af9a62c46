"""Sound examples, bent a little: most random bytes are refused at the door, and prove nothing about the rooms behind it."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

NUMBERS = ["0", "1", "2", "7", "-1", "+1", "01", "1.5", "1e9", "999999999999999", "1000000000000000", "٣", "9" * 5000, "nan"]
WORDS = ["", " ", "tous", "gch", "c1", "c2", "c9", "B0001", "B0", "é", "😀", "%00", "%25", "%zz", "a" * 250, "x" * 3000]
VALUES = st.sampled_from(NUMBERS + WORDS) | st.text(max_size=12)
_NO_NUMBERS = [float("inf"), float("nan"), 10**400, -(10**20), 10**15, 1e308]
_OTHERS = [None, True, False, 0, 1, -1, 1.5, "", "x", "c1", "B0001", "\ud800", "\x1b[2J", [], {}]
SCALARS = st.sampled_from(_NO_NUMBERS + _OTHERS) | st.text(max_size=5)


@st.composite
def bent_bytes(draw: st.DrawFn, data: bytes) -> bytes:
    """Some bytes are others, some are gone, some are too many."""
    bent = bytearray(data)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(bent) - 1)))
        match draw(st.sampled_from(["flip", "flip", "cut", "insert", "end"])):
            case "flip" if bent:
                bent[at] ^= draw(st.integers(1, 255))
            case "cut":
                del bent[at : at + draw(st.integers(1, 40))]
            case "insert":
                bent[at:at] = draw(st.binary(min_size=1, max_size=8))
            case "end":
                del bent[at:]
    return bytes(bent)


@st.composite
def bent_line(draw: st.DrawFn, line: bytes, number: int) -> bytes:
    """A line of ours under a number that was never used, with some of its fields bent."""
    fields = [part.split("~", 1) for part in line.decode().strip("^").split("^")]
    fields = [[key, f"1.{number}" if key == "numero" else value] for key, value in fields]
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(fields) - 1))
        match draw(st.sampled_from(["value", "value", "value", "drop", "twice", "swap"])):
            case "value":
                fields[at] = [fields[at][0], draw(VALUES)]
            case "drop" if len(fields) > 1:
                del fields[at]
            case "twice":
                fields.append([fields[at][0], draw(VALUES)])
            case "swap":
                fields.insert(draw(st.integers(0, len(fields))), fields.pop(at))
    bent = "^" + "^".join("~".join(field) for field in fields) + "^"
    return draw(st.just(bent.encode("utf-8", "replace")) | bent_bytes(bent.encode("utf-8", "replace")))


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The ways to every value inside of a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, each in inner for place in ((*path, key), *_places(each, (*path, key)))]


@st.composite
def bent_json(draw: st.DrawFn, document: Any) -> Any:
    """A JSON document some of whose values are others, gone, or twice there."""
    bent = json.loads(json.dumps(document))
    for _ in range(draw(st.integers(1, 3))):
        places = _places(bent)
        if not places:
            return bent
        *path, key = draw(st.sampled_from(places))
        where = bent
        for step in path:
            where = where[step]
        match draw(st.sampled_from(["value", "value", "value", "drop", "more", "elsewhere"])):
            case "value":
                where[key] = draw(SCALARS)
            case "drop":
                del where[key]
            case "more" if isinstance(where, list):
                where.append(where[key])
            case "more":
                where[draw(st.text(max_size=4))] = where[key]
            case "elsewhere":
                other = bent
                for step in draw(st.sampled_from(places)):
                    if not isinstance(other, dict | list) or (isinstance(other, dict) and step not in other):
                        break
                    if isinstance(other, list) and (not isinstance(step, int) or step >= len(other)):
                        break
                    other = other[step]
                where[key] = json.loads(json.dumps(other))
    return bent
