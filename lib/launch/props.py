"""What the acts of the demonstration are made of: one question to the system each, and its answer."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

from lib.launch.accounts import Books, balance
from lib.launch.stage import Failed, Stage
from lib.launch.traces import Event
from lib.launch.wiring import GUICHET
from lib.texts import Text

Criteria = Mapping[str, str]

_LISTED = 50  # tickets that are looked at to get to know what is on sale
_SETTLING = 10.0  # seconds in which the last messages may still arrive before the books are compared
_CANDIDATES = 5  # trains that are asked about before one is made


def words(criteria: Criteria) -> str:
    """`Compiègne -> Paris Gare du Nord`"""
    return f"{criteria['depart']} -> {criteria['destination']}"


def state(stage: Stage, site: str) -> Event:
    """How things stand at `site`, by its own word."""
    return stage.expect(site, "state", stage.order(site, "etat"))


def states(stage: Stage) -> dict[str, Event]:
    """How things stand everywhere; all are asked before the first has answered."""
    moments = {site: stage.order(site, "etat") for site in stage.run.wiring.sites}
    return {site: stage.expect(site, "state", moment) for site, moment in moments.items()}


def books(stage: Stage) -> Books:
    """The books, once the last messages have arrived; those that do not agree, if they never do."""
    deadline = time.monotonic() + _SETTLING
    while True:
        answers = states(stage)
        found = balance(answers.pop(GUICHET), answers.values())
        if not found.disagreements or time.monotonic() > deadline:
            return found


def consult(stage: Stage, client: str, **criteria: object) -> Event:
    """What is on sale: the event `listed`, or `refused` when nothing matches."""
    return stage.outcome(stage.ask(client, "consulter", **criteria), "listed", "refused")


def hold(stage: Stage, client: str, criteria: Criteria) -> Event:
    """Has `client` reserve; the offer. Raises `Failed` when there is none."""
    asked = stage.ask(client, "reserver", words(criteria), **criteria)
    offered = stage.outcome(asked, "offered", "refused")
    if offered.text("state") != "offered":
        raise Failed(Text(f"{client} : {words(criteria)} est refusé", f"{client}: {words(criteria)} is refused"))
    return offered


def confirm(stage: Stage, offered: Event) -> Event:
    """Has a client take what it was offered; the sale, or the refusal, by the guichet or already by the client."""
    site = offered.site
    command = stage.expect(site, "command", stage.order(site, "confirmer", demande=offered.text("request")))
    return stage.outcome(offered, "owned", "refused", "expired") if command.fields.get("ok") else command


def route(stage: Stage, client: str, needed: int) -> Criteria:
    """The pair of stations with the most tickets among the first that are on sale; `needed` are made if they lack."""
    tickets = consult(stage, client, limite=_LISTED).objects("tickets")
    if not tickets:
        raise Failed(
            Text(
                "rien n'est en vente : donnez un autre horaire, ou un autre --dossier",
                "nothing is on sale: give another timetable, or another --dossier",
            )
        )
    pairs = Counter((str(ticket["from"]), str(ticket["to"])) for ticket in tickets)
    (departure, destination), _ = pairs.most_common(1)[0]
    criteria = {"depart": departure, "destination": destination}
    if consult(stage, client, **criteria, limite=1).count("total") < needed:
        put_on_sale(stage, tickets[0], str(tickets[0]["date"]), needed)
    return criteria


def single_ticket(stage: Stage, client: str) -> Criteria:
    """Criteria that match exactly one ticket: the last of its train, or one made for the purpose."""
    tickets = consult(stage, client, limite=_LISTED).objects("tickets")
    trains = Counter(tuple(_one_train(ticket).items()) for ticket in tickets)
    for train in [dict(train) for train, number in trains.items() if number == 1][:_CANDIDATES]:
        if consult(stage, client, **train, limite=1).count("total") == 1:
            return train
    return _made_ticket(stage, client, tickets[0])


def _made_ticket(stage: Stage, client: str, like: Mapping[str, Any]) -> Criteria:
    """Puts one ticket on sale, at a minute at which no train of these stations leaves."""
    for minute in range(60):
        train = _one_train(dict(like) | {"date": f"{str(like['date'])[:10]}T03:{minute:02d}"})
        if consult(stage, client, **train, limite=1).text("state") == "refused":
            put_on_sale(stage, like, train["du"], 1)
            return train
    raise Failed(Text("toutes les minutes de la nuit sont prises", "every minute of the night is taken"))


def put_on_sale(stage: Stage, like: Mapping[str, Any], date: str, number: int) -> None:
    """Has the guichet make tickets between the stations of another one."""
    moment = stage.order(
        GUICHET,
        "ajouter",
        train="DEMO",
        date=date,
        depart=like["from"],
        destination=like["to"],
        cout=like["price"],
        nombre=number,
    )
    stage.expect(GUICHET, "ticket", moment, state="free")
    stage.made += number


def _one_train(ticket: Mapping[str, Any]) -> dict[str, str]:
    """Criteria for the tickets of the train of this one: its stations and its minute."""
    return {
        "depart": str(ticket["from"]),
        "destination": str(ticket["to"]),
        "du": str(ticket["date"]),
        "au": str(ticket["date"]),
    }
