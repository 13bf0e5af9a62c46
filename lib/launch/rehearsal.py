"""The rehearsal of a defence: what to click in the windows, what will be seen, and whether it came to pass.

The terminal follows the traces: a step is over when its event has happened, whoever clicked. With a `Robot` for a user, the
windows are used by the keyboard as a person would use them; without one, the person at the screen does it, at leisure.
"""

from __future__ import annotations

import math
import shutil
import subprocess
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from lib.launch import phrases
from lib.launch.console import watch
from lib.launch.keeper import Keeper
from lib.launch.options import Options
from lib.launch.run import Run
from lib.launch.screen import Screen
from lib.launch.traces import Event
from lib.launch.wiring import GUICHET
from lib.texts import Problem, Text

KINDS = frozenset({"start", "request", "ticket", "snapshot", "restore", "redeliver", "stop", "command", "anew"})
CABLES = "tous: delai=350 gigue=150 graine=2026"  # so slow that messages are seen in flight, and a cut finds some
HOLD = 15  # seconds that the guichet holds an offer: long enough to explain it, short enough to see its end
_READING = 1.5  # seconds before a robot does what was announced: somebody may be watching it
_BETWEEN = 0.7  # seconds after a key, for what it opens to be there
_LIMIT = 60.0  # seconds that a robot waits for what it has brought about


def prepared(options: Options) -> Options:
    """The user's options and, after them, what the steps rely on."""
    return replace(
        options,
        cables=(CABLES, *options.cables),
        relaunch=True,
        guichet=(*options.guichet, f"--delai={HOLD}"),
        client=(*options.client, "--confirmation=manuelle"),
    )


class User(Protocol):
    """Who uses the windows."""

    def press(self, site: str, *keys: str) -> None:
        """Use these keys in the window of `site`."""


class Person:
    """Somebody at the screen, who reads what to do and does it."""

    def press(self, site: str, *keys: str) -> None:
        """The person does it."""


class Robot:
    """Presses the keys itself, with xdotool. Raises `Problem` when that is not there."""

    def __init__(self) -> None:
        if not shutil.which("xdotool"):
            raise Problem(
                "--auto : il faut xdotool (apt install xdotool)", "--auto: xdotool is needed (apt install xdotool)"
            )

    def press(self, site: str, *keys: str) -> None:
        """Give the window of `site` the keyboard, and press the keys."""
        time.sleep(_READING)
        window = self._window(site)
        # The pointer too: without a window manager the keyboard follows it.
        self._do("mousemove", "--window", window, "120", "20")
        self._do("windowfocus", "--sync", window)
        for key in keys:  # each let go at once: one that is held repeats itself, and then it types
            self._do("key", key)
            time.sleep(_BETWEEN)

    def _window(self, site: str) -> str:
        """The number of the window of `site`, by X; what it has opened besides has the same name, and another class."""
        named, main = (
            self._do("search", "--sync", "--onlyvisible", by, pattern).split()
            for by, pattern in (("--name", f"^{site} "), ("--class", "^Billets$"))
        )
        return next(window for window in named if window in main)

    @staticmethod
    def _do(*words: str) -> str:
        try:
            done = subprocess.run(["xdotool", *words], capture_output=True, text=True, timeout=_LIMIT, check=True)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            what = f"xdotool {' '.join(words)}"
            raise Problem(f"--auto : {what} a échoué ({error})", f"--auto: {what} failed ({error})") from error
        return done.stdout


@dataclass(frozen=True, slots=True)
class Awaited:
    """An event of a trace: at `site`, of `kind`, with these fields; a tuple names several values that will do."""

    site: str
    kind: str
    fields: dict[str, Any]

    def is_met_by(self, event: Event) -> bool:
        """Whether this is the event."""
        return (event.site, event.kind) == (self.site, self.kind) and all(
            event.fields.get(key) in value if isinstance(value, tuple) else event.fields.get(key) == value
            for key, value in self.fields.items()
        )


