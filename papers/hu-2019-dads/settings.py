"""What the study goes through: networks, devices, links. The figures of the paper."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from placid.catalog.processors import PROCESSORS, Processor
from placid.catalog.radios import Radio

__all__ = [
    "BITS_PER_S",
    "DEVICES",
    "PAPER_HEAVY",
    "PAPER_LIGHT",
    "PAPER_LINKS",
    "PAPER_OVER_CHAIN",
    "SERVER",
    "at",
    "networks",
]

#: times faster than all on the device and than all in the cloud, from least to most of five networks; latency at light load
PAPER_LIGHT = ((1.91, 6.45), (1.35, 8.08))
#: requests a second at heavy load, likewise
PAPER_HEAVY = ((4.34, 9.14), (1.46, 14.10))
#: latency of the networks that are no chain, against Neurosurgeon on their operations in a row
PAPER_OVER_CHAIN = (0.66, 0.86)
#: their Table I, bit/s
PAPER_LINKS = {"CAT1": 0.13e6, "3G": 1.1e6, "4G": 5.85e6, "WiFi": 18.88e6}

DEVICES = tuple(PROCESSORS[name] for name in ("raspberry-pi-4", "cortex-m7", "phone", "jetson-nano"))
SERVER: Processor = PROCESSORS["x86-server"]
#: of a sweep; a round trip of 10 ms at every rate, declared
BITS_PER_S = (5e3, *(m * 10.0**k for k in range(4, 9) for m in (1, 3)), 1e9)


def at(bits_per_s: float) -> Radio:
    """A link of that rate; energy is not asked of it."""
    return Radio(f"{bits_per_s:g} bit/s", "declared", bits_per_s / 8, 0.0, 0.0, 0.01)


def networks() -> dict[str, tuple[Callable[[], Any], tuple[int, int, int]]]:
    """Name -> what makes it, with random weights, and the shape of a picture. Needs torch."""
    from placid.splitting.nets import airbench, lenet, resnet
    from placid.splitting.nets.imagenet import alexnet_224, googlenet, resnet18

    return {
        "alexnet-224": (alexnet_224, (3, 224, 224)),
        "resnet18": (resnet18, (3, 224, 224)),
        "googlenet": (googlenet, (3, 224, 224)),
        "resnet20": (lambda: resnet(20), (3, 32, 32)),
        "airbench": (airbench, (3, 32, 32)),
        "lenet": (lenet, (1, 28, 28)),
    }
