"""Passing messages on, in any topology (contract, 2, "Relaying")."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lib.core import belief, intervals
from lib.core import messages as say
from lib.core import relay as relaying
from lib.core.buying import Client
from lib.core.messages import Body, Message
from lib.core.relay import Relay, Verdict
from lib.core.sites import ClientSite
from lib.core.tickets import Search
from lib.core.wire import MAX_READ, Malformed, decode, encode
from tests.core.examples import HEADERS, message

ARRIVAL = say.Presence("client", say.ARRIVAL)


def line(sender: str, number: str, to: str, forwarder: str = "", header: str = "", body: Body = ARRIVAL) -> bytes:
    life, sequence = map(int, number.split("."))
    return encode(message(body, sender=sender, life=life, sequence=sequence, to=to), forwarder or sender, header)


def outcome(examine: Callable[[bytes, float], Verdict], what: bytes) -> tuple[object, ...]:
    try:
        verdict = examine(what, 1.0)
    except Malformed:
        return ("malformed",)
    return verdict.deliver, verdict.onward, verdict.reason


# --------------------------------------------------------------------------------------------------- who gets a message


def test_a_message_for_another_site_is_passed_on_and_not_delivered() -> None:
    """Contract, 2: "A relay passes a message on once, unchanged but for `transmettant`"."""
    relay = Relay("c2")
    assert outcome(relay.examine, line("c1", "1.1", "gch")) == (False, line("c1", "1.1", "gch", "c2"), "")


def test_a_message_for_us_alone_goes_no_further() -> None:
    """Contract, 2: "It drops ... what was for it alone"."""
    assert outcome(Relay("gch").examine, line("c1", "1.1", "gch")) == (True, None, "")


def test_a_message_for_everyone_is_delivered_and_passed_on() -> None:
    """Contract, 2: `destinataire` is "a site's name, or `tous`"."""
    assert outcome(Relay("c2").examine, line("gch", "1.1", "tous")) == (True, line("gch", "1.1", "tous", "c2"), "")


def test_a_line_that_our_name_makes_too_long_for_the_next_site_goes_no_further() -> None:
    """ "at most 4096 bytes with the newline": the cheap path (from the second line on) and the careful one count alike."""
    relay = Relay("a" * 32)
    for number in range(1, 4):
        said = line("c1", f"1.{number}", "tous")
        fits = MAX_READ - 1 - len(said) - (32 - len("c1"))
        for more, reason in ((fits, ""), (fits + 1, "too long to be passed on")):
            said = line("c1", f"1.{2 * number + (more > fits)}", "tous") + b"x~" + b"y" * (more - len(b"x~^")) + b"^"
            deliver, onward, why = outcome(relay.examine, said)
            assert (deliver, why) == (True, reason)
            assert onward is None if reason else len(onward) == MAX_READ - 1  # type: ignore[arg-type]


def test_what_comes_back_to_its_emitter_is_dropped() -> None:
    """Contract, 2: "It drops ... what comes back to its emetteur", whatever its life and number."""
    relay = Relay("c1")
    relay.own = (7, 3)
    for number in ("1.1", "1.1", "6.9", "7.3"):
        assert outcome(relay.examine, line("c1", number, "tous", "c2")) == (False, None, "own message come back")


@pytest.mark.parametrize("number", ["7.4", "8.1"])
def test_what_another_says_in_our_name_is_told_from_our_own(number: str) -> None:
    """Two sites of one name, or a forger: people should hear of it. It goes no further than here."""
    relay = Relay("c1")
    relay.own = (7, 3)
    assert outcome(relay.examine, line("c1", number, "tous", "c2")) == (False, None, "said in our name")


def test_a_life_beyond_belief_is_dropped() -> None:
    """`belief.py`: believed, it would make everyone deaf to its emitter for ever, for a later life could not be written."""
    relay = Relay("c2")
    for now in (0.0, 1_800_000_000.0):  # a machine may not know the date
        assert relay.examine(line("c1", f"1800000000000.{now + 1:.0f}", "gch"), now).reason == ""
        latest = int(1000 * (now + belief.MARGIN))
        assert relay.examine(line("c1", f"{latest + 1}.1", "gch"), now).reason == "life beyond belief"
        assert relay.examine(line("c1", f"{latest}.1", "gch"), now).reason == ""
        assert relay.examine(line("c1", f"{latest + 1}.2", "gch"), now + 0.001).reason == "", "time goes on"


@pytest.mark.parametrize("to", ["c2", "gch", "tous"])
def test_a_message_passes_once_whoever_brings_it(to: str) -> None:
    """Contract, 2: "It drops what it has seen"."""
    relay = Relay("c2")
    assert outcome(relay.examine, line("c1", "1.5", to))[2] == ""
    for forwarder in ("c1", "c3", "c1"):
        assert outcome(relay.examine, line("c1", "1.5", to, forwarder)) == (False, None, "duplicate")


def test_the_same_number_of_another_emitter_or_another_life_is_another_message() -> None:
    """Contract, 2: "identity of the message is (emetteur, numero)", "a site that restarts takes a new life"."""
    relay = Relay("c2")
    for sender, number in [("c1", "1.5"), ("c3", "1.5"), ("c1", "2.5"), ("c1", "11.5"), ("c11", "1.5"), ("c1", "1.15")]:
        assert outcome(relay.examine, line(sender, number, "gch"))[2] == ""
        assert outcome(relay.examine, line(sender, number, "gch"))[2] == "duplicate"


def test_names_that_begin_alike_are_not_confused() -> None:
    """house.md: "Names 1 and 11 confused by a glob"."""
    relay = Relay("c1")
    assert outcome(relay.examine, line("c", "1.1", "c11")) == (False, line("c", "1.1", "c11", "c1"), "")
    assert outcome(relay.examine, line("c11", "1.1", "c")) == (False, line("c11", "1.1", "c", "c1"), "")


@given(st.lists(st.tuples(st.integers(1, 2), st.integers(1, 12)), max_size=60))
def test_in_any_order_of_lives_and_numbers_each_passes_exactly_once(numbers: list[tuple[int, int]]) -> None:
    """A message of an earlier life that is late, or that a loop brings back, is told from a new one."""
    relay, seen = Relay("c2"), set()
    for identity in numbers:
        verdict = relay.examine(line("c1", "{}.{}".format(*identity), "gch"), 1.0)
        assert (verdict.reason == "duplicate") == (identity in seen)
        seen.add(identity)


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)).filter(lambda link: link[0] != link[1]), max_size=14),
    st.integers(1, 4),
)
def test_in_any_topology_everyone_in_reach_hears_a_message_once_and_it_dies_out(
    links: list[tuple[int, int]], target: int
) -> None:
    """`relay.py`: "any topology: every message passes once"."""
    relays = [Relay(f"s{site}") for site in range(5)]
    delivered = [0] * 5
    said = [line("s0", "1.1", "tous"), line("s0", "1.2", f"s{target}")]
    on_the_way = deque((to, what) for what in said for source, to in links if source == 0)
    steps = 0
    while on_the_way:
        steps += 1
        assert steps <= 2 * len(links) * (len(links) + 1), "a message goes round for ever"
        site, what = on_the_way.popleft()
        verdict = relays[site].examine(what, 1.0)
        delivered[site] += verdict.deliver
        if verdict.onward:
            on_the_way.extend((to, verdict.onward) for source, to in links if source == site)
    reached = [0]
    for site in reached:
        reached.extend(to for source, to in links if source == site and to not in reached)
    for site in range(1, 5):
        private = int(site == target)  # nobody but the target keeps it back, so it reaches the target
        assert delivered[site] == (1 + private if site in reached else 0)
    assert delivered[0] == 0


def test_a_relay_says_when_it_heard_each_neighbour() -> None:
    """`Relay.heard`: the edge shows and checks `--voisins` with it."""
    relay = Relay("c2")
    relay.examine(line("gch", "1.1", "tous", "c1"), 1.0)
    relay.examine(line("gch", "1.2", "tous", "c3"), 2.0)
    assert relay.heard == {"c1": 1.0, "c3": 2.0}
    relay.examine(line("gch", "1.3", "tous", "c1"), 3.0)
    relay.examine(line("gch", "1.3", "tous", "c3"), 4.0)  # a duplicate is a sign of life too
    assert relay.heard == {"c1": 3.0, "c3": 4.0}


@pytest.mark.parametrize("own", HEADERS)
@pytest.mark.parametrize("theirs", HEADERS)
def test_a_relay_reads_every_mode_and_writes_its_own(own: str, theirs: str) -> None:
    """Contract, 2: "A site reads all three modes whatever mode it writes"."""
    relay = Relay("c2", own)
    for number in ("1.1", "1.2"):  # the careful path, then the cheap one
        verdict = relay.examine(line("c1", number, "gch", header=theirs), 1.0)
        assert verdict.onward == line("c1", number, "gch", "c2", own)


# --------------------------------------------------------------------------------------------------------------- limits


def test_a_relay_tells_only_so_many_names_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """house.md: "a limit on everything". The names known before go on; the crowd that comes last is dropped."""
    monkeypatch.setattr(relaying, "MAX_NAMES", 3)
    relay = Relay("c0")
    for number in range(1, 4):
        assert outcome(relay.examine, line(f"c{number}", "1.1", "gch", "n"))[2] == ""
    for _ in range(2):
        assert outcome(relay.examine, line("c4", "1.1", "gch", "n")) == (False, None, "too many emitters")
    assert outcome(relay.examine, line("c3", "1.2", "gch", "n"))[2] == ""


def test_forged_neighbours_are_a_crowd_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relaying, "MAX_NAMES", 3)
    relay = Relay("c0")
    for number in range(1, 4):
        assert outcome(relay.examine, line("c1", f"1.{number}", "gch", f"n{number}"))[2] == ""
    assert outcome(relay.examine, line("c1", "1.9", "gch", "n9"))[2] == "too many emitters"
    assert len(relay.heard) == 3
    assert outcome(relay.examine, line("c1", "1.9", "gch", "n1"))[2] == ""


def test_receivers_beyond_the_limit_are_served_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """`_learn_receiver`: "beyond, lines for new names take the careful path: slower, but right"."""
    monkeypatch.setattr(relaying, "MAX_NAMES", 3)
    relay = Relay("c0")
    for number in range(1, 9):
        what = line("c1", f"1.{number}", f"d{number}")
        assert outcome(relay.examine, what) == (False, line("c1", f"1.{number}", f"d{number}", "c0"), "")
        assert outcome(relay.examine, what)[2] == "duplicate"
    assert len(relay._receivers) == 3


def test_a_life_before_the_last_sixteen_is_too_old_and_the_later_ones_are_not_forgotten() -> None:
    """`MAX_LIVES`: a message of a life before these is dropped; those that are told apart pass once still."""
    relay = Relay("c2")
    lives = range(1, relaying.MAX_LIVES + 2)
    for life in lives:
        assert outcome(relay.examine, line("c1", f"{life}.1", "gch"))[2] == ""
    assert outcome(relay.examine, line("c1", "1.2", "gch")) == (False, None, "life too old")
    for life in lives[1:]:
        assert outcome(relay.examine, line("c1", f"{life}.1", "gch"))[2] == "duplicate"
        assert outcome(relay.examine, line("c1", f"{life}.2", "gch"))[2] == ""


def size(relay: Relay) -> int:
    """How many intervals a relay keeps."""
    return sum(len(numbers.as_list()) for seen in relay._emitters.values() for numbers in seen.lives.values())


def test_memory_is_bounded_whatever_names_lives_and_numbers_are_forged(monkeypatch: pytest.MonkeyPatch) -> None:
    """house.md: "a limit on everything". Holes by the million, in as many names and lives as are told apart."""
    monkeypatch.setattr(relaying, "MAX_NAMES", 40)
    monkeypatch.setattr(intervals, "MAX_HOLES", 500)
    relay = Relay("c2")
    for name in range(50):
        for life in range(1, 6):
            for number in range(1, 200, 2):
                relay.examine(line(f"f{name}", f"{life}.{number}", "gch", "n"), 1.0)
    assert len(relay._emitters) == 40
    assert size(relay) < 500 * 7 + intervals.LEAST_HOLES * 200


@given(st.sets(st.integers(1, 300), max_size=20), st.randoms(use_true_random=False))
@settings(max_examples=40)
def test_memory_grows_with_what_was_lost_and_not_with_what_was_said(lost: set[int], draw: random.Random) -> None:
    """Contract, 2: "memory grows with what was lost, not with what was said"."""
    relay = Relay("c2")
    arrived = [number for number in range(1, 301) if number not in lost]
    for number in sorted(arrived, key=lambda number: number + draw.randrange(20)):
        relay.examine(line("c1", f"1.{number}", "gch"), 1.0)
    assert size(relay) <= 1 + len(lost)
    for number in sorted(lost):
        assert outcome(relay.examine, line("c1", f"1.{number}", "gch"))[2] == ""
    assert size(relay) == 1


# ---------------------------------------------------------------------------------------------------- other applications

# `relay.py`: "Other applications may share our pipes." What is theirs is whole, and has nothing that makes it ours.
OF_OTHERS = [
    b"^msg~hello^",
    b"^type~demande^estampille~5^emetteur~a^",
    "^gare~Compiègne^vide~^".encode(),
    b"\x07BAS\x07ALL\x07^msg~hello^",
    b"\x07BAS\x07CLT\x07AIR\x07^msg~hello^",
    b"\x07BAS\x07ALL\x07ALL\x07^msg~hello^",
    b"|BAS|GCH|^msg~%quoi^",
    b"\x07NET\x07NET\x07^appnet~BAS^msg~hello^",
]
# Ours with a fault, the remains of a line, or no line at all.
OF_NOBODY = [
    b"hello",
    b"^^",
    b"^hello^",
    b"^~^",
    b"^msg~hello",
    b"msg~hello^",
    b"^msg~hello^^",
    b"\x07BASE\x07ALL\x07^msg~hello^",
    b"\x07BAS\x07^msg~hello^",
    b"\x07BAS\x07ALL\x07hello",
    b"\x07BAS|ALL|^msg~hello^",
    b"^msg~\x01^",
    b"^msg~\xe9^",
    line("c1", "1.1", "gch").replace(b"^transmettant~c1", b""),
    line("c1", "1.1", "gch").replace(b"^emetteur~c1", b""),
    b"^transmettant~c1^",
]


@pytest.mark.parametrize("theirs", OF_OTHERS)
def test_the_line_of_another_application_passes_untouched_or_is_ignored(theirs: bytes) -> None:
    """Every time that it is read: what says the same twice may mean it twice (a token that goes round)."""
    ignoring, passing = Relay("c1", HEADERS[1]), Relay("c1", HEADERS[1], transit=True)
    assert not ignoring.ignores
    for _ in range(2):
        assert outcome(ignoring.examine, theirs) == (False, None, "another application's")
        assert outcome(passing.examine, theirs) == (False, theirs, "")
    assert ignoring.ignores and not passing.ignores
    assert ignoring.heard == passing.heard == {}


@pytest.mark.parametrize("transit", [False, True])
@pytest.mark.parametrize("odd", OF_NOBODY)
def test_what_only_resembles_a_line_of_others_is_malformed(odd: bytes, transit: bool) -> None:
    assert outcome(Relay("c1", transit=transit).examine, odd) == ("malformed",)


@given(said=st.integers(0, 400), until=st.integers(0, 400))
def test_no_part_of_a_line_of_ours_is_taken_for_a_line_of_others_while_it_names_us(said: int, until: int) -> None:
    """Of a line that was cut only an end that begins and ends between two fields, behind them all, may pass."""
    whole = line("c1", "1.1", "gch")
    part = whole[min(said, len(whole)) : min(until, len(whole))]
    verdict = outcome(Relay("c9", transit=True).examine, part)
    if verdict != ("malformed",) and verdict[1] == part:
        assert part[:1] == part[-1:] == b"^" and b"transmettant" not in part


def test_transit_has_a_limit_by_the_second_and_what_is_ours_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """`MAX_TRANSIT`: a line of others that goes round and multiplies must not take all that the pipes carry."""
    monkeypatch.setattr(relaying, "MAX_TRANSIT", 3)
    relay = Relay("c1", transit=True)
    for second in (10.0, 11.0, 5.0):  # the last: the machine's clock was set back
        for fraction in (0.0, 0.3, 0.9):
            assert relay.examine(OF_OTHERS[0], second + fraction).onward == OF_OTHERS[0]
        with pytest.raises(Malformed, match="too much transit"):
            relay.examine(OF_OTHERS[0], second + 0.95)
        assert relay.examine(line("c2", f"1.{int(second)}", "gch"), second + 0.95).onward is not None


def test_nothing_of_others_is_added_to_what_the_neighbour_does_not_read() -> None:
    site = ClientSite(Client("c1", "gch"), 1, transit=True)
    ours, theirs = line("c2", "1.1", "gch"), OF_OTHERS[0]
    site.is_choked = True
    assert site.hear([theirs, ours], 1.0).lines == [line("c2", "1.1", "gch", "c1")]
    site.is_choked = False
    assert site.hear([theirs], 1.0).lines == [theirs]


def test_what_we_said_ourselves_comes_from_no_neighbour() -> None:
    """AIRPLUG's scripts give NET's lines to its own application too: they hold what that has just said or passed on."""
    relay = Relay("c1")
    relay.examine(line("c2", "1.1", "gch"), 1.0)
    for echo in (line("c1", "1.1", "gch", "c1"), line("c2", "1.1", "gch", "c1")):
        assert outcome(relay.examine, echo)[:2] == (False, None)
    assert relay.heard == {"c2": 1.0}


# --------------------------------------------------------------------------------------- the cheap path and the careful

said = st.builds(
    message,
    st.sampled_from(
        [
            ARRIVAL,
            say.Request("c1", 4, True, Search(destination="Creil"), 1),
            say.Request("c1", 4, True, Search(destination="Compiègne ^~'%"), 1),
            say.Return("c1", 4, "B0001"),
        ]
    ),
    sender=st.sampled_from(["c1", "c11", "me", "gch"]),
    life=st.sampled_from([1, 2, 11]),
    sequence=st.integers(1, 8),
    to=st.sampled_from(["c1", "me", "gch", "tous"]),
)


@st.composite
def lines_of_friends(draw: st.DrawFn) -> bytes:
    """Lines as we write them, and as others may: sorted keys, no outer carets, other delimiters, zeros, accents."""
    what: Message = draw(said)
    header = draw(st.sampled_from([*HEADERS, "|NET|ALL|", "~NET~ALL~AIR~"]))
    text = encode(what, draw(st.sampled_from(["c1", "c3", "me"])), header).decode()[len(header) :]
    style = draw(st.sampled_from(["plain"] * 6 + ["sorted", "bare", "first", "zeros", "escaped", "more", "front"]))
    if style == "sorted":
        text = f"^{'^'.join(sorted(text.strip('^').split('^')))}^"
    elif style == "bare":
        header, text = "", text.strip("^")
    elif style == "first":
        text = "^" + text
    elif style == "zeros":
        text = text.replace("numero~", "numero~0").replace(f".{what.sequence}^", f".0{what.sequence}^", 1)
    elif style == "escaped":
        text = text.replace("emetteur~c1^", "emetteur~c%31^").replace("destinataire~gch^", "destinataire~g%63h^")
    elif style == "more":
        text += "appnet~NÉT^x^~^"
    elif style == "front":
        text = "^appnet~NET" + text
    return (header + text).encode()


@given(st.lists(lines_of_friends(), max_size=30), st.sampled_from(HEADERS))
@settings(max_examples=200)
def test_the_cheap_path_and_the_careful_one_agree(lines: list[bytes], header: str) -> None:
    """`relay.py`: "the two must agree, and a test holds them to it"."""
    cheap, careful = Relay("me", header), Relay("me", header)
    for number, to in enumerate(["c1", "gch"], 101):  # names that the cheap path may recognise
        for relay in (cheap, careful):
            relay.examine(line("c1", f"1.{number}", to), 0.0)
    for what in lines:
        found, expected = outcome(cheap.examine, what), outcome(careful._study, what)
        assert found == expected
        if found[0] is False and found[1]:
            assert decode(found[1]) == decode(what)  # type: ignore[arg-type]
        assert cheap.heard == careful.heard


def test_the_cheap_path_is_taken() -> None:
    """Contract, 2: "The cheap path must be cheap: a line that is only passed on is not taken apart beyond its first
    fields". If `_study` were called for every line, the agreement of the two would say nothing."""
    relay = Relay("me")
    relay.examine(line("c1", "1.1", "gch"), 1.0)
    relay._study = None  # type: ignore[method-assign,assignment]
    assert outcome(relay.examine, line("c1", "1.2", "gch"))[1] == line("c1", "1.2", "gch", "me")


