"""The whole system in one process, one seed a run: the seed draws the world, its faults, and every choice.

    python3 -m tests.simulator --runs 2000 --seed 1     many runs; the seed of a failure is printed, and replays it

First safety: messages are lost, repeated, delayed and reordered, sites die and come back, clients leave for good, are
dismissed and come back after all; the invariants hold at every step. Then the links heal and time passes: everything must
converge. The sites are the program's own `Site`, unwrapped.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from random import Random
from typing import Any

from lib.core import audit, facts
from lib.core import commands as ask
from lib.core.buying import Client
from lib.core.commands import CommandRefused
from lib.core.facts import Event, Reaction
from lib.core.selling import Guichet
from lib.core.site import Site
from lib.core.sites import ClientSite, GuichetSite
from lib.core.tickets import Journey, Search, Ticket
from tests import invariants
from tests.invariants import Violation, require
from tests.observer import Observer

STATIONS = ("Compiègne", "Creil", "Noyon", "Saint-Quentin", "Paris Gare du Nord")
ONE_MORE = ask.AddTickets(((Journey("990099", "2027-03-15T20:00", "Noyon", "Creil", 990), 1),))
START = 1_800_000_000.0  # when every simulated world begins, Unix seconds
OFFICE = "gch"


@dataclass(frozen=True)
class Shape:
    """What a run is like; drawn from its seed. Probabilities are those of one step."""

    clients: int
    topology: str
    loss: float
    repeat: float
    reorder: float
    crash: float
    amnesiacs: tuple[str, ...]  # clients without a store
    steps: int
    delay: float
    automatic: bool
    snapshots: float
    restores: float
    leaves: float  # a client goes without a word, or is dismissed

    @staticmethod
    def draw(chance: Random) -> Shape:
        """A shape, from gentle to rough."""
        clients = chance.randint(1, 7)
        names = [f"c{i}" for i in range(1, clients + 1)]
        rough = chance.random() < 0.7
        return Shape(
            clients=clients,
            topology=chance.choice(["ring", "ring", "line", "star", "complete"]),
            loss=chance.choice([0.0, 0.02, 0.1, 0.3]) if rough else 0.0,
            repeat=chance.choice([0.0, 0.05, 0.3]) if rough else 0.0,
            reorder=chance.choice([0.0, 0.1, 0.5]) if rough else 0.0,
            crash=chance.choice([0.0, 0.005, 0.03]) if rough else 0.0,
            amnesiacs=tuple(name for name in names if chance.random() < 0.2),
            steps=chance.choice([60, 150, 300]),
            delay=chance.choice([5.0, 30.0]),
            automatic=chance.random() < 0.5,
            snapshots=chance.choice([0.0, 0.05, 0.2]),
            restores=chance.choice([0.0, 0.0, 0.1, 0.4]),
            leaves=chance.choice([0.0, 0.0, 0.05, 0.2]) if rough else 0.0,
        )


def edges(topology: str, names: list[str]) -> list[tuple[str, str]]:
    """Who writes to whom."""
    if topology == "ring":
        return list(zip(names, names[1:] + names[:1], strict=True))
    if topology == "line":
        pairs = list(pairwise(names))
    elif topology == "star":
        pairs = [(names[0], name) for name in names[1:]]
    else:
        pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    return [edge for a, b in pairs for edge in ((a, b), (b, a))]


@dataclass
class Memory:
    """What a site's store keeps, in plain dicts: the simulator's stand-in for `lib.edge.store`."""

    numbers: dict[str, int] = field(default_factory=dict)
    peers: dict[str, facts.PeerMet] = field(default_factory=dict)
    tickets: dict[str, Ticket] = field(default_factory=dict)
    answers: dict[tuple[str, int], facts.Answered] = field(default_factory=dict)
    errands: dict[int, facts.Errand] = field(default_factory=dict)
    kept: dict[str, facts.TicketKept] = field(default_factory=dict)
    given_back: dict[tuple[str, int], None] = field(default_factory=dict)
    owed: dict[str, facts.RestoreOwed] = field(default_factory=dict)

    def commit(self, events: list[Event], site: Site) -> None:
        """Keep what these events changed."""
        for event in events:
            self._keep(event.fact)
        self.numbers = {
            "life": site.life,
            "clock": site.clock.time,
            "round": site.round,
            "epoch": site.epoch,
            "next_number": site.role.next_number,
        }

    def _keep(self, fact: facts.Fact) -> None:
        match fact:
            case facts.TicketsAdded(tickets):
                self.tickets |= {ticket.id: ticket for ticket in tickets}
            case facts.TicketMoved(ticket):
                self.tickets[ticket.id] = ticket
            case facts.TicketWithdrawn(ticket_id):
                del self.tickets[ticket_id]
            case facts.Answered(client, request):
                self.answers[client, request] = fact
            case facts.ClientForgot(client):
                self.answers = {key: value for key, value in self.answers.items() if key[0] != client}
            case facts.ErrandMoved(errand) if errand.kind != facts.CONSULT:
                self.errands[errand.number] = errand
            case facts.ErrandForgotten(number):
                self.errands.pop(number, None)
            case facts.TicketKept(holding):
                self.kept[holding.ticket_id] = fact
            case facts.TicketLeft(ticket_id, request):
                self.kept.pop(ticket_id, None)
                self.given_back[ticket_id, request] = None
            case facts.PeerMet(name):
                self.peers[name] = fact
            case facts.OfficeRestored(tickets, answers):
                self.tickets = {ticket.id: ticket for ticket in tickets}
                self.answers = {(answer.client, answer.request): answer for answer in answers}
            case facts.ClientRestored(errands, kept, given_back):
                self.errands = {errand.number: errand for errand in errands}
                self.kept = {one.holding.ticket_id: one for one in kept}
                self.given_back = dict.fromkeys(given_back)
            case facts.RestoreOwed(client, _, text) if text:
                self.owed[client] = fact
            case facts.RestoreOwed(client):
                self.owed.pop(client, None)


class Crash(Exception):
    """The site dies here."""


class World:
    """Sites, links and time. One step is one thing that happens; `chance` draws which."""

    def __init__(self, seed: int, **wanted: Any) -> None:
        self.chance = Random(seed)
        self.shape = replace(Shape.draw(self.chance), **wanted)
        self.now = START
        self.names = [OFFICE] + [f"c{i}" for i in range(1, self.shape.clients + 1)]
        order = list(self.names)
        self.chance.shuffle(order)
        self.links: dict[tuple[str, str], list[bytes]] = {edge: [] for edge in edges(self.shape.topology, order)}
        self.memories: dict[str, Memory] = {name: Memory() for name in self.names}
        self.sites: dict[str, Site] = {}
        self.gone: dict[str, None] = {}  # clients that died without a word, and have not come back
        self.lives: dict[str, set[int]] = {name: set() for name in self.names}
        self.latest_clock: Counter[str] = Counter()
        self.on_sale: set[str] = set()
        self.ever_on_sale: set[str] = set()
        self.told: dict[str, dict[str, None]] = {name: {} for name in self.names}
        self.identities: set[tuple[str, int, int]] = set()
        self.stamps: dict[str, int] = {}
        self.counts: Counter[str] = Counter()
        self.observer = Observer()
        self.documents: list[dict[str, Any]] = []
        self.loaded: dict[int, dict[str, Any]] = {}  # epoch -> the document that it began with
        self.is_rough = True
        for name in self.names:
            self.begin(name)
        self._put_on_sale()

    # ------------------------------------------------------------------------------------------------------ who is who

    @property
    def guichet(self) -> Guichet:
        """The guichet's role."""
        role = self.sites[OFFICE].role
        assert isinstance(role, Guichet)
        return role

    def role(self, name: str) -> Guichet | Client:
        """The role of a site."""
        return self.sites[name].role

    @property
    def alive(self) -> list[str]:
        """The names of the sites that live."""
        return [name for name in self.names if name not in self.gone]

    def clients(self) -> list[Client]:
        """The roles of the clients that live."""
        return [role for name in self.alive if isinstance(role := self.role(name), Client)]

    def is_behind(self, name: str) -> bool:
        """Whether the guichet has changed what this site has, and it cannot know yet: an epoch was started into which it has
        not been restored, or it was dismissed."""
        office = self.sites[OFFICE]
        return self.sites[name].epoch < office.epoch or office.peers[name].dismissed

    # --------------------------------------------------------------------------------------------------- life and death

    def begin(self, name: str) -> None:
        """A site begins to live, from what its store kept."""
        if name in self.shape.amnesiacs:
            self.memories[name] = Memory()
            self.told[name] = {}
            self.observer.forget(name)
            self.latest_clock[name] = 0  # without a store, nothing can know where the clock was
        memory = self.memories[name]
        common: dict[str, Any] = {
            "life": self._next_life(name),
            "clock": memory.numbers.get("clock", 0),
            "round": memory.numbers.get("round", 0),
            "epoch": memory.numbers.get("epoch", 0),
            "peers": memory.peers.values(),
            "watched": True,
        }
        role = self._role(name, memory)
        if isinstance(role, Guichet):
            self.sites[name] = GuichetSite(role, owed=memory.owed.values(), **common)
        else:
            self.sites[name] = ClientSite(role, remembers=bool(memory.numbers), **common)
        self.take(name, self.sites[name].start(self.now))

    def _next_life(self, name: str) -> int:
        """A store counts on; without one it is the machine's clock that says, and that may have been set back since the last
        life was heard of."""
        if name in self.sites:
            self.lives[name].add(self.sites[name].life)
        latest = max(self.lives[name], default=0)
        life = latest + 10
        is_known = name in self.shape.amnesiacs and latest and self.sites[OFFICE].peers[name].life == latest
        if is_known and self.is_rough and latest < 120 and self.chance.random() < 0.3:
            life = next(earlier for earlier in range(latest - 5, 0, -1) if earlier not in self.lives[name])
            self.counts["clocks set back"] += 1
        self.lives[name].add(life)
        return life

    def _role(self, name: str, memory: Memory) -> Guichet | Client:
        number = memory.numbers.get("next_number", 1)
        if name == OFFICE:
            return Guichet(name, self.shape.delay, memory.tickets.values(), memory.answers.values(), number)
        return Client(
            name,
            OFFICE,
            patience=20.0,
            automatic=self.shape.automatic,
            errands=memory.errands.values(),
            tickets=memory.kept.values(),
            given_back=memory.given_back,
            next_number=number,
        )

    def take(self, name: str, reaction: Reaction) -> None:
        """Do what the edge does: make durable, then say; the site may die before, between and after."""
        try:
            self._may_die("before it stored")
            self.memories[name].commit(reaction.events, self.sites[name])
            for event in reaction.events:
                self._observe(name, event)
            self._check_what_is_delivered_again(name, [event.fact for event in reaction.events])
            self._may_die("before it spoke")
            for edge, lines in self.links.items():
                if edge[0] == name:
                    lines.extend(reaction.lines)
            self._may_die("after it spoke")
            for event in reaction.events:
                if isinstance(event.fact, facts.FileWanted):
                    self._load(event.fact.client, event.fact.request)
        except Crash as crash:
            self.counts[f"died {crash}"] += 1
            self.begin(name)

    def _may_die(self, when: str) -> None:
        if self.is_rough and self.chance.random() < self.shape.crash / 3:
            raise Crash(when)

    def _observe(self, name: str, event: Event) -> None:
        """Look at what happened as an outsider, who believes nobody."""
        self.observer.see(name, event)
        match event.fact:
            case facts.Sent(message=message):
                identity = (message.sender, message.life, message.sequence)
                require(identity not in self.identities, f"identity used twice: {message.id}")
                self.identities.add(identity)
                self.stamps[message.id] = message.timestamp
                self.counts["sent"] += 1
            case facts.Received(message=message):
                sent = self.stamps.get(message.id)
                require(sent is not None and sent < event.lamport, f"{message.id}: C(send) {sent} !< {event.lamport}")
                self.counts["received"] += 1
            case facts.TicketsAdded(tickets):
                names = {ticket.id for ticket in tickets}
                require(not names & self.ever_on_sale, "ticket identifier used twice")
                self.on_sale |= names
                self.ever_on_sale |= names
            case facts.TicketKept(holding):
                self.told[name][holding.ticket_id] = None
                self.counts["bought"] += 1
            case facts.TicketLeft(ticket_id):
                self.told[name].pop(ticket_id, None)
                self.counts["given back"] += 1
            case facts.ClientRestored(_, kept):
                self.told[name] = {one.holding.ticket_id: None for one in kept}
                self.counts["clients restored"] += 1
            case facts.BegunAnew(reason):
                self.counts[f"begun anew {reason}"] += 1
            case facts.OfficeRestored(tickets):
                self.on_sale = {ticket.id for ticket in tickets}
                self.counts["restores"] += 1
            case facts.SnapshotMoved(_, phase, _, document):
                self.counts[f"rounds {phase}"] += 1
                if document is not None:
                    self._judge(document)

    def _judge(self, document: dict[str, Any]) -> None:
        """Two judges for every snapshot: the document's own ranks, and the observer, who never looks at them."""
        self.observer.judge(document)
        if document["complete"]:
            sealed = document | {"sha256": audit.seal(document)}
            findings = audit.examine(sealed)
            require(not findings, f"round {document['round']}: {findings}")
            self.counts["messages in channels"] += audit.census(document)["messages"]
            self.documents.append(sealed)

    def _check_what_is_delivered_again(self, name: str, happened: list[facts.Fact]) -> None:
        """A site that is restored hears every recorded message to it again, once; one read may restore it twice."""
        epochs = [fact.epoch for fact in happened if isinstance(fact, facts.RestoreMoved) and fact.phase == "restored"]
        channels = [c["messages"] for epoch in epochs for c in self.loaded[epoch]["channels"] if c["to"] == name]
        recorded = [message["id"] for channel in channels for message in channel]
        heard = [fact.id for fact in happened if isinstance(fact, facts.Redelivered)]
        require(sorted(heard) == sorted(recorded), f"{name}, restored to {epochs}: {heard} heard again, not {recorded}")

    def _load(self, client: str = "", request: int = 0) -> None:
        """The guichet loads one of the snapshots that were taken."""
        office = self.sites[OFFICE]
        assert isinstance(office, GuichetSite)
        if self.documents:
            document = self.chance.choice(self.documents)
            self.loaded[office.epoch + 1] = document
            self.order(OFFICE, ask.Restore(document, client, request))
        elif client:
            self.take(OFFICE, office.refuse_restore(client, request, "nothing to load", self.now))

    # ------------------------------------------------------------------------------------------------- what can happen

    def _put_on_sale(self) -> None:
        offers = []
        for number in range(self.chance.randint(1, 6)):
            origin, destination = self.chance.sample(STATIONS, 2)
            journey = Journey(f"99{number:04d}", f"2027-03-15T{6 + number:02d}:00", origin, destination, 1000 + number)
            offers.append((journey, self.chance.randint(1, 3)))
        self.take(OFFICE, self.sites[OFFICE].command(ask.AddTickets(tuple(offers)), self.now))

    def step(self) -> None:
        """One thing happens."""
        happens: list[tuple[float, Callable[[], None]]] = [
            (6.0, self._deliver),
            (1.5, self._command),
            (1.0, self._pass_time),
            (0.3, self._write_garbage),
            (self.shape.snapshots, self._photograph),
            (self.shape.restores, self._go_back),
            (self.shape.leaves, self._leave_or_come_back),
        ]
        weights = [weight for weight, _ in happens]
        self.chance.choices(happens, weights)[0][1]()

    def _busy(self) -> list[tuple[str, str]]:
        """The links on which a line is under way to somebody who lives."""
        return [edge for edge, lines in self.links.items() if lines and edge[1] not in self.gone]

    def _deliver(self) -> None:
        busy = self._busy()
        if busy:
            edge = self.chance.choice(busy)
            self.deliver(edge)

    def deliver(self, edge: tuple[str, str]) -> None:
        """A line of this link arrives, or meets its fate; several lines may come in one read."""
        lines, shape, chance = self.links[edge], self.shape, self.chance
        at = chance.randrange(len(lines)) if self.is_rough and chance.random() < shape.reorder else 0
        line = lines.pop(at)
        if self.is_rough and chance.random() < shape.loss:
            self.counts["lost"] += 1
            return
        if self.is_rough and chance.random() < shape.repeat:
            lines.insert(chance.randint(0, len(lines)), line)
            self.counts["repeated"] += 1
        batch = [line]
        while lines and chance.random() < 0.3:
            batch.append(lines.pop(0))
        self.take(edge[1], self.sites[edge[1]].hear(batch, self.now))

    def deliver_one(self, edge: tuple[str, str]) -> None:
        """The first line of this link arrives, alone."""
        self.take(edge[1], self.sites[edge[1]].hear([self.links[edge].pop(0)], self.now))

    def _write_garbage(self) -> None:
        """A line that is none of ours must change nothing."""
        lines = self.chance.choice(list(self.links.values()))
        garbage = [b"", b"^", b"\x07", b"\xff\xfe", b"^emetteur~gch^", b"hello", bytes(self.chance.randbytes(30))]
        if lines:
            line = self.chance.choice(lines)
            garbage.append(line[: self.chance.randint(0, len(line))])
        junk = self.chance.choice(garbage).replace(b"\n", b"")
        if self.is_rough:
            lines.append(junk)

    def _pass_time(self) -> None:
        self.now += self.chance.choice([0.1, 1.0, 1.0, 3.0, 10.0])
        self.tick()

    def tick(self) -> None:
        """Every site whose time has come is told."""
        for name in self.alive:
            if self.sites[name].deadline <= self.now:
                self.take(name, self.sites[name].tick(self.now))

    def _photograph(self) -> None:
        """One site, or several in the same instant, want a snapshot."""
        for name in self.chance.sample(self.alive, min(len(self.alive), self.chance.choice([1, 1, 1, 2, 5]))):
            self.order(name, ask.TakeSnapshot())

    def _leave_or_come_back(self) -> None:
        """A client dies without a word; or one that did comes back after all; or the guichet's user dismisses one, dead or
        alive."""
        name = self.chance.choice(self.names[1:])
        if self.chance.random() < 0.4:
            self._dismiss(name)
        elif name in self.gone:
            self._come_back(name)
        else:
            self.gone[name] = None
            self.counts["left without a word"] += 1

    def _dismiss(self, name: str) -> None:
        self.counts["dismissed"] += 1
        self.order(OFFICE, ask.Dismiss(name))

    def _come_back(self, name: str) -> None:
        """What was written to it meanwhile is still in its pipe."""
        del self.gone[name]
        self.begin(name)

    def _go_back(self) -> None:
        """The guichet loads a snapshot, or a client asks for it."""
        name = self.chance.choice(self.alive)
        if name == OFFICE:
            self._load()
        else:
            self.order(name, ask.AskRestore("instantane.json"))

    def _command(self) -> None:
        name = self.chance.choice(self.alive)
        role = self.role(name)
        command = self._guichet_command() if isinstance(role, Guichet) else self._client_command(role)
        self.order(name, command)

    def order(self, name: str, command: ask.Command) -> None:
        """A user asks for something that may be impossible."""
        before = self.sites[name]
        try:
            reaction = before.command(command, self.now)
        except CommandRefused:
            self.counts["refused commands"] += 1
            return
        if isinstance(command, ask.WithdrawTicket):
            self.on_sale.discard(command.ticket_id)
            self._without_crash(name, reaction)
        else:
            self.take(name, reaction)

    def _without_crash(self, name: str, reaction: Reaction) -> None:
        rough, self.is_rough = self.is_rough, False
        self.take(name, reaction)
        self.is_rough = rough

    def _client_command(self, client: Client) -> ask.Command:
        chance = self.chance
        offered = [errand.number for errand in client.errands.values() if errand.state == facts.OFFERED]
        if offered and chance.random() < 0.7:
            return chance.choice([ask.Confirm, ask.Confirm, ask.Decline])(chance.choice(offered))
        if client.tickets and chance.random() < 0.4:
            return ask.GiveBack(chance.choice(sorted(client.tickets)))
        search = Search(
            departure=chance.choice(["", "", chance.choice(STATIONS)]),
            destination=chance.choice(["", "", chance.choice(STATIONS).upper()]),
            since=chance.choice(["", "", "2027-03-15T08:00"]),
        )
        if chance.random() < 0.2:
            search = Search(ticket=f"B{chance.randint(1, 20):04d}")
        return ask.Consult(search, chance.randint(1, 5)) if chance.random() < 0.2 else ask.Reserve(search)

    def _guichet_command(self) -> ask.Command:
        chance = self.chance
        name = f"B{chance.randint(1, 20):04d}"
        if chance.random() < 0.3:
            return ask.WithdrawTicket(name)
        if chance.random() < 0.5:
            return ask.ChangeTicket(name, cents=chance.randint(0, 5000))
        return ONE_MORE

    # ------------------------------------------------------------------------------------------------------ both halves

    def check(self) -> None:
        """The invariants of every step."""
        for invariant in invariants.AT_EVERY_STEP:
            invariant(self)

    def heal(self) -> None:
        """From now on links are whole and nobody dies."""
        self.is_rough = False
        self.shape = replace(self.shape, loss=0.0, repeat=0.0, reorder=0.0, crash=0.0)

    def drain(self, limit: int = 200_000) -> None:
        """Deliver until nothing is under way."""
        for _ in range(limit):
            busy = self._busy()
            if not busy:
                return
            self.deliver(self.chance.choice(busy))
        raise Violation("messages go round for ever")

    def converge(self) -> None:
        """Let everything that is open find its end."""
        self.heal()
        self._part_or_come_back()
        for _ in range(60):
            self.drain()
            self.now += 5.0
            self.tick()
        self.drain()
        for invariant in invariants.AFTER_HEALING:
            invariant(self)
        self._photograph_at_rest()
        self._buy_at_rest()

    def _part_or_come_back(self) -> None:
        """Who is gone stays away, and is dismissed, where the others can do without it; else it comes back."""
        for name in list(self.gone):
            if self.chance.random() < 0.5 or not self._is_connected_without_the_gone():
                self._come_back(name)
        for name in list(self.gone) if not self._is_connected_without_the_gone() else []:
            self._come_back(name)
        self.drain()  # what it said before it went may be all that the guichet knows of it
        for name in self.gone:
            self._dismiss(name)
            self.counts["left for good"] += 1

    def _is_connected_without_the_gone(self) -> bool:
        """Whether those that live reach each other. In every topology a link goes both ways, or all of them go round."""
        reached, new = {OFFICE}, [OFFICE]
        while new:
            name = new.pop()
            next_ones = [b for a, b in self.links if a == name and b not in self.gone and b not in reached]
            reached.update(next_ones)
            new += next_ones
        return reached == set(self.alive) and (self.shape.topology != "ring" or not self.gone)

    def _photograph_at_rest(self) -> None:
        """Whatever went before: with whole links and everybody there, a snapshot is complete; but the first may wait in
        vain for a message that was lost for ever, and is closed without it: that settles it, and the next is whole."""
        for _ in range(2):
            before = len(self.documents)
            self.order(self.chance.choice(self.alive), ask.TakeSnapshot())
            self.drain()
            if len(self.documents) > before:
                break
            for _ in range(8):
                self.now += 5.0
                self.tick()
                self.drain()
        require(len(self.documents) == before + 1, "no complete snapshot of a system at rest")
        still_red = [name for name in self.alive if self.sites[name].snapshots.is_open]
        require(not still_red, f"still red: {still_red}")

    def _buy_at_rest(self) -> None:
        """Whatever went before: whoever asks for any ticket while there are some gets one. Nobody is answered from what was
        asked under the same number in another life, or before a restoration."""
        for client in self.clients():
            self._without_crash(OFFICE, self.sites[OFFICE].command(ONE_MORE, self.now))
            self.order(client.name, ask.Reserve(Search()))
            number = client.next_number - 1
            self.drain()
            if client.errands[number].state == facts.OFFERED:
                self.order(client.name, ask.Confirm(number))
                self.drain()
            require(client.errands[number].state == facts.OWNED, f"{client.name} gets none: {client.errands[number]}")

    def run(self) -> World:
        """The whole run: safety under faults, then convergence."""
        for _ in range(self.shape.steps):
            self.step()
            self.check()
        self.converge()
        self.check()
        return self


