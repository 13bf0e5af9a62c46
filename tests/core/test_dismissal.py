"""A client that left for good is dismissed; should it come back after all, its tickets have one holder (contract, 4).

And a client whose life is smaller than one that the guichet knows: the machine's clock was set back.
"""

from __future__ import annotations

import pytest

from lib.core import commands as ask
from lib.core import facts
from lib.core import messages as say
from lib.core.buying import Client
from lib.core.commands import CommandRefused
from lib.core.facts import BegunAnew, PeerMet, Started, TicketKept, TicketMoved
from lib.core.sites import DISMISSED, OUTLIVED, ClientSite
from lib.core.tickets import FREE, HELD, SOLD, Search
from tests.core.test_snapshot import NOW, System, sealed
from tests.fuzz.test_forged import forged

BUY = ask.Reserve(Search())


def tickets_of(system: System, name: str) -> list[str]:
    return list(system.sites[name].role.tickets)  # type: ignore[union-attr]


def counts(system: System) -> tuple[int, int, int]:
    stock = system.sites["gch"].role.stock  # type: ignore[union-attr]
    return len(stock.book(FREE)), len(stock.book(HELD)), len(stock.book(SOLD))


def begin_again(system: System, name: str, life: int, remembers: bool = True) -> None:
    """A new process of that name, with the store of the last one, or without."""
    old = system.sites[name]
    role = Client(name, automatic=True, tickets=old.role.tickets.values() if remembers else ())  # type: ignore[union-attr]
    system.sites[name] = ClientSite(role, life, remembers=remembers, watched=True)
    system.take(name, system.sites[name].start(NOW))


def with_a_ticket_dismissed() -> System:
    """c1 has bought a ticket, hears nothing any more, and is dismissed."""
    system = System()
    system.order("c1", BUY)
    system.run()
    system.hold("c1")
    system.order("gch", ask.Dismiss("c1"))
    system.run()
    return system


def test_what_it_had_is_free_again() -> None:
    system = System()
    system.order("c1", BUY)
    system.run()
    system.hold("c1")  # the next offer does not reach it
    system.order("c1", BUY)
    system.run()
    assert counts(system) == (4, 1, 1)
    system.order("gch", ask.Dismiss("c1"))
    assert counts(system) == (6, 0, 0)
    moved = [fact.ticket.state for fact in system.events["gch"] if isinstance(fact, TicketMoved)][-2:]
    assert moved == [FREE, FREE], "the store and the window hear of it"
    assert PeerMet("c1", "client", 1, present=False, dismissed=True) in system.events["gch"]


def test_nobody_waits_for_it() -> None:
    system = with_a_ticket_dismissed()
    system.order("gch", ask.TakeSnapshot())
    system.run()
    [document] = system.documents
    assert document["complete"] and document["left"] == ["c1"] and document["checks"]["conserved"]
    system.order("gch", ask.Restore(sealed(document)))
    system.run()
    assert system.sites["gch"].state(NOW)["restoring"] == []


def test_a_round_and_a_restoration_that_wait_for_it_end() -> None:
    system = System()
    system.order("c1", BUY)
    system.run()
    system.order("gch", ask.TakeSnapshot())
    system.run()
    system.hold("c1")
    system.order("gch", ask.Restore(sealed(system.documents[-1])))
    system.order("gch", ask.TakeSnapshot())
    system.run()
    assert system.sites["gch"].state(NOW)["restoring"] == ["c1"] and len(system.documents) == 1
    system.order("gch", ask.Dismiss("c1"))
    assert system.sites["gch"].state(NOW)["restoring"] == []
    document = system.documents[-1]
    assert document["complete"] and document["checks"]["conserved"], "what it had bought went with it"


