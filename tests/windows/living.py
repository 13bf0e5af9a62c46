"""A window with a real site in it: real pipes, the real driver, in the test's own process; no program around it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from lib.core import commands as ask
from lib.core.buying import Client
from lib.core.selling import Guichet
from lib.core.sites import ClientSite, GuichetSite
from lib.core.tickets import Journey
from lib.edge.assembly import SLICE
from lib.edge.log import Log
from lib.edge.process import Process
from lib.edge.snapshots import Folder
from lib.edge.sources import Sources
from lib.edge.store import Store
from lib.edge.streams import Output
from lib.windows.client import ClientWindow
from lib.windows.guichet import GuichetWindow

LIMIT = 30.0  # seconds
JOURNEY = Journey("848362", "2025-03-17T07:10", "Compiègne", "Paris Gare du Nord", 1540)


class Living:
    """A guichet (`gch`) or a client (`c1`), alive in its window on `display`.

    `say(lines)` writes to it as a neighbour would; `said` are the lines that it wrote. `end` is to be called.
    """

    def __init__(
        self,
        display: str,
        folder: Path,
        role: str = "guichet",
        *,
        tickets: Iterable[tuple[Journey, int]] = ((JOURNEY, 5),),
        language: str = "fr",
        geometry: str = "900x640+0+0",
        link: Path | None = None,
        load: Callable[[str], ask.AddTickets] | None = None,
    ) -> None:
        before, os.environ["DISPLAY"] = os.environ.get("DISPLAY"), display
        is_guichet = role == "guichet"
        self.name = "gch" if is_guichet else "c1"
        kind: Any = GuichetWindow if is_guichet else ClientWindow
        self.window: Any = kind(self.name, language=language, geometry=geometry, neighbours=("c9",), link=link)
        if before is None:
            del os.environ["DISPLAY"]
        else:
            os.environ["DISPLAY"] = before
        self.raised: list[Any] = []
        self.window.root.report_callback_exception = lambda *error: self.raised.append(error)
        self._pipes = [os.pipe() for _ in range(3)]
        (stdin, self.upstream), (self._downstream, stdout), (signals, self._signal) = self._pipes
        os.set_blocking(self._downstream, False)
        self._text = b""
        site: Any = GuichetSite(Guichet("gch"), 1, watched=True) if is_guichet else ClientSite(Client("c1"), 1, watched=True)
        log = Log(self.name, language, 0)
        self.process = Process(
            site, Store(None, self.name, role), Output(stdout), log, folder=Folder(str(folder)), load=load,
            watch=self.window.watch,
        )  # fmt: skip
        self.process.start(ask.AddTickets(tuple(tickets)) if is_guichet else None)
        self.sources = Sources(self.process, log, signals, stdin=stdin, stays=True, slice=SLICE)
        self._driver = self.window.begin(self.sources)
        self.window.root.focus_force()
        self.pump()

    @property
    def site(self) -> Any:
        return self.process.site

    @property
    def said(self) -> list[bytes]:
        """The whole lines that the site has written so far."""
        with suppress(BlockingIOError):
            while data := os.read(self._downstream, 65536):
                self._text += data
        return self._text.split(b"\n")[:-1]

    def say(self, lines: Iterable[bytes]) -> None:
        """A neighbour writes these lines."""
        os.write(self.upstream, b"".join(line + b"\n" for line in lines))

    def pump(self) -> None:
        """Let Tk do what there is to do now."""
        self.window.root.update()
        assert not self.raised, self.raised

    def until(self, holds: Callable[[], Any], what: str = "it") -> Any:
        """Live on until something holds."""
        deadline = time.monotonic() + LIMIT
        while not (found := holds()):
            assert time.monotonic() < deadline, f"waited in vain for {what}"
            self.pump()
            time.sleep(0.002)
        return found

    def find(self, kind: type, **options: str) -> Any:
        """The widget of a kind that is shown with these options, such as `text="Charger…"`."""
        found = [
            widget
            for widget in _below(self.window.root)
            if isinstance(widget, kind)
            and widget.winfo_viewable()
            and all(str(widget.cget(key)) == value for key, value in options.items())
        ]
        assert found, f"no {kind.__name__} with {options} in sight"
        return found[0]

    def answer(self, act: Callable[[Any], None]) -> None:
        """As soon as a dialog is seen, do something with it: to be said before what opens it, which waits for its end."""
        for child in list(_below(self.window.root)):
            if child.winfo_class() == "Toplevel" and child.winfo_viewable() and child.grab_current() is not None:
                act(child)
                return
        self.window.root.after(10, self.answer, act)

    def end(self) -> None:
        """Take the window and its pipes away; nothing may have been raised."""
        self._driver.stop()
        self.window.root.destroy()
        for fd in {fd for pipe in self._pipes for fd in pipe}:
            os.close(fd)
        assert not self.raised, self.raised


def cells(table: Any) -> list[tuple[str, ...]]:
    """The rows that a table has on the screen, with the whole texts of which it may show the beginning only."""
    rows = []
    for item, row in zip(table.tree.get_children(), table._drawn_rows, strict=True):
        for shown, whole in zip(table.tree.item(item, "values"), row.cells, strict=True):
            assert str(shown) == whole or (str(shown).endswith("…") and whole.startswith(str(shown)[:-1])), (shown, whole)
        rows.append(tuple(row.cells))
    return rows


def _below(widget: Any) -> Iterable[Any]:
    for child in widget.winfo_children():
        yield child
        yield from _below(child)
