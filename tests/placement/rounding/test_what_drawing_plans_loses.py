"""Cases written by hand in which drawing parts of plans can lose nearly all, and what the roundings keep of them."""

from __future__ import annotations

import numpy as np
import pytest

from placid.placement.columns import Columns
from placid.placement.rounding import CHAIN_ROUNDINGS, ChainRounding, SharedDraws, TopDown
from placid.randomness import stream
from placid.testing.gadgets import Gadget, Option, problem_of_options

EVERY = pytest.mark.parametrize("make", CHAIN_ROUNDINGS.values(), ids=CHAIN_ROUNDINGS)


def gadget(
    up: list[int],
    options: list[Option],
    fractions: list[float],
    budget: list[int],
    size: int = 1,
    capacity: dict[tuple[int, int], float] | None = None,
) -> Gadget:
    """One request type an option, each saving 1; `fractions` of the columns in the order of ``options``, heads first."""
    pairs = [pair for option in options for pair in option]
    problem = problem_of_options(
        np.array(up),
        [[option] for option in options],
        [np.ones(1)] * len(options),
        dict.fromkeys(pairs, size),
        np.array(budget),
        capacity,
    )
    columns = Columns.of(problem)
    z = np.zeros(len(columns))
    known = iter(fractions)
    for o in range(len(options)):
        n = int(columns.leaf[o])
        while n >= 0:
            z[n] = next(known)
            n = int(columns.parent[n])
    demand = np.ones(len(options))
    used = np.bincount(columns.lifted.item_node, columns.lifted.item_size * z, len(up))
    assert (used <= np.array(budget) + 1e-9).all(), "fractions must fit"
    return Gadget(problem, columns, demand, columns.share(problem, demand), z, "by hand")


def kept(make: type[ChainRounding], made: Gadget, draws: int = 40_000) -> tuple[float, float]:
    """What draws keep of the concave gain on average, and what is promised."""
    rounding = make(made.columns, made.problem.node_hops)
    drawn = rounding.sample(made.z, made.problem.budget_bytes, stream(0), draws)
    mean = made.columns.gains(made.demand, made.share, drawn).mean() / made.gain
    return float(mean), rounding.least_ratio(made.z, made.problem.budget_bytes, made.share)


@EVERY
def test_a_middle_part_that_is_there_more_often_than_its_tail_costs_nothing(
    make: type[ChainRounding],
) -> None:
    """Fractions 1/2, 1, 1/2: the chain can be whole half of the time; by neighbours' ratios alone a quarter."""
    made = gadget([1, 2, -1], [((0, 0), (1, 1), (2, 2))], [0.5, 1.0, 0.5], [2, 2, 2])
    assert kept(make, made)[0] == pytest.approx(1.0, abs=0.03)


def test_a_model_that_nearly_fills_a_device_leaves_a_rare_head_its_part() -> None:
    """With roots first the head would get what they leave, one time in ten: a tenth of the concave gain."""
    made = gadget([1, -1], [((0, 0),), ((0, 1), (1, 2))], [0.9, 0.1, 0.1], [1, 1])
    rounding = TopDown(made.columns, made.problem.node_hops)
    drawn = rounding.sample(made.z, made.problem.budget_bytes, stream(1), 100_000)
    often = drawn[:, made.columns.leaf[1]].mean()
    assert often >= 0.5 * 0.1
    mean, promised = kept(TopDown, made)
    assert mean >= promised == pytest.approx((1 - 1 / np.e) ** 2 / 2)


def test_two_parts_of_a_rare_plan_on_one_full_node_come_together() -> None:
    """Drawn one by one, the tail would come with no room left for its head nearly always."""
    rare = 0.05
    options: list[Option] = [((0, 0), (0, 1)), *(((0, 2 + i),) for i in range(5))]
    made = gadget([-1], options, [rare, rare, *[(4 - 2 * rare) / 5] * 5], [4])
    rounding = TopDown(made.columns, made.problem.node_hops)
    drawn = rounding.sample(made.z, made.problem.budget_bytes, stream(2), 100_000)
    assert drawn[:, made.columns.leaf[0]].mean() >= 0.2 * rare


