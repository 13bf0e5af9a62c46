"""The terminal as a console: commands go to the sites, what happens comes back as short lines."""

from __future__ import annotations

import os
from collections.abc import Sequence

from lib.launch import phrases
from lib.launch.keeper import Keeper
from lib.launch.run import Happened, Run
from lib.launch.screen import Screen
from lib.launch.traces import Event
from lib.launch.wiring import Edge
from lib.texts import Problem, Text

KINDS = frozenset({"request", "ticket", "command", "state", "snapshot", "restore", "redeliver", "anew"})
_MAX_ROWS = 20  # rows of one table: more scroll away unread
_MAX_LINES = 30  # events of one look, or words of cables: more would scroll away unread
# What can be done to a link while it carries messages; its cable knows what each means.
_LINK_VERBS = ("couper", "retablir", "pause", "reprendre", "pas", "etat")

HELP = Text(
    fr="""\
  SITE COMMANDE CLE=VALEUR ...   par exemple : c1 reserver destination=Creil du=2025-03-17
  Clients :  consulter depart= destination= du= au= limite=    chercher des billets
             reserver (mêmes critères, ou billet=)             en demander un
             confirmer demande=    refuser demande=            répondre à une offre
             rendre billet=                                    le redonner au guichet
  Guichet :  ajouter train= date= depart= destination= cout= nombre=
             modifier billet= ...    supprimer billet=    importer fichier=
             liberer client=                                l'oublier, ses billets redeviennent libres
  Tous :     etat    instantane    charger fichier=    quitter
  Liens :    couper c1->c2    retablir c1->c2               ce qui vient entre-temps se perd
             pause c1->c2    reprendre c1->c2               ce qui vient entre-temps attend
             pas c1->c2                                     une ligne passe malgré la pause
             etat c1->c2                                    ce qui est arrivé à combien de lignes
             (c1--c2 : dans les deux sens ; tous : tous les liens)
  Ici :      aide    sites    quitter (ou Ctrl-D : tout s'arrête)""",
    en="""\
  SITE COMMAND KEY=VALUE ...   for instance: c1 reserver destination=Creil du=2025-03-17
  Clients:        consulter depart= destination= du= au= limite=    look for tickets
                  reserver (the same, or billet=)                   ask for one
                  confirmer demande=    refuser demande=            answer an offer
                  rendre billet=                                    give it back
  Ticket office:  ajouter train= date= depart= destination= cout= nombre=
                  modifier billet= ...    supprimer billet=    importer fichier=
                  liberer client=                                   forget it, its tickets are free again
  Everyone:       etat    instantane    charger fichier=    quitter
  Links:          couper c1->c2    retablir c1->c2                  cut, mend: what comes meanwhile is lost
                  pause c1->c2    reprendre c1->c2                  pause, go on: what comes meanwhile waits
                  pas c1->c2                                        step: one line passes in spite of the pause
                  etat c1->c2                                       what happened to how many lines
                  (c1--c2: both ways; tous: all links)
  Here:           aide    sites    quitter (or Ctrl-D: everything ends)""",
)
_GREETING = Text(
    "Tapez « aide » pour les commandes, Ctrl-D pour tout arrêter.",
    "Type `aide` for the commands, Ctrl-D to end everything.",
)


