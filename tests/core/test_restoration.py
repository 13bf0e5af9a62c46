"""What a restoration makes of what was before it: request numbers, closed requests, epochs (contract, section 6)."""

from __future__ import annotations

from typing import Any

import pytest

from lib.core import commands as ask
from lib.core import facts
from lib.core import messages as say
from lib.core.buying import Client
from lib.core.facts import Answered
from lib.core.recording import MAX_RECORDED
from lib.core.selling import Guichet
from lib.core.sites import ClientSite
from lib.core.tickets import HELD, Search
from tests.core.test_snapshot import NOW, System, loaded_back_between_two_lives, sealed
from tests.fuzz.test_forged import forged, later, tell, tickets_of


def test_what_is_held_for_who_is_owed_its_state_is_not_released_because_it_has_no_memory() -> None:
    """It will remember its request: that is in the state."""
    system = System()
    system.sites["c1"].role.automatic = False  # type: ignore[union-attr]
    system.order("c1", ask.Reserve(Search()))
    system.run()
    system.order("gch", ask.TakeSnapshot())
    system.run()
    system.hold("c1")
    system.order("gch", ask.Restore(sealed(system.documents[-1])))
    system.run()
    system.held.pop("c1")
    system.sites["c1"] = ClientSite(Client("c1"), 2, watched=True)
    system.take("c1", system.sites["c1"].start(NOW))
    system.run()
    assert len(system.sites["gch"].role.stock.book(HELD)) == 1  # type: ignore[union-attr]
    system.order("c1", ask.Confirm(1))
    system.run()
    assert tickets_of(system, "c1") == ["B0001"] and system.sites["gch"].state(NOW)["restoring"] == []


def test_a_closed_request_of_an_earlier_life_is_no_answer_to_a_request_of_the_recorded_one() -> None:
    """As with a purchase (`test_snapshot.py`): the guichet forgets how it closed what the earlier life had asked."""
    system = loaded_back_between_two_lives(Search(destination="Paris"))  # there is none
    assert tickets_of(system, "c1") == ["B0002"]


def test_the_latest_closed_requests_are_recorded_after_a_restoration_as_well() -> None:
    """What a restoration takes up is as old as it was: the oldest goes first, in the book and in the next record."""
    early = Guichet("gch", answers=[Answered("c1", n, "", "complet") for n in range(1, MAX_RECORDED + 1)])
    office = Guichet("gch")
    list(office.restore(early.record(0.0), (), 0.0))
    for number in range(MAX_RECORDED + 1, MAX_RECORDED + 101):
        list(office.receive("c1", say.Request("c1", number, True, Search(), 1), 0.0))
    assert sorted(row[1] for row in office.record(0.0)["answers"]) == list(range(101, MAX_RECORDED + 101))


def test_the_latest_returns_are_recorded_after_a_restoration_as_well() -> None:
    client = Client("c1")
    state = Client("c1", given_back=[("B0001", n) for n in range(1, MAX_RECORDED + 1)]).record(0.0)
    list(client.restore(state, 0.0))
    for number in range(MAX_RECORDED + 1, MAX_RECORDED + 101):
        client.given_back["B0001", number] = None
    recorded = client.record(0.0)["given_back"]
    assert sorted(number for _, number in recorded) == list(range(101, MAX_RECORDED + 101))


def test_one_that_begins_anew_while_it_is_owed_a_state_is_not_answered_from_what_an_earlier_life_asked() -> None:
    system = System()
    system.order("c1", ask.Reserve(Search(destination="Paris")))  # request 1: there is none
    system.run()
    system.order("gch", ask.TakeSnapshot())
    system.run()
    system.hold("c1")
    system.order("gch", ask.Restore(sealed(system.documents[-1])))
    system.run()
    system.held["c1"].clear()
    site = ClientSite(Client("c1", automatic=True), 2, watched=True)  # without memory: it counts from 1 again
    system.sites["c1"] = site
    system.take("c1", site.start(NOW))
    system.run()
    system.inbox["c1"].append(next(line for line in system.held.pop("c1") if b"volet~bienvenue" in line))
    system.run()
    dismissal = say.Presence("guichet", say.DISMISSAL)
    tell(system, "c1", forged(dismissal, sender="gch", to="c1", receiver_life=2, epoch=1))
    system.run()
    assert site.life == 3 and system.sites["gch"].state(NOW)["restoring"] == []
    system.order("c1", ask.Reserve(Search()))
    later(system)
    assert len(tickets_of(system, "c1")) == 1


