"""Lai and Yang's snapshot, with rounds instead of two colours (Lai & Yang 1987; Mattern 1993; contract, section 5).

The rule of the cut:

    Every message carries the number of the round that its emitter had entered when it sent it.
    A site enters a round by recording its state; on a message of a newer round, BEFORE that message touches anything.
    So no message sent after its emitter's recording is received before its receiver's: the cut is coherent.
    An application message of an older round that arrives after the recording was in the channel: it is recorded too.
    Ranks tell when the channel's record is whole: every rank sent before the cut is received before it, or is recorded.

`Recorder` is every site's part, `Collector` the guichet's. The roles do not know that either exists.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from lib.core import audit, wire
from lib.core import messages as say
from lib.core.audit import Finding
from lib.core.commands import CommandRefused
from lib.core.facts import Effect, Say, SnapshotMoved
from lib.core.messages import EVERYONE, Message, Reset, SnapshotCall, SnapshotState, SnapshotTransit
from lib.core.recording import State, parse

FIRST_PAUSE = 2.0  # seconds until a report or a call is said again; doubled each time
# Who has heard nothing of the end of a round for this many times the guichet's delay is alone: it turns white again.
LONELY = 3.0
# What one round may hold, against those who forge reports: characters of states, and messages of channels (of a site's, and
# of all). That is a million tickets sold, and many more messages than the pipes between 500 sites.
MAX_GATHERED = 128 * 2**20
MAX_CROSSING = 100_000

COMPLETE, INCOMPLETE, RECORDED, CLOSED = "complete", "incomplete", "recorded", "closed"


class Progress(NamedTuple):
    """How far the gathering of a round has come: `reported` of `expected` sites, `missing` in words, and when the round
    is closed at the latest (Unix seconds)."""

    round: int
    reported: int
    expected: int
    missing: tuple[str, ...]
    closes_at: float


class Recorder:
    """A site's part: it enters rounds, reports its state and what was in its channels, and learns how rounds end.

    `capture(now)` gives the site's state; `office` collects. `delay` is the guichet's patience with a round, in seconds.
    """

    def __init__(self, name: str, office: str, round: int, capture: Callable[[float], State], delay: float) -> None:
        self.round = round
        self.is_open = False
        self._name = name
        self._office = office
        self._capture = capture
        self._delay = delay
        self._report: list[say.Body] = []
        self._pause = 0.0
        self._next_report = 0.0
        self._give_up = 0.0

    def start(self, now: float) -> Iterator[Effect]:
        """The user wants a snapshot: enter the next round, and call the others. Refused while a round is open."""
        if self.is_open:
            raise CommandRefused("round_open", str(self.round))
        yield from self.enter(self.round + 1, now, initiates=True)
        if self.is_open:  # a guichet that is alone is done already
            yield Say(EVERYONE, SnapshotCall(self.round))

    def enter(self, round: int, now: float, initiates: bool = False) -> Iterator[Effect]:
        """Record the state, before anything of the round touches it, and report it."""
        assert round > self.round, "a site never records twice for a round"
        self.round, self.is_open = round, True
        state = self._capture(now)
        self._pause, self._give_up = FIRST_PAUSE, now + LONELY * self._delay
        self._next_report = now + self._pause
        yield SnapshotMoved(round, RECORDED)
        yield from self._recorded(state, initiates, now)

    def _recorded(self, state: State, initiates: bool, now: float) -> Iterator[Effect]:
        text = json.dumps(state, ensure_ascii=False, separators=(",", ":"))
        parts = wire.in_parts(text)
        self._report = [
            SnapshotState(self.round, initiates, number, len(parts), part) for number, part in enumerate(parts, 1)
        ]
        yield from self._say_report()

    def _say_report(self) -> Iterator[Effect]:
        for body in self._report:
            yield Say(self._office, body)

    def crossed(self, message: Message, now: float) -> Iterator[Effect]:
        """An application message of an older round was delivered: it was in the channel when we recorded."""
        if self.is_open and len(self._report) < MAX_CROSSING:
            body = SnapshotTransit(self.round, message)
            self._report.append(body)
            yield Say(self._office, body)

    def receive(self, message: Message, now: float) -> Iterator[Effect]:
        """The guichet says that a round is over."""
        body = message.body
        if isinstance(body, Reset) and body.round == self.round and message.sender == self._office:
            yield from self.close(CLOSED)

    def conclude(self, now: float) -> Iterator[Effect]:
        """All lines that were read together are heard: the guichet looks whether the round is whole."""
        yield from ()

    def close(self, phase: str) -> Iterator[Effect]:
        """The round is over here: the site is white again."""
        if self.is_open:
            self.is_open, self._report = False, []
            yield SnapshotMoved(self.round, phase)

    @property
    def deadline(self) -> float | None:
        """When `tick` wants to be called next."""
        return min(self._next_report, self._give_up) if self.is_open else None

    def tick(self, now: float) -> Iterator[Effect]:
        """Report again what may have been lost; nothing stays red for ever."""
        if not self.is_open:
            return
        if now >= self._give_up:
            yield from self.close(INCOMPLETE)
        elif now >= self._next_report:
            self._pause *= 2
            self._next_report = now + self._pause
            yield from self._say_report()


@dataclass(slots=True)
class _Round:
    """What the guichet has gathered of one round."""

    number: int
    expected: dict[str, None]
    closes_at: float
    initiators: dict[str, None] = field(default_factory=dict)
    states: dict[str, State] = field(default_factory=dict)
    parts: dict[str, wire.Parts] = field(default_factory=dict)
    channels: dict[tuple[str, str, int, int], dict[int, State]] = field(default_factory=dict)  # with the lives of both
    size: int = 0  # characters of states, finished or not
    crossing: int = 0  # messages of channels


class Collector(Recorder):
    """The guichet's part: what every site does, and the gathering of the round.

    `known` gives the names of the sites that take part now, `left` of those that did and have left, `epoch` the epoch.
    """

    def __init__(
        self,
        name: str,
        round: int,
        capture: Callable[[float], State],
        delay: float,
        known: Callable[[], list[str]],
        left: Callable[[], list[str]],
        epoch: Callable[[], int],
    ) -> None:
        super().__init__(name, name, round, capture, delay)
        self._known = known
        self._left = left
        self._epoch = epoch
        self._gathered: _Round | None = None
        self._has_news = False  # since it was looked whether the round is whole
        self._last_issue = (round, False)  # the round closed last, and whether it was complete

    def enter(self, round: int, now: float, initiates: bool = False) -> Iterator[Effect]:
        """Record, and begin to gather; an open round that nobody will complete any more is closed first."""
        if self._gathered is not None:
            yield from self._finish(now)
        self._gathered = _Round(round, dict.fromkeys([self._name, *self._known()]), now + self._delay)
        yield from super().enter(round, now, initiates)
        yield from self._finish_if_whole(now)

    def _recorded(self, state: State, initiates: bool, now: float) -> Iterator[Effect]:
        assert self._gathered is not None
        self._gathered.states[self._name] = state
        if initiates:
            self._gathered.initiators[self._name] = None
        yield from ()

    def crossed(self, message: Message, now: float) -> Iterator[Effect]:
        """A message in flight to the guichet itself."""
        gathered = self._gathered
        if gathered is not None:
            self._keep(message, gathered.states[self._name]["life"])
            self._has_news = True
        yield from ()

    def join(self, name: str) -> None:
        """A site arrives while the round is open: it takes part."""
        if self._gathered is not None:
            self._gathered.expected[name] = None

    def part(self, name: str, now: float) -> Iterator[Effect]:
        """A site leaves for good: the round does not wait for the state that it will not report."""
        if self._gathered is not None and name not in self._gathered.states:
            self._gathered.expected.pop(name, None)
            yield from self._finish_if_whole(now)

    def receive(self, message: Message, now: float) -> Iterator[Effect]:
        """A site calls for a round, reports its state, or a message of its channels."""
        sender, body = message.sender, message.body
        round = getattr(body, "round", 0)
        gathered = self._gathered
        if gathered is None or round != gathered.number:
            # A round that is over, or whose gathering died with an earlier life of ours: who still reports is red.
            if isinstance(body, SnapshotState) and body.part == 1 and round <= self.round:
                is_complete = self._last_issue == (round, True)
                yield Say(sender, Reset(round, is_complete))
            return
        if isinstance(body, SnapshotCall):
            gathered.initiators[sender] = None
        elif isinstance(body, SnapshotTransit) and body.message.to == sender:
            self._keep(body.message, message.life)
        elif isinstance(body, SnapshotState):
            self._gather(sender, message.life, body, gathered)
        self._has_news = True

    def conclude(self, now: float) -> Iterator[Effect]:
        """Look once for many lines: all that was gathered is looked at, and a report may have thousands."""
        if self._has_news:
            yield from self._finish_if_whole(now)

    def _gather(self, sender: str, life: int, body: SnapshotState, gathered: _Round) -> None:
        if body.initiates:
            gathered.initiators[sender] = None
        if gathered.size > MAX_GATHERED:
            return
        parts = gathered.parts.setdefault(sender, wire.Parts())
        gathered.size -= parts.size
        text = parts.put(life, body.part, body.parts, body.text)
        gathered.size += parts.size
        state = None if text is None else read_state(text)
        # A site that came back in a newer life within the round is seen as it is now.
        if state is not None and state["life"] >= gathered.states.get(sender, {"life": 0})["life"]:
            gathered.states[sender] = state
            gathered.expected[sender] = None

    def _keep(self, message: Message, life: int) -> None:
        """Keep a message of the channel to a site, as that site reports it in its life `life`."""
        assert self._gathered is not None
        gathered, pair = self._gathered, (message.sender, message.to, message.life, life)
        channel = gathered.channels.get(pair, {})
        if message.rank not in channel:
            if gathered.crossing >= MAX_CROSSING:
                return
            gathered.crossing += 1
        gathered.channels[pair] = channel
        channel[message.rank] = {
            "id": message.id,
            "rank": message.rank,
            "type": wire.type_of(message.body),
            "timestamp": message.timestamp,
            "fields": wire.fields_of(message.body),
        }

    # ------------------------------------------------------------------------------------------------------- its end

    def missing(self) -> list[Finding]:
        """What the open round still waits for; empty when no round is open."""
        gathered = self._gathered
        if gathered is None:
            return []
        return audit.missing(gathered.states, self._channels(gathered), list(gathered.expected))

    @property
    def progress(self) -> Progress | None:
        """How far the open round has come; None when no round is open."""
        gathered = self._gathered
        if gathered is None:
            return None
        missing = tuple(map(describe, self.missing()))
        return Progress(gathered.number, len(gathered.states), len(gathered.expected), missing, gathered.closes_at)

    def _channels(self, gathered: _Round) -> audit.Channels:
        """What belongs to the cut: the messages between the lives in which both sites are recorded."""
        lives = {name: state["life"] for name, state in gathered.states.items()}
        return {
            (sender, receiver): messages
            for (sender, receiver, life, receiver_life), messages in gathered.channels.items()
            if lives.get(sender, life) == life and lives.get(receiver, receiver_life) == receiver_life
        }

    def _finish_if_whole(self, now: float) -> Iterator[Effect]:
        self._has_news = False
        gathered = self._gathered
        if gathered is not None and len(gathered.states) >= len(gathered.expected) and not self.missing():
            yield from self._finish(now)

    def _finish(self, now: float) -> Iterator[Effect]:
        """Close the round, complete or not, and tell everyone: they are white again."""
        gathered, missing = self._gathered, self.missing()
        assert gathered is not None
        document = self._document(gathered, missing)
        self._gathered = None
        self._last_issue = (gathered.number, not missing)
        self.is_open = False
        phase = INCOMPLETE if missing else COMPLETE
        yield SnapshotMoved(gathered.number, phase, tuple(missing), document)
        yield Say(EVERYONE, Reset(gathered.number, not missing))

    def _document(self, gathered: _Round, missing: list[Finding]) -> audit.Document:
        channels = self._channels(gathered)
        sites = {name: gathered.states[name] for name in sorted(gathered.states)}
        left = sorted(set(self._left()) - set(sites))
        lost = audit.unconserved(sites, channels, self._name, left)
        return {
            "format": audit.FORMAT,
            "round": gathered.number,
            "epoch": self._epoch(),
            "initiators": sorted(gathered.initiators),
            "collector": self._name,
            "complete": not missing,
            "missing": [describe(finding) for finding in missing],
            "expected": sorted(gathered.expected),
            "left": left,
            "sites": sites,
            "channels": [
                {"from": pair[0], "to": pair[1], "messages": [messages[rank] for rank in sorted(messages)]}
                for pair, messages in sorted(channels.items())
                if messages
            ],
            "checks": {
                "tickets": len(sites[self._name]["tickets"]),
                "conserved": not lost,
                "coherent": not audit.incoherent(sites, channels),
            },
        }

    def abandon(self, now: float) -> Iterator[Effect]:
        """Close the open round, if any: what it photographs is about to be replaced."""
        if self._gathered is not None:
            yield from self._finish(now)

    @property
    def deadline(self) -> float | None:
        """When `tick` wants to be called next."""
        return None if self._gathered is None else min(self._gathered.closes_at, self._next_report)

    def tick(self, now: float) -> Iterator[Effect]:
        """Call again those that may not have heard; close a round that does not become whole."""
        gathered = self._gathered
        if gathered is None:
            return
        if now >= gathered.closes_at:
            yield from self._finish(now)
        elif now >= self._next_report:
            self._pause *= 2
            self._next_report = now + self._pause
            for name in gathered.expected:
                if name not in gathered.states:
                    yield Say(name, SnapshotCall(gathered.number))


def describe(finding: Finding) -> str:
    """A finding as the file and the trace name it: `c2`, or `c3 -> gch 17-19`."""
    ranks = ",".join(str(first) if first == last else f"{first}-{last}" for first, last in finding.ranks)
    return f"{finding.where} {ranks}".strip()


def read_state(text: str) -> State | None:
    """The state that a site reported; None when it is none. What it claims is checked by the audit."""
    try:
        state: Any = parse(text)
    except ValueError:
        return None
    return state if audit.is_state(state, "client") else None
