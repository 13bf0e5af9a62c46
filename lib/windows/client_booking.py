"""The panel in which a client's user finds a ticket, reserves it, and confirms it before its time is over."""

from __future__ import annotations

import tkinter as tk
from tkinter import font, ttk

from lib.core.buying import Client
from lib.core.tickets import Search
from lib.windows.client_search import SearchBar, Wishes
from lib.windows.client_tickets import TicketTable
from lib.windows.house import House, command_line
from lib.windows.view.client import (
    CLOSED,
    MINE,
    USUAL_LIMIT,
    WANTED,
    Notes,
    Offer,
    TicketRows,
    answer,
    in_order,
    offers,
    requests,
    silence,
    wanted,
)
from lib.windows.view.rows import Row, date_and_time, price, route
from lib.windows.widgets.bars import CountDown
from lib.windows.widgets.table import Column, Table

# Lines of text that fit into the panel. Beneath the first, the requests have two rows and an offer takes their place;
# beneath the second they have one, and an offer takes the place of the tickets found as well.
_SMALL, _TINY = 20, 13
_EYE = 0.4  # seconds that one needs to see that the card shows another offer
_FRAME = 0.2  # seconds between two looks at a bar that shrinks


class BookingPanel(ttk.Frame):
    """Search, tickets found, the offer that runs, requests."""

    def __init__(self, parent: tk.Misc, house: House, notes: Notes, wishes: Wishes) -> None:
        super().__init__(parent, padding=(8, 6, 8, 8))
        self._house, self._notes, self._wishes = house, notes, wishes
        self._shown: tuple[object, ...] = ()
        self._rows: TicketRows | None = None
        self._more = 0
        self._smallness = 0  # 0, 1 or 2
        self.search = SearchBar(self, house, notes.names, wishes, self._consult, self._reserve)
        self.search.grid(row=0, column=0, sticky="ew")
        self._silence = ttk.Label(self, style="Warning.TLabel")
        self._silence.grid(row=1, column=0, sticky="ew", pady=(4, 0))
        self._found_frame = self._make_found()
        self._found_frame.grid(row=2, column=0, sticky="nsew", pady=(4, 0))
        self.card = OfferCard(self, house)
        self.card.grid(row=3, column=0, sticky="ew", pady=(6, 0))
        self._make_requests().grid(row=4, column=0, sticky="nsew", pady=(4, 0))
        self.rowconfigure(2, weight=3)
        self.rowconfigure(4, weight=2)
        self.columnconfigure(0, weight=1)
        self.restyle()
        self._show_found(self._client)
        self.found.select(self._wishes.found_selected)
        self.bind("<Map>", self._begin)
        self.bind("<Configure>", lambda _: self._fit())

    def _begin(self, _: object) -> None:
        """The first time that it is seen, one may type at once, unless one does elsewhere."""
        self.unbind("<Map>")
        if str(self.tk.call("focus")) in ("", "."):
            self.search.departure.focus_set()

    def _fit(self) -> None:
        """In a small window the tickets found take the room that there is."""
        lines = self.winfo_height() / font.nametofont("TkDefaultFont", root=self).metrics("linespace")
        size = (lines < _SMALL) + (lines < _TINY)
        if size != self._smallness:
            self._smallness = size
            self.requests.tree.configure(show="" if size else "headings", height=1 if size == 2 else 2)
            self.rowconfigure(4, weight=0 if size else 2)
            self.requests.redraw()

    def _make_found(self) -> ttk.Frame:
        t, frame = self._house.t, ttk.Frame(self)
        self._answer = ttk.Label(frame)
        self._answer.grid(row=0, column=0, sticky="w")
        self.more_button = ttk.Button(frame, style="Tool.TButton", command=self._ask_for_more)
        self.more_button.grid(row=0, column=1, padx=(6, 0), sticky="w")
        self.reserve_button = ttk.Button(
            frame, text=t("Réserver ce billet", "Book this ticket"), command=self._reserve_selected
        )
        self.reserve_button.grid(row=0, column=2, sticky="e", padx=(6, 0))
        self.found = TicketTable(
            frame, self._house, on_select=self._selected, on_open=self._reserve_ticket, on_sort=self._sort,
            height=2,
        )  # fmt: skip
        self.found.grid(row=1, column=0, columnspan=3, sticky="nsew", pady=(4, 0))
        frame.rowconfigure(1, weight=1)
        frame.columnconfigure(1, weight=1)
        return frame

    def _make_requests(self) -> ttk.Frame:
        t = self._house.t
        columns = [
            Column("number", t("n°", "no."), 4, "e", sortable=False),
            Column("state", t("état", "state"), 32, stretch=True, sortable=False),
            Column("subject", t("demande", "request"), 46, stretch=True, sortable=False),
            Column("at", t("heure", "time"), 8, sortable=False),
        ]
        self.requests = Table(
            self, columns, on_select=self._request_selected, on_open=lambda _: self.card.focus_confirm(), height=2,
            empty=t("Aucune demande pour l'instant", "No request so far"),
        )  # fmt: skip
        return self.requests

    def restyle(self) -> None:
        """Take the colours of the theme."""
        colours = self._house.theme.palette
        for tag, colour in (
            ("good", colours.good),
            ("bad", colours.bad),
            ("offer", colours.warning),
            (CLOSED, colours.muted),
        ):
            self.requests.tag_configure(tag, foreground=colour)
        self.found.tag_configure(MINE, foreground=colours.good)
        self.found.tag_configure(WANTED, foreground=colours.warning)
        self.card.restyle()
        self._fit()

    # ----------------------------------------------------------------------------------------------------- what is shown

    def refresh(self) -> float | None:
        """Show how things stand. While an offer runs, the seconds want to be seen."""
        role, now, house = self._client, self._house.process.now(), self._house
        silent = silence(role)
        self._silence.configure(text=f"⚠ {house.words(silent)}" if silent else "")
        _show_if(silent is not None, self._silence)
        self._show_found(role)
        running, asked = offers(role, self._notes, now), self._requests(role, now)
        self.requests.show(asked)
        self.card.show(running)
        self._arrange(bool(running), bool(role.open_requests() if self._smallness == 2 else asked))
        return _FRAME if running else None

    def _arrange(self, is_offered: bool, is_asked: bool) -> None:
        """Who has a place: in a small window, an offer first."""
        _show_if(is_offered, self.card)
        _show_if(not self._smallness or (is_asked and not is_offered), self.requests)
        _show_if(self._smallness < 2 or not is_offered, self._found_frame)

    def _requests(self, role: Client, now: float) -> list[Row]:
        return requests(role, self._notes, now, self._house.language, apart=not self._smallness)

    def _show_found(self, role: Client) -> None:
        said = answer(role, self._notes)
        self._answer.configure(text=self._house.words(said.text))
        self._more = said.more
        self.more_button.configure(text=self._house.words(said.ask_more))
        _show_if(said.more > 0, self.more_button)
        asked = wanted(role)
        rows = self._found_rows()
        rows.mark = lambda ticket_id: MINE if ticket_id in role.tickets else WANTED if ticket_id in asked else ""
        self.found.show(rows, self._wishes.found_sort)
        self._enable()

    def _found_rows(self) -> TicketRows:
        """What was found, in the order that the user wants: made anew only when one of the two has changed."""
        listing, sort = self._notes.listing, self._wishes.found_sort
        if self._rows is None or self._shown != (listing, sort):
            self._shown = (listing, sort)
            holdings = in_order(listing.holdings, sort) if listing else []
            self._rows = TicketRows(holdings, self._house.language)
        return self._rows

    @property
    def _client(self) -> Client:
        role = self._house.process.site.role
        assert isinstance(role, Client)
        return role

    def _enable(self) -> None:
        self.reserve_button.state(["!disabled" if self.found.selected else "disabled"])

    # ------------------------------------------------------------------------------------------------ what the user does

    def _consult(self, search: Search, limit: int = USUAL_LIMIT) -> None:
        line = command_line("consulter", **_fields(search), limite=limit)
        self._house.order(line, self._house.t("Consultation demandée au guichet", "Asked the ticket office"))

    def _ask_for_more(self) -> None:
        if self._notes.listing is not None and self._more:
            self._consult(self._notes.listing.errand.search, self._more)

    def _reserve(self, search: Search) -> None:
        line = command_line("reserver", **_fields(search))
        self._house.order(line, self._house.t("Réservation demandée au guichet", "Reservation asked for"))

    def _reserve_selected(self) -> None:
        if self.found.selected:
            self._reserve_ticket(self.found.selected)

    def _reserve_ticket(self, ticket_id: str) -> None:
        self._reserve(Search(ticket=ticket_id))

    def _selected(self, key: str | None) -> None:
        self._wishes.found_selected = key
        self._enable()

    def _sort(self, key: str, descending: bool) -> None:
        self._wishes.found_sort = (key, descending)
        self._show_found(self._client)

    def _request_selected(self, key: str | None) -> None:
        self.card.choose(key)


