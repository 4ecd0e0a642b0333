"""What all ascents share: where fractions move, when placements are drawn, what happens when the network changes."""

from __future__ import annotations

import gc
from dataclasses import replace

import numpy as np
import pytest

from placid.placement.base import Feedback
from placid.placement.online.ascent import Ascent
from placid.placement.online.euclidean import GradientAscent
from placid.placement.online.infida import AdaptiveInfida, Infida
from placid.placement.online.memo import once_a_problem
from placid.placement.online.optimistic import OptimisticInfida
from placid.placement.online.space import Space
from placid.placement.online.steps import StepMemory, book, fixed_rate, self_tuned_rate
from placid.problem.arrays import Problem
from placid.problem.gain import potential_share, relaxed_gain
from placid.problem.serving import serve
from placid.randomness import stream
from placid.testing.instances import random_demand, random_problem

EVERY: list[Ascent] = [Infida(), AdaptiveInfida(), OptimisticInfida(), GradientAscent()]


def run(
    policy: Ascent, problems: list[Problem], demands: list[np.ndarray]
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Placements and fractions, slot by slot."""
    state = policy.start(problems[0], stream(0, "start"))
    placements, fractions = [], []
    for t, (problem, demand) in enumerate(zip(problems, demands, strict=True)):
        state, placed = policy.place(state, problem, t, stream(0, "place", t))
        placements.append(placed)
        fractions.append(state.y)
        state = policy.learn(
            state, problem, Feedback(t, demand, placed, serve(problem, placed, demand)), stream(0, "learn", t)
        )
    return placements, fractions


def test_the_space_is_what_can_be_of_use() -> None:
    for seed in range(40):
        problem = random_problem(np.random.default_rng(seed))
        space = Space.of(problem, problem.budget_bytes.astype(np.float64))
        useful = set(problem.option_item.tolist())
        for e in range(problem.item_count):
            fits = problem.item_size_bytes[e] <= problem.budget_bytes[problem.item_node[e]]
            assert space.allowed[e] == (fits and e in useful)
        u = space.uniform()
        for v in range(problem.node_count):
            mine = slice(int(problem.node_ptr[v]), int(problem.node_ptr[v + 1]))
            total = problem.item_size[mine][space.allowed[mine]].sum()
            filled = problem.item_size[mine] @ u[mine]
            assert filled == pytest.approx(min(total, problem.budget_bytes[v]))
            assert space.tight[v] == (0 < problem.budget_bytes[v] < total)


@pytest.mark.parametrize("policy", EVERY, ids=lambda p: p.name)
def test_fractions_stay_in_their_space_and_climb(policy: Ascent) -> None:
    better = []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        problem = random_problem(rng, nodes=5)
        demand = random_demand(rng, problem)
        _, fractions = run(policy, [problem] * 40, [demand] * 40)
        space = policy.space(problem)
        for y in fractions:
            assert y.min() >= 0
            assert y.max() <= 1
            assert not y[~space.allowed].any()
            filled = np.bincount(problem.item_node, problem.item_size * y, minlength=problem.node_count)
            assert (filled <= space.budget * (1 + 1e-9)).all()
        share = potential_share(problem, demand)
        better.append(
            relaxed_gain(problem, demand, share, fractions[-1])
            - relaxed_gain(problem, demand, share, fractions[0])
        )
    assert min(better) >= -1e-9
    assert max(better) > 0


@pytest.mark.parametrize(
    ("settings", "drawn"),
    [
        ({"refresh": 1}, list(range(20))),
        ({"refresh": 5}, [0, 5, 10, 15]),
        ({"refresh": 1, "stretch": 2.0}, [0, 1, 3, 7, 15]),
        ({"refresh": 1, "stretch": 2.0, "refresh_max": 4}, [0, 1, 3, 7, 11, 15, 19]),
    ],
    ids=str,
)
def test_placements_are_drawn_at_refreshes_only(settings: dict[str, float], drawn: list[int]) -> None:
    changed: set[int] = set()
    for seed in range(15):
        rng = np.random.default_rng(seed)
        problem = random_problem(rng, nodes=6, tasks=3)
        placements, _ = run(
            Infida(**settings), [problem] * 20, [random_demand(rng, problem) for _ in range(20)]
        )  # type: ignore[arg-type]
        changed |= {t for t in range(1, 20) if (placements[t] != placements[t - 1]).any()}
    assert changed == set(drawn) - {0}


def test_between_refreshes_only_the_nodes_that_changed_draw_again() -> None:
    rng = np.random.default_rng(3)
    problem = random_problem(rng, nodes=6, tasks=3)
    used = [v for v in range(6) if problem.budget_bytes[v] > 0]
    down = problem.budget_bytes.copy()
    down[used[0]] = 0
    failed = replace(problem, budget_bytes=down)
    problems = [problem] * 3 + [failed] * 3 + [problem] * 3
    demands = [random_demand(rng, problem) for _ in problems]
    placements, _ = run(AdaptiveInfida(refresh=100), problems, demands)
    there = problem.item_node == used[0]
    for placed in placements:
        np.testing.assert_array_equal(placed[~there], placements[0][~there])
    assert not placements[3][there].any()
    assert placements[6][there].any()  # it is back, and does not wait for the next refresh


@pytest.mark.parametrize("policy", EVERY, ids=lambda p: p.name)
def test_what_becomes_of_use_under_way_is_found(policy: Ascent) -> None:
    """A link fails, routes change, and models that were of use to nobody are the best there are."""
    found, kept = 0, []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        problem = random_problem(rng, nodes=5, tasks=2)
        demand = random_demand(rng, problem) + 1
        # before, only half of the options were known: compile a problem in which every second item is of no use
        keep = problem.option_item % 2 == 0
        before = replace(
            problem,
            option_ptr=np.concatenate(
                ([0], np.cumsum(np.bincount(problem.option_type[keep], minlength=problem.type_count)))
            ),
            option_item=problem.option_item[keep],
            option_saving=problem.option_saving[keep],
            option_vector=problem.option_vector[keep],
            option_type=problem.option_type[keep],
            serving_order=np.argsort(-problem.option_saving[keep], kind="stable").astype(np.int32),
        )
        new = policy.space(problem).allowed & ~policy.space(before).allowed
        if not new.any():
            continue
        _, fractions = run(policy, [before] * 10 + [problem] * 60, [demand] * 70)
        assert not fractions[9][new].any()
        share = potential_share(problem, demand)
        _, fresh = run(policy, [problem] * 60, [demand] * 60)
        there, could = (relaxed_gain(problem, demand, share, y) for y in (fractions[-1], fresh[-1]))
        kept.append(there / could)
        found += bool(fractions[-1][new].max() > 0.1)
    assert found > 5
    # rates have fallen since the start, so it takes longer than from scratch
    assert np.mean(kept) >= (0.8 if isinstance(policy, Infida) else 0.9)


def test_rates_never_rise_and_the_account_adds_up() -> None:
    memory = StepMemory.start(2)
    rate = self_tuned_rate(memory, np.array([8.0, 8.0]), np.array([1.0, 0.0]))
    assert rate.tolist() == [2.0, np.inf]  # the second node had nothing to gain
    memory = book(memory, rate, np.array([8.0, 8.0]), np.array([4.0, 0.0]), np.array([0.5, 0.5]))
    # 8 / 2 for the first rate, 4 for the step, 0.5 / 2 for the mixing
    assert memory.bound == pytest.approx(8 / 2 + 4 + 0.25)
    assert memory.curvature.tolist() == [2.0, 0.0]
    slower = self_tuned_rate(memory, np.array([8.0, 8.0]), np.array([1.0, 1.0]))
    assert slower[0] == pytest.approx(np.sqrt(8 / (2 * 3)))
    assert slower[1] == 2.0
    again = self_tuned_rate(
        replace(memory, rate=slower, curvature=np.zeros(2)), np.array([8.0, 8.0]), np.ones(2)
    )
    assert (again <= slower).all()
    fixed = fixed_rate(StepMemory.start(1), np.array([8.0]), np.array([1.0]), horizon=4, value=0.0)
    assert fixed.tolist() == [1.0]
    kept = fixed_rate(replace(StepMemory.start(1), rate=fixed), np.array([8.0]), np.array([100.0]), 4, 0.0)
    assert kept.tolist() == [1.0]


def test_what_is_worked_out_once_is_forgotten_with_its_problem() -> None:
    calls = []

    @once_a_problem
    def count(problem: Problem, factor: int) -> int:
        calls.append(factor)
        return problem.item_count * factor

    problem = random_problem(np.random.default_rng(0))
    assert count(problem, 2) == count(problem, 2) == 2 * problem.item_count
    assert count(problem, 3) == 3 * problem.item_count
    assert calls == [2, 3]
    other = replace(problem)
    assert count(other, 2) == 2 * problem.item_count
    assert calls == [2, 3, 2]
    del other
    gc.collect()
    assert count(replace(problem), 2) == 2 * problem.item_count
