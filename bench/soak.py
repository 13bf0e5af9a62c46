"""The whole system under everything at once, for minutes: random work and snapshots on a random graph with bad links, among
sites that are killed, frozen and started again. Then everything heals, and the books must balance.

    python3 -m bench.soak --minutes 10 --seed 1          a report for `bench/README.md`; status 1 if anything was not right

The seed draws the plan (`bench/plan.py`). Every complete snapshot is verified by `guichet.py --verifier`; every site's
memory and open files are looked at all the while. The processes are the real ones, with stores; so are the links, cables.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from heapq import heappop, heappush
from itertools import count
from operator import attrgetter
from pathlib import Path
from statistics import median
from typing import Any

from bench import machine, plan
from bench.driver import PAIRS, write_timetable
from bench.plan import OFFICE, Plan, Step
from bench.processes import TooLong, client, end, guichet
from bench.table import figure

TICKETS = 200
PAUSE = 0.02  # seconds between two looks
SAMPLES = 60  # looks at memory and open files in a soak
HEALING = 240.0  # seconds after which what has not healed will not: a client gives a sign of life every 60
OPTIONS = ("--delai-instantane=8", "--delai=8", "--patience=20")  # of every site; each heeds what is for it
_LOOKED_AT = re.compile(rb'"ev":"(?:start|request|snapshot|restore|state)"')
_MESSAGES = ("send", "recv", "relay", "drop")
_DONE_BY_CABLES = re.compile(r"(\d+) (lues|perdues|doublées|dépassées|retardées|arrêtées)")

Event = dict[str, Any]


def cable(*ends: str) -> list[str]:
    """The command line of a cable, in French: its report is read."""
    return [sys.executable, "-S", str(machine.ROOT / "cable.py"), "--lang=fr", *ends]


class Pipe:
    """A FIFO that is held open, so that neither end's death is the other's end."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self.path = path
        self._fd = os.open(path, os.O_RDWR | os.O_NONBLOCK)

    def write(self, line: str) -> None:
        """A line for whoever reads; it waits there until somebody does."""
        os.write(self._fd, f"{line}\n".encode())

    def close(self) -> None:
        os.close(self._fd)


class Site:
    """A site in `folder` that lives several times, reads `stdin` and writes on `stdout`; and the cable behind that."""

    def __init__(self, folder: Path, name: str, command: Sequence[str]) -> None:
        self.name = name
        self.stdin, self.stdout = Pipe(folder / f"{name}.in"), Pipe(folder / f"{name}.out")
        self.commands, self.cable_commands = Pipe(folder / f"{name}.cmd"), Pipe(folder / f"{name}.cable.cmd")
        self.log, self._trace = folder / f"{name}.log", folder / f"{name}.jsonl"
        self._argv = [*command, f"--commandes={self.commands.path}", f"--trace={self._trace}"]
        self._trace.touch()
        self._events, self._rest = self._trace.open("rb", buffering=0), b""
        self.process: subprocess.Popen[bytes] | None = None
        self.cable: subprocess.Popen[bytes] | None = None
        self.lives = 0
        self.heard: Counter[str] = Counter()  # messages that it sent, received, passed on and dropped

    def start(self) -> None:
        """Begin a life."""
        self.lives += 1
        self.process = _run(self._argv, self.stdin.path, self.stdout.path, self.log)

    def wire(self, ends: Sequence[str]) -> None:
        """Lay the cable behind the site, or another one in its place."""
        if self.cable is not None:
            end(self.cable)
        command = cable(f"--commandes={self.cable_commands.path}", *(f"--vers={one}" for one in ends))
        self.cable = _run(command, self.stdout.path, Path(os.devnull), self.log.with_suffix(".cable.log"))

    @property
    def pid(self) -> int | None:
        """Its process, while it lives."""
        return self.process.pid if self.process is not None and self.process.poll() is None else None

    @property
    def last_words(self) -> str:
        """The last line of its log."""
        return "".join(self.log.read_text(errors="replace").splitlines()[-1:])

    def signal(self, number: int) -> bool:
        """Send it a signal; whether it lived."""
        pid = self.pid
        if pid is not None:
            os.kill(pid, number)
        return pid is not None

    def events(self) -> Iterator[Event]:
        """What is new in its trace and of interest; the last line of a life that was killed may be cut."""
        while data := self._events.read(2**20):
            lines = (self._rest + data).split(b"\n")
            self._rest = lines.pop()
            for line in lines:
                self.heard.update(kind for kind in _MESSAGES if b'"ev":"%s"' % kind.encode() in line)
                if _LOOKED_AT.search(line):
                    with suppress(ValueError):
                        yield json.loads(line[line.rfind(b'{"t":') :])

    def close(self) -> None:
        for process in (self.process, self.cable):
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()
        for pipe in (self.stdin, self.stdout, self.commands, self.cable_commands):
            pipe.close()
        self._events.close()


