"""The trace: what happened at a site, as JSON lines (contract, section 9). Written after the store made it durable."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable
from typing import Any

from lib.core import facts
from lib.core.facts import Errand, Event, Holding
from lib.core.messages import Message
from lib.core.recording import journey_as_json
from lib.core.wire import type_of
from lib.texts import Problem

MAX_LINE_SHOWN = 200  # characters of a dropped line
_EMITTER = re.compile(rb"\^?emetteur~([^^~]*)")
_NUMBER = re.compile(rb"\^?numero~([0-9.]*)")


class Trace:
    """The trace of site `name`, appended to the file at `path`. Raises `Problem` when that cannot be written."""

    def __init__(self, path: str, name: str) -> None:
        self._site = name
        self._number = 0
        try:
            # Not blocking: a FIFO without a reader would hold the site up for ever.
            self._fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC, 0o644)
            self._end_cut_line()
        except OSError as error:
            raise Problem(
                f"--trace={path} : {error.strerror} ; donnez un fichier où l'on peut écrire",
                f"--trace={path}: {error.strerror}; give a file that can be written",
            ) from error

    def _end_cut_line(self) -> None:
        """An earlier life that was killed may have left the beginning of a line: ours must not be glued to it."""
        size = os.fstat(self._fd).st_size
        if size and os.pread(self._fd, 1, size - 1) != b"\n":
            os.write(self._fd, b"\n")

    def write(self, events: Iterable[Event]) -> None:
        """Append these events, in one write. Raises OSError when the disk does not take them."""
        lines = [self._line(event, row) for event in events if (row := _row(event)) is not None]
        data = "".join(lines).encode()
        while data:
            data = data[os.write(self._fd, data) :]

    def _line(self, event: Event, row: dict[str, Any]) -> str:
        self._number += 1
        head = {"t": round(event.at, 6), "site": self._site, "i": self._number, "lamport": event.lamport}
        return json.dumps(head | row, ensure_ascii=False, separators=(",", ":")) + "\n"


def _row(event: Event) -> dict[str, Any] | None:
    """What a trace line says of the event; None for facts that are the store's alone."""
    describe = _ROWS.get(type(event.fact))
    return None if describe is None else describe(event.fact, event.at)


def _message(event: str, message: Message, peer: str) -> dict[str, Any]:
    row: dict[str, Any] = {"ev": event, "id": message.id, "peer": peer, "type": type_of(message.body)}
    row |= {"round": message.round, "epoch": message.epoch}
    return row | {"rank": message.rank} if message.rank else row


def _relayed(fact: facts.Relayed, at: float) -> dict[str, Any]:
    identity = [found[1].decode() for key in (_EMITTER, _NUMBER) if (found := key.search(fact.line))]
    return {"ev": "relay", "id": ":".join(identity)}


def _dropped(fact: facts.Dropped, at: float) -> dict[str, Any]:
    return {"ev": "drop", "reason": fact.reason, "line": fact.line.decode(errors="replace")[:MAX_LINE_SHOWN]}


def _holding(holding: Holding) -> dict[str, Any]:
    return {"id": holding.ticket_id, **journey_as_json(holding.journey), "holder": holding.holder}


def _errand(fact: facts.ErrandMoved, at: float) -> dict[str, Any]:
    errand: Errand = fact.errand
    row: dict[str, Any] = {"ev": "request", "request": errand.number, "kind": errand.kind, "state": errand.state}
    row["ticket"] = errand.ticket_id
    if errand.holding and errand.state in (facts.OFFERED, facts.OWNED):
        row["details"] = _holding(errand.holding)
    if errand.state == facts.LISTED:
        row["total"] = errand.total
        row["tickets"] = [_holding(errand.listing[position]) for position in sorted(errand.listing)]
    if errand.state == facts.OFFERED:
        row["expires_in"] = round(errand.deadline - at, 3)
    return row | ({"reason": errand.reason} if errand.reason else {})


def _moved(fact: facts.TicketMoved, at: float) -> dict[str, Any]:
    ticket = fact.ticket
    row = {"ev": "ticket", "ticket": ticket.id, "state": ticket.state}
    return row | ({"client": ticket.client, "request": ticket.request} if ticket.client else {})


def _added(fact: facts.TicketsAdded, at: float) -> dict[str, Any] | None:
    if not fact.tickets:
        return None
    first, last = fact.tickets[0], fact.tickets[-1]
    return {"ev": "ticket", "ticket": first.id, "last": last.id, "count": len(fact.tickets), "state": "free"}


def _snapshot(fact: facts.SnapshotMoved, at: float) -> dict[str, Any]:
    row: dict[str, Any] = {"ev": "snapshot", "round": fact.round, "phase": fact.phase}
    if fact.document is not None:
        row |= {"file": fact.file, "missing": fact.document["missing"], "initiators": fact.document["initiators"]}
        row["messages"] = sum(len(channel["messages"]) for channel in fact.document["channels"])
        row["checks"] = fact.document["checks"]
    return row


def _restore(fact: facts.RestoreMoved, at: float) -> dict[str, Any]:
    row: dict[str, Any] = {"ev": "restore", "epoch": fact.epoch, "phase": fact.phase, "reason": fact.reason}
    return row | ({"waiting": list(fact.waiting)} if fact.waiting else {})


def _redelivered(fact: facts.Redelivered, at: float) -> dict[str, Any]:
    return {"ev": "redeliver", "id": fact.id, "peer": fact.sender, "type": type_of(fact.body)}


_ROWS: dict[type, Callable[[Any, float], dict[str, Any] | None]] = {
    facts.Started: lambda fact, at: {"ev": "start", "role": fact.role, "life": fact.life, "pid": os.getpid()},
    facts.Stopped: lambda fact, at: {"ev": "stop"},
    facts.Sent: lambda fact, at: _message("send", fact.message, fact.message.to),
    facts.Received: lambda fact, at: _message("recv", fact.message, fact.message.sender),
    facts.Relayed: _relayed,
    facts.Dropped: _dropped,
    facts.ErrandMoved: _errand,
    facts.TicketMoved: _moved,
    facts.TicketsAdded: _added,
    facts.TicketWithdrawn: lambda fact, at: {"ev": "ticket", "ticket": fact.ticket_id, "state": "withdrawn"},
    facts.SnapshotMoved: _snapshot,
    facts.RestoreMoved: _restore,
    facts.Redelivered: _redelivered,
    facts.BegunAnew: lambda fact, at: {"ev": "anew"} | fact._asdict(),
    facts.Commanded: lambda fact, at: {"ev": "command", "line": fact.line, "ok": not fact.error, "error": fact.error},
    facts.StateTold: lambda fact, at: {"ev": "state"} | fact.state,
}
