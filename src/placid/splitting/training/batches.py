"""Images in batches, shuffled, cropped, mirrored and painted over as a recipe says; the same for the same epoch, always."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import torch

from placid.randomness import stream

if TYPE_CHECKING:
    from torch import Tensor

    from placid.splitting.data import Images
    from placid.splitting.training.recipe import Recipe

__all__ = ["as_input", "training_batches"]


def as_input(images: np.ndarray | Tensor) -> Tensor:
    """float32 [n, channels, height, width] in [0, 1], channels last in memory, of uint8 [n, height, width, channels]."""
    return torch.as_tensor(images).permute(0, 3, 1, 2).to(torch.float32).div_(255.0)


def training_batches(
    data: Images, recipe: Recipe, epoch: int, device: torch.device | None = None
) -> Iterator[tuple[Tensor, Tensor]]:
    """The batches of one epoch: images as `as_input` gives them, labels int64 [batch]. The last, short one is left out.

    What is drawn depends on the recipe's seed and the epoch alone, so an interrupted
    training goes on as it would have. On a `device` other than the processor images are cut there, from all of them:
    copying a batch at a time would keep the device waiting.
    """
    rng = stream(recipe.seed, "batches", epoch)
    order = rng.permutation(len(data))
    size, margin = data.images.shape[1], recipe.crop
    padded = data.images
    if margin:
        padded = np.pad(padded, ((0, 0), (margin, margin), (margin, margin), (0, 0)), mode="reflect")
    there = torch.device("cpu") if device is None else device
    whole = torch.from_numpy(padded).to(there)
    pixels = np.arange(size)
    for start in range(0, len(order) - recipe.batch + 1, recipe.batch):
        chosen = order[start : start + recipe.batch]
        n = len(chosen)
        rows = rng.integers(0, 2 * margin + 1, (n, 1)) + pixels
        columns = rng.integers(0, 2 * margin + 1, (n, 1)) + pixels
        if recipe.flip:
            mirrored = rng.random(n) < 0.5
            columns = np.where(mirrored[:, None], columns[:, ::-1], columns)
        wanted = (chosen[:, None, None], rows[:, :, None], columns[:, None, :])
        picked = whole[tuple(torch.from_numpy(part).to(there) for part in wanted)]
        if recipe.cutout:
            top, left = rng.integers(-recipe.cutout // 2, size - recipe.cutout // 2, (2, n, 1))
            hidden = ((pixels >= top) & (pixels < top + recipe.cutout))[:, :, None] & (
                (pixels >= left) & (pixels < left + recipe.cutout)
            )[:, None, :]
            picked[torch.from_numpy(hidden).to(there)] = 128
        yield as_input(picked), torch.from_numpy(data.labels[chosen].astype(np.int64)).to(there)
