"""Lamport's clock: "Time, Clocks, and the Ordering of Events in a Distributed System" (1978), IR1 and IR2."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lib.core.clock import LamportClock

times = st.integers(0, 10**6)


@given(times)
def test_ir1_the_clock_grows_between_any_two_successive_events(start: int) -> None:
    """IR1: "Each process Pi increments Ci between any two successive events." """
    clock = LamportClock(start)
    assert clock.tick() == start + 1 == clock.time
    assert clock.tick() == start + 2 == clock.time


@given(times, times)
def test_ir2_a_receipt_is_later_than_the_sending_and_than_the_own_past(own: int, timestamp: int) -> None:
    """IR2: "... sets Cj greater than or equal to its present value and greater than Tm"; contract, 2:
    "on receipt max(own, received) + 1"."""
    clock = LamportClock(own)
    assert clock.receive(timestamp) == max(own, timestamp) + 1 == clock.time


@given(st.lists(st.none() | times))
def test_the_clock_never_stands_still_and_never_goes_back(received: list[int | None]) -> None:
    """Contract, 2: "C(send) < C(receive), strictly, always, and the clock never goes back"."""
    clock = LamportClock()
    for timestamp in received:
        before = clock.time
        after = clock.tick() if timestamp is None else clock.receive(timestamp)
        assert after == clock.time > before
        assert timestamp is None or after > timestamp


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), max_size=30))
def test_the_clock_condition_holds_along_every_chain_of_messages(hops: list[tuple[int, int]]) -> None:
    """Lamport's Clock Condition: "for any events a, b: if a -> b then C(a) < C(b)"."""
    clocks = [LamportClock() for _ in range(3)]
    latest = [0, 0, 0]  # the greatest stamp that each site's next event depends on
    for sender, receiver in hops:
        sent = clocks[sender].tick()
        assert sent > latest[sender]
        latest[sender] = sent
        received = clocks[receiver].receive(sent)
        assert received > max(latest[receiver], sent)
        latest[receiver] = received
