"""Graphs as people write them: what can be written, what is refused and why; and those that stand ready."""

from __future__ import annotations

from random import Random

import pytest

from lib.launch import graph
from lib.launch.wiring import Edge, parts
from lib.texts import Problem
from tests.launch.conftest import ROOT

READY = sorted((ROOT / "topologies").glob("*.txt"))


def edges(wiring) -> set[str]:
    return set(map(str, wiring.edges))


def test_links_comments_and_blanks():
    wiring = graph.parse("# a triangle\n\ngch -> c1 # there\n  c1--c2\nc2->gch\n", "t.txt")
    assert wiring.sites == ("gch", "c1", "c2")
    assert edges(wiring) == {"gch->c1", "c1->c2", "c2->c1", "c2->gch"}
    assert wiring.guichet == "gch" and wiring.clients == ("c1", "c2")


def test_the_guichet_comes_first_wherever_it_stands_and_whatever_its_name():
    assert graph.parse("c1 -- c2\nc2 -- gch\n", "t").sites == ("gch", "c1", "c2")
    wiring = graph.parse("c1 -- gare-du-nord\nguichet gare-du-nord\n", "t")
    assert (wiring.sites, wiring.guichet) == (("gare-du-nord", "c1"), "gare-du-nord")


def test_names_with_dashes_are_told_from_arrows():
    assert edges(graph.parse("gch -- c-1\nc-1->c_2\nc_2 -> gch", "t")) == {"gch->c-1", "c-1->gch", "c-1->c_2", "c_2->gch"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("gch -- c1\nc1 c2\n", "t.txt, ligne 2 : « c1 c2 » n'est ni"),
        ("gch -- c1 -- c2\n", "t.txt, ligne 1 : « gch -- c1 -- c2 » n'est ni"),
        ("gch ->\n", "t.txt, ligne 1 : « gch -> » n'est ni"),
        ("gch -- été\n", "t.txt, ligne 1 : « été » n'est pas un nom"),
        ("gch -- tous\n", "t.txt, ligne 1 : « tous » n'est pas un nom"),
        (f"gch -- {'x' * 33}\n", "n'est pas un nom"),
        ("gch -- gch\n", "t.txt, ligne 1 : gch s'écrirait à lui-même"),
        ("gch -- c1\n\nc1 -> gch\n", "t.txt, ligne 3 : c1->gch est déjà à la ligne 1"),
        ("guichet a\nguichet b\n", "t.txt, ligne 2 : le guichet est déjà a"),
        ("guichet\n", "t.txt, ligne 1 : « guichet » n'est ni"),
        ("c1 -- c2\n", "t.txt : le guichet, gch, n'a pas de lien"),
        ("guichet gare\ngch -- c1\n", "t.txt : le guichet, gare, n'a pas de lien"),
        ("", "t.txt : le guichet, gch, n'a pas de lien"),
        ("gch -- c1\nc2 -- c3\n", "t.txt : tous ne peuvent pas se joindre ; parties : {gch, c1} {c2, c3} ;"),
        ("gch -- c1\nc1 -> c2\n", "parties : {gch, c1} {c2} ;"),
        ("\n".join(f"c{n} -- gch" for n in range(501)), f"plus de {graph.MAX_SITES} sites"),
        ("\n".join(f"c{a} -> c{b}" for a in range(101) for b in range(101) if a != b), f"de {graph.MAX_LINKS} liens"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text, said):
    with pytest.raises(Problem) as caught:
        graph.parse(text, "t.txt")
    assert said in caught.value.text.fr
    assert "\n" not in caught.value.text.fr + caught.value.text.en
    assert caught.value.text.en != caught.value.text.fr


def test_many_parts_are_not_all_named():
    text = "gch -> x0\n" + "\n".join(f"x{n} -> x{n + 1}" for n in range(50))
    with pytest.raises(Problem) as caught:
        graph.parse(text, "t")
    assert "{gch} {x0} {x1} {x2} {x3} ... ;" in caught.value.text.fr
    big = "\n".join(f"x{n} -- x{n + 1}" for n in range(9)) + "\ngch -- c1"
    with pytest.raises(Problem, match=r"\{x0, x1, x2, x3, x4, ... \(10\)\} \{gch, c1\}"):
        graph.parse(big, "t")


@pytest.mark.parametrize("content", [None, b"gch -- \xff\n"])
def test_a_file_that_cannot_be_read(tmp_path, content):
    path = tmp_path / "t.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(Problem, match="illisible"):
        graph.read(path)


def test_the_mark_that_some_editors_put_first_is_no_name(tmp_path):
    path = tmp_path / "t.txt"
    path.write_bytes(b"\xef\xbb\xbfgch -- c1\r\n")
    assert graph.read(path).sites == ("gch", "c1")


# ------------------------------------------------------------------------------------------------------ the ready ones


@pytest.mark.parametrize("path", READY, ids=lambda path: path.stem)
def test_a_ready_graph_is_connected_and_says_what_it_is(path):
    wiring = graph.read(path)
    assert len(parts(wiring.sites, wiring.edges)) == 1
    assert path.read_text(encoding="utf-8").startswith(("# Un ", "# Une ", "# Le "))


def degrees(name: str) -> list[int]:
    """How many hear each site, in ascending order."""
    wiring = graph.read(ROOT / "topologies" / f"{name}.txt")
    return sorted(sum(edge.source == site for edge in wiring.edges) for site in wiring.sites)


def test_the_ready_graphs_are_what_they_are_called():
    assert {path.stem for path in READY} == {
        "anneau_double", "arbre", "complet", "etoile", "grille", "hasard", "ligne", "y",
    }  # fmt: skip
    assert degrees("anneau_double") == [2] * 6
    assert degrees("ligne") == [1, 1, 2, 2, 2, 2]
    assert degrees("etoile") == [1, 1, 1, 1, 1, 5]
    assert degrees("y") == [1, 1, 1, 2, 2, 3]
    assert degrees("arbre") == [1, 1, 1, 1, 2, 3, 3]
    assert degrees("grille") == [2, 2, 2, 2, 3, 3, 3, 3, 4]
    assert degrees("complet") == [5] * 6


def test_the_random_one_is_drawn_as_it_says():
    wiring = graph.read(ROOT / "topologies" / "hasard.txt")
    chance = Random(2026)
    names = ["gch", *(f"c{number}" for number in range(1, 10))]
    mixed = chance.sample(names, 10)
    ring = list(zip(mixed, mixed[1:] + mixed[:1], strict=True))
    others = [(a, b) for a in names for b in names if a != b and (a, b) not in ring]
    assert wiring.edges == tuple(Edge(*pair) for pair in ring + chance.sample(others, 12))
