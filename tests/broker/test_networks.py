"""Each site in a network of its own (`ip netns`), with a cable (veth) to the broker's; cut and mended with `ip link`."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.broker.machines import Broker, Machine, System, needs_broker
from tests.processes.ring import LIMIT, assert_nothing_sold_twice, until

TOPOLOGY = "gch -- c1\nc1 -- c2\ngch -- c2\n"
SITES = ("gch", "c1", "c2")


def ip(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["ip", *arguments], capture_output=True, text=True, check=True, timeout=LIMIT)


def why_not() -> str:
    """Why networks cannot be made here; empty when they can."""
    name = f"bt{os.getpid()}probe"
    try:
        ip("netns", "add", name)
    except FileNotFoundError:
        return "no `ip` (apt install iproute2)"
    except subprocess.CalledProcessError as error:
        return f"no network namespaces: {error.stderr.strip()}"
    ip("netns", "del", name)
    return ""


class Networks:
    """A network for the broker, and one for each site, all of them cabled to a switch in the broker's."""

    ADDRESS = "10.77.0.1"

    def __init__(self) -> None:
        self._made: list[str] = []
        self.of_broker = self._add("broker")
        ip("-n", self.of_broker, "link", "add", "switch", "type", "bridge")
        self._up(self.of_broker, "switch", self.ADDRESS)
        for number, site in enumerate(SITES, 2):
            network = self._add(site)
            ip("-n", network, "link", "add", "cable", "type", "veth", "peer", "name", f"to-{site}", "netns", self.of_broker)
            ip("-n", self.of_broker, "link", "set", f"to-{site}", "master", "switch", "up")
            self._up(network, "cable", f"10.77.0.{number}")

    def _name(self, owner: str) -> str:
        return f"bt{os.getpid()}{owner}"

    def _add(self, owner: str) -> str:
        name = self._name(owner)
        ip("netns", "add", name)
        self._made.append(name)
        ip("-n", name, "link", "set", "lo", "up")
        return name

    def _up(self, network: str, link: str, address: str) -> None:
        ip("-n", network, "address", "add", f"{address}/24", "dev", link)
        ip("-n", network, "link", "set", link, "up")

    def inside(self, owner: str) -> list[str]:
        """What to put before a command that is to run in somebody's network."""
        return ["ip", "netns", "exec", self._name(owner)]

    def cut(self, site: str) -> None:
        """At the machine itself, as when its plug is drawn."""
        ip("-n", self._name(site), "link", "set", "cable", "down")

    def mend(self, site: str) -> None:
        ip("-n", self._name(site), "link", "set", "cable", "up")

    def cut_far_away(self, site: str) -> None:
        """Behind the switch: no machine notices, what is sent is lost."""
        ip("-n", self.of_broker, "link", "set", f"to-{site}", "nomaster")

    def mend_far_away(self, site: str) -> None:
        ip("-n", self.of_broker, "link", "set", f"to-{site}", "master", "switch")

    def close(self) -> None:
        for name in self._made:
            ip("netns", "del", name)


@pytest.fixture
def networks() -> Iterator[Networks]:
    if reason := why_not():
        pytest.skip(reason)
    made = Networks()
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def made(networks: Networks, tmp_path: Path) -> Iterator[System]:
    """The broker and three sites, each in its network."""
    broker = Broker(tmp_path, TOPOLOGY, "--adresse", networks.ADDRESS, wrap=networks.inside("broker"))
    made = System(tmp_path, broker)
    try:
        broker.start()
        for site in SITES:
            made.join(site, wrap=networks.inside(site))
        for machine in made.sites:
            machine.wait_for_link("joignable")
        yield made
    finally:
        made.close()


def reserve(site: Machine, how_many: int) -> list[int]:
    """Ask for so many; the numbers of the requests."""
    since = site.command(*["reserver"] * how_many)
    until(lambda: len(site.find(since, ev="request", state="asked")) == how_many, "the requests")
    return [event["request"] for event in site.find(since, ev="request", state="asked")]


@needs_broker
def test_links_are_cut_and_mended_and_nothing_is_lost_or_sold_twice(made: System, networks: Networks) -> None:
    """One plug is drawn while another cable is cut far away, then the guichet's; with requests under way, and new ones."""
    c1, c2 = made.clients
    for cuts in ({c1.name: networks.cut, c2.name: networks.cut_far_away}, {made.gch.name: networks.cut}):
        asked = [(site, number) for site in made.clients for number in reserve(site, 2)]
        for victim, cut in cuts.items():
            cut(victim)
        asked += [(site, number) for site in made.clients for number in reserve(site, 1)]
        away = [site for site in made.sites if site.name in cuts]
        for site in away:
            site.wait_for_link("injoignable")
        for victim, cut in cuts.items():
            (networks.mend if cut == networks.cut else networks.mend_far_away)(victim)
        for site in away:
            site.wait_for_link("joignable")
        for site, number in asked:
            assert site.settled(number)["state"] == "owned"
    made.photograph(c2, SITES)
    assert made.gch.state()["sold"] == 2 * 2 * 3
    assert_nothing_sold_twice(made)
    made.end()
