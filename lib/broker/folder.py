"""A broker's folder: what the broker is started from, what it keeps, and the archives for the sites.

    topologie.txt                   the graph: who may read whom
    courtier.json                   where the broker listens, and the passwords
    ca.*, courtier.crt, .key        the authority and the certificate
    mosquitto.conf, comptes, droits the broker's settings, its accounts and their rights
    memoire/                        what waits for sites that are away
    archives/SITE.tar               what each site is handed
    gerant/                         the options of the connection that tells sites of their neighbours
    journal.log                     what the broker says, refusals included
    plus/*.conf                     more settings of the owner's, such as a bridge to another broker

All of it is its owner's alone, and all but the first three can be made anew at any time.
"""

from __future__ import annotations

import fcntl
import getpass
import json
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lib.broker import certificates, programs
from lib.broker.files import write
from lib.broker.member import (
    ALIVE,
    READER,
    WATCHER,
    WRITER,
    Member,
    account,
    pack,
    topic,
    topic_of_neighbours,
    unpack,
    write_connection,
)
from lib.broker.plan import Plan
from lib.launch import graph
from lib.texts import Problem

KEEPER = "courtier", "gerant"  # the site, in a manner of speaking, and the role of who tells sites of their neighbours
CONFIGURATION = "mosquitto.conf"
_STATE, _GRAPH, _ACCOUNTS, _RIGHTS = "courtier.json", "topologie.txt", "comptes", "droits"

# A machine that is away for five minutes misses as many lines as its neighbours say: forty sites at which somebody
# reserves every ten seconds make some 50 lines/s in all, 15,000 in five minutes; six times that, for a crowd.
MAX_WAITING = 100_000  # lines for one site
MAX_WAITING_BYTES = 64 * 2**20
FORGOTTEN = "1d"  # a site that has not come back the next day begins anew
MAX_PACKET = 4200  # bytes: the 4096 of a line (contract, section 1), and its topic
MAX_CONNECTIONS = 2000  # three for each of 501 sites, and room for those that come back before they are missed


