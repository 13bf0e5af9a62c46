"""The windows: what they cost at rest, how long a flood keeps their user waiting, what a list of 100,000 tickets takes."""

from __future__ import annotations

import os
import random
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle, pairwise
from pathlib import Path
from statistics import median

from bench.driver import PAIRS, Driver, write_timetable
from bench.machine import ROOT, cpu
from bench.processes import LIMIT, Piped, TooLong, piped
from bench.table import Row, figure, spread
from lib.core.facts import Event, TicketMoved
from lib.core.selling import Guichet
from lib.core.tickets import FREE, Journey, Ticket
from lib.windows.view.guichet import Choice, Office

TICK = 5  # milliseconds between two looks of the timer that is kept waiting


def windows(folder: Path, tickets: int, lines: int, seconds: float, repeat: int) -> list[Row]:
    """At a guichet with so many tickets: a flood of `lines` consultations, and `seconds` of rest."""
    lists = _lists(tickets, repeat)
    if not shutil.which("Xvfb"):
        return [Row("Fenêtres", "Xvfb n'est pas installé", 0.0), *lists]
    timetable = write_timetable(folder / "timetable.csv", tickets)
    with _screen() as display:
        rest = _rest(folder, display, timetable, seconds)
        floods = [_flood(folder / f"ticks{number}", display, timetable, lines) for number in range(repeat)]
    return [*rest, *_waiting(lines, floods), *lists]


@contextmanager
def _screen() -> Iterator[str]:
    """A screen that nobody sees: its name."""
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1280x800x24", "-nolisten", "tcp", "-noreset"]
    server = subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL)
    os.close(writing)
    try:
        with os.fdopen(reading) as answer:
            yield f":{answer.readline().strip()}"
    finally:
        server.terminate()
        server.wait()


def _program(name: str, display: str, *options: str) -> tuple[str, ...]:
    """The command line of a site with its window on `display`, which is nobody's when it is empty."""
    window = ("-geometry", "960x700+0+0") if display else ("--notk",)
    return ("env", f"DISPLAY={display}", sys.executable, "-S", str(ROOT / name), "--verbose=0", *window, *options)


# ------------------------------------------------------------------------------------------------------------- at rest


def _rest(folder: Path, display: str, timetable: Path, seconds: float) -> list[Row]:
    """What a guichet and a client use of a core while nothing happens, with and without their windows."""
    with_window, without = (_used(folder, screen, timetable, seconds) for screen in (display, ""))
    return [
        Row(
            f"Fenêtre du {name} au repos, {seconds:.0f} s (% d'un cœur)",
            f"{figure(100 * ours)} %",
            100 * ours + 0.001,  # a tick of the processor's clock is 0.1 % of ten seconds: it may be none
            f"sans fenêtre : {figure(100 * theirs)} %",
            target="< 1 %",
            held=ours < 0.01,
        )
        for name, ours, theirs in zip(("guichet", "client"), with_window, without, strict=True)
    ]


def _used(folder: Path, display: str, timetable: Path, seconds: float) -> tuple[float, float]:
    office = _program("guichet.py", display, "--ident=gch", f"--billets={timetable}")
    client = _program("client.py", display, "--ident=c1")
    with piped([office, client], folder / "errors") as chain:
        Driver(chain, 1, 1).arrive()
        time.sleep(2.0)  # what there is to draw is drawn
        pids = [process.pid for process in chain.processes]
        before = [cpu(pid) for pid in pids]
        time.sleep(seconds)
        office_used, client_used = (cpu(pid) - used for pid, used in zip(pids, before, strict=True))
    return office_used / seconds, client_used / seconds


# ------------------------------------------------------------------------------------------------------------- a flood


def _flood(ticks: Path, display: str, timetable: Path, lines: int) -> tuple[float, float, float]:
    """Seconds that a timer of the window had to wait at most: before a flood of consultations and while it was dealt with;
    and how long that took."""
    watched = ("env", f"DISPLAY={display}", sys.executable, "-m", "bench.windows", str(ticks))
    command = (*watched, "--ident=gch", "--verbose=0", "-geometry", "960x700+0+0", f"--billets={timetable}")
    with piped([command], ticks.with_suffix(".errors")) as office:
        driver = Driver(office, 1, 1)
        driver.arrive()
        time.sleep(2.0)
        calm = time.monotonic()
        time.sleep(1.0)
        began = time.monotonic()
        _consult(office, driver, lines)
        ended = time.monotonic()
    times = [float(text) for text in ticks.read_text().split()]
    return _longest(times, calm, began), _longest(times, began, ended), ended - began


