"""The guichet's tickets, holds, sales and clients as rows and sentences."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from lib.core.buying import Client
from lib.core.peers import Peer
from lib.core.presence import CLIENT_HEARTBEAT
from lib.core.sites import GuichetSite
from lib.core.tickets import FREE, HELD, SOLD, Ticket
from lib.texts import Text
from lib.windows.view.guichet import Account, Listing, Office, natural
from lib.windows.view.rows import Row, ago, clock, date_and_time, price, route, thousands
from lib.words import STATES, counted

SOON = 0.25  # of a hold's time: what is left then is little
LITTLE, LEFT, SILENT = "little", "left", "silent"  # tags of rows

_SILENCE = 2.5 * CLIENT_HEARTBEAT  # seconds in which a client that is there gives two signs of life
_AGE = 5  # seconds: nobody needs to know more exactly when a client was heard


class Rows:
    """A listing as a table takes it: its rows are made when they are seen."""

    def __init__(self, office: Office, listing: Listing, make: Callable[[Ticket], Row]) -> None:
        self._office, self._listing, self._make = office, listing, make

    def __len__(self) -> int:
        return len(self._listing)

    def __getitem__(self, index: int | slice) -> Row | list[Row]:
        if isinstance(index, slice):
            return [self._row(number) for number in range(*index.indices(len(self)))]
        return self._row(index)

    def index_of(self, key: str) -> int | None:
        """At which place that ticket stands."""
        return self._listing.index_of(key)

    def _row(self, index: int) -> Row:
        ticket = self._office.stock.get(self._listing[index])
        assert ticket is not None, "a listing is settled before it is looked at"
        return self._make(ticket)


# ------------------------------------------------------------------------------------------------------------- tickets


def ticket_row(office: Office, ticket: Ticket, language: str) -> Row:
    """Identifier, train, date, from, to, holder, price, state. A held ticket is on its way: `gch → c1`."""
    journey = ticket.journey
    holder = ticket.holder(office.name)
    cells = (
        ticket.id,
        journey.train,
        date_and_time(journey.date),
        journey.departure,
        journey.destination,
        f"{holder} → {ticket.client}" if ticket.state == HELD else holder,
        price(journey.cents, language),
        STATES[ticket.state].in_language(language),
    )
    return Row(ticket.id, cells, ticket.state)


def held_row(office: Office, ticket: Ticket, language: str, now: float, bar: Callable[[float], str]) -> Row:
    """Identifier, client, what is left of the time as a `bar` (of a fraction), journey and price."""
    left = max(0.0, ticket.deadline - now)
    fraction = left / office.delay
    journey = ticket.journey
    cells = (
        ticket.id,
        ticket.client,
        f"{bar(fraction)} {math.ceil(left)} s",
        f"{route(journey)} · {date_and_time(journey.date)}",
        price(journey.cents, language),
    )
    return Row(ticket.id, cells, LITTLE if fraction <= SOON else "")


def sold_row(office: Office, ticket: Ticket, language: str) -> Row:
    """When it was sold, identifier, client, journey and price."""
    at, journey = office.sold_at(ticket.id), ticket.journey
    cells = (
        clock(at) if at else Text("avant", "before").in_language(language),
        ticket.id,
        ticket.client,
        f"{route(journey)} · {date_and_time(journey.date)}",
        price(journey.cents, language),
    )
    return Row(ticket.id, cells)


def described(office: Office, ticket: Ticket, language: str, now: float) -> str:
    """The whole ticket as a sentence, for there may be little room in a table: and why it can't be changed, if it can't."""
    journey = ticket.journey
    parts = [
        ticket.id,
        f"train {journey.train}",
        date_and_time(journey.date),
        route(journey),
        price(journey.cents, language),
    ]
    if ticket.state != FREE:
        parts.append(_why_not(ticket, now).in_language(language))
    return " · ".join(parts)


_NAMED = 12  # tickets that are named in a question


def marked(tickets: list[Ticket]) -> Text:
    """What there is to know of several tickets that are chosen."""
    free = sum(ticket.state == FREE for ticket in tickets)
    if free == len(tickets):
        return Text(f"{free} billets choisis, tous libres.", f"{free} tickets selected, all free.")
    return Text(
        f"{len(tickets)} billets choisis, dont {free} libre{'s' if free > 1 else ''} : les autres ne se suppriment pas.",
        f"{len(tickets)} tickets selected, {free} of them free: the others can't be deleted.",
    )


def question_of_deletion(free: list[Ticket], others: int, first: str) -> Text:
    """What will happen to the `free` ones of the chosen tickets, before it does, and that the `others` stay. One alone is
    told whole: `first` is the first of them as a sentence."""
    count, names = len(free), ", ".join(ticket.id for ticket in free[:_NAMED])
    rest = count - _NAMED
    more = Text(f"… et {rest} autre{'s' if rest > 1 else ''}", f"… and {rest} more") if rest > 0 else Text("", "")
    stay = Text("", "")
    if others:
        kept = counted(others, "billet", "ticket")
        stay = Text(f"\n\nCe qui est retenu ou vendu parmi les choisis reste : {kept.fr}.",
                    f"\n\nWhat is held or sold of the selection stays: {kept.en}.")  # fmt: skip
    if count == 1:
        end = Text("Il ne sera plus en vente, et son identifiant ne servira plus.",
                   "It will not be on sale any more, and its identifier is never used again.")  # fmt: skip
        return Text(f"Supprimer ce billet ?\n\n{first}\n\n{end.fr}{stay.fr}",
                    f"Delete this ticket?\n\n{first}\n\n{end.en}{stay.en}")  # fmt: skip
    return Text(
        f"Supprimer ces {count} billets ?\n\n{names}{more.fr}\n\n"
        f"Ils ne seront plus en vente, et leurs identifiants ne serviront plus.{stay.fr}",
        f"Delete these {count} tickets?\n\n{names}{more.en}\n\n"
        f"They will not be on sale any more, and their identifiers are never used again.{stay.en}",
    )


def deleted(names: list[str], refusals: list[Text]) -> Text:
    """What has become of the tickets that were to be deleted; of several refusals, the last reason."""
    done = Text(f"Billet {names[0]} supprimé", f"Ticket {names[0]} deleted") if len(names) == 1 else Text(
        f"{counted(len(names), 'billet', 'ticket').fr} supprimé{'s' if len(names) > 1 else ''}",
        f"{counted(len(names), 'billet', 'ticket').en} deleted")  # fmt: skip
    if not refusals:
        return done
    why, count = refusals[-1], len(refusals)
    return Text(f"{done.fr}, {count} non : {why.fr}", f"{done.en}, {count} not: {why.en}")


def _why_not(ticket: Ticket, now: float) -> Text:
    """Why a ticket can't be changed."""
    left = math.ceil(max(0.0, ticket.deadline - now))
    if ticket.state == HELD:
        return Text(
            f"retenu pour {ticket.client}, encore {left} s : ni modifiable ni supprimable",
            f"held for {ticket.client}, {left} s left: neither to be changed nor deleted",
        )
    return Text(
        f"vendu à {ticket.client} : ni modifiable ni supprimable",
        f"sold to {ticket.client}: neither to be changed nor deleted",
    )


