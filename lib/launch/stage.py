"""What a demonstration needs: give a command, wait for what follows, show the messages, check what is told."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterator, Mapping
from typing import Any

from lib.launch import dialogue, phrases
from lib.launch.accounts import Exchange, exchanges
from lib.launch.run import Run
from lib.launch.screen import Screen, align
from lib.launch.traces import Event
from lib.texts import Text

KINDS = frozenset({"start", "request", "ticket", "command", "state", "send", "recv", "snapshot", "restore", "redeliver"})

_LIMIT = 20.0  # seconds for anything to happen: some thousand times what it takes, for a machine that is very busy
_READING = 1.5  # seconds between acts, when somebody reads
_LAG = 3.0  # seconds that traces may lag behind each other


class Failed(Exception):
    """The demonstration cannot go on."""

    def __init__(self, text: Text) -> None:
        super().__init__(text.fr)
        self.text = text


class Stage:
    """The run as the demonstration sees it: everything that happened, in one list that only grows.

    Moments are positions in that list: an order gives the one from which on its consequences are to be looked for.
    """

    def __init__(self, run: Run, screen: Screen) -> None:
        self.run = run
        self.screen = screen
        self.events: list[Event] = []
        self.made = 0  # tickets that were put on sale for the demonstration
        self.checks = 0
        self.failures = 0
        self._subjects: dict[tuple[str, str], str] = {}  # (client, request) -> what it is about
        self._shown = 0  # messages before this moment have been shown
        self._acts = 0

    # ------------------------------------------------------------------------------------------------------ to order

    def order(self, site: str, verb: str, /, **criteria: object) -> int:
        """Gives `site` a command; the moment before it."""
        moment = len(self.events)
        words = [verb, *(shlex.quote(f"{key}={value}") for key, value in criteria.items())]
        self.run.command(site, " ".join(words))
        return moment

    def ask(self, client: str, verb: str, subject: str = "", /, **criteria: object) -> Event:
        """Has `client` begin a request; the event that gives it its number."""
        moment = self.order(client, verb, **criteria)
        return self.begun(client, moment, subject)

    def begun(self, client: str, moment: int, subject: str = "") -> Event:
        """The request that `client` began after `moment`, and what to say when its messages are shown."""
        asked = self.expect(client, "request", moment, state="asked")
        self._subjects[client, asked.text("request")] = subject
        return asked

    def outcome(self, asked: Event, *states: str) -> Event:
        """What became of a request: the first of these states that it reaches."""
        moment = self.moment_of(asked)
        return self.expect(asked.site, "request", moment, request=asked.fields["request"], state=states)

    def moment_of(self, event: Event) -> int:
        """The moment of an event: what follows it is to be looked for from there."""
        return self.events.index(event)

    # ------------------------------------------------------------------------------------------------------- to wait

    def expect(self, site: str, kind: str, moment: int, **fields: Any) -> Event:
        """The first such event after `moment`; a tuple among `fields` names several values that will do.

        Raises `Failed` when it does not come in time, or when the site refuses a command instead.
        """
        deadline = time.monotonic() + _LIMIT
        for event in self._events_from(moment, deadline):
            if event.site == site and event.kind == kind and _has(event, fields):
                return event
            if event.site == site and event.kind == "command" and event.fields.get("ok") is False:
                raise Failed(Text(*[f"{site} : {event.text('line')} : {event.text('error')}"] * 2))
        awaited, seconds = f"{kind} {fields}", f"{_LIMIT:.0f} s"
        raise Failed(
            Text(f"{site} : {awaited} attendu en vain pendant {seconds}", f"{site}: {awaited} did not come in {seconds}")
        )

    def kill(self, site: str) -> None:
        """SIGKILL, and wait until it is gone."""
        self.run.kill(site)
        while site in self.run.living:
            self._look(expected=site)

    def pause(self) -> None:
        """Time to read, where somebody does."""
        deadline = time.monotonic() + _READING
        while self.screen.is_terminal and time.monotonic() < deadline:
            self._look()

    def _events_from(self, moment: int, deadline: float) -> Iterator[Event]:
        """What happened after `moment` and happens until `deadline`."""
        while True:
            while moment < len(self.events):
                yield self.events[moment]
                moment += 1
            if time.monotonic() > deadline:
                return
            self._look()

    def _look(self, expected: str = "") -> None:
        happened = self.run.look(KINDS)
        self.events += happened.events
        for site, status in happened.ended.items():
            if site != expected:
                raise Failed(phrases.death(site, status, self.run.last_words(site)))

    # ------------------------------------------------------------------------------------------------------- to tell

    def act(self, title: Text) -> None:
        """A new act."""
        self._acts += 1
        number = self._acts
        self.pause()
        self.screen.line()
        self.screen.say(Text(f"Acte {number}. {title.fr}", f"Act {number}. {title.en}"), "title")

    def say(self, text: Text) -> None:
        self.screen.line(f"  {self.screen.words(text)}")

    def check(self, holds: bool, text: Text) -> None:
        """Tells `text` as verified, or as false."""
        self.checks += 1
        self.failures += not holds
        mark = self.screen.paint("✓", "good") if holds else self.screen.paint("✗", "bad")
        self.screen.line(f"  {mark} {self.screen.words(text)}")

    def show_messages(self) -> list[Exchange]:
        """Shows the messages of the application that were exchanged since the last time, with both their stamps."""
        self._await_receipts()
        recent = [exchange for exchange in exchanges(self.events, self._shown) if dialogue.is_application(exchange)]
        self._shown = len(self.events)
        for line in align(dialogue.rows(recent, self.events, self._subjects, self.screen.language)):
            self.screen.line(f"    {line}")
        return recent

    def forget_messages(self) -> None:
        """What was exchanged up to now is not worth showing."""
        self._await_receipts()
        self._shown = len(self.events)

    def _await_receipts(self) -> None:
        """Waits until what was sent was received, and the other way round, in the traces; in vain if one was lost.

        A site may write a line to the next one a little before it writes it into its trace.
        """
        deadline = time.monotonic() + _LAG
        while dialogue.is_open(self.events, self._shown) and time.monotonic() < deadline:
            self._look()


def _has(event: Event, fields: Mapping[str, Any]) -> bool:
    """Whether the event has these values; of several in a tuple, one of them."""
    return all(
        event.fields.get(key) in value if isinstance(value, tuple) else event.fields.get(key) == value
        for key, value in fields.items()
    )
