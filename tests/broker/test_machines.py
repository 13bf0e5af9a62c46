"""Sites on several machines over a real broker: they sell, they come and go, the broker dies, a machine is away; the books
are right in the end."""

from __future__ import annotations

import os
import re
from pathlib import Path
from textwrap import dedent

import pytest

from lib.broker.serve import free_port
from tests.broker.machines import Broker, Machine, children, command_line, needs_broker, system
from tests.processes.ring import ROOT, assert_nothing_sold_twice, until

pytestmark = needs_broker

PAGE = (ROOT / "docs" / "plusieurs_machines.md").read_text(encoding="utf-8")
RING = "gch -> c1\nc1 -> c2\nc2 -> c3\nc3 -> gch\n"
STAR = "gch -- c1\ngch -- c2\ngch -- c3\n"


def owned(site: Machine, number: int, since: int = 0) -> None:
    assert site.settled(number, since)["state"] == "owned"


def listening(pid: int) -> set[str]:
    """The addresses at which a process listens for TCP, as /proc has them."""
    sockets = set()
    for file in Path(f"/proc/{pid}/fd").iterdir():
        if found := re.fullmatch(r"socket:\[(\d+)\]", os.readlink(file)):
            sockets.add(found[1])
    rows = [
        line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/{pid}/net/{name}").read_text().splitlines()[1:]
    ]
    return {row[1] for row in rows if row[3] == "0A" and row[9] in sockets}


@pytest.mark.parametrize("topology", [RING, STAR], ids=["ring", "star"])
def test_sites_on_several_machines_sell_and_take_snapshots(tmp_path: Path, topology: str) -> None:
    """A site is still a filter; TLS, an account each; nobody reads a password from a command line."""
    with system(tmp_path / "a b", topology, "gch", "c1", "c2", "c3", tls=True) as made:
        for site in made.clients:
            assert site.request("reserver", state="owned")
        made.photograph(made.clients[1], ["gch", "c1", "c2", "c3"])
        assert_nothing_sold_twice(made)
        assert listening(made.broker.mosquitto) == {f"0100007F:{int(made.broker.options[-1]):04X}"}
        processes = [made.broker.mosquitto, *(pid for site in made.sites for pid in (site.pid, *children(site.pid)))]
        assert len(processes) == 1 + 4 * 5
        for pid in processes:
            assert not any(made.broker.password(site.name) in command_line(pid) for site in made.sites)
        made.end()


def test_a_new_site_joins_while_the_others_sell_and_one_leaves(tmp_path: Path) -> None:
    with system(tmp_path / "s", STAR, "gch", "c1", "c2", "c3") as made:
        c1, c2, c3 = made.clients
        said = made.broker.run("--ajouter", "c4 -- c2")  # c2 is told, while it runs, that it reads c4 now
        assert said.returncode == 0 and said.stdout.splitlines()[-1] == "  scripts/join.sh c4.tar", said.stderr
        (c4,) = made.join("c4")
        assert c4.request("reserver", state="owned")
        assert "--voisins" not in c2.log(), "whom it reads is the broker's affair"
        made.photograph(c4, ["gch", "c1", "c2", "c3", "c4"])
        made.leave(c3)
        assert made.broker.run("--retirer", "c3").returncode == 0
        made.photograph(c1, ["gch", "c1", "c2", "c4"])
        assert c2.request("reserver", state="owned")
        assert_nothing_sold_twice(made)
        made.end()


def test_the_broker_is_killed_again_and_again_and_nothing_is_lost(tmp_path: Path) -> None:
    with system(tmp_path / "s", RING, "gch", "c1", "c2", "c3") as made:
        for round in range(2):
            for site in made.clients:
                site.command("reserver", "reserver")
            made.broker.kill()
            for site in made.clients:
                owned(site, 2 * round + 1)
                owned(site, 2 * round + 2)
        assert "le courtier est mort ; il est relancé" in made.broker.said()
        made.photograph(made.clients[0], ["gch", "c1", "c2", "c3"])
        assert_nothing_sold_twice(made)
        assert made.gch.state()["sold"] == 12
        made.end()


def test_without_a_broker_everybody_says_so_and_comes_back_by_themselves(tmp_path: Path) -> None:
    """`broker.sh` itself is gone, and comes back in the same folder without being told anything anew."""
    with system(tmp_path / "s", RING, "gch", "c1", "c2", "c3", tls=True) as made:
        broker = made.broker
        assert broker.process is not None
        broker.process.kill()
        broker.process.wait()
        for site in made.sites:
            site.wait_for_link("injoignable")
        c1 = made.clients[0]
        c1.command("reserver")  # what it says waits with it
        until(lambda: "c1 : courtier injoignable" in c1.log(), "a word of it")
        broker.start("--journal=bref")
        for site in made.sites:
            site.wait_for_link("joignable")
        owned(c1, 1)
        made.photograph(c1, ["gch", "c1", "c2", "c3"])
        made.end()


def test_a_machine_is_away_and_misses_nothing(tmp_path: Path) -> None:
    """It dies while it is owed a ticket; the others go on, and what they say waits for it at the broker, on its disk."""
    with system(tmp_path / "s", STAR, "gch", "c1", "c2", "c3") as made:
        c1, c2, _ = made.clients
        c1.command("reserver")
        c1.wait(ev="send", type="demande")
        c1.kill()
        since = made.gch.mark()
        for number in range(1, 4):
            c2.command("reserver")
            owned(c2, number)
        missed = {event["id"] for event in made.gch.find(since, ev="send", peer="c2")}
        assert len(missed) >= 6
        made.broker.close()
        made.broker.start("--journal=bref")
        since = c1.mark()
        c1.join()
        owned(c1, 1)
        passed = {event["id"] for event in c1.find(since, ev="relay")}
        assert missed <= passed, "in a star everybody hears what the office says"
        made.photograph(c2, ["gch", "c1", "c2", "c3"])
        assert_nothing_sold_twice(made)
        made.end()


def test_started_again_with_its_first_topology_it_says_whom_that_removes(tmp_path: Path) -> None:
    broker = Broker(tmp_path, STAR, "--local", "--port", str(free_port()))
    try:
        broker.start()
        assert broker.run("--ajouter", "c4 -- gch", "--ajouter", "c5 -- c4").returncode == 0
        assert "retiré" not in broker.said()
        broker.close()
        broker.start()
        until(lambda: re.search(r"c4 : retiré.*\nc5 : retiré.*liberer client=c5\n$", broker.said()), "who was removed")
    finally:
        broker.close()


def test_two_brokers_with_a_bridge(tmp_path: Path) -> None:
    """c2 is at another broker, which reaches the first one as the page says: with c2's own accounts there."""
    ring = "gch -> c1\nc1 -> c2\nc2 -> gch\n"
    with system(tmp_path / "one", ring, "gch", "c1") as made, system(tmp_path / "two", ring) as other:
        port, password = made.broker.options[-1], made.broker.password("c2")
        (bridges,) = (block for block in re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL) if "connection lit" in block)
        bridges = bridges.replace("192.168.1.10:8883", f"127.0.0.1:{port}").replace("MOT-DE-PASSE-DE-C2", password)
        (other.broker.folder / "plus" / "pont.conf").write_text(dedent(bridges))
        other.broker.close()
        other.broker.start("--journal=bref")
        (c2,) = made.join("c2", archive=other.broker.archive("c2"))
        for site in made.clients:
            assert site.request("reserver", state="owned")
        made.photograph(c2, ["gch", "c1", "c2"])
        assert_nothing_sold_twice(made)
        made.end()
