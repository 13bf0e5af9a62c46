"""Which part of a run is shown: a window of time or of rounds, some sites, some types of messages."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lib.diagram.causality import Arrow, Cut, is_in_channel
from lib.diagram.traces import REDELIVER, RESTORE, SNAPSHOT, START, STOP, Event, Run
from lib.texts import Problem

# Some ten metres of paper; beyond, nobody finds anything, and viewers of SVG begin to crawl.
MAX_EVENTS = 2000
_HALF_A_DAY = 12 * 3600.0
_MARKS = {  # what is shown besides messages: the kinds, and of some of them the phases
    START: None,
    STOP: None,
    REDELIVER: None,
    SNAPSHOT: ("recorded", "complete", "incomplete"),
    RESTORE: ("restored",),
}


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time: seconds since the run began or, `on_the_wall`, since midnight there."""

    seconds: float
    on_the_wall: bool = False

    def after(self, beginning: float) -> float:
        """The moment in Unix seconds, in a run that began at `beginning`; a run may pass midnight."""
        if not self.on_the_wall:
            return beginning + self.seconds
        began = time.localtime(beginning)
        later = self.seconds - (began.tm_hour * 3600 + began.tm_min * 60 + began.tm_sec + beginning % 1)
        return beginning + later + (2 * _HALF_A_DAY if later < -_HALF_A_DAY else 0)


@dataclass(frozen=True, slots=True)
class Choice:
    """What the user wants to see; what is None or empty does not restrict."""

    since: Moment | None = None
    until: Moment | None = None
    rounds: range | None = None
    sites: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    without: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class View:
    """What is shown: the sites, the events that get a place, the messages, whole, with an end in the window, the cuts."""

    sites: tuple[str, ...]
    events: frozenset[Event]
    arrows: tuple[Arrow, ...]
    cuts: Mapping[int, Cut]


def view(run: Run, arrows: Sequence[Arrow], cuts: Mapping[int, Cut], choice: Choice) -> View:
    """The part of the run that was chosen. Raises `Problem` when that is nothing, and for names that are not there."""
    _check_names("--sites", choice.sites, run.sites)
    types = {arrow.known.type for arrow in arrows}
    _check_names("--types", choice.types, types)
    _check_names("--sans", choice.without, types)
    sites = tuple(name for name in run.sites if name in (choice.sites or run.sites))
    cuts = _chosen_cuts(cuts, choice.rounds)
    first, last = _window(run, arrows, cuts, choice)
    arrows = [arrow for arrow in arrows if arrow.sender in sites and arrow.to in sites and _has_chosen_type(arrow, choice)]
    ends = set[Event]().union(*map(_ends, arrows))
    marks = {event for event in run.events() if event.site in sites and _is_mark(event)}
    events = {event for event in ends | marks if first <= event.time <= last}
    if not events:
        raise _nothing(run)
    shown = tuple(arrow for arrow in arrows if arrow.send in events or arrow.receipt in events)
    seen = {number: cut for number, cut in cuts.items() if any(event in events for event in cut.values())}
    return View(sites, frozenset(events.union(*map(_ends, shown))), shown, seen)


def _nothing(run: Run) -> Problem:
    seconds = math.ceil(run.ended() - run.begun())
    begun, ended = (time.strftime("%H:%M:%S", time.localtime(moment)) for moment in (run.begun(), run.ended()))
    return Problem(
        f"rien à montrer dans ce choix ; ces traces vont de {begun} à {ended}, soit de 0 à {seconds} s",
        f"nothing to show in this choice; these traces go from {begun} to {ended}, that is from 0 to {seconds} s",
    )


def _ends(arrow: Arrow) -> set[Event]:
    return {end for end in (arrow.send, arrow.receipt) if end}


def _is_mark(event: Event) -> bool:
    phases = _MARKS.get(event.kind, ())
    return phases is None or event.phase in phases


def _has_chosen_type(arrow: Arrow, choice: Choice) -> bool:
    name = arrow.known.type
    return name not in choice.without and (not choice.types or name in choice.types)


def _check_names(option: str, names: Sequence[str], known: Mapping[str, object] | set[str]) -> None:
    for name in names:
        if name not in known:
            there = ", ".join(sorted(known))
            raise Problem(
                f"{option} : {name} n'est pas dans ces traces ; il y a {there}",
                f"{option}: {name} is not in these traces; there are {there}",
            )


def _chosen_cuts(cuts: Mapping[int, Cut], rounds: range | None) -> Mapping[int, Cut]:
    if rounds is None:
        return cuts
    chosen = {number: cut for number, cut in cuts.items() if number in rounds}
    if not chosen:
        there = ", ".join(map(str, cuts)) or "-"
        raise Problem(
            f"--tour : aucun instantané de ce tour dans ces traces ; il y a {there}",
            f"--tour: no snapshot of this round in these traces; there are {there}",
        )
    return chosen


def _window(run: Run, arrows: Sequence[Arrow], cuts: Mapping[int, Cut], choice: Choice) -> tuple[float, float]:
    """From when to when, in Unix seconds: all that was asked for holds."""
    begun = run.begun()
    since = choice.since.after(begun) if choice.since else -math.inf  # a clock on the wall may have been set back
    until = choice.until.after(begun) if choice.until else math.inf
    if choice.rounds is not None:
        times = list(_times_of_rounds(run, arrows, cuts))
        since, until = max(since, min(times)), min(until, max(times))
    return since, until


def _times_of_rounds(run: Run, arrows: Sequence[Arrow], cuts: Mapping[int, Cut]) -> list[float]:
    """Rounds last from their first record, or the first sending into the channel, until everyone knows of the end."""
    phases = [event for event in run.events() if event.kind == SNAPSHOT and event.round in cuts]
    crossing = [arrow for arrow in arrows if any(is_in_channel(arrow, cut) for cut in cuts.values())]
    return [event.time for event in [*phases, *(end for arrow in crossing for end in _ends(arrow))]]


def check_size(run: Run, shown: View) -> None:
    """Raises `Problem` when there is too much to draw, and says how to choose."""
    if len(shown.events) > MAX_EVENTS:
        seconds = math.ceil(run.ended() - run.begun())
        raise Problem(
            f"{len(shown.events)} événements, c'est trop pour un dessin ({MAX_EVENTS} au plus) ; choisissez un instantané "
            f"(--tour=1), un moment (--de=0 --a=5, sur {seconds} s), des sites (--sites), des messages (--types, --sans)",
            f"{len(shown.events)} events are too many for a picture ({MAX_EVENTS} at most); choose a snapshot (--tour=1), "
            f"a moment (--de=0 --a=5, of {seconds} s), sites (--sites), messages (--types, --sans)",
        )
