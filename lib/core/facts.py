"""What happened, as values: for the store, the trace and the window. And `Say`, what a role wants said.

A role yields facts and `Say`s in the order in which they take place; the site stamps them (`Event`). The store keeps the
facts that carry state, the trace writes them down, the window shows them; none of them asks a role anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from lib.core.messages import Body, Message
from lib.core.tickets import Journey, Search, Ticket


class Say(NamedTuple):
    """A role wants `body` said to site `to` (or to everyone); numbering, stamping and colouring it is the site's affair."""

    to: str
    body: Body


# ------------------------------------------------------------------------------------------------------- at the guichet


class TicketsAdded(NamedTuple):
    """New tickets are on sale."""

    tickets: tuple[Ticket, ...]


class TicketMoved(NamedTuple):
    """A ticket changed its state, or what it is good for: this is how it stands now."""

    ticket: Ticket


class TicketWithdrawn(NamedTuple):
    """A free ticket was withdrawn from sale; its identifier is never used again."""

    ticket_id: str


class Answered(NamedTuple):
    """A client's request is closed at the guichet, and this is how a repetition of it is answered: by a refusal with its
    `reason`, or (reason empty) by saying that the ticket was taken back."""

    client: str
    request: int
    ticket_id: str
    reason: str


class ClientForgot(NamedTuple):
    """A client came back without its memory: the answers kept for its earlier requests mean nothing any more."""

    client: str


# ---------------------------------------------------------------------------------------------------------- at a client

CONSULT, RESERVE, RETURN = "consult", "reserve", "return"

ASKED, LISTED, OFFERED, CONFIRMING, OWNED = "asked", "listed", "offered", "confirming", "owned"
REFUSED, EXPIRED, RETURNED, UNREACHABLE = "refused", "expired", "returned", "unreachable"

# Kind of request -> the states that it can be in; and the states in which something of it may still have to be said.
STATES = {
    CONSULT: (ASKED, LISTED, REFUSED, UNREACHABLE),
    RESERVE: (ASKED, OFFERED, CONFIRMING, OWNED, REFUSED, EXPIRED, UNREACHABLE),
    RETURN: (ASKED, RETURNED, REFUSED, UNREACHABLE),
}
SAID = (ASKED, CONFIRMING, REFUSED, UNREACHABLE)


class Holding(NamedTuple):
    """A ticket as a client knows it: offered to it, its own, or on a list."""

    ticket_id: str
    journey: Journey
    holder: str = ""


class Errand(NamedTuple):
    """One request of a client, from the moment that its user asked: `kind` and `state` as in the trace (contract, 9).

    `deadline` (Unix seconds) is when the offer ends; `give_up` when the user is told that the guichet does not answer;
    `next_try` when the message is said again (0: it is not), `pause` the seconds that were waited the last time.
    `listing` are the tickets of a consultation by position, of `total` that match.
    """

    number: int
    kind: str
    state: str
    search: Search
    limit: int = 1
    holding: Holding | None = None
    reason: str = ""
    deadline: float = 0.0
    give_up: float = 0.0
    next_try: float = 0.0
    pause: float = 0.0
    total: int = 0
    listing: Mapping[int, Holding] = MappingProxyType({})

    @property
    def ticket_id(self) -> str:
        return self.holding.ticket_id if self.holding else self.search.ticket


class ErrandMoved(NamedTuple):
    """A request of this client changed its state: this is how it stands now."""

    errand: Errand


class ErrandForgotten(NamedTuple):
    """A request closed long ago left the history."""

    number: int


class TicketKept(NamedTuple):
    """The ticket is this client's from now on, bought by request `request` (0: a request that it has forgotten)."""

    holding: Holding
    request: int


class TicketLeft(NamedTuple):
    """The ticket, bought by request `request`, is this client's no more: it is being given back."""

    ticket_id: str
    request: int


# ----------------------------------------------------------------------------------------------- snapshot and restore


class SnapshotMoved(NamedTuple):
    """A round came to a `phase` here: recorded, complete, incomplete or closed. The guichet's end of a round has its
    `document`, what is `missing` from it, and the `file` that it is written to."""

    round: int
    phase: str
    missing: tuple[Any, ...] = ()
    document: dict[str, Any] | None = None
    file: str = ""

    @property
    def is_sound(self) -> bool:
        """Whether what the document claims agrees with itself: only such a one can be loaded back."""
        return self.document is None or all(self.document["checks"][claim] for claim in ("conserved", "coherent"))


