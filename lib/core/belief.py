"""How far a site believes the numbers that it is told: beyond, a line is dropped, whoever seems to have said it.

A line carries no proof of who wrote it: whoever can write on a pipe can lie (docs/protocole.md, "La confiance"). Most lies
are made good by the next true word. But clocks, lives, rounds and epochs only ever grow, and fit into `wire.MAX_DIGITS`
digits: a lie that carried one of them to its end would outlive everything that is said after it. So none is believed that
is more than can have happened by now.

The bound is the same for all, whatever each has heard: were it a leap from what a site knows, a lie in small steps would
carry one site out of the others' sight for ever. And it grows with time, faster than what sites come to: they outlive it.
"""

from __future__ import annotations

# Seconds of which something can have happened, before the machine's time 0: 66 years. A machine that does not know the
# date, and believes that it is 1970, hears the others all the same.
MARGIN = 2.1 * 10**9
MAX_RATE = 20_000  # events a second of a whole system: more than its pipes carry


def is_stamp(timestamp: int, now: float) -> bool:
    """Whether so many events can have happened by `now` (Unix seconds)."""
    return timestamp <= MAX_RATE * (now + MARGIN)


def is_round(number: int, now: float) -> bool:
    """Whether so many rounds, or epochs, can have been: one a second."""
    return number <= now + MARGIN


def is_life(life: int, now: float) -> bool:
    """Whether a life can have that number: they are counted up from the milliseconds of the clock."""
    return life <= 1000 * (now + MARGIN)
