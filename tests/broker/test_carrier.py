"""What mosquitto's programs say at their end, and whose word it is."""

from __future__ import annotations

import os
import select
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from lib.broker import carrier
from lib.broker.carrier import Carrier
from lib.broker.member import Member
from lib.texts import Text
from tests.processes.ring import until

REFUSAL = "Connection error: Connection Refused: not authorised."


class Quiet:
    """No signal ever comes."""

    received: tuple[int, ...] = ()

    def wait(self, seconds: float, files: Sequence[int] = ()) -> bool:
        return bool(select.select(files, [], [], seconds)[0])


def test_each_program_complains_for_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All three complain, then all three end: the first to end has not spoken for the others, which would seem to have
    ended without a reason, as when the broker is away."""
    program, gate = tmp_path / "program", tmp_path / "gate"
    os.mkfifo(gate)
    program.write_text(f"#!/bin/sh\necho '{REFUSAL}' >&2\nread line < {gate}\nexit 5\n")
    program.chmod(0o700)
    monkeypatch.setattr(carrier, "find", lambda name: str(program))
    told: list[Text] = []
    quiet: Any = Quiet()
    member = Member("c1", "gch", "h", 1, "password", ("gch",), ("gch",))
    made = Carrier([member], tmp_path, quiet, told.append)
    (wire,) = made._wires
    opened = os.open(gate, os.O_RDWR)
    try:
        made.serve()
        first = [client.process for client in wire.clients]
        assert len(first) == 3 and all(first)
        until(lambda: made.serve() or all(client._complaints for client in wire.clients), "three complaints")
        os.write(opened, b"\n" * 3)
        until(lambda: made.serve() or not {*first} & {client.process for client in wire.clients}, "three ends")
        until(lambda: made.serve() or told, "a word of it")
    finally:
        made.end()
        os.close(opened)
    assert [text.fr for text in told] == [f"c1 : le courtier refuse ce site : archive périmée ? ({REFUSAL})"]
