"""One network between one device and one server: where two well-known methods cut it, and what that comes to.

They part every request by itself, as the link is at that moment, and place nothing: both nodes hold the whole network, and
no request meets another's. So they are rivals of a placement, and yardsticks for what a cut alone can buy.

- `neurosurgeon`: of a network taken as a chain, the cut of least latency or least energy of the device (Kang et al.,
  Neurosurgeon: Collaborative Intelligence Between the Cloud and Mobile Edge, ASPLOS 2017).
- `dads`: of a network of any shape, the head of least latency; if requests come faster than it lets through, the one that
  lets through most (Hu et al., Dynamic Adaptive DNN Surgery for Inference Acceleration on the Edge, INFOCOM 2019).

``Differs from the papers:`` what an operation takes on a node is the roofline of that operation by itself, declared in
`placid.catalog.processors`, and each node in use has its overhead once. Neurosurgeon fits a regression for each type of
layer to measurements on its devices, DADS measures each layer. All figures here are modelled.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from placid.catalog.processors import Processor
from placid.catalog.radios import Radio
from placid.errors import InputError, UnknownNameError
from placid.placement.offline.cut_rule import best_cuts
from placid.placement.offline.stage_cut import cut_for_rate

if TYPE_CHECKING:
    from placid.splitting.cutting import Dataflow

__all__ = [
    "OBJECTIVES",
    "Parting",
    "Priced",
    "dads",
    "neurosurgeon",
    "operation_seconds",
    "parting",
    "priced",
]

#: what `neurosurgeon` makes least
OBJECTIVES = ("latency", "energy")


@dataclass(frozen=True)
class Priced:
    """A network, a device and a server: what each operation takes on either. Made once, used for every link and request.

    Attributes:
        flow: the network: n inputs and operations.
        device_s, server_s: float64 [n]; overheads included. Inputs are on the device.
        sent_bytes: float64 [n]; of what each makes, should it cross.
        ends: int64 [L + 1]; the network as a chain of L layers, from cut to cut: layer j has the operations from ends[j] on
            and before ends[j + 1].
        crossing_bytes: float64 [L]; what crosses if the chain is cut before each layer.
    """

    flow: Dataflow
    device: Processor
    server: Processor
    device_s: np.ndarray
    server_s: np.ndarray
    sent_bytes: np.ndarray
    ends: np.ndarray
    crossing_bytes: np.ndarray


@dataclass(frozen=True)
class Parting:
    """A network in two parts, and what a request takes.

    Attributes:
        head: bool [n]; what the device runs, inputs included.
        after: names of what crosses; empty if nothing does.
        sent_bytes: that cross.
        stages_s: on device, link and server; requests that follow one another get through at 1 / the longest.
        latency_s: all three, and a round trip if anything crosses.
        device_j: energy of the device, computing and sending.
        device_share: of the multiply-adds, in [0, 1].
    """

    head: np.ndarray
    after: tuple[str, ...]
    sent_bytes: float
    stages_s: tuple[float, float, float]
    latency_s: float
    device_j: float
    device_share: float


def operation_seconds(flow: Dataflow, processor: Processor) -> np.ndarray:
    """float64 [n]; what each operation takes by itself: the slower of arithmetic and memory. No overhead is in it.

    A runtime that fuses operations moves fewer bytes, so the sum is at least the roofline of all of them together.
    """
    compute_s = flow.multiply_adds / processor.multiply_adds_per_s()
    return np.maximum(compute_s, flow.moved_bytes / processor.bytes_per_s)


def priced(
    flow: Dataflow, device: Processor, server: Processor, *, input_bytes: float | None = None
) -> Priced:
    """Put a price on every operation.

    Args:
        input_bytes: of each input when it is sent, such as a picture of 8 bits a pixel; left out: as the network takes it.

    Raises:
        InputError: several operations read the input, or there are several answers: then a node's overhead belongs to no
            single one of them. Or `input_bytes` is negative.
    """
    if input_bytes is not None and not 0 <= input_bytes < np.inf:
        raise InputError(f"an input has at least 0 bytes, got {input_bytes}")
    n = len(flow.names)
    first = np.unique(flow.arcs[flow.arcs[:, 0] < flow.inputs, 1])
    last = flow.outputs
    if len(first) != 1 or len(last) != 1:
        raise InputError(
            f"a network to part needs one operation that begins and one answer, got {len(first)} and {len(last)}: "
            f"{', '.join(flow.names[i] for i in (*first, *last))}"
        )
    device_s, server_s = operation_seconds(flow, device), operation_seconds(flow, server)
    device_s[first] += device.overhead_s
    server_s[last] += server.overhead_s
    sent = flow.made_bytes.copy()
    if input_bytes is not None:
        sent[: flow.inputs] = input_bytes
    ends = np.array([flow.inputs, *flow.cuts, n], np.int64)
    crossing = [float(sent[flow.crossing(int(e))].sum()) for e in ends[:-1]]
    return Priced(flow, device, server, device_s, server_s, sent, ends, np.array(crossing))


def neurosurgeon(network: Priced, link: Radio, objective: str = "latency") -> Parting:
    """The best single cut between layers, on all of the device and none of it included.

    A network that is no chain is cut in its own order, with all that has to cross there.

    Args:
        objective: of `OBJECTIVES`; energy is the device's alone, as in the paper.

    Raises:
        UnknownNameError: there is no such objective.
    """
    work, fixed, per_byte = chain_costs(network, link, objective)
    found = best_cuts(work, network.crossing_bytes, np.array([fixed]), np.array([per_byte]))
    head = np.arange(len(network.flow.names)) < network.ends[found.cuts[0]]
    return parting(network, head, link)


def chain_costs(network: Priced, link: Radio, objective: str) -> tuple[np.ndarray, float, float]:
    """What `best_cuts` asks for: work float64 [2, L], and of the link what is fixed and what a byte takes."""
    if objective not in OBJECTIVES:
        raise UnknownNameError("objective", objective, OBJECTIVES)
    device_s, server_s = (np.add.reduceat(s, network.ends[:-1]) for s in (network.device_s, network.server_s))
    if objective == "energy":
        device_j = network.device.busy_w * device_s
        return np.stack((device_j, np.zeros_like(device_j))), 0.0, link.sent_j_per_byte
    return np.stack((device_s, server_s)), link.rtt_s, _byte_s(link)


def dads(network: Priced, link: Radio, rate_per_s: float = 0.0) -> Parting:
    """The head of least latency, or if that does not let `rate_per_s` requests through, the one for most of them.

    Raises:
        InputError: a rate below 0.
    """
    found = cut_for_rate(
        *graph_costs(network),
        rate_per_s,
        fixed=link.rtt_s,
        per_byte=_byte_s(link),
        orders=network.flow.orders,
    )
    return parting(network, found.head, link)


def graph_costs(network: Priced) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """What `best_graph_cut` asks for, in seconds: first work, second work, bytes, arcs. The input is where it comes in."""
    server_s = network.server_s.copy()
    server_s[: network.flow.inputs] = np.inf
    return network.device_s, server_s, network.sent_bytes, network.flow.arcs


def parting(network: Priced, head: np.ndarray, link: Radio) -> Parting:
    """What it comes to if the device runs `head`, bool [n]: of any cut, whoever chose it."""
    flow = network.flow
    sent = np.unique(flow.arcs[head[flow.arcs[:, 0]] & ~head[flow.arcs[:, 1]], 0])
    size = float(network.sent_bytes[sent].sum())
    device_s, server_s = float(network.device_s[head].sum()), float(network.server_s[~head].sum())
    stages = (device_s, size * _byte_s(link), server_s)
    whole = max(1, int(flow.multiply_adds.sum()))
    return Parting(
        head,
        tuple(flow.names[i] for i in sent),
        size,
        stages,
        sum(stages) + (0.0 if head.all() else link.rtt_s),
        network.device.busy_w * device_s + size * link.sent_j_per_byte,
        float(flow.multiply_adds[head].sum()) / whole,
    )


def _byte_s(link: Radio) -> float:
    """Of one byte; where a message carries few, its share of a round trip is in it."""
    return 1 / link.bytes_per_s + (link.rtt_s / link.message_bytes if link.message_bytes else 0.0)
