"""What a broker serves: where it listens, with or without TLS, and the graph of its sites."""

from __future__ import annotations

from dataclasses import dataclass, replace

from lib.broker.member import Member
from lib.launch import graph
from lib.launch.wiring import Wiring
from lib.texts import Problem

LOOPBACK = "127.0.0.1"
PLAIN_PORT, TLS_PORT = 1883, 8883  # MQTT's own (IANA)


@dataclass(frozen=True, slots=True)
class Plan:
    """Where the broker listens, and whom it serves. `is_brief`: its journal does not tell of what it refuses in the middle
    of a connection, for that costs a third of what it can carry (measured)."""

    host: str
    port: int
    tls: bool
    wiring: Wiring
    is_brief: bool = False

    def reads(self, site: str) -> tuple[str, ...]:
        """Those who write to `site`."""
        return tuple(edge.source for edge in self.wiring.edges if edge.target == site)

    def member(self, site: str, password: str, authority: str = "") -> Member:
        """What `site` needs to take part."""
        guichet, neighbours = self.wiring.guichet, self.wiring.neighbours(site)
        return Member(site, guichet, self.host, self.port, password, self.reads(site), neighbours, authority)

    def changed(self, added: tuple[str, ...], removed: tuple[str, ...]) -> Plan:
        """The plan with these links (`c9 -- c2`) and without these sites. Raises `Problem`."""
        for site in removed:
            if site not in self.wiring.sites or site == self.wiring.guichet:
                raise Problem(f"--retirer : {site} n'est pas un client d'ici", f"--retirer: {site} is no client here")
        kept = tuple(edge for edge in self.wiring.edges if not {edge.source, edge.target} & set(removed))
        lines = [graph.text(replace(self.wiring, edges=kept)), *added]
        return replace(self, wiring=graph.parse("\n".join(lines), "--retirer" if removed else "--ajouter"))
