"""The network that these tests adapt."""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from placid.splitting.nets.blocks import Normalise


def fresh(classes: int = 4) -> nn.Sequential:
    """normalise, stem, middle, last, head, for pictures of 16 x 16; two batch normalisations, in stem and last."""
    return nn.Sequential(
        OrderedDict(
            normalise=Normalise((0.3,) * 3, (0.2,) * 3),
            stem=nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU()),
            middle=nn.Sequential(nn.Conv2d(8, 12, 3, 2, 1), nn.ReLU()),
            last=nn.Sequential(nn.Conv2d(12, 12, 3, 1, 1, bias=False), nn.BatchNorm2d(12), nn.ReLU()),
            head=nn.Sequential(nn.Flatten(), nn.Linear(12 * 16, classes)),
        )
    )
