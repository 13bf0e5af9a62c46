"""Passing messages on, in any topology: every message passes a site once.

    A relay is the network's, not the site's: it merges no clock, changes no colour, counts nothing (contract, section 2).
    It drops what it has seen, what comes back to its emitter, and keeps to itself what was for its own site alone.

The cheap path is cheap: a line whose first fields are written as we write them, by sites heard before, is cut at its first
five `^` and not looked into any further. `_study` takes every other line apart with care, and learns from it what the
cheap path may recognise; the two must agree, and a test holds them to it.

Other applications may share our pipes. Their lines have no identity that we could know them again by: with `transit` each
is passed on as it is, every time that it is read, and what never comes to rest is theirs to stop; without, it is ignored.
"""

from __future__ import annotations

from lib.core import belief, wire
from lib.core.intervals import Intervals, room_for
from lib.core.messages import EVERYONE

# Names (emitters, neighbours, receivers) that are remembered. No system of ours comes near; a site that hears of more is
# fed forged names, and drops those that come last: to forget the first ones instead would let their messages go round.
MAX_NAMES = 10_000
# Lives of one emitter that are told apart. A message of a life before these is dropped: it is that many restarts old.
MAX_LIVES = 16
# Lines of other applications that are passed on in a second. Where sites write to several neighbours each hop multiplies
# them, and nobody can stop one that goes round: it must not take all that the pipes carry. (A site of ours passes 100,000.)
MAX_TRANSIT = 1000
_ZERO = ord("0")
_BELL = b"\x07"


class Verdict:
    """What becomes of one line: handed to the site (`deliver`), written out as `onward`, or dropped for `reason`."""

    __slots__ = ("deliver", "onward", "reason")

    def __init__(self, deliver: bool = False, onward: bytes | None = None, reason: str = "") -> None:
        self.deliver = deliver
        self.onward = onward
        self.reason = reason


_DUPLICATE = Verdict(reason="duplicate")
_RETURNED = Verdict(reason="own message come back")
CROWD, LIFE, IN_OUR_NAME = "too many emitters", "life beyond belief", "said in our name"
_CROWD = Verdict(reason=CROWD)
_LIFE = Verdict(reason=LIFE)
_IN_OUR_NAME = Verdict(reason=IN_OUR_NAME)
_OLD_LIFE = Verdict(reason="life too old")
_OTHERS = Verdict(reason="another application's")
_FOR_US = Verdict(deliver=True)


def _passed_on(ours: bool, line: bytes) -> Verdict:
    """Our name may be longer than the last forwarder's: a line that the next site could not read is not written."""
    return Verdict(ours, line) if len(line) < wire.MAX_READ else Verdict(ours, reason="too long to be passed on")


class _Seen:
    """What has been seen of one emitter: per life, the sequence numbers. The life last heard is kept at hand."""

    __slots__ = ("field", "lives", "numbers")

    def __init__(self) -> None:
        self.lives: dict[int, Intervals] = {}
        self.field = b""  # `numero~1`: how the identities of the life at hand begin
        self.numbers = Intervals()

    def turn_to(self, life: int, room: int) -> bool:
        """Put the numbers of `life` at hand, with `room` for so many holes if it is new; False when that life is too old to
        tell what was seen of it."""
        if life not in self.lives:
            if len(self.lives) >= MAX_LIVES:
                oldest = min(self.lives)
                if life < oldest:
                    return False
                del self.lives[oldest]
            self.lives[life] = Intervals(limit=room)
        self.field, self.numbers = f"numero~{life}".encode(), self.lives[life]
        return True


def _without_header(line: bytes) -> bytes:
    """The payload behind a header as we write it; another header stays, and is taken apart with care."""
    at = line.find(b"^")
    return line[at:] if line[at - 1 : at] == _BELL == line[:1] and line.count(_BELL) in (3, 4) else line


def _repeats_a_field(text: str) -> bool:
    """Whether one of the first fields stands again further on: then the last of them counts."""
    return "^emetteur~" in text or "^numero~" in text or "^destinataire~" in text or "^transmettant~" in text


