"""What the sites wrote down: their traces, event by event (`docs/protocole.md`, section 13)."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lib.texts import Problem, Text

START, STOP, SEND, RECEIVE = "start", "stop", "send", "recv"
SNAPSHOT, RESTORE, REDELIVER = "snapshot", "restore", "redeliver"
EVERYONE = "tous"

# Relaying is the network's affair and no event of the site; half of a long trace is made of it. Quotes inside of a JSON
# string are escaped: these very characters can't be in one.
_RELAY, _START = re.compile(rb'"ev": ?"relay"'), re.compile(rb'"ev": ?"start"')
# What XML cannot hold: control characters, halves of surrogate pairs, two of the last code points.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_YEAR_5138 = 1e11  # seconds; no trace is from later, and `time.localtime` knows no end of time


@dataclass(frozen=True, slots=True, eq=False)
class Event:
    """One line of a trace: what happened at `site`, at its Lamport time.

    `place` numbers the events of a site from 0 over all its lives, `life` its processes from 1. `time` is in Unix seconds.
    What the event does not have is empty or 0.
    """

    site: str
    place: int
    life: int
    kind: str
    lamport: int
    time: float
    id: str
    peer: str
    type: str
    round: int
    epoch: int
    rank: int
    phase: str
    role: str

    @property
    def is_recording(self) -> bool:
        """Whether this is where the cut of a round passes."""
        return self.kind == SNAPSHOT and self.phase == "recorded"


@dataclass(slots=True)
class Run:
    """All that the traces of a folder tell. `notes` says what was passed over; at least one site has an event."""

    sites: dict[str, list[Event]] = field(default_factory=dict)
    notes: list[Text] = field(default_factory=list)

    def events(self) -> Iterator[Event]:
        """Every event, site by site, each site's in its own order."""
        for events in self.sites.values():
            yield from events

    def begun(self) -> float:
        """When the first event took place, in Unix seconds."""
        return min(events[0].time for events in self.sites.values())

    def ended(self) -> float:
        """When the last one did."""
        return max(events[-1].time for events in self.sites.values())

    def is_over(self) -> bool:
        """Whether the run has ended: the last word is a site's farewell. A site that said none was killed."""
        return max((events[-1] for events in self.sites.values()), key=lambda event: event.time).kind == STOP


def read(folder: Path) -> Run:
    """The run whose traces are in `folder`. Raises `Problem` when there is none."""
    if not folder.is_dir():
        raise Problem(
            f"{folder} : ce dossier n'existe pas ; donnez celui d'un lancement (launch_ring.sh --dossier)",
            f"{folder}: there is no such folder; give that of a run (launch_ring.sh --dossier)",
        )
    sites: dict[str, list[Event]] = {}
    notes = []
    for path in sorted(path for path in folder.glob("*.trace.jsonl") if path.is_file()):
        if unreadable := _take(path, sites):
            notes.append(_passed_over(path.name, unreadable))
    if not sites:
        raise Problem(
            f"{folder} : aucune trace ; il faut des fichiers NOM.trace.jsonl, écrits par l'option --trace",
            f"{folder}: no trace; files NAME.trace.jsonl are needed, as the option --trace writes them",
        )
    return Run({name: sites[name] for name in sorted(sites, key=lambda name: _rank(name, sites[name]))}, notes)


def _rank(name: str, events: list[Event]) -> tuple[bool, list[str | int]]:
    """The guichet first, then c2 before c10."""
    parts = [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", name)]
    return not any(event.role == "guichet" for event in events), parts


def _passed_over(name: str, unreadable: int) -> Text:
    return Text(
        f"{name} : ligne(s) illisible(s) laissée(s) de côté : {unreadable}",
        f"{name}: unreadable line(s) passed over: {unreadable}",
    )


def _take(path: Path, sites: dict[str, list[Event]]) -> int:
    """Add the events of a file to `sites`; how many lines could not be read. A last line without its end is only cut."""
    unreadable = 0
    for line in _lines(path):
        if row := _row(line):
            events = sites.setdefault(_text(row, "site"), [])
            events.append(_event(row, events))
        elif line.endswith(b"\n") and line.strip():
            unreadable += 1
    return unreadable


def _lines(path: Path) -> Iterator[bytes]:
    """The lines of a file, without relays, but for the last of a life: it tells how long that lasted."""
    relay = b""
    for line in _all_lines(path):
        if _RELAY.search(line):
            relay = line
            continue
        if relay and _START.search(line):
            yield relay
        relay = b""
        yield line
    if relay:
        yield relay


def _all_lines(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            yield from file
    except OSError as error:
        raise Problem(
            f"{path} : {error.strerror} ; rendez cette trace lisible",
            f"{path}: {error.strerror}; make this trace readable",
        ) from error


def _row(line: bytes) -> dict[str, Any] | None:
    """The object of a line, when it has what every line of a trace has."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) and _is_event(row) else None


def _is_event(row: dict[str, Any]) -> bool:
    t, lamport = row.get("t"), row.get("lamport")
    is_in_time = isinstance(t, int | float) and math.isfinite(t) and 0 <= t < _YEAR_5138
    return is_in_time and isinstance(lamport, int) and lamport >= 0 and bool(_text(row, "site") and _text(row, "ev"))


def _event(row: dict[str, Any], earlier: list[Event]) -> Event:
    """The event of a row, after the `earlier` ones of its site."""
    kind = _text(row, "ev")
    life = earlier[-1].life + (kind == START) if earlier else 1
    return Event(
        site=_text(row, "site"),
        place=len(earlier),
        life=life,
        kind=kind,
        lamport=row["lamport"],
        time=float(row["t"]),
        id=_text(row, "id"),
        peer=_text(row, "peer"),
        type=_text(row, "type"),
        round=_number(row, "round"),
        epoch=_number(row, "epoch"),
        rank=_number(row, "rank"),
        phase=_text(row, "phase"),
        role=_text(row, "role"),
    )


def _text(row: dict[str, Any], key: str) -> str:
    value = row.get(key)
    return _UNPRINTABLE.sub("\ufffd", value) if isinstance(value, str) else ""


def _number(row: dict[str, Any], key: str) -> int:
    value = row.get(key)
    return value if isinstance(value, int) else 0
