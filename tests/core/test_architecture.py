"""The architecture is a test (house.md): who may import whom, and that the core is pure and deterministic."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LIB = ROOT / "lib"

# The standard library's pure parts: no file, no clock, no chance, no thread, no window in any of them.
PURE = {
    "__future__",
    "abc",
    "bisect",
    "collections",
    "contextlib",
    "copy",
    "dataclasses",
    "enum",
    "functools",
    "hashlib",
    "heapq",
    "itertools",
    "json",
    "math",
    "operator",
    "re",
    "string",
    "types",
    "typing",
    "unicodedata",
}
# Room -> the modules of ours that it may import; the standard library aside.
ROOMS = {
    "core": ("lib.core",),
    "edge": ("lib.core", "lib.texts", "lib.edge"),
    "launch": ("lib.texts", "lib.words", "lib.launch", "lib.cable.faults", "lib.broker.programs"),
    "broker": (
        "lib.texts",
        "lib.words",
        "lib.broker",
        "lib.launch.graph",
        "lib.launch.wiring",
        "lib.launch.processes",
        "lib.launch.signals",
        "lib.launch.screen",
        "lib.launch.telling",
        "lib.launch.traces",
    ),
    "cable": ("lib.texts", "lib.cable", "lib.edge.lines", "lib.edge.log", "lib.edge.streams"),
    "windows": ("lib.core", "lib.texts", "lib.words", "lib.windows"),
    "diagram": ("lib.texts", "lib.diagram"),
}
Rule = Callable[[ast.AST], Iterator[str]]


def modules(room: str) -> list[Path]:
    return sorted((LIB / room).rglob("*.py"))


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imported(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Every imported module by its full name, with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: relative imports hide who is imported"
            base = node.module or ""
            is_package = base.startswith("lib") and (ROOT / base.replace(".", "/")).is_dir()
            yield from ((node.lineno, f"{base}.{a.name}" if is_package else base) for a in node.names)


def foreign(tree: ast.AST, ours: tuple[str, ...], standard: set[str] | frozenset[str]) -> list[str]:
    """The imports that are neither `ours` nor of the `standard` library's allowed part."""
    return [
        f"line {line}: imports {name}"
        for line, name in imported(tree)
        if not any(name == room or name.startswith(f"{room}.") for room in ours) and name.split(".")[0] not in standard
    ]


def calls(tree: ast.AST, names: set[str]) -> list[str]:
    """Calls of builtins by these names, and `x.name(...)` for those that begin with a dot."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            what = node.func
            name = what.id if isinstance(what, ast.Name) else f".{what.attr}" if isinstance(what, ast.Attribute) else ""
            if name in names:
                found.append(f"line {node.lineno}: calls {name}")
    return found


def is_set(node: ast.AST) -> bool:
    """A set by its looks: a display, a comprehension, a call of `set` or `frozenset`, or their union and the like."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr | ast.BitAnd | ast.Sub | ast.BitXor):
        return is_set(node.left) or is_set(node.right)
    called = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("set", "frozenset")
    return called or isinstance(node, ast.Set | ast.SetComp)


ORDERED_BY = {"sorted", "len", "sum", "min", "max", "any", "all", "set", "frozenset", "isinstance", "bool"}


def walked_sets(tree: ast.AST) -> list[str]:
    """Sets whose order may be seen: walked over, or handed to anything but `sorted` and the like."""
    named = {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None and is_set(node.value)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }

    def shown(node: ast.AST) -> bool:
        return is_set(node) or (isinstance(node, ast.Name) and node.id in named)

    found = []
    for node in ast.walk(tree):
        walked: list[ast.AST] = []
        if isinstance(node, ast.For | ast.comprehension | ast.YieldFrom):
            walked = [node.value if isinstance(node, ast.YieldFrom) else node.iter]
        elif isinstance(node, ast.Starred):
            walked = [node.value]
        elif isinstance(node, ast.Call) and not (isinstance(node.func, ast.Name) and node.func.id in ORDERED_BY):
            walked = list(node.args)
        found += [f"line {getattr(each, 'lineno', '?')}: walks over a set" for each in walked if shown(each)]
    return found


def faults(room: str, rule: Callable[[ast.Module], list[str]]) -> list[str]:
    return [f"{path.relative_to(ROOT)}, {fault}" for path in modules(room) for fault in rule(parsed(path))]


# ----------------------------------------------------------------------------------------------------- who imports whom


