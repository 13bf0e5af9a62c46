"""`scripts/broker.sh` and `scripts/join.sh`, the part in Python: puts the rooms of this folder together."""

from __future__ import annotations

import os
import resource
import signal
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from lib.broker import certificates, member, options
from lib.broker.carrier import Carrier
from lib.broker.folder import BrokerFolder
from lib.broker.join import join
from lib.broker.options import Options
from lib.broker.plan import LOOPBACK, PLAIN_PORT, TLS_PORT, Plan
from lib.broker.programs import CARRY, TOPOLOGY
from lib.broker.serve import Broker, check_address, free_port, read_again, revive, tell_neighbours
from lib.launch import graph
from lib.launch.screen import Screen
from lib.launch.signals import Interrupted, Signals
from lib.texts import Problem, Text

_UNUSABLE = 2
_SIGNALLED = 128  # and the number of the signal, as a shell has it

Tell = Callable[[Text], None]


def main(arguments: Sequence[str]) -> int:
    """Do what `arguments` ask for; the exit status."""
    language = options.language(arguments)

    def tell(text: Text) -> None:
        print(text.in_language(language), flush=True)

    def complain(text: Text) -> None:
        print(text.in_language(language), file=sys.stderr, flush=True)

    os.umask(0o077)  # whatever is made here is its owner's alone: passwords, tickets, and who may write them
    try:
        chosen = options.parse(arguments)
        if chosen.help:
            tell(options.usage(chosen))
            return 0
        _allow_files()
        if chosen.task == options.JOIN:
            return _join(chosen, Screen(language), complain)
        return _carry(chosen, complain) if chosen.task == CARRY else _serve_or_change(chosen, tell)
    except Problem as problem:
        text = problem.text
    except OSError as error:  # a full disk, no more processes
        text = Text(*[" ".join(str(word) for word in (error.filename, error.strerror) if word)] * 2)
    except Interrupted as interrupted:
        return _SIGNALLED + interrupted.number
    except KeyboardInterrupt:  # before we listen to signals
        return _SIGNALLED + signal.SIGINT
    program = options.program(arguments)
    complain(Text(f"{program} : {text.fr}", f"{program}: {text.en}"))
    return _UNUSABLE


