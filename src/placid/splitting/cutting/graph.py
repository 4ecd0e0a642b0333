"""A network as the list of operations that torch.export makes of it."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
import torch.fx.config
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensor

from placid.errors import InputError

if TYPE_CHECKING:
    from torch.fx import Node

__all__ = ["Operations", "exported"]

#: of a batch of one, torch's exporter takes the one for a part of the network
_BATCH = 2


@dataclass(frozen=True)
class Operations:
    """A network's operations in an order in which they can run.

    Attributes:
        inputs: nodes of what the network takes.
        stored: node of every weight, buffer or constant -> its name and the network's own tensor.
        steps: operations on what came from the inputs, in order: between any two of them the network can be parted.
        sizes: operations that compute sizes only; whoever needs one computes it anew.
        constant: operations on weights alone; likewise.
        outputs: nodes whose values the network gives.
        batch: inputs in the example.
    """

    inputs: tuple[Node, ...]
    stored: dict[Node, tuple[str, Tensor]]
    steps: tuple[Node, ...]
    sizes: frozenset[Node]
    constant: frozenset[Node]
    outputs: tuple[Node, ...]
    batch: int


def exported(network: nn.Module, example: Tensor | Sequence[Tensor]) -> Operations:
    """The operations of `network` in evaluation mode; it is left as it is.

    Args:
        example: what it takes, [batch, …] each; of the numbers only shapes and types matter.

    Raises:
        InputError: torch cannot export it, or it gives something else than tensors.
    """
    given = (example,) if isinstance(example, Tensor) else tuple(example)
    if not given or any(e.ndim == 0 or len(e) == 0 for e in given):
        raise InputError("an example needs a batch dimension with something in it")
    examples = tuple(torch.cat([e, e])[:_BATCH].detach().clone() for e in given)
    modes = {m: m.training for m in network.modules()}
    network.eval()
    try:
        with torch.no_grad(), _only_what_is_read():
            free = tuple({0: torch.export.Dim.AUTO} for _ in examples)
            program = torch.export.export(network, examples, dynamic_shapes=free, strict=False)
    except Exception as error:
        said = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise InputError(
            f"torch.export cannot read {type(network).__name__}: {said}. What depends on the numbers that pass (an 'if' "
            "on a tensor, .item(), a NumPy call) has to go, or be kept out of the network",
        ) from error
    finally:
        for module, mode in modes.items():
            module.training = mode
    return _sorted(program, network)


@contextmanager
def _only_what_is_read() -> Iterator[None]:
    """Keep torch from what nobody looks at here: where in Python each operation was called, and garbage among many objects.

    A quarter of the time of reading a deep network.
    """
    collecting, unplaced = gc.isenabled(), torch.fx.config.do_not_emit_stack_traces
    gc.disable()
    torch.fx.config.do_not_emit_stack_traces = True
    try:
        yield
    finally:
        torch.fx.config.do_not_emit_stack_traces = unplaced
        if collecting:
            gc.enable()


def _sorted(program: torch.export.ExportedProgram, network: nn.Module) -> Operations:
    told = program.graph_signature
    named = told.inputs_to_parameters | told.inputs_to_buffers
    constants = getattr(told, "inputs_to_lifted_tensor_constants", {})
    own = dict(network.named_parameters(remove_duplicate=False)) | dict(
        network.named_buffers(remove_duplicate=False)
    )
    nodes = list(program.graph.nodes)
    stored: dict[Node, tuple[str, Tensor]] = {}
    inputs: list[Node] = []
    for node in (n for n in nodes if n.op == "placeholder"):
        if node.name in named:
            name = named[node.name]
            stored[node] = (name, own[name])
        elif node.name in constants:
            stored[node] = (constants[node.name].replace(".", "_"), program.constants[constants[node.name]])
        else:
            inputs.append(node)
    if any(not isinstance(n.meta["val"].shape[0], torch.SymInt) for n in inputs):
        raise InputError(
            f"{type(network).__name__} takes the size of its batch for a constant, so its segments would run with that size "
            "only; write x.shape[0] where it says len(x) or int(...)"
        )
    sizes, constant, steps = set(), set(), []
    moving = set(inputs)  # depends on the inputs
    for node in (n for n in nodes if n.op == "call_function"):
        if not _gives_tensors(node):
            sizes.add(node)
        elif any(n in moving for n in node.all_input_nodes):
            moving.add(node)
            steps.append(node)
        else:
            constant.add(node)
    (end,) = (n for n in nodes if n.op == "output")
    outputs = tuple(end.all_input_nodes)
    if not outputs or any(n not in moving for n in outputs):
        raise InputError(f"{type(network).__name__} gives something that does not depend on what it takes")
    if unknown := [n for n in nodes if n.op not in ("placeholder", "call_function", "output")]:
        raise InputError(
            f"{type(network).__name__} has control flow ({unknown[0].op} {unknown[0].target}), which is not cut"
        )
    return Operations(
        tuple(inputs), stored, tuple(steps), frozenset(sizes), frozenset(constant), outputs, _BATCH
    )


def _gives_tensors(node: Node) -> bool:
    value: Any = node.meta.get("val")
    if isinstance(value, tuple | list):
        return any(isinstance(v, FakeTensor) for v in value)
    return isinstance(value, FakeTensor)
