"""The command line."""

from pathlib import Path

import pytest

from lib.launch.options import MAX_CLIENTS, Options, language, parse
from lib.texts import Problem

HEADLESS: dict[str, str] = {}


def test_nothing_asked_for():
    assert parse([], {"DISPLAY": ":0"}) == Options()


@pytest.mark.parametrize("words", [["-c", "7"], ["-c7"], ["--clients", "7"], ["--clients=7"]])
def test_the_number_of_clients(words):
    assert parse(words, HEADLESS).clients == 7


@pytest.mark.parametrize("value", ["0", "-1", "x", "", "1.5", str(MAX_CLIENTS + 1), "9" * 50, "³"])
def test_an_impossible_number_of_clients(value):
    with pytest.raises(Problem, match="--clients"):
        parse([f"--clients={value}"], HEADLESS)


def test_without_a_display_there_are_no_windows():
    assert parse([], HEADLESS).notk
    assert not parse([], {"DISPLAY": ":0"}).notk
    assert parse(["--notk"], {"DISPLAY": ":0"}).notk
    assert parse(["--demo"], {"DISPLAY": ":0"}).notk


def test_options_for_one_kind_of_site_are_split_as_a_shell_does():
    options = parse(["--guichet", "--delai=4", "--guichet", "--billets='mes billets.csv' --places=2", "--client=--debug"])
    assert options.guichet == ("--delai=4", "--billets=mes billets.csv", "--places=2")
    assert options.client == ("--debug",)


def test_what_follows_the_dashes_is_for_every_site():
    options = parse(["-c", "2", "--", "--gtfs=feed.zip", "--", "--demo"], HEADLESS)
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
    ],
)
def test_mistakes_are_said_in_one_line(words, said):
    with pytest.raises(Problem) as caught:
        parse(words, HEADLESS)
    assert said in caught.value.text.fr
    assert "\n" not in caught.value.text.fr + caught.value.text.en


def test_the_language_is_known_even_when_the_rest_is_wrong(monkeypatch):
    monkeypatch.setenv("LC_ALL", "fr_FR.UTF-8")
    assert language(["--nonsense", "--lang", "en"]) == "en"
    assert language(["--lang=en"]) == "en"
    assert language(["--lang=xx", "--", "--lang=en"]) == "fr"
