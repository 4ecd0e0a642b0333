"""The policy's state on disk after every slot, so that a controller that starts again goes on where it was."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from placid.errors import RunError
from placid.placement.checkpoint import flatten, restore
from placid.placement.prices import PriceView

__all__ = ["Found", "Kept"]


@dataclass(frozen=True)
class Found:
    """What was saved: the slot that comes next, the policy's state, the requests of the last slot, prices of limits."""

    slot: int
    state: Any
    demand: np.ndarray
    prices: PriceView


class Kept:
    """A file with the state of one policy on one scenario.

    Args:
        mark: of scenario, policy and seed; a file with another mark is refused.
    """

    def __init__(self, file: Path, mark: str) -> None:
        self._file, self._mark = file, mark

    def save(self, slot: int, state: Any, demand: np.ndarray, prices: PriceView) -> None:
        """Replace what was there, whole or not at all."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        scratch = self._file.with_suffix(".tmp.npz")
        arrays = {f"state/{k}": v for k, v in flatten(state).items()}
        told = {"slot": np.array(slot), "demand": demand, "mark": np.array(self._mark)}
        arrays |= {"prices/now": prices.now, "prices/told": prices.told}
        np.savez(scratch, allow_pickle=False, **told, **arrays)
        os.replace(scratch, self._file)

    def load(self, like: Any) -> Found | None:
        """What was saved, None if nothing was.

        Args:
            like: any state of the same policy.

        Raises:
            RunError: it was saved by another scenario or policy, or is damaged.
        """
        if not self._file.exists():
            return None
        try:
            with np.load(self._file, allow_pickle=False) as data:
                arrays = dict(data)
        except (OSError, ValueError, EOFError) as error:
            raise RunError(f"{self._file} is damaged ({error}): delete it to start anew") from None
        if str(arrays["mark"]) != self._mark:
            raise RunError(
                f"{self._file} holds the state of another scenario, policy or seed: choose another folder, or delete it"
            )
        flat = {k.removeprefix("state/"): v for k, v in arrays.items() if k.startswith("state/")}
        prices = PriceView(arrays["prices/now"], arrays["prices/told"])
        return Found(int(arrays["slot"]), restore(like, flat), arrays["demand"], prices)
