"""Timetables as the ticket office takes them in: what is wanted, what was found, and the two CSV formats.

Our own format has the columns `train,date,depart,destination,cout` and, if one likes, `places`. The other is the pair
`departures.csv` and `fares.csv` made from SNCF's open data; it is known by its columns. GTFS feeds are read next door.
All or nothing: one bad row and nothing is imported, since a half-imported timetable would look like a whole one.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache
from pathlib import Path

from lib.core.tickets import MAX_STATION_BYTES, BadField, Journey, cents_of, fits, fold
from lib.edge.tables import Progress, Table, open_table, shown, shown_path
from lib.texts import Problem, Text

MAX_TICKETS = 1_000_000  # 6 s and 330 MB for the stock alone (measured); a slip, `--places` say, goes far beyond
MAX_SEATS = 10_000  # ten times the longest train (two coupled TGV Duplex: 1,020 seats)

OWN_COLUMNS = ("train", "date", "depart", "destination", "cout")
SNCF_COLUMNS = (
    "train_number",
    "product",
    "departure_station",
    "departure_uic",
    "arrival_station",
    "arrival_uic",
    "departure_time",
    "days",
    "first_date",
    "last_date",
)
FARE_COLUMNS = ("departure_uic", "arrival_uic", "product", "travel_class", "profile", "price_max")

_DATE = Text("AAAA-MM-JJTHH:MM, par exemple 2027-03-15T07:10", "YYYY-MM-DDTHH:MM, for example 2027-03-15T07:10")
_DAY = Text("AAAA-MM-JJ", "YYYY-MM-DD")
_TIME = Text("HH:MM, de 00:00 à 23:59", "HH:MM, from 00:00 to 23:59")
_PRICE = Text("des euros, 15.40 ou 15,4", "euros, 15.40 or 15,4")
_TRAIN = Text("un numéro de train, de 1 à 60 octets", "a train number of 1 to 60 bytes")
_STATION = Text(f"un nom de gare, de 1 à {MAX_STATION_BYTES} octets", f"a station's name of 1 to {MAX_STATION_BYTES} bytes")
_SEATS = Text(f"un nombre de places de 1 à {MAX_SEATS}", f"a number of seats from 1 to {MAX_SEATS}")
_WEEKDAYS = Text("des jours de 1 (lundi) à 7, par exemple 12345", "days from 1 (Monday) to 7, for example 12345")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to take from a timetable: days from `first` to `last`, both included (None: open), and station names.

    `seats` is how many tickets a train gives when the file does not say. `progress(label, done, total)`, in bytes of
    the file `label`, is called now and then.
    """

    first: date | None = None
    last: date | None = None
    seats: int = 1
    departure: str = ""
    destination: str = ""
    progress: Callable[[str, int, int], None] | None = None

    def __post_init__(self) -> None:
        assert 1 <= self.seats <= MAX_SEATS, f"{self.seats} seats"
        assert not (self.first and self.last) or self.first <= self.last, f"{self.first} after {self.last}"

    @property
    def any_day(self) -> bool:
        """Whether no day was asked for."""
        return self.first is None and self.last is None

    def bounds(self) -> tuple[str, str]:
        """The wanted days as two texts between which, as texts, the wanted `Journey.date`s lie."""
        return str(self.first or ""), f"{self.last or ''}~"  # "~" comes after every character of a date

    def takes(self, departure: str, destination: str) -> bool:
        """Whether a journey between these stations is wanted."""
        return same_station(self.departure, departure) and same_station(self.destination, destination)

    def on(self, first: date) -> Wanted:
        """The same for the one day `first`."""
        return replace(self, first=first, last=first)


@dataclass
class Timetable:
    """What was found: journeys, each with its number of seats, and what there is to say about them."""

    offers: list[tuple[Journey, int]]
    notes: list[Text] = field(default_factory=list)


def read_csv(path: Path, wanted: Wanted) -> Timetable:
    """The tickets of a CSV file, ours or SNCF's `departures.csv`. Raises `Problem` when a row cannot be right."""
    with open_table(path, wanted.progress, comments=True) as table:
        if table.has("train_number"):
            return _read_departures(table, path.with_name("fares.csv"), wanted)
        return _read_own(table, wanted)


