"""The picture of scripted runs, stroke by stroke."""

from __future__ import annotations

import json
import math

import pytest

from lib.diagram.causality import arrows, in_order
from lib.diagram.choice import Choice, view
from lib.diagram.layout import arrange
from lib.diagram.traces import read
from tests.diagram.conftest import BEGUN, SVG, Story, ends, points, told


def photograph(story: Story) -> dict[str, str]:
    """Three sites and a snapshot with two messages in its channels; the identities by what the messages are here."""
    names = {}
    story.start("gch", "c1", "c2")
    names["early"] = story.send("c1", "gch")
    story.receive("gch", names["early"])
    names["offer"] = story.send("gch", "c1", "billet")
    names["late"] = story.send("c2", "gch")
    story.record("c1")
    names["call"] = story.send("c1", "tous", "snapshot", round=1)
    story.record("gch")
    story.receive("gch", names["call"])
    story.receive("gch", names["late"])
    story.receive("c1", names["offer"])
    story.record("c2")
    story.receive("c2", names["call"])
    names["after"] = story.send("c2", "gch", round=1)
    story.receive("gch", names["after"])
    story.write("gch", "snapshot", story.clocks["gch"], round=1, phase="complete", file="x.json", missing=[])
    story.stop("c1", "c2", "gch")
    return names


def test_every_message_has_its_arrow(story, draw):
    names = photograph(story)
    picture = draw()
    assert picture.status == 0 and picture.stderr == ""
    assert picture.messages() == {
        (names["early"], "gch"): ("demande", "2 -> 3", "application"),
        (names["offer"], "c1"): ("billet", "4 -> 5", "channel"),
        (names["late"], "gch"): ("demande", "2 -> 7", "channel"),
        (names["call"], "gch"): ("snapshot", "4 -> 6", "service"),
        (names["call"], "c2"): ("snapshot", "4 -> 5", "service"),
        (names["after"], "gch"): ("demande", "6 -> 8", "application"),
    }


def test_arrows_go_from_dot_to_dot_and_to_the_right(story, draw):
    photograph(story)
    picture = draw()
    dots = picture.dots()
    for group, (identity, receiver) in zip(picture.groups("message"), picture.messages(), strict=True):
        start, tip = ends(group)
        sent, received = dots[identity.split(":")[0], identity], dots[receiver, identity]
        assert start == sent
        assert math.dist(tip, received) == pytest.approx(7.0, abs=0.2)
        assert start[0] < tip[0] < received[0]


def test_what_is_said_of_a_message_and_of_an_event(story, draw):
    names = photograph(story)
    offer = names["offer"]
    picture = draw()
    channel = picture.titles("channel")
    assert f"billet {offer} de gch à c1, H=4 -> 5, rang 2, tour 0 : dans le canal de la coupe" in channel
    assert any(title.startswith(f"c1 reçoit billet {offer}, H=5, 1,") for title in picture.titles("event"))
    picture = draw(language="en")
    assert f"billet {offer} from gch to c1, H=4 -> 5, rank 2, round 0: in the channel of the cut" in picture.titles(
        "channel"
    )
    assert any(title.startswith(f"c1 receives billet {offer}, H=5, 1.") for title in picture.titles("event"))


def test_every_event_shows_its_lamport_time(story, draw):
    photograph(story)
    picture = draw()
    rows = [json.loads(line) for path in story.folder.iterdir() for line in path.read_text().splitlines()]
    shown = [group.findtext(f".//{SVG}text") for group in picture.groups("event")]
    assert sorted(shown) == sorted(str(row["lamport"]) for row in rows)


def test_a_line_for_each_site_the_guichet_first_and_c2_before_c10(story, draw):
    story.start("gch", "c10", "c2")
    names = [group.findtext(f"{SVG}text") for group in draw().groups("site")]
    assert names == ["gch", "c2", "c10"]