@dataclass(frozen=True, slots=True)
class Step:
    """What to do (`to_do`), what will be seen (`to_see`), the keys that do it by site, and how one knows that it was done.

    `act` is what the launcher itself does, where no click could: kill a site, cut a link.
    """

    title: Text
    to_do: Text
    to_see: Text
    keys: Sequence[tuple[str, tuple[str, ...]]]
    awaited: Sequence[Awaited]
    act: Callable[[Run], None] | None = None


def _request(site: str, *states: str) -> Awaited:
    return Awaited(site, "request", {"state": states})


STEPS = (
    Step(
        Text("Une réservation, message par message", "A reservation, message by message"),
        Text(
            "Dans c1, onglet « Réserver » : « Réserver le premier » (Alt+P).",
            "In c1, tab 'Book': 'Pick the first' (Alt+P).",
        ),
        Text(
            "La demande fait le tour de l'anneau ; chaque horloge bat. L'offre arrive chez c1 avec son compte à rebours, et "
            "le billet est « retenu » au guichet.",
            "The request goes round the ring; every clock beats. The offer reaches c1 with its count-down, and the "
            "ticket is 'held' at the ticket office.",
        ),
        [("c1", ("alt+p",))],
        [_request("c1", "offered")],
    ),
    Step(
        Text("La confirmation", "The confirmation"),
        Text("Dans c1 : « Confirmer » (Alt+C).", "In c1: 'Confirm' (Alt+C)."),
        Text(
            "« En attente de confirmation » : le billet n'est pas encore à c1. Il l'est quand « vendu » arrive, pas avant.",
            "'Awaiting confirmation': the ticket is not c1's yet. It is when 'sold' arrives, no earlier.",
        ),
        [("c1", ("alt+c",))],
        [_request("c1", "owned")],
    ),
    Step(
        Text("Une offre que l'on laisse passer", "An offer that is let go"),
        Text("Dans c2 : « Réserver le premier » (Alt+P), puis ne rien faire.", "In c2: 'Pick the first' (Alt+P); wait."),
        Text(
            f"Le compte à rebours va à zéro ({HOLD} s) : le guichet reprend le billet ; il redevient « libre ».",
            f"The count-down reaches zero ({HOLD} s): the ticket office takes the ticket back; it is 'free' again.",
        ),
        [("c2", ("alt+p",))],
        [_request("c2", "offered"), _request("c2", "expired")],
    ),
    Step(
        Text("L'instantané, des messages en vol", "The snapshot, with messages in flight"),
        Text(
            "Dans c3 : « Réserver le premier » (Alt+P), et aussitôt, dans c1 : prendre un instantané (Ctrl+I).",
            "In c3: 'Pick the first' (Alt+P), and at once, in c1: take a snapshot (Ctrl+I).",
        ),
        Text(
            "Les bandeaux passent au ROUGE l'un après l'autre, à l'arrivée d'un message du nouveau tour ; au guichet, "
            "l'onglet « Instantanés » montre ce qu'il attend encore. Puis tous redeviennent BLANCS.",
            "The banners turn RED one after the other, as a message of the new round arrives; at the ticket office, the "
            "tab 'Snapshots' shows what it still awaits. Then all are WHITE again.",
        ),
        [(GUICHET, ("ctrl+5",)), ("c3", ("alt+p",)), ("c1", ("ctrl+i",))],
        [Awaited(GUICHET, "snapshot", {"phase": ("complete",)})],
    ),
    Step(
        Text("On continue à vendre", "Sales go on"),
        Text("Dans c3 : « Confirmer » (Alt+C).", "In c3: 'Confirm' (Alt+C)."),
        Text("c3 a un billet qui n'est pas sur la photographie.", "c3 has a ticket that is not on the photograph."),
        [("c3", ("alt+c",))],
        [_request("c3", "owned")],
    ),
    Step(
        Text("Revenir à la photographie", "Back to the photograph"),
        Text(
            "Au guichet, onglet « Instantanés » (Ctrl+5) : « Charger… » (Ctrl+O), puis « Charger ».",
            "At the ticket office, tab 'Snapshots' (Ctrl+5): 'Load…' (Ctrl+O), then 'Load'.",
        ),
        Text(
            "Époque 1 partout. c3 n'a plus son billet : ce qui était dans les canaux est délivré de nouveau, une fois.",
            "Epoch 1 everywhere. c3 has no ticket any more: what was in the channels is delivered again, once.",
        ),
        [(GUICHET, ("ctrl+5", "ctrl+o", "Return"))],
        [Awaited(GUICHET, "restore", {"phase": "complete"})],
    ),
    Step(
        Text("Un site meurt", "A site dies"),
        Text("Rien à cliquer : le lanceur tue c2 (kill -9), puis le relance.", "No click: c2 is killed, then started."),
        Text(
            "La fenêtre de c2 disparaît, puis revient : nouvelle vie, mêmes billets ; les autres n'ont pas cessé.",
            "c2's window goes away and comes back: a new life, the same tickets; the others have not stopped.",
        ),
        [],
        [Awaited("c2", "start", {})],
        lambda run: run.kill("c2"),
    ),
    Step(
        Text("Prendre congé", "Taking leave"),
        Text("Fermer la fenêtre de c3 (Ctrl+Q).", "Close c3's window (Ctrl+Q)."),
        Text("Au guichet, onglet « Clients » : c3 est parti, et le prochain instantané ne l'attend pas.",
             "At the ticket office, tab 'Clients': c3 has left, and the next snapshot does not wait for it."),
        [("c3", ("ctrl+q",))],
        [Awaited("c3", "stop", {})],
    ),
)  # fmt: skip


