"""Where the windows go, and what is said when there can be none."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from lib.launch import tiling
from lib.launch.tiling import LEAST_HEIGHT, LEAST_WIDTH, Box, NoWindows, screen_size, tiles

LAPTOP, DESK = (1280, 800), (1920, 1080)


def overlap(a: Box, b: Box) -> bool:
    return a.x < b.x + b.width and b.x < a.x + a.width and a.y < b.y + b.height and b.y < a.y + a.height


def placed(size: tuple[int, int], clients: int) -> dict[str, Box]:
    return tiles(*size, "gch", [f"c{n}" for n in range(1, clients + 1)])


@pytest.mark.parametrize("size", [LAPTOP, DESK, (1366, 768), (2560, 1440), (3840, 2160)])
@pytest.mark.parametrize("clients", [1, 2, 3])
def test_a_guichet_and_three_clients_are_seen_whole(size, clients):
    boxes = list(placed(size, clients).values())
    for n, box in enumerate(boxes):
        assert box.x >= 0 and box.y >= 0 and box.x + box.width <= size[0] and box.y + box.height <= size[1]
        assert box.width >= LEAST_WIDTH and box.height >= LEAST_HEIGHT
        assert not any(overlap(box, other) for other in boxes[n + 1 :])
    guichet, *others = boxes
    assert (guichet.x, guichet.y) == (0, 0)
    assert all(guichet.width > other.width for other in others[:1])


def test_on_a_laptop():
    assert {site: str(box) for site, box in placed(LAPTOP, 3).items()} == {
        "gch": "718x390+0+0",
        "c1": "558x370+720+0",
        "c2": "558x370+720+400",
        "c3": "718x350+0+420",
    }


def test_on_a_desk_the_guichet_has_the_whole_left():
    boxes = placed(DESK, 3)
    assert boxes["gch"] == Box(0, 0, 800, 1080)
    assert boxes["c1"] == Box(800, 0, 560, 540) and boxes["c3"] == Box(1360, 0, 560, 1080)


@pytest.mark.parametrize("size", [LAPTOP, DESK, (800, 600), (640, 480), (1366, 768)])
@pytest.mark.parametrize("clients", [1, 3, 8, 20])
def test_many_lie_over_each_other_and_none_on_the_very_place_of_another(size, clients):
    boxes = list(placed(size, clients).values())
    assert len(boxes) == clients + 1
    assert len({(box.x, box.y) for box in boxes}) == clients + 1
    assert all(box.width > 0 and box.height > 0 for box in boxes)
    assert all(re.fullmatch(r"\d+x\d+\+\d+\+\d+", str(box)) for box in boxes)


# ------------------------------------------------------------------------------------------------- whether there can be


def test_without_a_display():
    with pytest.raises(NoWindows) as none:
        screen_size({})
    assert "DISPLAY" in none.value.text.fr and "apt install xvfb" in none.value.text.en


def test_with_a_display_that_does_not_open():
    with pytest.raises(NoWindows) as none:
        screen_size(os.environ | {"DISPLAY": ":4711"})
    assert ":4711" in none.value.text.fr and none.value.text.fr.count("\n") == 0


def test_without_tkinter(monkeypatch):
    monkeypatch.setattr(tiling, "_PROBE", "import sys; sys.modules['tkinter'] = None\n" + tiling._PROBE)
    with pytest.raises(NoWindows) as none:
        screen_size(os.environ | {"DISPLAY": ":0"})
    assert none.value.text.fr == "Sans fenêtres : ce Python n'a pas tkinter ; installez-le : apt install python3-tk"


def test_with_a_display_that_hangs(monkeypatch):
    monkeypatch.setattr(tiling, "_PROBE", "import time; time.sleep(600)")
    monkeypatch.setattr(tiling, "_PATIENCE", 0.2)
    with pytest.raises(NoWindows, match="ne répond pas"):
        screen_size(os.environ | {"DISPLAY": ":0"})


def test_wayland_alone_is_tried_too():
    """Tk speaks X: whoever has xwayland has DISPLAY as well; whoever has not is told."""
    kept = {key: value for key, value in os.environ.items() if key != "DISPLAY"}
    with pytest.raises(NoWindows) as none:
        screen_size(kept | {"WAYLAND_DISPLAY": "wayland-0"})
    assert "xwayland" in none.value.text.fr


def test_the_screen_s_size_is_what_the_probe_says(monkeypatch):
    monkeypatch.setattr(tiling, "_PROBE", "print(1280, 800)")
    assert screen_size({"DISPLAY": ":0", "PATH": os.environ["PATH"]}) == LAPTOP


def test_the_probe_is_asked_of_this_very_python(monkeypatch):
    asked = []

    def run(command, **_):
        asked.append(command[0])
        return subprocess.CompletedProcess(command, 0, "1 2\n", "")

    monkeypatch.setattr(subprocess, "run", run)
    assert screen_size({"DISPLAY": ":0"}) == (1, 2)
    assert asked == [sys.executable]
