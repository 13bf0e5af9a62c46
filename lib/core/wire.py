"""A message as one AIRPLUG line, and back (contract, section 2). The French words of the line live here and nowhere else.

    what           PAYLOAD                          PAYLOAD is  ^key~value^key~value^
    whatwho        D APP D WHO D PAYLOAD            D is \\x07 when written, and any non-alphanumeric
    whatwhowhere   D APP D WHO D WHERE D PAYLOAD    first character other than ^ when read

Reading never trusts: whatever is wrong with a line is a `Malformed` with its reason, and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from lib.core import messages as say
from lib.core.messages import Body, Message
from lib.core.tickets import (
    MAX_STATION_BYTES,
    MAX_TRAIN_BYTES,
    UNSAFE,
    BadField,
    Journey,
    Search,
    cents_of,
    euros,
    fits,
    is_date,
)

MAX_WRITTEN = 1440  # bytes with the newline: what AIRPLUG's libapg-msg takes between sites
MAX_READ = 4096  # bytes with the newline: select.PIPE_BUF, what a pipe carries in one piece
MAX_DIGITS = 15  # of a number: below 2**53, so that every JSON reader keeps it exact
MAX_PART = 900  # bytes of a part of a state: with some 450 of envelope, a line
MAX_PARTS = 20_000  # of one state: 18 MB, a client with 100,000 tickets
MAX_LIST = 1000  # tickets that one consultation may ask for: each is a message

NAME = re.compile(r"[A-Za-z0-9_-]{1,32}\Z", re.ASCII)
_APPLICATION_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]{2}\Z", re.ASCII)
_TICKET = re.compile(r"[A-Za-z0-9_-]{1,20}\Z", re.ASCII)
_CONTROL = re.compile("[\x00-\x1f\x7f]")
_ESCAPE = re.compile("%([0-7][0-9A-Fa-f])")
# A line of AIRPLUG that was not cut off at either end, whoever's it is: a header or none, then fields from `^` to `^`.
_APP = "[A-Za-z][A-Za-z0-9]{2}"
_WHOLE = re.compile(rf"(?:([\W_]){_APP}\1{_APP}\1(?:(?:AIR|LCH|ALL)\1)?)?\^(?:[\w-]+~[^~^]*\^)+\Z")

WHAT, WHATWHO, WHATWHOWHERE = "what", "whatwho", "whatwhowhere"
_DELIMITER = "\x07"
_WHERE = ("AIR", "LCH", "ALL")


class Malformed(ValueError):
    """A line that is none of ours: `reason` is a short English code, such as `missing estampille`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def is_site_name(name: str) -> bool:
    """Whether `name` can name a site: 1 to 32 of `A-Z a-z 0-9 _ -`, but not `tous` (contract, section 2)."""
    return bool(NAME.match(name)) and name != say.EVERYONE


def is_application_name(name: str) -> bool:
    """Whether `name` can be an APP: three letters or digits, first a letter."""
    return bool(_APPLICATION_NAME.match(name))


def is_ticket_id(name: str) -> bool:
    """Whether `name` can be a ticket's identifier."""
    return bool(_TICKET.match(name))


def is_period_end(text: str) -> bool:
    """Whether `text` can bound a search: empty, a day, or a day with its minute."""
    return not text or is_date(text) or is_date(text + "T00:00")


# ---------------------------------------------------------------------------------------------------------- the header


@dataclass(frozen=True, slots=True)
class Header:
    """How a site begins its lines: one of the three modes, the application that it is, and the one it speaks to."""

    mode: str = WHAT
    application: str = "CLT"
    receiver: str = "ALL"

    def text(self) -> str:
        """What stands before the payload."""
        if self.mode == WHAT:
            return ""
        where = f"AIR{_DELIMITER}" if self.mode == WHATWHOWHERE else ""
        return f"{_DELIMITER}{self.application}{_DELIMITER}{self.receiver}{_DELIMITER}{where}"


def payload_of(line: str) -> str:
    """The payload of a line in any of the three modes, whoever its APP and WHO name. Raises `Malformed`."""
    if not line or line[0] == "^" or line[0].isalnum():
        return line
    parts = line.split(line[0], 4)
    if len(parts) < 4:
        raise Malformed("no payload")
    # The third field is WHERE, or already the payload, in which the delimiter may well occur.
    if len(parts) == 5 and parts[3] in _WHERE:
        return parts[4]
    return line[0].join(parts[3:])


# ------------------------------------------------------------------------------------------------------------ escaping


