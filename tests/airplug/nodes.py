"""Nodes as AIRPLUG's scripts wire them: an application with its NET beside it, and the NETs among each other.

        site -> NET -> cable -> the site itself, and every neighbour's NET
        site        -> cable -> every neighbour                                    without NET

The scripts have `tee` where our cable is. NET's one stdout goes to its own application too, which so reads what it has just
said or passed on. And a NET has several writers: its application, and its neighbours.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.processes.ring import ENVIRONMENT, ROOT, Ring, Watched, timetable

NET = Path(__file__).with_name("net.py")
ROWS = [f"{n},2027-03-15T{n:02d}:10,Compiègne,L'Isle-Adam,{n}.50,4" for n in range(1, 6)]  # 20 tickets
BEHIND_NET = ("--appname=CLT", "--whatwho", "--dest=NET")  # the guichet too: NET hands lines to the application of the name
KEPT, SORTED, MIXED = "kept", "sorted", "mixed"  # whether NET sorts the keys; mixed: every second one does
WITHOUT = ""  # there is no NET


class Nodes(Ring):
    """The guichet and `clients` clients; `edges` says whose NET writes to whose, by name."""

    def __init__(self, folder: Path, edges: Iterable[tuple[str, str]], order: str, clients: int, *options: str) -> None:
        folder.mkdir()
        guichet = [f"--billets={timetable(folder, ROWS)}", f"--instantanes={folder / 'photos'}"]
        super().__init__(folder, clients, guichet, every=options)
        self._helpers: list[subprocess.Popen[bytes]] = []
        self.targets: dict[str, list[str]] = {site.name: [] for site in self.sites}
        for source, target in edges:
            self.targets[source].append(target)
        self._said_to, self._heard_from = (".net", ".net") if order else (".wire", ".in")
        for name in self.targets:
            for end in {".wire", self._said_to}:
                os.mkfifo(folder / f"{name}{end}")
                self.inputs[name + end] = os.open(folder / f"{name}{end}", os.O_RDWR | os.O_NONBLOCK)
        for place, name in enumerate(self.targets):
            self._start_cable(name, with_itself=bool(order))
            if order:
                is_sorting = order == SORTED or (order == MIXED and place % 2 == 0)
                self._run(f"{name}.net", f"{name}.wire", str(NET), *(["--tri"] if is_sorting else []))

    def _start_cable(self, name: str, with_itself: bool) -> None:
        ends = [f"{target} tube={self.folder / target}{self._heard_from}" for target in self.targets[name]]
        if with_itself:
            ends.append(f"{name} tube={self.folder / name}.in")
        self._run(f"{name}.wire", os.devnull, str(ROOT / "cable.py"), *(f"--vers={end}" for end in ends))

    def _run(self, stdin: str, stdout: str, *command: str) -> None:
        with (
            open(self.folder / stdin, "rb", buffering=0) as reads,
            open(self.folder / stdout, "wb", buffering=0) as writes,
            open(self.folder / f"{stdin}.log", "ab") as log,
        ):
            self._helpers.append(
                subprocess.Popen([sys.executable, *command], stdin=reads, stdout=writes, stderr=log, env=ENVIRONMENT)
            )

    def start(self, *sites: Watched) -> None:
        """Start these sites (all), each writing to its NET or cable."""
        for site in sites or self.sites:
            with (
                open(self.folder / f"{site.name}.in", "rb", buffering=0) as reads,
                open(self.folder / f"{site.name}{self._said_to}", "wb", buffering=0) as writes,
            ):
                site.start(reads.fileno(), writes.fileno())

    def close(self) -> None:
        super().close()
        for helper in self._helpers:
            helper.kill()
            helper.wait()


@contextmanager
def nodes(folder: Path, edges: Iterable[tuple[str, str]], order: str, clients: int, *options: str) -> Iterator[Nodes]:
    """Nodes that live, each with these options; whatever happens, they are dead afterwards."""
    made = Nodes(folder, edges, order, clients, *options)
    try:
        made.start()
        yield made
    finally:
        made.close()
