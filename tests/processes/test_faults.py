"""Dead sites, full disks, clocks set back: what breaks around a site, with real programs. The law: contract, 1 and 4.

Whatever happens: one honest line for people, nothing that was said is lost, no ticket is sold twice, and once the fault is
mended the site takes part again. (`kill -9` at random moments: `test_kill.py`.)
"""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.processes.ring import (
    ENVIRONMENT,
    LIMIT,
    Ring,
    Watched,
    assert_nothing_sold_twice,
    assert_one_holder,
    ring,
    until,
)

ROWS = [f"{n},2027-03-15T{n % 24:02d}:10,A{n % 5},B{n % 3},{n}.50,20" for n in range(1, 41)]  # 800 tickets
ONE = ["1,2027-03-15T07:10,Compiègne,Creil,5.40,1"]
AUTO, BY_HAND = ["--confirmation=auto"], ["--confirmation=manuelle"]


def sentences(site: Watched, part: str) -> list[str]:
    """The lines of its log with that in them."""
    return [line for line in site.log().splitlines() if part in line]


def is_said(site: Watched, part: str) -> None:
    """It says so to people, and shows nobody where in the program."""
    until(lambda: sentences(site, part), f"{site.name} to say {part!r}")
    assert "Traceback" not in site.log(), site.log()


def owned(site: Watched) -> list[str]:
    return [ticket["id"] for ticket in site.state()["tickets"]]


# ------------------------------------------------------------------------------------------------------ stopped for long


def test_a_client_that_was_stopped_for_longer_than_its_offer_learns_that_it_is_over(tmp_path: Path) -> None:
    """Contract, 4: "The deadline is absolute and set by the guichet"; who is stopped keeps nobody waiting."""
    with ring(tmp_path / "ring", 2, ONE, delay=2, client=BY_HAND) as made:
        c1, c2 = made.clients
        since = made.gch.mark()
        ticket = c1.request("reserver", state="offered")["ticket"]
        c1.signal(signal.SIGSTOP)
        made.gch.wait(since, ev="ticket", ticket=ticket, state="free")
        c1.signal(signal.SIGCONT)
        c1.wait(ev="request", request=1, state="expired")
        assert not c1.ask("confirmer demande=1")["ok"]
        is_said(c1, "l'offre de la demande n°1 est expirée")
        c2.request("reserver", state="offered")
        c2.command("confirmer demande=1")
        c2.wait(ev="request", request=1, state="owned")
        assert assert_one_holder(made) == {ticket: "c2"}


def test_a_confirmation_that_waited_for_a_stopped_guichet_comes_too_late(tmp_path: Path) -> None:
    """The hold ends although nobody was there to end it, and the client is told: "never silence"."""
    with ring(tmp_path / "ring", 2, ONE, delay=2, client=BY_HAND) as made:
        c1, c2 = made.clients
        offer = c1.request("reserver", state="offered")
        made.gch.signal(signal.SIGSTOP)
        c1.command("confirmer demande=1")
        c1.wait(ev="request", request=1, state="confirming")
        until(lambda: time.time() > offer["t"] + 2.5, "the hold to be over")
        made.gch.signal(signal.SIGCONT)
        assert c1.wait(ev="request", request=1, state="expired")["reason"] == "expire"
        assert made.gch.find(ev="ticket", state="sold") == []
        assert c2.request("reserver", state="offered")["ticket"] == offer["ticket"]
        assert assert_one_holder(made) == {}


# --------------------------------------------------------------------------------------------------- a client that left


@contextmanager
def without(made: Ring, site: Watched) -> Iterator[None]:
    """The ring is whole without this dead site: what comes to its pipe goes on to the next one."""
    after = made.sites[(made.sites.index(site) + 1) % len(made.sites)]
    with (
        open(made.folder / f"{site.name}.in", "rb", buffering=0) as stdin,
        open(made.folder / f"{after.name}.in", "wb", buffering=0) as stdout,
    ):
        bridge = subprocess.Popen(["cat"], stdin=stdin, stdout=stdout)
    try:
        yield
    finally:
        bridge.kill()
        bridge.wait()


