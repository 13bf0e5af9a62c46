"""The durable store. The law: issue 2 and contract, sections 1, 4 and 7.

"one transaction for a batch of input lines, durable *before* anything is said (group commit: many messages to one
fsync). A guichet or client killed with `kill -9` at any moment and started again with the same `--donnees` has lost
nothing that it ever said [...]. A damaged, foreign, newer or locked store (a second process with the same name and
folder) is a clear error, never overwritten."
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lib.core import facts
from lib.core.facts import Answered, Errand, Event, Holding, PeerMet, TicketKept
from lib.core.tickets import HELD, SOLD, Journey, Search, Ticket
from lib.edge.store import VERSION, Store
from lib.texts import Problem

ROOT = Path(__file__).resolve().parents[2]
JOURNEY = Journey("848362", "2027-03-17T07:10", "L'Isle-Adam ~^%\"\\", "Paris Gare du Nord", 1540)
SEARCH = Search("B0007", "Compiègne", "Œuilly", "2027-03-17", "2027-03-18T10:00")
HOLDING = Holding("B0007", JOURNEY, "gch")


def event(fact: Any) -> Event:
    return Event(1.5, 7, fact)


def write(store: Store, *written: Any, speaking: bool = True, **numbers: int) -> None:
    store.commit([event(fact) for fact in written], numbers, before_speaking=speaking)


def reopened(folder: Path, name: str = "gch", role: str = "guichet") -> Store:
    return Store(str(folder), name, role)


def contents(store: Store) -> tuple[Any, ...]:
    """Everything that can be asked of a store."""
    return (store.tickets(), store.answers(), store.errands(), store.kept(), dict(store.given_back()), store.peers(),
            *(store.number(key) for key in ("life", "clock", "round", "epoch", "next_number")))  # fmt: skip


# ----------------------------------------------------------------------------------------------------------- round trip


def test_a_new_store_is_empty_and_makes_its_folder(tmp_path: Path) -> None:
    store = reopened(tmp_path / "deep" / "er")
    assert contents(store) == ([], [], [], [], {}, [], 0, 0, 0, 0, 0)
    assert store.number("next_number", 1) == 1
    store.close()
    assert sorted(p.name for p in (tmp_path / "deep" / "er").iterdir()) == ["gch.sqlite"], "nothing is left lying about"


def test_the_sites_numbers_come_back(tmp_path: Path) -> None:
    store = reopened(tmp_path)
    numbers = {"life": 3, "clock": 10**14, "round": 4, "epoch": 2, "next_number": 99}
    write(store, **numbers)
    store.close()
    store = reopened(tmp_path)
    assert {key: store.number(key) for key in numbers} == numbers


def test_the_guichets_tickets_come_back_as_they_stood(tmp_path: Path) -> None:
    store = reopened(tmp_path)
    free = [Ticket(f"B{n:04d}", JOURNEY) for n in range(1, 6)]
    held = replace(free[1], state=HELD, client="c1", request=4, deadline=1795366142.123456)
    sold = replace(free[2], state=SOLD, client="c2", request=5)
    changed = replace(free[3], journey=replace(JOURNEY, cents=0, departure="Ailleurs"))
    write(store, facts.TicketsAdded(tuple(free)))
    write(store, facts.TicketMoved(held), facts.TicketMoved(replace(sold, state=HELD)), facts.TicketMoved(sold))
    write(store, facts.TicketMoved(changed), facts.TicketWithdrawn("B0005"))
    store.close()
    assert reopened(tmp_path).tickets() == [free[0], held, sold, changed]


def test_the_guichets_answers_come_back_oldest_first(tmp_path: Path) -> None:
    store = reopened(tmp_path)
    answers = [Answered("c2", 9, "B0001", ""), Answered("c1", 1, "", "complet"), Answered("c1", 12, "B0002", "expire")]
    write(store, *answers, Answered("c3", 1, "", "inconnu"))
    write(store, facts.ClientForgot("c3"))
    store.close()
    assert reopened(tmp_path).answers() == answers


def test_a_clients_errands_come_back_and_those_without_an_answer_are_said_again(tmp_path: Path) -> None:
    store = reopened(tmp_path, "c1", "client")
    kinds = (facts.RESERVE, facts.RETURN)
    asked = [Errand(n, kind, facts.ASKED, SEARCH, 1, next_try=99.5, give_up=120.0) for n, kind in enumerate(kinds, 1)]
    offered = Errand(3, facts.RESERVE, facts.OFFERED, SEARCH, 1, HOLDING, deadline=1795366142.5)
    refused = Errand(4, facts.RESERVE, facts.REFUSED, SEARCH, 1, reason="complet")
    listed = Errand(5, facts.CONSULT, facts.LISTED, SEARCH, 10)
    gone = Errand(6, facts.RESERVE, facts.OWNED, SEARCH, 1, HOLDING)
    write(store, *map(facts.ErrandMoved, (*asked, offered, refused, listed, gone)))
    write(store, facts.ErrandForgotten(6))
    store.close()
    errands = reopened(tmp_path, "c1", "client").errands()
    kept = [(e.number, e.kind, e.state, e.search, e.holding, e.reason, e.deadline) for e in errands]
    wanted = (*asked, offered, refused)
    assert kept == [(e.number, e.kind, e.state, e.search, e.holding, e.reason, e.deadline) for e in wanted]
    assert [e.next_try > 0 for e in errands] == [True, True, False, False]


def test_a_clients_tickets_come_back(tmp_path: Path) -> None:
    store = reopened(tmp_path, "c1", "client")
    kept = [TicketKept(Holding(name, JOURNEY, "gch"), n) for n, name in enumerate(("B0001", "B0002", "B0003"))]
    write(store, *kept)
    write(store, facts.TicketLeft("B0002", 7))
    store.close()
    store = reopened(tmp_path, "c1", "client")
    assert store.kept() == [kept[0], kept[2]]
    assert dict(store.given_back()) == {"B0002": 7}


def test_peers_come_back_in_their_latest_life(tmp_path: Path) -> None:
    store = reopened(tmp_path)
    write(store, PeerMet("c1", "client", 1), PeerMet("c2", "client", 1795366142123))
    write(store, PeerMet("c1", "client", 2, present=False))
    store.close()
    assert sorted(reopened(tmp_path).peers(), key=lambda p: p.name) == [
        PeerMet("c1", "client", 2, present=False), PeerMet("c2", "client", 1795366142123)
    ]  # fmt: skip


def test_without_a_folder_nothing_touches_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    store = Store(None, "c1", "client")
    write(store, PeerMet("c2", "client", 1), clock=4)
    store.close()
    assert list(tmp_path.iterdir()) == []


def test_what_goes_wrong_in_the_middle_leaves_nothing_of_the_batch(tmp_path: Path) -> None:
    """ "one transaction for a batch": all or nothing."""
    store = reopened(tmp_path)
    write(store, PeerMet("c1", "client", 1), clock=1)
    bad = Answered("c1", 2**70, "", "")  # no SQLite integer: an error within the transaction
    with pytest.raises((Problem, OverflowError)):
        write(store, PeerMet("c1", "client", 2), bad, clock=2)
    store.close()
    store = reopened(tmp_path)
    assert store.peers() == [PeerMet("c1", "client", 1)] and store.number("clock") == 1


# --------------------------------------------------------------------------------------------------------- group commit


def commits(store: Store, action: Callable[[], None]) -> list[str]:
    """The statements that change the file while `action` runs."""
    said: list[str] = []
    store._db.set_trace_callback(said.append)
    action()
    store._db.set_trace_callback(None)
    return [statement for statement in said if statement == "COMMIT" or not statement.startswith(("BEGIN", "PRAGMA"))]


def test_a_batch_is_one_transaction(tmp_path: Path) -> None:
    """ "group commit: many messages to one fsync"."""
    store = reopened(tmp_path)
    batch = [PeerMet(f"c{n}", "client", 1) for n in range(500)]
    said = commits(store, lambda: write(store, *batch, clock=500))
    assert said.count("COMMIT") == 1 and len(said) > 500


def test_nothing_is_written_when_nothing_changed(tmp_path: Path) -> None:
    store = reopened(tmp_path)
    write(store, PeerMet("c1", "client", 1), clock=4, life=1)
    assert commits(store, lambda: write(store, clock=4, life=1)) == []
    assert commits(store, lambda: write(store, facts.Relayed(b"^a~b^"), facts.Stopped(), clock=4, life=1)) == []
    assert commits(store, lambda: write(store, clock=5, life=1)) != []
    store.close()
    before = (tmp_path / "gch.sqlite").read_bytes()
    reopened(tmp_path).close()
    assert (tmp_path / "gch.sqlite").read_bytes() == before, "opening and closing is no change"


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace counts the fsyncs; it is not installed")
@pytest.mark.parametrize(("speaking", "syncs"), [(True, 20), (False, 0)])
def test_one_fsync_for_a_batch_that_is_spoken_of_and_none_for_the_rest(tmp_path: Path, speaking: bool, syncs: int) -> None:
    """20 batches of 50: an fsync each before speaking. "Only what the site is about to speak of has to outlive the
    machine; the rest need only outlive the process." """
    code = (
        "import sys\nfrom lib.core.facts import Event, PeerMet\nfrom lib.edge.store import Store\n"
        f"store = Store({str(tmp_path)!r}, 'gch', 'guichet')\n"
        "store.commit([Event(0, 1, PeerMet('c', 'client', 1))], {'clock': 1}, before_speaking=True)\n"
        "sys.stderr.write('BEGIN'); sys.stderr.flush()\n"
        "for batch in range(20):\n"
        "    met = [Event(0, 1, PeerMet(f'c{n}', 'client', batch)) for n in range(50)]\n"
        f"    store.commit(met, {{'clock': batch + 2}}, before_speaking={speaking})\n"
        "sys.stderr.write('END'); sys.stderr.flush()\nimport os\nos._exit(0)\n"
    )
    log = tmp_path / "strace"
    command = ["strace", "-f", "-o", str(log), "-e", "trace=fsync,fdatasync,write", sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=60, check=False)
    if done.returncode != 0 and b"ptrace" in done.stderr.lower():
        pytest.skip("strace is not allowed to trace here")
    assert done.returncode == 0, done.stderr
    between = log.read_text().split('"BEGIN"')[1].split('"END"')[0]
    assert between.count("sync(") == syncs


