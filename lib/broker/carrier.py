"""`mosquitto_sub` and `mosquitto_pub` around sites, begun again whenever they end; and what they tell of the broker.

    mosquitto_sub  ->  SITE.in  ->  site  ->  SITE.out  ->  mosquitto_pub -l

Both pipes are held open here, so that neither end ever sees the other one go: what a site says while nobody publishes waits
in the pipe, then in the site; what comes while the site does not read waits in the pipe, then at the broker. A second
`mosquitto_sub` listens to the broker itself. How a site stands with the broker is in the file SITE.liaison.
"""

from __future__ import annotations

import array
import fcntl
import os
import selectors
import stat
import subprocess
import termios
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from lib.broker.certificates import objection
from lib.broker.files import write
from lib.broker.link import Link
from lib.broker.member import ALIVE, READER, WATCHER, WRITER, Member, names, write_options, write_reader
from lib.broker.programs import find
from lib.launch.processes import die_with
from lib.launch.signals import Signals
from lib.texts import Text
from lib.words import LINK

FAREWELL = 2.0  # seconds for the last words of the sites, at the end;
_LAST_LINE = 0.5  # of which for the last of them to be on its way
_LOOK, _HASTE = 0.5, 0.05  # seconds between two looks at the links; while programs end, for another
_ALARM = 1.0  # second
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 5.0  # seconds before a program is begun again; doubled when it did not last:
_LASTED = 10.0  # seconds
_SHOWN = 5  # sites that are named

Hear = Callable[[str], bool]


def options_of(folder: Path, site: str) -> Path:
    """Where in `folder` the options of mosquitto's programs for `site` are."""
    return folder / "mqtt" / site


