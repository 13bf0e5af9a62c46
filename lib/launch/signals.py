"""Ctrl-C and its kind, and the death of a child, as something one can wait for.

A handler that raises may do so between the birth of a process and the moment when it is written down, and so leave an
orphan. Here a handler only takes a note; who waits is woken, and asks with `check` at a moment that suits.
"""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Sequence
from types import FrameType

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(Exception):
    """The run has to end now, and it is nobody's mistake."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class Signals:
    """Catches the signals that end a run, from the construction on. One of these to a process."""

    def __init__(self) -> None:
        self.received: list[int] = []
        self._wake, writer = os.pipe()
        os.set_blocking(self._wake, False)
        os.set_blocking(writer, False)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)  # its default would not wake anybody
        for number in _ENDING:
            # Ignored by nohup: to go on when the terminal goes is what its user wants. But a script that starts us in
            # the background ignores Ctrl-C for us unasked, and whoever sends us SIGINT there wants us to end.
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self._note)

    def check(self) -> None:
        """Raises `Interrupted` when a signal has come."""
        if self.received:
            raise Interrupted(self.received[0])

    def wait(self, seconds: float | None, files: Sequence[int] = ()) -> bool:
        """Waits for a signal, a death, or input on one of `files`; whether there is input. Never raises."""
        ready, _, _ = select.select([self._wake, *files], [], [], seconds)
        if self._wake in ready:
            os.read(self._wake, 65536)
            ready.remove(self._wake)
        return bool(ready)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.received.append(number)
