"""The log for ShiViz: read with its own expression, its clocks compared with what follows from what."""

from __future__ import annotations

import json
import re
from collections import Counter

import pytest

from lib.diagram import __main__ as diagram
from lib.diagram.causality import in_order
from lib.diagram.traces import Event, read
from tests.diagram.conftest import told


def parsed(text: str) -> list[tuple[str, str, dict[str, int]]]:
    """(event, host, clock) of each block, as the viewer reads them: the first line is the expression, the second empty.

    Python writes (?P<name>, JavaScript (?<name>. The expression must find all that there is, with nothing in between.
    """
    expression, empty, log = text.split("\n", 2)
    assert empty == ""
    found = list(re.finditer(expression.replace("(?<", "(?P<"), log))
    assert "".join(match[0] + "\n" for match in found) == log
    return [(match["event"], match["host"], json.loads(match["clock"])) for match in found]


@pytest.fixture
def shiviz(tmp_path):
    def shiviz(folder, *options: str) -> list[tuple[str, str, dict[str, int]]]:
        output = tmp_path / "shiviz.log"
        assert diagram.main([str(folder), "--shiviz", "-o", str(output), *options]) == 0
        return parsed(output.read_text())

    return shiviz


def pasts(events: list[Event]) -> dict[Event, set[Event]]:
    """Of every event all that it follows from, itself included: a walk against the arrows, without any clock."""
    sends = {event.id: event for event in events if event.kind == "send"}
    before = {(event.site, event.place + 1): event for event in events}
    found: dict[Event, set[Event]] = {}
    for event in events:
        found[event], to_see = set(), [event]
        while to_see:
            seen = to_see.pop()
            if seen not in found[event]:
                found[event].add(seen)
                causes = (before.get((seen.site, seen.place)), sends.get(seen.id) if seen.kind == "recv" else None)
                to_see += [cause for cause in causes if cause]
    return found


@pytest.mark.parametrize("seed", range(10))
def test_clocks_are_what_follows_from_what(tmp_path, shiviz, seed):
    folder = told(tmp_path, seed).folder
    run = read(folder)
    expected = {
        (event.site, event.place + 1): Counter(cause.site for cause in past)
        for event, past in pasts(list(run.events())).items()
    }
    blocks = shiviz(folder)
    assert {(host, clock[host]): Counter(clock) for _, host, clock in blocks} == expected
    assert len(blocks) == len(expected) > 40


@pytest.mark.parametrize("options", [(), ("--de=1", "--a=3"), ("--sites=gch,c1",), ("--sans=presence",)])
def test_what_the_viewer_asks_for(tmp_path, shiviz, options):
    """Own counts from 1 without a gap, no unknown host, no count of an event that is not there (`modelGraph.js`)."""
    blocks = shiviz(told(tmp_path, 3).folder, *options)
    counts: Counter[str] = Counter()
    for _, host, clock in blocks:
        counts[host] += 1
        assert clock[host] == counts[host]
        assert all(1 <= count <= counts[name] for name, count in clock.items())
    assert len(blocks) > 5


def test_what_is_left_out_still_carries_knowledge(story, shiviz):
    """c1 learns of the guichet's snapshot by a message that is not shown."""
    story.start("gch", "c1")
    story.record("gch")
    story.receive("c1", story.send("gch", "c1", "presence"))
    story.record("c1")
    assert shiviz(story.folder, "--sans=presence")[-1] == ("snapshot recorded 1 H=5", "c1", {"gch": 2, "c1": 2})


def test_the_words_of_an_event(story, shiviz):
    story.start("gch", "a client")
    story.receive("gch", story.send("a client", "gch"))
    assert shiviz(story.folder) == [
        ("start H=1", "gch", {"gch": 1}),
        ("start H=1", "a_client", {"a_client": 1}),
        ("send demande a client:1.1 -> gch H=2", "a_client", {"a_client": 2}),
        ("recv demande a client:1.1 <- a client H=3", "gch", {"gch": 2, "a_client": 2}),
    ]


@pytest.mark.parametrize("seed", range(10))
def test_no_effect_comes_before_its_cause(tmp_path, seed):
    run = read(told(tmp_path, seed).folder)
    order = in_order(run)
    assert sorted(order, key=lambda event: (event.site, event.place)) == sorted(
        run.events(), key=lambda event: (event.site, event.place)
    )
    for event, past in pasts(list(run.events())).items():
        assert all(order.index(cause) <= order.index(event) for cause in past)


def test_an_incoherent_run_is_reported_here_too(story, tmp_path, capsys):
    story.start("gch", "c1")
    story.receive("gch", story.send("c1", "gch", lamport=7), lamport=3)
    assert diagram.main([str(story.folder), "--shiviz", "-o", str(tmp_path / "log"), "--lang=en"]) == 1
    assert "7 -> 3" in capsys.readouterr().err
    assert len(parsed((tmp_path / "log").read_text())) == 4
