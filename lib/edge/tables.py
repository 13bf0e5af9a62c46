"""Text tables as people and operators really send them: CSV and GTFS files, read line by line.

The law of this room: a line of the file is a record. GTFS forbids line ends inside a value (gtfs.org, "File
Requirements"), and so do we: an opened quote can never swallow the rest of the file, and whatever is wrong has a line.
What cannot be read with certainty is refused by a `Problem` that names file, line, column, reason and the way out.
"""

from __future__ import annotations

import codecs
import csv
import lzma
import os
import re
import shlex
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from lib.core.tickets import fold
from lib.edge.streams import open_file
from lib.texts import Problem

Progress = Callable[[str, int, int], None]

MAX_LINE = 65_536  # bytes; SNCF's longest is some 400, and csv.field_size_limit (131,072) can then never be met
MAX_LINES = 20_000_000  # forty times SNCF's national stop_times.txt: more is no file for a ticket office
MAX_SHOWN = 60  # characters of a value in a message: a sentence stays one line on a screen
PROGRESS_STEP = 1 << 20  # bytes between two calls of `progress`: some 30 ms of reading

# What a file or an archive raises that is damaged, encrypted, or packed as only its maker knows.
UNREADABLE = (OSError, EOFError, RuntimeError, UnicodeDecodeError, zlib.error, lzma.LZMAError, zipfile.BadZipFile)
# What a station of Western Europe is written with. By chance alone `Café »` with its no-break space is Chinese UTF-8.
_EUROPEAN = re.compile("[\t -~\u00a0-\u017f\u2010-\u2026\u20ac]*")
_BLANK = " \t\r\n\v\f,;\u00a0"  # a spreadsheet writes an empty row as separators alone


def shown(value: str) -> str:
    """`value` for a message: on one line whatever it holds, and cut when it is long."""
    plain = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in value)
    return plain if len(plain) <= MAX_SHOWN else plain[: MAX_SHOWN - 1] + "…"


def unreadable(name: str, error: Exception) -> Problem:
    """The system does not let `name` be read."""
    reason = shown(getattr(error, "strerror", None) or str(error) or type(error).__name__)
    return Problem(
        f"{name} : ne peut pas être lu ({reason}) ; vérifiez le nom, les droits, et que la copie est complète",
        f"{name}: cannot be read ({reason}); check its name, its permissions, and that the copy is complete",
    )


def misread(text: str) -> tuple[str, str] | None:
    """What `text` was before UTF-8 was taken for another encoding and written again, and that encoding; else None.

    >>> misread("CompiÃ¨gne")
    ('Compiègne', 'WINDOWS-1252')
    """
    for codec in ("WINDOWS-1252", "ISO-8859-1"):  # ISO too: five bytes, as in `Á`, have no character in Windows-1252
        try:
            meant = text.encode(codec).decode()
        except UnicodeError:
            continue
        return (meant, codec) if meant != text and _EUROPEAN.fullmatch(meant) else None
    return None


@contextmanager
def open_table(path: Path, progress: Progress | None = None, *, comments: bool = False) -> Iterator[Table]:
    """The table in the file `path`. Raises `Problem` when it cannot be read or has no header."""
    name = shown_path(path)
    try:
        stream = open_file(path)
    except IsADirectoryError as error:
        raise Problem(
            f"{name} : c'est un dossier, pas un fichier CSV ; un dossier GTFS se donne par --gtfs",
            f"{name}: this is a folder, not a CSV file; a GTFS folder is given by --gtfs",
        ) from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise unreadable(name, error) from error
    with stream:
        yield Table(stream, name, os.fstat(stream.fileno()).st_size, progress=progress, comments=comments)


def shown_path(path: Path) -> str:
    """`path` for a message: whole, but on one line."""
    return "".join(c if c.isprintable() else "?" for c in str(path))


