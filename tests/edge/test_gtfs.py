"""GTFS feeds: small ones made here, SNCF's sample counted again by other means, the awkward files of the data set."""

import csv
import shutil
import tracemalloc
import zipfile
from collections.abc import Callable
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lib.core.tickets import MAX_STATION_BYTES, Journey
from lib.edge.gtfs import BASE_CENTS, CENTS_PER_KM, MINIMUM_CENTS, kilometres, local_time, read_gtfs
from lib.edge.timetables import MAX_SEATS, MAX_TICKETS, Timetable, Wanted
from lib.texts import Problem

DATA = Path(__file__).resolve().parents[3] / "shared/data/sncf"
SAMPLE, MALFORMED = DATA / "gtfs_sample", DATA / "malformed"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"{DATA} is not beside the repository")

PARIS = ZoneInfo("Europe/Paris")
MONDAY = date(2025, 3, 17)

# Three stations on one degree of latitude each; a train 7001 on Monday and Tuesday, a coach route beside it.
FEED = {
    "agency.txt": "agency_name,agency_url,agency_timezone\nA,http://a,Europe/Paris",
    "routes.txt": "route_id,route_type\nrail,2\nroad,3",
    "stops.txt": (
        "stop_id,stop_name,stop_lat,stop_lon,location_type,parent_station\n"
        "A,Compiègne,49.0,2.0,1,\nA1,quai 1,,,0,A\nB,Creil,48.0,2.0,0,\nC,Paris Gare du Nord,47.0,2.0,0,"
    ),
    "trips.txt": "route_id,service_id,trip_id,trip_headsign\nrail,weekdays,t1,7001\nroad,weekdays,c1,7002",
    "calendar_dates.txt": "service_id,date,exception_type\nweekdays,20250318,1\nweekdays,20250317,1",
    "stop_times.txt": (
        "trip_id,arrival_time,departure_time,stop_id,stop_sequence,pickup_type,drop_off_type\n"
        "t1,06:00:00,06:00:00,A1,9,0,1\nt1,07:00:00,07:00:00,C,11,1,0\nt1,06:30:00,06:31:40,B,10,0,0\n"
        "c1,06:00:00,06:00:00,A1,1,0,0\nc1,07:00:00,07:00:00,C,2,0,0"
    ),
}

Feed = Callable[..., Path]


@pytest.fixture
def feed(tmp_path: Path) -> Feed:
    """Writes the small feed, with some files replaced (`stop_times="..."`) or left out (None), into a folder."""

    def write(**replaced: str | None) -> Path:
        contents = FEED | {f"{name}.txt": content for name, content in replaced.items()}
        for name, content in contents.items():
            if content is None:
                (tmp_path / name).unlink(missing_ok=True)
            else:
                (tmp_path / name).write_text(content + "\n", encoding="utf-8")
        return tmp_path

    return write


def edited(name: str, *changes: str) -> str:
    """A file of the small feed with `changes`, in pairs: this text becomes that one."""
    content = FEED[f"{name}.txt"]
    for old, new in zip(changes[::2], changes[1::2], strict=True):
        assert old in content
        content = content.replace(old, new)
    return content


def on(day: date, departure: str = "", destination: str = "", seats: int = 1) -> Wanted:
    return Wanted(day, day, seats, departure, destination)


def rides(timetable: Timetable) -> list[tuple[str, str, str, str]]:
    return [(j.train, j.date, j.departure, j.destination) for j, _ in timetable.offers]


def times(path: Path, wanted: Wanted) -> list[str]:
    return [journey.date for journey, _ in read_gtfs(path, wanted).offers]


def said(timetable: Timetable) -> str:
    return "\n".join(note.en for note in timetable.notes)


def refusal(path: Path, wanted: Wanted | None = None) -> str:
    """Why the feed is refused, in French, without its folder; both languages are one line and name the same place."""
    with pytest.raises(Problem) as caught:
        read_gtfs(path, wanted or on(MONDAY))
    text = caught.value.text
    assert len(text.fr.splitlines()) == len(text.en.splitlines()) == 1
    assert text.en.startswith(text.fr.partition(" : ")[0].replace("ligne", "line").replace("colonne", "column"))
    return text.fr.replace(f"{path}/", "").replace(f"{path.parent}/", "")


# --- journeys ---------------------------------------------------------------------------------------------------------


def test_every_pair_in_the_order_of_stop_sequence_with_the_names_of_parent_stations(feed: Feed) -> None:
    timetable = read_gtfs(feed(), on(MONDAY, seats=3))
    assert rides(timetable) == [
        ("7001", "2025-03-17T06:00", "Compiègne", "Paris Gare du Nord"),
        ("7001", "2025-03-17T06:00", "Compiègne", "Creil"),
        ("7001", "2025-03-17T06:31", "Creil", "Paris Gare du Nord"),
    ]
    assert {seats for _, seats in timetable.offers} == {3}


def test_pairs_are_chosen_without_accents_or_case(feed: Feed) -> None:
    path = feed()
    assert len(rides(read_gtfs(path, on(MONDAY, "compiegne")))) == 2
    assert len(rides(read_gtfs(path, on(MONDAY, "", "PARIS-GARE DU NORD")))) == 2
    assert rides(read_gtfs(path, on(MONDAY, "compiegne", "CREIL"))) == [("7001", "2025-03-17T06:00", "Compiègne", "Creil")]


def test_nobody_gets_on_where_pickup_type_is_1_nor_off_where_drop_off_type_is_1(feed: Feed) -> None:
    path = feed(stop_times=edited("stop_times", "B,10,0,0", "B,10,1,1"))
    assert [ride[2:] for ride in rides(read_gtfs(path, on(MONDAY)))] == [("Compiègne", "Paris Gare du Nord")]
    path = feed(stop_times=edited("stop_times", "B,10,0,0", "B,10,2,3"))
    assert len(rides(read_gtfs(path, on(MONDAY)))) == 3