def test_the_cut_passes_through_the_records(story, draw):
    photograph(story)
    picture = draw()
    (cut,) = picture.groups("cut")
    line = cut.find(f"{SVG}polyline")
    assert line is not None and cut.findtext(f"{SVG}text") == "coupe du tour 1"
    way = points(line)
    diamonds = [points(group.find(f"{SVG}polygon")) for group in picture.groups("recorded")]
    centres = sorted(((diamond[1][0], diamond[0][1]) for diamond in diamonds), key=lambda centre: centre[1])
    assert way[1:-1] == centres and len(centres) == 3
    assert way[0][0] == way[1][0] and way[-1][0] == way[-2][0]
    assert way[0][1] < way[1][1] and way[-1][1] > way[-2][1]
    (past,) = picture.groups("past")
    area = points(past.find(f"{SVG}polygon"))
    assert [point for point in reversed(area) if point in way] == way
    assert len(picture.groups("future")) == 1


def test_a_heartbeat_that_crosses_the_cut_is_in_no_channel(story, draw):
    story.start("gch", "c1")
    beat = story.send("c1", "gch", "presence")
    story.record("c1", "gch")
    story.receive("gch", beat)
    assert draw().messages() == {(beat, "gch"): ("presence", "2 -> 3", "service")}


def test_two_cuts_and_two_pasts(story, draw):
    story.start("gch", "c1")
    story.record("gch", "c1", round=1)
    story.record("gch", "c1", round=2)
    picture = draw()
    assert [group.findtext(f"{SVG}text") for group in picture.groups("cut")] == ["coupe du tour 1", "coupe du tour 2"]
    newer, older = (points(group.find(f"{SVG}polygon")) for group in picture.groups("past"))
    assert max(x for x, _ in older) < max(x for x, _ in newer)


def test_without_a_snapshot_nothing_is_tinted(story, draw):
    story.start("gch", "c1")
    picture = draw()
    assert not picture.groups("cut") and not picture.groups("past") and not picture.groups("future")
    assert "passé" not in picture.text()


def test_a_site_that_did_not_record_is_passed_over(story, draw):
    story.start("gch", "c1", "c2")
    story.record("gch", "c2")
    (cut,) = draw().groups("cut")
    assert len(points(cut.find(f"{SVG}polyline"))) == 4


def test_of_two_records_in_two_lives_the_later_counts(story, draw):
    """The first life's record was lost with it: what the second life said before its own record was in its past."""
    story.start("gch", "c1")
    story.record("c1")
    story.start("c1")
    arrival = story.send("c1", "gch")
    story.receive("gch", arrival)
    story.record("gch", "c1")
    picture = draw()
    assert picture.status == 0
    (cut,) = picture.groups("cut")
    (x, _) = points(cut.find(f"{SVG}polyline"))[2]
    assert x == max(points(group.find(f"{SVG}polygon"))[1][0] for group in picture.groups("recorded"))


def test_what_never_arrived_ends_half_way_without_a_head(story, draw):
    story.start("gch", "c1", "c2")
    lost = story.send("c2", "gch")
    story.stop("gch", "c1", "c2")
    picture = draw()
    assert picture.messages() == {(lost, "gch"): ("demande", "2 -> ?", "lost")}
    (group,) = picture.groups("lost")
    start, end = ends(group)
    assert group.find(f"{SVG}polygon") is None and group.find(f"{SVG}line").get("stroke-dasharray")
    assert start == picture.dots()["c2", lost]
    gch = float(picture.groups("site")[0].find(f"{SVG}line").get("y1"))
    assert start[0] < end[0] and gch < end[1] < start[1]
    assert picture.status == 0 and "jamais reçu" in picture.text()


def test_what_is_for_everyone_has_an_arrow_to_each_who_was_there(story, draw):
    story.start("gch", "c1", "c2", "c3")
    story.stop("c3")
    word = story.send("gch", "tous", "reset")
    story.receive("c1", word)
    story.start("c4")
    story.stop("c2", "c1", "gch", "c4")
    assert draw().messages() == {
        (word, "c1"): ("reset", "2 -> 3", "service"),
        (word, "c2"): ("reset", "2 -> ?", "lost"),
    }


