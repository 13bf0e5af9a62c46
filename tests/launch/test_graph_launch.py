"""Whole launches of graphs, of links that are spoilt, of sites that die: stub sites, and the real ones."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from lib.launch import graph
from tests.launch.conftest import LIMIT, ROOT, Launch, wait_until

UP = "sites en marche"
TOPOLOGIES = sorted((ROOT / "topologies").glob("*.txt"))


def events(launch: Launch, site: str, **fields: str) -> list[dict[str, str]]:
    """What a site has traced, with these fields."""
    path = launch.folder / f"{site}.trace.jsonl"
    traced = [json.loads(line) for line in path.read_text().splitlines() if line.endswith("}")]
    return [event for event in traced if fields.items() <= event.items()]


def heard(launch: Launch, site: str) -> list[str]:
    """What a stub site has read, line by line."""
    return [event["line"] for event in events(launch, site, ev="heard")]


def wiring(launch: Launch) -> dict[str, list[str]]:
    """What stands at stdin, stdout and stderr of each site."""
    return {
        site: [Path(os.readlink(f"/proc/{pid}/fd/{number}")).name for number in range(3)]
        for site, pid in launch.sites().items()
    }


# ------------------------------------------------------------------------------------------------------------- graphs


def test_who_is_heard_by_one_writes_into_its_pipe_and_who_is_heard_by_several_into_a_cable(launches, tmp_path):
    path = tmp_path / "graphe.txt"
    path.write_text("gch -- c1\nc1 -- c2\n")
    launch = launches(graph=path)
    launch.wait_for("3 sites en marche")
    assert wiring(launch) == {
        "gch": ["gch.in", "c1.in", "gch.log"],
        "c1": ["c1.in", "c1.cable.in", "c1.log"],
        "c2": ["c2.in", "c1.in", "c2.log"],
    }
    assert launch.cables().keys() == {"c1"}
    pids = [*launch.sites().values(), *launch.cables().values()]
    assert launch.end() == 0
    assert not launch.fifos() and not any(Path(f"/proc/{pid}").exists() for pid in pids)


@pytest.mark.parametrize("path", TOPOLOGIES, ids=lambda path: path.stem)
def test_everyone_is_heard_by_all_its_neighbours_and_by_nobody_else(launches, path):
    launch = launches("--console", graph=path)
    launch.wait_for("Ctrl-D")
    plan = graph.read(path)
    for site in plan.sites:
        launch.type(f"{site} dire ici {site}")
    upstream = {site: sorted(f"ici {e.source}" for e in plan.edges if e.target == site) for site in plan.sites}
    wait_until(lambda: all(sorted(heard(launch, site)) == upstream[site] for site in plan.sites))
    voisins = (launch.folder / "gch.log").read_text().split("--voisins=")[1].split()[0]
    assert set(voisins.split(",")) == {e.source for e in plan.edges if e.target == "gch"} | {
        e.target for e in plan.edges if e.source == "gch"
    }


def test_a_guichet_of_another_name(launches, tmp_path):
    path = tmp_path / "graphe.txt"
    path.write_text("guichet gare\nc1 -- gare\n")
    launch = launches(graph=path)
    launch.wait_for("2 sites en marche")
    assert "--guichet=gare" in (launch.folder / "c1.log").read_text()
    assert "--guichet=" not in (launch.folder / "gare.log").read_text()


def test_a_graph_that_cannot_be_leaves_nothing_behind(launches, tmp_path):
    path = tmp_path / "graphe.txt"
    path.write_text("gch -- c1\nc2 -- c3\n")
    launch = launches(graph=path)
    assert launch.process.wait(LIMIT) == 2
    assert launch.text.startswith(f"launch_graph.sh : {path} : tous ne peuvent pas se joindre")
    assert launch.text.count("\n") == 1 and not launch.folder.exists()


@pytest.mark.parametrize("path", TOPOLOGIES, ids=lambda path: path.stem)
def test_the_real_sites_sell_and_take_a_snapshot_on_every_ready_graph(launches, path):
    launch = launches("--console", graph=path, root=ROOT)
    launch.wait_for("Ctrl-D")
    clients = graph.read(path).clients
    for client in clients:
        launch.type(f"{client} reserver")
    wait_until(lambda: all(events(launch, client, ev="request", state="owned") for client in clients))
    launch.type(f"{clients[-1]} instantane")
    launch.wait_for("instantané 1 complet")
    launch.type("gch etat")
    launch.wait_for(f"0 retenu, {len(clients)} vendus")
    launch.type("quitter")
    assert launch.process.wait(LIMIT) == 0


# -------------------------------------------------------------------------------------------------------------- links


@pytest.fixture
def cabled(launches) -> Launch:
    launch = launches("-c", "2", "--console", "--cable", "c1->c2")
    launch.wait_for("Ctrl-D")
    return launch


def test_a_link_is_set_from_the_console(cabled):
    cabled.type("regler c1->c2 perte=1")
    cabled.wait_for("c1->c2 : réglé : perte=1")
    cabled.type("c1 dire un")
    wait_until(lambda: "perte=1 ; 1 lues, 0 livrées, 1 perdues" in asked(cabled, "c1->c2"))
    cabled.type("regler c1->c2 perte=0")
    cabled.wait_for("c1->c2 : sans défaut")
    cabled.type("c1 dire deux")
    wait_until(lambda: heard(cabled, "c2") == ["deux"])
    cabled.type("regler tous retard=1")
    cabled.wait_for("retard=1 : réglage inconnu")
    assert cabled.text.count("retard=1 : réglage inconnu") == 1


def test_a_cable_that_is_dead_says_nothing_for_itself(cabled):
    """Neither silence nor a forgotten order: what it was told holds for its next life, whose counts begin again."""
    for line, said in (
        ("regler c1->c2 perte=1", "réglé : perte=1"),
        ("couper c1->c2", "coupé"),
        ("pause c1->c2", "en pause"),
    ):
        cabled.type(line)
        cabled.wait_for(f"c1->c2 : {said}")
    cabled.type("reprendre c1->c2\nregler c1->c2 doublon=1 perte=0")
    cabled.wait_for("c1->c2 : réglé : doublon=1")
    cabled.type("tuer c1.cable\netat c1->c2\nsites")
    cabled.wait_for("c1->c2 : c1.cable ne tourne plus")
    cabled.wait_for("gch  c1  c2  c1.cable (arrêté)")
    cabled.type("relancer c1.cable")
    cabled.wait_for("c1.cable est relancé")
    cabled.type("etat c1->c2")
    cabled.wait_for("c1->c2 : coupé ; doublon=1 ; 0 lues")
    cabled.type("quitter")
    cabled.process.wait(LIMIT)
    assert "0 retardées (depuis que son câble est relancé)" in cabled.text


def test_one_dead_cable_is_no_reason_for_the_others(launches):
    launch = launches("-c", "2", "--console", "--cable", "tous")
    launch.wait_for("Ctrl-D")
    launch.type("tuer gch.cable\nregler tous perte=1")
    launch.wait_for("gch->c1 : gch.cable ne tourne plus")
    for edge in ("c1->c2", "c2->gch"):
        launch.wait_for(f"{edge} : réglé : perte=1")


def test_the_counts_of_a_cable_that_stays_dead_are_said_to_be_lost(cabled):
    cabled.type("tuer c1.cable\nquitter")
    cabled.process.wait(LIMIT)
    assert "c1->c2 : son câble est mort, ses comptes avec lui" in cabled.text


def test_a_link_is_cut_and_mended_from_the_console(cabled):
    cabled.type("couper c1->c2")
    cabled.wait_for("c1->c2 : coupé")
    cabled.type("c1 dire un")
    wait_until(lambda: "1 arrêtées par la coupure" in asked(cabled, "c1->c2"))
    cabled.type("retablir c1->c2")
    cabled.wait_for("c1->c2 : rétabli")
    cabled.type("c1 dire deux")
    wait_until(lambda: heard(cabled, "c2") == ["deux"])
    cabled.type("quitter")
    assert cabled.process.wait(LIMIT) == 0
    *_, report, goodbye = cabled.text.splitlines()
    assert report == (
        "c1->c2 : 2 lues, 1 livrées, 0 perdues, 0 doublées, 0 dépassées, 0 retardées, 1 arrêtées par la coupure"
    )
    assert goodbye.startswith("Tout est arrêté")


def asked(launch: Launch, link: str) -> str:
    """What the cable of a link says to `etat`."""
    before = len(launch.text)
    launch.type(f"etat {link}")
    wait_until(lambda: f"{link} : " in launch.text[before:])
    return launch.text[before:]


def test_a_link_is_paused_and_stepped_through_from_the_console(cabled):
    cabled.type("pause tous")
    cabled.wait_for("c1->c2 : en pause")
    for word in ("un", "deux"):
        cabled.type(f"c1 dire {word}")
        cabled.type("gch dire bonjour")
    wait_until(lambda: "2 en attente" in asked(cabled, "c1->c2"))
    cabled.type("pas c1->c2")
    cabled.wait_for("c1->c2 : passe : un")
    wait_until(lambda: heard(cabled, "c2") == ["un"])
    wait_until(lambda: heard(cabled, "c1") == ["bonjour", "bonjour"])  # the other links go on
    cabled.type("reprendre c1->c2")
    wait_until(lambda: heard(cabled, "c2") == ["un", "deux"])


def test_mistakes_about_links(cabled):
    cabled.type("couper c2->gch")
    cabled.wait_for('c2->gch : pas de câble à cet endroit ; relancez avec --cable "c2->gch"')
    for line in ("couper c1", "couper c9->c1"):
        cabled.type(line)
        cabled.wait_for(f"« {line.removeprefix('couper').strip()} » n'est pas un lien d'ici ; par exemple : gch->c1")
    assert cabled.process.poll() is None


def test_links_that_were_neither_spoilt_nor_acted_upon_are_not_told_of(launches):
    launch = launches("--console", "--cable", "c1->c2: perte=1", graph=ROOT / "topologies" / "y.txt")
    launch.wait_for("Ctrl-D")
    launch.type("c1 dire bonjour")
    wait_until(lambda: heard(launch, "gch") == ["bonjour"])
    wait_until(lambda: "1 lues" in asked(launch, "c1->c2"))
    launch.type("quitter")
    assert launch.process.wait(LIMIT) == 0
    end = launch.text.splitlines()[-2:]
    assert end[0].startswith("c1->c2 : 1 lues, 0 livrées, 1 perdues") and end[1].startswith("Tout")
    assert "c1->gch : 1 lues, 1 livrées" in (launch.folder / "c1.cable.log").read_text()
    assert heard(launch, "c2") == []


def test_nothing_but_its_last_report_is_told_of_a_cable(launches):
    """Neither what it said before, nor what one said in an earlier launch."""
    for is_killed in (False, True):
        launch = launches("-c", "1", "--cable", "c1->gch")
        launch.wait_for(UP)
        log = launch.folder / "c1.cable.log"
        before = log.stat().st_size
        (launch.folder / "c1.cable.cmd").write_text("pause\n")
        wait_until(lambda log=log, before=before: b"c1->gch : en pause" in log.read_bytes()[before:])
        if is_killed:
            os.kill(launch.cables()["c1"], signal.SIGKILL)
            launch.wait_for("c1.cable s'est arrêté (signal 9)")
        assert launch.end() == 0
        told = [line for line in launch.text.splitlines() if line.startswith("c1->gch")]
        assert [line.partition(",")[0] for line in told] == [
            "c1->gch : son câble est mort" if is_killed else "c1->gch : 0 lues"
        ]


def test_a_wish_that_cannot_be_is_said_before_anything_is_made(launches):
    launch = launches("--cable", "c1->c9: delai=3")
    assert launch.process.wait(LIMIT) == 2
    assert launch.text.startswith("launch_ring.sh : --cable : « c1->c9 »") and not launch.folder.exists()


def test_when_all_sites_have_ended_their_cables_are_no_reason_to_stay(launches):
    launch = launches("-c", "1", "--cable", "tous")
    launch.wait_for(UP)
    for site in ("gch", "c1"):
        (launch.folder / f"{site}.cmd").write_text("quitter\n")
    assert launch.process.wait(LIMIT) == 0
    assert not launch.cables() and not launch.fifos()


def test_cables_die_with_a_launcher_that_is_killed(launches):
    launch = launches("-c", "2", "--cable", "tous")
    launch.wait_for(UP)
    assert len(launch.cables()) == 3
    launch.end(signal.SIGKILL)
    wait_until(lambda: not launch.cables() and not launch.sites())


def test_the_real_sites_sell_over_links_that_lose_repeat_and_reorder(launches):
    rough = "tous: perte=0.15 doublon=0.15 desordre=0.15 delai=20 gigue=40 graine=3"
    launch = launches("-c", "3", "--console", "--cable", rough, root=ROOT)
    launch.wait_for("Ctrl-D")
    for client in ("c1", "c2", "c3"):
        launch.type(f"{client} reserver")
    wait_until(lambda: len(set(re.findall(r" : le billet (\w+) est à c", launch.text))) == 3)
    launch.type("gch etat")
    launch.wait_for("3 vendus")
    launch.type("quitter")
    assert launch.process.wait(LIMIT) == 0
    reports = re.findall(r"^(\w+->\w+) : (\d+) lues, .* (\d+) perdues, (\d+) doublées", launch.text, re.MULTILINE)
    assert [name for name, *_ in reports] == ["gch->c1", "c1->c2", "c2->c3", "c3->gch"]
    assert all(int(read) > 10 for _, read, *_ in reports)
    assert sum(int(lost) for *_, lost, _ in reports) > 0 and sum(int(doubled) for *_, doubled in reports) > 0


# ----------------------------------------------------------------------------------------------------- sites that die


def test_a_site_that_is_killed_is_started_again_and_reads_what_it_was_sent_meanwhile(launches):
    launch = launches("-c", "2", "--console", "--relancer")
    launch.wait_for("Ctrl-D")
    before = launch.sites()
    launch.type("c2 mourir")
    launch.wait_for("c2 s'est arrêté (signal 9)\nc2 sera relancé dans 0,5 s")
    launch.type("c1 dire pour plus tard")
    launch.wait_for("c2 est relancé")
    wait_until(lambda: heard(launch, "c2") == ["pour plus tard"])
    after = launch.sites()
    assert after.keys() == before.keys() and after["c2"] != before["c2"]
    assert (after["c1"], after["gch"]) == (before["c1"], before["gch"])


def test_a_site_that_ends_well_is_left_alone(launches):
    launch = launches("-c", "1", "--relancer")
    launch.wait_for(UP)
    for site in ("gch", "c1"):
        (launch.folder / f"{site}.cmd").write_text("quitter\n")
    assert launch.process.wait(LIMIT) == 0
    assert "relancé" not in launch.text


def test_without_the_option_the_dead_stay_dead(launches):
    launch = launches("-c", "1")
    launch.wait_for(UP)
    for pid in launch.sites().values():
        os.kill(pid, signal.SIGKILL)
    assert launch.process.wait(LIMIT) == 0
    assert "relancé" not in launch.text


def test_who_dies_again_and_again_is_given_up(launches, stub_root, tmp_path):
    """Five times, with pauses that grow; here they are a twentieth of what they are."""
    root = tmp_path / "hâtif"
    shutil.copytree(stub_root, root)
    keeper = root / "lib" / "launch" / "keeper.py"
    text = keeper.read_text()
    assert "PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)" in text
    keeper.write_text(text.replace("PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)", "PAUSES = (0.025, 0.05, 0.1, 0.2, 0.4)"))
    launch = launches("-c", "2", "--relancer", "--client", "--fragile", root=root)
    for client in ("c1", "c2"):
        launch.wait_for(f"{client} est mort trop souvent (5 relances en une minute) : je ne le relance plus")
    assert launch.text.count("c1 est relancé") == 5
    assert launch.text.count("c1 s'est arrêté (état 7) : je suis fragile") == 6
    assert re.findall(r"c1 sera relancé dans (\S+) s", launch.text) == ["0,025", "0,05", "0,1", "0,2", "0,4"]
    assert launch.sites().keys() == {"gch"}


def test_the_launcher_waits_for_the_last_site_s_return(launches):
    launch = launches("-c", "1", "--relancer")
    launch.wait_for(UP)
    for pid in launch.sites().values():
        os.kill(pid, signal.SIGKILL)
    launch.wait_for("gch est relancé")
    launch.wait_for("c1 est relancé")
    wait_until(lambda: launch.sites().keys() == {"gch", "c1"})
    assert launch.end() == 0


def test_a_signal_while_the_dead_wait_for_their_return(launches):
    launch = launches("-c", "1", "--relancer")
    launch.wait_for(UP)
    os.kill(launch.sites()["c1"], signal.SIGKILL)
    launch.wait_for("c1 sera relancé")
    assert launch.end() == 0
    assert not launch.sites() and not launch.fifos()


def test_a_cable_that_dies_is_started_again_too(launches):
    launch = launches("-c", "1", "--console", "--relancer", "--cable", "c1->gch")
    launch.wait_for("Ctrl-D")
    os.kill(launch.cables()["c1"], signal.SIGKILL)
    launch.wait_for("c1.cable est relancé")
    launch.type("c1 dire bonjour")
    wait_until(lambda: heard(launch, "gch") == ["bonjour"])


def test_the_real_sites_go_on_where_they_were_killed(launches):
    """kill -9, client and guichet: what was sold stays sold, and sales go on."""
    launch = launches("-c", "2", "--console", "--relancer", root=ROOT)
    launch.wait_for("Ctrl-D")
    launch.type("c1 reserver")
    launch.wait_for("est à c1")
    for site in ("c1", "gch"):
        os.kill(launch.sites()[site], signal.SIGKILL)
        launch.wait_for(f"{site} est relancé")
    launch.type("c2 reserver")
    launch.wait_for("est à c2")
    launch.type("c1 etat")
    launch.wait_for("c1 : détient 1 billet")
    launch.type("gch etat")
    launch.wait_for("2 vendus")
    tickets = re.findall(r"le billet (\w+) est à (c\d)", launch.text)
    assert len({ticket for ticket, _ in tickets}) == 2


# -------------------------------------------------------------------------------------------------------------- windows


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    """A virtual screen of a laptop's size."""
    if not shutil.which("Xvfb"):
        pytest.skip("Xvfb is not installed")
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1280x800x24", "-nolisten", "tcp"]
    with subprocess.Popen(command, pass_fds=[writing], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        os.close(writing)
        with os.fdopen(reading) as number:
            name = f":{number.readline().strip()}"
        yield name
        server.terminate()


def test_each_window_has_its_place_and_what_the_user_says_wins(launches, display):
    launch = launches("-c", "3", "--guichet", "-geometry 900x600+0+0", DISPLAY=display)
    launch.wait_for(UP)
    assert "Sans fenêtres" not in launch.text
    said = {site: (launch.folder / f"{site}.log").read_text() for site in ("gch", "c1", "c3")}
    assert "--geometry=558x370+720+0" in said["c1"] and "--geometry=718x350+0+420" in said["c3"]
    assert "--notk" not in said["c1"]
    assert said["gch"].rstrip().endswith("-geometry 900x600+0+0")


def test_no_window_is_looked_for_when_none_is_wanted(launches):
    launch = launches("-c", "1", "--notk", DISPLAY=":4711")
    launch.wait_for(UP)
    assert "Sans fenêtres" not in launch.text
    assert "--notk" in (launch.folder / "c1.log").read_text()


@pytest.mark.parametrize("screen", [{}, {"DISPLAY": ":4711"}, {"WAYLAND_DISPLAY": "nowhere"}])
def test_without_a_display_one_line_says_so_and_the_ring_runs(launches, screen):
    launch = launches("-c", "1", **screen)
    launch.wait_for(UP)
    lines = launch.text.splitlines()
    assert lines[0].startswith("Dossier") and UP in lines[2]
    assert re.fullmatch(r"Sans fenêtres : .* \(apt install xvfb\)", lines[1])
    for site in ("gch", "c1"):
        assert "--notk" in (launch.folder / f"{site}.log").read_text()
        assert "geometry" not in (launch.folder / f"{site}.log").read_text()
