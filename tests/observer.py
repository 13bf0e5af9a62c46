"""A judge of snapshots who stands outside: vector clocks over all sites (Mattern 1993), and never a look at ranks.

It sees the events of every site in the order in which they became durable, and keeps, beside the program's own figures, who
could have known what. From that alone it says whether a recorded cut is consistent, and what was in the channels.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from lib.core import facts
from lib.core.facts import Event
from lib.core.messages import APPLICATION, RESTORATION, Presence
from tests.invariants import require


@dataclass
class _Letter:
    """One application message: the sender's event count when it was sent, and the receiver's when it was received."""

    sender: str
    receiver: str
    sent_at: int
    life: int
    receiver_life: int
    epoch: int
    received_at: int | None = None


@dataclass
class _Cut:
    """Where one site recorded: its events so far, and what it knew of the others' events."""

    life: int
    events: int
    knows: Counter[str]


@dataclass
class Observer:
    """Vector clocks, letters and cuts."""

    clocks: dict[str, Counter[str]] = field(default_factory=dict)
    stamps: dict[str, Counter[str]] = field(default_factory=dict)
    letters: dict[str, _Letter] = field(default_factory=dict)
    cuts: dict[tuple[int, str], list[_Cut]] = field(default_factory=dict)
    lives: Counter[str] = field(default_factory=Counter)
    epochs: Counter[str] = field(default_factory=Counter)
    lamport: Counter[str] = field(default_factory=Counter)
    redelivered: Counter[tuple[int, str, str]] = field(default_factory=Counter)

    def forget(self, name: str) -> None:
        """A site without a store begins a new life, or one begins anew: it knows of nobody's events but its own number."""
        own = self.clocks.get(name, Counter())[name]
        self.clocks[name] = Counter({name: own})
        for heard in [heard for heard in self.redelivered if heard[1] == name]:
            del self.redelivered[heard]  # the restoration that it has forgotten is done once more

    def see(self, name: str, event: Event) -> None:
        """An event of site `name`."""
        if isinstance(event.fact, facts.BegunAnew):
            self.forget(name)
        clock = self.clocks.setdefault(name, Counter())
        match event.fact:
            case facts.Started(_, life):
                self.lives[name] = life
                self.lamport[name] = event.lamport
            case facts.SnapshotMoved(round, "recorded"):
                # Recorded before the message that woke it touched anything: at most a local event came between.
                before = self.lamport[name]
                require(event.lamport <= before + 1, f"{name} merged its clock ({before} -> {event.lamport}), then recorded")
                cuts = self.cuts.setdefault((round, name), [])
                require(all(cut.life != self.lives[name] for cut in cuts), f"{name} recorded twice in round {round}")
                cuts.append(_Cut(self.lives[name], clock[name], clock.copy()))
            case facts.RestoreMoved(entered, "restored"):
                self.epochs[name] = entered
            case facts.Redelivered(identity):
                heard = (self.epochs[name], name, identity)
                self.redelivered[heard] += 1
                require(self.redelivered[heard] == 1, f"{identity} delivered again twice at {name}")
            case facts.Sent(message=message):
                clock[name] += 1
                self.stamps[message.id] = clock.copy()
                self.epochs[name] = message.epoch
                if isinstance(message.body, APPLICATION):
                    self.letters[message.id] = _Letter(
                        name, message.to, clock[name], message.life, message.receiver_life, message.epoch
                    )
            case facts.Received(message=message):
                # Restoration is told across epochs, and replaces whatever a cut could be of: it carries no knowledge.
                across = isinstance(message.body, Presence) and message.epoch != self.epochs[name]
                if not (across or isinstance(message.body, RESTORATION)):
                    clock |= self.stamps[message.id]
                clock[name] += 1
                letter = self.letters.get(message.id)
                if letter is not None:
                    once = letter.received_at is None or not letter.receiver_life  # to an unknown life: to each that hears
                    require(once, f"{message.id} received twice")
                    letter.received_at = clock[name]
        self.lamport[name] = max(self.lamport[name], event.lamport)

    def judge(self, document: dict[str, Any]) -> None:
        """The cut that a document records is consistent, and its channels hold what was under way, no more, no less."""
        cuts = {}
        for name, site in document["sites"].items():
            found = [cut for cut in self.cuts[document["round"], name] if cut.life == site["life"]]
            require(len(found) == 1, f"{name}: recorded in life {site['life']}, seen {self.cuts[document['round'], name]}")
            cuts[name] = found[0]
        for name, cut in cuts.items():
            for other, theirs in cuts.items():
                require(
                    cut.knows[other] <= theirs.events,
                    f"round {document['round']}: {name} knows {cut.knows[other]} events of {other}, cut at {theirs.events}",
                )
        if document["complete"]:
            self._judge_channels(document, cuts)

    def _judge_channels(self, document: dict[str, Any], cuts: dict[str, _Cut]) -> None:
        recorded = {message["id"] for channel in document["channels"] for message in channel["messages"]}
        for identity, letter in self.letters.items():
            if letter.sender not in cuts or letter.receiver not in cuts or letter.epoch != document["epoch"]:
                continue
            sender, receiver = cuts[letter.sender], cuts[letter.receiver]
            # What was sent before the recording before this one is settled: no round waits for the receiver's copy of it.
            settled = self._recorded_before(document["round"], letter.sender, sender.life)
            may_lack = letter.sent_at <= settled and letter.receiver != document["collector"]
            was_sent = letter.life == sender.life and letter.sent_at <= sender.events
            was_received = letter.received_at is not None and letter.received_at <= receiver.events
            came_since = letter.received_at is not None and not was_received
            if identity in recorded:
                require(was_sent and not was_received, f"{identity} is in the channel's record, but was not in the channel")
            elif was_sent and came_since and letter.receiver_life == receiver.life and not may_lack:
                require(False, f"{identity} was in the channel, and is not in its record")

    def _recorded_before(self, round: int, name: str, life: int) -> int:
        """How many events site `name` had seen when it recorded the last time before `round`, in the same life."""
        earlier = [cuts for (number, site), cuts in self.cuts.items() if site == name and number < round]
        return max((cut.events for cuts in earlier for cut in cuts if cut.life == life), default=0)
