"""The environment: one step is one slot of the simulator."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import gymnasium
import numpy as np
from gymnasium.error import ResetNeeded

from placid.errors import UnknownNameError
from placid.experiments.scenario import Scenario
from placid.gym.actions import ACTIONS
from placid.gym.handed import Handed, HandedState
from placid.gym.observations import observation, observation_space
from placid.gym.world import World
from placid.problem.arrays import COMPONENTS, Problem
from placid.simulation.slots import Episode, Progress, SlotRecord, begin, play
from placid.units import format_quantity

__all__ = ["PlacementEnv"]


class PlacementEnv(gymnasium.Env[dict[str, np.ndarray], np.ndarray]):
    """Place models slot by slot, on the simulator that `placid run` uses: same requests, same serving, same costs.

    In every step the agent says what is to be placed in the next slot, before it knows the slot's requests; the requests
    come, are served, and the reward is what was gained over serving everything from the repositories. A run of all slots
    is an episode: it is truncated at its end and never terminates before. What changes in mid-run (nodes fail, memory
    shrinks) changes here too, and is seen before it has to be acted on.

    - **Action**: one number for each of the A items (node and model) that can be of use, `World.items`. With
      ``action="scores"`` (the default) a priority in [-1, 1]: each node takes those above 0, the best first, as many as
      fit. With ``action="choice"`` a 0 or 1, what is too much is trimmed. Budgets are never exceeded. See
      `placid.gym.actions`.
    - **Observation**: a dictionary of what the last slot asked for, what was in place, and what memory there is now; see
      `placid.gym.observations`.
    - **Reward**: the slot's gain in units of the objective. `normalise` divides it by `World.gain_scale`, one constant for
      all slots and seeds, so that the best policy stays the best.
    - **Info** of a step: ``slot``, ``demand`` (int64 [R], the counts), ``gain``, the costs summed over the requests served
      (``latency_s``, ``error``, ``energy_j``, ``traffic_byte_hops``), ``served_by_node`` (float64 [V]),
      ``repository_served``, ``unserved``, ``bytes_loaded``, ``bytes_placed``, and ``trimmed`` (bool [A]: asked for, and did
      not fit). Info of a reset: ``seed``.

    ``reset(seed=s)`` plays the very requests that `placid run` plays under seed s, so an agent can be compared with
    policies slot by slot. A reset without a seed goes on to other requests, drawn from the seed given last.

    Cost of a step: O(K) to serve, O(N log N) to fit the action.

    Args:
        scenario: a file, the content of one as a dictionary, a `Scenario` as loaded, or a `World` made otherwise.
        action: a name in `ACTIONS`.
        normalise: divide rewards by `World.gain_scale`.
        render_mode: ``"ansi"``: `render` returns a line on the last slot.

    Raises:
        InputError: the scenario is wrong, or a name is unknown; in `step`, the action is.

    Example:
        >>> import gymnasium, placid.gym
        >>> env = gymnasium.make("placid/Placement-v0", scenario="scenarios/quick.yaml")  # doctest: +SKIP
    """

    metadata = {"render_modes": ["ansi"], "render_fps": 4}  # noqa: RUF012 - Gymnasium's base class has it so

    def __init__(
        self,
        scenario: World | Scenario | str | os.PathLike[str] | Mapping[str, Any],
        *,
        action: str = "scores",
        normalise: bool = False,
        render_mode: str | None = None,
    ) -> None:
        if action not in ACTIONS:
            raise UnknownNameError("form of action", action, ACTIONS)
        if render_mode is not None and render_mode not in self.metadata["render_modes"]:
            raise UnknownNameError("render mode", render_mode, self.metadata["render_modes"])
        self.world = scenario if isinstance(scenario, World) else World.of(scenario)
        self.render_mode = render_mode
        self._form = ACTIONS[action](self.world.items)
        self.action_space = self._form.space
        self.observation_space = observation_space(self.world)
        self._gain_unit = self.world.gain_scale if normalise else 1.0
        self._episode: Episode | None = None
        self._now: Progress | None = None
        self._line = ""

    @property
    def problem(self) -> Problem:
        """The problem of the next slot, for agents that know their network; after the last slot, that of the last."""
        episode, now = self._playing()
        return episode.problem(min(now.slot, episode.slots - 1))

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        super().reset(seed=seed)
        drawn = int(self.np_random.integers(2**31)) if seed is None else seed
        world = self.world
        self._episode = Episode(world.timeline, world.workload, Handed(), drawn, world.slots)
        self._now = begin(self._episode)
        self._line = f"slot 0 of {world.slots}: nothing is placed yet"
        nothing = np.zeros(self.problem.type_count, np.int64)
        return self._observation(nothing, self.problem), {"seed": drawn}

    def step(self, action: Any) -> tuple[dict[str, np.ndarray], float, bool, bool, dict[str, Any]]:
        episode, now = self._playing()
        if now.slot == episode.slots:
            raise ResetNeeded("the run is over: reset the environment before the next step")
        problem = self.problem
        placed, trimmed = self._form.fitted(problem, action)
        record, self._now = next(play(episode, replace(now, state=HandedState(placed=placed))))
        self._line = self._told(record)
        info = _info(record) | {"trimmed": trimmed}
        reward = record.outcome.gain / self._gain_unit
        return self._observation(record.demand, problem), reward, False, self._now.slot == episode.slots, info

    def render(self) -> str | None:
        return self._line if self.render_mode == "ansi" else None

    def _playing(self) -> tuple[Episode, Progress]:
        if self._episode is None or self._now is None:
            raise ResetNeeded("reset the environment before the first step")
        return self._episode, self._now

    def _observation(self, demand: np.ndarray, last: Problem) -> dict[str, np.ndarray]:
        _, now = self._playing()
        return observation(self.world, now.slot, demand, now.placed, last, self.problem)

    def _told(self, record: SlotRecord) -> str:
        requests, outcome = int(record.demand.sum()), record.outcome
        at_repositories = outcome.repository_load.sum() / max(requests, 1)
        return (
            f"slot {record.slot + 1} of {self.world.slots}: gain {outcome.gain:.4g} from {requests} requests, "
            f"{at_repositories:.0%} of them left to repositories; "
            f"{format_quantity(record.bytes_placed, 'size')} in place, "
            f"{format_quantity(record.bytes_loaded, 'size')} loaded"
        )


def _info(record: SlotRecord) -> dict[str, Any]:
    """What is told of a slot. Nothing in it is shared with another slot's."""
    outcome = record.outcome
    return {
        "slot": record.slot,
        "demand": record.demand.copy(),
        "gain": outcome.gain,
        **{name: float(value) for name, value in zip(COMPONENTS, outcome.vector, strict=True)},
        "served_by_node": outcome.served_by_node.copy(),
        "repository_served": float(outcome.repository_load.sum()),
        "unserved": outcome.unserved,
        "bytes_loaded": record.bytes_loaded,
        "bytes_placed": record.bytes_placed,
    }
