"""`scripts/launch_graph.sh` and `scripts/launch_ring.sh`, the part in Python: puts the rooms of this folder together."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from lib.launch import demo, graph, links, options, rehearsal, tiling
from lib.launch.console import Console, watch
from lib.launch.folder import Folder
from lib.launch.keeper import Keeper, Relaunches
from lib.launch.options import Options
from lib.launch.run import FailedStart, Run
from lib.launch.screen import Screen
from lib.launch.signals import Interrupted, Signals
from lib.launch.wiring import GUICHET, Edge, Wiring, clients, ring
from lib.texts import Problem, Text

_UNUSABLE = 2
_STDIN = 0
_MAX_REPORTS = 20  # links that are told of at the end: the logs have the others


def main(arguments: Sequence[str]) -> int:
    """Runs what `arguments` ask for; the exit status."""
    language = options.language(arguments)
    screen = Screen(language)
    try:
        chosen = options.parse(arguments)
        if chosen.help:
            screen.say(options.usage(arguments))
            return 0
        chosen = _prepared(chosen)
        wiring = graph.read(chosen.graph) if chosen.graph else ring([GUICHET, *clients(chosen.clients)])
        return _launch(chosen, wiring, links.wanted(wiring, chosen.cables), screen)
    except Problem as problem:
        print(f"{options.program(arguments)} : {problem.text.in_language(language)}", file=sys.stderr)
        return _UNUSABLE
    except Interrupted as interrupted:  # nobody was left to be told that everything has ended
        return 128 + interrupted.number


def _prepared(chosen: Options) -> Options:
    """With what a demonstration or a rehearsal relies on."""
    if chosen.demo:
        return demo.prepared(chosen)
    return rehearsal.prepared(chosen) if chosen.rehearsal else chosen


def _launch(chosen: Options, wiring: Wiring, settings: links.Settings, screen: Screen) -> int:
    """Makes the folder, runs the sites in it, and leaves nothing behind but files."""
    signals = Signals()
    folder = Folder(chosen.folder)
    try:
        # In both languages alike: scripts read this line to find the folder.
        screen.line(f"Dossier : {folder.path}")
        chosen, geometries = _windows(chosen, wiring, screen)
        run = Run(chosen, wiring, _lay(chosen, wiring, settings, folder), folder, signals, geometries)
        return _run(run, chosen, settings, screen)
    finally:
        folder.close()


def _lay(chosen: Options, wiring: Wiring, settings: links.Settings, folder: Folder) -> links.Links:
    """The links, of the kind that is wanted. Raises `Problem`."""
    if not chosen.mqtt:
        return links.lay(wiring, settings, folder, chosen.language)
    if settings:
        raise Problem(
            "--mqtt : pas avec des liens gâtés (--cable, --soutenance)",
            "--mqtt: not with spoilt links (--cable, --soutenance)",
        )
    return links.through_broker(wiring, folder, chosen.language)


def _windows(chosen: Options, wiring: Wiring, screen: Screen) -> tuple[Options, dict[str, str]]:
    """The place of every site's window; or none of them, once it was said why."""
    if chosen.notk:
        return chosen, {}
    try:
        boxes = tiling.tiles(*tiling.screen_size(), wiring.guichet, wiring.clients)
    except tiling.NoWindows as none:
        if chosen.rehearsal:
            raise Problem(none.text.fr, none.text.en) from none
        screen.say(none.text)
        return replace(chosen, notk=True), {}
    return chosen, {site: str(box) for site, box in boxes.items()}


def _run(run: Run, chosen: Options, settings: links.Settings, screen: Screen) -> int:
    status = 0
    keeper = Keeper(run, screen, Relaunches() if chosen.relaunch else None)
    console = Console(run, screen, keeper, _STDIN)
    try:
        _start(run, screen, keeper)
        status = _play(chosen, run, screen, keeper, console)
    except FailedStart as failure:
        _tell_failure(failure, screen)
        status = failure.status if failure.status > 0 else _UNUSABLE
    except Interrupted as interrupted:
        # A demonstration that was cut short has verified nothing.
        status = 128 + interrupted.number if chosen.demo or chosen.auto else 0
    finally:
        run.stop()
    _tell_links(run, screen, dict.fromkeys([*settings, *console.links]))
    _say_goodbye(run, screen)
    return status


def _start(run: Run, screen: Screen, keeper: Keeper) -> None:
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
    keeper.keep(ended)


def _play(chosen: Options, run: Run, screen: Screen, keeper: Keeper, console: Console) -> int:
    """What happens between the start and the end: the demonstration, the console, or nothing from here."""
    if chosen.demo:
        return demo.play(run, screen)
    if chosen.rehearsal:
        return rehearsal.play(run, screen, keeper, chosen.auto)
    if chosen.console or (chosen.notk and _is_our_terminal(_STDIN)):
        console.play()
    else:
        watch(run, screen, keeper)
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


def _tell_links(run: Run, screen: Screen, edges: Iterable[Edge]) -> None:
    """What the links that somebody wanted to spoil, or acted upon, did to how many lines."""
    reports = [screen.words(_report(run, edge)) for edge in edges]
    for report in reports[:_MAX_REPORTS]:
        screen.line(report)
    if len(reports) > _MAX_REPORTS:
        more = len(reports) - _MAX_REPORTS
        screen.say(Text(f"... et {more} autres liens, dans *.cable.log", f"... and {more} more links, in *.cable.log"))


def _report(run: Run, edge: Edge) -> Text:
    """What the cable of `edge` said of it, and what that leaves out."""
    said = run.report(edge)
    if not said:
        return Text(f"{edge} : son câble est mort, ses comptes avec lui", f"{edge}: its cable has died, its counts with it")
    if run.was_started_again(edge):
        return Text(f"{said} (depuis que son câble est relancé)", f"{said} (since its cable was started again)")
    return Text(said, said)


def _say_goodbye(run: Run, screen: Screen) -> None:
    path = run.folder.path
    screen.say(
        Text(
            f"Tout est arrêté ; journaux, traces et données restent dans {path}",
            f"Everything has ended; logs, traces and stores stay in {path}",
        )
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
