"""Makes `docs/slides.pdf` from `soutenance.typ`: the same bytes each time, on any machine with the same typst.

    scripts/slides.sh [FILE] [--pages FOLDER]     FILE instead of docs/slides.pdf; pages as pictures too, to be looked at

What the slides show is taken from where it is true: tables of the code, a line that a site says, the traces of a real run
(`docs/img/traces`, of which `scripts/screenshots.sh` made the pictures), the measures of `bench/README.md`, the tests.
Only `chiffres.toml` is written by hand, and `tests/test_slides.py` checks it.
"""

from __future__ import annotations

import argparse
import inspect
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import typst

from lib.core import buying, tickets
from lib.core import commands as ask
from lib.core.buying import Client
from lib.core.selling import Guichet
from lib.core.sites import ClientSite, GuichetSite
from lib.core.tickets import Search
from lib.launch.rehearsal import STEPS
from tests import invariants, mutants

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "docs/slides/soutenance.typ"
FIGURES = ROOT / "docs/slides/chiffres.toml"
TRACES = ROOT / "docs/img/traces"
BENCH = ROOT / "bench/README.md"
PDF = ROOT / "docs/slides.pdf"

FONT = "Libertinus Serif"  # comes with typst: no machine lacks it
LARGER = 1.45  # the letters of a diagram, made for a page, on a slide; this font is narrower than the one it replaces


@dataclass(frozen=True)
class Measure:
    """A row of the table of `bench/README.md`: its figure in the unit of the slide, its target, and whether it is met."""

    row: str  # how its first cell begins
    label: str
    unit: str
    factor: float = 1.0


MEASURES = (
    Measure("Réservations complètes au guichet", "Réservations au guichet, sur disque", "par seconde"),
    Measure("Consultation de 10 billets parmi 100 000", "Chercher parmi 100 000 billets", "µs", 1e-3),
    Measure("Relais saturé", "Relais d'une ligne", "lignes/s"),
    Measure("100 clients : lancés", "Lancer 100 clients, servir le plus loin", "s"),
    Measure("Instantané, 4 clients au repos", "Instantané, 4 clients au repos", "ms"),
    Measure("Instantané, 100 clients sous charge", "Instantané, 100 clients sous charge", "s", 1e-3),
)


class Wrong(Exception):
    """What the slides are made from is not as they need it: what, where, what to do (French, one line)."""


# ------------------------------------------------------------------------------------------------------- from the code


def a_line() -> str:
    """The line by which a client that was welcomed asks for a ticket, as it says it."""
    client, guichet = ClientSite(Client("c1"), 1), GuichetSite(Guichet("gch"), 1)
    guichet.start(0.0)
    welcome = guichet.hear(client.start(0.0).lines, 0.0)
    client.hear(welcome.lines, 0.0)
    [line] = client.command(ask.Reserve(Search(destination="Creil")), 1.0).lines
    return line.decode().strip("\n")


def errand_table() -> list[dict[str, str]]:
    """What can happen to a reservation, as rows."""
    return [
        {"from": state, "event": event, "to": after}
        for (kind, state, event), after in buying.TRANSITIONS.items()
        if kind == "reserve"
    ]


def test_figures() -> dict[str, int]:
    """What the tests are made of, counted in them."""
    named = [name for name, value in vars(invariants).items() if inspect.isfunction(value) and name != "require"]
    return {"mutants": len(mutants.MUTANTS), "invariants": len(named)}


# -------------------------------------------------------------------------------------------------- from a real run


Event = dict[str, Any]


def events_of(site: str) -> list[Event]:
    """The trace of a site, with the clock that it had before each event."""
    lines = (TRACES / f"{site}.trace.jsonl").read_text(encoding="utf-8").splitlines()
    events: list[Event] = [json.loads(line) for line in lines]
    return [event | {"before": before["lamport"]} for before, event in pairwise([{"lamport": 0}, *events])]


def a_sale() -> list[Event]:
    """The sends and receipts of c1's first reservation, in the order of their Lamport times, both ends traced."""
    at_client = events_of("c1")
    [owned, *_] = [event for event in at_client if event.get("state") == "owned"]
    [asked] = [event for event in at_client if event.get("state") == "asked" and event.get("request") == owned["request"]]
    messages = [
        event
        for event in (*at_client, *events_of("gch"))
        if event["ev"] in ("send", "recv")
        and event.get("rank")
        and {event["site"], event["peer"]} == {"c1", "gch"}
        and asked["lamport"] <= event["lamport"] <= owned["lamport"]
    ]
    return sorted(map(as_step, pair_up(messages)), key=lambda step: (step["lamport"], step["site"]))


def pair_up(messages: list[Event]) -> Iterator[Event]:
    """Those whose two ends are there, each receipt with the stamp of its sending."""
    sent = {event["id"]: event for event in messages if event["ev"] == "send"}
    received = {event["id"]: event for event in messages if event["ev"] == "recv"}
    for name in sorted(sent.keys() & received.keys()):
        yield sent[name]
        yield received[name] | {"stamp": sent[name]["lamport"]}


def as_step(event: Event) -> Event:
    """What a slide wants of it; Lamport's rule is checked on the way."""
    stamp = event.get("stamp", event["before"])
    if event["lamport"] < max(event["before"], stamp) + 1:
        raise Wrong(f"docs/img/traces : {event['id']} ne suit pas la règle de Lamport")
    return {key: event[key] for key in ("site", "ev", "id", "type", "lamport", "before")} | {"stamp": stamp}


