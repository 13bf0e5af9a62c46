"""Opening a window, where there can be one. tkinter is imported here, and only when a window is wanted (contract, 1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lib.texts import Problem

if TYPE_CHECKING:
    from lib.windows.window import Window


def open_window(
    role: str, name: str, *, language: str, geometry: str, neighbours: tuple[str, ...], link: str | None = None
) -> Window:
    """The window of site `name`, of `role` (`guichet` or `client`), on the display. Raises `Problem` when there is none."""
    try:
        import tkinter
    except ImportError as error:
        raise Problem(
            "sans fenêtre : Python n'a pas tkinter ; installez-le : apt install python3-tk",
            "without a window: this Python has no tkinter; install it: apt install python3-tk",
        ) from error
    from lib.windows.client import ClientWindow
    from lib.windows.guichet import GuichetWindow

    kind = GuichetWindow if role == "guichet" else ClientWindow
    try:
        return kind(name, language=language, geometry=geometry, neighbours=neighbours, link=link)
    except tkinter.TclError as error:
        raise Problem(
            f"sans fenêtre : pas d'écran ({error}) ; ouvrez une session graphique, ou dites --notk",
            f"without a window: no display ({error}); open a graphical session, or say --notk",
        ) from error
