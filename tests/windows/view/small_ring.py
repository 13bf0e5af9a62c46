"""A guichet and clients in a ring, in memory: lines go round until nobody has anything left to say."""

from __future__ import annotations

from typing import Any

from lib.core import commands as ask
from lib.core.buying import Client
from lib.core.facts import Event, Reaction
from lib.core.selling import Guichet
from lib.core.sites import ClientSite, GuichetSite
from lib.core.tickets import Journey

JOURNEY = Journey("848362", "2025-03-17T07:10", "Compiègne", "Paris Gare du Nord", 1540)


class SmallRing:
    """`gch` and `clients` in a ring at time `now`; `events` are what happened at each site."""

    def __init__(self, *clients: str, tickets: int = 5) -> None:
        self.now = 1000.0
        self.guichet = GuichetSite(Guichet("gch"), 1, watched=True)
        self.sites: dict[str, Any] = {"gch": self.guichet}
        self.sites |= {name: ClientSite(Client(name), 1, watched=True) for name in clients}
        self.events: dict[str, list[Event]] = {name: [] for name in self.sites}
        self._mail: list[tuple[str, bytes]] = []
        for name, site in self.sites.items():
            self.take(name, site.start(self.now))
        self.do("gch", ask.AddTickets(((JOURNEY, tickets),)))

    def take(self, name: str, reaction: Reaction) -> None:
        self.events[name] += reaction.events
        names = list(self.sites)
        after = names[(names.index(name) + 1) % len(names)]
        self._mail += [(after, line) for line in reaction.lines]

    def do(self, name: str, command: ask.Command, deliver: bool = True) -> None:
        """The user of a site asks for something; then, unless said otherwise, all lines arrive."""
        self.take(name, self.sites[name].command(command, self.now))
        if deliver:
            self.deliver()

    def deliver(self, most: int = 100_000) -> None:
        """Let `most` lines arrive, or as many as there are."""
        while self._mail and most:
            name, line = self._mail.pop(0)
            self.take(name, self.sites[name].hear([line], self.now))
            most -= 1

    def lose_last(self) -> None:
        """The line said last never arrives."""
        self._mail.pop()

    def document(self) -> dict[str, Any]:
        """The document of the guichet's latest snapshot."""
        facts = [event.fact for event in self.events["gch"]]
        return [fact.document for fact in facts if getattr(fact, "document", None)][-1]
