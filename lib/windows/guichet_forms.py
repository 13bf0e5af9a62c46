"""The guichet's forms: new tickets, a changed ticket, a timetable to be imported."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from pathlib import Path
from tkinter import filedialog, ttk

from lib.core.tickets import Ticket
from lib.texts import Text
from lib.windows.house import House, command_line
from lib.windows.view.guichet_forms import (
    BACKWARDS,
    EMPTY,
    SAME_STATION,
    file_problem,
    journey_problem,
    number_problem,
    optional,
    path_of,
    price_problem,
    same_station,
)
from lib.windows.view.rows import Names, date_and_time, price
from lib.windows.widgets.completion import CompletionEntry
from lib.windows.widgets.date_field import DateField
from lib.windows.widgets.dialog import FormDialog, show_error
from lib.windows.widgets.field import MakeInput


def _date(house: House, time: bool) -> MakeInput:
    return lambda parent, variable: DateField(parent, variable, time=time, language=house.language)


def _station(names: Names) -> MakeInput:
    return lambda parent, variable: CompletionEntry(parent, names.like, textvariable=variable)


def _check(field: str) -> Callable[[str], Text | None]:
    return lambda text: journey_problem(field, text)


class TicketDialog(FormDialog):
    """Asks what new tickets shall be, or what free `ticket` shall become, and gives the command; `names` are proposed."""

    def __init__(self, parent: tk.Misc, house: House, names: Names, ticket: Ticket | None = None) -> None:
        self._house, self._ticket = house, ticket
        t = house.t
        title = t(f"Modifier le billet {ticket.id}", f"Change ticket {ticket.id}") if ticket else t(
            "Créer des billets", "Create tickets")  # fmt: skip
        confirm = t("Modifier", "Change") if ticket else t("Créer", "Create")
        super().__init__(parent, title, confirm, t("Annuler", "Cancel"), self._order, 2, house.language)
        self._before = _as_typed(ticket, house.language) if ticket else {}
        add, before = self.form.add, self._before.get
        add("train", t("Train", "Train"), _check("train"), before("train", ""))
        add("date", t("Date et heure", "Date and time"), _check("date"), before("date", ""), _date(house, time=True))
        add("depart", t("Départ", "From"), _check("departure"), before("depart", ""), _station(names))
        add("destination", t("Destination", "To"), _check("destination"), before("destination", ""), _station(names))
        add("cout", t("Prix en euros", "Price in euros"), price_problem, before("cout", ""))
        if ticket is None:
            add("nombre", t("Nombre de billets", "How many"), number_problem, "1")

    def _order(self, values: dict[str, str]) -> dict[str, Text]:
        """Give the command; what is wrong, by field."""
        if same_station(values["depart"], values["destination"]):
            return {"destination": SAME_STATION}
        refusal = self._house.order(self._command(values))
        # All fields but the number have been checked as the guichet checks them.
        return {} if refusal is None else {"nombre" if self._ticket is None else "train": refusal}

    def _command(self, values: dict[str, str]) -> str:
        values = values | {"cout": values["cout"].replace(",", ".")}
        if self._ticket is None:
            return command_line("ajouter", **values)
        return command_line("modifier", billet=self._ticket.id, **values)


def _as_typed(ticket: Ticket, language: str) -> dict[str, str]:
    """The ticket's fields as a person would type them."""
    journey = ticket.journey
    return {
        "train": journey.train,
        "date": date_and_time(journey.date),
        "depart": journey.departure,
        "destination": journey.destination,
        "cout": price(journey.cents, language).strip("€").strip(),
    }


