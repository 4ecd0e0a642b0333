"""Settled statistics are the averages over the batches that training would see, and nothing else changes."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from placid.splitting.data import Images  # noqa: E402
from placid.splitting.training import Recipe  # noqa: E402
from placid.splitting.training.batches import Batches  # noqa: E402
from placid.splitting.training.statistics import settle_statistics  # noqa: E402


def test_statistics_are_averages_over_batches() -> None:
    rng = np.random.default_rng(0)
    data = Images(rng.integers(0, 256, (96, 8, 8, 3)).astype(np.uint8), np.zeros(96, np.uint8))
    recipe = Recipe(2, batch=16, crop=1, flip=True, seed=3)
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4, momentum=0.3), nn.ReLU())
    weights = {k: v.clone() for k, v in network.state_dict().items() if "running" not in k and "num" not in k}
    settle_statistics(network, data, recipe, batches=4)
    with torch.no_grad():
        seen = [network[0](images) for images, _ in islice(Batches(data, recipe).epoch(2), 4)]
    means = torch.stack([s.mean((0, 2, 3)) for s in seen]).mean(0)
    variances = torch.stack([s.var((0, 2, 3)) for s in seen]).mean(0)
    torch.testing.assert_close(network[1].running_mean, means, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(network[1].running_var, variances, atol=1e-5, rtol=1e-5)
    assert network[1].momentum == 0.3
    assert not network.training
    for name, value in weights.items():
        assert torch.equal(network.state_dict()[name], value), name
