"""The command lines of `scripts/broker.sh` and of `scripts/join.sh`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lib.broker.member import HOST
from lib.broker.programs import CARRY
from lib.texts import LANGUAGES, Problem, Text, language_of_environment

JOIN = "--joindre"  # said first by `join.sh`; nobody else types it
_OF_THE_ARCHIVE = ("--ident", "--guichet", "--voisins", "--liaison")  # who the site is: no student's to choose

_BROKER = Text(
    fr="""\
Usage : broker.sh TOPOLOGIE --adresse ADRESSE [OPTIONS]      préparer un dossier, et y lancer le courtier
        broker.sh [--dossier DIR]                            relancer le courtier d'un dossier
        broker.sh --ajouter "LIEN" | --retirer SITE          changer la topologie pendant qu'il tourne

Un courtier (MQTT, Eclipse Mosquitto) pour des sites sur plusieurs machines. Il fait une archive pour chaque site de
TOPOLOGIE (un fichier comme pour launch_graph.sh), et dit ce que chacun doit taper. Un site n'écrit que sous son nom,
et ne lit que ceux qui lui écrivent.

Exemples :
  broker.sh topologies/anneau_double.txt --adresse 192.168.1.10
  broker.sh topologies/anneau_double.txt --local
  broker.sh --ajouter "c6 -- c1"

  --adresse A        l'adresse (ou le nom) de cette machine, où il écoute, et nulle part ailleurs
  --port P           8883 par défaut ; 1883 avec --local
  --local            une seule machine : 127.0.0.1, sans TLS
  --dossier DIR      où tout est gardé, mots de passe compris (par défaut : courtier)
  --journal complet|bref
                     complet (par défaut) : le journal dit aussi les écritures refusées, ce qui coûte un tiers du débit
  --ajouter "LIEN"   ajouter un lien, « c9 -- c2 » ou « c9 -> c2 », et le site s'il est nouveau ; autant de fois qu'on veut
  --retirer SITE     retirer un site, ses liens et son compte ; autant de fois qu'on veut
  --lang=fr|en       langue
  --help             cette aide""",
    en="""\
Usage: broker.sh TOPOLOGY --adresse ADDRESS [OPTIONS]        prepare a folder, and start the broker in it
       broker.sh [--dossier DIR]                             start the broker of a folder again
       broker.sh --ajouter "LINK" | --retirer SITE           change the topology while it runs

A broker (MQTT, Eclipse Mosquitto) for sites on several machines. It makes an archive for each site of TOPOLOGY (a file
as for launch_graph.sh), and says what everybody has to type. A site writes under its own name only, and reads those only
that write to it.

Examples:
  broker.sh topologies/anneau_double.txt --adresse 192.168.1.10
  broker.sh topologies/anneau_double.txt --local
  broker.sh --ajouter "c6 -- c1"

  --adresse A        the address (or name) of this machine at which it listens, and nowhere else
  --port P           default 8883; 1883 with --local
  --local            one machine alone: 127.0.0.1, without TLS
  --dossier DIR      where everything is kept, passwords included (default: courtier)
  --journal complet|bref
                     complet (default): the journal also tells what was refused to be written, at a third of the throughput
  --ajouter "LINK"   add a link, `c9 -- c2` or `c9 -> c2`, and the site if it is new; as often as you like
  --retirer SITE     remove a site, its links and its account; as often as you like
  --lang=fr|en       language
  --help             this help""",
)
_SITE = Text(
    fr="""\
Usage : join.sh ARCHIVE [--dossier DIR] [OPTIONS DU SITE]

Lance un site de plusieurs machines : celui de l'archive que broker.sh a faite. Il se reconnecte tant qu'il faut.
Sans fenêtre (--notk), ses commandes se tapent ici. Le site reprend où il en était s'il retrouve son dossier.

