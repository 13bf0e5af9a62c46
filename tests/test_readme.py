"""Both READMEs are true: every command is run here, their commands are the same, their tables are the parsers'."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, ClassVar

import pytest

from lib.edge import commands, options
from lib.launch import options as launch_options
from lib.launch.rehearsal import Robot
from tests.windows import conftest as windows

display = windows.display  # the fixture: a screen that nobody sees
ROOT = Path(__file__).resolve().parents[1]
FRENCH, ENGLISH = ROOT / "README.md", ROOT / "README.en.md"
LIMIT = 120.0  # seconds for a command: several times what the slowest takes

# ----------------------------------------------------------------------------------------------------- reading Markdown

Table = list[list[str]]


def section(text: str, heading: str) -> str:
    """What stands under a heading, up to the next one of whatever height. Fenced lines are no headings."""
    lines, taken, is_inside, is_fenced = text.splitlines(), [], False, False
    for line in lines:
        is_fenced ^= line.startswith("```")
        if line.startswith("#") and not is_fenced:
            is_inside = line == heading
        elif is_inside:
            taken.append(line)
    assert taken, f"nothing under {heading!r}"
    return "\n".join(taken)


def tables_under(text: str, heading: str) -> list[Table]:
    """The tables under a heading, each as its rows of cells, without the head."""
    tables: list[Table] = []
    rows: Table = []
    for line in [*section(text, heading).splitlines(), ""]:
        if line.startswith("|"):
            rows.append([cell.replace(r"\|", "|").strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
        elif rows:
            tables.append(rows[2:])
            rows = []
    return tables


def quoted(cell: str) -> list[str]:
    """What stands between backticks."""
    return re.findall("`([^`]*)`", cell)


def blocks(path: Path, kind: str) -> list[list[str]]:
    """The fenced blocks of a kind, as their lines."""
    found = re.findall(rf"^```{kind}\n(.*?)^```", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [block.splitlines() for block in found]


def typed(first: str) -> list[str]:
    """The lines that are typed into a console, of which this is the first."""
    (lines,) = [block for block in blocks(FRENCH, "text") if block[0] == first]
    return lines


# ------------------------------------------------------------------------------------------------- running the commands


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that looks like the repository, so that what a command makes is made there; and a user's timetables."""
    for name in ("guichet.py", "client.py", "cable.py", "lib", "scripts", "topologies", "examples", "tests"):
        (tmp_path / name).symlink_to(ROOT / name)
    write_gtfs(tmp_path / "horaires")
    write_sncf(tmp_path / "sncf")
    return tmp_path


def write_gtfs(path: Path) -> None:
    """A feed of a few trains on one day."""
    hours = range(6, 12)
    trips = "".join(f"rail,jour,t{hour},70{hour:02d}\n" for hour in hours)
    stops = "".join(
        f"t{hour},{hour:02d}:{minute}:00,{hour:02d}:{minute}:00,{stop},{rank}\n"
        for hour in hours
        for rank, (stop, minute) in enumerate((("A", "00"), ("B", "25"), ("C", "55")), 1)
    )
    contents = {
        "agency": "agency_name,agency_url,agency_timezone\nA,http://a,Europe/Paris\n",
        "routes": "route_id,route_type\nrail,2\n",
        "stops": "stop_id,stop_name,stop_lat,stop_lon\n"
        "A,Compiègne,49.42,2.82\nB,Creil,49.26,2.47\nC,Paris Gare du Nord,48.88,2.36\n",
        "trips": f"route_id,service_id,trip_id,trip_headsign\n{trips}",
        "calendar_dates": "service_id,date,exception_type\njour,20250317,1\n",
        "stop_times": f"trip_id,arrival_time,departure_time,stop_id,stop_sequence\n{stops}",
    }
    path.mkdir()
    for name, content in contents.items():
        (path / f"{name}.txt").write_text(content, encoding="utf-8")


