"""The run directory: the pipes of a run, what it leaves behind, and the lock that keeps a second launcher out."""

from __future__ import annotations

import fcntl
import os
import stat
import tempfile
from collections.abc import Iterable
from pathlib import Path

from lib.texts import Problem

_PREFIX = "airplug-billets-"


class Folder:
    """The run directory, locked from the construction until `close`. Raises `Problem` when it cannot be used."""

    def __init__(self, path: Path | None = None) -> None:
        try:
            self.path = _make(path)
            self._lock = os.open(self.path / "verrou", os.O_RDWR | os.O_CREAT, 0o600)
            self.stores.mkdir(mode=0o700, exist_ok=True)
            self.snapshots.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise _unusable(error) from None
        self._take_lock()

    @property
    def stores(self) -> Path:
        return self.path / "donnees"

    @property
    def snapshots(self) -> Path:
        return self.path / "instantanes"

    def input(self, site: str) -> Path:
        return self.path / f"{site}.in"

    def output(self, site: str) -> Path:
        return self.path / f"{site}.out"

    def commands(self, site: str) -> Path:
        return self.path / f"{site}.cmd"

    def log(self, site: str) -> Path:
        return self.path / f"{site}.log"

    def link(self, site: str) -> Path:
        return self.path / f"{site}.liaison"

    def trace(self, site: str) -> Path:
        return self.path / f"{site}.trace.jsonl"

    def make_fifos(self, sites: Iterable[str], more: Iterable[Path] = ()) -> None:
        """Both FIFOs of every site, and more, new. Those of a launcher that was killed go first: their content is stale."""
        self.remove_fifos()
        try:
            for site in sites:
                os.mkfifo(self.input(site), 0o600)
                os.mkfifo(self.commands(site), 0o600)
            for path in more:
                os.mkfifo(path, 0o600)
        except OSError as error:
            raise _unusable(error) from None

    def remove_fifos(self) -> None:
        """Whatever is a FIFO here goes; files stay, whatever their name."""
        for pattern in ("*.in", "*.out", "*.cmd"):
            for path in self.path.glob(pattern):
                if stat.S_ISFIFO(path.lstat().st_mode):
                    path.unlink()

    def close(self) -> None:
        """Removes the FIFOs and gives the lock back. The lock file stays: unlinking it would let two launchers in."""
        self.remove_fifos()
        os.close(self._lock)

    def _take_lock(self) -> None:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            raise Problem(
                f"--dossier : {self.path} sert déjà à un autre lancement ; arrêtez-le ou donnez un autre dossier",
                f"--dossier: {self.path} is in use by another launcher; stop that one or give another folder",
            ) from None


def _make(path: Path | None) -> Path:
    if path is None:
        return Path(os.path.abspath(tempfile.mkdtemp(prefix=_PREFIX)))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir(mode=0o700, exist_ok=True)
    return path


def _unusable(error: OSError) -> Problem:
    return Problem(
        f"--dossier : {error.filename} est inutilisable ({error.strerror})",
        f"--dossier: {error.filename} cannot be used ({error.strerror})",
    )
