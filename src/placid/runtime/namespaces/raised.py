"""Raising namespaces, the bridge and the links of a plan, taking them down, and sweeping what dead runs left."""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from placid.network.graph import Network
from placid.runtime.namespaces.addresses import free_block, used_networks
from placid.runtime.namespaces.bucket import PACKET_BYTES, burst_bytes
from placid.runtime.namespaces.commands import batch, read, try_to
from placid.runtime.namespaces.enter import NAMESPACES
from placid.runtime.namespaces.plan import End, KernelLink, Plan, Run, plan_links

__all__ = ["left", "raise_links", "remove", "sweep"]

_LOCK = Path("/run/placid-namespaces.lock")
_INSIDE = "mgmt0"
#: segments that the kernel may send as one packet; a bucket takes or leaves them together
_MOST_SEGMENTS = 40


def raise_links(network: Network) -> Plan:
    """Raise all of `network`; `remove` its run afterwards. What runs left whose process is gone is swept before.

    Raises:
        RunError: the kernel refuses; nothing is left then.
        InputError: the network is too large.
    """
    run = Run.mine()
    # two that start at once must not choose the same addresses
    with _alone():
        sweep()
        plan = plan_links(network, run, free_block(used_networks()))
        atexit.register(remove, run)
        try:
            _raise(plan)
        except BaseException:
            remove(run)
            raise
    return plan


def remove(run: Run) -> None:
    """Take down all of `run`; nothing happens to what is gone already."""
    namespaces, devices = left(run)
    for device in devices:
        try_to("ip", "link", "del", device)
    for namespace in namespaces:
        # what is in it, links with their rates, goes with it
        try_to("ip", "netns", "del", namespace)


def sweep() -> None:
    """Take down what runs left whose process is no more."""
    marks = [*_namespaces(), *_devices().values()]
    runs = {run for mark in marks if (run := Run.of(mark)) is not None}
    for run in runs:
        if not run.lives():
            remove(run)


def left(run: Run) -> tuple[list[str], list[str]]:
    """Namespaces, and devices of the root namespace, that are there of `run`."""
    namespaces = [name for name in _namespaces() if Run.of(name) == run]
    return namespaces, [device for device, mark in _devices().items() if Run.of(mark) == run]


def _raise(plan: Plan) -> None:
    mark = plan.run.mark
    batch("ip", [f"netns add {place.namespace}" for place in plan.places.values()])
    outside = [
        f"link add {plan.bridge} type bridge",
        f"link set {plan.bridge} alias {mark} addrgenmode none",
        f"address add {plan.gateway}/{plan.management.prefixlen} dev {plan.bridge}",
        f"link set {plan.bridge} up",
    ]
    inside: dict[str, list[str]] = {}
    rates: dict[str, list[str]] = {}
    for place in plan.places.values():
        outside += [
            f"link add {place.outer} type veth peer name {_INSIDE} netns {place.namespace}",
            f"link set {place.outer} alias {mark} addrgenmode none master {plan.bridge}",
            f"link set {place.outer} up",
        ]
        inside[place.namespace] = [
            "link set lo up",
            f"address add {place.host}/{plan.management.prefixlen} dev {_INSIDE}",
            f"link set {_INSIDE} addrgenmode none up",
        ]
        rates[place.namespace] = []
    for link in plan.links:
        outside.append(
            f"link add {link.a.device} netns {link.a.namespace} address {link.a.mac} type veth "
            f"peer name {link.b.device} netns {link.b.namespace} address {link.b.mac}"
        )
        for here, there in ((link.a, link.b), (link.b, link.a)):
            inside[here.namespace] += _end(link, here, there)
            rates[here.namespace] += _shaped(link, here)
    batch("ip", outside)
    for namespace, lines in inside.items():
        batch("ip", lines, namespace=namespace)
        if rates[namespace]:
            batch("tc", rates[namespace], namespace=namespace)


def _end(link: KernelLink, here: End, there: End) -> list[str]:
    """Commands for one end's device: its address, and its only neighbour."""
    segments = _MOST_SEGMENTS
    if link.rate_bytes_per_s is not None:
        segments = max(1, min(segments, burst_bytes(link.rate_bytes_per_s) // PACKET_BYTES))
    return [
        f"address add {here.host}/31 dev {here.device}",
        f"link set {here.device} addrgenmode none gso_max_segs {segments} up",
        f"neighbour add {there.host} lladdr {there.mac} dev {here.device} nud permanent",
    ]


def _shaped(link: KernelLink, here: End) -> list[str]:
    """Commands for the rate of what leaves at one end."""
    if link.rate_bytes_per_s is None:
        return []
    # htb and not tbf: a bucket of tbf has to hold a whole packet, which a slow link then never waits for
    burst = burst_bytes(link.rate_bytes_per_s)
    return [
        f"qdisc add dev {here.device} root handle 1: htb default 1",
        f"class add dev {here.device} parent 1: classid 1:1 htb rate {round(8 * link.rate_bytes_per_s)}bit "
        f"burst {burst}b cburst {burst}b quantum {PACKET_BYTES}",
    ]


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    fd = os.open(_LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def _namespaces() -> list[str]:
    try:
        return os.listdir(NAMESPACES)
    except FileNotFoundError:
        return []


def _devices() -> dict[str, str]:
    """Devices of the root namespace that carry an alias."""
    return {str(d["ifname"]): str(d["ifalias"]) for d in read("ip", "-json", "link") if "ifalias" in d}
