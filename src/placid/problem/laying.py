"""Split models laid on a path: which part runs where, what a request then costs, which items it needs.

A layout puts each part of a plan on a node of the path, never going back down. Costs are expected ones over the exits:

    sum over parts     reach_i  x (work of part i at its node)
    sum over handovers reach_i+1 x (coding at both ends + reaching the next node + its bytes on the way), if the node changes
    the request's way to the first part, and the answer's way back from the part that gives it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations_with_replacement

import numpy as np

from placid.catalog.models import AtIngress, Catalog, Part, Plan, Profile
from placid.problem.paths import PathCosts

__all__ = ["Layouts", "PlanGroup", "layouts", "plan_groups"]


@dataclass(frozen=True)
class Layouts:
    """All ways to lay k parts on n nodes.

    Attributes:
        at: int64 [A, k]; position on the path of each part, never falling. The last layout has all in the repository.
        cut_short: int64 [A, k]; the layout that keeps the first t parts in place and has the rest in the repository.
    """

    at: np.ndarray
    cut_short: np.ndarray


@lru_cache(maxsize=256)
def layouts(parts: int, nodes: int) -> Layouts:
    """Every layout of `parts` on a path of `nodes`."""
    found = list(combinations_with_replacement(range(nodes), parts))
    number = {layout: i for i, layout in enumerate(found)}
    short = [[number[layout[:t] + (nodes - 1,) * (parts - t)] for t in range(parts)] for layout in found]
    return Layouts(np.array(found, np.int64), np.array(short, np.int64))


@dataclass(frozen=True)
class PlanGroup:
    """P plans of one task with k parts each, for C processor classes.

    Attributes:
        part: int64 [P, k]; numbers among what is placed.
        work: seconds, joules and seconds of a busy processor (the inverse of the capacity) of each part for a request that
            gets there, float64 [3, P, k, C]; infinite seconds where it cannot run.
        encode, decode: likewise of the coding at each handover, [3, P, k - 1, C].
        sent_bytes: [P, k - 1].
        reach: [P, k + 1], 0 last.
        up_bytes: what travels to the first part, [P]; `down_bytes` of the answer.
        before: likewise where the request enters, [3, P, C].
        travels: share of requests that are not answered there, [P].
        error: [P].
    """

    part: np.ndarray
    work: np.ndarray
    encode: np.ndarray
    decode: np.ndarray
    sent_bytes: np.ndarray
    reach: np.ndarray
    up_bytes: np.ndarray
    down_bytes: float
    before: np.ndarray
    travels: np.ndarray
    error: np.ndarray

    @property
    def load(self) -> np.ndarray:
        """float64 [P, k]; share of a plan's requests that get to each part."""
        return self.travels[:, None] * self.reach[:, :-1]

    @property
    def answered(self) -> np.ndarray:
        """float64 [P, k]; share of a plan's requests that each part answers."""
        return self.travels[:, None] * (self.reach[:, :-1] - self.reach[:, 1:])

    def lay(self, path: PathCosts) -> np.ndarray:
        """float64 [P, A, 4]: the cost vector of every plan under every layout; infinite latency where a part cannot run."""
        at = layouts(self.part.shape[1], len(path)).at
        on = path.processor[at]  # [A, k]
        vector = np.zeros((len(self.part), len(at), 4))
        stays = self.reach[:, :-1] - self.reach[:, 1:]
        parts = range(at.shape[1])
        for c, fixed, per_byte in path.ways():
            cost = vector[:, :, c]
            cost += fixed[at[:, 0]] + self.up_bytes[:, None] * per_byte[at[:, 0]]
            for i in parts:
                cost += stays[:, i, None] * self.down_bytes * per_byte[at[:, i]]
            for i in parts[1:]:
                come, go = at[:, i - 1], at[:, i]
                way = (
                    fixed[go]
                    - fixed[come]
                    + self.sent_bytes[:, i - 1, None] * (per_byte[go] - per_byte[come])
                )
                if c < 3:
                    ends = (
                        self.encode[c // 2, :, i - 1][:, on[:, i - 1]]
                        + self.decode[c // 2, :, i - 1][:, on[:, i]]
                    )
                    way = way + ends
                cost += self.reach[:, i, None] * np.where(go > come, way, 0.0)
            if c < 3:
                for i in parts:
                    cost += self.reach[:, i, None] * self.work[c // 2, :, i][:, on[:, i]]
                cost *= self.travels[:, None]
                cost += self.before[c // 2][:, path.processor[0], None]
            else:
                cost *= self.travels[:, None]
        vector[:, :, 1] = self.error[:, None]
        return vector


def plan_groups(catalog: Catalog, processors: Sequence[str]) -> list[list[PlanGroup]]:
    """For every task of `catalog`, its plans in groups of equal length; parts are numbered after the models.

    Args:
        processors: the classes, in the order of their numbers.
    """
    number = {p.name: len(catalog.models) + i for i, p in enumerate(catalog.parts)}
    part = {p.name: p for p in catalog.parts}
    found = []
    for task in catalog.tasks:
        mine = [p for p in catalog.plans if p.task == task.name]
        lengths = sorted({len(p.parts) for p in mine})
        found.append(
            [
                _group(
                    [p for p in mine if len(p.parts) == k],
                    part,
                    number,
                    processors,
                    task.request_bytes,
                    task.response_bytes,
                )
                for k in lengths
            ]
        )
    return found


def _group(
    plans: Sequence[Plan],
    part: Mapping[str, Part],
    number: Mapping[str, int],
    processors: Sequence[str],
    request_bytes: int,
    response_bytes: int,
) -> PlanGroup:
    k = len(plans[0].parts)
    before: list[AtIngress | None] = [p.before for p in plans]

    def table(
        profiles: Callable[[Plan], Sequence[Mapping[str, Profile]]], count: int, missing: float
    ) -> np.ndarray:
        """float64 [3, P, count, C]: seconds, joules and busy seconds of `count` things of every plan."""
        made = np.zeros((3, len(plans), count, len(processors)))
        for i, plan in enumerate(plans):
            for j, given in enumerate(profiles(plan)):
                for c, cls in enumerate(processors):
                    if cls in given:
                        one = given[cls]
                        made[:, i, j, c] = one.latency_s, one.energy_j, 1 / one.capacity_per_s
                    else:
                        made[0, i, j, c] = missing
        return made

    return PlanGroup(
        part=np.array([[number[n] for n in p.parts] for p in plans], np.int64),
        work=table(lambda p: [part[n].profiles for n in p.parts], k, np.inf),
        encode=table(lambda p: [h.encode for h in p.handovers], k - 1, 0.0),
        decode=table(lambda p: [h.decode for h in p.handovers], k - 1, 0.0),
        sent_bytes=np.array([[h.sent_bytes for h in p.handovers] for p in plans], np.float64).reshape(
            len(plans), k - 1
        ),
        reach=np.array([[*p.reach, 0.0] for p in plans]),
        up_bytes=np.array([request_bytes if b is None else b.sent_bytes for b in before], np.float64),
        down_bytes=float(response_bytes),
        before=table(lambda p: [] if p.before is None else [p.before.profiles], 1, np.inf)[:, :, 0],
        travels=np.array([1.0 if b is None else 1.0 - b.answered for b in before]),
        error=1.0 - np.array([p.quality for p in plans]),
    )
