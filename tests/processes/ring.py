"""Real programs, wired as users wire them: a ring of processes over FIFOs, or one process between two pipes.

Nothing here sleeps for luck: whoever waits, waits for an event of a trace, a line, or the end of a process, with a
limit.
Only what was started here is ended, by its process id.
"""

from __future__ import annotations

import array
import fcntl
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 30.0  # seconds: a machine shared with others may be slow; what works takes a hundredth of it
PAUSE = 0.005  # between two looks at a trace
GUICHET, CLIENT = "guichet.py", "client.py"

_CACHE = tempfile.TemporaryDirectory(prefix="pycache-")
ENVIRONMENT = {key: value for key, value in os.environ.items() if key not in ("PYTHONDONTWRITEBYTECODE", "DISPLAY")}
ENVIRONMENT |= {"PYTHONPYCACHEPREFIX": _CACHE.name, "LC_ALL": "C.UTF-8", "LANG": "C.UTF-8"}

Event = dict[str, Any]


def until(found: Callable[[], Any], what: str, limit: float = LIMIT) -> Any:
    """What `found()` gives once it gives something; fails with `what` when the limit is over."""
    end = time.monotonic() + limit
    while not (result := found()):
        assert time.monotonic() < end, f"waited {limit} s in vain for {what}"
        time.sleep(PAUSE)
    return result


def timetable(folder: Path, rows: Iterable[str], name: str = "billets.csv") -> Path:
    """A file of tickets; each row is `train,date,depart,destination,cout,places`."""
    path = folder / name
    path.write_text("\n".join(["train,date,depart,destination,cout,places", *rows]) + "\n", encoding="utf-8")
    return path


def cpu_seconds(pid: int) -> float:
    """User and system time that the process has used (proc(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(pid: int) -> int:
    """Resident bytes of the process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def bytes_in(fd: int) -> int:
    """How many bytes wait in a pipe."""
    count = array.array("i", [0])
    fcntl.ioctl(fd, termios.FIONREAD, count)
    return count[0]


def _whole(line: bytes) -> Event | None:
    """The event of a trace line; of two that a kill -9 glued together (`tests/edge/test_trace.py`), the second."""
    start = line.rfind(b'{"t":')
    return json.loads(line[start:]) if start >= 0 and line.endswith(b"}") else None


class Watched:
    """A site with a trace, a command FIFO and a log; it may live several times."""

    def __init__(self, folder: Path, name: str, program: str, options: Iterable[str]) -> None:
        self.name, self.program, self.options = name, program, tuple(options)
        self.interpreter: tuple[str, ...] = (sys.executable,)  # what the program is run by
        paths = (folder / f"{name}.{ending}" for ending in ("jsonl", "log", "cmd"))
        self.trace_path, self.log_path, self.commands_path = paths
        os.mkfifo(self.commands_path)
        self._commands = os.open(self.commands_path, os.O_RDWR | os.O_NONBLOCK)
        self._events: list[Event] = []
        self._read = 0
        self.process: subprocess.Popen[bytes] | None = None

    def argv(self) -> list[str]:
        own = [f"--ident={self.name}", f"--trace={self.trace_path}", f"--commandes={self.commands_path}", "--notk"]
        return [*self.interpreter, str(ROOT / self.program), *own, *self.options]

    def start(self, stdin: int, stdout: int) -> None:
        """Begin a life, and wait until it has begun."""
        lives = len(self.find(ev="start"))
        with open(self.log_path, "ab") as log:
            process = subprocess.Popen(self.argv(), stdin=stdin, stdout=stdout, stderr=log, env=ENVIRONMENT)
        self.process = process
        until(lambda: len(self.find(ev="start")) > lives or process.poll() is not None, f"{self.name} to start")
        assert process.poll() is None, f"{self.name}: {self.log()}"

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def log(self) -> str:
        return self.log_path.read_text(encoding="utf-8", errors="replace")

    # ------------------------------------------------------------------------------------------------------- the trace

    def events(self) -> list[Event]:
        """All whole lines of the trace, of all lives."""
        if self.trace_path.exists():
            with open(self.trace_path, "rb") as file:
                file.seek(self._read)
                data = file.read()
            whole = data[: data.rfind(b"\n") + 1]
            self._read += len(whole)
            self._events += [event for line in whole.split(b"\n") if (event := _whole(line))]
        return self._events

    def find(self, since: int = 0, **fields: Any) -> list[Event]:
        """The events from number `since` on that have these fields."""
        return [event for event in self.events()[since:] if all(event.get(k) == v for k, v in fields.items())]

    def wait(self, since: int = 0, limit: float = LIMIT, **fields: Any) -> Event:
        """The first such event, waited for."""
        try:
            return until(lambda: self.find(since, **fields), f"{fields} at {self.name}", limit)[0]
        except AssertionError as error:
            last = "\n".join(map(str, self.events()[-12:]))
            raise AssertionError(f"{error}; its last events:\n{last}\nits log:\n{self.log()[-2000:]}") from None

    def mark(self) -> int:
        """Now, as a place in the trace."""
        return len(self.events())

    # -------------------------------------------------------------------------------------------------- what it is told

    def command(self, *lines: str) -> int:
        """Type these commands; the place in the trace from which their answers are to be looked for."""
        since = self.mark()
        os.write(self._commands, "".join(line + "\n" for line in lines).encode())
        return since

    def ask(self, line: str) -> Event:
        """Type a command, and wait for its answer in the trace."""
        return self.wait(self.command(line), ev="command", line=line)

    def state(self) -> Event:
        """The answer to `etat`."""
        return self.wait(self.command("etat"), ev="state")

    def request(self, line: str, **fields: Any) -> Event:
        """Ask the guichet for something, and wait until the request is in a state with these fields."""
        since = self.command(line)
        number = self.wait(since, ev="request")["request"]
        return self.wait(since, ev="request", request=number, **fields)

    def settled(self, number: int, since: int = 0) -> Event:
        """How request `number` ended, waited for."""
        ends = ("listed", "owned", "refused", "expired", "returned", "unreachable")

        def last() -> Event | None:
            moves = self.find(since, ev="request", request=number)
            return moves[-1] if moves and moves[-1]["state"] in ends else None

        found: Event = until(last, f"the end of request {number} of {self.name}")
        return found

    # ---------------------------------------------------------------------------------------------------------- its end

    def signal(self, number: int) -> None:
        assert self.process is not None and self.process.poll() is None, f"{self.name} is dead: {self.log()}"
        os.kill(self.process.pid, number)

    def kill(self) -> None:
        """kill -9."""
        self.signal(signal.SIGKILL)
        self.ended()

    def ended(self) -> int:
        """Wait for its end; its status."""
        assert self.process is not None
        try:
            return self.process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} does not end; its log:\n{self.log()}") from None

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._commands)