# -------------------------------------------------------------------------------------------------------------- kill -9

WRITER = """
import os, sys
from lib.core.facts import Answered, Event, TicketMoved, TicketsAdded
from lib.core.tickets import HELD, SOLD, Journey, Ticket
from lib.edge.store import Store

store = Store(sys.argv[1], "gch", "guichet")
journey = Journey("1", "2027-03-17T07:10", "A" * 150, "B" * 150, 1540)
n = store.number("clock")
while True:
    n += 1
    ticket = Ticket(f"B{n:04d}", journey, SOLD, "c1", n)
    events = [TicketsAdded((Ticket(ticket.id, journey),)), TicketMoved(ticket), Answered("c2", n, ticket.id, "complet")]
    numbers = {"clock": n, "next_number": n + 1}
    store.commit([Event(0.0, n, fact) for fact in events], numbers, before_speaking=n % 3 == 0)
    os.write(1, b"%d\\n" % n)  # what is said
"""


def test_kill_9_at_any_moment_loses_nothing_that_was_said(tmp_path: Path) -> None:
    """ "killed with `kill -9` at any moment and started again [...] has lost nothing that it ever said"."""
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance, said = random.Random(seed), 0
    for _ in range(12):
        child = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE)
        assert child.stdout is not None
        for _ in range(chance.randrange(1, 60)):
            assert child.stdout.readline(), "the writer could not take the store up again"
        # Then a little later, wherever it is by then: between two statements, in an fsync, in a checkpoint.
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(chance.random() * 0.004)
        child.send_signal(signal.SIGKILL)
        lines = child.stdout.read().split()
        child.wait()
        child.stdout.close()
        store = reopened(tmp_path)
        kept, count = store.number("clock"), len(store.tickets())
        said = max([said, *map(int, lines)])
        assert kept >= said, "what was said was not stored"
        assert count == kept == store.number("next_number") - 1, "half a batch"
        assert [t.state for t in store.tickets()] == [SOLD] * count
        assert [a.request for a in store.answers()] == list(range(1, kept + 1))[-4096:]
        said = kept
        store.close()
    assert said > 12