def write_sncf(path: Path) -> None:
    """departures.csv and fares.csv with one train."""
    path.mkdir()
    (path / "departures.csv").write_text(
        "train_number,product,departure_station,departure_uic,arrival_station,arrival_uic,departure_time,days,"
        "first_date,last_date\n"
        "848362,TER,Abbeville,87317362,Amiens,87313874,04:57,12345,2025-01-22,2025-04-22\n",
        encoding="utf-8",
    )
    (path / "fares.csv").write_text(
        "departure_uic,arrival_uic,product,travel_class,profile,price_max\n87317362,87313874,TER,2,Tarif Normal,9.30\n",
        encoding="utf-8",
    )


def environment() -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if key not in ("DISPLAY", "WAYLAND_DISPLAY", "PYTHONPATH")}
    return kept | {"LC_ALL": "C.UTF-8", "LANG": "C.UTF-8"}


def shell(command: str, folder: Path, typed: str = "") -> subprocess.CompletedProcess[str]:
    """Run it as a user's shell does, in a session of its own that ends with it."""
    with begun(command, folder) as process:
        out, err = process.communicate(typed, timeout=LIMIT)
        return subprocess.CompletedProcess(command, process.returncode, out, err)


def end(process: subprocess.Popen[str]) -> None:
    """Whatever is left of the session that was started here ends."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    process.wait(10)


@contextmanager
def begun(command: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        ["bash", "-c", command],
        cwd=folder,
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    watchdog = threading.Timer(LIMIT, end, [process])  # a read of what never comes has no limit of its own
    watchdog.start()
    try:
        yield process
    finally:
        watchdog.cancel()
        end(process)


def ends_well(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    ended = shell(command, folder)
    assert ended.returncode == 0, ended.stdout[-2000:] + ended.stderr
    return ended


def read_until(process: subprocess.Popen[str], wanted: str) -> re.Match[str]:
    """Read what a process prints until a line has `wanted`."""
    seen = ""
    assert process.stdout is not None
    for line in process.stdout:
        seen += line
        if found := re.search(wanted, line):
            return found
    assert process.stderr is not None
    raise AssertionError(f"no {wanted!r} in:\n{seen}{process.stderr.read()}")


def runs_until_interrupted(command: str, folder: Path) -> None:
    with begun(f"exec {command}", folder) as process:
        read_until(process, "[46] sites en marche")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=LIMIT)
        assert process.returncode == 0


FIRST_SNAPSHOT = "instantane-1-AAAAMMJJ-HHMMSS.json"
# What is typed -> what shows that it worked. The tickets are those of examples/billets.csv.
ANSWERS = {
    "aide": r"confirmer demande=",
    "c1 consulter destination=Creil": r"c1 : demande 1 : \d+ billets",
    "c1 reserver destination=Creil": r"c1 : demande 2 offerte, billet B0028",
    "c1 confirmer demande=2": r"c1 : demande 2 : le billet B0028 est à c1",
    "c1 etat": r"c1 : détient 1 billet",
    "gch etat": r"gch : \d+ libres, 0 retenu, 1 vendu",
    "c2 instantane": r"gch : instantané 1 complet.*?(instantane-1-[\d-]*\.json)",
    "c1 rendre billet=B0028": r"c1 : demande 3 : B0028 repris",
    f"gch charger fichier={FIRST_SNAPSHOT}": r"gch : tous sont restaurés \(époque 1\)",
}
# With one link of two cut: the ticket comes the other way.
DETOURS = {
    "couper gch--c1": r"c1->gch.*coupé",
    "c1 reserver destination=Creil": r"c1 : demande 1 : le billet B0028 est à c1",
    "etat gch--c1": r"c1->gch.*par la coupure",
    "retablir gch--c1": r"c1->gch.*rétabli",
}
# Every fault, as the tables of the READMEs have it typed. c3 is started again before it is dismissed.
FAULTS = {
    "regler c1->c2 delai=300 perte=0.2 doublon=0.1 desordre=0.1": r"c1->c2.*réglé.*delai=300 perte=0\.2 doublon",
    "regler c1->c2 delai=0 perte=0 doublon=0 desordre=0": r"c1->c2.*sans défaut",
    "couper c1->c2": r"c1->c2.*coupé",
    "retablir c1->c2": r"c1->c2.*rétabli",
    "pause c1->c2": r"c1->c2.*en pause",
    "pas c1->c2": r"c1->c2.*(passe)",
    "reprendre c1->c2": r"c1->c2.*reprend",
    "etat tous": r"c3->gch.*lues",
    "suspendre gch": r"gch est suspendu",
    "reprendre gch": r"gch continue",
    "tuer c3": r"c3 s'est arrêté \(signal 9\)",
    "relancer c3": r"c3 est relancé",
    "gch liberer client=c3": r"c3 : congédié",
}


def converse(command: str, folder: Path, answers: dict[str, str]) -> str:
    """What the page has typed, typed into a pipe instead of a terminal: each line is answered as it should be; what the
    parenthesis of a pattern has found."""
    name = ""
    with begun(f"{command} --console", folder) as process:
        assert process.stdin is not None
        read_until(process, "Tapez")
        for line in [*answers, "quitter"]:
            process.stdin.write(line.replace(FIRST_SNAPSHOT, name) + "\n")
            process.stdin.flush()
            if line != "quitter":
                found = read_until(process, answers[line])
                name = found[1] if found.lastindex else name
        process.communicate(timeout=LIMIT)
        assert process.returncode == 0
    return name


def visit(command: str, folder: Path) -> None:
    name = converse(command, folder, ANSWERS)
    assert (folder / "essai" / "instantanes" / name).exists()


def goes_round(command: str, folder: Path) -> None:
    converse(command, folder, DETOURS)


def goes_wrong(command: str, folder: Path) -> None:
    converse(command.replace("--console", "--notk"), folder, FAULTS)


def takes_a_snapshot(folder: Path) -> None:
    """What the first visit leaves behind, in short."""
    command = "scripts/launch_ring.sh --notk --console -c 2 --dossier visite"
    with begun(command, folder) as process:
        assert process.stdin is not None
        read_until(process, "Tapez")
        process.stdin.write("c2 instantane\n")
        process.stdin.flush()
        read_until(process, "instantané 1 complet")
        process.communicate("quitter\n", timeout=LIMIT)


def reports(command: str, folder: Path) -> None:
    takes_a_snapshot(folder)
    assert "61 billets : 61 libres, 0 retenu, 0 vendu ; " in ends_well(command, folder).stdout.replace("\u00a0", " ")


def draws(command: str, folder: Path) -> None:
    takes_a_snapshot(folder)
    ends_well(command, folder)
    assert (folder / "diagramme.svg").read_text(encoding="utf-8").count('class="cut"') == 1


def logs_for_shiviz(command: str, folder: Path) -> None:
    takes_a_snapshot(folder)
    ends_well(command, folder)
    assert '{"gch":1}' in (folder / "shiviz.log").read_text(encoding="utf-8").replace(" ", "")


def spoils(command: str, folder: Path) -> None:
    """Some lines are lost; none is cut."""
    ends_well(command, folder)
    whole = (folder / "examples" / "billets.csv").read_text(encoding="utf-8").splitlines()
    left = (folder / "abime.csv").read_text(encoding="utf-8").splitlines()
    assert 0 < len(left) < len(whole) and set(left) <= set(whole)


def imports(command: str, folder: Path) -> None:
    """An import tells what it left out, and ends with its input; a train is there to be sold."""
    traced = command.replace("--notk", "--notk --trace=trace.jsonl", 1)
    ended = ends_well(traced, folder)
    assert '"state":"free"' in (folder / "trace.jsonl").read_text(encoding="utf-8"), ended.stderr


def plays(command: str, folder: Path) -> None:
    assert "Verdict : SUCCÈS" in ends_well(command, folder).stdout


def simulates(command: str, folder: Path) -> None:
    assert ends_well(command, folder).stdout.startswith("100 runs")


def exists(command: str, folder: Path) -> None:
    """Running it would run this very test again."""
    assert os.access(folder / command, os.X_OK)


def is_played_in(test: str) -> Callable[[str, Path], None]:
    """Another test runs it, which takes long or needs more than there is here; here its help is asked for."""

    def asks_for_help(command: str, folder: Path) -> None:
        script = command.split()[0]
        assert "--help" in ends_well(f"{script} --help", folder).stdout
        tests = [ROOT / test] if test.endswith(".py") else (ROOT / test).glob("*.py")
        assert any(Path(script).name in path.read_text(encoding="utf-8") for path in tests), f"{test} does not run it"

    return asks_for_help


HAND_WIRED = "mkfifo in1 out1 in2 out2 app2.cmd"
# The commands of the READMEs -> how each is tried. Those of one block that belong together stand together.
TRIED: dict[str, Callable[[str, Path], Any]] = {
    "scripts/launch_ring.sh": runs_until_interrupted,
    "scripts/test.sh": exists,
    "scripts/launch_ring.sh --demo": plays,
    "scripts/launch_ring.sh --dossier visite": runs_until_interrupted,  # in its windows: see below
    'scripts/launch_ring.sh --notk --dossier essai --client "--confirmation=manuelle"': visit,
    "./guichet.py --liste visite/instantanes": reports,
    "./guichet.py --verifier visite/instantanes/instantane-1-*.json": reports,
    "python3 -m lib.diagram visite --tour=1 -o diagramme.svg": draws,
    "python3 -m lib.diagram visite --shiviz -o shiviz.log": logs_for_shiviz,
    "scripts/launch_graph.sh topologies/y.txt": runs_until_interrupted,
    "scripts/launch_graph.sh topologies/anneau_double.txt --notk --dossier double --relancer "
    '--cable "tous: delai=50 perte=0.02 graine=7"': goes_round,
    "scripts/launch_ring.sh --console --cable tous": goes_wrong,
    "./cable.py --delai=300 --perte=0.2 --graine=7 < examples/billets.csv > abime.csv": spoils,
    "scripts/broker.sh topologies/anneau_double.txt --adresse 192.168.1.10": is_played_in("tests/broker"),
    "scripts/join.sh c1.tar": is_played_in("tests/broker"),
    "./guichet.py --notk --gtfs=horaires --date=2025-03-17 --depart=Compiègne < /dev/null > /dev/null": imports,
    "scripts/launch_ring.sh --demo -- --gtfs=horaires --date=2025-03-17 --places=2": plays,
    "./guichet.py --notk --billets=examples/billets.csv < /dev/null > /dev/null": imports,
    "./guichet.py --notk --billets=sncf/departures.csv --date=2025-03-17 --places=2 < /dev/null > /dev/null": imports,
    "python3 -m tests.simulator --runs 100 --seed 1": simulates,
    "scripts/demo_soutenance.sh": is_played_in("tests/windows/test_rehearsal.py"),
    "scripts/demo_soutenance.sh --auto": is_played_in("tests/windows/test_rehearsal.py"),
}


def hand_wired() -> list[str]:
    (block,) = [block for block in blocks(FRENCH, "sh") if block[0] == HAND_WIRED]
    return block


@pytest.mark.parametrize("command", TRIED)
def test_a_command_does_what_it_should(command: str, folder: Path) -> None:
    TRIED[command](command, folder)


def test_sites_wired_by_hand(folder: Path) -> None:
    """The block as it stands, with a wait for what a person would wait for."""
    reserve, quit = 'echo "reserver destination=Creil" > app2.cmd', 'echo "quitter" > app2.cmd'
    assert reserve in hand_wired() and hand_wired()[-1] == quit
    waits = "until grep -q owned app2.jsonl; do sleep 0.02; done"
    script = "\n".join([line for told in hand_wired() for line in ((told, waits) if told == reserve else (told,))])
    ended = ends_well(f"{script}\nwait", folder)  # `wait`: the guichet ends when nobody writes to it any more
    assert '"state":"owned"' in ended.stdout, ended.stderr


def test_every_command_is_tried() -> None:
    commands = [line for block in blocks(FRENCH, "sh") if block[0] != HAND_WIRED for line in block]
    assert sorted(commands) == sorted(TRIED)


@pytest.mark.parametrize("answers", [ANSWERS, DETOURS])
def test_every_line_that_is_typed_is_tried(answers: dict[str, str]) -> None:
    assert set(typed(next(iter(answers)))) == {*answers, "quitter"}


@pytest.mark.parametrize("path", [FRENCH, ENGLISH], ids=["fr", "en"])
def test_every_fault_of_the_table_is_tried(path: Path) -> None:
    table = table_in(path, "## D'autres topologies, et des pannes", "## Other topologies, and faults")
    assert [line for row in table for line in quoted(row[1])] == list(FAULTS)


def test_both_readmes_have_the_same_commands() -> None:
    assert blocks(FRENCH, "sh") == blocks(ENGLISH, "sh")
    for answers in (ANSWERS, DETOURS):
        assert typed(next(iter(answers))) in blocks(ENGLISH, "text")


def test_what_the_french_page_shows_of_a_check_is_what_is_said() -> None:
    from lib.edge import verify

    document = {
        "collector": "gch",
        "complete": True,
        "sites": {"gch": {"tickets": [{"state": "free"}] * 60 + [{"state": "sold"}]}},
        "channels": [],
    }
    said = verify._summary(document, [])
    assert [said.fr] in blocks(FRENCH, "text")
    assert [said.en] in blocks(ENGLISH, "text")


# ---------------------------------------------------------------------------------------- the first visit, in its windows

# Where, which keys, and what must then be in whose trace.
STEPS = [
    ("c1", ("Alt+P",), "c1", '"state":"offered"'),
    ("c1", ("Alt+C",), "c1", '"state":"owned"'),
    ("c2", ("Alt+P",), "c2", '"state":"expired"'),
    ("c1", ("Ctrl+I",), "gch", '"phase":"complete"'),
    ("c3", ("Alt+P",), "c3", '"state":"offered"'),
    ("c3", ("Alt+C",), "c3", '"state":"owned"'),
    ("gch", ("Ctrl+O", "Return"), "gch", '"ev":"restore".*"phase":"complete"'),
    ("c3", ("Ctrl+Q",), "c3", '"ev":"stop"'),
]
RETURN = {"Entrée": "Return", "Enter": "Return"}


def await_line(trace: Path, wanted: str) -> None:
    """Until a line of a trace has `wanted`."""
    deadline = time.monotonic() + LIMIT
    while not re.search(wanted, trace.read_text(encoding="utf-8")):
        assert time.monotonic() < deadline, f"no {wanted} in {trace.name}"
        time.sleep(0.05)


@pytest.mark.skipif(not shutil.which("xdotool"), reason="no xdotool: apt install xdotool")
def test_the_first_visit_through_the_windows(folder: Path, display: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Key by key, and each does what the page says; only the offer that is let go holds less long."""
    monkeypatch.setenv("DISPLAY", display)
    user = Robot()
    with begun(f"DISPLAY={display} exec scripts/launch_ring.sh --dossier visite --guichet=--delai=15", folder) as process:
        read_until(process, "4 sites en marche")
        for site, keys, witness, wanted in STEPS:
            user.press(site, *(key.lower().replace("return", "Return") for key in keys))
            await_line(folder / "visite" / f"{witness}.trace.jsonl", wanted)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=LIMIT)
        assert process.returncode == 0


