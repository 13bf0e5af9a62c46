"""Pipes, ends, signals and garbage. The law: contract, section 1 and 2, and issue 2, points 5 and 6."""

from __future__ import annotations

import itertools
import os
import random
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lib.core import messages as say
from lib.core import wire
from lib.core.messages import Message
from lib.core.tickets import Search
from tests.processes.ring import (
    CLIENT,
    ENVIRONMENT,
    GUICHET,
    LIMIT,
    ROOT,
    Ring,
    Solo,
    Watched,
    assert_one_holder,
    bytes_in,
    cpu_seconds,
    memory,
    ring,
    solo,
    timetable,
    until,
)

ROWS = ["1001,2027-03-15T07:10,Compiègne,Paris Gare du Nord,15.40,100", "1002,2027-03-15T08:10,Compiègne,Creil,8.20,5"]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Solo]:
    with solo(tmp_path, GUICHET, "--ident=gch", f"--billets={timetable(tmp_path, ROWS)}") as made:
        made.hear(b"volet~arrivee")
        yield made


class Voice:
    """A client that is none: it says, in the words of the line, what a test wants said."""

    def __init__(self, name: str = "c1", header: str = "") -> None:
        self.name, self.header, self._sequence, self._rank, self._clock = name, header, 0, 0, 0

    def say(self, body: say.Body) -> bytes:
        self._sequence += 1
        self._clock += 1
        self._rank += (rank := int(isinstance(body, say.APPLICATION)))
        message = Message(self.name, 5, self._sequence, "gch", self._clock, 0, 0, rank and self._rank, 0, body)
        return wire.encode(message, self.name, self.header) + b"\n"

    def reserve(self, number: int, destination: str = "") -> bytes:
        return self.say(say.Request(self.name, number, True, Search(destination=destination), 1))


# ----------------------------------------------------------------------------------------------------------- full pipes


def test_full_pipes_are_no_deadlock(tmp_path: Path) -> None:
    """ "in a ring where every pipe is full (64 KiB), blocking writers are a deadlock." One site stands still until the
    pipe before it is full and the others queue inside; then everything arrives, in order and whole."""
    with ring(tmp_path / "ring", 3, ROWS) as made:
        frozen = made.clients[0]
        frozen.signal(signal.SIGSTOP)
        for site in made.clients[1:]:
            site.command(*["consulter limite=100"] * 20)
            site.wait(ev="request", request=20)
        for site in made.clients:
            site.command("etat")
        until(lambda: bytes_in(made.inputs[frozen.name]) > 55_000, "the pipe to be full")
        made.gch.state()  # it lives, with a full pipe before it
        assert not made.clients[1].find(ev="request", state="listed")
        frozen.signal(signal.SIGCONT)
        for site in made.clients[1:]:
            for number in range(1, 21):
                listed = site.settled(number)
                assert listed["state"] == "listed" and len(listed["tickets"]) == 100
        for site in made.sites:
            assert not [e for e in site.find(ev="drop") if e["reason"] != "own message come back"], "a line was cut"
        assert frozen.request("reserver", state="owned")
        made.end()


# ----------------------------------------------------------------------------------------------------- AIRPLUG's wiring


ORDERS = list(itertools.permutations(["app1", "app2", "cat1", "cat2"]))


