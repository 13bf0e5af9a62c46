"""The command line of `scripts/launch_graph.sh`, and of `scripts/launch_ring.sh`, which is the same with a ring."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lib.texts import LANGUAGES, Problem, Text, language_of_environment

# A site costs some 10 MB and two pipes: 500 fill a machine of 8 GB, and Linux shrinks a user's pipes after the 1024th.
MAX_CLIENTS = 500
# The race of the demonstration is run by two.
MIN_DEMO_CLIENTS = 2
# The rehearsal names c1, c2 and c3.
MIN_REHEARSAL_CLIENTS = 3

# Said first by `launch_ring.sh`, to whom a graph is a number of clients, and not a file. Nobody else types it.
RING = "--anneau"

_RING = Text(
    fr="""\
Usage : launch_ring.sh [OPTIONS] [-- OPTIONS DE CHAQUE SITE]

Lance un guichet et des clients en anneau : gch -> c1 -> c2 -> ... -> gch.

Exemples :
  launch_ring.sh                                    un guichet, trois clients
  launch_ring.sh --demo                             la démonstration
  launch_ring.sh --notk -c 2 --guichet "--delai=60" -- --verbose=1
  launch_ring.sh --demo -- --gtfs=feed.zip --date=2025-03-17
  launch_ring.sh --relancer --cable "c1->c2: delai=300 perte=0.05"

  -c N, --clients N     nombre de clients, de 1 à 500 (3 par défaut)
  --demo                démonstration commentée d'une vingtaine de secondes ; état 0 si tout s'est vérifié
  --soutenance          répétition d'une soutenance : liens lents, et ce qu'il faut cliquer et voir, pas à pas
  --auto                avec --soutenance : le programme clique lui-même (xdotool) ; état 0 si tout s'est passé
""",
    en="""\
Usage: launch_ring.sh [OPTIONS] [-- OPTIONS OF EVERY SITE]

Starts a ticket office and clients in a ring: gch -> c1 -> c2 -> ... -> gch.

Examples:
  launch_ring.sh                                    a ticket office, three clients
  launch_ring.sh --demo                             the demonstration
  launch_ring.sh --notk -c 2 --guichet "--delai=60" -- --verbose=1
  launch_ring.sh --demo -- --gtfs=feed.zip --date=2025-03-17
  launch_ring.sh --relancer --cable "c1->c2: delai=300 perte=0.05"

  -c N, --clients N     number of clients, 1 to 500 (default 3)
  --demo                a narrated demonstration of some twenty seconds; status 0 when everything was verified
  --soutenance          rehearsal of a defence: slow links, and what to click and to see, step by step
  --auto                with --soutenance: the program clicks by itself (xdotool); status 0 when all came to pass
""",
)
_GRAPH = Text(
    fr="""\
Usage : launch_graph.sh FICHIER [OPTIONS] [-- OPTIONS DE CHAQUE SITE]

