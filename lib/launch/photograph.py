"""The snapshot in the demonstration: two clients ask for it in the same instant; the system is brought back to it.

The file is judged from the outside: by what its text says, by the traces, and by `guichet.py --verifier`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib.launch import phrases, props
from lib.launch.accounts import Books, Entry, photographed, redelivered_once
from lib.launch.processes import ROOT
from lib.launch.stage import Failed, Stage
from lib.launch.traces import Event
from lib.launch.wiring import GUICHET
from lib.texts import Text
from lib.words import STATES, counted

_VERIFYING = 20.0  # seconds for a process that takes a tenth of one
_SAME = 0.1  # seconds: two times left are the same
_SAID = ("demande", "reservation", "statut", "billet", "accepte")  # the fields of a message that are shown, by their names


@dataclass(frozen=True, slots=True)
class Photograph:
    """A closed snapshot: its file, what stands in it, and the offer that was on its way to a client."""

    path: Path
    document: Mapping[str, Any]
    offered: Event

    @property
    def messages(self) -> list[tuple[str, str, Mapping[str, Any]]]:
        """The messages of the channels: from whom, to whom, which."""
        return [
            (channel["from"], channel["to"], message)
            for channel in self.document["channels"]
            for message in channel["messages"]
        ]


# ------------------------------------------------------------------------------------------------------------ it is taken


def take(stage: Stage, buyer: str, rival: str, route: props.Criteria) -> Photograph:
    """Both press the button in the same instant, with messages in the channels; what came of it."""
    moment = len(stage.events)
    asked = _pressed_together(stage, buyer, rival, route)
    closed = stage.expect(GUICHET, "snapshot", moment, phase=("complete", "incomplete"))
    offered = stage.outcome(asked, "offered", "refused")
    stage.show_messages()
    initiators = [str(name) for name in closed.fields.get("initiators", [])]
    names = ", ".join(initiators)
    stage.check(
        _rounds(stage, moment) == {closed.count("round")} and initiators == sorted((buyer, rival)),
        Text(
            f"un seul tour, n°{closed.count('round')}, pour les deux qui l'ont voulu : {names}",
            f"one round, no. {closed.count('round')}, for the two who wanted it: {names}",
        ),
    )
    path = Path(closed.text("file"))
    if closed.text("phase") != "complete" or not closed.text("file"):
        missing = ", ".join(map(str, closed.fields.get("missing", [])))
        raise Failed(Text(f"instantané incomplet, sans {missing}", f"incomplete snapshot, without {missing}"))
    return Photograph(path, json.loads(path.read_text(encoding="utf-8")), offered)


def _pressed_together(stage: Stage, buyer: str, rival: str, route: props.Criteria) -> Event:
    """The request of `rival`, whose offer is in the channel to it.

    The buyer, which relays for the guichet, and then the guichet stand still, so that neither client can hear of the
    other's snapshot before it has begun its own, and so that the offer and the buyer's question are still on their way.
    What a site has said stands in the pipe of the next one by the time that it answers `etat`.
    """
    run = stage.run
    stage.say(
        Text(
            f"{buyer}, puis le guichet, s'assoupissent (SIGSTOP) : ce qu'on leur écrit attend dans leurs tubes.",
            f"{buyer}, then the ticket office, doze off (SIGSTOP): what they are written waits in their pipes.",
        )
    )
    stage.say(
        Text(
            f"{rival} réserve, {buyer} consulte, et les deux appuient ensemble sur « instantané ». Réveil (SIGCONT).",
            f"{rival} reserves, {buyer} consults, and both press `instantane` together. They wake (SIGCONT).",
        )
    )
    try:
        run.suspend(buyer)
        asked = stage.ask(rival, "reserver", props.words(route), **route)
        stage.expect(GUICHET, "ticket", stage.moment_of(asked), state="held", client=rival)
        props.state(stage, GUICHET)
        run.suspend(GUICHET)
        moments = {
            buyer: stage.order(buyer, "consulter", **route, limite=1),
            rival: stage.order(rival, "instantane"),
        }
        stage.order(buyer, "instantane")
        for site in (rival, buyer):
            run.resume(site)
            stage.expect(site, "snapshot", moments[site], phase="recorded")
            props.state(stage, site)
        stage.begun(buyer, moments[buyer], props.words(route))
    finally:
        run.resume(buyer)
        run.resume(GUICHET)
    return asked


def _rounds(stage: Stage, moment: int) -> set[int]:
    return {event.count("round") for event in stage.events[moment:] if event.kind == "snapshot"}


def show_channels(stage: Stage, photograph: Photograph) -> None:
    """What was on its way when the photograph was taken, message by message."""
    rows = [_message_row(*found) for found in photograph.messages]
    named = counted(len(rows), "message", "message")
    offer = photograph.offered
    is_there = any(
        receiver == offer.site and message["fields"].get("billet") == offer.text("ticket")
        for _, receiver, message in photograph.messages
    )
    stage.check(
        is_there,
        Text(
            f"{named.fr} dans les canaux, dont l'offre de {offer.text('ticket')} à {offer.site} :",
            f"{named.en} in the channels, with the offer of {offer.text('ticket')} to {offer.site}:",
        ),
    )
    headings = (
        Text("message", "message"),
        Text("canal", "channel"),
        Text("rang", "rank"),
        Text("type", "type"),
        Text("ce qu'il dit", "what it says"),
    )
    stage.screen.table(headings, rows, right=(2,))


def _message_row(sender: str, receiver: str, message: Mapping[str, Any]) -> list[str]:
    fields = message["fields"]
    said = " ".join(f"{key}={fields[key]}" for key in _SAID if fields.get(key) not in (None, ""))
    return [str(message["id"]), f"{sender} -> {receiver}", str(message["rank"]), str(message["type"]), said]


def verify(stage: Stage, photograph: Photograph) -> None:
    """Another process judges the file, without any site; its sentence."""
    command = [sys.executable, str(ROOT / "guichet.py"), f"--lang={stage.screen.language}"]
    done = subprocess.run(
        [*command, "--verifier", str(photograph.path)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=_VERIFYING,
        check=False,
    )
    words = " / ".join(done.stdout.decode(errors="replace").splitlines())
    stage.say(Text(*[f"guichet.py --verifier {photograph.path.name}"] * 2))
    stage.check(done.returncode == 0, Text(words, words))


# ------------------------------------------------------------------------------------------------------- it is loaded back


def load_back(stage: Stage, client: str, photograph: Photograph) -> None:
    """`client` asks for the file by its name; every site is as recorded again, and what was on its way arrives, once."""
    before, moment = props.books(stage), len(stage.events)
    restored = _restored(stage, client, photograph)
    again = _redelivered(stage, moment, photograph)
    office = props.state(stage, GUICHET)
    after = props.books(stage)
    recorded = photographed(photograph.document)
    _show_books(stage, recorded, before, after)
    stage.check(
        after == recorded != before,
        Text(
            f"les comptes sont ceux de la photographie : l'état et le détenteur des {after.total} billets",
            f"the books are those of the photograph: state and holder of all {after.total} tickets",
        ),
    )
    _check_time_left(stage, photograph, restored, office)
    stage.forget_messages()
    owned = props.confirm(stage, again)
    stage.show_messages()
    ticket = again.text("ticket")
    stage.check(
        owned.text("state") == "owned",
        Text(f"la vente reprend : {owned.site} confirme {ticket}", f"sales go on: {owned.site} confirms {ticket}"),
    )
    count = counted(len(photograph.messages), "message", "message")
    stage.check(
        redelivered_once(photograph.document, stage.events[moment:]),
        Text(
            f"les canaux ont rendu {count.fr}, chacun une fois, à qui l'attendait",
            f"the channels gave back {count.en}, each once, to the site that it was for",
        ),
    )


def _restored(stage: Stage, client: str, photograph: Photograph) -> Event:
    """Waits until everybody has taken up its state; the moment at which the guichet had."""
    moment = stage.order(client, "charger", fichier=photograph.path.name)
    end = stage.expect(client, "restore", moment, phase=("restored", "refused"))
    if end.text("phase") == "refused":
        raise Failed(Text(*[f"{client} : charger : {end.text('reason')}"] * 2))
    restored = [stage.expect(site, "restore", moment, phase="restored") for site in stage.run.wiring.sites]
    epoch = stage.expect(GUICHET, "restore", moment, phase="complete").count("epoch")
    names = ", ".join(event.site for event in restored[:8]) + (", ..." if len(restored) > 8 else "")
    stage.check(
        {event.count("epoch") for event in restored} == {epoch},
        Text(
            f"{client} demande le fichier au guichet ; tous ont repris leur état, époque {epoch} : {names}",
            f"{client} asks the guichet for the file; all are as recorded again, epoch {epoch}: {names}",
        ),
    )
    return restored[stage.run.wiring.sites.index(GUICHET)]


def _redelivered(stage: Stage, moment: int, photograph: Photograph) -> Event:
    """Waits for the messages of the channels; the offer that came with them."""
    for sender, receiver, message in photograph.messages:
        stage.expect(receiver, "redeliver", moment, id=message["id"], peer=sender)
    offered = photograph.offered
    return stage.expect(offered.site, "request", moment, request=offered.fields["request"], state="offered")


def _check_time_left(stage: Stage, photograph: Photograph, restored: Event, office: Event) -> None:
    """A hold goes on with the time that it had left when it was photographed."""
    ticket = photograph.offered.text("ticket")
    recorded = _time_left(photograph.document["sites"][GUICHET]["tickets"], ticket)
    left = _time_left(office.objects("tickets"), ticket)
    passed = office.time - restored.time
    stage.check(
        left > 0 and abs(left + passed - recorded) < _SAME,
        Text(
            f"{ticket} est retenu pour le temps qu'il lui restait : {recorded:.1f} s",
            f"{ticket} is held for the time that it had left: {recorded:.1f} s",
        ),
    )


def _time_left(tickets: list[Mapping[str, Any]], ticket: str) -> float:
    return next((float(found.get("expires_in", 0)) for found in tickets if found.get("id") == ticket), 0.0)


def _show_books(stage: Stage, recorded: Books, before: Books, after: Books) -> None:
    """The tickets that are not free in one of the three, side by side."""
    headings = (
        Text("billet", "ticket"),
        Text("photographie", "photograph"),
        Text("vente suivante", "sold on"),
        Text("après le retour", "brought back"),
    )
    names = {entry.ticket: None for books in (recorded, before, after) for entry in books.entries}
    columns = [{entry.ticket: entry for entry in books.entries} for books in (recorded, before, after)]
    rows = [[name, *(_cell(stage, column.get(name)) for column in columns)] for name in sorted(names)]
    stage.screen.table(headings, rows)


def _cell(stage: Stage, entry: Entry | None) -> str:
    if entry is None:
        return stage.screen.words(STATES["free"])
    return f"{stage.screen.words(phrases.BELONGING[entry.state])} {entry.client}".strip()
