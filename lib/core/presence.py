"""Who is in the system: nobody has to be told how many sites there are (contract, section 3, `presence`).

A client says that it arrives until the guichet welcomes it; the guichet then tells it again what it had sold to it. A
guichet that comes back says so to everyone, and everyone presents itself again. Rare heartbeats tell who is still there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from lib.core import messages as say
from lib.core.buying import Client
from lib.core.facts import Effect, PeerMet, Say
from lib.core.messages import EVERYONE, Presence
from lib.core.selling import Guichet

FIRST_PAUSE = 1.0  # seconds until an arrival is said again; doubled each time, up to:
LONGEST_PAUSE = 30.0
# With 200 sites in a ring, this is some 3 messages a second for the clients together and 13 hops a second for the guichet:
# well below 1 % of one core.
CLIENT_HEARTBEAT = 60.0
FIRST_HEARTBEAT = 4.0  # after the welcome; doubled each time, up to the above
GUICHET_HEARTBEAT = 15.0


class GuichetPresence:
    """The guichet's side: it announces itself, welcomes, and keeps the register."""

    def __init__(self, role: Guichet, is_red: Callable[[], bool]) -> None:
        self._role = role
        self._is_red = is_red  # whether a snapshot is open, as newcomers are told
        self.deadline = 0.0

    def start(self, now: float) -> Iterator[Effect]:
        """The guichet lives: everyone may say again what it has not answered."""
        self.deadline = now + GUICHET_HEARTBEAT
        yield from self._role.resume(now)
        yield Say(EVERYONE, Presence(self._role.role, say.ARRIVAL))

    def tick(self, now: float) -> Iterator[Effect]:
        """Give a sign of life when it is time."""
        if now >= self.deadline:
            self.deadline = now + GUICHET_HEARTBEAT
            yield Say(EVERYONE, Presence(self._role.role, say.ALIVE))

    def receive(self, sender: str, life: int, earlier_life: int, body: Presence, now: float) -> Iterator[Effect]:
        """A client arrives, lives, or leaves. `earlier_life` is the life in which it was known until now (0: none)."""
        if body.phase == say.DEPARTURE:
            yield PeerMet(sender, body.role, life, present=False)
        if body.role != Client.role or body.phase == say.DEPARTURE:
            return
        if body.phase == say.ARRIVAL:
            yield self.welcome(sender)
            if not body.remembers and 0 < earlier_life < life:
                yield from self._role.forget_requests(sender)
        if body.sold != self._role.sold_to(sender):
            yield from self._role.tell_again(sender)

    def welcome(self, client: str) -> Say:
        """The answer to an arrival."""
        sold = self._role.sold_to(client)
        return Say(client, Presence(self._role.role, say.WELCOME, sold=sold, is_red=self._is_red()))

    def leave(self) -> Iterator[Effect]:
        """Say goodbye."""
        yield Say(EVERYONE, Presence(self._role.role, say.DEPARTURE))


class ClientPresence:
    """A client's side: it arrives until it is welcome; then it gives signs of life, often at first.

    They say how many tickets it has, and the guichet answers by telling it again of all that are its own, should they be
    more: so a `vendu` that was lost with the client's memory or on its way is made good in the end.
    """

    def __init__(self, role: Client, remembers: bool) -> None:
        self._role = role
        self.remembers = remembers
        self.is_welcome = False
        self._pause = 0.0
        self.deadline = 0.0

    def start(self, now: float) -> Iterator[Effect]:
        """The client lives: it presents itself, and takes its open errands up again."""
        yield from self._arrive(now)
        yield from self._role.resume(now)

    def _arrive(self, now: float) -> Iterator[Effect]:
        self._pause = min(max(FIRST_PAUSE, 2 * self._pause), LONGEST_PAUSE)
        self.deadline = now + self._pause
        yield self._present(say.ARRIVAL)

    def _live(self, now: float) -> Iterator[Effect]:
        self._pause = min(2 * self._pause, CLIENT_HEARTBEAT)
        self.deadline = now + self._pause
        yield self._present(say.ALIVE)

    def _present(self, phase: str) -> Say:
        sold = len(self._role.tickets)
        return Say(self._role.office, Presence(self._role.role, phase, self.remembers, sold))

    def tick(self, now: float) -> Iterator[Effect]:
        """Arrive again while it is in vain; then give a sign of life when it is time."""
        if now >= self.deadline:
            yield from self._live(now) if self.is_welcome else self._arrive(now)

    def receive(self, sender: str, life: int, earlier_life: int, body: Presence, now: float) -> Iterator[Effect]:
        """The guichet welcomes us, has come back, or leaves."""
        if sender != self._role.office:
            return
        if body.phase == say.DEPARTURE:
            yield PeerMet(sender, body.role, life, present=False)
        if body.phase == say.WELCOME and not self.is_welcome:
            self.is_welcome, self._pause = True, FIRST_HEARTBEAT
            self.deadline = now + self._pause
        if body.phase == say.ARRIVAL:
            self.is_welcome, self._pause = False, 0.0
            yield from self._arrive(now)
            yield from self._role.resume(now)

    def leave(self) -> Iterator[Effect]:
        """Say goodbye."""
        yield self._present(say.DEPARTURE)
