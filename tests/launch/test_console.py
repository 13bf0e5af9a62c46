"""The terminal as a console, here a pipe with `--console`, over stub sites."""

from __future__ import annotations

import os
import signal

import pytest

from tests.launch.conftest import LIMIT, Launch


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
