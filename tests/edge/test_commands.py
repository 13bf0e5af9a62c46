"""Commands as they are typed. The law: contract, section 8:

"one a line, `verbe cle=valeur`, shell quoting" - "A command that cannot be carried out is answered in the trace and
on stderr with its reason; the site goes on."
"""

from __future__ import annotations

import ast
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import lib.core
from lib.core import commands as ask
from lib.core.commands import CommandRefused
from lib.core.tickets import MAX_STATION_BYTES, Journey, Search
from lib.core.wire import MAX_LIST
from lib.edge import commands
from lib.edge.commands import Import, explain, parse
from lib.texts import Problem

JOURNEY = Journey("848362", "2027-03-17T07:10", "Compiègne", "Paris Gare du Nord", 1540)
ADD = "ajouter train=848362 date=2027-03-17T07:10 depart=Compiègne destination='Paris Gare du Nord' cout=15.40"


@pytest.mark.parametrize(
    ("role", "line", "command"),
    [
        ("client", "consulter", ask.Consult(Search(), 10)),
        ("client", "consulter depart=Compiègne destination=Creil du=2027-03-17 au=2027-03-17T18:00 limite=3",
         ask.Consult(Search("", "Compiègne", "Creil", "2027-03-17", "2027-03-17T18:00"), 3)),
        ("client", "consulter billet=B0001", ask.Consult(Search(ticket="B0001"), 10)),
        ("client", f"consulter limite={MAX_LIST}", ask.Consult(Search(), MAX_LIST)),
        ("client", "reserver", ask.Reserve(Search())),
        ("client", "reserver billet=B0001", ask.Reserve(Search(ticket="B0001"))),
        ("client", "reserver destination=Creil limite=2", ask.Reserve(Search(destination="Creil"))),
        ("client", "confirmer demande=4", ask.Confirm(4)),
        ("client", "refuser demande=4", ask.Decline(4)),
        ("client", "rendre billet=B0001", ask.GiveBack("B0001")),
        ("guichet", ADD, ask.AddTickets(((JOURNEY, 1),))),
        ("guichet", ADD + " nombre=12", ask.AddTickets(((JOURNEY, 12),))),
        ("guichet", "modifier billet=B0001 cout=9", ask.ChangeTicket("B0001", cents=900)),
        ("guichet", "modifier billet=B0001 train=1 date=2027-01-01T00:00 depart=A destination=B cout=0",
         ask.ChangeTicket("B0001", "1", "2027-01-01T00:00", "A", "B", 0)),
        ("guichet", "supprimer billet=B0001", ask.WithdrawTicket("B0001")),
        ("guichet", "importer fichier='mes billets.csv'", Import("mes billets.csv")),
        ("guichet", "importer fichier=g date=2027-03-15 places=2 depart='Compiègne' destination=",
         Import("g", (date(2027, 3, 15), date(2027, 3, 15)), 2, "Compiègne", "")),
        ("guichet", "importer fichier=g date=2027-03-15..2027-03-16",
         Import("g", (date(2027, 3, 15), date(2027, 3, 16)))),
        *[(role, "etat", ask.TellState()) for role in ("client", "guichet")],
        *[(role, "quitter", ask.Leave()) for role in ("client", "guichet")],
    ],
)  # fmt: skip
def test_every_verb(role: str, line: str, command: object) -> None:
    assert parse(role, line) == command


@pytest.mark.parametrize(
    ("typed", "station"),
    [
        ("destination='Paris Gare du Nord'", "Paris Gare du Nord"),
        ('destination="Paris Gare du Nord"', "Paris Gare du Nord"),
        ("'destination=Paris Gare du Nord'", "Paris Gare du Nord"),
        ("destination=Paris\\ Gare\\ du\\ Nord", "Paris Gare du Nord"),
        ('destination="L\'Isle-Adam"', "L'Isle-Adam"),
        ("destination=L\\'Isle-Adam", "L'Isle-Adam"),
        ("destination=a=b", "a=b"),
        ("destination='#1 ~^%'", "#1 ~^%"),
        ("destination=", ""),
        ("destination=Creil\r", "Creil"),
        ("  \t destination=Creil  ", "Creil"),
        ("destination=Orléans destination=Creil", "Creil"),
    ],
)
def test_shell_quoting(typed: str, station: str) -> None:
    assert parse("client", f"reserver {typed}") == ask.Reserve(Search(destination=station))