@pytest.mark.parametrize("path", [FRENCH, ENGLISH], ids=["fr", "en"])
def test_the_keys_of_the_first_visit_are_those_that_are_tried(path: Path) -> None:
    table = table_in(path, "## Première visite, en cinq minutes", "## First visit, in five minutes")
    page = [(row[0], RETURN.get(key, key)) for row in table for key in quoted(row[1])]
    assert page == [(site, key) for site, keys, _, _ in STEPS for key in keys]


@pytest.mark.parametrize("path", [FRENCH, ENGLISH], ids=["fr", "en"])
def test_what_is_to_be_clicked_is_called_so_in_the_windows(path: Path) -> None:
    source = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "lib" / "windows").rglob("*.py"))
    table = table_in(path, "## Première visite, en cinq minutes", "## First visit, in five minutes")
    names = {name for row in table for name in re.findall(r"\*\*(.*?)\*\*|[«\"]\s*([^»\"]*?)\s*[»\"]", row[1])}
    labels = {bold or tab for bold, tab in names}
    assert len(labels) == 7 and [label for label in labels if f'"{label}"' not in source] == []


# ----------------------------------------------------------------------------------------------------------- the tables


def heading_of(path: Path, french: str, english: str) -> str:
    return french if path == FRENCH else english


def table_in(path: Path, french: str, english: str) -> Table:
    text = path.read_text(encoding="utf-8")
    (table,) = tables_under(text, heading_of(path, french, english))
    return table