def test_two_lives_and_a_death(story, draw):
    story.start("gch", "c1")
    greeting = story.send("gch", "tous", "presence")
    story.receive("c1", greeting)
    story.append("c1", '{"t": 1, "site": "c1", "i": 3, "lam')
    story.append("c1", "\n")
    story.start("c1")
    story.receive("c1", greeting)
    story.stop("c1", "gch")
    picture = draw()
    assert picture.status == 0
    assert picture.titles("death") == ["la vie 1 de c1 s'interrompt"]
    _, client = picture.groups("site")
    solid, dotted = ([line for line in client.iter(f"{SVG}line") if bool(line.get("stroke-dasharray")) == is_dotted]
                     for is_dotted in (False, True))  # fmt: skip
    assert len(solid) == 2 and len(dotted) == 1
    assert float(dotted[0].get("x1")) < float(dotted[0].get("x2")) == float(solid[1].get("x1"))


def test_a_relay_is_a_sign_of_life(story, draw):
    """A site that only passed messages on lived until it passed the last one on."""
    story.start("gch", "c1")
    story.write("c1", "relay", 1, id="c2:1.1")
    messages = [story.send("gch", "c1") for _ in range(3)]
    story.write("c1", "relay", 1, id="c2:1.2")
    story.send("gch", "c1")
    story.start("c1")
    picture = draw()
    cross = picture.groups("death")[0].findall(f"{SVG}line")[0]
    _, second, third = (picture.dots()["gch", message][0] for message in messages)
    assert second < third < (float(cross.get("x1")) + float(cross.get("x2"))) / 2


def test_who_said_no_farewell_is_dead_only_when_the_run_is_over(story, draw):
    story.start("gch", "c1", "c2")
    story.send("c1", "gch")
    story.stop("c2")
    story.write("gch", "command", 2, line="etat", ok=True, error="")
    assert not draw().groups("death")
    story.stop("gch")
    assert draw().titles("death") == ["la vie 1 de c1 s'interrompt"]


def test_who_has_left_has_left_though_the_others_go_on(story, draw):
    story.start("gch", "c1")
    story.stop("c1")
    story.send("gch", "tous", "presence")
    story.send("gch", "c1")
    picture = draw()
    line, bar = (picture.groups(kind)[-1].find(f"{SVG}line") for kind in ("site", "stop"))
    assert line.get("x2") == bar.get("x1")


def test_a_life_goes_on_at_both_edges(story, draw):
    story.start("gch", "c1")
    for number in (1, 2, 3):
        story.receive("gch", story.send("c1", "gch"))
        story.record("gch", "c1", round=number)
    story.stop("gch", "c1")
    picture = draw("--de=0.35", "--a=0.75")
    future = points(picture.groups("future")[0].find(f"{SVG}polygon"))
    for site in picture.groups("site"):
        line = site.find(f"{SVG}line")
        assert {float(line.get("x1")), float(line.get("x2"))} == {x for x, _ in future}


def test_numbers_stand_where_no_arrow_passes(story, draw):
    story.start("gch", "c1", "c2")
    word = story.send("c1", "tous", "presence")
    story.receive("gch", word)
    story.receive("c2", word)
    picture = draw()
    for group, side in zip(picture.groups("send") + picture.groups("recv"), (-1, -1, 1), strict=True):
        plate = group.find(f"{SVG}g").get("transform")
        number = float(plate.split()[1].rstrip(")"))
        assert math.copysign(1, number - float(group.find(f"{SVG}circle").get("cy"))) == side, group.findtext(f"{SVG}title")


def test_the_names_of_messages_do_not_cover_each_other(story, draw):
    story.start("gch", "c1")
    messages = [story.send("gch", "c1", "restauration") for _ in range(30)]
    story.receive("c1", *reversed(messages))
    labels = [group.find(f"{SVG}g").get("transform") for group in draw().groups("label")]
    middles = [tuple(map(float, label[len("translate(") :].split(")")[0].split())) for label in labels]
    assert 5 < len(middles) < 30
    assert all(math.dist(one, other) > 19 for index, one in enumerate(middles) for other in middles[:index])


