"""Snapshot files: written aside, made durable and renamed; never overwritten; sealed, and read with suspicion."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from lib.core import audit
from lib.core.audit import Document
from lib.core.recording import parse
from lib.edge.streams import open_file
from lib.texts import Problem

MAX_FILE = 512 * 2**20  # bytes: a system of a million tickets; more is no snapshot of ours


class Folder:
    """The folder of a site's snapshots (`--instantanes`). It is made with the first of them."""

    def __init__(self, path: str) -> None:
        self.path = Path(path)

    def write(self, document: Document) -> Path:
        """Keep a document under a name of its own, `instantane-<tour>-<yyyymmdd-hhmmss>.json`. Raises `Problem`."""
        now = datetime.now().astimezone()
        sealed = document | {"taken_at": now.isoformat(timespec="seconds")}
        sealed["sha256"] = audit.seal(sealed)
        stem = f"instantane-{document['round']}-{now:%Y%m%d-%H%M%S}"
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            return self._write(stem, json.dumps(sealed, ensure_ascii=False) + "\n")
        except OSError as error:
            raise Problem(
                f"--instantanes : {self.path} ne peut être écrit ({error.strerror}) ; faites de la place, changez-en",
                f"--instantanes: {self.path} cannot be written ({error.strerror}); make room or give another folder",
            ) from error

    def _write(self, stem: str, text: str) -> Path:
        aside = self.path / f".{stem}.{os.getpid()}"
        try:
            with aside.open("w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            return self._publish(aside, stem)
        finally:
            with suppress(OSError):
                aside.unlink()

    def _publish(self, aside: Path, stem: str) -> Path:
        """Give the whole file its name: a link, unlike a renaming, never replaces another file."""
        for number in range(1, 1000):
            path = self.path / (f"{stem}.json" if number == 1 else f"{stem}-{number}.json")
            try:
                os.link(aside, path)
            except FileExistsError:
                continue
            directory = os.open(self.path, os.O_RDONLY)
            os.fsync(directory)
            os.close(directory)
            return path
        raise FileExistsError(17, "too many snapshots in one second")

    def read(self, name: str) -> Document:
        """The document of that name in the folder, whatever path is written before it. Raises `Problem`."""
        name = Path(name).name
        try:
            return read(self.path / name)
        except FileNotFoundError as error:
            raise Problem(f"{name} : aucun instantané de ce nom", f"{name}: no snapshot of that name") from error

    def names(self) -> list[Path]:
        """The snapshots that are there, oldest first."""
        return sorted(self.path.glob("instantane-*.json"), key=lambda path: (path.lstat().st_mtime, path.name))


def read(path: Path) -> Document:
    """The document in a file; what it claims is not checked here. Raises `Problem` when it is no snapshot at all,
    `FileNotFoundError` when there is none."""
    try:
        with open_file(path) as file:
            if os.fstat(file.fileno()).st_size > MAX_FILE:
                raise ValueError(f"> {MAX_FILE >> 20} MB")
            document = parse(file.read().decode())
    except FileNotFoundError:
        raise
    except OSError as error:
        raise Problem(
            f"{path} : {error.strerror} ; voyez la liste : guichet.py --liste --instantanes=DOSSIER",
            f"{path}: {error.strerror}; see the list: guichet.py --liste --instantanes=DIR",
        ) from error
    except ValueError as error:
        raise Problem(f"{path} : ce n'est pas du JSON ({error})", f"{path}: not JSON ({error})") from error
    if not isinstance(document, dict) or document.get("format") != audit.FORMAT:
        raise Problem(f"{path} : ce n'est pas un instantané ({audit.FORMAT})", f"{path}: not a snapshot ({audit.FORMAT})")
    return document