def names_of(table: Table) -> list[str]:
    """The options in the first cells, without their values."""
    return [re.split("[ =[]", option)[0] for row in table for option in quoted(row[0])]


def options_of(role: str) -> set[str]:
    """Every option that the parser of a role knows."""
    return {option for action in options._parser(role, "fr")._actions for option in action.option_strings}


def commands_of(role: str) -> list[str]:
    return list(commands.VERBS[role])


class Spy(commands._Arguments):
    """Arguments that have everything, and note what they are asked for."""

    VALUES: ClassVar = {"date": "2027-03-15T07:10", "du": "2027-03-15", "au": "2027-03-15", "cout": "9.80"}

    def __init__(self) -> None:
        super().__init__("", [])
        self.keys: set[str] = set()

    def text(self, key: str) -> str:
        self.keys.add(key)
        return self.VALUES.get(key, "1")

    def optional(self, key: str) -> str | None:
        return self.text(key).partition("T")[0]  # `importer` takes days; `modifier` leaves the date to the core


def command_keys(role: str, verb: str) -> set[str]:
    """Every key that a command takes."""
    spy = Spy()
    commands.VERBS[role][verb](spy)
    return spy.keys


def rows_by_site(table: Table, role: str) -> dict[str, set[str]]:
    """The commands of a role with their keys, as a table has them."""
    rows = [row for row in table if row[0] in (role, "tous", "all")]
    return {quoted(row[1])[0]: {key.rstrip("=") for key in quoted(row[2])} for row in rows}


