"""Text tables: what is read rightly, and what is refused with file, line, column, reason and way out."""

import csv
import io
import itertools
import shlex
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lib.edge.tables import MAX_LINE, MAX_SHOWN, PROGRESS_STEP, Table, misread, open_table, shown
from lib.texts import Problem

DATA = Path(__file__).resolve().parents[3] / "shared/data/sncf"
MALFORMED = DATA / "malformed"
needs_data = pytest.mark.skipif(not MALFORMED.is_dir(), reason=f"{MALFORMED} is not beside the repository")


def read(content: bytes, *needed: str, optional: Sequence[str] = (), comments: bool = False) -> list[list[str]]:
    table = Table(io.BytesIO(content), "t.csv", len(content), comments=comments)
    return list(table.rows(needed, optional))


def refusal(content: bytes, *needed: str, packed: bool = False) -> str:
    """The French sentence by which the table is refused; both languages are one line with the same place."""
    with pytest.raises(Problem) as caught:
        list(Table(io.BytesIO(content), "t.csv", len(content), packed=packed).rows(needed))
    text = caught.value.text
    assert len(text.fr.splitlines()) == len(text.en.splitlines()) == 1
    assert text.en.startswith(text.fr.partition(" : ")[0].replace("ligne", "line").replace("colonne", "column"))
    return text.fr


# --- read rightly -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r\r\n"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("last", [True, False])
def test_every_line_end_with_or_without_bom(end: bytes, bom: bytes, last: bool) -> None:
    content = bom + end.join([b"a,b", b"1,2", b"", b" , ", b"3,4"]) + (end if last else b"")
    assert read(content, "b", "a") == [["2", "1"], ["4", "3"]]


def test_columns_are_found_by_name_whatever_their_order_case_accents_and_blanks() -> None:
    assert read("x; Départ ;COÛT  2nde\n?;Creil;9,80\n".encode(), "cout 2nde", "depart") == [["9,80", "Creil"]]


def test_an_absent_optional_column_is_empty() -> None:
    assert read(b"a\n1\n", "a", optional=("places",)) == [["1", ""]]
    assert read(b"a,places\n1,7\n", "a", optional=("places",)) == [["1", "7"]]


def test_quoted_values_keep_their_separators_and_quotes() -> None:
    assert read(b'a;b\n"0087;0088";" x ""y"""\n', "a", "b") == [["0087;0088", 'x "y"']]
    assert read(b'a, "b"\n1, "2, 3"\n', "b") == [["2, 3"]]


def test_the_separator_is_the_one_of_the_header() -> None:
    assert read(b"a;b\n1,2;3,4\n", "a", "b") == [["1,2", "3,4"]]


def test_empty_cells_after_the_last_column_are_a_spreadsheets_habit() -> None:
    assert read(b"a,b\n1,2,,\n", "a", "b") == [["1", "2"]]


def test_a_duplicated_column_matters_only_when_it_is_needed() -> None:
    assert read(b"a,empty,empty\n1,2,3\n", "a") == [["1"]]
    assert refusal(b"a,b,B \n1,2,3\n", "b") == (
        "t.csv, ligne 1, colonne b : 2 colonnes portent ce nom : laquelle compte ? Renommez les autres"
    )


def test_comment_lines_only_where_they_are_allowed_and_only_before_the_header() -> None:
    content = b"# fictional\n#\na,b\n#1,2\n"
    assert read(content, "a", comments=True) == [["#1"]]
    assert "ligne 1 : colonne absente de l'en-tête : a" in refusal(content, "a")


def test_bad_quotes_that_hide_no_separator_and_no_needed_value_do_no_harm() -> None:
    """As on line 5 of SNCF's routes.txt of 2019."""
    content = b'id,name,type\r\nOCE413,""TOURS ""NAVETTES TGV"""",7\r\n'
    assert read(content, "id", "type") == [["OCE413", "7"]]
    assert refusal(content, "id", "name").startswith(
        't.csv, ligne 2, colonne name : guillemets mal fermés : ""TOURS ""NAVETTES TGV"""" ; doublez ("")'
    )


def test_a_blank_after_a_closing_quote_is_no_harm() -> None:
    assert read(b'a,b\n"Creil" ,2\n', "a", "b") == [["Creil", "2"]]


@given(st.lists(st.lists(st.text(st.characters(exclude_characters="\r\n\0", codec="utf-8"), max_size=8), min_size=3,
                         max_size=3), max_size=6), st.sampled_from(",;"))  # fmt: skip
