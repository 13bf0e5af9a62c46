"""`python3 -m bench`: every measure, one table. `--help` says the rest."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from bench import broker, machine, photographs, relaying, rings, selling, starting, stock, topologies, windows
from bench.table import Row, as_markdown, as_text

Measure = Callable[[Path], list[Row]]

# What is measured, by the name that `--only` takes: at full size, and small.
MEASURES: dict[str, tuple[Measure, Measure]] = {
    "relais": (
        lambda folder: relaying.saturated(folder, 300_000, 7),
        lambda folder: relaying.saturated(folder, 10_000, 1),
    ),
    "tour": (lambda folder: relaying.laps(folder, 1000), lambda folder: relaying.laps(folder, 30)),
    "reservations": (
        lambda folder: selling.reservations(folder, 200_000, 3.0, 5),
        lambda folder: selling.reservations(folder, 20_000, 0.5, 1),
    ),
    "foule": (
        lambda folder: rings.crowds(folder, (100, 200), 3),
        lambda folder: rings.crowds(folder, (5,), 1),
    ),
    "consultation": (
        lambda folder: stock.consultations(stock.SIZES, 20_000, 5),
        lambda folder: stock.consultations((1000, 10_000), 1000, 1),
    ),
    "import": (
        lambda folder: starting.imports(folder, 100_000, 3),
        lambda folder: starting.imports(folder, 2000, 1),
    ),
    "fenetres": (
        lambda folder: windows.windows(folder, 100_000, 10_000, 10.0, 3),
        lambda folder: windows.windows(folder, 1000, 300, 0.5, 1),
    ),
    "instantane": (
        lambda folder: photographs.snapshots(folder, (4, 20, 100), 9, 4.0, 3),
        lambda folder: photographs.snapshots(folder, (3,), 3, 0.5, 1),
    ),
    "courtier": (
        lambda folder: broker.broker(folder, (10, 40, 100), 9, 5.0, 3),
        lambda folder: broker.broker(folder, (4,), 3, 0.5, 1),
    ),
    "topologies": (
        lambda folder: topologies.topologies(folder, topologies.READY, 20, 300_000, 3),
        lambda folder: topologies.topologies(folder, ("y",), 2, 10_000, 3),
    ),
}


def main(arguments: Sequence[str]) -> int:
    """Measure what is asked for, and print the table."""
    options = _parser().parse_args(arguments)
    rows = measure(options.only or list(MEASURES), options.quick, options.dossier)
    if options.markdown:
        print(f"Machine : {machine.description()}.\n\n{as_markdown(rows)}")
    else:
        print(f"{machine.description()}\n\n{as_text(rows)}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -m bench", description="Mesure tout, et imprime un tableau.")
    parser.add_argument("--quick", action="store_true", help="tout en petit, en moins de 30 s")
    parser.add_argument("--markdown", action="store_true", help="le tableau en Markdown, pour bench/README.md")
    parser.add_argument("--only", nargs="+", choices=MEASURES, metavar="MESURE", help=", ".join(MEASURES))
    parser.add_argument("--dossier", type=Path, help="où mettre mémoires et tubes pendant la mesure (le disque compte)")
    return parser


def measure(names: Sequence[str], quick: bool, parent: Path | None = None) -> list[Row]:
    """The rows of these measures. What they write while they measure is removed."""
    rows = []
    for name in names:
        before = machine.load()
        with tempfile.TemporaryDirectory(prefix="bench-", dir=parent) as folder:
            rows += MEASURES[name][quick](Path(folder))
        print(f"{name} : charge {before} -> {machine.load()}", file=sys.stderr, flush=True)
    return rows


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
