"""What a broker's folder holds: who may do what, for whose eyes, and what becomes of it when the topology changes."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import stat
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from lib.broker import certificates, member
from lib.broker.folder import BrokerFolder, rights
from lib.broker.member import Member
from lib.broker.plan import Plan
from lib.broker.serve import check_address, free_port, read_again
from lib.launch import graph
from lib.texts import Problem
from tests.broker.machines import BROKER, needs_broker
from tests.processes.ring import ENVIRONMENT, LIMIT, ROOT, until

TOPOLOGIES = sorted((ROOT / "topologies").glob("*.txt"))
LINE = "gch -- c1\nc1 -- c2\n"


def plan(text: str = LINE, host: str = "127.0.0.1", tls: bool = False) -> Plan:
    return Plan(host, 8883, tls, graph.parse(text, "test"))


# ---------------------------------------------------------------------------------------------------------- who may what


def granted(text: str) -> dict[str, set[tuple[str, str]]]:
    """An acl_file, read as mosquitto reads it."""
    accounts: dict[str, set[tuple[str, str]]] = {}
    for line in text.splitlines():
        word, _, rest = line.partition(" ")
        if word == "user":
            mine = accounts.setdefault(rest, set())
        else:
            assert word == "topic"
            access, _, topic = rest.partition(" ")
            mine.add((access, topic))
    return accounts


@pytest.mark.parametrize("path", TOPOLOGIES, ids=lambda path: path.stem)
def test_a_site_writes_on_its_own_topic_and_reads_those_of_who_writes_to_it(path: Path) -> None:
    wiring = graph.read(path)
    accounts = granted(rights(Plan("h", 1, False, wiring)))
    assert accounts.pop("courtier.gerant") == {("write", "voisins/+")}
    for site in wiring.sites:
        assert accounts.pop(f"{site}.ecrit") == {("write", f"billets/{site}")}
        assert accounts.pop(f"{site}.lit") == {("read", f"billets/{e.source}") for e in wiring.edges if e.target == site}
        assert accounts.pop(f"{site}.veille") == {("read", "$SYS/broker/uptime"), ("read", f"voisins/{site}")}
    assert accounts == {}


# --------------------------------------------------------------------------------------------------------- for whose eyes


@needs_broker
def test_what_is_secret_is_its_owners_alone_and_nowhere_in_the_clear(tmp_path: Path) -> None:
    folder = BrokerFolder(tmp_path / "courtier")
    members = folder.prepare(plan(tls=True))
    assert [one.site for one in members] == ["gch", "c1", "c2"]
    assert len({one.password for one in members}) == 3
    for path in (tmp_path / "courtier").rglob("*"):
        assert path.suffix == ".crt" or not stat.S_IMODE(path.stat().st_mode) & 0o077, path
    accounts = (folder.path / "comptes").read_text()
    assert len(accounts.splitlines()) == 3 * 3 + 1
    assert not any(one.password in accounts for one in members)
    assert [member.unpack(folder.archive(one.site)) for one in members] == members


@needs_broker
@pytest.mark.parametrize("options", [["--ajouter", "c9 -- c1"], ["--retirer", "c2"]])
def test_whatever_the_umask_nobody_else_may_read_or_write(tmp_path: Path, options: list[str]) -> None:
    folder = BrokerFolder(tmp_path / "courtier")
    folder.prepare(plan(tls=True))
    (folder.path / "ca.crt").unlink()
    command = [BROKER, "--dossier", folder.path, *options]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False, umask=0)
    assert done.returncode == 0, done.stderr
    assert not [path for path in folder.path.rglob("*") if stat.S_IMODE(path.stat().st_mode) & 0o077]


@needs_broker
def test_who_stays_keeps_the_password_and_who_goes_leaves_nothing(tmp_path: Path) -> None:
    folder = BrokerFolder(tmp_path)
    before = {one.site: one for one in folder.prepare(plan())}
    known = BrokerFolder(tmp_path).plan()
    assert known == plan()
    assert known is not None
    (folder.archives / "for the others").mkdir()
    after = {one.site: one for one in folder.prepare(known.changed(("c3 -- gch",), ("c2",)))}
    assert set(after) == {"gch", "c1", "c3"}
    assert after["c1"].password == before["c1"].password
    assert set(after["gch"].reads) == {"c1", "c3"} and after["c1"].reads == ("gch",)
    assert sorted(path.name for path in folder.archives.iterdir()) == ["c1.tar", "c3.tar", "for the others", "gch.tar"]
    assert "c2." not in (tmp_path / "comptes").read_text() + (tmp_path / "droits").read_text()
    again = {one.site: one for one in folder.prepare(plan())}
    assert again["c2"].password != before["c2"].password


@pytest.mark.parametrize(
    ("added", "removed", "words"),
    [
        ((), ("c9",), "c9"),
        ((), ("gch",), "gch"),
        ((), ("c1",), "gch"),
        (("c9 - c1",), (), "c9 - c1"),
        (("c9 -> c1",), (), "{c9}"),
        (("c1 -- gch",), (), "c1->gch"),
    ],
)
def test_changes_that_cannot_be(added: tuple[str, ...], removed: tuple[str, ...], words: str) -> None:
    with pytest.raises(Problem) as refused:
        plan().changed(added, removed)
    assert words in refused.value.text.fr and words in refused.value.text.en


@pytest.mark.parametrize("host", ["192.0.2.1", "0.0.0.0", "0", "::", "::ffff:0.0.0.0"])
def test_an_address_that_is_not_this_machines_changes_nothing(tmp_path: Path, host: str) -> None:
    """192.0.2.0/24 is nobody's (RFC 5737). To listen everywhere is not what anybody is offered."""
    with pytest.raises(Problem, match="dit les adresses"):
        check_address(plan(host=host))
    command = [BROKER, ROOT / "topologies" / "y.txt", "--adresse", host]
    done = subprocess.run(command, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and done.stderr.count("\n") == 1, done.stderr
    assert not (tmp_path / "courtier" / "courtier.json").exists()


def test_a_name_that_only_this_machine_knows_is_no_address_for_others() -> None:
    """Debian gives a machine's own name to the loopback: the others would look for the broker at home."""
    with pytest.raises(Problem, match=r"localhost est ici 127\.0\.0\.1|localhost est ici ::1"):
        check_address(plan(host="localhost"))
    check_address(plan(host="127.0.0.1"))


def test_a_change_in_the_second_when_the_broker_is_dead_is_made_all_the_same(tmp_path: Path) -> None:
    """Its number may be nobody's, or not yet written down: nobody is told, and the next life reads everything."""
    folder = BrokerFolder(tmp_path)
    assert not read_again(folder), "no broker runs here"
    with subprocess.Popen(["true"]) as over:
        over.wait()
    with folder.locked("verrou"):
        assert not read_again(BrokerFolder(tmp_path))
        folder.pid.write_text(f"{over.pid}\n")
        assert not read_again(BrokerFolder(tmp_path))


@needs_broker
def test_ctrl_c_while_it_prepares_is_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("".join(f"gch -- c{n}\n" for n in range(200)))
    command = [BROKER, tmp_path / "t.txt", "--adresse", "127.0.0.1", "--port", str(free_port())]
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        until((tmp_path / "courtier" / "courtier.json").exists, "its first file")
        os.killpg(process.pid, signal.SIGINT)
        _, complaints = process.communicate(timeout=LIMIT)
    assert process.returncode == 128 + signal.SIGINT and complaints == ""


def test_a_folder_that_cannot_be_used_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Problem, match=r"--dossier : .* est inutilisable"):
        BrokerFolder(tmp_path / "file")
    for damaged in ("{", '{"a": 1}', "[]"):
        (tmp_path / "courtier.json").write_text(damaged)
        with pytest.raises(Problem, match="endommagé"):
            BrokerFolder(tmp_path).plan()


