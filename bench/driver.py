"""Many clients in one: they reserve without pause, and speak the wire themselves, as cheaply as they can."""

from __future__ import annotations

import os
import time
from pathlib import Path

from bench.processes import Piped, TooLong

STATIONS = tuple(f"Gare {letter}" for letter in "ABCDEFGHIJ")
PAIRS = tuple((start, end) for start in STATIONS for end in STATIONS if start != end)


def write_timetable(path: Path, tickets: int) -> Path:
    """A file of `tickets` tickets of our own format, each of a train of its own, over the pairs of stations in turn."""
    rows = ["train,date,depart,destination,cout"]
    for number in range(tickets):
        start, end = PAIRS[number % len(PAIRS)]
        minute = number // len(PAIRS)
        day, minute = minute // 1440 % 28 + 1, minute % 1440
        rows.append(f"{100000 + number},2027-03-{day:02d}T{minute // 60:02d}:{minute % 60:02d},{start},{end},15.40")
    path.write_text("\n".join(rows) + "\n")
    return path


class Driver:
    """`clients` clients that each have `window` reservations under way at the guichet."""

    def __init__(self, guichet: Piped, clients: int, window: int) -> None:
        self._guichet = guichet
        self._window = window
        self._names = [f"d{number}" for number in range(1, clients + 1)]
        self._said = dict.fromkeys(self._names, 0)  # sequence numbers, from 1
        self._rank = dict.fromkeys(self._names, 0)
        self._asked = dict.fromkeys(self._names, 0)
        self._stamp = 0
        self._life = b""  # the guichet's
        self.done = 0
        self.refused = 0

    def arrive(self) -> None:
        """Present every client, and wait until all are welcome."""
        for name in self._names:
            body = "role~client^volet~arrivee^memoire~0^vendus~0^rouge~0"
            self._guichet.write(self._line(name, "presence", body) + b"\n")
        welcome = 0
        while welcome < len(self._names):
            for line in self._guichet.lines():
                if b"^volet~bienvenue^" in line:
                    welcome += 1
                    self._life = line.partition(b"^numero~")[2].partition(b".")[0]

    def consultation(self) -> bytes:
        """The line of one more consultation of the first client's; `said` is its number then."""
        return self._ask_line(self._names[0], reserve=0)

    @property
    def said(self) -> int:
        """How many messages the first client has said."""
        return self._said[self._names[0]]

    def consult(self) -> None:
        """One consultation, and its first answer."""
        self._ask(self._names[0], reserve=0)
        while not any(b"^statut~" in line for line in self._guichet.lines()):
            pass

    def run(self, seconds: float) -> float:
        """Reserve for so long, then let what is under way end; complete reservations a second until then."""
        before, began = self.done, time.perf_counter()
        deadline = began + seconds
        for name in self._names:
            self._send([self._ask_line(name) for _ in range(self._window)])
        while (now := time.perf_counter()) < deadline:
            self._send(self._answers(goes_on=True))
        rate = (self.done - before) / (now - began)
        self._drain()
        return rate

    def _drain(self) -> None:
        """Confirm what is offered, and ask for nothing more, until nothing is under way."""
        while self.done + self.refused < sum(self._asked.values()):
            self._send(self._answers(goes_on=False))

    def _send(self, lines: list[bytes]) -> None:
        if lines:
            lines.append(b"")
            os.write(self._guichet.stdin, b"\n".join(lines))

    def _answers(self, goes_on: bool) -> list[bytes]:
        answers = []
        for line in self._guichet.lines():
            if b"^type~billet^" not in line:
                continue
            name = _value(line, b"^destinataire~").decode()
            if b"^statut~offre^" in line:
                request, ticket = _value(line, b"^demande~").decode(), _value(line, b"^billet~").decode()
                body = f"demandeur~{name}^demande~{request}^billet~{ticket}^accepte~1"
                answers.append(self._line(name, "accuse", body))
                continue
            if b"^statut~vendu^" in line:
                self.done += 1
            elif b"^statut~refus^" in line:
                self.refused += 1
                if b"^motif~complet^" in line:
                    raise TooLong("all tickets are sold: the timetable is too small for the measure")
            if goes_on:
                answers.append(self._ask_line(name))
        return answers

    def _ask(self, name: str, reserve: int) -> None:
        self._guichet.write(self._ask_line(name, reserve) + b"\n")

    def _ask_line(self, name: str, reserve: int = 1) -> bytes:
        start, end = PAIRS[self._stamp % len(PAIRS)]
        self._asked[name] += reserve
        body = (
            f"demandeur~{name}^demande~{self._said[name] + 1}^reservation~{reserve}^billet~"
            f"^depart~{start}^destination~{end}^du~^au~^limite~10"
        )
        return self._line(name, "demande", body)

    def _line(self, name: str, kind: str, body: str) -> bytes:
        self._stamp += 1
        self._said[name] += 1
        counted = ""
        if kind != "presence":
            self._rank[name] += 1
            counted = f"^rang~{self._rank[name]}^vie~{self._life.decode()}"
        return (
            f"^transmettant~{name}^emetteur~{name}^numero~1.{self._said[name]}^destinataire~gch^type~{kind}"
            f"^estampille~{self._stamp}^instantane~0^epoque~0{counted}^{body}^"
        ).encode()


def _value(line: bytes, key: bytes) -> bytes:
    start = line.index(key) + len(key)
    return line[start : line.index(b"^", start)]
