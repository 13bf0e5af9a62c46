"""The slides are what their source makes of the code, the traces, the measures and the tests of today; to the byte."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests import simulator, test_simulation

ROOT = Path(__file__).resolve().parents[1]
SLIDES = ROOT / "docs/slides.pdf"
SOURCE = ROOT / "docs/slides/soutenance.typ"
FIGURES: dict[str, Any] = tomllib.loads((ROOT / "docs/slides/chiffres.toml").read_text(encoding="utf-8"))
LIMIT = 60  # seconds for what takes one
MAKE_AGAIN = "what the slides show has changed; look at them again: scripts/slides.sh --pages /tmp/pages"

needs_typst = pytest.mark.skipif(
    importlib.util.find_spec("typst") is None, reason="no typst: pip install typst, in the version of pyproject.toml"
)


@pytest.fixture(scope="module")
def make() -> ModuleType:
    """The program that makes the slides; it is no part of a package."""
    pytest.importorskip("typst", reason="no typst: pip install typst, in the version of pyproject.toml")
    spec = importlib.util.spec_from_file_location("make_slides", ROOT / "docs/slides/make.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


# ----------------------------------------------------------------------------------------------------------- the file


@needs_typst
def test_the_slides_are_made_again_to_the_byte(tmp_path: Path) -> None:
    again = tmp_path / "slides.pdf"
    done = subprocess.run(
        [ROOT / "scripts/slides.sh", again], env=os.environ | {"PYTHON": sys.executable},
        capture_output=True, text=True, timeout=LIMIT,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    are_the_same = again.read_bytes() == SLIDES.read_bytes()  # apart: nobody wants to read how two PDF files differ
    assert are_the_same, MAKE_AGAIN


@needs_typst
def test_it_is_a_talk_of_a_quarter_of_an_hour_and_no_slide_overflows(make: ModuleType) -> None:
    slides = make.slides(make.compiler())
    talk = [slide for slide in slides if not slide["spare"]]
    assert 14 <= 1 + len(talk) <= 18, [slide["title"] for slide in talk]
    assert len(slides) > len(talk), "no slides for the questions"
    assert [slide["spare"] for slide in slides] == sorted(slide["spare"] for slide in slides)


def test_a_slide_that_overflows_is_named(make: ModuleType) -> None:
    class Overflowing:
        def query(self, *_: object, **__: object) -> str:
            return '[{"title": "A", "page": 2, "spare": false}, {"title": "B", "page": 4, "spare": false}]'

    with pytest.raises(make.Wrong, match="« A » ne tient pas"):
        make.slides(Overflowing())


def test_without_typst_one_line_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "python3").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "python3").chmod(0o755)
    done = subprocess.run(
        [ROOT / "scripts/slides.sh"], env=os.environ | {"PYTHON": "python3", "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True, text=True, timeout=LIMIT,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.startswith("scripts/slides.sh : il manque typst") and done.stderr.count("\n") == 1


# -------------------------------------------------------------------------------------------------- what they are made of


def test_the_sale_follows_lamport_s_rule_to_the_letter(make: ModuleType) -> None:
    steps = make.a_sale()
    assert [step["type"] for step in steps[::2]] == ["demande", "billet", "accuse", "billet"]
    assert [step["ev"] for step in steps] == ["send", "recv"] * 4
    for sent, received in zip(steps[::2], steps[1::2], strict=True):
        assert sent["id"] == received["id"] and sent["lamport"] == received["stamp"]
        assert received["lamport"] == max(received["before"], sent["lamport"]) + 1


def test_a_trace_that_breaks_lamport_s_rule_is_not_shown(make: ModuleType) -> None:
    with pytest.raises(make.Wrong, match="Lamport"):
        make.as_step({"site": "c1", "ev": "recv", "id": "m", "type": "billet", "lamport": 9, "before": 3, "stamp": 9})


def test_the_cut_has_messages_in_its_channels(make: ModuleType) -> None:
    drawn = make.the_cut().decode()
    assert drawn.count("dans le canal") >= 2
    assert f'font-family="{make.FONT}"' in drawn and "message de service" not in drawn


def test_the_line_is_a_request_with_every_field(make: ModuleType) -> None:
    line = make.a_line()
    for field in ("transmettant~c1", "type~demande", "estampille~", "instantane~0", "rang~1", "destination~Creil"):
        assert f"^{field}" in line


@pytest.mark.parametrize(
    ("cell", "value", "shown"),
    [
        ("6 714", 6714, "6\u202f700"),
        ("329 545", 329545, "330\u202f000"),
        ("4,86 [4,70 – 4,91]", 4.86, "4,9"),
        ("0,98", 0.98, "0,98"),
        ("16", 16, "16"),
        ("9,96", 9.96, "10"),
        ("120", 120, "120"),
    ],
)
def test_figures_are_read_and_rounded(make: ModuleType, cell: str, value: float, shown: str) -> None:
    assert make.number(cell) == value
    assert make.rounded(value) == shown


def test_a_measure_is_found_with_its_target_or_is_missed(make: ModuleType) -> None:
    rows = {"Tour (µs)": ["257 [1 – 2]", "", "× 1,80 [1 – 2]", "≤ × 2", "oui"]}
    shown = make.measured(make.Measure("Tour", "Un tour", "ms", 1e-3), rows)
    assert (shown["value"], shown["ratio"], shown["target"], shown["held"]) == ("0,26", "× 1,80", "≤ × 2", "oui")
    with pytest.raises(make.Wrong, match="pas de ligne « Relais »"):
        make.measured(make.Measure("Relais", "", ""), rows)


def test_the_table_of_the_bench_has_every_measure_that_is_shown(make: ModuleType) -> None:
    rows = make.bench_rows()
    assert all(make.measured(measure, rows)["value"] for measure in make.MEASURES)


def test_every_picture_that_is_shown_is_there() -> None:
    text = SOURCE.read_text(encoding="utf-8")
    names = re.findall(r'ecran\("([^"]+)"', text) + re.findall(r"/docs/img/([\w-]+)\.png", text)
    assert len(names) > 2
    assert not [name for name in names if not (ROOT / f"docs/img/{name}.png").is_file()]


# ------------------------------------------------------------------------------------------- the figures written by hand


def test_the_simulator_does_at_least_what_is_said_of_it() -> None:
    """A sample of the runs: so many losses, repeats and deaths a run that the sums on the slide are no boast."""
    said, sample = FIGURES["simulateur"], 50
    assert said["executions"] <= test_simulation.RUNS, "more runs are claimed than the tests make"
    counts: Counter[str] = Counter()
    assert not list(simulator.failures(range(1, sample + 1), counts))
    deaths = sum(counts[f"died {when}"] for when in ("before it stored", "before it spoke", "after it spoke"))
    happened = {"perdus": counts["lost"], "repetes": counts["repeated"], "morts": deaths}
    assert set(happened) | {"executions"} == set(said)
    for name, count in happened.items():
        assert count * said["executions"] / sample > 0.7 * said[name], name


def test_there_are_as_many_tests_as_is_said() -> None:
    texts = [path.read_text(encoding="utf-8") for path in ROOT.glob("tests/**/test_*.py")]
    tests = sum(len(re.findall(r"^def test_", text, re.MULTILINE)) for text in texts)
    assert tests >= FIGURES["tests"]["fonctions"]