class ImportDialog(FormDialog):
    """Asks for a timetable and what to take of it, and imports it; stays while it is read, and when it is refused."""

    def __init__(self, parent: tk.Misc, house: House, names: Names) -> None:
        self._house, self._over_what = house, parent
        self._is_reading = False
        self._notes: list[Text] = []
        t = house.t
        title, confirm = t("Importer un horaire", "Import a timetable"), t("Importer", "Import")
        super().__init__(parent, title, confirm, t("Annuler", "Cancel"), self._import, 2, house.language)
        add = self.form.add
        add(
            "fichier", t("Fichier CSV, dossier ou archive GTFS", "CSV file, GTFS folder or archive"), file_problem, wide=True
        )
        add("since", t("Du", "From"), make=_date(house, time=False))
        add("until", t("Au", "To"), make=_date(house, time=False))
        add("depart", t("Départ", "Departure"), make=_station(names))
        add("destination", t("Destination", "Destination"), make=_station(names))
        add("places", t("Billets par train", "Tickets a train"), optional(number_problem))
        self._make_rest()

    def _make_rest(self) -> None:
        t = self._house.t
        hint = t(
            "Un champ vide vaut ce qu'en disent les options du guichet (--date, --depart, --destination, --places).",
            "An empty field means what the options of the ticket office say (--date, --depart, --destination, --places).",
        )
        ttk.Label(self.body, text=hint, style="Muted.TLabel", wraplength=420, justify="left").pack(anchor="w")
        self._progress = ttk.Frame(self.body)
        self._words = ttk.Label(self._progress)
        self._words.pack(anchor="w", pady=(8, 2))
        self._bar = ttk.Progressbar(self._progress, maximum=1.0)
        self._bar.pack(fill="x")
        for words, choose in (
            (t("Fichier…", "File…"), self._choose_file),
            (t("Dossier…", "Folder…"), self._choose_folder),
        ):
            button = self.add_button(words, choose)
            button.pack_configure(side="left", padx=(0, 8))

    def _choose_file(self) -> None:
        self._tell_language()
        kinds = [(self._house.t("horaires", "timetables"), "*.csv *.zip"), (self._house.t("tous", "all"), "*")]
        self._take(filedialog.askopenfilename(parent=self, filetypes=kinds))

    def _choose_folder(self) -> None:
        self._tell_language()
        self._take(filedialog.askdirectory(parent=self, mustexist=True))

    def _tell_language(self) -> None:
        """Tk's own dialogs speak the window's language, whatever the environment says."""
        self.tk.call("::msgcat::mclocale", self._house.language)
        self.tk.call("::msgcat::mcload", str(Path(str(self.tk.call("set", "::tk_library")), "msgs")))

    def _take(self, path: object) -> None:
        """What was chosen; nothing when the choice was left."""
        if not self.winfo_exists():
            return  # the site has ended meanwhile
        field = self.form.fields["fichier"]
        if path:
            field.variable.set(str(path))
        field.entry.focus_force()

    def _import(self, values: dict[str, str]) -> dict[str, Text]:
        since, until = values.pop("since"), values.pop("until")
        if until and not since:
            return {"since": EMPTY}
        if until and until < since:
            return {"until": BACKWARDS}
        path = str(path_of(values.pop("fichier")))
        line = command_line("importer", fichier=path, date=f"{since}..{until}" if until else since, **values)
        self._notes.clear()
        self._read(True)
        refusal = self._house.order(line)
        self._read(False)
        return {} if refusal is None else {"fichier": refusal}

    def _read(self, is_reading: bool) -> None:
        """While the timetable is read, there is nothing else to be done here."""
        self._is_reading = is_reading
        if self.winfo_exists():  # the site may have ended meanwhile
            self.confirm.state(["disabled" if is_reading else "!disabled"])
            if is_reading:
                self._progress.pack(fill="x")
            else:
                self._progress.pack_forget()

    def show_progress(self, label: str, done: int, total: int) -> None:
        """The file has been read so far."""
        if self._is_reading and self.winfo_exists():
            fraction = done / total if total else 1.0
            self._words.configure(text=f"{label} : {fraction:.0%}")
            self._bar.configure(value=fraction)

    def note(self, text: Text) -> None:
        """Something to know of the timetable that is read."""
        self._notes.append(text)

    def show_notes(self, done: str) -> None:
        """What there was to know, once it is imported."""
        if self._notes:
            title = self._house.t("Horaire importé", "Timetable imported")
            notes = "\n".join(f"• {self._house.words(note)}" for note in self._notes)
            show_error(self._over_what, title, done, notes, self._house.language)

    def cancel(self) -> None:
        """Not while the timetable is read: it would be imported all the same."""
        if not self._is_reading:
            super().cancel()
