"""Who writes into whom, and how a site is started."""

from pathlib import Path

import pytest

from lib.launch.options import Options
from lib.launch.run import command_line
from lib.launch.wiring import Edge, Wiring, clients, parts, ring


def test_a_ring_has_one_writer_and_one_reader_for_every_pipe():
    wiring = ring(["gch", *clients(200)])
    assert wiring.edges[0] == Edge("gch", "c1")
    assert wiring.edges[-1] == Edge("c200", "gch")
    assert sorted(edge.source for edge in wiring.edges) == sorted(edge.target for edge in wiring.edges)
    assert len({edge.target for edge in wiring.edges}) == 201


def test_neighbours_stand_upstream_first_and_once():
    assert ring(["gch", "c1", "c2", "c3"]).neighbours("c1") == ("gch", "c2")
    assert ring(["gch", "c1"]).neighbours("gch") == ("c1",)


def edges(*names: str) -> list[Edge]:
    """`"ab"`: a writes to b."""
    return [Edge(*name) for name in names]


@pytest.mark.parametrize(
    ("links", "found"),
    [
        (["ab", "bc", "ca"], [["a", "b", "c"]]),
        (["ab", "ba", "bc"], [["a", "b"], ["c"]]),
        (["ab", "bc"], [["a"], ["b"], ["c"]]),
        (["ab", "ba"], [["a", "b"], ["c"]]),
    ],
)
def test_the_parts_in_which_each_can_reach_each(links, found):
    assert parts(("a", "b", "c"), edges(*links)) == found


class FakeFolder:
    stores, snapshots = Path("/d/donnees"), Path("/d/instantanes")

    def commands(self, site: str) -> Path:
        return Path(f"/d/{site}.cmd")

    def trace(self, site: str) -> Path:
        return Path(f"/d/{site}.trace.jsonl")


def test_how_a_site_is_started():
    options = Options(clients=2, notk=True, everyone=("--debug",), guichet=("--delai=4",), client=("--patience=9",))
    wiring = ring(["gch", *clients(2)])
    guichet = command_line(options, wiring, FakeFolder(), "gch")
    client = command_line(options, wiring, FakeFolder(), "c2")
    assert [Path(line[2]).name for line in (guichet, client)] == ["guichet.py", "client.py"]
    assert client[3:] == [
        "--ident=c2",
        "--voisins=c1,gch",
        "--donnees=/d/donnees",
        "--instantanes=/d/instantanes",
        "--commandes=/d/c2.cmd",
        "--trace=/d/c2.trace.jsonl",
        "--notk",
        "--debug",
        "--patience=9",
    ]
    assert guichet[-2:] == ["--debug", "--delai=4"]


def test_windows_and_language_are_passed_on_only_when_wanted():
    wiring = ring(["gch", "c1"])
    plain = command_line(Options(), wiring, FakeFolder(), "c1", "560x390+720+0")
    assert "--geometry=560x390+720+0" in plain
    assert not {"--notk", "--lang=en"} & set(plain)
    assert "--lang=en" in command_line(Options(language="en"), wiring, FakeFolder(), "c1")


def test_a_guichet_of_another_name_is_told_to_its_clients():
    wiring = Wiring(("gare", "c1"), tuple(edges()), guichet="gare")
    guichet = command_line(Options(), wiring, FakeFolder(), "gare")
    client = command_line(Options(), wiring, FakeFolder(), "c1")
    assert Path(guichet[2]).name == "guichet.py" and "--guichet=gare" not in guichet
    assert Path(client[2]).name == "client.py" and "--guichet=gare" in client


def test_what_the_user_says_of_a_window_wins():
    wiring = ring(["gch", "c1"])
    line = command_line(Options(everyone=("-geometry", "9x9+0+0")), wiring, FakeFolder(), "c1", "560x390+720+0")
    assert line.index("-geometry") > line.index("--geometry=560x390+720+0")
