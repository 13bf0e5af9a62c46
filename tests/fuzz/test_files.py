"""Files that a disk has damaged, or somebody has written by hand: each is read, or refused in one sentence and left alone.

"Exit status: 2 options or files that cannot be used, with one line that names the option or file and line, says what is
wrong and what to do" (contract, section 1). How to draw more examples: `tests/fuzz/__init__.py`.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.core import audit, facts
from lib.core import commands as ask
from lib.core.buying import Client
from lib.core.commands import CommandRefused
from lib.core.selling import Guichet
from lib.core.sites import ClientSite, GuichetSite
from lib.edge import commands, snapshots, verify
from lib.edge.gtfs import read_gtfs
from lib.edge.store import Store
from lib.edge.timetables import Timetable, Wanted, read_csv
from lib.texts import Problem, Text, printable
from tests.core.test_snapshot import NOW, sealed
from tests.edge.test_gtfs import FEED, MONDAY
from tests.fuzz import corpus, examples
from tests.fuzz.bend import bent_bytes, bent_json
from tests.fuzz.test_lines import ERRANDS, KEPT, SYSTEM, busy, fingerprint, is_sound

ROOT = Path(__file__).resolve().parents[2]
ROLES = {"gch": "guichet", "c1": "client"}


def is_one_sentence(text: Text) -> None:
    for sentence in (text.fr, text.en):
        assert sentence and sentence == printable(sentence), sentence


def or_problem(read: Callable[[], Any]) -> Any:
    """What `read` gives, or None if it refuses in one sentence. Nothing else may come out of it."""
    try:
        return read()
    except Problem as problem:
        is_one_sentence(problem.text)
        return None


# ----------------------------------------------------------------------------------------------------- files that are none

READERS: dict[str, Callable[[Path], Any]] = {
    "t.csv": lambda path: read_csv(path, Wanted()),
    "t.zip": lambda path: read_gtfs(path, Wanted()),
    "feed/stops.txt": lambda path: read_gtfs(path.parent, Wanted()),
    "instantane-1-x.json": snapshots.read,
    "gch.sqlite": lambda path: Store(str(path.parent), "gch", "guichet"),
}


@pytest.mark.parametrize("kind", ["pipe", "endless", "nowhere", "folder"])
@pytest.mark.parametrize("name", READERS)
def test_what_stands_in_the_place_of_a_file_is_refused_at_once(tmp_path: Path, name: str, kind: str) -> None:
    """A pipe that nobody writes to would be waited for, and a device has no end: a site would freeze."""
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    match kind:
        case "pipe":
            os.mkfifo(path)
        case "endless":
            path.symlink_to("/dev/zero")
        case "nowhere":
            path.symlink_to("nowhere")
        case "folder":
            path.mkdir()
    with pytest.raises((Problem, FileNotFoundError)) as caught:
        READERS[name](path)
    if isinstance(caught.value, Problem):
        is_one_sentence(caught.value.text)
    status, lines = verify.listing(path.parent)
    assert status == verify.SOUND and len(lines) == 1


# ---------------------------------------------------------------------------------------------------------------- stores


def kept(folder: Path, name: str) -> Path:
    """The closed store of a site in the middle of everything."""
    store, site = Store(str(folder), name, ROLES[name]), SYSTEM.sites[name]
    numbers = {"life": site.life, "clock": site.clock.time, "round": site.round, "epoch": site.epoch}
    events = [facts.Event(NOW, 1, fact) for fact in SYSTEM.events[name]]
    store.commit(events, numbers | {"next_number": site.role.next_number}, before_speaking=True)
    if name == "c1":
        more = [*map(facts.ErrandMoved, ERRANDS), *KEPT, facts.TicketLeft("B0006", 9)]
        store.commit([facts.Event(NOW, 1, fact) for fact in more], {}, before_speaking=True)
    store.close()
    return folder / f"{name}.sqlite"


@lru_cache
def bytes_of_store(name: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return kept(Path(folder), name).read_bytes()


def life_after(folder: Path, name: str) -> GuichetSite | ClientSite:
    """The site as its store has it. Raises `Problem`."""
    store = Store(str(folder), name, ROLES[name])
    try:
        number = store.number("next_number", 1)
        common: dict[str, Any] = {key: store.number(key) for key in ("clock", "round", "epoch")}
        common |= {"peers": store.peers(), "life": store.number("life") + 1}
        if name == "gch":
            role = Guichet(name, tickets=store.tickets(), answers=store.answers(), next_number=number)
            return GuichetSite(role, owed=store.owed(), **common)
        held = {"errands": store.errands(), "tickets": store.kept(), "given_back": store.given_back()}
        return ClientSite(Client(name, next_number=number, **held), remembers=True, **common)
    finally:
        store.close()


def is_taken_up_or_refused(folder: Path, name: str, data: bytes) -> None:
    """A store is sound, or it is refused, and as it was."""
    path = folder / f"{name}.sqlite"
    for old in folder.iterdir():
        old.unlink()
    path.write_bytes(data)
    site = or_problem(lambda: life_after(folder, name))
    if site is None:
        return
    site.start(NOW)
    is_sound(site)


@pytest.mark.parametrize("name", ROLES)
def test_a_store_that_is_whole_is_taken_up(name: str, tmp_path: Path) -> None:
    """Else the fuzzer below would prove nothing."""
    (tmp_path / f"{name}.sqlite").write_bytes(bytes_of_store(name))
    site = life_after(tmp_path, name)
    if isinstance(site.role, Guichet):
        assert site.role.state(NOW) == SYSTEM.sites[name].role.state(NOW)
    else:
        assert set(site.role.errands) >= {errand.number for errand in ERRANDS}
        assert set(site.role.tickets) >= {"B0004", "B0005"}


def test_a_store_whose_schema_is_no_text_is_refused(tmp_path: Path) -> None:
    """What SQLite quotes of it is no UTF-8 either."""
    (tmp_path / "gch.sqlite").write_bytes(bytes_of_store("gch").replace(b"TABLE tickets (", b"TABLE \xe5 \xff \xe5 ("))
    with pytest.raises(Problem, match="endommagé"):
        life_after(tmp_path, "gch")


@pytest.mark.parametrize(("name", "table", "column", "value"), corpus("stores.txt"))
def test_the_corpus_of_stores(tmp_path: Path, name: str, table: str, column: str, value: Any) -> None:
    """A cell that SQLite takes, and that no store of ours can have."""
    (tmp_path / f"{name}.sqlite").write_bytes(bytes_of_store(name))
    with sqlite3.connect(tmp_path / f"{name}.sqlite") as database:
        database.execute(f"UPDATE {table} SET {column} = ?", (value,))
    database.close()
    with pytest.raises(Problem, match="endommagé"):
        life_after(tmp_path, name)


@given(st.sampled_from(list(ROLES)), st.data())
@examples(60)
def test_a_store_with_other_bytes(tmp_path_factory: pytest.TempPathFactory, name: str, data: st.DataObject) -> None:
    folder = tmp_path_factory.mktemp("store")
    is_taken_up_or_refused(folder, name, data.draw(bent_bytes(bytes_of_store(name))))
    shutil.rmtree(folder)


_NUMBERS = [None, -1, 0, 1, 2**62, -(2**62), 1.5, 1e308, float("inf")]
_TEXTS = ["", "x", "c1", "B0001", "sold", "\x1b[2J", "é" * 300, b"", b"x"]
CELLS = st.sampled_from(_NUMBERS + _TEXTS) | st.text(max_size=8)


@given(st.sampled_from(list(ROLES)), st.data())
@examples(60)
def test_a_store_with_other_values(tmp_path_factory: pytest.TempPathFactory, name: str, data: st.DataObject) -> None:
    """SQLite looks after its pages; what is in the cells is our own affair."""
    folder = tmp_path_factory.mktemp("store")
    path = folder / "bent"
    path.write_bytes(bytes_of_store(name))
    database = sqlite3.connect(path)
    tables = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    filled = [table for table in tables if database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]]
    for _ in range(data.draw(st.integers(1, 3))):
        table = data.draw(st.sampled_from(filled))
        columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
        column, value = data.draw(st.sampled_from(columns)), data.draw(CELLS)
        where = database.execute(f"SELECT {columns[0]} FROM {table} ORDER BY random() LIMIT 1").fetchone()[0]
        with suppress(sqlite3.IntegrityError):  # a key can only be what it is declared to be
            database.execute(f"UPDATE OR IGNORE {table} SET {column} = ? WHERE {columns[0]} = ?", (value, where))
    database.commit()
    database.close()
    is_taken_up_or_refused(folder, name, path.read_bytes())
    shutil.rmtree(folder)


# ------------------------------------------------------------------------------------------------------------- snapshots

DOCUMENT = SYSTEM.documents[0] | {"taken_at": "2027-03-15T10:00:00+01:00"}


def is_loaded_or_refused(path: Path) -> None:
    """A snapshot is loaded whole, or refused with its reason, and then nothing has changed."""
    status, lines = verify.verify(path)
    assert lines and status in (verify.SOUND, verify.UNSOUND, verify.NO_SNAPSHOT)
    for line in lines:
        is_one_sentence(line)
    document = or_problem(lambda: snapshots.read(path))
    if document is None:
        return
    site = busy().sites["gch"]
    before = fingerprint(site)
    try:
        site.command(ask.Restore(document), NOW)
    except CommandRefused as refused:
        is_one_sentence(commands.explain(refused))
        assert fingerprint(site) == before
    else:
        assert status == verify.SOUND
    is_sound(site)


@pytest.mark.parametrize("content", corpus("snapshots.txt"))
def test_the_corpus_of_snapshots(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "instantane.json"
    path.write_bytes(content)
    is_loaded_or_refused(path)


@pytest.mark.parametrize("depth", [20, 900, 100_000])
def test_a_snapshot_that_is_a_nest_within_nests(depth: int, tmp_path: Path) -> None:
    path = tmp_path / "instantane.json"
    path.write_text('{"format":"airplug-billets-snapshot/1","x":' + "[" * depth + "]" * depth + "}")
    is_loaded_or_refused(path)


def test_the_checks_of_what_comes_from_outside_are_no_assertions() -> None:
    """`python -O` (`PYTHONOPTIMIZE`) leaves assertions out: they are for our own mistakes, not for a file's."""
    state = {"role": "client", "life": "x", "clock": 1, "sent": {}, "received": {"gch": [[5, 1]]}, "tickets": [{"id": 1}]}
    program = f"from lib.core import audit; raise SystemExit(audit.is_state({state}, 'client'))"
    assert subprocess.run([sys.executable, "-O", "-c", program], cwd=ROOT, check=False).returncode == 0