@pytest.mark.parametrize("is_restarted", [False, True], ids=["it lived on", "it was started again"])
@pytest.mark.parametrize("sold_again", [False, True])
def test_one_that_comes_back_learns_that_its_tickets_are_no_longer_its_own(is_restarted: bool, sold_again: bool) -> None:
    system = with_a_ticket_dismissed()
    [ticket] = tickets_of(system, "c1")
    if sold_again:
        system.order("c2", BUY)
        system.run()
        assert tickets_of(system, "c2") == [ticket]
    system.held.pop("c1")  # what was said to it meanwhile is lost
    if is_restarted:
        begin_again(system, "c1", 2)
    else:
        system.order("c1", BUY)  # the life that it had is over: this request will have no answer
    system.run()
    begun = next(fact for fact in system.events["c1"] if isinstance(fact, BegunAnew))
    assert begun == BegunAnew(DISMISSED, (ticket,), () if is_restarted else (2,))
    assert tickets_of(system, "c1") == []
    lives = [fact.life for fact in system.events["c1"] if isinstance(fact, Started)]
    assert lives == ([1, 2, 3] if is_restarted else [1, 2])
    system.order("c1", BUY)
    system.run()
    assert len(tickets_of(system, "c1")) == 1, "it takes part again"
    client = system.sites["gch"].state(NOW)["clients"][0]
    assert client["present"] and not client["dismissed"] and client["sold"] == 1


def test_one_that_begins_anew_takes_part_in_the_round_that_is_open_as_what_it_is_now() -> None:
    """What it recorded in the life that is over counts no more; ranks begin again on both sides."""
    system = System(clients=3)
    system.order("c1", BUY)
    system.run()
    system.hold("c2")
    system.order("gch", ask.TakeSnapshot())
    system.run()
    system.order("gch", ask.Dismiss("c1"))
    system.run()
    system.order("c1", BUY)
    system.run()
    system.let_go("c2")
    system.run()
    [document] = system.documents
    assert document["complete"] and document["checks"] == {"tickets": 6, "conserved": True, "coherent": True}
    assert document["sites"]["c1"]["life"] == 2
    system.order("c1", ask.TakeSnapshot())
    system.run()
    assert system.documents[-1]["complete"] and system.documents[-1]["checks"]["coherent"]
    assert system.documents[-1]["sites"]["c1"]["sent"]["gch"] == 2


def test_one_without_memory_comes_back_as_anybody() -> None:
    system = with_a_ticket_dismissed()
    system.held.pop("c1")
    begin_again(system, "c1", 2, remembers=False)
    system.run()
    assert not [fact for fact in system.events["c1"] if isinstance(fact, BegunAnew)]
    assert system.sites["gch"].state(NOW)["clients"][0]["present"]


def test_a_late_sale_of_the_life_that_is_over_changes_nothing() -> None:
    """What was said to a life that is over is for nobody."""
    system = System()
    system.order("c1", BUY)
    system.hold("c1")
    system.run()
    late = list(system.held["c1"])
    system.let_go("c1")
    system.run()
    system.order("gch", ask.Dismiss("c1"))
    system.run()
    assert tickets_of(system, "c1") == [] and counts(system)[2] == 0
    begun = len(system.events["c1"])
    relay_again = system.sites["c1"]
    relay_again.relay.__init__("c1")  # type: ignore[misc]  # it has forgotten what it has seen
    system.take("c1", relay_again.hear(late, NOW))
    assert not [fact for fact in system.events["c1"][begun:] if isinstance(fact, TicketKept)]


def test_a_repeated_dismissal_takes_nothing_from_the_next_life() -> None:
    system = with_a_ticket_dismissed()
    dismissals = list(system.held["c1"])
    system.let_go("c1")
    system.run()
    system.order("c1", BUY)
    system.run()
    [ticket] = tickets_of(system, "c1")
    system.sites["c1"].relay.__init__("c1")  # type: ignore[misc]
    system.take("c1", system.sites["c1"].hear(dismissals, NOW))
    assert tickets_of(system, "c1") == [ticket]


def test_a_dismissal_is_the_guichets_alone_and_names_the_life() -> None:
    system = System()
    system.order("c1", BUY)
    system.run()
    line = b"^transmettant~%s^emetteur~%s^numero~1.900^destinataire~c1^type~presence^estampille~9^instantane~0^epoque~0%s"
    body = b"^role~guichet^volet~conge^memoire~0^vendus~0^rouge~0^"
    for forger, life in ((b"c2", b"^vie~1"), (b"gch", b""), (b"gch", b"^vie~7")):
        system.sites["c1"].relay.__init__("c1")  # type: ignore[misc]
        system.take("c1", system.sites["c1"].hear([line % (forger, forger, life) + body], NOW))
        assert tickets_of(system, "c1"), f"{forger!r} {life!r}"


