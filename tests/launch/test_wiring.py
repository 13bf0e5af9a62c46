"""Who writes into whom, and how a site is started."""

from pathlib import Path

from lib.launch.options import Options
from lib.launch.run import command_line
from lib.launch.wiring import Edge, clients, ring


def test_a_ring_has_one_writer_and_one_reader_for_every_pipe():
    wiring = ring(["gch", *clients(200)])
    assert wiring.edges[0] == Edge("gch", "c1")
    assert wiring.edges[-1] == Edge("c200", "gch")
    assert sorted(edge.source for edge in wiring.edges) == sorted(edge.target for edge in wiring.edges)
    assert len({edge.target for edge in wiring.edges}) == 201


def test_neighbours_stand_upstream_first_and_once():
    assert ring(["gch", "c1", "c2", "c3"]).neighbours("c1") == ("gch", "c2")
    assert ring(["gch", "c1"]).neighbours("gch") == ("c1",)


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
    plain = command_line(Options(), wiring, FakeFolder(), "c1")
    assert not {"--notk", "--lang=en"} & set(plain)
    assert "--lang=en" in command_line(Options(language="en"), wiring, FakeFolder(), "c1")
