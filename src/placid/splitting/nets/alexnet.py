"""AlexNet for small colour images, as BranchyNet gives it two exits."""

from __future__ import annotations

from collections import OrderedDict

import torch.nn.functional as F
from torch import Tensor, nn

from placid.splitting.nets.blocks import Normalise
from placid.splitting.nets.resnet import CIFAR_DEVIATION, CIFAR_MEAN

__all__ = ["AcrossChannels", "alexnet", "alexnet_exits"]


class AcrossChannels(nn.Module):
    """Local response normalisation across three channels (Krizhevsky et al., 2012): x / (1 + alpha mean(x^2))^(3/4).

    The mean is over a channel and its two neighbours, as `torch.nn.LocalResponseNorm` has it; written in operations that
    every runtime has.
    """

    def __init__(self, alpha: float = 1.5e-4) -> None:
        super().__init__()
        self.alpha = alpha

    def forward(self, x: Tensor) -> Tensor:
        squares = F.pad(x.square(), (0, 0, 0, 0, 1, 1))
        sums = squares[:, :-2] + squares[:, 1:-1] + squares[:, 2:]
        scale = 1 + sums * (self.alpha / 3)
        return x * (scale * scale.sqrt()).rsqrt()


def alexnet(classes: int = 10, dropout: float = 0.5, batch_norm: bool = False) -> nn.Sequential:
    """Five convolutions and three linear layers for images [batch, 3, 32, 32]: 28 million multiply-adds.

    The AlexNet for CIFAR-10 of Teerapittayanon et al., BranchyNet (ICPR 2016): 32, 64, 96, 96, 64 channels, 1024-256-128-10.

    Its children in order: normalise, conv1, conv2, conv3, conv4, conv5, head.

    Args:
        batch_norm: ``Differs from the paper:`` batch normalisation after each convolution in place of that across
            channels after the first two: several times fewer epochs to the same accuracy.
    """
    part = _Parts(batch_norm)
    return nn.Sequential(
        OrderedDict(
            normalise=Normalise(CIFAR_MEAN, CIFAR_DEVIATION),
            conv1=nn.Sequential(*part.convolution(3, 32, 5, pool=True), *part.across()),
            conv2=nn.Sequential(*part.convolution(32, 64, 5, pool=True), *part.across()),
            conv3=nn.Sequential(*part.convolution(64, 96)),
            conv4=nn.Sequential(*part.convolution(96, 96)),
            conv5=nn.Sequential(*part.convolution(96, 64, pool=True)),
            head=nn.Sequential(
                nn.Flatten(),
                *(nn.Linear(1024, 256), nn.ReLU(), nn.Dropout(dropout)),
                *(nn.Linear(256, 128), nn.ReLU(), nn.Dropout(dropout)),
                nn.Linear(128, classes),
            ),
        )
    )


def alexnet_exits(classes: int = 10, batch_norm: bool = False) -> dict[str, nn.Module]:
    """The two exits of B-AlexNet, by the child of `alexnet` after which they stand.

    After conv2: convolutions 64-32 and 32-32, 512-10. After conv3: a convolution 96-32, 128-10. The paper has the first
    before a pooling and normalisation and begins it with the same two: that is this one, computed once.
    """
    part = _Parts(batch_norm)
    return {
        "conv2": nn.Sequential(
            *part.convolution(64, 32),
            *part.convolution(32, 32, pool=True),
            nn.Flatten(),
            nn.Linear(512, classes),
        ),
        "conv3": nn.Sequential(
            *(part.pool(), *part.across()),
            *part.convolution(96, 32, pool=True),
            nn.Flatten(),
            nn.Linear(128, classes),
        ),
    }


class _Parts:
    """What the network and its exits are made of."""

    def __init__(self, batch_norm: bool) -> None:
        self.batch_norm = batch_norm

    def convolution(self, inputs: int, outputs: int, size: int = 3, *, pool: bool = False) -> list[nn.Module]:
        # pooling before the ReLU gives the same numbers as after it, of a quarter as many
        layers: list[nn.Module] = [
            nn.Conv2d(inputs, outputs, size, padding=size // 2, bias=not self.batch_norm),
            *([self.pool()] if pool else []),
            *([nn.BatchNorm2d(outputs)] if self.batch_norm else []),
        ]
        return [*layers, nn.ReLU()]

    def across(self) -> list[nn.Module]:
        return [] if self.batch_norm else [AcrossChannels()]

    def pool(self) -> nn.MaxPool2d:
        return nn.MaxPool2d(3, 2, ceil_mode=True)