class Ring:
    """gch -> c1 -> c2 -> ... -> gch. One FIFO an edge, one writer a FIFO; held open here: lives may come and go."""

    def __init__(self, folder: Path, clients: int, guichet: Iterable[str], client: Iterable[str] = (),
                 every: Iterable[str] = (), durable: bool = False) -> None:  # fmt: skip
        folder.mkdir(exist_ok=True)
        self.folder, self.durable = folder, durable
        shared = [*every, *([f"--donnees={folder / 'donnees'}"] if durable else [])]
        self.gch = Watched(folder, "gch", GUICHET, [*shared, *guichet])
        self.clients = [Watched(folder, f"c{n}", CLIENT, [*shared, *client]) for n in range(1, clients + 1)]
        self.sites = [self.gch, *self.clients]
        self.inputs: dict[str, int] = {}
        for site in self.sites:
            os.mkfifo(folder / f"{site.name}.in")
            self.inputs[site.name] = os.open(folder / f"{site.name}.in", os.O_RDWR | os.O_NONBLOCK)

    def start(self, *sites: Watched) -> None:
        """Start these sites (all), in this order."""
        for site in sites or self.sites:
            place = self.sites.index(site)
            after = self.sites[(place + 1) % len(self.sites)]
            # Without O_NONBLOCK: descriptions like the shell's.
            stdin = os.open(self.folder / f"{site.name}.in", os.O_RDONLY)
            stdout = os.open(self.folder / f"{after.name}.in", os.O_WRONLY)
            try:
                site.start(stdin, stdout)
            finally:
                os.close(stdin)
                os.close(stdout)

    def close(self) -> None:
        for site in self.sites:
            site.close()
        for fd in self.inputs.values():
            os.close(fd)

    def end(self) -> None:
        """Everybody leaves in good order."""
        for site in self.sites:
            site.command("quitter")
        assert [site.ended() for site in self.sites] == [0] * len(self.sites)
        assert_lamport(self.sites, self.durable)
        for site in self.sites:
            assert "Traceback" not in site.log()


@contextmanager
def ring(folder: Path, clients: int, rows: Iterable[str], delay: float = 60.0, **more: Any) -> Iterator[Ring]:
    """A ring that lives; whatever happens, it is dead afterwards."""
    folder.mkdir(exist_ok=True)
    guichet = [f"--billets={timetable(folder, rows)}", f"--delai={delay}", *more.pop("guichet", ())]
    made = Ring(folder, clients, guichet, **more)
    try:
        made.start()
        yield made
    finally:
        made.close()


# ---------------------------------------------------------------------------------------------------- one process alone


