"""The traces of the sites (contract section 9), read while they grow."""

from __future__ import annotations

import heapq
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Finds the kind of an event without taking the line apart: in JSON, these very characters can't be inside a string.
_KIND = re.compile(rb'"ev": ?"([a-z_]+)"')


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a trace: something that happened at `site`, its `number`-th event, at its Lamport time."""

    site: str
    kind: str
    number: int
    lamport: int
    time: float
    fields: Mapping[str, Any]

    def text(self, key: str) -> str:
        """The field as text, empty when it lacks."""
        value = self.fields.get(key)
        return "" if value is None else str(value)

    def count(self, key: str) -> int:
        """The field as a whole number, 0 when it lacks or is something else."""
        value = self.fields.get(key)
        return int(value) if isinstance(value, int | float) else 0

    def objects(self, key: str) -> list[Mapping[str, Any]]:
        """The field as a list of objects, empty when it lacks or is something else."""
        value = self.fields.get(key)
        return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def parse(site: str, line: bytes) -> Event | None:
    """The event in a line of `site`'s trace, or None when there is none: whoever was killed leaves half a line."""
    try:
        fields = json.loads(line)
        return Event(site, fields["ev"], int(fields["i"]), int(fields["lamport"]), float(fields["t"]), fields)
    except (ValueError, TypeError, KeyError):
        return None


class Tail:
    """Reads what is new in a file of lines. What it contained before the construction belongs to an earlier run."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = _size(path)

    def new_lines(self) -> list[bytes]:
        """The complete lines; the beginning of another one is left for the next time."""
        if _size(self._path) <= self._read:
            return []
        with self._path.open("rb") as file:
            file.seek(self._read)
            lines = file.read().split(b"\n")
        self._read += sum(len(line) + 1 for line in lines[:-1])
        return lines[:-1]


class Follower:
    """Reads what is new in several traces."""

    def __init__(self, paths: Mapping[str, Path]) -> None:
        self._tails = {site: Tail(path) for site, path in paths.items()}

    def new_events(self, kinds: Collection[str]) -> list[Event]:
        """The events of these kinds since the last call, in Lamport's total order: no effect before its cause.

        Merged, not sorted: each trace keeps its own order, so that a clock that went back would be seen.
        """
        traces = [self._new_of(site, kinds) for site in self._tails]
        return list(heapq.merge(*traces, key=lambda event: (event.lamport, event.site)))

    def _new_of(self, site: str, kinds: Collection[str]) -> list[Event]:
        events = (parse(site, line) for line in self._tails[site].new_lines() if _kind(line) in kinds)
        return [event for event in events if event]


def end_last_line(path: Path) -> None:
    """Completes a trace that a killed site left in the middle of a line, before it is started again and appends."""
    if _size(path):
        with path.open("rb+") as file:
            file.seek(-1, 2)
            if file.read(1) != b"\n":
                file.write(b"\n")


def _kind(line: bytes) -> str:
    found = _KIND.search(line)
    return found[1].decode() if found else ""


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
