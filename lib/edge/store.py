"""The durable store of a site: one SQLite file, `DIR/NAME.sqlite`, one transaction for a batch of input lines.

    What a site says, it has stored before. Killed at any moment and started again, it has lost nothing that it said.

A file that is damaged, another program's, a later version's, another site's, or in use is refused, and never written to.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from lib.core import facts
from lib.core.facts import Answered, Errand, Event, Holding, PeerMet, RestoreOwed, TicketKept
from lib.core.recording import (
    checked_answer,
    checked_debt,
    checked_errand,
    checked_kept,
    checked_peer,
    checked_purchase,
    checked_ticket,
)
from lib.core.selling import MAX_ANSWERS
from lib.core.tickets import Journey, Search, Ticket
from lib.core.wire import MAX_DIGITS
from lib.texts import Problem

APPLICATION_ID = 0x42494C54  # "BILT": tells our files from every other SQLite file
VERSION = 1

T = TypeVar("T")

_SCHEMA = """
CREATE TABLE site (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE peers (name TEXT PRIMARY KEY, role TEXT, life INTEGER, present INTEGER) WITHOUT ROWID;
CREATE TABLE tickets (
    id TEXT PRIMARY KEY, train TEXT, date TEXT, departure TEXT, destination TEXT, cents INTEGER,
    state TEXT, client TEXT, request INTEGER, deadline REAL) WITHOUT ROWID;
CREATE TABLE answers (
    number INTEGER PRIMARY KEY, client TEXT, request INTEGER, ticket TEXT, reason TEXT, UNIQUE (client, request));
CREATE TABLE errands (
    number INTEGER PRIMARY KEY, kind TEXT, state TEXT,
    ticket TEXT, departure TEXT, destination TEXT, since TEXT, until TEXT, max INTEGER,
    held_id TEXT, held_train TEXT, held_date TEXT, held_departure TEXT, held_destination TEXT, held_cents INTEGER,
    held_by TEXT, reason TEXT, deadline REAL, again INTEGER);
CREATE TABLE kept (
    id TEXT PRIMARY KEY, train TEXT, date TEXT, departure TEXT, destination TEXT, cents INTEGER,
    holder TEXT, request INTEGER) WITHOUT ROWID;
CREATE TABLE owed (client TEXT PRIMARY KEY, epoch INTEGER, text TEXT) WITHOUT ROWID;
CREATE TABLE given_back (ticket TEXT, request INTEGER, PRIMARY KEY (ticket, request)) WITHOUT ROWID;
"""


class Store:
    """The store of site `name` of `role` in `folder`, opened for this process alone. Raises `Problem`.

    With `folder` None everything stays in memory, and is gone with the process.
    """

    def __init__(self, folder: str | None, name: str, role: str) -> None:
        self.path = ":memory:" if folder is None else str(Path(folder, f"{name}.sqlite"))
        self._is_durable = folder is not None
        if folder is not None:
            _create(Path(self.path))
        self._db = _open(self.path) if folder is not None else _in_memory()
        self._saved: dict[str, Any] = {}
        self._identify(name, role)

    # ------------------------------------------------------------------------------------------------ what was kept

    def _identify(self, name: str, role: str) -> None:
        """Refuse the store of another site, or of another role."""
        self._saved = dict(self._rows("SELECT key, value FROM site", lambda row: (row[0], row[1])))
        found = self._saved.get("name", name), self._saved.get("role", role)
        if found != (name, role):
            self._db.close()
            raise Problem(
                f"{self.path} : mémoire de {found[0]} ({found[1]}), non de {name} ({role}) ; changez --ident ou --donnees",
                f"{self.path}: the store of {found[0]} ({found[1]}), not of {name} ({role}); change --ident or --donnees",
            )
        self._remember({"name": name, "role": role})

    def number(self, key: str, default: int = 0) -> int:
        """One of the site's own numbers: `life`, `clock`, `round`, `epoch`, `next_number`."""
        value = self._saved.get(key, default)
        if type(value) is not int or not 0 <= value < 10**MAX_DIGITS:
            self._db.close()
            raise _refusal(self.path, ValueError(f"{key} = {value!r}"))
        return value

    def peers(self) -> list[PeerMet]:
        """The sites that this one knew."""
        return self._rows("SELECT name, role, life, present FROM peers", lambda row: checked_peer(_peer(row)))

    def tickets(self) -> list[Ticket]:
        """All tickets of the guichet."""
        columns = "id, train, date, departure, destination, cents, state, client, request, deadline"
        return self._rows(
            f"SELECT {columns} FROM tickets", lambda row: checked_ticket(Ticket(row[0], Journey(*row[1:6]), *row[6:]))
        )

    def answers(self) -> list[Answered]:
        """The closed requests of the guichet, oldest first."""
        return self._rows("SELECT client, request, ticket, reason FROM answers", lambda row: checked_answer(Answered(*row)))

    def errands(self) -> list[Errand]:
        """The requests of the client; those that are not answered are to be said again at once."""
        return self._rows("SELECT * FROM errands ORDER BY number", lambda row: checked_errand(_errand(row)))

    def kept(self) -> list[TicketKept]:
        """The tickets that the client has."""
        columns = "id, train, date, departure, destination, cents, holder, request"
        return self._rows(f"SELECT {columns} FROM kept", lambda row: checked_kept(_kept(row)))

    def given_back(self) -> list[tuple[str, int]]:
        """The purchases that the client has given back: ticket, and request that bought it."""
        return self._rows("SELECT ticket, request FROM given_back", lambda row: checked_purchase(*row))

    def owed(self) -> list[RestoreOwed]:
        """What the guichet still owes its clients of a snapshot that was loaded back."""
        return self._rows("SELECT client, epoch, text FROM owed", lambda row: checked_debt(RestoreOwed(*row)))

    def _rows(self, query: str, make: Callable[[tuple[Any, ...]], T]) -> list[T]:
        """What a query gives, row by row. SQLite itself does not look into its texts and numbers: here it is seen."""
        try:
            return [make(row) for row in self._db.execute(query)]
        except (sqlite3.Error, ValueError, TypeError, AttributeError) as error:
            self._db.close()
            raise _refusal(self.path, error) from error

    # ---------------------------------------------------------------------------------------------------- what is kept

    def commit(self, events: Iterable[Event], numbers: dict[str, int], before_speaking: bool) -> None:
        """Store what these events changed and the site's own numbers, in one transaction. Raises `Problem`.

        Only what the site is about to speak of has to outlive the machine; the rest need only outlive the process.
        """
        if not self._is_durable:
            return
        writes = [(write, event.fact) for event in events if (write := _WRITERS.get(type(event.fact)))]
        if not writes and numbers.items() <= self._saved.items():
            return
        try:
            self._db.execute(f"PRAGMA synchronous={'FULL' if before_speaking else 'NORMAL'}")
            self._db.execute("BEGIN")
            for write, fact in writes:
                write(self._db, fact)
            self._remember(numbers)
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            raise Problem(
                f"{self.path} : écriture impossible ({error}) ; rien n'a été dit de ce qui n'est pas enregistré : "
                "faites de la place ou rendez le dossier accessible, puis relancez",
                f"{self.path}: cannot be written ({error}); nothing was said of what is not stored: "
                "make room or give access to the folder, then start again",
            ) from error

    def _remember(self, numbers: dict[str, Any]) -> None:
        changed = [(key, value) for key, value in numbers.items() if self._saved.get(key) != value]
        if changed:
            self._db.executemany("INSERT OR REPLACE INTO site VALUES (?, ?)", changed)
            self._saved.update(changed)

    def close(self) -> None:
        """Done with it."""
        self._db.close()


# ---------------------------------------------------------------------------------------------------- opening with care


def _in_memory() -> sqlite3.Connection:
    database = sqlite3.connect(":memory:", isolation_level=None)
    database.executescript(_SCHEMA)
    return database


def _create(path: Path) -> None:
    """Make a new, empty store, all at once: a file of that name is never half made."""
    aside = path.with_suffix(f".{os.getpid()}")
    try:
        if path.exists():
            return
        _make_folder(path.parent)
        database = sqlite3.connect(aside, isolation_level=None)
        database.executescript(f"PRAGMA application_id={APPLICATION_ID}; PRAGMA user_version={VERSION};{_SCHEMA}")
        database.close()
        os.link(aside, path)  # unlike a renaming, this never replaces what another process has made meanwhile
    except FileExistsError:
        pass
    except (OSError, sqlite3.Error) as error:
        raise _not_created(path, error) from error
    finally:
        with suppress(OSError):  # where nothing can be written, nothing is left lying about
            aside.unlink()


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _not_created(folder, error) from error


def _not_created(path: Path, error: Exception) -> Problem:
    return Problem(
        f"--donnees : {path} ne peut être créé ({error}) ; choisissez un dossier où l'on peut écrire",
        f"--donnees: {path} cannot be created ({error}); choose a folder that can be written",
    )


def _open(path: str) -> sqlite3.Connection:
    database = None
    try:
        if not Path(path).is_file():  # SQLite would wait for whoever writes to a pipe
            raise _another_programs(path)
        # Looked at without the right to write: closing a damaged file must not write its log into it.
        database = _connect(path, "ro" if Path(f"{path}-wal").exists() else "ro&immutable=1")
        _check(database, path)
        database.close()
        database = _connect(path, "rw")
        # Exclusive: a second process of the same name can't open it, and the WAL's index needs no shared memory.
        database.execute("PRAGMA locking_mode=EXCLUSIVE")
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("BEGIN IMMEDIATE")
        # Answers beyond what the guichet remembers are of no use any more.
        database.execute(
            "DELETE FROM answers WHERE number IN (SELECT number FROM (SELECT number, row_number() OVER"
            " (PARTITION BY client ORDER BY number DESC) AS age FROM answers) WHERE age > ?)",
            (MAX_ANSWERS,),
        )
        database.execute("COMMIT")
        return database
    except (sqlite3.Error, UnicodeDecodeError, Problem) as error:  # what SQLite quotes from a damaged file may be no text
        if database is not None:
            database.close()
        raise error if isinstance(error, Problem) else _refusal(path, error) from error


def _connect(path: str, mode: str) -> sqlite3.Connection:
    """An existing file, opened to be read (`ro`; `immutable`: without its log, leaving no file beside it) or written too."""
    return sqlite3.connect(f"{Path(path).resolve().as_uri()}?mode={mode}", uri=True, isolation_level=None, timeout=0)


def _check(database: sqlite3.Connection, path: str) -> None:
    application = database.execute("PRAGMA application_id").fetchone()[0]
    version = database.execute("PRAGMA user_version").fetchone()[0]
    if application != APPLICATION_ID:
        raise _another_programs(path)
    if version != VERSION:
        raise Problem(
            f"{path} : écrit par une autre version ({version}, ici {VERSION}) ; reprenez-la ou un autre --donnees",
            f"{path}: written by another version ({version}, here {VERSION}); use that version or another --donnees",
        )
    verdict = database.execute("PRAGMA quick_check(1)").fetchone()[0]
    if verdict != "ok":
        raise _refusal(path, sqlite3.DatabaseError(verdict))


def _another_programs(path: str) -> Problem:
    return Problem(
        f"{path} : ce n'est pas une mémoire de ce programme ; choisissez un autre --donnees",
        f"{path}: not a store of this program; choose another --donnees",
    )


def _refusal(path: str, error: Exception) -> Problem:
    reason = " ".join(str(error).split())
    if "locked" in str(error):
        return Problem(
            f"{path} : déjà utilisé par un autre site de même nom ; arrêtez-le, ou changez --ident ou --donnees",
            f"{path}: in use by another site of the same name; stop it, or change --ident or --donnees",
        )
    if "I/O error" in str(error) or "is full" in str(error):
        return Problem(
            f"{path} : le disque ne lit ou n'écrit pas ({reason}) ; faites de la place ou remplacez-le, puis relancez",
            f"{path}: the disk does not read or write ({reason}); make room or replace it, then start again",
        )
    if "readonly" in str(error) or "unable to open" in str(error):
        return Problem(
            f"{path} : ne peut être ouvert en écriture ({reason}) ; rendez le fichier et son dossier accessibles",
            f"{path}: cannot be opened for writing ({reason}); make the file and its folder accessible",
        )
    return Problem(
        f"{path} : endommagé ({reason}) ; il n'a pas été touché : restaurez une copie ou choisissez un autre --donnees",
        f"{path}: damaged ({reason}); it was left untouched: restore a copy or choose another --donnees",
    )


# ------------------------------------------------------------------------------------------------------- facts and rows


def _journey(journey: Journey) -> tuple[str, str, str, str, int]:
    return journey.train, journey.date, journey.departure, journey.destination, journey.cents


def _ticket_row(ticket: Ticket) -> tuple[Any, ...]:
    return (ticket.id, *_journey(ticket.journey), ticket.state, ticket.client, ticket.request, ticket.deadline)


_PUT_TICKET = "INSERT OR REPLACE INTO tickets VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


def _write_added(database: sqlite3.Connection, fact: facts.TicketsAdded) -> None:
    database.executemany(_PUT_TICKET, map(_ticket_row, fact.tickets))


def _write_moved(database: sqlite3.Connection, fact: facts.TicketMoved) -> None:
    database.execute(_PUT_TICKET, _ticket_row(fact.ticket))


def _write_withdrawn(database: sqlite3.Connection, fact: facts.TicketWithdrawn) -> None:
    database.execute("DELETE FROM tickets WHERE id = ?", (fact.ticket_id,))


def _write_answered(database: sqlite3.Connection, fact: Answered) -> None:
    row = (fact.client, fact.request, fact.ticket_id, fact.reason)
    database.execute("INSERT OR REPLACE INTO answers (client, request, ticket, reason) VALUES (?, ?, ?, ?)", row)


def _write_client_forgot(database: sqlite3.Connection, fact: facts.ClientForgot) -> None:
    database.execute("DELETE FROM answers WHERE client = ?", (fact.client,))


def _write_errand(database: sqlite3.Connection, fact: facts.ErrandMoved) -> None:
    errand = fact.errand
    if errand.kind == facts.CONSULT:  # a list is out of date before it could be read again
        return
    search, holding = errand.search, errand.holding
    held = (holding.ticket_id, *_journey(holding.journey), holding.holder) if holding else (None,) * 7
    wanted = (search.ticket, search.departure, search.destination, search.since, search.until, errand.limit)
    end = (errand.reason, errand.deadline, int(errand.next_try > 0))
    row = (errand.number, errand.kind, errand.state, *wanted, *held, *end)
    database.execute(f"INSERT OR REPLACE INTO errands VALUES ({', '.join('?' * 19)})", row)


def _errand(row: tuple[Any, ...]) -> Errand:
    holding = Holding(row[9], Journey(*row[10:15]), row[15]) if row[9] else None
    return Errand(
        number=row[0],
        kind=row[1],
        state=row[2],
        search=Search(*row[3:8]),
        limit=row[8],
        holding=holding,
        reason=row[16],
        deadline=row[17],
        next_try=float(row[18]),
    )


_DISMISSED = -1  # instead of 0 or 1, in the column `present`


def _peer(row: tuple[Any, ...]) -> PeerMet:
    return PeerMet(row[0], row[1], row[2], present=row[3] == 1, dismissed=row[3] == _DISMISSED)


def _kept(row: tuple[Any, ...]) -> TicketKept:
    return TicketKept(Holding(row[0], Journey(*row[1:6]), row[6]), row[7])


def _forget_errand(database: sqlite3.Connection, fact: facts.ErrandForgotten) -> None:
    database.execute("DELETE FROM errands WHERE number = ?", (fact.number,))


def _write_kept(database: sqlite3.Connection, fact: TicketKept) -> None:
    holding = fact.holding
    row = (holding.ticket_id, *_journey(holding.journey), holding.holder, fact.request)
    database.execute("INSERT OR REPLACE INTO kept VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)


def _write_left(database: sqlite3.Connection, fact: facts.TicketLeft) -> None:
    database.execute("DELETE FROM kept WHERE id = ?", (fact.ticket_id,))
    database.execute("INSERT OR REPLACE INTO given_back VALUES (?, ?)", (fact.ticket_id, fact.request))


def _write_peer(database: sqlite3.Connection, fact: PeerMet) -> None:
    row = (fact.name, fact.role, fact.life, _DISMISSED if fact.dismissed else int(fact.present))
    database.execute("INSERT OR REPLACE INTO peers VALUES (?, ?, ?, ?)", row)


def _write_owed(database: sqlite3.Connection, fact: RestoreOwed) -> None:
    if fact.text:
        database.execute("INSERT OR REPLACE INTO owed VALUES (?, ?, ?)", (fact.client, fact.epoch, fact.text))
    else:
        database.execute("DELETE FROM owed WHERE client = ?", (fact.client,))


def _restore_office(database: sqlite3.Connection, fact: facts.OfficeRestored) -> None:
    database.execute("DELETE FROM tickets")
    database.execute("DELETE FROM answers")
    database.executemany(_PUT_TICKET, map(_ticket_row, fact.tickets))
    for answer in fact.answers:
        _write_answered(database, answer)


def _restore_client(database: sqlite3.Connection, fact: facts.ClientRestored) -> None:
    for table in ("errands", "kept", "given_back"):
        database.execute(f"DELETE FROM {table}")
    for errand in fact.errands:
        _write_errand(database, facts.ErrandMoved(errand))
    for kept in fact.tickets:
        _write_kept(database, kept)
    database.executemany("INSERT INTO given_back VALUES (?, ?)", fact.given_back)


_WRITERS: dict[type, Callable[[sqlite3.Connection, Any], None]] = {
    facts.TicketsAdded: _write_added,
    facts.TicketMoved: _write_moved,
    facts.TicketWithdrawn: _write_withdrawn,
    Answered: _write_answered,
    facts.ClientForgot: _write_client_forgot,
    facts.ErrandMoved: _write_errand,
    facts.ErrandForgotten: _forget_errand,
    TicketKept: _write_kept,
    facts.TicketLeft: _write_left,
    PeerMet: _write_peer,
    RestoreOwed: _write_owed,
    facts.OfficeRestored: _restore_office,
    facts.ClientRestored: _restore_client,
}
