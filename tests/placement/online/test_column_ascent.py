"""Column ascent: the conformance of policies with plans, its regret bound, and how near the optimum it comes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from placid.errors import InputError
from placid.placement.base import Feedback
from placid.placement.columns import Columns
from placid.placement.offline.lp import LinearProgram
from placid.placement.offline.milp import Milp
from placid.placement.online.column_ascent import ColumnAscent, ColumnState
from placid.placement.online.infida import AdaptiveInfida
from placid.problem.arrays import Problem
from placid.problem.gain import potential_share
from placid.problem.placement import empty_placement
from placid.problem.serving import serve
from placid.simulation.slots import Episode, play
from placid.testing.instances import random_demand, random_problem
from placid.testing.policies import check_policy
from placid.workload.replay import Replay
from placid.workload.requests import RequestTypes


@pytest.mark.parametrize(
    "policy", [ColumnAscent(), ColumnAscent(fill=False, refresh=3), ColumnAscent(rounding="shared")], ids=str
)
def test_it_conforms_with_plans(policy: ColumnAscent) -> None:
    check_policy(policy, plans=2)


def roomy(rng: np.random.Generator, nodes: int = 5, tasks: int = 2) -> Problem:
    """Plans whose capacities do not bind and whose memory does."""
    problem = random_problem(rng, nodes=nodes, tasks=tasks, plans=2, tight=False)
    return replace(problem, budget_bytes=(problem.budget_bytes * rng.uniform(0.1, 0.4)).astype(np.int64))


@pytest.mark.parametrize("block", range(4))
def test_the_regret_bound_holds_against_the_best_fixed_fractions(block: int) -> None:
    """Counts of requests are all that a fixed placement's gain depends on, so the comparator is one linear program."""
    slots, spent = 40, []
    for seed in range(block * 8, block * 8 + 8):
        rng = np.random.default_rng(seed)
        problem = roomy(rng)
        one, other = random_demand(rng, problem), random_demand(rng, problem)
        demands = [
            (one if t < slots // 2 else other) if seed % 2 else random_demand(rng, problem)
            for t in range(slots)
        ]
        best = LinearProgram().solve(Columns.of(problem).lifted, np.sum(demands, axis=0)).bound
        policy, gained = ColumnAscent(), 0.0
        state = policy.start(problem, rng)
        placed = empty_placement(problem)
        for t, demand in enumerate(demands):
            gained += policy.relaxed_gain(state, problem, demand, potential_share(problem, demand))
            feedback = Feedback(t, demand, placed, serve(problem, placed, demand))
            state = policy.learn(state, problem, feedback, rng)
        assert best - gained <= state.regret_bound + 1e-6 * (1 + best)
        spent.append((best - gained) / max(state.regret_bound, 1e-9))
    assert max(spent) > 0.05, "a bound that is never near says nothing"


def test_it_comes_near_the_best_static_placement() -> None:
    ratios = []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        problem = roomy(rng, nodes=6, tasks=3)
        demand = np.array([random_demand(rng, problem)] * 80)
        types = RequestTypes(
            tuple(problem.node_names[v] for v in problem.type_ingress),
            tuple(problem.task_names[t] for t in problem.type_task),
        )
        episode = Episode(((0, problem),), Replay(types, demand), ColumnAscent(), 0, len(demand))
        gains = [record.outcome.gain for record, _ in play(episode)]
        best = Milp().solve(problem, demand[0]).value
        ratios.append(np.mean(gains[40:]) / best if best else 1.0)
    assert np.mean(ratios) > 0.9


def test_columns_that_stay_keep_their_fractions() -> None:
    rng = np.random.default_rng(2)
    problem = roomy(rng)
    policy = ColumnAscent()
    state = policy.start(problem, rng)
    for t in range(10):
        state, placed = policy.place(state, problem, t, rng)
        demand = random_demand(rng, problem)
        state = policy.learn(state, problem, Feedback(t, demand, placed, serve(problem, placed, demand)), rng)
    half = problem.option_count // 2  # as if routes had changed: options are gone, items stay
    kept = np.arange(problem.option_count) >= half
    changed = _with_options(problem, kept)
    after, placed = policy.place(state, changed, 10, rng)
    assert isinstance(after, ColumnState)
    known = {tuple(k): z for k, z in zip(state.key.tolist(), state.z, strict=True)}
    width = after.key.shape[1]
    same = [
        (known[(*k, *[-1] * (state.key.shape[1] - width))], z)
        for k, z in zip(after.key.tolist(), after.z, strict=True)
    ]
    before, now = np.array(same).T
    assert np.corrcoef(before, now)[0, 1] > 0.8
    assert np.isnan(
        policy.learn(
            after, changed, Feedback(10, demand, placed, serve(changed, placed, demand)), rng
        ).regret_bound
    )


def _with_options(problem: Problem, kept: np.ndarray) -> Problem:
    needs = problem.needs
    of = np.repeat(kept, np.diff(needs.ptr))
    assert problem.chains is not None
    chains = replace(
        problem.chains,
        ptr=np.concatenate(([0], np.cumsum(np.diff(needs.ptr)[kept]))),
        item=needs.item[of],
        load=needs.load[of],
        answered=needs.answered[of],
    )
    saving, kind = problem.option_saving[kept], problem.option_type[kept]
    ptr = np.searchsorted(kind, np.arange(problem.type_count + 1)).astype(np.int64)
    return replace(
        problem,
        option_ptr=ptr,
        option_saving=saving,
        option_vector=problem.option_vector[kept],
        option_type=kind,
        serving_order=np.argsort(-saving, kind="stable").astype(np.int32),
        chains=chains,
    )


def test_policies_that_cannot_place_plans_say_so() -> None:
    problem = roomy(np.random.default_rng(0))
    types = RequestTypes(
        tuple(problem.node_names[v] for v in problem.type_ingress),
        tuple(problem.task_names[t] for t in problem.type_task),
    )
    demand = np.zeros((2, problem.type_count), np.int64)
    episode = Episode(((0, problem),), Replay(types, demand), AdaptiveInfida(), 0, 2)
    with pytest.raises(InputError, match="policy 'infida-adaptive' places models that answer alone"):
        next(iter(play(episode)))


@pytest.mark.parametrize(
    "wrong",
    [
        {"rounding": "upwards"},
        {"refresh": 0},
        {"renewal": 1.5},
        {"loyalty": -1.0},
        {"stay": -0.1},
        {"share": 0.0},
    ],
)
def test_settings_out_of_range_are_named(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError, match=next(iter(wrong))):
        ColumnAscent(**wrong)  # type: ignore[arg-type]