def test_a_client_that_left_for_good_is_dismissed_and_learns_it_when_it_comes_back(tmp_path: Path) -> None:
    """What it had stays sold, and every snapshot says that it is missing, until the guichet's user releases it. Back after
    all, with its store, it is told: its tickets have one holder. The guichet remembers over a kill -9."""
    with ring(tmp_path / "ring", 2, ONE * 2, durable=True, client=AUTO, every=["--delai-instantane=2"]) as made:
        c1, c2 = made.clients
        ticket = c2.request("reserver", state="owned")["ticket"]
        c2.kill()
        with without(made, c2):
            made.gch.command("instantane")
            made.gch.wait(ev="snapshot", phase="incomplete", missing=["c2"])
            (gone,) = [client for client in made.gch.state()["clients"] if client["name"] == "c2"]
            assert gone["sold"] == 1 and gone["silent_for"] > 1.0 and gone["present"]

            since = made.gch.mark()
            assert made.gch.ask("liberer client=c2")["ok"]
            made.gch.wait(since, ev="ticket", ticket=ticket, state="free")
            made.gch.kill()
            made.start(made.gch)
            since = made.gch.command("instantane")
            made.gch.wait(since, ev="snapshot", phase="complete")
            again = [c1.request("reserver", state="owned")["ticket"] for _ in range(2)]
            assert ticket in again, "it is sold to another"
        made.start(c2)
        anew = c2.wait(ev="anew")
        assert (anew["reason"], anew["tickets"]) == ("dismissed", [ticket])
        is_said(c2, "le guichet a congédié ce client")
        assert assert_one_holder(made) == dict.fromkeys(again, "c1")
        assert c1.request(f"rendre billet={ticket}", state="returned")
        assert c2.request("reserver", state="owned")["ticket"] == ticket, "it takes part again"
        c2.kill()
        made.start(c2)
        assert owned(c2) == [ticket], "and remembers what it has now, not what it had"
        made.end()


def test_releasing_a_client_that_nobody_knows_is_refused_in_one_line(tmp_path: Path) -> None:
    with ring(tmp_path / "ring", 1, ONE) as made:
        assert not made.gch.ask("liberer client=c9")["ok"]
        is_said(made.gch, "aucun client « c9 »")
        assert not made.clients[0].ask("liberer client=c1")["ok"]


# ------------------------------------------------------------------------------------------------------- disks and files


class Disk:
    """A file system of its own for sites: small, and it can be filled, mended and made read-only.

    It is mounted in a mount namespace of its own, that no other process sees; sites are run inside of it.
    """

    def __init__(self, folder: Path, size: str) -> None:
        folder.mkdir()
        self.folder = folder
        mount = f"mount -t tmpfs -o size={size} tmpfs {folder} && echo ready && exec sleep 600"
        self._keeper = subprocess.Popen(["unshare", "-rm", "sh", "-c", mount], stdout=subprocess.PIPE, text=True)
        assert self._keeper.stdout is not None
        self.is_there = self._keeper.stdout.readline() == "ready\n"

    @property
    def inside(self) -> tuple[str, ...]:
        """What runs a command inside."""
        return ("nsenter", f"--target={self._keeper.pid}", "--user", "--mount", "--preserve-credentials")

    def run(self, *command: str) -> None:
        subprocess.run([*self.inside, *command], check=True, timeout=LIMIT)

    def fill(self) -> None:
        subprocess.run([*self.inside, "dd", "if=/dev/zero", f"of={self.folder}/filler"], capture_output=True, timeout=LIMIT)

    def make_room(self, size: str = "64m") -> None:
        self.run("mount", "-o", f"remount,rw,size={size}", str(self.folder))

    def make_read_only(self) -> None:
        self.run("mount", "-o", "remount,ro", str(self.folder))

    def close(self) -> None:
        self._keeper.kill()
        self._keeper.communicate()


@contextmanager
def disk(folder: Path, size: str = "64m") -> Iterator[Disk]:
    try:
        made = Disk(folder, size)
    except FileNotFoundError:
        pytest.skip("no unshare(1) here: a disk of its own cannot be mounted")
    try:
        if not made.is_there:
            pytest.skip("unshare -rm is not allowed here: a disk of its own cannot be mounted")
        yield made
    finally:
        made.close()


def put_on(made: Disk, *sites: Watched) -> None:
    for site in sites:
        site.interpreter = (*made.inside, sys.executable)


