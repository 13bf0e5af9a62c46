"""The journal of messages: what was sent, received, passed on and dropped, lately.

It is bounded, and costs the site an append a message: a line is taken apart only when somebody looks at it.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import islice

from lib.core import wire
from lib.core.facts import Dropped, Event, Received, Relayed, Sent
from lib.core.tickets import fold
from lib.core.wire import Malformed
from lib.texts import Text
from lib.windows.view.rows import Row

MAX_ENTRIES = 2000  # as many as anybody scrolls through; some 2 MB

SENT, RECEIVED, RELAYED, DROPPED = "sent", "received", "relayed", "dropped"
KINDS = {
    SENT: Text("↑ émis", "↑ sent"),
    RECEIVED: Text("↓ reçu", "↓ received"),
    RELAYED: Text("→ passé", "→ passed on"),
    DROPPED: Text("✗ écarté", "✗ dropped"),
}
_KIND_OF: dict[type, str] = {Sent: SENT, Received: RECEIVED, Relayed: RELAYED, Dropped: DROPPED}

# Why a line was dropped, for those that every site drops all day long; the rest is named by its code.
_DROPS = {
    "duplicate": Text("déjà vu", "seen before"),
    "own message come back": Text("notre message, revenu", "our message, come back"),
    "not for this role": Text("pas pour nous", "not for us"),
    "earlier epoch": Text("d'une époque passée", "of an earlier epoch"),
}


class Entry:
    """One message of the journal, numbered from 1."""

    def __init__(self, number: int, kind: str, event: Event) -> None:
        self.number = number
        self.kind = kind
        self.at = event.at
        self.lamport = event.lamport
        self._fact = event.fact

    @property
    def line(self) -> str:
        """The raw line, as it was read or written."""
        line: bytes = getattr(self._fact, "line", b"")
        return line.decode(errors="backslashreplace")

    @cached_property
    def fields(self) -> dict[str, str]:
        """The line's fields by their names on the wire; empty when it is none of ours."""
        try:
            return wire.Fields(wire.payload_of(wire.text_of(getattr(self._fact, "line", b"")))).all()
        except Malformed:
            return {}

    @property
    def reason(self) -> Text:
        """Why it was dropped, nothing if it was not."""
        code = self._fact.reason if isinstance(self._fact, Dropped) else ""
        return _DROPS.get(code, Text(code, code))

    @cached_property
    def type(self) -> str:
        """The message's type and what it says, in the words of the wire: `billet offre`, `snapshot appel`."""
        fields = self.fields
        what = fields.get("statut") or fields.get("volet") or fields.get("issue") or ""
        return f"{fields.get('type', '?')} {what}".strip()

    @cached_property
    def text(self) -> str:
        """What a search looks into."""
        return fold(f"{self.line} {self.type}")

    def row(self, language: str) -> Row:
        """As a row: when, Lamport's time, which way, type, from, to, stamp, number or reason."""
        fields = self.fields
        clock = time.strftime("%H:%M:%S", time.localtime(self.at)) + f".{int(self.at * 1000) % 1000:03d}"
        last = self.reason.in_language(language) if self.kind == DROPPED else fields.get("numero", "")
        cells = (clock, str(self.lamport), KINDS[self.kind].in_language(language), self.type, fields.get("emetteur", "?"))
        return Row(
            str(self.number), (*cells, fields.get("destinataire", "?"), fields.get("estampille", ""), last), self.kind
        )


class Journal:
    """The latest messages, and those of them that the user wants to see: of `kinds`, with `search` in them.

    While it is paused, what is shown stays; `held_back` counts what came since.
    """

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=MAX_ENTRIES)
        self._shown: deque[Entry] = deque(maxlen=MAX_ENTRIES)
        self._count = 0
        self._looked_at = 0
        self.kinds: tuple[str, ...] = tuple(KINDS)
        self.search = ""
        self.is_paused = False

    def add(self, events: Iterable[Event]) -> None:
        """Take in what happened."""
        for event in events:
            kind = _KIND_OF.get(type(event.fact))
            if kind is not None:
                self._count += 1
                self._entries.append(Entry(self._count, kind, event))

    @property
    def held_back(self) -> int:
        return self._count - self._looked_at if self.is_paused else 0

    def choose(self, kinds: Iterable[str], search: str) -> None:
        """Show only messages of these kinds, with this text in them (without regard to accents or case)."""
        self.kinds, self.search = tuple(kinds), search
        self._shown.clear()
        # A pause holds: what came since stays back under another filter too.
        self._shown.extend(entry for entry in self._entries if entry.number <= self._looked_at and self._is_wanted(entry))

    def clear(self) -> None:
        """Forget everything up to now."""
        self._entries.clear()
        self._shown.clear()
        self._looked_at = self._count

    def shown(self) -> Sequence[Entry]:
        """What is to be seen, the oldest first."""
        if not self.is_paused and self._looked_at < self._count:
            fresh = islice(self._entries, max(0, len(self._entries) - (self._count - self._looked_at)), None)
            self._shown.extend(entry for entry in fresh if self._is_wanted(entry))
            self._looked_at = self._count
            oldest = self._entries[0].number
            while self._shown and self._shown[0].number < oldest:
                self._shown.popleft()
        return self._shown

    def entry(self, key: str) -> Entry | None:
        """The entry of that number, if it is still there."""
        return next((entry for entry in self._shown if str(entry.number) == key), None)

    def _is_wanted(self, entry: Entry) -> bool:
        wanted = fold(self.search)
        return entry.kind in self.kinds and (not wanted or wanted in entry.text)
