"""Real machines over a real broker: `scripts/broker.sh`, and `scripts/join.sh` for each site, on the loopback or each in a
network of its own.

Everything listens on the loopback or inside networks that were made here. Only what was started here is ended.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from lib.broker.serve import free_port
from tests.processes.ring import ENVIRONMENT, LIMIT, ROOT, Event, Watched, assert_lamport, timetable, until

BROKER, JOIN = ROOT / "scripts" / "broker.sh", ROOT / "scripts" / "join.sh"
TICKETS = ["9001,2027-03-15T07:10,Paris,Creil,9.80,40"]
_SBIN = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"
_MISSING = [name for name in ("mosquitto", "mosquitto_sub", "openssl") if not shutil.which(name, path=_SBIN)]

needs_broker = pytest.mark.skipif(
    bool(_MISSING), reason=f"not installed: {', '.join(_MISSING)} (scripts/test.sh installs it)"
)


def children(pid: int) -> list[int]:
    """The processes that this one has started."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def command_line(pid: int) -> str:
    """What everybody can read of a process."""
    return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")


class Broker:
    """`broker.sh` in `folder`; `wrap` is put before its command line."""

    def __init__(self, folder: Path, topology: str, *options: str, wrap: Sequence[str] = ()) -> None:
        self.folder, self.options, self.wrap = folder / "courtier", options, tuple(wrap)
        self.log_path = folder / "broker.log"
        folder.mkdir(exist_ok=True)
        self.topology = folder / "topologie.txt"
        self.topology.write_text(topology)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *options: str) -> None:
        """Start it, and wait until it has told what everybody is to type."""
        told = len(self.said())
        command = [*self.wrap, BROKER, *(options or (self.topology, *self.options)), "--dossier", self.folder]
        with open(self.log_path, "ab") as log:
            self.process = process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=ENVIRONMENT
            )
        last = f"scripts/join.sh {sorted(self.archives())[-1] if self.archives() else ''}"
        until(lambda: last in self.said()[told:] or process.poll() is not None, "the broker to start")
        assert process.poll() is None, self.said()

    def run(self, *options: str) -> subprocess.CompletedProcess[str]:
        """`broker.sh` with these options, to its end."""
        command = [*self.wrap, BROKER, *options, "--dossier", self.folder]
        return subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=LIMIT, check=False)

    def archives(self) -> list[str]:
        """The names of the sites that have one."""
        return [path.stem for path in (self.folder / "archives").glob("*.tar")]

    def archive(self, site: str) -> Path:
        return self.folder / "archives" / f"{site}.tar"

    def said(self) -> str:
        return self.log_path.read_text(encoding="utf-8") if self.log_path.exists() else ""

    def journal(self) -> str:
        return (self.folder / "journal.log").read_text(encoding="utf-8", errors="replace")

    def heard(self, pattern: str, since: int = 0) -> re.Match[str]:
        """What the journal says from this place on, waited for."""
        found: re.Match[str] = until(lambda: re.search(pattern, self.journal()[since:]), f"{pattern!r} in the journal")
        return found

    def password(self, account: str) -> str:
        password: str = json.loads((self.folder / "courtier.json").read_text())["passwords"][account]
        return password

    @property
    def mosquitto(self) -> int:
        """The process of the broker itself."""
        return int((self.folder / "courtier.pid").read_text())

    def kill(self) -> None:
        """kill -9 for the broker, and wait until `broker.sh` has started another one."""
        before = self.mosquitto
        os.kill(before, signal.SIGKILL)
        file = self.folder / "courtier.pid"  # there is none between two lives
        until(lambda: file.exists() and self.mosquitto != before, "another broker")

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(LIMIT)


