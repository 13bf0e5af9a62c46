"""Commands as they are typed: one a line, `verbe cle=valeur`, with the shell's quoting (contract, section 8)."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from lib.core import commands as ask
from lib.core.commands import CommandRefused
from lib.core.tickets import MAX_STATION_BYTES, BadField, Journey, Search, cents_of, fits, fold
from lib.core.wire import MAX_LIST, is_period_end, is_ticket_id
from lib.edge.options import MAX_SEATS, period
from lib.texts import Problem, Text, printable

MAX_COMMAND = 4096  # bytes of a line
MAX_COPIES = 100_000  # tickets that one `ajouter` makes


@dataclass(frozen=True, slots=True)
class Import:
    """guichet: put the tickets of a timetable on sale. A command of the edge: what it reads becomes `AddTickets`.

    What is None is as the options of the guichet have it: the `dates` (first and last, both included), the `seats` a train
    when the file does not say, the stations.
    """

    path: str
    dates: tuple[date, date] | None = None
    seats: int | None = None
    departure: str | None = None
    destination: str | None = None


@dataclass(frozen=True, slots=True)
class Load:
    """guichet: bring the system back to a snapshot of its folder. What is read becomes `Restore`."""

    file: str


class _Arguments:
    """The `cle=valeur` of one command; each getter takes its key, and `end` refuses what nobody took."""

    def __init__(self, verb: str, words: list[str]) -> None:
        self._verb = verb
        self._values: dict[str, str] = {}
        for word in words:
            key, equals, value = word.partition("=")
            if not equals:
                raise Problem(f"{verb} : « {word} » n'est pas cle=valeur", f"{verb}: '{word}' is not key=value")
            self._values[key] = value

    def text(self, key: str) -> str:
        return self._values.pop(key, "")

    def optional(self, key: str) -> str | None:
        return self._values.pop(key, None)

    def needed(self, key: str) -> str:
        value = self.text(key)
        if not value:
            raise Problem(f"{self._verb} : il manque {key}=", f"{self._verb}: {key}= is missing")
        return value

    def number(self, key: str, default: int | None, most: int) -> int:
        return self._integer(key, self.text(key) or ("" if default is None else str(default)), most)

    def optional_number(self, key: str, most: int) -> int | None:
        value = self.optional(key)
        return None if value is None else self._integer(key, value, most)

    def _integer(self, key: str, value: str, most: int) -> int:
        if not (value.isascii() and value.isdigit() and len(value) < 16 and 1 <= int(value) <= most):
            self.bad(key, value, Text(f"un entier de 1 à {most}", f"an integer from 1 to {most}"))
        return int(value)

    def bad(self, key: str, value: object, expected: Text) -> None:
        raise Problem(
            f"{self._verb} : {key}={value} ; attendu : {expected.fr}",
            f"{self._verb}: {key}={value}; expected: {expected.en}",
        )

    def end(self) -> None:
        if self._values:
            names = ", ".join(self._values)
            raise Problem(f"{self._verb} : clé inconnue : {names}", f"{self._verb}: unknown key: {names}")


# BadField's English names -> the key that was typed, and what it takes.
_FIELDS = {
    "train": ("train", Text("un numéro de train, de 1 à 60 octets", "a train number of 1 to 60 bytes")),
    "date": ("date", Text("AAAA-MM-JJTHH:MM", "YYYY-MM-DDTHH:MM")),
    "departure": ("depart", Text("un nom de gare, de 1 à 200 octets", "a station's name of 1 to 200 bytes")),
    "destination": ("destination", Text("un nom de gare, de 1 à 200 octets", "a station's name of 1 to 200 bytes")),
    "price": ("cout", Text("des euros, 15.40", "euros, 15.40")),
}


def _search(arguments: _Arguments) -> Search:
    search = Search(
        ticket=arguments.text("billet"),
        departure=arguments.text("depart"),
        destination=arguments.text("destination"),
        since=arguments.text("du"),
        until=arguments.text("au"),
    )
    if search.ticket and not is_ticket_id(search.ticket):
        arguments.bad("billet", search.ticket, Text("un identifiant, B0001", "an identifier, B0001"))
    for key, value in (("depart", search.departure), ("destination", search.destination)):
        if not fits(value, MAX_STATION_BYTES) or (value and not fold(value)):
            arguments.bad(key, value[:40] + "…", _FIELDS["departure"][1])
    for key, value in (("du", search.since), ("au", search.until)):
        if not is_period_end(value):
            arguments.bad(key, value, Text("AAAA-MM-JJ ou AAAA-MM-JJTHH:MM", "YYYY-MM-DD or YYYY-MM-DDTHH:MM"))
    return search


def _consult(arguments: _Arguments) -> ask.Command:
    return ask.Consult(_search(arguments), arguments.number("limite", 10, MAX_LIST))


def _reserve(arguments: _Arguments) -> ask.Command:
    arguments.text("limite")
    return ask.Reserve(_search(arguments))


def _request_number(arguments: _Arguments) -> int:
    return arguments.number("demande", None, 10**15 - 1)


def _add(arguments: _Arguments) -> ask.Command:
    copies = arguments.number("nombre", 1, MAX_COPIES)
    try:
        journey = Journey(
            train=arguments.needed("train"),
            date=arguments.needed("date"),
            departure=arguments.needed("depart"),
            destination=arguments.needed("destination"),
            cents=cents_of(arguments.needed("cout")),
        )
    except BadField as bad:
        key, expected = _FIELDS[bad.field]
        arguments.bad(key, bad.value, expected)
        raise AssertionError("unreachable") from bad
    return ask.AddTickets(((journey, copies),))


def _change(arguments: _Arguments) -> ask.Command:
    price = arguments.optional("cout")
    try:
        cents = None if price is None else cents_of(price)
    except BadField as bad:
        arguments.bad("cout", price, _FIELDS["price"][1])
        raise AssertionError("unreachable") from bad
    return ask.ChangeTicket(
        ticket_id=arguments.needed("billet"),
        train=arguments.optional("train"),
        date=arguments.optional("date"),
        departure=arguments.optional("depart"),
        destination=arguments.optional("destination"),
        cents=cents,
    )


def _days(arguments: _Arguments, text: str | None) -> tuple[date, date] | None:
    try:
        return None if text is None else period(text)
    except ValueError:
        arguments.bad("date", text, Text("AAAA-MM-JJ[..AAAA-MM-JJ]", "YYYY-MM-DD[..YYYY-MM-DD]"))
        raise


def _import(arguments: _Arguments) -> Import:
    return Import(
        path=arguments.needed("fichier"),
        dates=_days(arguments, arguments.optional("date")),
        seats=arguments.optional_number("places", MAX_SEATS),
        departure=arguments.optional("depart"),
        destination=arguments.optional("destination"),
    )


def _ask_restore(arguments: _Arguments) -> ask.Command:
    file = arguments.needed("fichier")
    if not fits(file, MAX_STATION_BYTES):
        arguments.bad("fichier", file[:40] + "…", Text("le nom d'un fichier du guichet", "the name of a guichet's file"))
    return ask.AskRestore(file)


_Reader = Callable[[_Arguments], "ask.Command | Import | Load"]
_BOTH: dict[str, _Reader] = {
    "instantane": lambda _: ask.TakeSnapshot(),
    "etat": lambda _: ask.TellState(),
    "quitter": lambda _: ask.Leave(),
}
VERBS: dict[str, dict[str, _Reader]] = {
    "client": {
        "consulter": _consult,
        "reserver": _reserve,
        "confirmer": lambda arguments: ask.Confirm(_request_number(arguments)),
        "refuser": lambda arguments: ask.Decline(_request_number(arguments)),
        "rendre": lambda arguments: ask.GiveBack(arguments.needed("billet")),
        "charger": _ask_restore,
        **_BOTH,
    },
    "guichet": {
        "ajouter": _add,
        "modifier": _change,
        "supprimer": lambda arguments: ask.WithdrawTicket(arguments.needed("billet")),
        "importer": _import,
        "liberer": lambda arguments: ask.Dismiss(arguments.needed("client")),
        "charger": lambda arguments: Load(arguments.needed("fichier")),
        **_BOTH,
    },
}


def parse(role: str, line: str) -> ask.Command | Import | Load:
    """The command that `line` asks of a site of `role`. Raises `Problem`."""
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise Problem(f"guillemets mal fermés ({error})", f"unbalanced quotes ({error})") from error
    verbs = VERBS[role]
    if not words or words[0] not in verbs:
        known, verb = ", ".join(verbs), words[0] if words else ""
        raise Problem(f"commande inconnue : « {verb} » ; ici : {known}", f"unknown command: '{verb}'; here: {known}")
    arguments = _Arguments(words[0], words[1:])
    command = verbs[words[0]](arguments)
    arguments.end()
    return command


_REFUSALS = {
    "unknown_request": Text("aucune demande n°{}", "no request no. {}"),
    "not_offered": Text("la demande n°{} n'a pas d'offre à confirmer ou à refuser", "request no. {} has no open offer"),
    "offer_expired": Text("l'offre de la demande n°{} est expirée (refus : expire)", "the offer of no. {} has expired"),
    "not_mine": Text("le billet {} n'est pas à ce client", "ticket {} is not this client's"),
    "unknown_client": Text("aucun client « {} » ; voyez etat", "no client '{}'; see etat"),
    "unknown_ticket": Text("aucun billet {}", "no ticket {}"),
    "not_free": Text("le billet {} n'est pas libre : seul un billet libre se modifie ou se supprime",
                     "ticket {} is not free: only a free ticket can be changed or deleted"),
    "bad_field": Text("valeur impossible : {}", "impossible value: {}"),
    "too_many_tickets": Text("plus de {} billets : importez-en moins", "more than {} tickets: import fewer"),
    "round_open": Text("l'instantané n°{} n'est pas clos : attendez sa fin", "snapshot no. {} is open: wait for its end"),
    "snapshot_shape": Text("ce n'est pas un instantané lisible : {}", "not a readable snapshot: {}"),
    "snapshot_damaged": Text("fichier endommagé : {} ne correspond pas", "damaged file: {} does not match"),
    "snapshot_incomplete": Text("l'instantané n°{} est incomplet", "snapshot no. {} is incomplete"),
    "snapshot_site": Text("instantané incomplet : il manque l'état de {}", "incomplete snapshot: {} has not reported"),
    "snapshot_rank": Text("instantané incomplet : il manque {}", "incomplete snapshot: {} is missing"),
    "snapshot_incoherent": Text("coupe incohérente : {} reçu sans être envoyé", "incoherent cut: {} received, not sent"),
    "snapshot_ticket": Text("billets non conservés : {}", "tickets not conserved: {}"),
    "snapshot_of_another": Text("instantané d'un autre guichet : {}", "snapshot of another guichet: {}"),
    "snapshot_absent": Text("sites de l'instantané absents : {}", "sites of the snapshot that are absent: {}"),
    "not_for_guichet": Text("ce n'est pas une commande du guichet", "not a command of the guichet"),
    "not_for_client": Text("ce n'est pas une commande d'un client", "not a command of a client"),
}  # fmt: skip


def explain(refused: CommandRefused) -> Text:
    """Why a site refused a command, in words."""
    text = _REFUSALS[refused.code]
    if refused.code == "bad_field":
        field, _, value = refused.subject.partition(" ")
        key, expected = _FIELDS[field]
        return Text(f"{key}={value} ; attendu : {expected.fr}", f"{key}={value}; expected: {expected.en}")
    subject = printable(refused.subject)
    return Text(text.fr.format(subject), text.en.format(subject))