def test_the_core_imports_nothing_but_itself_and_what_is_pure() -> None:
    """house.md: "PURE: no file, no wall clock, no chance, no thread, no Tk, no print"; "core -> nothing"."""
    assert len(modules("core")) > 10
    assert faults("core", lambda tree: foreign(tree, ROOMS["core"], PURE)) == []


@pytest.mark.parametrize("room", ["edge", "launch", "cable", "broker", "diagram"])
def test_a_room_imports_only_the_rooms_that_it_may(room: str) -> None:
    """house.md: "programs -> windows, edge -> core -> nothing. windows and edge do not know each other"."""
    assert len(modules(room)) > 3
    standard = sys.stdlib_module_names - {"tkinter"}  # contract, 1: "`import tkinter` only when a window is wanted"
    assert faults(room, lambda tree: foreign(tree, ROOMS[room], standard)) == []


def test_the_windows_do_not_know_the_edge() -> None:
    """house.md: "windows and edge do not know each other"."""
    assert len(modules("windows")) > 10
    assert faults("windows", lambda tree: foreign(tree, ROOMS["windows"], sys.stdlib_module_names)) == []


def test_what_there_is_to_see_is_told_without_tk() -> None:
    """house.md: "view (a Site as rows and labels; no tkinter in it)"; `opening` imports it only when a window is wanted."""
    ours = (*PURE, "time", "pathlib", "lib.core", "lib.texts", "lib.words", "lib.windows.view")
    assert len(modules("windows/view")) > 4
    assert faults("windows/view", lambda tree: foreign(tree, ours, frozenset())) == []


def test_tkinter_is_imported_only_when_a_window_is_wanted() -> None:
    """Contract, 1: "`import tkinter` only when a window is wanted"."""
    program = "import sys, guichet, client; sys.exit('tkinter' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0


@pytest.mark.parametrize("name", ["faults.py", "link.py"])
def test_the_fate_of_lines_is_pure(name: str) -> None:
    """What a cable does to a line can be tested without a pipe, a clock or chance."""
    tree = parsed(LIB / "cable" / name)
    assert foreign(tree, ("lib.cable.faults", "lib.texts"), PURE) == []
    assert calls(tree, IMPURE | CLOCKS | {"print"}) == []


def test_every_module_is_looked_at() -> None:
    """A room that nobody has thought of would be free of every rule."""
    rooms = {path.relative_to(LIB).parts[0] for path in LIB.rglob("*.py")}
    assert rooms <= {*ROOMS, "__init__.py", "texts.py", "words.py"}


@pytest.mark.parametrize("name", ["__init__.py", "texts.py", "words.py"])
def test_what_stands_beside_the_rooms_imports_none_of_them(name: str) -> None:
    assert foreign(parsed(LIB / name), ("lib.texts",), sys.stdlib_module_names - {"tkinter"}) == []


# ----------------------------------------------------------------------------------------------------- what is not done

IMPURE = {"print", "open", "input", "exec", "eval", "hash", "id", "vars", "globals", "__import__", "breakpoint"}
CLOCKS = {".now", ".today", ".utcnow", ".localtime", ".monotonic"}


@pytest.mark.parametrize("room", ["core", "edge"])
def test_nobody_prints(room: str) -> None:
    """Contract, 1: AIRPLUG lines on stdout, "and nothing else on stdout"; house.md: "no `print` in `lib/`"."""
    assert faults(room, lambda tree: calls(tree, {"print"})) == []


def test_the_core_calls_nothing_impure() -> None:
    """house.md: "time, chance and files are handed in"; `hash` and `id` differ from one process to the next."""
    assert faults("core", lambda tree: calls(tree, IMPURE | CLOCKS)) == []


def test_the_core_never_walks_over_a_set() -> None:
    """house.md: "never iterate a set in the core: `PYTHONHASHSEED` changes its order"."""
    assert faults("core", walked_sets) == []


@pytest.mark.parametrize(
    "code",
    [
        "import time",
        "import os.path",
        "from random import choice",
        "from lib.edge.store import Store",
        "from lib import texts",
        "import lib.edge",
        "def late():\n    import tkinter",
        "from datetime import datetime",
    ],
)
def test_the_rule_on_imports_catches_what_it_should(code: str) -> None:
    assert foreign(ast.parse(code), ROOMS["core"], PURE)


@pytest.mark.parametrize("code", ["from lib.core import wire", "import json", "from collections.abc import Iterable"])
def test_the_rule_on_imports_lets_the_rest_pass(code: str) -> None:
    assert not foreign(ast.parse(code), ROOMS["core"], PURE)


