"""Questions, forms and errors before a window. While one is open the site works on: only the window waits.

They need no window manager: the title stands in the dialog too, it is centred by its own arithmetic and takes the keyboard.
"""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from contextlib import suppress
from tkinter import ttk

from lib.texts import Text
from lib.windows.widgets.field import Form

_CLOSE = Text("Fermer", "Close")
_COPY = Text("Copier les détails", "Copy details")
_COPIED = Text("Détails copiés ✓", "Details copied ✓")
_LINE = 420  # pixels of a message's line
_LONGEST = 600  # characters of a title or a message: the buttons must stay on the screen
_DETAILS = 12  # lines of details in sight


class Dialog(tk.Toplevel):
    """A window before `parent`'s: fill `body`, add buttons, then `run()`. Escape and closing are the same as cancelling.

    Tk goes on serving everything else meanwhile (`createfilehandler`, timers), so the site lives; the caller of `run` waits.
    """

    def __init__(self, parent: tk.Misc, title: str) -> None:
        super().__init__(parent.winfo_toplevel())  # not of a panel: who closes the window must find it
        self.withdraw()
        self.title(title)
        self.resizable(False, False)
        self._over = parent.winfo_toplevel()
        self.accepted = False
        frame = ttk.Frame(self, style="Dialog.TFrame", padding=20)
        frame.pack(fill="both", expand=True)
        ttk.Label(frame, text=_cut(title), style="Heading.TLabel", wraplength=_LINE).pack(anchor="w", pady=(0, 10))
        self.body = ttk.Frame(frame)
        self.body.pack(fill="both", expand=True)
        self._buttons = ttk.Frame(frame)
        self._buttons.pack(fill="x", pady=(16, 0))
        self.protocol("WM_DELETE_WINDOW", self.cancel)
        self.bind("<Escape>", lambda _: self.cancel())

    def add_button(self, text: str, command: Callable[[], object], main: bool = False) -> ttk.Button:
        """A button at the left of those before it; the `main` one is coloured. Return presses the one that has the focus."""
        button = ttk.Button(self._buttons, text=text, command=command, style="Accent.TButton" if main else "TButton")
        button.pack(side="right", padx=(8, 0))
        for event in ("<Return>", "<KP_Enter>"):
            button.bind(event, lambda _: button.invoke())
        return button

    def accept(self) -> None:
        """Ends the dialog; `run` gives True."""
        self.accepted = True
        self.destroy()

    def cancel(self) -> None:
        """Ends the dialog; `run` gives False."""
        self.destroy()

    def run(self, focus: tk.Misc) -> bool:
        """Shows the dialog with the keyboard at `focus`, until it is ended; whether it was accepted."""
        before = self._over.focus_get()
        self._place()
        self.wait_visibility()
        self.grab_set()
        focus.focus_force()
        self.wait_window()
        with suppress(tk.TclError):  # that widget, or all of the window, may have ended meanwhile
            (before or self._over).focus_force()  # a window manager may have given it to the window meanwhile
        return self.accepted

    def _place(self) -> None:
        """Over the middle of the window, within the screen."""
        if self._over.winfo_viewable():  # before a window that is not seen, a transient one would never be seen either
            self.transient(self._over)
        self.update_idletasks()
        x = self._over.winfo_rootx() + (self._over.winfo_width() - self.winfo_reqwidth()) // 2
        y = self._over.winfo_rooty() + (self._over.winfo_height() - self.winfo_reqheight()) // 3
        x = max(0, min(x, self.winfo_screenwidth() - self.winfo_reqwidth()))
        y = max(0, min(y, self.winfo_screenheight() - self.winfo_reqheight()))
        self.geometry(f"+{x}+{y}")
        self.deiconify()
        self.lift()


class FormDialog(Dialog):
    """A dialog around a `form` (add its fields), whose button `confirm` is there while all is well.

    `on_submit(values)` may refuse: it gives the problems by field, and the dialog stays; an empty dict ends it.
    """

    def __init__(
        self,
        parent: tk.Misc,
        title: str,
        confirm: str,
        cancel: str,
        on_submit: Callable[[dict[str, str]], dict[str, Text]],
        columns: int = 1,
        language: str = "fr",
    ) -> None:
        super().__init__(parent, title)
        self._on_submit = on_submit
        self.form = Form(self.body, columns, self._submitted, self.cancel, self._follow, language)
        self.form.pack(fill="both", expand=True)
        self.confirm = self.add_button(confirm, self.form.submit, main=True)
        self.add_button(cancel, self.cancel)

    def ask(self) -> bool:
        """Shows the dialog until its values were taken (True) or it was cancelled (False)."""
        self._follow()
        return self.run(focus=next(iter(self.form.fields.values())).entry)

    def _follow(self) -> None:
        self.confirm.state(["!disabled" if self.form.is_valid else "disabled"])

    def _submitted(self, values: dict[str, str]) -> None:
        problems = self._on_submit(values)
        if problems:
            self.form.show_problems(problems)
        else:
            self.accept()


def ask(parent: tk.Misc, title: str, message: str, confirm: str, cancel: str) -> bool:
    """Asks a question with two answers, the buttons `confirm` and `cancel`; whether it was confirmed. Return confirms."""
    dialog = Dialog(parent, title)
    _add_message(dialog, message)
    main = dialog.add_button(confirm, dialog.accept, main=True)
    dialog.add_button(cancel, dialog.cancel)
    return dialog.run(focus=main)


def show_error(parent: tk.Misc, title: str, message: str, details: str, language: str = "fr") -> None:
    """Says that something went wrong, with `details` (a traceback) to read and to copy."""
    dialog = Dialog(parent, title)
    _add_message(dialog, message)
    _add_details(dialog, details)

    def copy_details() -> None:
        dialog.clipboard_clear()
        dialog.clipboard_append(details)
        copy.configure(text=_COPIED.in_language(language))

    close = dialog.add_button(_CLOSE.in_language(language), dialog.accept, main=True)
    copy = dialog.add_button(_COPY.in_language(language), copy_details)
    dialog.run(focus=close)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _add_message(dialog: Dialog, message: str) -> None:
    ttk.Label(dialog.body, text=_cut(message), wraplength=_LINE, justify="left").pack(anchor="w")


def _add_details(dialog: Dialog, details: str) -> None:
    """To be read only, in the colours of the tables: a tk.Text knows no style, and lives as long as the dialog."""
    style = ttk.Style(dialog)
    frame = ttk.Frame(dialog.body)
    frame.pack(fill="both", expand=True, pady=(10, 0))
    lines = min(_DETAILS, details.count("\n") + 2)
    text = tk.Text(frame, width=72, height=lines, font="TkFixedFont", relief="flat", padx=8, pady=6, wrap="word")
    text.configure(background=style.lookup("Table.Treeview", "background"), highlightthickness=0)
    text.configure(foreground=style.lookup("Table.Treeview", "foreground"))
    text.insert("1.0", details)
    text.configure(state="disabled", takefocus=False)
    scrollbar = ttk.Scrollbar(frame, command=text.yview)
    text.configure(yscrollcommand=scrollbar.set)
    text.pack(side="left", fill="both", expand=True)
    scrollbar.pack(side="left", fill="y")
