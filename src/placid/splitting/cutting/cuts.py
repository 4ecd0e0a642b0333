"""Every place where a network can be cut: its name, what crosses, what each side takes."""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

if TYPE_CHECKING:
    from torch.fx import Node

    from placid.splitting.cutting.costs import Costs
    from placid.splitting.cutting.graph import Operations

__all__ = ["Crossed", "Cut", "Side", "cuts_of", "needs_of", "weights_of"]


@dataclass(frozen=True)
class Crossed:
    """A tensor that crosses a cut; `shape` is that of one input, without the batch."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    size_bytes: int


@dataclass(frozen=True)
class Side:
    """What the part on one side of a cut takes for one input.

    Attributes:
        multiply_adds: of convolutions and matrix products.
        parameter_bytes: of the weights it needs; weights used on both sides count on both.
        moved_bytes: weights read, and tensors read and written, by everything that is not a view.
        peak_bytes: most bytes of tensors alive at once, in the order of the network.
    """

    multiply_adds: int
    parameter_bytes: int
    moved_bytes: int
    peak_bytes: int


@dataclass(frozen=True)
class Cut:
    """A place between two operations.

    Attributes:
        name: of the module that ends there ("stage2.0.body"), the outermost if several do; inside a module its name, the
            operation's after a colon ("stage2:add").
        aliases: all names by which it is found: those of inner modules that end there too, and of the operation.
        position: how many operations come before.
        crossing: what has to be sent: several tensors if paths run side by side.
        head: the part before.
        tail: the part after.
    """

    name: str
    aliases: tuple[str, ...]
    position: int
    crossing: tuple[Crossed, ...]
    head: Side
    tail: Side

    @property
    def size_bytes(self) -> int:
        """Of all that crosses, uncompressed."""
        return sum(c.size_bytes for c in self.crossing)


def needs_of(operations: Operations, position: int) -> tuple[Node, ...]:
    """Nodes before `position` whose values are needed from there on, in their order."""
    after = {*operations.steps[position:]}
    return tuple(
        node
        for node in (*operations.inputs, *operations.steps[:position])
        # sizes are not asked for here: they are computed anew from whatever crosses
        if node in operations.outputs or any(user in after for user in node.users)
    )


def cuts_of(operations: Operations, costs: Costs) -> tuple[Cut, ...]:
    """All places between two operations of `operations` where only tensors cross, in order.

    A network with n operations has n - 1 at most: its operations stay in the order in which it computes them. Places after
    an operation that only looks at its input in another way (a view), and those from which another size would have
    to be sent along, are left out.
    """
    of = operations
    n = len(of.steps)
    names = _names(of.steps)
    place = {node: i for i, node in enumerate(of.steps)}
    last = _last_use(of, place)
    adds = np.array([costs.multiply_adds[s] for s in of.steps], np.int64).cumsum()
    moved = np.array([costs.moved_bytes[s] for s in of.steps], np.int64).cumsum()
    used = [weights_of(s, of) for s in of.steps]
    heads, tails = _parameter_bytes(used, of), _parameter_bytes(used[::-1], of)[::-1]
    alive = _alive(of, costs, place, last)
    peak_head, peak_tail = np.maximum.accumulate(alive), np.maximum.accumulate(alive[::-1])[::-1]
    found = []
    living: list[Node] = [i for i in of.inputs if last.get(i, -1) >= 0]
    for i in range(n - 1):
        living = [x for x in living if last[x] > i]
        if last.get(of.steps[i], -1) > i:
            living.append(of.steps[i])
        values = [costs.value[x] for x in living]
        if costs.moved_bytes[of.steps[i]] == 0 or not all(isinstance(v, Tensor) for v in values):
            continue
        found.append(
            Cut(
                names[i][0],
                names[i],
                i + 1,
                tuple(_crossed(x, v, of.batch) for x, v in zip(living, values, strict=True)),
                Side(int(adds[i]), heads[i], int(moved[i]), int(peak_head[i])),
                Side(int(adds[-1] - adds[i]), tails[i + 1], int(moved[-1] - moved[i]), int(peak_tail[i + 1])),
            )
        )
    return tuple(found)


def _crossed(node: Node, value: Tensor, batch: int) -> Crossed:
    size = value.numel() * value.element_size() // batch
    # the batch is not always in front: attention likes to have it second
    dims = [d for d, n in enumerate(node.meta["val"].shape) if isinstance(n, torch.SymInt)][:1]
    shape = [n // batch if d in dims else n for d, n in enumerate(value.shape)]
    for d in dims:
        if shape[d] == 1:
            del shape[d]
    return Crossed(node.name, tuple(shape), str(value.dtype).removeprefix("torch."), size)


def _last_use(of: Operations, place: dict[Node, int]) -> dict[Node, int]:
    """Of every node that moves: position of the last operation that reads it; one past the end for outputs."""
    last: dict[Node, int] = {}
    for node in (*of.inputs, *of.steps):
        uses = [place[u] for u in node.users if u in place]
        if node in of.outputs:
            uses.append(len(of.steps))
        if uses:
            last[node] = max(uses)
    return last


def _alive(of: Operations, costs: Costs, place: dict[Node, int], last: dict[Node, int]) -> np.ndarray:
    """Bytes alive while each operation runs; tensors in the same memory count once, as long as one of them lives."""
    start: dict[int, int] = {}
    end: dict[int, int] = {}
    size: dict[int, int] = {}
    for node in (*of.inputs, *of.steps):
        for storage, nbytes in costs.storage[node].items():
            begins = place.get(node, 0)
            start[storage] = min(start.get(storage, begins), begins)
            end[storage] = max(end.get(storage, 0), min(last.get(node, begins), len(of.steps) - 1))
            size[storage] = max(size.get(storage, 0), nbytes)
    change = np.zeros(len(of.steps) + 1, np.int64)
    for storage, nbytes in size.items():
        change[start[storage]] += nbytes
        change[end[storage] + 1] -= nbytes
    return change.cumsum()[:-1]


def weights_of(step: Node, of: Operations) -> set[Node]:
    found: set[Node] = set()
    waiting = list(step.all_input_nodes)
    while waiting:
        node = waiting.pop()
        if node in of.stored:
            found.add(node)
        elif node in of.constant:
            waiting += node.all_input_nodes
    return found


def _parameter_bytes(used: Sequence[set[Node]], of: Operations) -> list[int]:
    """Running total of the bytes of distinct weights."""
    seen: set[int] = set()
    total, running = 0, []
    for nodes in used:
        for tensor in (of.stored[node][1] for node in nodes):
            if id(tensor) not in seen:
                seen.add(id(tensor))
                total += tensor.numel() * tensor.element_size()
        running.append(total)
    return running


def _names(steps: Sequence[Node]) -> list[tuple[str, ...]]:
    """By what names the place after each operation is found, the best one first."""
    paths = [_modules(s) for s in steps]
    ends = {path: i for i, modules in enumerate(paths) for path in modules}
    found = []
    taken: Counter[str] = Counter()
    for i, (step, modules) in enumerate(zip(steps, paths, strict=True)):
        ended = [m for m in modules if m and ends[m] == i]
        inside = modules[-1] if modules else ""
        operation = f"{inside}:{_operation(step)}"
        taken[operation] += 1
        if taken[operation] > 1:
            operation += f"-{taken[operation]}"
        found.append((*ended, operation))
    return found


def _modules(step: Node) -> list[str]:
    """Paths of the modules around an operation, outermost first, without the network itself."""
    stack: dict[str, tuple[str, Any]] = step.meta.get("nn_module_stack", {})
    # a module called twice has "@1" behind its path the second time
    return [path for path, _ in stack.values() if path]


def _operation(step: Node) -> str:
    if step.target is operator.getitem:
        return "part"
    return str(step.target).removeprefix("aten.").split(".")[0].rstrip("_")
