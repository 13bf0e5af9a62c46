"""Who writes into whom.

A wiring is a list of edges between names; it knows no file, no process, and not of what kind a link is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

GUICHET = "gch"


@dataclass(frozen=True, slots=True)
class Edge:
    """What `source` writes on its stdout, `target` reads on its stdin."""

    source: str
    target: str

    def __str__(self) -> str:
        return f"{self.source}->{self.target}"


@dataclass(frozen=True, slots=True)
class Wiring:
    """The sites, in the order in which they are started and named, the edges between them, and which is the guichet."""

    sites: tuple[str, ...]
    edges: tuple[Edge, ...]
    guichet: str = GUICHET

    @property
    def clients(self) -> tuple[str, ...]:
        """All sites but the guichet."""
        return tuple(site for site in self.sites if site != self.guichet)

    def neighbours(self, site: str) -> tuple[str, ...]:
        """Whom `site` hears and who hears it, upstream first, each once: for its option `--voisins`."""
        upstream = [edge.source for edge in self.edges if edge.target == site]
        downstream = [edge.target for edge in self.edges if edge.source == site]
        return tuple(dict.fromkeys(upstream + downstream))

    def by_source(self) -> dict[str, list[Edge]]:
        """What leaves each site."""
        return {site: edges for site in self.sites if (edges := [edge for edge in self.edges if edge.source == site])}


def clients(number: int) -> tuple[str, ...]:
    """The names of the clients: c1, c2, ..."""
    return tuple(f"c{rank}" for rank in range(1, number + 1))


def ring(sites: Iterable[str]) -> Wiring:
    """Each site writes into the next one, the last into the first."""
    names = tuple(sites)
    return Wiring(names, tuple(Edge(source, target) for source, target in zip(names, names[1:] + names[:1], strict=True)))


def parts(sites: Sequence[str], edges: Iterable[Edge]) -> list[list[str]]:
    """The parts of a graph in each of which every site can be heard by every other; one, if the system can work."""
    onward: dict[str, list[str]] = defaultdict(list)
    back: dict[str, list[str]] = defaultdict(list)
    for edge in edges:
        onward[edge.source].append(edge.target)
        back[edge.target].append(edge.source)
    found: list[list[str]] = []
    left = dict.fromkeys(sites)
    while left:
        first = next(iter(left))
        both = _reached(first, onward) & _reached(first, back)
        found.append([site for site in left if site in both])
        left = dict.fromkeys(site for site in left if site not in both)
    return found


def _reached(start: str, neighbours: Mapping[str, Sequence[str]]) -> set[str]:
    """Every site to which there is a way from `start`, itself included."""
    reached, ahead = {start}, [start]
    while ahead:
        new = [site for site in neighbours.get(ahead.pop(), ()) if site not in reached]
        reached.update(new)
        ahead += new
    return reached
