"""`launch_graph.sh --mqtt`: the whole thing on one machine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from lib.broker import programs
from lib.texts import Problem
from tests.broker.machines import needs_broker
from tests.launch.conftest import ROOT, Launch, wait_until
from tests.processes.ring import ENVIRONMENT

pytestmark = needs_broker


def events(launch: Launch, site: str, ev: str) -> list[dict[str, object]]:
    lines = (launch.folder / f"{site}.trace.jsonl").read_text().splitlines()
    return [event for line in lines if line.endswith("}") and (event := json.loads(line))["ev"] == ev]


def test_a_graph_over_a_broker(tmp_path: Path) -> None:
    launch = Launch(ROOT, tmp_path / "run", "--mqtt", "--notk", "--console", graph=ROOT / "topologies" / "y.txt")
    try:
        launch.wait_for("6 sites en marche")
        launch.wait_for("courtier joignable")
        launch.type("c5 reserver")
        launch.wait_for("est à c5")
        # Killed before it has written down who listens, it forgets them, and loses what is said before they are back.
        memory = launch.folder / "courtier" / "memoire" / "mosquitto.db"
        wait_until(lambda: memory.exists() and all(f"{site}.lit".encode() in memory.read_bytes() for site in launch.sites()))
        broker = int((launch.folder / "courtier" / "courtier.pid").read_text())
        os.kill(broker, signal.SIGKILL)
        launch.wait_for("le courtier est mort ; il est relancé")
        launch.type("c4 reserver")
        launch.wait_for("est à c4")
        launch.type("c3 instantane")
        launch.wait_for("instantané 1 complet")
        (snapshot,) = (launch.folder / "instantanes").iterdir()
        check = [ROOT / "guichet.py", "--verifier", snapshot]
        assert subprocess.run(check, env=ENVIRONMENT, capture_output=True, check=False).returncode == 0
        assert (launch.folder / "c5.liaison").read_text() == "joignable\n"
        assert any("--liaison=" in word for word in Path(f"/proc/{launch.sites()['c5']}/cmdline").read_text().split("\0"))
        launch.type("quitter")
        assert launch.process.wait(60) == 0, launch.text
    finally:
        launch.process.kill()
        launch.process.wait()
    assert launch.fifos() == []
    assert not (launch.folder / "courtier" / "courtier.pid").exists(), "the broker has ended, too"


@pytest.mark.parametrize(("language", "words"), [("fr", "--mqtt : pas avec"), ("en", "--mqtt: not with")])
def test_spoilt_links_are_of_another_kind(tmp_path: Path, language: str, words: str) -> None:
    launch = Launch(ROOT, tmp_path / "run", "--mqtt", "--notk", "--cable", "tous: perte=0.1", f"--lang={language}")
    assert launch.process.wait(60) == 2
    assert words in launch.text and "Traceback" not in launch.text


def test_without_mosquitto_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(programs, "_ALSO", "/nowhere")
    with pytest.raises(Problem, match="mosquitto_sub est introuvable ; installez-le : apt install mosquitto-clients"):
        programs.find("mosquitto_sub")
