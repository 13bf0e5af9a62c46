"""The trace. The law: contract, section 9.

"Every line: `t` (Unix seconds), `site`, `i` (local event number from 1), `lamport`, `ev`" and what an event adds. -
"A trace line is written after the event took place and, with a store, after it is durable. No trace: no cost."
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.core import facts
from lib.core import messages as say
from lib.core.facts import Errand, Event, Holding
from lib.core.messages import Message
from lib.core.tickets import HELD, SOLD, Journey, Search, Ticket
from lib.edge import trace as module
from lib.edge.trace import MAX_LINE_SHOWN, Trace
from lib.texts import Problem

JOURNEY = Journey("848362", "2027-03-17T07:10", "Compiègne", "L'Isle-Adam", 1540)
HOLDING = Holding("B0001", JOURNEY, "gch")
HEAD = ("t", "site", "i", "lamport", "ev")


def message(body: say.Body, rank: int = 0, to: str = "gch") -> Message:
    return Message("c1", 1, 7, to, 12, 3, 2, rank, 0, body)


def rows(tmp_path: Path, *written: Any) -> list[dict[str, Any]]:
    path = tmp_path / "trace.jsonl"
    Trace(str(path), "c1").write([Event(1795366142.1234567, 9, fact) for fact in written])
    text = path.read_text(encoding="utf-8")
    assert not text or text.endswith("\n")
    return [json.loads(line) for line in text.split("\n") if line]


def row(tmp_path: Path, fact: Any) -> dict[str, Any]:
    (only,) = rows(tmp_path, fact)
    assert tuple(only)[:5] == HEAD
    assert (only["t"], only["site"], only["i"], only["lamport"]) == (1795366142.123457, "c1", 1, 9)
    return {key: value for key, value in only.items() if key not in HEAD[:4]}


RETURN = say.Return("c1", 4, "B0001")


@pytest.mark.parametrize(
    ("fact", "fields"),
    [
        (facts.Started("client", 7), {"ev": "start", "role": "client", "life": 7}),
        (facts.Stopped(), {"ev": "stop"}),
        (facts.Sent(message(RETURN, 17)),
         {"ev": "send", "id": "c1:1.7", "peer": "gch", "type": "retour", "round": 3, "epoch": 2, "rank": 17}),
        (facts.Received(message(RETURN, 17)),
         {"ev": "recv", "id": "c1:1.7", "peer": "c1", "type": "retour", "round": 3, "epoch": 2, "rank": 17}),
        (facts.Sent(message(say.Presence("client", say.ALIVE), to="tous")),
         {"ev": "send", "id": "c1:1.7", "peer": "tous", "type": "presence", "round": 3, "epoch": 2}),
        (facts.Relayed(b"^transmettant~b^emetteur~c2^numero~3.4^destinataire~gch^type~x^"),
         {"ev": "relay", "id": "c2:3.4"}),
        (facts.Relayed(b"\x07NET\x07ALL\x07^appnet~X^destinataire~gch^emetteur~c2^estampille~1^numero~3.4^type~x"),
         {"ev": "relay", "id": "c2:3.4"}),
        (facts.Relayed(b"^numero~3.4^transmettant~b^emetteur~c2^"), {"ev": "relay", "id": "c2:3.4"}),
        (facts.Dropped("not utf-8", b"\xff^a"), {"ev": "drop", "reason": "not utf-8", "line": "\ufffd^a"}),
        (facts.Commanded("etat"), {"ev": "command", "line": "etat", "ok": True, "error": ""}),
        (facts.Commanded("x", "commande inconnue"),
         {"ev": "command", "line": "x", "ok": False, "error": "commande inconnue"}),
        (facts.StateTold({"free": 3, "tickets": []}), {"ev": "state", "free": 3, "tickets": []}),
        (facts.TicketMoved(Ticket("B0001", JOURNEY, HELD, "c1", 4, 99.0)),
         {"ev": "ticket", "ticket": "B0001", "state": "held", "client": "c1", "request": 4}),
        (facts.TicketMoved(Ticket("B0001", JOURNEY, SOLD, "c1", 4)),
         {"ev": "ticket", "ticket": "B0001", "state": "sold", "client": "c1", "request": 4}),
        (facts.TicketMoved(Ticket("B0001", JOURNEY)), {"ev": "ticket", "ticket": "B0001", "state": "free"}),
        (facts.TicketsAdded((Ticket("B0001", JOURNEY), Ticket("B0002", JOURNEY))),
         {"ev": "ticket", "ticket": "B0001", "last": "B0002", "count": 2, "state": "free"}),
    ],
)  # fmt: skip
def test_every_event_has_its_fields(tmp_path: Path, fact: Any, fields: dict[str, Any]) -> None:
    found = row(tmp_path, fact)
    assert found | fields == found, f"lacks of {fields}"
    assert set(found) - set(fields) <= {"pid"}


def test_start_says_which_process(tmp_path: Path) -> None:
    import os

    assert row(tmp_path, facts.Started("client", 7))["pid"] == os.getpid()


@pytest.mark.parametrize("kind", [facts.CONSULT, facts.RESERVE, facts.RETURN])
@pytest.mark.parametrize(
    "state", ["asked", "listed", "offered", "confirming", "owned", "refused", "expired", "returned", "unreachable"]
)
def test_a_request_in_every_state(tmp_path: Path, kind: str, state: str) -> None:
    """`request` (`request`, `kind` consult/reserve/return, `state` ..., `ticket`)."""
    errand = Errand(4, kind, state, Search(ticket="B0001"), holding=HOLDING, deadline=1795366152.1234567)
    found = row(tmp_path, facts.ErrandMoved(errand))
    assert {key: found[key] for key in ("ev", "request", "kind", "state", "ticket")} == {
        "ev": "request", "request": 4, "kind": kind, "state": state, "ticket": "B0001"
    }  # fmt: skip
    assert ("expires_in" in found) == (state == "offered")
    if state == "offered":
        assert found["expires_in"] == 10.0


def test_a_list_is_in_its_order(tmp_path: Path) -> None:
    listing = {n: Holding(f"B000{n}", JOURNEY, "gch") for n in (3, 1, 2)}
    errand = Errand(4, facts.CONSULT, facts.LISTED, Search(), 10, total=7, listing=listing)
    found = row(tmp_path, facts.ErrandMoved(errand))
    assert found["total"] == 7
    assert [ticket["id"] for ticket in found["tickets"]] == ["B0001", "B0002", "B0003"]
    assert found["tickets"][0]["to"] == "L'Isle-Adam" and found["tickets"][0]["price"] == "15.40"


def test_every_fact_of_the_contracts_events_is_described() -> None:
    """A fact that is forgotten here is never seen by a test or by the observer."""
    described = set(module._ROWS)
    for_the_store_alone = {"Answered", "ClientForgot", "ErrandForgotten", "TicketKept", "TicketLeft", "PeerMet"}
    restored = {"OfficeRestored", "ClientRestored", "RestoreOwed", "FileWanted"}  # shown by `restore`
    missing = {fact.__name__ for fact in facts.Fact.__args__ if fact not in described}  # type: ignore[attr-defined]
    assert missing <= for_the_store_alone | restored


@settings(max_examples=80)
@given(st.binary(max_size=300))
def test_a_dropped_line_is_json_whatever_it_was_and_cut(tmp_path_factory: pytest.TempPathFactory, line: bytes) -> None:
    """`drop` (`reason`, `line` cut)."""
    found = row(tmp_path_factory.mktemp("t"), facts.Dropped("bad", line))
    assert found["line"] == line.decode(errors="replace")[:MAX_LINE_SHOWN]


@settings(max_examples=80)
@given(st.binary(max_size=200))
def test_a_passed_on_line_is_described_whatever_it_was(tmp_path_factory: pytest.TempPathFactory, line: bytes) -> None:
    assert row(tmp_path_factory.mktemp("t"), facts.Relayed(line))["ev"] == "relay"


def test_event_numbers_go_on_from_batch_to_batch_and_the_file_is_appended_to(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    trace = Trace(str(path), "c1")
    for _ in range(3):
        trace.write([Event(1.0, 1, facts.Stopped()), Event(1.0, 1, facts.PeerMet("c2", "client", 1))] * 2)
    numbers = [json.loads(line)["i"] for line in path.read_text().splitlines()]
    assert numbers == [1, 2, 3, 4, 5, 6], "the store's own don't count"
    Trace(str(path), "c1").write([Event(1.0, 1, facts.Stopped())])
    assert len(path.read_text().splitlines()) == 7


def test_after_a_kill_in_the_middle_of_a_line_the_next_life_begins_on_its_own(tmp_path: Path) -> None:
    """A kill -9 can cut a write to a file (seen under load): the `start` of the next life must not be glued to it."""
    path = tmp_path / "t.jsonl"
    path.write_bytes(b'{"t":1.0,"site":"c1","i":1,"lam')
    Trace(str(path), "c1").write([Event(1.0, 1, facts.Started("client", 2))])
    assert json.loads(path.read_text().splitlines()[-1])["ev"] == "start"


def test_lines_are_there_at_once_for_whoever_waits_for_them(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    trace = Trace(str(path), "c1")
    trace.write([Event(1.0, 1, facts.Stopped())])
    assert path.read_text().endswith('"ev":"stop"}\n')


@pytest.mark.parametrize("where", ["folder", "missing/t.jsonl"])
def test_a_trace_that_cannot_be_written_is_one_clear_line(tmp_path: Path, where: str) -> None:
    path = tmp_path if where == "folder" else tmp_path / where
    with pytest.raises(Problem) as caught:
        Trace(str(path), "c1")
    assert f"--trace={path}" in caught.value.text.fr and f"--trace={path}" in caught.value.text.en


def test_a_full_disk_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        Trace("/dev/full", "c1").write([Event(1.0, 1, facts.Stopped())])
