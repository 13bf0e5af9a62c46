"""The loop of a site without a window: it sleeps until a pipe, the time or a signal has something for it."""

from __future__ import annotations

import os
import select
import signal
from contextlib import suppress

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


class Loop:
    """Drives `process`: stdin, the command pipe `commands` (a descriptor, or None), `signals`, and time."""

    def __init__(self, process: Process, log: Log, signals: int, commands: int | None = None) -> None:
        self._process = process
        self._log = log
        self._signals = signals
        self._commands = commands
        self._stays = commands is not None and streams.is_pipe(commands)
        self._is_over = False  # stdin has ended, and nothing else keeps the site
        self._input = streams.reopen(0, os.O_RDONLY)
        self._poll = select.poll()
        for fd in (signals, self._input, commands):
            if fd is not None:
                self._poll.register(fd, select.POLLIN)

    def run(self) -> int:
        """Live until asked to end; the status for the shell."""
        process = self._process
        while not process.wants_to_end:
            self._watch_output()
            ready = {fd for fd, _ in self._poll.poll(self._patience())}
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
        self._say_the_rest()
        return process.status

    def _patience(self) -> int:
        """Milliseconds until the site wants to know the time; rounded up, so that it is not asked too early."""
        return max(0, int((self._process.site.deadline - self._process.now()) * 1000) + 1)

    def _watch_output(self) -> None:
        output = self._process.output
        if output.waiting:
            self._poll.register(output.fd, select.POLLOUT)
        else:
            self._forget(output.fd)

    def _forget(self, fd: int) -> None:
        with suppress(KeyError):
            self._poll.unregister(fd)

    def _read(self) -> None:
        data = streams.read_some(self._input)
        if data:
            self._process.read(data)
        elif data is not None:
            self._process.read_end()
            self._input_ended()

    def _input_ended(self) -> None:
        """Nobody writes to us any more: without another reason to live, that is the end (contract, section 1)."""
        self._forget(self._input)
        if not self._stays:
            self._is_over = True  # what a command file still holds is carried out first
            return
        self._log.info(Text("le voisin d'amont est parti", "the upstream neighbour is gone"))
        if streams.has_a_name(self._input):
            # Opened anew, a FIFO waits for its next writer; the old description would say "end" for ever.
            os.close(self._input)
            self._input = streams.reopen(0, os.O_RDONLY)
            self._poll.register(self._input, select.POLLIN)

    def _read_commands(self) -> None:
        assert self._commands is not None
        data = streams.read_some(self._commands)
        if data:
            self._process.read_commands(data)
        elif data is not None:
            self._process.read_commands(b"\n")  # the last line of a file may lack its newline
            self._forget(self._commands)
            self._commands = None

    def _say_the_rest(self) -> None:
        process = self._process
        deadline = process.now() + FAREWELL
        while process.output.waiting and (left := deadline - process.now()) > 0:
            select.select([], [process.output.fd], [], left)
            process.flush()
