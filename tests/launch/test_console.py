"""The terminal as a console, here a pipe with `--console`, over stub sites."""

from __future__ import annotations

import os
import signal

import pytest

from lib.cable import process
from lib.launch.console import HELP, LINK_VERBS, PROCESS_VERBS
from tests.launch.conftest import LIMIT, Launch, patient
from tests.test_protocole import PAGE
from tests.test_readme import quoted, tables_under


@pytest.fixture
def console(launches) -> Launch:
    launch = launches("-c", "2", "--console")
    launch.wait_for("Ctrl-D")
    return launch


def test_a_command_and_what_happens(console):
    console.type("c1 reserver destination=Creil")
    console.wait_for("c1 : demande 4 offerte, billet B0001 (30 s pour confirmer)")
    line = next(line for line in console.text.splitlines() if "offerte" in line)
    assert line.startswith("[") and " H=2] c1 : " in line
    trace = (console.folder / "c1.trace.jsonl").read_text()
    assert "reserver destination=Creil" in trace


def test_a_command_that_is_refused(console):
    console.type("gch danser")
    console.wait_for("gch : danser : commande inconnue")


def test_mistakes_at_the_console(console):
    console.type("")
    console.type("c9 etat")
    console.wait_for("c9 : ni un site, ni une commande d'ici")
    console.type("c1")
    console.wait_for("c1 : que doit-il faire ?")
    console.type("c1 " + "x" * 5000)
    console.wait_for("c1 : commande trop longue")
    assert console.process.poll() is None


def test_help_and_sites(console):
    console.type("aide")
    console.wait_for("rendre billet=")
    console.type("c2 mourir")
    console.wait_for("c2 s'est arrêté (signal 9)")
    console.type("sites")
    console.wait_for("gch  c1  c2 (arrêté)")
    console.type("c2 etat")
    console.wait_for("c2 ne tourne plus")


def test_a_site_is_killed_and_started_again(console):
    console.type("relancer c1")
    console.wait_for("c1 tourne encore")
    first = console.sites()["c1"]
    console.type("tuer c1")
    console.wait_for("c1 s'est arrêté (signal 9)")
    console.type("suspendre c1")
    console.wait_for("c1 ne tourne plus")
    console.type("relancer c1")
    console.wait_for("c1 est relancé")
    console.type("c1 reserver")
    console.wait_for("c1 : demande 4 offerte")
    assert console.sites()["c1"] != first


def test_killed_and_started_again_at_one_go(console):
    console.type("tuer c1\nrelancer c1\nc1 reserver")
    console.wait_for("c1 s'est arrêté (signal 9)\nc1 est relancé")
    console.wait_for("c1 : demande 4 offerte")


def test_started_by_hand_before_its_time_a_site_is_not_started_twice(launches, stub_root, tmp_path):
    """With `--relancer` a time is planned for it; here one that does not come while somebody watches."""
    root = patient(stub_root, tmp_path / "patient", "keeper.py", "PAUSES = (0.5,", "PAUSES = (3600.0,")
    launch = launches("-c", "1", "--console", "--relancer", root=root)
    launch.wait_for("Ctrl-D")
    launch.type("tuer c1")
    launch.wait_for("c1 sera relancé dans 3600 s")
    launch.type("relancer c1")
    launch.wait_for("c1 est relancé")
    launch.type("c1 reserver")
    launch.wait_for("c1 : demande 4 offerte")
    assert sorted(launch.sites()) == ["c1", "gch"]


def test_a_site_is_suspended_and_goes_on(console):
    console.type("suspendre c1")
    console.wait_for("c1 est suspendu")
    console.type("suspendre c1\nsites")
    console.wait_for("gch  c1 (suspendu)  c2")
    console.type("c1 reserver")  # it waits in the pipe
    console.type("reprendre c1")
    console.wait_for("c1 continue")
    console.wait_for("c1 : demande 4 offerte")
    console.type("sites")
    console.wait_for("gch  c1  c2")


def test_who_is_suspended_goes_on_for_the_end(launches, stub_root, tmp_path):
    """It could not take its leave otherwise; the launcher would wait for it as long as it waits for the deaf."""
    launch = launches(
        "-c", "1", "--console", root=patient(stub_root, tmp_path / "p", "run.py", "GRACE = 5.0", "GRACE = 1e6")
    )
    launch.wait_for("Ctrl-D")
    launch.type("suspendre c1")
    launch.wait_for("c1 est suspendu")
    launch.type("quitter")
    assert launch.process.wait(LIMIT) == 0


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("tuer", "tuer : quel site ?"),
        ("reprendre", "reprendre : quel lien ?"),
        ("regler perte=0.5", "regler : quel lien ?"),
        ("etat c1", "etat c1 : pour un site, c1 etat"),
    ],
)
def test_what_is_missing_is_asked_for(console, line, said):
    console.type(line)
    console.wait_for(said)


@pytest.mark.parametrize("line", ["tuer c9", "suspendre c1 c2", "relancer c1->c2"])
def test_what_is_no_site_is_named(console, line):
    verb, _, name = line.partition(" ")
    console.type(line)
    console.wait_for(f"{verb} : « {name} » n'est pas un site d'ici")


def test_its_verbs_are_those_of_cables_of_its_help_and_of_the_page():
    assert LINK_VERBS == process.VERBS
    (table,) = tables_under(PAGE, "### Tuer, suspendre, relancer")
    assert tuple(quoted(row[0])[0].split()[0] for row in table) == PROCESS_VERBS
    for language in ("fr", "en"):
        words = HELP.in_language(language).split()
        assert set(LINK_VERBS + PROCESS_VERBS) <= set(words)


def test_a_site_that_reads_no_commands_does_not_block_the_console(console):
    os.kill(console.sites()["c1"], signal.SIGSTOP)
    for _ in range(30):
        console.type("c1 " + "x" * 4000)
    console.wait_for("c1 ne lit plus ses commandes")
    os.kill(console.sites()["c1"], signal.SIGCONT)


@pytest.mark.parametrize("how", ["quitter", "end of input"])
def test_the_end(console, how):
    if how == "quitter":
        console.type("quitter\nc1 danser")
    else:
        console.process.stdin.close()
    assert console.process.wait(LIMIT) == 0
    assert not console.sites() and not console.fifos()


def test_in_english(launches):
    launch = launches("-c", "1", "--console", "--lang=en")
    launch.type("c1 reserver")
    launch.wait_for("c1: request 4 offered, ticket B0001 (30 s to confirm)")
    launch.type("help")
    launch.wait_for("Ticket office:")
    assert "--lang=en" in (launch.folder / "c1.log").read_text()