def test_without_pickup_columns_one_may_get_on_and_off_everywhere(feed: Feed) -> None:
    path = feed(stop_times="trip_id,departure_time,stop_id,stop_sequence\nt1,6:00:00,A1,0\nt1,10:00:00,B,1\nt1,,C,2")
    assert len(rides(read_gtfs(path, on(MONDAY)))) == 3


@pytest.mark.parametrize(
    ("headsign", "short_name", "train"),
    [("7001", "K13", "7001"), ("Paris", "K13", "K13"), ("Paris", "", "Paris"), ("", "", "t1"), ("²", "", "²")],
)
def test_the_train_number(feed: Feed, headsign: str, short_name: str, train: str) -> None:
    columns = "route_id,service_id,trip_id,trip_headsign,trip_short_name"
    path = feed(trips=f"{columns}\nrail,weekdays,t1,{headsign},{short_name}")
    assert {ride[0] for ride in rides(read_gtfs(path, on(MONDAY)))} == {train}


def test_the_same_train_in_two_trips_is_one_journey(feed: Feed) -> None:
    twin = FEED["stop_times.txt"].partition("\n")[2].replace("t1,", "t2,").replace("c1,", "c2,")
    path = feed(
        trips=edited("trips", "rail,weekdays,t1,7001", "rail,weekdays,t1,7001\nrail,weekdays,t2,7001"),
        stop_times=f"{FEED['stop_times.txt']}\n{twin}",
    )
    assert len(rides(read_gtfs(path, on(MONDAY)))) == 3


def test_two_calls_of_one_rank_have_no_order_and_make_no_journey(feed: Feed) -> None:
    path = feed(stop_times=edited("stop_times", "A1,9,0,1", "A1,10,0,0"))
    assert [ride[2:] for ride in rides(read_gtfs(path, on(MONDAY)))] == [
        ("Compiègne", "Paris Gare du Nord"),
        ("Creil", "Paris Gare du Nord"),
    ]


def test_a_train_that_comes_back_to_its_first_station_sells_no_ticket_to_where_one_is(feed: Feed) -> None:
    path = feed(stop_times=edited("stop_times", "C,11,1,0", "A,11,1,0"))
    assert [ride[2:] for ride in rides(read_gtfs(path, on(MONDAY)))] == [("Compiègne", "Creil"), ("Creil", "Compiègne")]


# --- days and hours ---------------------------------------------------------------------------------------------------

WEEK = "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date"


def test_calendar_alone_and_with_exceptions_of_both_kinds(feed: Feed) -> None:
    """Monday 17 and Thursday 20 March by the week, the 20th removed, Sunday the 23rd added."""
    week = f"{WEEK}\nweekdays,1,0,0,1,0,0,0,20250312,20250322"
    whole = Wanted(date(2025, 3, 1), date(2025, 3, 31), departure="Creil")
    assert times(feed(calendar=week, calendar_dates=None), whole) == [
        "2025-03-13T06:31", "2025-03-17T06:31", "2025-03-20T06:31",
    ]  # fmt: skip
    exceptions = "service_id,date,exception_type\nweekdays,20250320,2\nweekdays,20250323,1"
    assert times(feed(calendar=week, calendar_dates=exceptions), whole) == [
        "2025-03-13T06:31", "2025-03-17T06:31", "2025-03-23T06:31",
    ]  # fmt: skip


def test_without_a_date_the_first_day_served_and_a_note(feed: Feed) -> None:
    timetable = read_gtfs(feed(), Wanted(departure="Creil"))
    assert [ride[1] for ride in rides(timetable)] == ["2025-03-17T06:31"]
    assert "no date asked for (--date): the first day served, 2025-03-17" in said(timetable)


@pytest.mark.parametrize(
    ("written", "leaves"),
    [
        ("6:31:00", "2025-03-17T06:31"),
        ("23:59:59", "2025-03-17T23:59"),
        ("24:00:00", "2025-03-18T00:00"),
        ("29:14:00", "2025-03-18T05:14"),
        ("49:00:00", "2025-03-19T01:00"),
        ("99:59:59", "2025-03-21T03:59"),
    ],
)
def test_times_over_24_hours_are_on_sale_on_the_day_that_the_clock_on_the_platform_shows(
    feed: Feed, written: str, leaves: str
) -> None:
    path = feed(
        stop_times=edited("stop_times", "06:31:40", written),
        calendar_dates="service_id,date,exception_type\nweekdays,20250317,1",
    )
    day = date.fromisoformat(leaves[:10])
    assert times(path, on(day, "Creil")) == [leaves]
    for other in (day - timedelta(days=1), day + timedelta(days=1)):
        with pytest.raises(Problem, match="aucun train"):
            read_gtfs(path, on(other, "Creil"))


@pytest.mark.parametrize(
    ("day", "written", "shown"),
    [
        ("2025-03-29", "01:30", "2025-03-29T01:30"),
        ("2025-03-29", "25:30", "2025-03-30T01:30"),
        ("2025-03-29", "26:30", "2025-03-30T03:30"),  # 02:30 does not exist that night
        ("2025-03-30", "05:00", "2025-03-30T05:00"),
        ("2025-03-30", "03:00", "2025-03-30T03:00"),
        ("2025-03-30", "00:30", "2025-03-29T23:30"),  # noon minus 11.5 hours, an hour of which was skipped
        ("2025-03-30", "24:00", "2025-03-31T00:00"),
        ("2025-10-26", "12:00", "2025-10-26T12:00"),
        ("2025-10-26", "03:00", "2025-10-26T03:00"),
        ("2025-10-26", "01:00", "2025-10-26T02:00"),  # the first of the two
        ("2025-10-25", "26:00", "2025-10-26T02:00"),
        ("2025-10-25", "27:00", "2025-10-26T02:00"),  # the second
    ],
)
def test_clock_changes(day: str, written: str, shown: str) -> None:
    hours, minutes = map(int, written.split(":"))
    moment = local_time(date.fromisoformat(day), hours * 3600 + minutes * 60, PARIS)
    assert moment.isoformat()[:16] == shown


