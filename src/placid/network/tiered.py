"""The tiered network of an Internet service provider: base stations, two levels of central offices, data centre, cloud."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil

from placid.errors import InputError, UnknownNameError
from placid.network.graph import Link, Network, Node

__all__ = ["TIERS", "tiered"]

#: from the users to the repository
TIERS = ("base-station", "central-office", "regional-office", "data-centre", "cloud")

_GIB = 1 << 30
#: what a tier's nodes have unless told otherwise: our choice, in the order of the sizes of published studies
_MEMORY_BYTES = {
    "base-station": 8 * _GIB,
    "central-office": 16 * _GIB,
    "regional-office": 32 * _GIB,
    "data-centre": 64 * _GIB,
    "cloud": 0,
}


def tiered(
    base_stations: int = 24,
    *,
    stations_per_office: int = 3,
    offices_per_region: int = 4,
    rtt_s: tuple[float, float, float, float] = (0.006, 0.006, 0.015, 0.040),
    memory_bytes: Mapping[str, int] | None = None,
    processor: Mapping[str, str] | str = "cpu",
    bandwidth_bytes_per_s: float = float("inf"),
    energy_j_per_byte: float = 0.0,
    rate_bytes_per_s: float = float("inf"),
    processors: Mapping[str, float] | None = None,
) -> Network:
    """A tree: requests enter at base stations and climb to the cloud, which is the repository.

    The defaults give 24 + 8 + 2 + 1 + 1 = 36 nodes with the round-trip times of our reading of Si Salem et al. (IEEE/ACM ToN
    2024), topology I; ``tiered(1)`` is the chain of five nodes, our reading of its topology II.

    Args:
        base_stations: how many; 100,000 take a few seconds.
        stations_per_office, offices_per_region: how many hang below one node of the next tier.
        rtt_s: of the links above base stations, central offices, regional offices and the data centre.
        memory_bytes: by tier; tiers left out keep 8, 16, 32 and 64 GiB.
        processor: one class for all, or by tier.
        rate_bytes_per_s: hard limit of what all requests together move over any link, each way.
        processors: by tier, how many processors the copies at a node share; tiers left out have one for every copy.

    Raises:
        InputError: a count is below 1, or a round-trip time is missing.
        UnknownNameError: `memory_bytes`, `processor` or `processors` names an unknown tier.

    Example:
        >>> network = tiered()
        >>> len(network.nodes), network.tiers[0]
        (36, 'base-station')
    """
    for setting, least in (
        ("base_stations", base_stations),
        ("stations_per_office", stations_per_office),
        ("offices_per_region", offices_per_region),
    ):
        if least < 1:
            raise InputError(f"'{setting}' must be at least 1, got {least}")
    if len(rtt_s) != 4:
        raise InputError(f"'rtt_s' needs four round-trip times, one above each tier, got {len(rtt_s)}")
    classes = dict.fromkeys(TIERS, processor) if isinstance(processor, str) else dict(processor)
    memory = _MEMORY_BYTES | dict(memory_bytes or {})
    for tier in (*memory, *classes, *(processors or {})):
        if tier not in TIERS:
            raise UnknownNameError("tier", tier, TIERS)
    for tier in TIERS:
        if tier not in classes:
            raise InputError(
                f"'processor' lacks the tier '{tier}': give one class for all, or one for every tier"
            )

    offices = ceil(base_stations / stations_per_office)
    regions = ceil(offices / offices_per_region)
    counts = (base_stations, offices, regions, 1, 1)
    names = ("bs", "co", "region", "dc", "cloud")
    per_parent = (stations_per_office, offices_per_region, regions, 1)

    def name(level: int, i: int) -> str:
        return names[level] if counts[level] == 1 else f"{names[level]}-{i}"

    nodes: list[Node] = []
    links: list[Link] = []
    x_below: list[float] = []
    for level, (tier, count) in enumerate(zip(TIERS, counts, strict=True)):
        if level == 0:
            x = [float(i) for i in range(count)]
        else:
            # a parent stands above the middle of its children
            width = per_parent[level - 1]
            x = [_mean(x_below[i * width : (i + 1) * width]) for i in range(count)]
        nodes += [
            Node(
                name(level, i),
                tier,
                memory[tier],
                classes[tier],
                tier == "cloud",
                (x[i], float(level)),
                processors=(processors or {}).get(tier, float("inf")),
            )
            for i in range(count)
        ]
        if level:
            width = per_parent[level - 1]
            links += [
                Link(
                    name(level - 1, i),
                    name(level, i // width),
                    rtt_s[level - 1],
                    bandwidth_bytes_per_s,
                    energy_j_per_byte,
                    rate_bytes_per_s,
                )
                for i in range(counts[level - 1])
            ]
        x_below = x
    return Network(tuple(nodes), tuple(links), f"tiered ISP, {base_stations} base stations")


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