@pytest.mark.parametrize("order", [ORDERS[0], ORDERS[-1], ORDERS[9]], ids=lambda order: "-".join(order))
def test_airplugs_ring_in_any_order_of_start(tmp_path: Path, order: tuple[str, ...]) -> None:
    """ "`./client.py --ident=app2 --auto < in2 > out2` with `cat out1 > in2` between, in any order of start, with the
    empty line that AIRPLUG's ring script sends to wake programs" """
    for fifo in ("in1", "out1", "in2", "out2", "cmd"):
        os.mkfifo(tmp_path / fifo)
    timetable(tmp_path, ROWS)
    python = f"PYTHONPATH={ROOT} exec {sys.executable}"
    lines = {
        "app1": f"{python} {ROOT}/guichet.py --ident=app1 --auto --notk --billets=billets.csv < in1 > out1",
        "app2": f"{python} {ROOT}/client.py --ident=app2 --auto --notk --guichet=app1 --commandes=cmd --trace=t"
        " < in2 > out2",
        "cat1": "exec cat out1 > in2",
        "cat2": "exec cat out2 > in1",
    }
    started = []
    try:
        with open(tmp_path / "log", "ab") as log:
            for name in order:
                started.append(
                    subprocess.Popen(["bash", "-c", lines[name]], cwd=tmp_path, env=ENVIRONMENT, stderr=log, stdin=log)
                )
        until(lambda: (tmp_path / "t").exists() and "start" in (tmp_path / "t").read_text(), "the client to start")
        wake = os.open(tmp_path / "in2", os.O_WRONLY)
        os.write(wake, b"\n")
        os.close(wake)
        with open(tmp_path / "cmd", "wb", buffering=0) as commands:
            commands.write(b"reserver destination=Creil\n")
        until(lambda: '"state":"owned"' in (tmp_path / "t").read_text(), "the ticket")
        assert '"ev":"drop"' not in (tmp_path / "t").read_text(), "the empty line is no line"
        for process, name in zip(started, order, strict=True):
            if name.startswith("app"):
                process.send_signal(signal.SIGTERM)
        ended = {name: process.wait(LIMIT) for process, name in zip(started, order, strict=True)}
        assert ended["app1"] == ended["app2"] == 0
        # The cats end with their neighbours; the one whose reader ends before its writer's last words are said, by SIGPIPE.
        assert {ended["cat1"], ended["cat2"]} <= {0, -signal.SIGPIPE}
    finally:
        for process in started:
            if process.poll() is None:
                process.kill()
                process.wait()


def test_the_three_header_modes_in_one_ring(tmp_path: Path) -> None:
    """ "A site reads all three modes whatever mode it writes." """
    modes = ["--what", "--whatwho", "--whatwhowhere"]
    guichet = [f"--billets={timetable(tmp_path, ROWS)}", "--whatwho", "--dest=NET", "--appname=BIL"]
    mixed = Ring(tmp_path / "mixed", 3, guichet)
    for site, mode in zip(mixed.clients, modes, strict=True):
        site.options = (*site.options, mode)
    try:
        mixed.start()
        for site in mixed.clients:
            assert site.request("reserver destination=Creil", state="owned")
        assert len(assert_one_holder(mixed)) == 3
        assert [reasons(site) for site in mixed.sites] == [[]] * 4
        mixed.end()
    finally:
        mixed.close()


@pytest.mark.parametrize("mode", ["what", "whatwho", "whatwhowhere"])
@pytest.mark.parametrize("delimiter", ["\x07", "/", "|", "&"])
def test_any_delimiter_is_read_and_07_is_written(tmp_path: Path, mode: str, delimiter: str) -> None:
    """ "`D` is `\\x07` when written, and any non-alphanumeric first character other than `^` when read" """
    arguments = ("--ident=gch", f"--billets={timetable(tmp_path, ROWS)}", f"--{mode}", "--dest=NET")
    with solo(tmp_path, GUICHET, *arguments) as gch:
        fields = {"what": [], "whatwho": ["", "CLT", "ALL", ""], "whatwhowhere": ["", "CLT", "ALL", "AIR", ""]}[mode]
        gch.tell(Voice(header=delimiter.join(fields)).reserve(1, "Creil"))
        line = gch.hear(b"statut~offre")
        starts = {"what": b"^", "whatwho": b"\x07GCH\x07NET\x07^", "whatwhowhere": b"\x07GCH\x07NET\x07AIR\x07^"}
        assert line.startswith(starts[mode]) and line.endswith(b"^")
        assert len(line) < 1440


# ------------------------------------------------------------------------------------------------------------- the ends


def test_the_end_of_stdin_is_the_end_without_a_command_pipe(tmp_path: Path, office: Solo) -> None:
    """ "without, it writes what it still has to write and ends with status 0" """
    listing = say.Request("c1", 1, False, Search(), 100)
    office.tell(Voice().say(listing) + b"^cut off")
    assert office.process.stdin is not None
    office.process.stdin.close()
    assert office.ended() == 0
    assert len([line for line in office.said if b"statut~consultation" in line]) == 100
    assert b"volet~depart" in office.said[-1]
    assert "Traceback" not in office.log()


def test_the_commands_of_a_file_are_carried_out_even_when_stdin_is_over_at_once(tmp_path: Path) -> None:
    """`--commandes=PATH` (commands are read from this FIFO or file): all of them."""
    lines = ["consulter depart=Compiègne destination=Creil"] * 3000 + ["reserver destination=Creil"]
    (tmp_path / "commands").write_text("\n".join(lines))  # the last without its newline
    with solo(tmp_path, CLIENT, "--ident=c1", "--commandes=commands", stdin=subprocess.DEVNULL) as client:
        assert client.ended() == 0
        asked = {found[1] for line in client.said if (found := re.search(rb"type~demande\^.*\^demande~(\d+)", line))}
        assert len(asked) == 3001, "where the machine is slow, some are said again"


