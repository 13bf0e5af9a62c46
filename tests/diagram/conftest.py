"""Traces as sites would write them, told event by event, and the pictures that are drawn of them."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest

from lib.diagram import __main__ as diagram
from lib.diagram.causality import arrows, cuts
from lib.diagram.traces import read
from lib.diagram.witness import Finding, examine

BEGUN = 1_790_000_000.0
SVG = "{http://www.w3.org/2000/svg}"


@dataclass
class Story:
    """Writes the traces of a run into `folder`; a tenth of a second passes from one event to the next."""

    folder: Path
    at: float = BEGUN
    clocks: dict[str, int] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    sent: dict[str, dict[str, Any]] = field(default_factory=dict)
    sequence: int = 0

    def write(self, site: str, ev: str, lamport: int, **more: Any) -> None:
        """One line of the site's trace."""
        self.clocks[site] = lamport
        self.numbers[site] = self.numbers.get(site, 0) + 1
        row = {"t": round(self.at, 6), "site": site, "i": self.numbers[site], "lamport": lamport, "ev": ev, **more}
        self.append(site, json.dumps(row, ensure_ascii=False) + "\n")
        self.at += 0.1

    def append(self, name: str, text: str) -> None:
        with (self.folder / f"{name.replace('/', '_')}.trace.jsonl").open("a", encoding="utf-8") as file:
            file.write(text)

    def start(self, *sites: str, lamport: int | None = None) -> None:
        """A process of each site begins its life; the first site ever is the guichet."""
        for site in sites:
            role = "guichet" if site == (next(iter(self.clocks), site)) else "client"
            self.numbers[site] = 0
            after = self.clocks.get(site, 0) + 1 if lamport is None else lamport
            self.write(site, "start", after, role=role, life=1, pid=1)

    def send(self, site: str, peer: str, kind: str = "demande", *, lamport: int | None = None, **more: Any) -> str:
        """The identity of a message that `site` sends."""
        self.sequence += 1
        what = {"id": f"{site}:1.{self.sequence}", "type": kind, "round": 0, "epoch": 0, **more}
        if kind in ("demande", "billet", "accuse", "retour"):
            what.setdefault("rank", self.sequence)
        self.sent[what["id"]] = what
        self.write(site, "send", self.clocks[site] + 1 if lamport is None else lamport, peer=peer, **what)
        what["stamp"], what["site"] = self.clocks[site], site
        return what["id"]

    def receive(self, site: str, *messages: str, lamport: int | None = None) -> None:
        """`site` receives messages that were sent."""
        for message in messages:
            what = dict(self.sent[message])
            after = max(self.clocks[site], what.pop("stamp")) + 1 if lamport is None else lamport
            self.write(site, "recv", after, peer=what.pop("site"), **what)

    def record(self, *sites: str, round: int = 1) -> None:
        for site in sites:
            self.write(site, "snapshot", self.clocks[site] + 1, round=round, phase="recorded")

    def stop(self, *sites: str) -> None:
        for site in sites:
            self.write(site, "stop", self.clocks[site] + 1)

    def findings(self) -> list[Finding]:
        run = read(self.folder)
        return examine(run, arrows(run), cuts(run))


def told(folder: Path, seed: int, steps: int = 60, sites: int = 4) -> Story:
    """A run of chance in which all is well: messages overtake each other, some are lost, sites record now and then."""
    chance = random.Random(seed)
    story = Story(folder)
    names = ["gch", *(f"c{number}" for number in range(1, sites))]
    story.start(*names)
    under_way: list[tuple[str, str]] = []
    for _ in range(steps):
        if under_way and chance.random() < 0.5:
            site, message = under_way.pop(chance.randrange(len(under_way)))
            if chance.random() < 0.9:
                story.receive(site, message)
        else:
            site, peer = chance.sample(names, 2)
            under_way.append((peer, story.send(site, peer, chance.choice(("demande", "billet", "presence")))))
        if chance.random() < 0.3:
            story.at -= 0.1  # at the same moment, in different places
    return story


@dataclass
class Picture:
    """A picture as it was drawn, and the status and complaints of the program that drew it."""

    status: int
    root: Element
    stderr: str

    def groups(self, kind: str) -> list[Element]:
        """The groups whose class has this word."""
        return [group for group in self.root.iter(f"{SVG}g") if kind in group.get("class", "").split()]

    def titles(self, kind: str) -> list[str]:
        return [group.findtext(f"{SVG}title") or "" for group in self.groups(kind)]

    def messages(self) -> dict[tuple[str, str], tuple[str, str, str]]:
        """By identity and receiver: the type, the Lamport times, and the style."""
        found = {}
        for group in self.groups("message"):
            title = group.findtext(f"{SVG}title") or ""
            said = re.match(r"(\S+) (\S+) de (\S+) à (\S+), H=(\S+ -> \S+?)(,|$)", title)
            assert said, title
            assert said[2].startswith(f"{said[3]}:")
            found[said[2], said[4]] = said[1], said[5], group.get("class", "").split()[1]
        return found

    def dots(self) -> dict[tuple[str, str], tuple[float, float]]:
        """Where each sending and receipt stands, by site and message."""
        found = {}
        for kind in ("send", "recv"):
            for group in self.groups(kind):
                site, _, _, identity = (group.findtext(f"{SVG}title") or "").split(",")[0].split()
                circle = group.find(f"{SVG}circle")
                assert circle is not None
                found[site, identity] = float(circle.get("cx", "")), float(circle.get("cy", ""))
        return found

    def text(self) -> str:
        return " ".join(self.root.itertext())


def ends(group: Element) -> tuple[tuple[float, float], tuple[float, float]]:
    """Where the line of an arrow begins, and its tip (where it has a head)."""
    line = group.find(f"{SVG}line")
    assert line is not None
    x1, y1, x2, y2 = (float(line.get(key, "")) for key in ("x1", "y1", "x2", "y2"))
    head = group.find(f"{SVG}polygon")
    return (x1, y1), points(head)[0] if head is not None else (x2, y2)


def points(element: Element) -> list[tuple[float, float]]:
    """The points of a polygon or polyline."""
    pairs = (pair.split(",") for pair in element.get("points", "").split())
    return [(float(x), float(y)) for x, y in pairs]


@pytest.fixture
def story(tmp_path) -> Story:
    folder = tmp_path / "run"
    folder.mkdir()
    return Story(folder)


Draw = Callable[..., Picture]


@pytest.fixture
def draw(story, tmp_path, capsys) -> Draw:
    """`draw(*options)`: the picture of the story, in French."""

    def draw(*options: str, language: str = "fr", folder: Path | None = None) -> Picture:
        output = tmp_path / "picture.svg"
        status = diagram.main([str(folder or story.folder), "-o", str(output), f"--lang={language}", *options])
        return Picture(status, ElementTree.parse(output).getroot(), capsys.readouterr().err)

    return draw


@pytest.fixture
def refusal(story, tmp_path, capsys):
    """`refusal(*options)`: what is said when nothing can be drawn; it is one line, and no file."""

    def refusal(*options: str, folder: Path | None = None, language: str = "fr") -> str:
        output = tmp_path / "none.svg"
        status = diagram.main([str(folder or story.folder), "-o", str(output), f"--lang={language}", *options])
        complaint = capsys.readouterr().err
        assert (status, output.exists(), complaint.count("\n")) == (2, False, 1), complaint
        return complaint

    return refusal