def _consult(office: Piped, driver: Driver, lines: int) -> None:
    """Write all consultations as fast as they are taken, and read the answers, up to that of the last one."""
    data = b"".join(driver.consultation() + b"\n" for _ in range(lines))
    last, tail, sent = f"^demande~{driver.said}^".encode(), b"", 0
    os.set_blocking(office.stdin, False)
    while last not in tail:
        readable, writable, _ = select.select([office.stdout], [office.stdin] if sent < len(data) else [], [], LIMIT)
        if not readable and not writable:
            raise TooLong("the guichet does not answer")
        if writable:
            sent += os.write(office.stdin, data[sent : sent + 65536])
        if readable:
            tail = tail[-len(last) :] + os.read(office.stdout, 65536)


def _longest(times: list[float], since: float, until: float) -> float:
    """The longest time between two ticks, of those that touch that period."""
    return max(later - earlier for earlier, later in pairwise(times) if later > since and earlier < until)


def _waiting(lines: int, floods: list[tuple[float, float, float]]) -> list[Row]:
    calm, flooded, taken = ([1000 * flood[column] for flood in floods] for column in range(3))
    return [
        Row(
            f"{figure(lines)} consultations d'un coup, fenêtre ouverte : la plus longue attente d'un minuteur (ms)",
            spread(flooded),
            median(flooded),
            f"au repos : {figure(median(calm))}",
            f"× {figure(median(flooded) / median(calm))}",
            "< 200 ms",
            median(flooded) < 200,
        ),
        Row("  temps jusqu'à la dernière réponse (ms)", spread(taken), median(taken)),
    ]


def _watch(ticks: Path) -> None:
    """Have the guichet's window note when its timer was served, in a file, at its end."""
    from lib.windows.window import Window

    times: list[float] = []
    begin, live = Window.begin, Window.live

    def begin_watched(window: Window, sources: object) -> object:
        def tick() -> None:
            times.append(time.monotonic())
            window.root.after(TICK, tick)

        tick()
        return begin(window, sources)  # type: ignore[arg-type]

    def live_watched(window: Window, sources: object) -> None:
        live(window, sources)  # type: ignore[arg-type]
        ticks.write_text("\n".join(map(repr, times)))

    Window.begin, Window.live = begin_watched, live_watched  # type: ignore[method-assign,assignment]


# ------------------------------------------------------------------------------------------------- the list of tickets


def _lists(tickets: int, repeat: int) -> list[Row]:
    """What the list of all tickets takes, without a window: a filter, an order, and a ticket that moves."""
    chance = random.Random(1)
    journeys = (
        Journey(str(chance.randrange(10**6)), f"2027-03-{chance.randrange(28) + 1:02d}T07:00", *pair, 1540)
        for _, pair in zip(range(tickets), cycle(PAIRS), strict=False)
    )
    role = Guichet("gch", tickets=(Ticket(f"B{number:04d}", journey) for number, journey in enumerate(journeys, 1)))
    office = Office(role)
    office.settle()
    free = iter(chance.sample(list(role.stock.book(FREE)), 200 * repeat))

    def filtered(word: str) -> float:
        return _milliseconds(lambda: (office.choose(Choice(word)), office.settle()))

    def moved() -> float:
        for _ in range(100):
            ticket = role.stock.hold(next(free), "c1", 1, 30.0)
            office.take(Event(0.0, 0, TicketMoved(ticket)))
            office.settle()
        return 0.0

    anew = [filtered(word) for _ in range(repeat) for word in ("gare", "")]
    some = [filtered(word) for _ in range(repeat) for word in ("gare a 12", "gare b 07")]
    filtered("")
    columns = ("date", "from", "train", "price")
    orders = [
        _milliseconds(lambda column=column: (office.sort("all", column, False), office.settle())) for column in columns
    ]
    moves = [_milliseconds(moved) / 100 for _ in range(repeat)]
    size = figure(tickets)
    return [
        Row(f"Liste de {size} billets : filtrer, tous conviennent (ms)", spread(anew), median(anew)),
        Row("  filtrer, peu conviennent (ms)", spread(some), median(some)),
        Row("  trier par une autre colonne (ms)", spread(orders), median(orders)),
        Row(
            "  un billet change d'état (ms)",
            spread(moves),
            median(moves),
            f"refaire la liste : {figure(median(orders))}",
            f"× {figure(median(orders) / median(moves))}",
            "≥ × 20",
            median(orders) >= 20 * median(moves),
        ),
    ]


def _milliseconds(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    import guichet
    from lib.edge.assembly import run

    _watch(Path(sys.argv[1]))
    sys.argv = ["guichet.py", *sys.argv[2:]]
    sys.exit(run("guichet", guichet.live))
