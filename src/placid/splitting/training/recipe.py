"""How something is trained: everything that its result depends on besides the data."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

from placid.errors import InputError, UnknownNameError

__all__ = ["OPTIMISERS", "PRECISIONS", "Recipe"]

OPTIMISERS = ("sgd", "adam", "muon")
PRECISIONS = ("float32", "bfloat16")


@dataclass(frozen=True)
class Recipe:
    """One training: how long, how fast, on which changes of the images, from which seed.

    The learning rate rises linearly over the first `warmup` of all steps and falls to zero along a cosine.

    Attributes:
        epochs: passes over the training images.
        batch: images a step.
        optimiser: "sgd" (with Nesterov momentum 0.9), "adam", or "muon" (see there).
        peak_rate: the highest learning rate.
        weight_decay: on weights of two dimensions and more (never on normalisation and biases); not used by "muon".
        warmup: share of the steps.
        crop: pixels by which an image may be shifted each way (edges reflected).
        flip: mirror half of the images.
        cutout: side of a square painted mean grey; 0 for none.
        precision: in which convolutions and products are computed; weights, sums and losses stay in 32 bits. "bfloat16"
            takes half of the time on processors that have it, and far longer on others.
        seed: of weights, order, and everything drawn.
    """

    epochs: int
    batch: int = 256
    optimiser: str = "sgd"
    peak_rate: float = 0.2
    weight_decay: float = 5e-4
    warmup: float = 0.2
    crop: int = 0
    flip: bool = False
    cutout: int = 0
    precision: str = "float32"
    seed: int = 0

    def __post_init__(self) -> None:
        if self.optimiser not in OPTIMISERS:
            raise UnknownNameError("optimiser", self.optimiser, OPTIMISERS)
        if self.precision not in PRECISIONS:
            raise UnknownNameError("precision", self.precision, PRECISIONS)
        for name in ("epochs", "batch"):
            if getattr(self, name) < 1:
                raise InputError(f"'{name}' must be at least 1, got {getattr(self, name)}", where="recipe")
        for name in ("peak_rate", "weight_decay", "warmup", "crop", "cutout"):
            if not 0 <= getattr(self, name) < math.inf:
                raise InputError(
                    f"'{name}' must be at least 0 and finite, got {getattr(self, name)}", where="recipe"
                )
        if self.warmup >= 1:
            raise InputError(f"'warmup' is a share of the steps below 1, got {self.warmup}", where="recipe")

    def rate(self, step: int, steps: int) -> float:
        """The learning rate of step `step` of `steps`."""
        rising = self.warmup * steps
        if step < rising:
            return self.peak_rate * (step + 1) / (rising + 1)
        return self.peak_rate * 0.5 * (1 + math.cos(math.pi * (step - rising) / max(1.0, steps - rising)))

    def as_dict(self) -> dict[str, object]:
        """For manifests and checkpoints."""
        return asdict(self)
