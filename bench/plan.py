"""What a soak does, drawn from one seed: the graph, what is wrong with its links, and what happens when. PURE.

The same seed, sites and minutes give the same plan, and so the same commands, deaths and cuts at the same moments. What the
processes make of it depends on the machine: a soak is not replayed to the last message, as a simulation is.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from bench.driver import PAIRS

OFFICE = "gch"
QUIET = 20.0  # seconds at the end in which nobody dies and nothing is asked for: what is under way comes to its end
# Faults come in bursts: in the rest of each minute snapshots can become whole, and so be verified and loaded back.
MINUTE, ROUGH = 60.0, 30.0  # seconds

# What happens, how often (times a second, in all), and for how many seconds at least and at most.
RESERVE, CONSULT, GIVE_BACK, PHOTOGRAPH, RESTORE = "reserve", "consult", "give back", "photograph", "restore"
KILL, FREEZE, CUT = "kill", "freeze", "cut"
RATES = {
    RESERVE: (4.0, 0, 0),
    GIVE_BACK: (3.4, 0, 0),
    CONSULT: (0.6, 0, 0),
    PHOTOGRAPH: (1 / 5, 0, 0),
    RESTORE: (1 / 40, 0, 0),
    KILL: (1 / 5, 0.0, 6.0),
    FREEZE: (1 / 8, 0.5, 12.0),  # longer than an offer is held, now and then
    CUT: (1 / 8, 0.5, 8.0),
}
FAULTS = (KILL, FREEZE, CUT)


@dataclass(frozen=True, slots=True)
class Step:
    """At `at` seconds `what` happens to `who` (a site, or for a cut a link) for `seconds`; `dice` chooses among what is
    there then: a pair of stations, a ticket of the client's, a file."""

    at: float
    what: str
    who: str
    seconds: float
    dice: int


@dataclass(frozen=True, slots=True)
class Plan:
    """`links` are the directed links with what `cable.py` is told of each; `spared` are sites that nobody kills, so that one
    life of theirs lasts the whole soak."""

    sites: tuple[str, ...]
    links: dict[tuple[str, str], str]
    spared: tuple[str, ...]
    steps: tuple[Step, ...]


def draw(seed: int, sites: int, seconds: float) -> Plan:
    """The plan of this seed, for `sites` sites (at least 2) and so many seconds."""
    chance = Random(seed)
    names = (OFFICE, *(f"c{number}" for number in range(1, sites)))
    links = {link: _faults(chance, seed, may_lose=is_extra) for link, is_extra in _graph(chance, names).items()}
    spared = tuple(sorted(chance.sample(names, max(1, sites // 3))))
    return Plan(names, links, spared, tuple(_steps(chance, names, sorted(links), spared, seconds)))


def _graph(chance: Random, names: tuple[str, ...]) -> dict[tuple[str, str], bool]:
    """A random tree both ways, and half as many links more, each one way: connected, whatever is drawn. Of each link,
    whether it is one more."""
    links: dict[tuple[str, str], bool] = {}
    for place, name in enumerate(names[1:], 1):
        other = chance.choice(names[:place])
        links |= {(name, other): False, (other, name): False}
    for _ in range(len(names) // 2):
        links.setdefault(tuple(chance.sample(names, 2)), True)
    return links


def _faults(chance: Random, seed: int, may_lose: bool) -> str:
    """Settings for `cable.py`. A link of the tree is clean in one of three, and loses nothing but what a cut stops: where
    messages that have no other way are lost all the time, no snapshot would be whole."""
    if not may_lose and chance.random() < 1 / 3:
        return ""
    faults = {
        "delai": chance.choice([0, 5, 50, 300]),
        "gigue": chance.choice([0, 20, 200]),
        "perte": chance.choice([0.01, 0.1]) if may_lose else 0,
        "doublon": chance.choice([0, 0.05, 0.2]),
        "desordre": chance.choice([0, 0.1, 0.3]),
    }
    return " ".join(f"{name}={value}" for name, value in faults.items()) + f" graine={seed}"


def _steps(
    chance: Random, names: tuple[str, ...], links: list[tuple[str, str]], spared: tuple[str, ...], seconds: float
) -> list[Step]:
    steps = []
    for what, (rate, least, most) in RATES.items():
        # A guichet is asked as often to start a snapshot as any client; only clients buy; the spared are not killed.
        may = [name for name in names if what in (PHOTOGRAPH, RESTORE, FREEZE) or (what == KILL and name not in spared)]
        whom = may or (["->".join(link) for link in links] if what == CUT else list(names[1:]))
        at = chance.expovariate(rate)
        while at < seconds - QUIET:
            step = Step(at, what, chance.choice(whom), chance.uniform(least, most), chance.randrange(len(PAIRS)))
            if what not in FAULTS or at % MINUTE < ROUGH:
                steps.append(step)
            at += chance.expovariate(rate)
    return sorted(steps, key=lambda step: step.at)
