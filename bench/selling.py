"""Item (c): complete reservations a second at a real guichet with a store, and how many share an fsync."""

from __future__ import annotations

import re
import shutil
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from bench.driver import Driver, write_timetable
from bench.machine import cpu
from bench.processes import guichet, piped
from bench.relaying import Saturated
from bench.table import Row, figure, spread

CLIENTS, WINDOW = 20, 8  # some 160 lines under way: 25 KB, less than a pipe holds


def reservations(folder: Path, tickets: int, seconds: float, repeat: int) -> list[Row]:
    """Against the naive loop, in turns with it."""
    timetable = write_timetable(folder / "timetable.csv", tickets)
    options = (f"--billets={timetable}", f"--donnees={folder / 'office'}")
    with ExitStack() as stack:
        naive = Saturated(stack, folder, 100_000 if seconds > 1 else 10_000)
        office = stack.enter_context(piped([guichet(*options)], folder / "errors"))
        driver = Driver(office, CLIENTS, WINDOW)
        driver.arrive()
        driver.run(seconds / 4)
        before, used = driver.done, cpu(office.pid)
        pairs = [(naive.naive(), driver.run(seconds)) for _ in range(repeat)]
        each = (cpu(office.pid) - used) / (driver.done - before) * 1e6
    ratios = [ours / loop * 100 for loop, ours in pairs]
    rate = Row(
        f"Réservations complètes au guichet, avec --donnees (/s), {CLIENTS} clients × {WINDOW}",
        figure(median(ours for _, ours in pairs)),
        median(ratios),
        f"boucle naïve : {figure(median(loop for loop, _ in pairs))}",
        f"{spread(ratios)} %",
        "≥ 2 %",
        median(ratios) >= 2,
    )
    return [
        rate,
        Row("  processeur du guichet par réservation (µs)", figure(each), each),
        *_synchronised(folder, timetable),
    ]


def _synchronised(folder: Path, timetable: Path) -> list[Row]:
    """How many reservations share an fsync: counted by strace, in a run of its own, for watching costs time."""
    what = "  réservations par fsync (compté par strace)"
    if not shutil.which("strace"):
        return [Row(what, "strace n'est pas installé", 0.0, target="≥ 10")]
    counts = folder / "strace"
    strace = ("strace", "-f", "-qq", "-e", "trace=fsync,fdatasync", "-o", str(counts))
    options = (f"--billets={timetable}", f"--donnees={folder / 'traced'}")
    with piped([(*strace, *guichet(*options))], folder / "errors") as office:
        driver = Driver(office, CLIENTS, WINDOW)
        driver.arrive()
        before = _fsyncs(counts)
        driver.run(1.0)
        made = _fsyncs(counts) - before
    ratio = driver.done / max(1, made)
    return [Row(what, figure(ratio), ratio, f"{driver.done} réservations, {made} fsync", "", "≥ 10", ratio >= 10)]


def _fsyncs(counts: Path) -> int:
    return len(re.findall(r"\b(?:fsync|fdatasync)\(", counts.read_text()))
