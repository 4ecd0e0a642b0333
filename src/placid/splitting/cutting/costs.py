"""What each operation of a network takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.fx import Node, map_arg
from torch.utils.flop_counter import FlopCounterMode

if TYPE_CHECKING:
    from placid.splitting.cutting.graph import Operations

__all__ = ["Costs", "costs_of", "overwrites"]


@dataclass(frozen=True)
class Costs:
    """Per node, at batch 1.

    Attributes:
        multiply_adds: of convolutions and matrix products, half of what torch counts as operations.
        moved_bytes: read and written; zero for a view.
        storage: bytes that a node's value is kept in, by the identity of the memory: views share one.
        value: without contents.
    """

    multiply_adds: dict[Node, int]
    moved_bytes: dict[Node, int]
    storage: dict[Node, dict[int, int]]
    value: dict[Node, Any]


def costs_of(operations: Operations) -> Costs:
    """Let every operation run on tensors without contents, and note what it did."""
    of = operations
    multiply_adds: dict[Node, int] = {}
    moved: dict[Node, int] = {}
    storage: dict[Node, dict[int, int]] = {}
    value: dict[Node, Any] = {}
    mode = FakeTensorMode(allow_non_fake_inputs=True)
    # inside, taking a tensor out of the gradients would cost as much as all the rest
    stored = {node: tensor.detach() for node, (_, tensor) in of.stored.items()}
    with mode, torch.no_grad(), FlopCounterMode(display=False) as counter:
        for node, tensor in stored.items():
            value[node] = mode.from_tensor(tensor, static_shapes=True)
        for node in of.inputs:
            told = node.meta["val"]
            value[node] = torch.empty([of.batch, *told.shape[1:]], dtype=told.dtype)
            storage[node] = _storages(value[node], of.batch)
        before = 0
        graph = (of.inputs or of.steps)[0].graph
        for node in graph.nodes:
            if node.op != "call_function":
                continue
            args, kwargs = (map_arg(a, lambda n: value[n]) for a in (node.args, node.kwargs))
            value[node] = node.target(*args, **kwargs)
            now = counter.get_total_flops()
            batch = 1 if node in of.constant else of.batch
            multiply_adds[node] = (now - before) // (2 * batch)
            before = now
            storage[node] = _storages(value[node], batch)
            taken = {k: v for n in node.all_input_nodes for k, v in _storages(value[n], 1).items()}
            if set(storage[node]) <= set(taken) and not overwrites(node):
                moved[node] = 0
                continue
            read = sum(
                _bytes(value[n]) // (1 if n in of.stored or n in of.constant else batch)
                for n in node.all_input_nodes
            )
            moved[node] = read + sum(storage[node].values())
    return Costs(multiply_adds, moved, storage, value)


def overwrites(node: Node) -> bool:
    """Whether the operation writes its result over its input."""
    return str(node.target).split(".")[1:2] != [] and str(node.target).split(".")[1].endswith("_")


def _tensors(value: Any) -> list[Tensor]:
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, tuple | list):
        return [t for v in value for t in _tensors(v)]
    return []


def _storages(value: Any, batch: int) -> dict[int, int]:
    return {t.untyped_storage()._cdata: t.untyped_storage().nbytes() // batch for t in _tensors(value)}


def _bytes(value: Any) -> int:
    return sum(t.numel() * t.element_size() for t in _tensors(value))