def test_with_a_command_pipe_the_site_stays_says_so_and_costs_no_cpu(tmp_path: Path) -> None:
    """ "End of stdin: with a window or a command pipe the site stays, and shows that its upstream neighbour is gone".
    measured.md: "an ignored EOF is a busy loop (188,000 empty reads/s)"."""
    site = Watched(tmp_path, "c1", CLIENT, [])
    reading, writing = os.pipe()
    out_reading, out_writing = os.pipe()
    try:
        site.start(reading, out_writing)
        os.close(reading)
        os.close(out_writing)
        os.close(writing)
        until(lambda: "amont" in site.log(), "the site to say that its neighbour is gone")
        assert site.state()["requests"] == []
        assert_idle(site)
        assert site.ask("quitter")["ok"]
        assert site.ended() == 0
    finally:
        site.close()
        os.close(out_reading)


def assert_idle(site: Watched) -> None:
    """Over 1.5 s in which it is told nothing, a site uses next to nothing."""
    before, since = cpu_seconds(site.pid), site.mark()
    with pytest.raises(AssertionError):
        site.wait(since, limit=1.5, ev="state")
    assert cpu_seconds(site.pid) - before < 0.15


def test_an_idle_ring_costs_no_cpu(tmp_path: Path) -> None:
    with ring(tmp_path / "ring", 2, ROWS) as made:
        made.clients[0].request("reserver", state="owned")
        assert_idle(made.clients[1])
        made.end()


def test_a_fifo_that_finds_a_new_writer_is_heard_again(tmp_path: Path) -> None:
    """measured.md: "EOF on a FIFO is not final: a new writer makes it live again"."""
    os.mkfifo(tmp_path / "in")
    site = Watched(tmp_path, "gch", GUICHET, [f"--billets={timetable(tmp_path, ROWS)}"])
    held = os.open(tmp_path / "in", os.O_RDONLY | os.O_NONBLOCK)
    out_reading, out_writing = os.pipe()
    try:
        first = os.open(tmp_path / "in", os.O_WRONLY)
        site.start(held, out_writing)
        os.close(held)
        os.close(first)
        voice = Voice()
        for number in (1, 2):
            until(lambda number=number: site.log().count("amont") == number, "the end to be noticed")
            writer = os.open(tmp_path / "in", os.O_WRONLY)
            os.write(writer, voice.reserve(number, "Creil"))
            os.close(writer)
            site.wait(ev="ticket", state="held", request=number)
        until(lambda: site.log().count("amont") == 3, "the end to be noticed")
        assert_idle(site)
        site.ask("quitter")
        assert site.ended() == 0
    finally:
        site.close()
        os.close(out_reading)
        os.close(out_writing)


def test_a_closed_stdout_is_reported_never_a_traceback(tmp_path: Path, office: Solo) -> None:
    assert office.process.stdout is not None and office.process.stdin is not None
    office.process.stdout.close()
    office.process.stdin.write(Voice().reserve(1))
    until(lambda: "sortie" in office.log(), "the broken stdout to be reported")
    office.process.stdin.close()
    assert office.process.wait(LIMIT) == 0
    assert "Traceback" not in office.log() and office.log().count("sortie") == 1