class Solo:
    """One program between two pipes: what it is told is written here, what it says is read here."""

    def __init__(self, folder: Path, program: str, *options: str, stdin: Any = subprocess.PIPE) -> None:
        self.log_path = folder / "solo.log"
        command = [sys.executable, str(ROOT / program), "--notk", *options]
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                command, stdin=stdin, stdout=subprocess.PIPE, stderr=log, env=ENVIRONMENT, cwd=folder, bufsize=0
            )
        if self.process.stdin is not None:
            os.set_blocking(self.process.stdin.fileno(), False)
        self.said: list[bytes] = []
        self._rest = b""

    def log(self) -> str:
        return self.log_path.read_text(encoding="utf-8", errors="replace")

    def tell(self, data: bytes) -> None:
        """Write this on its stdin, reading meanwhile what it says."""
        assert self.process.stdin is not None
        fd, end = self.process.stdin.fileno(), time.monotonic() + LIMIT
        while data:
            assert time.monotonic() < end, f"it does not read; its log:\n{self.log()}"
            if select.select([], [fd], [], PAUSE)[1]:
                data = data[os.write(fd, data[:65536]) :]
            self._listen(0)

    def _listen(self, seconds: float) -> bool:
        """Take what it says; False at the end of its stdout."""
        assert self.process.stdout is not None
        fd = self.process.stdout.fileno()
        if select.select([fd], [], [], seconds)[0]:
            data = os.read(fd, 65536)
            lines = (self._rest + data).split(b"\n")
            self._rest = lines.pop()
            self.said += lines
            return bool(data)
        return True

    def hear(self, part: bytes, since: int = 0) -> bytes:
        """The first line from number `since` on with `part` in it, waited for."""
        end = time.monotonic() + LIMIT
        while not (found := [line for line in self.said[since:] if part in line]):
            assert self._listen(0.05), f"it ended without {part!r}; its log:\n{self.log()}"
            assert time.monotonic() < end, f"waited in vain for {part!r}; its log:\n{self.log()}"
        return found[0]

    def ended(self) -> int:
        """Read what it still says, to its end; its status."""
        end = time.monotonic() + LIMIT
        while self._listen(0.05):
            assert time.monotonic() < end, f"it does not end; its log:\n{self.log()}"
        assert self._rest == b"", "it left a cut line"
        return self.process.wait(LIMIT)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                stream.close()


@contextmanager
def solo(folder: Path, program: str, *options: str, **more: Any) -> Iterator[Solo]:
    made = Solo(folder, program, *options, **more)
    try:
        yield made
    finally:
        made.close()


# ------------------------------------------------------------------------------------------------------------ the books


def assert_lamport(sites: Iterable[Watched], durable: bool) -> None:
    """Contract, section 2: "C(send) < C(receive), strictly, always, and the clock never goes back, not even on [...] a
    restart with a store. " """
    sent: dict[str, int] = {}
    for site in sites:
        for event in site.find(ev="send"):
            assert event["id"] not in sent, f"{event['id']} was said twice"
            sent[event["id"]] = event["lamport"]
    for site in sites:
        stamps: list[int] = []
        for event in site.events():
            if event["ev"] == "start" and not durable:
                stamps.clear()
            if event["ev"] in ("send", "recv"):
                assert not stamps or stamps[-1] < event["lamport"], f"the clock of {site.name} goes back: {event}"
                stamps.append(event["lamport"])
        for event in site.find(ev="recv"):
            # A killed sender may have said it without having traced it: then there is nothing to compare with.
            assert sent.get(event["id"], 0) < event["lamport"], f"C(send) >= C(recv) for {event['id']} at {site.name}"


def assert_one_holder(made: Ring) -> dict[str, str]:
    """Contract, section 4: "One holder, always." Compares `etat` of all sites; who has which ticket."""
    office = made.gch.state()
    sold = {ticket["id"]: ticket["client"] for ticket in office["tickets"] if ticket["state"] == "sold"}
    assert len(sold) == office["sold"]
    held_by_clients = [(ticket["id"], site.name) for site in made.clients for ticket in site.state()["tickets"]]
    assert sorted(held_by_clients) == sorted(sold.items()), "the guichet and its clients do not agree"
    return sold


def assert_nothing_sold_twice(made: Ring) -> None:
    """No ticket was ever `sold` to two clients (nothing is given back), and nobody lost what it was told to own."""
    buyers: dict[str, set[str]] = {}
    for event in made.gch.find(ev="ticket", state="sold"):
        buyers.setdefault(event["ticket"], set()).add(event["client"])
    assert all(len(clients) == 1 for clients in buyers.values()), buyers
    sold = assert_one_holder(made)
    for ticket, clients in buyers.items():
        assert {sold.get(ticket)} == clients, f"{ticket} was said to be sold to {clients}: now {sold.get(ticket)}"
    for site in made.clients:
        for event in site.find(ev="request", state="owned"):
            assert sold.get(event["ticket"]) == site.name, f"{site.name} was told that {event['ticket']} is its own"
