"""LFU, LRU, OLAG, the leader and the fixed placements on networks drawn by hand."""

from __future__ import annotations

import numpy as np
import pytest

from placid.catalog.models import Catalog, Model, Profile, Task
from placid.errors import InputError
from placid.network.graph import Link, Network, Node
from placid.placement.base import Feedback, Policy
from placid.placement.online.fixed import CloudOnly, Fixed, MostAccurate, Smallest
from placid.placement.online.olag import Olag
from placid.placement.online.perturbed import PerturbedLeader
from placid.placement.online.reaching import asked_of_items, reaching_options
from placid.placement.online.recency import LeastFrequentlyUsed, LeastRecentlyUsed
from placid.problem.arrays import Problem
from placid.problem.compile import compile_problem
from placid.problem.serving import serve
from placid.workload.requests import RequestTypes


def line(room: tuple[int, int], models: list[Model]) -> Problem:
    """edge - office - cloud, requests entering at the edge; latency is all that counts."""
    tasks = tuple(Task(t) for t in sorted({m.task for m in models}))
    network = Network(
        (
            Node("edge", memory_bytes=room[0]),
            Node("office", memory_bytes=room[1]),
            Node("cloud", repository=True),
        ),
        (Link("edge", "office", 0.01), Link("office", "cloud", 0.1)),
    )
    requests = RequestTypes.grid(["edge"], [t.name for t in tasks])
    return compile_problem(network, Catalog(tasks, tuple(models)), requests, np.array([1.0, 0, 0, 0]))


def model(name: str, task: str, size: int, *, quality: float = 0.8, capacity: float = 100.0) -> Model:
    return Model(name, task, size, quality, {"cpu": Profile(0.01, capacity / 60)})


def item(problem: Problem, name: str) -> int:
    return next(e for e in range(problem.item_count) if problem.item_name(e) == name)


def names(problem: Problem, placed: np.ndarray) -> set[str]:
    return {problem.item_name(int(e)) for e in np.flatnonzero(placed)}


def feedback(problem: Problem, placed: np.ndarray, demand: list[int], slot: int = 0) -> Feedback:
    d = np.array(demand)
    return Feedback(slot, d, placed, serve(problem, placed, d))


def placements(policy: Policy, problem: Problem, demands: list[list[int]]) -> list[set[str]]:
    rng = np.random.default_rng(0)
    state = policy.start(problem, rng)
    seen = []
    for t, demand in enumerate(demands):
        state, placed = policy.place(state, problem, t, rng)
        seen.append(names(problem, placed))
        state = policy.learn(state, problem, feedback(problem, placed, demand, t), rng)
    return seen


def test_a_request_reaches_the_nodes_below_the_one_that_answers() -> None:
    problem = line((10, 10), [model("a", "t", 5, capacity=30)])
    edge, office = item(problem, "edge/a"), item(problem, "office/a")
    options = {int(e): o for o, e in enumerate(problem.option_item)}
    placed = np.zeros(problem.item_count, bool)
    reached = reaching_options(problem, feedback(problem, placed, [100]))
    assert (reached[options[edge]], reached[options[office]]) == (100, 100)
    placed[edge] = True  # the edge answers its 30, the rest goes on
    seen = feedback(problem, placed, [100])
    reached = reaching_options(problem, seen)
    assert (reached[options[edge]], reached[options[office]]) == (100, 70)
    asked = asked_of_items(problem, seen)
    assert (asked[edge], asked[office]) == (30, 30)


def test_lru_keeps_the_last_and_lfu_the_most_frequent() -> None:
    problem = line((5, 0), [model("a", "ta", 5), model("b", "tb", 5)])
    demands = [[9, 0], [9, 0], [0, 1], [0, 1]]
    assert placements(LeastRecentlyUsed(), problem, demands) == [set(), {"edge/a"}, {"edge/a"}, {"edge/b"}]
    assert placements(LeastFrequentlyUsed(), problem, demands)[-1] == {"edge/a"}
    # asked for in the same slot: more often wins
    assert placements(LeastRecentlyUsed(), problem, [[3, 5], [0, 0]])[-1] == {"edge/b"}


