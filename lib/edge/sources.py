"""What a site listens to, pipes, signals and time, and what is done when one of them has something for it.

Who waits for them is a driver: the `poll` loop of `loop.py`, or the loop of Tk with a window.
"""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Collection

from lib.edge import streams
from lib.edge.log import Log
from lib.edge.process import Process
from lib.texts import Text

# A stopped neighbour must not keep a site from ending: what it does not take within this time, it loses.
FAREWELL = 2.0  # seconds


def on_signals() -> int:
    """Turn SIGTERM and SIGINT into bytes on a pipe, whose reading end this gives: they end a site in good order."""
    reading, writing = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    return reading


class Sources:
    """What `process` listens to: `stdin`, the command pipe `commands` (a descriptor, or None), `signals`, and time.

    `stays` says that the site lives on when its stdin has ended, for it has a window; so does one with a command pipe
    (contract, section 1). `slice` is how many bytes of the neighbours' are read at once.
    """

    def __init__(
        self,
        process: Process,
        log: Log,
        signals: int,
        commands: int | None = None,
        *,
        stdin: int = 0,
        stays: bool = False,
        slice: int = streams.READ,
    ) -> None:
        self.process = process
        self.upstream_is_gone = False
        self._log = log
        self._signals = signals
        self._commands = commands
        self._stays = stays or (commands is not None and streams.is_pipe(commands))
        self._slice = slice
        self._is_over = False  # stdin has ended, and nothing else keeps the site
        self._stdin = stdin
        self._input: int | None = streams.reopen(stdin, os.O_RDONLY)

    @property
    def reading(self) -> list[int]:
        """The descriptors to be watched for something to read."""
        return [fd for fd in (self._signals, self._input, self._commands) if fd is not None]

    @property
    def writing(self) -> list[int]:
        """The descriptors to be watched for room to write."""
        output = self.process.output
        return [output.fd] if output.waiting else []

    @property
    def patience(self) -> float:
        """Seconds until the site wants to know the time."""
        return max(0.0, self.process.site.deadline - self.process.now())

    @property
    def is_over(self) -> bool:
        """Whether there is nothing left to wait for."""
        return self.process.wants_to_end

    def serve(self, ready: Collection[int] = ()) -> None:
        """Do what there is to do: something can be read from (or written to) those descriptors, or the time has come."""
        process = self.process
        # Commands first: those of a file are carried out even when stdin is over at once.
        if self._commands in ready:
            self._read_commands()
        if self._input in ready and not process.wants_to_end:
            self._read()
        if self._signals in ready or (self._is_over and self._commands is None):
            process.leave()
        if not process.wants_to_end:
            process.tick()
        process.flush()

    def _read(self) -> None:
        assert self._input is not None
        data = streams.read_some(self._input, self._slice)
        if data:
            self.upstream_is_gone = False
            self.process.read(data)
        elif data is not None:
            self.process.read_end()
            self._input_ended()

    def _input_ended(self) -> None:
        """Nobody writes to us any more: without another reason to live, that is the end (contract, section 1)."""
        assert self._input is not None
        ended, self._input = self._input, None
        if not self._stays:
            self._is_over = True  # what a command file still holds is carried out first
            return
        self.upstream_is_gone = True
        self._log.info(Text("le voisin d'amont est parti", "the upstream neighbour is gone"))
        if streams.has_a_name(ended):
            # Opened anew, a FIFO waits for its next writer; the old description would say "end" for ever.
            os.close(ended)
            self._input = streams.reopen(self._stdin, os.O_RDONLY)

    def _read_commands(self) -> None:
        assert self._commands is not None
        data = streams.read_some(self._commands)
        if data:
            self.process.read_commands(data)
        elif data is not None:
            self.process.read_commands(b"\n")  # the last line of a file may lack its newline
            self._commands = None

    def say_the_rest(self) -> None:
        """Write what still waits, as far as a reader takes it within the time of a farewell."""
        process = self.process
        deadline = process.now() + FAREWELL
        while process.output.waiting and (left := deadline - process.now()) > 0:
            select.select([], [process.output.fd], [], left)
            process.flush()