@given(st.dates(date(1990, 1, 1), date(2060, 1, 1)), st.integers(0, 99 * 3600))
@example(date(2025, 3, 30), 5 * 3600)
def test_two_times_of_a_service_day_are_as_far_apart_as_they_say(day: date, seconds: int) -> None:
    """The definition itself: noon is noon on the clock, and from there seconds are seconds."""
    assert local_time(day, 12 * 3600, PARIS).isoformat()[:16] == f"{day}T12:00"
    apart = local_time(day, seconds, PARIS).timestamp() - local_time(day, 12 * 3600, PARIS).timestamp()
    assert apart == seconds - 12 * 3600


def test_a_morning_of_the_clock_change_through_the_whole_import(feed: Feed) -> None:
    sunday = edited("calendar_dates", "20250317", "20250330")
    path = feed(calendar_dates=sunday)
    assert times(path, on(date(2025, 3, 30), "Creil")) == ["2025-03-30T06:31"]
    path = feed(calendar_dates=sunday, stop_times=edited("stop_times", "06:31:40", "0:31:40"))
    assert times(path, on(date(2025, 3, 29), "Creil")) == ["2025-03-29T23:31"]


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../../etc/passwd"])
def test_an_unknown_time_zone_leaves_the_times_as_they_stand_and_says_so(feed: Feed, zone: str) -> None:
    path = feed(agency=f"agency_name,agency_timezone\nA,{zone}", calendar_dates=edited("calendar_dates", "0317", "0330"))
    timetable = read_gtfs(path, on(date(2025, 3, 30), "Creil"))
    assert [ride[1] for ride in rides(timetable)] == ["2025-03-30T06:31"]
    assert f"time zone '{zone}' not known" in said(timetable)


def test_without_agency_the_time_zone_is_unknown_too(feed: Feed) -> None:
    assert "time zone '' not known" in said(read_gtfs(feed(agency=None), on(MONDAY)))


def test_the_wanted_days_may_be_as_wide_as_the_calendar(feed: Feed) -> None:
    assert times(feed(), Wanted(date.min, date.max, departure="Creil")) == ["2025-03-17T06:31", "2025-03-18T06:31"]
    assert times(feed(), Wanted(first=date(2025, 3, 18), departure="Creil")) == ["2025-03-18T06:31"]
    assert times(feed(), Wanted(last=date(2025, 3, 17), departure="Creil")) == ["2025-03-17T06:31"]


# --- what is left out -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["3", "0", "1", "7", "200", "700", "", "tram"])
def test_what_is_no_railway_is_left_out_and_counted(feed: Feed, kind: str) -> None:
    timetable = read_gtfs(feed(routes=edited("routes", "road,3", f"road,{kind}")), on(MONDAY))
    assert {ride[0] for ride in rides(timetable)} == {"7001"}
    assert "not sold: 1 trips that are no trains (route_type)" in said(timetable)


@pytest.mark.parametrize("kind", ["2", "100", "106", "117"])
def test_railways_of_the_extended_list_are_sold(feed: Feed, kind: str) -> None:
    timetable = read_gtfs(feed(routes=edited("routes", "road,3", f"road,{kind}")), on(MONDAY))
    assert {ride[0] for ride in rides(timetable)} == {"7001", "7002"}


def test_coaches_on_a_railway_route_are_known_by_their_stops(feed: Feed) -> None:
    path = feed(
        routes=edited("routes", "road,3", "road,2"),
        stops=edited("stops", "\nB,", "\nStopPoint:OCECar TER-1,Compiègne,49.0,2.0,0,A\nB,"),
        stop_times=edited("stop_times", "c1,06:00:00,06:00:00,A1", "c1,06:00:00,06:00:00,StopPoint:OCECar TER-1"),
    )
    timetable = read_gtfs(path, on(MONDAY))
    assert {ride[0] for ride in rides(timetable)} == {"7001"}
    assert "not sold: 1 coaches (stops 'OCECar') around the wanted days" in said(timetable)


def test_a_stop_without_a_time_lets_people_off_but_not_on(feed: Feed) -> None:
    timetable = read_gtfs(feed(stop_times=edited("stop_times", "06:30:00,06:31:40", ",")), on(MONDAY))
    assert [ride[2:] for ride in rides(timetable)] == [("Compiègne", "Paris Gare du Nord"), ("Compiègne", "Creil")]
    assert "not sold: 1 departures without time" in said(timetable)


def test_references_to_what_is_not_there_are_left_out_and_counted(feed: Feed) -> None:
    stray = "\nghost,06:00:00,06:00:00,A1,1,0,0\nt1,06:40:00,06:40:00,nowhere,12,0,0\nt1,06:50:00,06:50:00,N,13,0,0"
    path = feed(
        stop_times=FEED["stop_times.txt"] + stray,
        stops=FEED["stops.txt"] + "\nN,,48.0,2.0,0,\nP,Orphan,48.0,2.0,0,nobody",
        trips=FEED["trips.txt"] + "\nmissing,weekdays,t3,7003\nrail,never,t4,7004",
    )
    timetable = read_gtfs(path, on(MONDAY))
    assert len(rides(timetable)) == 3
    notes = said(timetable)
    assert "not sold: 1 calls of trips that are not in trips.txt" in notes
    assert "not sold: 2 calls at stops unknown or nameless in stops.txt" in notes
    assert "not sold: 1 trips whose route is not in routes.txt" in notes


def test_a_stop_whose_parent_is_unknown_keeps_its_own_name(feed: Feed) -> None:
    path = feed(stops=edited("stops", "B,Creil,48.0,2.0,0,", "B,Creil,48.0,2.0,0,nobody"))
    assert len(rides(read_gtfs(path, on(MONDAY, "Creil")))) == 1


def test_trips_by_headway_have_no_times_of_their_own(feed: Feed) -> None:
    path = feed(frequencies="trip_id,start_time,end_time,headway_secs\nt1,06:00:00,09:00:00,600")
    assert "hors vente : 1 courses qui ne sont pas des trains (route_type), 1 courses sans heures" in refusal(path)


