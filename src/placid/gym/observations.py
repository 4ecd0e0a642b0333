"""What an agent sees before it acts: how the last slot went, and what it may use in the next one."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces

from placid.gym.world import World
from placid.problem.arrays import Problem
from placid.problem.placement import bytes_used

__all__ = ["observation", "observation_space"]


def observation_space(world: World) -> spaces.Space[Any]:
    """The space of `observation`, which says what the entries are."""

    def shares(count: int) -> spaces.Box:
        return spaces.Box(0.0, 1.0, (count,), np.float32)

    problem = world.problem
    return spaces.Dict(
        {
            "demand": shares(problem.type_count),
            "placed": spaces.MultiBinary(len(world.items)),
            "fill": shares(problem.node_count),
            "memory": shares(problem.node_count),
            "progress": shares(1),
        }
    )


def observation(
    world: World, slot: int, demand: np.ndarray, placed: np.ndarray, last: Problem, coming: Problem
) -> dict[str, np.ndarray]:
    """What is seen before `slot`. The last slot's entries are 0 before the first one.

    - ``demand`` [R]: requests of each type in the last slot, over `World.demand_scale`; what lies above is cut to 1.
    - ``placed`` [A]: 1 for what was in place.
    - ``fill`` [V]: share of each node's memory that it took.
    - ``memory`` [V]: the memory that each node has in `slot`, as a share of the most it has in the run: 1 as a rule, less
      after it shrank, 0 while the node is down, and at repositories, which hold everything and have no memory to fill.
    - ``progress`` [1]: share of the run that is over.

    Args:
        demand: int64 [R], of the last slot; `placed` (bool [N]) was in force then, under the problem `last`.
        coming: the problem of `slot`.
    """
    return {
        "demand": np.minimum(demand / world.demand_scale, 1.0).astype(np.float32),
        "placed": placed[world.items].astype(np.int8),
        "fill": _shares(bytes_used(last, placed), last.budget_bytes),
        "memory": _shares(coming.budget_bytes, world.budget_bytes),
        "progress": np.array([slot / world.slots], np.float32),
    }


def _shares(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """float32: part / whole, 0 where there is nothing."""
    return (part / np.maximum(whole, 1)).astype(np.float32)
