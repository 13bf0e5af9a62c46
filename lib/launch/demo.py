"""The acts of `--demo`: a newcomer sees what the system does, and every sentence that claims something was checked.

No station is written down here: what is on sale is found out by consulting it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from lib.launch import photograph, phrases, props
from lib.launch.accounts import Entry, Exchange, exchanges, lamport_faults
from lib.launch.options import Options
from lib.launch.run import Run
from lib.launch.screen import Screen
from lib.launch.stage import Failed, Stage
from lib.launch.traces import Event
from lib.launch.wiring import GUICHET
from lib.texts import Problem, Text
from lib.words import counted

DELAY = 4  # seconds that the guichet holds an offer: short enough to wait for its end
_NEEDED = 4  # tickets that the acts take from the route, beside the race
_SHOWN = 3  # tickets of the consultation
_MAX_ROWS = 15  # of the final account


def prepared(options: Options) -> Options:
    """The user's options and, after them, what the acts rely on."""
    guichet = (*options.guichet, f"--delai={DELAY}")
    return replace(options, guichet=guichet, client=(*options.client, "--confirmation=manuelle"))


def play(run: Run, screen: Screen) -> int:
    """Performs all acts and says the verdict: 0 when everything that was told was true."""
    stage = Stage(run, screen)
    try:
        story = _prologue(stage)
        for act in _ACTS:
            act(story)
    except (Failed, Problem) as failed:
        stage.check(False, failed.text)
    return _verdict(stage)


@dataclass(slots=True)
class Story:
    """Who plays, and what one act leaves to the next."""

    stage: Stage
    buyer: str
    second: str
    rival: str  # as near to the guichet as the buyer, on its other side
    route: props.Criteria  # matches several tickets
    total: int  # tickets in the whole system, at first
    prize: Event | None = None  # the request that won the race
    photograph: photograph.Photograph | None = None  # what the system is brought back to


def _prologue(stage: Stage) -> Story:
    sites = [*stage.run.wiring.sites, GUICHET]
    chain = " -> ".join(sites if len(sites) < 8 else [*sites[:4], "...", *sites[-2:]])
    stage.say(
        Text(f"Un guichet et ses clients, en anneau : {chain}", f"A ticket office and its clients, in a ring: {chain}")
    )
    state = props.state(stage, GUICHET)
    on_sale = counted(state.count("free"), "billet", "ticket")
    stage.say(
        Text(
            f"En vente : {on_sale.fr}. Une offre tient {DELAY} s.",
            f"On sale: {on_sale.en}. An offer holds for {DELAY} s.",
        )
    )
    stage.say(
        Text(
            "Devant chaque message : l'heure de Lamport de son envoi, puis celle de sa réception.",
            "Before each message: the Lamport time of its sending, then that of its receipt.",
        )
    )
    total = sum(state.count(each) for each in ("free", "held", "sold"))
    buyer, second, rival = sites[1], sites[2], sites[-2]
    route = props.route(stage, buyer, _NEEDED)
    stage.forget_messages()
    return Story(stage, buyer, second, rival, route, total)


def _consultation(story: Story) -> None:
    stage, buyer, subject = story.stage, story.buyer, props.words(story.route)
    stage.act(Text(f"{buyer} consulte", f"{buyer} consults"))
    asked = stage.ask(buyer, "consulter", subject, **story.route, limite=_SHOWN)
    listed = stage.outcome(asked, "listed", "refused")
    stage.show_messages()
    tickets, total = listed.objects("tickets"), listed.count("total")
    rows = [phrases.TICKET.row(ticket, stage.screen.language) for ticket in tickets]
    stage.screen.table(phrases.TICKET.headings, rows, phrases.TICKET.right)
    found = counted(total, "billet", "ticket")
    stage.check(
        len(tickets) == min(_SHOWN, total) > 0,
        Text(f"{found.fr} en vente, dont {len(tickets)} montrés", f"{found.en} on sale, {len(tickets)} of them shown"),
    )


