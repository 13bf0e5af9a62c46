"""The options. The law: contract, section 7; and section 1:

"Exit status: [...] 2 options or files that cannot be used, with one line that names the option or file and line,
says what is wrong and what to do." - preamble: "English comes with `--lang=en` or `LANG`".
"""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import pytest

from lib.core.wire import WHAT, WHATWHO, WHATWHOWHERE, Header
from lib.edge.options import Options, fail, parse
from lib.texts import Problem

ROLES = ("guichet", "client")


@pytest.fixture(autouse=True)
def french(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(variable, raising=False)


def refused(capsys: pytest.CaptureFixture[str], role: str, *arguments: str) -> str:
    """The one line that these options are refused with, with status 2."""
    with pytest.raises(SystemExit) as ended:
        parse(role, arguments)
    out, err = capsys.readouterr()
    assert ended.value.code == 2
    assert out == ""
    assert err.count("\n") == 1 and err.endswith("\n"), f"not one line: {err!r}"
    assert err.startswith(f"{role}.py: ")
    return err


# ------------------------------------------------------------------------------------------------------------- defaults


def test_without_options_a_site_has_all_it_needs() -> None:
    guichet, client = parse("guichet", []), parse("client", [])
    assert (guichet.name, client.name) == ("gch", f"clt{os.getpid()}"), "default `gch` / `clt` + pid"
    assert guichet.header == Header(WHAT, "GCH", "ALL") and client.header == Header(WHAT, "CLT", "ALL")
    assert client.office == "gch"
    assert (guichet.delay, client.patience, guichet.snapshot_delay) == (30.0, 60.0, 30.0)
    assert guichet.seats == 1 and guichet.dates is None and guichet.tickets is None and guichet.gtfs is None
    assert guichet.data is None and guichet.commands is None and guichet.trace is None
    assert guichet.notes == client.notes == ()
    assert not guichet.safe_mode and guichet.verbosity == 1


def test_a_client_confirms_by_itself_without_a_window() -> None:
    """`--confirmation=auto|manuelle` "(client; default manuelle with a window, auto without)": there is no window yet."""
    assert parse("client", []).confirmation == ""
    assert parse("client", ["--notk"]).confirmation == ""
    assert parse("client", ["--notk", "--confirmation=manuelle"]).confirmation == "manuelle"
    assert parse("client", ["--confirmation=auto"]).confirmation == "auto"


# -------------------------------------------------------------------------------------------------------------- AIRPLUG


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(
    ("arguments", "field", "value"),
    [
        (["--ident=app2"], "name", "app2"),
        (["--ident", "app2"], "name", "app2"),
        (["--ident=" + "a" * 32], "name", "a" * 32),
        (["--what"], "header", Header(WHAT, "XYZ", "ALL")),
        (["--whatwho"], "header", Header(WHATWHO, "XYZ", "ALL")),
        (["--whatwhowhere"], "header", Header(WHATWHOWHERE, "XYZ", "ALL")),
        (["--whatwho", "--dest=NET"], "header", Header(WHATWHO, "XYZ", "NET")),
        (["--notk"], "window", False),
        (["--nogui"], "window", False),
        ([], "window", True),
        (["-geometry", "800x600+10+20"], "geometry", "800x600+10+20"),
        (["-geometry=800x600"], "geometry", "800x600"),
        (["--geometry=800x600-0-0"], "geometry", "800x600-0-0"),
        (["--geometry", "+10+20"], "geometry", "+10+20"),
        (["--verbose=0"], "verbosity", 0),
        (["--verbose=3"], "verbosity", 3),
        (["--verbose"], "verbosity", 1),
        (["--debug"], "verbosity", 2),
        (["--safemode"], "safe_mode", True),
        (["--auto"], "notes", ()),
        (["--auto=1"], "notes", ()),
        (["--auto", "--notk"], "window", False),
    ],
)
def test_airplug_spellings(role: str, arguments: list[str], field: str, value: object) -> None:
    assert getattr(parse(role, ["--appname=XYZ", *arguments]), field) == value


@pytest.mark.parametrize("option", ["mode", "begin", "source", "display", "iconic", "stdbin", "saving", "delay"])
@pytest.mark.parametrize("form", ["--{}", "--{}=7"])
def test_airplugs_other_options_are_accepted_and_said_to_have_no_effect(option: str, form: str) -> None:
    """ "AIRPLUG's others [...] are accepted and said to have no effect"."""
    plain, given = parse("client", ["--ident=c1"]), parse("client", ["--ident=c1", form.format(option)])
    (note,) = given.notes
    assert f"--{option} " in note.fr and "sans effet" in note.fr
    assert f"--{option}:" in note.en and "no effect" in note.en
    differing = [name for name in Options.__slots__ if getattr(plain, name) != getattr(given, name)]
    assert differing == ["notes"], "without effect means without effect"


def test_airplug_s_own_ring_line() -> None:
    assert parse("client", ["--ident=app2", "--auto"]).name == "app2"


# ----------------------------------------------------------------------------------------------------------------- ours


@pytest.mark.parametrize(
    ("role", "argument", "field", "value"),
    [
        ("client", "--guichet=office", "office", "office"),
        ("client", "--patience=2.5", "patience", 2.5),
        ("client", "--voisins=a,b", "neighbours", ("a", "b")),
        ("guichet", "--transit", "transit", True),
        ("client", "--liaison=l", "link", "l"),
        ("client", "--donnees=some/folder", "data", "some/folder"),
        ("client", "--instantanes=s", "snapshots", "s"),
        ("client", "--commandes=c", "commands", "c"),
        ("client", "--trace=t", "trace", "t"),
        ("guichet", "--delai=0.5", "delay", 0.5),
        ("guichet", "--delai-instantane=5", "snapshot_delay", 5.0),
        ("guichet", "--billets=b.csv", "tickets", Path("b.csv")),
        ("guichet", "--gtfs=feed.zip", "gtfs", Path("feed.zip")),
        ("guichet", "--date=2027-03-15", "dates", (date(2027, 3, 15), date(2027, 3, 15))),
        ("guichet", "--date=2027-03-15..2027-03-17", "dates", (date(2027, 3, 15), date(2027, 3, 17))),
        ("guichet", "--places=50", "seats", 50),
        ("guichet", "--depart=Compiègne", "departure", "Compiègne"),
        ("guichet", "--destination=Paris Gare du Nord", "destination", "Paris Gare du Nord"),
    ],
)
def test_our_own_spellings(role: str, argument: str, field: str, value: object) -> None:
    options = parse(role, [argument])
    assert getattr(options, field) == value
    assert options.notes == ()
    assert parse(role, argument.split("=", 1)) == options, "with a blank instead of `=`"


@pytest.mark.parametrize("argument", ["--delai=5", "--billets=b", "--gtfs=g", "--date=2027-03-15", "--places=2",
                                      "--depart=A", "--destination=B"])  # fmt: skip
def test_the_guichets_options_at_a_client_are_noted_not_refused(argument: str) -> None:
    (note,) = parse("client", [argument]).notes
    option = argument.partition("=")[0]
    assert note.fr.startswith(f"{option} :") and note.en.startswith(f"{option}:")
    assert "guichet" in note.fr and "guichet" in note.en


@pytest.mark.parametrize("argument", ["--guichet=g", "--patience=5", "--confirmation=auto"])
def test_a_clients_options_at_the_guichet_are_noted_not_refused(argument: str) -> None:
    (note,) = parse("guichet", [argument]).notes
    assert note.fr.startswith(argument.partition("=")[0]) and "client" in note.fr


# --------------------------------------------------------------------------------------------------------- what's wrong

WRONG = [
    ("--ident=", "--ident"),
    ("--ident=tous", "tous"),
    ("--ident=a.b", "a.b"),
    ("--ident=été", "été"),
    ("--ident=" + "a" * 33, "--ident"),
    ("--ident=a\nb", "--ident"),
    ("--appname=TOOLONG", "--appname"),
    ("--appname=1AB", "--appname"),
    ("--dest=x", "--dest"),
    ("--geometry=wide", "geometry"),
    ("--geometry=٨٠٠x٦٠٠", "geometry"),
    ("--geometry=9999999999x600", "geometry"),
    ("--verbose=much", "--verbose"),
    ("--voisins=a,b c", "--voisins"),
    ("--delai-instantane=0", "--delai-instantane"),
    ("--delai=-1", "--delai"),
    ("--delai=soon", "--delai"),
    ("--delai=nan", "--delai"),
    ("--delai=inf", "--delai"),
    ("--delai=1e9", "--delai"),
    ("--patience=0", "--patience"),
    ("--date=tomorrow", "--date"),
    ("--date=2027-02-30", "--date"),
    ("--date=2027-03-17..2027-03-15", "--date"),
    ("--places=0", "--places"),
    ("--places=2.5", "--places"),
    ("--places=100000", "--places"),
    ("--guichet=tous", "--guichet"),
    ("--confirmation=maybe", "--confirmation"),
    ("--unknown", "--unknown"),
    ("--iden=x", "--iden"),
    ("stray", "stray"),
    ("--notk=1", "--notk"),
]


@pytest.mark.parametrize(("argument", "named"), WRONG)
@pytest.mark.parametrize("language", ["fr", "en"])
def test_what_cannot_be_used_is_one_line_with_status_2(
    capsys: pytest.CaptureFixture[str], argument: str, named: str, language: str
) -> None:
    for role in ROLES:
        line = refused(capsys, role, f"--lang={language}", argument)
        assert named in line
        assert ("essayez" if language == "fr" else "try") in line, "it says what to do"
        foreign = ("argument", "expected", "choose", "invalid") if language == "fr" else ("essayez", "option inconnue")
        assert not any(word in line for word in foreign), line


def test_what_is_quoted_cannot_command_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert "\x1b" not in refused(capsys, "client", "--dest=\x1b[2J")


@pytest.mark.parametrize("argument", ["--ident", "--dest", "--donnees", "--date", "-geometry", "--trace"])
def test_a_value_that_lacks(capsys: pytest.CaptureFixture[str], argument: str) -> None:
    assert f"{argument} : il manque une valeur" in refused(capsys, "guichet", argument)


@pytest.mark.parametrize("option", ["--donnees", "--trace", "--commandes"])
def test_an_empty_path_is_no_path(capsys: pytest.CaptureFixture[str], option: str) -> None:
    """`--donnees=$FOLDER` with FOLDER unset must not write `gch.sqlite` into whatever folder one stands in."""
    assert option in refused(capsys, "guichet", f"{option}=")


def test_a_language_that_is_not_spoken(capsys: pytest.CaptureFixture[str]) -> None:
    assert "--lang" in refused(capsys, "client", "--lang=de")


def test_two_timetables_at_once_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    line = refused(capsys, "guichet", "--billets=a", "--gtfs=b")
    assert "--gtfs" in line and "--billets" in line and "ne va pas avec" in line


def test_a_problem_with_a_file_ends_alike(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        fail("guichet", Problem("b.csv, ligne 3 : mauvais", "b.csv, line 3: bad"), "en")
    assert ended.value.code == 2
    assert capsys.readouterr().err == "guichet.py: b.csv, line 3: bad\n"


# ------------------------------------------------------------------------------------------------------------- language


@pytest.mark.parametrize(
    ("environment", "arguments", "language"),
    [
        ({}, [], "fr"),
        ({"LANG": "en_GB.UTF-8"}, [], "en"),
        ({"LANG": "fr_FR.UTF-8"}, [], "fr"),
        ({"LANG": "C.UTF-8"}, [], "fr"),
        ({"LANG": "en_US.UTF-8", "LC_ALL": "fr_FR.UTF-8"}, [], "fr"),
        ({"LANG": "en_US.UTF-8"}, ["--lang=fr"], "fr"),
        ({"LANG": "fr_FR.UTF-8"}, ["--lang=en"], "en"),
        ({"LANG": "fr_FR.UTF-8"}, ["--lang", "en"], "en"),
    ],
)
def test_the_language(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], arguments: list[str], language: str
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert parse("client", arguments).language == language


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(("language", "word"), [("fr", "nom du site"), ("en", "name of the site")])
def test_help_is_in_the_users_language_and_names_every_option(
    capsys: pytest.CaptureFixture[str], role: str, language: str, word: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(role, [f"--lang={language}", "--help"])
    text = capsys.readouterr().out
    assert ended.value.code == 0
    assert word in text
    options = (
        "--ident --auto --appname --what --whatwho --whatwhowhere --dest --notk --nogui -geometry --verbose --safemode "
        "--debug --lang --version --guichet --voisins --transit --donnees --instantanes --delai --patience "
        "--delai-instantane "
        "--confirmation --commandes --trace --billets --gtfs --date --places --depart --destination"
    )
    for option in options.split():
        assert option in text


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse("client", ["--version"])
    assert ended.value.code == 0 and capsys.readouterr().out.startswith("client.py ")
