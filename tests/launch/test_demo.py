"""The demonstration, with the real sites; and its judges, which must not be content with anything."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.launch.conftest import LIMIT, ROOT, wait_until

FEED = Path(ROOT).parent / "shared" / "data" / "sncf" / "gtfs_sample"

pytestmark = pytest.mark.skipif(not (ROOT / "guichet.py").exists(), reason="the sites are not built yet")


@pytest.fixture
def demo(launches):
    """`demo(*options)`: its status and what it told."""

    def play(*arguments: str, **more) -> tuple[int, str]:
        launch = launches("--demo", *arguments, root=ROOT, **more)
        status = launch.process.wait(LIMIT)
        assert not launch.sites() and not launch.fifos()
        return status, launch.text

    return play


def acts(text: str) -> list[str]:
    return re.findall(r"^(?:Acte|Act) (\d+)\. ", text, re.MULTILINE)


def test_on_the_example(demo):
    status, text = demo()
    assert status == 0, text
    assert acts(text) == [str(number) for number in range(1, 11)]
    assert "✗" not in text and "\033" not in text
    verdict, goodbye = text.splitlines()[-2:]
    assert verdict.startswith("Verdict : SUCCÈS") and goodbye.startswith("Tout est arrêté")


def test_every_message_is_shown_with_both_its_stamps(demo):
    _, text = demo()
    shown = re.findall(r"^ +H=(\d+) +-> (\d+) +(\w+) -> (\w+) +(demande|billet|accuse|retour)", text, re.MULTILINE)
    assert {kind for *_, kind in shown} == {"demande", "billet", "accuse", "retour"}
    assert all(int(sent) < int(received) for sent, received, *_ in shown)


def test_the_snapshot_has_messages_in_its_channels_and_is_loaded_back(demo):
    _, text = demo()
    assert re.search(r"✓ un seul tour, n°1, pour les deux qui l'ont voulu : c1, c3$", text, re.MULTILINE), text
    assert re.search(r"✓ [2-9] messages dans les canaux, dont l'offre de B\d+ à c3 :$", text, re.MULTILINE), text
    assert re.search(r"^ +gch:\d+\.\d+ +gch -> c3 +\d+ +billet +demande=\d+ statut=offre billet=B", text, re.MULTILINE)
    assert re.search(r"^ +c1:\d+\.\d+ +c1 -> gch +\d+ +demande +demande=\d+ reservation=0", text, re.MULTILINE)
    assert re.search(r"✓ \d+ billets : .* messages dans les canaux ; coupe cohérente$", text, re.MULTILINE)
    assert re.search(r"^ +B\d+ +retenu pour c3 +vendu à c3 +retenu pour c3$", text, re.MULTILINE)
    assert re.search(r"^ +B\d+ +libre +vendu à c2 +libre$", text, re.MULTILINE)


def test_again_in_the_same_folder_and_with_the_fewest_clients(demo):
    for _ in range(2):
        status, text = demo("-c", "2")
        assert status == 0, text


def test_in_english(demo):
    status, text = demo("--lang=en")
    assert status == 0, text
    assert text.splitlines()[-2].startswith("Verdict: SUCCESS")
    assert not re.search(r"[éèàç]", text.replace("Compiègne", "").replace("Clermont-de-l'Oise", "")), text


@pytest.mark.skipif(not FEED.exists(), reason="the SNCF sample lies beside the repository, and is not there")
def test_on_the_real_feed_given_by_a_relative_path(demo):
    status, text = demo("--", "--gtfs=gtfs_sample", "--date=2025-03-17", cwd=FEED.parent)
    assert status == 0, text


def test_a_single_ticket_on_sale(demo, tmp_path):
    (tmp_path / "un.csv").write_text("train,date,depart,destination,cout\n1,2026-12-01T08:00,L'Isle-Adam,Saint-Leu,3.20\n")
    status, text = demo("--guichet", "--billets=un.csv", cwd=tmp_path)
    assert status == 0, text
    assert "ajoutés" in text


def test_nothing_on_sale_is_a_failure_and_said(demo, tmp_path):
    (tmp_path / "rien.csv").write_text("train,date,depart,destination,cout\n")
    status, text = demo("--guichet", "--billets=rien.csv", cwd=tmp_path)
    assert status != 0
    assert "Traceback" not in text


def test_a_site_that_dies_is_a_failure_and_said(launches):
    launch = launches("--demo", root=ROOT)
    launch.wait_for("Acte 4")
    (launch.folder / "c3.cmd").write_text("quitter\n")
    assert launch.process.wait(LIMIT) == 1
    assert "✗ c3 s'est arrêté" in launch.text and "Verdict : ÉCHEC" in launch.text


def test_a_demonstration_cut_short_is_no_success(launches):
    launch = launches("--demo", root=ROOT)
    launch.wait_for("Acte 1")
    assert launch.end() not in (0, 1)
    wait_until(lambda: not launch.sites())


@pytest.fixture
def mutant(launches, tmp_path):
    """`mutant(program, wrapper)`: what the demonstration tells of a system in which `wrapper` stands before `program`."""

    def play(program: str, wrapper: str) -> str:
        root = tmp_path / "mutant"
        shutil.copytree(ROOT / "lib", root / "lib", ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("scripts", "examples"):
            shutil.copytree(ROOT / name, root / name)
        for name in ("guichet.py", "client.py"):
            shutil.copy(ROOT / name, root)
        (root / program).rename(root / f"real_{program}")
        (root / program).write_text(wrapper)
        launch = launches("--demo", root=root)
        assert launch.process.wait(LIMIT) == 1, launch.text
        assert "Verdict : ÉCHEC" in launch.text
        return launch.text

    return play


def test_a_client_that_forgets_is_found_out(mutant):
    """Mutant: clients without a store. After kill -9 the clock starts anew, and that must not be overlooked."""
    assert "✗ son horloge continue" in mutant("client.py", FORGETFUL)


def test_a_message_that_is_delivered_twice_is_found_out(mutant):
    """Mutant: the guichet's channel messages come again, twice. The guichet bears it, as it must; we do not."""
    assert "✗ les canaux ont rendu" in mutant("guichet.py", TWICE)


def test_a_guichet_that_is_not_as_it_was_is_found_out(mutant):
    """Mutant: the guichet keeps its own tickets when a snapshot is loaded back."""
    assert "✗ les comptes sont ceux de la photographie" in mutant("guichet.py", UNMOVED)


TWICE = """\
import runpy, sys
from lib.core.sites import GuichetSite
redeliver = GuichetSite._redeliver
GuichetSite._redeliver = lambda self, messages, now: redeliver(self, [m for m in messages for _ in range(2)], now)
runpy.run_path(sys.path[0] + "/real_guichet.py", run_name="__main__")
"""

UNMOVED = """\
import runpy, sys
from lib.core.selling import Guichet
Guichet.restore = lambda self, state, forgotten, now: iter(())
runpy.run_path(sys.path[0] + "/real_guichet.py", run_name="__main__")
"""

FORGETFUL = """\
import runpy, sys
sys.argv = [word for word in sys.argv if not word.startswith("--donnees")]
runpy.run_path(sys.path[0] + "/real_client.py", run_name="__main__")
"""
