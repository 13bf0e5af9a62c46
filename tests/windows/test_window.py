"""The window with a site in it: banner, journal, snapshots, keys; a flood does not freeze it."""

from __future__ import annotations

import json
import os
import tkinter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from tkinter import font, ttk

import pytest

from lib.core import messages as say
from lib.core import wire
from lib.core.messages import Message
from lib.core.tickets import Search
from lib.texts import Problem
from lib.windows.opening import open_window
from tests.windows.living import Living, cells
from tests.windows.person import click, press, write

Windows = Callable[..., Living]


@pytest.fixture
def windows(display: str, tmp_path: Path) -> Iterator[Windows]:
    """`windows(role)` opens one on the display; they are closed at the end, and nothing may have been raised in them."""
    opened: list[Living] = []

    def open(role: str = "guichet", **more: object) -> Living:
        opened.append(Living(display, tmp_path, role, **more))  # type: ignore[arg-type]
        return opened[-1]

    yield open
    for living in opened:
        living.end()


def line(number: int, body: say.Body, to: str = "gch", sender: str = "c1") -> bytes:
    rank = number if isinstance(body, say.APPLICATION) else 0
    message = Message(sender, 5, number, to, timestamp=number, round=0, epoch=0, rank=rank, receiver_life=0, body=body)
    return wire.encode(message, sender, "")


def _all(widget: tkinter.Misc) -> Iterator[tkinter.Misc]:
    for child in widget.winfo_children():
        yield child
        yield from _all(child)


def labels(living: Living) -> str:
    """Everything that is written on labels in sight."""
    kinds = (tkinter.Label, ttk.Label)
    seen = [child for child in _all(living.window.root) if isinstance(child, kinds) and child.winfo_viewable()]
    return "\n".join(str(label.cget("text")) for label in seen)


def tab(living: Living, title: str) -> None:
    notebook = living.window._notebook
    notebook.select(next(number for number in notebook.tabs() if notebook.tab(number, "text") == title))
    living.pump()


def shown(living: Living) -> list[tuple[str, ...]]:
    return cells(living.find(ttk.Treeview).master)


def test_the_banner_says_that_the_broker_is_away(windows: Windows, tmp_path: Path) -> None:
    """A file says so, which need not be there; the window looks at it even when nothing happens."""
    link = tmp_path / "c1.liaison"
    living = windows("client", link=link)
    assert "courtier" not in labels(living)
    link.write_text("injoignable\n")
    living.until(lambda: "courtier injoignable" in labels(living))
    link.write_text("joignable\n")
    living.until(lambda: "courtier" not in labels(living))


def test_the_banner_shows_the_site_and_its_clock(windows: Windows) -> None:
    living = windows("guichet")
    living.until(lambda: f"H = {living.site.clock.time}" in labels(living), "the clock")
    assert "gch" in labels(living) and "guichet" in labels(living) and "BLANC · tour 0" in labels(living)
    living.say([line(1, say.Presence("client", say.ARRIVAL), sender="c9")])
    living.until(lambda: "c9 à l'instant" in labels(living), "the neighbour")
    assert f"H = {living.site.clock.time}" in labels(living)


def test_a_neighbour_that_goes_away_is_said_and_the_site_stays(windows: Windows) -> None:
    living = windows("client")
    os.close(living.upstream)
    living.until(lambda: "le voisin d'amont est parti" in labels(living), "the warning")
    assert not living.sources.is_over
    living.upstream = os.open(os.devnull, os.O_WRONLY)  # for `end`, which closes it
    os.dup2(living.upstream, living._pipes[0][1])


def test_the_journal_shows_messages_and_the_raw_line(windows: Windows) -> None:
    living = windows("guichet")
    tab(living, "Messages")
    living.say([line(1, say.Request("c1", 1, False, Search(departure="L'Haÿ [$x] {y}"), 3)), b"rubbish"])
    living.until(lambda: len(shown(living)) >= 3, "the journal")
    kinds = [(row[2], row[3]) for row in shown(living)]
    assert (
        ("↓ reçu", "demande") in kinds and ("↑ émis", "billet refus") in kinds and any("écarté" in kind for kind, _ in kinds)
    )
    tree = living.find(ttk.Treeview)
    tree.focus_force()
    press(tree, "Home")
    while "^type~demande^" not in living.find(tkinter.Text).get("1.0", "end"):
        press(tree, "Down")
    text = living.find(tkinter.Text).get("1.0", "end")
    assert "depart~L%27Haÿ [$x] {y}^" in text
    click(living.find(ttk.Button, text="Copier"))
    assert living.window.root.clipboard_get() == text.strip()


