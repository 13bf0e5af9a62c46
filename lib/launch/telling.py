"""What happens at the sites, told to people as it happens: short lines, and tables of tickets."""

from __future__ import annotations

from collections.abc import Sequence

from lib.launch import phrases
from lib.launch.screen import Screen
from lib.launch.traces import Event
from lib.texts import Text

# The events that are told. (Commands that are refused are told besides where the site's own complaints are not seen.)
KINDS = frozenset({"request", "ticket", "state", "snapshot", "restore", "redeliver", "anew"})
MAX_LINES = 30  # events of one look: more would scroll away unread
_MAX_ROWS = 20  # rows of one table


class Teller:
    """Tells events on `screen`, each with its time by the wall and by Lamport."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen

    def tell(self, events: Sequence[Event]) -> None:
        """These happened, in this order."""
        for event in events[:MAX_LINES]:
            self._tell_event(event)
        self.tell_rest(len(events) - MAX_LINES, Text("événements", "events"))

    def _tell_event(self, event: Event) -> None:
        text = phrases.sentence(event)
        if text:
            stamp = self._screen.paint(phrases.stamp(event), "quiet")
            self._screen.line(f"{stamp} {self._screen.words(phrases.by_whom(event.site, text))}")
            self._tell_tickets(event)

    def _tell_tickets(self, event: Event) -> None:
        tickets = event.objects("tickets")
        if tickets:
            columns = phrases.LEDGER if phrases.is_guichet_state(event) else phrases.TICKET
            rows = [columns.row(ticket, self._screen.language) for ticket in tickets[:_MAX_ROWS]]
            self._screen.table(columns.headings, rows, columns.right)
            self.tell_rest(len(tickets) - _MAX_ROWS, Text("billets", "tickets"))

    def tell_rest(self, number: int, what: Text) -> None:
        """Say how many more there were, if there were."""
        if number > 0:
            self._screen.say(Text(f"    ... et {number} autres {what.fr}", f"    ... and {number} more {what.en}"), "quiet")
