"""Which exit each of some pictures leaves a network by: for a forecast of these pictures, not of those of the zoo's test."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from placid.runtime.node.networks import Networks

__all__ = ["Leavers"]

_BATCH = 64


class Leavers:
    """Runs every network once over the pictures, when it is first asked about.

    Args:
        zoo: folder of the networks.
        pictures: uint8 [n, height, width, channels].
    """

    def __init__(self, zoo: Path, pictures: np.ndarray) -> None:
        self._networks = Networks(zoo, pictures.shape[1:])
        self._pictures = pictures
        self._known: dict[str, np.ndarray] = {}

    def shares(self, variant: str, sent: np.ndarray) -> dict[int, float]:
        """Position of an exit -> share of the pictures numbered `sent` that leave there; of variants without exits nothing.

        What crosses is not rounded here on its way, so a picture just at a threshold may go the other way than it does live.
        """
        told = self._networks.runnable(variant)
        if not told.variant.exits:
            return {}
        if variant not in self._known:
            self._known[variant] = self._exits(variant, told.count)
        left = self._known[variant][sent]
        return {i: float((left == i).mean()) for i in range(len(told.variant.exits))}

    def _exits(self, variant: str, segments: int) -> np.ndarray:
        """int64 [n]; -1 where a picture goes to the end."""
        found = []
        for first in range(0, len(self._pictures), _BATCH):
            batch = list(self._pictures[first : first + _BATCH])
            found += [
                left.answer.exit
                for left in self._networks.run(variant, 0, segments, batch, False)
                if left.answer
            ]
        self._networks.drop(self._networks.loaded)
        return np.array(found)
