"""What the banner says of a site."""

from __future__ import annotations

from lib.core import commands as ask
from lib.texts import Text
from lib.windows.view.banner import banner
from lib.windows.view.rows import ago, price
from tests.windows.view.small_ring import SmallRing


def test_a_site_is_told_as_it_stands() -> None:
    ring = SmallRing("c1", "c2")
    site = ring.sites["c1"]
    seen = banner(site, ring.now + 7, neighbours=("gch", "c2"))
    assert (seen.name, seen.role.fr, seen.clock) == ("c1", "client", site.clock.time)
    assert not seen.is_red and seen.colour.fr == "BLANC" and seen.round.fr == "tour 0" and seen.epoch.fr == "époque 0"
    assert seen.neighbours.fr == "gch il y a 5 s · c2 n'écrit pas ici"
    assert seen.neighbours.en == "gch 5 s ago · c2 does not write here"
    counts = site.counts
    assert [text.fr for text in seen.lines] == [
        f"↓ {counts['received']} reçus", f"↑ {counts['sent']} émis", f"→ {counts['relayed']} passés",
        f"✗ {counts['dropped']} écartés",
    ]  # fmt: skip
    assert counts["received"] and counts["sent"] and counts["relayed"]
    assert seen.warnings == ()


def test_a_site_in_an_open_round_is_red() -> None:
    ring = SmallRing("c1", "c2")
    ring.do("c1", ask.TakeSnapshot(), deliver=False)
    seen = banner(ring.sites["c1"], ring.now)
    assert seen.is_red and seen.colour == Text("ROUGE", "RED") and seen.round.en == "round 1"
    ring.deliver()
    assert not banner(ring.sites["c1"], ring.now).is_red


def test_what_somebody_should_look_into_is_a_warning() -> None:
    site = SmallRing("c1").sites["c1"]
    seen = banner(site, 0.0, waiting=200 * 1024, is_unread=True, upstream_is_gone=True)
    assert [text.fr for text in seen.warnings] == [
        "le voisin d'amont est parti", "plus personne ne lit la sortie", "200 Kio attendent en sortie"
    ]  # fmt: skip
    assert banner(site, 0.0, waiting=2**16).warnings == ()


def test_how_the_link_to_the_broker_stands() -> None:
    site = SmallRing("c1").sites["c1"]
    for quiet in ("", "joignable"):
        assert banner(site, 0.0, link=quiet).warnings == ()
    assert banner(site, 0.0, link="injoignable").warnings == (Text("courtier injoignable", "broker unreachable"),)
    assert banner(site, 0.0, link="d'une version à venir").warnings[0].en == "d'une version à venir"


def test_nobody_was_heard_yet() -> None:
    ring = SmallRing("c1")
    ring.sites["c1"].relay._last_heard.clear()
    ring.sites["c1"].relay._forwarders.clear()
    assert banner(ring.sites["c1"], 0.0).neighbours.fr == "aucun voisin entendu"


def test_ages_are_no_finer_than_people_care_for() -> None:
    assert [ago(seconds).fr for seconds in (0, 1.9, 2, 59.9, 60, 3599, 3600)] == [
        "à l'instant", "à l'instant", "il y a 2 s", "il y a 59 s", "il y a 1 min", "il y a 59 min", "il y a 1 h"
    ]  # fmt: skip


def test_prices_are_written_as_in_the_country() -> None:
    assert price(1540, "fr") == "15,40\u00a0€" and price(5, "en") == "€0.05"
