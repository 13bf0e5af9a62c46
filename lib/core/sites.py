"""The two kinds of sites: what only the guichet's does, and what only a client's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from lib.core import audit, restore
from lib.core import commands as ask
from lib.core import messages as say
from lib.core.buying import Client
from lib.core.facts import Effect, FileWanted, Reaction, RestoreMoved, RestoreOwed, Say
from lib.core.messages import Message
from lib.core.presence import ClientPresence, GuichetPresence
from lib.core.recording import Unreadable
from lib.core.restore import Giver, Taker
from lib.core.selling import Guichet
from lib.core.site import ASIDE, Site, Timed
from lib.core.snapshot import Collector, Recorder
from lib.core.wire import Malformed

SNAPSHOT_DELAY = 30.0  # seconds until the guichet closes a round that does not become whole

# What a client may say to the guichet, and the guichet to a client; presence goes both ways.
_TO_GUICHET = (
    say.Request,
    say.Acknowledgement,
    say.Return,
    say.SnapshotCall,
    say.SnapshotState,
    say.SnapshotTransit,
    say.RestoreRequest,
    say.RestoreDone,
)
_TO_CLIENT = (say.TicketNotice, say.Reset, say.RestoreState, say.RestoreRefused)

_NOT_FOR_US = "not for this role"


class GuichetSite(Site):
    """The guichet's site: it welcomes, gathers snapshots and loads them back.

    `round` is the last that it knew; `owed` what it still owes of an earlier restoration; `delay` its patience with a round.
    """

    role: Guichet
    presence: GuichetPresence
    snapshots: Collector

    def __init__(
        self,
        role: Guichet,
        life: int,
        *,
        round: int = 0,
        delay: float = SNAPSHOT_DELAY,
        owed: Iterable[RestoreOwed] = (),
        **more: Any,
    ) -> None:
        super().__init__(role.name, life, **more)
        self.role = role
        self.snapshots = Collector(role.name, round, self.capture, delay, self._clients, self._left, lambda: self.epoch)
        self.presence = GuichetPresence(role, lambda: self.snapshots.is_open)
        self.giver = Giver(owed)

    @property
    def office(self) -> str:
        return self.name

    def _clients(self) -> list[str]:
        return self.peers.present(Client.role)

    def _left(self) -> list[str]:
        return [peer.name for peer in self.peers.all() if not peer.present]

    def _timed(self) -> tuple[Timed, ...]:
        return *super()._timed(), _Debts(self)

    # ----------------------------------------------------------------------------------------------------- who is heard

    def _objection(self, message: Message) -> str:
        # Only its arrival says whether a client that comes back remembers its requests: until then they can't be told from
        # those of its earlier life. It will say them again.
        is_arrival = isinstance(message.body, say.Presence) and message.body.phase == say.ARRIVAL
        if 0 < self.peers[message.sender].life < message.life and not is_arrival:
            return "not yet arrived"
        return super()._objection(message)

    def _objection_to_later_epoch(self, message: Message) -> str:
        return "later epoch"

    def _objection_of_role(self, message: Message) -> str:
        if not isinstance(message.body, _TO_GUICHET):
            return _NOT_FOR_US
        if isinstance(message.body, say.APPLICATION) and message.body.requester != message.sender:
            return _NOT_FOR_US
        return ""

    def _meet(self, message: Message, body: say.Presence, earlier_life: int, now: float) -> Iterator[Effect]:
        if message.epoch > self.epoch:  # we have no store, and the others are further than we can know
            self._enter_epoch(message.epoch)
        if body.phase == say.ARRIVAL:
            self.snapshots.join(message.sender)
            is_behind = body.remembers and message.epoch < self.epoch
            yield from self.giver.arrived(message.sender, self.epoch, is_behind)
            # Who is owed a state will remember what is in it, whatever it has forgotten.
            body = body._replace(remembers=body.remembers or self.giver.owes(message.sender))
        yield from super()._meet(message, body, earlier_life, now)
        if body.phase == say.DEPARTURE:
            yield from self.snapshots.part(message.sender, now)

    # ------------------------------------------------------------------------------------------- loading a snapshot back

    def _obey(self, command: ask.Command, now: float) -> Iterator[Effect]:
        if isinstance(command, ask.Restore):
            return self._restore(command, now)
        return super()._obey(command, now)

    def _restore(self, command: ask.Restore, now: float) -> Iterator[Effect]:
        document = command.document
        restore.check(document, self.name, self._clients())
        yield from self.snapshots.abandon(now)
        self._enter_epoch(self.epoch + 1)
        yield from self.role.restore(document["sites"][self.name], audit.forgotten(document), now)
        yield from self.giver.begin(document, self._clients(), self.epoch, now)
        yield RestoreMoved(self.epoch, restore.RESTORED)
        yield from self._redeliver(restore.messages_to(document, self.name), now)

    def _enter_epoch(self, epoch: int) -> None:
        self.epoch = epoch
        self.peers.start_ranks_anew()

    def _restoration(self, message: Message, now: float) -> Iterator[Effect]:
        body = message.body
        if isinstance(body, say.RestoreDone):
            yield from self.giver.taken(message.sender, message.epoch)
        elif isinstance(body, say.RestoreRequest):
            if self.giver.is_new(message.sender, message.life, body.request):
                yield FileWanted(message.sender, body.request, body.file)
            else:
                yield from self.giver.answer_again(message.sender)

    def refuse_restore(self, client: str, request: int, reason: str, now: float) -> Reaction:
        """Tell the client that asked why its file is not loaded, in words."""
        return self._act(
            [RestoreMoved(self.epoch, restore.REFUSED, reason), *self.giver.refuse(client, request, reason)], now
        )

    def state(self, now: float) -> dict[str, Any]:
        clients = [
            {"name": peer.name, "life": peer.life, "present": peer.present, "sold": self.role.sold_to(peer.name)}
            for peer in self.peers.all()
            if peer.role == Client.role
        ]
        return super().state(now) | {"clients": clients, "restoring": list(self.giver.waiting)}


class _Debts:
    """What the guichet owes, as a part that wants to know the time."""

    def __init__(self, site: GuichetSite) -> None:
        self._site = site

    @property
    def deadline(self) -> float | None:
        return self._site.giver.deadline

    def tick(self, now: float) -> Iterator[Effect]:
        return self._site.giver.tick(now, self._site.epoch)


class ClientSite(Site):
    """A client's site: it takes its state up when a snapshot is loaded back.

    `remembers` says whether it knows what it did in its earlier lives.
    """

    role: Client
    presence: ClientPresence

    def __init__(
        self,
        role: Client,
        life: int,
        *,
        round: int = 0,
        delay: float = SNAPSHOT_DELAY,
        remembers: bool = False,
        **more: Any,
    ) -> None:
        super().__init__(role.name, life, **more)
        self.role = role
        self.presence = ClientPresence(role, remembers)
        self.snapshots = Recorder(role.name, role.office, round, self.capture, delay)
        self.taker = Taker(role.office, role.patience)
        self._asides: list[Message] = []
        self._may_be_owed = False  # we entered our epoch by a welcome: a state of it may be under way to us
        self._is_new = not remembers  # until the first welcome: there is nothing of an older epoch that it could know

    @property
    def office(self) -> str:
        return self.role.office

    def _timed(self) -> tuple[Timed, ...]:
        return *super()._timed(), _Asked(self)

    # ----------------------------------------------------------------------------------------------------- who is heard

    def _objection_to_later_epoch(self, message: Message) -> str:
        refusal = self._objection_of_role(message)
        if refusal or isinstance(message.body, say.RestoreState):
            return refusal
        return ASIDE if self.taker.keep_aside(message) else "too many of a later epoch"

    def _objection_of_role(self, message: Message) -> str:
        body = message.body
        if isinstance(body, say.SnapshotCall):  # anybody's
            return ""
        if message.sender != self.role.office or not isinstance(body, _TO_CLIENT):
            return _NOT_FOR_US
        return _NOT_FOR_US if isinstance(body, say.TicketNotice) and body.requester != self.name else ""

    def _meet(self, message: Message, body: say.Presence, earlier_life: int, now: float) -> Iterator[Effect]:
        if message.sender == self.role.office and body.phase == say.WELCOME:
            if self._is_new and message.epoch > self.epoch:
                self._enter_epoch(message.epoch)
                self._may_be_owed = True
            self._is_new = False
        yield from super()._meet(message, body, earlier_life, now)

    # --------------------------------------------------------------------------------------------- being loaded back

    def _obey(self, command: ask.Command, now: float) -> Iterator[Effect]:
        if isinstance(command, ask.AskRestore):
            return self.taker.ask(self.role.take_number(), command.file, self.epoch, now)
        return super()._obey(command, now)

    def _restoration(self, message: Message, now: float) -> Iterator[Effect]:
        body = message.body
        if isinstance(body, say.RestoreRefused):
            yield from self.taker.refused(body, self.epoch)
        elif isinstance(body, say.RestoreState) and message.epoch == self.epoch and not self._may_be_owed:
            if body.part == 1:  # our answer was lost
                yield Say(self.role.office, say.RestoreDone())
        elif isinstance(body, say.RestoreState):
            content = self.taker.gather(message.epoch, body)
            if content is not None:
                yield from self._take_up(message.epoch, content, now)

    def _take_up(self, epoch: int, content: dict[str, Any], now: float) -> Iterator[Effect]:
        """Be as recorded, whole or not at all; then hear what was in the channels, once."""
        try:
            channel = restore.channel_of(content, self.role.office)
            restored = list(self.role.restore(content["state"], now))
        except (Unreadable, Malformed, KeyError):
            return  # no guichet of ours sends such a state, and who does gets no answer
        yield from self.snapshots.close(restore.RESTORED)
        self._may_be_owed = False
        self._enter_epoch(epoch)
        yield from restored
        yield RestoreMoved(epoch, restore.RESTORED)
        yield Say(self.role.office, say.RestoreDone())
        yield from self._redeliver(channel, now)

    def _enter_epoch(self, epoch: int) -> None:
        self.epoch = epoch
        self.peers.start_ranks_anew()
        self._asides = self.taker.arrived_in(epoch)

    def _handle(self, reaction: Reaction, message: Message, earlier_life: int, now: float) -> None:
        super()._handle(reaction, message, earlier_life, now)
        while self._asides:  # an epoch was entered: what came too early for it is received now
            self._receive(reaction, self._asides.pop(0), now)


class _Asked:
    """The file that a client asked for, as a part that wants to know the time."""

    def __init__(self, site: ClientSite) -> None:
        self._site = site

    @property
    def deadline(self) -> float | None:
        return self._site.taker.deadline

    def tick(self, now: float) -> Iterator[Effect]:
        return self._site.taker.tick(now, self._site.epoch)
