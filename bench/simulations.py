"""Many runs of the simulator, on every core: what was tried, what went wrong on purpose, what came of it.

    python3 -m bench.simulations --runs 100000     seeds 1 to 100,000, in an hour or more; a table for `bench/README.md`

A run that violates an invariant is named with its seed, at once, and the others go on.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from random import Random

from tests import simulator
from tests.simulator import Shape, World

SLICE = 200  # runs that one worker does between two lines on stderr

# What the table says, and the count of the simulator that it is.
FIGURES = (
    ("messages dits", "sent"),
    ("messages reçus par leur site", "received"),
    ("lignes perdues", "lost"),
    ("lignes répétées", "repeated"),
    ("morts avant d'enregistrer", "died before it stored"),
    ("morts entre enregistrer et dire", "died before it spoke"),
    ("morts après avoir dit", "died after it spoke"),
    ("horloges de machine reculées entre deux vies", "clocks set back"),
    ("clients partis sans un mot", "left without a word"),
    ("clients congédiés", "dismissed"),
    ("billets achetés", "bought"),
    ("billets rendus", "given back"),
    ("commandes refusées", "refused commands"),
    ("états enregistrés par un site", "rounds recorded"),
    ("instantanés complets", "rounds complete"),
    ("instantanés clos incomplets", "rounds incomplete"),
    ("messages trouvés dans les canaux", "messages in channels"),
    ("restaurations par le guichet", "restores"),
    ("clients restaurés", "clients restored"),
)


@dataclass(slots=True)
class Tally:
    """What many runs came to."""

    runs: int = 0
    sites: int = 0
    steps: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    topologies: Counter[str] = field(default_factory=Counter)
    shapes: Counter[str] = field(default_factory=Counter)  # runs that had this kind of fault
    failed: list[int] = field(default_factory=list)  # seeds

    def add(self, shape: Shape, world: World) -> None:
        """A run that kept every invariant; `shape` is what its seed drew, before the world was healed."""
        self.sites += len(world.names)
        self.steps += shape.steps
        self.counts.update(world.counts)
        self.topologies[shape.topology] += 1
        faults = {
            "pertes": shape.loss,
            "répétitions": shape.repeat,
            "désordre": shape.reorder,
            "morts": shape.crash,
            "départs": shape.leaves,
            "sites sans mémoire": shape.amnesiacs,
            "aucune faute": not (shape.loss or shape.repeat or shape.reorder or shape.crash),
        }
        self.shapes.update(name for name, there in faults.items() if there)

    def merge(self, other: Tally) -> None:
        """What another worker's runs came to."""
        self.runs += other.runs
        self.sites += other.sites
        self.steps += other.steps
        self.counts.update(other.counts)
        self.topologies.update(other.topologies)
        self.shapes.update(other.shapes)
        self.failed += other.failed

    def table(self) -> str:
        """The figures, in Markdown."""
        rows = [
            ("simulations", _number(self.runs)),
            ("invariants violés", _number(len(self.failed))),
            ("graphes", _listed(self.topologies)),
            ("simulations avec", _listed(self.shapes)),
            ("sites, en tout", _number(self.sites)),
            ("pas sous les fautes, en tout", _number(self.steps)),
            *((what, _number(self.counts[key])) for what, key in FIGURES),
        ]
        return "\n".join(["| Quoi | Combien |", "| --- | --- |", *(f"| {what} | {value} |" for what, value in rows)])


def _number(count: int) -> str:
    return f"{count:,}".replace(",", "\u202f")


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {_number(count)}" for name, count in sorted(counts.items()))


def simulate(seeds: Iterable[int]) -> Tally:
    """Run these seeds; those that violate an invariant are named on stderr at once."""
    tally = Tally()
    for seed in seeds:
        tally.runs += 1
        try:
            tally.add(Shape.draw(Random(seed)), simulator.run(seed))
        except Exception as error:  # whatever it was: the seed replays it
            tally.failed.append(seed)
            _say(f"VIOLATION  {error}\n    python3 -m tests.simulator --runs 1 --seed {seed}")
    return tally


def simulate_everywhere(seeds: range) -> Tally:
    """The same, on every core; stderr says how far it is. Whoever interrupts it gets what came to an end."""
    tally, began = Tally(), time.monotonic()
    slices = [seeds[start : start + SLICE] for start in range(0, len(seeds), SLICE)]
    pool = ProcessPoolExecutor()
    try:
        for part in pool.map(simulate, slices):
            tally.merge(part)
            _say(f"{tally.runs} : {time.monotonic() - began:.0f} s, {len(tally.failed)} violations")
    except KeyboardInterrupt:
        _say("interrompu : le tableau de ce qui est fait")
    finally:
        pool.shutdown(cancel_futures=True)
    return tally


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main(arguments: Sequence[str]) -> int:
    """Simulate, and print the table; the status says whether every invariant held."""
    parser = argparse.ArgumentParser(prog="python3 -m bench.simulations", description="Simule, et imprime un tableau.")
    parser.add_argument("--runs", type=int, default=1000, help="combien de simulations (1000)")
    parser.add_argument("--seed", type=int, default=1, help="la graine de la première (1)")
    options = parser.parse_args(arguments)
    tally = simulate_everywhere(range(options.seed, options.seed + options.runs))
    print(tally.table())
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
