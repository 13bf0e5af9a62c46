"""The options of both programs: AIRPLUG's own first, then ours (contract, section 7). Whatever is wrong is one line."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import NoReturn, TypeVar

from lib.core.wire import WHAT, WHATWHO, WHATWHOWHERE, Header, is_application_name, is_site_name
from lib.texts import LANGUAGES, Problem, Text, language_of_environment, printable

VERSION = "1.0"
OFFICE = "gch"  # the guichet's name, unless --ident or --guichet say otherwise
MAX_SECONDS = 1_000_000.0  # eleven days: more is a slip of the keyboard
MAX_SEATS = 10_000

# AIRPLUG's own libraries know these; here they have nothing to act upon.
_WITHOUT_EFFECT = ("--mode", "--begin", "--source", "--display", "--iconic", "--stdbin", "--saving", "--delay")
_GUICHET_ONLY = ("delay", "tickets", "gtfs", "dates", "seats", "departure", "destination")
_CLIENT_ONLY = ("office", "patience", "confirmation")

_OUR_FOLDER = Path()  # `--liste` without a value: the folder of --instantanes. (`--liste=.` is another one.)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asked for; durations in seconds. `notes` are things to tell the user that stop nothing;
    `confirmation` is empty when it is left to whether there is a window."""

    name: str
    language: str
    header: Header
    window: bool
    geometry: str
    verbosity: int
    safe_mode: bool
    neighbours: tuple[str, ...]
    transit: bool
    link: str | None
    data: str | None
    snapshots: str
    snapshot_delay: float
    commands: str | None
    trace: str | None
    delay: float
    tickets: Path | None
    gtfs: Path | None
    dates: tuple[date, date] | None
    seats: int
    departure: str
    destination: str
    office: str
    patience: float
    confirmation: str
    verify: Path | None
    list_folder: Path | None
    notes: tuple[Text, ...]


class _Parser(argparse.ArgumentParser):
    """An argparse parser whose complaints are one line, in the user's language, and say what to do."""

    language = "fr"

    def error(self, message: str) -> NoReturn:
        """End with status 2."""
        how = Text(f"essayez « {self.prog} --help »", f"try '{self.prog} --help'").in_language(self.language)
        self.exit(2, printable(f"{self.prog}: {_in_language(message, self.language)} ; {how}") + "\n")


_FRENCH = (
    (r"unrecognized arguments: (.*)", r"option inconnue : \1"),
    (r"argument (\S+): expected one argument", r"\1 : il manque une valeur"),
    (r"argument (\S+): ignored explicit argument (.*)", r"\1 : ne prend pas de valeur (\2)"),
    (r"argument (\S+): invalid choice: (\S+) \(choose from (.*)\)", r"\1 : \2 impossible ; choisissez parmi \3"),
    (r"argument (\S+): not allowed with argument (.*)", r"\1 : ne va pas avec \2"),
    (r"argument (\S+): (.*)", r"\1 : \2"),
)


def _in_language(message: str, language: str) -> str:
    message = re.sub(r"argument (?:-\w+/)?(--[^\s:/]+)[^\s:]*:", r"argument \1:", " ".join(message.split()))
    if language == "fr":
        for english, french in _FRENCH:
            if re.fullmatch(english, message):
                return re.sub(english, french, message)
    return re.sub(r"^argument (\S+): ", r"\1: ", message)


def _language(arguments: Sequence[str]) -> str:
    """The language, before anything else is read: complaints about the other options are made in it."""
    given = [value.partition("=")[2] for value in arguments if value.startswith("--lang=")]
    given += [value for option, value in pairwise(arguments) if option == "--lang"]
    return given[-1] if given and given[-1] in LANGUAGES else language_of_environment()


def _checked(convert: Callable[[str], T], what: Text, language: str) -> Callable[[str], T]:
    """A converter for argparse that says in one sentence what it expected."""

    def checked(value: str) -> T:
        try:
            return convert(value)
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"« {value} » : {what.in_language(language)}") from error

    return checked


def _where(condition: bool, value: T) -> T:
    if not condition:
        raise ValueError
    return value


