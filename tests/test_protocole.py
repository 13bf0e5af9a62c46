"""`docs/protocole.md` is held to the code: its tables say what the program does, all of it, and nothing else."""

from __future__ import annotations

import ast
import importlib
import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import pytest

from lib.core import buying, facts, tickets, wire
from lib.core import messages as say
from lib.core.facts import Event
from lib.core.messages import Message
from lib.core.tickets import Journey, Search, Ticket
from lib.edge import snapshots, trace
from tests.test_readme import ROOT, Table, command_keys, commands_of, options_of, quoted, rows_by_site, tables_under

PAGE = (ROOT / "docs" / "protocole.md").read_text(encoding="utf-8")
JOURNEY = Journey("848362", "2027-03-15T07:10", "Compiègne", "Creil", 980)
REQUEST = say.Request("c1", 1, True, Search(), 1)


def message(body: say.Body, rank: int = 0) -> Message:
    return Message("c1", 1, 7, "gch", 5, 2, 1, rank, 3, body)


def only_table(heading: str) -> Table:
    (table,) = tables_under(PAGE, heading)
    return table


def first_column(table: Table) -> list[str]:
    return [quoted(row[0])[0] for row in table]


# -------------------------------------------------------------------------------------------------- what is on the line

# Every sentence that the program can say, and where the page has its fields.
SENTENCES: dict[str, say.Body] = {
    "### `demande`": REQUEST,
    "### `accuse`": say.Acknowledgement("c1", 1, "B0001", True),
    "### `retour`": say.Return("c1", 2, "B0001"),
    "### `presence`": say.Presence("client", say.ARRIVAL),
    "### `snapshot`, `volet~appel`": say.SnapshotCall(1),
    "### `snapshot`, `volet~etat`": say.SnapshotState(1, True, 1, 1, "{}"),
    "### `snapshot`, `volet~transit`": say.SnapshotTransit(1, message(REQUEST, rank=1)),
    "### `reset`": say.Reset(1, True),
    "### `restauration`, `volet~demande`": say.RestoreRequest(1, "i.json"),
    "### `restauration`, `volet~refus`": say.RestoreRefused(1, "absent"),
    "### `restauration`, `volet~etat`": say.RestoreState(1, 1, "{}"),
    "### `restauration`, `volet~fait`": say.RestoreDone(),
    "### `billet`": say.TicketNotice("c1", 1, say.OFFERED, "B0001", JOURNEY, "gch", expires_in=3.0),
}


def test_the_page_has_every_sentence_and_no_other() -> None:
    said = {type(body) for body in SENTENCES.values()}
    assert said == set(say.Body.__args__) - {say.Unknown}
    headings = [line for line in PAGE.splitlines() if line.startswith("### `")]
    assert sorted(headings) == sorted(SENTENCES)


@pytest.mark.parametrize("heading", SENTENCES)
def test_the_fields_of_a_sentence(heading: str) -> None:
    """The page names the fields as the line has them, all, in the order in which they are written."""
    body = SENTENCES[heading]
    written = list(wire.fields_of(body))
    if isinstance(body, say.SnapshotTransit):  # the message's own fields follow, and have a table of their own
        written = [key for key in written if key not in wire.fields_of(body.message.body)]
    assert first_column(tables_under(PAGE, heading)[0]) == written
    word, phase = quoted(heading)[0], wire.fields_of(body).get("volet")
    assert wire.type_of(body) == word
    assert phase in (quoted(heading)[-1].removeprefix("volet~"), None) or word == "presence"


def test_no_field_of_ours_hides_one_of_a_message_in_transit() -> None:
    """In a `transit` both stand side by side, so no name may be in both."""
    for body in (body for body in SENTENCES.values() if isinstance(body, say.APPLICATION)):
        crossing = say.SnapshotTransit(1, message(body, rank=1))
        ours = first_column(only_table("### `snapshot`, `volet~transit`"))
        assert list(wire.fields_of(crossing)) == [*ours, *wire.fields_of(body)]


def test_the_envelope() -> None:
    line = wire.encode(message(REQUEST, rank=4), "c1").decode()
    keys = [part.partition("~")[0] for part in line.strip("^").split("^")]
    envelope = keys[: len(keys) - len(wire.fields_of(REQUEST))]
    assert first_column(only_table("## 2. L'enveloppe")) == envelope


def test_every_refusal() -> None:
    reasons = tables_under(PAGE, "### `billet`")[1]
    assert sorted(first_column(reasons)) == sorted(wire._REASONS)


