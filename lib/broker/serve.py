"""A broker that runs, and goes on running: begun again when it dies, told when its folder has changed."""

from __future__ import annotations

import errno
import ipaddress
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterable
from contextlib import suppress

from lib.broker import programs
from lib.broker.files import write
from lib.broker.folder import CONFIGURATION, BrokerFolder
from lib.broker.member import Member, topic_of_neighbours
from lib.broker.plan import LOOPBACK, Plan
from lib.launch.processes import die_with, last_words
from lib.launch.signals import Signals
from lib.texts import Problem, Text

_PAUSE = 1.0  # seconds between a death and the next life
_PATIENCE = 30.0  # seconds until a broker listens: it reads what waited for the sites first
_GRACE = 10.0  # seconds for it to write that down, at its end
_LOOK = 0.05
# What the journal leaves out: the lines that each line of a site makes. Anchored, or who chooses a connection's name could
# have what is said of it left out.
_NOISE = r"^[0-9T:-]+: ((Sending|Received) (PUBLISH|PUBACK|PINGREQ|PINGRESP)|Saving in-memory)"


class Broker:
    """The broker of `folder`, which serves `plan`."""

    def __init__(self, folder: BrokerFolder, plan: Plan) -> None:
        self._folder = folder
        self._plan = plan
        self._process: subprocess.Popen[bytes] | None = None
        self._filter: subprocess.Popen[bytes] | None = None

    @property
    def is_alive(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    def begin(self) -> None:
        """Start it, and wait until it listens. Raises `Problem`."""
        journal = os.open(self._folder.journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        said = os.fstat(journal).st_size
        self._process = subprocess.Popen(
            [programs.find("mosquitto"), "-c", self._folder.path / CONFIGURATION],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            process_group=0,  # Ctrl-C is for us
            preexec_fn=die_with(os.getpid()),
        )
        assert self._process.stderr is not None
        filtering = ["grep", "--line-buffered", "-avE", _NOISE]
        self._filter = subprocess.Popen(filtering, stdin=self._process.stderr, stdout=journal, process_group=0)
        self._process.stderr.close()
        os.close(journal)
        write(self._folder.pid, f"{self._process.pid}\n")
        if not self._listens():
            self.end()
            words = last_words(self._folder.journal, said)
            raise Problem(f"le courtier ne démarre pas : {words}", f"the broker does not start: {words}")

    def _listens(self) -> bool:
        deadline = time.monotonic() + _PATIENCE
        while self.is_alive and time.monotonic() < deadline:
            with suppress(OSError), socket.create_connection((self._plan.host, self._plan.port), _PATIENCE):
                return self.is_alive
            time.sleep(_LOOK)
        return False

    def end(self) -> None:
        """End it, once it has written down what waits for the sites; nothing if it does not run."""
        if self._process is not None and self._filter is not None:
            self._process.terminate()
            try:
                self._process.wait(_GRACE)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._folder.pid.unlink(missing_ok=True)  # the number may soon be another process's
            self._filter.wait()


def check_address(plan: Plan) -> None:
    """Raises `Problem` when a broker cannot listen there, or nobody would find it; what it says of it helps nobody."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(plan.host, plan.port, type=socket.SOCK_STREAM)[0]
        found = _plain(str(address[0]))
        if found.is_unspecified:  # everywhere: no site could be told to go there
            raise OSError(errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL))
        if found.is_loopback and not _is_literal(plan.host):  # Debian gives a machine's own name to the loopback
            raise Problem(
                f"{plan.host} est ici {address[0]}, que nul autre ne joint ; il faut une adresse (ip -brief address)",
                f"{plan.host} is {address[0]} here, which nobody else reaches; an address is needed (ip -brief address)",
            )
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        host, port = plan.host, plan.port
        raise Problem(
            f"{host}, port {port} : {error.strerror} ; « ip -brief address » dit les adresses, --port change le port",
            f"{host}, port {port}: {error.strerror}; 'ip -brief address' tells the addresses, --port changes the port",
        ) from None


def _plain(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """The address, of the older kind if it is one in the clothes of the newer."""
    found = ipaddress.ip_address(address)
    return getattr(found, "ipv4_mapped", None) or found


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def revive(broker: Broker, signals: Signals, tell: Callable[[Text], None]) -> bool:
    """Begin the broker again if it has died, unless a signal has come; whether that was so. Raises `Problem`."""
    if broker.is_alive or signals.received:
        return False
    broker.end()
    tell(Text("le courtier est mort ; il est relancé", "the broker has died; it is started again"))
    signals.wait(_PAUSE)
    broker.begin()
    return True


def free_port() -> int:
    """A port of the loopback that nobody uses."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def tell_neighbours(folder: BrokerFolder, members: Iterable[Member]) -> None:
    """Tell each of these sites, whenever it next listens, whom it reads. Raises `Problem`."""
    environment = {"XDG_CONFIG_HOME": str(folder.keeper)}
    for member in members:
        told = ("-t", topic_of_neighbours(member.site), "-m", " ".join(member.reads))
        programs.run("mosquitto_pub", *told, cwd=folder.path, environment=environment)


def read_again(folder: BrokerFolder) -> bool:
    """Have the broker of `folder` read its accounts and rights again; False when none runs at this moment."""
    try:
        with folder.locked("verrou"):
            return False
    except BlockingIOError:
        try:
            os.kill(int(folder.pid.read_text()), signal.SIGHUP)
        except (FileNotFoundError, ProcessLookupError):
            # Between two lives: the next one reads everything, and its keeper tells everybody.
            return False
        return True
