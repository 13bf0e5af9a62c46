"""A site as a process: what it is told is read, what it answers is made durable, then traced, then said. In this order.

`Process` knows nothing of who wakes it: `sources.py` does, driven by a `poll` loop or by the loop of Tk.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterable, Sequence

from lib.core import commands as ask
from lib.core.commands import CommandRefused
from lib.core.facts import BegunAnew, Commanded, Dropped, Event, Fact, FileWanted, Reaction, SnapshotMoved
from lib.core.sites import DISMISSED, OUTLIVED, ClientSite, GuichetSite
from lib.core.wire import MAX_READ
from lib.edge import commands
from lib.edge.lines import LineBuffer
from lib.edge.log import Log
from lib.edge.snapshots import Folder
from lib.edge.store import Store
from lib.edge.streams import Output
from lib.edge.trace import Trace
from lib.texts import Problem, Text

MAX_REASON = 200  # characters of a refusal that travel: a file's path may be long

_MALFORMED = Text("ligne écartée (%s) : %r", "line dropped (%s): %r")
_BROKEN = Text("plus personne ne lit la sortie : ce qui est dit est perdu", "nobody reads the output: what is said is lost")
_OVERFULL = Text(
    "la file de sortie déborde : ce qui est dit est perdu jusqu'à ce que le voisin lise",
    "the output queue overflows: what is said is lost until the neighbour reads",
)
_ANEW = {
    DISMISSED: Text(
        "le guichet a congédié ce client : il recommence, et n'a que ce qui lui sera redit ; oubliés : %s",
        "the ticket office has dismissed this client: it begins anew, and has what it will be told again; forgotten: %s",
    ),
    OUTLIVED: Text(
        "un site de ce nom a vécu plus tard (l'horloge de la machine a reculé, ou deux sites portent ce nom) : "
        "il recommence, le guichet redit ce qui est à lui ; oubliés : %s",
        "a site of this name has lived later (the machine's clock was set back, or two sites have this name): "
        "it begins anew, the ticket office tells again what is its own; forgotten: %s",
    ),
}
_STRANGER = Text("« %s » nous écrit, et n'est pas dans --voisins", "'%s' writes to us, and is not in --voisins")
_OTHERS = Text(
    "des lignes d'une autre application sont ignorées ; --transit les laisserait passer",
    "lines of another application are ignored; --transit would let them pass",
)
_TOO_LONG = Text(
    f"commande trop longue (plus de {commands.MAX_COMMAND} octets)", f"command too long (over {commands.MAX_COMMAND} bytes)"
)
_UNSOUND = Text(
    "instantané %s : il se contredit, et ne pourra être chargé ; quelqu'un a menti, ou deux sites ont un même nom",
    "snapshot %s: it contradicts itself, and cannot be loaded; somebody lied, or two sites have one name",
)
_QUEUE_FULL = Problem(
    "la file de sortie est pleine : le voisin ne lit plus ; réessayez quand il lira",
    "the output queue is full: the neighbour has stopped reading; try again when it reads",
)


class Clock:
    """Unix seconds that never go back while the process lives, whatever becomes of the machine's clock."""

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()

    def __call__(self) -> float:
        return self._offset + time.monotonic()


