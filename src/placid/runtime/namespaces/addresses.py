"""A block of private addresses that this machine does not use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from ipaddress import IPv4Network
from typing import Any

from placid.errors import RunError
from placid.runtime.namespaces.commands import read

__all__ = ["free_block", "used_networks"]

#: in the order in which they are tried: 198.18/15 is for measurements, so hardly anybody's; the others are private
_PRIVATE = ("198.18.0.0/15", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
_LENGTH = 16


def used_networks() -> list[IPv4Network]:
    """Where this machine has addresses or routes, the default route left out.

    Raises:
        RunError: `ip` does not tell.
    """
    routes = read("ip", "-4", "-json", "route", "show", "table", "all")
    addresses = read("ip", "-4", "-json", "address", "show")
    return [*_of_routes(routes), *_of_addresses(addresses)]


def free_block(used: Iterable[IPv4Network]) -> IPv4Network:
    """The first /16 that overlaps none of `used`.

    Raises:
        RunError: there is none.
    """
    taken = list(used)
    for pool in _PRIVATE:
        for block in IPv4Network(pool).subnets(new_prefix=_LENGTH):
            if not any(block.overlaps(network) for network in taken):
                return block
    raise RunError(
        f"no /{_LENGTH} of private addresses is free: this machine has addresses or routes in all of "
        f"{', '.join(_PRIVATE)}"
    )


def _of_routes(told: Iterable[Mapping[str, Any]]) -> Iterator[IPv4Network]:
    for route in told:
        if route["dst"] != "default":
            yield IPv4Network(route["dst"], strict=False)


def _of_addresses(told: Iterable[Mapping[str, Any]]) -> Iterator[IPv4Network]:
    for device in told:
        for address in device.get("addr_info", ()):
            if "local" in address:
                yield IPv4Network(f"{address['local']}/{address['prefixlen']}", strict=False)