def test_the_words_of_a_field() -> None:
    """Every word that a field may be is on the page, in the row of the field."""
    for heading, field, words in (
        ("### `billet`", "statut", wire._STATUS),
        ("### `presence`", "volet", wire._PHASE),
        ("### `presence`", "role", wire._ROLE),
    ):
        (row,) = [row for row in tables_under(PAGE, heading)[0] if quoted(row[0]) == [field]]
        assert set(words) <= set(quoted(row[1])), f"{heading} {field}"


# -------------------------------------------------------------------------------------------------------- dropped lines


def literals(paths: Iterable[Path], functions: re.Pattern[str]) -> set[str]:
    """The texts that are returned by these functions, named by a constant, or given to what drops a line."""
    found: set[str] = set()
    for path in paths:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                if name in ("Malformed", "reject"):
                    found |= texts(node.args[0])
                elif name == "Verdict":
                    found |= {text for word in node.keywords if word.arg == "reason" for text in texts(word.value)}
            elif isinstance(node, ast.FunctionDef) and functions.search(node.name):
                returned = [inner.value for inner in ast.walk(node) if isinstance(inner, ast.Return) and inner.value]
                found |= {text for value in returned for text in texts(value)}
    return found


def texts(node: ast.AST) -> set[str]:
    """The text literals that an expression may be; of a formatted one, its beginning and an ellipsis."""
    if isinstance(node, ast.JoinedStr):
        return {f"{node.values[0].value}…"} if isinstance(node.values[0], ast.Constant) else set()
    if isinstance(node, ast.IfExp):
        return texts(node.body) | texts(node.orelse)
    is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
    return {node.value} - {""} if is_text else set()


def test_every_reason_for_which_a_line_is_dropped() -> None:
    core, edge = ROOT / "lib" / "core", ROOT / "lib" / "edge"
    from lib.core import site, sites

    rooms = [core / name for name in ("relay.py", "site.py", "sites.py", "wire.py")] + [edge / "process.py"]
    known = literals(rooms, re.compile("^_objection"))
    known |= {*site.REMARKABLE, site.EARLIER_LIFE, sites._NOT_FOR_US, sites.DISMISSED}
    # Fields are not named one by one: `bad …`. (An escape is no field.)
    known = {re.sub(r"^(bad|missing) .*", r"\1 …", reason) if reason != "bad escape" else reason for reason in known}
    table = only_table("### Pourquoi une ligne est écartée")
    assert sorted(first_column(table)) == sorted(known)
    remarkable = {quoted(row[0])[0] for row in table if row[2] == "remarquable"}
    assert set(site.REMARKABLE) <= remarkable


# -------------------------------------------------------------------------------------------------------- the two lives


def test_the_life_of_a_ticket() -> None:
    table = [tuple(quoted(cell)[0] for cell in row) for row in only_table("### Un billet")]
    assert table == [(state, happens, after) for (state, happens), after in tickets.TRANSITIONS.items()]


def test_the_life_of_a_request() -> None:
    table = [tuple(quoted(cell)[0] for cell in row) for row in only_table("### Une demande")]
    assert sorted(table) == sorted((*key, after) for key, after in buying.TRANSITIONS.items())


# ------------------------------------------------------------------------------------------------- options and commands


def test_every_option() -> None:
    assert set(quoted_options(only_table("### Options"))) == options_of("guichet") | options_of("client")


def quoted_options(table: Table) -> list[str]:
    return [re.match("-[^ =[]*", option)[0] for row in table for option in quoted(row[0])]  # type: ignore[index]


@pytest.mark.parametrize("role", ["guichet", "client"])
def test_every_command_with_its_keys(role: str) -> None:
    page = rows_by_site(only_table("### Commandes"), role)
    assert page == {verb: command_keys(role, verb) for verb in commands_of(role)}


# --------------------------------------------------------------------------------------------------------------- limits


def limits() -> list[tuple[str, str]]:
    return [(quoted(row[0])[0], row[1]) for row in only_table("## 11. Les limites")]


def module_of(name: str) -> str:
    core = (ROOT / "lib" / "core" / f"{name}.py").exists()
    return f"lib.core.{name}" if core and name not in ("commands",) else f"lib.edge.{name}"


@pytest.mark.parametrize(("limit", "value"), limits())
def test_a_limit_is_what_the_code_says(limit: str, value: str) -> None:
    module, name = limit.split(".")
    assert getattr(importlib.import_module(module_of(module)), name) == float(value)


def test_no_limit_of_the_core_is_left_out() -> None:
    numbers = {
        f"{path.stem}.{name}"
        for path in (ROOT / "lib" / "core").glob("*.py")
        for name, value in vars(importlib.import_module(f"lib.core.{path.stem}")).items()
        if re.fullmatch("[A-Z][A-Z_]+", name) and isinstance(value, int | float) and is_defined(path, name)
    }
    assert numbers - {limit for limit, _ in limits()} == set()


