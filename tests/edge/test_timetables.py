"""CSV timetables: our own format, SNCF's departures.csv, and everything that is refused."""

import csv
import shutil
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lib.core.tickets import MAX_STATION_BYTES, Journey
from lib.edge.timetables import MAX_SEATS, MAX_TICKETS, Timetable, Wanted, read_csv
from lib.texts import Problem

DATA = Path(__file__).resolve().parents[3] / "shared/data/sncf"
EXAMPLE = Path(__file__).resolve().parents[2] / "examples/billets.csv"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"{DATA} is not beside the repository")

HEADER = "train,date,depart,destination,cout"
ROW = "990001,2027-03-15T07:10,Compiègne,Paris Gare du Nord,15.40"
JOURNEY = Journey("990001", "2027-03-15T07:10", "Compiègne", "Paris Gare du Nord", 1540)
MONDAY = date(2025, 3, 17)


def one_day(day: date, departure: str = "", destination: str = "", seats: int = 1) -> Wanted:
    return Wanted(day, day, seats, departure, destination)


def own(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "billets.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def refusal(path: Path, wanted: Wanted | None = None) -> str:
    """Why the file is refused, in French, without its folder; both languages are one line and name the same place."""
    with pytest.raises(Problem) as caught:
        read_csv(path, wanted or Wanted())
    text = caught.value.text
    assert len(text.fr.splitlines()) == len(text.en.splitlines()) == 1
    place = text.fr.partition(" : ")[0].replace("ligne", "line").replace("colonne", "column")
    assert text.en.startswith(place)
    return text.fr.replace(f"{path.parent}/", "")


# --- our own format ---------------------------------------------------------------------------------------------------


def test_a_row_is_a_journey_with_the_wanted_number_of_seats(tmp_path: Path) -> None:
    assert read_csv(own(tmp_path, HEADER, ROW), Wanted()) == Timetable([(JOURNEY, 1)], [])
    assert read_csv(own(tmp_path, HEADER, ROW), Wanted(seats=7)).offers == [(JOURNEY, 7)]


def test_a_places_column_of_its_own_comes_before_the_wanted_number(tmp_path: Path) -> None:
    path = own(tmp_path, HEADER + ",places", ROW + ",3")
    assert read_csv(path, Wanted(seats=7)).offers == [(JOURNEY, 3)]


@pytest.mark.parametrize(
    "row",
    [
        "990001;2027-03-15 07:10;Compiègne;Paris Gare du Nord;15,4",
        " 990001 ; 2027-03-15T07:10;  Compiègne;Paris  Gare du\u00a0Nord ; 15.40",
        '"990001";"2027-03-15T07:10";"Compiègne";"Paris Gare du Nord";"15,40"',
    ],
)
def test_other_ways_to_write_the_same(tmp_path: Path, row: str) -> None:
    assert read_csv(own(tmp_path, "Train;Date;Départ;Destination;Coût", row), Wanted()).offers == [(JOURNEY, 1)]


def test_the_same_row_twice_is_two_tickets(tmp_path: Path) -> None:
    assert read_csv(own(tmp_path, HEADER, ROW, ROW), Wanted()).offers == [(JOURNEY, 1)] * 2


def test_days_and_stations_choose_and_a_note_counts_the_rest(tmp_path: Path) -> None:
    days = [f"9900{day:02},2027-03-{day}T{hour},Creil,Noyon,5" for day in (14, 15, 16) for hour in ("00:00", "23:59")]
    path = own(tmp_path, HEADER, *days, "990099,2027-03-15T12:00,Noyon,Creil,5")
    timetable = read_csv(path, Wanted(date(2027, 3, 15), date(2027, 3, 16), departure="CREIL", destination="noyon"))
    assert [journey.date for journey, _ in timetable.offers] == [
        "2027-03-15T00:00", "2027-03-15T23:59", "2027-03-16T00:00", "2027-03-16T23:59",
    ]  # fmt: skip
    assert [note.en for note in timetable.notes] == ["3 rows not asked for, left out"]
    assert len(read_csv(path, Wanted(first=date(2027, 3, 16))).offers) == 2
    assert len(read_csv(path, Wanted(last=date(2027, 3, 15))).offers) == 5


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("990001", "", "colonne train : vide ; attendu : un numéro de train"),
        ("990001", "9" * 61, "colonne train : « " + "9" * 59 + "… » ; attendu : un numéro de train, de 1 à 60"),
        ("T07:10", "", "colonne date : « 2027-03-15 » ; attendu : AAAA-MM-JJTHH:MM"),
        ("2027-03-15T07:10", "15/03/2027 07:10", "colonne date : « 15/03/2027 07:10 » ; attendu"),
        ("2027-03-15", "2027-02-29", "colonne date : « 2027-02-29T07:10 » ; attendu"),
        ("07:10", "24:10", "colonne date : « 2027-03-15T24:10 » ; attendu"),
        ("07:10", "07:10:30", "colonne date : « 2027-03-15T07:10:30 » ; attendu"),
        ("Compiègne", "", "colonne depart : vide ; attendu : un nom de gare, de 1 à "),
        ("Compiègne", "CompiÃ¨gne", "colonne depart : « CompiÃ¨gne » est sans doute « Compiègne »"),
        ("Paris Gare du Nord", "-", "colonne destination : « - » ; attendu : un nom de gare"),
        ("Paris Gare du Nord", "N" * (MAX_STATION_BYTES + 1), "colonne destination : « NNN"),
        ("Paris Gare du Nord", "COMPIEGNE", "colonne destination : « COMPIEGNE » est aussi la gare de départ"),
        ("15.40", "", "colonne cout : vide ; attendu : des euros, 15.40 ou 15,4"),
        ("15.40", "15.405", "colonne cout : « 15.405 » ; attendu : des euros"),
        ("15.40", "-1", "colonne cout : « -1 » ; attendu : des euros"),
        ("15.40", "15.40 €", "colonne cout : « 15.40 € » ; attendu : des euros"),
        ("15.40", "9999999", "colonne cout : « 9999999 » ; attendu : des euros"),
    ],
)  # fmt: skip
def test_a_bad_row_refuses_the_import_with_its_place(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in ROW
    path = own(tmp_path, "# fictif", HEADER, ROW, "", ROW.replace(old, new))
    assert refusal(path).startswith(f"billets.csv, ligne 5, {said}")


@pytest.mark.parametrize("places", ["0", "-1", "", "1.5", "deux", str(MAX_SEATS + 1), "9" * 5000, "²"])
def test_impossible_numbers_of_seats(tmp_path: Path, places: str) -> None:
    said = refusal(own(tmp_path, HEADER + ",places", ROW + ",1", ROW + "," + places))
    assert said.startswith("billets.csv, ligne 3, colonne places : ")
    assert said.endswith(f"attendu : un nombre de places de 1 à {MAX_SEATS}")


def test_missing_columns(tmp_path: Path) -> None:
    assert refusal(own(tmp_path, "train;date;from;destination", "1;2;3;4")) == (
        "billets.csv, ligne 1 : colonne absente de l'en-tête : depart, cout ; "
        "colonnes trouvées : train, date, from, destination ; corrigez l'en-tête ou donnez un autre fichier"
    )


def test_nothing_on_the_wanted_days_says_which_days_there_are(tmp_path: Path) -> None:
    path = own(tmp_path, HEADER, ROW, ROW.replace("03-15", "04-01"))
    assert refusal(path, one_day(date(2027, 3, 16), departure="compiègne")) == (
        "billets.csv : aucun train compiègne → * (2027-03-16..2027-03-16) ; "
        "le fichier va du 2027-03-15 au 2027-04-01 : "
        "changez --date, --depart ou --destination"
    )
    assert "le fichier ne sert aucun jour" in refusal(own(tmp_path, HEADER))


@pytest.mark.parametrize(
    ("asked", "close"),
    [("Compiegn", "noms proches : Compiègne"), ("paris", "noms proches : Paris Gare du Nord"), ("Xyz", "aucun nom ne")],
)
def test_an_unknown_station_says_which_names_come_close(tmp_path: Path, asked: str, close: str) -> None:
    path = own(tmp_path, HEADER, ROW)
    for option, wanted in (("--depart", Wanted(departure=asked)), ("--destination", Wanted(destination=asked))):
        assert refusal(path, wanted).startswith(f"billets.csv : gare inconnue « {asked} » ({option}) ; {close}")


def test_more_tickets_than_one_import_may_make(tmp_path: Path) -> None:
    rows = [ROW] * (MAX_TICKETS // MAX_SEATS)
    assert len(read_csv(own(tmp_path, HEADER, *rows), Wanted(seats=MAX_SEATS)).offers) == len(rows)
    assert refusal(own(tmp_path, HEADER, *rows, ROW), Wanted(seats=MAX_SEATS)).startswith(
        f"billets.csv : plus de {MAX_TICKETS} billets ; choisissez moins de jours (--date)"
    )


@pytest.mark.parametrize("seats", [0, MAX_SEATS + 1])
def test_options_that_were_not_checked_are_our_own_mistake(seats: int) -> None:
    with pytest.raises(AssertionError):
        Wanted(seats=seats)
    with pytest.raises(AssertionError):
        Wanted(MONDAY, MONDAY - timedelta(days=1))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_whatever_the_bytes_it_is_a_timetable_or_one_line(tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray("\n".join([HEADER + ",places", *[ROW + ",2"] * 3, ""]).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(content)))
        length = data.draw(st.integers(0, 8))
        content[start : start + length] = data.draw(st.binary(max_size=6) | st.sampled_from([b'"', b",", b"\r", b"\n"]))
    path = tmp_path / "billets.csv"
    path.write_bytes(content)
    try:
        timetable = read_csv(path, Wanted())
    except Problem as problem:
        assert len(problem.text.fr.splitlines()) == len(problem.text.en.splitlines()) == 1
        assert problem.text.fr.startswith(str(path))
    else:
        assert timetable.offers


# --- the example of the repository ------------------------------------------------------------------------------------


def test_the_example_says_that_it_is_fictional_and_has_a_last_ticket_to_race_for() -> None:
    offers = read_csv(EXAMPLE, Wanted()).offers
    assert "fictives" in EXAMPLE.read_text(encoding="utf-8").splitlines()[0]
    assert sum(seats for _, seats in offers) == 61
    assert [journey.train for journey, seats in offers if seats == 1] == ["990003"]
    assert {journey.train[:3] for journey, _ in offers} == {"990"}
    assert len({(journey.train, journey.date, journey.departure) for journey, _ in offers}) == len(offers) == 15
    assert len(read_csv(EXAMPLE, one_day(date(2027, 3, 16))).offers) == 3


# --- SNCF's departures.csv and fares.csv ------------------------------------------------------------------------------

DEPARTURES = (
    "train_number,product,line,departure_station,departure_uic,arrival_station,arrival_uic,departure_time,arrival_time,"
    "arrival_day_offset,duration_min,days,first_date,last_date,n_dates"
)
DEPARTURE = "847852,TER,K13,Compiègne,87276691,Creil,87276006,05:10,05:40,0,30,12345,2025-01-25,2025-04-22,62"
FARES = "departure_uic,arrival_uic,product,travel_class,profile,price_min,price_max,currency"
FARE = "87276691,87276006,TER,2,Tarif Normal,8.10,9.20,EUR"


def sncf(tmp_path: Path, rows: list[str], fares: list[str]) -> Path:
    (tmp_path / "departures.csv").write_text("\n".join([DEPARTURES, *rows]), encoding="utf-8")
    (tmp_path / "fares.csv").write_text("\n".join([FARES, *fares]), encoding="utf-8")
    return tmp_path / "departures.csv"


def test_a_departure_runs_on_its_weekdays_at_the_published_maximum_in_second_class(tmp_path: Path) -> None:
    other_fares = [
        FARE.replace(",2,", ",1,").replace("9.20", "13.80"),
        FARE.replace("Tarif Normal", "Prix d'appel").replace("9.20", "5.00"),
        FARE.replace("TER", "OUIGO").replace("9.20", "1.00"),
    ]
    path = sncf(tmp_path, [DEPARTURE], [*other_fares, FARE])
    wanted = Wanted(date(2025, 3, 14), date(2025, 3, 17), seats=4)  # Friday to Monday
    assert read_csv(path, wanted).offers == [
        (Journey("847852", f"{day}T05:10", "Compiègne", "Creil", 920), 4) for day in ("2025-03-14", "2025-03-17")
    ]


def test_without_a_date_it_is_the_first_day_served_by_what_is_wanted(tmp_path: Path) -> None:
    earlier = DEPARTURE.replace("Compiègne,87276691", "Noyon,87276782").replace("2025-01-25", "2025-01-22")
    path = sncf(tmp_path, [earlier, DEPARTURE], [FARE])
    timetable = read_csv(path, Wanted(departure="Compiègne"))
    assert [journey.date for journey, _ in timetable.offers] == ["2025-01-27T05:10"]  # 25 January 2025 is a Saturday
    assert "no date asked for (--date): the first day served, 2025-01-27" in [note.en for note in timetable.notes]


def test_the_same_train_twice_is_one_journey(tmp_path: Path) -> None:
    later = DEPARTURE.replace("05:40", "05:45")
    assert len(read_csv(sncf(tmp_path, [DEPARTURE, later], [FARE]), one_day(MONDAY)).offers) == 1


def test_rows_without_a_fare_are_left_out_and_counted(tmp_path: Path) -> None:
    unpriced = DEPARTURE.replace("Creil,87276006", "Noyon,87276782")
    sunday = unpriced.replace("12345", "7")
    path = sncf(tmp_path, [DEPARTURE, unpriced, sunday], [FARE])
    timetable = read_csv(path, one_day(MONDAY))
    assert len(timetable.offers) == 1
    assert any(note.en.startswith("1 rows without a fare in fares.csv, left out") for note in timetable.notes)
    assert "aucun train * → Noyon (2025-03-17..2025-03-17) de prix connu (1 lignes sans tarif)" in refusal(
        path, one_day(MONDAY, destination="Noyon")
    )


def test_a_pair_without_trains_says_which_days_the_file_has(tmp_path: Path) -> None:
    back = DEPARTURE.replace("Compiègne,87276691,Creil,87276006", "Creil,87276006,Noyon,87276782")
    path = sncf(tmp_path, [DEPARTURE, back], [FARE])
    assert refusal(path, one_day(MONDAY, "compiegne", "noyon")) == (
        "departures.csv : aucun train compiegne → noyon (2025-03-17..2025-03-17) ; "
        "le fichier va du 2025-01-25 au 2025-04-22 : changez --date, --depart ou --destination"
    )


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("847852", "", "train_number : vide ; attendu : un numéro de train"),
        ("05:10", "5h10", "departure_time : « 5h10 » ; attendu : HH:MM"),
        ("05:10", "24:10", "departure_time : « 24:10 » ; attendu : HH:MM"),
        ("12345", "18", "days : « 18 » ; attendu : des jours de 1 (lundi) à 7"),
        ("12345", "", "days : vide ; attendu"),
        ("2025-01-25", "20250125", "first_date : « 20250125 » ; attendu : AAAA-MM-JJ"),
        ("2025-04-22", "2025-04-31", "last_date : « 2025-04-31 » ; attendu : AAAA-MM-JJ"),
        ("Creil", "CrÃ©il", "arrival_station : « CrÃ©il » est sans doute « Créil »"),
    ],
)
def test_a_bad_departure_is_refused_with_its_place(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = sncf(tmp_path, [DEPARTURE, DEPARTURE.replace(old, new, 1)], [FARE])
    assert refusal(path, one_day(MONDAY)).startswith(f"departures.csv, ligne 3, colonne {said}")


def test_a_last_date_at_the_end_of_the_calendar(tmp_path: Path) -> None:
    path = sncf(tmp_path, [DEPARTURE.replace("2025-04-22", "9999-12-31")], [FARE])
    assert len(read_csv(path, Wanted(date(9999, 12, 30), date.max)).offers) == 2


def test_fares_are_needed_and_checked(tmp_path: Path) -> None:
    path = sncf(tmp_path, [DEPARTURE], [FARE, FARE.replace("9.20", "cher")])
    where, what = refusal(path).split(" : ", 1)
    assert where == "fares.csv, ligne 3, colonne product, departure_uic, arrival_uic"
    assert what.startswith("« TER 87276691 87276006 » est déjà à la ligne 2")
    sncf(tmp_path, [DEPARTURE], [FARE.replace("9.20", "cher")])
    assert refusal(path).startswith("fares.csv, ligne 2, colonne price_max : « cher » ; attendu : des euros")
    (tmp_path / "fares.csv").unlink()
    assert refusal(path) == (
        "fares.csv : absent ; departures.csv ne contient pas de prix, mettez fares.csv dans le même dossier"
    )


@needs_data
@pytest.mark.parametrize("offset", range(7))
def test_every_day_of_the_reference_week_against_a_direct_count(offset: int) -> None:
    """The same journeys as a few lines of another kind find: a dict of prices, a filter, a set."""
    day = MONDAY + timedelta(days=offset)
    with (DATA / "fares.csv").open(encoding="utf-8") as file:
        prices = {
            (row["product"], row["departure_uic"], row["arrival_uic"]): row["price_max"]
            for row in csv.DictReader(file)
            if (row["travel_class"], row["profile"]) == ("2", "Tarif Normal")
        }
    with (DATA / "departures.csv").open(encoding="utf-8") as file:
        running = [
            row
            for row in csv.DictReader(file)
            if str(offset + 1) in row["days"] and row["first_date"] <= str(day) <= row["last_date"]
        ]
    keys = [(row["product"], row["departure_uic"], row["arrival_uic"]) for row in running]
    expected = {
        (row["train_number"], f"{day}T{row['departure_time']}", row["departure_station"], row["arrival_station"],
         round(100 * float(prices[key])))
        for row, key in zip(running, keys, strict=True)
        if key in prices
    }  # fmt: skip
    timetable = read_csv(DATA / "departures.csv", one_day(day))
    found = [(j.train, j.date, j.departure, j.destination, j.cents) for j, _ in timetable.offers]
    assert len(found) == len(set(found)) == len(expected) > 1000
    assert set(found) == expected
    unpriced = sum(key not in prices for key in keys)
    assert any(note.en.startswith(f"{unpriced} rows without a fare") for note in timetable.notes)


@needs_data
def test_compiegne_to_paris_on_a_monday_counted_by_hand() -> None:
    """grep ',Compiègne,.*,Paris Gare du Nord,' departures.csv, Mondays: 30 trains, 15.40 EUR each."""
    offers = read_csv(DATA / "departures.csv", one_day(MONDAY, "compiegne", "PARIS GARE DU NORD")).offers
    assert len(offers) == 30
    assert Counter(journey.cents for journey, _ in offers) == {1540: 30}


@needs_data
def test_departures_without_their_fares_are_refused(tmp_path: Path) -> None:
    shutil.copy(DATA / "departures.csv", tmp_path)
    assert refusal(tmp_path / "departures.csv").startswith("fares.csv : absent")


# --- the awkward CSV files of the data set, given as if they were ours ------------------------------------------------


@needs_data
@pytest.mark.parametrize(
    ("name", "missing", "found"),
    [
        (
            "real_tarifs_tgv_2024_excerpt.csv",
            "train, date, depart, cout",
            "Transporteur, Gare origine, Gare origine - ",
        ),
        ("real_tarifs_intercites_2018.csv", "train, date, depart, cout", "Origine, Destination, Prix d'appel 2nde, Ta"),
        ("real_gares_de_voyageurs_excerpt.csv", HEADER.replace(",", ", "), "Nom, Trigramme, Segment(s) DRG, Position "),
        ("real_tarifs_intercites_2024_excerpt.json", HEADER.replace(",", ", "), "[ ; corrigez l'en-tête"),
        ("real_ter2019_calendar_dates_excerpt.txt", "train, depart, destination, cout", "service_id, date, exception"),
    ],
)
def test_real_files_that_are_no_tickets(name: str, missing: str, found: str) -> None:
    said = f"{name}, ligne 1 : colonne absente de l'en-tête : {missing} ; colonnes trouvées : {found}"
    assert refusal(DATA / "malformed" / name).startswith(said)


@needs_data
def test_a_zip_that_is_no_csv() -> None:
    said = "derived_ter2019_compiegne_macos_nested.zip, ligne 1 : une archive zip ou un classeur (.xlsx, .ods)"
    assert refusal(DATA / "malformed/derived_ter2019_compiegne_macos_nested.zip").startswith(said)


@needs_data
def test_real_fares_of_2018_under_our_column_names_are_read_to_the_last_cent(tmp_path: Path) -> None:
    """Bytes as published: `;`, CRLF, blank prices beside the needed one, `10` beside `15.4`; the header is ours."""
    published = (DATA / "malformed/real_tarifs_intercites_2018.csv").read_bytes().split(b"\r\n")[1:-1]
    path = tmp_path / "billets.csv"
    header = b"train;date;depart;destination;appel;cout;premiere;empty;empty"
    path.write_bytes(b"\r\n".join([header, *(b"990001;2027-03-15T07:10;" + line for line in published)]))
    offers = read_csv(path, Wanted()).offers
    assert len(offers) == 1112
    assert [journey.cents for journey, _ in offers] == [round(100 * float(line.split(b";")[3])) for line in published]
