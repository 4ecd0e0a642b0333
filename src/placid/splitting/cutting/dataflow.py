"""A network's operations as flat arrays: what each takes, what it makes, who reads it. For methods that ask where to cut."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor

from placid.splitting.cutting.costs import overwrites
from placid.splitting.cutting.cuts import weights_of

if TYPE_CHECKING:
    from torch.fx import Node

    from placid.splitting.cutting.trace import Traced

__all__ = ["Dataflow", "dataflow"]


@dataclass(frozen=True)
class Dataflow:
    """The inputs of a network, then its operations in the network's order: n in all. All figures are of one input.

    Attributes:
        inputs: how many of the n are inputs; they come first.
        names: of the cut after each where there is one, else the name of the operation.
        multiply_adds, moved_bytes: int64 [n]; as of `placid.splitting.cutting.cuts.Side`. Inputs take nothing.
        made_bytes: float64 [n]; of what each makes; infinite where that is no tensor and so cannot be sent.
        arcs: int64 [m, 2]; (v, w) where w reads what v makes.
        orders: int64 [k, 2]; (v, w) where w writes over what v reads, or v over what w reads: v runs first, or both are on
            the same side.
        outputs: int64; what the network answers. What nothing reads and is no answer leads nowhere, such as the places of
            the largest values that a pooling gives beside them.
        cuts: int64; numbers of operations (inputs included) before each of `Traced.cuts`.
        parameter_bytes: of all weights: what a node keeps that may be asked for any part.
        peak_bytes: most bytes of tensors alive at once.
    """

    inputs: int
    names: tuple[str, ...]
    multiply_adds: np.ndarray
    moved_bytes: np.ndarray
    made_bytes: np.ndarray
    arcs: np.ndarray
    orders: np.ndarray
    outputs: np.ndarray
    cuts: np.ndarray
    parameter_bytes: int
    peak_bytes: int

    def crossing(self, before: int) -> np.ndarray:
        """int64; whose tensors cross if the first `before` of the n are the head."""
        return np.unique(self.arcs[(self.arcs[:, 0] < before) & (self.arcs[:, 1] >= before), 0])


def dataflow(traced: Traced) -> Dataflow:
    """The arrays of a network that has been read."""
    of, costs = traced.operations, traced.costs
    nodes = (*of.inputs, *of.steps)
    place = {node: i for i, node in enumerate(nodes)}
    named = {cut.position: cut.name for cut in traced.cuts}
    names = [
        node.name if i < len(of.inputs) else named.get(i + 1 - len(of.inputs), node.name)
        for i, node in enumerate(nodes)
    ]

    def made(node: Node) -> float:
        value = costs.value[node]
        return value.numel() * value.element_size() // of.batch if isinstance(value, Tensor) else np.inf

    arcs = [
        (place[source], place[step])
        for step in of.steps
        for source in step.all_input_nodes
        if source in place
    ]
    # what no operation reads (counters of normalisations) is not kept
    read = (node for step in of.steps for node in weights_of(step, of))
    weights = {id(of.stored[node][1]): of.stored[node][1] for node in read}
    return Dataflow(
        len(of.inputs),
        tuple(names),
        np.array([costs.multiply_adds.get(n, 0) for n in nodes], np.int64),
        np.array([costs.moved_bytes.get(n, 0) for n in nodes], np.int64),
        np.array([made(n) for n in nodes], np.float64),
        np.array(arcs, np.int64).reshape(-1, 2),
        np.array(_orders(traced, place), np.int64).reshape(-1, 2),
        np.array([place[n] for n in of.outputs], np.int64),
        np.array([cut.position + len(of.inputs) for cut in traced.cuts], np.int64),
        sum(t.numel() * t.element_size() for t in weights.values()),
        max((max(c.head.peak_bytes, c.tail.peak_bytes) for c in traced.cuts), default=0),
    )


def _orders(traced: Traced, place: dict[Node, int]) -> list[tuple[int, int]]:
    """An operation that writes over a tensor comes after all that read what was there, and before all that read the new."""
    of, storage = traced.operations, traced.costs.storage
    found = []
    for writer in (s for s in of.steps if overwrites(s)):
        memory = set(storage.get(writer.all_input_nodes[0], {}))
        for step in of.steps:
            reads = any(memory & set(storage.get(n, {})) for n in step.all_input_nodes)
            if reads and step is not writer:
                pair = (place[step], place[writer])
                found.append(pair if pair[0] < pair[1] else pair[::-1])
    return found
