"""Snapshots as they are seen: the round that runs, those that are saved, and what is in one of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from lib.core import audit, restore, snapshot
from lib.core.audit import Document
from lib.core.facts import Event, RestoreMoved, SnapshotMoved
from lib.core.sites import ClientSite, GuichetSite
from lib.core.snapshot import describe
from lib.texts import Text
from lib.windows.view.rows import Row, date_and_time
from lib.words import REASONS, STATES, counted

_NAME = re.compile(r"instantane-(\d+)-(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)")
_MAX_AWAITED = 6  # what is awaited is listed so far; then comes a count

# ------------------------------------------------------------------------------------------------------ the open round


class RoundView(NamedTuple):
    """The round that runs here: what it is doing, how far it has come (0..1, None: not known here), what it awaits."""

    headline: Text
    fraction: float | None
    awaited: tuple[Text, ...]


def open_round(site: GuichetSite | ClientSite, now: float) -> RoundView | None:
    """The round that is open at this site at `now` (Unix seconds); None when it is white."""
    if not site.snapshots.is_open:
        return None
    progress = site.snapshots.progress if isinstance(site, GuichetSite) else None
    if progress is None:
        return RoundView(
            Text(
                f"Tour {site.round} : mon état est enregistré ; le guichet rassemble",
                f"Round {site.round}: my state is recorded; the ticket office gathers",
            ),
            None,
            (),
        )
    left = max(0, int(progress.closes_at - now))
    headline = Text(
        f"Tour {progress.round} : états {progress.reported}/{progress.expected} ; clos au plus tard dans {left} s",
        f"Round {progress.round}: states {progress.reported}/{progress.expected}; closed in {left} s at the latest",
    )
    return RoundView(headline, progress.reported / max(1, progress.expected), tuple(_awaited(progress.missing)))


def _awaited(missing: Sequence[str]) -> Iterable[Text]:
    """`attendu : c3 → gch n°17`, `attendu : l'état de c2`"""
    for finding in missing[:_MAX_AWAITED]:
        pair, arrow, ranks = finding.rpartition(" ")
        if " -> " in pair and arrow:
            what = f"{pair.replace(' -> ', ' → ')} n°{ranks}"
            yield Text(f"attendu : {what}", f"awaited: {what}")
        else:
            yield Text(f"attendu : l'état de {finding}", f"awaited: the state of {finding}")
    if len(missing) > _MAX_AWAITED:
        more = len(missing) - _MAX_AWAITED
        yield Text(f"… et {more} autres", f"... and {more} more")


class Outcome(NamedTuple):
    """The last thing that happened to snapshots here, and whether it is good news (None: neither)."""

    text: Text
    is_good: bool | None


def outcome(event: Event) -> Outcome | None:
    """What an event says of snapshots and their loading, in words; None when it says nothing of them."""
    fact = event.fact
    if isinstance(fact, SnapshotMoved):
        return _snapshot_outcome(fact)
    return _restore_outcome(fact) if isinstance(fact, RestoreMoved) else None


def _snapshot_outcome(fact: SnapshotMoved) -> Outcome | None:
    number = fact.round
    if fact.phase == snapshot.COMPLETE and not fact.is_sound:
        return Outcome(
            Text(
                f"Tour {number} complet, mais il se contredit et ne pourra être chargé : voyez « Contrôles »",
                f'Round {number} complete, but it contradicts itself and cannot be loaded: see "Checks"',
            ),
            False,
        )
    if fact.phase == snapshot.COMPLETE:
        name = Path(fact.file).name
        messages = sum(len(channel["messages"]) for channel in (fact.document or {}).get("channels", ()))
        some = counted(messages, "message", "message")
        return Outcome(
            Text(
                f"Tour {number} complet, {some.fr} dans les canaux : {name or 'fichier non écrit, voyez le journal'}",
                f"Round {number} complete, {some.en} in the channels: {name or 'file not written, see the log'}",
            ),
            True,
        )
    if fact.phase == snapshot.INCOMPLETE:
        missing = ", ".join((fact.document or {}).get("missing", ())) or "?"
        return Outcome(
            Text(f"Tour {number} clos incomplet ; il manque : {missing}", f"Round {number} closed without {missing}"), False
        )
    if fact.phase == snapshot.CLOSED:
        return Outcome(Text(f"Tour {number} clos par le guichet", f"Round {number} closed by the ticket office"), True)
    return None


def _restore_outcome(fact: RestoreMoved) -> Outcome:
    if fact.waiting:
        names = ", ".join(fact.waiting)
        return Outcome(
            Text(f"Époque {fact.epoch} : attend encore {names}", f"Epoch {fact.epoch}: still waits for {names}"), None
        )
    if fact.phase == restore.REFUSED:
        reason = REASONS.get(fact.reason, Text(fact.reason, fact.reason))
        return Outcome(Text(f"Chargement refusé : {reason.fr}", f"Not loaded: {reason.en}"), False)
    words = {
        restore.ASKED: Text("Chargement demandé au guichet…", "Asked the ticket office to load it…"),
        restore.STARTED: Text(f"Chargement : époque {fact.epoch}…", f"Loading: epoch {fact.epoch}…"),
        restore.RESTORED: Text(f"État restauré, époque {fact.epoch}", f"State restored, epoch {fact.epoch}"),
        restore.COMPLETE: Text(f"Tous les sites sont restaurés, époque {fact.epoch}", f"All restored, epoch {fact.epoch}"),
    }
    is_done = fact.phase in (restore.RESTORED, restore.COMPLETE)
    return Outcome(words[fact.phase], True if is_done else None)


# ----------------------------------------------------------------------------------------------------- the saved ones


def saved(paths: Iterable[Path]) -> list[Row]:
    """The files of the folder, the latest first: round, when. They are not read for that."""
    rows = [Row(path.name, _round_and_time(path.name)) for path in paths]
    return rows[::-1]


def _round_and_time(name: str) -> tuple[str, str]:
    found = _NAME.match(name)
    if not found:
        return "?", "?"
    year, month, day, hour, minute, second = found.groups()[1:]
    return found[1], f"{year}-{month}-{day} {hour}:{minute}:{second}"


class Photograph:
    """One snapshot document, as rows: what was checked, the sites, the messages in the channels, the tickets."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._findings = audit.examine(document)
        self.has_shape = not any(finding.kind == "shape" for finding in self._findings)

    @property
    def is_sound(self) -> bool:
        """Whether it may be loaded, as far as the file alone tells."""
        return not self._findings and bool(self._document.get("complete"))

    @property
    def headline(self) -> Text:
        """Round, epoch, who began it, and the accounts in one line."""
        if not self.has_shape:
            return Text("Ce fichier n'est pas un instantané lisible", "This file is not a readable snapshot")
        count = audit.census(self._document)
        tickets = counted(count["free"] + count["held"] + count["sold"], "billet", "ticket")
        messages = counted(count["messages"], "message", "message")
        free = counted(count["free"], "libre", "free").fr
        held, sold = counted(count["held"], "retenu", "held").fr, counted(count["sold"], "vendu", "sold").fr
        names = ", ".join(self._document.get("initiators", ())) or "?"
        number, epoch = self._document["round"], self._document["epoch"]
        return Text(
            f"Tour {number}, époque {epoch}, lancé par {names} — {tickets.fr} : {free}, {held}, {sold} ; "
            f"{messages.fr} dans les canaux",
            f"Round {number}, epoch {epoch}, begun by {names} — {tickets.en}: {count['free']} free, {count['held']} held, "
            f"{count['sold']} sold; {messages.en} in the channels",
        )

    def checks(self) -> list[tuple[bool, Text]]:
        """Each check with its verdict, and what was found."""
        if not self.has_shape:
            return [(False, Text("des champs manquent ou sont impossibles", "fields are missing or impossible"))]
        checked = [
            ("damaged", Text("empreinte sha256 : le fichier est intact", "sha256: the file is undamaged")),
            ("site", Text("l'état de chaque site est là", "the state of every site is there")),
            ("rank", Text("chaque message émis avant la coupe est reçu, ou dans un canal",
                          "every message sent before the cut is received, or in a channel")),
            ("incoherent", Text("coupe cohérente : rien n'est reçu avant d'être émis",
                                "coherent cut: nothing is received before it is sent")),
            ("ticket", Text("chaque billet est en un seul endroit", "every ticket is in one place")),
        ]  # fmt: skip
        verdicts = [self._verdict(kind, text) for kind, text in checked]
        if not self._document.get("complete"):
            missing = ", ".join(map(str, self._document.get("missing", ())))
            verdicts.append((False, Text(f"clos incomplet ; il manquait : {missing}", f"closed without: {missing}")))
        return verdicts

    def _verdict(self, kind: str, text: Text) -> tuple[bool, Text]:
        found = [describe(finding) for finding in self._findings if finding.kind == kind]
        if not found:
            return True, text
        names = ", ".join(found[:_MAX_AWAITED]) + (", …" if len(found) > _MAX_AWAITED else "")
        return False, Text(f"{text.fr} — NON : {names}", f"{text.en} — NO: {names}")

    def sites(self) -> list[Row]:
        """name, role, Lamport clock, life, tickets, open requests."""
        return [self._site(name, state) for name, state in self._document["sites"].items()] if self.has_shape else []

    def _site(self, name: str, state: dict[str, Any]) -> Row:
        requests = len(state.get("requests", ()))
        return Row(
            name, (name, state["role"], str(state["clock"]), str(state["life"]), str(len(state["tickets"])), str(requests))
        )

    def messages(self) -> list[Row]:
        """from, to, rank, type, stamp, ticket: the messages that were in the channels."""
        if not self.has_shape:
            return []
        return [_message(channel, message) for channel in self._document["channels"] for message in channel["messages"]]

    def tickets(self, language: str) -> list[Row]:
        """ticket, state, holder, client, train, date, from, to: the guichet's books, which name the holder of each."""
        if not self.has_shape:
            return []
        books = self._document["sites"][self._document["collector"]]["tickets"]
        return [_ticket(ticket, language) for ticket in books]


def _message(channel: dict[str, Any], message: dict[str, Any]) -> Row:
    fields = message.get("fields", {})
    what = f"{message['type']} {fields.get('statut', '')}".strip()
    cells = (channel["from"], channel["to"], str(message["rank"]), what, str(message["timestamp"]), fields.get("billet", ""))
    return Row(str(message["id"]), cells)


def _ticket(ticket: dict[str, Any], language: str) -> Row:
    state = STATES[ticket["state"]].in_language(language)
    text = {key: str(ticket.get(key, "")) for key in ("holder", "client", "train", "from", "to")}
    when = date_and_time(str(ticket.get("date", "")))
    cells = (ticket["id"], state, text["holder"], text["client"], text["train"], when, text["from"], text["to"])
    return Row(ticket["id"], cells, ticket["state"])