def test_top_down_promises_nothing_of_two_parts_on_one_full_node() -> None:
    """Room for the second part is kept on average, and here what is left is never enough for it."""
    made = gadget([-1], [((0, 0), (0, 1)), ((0, 2),)], [0.5, 1.0, 1.0], [5], size=2)
    mean, promised = kept(TopDown, made)
    assert promised == 0
    assert mean == pytest.approx(2 / 3, abs=0.01)


@EVERY
def test_capacity_counts_only_while_what_it_waits_for_is_there(make: type[ChainRounding]) -> None:
    """A head with a twentieth of the capacity, always there, under a tail that is there one time in twenty."""
    option: Option = ((0, 0), (1, 1))
    made = gadget([1, -1], [option], [1.0, 0.05], [1, 1], capacity={(0, 0): 0.05})
    # without the least fraction in it the concave gain would promise 0.05; no draw can earn more than 0.0025
    assert made.gain == pytest.approx(0.0025)
    assert kept(make, made)[0] == pytest.approx(1.0, abs=0.12)
    made = gadget([1, -1], [option], [0.05, 1.0], [1, 1], capacity={(1, 1): 0.05})
    assert made.gain == pytest.approx(0.0025)
    assert kept(make, made)[0] == pytest.approx(1.0, abs=0.12)


@EVERY
def test_no_draw_can_help_many_heads_of_one_rare_tail_on_one_small_node(make: type[ChainRounding]) -> None:
    """Whenever the tail is there all heads are wanted, and one fits: the fractions earn fifty times as much.

    So no constant holds without a word on what is dedicated to one part, and none is promised.
    """
    heads = 50
    options: list[Option] = [((0, 1 + i), (1, 0)) for i in range(heads)]
    made = gadget([1, -1], options, [1 / heads] * 2 * heads, [1, 1])
    mean, promised = kept(make, made)
    assert mean <= 1.2 / heads
    assert promised <= mean


def test_shared_draws_promise_nothing_to_a_part_as_large_as_its_node_and_top_down_does() -> None:
    """Its place in the queue has to be before all of the small ones that together fill the node."""
    small: list[Option] = [((0, 1 + i),) for i in range(40)]
    options: list[Option] = [((0, 0),), *small]
    problem = problem_of_options(
        np.array([-1]),
        [[option] for option in options],
        [np.ones(1)] * len(options),
        {(0, 0): 40} | {pair: 1 for option in small for pair in option},
        np.array([40]),
    )
    columns = Columns.of(problem)
    z = np.where(columns.item == 0, 0.5, 0.5)
    demand = np.ones(41) * (np.arange(41) == 0)  # all ask for the large one
    made = Gadget(problem, columns, demand, columns.share(problem, demand), z, "by hand")
    shared, promised = kept(SharedDraws, made)
    assert shared < 0.25
    assert promised == 0
    top_down, promised = kept(TopDown, made)
    assert top_down >= promised > 0.3


def test_roomy_nodes_keep_nearly_all_that_chance_covers() -> None:
    """80 heads and tails of a hundredth of their nodes, memory full: shared draws promise, and keep, most of it."""
    options: list[Option] = [((0, i), (1, 200 + i)) for i in range(160)]
    made = gadget([1, -1], options, [0.625] * 320, [100, 100])
    mean, promised = kept(SharedDraws, made, 4000)
    assert promised > 0.4
    assert mean > 0.9


@EVERY
def test_few_numbers_renewed_move_little_of_plans(make: type[ChainRounding]) -> None:
    options: list[Option] = [((0, i), (1, 200 + i)) for i in range(60)]
    made = gadget([1, -1], options, [0.5] * 120, [30, 30])
    moved = {}
    for renewal in (0.02, 1.0):
        rounding = make(made.columns, made.problem.node_hops)
        draws, last = rounding.start(stream(3)), np.zeros(len(made.columns), bool)
        moved[renewal] = 0
        for k in range(150):
            draws, drawn = rounding.round(draws, made.z, made.problem.budget_bytes, stream(3, k), renewal)
            moved[renewal] += int((drawn & ~last).sum())
            last = drawn
    assert moved[0.02] < 0.35 * moved[1.0]