class Process:
    """One site with its store, its trace, its output and its log.

    `folder` has the snapshots; `load` reads a timetable for the guichet's `importer`; `watch` is shown what happened, once
    it is durable and traced. `wants_to_end` is set once the site has taken its leave, with `status` for the shell.
    """

    def __init__(
        self,
        site: GuichetSite | ClientSite,
        store: Store,
        output: Output,
        log: Log,
        *,
        trace: Trace | None = None,
        folder: Folder | None = None,
        load: Callable[[commands.Import], ask.AddTickets] | None = None,
        watch: Callable[[Sequence[Event]], None] | None = None,
        neighbours: Iterable[str] = (),
        safe_mode: bool = False,
        language: str = "fr",
    ) -> None:
        self.site = site
        self.output = output
        self.wants_to_end = False
        self.status = 0
        self.now = Clock()
        self._store = store
        self._trace = trace
        self._log = log
        self.folder = folder
        self._load = load
        self._watch = watch
        self._neighbours = set(neighbours)
        self._safe_mode = safe_mode
        self._language = language
        self._lines = LineBuffer(MAX_READ)
        self._typed = LineBuffer(commands.MAX_COMMAND)
        self._was_broken = self._was_overfull = False
        self._is_leaving = False
        self._told_of_others = False

    # ---------------------------------------------------------------------------------------------- what wakes a site

    def start(self, first_tickets: ask.AddTickets | None = None) -> None:
        """Begin to live; a guichet may bring its first tickets, which are on sale before anybody hears of it."""
        now = self.now()
        reaction = self.site.start(now)
        if first_tickets is not None:
            reaction = _joined([reaction, self.site.command(first_tickets, now)])
        self._settle(reaction)

    def read(self, data: bytes) -> None:
        """Neighbours wrote these bytes."""
        now = self.now()
        self.site.is_choked = self.output.is_full
        reactions = [self.site.hear(self._lines.feed(data), now)]
        reactions += [self.site.reject("too long", line, now) for line in self._lines.rejects]
        self._lines.rejects.clear()
        if self._neighbours:
            self._check_neighbours()
        if self.site.relay.ignores and not self._told_of_others:
            self._told_of_others = True
            self._log.info(_OTHERS)
        self._settle(_joined(reactions))

    def _check_neighbours(self) -> None:
        """Say once of each neighbour that `--voisins` does not name that it writes to us: the wiring is not as meant."""
        for name in set(self.site.relay.heard) - self._neighbours:
            self._neighbours.add(name)
            self._log.warning(_STRANGER, name)

    def read_end(self) -> None:
        """The neighbours' pipe has no writer any more: the beginning of a line that it left is no line."""
        rest = self._lines.end()
        if rest:
            self._settle(self.site.reject("cut off", rest, self.now()))

    def read_commands(self, data: bytes) -> None:
        """The user typed these bytes; the commands that they complete are carried out together."""
        lines = self._typed.feed(data)
        reactions = [self._answer(line.decode(errors="replace") + "…", _TOO_LONG) for line in self._typed.rejects]
        self._typed.rejects.clear()
        for line in filter(bytes.strip, lines):
            reactions.append(self.obey(line.decode(errors="replace")))
            if self._is_leaving:
                break
        self._settle(_joined(reactions))
        if self._is_leaving:
            self.leave()

    def order(self, line: str) -> Text | None:
        """Carry out at once the command that a window's user asks for; why that could not be, None when it was."""
        try:
            reaction, refusal = self._carry_out(line), None
        except Problem as problem:
            reaction, refusal = self._answer(line, problem.text), problem.text
        self._settle(reaction)
        if self._is_leaving:
            self.leave()
        return refusal

    def tick(self) -> None:
        """Time has passed."""
        now = self.now()
        if now >= self.site.deadline:
            self._settle(self.site.tick(now))

    def leave(self) -> None:
        """Take leave of the others, once."""
        if not self.wants_to_end:
            self.wants_to_end = True
            self._settle(self.site.leave(self.now()))

    def close(self) -> None:
        """The process is about to end."""
        self._store.close()

    # -------------------------------------------------------------------------------------------------------- commands

    def obey(self, line: str) -> Reaction:
        """Carry out one command; one that can't be is answered in the trace and on stderr, and changes nothing."""
        try:
            return self._carry_out(line)
        except Problem as problem:
            return self._answer(line, problem.text)

    def _carry_out(self, line: str) -> Reaction:
        """What the command brings about. Raises `Problem`; then nothing has changed."""
        try:
            command = commands.parse(self.site.role.role, line)
            if isinstance(command, ask.Leave):
                self._is_leaving = True  # once what was asked before is said
                return self._answer(line)
            if self.output.is_full and not isinstance(command, ask.TellState):
                raise _QUEUE_FULL
            reaction = self.site.command(self._read_for(command), self.now())
            if isinstance(command, commands.Import):
                gc.freeze()  # as `assembly.py` does at the beginning
            return _joined([self._answer(line, first=reaction.events[:1]), reaction])
        except CommandRefused as refused:
            reason = commands.explain(refused)
            raise Problem(reason.fr, reason.en) from refused

    def _read_for(self, command: ask.Command | commands.Import | commands.Load) -> ask.Command:
        """What the core can carry out: the files that the command names are read here."""
        if isinstance(command, commands.Import):
            assert self._load is not None, "only a guichet is asked to import"
            return self._load(command)
        if isinstance(command, commands.Load):
            assert self.folder is not None
            return ask.Restore(self.folder.read(command.file))
        return command

    def _answer(self, line: str, error: Text | None = None, first: Sequence[Event] = ()) -> Reaction:
        """What the trace says of a command: it stands before the `first` event that it caused."""
        if error is not None:
            self._log.warning(Text("« %s » : %s", "'%s': %s"), line, error.in_language(self._language))
        said = Commanded(line, error.in_language(self._language) if error else "")
        at, lamport = (first[0].at, first[0].lamport) if first else (self.now(), self.site.clock.time)
        return Reaction(events=[Event(at, lamport, said)])

    # ------------------------------------------------------------------------------------------- durable, traced, said

    def _settle(self, reaction: Reaction) -> None:
        """Make what happened durable, trace it, queue what is to be said."""
        site = self.site
        if any(isinstance(event.fact, FileWanted | SnapshotMoved) for event in reaction.events):
            reaction = self._with_files(reaction)
        numbers = {"life": site.latest_life, "clock": site.clock.time, "round": site.round, "epoch": site.epoch}
        numbers["next_number"] = site.role.next_number
        self._store.commit(reaction.events, numbers, before_speaking=bool(reaction.lines))
        if self._trace is not None:
            self._write_trace(self._trace, reaction.events)
        if self._watch is not None:
            self._watch(reaction.events)
        for event in reaction.events:
            if isinstance(event.fact, Dropped) and not event.fact.is_routine:
                self._complain(event.fact)
            elif isinstance(event.fact, BegunAnew):
                self._log.warning(_ANEW[event.fact.reason], ", ".join(event.fact.tickets) or "-")
        self.output.put(reaction.lines)
        self.flush()

    def _with_files(self, reaction: Reaction) -> Reaction:
        """Write the snapshots that are closed, and load those that are asked for."""
        events, answers = [], []
        for event in reaction.events:
            events.append(event._replace(fact=self._filed(event.fact)))
            if isinstance(event.fact, FileWanted):
                answers.append(self._load_for(event.fact))
        return _joined([Reaction(reaction.lines, events), *answers])

    def _filed(self, fact: Fact) -> Fact:
        """A closed snapshot with the name of its file; one that can't be written is said, and the system goes on."""
        if not isinstance(fact, SnapshotMoved) or fact.document is None or self.folder is None:
            return fact
        if fact.document["complete"] and not fact.is_sound:
            self._log.warning(_UNSOUND, fact.round)
        try:
            return fact._replace(file=str(self.folder.write(fact.document)))
        except Problem as problem:
            self._log.error(problem.text)
            return fact

    def _load_for(self, wanted: FileWanted) -> Reaction:
        """A client asks for a file: load it, or tell the client why not."""
        site, now = self.site, self.now()
        assert self.folder is not None and isinstance(site, GuichetSite)
        try:
            command = ask.Restore(self.folder.read(wanted.file), wanted.client, wanted.request)
            return site.command(command, now)
        except CommandRefused as refused:
            reason = commands.explain(refused)
        except Problem as problem:
            reason = problem.text
        said = reason.in_language(self._language)[:MAX_REASON]
        return site.refuse_restore(wanted.client, wanted.request, said, now)

    def _write_trace(self, trace: Trace, events: Iterable[Event]) -> None:
        try:
            trace.write(events)
        except OSError as error:
            self._log.error(Text("trace interrompue : %s", "trace interrupted: %s"), error.strerror)
            self._trace = None

    def _complain(self, dropped: Dropped) -> None:
        self._log.warning(_MALFORMED, dropped.reason, dropped.line.decode(errors="replace")[:80])
        if self._safe_mode:
            self._log.error(Text("--safemode : arrêt à la première ligne fautive", "--safemode: stopped at a bad line"))
            self.status = 2
            self.wants_to_end = True

    def flush(self) -> None:
        """Write what the output takes now."""
        self.output.flush()
        if self.output.is_broken and not self._was_broken:
            self._log.warning(_BROKEN)
        self._was_broken = self.output.is_broken
        if self.output.is_overfull and not self._was_overfull:
            self._log.warning(_OVERFULL)
        self._was_overfull = self.output.is_overfull


def _joined(reactions: list[Reaction]) -> Reaction:
    if len(reactions) == 1:
        return reactions[0]
    return Reaction(
        [line for reaction in reactions for line in reaction.lines],
        [event for reaction in reactions for event in reaction.events],
    )
