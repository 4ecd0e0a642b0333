"""A Gymnasium environment over the simulator of `placid run`, for reinforcement learning (extra ``gym``).

    import gymnasium
    import placid.gym

    env = gymnasium.make("placid/Placement-v0", scenario="scenarios/quick.yaml")

Importing this room registers the environment.
"""

from __future__ import annotations

try:
    import gymnasium
except ModuleNotFoundError as error:
    if error.name != "gymnasium":
        raise
    raise ModuleNotFoundError(
        "placid.gym needs the package gymnasium: pip install 'placid[gym]'", name="gymnasium"
    ) from error

from placid.gym.actions import ACTIONS
from placid.gym.env import PlacementEnv
from placid.gym.world import World

__all__ = ["ACTIONS", "PlacementEnv", "World"]

gymnasium.register(id="placid/Placement-v0", entry_point="placid.gym.env:PlacementEnv")
