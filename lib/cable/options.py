"""The command line of `cable.py`."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from lib.cable.faults import SETTINGS, Faults
from lib.cable.faults import parse as parse_faults
from lib.texts import LANGUAGES, Problem, Text, language_of_environment

OUT = "sortie"  # the name of the only link of a cable that writes on stdout


@dataclass(frozen=True, slots=True)
class End:
    """Where a link leads to: its name, its faults, and the FIFO or file; None is stdout."""

    name: str
    faults: Faults
    path: str | None = None


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for: the ends of the cable, and the FIFO that its commands come from."""

    ends: tuple[End, ...] = ()
    commands: str | None = None
    language: str = "fr"
    help: bool = False


def _settings(language: str) -> str:
    return "\n".join(f"  --{key + '=N':<14}{setting.meaning.in_language(language)}" for key, setting in SETTINGS.items())


HELP = Text(
    fr=f"""\
Usage : cable.py [RÉGLAGES] [--vers "NOM tube=CHEMIN RÉGLAGES"]... [--commandes=TUBE] < entrée > sortie

Copie des lignes entières de l'entrée vers la sortie, ou vers chaque tube nommé par --vers, et les gâte comme demandé.
À la fin, dit sur la sortie d'erreur ce qui est arrivé à combien de lignes.

{_settings("fr")}
  --vers="NOM tube=CHEMIN delai=300 ..."
                  un lien de ce nom vers ce tube, avec ses propres réglages en plus des autres ; autant qu'on veut
  --commandes=TUBE
                  obéir en route : regler (suivi de delai=300...), couper, retablir, pause, reprendre, pas (une ligne
                  passe), etat ; et du nom d'un lien, ou de rien : tous
  --lang=fr|en    langue
  --help          cette aide

Exemple : mkfifo c ; ./cable.py --delai=300 --perte=0.05 --graine=7 --commandes=c < entree > sortie""",
    en=f"""\
Usage: cable.py [SETTINGS] [--vers "NAME tube=PATH SETTINGS"]... [--commandes=PIPE] < in > out

Copies whole lines from its input to its output, or to every pipe named by --vers, and spoils them as it is told to.
At the end it says on stderr what happened to how many lines.

{_settings("en")}
  --vers="NAME tube=PATH delai=300 ..."
                  a link of this name to this pipe, with settings of its own on top of the others; as many as you like
  --commandes=PIPE
                  obey meanwhile: regler (set, followed by delai=300...), couper, retablir, pause, reprendre, pas (let one
                  line pass), etat; and the name of a link, or nothing: all
  --lang=fr|en    language
  --help          this help

Example: mkfifo c; ./cable.py --delai=300 --perte=0.05 --graine=7 --commandes=c < in > out""",
)


def language(arguments: Sequence[str]) -> str:
    """The language to speak in, found before and whether or not the rest is right."""
    for argument, following in zip(arguments, [*arguments[1:], ""], strict=False):
        name, equals, value = argument.partition("=")
        if name == "--lang" and (value if equals else following) in LANGUAGES:
            return value or following
    return language_of_environment()


def parse(arguments: Sequence[str]) -> Options:
    """The options in `arguments`. Raises `Problem` for what cannot be."""
    options = Options(language=language(arguments))
    everywhere: list[str] = []  # settings of all links
    targets: list[str] = []
    for name, value in _pairs(arguments):
        if name.removeprefix("--") in SETTINGS:
            everywhere.append(f"{name.removeprefix('--')}={value}")
        elif name == "--vers":
            targets.append(value)
        else:
            options = _with_value(options, name, value)
    ends = [_end(target, everywhere) for target in targets] or [End(OUT, parse_faults(everywhere))]
    if len({end.name for end in ends}) < len(ends):
        raise Problem("--vers : deux liens du même nom", "--vers: two links of the same name")
    return replace(options, ends=tuple(ends))


def _pairs(arguments: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each option with its value, written with `=` or as the next word."""
    rest = list(arguments)
    while rest:
        name, equals, value = rest.pop(0).partition("=")
        if name in ("--help", "-h"):
            yield "--help", ""
        elif not equals and not rest:
            raise Problem(
                f"{name} : option inconnue, ou sans valeur (--help)", f"{name}: unknown, or without a value (--help)"
            )
        else:
            yield name, value if equals else rest.pop(0)


def _with_value(options: Options, name: str, value: str) -> Options:
    match name:
        case "--commandes":
            return replace(options, commands=value)
        case "--lang" if value in LANGUAGES:
            return options
        case "--help":
            return replace(options, help=True)
        case _:
            raise Problem(f"{name}={value} : option inconnue (--help)", f"{name}={value}: unknown option (see --help)")


def _end(text: str, everywhere: Sequence[str]) -> End:
    """The link that a value of `--vers` describes."""
    try:
        name, path, *settings = shlex.split(text)
    except ValueError:  # fewer than two words, or a quote that is not closed
        name, path, settings = "", "", []
    key, _, file = path.partition("=")
    if key != "tube" or not file:
        raise Problem(
            f'--vers={text} : il faut "NOM tube=CHEMIN RÉGLAGES"', f'--vers={text}: "NAME tube=PATH SETTINGS" is needed'
        )
    return End(name, parse_faults([*everywhere, *settings]), os.path.abspath(file))
