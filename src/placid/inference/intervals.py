"""Between which bounds an accuracy lies, from few trainings and few test images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot, sqrt

import numpy as np
from scipy import stats

from placid.errors import InputError

__all__ = ["Interval", "accuracy_interval", "over_images", "over_seeds"]


@dataclass(frozen=True)
class Interval:
    """A value and the bounds between which the true one lies with the level asked for."""

    value: float
    low: float
    high: float


def over_images(accuracy: float, images: int, *, level: float = 0.95) -> Interval:
    """Of the accuracy of one trained network on all images like the `images` it was tested on.

    Wilson's score interval (1927): unlike accuracy +- 1.96 standard errors it never leaves [0, 1], and covers as much as
    it says near 100 % too.
    """
    if images < 1 or not 0 <= accuracy <= 1:
        raise InputError(f"an accuracy in [0, 1] on at least one image is needed, got {accuracy} on {images}")
    z = float(stats.norm.ppf(0.5 + level / 2))
    centre = (accuracy + z * z / (2 * images)) / (1 + z * z / images)
    half = z / (1 + z * z / images) * sqrt(accuracy * (1 - accuracy) / images + z * z / (4 * images * images))
    # rounding must not put the bound on the wrong side of an accuracy of exactly 0 or 1
    return Interval(accuracy, max(0.0, min(accuracy, centre - half)), min(1.0, max(accuracy, centre + half)))


def over_seeds(accuracies: Sequence[float], *, level: float = 0.95) -> Interval:
    """Of the mean accuracy on these very test images, over all trainings that differ by their seed only.

    Student's t with one degree of freedom less than there are seeds: of the same spread, two seeds give an interval more
    than three times as wide as three do.

    Raises:
        InputError: there are fewer than two.
    """
    if len(accuracies) < 2:
        raise InputError(
            f"how accuracies spread over seeds needs at least two of them, got {len(accuracies)}"
        )
    mean, error = float(np.mean(accuracies)), float(np.std(accuracies, ddof=1)) / sqrt(len(accuracies))
    half = float(stats.t.ppf(0.5 + level / 2, len(accuracies) - 1)) * error
    return Interval(mean, max(0.0, mean - half), min(1.0, mean + half))


def accuracy_interval(seed_accuracies: Sequence[float], images: int, *, level: float = 0.95) -> Interval:
    """Of the mean accuracy on all images like these, over all seeds: what `Variant.accuracy_low` and `_high` are.

    Two things are drawn, the seeds and the test images, and every seed is tested on the same images, so more seeds make
    only the first uncertainty smaller. The distances of `over_seeds` and `over_images` from the mean are added as
    independent ones are, by their squares. That is cautious: what seeds differ in contains some of the noise of the images.
    With one seed it is `over_images`, which knows nothing of other seeds; say so where it is shown.
    """
    if not seed_accuracies:
        raise InputError("an interval needs the accuracy of at least one seed")
    mean = float(np.mean(seed_accuracies))
    images_only = over_images(mean, images, level=level)
    if len(seed_accuracies) == 1:
        return images_only
    seeds = over_seeds(seed_accuracies, level=level)
    return Interval(
        mean,
        max(0.0, mean - hypot(mean - seeds.low, mean - images_only.low)),
        min(1.0, mean + hypot(seeds.high - mean, images_only.high - mean)),
    )
