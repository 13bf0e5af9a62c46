"""What a user can ask of a site: one frozen class a command. How they are typed is the edge's affair."""

from __future__ import annotations

from typing import Any, NamedTuple

from lib.core.tickets import Journey, Search


class CommandRefused(Exception):
    """The command cannot be carried out; nothing changed. `code` says why, `subject` of what."""

    def __init__(self, code: str, subject: str = "") -> None:
        super().__init__(f"{code} {subject}".strip())
        self.code = code
        self.subject = subject


class Consult(NamedTuple):
    """client: which free tickets match? At most `limit` of them."""

    search: Search
    limit: int = 10


class Reserve(NamedTuple):
    """client: hold the first ticket that matches."""

    search: Search


class Confirm(NamedTuple):
    """client: take the ticket that was offered to request `request`."""

    request: int


class Decline(NamedTuple):
    """client: leave the ticket that was offered to request `request`."""

    request: int


class GiveBack(NamedTuple):
    """client: give an owned ticket back."""

    ticket_id: str


class AddTickets(NamedTuple):
    """guichet: put new tickets on sale, so many for each journey."""

    offers: tuple[tuple[Journey, int], ...]


class ChangeTicket(NamedTuple):
    """guichet: change a free ticket; what is None stays."""

    ticket_id: str
    train: str | None = None
    date: str | None = None
    departure: str | None = None
    destination: str | None = None
    cents: int | None = None


class WithdrawTicket(NamedTuple):
    """guichet: withdraw a free ticket from sale for ever."""

    ticket_id: str


class Dismiss(NamedTuple):
    """guichet: this client has left for good: all that is held for it or sold to it is free again (`liberer`)."""

    client: str


class TakeSnapshot(NamedTuple):
    """both: take a snapshot of the whole system (`instantane`)."""


class AskRestore(NamedTuple):
    """client: ask the guichet to load the snapshot file of this name (`charger`)."""

    file: str


class Restore(NamedTuple):
    """guichet: bring the system back to this snapshot document; `client` and `request` say who asked, if a client did."""

    document: dict[str, Any]
    client: str = ""
    request: int = 0


class TellState(NamedTuple):
    """both: say how things stand (`etat`)."""


class Leave(NamedTuple):
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
    | Dismiss
    | TakeSnapshot
    | AskRestore
    | Restore
    | TellState
    | Leave
)
