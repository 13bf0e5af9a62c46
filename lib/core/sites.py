"""The two kinds of sites: what only the guichet's does, and what only a client's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from lib.core import audit, restore
from lib.core import commands as ask
from lib.core import messages as say
from lib.core.buying import Client
from lib.core.commands import CommandRefused
from lib.core.facts import BegunAnew, Effect, FileWanted, PeerMet, Reaction, RestoreMoved, RestoreOwed, Say
from lib.core.messages import Message
from lib.core.presence import ClientPresence, GuichetPresence
from lib.core.recording import Unreadable
from lib.core.restore import Giver, Taker
from lib.core.selling import Guichet
from lib.core.site import ASIDE, Site, Timed
from lib.core.snapshot import CLOSED, Collector, Recorder
from lib.core.wire import Malformed

DISMISSED, OUTLIVED = "dismissed", "outlived"  # why a client begins anew
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
        peer, arrival = self.peers[message.sender], _arrival(message)
        is_newer = 0 < peer.life < message.life
        if is_newer and not arrival:
            return "not yet arrived"
        if peer.dismissed and not (is_newer and arrival and not arrival.remembers):  # it does not know that it is
            return DISMISSED
        return super()._objection(message)

    def _answer_to_dropped(self, message: Message, objection: str, now: float) -> Iterator[Effect]:
        is_earlier = message.life < self.peers[message.sender].life
        if is_earlier and _arrival(message):
            yield self.presence.welcome(message.sender)  # it names the life that we know of
        elif objection == DISMISSED and not is_earlier:
            self.peers.meet(message.sender, message.life, now)  # it is this life that is over
            yield Say(message.sender, say.Presence(self.role.role, say.DISMISSAL))

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
            yield RestoreMoved(self.epoch, restore.STARTED, message.id)
        is_behind = message.epoch < self.epoch
        if body.phase == say.ALIVE and is_behind:  # it was welcome before the epoch began, and is not in it yet
            yield from self.giver.arrived(message.sender, self.epoch, is_behind)
        if body.phase == say.ARRIVAL:
            self.snapshots.join(message.sender)
            yield from self.giver.arrived(message.sender, self.epoch, is_behind and body.remembers)
            # Who is owed a state will remember what is in it, whatever it has forgotten.
            body = body._replace(remembers=body.remembers or self.giver.owes(message.sender))
        if self._claims_too_much(message, body):
            yield Say(message.sender, say.Presence(self.role.role, say.DISMISSAL))
        yield from super()._meet(message, body, earlier_life, now)
        if body.phase == say.DEPARTURE:
            yield from self.snapshots.part(message.sender, now)

    def _claims_too_much(self, message: Message, body: say.Presence) -> bool:
        """Whether a client has said twice in a row that it has more tickets than were sold to it: somebody told it so in our
        name, or gave one back in its own. (Once, and a `retour` may have overtaken it.) It begins anew, and is told them."""
        if body.phase != say.ALIVE or message.epoch != self.epoch:
            return False
        peer = self.peers[message.sender]
        peer.claims = peer.claims + 1 if body.sold > self.role.sold_to(message.sender) else 0
        return peer.claims > 1

    # ---------------------------------------------------------------------------------------- a client that left for good

    def _dismiss(self, client: str, now: float) -> Iterator[Effect]:
        """Free what the client has, and wait for it no more. Should it come back, it begins anew (`_answer_to_dropped`)."""
        peer = self.peers.get(client)
        if peer is None or peer.role != Client.role:
            raise CommandRefused("unknown_client", client)
        met = PeerMet(client, peer.role, peer.life, present=False, dismissed=True)
        self._register(met)  # before a snapshot is closed that waited for it
        yield met
        yield from self.role.take_back_all(client)
        yield from self.giver.forgive(client)
        yield from self.snapshots.part(client, now)
        yield Say(client, say.Presence(self.role.role, say.DISMISSAL))

    # ------------------------------------------------------------------------------------------- loading a snapshot back

    def _obey(self, command: ask.Command, now: float) -> Iterator[Effect]:
        if isinstance(command, ask.Restore):
            return self._restore(command, now)
        if isinstance(command, ask.Dismiss):
            return self._dismiss(command.client, now)
        return super()._obey(command, now)

    def _restore(self, command: ask.Restore, now: float) -> Iterator[Effect]:
        document = command.document
        restore.check(document, self.name, self._clients())
        yield from self.snapshots.abandon(now)
        self._enter_epoch(self.epoch + 1)
        yield from self.role.restore(document["sites"][self.name], audit.forgotten(document), now)
        for client in audit.reborn(document):
            yield from self.role.forget_open(client)
        yield from self.giver.begin(document, self._clients(), self.epoch, now)
        for client in self.giver.waiting:
            if client not in document["sites"]:  # it begins with nothing, and may have forgotten which numbers it has used
                yield from self.role.forget_open(client)
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
            {
                "name": peer.name,
                "life": peer.life,
                "present": peer.present,
                "dismissed": peer.dismissed,
                "silent_for": round(now - peer.last_heard, 3) if peer.last_heard else None,
                "sold": self.role.sold_to(peer.name),
            }
            for peer in self.peers.all()
            if peer.role == Client.role
        ]
        return super().state(now) | {"clients": clients, "restoring": list(self.giver.waiting)}


def _arrival(message: Message) -> say.Presence | None:
    """What the message says, if it is that its emitter arrives."""
    body = message.body
    return body if isinstance(body, say.Presence) and body.phase == say.ARRIVAL else None


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
        self._may_be_owed = False  # we did not enter our epoch by a state: one of it may be under way to us
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

    def _hears_of_later_life(self, message: Message) -> bool:
        # Our machine's clock was set back, and we have no store: the guichet knows a life of our name that is later.
        is_welcome = isinstance(message.body, say.Presence) and message.body.phase == say.WELCOME
        return is_welcome and message.receiver_life > self.life and not self.presence.is_welcome

    def _meet(self, message: Message, body: say.Presence, earlier_life: int, now: float) -> Iterator[Effect]:
        if message.sender == self.role.office:
            if message.receiver_life > self.life:
                # Two processes that find themselves there one after the other must not take the same life.
                yield from self._begin_anew(OUTLIVED, message.receiver_life + self.life % 1000, now)
                return
            if body.phase == say.DISMISSAL and message.receiver_life == self.life:
                yield from self._begin_anew(DISMISSED, self.life, now)
                return
        if message.sender == self.role.office and body.phase == say.WELCOME:
            if self._is_new and message.epoch > self.epoch:
                self._enter_epoch(message.epoch)
                self._may_be_owed = True
            self._is_new = False
        yield from super()._meet(message, body, earlier_life, now)

    def _begin_anew(self, reason: str, life: int, now: float) -> Iterator[Effect]:
        """Live on in a later life than `life`, as a newcomer without memory does: all that was said in the earlier ones, to
        us or by us, is void. The clock and the request numbers go on."""
        yield BegunAnew(reason, tuple(self.role.tickets), tuple(self.role.open_requests()))
        yield from self.snapshots.close(CLOSED)
        yield from self.role.forget()
        self.life, self._sequence = life + 1, 0
        self.peers.start_ranks_anew()
        self.snapshots.round = 0
        self.presence = ClientPresence(self.role, remembers=False)
        self.taker, self._asides = Taker(self.role.office, self.role.patience), []
        self._is_new, self._may_be_owed = True, True
        yield from self._begin(now)

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
        if epoch > self.epoch:
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