def buy_until_it_ends(site: Watched, clients: Iterable[Watched]) -> int:
    """Load, until the site ends by itself; its status."""
    assert site.process is not None
    for _ in range(400):
        for client in clients:
            if client is not site or site.process.poll() is None:
                client.command(*["reserver"] * 4)
        if site.process.poll() is not None:
            break
        time.sleep(0.02)
    return site.ended()


@pytest.mark.parametrize("victim", ["gch", "c1"])
def test_a_full_disk_under_the_store(tmp_path: Path, victim: str) -> None:
    """Nothing is said that is not stored: the site ends, says what to do, and goes on once there is room."""
    with disk(tmp_path / "disk", "300k") as small, ring(tmp_path / "ring", 2, ROWS, delay=20, client=AUTO) as made:
        site = made.gch if victim == "gch" else made.clients[0]
        for one in made.sites:  # everyone begins again, with a store; the victim's is on the small disk
            one.kill()
            one.options += (f"--donnees={small.folder if one is site else tmp_path / 'donnees'}",)
        put_on(small, site)
        made.start()
        assert buy_until_it_ends(site, made.clients) == 2
        is_said(site, "écriture impossible")
        assert len(sentences(site, "faites de la place")) == 1
        small.make_room()
        made.start(site)
        for client in made.clients:
            until(lambda client=client: not client.state()["requests"], f"the requests of {client.name} to settle", 60)
        assert_nothing_sold_twice(made)
        for client in made.clients:
            assert client.request("reserver", state="owned")


def test_a_disk_that_is_full_from_the_beginning(tmp_path: Path) -> None:
    """One line for a store that cannot be made; another one for a store that cannot be gone on with: it is not damaged."""
    with disk(tmp_path / "disk", "400k") as small, ring(tmp_path / "ring", 1, ONE) as made:
        c1 = made.clients[0]
        c1.kill()
        c1.options += (f"--donnees={small.folder}",)
        put_on(small, c1)
        small.fill()
        assert "ne peut être créé" in refused(made, c1)
        small.run("rm", f"{small.folder}/filler")
        made.start(c1)
        ticket = c1.request("reserver", state="offered")["ticket"]
        c1.kill()
        small.fill()
        said = refused(made, c1)
        assert "endommagé" not in said and "faites de la place" in said, said
        small.run("rm", f"{small.folder}/filler")
        made.start(c1)
        until(lambda: c1.find(ev="request", ticket=ticket, state="confirming") or c1.ask("confirmer demande=1")["ok"], "it")
        c1.wait(ev="request", ticket=ticket, state="owned")


def refused(made: Ring, site: Watched) -> str:
    """The site does not live; the one line that it says."""
    before = len(site.log())
    with pytest.raises(AssertionError):
        made.start(site)
    assert site.ended() == 2
    said = site.log()[before:]
    assert "Traceback" not in said and len(said.splitlines()) == 1, said
    return said


def test_a_quota_under_the_store(tmp_path: Path) -> None:
    """A limit on the size of files is a full disk of another kind (setrlimit(2), RLIMIT_FSIZE)."""
    with ring(tmp_path / "ring", 1, ROWS, durable=True, client=AUTO) as made:
        c1 = made.clients[0]
        c1.kill()
        c1.interpreter = ("prlimit", "--fsize=400000", sys.executable)
        c1.trace_path.unlink()
        c1._events, c1._read = [], 0
        made.start(c1)
        assert buy_until_it_ends(c1, [c1]) == 2
        is_said(c1, "écriture impossible")
        c1.interpreter = (sys.executable,)
        made.start(c1)
        until(lambda: not c1.state()["requests"], "the requests of c1 to settle", 60)
        assert_nothing_sold_twice(made)


def test_a_store_on_a_disk_that_is_read_only(tmp_path: Path) -> None:
    with disk(tmp_path / "disk") as other, ring(tmp_path / "ring", 1, ONE, client=AUTO) as made:
        c1 = made.clients[0]
        c1.kill()
        c1.options += (f"--donnees={other.folder}",)
        put_on(other, c1)
        other.make_read_only()
        assert "ne peut être créé" in refused(made, c1)
        other.make_room()
        made.start(c1)
        ticket = c1.request("reserver", state="owned")["ticket"]
        c1.kill()
        other.make_read_only()
        said = refused(made, c1)
        assert "ne peut être ouvert en écriture" in said and "endommagé" not in said
        other.make_room()
        made.start(c1)
        assert owned(c1) == [ticket]


