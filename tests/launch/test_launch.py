"""Whole launches of stub sites: what is started, what is left behind, and what is never left behind."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.launch.conftest import LIMIT, ROOT, Launch, environment, patient, wait_until

UP = "sites en marche"


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def gone(pids) -> bool:
    return not any(map(is_alive, pids))


def test_the_first_line_is_the_folder_and_the_last_says_what_stays(launches):
    launch = launches("-c", "3")
    launch.wait_for(UP)
    assert launch.sites().keys() == {"gch", "c1", "c2", "c3"}
    assert launch.end() == 0
    lines = launch.text.splitlines()
    assert lines[0] == f"Dossier : {launch.folder}"
    assert str(launch.folder) in lines[-1] and lines[-1].startswith("Tout est arrêté")
    files = {f"{site}.{kind}" for site in ("gch", "c1", "c2", "c3") for kind in ("log", "trace.jsonl")}
    assert {path.name for path in launch.folder.iterdir()} == files | {"donnees", "instantanes", "verrou"}


def test_the_ring_is_wired_as_it_says(launches):
    launch = launches("-c", "2")
    launch.wait_for(UP)
    sites = launch.sites()
    for site, target in (("gch", "c1"), ("c1", "c2"), ("c2", "gch")):
        files = [os.readlink(f"/proc/{sites[site]}/fd/{number}") for number in range(3)]
        assert [Path(file).name for file in files] == [f"{site}.in", f"{target}.in", f"{site}.log"]


def test_a_site_shares_no_file_flags_with_another(launches):
    """O_NONBLOCK on a description that two processes share would hit both (measured.md)."""
    launch = launches("-c", "1")
    launch.wait_for(UP)
    for pid in launch.sites().values():
        modes = [Path(f"/proc/{pid}/fdinfo/{number}").read_text().split("flags:\t")[1][:8] for number in (0, 1)]
        assert [int(mode, 8) & os.O_ACCMODE for mode in modes] == [os.O_RDONLY, os.O_WRONLY]


def test_no_file_of_the_launcher_leaks_into_a_site(launches):
    launch = launches("-c", "3")
    launch.wait_for(UP)
    for pid in launch.sites().values():
        assert len(os.listdir(f"/proc/{pid}/fd")) <= 4  # stdin, stdout, stderr, its commands


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_everything(launches, number):
    launch = launches("-c", "5")
    launch.wait_for(UP)
    pids = launch.sites().values()
    assert len(launch.fifos()) == 12
    assert launch.end(number) == 0
    assert gone(pids) and not launch.fifos()


def test_a_signal_while_sites_are_being_started(launches):
    launch = launches("-c", "60")
    launch.wait_for("Dossier")
    wait_until(lambda: launch.sites())
    assert launch.end(signal.SIGINT) == 0
    assert not launch.sites() and not launch.fifos()


def test_ctrl_c_reaches_the_launcher_alone(launches):
    """A terminal signals the whole process group: the sites have to be in others."""
    launch = launches("-c", "2")
    launch.wait_for(UP)
    assert os.getpgid(launch.process.pid) not in {os.getpgid(pid) for pid in launch.sites().values()}


def test_a_deaf_or_stopped_site_is_killed_after_the_grace(launches):
    launch = launches("-c", "2", "--client", "--sourd")
    launch.wait_for(UP)
    sites = launch.sites()
    os.kill(sites["gch"], signal.SIGSTOP)
    began = time.monotonic()
    assert launch.end() == 0
    assert time.monotonic() - began > 4.5
    assert gone(sites.values())


def test_a_second_signal_cuts_the_grace_short(stub_root, tmp_path, launches):
    """Under a grace of an hour, sites that are deaf to SIGTERM end at the second signal, even when it comes at once."""
    root = patient(stub_root, tmp_path / "patient", "run.py", "GRACE = 5.0", "GRACE = 3600.0")
    launch = launches("-c", "2", "--client", "--sourd", root=root)
    launch.wait_for(UP)
    pids = launch.sites()
    launch.process.send_signal(signal.SIGTERM)
    wait_until(lambda: gone([pids["gch"]]))
    assert launch.end() == 0
    assert gone(pids.values())


def test_no_orphan_when_the_launcher_is_killed(launches):
    launch = launches("-c", "5")
    launch.wait_for(UP)
    pids = list(launch.sites().values())
    os.kill(pids[2], signal.SIGSTOP)
    launch.end(signal.SIGKILL)
    wait_until(lambda: gone(pids))


def test_a_killed_launcher_s_folder_can_be_used_again(launches):
    first = launches("-c", "3")
    first.wait_for(UP)
    first.end(signal.SIGKILL)
    assert len(first.fifos()) == 8
    (first.folder / "c1.trace.jsonl").open("a").write('{"half')
    second = launches("-c", "1")
    second.wait_for(UP)
    assert second.fifos() == ["c1.cmd", "c1.in", "gch.cmd", "gch.in"]
    assert second.end() == 0
    lines = (second.folder / "c1.trace.jsonl").read_text().splitlines()
    assert [line[-1] for line in lines] == ["}", "f", "}"], "appended, with the half line on its own"


def test_one_launcher_to_a_folder(launches):
    first = launches("-c", "1")
    first.wait_for(UP)
    second = Launch(ROOT, first.folder, "-c", "1")
    second.output = first.output  # the second wrote over it: read what it says from its own end
    assert second.process.wait(LIMIT) == 2
    assert "sert déjà" in second.text
    assert first.fifos() and len(first.sites()) == 2
    assert first.end() == 0


def test_a_site_that_cannot_start_ends_everything(launches):
    launch = launches("-c", "4", "--client", "--echec=3")
    assert launch.process.wait(LIMIT) == 3
    assert "n'a pas pu démarrer (état 3) : impossible : il manque tout" in launch.text
    assert not launch.sites() and not launch.fifos()


def test_a_site_that_ends_well_instead_of_starting_is_a_failure_too(launches):
    assert launches("-c", "1", "--guichet", "--echec=0").process.wait(LIMIT) == 2


def test_a_site_that_dies_is_said_and_the_others_live_on(launches):
    launch = launches("-c", "3")
    launch.wait_for(UP)
    os.kill(launch.sites()["c2"], signal.SIGKILL)
    launch.wait_for("c2 s'est arrêté (signal 9)")
    assert launch.sites().keys() == {"gch", "c1", "c3"}
    (launch.folder / "c1.cmd").write_text("quitter\n")
    launch.wait_for("c1 s'est arrêté\n")
    assert launch.process.poll() is None


def test_when_all_sites_have_ended_the_launcher_ends(launches):
    launch = launches("-c", "1")
    launch.wait_for(UP)
    for site in ("gch", "c1"):
        (launch.folder / f"{site}.cmd").write_text("quitter\n")
    assert launch.process.wait(LIMIT) == 0


def test_two_hundred_clients(launches):
    launch = launches("-c", "200")
    launch.wait_for(UP)
    assert "201 sites en marche" in launch.text
    assert len(launch.sites()) == 201
    assert launch.end() == 0
    assert not launch.sites() and not launch.fifos()


def test_options_reach_their_sites_in_the_user_s_own_folder(launches, tmp_path):
    launch = launches("-c", "1", "--guichet", "--billets='mes billets.csv'", "--", "--gtfs=feed.zip", cwd=tmp_path)
    launch.wait_for(UP)
    assert "--gtfs=feed.zip --billets=mes billets.csv" in (launch.folder / "gch.log").read_text()
    client = (launch.folder / "c1.log").read_text()
    assert "--gtfs=feed.zip" in client and "--billets" not in client
    assert {os.readlink(f"/proc/{pid}/cwd") for pid in launch.sites().values()} == {str(tmp_path)}


def run(root: Path, *arguments: str, **more) -> subprocess.CompletedProcess[str]:
    script = more.pop("script", root / "scripts" / "launch_ring.sh")
    return subprocess.run(
        [script, *arguments], capture_output=True, text=True, timeout=LIMIT, **({"env": environment()} | more)
    )


def test_help_and_a_mistake(stub_root):
    assert "--clients N" in run(stub_root, "--help").stdout
    assert "Starts a ticket office" in run(stub_root, "--help", "--lang=en").stdout
    wrong = run(stub_root, "-c", "0")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert wrong.stderr == "launch_ring.sh : --clients : '0' n'est pas un nombre de 1 à 500\n"


def test_by_a_symbolic_link_and_from_a_folder_that_has_a_lib_of_its_own(stub_root, tmp_path):
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "__init__.py").write_text("raise SystemExit('the wrong lib')")
    (tmp_path / "lien").symlink_to(stub_root / "scripts" / "launch_ring.sh")
    done = run(stub_root, "--help", script=tmp_path / "lien", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("folder", ["/proc/essai", "/dev/null", "/dev/null/essai"])
def test_a_folder_that_cannot_be(stub_root, folder):
    done = run(stub_root, "--dossier", folder)
    assert done.returncode == 2
    assert done.stderr.startswith(f"launch_ring.sh : --dossier : {folder}") or "inutilisable" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_new_folder_under_tmpdir_is_ours_alone(stub_root, tmp_path):
    with subprocess.Popen(
        [stub_root / "scripts" / "launch_ring.sh", "-c", "1", "--notk"],
        stdout=subprocess.PIPE,
        text=True,
        env=environment(TMPDIR=str(tmp_path)),
    ) as process:
        assert process.stdout
        folder = Path(process.stdout.readline().removeprefix("Dossier : ").strip())
        assert folder.parent == tmp_path
        assert folder.stat().st_mode & 0o777 == 0o700
        assert UP in process.stdout.readline()
        process.terminate()


def test_whoever_reads_the_output_may_leave(stub_root, tmp_path):
    """`launch_ring.sh | head -1`: the run ends, in good order and without a traceback."""
    command = f'\'{ROOT}/scripts/launch_ring.sh\' --help | head -1; exec 2>&1; "$0" --dossier "$1" -c 2 | head -1'
    script = stub_root / "scripts" / "launch_ring.sh"
    done = subprocess.run(
        ["bash", "-c", command, script, tmp_path / "d"],
        capture_output=True,
        text=True,
        timeout=LIMIT,
        env=environment(),
    )
    assert "Traceback" not in done.stdout + done.stderr
    assert not [path for path in (tmp_path / "d").iterdir() if path.is_fifo()]


def test_a_python_that_is_too_old_or_lacks(stub_root, tmp_path):
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\n[ \"$1\" = -V ] && echo 'Python 3.9.2' && exit 0\nexit 1\n")
    old.chmod(0o755)
    env = environment(PATH=f"{tmp_path}:{os.environ['PATH']}")
    del env["PYTHON"]
    done = run(stub_root, env=env)
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert "« python3 » est trop ancien (Python 3.9.2)" in done.stderr and "3.11" in done.stderr
    done = run(stub_root, env=environment(PYTHON="python-de-nulle-part"))
    assert done.returncode == 2 and "« python-de-nulle-part » est introuvable" in done.stderr


def test_a_signal_that_was_to_be_ignored_is_ignored(stub_root, tmp_path):
    """`nohup launch_ring.sh &` goes on when its terminal goes."""
    with subprocess.Popen(
        [stub_root / "scripts" / "launch_ring.sh", "-c", "1", "--notk", "--dossier", tmp_path / "d"],
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),
    ) as process:
        assert process.stdout
        process.stdout.readline()
        assert UP in process.stdout.readline()
        process.send_signal(signal.SIGHUP)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.5)
        process.terminate()
        assert "Tout est arrêté" in process.stdout.read()
    assert process.returncode == 0


def test_the_lock_goes_with_the_launcher(launches):
    launch = launches("-c", "1")
    launch.wait_for(UP)
    with (launch.folder / "verrou").open() as lock:
        with pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        launch.end(signal.SIGKILL)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_the_launcher_knows_the_contract_and_nothing_of_how_a_site_is_made():
    script = "import sys, lib.launch.__main__; print([name for name in sys.modules if name.startswith('lib.')])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=True)
    assert "lib.core" not in done.stdout and "lib.edge" not in done.stdout
