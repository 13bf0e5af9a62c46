"""Words that windows, launcher and diagrams share: what the codes of the program are called in front of people."""

from __future__ import annotations

from lib.texts import Text

# Why a request was refused (contract, section 4), and what else ends it.
REASONS = {
    "complet": Text("complet, aucun billet ne convient", "sold out, no ticket matches"),
    "inconnu": Text("billet inconnu", "unknown ticket"),
    "expire": Text("délai dépassé", "too late"),
    "indisponible": Text("billet retenu ou vendu à un autre", "ticket held or sold to somebody else"),
    "epoque": Text("le système a été restauré entre-temps", "the system has been restored since"),
    "client": Text("le client n'en veut pas", "the client does not want it"),
    "unreachable": Text("le guichet ne répond pas", "the ticket office is silent"),
}

# The states of a ticket.
STATES = {"free": Text("libre", "free"), "held": Text("retenu", "held"), "sold": Text("vendu", "sold")}

# How a site stands with the broker that carries its lines (`lib/broker`), in the words that `--liaison` reads.
LINK = {
    "joignable": Text("courtier joignable", "broker reached"),
    "injoignable": Text("courtier injoignable", "broker unreachable"),
    "refus": Text("le courtier refuse ce site : archive périmée ?", "the broker refuses this site: an outdated archive?"),
    "certificat": Text("ce n'est pas notre courtier (certificat)", "this is not our broker (certificate)"),
    "dispute": Text("une autre machine se sert de cette archive", "another machine uses this archive"),
}


def counted(number: int, fr: str, en: str) -> Text:
    """`1 billet`, `2 billets`; French says `0 billet`, English `0 tickets`."""
    return Text(f"{number} {fr}{'s' if number > 1 else ''}", f"{number} {en}{'' if number == 1 else 's'}")
