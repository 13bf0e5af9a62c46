"""Who writes into whom.

A wiring is a list of edges between names; it knows no file and no process. Today every site writes into one other
(a ring); the FIFO of a site has one writer, as contract section 1 wants it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

GUICHET = "gch"


@dataclass(frozen=True, slots=True)
class Edge:
    """What `source` writes on its stdout, `target` reads on its stdin."""

    source: str
    target: str


@dataclass(frozen=True, slots=True)
class Wiring:
    """The sites, in the order in which they are started and named, and the edges between them."""

    sites: tuple[str, ...]
    edges: tuple[Edge, ...]

    def target(self, site: str) -> str:
        """The one site that reads what `site` writes."""
        (target,) = (edge.target for edge in self.edges if edge.source == site)
        return target

    def neighbours(self, site: str) -> tuple[str, ...]:
        """Whom `site` hears and who hears it, upstream first, each once: for its option `--voisins`."""
        upstream = [edge.source for edge in self.edges if edge.target == site]
        downstream = [edge.target for edge in self.edges if edge.source == site]
        return tuple(dict.fromkeys(upstream + downstream))


def clients(number: int) -> tuple[str, ...]:
    """The names of the clients: c1, c2, ..."""
    return tuple(f"c{rank}" for rank in range(1, number + 1))


def ring(sites: Iterable[str]) -> Wiring:
    """Each site writes into the next one, the last into the first."""
    names = tuple(sites)
    return Wiring(names, tuple(Edge(source, target) for source, target in zip(names, names[1:] + names[:1], strict=True)))
