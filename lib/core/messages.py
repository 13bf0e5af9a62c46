"""What can be said: one immutable class a sentence. Who says it to whom stands in its docstring.

They are named tuples, which are made in a sixth of the time of frozen dataclasses: a hundred sites start on two cores.

The French words that stand for these on the line are the affair of `wire.py` alone.
"""

from __future__ import annotations

from typing import NamedTuple

from lib.core.tickets import Journey, Search

EVERYONE = "tous"

# What the ticket office answers with: `TicketNotice.status`.
LISTED, OFFERED, SOLD, REFUSED, TAKEN_BACK = "listed", "offered", "sold", "refused", "taken_back"

# Why it refuses: `TicketNotice.reason` (contract, section 4). The words are those of the line, as they are of the trace.
REASONS = FULL, UNKNOWN, EXPIRED, UNAVAILABLE = "complet", "inconnu", "expire", "indisponible"

# `Presence.phase`.
ARRIVAL, WELCOME, DEPARTURE, ALIVE, DISMISSAL = "arrival", "welcome", "departure", "alive", "dismissal"


class Request(NamedTuple):
    """client -> guichet: show me (`reserve` false: at most `limit` tickets), or hold for me (true), what matches."""

    requester: str
    request: int
    reserve: bool
    search: Search
    limit: int


class TicketNotice(NamedTuple):
    """guichet -> client: one ticket, or a refusal with its `reason`, in answer to a request.

    Without its ticket only a refusal or a return makes sense; `wire.py` lets nothing else in. `position` of `total` matches
    for a list; `expires_in` seconds are left to confirm an offer.
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


class Acknowledgement(NamedTuple):
    """client -> guichet: I have received the offered ticket, and take it (`accepted`) or leave it."""

    requester: str
    request: int
    ticket: str
    accepted: bool


class Return(NamedTuple):
    """client -> guichet: I give this ticket back."""

    requester: str
    request: int
    ticket: str


class Presence(NamedTuple):
    """any -> tous or guichet: who is in the system.

    An arrival says whether the site `remembers` what it did in its earlier lives. `sold` is how many tickets are the
    client's, as the speaker knows it: a client knows of no others than those that were sold to it, so two equal numbers
    mean that it knows of them all. A welcome says whether a snapshot is open (`is_red`), so that a newcomer takes part. A
    dismissal says to a client that its life is over for the guichet, and what it had free again: it begins anew.
    """

    role: str
    phase: str
    remembers: bool = False
    sold: int = 0
    is_red: bool = False


class SnapshotCall(NamedTuple):
    """any -> tous, guichet -> one that has not heard: round `round` has begun; the emitter calls for it (`appel`)."""

    round: int


class SnapshotState(NamedTuple):
    """any -> guichet: part `part` of `parts` of my state at the cut, as JSON text; `initiates`: I began the round."""

    round: int
    initiates: bool
    part: int
    parts: int
    text: str


class SnapshotTransit(NamedTuple):
    """any -> guichet: this message was in the channel to me when I recorded."""

    round: int
    message: Message


class Reset(NamedTuple):
    """guichet -> tous: the round is over, `complete` or not; everyone is white again."""

    round: int
    complete: bool


class RestoreRequest(NamedTuple):
    """client -> guichet: load the snapshot file of this name; `request` numbers what this client asks."""

    request: int
    file: str


class RestoreRefused(NamedTuple):
    """guichet -> client: the file is not loaded, for `reason`; nothing has changed."""

    request: int
    reason: str


class RestoreState(NamedTuple):
    """guichet -> client: part `part` of `parts` of the state to take up in the message's epoch, as JSON text."""

    part: int
    parts: int
    text: str


class RestoreDone(NamedTuple):
    """client -> guichet: I have taken up my state of the message's epoch."""


class Unknown(NamedTuple):
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


class Message(NamedTuple):
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