Lance les sites d'un graphe, reliés comme le dit FICHIER : un lien par ligne, « a -> b » (a écrit à b) ou « a -- b »
(chacun écrit à l'autre) ; « guichet NOM » si le guichet ne s'appelle pas gch ; # commence un commentaire.
Des graphes tout prêts sont dans topologies/.

Exemples :
  launch_graph.sh topologies/y.txt
  launch_graph.sh topologies/grille.txt --notk --cable "tous: perte=0.05 graine=7"

""",
    en="""\
Usage: launch_graph.sh FILE [OPTIONS] [-- OPTIONS OF EVERY SITE]

Starts the sites of a graph, linked as FILE says: one link a line, `a -> b` (a writes to b) or `a -- b` (each writes to
the other); `guichet NAME` when the ticket office is not called gch; # begins a comment.
Ready graphs are in topologies/.

Examples:
  launch_graph.sh topologies/y.txt
  launch_graph.sh topologies/grille.txt --notk --cable "tous: perte=0.05 graine=7"

""",
)
_COMMON = Text(
    fr="""\
  --notk                sans fenêtres
  --console             ce terminal (ou un tube) commande les sites, même si des fenêtres sont ouvertes
  --relancer            relancer un site qui meurt, après une pause qui grandit ; cinq fois au plus en une minute
  --cable "LIEN: R..."  gâter un lien (c1->c2, c1--c2 dans les deux sens, ou tous) ; autant de fois qu'on veut. Réglages R :
                        delai= et gigue= (ms), perte=, doublon= et desordre= (de 0 à 1), debit= (octets/s), graine=.
                        Sans réglage : un lien que la console peut regler, couper, retablir, mettre en pause
  --mqtt                relier par un courtier MQTT (Eclipse Mosquitto), comme entre plusieurs machines
  --dossier DIR         dossier de travail : tubes, journaux, traces, données ; redonné, il reprend où il en était
                        (par défaut un nouveau, sous $TMPDIR)
  --guichet "OPTIONS"   options pour le guichet seul
  --client "OPTIONS"    options pour chaque client
  --lang=fr|en          langue
  --help                cette aide""",
    en="""\
  --notk                without windows
  --console             this terminal (or a pipe) commands the sites, even when there are windows
  --relancer            start a site that dies again, after a growing pause; five times a minute at most
  --cable "LINK: S..."  spoil a link (c1->c2, c1--c2 for both ways, or tous for all); as often as you like. Settings S:
                        delai= and gigue= (ms: delay, jitter), perte=, doublon= and desordre= (0 to 1: loss, double,
                        disorder), debit= (bytes/s), graine= (seed).
                        Without any: a link that the console can regler (set), couper (cut), retablir (mend), pause
  --mqtt                link through an MQTT broker (Eclipse Mosquitto), as between several machines
  --dossier DIR         run directory: pipes, logs, traces, stores; given again, it goes on where it was
                        (default: a new one under $TMPDIR)
  --guichet "OPTIONS"   options for the ticket office alone
  --client "OPTIONS"    options for every client
  --lang=fr|en          language
  --help                this help""",
)

_FLAGS = {
    "--notk": "notk",
    "--nogui": "notk",
    "--console": "console",
    "--relancer": "relaunch",
    "--mqtt": "mqtt",
    "--demo": "demo",
    "--soutenance": "rehearsal",
    "--auto": "auto",
    "--help": "help",
    "-h": "help",
}
_VALUES = ("--clients", "--cable", "--dossier", "--guichet", "--client", "--lang")
_OF_A_RING = ("--clients", "--demo", "--soutenance", "--auto")


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for. `everyone`, `guichet` and `client` are options to pass on to the sites; `cables` is read by
    `links`, which knows the links."""

    graph: Path | None = None  # a file; None: a ring
    clients: int = 3
    notk: bool = False
    console: bool = False
    relaunch: bool = False
    mqtt: bool = False
    demo: bool = False
    rehearsal: bool = False
    auto: bool = False
    help: bool = False
    cables: tuple[str, ...] = ()
    folder: Path | None = None
    language: str | None = None
    everyone: tuple[str, ...] = ()
    guichet: tuple[str, ...] = ()
    client: tuple[str, ...] = ()


def program(arguments: Sequence[str]) -> str:
    """The name of the script that was started."""
    return "launch_ring.sh" if list(arguments[:1]) == [RING] else "launch_graph.sh"


def usage(arguments: Sequence[str]) -> Text:
    """What `--help` says."""
    head = _RING if program(arguments) == "launch_ring.sh" else _GRAPH
    return Text(head.fr + _COMMON.fr, head.en + _COMMON.en)


def parse(arguments: Sequence[str]) -> Options:
    """The options in `arguments`. Raises `Problem` for what cannot be.

    Written by hand because argparse takes the value of `--guichet "--delai=4"` for an option, and speaks English only.
    """
    ours, everyone = _split(arguments)
    is_ring = ours[:1] == [RING]
    options, rest = Options(everyone=tuple(everyone)), ours[is_ring:]
    while rest:
        options = _take(options, rest, is_ring)
    if options.demo:
        _check_demo(options)
    if options.rehearsal or options.auto:
        _check_rehearsal(options)
    if not (is_ring or options.graph or options.help):
        raise Problem(
            "il manque le fichier du graphe ; il y en a dans topologies/ (--help)",
            "the file of the graph is missing; there are some in topologies/ (see --help)",
        )
    return replace(options, notk=options.notk or options.demo)


def _check_demo(options: Options) -> None:
    if options.clients < MIN_DEMO_CLIENTS:
        raise Problem(
            f"--demo : il faut au moins {MIN_DEMO_CLIENTS} clients, pas {options.clients}",
            f"--demo: at least {MIN_DEMO_CLIENTS} clients are needed, not {options.clients}",
        )
    if options.relaunch:
        raise Problem(
            "--relancer : pas avec --demo, qui tue un client et le relance elle-même",
            "--relancer: not with --demo, which kills a client and starts it again itself",
        )


def _check_rehearsal(options: Options) -> None:
    if not options.rehearsal:
        raise Problem("--auto : avec --soutenance seulement", "--auto: with --soutenance only")
    if options.demo or options.notk or options.console:
        raise Problem(
            "--soutenance : se joue dans les fenêtres, sans --demo, --notk ni --console",
            "--soutenance: is played in the windows, without --demo, --notk or --console",
        )
    if options.clients < MIN_REHEARSAL_CLIENTS:
        raise Problem(
            f"--soutenance : il faut au moins {MIN_REHEARSAL_CLIENTS} clients, pas {options.clients}",
            f"--soutenance: at least {MIN_REHEARSAL_CLIENTS} clients are needed, not {options.clients}",
        )


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


def _take(options: Options, rest: list[str], is_ring: bool) -> Options:
    """`options` with the first option of `rest`, which is taken off together with its value."""
    argument = rest.pop(0)
    if argument.startswith("-c") and not argument.startswith("--"):
        argument, short = "--clients", argument[2:]
        rest[:0] = [short] if short else []
    name, equals, value = argument.partition("=")
    if not is_ring and not name.startswith("-") and options.graph is None:
        return replace(options, graph=Path(argument))
    if not is_ring and name in _OF_A_RING:
        raise Problem(f"{name} : pour launch_ring.sh seulement", f"{name}: for launch_ring.sh only")
    if argument in _FLAGS:
        flag: dict[str, Any] = {_FLAGS[argument]: True}
        return replace(options, **flag)
    if name not in _VALUES:
        raise Problem(f"{argument} : option inconnue (--help les donne)", f"{argument}: unknown option (see --help)")
    if not equals and not rest:
        raise Problem(f"{name} : il manque la valeur", f"{name}: the value is missing")
    return _with_value(options, name, value if equals else rest.pop(0))


def _with_value(options: Options, name: str, value: str) -> Options:
    match name:
        case "--clients":
            return replace(options, clients=_number_of_clients(value))
        case "--cable":
            return replace(options, cables=(*options.cables, value))
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
