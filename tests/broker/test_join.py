"""`join.sh`, one machine: what it is told, how it ends, and what becomes of a site that comes and goes."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lib.broker import programs
from lib.broker.carrier import FAREWELL
from lib.broker.join import _forget, _value_of
from lib.broker.member import Member
from tests.broker.machines import JOIN, Machine, System, children, command_line, needs_broker, system
from tests.processes.ring import ENVIRONMENT, LIMIT, until

pytestmark = needs_broker


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with system(tmp_path_factory.mktemp("join"), "gch -- c1\ngch -- c2\n", "gch") as made:
        yield made


@pytest.fixture
def c1(made: System, tmp_path: Path) -> Iterator[Machine]:
    """One client, in a folder of this test."""
    machine = Machine(tmp_path, "c1", made.broker.archive("c1"))
    try:
        machine.join()
        yield machine
    finally:
        machine.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_in_good_order_and_its_last_words_arrive(made: System, c1: Machine, number: int) -> None:
    assert c1.request("reserver", state="owned")
    since, processes = made.gch.mark(), children(c1.pid)
    assert len(processes) == 4
    c1.signal(number)
    assert c1.ended() == 0
    made.gch.wait(since, ev="recv", type="presence", peer="c1")
    assert not any(Path(f"/proc/{pid}").exists() for pid in processes)
    assert c1.find(ev="stop")


def test_last_words_are_waited_for(made: System, c1: Machine) -> None:
    """They are in the pipe still, and `mosquitto_pub` is slow to take them."""
    since = made.gch.mark()
    programs = {command_line(pid).split()[-1]: pid for pid in children(c1.pid) if "client.py" not in command_line(pid)}
    (writer,) = (pid for name, pid in programs.items() if name.endswith("mosquitto_pub"))
    os.kill(writer, signal.SIGSTOP)
    c1.command("quitter")
    until(lambda: len(children(c1.pid)) == 3, "the end of the site itself")
    os.kill(writer, signal.SIGCONT)
    assert c1.ended() == 0
    made.gch.wait(since, ev="recv", type="presence", peer="c1")


def test_who_took_its_leave_is_not_waited_for(made: System, c1: Machine) -> None:
    """The broker forgets it: what is said meanwhile would wait for ever, perhaps."""
    since = len(made.broker.journal())
    c1.command("quitter")
    assert c1.ended() == 0
    made.broker.heard(r"New client connected from \S+ as c1.lit \(p2, c1,", since)  # c1: a clean session


def test_killed_it_takes_everything_with_it_and_comes_back_with_what_it_had(made: System, c1: Machine) -> None:
    ticket = c1.request("reserver", state="owned")["ticket"]
    processes = children(c1.pid)
    c1.kill()
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in processes), "all of it to end")
    c1.join()
    c1.wait_for_link("joignable")
    assert ticket in [held["id"] for held in c1.state()["tickets"]]
    assert c1.request(f"rendre billet={ticket}", state="returned")


def test_a_site_that_dies_ends_it_and_says_how(c1: Machine) -> None:
    site = next(pid for pid in children(c1.pid) if "client.py" in command_line(pid))
    subprocess.run(["kill", "-9", str(site)], check=True)
    assert c1.ended() == 128 + signal.SIGKILL, "as a shell would have it"


def test_mosquittos_programs_are_begun_again_for_ever(made: System, c1: Machine) -> None:
    for _ in range(2):
        c1.wait_for_link("joignable")
        before = {pid for pid in children(c1.pid) if "client.py" not in command_line(pid)}
        assert len(before) == 3
        for pid in before:
            subprocess.run(["kill", "-9", str(pid)], check=True)
        until(lambda before=before: len({*children(c1.pid)} - before) == 4, "three others")
    assert c1.request("reserver", state="owned")


def run(*arguments: str | Path, typed: str = "") -> subprocess.CompletedProcess[str]:
    """`join.sh` with these arguments, and these commands."""
    return subprocess.run(
        [JOIN, *arguments], input=typed, env=ENVIRONMENT, capture_output=True, text=True, timeout=LIMIT, check=False
    )


def test_without_a_window_commands_are_what_is_typed(made: System, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    done = run(
        made.broker.archive("c2"), "--dossier", tmp_path / "c2", "--notk", f"--trace={trace}", typed="etat\nquitter\n"
    )
    assert done.returncode == 0, done.stderr
    assert '"ev":"state"' in trace.read_text()
    assert "c2 : détient 0 billet" in done.stdout


def test_without_a_window_what_happens_is_told_and_an_earlier_life_is_not(made: System, tmp_path: Path) -> None:
    """An offer has to be seen to be confirmed; its own trace, where none is asked for, goes on."""
    command = [
        JOIN,
        made.broker.archive("c2"),
        "--dossier",
        tmp_path / "c2",
        "--notk",
        "--confirmation=manuelle",
        "--lang=fr",
    ]
    for life in (1, 2):
        with subprocess.Popen(command, env=ENVIRONMENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            watchdog = threading.Timer(LIMIT, process.kill)
            watchdog.start()
            assert process.stdin is not None and process.stdout is not None

            def answered(typed: str, wanted: str, process: subprocess.Popen[str] = process) -> str:
                process.stdin.write(f"{typed}\n")  # type: ignore[union-attr]
                process.stdin.flush()  # type: ignore[union-attr]
                seen = ""
                for line in process.stdout:  # type: ignore[union-attr]
                    seen += line
                    if wanted in line:
                        return seen
                raise AssertionError(f"no {wanted!r} in {seen}")

            if life == 1:
                answered("reserver", "c2 : demande 1 offerte, billet B00")
                answered("confirmer demande=1", "est à c2")
            else:
                seen = answered("etat", "c2 : détient 1 billet")
                assert "offerte" not in seen and "train" in next(process.stdout)
            process.stdin.write("quitter\n")
            process.stdin.flush()
            assert process.wait(LIMIT) == 0
            watchdog.cancel()


@pytest.mark.parametrize(
    ("options", "value"),
    [([], ""), (["--trace=a"], "a"), (["--trace", "b"], "b"), (["--trace=a", "--trace", "b"], "b"), (["--trace"], "")],
)
def test_what_the_options_say_of_the_trace(options: list[str], value: str) -> None:
    """None at all is what most people give: `join.sh c1.tar`."""
    assert _value_of("--trace", options) == value


def test_the_archive_alone_is_enough(made: System, tmp_path: Path) -> None:
    """The line that everybody is told to type; without a display it has no window."""
    done = run(made.broker.archive("c2"), "--dossier", tmp_path / "c2", typed="etat\nquitter\n")
    assert done.returncode == 0 and "c2 : détient" in done.stdout, done.stderr


def test_one_folder_is_for_one_site_at_a_time(made: System, c1: Machine) -> None:
    done = run(made.broker.archive("c1"), "--dossier", c1.folder, "--notk")
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert done.stderr.startswith("join.sh : ") and "tourne déjà ici" in done.stderr


def test_an_archive_that_others_can_read_is_noticed(made: System, tmp_path: Path) -> None:
    """But used: on a USB stick, the modes of files cannot be changed."""
    archive = tmp_path / "c2.tar"
    archive.write_bytes(made.broker.archive("c2").read_bytes())
    for mode, lines in ((0o600, 0), (0o640, 1), (0o604, 1)):
        archive.chmod(mode)
        done = run(archive, "--dossier", tmp_path / "c2", "--notk", typed="quitter\n")
        assert done.returncode == 0 and done.stderr.count("chmod 600") == lines, done.stderr


def test_to_be_forgotten_is_worth_no_long_wait(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A cable cut far away swallows the question, and who presses Ctrl-C wants to go."""
    waits = []
    monkeypatch.setattr(programs, "run", lambda *_, patience=programs.PATIENCE, **__: waits.append(patience))
    _forget(Member("c1", "gch", "h", 1, "password", ("gch",), ("gch",)), tmp_path)
    assert waits == [FAREWELL]


def test_what_is_wrong_with_the_sites_own_options_is_said_by_the_site(made: System, tmp_path: Path) -> None:
    done = run(made.broker.archive("c2"), "--dossier", tmp_path / "c2", "--notk", "--patience=never")
    assert done.returncode == 2 and "--patience" in done.stderr


def test_a_second_machine_with_the_same_archive_is_told_so(made: System, c1: Machine, tmp_path: Path) -> None:
    """Each throws the other out; the broker cannot know which is the right one, but both can say what is wrong."""
    (tmp_path / "other").mkdir()
    other = Machine(tmp_path / "other", "c1", made.broker.archive("c1"))
    try:
        other.join()
        other.wait_for_link("dispute")
        c1.wait_for_link("dispute")
    finally:
        other.close()
