"""A network read once, then cut wherever it is wanted."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import torch
from torch.fx import Graph, GraphModule, Node

from placid.errors import InputError, UnknownNameError
from placid.splitting.cutting.costs import Costs, costs_of
from placid.splitting.cutting.cuts import Cut, cuts_of, needs_of
from placid.splitting.cutting.graph import Operations, exported

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = ["Traced", "segments", "trace"]


@dataclass(frozen=True)
class Traced:
    """The operations of a network and what they cost; from `trace`."""

    operations: Operations
    costs: Costs

    @cached_property
    def cuts(self) -> tuple[Cut, ...]:
        """Every place where the network can be cut, in order."""
        return tuple(c for c in cuts_of(self.operations, self.costs) if self._sizes_known(c.position))

    def cut(self, name: str) -> Cut:
        """The cut of that name or alias.

        Raises:
            UnknownNameError: there is none.
        """
        for cut in self.cuts:
            if name in cut.aliases:
                return cut
        raise UnknownNameError("cut", name, [a for c in self.cuts for a in c.aliases])

    @property
    def multiply_adds(self) -> int:
        """Of the whole network, for one input."""
        return sum(self.costs.multiply_adds[s] for s in self.operations.steps)

    def segments(self, names: Sequence[str]) -> tuple[GraphModule, ...]:
        """The network parted at the cuts of these `names`, in the network's order: one segment more than names.

        Each takes, in order, what the one before gives: a tensor, or a tuple if several cross. They hold the network's own
        weights, under their names, so that training a segment trains the network. Batch normalisation uses its
        statistics as they are, dropout is off, as in evaluation.

        Raises:
            UnknownNameError: a cut does not exist.
            InputError: the cuts are not in order.
        """
        positions = [0, *(self.cut(name).position for name in names), len(self.operations.steps)]
        for before, after in pairwise(positions):
            if before >= after:
                raise InputError(
                    f"cuts go along the network, each once; these do not: {', '.join(names)}", where="cuts"
                )
        return tuple(self._segment(a, b) for a, b in pairwise(positions))

    def parted(self, head: Collection[int]) -> tuple[GraphModule, GraphModule]:
        """The network in two parts of which the first has the operations `head`, wherever they stand in its order.

        Args:
            head: places in `operations.steps`, at least one and not all. `dataflow` numbers the inputs before them.

        Raises:
            InputError: an operation of the head reads from one that is not in it, the head is none or all of the network,
                or a size would have to be sent.
        """
        of = self.operations
        first = [s for i, s in enumerate(of.steps) if i in head]
        rest = [s for i, s in enumerate(of.steps) if i not in head]
        if not first or not rest:
            raise InputError(f"a head has some of the {len(of.steps)} operations and not all", where="head")
        late = {*rest}
        if back := [n for s in first for n in s.all_input_nodes if n in late]:
            raise InputError(f"the head reads from {back[0].name}, which is not in it", where="head")
        turned = Traced(replace(of, steps=(*first, *rest)), self.costs)
        if not turned._sizes_known(len(first)):
            raise InputError(f"a size would have to be sent after {first[-1].name}", where="head")
        return turned._segment(0, len(first)), turned._segment(len(first), len(of.steps))

    def _segment(self, start: int, end: int) -> GraphModule:
        of = self.operations
        graph = Graph()
        made: dict[Node, Node] = {}
        taken = of.inputs if start == 0 else needs_of(of, start)
        for node in taken:
            made[node] = graph.placeholder(node.name)
        needed: dict[str, Tensor] = {}

        def at(node: Node) -> Node:
            """`node` in the new graph: copied from where it can be had there."""
            if node in made:
                return made[node]
            if node in of.stored:
                name, tensor = of.stored[node]
                needed[name] = tensor
                made[node] = graph.get_attr(name)
            elif node in of.sizes and (source := _size_from(node, taken)) is not None:
                made[node] = graph.call_function(torch.ops.aten.sym_size.int, (made[source[0]], source[1]))
            else:
                made[node] = graph.node_copy(node, at)
            return made[node]

        for step in of.steps[start:end]:
            made[step] = graph.node_copy(step, at)
        given = of.outputs if end == len(of.steps) else needs_of(of, end)
        outputs = tuple(at(n) for n in given)
        graph.output(outputs[0] if len(outputs) == 1 else outputs)
        graph.eliminate_dead_code()
        segment = GraphModule(needed, graph)
        return segment.eval()

    def _sizes_known(self, position: int) -> bool:
        """Whether all sizes that the part after `position` computes with can be read off what crosses."""
        of = self.operations
        if not of.sizes:
            return True
        taken = needs_of(of, position)
        inside = {*of.steps[position:], *taken}

        def known(node: Node) -> bool:
            if node in inside or node in of.stored or node in of.constant:
                return True
            if node not in of.sizes:
                return False
            return _size_from(node, taken) is not None or (
                bool(node.all_input_nodes) and all(known(n) for n in node.all_input_nodes)
            )

        return all(known(n) for s in of.steps[position:] for n in s.all_input_nodes)


def trace(network: nn.Module, example: Tensor | Sequence[Tensor]) -> Traced:
    """Read `network`: a second or two for a hundred layers.

    Args:
        example: what it takes, [batch, …] each; of the numbers only shapes and types matter.

    Raises:
        InputError: torch cannot export it.
    """
    operations = exported(network, example)
    return Traced(operations, costs_of(operations))


def segments(
    network: nn.Module, example: Tensor | Sequence[Tensor], names: Sequence[str]
) -> tuple[GraphModule, ...]:
    """`trace`, then `Traced.segments`."""
    return trace(network, example).segments(names)


def _size_from(node: Node, taken: Sequence[Node]) -> tuple[Node, int] | None:
    """A tensor of `taken` and its dimension of which the size is the value of `node`, whatever the batch."""
    size: Any = node.meta["val"]
    for tensor in taken:
        for dim, length in enumerate(tensor.meta["val"].shape):
            if isinstance(length, torch.SymInt) and str(length) == str(size):
                return tensor, dim
    return None