@pytest.mark.parametrize("path", [FRENCH, ENGLISH], ids=["fr", "en"])
def test_the_options_of_the_programs(path: Path) -> None:
    heading = "### `guichet.py` et `client.py`", "### `guichet.py` and `client.py`"
    table = table_in(path, *heading)
    names = names_of(table)
    assert len(names) == len(set(names))
    assert set(names) == options_of("guichet") | options_of("client")
    only_guichet = {name for row in table if row[1] == "guichet" for name in names_of([row])}
    assert options_of("guichet") - options_of("client") <= only_guichet


@pytest.mark.parametrize("path", [FRENCH, ENGLISH], ids=["fr", "en"])
def test_the_options_of_the_launcher(path: Path) -> None:
    scripts = "`scripts/launch_ring.sh`", "`scripts/launch_graph.sh`"
    names = names_of(table_in(path, "### " + " et ".join(scripts), "### " + " and ".join(scripts)))
    assert sorted(names) == sorted({*launch_options._FLAGS, *launch_options._VALUES, "-c"})


def helped(command: str, folder: Path) -> list[str]:
    """The options that a program's help lists, one or two a line."""
    lines = re.findall(r"^  (-.*?)(?:  .*)?$", ends_well(f"{command} --help", folder).stdout, re.MULTILINE)
    return [option for line in lines for option in re.findall(r"(?<![\w-])--?[a-z][a-z-]*", line)]


