"""An authority of the broker's own, and the certificate by which the broker proves to every site who it is.

Elliptic curves (P-256): a handshake costs a millisecond, and every TLS 1.2 knows them.
"""

from __future__ import annotations

import ipaddress
import secrets
import socket
from pathlib import Path

from lib.broker import programs
from lib.broker.files import write

AUTHORITY, AUTHORITY_KEY = "ca.crt", "ca.key"
CERTIFICATE, KEY = "courtier.crt", "courtier.key"
_DAYS = "730"  # two school years
_PATIENCE = 2.0  # seconds, for a broker that should greet in a hundredth of one
_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


def make(folder: Path, host: str) -> str:
    """The certificate (PEM) of the authority in `folder`; it and that of the broker at `host` are made if need be.

    Not anew at every start: a machine whose clock is some minutes late would take it for one that is not yet valid.
    Raises `Problem`.
    """
    if not (folder / AUTHORITY).exists():
        _make_authority(folder)
        (folder / CERTIFICATE).unlink(missing_ok=True)
    named = folder / "courtier.nom"  # whom the certificate names
    if not (folder / CERTIFICATE).exists() or not named.exists() or named.read_text() != host:
        _make_certificate(folder, host)
        write(named, host)
    return (folder / AUTHORITY).read_text()


def _make_authority(folder: Path) -> None:
    programs.run(
        "openssl", "req", "-x509", *_NEW_KEY, "-days", _DAYS, "-subj", "/O=Billets de train/CN=Courtier",
        "-addext", "keyUsage=critical,keyCertSign", "-keyout", AUTHORITY_KEY, "-out", AUTHORITY, cwd=folder,
    )  # fmt: skip


def _make_certificate(folder: Path, host: str) -> None:
    request = folder / "courtier.csr"
    programs.run(
        "openssl", "req", "-new", *_NEW_KEY, "-subj", "/CN=courtier", "-keyout", KEY, "-out", request.name, cwd=folder
    )
    programs.run(
        "openssl", "x509", "-req", "-in", request.name, "-CA", AUTHORITY, "-CAkey", AUTHORITY_KEY, "-days", _DAYS,
        "-set_serial", f"0x{secrets.token_hex(16)}", "-extfile", "/dev/stdin", "-out", CERTIFICATE,
        cwd=folder, text=f"subjectAltName={_name(host)}\nextendedKeyUsage=serverAuth\n",
    )  # fmt: skip
    request.unlink()


def _name(host: str) -> str:
    try:
        return f"IP:{ipaddress.ip_address(host)}"
    except ValueError:
        return f"DNS:{host}"


def objection(host: str, port: int, authority: str) -> str:
    """What is wrong with the certificate of who answers at `host`; empty when nothing is, or it could not be seen.

    Mosquitto's programs have the same words, "A TLS error", for a certificate of another authority, one that has expired,
    and a broker that dies while it is greeted.
    """
    import ssl  # 1.3 MB that a machine without trouble does without

    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=authority)
        with socket.create_connection((host, port), _PATIENCE) as plain, context.wrap_socket(plain, server_hostname=host):
            return ""
    except ssl.SSLCertVerificationError as error:
        return error.verify_message
    except OSError:
        return ""
