"""The terminal as a console: commands go to the sites, what happens comes back as short lines."""

from __future__ import annotations

import os
from collections.abc import Sequence

from lib.cable import faults
from lib.launch.keeper import Keeper
from lib.launch.run import Happened, Run
from lib.launch.screen import Screen
from lib.launch.telling import KINDS, MAX_LINES, Teller
from lib.launch.wiring import Edge
from lib.texts import Problem, Text

_KINDS = (*KINDS, "command")
# What can be done to a link while it carries messages; its cable knows what each means.
LINK_VERBS = ("regler", "couper", "retablir", "pause", "reprendre", "pas", "etat")
# What can be done to the process of a site, whatever the site thinks of it.
PROCESS_VERBS = ("tuer", "relancer", "suspendre", "reprendre")

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
  Pannes :   tuer c1    relancer c1                         kill -9 ; il revient avec sa mémoire
             suspendre c1    reprendre c1                   il ne fait plus rien, puis il continue
  Liens :    regler c1->c2 delai=300 gigue= perte= doublon= desordre= debit= graine=
             couper c1->c2    retablir c1->c2               ce qui vient entre-temps se perd
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
  Faults:         tuer c1    relancer c1                            kill -9, start again: it comes back with its store
                  suspendre c1    reprendre c1                      suspend, go on: it does nothing meanwhile
  Links:          regler c1->c2 delai=300 gigue= perte= doublon= desordre= debit= graine=    set
                  couper c1->c2    retablir c1->c2                  cut, mend: what comes meanwhile is lost
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
        self._teller = Teller(screen)
        self._keeper = keeper
        self._file = file
        self.links: list[Edge] = []  # those that were acted upon
        self._typed = b""  # the beginning of a line
        self._quit = False

    def play(self) -> None:
        """Runs until `quitter`, the end of the input, or the end of the last site."""
        self._screen.say(_GREETING)
        while self._keeper.has_wards and not self._quit:
            happened = self._run.look(_KINDS, [self._file])
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
                try:
                    self._obey(line.decode(errors="replace").strip())
                except Problem as problem:
                    self._screen.say(problem.text, "bad")

    def _obey(self, line: str) -> None:
        """Do what was typed. Raises `Problem` when it cannot be done."""
        match line.split(maxsplit=1):
            case []:
                pass
            case ["aide" | "help"]:
                self._screen.say(HELP)
            case ["sites"]:
                self._tell_sites()
            case ["quitter" | "quit" | "exit"]:
                self._quit = True
            case ["reprendre", name] if self._run.is_known(name):  # of the same name for a link
                self._act_on_process("reprendre", name)
            case [verb, *rest] if verb in LINK_VERBS:
                self._act_on_links(verb, " ".join(rest))
            case [verb, *rest] if verb in PROCESS_VERBS:
                self._act_on_process(verb, " ".join(rest))
            case [site, *command]:
                self._pass_on(site, command)

    @property
    def _sites(self) -> Sequence[str]:
        return self._run.wiring.sites

    def _pass_on(self, site: str, command: Sequence[str]) -> None:
        """Gives the command to its site. Raises `Problem` when that cannot be."""
        if site not in self._sites:
            raise Problem(
                f"{site} : ni un site, ni une commande d'ici (aide)", f"{site}: neither a site nor a command (aide)"
            )
        self._check_lives(site)
        if not command:
            raise Problem(f"{site} : que doit-il faire ? (aide)", f"{site}: what shall it do? (aide)")
        self._run.command(site, command[0])

    def _check_lives(self, name: str) -> None:
        if not self._run.lives(name):
            raise Problem(f"{name} ne tourne plus", f"{name} does not run any more")

    def _act_on_process(self, verb: str, site: str) -> None:
        """Does it to the process of this site, or of this cable. Raises `Problem` when that cannot be."""
        if not site:
            raise Problem(f"{verb} : quel site ?", f"{verb}: which site?")
        if not self._run.is_known(site):
            raise Problem(f"{verb} : « {site} » n'est pas un site d'ici", f"{verb}: '{site}' is no site here")
        if verb == "relancer":
            if self._run.lives(site):
                raise Problem(f"{site} tourne encore", f"{site} still runs")
            self._keeper.start_again(site)
            return
        self._check_lives(site)
        match verb:
            case "tuer":
                self._run.kill(site)
                self._keeper.keep(self._run.wait_for_deaths(0))  # before the next line, which may be `relancer`
            case "suspendre":
                self._run.suspend(site)
                self._screen.say(Text(f"{site} est suspendu ; il continue avec : reprendre {site}",
                                      f"{site} is suspended; it goes on with: reprendre {site}"))  # fmt: skip
            case _:
                self._run.resume(site)
                self._screen.say(Text(f"{site} continue", f"{site} goes on"))

    def _act_on_links(self, verb: str, what: str) -> None:
        """Has the cables of the links of this name do it, by these settings; what they say about it comes by itself. Raises
        `Problem` when that cannot be."""
        words = what.split()
        settings = [word for word in words if "=" in word]
        faults.parse(settings)  # said once, and not by every cable
        name = " ".join(word for word in words if word not in settings)
        if not name:
            raise Problem(f"{verb} : quel lien ? (c1->c2, ou tous)", f"{verb}: which link? (c1->c2, or tous)")
        if verb == "etat" and name in self._sites:
            raise Problem(f"etat {name} : pour un site, {name} etat", f"etat {name}: for a site, {name} etat")
        for edge in self._run.cabled(name):
            self.links.append(edge)
            try:
                self._run.tell_cable(edge, verb, settings)
            except Problem as problem:  # the other links do it all the same
                self._screen.say(problem.text, "bad")

    def _tell_sites(self) -> None:
        living, suspended = self._run.living, self._run.suspended
        words = {site: Text("suspendu", "suspended") for site in suspended}
        words |= {name: Text("arrêté", "stopped") for name in (*self._sites, *self._run.dead_helpers) if name not in living}
        names = dict.fromkeys((*self._sites, *words))
        told = (f"{name} ({self._screen.words(words[name])})" if name in words else name for name in names)
        self._screen.line("  " + "  ".join(told))

    def _tell(self, happened: Happened) -> None:
        self._teller.tell(happened.events)
        for line in happened.told[:MAX_LINES]:
            self._screen.line(line)
        self._teller.tell_rest(len(happened.told) - MAX_LINES, Text("lignes des câbles", "lines of the cables"))


def watch(run: Run, screen: Screen, keeper: Keeper) -> None:
    """Without a console: tells who ends, until a signal comes or the last site has ended."""
    screen.say(Text("Ctrl-C pour tout arrêter.", "Ctrl-C ends everything."))
    while keeper.has_wards:
        keeper.keep(run.wait_for_deaths(keeper.patience))
