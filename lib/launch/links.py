"""How the edges of a wiring are made: the one place that decides of what kind a link is.

A site that writes to one other alone, over a link that nobody wants to spoil, writes straight into that one's FIFO. Any
other site writes into the FIFO of a cable (`cable.py`), a process that copies each of its lines to all its targets. A FIFO
may so have several writers: all write whole lines in pieces of at most PIPE_BUF bytes, which never mix (pipe(7)).
"""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from lib.broker.programs import CARRY, TOPOLOGY, find
from lib.cable import faults
from lib.launch import graph
from lib.launch.folder import Folder
from lib.launch.processes import ROOT, program
from lib.launch.wiring import Edge, Wiring
from lib.texts import Problem

EVERY = "tous"
Settings = Mapping[Edge, Sequence[str]]  # how a link is to be spoilt: words like `delai=300`; none, to have it at hand

_NAMED = re.compile(r"(\S+?)\s*(->|--)\s*(\S+)")


@dataclass(frozen=True, slots=True)
class Links:
    """The links of a run: the FIFO that each site writes into, and the processes that stand between, by name.

    Such a process reads the FIFO of its own name, as a site does, and obeys commands. `cables` has the one of each edge.
    `pipes` are further FIFOs that are wanted, `options` what each site is to be told of its link.
    """

    outputs: Mapping[str, Path]
    helpers: Mapping[str, Sequence[str]] = field(default_factory=dict)
    cables: Mapping[Edge, str] = field(default_factory=dict)
    pipes: Sequence[Path] = ()
    options: Mapping[str, Sequence[str]] = field(default_factory=dict)


class Orders:
    """What the cables were told while they lived, and what of it still holds: one that is started again is told it anew."""

    _UNDOES = MappingProxyType({"retablir": "couper", "reprendre": "pause"})

    def __init__(self) -> None:
        self._held: dict[Edge, dict[str, tuple[str, ...]]] = {}

    def note(self, edge: Edge, verb: str, settings: Sequence[str]) -> None:
        """The cable of `edge` was told this."""
        held = self._held.setdefault(edge, {})
        if verb in self._UNDOES:
            held.pop(self._UNDOES[verb], None)
        elif verb == "regler":  # of two for the same thing, the last
            held[verb] = tuple({word.partition("=")[0]: word for word in (*held.get(verb, ()), *settings)}.values())
        elif verb in self._UNDOES.values():
            held[verb] = ()

    def to(self, edges: Iterable[Edge]) -> list[str]:
        """What still holds for these, as commands."""
        return [" ".join((verb, str(edge), *words)) for edge in edges for verb, words in self._held.get(edge, {}).items()]


def lay(wiring: Wiring, settings: Settings, folder: Folder, language: str | None) -> Links:
    """The links that make `wiring`: FIFOs, and cables where they are needed or wanted."""
    outputs: dict[str, Path] = {}
    helpers: dict[str, list[str]] = {}
    cables: dict[Edge, str] = {}
    for site, edges in wiring.by_source().items():
        if len(edges) == 1 and edges[0] not in settings:
            outputs[site] = folder.input(edges[0].target)
        else:
            name = f"{site}.cable"  # no site's: theirs have no dot
            outputs[site] = folder.input(name)
            helpers[name] = _command_line(name, edges, settings, folder, language)
            cables |= dict.fromkeys(edges, name)
    return Links(outputs, helpers, cables)


def _command_line(name: str, edges: Iterable[Edge], settings: Settings, folder: Folder, language: str | None) -> list[str]:
    ends = [[str(edge), f"tube={folder.input(edge.target)}", *settings.get(edge, ())] for edge in edges]
    spoken = [f"--lang={language}"] if language else []
    return [
        *program("cable.py"),
        f"--commandes={folder.commands(name)}",
        *spoken,
        *(f"--vers={shlex.join(end)}" for end in ends),
    ]


def through_broker(wiring: Wiring, folder: Folder, language: str | None) -> Links:
    """The links that make `wiring` through a message broker: one process keeps it, and carries the lines of all sites.

    Raises `Problem` when Mosquitto is not installed.
    """
    for needed in ("mosquitto", "mosquitto_sub"):
        find(needed)
    (folder.path / TOPOLOGY).write_text(graph.text(wiring))
    spoken = [f"--lang={language}"] if language else []
    # -P: a folder named `lib` where the user stands must not be taken for ours.
    command = ["env", f"PYTHONPATH={ROOT}", sys.executable, "-S", "-P", "-m", "lib.broker", CARRY, str(folder.path), *spoken]
    return Links(
        outputs={site: folder.output(site) for site in wiring.sites},
        helpers={"courtier.mqtt": command},
        pipes=[folder.output(site) for site in wiring.sites],
        options={site: [f"--liaison={folder.link(site)}"] for site in wiring.sites},
    )


def named(wiring: Wiring, name: str) -> list[Edge]:
    """The links that people mean by `a->b`, by `a--b` (both ways) or by `tous`. Raises `Problem` when there is none."""
    if name == EVERY:
        return list(wiring.edges)
    if found := _NAMED.fullmatch(name):
        source, arrow, target = found.groups()
        wanted = [Edge(source, target)] + [Edge(target, source)] * (arrow == "--")
        if set(wanted) <= set(wiring.edges):
            return wanted
    raise Problem(
        f"« {name} » n'est pas un lien d'ici ; par exemple : {wiring.edges[0]}, ou {EVERY}",
        f"'{name}' is no link here; for instance: {wiring.edges[0]}, or {EVERY}",
    )


def wanted(wiring: Wiring, texts: Iterable[str]) -> dict[Edge, list[str]]:
    """The settings in texts like `c1->c2: delai=300 perte=0.05`; what comes later counts. Raises `Problem`."""
    settings: dict[Edge, list[str]] = {}
    for text in texts:
        name, _, words = text.partition(":")
        try:
            faults.parse(words.split())
            for edge in named(wiring, name.strip()):
                settings[edge] = [*settings.get(edge, ()), *words.split()]
        except Problem as problem:
            raise Problem(f"--cable : {problem.text.fr}", f"--cable: {problem.text.en}") from None
    return settings
