"""What a recorded state may hold (contract, section 5): a file and a disk are never trusted."""

from __future__ import annotations

from typing import Any

import pytest

from lib.core import facts, recording, wire
from lib.core.buying import Client
from lib.core.facts import Answered, Errand, Holding, TicketKept
from lib.core.recording import LARGEST, MAX_RECORDED, MAX_WAIT, Unreadable
from lib.core.selling import Guichet
from lib.core.tickets import HELD, Search, Ticket
from tests.core.examples import journey

HOLDING = Holding("B0001", journey(), "gch")
OFFER = Errand(1, facts.RESERVE, facts.OFFERED, Search(), holding=HOLDING, deadline=20.0)


@pytest.mark.parametrize("number", [True, -1, LARGEST + 1, 1.0, "1", None])
def test_a_number_that_could_not_be_said_is_not_taken_up(number: Any) -> None:
    for restored in (
        lambda: Guichet("gch").restore({"tickets": [], "answers": [["c1", number, "", ""]]}, (), 0.0),
        lambda: Client("c1").restore({"given_back": [["B0001", number]]}, 0.0),
    ):
        with pytest.raises(Unreadable):
            list(restored())
    for check, fact in (
        (recording.checked_errand, OFFER._replace(number=number)),
        (recording.checked_errand, OFFER._replace(limit=number)),
        (recording.checked_kept, TicketKept(HOLDING, number)),
        (recording.checked_answer, Answered("c1", number, "B0001", "")),
    ):
        with pytest.raises(Unreadable):
            check(fact)  # type: ignore[operator]


@pytest.mark.parametrize(
    "changes",
    [
        {"holding": None},
        {"state": facts.CONFIRMING, "holding": None},
        {"state": facts.OWNED, "holding": None},
        {"next_try": 5.0},
        {"state": facts.OWNED, "next_try": 5.0},
        {"limit": wire.MAX_LIST + 1},
        {"limit": 0},
        {"kind": facts.RETURN, "state": facts.ASKED, "holding": None},
        {"state": facts.LISTED},
    ],
)
def test_an_errand_that_no_client_can_have_is_not_taken_up(changes: dict[str, Any]) -> None:
    assert recording.checked_errand(OFFER) == OFFER
    with pytest.raises(Unreadable):
        recording.checked_errand(OFFER._replace(**changes))


@pytest.mark.parametrize("left", [-0.001, MAX_WAIT + 1, 1e308, True, "3"])
def test_a_hold_or_an_offer_that_lasts_for_ever_is_not_taken_up(left: Any) -> None:
    ticket = recording.ticket_as_json(Ticket("B0001", journey(), HELD, "c1", 1, 20.0), "gch", 0.0)
    offer = recording.errand_as_json(OFFER, 0.0)
    assert ticket["expires_in"] == offer["expires_in"] == 20.0
    for restored in (
        lambda: Guichet("gch").restore({"tickets": [ticket | {"expires_in": left}]}, (), 0.0),
        lambda: Client("c1").restore({"requests": [offer | {"expires_in": left}]}, 0.0),
    ):
        with pytest.raises(Unreadable):
            list(restored())


def test_of_the_closed_requests_and_returns_the_latest_are_recorded() -> None:
    answers = [Answered("c1", number, "", "complet") for number in range(1, MAX_RECORDED + 50)]
    recorded = Guichet("gch", answers=answers).record(0.0)["answers"]
    assert sorted(row[1] for row in recorded) == list(range(50, MAX_RECORDED + 50))
    client = Client("c1", given_back=[("B0001", number) for number in range(1, MAX_RECORDED + 50)])
    assert sorted(number for _, number in client.record(0.0)["given_back"]) == list(range(50, MAX_RECORDED + 50))


def test_a_declined_offer_that_was_not_heard_yet_is_recorded() -> None:
    """It goes on being said once the snapshot is loaded: the hold that comes back with it ends the sooner."""
    declined = OFFER._replace(state=facts.REFUSED, reason="client", next_try=1.0)
    [row] = Client("c1", errands=[declined]).record(0.0)["requests"]
    assert row["state"] == "refused" and row["pending"]
