"""Roundings of columns keep budgets to the byte and earn what they promise; the check finds those that do not."""

from __future__ import annotations

import numpy as np
import pytest

from placid.placement.rounding import CHAIN_ROUNDINGS, ChainRounding, SharedDraws, TopDown
from placid.testing import check_chain_rounding


@pytest.mark.parametrize("make", CHAIN_ROUNDINGS.values(), ids=CHAIN_ROUNDINGS)
def test_conforms(make: type[ChainRounding]) -> None:
    kept = check_chain_rounding(make, gadgets=200, draws=100)
    # something is lost, and something is promised: the check is not empty
    assert min(k.ratio for k in kept if k.error < 0.5) < 0.9
    assert np.mean([k.promised > 0 for k in kept]) > 0.2
    assert max(k.promised for k in kept) > 0.6


@pytest.mark.slow
@pytest.mark.parametrize("make", CHAIN_ROUNDINGS.values(), ids=CHAIN_ROUNDINGS)
def test_conforms_on_thousands_of_gadgets(make: type[ChainRounding]) -> None:
    """Two million placements each."""
    kept = check_chain_rounding(make, gadgets=4000, draws=500, seed=1)
    # measured, not proven
    assert np.mean([k.ratio for k in kept]) > 0.9


class Overfull(SharedDraws):
    """Forgets the budgets."""

    def _placements(
        self, z: np.ndarray, budget_bytes: np.ndarray, item: np.ndarray, group: np.ndarray
    ) -> np.ndarray:
        return super()._placements(z, np.full_like(budget_bytes, 2**60), item, group)


class Alone(TopDown):
    """Draws every column by itself."""

    def _placements(
        self, z: np.ndarray, budget_bytes: np.ndarray, item: np.ndarray, group: np.ndarray
    ) -> np.ndarray:
        drawn = super()._placements(z, budget_bytes, item, group)
        return drawn & ((item < 0.5) | (z >= 1.0))


class Lazy(TopDown):
    """Half of the time it places nothing."""

    def _placements(
        self, z: np.ndarray, budget_bytes: np.ndarray, item: np.ndarray, group: np.ndarray
    ) -> np.ndarray:
        drawn = super()._placements(z, budget_bytes, item, group)
        return drawn & (item[:, :1] < 0.5)


class Boastful(TopDown):
    """Promises all of the concave gain."""

    def least_ratio(self, z: np.ndarray, budget_bytes: np.ndarray, share: np.ndarray | None = None) -> float:
        return 1.0


class Eager(SharedDraws):
    """Draws everything twice as often."""

    def _placements(
        self, z: np.ndarray, budget_bytes: np.ndarray, item: np.ndarray, group: np.ndarray
    ) -> np.ndarray:
        return super()._placements(np.minimum(1.0, 2 * z), budget_bytes, item, group)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (Overfull, "exceeds a budget by"),
        (Alone, "without what it is dedicated to"),
        (Lazy, "must be placed as they are|of the concave gain, where it promises"),
        (Boastful, "of the concave gain, where it promises 1.0000"),
        (Eager, "above its least fraction"),
    ],
)
def test_the_check_finds_what_is_wrong(wrong: type[ChainRounding], said: str) -> None:
    with pytest.raises(AssertionError, match=said):
        check_chain_rounding(wrong, gadgets=30, draws=3000)