def escape(value: str) -> str:
    """A value as it may stand on the line: AIRPLUG's own libraries know no escaping, and their Python one runs quotes."""
    return UNSAFE.sub(lambda found: f"%{ord(found[0]):02X}", value) if UNSAFE.search(value) else value


def unescape(value: str) -> str:
    """The value back. A `%` that is none of our escapes is a fault of the line: raises `Malformed`."""
    if "%" not in value:
        return value
    if len(_ESCAPE.findall(value)) != value.count("%"):
        raise Malformed("bad escape")
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), value)


class Fields:
    """The fields of a payload, in any order; the last of two equal keys counts. Each getter checks what it gives."""

    def __init__(self, payload: str) -> None:
        if _CONTROL.search(payload):
            raise Malformed("control character")
        self._values: dict[str, str] = {}
        for part in payload.split("^"):
            key, tilde, value = part.partition("~")
            if tilde:
                self._values[key] = value
        if not self._values:
            raise Malformed("no payload")

    def all(self) -> dict[str, str]:
        """Every field as it reads, unchecked: for people to look at."""
        return {key: unescape(value) for key, value in self._values.items()}

    def text(self, key: str, limit: int = MAX_STATION_BYTES) -> str:
        """A value of at most `limit` bytes on the wire."""
        if key not in self._values:
            raise Malformed(f"missing {key}")
        value = unescape(self._values[key])
        return value if fits(value, limit) else self._bad(key)

    def has(self, key: str) -> bool:
        """Whether the field is there and is not empty."""
        return bool(self._values.get(key))

    def word(self, key: str, words: dict[str, str]) -> str:
        """A word of a fixed vocabulary, as its English name."""
        return words.get(self.text(key)) or self._bad(key)

    def name(self, key: str) -> str:
        """The name of a site."""
        value = self.text(key)
        return value if is_site_name(value) else self._bad(key)

    def ticket(self, key: str) -> str:
        """The identifier of a ticket; may be empty."""
        value = self.text(key)
        return value if not value or is_ticket_id(value) else self._bad(key)

    def period_end(self, key: str) -> str:
        """A date, or nothing."""
        value = self.text(key)
        return value if is_period_end(value) else self._bad(key)

    def number(self, key: str, least: int = 0, most: int = 10**MAX_DIGITS) -> int:
        """An integer from `least` to `most`, both included."""
        digits = self.text(key)
        if not (digits.isascii() and digits.isdigit() and len(digits) <= MAX_DIGITS):
            self._bad(key)
        return value if least <= (value := int(digits)) <= most else int(self._bad(key))

    def flag(self, key: str) -> bool:
        """0 or 1."""
        return self.number(key, 0, 1) == 1

    def seconds(self, key: str) -> float:
        """A duration in seconds, at least 0; nothing is 0."""
        text = self.text(key)
        if text and not re.fullmatch(r"\d{1,9}(\.\d{1,6})?", text, re.ASCII):
            self._bad(key)
        return float(text or 0)

    def identity(self, key: str) -> tuple[int, int]:
        """`life.sequence`, both from 1."""
        match = re.fullmatch(r"(\d{1,15})\.(\d{1,15})", self.text(key), re.ASCII)
        life, sequence = (int(match[1]), int(match[2])) if match else (0, 0)
        return (life, sequence) if life and sequence else self._bad_identity(key)

    def _bad(self, key: str) -> str:
        raise Malformed(f"bad {key}")

    def _bad_identity(self, key: str) -> tuple[int, int]:
        raise Malformed(f"bad {key}")


# ----------------------------------------------------------------------------------------------- the sentences, in French

_STATUS = {
    "consultation": say.LISTED,
    "offre": say.OFFERED,
    "vendu": say.SOLD,
    "refus": say.REFUSED,
    "repris": say.TAKEN_BACK,
}
_ROLE = {"guichet": "guichet", "client": "client"}
_PHASE = {
    "arrivee": say.ARRIVAL,
    "bienvenue": say.WELCOME,
    "depart": say.DEPARTURE,
    "vie": say.ALIVE,
    "conge": say.DISMISSAL,
}
_FRENCH = {english: french for words in (_STATUS, _ROLE, _PHASE) for french, english in words.items()}
_REASONS = {word: word for word in (say.FULL, say.UNKNOWN, say.EXPIRED, say.UNAVAILABLE, "epoque")}


def _write_request(body: say.Request) -> dict[str, str]:
    search = body.search
    return {
        "demandeur": body.requester,
        "demande": str(body.request),
        "reservation": str(int(body.reserve)),
        "billet": search.ticket,
        "depart": search.departure,
        "destination": search.destination,
        "du": search.since,
        "au": search.until,
        "limite": str(body.limit),
    }


