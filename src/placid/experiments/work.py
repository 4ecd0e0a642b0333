"""The two kinds of work that a run is made of, as worker processes do them: play a policy, look back.

Everything a worker needs is sent to it once, when it starts; a task is then a few names.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from placid.experiments.folder import RunFolder
from placid.experiments.hindsight import look_back
from placid.experiments.part import Part, load_part, play_part
from placid.placement.base import Policy
from placid.placement.offline.base import Solver
from placid.placement.online.fixed import Fixed
from placid.problem.arrays import Problem
from placid.workload.base import Workload
from placid.workload.replay import Replay

__all__ = ["LookBack", "Plan", "Play", "Task", "hindsight_label", "trace_of"]


@dataclass(frozen=True)
class Plan:
    """What is fixed for the whole run.

    Attributes:
        timeline: (first slot, problem) in rising order.
        policies: (label, policy) in the order of the scenario.
        solvers: offline solvers whose placements are played in hindsight.
        windows: how often the ceiling's prices are renewed.
        variation: see `placid.experiments.part.Part`.
    """

    folder: RunFolder
    timeline: Sequence[tuple[int, Problem]]
    workload: Workload
    policies: Sequence[tuple[str, Policy]]
    solvers: Sequence[Solver]
    slots: int
    seeds: Sequence[int]
    windows: int
    lp_time_limit_s: float
    variation: float | None = None

    @property
    def traces(self) -> tuple[str, ...]:
        """The request sequences of the run: one for all, or one per policy if an adversary makes them."""
        return tuple(label for label, _ in self.policies) if self.workload.adaptive else ("",)


@dataclass(frozen=True)
class Play:
    """Play the policy called `label` under `seed`."""

    label: str
    seed: int

    @property
    def title(self) -> str:
        return f"{self.label}, seed {self.seed}"

    def steps(self, plan: Plan) -> int:
        """How many steps `do` reports in all."""
        return plan.slots

    def do(self, plan: Plan, tell: Callable[[int], None]) -> None:
        policy = dict(plan.policies)[self.label]
        play_part(
            Part(
                file=plan.folder.part(trace_of(plan, self.label), self.label, self.seed),
                trace=trace_of(plan, self.label),
                label=self.label,
                kind="online" if policy.learns else "static",
                seed=self.seed,
                policy=policy,
                workload=plan.workload,
                timeline=plan.timeline,
                slots=plan.slots,
                keep_events=self.seed == plan.seeds[0],
                variation=plan.variation,
            ),
            tell,
        )


@dataclass(frozen=True)
class LookBack:
    """Find what could have been for `trace` under `seed`, and play the static placements found."""

    trace: str
    seed: int

    @property
    def title(self) -> str:
        return f"hindsight{f' of {self.trace}' if self.trace else ''}, seed {self.seed}"

    def steps(self, plan: Plan) -> int:
        """How many steps `do` reports in all; the solving counts as one play."""
        return plan.slots * (1 + len(plan.solvers))

    def do(self, plan: Plan, tell: Callable[[int], None]) -> None:
        tell(0)
        file = plan.folder.hindsight(self.trace, self.seed)
        demand = self._demand(plan)
        if not file.exists():
            found = look_back(plan.timeline, demand, plan.solvers, plan.windows, plan.lp_time_limit_s)
            file.parent.mkdir(parents=True, exist_ok=True)
            scratch = file.with_suffix(".tmp.npz")
            np.savez(scratch, **found.as_arrays())
            os.replace(scratch, file)
        with np.load(file) as data:
            placed = {solver.name: data[f"placed/{solver.name}"] for solver in plan.solvers}
        workload = Replay(plan.workload.requests, demand)
        for done, (name, placement) in enumerate(placed.items(), start=1):
            part = Part(
                file=plan.folder.part(self.trace, hindsight_label(name), self.seed),
                trace=self.trace,
                label=hindsight_label(name),
                kind="hindsight",
                seed=self.seed,
                policy=Fixed(placement),
                workload=workload,
                timeline=plan.timeline,
                slots=plan.slots,
                keep_events=self.seed == plan.seeds[0],
                variation=plan.variation,
            )
            play_part(part, lambda slot, done=done: tell(plan.slots * done + slot))  # type: ignore[misc]

    def _demand(self, plan: Plan) -> np.ndarray:
        """The requests that came, int64 [T, R]."""
        if plan.workload.adaptive:
            part = load_part(plan.folder.part(self.trace, self.trace, self.seed))
            assert part is not None, "hindsight comes after the play"
            assert part.slots == plan.slots, "hindsight comes after the play"
            return part.demand
        return np.stack([plan.workload.demand(slot, self.seed) for slot in range(plan.slots)])


Task = Play | LookBack


def trace_of(plan: Plan, label: str) -> str:
    """The request sequence that the policy called `label` is played against."""
    return label if plan.workload.adaptive else ""


def hindsight_label(solver: str) -> str:
    """What the played placement of an offline solver is called in rows and plots."""
    return f"hindsight-{solver}"
