"""The machine: what it is, how busy it is, and what of it processes use."""

from __future__ import annotations

import os
import platform
import re
import sqlite3
from datetime import datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def description() -> str:
    """The machine, the Python and the moment, in a line of French."""
    found = re.search(r"model name\s*:\s*(.*)", Path("/proc/cpuinfo").read_text())
    processor = found[1] if found else platform.machine()
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    return (
        f"{len(os.sched_getaffinity(0))} cœurs ({processor}), {memory:.0f} Go, Linux {platform.release()}, "
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, le {datetime.now():%Y-%m-%d à %H:%M}"
    )


def load() -> str:
    """The load average of the last minute: above the number of cores, others were at work too."""
    return f"{os.getloadavg()[0]:.1f}"


def pss(pid: int) -> float:
    """The memory of a process in MB, its part of what it shares with others included (proportional set size)."""
    return _rolled_up(pid, "Pss")


def private(pid: int) -> float:
    """The memory of a process in MB that it shares with nobody: it does not change with what else runs."""
    return _rolled_up(pid, "Private_Clean") + _rolled_up(pid, "Private_Dirty")


def _rolled_up(pid: int, what: str) -> float:
    found = re.search(rf"^{what}:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    assert found, "a kernel without smaps_rollup"
    return int(found[1]) / 1024


def cpu(pid: int) -> float:
    """Seconds of processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