def _read_request(fields: Fields) -> say.Request:
    search = Search(
        ticket=fields.ticket("billet"),
        departure=fields.text("depart"),
        destination=fields.text("destination"),
        since=fields.period_end("du"),
        until=fields.period_end("au"),
    )
    return say.Request(
        requester=fields.name("demandeur"),
        request=fields.number("demande", 1),
        reserve=fields.flag("reservation"),
        search=search,
        limit=fields.number("limite", 1, MAX_LIST),
    )


def _write_notice(body: say.TicketNotice) -> dict[str, str]:
    journey = body.journey
    return {
        "demandeur": body.requester,
        "demande": str(body.request),
        "statut": _FRENCH[body.status],
        "billet": body.ticket,
        "train": journey.train if journey else "",
        "date": journey.date if journey else "",
        "depart": journey.departure if journey else "",
        "destination": journey.destination if journey else "",
        "detenteur": body.holder,
        "cout": euros(journey.cents) if journey else "",
        "rang_liste": str(body.position),
        "total": str(body.total),
        "delai": f"{body.expires_in:.3f}" if body.status == say.OFFERED else "",
        "motif": body.reason,
    }


_KEYS = {"departure": "depart", "price": "cout"}  # a journey's field -> its key on the line, where they differ


def _read_journey(fields: Fields) -> Journey | None:
    if not fields.has("train"):
        return None
    try:
        return Journey(
            train=fields.text("train", MAX_TRAIN_BYTES),
            date=fields.text("date"),
            departure=fields.text("depart"),
            destination=fields.text("destination"),
            cents=cents_of(fields.text("cout")),
        )
    except BadField as bad:
        raise Malformed(f"bad {_KEYS.get(bad.field, bad.field)}") from bad


def _read_notice(fields: Fields) -> say.TicketNotice:
    status, ticket, journey = fields.word("statut", _STATUS), fields.ticket("billet"), _read_journey(fields)
    if status in (say.LISTED, say.OFFERED, say.SOLD) and not (ticket and journey):
        raise Malformed("missing billet")
    if status == say.REFUSED and not fields.has("motif"):
        raise Malformed("missing motif")
    return say.TicketNotice(
        requester=fields.name("demandeur"),
        request=fields.number("demande"),
        status=status,
        ticket=ticket,
        journey=journey,
        holder=fields.name("detenteur") if fields.has("detenteur") else "",
        position=fields.number("rang_liste"),
        total=fields.number("total"),
        expires_in=fields.seconds("delai"),
        reason=fields.word("motif", _REASONS) if fields.has("motif") else "",
    )


def _write_acknowledgement(body: say.Acknowledgement) -> dict[str, str]:
    return {
        "demandeur": body.requester,
        "demande": str(body.request),
        "billet": body.ticket,
        "accepte": str(int(body.accepted)),
    }


def _read_acknowledgement(fields: Fields) -> say.Acknowledgement:
    return say.Acknowledgement(
        requester=fields.name("demandeur"),
        request=fields.number("demande", 1),
        ticket=fields.ticket("billet"),
        accepted=fields.flag("accepte"),
    )


def _write_return(body: say.Return) -> dict[str, str]:
    return {"demandeur": body.requester, "demande": str(body.request), "billet": body.ticket}


def _read_return(fields: Fields) -> say.Return:
    return say.Return(fields.name("demandeur"), fields.number("demande", 1), fields.ticket("billet"))


def _write_presence(body: say.Presence) -> dict[str, str]:
    return {
        "role": _FRENCH[body.role],
        "volet": _FRENCH[body.phase],
        "memoire": str(int(body.remembers)),
        "vendus": str(body.sold),
        "rouge": str(int(body.is_red)),
    }


def _read_presence(fields: Fields) -> say.Presence:
    return say.Presence(
        role=fields.word("role", _ROLE),
        phase=fields.word("volet", _PHASE),
        remembers=fields.flag("memoire"),
        sold=fields.number("vendus") if fields.has("vendus") else 0,
        is_red=fields.has("rouge") and fields.flag("rouge"),
    )


def _write_call(body: say.SnapshotCall) -> dict[str, str]:
    return {"tour": str(body.round), "volet": "appel"}


def _write_state(body: say.SnapshotState) -> dict[str, str]:
    row = {"tour": str(body.round), "volet": "etat", "initiateur": str(int(body.initiates))}
    return row | {"partie": str(body.part), "parties": str(body.parts), "contenu": body.text}


