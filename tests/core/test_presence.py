"""Who is in the system: arrivals, signs of life, departures (docs/protocole.md, section 7)."""

from __future__ import annotations

from lib.core import messages as say
from lib.core.buying import Client
from lib.core.facts import PeerMet, Say
from lib.core.presence import CLIENT_HEARTBEAT, ClientPresence, GuichetPresence
from tests.core.test_selling import buy, office


def test_who_leaves_is_told_nothing() -> None:
    guichet = office(1)
    buy(guichet, "c1", 1)
    departure = say.Presence("client", say.DEPARTURE, sold=0)
    happened = list(GuichetPresence(guichet, lambda: False).receive("c1", 1, 1, departure, 0.0))
    assert happened == [PeerMet("c1", "client", 1, present=False)]


def test_a_client_that_says_that_it_has_more_than_it_bought_is_told_what_it_bought() -> None:
    guichet = office(1)
    buy(guichet, "c1", 1)
    alive = say.Presence("client", say.ALIVE, sold=2)
    [told] = GuichetPresence(guichet, lambda: False).receive("c1", 1, 1, alive, 0.0)
    assert isinstance(told, Say) and told.body.ticket == "B0001"  # type: ignore[union-attr]


def test_signs_of_life_become_rare_and_never_stop() -> None:
    """And a welcome that is repeated does not make them frequent again."""
    presence = ClientPresence(Client("c1"), remembers=True)
    welcome = say.Presence("guichet", say.WELCOME)
    list(presence.start(0.0))
    list(presence.receive("gch", 1, 1, welcome, 0.0))
    now, waits = 0.0, []
    for _ in range(8):
        waits.append(presence.deadline - now)
        now = presence.deadline
        assert len(list(presence.tick(now))) == 1
        list(presence.receive("gch", 1, 1, welcome, now))
    assert waits == [4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0, 60.0] and CLIENT_HEARTBEAT == 60.0