def restarted_without_memory(*, before: bool) -> System:
    """c1's request 1 was refused, in the snapshot that is loaded; c1 is started again without memory before, or after."""
    system = System()
    system.order("c1", ask.Reserve(Search(destination="Paris")))  # request 1: there is none
    system.run()
    system.order("gch", ask.TakeSnapshot())
    system.run()
    document = sealed(system.documents[-1])
    for is_restart in (before, not before):
        if is_restart:
            system.sites["c1"] = ClientSite(Client("c1", automatic=True), 2, watched=True)
            system.take("c1", system.sites["c1"].start(NOW))
        else:
            system.order("gch", ask.Restore(document))
        system.run()
    assert {site.epoch for site in system.sites.values()} == {1}
    assert system.sites["gch"].state(NOW)["restoring"] == []
    return system


@pytest.mark.parametrize("before", [True, False])
def test_one_without_memory_is_not_answered_from_a_closed_request_of_the_snapshot(before: bool) -> None:
    """It counts from 1 again: what the file remembers of its request 1 is no answer to the one that it asks now."""
    system = restarted_without_memory(before=before)
    system.order("c1", ask.Reserve(Search()))
    later(system)
    assert len(tickets_of(system, "c1")) == 1


def test_one_that_the_snapshot_does_not_know_is_not_answered_from_what_it_asked_before() -> None:
    """It had left, begins with nothing, and counts from 1 again."""
    system = System()
    system.order("c1", ask.Reserve(Search(destination="Paris")))
    system.run()
    system.hold("c1")
    system.take("c1", system.sites["c1"].leave(NOW))
    system.run()
    system.order("gch", ask.TakeSnapshot())
    system.run()
    [document] = system.documents
    assert document["complete"] and sorted(document["sites"]) == ["c2", "gch"]
    system.held.pop("c1")
    system.sites["c1"] = ClientSite(Client("c1", automatic=True), 2, watched=True)
    system.take("c1", system.sites["c1"].start(NOW))
    system.run()
    system.order("gch", ask.Restore(sealed(document)))
    system.run()
    assert {site.epoch for site in system.sites.values()} == {1}
    system.order("c1", ask.Reserve(Search()))
    later(system)
    assert len(tickets_of(system, "c1")) == 1


def test_a_client_that_knows_its_epoch_enters_no_other_by_a_welcome() -> None:
    """It takes up a state, or nothing: else it would keep in the new epoch what it had bought in the old one."""
    system = System()
    system.order("c1", ask.Reserve(Search()))
    system.run()
    welcome = forged(say.Presence("guichet", say.WELCOME), sender="gch", to="c1", epoch=3)
    tell(system, "c1", welcome)
    assert system.sites["c1"].epoch == 0


def test_a_state_that_was_taken_up_is_not_taken_up_again() -> None:
    """Also by who entered the epoch by a welcome: what it has done since would be undone."""
    site = ClientSite(Client("c1"), 1, watched=True)
    site.start(NOW)
    state = '{"state":{"role":"client","tickets":[],"requests":[],"given_back":[]},"channel":[]}'

    def hear_it(number: int, body: say.Body) -> Any:
        return site.hear([forged(body, sender="gch", to="c1", number=number, epoch=2)], NOW)

    hear_it(1, say.Presence("guichet", say.WELCOME))
    assert site.epoch == 2
    restored = [
        sum(isinstance(event.fact, facts.ClientRestored) for event in hear_it(number, say.RestoreState(1, 1, state)).events)
        for number in (2, 3)
    ]
    assert restored == [1, 0]
