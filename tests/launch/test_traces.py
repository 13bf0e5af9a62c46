"""Traces are read while they grow, and while sites are killed."""

from __future__ import annotations

import json

import pytest

from lib.launch.traces import Follower, end_last_line, parse

KINDS = ("start", "send")


def line(kind: str, number: int, lamport: int, **more) -> str:
    return json.dumps({"t": 1.5, "site": "c1", "i": number, "lamport": lamport, "ev": kind, **more}) + "\n"


@pytest.fixture
def trace(tmp_path):
    return tmp_path / "c1.trace.jsonl"


def numbers(follower: Follower) -> list[int]:
    return [event.number for event in follower.new_events(KINDS)]


def test_only_what_is_new_and_only_whole_lines(trace):
    trace.write_text(line("start", 1, 1))
    follower = Follower({"c1": trace})
    assert numbers(follower) == []
    whole = line("send", 2, 2)
    with trace.open("a") as file:
        for character in whole[:-1]:
            file.write(character)
            file.flush()
            assert numbers(follower) == []
        file.write("\n" + line("send", 3, 3))
    assert numbers(follower) == [2, 3]
    assert numbers(follower) == []


def test_a_trace_that_is_not_there_yet(trace):
    follower = Follower({"c1": trace})
    assert numbers(follower) == []
    trace.write_text(line("start", 1, 1))
    assert numbers(follower) == [1]


def test_other_kinds_are_passed_over_and_garbage_too(trace):
    follower = Follower({"c1": trace})
    garbage = '{"ev": "send"}\n{"ev": "send", "i": \n[]\n\n{"ev": "send", "i": "x", "lamport": 1, "t": 0}\n'
    trace.write_text(line("relay", 1, 1) + garbage + line("send", 2, 2, id='{"ev": "start"}'))
    assert numbers(follower) == [2]


def test_causes_come_before_effects_and_each_trace_keeps_its_order(tmp_path):
    one, other = tmp_path / "1", tmp_path / "2"
    follower = Follower({"c1": one, "c2": other})
    one.write_text(line("send", 1, 5) + line("send", 2, 4) + line("send", 3, 9))
    other.write_text(line("send", 4, 6) + line("send", 5, 7))
    assert numbers(follower) == [1, 2, 4, 5, 3]


def test_half_a_line_of_a_killed_site_does_not_spoil_the_next_one(trace):
    follower = Follower({"c1": trace})
    trace.write_text(line("send", 1, 1) + '{"t": 1, "site"')
    end_last_line(trace)
    end_last_line(trace)
    with trace.open("a") as file:
        file.write(line("start", 2, 2))
    assert numbers(follower) == [1, 2]
    assert len(trace.read_text().splitlines()) == 3


def test_fields_of_a_wrong_type_are_as_if_they_lacked():
    event = parse("c1", line("send", 1, 1, total="many", tickets={"id": 1}, ticket=None).encode())
    assert event
    assert (event.count("total"), event.objects("tickets"), event.text("ticket")) == (0, [], "")
