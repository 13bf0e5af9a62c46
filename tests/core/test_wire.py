"""A message as one AIRPLUG line, and back (contract, 2)."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.core import messages as say
from lib.core import wire
from lib.core.messages import Body, Message
from lib.core.tickets import MAX_CENTS, MAX_STATION_BYTES, Search
from lib.core.wire import WHAT, WHATWHO, WHATWHOWHERE, Header, Malformed, decode, encode, with_forwarder
from tests.core.examples import HEADERS, LARGEST, applications, bodies, journey, message, messages, site_names

headers = st.sampled_from(HEADERS)
delimiters = st.sampled_from("\x07 |;:!/@#$%&*()-_=+~,.<>?'\"\\[]{}`§€\x01\x7f🚄") | st.characters(
    exclude_categories=["Cs"]
).filter(lambda c: not c.isalnum() and c not in "^\n")

RESERVATION = say.Request("c1", 4, True, Search(departure="Creil", destination="Paris", since="2025-03-17"), 1)
OFFER = say.TicketNotice("c1", 4, say.OFFERED, "B0001", journey(), "gch", expires_in=29.5)
ACCEPTANCE = say.Acknowledgement("c1", 4, "B0001", True)
GIVEN_BACK = say.Return("c1", 5, "B0001")
ARRIVAL = say.Presence("client", say.ARRIVAL, remembers=True)
SENTENCES = [RESERVATION, OFFER, ACCEPTANCE, GIVEN_BACK, ARRIVAL]


def parts_of(line: bytes) -> list[str]:
    """The `key~value` parts of a line written in mode `what`."""
    return line.decode().strip("^").split("^")


def line_of(parts: list[str]) -> bytes:
    return f"^{'^'.join(parts)}^".encode()


def changed(body: Body, **values: str | None) -> bytes:
    """The line that says `body`, with these values in place of its own; None: without that field."""
    parts = dict(part.split("~", 1) for part in parts_of(encode(message(body), "c1")))
    return line_of([f"{key}~{value}" for key, value in (parts | values).items() if value is not None])


def reason_of(line: bytes) -> str:
    with pytest.raises(Malformed) as malformed:
        decode(line)
    return malformed.value.reason


# ------------------------------------------------------------------------------------------------------ what is written


def test_the_line_is_the_contracts() -> None:
    """Contract, 2: "We write keys in this order first", and 3: the fields of `demande`."""
    assert encode(message(RESERVATION, receiver_life=2), "c3") == (
        b"^transmettant~c3^emetteur~c1^numero~1.7^destinataire~gch^type~demande^estampille~12^instantane~0^epoque~0"
        b"^rang~3^vie~2^demandeur~c1^demande~4^reservation~1^billet~^depart~Creil^destination~Paris^du~2025-03-17^au~"
        b"^limite~1^"
    )


def test_a_ticket_is_written_with_all_its_fields() -> None:
    """Contract, 3: `billet`: "cout (euros, two decimals)", "delai (seconds left, for an offer)"."""
    line = encode(message(OFFER, sender="gch", to="c1"), "gch").decode()
    assert (
        "^demandeur~c1^demande~4^statut~offre^billet~B0001^train~848362^date~2025-03-17T07:10^depart~Compiègne"
        "^destination~Paris Gare du Nord^detenteur~gch^cout~15.40^rang_liste~0^total~0^delai~29.500^motif~^"
    ) in line


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        (WHAT, b"^"),
        (WHATWHO, b"\x07CLT\x07ALL\x07^"),
        (WHATWHOWHERE, b"\x07CLT\x07ALL\x07AIR\x07^"),
    ],
)
def test_the_three_headers(mode: str, expected: bytes) -> None:
    """Contract, 2: "what PAYLOAD; whatwho D APP D WHO D PAYLOAD; whatwhowhere D APP D WHO D WHERE D PAYLOAD"."""
    line = encode(message(ARRIVAL), "c1", Header(mode, "CLT", "ALL").text())
    assert line.startswith(expected + b"transmettant~c1^")


@given(messages(), site_names, headers)
@settings(max_examples=200)
def test_what_is_written_is_safe_for_those_who_know_no_escaping(what: Message, forwarder: str, header: str) -> None:
    """Contract, 2: "AIRPLUG's libraries have no escaping, and their Python one runs a quote as code"."""
    payload = encode(what, forwarder, header).decode()[len(header) :]
    assert not any(c in "'\"\\\x7f" or c < " " for c in payload)
    assert payload[0] == payload[-1] == "^"
    assert all(part.count("~") == 1 for part in payload[1:-1].split("^"))


def worst_cases() -> list[Body]:
    name, ticket, station, third = "N" * 32, "T" * 20, MAX_STATION_BYTES, MAX_STATION_BYTES // 3
    longest = {
        "ascii": journey(train="'" * 20, departure="d" * station, destination="D" * station, cents=MAX_CENTS),
        "escaped": journey(train="^" * 20, departure="^" * third, destination="\x00" * third, cents=MAX_CENTS),
        "accents": journey(train="é" * 30, departure="é" * (station // 2), destination="🚄" * (station // 4)),
    }
    written: list[Body] = [
        say.Request(name, LARGEST, True, Search(ticket, x.departure, x.destination, x.date, x.date), 1000)
        for x in longest.values()
    ]
    written += [
        say.TicketNotice(name, LARGEST, status, ticket, what, name, LARGEST, LARGEST, seconds, say.UNAVAILABLE)
        for what in longest.values()
        for status, seconds in ((say.LISTED, 0.0), (say.OFFERED, 999_999_999.0), (say.SOLD, 0.0), (say.REFUSED, 0.0))
    ]
    written += [say.Acknowledgement(name, LARGEST, ticket, True), say.Return(name, LARGEST, ticket)]
    written += [
        say.Presence("guichet", say.WELCOME, True, LARGEST),
        say.Reset(LARGEST, False),
        say.SnapshotCall(LARGEST),
    ]
    crossing = [
        message(
            body,
            sender=name,
            to=name,
            life=LARGEST,
            sequence=LARGEST,
            timestamp=LARGEST,
            round=LARGEST,
            epoch=LARGEST,
            rank=LARGEST,
        )
        for body in written
        if isinstance(body, say.APPLICATION)
    ]
    written += [say.SnapshotTransit(LARGEST, what) for what in crossing]
    for text in ("x" * 3000, "'" * 1000, "🚄" * 999, "é" * 2000, "x" + "🚄'" * 999):
        part = max(wire.in_parts(text), key=lambda part: len(wire.escape(part).encode()))
        written += [say.SnapshotState(LARGEST, True, 1, 20_000, part), say.RestoreState(20_000, 20_000, part)]
    return written


@pytest.mark.parametrize("body", worst_cases(), ids=lambda body: type(body).__name__)
@pytest.mark.parametrize("header", HEADERS, ids=["what", "whatwho", "whatwhowhere"])
def test_the_longest_line_has_at_most_1440_bytes(body: Body, header: str) -> None:
    """Contract, 1: "A line that we write is at most 1440 bytes, newline included". Also when a relay writes it."""
    name = "N" * 32
    longest = message(
        body,
        sender=name,
        to=name,
        life=LARGEST,
        sequence=LARGEST,
        timestamp=LARGEST,
        round=LARGEST,
        epoch=LARGEST,
        rank=LARGEST if isinstance(body, say.APPLICATION) else 0,
        receiver_life=LARGEST,
    )
    line = encode(longest, name, header)
    relayed = with_forwarder(encode(longest, "c", ""), name, header)
    assert len(line + b"\n") <= 1440
    assert relayed == line
    assert decode(line) == longest


@given(bodies)
@settings(max_examples=200)
def test_no_sentence_that_can_be_built_is_too_long(body: Body) -> None:
    assert len(encode(message(body), "N" * 32, HEADERS[2])) < wire.MAX_WRITTEN


# ------------------------------------------------------------------------------------------------------- there and back


@given(messages(), site_names, headers)
@settings(max_examples=300)
def test_every_sentence_comes_back_as_it_was_said(what: Message, forwarder: str, header: str) -> None:
    """Contract, 2: all values but the escaped ones are "plain UTF-8"; "A site reads all three modes"."""
    assert decode(encode(what, forwarder, header)) == what


@given(messages(), delimiters, st.sampled_from(["", "AIR", "LCH"]), st.sampled_from(["CLT", "GCH", "A1b"]))
@settings(max_examples=300)
def test_any_delimiter_is_read(what: Message, delimiter: str, where: str, application: str) -> None:
    """Contract, 2: D is "any non-alphanumeric first character other than `^` when read", and it "takes every line whose
    payload is one of ours, whoever APP and WHO name"; the payload may well hold the delimiter."""
    fields = ["", application, "NET", *([where] if where else []), encode(what, "c1").decode()]
    assert decode(delimiter.join(fields).encode()) == what


