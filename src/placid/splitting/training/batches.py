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

__all__ = ["Batches", "as_input"]

#: what is painted over becomes mean grey
_GREY = 128


def as_input(images: np.ndarray | Tensor) -> Tensor:
    """float32 [n, channels, height, width] in [0, 1], channels last in memory, of uint8 [n, height, width, channels]."""
    return torch.as_tensor(images).permute(0, 3, 1, 2).to(torch.float32).div_(255.0)


class Batches:
    """The batches of a training, epoch by epoch.

    What is drawn depends on the recipe's seed and the epoch alone, so an interrupted training goes on as it would have.
    Images lie on `device` as a whole, and what an epoch draws is sent there at once: a device that waits for every batch
    is idle most of the time.
    """

    def __init__(self, data: Images, recipe: Recipe, device: torch.device | None = None) -> None:
        self.recipe = recipe
        self.device = torch.device("cpu") if device is None else device
        self._labels = data.labels.astype(np.int64)
        self._size = data.images.shape[1]
        margin = recipe.crop
        padded = data.images
        if margin:
            padded = np.pad(padded, ((0, 0), (margin, margin), (margin, margin), (0, 0)), mode="reflect")
        self._images = torch.from_numpy(padded).to(self.device)

    def __len__(self) -> int:
        """Batches of an epoch; the last, short one is left out."""
        return len(self._labels) // self.recipe.batch

    def epoch(self, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Images as `as_input` gives them, labels int64 [batch]."""
        drawn = {
            name: torch.from_numpy(values).to(self.device) for name, values in self._drawn(epoch).items()
        }
        pixels = torch.arange(self._size, device=self.device)
        for step in range(len(self)):
            own = {name: values[step] for name, values in drawn.items()}
            rows, columns = own["row"][:, None] + pixels, own["column"][:, None] + pixels
            if self.recipe.flip:
                columns = torch.where(own["mirrored"][:, None], columns.flip(1), columns)
            picked = self._images[own["image"][:, None, None], rows[:, :, None], columns[:, None, :]]
            if self.recipe.cutout:
                hidden = [
                    (pixels >= own[side][:, None]) & (pixels < own[side][:, None] + self.recipe.cutout)
                    for side in ("top", "left")
                ]
                picked.masked_fill_((hidden[0][:, :, None] & hidden[1][:, None, :])[..., None], _GREY)
            yield as_input(picked), own["label"]

    def _drawn(self, epoch: int) -> dict[str, np.ndarray]:
        """Of each image of each batch, int64 or bool [batches, batch]: which it is, and how it is changed."""
        recipe, margin = self.recipe, self.recipe.crop
        rng = stream(recipe.seed, "batches", epoch)
        order = rng.permutation(len(self._labels))
        n = recipe.batch
        batches: dict[str, list[np.ndarray]] = {}
        for step in range(len(self)):
            image = order[step * n : (step + 1) * n]
            own: dict[str, np.ndarray] = {"image": image, "label": self._labels[image]}
            own["row"], own["column"] = (rng.integers(0, 2 * margin + 1, n) for _ in range(2))
            if recipe.flip:
                own["mirrored"] = rng.random(n) < 0.5
            if recipe.cutout:
                low, high = -recipe.cutout // 2, self._size - recipe.cutout // 2
                own["top"], own["left"] = rng.integers(low, high, (2, n))
            for name, values in own.items():
                batches.setdefault(name, []).append(values)
        return {name: np.stack(values) for name, values in batches.items()}
