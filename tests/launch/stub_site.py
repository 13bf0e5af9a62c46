"""A site that sells nothing: starts, writes a trace, obeys a few commands, ends. For tests of the launcher alone."""

import json
import os
import select
import signal
import sys
import time


def main() -> int:
    options = dict(argument.lstrip("-").partition("=")[::2] for argument in sys.argv[1:])
    print(" ".join(sys.argv[1:]), file=sys.stderr)
    if "echec" in options:
        print("impossible : il manque tout", file=sys.stderr)
        return int(options["echec"])
    signal.signal(signal.SIGTERM, signal.SIG_IGN if "sourd" in options else signal.SIG_DFL)
    site = Site(options["ident"], options["trace"])
    site.trace("start", role="client", life=1, pid=os.getpid())
    if "fragile" in options:
        print("je suis fragile", file=sys.stderr, flush=True)
        sys.exit(7)
    commands = os.open(options["commandes"], os.O_RDONLY | os.O_NONBLOCK)
    while True:
        ready, _, _ = select.select([0, commands], [], [])
        if 0 in ready:
            heard = os.read(0, 65536)
            if not heard:
                return 5  # the launcher holds every FIFO open: there is no end of file
            for line in heard.decode().splitlines():
                site.trace("heard", line=line)
        if commands in ready:
            for line in os.read(commands, 65536).decode().splitlines():
                site.obey(line)


class Site:
    def __init__(self, name: str, path: str) -> None:
        self.name, self.path, self.number = name, path, 0

    def trace(self, kind: str, /, **fields: object) -> None:
        self.number += 1
        head = {"t": time.time(), "site": self.name, "i": self.number, "lamport": self.number, "ev": kind}
        with open(self.path, "a") as file:
            file.write(json.dumps(head | fields) + "\n")

    def obey(self, line: str) -> None:
        verb = line.split()[0]
        if verb == "quitter":
            sys.exit(0)
        if verb == "dire":
            os.write(1, f"{line.removeprefix('dire ')}\n".encode())
        if verb == "mourir":
            os.kill(os.getpid(), signal.SIGKILL)
        if verb == "reserver":
            self.trace("request", request=4, kind="reserve", state="offered", ticket="B0001", expires_in=29.9)
        self.trace("command", line=line, ok=verb != "danser", error="" if verb != "danser" else "commande inconnue")


if __name__ == "__main__":
    sys.exit(main())
