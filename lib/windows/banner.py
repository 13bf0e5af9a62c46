"""The banner: what a whole room must be able to read of a site."""

from __future__ import annotations

import tkinter as tk
from tkinter import font

from lib.windows.house import House
from lib.windows.view.banner import Banner
from lib.windows.widgets.cut import Cutter

_BESIDE = 72  # pixels between and beside the labels of a line
_PULSE = 160  # milliseconds that the clock lights up at an event


class BannerBar(tk.Frame):
    """The band at the top of a window; `show` fills it."""

    def __init__(self, parent: tk.Misc, house: House) -> None:
        super().__init__(parent)
        self._house = house
        self._seen: Banner | None = None
        self._clock_shown = -1
        self._dimming = ""
        self._name = tk.Label(self, font="TitleFont", anchor="w")
        self._role = tk.Label(self, font="TkDefaultFont", anchor="w")
        self._clock = tk.Label(self, font="ClockFont", padx=8)
        self._badge = tk.Label(self, font="BadgeFont", padx=10, pady=2)
        self._epoch = tk.Label(self, font="TkDefaultFont", anchor="e")
        self._below = tk.Frame(self)  # a row of its own: it shall not share its columns' widths with the clock
        self._neighbours = tk.Label(self._below, font="SmallFont", anchor="w", justify="left")
        self._lines = tk.Label(self._below, font="SmallFont", anchor="e")
        self._warnings = tk.Label(self, font="TkHeadingFont", anchor="w")
        self._lay_out()
        self.restyle()

    def _lay_out(self) -> None:
        self.bind("<Configure>", lambda _: self._fit())
        self.columnconfigure(2, weight=1)
        self._name.grid(row=0, column=0, sticky="w", padx=(12, 4), pady=(3, 0))
        self._role.grid(row=0, column=1, sticky="sw", padx=(0, 6), pady=(0, 6))
        self._clock.grid(row=0, column=2, pady=(3, 0))
        self._epoch.grid(row=0, column=3, sticky="e", padx=6)
        self._badge.grid(row=0, column=4, sticky="e", padx=(0, 12), pady=(5, 2))
        self._below.grid(row=1, column=0, columnspan=5, sticky="ew", padx=12, pady=(0, 3))
        self._neighbours.pack(side="left")
        self._lines.pack(side="right")
        self._warnings.grid(row=2, column=0, columnspan=5, sticky="ew")
        self._warnings.grid_remove()

    def restyle(self) -> None:
        """Take the colours of the theme."""
        colours = self._house.theme.palette
        for frame in (self, self._below):
            frame.configure(background=colours.banner)
        for label in (self._name, self._clock):
            label.configure(background=colours.banner, foreground=colours.on_banner)
        for label in (self._role, self._epoch, self._neighbours, self._lines):
            label.configure(background=colours.banner, foreground=colours.banner_muted)
        self._warnings.configure(background=colours.warning, foreground=colours.background, padx=12)

    def show(self, seen: Banner) -> None:
        """Show how the site stands."""
        words, colours = self._house.words, self._house.theme.palette
        self._seen = seen
        self._role.configure(text=words(seen.role))
        badge = f"{'■' if seen.is_red else '□'} {words(seen.colour)} · {words(seen.round)}"
        background = colours.red if seen.is_red else colours.white
        self._badge.configure(text=badge, background=background, foreground="#ffffff" if seen.is_red else "#12304d")
        self._epoch.configure(text=words(seen.epoch))
        self._neighbours.configure(text=words(seen.neighbours))
        self._show_warnings([words(warning) for warning in seen.warnings])
        self._show_clock(seen.clock)
        self._fit()

    def _fit(self) -> None:
        """Where there is little room, what one can do without goes: the words of the numbers, and the role, which the title
        of the window says too; the epoch goes to the numbers, the neighbours to more lines. Name, clock and colour stay."""
        seen, width = self._seen, self.winfo_width()
        if seen is None or width <= 1:
            return
        words = self._house.words
        measure = font.nametofont("TitleFont", root=self).measure
        needed = self._clock.winfo_reqwidth() + self._badge.winfo_reqwidth() + _BESIDE
        spare = self._role.winfo_reqwidth() + self._epoch.winfo_reqwidth()
        is_tight = measure(seen.name) + needed + spare > width
        self._name.configure(text=Cutter(measure).cut(seen.name, width - needed) if is_tight else seen.name)
        for label in (self._role, self._epoch):
            if is_tight:
                label.grid_remove()
            else:
                label.grid()
        lines = [words(seen.epoch), *seen.numbers] if is_tight else map(words, seen.lines)
        self._lines.configure(text="   ".join(lines))
        self._neighbours.configure(wraplength=max(width - self._lines.winfo_reqwidth() - _BESIDE // 2, 1))

    def _show_warnings(self, warnings: list[str]) -> None:
        self._warnings.configure(text="   ".join(f"⚠ {warning}" for warning in warnings))
        if warnings:
            self._warnings.grid()
        else:
            self._warnings.grid_remove()

    def _show_clock(self, clock: int) -> None:
        """The clock lights up when it has moved."""
        if clock == self._clock_shown:
            return
        is_first, self._clock_shown = self._clock_shown < 0, clock
        self._clock.configure(text=f"H = {clock}")
        if is_first:
            return
        colours = self._house.theme.palette
        self._clock.configure(background=colours.accent, foreground=colours.on_accent)
        if self._dimming:
            self.after_cancel(self._dimming)
        self._dimming = self.after(_PULSE, self._dim)

    def destroy(self) -> None:
        """With its window, also while the clock is lit up."""
        if self._dimming:
            self.after_cancel(self._dimming)
        super().destroy()

    def _dim(self) -> None:
        self._dimming = ""
        colours = self._house.theme.palette
        self._clock.configure(background=colours.banner, foreground=colours.on_banner)
