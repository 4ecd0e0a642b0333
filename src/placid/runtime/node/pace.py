"""How long work takes on the processor that a node stands for, and who waits for whom there.

A node of this machine computes a segment in the time of this machine. What it stands for may be a phone: an answer is then
kept back until the phone would have had it. Every placed copy is a server with a queue in front of it, as in the model.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from functools import lru_cache
from math import ceil
from time import monotonic

from placid.catalog.pricing import SegmentPricing
from placid.catalog.processors import processor_class
from placid.runtime.node.networks import Networks

__all__ = ["Copy", "pace_of"]


class Copy:
    """A placed item as a first-come-first-served queue with so many servers.

    Args:
        servers: a fraction makes all of them slower, and one more.
    """

    def __init__(self, servers: float) -> None:
        count = max(1, ceil(servers))
        self._slower = count / servers
        self._free_at_s = [0.0] * count

    def wait_s(self) -> float:
        """For which a request that came now would have to wait."""
        return max(0.0, self._free_at_s[0] - monotonic())

    def done_at(self, came_s: float, takes_s: float) -> float:
        """When work that came at `came_s` and takes `takes_s` is done; the server is busy until then."""
        done = max(came_s, self._free_at_s[0]) + takes_s * self._slower
        heapq.heapreplace(self._free_at_s, done)
        return done


def pace_of(
    networks: Networks, processor: str, measured_on: str
) -> Callable[[str, int, int, bool, bool], float]:
    """Seconds that segments of a variant take on `processor`, by (variant, first, last, decode, encode).

    As a profile has it: measured where the zoo was measured, else modelled.
    """
    cls = processor_class(processor)
    pricing = SegmentPricing((cls,), processor_class(measured_on))

    @lru_cache(maxsize=4096)
    def takes_s(variant: str, first: int, last: int, decode: bool, encode: bool) -> float:
        told = networks.runnable(variant).variant
        total = sum(pricing.segment_s(s, cls) for s in told.segments[first:last])
        if decode and first:
            total += pricing.codec_s(told.crossings[first - 1].decode, cls)
        if encode and last < len(told.segments):
            total += pricing.codec_s(told.crossings[last - 1].encode, cls)
        return total

    return takes_s
