"""What cannot be is said: by name, on stderr, in the picture, and by the status."""

from __future__ import annotations

import pytest

from lib.diagram.traces import Event
from tests.diagram.conftest import SVG, Story, told


def runs_back(story: Story) -> None:
    message = story.send("c1", "gch", lamport=9)
    story.receive("gch", message, lamport=9)


def was_never_sent(story: Story) -> None:
    story.write("gch", "recv", 2, id="c1:1.7", peer="c1", type="demande", round=0, epoch=0, rank=1)


def comes_from_an_unknown_place(story: Story) -> None:
    story.write("gch", "recv", 2, id="c9:1.7", peer="c9", type="demande", round=0, epoch=0, rank=1)


def comes_twice(story: Story) -> None:
    message = story.send("c1", "gch")
    story.receive("gch", message, message)


def has_the_identity_of_another(story: Story) -> None:
    story.send("c1", "gch")
    story.sequence -= 1
    story.send("c1", "gch")


def goes_against_the_cut(story: Story) -> None:
    story.record("c1")
    message = story.send("c1", "gch", round=1)
    story.receive("gch", message)
    story.record("gch")


def has_a_clock_that_goes_back(story: Story) -> None:
    story.write("gch", "command", 5, line="etat", ok=True, error="")
    story.write("gch", "command", 4, line="etat", ok=True, error="")


def has_a_clock_that_stands_still(story: Story) -> None:
    story.send("c1", "gch", lamport=1)


CASES = {
    "backwards": (runs_back, "demande c1:1.1 -> gch remonte le temps de Lamport, 9 -> 9"),
    "orphan": (was_never_sent, "demande c1:1.7 -> gch est reçu sans avoir été envoyé"),
    "untraced": (comes_from_an_unknown_place, "la trace de c9 manque : envois invérifiables : 1"),
    "twice": (comes_twice, "demande c1:1.1 -> gch est reçu deux fois"),
    "reused": (has_the_identity_of_another, "c1 : l'identité c1:1.1 sert deux fois"),
    "cut": (
        goes_against_the_cut,
        "coupe du tour 1 incohérente : demande c1:1.1 -> gch est envoyé après elle et reçu avant",
    ),
    "clock": (has_a_clock_that_goes_back, "gch : l'horloge recule ou n'avance pas, 5 -> 4"),
    "clock, still": (has_a_clock_that_stands_still, "c1 : l'horloge recule ou n'avance pas, 1 -> 1"),
}


@pytest.mark.parametrize("name", CASES)
def test_what_cannot_be_is_told(story, draw, name):
    happens, words = CASES[name]
    story.start("gch", "c1")
    happens(story)
    assert [finding.name for finding in story.findings()] == [name.partition(",")[0]]
    picture = draw()
    assert picture.status == 1
    assert picture.stderr == f"diagram: {words}\n"
    assert [group.findtext(f"{SVG}text") for group in picture.groups("finding")] == [f"Incohérence : {words}"]


@pytest.mark.parametrize("happens", [runs_back, was_never_sent, comes_twice, goes_against_the_cut])
def test_the_message_at_fault_is_drawn_as_such(story, draw, happens):
    story.start("gch", "c1")
    happens(story)
    picture = draw()
    assert [title.endswith(" : incohérence") for title in picture.titles("incoherent")] == [True]
    assert "incohérence" in [group.findtext(f"{SVG}text") for group in picture.groups("legend")]


def test_the_event_at_fault_has_another_colour(story, draw):
    story.start("gch", "c1")
    story.send("c1", "gch")
    has_a_clock_that_stands_still(story)
    colours = [group.find(f"{SVG}circle").get("fill") for group in draw().groups("send")]
    assert len(set(colours)) == 2


def test_of_two_messages_with_one_identity_the_second_is_at_fault(story):
    story.start("gch", "c1")
    has_the_identity_of_another(story)
    (finding,) = story.findings()
    assert isinstance(finding.at, Event) and finding.at.lamport == 3