# ----------------------------------------------------------------------------------------------------------- certificates


@needs_broker
@pytest.mark.parametrize("host", ["192.168.1.10", "::1", "salle-3.example.org"])
def test_the_certificate_is_of_our_authority_and_names_the_host(tmp_path: Path, host: str) -> None:
    certificates.make(tmp_path, host)
    how = "-verify_ip" if host[0] in "1:" else "-verify_hostname"
    command = ["openssl", "verify", "-purpose", "sslserver", "-CAfile", "ca.crt", how]
    assert subprocess.run([*command, host, "courtier.crt"], cwd=tmp_path, check=False, capture_output=True).returncode == 0
    other = "192.168.1.11" if how == "-verify_ip" else "example.org"
    assert subprocess.run([*command, other, "courtier.crt"], cwd=tmp_path, check=False, capture_output=True).returncode != 0


@needs_broker
def test_certificates_are_made_once_and_anew_for_another_host(tmp_path: Path) -> None:
    authority = certificates.make(tmp_path, "10.0.0.1")
    first = (tmp_path / "courtier.crt").read_bytes()
    assert certificates.make(tmp_path, "10.0.0.1") == authority
    assert (tmp_path / "courtier.crt").read_bytes() == first
    assert certificates.make(tmp_path, "10.0.0.2") == authority
    assert (tmp_path / "courtier.crt").read_bytes() != first


