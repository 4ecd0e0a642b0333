"""What an agent plays in: the problem of every stretch, the requests, how many slots."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from placid.errors import InputError
from placid.experiments.scenario import Scenario, build, load_scenario
from placid.problem.arrays import Problem
from placid.workload.base import Workload

__all__ = ["World"]


@dataclass(frozen=True)
class World:
    """All that is fixed while agents play, whatever their seed.

    Attributes:
        timeline: (first slot, problem) in rising order, the first at slot 0; a problem holds until the next begins.
        slots: length of an episode.

    Raises:
        InputError: the parts do not fit each other, or nothing can be placed.
    """

    timeline: Sequence[tuple[int, Problem]]
    workload: Workload
    slots: int

    def __post_init__(self) -> None:
        firsts = [first for first, _ in self.timeline]
        if not firsts or firsts[0] != 0 or firsts != sorted(set(firsts)):
            raise InputError(f"a timeline starts at slot 0 and rises, got the first slots {firsts}")
        if self.slots < 1:
            raise InputError(f"a run needs at least 1 slot, got {self.slots}")
        for first, problem in self.timeline:
            if not np.array_equal(problem.item_size_bytes, self.problem.item_size_bytes):
                raise InputError(f"the problem from slot {first} on has other items than the first one")
            if problem.type_count != len(self.workload.requests):
                raise InputError(
                    f"the problem from slot {first} on has {problem.type_count} request types, "
                    f"the workload {len(self.workload.requests)}"
                )
        # a recording that is shorter than the run is told now, not in mid-training
        self.workload.demand(self.slots - 1, 0)
        if not len(self.items):
            raise InputError("nothing can be placed: no model that saves anything fits on any node")

    @classmethod
    def of(cls, scenario: Scenario | str | os.PathLike[str] | Mapping[str, Any]) -> World:
        """What `scenario` describes: as loaded, or a file, or the content of one as a dictionary.

        Raises:
            InputError: the scenario is wrong; file, line and field are told.
        """
        built = build(scenario if isinstance(scenario, Scenario) else load_scenario(scenario))
        return cls(built.problems(), built.workload, built.slots)

    @property
    def problem(self) -> Problem:
        """The problem of slot 0. Items, request types and nodes are the same in all."""
        return self.timeline[0][1]

    @cached_property
    def items(self) -> np.ndarray:
        """int64 [A], rising: the items that can be of use: some option needs them and their node can hold them, ever."""
        useful = np.zeros(self.problem.item_count, bool)
        for _, problem in self.timeline:
            needed = np.diff(problem.options_by_item[0]) > 0
            useful |= needed & problem.placeable
        return np.flatnonzero(useful)

    @cached_property
    def item_names(self) -> tuple[str, ...]:
        """``node/model`` of every item in `items`."""
        return tuple(self.problem.item_name(item) for item in self.items.tolist())

    @cached_property
    def budget_bytes(self) -> np.ndarray:
        """int64 [V]: the most memory that each node has in the run."""
        return np.max([problem.budget_bytes for _, problem in self.timeline], axis=0)

    @property
    def demand_scale(self) -> float:
        """Twice the most requests of one type in one slot of the run under seed 0, so that other seeds stay below it."""
        return self._scales[0]

    @property
    def gain_scale(self) -> float:
        """The most that a slot of the run under seed 0 could gain if every node held everything: the greatest over the
        slots of the sum over requests of what the best option saves."""
        return self._scales[1]

    @cached_property
    def _scales(self) -> tuple[float, float]:
        most_asked, most_saved = 0.0, 0.0
        ends = [*(first for first, _ in self.timeline[1:]), self.slots]
        for (first, problem), end in zip(self.timeline, ends, strict=True):
            best = np.zeros(problem.type_count)
            np.maximum.at(best, problem.option_type, problem.option_saving)
            for slot in range(first, min(end, self.slots)):
                demand = self.workload.demand(slot, 0)
                most_asked = max(most_asked, float(demand.max()))
                most_saved = max(most_saved, float(demand @ best))
        # where nobody asks for anything, any number does
        return 2.0 * most_asked or 1.0, most_saved or 1.0
