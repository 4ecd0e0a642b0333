"""The environment is the simulator: same requests, same gains, budgets to the byte; and Gymnasium finds nothing wrong."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import gymnasium
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env

from placid.errors import InputError, UnknownNameError
from placid.experiments.scenario import ScenarioError, build, load_scenario
from placid.gym import ACTIONS, PlacementEnv, World
from placid.gym.actions import ActionForm
from placid.placement.base import Feedback, Policy, State
from placid.problem.arrays import COMPONENTS, Problem
from placid.problem.placement import bytes_used
from placid.simulation.slots import Episode, SlotRecord, play
from placid.testing.instances import random_demand, random_problem
from placid.workload import Evader, Replay, RequestTypes

SCENARIO: dict[str, Any] = {
    "slots": 12,
    "network": {
        "tiered": {
            "base_stations": 2,
            "memory": {
                "base-station": "300 MB",
                "central-office": "500 MB",
                "regional-office": "0 B",
                "data-centre": "0 B",
            },
            "processor": "rtx2070",
        }
    },
    "catalog": {"family": "yolov4", "tasks": 3, "replicas": 1, "processors": ["rtx2070"]},
    "workload": {"process": "sliding", "rate": "60 /s", "every_slots": 4},
    "changes": [
        {"slot": 4, "fail": "bs-0"},
        {"slot": 6, "memory": "co", "to": "120 MB"},
        {"slot": 8, "recover": "bs-0"},
    ],
    "objective": {"latency": 1, "error": 0.1},
}


@dataclass(frozen=True)
class Scripted(Policy):
    """Places what is written."""

    name: ClassVar[str] = "scripted"
    chains: ClassVar[bool] = True
    script: list[np.ndarray] = field(default_factory=list)

    def start(self, problem: Problem, rng: np.random.Generator) -> State:
        return State()

    def place(
        self, state: State, problem: Problem, slot: int, rng: np.random.Generator
    ) -> tuple[State, np.ndarray]:
        return state, self.script[slot]

    def learn(self, state: State, problem: Problem, feedback: Feedback, rng: np.random.Generator) -> State:
        return state


def random_world(seed: int, plans: int = 0, adversary: bool = False) -> World:
    """Six slots; in the third and fourth a node is down, in the last two all have shrunk."""
    rng = np.random.default_rng(seed)
    problem = random_problem(rng, plans=plans)
    down = problem.budget_bytes.copy()
    down[np.argmax(down)] = 0
    timeline = (
        (0, problem),
        (2, replace(problem, budget_bytes=down)),
        (4, replace(problem, budget_bytes=problem.budget_bytes * 2 // 3)),
    )
    names = (problem.node_names[v] for v in problem.type_ingress)
    tasks = (problem.task_names[t] for t in problem.type_task)
    types = RequestTypes(tuple(names), tuple(tasks))
    if adversary:
        return World(timeline, Evader(types, rate_per_s=1.0), 6)
    return World(timeline, Replay(types, np.array([random_demand(rng, problem) for _ in range(6)])), 6)


def episode_of(
    env: PlacementEnv, seed: int
) -> list[tuple[dict[str, np.ndarray], float, dict[str, Any], Problem]]:
    """Random actions to the end: what came back in every slot, and the problem then."""
    env.action_space.seed(seed)
    env.reset(seed=seed)
    found, over = [], False
    while not over:
        problem = env.problem
        seen, reward, terminated, over, info = env.step(env.action_space.sample())
        assert not terminated
        found.append((seen, reward, info, problem))
    return found


def placements(env: PlacementEnv, seen: list[dict[str, np.ndarray]]) -> list[np.ndarray]:
    every = []
    for one in seen:
        placed = np.zeros(env.world.problem.item_count, bool)
        placed[env.world.items] = one["placed"] > 0
        every.append(placed)
    return every


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("normalise", [False, True])
def test_gymnasium_finds_nothing_wrong(action: str, normalise: bool) -> None:
    # warnings are errors here
    env = gymnasium.make("placid/Placement-v0", scenario=SCENARIO, action=action, normalise=normalise)
    check_env(env.unwrapped)


@pytest.mark.parametrize("action", ACTIONS)
def test_the_reward_is_what_the_simulator_says(action: str) -> None:
    env = PlacementEnv(SCENARIO, action=action)
    played = episode_of(env, 3)
    built = build(load_scenario(SCENARIO))
    policy = Scripted(placements(env, [seen for seen, *_ in played]))
    episode = Episode(built.problems(), built.workload, policy, 3, built.slots)
    records = [record for record, _ in play(episode)]
    _hold_against_each_other(played, records)
    assert any(reward > 0 for _, reward, *_ in played)


@pytest.mark.parametrize("seed", range(12))
def test_so_it_is_on_networks_of_all_kinds(seed: int) -> None:
    world = random_world(seed, plans=seed % 3, adversary=seed % 4 == 3)
    env = PlacementEnv(world, action=list(ACTIONS)[seed % 2])
    played = episode_of(env, seed)
    policy = Scripted(placements(env, [seen for seen, *_ in played]))
    episode = Episode(world.timeline, world.workload, policy, seed, world.slots)
    _hold_against_each_other(played, [record for record, _ in play(episode)])


def _hold_against_each_other(played: list[Any], records: list[SlotRecord]) -> None:
    assert len(played) == len(records)
    for (_, reward, info, _), record in zip(played, records, strict=True):
        assert reward == info["gain"] == record.outcome.gain
        assert [info[name] for name in COMPONENTS] == record.outcome.vector.tolist()
        assert info["demand"].tolist() == record.demand.tolist()
        assert info["served_by_node"].tolist() == record.outcome.served_by_node.tolist()
        assert (info["bytes_loaded"], info["bytes_placed"]) == (record.bytes_loaded, record.bytes_placed)


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("seed", range(8))
def test_budgets_hold_whatever_is_asked_for(action: str, seed: int) -> None:
    env = PlacementEnv(random_world(seed, plans=seed % 2), action=action)
    env.reset(seed=0)
    for _ in range(env.world.slots):
        problem = env.problem
        seen, _, _, _, info = env.step(np.ones(len(env.world.items)))
        (placed,) = placements(env, [seen])
        assert (bytes_used(problem, placed) <= problem.budget_bytes).all()
        # everything was asked for, so what is not in place was trimmed
        assert np.array_equal(info["trimmed"], seen["placed"] == 0)


def test_the_seed_settles_the_requests() -> None:
    env = PlacementEnv(SCENARIO)
    once, again, other = (episode_of(env, seed) for seed in (5, 5, 6))
    for (seen, reward, info, _), (seen_2, reward_2, info_2, _) in zip(once, again, strict=True):
        assert reward == reward_2
        assert all(np.array_equal(seen[key], seen_2[key]) for key in seen)
        assert np.array_equal(info["demand"], info_2["demand"])
    assert any(not np.array_equal(a[2]["demand"], b[2]["demand"]) for a, b in zip(once, other, strict=True))


def test_a_reset_without_a_seed_goes_on_to_other_requests_that_the_seed_settles_too() -> None:
    env = PlacementEnv(SCENARIO)
    drawn = []
    for _ in range(2):
        assert env.reset(seed=9)[1] == {"seed": 9}
        drawn.append([env.reset()[1]["seed"] for _ in range(3)])
    assert drawn[0] == drawn[1]
    assert len({9, *drawn[0]}) == 4
    assert env.reset(seed=drawn[0][0])[1]["seed"] == drawn[0][0]


def test_the_environment_is_that_of_the_run() -> None:
    """Seed 0 of the environment asks for what `placid run` asks for under seed 0."""
    env, built = PlacementEnv(SCENARIO), build(load_scenario(SCENARIO))
    for slot, (_, _, info, _) in enumerate(episode_of(env, 0)):
        assert info["demand"].tolist() == built.workload.demand(slot, 0).tolist()


def test_a_node_that_fails_is_seen_before_the_slot_and_holds_nothing() -> None:
    env = PlacementEnv(SCENARIO, action="choice")
    node = env.world.problem.node_names.index("bs-0")
    office = env.world.problem.node_names.index("co")
    seen, _ = env.reset(seed=0)
    memory, fill = [seen["memory"][[node, office]].tolist()], []
    for _ in range(env.world.slots):
        seen, *_ = env.step(np.ones(len(env.world.items)))
        memory.append(seen["memory"][[node, office]].astype(float).round(2).tolist())
        fill.append(seen["fill"][node] > 0)
    assert memory[:4] == [[1, 1]] * 4
    assert memory[4:9] == [[0, 1]] * 2 + [[0, 0.24]] * 2 + [[1, 0.24]]
    assert fill == [True] * 4 + [False] * 4 + [True] * 4


def test_only_what_can_be_of_use_is_asked_about() -> None:
    world = World.of(SCENARIO)
    holds = {name.split("/")[0] for name in world.item_names}
    assert holds == {"bs-0", "bs-1", "co"}
    assert PlacementEnv(world).action_space.shape == (len(world.items),)


def test_rewards_can_be_normalised_by_one_constant() -> None:
    plain, normal = PlacementEnv(SCENARIO), PlacementEnv(SCENARIO, normalise=True)
    for (_, a, *_), (_, b, *_) in zip(episode_of(plain, 1), episode_of(normal, 1), strict=True):
        assert b == a / plain.world.gain_scale
    assert all(reward <= 1 for _, reward, *_ in episode_of(normal, 0))


def test_an_episode_ends_with_the_slots_and_has_to_be_reset() -> None:
    env = PlacementEnv(SCENARIO, render_mode="ansi")
    with pytest.raises(ResetNeeded, match="before the first step"):
        env.step(env.action_space.sample())
    with pytest.raises(ResetNeeded):
        env.problem  # noqa: B018
    env.reset(seed=0)
    assert env.render() == "slot 0 of 12: nothing is placed yet"
    for slot in range(12):
        seen, _, terminated, truncated, _ = env.step(env.action_space.sample())
        assert (terminated, truncated) == (False, slot == 11)
        assert str(env.render()).startswith(f"slot {slot + 1} of 12: gain ")
    assert seen["progress"].tolist() == [1.0]
    with pytest.raises(ResetNeeded, match="the run is over"):
        env.step(env.action_space.sample())
    assert PlacementEnv(SCENARIO).render() is None


def test_several_run_side_by_side() -> None:
    envs = gymnasium.make_vec(
        "placid/Placement-v0", num_envs=2, vectorization_mode="sync", scenario=World.of(SCENARIO)
    )
    envs.reset(seed=4)
    for _ in range(2):
        _, rewards, _, _, info = envs.step(envs.action_space.sample())
    assert rewards.shape == (2,)
    assert info["trimmed"].shape == (2, *envs.single_action_space.shape)
    assert info["demand"][0].tolist() != info["demand"][1].tolist()
    envs.close()


@pytest.mark.parametrize(
    ("form", "action", "said"),
    [
        ("scores", [0.5, 0.5], r"an action is \d+ numbers, .* got list of shape \(2,\)"),
        ("scores", [[0.5], [0.5, 1.0]], r"an action is \d+ numbers"),
        ("scores", "all", r"an action is \d+ numbers, .* got str"),
        ("scores", None, r"an action is \d+ numbers"),
        ("scores", np.nan, "NaN"),
        ("choice", 0.5, "neither 0 nor 1"),
        ("choice", 2, "neither 0 nor 1"),
    ],
)
def test_wrong_actions_are_told(form: str, action: Any, said: str) -> None:
    env = PlacementEnv(SCENARIO, action=form)
    env.reset(seed=0)
    if isinstance(action, int | float):
        action = np.full(len(env.world.items), action)
    with pytest.raises(InputError, match=said):
        env.step(action)


def test_wrong_scenarios_and_names_are_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nowhere"):
        gymnasium.make("placid/Placement-v0", scenario=str(tmp_path / "nowhere.yaml"))
    with pytest.raises(ScenarioError, match="the field 'network' is missing"):
        PlacementEnv({"slots": 3})
    with pytest.raises(UnknownNameError, match="unknown form of action 'score'; did you mean 'scores'"):
        PlacementEnv(SCENARIO, action="score")
    with pytest.raises(UnknownNameError, match="render mode"):
        PlacementEnv(SCENARIO, render_mode="human")


def test_every_form_of_action_can_be_named() -> None:
    assert set(ActionForm.__subclasses__()) == set(ACTIONS.values())


def test_worlds_that_do_not_fit_together_are_told() -> None:
    world = random_world(0)
    with pytest.raises(InputError, match="starts at slot 0"):
        World(world.timeline[1:], world.workload, 6)
    with pytest.raises(InputError, match="at least 1 slot"):
        World(world.timeline, world.workload, 0)
    with pytest.raises(InputError, match="other items"):
        World((*world.timeline, (5, random_world(1).problem)), world.workload, 6)
    with pytest.raises(InputError, match="request types"):
        World(world.timeline, Replay(RequestTypes(("a",), ("b",)), np.ones((6, 1), int)), 6)
    with pytest.raises(InputError, match="has 6 slots"):
        World(world.timeline, world.workload, 7)
    nothing = replace(world.problem, budget_bytes=np.zeros_like(world.problem.budget_bytes))
    with pytest.raises(InputError, match="nothing can be placed"):
        World(((0, nothing),), world.workload, 6)


def test_without_gymnasium_it_says_what_to_install() -> None:
    script = "import sys; sys.modules['gymnasium'] = None; import placid.gym"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 1
    assert "placid.gym needs the package gymnasium: pip install 'placid[gym]'" in done.stderr
