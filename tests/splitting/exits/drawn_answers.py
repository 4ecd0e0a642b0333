"""Exits whose answers are drawn, so that what is true of them is known."""

from __future__ import annotations

import numpy as np

from placid.splitting.exits import ExitCosts

COSTS = ExitCosts((40, 30, 30), (5, 4))


def answers(
    n: int, seed: int, exits: int = 3, classes: int = 5, harder: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """(logits float32 [exits, n, classes], labels int64 [n]): images easy and hard, later exits see more."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, n)
    truth = np.eye(classes)[labels]
    difficulty = harder * rng.gamma(1.2, 1.0, n)[:, None]
    logits = []
    for exit_ in range(exits):
        strength = (2.0 + 1.5 * exit_) / (0.5 + difficulty)
        logits.append(3 * truth * strength + rng.normal(0, 1.5, (n, classes)))
    return np.stack(logits).astype(np.float32), labels