Exemples :
  join.sh c1.tar
  join.sh gch.tar --billets=examples/billets.csv
  join.sh c2.tar --notk --confirmation=manuelle

  --dossier DIR      où il garde tout (par défaut : billets-SITE)
  --lang=fr|en       langue
  --help             cette aide ; les options d'un site : ./client.py --help, ./guichet.py --help""",
    en="""\
Usage: join.sh ARCHIVE [--dossier DIR] [OPTIONS OF THE SITE]

Starts one site of several machines: that of the archive which broker.sh has made. It reconnects as often as need be.
Without a window (--notk), its commands are typed here. A site that finds its folder again goes on where it was.

Examples:
  join.sh c1.tar
  join.sh gch.tar --billets=examples/billets.csv
  join.sh c2.tar --notk --confirmation=manuelle

  --dossier DIR      where it keeps everything (default: billets-SITE)
  --lang=fr|en       language
  --help             this help; the options of a site: ./client.py --help, ./guichet.py --help""",
)


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for. `file` is the topology, or the archive of a site; `rest` is for the site."""

    task: str = ""  # JOIN, CARRY, or to keep a broker
    file: Path | None = None
    folder: Path | None = None
    host: str = ""
    port: int = 0  # the usual one
    local: bool = False
    brief: bool | None = None  # not said
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    help: bool = False
    rest: tuple[str, ...] = ()


def program(arguments: Sequence[str]) -> str:
    """The name of the script that was started."""
    return {JOIN: "join.sh", CARRY: "launch_graph.sh"}.get(_task(arguments), "broker.sh")


def _task(arguments: Sequence[str]) -> str:
    return arguments[0] if arguments and arguments[0] in (JOIN, CARRY) else ""


def usage(options: Options) -> Text:
    """What `--help` says."""
    return _SITE if options.task == JOIN else _BROKER


def language(arguments: Sequence[str]) -> str:
    """The language to speak in, found before and whether or not the rest is right."""
    for argument, following in zip(arguments, [*arguments[1:], ""], strict=False):
        name, equals, value = argument.partition("=")
        if name == "--lang" and (value if equals else following) in LANGUAGES:
            return value or following
    return language_of_environment()


def parse(arguments: Sequence[str]) -> Options:
    """The options in `arguments`. Raises `Problem` for what cannot be."""
    match _task(arguments):
        case "":
            return _for_broker(arguments)
        case task:
            return _for_site(arguments[1:]) if task == JOIN else Options(task, folder=Path(arguments[1]))


def _for_site(arguments: Sequence[str]) -> Options:
    """What is not ours is the site's: its options, and their values."""
    options = Options(JOIN)
    first = [arguments[0]] if arguments and not arguments[0].startswith("-") else []
    for name, value in _pairs(arguments[len(first) :], ("--help", "-h"), ("--dossier", "--lang")):
        match name:
            case "--dossier":
                options = replace(options, folder=_path(name, value))
            case "--lang":
                options = replace(options, rest=(*options.rest, f"--lang={value}"))
            case "" if (said := value.partition("=")[0]) in _OF_THE_ARCHIVE:
                raise Problem(f"{said} : l'archive le dit déjà", f"{said}: the archive says it already")
            case "":
                options = replace(options, rest=(*options.rest, value))
            case _:
                options = replace(options, help=True)
    if not first and not options.help:
        raise Problem("il faut d'abord l'archive du site (--help)", "the archive of the site comes first (see --help)")
    return replace(options, file=Path(first[0]) if first else None)


def _for_broker(arguments: Sequence[str]) -> Options:
    options = Options()
    flags = ("--help", "-h", "--local")
    values = ("--adresse", "--port", "--dossier", "--journal", "--ajouter", "--retirer", "--lang")
    for name, value in _pairs(arguments, flags, values):
        options = _with(options, name, value)
    if options.local and options.host:
        raise Problem("--local : ne va pas avec --adresse", "--local: not with --adresse")
    if (options.added or options.removed) and (options.file or options.local or options.host or options.port):
        raise Problem(
            "--ajouter, --retirer : avec --dossier seulement", "--ajouter, --retirer: with --dossier and nothing else"
        )
    return options


def _with(options: Options, name: str, value: str) -> Options:
    match name:
        case "--adresse" if HOST.fullmatch(value):
            return replace(options, host=value)
        case "--port" if value.isascii() and value.isdigit() and 0 < int(value) < 2**16:
            return replace(options, port=int(value))
        case "--dossier":
            return replace(options, folder=_path(name, value))
        case "--journal" if value in ("complet", "bref"):
            return replace(options, brief=value == "bref")
        case "--ajouter":
            return replace(options, added=(*options.added, value))
        case "--retirer":
            return replace(options, removed=(*options.removed, value))
        case "--lang" if value in LANGUAGES:
            return options
        case "--local":
            return replace(options, local=True)
        case "--help" | "-h":
            return replace(options, help=True)
        case "" if options.file is None and not value.startswith("-"):
            return replace(options, file=_path("TOPOLOGIE", value))
    wrong = f"{name}={value}" if name else value
    raise Problem(f"{wrong} : impossible ; --help dit les options", f"{wrong}: impossible; --help tells the options")


def _pairs(arguments: Sequence[str], flags: Sequence[str], values: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each flag, each option with its value (written with `=` or as the next word), and, without a name, all else."""
    rest = list(arguments)
    while rest:
        argument = rest.pop(0)
        name, equals, value = argument.partition("=")
        if argument in flags:
            yield argument, ""
        elif name not in values:
            yield "", argument
        elif equals or rest:
            yield name, value if equals else rest.pop(0)
        else:
            raise Problem(f"{name} : il manque la valeur", f"{name}: the value is missing")


def _path(name: str, value: str) -> Path:
    if not value:
        raise Problem(f"{name} : il manque un chemin", f"{name}: a path is missing")
    return Path(os.path.abspath(value))