def play(run: Run, screen: Screen, keeper: Keeper, is_automatic: bool) -> int:
    """All steps, and then whatever the person at the screen still wants to show; 0 when all came to pass."""
    if is_automatic:
        return Rehearsal(run, screen, keeper, Robot(), _LIMIT).play()
    status = Rehearsal(run, screen, keeper, Person(), math.inf).play()
    watch(run, screen, keeper)
    return status


class Rehearsal:
    """Goes through the steps with a user, and tells what to do and what came of it."""

    def __init__(self, run: Run, screen: Screen, keeper: Keeper, user: User, limit: float) -> None:
        self._run = run
        self._screen = screen
        self._keeper = keeper
        self._user = user
        self._limit = limit
        self._events: deque[Event] = deque()  # those that no step has looked at yet

    def play(self) -> int:
        """All steps; 0 when each came to pass, 1 when a robot waited in vain."""
        for number, step in enumerate(STEPS, 1):
            self._tell(number, step)
            if not self._perform(step):
                self._screen.say(Text("  ✗ attendu en vain", "  ✗ waited in vain"), "bad")
                return 1
        self._screen.say(Text("\nTout s'est passé comme annoncé.", "\nEverything came to pass as announced."), "good")
        return 0

    def _tell(self, number: int, step: Step) -> None:
        self._screen.line()
        self._screen.say(Text(f"Étape {number}. {step.title.fr}", f"Step {number}. {step.title.en}"), "title")
        self._screen.say(Text(f"  À faire : {step.to_do.fr}", f"  Do:  {step.to_do.en}"), "strong")
        self._screen.say(Text(f"  À voir :  {step.to_see.fr}", f"  See: {step.to_see.en}"))

    def _perform(self, step: Step) -> bool:
        """Have the step done; whether all that it awaits has happened, in this order."""
        if step.act is not None:
            step.act(self._run)
        for site, keys in step.keys:
            self._user.press(site, *keys)
        return all(self._happens(awaited) for awaited in step.awaited)

    def _happens(self, awaited: Awaited) -> bool:
        """Wait for an event; those before it are over."""
        deadline = time.monotonic() + self._limit
        while time.monotonic() < deadline:
            while self._events:
                if awaited.is_met_by(self._events.popleft()):
                    self._screen.say(Text("  ✓ vu", "  ✓ seen"), "good")
                    return True
            self._look()
        return False

    def _look(self) -> None:
        happened = self._run.look(KINDS)
        self._keeper.keep(happened.ended)
        for event in happened.events:
            self._show(event)
        self._events += happened.events

    def _show(self, event: Event) -> None:
        """What happens, as it happens."""
        text = phrases.sentence(event)
        if text:
            self._screen.line(f"    {phrases.stamp(event)} {self._screen.words(phrases.by_whom(event.site, text))}", "quiet")
