"""Accuracies compared seed by seed: each seed has a teacher of its own, and how teachers differ is no method's doing."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan
from statistics import fmean

from placid.catalog.variants import Variant
from placid.errors import InputError
from placid.reports.intervals import mean_interval

__all__ = ["Difference", "accuracies_by_seed", "difference"]


@dataclass(frozen=True)
class Difference:
    """One variant's accuracy less another's, over the seeds that both have.

    Attributes:
        mean: a share.
        low, high: of the 95 % interval over seeds (Student's t); NaN with one seed.
        seeds: how many.
    """

    mean: float
    low: float = nan
    high: float = nan
    seeds: int = 1


def accuracies_by_seed(variant: Variant) -> dict[int, float]:
    """Seed -> accuracy on the test images.

    The lab writes the seeds into ``made["seeds"]``, the first being that of the files; where it tested fewer (files of 8-bit
    arithmetic are made of the first seed alone) the later ones have no accuracy. Without that list seeds are counted from 0.
    """
    told = variant.made.get("seeds") or range(len(variant.seed_accuracies))
    return dict(zip((int(s) for s in told), variant.seed_accuracies, strict=False))


def difference(one: Variant, other: Variant) -> Difference:
    """`one` less `other`.

    Raises:
        InputError: they have no seed in common.
    """
    left, right = accuracies_by_seed(one), accuracies_by_seed(other)
    both = [s for s in left if s in right]
    if not both:
        raise InputError(f"'{one.name}' and '{other.name}' have no seed in common")
    values = [left[s] - right[s] for s in both]
    if len(both) == 1:
        return Difference(fmean(values))
    return Difference(*mean_interval(values), seeds=len(both))