def _sale(story: Story) -> None:
    stage, buyer = story.stage, story.buyer
    stage.act(Text(f"{buyer} achète : demande, offre, accusé, vendu", f"{buyer} buys: request, offer, confirmation, sold"))
    offered = props.hold(stage, buyer, story.route)
    ticket, moment = offered.text("ticket"), stage.moment_of(offered)
    owned = props.confirm(stage, offered)
    messages = stage.show_messages()
    stage.check(owned.text("state") == "owned", Text(f"{ticket} est à {buyer}", f"{ticket} is {buyer}'s"))
    sold = stage.expect(GUICHET, "ticket", moment, ticket=ticket, state="sold")
    stage.check(
        sold.text("client") == buyer and sold.lamport < owned.lamport,
        Text(f"le guichet l'a vendu avant que {buyer} ne l'ait", f"the ticket office sold it before {buyer} had it"),
    )
    times = _times(messages)
    stage.check(
        len(times) == 8 and all(before < after for before, after in pairwise(times)),
        Text(*[f"Lamport : {' < '.join(map(str, times))}"] * 2),
    )


def _times(messages: Sequence[Exchange]) -> list[int]:
    """The stamps of a sale, cause before effect: of the first request, offer, confirmation, and of the last answer."""
    firsts = {message.send.text("type"): message for message in reversed(messages)}
    steps = [firsts.get(kind) for kind in ("demande", "billet", "accuse")]
    return [time for step in [*steps, *messages[-1:]] if step for time in (step.send.lamport, step.receipt.lamport)]


def _refusal(story: Story) -> None:
    stage, second = story.stage, story.second
    stage.act(Text(f"{second} reçoit une offre et n'en veut pas", f"{second} gets an offer and does not want it"))
    offered = props.hold(stage, second, story.route)
    ticket = offered.text("ticket")
    moment = stage.order(second, "refuser", demande=offered.text("request"))
    freed = stage.expect(GUICHET, "ticket", moment, ticket=ticket, state="free")
    stage.show_messages()
    stage.check(
        freed.time - offered.time < DELAY,
        Text(
            f"{ticket} est libre aussitôt, sans attendre la fin de l'offre",
            f"{ticket} is free at once, before the offer ends",
        ),
    )


def _expiry(story: Story) -> None:
    stage, second = story.stage, story.second
    stage.act(Text(f"{second} laisse passer une offre", f"{second} lets an offer pass"))
    offered = props.hold(stage, second, story.route)
    ticket = offered.text("ticket")
    stage.show_messages()
    stage.say(
        Text(f"{second} se tait ; l'offre tient {DELAY} s ...", f"{second} is silent; the offer holds for {DELAY} s ...")
    )
    freed = stage.expect(GUICHET, "ticket", stage.moment_of(offered), ticket=ticket, state="free")
    expired = stage.outcome(offered, "expired", "refused")
    told = [message for message in stage.show_messages() if message.receipt.site == second]
    held = freed.time - offered.time
    stage.check(held > DELAY - 1, Text(f"{ticket} est libre après {held:.1f} s", f"{ticket} is free after {held:.1f} s"))
    stage.check(
        expired.text("reason") == "expire" and bool(told),
        Text(f"le guichet le dit à {second} : délai dépassé", f"the ticket office tells {second}: too late"),
    )
    _confirm_too_late(stage, offered)


def _confirm_too_late(stage: Stage, offered: Event) -> None:
    late = props.confirm(stage, offered)
    stage.show_messages()
    why = late.text("error") or late.text("reason")
    stage.check(
        late.text("state") != "owned" and bool(why),
        Text(f"{late.site} confirme trop tard : {why}", f"{late.site} confirms too late: {why}"),
    )


def _last_ticket(story: Story) -> None:
    stage = story.stage
    stage.act(Text("Deux clients, un dernier billet", "Two clients, one last ticket"))
    train = props.single_ticket(stage, story.buyer)
    stage.forget_messages()
    day, subject = train["du"].replace("T", " "), props.words(train)
    stage.say(Text(f"{subject}, {day} : il n'en reste qu'un.", f"{subject}, {day}: there is but one left."))
    ends = _race(stage, (story.buyer, story.rival), train)
    winners = [end for end in ends if end.text("state") == "offered"]
    losers = [end for end in ends if end.text("reason") == "complet"]
    for winner in winners:
        story.prize = props.confirm(stage, winner)
    stage.show_messages()
    names = ", ".join(end.site for end in winners)
    stage.check(len(winners) == 1, Text(f"un seul l'obtient : {names}", f"only one gets it: {names}"))
    names = ", ".join(end.site for end in losers)
    stage.check(
        len(losers) == 1,
        Text(f"à l'autre, {names}, le guichet dit : complet", f"the other, {names}, is told: sold out"),
    )


