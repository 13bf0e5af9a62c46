"""What can be said: one frozen class a sentence, valid once built. Who says it to whom stands in its docstring.

The French words that stand for these on the line are the affair of `wire.py` alone.
"""

from __future__ import annotations

from dataclasses import dataclass

from lib.core.tickets import Journey, Search

EVERYONE = "tous"

# What the ticket office answers with: `TicketNotice.status`.
LISTED, OFFERED, SOLD, REFUSED, TAKEN_BACK = "listed", "offered", "sold", "refused", "taken_back"

# Why it refuses: `TicketNotice.reason` (contract, section 4). The words are those of the line, as they are of the trace.
FULL, UNKNOWN, EXPIRED, UNAVAILABLE = "complet", "inconnu", "expire", "indisponible"

# `Presence.phase`.
ARRIVAL, WELCOME, DEPARTURE, ALIVE = "arrival", "welcome", "departure", "alive"


@dataclass(frozen=True, slots=True)
class Request:
    """client -> guichet: show me (`reserve` false: at most `limit` tickets), or hold for me (true), what matches."""

    requester: str
    request: int
    reserve: bool
    search: Search
    limit: int


@dataclass(frozen=True, slots=True)
class TicketNotice:
    """guichet -> client: one ticket, or a refusal with its `reason`, in answer to a request.

    `position` of `total` matches for a list; `expires_in` seconds are left to confirm an offer.
    """

    requester: str
    request: int
    status: str
    ticket: str = ""
    journey: Journey | None = None
    holder: str = ""
    position: int = 0
    total: int = 0
    expires_in: float = 0.0
    reason: str = ""

    def __post_init__(self) -> None:
        if self.status in (LISTED, OFFERED, SOLD) and not (self.ticket and self.journey):
            raise ValueError(f"a notice '{self.status}' needs its ticket")
        if self.status == REFUSED and not self.reason:
            raise ValueError("a refusal needs its reason")


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """client -> guichet: I have received the offered ticket, and take it (`accepted`) or leave it."""

    requester: str
    request: int
    ticket: str
    accepted: bool


@dataclass(frozen=True, slots=True)
class Return:
    """client -> guichet: I give this ticket back."""

    requester: str
    request: int
    ticket: str


@dataclass(frozen=True, slots=True)
class Presence:
    """any -> tous or guichet: who is in the system.

    An arrival says whether the site `remembers` what it did in its earlier lives. `sold` is how many tickets are the
    client's, as the speaker knows it: a client knows of no others than those that were sold to it, so two equal numbers
    mean that it knows of them all. A welcome says whether a snapshot is open (`is_red`), so that a newcomer takes part.
    """

    role: str
    phase: str
    remembers: bool = False
    sold: int = 0
    is_red: bool = False


@dataclass(frozen=True, slots=True)
class SnapshotCall:
    """any -> tous, guichet -> one that has not heard: round `round` has begun; the emitter calls for it (`appel`)."""

    round: int


@dataclass(frozen=True, slots=True)
class SnapshotState:
    """any -> guichet: part `part` of `parts` of my state at the cut, as JSON text; `initiates`: I began the round."""

    round: int
    initiates: bool
    part: int
    parts: int
    text: str


@dataclass(frozen=True, slots=True)
class SnapshotTransit:
    """any -> guichet: this message was in the channel to me when I recorded."""

    round: int
    message: Message


@dataclass(frozen=True, slots=True)
class Reset:
    """guichet -> tous: the round is over, `complete` or not; everyone is white again."""

    round: int
    complete: bool


@dataclass(frozen=True, slots=True)
class RestoreRequest:
    """client -> guichet: load the snapshot file of this name; `request` numbers what this client asks."""

    request: int
    file: str


@dataclass(frozen=True, slots=True)
class RestoreRefused:
    """guichet -> client: the file is not loaded, for `reason`; nothing has changed."""

    request: int
    reason: str


@dataclass(frozen=True, slots=True)
class RestoreState:
    """guichet -> client: part `part` of `parts` of the state to take up in the message's epoch, as JSON text."""

    part: int
    parts: int
    text: str


@dataclass(frozen=True, slots=True)
class RestoreDone:
    """client -> guichet: I have taken up my state of the message's epoch."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """A sentence of a later version: passed on, logged, otherwise ignored (contract, section 3)."""

    type: str


Body = (
    Request
    | TicketNotice
    | Acknowledgement
    | Return
    | Presence
    | SnapshotCall
    | SnapshotState
    | SnapshotTransit
    | Reset
    | RestoreRequest
    | RestoreRefused
    | RestoreState
    | RestoreDone
    | Unknown
)
SNAPSHOT = (SnapshotCall, SnapshotState, SnapshotTransit, Reset)
RESTORATION = (RestoreRequest, RestoreRefused, RestoreState, RestoreDone)

# The application's sentences are counted in the channels; the others are control (contract, section 5).
APPLICATION = (Request, TicketNotice, Acknowledgement, Return)


@dataclass(frozen=True, slots=True)
class Message:
    """One message: the envelope that the site writes, and the sentence that the role wants said.

    (`sender`, `life`, `sequence`) is its identity; `timestamp` the Lamport stamp of its sending; `round` and `epoch` the
    sender's when it sent; `rank` counts the application messages of this pair of sites from 1 (0: a control message);
    `receiver_life` is the life of the receiver that the sender means (0: it does not know it yet).
    """

    sender: str
    life: int
    sequence: int
    to: str
    timestamp: int
    round: int
    epoch: int
    rank: int
    receiver_life: int
    body: Body

    @property
    def id(self) -> str:
        """`gch:1.31`, as it stands in traces and snapshots."""
        return f"{self.sender}:{self.life}.{self.sequence}"