def run(seed: int, **wanted: Any) -> World:
    """One run; `wanted` overrides what the seed draws of its shape. A failure names its seed."""
    try:
        return World(seed, **wanted).run()
    except AssertionError as error:
        raise Violation(f"seed {seed}: {error}") from error


def failures(seeds: Iterator[int] | range, counts: Counter[str], **wanted: Any) -> Iterator[tuple[int, BaseException]]:
    """Run these seeds, add what happened to `counts`, and give those that failed."""
    for seed in seeds:
        try:
            counts.update(run(seed, **wanted).counts)
        except Exception as error:
            yield seed, error


def main(arguments: list[str] | None = None) -> int:
    """Many runs, with their figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1, help="the first seed; with --runs 1, the one to replay")
    options = parser.parse_args(arguments)
    counts: Counter[str] = Counter()
    begin = time.perf_counter()
    seeds = range(options.seed, options.seed + options.runs)
    for seed, error in failures(seeds, counts):
        print(f"FAILED  {error}\n        replay: python3 -m tests.simulator --runs 1 --seed {seed}")
        if options.runs == 1:
            raise error
        return 1
    figures: dict[str, Any] = dict(sorted(counts.items()))
    print(f"{options.runs} runs, {time.perf_counter() - begin:.1f} s: {figures}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
