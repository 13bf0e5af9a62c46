"""What a broker's folder holds: who may do what, for whose eyes, and what becomes of it when the topology changes."""

from __future__ import annotations

import json
import stat
import subprocess
import tarfile
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from lib.broker import certificates, member
from lib.broker.folder import BrokerFolder, rights
from lib.broker.member import Member
from lib.broker.plan import Plan
from lib.launch import graph
from lib.texts import Problem
from tests.broker.machines import needs_broker
from tests.processes.ring import ROOT

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
def test_who_stays_keeps_the_password_and_who_goes_leaves_nothing(tmp_path: Path) -> None:
    folder = BrokerFolder(tmp_path)
    before = {one.site: one for one in folder.prepare(plan())}
    known = BrokerFolder(tmp_path).plan()
    assert known == plan()
    assert known is not None
    after = {one.site: one for one in folder.prepare(known.changed(("c3 -- gch",), ("c2",)))}
    assert set(after) == {"gch", "c1", "c3"}
    assert after["c1"].password == before["c1"].password
    assert set(after["gch"].reads) == {"c1", "c3"} and after["c1"].reads == ("gch",)
    assert sorted(path.name for path in folder.archives.iterdir()) == ["c1.tar", "c3.tar", "gch.tar"]
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


def test_a_folder_that_cannot_be_used_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Problem, match=r"--dossier : .* est inutilisable"):
        BrokerFolder(tmp_path / "file")
    (tmp_path / "courtier.json").write_text("{")
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
        {"port": 0}, {"port": 99999}, {"port": "x"}, {"port": None}, {"password": "a b"}, {"password": ""},
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
