"""The process around links: one input, an end for each link, commands, time, and the report at the end."""

from __future__ import annotations

import math
import os
import select
import signal
import stat
import sys
import time
from collections.abc import Callable, Sequence

from lib.cable import faults, options
from lib.cable.link import Link
from lib.cable.options import End, Options
from lib.edge import streams
from lib.edge.lines import LineBuffer
from lib.edge.log import ESSENTIALS, Log
from lib.texts import Problem, Text

_STDIN, _STDOUT = 0, 1
_UNUSABLE = 2
_SHOWN = 100  # bytes of a line that passed by itself, shown to whoever let it pass


def main(arguments: Sequence[str]) -> int:
    """Be a cable, as `arguments` say; the exit status."""
    streams.open_standard_streams()
    try:
        chosen = options.parse(arguments)
        if chosen.help:
            sys.stdout.write(f"{options.HELP.in_language(chosen.language)}\n")
            return 0
        return Cable(chosen).run()
    except Problem as problem:
        sys.stderr.write(f"cable.py : {problem.text.in_language(options.language(arguments))}\n")
        return _UNUSABLE


class _Way:
    """A link and where it leads to; one block at a time is handed to the pipe, the rest waits in the link."""

    def __init__(self, end: End, language: str) -> None:
        self.link = Link(end.name, end.faults)
        self.log = Log(end.name, language, ESSENTIALS)
        self.output = streams.Output(_STDOUT if end.path is None else _open(end.path))
        self._handed: list[bytes] = []  # the lines of the block that the pipe has not taken yet

    def push(self, now: float) -> None:
        """Write what is due, as far as the pipe takes it."""
        self._flush()
        while not self.output.waiting and (lines := self.link.release(now, streams.BLOCK)):
            self._handed = lines
            self.output.put(lines)
            self._flush()

    def _flush(self) -> None:
        self.output.flush()
        if not self.output.waiting:
            if self.output.is_broken:
                self._take_back()
            self._handed = []

    def _take_back(self) -> None:
        """The block was not taken."""
        self.link.counts.delivered -= len(self._handed)
        self.link.counts.untaken += len(self._handed)

    @property
    def is_done(self) -> bool:
        """Whether nothing waits any more, or nobody reads."""
        return self.output.is_broken or not (self.link.waiting or self.output.waiting)

    def report(self) -> None:
        """Say what was done to how many lines."""
        if self.output.waiting:
            self._take_back()
        self.log.info(self.link.report)


def _open(path: str) -> int:
    """The FIFO or file at `path`; a FIFO for reading too, so that it has neither a first nor a last reader."""
    try:
        status = os.stat(path)
        if stat.S_ISREG(status.st_mode) and os.path.samestat(status, os.fstat(_STDIN)):
            raise Problem(f"--vers : {path} : est aussi l'entrée, et grandirait sans fin",
                          f"--vers: {path}: is the input, too, and would grow without end")  # fmt: skip
        flags = os.O_RDWR if stat.S_ISFIFO(status.st_mode) else os.O_WRONLY | os.O_APPEND
        return os.open(path, flags | os.O_CLOEXEC)
    except OSError as error:
        raise Problem(f"--vers : {path} : {error.strerror}", f"--vers: {path}: {error.strerror}") from None


def _on_signals() -> int:
    """SIGTERM and SIGINT as bytes on a pipe, whose reading end this gives."""
    reading, writing = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    return reading


