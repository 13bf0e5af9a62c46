"""What cannot be, found in the traces alone.

backwards   a message is received at a Lamport time that is not after its sending's
orphan      a message is received that nobody sent
untraced    messages of a site whose trace is not here: nothing can be said of them
twice       one life receives one message twice
reused      two messages have one identity
cut         a message was sent after its emitter's record and received before its receiver's
clock       the clock of a site goes back, or stands still from one message to the next
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from lib.diagram.causality import Arrow, Cut, is_against, sendings
from lib.diagram.traces import RECEIVE, SEND, START, Event, Run
from lib.texts import Text


@dataclass(frozen=True, slots=True)
class Finding:
    """Something incoherent: its name, in words, and the event or message at fault where there is one."""

    name: str
    text: Text
    at: Event | Arrow | None = None


def examine(run: Run, arrows: Sequence[Arrow], cuts: Mapping[int, Cut]) -> list[Finding]:
    """Everything incoherent in a run, nothing when all is well."""
    found = [*_untraced(run, arrows), *_reused(run), *_clocks(run), *_twice(arrows)]
    for arrow in arrows:
        found += [*_backwards(arrow), *_orphan(run, arrow), *_incoherent(arrow, cuts)]
    return found


def _backwards(arrow: Arrow) -> Iterator[Finding]:
    """Lamport's condition: C(send) < C(receive), strictly, always."""
    send, receipt = arrow.send, arrow.receipt
    if send and receipt and send.lamport >= receipt.lamport:
        name, times = _named(arrow), f"{send.lamport} -> {receipt.lamport}"
        text = Text(f"{name} remonte le temps de Lamport, {times}", f"{name} runs back in Lamport time, {times}")
        yield Finding("backwards", text, arrow)


def _orphan(run: Run, arrow: Arrow) -> Iterator[Finding]:
    if not arrow.send and arrow.sender in run.sites:
        text = Text(f"{_named(arrow)} est reçu sans avoir été envoyé", f"{_named(arrow)} is received and was never sent")
        yield Finding("orphan", text, arrow)


def _untraced(run: Run, arrows: Sequence[Arrow]) -> Iterator[Finding]:
    missing = Counter(arrow.sender for arrow in arrows if not arrow.send and arrow.sender not in run.sites)
    for name, count in sorted(missing.items()):
        yield Finding(
            "untraced",
            Text(
                f"la trace de {name} manque : envois invérifiables : {count}",
                f"the trace of {name} is missing: sendings that cannot be checked: {count}",
            ),
        )


def _twice(arrows: Sequence[Arrow]) -> Iterator[Finding]:
    """The copy that came second is at fault."""
    seen = set()
    for arrow in arrows:
        if arrow.receipt:
            key = (arrow.receipt.id, arrow.to, arrow.receipt.life)
            if key in seen:
                text = Text(f"{_named(arrow)} est reçu deux fois", f"{_named(arrow)} is received twice")
                yield Finding("twice", text, arrow)
            seen.add(key)


def _reused(run: Run) -> Iterator[Finding]:
    first = sendings(run)
    for event in run.events():
        if event.kind == SEND and first[event.id] is not event:
            site, name = event.site, event.id
            text = Text(f"{site} : l'identité {name} sert deux fois", f"{site}: identity {name} is used twice")
            yield Finding("reused", text, event)


def _incoherent(arrow: Arrow, cuts: Mapping[int, Cut]) -> Iterator[Finding]:
    for number, cut in cuts.items():
        if is_against(arrow, cut):
            yield Finding(
                "cut",
                Text(
                    f"coupe du tour {number} incohérente : {_named(arrow)} est envoyé après elle et reçu avant",
                    f"the cut of round {number} is incoherent: {_named(arrow)} is sent after it and received before",
                ),
                arrow,
            )


def _clocks(run: Run) -> Iterator[Finding]:
    """Within a life; a site that comes back without its memory may begin again, and no trace tells whether it had one."""
    for events in run.sites.values():
        for before, after in pairwise(events):
            if after.kind != START and after.lamport < before.lamport + (after.kind in (SEND, RECEIVE)):
                times = f"{before.lamport} -> {after.lamport}"
                yield Finding(
                    "clock",
                    Text(
                        f"{after.site} : l'horloge recule ou n'avance pas, {times}",
                        f"{after.site}: the clock goes back or stands still, {times}",
                    ),
                    after,
                )


def _named(arrow: Arrow) -> str:
    return f"{arrow.known.type} {arrow.known.id} -> {arrow.to}"
