"""`scripts/launch_ring.sh`, the part in Python: puts the rooms of this folder together."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Collection, Sequence

from lib.launch import demo, options
from lib.launch.console import Console, tell_deaths, watch
from lib.launch.folder import Folder
from lib.launch.options import Options
from lib.launch.run import FailedStart, Run
from lib.launch.screen import Screen
from lib.launch.signals import Interrupted, Signals
from lib.launch.wiring import GUICHET, clients, ring
from lib.texts import Problem, Text

_UNUSABLE = 2
_STDIN = 0


def main(arguments: Sequence[str]) -> int:
    """Runs what `arguments` ask for; the exit status."""
    language = options.language(arguments)
    screen = Screen(language)
    try:
        chosen = options.parse(arguments)
        if chosen.help:
            screen.say(options.HELP)
            return 0
        return _launch(chosen, screen)
    except Problem as problem:
        print(f"launch_ring.sh : {problem.text.in_language(language)}", file=sys.stderr)
        return _UNUSABLE
    except Interrupted as interrupted:  # nobody was left to be told that everything has ended
        return 128 + interrupted.number


def _launch(chosen: Options, screen: Screen) -> int:
    """Makes the folder, runs the sites in it, and leaves nothing behind but files."""
    signals = Signals()
    folder = Folder(chosen.folder)
    try:
        # In both languages alike: scripts read this line to find the folder.
        screen.line(f"Dossier : {folder.path}")
        return _run(demo.prepared(chosen) if chosen.demo else chosen, folder, signals, screen)
    finally:
        folder.close()


def _run(chosen: Options, folder: Folder, signals: Signals, screen: Screen) -> int:
    run = Run(chosen, ring([GUICHET, *clients(chosen.clients)]), folder, signals)
    status = 0
    try:
        _start(run, screen)
        status = _play(chosen, run, screen)
    except FailedStart as failure:
        _tell_failure(failure, screen)
        status = failure.status if failure.status > 0 else _UNUSABLE
    except Interrupted as interrupted:
        # A demonstration that was cut short has verified nothing.
        status = 128 + interrupted.number if chosen.demo else 0
    finally:
        run.stop()
    _say_goodbye(folder, screen)
    return status


def _start(run: Run, screen: Screen) -> None:
    began = time.monotonic()

    def tell_slow(awaited: Collection[str]) -> None:
        names = ", ".join(list(awaited)[:5]) + (", ..." if len(awaited) > 5 else "")
        screen.say(Text(f"J'attends encore {names}", f"Still waiting for {names}"), "quiet")

    ended = run.start_all(tell_slow)
    sites, seconds = run.wiring.sites, time.monotonic() - began
    names = ", ".join(sites if len(sites) < 8 else [*sites[:2], "...", sites[-1]])
    screen.say(
        Text(
            f"{len(sites)} sites en marche en {seconds:.1f} s : {names}",
            f"{len(sites)} sites are up in {seconds:.1f} s: {names}",
        )
    )
    tell_deaths(run, screen, ended)


def _play(chosen: Options, run: Run, screen: Screen) -> int:
    """What happens between the start and the end: the demonstration, the console, or nothing from here."""
    if chosen.demo:
        return demo.play(run, screen)
    if chosen.console or (chosen.notk and _is_our_terminal(_STDIN)):
        Console(run, screen, _STDIN).play()
    else:
        watch(run, screen)
    return 0


def _is_our_terminal(file: int) -> bool:
    """Whether `file` is a terminal that we may read: in the background (`&`), reading it would stop us."""
    return os.isatty(file) and os.tcgetpgrp(file) == os.getpgrp()


def _tell_failure(failure: FailedStart, screen: Screen) -> None:
    words = failure.words or screen.words(Text("sans un mot", "without a word"))
    print(
        screen.words(
            Text(
                f"{failure.site} n'a pas pu démarrer (état {failure.status}) : {words}",
                f"{failure.site} could not start (status {failure.status}): {words}",
            )
        ),
        file=sys.stderr,
    )


def _say_goodbye(folder: Folder, screen: Screen) -> None:
    screen.say(
        Text(
            f"Tout est arrêté ; journaux, traces et données restent dans {folder.path}",
            f"Everything has ended; logs, traces and stores stay in {folder.path}",
        )
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
