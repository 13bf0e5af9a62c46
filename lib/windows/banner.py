"""The banner: what a whole room must be able to read of a site."""

from __future__ import annotations

import tkinter as tk

from lib.windows.house import House
from lib.windows.view.banner import Banner

_PULSE = 160  # milliseconds that the clock lights up at an event


class BannerBar(tk.Frame):
    """The band at the top of a window; `show` fills it."""

    def __init__(self, parent: tk.Misc, house: House) -> None:
        super().__init__(parent)
        self._house = house
        self._clock_shown = -1
        self._dimming = ""
        self._name = tk.Label(self, font="TitleFont", anchor="w")
        self._role = tk.Label(self, font="TkDefaultFont", anchor="w")
        self._clock = tk.Label(self, font="ClockFont", padx=8)
        self._badge = tk.Label(self, font="BadgeFont", padx=10, pady=2)
        self._epoch = tk.Label(self, font="TkDefaultFont", anchor="e")
        self._neighbours = tk.Label(self, font="SmallFont", anchor="w")
        self._lines = tk.Label(self, font="SmallFont", anchor="e")
        self._warnings = tk.Label(self, font="TkHeadingFont", anchor="w")
        self._lay_out()
        self.restyle()

    def _lay_out(self) -> None:
        self.columnconfigure(2, weight=1)
        self._name.grid(row=0, column=0, sticky="w", padx=(12, 4), pady=(3, 0))
        self._role.grid(row=0, column=1, sticky="sw", padx=(0, 6), pady=(0, 6))
        self._clock.grid(row=0, column=2, pady=(3, 0))
        self._epoch.grid(row=0, column=3, sticky="e", padx=6)
        self._badge.grid(row=0, column=4, sticky="e", padx=(0, 12), pady=(5, 2))
        self._neighbours.grid(row=1, column=0, columnspan=3, sticky="w", padx=(12, 6), pady=(0, 3))
        self._lines.grid(row=1, column=3, columnspan=2, sticky="e", padx=(6, 12), pady=(0, 3))
        self._warnings.grid(row=2, column=0, columnspan=5, sticky="ew")
        self._warnings.grid_remove()

    def restyle(self) -> None:
        """Take the colours of the theme."""
        colours = self._house.theme.palette
        self.configure(background=colours.banner)
        for label in (self._name, self._clock):
            label.configure(background=colours.banner, foreground=colours.on_banner)
        for label in (self._role, self._epoch, self._neighbours, self._lines):
            label.configure(background=colours.banner, foreground=colours.banner_muted)
        self._warnings.configure(background=colours.warning, foreground=colours.background, padx=12)

    def show(self, seen: Banner) -> None:
        """Show how the site stands."""
        words, colours = self._house.words, self._house.theme.palette
        self._name.configure(text=seen.name)
        self._role.configure(text=words(seen.role))
        badge = f"{'■' if seen.is_red else '□'} {words(seen.colour)} · {words(seen.round)}"
        background = colours.red if seen.is_red else colours.white
        self._badge.configure(text=badge, background=background, foreground="#ffffff" if seen.is_red else "#12304d")
        self._epoch.configure(text=words(seen.epoch))
        self._neighbours.configure(text=words(seen.neighbours))
        self._lines.configure(text="   ".join(map(words, seen.lines)))
        self._show_warnings([words(warning) for warning in seen.warnings])
        self._show_clock(seen.clock)

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
