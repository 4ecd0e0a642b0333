"""What the study goes through: networks, devices, links. The figures of the paper."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from placid.catalog.processors import PROCESSORS, Processor
from placid.catalog.radios import RADIOS, Radio

__all__ = [
    "BITS",
    "BITS_PER_S",
    "DEVICES",
    "PAPER_ENERGY",
    "PAPER_LATENCY",
    "RADIO_LINKS",
    "SERVER",
    "at",
    "networks",
]

#: mean and most, of eight networks, against sending the input to the cloud
PAPER_LATENCY, PAPER_ENERGY = (3.1, 40.7), (0.595, 0.947)

DEVICES = tuple(PROCESSORS[name] for name in ("cortex-m7", "raspberry-pi-4", "phone", "jetson-nano"))
SERVER: Processor = PROCESSORS["t4"]
#: of a sweep, six a decade; a round trip of 10 ms at every rate, declared
BITS_PER_S = (5e3, *(float(f"{10 ** (k / 6):.3g}") for k in range(23, 55)))
#: bits of a number when it is sent: of the picture, of what layers make. The first is how pictures come and layers compute
BITS = ((8, 32), (32, 32), (8, 8))
#: links with declared energies, for what the paper reports of Wi-Fi and cellular links
RADIO_LINKS = tuple(RADIOS[name] for name in ("ble", "lte", "wifi"))


def at(bits_per_s: float) -> Radio:
    """A link of that rate; energy is not asked of it."""
    return Radio(f"{bits_per_s:g} bit/s", "declared", bits_per_s / 8, 0.0, 0.0, 0.01)


def networks() -> dict[str, tuple[Callable[[], Any], tuple[int, int, int]]]:
    """Name -> what makes it, with random weights, and the shape of a picture. Needs torch."""
    from placid.splitting.nets import airbench, alexnet, lenet, resnet, resnet9
    from placid.splitting.nets.imagenet import alexnet_224

    return {
        "alexnet-224": (alexnet_224, (3, 224, 224)),
        "lenet": (lenet, (1, 28, 28)),
        "alexnet": (alexnet, (3, 32, 32)),
        "resnet20": (lambda: resnet(20), (3, 32, 32)),
        "resnet9": (resnet9, (3, 32, 32)),
        "airbench": (airbench, (3, 32, 32)),
    }