# --- what every reader needs ------------------------------------------------------------------------------------------


def same_station(wanted: str, name: str) -> bool:
    """Whether `name` is the station `wanted`; an empty `wanted` is every station."""
    return not wanted or fold(wanted) == fold(name)


def station(table: Table, column: str, value: str) -> str:
    """`value` as a station's name. Raises `Problem` when it cannot be one."""
    name = table.words(column, value)
    if not fits(name, MAX_STATION_BYTES) or not fold(name):
        raise unexpected(table, column, value, _STATION)
    return name


def unexpected(table: Table, column: str, value: str, expected: Text) -> Problem:
    """`value`, in `column` of the line read last, is not what is `expected` there."""
    return table.problem(
        column,
        f"« {shown(value)} » ; attendu : {expected.fr}" if value else f"vide ; attendu : {expected.fr}",
        f"'{shown(value)}'; expected: {expected.en}" if value else f"empty; expected: {expected.en}",
    )


def limited(name: str, offers: Iterable[tuple[Journey, int]]) -> list[tuple[Journey, int]]:
    """The offers as a list. Raises `Problem` as soon as they are more than `MAX_TICKETS` tickets."""
    kept, tickets = [], 0
    for journey, seats in offers:
        tickets += seats
        if tickets > MAX_TICKETS:
            raise Problem(
                f"{name} : plus de {MAX_TICKETS} billets ; choisissez moins de jours (--date), une relation "
                "(--depart, --destination) ou moins de places (--places)",
                f"{name}: more than {MAX_TICKETS} tickets; choose fewer days (--date), one relation "
                "(--depart, --destination) or fewer seats (--places)",
            )
        kept.append((journey, seats))
    return kept


def distinct(journeys: Iterable[Journey]) -> Iterator[Journey]:
    """Each train on sale once a departure and pair: feeds say the same train again for other days or arrival times."""
    seen = set()
    for journey in journeys:
        key = journey.train, journey.date, journey.departure, journey.destination
        if key not in seen:
            seen.add(key)
            yield journey


def first_day_note(day: date) -> Text:
    """Nobody asked for a day: the first one was taken."""
    return Text(
        f"aucune date demandée (--date) : le premier jour servi, {day}",
        f"no date asked for (--date): the first day served, {day}",
    )


def unknown_station(name: str, wanted: Wanted, stations: Iterable[str]) -> Problem | None:
    """The wanted station that file `name` does not know, with the names that come close; None when it knows both."""
    known = {fold(station): station for station in stations}
    for option, asked in (("--depart", wanted.departure), ("--destination", wanted.destination)):
        if asked and fold(asked) not in known:
            close = ", ".join(_close(fold(asked), known))
            return Problem(
                f"{name} : gare inconnue « {shown(asked)} » ({option}) ; "
                + (f"noms proches : {close}" if close else "aucun nom ne lui ressemble"),
                f"{name}: unknown station '{shown(asked)}' ({option}); "
                + (f"close names: {close}" if close else "no name comes close"),
            )
    return None


def _close(asked: str, known: dict[str, str]) -> list[str]:
    """At most five names: those with the words asked for (`Paris`), then those that look alike (`Compiegn`)."""
    holding = [key for key in sorted(known) if asked in key]
    alike = difflib.get_close_matches(asked, known, n=5)
    return [shown(known[key]) for key in dict.fromkeys(holding + alike)][:5]


def no_train(name: str, wanted: Wanted, stations: Iterable[str], served: tuple[object, object] | None, why: Text) -> Problem:
    """File `name` has nothing of what is wanted; `served` is the first and last day that it knows, `why` a cause."""
    unknown = unknown_station(name, wanted, stations)
    if unknown:
        return unknown
    pair = " → ".join(shown(station) if station else "*" for station in (wanted.departure, wanted.destination))
    days = "" if wanted.any_day else f" ({wanted.first or ''}..{wanted.last or ''})"
    span_fr = f"va du {served[0]} au {served[1]}" if served else "ne sert aucun jour"
    span_en = f"goes from {served[0]} to {served[1]}" if served else "serves no day"
    return Problem(
        f"{name} : aucun train {pair}{days}{why.fr} ; le fichier {span_fr} : changez --date, --depart ou --destination",
        f"{name}: no train {pair}{days}{why.en}; the file {span_en}: change --date, --depart or --destination",
    )


