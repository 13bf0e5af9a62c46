"""`docs/plusieurs_machines.md` says what is so."""

from __future__ import annotations

import re
from pathlib import Path

from lib.broker import options
from lib.broker.folder import BrokerFolder
from lib.broker.member import Member, account, write_options
from lib.broker.plan import Plan
from lib.launch import graph
from lib.launch import options as launch_options
from lib.words import LINK
from tests.broker.machines import needs_broker
from tests.processes.ring import ROOT
from tests.test_readme import options_of, quoted, section, tables_under

PAGE = (ROOT / "docs" / "plusieurs_machines.md").read_text(encoding="utf-8")
FOREIGN = {"--now", "--nodelay", "--only"}  # of systemctl, of mosquitto's programs, of the measures


def test_every_option_of_the_page_exists() -> None:
    helped = set(re.findall(r"--[a-z]+", options._BROKER.fr + options._SITE.fr))
    known = {*helped, *options_of("guichet"), *options_of("client"), *launch_options._FLAGS, *FOREIGN}
    assert set(re.findall(r"(?<![\w-])--[a-z]+(?:-[a-z]+)*", PAGE)) <= known


def test_every_state_of_a_link_is_explained() -> None:
    explained = section(PAGE, "## 8. Quand cela ne marche pas")
    for text in list(LINK.values())[1:]:
        assert text.fr.partition(" :")[0] in explained


def test_every_file_that_the_page_links_to_exists() -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", PAGE)
    assert links and all((ROOT / "docs" / link).exists() for link in links)


def test_its_own_links_lead_somewhere() -> None:
    anchors = {
        re.sub(r"[^\w -]", "", line.lstrip("# ").lower()).replace(" ", "-")
        for line in PAGE.splitlines()
        if line.startswith("## ")
    }
    assert set(re.findall(r"\]\(#([^)]*)\)", PAGE)) == anchors


@needs_broker
def test_the_settings_of_the_page_are_those_that_are_made(tmp_path: Path) -> None:
    folder = BrokerFolder(tmp_path)
    folder.prepare(Plan("h", 1, False, graph.parse("gch -- c1\n", "test")))
    made = (tmp_path / "mosquitto.conf").read_text()
    for row in tables_under(PAGE, "## 4. Comment cela marche")[0]:
        for setting in quoted(row[0]):
            assert setting.startswith("-") or setting in made, setting
    write_options(Member("c1", "gch", "h", 1, "password", ("gch",), ("gch",)), tmp_path / "c1")
    for role in ("lit", "ecrit"):
        (options,) = (tmp_path / "c1" / role).iterdir()
        assert {"-c", "-k 5", "--nodelay", "-q 1", "-V mqttv311"} <= set(options.read_text().splitlines())


def test_the_accounts_of_the_page() -> None:
    table = tables_under(PAGE, "## 3. Qui peut quoi")[0]
    assert [quoted(row[0])[0] for row in table] == [account("c1", role) for role in ("ecrit", "lit", "veille")]
