"""What is to be expected of requests that take given ways: every outcome with its probability, latency, bytes by link.

From the zoo, the processor classes and the network alone, as a node would live through it. The expectation over the outcomes
of a way is the cost of the option that it was made from.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from placid.catalog.pricing import SegmentPricing
from placid.catalog.processors import Processor, processor_class
from placid.catalog.variants import Variant, Zoo
from placid.network.graph import Network
from placid.network.routing import route
from placid.runtime.spec import Stage, Way

__all__ = ["Expected", "Forecast", "Outcome"]


@dataclass(frozen=True)
class Outcome:
    """One thing that can happen to a request.

    Attributes:
        exit: position of the exit that answers; -1 for the end.
        links: node -> bytes up and bytes down on its link to the next node.
    """

    probability: float
    latency_s: float
    node: str
    exit: int
    links: Mapping[str, tuple[float, float]] = field(hash=False)


@dataclass
class Expected:
    """Sums over many requests.

    Attributes:
        latency_s: (weight, latency), for means and quantiles.
        nodes: node -> requests answered there.
        links: node -> bytes on its link to the next node, both ways.
        right: requests answered rightly.
        variance: of the bytes on a link (all links: under the empty name), if requests are independent.
    """

    requests: float = 0.0
    latency_s: list[tuple[float, float]] = field(default_factory=list)
    nodes: dict[str, float] = field(default_factory=dict)
    links: dict[str, float] = field(default_factory=dict)
    right: float = 0.0
    variance: dict[str, float] = field(default_factory=dict)

    def add(self, count: float, outcomes: Iterable[Outcome], accuracy: float, *, chance: float = 1.0) -> None:
        """`count` requests more.

        Args:
            chance: of the variance of independent requests, what is left: 0 where it is known which pictures they have.
        """
        self.requests += count
        self.right += count * accuracy
        outcomes = tuple(outcomes)
        for node in {"", *(n for one in outcomes for n in one.links)}:
            told = [(one.probability, _bytes(one, node)) for one in outcomes]
            mean = sum(p * b for p, b in told)
            more = chance * count * sum(p * (b - mean) ** 2 for p, b in told)
            self.variance[node] = self.variance.get(node, 0.0) + more
        for one in outcomes:
            weight = count * one.probability
            self.latency_s.append((weight, one.latency_s))
            self.nodes[one.node] = self.nodes.get(one.node, 0.0) + weight
            for node, (up, down) in one.links.items():
                self.links[node] = self.links.get(node, 0.0) + weight * (up + down)

    @property
    def mean_latency_s(self) -> float:
        return sum(w * x for w, x in self.latency_s) / self.requests if self.requests else float("nan")

    def quantile_s(self, q: float) -> float:
        """Of the latency; nobody waits for anybody here."""
        if not self.requests:
            return float("nan")
        latency = np.array(sorted(self.latency_s, key=lambda one: one[1]))
        weight = latency[:, 0].cumsum()
        return float(latency[int(np.searchsorted(weight, q * weight[-1])), 1])


class Forecast:
    """Outcomes of ways on a network.

    Args:
        response_bytes: task -> bytes of an answer.
        measured_on: the class that the zoo was measured on.
    """

    def __init__(
        self, network: Network, zoo: Zoo, response_bytes: Mapping[str, int], measured_on: str = "x86-core"
    ) -> None:
        self._network, self._zoo, self._response_bytes = network, zoo, response_bytes
        self._measured_on = processor_class(measured_on)
        self._routes = route(network)
        self._pricing: dict[str, SegmentPricing] = {}
        self._known: dict[tuple[str, tuple[Stage, ...], str, str], tuple[Outcome, ...]] = {}

    def outcomes(
        self, way: Way, entered: str, task: str, leave: Mapping[int, float] | None = None
    ) -> tuple[Outcome, ...]:
        """Of a request that enters at node `entered` and takes `way`; probabilities add up to 1.

        Args:
            leave: position of an exit -> share that leaves there; None for the zoo's shares.
        """
        if leave:
            return tuple(self._outcomes(way, entered, task, leave))
        key = (way.variant, way.stages, entered, task)
        if key not in self._known:
            self._known[key] = tuple(self._outcomes(way, entered, task, {}))
        return self._known[key]

    def accuracy(self, way: Way) -> float:
        """Of the variant, on the zoo's test images."""
        return self._zoo.variant(way.variant).accuracy

    def _outcomes(self, way: Way, entered: str, task: str, leave: Mapping[int, float]) -> Iterator[Outcome]:
        variant = self._zoo.variant(way.variant)
        exits = {e.segment: (i, leave.get(i, e.share)) for i, e in enumerate(variant.exits)}
        here, latency_s = entered, 0.0
        links: dict[str, tuple[float, float]] = {}
        sent_bytes = float(self._zoo.input_bytes)
        left = 1.0
        for number, stage in enumerate(way.stages):
            coded = stage.node != here and stage.first > 0
            if stage.node != here:
                latency_s += self._travel(here, stage.node, sent_bytes, links, up=True)
                here = stage.node
            pricing, cls = self._price(here)
            if coded:
                latency_s += pricing.codec_s(variant.crossings[stage.first - 1].decode, cls)
            for place in range(stage.first, stage.last):
                latency_s += pricing.segment_s(variant.segments[place], cls)
                end = place == len(variant.segments) - 1
                if place in exits or end:
                    exit_, share = exits.get(place, (-1, left))
                    answered = left if end else min(share, left)
                    if answered > 0:
                        yield self._answered(answered, latency_s, here, exit_, links, entered, task)
                    left -= answered
            if left <= 1e-12:
                return
            if number + 1 < len(way.stages) and way.stages[number + 1].node != here:
                crossing = variant.crossings[stage.last - 1]
                latency_s += pricing.codec_s(crossing.encode, cls)
                sent_bytes = crossing.mean_bytes
        raise AssertionError(f"way of {_told(variant)} ends before its network does")

    def _answered(
        self,
        probability: float,
        latency_s: float,
        node: str,
        exit_: int,
        links: Mapping[str, tuple[float, float]],
        entered: str,
        task: str,
    ) -> Outcome:
        back = dict(links)
        latency_s += self._travel(entered, node, self._response_bytes[task], back, up=False)
        return Outcome(probability, latency_s, node, exit_, back)

    def _travel(
        self, low: str, high: str, size_bytes: float, links: dict[str, tuple[float, float]], *, up: bool
    ) -> float:
        """Seconds from `low` to `high`, or back; `links` gets the bytes."""
        network, seconds = self._network, 0.0
        v, goal = network.index[low], network.index[high]
        while v != goal:
            link = network.links[self._routes.link[v]]
            seconds += link.rtt_s / 2 + size_bytes / link.bandwidth_bytes_per_s
            name = network.nodes[v].name
            before = links.get(name, (0.0, 0.0))
            links[name] = (before[0] + size_bytes, before[1]) if up else (before[0], before[1] + size_bytes)
            v = int(self._routes.next_hop[v])
        return seconds

    def _price(self, node: str) -> tuple[SegmentPricing, Processor]:
        name = self._network.node(node).processor
        cls = processor_class(name)
        if name not in self._pricing:
            self._pricing[name] = SegmentPricing((cls,), self._measured_on)
        return self._pricing[name], cls


def _bytes(outcome: Outcome, node: str) -> float:
    """On the link above `node`; on all links for the empty name."""
    return sum(up + down for name, (up, down) in outcome.links.items() if node in ("", name))


def _told(variant: Variant) -> str:
    return f"variant '{variant.name}'"