def _run(command: Sequence[str], stdin: Path, stdout: Path, log: Path) -> subprocess.Popen[bytes]:
    with stdin.open("r+b", buffering=0) as reads, stdout.open("r+b", buffering=0) as writes, log.open("ab") as errors:
        return subprocess.Popen(command, stdin=reads, stdout=writes, stderr=errors)


@dataclass(slots=True)
class Sample:
    """A look at a site: when (seconds of the soak), in which life, its PSS and its private memory (MB), its open files."""

    at: float
    life: int
    memory: float
    private: float
    files: int


@dataclass(slots=True)
class Figures:
    """What came of it; `problems` are what was not right."""

    counts: Counter[str] = field(default_factory=Counter)
    samples: dict[str, list[Sample]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    healed_after: float = 0.0
    books: str = ""


class Soak:
    """The processes of a plan, in `folder`."""

    def __init__(self, folder: Path, plan: Plan, seconds: float) -> None:
        self.figures = Figures()
        self._folder, self._plan, self._seconds = folder, plan, seconds
        self._photos = folder / "instantanes"
        timetable = write_timetable(folder / "billets.csv", TICKETS)
        everyone = (*OPTIONS, f"--donnees={folder / 'donnees'}", f"--instantanes={self._photos}")
        self._sites = {
            name: Site(
                folder,
                name,
                guichet(*everyone, f"--billets={timetable}") if name == OFFICE else client(name, *everyone),
            )
            for name in plan.sites
        }
        self._to_undo: list[tuple[float, int, Callable[[], None]]] = []  # a heap: when, and what ends then
        self._order = count()
        self._owned: dict[str, set[str]] = {name: set() for name in plan.sites}
        self._states: dict[str, Event] = {}
        self._complete: list[str] = []  # files of complete snapshots
        self._closed: list[str] = []  # how each snapshot was closed
        self._verifying: list[tuple[str, subprocess.Popen[bytes]]] = []
        self._is_leaving = False
        self._began = time.monotonic()

    @property
    def _now(self) -> float:
        return time.monotonic() - self._began

    # ------------------------------------------------------------------------------------------------------ the whole

    def run(self) -> Figures:
        """Do what is planned, heal, and look whether all is right."""
        try:
            self._wire(self._plan.links)
            for site in self._sites.values():
                site.start()
            self._wait_for(lambda: not self._absent(), "not everybody arrives", 120)
            self._began = time.monotonic()
            self._follow_the_plan()
            self._heal()
            self._leave()
        except TooLong as error:
            self.figures.problems.append(str(error))
        finally:
            for site in self._sites.values():
                site.close()
        self._read_the_logs()
        return self.figures

    def _wire(self, links: dict[tuple[str, str], str]) -> None:
        for name, site in self._sites.items():
            targets = [(target, faults) for (source, target), faults in links.items() if source == name]
            site.wire([f'"{name}->{t}" tube={self._sites[t].stdin.path} {faults}' for t, faults in targets])

    def _follow_the_plan(self) -> None:
        steps, looks = list(reversed(self._plan.steps)), 0
        while self._now < self._seconds:
            while steps and steps[-1].at <= self._now:
                self._do(steps.pop())
            while self._to_undo and self._to_undo[0][0] <= self._now:
                heappop(self._to_undo)[2]()
            if self._now >= looks * self._seconds / SAMPLES:
                looks += 1
                self._look_at_everybody()
            self._pump()
            time.sleep(PAUSE)

    def _heal(self) -> None:
        """From now on links are whole and nobody dies: everything that is open finds its end."""
        for _, _, undo in sorted(self._to_undo):
            undo()
        self._wire(dict.fromkeys(self._plan.links, ""))
        healing = self._now
        self._wait_for(lambda: not self._imbalance(), self._imbalance, HEALING, pause=1.0)
        self.figures.healed_after = self._now - healing
        self._photograph_at_rest()
        self._wait_for(lambda: not self._verifying, "a verification does not end")

    def _photograph_at_rest(self) -> None:
        """The first snapshot may wait in vain for a message that was lost for ever: that settles it, the next is whole."""
        for _ in range(2):
            closed = len(self._closed)
            self._sites[self._plan.sites[-1]].commands.write("instantane")
            self._wait_for(lambda closed=closed: len(self._closed) > closed, "no snapshot of the system at rest")
            if self._closed[-1] == "complete":
                return
            self._wait_for(lambda: not self._red(), lambda: f"still red: {self._red()}")
        self.figures.problems.append("no complete snapshot of the system at rest")

    def _leave(self) -> None:
        """Everybody ends in good order."""
        self._is_leaving = True
        for site in self._sites.values():
            site.commands.write("quitter")
        self._wait_for(lambda: all(site.pid is None for site in self._sites.values()), "not everybody leaves")
        ends = {name: site.process.returncode for name, site in self._sites.items() if site.process is not None}
        self.figures.problems += [f"{name} left with status {status}" for name, status in ends.items() if status]
        for site in self._sites.values():
            if site.cable is not None:
                end(site.cable)

    def _read_the_logs(self) -> None:
        """What the cables did, and what nobody should ever read in a log."""
        for site in self._sites.values():
            self.figures.counts.update(site.heard)
            report = site.log.with_suffix(".cable.log").read_text(errors="replace")
            for number, what in _DONE_BY_CABLES.findall(report):
                self.figures.counts[what] += int(number)
            if "Traceback" in site.log.read_text(errors="replace") + report:
                self.figures.problems.append(f"{site.name}: a traceback in its log")

    # -------------------------------------------------------------------------------------------------- what is done

    def _do(self, step: Step) -> None:
        """A step of the plan; what it would be done to may be dead."""
        counts = self.figures.counts
        if step.what == plan.CUT:
            source = self._sites[step.who.partition("->")[0]]
            source.cable_commands.write(f"couper {step.who}")
            self._undo_after(step, partial(source.cable_commands.write, f"retablir {step.who}"))
        elif step.what == plan.KILL:
            if not self._kill(step):
                return
        elif step.what == plan.FREEZE:
            site = self._sites[step.who]
            if not site.signal(signal.SIGSTOP):
                return
            self._undo_after(step, partial(site.signal, signal.SIGCONT))
        elif command := self._command(step):
            self._sites[step.who].commands.write(command)
        counts[step.what] += 1

    def _kill(self, step: Step) -> bool:
        site = self._sites[step.who]
        if not site.signal(signal.SIGKILL):
            return False
        assert site.process is not None
        site.process.wait()
        self._undo_after(step, site.start)
        return True

    def _undo_after(self, step: Step, undo: Callable[[], Any]) -> None:
        heappush(self._to_undo, (self._now + step.seconds, next(self._order), undo))

    def _command(self, step: Step) -> str:
        """What is typed for a step; nothing when there is nothing to do it with."""
        departure, destination = PAIRS[step.dice]
        if step.what == plan.RESERVE:
            return f"reserver depart='{departure}'" + (f" destination='{destination}'" if step.dice % 2 else "")
        if step.what == plan.CONSULT:
            return f"consulter destination='{destination}' limite=20"
        if step.what == plan.GIVE_BACK:
            tickets = sorted(self._owned[step.who])
            return f"rendre billet={tickets[step.dice % len(tickets)]}" if tickets else ""
        if step.what == plan.RESTORE:
            return f"charger fichier={self._complete[step.dice % len(self._complete)]}" if self._complete else ""
        return "instantane"

    # -------------------------------------------------------------------------------------------------- what is seen

    def _wait_for(
        self, happened: Callable[[], bool], what: str | Callable[[], str], limit: float = 60.0, pause: float = PAUSE
    ) -> None:
        deadline = time.monotonic() + limit
        while not happened():
            if time.monotonic() > deadline:
                raise TooLong(what if isinstance(what, str) else what())
            self._pump()
            time.sleep(pause)

    def _pump(self) -> None:
        """Look at the traces once, and at what runs."""
        for name, site in self._sites.items():
            for event in site.events():
                self._note(name, event)
            if not self._is_leaving and site.process is not None and site.process.poll() not in (None, -signal.SIGKILL):
                raise TooLong(f"{name} ended by itself, with status {site.process.returncode}: {site.last_words}")
        for file, process in [done for done in self._verifying if done[1].poll() is not None]:
            self._verifying.remove((file, process))
            self.figures.counts["verified"] += process.returncode == 0
            if process.returncode:
                self.figures.problems.append(f"{file} does not stand its verification")

    def _note(self, name: str, event: Event) -> None:
        counts, kind = self.figures.counts, event["ev"]
        if kind == "state":
            self._states[name] = event
        elif kind == "request":
            counts[f"{event['kind']} {event['state']}"] += 1
            if event["state"] == "owned":
                self._owned[name].add(event["ticket"])
            elif event["kind"] == "return":
                self._owned[name].discard(event["ticket"])
        elif kind == "snapshot" and name == OFFICE and event["phase"] in ("complete", "incomplete"):
            self._note_snapshot(event)
        elif kind == "restore":
            counts[f"restore {event['phase']} {'office' if name == OFFICE else 'client'}"] += 1

    def _note_snapshot(self, event: Event) -> None:
        self._closed.append(event["phase"])
        self.figures.counts[f"snapshot {event['phase']}"] += 1
        self.figures.counts["in channels"] += event["messages"]
        if event["phase"] == "complete":
            self._complete.append(Path(event["file"]).name)
            command = [sys.executable, str(machine.ROOT / "guichet.py"), "--verifier", event["file"]]
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            self._verifying.append((self._complete[-1], process))

    def _look_at_everybody(self) -> None:
        for name, site in self._sites.items():
            if site.pid is not None:
                with suppress(OSError, AssertionError):  # it has just died
                    memory, private = machine.pss(site.pid), machine.private(site.pid)
                    files = len(os.listdir(f"/proc/{site.pid}/fd"))
                    sample = Sample(self._now, site.lives, memory, private, files)
                    self.figures.samples.setdefault(name, []).append(sample)

    # ------------------------------------------------------------------------------------------------------ the books

    def _ask_everybody(self) -> dict[str, Event]:
        """How all sites stand."""
        self._states.clear()
        for site in self._sites.values():
            site.commands.write("etat")
        self._wait_for(
            lambda: len(self._states) == len(self._sites),
            lambda: f"no answer from {self._sites.keys() - self._states.keys()}",
        )
        return self._states

    def _absent(self) -> list[str]:
        """Clients that the guichet does not know yet."""
        known = {one["name"] for one in self._ask_everybody()[OFFICE]["clients"] if one["present"]}
        return sorted(set(self._plan.sites) - known - {OFFICE})

    def _red(self) -> list[str]:
        """Sites that are in a snapshot."""
        return [name for name, state in self._ask_everybody().items() if state["red"]]

    def _imbalance(self) -> str:
        """What keeps the books from being balanced; empty when they are."""
        states = self._ask_everybody()
        office = states[OFFICE]
        self.figures.books = f"{office['free']} libres + {office['held']} retenus + {office['sold']} vendus"
        return imbalance(states)


def imbalance(states: dict[str, Event]) -> str:
    """Why these answers to `etat` do not balance; empty when every ticket is in one place, all agree where, and nothing is
    under way any more."""
    office, clients = states[OFFICE], {name: state for name, state in states.items() if name != OFFICE}
    sold = sorted((ticket["id"], ticket["client"]) for ticket in office["tickets"] if ticket["state"] == "sold")
    held = sorted((ticket["id"], name) for name, state in clients.items() for ticket in state["tickets"])
    if office["free"] + office["held"] + office["sold"] != TICKETS or len(sold) != office["sold"]:
        return f"{office['free']} free, {office['held']} held, {office['sold']} sold, of {TICKETS}"
    if sold != held:
        return f"the guichet has sold {sold}, the clients have {held}"
    under_way = {name: state["requests"] for name, state in clients.items() if state["requests"]}
    red = [name for name, state in states.items() if state["red"]]
    if office["held"] or office["restoring"] or under_way or red:
        return f"{office['held']} held, not restored: {office['restoring']}, under way: {under_way}, red: {red}"
    return ""


# ------------------------------------------------------------------------------------------------------------ the report


def quarters(samples: Sequence[Sample], of: Callable[[Sample], float]) -> tuple[float, float]:
    """The medians of the first and the last quarter."""
    quarter = max(1, len(samples) // 4)
    return median(map(of, samples[:quarter])), median(map(of, samples[-quarter:]))


def report(plan: Plan, figures: Figures) -> str:
    """The figures, in Markdown."""
    counts = figures.counts
    bought, given_back = counts["reserve owned"], counts["return returned"]
    ended = sum(counts[f"reserve {state}"] for state in ("refused", "expired", "unreachable"))
    rows = [
        ("graphe", f"{len(plan.sites)} sites, {len(plan.links)} liens dirigés, dont {_spoilt(plan)} gâtés"),
        (
            "fautes",
            f"{counts['kill']} kill -9, {counts['freeze']} SIGSTOP, {counts['cut']} coupures de lien ; "
            f"{_n(counts['lues'])} lignes lues par les câbles : {_n(counts['perdues'])} perdues, "
            f"{_n(counts['doublées'])} doublées, {_n(counts['dépassées'])} dépassées, {_n(counts['arrêtées'])} coupées",
        ),
        (
            "messages",
            f"{_n(counts['send'])} dits, {_n(counts['recv'])} reçus, {_n(counts['relay'])} passés, "
            f"{_n(counts['drop'])} écartés",
        ),
        (
            "réservations",
            f"{_n(counts['reserve'])} demandées : {_n(bought)} billets obtenus, {_n(ended)} refus, expirations ou "
            f"abandons ; {_n(given_back)} billets rendus",
        ),
        (
            "instantanés",
            f"{counts['snapshot complete']} complets ({counts['in channels']} messages dans les canaux), dont "
            f"{counts['verified']} vérifiés sains ; {counts['snapshot incomplete']} clos incomplets",
        ),
        (
            "restaurations",
            f"{counts['restore restored office']} commencées, {counts['restore restored client']} clients restaurés",
        ),
        ("comptes à la fin", f"{figures.books}, d'accord {figure(figures.healed_after)} s après la guérison"),
        ("ce qui n'allait pas", "rien" if not figures.problems else " ; ".join(figures.problems)),
    ]
    lines = ["| Quoi | Combien |", "| --- | --- |", *(f"| {what} | {value} |" for what, value in rows), ""]
    return "\n".join([*lines, *_memory(plan, figures)])


def _memory(plan: Plan, figures: Figures) -> Iterator[str]:
    yield "| Site (médianes du 1er quart → du dernier) | Vies | PSS (Mo) | dont à lui seul (Mo) | Fichiers ouverts |"
    yield "| --- | --- | --- | --- | --- |"
    for name, samples in figures.samples.items():
        lives = f"{samples[-1].life}" + (" (épargné)" if name in plan.spared else "")
        columns = (_change(samples, field) for field in ("memory", "private", "files"))
        yield f"| {name} | {lives} | {' | '.join(columns)} |"


def _change(samples: Sequence[Sample], field: str) -> str:
    first, last = quarters(samples, attrgetter(field))
    return f"{first:.0f} → {last:.0f}" if field == "files" else f"{figure(first)} → {figure(last)}"


def _spoilt(plan: Plan) -> int:
    return sum(bool(faults) for faults in plan.links.values())


def _n(count: int) -> str:
    return f"{count:,}".replace(",", "\u202f")


def soak(seed: int, sites: int, seconds: float, parent: Path | None = None) -> tuple[Plan, Figures]:
    """Draw the plan of this seed, and live it. What it writes meanwhile is removed."""
    drawn = plan.draw(seed, sites, seconds)
    with tempfile.TemporaryDirectory(prefix="soak-", dir=parent) as folder:
        return drawn, Soak(Path(folder), drawn, seconds).run()


def main(arguments: Sequence[str]) -> int:
    """Soak, and print the report; the status says whether all was right."""
    parser = argparse.ArgumentParser(prog="python3 -m bench.soak", description="Tout à la fois, pendant des minutes.")
    parser.add_argument("--minutes", type=float, default=10.0, help="combien de temps (10)")
    parser.add_argument("--seed", type=int, default=1, help="la graine du plan (1)")
    parser.add_argument("--sites", type=int, default=8, help="combien de sites, guichet compris (8)")
    parser.add_argument("--dossier", type=Path, help="où mettre mémoires, traces et tubes")
    options = parser.parse_args(arguments)
    drawn, figures = soak(options.seed, options.sites, 60 * options.minutes, options.dossier)
    print(f"Machine : {machine.description()}. Graine {options.seed}, {options.minutes:g} minutes.\n")
    print(report(drawn, figures))
    return 1 if figures.problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