def test_the_journal_is_filtered_and_paused(windows: Windows) -> None:
    living = windows("guichet")
    tab(living, "Messages")
    living.say([line(1, say.Request("c1", 1, False, Search(departure="Creil"), 3)), b"rubbish"])
    living.until(lambda: any("écarté" in row[2] for row in shown(living)), "the dropped line")
    click(living.find(ttk.Checkbutton, text="✗ écarté"))
    assert shown(living) and not any("écarté" in row[2] for row in shown(living))
    press(living.window.root, "Control-f")
    write(living.window._journal_panel.search_entry, "creil")
    living.until(lambda: len(shown(living)) == 1, "one match")
    click(living.find(ttk.Button, text="Pause"))
    living.say([line(2, say.Request("c1", 2, False, Search(departure="Creil"), 3))])
    living.until(lambda: living.window._journal_panel.pause_button.cget("text").startswith("Reprendre (2"), "two held back")
    assert len(shown(living)) == 1
    click(living.window._journal_panel.pause_button)
    assert len(shown(living)) == 2


def test_a_snapshot_is_taken_opened_and_loaded_by_the_mouse(windows: Windows, tmp_path: Path) -> None:
    living = windows("guichet")
    tab(living, "Instantanés")
    click(living.find(ttk.Button, text="Prendre un instantané"))
    living.until(lambda: "Tour 1 complet" in labels(living), "the outcome")
    (file,) = tmp_path.glob("instantane-1-*.json")
    assert json.loads(file.read_text())["complete"]
    assert "coupe cohérente : rien n'est reçu avant d'être émis" in labels(living) and "NON" not in labels(living)
    living.process.order("supprimer billet=B0001")
    panel = living.window._snapshot_panel
    assert panel.saved.selected == file.name

    asked: list[str] = []

    def confirm(dialog: tkinter.Toplevel) -> None:
        asked.append(str([child.cget("text") for child in _all(dialog) if isinstance(child, ttk.Label)]))
        click(next(b for b in _all(dialog) if isinstance(b, ttk.Button) and b.cget("text") == "Charger"))

    living.answer(confirm)
    click(panel.load_button)
    assert "Une nouvelle époque commence" in asked[0]
    living.until(lambda: "époque 1" in labels(living), "the epoch")
    assert living.site.epoch == 1 and "B0001" in living.site.role.stock


def test_the_list_of_snapshots_has_room_for_the_time_of_each(windows: Windows) -> None:
    living = windows("guichet", geometry="718x390+0+0")
    tab(living, "Instantanés")
    date = font.nametofont("TkDefaultFont", root=living.window.root).measure("2026-11-22 20:53:24")
    saved = living.window._snapshot_panel.saved.tree
    living.until(lambda: saved.column("at", "width") >= date, f"{date} pixels")


def test_a_damaged_snapshot_says_so_and_is_refused(windows: Windows, tmp_path: Path) -> None:
    living = windows("guichet")
    living.process.order("instantane")
    (file,) = tmp_path.glob("instantane-1-*.json")
    file.write_text(file.read_text().replace("15.40", "00.40", 1))
    tab(living, "Instantanés")
    living.until(lambda: "NON : sha256" in labels(living), "the check")
    reason = living.window.order(f"charger fichier={file.name}")
    assert reason is not None and reason.fr in labels(living)
    assert living.site.epoch == 0


def test_keys_change_size_theme_language_and_tab(windows: Windows) -> None:
    living = windows("client")
    root = living.window.root
    before = living.window.theme.size
    press(root, "Control-plus", "Control-plus", "Control-minus")
    assert living.window.theme.size == before + 1
    press(root, "Control-0")
    assert living.window.theme.size == before
    press(root, "Control-d")
    assert living.window.theme.is_dark
    press(root, "Control-l")
    living.until(lambda: "WHITE · round 0" in labels(living), "English")
    titles = [living.window._notebook.tab(number, "text") for number in living.window._notebook.tabs()]
    assert "Snapshots" in titles
    press(root, f"Control-{len(titles)}")
    living.until(lambda: "No round is open" in labels(living), "the snapshots")
    press(root, "Control-i")
    living.until(lambda: living.site.round == 1, "the round")


def test_closing_the_window_says_goodbye(windows: Windows) -> None:
    living = windows("client")
    living.window.close()
    assert living.sources.is_over and b"volet~depart" in living.said[-1]


def test_a_refused_command_is_said_in_the_status_line(windows: Windows) -> None:
    living = windows("client")
    living.window.order("rendre billet=B9999")
    living.pump()
    assert "le billet B9999 n'est pas à ce client" in labels(living)


def test_a_flood_of_ten_thousand_lines_does_not_keep_the_user_waiting(windows: Windows) -> None:
    """Between two slices of the flood Tk serves timers, and so the user; all lines are handled in the end."""
    living = windows("client")
    tab(living, "Messages")
    lines = [line(number, say.Presence("client", say.ALIVE), "gch", sender="c7") for number in range(1, 10_001)]
    served: list[int] = []

    def serve() -> None:
        served.append(living.site.counts["relayed"])
        living.window.root.after(1, serve)

    serve()
    os.set_blocking(living.upstream, False)
    data, sent = b"".join(each + b"\n" for each in lines), 0

    def feed() -> None:
        nonlocal sent
        with suppress(BlockingIOError):
            sent += os.write(living.upstream, data[sent : sent + 65536])
        if sent < len(data):
            living.window.root.after(0, feed)

    feed()
    living.until(lambda: bool(living.said) and living.site.counts["relayed"] == 10_000, "all lines")
    while_flooded = {count for count in served if 0 < count < 10_000}
    assert len(while_flooded) > 50, "timers hardly ran while the flood did"
    living.until(lambda: "→ 10000 passés" in labels(living), "the banner")