class BrokerFolder:
    """The folder at `path`, made if need be. Raises `Problem` when it cannot be used."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.archives = path / "archives"
        self.journal = path / "journal.log"
        self.pid = path / "courtier.pid"
        self.keeper = path / KEEPER[1]
        try:
            for folder in (path, self.archives, path / "memoire", path / "plus"):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise _unusable(error) from None

    def archive(self, site: str) -> Path:
        """What `site` is handed."""
        return self.archives / f"{site}.tar"

    def plan(self) -> Plan | None:
        """What the broker here serves; None in a new folder. Raises `Problem`."""
        state = self._state()
        if not state:
            return None
        return Plan(state["host"], state["port"], state["tls"], graph.read(self.path / _GRAPH), state["brief"])

    def prepare(self, plan: Plan) -> list[Member]:
        """Make everything that the broker and the sites need; the members. Who had a password keeps it. Raises `Problem`."""
        try:
            known = self._state().get("passwords", {})
            passwords = {
                name: known.get(name) or secrets.token_urlsafe(18) for name in (*plan.wiring.sites, account(*KEEPER))
            }
            write(self.path / _GRAPH, graph.text(plan.wiring))
            listening = {"host": plan.host, "port": plan.port, "tls": plan.tls, "brief": plan.is_brief}
            state = listening | {"passwords": passwords}
            write(self.path / _STATE, json.dumps(state, indent=1))
            authority = certificates.make(self.path, plan.host) if plan.tls else ""
            self._write_accounts(passwords)
            write(self.path / _RIGHTS, rights(plan))
            write(self.path / CONFIGURATION, self._configuration(plan))
            keeper = Member(KEEPER[0], "", plan.host, plan.port, passwords[account(*KEEPER)], (), (), authority)
            write_connection(keeper, self.path, KEEPER[1], "mosquitto_pub", "-r")
            return self._write_archives(plan.member(site, passwords[site], authority) for site in plan.wiring.sites)
        except OSError as error:
            raise _unusable(error) from None

    def members(self) -> list[Member]:
        """Who has an archive here. Raises `Problem`."""
        return [unpack(path) for path in sorted(self.archives.glob("*.tar"))]

    def _state(self) -> dict[str, Any]:
        try:
            state: dict[str, Any] = json.loads((self.path / _STATE).read_text(encoding="utf-8"))
            if not isinstance(state, dict) or not {"host", "port", "tls", "brief", "passwords"} <= state.keys():
                raise ValueError(_STATE)
            return state
        except FileNotFoundError:
            return {}
        except ValueError:
            path = self.path / _STATE
            raise Problem(
                f"{path} : endommagé ; donnez un autre dossier (--dossier)",
                f"{path}: damaged; give another folder (--dossier)",
            ) from None

    def _write_accounts(self, passwords: Mapping[str, str]) -> None:
        """The accounts with their passwords, salted and hashed: nobody, the broker included, can read them there."""
        keeper = account(*KEEPER)
        lines = [
            f"{name}:{password}\n"
            for owner, password in passwords.items()
            for name in ([keeper] if owner == keeper else [account(owner, role) for role in (READER, WRITER, WATCHER)])
        ]
        aside = self.path / f"{_ACCOUNTS}.new"
        write(aside, "".join(lines))
        programs.run("mosquitto_passwd", "-U", aside.name, cwd=self.path)
        aside.replace(self.path / _ACCOUNTS)

    def _configuration(self, plan: Plan) -> str:
        tls = [
            f"cafile {self.path / certificates.AUTHORITY}",
            f"certfile {self.path / certificates.CERTIFICATE}",
            f"keyfile {self.path / certificates.KEY}",
            "tls_version tlsv1.2",  # or later
        ]
        said = ["error", "warning", "notice", "information"] if plan.is_brief else ["all"]
        lines = [
            f"listener {plan.port} {plan.host}",  # and nothing else listens
            f"max_connections {MAX_CONNECTIONS}",
            *(tls if plan.tls else []),
            "allow_anonymous false",
            "use_username_as_clientid true",
            f"password_file {self.path / _ACCOUNTS}",
            f"acl_file {self.path / _RIGHTS}",
            f"user {getpass.getuser()}",  # for root: it would become another user, who may not read this folder
            "persistence true",
            f"persistence_location {self.path / 'memoire'}/",
            # Mosquitto waits for *more* than that many whole seconds: two (2.0.11, measured). A killed broker may forget as
            # much, and the sites say it again.
            "autosave_interval 1",
            f"persistent_client_expiration {FORGOTTEN}",
            f"max_queued_messages {MAX_WAITING}",
            f"max_queued_bytes {MAX_WAITING_BYTES}",
            "max_inflight_messages 100",
            f"max_packet_size {MAX_PACKET}",
            "set_tcp_nodelay true",
            "sys_interval 1",
            "log_dest stderr",
            "log_timestamp_format %Y-%m-%dT%H:%M:%S",
            *(f"log_type {kind}" for kind in said),
            f"include_dir {self.path / 'plus'}",
        ]
        return "".join(f"{line}\n" for line in lines)

    def _write_archives(self, members: Iterable[Member]) -> list[Member]:
        """An archive for each of these, and for nobody else."""
        made = list(members)
        for path in set(self.archives.glob("*.tar")) - {self.archive(member.site) for member in made}:
            path.unlink()
        for member in made:
            pack(member, self.archive(member.site))
        return made

    @contextmanager
    def locked(self, name: str) -> Iterator[None]:
        """Nobody else does, meanwhile, what `name` stands for. Raises `BlockingIOError` when somebody does."""
        lock = os.open(self.path / name, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        finally:
            os.close(lock)


def rights(plan: Plan) -> str:
    """What each account may do, as mosquitto's `acl_file` has it; what is not there, nobody may."""
    lines = [f"user {account(*KEEPER)}", f"topic write {topic_of_neighbours('+')}"]
    for site in plan.wiring.sites:
        lines += [f"user {account(site, WRITER)}", f"topic write {topic(site)}"]
        lines += [f"user {account(site, READER)}", *(f"topic read {topic(source)}" for source in plan.reads(site))]
        lines += [f"user {account(site, WATCHER)}", f"topic read {ALIVE}", f"topic read {topic_of_neighbours(site)}"]
    return "".join(f"{line}\n" for line in lines)


def _unusable(error: OSError) -> Problem:
    return Problem(
        f"--dossier : {error.filename} est inutilisable ({error.strerror})",
        f"--dossier: {error.filename} cannot be used ({error.strerror})",
    )