def _seconds(text: str) -> float:
    return _where(0 < (value := float(text)) <= MAX_SECONDS, value)


def period(text: str) -> tuple[date, date]:
    """`2027-03-15..2027-03-21`, or one day, as the first and the last day. Raises `ValueError` for anything else."""
    first, _, last = text.partition("..")
    days = date.fromisoformat(first), date.fromisoformat(last or first)
    return _where(days[0] <= days[1], days)


def _names(text: str) -> tuple[str, ...]:
    names = tuple(filter(None, text.split(",")))
    return _where(all(map(is_site_name, names)), names)


def parse(role: str, arguments: Sequence[str]) -> Options:
    """The options of a site of `role` (`guichet` or `client`). Ends the process, with status 2, on those that cannot be."""
    language = _language(arguments)
    parser = _parser(role, language)
    given = parser.parse_args(arguments)
    if given.tickets and given.gtfs:
        parser.error("argument --gtfs: not allowed with argument --billets")
    if role == "client" and given.ident == (given.office or OFFICE):
        parser.error(
            f"argument --ident: {Text('c’est le nom du guichet', 'that is the name of the guichet').in_language(language)}"
        )
    return _options(role, language, given)


def _parser(role: str, language: str) -> _Parser:
    def t(fr: str, en: str) -> str:
        return en if language == "en" else fr

    def checked(convert: Callable[[str], T], fr: str, en: str) -> Callable[[str], T]:
        return _checked(convert, Text(fr, en), language)

    name = checked(
        lambda text: _where(is_site_name(text), text),
        "un nom a 1 à 32 caractères parmi A-Z a-z 0-9 _ -, et « tous » est pris",
        "a name has 1 to 32 of A-Z a-z 0-9 _ -, and 'tous' is taken",
    )
    application = checked(
        lambda text: _where(is_application_name(text), text),
        "trois lettres ou chiffres, une lettre d'abord",
        "three letters or digits, first a letter",
    )
    path = checked(lambda text: _where(bool(text), text), "un chemin", "a path")
    seconds = checked(_seconds, "une durée en secondes, plus grande que 0", "a duration in seconds, greater than 0")
    geometry = checked(
        lambda text: _where(bool(re.fullmatch(r"=?(\d{1,5}x\d{1,5})?([+-]-?\d{1,5}[+-]-?\d{1,5})?", text, re.ASCII)), text),
        "LARGEURxHAUTEUR+X+Y",
        "WIDTHxHEIGHT+X+Y",
    )
    program = f"{role}.py"
    parser = _Parser(prog=program, allow_abbrev=False, add_help=False, description=_DESCRIPTION[role].in_language(language))
    parser.language = language

    airplug = parser.add_argument_group(t("AIRPLUG", "AIRPLUG"))
    airplug.add_argument("--ident", type=name, metavar=t("NOM", "NAME"), help=t("nom du site", "name of the site"))
    airplug.add_argument("--auto", nargs="?", help=t("accepté : un site démarre toujours", "accepted: a site always starts"))
    airplug.add_argument("--appname", type=application, metavar="APP", help=t("nom d'application", "application name"))
    for mode in (WHAT, WHATWHO, WHATWHOWHERE):
        airplug.add_argument(
            f"--{mode}", dest="mode", action="store_const", const=mode, default=WHAT, help=t("en-tête", "header")
        )
    airplug.add_argument("--dest", type=application, default="ALL", metavar="APP", help=t("à qui", "spoken to"))
    airplug.add_argument("--notk", "--nogui", action="store_true", help=t("sans fenêtre", "without a window"))
    airplug.add_argument("-geometry", "--geometry", type=geometry, default="", metavar=t("LxH+X+Y", "WxH+X+Y"))
    airplug.add_argument(
        "--verbose", nargs="?", const=1, default=1, type=checked(int, "un entier", "an integer"), metavar="N",
        help=t("0 : les problèmes ; 1 : l'essentiel ; 2 : tout", "0: problems; 1: what matters; 2: everything"),
    )  # fmt: skip
    airplug.add_argument("--safemode", action="store_true", help=t("s'arrêter à une ligne fautive", "stop at a bad line"))
    airplug.add_argument("--debug", action="store_true", help="--verbose=2")
    for option in _WITHOUT_EFFECT:
        airplug.add_argument(option, nargs="?", const="", dest="airplug" + option, help=argparse.SUPPRESS)

    both = parser.add_argument_group(t("guichet et clients", "guichet and clients"))
    both.add_argument("--lang", choices=LANGUAGES, help=t("langue", "language"))
    both.add_argument("--voisins", dest="neighbours", type=checked(_names, "noms : a,b", "names: a,b"), default=(),
                      metavar="a,b", help=t("plus proches voisins", "nearest neighbours"))  # fmt: skip
    both.add_argument("--transit", action="store_true", help=t("laisser passer les lignes d'autres applications",
                                                               "let lines of other applications pass"))  # fmt: skip
    both.add_argument("--liaison", dest="link", type=path, metavar=t("FICHIER", "FILE"),
                      help=t("ce que la fenêtre dit du courtier", "what the window tells of the broker"))  # fmt: skip
    both.add_argument(
        "--donnees", dest="data", type=path, metavar=t("DOSSIER", "DIR"), help=t("mémoire durable", "durable store")
    )
    both.add_argument("--instantanes", dest="snapshots", type=path, default="instantanes", metavar=t("DOSSIER", "DIR"),
                      help=t("dossier des instantanés", "folder of the snapshots"))  # fmt: skip
    both.add_argument("--delai-instantane", dest="snapshot_delay", type=seconds, default=30.0, metavar="S",
                      help=t("clore un instantané incomplet après S s", "close an incomplete one after S s"))  # fmt: skip
    both.add_argument("--commandes", dest="commands", type=path, metavar=t("CHEMIN", "PATH"),
                      help=t("lire des commandes d'un tube ou fichier", "read commands from a pipe or file"))  # fmt: skip
    both.add_argument(
        "--trace", type=path, metavar=t("CHEMIN", "PATH"), help=t("événements, en lignes JSON", "events, JSON lines")
    )
    both.add_argument("--version", action="version", version=f"{program} {VERSION}", help="version")
    both.add_argument("--help", "-h", action="help", help=t("cette aide", "this help"))

    guichet = parser.add_argument_group("guichet")
    guichet.add_argument("--delai", dest="delay", type=seconds, metavar="S",
                         help=t("pour confirmer (30)", "time to confirm (30)"))  # fmt: skip
    guichet.add_argument("--billets", dest="tickets", type=Path, metavar="F.csv", help=t("billets à vendre", "tickets"))
    guichet.add_argument("--gtfs", type=Path, metavar=t("DOSSIER|ZIP", "FOLDER|ZIP"), help=t("horaires", "timetables"))
    guichet.add_argument("--date", dest="dates", metavar=t("J[..J]", "D[..D]"), help=t("jours voulus", "days wanted"),
                         type=checked(period, "AAAA-MM-JJ[..AAAA-MM-JJ]", "YYYY-MM-DD[..YYYY-MM-DD]"))  # fmt: skip
    guichet.add_argument("--places", dest="seats", metavar="N", help=t("places par train (1)", "seats a train (1)"),
                         type=checked(lambda text: _where(1 <= int(text) <= MAX_SEATS, int(text)),
                                      f"un entier de 1 à {MAX_SEATS}", f"an integer from 1 to {MAX_SEATS}"))  # fmt: skip
    guichet.add_argument("--depart", dest="departure", metavar=t("GARE", "STATION"), help=t("de là seulement", "from there"))
    guichet.add_argument("--destination", metavar=t("GARE", "STATION"), help=t("jusque-là seulement", "to there"))

    if role == "guichet":
        checks = parser.add_argument_group(t("sans site : instantanés", "without a site: snapshots"))
        checks.add_argument(
            "--verifier",
            dest="verify",
            type=Path,
            metavar=t("FICHIER", "FILE"),
            help=t("vérifier un instantané", "check one"),
        )
        checks.add_argument(
            "--liste",
            dest="list_folder",
            type=Path,
            nargs="?",
            const=_OUR_FOLDER,
            metavar=t("DOSSIER", "DIR"),
            help=t("lister les instantanés (ceux de --instantanes)", "list the snapshots (those of --instantanes)"),
        )

    client = parser.add_argument_group("client")
    client.add_argument("--guichet", dest="office", type=name, metavar=t("NOM", "NAME"),
                        help=t("qui est le guichet (gch)", "who is the guichet (gch)"))  # fmt: skip
    client.add_argument("--patience", type=seconds, metavar="S",
                        help=t("avant de dire que le guichet ne répond pas (60)", "before saying so (60)"))  # fmt: skip
    client.add_argument("--confirmation", choices=("auto", "manuelle"),
                        help=t("des offres (manuelle avec une fenêtre)", "of offers (manuelle with a window)"))  # fmt: skip
    return parser