@pytest.mark.parametrize("fault", ["full", "read-only"])
def test_snapshots_that_cannot_be_written(tmp_path: Path, fault: str) -> None:
    """The guichet says so; the round is closed for everyone, and the system goes on."""
    with disk(tmp_path / "disk", "200k") as other, ring(tmp_path / "ring", 1, ROWS, client=AUTO) as made:
        gch, c1 = made.gch, made.clients[0]
        gch.kill()
        gch.options += (f"--instantanes={other.folder}",)
        put_on(other, gch)
        made.start(gch)
        other.fill() if fault == "full" else other.make_read_only()
        since = c1.command("instantane")
        assert gch.wait(ev="snapshot", phase="complete")["file"] == ""
        is_said(gch, "--instantanes :")
        c1.wait(since, ev="snapshot", phase="closed")
        assert c1.request("reserver", state="owned")
        other.make_room()
        marked = gch.command("instantane")
        file = gch.wait(marked, ev="snapshot", phase="complete")["file"]
        assert Path(file).parent == other.folder, "once it can be written, it is"


def test_a_trace_on_a_disk_that_is_read_only(tmp_path: Path) -> None:
    with disk(tmp_path / "disk") as other, ring(tmp_path / "ring", 1, ONE) as made:
        c1 = made.clients[0]
        c1.kill()
        c1.options += (f"--trace={other.folder}/c1.jsonl",)  # the last one counts
        put_on(other, c1)
        other.make_read_only()
        assert "--trace=" in refused(made, c1)


def test_a_trace_whose_disk_is_full_ends_and_the_site_lives(tmp_path: Path) -> None:
    with ring(tmp_path / "ring", 1, ONE, client=AUTO) as made:
        c1 = made.clients[0]
        c1.kill()
        lives = len(made.gch.find(ev="recv", type="presence"))
        c1.options += ("--trace=/dev/full",)
        process = start_unwatched(made, c1)
        until(lambda: sentences(c1, "trace interrompue"), "the end of the trace")
        c1.command("reserver")
        made.gch.wait(lives, ev="ticket", state="sold", client="c1")
        assert process.poll() is None and len(sentences(c1, "trace interrompue")) == 1


def start_unwatched(made: Ring, site: Watched, log: str = "") -> subprocess.Popen[bytes]:
    """A life of a site of the ring that cannot be followed in its trace, or in its log."""
    after = made.sites[(made.sites.index(site) + 1) % len(made.sites)]
    with (
        open(made.folder / f"{site.name}.in", "rb", buffering=0) as stdin,
        open(made.folder / f"{after.name}.in", "wb", buffering=0) as stdout,
        open(log or site.log_path, "ab") as stderr,
    ):
        site.process = subprocess.Popen(site.argv(), stdin=stdin, stdout=stdout, stderr=stderr, env=ENVIRONMENT)
    return site.process


def test_a_log_whose_disk_is_full_is_no_reason_to_die(tmp_path: Path) -> None:
    """The launcher writes stderr into a file: what cannot be said is lost, the site lives, and ends as it should."""
    with ring(tmp_path / "ring", 1, ONE, client=AUTO) as made:
        c1 = made.clients[0]
        c1.kill()
        process = start_unwatched(made, c1, log="/dev/full")
        assert not c1.ask("rendre billet=B0009")["ok"], "this is said on stderr"
        assert c1.request("reserver", state="owned")
        c1.command("quitter")
        assert process.wait(LIMIT) == 0


# ----------------------------------------------------------------------------------------------------------------- clocks

# The machine's clock is handed in: nobody may set that of the machine that the tests run on.
BEHIND = """
import runpy, sys, time
real = time.time
time.time = lambda: real() - 3600.0
del sys.argv[0]
sys.path.insert(0, sys.argv[0].rpartition("/")[0])
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def an_hour_behind(site: Watched) -> None:
    """From its next life on, the site's machine believes that it is an hour earlier."""
    site.interpreter = (sys.executable, "-c", BEHIND)


