"""What can be said: immutable sentences."""

from __future__ import annotations

import pytest

from lib.core import messages as say
from lib.core.messages import TicketNotice
from tests.core.examples import journey, message


@pytest.mark.parametrize("status", [say.LISTED, say.OFFERED, say.SOLD])
def test_a_notice_with_its_ticket_is_built(status: str) -> None:
    assert TicketNotice("c1", 1, status, "B0001", journey()).ticket == "B0001"


def test_a_return_is_accepted_without_a_reason_and_without_a_journey() -> None:
    assert TicketNotice("c1", 2, say.TAKEN_BACK, "B0001").journey is None


def test_a_message_is_named_by_its_emitter_life_and_sequence() -> None:
    """Contract, 2: "identity of the message is (emetteur, numero)", `life.sequence`; 9: `id` is "c1:1.7"."""
    assert message(say.Return("c1", 4, "B0001"), sender="c1", life=1, sequence=7).id == "c1:1.7"


def test_the_applications_messages_are_the_four_of_the_subject() -> None:
    """Contract, 5: "application messages (`demande`, `billet`, `accuse`, `retour`)"; presence is control."""
    assert (say.Request, say.TicketNotice, say.Acknowledgement, say.Return) == say.APPLICATION


def test_the_words_of_the_contract() -> None:
    """Contract, 2 and 4."""
    assert (say.EVERYONE, say.FULL, say.UNKNOWN, say.EXPIRED, say.UNAVAILABLE) == (
        "tous",
        "complet",
        "inconnu",
        "expire",
        "indisponible",
    )


def test_what_was_said_does_not_change() -> None:
    with pytest.raises(AttributeError):
        say.Return("c1", 4, "B0001").ticket = "B0002"  # type: ignore[misc]
