"""Colours, fonts and styles: light and dark, small and large. Everything that is drawn takes them from here."""

from __future__ import annotations

import tkinter
from dataclasses import dataclass
from tkinter import font, ttk

from lib.windows.widgets.styles import configure_styles

FAMILIES = ("DejaVu Sans", "Noto Sans", "Liberation Sans", "Helvetica")  # the first has every sign that we draw
FIXED = ("DejaVu Sans Mono", "Noto Sans Mono", "Liberation Mono", "Courier")
SMALLEST, USUAL, LARGEST = 7, 10, 24  # points

# How large each named font is, compared to the text.
_FONTS = {
    "TkDefaultFont": 1.0,
    "TkTextFont": 1.0,
    "TkMenuFont": 1.0,
    "TkHeadingFont": 1.0,
    "TkFixedFont": 0.95,
    "TkTooltipFont": 0.9,
    "SmallFont": 0.85,
    "BadgeFont": 1.2,
    "TitleFont": 1.7,
    "ClockFont": 2.2,
}
_BOLD = ("TkHeadingFont", "BadgeFont", "TitleFont", "ClockFont")


@dataclass(frozen=True)
class Palette:
    """The colours of a theme. `good`, `warning` and `bad` are always said by a sign or a word too."""

    background: str
    surface: str
    text: str
    muted: str
    accent: str
    on_accent: str
    border: str
    good: str
    warning: str
    bad: str
    stripe: str
    banner: str
    on_banner: str
    banner_muted: str
    white: str
    red: str


LIGHT = Palette(
    background="#eef1f5", surface="#ffffff", text="#1d2733", muted="#5b6876", accent="#0b5cad", on_accent="#ffffff",
    border="#c3ccd6", good="#1b7340", warning="#8f5500", bad="#b3261e", stripe="#f5f7fa",
    banner="#12304d", on_banner="#ffffff", banner_muted="#b7c7d8", white="#ffffff", red="#c62828",
)  # fmt: skip
DARK = Palette(
    background="#1b2129", surface="#232b35", text="#e6ebf1", muted="#9fadbb", accent="#4c9be8", on_accent="#0d1620",
    border="#3b4654", good="#62c98a", warning="#e5b04a", bad="#ff8a80", stripe="#28313c",
    banner="#0c1a29", on_banner="#ffffff", banner_muted="#9db2c7", white="#ffffff", red="#d33a3a",
)  # fmt: skip


