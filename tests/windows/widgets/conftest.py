"""The root window with its theme and the styles of the widgets."""

from __future__ import annotations

import tkinter
from tkinter import ttk

import pytest

from lib.windows.theme import Theme
from lib.windows.widgets.styles import configure_styles


@pytest.fixture
def window(root: tkinter.Tk) -> tkinter.Tk:
    """The root as a window has it."""
    theme = Theme(root)
    configure_styles(ttk.Style(root), theme.palette)
    root.theme = theme  # held by the window: a font that nobody holds is deleted
    return root


# Names as strangers may send them: none may ever be read as code, or as a list.
STRANGE_NAMES = (
    "L'Isle-d'Abeau",
    "[exit]",
    "$env(HOME)",
    "{ouvert",
    "fermé}",
    "\\",
    'a "b" c',
    "Saint-Étienne œuvre",
    "; destroy .",
    "12",
    "",
    "x" * 3000,
)