@pytest.mark.parametrize(
    ("command", "french", "english"),
    [
        ("./cable.py", "`cable.py`", "`cable.py`"),
        ("python3 -m lib.diagram", "`python3 -m lib.diagram DOSSIER`", "`python3 -m lib.diagram FOLDER`"),
    ],
)
def test_the_options_of_the_other_programs(folder: Path, command: str, french: str, english: str) -> None:
    for path in (FRENCH, ENGLISH):
        names = names_of(table_in(path, f"### {french}", f"### {english}"))
        assert sorted(names) == sorted(helped(command, folder))


@pytest.mark.parametrize("role", ["guichet", "client"])
@pytest.mark.parametrize("path", [FRENCH, ENGLISH], ids=["fr", "en"])
def test_the_commands(path: Path, role: str) -> None:
    table = table_in(path, "## Les commandes", "## Commands")
    assert rows_by_site(table, role) == {verb: command_keys(role, verb) for verb in commands_of(role)}


def test_the_defaults_in_the_table() -> None:
    """The numbers in parentheses are those of the parser."""
    heading = "### `guichet.py` et `client.py`"
    page = {
        name: number[1]
        for row in table_in(FRENCH, heading, heading)
        for name in names_of([row])
        if (number := re.search(r"\((\d+)\)$", row[2]))
    }
    guichet, client = options.parse("guichet", []), options.parse("client", [])
    assert {name: float(number) for name, number in page.items()} == {
        "--delai": guichet.delay,
        "--delai-instantane": guichet.snapshot_delay,
        "--places": guichet.seats,
        "--patience": client.patience,
    }


