"""One link over time: lines go in, wait for as long as their fate wants, and come out. The time is handed in.

A pipe keeps the order of its lines, and so does a link, however late each line is. Only a line that is set aside is
overtaken: by as many of the next ones as its fate says, or by fewer when they are long in coming.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from lib.cable.faults import Fate, Faults
from lib.texts import Text

# Bytes that may wait in a link: many times what 200 sites say while one of them stands still for as long as an offer
# holds, and twice what makes a site call its neighbour deaf (`streams.FULL`). Who feeds the link stops at this mark if it
# can; what comes all the same may be two more reads of a pipe. Beyond, it is lost and counted: who misses it asks again.
LIMIT = 32 * 2**20
_BEYOND = 2 * 65536
_COST = 100  # bytes that a line takes beside its own
ASIDE = 1.0  # seconds for which a line that nobody overtakes is kept aside: the last of a conversation must arrive too


@dataclass(slots=True)
class Counts:
    """What a link did to how many lines: `read` + `doubled` = `delivered` + `lost` + `cut` + `overflowed` + `untaken` + what
    waits."""

    read: int = 0
    delivered: int = 0
    lost: int = 0
    cut: int = 0  # lost because they came while the link was cut
    overflowed: int = 0  # lost because too much waited
    untaken: int = 0  # handed over, but the other end was gone, or its disk full
    doubled: int = 0
    overtaken: int = 0
    delayed: int = 0


@dataclass(slots=True, eq=False)
class _Aside:
    """A line that lets `others` pass, but waits no longer than `until`."""

    line: bytes
    jitter: float
    others: int
    until: float


class Link:
    """The link of this name, with these faults. Times are seconds of any clock that does not go back."""

    def __init__(self, name: str, faults: Faults) -> None:
        self.name = name
        self.counts = Counts()
        self.is_cut = False
        self.is_paused = False
        self.faults = faults  # to be changed by `set`
        self._queue: deque[tuple[float, bytes]] = deque()  # when it is due, and the line; in order
        self._aside: list[_Aside] = []
        self._size = 0  # bytes that wait
        self._free_at = 0.0  # when the last line will have gone through a link of limited rate
        self._steps = 0  # lines that may pass in spite of the pause

    @property
    def waiting(self) -> int:
        """How many lines wait."""
        return len(self._queue) + len(self._aside)

    @property
    def is_full(self) -> bool:
        """Whether who feeds it should stop."""
        return self._size > LIMIT

    @property
    def deadline(self) -> float:
        """When something will be due; infinity when nothing will."""
        aside = min((line.until for line in self._aside), default=math.inf)
        if not self._queue or (self.is_paused and not self._steps):
            return aside
        return min(aside, self._queue[0][0])

    # ------------------------------------------------------------------------------------------------- what comes in

    def take(self, lines: Iterable[bytes], now: float) -> None:
        """These lines have come."""
        for line in lines:
            self.counts.read += 1
            if self.is_cut:
                self.counts.cut += 1
            else:
                self._accept(line, self.faults.fate(self.name, self.counts.read), now)

    def _accept(self, line: bytes, fate: Fate, now: float) -> None:
        self.counts.lost += fate.copies == 0
        self.counts.doubled += fate.copies == 2
        set_aside = fate.overtaken > 0
        for _ in range(fate.copies - set_aside):
            self._enter(line, fate.jitter, now)
            if self._aside:
                self._be_overtaken(now)
        if set_aside:
            self.counts.overtaken += 1
            self._size += len(line) + _COST
            self._aside.append(_Aside(line, fate.jitter, fate.overtaken, now + ASIDE))

    def _be_overtaken(self, now: float) -> None:
        """One line has passed those that are set aside."""
        for waiting in self._aside:
            waiting.others -= 1
        self._bring_back(now)

    def _bring_back(self, now: float) -> None:
        """Those that have been set aside for long enough go on."""
        back = [waiting for waiting in self._aside if waiting.others <= 0 or waiting.until <= now]
        self._aside = [waiting for waiting in self._aside if waiting not in back]
        for waiting in back:
            self._size -= len(waiting.line) + _COST
            self._enter(waiting.line, waiting.jitter, now)

    def _enter(self, line: bytes, jitter: float, now: float) -> None:
        if self._size > LIMIT + _BEYOND:
            self.counts.overflowed += 1
            return
        due = self._due(line, jitter, now)
        self.counts.delayed += due > now
        self._queue.append((due, line))
        self._size += len(line) + _COST

    def _due(self, line: bytes, jitter: float, now: float) -> float:
        """When a line that enters now has passed, or when those before it have."""
        start = now
        if self.faults.rate:
            start = self._free_at = max(now, self._free_at) + (len(line) + 1) / self.faults.rate
        return start + self.faults.delay / 1000 + jitter

    # ------------------------------------------------------------------------------------------------ what comes out

    def release(self, now: float, room: int) -> list[bytes]:
        """The lines that are due, as many as fit into `room` bytes with their newlines: they count as delivered."""
        if self._aside:
            self._bring_back(now)
        lines: list[bytes] = []
        while self._queue and self._may_pass(now) and len(self._queue[0][1]) < room:
            _, line = self._queue.popleft()
            room -= len(line) + 1
            self._size -= len(line) + _COST
            self._steps -= self.is_paused
            lines.append(line)
        self.counts.delivered += len(lines)
        return lines

    def _may_pass(self, now: float) -> bool:
        return self._steps > 0 if self.is_paused else self._queue[0][0] <= now

    # ----------------------------------------------------------------------------------------------- what it is told

    def set(self, faults: Faults, now: float) -> None:
        """Other faults for what comes. What waits need not wait for longer than if it entered now: who heals a link that
        was too slow for what it carries does not wait for hours until the queue is gone."""
        self.faults, self._free_at = faults, now
        self._queue = deque((min(due, self._due(line, faults.jitter / 1000, now)), line) for due, line in self._queue)

    def cut(self) -> None:
        """From now on what comes is lost; what was on its way arrives."""
        self.is_cut = True

    def mend(self) -> None:
        self.is_cut = False

    def pause(self) -> None:
        """What comes waits, and so does what was on its way."""
        self.is_paused = True

    def resume(self) -> None:
        self.is_paused, self._steps = False, 0

    def step(self) -> bytes | None:
        """Lets the next line pass in spite of the pause, be it due or not; that line, None when there is none."""
        if not self.is_paused or self._steps >= len(self._queue):
            return None
        self._steps += 1
        return self._queue[self._steps - 1][1]

    # --------------------------------------------------------------------------------------------------- what it says

    @property
    def report(self) -> Text:
        """What it did to how many lines, in a sentence."""
        figures = self._figures()
        return Text(
            ", ".join(f"{number} {words.fr}" for words, number in figures),
            ", ".join(f"{number} {words.en}" for words, number in figures),
        )

    def _figures(self) -> list[tuple[Text, int]]:
        counts = self.counts
        always = [
            (Text("lues", "read"), counts.read),
            (Text("livrées", "delivered"), counts.delivered),
            (Text("perdues", "lost"), counts.lost),
            (Text("doublées", "doubled"), counts.doubled),
            (Text("dépassées", "overtaken"), counts.overtaken),
            (Text("retardées", "delayed"), counts.delayed),
        ]
        seldom = [
            (Text("arrêtées par la coupure", "stopped by the cut"), counts.cut),
            (Text("de trop (file pleine)", "too many (queue full)"), counts.overflowed),
            (Text("que personne n'a prises", "that nobody took"), counts.untaken),
            (Text("en attente", "waiting"), self.waiting),
        ]
        return always + [figure for figure in seldom if figure[1]]
