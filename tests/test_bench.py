"""The bench still runs: every measure, in small, gives figures that can be. How fast is `bench/README.md`'s."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import __main__ as bench
from bench.relaying import WIDTH, line, write_lines
from bench.table import HEAD, Row, as_markdown, as_text, figure, spread
from lib.core import wire


@pytest.mark.parametrize("name", bench.MEASURES)
def test_a_measure_in_small_gives_plausible_figures(name: str) -> None:
    rows = bench.measure([name], quick=True)
    assert rows
    for row in rows:
        assert row.what and row.ours
        assert -100 < row.value < 10_000_000, row
        assert row.value > 0 or "ralentissement" in row.what or "strace" in row.ours, row


def test_a_line_of_the_measures_is_one_of_ours_and_of_the_width_that_is_said() -> None:
    text = line("e1", 3, 123456)
    assert len(text) == WIDTH
    message = wire.decode(text.rstrip(b"\n"))
    assert (message.sender, message.life, message.sequence, message.to) == ("e1", 3, 123456, "z9")


def test_one_line_in_ten_was_seen_before(tmp_path: Path) -> None:
    fresh = write_lines(tmp_path / "lines", 1001, 1)
    lines = (tmp_path / "lines").read_bytes().splitlines()
    assert len(lines) == 1001
    assert len(set(lines)) == fresh == 901


def test_the_table_is_text_or_markdown() -> None:
    rows = [Row("a", "1", 1.0), Row("b", "2", 2.0, "c", "× 2", "≥ × 1", True), Row("d", "3", 3.0, held=False)]
    assert as_text(rows).count("\n") == 4
    markdown = as_markdown(rows).splitlines()
    assert markdown[0].count("|") == len(HEAD) + 1
    assert markdown[3] == "| b | 2 | c | × 2 | ≥ × 1 | oui |"


def test_figures_are_written_as_in_french() -> None:
    assert [figure(value) for value in (123456.7, 12.34, 1.234)] == ["123\u202f457", "12,3", "1,23"]
    assert spread([3, 1, 2]) == "2,00 [1,00 – 3,00]"
