"""The command line."""

from pathlib import Path

import pytest

from lib.launch import options
from lib.launch.options import MAX_CLIENTS, RING, Options, language
from lib.texts import Problem


def parse(words):
    """As `launch_ring.sh` has them parsed."""
    return options.parse([RING, *words])


def test_nothing_asked_for():
    assert parse([]) == Options()


@pytest.mark.parametrize("words", [["-c", "7"], ["-c7"], ["--clients", "7"], ["--clients=7"]])
def test_the_number_of_clients(words):
    assert parse(words).clients == 7


@pytest.mark.parametrize("value", ["0", "-1", "x", "", "1.5", str(MAX_CLIENTS + 1), "9" * 50, "³"])
def test_an_impossible_number_of_clients(value):
    with pytest.raises(Problem, match="--clients"):
        parse([f"--clients={value}"])


def test_windows_are_wanted_unless_it_is_said_or_a_demonstration():
    assert not parse([]).notk
    assert parse(["--notk"]).notk
    assert parse(["--demo"]).notk


def test_a_graph_is_a_file_and_has_neither_a_number_of_clients_nor_a_demonstration():
    assert options.parse(["--notk", "y.txt", "--relancer"]) == Options(graph=Path("y.txt"), notk=True, relaunch=True)
    for words, said in (
        (["-c", "3", "y.txt"], "--clients : pour launch_ring.sh seulement"),
        (["y.txt", "--demo"], "--demo : pour launch_ring.sh seulement"),
        (["y.txt", "z.txt"], "z.txt : option inconnue"),
        ([], "il manque le fichier du graphe"),
    ):
        with pytest.raises(Problem, match=said):
            options.parse(words)


def test_each_script_goes_by_its_own_name():
    assert options.program([RING, "-c3"]) == "launch_ring.sh" and options.program(["y.txt"]) == "launch_graph.sh"
    assert options.usage([RING]).fr.startswith("Usage : launch_ring.sh [")
    assert options.usage([]).en.startswith("Usage: launch_graph.sh FILE")
    for usage in (options.usage([RING]), options.usage([])):
        for option in ("--relancer", "--cable", "--dossier", "--guichet", "--lang", "--notk", "--console"):
            assert f"\n  {option}" in usage.fr and f"\n  {option}" in usage.en


def test_options_for_one_kind_of_site_are_split_as_a_shell_does():
    options = parse(["--guichet", "--delai=4", "--guichet", "--billets='mes billets.csv' --places=2", "--client=--debug"])
    assert options.guichet == ("--delai=4", "--billets=mes billets.csv", "--places=2")
    assert options.client == ("--debug",)


def test_what_follows_the_dashes_is_for_every_site():
    options = parse(["-c", "2", "--", "--gtfs=feed.zip", "--", "--demo"])
    assert (options.clients, options.everyone, options.demo) == (2, ("--gtfs=feed.zip", "--", "--demo"), False)


def test_a_relative_folder_is_the_user_s(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert parse(["--dossier", "essai"]).folder == tmp_path / "essai"
    assert parse(["--dossier=/a/b"]).folder == Path("/a/b")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--cleints", "3"], "--cleints : option inconnue"),
        (["essai"], "essai : option inconnue"),
        (["-x"], "-x : option inconnue"),
        (["--clients"], "--clients : il manque la valeur"),
        (["--dossier="], "--dossier : il manque"),
        (["--lang=de"], "--lang : 'de'"),
        (["--guichet", "--billets='x"], "--guichet : un guillemet"),
        (["--demo", "-c1"], "--demo : il faut au moins 2 clients"),
        (["--demo", "--relancer"], "--relancer : pas avec --demo"),
    ],
)
def test_mistakes_are_said_in_one_line(words, said):
    with pytest.raises(Problem) as caught:
        parse(words)
    assert said in caught.value.text.fr
    assert "\n" not in caught.value.text.fr + caught.value.text.en


def test_the_language_is_known_even_when_the_rest_is_wrong(monkeypatch):
    monkeypatch.setenv("LC_ALL", "fr_FR.UTF-8")
    assert language(["--nonsense", "--lang", "en"]) == "en"
    assert language(["--lang=en"]) == "en"
    assert language(["--lang=xx", "--", "--lang=en"]) == "fr"
