"""Wrongs that earlier attempts at this subject made, as small changes of our program: the test of the tests.

Each mutant replaces one method by a wrong one. `tests/test_mutants.py` demands that the simulator's judges catch it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from lib.core import restore
from lib.core.buying import Client
from lib.core.facts import Reaction
from lib.core.intervals import Intervals
from lib.core.messages import Message
from lib.core.peers import Peer
from lib.core.selling import Guichet
from lib.core.site import Site
from lib.core.sites import ClientSite, GuichetSite
from lib.core.snapshot import Collector
from tests.simulator import World

Patch = tuple[Any, str, Callable[..., Any]]


def record_after_applying() -> list[Patch]:
    """The state is recorded after the message of the newer round was applied ("7 tickets out of 6")."""
    heed, handle = Site._heed_colour, Site._handle

    def late(self: Site, reaction: Reaction, message: Message, earlier_life: int, now: float) -> None:
        handle(self, reaction, message, earlier_life, now)
        heed(self, reaction, message, now)

    return [(Site, "_heed_colour", lambda *_: None), (Site, "_handle", late)]


def merge_the_clock_before_recording() -> list[Patch]:
    """The clock of the message of the newer round is taken over, then the state is recorded."""
    heed = Site._heed_colour

    def merged(self: Site, reaction: Reaction, message: Message, now: float) -> None:
        self.clock.receive(message.timestamp)
        heed(self, reaction, message, now)

    return [(Site, "_heed_colour", merged)]


def two_colours() -> list[Patch]:
    """White and red instead of rounds: a late message of the other colour starts a ghost snapshot."""
    heed = Site._heed_colour

    def coloured(self: Site, reaction: Reaction, message: Message, now: float) -> None:
        if message.round % 2 != self.round % 2 and message.round < self.round:
            message = message._replace(round=self.round + 1)
        heed(self, reaction, message, now)

    return [(Site, "_heed_colour", coloured)]


def count_at_relays() -> list[Patch]:
    """A site counts the messages that it passes on as its own."""
    hear = Site.hear

    def counting(self: Site, lines: list[bytes], now: float) -> Reaction:
        before = self.counts["relayed"]
        reaction = hear(self, lines, now)
        for peer in self.peers.all():
            peer.sent += self.counts["relayed"] - before
        return reaction

    return [(Site, "hear", counting)]


def forget_messages_to_the_guichet() -> list[Patch]:
    """The collector records what was in flight to the others, and forgets its own."""

    def nothing(self: Collector, message: Message, now: float) -> Iterator[Any]:
        return iter(())

    return [(Collector, "crossed", nothing)]


def reset_one_side_only() -> list[Patch]:
    """In a new epoch, a client's counters start again; the guichet's go on."""

    def enter(self: GuichetSite, epoch: int) -> None:
        self.epoch = epoch

    return [(GuichetSite, "_enter_epoch", enter)]


def reset_one_side_only_at_a_new_life() -> list[Patch]:
    """A site that comes back counts from 1; the others count on."""
    anew = Peer.start_ranks_anew

    def only_at_first(self: Peer) -> None:
        if not self.life:
            anew(self)

    return [(Peer, "start_ranks_anew", only_at_first)]


def deliver_twice_on_restore() -> list[Patch]:
    """The messages of the channels are delivered again twice."""
    redeliver = Site._redeliver

    def twice(self: Site, messages: Any, now: float) -> Iterator[Any]:
        kept = list(messages)
        yield from redeliver(self, kept + kept, now)

    return [(Site, "_redeliver", twice)]


def keep_old_epochs() -> list[Patch]:
    """Messages from before the restoration are heard after it."""

    def now_of_any_epoch(kind: type[Site]) -> Callable[..., str]:
        objection = kind._objection

        def without_epoch(self: Site, message: Message) -> str:
            return objection(self, message._replace(epoch=max(message.epoch, self.epoch)))

        return without_epoch

    return [(kind, "_objection", now_of_any_epoch(kind)) for kind in (GuichetSite, ClientSite)]


def take_up_half_a_state() -> list[Patch]:
    """A client takes its state up without the messages of its channel."""
    return [(restore, "channel_of", lambda content, sender: [])]


def answer_from_an_earlier_life() -> list[Patch]:
    """A client that lost its memory is answered from what it asked before."""
    return [(Guichet, "forget_requests", lambda self, client: iter(()))]


def welcome_the_dismissed() -> list[Patch]:
    """A client that was dismissed, and comes back with its memory, is heard as if nothing had happened."""

    def no_flag(self: Site, met: Any) -> None:
        register(self, met._replace(dismissed=False))

    register = Site._register
    return [(Site, "_register", no_flag)]


def keep_what_was_released() -> list[Patch]:
    """A client that hears that it is dismissed begins a new life, and keeps its tickets."""
    return [(Client, "forget", lambda self: iter(()))]


def relay_everything() -> list[Patch]:
    """No duplicate filter."""
    return [(Intervals, "add", lambda self, number: True)]


def speak_before_storing() -> list[Patch]:
    """What is said is not stored yet when the site dies."""

    def take(self: World, name: str, reaction: Reaction) -> None:
        for edge, lines in self.links.items():
            if edge[0] == name:
                lines.extend(reaction.lines)
        reaction.lines = []
        original(self, name, reaction)

    original = World.take
    return [(World, "take", take)]


MUTANTS: dict[str, Callable[[], list[Patch]]] = {
    mutant.__name__: mutant
    for mutant in (
        record_after_applying,
        merge_the_clock_before_recording,
        two_colours,
        count_at_relays,
        forget_messages_to_the_guichet,
        reset_one_side_only,
        reset_one_side_only_at_a_new_life,
        deliver_twice_on_restore,
        keep_old_epochs,
        take_up_half_a_state,
        answer_from_an_earlier_life,
        welcome_the_dismissed,
        keep_what_was_released,
        relay_everything,
        speak_before_storing,
    )
}
