"""What may be chosen, what is refused, and how: one line that says what to do."""

from __future__ import annotations

import json
import os
import time

import pytest

from lib.diagram import __main__ as diagram
from lib.diagram.choice import MAX_EVENTS, Moment
from tests.diagram.conftest import BEGUN, Story
from tests.diagram.test_picture import photograph


@pytest.fixture
def three(story) -> list[str]:
    """Three messages, received at 0.3, 10.1 and 20.1 seconds."""
    story.start("gch", "c1")
    names = []
    for moment in (0.2, 10.0, 20.0):
        story.at = BEGUN + moment
        names.append(story.send("c1", "gch"))
        story.receive("gch", names[-1])
    return names


def shown(picture) -> list[str]:
    return [identity for identity, _ in picture.messages()]


def on_the_wall(seconds: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(BEGUN + seconds))


@pytest.mark.parametrize(
    "options, expected",
    [
        ((), [0, 1, 2]),
        (("--de=5",), [1, 2]),
        (("--a=5",), [0]),
        (("--de=5,5", "--a=15.5"), [1]),
        ((f"--de={on_the_wall(5)}",), [1, 2]),
        ((f"--de={on_the_wall(5)}", f"--a={on_the_wall(12)}"), [1]),
        ((f"--de={on_the_wall(-60)}", f"--a={on_the_wall(1)},5"), [0]),
    ],
)
def test_a_moment(three, draw, options, expected):
    assert shown(draw(*options)) == [three[index] for index in expected]


def test_a_message_is_whole_when_one_of_its_ends_is_chosen(three, draw):
    """Received at 10.1 s, and nothing else."""
    assert shown(draw("--de=10.05", "--a=10.2")) == [three[1]]
    assert len(draw("--de=10.05", "--a=10.2").dots()) == 2


@pytest.mark.parametrize("zone", ["UTC", "Europe/Paris", "Pacific/Kiritimati"])
def test_a_run_may_pass_midnight(monkeypatch, zone):
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        evening = time.mktime((2026, 11, 22, 23, 59, 50, 0, 0, -1))
        assert Moment(5.0, on_the_wall=True).after(evening) == evening + 15
        assert Moment(23 * 3600 + 59 * 60 + 40.0, on_the_wall=True).after(evening) == evening - 10
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_round(story, draw):
    names = photograph(story)
    story.at += 60
    story.start("gch", "c1")
    story.send("c1", "gch")
    story.record("gch", "c1", round=2)
    picture = draw("--tour=1")
    assert set(shown(picture)) == {names[name] for name in ("offer", "late", "call", "after")}
    assert [group.get("class") for group in picture.groups("cut")] == ["cut"]
    assert len(draw("--tour", "2").groups("recorded")) == 2
    assert len(draw("--tour=1-2").groups("cut")) == len(draw("--tour=0-9").groups("cut")) == 2


def test_a_round_lasts_until_everyone_knows_of_its_end(story, draw):
    story.start("gch", "c1")
    story.record("c1", "gch")
    end = story.send("gch", "tous", "reset", round=1)
    story.receive("c1", end)
    story.write("c1", "snapshot", story.clocks["c1"], round=1, phase="closed")
    later = story.send("c1", "gch")
    story.receive("gch", later)
    assert shown(draw("--tour=1")) == [end]


def test_a_round_lasts_until_its_channels_are_empty(story, draw):
    """It was closed without a message that had been sent before anybody recorded."""
    story.start("gch", "c1")
    slow = story.send("c1", "gch")
    story.record("c1", "gch")
    story.write("gch", "snapshot", 2, round=1, phase="incomplete", file="x.json", missing=["c1 -> gch n°1"])
    story.receive("gch", slow)
    assert draw("--tour=1").messages() == {(slow, "gch"): ("demande", "2 -> 3", "channel")}


