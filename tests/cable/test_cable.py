"""`cable.py` itself: what it does to files, pipes and FIFOs, and what it is told meanwhile."""

from __future__ import annotations

import array
import fcntl
import os
import re
import select
import signal
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO

import pytest

from lib.edge.streams import Output

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 60.0  # seconds for anything to happen on a busy machine
ENVIRONMENT = os.environ | {"LC_ALL": "fr_FR.UTF-8"}


def command(*options: str) -> list[str]:
    return [sys.executable, "-S", str(ROOT / "cable.py"), *options]


def cable(*options: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """A filter: what it makes of `given`."""
    return subprocess.run(command(*options), input=given, capture_output=True, timeout=LIMIT, env=ENVIRONMENT, check=False)


def numbers(count: int) -> bytes:
    return b"".join(b"%d\n" % number for number in range(count))


# ------------------------------------------------------------------------------------------------------------ a filter


def test_without_settings_nothing_is_changed():
    done = cable(given=numbers(100_000))
    assert (done.returncode, done.stdout) == (0, numbers(100_000))
    assert done.stderr.decode().startswith("sortie : 100000 lues, 100000 livrées, 0 perdues")


def test_the_same_seed_gives_the_same_lines():
    spoilt = ("--perte=0.1", "--doublon=0.1", "--desordre=0.2", "--gigue=5", "--graine=7")
    first, again, other = (
        cable(*spoilt, given=numbers(2000)).stdout,
        cable(*spoilt, given=numbers(2000)).stdout,
        cable(*spoilt, "--graine=8", given=numbers(2000)).stdout,
    )
    assert first == again != other
    assert first != numbers(2000) and 1800 < first.count(b"\n") < 2200


def test_a_rate_is_kept_and_nothing_is_lost_for_it():
    """A file of 20,000 bytes at 100,000 bytes a second."""
    began = time.monotonic()
    done = cable("--debit=100000", given=b"x" * 99 + b"\n" + (b"x" * 99 + b"\n") * 199)
    assert time.monotonic() - began >= 0.2
    assert done.stdout.count(b"\n") == 200


def test_whoever_feeds_a_single_link_is_slowed_down_not_robbed(tmp_path):
    """60 MB from a file, towards a reader that begins late: more than may wait, and not one line is lost."""
    path = tmp_path / "lines"
    path.write_bytes((b"x" * 599 + b"\n") * 100_000)
    with (
        path.open("rb") as file,
        subprocess.Popen(command(), stdin=file, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process,
    ):
        assert process.stdout
        blocked(process)
        assert process.stdout.read().count(b"\n") == 100_000
        assert process.wait(LIMIT) == 0


def blocked(process: subprocess.Popen[bytes]) -> None:
    """Waits until it has nothing to do: it sleeps, and uses no time."""

    def used() -> list[str]:
        return Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[11:13]

    before = ["-1"]
    deadline = time.monotonic() + LIMIT
    while used() != before:
        assert time.monotonic() < deadline
        before = used()
        time.sleep(0.3)


def test_what_is_no_whole_line_is_taken_out_and_counted():
    done = cable(given=b"one\n" + b"y" * 5000 + b"\n\ntwo\ncut off")
    assert done.stdout == b"one\n\ntwo\n"
    assert "cable.py : lignes ôtées, trop longues ou coupées : 2" in done.stderr.decode()


def test_a_line_as_long_as_a_pipe_takes_in_one_piece_passes():
    longest = b"z" * 4095 + b"\n"
    assert cable(given=longest * 3).stdout == longest * 3


def test_a_reader_that_leaves_ends_it():
    script = f"yes | {' '.join(command())} | head -2"
    done = subprocess.run(["bash", "-c", script], capture_output=True, timeout=LIMIT, env=ENVIRONMENT, check=False)
    assert done.stdout == b"y\ny\n"
    assert "Traceback" not in done.stderr.decode() and "que personne n'a prises" in done.stderr.decode()


@pytest.mark.parametrize("end", [[], ["--vers=a->b tube=/dev/full"]], ids=["stdout", "file"])
def test_nothing_is_called_delivered_that_a_full_disk_did_not_take(end):
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            command(*end),
            input=numbers(5000),
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=LIMIT,
            env=ENVIRONMENT,
            check=False,
        )
    assert "5000 lues, 0 livrées" in done.stderr.decode() and done.returncode == 0
    untaken, waiting = (int(found[1]) if (found := re.search(rf"(\d+) {words}", done.stderr.decode())) else 0
                        for words in ("que personne", "en attente"))  # fmt: skip
    assert untaken > 0 and untaken + waiting == 5000


def test_a_file_is_not_copied_onto_itself(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(numbers(3))
    with path.open("rb") as given:
        done = subprocess.run(
            command(f"--vers=a->b tube={path}"),
            stdin=given,
            capture_output=True,
            timeout=LIMIT,
            env=ENVIRONMENT,
            check=False,
        )
    assert done.returncode == 2 and "est aussi l'entrée" in done.stderr.decode()
    assert path.read_bytes() == numbers(3)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_its_report(number):
    with subprocess.Popen(
        command("--delai=60000"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT
    ) as process:
        assert process.stdin and process.stderr
        process.stdin.write(b"1\n2\n")
        process.stdin.flush()
        wait_until(lambda: is_read(process.stdin))
        blocked(process)
        process.send_signal(number)
        assert process.wait(LIMIT) == 0
        assert "2 lues, 0 livrées" in (said := process.stderr.read().decode()) and "2 en attente" in said


def is_read(pipe: IO[bytes]) -> bool:
    """Whether nothing waits in a pipe, or in its other end."""
    count = array.array("i", [0])
    fcntl.ioctl(pipe.fileno(), termios.FIONREAD, count)
    return count[0] == 0


def test_mistakes_are_one_line_and_status_2():
    for options, said in (
        (["--perte=2"], "cable.py : perte=2 : il faut un nombre de 0 à 1"),
        (["--vitesse=2"], "cable.py : --vitesse=2 : option inconnue"),
        (["--delai"], "cable.py : --delai : option inconnue, ou sans valeur"),
        (["--vers=b"], "cable.py : --vers=b : il faut"),
        (["--vers=b tube=/nowhere/b"], "cable.py : --vers : /nowhere/b : "),
        (["--vers=b tube=/dev/null", "--vers=b tube=/dev/null"], "cable.py : --vers : deux liens du même nom"),
        (["--commandes=/nowhere/c"], "--commandes=/nowhere/c"),
    ):
        done = cable(*options)
        assert done.returncode == 2 and done.stderr.count(b"\n") == 1
        assert said in done.stderr.decode()
    assert cable("--lang", "en", "--perte=x").stderr.decode().startswith("cable.py : perte=x: a number from 0 to 1")


def test_help_in_both_languages():
    for language, said in (("fr", "Usage : cable.py"), ("en", "Usage: cable.py")):
        done = cable("--help", f"--lang={language}")
        assert done.returncode == 0 and done.stdout.decode().startswith(said)
        assert all(f"--{key}" in done.stdout.decode() for key in ("delai", "gigue", "perte", "doublon", "desordre", "debit"))


# ------------------------------------------------------------------------------------------------------- several ends


class Fifo:
    """A FIFO held open, read here when it is asked for."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self.path = path
        self.fd = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        self._lines: list[bytes] = []
        self._rest = b""

    @property
    def is_empty(self) -> bool:
        return not select.select([self.fd], [], [], 0)[0]

    @property
    def lines(self) -> list[bytes]:
        """The whole lines that have come so far, as far as one look takes them."""
        if not self.is_empty:
            *lines, self._rest = (self._rest + os.read(self.fd, 65536)).split(b"\n")
            self._lines += lines
        return self._lines

    def write(self, data: bytes) -> None:
        assert os.write(self.fd, data) == len(data)


@pytest.fixture
def fifo(tmp_path: Path) -> Iterator[Callable[[str], Fifo]]:
    made: list[Fifo] = []

    def make(name: str) -> Fifo:
        made.append(Fifo(tmp_path / name))
        return made[-1]

    yield make
    for each in made:
        os.close(each.fd)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """`running(stdin, *options)`: a cable in the background; its log is `log`."""
    started: list[subprocess.Popen[bytes]] = []

    def run(stdin: Path, *options: str) -> subprocess.Popen[bytes]:
        source = os.open(stdin, os.O_RDONLY | os.O_NONBLOCK)
        os.set_blocking(source, True)
        with (tmp_path / "log").open("ab") as log:
            process = subprocess.Popen(
                command(*options), stdin=source, stdout=subprocess.DEVNULL, stderr=log, env=ENVIRONMENT
            )
        os.close(source)
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.wait()


def wait_until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + LIMIT
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.0005)


def test_every_end_gets_every_line_and_has_a_fate_of_its_own(fifo, running):
    source, b, c = fifo("a.out"), fifo("b.in"), fifo("c.in")
    running(source.path, f"--vers=a->b tube={b.path}", f"--vers=a->c tube={c.path} perte=0.5", "--graine=3")
    source.write(numbers(1000))
    wait_until(lambda: b.lines and b.lines[-1] == b"999")
    assert b.lines == numbers(1000).split(b"\n")[:-1]
    wait_until(lambda: len(c.lines) > 400)
    assert set(c.lines) < set(b.lines) and len(c.lines) < 600


def test_a_target_that_stands_still_stops_nobody_and_gets_whole_lines(fifo, running, tmp_path):
    """Some 60 MB: the still one loses what is beyond its queue, which is counted; the other one loses nothing."""
    source, still, awake, commands = map(fifo, ("a.out", "still.in", "awake.in", "commands"))
    ends = f"--vers=still tube={still.path}", f"--vers=awake tube={awake.path}"
    process = running(source.path, *ends, f"--commandes={commands.path}")
    count, width = 60_000, 1000
    writer = threading.Thread(target=write_all, args=(source.path, made_lines("a", count, width)))
    writer.start()
    wait_until(lambda: len(awake.lines) == count)
    writer.join()
    assert damaged(awake.lines, width) == [] and [int(line.split()[1]) for line in awake.lines] == list(range(count))
    commands.write(b"etat still\n")
    wait_until(lambda: "still : " in (tmp_path / "log").read_text())
    lost = int(re.search(r"(\d+) de trop", (tmp_path / "log").read_text())[1])
    wait_until(lambda: len(still.lines) == count - lost)  # it wakes, and reads what was kept
    assert damaged(still.lines, width) == []
    process.terminate()
    assert process.wait(LIMIT) == 0
    log = (tmp_path / "log").read_text()
    assert f"awake : {count} lues, {count} livrées" in log
    assert f"still : {count} lues, {count - lost} livrées" in log and f"{lost} de trop (file pleine)\n" in log
    assert 0 < lost < count


def test_what_a_full_pipe_did_not_take_is_not_called_delivered(fifo, running, tmp_path):
    source, target = fifo("a.out"), fifo("b.in")
    process = running(source.path, f"--vers=a->b tube={target.path}")
    write_all(source.path, made_lines("a", 2000, 100))
    wait_until(lambda: source.is_empty)
    blocked(process)
    process.terminate()
    assert process.wait(LIMIT) == 0
    while not target.is_empty:
        taken = len(target.lines)
    assert 0 < taken < 2000
    assert f"a->b : 2000 lues, {taken} livrées, " in (tmp_path / "log").read_text()


@pytest.mark.parametrize("width", [200, 1000, 4000])
def test_three_writers_of_one_pipe_damage_no_line(fifo, running, width):
    """Contract, 1: "a line-wise relay: none". Three sources, each through a cable with two ends; 5,000 lines each."""
    count = 5000
    one, other = fifo("one.in"), fifo("other.in")
    writers = []
    for name in "abc":
        source = fifo(f"{name}.out")
        running(source.path, f"--vers={name}->one tube={one.path}", f"--vers={name}->other tube={other.path}")
        writers.append(threading.Thread(target=write_all, args=(source.path, made_lines(name, count, width))))
    for writer in writers:
        writer.start()
    wait_until(lambda: [len(end.lines) for end in (one, other)] == [3 * count] * 2)
    for end in (one, other):
        assert damaged(end.lines, width) == []
        for name in (b"a", b"b", b"c"):
            sequence = [int(line.split()[1]) for line in end.lines if line.startswith(name)]
            assert sequence == list(range(count)), "in order, none lost, none twice"


def made_lines(name: str, count: int, width: int) -> list[bytes]:
    """Lines of this width, newline included, that show when they are cut or mixed."""
    return [f"{name} {number:06} ".encode().ljust(width - 2, name.encode()) + b"." for number in range(count)]


def damaged(lines: Iterable[bytes], width: int) -> list[bytes]:
    def is_whole(line: bytes) -> bool:
        return len(line) == width - 1 and line[1:2] == b" " and line[-1:] == b"." and not line[9:-1].strip(line[:1])

    return [line for line in lines if not is_whole(line)]


def write_all(path: Path, lines: list[bytes]) -> None:
    """As a site writes: whole lines in blocks that a pipe takes in one piece."""
    fd = os.open(path, os.O_WRONLY)
    output = Output(fd)
    output.put(lines)
    while output.waiting:
        select.select([], [output.fd], [])
        output.flush()
    os.close(output.fd)
    os.close(fd)


# ------------------------------------------------------------------------------------------------ told in mid-course


@pytest.fixture
def told(fifo, running, tmp_path):
    """A cable between two FIFOs that takes commands: (what goes in, what comes out, tell, wait for words in its log)."""
    source, target, commands = fifo("a.out"), fifo("b.in"), fifo("commands")
    running(source.path, f"--vers=a->b tube={target.path}", f"--commandes={commands.path}")

    def tell(line: str, words: str) -> None:
        """Tells it something, and waits until it says `words`."""
        before = (tmp_path / "log").read_text()
        commands.write(f"{line}\n".encode())
        wait_until(lambda: words in (tmp_path / "log").read_text().removeprefix(before))

    return source, target, tell


def test_cut_and_mended(told):
    source, target, tell = told
    tell("couper a->b", "a->b : coupé")
    source.write(b"1\n")
    wait_until(lambda: source.is_empty)
    tell("etat", "a->b : coupé ; 1 lues, 0 livrées, 0 perdues, 0 doublées, 0 dépassées, 0 retardées, 1 arrêtées")
    tell("retablir", "a->b : rétabli")
    source.write(b"2\n")
    wait_until(lambda: target.lines == [b"2"])


def test_paused_and_stepped_through(told):
    source, target, tell = told
    tell("pause", "a->b : en pause")
    source.write(b"1\n2\n3\n")
    wait_until(lambda: source.is_empty)
    tell("pas", "a->b : passe : 1")
    wait_until(lambda: target.lines == [b"1"])
    tell("pas a->b", "a->b : passe : 2")
    tell("etat", "en pause ; 3 lues, 2 livrées, 0 perdues, 0 doublées, 0 dépassées, 0 retardées, 1 en attente")
    assert target.lines == [b"1", b"2"]
    tell("reprendre", "a->b : reprend ; en attente : 1")
    wait_until(lambda: target.lines == [b"1", b"2", b"3"])
    tell("pas", "rien ne passe")


def test_set_in_mid_course(told):
    source, target, tell = told
    tell("regler a->b perte=1 graine=7", "a->b : réglé : perte=1 graine=7")
    source.write(b"1\n")
    wait_until(lambda: source.is_empty)
    tell("etat", "a->b : perte=1 graine=7 ; 1 lues, 0 livrées, 1 perdues")
    tell("regler perte=2", "a->b : perte=2 : il faut un nombre de 0 à 1")
    tell("regler perte=0 graine=1", "a->b : sans défaut")
    source.write(b"2\n")
    wait_until(lambda: target.lines == [b"2"])


def test_what_it_does_not_know(told):
    _, _, tell = told
    tell(
        "danser a->b", "cable.py : danser : commande inconnue ; il y a regler, couper, retablir, pause, reprendre, pas, etat"
    )
    tell("couper a->z", "cable.py : a->z : pas de lien de ce nom")
    tell("couper perte=1", "cable.py : perte=1 : pas de lien de ce nom")
    tell("\n \npause", "a->b : en pause")
