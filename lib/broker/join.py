"""One site on this machine: its process, its pipes, and mosquitto's programs around it.

Without a window, what happens at the site is told in the terminal, as a launcher's console does.
"""

from __future__ import annotations

import fcntl
import io
import os
import select
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import zip_longest
from pathlib import Path
from typing import Any

from lib.broker import programs
from lib.broker.carrier import FAREWELL, Carrier, options_of
from lib.broker.member import READER, Member, write_forgetting, write_reader
from lib.launch import tiling
from lib.launch.processes import die_with, program
from lib.launch.screen import Screen
from lib.launch.signals import Signals
from lib.launch.telling import KINDS, Teller
from lib.launch.traces import Follower, end_last_line
from lib.texts import Problem, Text

_STDIN, _STDOUT = 0, 1
GRACE = 5.0  # seconds between telling a site to end and ending it
_LOOK = 0.1  # seconds after which what happened is told: at once, for who has just typed something


def join(member: Member, folder: Path, options: Sequence[str], screen: Screen, tell: Callable[[Text], None]) -> int:
    """Be the machine of `member`, until its site ends; its status, 128 and the signal's number if one ended it. What happens
    at the site goes to `screen`, unless it has a window; what becomes of the link, to `tell`. Raises `Problem`."""
    lock = _open(folder)
    story = _Story(member.site, folder, options, screen)
    signals = Signals()
    try:
        carrier = Carrier([member], folder, signals, tell)
    except OSError as error:
        raise _unusable(error) from None
    try:
        site = _start(member, folder, [f"--trace={story.trace}", *options])
        while site.poll() is None and not signals.received:
            carrier.serve(_LOOK)
            story.go_on()
        status = _end(site)
        story.go_on()
    finally:
        carrier.end()
    story.end()
    if status == 0:
        _forget(member, options_of(folder, member.site))
    os.close(lock)
    return status if status >= 0 else 128 - status


class _Story:
    """What happens at `site`, from its `trace`: in `folder`, unless its own options have another."""

    def __init__(self, site: str, folder: Path, options: Sequence[str], screen: Screen) -> None:
        self.trace = _value_of("--trace", options) or str(folder / f"{site}.trace.jsonl")
        self._paper = _Paper(_STDOUT)
        stream = io.TextIOWrapper(self._paper, sys.stdout.encoding, "replace", write_through=True)
        self._teller = None if _has_window(options) else Teller(Screen(screen.language, stream))
        with suppress(OSError):  # the site will say what is wrong with it
            end_last_line(Path(self.trace))
        self._events = Follower({site: Path(self.trace)})  # what an earlier life has written is an old story

    def go_on(self, patience: float = 0.0) -> None:
        """Tell what is new, once what was told has been read, or after `patience`: meanwhile the trace keeps it."""
        if self._teller is not None and self._paper.hand_over(patience):
            self._teller.tell(self._events.new_events(KINDS))

    def end(self) -> None:
        """Tell the last of it to a reader who is slow."""
        self.go_on(FAREWELL)
        self._paper.hand_over(FAREWELL)


class _Paper(io.BufferedIOBase):
    """What is written into `file`, without waiting for who reads it: a full pipe, or a terminal that stands still, would
    keep us from the broker and from a signal."""

    def __init__(self, file: int) -> None:
        super().__init__()
        self._file = file
        self._kept = b""

    def fileno(self) -> int:
        """The file."""
        return self._file

    def isatty(self) -> bool:
        """Whether it is a terminal, which may have colours."""
        return os.isatty(self._file)

    def writable(self) -> bool:
        """It is there for nothing else."""
        return True

    def write(self, data: Any) -> int:
        """Keep this for the next `flush`."""
        taken = bytes(data)
        self._kept += taken
        return len(taken)

    def flush(self) -> None:
        """Hand over what is taken at once."""
        self.hand_over(0.0)

    def hand_over(self, patience: float) -> bool:
        """Hand over what is kept; whether all of it was taken, without waiting longer than this."""
        deadline = time.monotonic() + patience
        while self._kept:
            try:
                if not select.select([], [self._file], [], max(0.0, deadline - time.monotonic()))[1]:
                    return False
                # A pipe that is ready takes as much as this at once.
                self._kept = self._kept[os.write(self._file, self._kept[: select.PIPE_BUF]) :]
            except OSError:  # nobody reads it any more: its reader has left, or the terminal is gone
                self._file = os.open(os.devnull, os.O_WRONLY)
        return True