def test_sites_and_types(story, draw):
    names = photograph(story)
    assert set(shown(draw("--sites=gch,c2"))) == {names[name] for name in ("late", "after")}
    assert len(draw("--sites=c2,gch").groups("site")) == 2
    assert shown(draw("--types=billet")) == [names["offer"]]
    assert set(shown(draw("--types=billet,snapshot"))) == {names["offer"], names["call"]}
    assert names["call"] not in shown(draw("--sans=snapshot")) != []
    assert len(draw("--sites=gch,c1").groups("recorded")) == 2


@pytest.mark.parametrize(
    "option, words",
    [
        ("--tour=7", "--tour : aucun instantané de ce tour dans ces traces ; il y a 1"),
        ("--tour=x", "--tour : 'x' n'est pas possible ; donnez un tour (3) ou plusieurs (3-5)"),
        ("--tour=", "--tour : '' n'est pas possible"),
        ("--tour=³", "--tour : '³' n'est pas possible"),
        ("--sites=c7", "--sites : c7 n'est pas dans ces traces ; il y a c1, c2, gch"),
        ("--types=bilet", "--types : bilet n'est pas dans ces traces ; il y a billet, demande, snapshot"),
        ("--sans=bilet", "--sans : bilet n'est pas dans ces traces"),
        ("--de=soon", "--de : 'soon' n'est pas possible ; donnez des secondes (2,5) ou une heure (19:12:31)"),
        ("--a=inf", "--a : 'inf' n'est pas possible"),
        ("--a=-1", "rien à montrer dans ce choix ; ces traces vont de "),
        ("--de=1000", "soit de 0 à 2 s"),
        ("--couleur", "--couleur : option inconnue"),
        ("-x", "-x : option inconnue"),
        ("--tour", "--tour : option inconnue, ou sa valeur manque"),
        ("--shiviz=1", "--shiviz : option inconnue, ou sa valeur manque ou est de trop"),
        ("other", "il faut un dossier de traces, un seul"),
    ],
)
def test_what_cannot_be_is_one_line(story, refusal, option, words):
    photograph(story)
    assert words in refusal(option)


def test_a_language_that_is_not_there(story, capsys):
    story.start("gch")
    assert diagram.main([str(story.folder), "--lang=de"]) == 2
    assert "'de'" in capsys.readouterr().err


def test_no_folder_at_all(capsys, monkeypatch):
    monkeypatch.setenv("LC_ALL", "en_GB.UTF-8")
    assert diagram.main([]) == 2
    assert "one folder of traces is needed" in capsys.readouterr().err


def test_help_in_both_languages(capsys):
    for language, word in (("fr", "Usage :"), ("en", "Usage:")):
        assert diagram.main(["--help", "--lang", language]) == 0
        assert capsys.readouterr().out.startswith(f"{word} python3 -m lib.diagram ")


# ------------------------------------------------------------------------------------------------------------- the files


def test_a_folder_without_traces(story, refusal, tmp_path):
    (story.folder / "c1.log").write_text("hello\n")
    (story.folder / "notes.jsonl").write_text('{"t": 1, "site": "c1", "i": 1, "lamport": 1, "ev": "start"}\n')
    assert "aucune trace" in refusal()
    assert "n'existe pas" in refusal(folder=tmp_path / "nowhere")
    assert "n'existe pas" in refusal(folder=story.folder / "c1.log")