_DESCRIPTION = {
    "guichet": Text(
        "Le guichet : il détient les billets. Lit et écrit des lignes AIRPLUG sur stdin et stdout.",
        "The ticket office: it holds the tickets. Reads and writes AIRPLUG lines on stdin and stdout.",
    ),
    "client": Text(
        "Un client : il consulte et réserve. Lit et écrit des lignes AIRPLUG sur stdin et stdout.",
        "A client: it consults and reserves. Reads and writes AIRPLUG lines on stdin and stdout.",
    ),
}


def _options(role: str, language: str, given: argparse.Namespace) -> Options:
    is_guichet = role == "guichet"
    application = given.appname or ("GCH" if is_guichet else "CLT")
    return Options(
        name=given.ident or (OFFICE if is_guichet else f"clt{os.getpid()}"),
        language=language,
        header=Header(given.mode, application, given.dest),
        window=not given.notk,
        geometry=given.geometry,
        verbosity=2 if given.debug else given.verbose,
        safe_mode=given.safemode,
        neighbours=given.neighbours,
        transit=given.transit,
        link=given.link,
        data=given.data,
        snapshots=given.snapshots,
        snapshot_delay=given.snapshot_delay,
        commands=given.commands,
        trace=given.trace,
        delay=given.delay or 30.0,
        tickets=given.tickets,
        gtfs=given.gtfs,
        dates=given.dates,
        seats=given.seats or 1,
        departure=given.departure or "",
        destination=given.destination or "",
        office=given.office or OFFICE,
        patience=given.patience or 60.0,
        confirmation=given.confirmation or "",
        verify=given.verify if is_guichet else None,
        list_folder=_list_folder(given) if is_guichet else None,
        notes=tuple(_notes(role, given)),
    )