class Cable:
    """Copies every whole line of stdin to all its ways."""

    def __init__(self, chosen: Options) -> None:
        self._signals = _on_signals()
        self._ways = [_Way(end, chosen.language) for end in chosen.ends]
        self._log = Log("cable.py", chosen.language, ESSENTIALS)
        self._commands = None if chosen.commands is None else streams.open_commands(chosen.commands)
        self._input = streams.reopen(_STDIN, os.O_RDONLY)
        self._lines = LineBuffer(streams.BLOCK)
        self._typed = LineBuffer(streams.BLOCK)
        self._damaged = 0  # lines that were too long or cut
        self._has_ended = False  # stdin

    def run(self) -> int:
        """Copy until the input and what waits are over, or until told to end; the exit status."""
        while self._goes_on:
            ready = self._wait()
            if self._signals in ready:
                break
            if self._commands in ready:
                self._read_commands()
            if self._input in ready:
                self._read()
            now = time.monotonic()
            for way in self._ways:
                way.push(now)
        self._report()
        return 0

    @property
    def _goes_on(self) -> bool:
        if all(way.output.is_broken for way in self._ways):
            return False
        return not (self._has_ended and all(way.is_done for way in self._ways))

    def _wait(self) -> set[int]:
        """The descriptors that have something for us, once one has, or once a line is due."""
        poll = select.poll()
        # Who is fed by one that stands still need not wait for it; only when nobody takes anything does the source wait.
        if not self._has_ended and not all(way.link.is_full for way in self._ways):
            poll.register(self._input, select.POLLIN)
        for fd in (self._signals, self._commands):
            if fd is not None:
                poll.register(fd, select.POLLIN)
        blocked = [way for way in self._ways if way.output.waiting]
        for way in blocked:
            poll.register(way.output.fd, select.POLLOUT)
        due = min((way.link.deadline for way in self._ways if way not in blocked), default=math.inf)
        patience = None if due == math.inf else max(0, math.ceil((due - time.monotonic()) * 1000))
        return {fd for fd, _ in poll.poll(patience)}

    def _read(self) -> None:
        data = streams.read_some(self._input)
        if data:
            lines, now = self._lines.feed(data), time.monotonic()
            for way in self._ways:
                way.link.take(lines, now)
        elif data is not None:
            self._has_ended = True
            self._damaged += bool(self._lines.end())
        self._damaged += len(self._lines.rejects)
        self._lines.rejects.clear()

    def _report(self) -> None:
        for way in self._ways:
            way.report()
        if self._damaged:
            self._log.info(
                Text("lignes ôtées, trop longues ou coupées : %d", "lines taken out, too long or cut: %d"), self._damaged
            )

    # ------------------------------------------------------------------------------------------------- what it is told

    def _read_commands(self) -> None:
        assert self._commands is not None
        data = streams.read_some(self._commands)
        for line in self._typed.feed(data or b"\n"):
            self._obey(line.decode(errors="replace").split())
        if data == b"":  # the end of a file; a FIFO has none
            self._commands = None

    def _obey(self, words: list[str]) -> None:
        if not words:
            return
        verb, *rest = words
        settings = [word for word in rest if "=" in word and verb == SET]
        names = [word for word in rest if word not in settings]
        ways = [way for way in self._ways if not names or way.link.name in names]
        if verb not in VERBS:
            known = ", ".join(VERBS)
            self._log.info(Text("%s : commande inconnue ; il y a %s", "%s: unknown command; there are %s"), verb, known)
        elif not ways:
            self._log.info(Text("%s : pas de lien de ce nom", "%s: no link of that name"), " ".join(names))
        elif verb == SET:
            for way in ways:
                _set(way, settings)
        else:
            for way in ways:
                _ACTS[verb](way)


def _set(way: _Way, settings: Sequence[str]) -> None:
    try:
        way.link.set(faults.parse(settings, way.link.faults), time.monotonic())
    except Problem as problem:
        way.log.info(problem.text)
        return
    how = faults.told(way.link.faults)
    way.log.info(Text(f"réglé : {how}", f"set: {how}") if how else Text("sans défaut", "without faults"))


def _cut(way: _Way) -> None:
    way.link.cut()
    way.log.info(Text("coupé : ce qui vient se perd", "cut: what comes is lost"))


def _mend(way: _Way) -> None:
    way.link.mend()
    way.log.info(Text("rétabli", "mended"))


def _pause(way: _Way) -> None:
    way.link.pause()
    way.log.info(Text("en pause : ce qui vient attend", "paused: what comes waits"))


def _resume(way: _Way) -> None:
    way.log.info(Text("reprend ; en attente : %d", "goes on; waiting: %d"), way.link.waiting)
    way.link.resume()


def _step(way: _Way) -> None:
    line = way.link.step()
    if line is None:
        way.log.info(Text("rien ne passe : pas en pause, ou rien n'attend", "nothing passes: not paused, or nothing waits"))
    else:
        way.log.info(Text("passe : %s", "passes: %s"), line[:_SHOWN].decode(errors="replace"))


def _tell(way: _Way) -> None:
    link = way.link
    how = [Text("coupé ; ", "cut; ")] * link.is_cut + [Text("en pause ; ", "paused; ")] * link.is_paused
    how += [Text(f"{settings} ; ", f"{settings}; ") for settings in [faults.told(link.faults)] if settings]
    report = [*how, link.report]
    way.log.info(Text("".join(text.fr for text in report), "".join(text.en for text in report)))


SET = "regler"  # the only one that takes settings besides
_ACTS: dict[str, Callable[[_Way], None]] = {
    "couper": _cut,
    "retablir": _mend,
    "pause": _pause,
    "reprendre": _resume,
    "pas": _step,
    "etat": _tell,
}
VERBS = (SET, *_ACTS)