class Theme:
    """The look of one window: which palette, and how large the text is. Changes take effect at once."""

    def __init__(self, root: tkinter.Tk) -> None:
        self._root = root
        self._style = ttk.Style(root)
        self._style.theme_use("clam")
        self.size = USUAL
        self.is_dark = False
        known = set(font.families(root))
        self._family = next((name for name in FAMILIES if name in known), "TkDefaultFont")
        self._fixed = next((name for name in FIXED if name in known), "TkFixedFont")
        existing = set(font.names(root))
        self._fonts = {
            name: font.Font(root, name=name, exists=name in existing, size=self.size) for name in _FONTS
        }  # kept here: a Font that nobody holds is deleted
        self.apply()

    @property
    def palette(self) -> Palette:
        return DARK if self.is_dark else LIGHT

    def resize(self, points: int) -> None:
        """Make the text so many points larger (or smaller); 0: as usual again."""
        wanted = USUAL if points == 0 else self.size + points
        self.size = min(max(wanted, SMALLEST), LARGEST)
        self.apply()

    def toggle(self) -> None:
        """Light, or dark."""
        self.is_dark = not self.is_dark
        self.apply()

    def apply(self) -> None:
        """Set fonts and styles."""
        for name, scale in _FONTS.items():
            self._fonts[name].configure(
                family=self._fixed if name == "TkFixedFont" else self._family,
                size=max(SMALLEST - 1, round(self.size * scale)),
                weight="bold" if name in _BOLD else "normal",
            )
        self._style_widgets(self.palette)
        configure_styles(self._style, self.palette)

    def _style_widgets(self, colours: Palette) -> None:
        style, pad = self._style, max(3, self.size // 3)
        self._root.configure(background=colours.background)
        style.configure(
            ".", background=colours.background, foreground=colours.text, fieldbackground=colours.surface,
            bordercolor=colours.border, lightcolor=colours.background, darkcolor=colours.background,
            troughcolor=colours.stripe, insertcolor=colours.text, selectbackground=colours.accent,
            selectforeground=colours.on_accent, focuscolor=colours.accent, font="TkDefaultFont",
        )  # fmt: skip
        style.map(".", foreground=[("disabled", colours.muted)])
        for name, colour in (
            ("Muted.TLabel", colours.muted),
            ("Good.TLabel", colours.good),
            ("Warning.TLabel", colours.warning),
            ("Bad.TLabel", colours.bad),
        ):
            style.configure(name, foreground=colour)
        style.configure("Heading.TLabel", font="TkHeadingFont")
        style.configure("Title.TLabel", font="TitleFont")
        style.configure("Small.TLabel", font="SmallFont", foreground=colours.muted)
        style.configure("TButton", padding=(2 * pad, pad), background=colours.surface, borderwidth=1)
        style.map(
            "TButton",
            background=[("active", colours.stripe), ("pressed", colours.border), ("disabled", colours.background)],
            bordercolor=[("focus", colours.accent)],
        )
        style.configure("Accent.TButton", background=colours.accent, foreground=colours.on_accent, font="TkHeadingFont")
        style.map(
            "Accent.TButton",
            background=[("disabled", colours.border), ("pressed", colours.text), ("active", colours.accent)],
            foreground=[("disabled", colours.muted)],
        )
        style.configure("Tool.TButton", padding=(pad // 2, 1), font="SmallFont")
        for entry in ("TEntry", "TCombobox", "TSpinbox"):
            style.configure(entry, padding=pad, foreground=colours.text, arrowcolor=colours.text)
            style.map(
                entry,
                bordercolor=[("focus", colours.accent)],
                fieldbackground=[("readonly", colours.surface), ("disabled", colours.background)],
                foreground=[("readonly", colours.text)],
                selectbackground=[("readonly", colours.surface)],
                selectforeground=[("readonly", colours.text)],
            )
        # The list of a combobox is no ttk widget: it takes these when it is made.
        for option, colour in (
            ("background", colours.surface),
            ("foreground", colours.text),
            ("selectBackground", colours.accent),
            ("selectForeground", colours.on_accent),
        ):
            self._root.option_add(f"*TCombobox*Listbox.{option}", colour)
        style.map("TCombobox", background=[("pressed", colours.border), ("active", colours.stripe)])
        style.configure("Bad.TEntry", fieldbackground=colours.surface, bordercolor=colours.bad, foreground=colours.bad)
        style.map("Bad.TEntry", bordercolor=[("focus", colours.bad)])
        style.configure("TCheckbutton", indicatorbackground=colours.surface, padding=(pad, 2))
        style.map("TCheckbutton", background=[("active", colours.background)])
        style.configure("TRadiobutton", indicatorbackground=colours.surface, padding=(pad, 2))
        style.map("TRadiobutton", background=[("active", colours.background)])
        style.configure("TNotebook", background=colours.background, tabmargins=(pad, pad, pad, 0))
        style.configure(
            "TNotebook.Tab", padding=(2 * pad + 2, pad), background=colours.background, foreground=colours.muted,
            bordercolor=colours.border, lightcolor=colours.background,
        )  # fmt: skip
        style.map(
            "TNotebook.Tab",
            lightcolor=[("selected", colours.surface)],
            background=[("selected", colours.surface), ("active", colours.stripe)],
            foreground=[("selected", colours.text)],
            font=[("selected", "TkHeadingFont")],
        )
        line = font.nametofont("TkDefaultFont", self._root).metrics("linespace")
        style.configure(
            "Treeview", background=colours.surface, fieldbackground=colours.surface, foreground=colours.text,
            rowheight=line + pad, borderwidth=0,
        )  # fmt: skip
        style.map("Treeview", background=[("selected", colours.accent)], foreground=[("selected", colours.on_accent)])
        style.configure(
            "Treeview.Heading", background=colours.stripe, foreground=colours.text, font="TkHeadingFont", padding=(pad, pad)
        )
        style.map("Treeview.Heading", background=[("active", colours.border)])
        style.configure("Horizontal.TProgressbar", background=colours.accent, troughcolor=colours.stripe, thickness=pad * 3)
        style.configure("Warning.Horizontal.TProgressbar", background=colours.warning)
        style.configure("Card.TFrame", background=colours.surface, bordercolor=colours.border, relief="solid", borderwidth=1)
        style.configure("Card.TLabel", background=colours.surface)
        style.configure("CardHeading.TLabel", background=colours.surface, font="TkHeadingFont")
        style.configure("TLabelframe", bordercolor=colours.border, padding=pad)
        style.configure("TLabelframe.Label", font="TkHeadingFont")
        style.configure("TScrollbar", background=colours.border, arrowcolor=colours.text)
        style.map("TScrollbar", background=[("disabled", colours.background), ("active", colours.muted)])