ARRIVES = line("c1", "1.5", "gch")


@pytest.mark.parametrize(
    "odd",
    [
        ARRIVES + b"numero~1.6^",
        ARRIVES + b"destinataire~me^",
        ARRIVES + b"emetteur~me^",
        ARRIVES + b"transmettant~c3^",
        ARRIVES + b"x~\x01^",
        ARRIVES + b"\r",
        ARRIVES[:-1],
        ARRIVES + b"^",
        b"\x07" + ARRIVES,
        b"\x07CLT" + ARRIVES,
        b"\x07CLT\x07ALL\x07AIR\x07x~1" + ARRIVES,
    ],
    ids=[
        "numero",
        "destinataire",
        "emetteur",
        "transmettant",
        "control",
        "CR",
        "no-caret",
        "carets",
        "no-header",
        "half-header",
        "key-before",
    ],
)
def test_the_two_paths_agree_on_odd_lines(odd: bytes) -> None:
    """`relay.py`: "the two must agree"; contract, 2: "the last of two equal keys counts"; 1: it "is dropped"."""
    cheap, careful = Relay("me"), Relay("me")
    for relay in (cheap, careful):
        relay.examine(line("c1", "1.1", "gch"), 1.0)
    assert outcome(cheap.examine, odd) == outcome(careful._study, odd)
    for number in ("1.5", "1.6"):  # and they have learned the same from it
        assert outcome(cheap.examine, line("c1", number, "gch")) == outcome(careful._study, line("c1", number, "gch"))


