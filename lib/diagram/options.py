"""The command line of `python3 -m lib.diagram`."""

from __future__ import annotations

import getopt
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from lib.diagram.choice import Choice, Moment
from lib.texts import LANGUAGES, Problem, Text, language_of_environment

HELP = Text(
    fr="""\
Usage : python3 -m lib.diagram DOSSIER [OPTIONS]

Dessine le diagramme espace-temps d'un lancement, d'après ses traces (DOSSIER/*.trace.jsonl) : une ligne par site, une
flèche par message, la coupe de chaque instantané. Vérifie aussi ces traces : état 1 si elles sont incohérentes.

  -o FICHIER            où écrire le dessin, en SVG (par défaut la sortie standard)
  --tour=N[-M]          l'instantané du tour N (ou des tours N à M), du premier enregistrement à la clôture
  --de=T, --a=T         de quand à quand : secondes depuis le début, ou HH:MM:SS
  --sites=A,B           ces sites seulement
  --types=A,B           ces types de messages seulement (demande, billet, accuse, retour, snapshot, reset, ...)
  --sans=A,B            sans ces types de messages
  --shiviz              au lieu du dessin, le journal pour ShiViz, avec des horloges vectorielles
  --lang=fr|en          langue
  --help                cette aide

Exemples :
  python3 -m lib.diagram /tmp/essai --tour=1 -o diagramme.svg
  python3 -m lib.diagram /tmp/essai --de=2,5 --a=4 --sans=presence -o diagramme.svg
  python3 -m lib.diagram /tmp/essai --shiviz -o shiviz.log""",
    en="""\
Usage: python3 -m lib.diagram FOLDER [OPTIONS]

Draws the space-time diagram of a run from its traces (FOLDER/*.trace.jsonl): a line a site, an arrow a message, the cut
of every snapshot. It also checks these traces: status 1 when they are incoherent.

  -o FILE               where to write the picture, as SVG (default: standard output)
  --tour=N[-M]          the snapshot of round N (or of rounds N to M), from the first record to the end
  --de=T, --a=T         from when to when: seconds since the beginning, or HH:MM:SS
  --sites=A,B           these sites only
  --types=A,B           these types of messages only (demande, billet, accuse, retour, snapshot, reset, ...)
  --sans=A,B            without these types of messages
  --shiviz              instead of the picture, the log for ShiViz, with vector clocks
  --lang=fr|en          language
  --help                this help

Examples:
  python3 -m lib.diagram /tmp/trial --tour=1 -o diagram.svg
  python3 -m lib.diagram /tmp/trial --de=2.5 --a=4 --sans=presence -o diagram.svg
  python3 -m lib.diagram /tmp/trial --shiviz -o shiviz.log""",
)

_LONG = ["tour=", "de=", "a=", "sites=", "types=", "sans=", "shiviz", "lang=", "help"]
_ON_THE_WALL = re.compile(r"(\d\d?):(\d\d):(\d\d(?:[.,]\d+)?)")


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for."""

    folder: Path
    output: Path | None
    choice: Choice
    shiviz: bool
    language: str
    help: bool


def parse(arguments: Sequence[str]) -> Options:
    """The options in `arguments`. Raises `Problem` for what cannot be."""
    try:
        pairs, folders = getopt.gnu_getopt(list(arguments), "o:h", _LONG)
    except getopt.GetoptError as error:
        name = f"-{error.opt}" if len(error.opt) == 1 else f"--{error.opt}"
        raise Problem(
            f"{name} : option inconnue, ou sa valeur manque ou est de trop ; --help les donne",
            f"{name}: unknown option, or its value is missing or not wanted; see --help",
        ) from None
    given = {name.lstrip("-"): value for name, value in pairs}
    asks_help = "help" in given or "h" in given
    if len(folders) != 1 and not asks_help:
        raise Problem(
            "il faut un dossier de traces, un seul : python3 -m lib.diagram DOSSIER",
            "one folder of traces is needed, and only one: python3 -m lib.diagram FOLDER",
        )
    return Options(
        folder=Path(folders[0] if folders else "."),
        output=Path(given["o"]) if given.get("o") else None,
        choice=_choice(given),
        shiviz="shiviz" in given,
        language=language(arguments),
        help=asks_help,
    )


def language(arguments: Sequence[str]) -> str:
    """The language to speak in, found before and whether or not the rest of the command line is right."""
    for name, value in pairwise([*arguments, ""]):
        chosen = value if name == "--lang" else name.removeprefix("--lang=")
        if name.startswith("--lang") and chosen in LANGUAGES:
            return chosen
    return language_of_environment()


def _choice(given: Mapping[str, str]) -> Choice:
    if given.get("lang", "fr") not in LANGUAGES:
        raise _wrong("--lang", given["lang"], "fr ou en", "fr or en")
    return Choice(
        since=_moment("--de", given["de"]) if "de" in given else None,
        until=_moment("--a", given["a"]) if "a" in given else None,
        rounds=_rounds(given["tour"]) if "tour" in given else None,
        sites=_names(given.get("sites", "")),
        types=_names(given.get("types", "")),
        without=_names(given.get("sans", "")),
    )


def _names(value: str) -> tuple[str, ...]:
    return tuple(filter(None, value.split(",")))


def _rounds(value: str) -> range:
    first, _, last = value.partition("-")
    if not re.fullmatch(r"[0-9]{1,9}(-[0-9]{1,9})?", value):
        raise _wrong("--tour", value, "un tour (3) ou plusieurs (3-5)", "a round (3) or several (3-5)")
    return range(int(first), int(last or first) + 1)


def _moment(option: str, value: str) -> Moment:
    if wall := _ON_THE_WALL.fullmatch(value):
        hours, minutes, seconds = (float(part.replace(",", ".")) for part in wall.groups())
        return Moment(hours * 3600 + minutes * 60 + seconds, on_the_wall=True)
    try:
        seconds = float(value.replace(",", "."))
    except ValueError:
        seconds = math.nan
    if not math.isfinite(seconds):
        raise _wrong(option, value, "des secondes (2,5) ou une heure (19:12:31)", "seconds (2.5) or a time (19:12:31)")
    return Moment(seconds)


def _wrong(option: str, value: str, fr: str, en: str) -> Problem:
    return Problem(f"{option} : {value!r} n'est pas possible ; donnez {fr}", f"{option}: {value!r} cannot be; give {en}")
