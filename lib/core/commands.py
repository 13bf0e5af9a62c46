"""What a user can ask of a site: one frozen class a command. How they are typed is the edge's affair."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lib.core.tickets import Journey, Search


class CommandRefused(Exception):
    """The command cannot be carried out; nothing changed. `code` says why, `subject` of what."""

    def __init__(self, code: str, subject: str = "") -> None:
        super().__init__(f"{code} {subject}".strip())
        self.code = code
        self.subject = subject


@dataclass(frozen=True, slots=True)
class Consult:
    """client: which free tickets match? At most `limit` of them."""

    search: Search
    limit: int = 10


@dataclass(frozen=True, slots=True)
class Reserve:
    """client: hold the first ticket that matches."""

    search: Search


@dataclass(frozen=True, slots=True)
class Confirm:
    """client: take the ticket that was offered to request `request`."""

    request: int


@dataclass(frozen=True, slots=True)
class Decline:
    """client: leave the ticket that was offered to request `request`."""

    request: int


@dataclass(frozen=True, slots=True)
class GiveBack:
    """client: give an owned ticket back."""

    ticket_id: str


@dataclass(frozen=True, slots=True)
class AddTickets:
    """guichet: put new tickets on sale, so many for each journey."""

    offers: tuple[tuple[Journey, int], ...]


@dataclass(frozen=True, slots=True)
class ChangeTicket:
    """guichet: change a free ticket; what is None stays."""

    ticket_id: str
    train: str | None = None
    date: str | None = None
    departure: str | None = None
    destination: str | None = None
    cents: int | None = None


@dataclass(frozen=True, slots=True)
class WithdrawTicket:
    """guichet: withdraw a free ticket from sale for ever."""

    ticket_id: str


@dataclass(frozen=True, slots=True)
class TakeSnapshot:
    """both: take a snapshot of the whole system (`instantane`)."""


@dataclass(frozen=True, slots=True)
class AskRestore:
    """client: ask the guichet to load the snapshot file of this name (`charger`)."""

    file: str


@dataclass(frozen=True, slots=True)
class Restore:
    """guichet: bring the system back to this snapshot document; `client` and `request` say who asked, if a client did."""

    document: dict[str, Any]
    client: str = ""
    request: int = 0


@dataclass(frozen=True, slots=True)
class TellState:
    """both: say how things stand (`etat`)."""


@dataclass(frozen=True, slots=True)
class Leave:
    """both: end in good order (`quitter`)."""


Command = (
    Consult
    | Reserve
    | Confirm
    | Decline
    | GiveBack
    | AddTickets
    | ChangeTicket
    | WithdrawTicket
    | TakeSnapshot
    | AskRestore
    | Restore
    | TellState
    | Leave
)