# --- prices -----------------------------------------------------------------------------------------------------------


def test_prices_grow_with_the_distance_and_a_note_says_that_they_are_indicative(feed: Feed) -> None:
    """A degree of latitude is 111.2 km: 1.00 + 0.20 x 111.2 = 23.24, to ten cents 23.20; two degrees 45.50."""
    timetable = read_gtfs(feed(), on(MONDAY))
    assert {(j.departure, j.destination): j.cents for j, _ in timetable.offers} == {
        ("Compiègne", "Creil"): 2320,
        ("Creil", "Paris Gare du Nord"): 2320,
        ("Compiègne", "Paris Gare du Nord"): 4550,
    }
    assert "indicative prices, not SNCF's (GTFS says none): 1.00 EUR and 0.20 EUR a km" in said(timetable)


@pytest.mark.parametrize("place", ["2.0,48.0", "0,0", "91,2", "x,y", "48.0,", "nan,2", "48.0,181"])
def test_swapped_or_absurd_coordinates_give_the_minimum_price_and_a_note_with_their_line(feed: Feed, place: str) -> None:
    timetable = read_gtfs(feed(stops=edited("stops", "Creil,48.0,2.0", f"Creil,{place}")), on(MONDAY))
    prices = {(j.departure, j.destination): j.cents for j, _ in timetable.offers}
    assert prices["Compiègne", "Creil"] == prices["Creil", "Paris Gare du Nord"] == MINIMUM_CENTS
    assert prices["Compiègne", "Paris Gare du Nord"] == 4550
    assert "stops.txt, columns stop_lat, stop_lon: 1 impossible or swapped places" in said(timetable)
    assert said(timetable).count("lines 4 (Creil)") == 1


def test_stops_without_coordinates_give_the_minimum_price(feed: Feed) -> None:
    path = feed(stops="stop_id,stop_name\nA1,Compiègne\nB,Creil\nC,Paris Gare du Nord")
    timetable = read_gtfs(path, on(MONDAY))
    assert {journey.cents for journey, _ in timetable.offers} == {MINIMUM_CENTS}
    assert "swapped" not in said(timetable)


@needs_data
def test_the_indicative_price_is_near_the_fares_that_are_published() -> None:
    """The reason given beside the constants: half of the 109 TER fares lie within 0.32 EUR."""
    with (DATA / "stations.csv").open(encoding="utf-8") as file:
        places = {row["uic"]: (float(row["lat"]), float(row["lon"])) for row in csv.DictReader(file)}
    with (DATA / "fares.csv").open(encoding="utf-8") as file:
        fares = [
            (100 * float(row["price_max"]), kilometres(places[row["departure_uic"]], places[row["arrival_uic"]]))
            for row in csv.DictReader(file)
            if (row["product"], row["travel_class"], row["profile"]) == ("TER", "2", "Tarif Normal")
        ]
    misses = sorted(abs(cents - BASE_CENTS - CENTS_PER_KM * distance) for cents, distance in fares)
    assert (len(fares), min(cents for cents, _ in fares)) == (109, MINIMUM_CENTS)
    assert misses[54] < 32


# --- refused ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "changes", "where"),
    [
        ("trips", ("road,weekdays,c1", "road,weekdays,t1"), "trips.txt, ligne 3, colonne trip_id : « t1 » est déjà"),
        ("stops", ("\nC,", "\nA,"), "stops.txt, ligne 5, colonne stop_id : « A » est déjà à la ligne 2"),
        ("routes", ("road,3", "rail,2"), "routes.txt, ligne 3, colonne route_id : « rail » est déjà à la ligne 2"),
        ("stops", ("\nC,", "\n,"), "stops.txt, ligne 5, colonne stop_id : vide ; attendu : un identifiant"),
        ("stops", ("Creil", "x" * (MAX_STATION_BYTES + 1)), "stops.txt, ligne 4, colonne stop_name : « xxx"),
        ("stops", ("Compiègne", "CompiÃ¨gne"), "stops.txt, ligne 2, colonne stop_name : « CompiÃ¨gne » est"),
        ("trips", ("7001", "7" * 61), "trips.txt, ligne 2, colonne trip_headsign : « 777"),
        ("calendar_dates", ("20250317", "20250229"), "calendar_dates.txt, ligne 3, colonne date : « 20250229 » ; "),
        ("calendar_dates", ("20250317", "2025-3-1"), "calendar_dates.txt, ligne 3, colonne date : « 2025-3-1 » ; "),
        ("calendar_dates", ("20250317", "00010101"), "calendar_dates.txt, ligne 3, colonne date : « 00010101 » ; "),
        ("calendar_dates", ("20250317,1", "20250317,3"), "calendar_dates.txt, ligne 3, colonne exception_type : « 3 »"),
        ("calendar_dates", ("20250318,1", "20250317,2"), "calendar_dates.txt, ligne 3, colonne exception_type : le s"),
        ("stop_times", ("06:31:40", "06:61:40"), "stop_times.txt, ligne 4, colonne departure_time : « 06:61:40 » ; "),
        ("stop_times", ("06:31:40", "100:00:00"), "stop_times.txt, ligne 4, colonne departure_time : « 100:00:00 » ;"),
        ("stop_times", ("06:31:40", "-6:31:40"), "stop_times.txt, ligne 4, colonne departure_time : « -6:31:40 » ; "),
        ("stop_times", ("B,10", "B,dix"), "stop_times.txt, ligne 4, colonne stop_sequence : « dix » ; attendu : "),
        ("stop_times", ("B,10", "B,-1"), "stop_times.txt, ligne 4, colonne stop_sequence : « -1 » ; attendu : "),
        ("stop_times", ("B,10", "B,²"), "stop_times.txt, ligne 4, colonne stop_sequence : « ² » ; attendu : "),
        ("stop_times", (",departure_time", ",dep"), "stop_times.txt, ligne 1 : colonne absente de l'en-tête : dep"),
        ("stops", ("stop_name", "name"), "stops.txt, ligne 1 : colonne absente de l'en-tête : stop_name"),
    ],
)  # fmt: skip
def test_what_makes_an_import_false_is_refused_with_its_place(
    feed: Feed, name: str, changes: tuple[str, str], where: str
) -> None:
    assert refusal(feed(**{name: edited(name, *changes)})).startswith(where)


