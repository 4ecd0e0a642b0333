"""From pictures to what networks take."""

from __future__ import annotations

import numpy as np

__all__ = ["network_input"]


def network_input(images: np.ndarray) -> np.ndarray:
    """float32 [n, channels, height, width] in [0, 1] of uint8 [n, height, width, channels]."""
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2), dtype=np.float32) / np.float32(255)
