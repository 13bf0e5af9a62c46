"""The journal: bounded, filtered, paused; a line is taken apart only when it is looked at."""

from __future__ import annotations

import pytest

from lib.core import commands as ask
from lib.core.facts import Dropped, Event, Relayed
from lib.core.tickets import Search
from lib.windows.view.journal import DROPPED, KINDS, MAX_ENTRIES, RECEIVED, RELAYED, SENT, Journal
from tests.windows.view.small_ring import SmallRing


@pytest.fixture
def ring() -> SmallRing:
    ring = SmallRing("c1", "c2")
    ring.do("c1", ask.Reserve(Search(departure="compiegne")))
    return ring


def journal_of(ring: SmallRing, name: str) -> Journal:
    journal = Journal()
    journal.add(ring.events[name])
    return journal


def noise(count: int, start: int = 0) -> list[Event]:
    return [Event(0.0, number, Relayed(b"line %d" % number)) for number in range(start, start + count)]


def test_what_is_sent_received_and_passed_on_is_there_with_its_line(ring: SmallRing) -> None:
    shown = journal_of(ring, "c1").shown()
    assert {entry.kind for entry in shown} >= {SENT, RECEIVED, RELAYED}
    offer = next(entry for entry in shown if entry.type == "billet offre" and entry.kind == RECEIVED)
    assert offer.line.startswith("^transmettant~") and "^type~billet^" in offer.line and offer.line.endswith("^")
    cells = offer.row("fr").cells
    assert cells[1:6] == (str(offer.lamport), "↓ reçu", "billet offre", "gch", "c1")
    assert cells[6] == offer.fields["estampille"] and cells[7] == offer.fields["numero"]


def test_the_sum_of_the_counts_is_the_journal(ring: SmallRing) -> None:
    for name, site in ring.sites.items():
        kinds = [entry.kind for entry in journal_of(ring, name).shown()]
        assert {kind: kinds.count(kind) for kind in KINDS} == {kind: site.counts[kind] for kind in KINDS}


def test_a_dropped_line_has_its_reason_and_may_be_no_line_of_ours() -> None:
    journal = Journal()
    journal.add([Event(0.0, 1, Dropped("duplicate", b"^x~1^", True)), Event(0.0, 2, Dropped("not UTF-8", b"\xff\x07abc"))])
    first, second = journal.shown()
    assert first.row("fr").cells[-1] == "déjà vu" and first.row("en").cells[-1] == "seen before"
    assert second.row("fr").cells[-1] == "not UTF-8" and second.line == "\\xff\x07abc" and second.type == "?"


def test_it_is_bounded() -> None:
    journal = Journal()
    journal.add(noise(MAX_ENTRIES + 500))
    shown = journal.shown()
    assert len(shown) == MAX_ENTRIES and shown[0].number == 501 and shown[-1].number == MAX_ENTRIES + 500


def test_old_entries_go_also_when_nothing_new_is_wanted() -> None:
    journal = Journal()
    journal.choose([SENT, DROPPED], "")
    journal.add([Event(0.0, 1, Dropped("x", b""))])
    assert len(journal.shown()) == 1
    journal.add(noise(MAX_ENTRIES))
    assert len(journal.shown()) == 0


def test_filters_and_search_look_at_everything_that_is_kept(ring: SmallRing) -> None:
    journal = journal_of(ring, "c1")
    everything = list(journal.shown())
    journal.choose([RECEIVED], "")
    assert {entry.kind for entry in journal.shown()} == {RECEIVED}
    journal.choose(KINDS, "COMPIEGNE")  # as it is typed: no accents, no matter which case
    assert [entry.number for entry in journal.shown()] == [e.number for e in everything if "ompi" in e.line]
    assert any("Compiègne" in entry.line for entry in journal.shown())
    journal.choose(KINDS, "")
    assert list(journal.shown()) == everything


def test_a_filter_holds_for_what_comes_later() -> None:
    journal = Journal()
    journal.choose(KINDS, "line 7")
    journal.add(noise(10))
    assert [entry.line for entry in journal.shown()] == ["line 7"]
    journal.add(noise(10, 70))
    assert len(journal.shown()) == 11


def test_a_pause_holds_what_is_shown_also_under_another_filter() -> None:
    journal = Journal()
    journal.add(noise(3))
    assert len(journal.shown()) == 3
    journal.is_paused = True
    journal.add(noise(4, 3))
    assert len(journal.shown()) == 3 and journal.held_back == 4
    journal.choose(KINDS, "line")
    assert len(journal.shown()) == 3 and journal.held_back == 4
    journal.is_paused = False
    assert len(journal.shown()) == 7 and journal.held_back == 0


def test_what_is_cleared_stays_away() -> None:
    journal = Journal()
    journal.add(noise(3))
    journal.clear()
    assert len(journal.shown()) == 0
    journal.add(noise(1, 9))
    assert [entry.line for entry in journal.shown()] == ["line 9"]
    assert journal.entry(str(journal.shown()[0].number)) is journal.shown()[0] and journal.entry("1") is None


def test_an_entry_costs_nothing_until_it_is_looked_at() -> None:
    journal = Journal()
    journal.add(noise(5))
    assert all("fields" not in vars(entry) and "text" not in vars(entry) for entry in journal.shown())
