"""How an option of a problem is carried out: which model or part works where, one after the other, and what travels between.

A `Problem` keeps what an option costs and which items it needs, not what happens on the way. Here that is told again from
the catalog, and held against the cost that the problem has: an account that comes to another cost is an error.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import isclose

import numpy as np

from placid.catalog.models import AtIngress, Catalog, Model, Plan, Profile, Task
from placid.network.graph import Network
from placid.problem.paths import PathCosts

__all__ = ["Leg", "Run", "Runs", "matching"]


@dataclass(frozen=True)
class Leg:
    """One stage of a run.

    Attributes:
        at: position on the path.
        placed: number among what is placed, models and then parts; -1 for what the repository holds for good.
        work_s: of a request that gets there.
        reach: share of the requests on the way that do.
        sent_bytes: what travels there from the stage before, or from where the request enters.
        encode_s, decode_s: before and after that, if it travels at all.
    """

    at: int
    placed: int
    work_s: float
    reach: float
    sent_bytes: float
    encode_s: float = 0.0
    decode_s: float = 0.0


@dataclass(frozen=True)
class Run:
    """How a request is answered.

    Attributes:
        legs: in order; the last answers all that get there.
        before_s: what is done where the request enters.
        answered_before: share of requests that are answered there.
        down_bytes: of the answer.
        error: of the answers.
    """

    legs: tuple[Leg, ...]
    before_s: float
    answered_before: float
    down_bytes: float
    error: float

    def costs(self, path: PathCosts) -> tuple[float, float, float]:
        """Expected latency without any waiting, error, and byte-hops."""
        latency_s = traffic = 0.0
        at = 0
        for leg, later in zip(self.legs, (*self.legs[1:], None), strict=True):
            stays = leg.reach - (later.reach if later is not None else 0.0)
            way_s = (
                path.rtt_s[leg.at]
                - path.rtt_s[at]
                + leg.sent_bytes * (path.s_per_byte[leg.at] - path.s_per_byte[at])
            )
            if leg.at > at:
                way_s += leg.encode_s + leg.decode_s
            latency_s += leg.reach * (way_s + leg.work_s) + stays * self.down_bytes * path.s_per_byte[leg.at]
            traffic += leg.reach * leg.sent_bytes * (path.hops[leg.at] - path.hops[at])
            traffic += stays * self.down_bytes * path.hops[leg.at]
            at = leg.at
        travels = 1.0 - self.answered_before
        return self.before_s + travels * latency_s, self.error, travels * traffic


@dataclass(frozen=True)
class Runs:
    """Tells runs from a catalog on a network."""

    network: Network
    catalog: Catalog

    @cached_property
    def number(self) -> Mapping[str, int]:
        """Of what is placed, by name."""
        return {m.name: i for i, m in enumerate(self.catalog.placed)}

    def of_items(self, path: PathCosts, at: Sequence[int], placed: Sequence[int], task: int) -> Iterator[Run]:
        """Every run that needs these models or parts at these positions and has the rest in the repository."""
        if placed[0] < len(self.catalog.models):
            yield from self._whole(path, at[0], placed[0])
            return
        names = tuple(self.catalog.placed[m].name for m in placed)
        top = len(path) - 1
        for plan in self._plans(task):
            if plan.parts[: len(names)] == names:
                yield from self._plan(path, (*at, *(top for _ in plan.parts[len(names) :])), plan)

    def at_top(self, path: PathCosts, task: int) -> Iterator[Run]:
        """Every run that needs the repository only."""
        top = len(path) - 1
        for m, model in enumerate(self.catalog.models):
            if model.task == self.catalog.tasks[task].name:
                yield from self._whole(path, top, m)
        for plan in self._plans(task):
            yield from self._plan(path, tuple(top for _ in plan.parts), plan)

    def _plans(self, task: int) -> Iterator[Plan]:
        return (p for p in self.catalog.plans if p.task == self.catalog.tasks[task].name)

    def _profile(self, profiles: Mapping[str, Profile], path: PathCosts, at: int) -> Profile | None:
        return profiles.get(self.network.nodes[int(path.nodes[at])].processor)

    def _whole(self, path: PathCosts, at: int, number: int) -> Iterator[Run]:
        model = self.catalog.models[number]
        profile = self._profile(model.profiles, path, at)
        if profile is None:
            return
        legs = [Leg(at, number, profile.latency_s, 1.0, 0.0)]
        after = model.after
        if after is not None and after.share > 0:
            last = self._profile(after.profiles, path, len(path) - 1)
            if last is None:
                return
            legs.append(Leg(len(path) - 1, -1, last.latency_s, after.share, after.sent_bytes))
        yield from self._from_ingress(path, legs, model)

    def _plan(self, path: PathCosts, at: Sequence[int], plan: Plan) -> Iterator[Run]:
        number = self.number
        legs: list[Leg] = []
        for i, name in enumerate(plan.parts):
            m = number[name]
            profile = self._profile(self.catalog.placed[m].profiles, path, at[i])
            if profile is None:
                return
            leg = Leg(at[i], m, profile.latency_s, plan.reach[i], 0.0)
            if i:
                handover = plan.handovers[i - 1]
                encode = self._profile(handover.encode, path, at[i - 1])
                decode = self._profile(handover.decode, path, at[i])
                leg = replace(
                    leg,
                    sent_bytes=handover.sent_bytes,
                    encode_s=encode.latency_s if encode else 0.0,
                    decode_s=decode.latency_s if decode else 0.0,
                )
            legs.append(leg)
        yield from self._from_ingress(path, legs, plan)

    def _from_ingress(self, path: PathCosts, legs: list[Leg], of: Model | Plan) -> Iterator[Run]:
        task: Task = self.catalog.tasks[self.catalog.task_index[of.task]]
        before: AtIngress | None = of.before
        sent, before_s, answered = float(task.request_bytes), 0.0, 0.0
        if before is not None:
            profile = self._profile(before.profiles, path, 0)
            if profile is None:
                return
            sent, before_s, answered = before.sent_bytes, profile.latency_s, before.answered
        legs[0] = replace(legs[0], sent_bytes=sent)
        yield Run(tuple(legs), before_s, answered, float(task.response_bytes), 1.0 - of.quality)


def matching(runs: Iterator[Run], path: PathCosts, vector: np.ndarray) -> Run | None:
    """The first of `runs` that costs what `vector` says: latency, error and traffic; energy is not told here."""
    wanted = (float(vector[0]), float(vector[1]), float(vector[3]))
    for run in runs:
        costs = run.costs(path)
        if all(isclose(a, b, rel_tol=2e-6, abs_tol=1e-9) for a, b in zip(costs, wanted, strict=True)):
            return run
    return None
