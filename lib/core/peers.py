"""Whom a site has heard of, and how its application messages with each of them are numbered.

The ranks of a pair of sites start from 1 when one of the two comes back in a new life, and in every new epoch, on both
sides (contract, section 5): so what was said to, or by, a life that is over is nobody's loss and nobody's debt. What is
said to a site whose life is not known yet (a client's first words) is heard, but not counted: it will be said again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from lib.core.facts import PeerMet
from lib.core.intervals import MAX_INTERVALS, Intervals, room_for
from lib.core.relay import MAX_NAMES


@dataclass(slots=True)
class Peer:
    """One other site: its latest life (0: not heard of yet), the last rank said to it, the ranks received from it.

    `cut` is the last rank said to it before our latest recording. `present` is False from the moment that it said that it
    leaves, or was `dismissed`. `last_heard` is when a message of its own was received (Unix seconds; 0: not in our life);
    `claims` how often in a row it said that it has more tickets than we know. `room`: intervals of ranks that are kept.
    """

    name: str
    role: str = ""
    life: int = 0
    present: bool = True
    dismissed: bool = False
    last_heard: float = 0.0
    claims: int = 0
    sent: int = 0
    cut: int = 0
    room: int = MAX_INTERVALS
    received: Intervals = field(init=False)

    def __post_init__(self) -> None:
        self.received = Intervals(limit=self.room)

    def start_ranks_anew(self) -> None:
        """Both sides do this at a new life of either, and in a new epoch."""
        self.sent = self.cut = 0
        self.received = Intervals(limit=self.room)


class Peers:
    """The other sites, by name."""

    def __init__(self, known: Iterable[PeerMet] = ()) -> None:
        self._peers: dict[str, Peer] = {}
        for met in known:
            self._peers[met.name] = Peer(*met, room=self._room)

    def __getitem__(self, name: str) -> Peer:
        """The peer of that name, known or not yet."""
        if name not in self._peers:
            self._peers[name] = Peer(name, room=self._room)
        return self._peers[name]

    @property
    def _room(self) -> int:
        """For the next one: those that forgers invent share what they can make us keep."""
        return room_for(len(self._peers) + 1)

    def get(self, name: str) -> Peer | None:
        """The peer of that name, if it was ever heard of."""
        return self._peers.get(name)

    def are_too_many_with(self, name: str) -> bool:
        """Whether this one would be one more than a system of ours can have."""
        return name not in self._peers and len(self._peers) >= MAX_NAMES

    def all(self) -> list[Peer]:
        """Everybody heard of, in the order of their names."""
        return [self._peers[name] for name in sorted(self._peers)]

    def present(self, role: str) -> list[str]:
        """The names of those of this role that have not left."""
        return [peer.name for peer in self.all() if peer.role == role and peer.present]

    def start_ranks_anew(self) -> None:
        """A new epoch begins."""
        for peer in self._peers.values():
            peer.start_ranks_anew()

    def meet(self, name: str, life: int, now: float) -> bool:
        """A message of that life of `name` was received: is it a life that we had not heard of?"""
        peer = self[name]
        peer.last_heard = now
        if life <= peer.life:
            return False
        peer.start_ranks_anew()
        peer.life = life
        return True
