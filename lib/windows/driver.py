"""A site inside the loop of Tk: Tk watches its pipes itself, so there is no thread and no polling.

A flood of lines must not freeze the window. A site works in slices, between which Tk serves the user; Tk would redraw
only when nothing else is to be done, so the drawing is asked for by a timer, some twenty times a second at most.
"""

from __future__ import annotations

import time
import tkinter
from collections.abc import Callable
from typing import Protocol

DRAW_PAUSE = 0.05  # seconds between two drawings: a film has 24 a second, and each costs some milliseconds


class Sources(Protocol):
    """What a site listens to, as the edge has it."""

    upstream_is_gone: bool

    @property
    def reading(self) -> list[int]:
        """Descriptors to be watched for something to read."""

    @property
    def writing(self) -> list[int]:
        """Descriptors to be watched for room to write."""

    @property
    def patience(self) -> float:
        """Seconds until the site wants to know the time."""

    @property
    def is_over(self) -> bool:
        """Whether the site has ended."""

    def serve(self, ready: tuple[int, ...] = ()) -> None:
        """Do what there is to do."""

    def say_the_rest(self) -> None:
        """Write what still waits."""


class Driver:
    """Wakes `sources` from the loop of `root`; `draw` shows what there is to see, and says in how many seconds it wants
    to be called again even if nothing happens (None: not at all)."""

    def __init__(self, root: tkinter.Tk, sources: Sources, draw: Callable[[], float | None]) -> None:
        self._root = root
        self._sources = sources
        self._draw = draw
        self._watched: dict[int, int] = {}
        self._alarm = ""
        self._drawing = ""
        self._drawn_at = 0.0

    def run(self) -> None:
        """Until the site has ended."""
        if not self._sources.is_over:
            self._root.mainloop()
        self.stop()

    def stop(self) -> None:
        """Wait for nothing any more: Tk would go on watching the numbers of descriptors that are closed."""
        for fd in list(self._watched):
            self._root.deletefilehandler(fd)
        for timer in filter(None, (self._alarm, self._drawing)):
            self._root.after_cancel(timer)

    def look(self) -> None:
        """Something may have changed: wait for the right things, and show it soon."""
        if self._sources.is_over:
            self._close_dialogs()
            self._root.quit()
            return
        self._watch()
        if self._alarm:
            self._root.after_cancel(self._alarm)
        # Rounded up, so that the site is not asked too early; Tk counts milliseconds in 31 bits.
        self._alarm = self._root.after(min(int(self._sources.patience * 1000) + 1, 10**9), self._wake)
        self.draw_soon()

    def _close_dialogs(self) -> None:
        """Whoever waits for the end of a dialog would wait for ever: nobody answers it any more."""
        for dialog in _toplevels(self._root):
            dialog.destroy()

    def _watch(self) -> None:
        wanted = dict.fromkeys(self._sources.writing, tkinter.WRITABLE)
        wanted |= dict.fromkeys(self._sources.reading, tkinter.READABLE)
        if wanted == self._watched:
            return
        for fd in self._watched.keys() - wanted.keys():
            self._root.deletefilehandler(fd)
        for fd, events in wanted.items():
            self._root.createfilehandler(fd, events, self._ready)
        self._watched = wanted

    def _ready(self, fd: int, _events: int) -> None:
        if fd in self._watched:  # Tk may still have an event in hand for one that is not watched any more
            self._sources.serve((fd,))
            self.look()

    def _wake(self) -> None:
        self._alarm = ""
        self._sources.serve()
        self.look()

    # ------------------------------------------------------------------------------------------------------ what is seen

    def draw_soon(self, within: float = 0.0) -> None:
        """Draw in `within` seconds, or sooner if that is planned already; never sooner than a pause after the last time."""
        pause = max(within, DRAW_PAUSE - (time.monotonic() - self._drawn_at), 0.0)
        if self._drawing and pause > DRAW_PAUSE:
            return
        if self._drawing:
            self._root.after_cancel(self._drawing)
        self._drawing = self._root.after(int(pause * 1000), self._show)

    def _show(self) -> None:
        self._drawing = ""
        again = self._draw()
        self._root.update_idletasks()  # under a flood, Tk would never come to it
        self._drawn_at = time.monotonic()
        if again is not None and not self._drawing:
            self._drawing = self._root.after(max(int(again * 1000), int(DRAW_PAUSE * 1000)), self._show)


def _toplevels(widget: tkinter.Misc) -> list[tkinter.Toplevel]:
    """The windows that were opened from a widget, or from one inside it."""
    found: list[tkinter.Toplevel] = []
    for child in widget.winfo_children():
        found += [child] if isinstance(child, tkinter.Toplevel) else _toplevels(child)
    return found
