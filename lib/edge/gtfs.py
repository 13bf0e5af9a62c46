"""GTFS feeds (https://gtfs.org/documentation/schedule/reference/): every direct journey of the wanted days.

What runs when is settled first (routes, trips, calendars); only then is stop_times.txt, by far the longest file, read
once, and of its lines only the calls that can begin or end a wanted journey are kept.

What a feed says is never mended in silence. What makes an import false is refused with its line (two trips of one name,
an impossible time); what merely cannot become a ticket (a coach, a call at an unknown stop) is left out, and counted in
a note. GTFS has no fares worth the name: prices are indicative, and a note says so.
"""

from __future__ import annotations

import io
import math
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from pathlib import Path, PurePosixPath
from statistics import median
from typing import BinaryIO, cast
from zoneinfo import ZoneInfo

from lib.core.tickets import MAX_TRAIN_BYTES, Journey, euros, fits, fold
from lib.edge.streams import open_file
from lib.edge.tables import UNREADABLE, Progress, Table, shown, shown_path, unreadable
from lib.edge.timetables import (
    Timetable,
    Wanted,
    days_between,
    distinct,
    first_day_note,
    limited,
    no_train,
    same_station,
    station,
    unexpected,
    unknown_station,
)
from lib.texts import Problem, Text

# Indicative prices: of the 109 second-class TER fares that the SNCF published in 2018, a euro and 20 cents for each
# kilometre as the crow flies misses the half by less than 0.32 EUR; the lowest fare there is 1.80 EUR.
BASE_CENTS, CENTS_PER_KM, MINIMUM_CENTS = 100, 20, 180
EARTH_DIAMETER_KM = 12_742.0