def test_the_checks_of_a_client_with_many_tickets_look_at_each_but_a_few_times() -> None:
    """Whoever reports that it has a hundred thousand must not keep the guichet busy for minutes."""
    looks = 0

    class Watched(str):
        __hash__ = str.__hash__

        def __eq__(self, other: object) -> bool:
            nonlocal looks
            looks += 1
            return str.__eq__(self, other)  # type: ignore[arg-type]

    names = [Watched(f"B{number:05d}") for number in range(1000)]
    sold = [{"id": name, "state": "sold", "client": "c1", "request": n} for n, name in enumerate(names, 1)]
    claimed = [{"id": Watched(str(name))} for name in reversed(names)]
    office = {"role": "guichet", "life": 1, "tickets": sold}
    client = {"role": "client", "life": 1, "tickets": claimed}
    assert audit.unconserved({"gch": office, "c1": client}, {}, "gch") == []
    assert looks < 20 * len(names)


@given(st.booleans(), st.data())
@examples(60)
def test_a_bent_snapshot(tmp_path_factory: pytest.TempPathFactory, resealed: bool, data: st.DataObject) -> None:
    """Whoever can write the file can compute its seal: it is no proof, the checks are."""
    path = tmp_path_factory.getbasetemp() / "bent.json"
    document = data.draw(bent_json(sealed(DOCUMENT)))
    if resealed and isinstance(document, dict):
        with suppress(UnicodeEncodeError):  # halves of characters cannot be sealed
            document["sha256"] = audit.seal(document)
    path.write_text(json.dumps(document), encoding="utf-8")
    is_loaded_or_refused(path)