class Relay:
    """The relay of site `name`, which writes its lines under `header`, and lets lines of others pass with `transit`.

    `heard` tells when a line of each neighbour was read last, by the name that it writes as `transmettant`; `ignores`
    whether a line of another application was ignored. While it `is_clogged`, since what was written is not read, none is
    passed on. `own` is the life and number of what the site itself said last, as it says: what comes from farther ahead in
    its name, another one has said.
    """

    def __init__(self, name: str, header: str = "", transit: bool = False) -> None:
        self._name = name
        self._header = header
        self._transit = transit
        self._transit_since, self._in_transit = 0.0, 0  # a second of transit, and the lines that passed in it
        self.ignores = False
        self.is_clogged = False
        self.own = (0, 0)
        self._start = f"{header}^transmettant~{name}".encode()
        self._emitters: dict[bytes, _Seen] = {}
        self._lives = 0  # of all emitters, ever
        self._forwarders: dict[bytes, str] = {}
        self._last_heard: dict[bytes, float] = {}
        # Who a line is for, by its field: is it for us, and must it go on?
        self._receivers = {self._field(name): (True, False), self._field(EVERYONE): (True, True)}

    @staticmethod
    def _field(to: str) -> bytes:
        return b"destinataire~" + to.encode()

    @property
    def heard(self) -> dict[str, float]:
        return {name: self._last_heard[field] for field, name in self._forwarders.items()}

    def examine(self, line: bytes, now: float) -> Verdict:
        """What becomes of `line`, read at `now` (Unix seconds). Raises `Malformed` when it is none of ours."""
        payload = line if line[:1] == b"^" else _without_header(line)
        try:
            before, forwarder, emitter, number, to, rest = payload.split(b"^", 5)
            seen = self._emitters[emitter]
            ours, goes_on = self._receivers[to]
            self._last_heard[forwarder]  # a neighbour that we know
            text = rest.decode()  # searched in a quarter of the time that bytes take
        except (ValueError, KeyError):
            return self._study(line, now)
        key_and_life, _, sequence = number.partition(b".")
        is_whole = not before and text.isprintable() and text[-1:] == "^" != text[-2:-1]
        is_number = sequence.isdigit() and len(sequence) <= wire.MAX_DIGITS and sequence[0] != _ZERO
        if not (is_whole and is_number and key_and_life == seen.field) or _repeats_a_field(text):
            return self._study(line, now)
        self._last_heard[forwarder] = now
        if not seen.numbers.add(int(sequence)):
            return _DUPLICATE
        if not goes_on:
            return _FOR_US
        return _passed_on(ours, self._start + payload[1 + len(forwarder) :])

    def _study(self, line: bytes, now: float) -> Verdict:
        """The careful path: any mode, any order of keys, names never heard before."""
        text = wire.text_of(line)
        fields = wire.Fields(wire.payload_of(text))
        if wire.is_of_others(text, fields):
            return self._pass_others(line, now)
        forwarder, emitter, to = fields.name("transmettant"), fields.name("emetteur"), wire.destination_of(fields)
        life, sequence = fields.identity("numero")
        if not self._hear(forwarder, now):
            return _CROWD
        if emitter == self._name:
            return _RETURNED if (life, sequence) <= self.own else _IN_OUR_NAME
        if not belief.is_life(life, now):
            return _LIFE
        seen = self._emitters.get(key := b"emetteur~" + emitter.encode())
        if seen is None:
            if len(self._emitters) >= MAX_NAMES:
                return _CROWD
            seen = self._emitters[key] = _Seen()
        self._lives += life not in seen.lives
        if not seen.turn_to(life, room_for(self._lives)):
            return _OLD_LIFE
        if not seen.numbers.add(sequence):
            return _DUPLICATE
        if to == self._name:
            return _FOR_US
        self._learn_receiver(to)
        return _passed_on(to == EVERYONE, wire.with_forwarder(line, self._name, self._header))

    def _pass_others(self, line: bytes, now: float) -> Verdict:
        """A line of another application goes on untouched, or is ignored. Raises `Malformed` when there are too many."""
        if not self._transit:
            self.ignores = True
            return _OTHERS
        if not self._transit_since <= now < self._transit_since + 1.0:
            self._transit_since, self._in_transit = now, 0
        self._in_transit += 1
        if self.is_clogged or self._in_transit > MAX_TRANSIT:
            raise wire.Malformed("too much transit")
        return Verdict(onward=line)

    def _hear(self, forwarder: str, now: float) -> bool:
        """Note that a line of this neighbour was read; False when there are too many of them to be true."""
        if forwarder == self._name:  # what we said ourselves: AIRPLUG's scripts give it back to us
            return True
        field = b"transmettant~" + forwarder.encode()
        if field not in self._forwarders:
            if len(self._forwarders) >= MAX_NAMES:
                return False
            self._forwarders[field] = forwarder
        self._last_heard[field] = now
        return True

    def _learn_receiver(self, to: str) -> None:
        if len(self._receivers) < MAX_NAMES:  # beyond, lines for new names take the careful path: slower, but right
            self._receivers.setdefault(self._field(to), (False, True))
