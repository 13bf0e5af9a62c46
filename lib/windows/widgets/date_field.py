"""An entry for a date that is checked as one types, with a small calendar."""

from __future__ import annotations

import calendar
import re
import tkinter as tk
from collections.abc import Callable
from datetime import date, datetime, timedelta
from tkinter import ttk

from lib.texts import Text
from lib.windows.widgets.popup import Popup

_MONTHS = Text(
    "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "January February March April May June July August September October November December",
)
_DAYS = Text("lu ma me je ve sa di", "Mo Tu We Th Fr Sa Su")

NO_DATE = Text("une date est attendue : 17/03/2025 ou 2025-03-17", "a date is expected: 17/03/2025 or 2025-03-17")
NO_DATE_WITH_TIME = Text(
    "une date est attendue : 17/03/2025, avec l’heure si l’on veut : 17/03/2025 07:10",
    "a date is expected: 17/03/2025, with its time if you like: 17/03/2025 07:10",
)

_DATE = re.compile(
    r"(?:(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})|(?P<d>\d{1,2})/(?P<m>\d{1,2})/(?P<y>\d{4}))"
    r"(?:[T ](?P<hour>\d{2}):(?P<minute>\d{2}))?",
    re.ASCII,
)
# Ends that make a date of whatever can still become one: early days and months, the tenth, leap years.
_WHOLE = ("2000-01-01 00:00", "2000-10-10 00:00", "01/01/2000 00:00", "01/01/0002 00:00")
_ENDS = tuple({whole[start:]: None for whole in _WHOLE for start in range(len(whole))})


def iso_date(text: str, time: bool = True) -> str | None:
    """`text` as an ISO date, `2025-03-17`, or `2025-03-17T07:10` when it has a time (and may have one); else None.

    >>> iso_date("17/03/2025 07:10")
    '2025-03-17T07:10'
    """
    match = _DATE.fullmatch(text.strip())
    if not match or (match["hour"] and not time):
        return None
    parts = (match["year"] or match["y"], match["month"] or match["m"], match["day"] or match["d"])
    year, month, day = map(int, parts)
    try:
        moment = datetime(year, month, day, int(match["hour"] or 0), int(match["minute"] or 0))
    except ValueError:
        return None
    return moment.isoformat(timespec="minutes") if match["hour"] else moment.date().isoformat()


def may_become_date(text: str, time: bool = True) -> bool:
    """Whether `text` is a date, or the beginning of one: not yet worth a complaint."""
    return iso_date(text, time) is not None or any(iso_date(text.lstrip() + end, time=True) for end in _ENDS)


def month_name(day: date, language: str) -> str:
    """`mars 2025`, `March 2025`."""
    return f"{_MONTHS.in_language(language).split()[day.month - 1]} {day.year:04}"


class DateField(ttk.Frame):
    """An entry for a date and a button that opens a calendar; also Alt-Down. `time`: whether a time may follow the date.

    It turns red while what is typed can't become a date, and when one leaves it unfinished; `on_change(value)` is called at
    every change of the text. In the calendar: arrows, Page Up and Down, Return, Escape.
    """

    def __init__(
        self,
        parent: tk.Misc,
        variable: tk.StringVar | None = None,
        on_change: Callable[[str | None], None] | None = None,
        time: bool = False,
        required: bool = False,
        language: str = "fr",
        today: Callable[[], date] = date.today,
    ) -> None:
        super().__init__(parent)
        self.variable = variable or tk.StringVar(self)
        self._on_change, self._time, self._required, self._language, self._today = on_change, time, required, language, today
        self._calendar: Calendar | None = None
        width = 16 if time else 11
        self.entry = ttk.Entry(self, textvariable=self.variable, width=width, style="Checked.TEntry")
        self._button = ttk.Button(
            self, text="▾", width=2, style="Tool.TButton", command=self.toggle_calendar, takefocus=False
        )
        self._button.pack(side="right", padx=(3, 0), fill="y")  # packed first: where there is little room, it stays
        self.entry.pack(side="left", fill="x", expand=True)
        self._trace = self.variable.trace_add("write", lambda *_: self._changed())
        self.entry.bind("<FocusOut>", lambda _: self._mark(finished=True))
        self.entry.bind("<Alt-Down>", lambda _: self.toggle_calendar())
        self.entry.bind("<Key>", self._key)

    @property
    def value(self) -> str | None:
        """The date in ISO form, "" when nothing stands there, None when it is no date (or is missing)."""
        text = self.variable.get().strip()
        return iso_date(text, self._time) if text else (None if self._required else "")

    @property
    def problem(self) -> Text | None:
        """What is wrong with what stands there."""
        return (NO_DATE_WITH_TIME if self._time else NO_DATE) if self.value is None else None

    @property
    def is_unfinished(self) -> bool:
        """Whether a date may still come of what stands there, so that it is too early for a complaint."""
        return self.value is None and may_become_date(self.variable.get().strip(), self._time)

    def enable(self, is_enabled: bool) -> None:
        """Whether a date can be typed or chosen."""
        for widget in (self.entry, self._button):
            widget.state(["!disabled" if is_enabled else "disabled"])

    def toggle_calendar(self) -> str:
        """Opens the calendar at the date that stands there, or closes it."""
        if self._calendar and self._calendar.is_open:
            self._calendar.close()
        else:
            self._calendar = self._calendar or Calendar(self.entry, self._button, self._choose, self._language, self._today)
            self.entry.focus_set()
            self._calendar.show(date.fromisoformat(self.value[:10]) if self.value else None)
        return "break"

    @property
    def calendar(self) -> Calendar | None:
        """The calendar while it is open."""
        return self._calendar if self._calendar and self._calendar.is_open else None

    def destroy(self) -> None:
        """The variable may live longer, and must not call this field then."""
        self.variable.trace_remove("write", self._trace)
        super().destroy()

    def _choose(self, day: date) -> None:
        """The day changes, a time that was typed stays."""
        hour = (self.value or "")[10:].replace("T", " ")
        self.variable.set(day.isoformat() + hour)
        self.entry.icursor("end")

    def _key(self, event: tk.Event[tk.Misc]) -> str | None:
        return "break" if self.calendar and self.calendar.press(event.keysym) else None

    def _changed(self) -> None:
        if self.calendar:
            self.calendar.close()
        self._mark(finished=False)
        if self._on_change:
            self._on_change(self.value)

    def _mark(self, finished: bool) -> None:
        bad = bool(self.variable.get().strip()) and self.value is None and (finished or not self.is_unfinished)
        self.entry.state(["invalid" if bad else "!invalid"])