@pytest.fixture
def answer() -> Iterator[Callable[[Callable[[socket.socket], object]], int]]:
    """Somebody on a port of the loopback, who does this to whoever comes."""
    with ExitStack() as stack:

        def listen(greet: Callable[[socket.socket], object]) -> int:
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))

            def serve() -> None:
                visitor, _ = listener.accept()
                with visitor, suppress(OSError):
                    greet(visitor)

            thread = Thread(target=serve)
            thread.start()
            stack.callback(thread.join, LIMIT)
            port: int = listener.getsockname()[1]
            return port

        yield listen


def _greeter(folder: Path) -> Callable[[socket.socket], object]:
    """A greeting with the certificate in `folder`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "courtier.crt", folder / "courtier.key")
    return lambda visitor: context.wrap_socket(visitor, server_side=True).recv(1)


@needs_broker
@pytest.mark.parametrize(
    ("host", "days", "is_ours", "objection"),
    [
        ("127.0.0.1", "2", True, ""),
        ("192.168.1.10", "2", True, "IP address mismatch"),
        ("127.0.0.1", "-1", True, "has expired"),
        ("127.0.0.1", "2", False, "local issuer certificate"),
    ],
)
def test_what_is_wrong_with_a_certificate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: Any, host: str, days: str, is_ours: bool, objection: str
) -> None:
    certificates.make(tmp_path, "elsewhere")
    monkeypatch.setattr(certificates, "_DAYS", days)
    authority = certificates.make(tmp_path, host)
    if not is_ours:
        (tmp_path / "ca.crt").unlink()
        certificates.make(tmp_path, host)
    found = certificates.objection("127.0.0.1", answer(_greeter(tmp_path)), authority)
    assert objection in found and bool(found) == bool(objection)


@needs_broker
def test_broker_itself_says_what_is_wrong_with_its_certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the third school year, before forty sites say that this is not their broker."""
    folder = BrokerFolder(tmp_path)
    folder.prepare(replace(plan(tls=True), port=free_port()))
    monkeypatch.setattr(certificates, "_DAYS", "-1")
    (tmp_path / "courtier.crt").unlink()
    certificates.make(tmp_path, "127.0.0.1")
    command = [BROKER, "--dossier", tmp_path]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=LIMIT)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith(f"broker.sh : {tmp_path}/courtier.crt : certificate has expired ; ")
    assert done.stderr.count("\n") == 1


@needs_broker
def test_who_hangs_up_or_speaks_no_tls_or_is_not_there_shows_no_certificate(tmp_path: Path, answer: Any) -> None:
    """A broker that dies while it is greeted is not a forged one."""
    authority = certificates.make(tmp_path, "127.0.0.1")
    assert certificates.objection("127.0.0.1", answer(socket.socket.close), authority) == ""
    assert certificates.objection("127.0.0.1", answer(lambda visitor: visitor.sendall(b"x" * 99)), authority) == ""
    assert certificates.objection("127.0.0.1", free_port(), authority) == ""
    assert certificates.objection("127.0.0.1", 1, "no certificate") == ""


