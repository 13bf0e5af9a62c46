"""Sites behind NETs, as users of AIRPLUG run them; and other applications on the same pipes."""

from __future__ import annotations

import os
import signal
from itertools import pairwise
from pathlib import Path

import pytest

from lib.core import wire
from tests.airplug.net import answer
from tests.airplug.nodes import BEHIND_NET, KEPT, MIXED, SORTED, WITHOUT, nodes
from tests.core.examples import message
from tests.core.test_wire import worst_cases
from tests.processes.ring import Watched, assert_nothing_sold_twice, assert_one_holder, until
from tests.processes.test_snapshots import known, photograph, sound

NAMES = ("gch", "c1", "c2", "c3")


def both_ways(*pairs: tuple[str, str]) -> list[tuple[str, str]]:
    return [edge for a, b in pairs for edge in ((a, b), (b, a))]


LINE = both_ways(*pairwise(("c1", "gch", "c2", "c3")))
RING = list(zip(NAMES, (*NAMES[1:], NAMES[0]), strict=True))
STAR = both_ways(("c1", "gch"), ("c1", "c2"), ("c1", "c3"))
Edges = list[tuple[str, str]]

# ------------------------------------------------------------------------------------------------- the stand-in for NET


def test_net_says_what_it_is_known_to_say() -> None:
    from_us, between = "\x07CLT\x07NET\x07^b~2^a~1^", "\x07NET\x07NET\x07^appnet~CLT^b~2^a~1^"
    assert answer(from_us) == between
    assert answer(between) == "\x07NET\x07CLT\x07^b~2^a~1^"
    assert answer(from_us, sort=True) == "\x07NET\x07NET\x07^a~1^appnet~CLT^b~2^"
    assert answer(answer(from_us, sort=True), sort=True) == "\x07NET\x07CLT\x07^a~1^b~2^"


@pytest.mark.parametrize(
    "line", ["", "^a~1^", "\x07NET\x07CLT\x07^a~1^", "\x07CLT\x07ALL\x07^a~1^", "\x07NET\x07NET\x07^a~1^"]
)
def test_net_does_not_read_what_is_not_for_it(line: str) -> None:
    assert answer(line) == ""


def test_our_longest_line_fits_between_nets() -> None:
    """libapg-msg takes 1440 bytes between sites, and NET adds its own field to what we wrote."""
    header = wire.Header(wire.WHATWHO, "CLT", "NET").text()
    for body in worst_cases():
        line = wire.encode(message(body), "N" * 32, header).decode()
        assert len(answer(line).encode()) < wire.MAX_WRITTEN


# ---------------------------------------------------------------------------------------------------- sites behind NETs


@pytest.mark.parametrize(("edges", "order"), [(LINE, KEPT), (RING, SORTED), (STAR, MIXED)], ids=["line", "ring", "star"])
def test_tickets_are_sold_photographed_and_restored_through_nets(tmp_path: Path, edges: Edges, order: str) -> None:
    with nodes(tmp_path / "nodes", edges, order, 3, *BEHIND_NET) as made:
        known(made)
        for site in made.clients:
            site.command(*["reserver"] * 3)
        for site in made.clients:
            assert [site.settled(number)["state"] for number in (1, 2, 3)] == ["owned"] * 3
        before = assert_one_holder(made)
        assert len(before) == 9

        closed = photograph(made, made.clients[-1])
        document = sound(closed)
        assert sorted(document["sites"]) == sorted(NAMES)

        for site in made.clients:
            assert site.request("reserver", state="owned")
        assert_nothing_sold_twice(made)
        since = made.gch.command(f"charger fichier={Path(closed['file']).name}")
        made.gch.wait(since, ev="restore", phase="complete")
        assert assert_one_holder(made) == before
        assert made.clients[0].request("reserver", state="owned")

        for site in made.sites:
            neighbours = sorted(source for source, target in edges if target == site.name)
            assert site.state()["neighbours"] == neighbours, "what a site hears of itself is not a neighbour's"
            assert "écartée" not in site.log()
        made.end()


# -------------------------------------------------------------------------------------------------- other applications

CHATTER = b"\x07BAS\x07NET\x07^msg~hello^nseq~%d^\n\n"  # and the empty line that wakes lazy programs
OTHERS = "another application's"


def reasons(site: Watched) -> set[str]:
    return {event["reason"] for event in site.find(ev="drop")}


def test_the_chatter_of_another_application_is_ignored_without_complaint(tmp_path: Path) -> None:
    """A second application lives beside each site of ours, on the same NET."""
    with nodes(tmp_path / "nodes", STAR, SORTED, 3, *BEHIND_NET) as made:
        known(made)
        for number in range(200):
            for name in NAMES:
                os.write(made.inputs[f"{name}.net"], CHATTER % number)
        for site in made.clients:
            assert site.request("reserver", state="owned")
        sound(photograph(made))
        for site in made.sites:
            until(lambda site=site: OTHERS in reasons(site), "the chatter to be heard")
            assert reasons(site) <= {OTHERS, "own message come back", "duplicate"}
            assert "écartée" not in site.log() and site.log().count("--transit") == 1
        made.end()


def test_the_lines_of_another_application_pass_in_a_ring_of_all_three_modes(tmp_path: Path) -> None:
    """They enter at c1, and pass c2 and c3; the guichet, without `--transit`, ends their round."""
    with nodes(tmp_path / "nodes", RING, WITHOUT, 3, "--whatwho") as made:
        for site, mode in zip(made.clients, ("--what", "--whatwho", "--whatwhowhere"), strict=True):
            site.signal(signal.SIGTERM)
            assert site.ended() == 0
            site.options = (*site.options, mode, "--transit")
            made.start(site)
        lines = [b"|BAS|ALL|^msg~one^", "^msg~deux^gare~Compiègne^".encode(), b"|BAS|ALL|^msg~one^", b"/B4S/ALL/AIR/^a~3%^"]
        os.write(made.inputs["c1"], b"".join(line + b"\n" for line in lines))

        def ignored() -> list[str]:
            return [event["line"] for event in made.gch.find(ev="drop", reason=OTHERS)]

        until(lambda: len(ignored()) >= len(lines), "the lines to come round")
        for site in made.clients:
            assert site.request("reserver", state="owned")
        sound(photograph(made, made.clients[0]))
        assert ignored() == [line.decode() for line in lines], "untouched, in order, the same one twice; none came again"
        assert not any("écartée" in site.log() for site in made.sites)
        made.end()


def test_what_others_send_round_for_ever_leaves_room_for_us(tmp_path: Path) -> None:
    """Everybody writes to everybody, and lets pass what is not ours: it multiplies at every hop, up to a limit. Tickets are
    sold meanwhile, and people are told, not flooded."""
    everybody = [(a, b) for a in NAMES for b in NAMES if a != b]
    with nodes(tmp_path / "nodes", everybody, WITHOUT, 3, "--transit") as made:
        known(made)
        os.write(made.inputs["c1"], b"^msg~hello^\n")
        for site in made.sites:
            until(lambda site=site: "too much transit" in reasons(site), "the storm to reach its limit")
        for site in made.clients:
            assert site.request("reserver", state="owned")
        assert len(assert_one_holder(made)) == 3
        for site in made.sites:
            assert 1 <= site.log().count("too much transit") <= 100
        made.end()
