"""The pictures of README and slides can be made of the program of today: each is made again, as large, and not blank."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = ROOT / "scripts/screenshots.sh"
PICTURES = ROOT / "docs/img"
PAGES = [*ROOT.glob("README*.md"), *ROOT.glob("docs/*.md"), ROOT / "docs/slides/soutenance.typ"]
LIMIT = 600  # seconds: half a minute where nothing else runs
FEWEST_COLOURS = 50  # a window's letters alone have more; a blank picture has one


def size_and_colours(picture: Path) -> tuple[str, int]:
    """`960x600`, and how many colours it has."""
    said = subprocess.run(["identify", "-format", "%wx%h %k", picture], capture_output=True, text=True, check=True)
    size, colours = said.stdout.split()
    return size, int(colours)


def named() -> set[str]:
    """The pictures that pages and slides show, by their file names."""
    texts = [path.read_text(encoding="utf-8") for path in PAGES]
    return {name for text in texts for name in re.findall(r"img/([\w-]+\.(?:png|svg))", text)} | {
        f"{name}.png" for text in texts for name in re.findall(r'ecran\("([\w-]+)"', text)
    }


def pictures(folder: Path) -> set[str]:
    return {path.name for path in folder.glob("*.*")}


def left_behind(folder: Path) -> list[str]:
    """What is still in `folder`, and the processes that were told of it."""
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:  # it ended meanwhile
            continue
    return [*map(str, folder.iterdir()), *(line for line in lines if str(folder) in line)]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A folder with the pictures made of the program of today, and the one in which they were made."""
    for program, package in (("Xvfb", "xvfb"), ("xdotool", "xdotool"), ("import", "imagemagick")):
        if not shutil.which(program):
            pytest.skip(f"no {program}: apt install {package}")
    pytest.importorskip("tkinter", reason="no tkinter: apt install python3-tk")
    folder, work = tmp_path_factory.mktemp("pictures"), tmp_path_factory.mktemp("work")
    done = subprocess.run(
        [SCRIPT, "--vers", folder], env=os.environ | {"TMPDIR": str(work), "PYTHON": sys.executable},
        capture_output=True, text=True, timeout=LIMIT,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder, work


def test_every_picture_that_is_named_is_made(made: tuple[Path, Path]) -> None:
    folder, _ = made
    assert named() <= pictures(folder)
    assert pictures(folder) == pictures(PICTURES), "docs/img is not what is made today: scripts/screenshots.sh"


def test_the_pictures_are_as_large_as_those_that_are_shown_and_not_blank(made: tuple[Path, Path]) -> None:
    folder, _ = made
    for picture in sorted(folder.glob("*.png")):
        size, colours = size_and_colours(picture)
        assert size == size_and_colours(PICTURES / picture.name)[0], picture.name
        assert colours > FEWEST_COLOURS, picture.name


def test_the_traces_tell_of_the_sale_and_of_the_snapshot_that_the_pictures_show(made: tuple[Path, Path]) -> None:
    folder, _ = made
    told = "".join(path.read_text(encoding="utf-8") for path in sorted((folder / "traces").iterdir()))
    assert '"state":"owned"' in told and '"phase":"complete"' in told
    assert "dans le canal de la coupe" in (folder / "instantane-diagramme.svg").read_text(encoding="utf-8")


def test_nothing_is_left_behind(made: tuple[Path, Path]) -> None:
    _, work = made
    assert left_behind(work) == []


def test_an_option_that_cannot_be_is_told_in_one_line() -> None:
    done = subprocess.run([SCRIPT, "--autre"], capture_output=True, text=True, timeout=LIMIT)
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "--autre" in done.stderr
