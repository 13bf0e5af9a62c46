"""A site as a process. The law: house.md, "The one door", and contract, sections 1, 8 and 9.

"The edge makes the facts durable first, then speaks, a batch of input lines at a time." - "A trace line is written
after the event took place and, with a store, after it is durable." - "A command that cannot be carried out is
answered in the trace and on stderr with its reason; the site goes on." -
`--safemode` "(stop at the first malformed line)".
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

import pytest

from lib.core import commands as ask
from lib.core.commands import CommandRefused
from lib.core.facts import Commanded, Dropped, Event, PeerMet, Reaction, StateTold, Stopped
from lib.edge.commands import Import
from lib.edge.process import Clock, Process
from lib.texts import Problem, Text

GOOD = b"good"


class FakeRole:
    role = "client"
    next_number = 1


class FakeClock:
    time = 0


class FakeRelay:
    ignores = False


class FakeSite:
    """Answers every good line with one event and one line; keeps what it was told."""

    def __init__(self, role: str = "client") -> None:
        self.name, self.latest_life, self.round, self.epoch = "c1", 1, 0, 0
        self.role, self.clock, self.relay = FakeRole(), FakeClock(), FakeRelay()
        self.role.role = role
        self.told: list[Any] = []
        self.deadline = float("inf")
        self.refuses: CommandRefused | None = None

    def _happens(self, fact: Any, *lines: bytes) -> Reaction:
        self.clock.time += 1
        return Reaction(list(lines), [Event(1.0, self.clock.time, fact)])

    def start(self, now: float) -> Reaction:
        return self._happens(PeerMet("start", "", 1), b"arrival")

    def hear(self, lines: Iterable[bytes], now: float) -> Reaction:
        reaction = Reaction()
        for line in lines:
            self.told.append(line)
            good = line.startswith(GOOD)
            fact = PeerMet(line.decode(), "", 1) if good else Dropped("bad", line)
            happened = self._happens(fact, b"answer to " + line) if good else self._happens(fact)
            reaction.lines += happened.lines
            reaction.events += happened.events
        return reaction

    def reject(self, reason: str, line: bytes, now: float) -> Reaction:
        return self._happens(Dropped(reason, line))

    def command(self, command: ask.Command, now: float) -> Reaction:
        if self.refuses:
            raise self.refuses
        self.told.append(command)
        if isinstance(command, ask.TellState):
            return self._happens(StateTold({}))
        happened, said = self._happens(PeerMet("command", "", 1)), self._happens(PeerMet("said", "", 1), b"request")
        return Reaction(said.lines, happened.events + said.events)

    def tick(self, now: float) -> Reaction:
        self.told.append("tick")
        return self._happens(PeerMet("tick", "", 1), b"again")

    def leave(self, now: float) -> Reaction:
        self.told.append("leave")
        return self._happens(Stopped(), b"departure")


class Journal:
    """The store, the trace, the output and the log of a process: what they were asked, in one list, in order."""

    def __init__(self) -> None:
        self.did: list[tuple[Any, ...]] = []
        self.is_full = self.is_overfull = self.is_broken = False
        self.waiting = 0
        self.commit_fails: Problem | None = None
        self.trace_fails: OSError | None = None
        self.closed = False

    # the store
    def commit(self, events: Iterable[Event], numbers: dict[str, int], before_speaking: bool) -> None:
        if self.commit_fails:
            raise self.commit_fails
        self.did.append(("stored", [event.fact for event in events], before_speaking, dict(numbers)))

    def close(self) -> None:
        self.closed = True

    # the trace
    def write(self, events: Iterable[Event]) -> None:
        if self.trace_fails:
            raise self.trace_fails
        self.did.append(("traced", list(events)))

    # the output
    def put(self, lines: Iterable[bytes]) -> None:
        self.did.append(("said", list(lines)))

    def flush(self) -> None:
        pass

    # the log
    def _log(self, text: Text, *values: object) -> None:
        self.did.append(("logged", text.fr % values if values else text.fr))

    error = warning = info = debug = _log

    def of(self, kind: str) -> list[Any]:
        return [entry[1] for entry in self.did if entry[0] == kind]

    def said(self) -> list[bytes]:
        return [line for lines in self.of("said") for line in lines]

    def traced(self) -> list[Event]:
        return [event for events in self.of("traced") for event in events]


def made(role: str = "client", **options: Any) -> tuple[Process, FakeSite, Journal]:
    site, journal = FakeSite(role), Journal()
    process = Process(site, journal, journal, journal, trace=journal, **options)  # type: ignore[arg-type]
    return process, site, journal


# -------------------------------------------------------------------------------------- durable, then traced, then said


@pytest.mark.parametrize(
    "what",
    [
        lambda process: process.start(),
        lambda process: process.read(b"good 1\ngood 2\n"),
        lambda process: process.read_commands(b"reserver\n"),
        lambda process: process.leave(),
        lambda process: (setattr(process.site, "deadline", 0.0), process.tick()),
    ],
    ids=["start", "read", "command", "leave", "tick"],
)
def test_durable_first_then_traced_then_said(what: Any) -> None:
    process, _, journal = made()
    what(process)
    assert [entry[0] for entry in journal.did if entry[0] != "logged"] == ["stored", "traced", "said"]
    assert journal.said(), "there was something to say"
    assert journal.did[0][2] is True, "spoken of: it has to outlive the machine"


def test_a_batch_of_lines_is_one_transaction() -> None:
    process, _, journal = made()
    process.read(b"".join(b"good %d\n" % n for n in range(400)))
    assert [len(batch) for batch in journal.of("stored")] == [400]
    assert journal.said() == [b"answer to good %d" % n for n in range(400)]


def test_what_is_not_stored_is_neither_traced_nor_said() -> None:
    """ "has lost nothing that it ever said": with a full disk, it says nothing."""
    process, _, journal = made()
    journal.commit_fails = Problem("disque plein", "disk full")
    with pytest.raises(Problem):
        process.read(b"good\n")
    assert journal.did == []


def test_a_full_disk_at_a_command_is_no_mere_refusal() -> None:
    """The role has changed and the store has not: the site may not live on as if the command had been refused."""
    for command in (b"reserver\n", b"quitter\n"):
        process, _, journal = made()
        journal.commit_fails = Problem("disque plein", "disk full")
        with pytest.raises(Problem):
            process.read_commands(command)
        assert journal.said() == []


def test_the_numbers_of_the_site_are_stored_with_what_happened() -> None:
    process, _, journal = made()
    process.read(b"good\ngood\n")
    assert journal.did[0][3] == {"life": 1, "clock": 2, "round": 0, "epoch": 0, "next_number": 1}


def test_what_is_not_spoken_of_need_not_be_synced() -> None:
    process, _, journal = made()
    process.read(b"bad\n")
    assert journal.did[0][2] is False


def test_a_trace_that_fails_is_told_and_the_site_goes_on() -> None:
    process, _, journal = made()
    journal.trace_fails = OSError(28, "No space left on device")
    process.read(b"good 1\n")
    process.read(b"good 2\n")
    assert journal.said() == [b"answer to good 1", b"answer to good 2"]
    assert len([text for text in journal.of("logged") if "No space" in text]) == 1


# ------------------------------------------------------------------------------------------------------------ lines


def test_cut_lines_are_put_together_and_the_rest_waits() -> None:
    process, site, _ = made()
    for piece in (b"go", b"od 1\ngood", b" 2", b"\n"):
        process.read(piece)
    assert site.told == [b"good 1", b"good 2"]


def test_a_line_too_long_is_dropped_with_its_reason_and_the_next_is_good() -> None:
    process, site, journal = made()
    process.read(b"x" * 5000)
    process.read(b"x" * 2**20 + b"\ngood\n")
    assert site.told == [GOOD]
    assert [event.fact.reason for event in journal.traced() if isinstance(event.fact, Dropped)] == ["too long"]
    assert journal.said() == [b"answer to good"]


def test_the_end_in_the_middle_of_a_line_is_a_cut_line() -> None:
    process, site, journal = made()
    process.read(b"good 1\ngoo")
    process.read_end()
    process.read(b"good 2\n")
    assert site.told == [b"good 1", b"good 2"]
    assert [event.fact for event in journal.traced() if isinstance(event.fact, Dropped)] == [Dropped("cut off", b"goo")]


def test_safe_mode_stops_at_the_first_malformed_line() -> None:
    process, _, journal = made(safe_mode=True)
    process.read(b"good\n")
    assert not process.wants_to_end
    process.read(b"bad\n")
    assert process.wants_to_end and process.status == 2
    assert any("--safemode" in text for text in journal.of("logged"))


def test_without_safe_mode_it_goes_on() -> None:
    process, _, journal = made()
    process.read(b"bad\ngood\n")
    assert not process.wants_to_end and process.status == 0
    assert journal.said() == [b"answer to good"]
    assert any("bad" in text for text in journal.of("logged"))


def test_a_routine_drop_is_no_complaint() -> None:
    process, site, journal = made(safe_mode=True)
    routine = Reaction([], [Event(1.0, 1, Dropped("duplicate", b"x", is_routine=True))])
    site.hear = lambda lines, now: routine  # type: ignore[method-assign]
    process.read(b"x\n")
    assert journal.of("logged") == [] and not process.wants_to_end


def test_that_lines_of_others_are_ignored_is_said_once() -> None:
    process, site, journal = made()
    process.read(b"good 1\n")
    assert journal.of("logged") == []
    site.relay.ignores = True
    for _ in range(3):
        process.read(b"good 2\n")
    assert [text for text in journal.of("logged") if "--transit" in text] == journal.of("logged") != []
    assert len(journal.of("logged")) == 1


# ------------------------------------------------------------------------------------------------------------ commands


def commanded(journal: Journal) -> list[Commanded]:
    return [event.fact for event in journal.traced() if isinstance(event.fact, Commanded)]


def test_a_command_is_answered_in_the_trace() -> None:
    process, site, journal = made()
    process.read_commands(b"reserver destination=Creil\n")
    assert commanded(journal) == [Commanded("reserver destination=Creil")]
    assert len(site.told) == 1 and journal.of("logged") == []


@pytest.mark.parametrize("line", ["danser", "reserver Creil", "reserver destination='Creil", "confirmer demande=x"])
def test_a_command_that_is_none_is_answered_in_the_trace_and_on_stderr(line: str) -> None:
    process, site, journal = made()
    process.read_commands(line.encode() + b"\nreserver\n")
    assert [fact.line for fact in commanded(journal)] == [line, "reserver"]
    assert commanded(journal)[0].error and not commanded(journal)[1].error
    assert any(line in text for text in journal.of("logged"))
    assert len(site.told) == 1, "the site goes on"


@pytest.mark.parametrize(("language", "word"), [("fr", "aucune demande n°4"), ("en", "no request no. 4")])
def test_a_refusal_of_the_core_is_told_in_the_users_language(language: str, word: str) -> None:
    process, site, journal = made(language=language)
    site.refuses = CommandRefused("unknown_request", "4")
    process.read_commands(b"confirmer demande=4\n")
    assert word in commanded(journal)[0].error and journal.said() == []


def test_commands_are_refused_while_the_output_is_full() -> None:
    """measured.md: "when it is full stop *creating*, never stop *reading*"."""
    process, site, journal = made()
    journal.is_full = True
    process.read_commands(b"reserver\netat\n")
    process.read(b"good\n")
    assert [bool(fact.error) for fact in commanded(journal)] == [True, False]
    assert site.told == [ask.TellState(), GOOD]
    process.read_commands(b"quitter\n")
    assert process.wants_to_end, "one may always leave"


def test_a_site_hears_nothing_while_it_could_not_answer_and_says_once_that_lines_are_lost() -> None:
    """Contract, 1: "a limit on everything"; what is passed on is lost last."""
    process, site, journal = made()
    for full, overfull in ((True, False), (True, True), (True, True), (False, False), (True, True)):
        journal.is_full, journal.is_overfull = full, overfull
        process.read(b"good\n")
        assert site.is_choked == full
    assert len([entry for entry in journal.of("logged") if "déborde" in str(entry)]) == 2


def test_a_command_too_long_is_refused_never_carried_out_in_part() -> None:
    """The beginning of an order is another order."""
    for role, line in (
        ("client", b"reserver destination="),
        ("client", b"consulter depart="),
        ("guichet", b"ajouter train=1 date=2027-01-01T10:00 cout=1 depart=A destination="),
        ("guichet", b"importer fichier="),
    ):
        loaded: list[Any] = []
        process, site, journal = made(role, load=lambda asked, loaded=loaded: loaded.append(asked) or ask.AddTickets(()))
        process.read_commands(line + b"x" * 5000 + b"\n")
        assert site.told == [] and loaded == [], "carried out in part"
        assert [bool(fact.error) for fact in commanded(journal)] == [True]


def test_an_import_goes_through_the_loader() -> None:
    asked: list[Any] = []
    process, site, _ = made("guichet", load=lambda order: asked.append(order) or ask.AddTickets(()))  # type: ignore
    process.read_commands(b"importer fichier='a b.csv' places=3\n")
    assert asked == [Import("a b.csv", seats=3)] and site.told == [ask.AddTickets(())]


def test_an_import_that_fails_is_answered_and_changes_nothing() -> None:
    def load(asked: Import) -> ask.AddTickets:
        raise Problem("b.csv, ligne 3 : mauvais", "b.csv, line 3: bad")

    process, site, journal = made("guichet", load=load)
    process.read_commands(b"importer fichier=b.csv\n")
    assert commanded(journal)[0].error == "b.csv, ligne 3 : mauvais" and site.told == [] and journal.said() == []


def test_leaving_is_done_once_and_is_the_last_thing() -> None:
    """`stop` ends a trace, and nothing is said after goodbye, whatever else was typed in the same breath."""
    process, site, journal = made()
    process.read_commands(b"reserver\nquitter\nreserver\nquitter\n")
    process.leave()
    assert process.wants_to_end and process.status == 0
    assert site.told.count("leave") == 1
    assert journal.said() == [b"request", b"departure"], "in the order in which it was asked"
    assert isinstance(journal.traced()[-1].fact, Stopped)


def test_the_clock_never_goes_back_along_a_trace() -> None:
    """Section 2: "the clock never goes back"; section 9: `i` numbers a site's events, `lamport` stamps them."""
    process, _, journal = made()
    process.start()
    process.read_commands(b"reserver\ndanser\netat\nreserver\n")
    process.read(b"good\nbad\n")
    process.read_commands(b"quitter\n")
    stamps = [event.lamport for event in journal.traced()]
    assert stamps == sorted(stamps)


# ------------------------------------------------------------------------------------------------------------- the rest


def test_a_tick_comes_only_when_the_site_wants_it() -> None:
    process, site, journal = made()
    process.tick()
    assert site.told == [] and journal.did == []
    site.deadline = time.time() - 1
    process.tick()
    assert site.told == ["tick"]


def test_first_tickets_are_stored_before_anybody_hears_of_the_guichet() -> None:
    process, site, journal = made("guichet")
    process.start(ask.AddTickets(()))
    assert [entry[0] for entry in journal.did] == ["stored", "traced", "said"], "one transaction for all"
    assert site.told == [ask.AddTickets(())]


def test_a_broken_output_is_told_once_until_it_is_whole_again() -> None:
    process, _, journal = made()
    for broken in (True, True, False, True):
        journal.is_broken = broken
        process.flush()
    assert len(journal.of("logged")) == 2


def test_the_clock_of_a_process_does_not_go_back_with_the_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    before = clock()
    assert abs(before - time.time()) < 1
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert clock() >= before