@pytest.mark.parametrize("delimiter", [*"~|:;,-_/ ", "\x07"])
@pytest.mark.parametrize("where", ["", "AIR", "LCH"])
def test_the_outer_carets_may_lack_behind_a_header(delimiter: str, where: str) -> None:
    """Contract, 2: "the outer `^` may lack", and WHERE is "`AIR` (or `LCH`)": nothing else stands in its place."""
    fields = ["", "CLT", "ALL", *([where] if where else []), encode(message(ARRIVAL), "c1").decode().strip("^")]
    assert decode(delimiter.join(fields).encode()) == message(ARRIVAL)


@given(messages(), st.randoms(use_true_random=False), st.sampled_from(["^", ""]), st.sampled_from(["^", ""]))
def test_any_order_of_keys_and_no_outer_caret(what: Message, draw: random.Random, first: str, last: str) -> None:
    """Contract, 2: "any order of keys is right (NET sorts them), the outer `^` may lack"."""
    parts = parts_of(encode(what, "c1"))
    for order in (sorted(parts), draw.sample(parts, len(parts))):
        assert decode(f"{first}{'^'.join(order)}{last}".encode()) == what


@given(messages(), st.data())
def test_the_last_of_two_equal_keys_counts(what: Message, data: st.DataObject) -> None:
    """Contract, 2."""
    parts = parts_of(encode(what, "c1"))
    at = data.draw(st.integers(0, len(parts) - 1))
    key = parts[at].split("~")[0]
    wrong = data.draw(st.sampled_from(["", "%", "zzz", "0"]))
    assert decode(line_of([f"{key}~{wrong}", *parts])) == what