def test_a_guichets_clock_set_back_between_two_lives_does_not_make_a_hold_last(tmp_path: Path) -> None:
    """No hold lasts for longer than `--delai` from the beginning of the next life; and that life is later than the last."""
    with ring(tmp_path / "ring", 2, ONE, delay=3, durable=True, client=BY_HAND) as made:
        c1, c2 = made.clients
        ticket = c1.request("reserver", state="offered")["ticket"]
        since = made.gch.mark()
        made.gch.kill()
        an_hour_behind(made.gch)
        made.start(made.gch)
        first, second = made.gch.find(ev="start")
        assert second["t"] < first["t"] - 3000 and second["life"] > first["life"]
        made.gch.wait(since, ev="ticket", ticket=ticket, state="free")
        c1.wait(ev="request", request=1, state="expired")
        assert c2.request("reserver", state="offered")["ticket"] == ticket
        made.end()


def test_a_clients_clock_set_back_between_two_lives(tmp_path: Path) -> None:
    """With a store its lives go on counting; what it has and what it asked for goes on as well."""
    with ring(tmp_path / "ring", 1, ROWS, durable=True, client=AUTO) as made:
        (c1,) = made.clients
        ticket = c1.request("reserver", state="owned")["ticket"]
        c1.kill()
        an_hour_behind(c1)
        made.start(c1)
        assert owned(c1) == [ticket]
        assert c1.request("reserver", state="owned")
        lives = [event["life"] for event in c1.find(ev="start")]
        assert lives == sorted(set(lives))
        assert len(assert_one_holder(made)) == 2
        made.end()


def test_a_client_without_a_store_whose_clock_was_set_back_is_heard_again(tmp_path: Path) -> None:
    """Its new life is smaller than the last one, by the clock: nobody would hear it. The guichet names the life that it
    knows, and the client goes on after that one; people are told why."""
    with ring(tmp_path / "ring", 1, ROWS, client=AUTO) as made:
        (c1,) = made.clients
        ticket = c1.request("reserver", state="owned")["ticket"]
        c1.kill()
        an_hour_behind(c1)
        made.start(c1)
        assert c1.wait(ev="anew")["reason"] == "outlived"
        is_said(c1, "l'horloge de la machine a reculé")
        until(lambda: ticket in owned(c1), "the guichet to tell it again")
        assert c1.request("reserver", state="owned")
        assert len(assert_one_holder(made)) == 2


def test_an_old_copy_of_a_clients_store_is_a_life_that_is_over(tmp_path: Path) -> None:
    """ "Restore a copy", a damaged store says: the copy knows an earlier life only, and the guichet tells it the rest."""
    with ring(tmp_path / "ring", 1, ROWS, durable=True, client=AUTO) as made:
        (c1,) = made.clients
        c1.command("quitter")
        assert c1.ended() == 0
        store = made.folder / "donnees" / "c1.sqlite"
        copy = store.read_bytes()
        for _ in range(3):
            made.start(c1)
            c1.request("reserver", state="owned")
            c1.command("quitter")
            assert c1.ended() == 0
        store.write_bytes(copy)
        made.start(c1)
        until(lambda: len(owned(c1)) == 3, "the guichet to tell it again")
        assert not c1.find(ev="anew"), "by the clock, its life is later than all before"
        assert c1.request("reserver", state="owned")
        assert len(assert_one_holder(made)) == 4


def test_the_clock_of_a_store_that_is_set_back_by_hand(tmp_path: Path) -> None:
    """The same as a machine that lost an hour: what the store says is an hour ahead."""
    with ring(tmp_path / "ring", 1, ONE, delay=3, durable=True, client=BY_HAND) as made:
        (c1,) = made.clients
        ticket = c1.request("reserver", state="offered")["ticket"]
        since = made.gch.mark()
        made.gch.kill()
        database = sqlite3.connect(made.folder / "donnees" / "gch.sqlite")
        with database:
            database.execute("UPDATE tickets SET deadline = deadline + 3600 WHERE state = 'held'")
        database.close()
        made.start(made.gch)
        made.gch.wait(since, ev="ticket", ticket=ticket, state="free")
        made.end()
