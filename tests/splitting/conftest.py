"""Small pictures that a small network can learn in seconds."""

from __future__ import annotations

import numpy as np
import pytest

from placid.splitting.data import Images

pytest.importorskip("torch")


def drawn(n: int, seed: int, size: int = 32) -> Images:
    """Four classes: where a bright square lies, behind noise."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 4, n).astype(np.uint8)
    images = rng.integers(0, 120, (n, size, size, 3)).astype(np.uint8)
    half = size // 2
    for image, label in zip(images, labels, strict=True):
        top, left = half * (label // 2) + rng.integers(0, 4), half * (label % 2) + rng.integers(0, 4)
        image[top : top + half - 4, left : left + half - 4] += np.uint8(110)
    return Images(images, labels)


@pytest.fixture(scope="session")
def pictures() -> Images:
    return drawn(768, seed=0)


@pytest.fixture(scope="session")
def other_pictures() -> Images:
    return drawn(400, seed=1)