class Calendar(Popup):
    """A month to choose a day from; the entry that it belongs to hands it the keys."""

    def __init__(
        self,
        entry: ttk.Entry,
        button: tk.Misc,
        on_choose: Callable[[date], None],
        language: str,
        today: Callable[[], date],
    ) -> None:
        super().__init__(entry, button)
        self._on_choose, self._language, self._today = on_choose, language, today
        self._day = self._first = today()  # the day that is marked; the first day that is seen
        self._title = ttk.Label(self.body, style="Month.Day.TLabel", anchor="center")
        self._title.grid(row=0, column=1, columnspan=5, sticky="ew")
        self._add_arrow("◀", "Prior", 0)
        self._add_arrow("▶", "Next", 6)
        for column, name in enumerate(_DAYS.in_language(language).split()):
            label = ttk.Label(self.body, text=name, style="Outside.Day.TLabel", anchor="center")
            label.grid(row=1, column=column, sticky="ew")
            self.body.columnconfigure(column, weight=1, uniform="days")
        self.days = [self._add_day(number) for number in range(42)]

    def show(self, day: date | None) -> None:
        """Opens with `day` marked (today, if None)."""
        self._mark(day or self._today())
        self.open()

    def press(self, key: str) -> bool:
        """A key by its Tk name; whether it means something here."""
        days = {"Left": -1, "Right": 1, "Up": -7, "Down": 7}
        if key in days:
            self._mark(_moved(self._day, days[key]))
        elif key in ("Prior", "Next"):
            self._mark(_month_moved(self._day, 1 if key == "Next" else -1))
        elif key in ("Return", "KP_Enter"):
            self._choose(self._day)
        elif key == "Escape":
            self.close()
        else:
            return False
        return True

    @property
    def title_text(self) -> str:
        """The month that is seen, in words."""
        return str(self._title.cget("text"))

    @property
    def day(self) -> date:
        """The day that is marked."""
        return self._day

    def _add_arrow(self, sign: str, key: str, column: int) -> None:
        arrow = ttk.Label(self.body, text=sign, style="Day.TLabel", anchor="center")
        arrow.grid(row=0, column=column, sticky="ew")
        _light_up(arrow)
        arrow.bind("<Button-1>", lambda _: self.press(key))

    def _add_day(self, number: int) -> ttk.Label:
        label = ttk.Label(self.body, style="Day.TLabel", anchor="center")
        label.grid(row=2 + number // 7, column=number % 7, sticky="nsew")
        _light_up(label)
        label.bind("<ButtonRelease-1>", lambda _: self._choose(_moved(self._first, number)))
        return label

    def _mark(self, day: date) -> None:
        self._day = day
        month = day.replace(day=1)
        self._first = _moved(month, -month.weekday())
        self._title.configure(text=month_name(day, self._language))
        for number, label in enumerate(self.days):
            shown = _moved(self._first, number)
            label.configure(text=str(shown.day), style=self._style(shown))

    def _style(self, shown: date) -> str:
        if shown == self._day:
            return "Chosen.Day.TLabel"
        if shown == self._today():
            return "Today.Day.TLabel"
        return "Day.TLabel" if shown.month == self._day.month else "Outside.Day.TLabel"

    def _choose(self, day: date) -> None:
        self.close()
        self._on_choose(day)


def _light_up(label: ttk.Label) -> None:
    """Under the mouse."""
    label.bind("<Enter>", lambda _: label.state(["active"]))
    label.bind("<Leave>", lambda _: label.state(["!active"]))


def _moved(day: date, days: int) -> date:
    """`days` later; the ends of the calendar (years 1 and 9999) stay where they are."""
    try:
        return day + timedelta(days)
    except OverflowError:
        return day


def _month_moved(day: date, months: int) -> date:
    """The same day of another month, or its last one."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if not date.min.year <= year <= date.max.year:
        return day
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