@pytest.mark.parametrize(
    "code",
    [
        "for x in {1, 2}: pass",
        "[x for x in set(y)]",
        "names = set(y)\nfor x in names: pass",
        "list({x for x in y})",
        "', '.join(set(y))",
        "(*frozenset(y),)",
        "for x in set(y) - {1}: pass",
        "def f():\n    yield from {1, 2}",
    ],
)
def test_the_rule_on_sets_catches_what_it_should(code: str) -> None:
    assert walked_sets(ast.parse(code))


@pytest.mark.parametrize("code", ["for x in sorted({1, 2}): pass", "y = set(z)\nx in y", "for x in {1: 2}: pass", "a | b"])
def test_the_rule_on_sets_lets_the_rest_pass(code: str) -> None:
    assert not walked_sets(ast.parse(code))


def test_the_rule_on_calls_catches_what_it_should() -> None:
    assert calls(ast.parse("print(1)"), IMPURE) and calls(ast.parse("datetime.now()"), CLOCKS)
    assert not calls(ast.parse("self.open(now)"), IMPURE | CLOCKS)


# -------------------------------------------------------------------------------------------------- the same every time

STORY = """
from lib.core import commands as ask
from lib.core.buying import Client
from lib.core.facts import Say
from lib.core.selling import Guichet
from lib.core.tickets import Journey, Search

guichet, now, mail = Guichet("gch", 30.0), 0.0, []
clients = {f"c{n}": Client(f"c{n}", automatic=n % 2 == 0) for n in range(8)}


def take(sender, effects):
    for effect in effects:
        print(now, sender, effect)
        if isinstance(effect, Say):
            mail.append((sender, effect))


def deliver():
    while mail:
        sender, said = mail.pop(0)
        site = guichet if said.to == "gch" else clients[said.to]
        take(said.to, site.receive(sender, said.body, now))


cities = ["Compiègne", "Creil", "Noyon", "Paris"]
trains = [Journey(str(n), f"2025-03-{n + 1:02d}T07:10", cities[n % 4], cities[(n + 1) % 4], n) for n in range(9)]
take("gch", guichet.command(ask.AddTickets(tuple((train, 2) for train in trains)), now))
for turn in range(6):
    for n, (name, client) in enumerate(clients.items()):
        take(name, client.command(ask.Reserve(Search(departure=cities[(n + turn) % 4])), now))
        take(name, client.command(ask.Consult(Search(destination=cities[n % 4]), 3), now))
        if client.tickets and turn % 2:
            take(name, client.command(ask.GiveBack(next(iter(client.tickets))), now))
    if turn != 3:
        deliver()
    now += 20.0
    take("gch", guichet.tick(now))
    for name, client in clients.items():
        take(name, client.tick(now))
        take("gch", guichet.forget_requests(name) if turn == 4 else guichet.tell_again(name))
deliver()
print(guichet.state(now), [client.state(now) for client in clients.values()])
"""

SITES = """
from lib.core import commands as ask
from lib.core.buying import Client
from lib.core.selling import Guichet
from lib.core.sites import ClientSite, GuichetSite
from lib.core.tickets import Journey, Search

names = ["gch", *(f"c{n}" for n in range(6))]
sites = {name: ClientSite(Client(name, automatic=True), 1, watched=True) for name in names[1:]}
sites["gch"] = GuichetSite(Guichet("gch"), 1, watched=True)
mail = []


def take(name, reaction):
    for event in reaction.events:
        print(name, event)
    after = names[(names.index(name) + 1) % len(names)]
    mail.extend((after, line) for line in reaction.lines)


def deliver(now):
    while mail:
        name, line = mail.pop(0)
        print(name, line)
        take(name, sites[name].hear([line], now))


for name in names:
    take(name, sites[name].start(0.0))
journey = Journey("1", "2025-03-17T07:10", "Compiègne", "Paris", 1540)
take("gch", sites["gch"].command(ask.AddTickets(((journey, 4),)), 0.0))
deliver(0.0)
for name in names[1:]:
    take(name, sites[name].command(ask.Reserve(Search()), 1.0))
deliver(1.0)
for name in names:
    take(name, sites[name].tick(40.0))
deliver(40.0)
for name in names:
    take(name, sites[name].command(ask.TellState(), 41.0))
"""


def told_by(story: str, seed: str) -> str:
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", story],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("story", [STORY, SITES], ids=["roles", "sites"])
def test_two_processes_tell_the_same_story(story: str) -> None:
    """house.md: "never iterate a set in the core ...; one test compares two processes"."""
    first = told_by(story, "1")
    assert len(first.splitlines()) > 100
    assert first == told_by(story, "2") == told_by(story, "12345")
