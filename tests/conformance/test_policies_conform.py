"""Every policy, in every setting that changes what it does, is one; and the check finds policies that are not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pytest

from placid.errors import InfeasiblePlacementError, InputError
from placid.placement.base import Feedback, Policy
from placid.placement.online import POLICIES
from placid.placement.online.euclidean import GradientAscent
from placid.placement.online.fixed import CloudOnly, Fixed
from placid.placement.online.infida import AdaptiveInfida, Infida
from placid.placement.online.olag import Olag
from placid.placement.online.optimistic import OptimisticInfida
from placid.placement.online.perturbed import PerturbedLeader
from placid.problem.arrays import Problem
from placid.problem.placement import trim_to_budgets
from placid.testing.policies import check_policy


def fixed(problem: Problem) -> Fixed:
    rng = np.random.default_rng(0)
    wanted = rng.random(problem.item_count) < 0.5
    return Fixed(trim_to_budgets(problem, wanted, rng.random(problem.item_count)))


EVERY: list[Policy | Callable[[Problem], Policy]] = [
    *(policy() for policy in POLICIES.values()),
    fixed,
    Infida(refresh=3),
    Infida(refresh=1, stretch=1.5, refresh_max=4),
    Infida(rounding="permanent", fill=True, rate=0.3),
    Infida(reserve=True),
    AdaptiveInfida(reserve=True, share=0.05),
    AdaptiveInfida(rounding="dependent", fill=False, refresh=2),
    GradientAscent(rounding="dependent"),
    OptimisticInfida(prediction="workload"),
    PerturbedLeader(refresh=1, discount=0.9),
    PerturbedLeader(refresh=4, noise=0.0),
    Olag(memory=1.0, refresh=3),
]


@pytest.mark.parametrize(
    "policy", EVERY, ids=lambda policy: str(policy) if isinstance(policy, Policy) else "fixed"
)
def test_conforms(policy: Policy | Callable[[Problem], Policy]) -> None:
    check_policy(policy)


@pytest.mark.parametrize("name", [name for name, policy in POLICIES.items() if policy.chains])
def test_conforms_with_plans_over_several_nodes(name: str) -> None:
    check_policy(fixed if name == "fixed" else POLICIES[name](), plans=2)


@dataclass(frozen=True)
class Greedy(CloudOnly):
    """Places everything, whether it fits or not."""

    name: ClassVar[str] = "greedy"

    def _choose(self, problem: Problem) -> np.ndarray:
        return np.ones(problem.item_count, bool)


@dataclass(frozen=True)
class Forgetful(CloudOnly):
    """Draws from a generator of its own."""

    name: ClassVar[str] = "forgetful"

    def place(
        self, state: Any, problem: Problem, slot: int, rng: np.random.Generator
    ) -> tuple[Any, np.ndarray]:
        wanted = np.random.default_rng().random(problem.item_count) < 0.5
        return state, trim_to_budgets(problem, wanted, np.ones(problem.item_count))


@dataclass(frozen=True)
class Meddler(CloudOnly):
    """Writes into the state it was given."""

    name: ClassVar[str] = "meddler"

    def learn(self, state: Any, problem: Problem, feedback: Feedback, rng: np.random.Generator) -> Any:
        state.placed[:] = True
        return state


@dataclass(frozen=True)
class Grower(CloudOnly):
    """Keeps a list in its state."""

    name: ClassVar[str] = "grower"

    def learn(self, state: Any, problem: Problem, feedback: Feedback, rng: np.random.Generator) -> Any:
        return replace(state, messages=[feedback.slot])


@pytest.mark.parametrize(
    ("wrong", "error", "said"),
    [
        (Greedy(), InfeasiblePlacementError, "exceeds the memory"),
        (Forgetful(), AssertionError, "other placements under the same seed"),
        (Meddler(), (AssertionError, InfeasiblePlacementError), "changed the state|exceeds the memory"),
        (Grower(), TypeError, "messages|unsupported"),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_the_check_finds_what_is_wrong(
    wrong: Policy, error: type[Exception] | tuple[type[Exception], ...], said: str
) -> None:
    with pytest.raises(error, match=said):
        check_policy(wrong)


def test_wrong_settings_are_refused() -> None:
    for make in (
        lambda: Infida(rounding="depround"),
        lambda: Infida(refresh=0),
        lambda: Infida(refresh=5, refresh_max=4),
        lambda: Infida(stretch=0.5),
        lambda: Infida(horizon=0),
        lambda: Infida(rate=-1.0),
        lambda: Infida(rounding="permanent", reserve=True),
        lambda: AdaptiveInfida(share=0.0),
        lambda: OptimisticInfida(prediction="oracle"),
        lambda: PerturbedLeader(noise=-1.0),
        lambda: PerturbedLeader(discount=0.0),
        lambda: PerturbedLeader(refresh=0),
        lambda: Olag(memory=1.5),
        lambda: Olag(refresh=0),
    ):
        with pytest.raises(InputError):
            make()
