"""A site behind one door: what it is told comes in, what it has to say and what happened comes out.

    start(now), hear(lines, now), command(command, now), tick(now), leave(now)  ->  Reaction(lines, events)

The site numbers, stamps and colours what its role wants said, and sees to it that the role is told only what it may hear.
It does no IO: whoever drives it makes the events durable first, then writes the lines, in order.

`Site` is what all sites do; `sites.py` has what only the guichet or only a client does.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Protocol

from lib.core import belief, relay, wire
from lib.core import commands as ask
from lib.core import messages as say
from lib.core.buying import Client
from lib.core.clock import LamportClock
from lib.core.facts import (
    Dropped,
    Effect,
    Event,
    Fact,
    PeerMet,
    Reaction,
    Received,
    Redelivered,
    Relayed,
    Say,
    Sent,
    Started,
    StateTold,
    Stopped,
)
from lib.core.messages import EVERYONE, Message
from lib.core.peers import Peers
from lib.core.presence import ClientPresence, GuichetPresence
from lib.core.selling import Guichet
from lib.core.snapshot import Recorder
from lib.core.wire import Header, Malformed

# Lines that are said at once in answer to what was read at once: one forged line asks for a thousand (`wire.MAX_LIST`).
MAX_SAID = 20_000
UNKNOWN_TYPE, STAMP, ROUND = "unknown type", "timestamp beyond belief", "round or epoch beyond belief"
EARLIER_LIFE, LATER_LIFE = "earlier life of its emitter", "for a later life"
CHOKED = "too much to say"
# Objections that people should hear of.
REMARKABLE = (UNKNOWN_TYPE, STAMP, ROUND, LATER_LIFE, CHOKED, relay.LIFE, relay.CROWD, relay.IN_OUR_NAME)
ASIDE = "kept aside"  # not an objection: the message is received later


class Timed(Protocol):
    """A part of a site that wants to know the time."""

    @property
    def deadline(self) -> float | None:
        """When `tick` wants to be called next (Unix seconds); None while nothing is waited for."""

    def tick(self, now: float) -> Iterator[Effect]:
        """This is the time."""


class Site(ABC):
    """One site of the system, in one life.

    `life` is greater than those before; `clock` and `epoch` are where the last life ended; `peers` are those that it knew.
    `watched` asks for an event for every line sent, received and passed on: for a trace or a window. `transit` lets lines
    of other applications pass. Who drives the site sets `is_choked` while what it said is not taken: it passes messages on,
    and hears none, for it could not answer; they will be said again.
    """

    role: Guichet | Client
    presence: GuichetPresence | ClientPresence
    snapshots: Recorder

    def __init__(
        self,
        name: str,
        life: int,
        *,
        header: Header | None = None,
        clock: int = 0,
        epoch: int = 0,
        peers: Iterable[PeerMet] = (),
        watched: bool = False,
        transit: bool = False,
    ) -> None:
        self.name = name
        self.life = life
        self.epoch = epoch
        self.watched = watched
        self.is_choked = False
        self.clock = LamportClock(clock)
        self.peers = Peers(peers)
        self.counts: Counter[str] = Counter()
        self._header = (header or Header()).text()
        self.relay = relay.Relay(self.name, self._header, transit)
        self._sequence = 0
        self._outlived_by = 0  # a life of our name that others believe in, and that is not ours

    @property
    def latest_life(self) -> int:
        """The life after which the next one comes: ours, or one that another has claimed in our name."""
        return max(self.life, self._outlived_by)

    @property
    @abstractmethod
    def office(self) -> str:
        """The name of the guichet."""

    @property
    def round(self) -> int:
        """The snapshot round that the site has entered last: its colour."""
        return self.snapshots.round

    # ----------------------------------------------------------------------------------------------------------- the door

    def start(self, now: float) -> Reaction:
        """The site begins to live."""
        return self._act(self._begin(now), now)

    def _begin(self, now: float) -> Iterator[Effect]:
        yield Started(self.role.role, self.life)
        yield from self.presence.start(now)

    def hear(self, lines: Iterable[bytes], now: float) -> Reaction:
        """Neighbours said these lines (without their newlines), in this order."""
        reaction = Reaction()
        self.relay.is_clogged = self.is_choked
        examine, passed_on = self.relay.examine, 0
        for line in lines:
            if not line:  # AIRPLUG's scripts wake lazy programs with an empty line
                continue
            try:
                verdict = examine(line, now)
            except Malformed as malformed:
                self._drop(reaction, Dropped(malformed.reason, line), now)
                continue
            if verdict.onward is not None:
                reaction.lines.append(verdict.onward)
                passed_on += 1
                if self.watched:
                    self._note(reaction, Relayed(line), now)
            if verdict.deliver and (self.is_choked or len(reaction.lines) > MAX_SAID):
                self._drop(reaction, Dropped(CHOKED, line), now)
            elif verdict.deliver:
                self._deliver(reaction, line, now)
            elif verdict.reason:
                self._drop(reaction, Dropped(verdict.reason, line, is_routine=verdict.reason not in REMARKABLE), now)
        self.counts["relayed"] += passed_on
        if self.snapshots.is_open:
            self._carry_out(reaction, self.snapshots.conclude(now), now)
        return reaction

    def reject(self, reason: str, line: bytes, now: float) -> Reaction:
        """A line that could not even be read whole; `line` is its beginning."""
        reaction = Reaction()
        self._drop(reaction, Dropped(reason, line), now)
        return reaction

    def command(self, command: ask.Command, now: float) -> Reaction:
        """The user asked for this. Raises `CommandRefused` with the reason; then nothing has changed."""
        return self._act(list(self._obey(command, now)), now)

    def _obey(self, command: ask.Command, now: float) -> Iterator[Effect]:
        if isinstance(command, ask.TellState):
            yield StateTold(self.state(now))
        elif isinstance(command, ask.TakeSnapshot):
            yield from self.snapshots.start(now)
        else:
            yield from self.role.command(command, now)

    def tick(self, now: float) -> Reaction:
        """This is the time."""
        effects = [effect for part in self._timed() for effect in part.tick(now)]
        return self._act(effects, now) if effects else Reaction()

    @property
    def deadline(self) -> float:
        """When `tick` wants to be called next, at the latest (Unix seconds)."""
        return min(deadline for part in self._timed() if (deadline := part.deadline) is not None)

    def _timed(self) -> tuple[Timed, ...]:
        """The parts that want to know the time."""
        return self.role, self.presence, self.snapshots

    def leave(self, now: float) -> Reaction:
        """The site ends in good order, and says so to the others."""
        return self._act([*self.presence.leave(), Stopped()], now)

    # -------------------------------------------------------------------------------------------------- what is received

    def _deliver(self, reaction: Reaction, line: bytes, now: float) -> None:
        try:
            message = wire.decode(line)
        except Malformed as malformed:
            self._drop(reaction, Dropped(malformed.reason, line), now)
            return
        objection = self._disbelief(message, now) or self._objection(message)
        if not objection:
            self._receive(reaction, message, now, line)
        elif objection != ASIDE:
            if objection == LATER_LIFE:
                self._outlived_by = max(self._outlived_by, message.receiver_life)
            self._drop(reaction, Dropped(objection, line, is_routine=objection not in REMARKABLE), now)
            self._carry_out(reaction, self._answer_to_dropped(message, objection, now), now)

    def _disbelief(self, message: Message, now: float) -> str:
        """Why nobody of ours can have said this; empty when somebody can."""
        if self.peers.are_too_many_with(message.sender):
            return relay.CROWD
        if not belief.is_stamp(message.timestamp, now):
            return STAMP
        if not (belief.is_round(message.round, now) and belief.is_round(message.epoch, now)):
            return ROUND
        return "" if belief.is_life(message.receiver_life, now) else relay.LIFE

    def _objection(self, message: Message) -> str:
        """Why the message is not for us, although it reached us; empty when it is."""
        if message.life < self.peers[message.sender].life:
            return EARLIER_LIFE
        if message.receiver_life not in (0, self.life) and not self._hears_of_later_life(message):
            return LATER_LIFE if message.receiver_life > self.life else "for an earlier life"
        if isinstance(message.body, say.Unknown):
            return UNKNOWN_TYPE
        if isinstance(message.body, say.Presence):  # heard whatever its epoch
            return ""
        if message.epoch < self.epoch:
            return "earlier epoch"
        if message.epoch > self.epoch:
            return self._objection_to_later_epoch(message)
        return self._objection_of_role(message)

    def _hears_of_later_life(self, message: Message) -> bool:
        """Whether a message that is for another life of ours is to be heard all the same."""
        return False

    def _answer_to_dropped(self, message: Message, objection: str, now: float) -> Iterator[Effect]:
        """What is said to the emitter of a message that is not for us."""
        return iter(())

    @abstractmethod
    def _objection_to_later_epoch(self, message: Message) -> str:
        """Why a message of an epoch that we have not entered is not for us, or `ASIDE`."""

    @abstractmethod
    def _objection_of_role(self, message: Message) -> str:
        """Why a site of our role does not hear this from that site."""

    def _receive(self, reaction: Reaction, message: Message, now: float, line: bytes = b"") -> None:
        self._heed_colour(reaction, message, now)
        earlier_life = self.peers[message.sender].life
        is_new_life = self.peers.meet(message.sender, message.life, now)
        self.clock.receive(message.timestamp)
        self.counts["received"] += 1
        if self.watched:
            self._note(reaction, Received(message, line), now)
        if is_new_life:
            self._carry_out(reaction, [self._met(message)], now)
        if message.rank and message.receiver_life:
            self.peers[message.sender].received.add(message.rank)
            if message.round < self.round:
                self._carry_out(reaction, self.snapshots.crossed(message, now), now)
        self._handle(reaction, message, earlier_life, now)

    def _heed_colour(self, reaction: Reaction, message: Message, now: float) -> None:
        """A message of a newer round: record before it touches anything, the clock and what we know of peers included."""
        if message.round <= self.round or message.epoch != self.epoch or isinstance(message.body, say.RESTORATION):
            return
        body = message.body
        is_over = isinstance(body, say.Presence) and (
            body.phase == say.ARRIVAL or (body.phase == say.WELCOME and not body.is_red)
        )
        if is_over and not self.snapshots.is_open:
            self.snapshots.round = message.round  # one of us comes from elsewhere, and that round is over
        else:
            self._carry_out(reaction, self.snapshots.enter(message.round, now), now)

    def _handle(self, reaction: Reaction, message: Message, earlier_life: int, now: float) -> None:
        """Hand the message to the part of the site that it is for."""
        body = message.body
        if isinstance(body, say.Presence):
            effects = self._meet(message, body, earlier_life, now)
        elif isinstance(body, say.SNAPSHOT):
            effects = self.snapshots.receive(message, now)
        elif isinstance(body, say.RESTORATION):
            effects = self._restoration(message, now)
        else:
            effects = self.role.receive(message.sender, body, now)
        self._carry_out(reaction, effects, now)

    def _meet(self, message: Message, body: say.Presence, earlier_life: int, now: float) -> Iterator[Effect]:
        """Somebody arrives, lives, or leaves."""
        yield from self.presence.receive(message.sender, message.life, earlier_life, body, now)

    @abstractmethod
    def _restoration(self, message: Message, now: float) -> Iterator[Effect]:
        """A sentence about loading a snapshot back."""

    def _redeliver(self, messages: Iterable[Redelivered], now: float) -> Iterator[Effect]:
        """Hear once more what a snapshot found in the channels to us."""
        for message in messages:
            yield message
            yield from self.role.receive(message.sender, message.body, now)

    # ------------------------------------------------------------------------------------------------ what comes of it

    def _act(self, effects: Iterable[Effect], now: float) -> Reaction:
        """A local event takes place."""
        reaction = Reaction()
        self.clock.tick()
        self._carry_out(reaction, effects, now)
        return reaction

    def _carry_out(self, reaction: Reaction, effects: Iterable[Effect], now: float) -> None:
        for effect in effects:
            if isinstance(effect, Say):
                self._send(reaction, effect, now)
            else:
                if isinstance(effect, PeerMet):
                    self._register(effect)
                self._note(reaction, effect, now)

    def _send(self, reaction: Reaction, wanted: Say, now: float) -> None:
        peer = self.peers[wanted.to] if wanted.to != EVERYONE else None
        rank = 0
        if peer is not None and isinstance(wanted.body, say.APPLICATION):
            rank = peer.sent = peer.sent + 1
        self._sequence += 1
        message = Message(
            sender=self.name,
            life=self.life,
            sequence=self._sequence,
            to=wanted.to,
            timestamp=self.clock.tick(),
            round=self.round,
            epoch=self.epoch,
            rank=rank,
            receiver_life=peer.life if peer is not None else 0,
            body=wanted.body,
        )
        self.relay.own = (self.life, self._sequence)
        line = wire.encode(message, self.name, self._header)
        reaction.lines.append(line)
        self.counts["sent"] += 1
        if self.watched:
            self._note(reaction, Sent(message, line), now)

    def _met(self, message: Message) -> PeerMet:
        """Who says this takes part; there is one guichet, and the others are clients."""
        role = Guichet.role if message.sender == self.office else Client.role
        return PeerMet(message.sender, role, message.life)

    def _register(self, met: PeerMet) -> None:
        peer = self.peers[met.name]
        peer.role, peer.present, peer.dismissed = met.role, met.present, met.dismissed

    def _note(self, reaction: Reaction, fact: Fact, now: float) -> None:
        reaction.events.append(Event(now, self.clock.time, fact))

    def _drop(self, reaction: Reaction, dropped: Dropped, now: float) -> None:
        self.counts["dropped"] += 1
        if self.watched or not dropped.is_routine:
            self._note(reaction, dropped, now)

    # ---------------------------------------------------------------------------------------------------- how it stands

    def capture(self, now: float) -> dict[str, Any]:
        """The state that a snapshot records (contract, section 5): the role's, the clock, and the ranks of every pair.

        `settled` are the ranks said before the recording before this one: no round waits for those any more. `lives` are
        the lives of the peers to which the ranks belong.
        """
        peers = [peer for peer in self.peers.all() if peer.life]
        state = {
            **self.role.record(now),
            "clock": self.clock.time,
            "life": self.life,
            "sent": {peer.name: peer.sent for peer in peers if peer.sent},
            "received": {peer.name: peer.received.as_list() for peer in peers if peer.received},
            "settled": {peer.name: peer.cut for peer in peers if peer.cut},
            "lives": {peer.name: peer.life for peer in peers},
        }
        for peer in peers:
            peer.cut = peer.sent
        return state

    def state(self, now: float) -> dict[str, Any]:
        """How the site stands, ready for JSON: the answer to `etat`."""
        lines = {"lines": dict(self.counts), "round": self.round, "red": self.snapshots.is_open, "epoch": self.epoch}
        return self.role.state(now) | lines | {"neighbours": sorted(self.relay.heard)}
