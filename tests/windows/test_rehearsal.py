"""The rehearsal of a defence, played by itself: real windows, real keys, slow links, a killed site, a loaded snapshot."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import tkinter
from pathlib import Path
from tkinter import ttk

import pytest

from lib.launch import rehearsal
from lib.windows.widgets.popup import Popup

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 300  # seconds, on a machine that does other things too

pytestmark = pytest.mark.skipif(not shutil.which("xdotool"), reason="no xdotool: apt install xdotool")


def rehearse(folder: Path, display: str, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ROOT / "scripts" / "demo_soutenance.sh", "--lang=fr", "--dossier", folder, *options],
        capture_output=True, text=True, timeout=LIMIT, check=False,
        env=os.environ | {"DISPLAY": display, "PYTHON": shutil.which("python3") or "python3"},
    )  # fmt: skip


def test_the_rehearsal_plays_itself_and_everything_comes_to_pass(tmp_path: Path, display: str) -> None:
    done = rehearse(tmp_path / "run", display, "--auto")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Tout s'est passé comme annoncé." in done.stdout
    assert done.stdout.count("✓ vu") == sum(len(step.awaited) for step in rehearsal.STEPS)
    assert "Traceback" not in "".join(log.read_text() for log in (tmp_path / "run").glob("*.log"))


def test_a_robot_finds_the_window_itself_and_its_keys_do_not_repeat(display: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the window has opened has its name too, and its keys would be lost there; one that is held types besides."""
    monkeypatch.setenv("DISPLAY", display)
    root = tkinter.Tk(screenName=display, className="Billets")
    try:
        root.title("c1 — client")
        root.geometry("400x300+30+30")
        entry = ttk.Entry(root)
        entry.pack()
        heard: list[str] = []
        root.bind("<Alt-Key-p>", lambda _: heard.append("Alt+P"))
        root.update()
        entry.focus_set()
        Popup(entry).open()
        root.update()
        robot = rehearsal.Robot()
        presses = threading.Thread(target=robot.press, args=("c1", "alt+p"))
        presses.start()
        while presses.is_alive():
            root.update()
        assert heard == ["Alt+P"] and entry.get() == ""
    finally:
        root.destroy()


def test_without_a_display_it_says_what_is_missing(tmp_path: Path) -> None:
    done = rehearse(tmp_path / "run", "", "--auto")
    assert done.returncode == 2 and "écran" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("options", [("--notk",), ("--demo",), ("-c", "2")])
def test_what_it_cannot_be_played_with_is_refused(tmp_path: Path, options: tuple[str, ...]) -> None:
    done = rehearse(tmp_path / "run", "", *options)
    assert done.returncode == 2 and done.stderr.startswith("launch_ring.sh : --soutenance"), done.stderr


def test_every_step_says_what_to_do_and_what_to_see_in_both_languages() -> None:
    for step in rehearsal.STEPS:
        for text in (step.title, step.to_do, step.to_see):
            assert text.fr and text.en and text.fr != text.en
        assert step.awaited and (step.keys or step.act)