# ------------------------------------------------------------------------------------------------------ what is refused


def filled(folder: Path) -> Path:
    """A closed store of a guichet with something in every table."""
    store = reopened(folder)
    tickets = [Ticket(f"B{n:04d}", JOURNEY) for n in range(1, 120)]
    write(store, facts.TicketsAdded(tuple(tickets)), PeerMet("c1", "client", 2), clock=12, life=2, next_number=120)
    write(store, *(Answered("c1", n, f"B{n:04d}", "expire") for n in range(50)), TicketKept(HOLDING, 3))
    write(store, facts.ErrandMoved(Errand(1, facts.RESERVE, facts.OFFERED, SEARCH, 1, HOLDING)))
    write(store, facts.TicketLeft("B0009", 3), TicketKept(HOLDING, 3))
    store.close()
    return folder / "gch.sqlite"


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def assert_refused(folder: Path, *words: str, name: str = "gch", role: str = "guichet") -> None:
    """A clear `Problem` that names the file, in one line; and nothing in the folder has changed."""
    before = files(folder)
    with pytest.raises(Problem) as caught:
        reopened(folder, name, role)
    assert files(folder) == before, "refused, and yet written to"
    text = caught.value.text
    for sentence in (text.fr, text.en):
        assert str(folder / f"{name}.sqlite") in sentence and "\n" not in sentence
    for word in words:
        assert word in text.en