@pytest.mark.parametrize(
    "line",
    [
        "not JSON",
        "[]",
        "[" * 100_000,
        '{"t": 1e999, "site": "c1", "i": 1, "lamport": 1, "ev": "send"}',
        '{"t": NaN, "site": "c1", "i": 1, "lamport": 1, "ev": "send"}',
        '{"t": -5, "site": "c1", "i": 1, "lamport": 1, "ev": "send"}',
        '{"t": 1e300, "site": "c1", "i": 1, "lamport": 1, "ev": "send"}',
        '{"t": "1", "site": "c1", "i": 1, "lamport": 1, "ev": "send"}',
        '{"t": 1, "site": "c1", "i": 1, "lamport": "1", "ev": "send"}',
        '{"t": 1, "site": "c1", "i": 1, "lamport": -1, "ev": "send"}',
        '{"t": 1, "site": "", "i": 1, "lamport": 1, "ev": "send"}',
        '{"t": 1, "site": 5, "i": 1, "lamport": 1, "ev": "send"}',
        '{"t": 1, "site": "c1", "i": 1, "lamport": 1}',
        "9" * 5000,
    ],
)
def test_lines_that_are_none_are_passed_over_and_counted(story, draw, line):
    story.start("gch", "c1")
    story.append("c1", line + "\n")
    story.start("c1")
    picture = draw()
    assert picture.status == 0 and len(picture.groups("event")) == 3
    assert picture.stderr == "diagram: c1.trace.jsonl : ligne(s) illisible(s) laissée(s) de côté : 1\n"


def test_fields_of_a_wrong_type_are_as_if_they_lacked(story, draw):
    story.start("gch", "c1")
    story.write("c1", "send", 2, id=["c1:1.1"], peer={}, type=3, round="1", rank=None)
    assert draw().status == 0


def test_foreign_files_do_no_harm(story, draw):
    story.start("gch", "c1")
    (story.folder / "photo.trace.jsonl").write_bytes(bytes(range(256)) * 20)
    (story.folder / "folder.trace.jsonl").mkdir()
    os.mkfifo(story.folder / "pipe.trace.jsonl")
    picture = draw()
    assert picture.status == 0 and len(picture.groups("site")) == 2
    assert "photo.trace.jsonl" in picture.stderr


def test_a_last_line_that_is_cut_is_not_worth_a_word(story, draw):
    story.start("gch", "c1")
    story.append("c1", '{"t": 1, "site": "c1", "i": 2, "lamp')
    assert draw().stderr == ""


def test_a_picture_that_cannot_be_written(story, capsys):
    story.start("gch")
    assert diagram.main([str(story.folder), "-o", str(story.folder / "no" / "where.svg"), "--lang=fr"]) == 2
    assert "donnez un fichier où l'on peut écrire (-o)" in capsys.readouterr().err


def test_without_a_file_the_picture_goes_to_stdout(story, capfdbinary):
    story.start("gch")
    assert diagram.main([str(story.folder)]) == 0
    assert capfdbinary.readouterr().out.startswith(b"<svg ")


# --------------------------------------------------------------------------------------------------------------- too much


@pytest.fixture
def many(story) -> Story:
    """50,000 messages in 5,000 seconds."""
    story.start("gch", "c1")
    with (story.folder / "c1.trace.jsonl").open("a") as file:
        for number in range(50_000):
            row = {"t": BEGUN + number / 10, "site": "c1", "i": number + 2, "lamport": number + 2, "ev": "send"}
            file.write(json.dumps(row | {"id": f"c1:1.{number}", "peer": "gch", "type": "demande"}) + "\n")
    return story


def test_fifty_thousand_events_are_refused_with_advice(many, refusal, draw):
    complaint = refusal()
    assert complaint.startswith(f"diagram: 50002 événements, c'est trop pour un dessin ({MAX_EVENTS} au plus)")
    assert all(option in complaint for option in ("--tour=", "--de=", "--a=", "--sites", "--types", "--sans", "sur 5000 s"))
    assert refusal(language="en").startswith("diagram: 50002 events are too many")
    assert len(shown(draw("--de=10", "--a=20"))) == pytest.approx(100, abs=2)


def test_shiviz_takes_any_number(many, tmp_path):
    output = tmp_path / "shiviz.log"
    assert diagram.main([str(many.folder), "--shiviz", "-o", str(output)]) == 0
    assert output.read_text().count("\n") == 2 + 2 * 50_002