def test_olag_takes_the_load_that_a_pick_absorbs_off_the_others() -> None:
    # two copies of the popular model: once the first absorbs all its load, the other task is worth more
    models = [model("a1", "ta", 5), model("a2", "ta", 5), model("b", "tb", 5)]
    problem = line((10, 0), models)
    assert placements(Olag(memory=1.0), problem, [[50, 10], [0, 0]])[-1] in (
        {"edge/a1", "edge/b"},
        {"edge/a2", "edge/b"},
    )
    # more requests than one copy can answer: the second copy is worth more than the other task
    assert placements(Olag(memory=1.0), problem, [[250, 10], [0, 0]])[-1] == {"edge/a1", "edge/a2"}


def test_olag_counts_saving_by_size() -> None:
    # a large model for the more popular task, or two small ones for tasks that together are worth more
    models = [model("a", "ta", 10), model("b", "tb", 5), model("c", "tc", 5)]
    problem = line((10, 0), models)
    assert placements(Olag(), problem, [[50, 30, 30], [0, 0, 0]])[-1] == {"edge/b", "edge/c"}
    assert placements(Olag(), problem, [[90, 30, 30], [0, 0, 0]])[-1] == {"edge/a"}


def test_olag_forgets_at_its_rate() -> None:
    problem = line((5, 0), [model("a", "ta", 5), model("b", "tb", 5)])
    shift = [[50, 0], [0, 40], [0, 40]]
    assert placements(Olag(memory=1.0), problem, shift)[-1] == {"edge/a"}
    assert placements(Olag(memory=0.1), problem, shift)[-1] == {"edge/b"}


def test_the_leader_follows_the_counts_when_noise_is_small() -> None:
    problem = line((5, 5), [model("a", "ta", 5), model("b", "tb", 5), model("c", "tc", 5)])
    demands = [[50, 30, 1]] * 3
    seen = placements(PerturbedLeader(noise=0.0, refresh=1), problem, demands)
    assert seen[0] == set()
    assert seen[-1] == {"edge/a", "office/b"}
    other = [placements(PerturbedLeader(noise=5.0, refresh=1), problem, demands)[-1] for _ in range(3)]
    assert other[0] == other[1] == other[2]  # the noise is drawn once, from the seed


def test_the_leader_decides_every_refresh_slots_and_after_the_first() -> None:
    problem = line((5, 0), [model("a", "ta", 5), model("b", "tb", 5)])
    demands = [[9, 0]] + [[0, 50]] * 9
    seen = placements(PerturbedLeader(noise=0.0, refresh=4), problem, demands)
    assert [s == {"edge/a"} for s in seen[1:5]] == [True, True, True, False]


def test_fixed_placements() -> None:
    models = [
        model("good", "ta", 6, quality=0.9),
        model("small", "ta", 3, quality=0.6),
        model("other", "tb", 4, quality=0.7),
        model("tiny", "tb", 1, quality=0.5),
    ]
    problem = line((10, 0), models)
    assert placements(CloudOnly(), problem, [[1, 1]]) == [set()]
    # task by task in rounds: the best of each first, then what still fits
    assert placements(MostAccurate(), problem, [[1, 1]]) == [{"edge/good", "edge/other"}]
    assert placements(Smallest(), problem, [[1, 1]]) == [{"edge/small", "edge/tiny", "edge/good"}]


def test_a_given_placement_is_checked_and_told_apart() -> None:
    problem = line((10, 10), [model("a", "t", 5), model("b", "t", 5)])
    one, other = np.array([True, False, False, False]), np.array([False, True, False, False])
    rng = np.random.default_rng(0)
    _, placed = Fixed(one).place(Fixed(one).start(problem, rng), problem, 0, rng)
    np.testing.assert_array_equal(placed, one)
    assert repr(Fixed(one)) != repr(Fixed(other))
    for wrong in (np.ones(3, bool), np.ones(4)):
        with pytest.raises(InputError, match="4 items"):
            Fixed(wrong).start(problem, rng)
