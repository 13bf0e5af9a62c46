"""`docs/airplug.md` is true: its commands are run, with the stand-in for NET; what it says of lines is what is said."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.airplug.net import answer
from tests.test_readme import ROOT, blocks, ends_well

PAGE = ROOT / "docs" / "airplug.md"
RESERVE = 'echo "reserver destination=Creil" > {}.cmd'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that looks like a distribution: our programs, a NET, and `lib` and `examples` that ours need."""
    for name in ("guichet.py", "client.py", "cable.py", "lib", "examples"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "net.py").symlink_to(Path(__file__).with_name("net.py"))
    return tmp_path


def script(*parts: str, client: str) -> str:
    """These parts, then what a person does: wait until the ticket is there, and end what was started."""
    waits = f'until grep -q \'"state":"owned"\' {client}.jsonl; do sleep 0.02; done'
    return "\n".join([*parts, RESERVE.format(client), waits, "kill $(jobs -p)", "wait"])


def ring_nodes_teed() -> tuple[list[str], list[str], list[str]]:
    """The blocks of the page: the ring, the nodes, and how AIRPLUG's scripts wire the nodes."""
    ring, nodes = (block for block in blocks(PAGE, "sh") if block[0].startswith("mkfifo"))
    (teed,) = (block for block in blocks(PAGE, "text") if "tee" in block[0])
    return ring, nodes, teed


def test_the_ring(folder: Path) -> None:
    ring, _, _ = ring_nodes_teed()
    ends_well(script(*ring, client="app2"), folder)
    passed = (folder / "anneau.txt").read_text(encoding="utf-8")
    assert "^type~demande^" in passed and "^type~accuse^" in passed


@pytest.mark.parametrize("wiring", ["cables", "tee"])
@pytest.mark.parametrize("order", ["kept", "sorted"])
def test_the_nodes(folder: Path, wiring: str, order: str) -> None:
    """As the page wires them, and as AIRPLUG's scripts do; with either kind of NET."""
    _, nodes, teed = ring_nodes_teed()
    if wiring == "tee":
        nodes = [*(line for line in nodes if not line.startswith("./cable.py")), *teed]
    started = "\n".join(nodes).replace("./net.py", "./net.py --tri" if order == "sorted" else "./net.py")
    ends_well(script(started, client="c2"), folder)


def test_what_is_typed_is_in_the_page() -> None:
    typed = [block[0] for block in blocks(PAGE, "sh") if block[0].startswith("echo") and ".cmd" in block[0]]
    assert typed == [RESERVE.format("app2"), RESERVE.format("c2")]


def test_a_line_of_others_passes(folder: Path) -> None:
    (command,) = [line for (line, *_) in blocks(PAGE, "sh") if "bonjour" in line]
    assert "^msg~bonjour^" in ends_well(command, folder).stdout.splitlines()
    ignored = ends_well(command.replace(" --transit", ""), folder)
    assert "bonjour" not in ignored.stdout and "--transit" in ignored.stderr


def test_every_command_is_tried() -> None:
    assert len(blocks(PAGE, "sh")) == 5


def test_what_is_said_at_each_step() -> None:
    (steps,) = (block for block in blocks(PAGE, "text") if "notre site dit" in block[0])
    ours, between, handed_over = (step.partition(" dit ")[2].strip().replace(" ", "").replace("D", "\x07") for step in steps)
    assert answer(ours.replace("…", "x~1")) == between.replace("…", "x~1")
    assert answer(between.replace("…", "x~1")) == handed_over.replace("…", "x~1")


def test_every_link_leads_somewhere() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for path, anchor in re.findall(r"\]\(([^)#]*)#?([^)]*)\)", text):
        target = (PAGE.parent / path) if path else PAGE
        headings = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.MULTILINE)
        anchors = {re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings}
        assert anchor in anchors | {""}, f"{path}#{anchor}"