def _race(stage: Stage, runners: Sequence[str], train: props.Criteria) -> list[Event]:
    """Has them reserve at the same time; what each of them gets."""
    moments = [stage.order(runner, "reserver", **train) for runner in runners]
    asked = [stage.begun(runner, moment, props.words(train)) for runner, moment in zip(runners, moments, strict=True)]
    return [stage.outcome(request, "offered", "refused") for request in asked]


def _giving_back(story: Story) -> None:
    stage, prize = story.stage, story.prize
    if prize is None or prize.text("state") != "owned":
        raise Failed(Text("personne n'a de billet à rendre", "nobody has a ticket to give back"))
    ticket = prize.text("ticket")
    stage.act(Text(f"{prize.site} rend {ticket}", f"{prize.site} gives {ticket} back"))
    asked = stage.ask(prize.site, "rendre", billet=ticket)
    returned = stage.outcome(asked, "returned", "refused")
    freed = stage.expect(GUICHET, "ticket", stage.moment_of(asked), ticket=ticket, state="free")
    stage.show_messages()
    stage.check(
        returned.text("state") == "returned" and freed.lamport < returned.lamport,
        Text(
            f"{ticket} est de nouveau en vente, {prize.site} le sait",
            f"{ticket} is on sale again, and {prize.site} knows it",
        ),
    )


def _death_and_return(story: Story) -> None:
    stage, buyer = story.stage, story.buyer
    stage.act(Text(f"{buyer} meurt en pleine réservation, et revient", f"{buyer} dies while it reserves, and comes back"))
    owned = _tickets(props.state(stage, buyer))
    offered = props.hold(stage, buyer, story.route)
    stage.show_messages()
    stage.say(
        Text(f"kill -9 {buyer}, puis on le relance avec ses données.", f"kill -9 {buyer}, then start it with its store.")
    )
    started = _killed_and_started(stage, buyer)
    kept, names = _tickets(props.state(stage, buyer)), ", ".join(owned) or "-"
    stage.check(
        offered.lamport < started.lamport,
        Text(
            f"son horloge continue : H={offered.lamport}, puis {started.lamport}",
            f"its clock goes on: H={offered.lamport}, then {started.lamport}",
        ),
    )
    stage.check(owned == kept, Text(f"il a toujours ses billets : {names}", f"it still has its tickets: {names}"))
    _finish(stage, offered)


def _killed_and_started(stage: Stage, site: str) -> Event:
    stage.kill(site)
    moment = len(stage.events)
    stage.run.start(site)
    return stage.expect(site, "start", moment)


def _finish(stage: Stage, offered: Event) -> None:
    """A client that has come back confirms what it was offered before: it gets it, or is told why not."""
    site, ticket, number = offered.site, offered.text("ticket"), offered.text("request")
    end = props.confirm(stage, offered)
    stage.show_messages()
    if end.text("state") == "owned":
        text = Text(
            f"sa demande {number} suit son cours : {ticket} est à lui",
            f"its request {number} goes on: {ticket} is its own",
        )
    else:
        why = end.text("error") or end.text("reason")
        text = Text(f"sa demande {number} est refusée : {why}", f"its request {number} is refused: {why}")
    stage.check(end.site == site, text)