@given(messages(), st.lists(st.sampled_from(["appnet~NET", "x~", "~", "é~🚄", "x~%25", "", "NET", "a~b~c"]), max_size=4))
def test_unknown_keys_are_let_through(what: Message, extra: list[str]) -> None:
    """Contract, 2: "unknown keys are let through (NET adds `appnet`)"."""
    assert decode(line_of([*extra, *parts_of(encode(what, "c1")), *extra])) == what


@pytest.mark.parametrize("kind", ["annulation", "x", "Demande", "demande ", "🚄"])
def test_an_unknown_type_is_a_message_like_another(kind: str) -> None:
    """Contract, 3: "An unknown type is relayed, logged and otherwise ignored, so versions can meet"."""
    said = decode(changed(ARRIVAL, type=kind, role=None, volet=None))
    assert said == message(say.Unknown(kind))
    assert wire.type_of(said.body) == kind


@pytest.mark.parametrize(
    ("body", "word"), list(zip(SENTENCES, ["demande", "billet", "accuse", "retour", "presence"], strict=True))
)
def test_the_types_are_the_contracts(body: Body, word: str) -> None:
    """Contract, 3."""
    assert wire.type_of(body) == word
    assert f"^type~{word}^".encode() in encode(message(body), "c1")
    assert (word in wire.APPLICATION_TYPES) == isinstance(body, say.APPLICATION)


@pytest.mark.parametrize("status", [("consultation", say.LISTED), ("vendu", say.SOLD), ("repris", say.TAKEN_BACK)])
def test_the_statuses_are_the_contracts(status: tuple[str, str]) -> None:
    """Contract, 3: `statut` is `consultation`, `offre`, `vendu`, `refus`, `repris`."""
    french, english = status
    assert decode(changed(OFFER, statut=french)).body.status == english  # type: ignore[union-attr]


# -------------------------------------------------------------------------------------------------------- what is wrong

