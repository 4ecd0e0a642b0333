"""What every node is told of itself where nodes decide by themselves what they hold."""

from __future__ import annotations

import numpy as np

from placid.placement.online.agents import local_view
from placid.problem.arrays import Problem
from placid.runtime.spec import View

__all__ = ["views_of"]


def views_of(problem: Problem, begins_s: float, first_slot: int) -> dict[str, View]:
    """Node -> its view of itself in `problem`; its number, its items, what they save, and who is below. Nothing of others.

    Args:
        begins_s: when slot `first_slot` begins, Unix time.
    """
    names, next_hop = problem.node_names, problem.next_hop
    below: list[list[int]] = [[] for _ in names]
    for v, up in enumerate(next_hop):
        if up >= 0:
            below[up].append(v)
    enters: list[dict[str, int]] = [{} for _ in names]
    for r in np.flatnonzero(problem.type_hops > 0):
        enters[problem.type_ingress[r]][problem.task_names[problem.type_task[r]]] = int(r)
    found = {}
    for v, name in enumerate(names):
        local = local_view(problem, v)
        own = local.own
        first, last = problem.node_ptr[v], problem.node_ptr[v + 1]
        found[name] = View(
            node=v,
            items=tuple(problem.item_model[first:last].tolist()),
            size_bytes=tuple(own.item_size_bytes.tolist()),
            capacity=tuple(own.item_capacity.tolist()),
            budget_bytes=int(problem.budget_bytes[v]),
            types=tuple(local.types.tolist()),
            option_ptr=tuple(own.option_ptr.tolist()),
            option_item=tuple(own.option_item.tolist()),
            option_saving=tuple(own.option_saving.tolist()),
            enters=enters[v],
            below=tuple(names[u] for u in below[v]),
            height=_height(below, v),
            begins_s=begins_s,
            first_slot=first_slot,
        )
    return found


def _height(below: list[list[int]], v: int) -> int:
    height, level = -1, [v]
    while level:
        height, level = height + 1, [u for w in level for u in below[w]]
    return height