@pytest.mark.parametrize(
    ("row", "where"),
    [
        ("weekdays,1,1,1,1,1,0,x,20250101,20251231", "ligne 2, colonne sunday : « x » ; attendu : 0 ou 1"),
        ("weekdays,1,1,1,1,1,0,0,20250101,2025", "ligne 2, colonne end_date : « 2025 » ; attendu : AAAAMMJJ"),
    ],
)
def test_a_bad_calendar(feed: Feed, row: str, where: str) -> None:
    assert refusal(feed(calendar=f"{WEEK}\n{row}")).startswith(f"calendar.txt, {where}")
    good = "weekdays,1,1,1,1,1,0,0,20250101,20251231"
    twice = refusal(feed(calendar=f"{WEEK}\n{good}\n{good}"))
    assert twice.startswith("calendar.txt, ligne 3, colonne service_id : « weekdays » est déjà à la ligne 2")


@pytest.mark.parametrize("name", ["routes", "trips", "calendar_dates", "stop_times"])
def test_a_missing_file_is_named_with_those_that_are_there(feed: Feed, name: str) -> None:
    path = feed(**{name: None})
    sentence = refusal(path)
    assert sentence.startswith(f"{path.name} : il manque {name}.txt ; fichiers trouvés : agency.txt, ")


def test_no_calendar_dates_is_no_fault_where_there_is_a_calendar_of_other_services(feed: Feed) -> None:
    path = feed(calendar=f"{WEEK}\nother,1,1,1,1,1,1,1,20250101,20251231", calendar_dates=None)
    assert "aucun train" in refusal(path)
    assert "le fichier ne sert aucun jour" in refusal(path)


def test_no_train_says_which_days_the_feed_has_or_which_names_come_close(feed: Feed) -> None:
    path = feed()
    assert refusal(path, on(date(2025, 3, 19), "creil", "paris gare du nord")).startswith(
        f"{path.name} : aucun train creil → paris gare du nord (2025-03-19..2025-03-19) (hors vente : 1 courses qui ne "
        "sont pas des trains (route_type)) ; le fichier va du 2025-03-17 au 2025-03-18"
    )
    assert refusal(path, on(MONDAY, "Paris")) == (
        f"{path.name} : gare inconnue « Paris » (--depart) ; noms proches : Paris Gare du Nord"
    )


