"""Whether the broker can be reached, from what is seen of it: what it says every other second, and how connections end.

mosquitto's clients come back by themselves to a broker that went away, without a word: so silence has to be noticed here.
"""

from __future__ import annotations

from collections import deque

from lib.words import LINK

GOOD, AWAY, REFUSED, FORGED, CONTESTED = LINK  # the words of `lib.words`, in their order
UNKNOWN = ""

SILENCE = 6.0  # seconds: three times what the broker lets pass between two words
_OFTEN, _LATELY = 6, 30.0  # so many new connections within so many seconds: somebody else uses the same accounts

# What is said at the end of a connection, in part; all else is a broker that is away.
_COMPLAINTS = {"not authorised": REFUSED, "certificate": FORGED}


class Link:
    """How one site stands with the broker. Times are seconds of a clock that is handed in."""

    def __init__(self, now: float) -> None:
        self.complaint = ""  # the last one, in mosquitto's words
        self._heard = now
        self._trouble = ""
        self._greetings: deque[float] = deque(maxlen=_OFTEN)

    def state(self, now: float) -> str:
        """One of the words of `lib.words.LINK`; empty before anything is known."""
        if self._trouble in (REFUSED, FORGED):
            return self._trouble
        if len(self._greetings) == _OFTEN and now - self._greetings[0] < _LATELY:
            return CONTESTED
        if self._trouble or now - self._heard > SILENCE:
            return AWAY
        return GOOD if self._greetings else UNKNOWN

    def alive(self, now: float, *, is_greeting: bool) -> None:
        """The broker spoke; `is_greeting`: because we have just connected."""
        self._heard, self._trouble, self.complaint = now, "", ""
        if is_greeting:
            self._greetings.append(now)

    def ended(self, complaint: str) -> None:
        """A connection ended, for this reason as far as is known."""
        self.complaint = complaint
        self._trouble = next((word for part, word in _COMPLAINTS.items() if part in complaint), AWAY)
