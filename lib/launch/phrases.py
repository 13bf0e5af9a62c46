"""What happens, in words: one short sentence for an event of a trace or the end of a site."""

from __future__ import annotations

import os
import re
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lib.launch.traces import Event
from lib.texts import Text
from lib.words import REASONS, STATES, counted

_DATE = re.compile(r"\b(\d{4}-\d\d-\d\d)T(\d\d:\d\d)\b")

# What became of a request: by kind and state, or by state alone. The blanks are fields of the event.
_REQUESTS = {
    ("consult", "asked"): Text("demande {request} : consultation", "request {request}: consultation"),
    ("reserve", "asked"): Text("demande {request} : réservation", "request {request}: reservation"),
    ("return", "asked"): Text("demande {request} : retour de {ticket}", "request {request}: return of {ticket}"),
    "listed": Text("demande {request} : {matches}", "request {request}: {matches}"),
    "offered": Text(
        "demande {request} offerte, billet {ticket} ({seconds} s pour confirmer)",
        "request {request} offered, ticket {ticket} ({seconds} s to confirm)",
    ),
    "confirming": Text("demande {request} : {ticket} confirmé, réponse attendue", "request {request}: {ticket} confirmed"),
    "owned": Text("demande {request} : le billet {ticket} est à {site}", "request {request}: ticket {ticket} is {site}'s"),
    "refused": Text("demande {request} refusée : {reason}", "request {request} refused: {reason}"),
    "expired": Text("demande {request} expirée : {ticket} est perdu", "request {request} expired: {ticket} is lost"),
    "returned": Text("demande {request} : {ticket} repris par le guichet", "request {request}: {ticket} taken back"),
    "unreachable": Text("demande {request} : le guichet ne répond pas", "request {request}: the ticket office is silent"),
}

_TICKETS = {
    "free": Text("{ticket} libre", "{ticket} free"),
    "held": Text("{ticket} retenu pour {client}", "{ticket} held for {client}"),
    "sold": Text("{ticket} vendu à {client}", "{ticket} sold to {client}"),
    "withdrawn": Text("{ticket} retiré de la vente", "{ticket} withdrawn from sale"),
}
_NEW_TICKETS = Text("{ticket} à {last} mis en vente ({count})", "{ticket} to {last} put on sale ({count})")

# By phase, as are the next ones.
_SNAPSHOTS = {
    "recorded": Text("instantané {round} : état enregistré", "snapshot {round}: state recorded"),
    "complete": Text(
        "instantané {round} complet, pris par {initiators}, {in_channels} : {file_name}",
        "snapshot {round} complete, taken by {initiators}, {in_channels}: {file_name}",
    ),
    "unsound": Text(
        "instantané {round} complet, mais il se contredit et ne pourra être chargé : {file_name}",
        "snapshot {round} complete, but it contradicts itself and cannot be loaded: {file_name}",
    ),
    "incomplete": Text(
        "instantané {round} incomplet, il manque {missing} : {file_name}",
        "snapshot {round} incomplete, without {missing}: {file_name}",
    ),
    "closed": Text("instantané {round} : clos", "snapshot {round}: closed"),
}
# A client that has heard nothing of the end of a round for long does not wait any more: it has no file, nothing is named.
_NO_END = Text("instantané {round} : fin jamais apprise", "snapshot {round}: nothing heard of its end")
_RESTORES = {
    "asked": Text("restauration demandée au guichet", "restore asked for"),
    "waiting": Text("restauration (époque {epoch}) : attend encore {waiting}", "restore (epoch {epoch}): awaits {waiting}"),
    "started": Text("restauration commencée (époque {epoch})", "restore started (epoch {epoch})"),
    "restored": Text("état restauré (époque {epoch})", "state restored (epoch {epoch})"),
    "complete": Text("tous sont restaurés (époque {epoch})", "everyone is restored (epoch {epoch})"),
    "refused": Text("restauration refusée : {reason}", "restore refused: {reason}"),
}
_REDELIVERED = Text(
    "message « {type} » de {peer}, pris dans le canal : livré de nouveau",
    "message `{type}` of {peer}, found in the channel: delivered again",
)

_ANEW = {
    "dismissed": Text("congédié par le guichet, recommence sans rien", "dismissed by the ticket office, begins anew"),
    "outlived": Text("un site de ce nom a vécu plus tard, recommence", "a site of this name lived later, begins anew"),
}

BELONGING = {"free": Text("libre", "free"), "held": Text("retenu pour", "held for"), "sold": Text("vendu à", "sold to")}


@dataclass(frozen=True, slots=True)
class Columns:
    """How objects of a trace become rows of a table: their keys, in order, and what stands above them."""

    keys: tuple[str, ...]
    headings: tuple[Text, ...]
    right: tuple[int, ...] = ()

    def row(self, values: Mapping[str, Any], language: str) -> list[str]:
        """One object as cells; what is unknown or none stays blank."""
        cells = [str(values.get(key) or "") for key in self.keys]
        return [STATES[cell].in_language(language) if cell in STATES else readable_date(cell) for cell in cells]


TICKET = Columns(
    ("id", "train", "date", "from", "to", "price"),
    (
        Text("billet", "ticket"),
        Text("train", "train"),
        Text("date", "date"),
        Text("départ", "from"),
        Text("destination", "to"),
        Text("prix", "price"),
    ),
    right=(5,),
)
LEDGER = Columns(
    ("id", "state", "client", "request", "holder"),
    (
        Text("billet", "ticket"),
        Text("état", "state"),
        Text("client", "client"),
        Text("demande", "request"),
        Text("détenteur", "holder"),
    ),
    right=(3,),
)


