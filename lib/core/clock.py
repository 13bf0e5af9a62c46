"""Lamport's logical clock (Lamport 1978, "Time, Clocks, and the Ordering of Events in a Distributed System", IR1 and IR2).

    IR1  before every local event and every send: C := C + 1
    IR2  on the receipt of a message stamped T:   C := max(C, T) + 1

Hence C(send) < C(receive), strictly, and along a site C never stands still between two events.
"""

from __future__ import annotations


class LamportClock:
    """The clock of one site. `time` is the stamp of its latest event; it never goes back."""

    __slots__ = ("time",)

    def __init__(self, time: int = 0) -> None:
        self.time = time

    def tick(self) -> int:
        """A local event, or a send, takes place: its stamp (IR1)."""
        self.time += 1
        return self.time

    def receive(self, timestamp: int) -> int:
        """A message stamped `timestamp` is received: the stamp of the receipt (IR2)."""
        self.time = max(self.time, timestamp) + 1
        return self.time
