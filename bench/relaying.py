"""Passing lines on: how many a second when there are many, and how long a lone one takes, against naive loops."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from bench.machine import cpu
from bench.processes import NAIVE, NAIVE_IN_CHAIN, Piped, client, piped
from bench.table import Row, figure, spread

WIDTH = 143  # bytes of a line, with its newline
EMITTERS = 5
SEEN_EVERY = 10  # one line in so many was seen before


def line(emitter: str, life: int, sequence: int, to: str = "z9") -> bytes:
    """A line that a client has only to pass on, as one of our sites would write it, of the width of the measures."""
    text = (
        f"^transmettant~a1^emetteur~{emitter}^numero~{life}.{sequence}^destinataire~{to}^type~reset^estampille~7"
        "^instantane~0^epoque~0^tour~1^issue~complet^x~"
    )
    return text.ljust(WIDTH - 2, "0").encode() + b"^\n"


def write_lines(path: Path, count: int, life: int) -> int:
    """A file of `count` lines of several emitters, one in ten of which was seen before; how many are to come out."""
    fresh = 0
    with path.open("wb") as file:
        latest: list[bytes] = []
        for number in range(count - 1):
            if number % SEEN_EVERY == SEEN_EVERY - 1:
                file.write(latest[number // SEEN_EVERY % len(latest)])
                continue
            latest = [*latest[-8:], line(f"e{fresh % EMITTERS}", life, fresh // EMITTERS + 1)]
            file.write(latest[-1])
            fresh += 1
        file.write(line("last", life, 1))
    return fresh + 1


def seconds_for(relay: Piped, path: Path, life: int, expected: int) -> float:
    """How long the lines of a file take to pass a relay that is already running; all of them must have come."""
    began = time.perf_counter()
    with subprocess.Popen(["cat", path], stdout=relay.stdin) as feeder:
        blocks = relay.read_until(f"^emetteur~last^numero~{life}.1^".encode())
        took = time.perf_counter() - began
        feeder.wait()
    passed = b"".join(blocks).count(f"^numero~{life}.".encode())
    assert passed == expected, f"{passed} lines came out, not {expected}"
    return took


class Saturated:
    """A naive loop and a relay under test, both running, that take their turns with the same lines."""

    def __init__(self, stack: ExitStack, folder: Path, count: int, *options: str) -> None:
        self._folder, self._count, self._life = folder, count, 0
        self._naive = stack.enter_context(piped([NAIVE], folder / "errors"))
        self._ours = stack.enter_context(piped([client("relais", *options)], folder / "errors"))
        self.once()  # the first pass warms both up

    def naive(self) -> float:
        """Lines a second through the naive loop."""
        return self._pass(self._naive, drops=False)

    def once(self) -> tuple[float, float]:
        """Lines a second through the naive loop and through ours, one after the other."""
        naive = self._pass(self._naive, drops=False)
        return naive, self._pass(self._ours, drops=True)

    def cpu(self) -> tuple[float, float]:
        """Seconds of processor time that both have used so far."""
        return cpu(self._naive.pid), cpu(self._ours.pid)

    def _pass(self, relay: Piped, drops: bool) -> float:
        self._life += 1
        path = self._folder / "lines"
        fresh = write_lines(path, self._count, self._life)
        return self._count / seconds_for(relay, path, self._life, fresh if drops else self._count)


def saturated(folder: Path, count: int, repeat: int) -> list[Row]:
    """Item (a): lines a second."""
    rows = []
    for what, options, target in (
        ("Relais saturé, lignes de 143 o, 10 % déjà vues (lignes/s)", (), 2.0),
        ("  le même avec --trace (comme sous le lanceur)", (f"--trace={folder / 'relais.jsonl'}",), None),
    ):
        with ExitStack() as stack:
            lines = count if target else count // 4
            relays = Saturated(stack, folder, lines, *options)
            before = relays.cpu()
            pairs = [relays.once() for _ in range(repeat)]
            passes = zip(before, relays.cpu(), strict=True)
            used = [(after - earlier) / (lines * repeat) * 1e6 for earlier, after in passes]
        rows += [_ratio(what, pairs, target), _cpu_row(*used)]
    return rows


def _cpu_row(naive: float, ours: float) -> Row:
    """Processor time, which depends less than the rates on who else is at work."""
    what = "  processeur par ligne (µs)"
    ratio = f"× {figure(naive / ours)}" if ours else ""
    return Row(what, figure(ours), ours + 1e-9, f"boucle naïve : {figure(naive)}", ratio)


def _ratio(what: str, pairs: Sequence[tuple[float, float]], target: float | None) -> Row:
    ratios = [ours / naive for naive, ours in pairs]
    return Row(
        what,
        figure(median(ours for _, ours in pairs)),
        median(ratios),
        f"boucle naïve : {figure(median(naive for naive, _ in pairs))}",
        f"× {spread(ratios)}",
        f"≥ × {figure(target)}" if target else "",
        median(ratios) >= target if target else None,
    )


# --------------------------------------------------------------------------------------------------------------- laps

HOPS = 4


def laps(folder: Path, count: int) -> list[Row]:
    """Item (b): the time of a lone line through four idle relays, against four naive loops, lap by lap in turns."""
    names = [f"c{number}" for number in range(1, HOPS + 1)]
    stored = f"--donnees={folder / 'laps'}"
    with ExitStack() as stack:
        naive = stack.enter_context(piped([NAIVE_IN_CHAIN] * HOPS, folder / "errors"))
        variants = {
            "Tour d'un message par 4 relais au repos (µs)": [client(name) for name in names],
            "  les mêmes avec --donnees": [client(name, stored) for name in names],
            "  les mêmes avec --donnees et --trace (comme sous le lanceur)": [
                client(f"t{name}", stored, f"--trace={folder / name}.jsonl") for name in names
            ],
        }
        ours = {what: stack.enter_context(piped(chain, folder / "errors")) for what, chain in variants.items()}
        for chain in ours.values():
            _welcome(chain)
        times = _take_turns([naive, *ours.values()], count)
    return [_lap_row(what, times[0], lap) for what, lap in zip(ours, times[1:], strict=True)]


def _welcome(chain: Piped) -> None:
    """A client that nobody welcomes says again and again that it arrives: wait for it, and welcome it."""
    names = [process.args[3].partition("=")[2] for process in chain.processes]  # type: ignore[index,union-attr]
    heard: set[str] = set()
    while len(heard) < len(names):
        heard |= {text.partition(b"emetteur~")[2].partition(b"^")[0].decode() for text in chain.lines()}
    for number, name in enumerate(names, 1):
        chain.write(
            f"^transmettant~gch^emetteur~gch^numero~1.{number}^destinataire~{name}^type~presence^estampille~{number}"
            "^instantane~0^epoque~0^role~guichet^volet~bienvenue^memoire~0^vendus~0^rouge~0^\n".encode()
        )


def _take_turns(chains: Sequence[Piped], count: int) -> list[list[float]]:
    """Microseconds of each lap of each chain; the first tenth warms up."""
    times: list[list[float]] = [[] for _ in chains]
    warm = max(10, count // 10)
    for number in range(1, warm + count + 1):
        for chain, taken in zip(chains, times, strict=True):
            taken.append(_lap(chain, number))
    return [taken[warm:] for taken in times]


def _lap(chain: Piped, number: int) -> float:
    message = line("e1", 1, number)
    began = time.perf_counter()
    chain.write(message)
    chain.read_until(f"^numero~1.{number}^destinataire~z9".encode())
    return (time.perf_counter() - began) * 1e6


def _lap_row(what: str, naive: list[float], ours: list[float]) -> Row:
    ratio = median(ours) / median(naive)
    return Row(
        what,
        figure(median(ours)),
        ratio,
        f"4 boucles naïves : {figure(median(naive))}",
        f"× {figure(ratio)}",
        "≤ × 2",
        ratio <= 2,
    )