ENVELOPE_FAULTS = [
    ("transmettant", "", "bad transmettant"),
    ("transmettant", "tous", "bad transmettant"),
    ("emetteur", "", "bad emetteur"),
    ("emetteur", "c 1", "bad emetteur"),
    ("emetteur", "c1%27", "bad emetteur"),
    ("emetteur", "x" * 33, "bad emetteur"),
    ("emetteur", "tous", "bad emetteur"),
    ("emetteur", "é", "bad emetteur"),
    ("numero", "7", "bad numero"),
    ("numero", "1.0", "bad numero"),
    ("numero", "0.7", "bad numero"),
    ("numero", "1.7.2", "bad numero"),
    ("numero", "-1.7", "bad numero"),
    ("numero", "1.1234567890123456", "bad numero"),
    ("numero", "١.٧", "bad numero"),
    ("destinataire", "", "bad destinataire"),
    ("destinataire", "g/h", "bad destinataire"),
    ("estampille", "0", "bad estampille"),
    ("estampille", "-1", "bad estampille"),
    ("estampille", "1.5", "bad estampille"),
    ("estampille", "1e3", "bad estampille"),
    ("estampille", "", "bad estampille"),
    ("estampille", "9" * 16, "bad estampille"),
    ("estampille", "²", "bad estampille"),
    ("instantane", "-1", "bad instantane"),
    ("instantane", "rouge", "bad instantane"),
    ("epoque", "x", "bad epoque"),
    ("rang", "0", "bad rang"),
    ("rang", "", "bad rang"),
    ("vie", "x", "bad vie"),
    ("vie", "0", "bad vie"),
]
REQUEST_FAULTS = [
    ("demandeur", "", "bad demandeur"),
    ("demande", "0", "bad demande"),
    ("reservation", "2", "bad reservation"),
    ("reservation", "oui", "bad reservation"),
    ("billet", "B 1", "bad billet"),
    ("billet", "B" * 21, "bad billet"),
    ("depart", "x" * (MAX_STATION_BYTES + 1), "bad depart"),
    ("depart", "%07" * (MAX_STATION_BYTES // 3 + 1), "bad depart"),
    ("destination", "é" * (MAX_STATION_BYTES // 2 + 1), "bad destination"),
    ("destination", "%", "bad escape"),
    ("destination", "100%", "bad escape"),
    ("destination", "%2", "bad escape"),
    ("destination", "%ZZ", "bad escape"),
    ("destination", "%C3%A9", "bad escape"),
    ("du", "2025-02-29", "bad du"),
    ("du", "hier", "bad du"),
    ("au", "2025-03-17T07", "bad au"),
    ("limite", "0", "bad limite"),
    ("limite", "1001", "bad limite"),
]
NOTICE_FAULTS = [
    ("demande", "x", "bad demande"),
    ("statut", "volé", "bad statut"),
    ("statut", "", "bad statut"),
    ("billet", "", "missing billet"),
    ("train", "", "missing billet"),
    ("train", "x" * 61, "bad train"),
    ("train", "-", "bad train"),
    ("date", "2025-03-17", "bad date"),
    ("depart", "", "bad depart"),
    ("destination", "", "bad destination"),
    ("cout", "", "bad cout"),
    ("cout", "-1.00", "bad cout"),
    ("cout", "nan", "bad cout"),
    ("cout", "9999999", "bad cout"),
    ("detenteur", "g h", "bad detenteur"),
    ("rang_liste", "-1", "bad rang_liste"),
    ("total", "beaucoup", "bad total"),
    ("delai", "-1", "bad delai"),
    ("delai", "inf", "bad delai"),
    ("delai", "1e9", "bad delai"),
    ("motif", "parce que", "bad motif"),
]
FAULTS = [
    *((RESERVATION, *fault) for fault in ENVELOPE_FAULTS + REQUEST_FAULTS),
    *((OFFER, *fault) for fault in NOTICE_FAULTS),
    (OFFER, "statut", "refus", "missing motif"),
    (ACCEPTANCE, "accepte", "2", "bad accepte"),
    (ACCEPTANCE, "billet", "B~", "bad billet"),
    (ACCEPTANCE, "demande", "0", "bad demande"),
    (GIVEN_BACK, "demandeur", "c 1", "bad demandeur"),
    (GIVEN_BACK, "demande", "", "bad demande"),
    (ARRIVAL, "role", "chef", "bad role"),
    (ARRIVAL, "volet", "", "bad volet"),
    (ARRIVAL, "memoire", "2", "bad memoire"),
    (ARRIVAL, "vendus", "-1", "bad vendus"),
]


@pytest.mark.parametrize(("body", "key", "value", "reason"), FAULTS, ids=lambda x: x if isinstance(x, str) else "")
def test_an_impossible_value_is_a_reason_that_names_its_key(body: Body, key: str, value: str, reason: str) -> None:
    """Contract, 1: a line "with impossible values ... is dropped, counted and logged with its reason"."""
    assert reason_of(changed(body, **{key: value})) == reason


@pytest.mark.parametrize("body", SENTENCES, ids=wire.type_of)
def test_a_needed_field_that_lacks_is_named(body: Body) -> None:
    """Contract, 1: a line "without the needed fields"."""
    optional = {"vie", "memoire", "vendus", "rouge", "detenteur", "motif", "train"}
    keys = [part.split("~")[0] for part in parts_of(encode(message(body), "c1"))]
    for key in keys:
        if key not in optional:
            assert reason_of(changed(body, **{key: None})) == f"missing {key}"


def test_a_refusal_needs_nothing_of_the_ticket() -> None:
    """Contract, 3: `billet`, `statut~refus`, with its `motif`; the ticket's own fields may be empty."""
    refusal = say.TicketNotice("c1", 4, say.REFUSED, reason=say.FULL)
    assert decode(changed(refusal, train=None, date=None, cout=None, detenteur=None)).body == refusal


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"", "no payload"),
        (b"^", "no payload"),
        (b"hello", "no payload"),
        (b"\x07", "no payload"),
        (b"\x07CLT\x07ALL", "no payload"),
        (b"\x07CLT\x07ALL\x07AIR\x07", "no payload"),
        (b"|||||||", "no payload"),
        (b"\xff\xfe", "not utf-8"),
        (b"^transmettant~c1^x~\xc3^", "not utf-8"),
        (b"^transmettant~c1^x~\xed\xa0\x80^", "not utf-8"),
        (b"^x~1^", "missing transmettant"),
        (b"^transmettant~c1\x00^", "control character"),
        (b"^transmettant~c1^\r", "control character"),
        (b"^transmettant~c1^x~\x7f^", "control character"),
    ],
)
def test_what_is_no_line_of_ours_is_refused_with_its_reason(line: bytes, reason: str) -> None:
    assert reason_of(line) == reason


def no_other_exception(line: bytes) -> None:
    """`decode` gives a message that can be said again, or `Malformed`, and nothing else."""
    try:
        said = decode(line)
    except Malformed as malformed:
        assert malformed.reason
        return
    if not isinstance(said.body, say.Unknown):
        assert len(encode(said, "N" * 32, HEADERS[2])) < wire.MAX_WRITTEN


@given(st.binary(max_size=300))
@settings(max_examples=300)
def test_random_bytes_are_malformed_and_nothing_worse(line: bytes) -> None:
    """`wire.py`: "whatever is wrong with a line is a `Malformed` with its reason, and nothing else"."""
    no_other_exception(line)
    no_other_exception(b"^transmettant~" + line)


SPLICES = st.sampled_from([b"^", b"~", b"%", b"\x07", b"-", b".", b"0", b"9" * 20, b"\xff", "é".encode(), b"^type~", b"%00"])


@given(messages(), headers, st.lists(st.tuples(st.floats(0, 1), st.integers(0, 12), SPLICES | st.binary(max_size=3))))
@settings(max_examples=400)
def test_mutated_lines_are_read_or_malformed(what: Message, header: str, cuts: list[tuple[float, int, bytes]]) -> None:
    line = encode(what, "c1", header)
    for where, length, splice in cuts[:6]:
        at = int(where * len(line))
        line = line[:at] + splice + line[at + length :]
    no_other_exception(line)


@given(messages(), st.sampled_from(sorted({fault[1] for fault in FAULTS} | {"type"})), st.text(max_size=40))
@settings(max_examples=300)
def test_any_value_of_any_field_is_read_or_malformed(what: Message, key: str, value: str) -> None:
    parts = [f"{key}~{value}" if part.startswith(f"{key}~") else part for part in parts_of(encode(what, "c1"))]
    no_other_exception("^".join(parts).encode(errors="surrogatepass"))


@pytest.mark.parametrize("body", SENTENCES, ids=wire.type_of)
def test_a_cut_line_is_never_taken_for_a_whole_one(body: Body) -> None:
    """Contract, 1: "24 % of 1000-byte lines came out cut". Up to its last needed field, such a line is malformed."""
    line = encode(message(body), "c1")
    last_needed = {"billet": b"^delai~", "presence": b"^volet~"}.get(wire.type_of(body))
    for end in range(line.index(last_needed) if last_needed else line.rindex(b"~")):
        assert reason_of(line[:end])


# ------------------------------------------------------------------------------------------------------------- relaying


@given(messages(), site_names, site_names, headers, headers)
def test_a_relay_changes_nothing_but_transmettant(what: Message, first: str, second: str, header: str, other: str) -> None:
    """Contract, 2: "`transmettant` ... the only thing that a relay changes"; each site writes its own mode."""
    line = encode(what, first, header)
    assert with_forwarder(line, second, other) == encode(what, second, other)
    assert decode(with_forwarder(line, second, other)) == what


def test_a_relay_keeps_order_unknown_keys_and_odd_spellings() -> None:
    """Contract, 2: "A relay passes a message on once, unchanged but for `transmettant`"."""
    line = b"appnet~NET^x^destinataire~g%63h^transmettant~c1^type~plus tard^y~%7e^x~1"
    assert with_forwarder(line, "c2", "") == b"^appnet~NET^x^destinataire~g%63h^transmettant~c2^type~plus tard^y~%7e^x~1^"


# ---------------------------------------------------------------------------------------------------- names and escapes


@pytest.mark.parametrize("name", ["gch", "c1", "A-z_0", "x" * 32, "Tous"])
def test_site_names(name: str) -> None:
    """Contract, 2: "1 to 32 of `A-Z a-z 0-9 _ -`, unique; `tous` is taken"."""
    assert wire.is_site_name(name)


@pytest.mark.parametrize("name", ["", "tous", "x" * 33, "c 1", "c'1", "é", "c1\n", "c.1", "٣"])
def test_what_names_no_site(name: str) -> None:
    assert not wire.is_site_name(name)


@pytest.mark.parametrize(("name", "good"), [("CLT", True), ("A1b", True), ("1AB", False), ("CL", False), ("CLTX", False)])
def test_application_names(name: str, good: bool) -> None:
    """Contract, 2: "three letters or digits, first a letter"."""
    assert wire.is_application_name(name) == good


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("%", "%25"),
        ("^", "%5E"),
        ("~", "%7E"),
        ("'", "%27"),
        ('"', "%22"),
        ("\\", "%5C"),
        ("\n", "%0A"),
        ("\x7f", "%7F"),
    ],
)
def test_the_escapes_are_the_contracts(value: str, written: str) -> None:
    """Contract, 2."""
    assert wire.escape(f"é{value}🚄") == f"é{written}🚄"
    assert wire.unescape(written.lower()) == value


@given(st.text())
def test_unescaping_undoes_escaping(value: str) -> None:
    assert wire.unescape(wire.escape(value)) == value


# ---------------------------------------------------------------------------------------------------------- long texts


@given(st.text(max_size=3000))
def test_a_long_text_in_parts_is_whole_again(text: str) -> None:
    """Contract, 1: "What does not fit travels as several messages (a client's state ...)"."""
    parts = wire.in_parts(text)
    assert "".join(parts) == text
    assert parts and all(len(wire.escape(part).encode()) <= wire.MAX_PART for part in parts)


@given(applications)
def test_a_sentence_of_the_application_is_the_same_again_from_its_fields(body: Body) -> None:
    """Contract, 5: a channel's messages stand in the snapshot file as `type` and `fields`."""
    assert wire.body_of(wire.type_of(body), wire.fields_of(body)) == body
