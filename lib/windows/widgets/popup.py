"""What opens beneath an entry and never takes the keyboard from it.

The entry keeps the focus and moves what is chosen in the popup, so it works without a window manager, and the popup goes
when the entry loses the focus, when something else is clicked, and when the window moves or disappears.
"""

from __future__ import annotations

import tkinter as tk
from tkinter import ttk


class Popup(tk.Toplevel):
    """A borderless window that opens beneath `anchor` (above, where the screen ends), with a frame `body` to fill.

    A click on one of its `partners`, a button that opens and closes it say, is left to them.
    """

    def __init__(self, anchor: ttk.Entry, *partners: tk.Misc) -> None:
        super().__init__(anchor, takefocus=False)
        self.withdraw()
        self.overrideredirect(True)
        self.attributes("-type", "combo")
        self.is_open = False
        self._anchor = anchor
        self._partners = (anchor, *partners)
        self._watched = False
        frame = ttk.Frame(self, style="Popup.TFrame", padding=1)
        frame.pack(fill="both", expand=True)
        self.body = ttk.Frame(frame, style="Calendar.TFrame")
        self.body.pack(fill="both", expand=True)
        anchor.bind("<FocusOut>", lambda _: self._left(), add="+")
        # Without a window manager the keyboard may follow the mouse, into the popup too: it is handed back.
        self.bind("<FocusIn>", lambda _: anchor.focus_force())

    def open(self) -> None:
        """Opens, or finds its place again after its contents have changed their size."""
        self._watch()
        self.update_idletasks()
        anchor, width, height = self._anchor, self.winfo_reqwidth(), self.winfo_reqheight()
        width = min(max(width, anchor.winfo_width()), self.winfo_screenwidth())
        x = max(0, min(anchor.winfo_rootx(), self.winfo_screenwidth() - width))
        y = anchor.winfo_rooty() + anchor.winfo_height()
        if y + height > self.winfo_screenheight():
            y = max(0, anchor.winfo_rooty() - height)
        self.geometry(f"{width}x{height}+{x}+{y}")
        if not self.is_open:
            self.is_open = True
            self.deiconify()
        self.lift()

    def close(self) -> None:
        """Goes, if it is there."""
        if self.is_open:
            self.is_open = False
            self.withdraw()

    def destroy(self) -> None:
        """With its entry."""
        self.is_open = False  # the window outlives its entries, and what it watches for them
        super().destroy()

    def _left(self) -> None:
        under = self.winfo_containing(*self.winfo_pointerxy())
        if under is None or under.winfo_toplevel() is not self:
            self.close()

    def _watch(self) -> None:
        """Listens to the window around, once: only an entry that opens something needs to."""
        if not self._watched:
            self._watched = True
            window = self._anchor.winfo_toplevel()
            window.bind("<Button-1>", self._clicked, add="+")
            for event in ("<Configure>", "<Unmap>"):
                window.bind(event, self._window_changed, add="+")

    def _clicked(self, event: tk.Event[tk.Misc]) -> None:
        if event.widget not in self._partners:
            self.close()

    def _window_changed(self, event: tk.Event[tk.Misc]) -> None:
        if isinstance(event.widget, tk.Tk | tk.Toplevel):  # not one of the widgets in it
            self.close()
