"""Of what kind each link is: straight into a FIFO, or through a cable; and how people name links."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from lib.cable.faults import SETTINGS
from lib.launch import links
from lib.launch.graph import parse
from lib.launch.options import _COMMON
from lib.launch.wiring import Edge, ring
from lib.texts import Problem

RING = ring(["gch", "c1", "c2"])
Y = parse("gch -- c1\nc1 -- c2\nc1 -> c3\nc3 -> c1\n", "y")


class FakeFolder:
    def input(self, name: str) -> Path:
        return Path(f"/d x/{name}.in")

    def commands(self, name: str) -> Path:
        return Path(f"/d x/{name}.cmd")


def test_a_ring_needs_no_cable():
    laid = links.lay(RING, {}, FakeFolder(), None)
    assert {site: path.name for site, path in laid.outputs.items()} == {"gch": "c1.in", "c1": "c2.in", "c2": "gch.in"}
    assert not laid.helpers and not laid.cables


def test_a_link_that_is_to_be_spoilt_or_at_hand_gets_a_cable_and_no_other():
    laid = links.lay(RING, {Edge("c1", "c2"): []}, FakeFolder(), None)
    assert {site: path.name for site, path in laid.outputs.items()} == {"gch": "c1.in", "c1": "c1.cable.in", "c2": "gch.in"}
    assert laid.cables == {Edge("c1", "c2"): "c1.cable"}


def test_a_site_that_several_hear_gets_one_cable_with_an_end_for_each():
    laid = links.lay(Y, {Edge("c1", "c2"): ["delai=300", "perte=0.1"]}, FakeFolder(), "en")
    assert laid.helpers.keys() == {"c1.cable"}
    command = list(laid.helpers["c1.cable"])
    assert Path(command[2]).name == "cable.py"
    assert "--commandes=/d x/c1.cable.cmd" in command and "--lang=en" in command
    ends = [shlex.split(word.removeprefix("--vers=")) for word in command if word.startswith("--vers=")]
    assert ends == [
        ["c1->gch", "tube=/d x/gch.in"],
        ["c1->c2", "tube=/d x/c2.in", "delai=300", "perte=0.1"],
        ["c1->c3", "tube=/d x/c3.in"],
    ]
    assert {str(edge) for edge in laid.cables} == {"c1->gch", "c1->c2", "c1->c3"}
    assert laid.outputs["gch"].name == "c1.in", "who is heard by one alone writes straight into its pipe"


def test_links_by_their_names():
    def named(text: str) -> set[str]:
        return set(map(str, links.named(Y, text)))

    assert named("c1->c2") == {"c1->c2"}
    assert named("c1 -> c2") == {"c1->c2"}
    assert named("c1--c2") == {"c1->c2", "c2->c1"}
    assert named("tous") == set(map(str, Y.edges))
    for wrong in ("c1", "", "c1->c9", "gch->c2", "c1->c2->c3"):
        with pytest.raises(Problem, match="n'est pas un lien d'ici ; par exemple : gch->c1, ou tous"):
            links.named(Y, wrong)
    with pytest.raises(Problem, match="n'est pas un lien"):
        links.named(RING, "c1--c2")  # there is one way only


def test_settings_add_up_and_the_later_one_counts():
    wanted = links.wanted(RING, ["tous: perte=0.05 graine=7", "c1->c2: delai=300  perte=0", "c2->gch"])
    assert wanted[Edge("gch", "c1")] == ["perte=0.05", "graine=7"]
    assert wanted[Edge("c1", "c2")] == ["perte=0.05", "graine=7", "delai=300", "perte=0"]
    assert links.wanted(RING, ["c2->gch"]) == {Edge("c2", "gch"): []}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("c1->c2: delai=vite", "--cable : delai=vite : il faut un nombre"),
        ("c1->c2: vitesse=3", "--cable : vitesse=3 : réglage inconnu"),
        ("c1->c9: delai=3", "--cable : « c1->c9 » n'est pas un lien d'ici"),
        ("delai=3", "--cable : « delai=3 » n'est pas un lien d'ici"),
    ],
)
def test_a_wish_that_cannot_be_is_refused_before_anything_is_started(text, said):
    with pytest.raises(Problem) as caught:
        links.wanted(RING, [text])
    assert said in caught.value.text.fr


def test_the_help_names_every_setting():
    for key in SETTINGS:
        assert f"{key}=" in _COMMON.fr and f"{key}=" in _COMMON.en


def test_what_a_cable_was_told_holds_until_it_is_told_otherwise():
    """However often it is set: what it is told anew fits into a command."""
    orders, edge = links.Orders(), Edge("c1", "c2")
    for delay in range(5000):
        orders.note(edge, "regler", [f"delai={delay}"])
    orders.note(edge, "regler", ["perte=0.5"])
    for verb in ("couper", "pause", "pas", "etat", "reprendre"):
        orders.note(edge, verb, ())
    assert orders.to([edge, Edge("c2", "c1")]) == ["regler c1->c2 delai=4999 perte=0.5", "couper c1->c2"]
    orders.note(edge, "retablir", ())
    assert orders.to([edge]) == ["regler c1->c2 delai=4999 perte=0.5"]