def counters(office: Office, language: str) -> str:
    """`17 libres · 1 retenu · 2 vendus (15,40 €)`."""
    free, held, sold = (len(office.stock.book(state)) for state in (FREE, HELD, SOLD))
    takings = price(office.takings, language)

    def words(count: int, fr: str, en: str) -> str:
        said = Text(f"{fr}{'s' if count > 1 else ''}", en).in_language(language)
        return f"{thousands(count).in_language(language)} {said}"

    parts = [words(free, "libre", "free"), words(held, "retenu", "held"), words(sold, "vendu", "sold")]
    return f"{' · '.join(parts)} ({takings})"


def how_many(shown: int, total: int) -> Text:
    """`100 000 billets`; of those that are shown: `12 sur 100 000`."""
    if shown != total:
        return Text(f"{thousands(shown).fr} sur {thousands(total).fr}", f"{thousands(shown).en} of {thousands(total).en}")
    words = counted(total, "billet", "ticket")
    return Text(words.fr.replace(str(total), thousands(total).fr), words.en.replace(str(total), thousands(total).en))


# ------------------------------------------------------------------------------------------------------------- clients


class ClientLine(NamedTuple):
    """A client as the guichet knows it, and what it has. `peer` is None for one that a snapshot or a store knows only by
    its tickets."""

    name: str
    peer: Peer | None
    account: Account
    silent_for: float  # seconds; -1: it was never heard in our life

    @property
    def is_present(self) -> bool:
        return self.peer is not None and self.peer.present

    @property
    def is_dismissed(self) -> bool:
        return self.peer is not None and self.peer.dismissed

    @property
    def presence(self) -> Text:
        """Whether it is there, as far as the guichet can know."""
        if self.is_dismissed:
            return Text("congédié", "dismissed")
        if not self.is_present:
            return Text("parti", "left")
        if self.silent_for < 0:
            return Text("attendu", "awaited")
        return Text("silencieux", "silent") if self.silent_for > _SILENCE else Text("présent", "present")

    @property
    def tag(self) -> str:
        if not self.is_present:
            return LEFT
        return SILENT if self.silent_for > _SILENCE else ""

    @property
    def heard(self) -> Text:
        """When it was heard last."""
        if self.silent_for < 0:
            return Text("pas encore", "not yet")
        return ago(_AGE * (self.silent_for // _AGE))

    def row(self, language: str) -> Row:
        """Name, presence, last heard, tickets held for it, bought, spent, life."""
        account = self.account
        cells = (
            self.name,
            self.presence.in_language(language),
            self.heard.in_language(language),
            str(account.held),
            str(account.sold),
            price(account.cents, language),
            str(self.peer.life) if self.peer and self.peer.life else "—",
        )
        return Row(self.name, cells, self.tag)


_CLIENT_KEYS: dict[str, Callable[[ClientLine], object]] = {
    "name": lambda line: natural(line.name),
    "presence": lambda line: line.presence.fr,
    "heard": lambda line: line.silent_for,
    "held": lambda line: line.account.held,
    "sold": lambda line: line.account.sold,
    "spent": lambda line: line.account.cents,
    "life": lambda line: line.peer.life if line.peer else 0,
}


def clients(site: GuichetSite, office: Office, now: float, order: tuple[str, bool]) -> list[ClientLine]:
    """All clients ever heard of, in the order of a column (and whether it descends)."""
    known = {peer.name: peer for peer in site.peers.all() if peer.role == Client.role}
    names = sorted({**known, **office.accounts}, key=natural)
    lines = [_line(name, known.get(name), office, now) for name in names]
    column, is_descending = order
    return sorted(lines, key=_CLIENT_KEYS[column], reverse=is_descending)  # type: ignore[arg-type]


def _line(name: str, peer: Peer | None, office: Office, now: float) -> ClientLine:
    silent_for = max(0.0, now - peer.last_heard) if peer and peer.last_heard else -1.0
    return ClientLine(name, peer, office.accounts.get(name) or Account(), silent_for)


def attendance(lines: list[ClientLine]) -> Text:
    """How many clients are there, and how many of these have fallen silent."""
    here, silent = sum(line.is_present for line in lines), sum(line.tag == SILENT for line in lines)
    if not silent:
        return Text(f"Clients présents : {here}", f"Clients present: {here}")
    return Text(
        f"Clients présents : {here}, dont {silent} sans signe de vie", f"Clients present: {here}, {silent} of them silent"
    )


def advice(line: ClientLine | None) -> Text:
    """What there is to know of the selected client (None: none is)."""
    if line is None:
        return Text("Choisissez un client pour le congédier.", "Select a client to dismiss it.")
    if line.is_dismissed:
        return Text("Ses billets sont libres ; s'il revient, il recommence sans rien.",
                    "Its tickets are free; should it come back, it begins with nothing.")  # fmt: skip
    if line.tag and (line.account.held or line.account.sold):
        return Text("Si ce client ne revient plus, « Congédier… » rend ses billets à la vente.",
                    "If this client will not come back, 'Dismiss…' puts its tickets on sale again.")  # fmt: skip
    return Text("« Congédier… » est pour un client qui ne reviendra plus.",
                "'Dismiss…' is for a client that will not come back.")  # fmt: skip


def question_of_dismissal(line: ClientLine) -> Text:
    """What will happen, before it does."""
    account = line.account
    sold, held = counted(account.sold, "billet", "ticket"), counted(account.held, "billet", "ticket")
    warning = Text("", "")
    if line.is_present:
        warning = Text(f"Attention : {line.name} est là, entendu {line.heard.fr}.\n\n",
                       f"Mind: {line.name} is here, heard {line.heard.en}.\n\n")  # fmt: skip
    return Text(
        f"{warning.fr}Ce qui lui est vendu ({sold.fr}, {price(account.cents, 'fr')}) et ce qui est retenu pour lui "
        f"({held.fr}) redevient libre, et plus rien ne l'attend. S'il revient, il recommence sans rien.",
        f"{warning.en}What is sold to it ({sold.en}, {price(account.cents, 'en')}) and what is held for it ({held.en}) is "
        "free again, and nothing waits for it any more. Should it come back, it begins with nothing.",
    )