def test_only_a_client_that_is_known_can_be_dismissed() -> None:
    system = System()
    for name in ("c9", "gch", "tous"):
        with pytest.raises(CommandRefused) as refused:
            system.sites["gch"].command(ask.Dismiss(name), NOW)
        assert (refused.value.code, refused.value.subject) == ("unknown_client", name)


def test_the_state_says_how_long_each_client_has_been_silent() -> None:
    system = System()
    [first, second] = system.sites["gch"].state(NOW + 90.0)["clients"]
    assert (first["name"], first["silent_for"]) == ("c1", 90.0) and second["silent_for"] == 90.0


def test_a_client_whose_machine_lost_an_hour_is_heard_again() -> None:
    """Contract, 2: without a store, a life is from the clock. If that was set back, the guichet names the life it knows."""
    system = System()
    system.order("c1", BUY)
    system.run()
    [ticket] = tickets_of(system, "c1")
    system.sites["gch"].peers["c1"].life = 3_600_000
    begin_again(system, "c1", 2, remembers=False)
    system.run()
    assert [fact.reason for fact in system.events["c1"] if isinstance(fact, BegunAnew)] == [OUTLIVED]
    assert system.sites["c1"].life == 3_600_003, "later than the known one, and another one for each that was set back"
    assert tickets_of(system, "c1") == [ticket], "it is told again what is its own"
    system.order("c1", BUY)
    system.run()
    assert len(tickets_of(system, "c1")) == 2
    assert [fact.life for fact in system.events["c1"] if isinstance(fact, facts.Started)] == [1, 2, 3_600_003]


def test_what_a_client_that_had_left_had_bought_is_told_to_it_again_once_the_snapshot_is_loaded() -> None:
    """It was not there to be recorded, and begins with nothing: until it is told, it has forgotten the purchase."""
    system = System()
    system.order("c1", BUY)
    system.run()
    [ticket] = tickets_of(system, "c1")
    system.hold("c1")
    system.order("gch", ask.TakeSnapshot())
    system.run()
    system.order("gch", ask.Dismiss("c1"))
    [document] = system.documents
    assert document["complete"] and document["left"] == ["c1"]
    system.held.pop("c1")
    begin_again(system, "c1", 2)
    system.run()
    system.order("gch", ask.Restore(sealed(document)))
    system.run()
    assert counts(system)[2] == 1 and tickets_of(system, "c1") == []
    system.order("gch", ask.TakeSnapshot())
    system.run()
    assert system.documents[-1]["complete"] and system.documents[-1]["checks"]["conserved"]
    for later in (70.0, 140.0):  # a sign of life
        system.tick(later)
    assert tickets_of(system, "c1") == [ticket]


def test_one_that_is_dismissed_and_whose_machine_lost_an_hour_is_heard_again() -> None:
    system = with_a_ticket_dismissed()
    system.held.pop("c1")
    system.sites["gch"].peers["c1"].life = 3_600_000
    begin_again(system, "c1", 2, remembers=False)
    system.run()
    assert system.sites["c1"].life > 3_600_000
    system.order("c1", BUY)
    system.run()
    assert len(tickets_of(system, "c1")) == 1


def test_a_late_word_of_an_earlier_life_of_a_dismissed_client_is_not_answered() -> None:
    """It is neither a sign of the life that was dismissed, nor who says it one that could be told."""
    system = System()
    system.sites["gch"].peers["c1"].life = 7
    system.order("gch", ask.Dismiss("c1"))
    heard = system.sites["gch"].peers["c1"].last_heard
    line = forged(say.Presence("client", say.ALIVE), sender="c1", life=3, receiver_life=1)
    assert system.sites["gch"].hear([line], NOW + 9).lines == []
    assert system.sites["gch"].peers["c1"].last_heard == heard


def test_the_ranks_that_no_round_waits_for_begin_anew_with_the_others() -> None:
    system = System()
    system.order("c1", BUY)
    system.run()
    for _ in range(2):
        system.order("gch", ask.TakeSnapshot())
        system.run()
    assert system.documents[-1]["sites"]["gch"]["settled"] == {"c1": 2}
    system.order("gch", ask.Dismiss("c1"))
    system.run()
    system.order("gch", ask.TakeSnapshot())
    system.run()
    assert system.documents[-1]["sites"]["gch"]["settled"] == {} == system.documents[-1]["sites"]["c1"]["settled"]
