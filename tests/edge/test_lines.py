"""From bytes to lines. The law: contract, section 1.

"A line that we read may have up to 4096 [bytes, newline included]." - "a line that is too long [...] is dropped,
counted and logged with its reason [...]. The next good line is handled as if nothing had happened."
"""

from __future__ import annotations

import itertools
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.core.wire import MAX_READ
from lib.edge.lines import KEPT_OF_A_REJECT, LineBuffer

LIMIT = 16  # small, so that examples reach it from both sides


def plain(data: bytes, limit: int) -> tuple[list[bytes], list[bytes], bytes]:
    """What must come out, said in the plainest way: the good lines, the beginnings of the others, and the tail."""
    *whole, tail = data.split(b"\n")
    good = [line for line in whole if len(line) + 1 <= limit]
    bad = [line[:KEPT_OF_A_REJECT] for line in whole if len(line) + 1 > limit]
    if len(tail) >= limit:  # too long already, wherever it will end
        return good, [*bad, tail[:KEPT_OF_A_REJECT]], b""
    return good, bad, tail


def fed(pieces: list[bytes], limit: int) -> tuple[list[bytes], list[bytes], bytes]:
    buffer = LineBuffer(limit)
    lines = [line for piece in pieces for line in buffer.feed(piece)]
    tail = buffer.end()
    return lines, buffer.rejects, tail


# Newlines and lengths around the limit are what breaks a buffer: the strategy is made of them.
LINES = st.lists(
    st.one_of(
        st.binary(max_size=3).map(lambda b: b.replace(b"\n", b"")),
        st.integers(LIMIT - 2, LIMIT + 2).map(lambda n: b"x" * n),
        st.sampled_from([b"", b"\r", b"^a~b^\r", b"\x00\xff", b"y" * (3 * LIMIT)]),
    ),
    max_size=8,
)


@given(LINES, st.booleans(), st.lists(st.integers(0, 200), max_size=10))
def test_cut_anywhere_the_same_lines_come_out(lines: list[bytes], ends: bool, cuts: list[int]) -> None:
    data = b"\n".join(lines) + (b"\n" if ends else b"")
    edges = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    pieces = [data[a:b] for a, b in itertools.pairwise(edges)]
    good, bad, tail = fed(pieces, LIMIT)
    expected_good, expected_bad, expected_tail = plain(data, LIMIT)
    assert (good, tail) == (expected_good, expected_tail)
    # What is shown of a reject is a beginning of it: as much as had come when it was found to be too long.
    pairs = zip(sorted(bad), sorted(expected_bad), strict=True)
    assert all(whole.startswith(shown) and len(shown) >= LIMIT for shown, whole in pairs)


@given(LINES)
def test_byte_by_byte_is_as_whole(lines: list[bytes]) -> None:
    data = b"".join(line + b"\n" for line in lines)
    whole = fed([data], LIMIT)
    single = fed([data[i : i + 1] for i in range(len(data))], LIMIT)
    assert single[0] == whole[0] == plain(data, LIMIT)[0]
    assert len(single[1]) == len(whole[1])


@given(LINES, LINES)
def test_the_next_good_line_is_handled_as_if_nothing_had_happened(before: list[bytes], after: list[bytes]) -> None:
    buffer, fresh = LineBuffer(LIMIT), LineBuffer(LIMIT)
    for line in before:
        buffer.feed(line + b"\n")
    for line in after:
        assert buffer.feed(line + b"\n") == fresh.feed(line + b"\n")


@pytest.mark.parametrize("chunk", [1, 7, 4095, 4096, 4097, 65536])
def test_the_limit_is_4096_bytes_with_the_newline(chunk: int) -> None:
    """ "A line that we read may have up to 4096."""
    assert MAX_READ == 4096
    longest, too_long = b"a" * 4095, b"b" * 4096
    data = longest + b"\n" + too_long + b"\n" + b"next\n" + longest + b"\n"
    lines, rejects, tail = fed([data[i : i + chunk] for i in range(0, len(data), chunk)], MAX_READ)
    assert lines == [longest, b"next", longest]
    assert rejects == [b"b" * KEPT_OF_A_REJECT]
    assert tail == b""


def test_a_tail_waits_for_its_newline_and_is_given_back_once_at_the_end() -> None:
    buffer = LineBuffer(LIMIT)
    assert buffer.feed(b"one\ntw") == [b"one"]
    assert buffer.feed(b"o") == []
    assert buffer.feed(b"\nthr") == [b"two"]
    assert buffer.end() == b"thr"
    assert buffer.end() == b""
    assert buffer.feed(b"ee\n") == [b"ee"], "after the end, a new writer begins a new line"


def test_the_end_within_an_overlong_line_leaves_nothing_behind() -> None:
    buffer = LineBuffer(LIMIT)
    buffer.feed(b"z" * 100)
    assert buffer.end() == b""
    assert buffer.feed(b"next\n") == [b"next"], "the new writer's first line is not the end of the old one's"
    assert buffer.rejects == [b"z" * KEPT_OF_A_REJECT]


def test_cr_and_empty_lines_are_left_to_whoever_reads_them() -> None:
    assert fed([b"\n\r\n\na\r\n\n"], LIMIT) == ([b"", b"\r", b"", b"a\r", b""], [], b"")


@pytest.mark.parametrize("chunk", [1000, 65536])
def test_a_line_without_end_costs_no_memory(chunk: int) -> None:
    """ "a neighbour that never ends its line" - 8 MB of it, then a good line."""
    buffer, piece = LineBuffer(MAX_READ), b"x" * chunk
    buffer.feed(piece)
    tracemalloc.start()
    try:
        for _ in range(8 * 2**20 // chunk):
            assert buffer.feed(piece) == []
        kept, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 8 * 1024
    assert peak < 4 * chunk + 32 * 1024
    assert buffer.feed(b"\ngood\n") == [b"good"]
    assert len(buffer.rejects) == 1


def test_many_megabyte_lines_keep_only_their_beginnings() -> None:
    buffer = LineBuffer(MAX_READ)
    for _ in range(5):
        assert buffer.feed(b"y" * 2**20 + b"\n") == []
    assert buffer.rejects == [b"y" * KEPT_OF_A_REJECT] * 5