def _allow_files() -> None:
    """As many open files as we may have: a broker has one for each connection, three for each site."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _join(chosen: Options, screen: Screen, tell: Tell) -> int:
    assert chosen.file is not None
    mine = member.unpack(chosen.file)
    if chosen.file.stat().st_mode & 0o077:
        tell(
            Text(
                f"{chosen.file} : d'autres peuvent la lire, et se faire passer pour {mine.site} ; chmod 600 {chosen.file}",
                f"{chosen.file}: others can read it, and pretend to be {mine.site}; chmod 600 {chosen.file}",
            )
        )
    return join(mine, chosen.folder or Path(os.path.abspath(f"billets-{mine.site}")), chosen.rest, screen, tell)


def _carry(chosen: Options, tell: Tell) -> int:
    """For a launcher: keep a broker of its own in its run directory, and carry the lines of all its sites."""
    assert chosen.folder is not None
    folder = BrokerFolder(chosen.folder / "courtier")
    plan = Plan(LOOPBACK, free_port(), False, graph.read(chosen.folder / TOPOLOGY), is_brief=True)
    signals = Signals()
    members = folder.prepare(plan)
    signals.check()
    broker = Broker(folder, plan)
    try:
        broker.begin()
        carrier = Carrier(members, chosen.folder, signals, tell)
        try:
            while not signals.received:
                carrier.serve()
                revive(broker, signals, tell)
        finally:
            carrier.end()
    finally:
        broker.end()
    return 0


def _serve_or_change(chosen: Options, tell: Tell) -> int:
    folder = BrokerFolder(chosen.folder or Path(os.path.abspath("courtier")))
    changes = bool(chosen.added or chosen.removed)
    try:
        with folder.locked("changement" if changes else "verrou"):
            return (_change if changes else _serve)(folder, chosen, tell)
    except BlockingIOError:
        raise Problem(
            f"{folder.path} : sert déjà ; pour changer un courtier qui tourne : --ajouter, --retirer",
            f"{folder.path}: is in use already; to change a broker that runs: --ajouter, --retirer",
        ) from None


def _serve(folder: BrokerFolder, chosen: Options, tell: Tell) -> int:
    before = folder.plan()
    plan = _plan(before, chosen)
    check_address(plan)  # before anything is changed
    signals = Signals()
    members = folder.prepare(plan)
    signals.check()
    broker = Broker(folder, plan)
    try:
        broker.begin()
        _check_certificate(folder, plan)
        for member in members:
            signals.check()
            tell_neighbours(folder, [member])
        _introduce(folder, plan, tell)
        _tell_removed(set(before.wiring.sites if before else ()) - set(plan.wiring.sites), tell)
        while not signals.received:
            signals.wait(None)
            if revive(broker, signals, tell):
                with suppress(Problem):  # it may have forgotten what it was told last; if not, all the better
                    tell_neighbours(folder, folder.members())
    finally:
        broker.end()
    return 0


def _plan(known: Plan | None, chosen: Options) -> Plan:
    """What to serve: what is said now goes before what the folder knows. Raises `Problem`."""
    wiring = graph.read(chosen.file) if chosen.file else known.wiring if known else None
    host = LOOPBACK if chosen.local else chosen.host or (known.host if known else "")
    if wiring is None or not host:
        raise Problem(
            "il faut une topologie (il y en a dans topologies/) et --adresse, ou --local (--help)",
            "a topology is needed (there are some in topologies/) and --adresse, or --local (see --help)",
        )
    tls = known.tls if known and not (chosen.local or chosen.host) else not chosen.local
    usual = known.port if known and known.tls == tls else TLS_PORT if tls else PLAIN_PORT
    is_brief = known is not None and known.is_brief if chosen.brief is None else chosen.brief
    return Plan(host, chosen.port or usual, tls, wiring, is_brief)


def _check_certificate(folder: BrokerFolder, plan: Plan) -> None:
    """What every site would find wrong with it, said here. Raises `Problem`."""
    authority = folder.path / certificates.AUTHORITY
    if plan.tls and (why := certificates.objection(plan.host, plan.port, authority.read_text())):
        proof = folder.path / certificates.CERTIFICATE
        raise Problem(
            f"{proof} : {why} ; mettez cette machine à l'heure, ou effacez {authority}, relancez et redonnez les archives",
            f"{proof}: {why}; set the clock of this machine, or delete {authority}, start again and hand out the archives",
        )


def _introduce(folder: BrokerFolder, plan: Plan, tell: Tell) -> None:
    """Say where the broker listens, and what everybody types."""
    security = Text("TLS", "TLS") if plan.tls else Text("sans TLS", "without TLS")
    journal, archives = _shown(folder.journal), _shown(folder.archives)
    tell(
        Text(
            f"Courtier : {plan.host}, port {plan.port}, {security.fr} ; journal : {journal}\n"
            f"À chacun son archive, qui contient son mot de passe : {archives}/ ; là où elle est, il tape :",
            f"Broker: {plan.host}, port {plan.port}, {security.en}; journal: {journal}\n"
            f"To everybody their archive, which has their password: {archives}/; where it is, they type:",
        )
    )
    for site in plan.wiring.sites:
        tell(_line(site))


def _line(site: str) -> Text:
    path = f"./{site}.tar" if site.startswith("-") else f"{site}.tar"
    return Text(*[f"  scripts/join.sh {path}"] * 2)


def _shown(path: Path) -> str:
    """A path as it is shortest to say."""
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)


def _change(folder: BrokerFolder, chosen: Options, tell: Tell) -> int:
    """Bring the folder up to date with a changed topology; the broker and the sites, too, if it runs. Raises `Problem`."""
    before = folder.plan()
    if before is None:
        raise Problem(
            f"{folder.path} : il n'y a pas de courtier là (--dossier)",
            f"{folder.path}: there is no broker there (--dossier)",
        )
    plan = before.changed(chosen.added, chosen.removed)
    read_before = {site: before.reads(site) for site in before.wiring.sites}
    members = folder.prepare(plan)
    if read_again(folder):
        tell_neighbours(folder, [one for one in members if one.reads != read_before.get(one.site)])
    for site in plan.wiring.sites:
        if site not in before.wiring.sites:
            tell(
                Text(
                    f"{site} : {_shown(folder.archive(site))} ; il tape :",
                    f"{site}: {_shown(folder.archive(site))}; to type:",
                )
            )
            tell(_line(site))
    _tell_removed(chosen.removed, tell)
    return 0


def _tell_removed(sites: Iterable[str], tell: Tell) -> None:
    for site in sorted(sites):
        tell(
            Text(
                f"{site} : retiré ; le guichet l'attend encore, jusqu'à ce qu'on y tape : liberer client={site}",
                f"{site}: removed; the guichet waits for it until one types there: liberer client={site}",
            )
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