@given(st.data())
@examples(30)
def test_a_snapshot_with_other_bytes(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    path = tmp_path_factory.getbasetemp() / "bytes.json"
    path.write_bytes(data.draw(bent_bytes(json.dumps(sealed(DOCUMENT)).encode())))
    is_loaded_or_refused(path)


# ------------------------------------------------------------------------------------------------------------ timetables

OWN = (
    "train,date,depart,destination,cout,places\n"
    "848362,2027-03-15T07:10,Compiègne,Paris Gare du Nord,15.40,3\n"
    '848364,2027-03-15T08:10,"Saint-Quentin",Creil,"9,80",2\n'
)
SNCF = (
    "train_number,product,departure_station,departure_uic,arrival_station,arrival_uic,departure_time,days,first_date,"
    "last_date\n848362,TER,Abbeville,87317362,Amiens,87313874,04:57,12345,2025-01-22,2025-04-22\n"
)
FARES = "departure_uic,arrival_uic,product,travel_class,profile,price_max\n87317362,87313874,TER,2,Tarif Normal,9.30\n"
WANTED = Wanted(first=MONDAY, last=MONDAY)


def is_read_or_refused(read: Callable[[Path, Wanted], Timetable], path: Path, wanted: Wanted) -> None:
    timetable = or_problem(lambda: read(path, wanted))
    if timetable is None:
        return
    for note in timetable.notes:
        is_one_sentence(note)
    office = GuichetSite(Guichet("gch"), 1)
    office.command(ask.AddTickets(tuple(timetable.offers)), NOW)
    is_sound(office)


@pytest.mark.parametrize("content", corpus("timetables.txt"))
def test_the_corpus_of_timetables(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "billets.csv"
    path.write_bytes(content)
    is_read_or_refused(read_csv, path, Wanted())


@given(st.booleans(), st.data())
@examples(60)
def test_a_bent_table(tmp_path_factory: pytest.TempPathFactory, own: bool, data: st.DataObject) -> None:
    folder = tmp_path_factory.getbasetemp() / "tables"
    folder.mkdir(exist_ok=True)
    path = folder / "departures.csv"
    path.write_bytes(data.draw(bent_bytes((OWN if own else SNCF).encode())))
    (folder / "fares.csv").write_bytes(data.draw(st.just(FARES.encode()) | bent_bytes(FARES.encode())))
    is_read_or_refused(read_csv, path, Wanted() if own else WANTED)


def in_headers(data: bytes, at: int, patch: bytes) -> bytes:
    """An archive with other bytes at an offset of each entry's central header."""
    bent, start = bytearray(data), 0
    while (start := data.find(b"PK\x01\x02", start)) >= 0:
        bent[start + at : start + at + len(patch)] = patch
        start += 4
    return bytes(bent)


@pytest.mark.parametrize(
    ("method", "at", "patch"),
    [
        (zipfile.ZIP_DEFLATED, 6, b"\x54\x00"),  # wants a version of ZIP that nobody has
        (zipfile.ZIP_DEFLATED, 8, b"\x01\x00"),  # is encrypted
        (zipfile.ZIP_DEFLATED, 10, b"\x63\x00"),  # is packed by nobody knows what
        (zipfile.ZIP_DEFLATED, 8, b"\x00\x08\x08\x00\xff\xff\xff\xff" + b"\xff" * 22 + b"\xff"),
        (zipfile.ZIP_LZMA, 42, b"\xff\xff\x00\x00"),
        (zipfile.ZIP_BZIP2, 42, b"\x05\x00\x00\x00"),
    ],
    ids=["version", "encrypted", "method", "sizes", "lzma", "bzip2"],
)
def test_an_archive_that_cannot_be_unpacked_is_refused(tmp_path: Path, method: int, at: int, patch: bytes) -> None:
    path = tmp_path / "feed.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        for file, content in FEED.items():
            archive.writestr(file, content + "\n")
    path.write_bytes(in_headers(path.read_bytes(), at, patch))
    with pytest.raises(Problem, match=r"feed\.zip"):
        read_gtfs(path, WANTED)


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_an_archive_whose_contents_are_damaged_is_refused(tmp_path: Path, method: int) -> None:
    path = tmp_path / "feed.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        for file, content in FEED.items():
            archive.writestr(file, content * 20 + "\n")
    data = bytearray(path.read_bytes())
    for entry in zipfile.ZipFile(path).infolist():
        at = entry.header_offset + 30 + len(entry.filename) + 12
        data[at : at + 8] = b"\xa5" * 8
    path.write_bytes(bytes(data))
    with pytest.raises(Problem, match=r"feed\.zip"):
        read_gtfs(path, WANTED)


@given(st.sampled_from(sorted(FEED)), st.booleans(), st.data())
@examples(60)
def test_a_bent_feed(tmp_path_factory: pytest.TempPathFactory, name: str, zipped: bool, data: st.DataObject) -> None:
    folder = tmp_path_factory.getbasetemp() / "feed"
    folder.mkdir(exist_ok=True)
    for file, content in FEED.items():
        (folder / file).write_bytes(content.encode() + b"\n")
    (folder / name).write_bytes(data.draw(bent_bytes(FEED[name].encode())))
    path = folder
    if zipped:
        path = folder.with_suffix(".zip")
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in FEED:
                archive.write(folder / file, file)
        path.write_bytes(data.draw(st.just(path.read_bytes()) | bent_bytes(path.read_bytes())))
    is_read_or_refused(read_gtfs, path, WANTED)


# -------------------------------------------------------------------------------------------------------------- commands

VERBS = sorted({verb for verbs in commands.VERBS.values() for verb in verbs})
KEYS = ["train", "date", "depart", "destination", "cout", "nombre", "billet", "demande", "limite", "du", "client"]
_NUMBERS_TYPED = ["1", "0", "-1", "999999999999999", "9" * 500, "15.40", "nan"]
VALUES = st.sampled_from([*_NUMBERS_TYPED, "", "B0001", "2027-03-15", "c1", "é" * 300, "'", '"', "\\"])


@st.composite
def typed(draw: st.DrawFn) -> str:
    words = [draw(st.sampled_from(VERBS) | st.text(max_size=6))]
    for _ in range(draw(st.integers(0, 6))):
        key = draw(st.sampled_from(KEYS) | st.text(max_size=4))
        words.append(draw(st.sampled_from([f"{key}={draw(VALUES | st.text(max_size=10))}", key])))
    return " ".join(words)


def is_obeyed_or_refused(name: str, line: str) -> None:
    """A command is carried out, or refused in one sentence, and then nothing has changed."""
    site = busy().sites[name]
    command = or_problem(lambda: commands.parse(ROLES[name], line))
    if command is None or isinstance(command, commands.Import | commands.Load):
        return
    if isinstance(command, ask.AddTickets) and command.offers[0][1] > 1000:
        return  # a hundred thousand tickets: allowed, and slow
    before = fingerprint(site)
    try:
        if not isinstance(command, ask.Leave):
            site.command(command, NOW)
    except CommandRefused as refused:
        is_one_sentence(commands.explain(refused))
        assert fingerprint(site) == before
    is_sound(site)


@pytest.mark.parametrize("name", ROLES)
@pytest.mark.parametrize("line", corpus("commands.txt"))
def test_the_corpus_of_commands(name: str, line: str) -> None:
    is_obeyed_or_refused(name, line)


@given(st.sampled_from(list(ROLES)), typed())
@examples(60)
def test_odd_commands(name: str, line: str) -> None:
    is_obeyed_or_refused(name, line)
