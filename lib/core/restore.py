"""Bringing the system back to a snapshot: a new epoch in which every site is as recorded (contract, section 6).

    The guichet begins epoch e+1 and owes every client its recorded state, until it says that it has it.
    A client takes its state up whole or not at all; what belongs to an older epoch is dropped by everyone; what comes of the
    new epoch before the state is kept aside. The recorded messages of the channels are then delivered again, once, in order.
    Clocks, lives, sequence numbers, rounds and identifiers go on: nothing is used twice.

`Giver` is the guichet's part, `Taker` a client's.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from lib.core import audit, wire
from lib.core.audit import Document
from lib.core.buying import Client
from lib.core.commands import CommandRefused
from lib.core.facts import Effect, Redelivered, RestoreMoved, RestoreOwed, Say
from lib.core.messages import Body, Message, RestoreRefused, RestoreRequest, RestoreState
from lib.core.recording import State, Unreadable, parse
from lib.core.selling import Guichet
from lib.core.snapshot import describe
from lib.core.wire import Malformed

ASKED, STARTED, RESTORED, COMPLETE, REFUSED = "asked", "started", "restored", "complete", "refused"

FIRST_PAUSE = 1.0  # seconds until what is owed is said again; doubled each time, up to:
LONGEST_PAUSE = 30.0
MAX_ASIDE = 10_000  # messages of an epoch to come: what is beyond is lost, and will be said again

_NOTHING: State = {"role": Client.role, "tickets": [], "requests": [], "given_back": []}


def check(document: Document, office: str, present: Iterable[str]) -> None:
    """Whether the guichet `office` may load the document while those sites are present. Raises `CommandRefused`."""
    findings = audit.examine(document)
    if findings:
        raise CommandRefused(f"snapshot_{findings[0].kind}", describe(findings[0]))
    if not document.get("complete"):
        raise CommandRefused("snapshot_incomplete", str(document["round"]))
    if document["collector"] != office:
        raise CommandRefused("snapshot_of_another", document["collector"])
    absent = sorted(set(document["sites"]) - {office, *present})
    if absent:
        raise CommandRefused("snapshot_absent", ", ".join(absent))
    try:
        for name, site in document["sites"].items():
            if name == office:
                list(Guichet(name).restore(site, (), 0.0))
            else:
                list(Client(name).restore(site, 0.0))
        list(messages_to(document, None))
    except (Unreadable, Malformed) as error:
        raise CommandRefused("snapshot_shape", str(error)) from error


def messages_to(document: Document, receiver: str | None) -> Iterator[Redelivered]:
    """The recorded messages to one site (None: to all), in the order of their Lamport stamps. Raises `Malformed`."""
    crossing = [
        (message["timestamp"], channel["from"], message)
        for channel in document["channels"]
        if receiver in (None, channel["to"])
        for message in channel["messages"]
    ]
    for _, sender, message in sorted(crossing, key=lambda crossed: crossed[:2]):
        yield Redelivered(message["id"], sender, wire.body_of(message["type"], message["fields"]))


class Giver:
    """The guichet's debts: what each client has still to take up."""

    def __init__(self, owed: Iterable[RestoreOwed] = ()) -> None:
        self._owed = {debt.client: debt for debt in owed}
        self._pause = FIRST_PAUSE
        self._next = 0.0
        self._heard: dict[str, tuple[int, int]] = {}  # client -> the life and number of its latest request
        self._refusals: dict[str, Body] = {}  # client -> our answer to that, if it was a refusal

    def begin(self, document: Document, clients: Iterable[str], epoch: int, now: float) -> Iterator[Effect]:
        """Owe these clients what the document says of them: nothing, if it does not know them."""
        yield RestoreMoved(epoch, STARTED)
        tickets = document["sites"][document["collector"]]["tickets"]
        holds = {ticket["id"]: ticket["expires_in"] for ticket in tickets if ticket["state"] == "held"}
        for name in sorted({*clients, *self._owed}):
            found = [channel["messages"] for channel in document["channels"] if channel["to"] == name]
            channel = [_timely(message, holds) for messages in found for message in messages]
            content = {"state": document["sites"].get(name, _NOTHING), "channel": channel}
            self._owed[name] = RestoreOwed(name, epoch, json.dumps(content, ensure_ascii=False, separators=(",", ":")))
            yield self._owed[name]
        self._pause, self._next = FIRST_PAUSE, now + FIRST_PAUSE
        for name in self._owed:
            yield from self._say(name)
        if not self._owed:
            yield RestoreMoved(epoch, COMPLETE)

    def _say(self, name: str) -> Iterator[Effect]:
        parts = wire.in_parts(self._owed[name].text)
        for number, part in enumerate(parts, 1):
            yield Say(name, RestoreState(number, len(parts), part))

    def owes(self, name: str) -> bool:
        """Whether this client has still to take up a state."""
        return name in self._owed

    def arrived(self, name: str, epoch: int, is_behind: bool) -> Iterator[Effect]:
        """A client comes (back). If it remembers an epoch that is over, it takes up what it is owed, or begins empty."""
        if name not in self._owed and is_behind:
            text = json.dumps({"state": _NOTHING, "channel": []})
            self._owed[name] = RestoreOwed(name, epoch, text)
            yield self._owed[name]
        if name in self._owed:
            yield from self._say(name)

    def taken(self, name: str, epoch: int) -> Iterator[Effect]:
        """A client says that it is in this epoch."""
        if name in self._owed and self._owed[name].epoch == epoch:
            del self._owed[name]
            yield RestoreOwed(name, epoch, "")
            if not self._owed:
                yield RestoreMoved(epoch, COMPLETE)

    def forgive(self, name: str) -> Iterator[Effect]:
        """Nothing is owed to this client any more."""
        if name in self._owed:
            yield from self.taken(name, self._owed[name].epoch)

    @property
    def waiting(self) -> tuple[str, ...]:
        """Who has not said yes."""
        return tuple(sorted(self._owed))

    @property
    def deadline(self) -> float | None:
        """When `tick` wants to be called next."""
        return self._next if self._owed else None

    def tick(self, now: float, epoch: int) -> Iterator[Effect]:
        """Say again what is owed, and who has not said yes."""
        if self._owed and now >= self._next:
            self._pause = min(2 * self._pause, LONGEST_PAUSE)
            self._next = now + self._pause
            yield RestoreMoved(epoch, STARTED, waiting=self.waiting)
            for name in self._owed:
                yield from self._say(name)

    # ----------------------------------------------------------------------------------------- a client asks for a file

    def is_new(self, client: str, life: int, request: int) -> bool:
        """Whether this request of a client's was not heard before; it is noted."""
        if self._heard.get(client, (0, 0)) >= (life, request):
            return False
        self._heard[client] = (life, request)
        self._refusals.pop(client, None)
        return True

    def refuse(self, client: str, request: int, reason: str) -> Iterator[Effect]:
        """Tell a client why its file is not loaded."""
        body = RestoreRefused(request, reason)
        self._refusals[client] = body
        yield Say(client, body)

    def answer_again(self, client: str) -> Iterator[Effect]:
        """A request is repeated: so is the refusal; a file that was loaded has answered by its epoch."""
        if client in self._refusals:
            yield Say(client, self._refusals[client])