MAX_HOURS = 99  # no train is under way for more than four days; three digits are a slip
DAYS_BEFORE = timedelta(days=MAX_HOURS // 24)  # the service day of a train may be so long before it leaves a stop
DAYS_AFTER = timedelta(days=1)  # where clocks go forward, "noon minus 12 h" lies on the evening before
EARLIEST, LATEST = date(1825, 1, 1), date(2999, 12, 31)  # the days of railways: no arithmetic can leave the calendar
MAX_NAMED = 3  # stops that a remark names; the others it counts

_DAY = Text("AAAAMMJJ", "YYYYMMDD")
_TIME = Text(f"H:MM:SS ou HH:MM:SS, jusqu'à {MAX_HOURS}:59:59", f"H:MM:SS or HH:MM:SS, up to {MAX_HOURS}:59:59")
_RANK = Text("un entier positif ou nul", "an integer, zero or more")
_EXCEPTION = Text("1 (ajouté) ou 2 (supprimé)", "1 (added) or 2 (removed)")
_FLAG = Text("0 ou 1", "0 or 1")
_TRAIN = Text(f"un numéro de train, de 1 à {MAX_TRAIN_BYTES} octets", f"a train number of 1 to {MAX_TRAIN_BYTES} bytes")
_KEY = Text("un identifiant", "an identifier")

_CLOCK_TIME = re.compile(r"(\d{1,2}):([0-5]\d):([0-5]\d)", re.ASCII)
_COACH = re.compile(r"OCECar\b")  # SNCF writes the vehicle into the stop's id: `StopPoint:OCECar TER-87276691`
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def read_gtfs(path: Path, wanted: Wanted) -> Timetable:
    """The trains of the GTFS feed `path`, a folder or a zip. Raises `Problem` when it is wrong or has no such train."""
    with _open_feed(path, wanted.progress) as feed:
        stops = _read_stops(feed)
        names = [stop.name for stop in stops.values()]
        unknown = unknown_station(feed.name, wanted, names)
        if unknown:
            raise unknown
        trips = _read_trips(feed, _read_routes(feed))
        calendar = _read_calendar(feed, {trip.service for trip in trips.values() if trip})
        wanted = _on_first_day(wanted, calendar, feed)
        running = {key: trip for key, trip in trips.items() if trip and any(calendar.days(trip.service, wanted))}
        _leave_out_frequencies(feed, running)
        _read_calls(feed, trips, running, stops, wanted)
        journeys = distinct(_journeys(running.values(), calendar, wanted, _read_zone(feed), _Prices(feed)))
        offers = limited(feed.name, ((journey, wanted.seats) for journey in journeys))
        if not offers:
            raise no_train(feed.name, wanted, names, calendar.span, feed.left_out())
        offers.sort(key=lambda offer: (offer[0].date, offer[0].train))
        return Timetable(offers, feed.notes())


# --- the files of a feed ----------------------------------------------------------------------------------------------


class _Feed:
    """The files of one GTFS feed, and what was left out of them (as texts, each with how often)."""

    def __init__(self, name: str, files: dict[str, _File], progress: Progress | None) -> None:
        self.name = name
        self._files = files
        self._progress = progress
        self._counts: dict[Text, int] = {}
        self._remarks: dict[Text, None] = {}

    def has(self, name: str) -> bool:
        return name in self._files

    @contextmanager
    def table(self, name: str) -> Iterator[Table]:
        """The file `name` (`stops.txt`). Raises `Problem` when the feed has none."""
        if name not in self._files:
            found = ", ".join(sorted(self._files))
            raise Problem(
                f"{self.name} : il manque {name} ; fichiers trouvés : {found} ; la copie du GTFS est-elle complète ?",
                f"{self.name}: {name} is missing; files found: {found}; is the copy of the GTFS complete?",
            )
        file = self._files[name]
        try:
            stream = file.open()
        except UNREADABLE as error:  # a way of packing, or a password
            raise unreadable(file.shown, error) from error
        with stream:
            yield Table(stream, file.shown, file.size, packed=file.packed, progress=self._progress)

    def count(self, what: Text, times: int = 1) -> None:
        """Something was left out, for the reason `what`."""
        if times:
            self._counts[what] = self._counts.get(what, 0) + times

    def remark(self, what: Text) -> None:
        """Something to be said once."""
        self._remarks[what] = None

    def left_out(self) -> Text:
        """What was left out, to follow "no train" in a sentence."""
        if not self._counts:
            return Text("", "")
        fr = ", ".join(f"{n} {what.fr}" for what, n in self._counts.items())
        en = ", ".join(f"{n} {what.en}" for what, n in self._counts.items())
        return Text(f" (hors vente : {fr})", f" (not sold: {en})")

    def notes(self) -> list[Text]:
        """All that there is to say about the import."""
        left_out = (Text(f"hors vente : {n} {what.fr}", f"not sold: {n} {what.en}") for what, n in self._counts.items())
        return [*self._remarks, *left_out]


@dataclass(frozen=True, slots=True)
class _File:
    """One file of a feed: how it is shown to people, how it is opened, its size in bytes, whether a zip holds it."""

    shown: str
    open: Callable[[], BinaryIO]
    size: int
    packed: bool


@contextmanager
def _open_feed(path: Path, progress: Progress | None) -> Iterator[_Feed]:
    name = shown_path(path)
    with ExitStack() as stack:
        try:
            files = _files_of_folder(path) if path.is_dir() else _files_of_zip(path, stack)
        except zipfile.BadZipFile as error:
            reason = shown(str(error))
            raise Problem(
                f"{name} : ni un dossier ni une archive zip lisible ({reason}) ; donnez le GTFS tel que publié",
                f"{name}: neither a folder nor a readable zip archive ({reason}); give the GTFS as published",
            ) from error
        except (*UNREADABLE, ValueError) as error:
            raise unreadable(name, error) from error
        yield _Feed(name, _one_feed(name, files), progress)


def _files_of_folder(path: Path) -> dict[PurePosixPath, _File]:
    """The files of a folder and of the folders in it (where an archive was unpacked)."""
    found = sorted((*path.glob("*.txt"), *path.glob("*/*.txt")))
    return {
        PurePosixPath(file.relative_to(path)): _File(shown_path(file), _opener(file), file.stat().st_size, False)
        for file in found
    }


def _opener(file: Path) -> Callable[[], BinaryIO]:
    return lambda: open_file(file)


def _files_of_zip(path: Path, stack: ExitStack) -> dict[PurePosixPath, _File]:
    archive = stack.enter_context(zipfile.ZipFile(stack.enter_context(open_file(path))))
    return {
        PurePosixPath(entry.filename): _File(
            f"{shown_path(path)}/{shown_path(Path(entry.filename))}",
            _unpacker(archive, entry.filename),
            entry.file_size,
            True,
        )
        for entry in archive.infolist()
        if entry.filename and not entry.is_dir()  # in a damaged archive a name may be empty
    }


def _unpacker(archive: zipfile.ZipFile, name: str) -> Callable[[], BinaryIO]:
    # A buffer around it: the zip's own readline is Python, byte by byte slower than all the rest of the import.
    return lambda: io.BufferedReader(cast(io.RawIOBase, archive.open(name)), 1 << 16)


def _one_feed(name: str, files: dict[PurePosixPath, _File]) -> dict[str, _File]:
    """The files beside the one stops.txt. A Mac's bookkeeping is beside none: that is `__MACOSX/x/._stops.txt`."""
    folders = [path.parent for path in files if path.name == "stops.txt"]
    shallowest = min((len(folder.parts) for folder in folders), default=0)
    folders = [folder for folder in folders if len(folder.parts) == shallowest]
    if len(folders) != 1:
        found = ", ".join(shown(str(path)) for path in (folders or list(files))[:10]) or "-"
        raise Problem(
            f"{name} : {len(folders)} fichiers GTFS stops.txt, il en faut un ; trouvé : {found} ; "
            "donnez le dossier ou l'archive d'un seul GTFS",
            f"{name}: {len(folders)} GTFS files stops.txt, one is needed; found: {found}; "
            "give the folder or archive of a single GTFS",
        )
    return {path.name: file for path, file in files.items() if path.parent == folders[0] and path.name.endswith(".txt")}


# --- stops ------------------------------------------------------------------------------------------------------------

_Place = tuple[float, float]  # latitude, longitude in degrees
_NOWHERE = (90.0, 0.0)  # a pole: a place to reckon with, where no train stops


@dataclass(frozen=True, slots=True)
class _Stop:
    """Where trains call: the name of its station, where that is (None: not known), whether only coaches stop there."""

    name: str
    place: _Place | None
    coach: bool


def _read_stops(feed: _Feed) -> dict[str, _Stop]:
    """Each stop by its id, under the name and at the place of its parent station where it has one.

    A stop that has no name, nor its station, cannot be sold and is not there.
    """
    own: dict[str, _Stop] = {}
    parents: dict[str, str] = {}
    lines: dict[str, int] = {}
    with feed.table("stops.txt") as table:
        columns = ("stop_lat", "stop_lon", "parent_station")
        for key, name, latitude, longitude, parent in table.rows(("stop_id", "stop_name"), columns):
            _identifier(table, lines, "stop_id", key)
            label = station(table, "stop_name", name) if name else ""
            own[key] = _Stop(label, _place(latitude, longitude), bool(_COACH.search(key)))
            parents[key] = parent
        _leave_out_absurd_places(feed, table.name, own, lines)
    stops = {key: _in_station(stop, own.get(parents[key])) for key, stop in own.items()}
    return {key: stop for key, stop in stops.items() if stop.name}


def _in_station(stop: _Stop, parent: _Stop | None) -> _Stop:
    """A parent that the feed does not know takes nothing away: the stop's own name and place are good too."""
    if parent is None:
        return stop
    return _Stop(parent.name or stop.name, parent.place or stop.place, stop.coach)


def _identifier(table: Table, lines: dict[str, int], column: str, key: str) -> None:
    """Note an identifier and its line. Raises `Problem` when it is empty or was there before."""
    if not key:
        raise unexpected(table, column, key, _KEY)
    table.once(lines, key, column)


def _place(latitude: str, longitude: str) -> _Place | None:
    """Where a stop is: None when that is not said, `_NOWHERE` when it is said wrongly."""
    if not latitude and not longitude:
        return None
    try:
        place = float(latitude), float(longitude)
    except ValueError:
        return _NOWHERE
    # (0, 0) is in the Gulf of Guinea: programs write it for "not known".
    return place if abs(place[0]) <= 90 and abs(place[1]) <= 180 and place != (0.0, 0.0) else _NOWHERE


def _leave_out_absurd_places(feed: _Feed, file: str, stops: dict[str, _Stop], lines: dict[str, int]) -> None:
    """Take away coordinates that cannot be. A price at the minimum is false too, but nobody pays 6,312 km for 10."""
    places = [stop.place for stop in stops.values() if stop.place]
    if not places:
        return
    middle = median(place[0] for place in places), median(place[1] for place in places)
    absurd = [key for key, stop in stops.items() if stop.place and _is_absurd(stop.place, middle)]
    named = ", ".join(f"{lines[key]} ({shown(stops[key].name)})" for key in absurd[:MAX_NAMED])
    if absurd:
        feed.remark(
            Text(
                f"{file}, colonnes stop_lat, stop_lon : {len(absurd)} positions impossibles ou inversées, d'où le prix "
                f"minimum ; lignes {named}",
                f"{file}, columns stop_lat, stop_lon: {len(absurd)} impossible or swapped places, hence the minimum "
                f"price; lines {named}",
            )
        )
    for key in absurd:
        stops[key] = _Stop(stops[key].name, None, stops[key].coach)


def _is_absurd(place: _Place, middle: _Place) -> bool:
    """Nowhere, or swapped: over 1,000 km (a wide country) from the feed's middle, and near it the other way round."""
    latitude, longitude = place
    if place == _NOWHERE:
        return True
    swapped = kilometres(middle, (longitude, latitude)) if abs(longitude) <= 90 else math.inf
    return kilometres(middle, place) > max(1000, 4 * swapped)


def kilometres(one: _Place, other: _Place) -> float:
    """The distance as the crow flies between two places given in degrees (haversine)."""
    north, east, north2, east2 = map(math.radians, (*one, *other))
    half = math.sin((north2 - north) / 2) ** 2 + math.cos(north) * math.cos(north2) * math.sin((east2 - east) / 2) ** 2
    return EARTH_DIAMETER_KM * math.asin(math.sqrt(min(1.0, half)))


class _Prices:
    """Indicative prices, each pair reckoned once."""

    def __init__(self, feed: _Feed) -> None:
        self._known: dict[tuple[_Stop, _Stop], int] = {}
        base, rate, least = euros(BASE_CENTS), euros(CENTS_PER_KM), euros(MINIMUM_CENTS)
        feed.remark(
            Text(
                f"prix indicatifs, pas ceux de la SNCF (un GTFS n'en dit pas) : {base} € et {rate} € par km à vol "
                f"d'oiseau, au moins {least} €",
                f"indicative prices, not SNCF's (GTFS says none): {base} EUR and {rate} EUR a km as the crow flies, "
                f"at least {least} EUR",
            )
        )

    def cents(self, start: _Stop, end: _Stop) -> int:
        """The price in cents, to ten cents; the minimum when one of the two places is not known."""
        if (start, end) not in self._known:
            distance = kilometres(start.place, end.place) if start.place and end.place else 0.0
            self._known[start, end] = max(MINIMUM_CENTS, round((BASE_CENTS + CENTS_PER_KM * distance) / 10) * 10)
        return self._known[start, end]


# --- trips and calendars ----------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Trip:
    """A train: where one may get on (rank in the trip, seconds of the service day, stop), and off (rank, stop)."""

    number: str
    service: str
    boards: list[tuple[int, int, _Stop]] = field(default_factory=list)
    alights: list[tuple[int, _Stop]] = field(default_factory=list)

    def stops_after(self, rank: int, start: _Stop) -> Iterator[_Stop]:
        """Where one may get off after getting on at `start`; a train that comes round to it again is no journey."""
        return (end for later, end in self.alights if later > rank and fold(end.name) != fold(start.name))


def _is_rail(route_type: str) -> bool:
    """2, or 100 to 117 in Google's extended list of route types.

    A ticket office of trains sells no coach (3, 200, 700); SNCF files shuttles under trams (0) and even funiculars (7).
    """
    return route_type == "2" or (route_type.isdecimal() and 100 <= int(route_type[:9]) <= 117)


def _read_routes(feed: _Feed) -> dict[str, bool]:
    """Each route by its id, and whether trains run on it."""
    routes: dict[str, bool] = {}
    lines: dict[str, int] = {}
    with feed.table("routes.txt") as table:
        for key, route_type in table.rows(("route_id", "route_type")):
            _identifier(table, lines, "route_id", key)
            routes[key] = _is_rail(route_type)
    return routes


_NOT_RAIL = Text("courses qui ne sont pas des trains (route_type)", "trips that are no trains (route_type)")
_NO_ROUTE = Text("courses dont la ligne n'est pas dans routes.txt", "trips whose route is not in routes.txt")


def _read_trips(feed: _Feed, routes: dict[str, bool]) -> dict[str, _Trip | None]:
    """Each trip by its id; None for one that is not sold. Without its route nobody knows whether a trip is a train."""
    trips: dict[str, _Trip | None] = {}
    lines: dict[str, int] = {}
    with feed.table("trips.txt") as table:
        columns = ("trip_headsign", "trip_short_name")
        for key, route, service, headsign, short_name in table.rows(("trip_id", "route_id", "service_id"), columns):
            _identifier(table, lines, "trip_id", key)
            rail = routes.get(route)
            if not rail:
                feed.count(_NO_ROUTE if rail is None else _NOT_RAIL)
            trips[key] = _Trip(_number(table, headsign, short_name, key), service) if rail else None
    return trips


def _number(table: Table, headsign: str, short_name: str, key: str) -> str:
    """The train number: SNCF puts it into `trip_headsign`, where others write where the train goes."""
    digits = headsign if headsign.isascii() and headsign.isdigit() else ""
    names = (("trip_headsign", digits), ("trip_short_name", short_name), ("trip_headsign", headsign), ("trip_id", key))
    column, value = next(pair for pair in names if pair[1])
    number = table.words(column, value)
    if not fits(number, MAX_TRAIN_BYTES) or not fold(number):
        raise unexpected(table, column, value, _TRAIN)
    return number


@dataclass(slots=True)
class _Service:
    """The days of a service: its `weekdays` (from Monday) from `first` to `last`, more in `added`, less `removed`."""

    weekdays: tuple[bool, ...] = (False,) * 7
    first: date = LATEST
    last: date = EARLIEST
    added: set[date] = field(default_factory=set)
    removed: set[date] = field(default_factory=set)

    def runs(self, day: date) -> bool:
        weekly = self.first <= day <= self.last and self.weekdays[day.weekday()]
        return day in self.added or (weekly and day not in self.removed)

    def ends(self) -> Iterator[date]:
        """Days between which lie all those on which it runs."""
        yield from self.added
        if any(self.weekdays):
            yield from (self.first, self.last)


class _Calendar:
    """Which service runs on which days; `span` is the first and last day of all of them, None without any."""

    def __init__(self, services: dict[str, _Service]) -> None:
        self._services = services
        ends = {day for service in services.values() for day in service.ends()}
        self.span = (min(ends), max(ends)) if ends else None

    def days(self, service: str, wanted: Wanted) -> Iterator[date]:
        """The service days of which a train may leave a stop on a wanted day (whose times may be well over 24:00)."""
        known = self._services.get(service)
        if known is None or self.span is None:
            return
        first = max(wanted.first or EARLIEST, EARLIEST) - DAYS_BEFORE
        last = min(wanted.last or LATEST, LATEST) + DAYS_AFTER
        yield from filter(known.runs, days_between(max(first, self.span[0]), min(last, self.span[1])))

    def first(self) -> date | None:
        """The first day on which a service runs."""
        days = days_between(*self.span) if self.span else ()
        return next((day for day in days if any(service.runs(day) for service in self._services.values())), None)


def _read_calendar(feed: _Feed, used: set[str]) -> _Calendar:
    """calendar.txt and calendar_dates.txt, of which a feed has one or both; only the services that trains use."""
    services: dict[str, _Service] = {}
    if feed.has("calendar.txt"):
        _read_weeks(feed, used, services)
    if feed.has("calendar_dates.txt") or not feed.has("calendar.txt"):
        _read_exceptions(feed, used, services)
    return _Calendar(services)


def _read_weeks(feed: _Feed, used: set[str], services: dict[str, _Service]) -> None:
    lines: dict[str, int] = {}
    with feed.table("calendar.txt") as table:
        for key, first, last, *flags in table.rows(("service_id", "start_date", "end_date", *_WEEKDAYS)):
            table.once(lines, key, "service_id")
            for column, flag in zip(_WEEKDAYS, flags, strict=True):
                if flag not in ("0", "1"):
                    raise unexpected(table, column, flag, _FLAG)
            days = _day(table, "start_date", first), _day(table, "end_date", last)
            if key in used:
                services[key] = _Service(tuple(flag == "1" for flag in flags), *days)


def _read_exceptions(feed: _Feed, used: set[str], services: dict[str, _Service]) -> None:
    with feed.table("calendar_dates.txt") as table:
        for key, written, kind in table.rows(("service_id", "date", "exception_type")):
            if key not in used:
                continue
            if kind not in ("1", "2"):
                raise unexpected(table, "exception_type", kind, _EXCEPTION)
            day, service = _day(table, "date", written), services.setdefault(key, _Service())
            (service.added if kind == "1" else service.removed).add(day)
            if day in service.added and day in service.removed:
                raise table.problem(
                    "exception_type",
                    f"le service « {shown(key)} » est à la fois ajouté et supprimé le {day} ; ôtez l'une des lignes",
                    f"service '{shown(key)}' is both added and removed on {day}; remove one of the lines",
                )


def _day(table: Table, column: str, value: str) -> date:
    """A GTFS date, `20250317`. Raises `Problem` for any other, and for one without railways."""
    try:
        day = date.fromisoformat(value) if len(value) == 8 and value.isdecimal() else date.min
    except ValueError:
        day = date.min
    if not EARLIEST <= day <= LATEST:
        raise unexpected(table, column, value, _DAY)
    return day


def _on_first_day(wanted: Wanted, calendar: _Calendar, feed: _Feed) -> Wanted:
    """`wanted`, on the first day that the feed serves when no day was asked for."""
    day = calendar.first() if wanted.any_day else None
    if day is None:
        return wanted
    feed.remark(first_day_note(day))
    return wanted.on(day)


_REPEATED = Text("courses sans heures propres (frequencies.txt)", "trips without times of their own (frequencies.txt)")


def _leave_out_frequencies(feed: _Feed, running: dict[str, _Trip]) -> None:
    """The stop times of a trip of frequencies.txt only tell how long it takes, not when it runs."""
    if feed.has("frequencies.txt"):
        with feed.table("frequencies.txt") as table:
            for (key,) in table.rows(("trip_id",)):
                if running.pop(key, None):
                    feed.count(_REPEATED)


# --- calls and journeys -----------------------------------------------------------------------------------------------

_NO_TRIP = Text("arrêts de courses absentes de trips.txt", "calls of trips that are not in trips.txt")
_NO_STOP = Text("arrêts inconnus ou sans nom dans stops.txt", "calls at stops unknown or nameless in stops.txt")
_NO_TIME = Text("départs sans heure (on peut y descendre)", "departures without time (one may get off there)")
_COACHES = Text("autocars (arrêts « OCECar ») autour des jours voulus", "coaches (stops 'OCECar') around the wanted days")


def _read_calls(
    feed: _Feed, trips: dict[str, _Trip | None], running: dict[str, _Trip], stops: dict[str, _Stop], wanted: Wanted
) -> None:
    """Give each running trip the calls at which a wanted journey may begin or end."""
    starts = {key for key, stop in stops.items() if same_station(wanted.departure, stop.name)}
    ends = {key for key, stop in stops.items() if same_station(wanted.destination, stop.name)}
    coaches = set()
    with feed.table("stop_times.txt") as table:
        needed = ("trip_id", "departure_time", "stop_id", "stop_sequence")
        for trip_key, leaves, stop_key, rank, pickup, drop_off in table.rows(needed, ("pickup_type", "drop_off_type")):
            trip, stop = running.get(trip_key), stops.get(stop_key)
            if trip is None:
                if trip_key not in trips:
                    feed.count(_NO_TRIP)
            elif stop is None:
                feed.count(_NO_STOP)
            elif stop.coach:
                coaches.add(trip_key)
            else:
                place = _rank(table, rank)
                if pickup != "1" and stop_key in starts:
                    _add_board(feed, table, trip, place, leaves, stop)
                if drop_off != "1" and stop_key in ends:
                    trip.alights.append((place, stop))
    feed.count(_COACHES, len(coaches))


def _add_board(feed: _Feed, table: Table, trip: _Trip, rank: int, leaves: str, stop: _Stop) -> None:
    if leaves:
        trip.boards.append((rank, _seconds(table, leaves), stop))
    else:  # GTFS lets a stop between two others go without times: one may get off there, but not be told when to come
        feed.count(_NO_TIME)


def _rank(table: Table, value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) < 10):
        raise unexpected(table, "stop_sequence", value, _RANK)
    return int(value)


