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

    The mean is over a channel and its two neighbours, as `torch.nn.LocalResponseNorm` has it; written with a pooling over
    channels, which every runtime has.
    """

    def __init__(self, alpha: float = 1.5e-4) -> None:
        super().__init__()
        self.alpha = alpha

    def forward(self, x: Tensor) -> Tensor:
        batch, channels, height, width = x.shape
        squares = F.pad(x.square().view(batch, 1, channels, height * width), (0, 0, 1, 1))
        mean = (squares[:, :, :-2] + squares[:, :, 1:-1] + squares[:, :, 2:]).view(
            batch, channels, height, width
        )
        scale = 1 + mean * (self.alpha / 3)
        return x / (scale.sqrt() * scale.sqrt().sqrt())


def _pool() -> nn.MaxPool2d:
    return nn.MaxPool2d(3, 2, ceil_mode=True)


def alexnet(classes: int = 10, dropout: float = 0.5) -> nn.Sequential:
    """Five convolutions and three linear layers for images [batch, 3, 32, 32]: 28 million multiply-adds.

    The AlexNet for CIFAR-10 of Teerapittayanon et al., BranchyNet (ICPR 2016): 32, 64, 96, 96, 64 channels, 1024-256-128-10.

    Its children in order: normalise, conv1, conv2, conv3, conv4, conv5, head.
    """
    return nn.Sequential(
        OrderedDict(
            normalise=Normalise(CIFAR_MEAN, CIFAR_DEVIATION),
            conv1=nn.Sequential(nn.Conv2d(3, 32, 5, padding=2), nn.ReLU(), _pool(), AcrossChannels()),
            conv2=nn.Sequential(nn.Conv2d(32, 64, 5, padding=2), nn.ReLU(), _pool(), AcrossChannels()),
            conv3=nn.Sequential(nn.Conv2d(64, 96, 3, padding=1), nn.ReLU()),
            conv4=nn.Sequential(nn.Conv2d(96, 96, 3, padding=1), nn.ReLU()),
            conv5=nn.Sequential(nn.Conv2d(96, 64, 3, padding=1), nn.ReLU(), _pool()),
            head=nn.Sequential(
                nn.Flatten(),
                *(nn.Linear(1024, 256), nn.ReLU(), nn.Dropout(dropout)),
                *(nn.Linear(256, 128), nn.ReLU(), nn.Dropout(dropout)),
                nn.Linear(128, classes),
            ),
        )
    )


def alexnet_exits(classes: int = 10) -> dict[str, nn.Module]:
    """The two exits of B-AlexNet, by the child of `alexnet` after which they stand.

    After conv2: convolutions 64-32 and 32-32, 512-10. After conv3: a convolution 96-32, 128-10. The paper has the first
    before a pooling and normalisation and begins it with the same two: that is this one, computed once.
    """

    def convolution(inputs: int) -> list[nn.Module]:
        return [nn.Conv2d(inputs, 32, 3, padding=1), nn.ReLU()]

    return {
        "conv2": nn.Sequential(
            *convolution(64), *convolution(32), _pool(), nn.Flatten(), nn.Linear(512, classes)
        ),
        "conv3": nn.Sequential(
            _pool(), AcrossChannels(), *convolution(96), _pool(), nn.Flatten(), nn.Linear(128, classes)
        ),
    }