def is_defined(path: Path, name: str) -> bool:
    """Whether the name is given its value in this file, not imported into it."""
    return re.search(rf"^{name}(: \w+)? = ", path.read_text(encoding="utf-8"), re.MULTILINE) is not None


# ------------------------------------------------------------------------------------------------------------ the trace

TICKET = Ticket("B0001", JOURNEY, tickets.HELD, "c1", 1, 30.0)
HOLDING = facts.Holding("B0001", JOURNEY, "gch")
DOCUMENT = {"missing": [], "initiators": [], "channels": [], "checks": {}}
ERRANDS = [
    facts.Errand(1, facts.RESERVE, facts.OFFERED, Search(), holding=HOLDING, deadline=30.0),
    facts.Errand(1, facts.RESERVE, facts.REFUSED, Search(), reason="complet"),
    facts.Errand(2, facts.CONSULT, facts.LISTED, Search(), total=1, listing={1: HOLDING}),
]
TRACED: list[facts.Fact] = [
    facts.Started("client", 1),
    facts.Stopped(),
    facts.Sent(message(REQUEST, rank=1)),
    facts.Received(message(REQUEST, rank=1)),
    facts.Relayed(wire.encode(message(REQUEST, rank=1), "c2")),
    facts.Dropped("duplicate", b"^"),
    *map(facts.ErrandMoved, ERRANDS),
    facts.TicketMoved(TICKET),
    facts.TicketsAdded((TICKET,)),
    facts.TicketWithdrawn("B0001"),
    facts.SnapshotMoved(1, "complete", document=DOCUMENT, file="i.json"),
    facts.RestoreMoved(1, "started", waiting=("c1",)),
    facts.Redelivered("gch:1.1", "gch", REQUEST),
    facts.BegunAnew("dismissed", ("B0001",), (1,)),
    facts.Commanded("etat"),
    facts.StateTold({}),
]


def test_every_event_of_the_trace_with_every_key() -> None:
    assert {type(fact) for fact in TRACED} == set(trace._ROWS), "an event that is not tried here"
    known: dict[str, set[str]] = defaultdict(set)
    for fact in TRACED:
        row = trace._row(Event(1.0, 1, fact))
        assert row is not None
        known[row.pop("ev")] |= set(row)
    page: dict[str, set[str]] = defaultdict(set)
    for event, key, _ in only_table("## 13. La trace"):
        page[quoted(event)[0]] |= set(quoted(key))
    assert page == known


def test_the_states_of_a_request_are_those_of_its_table() -> None:
    """What the page says of each state is about the states that there are."""
    section = PAGE.partition("### Une demande")[2].partition("\n## ")[0]
    prose = "\n".join(line for line in section.splitlines() if not line.startswith("|"))
    states = {state for _, state, _ in buying.TRANSITIONS} | set(buying.TRANSITIONS.values())
    assert states <= set(quoted(prose))


# ------------------------------------------------------------------------------------------------------------ the files


def test_the_keys_of_a_snapshot_file(tmp_path: Path) -> None:
    """The page names every key of a real file: one that a guichet alone has taken."""
    from lib.core import commands as ask
    from lib.core.selling import Guichet
    from lib.core.sites import GuichetSite

    site = GuichetSite(Guichet("gch"), 1)
    site.command(ask.AddTickets(((JOURNEY, 2),)), 1.0)
    events = site.command(ask.TakeSnapshot(), 2.0).events
    (document,) = [e.fact.document for e in events if isinstance(e.fact, facts.SnapshotMoved) and e.fact.document]
    written = snapshots.read(snapshots.Folder(str(tmp_path)).write(document))
    assert sorted(first_column(only_table("### Le fichier d'un instantané"))) == sorted(written)
    of_the_guichet = PAGE.partition("Un site a `role`")[2].partition("Un message de canal")[0]
    assert set(written["sites"]["gch"]) - {"role"} <= set(quoted(of_the_guichet))


def test_no_link_leads_nowhere() -> None:
    """Every link into the page finds its heading, as GitHub names headings."""
    headings = re.findall(r"^#+ (.*)$", PAGE, re.MULTILINE)
    anchors = {re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings}
    links = re.findall(r"\]\(#([^)]*)\)", PAGE)
    for readme in ("README.md", "README.en.md"):
        links += re.findall(r"\]\(docs/protocole\.md#([^)]*)\)", (ROOT / readme).read_text(encoding="utf-8"))
    assert len(links) > 15
    assert [link for link in links if link not in anchors] == []