def days_between(first: date, last: date) -> Iterator[date]:
    """Each day from `first` to `last`, both included; by numbers, for no day can be added to 9999-12-31."""
    return map(date.fromordinal, range(first.toordinal(), last.toordinal() + 1))


# --- our own format ---------------------------------------------------------------------------------------------------

_cents = lru_cache(maxsize=4096)(cents_of)  # a file has few prices, each many times


class _Own:
    """Rows of our own format made into offers; remembers what a message for people may need."""

    def __init__(self, table: Table, wanted: Wanted) -> None:
        self.stations: dict[str, str] = {}  # as written -> as shown: each name is checked once
        self.first, self.last = "~", ""
        self.left_out = 0
        self._table = table
        self._wanted = wanted

    def offers(self) -> Iterator[tuple[Journey, int]]:
        low, high = self._wanted.bounds()
        counted = self._table.has("places")
        for train, moment, departure, destination, price, places in self._table.rows(OWN_COLUMNS, ("places",)):
            journey = self._journey(train, moment, departure, destination, price)
            seats = self._seats(places) if counted else self._wanted.seats
            self.first, self.last = min(self.first, journey.date), max(self.last, journey.date)
            if low <= journey.date <= high and self._wanted.takes(journey.departure, journey.destination):
                yield journey, seats
            else:
                self.left_out += 1

    def _journey(self, train: str, moment: str, departure: str, destination: str, price: str) -> Journey:
        start, end = self._station("depart", departure), self._station("destination", destination)
        if fold(start) == fold(end):
            raise self._table.problem(
                "destination",
                f"« {shown(end)} » est aussi la gare de départ ; mettez-en une autre",
                f"'{shown(end)}' is the departure too; put another station",
            )
        iso = moment[:10] + "T" + moment[11:] if moment[10:11] == " " else moment
        try:
            return Journey(self._table.words("train", train), iso, start, end, _cents(price))
        except BadField as bad:
            column, value, expected = {
                "train": ("train", train, _TRAIN),
                "date": ("date", moment, _DATE),
                "price": ("cout", price, _PRICE),
            }[bad.field]
            raise unexpected(self._table, column, value, expected) from bad

    def _station(self, column: str, value: str) -> str:
        if value not in self.stations:
            self.stations[value] = station(self._table, column, value)
        return self.stations[value]

    def _seats(self, places: str) -> int:
        seats = int(places) if places.isascii() and places.isdigit() and len(places) < 10 else 0
        if not 1 <= seats <= MAX_SEATS:
            raise unexpected(self._table, "places", places, _SEATS)
        return seats


def _read_own(table: Table, wanted: Wanted) -> Timetable:
    own = _Own(table, wanted)
    offers = limited(table.name, own.offers())
    if not offers:
        served = (own.first[:10], own.last[:10]) if own.last else None
        raise no_train(table.name, wanted, own.stations.values(), served, Text("", ""))
    count = own.left_out
    note = Text(f"{count} lignes hors du choix, laissées de côté", f"{count} rows not asked for, left out")
    return Timetable(offers, [note] if count else [])


# --- SNCF's departures.csv and fares.csv ------------------------------------------------------------------------------

_FareKey = tuple[str, str, str]  # product (TER, TGV INOUI...), UIC codes of departure and arrival


@dataclass(frozen=True, slots=True)
class _Service:
    """A row of departures.csv: `journey` on its first day, run on the ISO weekdays `days` from `first` to `last`."""

    journey: Journey
    priced: bool
    days: str
    first: date
    last: date

    def journeys(self, wanted: Wanted) -> Iterator[Journey]:
        """One for each wanted day on which it runs."""
        first, last = max(self.first, wanted.first or date.min), min(self.last, wanted.last or date.max)
        for day in days_between(first, last):
            if str(day.isoweekday()) in self.days:
                yield replace(self.journey, date=f"{day}{self.journey.date[10:]}")