def test_a_callback_that_raises_is_shown_with_its_details(
    display: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    living = Living(display, tmp_path, "client")
    root = living.window.root
    root.report_callback_exception = living.window._report
    seen: list[str] = []

    def look(dialog: tkinter.Toplevel) -> None:
        seen.append(str([child.cget("text") for child in _all(dialog) if isinstance(child, ttk.Label)]))
        texts = [child for child in _all(dialog) if isinstance(child, tkinter.Text)]
        seen.append(texts[0].get("1.0", "end"))
        dialog.destroy()

    living.answer(look)
    root.after(1, lambda: 1 / 0)
    living.until(lambda: len(seen) == 2, "the dialog")
    assert "Erreur interne" in seen[0] and "ZeroDivisionError" in seen[1]
    assert "ZeroDivisionError" in capsys.readouterr().err
    living.end()


def test_the_end_of_the_site_closes_an_open_dialog(windows: Windows) -> None:
    """SIGTERM while a question is asked: the answer is no, and the site ends."""
    living = windows("client")
    living.answer(lambda dialog: os.write(living._signal, b"\x0f"))
    living.window._help()
    assert living.sources.is_over


def test_no_display_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":987")
    with pytest.raises(Problem) as problem:
        open_window("client", "c1", language="fr", geometry="", neighbours=())
    assert "pas d'écran" in problem.value.text.fr and "\n" not in problem.value.text.fr


@pytest.mark.parametrize("role", ["guichet", "client"])
@pytest.mark.parametrize("geometry", ["480x400+0+0", "560x400+0+0", "640x400+0+0", "960x540+0+0"])
def test_nothing_of_the_banner_is_cut_when_the_text_is_larger(windows: Windows, role: str, geometry: str) -> None:
    living = windows(role, geometry=geometry)
    press(living.window.root, *["Control-plus"] * 3)
    living.say([line(1, say.Presence("client", say.ARRIVAL), sender="c9")])
    living.until(lambda: "c9 à l'instant" in labels(living), "the neighbour")
    banner = living.window._banner
    for label in (banner._name, banner._clock, banner._badge, banner._neighbours, banner._lines):
        assert label.winfo_viewable() and label.winfo_width() >= label.winfo_reqwidth(), f"{label.cget('text')} is cut"
        right = label.winfo_rootx() - banner.winfo_rootx() + label.winfo_width()
        assert right <= banner.winfo_width(), f"{label.cget('text')} is cut"
    assert f"époque {living.site.epoch}" in labels(living)


def test_a_name_that_is_too_long_for_the_banner_leaves_room_for_the_clock(windows: Windows) -> None:
    living = windows("client", geometry="480x400+0+0")
    living.site.name = "n" * 32
    living.window._look_again()
    living.until(lambda: "…" in str(living.window._banner._name.cget("text")), "the name")
    clock = living.window._banner._clock
    assert clock.winfo_width() >= clock.winfo_reqwidth()


@pytest.mark.parametrize("key", ["Control-d", "Control-l"])
def test_the_next_key_after_another_theme_or_language_goes_where_the_last_one_did(windows: Windows, key: str) -> None:
    living = windows("guichet")
    tab(living, "Messages")
    press(living.window.root, "Control-f")
    before = living.window._journal_panel.search_entry
    assert living.window.root.focus_get() is before
    press(living.window.root, key)
    entry = living.window._journal_panel.search_entry
    assert entry is not before and living.window.root.focus_get() is entry
    press(entry, "x")
    assert entry.get() == "x"


def test_the_list_of_snapshots_follows_the_size_of_the_text(windows: Windows) -> None:
    living = windows("guichet", geometry="960x640+0+0")
    tab(living, "Instantanés")
    click(living.find(ttk.Button, text="Prendre un instantané"))
    living.until(lambda: shown(living), "the file")
    table = living.window._snapshot_panel.saved
    before = table.tree.winfo_width()
    press(living.window.root, *["Control-plus"] * 4)
    living.pump()
    assert table.tree.winfo_width() > 1.2 * before
    date = str(table.tree.item("0", "values")[1])
    assert len(date) == 19 and not date.endswith("…"), "the date is whole"


@pytest.mark.parametrize("geometry", ["480x400+0+0", "640x400+0+0"])
def test_the_tools_of_the_journal_are_all_in_sight(windows: Windows, geometry: str) -> None:
    living = windows("guichet", geometry=geometry)
    tab(living, "Messages")
    for _ in range(4):
        for words in ("Pause", "Copier", "Vider"):
            button = living.find(ttk.Button, text=words)
            right = button.winfo_rootx() - living.window.root.winfo_rootx() + button.winfo_width()
            assert right <= living.window.root.winfo_width() and button.winfo_width() >= button.winfo_reqwidth(), words
        press(living.window.root, "Control-plus")
        living.pump()