def _fields(search: Search) -> dict[str, str]:
    """The arguments of a command that looks for this (contract, section 8)."""
    return {
        "billet": search.ticket,
        "depart": search.departure,
        "destination": search.destination,
        "du": search.since,
        "au": search.until,
    }


def _show_if(wanted: bool, widget: tk.Misc) -> None:
    """Give a gridded widget its place, or take it away."""
    if bool(widget.winfo_manager()) != wanted:
        widget.grid() if wanted else widget.grid_remove()  # type: ignore[attr-defined]


class OfferCard(ttk.Frame):
    """The offer that runs: which ticket, how long still, take it or leave it. Of several it shows the one that ends first,
    or the one that the user has chosen."""

    def __init__(self, parent: tk.Misc, house: House) -> None:
        super().__init__(parent, style="Offer.TFrame", padding=3)
        self._house = house
        self._offer: Offer | None = None
        self._offers: list[Offer] = []
        self._chosen: int | None = None
        self._shown_at = 0.0
        inner = ttk.Frame(self, padding=(8, 4))
        inner.pack(fill="both", expand=True)
        self._title = ttk.Label(inner, style="Offer.TLabel")
        self.count_down = CountDown(inner, length=60)
        self.next_button = ttk.Button(inner, text="▶", width=2, style="Tool.TButton", command=self._next)
        self.confirm_button = ttk.Button(
            inner, text=house.t("Confirmer", "Confirm"), underline=0, style="Accent.TButton", command=self.confirm
        )
        self.decline_button = ttk.Button(inner, text=house.t("Refuser", "Refuse"), underline=0, command=self.decline)
        self._what = ttk.Label(inner)
        in_line = (self._title, self.next_button, self.count_down, self.confirm_button, self.decline_button)
        for column, widget in enumerate(in_line):
            widget.grid(row=0, column=column, sticky="ew", padx=(0 if column == 0 else 8, 0))
        self._what.grid(row=1, column=0, columnspan=len(in_line), sticky="ew")
        inner.columnconfigure(2, weight=1)
        self.bind("<Configure>", lambda event: self._what.configure(wraplength=event.width - 24))
        for button in (self.next_button, self.confirm_button, self.decline_button):
            button.bind("<Return>", lambda event: event.widget.invoke())

    def restyle(self) -> None:
        """Take the colours of the theme: none is as loud as this one."""
        style, colours = ttk.Style(self), self._house.theme.palette
        style.configure("Offer.TFrame", background=colours.warning)
        style.configure("Offer.TLabel", foreground=colours.warning, font="TkHeadingFont")

    def show(self, running: list[Offer]) -> None:
        """These offers run, the one that ends first first."""
        before = self._offer
        chosen = next((place for place, offer in enumerate(running) if offer.number == self._chosen), 0)
        self._offers, self._offer = running, running[chosen] if running else None
        if self._offer is not None:
            if before is None or before.number != self._offer.number:
                self._shown_at = self._house.process.now()
            self._show(self._offer, chosen + 1)

    def _show(self, offer: Offer, place: int) -> None:
        house, journey, count = self._house, offer.journey, len(self._offers)
        title = house.t(f"Offre n°{offer.number}", f"Offer no. {offer.number}")
        of = house.t(f" ({place} sur {count})", f" ({place} of {count})") if count > 1 else ""
        self._title.configure(text=title + of)
        cost = price(journey.cents, house.language)
        what = (offer.ticket_id, route(journey), date_and_time(journey.date), f"train {journey.train}", cost)
        self._what.configure(text=" · ".join(what))
        self.count_down.show(offer.left, offer.whole)
        _show_if(count > 1, self.next_button)

    # ------------------------------------------------------------------------------------------------ what the user does

    def choose(self, key: str | None) -> None:
        """Show the offer of the request of that number, if it has one."""
        self._chosen = int(key) if key and key.isdigit() else None
        self.show(self._offers)

    def focus_confirm(self) -> None:
        """Give the button that confirms the keyboard."""
        if self._offer is not None:
            self.confirm_button.focus_set()

    def _next(self) -> None:
        if self._offer is not None:
            following = self._offers[(self._offers.index(self._offer) + 1) % len(self._offers)]
            self.choose(str(following.number))

    def confirm(self) -> None:
        """Take the ticket that is shown."""
        offer = self._seen()
        if offer is not None:
            t, line = self._house.t, command_line("confirmer", demande=offer.number)
            self._house.order(
                line, t(f"Billet {offer.ticket_id} : confirmation demandée", f"Ticket {offer.ticket_id}: confirming")
            )

    def decline(self) -> None:
        """Leave it to others."""
        offer = self._seen()
        if offer is not None:
            t, line = self._house.t, command_line("refuser", demande=offer.number)
            self._house.order(line, t(f"Billet {offer.ticket_id} refusé", f"Ticket {offer.ticket_id} refused"))

    def _seen(self) -> Offer | None:
        """The offer on the card, once one had the time to see which it is: the second click of a double click is not meant
        for the offer that comes next."""
        return self._offer if self._house.process.now() - self._shown_at >= _EYE else None