def sentence(event: Event) -> Text | None:
    """The event in words, None when it has none."""
    match event.kind:
        case "request":
            return _request(event)
        case "ticket":
            return _ticket(event)
        case "command" if event.fields.get("ok") is False:
            return Text(*[f"{event.text('line')} : {event.text('error')}"] * 2)
        case "state":
            return _state(event)
        case "snapshot":
            return _snapshot(event)
        case "restore":
            return _restore(event)
        case "redeliver":
            return _filled(_REDELIVERED, event)
        case "anew":
            return _filled(_ANEW.get(event.text("reason")), event)
        case _:
            return None


def stamp(event: Event) -> str:
    """When: by the clock on the wall, and by Lamport's."""
    milliseconds = int(event.time * 1000) % 1000
    return f"[{time.strftime('%H:%M:%S', time.localtime(event.time))}.{milliseconds:03d} H={event.lamport}]"


def by_whom(site: str, text: Text) -> Text:
    """`c1 : ...`"""
    return Text(f"{site} : {text.fr}", f"{site}: {text.en}")


def stock(free: int, held: int, sold: int, between: str) -> Text:
    """`55 libres, 0 retenu, 2 vendus`"""
    french = (counted(free, "libre", ""), counted(held, "retenu", ""), counted(sold, "vendu", ""))
    return Text(between.join(each.fr for each in french), between.join((f"{free} free", f"{held} held", f"{sold} sold")))


def death(site: str, status: int, words: str) -> Text:
    """`c2 s'est arrêté (signal 9)`, with its last words when it complained."""
    if status == 0:
        return Text(f"{site} s'est arrêté", f"{site} has stopped")
    how = Text(f"signal {-status}", f"signal {-status}") if status < 0 else Text(f"état {status}", f"status {status}")
    told = words if status > 0 else ""
    return Text(
        f"{site} s'est arrêté ({how.fr})" + (f" : {told}" if told else ""),
        f"{site} has stopped ({how.en})" + (f": {told}" if told else ""),
    )


def readable_date(text: str) -> str:
    """An ISO date and time without its `T`; any other text as it is."""
    return _DATE.sub(r"\1 \2", text)


def is_guichet_state(event: Event) -> bool:
    """Whether the event is the guichet's answer to `etat`, with the books; a client's has its tickets and requests."""
    return event.kind == "state" and "free" in event.fields


def _request(event: Event) -> Text | None:
    state = event.text("state")
    return _filled(_REQUESTS.get((event.text("kind"), state)) or _REQUESTS.get(state), event)


def _ticket(event: Event) -> Text | None:
    return _filled(_NEW_TICKETS if event.count("count") > 1 else _TICKETS.get(event.text("state")), event)


def _snapshot(event: Event) -> Text | None:
    phase, checks = event.text("phase"), event.fields.get("checks")
    if phase == "incomplete" and "missing" not in event.fields:
        return _filled(_NO_END, event)
    is_unsound = isinstance(checks, dict) and not (checks.get("conserved") and checks.get("coherent"))
    return _filled(_SNAPSHOTS.get("unsound" if phase == "complete" and is_unsound else phase), event)


def _restore(event: Event) -> Text | None:
    return _filled(_RESTORES.get("waiting" if event.fields.get("waiting") else event.text("phase")), event)


def _state(event: Event) -> Text:
    if is_guichet_state(event):
        return stock(event.count("free"), event.count("held"), event.count("sold"), ", ")
    tickets = counted(len(event.objects("tickets")), "billet", "ticket")
    numbers = ", ".join(str(request.get("request")) for request in event.objects("requests"))
    return Text(
        f"détient {tickets.fr}" + (f", demandes en cours : {numbers}" if numbers else ""),
        f"holds {tickets.en}" + (f", open requests: {numbers}" if numbers else ""),
    )


def _matches(event: Event) -> Text:
    total, shown = event.count("total"), len(event.objects("tickets"))
    matches = counted(total, "billet", "ticket")
    if shown == total:
        return matches
    return Text(f"{matches.fr}, dont {shown} montrés", f"{matches.en}, {shown} of them shown")


def _in_channels(event: Event) -> Text:
    """`2 messages dans les canaux`"""
    number = counted(event.count("messages"), "message", "message")
    return Text(f"{number.fr} dans les canaux", f"{number.en} in the channels")


def _file_name(event: Event) -> Text:
    """The name by which `charger` knows the file; one that could not be written has none, and the log says why."""
    name = os.path.basename(event.text("file"))
    return Text(name or "fichier non écrit, voyez le journal", name or "file not written, see the log")


def _filled(text: Text | None, event: Event) -> Text | None:
    return text and filled(text, event)


def filled(text: Text, event: Event, more: Mapping[str, Text] | None = None) -> Text:
    """The sentence with its blanks filled: by fields of the event, by `more`, and by what needs words of its own."""
    fields = {key: _words_of(value) for key, value in event.fields.items()}
    fields["seconds"] = f"{event.fields.get('expires_in') or 0:.0f}"
    own = {
        **(more or {}),
        "matches": _matches(event),
        "in_channels": _in_channels(event),
        "file_name": _file_name(event),
        "reason": REASONS.get(event.text("reason"), Text(*[event.text("reason")] * 2)),
    }

    def fill(language: str) -> str:
        words = {key: text.in_language(language) for key, text in own.items()}
        return text.in_language(language).format_map(defaultdict(lambda: "?", fields | words))

    return Text(fill("fr"), fill("en"))


def _words_of(value: object) -> str:
    return ", ".join(map(str, value)) or "?" if isinstance(value, list) else str(value)
