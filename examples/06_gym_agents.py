"""Agents in the Gymnasium environment (needs ``pip install 'placid[gym]'``): one that guesses, one that looks back.

    python examples/06_gym_agents.py [scenarios/quick.yaml]

Nothing learns here. It is where a learning agent of yours would go, and what it has to beat: on the same seeds the same
requests come as in `placid run`.
"""

from __future__ import annotations

import sys
from typing import Any

import gymnasium
import numpy as np

import placid.gym
from placid.placement.offline.greedy import Greedy

SEEDS = (0, 1)


class Random:
    """A score for every item, drawn at random."""

    def act(self, env: placid.gym.PlacementEnv, info: dict[str, Any]) -> np.ndarray:
        return env.action_space.sample()


class LookBack:
    """What would have been good in the last slot, by placid's greedy: 1 for what it places, 0 for the rest."""

    def act(self, env: placid.gym.PlacementEnv, info: dict[str, Any]) -> np.ndarray:
        demand = info.get("demand", np.ones(env.problem.type_count))
        return Greedy(bound_steps=0).solve(env.problem, demand).placed[env.world.items].astype(np.float32)


def main() -> None:
    scenario = sys.argv[1] if len(sys.argv) > 1 else "scenarios/quick.yaml"
    env = gymnasium.make("placid/Placement-v0", scenario=scenario)
    print(f"{'agent':10}{'gain a request':>16}{'left to the cloud':>20}{'MB loaded a slot':>20}")
    for agent in (Random(), LookBack()):
        told: list[dict[str, Any]] = []
        for seed in SEEDS:
            env.action_space.seed(seed)
            _, info = env.reset(seed=seed)
            over = False
            while not over:
                _, _, _, over, info = env.step(agent.act(env.unwrapped, info))
                told.append(info)
        requests = sum(i["demand"].sum() for i in told)
        gain, left, loaded = (sum(i[k] for i in told) for k in ("gain", "repository_served", "bytes_loaded"))
        row = f"{gain / requests:16.4f}{left / requests:20.1%}{loaded / len(told) / 1e6:20.1f}"
        print(f"{type(agent).__name__:10}{row}")


if __name__ == "__main__":
    main()
