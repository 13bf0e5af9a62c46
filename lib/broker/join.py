"""One site on this machine: its process, its pipes, and mosquitto's programs around it.

Without a window, what happens at the site is told in the terminal, as a launcher's console does.
"""

from __future__ import annotations

import fcntl
import os
import stat
import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from lib.broker import programs
from lib.broker.carrier import FAREWELL, Carrier, options_of
from lib.broker.member import READER, Member, write_forgetting, write_reader
from lib.launch.processes import die_with, program
from lib.launch.screen import Screen
from lib.launch.signals import Interrupted, Signals
from lib.launch.telling import KINDS, Teller
from lib.launch.traces import Follower, end_last_line
from lib.texts import Problem, Text

_STDIN = 0
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
    if status == 0:
        _forget(member, options_of(folder, member.site))
    os.close(lock)
    return status if status >= 0 else 128 - status


class _Story:
    """What happens at `site`, from its `trace`: in `folder`, unless its own options have another."""

    def __init__(self, site: str, folder: Path, options: Sequence[str], screen: Screen) -> None:
        self.trace = _value_of("--trace", options) or str(folder / f"{site}.trace.jsonl")
        self._teller = None if _has_window(options) else Teller(screen)
        with suppress(OSError):  # the site will say what is wrong with it
            end_last_line(Path(self.trace))
        self._events = Follower({site: Path(self.trace)})  # what an earlier life has written is an old story

    def go_on(self) -> None:
        """Tell what is new."""
        if self._teller is not None:
            try:
                self._teller.tell(self._events.new_events(KINDS))
            except Interrupted:  # nobody reads it any more
                self._teller = None


def _value_of(option: str, options: Sequence[str]) -> str:
    """What the options say last for this one; empty if they do not."""
    value = ""
    for word, following in zip(options, [*options[1:], ""], strict=False):  # no options at all: no pair
        name, equals, rest = word.partition("=")
        if name == option:
            value = rest if equals else following
    return value


def _has_window(options: Sequence[str]) -> bool:
    """Whether the site will show what happens by itself."""
    has_display = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return bool(has_display) and not {"--notk", "--nogui"} & set(options)


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
