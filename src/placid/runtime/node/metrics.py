"""What a node tells Prometheus: its tally, what it holds, its link, how long requests took."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from placid.runtime.node.node import Node

__all__ = ["CONTENT_TYPE", "Metrics"]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
#: seconds: from an answer on the device to one over the slowest radio
_BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


class Metrics:
    """The metrics of one node.

    Attributes:
        request_s: how long requests that entered here took in the network.
    """

    def __init__(self, node: Node) -> None:
        self._registry = CollectorRegistry()
        self.request_s = Histogram(
            "placid_request_seconds",
            "Time from when a request entered here until its answer was here",
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._registry.register(_Counted(node))

    def text(self) -> bytes:
        """As Prometheus reads it."""
        return generate_latest(self._registry)


class _Counted(Collector):
    """The node's own counts, read when they are asked for."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def describe(self) -> Iterator[Metric]:
        return iter(())  # nothing is counted before the first request

    def collect(self) -> Iterator[Metric]:
        node, tally = self._node, self._node.tally
        for name, about, label, counts in (
            ("entered", "Requests that entered the network here", "task", tally.entered),
            ("refused", "Requests that were refused", "reason", tally.refused),
            ("reached", "Requests that reached an item held here", "item", tally.reached),
            ("passed_on", "Requests that an item could not take", "reason", tally.passed_on),
        ):
            counter = CounterMetricFamily(f"placid_requests_{name}", about, labels=[label])
            for key, count in counts.items():
                counter.add_metric([key], count)
            yield counter
        counter = CounterMetricFamily(
            "placid_requests_answered", "Requests answered here", labels=["variant", "exit"]
        )
        for key, count in tally.answered.items():
            counter.add_metric(key.rsplit("#", 1), count)
        yield counter
        yield CounterMetricFamily(
            "placid_loaded_bytes", "Bytes of items loaded here", value=tally.bytes_loaded
        )
        yield CounterMetricFamily("placid_loading_seconds", "Time that loading took", value=tally.took_s)
        yield GaugeMetricFamily("placid_budget_bytes", "Memory for items", value=node.held.budget_bytes)
        yield GaugeMetricFamily(
            "placid_used_bytes", "Memory that items take of it", value=node.held.used_bytes
        )
        yield GaugeMetricFamily("placid_in_flight", "Requests under way here", value=node.in_flight)
        held = GaugeMetricFamily("placid_held", "Items held here", labels=["item"])
        for item in node.held.copies:
            held.add_metric([item], 1)
        yield held
        if node.shaped is not None:
            to = node.shaped.uplink.node
            sent = CounterMetricFamily(
                "placid_link_bytes", "Payload on the link up", labels=["to", "direction"]
            )
            late = CounterMetricFamily(
                "placid_link_late_seconds", "By how much it arrived late", labels=["to", "direction"]
            )
            for direction, told in (("up", node.shaped.up), ("down", node.shaped.down)):
                sent.add_metric([to, direction], told.bytes_sent)
                late.add_metric([to, direction], max(0.0, told.late_s))
            yield sent
            yield late
