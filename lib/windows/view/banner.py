"""What a whole room must be able to read of a site."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from lib.core.sites import ClientSite, GuichetSite
from lib.texts import Text
from lib.windows.view.rows import ago
from lib.words import LINK

ROLES = {"guichet": Text("guichet", "ticket office"), "client": Text("client", "client")}
WHITE, RED = Text("BLANC", "WHITE"), Text("ROUGE", "RED")

# What is counted of lines: the key, the sign, the word.
_LINES = {
    "received": ("↓", Text("reçus", "received")),
    "sent": ("↑", Text("émis", "sent")),
    "relayed": ("→", Text("passés", "passed on")),
    "dropped": ("✗", Text("écartés", "dropped")),
}
_REACHED = next(iter(LINK))  # the state of a link that nobody needs to look into
_QUIET = 2**16  # bytes that wait for a neighbour before it is said: what a pipe holds


class Banner(NamedTuple):
    """The banner's contents; `numbers` are the `lines` without their words, `warnings` what somebody should look into."""

    name: str
    role: Text
    clock: int
    is_red: bool
    colour: Text
    round: Text
    epoch: Text
    neighbours: Text
    lines: tuple[Text, ...]
    numbers: tuple[str, ...]
    warnings: tuple[Text, ...]


def banner(
    site: GuichetSite | ClientSite,
    now: float,
    *,
    neighbours: Iterable[str] = (),
    waiting: int = 0,
    is_unread: bool = False,
    upstream_is_gone: bool = False,
    link: str = "",
) -> Banner:
    """How the site stands at `now` (Unix seconds): `neighbours` are those of `--voisins`, `waiting` the bytes that its
    output has not taken, `is_unread` says that nobody reads it, `link` how the link to the broker stands, if there is one
    (a word of `lib.words.LINK`)."""
    is_red = site.snapshots.is_open
    numbers = tuple(f"{sign} {site.counts[key]}" for key, (sign, _) in _LINES.items())
    return Banner(
        name=site.name,
        role=ROLES[site.role.role],
        clock=site.clock.time,
        is_red=is_red,
        colour=RED if is_red else WHITE,
        round=Text(f"tour {site.round}", f"round {site.round}"),
        epoch=Text(f"époque {site.epoch}", f"epoch {site.epoch}"),
        neighbours=_neighbours(site.relay.heard, neighbours, now),
        lines=_lines(numbers),
        numbers=numbers,
        warnings=tuple(_warnings(waiting, is_unread, upstream_is_gone, link)),
    )


def _neighbours(heard: dict[str, float], expected: Iterable[str], now: float) -> Text:
    """`c3 il y a 4 s · c1 —`: who writes to us, and those whom `--voisins` names besides."""
    # Down to five seconds: nobody needs more, and a banner that changes each second is no rest for the eye.
    told = {name: ago(5 * ((now - at) // 5)) for name, at in sorted(heard.items())}
    silent = {name: Text("n'écrit pas ici", "does not write here") for name in expected if name not in told}
    everyone = told | silent
    if not everyone:
        return Text("aucun voisin entendu", "no neighbour heard")
    return Text(
        " · ".join(f"{name} {age.fr}" for name, age in everyone.items()),
        " · ".join(f"{name} {age.en}" for name, age in everyone.items()),
    )


def _lines(numbers: Iterable[str]) -> tuple[Text, ...]:
    words = (said for _, said in _LINES.values())
    return tuple(Text(f"{number} {said.fr}", f"{number} {said.en}") for number, said in zip(numbers, words, strict=True))


def _warnings(waiting: int, is_unread: bool, upstream_is_gone: bool, link: str) -> Iterable[Text]:
    if link not in ("", _REACHED):
        yield LINK.get(link, Text(link, link))
    if upstream_is_gone:
        yield Text("le voisin d'amont est parti", "the upstream neighbour is gone")
    if is_unread:
        yield Text("plus personne ne lit la sortie", "nobody reads the output")
    if waiting > _QUIET:
        yield Text(f"{waiting >> 10} Kio attendent en sortie", f"{waiting >> 10} KiB wait to be written")