class Machine(Watched):
    """A site that was joined from its archive."""

    def __init__(self, folder: Path, name: str, archive: Path, *options: str, wrap: Sequence[str] = ()) -> None:
        super().__init__(folder, name, "join.sh", options)
        self.archive, self.wrap = archive, tuple(wrap)
        self.folder = folder / f"billets-{name}"
        self._lives = 0

    def argv(self) -> list[str]:
        own = ["--dossier", str(self.folder), "--notk", f"--trace={self.trace_path}", f"--commandes={self.commands_path}"]
        return [*self.wrap, str(JOIN), str(self.archive), *own, *self.options]

    def begin(self) -> None:
        """Begin a life."""
        self._lives = len(self.find(ev="start"))
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(self.argv(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=ENVIRONMENT)

    def wait_for_start(self) -> None:
        until(lambda: len(self.find(ev="start")) > self._lives or self.has_ended, f"{self.name} to start")
        assert not self.has_ended, f"{self.name}: {self.log()}"

    @property
    def has_ended(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def join(self) -> None:
        """Begin a life, and wait until it has begun."""
        self.begin()
        self.wait_for_start()

    def link(self) -> str:
        """How it stands with the broker: what its window would show."""
        path = self.folder / f"{self.name}.liaison"
        return path.read_text().strip() if path.exists() else ""

    def wait_for_link(self, state: str) -> None:
        until(lambda: self.link() == state, f"{self.name}: {state} (is {self.link()!r})\n{self.log()}", 2 * LIMIT)


class System:
    """A broker and its sites; everything that the books (`tests.processes.ring`) want to look at."""

    durable = True  # every site keeps its folder

    def __init__(self, folder: Path, broker: Broker) -> None:
        self.folder, self.broker = folder, broker
        self.sites: list[Machine] = []

    @property
    def gch(self) -> Machine:
        return self.sites[0]

    @property
    def clients(self) -> list[Machine]:
        return self.sites[1:]

    def join(self, *names: str, wrap: Sequence[str] = (), archive: Path | None = None) -> list[Machine]:
        """Join these sites; the guichet first."""
        joined = []
        for name in names:
            own = (
                [f"--billets={timetable(self.folder, TICKETS)}", "--delai=60", "--delai-instantane=5"]
                if not self.sites
                else []
            )
            machine = Machine(self.folder, name, archive or self.broker.archive(name), *own, wrap=wrap)
            self.sites.append(machine)
            joined.append(machine)
            machine.begin()
        for machine in joined:
            machine.wait_for_start()
        return joined

    def leave(self, site: Machine) -> None:
        """This site leaves in good order."""
        site.command("quitter")
        assert site.ended() == 0, site.log()
        self.sites.remove(site)
        site.close()

    def photograph(self, site: Machine, sites: Iterable[str]) -> None:
        """Take a snapshot at `site`: complete, sound, and of these sites, or else it fails.

        The first after a broker was killed may miss what was lost with it, and say so; then the second does not.
        """
        event = self._round(site)
        if event["phase"] == "incomplete":
            event = self._round(site)
        assert event["phase"] == "complete", event
        path = self.gch.folder / "instantanes" / event["file"]
        command = [ROOT / "guichet.py", "--verifier", path]
        done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert sorted(json.loads(path.read_text())["sites"]) == sorted(sites)

    def _round(self, site: Machine) -> Event:
        """How a round that begins at `site` ends."""
        since = self.gch.mark()
        site.command("instantane")

        def ended() -> list[Event]:
            return [event for event in self.gch.find(since, ev="snapshot") if event["phase"] in ("complete", "incomplete")]

        event: Event = until(ended, "the end of the round", 3 * LIMIT)[0]  # the guichet itself waits for 30 s
        return event

    def end(self) -> None:
        """Everybody leaves in good order."""
        for site in self.sites:
            site.command("quitter")
        for site in self.sites:
            assert site.ended() == 0, site.log()
            assert "Traceback" not in site.log()
        assert_lamport(self.sites, durable=True)
        assert "Traceback" not in self.broker.said()

    def close(self) -> None:
        for site in self.sites:
            site.close()
        self.broker.close()


@contextmanager
def system(folder: Path, topology: str, *sites: str, tls: bool = False) -> Iterator[System]:
    """A broker on the loopback, and these sites, with the broker and each other acquainted; dead afterwards in any case."""
    where = ("--adresse", "127.0.0.1") if tls else ("--local",)
    made = System(folder, Broker(folder, topology, *where, "--port", str(free_port())))
    try:
        made.broker.start()
        made.join(*sites)
        for site in made.sites:
            site.wait_for_link("joignable")
        yield made
    finally:
        made.close()
