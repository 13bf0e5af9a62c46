"""stdin and stdout without blocking. The law: contract, section 1.

"A site never blocks on a write: [...] Output is queued inside and written when `select` says so." -
"`select.PIPE_BUF` (4096), which a pipe writes in one piece." -
"A closed stdout (EPIPE) is reported, never a traceback."
"""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
import select
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.edge import streams
from lib.edge.streams import BLOCK, FULL, Output, open_commands, read_some, reopen
from lib.texts import Problem

PIPE = 65536


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reading, writing = os.pipe()
    yield reading, writing
    for fd in (reading, writing):
        with contextlib.suppress(OSError):  # the test closed it
            os.close(fd)


@pytest.fixture
def output(pipe: tuple[int, int]) -> Iterator[Output]:
    made = Output(pipe[1])
    yield made
    os.close(made.fd)


def is_nonblocking(fd: int) -> bool:
    return bool(fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_NONBLOCK)


def drain(output: Output, reading: int, expected: int) -> bytes:
    """Read what the output has, letting it write as there is room, until `expected` bytes are there."""
    got = bytearray()
    while len(got) < expected:
        output.flush()
        assert select.select([reading], [], [], 5)[0], f"only {len(got)} of {expected} bytes came"
        got += os.read(reading, PIPE)
    return bytes(got)


def in_time(action, seconds: float = 10.0) -> None:  # type: ignore[no-untyped-def]
    """Run `action` in a thread: one that blocks fails the test instead of hanging the suite."""
    thread = threading.Thread(target=action, daemon=True)
    thread.start()
    thread.join(seconds)
    assert not thread.is_alive(), "it blocks"


# --------------------------------------------------------------------------------------------------------- never blocks


def test_a_full_pipe_never_blocks_and_nothing_is_lost_or_out_of_order(pipe: tuple[int, int], output: Output) -> None:
    """ "in a ring where every pipe is full (64 KiB), blocking writers are a deadlock." """
    lines = [b"%06d " % i + b"x" * (i % 300) for i in range(5000)]

    def write() -> None:
        for i in range(0, len(lines), 50):
            output.put(lines[i : i + 50])
            output.flush()

    in_time(write)
    data = b"".join(line + b"\n" for line in lines)
    assert len(data) - PIPE <= output.waiting < len(data), "a pipe holds at most 64 KiB, and took what it could"
    assert drain(output, pipe[0], len(data)) == data
    assert output.waiting == 0
    assert not output.is_broken


@settings(max_examples=60)
@given(st.lists(st.one_of(st.integers(0, 30), st.integers(1300, 1440), st.integers(4090, 4095)), max_size=30))
def test_blocks_are_whole_lines_of_at_most_4096_bytes(lengths: list[int]) -> None:
    lines = [b"%d" % (n % 10) * n for n in lengths]
    reading, writing = os.pipe()
    output, written = Output(writing), []
    real_write, streams.os.write = os.write, lambda fd, data: written.append(bytes(data)) or len(data)  # type: ignore
    try:
        output.put(lines)
        output.flush()
    finally:
        streams.os.write = real_write
        for fd in (reading, writing, output.fd):
            os.close(fd)
    assert b"".join(written) == b"".join(line + b"\n" for line in lines)
    assert all(len(block) <= BLOCK == select.PIPE_BUF and block.endswith(b"\n") for block in written)
    pairs = itertools.pairwise(written)
    assert all(len(a) + b.index(b"\n") + 1 > BLOCK for a, b in pairs), "a block that had room for the next line"


def test_what_waits_is_counted_to_the_byte(pipe: tuple[int, int], output: Output) -> None:
    output.put([b"abc", b""])
    assert output.waiting == 5
    output.flush()
    assert output.waiting == 0
    assert os.read(pipe[0], 100) == b"abc\n\n"


def test_is_full_is_bounded_and_ends_when_the_neighbour_reads(pipe: tuple[int, int], output: Output) -> None:
    """Design, measured: "bound it, show it; when it is full stop *creating*, never stop *reading*"."""
    lines = [b"x" * 1439] * 1000
    puts = 0
    while not output.is_full:
        output.put(lines)
        puts += 1
        assert output.waiting == puts * 1440 * 1000
        assert puts * 1440 * 1000 <= FULL + 1440 * 1000, "never full"
    assert output.waiting > FULL
    output.flush()
    assert output.is_full, "64 KiB of 16 MiB is not much"
    drain(output, pipe[0], puts * 1440 * 1000)
    assert not output.is_full


