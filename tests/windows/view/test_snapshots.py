"""The snapshot panel's contents: the open round, outcomes in words, the saved files, one document opened."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest

from lib.core import audit
from lib.core import commands as ask
from lib.core.facts import Event, RestoreMoved, SnapshotMoved, Started
from lib.core.tickets import Search
from lib.windows.view.snapshots import Photograph, open_round, outcome, saved
from tests.windows.view.small_ring import SmallRing


@pytest.fixture
def ring() -> SmallRing:
    """Three clients, one ticket held for c1; c1's next words are on their way when the guichet records."""
    ring = SmallRing("c1", "c2", "c3")
    ring.do("c1", ask.Reserve(Search()))
    return ring


def photographed(ring: SmallRing) -> Photograph:
    ring.do("gch", ask.TakeSnapshot(), deliver=False)
    ring.deliver()
    document = ring.document() | {"taken_at": "2026-11-22T10:00:00+01:00"}
    return Photograph(document | {"sha256": audit.seal(document)})


def test_a_white_site_has_no_round(ring: SmallRing) -> None:
    assert open_round(ring.guichet, ring.now) is None


def test_the_guichet_says_how_far_the_round_has_come_and_what_it_awaits(ring: SmallRing) -> None:
    ring.do("c2", ask.Reserve(Search()), deliver=False)
    ring.lose_last()
    ring.do("gch", ask.TakeSnapshot(), deliver=False)
    seen = open_round(ring.guichet, ring.now + 1)
    assert seen is not None and seen.fraction == 0.25
    assert seen.headline.fr == "Tour 1 : états 1/4 ; clos au plus tard dans 29 s"
    assert [text.fr for text in seen.awaited] == [f"attendu : l'état de c{number}" for number in (1, 2, 3)]
    ring.deliver()
    seen = open_round(ring.guichet, ring.now + 1)
    assert seen is not None and seen.fraction == 1.0
    assert [text.fr for text in seen.awaited] == ["attendu : c2 → gch n°1"]


def test_a_client_says_that_its_state_is_recorded(ring: SmallRing) -> None:
    ring.do("c3", ask.TakeSnapshot(), deliver=False)
    seen = open_round(ring.sites["c3"], ring.now)
    assert seen is not None and seen.fraction is None and "mon état est enregistré" in seen.headline.fr


def test_outcomes_in_words(ring: SmallRing) -> None:
    photographed(ring)
    told = [news for event in ring.events["gch"] if (news := outcome(event))]
    assert told[-1].is_good and told[-1].text.fr.startswith("Tour 1 complet, 0 message dans les canaux : fichier non écrit")
    closed = [news for event in ring.events["c1"] if (news := outcome(event))]
    assert closed[-1].text.fr == "Tour 1 clos par le guichet"
    document = ring.document() | {"missing": ["c9", "c3 -> gch 17"]}
    incomplete = outcome(Event(0.0, 1, SnapshotMoved(2, "incomplete", (), document)))
    assert incomplete and incomplete.is_good is False and "c9, c3 -> gch 17" in incomplete.text.fr
    document = ring.document() | {"checks": {"tickets": 6, "conserved": False, "coherent": True}}
    unsound = outcome(Event(0.0, 1, SnapshotMoved(2, "complete", (), document)))
    assert unsound and unsound.is_good is False and "Tour 2 complet, mais il se contredit" in unsound.text.fr
    assert outcome(Event(0.0, 1, Started("client", 1))) is None


@pytest.mark.parametrize(
    ("fact", "french", "good"),
    [
        (RestoreMoved(2, "asked"), "Chargement demandé au guichet…", None),
        (RestoreMoved(2, "started"), "Chargement : époque 2…", None),
        (RestoreMoved(2, "started", waiting=("c2", "c3")), "Époque 2 : attend encore c2, c3", None),
        (RestoreMoved(2, "restored"), "État restauré, époque 2", True),
        (RestoreMoved(2, "complete"), "Tous les sites sont restaurés, époque 2", True),
        (RestoreMoved(2, "refused", "fichier endommagé"), "Chargement refusé : fichier endommagé", False),
        (RestoreMoved(2, "refused", "unreachable"), "Chargement refusé : le guichet ne répond pas", False),
    ],
)
def test_a_restoration_in_words(fact: RestoreMoved, french: str, good: bool | None) -> None:
    told = outcome(Event(0.0, 1, fact))
    assert told is not None and (told.text.fr, told.is_good) == (french, good)


def test_saved_files_are_listed_the_latest_first() -> None:
    rows = saved(
        [Path("/x/instantane-3-20261122-100000.json"), Path("/x/instantane-4-20261122-100500-2.json"), Path("/x/z")]
    )
    assert rows == [
        ("z", ("?", "?"), ""),
        ("instantane-4-20261122-100500-2.json", ("4", "2026-11-22 10:05:00"), ""),
        ("instantane-3-20261122-100000.json", ("3", "2026-11-22 10:00:00"), ""),
    ]


def test_a_photograph_is_told_whole(ring: SmallRing) -> None:
    ring.do("c2", ask.Reserve(Search()), deliver=False)
    photograph = photographed(ring)
    assert photograph.is_sound and all(holds for holds, _ in photograph.checks()) and len(photograph.checks()) == 5
    assert photograph.headline.fr == (
        "Tour 1, époque 0, lancé par gch — 5 billets : 4 libres, 1 retenu, 0 vendu ; 1 message dans les canaux"
    )
    assert [row.cells[:2] for row in photograph.sites()] == [
        ("c1", "client"), ("c2", "client"), ("c3", "client"), ("gch", "guichet")
    ]  # fmt: skip
    (message,) = photograph.messages()
    assert message.cells[:4] == ("c2", "gch", "1", "demande")
    states = [row.cells[1] for row in photograph.tickets("fr")]
    assert sorted(states) == ["libre"] * 4 + ["retenu"]
    held = next(row for row in photograph.tickets("en") if row.cells[1] == "held")
    assert held.cells[2:6] == ("gch", "c1", "848362", "2025-03-17 07:10")


def test_a_damaged_photograph_says_so(ring: SmallRing) -> None:
    document = copy.deepcopy(photographed(ring)._document)
    document["sites"]["gch"]["tickets"][0]["price"] = "0.01"
    damaged = Photograph(document)
    assert not damaged.is_sound
    assert [text.fr for holds, text in damaged.checks() if not holds] == [
        "empreinte sha256 : le fichier est intact — NON : sha256"
    ]


def test_an_incomplete_one_says_what_was_missing(ring: SmallRing) -> None:
    document = photographed(ring)._document | {"complete": False, "missing": ["c9"]}
    photograph = Photograph(document | {"sha256": audit.seal(document)})
    assert not photograph.is_sound and photograph.checks()[-1][1].fr == "clos incomplet ; il manquait : c9"


def test_what_is_no_snapshot_is_not_looked_into() -> None:
    photograph = Photograph({"format": audit.FORMAT, "sites": 3})
    assert not photograph.is_sound and not photograph.has_shape
    assert photograph.sites() == photograph.messages() == photograph.tickets("fr") == []
    assert "pas un instantané lisible" in photograph.headline.fr