def _photograph(story: Story) -> None:
    stage, buyer, rival, second = story.stage, story.buyer, story.rival, story.second
    stage.act(
        Text(
            f"{buyer} et {rival} photographient le système, au même instant",
            f"{buyer} and {rival} photograph the system, in the same instant",
        )
    )
    story.photograph = photograph.take(stage, buyer, rival, story.route)
    photograph.show_channels(stage, story.photograph)
    stage.say(
        Text(f"La vente continue : {rival} confirme, {second} achète.", f"Sales go on: {rival} confirms, {second} buys.")
    )
    sales = [props.confirm(stage, story.photograph.offered)]
    sales.append(props.confirm(stage, props.hold(stage, second, story.route)))
    stage.forget_messages()
    said = " ; ".join(f"{sale.text('ticket')} : {sale.site}" for sale in sales)
    stage.check(all(sale.text("state") == "owned" for sale in sales), Text(f"vendus : {said}", f"sold: {said}"))
    photograph.verify(stage, story.photograph)


def _return_to_it(story: Story) -> None:
    if story.photograph is None:
        raise Failed(Text("il n'y a pas de photographie", "there is no photograph"))
    story.stage.act(Text("Retour à la photographie", "Back to the photograph"))
    photograph.load_back(story.stage, story.second, story.photograph)


def _account(story: Story) -> None:
    stage = story.stage
    stage.act(Text("Les comptes : la parole du guichet, celle des clients", "The books: the ticket office's, the clients'"))
    books = props.books(stage)
    _show_entries(stage.screen, books.entries)
    stage.check(
        not books.disagreements,
        Text(
            "chaque billet vendu est chez son acheteur, et chez lui seul",
            "every ticket that is sold is with its buyer, and with nobody else",
        ),
    )
    stock = phrases.stock(books.free, books.count("held"), books.count("sold"), " + ")
    made = Text(f" et {stage.made} ajoutés", f" and {stage.made} added") if stage.made else Text("", "")
    stage.check(
        books.total == story.total + stage.made,
        Text(
            f"{stock.fr} = {books.total}, autant qu'au début ({story.total}{made.fr})",
            f"{stock.en} = {books.total}, as many as at first ({story.total}{made.en})",
        ),
    )
    _check_clocks(stage)


def _check_clocks(stage: Stage) -> None:
    faults, number = lamport_faults(stage.events), len(exchanges(stage.events))
    for fault in faults[:_MAX_ROWS]:
        stage.say(fault)
    stage.check(
        not faults and number > 0,
        Text(f"C(envoi) < C(réception) pour les {number} réceptions", f"C(send) < C(receipt), for {number} receipts"),
    )


def _show_entries(screen: Screen, entries: Sequence[Entry]) -> None:
    """The tickets that are not free; those about which the sites disagree come first."""
    headings = (
        Text("billet", "ticket"),
        Text("voyage", "journey"),
        Text("guichet", "ticket office"),
        Text("clients", "clients"),
    )
    rows = [_entry_row(screen, entry) for entry in sorted(entries, key=lambda entry: entry.agrees)]
    screen.table(headings, rows[:_MAX_ROWS])
    if len(rows) > _MAX_ROWS:
        left = len(rows) - _MAX_ROWS
        screen.say(Text(f"    ... et {left} autres", f"    ... and {left} more"), "quiet")


def _entry_row(screen: Screen, entry: Entry) -> list[str]:
    state = screen.words(phrases.BELONGING[entry.state])
    holders = " et ".join(entry.holders) if screen.language == "fr" else " and ".join(entry.holders)
    return [entry.ticket, entry.journey, f"{state} {entry.client}".strip(), holders or "-"]


def _tickets(state: Event) -> list[str]:
    return sorted(str(ticket.get("id")) for ticket in state.objects("tickets"))


def _verdict(stage: Stage) -> int:
    done, failed = stage.checks, stage.failures
    stage.screen.line()
    if failed:
        text = Text(f"Verdict : ÉCHEC, {failed} sur {done} contrôles", f"Verdict: FAILURE, {failed} of {done} checks")
    else:
        text = Text(f"Verdict : SUCCÈS, {done} contrôles sur {done}", f"Verdict: SUCCESS, {done} of {done} checks")
    stage.screen.say(text, "bad" if failed else "good")
    return 1 if failed else 0


_ACTS: tuple[Callable[[Story], None], ...] = (
    _consultation,
    _sale,
    _refusal,
    _expiry,
    _last_ticket,
    _giving_back,
    _death_and_return,
    _photograph,
    _return_to_it,
    _account,
)
