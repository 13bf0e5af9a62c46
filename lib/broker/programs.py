"""Mosquitto's programs, and openssl: where they are, and running them."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from lib.texts import Problem

CARRY = "--porter"  # what a launcher says first to this room, followed by its run directory; nobody else does
TOPOLOGY = "topologie.txt"  # the graph, in that directory

PATIENCE = 10.0  # seconds, for a program that should take a hundredth of one
_ALSO = "/usr/local/sbin:/usr/sbin"  # where Debian has the broker, and an ordinary user's PATH does not lead
_PACKAGES = {"mosquitto_sub": "mosquitto-clients", "mosquitto_pub": "mosquitto-clients", "mosquitto_passwd": "mosquitto"}


def find(name: str) -> str:
    """The path of a program. Raises `Problem` when it is not installed."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:{_ALSO}")
    if found is None:
        package = _PACKAGES.get(name, name)
        raise Problem(
            f"{name} est introuvable ; installez-le : apt install {package}",
            f"{name} is not to be found; install it: apt install {package}",
        )
    return found


def run(
    name: str, *arguments: str, cwd: Path, text: str = "", environment: Mapping[str, str] | None = None,
    patience: float = PATIENCE,
) -> None:  # fmt: skip
    """Run a program to its end, with `text` on its stdin, and `environment` on top of ours.

    Raises `Problem` with what it says when it fails.
    """
    try:
        done = subprocess.run(
            [find(name), *arguments],
            cwd=cwd,
            env={**os.environ, **(environment or {})},
            input=text,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=patience,
            check=False,
            process_group=0,  # Ctrl-C is for us
        )
    except subprocess.TimeoutExpired:
        raise Problem(f"{name} : pas de réponse en {patience:.0f} s", f"{name}: no answer in {patience:.0f} s") from None
    if done.returncode:
        words = (done.stderr.strip() or done.stdout.strip() or f"{done.returncode}").splitlines()[-1]
        raise Problem(f"{name} : {words}", f"{name}: {words}")
