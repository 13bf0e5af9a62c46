"""Real processes in a ring. The law: issue 2, "what must work at the end", and contract, section 4."""

from __future__ import annotations

import signal
from pathlib import Path

from tests.processes.ring import Ring, assert_nothing_sold_twice, assert_one_holder, ring, timetable

PARIS = "1001,2027-03-15T07:10,Compiègne,Paris Gare du Nord,15.40,3"
CREIL = "1002,2027-03-15T08:10,Compiègne,L'Isle-Adam,8.20,1"


def test_consult_reserve_confirm_refuse_give_back(tmp_path: Path) -> None:
    """ "real tickets [...] are consulted, reserved, confirmed, refused, expired and given back through it"."""
    with ring(tmp_path / "ring", 2, [PARIS, CREIL], client=["--confirmation=manuelle"]) as made:
        c1, c2 = made.clients

        listed = c1.request("consulter destination='paris GARE du nord'", state="listed")
        assert listed["total"] == 3 and [t["id"] for t in listed["tickets"]] == ["B0001", "B0002", "B0003"]
        assert listed["tickets"][0]["price"] == "15.40" and listed["tickets"][0]["holder"] == "gch"

        offered = c1.request('reserver destination="L\'Isle-Adam"', state="offered")
        assert offered["ticket"] == "B0004" and 0 < offered["expires_in"] <= 60
        assert made.gch.wait(ev="ticket", ticket="B0004", state="held")["client"] == "c1"
        assert c2.request("reserver billet=B0004", state="refused")["reason"] == "indisponible"
        assert c2.request("reserver billet=B9999", state="refused")["reason"] == "inconnu"
        assert assert_one_holder(made) == {}, "offered is not sold"

        c1.wait(c1.command(f"confirmer demande={offered['request']}"), ev="request", state="owned", ticket="B0004")
        assert assert_one_holder(made) == {"B0004": "c1"}

        second = c2.request("reserver destination=Paris-Gare-du-Nord", state="offered")
        since = made.gch.mark()
        assert c2.ask(f"refuser demande={second['request']}")["ok"]
        made.gch.wait(since, ev="ticket", ticket=second["ticket"], state="free")

        c1.request("rendre billet=B0004", state="returned")
        assert assert_one_holder(made) == {}
        assert c1.ask("rendre billet=B0004")["error"] == "le billet B0004 n'est pas à ce client"
        assert c1.ask(f"confirmer demande={offered['request']}")["ok"] is False
        assert c2.request("reserver billet=B0004", state="offered")["ticket"] == "B0004"
        made.end()


def test_a_hold_expires_explicitly_and_the_ticket_is_free_again(tmp_path: Path) -> None:
    """ "The deadline is absolute and set by the guichet [...]: `refus motif~expire`, explicitly, never silence." """
    with ring(tmp_path / "ring", 2, [CREIL], delay=0.4, client=["--confirmation=manuelle"]) as made:
        c1, c2 = made.clients
        offered = c1.request("reserver", state="offered")
        assert offered["expires_in"] <= 0.4
        expired = c1.wait(ev="request", request=offered["request"], state="expired")
        assert 0.35 < expired["t"] - offered["t"] < 5
        made.gch.wait(ev="ticket", ticket="B0001", state="free", count=None)
        assert c1.ask(f"confirmer demande={offered['request']}")["ok"] is False
        assert c2.request("reserver", state="offered")["ticket"] == "B0001"
        made.end()


def test_a_late_confirmation_is_refused_explicitly(tmp_path: Path) -> None:
    """ "An `accuse` after it gets `refus motif~expire`": the accuse is on its way while the guichet stands still."""
    with ring(tmp_path / "ring", 1, [CREIL], delay=1.0, client=["--confirmation=manuelle"]) as made:
        (c1,) = made.clients
        offered = c1.request("reserver", state="offered")
        made.gch.signal(signal.SIGSTOP)
        since = c1.command(f"confirmer demande={offered['request']}")
        c1.wait(since, ev="send", type="accuse")
        # The clock that counts is the machine's: what is waited for is the second `accuse`, which comes a second later.
        c1.wait(c1.mark(), ev="send", type="accuse")
        made.gch.signal(signal.SIGCONT)
        ended = c1.wait(since, ev="request", request=offered["request"], state="expired")
        assert ended["reason"] == "expire"
        assert assert_one_holder(made) == {}
        made.end()