class Table:
    """A table that is being read: `columns` are the names of its header, `line` is the line read last, from 1.

    `name` and `size` (bytes) are what `progress` and the messages show; `packed` says that the file is inside a zip;
    with `comments`, lines beginning with `#` may stand before the header.
    """

    def __init__(
        self,
        stream: BinaryIO,
        name: str,
        size: int,
        *,
        packed: bool = False,
        progress: Progress | None = None,
        comments: bool = False,
    ) -> None:
        self.name = name
        self.line = 0
        self._packed = packed
        self._lines = self._texts(self._raw_lines(stream, size, progress))
        header = next((text for text in self._lines if not (comments and text.startswith("#"))), None)
        if header is None:
            raise Problem(
                f"{name} : fichier vide, sans en-tête ; la première ligne doit nommer les colonnes",
                f"{name}: empty file, no header; the first line must name the columns",
            )
        self._separator = ";" if header.count(";") > header.count(",") else ","
        cells = next(csv.reader([header], delimiter=self._separator, skipinitialspace=True))
        self.columns = [" ".join(cell.split()) for cell in cells]
        self._keys = [fold(column) for column in self.columns]

    def has(self, *names: str) -> bool:
        """Whether the header has all these columns (compared as station names are: no case, no accents)."""
        return all(fold(name) in self._keys for name in names)

    def rows(self, needed: Sequence[str], optional: Sequence[str] = ()) -> Iterator[list[str]]:
        """The values, stripped, of these columns in this order, row after row; `""` for an optional one that is absent.

        Raises `Problem` for a needed column that is missing, a wanted one that stands there twice, and unsure rows.
        """
        places = self._places(needed, optional)
        separator, width = self._separator, len(self.columns)
        for text in self._lines:
            # Without a quote a record is its cells and separators, nothing else: faster than csv, which has to look.
            cells = text.split(separator) if '"' not in text else self._unquoted(text, places)
            if len(cells) != width:
                self._refuse_unless_blank(cells[width:], len(cells))
            cells.append("")
            yield [cells[place].strip() for place in places]

    def problem(self, column: str, fr: str, en: str) -> Problem:
        """`fr` / `en` is wrong in `column` of the line read last."""
        return Problem(
            f"{self.name}, ligne {self.line}, colonne {column} : {fr}",
            f"{self.name}, line {self.line}, column {column}: {en}",
        )

    def once(self, seen: dict[str, int], key: str, column: str) -> None:
        """Note that `key` names the line read last. Raises `Problem`, with both lines, when it named one before."""
        first = seen.setdefault(key, self.line)
        if first != self.line:
            raise self.problem(
                column,
                f"« {shown(key)} » est déjà à la ligne {first} ; un identifiant ne sert qu'une fois : ôtez-en une",
                f"'{shown(key)}' is already on line {first}; an identifier is used once: remove one",
            )

    def words(self, column: str, value: str) -> str:
        """`value`, with single blanks, as a text for people. Raises `Problem` when its encoding was spoilt."""
        spoilt = None if value.isascii() else misread(value)
        if spoilt:
            meant, codec = spoilt
            command = f"iconv -f UTF-8 -t {codec} {self._file()} > NEW"
            raise self.problem(
                column,
                f"« {shown(value)} » est sans doute « {shown(meant)} », de l'UTF-8 relu comme {codec} ; "
                f"{self._unpack('fr')}{command}",
                f"'{shown(value)}' is no doubt '{shown(meant)}', UTF-8 read as {codec}; {self._unpack('en')}{command}",
            )
        return " ".join(value.split())

    # --- from bytes to lines -----------------------------------------------------------------------------------------

    def _raw_lines(self, stream: BinaryIO, size: int, progress: Progress | None) -> Iterator[bytes]:
        label, done, due = self.name.rpartition("/")[2], 0, PROGRESS_STEP
        try:
            while raw := stream.readline(MAX_LINE + 1):
                self.line += 1
                done += len(raw)
                if progress and done >= due:
                    progress(label, done, max(size, done))
                    due = done + PROGRESS_STEP
                yield raw
        except UNREADABLE as error:
            raise unreadable(self.name, error) from error
        if progress:
            progress(label, done, done)

    def _texts(self, lines: Iterator[bytes]) -> Iterator[str]:
        """The lines that say something, as text without their line end (LF, CR LF, or CR CR LF)."""
        for raw in lines:
            if self.line == 1:
                self._refuse_other_kinds(raw)
                raw = raw.removeprefix(codecs.BOM_UTF8)
            if b"\0" in raw or len(raw) > MAX_LINE or self.line > MAX_LINES:
                raise self._no_text(raw)
            try:
                text = raw.decode().rstrip("\r\n")
            except UnicodeDecodeError as error:
                raise self._not_utf8(raw, error.start) from error
            if "\r" in text:
                raise self._lone_carriage_return()
            if text.strip(_BLANK):
                yield text

    def _refuse_other_kinds(self, raw: bytes) -> None:
        """Files that are no UTF-8 table, known by their first bytes."""
        if raw.startswith(b"PK\x03\x04"):
            raise self._at_line(
                "une archive zip ou un classeur (.xlsx, .ods), pas du texte ; enregistrez-le en CSV UTF-8, "
                "ou donnez le GTFS par --gtfs",
                "a zip archive or a workbook (.xlsx, .ods), not text; save it as CSV UTF-8, or give the GTFS by --gtfs",
            )
        if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise self._in_encoding("UTF-16", "le début du fichier le dit", "the file's first bytes say so")

    def _no_text(self, raw: bytes) -> Problem:
        if b"\0" in raw:
            place = raw.index(b"\0") + 1
            return self._at_line(
                f"octet nul (position {place}) : ce n'est pas du texte UTF-8 ; exportez-le de nouveau en CSV UTF-8",
                f"NUL byte (position {place}): this is no UTF-8 text file; export it again as CSV UTF-8",
            )
        if len(raw) > MAX_LINE:
            return self._at_line(
                f"ligne de plus de {MAX_LINE} octets ; est-ce bien un tableau, avec une fin de ligne par rangée ?",
                f"line of more than {MAX_LINE} bytes; is this a table, with a line end after each row?",
            )
        return self._at_line(
            f"plus de {MAX_LINES} lignes ; n'en gardez que les trains utiles",
            f"more than {MAX_LINES} lines; keep only the trains that serve",
        )

    def _not_utf8(self, raw: bytes, start: int) -> Problem:
        # 0x80-0x9f are letters and quotes in Windows-1252 and nothing printable in ISO-8859-1: they tell them apart.
        codec = "WINDOWS-1252" if any(0x80 <= byte <= 0x9F for byte in raw) else "ISO-8859-1"
        around = shown(raw[max(0, start - 20) : start + 20].decode(codec, "replace").strip())
        where = f"0x{raw[start]:02x}, position {start + 1}"
        return self._in_encoding(codec, f"octet {where} : « {around} »", f"byte {where}: '{around}'")

    def _in_encoding(self, codec: str, why_fr: str, why_en: str) -> Problem:
        command = f"iconv -f {codec} -t UTF-8 {self._file()} > NEW"
        return self._at_line(
            f"ce n'est pas de l'UTF-8, on dirait {codec} ({why_fr}) ; {self._unpack('fr')}{command}",
            f"not UTF-8, it looks like {codec} ({why_en}); {self._unpack('en')}{command}",
        )

    def _lone_carriage_return(self) -> Problem:
        command = f"tr '\\r' '\\n' < {self._file()} > NEW"
        return self._at_line(
            f"retour chariot au milieu de la ligne (ancien Mac ?) ; {self._unpack('fr')}{command}",
            f"carriage return in the middle of the line (old Mac?); {self._unpack('en')}{command}",
        )

    def _file(self) -> str:
        """The file as a shell writes it, for a command that can be copied."""
        return shlex.quote(self.name.rpartition("/")[2] if self._packed else self.name)

    def _unpack(self, language: str) -> str:
        if not self._packed:
            return ""
        return "décompressez l'archive, puis " if language == "fr" else "unpack the archive, then "

    def _at_line(self, fr: str, en: str) -> Problem:
        return Problem(f"{self.name}, ligne {self.line} : {fr}", f"{self.name}, line {self.line}: {en}")

    # --- from lines to cells -----------------------------------------------------------------------------------------

    def _places(self, needed: Sequence[str], optional: Sequence[str]) -> list[int]:
        """Where each column stands; after the last cell for an optional one that is absent."""
        missing = [name for name in needed if not self.has(name)]
        if missing:
            found, names = ", ".join(map(shown, self.columns[:20])), ", ".join(missing)
            raise self._at_line(
                f"colonne absente de l'en-tête : {names} ; colonnes trouvées : {found} ; "
                "corrigez l'en-tête ou donnez un autre fichier",
                f"column missing in the header: {names}; columns found: {found}; mend the header or give another file",
            )
        return [self._place(fold(name), name) for name in (*needed, *optional)]

    def _place(self, key: str, name: str) -> int:
        count = self._keys.count(key)
        if count > 1:
            raise self.problem(
                name,
                f"{count} colonnes portent ce nom : laquelle compte ? Renommez les autres",
                f"{count} columns bear this name: which one counts? Rename the others",
            )
        return self._keys.index(key) if count else len(self.columns)

    def _unquoted(self, text: str, places: list[int]) -> list[str]:
        """The cells of a line with quotes.

        When the quotes are wrong but hide no separator (SNCF's `""TOURS ""NAVETTES TGV"" ""`), the columns are certain
        all the same: only the spoilt cells are unsure, and they matter only in a column that is read.
        """
        try:
            return self._strict(text)
        except csv.Error:
            cells = text.split(self._separator)
        # An odd number of quotes in a piece: the separator after it may stand inside a value.
        if len(cells) != len(self.columns) or any(cell.count('"') % 2 for cell in cells):
            raise self._at_line(
                'guillemets mal fermés, les colonnes ne sont plus sûres ; doublez ("") ceux qui sont dans une valeur',
                'badly closed quotes, the columns are no longer sure; double ("") those inside a value',
            )
        return [self._mended(cell, place in places, place) for place, cell in enumerate(cells)]

    def _strict(self, text: str) -> list[str]:
        return next(csv.reader([text], delimiter=self._separator, skipinitialspace=True, strict=True))

    def _mended(self, cell: str, read: bool, place: int) -> str:
        try:
            return next(iter(self._strict(cell.strip())), "")
        except csv.Error:
            if not read:
                return ""
            raise self.problem(
                self.columns[place],
                f'guillemets mal fermés : {shown(cell)} ; doublez ("") ceux qui sont dans la valeur',
                f'badly closed quotes: {shown(cell)}; double ("") those inside the value',
            ) from None

    def _refuse_unless_blank(self, extra: list[str], count: int) -> None:
        """Empty cells after the last column are a spreadsheet's habit; anything else puts values in wrong columns."""
        width, mark = len(self.columns), self._separator
        if count < width or any(cell.strip() for cell in extra):
            raise self._at_line(
                f"{count} valeurs pour {width} colonnes ; mettez entre guillemets une valeur qui contient « {mark} »",
                f"{count} values for {width} columns; quote a value that contains '{mark}'",
            )
