"""Statistics of batch normalisation as the finished network has them, not as a running mean last saw them."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from placid.splitting.training.batches import Batches
from placid.splitting.training.device import device_named, placed

if TYPE_CHECKING:
    from placid.splitting.data import Images
    from placid.splitting.training.recipe import Recipe

__all__ = ["settle_statistics"]


@torch.no_grad()
def settle_statistics(
    network: nn.Module, data: Images, recipe: Recipe, batches: int = 50, device: torch.device | None = None
) -> None:
    """Average mean and variance of every normalisation of `network` over `batches` batches, as its training saw them.

    A running mean remembers a few batches, and those of weights that still moved. "Precise BN" of Wu & Johnson, "Rethinking
    'batch' in BatchNorm" (arXiv:2105.07576). Weights stay; the network comes back in evaluation mode.

    Args:
        device: as for `fit`.
    """
    layers = [m for m in network.modules() if isinstance(m, _BatchNorm) and m.track_running_stats]
    kept = [layer.momentum for layer in layers]
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # what torch calls a cumulative average
    network.train()
    there = device_named() if device is None else device
    try:
        with placed(network, there):
            # an epoch that training did not have: its batches are drawn anew
            for images, _ in islice(Batches(data, recipe, there).epoch(recipe.epochs), batches):
                network(images)
    finally:
        for layer, momentum in zip(layers, kept, strict=True):
            layer.momentum = momentum
        network.eval()
