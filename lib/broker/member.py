"""What one site needs to take part: as a value, as the archive that its owner is handed, as options for mosquitto.

A site has one password and three accounts, one for each connection. The broker makes the account's name the name of the
connection, so that nobody can take over another's and what waits for it; and who publishes cannot read, nor the reverse.
"""

from __future__ import annotations

import io
import json
import re
import tarfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lib.broker.files import write
from lib.texts import Problem

READER, WRITER, WATCHER = "lit", "ecrit", "veille"
KEEPALIVE = 5  # seconds, the least that mosquitto takes: a link that was cut without a word is noticed in twice that
ALIVE = "$SYS/broker/uptime"  # the broker says it every other second
WATCHED = "%r %t %p"  # what the watching connection writes: whether it was said before we came, the topic, the words

_NAME = re.compile(r"[A-Za-z0-9_-]{1,32}")  # a site's (contract, section 2)
HOST = re.compile(r"(?=.{1,253}$)[A-Za-z0-9_:-]{1,63}(\.[A-Za-z0-9_:-]{1,63})*")  # an address, or a name (RFC 1035)
_PASSWORD = re.compile(r"[A-Za-z0-9_-]{8,64}")
_SITE, _AUTHORITY = "site.json", "ca.crt"  # the files of an archive
_MAX_FILE = 2**16  # bytes: a graph of 500 sites in which one hears all others takes 17,000


@dataclass(frozen=True, slots=True)
class Member:
    """A site, and how it reaches the others. `reads`: those who write to it; `neighbours`: those, and whom it writes to.
    `authority` is the certificate (PEM) by which the broker proves who it is; empty: without TLS."""

    site: str
    guichet: str
    host: str
    port: int
    password: str
    reads: tuple[str, ...]
    neighbours: tuple[str, ...]
    authority: str = ""


def topic(site: str) -> str:
    """Where `site` publishes what it writes."""
    return f"billets/{site}"


def topic_of_neighbours(site: str) -> str:
    """Where the broker's keeper tells `site` whom it now reads, should that change."""
    return f"voisins/{site}"


def account(site: str, role: str) -> str:
    """The name of an account: no site has a dot in its own."""
    return f"{site}.{role}"


# -------------------------------------------------------------------------------------------------------- as an archive


def pack(member: Member, path: Path) -> None:
    """Write the archive, for its owner's eyes only, whole or not at all."""
    fields = asdict(member)
    contents = {_AUTHORITY: fields.pop("authority"), _SITE: json.dumps(fields, indent=1)}
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name, text in contents.items():
            if text:
                entry = tarfile.TarInfo(name)
                entry.size, entry.mode = len(text.encode()), 0o600
                archive.addfile(entry, io.BytesIO(text.encode()))
    write(path, made.getvalue())


def unpack(path: Path) -> Member:
    """The member in the archive at `path`: nothing is written, nothing believed. Raises `Problem`."""
    try:
        with tarfile.open(path, mode="r:") as archive:
            fields = json.loads(_content(archive, _SITE))
            authority = _content(archive, _AUTHORITY) if _AUTHORITY in archive.getnames() else ""
        return _member(fields, authority)
    except OSError as error:
        raise Problem(
            f"{path} : illisible ({error.strerror or error})", f"{path}: cannot be read ({error.strerror or error})"
        ) from None
    except (tarfile.TarError, KeyError, TypeError, ValueError):
        raise Problem(
            f"{path} : ce n'est pas une archive de scripts/broker.sh ; demandez-en une autre",
            f"{path}: not an archive of scripts/broker.sh; ask for another one",
        ) from None


def _content(archive: tarfile.TarFile, name: str) -> str:
    file = archive.extractfile(name)
    if file is None:
        raise ValueError(name)
    return file.read(_MAX_FILE).decode()


def _member(fields: dict[str, Any], authority: str) -> Member:
    """The member of these fields. Raises `ValueError`, `TypeError` or `KeyError` for what cannot be."""
    reads, neighbours = ([_matched(_NAME, name) for name in fields[key]] for key in ("reads", "neighbours"))
    if not 0 < int(fields["port"]) < 2**16:
        raise ValueError("port")
    return Member(
        site=_matched(_NAME, fields["site"]),
        guichet=_matched(_NAME, fields["guichet"]),
        host=_matched(HOST, fields["host"]),
        port=int(fields["port"]),
        password=_matched(_PASSWORD, fields["password"]),
        reads=tuple(reads),
        neighbours=tuple(neighbours),
        authority=authority,
    )


def _matched(pattern: re.Pattern[str], value: str) -> str:
    if not pattern.fullmatch(value):
        raise ValueError(value)
    return value


def names(text: str) -> tuple[str, ...]:
    """The names of sites in what a keeper tells; none when something else is among them."""
    found = text.split()
    return tuple(found) if all(map(_NAME.fullmatch, found)) else ()


# ---------------------------------------------------------------------------------------- as options of mosquitto's programs


def write_options(member: Member, folder: Path) -> None:
    """The options of the three connections, each as mosquitto's programs look for them: $XDG_CONFIG_HOME/PROGRAM.

    In a file, because the command line of a process, password and all, can be read by everybody.
    """
    if member.authority:
        write(folder / _AUTHORITY, member.authority)
    write_reader(member, folder)
    write_connection(member, folder, WRITER, "mosquitto_pub", "-l", "-c", f"-t {topic(member.site)}")
    watched = (f"-t {ALIVE}", f"-t {topic_of_neighbours(member.site)}")
    write_connection(member, folder, WATCHER, "mosquitto_sub", f"-F {WATCHED}", *watched)


def write_reader(member: Member, folder: Path) -> None:
    """The options of the connection that reads, which change with the neighbours."""
    write_connection(member, folder, READER, "mosquitto_sub", "-c", *(f"-t {topic(name)}" for name in member.reads))


def write_forgetting(member: Member, folder: Path) -> None:
    """The same connection, which now only has the broker forget it, and what waits for it."""
    write_connection(member, folder, READER, "mosquitto_sub", "-E", f"-t {topic(member.site)}")


def write_connection(member: Member, folder: Path, role: str, program: str, *special: str) -> None:
    """The options of one connection, in `folder`/`role`/`program`."""
    name = account(member.site, role)
    # QoS 1: twice rather than never; the relay drops what it has seen. MQTT 3.1.1: with 5, the clients of 2.0.11 do not
    # find their way back to a broker that was started again (measured).
    options = [f"-h {member.host}", f"-p {member.port}", f"-u {name}", f"-i {name}", f"-P {member.password}", "-q 1"]
    options += [f"-k {KEEPALIVE}", "-V mqttv311", "--nodelay", *special]
    if member.authority:
        options.append(f"--cafile {folder / _AUTHORITY}")
    write(folder / role / program, "".join(f"{option}\n" for option in options))