def _seconds(table: Table, value: str) -> int:
    """A GTFS time, `5:47:00` or `25:10:00`, in seconds of the service day."""
    match = _CLOCK_TIME.fullmatch(value)
    if match is None:
        raise unexpected(table, "departure_time", value, _TIME)
    return int(match[1]) * 3600 + int(match[2]) * 60 + int(match[3])


def _read_zone(feed: _Feed) -> tzinfo | None:
    """The time zone of the feed, one for all its agencies; None, with a remark, when not said or not known here."""
    name = ""
    if feed.has("agency.txt"):
        with feed.table("agency.txt") as table:
            name = next((zone for (zone,) in table.rows((), ("agency_timezone",))), "")
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        feed.remark(
            Text(
                f"fuseau horaire « {shown(name)} » inconnu : heures telles quelles, à vérifier aux changements d'heure",
                f"time zone '{shown(name)}' not known: times as they stand, to be checked where clocks change",
            )
        )
        return None


def local_time(day: date, seconds: int, zone: tzinfo | None) -> datetime:
    """What clocks show `seconds` after the beginning of service day `day`, which GTFS sets at noon minus 12 hours.

    That is midnight but on the two days a year when clocks change: there, counted from midnight, every train of the day
    would be an hour off.
    """
    if zone is None:
        return datetime.combine(day, time()) + timedelta(seconds=seconds)
    noon = datetime.combine(day, time(12), zone).astimezone(UTC)
    return (noon + timedelta(seconds=seconds - 12 * 3600)).astimezone(zone)


def _journeys(
    trips: Iterable[_Trip], calendar: _Calendar, wanted: Wanted, zone: tzinfo | None, prices: _Prices
) -> Iterator[Journey]:
    """Every wanted journey: on each day of each trip, each stop to get on with each later one to get off."""
    low, high = wanted.bounds()
    for trip in trips:
        for day in calendar.days(trip.service, wanted) if trip.boards and trip.alights else ():
            for rank, seconds, start in trip.boards:
                moment = local_time(day, seconds, zone).isoformat()[:16]  # whole minutes: never later than the train
                if low <= moment <= high:
                    for end in trip.stops_after(rank, start):
                        yield Journey(trip.number, moment, start.name, end.name, prices.cents(start, end))