def test_a_message_that_is_its_own_cause_is_drawn_all_the_same(story, draw):
    """Each of two sites answers before it was asked: no order is right, and Lamport's condition is broken somewhere."""
    story.start("gch", "c1")
    story.sent["c1:1.2"] = {"id": "c1:1.2", "type": "demande", "round": 0, "epoch": 0, "stamp": 1, "site": "c1"}
    story.receive("gch", "c1:1.2")
    answer = story.send("gch", "c1", "billet")
    story.receive("c1", answer)
    assert story.send("c1", "gch") == "c1:1.2"
    picture = draw()
    assert [finding.name for finding in story.findings()] == ["backwards"]
    assert picture.status == 1 and len(picture.messages()) == 2


@pytest.mark.parametrize("seed", range(10))
def test_a_good_run_is_left_in_peace(tmp_path, draw, seed):
    picture = draw(folder=told(tmp_path, seed).folder)
    assert (picture.status, picture.stderr, picture.groups("finding")) == (0, "", [])


@pytest.mark.parametrize("kind", ["presence", "restauration"])
def test_what_is_heard_across_epochs_is_no_part_of_a_cut(story, kind):
    story.start("gch", "c1")
    story.record("c1")
    message = story.send("c1", "gch", kind, round=1)
    story.receive("gch", message)
    story.record("gch")
    assert story.findings() == []


def test_a_site_that_was_not_part_of_a_round_makes_no_cut_incoherent(story):
    story.start("gch", "c1")
    story.record("c1")
    story.receive("gch", story.send("c1", "gch", round=1))
    assert story.findings() == []


def test_what_an_earlier_life_heard_is_no_part_of_a_later_record(story):
    """A site that records, dies, and comes back without its memory, records the same round again."""
    story.start("gch", "c1")
    story.record("gch")
    call = story.send("gch", "tous", "snapshot", round=1)
    story.record("c1")
    story.receive("c1", call)
    story.start("c1", lamport=1)
    story.record("c1")
    assert story.findings() == []


def test_every_cut_is_judged(story):
    story.start("gch", "c1")
    for number in (1, 2, 3):
        story.record("c1", round=number)
        if number == 2:
            story.receive("gch", story.send("c1", "gch", round=2))
        story.record("gch", round=number)
    (finding,) = story.findings()
    assert finding.name == "cut" and "tour 2 " in finding.text.fr


def test_a_new_life_may_begin_its_clock_again_but_hears_a_message_once(story):
    """Without a memory the clock begins again; what was for everyone may reach both lives."""
    story.start("gch", "c1")
    word = story.send("gch", "tous", "presence")
    story.receive("c1", word)
    story.start("c1", lamport=1)
    story.receive("c1", word)
    assert story.findings() == []
    story.receive("c1", word)
    assert [finding.name for finding in story.findings()] == ["twice"]


def test_a_thousand_mistakes_are_not_a_thousand_lines(story, draw):
    story.start("gch", "c1")
    for _ in range(100):
        was_never_sent(story)
        story.clocks["gch"] += 1
    found = len(story.findings())
    picture = draw()
    assert len(picture.stderr.splitlines()) == 21 and f"{found - 20} autre" in picture.stderr
    assert len(picture.groups("finding")) == 5


def test_in_english(story, draw):
    story.start("gch", "c1")
    runs_back(story)
    picture = draw(language="en")
    assert picture.stderr == "diagram: demande c1:1.1 -> gch runs back in Lamport time, 9 -> 9\n"
    assert picture.groups("finding")[0].findtext(f"{SVG}text").startswith("Incoherence: demande")


def test_what_is_wrong_outside_of_the_choice_is_told_too(story, draw):
    story.start("gch", "c1")
    runs_back(story)
    story.receive("gch", story.send("c1", "gch", "billet"))
    assert draw("--types=billet").status == 1