def test_the_last_ticket_goes_to_exactly_one(tmp_path: Path) -> None:
    """ "Two clients after the last ticket: exactly one gets it, the other `refus motif~complet`." """
    with ring(tmp_path / "ring", 4, [CREIL]) as made:
        for site in made.clients:
            site.command('reserver destination="L\'Isle-Adam"')
        ends = [site.settled(1) for site in made.clients]
        (owned,) = [end for end in ends if end["state"] == "owned"]
        assert [end["reason"] for end in ends if end["state"] == "refused"] == ["complet"] * 3
        assert assert_one_holder(made) == {"B0001": owned["site"]}
        made.end()


def test_many_reservations_at_once_in_a_ring_of_six(tmp_path: Path) -> None:
    """All settle; as many are sold as there are; every ticket has one holder; Lamport's condition on all traces."""
    rows = [f"{n},2027-03-15T{n % 24:02d}:10,A{n % 5},B{n % 3},{n}.50,2" for n in range(1, 21)]
    with ring(tmp_path / "ring", 5, rows) as made:
        for site in made.clients:
            site.command(*["reserver"] * 10, "consulter", "etat")
        ends = [site.settled(number)["state"] for site in made.clients for number in range(1, 11)]
        assert (ends.count("owned"), ends.count("refused")) == (40, 10)
        for site in made.clients:
            assert site.settled(11)["state"] in ("listed", "refused")
        assert len(assert_one_holder(made)) == 40
        assert_nothing_sold_twice(made)
        made.end()
        relayed = {event["id"] for site in made.sites for event in site.find(ev="relay")}
        assert any(name.startswith("c1:") for name in relayed), "c1's way to the guichet leads over the others"


def test_everybody_gives_back_and_buys_again(tmp_path: Path) -> None:
    """ "vendu --retour--> libre": the same ticket goes from hand to hand, and never to two."""
    with ring(tmp_path / "ring", 2, [CREIL]) as made:
        for turn in range(3):
            for site in made.clients:
                assert site.request("reserver", state="owned")["ticket"] == "B0001"
                assert assert_one_holder(made) == {"B0001": site.name}, turn
                site.request("rendre billet=B0001", state="returned")
        states = [event["state"] for event in made.gch.find(ev="ticket", ticket="B0001")]
        assert states == ["free", *["held", "sold", "free"] * 6]
        made.end()


def test_a_client_whose_guichet_is_not_there_is_told_so_and_served_later(tmp_path: Path) -> None:
    """ "until it is answered or `--patience` [...] is over and the user is told that the guichet does not answer" """
    made = Ring(tmp_path / "ring", 2, [f"--billets={timetable(tmp_path, [CREIL])}"], client=["--patience=0.5"])
    try:
        made.start(*made.clients)
        c1 = made.clients[0]
        asked = c1.request("reserver", state="asked")
        gone = c1.wait(ev="request", request=asked["request"], state="unreachable")
        assert 0.45 < gone["t"] - asked["t"] < 5
        made.start(made.gch)
        # The old request was still in the pipe: its offer comes too late, and is left so that others get the ticket.
        made.gch.wait(ev="ticket", ticket="B0001", state="held")
        made.gch.wait(ev="ticket", ticket="B0001", state="free", count=None)
        assert c1.find(ev="request", request=asked["request"])[-1]["state"] == "unreachable"
        assert c1.request("reserver", state="owned")["ticket"] == "B0001"
        made.end()
    finally:
        made.close()