def test_what_is_beyond_every_bound_is_lost_and_the_next_line_is_not(
    pipe: tuple[int, int], output: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A neighbour that never reads again must not take all memory: what matters will be said again."""
    monkeypatch.setattr(streams, "OVERFULL", 4 * PIPE)
    for _ in range(100):
        output.put([b"x" * 1439] * 50)
    assert output.is_overfull and output.waiting <= 4 * PIPE + 50 * 1440
    output.flush()
    drain(output, pipe[0], 4 * PIPE // (50 * 1440) * 50 * 1440 + 50 * 1440)
    assert not output.is_overfull
    output.put([b"last"])
    output.flush()
    assert os.read(pipe[0], PIPE).endswith(b"last\n")


# ---------------------------------------------------------------------------------------------------- whose description


def test_nonblocking_is_ours_alone(pipe: tuple[int, int], output: Output) -> None:
    """Measured: "`O_NONBLOCK` on fd 1 leaks to whoever shares the description: reopen `/proc/self/fd/1`." """
    mine = reopen(pipe[0], os.O_RDONLY)
    assert is_nonblocking(output.fd) and is_nonblocking(mine)
    assert not is_nonblocking(pipe[0]) and not is_nonblocking(pipe[1])
    assert not os.get_inheritable(output.fd) and not os.get_inheritable(mine)
    os.close(mine)


def test_what_cannot_be_reopened_is_used_as_it_is() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert reopen(ours.fileno(), os.O_WRONLY) == ours.fileno()
        output = Output(ours.fileno())
        output.put([b"z" * 1000] * 2000)
        in_time(output.flush)
        assert output.waiting > 0, "a socket's buffer took 2 MB"
        got = bytearray()
        while len(got) < 2000 * 1001:
            output.flush()
            got += theirs.recv(PIPE)
        assert bytes(got) == (b"z" * 1000 + b"\n") * 2000, "a socket takes parts of blocks"


def test_a_file_is_written_where_its_description_stands(tmp_path: Path) -> None:
    """What any program does with `>> out` and with `(echo before; ./client.py) > out`."""
    path = tmp_path / "out"
    path.write_bytes(b"what was there\n")
    for flags in (os.O_APPEND, 0):
        fd = os.open(path, os.O_WRONLY | flags)
        os.lseek(fd, 0, os.SEEK_END)
        before = path.read_bytes()
        output = Output(fd)
        output.put([b"ours"])
        output.flush()
        assert path.read_bytes() == before + b"ours\n"


def test_a_file_is_read_from_where_its_description_stands(tmp_path: Path) -> None:
    """`(read first; ./client.py) < in`: the lines that another has read are not read again."""
    path = tmp_path / "in"
    path.write_bytes(b"first\nsecond\n")
    fd = os.open(path, os.O_RDONLY)
    os.read(fd, 6)
    assert read_some(reopen(fd, os.O_RDONLY)) == b"second\n"


# --------------------------------------------------------------------------------------------------------- nobody reads


def test_a_reader_that_is_gone_is_noted_and_what_waits_is_let_go(pipe: tuple[int, int], output: Output) -> None:
    """ "A closed stdout (EPIPE) is reported, never a traceback." """
    output.put([b"x" * 1000] * 200)
    output.flush()
    assert output.waiting and not output.is_broken
    os.close(pipe[0])
    output.flush()
    assert output.is_broken and output.waiting == 0
    output.put([b"more"])
    output.flush()
    assert output.is_broken and output.waiting == 0, "memory does not grow for nobody"


def test_a_fifo_that_finds_a_new_reader_works_again(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    first = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    writing = os.open(path, os.O_WRONLY)
    output = Output(writing)
    output.put([b"one"])
    output.flush()
    assert os.read(first, 100) == b"one\n"
    os.close(first)
    output.put([b"lost"])
    output.flush()
    assert output.is_broken
    second = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    output.put([b"two"])
    output.flush()
    assert not output.is_broken
    assert os.read(second, 100) == b"two\n", "whole, and nothing of what was let go"
    for fd in (second, writing, output.fd):
        os.close(fd)


def test_a_full_disk_is_noted_too() -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    output = Output(full)
    output.put([b"x"])
    output.flush()
    assert output.is_broken
    os.close(full)


# ------------------------------------------------------------------------------------------------------------- reading


def test_read_some_tells_nothing_yet_from_the_end(pipe: tuple[int, int]) -> None:
    mine = reopen(pipe[0], os.O_RDONLY)
    assert read_some(mine) is None
    os.write(pipe[1], b"abc")
    assert read_some(mine) == b"abc"
    os.close(pipe[1])
    assert read_some(mine) == b""
    os.close(mine)


def test_a_command_fifo_has_no_end(tmp_path: Path) -> None:
    path = tmp_path / "cmd"
    os.mkfifo(path)
    fd = open_commands(str(path))
    assert read_some(fd) is None, "without any writer, it waits"
    for word in (b"etat\n", b"quitter\n"):
        with open(path, "wb", buffering=0) as writer:
            writer.write(word)
        assert read_some(fd) == word
        assert read_some(fd) is None, "a writer that leaves is not the end"
    os.close(fd)


def test_a_command_file_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "cmd"
    path.write_bytes(b"etat\n")
    fd = open_commands(str(path))
    assert (read_some(fd), read_some(fd)) == (b"etat\n", b"")
    os.close(fd)


@pytest.mark.parametrize("kind", ["missing", "folder"])
def test_commands_that_cannot_be_read_are_one_clear_line(tmp_path: Path, kind: str) -> None:
    """ "files that cannot be used, with one line that names the option or file and line, says what is wrong" """
    path = tmp_path if kind == "folder" else tmp_path / "nothing"
    with pytest.raises(Problem) as caught:
        open_commands(str(path))
    for text in (caught.value.text.fr, caught.value.text.en):
        assert str(path) in text and "--commandes" in text and "\n" not in text
