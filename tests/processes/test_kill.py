"""kill -9 at any moment, under load. The law: issue 2 and contract, section 4.

"A guichet or client killed with `kill -9` at any moment and started again with the same `--donnees` has lost
nothing that it ever said, sells nothing twice, and takes part again."
"""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import pytest

from tests.processes.ring import PAUSE, Ring, Watched, assert_nothing_sold_twice, assert_one_holder, ring, until

ROUNDS = 20
ROWS = [f"{n},2027-03-15T{n % 24:02d}:10,A{n % 5},B{n % 3},{n}.50,20" for n in range(1, 41)]  # 800 tickets


def settle(made: Ring) -> None:
    """Wait until no request of any client is open, and the guichet holds nothing for anybody."""
    for site in made.clients:
        until(lambda site=site: not site.state()["requests"], f"the requests of {site.name} to settle", 60)
    until(lambda: made.gch.state()["held"] == 0, "the guichet to hold nothing any more", 60)


def at_some_moment(site: Watched, chance: random.Random) -> None:
    """Wait until the site has some more events, and then a bit: up to 3 ms, so that it may be anywhere."""
    wanted, end = site.mark() + chance.randrange(1, 60), time.monotonic() + 0.3
    while site.mark() < wanted and time.monotonic() < end:
        time.sleep(PAUSE / 10)
    spin = time.monotonic() + chance.random() * 0.003
    while time.monotonic() < spin:
        pass


@pytest.mark.parametrize("victims", ["guichet", "clients", "all"])
def test_killed_at_random_moments_under_load_nothing_said_is_lost_and_nothing_sold_twice(
    tmp_path: Path, victims: str
) -> None:
    seed = int(os.environ.get("SEED", random.randrange(2**32)))
    print(f"SEED={seed}")
    chance = random.Random(seed)
    with ring(tmp_path / "ring", 3, ROWS, delay=20, durable=True, client=["--patience=30"]) as made:
        mortal = {"guichet": [made.gch], "clients": made.clients, "all": made.sites}[victims]
        for _ in range(ROUNDS):
            for site in made.clients:
                site.command(*["reserver"] * chance.randrange(1, 6), "consulter limite=3")
            victim = chance.choice(mortal)
            at_some_moment(victim, chance)
            victim.kill()
            if chance.random() < 0.5:  # some live on meanwhile, and talk to nobody
                chance.choice([site for site in made.clients if site is not victim]).command("reserver")
            made.start(victim)
        settle(made)
        owned = assert_one_holder(made)
        assert_nothing_sold_twice(made)
        assert len(owned) > ROUNDS, "there was no load"
        for site in made.clients:  # "and takes part again"
            assert site.request("reserver", state="owned")
        lives = [event["life"] for event in made.gch.find(ev="start")]
        assert lives == sorted(set(lives)), "a new life is greater than all before"
        made.end()


def test_all_killed_at_once_come_back_with_what_they_had(tmp_path: Path) -> None:
    with ring(tmp_path / "ring", 3, ROWS, durable=True) as made:
        for site in made.clients:
            site.command(*["reserver"] * 4)
        for site in made.clients:
            for number in range(1, 5):
                assert site.settled(number)["state"] == "owned"
        before = assert_one_holder(made)
        for site in made.sites:
            site.kill()
        made.start(*reversed(made.sites))
        assert len(before) == 12 and assert_one_holder(made) == before
        ticket = next(ticket for ticket, client in before.items() if client == "c1")
        assert made.clients[0].request(f"rendre billet={ticket}", state="returned")
        made.end()


def test_a_client_that_lost_its_store_is_told_again_what_was_sold_to_it(tmp_path: Path) -> None:
    """ "When a client comes back in a new life, the guichet tells it again what it has sold to it: nothing is lost with
    a client's memory." And section 2: "A site that restarts takes a new life, greater than all before"."""
    with ring(tmp_path / "ring", 1, ROWS, durable=True) as made:
        (c1,) = made.clients
        ticket = c1.request("reserver", state="owned")["ticket"]
        for _ in range(2):
            c1.kill()
            made.start(c1)
        c1.kill()
        for path in (made.folder / "donnees").glob("c1.sqlite*"):
            path.unlink()
        made.start(c1)
        until(lambda: ticket in [t["id"] for t in c1.state()["tickets"]], "the guichet to tell it again", 10)
        assert c1.request("reserver", state="owned")["ticket"] != ticket


def test_a_client_without_a_store_comes_back_with_its_tickets(tmp_path: Path) -> None:
    with ring(tmp_path / "ring", 2, ROWS) as made:
        c1 = made.clients[0]
        ticket = c1.request("reserver", state="owned")["ticket"]
        c1.kill()
        made.start(c1)
        until(lambda: ticket in [t["id"] for t in c1.state()["tickets"]], "the guichet to tell it again")
        again = c1.request("reserver", state="owned")
        assert again["ticket"] != ticket, "its request numbers begin again, and mean new requests"
        assert len(assert_one_holder(made)) == 2
        made.end()


def test_a_client_that_gets_a_store_later_is_heard(tmp_path: Path) -> None:
    """Section 2: a new life is "greater than all before (kept in its store; without a store, from the clock)": also
    when it lived without a store before."""
    with ring(tmp_path / "ring", 1, ROWS) as made:
        (c1,) = made.clients
        c1.request("reserver", state="owned")
        c1.kill()
        c1.options = (*c1.options, f"--donnees={tmp_path / 'donnees'}")
        made.start(c1)
        since = c1.command("reserver")
        c1.wait(since, limit=10, ev="request", state="owned")
