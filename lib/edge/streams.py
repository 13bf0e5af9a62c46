"""stdin, stdout and command pipes without ever blocking: what cannot be written now waits in a queue.

`O_NONBLOCK` belongs to an open file description, and those are shared with whoever inherited them (the terminal, another
process): so pipes are opened anew through `/proc/self/fd`, and the flag is ours alone.
"""

from __future__ import annotations

import errno
import io
import os
import stat
import sys
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from lib.texts import Problem

# A block of whole lines of at most PIPE_BUF bytes is written in one piece or not at all: a site that is killed leaves no
# cut line behind, and two writers of one pipe never mix theirs (pipe(7); measured).
BLOCK = 4096
# What one call of `read` takes: all that a pipe holds. Fewer bytes would lose less with a killed site; but what it had
# read is asked for again anyway, and more lines share one transaction.
READ = 65536
# Beyond this the neighbour has stopped reading for long. Nothing more is *created* then (commands are refused); what is
# passed on still is, since who stops reading stops the whole ring.
FULL = 16 * 2**20
# Beyond this even that is lost: memory has an end, and what matters will be said again.
OVERFULL = 4 * FULL


def is_pipe(fd: int) -> bool:
    """Whether `fd` is a pipe or FIFO."""
    return stat.S_ISFIFO(os.fstat(fd).st_mode)


def has_a_name(fd: int) -> bool:
    """Whether a pipe is a FIFO with a name, whose next writer may still come."""
    return is_pipe(fd) and not os.readlink(f"/proc/self/fd/{fd}").startswith("pipe:")


def open_standard_streams() -> None:
    """Put /dev/null where stdin, stdout or stderr is closed: no pipe of ours may take its number. People are told in ASCII
    what their terminal cannot write otherwise."""
    while (fd := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(fd)
    sys.stdout = sys.stdout or os.fdopen(1, "w", closefd=False)  # Python has None for what was closed
    sys.stderr = sys.stderr or os.fdopen(2, "w", closefd=False)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def reopen(fd: int, flags: int) -> int:
    """A description of our own for the pipe or terminal that `fd` is open on, never blocking; for all else `fd` itself.

    A file is not opened anew: it would be read or written from its beginning again.
    """
    mode = os.fstat(fd).st_mode
    try:
        if stat.S_ISFIFO(mode) or stat.S_ISCHR(mode):
            return os.open(f"/proc/self/fd/{fd}", flags | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:  # a terminal that we may not open ourselves, no /proc
        pass
    if stat.S_ISSOCK(mode):
        os.set_blocking(fd, False)
    return fd


def read_some(fd: int, most: int = READ) -> bytes | None:
    """What can be read now, `most` bytes of it; None when there is nothing yet; empty at the end of the stream."""
    try:
        return os.read(fd, most)
    except BlockingIOError:
        return None
    except OSError:  # EIO, ECONNRESET: a terminal, a disk or a connection that is gone has nothing more to say
        return b""


def open_file(path: Path) -> BinaryIO:
    """A file to be read from its beginning to its end. Raises `OSError` for what is none: a FIFO would be waited for, and
    a device has no end."""
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        mode = os.fstat(fd).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not stat.S_ISREG(mode):
            raise OSError(errno.EINVAL, "not a file")
        return open(fd, "rb")
    except OSError:
        os.close(fd)
        raise


def open_commands(path: str) -> int:
    """The command pipe or file at `path`. A FIFO is opened for writing too, so that it has no end. Raises `Problem`."""
    try:
        mode = os.stat(path).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(21, os.strerror(21))
        is_fifo = stat.S_ISFIFO(mode)
        return os.open(path, (os.O_RDWR if is_fifo else os.O_RDONLY) | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        reason = error.strerror
        raise Problem(
            f"--commandes={path} : {reason} ; donnez un fichier ou un tube (mkfifo) lisible",
            f"--commandes={path}: {reason}; give a readable file or pipe (mkfifo)",
        ) from error


class Output:
    """The lines that wait to be written on `fd`, in order."""

    def __init__(self, fd: int) -> None:
        self.fd = reopen(fd, os.O_WRONLY)
        self._blocks: deque[bytes] = deque()
        self.waiting = 0  # bytes
        self.is_broken = False

    @property
    def is_full(self) -> bool:
        """Whether so much waits that nothing more should be created."""
        return self.waiting > FULL

    @property
    def is_overfull(self) -> bool:
        """Whether what is to be said now is lost."""
        return self.waiting > OVERFULL

    def put(self, lines: Iterable[bytes]) -> None:
        """Queue whole lines (without their newlines), gathered into blocks that are written in one piece."""
        if self.is_overfull:
            return
        block: list[bytes] = []
        size = 0
        for line in lines:
            if size + len(line) >= BLOCK and block:
                self._queue(block)
                block, size = [], 0
            block.append(line)
            size += len(line) + 1
        if block:
            self._queue(block)

    def _queue(self, lines: list[bytes]) -> None:
        lines.append(b"")
        block = b"\n".join(lines)
        self._blocks.append(block)
        self.waiting += len(block)

    def flush(self) -> None:
        """Write what can be written now. A reader that is gone is noted (`is_broken`), and what waits for it is let go."""
        try:
            while self._blocks:
                block = self._blocks[0]
                written = os.write(self.fd, block)
                self.waiting -= written
                if written == len(block):
                    self._blocks.popleft()
                else:  # a file or socket may take a part
                    self._blocks[0] = block[written:]
                self.is_broken = False  # a FIFO may have found a new reader
        except BlockingIOError:
            return
        except OSError:  # EPIPE: nobody reads any more; ENOSPC, EIO: nobody can
            self.is_broken = True
            self._blocks.clear()
            self.waiting = 0
