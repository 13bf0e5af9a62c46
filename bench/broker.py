"""What a message broker costs: the same sites over Mosquitto and over pipes, in a ring and in a star."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.machine import cpu, pss
from bench.photographs import Load, Rounds
from bench.rings import Ring, ring
from bench.table import Row, figure, spread
from lib.broker.programs import find
from lib.texts import Problem

SHAPES = ("anneau", "étoile")
BUSY = 10  # reservations under way together: on two cores that are all machines at once, more are only repeated more often
_SAID = re.compile(rb'"ev":"(?:send|relay)"')


@dataclass(frozen=True, slots=True)
class Seen:
    """One run: reservations a second (several times), seconds of quiet snapshots; and over a broker, the processor time (µs)
    that it took for each delivery, and the memory (MB) that it and all its clients took."""

    rates: list[float]
    snapshots: list[float]
    each: float = 0.0
    memory: float = 0.0
    clients: float = 0.0


def broker(folder: Path, sizes: tuple[int, ...], count: int, window: float, repeat: int) -> list[Row]:
    """For so many sites on one broker: reservations, snapshots, memory, against pipes."""
    try:
        find("mosquitto")
    except Problem:
        return [Row("Courtier", "mosquitto n'est pas installé", 0.0)]
    return [row for size in sizes for shape in SHAPES for row in _compared(folder, size, shape, count, window, repeat)]


def _compared(folder: Path, size: int, shape: str, count: int, window: float, repeat: int) -> list[Row]:
    name = folder / f"{shape}-{size}"
    graph = name.with_suffix(".txt")
    names = ["gch", *(f"c{number}" for number in range(1, size))]
    followed = zip(names, names[1:] + names[:1], strict=True)
    edges = [f"{a} -> {b}" for a, b in followed] if shape == "anneau" else [f"gch -- {client}" for client in names[1:]]
    graph.write_text("\n".join(edges))
    piped = _run(name.with_name(f"{name.name}-pipes"), size, graph, count, window, repeat, fan_out=0)
    fan_out = 1 if shape == "anneau" else size - 1
    over = _run(name.with_name(f"{name.name}-mqtt"), size, graph, count, window, repeat, fan_out)
    return _rows(f"{size} sites en {shape}", size, over, piped)


def _run(folder: Path, size: int, graph: Path, count: int, window: float, repeat: int, fan_out: int) -> Seen:
    """`fan_out`: over a broker, how many read what the guichet writes; 0: over pipes."""
    with ring(folder, size - 1, graph=graph, options=["--mqtt"] if fan_out else []) as (made, _):
        quiet = Rounds(made)
        quiet.take_some(count)
        load = Load(made, BUSY)
        load.start()
        made.wait_for(lambda: load.done > 2 * load.waiting, "the load does not begin")
        mosquitto = int((folder / "courtier" / "courtier.pid").read_text()) if fan_out else 0
        before, used = _deliveries(made, fan_out), cpu(mosquitto) if mosquitto else 0.0
        rates = [_rate(made, load, window) for _ in range(repeat)]
        if not mosquitto:
            load.stop()
            return Seen(rates, quiet.seconds)
        each = (cpu(mosquitto) - used) / (_deliveries(made, fan_out) - before) * 1e6
        load.stop()
        return Seen(rates, quiet.seconds, each, pss(mosquitto), sum(map(pss, _clients_of(mosquitto))))


def _rate(made: Ring, load: Load, window: float) -> float:
    done = load.done
    made.pump_for(window)
    return (load.done - done) / window


def _deliveries(made: Ring, fan_out: int) -> int:
    """How many lines the broker has delivered: one for each that a client wrote, `fan_out` for each of the guichet's."""
    said = {site: len(_SAID.findall(made.trace(site).read_bytes())) for site in made.sites}
    return sum(said.values()) + (fan_out - 1) * said["gch"]


def _clients_of(mosquitto: int) -> list[int]:
    """The processes of `mosquitto_sub` and `mosquitto_pub`: the broker's sisters."""
    parent = Path(f"/proc/{mosquitto}/stat").read_text().rpartition(")")[2].split()[1]
    sisters = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return [int(pid) for pid in sisters if Path(f"/proc/{pid}/comm").read_text().startswith("mosquitto_")]


def _rows(what: str, size: int, over: Seen, piped: Seen) -> list[Row]:
    ratios = [ours / median(piped.rates) for ours in over.rates]
    times, reference = [1000 * s for s in over.snapshots], median(1000 * s for s in piped.snapshots)
    return [
        Row(
            f"{what}, par le courtier : réservations par seconde",
            spread(over.rates),
            median(over.rates),
            f"par des tubes : {figure(median(piped.rates))}",
            f"× {spread(ratios)}",
        ),
        Row(
            "  instantané au repos (ms)",
            spread(times),
            median(times),
            f"par des tubes : {figure(reference)}",
            f"× {figure(median(times) / reference)}",
        ),
        Row("  processeur du courtier par ligne remise (µs)", figure(over.each), over.each),
        Row(
            "  mémoire du courtier (PSS, Mo)",
            figure(over.memory),
            over.memory,
            f"ses clients : {figure(over.clients / size)} par site",
        ),
    ]