# --------------------------------------------------------------------------------------------------------------- archives

SOMEBODY = Member("c1", "gch", "192.168.1.10", 8883, "abcdefgh1234", ("gch",), ("gch", "c2"), "a certificate\n")
FIELDS: dict[str, Any] = {
    "site": "c1", "guichet": "gch", "host": "h", "port": 1, "password": "abcdefgh", "reads": ["gch"], "neighbours": ["gch"],
}  # fmt: skip


@pytest.mark.parametrize("authority", ["a certificate\n", ""])
def test_an_archive_gives_back_what_was_packed(tmp_path: Path, authority: str) -> None:
    path = tmp_path / "c1.tar"
    packed = Member(*(getattr(SOMEBODY, name) for name in Member.__slots__[:-1]), authority)
    member.pack(packed, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert member.unpack(path) == packed
    assert list(tmp_path.iterdir()) == [path]


def archive(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w") as made:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            made.addfile(entry, BytesIO(content))
    return path


def test_the_fields_of_an_archive(tmp_path: Path) -> None:
    """Nothing else of it is looked at, nor written anywhere."""
    path = archive(tmp_path / "c1.tar", {"site.json": json.dumps(FIELDS).encode(), "../elsewhere": b"x"})
    assert member.unpack(path) == Member("c1", "gch", "h", 1, "abcdefgh", ("gch",), ("gch",))
    assert not (tmp_path.parent / "elsewhere").exists()


@pytest.mark.parametrize(
    "fields",
    [
        {"site": "../c1"}, {"site": "c1\n-t #"}, {"site": 7}, {"guichet": ""}, {"host": "h -P x"}, {"host": "h\n"},
        {"host": "h..h"}, {"port": 0}, {"port": 99999}, {"port": "x"}, {"port": None}, {"password": "a b"}, {"password": ""},
        {"reads": ["#"]}, {"reads": ["+"]}, {"reads": 3}, {"neighbours": [["c2"]]}, {"neighbours": None},
    ],
)  # fmt: skip
def test_an_archive_that_was_tampered_with(tmp_path: Path, fields: dict[str, Any]) -> None:
    path = archive(tmp_path / "c1.tar", {"site.json": json.dumps(FIELDS | fields).encode()})
    with pytest.raises(Problem, match=r"c1\.tar : ce n'est pas une archive"):
        member.unpack(path)


@pytest.mark.parametrize("content", [b"", b"x" * 600, b"\x1f\x8b", b"\0" * 10240])
def test_what_is_no_archive(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "c1.tar"
    path.write_bytes(content)
    with pytest.raises(Problem):
        member.unpack(path)


def test_an_archive_that_is_not_there(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "c1.tar"):
        with pytest.raises(Problem, match="illisible"):
            member.unpack(path)


@pytest.mark.parametrize("content", [b"[]", b"7", b"{", b"{}", b"\xff", b"null"])
def test_an_archive_with_another_content(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(Problem, match="ce n'est pas une archive"):
        member.unpack(archive(tmp_path / "c1.tar", {"site.json": content}))


def test_the_options_of_the_programs_are_private_and_hold_what_they_need(tmp_path: Path) -> None:
    member.write_options(SOMEBODY, tmp_path)
    reader = (tmp_path / "lit" / "mosquitto_sub").read_text().splitlines()
    assert {"-h 192.168.1.10", "-p 8883", "-u c1.lit", "-i c1.lit", "-P abcdefgh1234", "-q 1", "-c"} <= set(reader)
    assert [line for line in reader if line.startswith("-t")] == ["-t billets/gch"]
    assert f"--cafile {tmp_path / 'ca.crt'}" in reader
    writer = (tmp_path / "ecrit" / "mosquitto_pub").read_text().splitlines()
    assert {"-u c1.ecrit", "-t billets/c1", "-l", "-c", "-q 1"} <= set(writer)
    for path in tmp_path.rglob("*"):
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077