class Console:
    """Obeys the lines that come from a file, and tells what happens, until told to quit or alone."""

    def __init__(self, run: Run, screen: Screen, keeper: Keeper, file: int) -> None:
        self._run = run
        self._screen = screen
        self._keeper = keeper
        self._file = file
        self.links: list[Edge] = []  # those that were acted upon
        self._typed = b""  # the beginning of a line
        self._quit = False

    def play(self) -> None:
        """Runs until `quitter`, the end of the input, or the end of the last site."""
        self._screen.say(_GREETING)
        while self._keeper.has_wards and not self._quit:
            happened = self._run.look(KINDS, [self._file])
            self._tell(happened)
            self._keeper.keep(happened.ended)
            if happened.input:
                self._read()

    def _read(self) -> None:
        data = os.read(self._file, 4096)
        self._quit = not data
        *lines, self._typed = (self._typed + data).split(b"\n")
        for line in lines:
            if not self._quit:
                self._obey(line.decode(errors="replace").strip())

    def _obey(self, line: str) -> None:
        match line.split(maxsplit=1):
            case []:
                pass
            case ["aide" | "help"]:
                self._screen.say(HELP)
            case ["sites"]:
                self._tell_sites()
            case ["quitter" | "quit" | "exit"]:
                self._quit = True
            case [verb, *rest] if verb in _LINK_VERBS:
                self._act_on_links(verb, " ".join(rest))
            case [site, *command]:
                self._pass_on(site, command)

    def _pass_on(self, site: str, command: Sequence[str]) -> None:
        """Gives the command to its site, or says why that cannot be."""
        try:
            if site not in self._run.wiring.sites:
                raise Problem(
                    f"{site} : ni un site, ni une commande d'ici (aide)", f"{site}: neither a site nor a command (aide)"
                )
            if site not in self._run.living:
                raise Problem(f"{site} ne tourne plus", f"{site} does not run any more")
            if not command:
                raise Problem(f"{site} : que doit-il faire ? (aide)", f"{site}: what shall it do? (aide)")
            self._run.command(site, command[0])
        except Problem as problem:
            self._screen.say(problem.text, "bad")

    def _act_on_links(self, verb: str, name: str) -> None:
        """Has the cables of the links of this name do it; what they say about it comes by itself."""
        try:
            for edge in self._run.cabled(name):
                self._run.tell_cable(edge, verb)
                self.links.append(edge)
        except Problem as problem:
            self._screen.say(problem.text, "bad")

    def _tell_sites(self) -> None:
        living = set(self._run.living)
        words = self._screen.words(Text("arrêté", "stopped"))
        self._screen.line(
            "  " + "  ".join(site if site in living else f"{site} ({words})" for site in self._run.wiring.sites)
        )

    def _tell(self, happened: Happened) -> None:
        for event in happened.events[:_MAX_LINES]:
            self._tell_event(event)
        self._tell_rest(len(happened.events) - _MAX_LINES, Text("événements", "events"))
        for line in happened.told[:_MAX_LINES]:
            self._screen.line(line)
        self._tell_rest(len(happened.told) - _MAX_LINES, Text("lignes des câbles", "lines of the cables"))

    def _tell_event(self, event: Event) -> None:
        text = phrases.sentence(event)
        if text:
            stamp = self._screen.paint(phrases.stamp(event), "quiet")
            self._screen.line(f"{stamp} {self._screen.words(phrases.by_whom(event.site, text))}")
            self._tell_tickets(event)

    def _tell_tickets(self, event: Event) -> None:
        tickets = event.objects("tickets")
        if tickets:
            columns = phrases.LEDGER if phrases.is_guichet_state(event) else phrases.TICKET
            rows = [columns.row(ticket, self._screen.language) for ticket in tickets[:_MAX_ROWS]]
            self._screen.table(columns.headings, rows, columns.right)
            self._tell_rest(len(tickets) - _MAX_ROWS, Text("billets", "tickets"))

    def _tell_rest(self, number: int, what: Text) -> None:
        if number > 0:
            self._screen.say(Text(f"    ... et {number} autres {what.fr}", f"    ... and {number} more {what.en}"), "quiet")


def watch(run: Run, screen: Screen, keeper: Keeper) -> None:
    """Without a console: tells who ends, until a signal comes or the last site has ended."""
    screen.say(Text("Ctrl-C pour tout arrêter.", "Ctrl-C ends everything."))
    while keeper.has_wards:
        keeper.keep(run.wait_for_deaths(keeper.patience))