def test_what_csv_writes_is_read_back(rows: list[list[str]], separator: str) -> None:
    out = io.StringIO()
    csv.writer(out, delimiter=separator, quoting=csv.QUOTE_ALL).writerows([["one", "two", "three"], *rows])
    kept = [[cell.strip() for cell in row] for row in rows]
    assert read(out.getvalue().encode(), "one", "two", "three") == kept


# --- refused ----------------------------------------------------------------------------------------------------------


def test_missing_columns_are_named_with_those_that_are_there() -> None:
    assert refusal(b"\n\na,b\n", "a", "depart", "cout") == (
        "t.csv, ligne 3 : colonne absente de l'en-tête : depart, cout ; colonnes trouvées : a, b ; "
        "corrigez l'en-tête ou donnez un autre fichier"
    )


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b"\r\n \n,,\n"])
def test_an_empty_file(content: bytes) -> None:
    assert refusal(content, "a").startswith("t.csv : fichier vide, sans en-tête")


def test_lines_are_counted_in_the_file_blank_ones_and_comments_included() -> None:
    table = Table(io.BytesIO(b"# c\n\na,b\n\n1,2\n,\r\r\n3\n"), "t.csv", 0, comments=True)
    rows = table.rows(("a",))
    assert (next(rows), table.line) == (["1"], 5)
    with pytest.raises(Problem, match=r"^t.csv, ligne 7 : 1 valeurs pour 2 colonnes"):
        next(rows)


def test_a_decimal_comma_that_is_also_the_separator() -> None:
    assert refusal(b"a,cout\n1,15,40\n", "cout") == (
        "t.csv, ligne 2 : 3 valeurs pour 2 colonnes ; mettez entre guillemets une valeur qui contient « , »"
    )


@pytest.mark.parametrize("row", [b'"x,y\n1,2\n', b'1,"x\n', b'"x,y"z\n', b'"x"y,"z\n'])
def test_an_open_quote_never_swallows_the_lines_after_it(row: bytes) -> None:
    assert refusal(b"a,b\n" + row + b"1,2\n", "a").startswith("t.csv, ligne 2 : guillemets mal fermés, les colonnes")


@pytest.mark.parametrize(
    ("codec", "said"), [("latin-1", "ISO-8859-1 (octet 0xe8, position 6"), ("cp1252", "WINDOWS-1252 (octet 0xe8")]
)
def test_another_encoding_is_named_with_line_byte_and_command(codec: str, said: str) -> None:
    text = "a,b\nCompiègne,1\n" if codec == "latin-1" else "a,b\nCompiègne – Clœres,1\n"
    sentence = refusal(text.encode(codec), "a")
    assert sentence.startswith("t.csv, ligne 2 : ce n'est pas de l'UTF-8, on dirait " + said)
    assert "« Compiègne" in sentence
    assert sentence.endswith(f"; iconv -f {said.partition(' ')[0]} -t UTF-8 t.csv > NEW")


def test_the_command_works_when_it_is_pasted(tmp_path: Path) -> None:
    path = tmp_path / "l'été.csv"
    path.write_bytes("a\nCompiègne\n".encode("latin-1"))
    with pytest.raises(Problem) as caught, open_table(path) as table:
        list(table.rows(("a",)))
    command = caught.value.text.fr.rpartition(" ; ")[2]
    subprocess.run(["sh", "-c", command], cwd=tmp_path, check=True)
    with open_table(tmp_path / "NEW") as table:
        assert list(table.rows(("a",))) == [["Compiègne"]]


def test_inside_a_zip_the_command_comes_after_unpacking() -> None:
    sentence = refusal(b"a\n\xe8\n", "a", packed=True)
    assert sentence.endswith("; décompressez l'archive, puis iconv -f ISO-8859-1 -t UTF-8 t.csv > NEW")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a,b\n1,2\n".encode("utf-16"), "ligne 1 : ce n'est pas de l'UTF-8, on dirait UTF-16"),
        (b"a,b\n1,\x002\n", "ligne 2 : octet nul (position 3)"),
        (b"PK\x03\x04\x14\x00\xe8", "ligne 1 : une archive zip ou un classeur"),
        (b"a,b\r1,2\r", "ligne 1 : retour chariot au milieu"),
        (b"a\n1\r2\n", "ligne 2 : retour chariot au milieu"),
        (b"a\n" + b"x" * (MAX_LINE + 1), f"ligne 2 : ligne de plus de {MAX_LINE} octets"),
    ],
)
def test_what_is_no_table(content: bytes, said: str) -> None:
    assert refusal(content, "a").startswith(f"t.csv, {said}")


