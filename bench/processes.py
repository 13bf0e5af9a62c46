"""Processes on pipes: sites, naive loops, and chains of them. Each is ended by its own process id."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.machine import ROOT

LIMIT = 60.0  # seconds: what has not come by then will not come
# The naive loop of the issue. It adds an empty line to every line; in a chain these would double, so there it does not.
NAIVE = (sys.executable, "-S", "-c", "import sys\nfor line in sys.stdin: print(line, flush=True)")
NAIVE_IN_CHAIN = (sys.executable, "-S", "-c", "import sys\nfor line in sys.stdin: print(line, end='', flush=True)")


def client(name: str, *options: str) -> tuple[str, ...]:
    """The command line of a client without a window, with Python as the launcher starts it."""
    return (sys.executable, "-S", str(ROOT / "client.py"), f"--ident={name}", "--notk", "--verbose=0", *options)


def guichet(*options: str) -> tuple[str, ...]:
    """The command line of a guichet."""
    return (sys.executable, "-S", str(ROOT / "guichet.py"), "--ident=gch", "--notk", "--verbose=0", *options)


class TooLong(Exception):
    """What was waited for did not come."""


class Piped:
    """A chain of processes: what is written on `stdin` passes all of them and comes out of `stdout`."""

    def __init__(self, commands: Sequence[Sequence[str]], errors: Path) -> None:
        self.processes: list[subprocess.Popen[bytes]] = []
        reading, self.stdin = os.pipe()
        for command in commands:
            following, writing = os.pipe()
            with errors.open("ab") as log:
                self.processes.append(subprocess.Popen(command, stdin=reading, stdout=writing, stderr=log))
            os.close(reading)
            os.close(writing)
            reading = following
        self.stdout = reading
        self._rest = b""

    @property
    def pid(self) -> int:
        """The first process."""
        return self.processes[0].pid

    def write(self, line: bytes) -> None:
        """Give the first process a line."""
        os.write(self.stdin, line)

    def read(self, limit: float = LIMIT) -> bytes:
        """Some bytes of what the last process says. Raises `TooLong`."""
        if not select.select([self.stdout], [], [], limit)[0]:
            raise TooLong(f"{self.processes[-1].args!r} says nothing")
        data = os.read(self.stdout, 65536)
        if not data:
            raise TooLong(f"{self.processes[-1].args!r} has ended")
        return data

    def lines(self) -> list[bytes]:
        """The lines that the next bytes complete."""
        lines = (self._rest + self.read()).split(b"\n")
        self._rest = lines.pop()
        return lines

    def read_until(self, wanted: bytes) -> list[bytes]:
        """All blocks up to the one in which `wanted` comes, be it across two of them."""
        blocks, tail, deadline = [], b"", time.monotonic() + LIMIT
        while time.monotonic() < deadline:
            blocks.append(self.read())
            if wanted in tail + blocks[-1]:
                return blocks
            tail = blocks[-1][-len(wanted) :]
        raise TooLong(f"{wanted!r} does not come out of {self.processes[-1].args!r}")

    def close(self) -> None:
        """End the processes."""
        os.close(self.stdin)
        for process in self.processes:
            end(process)
        os.close(self.stdout)


@contextmanager
def piped(commands: Sequence[Sequence[str]], errors: Path) -> Iterator[Piped]:
    """A chain of processes, ended in any case."""
    chain = Piped(commands, errors)
    try:
        yield chain
    finally:
        chain.close()


def end(process: subprocess.Popen[bytes], patience: float = 10.0) -> None:
    """End a process that we started."""
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