def test_more_tickets_than_one_import_may_make(feed: Feed) -> None:
    ranks = range(MAX_TICKETS // MAX_SEATS + 1)
    stops = "\n".join(f"S{rank},Gare {rank},48,2,0," for rank in ranks)
    calls = "\n".join(f"t1,,6:{rank // 60:02}:{rank % 60:02},S{rank},{rank},0,0" for rank in ranks)
    head = FEED["stop_times.txt"].partition("\n")[0]
    path = feed(stops=f"{FEED['stops.txt']}\n{stops}", stop_times=f"{head}\n{calls}")
    assert len(rides(read_gtfs(path, on(MONDAY, "Gare 0", seats=MAX_SEATS)))) == MAX_TICKETS // MAX_SEATS
    assert f"plus de {MAX_TICKETS} billets" in refusal(path, on(MONDAY, seats=MAX_SEATS))


# --- folders and archives ---------------------------------------------------------------------------------------------


def archive(path: Path, folder: str = "", method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as out:
        for name, content in FEED.items():
            out.writestr(folder + name, content + "\n")
    return path


@pytest.mark.parametrize("folder", ["", "export/", "a/b/c/"])
def test_a_zip_is_read_like_a_folder(tmp_path: Path, feed: Feed, folder: str) -> None:
    path = archive(tmp_path / "feed.zip", folder)
    assert read_gtfs(path, on(MONDAY)) == read_gtfs(feed(), on(MONDAY))


def test_a_folder_in_a_folder(tmp_path: Path, feed: Feed) -> None:
    expected = rides(read_gtfs(feed(), on(MONDAY)))
    (tmp_path / "outer").mkdir()
    for name in FEED:
        (tmp_path / "outer/inner").mkdir(exist_ok=True)
        shutil.copy(tmp_path / name, tmp_path / "outer/inner")
    assert rides(read_gtfs(tmp_path / "outer", on(MONDAY))) == expected


def test_two_feeds_in_one_archive_are_one_too_many(tmp_path: Path) -> None:
    path = archive(tmp_path / "feed.zip", "ter/")
    with zipfile.ZipFile(path, "a") as out:
        out.writestr("tgv/stops.txt", "stop_id,stop_name\n")
    assert refusal(path).startswith("feed.zip : 2 fichiers GTFS stops.txt, il en faut un ; trouvé : ter, tgv ;")


def test_archives_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "text.zip").write_text("not a zip")
    assert refusal(tmp_path / "text.zip").startswith("text.zip : ni un dossier ni une archive zip lisible (File is not")
    assert refusal(tmp_path / "none.zip").startswith("none.zip : ne peut pas être lu (No such file or directory)")
    with zipfile.ZipFile(tmp_path / "empty.zip", "w"):
        pass
    assert refusal(tmp_path / "empty.zip").startswith("empty.zip : 0 fichiers GTFS stops.txt, il en faut un ; trouvé : -")


def test_a_damaged_archive_is_a_problem_where_the_damage_is_met(tmp_path: Path) -> None:
    path = archive(tmp_path / "feed.zip", method=zipfile.ZIP_STORED)
    path.write_bytes(path.read_bytes().replace(b"06:30:00", b"06:30:07"))
    assert refusal(path).startswith("stop_times.txt : ne peut pas être lu (Bad CRC-32 for file 'stop_times.txt')")


def test_an_archive_with_any_byte_of_its_directory_damaged_is_read_or_refused(tmp_path: Path) -> None:
    """Among others a name that has become empty, or a way of packing that nobody knows."""
    path = archive(tmp_path / "feed.zip")
    whole = path.read_bytes()
    for at in range(whole.index(b"PK\x01\x02"), len(whole)):
        for mask in (0x01, 0x63, 0xFF):
            damaged = bytearray(whole)
            damaged[at] ^= mask
            path.write_bytes(damaged)
            with suppress(Problem):
                read_gtfs(path, on(MONDAY))


def test_an_archive_with_a_password(tmp_path: Path) -> None:
    path = archive(tmp_path / "feed.zip", method=zipfile.ZIP_STORED)
    content = bytearray(path.read_bytes())
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = content.find(mark)
        while at >= 0:
            content[at + flags] |= 1
            at = content.find(mark, at + 1)
    path.write_bytes(content)
    assert "ne peut pas être lu (File 'stops.txt' is encrypted" in refusal(path)


def test_only_the_calls_that_serve_are_kept_in_memory(feed: Feed) -> None:
    """100,000 calls of a train of another season, 3.6 MB, leave less than a tenth of that behind."""
    other = "\n".join(f"t2,06:00:00,06:00:00,A1,{rank},0,0" for rank in range(100_000))
    path = feed(
        trips=FEED["trips.txt"] + "\nrail,summer,t2,7003",
        calendar_dates=FEED["calendar_dates.txt"] + "\nsummer,20250714,1",
        stop_times=f"{FEED['stop_times.txt']}\n{other}",
    )
    tracemalloc.start()
    try:
        assert len(rides(read_gtfs(path, on(MONDAY)))) == 3
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (path / "stop_times.txt").stat().st_size > 3_000_000
    assert peak < 300_000


def test_progress_says_which_file(feed: Feed) -> None:
    calls: list[tuple[str, int, int]] = []
    read_gtfs(feed(), Wanted(MONDAY, MONDAY, progress=lambda *call: calls.append(call)))
    assert [label for label, done, total in calls if done == total][-2:] == ["calendar_dates.txt", "stop_times.txt"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_whatever_the_bytes_it_is_a_timetable_or_one_line(feed: Feed, data: st.DataObject) -> None:
    path = feed(calendar=f"{WEEK}\nweekdays,1,1,1,1,1,0,0,20250101,20251231")
    damaged = path / data.draw(st.sampled_from([*FEED, "calendar.txt"]))
    content = bytearray(damaged.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(content)))
        bits = st.binary(max_size=6) | st.sampled_from([b'"', b",", b"\r", b"\n", b"9", b"-"])
        content[start : start + data.draw(st.integers(0, 8))] = data.draw(bits)
    damaged.write_bytes(content)
    try:
        timetable = read_gtfs(path, on(MONDAY))
    except Problem as problem:
        assert len(problem.text.fr.splitlines()) == len(problem.text.en.splitlines()) == 1
        assert problem.text.fr.startswith(str(path))
    else:
        assert timetable.offers


# --- SNCF's sample, counted again by other means ----------------------------------------------------------------------


def table(name: str) -> list[dict[str, str]]:
    with (SAMPLE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def recount(day: date, start: str, end: str) -> set[tuple[str, str]]:
    """(train, minute) of the sample's trains from `start` to `end` that leave on `day`: by joins over whole files."""
    names = {row["stop_id"]: row["stop_name"] for row in table("stops.txt") if "OCECar" not in row["stop_id"]}
    days = {(row["service_id"], row["date"]) for row in table("calendar_dates.txt")}
    calls: dict[str, list[dict[str, str]]] = {}
    for row in table("stop_times.txt"):
        calls.setdefault(row["trip_id"], []).append(row)
    found = set()
    for trip in table("trips.txt"):
        at = {names.get(row["stop_id"]): row for row in calls[trip["trip_id"]]}
        if start not in at or end not in at or int(at[start]["stop_sequence"]) >= int(at[end]["stop_sequence"]):
            continue
        if at[start]["pickup_type"] == "1" or at[end]["drop_off_type"] == "1":
            continue
        hour, minute, _ = map(int, at[start]["departure_time"].split(":"))
        service_day = day - timedelta(days=hour // 24)
        if (trip["service_id"], service_day.strftime("%Y%m%d")) in days:
            found.add((trip["trip_headsign"], f"{day}T{hour % 24:02}:{minute:02}"))
    return found


@needs_data
@pytest.mark.parametrize(("start", "end"), [("Compiègne", "Paris Gare du Nord"), ("Saint-Quentin", "Noyon")])
@pytest.mark.parametrize("day", [MONDAY, date(2025, 3, 23), date(2025, 3, 29), date(2025, 3, 30), date(2025, 3, 31)])
def test_the_sample_against_a_recount(day: date, start: str, end: str) -> None:
    timetable = read_gtfs(SAMPLE, on(day, start, end))
    expected = recount(day, start, end)
    assert {ride[:2] for ride in rides(timetable)} == expected
    assert len(timetable.offers) == len(expected) >= 8


@needs_data
def test_every_pair_of_a_whole_day_of_the_sample_against_a_recount() -> None:
    found = rides(read_gtfs(SAMPLE, on(MONDAY)))
    stations = sorted({name for ride in found for name in ride[2:]})
    assert len(stations) > 30
    assert len(found) == len(set(found))
    some = stations[::3]
    for start in some:
        for end in some:
            if start != end:
                assert {ride[:2] for ride in found if ride[2:] == (start, end)} == recount(MONDAY, start, end)


@needs_data
@pytest.mark.parametrize("offset", range(7))
def test_the_sample_against_departures_csv_which_others_made_from_the_same_feed(offset: int) -> None:
    """Every TER from or to Compiègne on a day of the reference week: train, pair and minute, both ways round."""
    day = MONDAY + timedelta(days=offset)
    with (DATA / "departures.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["product"] == "TER" and str(offset + 1) in row["days"]]
    expected = {
        (row["train_number"], f"{day}T{row['departure_time']}", row["departure_station"], row["arrival_station"])
        for row in rows
        if "Compiègne" in (row["departure_station"], row["arrival_station"])
    }
    stations = {name for ride in expected for name in ride[2:]}
    found = {ride for ride in rides(read_gtfs(SAMPLE, on(day))) if "Compiègne" in ride[2:] and stations.issuperset(ride[2:])}
    assert found == expected
    assert len(expected) > 150


@needs_data
def test_the_night_calls_of_the_sample_are_on_sale_on_the_day_after_their_service_day(tmp_path: Path) -> None:
    """46003 calls at Noyon at 24:11. The calls over 24:00 where one may get on are a coach's: made a train's here."""
    path = sample_with(tmp_path, "stop_times.txt", "../gtfs_sample/stop_times.txt")
    calls = (path / "stop_times.txt").read_text(encoding="utf-8")
    (path / "stop_times.txt").write_text(calls.replace("OCECar", "OCETrain"), encoding="utf-8")
    (service,) = {row["service_id"] for row in table("trips.txt") if row["trip_headsign"] == "46003"}
    service_days = {row["date"] for row in table("calendar_dates.txt") if row["service_id"] == service}
    nights = {date.fromisoformat(day) + timedelta(days=1) for day in service_days}
    timetable = read_gtfs(path, Wanted(date.min, date.max, 1, "Noyon", "Saint-Quentin"))
    found = {ride[1] for ride in rides(timetable) if ride[0] == "46003"}
    assert found == {f"{night}T00:11" for night in nights}
    assert found


@needs_data
def test_the_coaches_of_the_sample_are_left_out() -> None:
    coaches = {row["trip_id"] for row in table("stop_times.txt") if "OCECar" in row["stop_id"]}
    numbers = {row["trip_headsign"] for row in table("trips.txt") if row["trip_id"] in coaches}
    timetable = read_gtfs(SAMPLE, Wanted(date(2025, 1, 22), date(2025, 4, 22), departure="Saint-Quentin"))
    assert numbers and numbers.isdisjoint(ride[0] for ride in rides(timetable))
    assert f"not sold: {len(coaches)} coaches" in said(timetable)


# --- the awkward files of the data set --------------------------------------------------------------------------------


def sample_with(tmp_path: Path, name: str, awkward: str) -> Path:
    """The sample in a folder of its own, its file `name` replaced by an awkward one."""
    for file in SAMPLE.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / name).write_bytes((MALFORMED / awkward).read_bytes())
    return tmp_path


@needs_data
def test_bom_and_crlf_change_nothing(tmp_path: Path) -> None:
    path = sample_with(tmp_path, "stops.txt", "derived_stops_bom_crlf.txt")
    assert read_gtfs(path, on(MONDAY)) == read_gtfs(SAMPLE, on(MONDAY))


@needs_data
def test_short_hours_and_cr_cr_lf_read_as_the_published_lines_do(tmp_path: Path) -> None:
    path = sample_with(tmp_path, "stop_times.txt", "derived_stop_times_short_hours_crcrlf.txt")
    published = (SAMPLE / "stop_times.txt").read_bytes().splitlines(keepends=True)[:60]
    (tmp_path / "published").mkdir()
    same = sample_with(tmp_path / "published", "trips.txt", "derived_trips_duplicate_id.txt")
    shutil.copy(SAMPLE / "trips.txt", same)
    (same / "stop_times.txt").write_bytes(b"".join(published))
    whole = Wanted(date(2025, 1, 22), date(2025, 4, 22))
    timetable = read_gtfs(path, whole)
    assert timetable.offers == read_gtfs(same, whole).offers
    assert len(timetable.offers) > 1000
    assert any(journey.date.endswith("T05:47") for journey, _ in timetable.offers)


@needs_data
@pytest.mark.parametrize(
    ("name", "awkward", "where"),
    [
        ("stops.txt", "derived_stops_latin1.txt",
         "stops.txt, ligne 17 : ce n'est pas de l'UTF-8, on dirait ISO-8859-1 (octet 0xe8, position 28 : « a:OCE8"),
        ("stops.txt", "derived_stops_mojibake.txt",
         "stops.txt, ligne 17, colonne stop_name : « ChevriÃ¨res » est sans doute « Chevrières », de l'UTF-8 relu "
         "comme WINDOWS-1252 ; iconv -f UTF-8 -t WINDOWS-1252 "),
        ("trips.txt", "derived_trips_duplicate_id.txt",
         "trips.txt, ligne 31, colonne trip_id : « OCESN16451F3768418:2025-01-22T00:42:25Z » est déjà à la ligne 6 ; "),
        ("stop_times.txt", "derived_stop_times_no_departure_time.txt",
         "stop_times.txt, ligne 1 : colonne absente de l'en-tête : departure_time ; colonnes trouvées : trip_id, "
         "arrival_time, stop_id, stop_sequence, stop_headsign, pickup_type, drop_off_type, shape_dist_traveled ; "),
    ],
)  # fmt: skip
def test_awkward_files_are_refused_with_their_place(tmp_path: Path, name: str, awkward: str, where: str) -> None:
    assert refusal(sample_with(tmp_path, name, awkward)).startswith(where)


@needs_data
def test_real_routes_with_bad_quotes_do_not_stop_an_import(tmp_path: Path) -> None:
    """Line 5 of SNCF's file of 2019; its routes are not the sample's, so every trip is left out, and said to be."""
    path = sample_with(tmp_path, "routes.txt", "real_ter2019_routes.txt")
    assert "hors vente : 327 courses dont la ligne n'est pas dans routes.txt" in refusal(path)
    trips = (path / "trips.txt").read_text(encoding="utf-8").splitlines()
    on_real_routes = [trips[0], *("OCESN-87681007-87682005" + line[line.index(",") :] for line in trips[1:])]
    (path / "trips.txt").write_text("\n".join(on_real_routes), encoding="utf-8")
    assert read_gtfs(path, on(MONDAY)).offers == read_gtfs(SAMPLE, on(MONDAY)).offers
    coaches = [trips[0], *("OCE413" + line[line.index(",") :] for line in trips[1:])]
    (path / "trips.txt").write_text("\n".join(coaches), encoding="utf-8")
    assert "hors vente : 327 courses qui ne sont pas des trains (route_type)" in refusal(path)


@needs_data
def test_real_stops_with_swapped_coordinates_are_named(feed: Feed) -> None:
    path = feed(
        stop_times="trip_id,departure_time,stop_id,stop_sequence\nt1,6:00:00,StopArea:OCE87686378,1\n"
        "t1,7:00:00,StopArea:OCE87571000,2\nt1,8:00:00,StopArea:OCE87682005,3"
    )
    shutil.copy(MALFORMED / "real_ter2019_stops_excerpt.txt", path / "stops.txt")
    timetable = read_gtfs(path, on(MONDAY))
    assert f"{path}/stops.txt, columns stop_lat, stop_lon: 2 impossible or swapped places" in said(timetable)
    assert "lines 22 (Audun-le-Roman-JJ.), 23 (Audun-le-Roman-JJ.)" in said(timetable)
    prices = {(j.departure, j.destination): j.cents for j, _ in timetable.offers}
    assert prices["Audun-le-Roman-JJ.", "Gare de Tours"] == MINIMUM_CENTS
    # 47.39, 0.69 to 48.53, 2.66: some 126.8 km east and 193 km in all.
    assert prices["Gare de Tours", "Gare de Melun"] == pytest.approx(100 + 20 * 193, abs=40)


@needs_data
def test_real_exceptions_that_remove_days(feed: Feed) -> None:
    """In SNCF's excerpt of 2019 service 988 is removed on two Mondays and Thursdays; by its week it would run."""
    with (MALFORMED / "real_ter2019_calendar_dates_excerpt.txt").open(encoding="utf-8", newline="") as file:
        rows = [(row["service_id"], row["date"], row["exception_type"]) for row in csv.DictReader(file)]
    removed = {day for service, day, kind in rows if (service, kind) == ("988", "2")}
    added = {day for service, day, kind in rows if (service, kind) == ("988", "1")}
    assert removed >= {"20191111", "20191031"}
    path = feed(
        calendar=f"{WEEK}\n988,1,1,1,1,1,1,1,20191001,20191130",
        trips="route_id,service_id,trip_id,trip_headsign\nrail,988,t1,7001",
    )
    shutil.copy(MALFORMED / "real_ter2019_calendar_dates_excerpt.txt", path / "calendar_dates.txt")
    found = {ride[1][:10].replace("-", "") for ride in rides(read_gtfs(path, Wanted(date.min, date.max)))}
    week = {(date(2019, 10, 1) + timedelta(days=n)).strftime("%Y%m%d") for n in range(61)}
    assert found == (week | added) - removed


@needs_data
def test_real_stop_ids_with_accents_and_blanks(feed: Feed) -> None:
    path = feed(
        stop_times="trip_id,departure_time,stop_id,stop_sequence\nt1,6:00:00,StopPoint:OCECorail Intercité-87276782,1\n"
        "t1,7:00:00,StopPoint:OCECorail Intercité-87271007,2"
    )
    shutil.copy(MALFORMED / "real_intercites2013_stops_excerpt.txt", path / "stops.txt")
    assert rides(read_gtfs(path, on(MONDAY))) == [("7001", "2025-03-17T06:00", "gare de Noyon", "gare de Paris-Nord")]
    assert refusal(path, on(MONDAY, "Noyon")).endswith("(--depart) ; noms proches : gare de Noyon")


@needs_data
def test_the_nested_zip_of_a_mac_against_a_recount() -> None:
    """calendar.txt with its weekdays, exceptions, CRLF, quotes, `__MACOSX/._*`: Monday 9 September 2019."""
    day, path = date(2019, 9, 9), MALFORMED / "derived_ter2019_compiegne_macos_nested.zip"
    with zipfile.ZipFile(path) as whole:

        def rows(name: str) -> list[dict[str, str]]:
            return list(csv.DictReader(whole.read(f"export-ter-gtfs-last/{name}").decode().splitlines()))

        monday = {row["service_id"] for row in rows("calendar.txt")
                  if row["monday"] == "1" and row["start_date"] <= "20190909" <= row["end_date"]}  # fmt: skip
        exceptions = {
            (row["service_id"], row["exception_type"]) for row in rows("calendar_dates.txt") if row["date"] == "20190909"
        }
        running = (monday | {key for key, kind in exceptions if kind == "1"}) - {
            key for key, kind in exceptions if kind == "2"
        }
        rail = {row["route_id"] for row in rows("routes.txt") if row["route_type"] == "2"}
        trips = {row["trip_id"]: row["trip_headsign"] for row in rows("trips.txt")
                 if row["service_id"] in running and row["route_id"] in rail}  # fmt: skip
        at: dict[str, dict[str, dict[str, str]]] = {}
        for row in rows("stop_times.txt"):
            at.setdefault(row["stop_id"], {})[row["trip_id"]] = row
    starts = at["StopPoint:OCETrain TER-87276691"]
    ends = at["StopPoint:OCETrain TER-87271007"]
    expected = {
        (number, f"2019-09-09T{starts[trip]['departure_time'][:5]}", "Gare de Compiègne", "Gare de Paris Gare du Nord")
        for trip, number in trips.items()
        if trip in starts and trip in ends and int(starts[trip]["stop_sequence"]) < int(ends[trip]["stop_sequence"])
    }
    timetable = read_gtfs(path, on(day, "gare de compiegne", "Gare de Paris Gare du Nord"))
    assert set(rides(timetable)) == expected
    assert len(timetable.offers) == len(expected) > 10
    assert isinstance(timetable.offers[0][0], Journey)
