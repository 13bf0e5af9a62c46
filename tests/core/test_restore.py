"""Loading a snapshot back, rule by rule (contract, section 6): what may be loaded, what each part remembers meanwhile."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lib.core import audit, restore
from lib.core import commands as ask
from lib.core import messages as say
from lib.core.buying import Client
from lib.core.commands import CommandRefused
from lib.core.facts import FileWanted, RestoreOwed, Say
from lib.core.restore import Giver, Taker, messages_to
from lib.core.selling import Guichet
from lib.core.sites import ClientSite
from lib.core.tickets import Search
from tests.core.examples import journey, message
from tests.core.test_snapshot import NOW, System, sealed

BUY = ask.Reserve(Search())


def photographed() -> tuple[System, dict[str, Any]]:
    """A system in which c1 has bought a ticket, and its sealed snapshot."""
    system = System()
    system.order("c1", BUY)
    system.run()
    system.order("gch", ask.TakeSnapshot())
    system.run()
    return system, sealed(system.documents[-1])


def refusal(system: System, document: dict[str, Any]) -> tuple[str, str]:
    """Why the guichet does not load it; it stays in its epoch."""
    with pytest.raises(CommandRefused) as refused:
        system.sites["gch"].command(ask.Restore(document), NOW)
    assert system.sites["gch"].epoch == 0
    return refused.value.code, refused.value.subject


# ----------------------------------------------------------------------------------------------------- what may be loaded


@pytest.mark.parametrize("complete", [False, None])
def test_a_snapshot_that_does_not_say_that_it_is_complete_is_not_loaded(complete: bool | None) -> None:
    system, document = photographed()
    document = sealed(document | {"complete": complete})
    assert audit.examine(document) == []
    assert refusal(system, document) == ("snapshot_incomplete", "1")


def test_a_snapshot_of_another_guichet_is_not_loaded() -> None:
    _, document = photographed()
    with pytest.raises(CommandRefused) as refused:
        restore.check(document, "g2", ["c1", "c2", "gch"])
    assert (refused.value.code, refused.value.subject) == ("snapshot_of_another", "gch")


def test_a_snapshot_is_not_loaded_while_one_that_it_knows_is_away() -> None:
    system, document = photographed()
    system.take("c2", system.sites["c2"].leave(NOW))
    system.run()
    assert refusal(system, document) == ("snapshot_absent", "c2")


def test_a_snapshot_with_a_message_that_nobody_could_hear_is_not_loaded() -> None:
    """Those to the clients as well: the guichet alone checks the file, for a client cannot answer it."""
    system, document = photographed()
    bad = {"id": "gch:1.9", "rank": 1, "timestamp": 9, "type": "billet", "fields": {"billet": "x"}}
    document = sealed(document | {"channels": [{"from": "gch", "to": "c1", "messages": [bad]}]})
    assert audit.examine(document) == []
    assert refusal(system, document)[0] == "snapshot_shape"


def test_messages_of_the_channels_are_delivered_again_in_the_order_of_their_stamps() -> None:
    """Those of one instant in the order of who said them."""

    def channel(sender: str, *stamps: int) -> dict[str, Any]:
        fields = {"demandeur": sender, "demande": "1", "billet": "B0001"}
        rows = [{"id": f"{sender}:1.{n}", "rank": n, "timestamp": n, "type": "retour", "fields": fields} for n in stamps]
        return {"from": sender, "to": "gch", "messages": rows}

    document = {"channels": [channel("c2", 9, 4), channel("c1", 7, 4)]}
    assert [one.id for one in messages_to(document, "gch")] == ["c1:1.4", "c2:1.4", "c1:1.7", "c2:1.9"]


# ----------------------------------------------------------------------------------------------- what the guichet owes


def test_who_is_owed_an_older_state_is_owed_the_new_one_instead() -> None:
    """Even if it is away, and the file does not know it: then it begins with nothing."""
    _, document = photographed()
    giver = Giver([RestoreOwed("c9", 1, '{"state":{},"channel":["old"]}')])
    owed = [effect for effect in giver.begin(document, ["c1"], 2, NOW) if isinstance(effect, RestoreOwed)]
    assert [(debt.client, debt.epoch) for debt in owed] == [("c1", 2), ("c9", 2)]
    assert json.loads(owed[1].text) == {"state": restore._NOTHING, "channel": []}


def test_who_comes_back_behind_is_told_the_state_that_it_is_owed() -> None:
    giver = Giver([RestoreOwed("c1", 1, "its own")])
    said = list(giver.arrived("c1", 1, is_behind=True))
    assert said == [Say("c1", say.RestoreState(1, 1, "its own"))]


def test_a_client_that_is_in_an_older_epoch_has_not_taken_up_the_newer_one() -> None:
    giver = Giver([RestoreOwed("c1", 2, "its own")])
    assert list(giver.taken("c1", 1)) == [] and giver.owes("c1")
    assert list(giver.taken("c1", 2)) and not giver.owes("c1")


def test_a_repeated_request_for_a_file_loads_it_once() -> None:
    system, _ = photographed()
    system.order("c1", ask.AskRestore("instantane.json"))
    system.run()
    system.tick(2.0)
    system.tick(5.0)
    assert len([fact for fact in system.events["gch"] if isinstance(fact, FileWanted)]) == 1


def test_one_without_memory_that_is_no_newcomer_to_the_epoch_is_owed_nothing() -> None:
    """It knows nothing of an older epoch: its welcome brings it into this one."""
    system, document = photographed()
    system.order("gch", ask.Restore(document))
    system.run()
    site = ClientSite(Client("c3"), 1, watched=True)
    system.sites["c3"], system.inbox["c3"], system.events["c3"] = site, [], []
    system.take("c3", site.start(NOW))
    assert system.sites["gch"].hear(system.inbox["gch"], NOW) and system.sites["gch"].state(NOW)["restoring"] == []


def test_only_an_offer_is_told_with_the_time_that_its_hold_has_left() -> None:
    notice = {"fields": {"statut": "vendu", "billet": "B0001"}}
    assert restore._timely(notice, {"B0001": 3.0}) == notice
    offer = {"fields": {"statut": "offre", "billet": "B0001", "delai": "30.000"}}
    assert restore._timely(offer, {"B0001": 3.0})["fields"]["delai"] == "3.000"


# --------------------------------------------------------------------------------------------------- what a client does


def test_the_refusal_of_another_request_is_not_the_answer_to_this_one() -> None:
    taker = Taker("gch", 60.0)
    list(taker.ask(7, "instantane.json", 0, NOW))
    assert list(taker.refused(say.RestoreRefused(6, "old"), 0)) == [] and taker.deadline is not None
    assert list(taker.refused(say.RestoreRefused(7, "no"), 0)) and taker.deadline is None


def test_who_asked_for_a_file_asks_no_more_once_it_is_loaded() -> None:
    taker = Taker("gch", 60.0)
    list(taker.ask(7, "instantane.json", 0, NOW))
    taker.arrived_in(1)
    assert taker.deadline is None and list(taker.tick(NOW + 99, 1)) == []


def test_what_is_kept_aside_for_a_later_epoch_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restore, "MAX_ASIDE", 3)
    taker = Taker("gch", 60.0)
    early = [message(say.Return("c1", n, "B0001"), epoch=2) for n in range(1, 6)]
    assert [taker.keep_aside(one) for one in early] == [True, True, True, False, False]
    assert taker.arrived_in(2) == early[:3]


def test_a_state_that_makes_no_sense_leaves_room_for_a_true_one_of_an_earlier_epoch() -> None:
    taker = Taker("gch", 60.0)
    assert taker.gather(300, say.RestoreState(1, 1, "nonsense")) is None
    assert taker.gather(1, say.RestoreState(1, 1, '{"state":{}}')) == {"state": {}}


def test_identifiers_go_on_after_a_restoration() -> None:
    """Those that were given out since the snapshot are not used again, and the longest one in a file leads nowhere."""
    office = Guichet("gch")
    list(office.command(ask.AddTickets(((journey(), 2),)), 0.0))
    early = office.record(0.0)
    list(office.command(ask.AddTickets(((journey(), 3),)), 0.0))
    early["tickets"].append(early["tickets"][0] | {"id": "B" + "9" * 19})
    list(office.restore(early, (), 0.0))
    assert office.next_number == 6


def test_a_client_takes_up_no_number_again_that_bought_or_gave_back() -> None:
    client = Client("c1", next_number=9)
    list(client.restore({"given_back": [["B0001", 3]]}, 0.0))
    assert client.next_number == 9
    list(client.restore({"given_back": [["B0001", 30]]}, 0.0))
    assert client.next_number == 31 and client.given_back == {("B0001", 30): None}