def _write_transit(body: say.SnapshotTransit) -> dict[str, str]:
    """The message's own fields stand beside ours, under their own names: nothing is written inside of anything."""
    message = body.message
    row = {
        "tour": str(body.round),
        "volet": "transit",
        "de": message.sender,
        "no": f"{message.life}.{message.sequence}",
    }
    row |= {"genre": type_of(message.body), "envoi": str(message.timestamp), "au_rang": str(message.rank)}
    row |= {"couleur": str(message.round)}
    return row | fields_of(message.body)


def _read_snapshot(fields: Fields) -> Body:
    round, phase = (
        fields.number("tour", 1),
        fields.word("volet", {"appel": "call", "etat": "state", "transit": "transit"}),
    )
    if phase == "call":
        return say.SnapshotCall(round)
    if phase == "transit":
        return say.SnapshotTransit(round, _read_crossing(fields))
    part, parts = _read_part(fields)
    return say.SnapshotState(round, fields.flag("initiateur"), part, parts, fields.text("contenu", MAX_PART))


def _read_crossing(fields: Fields) -> Message:
    word = fields.text("genre")
    if word not in APPLICATION_TYPES:
        raise Malformed("bad genre")
    life, sequence = fields.identity("no")
    return Message(
        sender=fields.name("de"),
        life=life,
        sequence=sequence,
        to=fields.name("emetteur"),  # who reports a message is who received it
        timestamp=fields.number("envoi", 1),
        round=fields.number("couleur"),
        epoch=fields.number("epoque"),
        rank=fields.number("au_rang", 1),
        receiver_life=0,
        body=_SENTENCES[word][1](fields),
    )


def _read_part(fields: Fields) -> tuple[int, int]:
    parts = fields.number("parties", 1, MAX_PARTS)
    return fields.number("partie", 1, parts), parts


def _write_reset(body: say.Reset) -> dict[str, str]:
    return {"tour": str(body.round), "issue": "complet" if body.complete else "incomplet"}


def _read_reset(fields: Fields) -> say.Reset:
    return say.Reset(fields.number("tour", 1), fields.word("issue", {"complet": "yes", "incomplet": "no"}) == "yes")


def _write_restoration(body: Body) -> dict[str, str]:
    if isinstance(body, say.RestoreRequest):
        return {"volet": "demande", "demande": str(body.request), "fichier": body.file}
    if isinstance(body, say.RestoreRefused):
        return {"volet": "refus", "demande": str(body.request), "motif": body.reason}
    if isinstance(body, say.RestoreState):
        return {"volet": "etat", "partie": str(body.part), "parties": str(body.parts), "contenu": body.text}
    return {"volet": "fait"}


def _read_restoration(fields: Fields) -> Body:
    phase = fields.word("volet", {"demande": "request", "refus": "refused", "etat": "state", "fait": "done"})
    if phase == "request":
        return say.RestoreRequest(fields.number("demande", 1), fields.text("fichier"))
    if phase == "refused":
        return say.RestoreRefused(fields.number("demande", 1), fields.text("motif", MAX_READ))
    if phase == "state":
        return say.RestoreState(*_read_part(fields), fields.text("contenu", MAX_PART))
    return say.RestoreDone()


# The word of a line -> the sentences that it can be, how they are written, how they are read.
_Writer = Callable[..., dict[str, str]]
_SENTENCES: dict[str, tuple[tuple[tuple[type, _Writer], ...], Callable[[Fields], Body]]] = {
    "demande": (((say.Request, _write_request),), _read_request),
    "billet": (((say.TicketNotice, _write_notice),), _read_notice),
    "accuse": (((say.Acknowledgement, _write_acknowledgement),), _read_acknowledgement),
    "retour": (((say.Return, _write_return),), _read_return),
    "presence": (((say.Presence, _write_presence),), _read_presence),
    "snapshot": (
        (
            (say.SnapshotCall, _write_call),
            (say.SnapshotState, _write_state),
            (say.SnapshotTransit, _write_transit),
        ),
        _read_snapshot,
    ),
    "reset": (((say.Reset, _write_reset),), _read_reset),
    "restauration": (tuple((cls, _write_restoration) for cls in say.RESTORATION), _read_restoration),
}
_WRITERS = {cls: (word, write) for word, (writers, _) in _SENTENCES.items() for cls, write in writers}
APPLICATION_TYPES = frozenset(_WRITERS[cls][0] for cls in say.APPLICATION)


def type_of(body: Body) -> str:
    """The word that names a sentence on the line and in the trace: `demande`, `billet`, ..."""
    return body.type if isinstance(body, say.Unknown) else _WRITERS[type(body)][0]


def fields_of(body: Body) -> dict[str, str]:
    """The fields of a sentence as they stand on the line, not yet escaped."""
    return _WRITERS[type(body)][1](body)


