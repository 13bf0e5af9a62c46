"""A screen that nobody sees: one Xvfb for all tests of windows, without a window manager."""

from __future__ import annotations

import os
import shutil
import subprocess
import tkinter
import traceback
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session")
def display() -> Iterator[str]:
    """The name of a display of 1280x800 (`:7`), which ends with the tests. Xvfb itself chooses a number that is free."""
    if not shutil.which("Xvfb"):
        pytest.skip("no Xvfb: apt install xvfb")
    reading, writing = os.pipe()
    with os.fdopen(reading) as answer:
        server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1280x800x24", "-nolisten", "tcp", "-noreset"],
            pass_fds=[writing],
            stderr=subprocess.DEVNULL,
        )
        os.close(writing)  # so that its death ends our waiting
        number = answer.readline().strip()
    assert number, f"Xvfb ended with status {server.wait()}"
    yield f":{number}"
    server.terminate()
    server.wait()


@pytest.fixture
def root(display: str) -> Iterator[tkinter.Tk]:
    """A main window on the display, with the keyboard; a callback that raises fails the test."""
    raised: list[str] = []
    window = tkinter.Tk(screenName=display)
    window.report_callback_exception = lambda *error: raised.append("".join(traceback.format_exception(*error)))
    window.geometry("900x600+20+20")
    window.update()
    window.focus_force()
    window.update()
    yield window
    if raised_while_ending := _ends(window):
        raised.append(raised_while_ending)
    assert not raised, "\n".join(raised)


def _ends(window: tkinter.Tk) -> str:
    try:
        window.update()
        window.destroy()
    except tkinter.TclError as error:
        # A test may have closed it.
        return "" if "destroyed" in str(error) else str(error)
    return ""