def _timely(message: Document, holds: dict[str, float]) -> Document:
    """A recorded offer says how long its hold has left now, not what it had when it was sent."""
    fields = message["fields"]
    if fields.get("statut") != "offre" or fields.get("billet") not in holds:
        return message
    return message | {"fields": fields | {"delai": f"{holds[fields['billet']]:.3f}"}}


class Taker:
    """A client's part: it asks for a file, gathers the parts of its state, and keeps aside what comes too early."""

    def __init__(self, office: str, patience: float) -> None:
        self._office = office
        self._patience = patience
        self._asked: RestoreRequest | None = None
        self._pause = 0.0
        self._next = 0.0
        self._give_up = 0.0
        self._parts = wire.Parts()
        self._gathering = 0  # the epoch of the state that comes in these parts
        self._aside: list[Message] = []

    def ask(self, request: int, file: str, epoch: int, now: float) -> Iterator[Effect]:
        """The user wants this file loaded."""
        self._asked = RestoreRequest(request, file)
        self._pause, self._next, self._give_up = FIRST_PAUSE, now + FIRST_PAUSE, now + self._patience
        yield RestoreMoved(epoch, ASKED)
        yield Say(self._office, self._asked)

    def refused(self, body: RestoreRefused, epoch: int) -> Iterator[Effect]:
        """The guichet does not load it."""
        if self._asked is not None and self._asked.request == body.request:
            self._asked = None
            yield RestoreMoved(epoch, REFUSED, body.reason)

    @property
    def deadline(self) -> float | None:
        """When `tick` wants to be called next."""
        return None if self._asked is None else min(self._next, self._give_up)

    def tick(self, now: float, epoch: int) -> Iterator[Effect]:
        """Ask again; tell the user when it was in vain."""
        if self._asked is None:
            return
        if now >= self._give_up:
            self._asked = None
            yield RestoreMoved(epoch, REFUSED, "unreachable")
        elif now >= self._next:
            self._pause = min(2 * self._pause, LONGEST_PAUSE)
            self._next = now + self._pause
            yield Say(self._office, self._asked)

    def keep_aside(self, message: Message) -> bool:
        """Keep a message of an epoch to come; False when there are too many."""
        if len(self._aside) < MAX_ASIDE:
            self._aside.append(message)
            return True
        return False

    def gather(self, epoch: int, body: RestoreState) -> dict[str, Any] | None:
        """Take in a part; the whole, `{"state": ..., "channel": [...]}`, once it is there. One state at a time."""
        if epoch < self._gathering:
            return None
        self._gathering = epoch
        whole = self._parts.put(epoch, body.part, body.parts, body.text)
        if whole is None:
            return None
        self._gathering = 0
        try:
            content = parse(whole)
        except ValueError:
            return None
        return content if isinstance(content, dict) else None

    def arrived_in(self, epoch: int) -> list[Message]:
        """The client is in `epoch` now: what was kept aside for it, in order. The file that was asked for is loaded."""
        self._asked = None
        messages = [message for message in self._aside if message.epoch == epoch]
        self._aside = [message for message in self._aside if message.epoch > epoch]
        return messages


def channel_of(content: dict[str, Any], sender: str) -> list[Redelivered]:
    """The messages from `sender` that a client takes up with its state, in order. Raises `Malformed` or `Unreadable`."""
    try:
        return [
            Redelivered(message["id"], sender, wire.body_of(message["type"], message["fields"]))
            for message in content["channel"]
        ]
    except (KeyError, TypeError, AttributeError) as error:
        raise Unreadable(str(error)) from error
