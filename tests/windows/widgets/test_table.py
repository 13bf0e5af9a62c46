"""A table of any length, of which only what is seen is ever asked for."""

from __future__ import annotations

import time
from tkinter import font
from typing import NamedTuple

import pytest

from lib.windows.widgets.table import MAX_MARKED, Column, Table
from tests.windows.person import click, press, write
from tests.windows.widgets.conftest import STRANGE_NAMES

COLUMNS = (Column("id", "Billet", 8), Column("gare", "Départ", 20, stretch=True), Column("prix", "Prix", 8, anchor="e"))


class Row(NamedTuple):
    key: str
    cells: tuple[str, ...]
    tag: str = ""


def row(number: int) -> Row:
    return Row(f"B{number}", (f"B{number}", "Compiègne", f"{number},00 €"))


class Lazy:
    """A hundred thousand rows that note which of them were made."""

    def __init__(self, length: int = 100_000, shift: int = 0) -> None:
        self.length, self.shift = length, shift
        self.made: set[int] = set()

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index):
        numbers = range(self.length)[index]
        if isinstance(numbers, range):
            self.made.update(numbers)
            return [row(number - self.shift) for number in numbers]
        self.made.add(numbers)
        return row(numbers - self.shift)


class Known(Lazy):
    """Rows that know where each of them is."""

    def index_of(self, key: str) -> int | None:
        index = int(key[1:]) + self.shift
        return index if 0 <= index < self.length else None


@pytest.fixture
def heard():
    return []


@pytest.fixture
def table(window, heard):
    made = Table(
        window,
        COLUMNS,
        on_select=lambda key: heard.append(("select", key)),
        on_open=lambda key: heard.append(("open", key)),
        on_sort=lambda key, descending: heard.append(("sort", key, descending)),
        empty="Aucun billet",
    )
    made.pack(fill="both", expand=True)
    window.update()
    made.focus_table()
    window.update()
    return made


def on_screen(table: Table) -> list[str]:
    """The first cell of every item of the Treeview."""
    table.update()
    return [str(table.tree.set(item, "id")) for item in table.tree.get_children()]


def marked(table: Table) -> list[str]:
    table.update()
    return [str(table.tree.set(item, "id")) for item in table.tree.selection()]