@pytest.mark.parametrize("path", [FRENCH, ENGLISH], ids=["fr", "en"])
def test_who_may_import_whom(path: Path) -> None:
    """The table of the architecture is the rule that `test_architecture.py` holds the code to."""
    from tests.core.test_architecture import ROOMS

    page = {quoted(row[0])[0]: set(quoted(row[1])) for row in table_in(path, "## L'architecture", "## Architecture")}
    for room, names in ROOMS.items():
        paths = [name.replace(".", "/") for name in names]
        rule = {path if (ROOT / path).is_dir() else f"{path}.py" for path in paths}
        assert page[f"lib/{room}"] | {f"lib/{room}"} == rule


@pytest.mark.parametrize("path", [FRENCH, ENGLISH], ids=["fr", "en"])
def test_the_plan_of_the_architecture_names_every_room(path: Path) -> None:
    plan = section(path.read_text(encoding="utf-8"), heading_of(path, "## L'architecture", "## Architecture"))
    rooms = {f"{folder.parent.name}/" for folder in (ROOT / "lib").glob("*/__init__.py")}
    assert {room for room in rooms if not re.search(rf"^  {room} ", plan, re.MULTILINE)} == set()


def test_the_number_of_mutants() -> None:
    from tests.mutants import MUTANTS

    assert f"| mutants | {len(MUTANTS)} fautes" in FRENCH.read_text(encoding="utf-8")
    assert f"| mutants | {len(MUTANTS)} known" in ENGLISH.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", [FRENCH, ENGLISH], ids=["fr", "en"])
def test_every_file_that_the_page_names_exists(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)#][^)]*)\)", text)]
    assert links and [link for link in links if not (ROOT / link).exists()] == []


def test_the_map_of_the_house_names_every_room() -> None:
    """`lib/__init__.py` is a docstring and nothing else, and no module is left out of it, or named in vain."""
    source = (ROOT / "lib" / "__init__.py").read_text(encoding="utf-8")
    code = compile(source, "lib", "exec")
    assert code.co_names == ("__doc__",), "the map has code in it"
    named = set(re.findall(r"^    ((?:core|edge)/\w+)", source, re.MULTILINE))
    rooms = {f"{room}/{path.stem}" for room in ("core", "edge") for path in (ROOT / "lib" / room).glob("*.py")}
    assert named == {room for room in rooms if not room.endswith("__init__")}
