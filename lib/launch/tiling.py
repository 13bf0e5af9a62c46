"""The windows on the screen: whether there can be any, and where each goes.

The guichet stands on the left, the clients in columns on the right; those that find no place lie over the others, each a
little further down, so that its edge can be seen.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lib.texts import Text

# Pixels. A window smaller than this, its title bar included, is not worth much; two rows fit a laptop's 768.
LEAST_WIDTH, LEAST_HEIGHT = 560, 380
_TITLE, _FRAME = 30, 2
_SHIFT = 28  # of a window that lies over another one: its title stays to be seen
_PATIENCE = 20.0  # seconds for a display that is slow to answer

# tkinter is asked in another process: it could hang, or bring the launcher down with the display.
_PROBE = """\
import sys
try:
    import tkinter
except ImportError:
    sys.exit(3)
try:
    root = tkinter.Tk()
except tkinter.TclError as error:
    sys.exit(str(error))
print(root.winfo_screenwidth(), root.winfo_screenheight())
"""
_NO_TKINTER = 3


class NoWindows(Exception):
    """There can be no windows: why, and what to do."""

    def __init__(self, fr: str, en: str) -> None:
        super().__init__(fr)
        self.text = Text(f"Sans fenêtres : {fr}", f"Without windows: {en}")


@dataclass(frozen=True, slots=True)
class Box:
    """A part of the screen, in pixels."""

    x: int
    y: int
    width: int
    height: int

    def __str__(self) -> str:
        """As X has it: the inside of a window whose frame fills the box."""
        return f"{self.width - _FRAME}x{self.height - _TITLE}+{self.x}+{self.y}"

    def shifted(self, times: int) -> Box:
        """The same, so many times further to the lower right."""
        return Box(self.x + times * _SHIFT, self.y + times * _SHIFT, self.width, self.height)


def screen_size(environment: Mapping[str, str] = os.environ) -> tuple[int, int]:
    """Width and height of the screen in pixels. Raises `NoWindows`."""
    if not (environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY")):
        raise NoWindows(
            "pas d'écran (DISPLAY est vide) ; ouvrez une session graphique, ou un écran virtuel (apt install xvfb)",
            "no display (DISPLAY is empty); open a graphical session, or a virtual screen (apt install xvfb)",
        )
    try:
        probe = subprocess.run(
            [sys.executable, "-S", "-c", _PROBE], capture_output=True, text=True, timeout=_PATIENCE, env=dict(environment)
        )
    except subprocess.TimeoutExpired:
        raise NoWindows(
            "l'écran ne répond pas ; ouvrez une session graphique, ou dites --notk",
            "the display does not answer; open a graphical session, or say --notk",
        ) from None
    return _size(probe)


def _size(probe: subprocess.CompletedProcess[str]) -> tuple[int, int]:
    if probe.returncode == _NO_TKINTER:
        raise NoWindows(
            "ce Python n'a pas tkinter ; installez-le : apt install python3-tk",
            "this Python has no tkinter; install it: apt install python3-tk",
        )
    if probe.returncode:
        why = (probe.stderr.strip().splitlines() or ["?"])[-1]
        raise NoWindows(
            f"l'écran ne s'ouvre pas ({why}) ; il faut une session X, xwayland ou xvfb (apt install xvfb)",
            f"the display does not open ({why}); it takes an X session, xwayland or xvfb (apt install xvfb)",
        )
    width, height = map(int, probe.stdout.split())
    return width, height


def tiles(width: int, height: int, guichet: str, clients: Sequence[str]) -> dict[str, Box]:
    """A box for every site on a screen of this size."""
    columns, rows = max(1, width // LEAST_WIDTH), max(1, height // LEAST_HEIGHT)
    used = min(-(-len(clients) // rows), columns - 1)  # columns of clients, on the right
    side = LEAST_WIDTH if used == columns - 1 else width // columns
    left = width - used * side
    boxes: list[Box] = []
    for column in range(used):
        count = min(rows, -(-(len(clients) - len(boxes)) // (used - column)))
        boxes += [Box(left + column * side, n * (height // count), side, height // count) for n in range(count)]
    below = len(clients) > len(boxes) and rows > 1  # some more find their place under the guichet
    if below:
        count = left // LEAST_WIDTH
        boxes += [Box(n * (left // count), height - LEAST_HEIGHT, left // count, LEAST_HEIGHT) for n in range(count)]
    home = Box(0, 0, left, height - LEAST_HEIGHT if below else height)
    places = boxes or [home.shifted(1)]
    placed = {client: places[n % len(places)].shifted(n // len(places)) for n, client in enumerate(clients)}
    return {guichet: home, **placed}
