"""What people read."""

from __future__ import annotations

import io

from lib.launch import phrases
from lib.launch.screen import Screen, align
from lib.launch.traces import Event
from lib.texts import Text


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def printed(stream: io.StringIO, environment: dict[str, str]) -> str:
    Screen("fr", stream, environment).say(Text("oui", "yes"), "good")
    return stream.getvalue()


def test_colours_on_a_terminal_alone_and_not_with_no_color():
    assert printed(Terminal(), {}) == "\033[32moui\033[0m\n"
    assert printed(Terminal(), {"NO_COLOR": "1"}) == "oui\n"
    assert printed(io.StringIO(), {}) == "oui\n"


def test_columns_are_aligned():
    assert align([["a", "prix"], ["Compiègne", "1.20"]], right=[1]) == ["a          prix", "Compiègne  1.20"]
    assert align([]) == []


def said(kind: str, /, **fields) -> tuple[str, str]:
    text = phrases.sentence(Event("c1", kind, 1, 57, 0.0, {"site": "c1", **fields}))
    assert text
    return text.fr, text.en


def test_events_in_words():
    assert said("request", request=4, kind="reserve", state="offered", ticket="B0001", expires_in=29.98) == (
        "demande 4 offerte, billet B0001 (30 s pour confirmer)",
        "request 4 offered, ticket B0001 (30 s to confirm)",
    )
    assert said("request", request=4, kind="reserve", state="refused", reason="complet")[0] == (
        "demande 4 refusée : complet, aucun billet ne convient"
    )
    assert said("request", request=4, kind="consult", state="listed", total=12, tickets=[{}, {}])[0] == (
        "demande 4 : 12 billets, dont 2 montrés"
    )
    assert said("ticket", ticket="B0001", state="held", client="c1") == ("B0001 retenu pour c1", "B0001 held for c1")
    assert said("ticket", ticket="B0001", last="B0060", count=60, state="free")[0] == "B0001 à B0060 mis en vente (60)"
    assert said("command", line="danser", ok=False, error="commande inconnue")[0] == "danser : commande inconnue"
    assert said("state", free=3, held=0, sold=1)[0] == "3 libres, 0 retenu, 1 vendu"
    open_requests = [{"request": 4, "state": "offered"}]
    assert said("state", tickets=[], requests=open_requests)[0] == "détient 0 billet, demandes en cours : 4"
    assert said("state", tickets=[{"id": "B1"}]) == ("détient 1 billet", "holds 1 ticket")


def test_snapshots_in_words():
    assert said("snapshot", round=3, phase="recorded")[0] == "instantané 3 : état enregistré"
    closed = {"round": 3, "file": "/tmp/x y/i-3.json", "initiators": ["c1", "c3"], "messages": 2}
    assert said("snapshot", phase="complete", missing=[], **closed) == (
        "instantané 3 complet, pris par c1, c3, 2 messages dans les canaux : i-3.json",
        "snapshot 3 complete, taken by c1, c3, 2 messages in the channels: i-3.json",
    )
    assert said("snapshot", phase="complete", missing=[], **closed | {"file": "", "messages": 1})[0] == (
        "instantané 3 complet, pris par c1, c3, 1 message dans les canaux : fichier non écrit, voyez le journal"
    )
    for checks in ({"conserved": False, "coherent": True}, {"conserved": True, "coherent": False}):
        assert said("snapshot", phase="complete", missing=[], checks={"tickets": 6, **checks}, **closed)[0] == (
            "instantané 3 complet, mais il se contredit et ne pourra être chargé : i-3.json"
        )
    assert "pris par ?, 2" in said("snapshot", phase="complete", missing=[], **closed | {"initiators": []})[0]
    missing = ["c2", "c3 -> gch 17-19"]
    assert said("snapshot", phase="incomplete", missing=missing, **closed)[1] == (
        "snapshot 3 incomplete, without c2, c3 -> gch 17-19: i-3.json"
    )
    assert said("snapshot", round=3, phase="incomplete")[0] == "instantané 3 : fin jamais apprise"
    assert said("snapshot", round=3, phase="closed")[1] == "snapshot 3: closed"


def test_restorations_in_words():
    assert said("restore", epoch=1, phase="asked", reason="")[0] == "restauration demandée au guichet"
    assert said("restore", epoch=2, phase="started")[1] == "restore started (epoch 2)"
    assert said("restore", epoch=2, phase="started", waiting=["c1", "c3"]) == (
        "restauration (époque 2) : attend encore c1, c3",
        "restore (epoch 2): awaits c1, c3",
    )
    assert said("restore", phase="refused", reason="sha256")[0] == "restauration refusée : sha256"
    assert said("restore", phase="refused", reason="unreachable")[0] == "restauration refusée : le guichet ne répond pas"
    assert said("redeliver", id="c1:1.3", peer="c1", type="demande")[0] == (
        "message « demande » de c1, pris dans le canal : livré de nouveau"
    )


def test_events_without_words_and_with_strange_ones():
    assert phrases.sentence(Event("c1", "relay", 1, 1, 0.0, {})) is None
    assert phrases.sentence(Event("c1", "command", 1, 1, 0.0, {"ok": True})) is None
    assert phrases.sentence(Event("c1", "request", 1, 1, 0.0, {"state": "invented"})) is None
    assert said("request", request="{x}", state="refused", reason="{y}")[0] == "demande {x} refusée : {y}"
    assert said("request", state="owned")[0] == "demande ? : le billet ? est à c1"


def test_rows_of_tables():
    ticket = {"id": "B1", "train": "7", "date": "2025-03-17T07:10", "from": "Creil", "to": "Paris", "price": "3.20"}
    assert phrases.TICKET.row(ticket, "fr") == ["B1", "7", "2025-03-17 07:10", "Creil", "Paris", "3.20"]
    entry = {"id": "B1", "state": "sold", "client": "c1", "request": 4}
    assert phrases.LEDGER.row(entry, "fr") == ["B1", "vendu", "c1", "4", ""]


def test_how_a_site_ended():
    assert phrases.death("c2", -9, "x").fr == "c2 s'est arrêté (signal 9)"
    assert phrases.death("c2", 0, "x").fr == "c2 s'est arrêté"
    assert phrases.death("c2", 2, "disque plein").en == "c2 has stopped (status 2): disque plein"