@pytest.mark.parametrize(
    ("role", "line", "says"),
    [
        ("client", "danser", ["danser", "consulter", "reserver", "confirmer", "refuser", "rendre", "etat", "quitter"]),
        ("guichet", "reserver", ["reserver", "ajouter", "modifier", "supprimer", "importer"]),
        ("client", "ajouter train=1", ["ajouter"]),
        ("client", "RESERVER", ["RESERVER"]),
        ("client", "''", ["commande inconnue"]),
        ("client", "", ["commande inconnue"]),
        ("client", "reserver destination='Creil", ["guillemets"]),
        ("client", "reserver destination=L'Isle-Adam", ["guillemets"]),
        ("client", "reserver destination=Creil\\", ["guillemets"]),
        ("client", "reserver Creil", ["reserver", "« Creil »", "cle=valeur"]),
        ("client", "reserver gare=Creil", ["reserver", "gare"]),
        ("client", "etat tout=1", ["etat", "tout"]),
        ("client", "quitter vite=1", ["quitter", "vite"]),
        ("client", "reserver billet='B 1'", ["billet=B 1", "B0001"]),
        ("client", "consulter limite=0", ["limite=0", "1 à"]),
        ("client", f"consulter limite={MAX_LIST + 1}", [f"limite={MAX_LIST + 1}", f"{MAX_LIST}"]),
        ("client", "consulter limite=deux", ["limite=deux"]),
        ("client", "consulter limite=²", ["limite=²"]),
        ("client", "consulter limite=٣", ["limite=٣"]),
        ("client", "consulter limite=" + "9" * 5000, ["limite="]),
        ("client", "consulter du=demain", ["du=demain", "AAAA-MM-JJ"]),
        ("client", "consulter au=2027-02-30", ["au=2027-02-30"]),
        ("client", "consulter depart=" + "x" * (MAX_STATION_BYTES + 1), ["depart=", str(MAX_STATION_BYTES)]),
        ("client", "consulter destination=" + "^" * (MAX_STATION_BYTES // 3 + 1), ["destination=", "octets"]),
        ("client", "confirmer", ["confirmer", "demande="]),
        ("client", "confirmer demande=x", ["confirmer", "demande=x"]),
        ("client", "refuser demande=-1", ["refuser", "demande=-1"]),
        ("client", "rendre", ["rendre", "billet="]),
        ("client", "rendre billet=", ["rendre", "billet="]),
        ("guichet", "ajouter", ["ajouter", "train="]),
        ("guichet", ADD.replace("2027-03-17T07:10", "demain"), ["date=demain", "AAAA-MM-JJTHH:MM"]),
        ("guichet", ADD.replace("2027-03-17T07:10", "2027-03-17"), ["date=2027-03-17", "AAAA-MM-JJTHH:MM"]),
        ("guichet", ADD.replace("15.40", "cher"), ["cout=cher", "15.40"]),
        ("guichet", ADD.replace("15.40", "-1"), ["cout=-1"]),
        ("guichet", ADD.replace("Compiègne", "'  '"), ["depart="]),
        ("guichet", ADD.replace("Compiègne", "é" * (MAX_STATION_BYTES // 2 + 1)), ["depart="]),
        ("guichet", ADD.replace("848362", "8" * 61), ["train="]),
        ("guichet", ADD + " nombre=0", ["nombre=0"]),
        ("guichet", ADD + " nombre=100001", ["nombre=100001", "100000"]),
        ("guichet", "modifier cout=1", ["modifier", "billet="]),
        ("guichet", "modifier billet=B0001 cout=gratuit", ["cout=gratuit", "15.40"]),
        ("guichet", "supprimer", ["supprimer", "billet="]),
        ("guichet", "importer", ["importer", "fichier="]),
        ("guichet", "importer fichier=g date=demain", ["date=demain", "AAAA-MM-JJ"]),
        ("guichet", "importer fichier=g date=2027-03-16..2027-03-15", ["date=2027-03-16..2027-03-15"]),
        ("guichet", "importer fichier=g date=", ["date="]),
        ("guichet", "importer fichier=g places=0", ["places=0", "10000"]),
    ],
)
def test_every_error_is_one_clear_line_in_both_languages(role: str, line: str, says: list[str]) -> None:
    with pytest.raises(Problem) as caught:
        parse(role, line)
    text = caught.value.text
    assert "\n" not in text.fr and "\n" not in text.en
    for word in says:
        assert word in text.fr
    assert text.fr != text.en
    assert not any(french in text.en for french in ("attendu", "inconnue", "il manque", "guillemets"))


@given(st.sampled_from(["client", "guichet"]), st.sampled_from(["", "ajouter ", "consulter ", "modifier billet=B1 "]),
       st.text(max_size=60))  # fmt: skip
def test_whatever_is_typed_is_a_command_or_a_problem(role: str, verb: str, text: str) -> None:
    try:
        command = parse(role, verb + text)
    except Problem:
        return
    assert isinstance(command, ask.Command | Import)


@given(st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=80))
def test_a_quoted_value_comes_through_as_it_was(station: str) -> None:
    import shlex

    try:
        command = parse("client", f"reserver destination={shlex.quote(station)}")
    except Problem:
        return  # longer than a station's name
    assert command == ask.Reserve(Search(destination=station))


# ------------------------------------------------------------------------------------------------------ core's refusals


def core_trees() -> list[ast.Module]:
    folder = Path(lib.core.__file__).parent
    return [ast.parse(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.py"))]


def constructed(name: str) -> list[ast.expr]:
    """The first argument of every `name(...)` in the core."""
    nodes = (node for tree in core_trees() for node in ast.walk(tree))
    calls = (node for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name))
    return [call.args[0] for call in calls if call.func.id == name and call.args]


def codes() -> list[str]:
    """Every code of a `CommandRefused` in the core; an f-string `x_{finding.kind}` stands for every `Finding`."""
    found: set[str] = set()
    for argument in constructed("CommandRefused"):
        if isinstance(argument, ast.Constant):
            found.add(argument.value)
            continue
        assert isinstance(argument, ast.JoinedStr), f"a code that this test cannot read: {ast.unparse(argument)}"
        prefix, value = argument.values
        assert isinstance(prefix, ast.Constant) and isinstance(value, ast.FormattedValue)
        assert ast.unparse(value.value).endswith(".kind"), ast.unparse(argument)
        kinds = constructed("Finding")
        assert kinds
        found |= {f"{prefix.value}{kind.value}" for kind in kinds if isinstance(kind, ast.Constant)}
    return sorted(found)


def test_the_codes_are_found() -> None:
    assert {"unknown_request", "not_offered", "offer_expired", "not_mine", "not_free", "bad_field"} <= set(codes())


@pytest.mark.parametrize("code", codes())
def test_every_refusal_of_the_core_has_its_sentence(code: str) -> None:
    """A new code without a sentence fails here, not in front of a user."""
    subject = "date demain" if code == "bad_field" else "B0042"
    text = explain(CommandRefused(code, subject))
    for sentence in (text.fr, text.en):
        assert sentence and "{" not in sentence and "\n" not in sentence
    assert text.fr != text.en


def test_no_sentence_is_left_over() -> None:
    assert set(commands._REFUSALS) == set(codes())


def test_a_refusal_names_its_subject_whatever_it_contains() -> None:
    assert "{0} %s" in explain(CommandRefused("unknown_ticket", "{0} %s")).fr
