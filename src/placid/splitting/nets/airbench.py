"""A plain network that trains in a tenth of the usual operations."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

import torch
from torch import nn

from placid.splitting.nets.blocks import Normalise
from placid.splitting.nets.resnet import CIFAR_DEVIATION, CIFAR_MEAN

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Whitening", "airbench", "start_from"]


class Whitening(nn.Conv2d):
    """A convolution over patches of 2 x 2 pixels whose outputs are uncorrelated and of unit variance; it is not trained.

    Its filters are the principal directions of the patches that `start` is shown, each followed by its negative.
    """

    def __init__(self, channels: int = 3, size: int = 2) -> None:
        super().__init__(channels, 2 * channels * size * size, size)
        self.weight.requires_grad_(False)

    @torch.no_grad()
    def start(self, images: Tensor) -> None:
        """Choose the filters from `images` float32 [n, channels, height, width], as this layer gets them."""
        size = self.kernel_size[0]
        patches = (
            images.unfold(2, size, 1).unfold(3, size, 1).transpose(1, 3).reshape(-1, self.weight[0].numel())
        )
        # unfolding left the order [rows, columns, channel, in the patch]: bring it to the order of a filter
        values, vectors = torch.linalg.eigh(patches.T.double() @ patches.double() / len(patches))
        filters = (vectors.T / values.clamp_min(1e-12).add(5e-4).sqrt()[:, None]).flip(0)
        self.weight.copy_(torch.cat([filters, -filters]).view_as(self.weight))
        if self.bias is not None:
            self.bias.zero_()


def start_from(network: nn.Sequential, images: Tensor) -> None:
    """Let the whitening layer of `network`, if it has one, choose its filters from `images`."""
    seen = images
    with torch.no_grad():
        for name, part in network.named_children():
            if name == "stem":
                for layer in part.children():
                    if isinstance(layer, Whitening):
                        layer.start(seen)
                return
            seen = part(seen)


class _Norm(nn.BatchNorm2d):
    """Batch normalisation that learns a shift only; the next convolution is free to scale."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels)
        self.weight.requires_grad_(False)


def airbench(width: int = 48, classes: int = 10, activation: type[nn.Module] = nn.GELU) -> nn.Sequential:
    """Six convolutions of 3 x 3 behind a whitening layer, pooling between: the network of K. Jordan's airbench.

    "94% on CIFAR-10 in 3.29 seconds on a single GPU" (arXiv:2404.00498). Widths are `width`, 4 `width`, 4 `width`; theirs
    is 64, ours by default 48: 66 million multiply-adds and 1.1 million parameters for 32 x 32 pixels.

    Its children in order are the places where it is naturally cut: normalise, stem, stage1, stage2, stage3, head. The
    stem's filters wait for `start_from`.
    """

    def stage(inputs: int, outputs: int) -> nn.Sequential:
        first = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        second = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        for convolution in (first, second):
            nn.init.dirac_(convolution.weight[: convolution.in_channels])
        return nn.Sequential(
            first, nn.MaxPool2d(2), _Norm(outputs), activation(), second, _Norm(outputs), activation()
        )

    stem = Whitening()
    return nn.Sequential(
        OrderedDict(
            normalise=Normalise(CIFAR_MEAN, CIFAR_DEVIATION),
            stem=nn.Sequential(stem, activation()),
            stage1=stage(stem.out_channels, width),
            stage2=stage(width, 4 * width),
            stage3=stage(4 * width, 4 * width),
            head=nn.Sequential(nn.MaxPool2d(3), nn.Flatten(), nn.Linear(4 * width, classes)),
        )
    )
