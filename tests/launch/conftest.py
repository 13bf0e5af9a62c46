"""Launches: of stub sites in a copy of the launcher whose path has spaces, or of the real ones where they are."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
LIMIT = 60.0  # seconds for anything to happen on a busy machine


class Launch:
    """A launcher that runs, its output going to a file; told apart from others by its run directory."""

    def __init__(
        self, root: Path, folder: Path, *arguments: str, cwd: Path | None = None, graph: str | Path = "", **more: str
    ) -> None:
        self.folder = folder
        script = ["launch_graph.sh", graph] if graph else ["launch_ring.sh"]
        self.output = folder.parent / f"{folder.name}.out"
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [root / "scripts" / script[0], *script[1:], "--dossier", folder, *arguments],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=cwd,
                env=environment(**more),
                process_group=0,
            )

    @property
    def text(self) -> str:
        return self.output.read_text()

    def wait_for(self, words: str) -> None:
        """Until `words` were printed."""
        wait_until(lambda: words in self.text or self.process.poll() is not None)
        assert words in self.text, self.text

    def type(self, line: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(f"{line}\n".encode())
        self.process.stdin.flush()

    def end(self, number: int = signal.SIGTERM) -> int:
        """Sends a signal to the launcher alone, and waits; its status."""
        self.process.send_signal(number)
        return self.process.wait(LIMIT)

    def sites(self) -> dict[str, int]:
        """The living sites of this launch with their process ids, as /proc knows them."""
        return {name: pid for name, pid in self._living() if not name.endswith(".cable")}

    def cables(self) -> dict[str, int]:
        """The living cables, by the site whose lines they carry."""
        return {name.removesuffix(".cable"): pid for name, pid in self._living() if name.endswith(".cable")}

    def _living(self) -> Iterator[tuple[str, int]]:
        """Every process of this launch, by the name of its command pipe."""
        for entry in Path("/proc").iterdir():
            for word in _command_line(entry) if entry.name.isdigit() else []:
                if word.startswith(start := f"--commandes={self.folder}/"):
                    yield word.removeprefix(start).removesuffix(".cmd"), int(entry.name)

    def fifos(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir() if path.is_fifo())


def _command_line(entry: Path) -> list[str]:
    try:
        return (entry / "cmdline").read_bytes().decode().split("\0")
    except OSError:  # it has just ended
        return []


def environment(**more: str) -> dict[str, str]:
    """French, no display, this very Python."""
    dropped = ("DISPLAY", "WAYLAND_DISPLAY", "LC_ALL", "LC_MESSAGES", "PYTHONPATH")
    kept = {key: value for key, value in os.environ.items() if key not in dropped}
    return kept | {"LANG": "fr_FR.UTF-8", "PYTHON": sys.executable} | more


def wait_until(holds, limit: float = LIMIT) -> None:
    """Looks again and again, until it holds."""
    deadline = time.monotonic() + limit
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


@pytest.fixture(scope="session")
def stub_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The launcher as it is, with stubs instead of sites, in a folder whose name has blanks and an apostrophe."""
    root = tmp_path_factory.mktemp("ici") / "l'anneau de Compiègne"
    for name in ("launch", "cable", "broker"):
        shutil.copytree(ROOT / "lib" / name, root / "lib" / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "scripts", root / "scripts")
    (root / "lib" / "edge").mkdir()
    used_by_cables = [f"edge/{name}.py" for name in ("__init__", "lines", "log", "streams")]
    for name in ("lib/__init__.py", "lib/texts.py", "lib/words.py", "cable.py", *(f"lib/{name}" for name in used_by_cables)):
        shutil.copy(ROOT / name, root / name)
    for name in ("guichet.py", "client.py"):
        shutil.copy(Path(__file__).parent / "stub_site.py", root / name)
    return root


def patient(stub_root: Path, folder: Path, module: str, before: str, after: str) -> Path:
    """The stubs and their launcher, of which one number is another."""
    shutil.copytree(stub_root, folder)
    file = folder / "lib" / "launch" / module
    text = file.read_text()
    assert before in text
    file.write_text(text.replace(before, after))
    return folder


@pytest.fixture
def launches(stub_root: Path, tmp_path: Path) -> Iterator:
    """`launches(*options)` starts stubs in a folder of this test; whatever still runs at its end is ended."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # nohup scripts/test.sh: a launcher would heed that too
    started = []

    def launch(*arguments: str, folder: str = "dossier de travail", root: Path = stub_root, **more) -> Launch:
        started.append(Launch(root, tmp_path / folder, *arguments, **more))
        return started[-1]

    yield launch
    for one in started:
        if one.process.poll() is None:
            one.end()
    for one in started:
        wait_until(lambda one=one: not one.sites() | one.cables())