def test_a_line_of_the_longest_length_is_read() -> None:
    assert read(b"a\n" + b"x" * (MAX_LINE - 1) + b"\n", "a") == [["x" * (MAX_LINE - 1)]]


def test_an_endless_line_is_never_held_whole() -> None:
    class Endless(io.RawIOBase):
        given = 0

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
            buffer[:] = b"x" * len(buffer)
            self.given += len(buffer)
            return len(buffer)

    endless = Endless()
    with pytest.raises(Problem, match="ligne 1 : ligne de plus"):
        Table(io.BufferedReader(endless), "/dev/zero", 0)
    assert endless.given < 3 * MAX_LINE


def test_files_that_cannot_be_opened(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "file").write_text("a\n")
    for path, said in [
        (tmp_path, "c'est un dossier"),
        (tmp_path / "none.csv", "ne peut pas être lu (No such file or directory)"),
        (tmp_path / "loop", "ne peut pas être lu (Too many levels"),
        (tmp_path / "file" / "x.csv", "ne peut pas être lu (Not a directory)"),
        (tmp_path / "nul\0.csv", "ne peut pas être lu (embedded null byte)"),
        (tmp_path / "two\nlines", "ne peut pas être lu"),
    ]:
        with pytest.raises(Problem) as caught, open_table(path):
            pass
        assert said in caught.value.text.fr
        assert len(caught.value.text.fr.splitlines()) == len(caught.value.text.en.splitlines()) == 1


def test_a_disk_that_fails_on_the_way_is_a_problem_too() -> None:
    class Failing(io.BytesIO):
        def readline(self, size: int | None = -1, /) -> bytes:
            if self.tell():
                raise OSError(5, "Input/output error")
            return super().readline(size)

    with pytest.raises(Problem, match=r"^t.csv : ne peut pas être lu \(Input/output error\)"):
        list(Table(Failing(b"a\n1\n"), "t.csv", 4).rows(("a",)))


# --- names ------------------------------------------------------------------------------------------------------------

FRENCH = "".join(map(chr, range(0x20, 0x7F))) + "àâäçéèêëîïôöùûüÿæœÀÂÄÇÉÈÊËÎÏÔÖÙÛÜŸÆŒ«»’–—…\u00a0"


@given(st.text(st.sampled_from(FRENCH)))
@example("« Café\u00a0»")  # its last three characters, as bytes, are the UTF-8 of a Chinese one
def test_a_french_name_is_never_taken_for_a_spoilt_one(name: str) -> None:
    """But for `Â`, `Ä` or `â` right before another such sign, which no French word has."""
    if not any(one in "ÂÄâ" and not two.isascii() for one, two in itertools.pairwise(name)):
        assert misread(name) is None


@given(st.text(st.sampled_from(FRENCH)).filter(lambda name: not name.isascii()))
@example("Compiègne")
@example("À l'Ouest – Œuvre")
def test_the_spoilt_form_of_a_french_name_is_known(name: str) -> None:
    meant, codec = misread(name.encode().decode("latin-1")) or ("", "")
    assert meant == name
    assert meant.encode().decode(codec) == name.encode().decode("latin-1")


def names_of(content: str) -> Iterator[str]:
    table = Table(io.BytesIO(content.encode()), "t.csv", 0)
    for (name,) in table.rows(("nom",)):
        yield table.words("nom", name)


def test_blanks_of_every_kind_become_one() -> None:
    assert list(names_of("nom\nParis\u00a0 Gare\tdu Nord\n")) == ["Paris Gare du Nord"]


def test_a_spoilt_name_is_refused_with_the_way_back(tmp_path: Path) -> None:
    spoilt = "nom\nCreil\nCompiègne – À l'œil\n".encode().replace("À".encode(), b"a").decode("cp1252")
    with pytest.raises(Problem) as caught:
        list(names_of(spoilt))
    sentence = caught.value.text.fr
    assert sentence.startswith("t.csv, ligne 3, colonne nom : « CompiÃ¨gne â€“ a l'Å“il » est sans doute « Compiègne – a")
    (tmp_path / "t.csv").write_text(spoilt, encoding="utf-8")
    subprocess.run(["sh", "-c", sentence.rpartition(" ; ")[2]], cwd=tmp_path, check=True)
    assert list(names_of((tmp_path / "NEW").read_text(encoding="utf-8")))[1] == "Compiègne – a l'œil"


def test_a_value_is_shown_on_one_line_and_short() -> None:
    assert shown("a\nb\x1b[2J\u2028") == "a\\nb\\x1b[2J\\u2028"
    assert len(shown("x" * 500)) == MAX_SHOWN


