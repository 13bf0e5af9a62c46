"""The log of the public viewer ShiViz: first the expression that reads it, then two lines an event.

    <regular expression with the groups event, host, clock>
    <regular expression that divides several executions: none, so empty>
    <what happened>
    <site> {"<site>": <its own count, from 1, without a gap>, "<other>": ...}

Source: the help of the viewer (bestchai.bitbucket.io/shiviz, "Log format") and its `js/model/parser.js`, `modelGraph.js`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from lib.diagram.causality import vector_clocks
from lib.diagram.choice import View
from lib.diagram.traces import RECEIVE, SEND, Event

EXPRESSION = r"(?<event>.*)\n(?<host>\S*) (?<clock>{.*})"


def log(order: Sequence[Event], shown: View) -> str:
    """The chosen events in this order, with their vector clocks."""
    blocks = [
        f"{_told(event)}\n{_host(event.site)} {json.dumps({_host(name): count for name, count in clock.items()})}"
        for event, clock in vector_clocks(order, shown.events)
    ]
    return "\n".join([EXPRESSION, "", *blocks]) + "\n"


def _host(name: str) -> str:
    """A name without blanks, which the expression takes for its end."""
    return re.sub(r"\s", "_", name)


def _told(event: Event) -> str:
    """`send billet gch:1.31 -> c1 H=55`"""
    arrow = {SEND: "->", RECEIVE: "<-"}.get(event.kind, "")
    number = str(event.round) if event.phase else ""
    words = (event.kind, event.phase, number, event.type, event.id, arrow, event.peer, f"H={event.lamport}")
    return " ".join(filter(None, words))
