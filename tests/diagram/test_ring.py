"""A real run: the witness agrees with the program about itself."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 120.0  # seconds for a demonstration of twenty on a busy machine


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """The run of the demonstration: sales, a kill, a snapshot with messages in its channels, its restoration."""
    folder = tmp_path_factory.mktemp("demo") / "run"
    command = [ROOT / "scripts" / "launch_ring.sh", "--demo", "--dossier", folder]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def diagram(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "lib.diagram", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT, check=False)


def test_the_demonstration_is_coherent_and_its_channels_are_as_the_guichet_says(folder):
    drawn = diagram(folder, "--tour=1", "--lang=fr")
    assert (drawn.returncode, drawn.stderr) == (0, "")
    rows = map(json.loads, (folder / "gch.trace.jsonl").read_text().splitlines())
    (end,) = [row for row in rows if row["ev"] == "snapshot" and row["phase"] == "complete"]
    assert drawn.stdout.count('class="message channel"') == end["messages"] >= 2
    assert drawn.stdout.count('class="event recorded"') == 4
    assert drawn.stdout.count('class="cut"') == 1


def test_the_whole_run_with_its_two_lives(folder):
    drawn = diagram(folder, "--lang=fr")
    assert (drawn.returncode, drawn.stderr) == (0, "")
    assert drawn.stdout.count('class="event start"') == 5
    assert drawn.stdout.count('class="death"') == 1
    assert "la vie 1 de c1 s'interrompt" in drawn.stdout
    assert drawn.stdout.count('class="event redeliver"') == 2


def test_a_clock_that_was_tampered_with_is_found(folder, tmp_path):
    for path in folder.glob("*.trace.jsonl"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    trace = tmp_path / "c2.trace.jsonl"
    rows = [json.loads(line) for line in trace.read_text().splitlines()]
    victim = next(row for row in rows if row["ev"] == "recv" and row["type"] == "billet")
    victim["lamport"] = 1
    trace.write_text("".join(json.dumps(row) + "\n" for row in rows))
    drawn = diagram(tmp_path, "--tour=1", "--lang=fr")
    assert drawn.returncode == 1
    assert f"billet {victim['id']} -> c2 remonte le temps de Lamport" in drawn.stderr
    assert "c2 : l'horloge recule ou n'avance pas" in drawn.stderr
