"""Who has no business here is refused by the broker, and the broker's journal says so."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lib.broker import member
from tests.broker.machines import Machine, System, needs_broker, system
from tests.processes.ring import ENVIRONMENT, LIMIT

pytestmark = needs_broker

STAR = "gch -- c1\ngch -- c2\n"
EVERYTHING = ("#", "+/#", "billets/#", "$SYS/#", "$share/all/billets/c1", "voisins/#")
FORGED = (
    "^transmettant~c1^emetteur~c1^numero~9.1^destinataire~gch^type~demande^estampille~9^instantane~0^epoque~0^rang~1"
    "^demandeur~c1^demande~1^reservation~1^billet~^depart~^destination~^du~^au~^limite~1^"
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with system(tmp_path_factory.mktemp("intruders"), STAR, "gch", "c1", "c2", tls=True) as made:
        yield made


class Intruder:
    """Somebody who has `mosquitto_pub`, the address, and the certificate of the authority, which is no secret."""

    def __init__(self, made: System) -> None:
        self.broker = made.broker
        where = ["-h", "127.0.0.1", "-p", made.broker.options[-1]]
        self.common = [*where, "-q", "1", "--cafile", str(made.broker.folder / "ca.crt")]
        self.since = len(made.broker.journal())

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """One of mosquitto's programs, to its end."""
        command = [program, *self.common, *arguments]
        return subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=LIMIT, check=False)

    def account(self, site: str, role: str) -> list[str]:
        """A real account, with its password."""
        return ["-u", member.account(site, role), "-P", self.broker.password(site)]

    def journal(self, pattern: str) -> str:
        """What the journal says since the intruder came, waited for."""
        return self.broker.heard(pattern, self.since)[0]


@pytest.fixture
def intruder(made: System) -> Intruder:
    return Intruder(made)


@pytest.mark.parametrize(
    "claim", [[], ["-u", "c1.ecrit"], ["-u", "c1.ecrit", "-P", "guess"], ["-u", "c9.ecrit", "-P", "x"]],
    ids=["nobody", "no password", "wrong password", "unknown"],
)  # fmt: skip
def test_without_an_account(intruder: Intruder, claim: list[str]) -> None:
    done = intruder.run("mosquitto_pub", *claim, "-t", "billets/c1", "-m", FORGED)
    assert done.returncode != 0 and "not authorised" in done.stderr
    assert intruder.journal("Client .* disconnected, not authorised")


def test_on_a_neighbours_topic_with_another_sites_account(made: System, intruder: Intruder) -> None:
    """c2 says that it is c1: nobody hears it."""
    before = made.gch.mark()
    intruder.run("mosquitto_pub", *intruder.account("c2", "ecrit"), "-t", "billets/c1", "-m", FORGED)
    assert intruder.journal(r"Denied PUBLISH from c2.ecrit .*'billets/c1'")
    intruder.run("mosquitto_pub", *intruder.account("c2", "ecrit"), "-t", "billets/c2", "-m", "end of the intrusion")
    made.gch.wait(before, ev="drop", line="end of the intrusion")
    assert not made.gch.find(before, ev="recv", peer="c1", type="demande")


@pytest.mark.parametrize("role", ["lit", "ecrit", "veille"])
def test_nobody_takes_over_the_connection_of_another(made: System, intruder: Intruder, role: str) -> None:
    """Whoever asks for the name of another's connection gets the name of its own account."""
    program = "mosquitto_pub" if role == "ecrit" else "mosquitto_sub"
    end = ["-m", "x"] if role == "ecrit" else ["-E"]
    intruder.run(program, *intruder.account("c2", role), "-i", f"c1.{role}", "-t", "billets/c2", *end)
    assert intruder.journal(rf"New client connected from \S+ as c2.{role} ")
    assert made.clients[0].link() == "joignable"


@pytest.mark.parametrize(
    ("role", "topic"),
    [("lit", "billets/c2"), ("veille", "voisins/c2"), ("ecrit", "voisins/c2"), ("ecrit", "$SYS/broker/uptime")],
)
def test_an_account_writes_nothing_but_what_its_site_says(intruder: Intruder, role: str, topic: str) -> None:
    intruder.run("mosquitto_pub", *intruder.account("c2", role), "-t", topic, "-m", "gch", "-r")
    assert intruder.journal(rf"Denied PUBLISH from c2.{role} .*'{re.escape(topic)}'")


def test_nor_by_its_last_will(made: System, intruder: Intruder) -> None:
    """The broker itself publishes a will, when a connection breaks; the account of who made it has to be allowed to."""
    before = made.gch.mark()
    for topic, words in (("billets/c1", "forged"), ("billets/c2", "the last will")):
        will = ["--will-topic", topic, "--will-payload", words, "--will-qos", "1", "-t", "billets/c2", "-l"]
        account = intruder.account("c2", "ecrit")
        dying = subprocess.Popen(
            ["mosquitto_pub", *intruder.common, *account, *will], stdin=subprocess.PIPE, env=ENVIRONMENT
        )
        intruder.journal(rf"Will message specified.*\n.*\t{topic}")
        dying.kill()
        dying.communicate(timeout=LIMIT)
    made.gch.wait(before, ev="drop", line="the last will")
    assert not made.gch.find(before, ev="drop", line="forged")


@pytest.mark.parametrize(
    ("role", "allowed"),
    [("lit", {"billets/gch"}), ("ecrit", set()), ("veille", {"$SYS/broker/uptime", "voisins/c2"})],
)
def test_nobody_listens_in(made: System, intruder: Intruder, role: str, allowed: set[str]) -> None:
    """To subscribe is one thing, to be told another."""
    topics = [word for topic in EVERYTHING for word in ("-t", topic)]
    listening = ["mosquitto_sub", *intruder.common, *intruder.account("c2", role), *topics, "-F", "%t"]
    listener = subprocess.Popen(listening, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)
    try:
        intruder.journal(rf"c2.{role} 1 {re.escape(EVERYTHING[-1])}")
        assert made.clients[0].request("reserver", state="owned")
    finally:
        listener.terminate()
    heard, _ = listener.communicate(timeout=LIMIT)
    assert set(heard.split()) <= allowed


def test_a_broker_that_is_not_ours_is_not_believed(made: System, intruder: Intruder, tmp_path: Path) -> None:
    """A site whose authority is another one finds the broker's certificate wrong; the broker notes that it was left."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "key",
         "-out", "ca.crt", "-subj", "/CN=somebody else"], cwd=tmp_path, check=True, capture_output=True,
    )  # fmt: skip
    forged = replace(member.unpack(made.broker.archive("c2")), authority=(tmp_path / "ca.crt").read_text())
    member.pack(forged, tmp_path / "c2.tar")
    machine = Machine(tmp_path, "c2", tmp_path / "c2.tar")
    try:
        machine.join()
        machine.wait_for_link("certificat")
        assert intruder.journal("alert unknown ca|unknown CA|bad certificate")
    finally:
        machine.close()


def test_a_site_that_was_removed(made: System, intruder: Intruder, tmp_path: Path) -> None:
    """Its connections are cut at once, and its archive opens nothing any more."""
    made.leave(made.clients[1])
    shutil.copy(made.broker.archive("c2"), tmp_path / "kept.tar")
    assert made.broker.run("--retirer", "c2").returncode == 0
    machine = Machine(tmp_path, "c2", tmp_path / "kept.tar")
    try:
        machine.join()
        machine.wait_for_link("refus")
        assert intruder.journal("not authorised")
    finally:
        machine.close()
