"""What the networks here are made of."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

__all__ = ["Normalise", "Residual", "conv_bn", "conv_bn_relu"]


class Normalise(nn.Module):
    """Pixels in [0, 1] to zero mean and unit deviation: part of the network, so that an exported one takes plain images."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, mean: Sequence[float], deviation: Sequence[float]) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean).view(1, -1, 1, 1))
        self.register_buffer("deviation", torch.tensor(deviation).view(1, -1, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        return (images - self.mean) / self.deviation


class Residual(nn.Module):
    """x + body(x), with x passed through `shortcut` if its shape has to change."""

    def __init__(self, body: nn.Module, shortcut: nn.Module | None = None, relu: bool = True) -> None:
        super().__init__()
        self.body = body
        self.shortcut = shortcut if shortcut is not None else nn.Identity()
        self.after = nn.ReLU() if relu else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.after(self.body(x) + self.shortcut(x))
        return out


def conv_bn(inputs: int, outputs: int, size: int = 3, stride: int = 1) -> list[nn.Module]:
    """A convolution that keeps the image's size (over its stride), and batch normalisation."""
    return [
        nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False),
        nn.BatchNorm2d(outputs),
    ]


def conv_bn_relu(inputs: int, outputs: int, size: int = 3, stride: int = 1) -> nn.Sequential:
    """`conv_bn` and a ReLU."""
    return nn.Sequential(*conv_bn(inputs, outputs, size, stride), nn.ReLU())
