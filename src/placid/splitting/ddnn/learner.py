"""How a DDNN is trained: all exits at once, some devices missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from placid.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placid.splitting.ddnn.network import DDNN

__all__ = ["JointTraining", "draw_present"]


class JointTraining(nn.Module):
    """Trains every exit of a DDNN together, on a weighted sum of their cross-entropies; for `training.fit`.

    Args:
        weights: of the exits, in their order; equal by default.
        drop: probability that a device is missing from an image, drawn for each image and device anew; at least one stays.
            0 trains as the paper does. The devices themselves still see their tile and learn their normalisation from it.
    """

    def __init__(self, network: DDNN, weights: Sequence[float] = (), drop: float = 0.0) -> None:
        super().__init__()
        self.network = network
        self.weights = tuple(weights) or (1.0,) * len(network.design.exits)
        self.drop = drop
        if len(self.weights) != len(network.design.exits) or min(self.weights) < 0 or sum(self.weights) <= 0:
            raise InputError(
                f"one weight for each of the exits {', '.join(network.design.exits)}, none negative, got {self.weights}"
            )
        if not 0 <= drop < 1:
            raise InputError(f"'drop' is a probability below 1, got {drop}")

    def loss(self, images: Tensor, labels: Tensor) -> Tensor:
        present = draw_present(
            len(images), self.network.design.tiles.devices, self.drop, device=images.device
        )
        answers = self.network(images, present).float()
        return torch.stack(
            [w * F.cross_entropy(a, labels) for w, a in zip(self.weights, answers, strict=True)]
        ).sum()


def draw_present(
    batch: int,
    devices: int,
    drop: float,
    rng: torch.Generator | None = None,
    *,
    device: torch.device | None = None,
) -> Tensor:
    """bool [batch, devices]: each device is missing with probability `drop`, but one of them is always there."""
    drawn = torch.rand(batch, devices, generator=rng, device=device)
    return (drawn >= drop) | (drawn == drawn.amax(1, keepdim=True))
