"""A graph of sites as people write it: a text file of links.

    gch -> c1          gch writes to c1
    c1 -- c2           both write to each other
    guichet billetterie    the guichet has another name than gch

What follows `#` is a comment; blank lines say nothing. Every site must be able to reach every other.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from lib.launch.wiring import GUICHET, Edge, Wiring, parts
from lib.texts import Problem

MAX_SITES = 501  # a guichet and as many clients as a ring may have
# Every message crosses nearly every link once: beyond this, a single snapshot keeps a machine busy for minutes.
MAX_LINKS = 10_000
_SHOWN = 5  # names of a part, and parts, that are told

_LINK = re.compile(r"(\S+?)\s*(->|--)\s*(\S+)")
_OFFICE = re.compile(r"guichet\s+(\S+)")
_NAME = re.compile(r"[A-Za-z0-9_-]{1,32}")  # contract section 2


def read(path: Path) -> Wiring:
    """The graph in the file at `path`. Raises `Problem` with the line and the reason."""
    try:
        text = path.read_text(encoding="utf-8-sig")  # some editors begin a file with a mark
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "UTF-8"
        raise Problem(f"{path} : illisible ({why})", f"{path}: cannot be read ({why})") from None
    return parse(text, str(path))


def parse(text: str, name: str) -> Wiring:
    """The graph in `text`; `name` is what its mistakes are told of. Raises `Problem`."""
    draft = _Draft()
    for number, line in enumerate(text.splitlines(), 1):
        try:
            draft.add(line.partition("#")[0].strip(), number)
        except Problem as problem:
            raise Problem(
                f"{name}, ligne {number} : {problem.text.fr}", f"{name}, line {number}: {problem.text.en}"
            ) from None
    try:
        return draft.finished()
    except Problem as problem:
        raise Problem(f"{name} : {problem.text.fr}", f"{name}: {problem.text.en}") from None


def text(wiring: Wiring) -> str:
    """A graph as `parse` reads it."""
    links = (f"{edge.source} -> {edge.target}\n" for edge in wiring.edges)
    return f"guichet {wiring.guichet}\n{''.join(links)}"


@dataclass
class _Draft:
    """A graph, line by line."""

    guichet: str = ""
    sites: dict[str, None] = field(default_factory=dict)  # in the order in which they are named
    edges: dict[Edge, int] = field(default_factory=dict)  # with the line that they stand in

    def add(self, line: str, number: int) -> None:
        """What one line says."""
        if not line:
            return
        if found := _LINK.fullmatch(line):
            source, arrow, target = found.groups()
            self._add_edge(source, target, number)
            if arrow == "--":
                self._add_edge(target, source, number)
        elif found := _OFFICE.fullmatch(line):
            self._name_guichet(_site(found[1]))
        else:
            raise Problem(
                f"« {line} » n'est ni « a -> b », ni « a -- b », ni « guichet NOM »",
                f"'{line}' is neither 'a -> b' nor 'a -- b' nor 'guichet NAME'",
            )

    def _add_edge(self, source: str, target: str, number: int) -> None:
        edge = Edge(_site(source), _site(target))
        if source == target:
            raise Problem(f"{source} s'écrirait à lui-même", f"{source} would write to itself")
        if edge in self.edges:
            before = self.edges[edge]
            raise Problem(f"{edge} est déjà à la ligne {before}", f"{edge} stands in line {before} already")
        self.edges[edge] = number
        self.sites |= dict.fromkeys((source, target))
        if len(self.sites) > MAX_SITES or len(self.edges) > MAX_LINKS:
            raise Problem(
                f"plus de {MAX_SITES} sites ou de {MAX_LINKS} liens", f"more than {MAX_SITES} sites or {MAX_LINKS} links"
            )

    def _name_guichet(self, name: str) -> None:
        if self.guichet:
            raise Problem(f"le guichet est déjà {self.guichet}", f"the guichet is {self.guichet} already")
        self.guichet = name

    def finished(self) -> Wiring:
        """The whole graph, once it is right."""
        guichet = self.guichet or GUICHET
        if guichet not in self.sites:
            raise Problem(
                f"le guichet, {guichet}, n'a pas de lien ; « guichet NOM » en nomme un autre",
                f"the guichet, {guichet}, has no link; 'guichet NAME' names another one",
            )
        found = parts(tuple(self.sites), self.edges)
        if len(found) > 1:
            told = " ".join(map(_part, found[:_SHOWN])) + (" ..." if len(found) > _SHOWN else "")
            raise Problem(
                f"tous ne peuvent pas se joindre ; parties : {told} ; ajoutez des liens (« a -- b » : les deux sens)",
                f"not all can reach each other; parts: {told}; add links ('a -- b': both ways)",
            )
        others = [site for site in self.sites if site != guichet]
        return Wiring((guichet, *others), tuple(self.edges), guichet)


def _site(name: str) -> str:
    if not _NAME.fullmatch(name) or name == "tous":
        raise Problem(
            f"« {name} » n'est pas un nom de site (1 à 32 de A-Z a-z 0-9 _ -, sauf « tous »)",
            f"'{name}' is not a site's name (1 to 32 of A-Z a-z 0-9 _ -, but not 'tous')",
        )
    return name


def _part(sites: list[str]) -> str:
    return "{" + ", ".join(sites[:_SHOWN]) + (f", ... ({len(sites)})" if len(sites) > _SHOWN else "") + "}"
