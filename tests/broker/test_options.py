"""The command lines of broker.sh and join.sh; what is wrong is one line, in both languages."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from lib.broker import options
from lib.broker.options import JOIN, Options
from lib.texts import Problem
from tests.broker.machines import BROKER
from tests.broker.machines import JOIN as JOIN_SCRIPT
from tests.processes.ring import ENVIRONMENT

TOPOLOGY = Path.cwd() / "t.txt"


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (["t.txt", "--local"], {"file": TOPOLOGY, "local": True}),
        (["t.txt", "--adresse", "192.168.1.10"], {"file": TOPOLOGY, "host": "192.168.1.10"}),
        (["--adresse=salle-3.local", "t.txt", "--port=1"], {"file": TOPOLOGY, "host": "salle-3.local", "port": 1}),
        (["--journal=bref", "--dossier", "/d"], {"brief": True, "folder": Path("/d")}),
        (["--journal", "complet"], {"brief": False}),
        (["--ajouter", "c9 -- c2", "--ajouter=c9 -> c3"], {"added": ("c9 -- c2", "c9 -> c3")}),
        (["--retirer=c1", "--retirer", "c2"], {"removed": ("c1", "c2")}),
        (["--lang=en", "-h"], {"help": True}),
    ],
)
def test_of_broker(arguments: list[str], wanted: dict[str, Any]) -> None:
    assert options.parse(arguments) == Options(**wanted)


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (["c1.tar"], {}),
        (["c1.tar", "--dossier", "/d"], {"folder": Path("/d")}),
        (["c1.tar", "--notk", "--delai", "4", "-geometry", "1x1"], {"rest": ("--notk", "--delai", "4", "-geometry", "1x1")}),
        (["c1.tar", "--lang", "en"], {"rest": ("--lang=en",)}),
        (["c1.tar", "--help"], {"help": True}),
    ],
)
def test_of_join(arguments: list[str], wanted: dict[str, Any]) -> None:
    assert options.parse([JOIN, *arguments]) == Options(JOIN, file=Path("c1.tar"), **wanted)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["t.txt", "--prot", "1"], "--prot"),
        (["t.txt", "u.txt"], "u.txt"),
        (["--port=0"], "--port=0"),
        (["--port", "70000"], "--port=70000"),
        (["--port"], "--port"),
        (["--adresse=a b"], "--adresse=a b"),
        (["--adresse=.."], "--adresse=.."),
        (["--adresse", f"{'x' * 64}.org"], "xxx.org"),
        (["--journal=long"], "--journal=long"),
        (["--lang=de"], "--lang=de"),
        (["--dossier="], "--dossier"),
        (["--local", "--adresse=1.2.3.4"], "--local"),
        (["--ajouter=c1 -- c2", "--local"], "--ajouter"),
        ([JOIN], "archive"),
        ([JOIN, "c1.tar", "--ident=c2"], "--ident"),
        ([JOIN, "c1.tar", "--notk", "--guichet", "c2"], "--guichet"),
        ([JOIN, "c1.tar", "--voisins=c2"], "--voisins"),
        ([JOIN, "c1.tar", "--liaison=x"], "--liaison"),
        ([JOIN, "--notk", "c1.tar"], "archive"),
    ],
)
def test_what_cannot_be(arguments: list[str], words: str) -> None:
    with pytest.raises(Problem) as refused:
        options.parse(arguments)
    for text in (refused.value.text.fr, refused.value.text.en):
        assert words in text and "\n" not in text
    assert refused.value.text.fr != refused.value.text.en


@pytest.mark.parametrize(("script", "name"), [(BROKER, "broker.sh"), (JOIN_SCRIPT, "join.sh")])
def test_help_and_complaints_of_the_scripts_themselves(tmp_path: Path, script: Path, name: str) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [script, *arguments], cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, check=False
        )

    for language, first in (("fr", f"Usage : {name}"), ("en", f"Usage: {name}")):
        told = run("--help", f"--lang={language}")
        assert told.returncode == 0 and told.stdout.startswith(first) and told.stderr == ""
        assert max(map(len, told.stdout.splitlines())) <= 125
    for language, first in (("fr", f"{name} : "), ("en", f"{name}: ")):
        refused = run("absent", f"--lang={language}", *(["--local"] if script == BROKER else []))
        assert refused.returncode == 2 and refused.stderr.startswith(f"{first}")
        assert refused.stderr.count("\n") == 1 and "absent" in refused.stderr
    assert not list(tmp_path.glob("billets-*"))