def body_of(word: str, fields: dict[str, str]) -> Body:
    """The sentence again, from its type and its fields, as a snapshot keeps them. Raises `Malformed`."""
    if word not in APPLICATION_TYPES:
        raise Malformed("bad type")
    return _SENTENCES[word][1](Fields("^".join(f"{key}~{escape(str(value))}" for key, value in fields.items())))


def in_parts(text: str) -> list[str]:
    """A long text cut into parts that fit into a line each, whatever is escaped in them; at least one."""
    parts, start, size = [], 0, 0
    for at, character in enumerate(text):
        width = 3 if UNSAFE.match(character) else len(character.encode())
        if size + width > MAX_PART:
            parts.append(text[start:at])
            start, size = at, 0
        size += width
    return [*parts, text[start:]]


class Parts:
    """A long text that comes in parts: in any order, and each more than once. `size` is how many characters are there.

    Parts that belong together have the same key; one of another key begins another text, and what there was is gone.
    """

    def __init__(self) -> None:
        self._key: object = None
        self._texts: dict[int, str] = {}
        self.size = 0

    def put(self, key: object, part: int, parts: int, text: str) -> str | None:
        """Take in part `part` of `parts`; the whole, once it is there."""
        if (key, parts) != self._key:
            self._key, self._texts, self.size = (key, parts), {}, 0
        self.size += len(text) - len(self._texts.get(part, ""))
        self._texts[part] = text
        if len(self._texts) < parts:
            return None
        whole = "".join(self._texts[number] for number in sorted(self._texts))
        self._key, self._texts = None, {}
        return whole


# --------------------------------------------------------------------------------------------------------- the whole line


def encode(message: Message, forwarder: str, header: str = "") -> bytes:
    """The line that says `message`, written by `forwarder`, without its newline."""
    word, write = _WRITERS[type(message.body)]
    rank = f"^rang~{message.rank}" if message.rank else ""
    life = f"^vie~{message.receiver_life}" if message.receiver_life else ""
    fields = "".join([f"^{key}~{escape(value)}" for key, value in write(message.body).items()])
    line = (
        f"{header}^transmettant~{forwarder}^emetteur~{message.sender}^numero~{message.life}.{message.sequence}"
        f"^destinataire~{message.to}^type~{word}^estampille~{message.timestamp}^instantane~{message.round}"
        f"^epoque~{message.epoch}{rank}{life}{fields}^"
    ).encode()
    assert len(line) < MAX_WRITTEN, f"a line of {len(line)} bytes: the limits of its fields do not hold"
    return line


def decode(line: bytes) -> Message:
    """The message that a line says, in any mode and any order of keys. Raises `Malformed` with the reason."""
    return message_of(Fields(payload_of(text_of(line))))


def text_of(line: bytes) -> str:
    """The line as text. Raises `Malformed` when it is not UTF-8."""
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        raise Malformed("not utf-8") from error


def message_of(fields: Fields) -> Message:
    """The message that the fields of a payload say. Raises `Malformed`."""
    fields.name("transmettant")
    life, sequence = fields.identity("numero")
    word = fields.text("type")
    body = _SENTENCES[word][1](fields) if word in _SENTENCES else say.Unknown(word)
    return Message(
        sender=fields.name("emetteur"),
        life=life,
        sequence=sequence,
        to=destination_of(fields),
        timestamp=fields.number("estampille", 1),
        round=fields.number("instantane"),
        epoch=fields.number("epoque"),
        rank=fields.number("rang", 1) if word in APPLICATION_TYPES else 0,
        receiver_life=fields.number("vie", 1) if fields.has("vie") else 0,
        body=body,
    )


def destination_of(fields: Fields) -> str:
    """Whom the message is for: a site's name, or `tous`."""
    to = fields.text("destinataire")
    return to if to == say.EVERYONE else fields.name("destinataire")


def is_of_others(line: str, fields: Fields) -> bool:
    """Whether a line, with the fields of its payload, is another application's. A line that claims to be forwarded by a site
    of ours, or to have an identity, is ours and faulty; what looks cut off is nobody's."""
    is_ours = fields.has("transmettant") or (fields.has("emetteur") and fields.has("numero"))
    return not is_ours and _WHOLE.match(line) is not None


def with_forwarder(line: bytes, forwarder: str, header: str) -> bytes:
    """The same message, passed on by `forwarder` under its own header: nothing but `transmettant` changes."""
    parts = payload_of(text_of(line)).strip("^").split("^")
    kept = [f"transmettant~{forwarder}" if part.startswith("transmettant~") else part for part in parts]
    return f"{header}^{'^'.join(kept)}^".encode()