@pytest.mark.parametrize("kept", [0.0, 0.3, 0.5, 0.9])
def test_a_truncated_store_is_refused(tmp_path: Path, kept: float) -> None:
    path = filled(tmp_path)
    os.truncate(path, int(path.stat().st_size * kept))
    assert_refused(tmp_path)


def test_an_overwritten_page_is_refused(tmp_path: Path) -> None:
    path = filled(tmp_path)
    size = path.stat().st_size
    with open(path, "r+b") as file:
        file.seek(size // 8192 * 4096)
        file.write(random.Random(1).randbytes(4096))
    assert_refused(tmp_path, "damaged")


def read_or_refused(folder: Path) -> bool:
    """Whether the store opens and all of it can be read. Anything but a `Problem` is our own mistake."""
    try:
        store = reopened(folder)
    except Problem:
        return False
    try:
        contents(store)
    except Problem:
        return False
    finally:
        store.close()
    return True


def test_flipped_bytes_never_end_in_a_traceback_and_refused_means_untouched(tmp_path: Path) -> None:
    """Many places, one at a time."""
    original = filled(tmp_path / "ok").read_bytes()
    chance = random.Random(20270317)
    places = [*range(0, 100, 3), *(chance.randrange(len(original)) for _ in range(250))]
    tracebacks, touched = [], []
    folder = tmp_path / "bad"
    for place in places:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        damaged = bytearray(original)
        damaged[place] ^= 0xFF  # a letter turned over is no UTF-8 any more
        (folder / "gch.sqlite").write_bytes(damaged)
        try:
            opens = read_or_refused(folder)
        except Exception as error:
            tracebacks.append((place, repr(error)))
            continue
        if not opens and files(folder) != {"gch.sqlite": bytes(damaged)}:
            touched.append(place)
    assert not tracebacks, f"{len(tracebacks)} of {len(places)} places, such as {tracebacks[:3]}"
    assert not touched, f"refused, and yet written to: {touched}"


def test_a_damaged_store_beside_the_log_of_a_killed_process_is_left_untouched(tmp_path: Path) -> None:
    """After a kill -9 the last batches are in `-wal`: a refusal must not move them into the damaged file."""
    code = (
        "import os, sys\nfrom lib.core.facts import Event, PeerMet\nfrom lib.edge.store import Store\n"
        f"store = Store({str(tmp_path)!r}, 'gch', 'guichet')\n"
        "store.commit([Event(0, 1, PeerMet('c2', 'client', 1))], {'clock': 99}, before_speaking=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    path = filled(tmp_path)
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False, timeout=30)
    assert (tmp_path / "gch.sqlite-wal").stat().st_size > 0
    with open(path, "r+b") as file:
        file.seek(path.stat().st_size // 8192 * 4096)
        file.write(b"\xa5" * 4096)
    before = {name: data for name, data in files(tmp_path).items() if not name.endswith("-shm")}
    with pytest.raises(Problem):
        reopened(tmp_path)
    assert {name: data for name, data in files(tmp_path).items() if not name.endswith("-shm")} == before


@pytest.mark.parametrize("data", [b"", b"x", b"train,date\n1,2\n" * 400, b"SQLite format 3\x00" + b"\x00" * 500])
def test_what_is_no_store_at_all_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "gch.sqlite").write_bytes(data)
    assert_refused(tmp_path)


@pytest.mark.parametrize("journal", ["delete", "wal"])
def test_another_programs_database_is_refused(tmp_path: Path, journal: str) -> None:
    database = sqlite3.connect(tmp_path / "gch.sqlite")
    database.execute(f"PRAGMA journal_mode={journal}")
    database.executescript("CREATE TABLE mine (x); INSERT INTO mine VALUES (1); PRAGMA user_version=1;")
    database.close()
    assert_refused(tmp_path, "not a store of this program")


@pytest.mark.parametrize("version", [VERSION + 1, 2**31 - 1])
def test_a_later_versions_store_is_refused(tmp_path: Path, version: int) -> None:
    database = sqlite3.connect(filled(tmp_path))
    database.execute(f"PRAGMA user_version={version}")
    database.close()
    assert_refused(tmp_path, "another version", str(version))


def test_another_sites_store_is_refused(tmp_path: Path) -> None:
    filled(tmp_path).rename(tmp_path / "c1.sqlite")
    assert_refused(tmp_path, "gch", "c1", name="c1")


def test_another_roles_store_is_refused(tmp_path: Path) -> None:
    filled(tmp_path)
    assert_refused(tmp_path, "guichet", "client", role="client")


def test_a_second_process_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    """ "locked store (a second process with the same name and folder)"."""
    store = reopened(tmp_path)
    write(store, PeerMet("c1", "client", 1), clock=1)
    code = (
        "import sys\nfrom lib.edge.store import Store\nfrom lib.texts import Problem\n"
        f"try:\n    Store({str(tmp_path)!r}, 'gch', 'guichet')\n"
        "except Problem as problem:\n    print(problem.text.en)\n"
    )
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=30)
        assert "in use by another site" in done.stdout, done.stdout + done.stderr
    write(store, PeerMet("c2", "client", 1), clock=2)
    store.close()
    assert [peer.name for peer in reopened(tmp_path).peers()] == ["c1", "c2"]


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(Problem, match="--donnees"):
            reopened(folder)
    assert (tmp_path / "file").read_text() == "mine"


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Callable[[], None]]:
    """Makes the folder read-only; for root, to whom permissions mean nothing, by the immutable flag."""

    def chattr(flag: str) -> bool:
        return (
            shutil.which("chattr") is not None
            and not subprocess.run(["chattr", flag, str(tmp_path)], capture_output=True, check=False).returncode
        )

    def make() -> None:
        if os.getuid() != 0:
            tmp_path.chmod(0o555)
        elif not chattr("+i"):
            pytest.skip("root may write everywhere, and chattr +i does not work here")

    yield make
    tmp_path.chmod(0o755) if os.getuid() else chattr("-i")


@pytest.mark.parametrize("exists", [False, True])
def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path, read_only: Callable[[], None], exists: bool) -> None:
    if exists:
        filled(tmp_path)
    read_only()
    assert_refused(tmp_path)


def test_a_full_disk_is_a_problem_and_the_store_is_sound_afterwards(tmp_path: Path) -> None:
    """The answer to a full disk is to stop before anything is said of what is not stored."""
    store = reopened(tmp_path)
    write(store, PeerMet("c1", "client", 1), clock=1)
    pages = store._db.execute("PRAGMA page_count").fetchone()[0]
    store._db.execute(f"PRAGMA max_page_count={pages}")
    with pytest.raises(Problem) as caught:
        write(store, facts.TicketsAdded(tuple(Ticket(f"B{n:05d}", JOURNEY) for n in range(3000))), clock=2)
    assert "gch.sqlite" in caught.value.text.fr and "full" in caught.value.text.en
    store.close()
    store = reopened(tmp_path)
    assert store.tickets() == [] and store.number("clock") == 1
