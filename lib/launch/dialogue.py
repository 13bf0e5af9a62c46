"""The messages of the application as a dialogue: who says what to whom, at which two Lamport times.

A trace names a message's type only. What it says is read off its client: the request that it moved, or that moved it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from lib.launch import phrases
from lib.launch.accounts import Exchange
from lib.launch.traces import Event
from lib.texts import Text

APPLICATION = frozenset({"demande", "billet", "accuse", "retour"})
Subjects = Mapping[tuple[str, str], str]  # (client, request) -> what the request is about

# By the message's type and the state of the request; the blanks are fields of the request's event.
_SAID = {
    ("demande", "asked"): Text("n°{request}  {wish}  ({subject})", "no. {request}  {wish}  ({subject})"),
    ("accuse", "confirming"): Text("n°{request}  je prends {ticket}", "no. {request}  I take {ticket}"),
    ("accuse", "refused"): Text("n°{request}  je laisse {ticket}", "no. {request}  I leave {ticket}"),
    ("retour", "asked"): Text("n°{request}  je rends {ticket}", "no. {request}  I give {ticket} back"),
    ("billet", "listed"): Text("n°{request}  en vente", "no. {request}  on sale"),
    ("billet", "offered"): Text(
        "n°{request}  offre de {ticket}, {seconds} s pour confirmer",
        "no. {request}  offer of {ticket}, {seconds} s to confirm",
    ),
    ("billet", "owned"): Text("n°{request}  {ticket} vendu", "no. {request}  {ticket} sold"),
    ("billet", "refused"): Text("n°{request}  refus : {reason}", "no. {request}  refusal: {reason}"),
    ("billet", "expired"): Text("n°{request}  refus : {reason}", "no. {request}  refusal: {reason}"),
    ("billet", "returned"): Text("n°{request}  {ticket} repris", "no. {request}  {ticket} taken back"),
}
_WISHES = defaultdict(
    lambda: Text("", ""),
    consult=Text("que reste-t-il ?", "what is left?"),
    reserve=Text("j'en veux un", "I want one"),
)
_DECLINED = Text("n°{request}  {ticket} repris", "no. {request}  {ticket} taken back")
_REMINDER = Text("rappel de ce qui lui est vendu", "a reminder of what is sold to it")
_ALIKE = 3  # messages alike that are shown one by one


def is_open(events: Sequence[Event], moment: int) -> bool:
    """Whether a message sent after `moment` is not yet received, or one received is not yet seen to have been sent."""
    sent = {event.text("id") for event in events if event.kind == "send" and _is_ours(event)}
    recent = [event for event in events[moment:] if _is_ours(event)]
    received = {event.text("id") for event in recent if event.kind == "recv"}
    return not received <= sent or any(event.kind == "send" and event.text("id") not in received for event in recent)


def rows(exchanges: Iterable[Exchange], events: Sequence[Event], subjects: Subjects, language: str) -> list[list[str]]:
    """The dialogue as rows of cells; a long list of messages alike is cut short."""
    requests = [event for event in events if event.kind == "request"]
    said = [(exchange, _said(exchange, requests, subjects).in_language(language)) for exchange in exchanges]
    alike = groupby(said, key=lambda pair: (pair[0].send.site, pair[0].receipt.site, pair[1]))
    return [row for _, group in alike for row in _rows_alike(list(group), language)]


def _rows_alike(group: Sequence[tuple[Exchange, str]], language: str) -> list[list[str]]:
    if len(group) <= _ALIKE:
        return [_row(exchange, words) for exchange, words in group]
    (first, words), (last, _) = group[0], group[-1]
    more = Text(f"... et {len(group) - 1} autres", f"... and {len(group) - 1} more").in_language(language)
    return [_row(first, words), [*_times(last), "", "", more]]


def is_application(exchange: Exchange) -> bool:
    """Whether the message is about tickets, not about who is there."""
    return _is_ours(exchange.send)


def _is_ours(event: Event) -> bool:
    return event.text("type") in APPLICATION


def _row(exchange: Exchange, words: str) -> list[str]:
    send, receipt = exchange.send, exchange.receipt
    return [*_times(exchange), f"{send.site} -> {receipt.site}", send.text("type"), words]


def _times(exchange: Exchange) -> list[str]:
    return [f"H={exchange.send.lamport}", f"-> {exchange.receipt.lamport}"]


def _said(exchange: Exchange, requests: Sequence[Event], subjects: Subjects) -> Text:
    """What the message says, by the request that it moved or that moved it."""
    kind = exchange.send.text("type")
    moved = _moved(exchange, requests)
    if not moved:
        return _REMINDER if kind == "billet" else Text("", "")
    text = _DECLINED if kind == "billet" and moved.text("reason") == "client" else _SAID[kind, moved.text("state")]
    subject = subjects.get((moved.site, moved.text("request")), "")
    return phrases.filled(text, moved, {"subject": Text(subject, subject), "wish": _WISHES[moved.text("kind")]})


def _moved(exchange: Exchange, requests: Sequence[Event]) -> Event | None:
    """The step of its client's request to which a message belongs: just before the client spoke, or after it heard.

    Or before it heard, when an offer ended by the client's own clock and the guichet's word came second.
    """
    kind = exchange.send.text("type")
    own = exchange.receipt if kind == "billet" else exchange.send
    before = [event for event in requests if event.site == own.site and _order(event) < _order(own)][-1:]
    after = [event for event in requests if event.site == own.site and _order(event) > _order(own)][:1]
    ended = [event for event in before if event.text("state") in ("expired", "refused")]
    steps = [*after, *ended] if kind == "billet" else before
    return next((event for event in steps if (kind, event.text("state")) in _SAID), None)


def _order(event: Event) -> tuple[float, int]:
    return event.lamport, event.number