def test_restorations_and_what_they_deliver_again(story, draw):
    story.start("gch", "c1")
    message = story.send("gch", "c1", "billet")
    story.receive("c1", message)
    story.write("c1", "restore", 4, epoch=1, phase="restored", reason="")
    story.write("c1", "redeliver", 4, id=message, peer="gch", type="billet")
    picture = draw()
    assert len(picture.titles("restored")) == len(picture.titles("redeliver")) == 1
    assert "époque 1, H=4" in picture.titles("restored")[0] and message in picture.titles("redeliver")[0]
    assert "délivré de nouveau" in picture.text() and picture.status == 0


def test_relays_and_the_affairs_of_one_site_are_left_out(story, draw):
    story.start("gch", "c1")
    story.write("c1", "relay", 1, id="c2:1.1")
    story.write("c1", "request", 2, request=1, kind="consult", state="asked", ticket="")
    story.write("c1", "snapshot", 2, round=4, phase="closed")
    story.write("c1", "send", 3, id="c1:1.9", peer="gch", type="demande", round=0, epoch=0, phase="odd", rank=1)
    picture = draw()
    assert [group.get("class") for group in picture.groups("event")] == ["event start", "event start", "event send"]


def test_names_that_xml_must_escape(story, draw):
    story.start('<gch> & "co"', "c1")
    story.send("c1", '<gch> & "co"', "l'<offre>]]>&amp;")
    story.write("c1", "send", 3, id="c1:1.2", peer="c1", type="\u0001\u0007")
    story.append(
        "c1", '{"t": 1, "site": "c1", "i": 4, "lamport": 4, "ev": "recv", "id": "\\ud800", "peer": "c1", "type": "x"}'
    )
    picture = draw()
    assert '<gch> & "co"' in [group.findtext(f"{SVG}text") for group in picture.groups("site")]
    assert "\ud800" not in picture.text() and picture.status == 1  # nobody sent that one
    assert picture.titles("lost")[0].startswith('l\'<offre>]]>&amp; c1:1.1 de c1 à <gch> & "co", H=2 -> ?')


def test_the_legend_explains_what_there_is_and_no_more(story, draw):
    photograph(story)
    legend = {group.findtext(f"{SVG}text") for group in draw().groups("legend")}
    assert legend == {
        "message de l'application", "message de service", "dans le canal de la coupe", "événement et son temps de Lamport",
        "état enregistré", "instantané complet", "début ou fin d'une vie", "passé de la coupe", "futur",
    }  # fmt: skip


def test_moments_are_shown_as_they_can_be_asked_for(story, draw):
    story.start("gch")
    story.at = BEGUN + 12.34
    story.start("gch")
    story.stop("gch")
    texts = [text.text for text in draw().root.findall(f"{SVG}text")]
    assert texts[1:] == ["0,00 s", "12,34 s", "12,44 s"]
    assert "12.44 s" in [text.text for text in draw(language="en").root.findall(f"{SVG}text")]


@pytest.mark.parametrize("seed", range(20))
def test_no_two_events_of_a_site_share_a_place_and_no_arrow_goes_back(tmp_path, seed):
    run = read(told(tmp_path, seed).folder)
    messages = arrows(run)
    shown = view(run, messages, {}, Choice())
    layout = arrange(run, in_order(run), shown)
    places = {(event.site, layout.x(event)) for event in shown.events}
    assert len(places) == len(shown.events) > 20
    assert all(layout.left < layout.x(event) < layout.right for event in shown.events)
    for arrow in messages:
        if arrow.send and arrow.receipt:
            assert layout.x(arrow.send) + layout.pitch <= layout.x(arrow.receipt)


def test_the_clocks_on_the_walls_may_disagree(story, draw):
    """Two machines: the receiver's clock is an hour behind."""
    story.start("gch", "c1")
    message = story.send("c1", "gch")
    story.at -= 3600
    story.receive("gch", message)
    picture = draw()
    assert picture.dots()["c1", message][0] < picture.dots()["gch", message][0]


def test_the_same_traces_give_the_same_bytes(tmp_path, draw):
    folder = told(tmp_path, 1).folder
    picture = tmp_path / "picture.svg"
    draw(folder=folder)
    first = picture.read_bytes()
    draw(folder=folder)
    assert picture.read_bytes() == first
