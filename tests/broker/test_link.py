"""Whether the broker can be reached, from what is seen of it."""

from __future__ import annotations

import pytest

from lib.broker.link import AWAY, CONTESTED, FORGED, GOOD, REFUSED, SILENCE, UNKNOWN, Link


def heard_at(*moments: float) -> Link:
    """A link over which the broker greeted us first, and then spoke at these moments."""
    link = Link(0.0)
    for moment in moments:
        link.alive(moment, is_greeting=moment == moments[0])
    return link


def test_nothing_is_said_before_anything_is_known() -> None:
    assert Link(10.0).state(10.0 + SILENCE) == UNKNOWN
    assert Link(10.0).state(10.1 + SILENCE) == AWAY


def test_silence_is_noticed_and_a_word_is_enough() -> None:
    link = heard_at(1.0, 3.0)
    assert link.state(3.0 + SILENCE) == GOOD
    assert link.state(3.1 + SILENCE) == AWAY
    link.alive(60.0, is_greeting=False)
    assert link.state(60.0) == GOOD


@pytest.mark.parametrize(
    ("complaint", "state"),
    [
        ("Error: Connection refused", AWAY),
        ("", AWAY),
        ("Error: The connection was lost.", AWAY),
        ("Connection error: Connection Refused: not authorised. Error: The connection was refused.", REFUSED),
        ("Error: A TLS error occurred.", AWAY),
        ("certificate: certificate has expired", FORGED),
    ],
)
def test_how_a_connection_ended_says_why(complaint: str, state: str) -> None:
    link = heard_at(1.0)
    link.ended(complaint)
    assert link.state(1.0) == state
    assert link.complaint == complaint
    link.alive(2.0, is_greeting=True)
    assert (link.state(2.0), link.complaint) == (GOOD, "")


def test_two_machines_with_one_archive_throw_each_other_out_and_are_told_so() -> None:
    link = Link(0.0)
    for second in range(6):
        assert link.state(float(second)) != CONTESTED
        link.ended("Error: The connection was lost.")
        link.alive(float(second), is_greeting=True)
    assert link.state(5.0) == CONTESTED
    link.alive(40.0, is_greeting=False)
    assert link.state(40.0) == GOOD