def _list_folder(given: argparse.Namespace) -> Path | None:
    return Path(given.snapshots) if given.list_folder is _OUR_FOLDER else given.list_folder


def _notes(role: str, given: argparse.Namespace) -> list[Text]:
    """What was asked for and changes nothing here: said, not refused, so that one set of options serves every site."""
    others, owner = (_CLIENT_ONLY, "client") if role == "guichet" else (_GUICHET_ONLY, "guichet")
    notes = [
        Text(f"{option} : accepté pour AIRPLUG, sans effet ici", f"{option}: accepted for AIRPLUG, no effect here")
        for option in _WITHOUT_EFFECT
        if getattr(given, "airplug" + option) is not None
    ]
    french = {"delay": "delai", "tickets": "billets", "dates": "date", "seats": "places", "departure": "depart"}
    french |= {"office": "guichet"}
    for field in others:
        if getattr(given, field) is not None:
            option = f"--{french.get(field, field)}"
            notes.append(Text(f"{option} : sans effet, c'est l'affaire du {owner}", f"{option}: no effect, the {owner}'s"))
    return notes


def fail(role: str, problem: Problem, language: str) -> NoReturn:
    """Say what cannot be used, and end with status 2 (contract, section 1)."""
    sys.stderr.write(f"{role}.py: {problem.text.in_language(language)}\n")
    sys.exit(2)