def test_the_same_identifier_twice_is_refused_with_both_lines() -> None:
    table = Table(io.BytesIO(b"id\nx\ny\nx\n"), "t.csv", 0)
    seen: dict[str, int] = {}
    with pytest.raises(Problem, match=r"^t\.csv, ligne 4, colonne id : « x » est déjà à la ligne 2"):
        for (key,) in table.rows(("id",)):
            table.once(seen, key, "id")


def test_progress_is_called_now_and_then_and_at_the_end() -> None:
    content = b"a\n" + b"0123456789\n" * (3 * PROGRESS_STEP // 11)
    calls: list[tuple[str, int, int]] = []
    table = Table(io.BytesIO(content), "dir/t.csv", len(content), progress=lambda *call: calls.append(call))
    assert sum(1 for _ in table.rows(("a",))) == 3 * PROGRESS_STEP // 11
    assert 3 <= len(calls) <= 4
    assert calls[-1] == ("t.csv", len(content), len(content))
    assert all(label == "t.csv" and done <= total == len(content) for label, done, total in calls)


# --- the awkward files of the data set --------------------------------------------------------------------------------


def rows_of(name: str, *columns: str) -> list[list[str]]:
    with open_table(MALFORMED / name) as table:
        return list(table.rows(columns))


@needs_data
def test_real_routes_of_2019_with_bad_quotes_are_read_in_the_columns_that_are_sure() -> None:
    rows = rows_of("real_ter2019_routes.txt", "route_id", "route_type")
    assert len(rows) == 649
    assert rows[3] == ["OCE413", "7"]
    assert {kind for _, kind in rows} == {"0", "2", "3", "7"}


@needs_data
def test_real_routes_of_2019_are_refused_where_a_spoilt_name_would_be_read() -> None:
    with pytest.raises(Problem, match=r"real_ter2019_routes.txt, ligne 5, colonne route_long_name : guillemets mal"):
        rows_of("real_ter2019_routes.txt", "route_id", "route_long_name")


@needs_data
def test_real_stations_with_separators_in_quotes_keep_their_codes_and_zeros() -> None:
    stations = dict(rows_of("real_gares_de_voyageurs_excerpt.csv", "Nom", "UIC"))
    assert len(stations) == 25
    assert stations["Paris Gare du Nord"] == "0087271031;0087271007;0087271023"
    assert stations["Compiègne"] == "0087276691"


@needs_data
def test_real_fares_with_bom_semicolon_and_lf() -> None:
    rows = rows_of("real_tarifs_tgv_2024_excerpt.csv", "Transporteur", "Prix minimum", "Destination")
    assert len(rows) == 150
    assert rows[0] == ["OUIGO", "10.0", "LILLE FLANDRES"]


@needs_data
def test_real_fares_of_2018_with_doubled_blanks_and_two_empty_columns() -> None:
    rows = rows_of("real_tarifs_intercites_2018.csv", "Origine", "Prix d'appel 2nde", "Tarif normal 2nde")
    assert len(rows) == 1112
    assert rows[0] == ["LES AUBRAIS", "", "1.2"]
    with pytest.raises(Problem, match=r"real_tarifs_intercites_2018.csv, ligne 1, colonne empty : 2 colonnes"):
        rows_of("real_tarifs_intercites_2018.csv", "empty")


@needs_data
def test_latin1_stops_are_refused_with_a_command_that_gives_the_published_file(tmp_path: Path) -> None:
    path = MALFORMED / "derived_stops_latin1.txt"
    with pytest.raises(Problem) as caught:
        rows_of(path.name, "stop_name")
    sentence = caught.value.text.fr
    assert sentence.startswith(
        f"{path}, ligne 17 : ce n'est pas de l'UTF-8, on dirait ISO-8859-1 (octet 0xe8, position 28 : "
    )
    command = f"iconv -f ISO-8859-1 -t UTF-8 {shlex.quote(str(path))} > NEW"
    assert sentence.endswith(f"; {command}")
    subprocess.run(["sh", "-c", command], cwd=tmp_path, check=True)
    assert (tmp_path / "NEW").read_bytes() == (DATA / "gtfs_sample/stops.txt").read_bytes()


@needs_data
def test_bom_and_crlf_stops_are_the_published_ones() -> None:
    columns = ("stop_id", "stop_name", "stop_lat", "parent_station")
    with open_table(DATA / "gtfs_sample/stops.txt") as table:
        published = list(table.rows(columns))
    assert rows_of("derived_stops_bom_crlf.txt", *columns) == published
    assert len(published) == 90
