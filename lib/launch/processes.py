"""Processes on pipes: start one, notice that it ended, end it by its process id."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from lib.launch.folder import Folder
from lib.texts import Problem

ROOT = Path(__file__).resolve().parent.parent.parent

_PR_SET_PDEATHSIG = 1
_SPARE_FILES = 64
_LAST_BYTES = 4096
_libc = ctypes.CDLL(None)


def program(name: str) -> list[str]:
    """How a program of ours is started: the standard library is enough for it, and looking for more takes 1 to 25 ms."""
    return [sys.executable, "-S", str(ROOT / name)]


class Pipes:
    """The FIFOs of a run, two for each process by its name, and `more`, made and held open by the launcher.

    It opens each for reading and writing: no `open` of a site ever waits for the other end, and a site that dies is
    neither an end of file to the one downstream nor a broken pipe to the one upstream.
    """

    def __init__(self, folder: Folder, names: Sequence[str], more: Sequence[Path] = ()) -> None:
        _allow_open_files(2 * len(names) + len(more) + _SPARE_FILES)
        folder.make_fifos(names, more)
        self._inputs = [os.open(path, os.O_RDWR) for path in (*map(folder.input, names), *more)]
        self._commands = {name: os.open(folder.commands(name), os.O_RDWR | os.O_NONBLOCK) for name in names}

    def command(self, site: str, line: str) -> None:
        """Writes a line into the command FIFO of `site`, whole or not at all. Raises `Problem` when it does not fit."""
        data = f"{line}\n".encode()
        if len(data) > 4096:  # PIPE_BUF: a longer one could be cut
            raise Problem(
                f"{site} : commande trop longue ({len(data)} octets)", f"{site}: command too long ({len(data)} bytes)"
            )
        try:
            os.write(self._commands[site], data)
        except BlockingIOError:
            raise Problem(f"{site} ne lit plus ses commandes", f"{site} does not read its commands any more") from None

    def close(self) -> None:
        for file in [*self._inputs, *self._commands.values()]:
            os.close(file)


class Processes:
    """The living processes of a run, by name."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._living: dict[str, subprocess.Popen[bytes]] = {}
        self._suspended: dict[str, None] = {}

    @property
    def living(self) -> list[str]:
        return list(self._living)

    @property
    def suspended(self) -> list[str]:
        """Those of the living that we have made stand still."""
        return list(self._suspended)

    def start(self, name: str, command: Sequence[str], output: Path) -> None:
        """Starts `name`: reads its own FIFO, writes into `output`, complains into its log.

        Each opens its ends anew: flags such as O_NONBLOCK belong to what `open` returned and would be shared otherwise.
        Raises `Problem` when the system does not allow it.
        """
        ends = (
            (self._folder.input(name), os.O_RDONLY),
            (output, os.O_WRONLY),
            (self._folder.log(name), os.O_WRONLY | os.O_CREAT | os.O_APPEND),
        )
        files: list[int] = []
        try:
            files += (os.open(path, flags, 0o600) for path, flags in ends)
            self._living[name] = subprocess.Popen(
                command,
                stdin=files[0],
                stdout=files[1],
                stderr=files[2],
                process_group=0,  # the terminal's Ctrl-C is for the launcher, which then ends them in good order
                preexec_fn=die_with(os.getpid()),
            )
        except OSError as error:  # too many processes, no memory, a full disk
            why = error.strerror
            raise Problem(f"{name} ne peut pas être lancé ({why})", f"{name} cannot be started ({why})") from None
        finally:
            for file in files:
                os.close(file)

    def kill(self, site: str) -> None:
        """SIGKILL for `site`, and wait until it is dead; its end is noticed like any other."""
        process = self._living[site]
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)

    def suspend(self, site: str) -> None:
        """SIGSTOP for `site`, and wait until it has taken effect, or the process has ended."""
        process = self._living[site]
        process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        self._suspended[site] = None

    def resume(self, site: str) -> None:
        """SIGCONT for `site`; nothing for one that runs or has ended."""
        self._suspended.pop(site, None)
        if site in self._living:
            self._living[site].send_signal(signal.SIGCONT)

    def ended(self) -> dict[str, int]:
        """Those that have ended since the last call, with their status (minus the signal, as `subprocess` has it)."""
        gone = {site: status for site, process in self._living.items() if (status := process.poll()) is not None}
        for site in gone:
            del self._living[site]
            self._suspended.pop(site, None)
        return gone

    def signal(self, names: Iterable[str], number: signal.Signals) -> None:
        """Sends a signal to those of these that live, each by its process id."""
        for name in names:
            if name in self._living:
                self._living[name].send_signal(number)


def last_words(log: Path, start: int = 0) -> str:
    """The last line of a log that is not empty, unless it was written before `start` (a size in bytes)."""
    with log.open("rb") as file:
        file.seek(max(start, os.fstat(file.fileno()).st_size - _LAST_BYTES))
        lines = file.read().decode(errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def die_with(launcher: int) -> Callable[[], None]:
    """What a new process does first: ask the kernel to be killed when the launcher dies, be it by SIGKILL itself.

    SIGKILL rather than SIGTERM, because a stopped or hung site must not survive either; sites are made to stand it.
    """

    def ask() -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != launcher:  # it died before we could ask
            os._exit(1)

    return ask


def _allow_open_files(number: int) -> None:
    """Raises the limit of open files to `number` if need be. Raises `Problem` when that is not allowed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < number:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (number, hard))
        except (ValueError, OSError):
            raise Problem(
                f"--clients : il faudrait {number} fichiers ouverts, {hard} sont permis (ulimit -n)",
                f"--clients: {number} open files would be needed, {hard} are allowed (ulimit -n)",
            ) from None