class OfficeRestored(NamedTuple):
    """The guichet is as recorded again: these are all its tickets and closed requests."""

    tickets: tuple[Ticket, ...]
    answers: tuple[Answered, ...]


class ClientRestored(NamedTuple):
    """The client is as recorded again: these are all its requests, tickets, and purchases given back."""

    errands: tuple[Errand, ...]
    tickets: tuple[TicketKept, ...]
    given_back: tuple[tuple[str, int], ...]


class RestoreMoved(NamedTuple):
    """A restoration came to a `phase` here: asked, started, restored, complete or refused for `reason`. At the guichet,
    `waiting` are the sites that have not said yes."""

    epoch: int
    phase: str
    reason: str = ""
    waiting: tuple[str, ...] = ()


class BegunAnew(NamedTuple):
    """The client lives on in a later life as a newcomer does, because it was `dismissed`, or `outlived` by a life of its
    name: those `tickets` are its own no more, those `requests` will have no answer."""

    reason: str
    tickets: tuple[str, ...]
    requests: tuple[int, ...]


class RestoreOwed(NamedTuple):
    """The guichet owes `client` the state `text` of epoch `epoch`, until it says that it has it (text empty: it has)."""

    client: str
    epoch: int
    text: str


class Redelivered(NamedTuple):
    """A message that a snapshot found in a channel, `id`, is received again from `sender`, with the state restored."""

    id: str
    sender: str
    body: Body


class FileWanted(NamedTuple):
    """Client `client` asks, as its request `request`, that the snapshot file of this name be loaded."""

    client: str
    request: int
    file: str


# --------------------------------------------------------------------------------------------------------- at every site


class Started(NamedTuple):
    """The site lives."""

    role: str
    life: int


class Stopped(NamedTuple):
    """The site ends, in good order."""


class Sent(NamedTuple):
    """A message was handed to the network, as `line`."""

    message: Message
    line: bytes = b""


class Received(NamedTuple):
    """A message was received by this site, not by its relay; `line` is empty when it had been kept aside."""

    message: Message
    line: bytes = b""


class Relayed(NamedTuple):
    """A line was passed on. Made only when somebody watches."""

    line: bytes


class Dropped(NamedTuple):
    """A line was dropped, for `reason` (a short English code). A fault of the line, unless it `is_routine`."""

    reason: str
    line: bytes
    is_routine: bool = False


class PeerMet(NamedTuple):
    """Site `name` takes part, in life `life`; not `present`: it has said that it leaves, or was `dismissed`."""

    name: str
    role: str
    life: int
    present: bool = True
    dismissed: bool = False


class Commanded(NamedTuple):
    """The user typed `line`, and it was carried out, or refused with `error`."""

    line: str
    error: str = ""


class StateTold(NamedTuple):
    """The answer to `etat`, ready for JSON."""

    state: dict[str, Any]


Fact = (
    TicketsAdded
    | TicketMoved
    | TicketWithdrawn
    | Answered
    | ClientForgot
    | ErrandMoved
    | ErrandForgotten
    | TicketKept
    | TicketLeft
    | SnapshotMoved
    | OfficeRestored
    | ClientRestored
    | BegunAnew
    | RestoreMoved
    | RestoreOwed
    | Redelivered
    | FileWanted
    | Started
    | Stopped
    | Sent
    | Received
    | Relayed
    | Dropped
    | PeerMet
    | Commanded
    | StateTold
)
Effect = Say | Fact


class Event(NamedTuple):
    """A fact with its time: `lamport` the site's clock, `at` Unix seconds."""

    at: float
    lamport: int
    fact: Fact


class Reaction:
    """What a site answers to whatever it was told: the lines to write, in this order, and what happened."""

    __slots__ = ("events", "lines")

    def __init__(self, lines: list[bytes] | None = None, events: list[Event] | None = None) -> None:
        self.lines = lines if lines is not None else []
        self.events = events if events is not None else []
