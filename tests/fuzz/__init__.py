"""Hostile input: whatever comes in, a site says in one line what is wrong with it, changes nothing, and goes on.

Everything that people, neighbours and disks hand to the programs is drawn at random here, mostly from sound examples that
are bent a little: lines, commands, stores, snapshot files, timetables. What once did harm is kept in `corpus/`.

The suite draws little. To look for longer: `FUZZ=100 pytest tests/fuzz` draws a hundred times as many examples.
"""

from __future__ import annotations

import ast
import os
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings

CORPUS = Path(__file__).parent / "corpus"


def examples(count: int) -> settings:
    """How a fuzzer of the suite runs: `count` examples, or as many times more as `FUZZ` says; it leaves nothing behind."""
    return settings(
        max_examples=max(1, int(count * float(os.environ.get("FUZZ", "1")))),
        deadline=None,  # a loaded machine is no bug
        database=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )


def corpus(name: str) -> list[Any]:
    """What a corpus file holds, one Python literal a line; `#` begins a comment."""
    lines = (CORPUS / name).read_text(encoding="utf-8").splitlines()
    return [ast.literal_eval(line) for line in lines if line and not line.startswith("#")]
