"""What a snapshot document claims, checked from the document alone (contract, section 5): each claim by itself."""

from __future__ import annotations

from typing import Any

import pytest

from lib.core import audit
from lib.core import commands as ask
from tests.core.test_snapshot import System, sealed


@pytest.mark.parametrize("key", ["expected", "left", "initiators"])
@pytest.mark.parametrize("value", [3, None, [3], "c1", {"c1": 1}])
def test_who_was_expected_or_had_left_is_a_list_of_names(key: str, value: object) -> None:
    system = System()
    system.order("c1", ask.TakeSnapshot())
    system.run()
    assert audit.examine(sealed(system.documents[0])) == []
    found = audit.examine(sealed(system.documents[0] | {key: value}))
    assert [finding.kind for finding in found] == ["shape"]


def site(role: str, **more: Any) -> dict[str, Any]:
    return {"role": role, "life": 1, "clock": 9, "sent": {}, "received": {}, "tickets": [], **more}


@pytest.mark.parametrize(("received", "found"), [(3, []), (4, [(4, 4)]), (6, [(4, 6)])])
def test_every_receipt_beyond_what_was_sent_is_incoherent(received: int, found: list[tuple[int, int]]) -> None:
    sites = {"gch": site("guichet", received={"c1": [[1, received]]}), "c1": site("client", sent={"gch": 3})}
    assert [rank for finding in audit.incoherent(sites, {}) for rank in finding.ranks] == found


def test_what_an_earlier_life_received_does_not_account_for_what_was_sent_to_this_one() -> None:
    """The sender knows the life of the receiver; the receiver has counted what an earlier life of the sender said."""
    sender = site("client", sent={"gch": 2}, life=2)
    for lives, missing in (({"c1": 2}, []), ({"c1": 1}, [((1, 2),)])):
        sites = {"gch": site("guichet", received={"c1": [[1, 2]]}, lives=lives), "c1": sender}
        assert [finding.ranks for finding in audit.missing(sites, {}, [])] == missing


def test_a_ticket_that_is_twice_in_a_list_or_with_another_than_its_client_is_named() -> None:
    entry = {"id": "B0001", "state": "sold", "client": "c1", "request": 1}
    mine = {"c1": site("client", tickets=[{"id": "B0001"}])}
    assert audit.unconserved({"gch": site("guichet", tickets=[entry]), **mine}, {}, "gch") == []
    for sites in (
        {"gch": site("guichet", tickets=[entry, entry]), **mine},
        {"gch": site("guichet", tickets=[entry]), **mine, "c2": site("client", tickets=[{"id": "B0001"}])},
        {"gch": site("guichet", tickets=[entry]), "c1": site("client", tickets=[{"id": "B0001"}] * 2)},
    ):
        assert [finding.where for finding in audit.unconserved(sites, {}, "gch")] == ["B0001"]
