"""From options of a problem to ways that nodes can run: which segments of which variant, on which nodes, in what order."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import numpy as np

from placid.catalog.models import Catalog, Segments
from placid.catalog.variants import Zoo, read_zoo
from placid.errors import InputError
from placid.problem.arrays import Problem
from placid.problem.serving import serve
from placid.problem.within import serve_within
from placid.runtime.spec import Stage, Way

__all__ = ["Ways"]


class Ways:
    """The ways that requests of each type can take under a placement.

    Raises:
        InputError: models of the catalog are known by their figures alone, and cannot be run.
    """

    def __init__(self, problem: Problem, catalog: Catalog) -> None:
        if catalog.zoo is None or any(m.segments is None for m in catalog.placed):
            raise InputError(
                f"catalog '{catalog.name}' holds figures of models, not models: nothing of it can be run. A live network "
                "needs networks that exist, 'catalog: {family: measured}'"
            )
        self.problem = problem
        self._segments: tuple[Segments, ...] = tuple(m.segments for m in catalog.placed if m.segments)
        self._zoo: Zoo = read_zoo(catalog.zoo)
        self._known: dict[int, tuple[str, tuple[Stage, ...]]] = {}

    def of(
        self, placed: np.ndarray, demand: np.ndarray, prices: np.ndarray | None = None
    ) -> dict[str, dict[str, tuple[Way, ...]]]:
        """Node where requests enter -> task -> its ways, those that save most first, the repository's last.

        Shares are those of `placid.problem.serving` for `demand`; a type without demand has all on its best way. Where links
        and processors have limits they are those of `placid.problem.within`, and a way without a stage refuses what is left.

        Args:
            placed: bool [N].
            demand: float or int [R], as expected for the slot.
            prices: float64 [M], of the limits, if there are any.
        """
        problem, needs = self.problem, self.problem.needs
        expected = np.maximum(np.asarray(demand, np.float64), 1e-9)
        if problem.limits is None:
            outcome, refused = serve(problem, placed, expected, flows=True), np.zeros(problem.type_count)
        else:
            within = serve_within(problem, placed, expected, prices)
            outcome, refused = within.outcome, within.refused
        whole = (
            np.logical_and.reduceat(placed[needs.item], needs.ptr[:-1])
            if problem.option_count
            else np.zeros(0, bool)
        )
        found: dict[str, dict[str, tuple[Way, ...]]] = {}
        for r in range(problem.type_count):
            if problem.repository_node[r] < 0:
                continue
            first, last = problem.option_ptr[r], problem.option_ptr[r + 1]
            open_ = first + np.flatnonzero(whole[first:last])
            ways = [self._way(int(o), float(outcome.flow[o] / expected[r])) for o in open_]
            ways.append(self._repository_way(r, float(outcome.repository_load[r] / expected[r])))
            if refused[r] > 1e-9 * expected[r]:
                ways.append(Way("", (), float(refused[r] / expected[r])))
            node = problem.node_names[problem.type_ingress[r]]
            found.setdefault(node, {})[problem.task_names[problem.type_task[r]]] = tuple(ways)
        return found

    def within(
        self, ways: Mapping[str, Mapping[str, tuple[Way, ...]]], kept: frozenset[tuple[str, str]]
    ) -> dict[str, dict[str, tuple[Way, ...]]]:
        """Of `ways` those whose items, (node, item), are all in `kept`."""
        return {
            node: {
                task: tuple(w for w in found if all(not s.item or (s.node, s.item) in kept for s in w.stages))
                for task, found in by_task.items()
            }
            for node, by_task in ways.items()
        }

    def items(self, placed: np.ndarray) -> dict[str, dict[str, int]]:
        """Node -> item -> bytes, of what is placed; nodes that hold nothing are there too."""
        problem = self.problem
        found: dict[str, dict[str, int]] = {name: {} for name in problem.node_names}
        for e in np.flatnonzero(placed):
            node, model = problem.node_names[problem.item_node[e]], problem.model_names[problem.item_model[e]]
            found[node][model] = int(problem.item_size_bytes[e])
        return found

    @cached_property
    def runs(self) -> tuple[tuple[str, str, int, int, int], ...]:
        """Of every model, by number: its name, variant, first and last segment, and where the variant ends."""
        names = self.problem.model_names
        return tuple(
            (name, it.variant, it.first, it.last, self._zoo.variant(it.variant).reached)
            for name, it in zip(names, self._segments, strict=True)
        )

    def alone(self) -> dict[str, dict[str, tuple[Way, ...]]]:
        """As `of`, with the way to the repository alone."""
        problem = self.problem
        found: dict[str, dict[str, tuple[Way, ...]]] = {}
        for r in range(problem.type_count):
            if problem.repository_node[r] >= 0:
                node = problem.node_names[problem.type_ingress[r]]
                task = problem.task_names[problem.type_task[r]]
                found.setdefault(node, {})[task] = (self._repository_way(r, 1.0),)
        return found

    @cached_property
    def models(self) -> dict[str, dict[str, tuple[str, int, int]]]:
        """Node -> item -> variant, first and last segment, of all that may be placed."""
        problem = self.problem
        found: dict[str, dict[str, tuple[str, int, int]]] = {name: {} for name in problem.node_names}
        for node, model in zip(problem.item_node, problem.item_model, strict=True):
            it = self._segments[model]
            found[problem.node_names[node]][problem.model_names[model]] = (it.variant, it.first, it.last)
        return found

    def _way(self, option: int, share: float) -> Way:
        if option not in self._known:
            problem, needs = self.problem, self.problem.needs
            items = needs.item[needs.ptr[option] : needs.ptr[option + 1]]
            placed = [
                (problem.node_names[problem.item_node[e]], int(problem.item_model[e])) for e in items.tolist()
            ]
            self._known[option] = self._stages(int(problem.option_type[option]), placed)
        variant, stages = self._known[option]
        return Way(variant, stages, share)

    def _repository_way(self, r: int, share: float) -> Way:
        problem = self.problem
        first = self._segments[problem.repository_runs[r]]
        variant, stages = self._stages(r, [], first)
        return Way(variant, stages, share)

    def _stages(
        self, r: int, placed: list[tuple[str, int]], alone: Segments | None = None
    ) -> tuple[str, tuple[Stage, ...]]:
        problem = self.problem
        entered = problem.node_names[problem.type_ingress[r]]
        top = problem.node_names[problem.repository_node[r]]
        begin = alone or self._segments[placed[0][1]]
        variant = self._zoo.variant(begin.variant)
        stages = [Stage(entered, 0, begin.first)] if begin.first else []
        at = begin.first
        for node, model in placed:
            part = self._segments[model]
            stages.append(Stage(node, part.first, part.last, problem.model_names[model]))
            at = part.last
        end = variant.reached
        if at < end:
            stages.append(Stage(top, at, end))
        return variant.name, tuple(stages)