@pytest.mark.parametrize("redirection", ["<&-", "</dev/null >&-", "<garbage 2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("program", [GUICHET, CLIENT])
def test_descriptors_closed_from_the_start(tmp_path: Path, redirection: str, program: str) -> None:
    """`<&-` and `>&-`, as cron, daemons and window managers do: an input that is over; an output that nobody reads; a
    complaint that nobody hears."""
    (tmp_path / "garbage").write_text("garbage\n")
    tickets = f"--billets={timetable(tmp_path, ROWS)}" if program == GUICHET else ""
    command = f"exec {sys.executable} {ROOT / program} --notk --ident=x --donnees=d {tickets} {redirection}"
    done = subprocess.run(["bash", "-c", f"timeout -s KILL 5 bash -c '{command}'"], cwd=tmp_path, env=ENVIRONMENT,
                          capture_output=True, check=False)  # fmt: skip
    assert done.returncode == 0, "it does not end" if done.returncode in (137, -9) else done.stderr
    assert b"Traceback" not in done.stderr


def test_an_input_that_breaks_is_an_input_that_is_over(tmp_path: Path) -> None:
    """A terminal that is gone, a disk that fails: `read` gives EIO. Here, a process's memory at the address 0."""
    options = (f"--billets={timetable(tmp_path, ROWS)}", "--commandes=/proc/self/mem")
    with open("/proc/self/mem", "rb") as broken, solo(tmp_path, GUICHET, *options, stdin=broken) as site:
        assert site.ended() == 0, site.log()
        assert "Traceback" not in site.log()


@pytest.mark.parametrize("encoding", ["ascii", "latin-1:strict"])
def test_help_where_accents_cannot_be_written(tmp_path: Path, encoding: str) -> None:
    environment = ENVIRONMENT | {"PYTHONIOENCODING": encoding}
    for arguments in (["--help"], ["--liste=."]):
        done = subprocess.run([sys.executable, str(ROOT / GUICHET), *arguments], cwd=tmp_path, env=environment,
                              capture_output=True, check=False)  # fmt: skip
        assert (done.returncode, done.stderr) == (0, b""), done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("program", [GUICHET, CLIENT])
def test_signals_end_a_site_in_good_order(tmp_path: Path, number: int, program: str) -> None:
    """ "Exit status: 0 normal end (window closed, `quitter`, SIGTERM, SIGINT)" """
    options = [f"--billets={timetable(tmp_path, ROWS)}"] if program == GUICHET else []
    with solo(tmp_path, program, "--trace=t", "--ident=x", *options) as site:
        site.hear(b"volet~arrivee")
        site.process.send_signal(number)
        assert site.ended() == 0
        assert b"volet~depart" in site.said[-1]
        assert '"ev":"stop"' in (tmp_path / "t").read_text().splitlines()[-1]
        assert "Traceback" not in site.log()


def test_a_site_that_nobody_reads_can_still_be_ended(tmp_path: Path, office: Solo) -> None:
    """ "A site never blocks on a write", not even to say goodbye."""
    assert office.process.stdin is not None
    for number in range(1, 6):
        office.process.stdin.write(Voice(f"c{number}").say(say.Request(f"c{number}", 1, False, Search(), 100)))
    stdout = office.process.stdout
    assert stdout is not None
    until(lambda: bytes_in(stdout.fileno()) > 55_000, "its stdout to be full")
    office.process.send_signal(signal.SIGTERM)
    assert office.process.wait(LIMIT) == 0


@pytest.mark.parametrize(
    "option",
    [
        "--billets=missing.csv",
        "--donnees=file",
        f"--donnees={'long' * 80}",
        "--commandes=missing",
        "--commandes=.",
        "--trace=missing/t",
    ],
)
def test_files_that_cannot_be_used_are_one_line_and_status_2(tmp_path: Path, option: str) -> None:
    """ "2 options or files that cannot be used, with one line that names the option or file" """
    (tmp_path / "file").write_text("mine")
    options = (f"--billets={timetable(tmp_path, ROWS)}", "--ident=gch", "--verbose=0", option)
    with solo(tmp_path, GUICHET, *options, stdin=subprocess.DEVNULL) as site:
        assert site.ended() == 2, site.log()
        assert site.said == [] and site.log().count("\n") == 1, site.log()
        assert option.split("=")[1] in site.log()


# -------------------------------------------------------------------------------------------------------------- garbage

GOOD = Voice("c9").reserve(1)[:-1]


def garbage() -> dict[str, bytes]:
    chance = random.Random(7)

    def changed(key: bytes, value: bytes) -> bytes:
        return re.sub(key + b"~[^^]*", lambda _: key + b"~" + value, GOOD, count=1)

    numbers = [b"-1", b"0", b"1e9", b"9" * 400, "²".encode(), "٣".encode(), b"", b" 1", b"0x1", b"1.5", b"NaN"]
    lines = {
        "random bytes": b"\n".join(chance.randbytes(chance.randrange(300)) for _ in range(200)),
        "cut lines": b"\n".join(GOOD[:n] for n in range(1, len(GOOD) - 1)),
        "1 MB lines": b"x" * 2**20 + b"\n" + b"^" + b"a~b^" * 2**18 + b"\n" + b"\x00" * 2**20,
        "bad numbers": b"\n".join(
            changed(key, number)
            for key in b"numero estampille instantane epoque rang demande limite reservation".split()
            for number in numbers
        ),
        "unknown types": b"\n".join(changed(b"type", kind) for kind in (b"", b"bonjour", b"x" * 300, "é".encode())),
        "bad names": b"\n".join(
            changed(key, name)
            for key in (b"transmettant", b"emetteur", b"destinataire", b"demandeur")
            for name in (b"", b"tous", b"a b", b"x" * 33, "é".encode(), b"../c1")
        ),
        "only marks": b"^\n~\n^^^^\n^~^\n^~~~^\n%\n^a~%^\n^type^\n\x07\x07\x07\x07\n///\n\r\n \n\t",
        "fields twice and missing": GOOD + GOOD[1:] + b"\n" + b"\n".join(
            re.sub(b"\\^" + key + b"~[^^]*", b"", GOOD, count=1)
            for key in (b"transmettant", b"emetteur", b"numero", b"destinataire", b"type", b"estampille", b"rang")
        ),
    }  # fmt: skip
    return {name: data + b"\n" for name, data in lines.items()}


@pytest.mark.parametrize("kind", garbage())
def test_garbage_then_a_normal_request_is_served(tmp_path: Path, office: Solo, kind: str) -> None:
    """ "Input is never trusted [...]. The next good line is handled as if nothing had happened." """
    office.tell(garbage()[kind])
    office.tell(Voice("c1").reserve(1, "Creil"))
    line = office.hear(b"destinataire~c1^")
    assert b"statut~offre" in line and b"billet~B0101" in line
    # A forger may take another's name; what he cannot do is to end the site or to make it say what is no line.
    for line in office.said:
        assert line.startswith(b"^transmettant~gch^") and line.endswith(b"^") and len(line) < 4096
    assert office.process.stdin is not None
    office.process.stdin.close()
    assert office.ended() == 0
    assert "Traceback" not in office.log()


def test_our_own_messages_come_back(office: Solo) -> None:
    """ "It drops [...] what comes back to its emetteur"."""
    office.tell(Voice().reserve(1, "Creil"))
    offer = office.hear(b"statut~offre")
    count = len(office.said)
    for forwarder in (b"c1", b"gch", b"c2"):
        office.tell(offer.replace(b"transmettant~gch", b"transmettant~" + forwarder) + b"\n")
    office.tell(Voice("c2").reserve(1, "Creil"))
    office.hear(b"destinataire~c2^", count)
    assert [line for line in office.said[count:] if b"emetteur~gch^" in line and b"destinataire~c1^" in line] == []


def test_a_line_said_twice_is_answered_once_by_the_relay(office: Solo) -> None:
    line = Voice().reserve(1, "Creil")
    office.tell(line * 5)
    office.tell(Voice("c2").reserve(1, "Creil"))
    office.hear(b"destinataire~c2^")
    assert len([line for line in office.said if b"destinataire~c1^" in line]) == 1


def test_no_memory_for_lines_without_end(office: Solo) -> None:
    office.tell(b"x" * 2**20)
    before = memory(office.process.pid)
    office.tell(b"x" * (16 * 2**20) + b"\n" + Voice().reserve(1))
    office.hear(b"statut~offre")
    assert memory(office.process.pid) - before < 4 * 2**20


def test_a_thousand_bad_lines_do_not_flood_stderr(office: Solo) -> None:
    """ "is dropped, counted and logged with its reason (the log is rate-limited)" """
    office.tell(b"bonjour\n" * 1000)
    office.tell(Voice().reserve(1))
    office.hear(b"statut~offre")
    complaints = [line for line in office.log().splitlines() if "bonjour" in line]
    assert 1 <= len(complaints) <= 20


def test_what_is_dropped_is_counted_and_traced_with_its_reason(tmp_path: Path) -> None:
    with ring(tmp_path / "ring", 1, ROWS) as made:
        os.write(made.inputs["gch"], b"\xff\xfe\n^type~x^\n" + b"y" * 4096 + b"\n")
        until(lambda: len(reasons(made.gch)) >= 3, "three drops")
        assert "too long" in reasons(made.gch) and "not utf-8" in reasons(made.gch)
        assert made.gch.state()["lines"]["dropped"] >= 3
        assert made.clients[0].request("reserver", state="owned")


def reasons(site: Watched) -> list[Any]:
    return [event["reason"] for event in site.find(ev="drop") if event["reason"] != "own message come back"]


def test_safe_mode_stops_at_the_first_malformed_line(tmp_path: Path) -> None:
    """`--safemode` "(stop at the first malformed line)" """
    with solo(tmp_path, CLIENT, "--ident=c1", "--safemode") as client:
        client.hear(b"volet~arrivee")
        client.tell(b"\nbonjour\n")
        assert client.ended() == 2
        assert "--safemode" in client.log() and "bonjour" in client.log()