@pytest.mark.parametrize(
    "number", ["1.5", "1.0", "1.", "1", "1.05", "1.-5", "1.5.5", "1. 5", "1.5e1", "1." + "1" * 16, "01.5", "٣.5"]
)
@pytest.mark.parametrize("tail", [b"", b"x~\xff^", "x~é^".encode(), b"x~%^"])
def test_the_two_paths_agree_on_odd_numbers_and_bytes(number: str, tail: bytes) -> None:
    """Contract, 2: `numero` is "`life.sequence`, both integers from 1"; 1: a line that is "not UTF-8" is dropped."""
    odd = ARRIVES.replace(b"numero~1.5", f"numero~{number}".encode()) + tail
    cheap, careful = Relay("me"), Relay("me")
    for relay in (cheap, careful):
        relay.examine(line("c1", "1.1", "gch"), 1.0)
    assert outcome(cheap.examine, odd) == outcome(careful._study, odd)


@given(st.binary(max_size=60), st.booleans())
@example(b"^0~^", False)  # chance may make a well-formed line: another application's, then
def test_garbage_is_malformed_and_the_next_line_passes(garbage: bytes, known: bool) -> None:
    """Contract, 1: "The next good line is handled as if nothing had happened"."""
    relay = Relay("me")
    if known:
        relay.examine(line("c1", "1.1", "gch"), 1.0)
    assert outcome(relay.examine, garbage) in (("malformed",), (False, None, "another application's"))
    assert outcome(relay.examine, line("c1", "1.2", "gch"))[2] == ""