def _value_of(option: str, options: Sequence[str]) -> str:
    """What the options say last for this one; empty if they do not."""
    value = ""
    for word, following in zip_longest(options, options[1:], fillvalue=""):
        name, equals, rest = word.partition("=")
        if name == option:
            value = rest if equals else following
    return value


def _has_window(options: Sequence[str]) -> bool:
    """Whether the site will show what happens by itself: it lives without a window where none can be opened, and only Tk
    knows that."""
    if {"--notk", "--nogui"} & set(options):
        return False
    try:
        tiling.screen_size()
    except tiling.NoWindows:
        return False
    return True


def _open(folder: Path) -> int:
    """The folder, made if need be, and locked: the lock. Raises `Problem`."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(folder / "verrou", os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return lock
    except BlockingIOError:
        raise Problem(
            f"{folder} : ce site tourne déjà ici ; arrêtez-le, ou donnez un autre dossier (--dossier)",
            f"{folder}: this site already runs here; stop it, or give another folder (--dossier)",
        ) from None
    except OSError as error:
        raise _unusable(error) from None


def _unusable(error: OSError) -> Problem:
    return Problem(
        f"--dossier : {error.filename} est inutilisable ({error.strerror})",
        f"--dossier: {error.filename} cannot be used ({error.strerror})",
    )


def _start(member: Member, folder: Path, options: Sequence[str]) -> subprocess.Popen[bytes]:
    """The site, between its pipes. Its commands are what is typed here, unless `options` say otherwise."""
    commands = os.dup(_STDIN)
    is_guichet = member.site == member.guichet
    own = [
        f"--ident={member.site}",
        *([] if is_guichet else [f"--guichet={member.guichet}"]),
        f"--voisins={','.join(member.neighbours)}",
        f"--donnees={folder / 'donnees'}",
        f"--instantanes={folder / 'instantanes'}",
        f"--liaison={folder / member.site}.liaison",
        *([f"--commandes=/dev/fd/{commands}"] if _is_ours(_STDIN) else []),
    ]
    command = [*program("guichet.py" if is_guichet else "client.py"), *own, *options]
    stdin = os.open(folder / f"{member.site}.in", os.O_RDONLY)
    stdout = os.open(folder / f"{member.site}.out", os.O_WRONLY)
    try:
        return subprocess.Popen(command, stdin=stdin, stdout=stdout, pass_fds=[commands], preexec_fn=die_with(os.getpid()))
    finally:
        for file in (stdin, stdout, commands):
            os.close(file)


def _is_ours(file: int) -> bool:
    """Whether commands can be read from `file`: a terminal that has put us in the background would stop us."""
    mode = os.fstat(file).st_mode
    if os.isatty(file):
        return os.tcgetpgrp(file) == os.getpgrp()
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode)


def _end(site: subprocess.Popen[bytes]) -> int:
    """Have the site end, if it does not yet; its status."""
    if site.poll() is None:
        site.terminate()
        try:
            site.wait(GRACE)
        except subprocess.TimeoutExpired:
            site.kill()
    return site.wait()


def _forget(member: Member, options: Path) -> None:
    """A site that took its leave comes back as a new one: nothing needs to wait for it, for ever perhaps."""
    write_forgetting(member, options)
    with suppress(Problem):  # the broker is away: it forgets by itself, the next day
        environment = {"XDG_CONFIG_HOME": str(options / READER)}
        programs.run("mosquitto_sub", cwd=options, environment=environment, patience=FAREWELL)
    write_reader(member, options)  # for who wants to go on by hand
