"""Which exits pictures leave by: as a node would have it, picture by picture."""

from __future__ import annotations

import numpy as np
import pytest

from placid.catalog.variants import shipped_zoo
from placid.inference.samples import read_samples
from placid.runtime.control.leavers import Leavers
from placid.runtime.node.networks import Networks


def test_shares_are_those_of_the_pictures_sent() -> None:
    pictures = read_samples(shipped_zoo() / "pictures.npz").pictures[:100]
    leavers, networks = Leavers(shipped_zoo(), pictures), Networks(shipped_zoo())
    variant = "exits-stage1-stage2-joint"
    count = networks.runnable(variant).count
    alone = [networks.run(variant, 0, count, [p], False)[0].answer for p in pictures]
    sent = np.array([3, 5, 5, 17, 40, 41, 99])
    for i, share in leavers.shares(variant, sent).items():
        due = np.mean([alone[n] is not None and alone[n].exit == i for n in sent])  # type: ignore[union-attr]
        assert share == pytest.approx(due)
    everything = leavers.shares(variant, np.arange(100))
    assert set(everything) == {0, 1}
    assert 0.2 < sum(everything.values()) <= 1


def test_networks_without_exits_have_none() -> None:
    pictures = read_samples(shipped_zoo() / "pictures.npz").pictures[:2]
    assert Leavers(shipped_zoo(), pictures).shares("local-resnet8", np.array([0])) == {}
