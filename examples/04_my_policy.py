"""A policy of your own, in one file outside the package.

Each node keeps the models that would have saved most per byte on the requests of late. Run it beside the built-in ones:

    cp examples/04_my_policy.py my_policy.py
    placid run scenarios/quick.yaml --policy my_policy:SavingPerByte

Run by itself, this file puts the policy through the checks that ours must pass.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from placid.placement.base import Feedback, Policy, State
from placid.problem.arrays import Problem


@dataclass(frozen=True, kw_only=True)
class Savings(State):
    worth: np.ndarray  # float64 [N]: what each item would have saved, old slots fading


@dataclass(frozen=True)
class SavingPerByte(Policy):
    name: ClassVar[str] = "saving-per-byte"
    memory: float = 0.9  # what is kept from slot to slot

    def start(self, problem: Problem, rng: np.random.Generator) -> Savings:
        return Savings(worth=np.zeros(problem.item_count))

    def place(
        self, state: Savings, problem: Problem, slot: int, rng: np.random.Generator
    ) -> tuple[Savings, np.ndarray]:
        placed = np.zeros(problem.item_count, bool)
        room = problem.budget_bytes.copy()
        for item in np.argsort(-state.worth / problem.item_size_bytes, kind="stable"):
            node, size = problem.item_node[item], problem.item_size_bytes[item]
            if state.worth[item] > 0 and size <= room[node]:
                placed[item] = True
                room[node] -= size
        return state, placed

    def learn(
        self, state: Savings, problem: Problem, feedback: Feedback, rng: np.random.Generator
    ) -> Savings:
        saved = problem.option_saving * feedback.demand[problem.option_type]
        saved = np.bincount(problem.option_item, weights=saved, minlength=problem.item_count)
        return replace(state, worth=self.memory * state.worth + saved)


if __name__ == "__main__":
    from placid.testing import check_policy

    check_policy(SavingPerByte())
    print("SavingPerByte passes the conformance check.")