def the_cut() -> bytes:
    """The space-time diagram of round 1 as SVG: the messages of the application, without its title and legend."""
    drawn = subprocess.run(
        [sys.executable, "-m", "lib.diagram", str(TRACES), "--tour=1", "--sans=presence,snapshot,reset", "--lang=fr"],
        cwd=ROOT, capture_output=True, check=True,
    )  # fmt: skip
    return on_a_slide(drawn.stdout.decode()).encode()


def on_a_slide(svg: str) -> str:
    """A diagram in the letters of the slides, larger, cut down to its sites and their times."""
    svg = re.sub(r'font-family="[^"]*"', f'font-family="{FONT}"', svg)
    svg = re.sub(r'font-size="([\d.]+)"', lambda found: f'font-size="{float(found[1]) * LARGER:.1f}"', svg)
    corners = re.search(r'<g class="future">.*?points="([^"]*)"', svg, re.DOTALL)
    width = re.search(r'viewBox="0 0 ([\d.]+) ', svg)
    if not corners or not width:
        raise Wrong("lib.diagram : le dessin a changé de forme ; revoyez on_a_slide dans docs/slides/make.py")
    heights = [float(corner.split(",")[1]) for corner in corners[1].split()]
    top, bottom = min(heights) - 34, max(heights) + 6
    size = f'width="{width[1]}" height="{bottom - top}" viewBox="-14 {top} {width[1]} {bottom - top}"'
    return re.sub(r'width="[\d.]+" height="[\d.]+" viewBox="[^"]*"', size, svg, count=1)


# ------------------------------------------------------------------------------------------------------ from the bench


def bench_rows() -> dict[str, list[str]]:
    """The table of measures: its other cells by the first."""
    text = BENCH.read_text(encoding="utf-8").replace("\u202f", " ")
    rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("| ")]
    # The page has other tables: of graphs, of the soak. This one has six columns.
    return {cells[0].strip(): [cell.strip() for cell in cells[1:]] for cells in rows if len(cells) == 6}


def measured(measure: Measure, rows: dict[str, list[str]]) -> dict[str, str]:
    """One row of the slide of measures."""
    for name, (ours, _, ratio, target, held) in rows.items():
        if name.startswith(measure.row):
            value = rounded(number(ours) * measure.factor)
            short = re.sub(r" \[.*?\]", "", ratio)  # without its extremes
            return {
                "label": measure.label,
                "value": value,
                "unit": measure.unit,
                "target": target,
                "held": held,
                "ratio": short,
            }
    raise Wrong(f"bench/README.md : pas de ligne « {measure.row} » ; revoyez MEASURES dans docs/slides/make.py")


def number(cell: str) -> float:
    """The first figure of a cell, as it is written in French: `6 714`, `4,86 [4,70 – 4,91]`."""
    found = re.match(r"\d+(?: \d{3})*(?:,\d+)?", cell)
    if not found:
        raise Wrong(f"bench/README.md : « {cell} » n'est pas un chiffre")
    return float(re.sub(r"[^\d,]", "", found[0]).replace(",", "."))


def rounded(value: float) -> str:
    """Two digits are all that a measure is worth: `6 700`, `4,9`, `0,54`."""
    text = f"{float(f'{value:.2g}'):,f}".rstrip("0").rstrip(".") if value < 10 else f"{float(f'{value:.2g}'):,.0f}"
    return text.replace(",", "\u202f").replace(".", ",")


# ------------------------------------------------------------------------------------------------------------- together


def data() -> dict[str, Any]:
    """Everything that the slides show and that is written elsewhere."""
    rows = bench_rows()
    return {
        "line": a_line(),
        "ticket": [{"from": state, "event": event, "to": to} for (state, event), to in tickets.TRANSITIONS.items()],
        "errand": errand_table(),
        "sale": a_sale(),
        "cut": the_cut().decode(),
        "bench": [measured(measure, rows) for measure in MEASURES],
        "steps": [step.title.fr.replace("'", "’") for step in STEPS],
        "tests": test_figures(),
        "figures": tomllib.loads(FIGURES.read_text(encoding="utf-8")),
    }


def compiler() -> typst.Compiler:
    """What makes the slides, with all that they show."""
    shown = json.dumps(data(), ensure_ascii=False, sort_keys=True)
    return typst.Compiler(str(SOURCE), root=str(ROOT), ignore_system_fonts=True, sys_inputs={"data": shown})


def slides(making: typst.Compiler) -> list[dict[str, Any]]:
    """The slides after the title, in order: `title`, `page`, and whether it is `spare`. Raises `Wrong` if one overflows."""
    found: list[dict[str, Any]] = json.loads(making.query("<slide>", field="value"))
    for place, slide in enumerate(found, 2):
        if slide["page"] != place:
            raise Wrong(f"docs/slides/soutenance.typ : « {found[place - 3]['title']} » ne tient pas sur une page ; abrégez")
    return found


def main() -> int:
    """Writes the file, and the pages if they are wanted; 0, or 2 when it cannot be done."""
    parser = argparse.ArgumentParser(prog="scripts/slides.sh", description=__doc__.splitlines()[0])
    parser.add_argument("file", nargs="?", type=Path, default=PDF, metavar="FILE")
    parser.add_argument("--pages", type=Path, metavar="FOLDER")
    options = parser.parse_args()
    try:
        making = compiler()
        slides(making)
        options.file.write_bytes(making.compile(timestamp=0))
        if options.pages:
            options.pages.mkdir(parents=True, exist_ok=True)
            for place, page in enumerate(making.compile(format="png", ppi=110), 1):
                (options.pages / f"{place:02d}.png").write_bytes(page)
    except (Wrong, OSError, RuntimeError) as error:
        print(f"scripts/slides.sh : {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