def click_on(table: Table, key: str, times: int = 1) -> None:
    slot = on_screen(table).index(key)
    item = table.tree.get_children()[slot]
    x, y, _, height = table.tree.bbox(item)
    click(table.tree, x + 5, y + height // 2, times)


def test_only_the_rows_in_sight_are_asked_for_and_held(table):
    rows = Lazy()
    table.show(rows)
    shown = on_screen(table)
    assert 10 < len(shown) < 40
    assert shown == [f"B{number}" for number in range(len(shown))]
    assert rows.made == set(range(len(shown)))


def test_all_rows_that_are_held_are_whole_in_sight_and_no_other_would_be(table):
    table.show(Lazy())
    on_screen(table)
    items = table.tree.get_children()
    _, y, _, height = table.tree.bbox(items[-1])
    assert y + height <= table.tree.winfo_height() < y + 2 * height + 2


def test_as_many_rows_as_the_window_is_high(table, window):
    table.show(Lazy())
    before = len(on_screen(table))
    window.geometry("900x300")
    window.update()
    assert len(on_screen(table)) < before
    window.geometry("900x700")
    window.update()
    assert len(on_screen(table)) > before


def test_larger_text_leaves_room_for_fewer_rows(table, window):
    from lib.windows.widgets.styles import configure_styles

    table.show(Lazy())
    before, width = len(on_screen(table)), table.tree.column("prix", "width")
    window.theme.resize(8)
    configure_styles(window.theme._style, window.theme.palette)
    window.update()
    assert len(on_screen(table)) < before
    assert table.tree.column("prix", "width") > width
    assert sum(table.tree.column(column.key, "width") for column in COLUMNS) <= table.tree.winfo_width()


@pytest.mark.parametrize("width", [400, 700, 1200])
def test_all_columns_are_seen_and_fill_the_table(table, window, width):
    window.geometry(f"{width}x300")
    window.update()
    widths = [table.tree.column(column.key, "width") for column in COLUMNS]
    assert abs(sum(widths) - table.tree.winfo_width()) <= 6
    before = widths[0], widths[2]
    window.geometry("800x300")
    window.update()
    assert before == tuple(table.tree.column(key, "width") for key in ("id", "prix"))


def test_a_table_that_opens_too_narrow_shows_all_its_columns(window):
    made = Table(
        window, (Column("id", "Billet", 30), Column("gare", "Départ", 60, stretch=True), Column("prix", "Prix", 30))
    )
    made.pack(fill="both", expand=True)
    window.update()
    window.update()
    assert sum(made.tree.column(key, "width") for key in ("id", "gare", "prix")) <= made.tree.winfo_width()


def test_a_spare_column_goes_where_the_others_need_the_room(window):
    made = Table(window, (Column("a", "A", 20), Column("b", "B", 20, spare=True), Column("c", "C", 20, stretch=True)))
    made.pack(fill="both", expand=True)
    made.show([Row("k", ("un", "deux", "trois"))])

    def shown(characters: int) -> str:
        window.geometry(f"{characters * font.nametofont('TkDefaultFont').measure('0')}x300")
        window.update()
        widths = [made.tree.column(key, "width") for key in made.tree.cget("displaycolumns")]
        assert sum(widths) <= made.tree.winfo_width()
        return "".join(made.tree.cget("displaycolumns"))

    assert [shown(characters) for characters in (90, 50, 90)] == ["abc", "ac", "abc"]


def test_an_empty_table_says_so(table):
    table.show([])
    table.update()
    assert table._empty.winfo_ismapped() and table._empty.cget("text") == "Aucun billet"
    table.show([row(1)])
    table.update()
    assert not table._empty.winfo_ismapped()


def test_what_an_empty_table_says_hides_no_title(window, table):
    """Not even where there is no room for a whole row; and a table that has nothing to say has no label there."""
    table.show([])
    window.geometry("400x60")
    window.update()
    title_ends = next(y for y in range(2, 60) if table.tree.identify_region(20, y) not in ("heading", "separator"))
    assert table._empty.winfo_y() + table._empty.winfo_height() // 2 >= title_ends
    mute = Table(window, COLUMNS)
    mute.pack()
    window.update()
    assert not mute._empty.winfo_ismapped()


@pytest.mark.parametrize("name", STRANGE_NAMES)
def test_names_are_shown_as_they_are(table, name):
    table.show([Row("k", ("1", name, ""), "")])
    table.update()
    (item,) = table.tree.get_children()
    cells = table.tk.splitlist(table.tk.call(table.tree, "item", item, "-values"))
    shown, whole = str(cells[1]), name if len(name) < 100 else name[: len(str(cells[1])) - 1] + "…"
    assert [str(cells[0]), shown, str(cells[2])] == ["1", whole, ""]


def test_keys_may_be_strange_too(table, heard):
    rows = [Row(name, (str(number), name, "")) for number, name in enumerate(STRANGE_NAMES)]
    table.show(rows)
    press(table, *["Down"] * len(rows))
    assert [key for _, key in heard] == list(STRANGE_NAMES)


def test_the_mouse_wheel_scrolls_and_stops_at_both_ends(table):
    table.show(Lazy())
    table.update()
    click(table.tree)
    table.tree.event_generate("<Button-5>")
    assert on_screen(table)[0] == "B3"
    for _ in range(3):
        table.tree.event_generate("<Button-4>")
    assert on_screen(table)[0] == "B0"
    table.show(Lazy(40))
    for _ in range(30):
        table.tree.event_generate("<Button-5>")
    assert on_screen(table)[-1] == "B39"


def test_the_scrollbar_goes_anywhere_and_shows_where(table):
    table.show(Lazy())
    table.update()
    table._on_scrollbar("moveto", "0.5")
    assert on_screen(table)[0] == "B50000"
    assert table._scrollbar.get()[0] == pytest.approx(0.5)
    table._on_scrollbar("scroll", "1", "pages")
    assert on_screen(table)[0] == f"B{50000 + table._page()}"


def test_a_click_selects_and_says_so_once(table, heard):
    table.show(Lazy())
    click_on(table, "B5")
    click_on(table, "B5")
    assert heard == [("select", "B5")]
    assert marked(table) == ["B5"] and table.selected == "B5"


def test_a_double_click_opens_and_so_does_return(table, heard):
    table.show(Lazy())
    click_on(table, "B4", times=2)
    press(table, "Return")
    assert heard == [("select", "B4"), ("open", "B4"), ("open", "B4")]


def test_the_keys_move_the_selection_and_what_is_seen(table):
    table.show(Lazy())
    table.update()
    page = table._page()
    press(table, "Down", "Down", "Down", "Up")
    assert marked(table) == ["B1"]
    press(table, "Next")
    assert marked(table) == [f"B{1 + page}"]
    press(table, "End")
    assert marked(table) == ["B99999"] and on_screen(table)[-1] == "B99999"
    press(table, "Prior", "Prior")
    assert marked(table) == [f"B{99999 - 2 * page}"]
    press(table, "Home", "Up")
    assert marked(table) == ["B0"] and on_screen(table)[0] == "B0"


def test_a_selected_row_is_not_lost_when_it_is_scrolled_away(table):
    table.show(Lazy())
    click_on(table, "B2")
    table._on_scrollbar("moveto", "0.5")
    assert marked(table) == [] and table.selected == "B2"
    press(table, "Down")
    assert marked(table) == ["B3"] and on_screen(table)[0] == "B3"


@pytest.mark.parametrize("kind", [list, Known])
def test_a_selection_follows_its_row_and_the_view_stays(table, heard, kind):
    def rows(shift):
        return [row(number - shift) for number in range(200)] if kind is list else Known(shift=shift)

    table.show(rows(0))
    click_on(table, "B6")
    table._scroll(3)
    table.show(rows(4))  # four rows have come in above
    assert table.top == 3 and marked(table) == ["B6"]
    table.show(rows(150))
    assert table.top == 3 and marked(table) == [] and table.selected == "B6"
    press(table, "Down")
    assert marked(table) == ["B7"]
    assert heard == [("select", "B6"), ("select", "B7")]


@pytest.mark.parametrize("rows", [[row(1)], Known(3)], ids=["list", "known"])
def test_a_row_that_is_gone_is_selected_no_more(table, heard, rows):
    table.show(Lazy())
    click_on(table, "B9")
    table.show(rows)
    assert table.selected is None and marked(table) == []
    assert heard == [("select", "B9"), ("select", None)]


def test_selecting_by_key_shows_the_row_without_an_answer(table, heard):
    table.show(Known())
    table.update()
    table.select("B700")
    assert marked(table) == ["B700"]
    table.select(None)
    assert marked(table) == [] and heard == []


def test_a_click_means_the_row_that_was_on_the_screen(table, heard):
    table.show([row(number) for number in range(50)])
    table.update()
    _, y, _, height = table.tree.bbox(table.tree.get_children()[4])
    table.show([row(number) for number in range(49, -1, -1)])  # not drawn yet
    table.tree.event_generate("<Button-1>", x=10, y=y + height // 2)
    assert heard == [("select", "B4")]


def test_a_click_on_a_title_sorts_and_another_turns_it_round(table, heard):
    table.show(Lazy())
    table.update()
    for _ in range(2):
        click(table.tree, 20, 8)
    assert heard == [("sort", "id", False), ("sort", "id", True)]
    assert table.tree.heading("id", "text") == "Billet ▼"
    table.show(Lazy())
    table.update()
    assert table.tree.heading("id", "text") == "Billet ▼"
    table.show(Lazy(), sort=("prix", False))
    table.update()
    assert [table.tree.heading(column.key, "text") for column in COLUMNS] == ["Billet", "Départ", "Prix ▲"]


def test_the_digits_sort_without_a_mouse(table, heard):
    table.show(Lazy())
    write(table, "3329")
    press(table, "Control-1")
    assert heard == [("sort", "prix", False), ("sort", "prix", True), ("sort", "gare", False)]


def test_any_number_of_changes_is_drawn_once(table, monkeypatch):
    table.update()
    drawn = []
    draw = table._draw
    monkeypatch.setattr(table, "_draw", lambda: (drawn.append(1), draw()))
    for number in range(50):
        table.show([row(number)])
    assert on_screen(table) == ["B49"]
    assert len(drawn) == 1


def test_a_row_that_has_not_changed_is_not_told_to_tk_again(table, monkeypatch):
    table.show([row(number) for number in range(10)])
    table.update()
    told = []
    fill = table.tree.tk.call
    monkeypatch.setattr(table.tree, "tk", Spy(table.tree.tk, told))
    table.show([row(number) for number in range(9)] + [row(99)])
    table.update()
    assert fill and len([words for words in told if words[1] == "item"]) == 1


class Spy:
    """Tcl, with its ear to the wall."""

    def __init__(self, tk, told) -> None:
        self._tk, self._told = tk, told

    def call(self, *words):
        self._told.append(words)
        return self._tk.call(*words)

    def __getattr__(self, name):
        return getattr(self._tk, name)


def test_tags_colour_rows(table):
    table.tag_configure("sold", foreground="#ff0000")
    table.show([Row("a", ("a", "", ""), "sold"), Row("b", ("b", "", ""))])
    table.update()
    first, second = table.tree.get_children()
    assert table.tree.tag_has("sold", first) and not table.tree.tag_has("sold", second)


def test_a_table_may_go_before_it_was_drawn(table, window):
    table.show([row(1)])
    table.destroy()
    window.update()


LONG = "Saint-Germain-en-Laye Bel-Air Fourqueux"


def cell(table: Table, key: str, column: str) -> str:
    table.update()
    slot = on_screen(table).index(key)
    return str(table.tree.set(str(slot), column))


def pixels(table: Table, text: str) -> int:
    return int(font.nametofont("TkDefaultFont", root=table).measure(text))


def test_what_is_too_long_for_its_column_ends_in_an_ellipsis(table, window):
    window.geometry("360x300")
    table.show([Row("B1", ("B1", LONG, "1,00 €"))])
    cut = cell(table, "B1", "gare")
    assert cut.endswith("…") and LONG.startswith(cut[:-1]) and len(cut) > 3
    room = table.tree.column("gare", "width") - 8
    assert pixels(table, cut) <= room < pixels(table, LONG)
    assert cell(table, "B1", "prix") == "1,00 €"
    window.geometry("900x300")
    assert cell(table, "B1", "gare") == LONG
    window.theme.resize(12)
    assert cell(table, "B1", "gare").endswith("…")


def test_a_column_that_is_dragged_shows_more_or_less(table):
    table.show([Row("B1", ("B1234567", "Creil", "1,00 €"))])
    table.update()
    assert table.tree.set("0", "id") == "B1234567"
    edge = table.tree.column("id", "width") + 1
    for event, x in (("Motion", edge), ("Button-1", edge), ("B1-Motion", edge - 40), ("ButtonRelease-1", edge - 40)):
        table.tree.event_generate(f"<{event}>", x=x, y=8)
    table.update()
    assert table.tree.column("id", "width") < 60 and table.tree.set("0", "id").endswith("…")


def test_a_title_that_is_too_long_keeps_its_arrow(table):
    table.show([row(1)], sort=("gare", False))
    table.tree.column("gare", width=60)
    table.redraw()
    table.update()
    title = table.tree.heading("gare", "text")
    assert title.endswith("… ▲") and title.startswith("D")


def rest_on(table: Table, key: str, column: str) -> None:
    """The mouse rests on a cell."""
    slot = on_screen(table).index(key)
    x, y, width, height = table.tree.bbox(str(slot), column)
    table.tree.event_generate("<Motion>", x=x + width // 2, y=y + height // 2)


def wait_until(table: Table, holds) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        table.update()


def test_the_mouse_shows_all_of_what_is_cut(table, window):
    window.geometry("360x300")
    table.show([Row("B1", ("B1", LONG, "1,00 €")), row(2)])
    rest_on(table, "B1", "gare")
    assert not table._tip.winfo_ismapped(), "at once it would only be in the way"
    wait_until(table, table._tip.winfo_ismapped)
    assert table._tip.text == LONG
    assert table._tip.winfo_x() + table._tip.winfo_width() <= table.winfo_width()
    rest_on(table, "B2", "gare")
    table.update()
    assert not table._tip.winfo_ismapped() and table._tip.text == "", "that one is whole"
    rest_on(table, "B1", "gare")
    table.show([row(3)])
    table.update()
    assert table._tip.text == "", "what it was about is gone"


@pytest.fixture
def several(window, heard):
    made = Table(window, COLUMNS, on_select=lambda key: heard.append((key, made.marked)), several=True)
    made.pack(fill="both", expand=True)
    made.show(Known())
    window.update()
    made.focus_table()
    window.update()
    return made


def click_with(table: Table, key: str, modifier: str) -> None:
    slot = on_screen(table).index(key)
    x, y, _, height = table.tree.bbox(str(slot))
    table.tree.event_generate(f"<{modifier}-Button-1>", x=x + 5, y=y + height // 2)


def test_several_rows_are_marked_with_the_mouse(several, heard):
    click_on(several, "B2")
    click_with(several, "B5", "Shift")
    assert marked(several) == ["B2", "B3", "B4", "B5"] == several.marked and several.selected == "B5"
    click_with(several, "B3", "Control")
    assert several.marked == ["B2", "B4", "B5"]
    click_with(several, "B9", "Control")
    assert marked(several) == ["B2", "B4", "B5", "B9"] and several.selected == "B9"
    assert heard[-1] == ("B9", ["B2", "B4", "B5", "B9"])
    click_on(several, "B4")
    assert several.marked == ["B4"]


def test_several_rows_are_marked_with_the_keyboard(several):
    press(several, "Home", "Down", "Shift-Down", "Shift-Down")
    assert several.marked == ["B1", "B2", "B3"]
    press(several, "Shift-Up", "Shift-Up", "Shift-Up")
    assert several.marked == ["B0", "B1"] and several.selected == "B0"
    press(several, "Down")
    assert several.marked == ["B1"]


def test_no_more_rows_are_marked_than_can_be_at_once(several):
    press(several, "Home", "Shift-End")
    assert len(several.marked) == MAX_MARKED and several.selected == f"B{MAX_MARKED - 1}"
    press(several, "End", "Control-a")
    assert several.marked == [f"B{number}" for number in range(MAX_MARKED)]


def test_a_marked_row_that_is_gone_is_marked_no_more(several):
    press(several, "Home", "Shift-Down", "Shift-Down", "Shift-Up", "Shift-Down")
    several.show(Known(shift=-1))  # B0 has gone
    assert several.marked == ["B1", "B2"] and several.selected == "B2"


def test_a_table_of_one_choice_marks_nothing_besides(table):
    table.show(Known())
    click_on(table, "B2")
    click_with(table, "B5", "Control")
    assert table.marked == ["B5"] == marked(table)
    press(table, "Control-a", "Shift-Down")
    assert table.marked == ["B6"]