def _read_departures(table: Table, fares: Path, wanted: Wanted) -> Timetable:
    rows = list(_services(table, _read_fares(table.name, fares, wanted.progress)))
    asked = [row for row in rows if wanted.takes(row.journey.departure, row.journey.destination)]
    priced = [row for row in asked if row.priced]
    notes = [_REFERENCE_WEEK]
    if wanted.any_day and (day := _first_day(priced)):
        wanted = wanted.on(day)
        notes.append(first_day_note(day))
    unpriced = sum(1 for row in asked if not row.priced and any(row.journeys(wanted)))
    journeys = distinct(journey for row in priced for journey in row.journeys(wanted))
    offers = limited(table.name, ((journey, wanted.seats) for journey in journeys))
    if not offers:
        stations = (name for row in rows for name in (row.journey.departure, row.journey.destination))
        raise no_train(table.name, wanted, stations, _served(asked or rows), _unpriced(unpriced))
    offers.sort(key=lambda offer: (offer[0].date, offer[0].train))
    if unpriced:
        notes.append(_without_fare(unpriced))
    return Timetable(offers, notes)


_REFERENCE_WEEK = Text(
    "prix : 2e classe, Tarif Normal, maximum publié ; jours de circulation : ceux d'une semaine de référence",
    "prices: 2nd class, Tarif Normal, published maximum; running days: those of a reference week",
)


def _unpriced(count: int) -> Text:
    if not count:
        return Text("", "")
    return Text(f" de prix connu ({count} lignes sans tarif)", f" of a known price ({count} rows without a fare)")


def _without_fare(count: int) -> Text:
    return Text(
        f"{count} lignes sans tarif dans fares.csv, laissées de côté (aucun prix n'est inventé)",
        f"{count} rows without a fare in fares.csv, left out (no price is invented)",
    )


def _first_day(rows: list[_Service]) -> date | None:
    everything = Wanted()
    firsts = (next(row.journeys(everything), None) for row in rows)
    return min((date.fromisoformat(journey.date[:10]) for journey in firsts if journey), default=None)


def _served(rows: list[_Service]) -> tuple[date, date] | None:
    return (min(row.first for row in rows), max(row.last for row in rows)) if rows else None


def _services(table: Table, fares: dict[_FareKey, int]) -> Iterator[_Service]:
    for train, product, start, start_uic, end, end_uic, time, days, first, last in table.rows(SNCF_COLUMNS):
        if not days or not set(days) <= set("1234567"):
            raise unexpected(table, "days", days, _WEEKDAYS)
        since, until = _day(table, "first_date", first), _day(table, "last_date", last)
        departure, arrival = station(table, "departure_station", start), station(table, "arrival_station", end)
        cents = fares.get((product, start_uic, end_uic))
        try:
            journey = Journey(table.words("train_number", train), f"{since}T{time}", departure, arrival, cents or 0)
        except BadField as bad:
            column, value, expected = {
                "train": ("train_number", train, _TRAIN),
                "date": ("departure_time", time, _TIME),
            }[bad.field]
            raise unexpected(table, column, value, expected) from bad
        yield _Service(journey, cents is not None, days, since, until)


def _day(table: Table, column: str, value: str) -> date:
    try:
        day = date.fromisoformat(value)
    except ValueError:
        raise unexpected(table, column, value, _DAY) from None
    if value != str(day):  # Python reads 20250317 and 2025-W12-1 too: neither is what the other rows say
        raise unexpected(table, column, value, _DAY)
    return day


def _read_fares(timetable: str, path: Path, progress: Progress | None) -> dict[_FareKey, int]:
    """The price in cents of each product and pair: 2nd class, `Tarif Normal`, the published maximum."""
    if not path.exists():
        name = shown_path(path)
        raise Problem(
            f"{name} : absent ; {timetable} ne contient pas de prix, mettez fares.csv dans le même dossier",
            f"{name}: missing; {timetable} has no prices, put fares.csv into the same folder",
        )
    fares: dict[_FareKey, int] = {}
    lines: dict[str, int] = {}
    with open_table(path, progress) as table:
        for start_uic, end_uic, product, travel_class, profile, price in table.rows(FARE_COLUMNS):
            if travel_class == "2" and profile == "Tarif Normal":
                table.once(lines, f"{product} {start_uic} {end_uic}", "product, departure_uic, arrival_uic")
                try:
                    fares[product, start_uic, end_uic] = _cents(price)
                except BadField:
                    raise unexpected(table, "price_max", price, _PRICE) from None
    return fares
