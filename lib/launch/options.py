"""The command line of `scripts/launch_ring.sh`."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lib.texts import LANGUAGES, Problem, Text, language_of_environment

# A site costs some 10 MB and two pipes: 500 fill a machine of 8 GB, and Linux shrinks a user's pipes after the 1024th.
MAX_CLIENTS = 500
# The race of the demonstration is run by two.
MIN_DEMO_CLIENTS = 2

HELP = Text(
    fr="""\
Usage : launch_ring.sh [OPTIONS] [-- OPTIONS DE CHAQUE SITE]

Lance un guichet et des clients en anneau : gch -> c1 -> c2 -> ... -> gch.

  -c N, --clients N     nombre de clients, de 1 à 500 (3 par défaut)
  --notk                sans fenêtres
  --console             ce terminal (ou un tube) commande les sites, même si des fenêtres sont ouvertes
  --dossier DIR         dossier de travail : tubes, journaux, traces, données ; redonné, il reprend où il en était
                        (par défaut un nouveau, sous $TMPDIR)
  --guichet "OPTIONS"   options pour le guichet seul
  --client "OPTIONS"    options pour chaque client
  --demo                démonstration commentée d'une vingtaine de secondes ; état 0 si tout s'est vérifié
  --lang=fr|en          langue
  --help                cette aide

Exemples :
  launch_ring.sh                                    un guichet, trois clients
  launch_ring.sh --demo                             la démonstration
  launch_ring.sh --notk -c 2 --guichet "--delai=60" -- --verbose=1
  launch_ring.sh --demo -- --gtfs=feed.zip --date=2025-03-17""",
    en="""\
Usage: launch_ring.sh [OPTIONS] [-- OPTIONS OF EVERY SITE]

Starts a ticket office and clients in a ring: gch -> c1 -> c2 -> ... -> gch.

  -c N, --clients N     number of clients, 1 to 500 (default 3)
  --notk                without windows
  --console             this terminal (or a pipe) commands the sites, even when there are windows
  --dossier DIR         run directory: pipes, logs, traces, stores; given again, it goes on where it was
                        (default: a new one under $TMPDIR)
  --guichet "OPTIONS"   options for the ticket office alone
  --client "OPTIONS"    options for every client
  --demo                a narrated demonstration of some twenty seconds; status 0 when everything was verified
  --lang=fr|en          language
  --help                this help

Examples:
  launch_ring.sh                                    a ticket office, three clients
  launch_ring.sh --demo                             the demonstration
  launch_ring.sh --notk -c 2 --guichet "--delai=60" -- --verbose=1
  launch_ring.sh --demo -- --gtfs=feed.zip --date=2025-03-17""",
)

_FLAGS = {"--notk": "notk", "--nogui": "notk", "--console": "console", "--demo": "demo", "--help": "help", "-h": "help"}
_VALUES = ("--clients", "--dossier", "--guichet", "--client", "--lang")


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for. `everyone`, `guichet` and `client` are options to pass on to the sites."""

    clients: int = 3
    notk: bool = False
    console: bool = False
    demo: bool = False
    help: bool = False
    folder: Path | None = None
    language: str | None = None
    everyone: tuple[str, ...] = ()
    guichet: tuple[str, ...] = ()
    client: tuple[str, ...] = ()


def parse(arguments: Sequence[str], environment: Mapping[str, str] = os.environ) -> Options:
    """The options in `arguments`. Raises `Problem` for what cannot be.

    Written by hand because argparse takes the value of `--guichet "--delai=4"` for an option, and speaks English only.
    """
    ours, everyone = _split(arguments)
    options = Options(everyone=tuple(everyone))
    while ours:
        options = _take(options, ours)
    if options.demo and options.clients < MIN_DEMO_CLIENTS:
        raise Problem(
            f"--demo : il faut au moins {MIN_DEMO_CLIENTS} clients, pas {options.clients}",
            f"--demo: at least {MIN_DEMO_CLIENTS} clients are needed, not {options.clients}",
        )
    without_windows = options.notk or options.demo or not environment.get("DISPLAY")
    return replace(options, notk=without_windows)


def language(arguments: Sequence[str]) -> str:
    """The language to speak in, found before and whether or not the rest of the command line is right."""
    ours, _ = _split(arguments)
    for argument, following in zip(ours, [*ours[1:], ""], strict=False):
        name, _, value = argument.partition("=")
        if name == "--lang" and (value or following) in LANGUAGES:
            return value or following
    return language_of_environment()


def _split(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """What is before the first `--`, for us, and what is after it, for every site."""
    arguments = list(arguments)
    cut = arguments.index("--") if "--" in arguments else len(arguments)
    return arguments[:cut], arguments[cut + 1 :]


def _take(options: Options, rest: list[str]) -> Options:
    """`options` with the first option of `rest`, which is taken off together with its value."""
    argument = rest.pop(0)
    if argument in _FLAGS:
        flag: dict[str, Any] = {_FLAGS[argument]: True}
        return replace(options, **flag)
    if argument.startswith("-c") and not argument.startswith("--"):
        argument, short = "--clients", argument[2:]
        rest[:0] = [short] if short else []
    name, equals, value = argument.partition("=")
    if name not in _VALUES:
        raise Problem(f"{argument} : option inconnue (--help les donne)", f"{argument}: unknown option (see --help)")
    if not equals and not rest:
        raise Problem(f"{name} : il manque la valeur", f"{name}: the value is missing")
    return _with_value(options, name, value if equals else rest.pop(0))


def _with_value(options: Options, name: str, value: str) -> Options:
    match name:
        case "--clients":
            return replace(options, clients=_number_of_clients(value))
        case "--dossier":
            return replace(options, folder=_folder(value))
        case "--lang":
            return replace(options, language=_language(value))
        case "--guichet":
            return replace(options, guichet=options.guichet + _words(name, value))
        case _:
            return replace(options, client=options.client + _words(name, value))


def _number_of_clients(value: str) -> int:
    number = int(value) if value.isascii() and value.isdigit() and len(value) < 10 else 0
    if not 1 <= number <= MAX_CLIENTS:
        raise Problem(
            f"--clients : {value!r} n'est pas un nombre de 1 à {MAX_CLIENTS}",
            f"--clients: {value!r} is not a number from 1 to {MAX_CLIENTS}",
        )
    return number


def _folder(value: str) -> Path:
    if not value:
        raise Problem("--dossier : il manque le nom du dossier", "--dossier: the name of the folder is missing")
    return Path(os.path.abspath(value))


def _language(value: str) -> str:
    if value not in LANGUAGES:
        raise Problem(f"--lang : {value!r} n'est ni fr ni en", f"--lang: {value!r} is neither fr nor en")
    return value


def _words(name: str, value: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(value))
    except ValueError:
        raise Problem(
            f"{name} : un guillemet n'est pas fermé dans {value!r}", f"{name}: a quote is not closed in {value!r}"
        ) from None