class Client:
    """One of mosquitto's programs, with the options in the folder `options`, that reads the pipe `stdin` or writes the pipe
    `stdout`. What else it writes goes to `hear`, line by line, which tells whether it was news; if not, it is a complaint.
    `ended` is told of the last ones when it has failed."""

    def __init__(
        self, program: str, options: Path, hear: Hear, ended: Callable[[str], None], *, stdin: Path | None = None,
        stdout: Path | None = None,
    ) -> None:  # fmt: skip
        self.process: subprocess.Popen[bytes] | None = None
        self.due = 0.0  # when to begin, or to begin again
        self._command = [find(program)]
        self._environment = {**os.environ, "XDG_CONFIG_HOME": str(options)}
        self._hear, self._ended, self._stdin, self._stdout = hear, ended, stdin, stdout
        self._pause = _FIRST_PAUSE
        self._began = 0.0
        self._rest = b""
        self._complaints: deque[str] = deque(maxlen=3)
        self._has_spoken = False

    def begin(self, now: float) -> int:
        """Start the program; the pipe on which it is to be heard. Raises `OSError` when that has to wait."""
        self._began, self._has_spoken = now, False
        speaking, spoken = os.pipe2(os.O_CLOEXEC)
        files = [spoken]
        try:
            files.append(os.open(self._stdin or os.devnull, os.O_RDONLY))
            files.append(os.open(self._stdout, os.O_WRONLY) if self._stdout else os.dup(spoken))
            self.process = subprocess.Popen(
                self._command,
                env=self._environment,
                stdin=files[1],
                stdout=files[2],
                stderr=spoken,
                process_group=0,  # Ctrl-C is for the site, whose last words are still to be carried
                preexec_fn=die_with(os.getpid()),
            )
            return speaking
        except OSError:  # too many processes, no memory
            os.close(speaking)
            self.due = now + _LONGEST_PAUSE
            raise
        finally:
            for file in files:
                os.close(file)

    def read(self, pipe: int) -> bool:
        """Take what it says there; False when it has ended."""
        data = os.read(pipe, 65536)
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            text = line.decode(errors="replace")
            if not self._hear(text):
                self._complaints.append(text)
        return bool(data)

    def over(self, now: float) -> None:
        """It has ended: plan its next beginning."""
        assert self.process is not None
        status = self.process.wait()
        self._pause = _FIRST_PAUSE if now - self._began > _LASTED else min(2 * self._pause, _LONGEST_PAUSE)
        self.process, self.due = None, now + self._pause
        if status:
            self._ended(" ".join(self._complaints))
        self._complaints.clear()

    def terminate(self) -> None:
        """Tell it to end."""
        if self.process is not None:
            self.process.terminate()

    def end(self) -> None:
        """See that it ends."""
        if self.process is not None:
            try:
                self.process.wait(_LAST_LINE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def begin_again(self) -> None:
        """End the program, to begin anew soon."""
        self._began = 0.0
        self.terminate()

    def begin_again_if_mute(self) -> None:
        """`mosquitto_pub` speaks to the broker in a thread of its own; over TLS, that thread ends with the broker, and the
        rest goes on reading, for ever and for nothing (2.0.11, measured)."""
        try:
            has_thread = self.process is not None and len(os.listdir(f"/proc/{self.process.pid}/task")) > 1
        except FileNotFoundError:  # it has just ended
            return
        if self._has_spoken and not has_thread:
            self.begin_again()
        self._has_spoken = has_thread


class Wire:
    """A site's connections. `folder` has its pipes, and the options of mosquitto's programs."""

    def __init__(self, member: Member, folder: Path) -> None:
        self.member = member
        self.link = Link(time.monotonic())
        self.told: str | None = None  # of an earlier run, a file may still tell something else
        self._options = options_of(folder, member.site)
        self._status = folder / f"{member.site}.liaison"
        write_options(member, self._options)
        taken, said = folder / f"{member.site}.in", folder / f"{member.site}.out"
        self._held = [_hold(path) for path in (taken, said)]
        self._reader = self._client("mosquitto_sub", READER, _no_news, stdout=taken)
        self.writer = self._client("mosquitto_pub", WRITER, _no_news, stdin=said)
        self.clients = [self._reader, self.writer, self._client("mosquitto_sub", WATCHER, self._watch)]

    def _client(self, program: str, role: str, hear: Hear, **ends: Path) -> Client:
        return Client(program, self._options / role, hear, self._ended, **ends)

    def _ended(self, complaint: str) -> None:
        if "TLS" in complaint and (why := objection(self.member.host, self.member.port, self.member.authority)):
            complaint = f"certificate: {why}"
        self.link.ended(complaint)

    def _watch(self, line: str) -> bool:
        """What the watching connection heard (`member.WATCHED`); False when it complains."""
        retained, _, rest = line.partition(" ")
        topic, _, words = rest.partition(" ")
        if retained not in ("0", "1"):
            return False
        if topic == ALIVE:
            self.link.alive(time.monotonic(), is_greeting=retained == "1")
        else:
            self._hear_neighbours(names(words))
        return True

    def _hear_neighbours(self, reads: Sequence[str]) -> None:
        if reads and set(reads) != set(self.member.reads):
            self.member = replace(self.member, reads=tuple(reads))
            write_reader(self.member, self._options)
            self._reader.begin_again()

    def tell_state(self, now: float) -> bool:
        """Bring the site's file of its link up to date; whether it has changed."""
        state = self.link.state(now)
        if state == self.told:
            return False
        self.told = state
        with suppress(OSError):  # a full disk: the window then shows what it knew
            write(self._status, f"{state}\n")
        return True

    @property
    def left(self) -> int:
        """How many bytes of what the site said nobody has taken yet."""
        count = array.array("i", [0])
        fcntl.ioctl(self._held[1], termios.FIONREAD, count)
        return count[0]

    def let_go(self) -> None:
        """Hold the pipes no longer: who reads the last words of the site sees their end."""
        while self._held:
            os.close(self._held.pop())


def _no_news(line: str) -> bool:
    return False


def _hold(path: Path) -> int:
    """A FIFO, made if need be, open for reading and writing."""
    if not (path.exists() and stat.S_ISFIFO(path.stat().st_mode)):
        path.unlink(missing_ok=True)
        os.mkfifo(path, 0o600)
    return os.open(path, os.O_RDWR)


class Carrier:
    """Carries the lines of `members`, whose pipes are in `folder`. `tell` is told when the broker goes, and when it is back.

    Raises `Problem` when a program is missing. `end` has to be called whatever happens.
    """

    def __init__(self, members: Iterable[Member], folder: Path, signals: Signals, tell: Callable[[Text], None]) -> None:
        self._wires = [Wire(member, folder) for member in members]
        self._clients = [client for wire in self._wires for client in wire.clients]
        self._signals = signals
        self._tell = tell
        self._pipes = selectors.EpollSelector()
        self._looked = self._alarmed = 0.0
        self._untold: dict[Wire, None] = {}

    def serve(self, moment: float = _LOOK) -> None:
        """Wait a `moment` at most for whatever happens, and see to it. A signal and the death of a child are events, too."""
        now = time.monotonic()
        for client in self._clients:
            if client.process is None and client.due <= now:
                with suppress(OSError):
                    self._pipes.register(client.begin(now), selectors.EVENT_READ, client)
        pause = _HASTE if now - self._alarmed < _ALARM else moment
        self._read(pause)
        if now - self._looked >= pause:
            self._looked = now
            self._look(now)

    def _read(self, seconds: float) -> None:
        self._signals.wait(seconds, [self._pipes.fileno()])
        for key, _ in self._pipes.select(0):
            client: Client = key.data
            if not client.read(key.fd):
                self._pipes.unregister(key.fd)
                os.close(key.fd)
                self._alarmed = time.monotonic()
                client.over(self._alarmed)

    def _look(self, now: float) -> None:
        """See that nobody is mute; tell how the sites stand with the broker, once all that changes together has changed."""
        for wire in self._wires:
            wire.writer.begin_again_if_mute()
        changed = [wire for wire in self._wires if wire.tell_state(now)]
        if changed:
            self._untold |= dict.fromkeys(changed)
            return
        for state, words in LINK.items():
            if alike := [wire for wire in self._untold if wire.told == state]:
                self._tell(_story([wire.member.site for wire in alike], words, alike[0].link.complaint))
        self._untold.clear()

    def end(self) -> None:
        """Carry the last words of the sites, if they can be, and end."""
        deadline = time.monotonic() + FAREWELL
        while any(wire.left for wire in self._wires) and time.monotonic() < deadline:
            self._read(0.05)
        for wire in self._wires:
            wire.let_go()
        # At their end of file; which somebody else may keep from them, who still holds the pipe.
        deadline = min(deadline, time.monotonic() + _LAST_LINE)
        while any(wire.writer.process for wire in self._wires) and time.monotonic() < deadline:
            self._read(0.05)
        for client in self._clients:
            client.terminate()
        for client in self._clients:
            client.end()
        for key in list(self._pipes.get_map().values()):
            os.close(key.fd)
        self._pipes.close()


def _story(sites: Sequence[str], state: Text, complaint: str) -> Text:
    who = ", ".join(sites[:_SHOWN]) + (f", ... ({len(sites)})" if len(sites) > _SHOWN else "")
    why = f" ({complaint})" if complaint else ""
    return Text(f"{who} : {state.fr}{why}", f"{who}: {state.en}{why}")
