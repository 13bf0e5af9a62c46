#!/usr/bin/env python3
"""A stand-in for AIRPLUG's NET, written from what its lines look like: no code of AIRPLUG's is in it.

    ./net.py [--tri] < in > out          --tri: all keys sorted, as the NET in Python does; the one in Tcl keeps their order

NET lives beside an application, and carries its lines to the NETs of its neighbours, one hop far:

    its application says     D CLT D NET D ^key~value^...^               NET says   D NET D NET D ^appnet~CLT^key~value^...^
    a neighbouring NET says  D NET D NET D ^appnet~CLT^key~value^...^    NET says   D NET D CLT D ^key~value^...^

All that it says goes to one stdout, which the scripts lead to its application and to the neighbours: what is not for NET
(WHO) is not read. Unlike the NET in Python, which goes deaf on a line that was cut, it forgets a bad line.
"""

from __future__ import annotations

import sys

DELIMITER = "\x07"


def answer(line: str, sort: bool = False) -> str:
    """What NET says when it reads `line`; empty: nothing."""
    parts = line.split(line[0], 3) if line and not line[0].isalnum() else []
    if len(parts) < 4 or parts[2] != "NET":
        return ""
    application, fields = parts[1], [field for field in parts[3].split("^") if "~" in field]
    if application != "NET":
        return _line("NET", [f"appnet~{application}", *fields], sort)
    taken_off = [field.partition("~")[2] for field in fields if field.startswith("appnet~")]
    rest = [field for field in fields if not field.startswith("appnet~")]
    return _line(taken_off[0], rest, sort) if taken_off else ""


def _line(receiver: str, fields: list[str], sort: bool) -> str:
    payload = "^".join(sorted(fields, key=lambda field: field.partition("~")[0]) if sort else fields)
    return f"{DELIMITER}NET{DELIMITER}{receiver}{DELIMITER}^{payload}^"


def main(arguments: list[str]) -> None:
    """Answer every line of stdin on stdout; AIRPLUG's own options are taken, and mean nothing here."""
    for line in sys.stdin.buffer:
        said = answer(line.decode(errors="replace").removesuffix("\n"), sort="--tri" in arguments)
        if said:
            sys.stdout.buffer.write(f"{said}\n".encode())
            sys.stdout.buffer.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
